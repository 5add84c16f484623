"""How many servers: the least number that keeps a promise.

A promise reads "of all customers, 99 in 100 wait at most 0.2 seconds". More servers never wait longer, so one walks up
from the load until it is kept. Each step gets its chance of waiting from the one before, by Erlang's recursion::

    servers       9        10        11       12                   load 8, services 10 a second
    1 / B       5.78      8.22      12.3     19.5                  1 + servers / load * (the one before)
    C          0.653     0.409     0.245     0.140
    late       0.088    0.0075   0.00061   0.00005                 C exp(-(servers - load) 10 * 0.2)

The walk is short, for what it finds has a plain shape. Servers beyond the load are insurance against chance, and chance
in a load of ``a`` is worth ``sqrt(a)``. So it takes ``a + b sqrt(a)`` servers; b depends on the promise, and hardly
on a (*square-root staffing*, Erlang 1924): twice the load needs less than twice the insurance, which is why pooled
teams, shared queues and large machines wait less at the same utilization.

By hand. 80 arrivals a second at 10 a second and server are a load of 8. Nine servers: C = 0.653, and
``0.653 exp(-(90 - 80) 0.2) = 0.088`` wait longer than 0.2 s. Ten: ``0.409 exp(-4) = 0.0075``. So ten.

Cost: O(sqrt(load)) time, and O(1) space.

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 15.3; Halfin & Whitt, "Heavy-traffic
limits for queues with many exponential servers", *Operations Research* 29 (1981).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from smlib._core.kernel import kernel
from smlib._core.results import Result
from smlib._core.validate import as_nonnegative
from smlib.errors import InputError
from smlib.stochastic.queueing.loss_formulas import c_from_b, sum_inverse
from smlib.stochastic.queueing.markovian import as_rates, mmc
from smlib.stochastic.queueing.metrics import QueueMetrics, as_share_left
from smlib.stochastic.queueing.overload import is_overloaded, least_servers


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ServerPlan(Result):
    """The least number of servers that keeps a promise, and the proof.

    Attributes
    ----------
    servers : int
    success : bool
        Whether ``metrics`` keep the promise, and ``one_fewer`` do not.
    metrics : QueueMetrics
        With that many servers.
    one_fewer : QueueMetrics or None
        With one fewer; None if that would be overloaded, or none at all.
    """

    servers: int
    success: bool
    metrics: QueueMetrics
    one_fewer: QueueMetrics | None


def plan_servers(
    arrival_rate: float, service_rate: float, *, wait_quantile: tuple[float, float] = (0.99, 0.2)
) -> ServerPlan:
    """Return the least number of servers with which a share of customers wait at most so long (M/M/c).

    Parameters
    ----------
    arrival_rate : float
        Customers a second, at least 0.
    service_rate : float
        Customers a second that one server can do, positive.
    wait_quantile : (float, float)
        The promise: a share, at least 0 and less than 1, and seconds from arrival to the beginning of service, at least
        0. By default 99 of 100 wait at most 200 milliseconds.

    Returns
    -------
    ServerPlan

    Raises
    ------
    InputError
        A rate or the promise cannot be, or more than 2^53 servers would be needed.

    Notes
    -----
    Complexity: O(sqrt(load)) time.

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 15.3.

    Examples
    --------
    >>> plan = plan_servers(arrival_rate=80.0, service_rate=10.0)
    >>> plan.servers, plan.success
    (10, True)
    >>> [round(metrics.wait_quantile(0.99), 3) for metrics in (plan.metrics, plan.one_fewer)]
    [0.186, 0.418]
    """
    arrivals, services, _ = as_rates(arrival_rate, service_rate, 1)
    try:
        share, limit = wait_quantile
    except (TypeError, ValueError) as error:
        raise InputError(f"wait_quantile is {wait_quantile!r}; it must be a share and seconds: (0.99, 0.2)") from error
    late = as_share_left(share, "the share of wait_quantile")
    limit = as_nonnegative(limit, "the time of wait_quantile")

    least = least_servers(arrivals, services)
    servers = find_least(arrivals / services, least, late, services * limit)
    metrics = mmc(arrivals, services, servers)
    fewer = servers - 1
    one_fewer = None if fewer == 0 or is_overloaded(arrivals, services, fewer) else mmc(arrivals, services, fewer)
    success = metrics.wait_tail(limit) <= late and (one_fewer is None or one_fewer.wait_tail(limit) > late)
    return ServerPlan(servers, success, metrics, one_fewer)


@kernel
def find_least(load: float, least: int, late: float, limit: float) -> int:
    """Return the least number of servers, ``least`` or more, with which no more than that share waits beyond the limit.

    The limit is counted in mean services.
    """
    servers = least
    inverse = sum_inverse(load, servers)
    while c_from_b(1.0 / inverse, load, servers) * math.exp((load - servers) * limit) > late:
        servers += 1
        inverse = 1.0 + inverse * (servers / load)
    return servers
