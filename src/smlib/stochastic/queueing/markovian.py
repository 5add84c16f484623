"""The memoryless queues: M/M/1, M/M/c, M/M/c/K and M/M/inf.

*M/M/c*. The share C of Erlang's formula finds all servers busy. From then on there are always c who serve, so that
customers leave at ``c * service_rate``; what is above the arrivals, the *spare* rate, wears the queue down::

    Wq = C / (c * service_rate - arrival_rate)

One server is no other case: there ``C = utilization``. *M/M/inf* has a server for everybody, and nobody waits.

*M/M/c/K* has K places, and loses who comes when they are taken. So it cannot be overloaded: the queue is full, and the
loss grows. Its K + 1 probabilities are worked out one by one (`birth_death`), and all else is sums of them. Those who
arrive see the states as they are over time (*PASTA*: Poisson arrivals see time averages), and those who are let in see
all but the last.

By hand. Load 1 on two servers: C = 1/3, and with one service a second ``Wq = (1/3) / (2 - 1)``. With room for two
only, the weights are 1, 1, 1/2, and one fifth is lost: Erlang's B.

Cost: that of `erlang_b` for M/M/c, O(1) for M/M/inf, O(K) time and space for M/M/c/K.

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 13, 14 and 15; Kleinrock, *Queueing
Systems 1*, chapter 3.
"""

from __future__ import annotations

import math
from typing import SupportsIndex

import numpy as np

from smlib._core.validate import as_count, as_nonnegative
from smlib.errors import InputError
from smlib.stochastic.queueing.birth_death import state_weights
from smlib.stochastic.queueing.loss_formulas import MOST_SERVERS, chance_of_waiting
from smlib.stochastic.queueing.metrics import QueueMetrics
from smlib.stochastic.queueing.overload import explain_overload, is_overloaded, least_servers

# With so many places M/M/c/K takes half a gigabyte.
MOST_PLACES = 10_000_000


def mm1(arrival_rate: float, service_rate: float) -> QueueMetrics:
    """Return the metrics of one server (M/M/1): memoryless arrivals and services, first come, first served.

    Parameters
    ----------
    arrival_rate : float
        Customers a second, at least 0.
    service_rate : float
        Customers a second that the server can do, more than ``arrival_rate``.

    Returns
    -------
    QueueMetrics

    Raises
    ------
    InputError
        The queue is overloaded, or a rate is negative, zero or no number.

    Notes
    -----
    Complexity: O(1).

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 13.1.

    Examples
    --------
    >>> queue = mm1(arrival_rate=8.0, service_rate=10.0)
    >>> round(queue.W, 6), round(queue.L, 6)  # seconds, customers
    (0.5, 4.0)
    """
    return mmc(arrival_rate, service_rate, 1)


def mmc(arrival_rate: float, service_rate: float, servers: SupportsIndex) -> QueueMetrics:
    """Return the metrics of some servers with one queue (M/M/c): memoryless, first come, first served.

    Parameters
    ----------
    arrival_rate : float
        Customers a second, at least 0, and less than ``servers * service_rate``.
    service_rate : float
        Customers a second that one server can do, positive.
    servers : int
        At least 1.

    Returns
    -------
    QueueMetrics

    Raises
    ------
    InputError
        The queue is overloaded, or a rate or the number of servers cannot be.

    Notes
    -----
    Complexity: that of `erlang_b`, O(servers) at most.

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 14.3.

    Examples
    --------
    >>> queue = mmc(arrival_rate=80.0, service_rate=10.0, servers=10)
    >>> round(queue.probability_of_waiting, 4), round(queue.wait_quantile(0.99), 4)
    (0.4092, 0.1856)
    """
    arrivals, services, count = as_rates(arrival_rate, service_rate, servers)
    if is_overloaded(arrivals, services, count):
        raise InputError(
            f"{explain_overload(arrivals, services, count)}; use at least {least_servers(arrivals, services)} servers, "
            "or a capacity (mmck)"
        )
    load = arrivals / services
    waiting = chance_of_waiting(load, count)
    wait = waiting / (count * services - arrivals)
    waiting_mean = waiting * load / (count - load)
    return summarize(
        f"M/M/{count}",
        arrivals,
        services,
        count,
        math.inf,
        waiting_mean + load,
        waiting_mean,
        wait,
        load / count,
        waiting,
    )


