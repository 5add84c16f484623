"""Networks of queues: who has been served at one station goes on to another one, or leaves.

Where a customer goes next is chance that does not ask how long the queues are (Markov routing). So it can be spent
before the clock starts, like all other chance: every customer's route is drawn, and with it the service of each visit.
What is left is again bookkeeping. Routes lie one behind another::

    customer       0          1     2
    station        0  1  2    0     0  1  0  1
    visit          0  1  2    3     4  5  6  7
    first visit    0          3     4             8 is the end

The arrivals at stations, from outside and from other stations, must be looked at in order of time. Those that are still
to come, one for each customer on the way, are in a heap. The top is taken, and as stations serve first in, first out,
everything about this visit is known at once: it begins when the station's first free server is free, or now. Its end is
the next arrival of that customer, unless the route is over. It is not earlier than now: time never goes back.

Invariants:
  1. Visits of a station begin in the order in which they arrive.
  2. A customer arrives at the next station when the visit before ends.
  3. The books of each station balance, and those of the whole network.

Cost: O(log(customers on the way) + log(servers)) a visit.

Jackson, "Networks of waiting lines", *Operations Research* 5 (1957); Harchol-Balter, *Performance Modeling and Design
of Computer Systems*, chapters 17 and 18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.kernel import kernel
from smlib._core.random_streams import RandomLike
from smlib._core.results import Result
from smlib._core.validate import Vector, as_confidence, as_count
from smlib.errors import InputError
from smlib.stochastic.drawing import Distribution, as_distribution
from smlib.stochastic.queue_simulation.arguments import as_servers, as_warmup
from smlib.stochastic.queue_simulation.estimates import Estimate
from smlib.stochastic.queue_simulation.heaps import Numbers, pop, push, replace_top
from smlib.stochastic.queue_simulation.routes import Routes, draw_routes
from smlib.stochastic.queue_simulation.serving import idle_servers
from smlib.stochastic.queue_simulation.summaries import judge, summarize
from smlib.stochastic.routing import as_routing


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StationRecords(Result):
    """The visits of one station, in the order in which they arrived, and what they say.

    Attributes
    ----------
    customers : ndarray of int64, shape (visits,)
        Who came.
    arrivals, services, starts, ends : ndarray, shape (visits,)
    server : ndarray of int64, shape (visits,)
        Which of the station's servers.
    W, Wq : Estimate
        The mean response time and the mean wait of a visit.
    L, Lq : Estimate
        The mean number at the station, and of those waiting there.
    utilization : Estimate
        The mean share of its servers that are busy.
    little_gap, waiting_gap, busy_gap : float
        How far the books are from balancing.
    """

    customers: Numbers
    arrivals: Vector
    services: Vector
    starts: Vector
    ends: Vector
    server: Numbers
    W: Estimate
    Wq: Estimate
    L: Estimate
    Lq: Estimate
    utilization: Estimate
    little_gap: float
    waiting_gap: float
    busy_gap: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NetworkSimulation(Result):
    """A run of a network.

    Attributes
    ----------
    stations : tuple of StationRecords
    arrivals, ends : ndarray, shape (customers,)
        When each customer came from outside, and when it left the network.
    warmup : int
        So many customers have been dropped from the beginning before anything was estimated.
    W : Estimate
        The mean time that a customer is in the network.
    L : Estimate
        The mean number in the network.
    settled : bool
        Whether the intervals can be trusted.
    success : bool
        Whether the books of all stations and of the network balance.
    message : str
    little_gap : float
        Of the whole network.
    """

    stations: tuple[StationRecords, ...]
    arrivals: Vector
    ends: Vector
    warmup: int
    W: Estimate
    L: Estimate
    settled: bool
    success: bool
    message: str
    little_gap: float

    @property
    def responses(self) -> Vector:
        """How long each customer was in the network."""
        return self.ends - self.arrivals


class QueueNetwork:
    """Stations, each with its own waiting room and servers, between which customers are sent at random.

    Parameters
    ----------
    arrivals : sequence of Distribution or None
        Of the times between arrivals from outside, at each station; None where nobody comes from outside.
    services : sequence of Distribution
        At each station.
    routing : array_like, shape (stations, stations)
        ``routing[i][j]`` is the chance to go to j after i. What a row lacks to 1 is the chance to leave.
    servers : int or sequence of int
        At each station, or at all.

    Raises
    ------
    InputError
        Lengths differ, nobody comes from outside, a chance is negative, a row adds up to more than 1, or somebody could
        never leave.

    Notes
    -----
    Complexity: O(stations^3) to check the routing.

    Stations serve first in, first out, and have room for everybody.

    References
    ----------
    Jackson, "Networks of waiting lines", *Operations Research* 5 (1957).

    Examples
    --------
    A web server that asks a database, once for each request in the mean, and is asked again afterwards:

    >>> from smlib.stochastic import Exponential
    >>> network = QueueNetwork(
    ...     [Exponential(2.0), None], [Exponential(5.0), Exponential(4.0)], routing=[[0.0, 0.5], [1.0, 0.0]]
    ... )
    >>> run = network.simulate(100_000, rng=1)
    >>> [station.utilization.mean.__round__(2) for station in run.stations]
    [0.8, 0.5]
    """

    def __init__(
        self,
        arrivals: Sequence[Distribution | None],
        services: Sequence[Distribution],
        routing: ArrayLike,
        servers: int | Sequence[int] = 1,
    ) -> None:
        n = len(services)
        if n == 0 or len(arrivals) != n:
            raise InputError(f"there are {len(arrivals)} arrivals and {n} services; give one of each for every station")
        self.arrivals = [
            None if law is None else as_distribution(law, f"arrivals[{k}]") for k, law in enumerate(arrivals)
        ]
        if all(law is None for law in self.arrivals):
            raise InputError("all arrivals are None; customers must come from outside at one station at least")
        self.services = [as_distribution(law, f"services[{k}]") for k, law in enumerate(services)]
        counts: list[Any] = [servers] * n if np.ndim(servers) == 0 else list(cast(Sequence[int], servers))
        if len(counts) != n:
            raise InputError(f"servers has {len(counts)} entries, but there are {n} stations")
        self.servers = [as_servers(count) for count in counts]
        self.routing, _ = as_routing(routing, n)

    def draw_routes(self, customers: int, rng: RandomLike = None) -> Routes:
        """Draw all that chance decides for the first so many customers from outside.

        Parameters
        ----------
        customers : int
            At least 1.
        rng : Generator, int or None

        Returns
        -------
        Routes
        """
        count = as_count(customers, "customers")
        if count == 0:
            raise InputError("customers is 0; simulate at least one")
        return draw_routes(self.arrivals, self.services, self.routing, count, rng)

    def simulate(
        self, customers: int, *, warmup: int | None = None, confidence: float = 0.95, rng: RandomLike = None
    ) -> NetworkSimulation:
        """Let so many customers come from outside, and follow each until it has left.

        Parameters
        ----------
        customers : int
            At least 1.
        warmup : int, optional
            Drop so many customers from the beginning before anything is estimated, at the stations all who come before
            the first one kept; a tenth if not given.
        confidence : float
            Of the intervals, between 0 and 1.
        rng : Generator, int or None
            Arrivals and services of each station, and routes, come from streams of their own.

        Returns
        -------
        NetworkSimulation
        """
        level = as_confidence(confidence)
        routes = self.draw_routes(customers, rng)
        dropped = as_warmup(warmup, routes.arrivals.size)
        visits = routes.stations.size
        times, starts, ends = np.empty(visits), np.empty(visits), np.empty(visits)
        server, order = np.empty(visits, np.int64), np.empty(visits, np.int64)
        first_server = np.concatenate([[0], np.cumsum([count + 1 for count in self.servers])])
        heaps = [idle_servers(count) for count in self.servers]
        free = np.concatenate([keys for keys, _ in heaps])
        names = np.concatenate([items for _, items in heaps])
        visit(*routes, first_server, free, names, times, starts, ends, server, order)
        return self._conclude(routes, times, starts, ends, server, order, dropped, level)

    def _conclude(
        self,
        routes: Routes,
        times: Vector,
        starts: Vector,
        ends: Vector,
        server: Numbers,
        order: Numbers,
        warmup: int,
        confidence: float,
    ) -> NetworkSimulation:
        """Check the books of each station and of the whole, and estimate."""
        arrivals = routes.arrivals
        owners = np.repeat(np.arange(arrivals.size), np.diff(routes.first_visit))
        left = ends[routes.first_visit[1:] - 1]
        span = float(arrivals[warmup]), float(arrivals[-1])
        stations, balanced = [], True
        for k, count in enumerate(self.servers):
            here = order[routes.stations[order] == k]
            records = times[here], routes.services[here], starts[here], ends[here]
            summary = summarize(*records, np.sort(records[3]), count, span, confidence)
            W, Wq, L, Lq, utilization, _, books = summary
            balanced &= books.balanced
            gaps = books.little_gap, books.waiting_gap, books.busy_gap
            stations.append(StationRecords(owners[here], *records, server[here], W, Wq, L, Lq, utilization, *gaps))
        # The whole network, as if it were one station that serves everybody at once.
        responses = left - arrivals
        whole = summarize(arrivals, responses, arrivals, left, np.sort(left), arrivals.size, span, confidence)
        balanced &= whole.books.balanced
        settled, message = judge(balanced, whole.W, responses)
        little_gap = whole.books.little_gap
        return NetworkSimulation(
            tuple(stations), arrivals, left, warmup, whole.W, whole.L, settled, balanced, message, little_gap
        )


@kernel
def visit(
    arrivals: Vector,
    first_visit: Numbers,
    stations: Numbers,
    services: Vector,
    first_server: Numbers,
    free: Vector,
    names: Numbers,
    times: Vector,
    starts: Vector,
    ends: Vector,
    server: Numbers,
    order: Numbers,
) -> None:
    """Look at all visits in order of time, and set what happens at each.

    Parameters
    ----------
    arrivals, first_visit, stations, services : ndarray
        As in `Routes`.
    first_server : ndarray of int64, shape (stations + 1,)
        Where the servers of each station begin in ``free`` and ``names``: one more place than servers.
    free, names : ndarray
        The heaps of servers, one behind another.
    times, starts, ends, server : ndarray, shape (visits,)
        Are set: when a visit arrives, begins and ends, and who serves it.
    order : ndarray of int64, shape (visits,)
        Is set to the visits in order of their arrivals.
    """
    customers = arrivals.size
    # Whoever has been at a station and goes on: when, and to which visit.
    coming = np.full(customers + 2, np.inf)
    visits = np.empty(customers + 2, np.int64)
    count, entered = 0, 0
    last = np.zeros(stations.size, np.bool_)
    for customer in range(customers):
        last[first_visit[customer + 1] - 1] = True
    for k in range(stations.size):
        outside = arrivals[entered] if entered < customers else np.inf
        if outside <= coming[0]:
            now, current = outside, first_visit[entered]
            entered += 1
        else:
            now, current = coming[0], visits[0]
            pop(coming, visits, count)
            count -= 1
        station = stations[current]
        begin, end = first_server[station], first_server[station + 1]
        keys, items = free[begin:end], names[begin:end]
        start = max(now, keys[0])
        done = start + services[current]
        order[k] = current
        times[current], starts[current], ends[current], server[current] = now, start, done, items[0]
        replace_top(keys, items, end - begin - 1, done, items[0])
        if not last[current]:
            push(coming, visits, count, done, current + 1)
            count += 1
