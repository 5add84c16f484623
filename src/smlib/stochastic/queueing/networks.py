"""Jackson's networks: stations that send customers on to each other, each as if it stood alone.

Customers come from outside to some stations, and go on from station i to station j with chance ``routing[i, j]``, or
leave with what is left over. How many come to each a second follows from what comes in::

    rate[j] = from outside[j] + sum over i of rate[i] routing[i, j]          (the traffic equations)

      1 a second                                    rate[0] = 1 + rate[1] / 2
    ------------> [ 0 ] ---------> [ 1 ] -----> out rate[1] = rate[0]
                    ^     all        | 1/2
                    `----------------'              so both have 2

Jackson (1957) found that then each station is as an M/M/c of its own at that rate, and the numbers at the stations are
independent of each other, though the arrivals from elsewhere are not Poisson at all where customers may come back.

How to solve them: the way of one customer through the network is a Markov chain that ends, and stations are taken out
of it one by one (`elimination` of Markov chains). Whoever is sent to one that was taken out is sent on at once, to
where they would go from there. Nothing is subtracted anywhere, so that each rate is right to its last digits, even
where customers come back a million times.

By hand. Take out station 1 above: half of what it is sent comes back to 0, half leaves. So 0 sends half to itself, and
``rate[0] = 1 / (1/2) = 2``.

Cost: O(n^3) time and O(n^2) space for n stations.

Jackson, "Networks of waiting lines", *Operations Research* 5 (1957); Harchol-Balter, *Performance Modeling and Design
of Computer Systems*, chapters 17 and 18.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.results import Result
from smlib._core.validate import Vector, as_floats, require_finite
from smlib.errors import InputError
from smlib.stochastic.markov_chains.elimination import Censored, censor
from smlib.stochastic.queueing.markovian import as_rates, mmc
from smlib.stochastic.queueing.metrics import QueueMetrics
from smlib.stochastic.queueing.overload import explain_overload, is_overloaded, least_servers
from smlib.stochastic.routing import as_routing


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NetworkMetrics(Result):
    """A network of queues in the long run.

    Attributes
    ----------
    stations : tuple of QueueMetrics
        Each station as if it stood alone.
    throughput : ndarray, shape (n,)
        How many come to each station a second, from outside and from stations.
    visits : ndarray, shape (n,)
        How often a customer comes to each station, on average.
    L : float
        How many customers there are on average, at all stations.
    W : float
        Seconds from coming in to going out on average, by Little's law.
    residual : float
        By how much the throughputs miss the traffic equations, as a part of the largest: rounding.
    """

    stations: tuple[QueueMetrics, ...]
    throughput: Vector
    visits: Vector
    L: float
    W: float
    residual: float

    def _rows(self) -> list[tuple[str, str]]:
        rows = super(NetworkMetrics, self)._rows()
        return [("stations", ", ".join(station.model for station in self.stations)), *rows[1:]]


def jackson_network(
    arrival_rates: ArrayLike, routing: ArrayLike, service_rates: ArrayLike, servers: ArrayLike = 1
) -> NetworkMetrics:
    """Return the metrics of an open network of memoryless stations.

    Parameters
    ----------
    arrival_rates : array_like, shape (n,)
        How many come to each station from outside a second, at least 0 and not all 0.
    routing : array_like, shape (n, n)
        ``routing[i, j]`` is the chance to go to station j after station i; what a row lacks to 1 leaves the network.
    service_rates : array_like, shape (n,)
        Customers a second that one server of each station can do, positive.
    servers : array_like of int, shape (n,), or int
        Of each station, at least 1.

    Returns
    -------
    NetworkMetrics

    Raises
    ------
    InputError
        A station is overloaded, or cannot be left for good; something is negative, no chance, or of the wrong shape.

    Notes
    -----
    Complexity: O(n^3) time.

    References
    ----------
    Jackson (1957); Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapter 17.

    Examples
    --------
    >>> network = jackson_network([1.0, 0.0], [[0.0, 1.0], [0.5, 0.0]], service_rates=[4.0, 3.0])
    >>> network.throughput, round(network.L, 6), round(network.W, 6)
    (array([2., 2.]), 3.0, 3.0)
    """
    outside, services = as_floats(arrival_rates, "arrival_rates"), as_floats(service_rates, "service_rates")
    crews = np.asarray(servers)
    n, shapes = outside.size, (outside.shape, services.shape, crews.shape)
    if n == 0 or shapes not in (((n,), (n,), (n,)), ((n,), (n,), ())):
        raise InputError(
            f"arrival_rates, service_rates and servers have the shapes {', '.join(map(str, shapes))}; for n stations "
            "these are (n,), (n,) and (n,), the last one or ()"
        )
    require_finite(outside, "arrival_rates")
    if outside.min() < 0.0:
        raise InputError(f"arrival_rates[{outside.argmin()}] is {outside.min()}; it must be at least 0")
    if not outside.any():
        raise InputError("arrival_rates are all 0; in an open network customers come from outside to some station")
    chances, leaving = as_routing(routing, n)

    throughput = solve_traffic(censor(chances, np.arange(n), leaving), outside)
    missed = np.abs(throughput - outside - throughput @ chances).max() / throughput.max()

    crew = np.broadcast_to(crews, n).tolist()
    loads = list(zip(throughput.tolist(), services.tolist(), crew, strict=True))
    checked = [as_rates(*load) for load in loads]
    overloaded = [
        f"Station {number}: {explain_overload(*load)}; use at least {least_servers(load[0], load[1])}"
        for number, load in enumerate(checked)
        if is_overloaded(*load)
    ]
    if overloaded:
        raise InputError(f"overloaded stations: {len(overloaded)} of {n}. {'. '.join(overloaded)}")
    stations = tuple(mmc(*load) for load in checked)
    present, entering = sum(station.L for station in stations), float(outside.sum())
    return NetworkMetrics(stations, throughput, throughput / entering, present, present / entering, float(missed))


def solve_traffic(part: Censored, outside: Vector) -> Vector:
    """Return the rates at all stations, by those from outside and what is left of the routing by taking stations out.

    On the way down, who is at a station that was taken out is sent on to those before it. On the way up, each station
    gets what those before it send there, and what it had.
    """
    sent, rates = part.matrix, outside.copy()
    for k in range(rates.size - 1, -1, -1):
        rates[k] /= part.going[k]
        rates[:k] += rates[k] * sent[k, :k]
    for k in range(rates.size):
        rates[k] += rates[:k] @ sent[:k, k]
    return rates