def mmck(arrival_rate: float, service_rate: float, servers: SupportsIndex, capacity: SupportsIndex) -> QueueMetrics:
    """Return the metrics of some servers and a bounded queue (M/M/c/K): who finds all places taken is lost.

    Parameters
    ----------
    arrival_rate : float
        Customers a second, at least 0; there may be more of them than can be served.
    service_rate : float
        Customers a second that one server can do, positive.
    servers : int
        At least 1.
    capacity : int
        Places for customers, those at the servers among them: at least ``servers``.

    Returns
    -------
    QueueMetrics
        Times are those of customers who are not lost.

    Raises
    ------
    InputError
        A rate or a number cannot be, or there are fewer places than servers.

    Notes
    -----
    Complexity: O(capacity) time and space.

    References
    ----------
    Kleinrock, *Queueing Systems 1*, chapter 3.

    Examples
    --------
    >>> queue = mmck(arrival_rate=12.0, service_rate=5.0, servers=2, capacity=10)
    >>> round(queue.loss_probability, 4), round(queue.throughput, 3)
    (0.1956, 9.652)
    """
    arrivals, services, count = as_rates(arrival_rate, service_rate, servers)
    places = as_count(capacity, "capacity")
    if places < count:
        raise InputError(
            f"capacity is {places}, but there are {count} servers; it counts the places at the servers too, so that it "
            f"is at least {count}"
        )
    if places > MOST_PLACES:
        raise InputError(
            f"capacity is {places}; up to {MOST_PLACES:,} places are worked out one by one: where there are so many, "
            "their number does not matter (mmc), or all of them are taken"
        )
    weights = state_weights(places + 1, arrivals / services, count)
    states, total, let_in = np.arange(places + 1), float(weights.sum()), float(weights[:-1].sum())
    ahead = np.maximum(states - count, 0)
    return summarize(
        f"M/M/{count}/{places}",
        arrivals,
        services,
        count,
        places,
        float(weights @ states) / total,
        float(weights @ ahead) / total,
        float(weights[count:-1] @ (ahead[count:-1] + 1)) / (let_in * count * services),
        float(weights @ np.minimum(states, count)) / (total * count),
        float(weights[count:-1].sum()) / let_in,
        lost=float(weights[-1]) / total,
        throughput=arrivals * let_in / total,
    )


def mm_infinity(arrival_rate: float, service_rate: float) -> QueueMetrics:
    """Return the metrics of a server for everybody (M/M/inf): nobody waits.

    Parameters
    ----------
    arrival_rate : float
        Customers a second, at least 0.
    service_rate : float
        Customers a second that one server can do, positive.

    Returns
    -------
    QueueMetrics
        Its ``utilization`` is 0: a share of infinitely many.

    Raises
    ------
    InputError
        A rate is negative, zero or no number.

    Notes
    -----
    Complexity: O(1). How many are there has Poisson's distribution, whatever the services' distribution.

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 15.2.

    Examples
    --------
    >>> queue = mm_infinity(arrival_rate=80.0, service_rate=10.0)
    >>> queue.L, queue.state_probabilities(3).round(4)
    (8.0, array([0.0003, 0.0027, 0.0107]))
    """
    arrivals, services, _ = as_rates(arrival_rate, service_rate, 1)
    return summarize("M/M/inf", arrivals, services, math.inf, math.inf, arrivals / services, 0.0, 0.0, 0.0, 0.0)


def as_rates(arrival_rate: float, service_rate: float, servers: SupportsIndex) -> tuple[float, float, int]:
    """Return the parameters of a queue, checked one by one."""
    arrivals, services = as_nonnegative(arrival_rate, "arrival_rate"), as_nonnegative(service_rate, "service_rate")
    count = as_count(servers, "servers")
    if services == 0.0:
        raise InputError("service_rate is 0; a server must get through some customers a second")
    if arrivals > MOST_SERVERS * services:
        raise InputError(f"arrival_rate is {arrivals:g}, more than 2^53 servers with {services:g} a second can do")
    if not 1 <= count <= MOST_SERVERS:
        raise InputError(f"servers is {count}; it must be from 1 to 2^53")
    return arrivals, services, count


def summarize(
    model: str,
    arrivals: float,
    services: float,
    servers: float,
    capacity: float,
    present: float,
    queued: float,
    wait: float,
    utilization: float,
    waiting: float,
    *,
    lost: float = 0.0,
    throughput: float | None = None,
) -> QueueMetrics:
    """Return the metrics, with the proof: ``present`` and ``wait`` come from formulas apart, and Little's law holds."""
    served = arrivals if throughput is None else throughput
    response = wait + 1.0 / services
    return QueueMetrics(
        model=model,
        arrival_rate=arrivals,
        service_rate=services,
        servers=servers,
        capacity=capacity,
        L=present,
        Lq=queued,
        W=response,
        Wq=wait,
        utilization=utilization,
        throughput=served,
        loss_probability=lost,
        probability_of_waiting=waiting,
        residual=abs(present - served * response) / present if present else 0.0,
    )
