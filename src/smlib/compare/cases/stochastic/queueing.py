"""Cases of queueing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.special
import scipy.stats
from numpy.typing import NDArray

from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.stochastic import (
    QueueMetrics,
    ServerPlan,
    erlang_b,
    erlang_c,
    jackson_network,
    lindley,
    mmc,
    mmck,
    plan_servers,
)

# Of all requests 99 in 100 wait at most 0.2 s; a worker serves 2 a second.
SHARE, LIMIT, SERVICE_RATE = 0.99, 0.2, 2.0


class Plan(NamedTuple):
    """A number of servers, and the shares that wait too long with that many and with one fewer."""

    servers: int
    late: float
    late_before: float


def _plan(load: int) -> ServerPlan:
    return plan_servers(load * SERVICE_RATE, SERVICE_RATE, wait_quantile=(SHARE, LIMIT))


def _late(load: float, servers: Any) -> Any:
    """Return the share that waits too long, by SciPy."""
    return _as_c(load, servers, _special_b(load, servers)) * np.exp(-(servers - load) * SERVICE_RATE * LIMIT)


def _scipy_plan(load: int) -> Plan:
    low, step = load, 1
    while _late(load, low + step) > 1.0 - SHARE:
        low, step = low + step, 2 * step
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _late(load, middle) > 1.0 - SHARE else (low, middle)
    return Plan(high, _late(load, high), _late(load, high - 1))


def _numpy_plan(load: int) -> Plan:
    """Try all numbers up to ten square roots above the load at once."""
    servers = load + np.arange(1, 10.0 * math.sqrt(load) + 10.0)
    late = _late(load, servers)
    first = int(np.argmax(late <= 1.0 - SHARE))
    return Plan(int(servers[first]), late[first], late[first - 1])


def _same_plan(load: int, ours: ServerPlan, theirs: Plan) -> Agreement:
    before = 1.0 if ours.one_fewer is None else ours.one_fewer.wait_tail(LIMIT)
    off = max(abs(ours.metrics.wait_tail(LIMIT) - theirs.late), abs(before - theirs.late_before))
    same = ours.servers == theirs.servers and ours.success and off < 1e-7
    return Agreement(same, f"{ours.servers:,} servers for {load:,} erlang; shares differ by {off:.0e}")


def _tell(load: int, plan: ServerPlan) -> list[str]:
    rows = ["workers  busy   mean wait   99 of 100 wait less than"]
    for servers in range(load + 1, plan.servers + 3):
        queue = mmc(load * SERVICE_RATE, SERVICE_RATE, servers)
        times = f"{1000 * queue.Wq:7.0f} ms {1000 * queue.wait_quantile(SHARE):10.0f} ms"
        mark = "  <- enough" if servers == plan.servers else ""
        rows.append(f"{servers:7}  {queue.utilization:4.0%}  {times}{mark}")
    return rows


def _late_by_chain(queue: QueueMetrics) -> float:
    """Return the share that waits too long from nothing but the rates: a chain solved, and the way of one customer."""
    servers, states = int(queue.servers), int(queue.servers) + 600
    n = np.arange(1, states)
    generator = np.diag(np.full(states - 1, queue.arrival_rate), 1)
    generator += np.diag(np.minimum(n, servers) * queue.service_rate, -1)
    generator -= np.diag(generator.sum(axis=1))
    generator[:, 0] = 1.0
    found = np.linalg.solve(generator.T, np.eye(states)[0])[servers:]
    # Whoever finds c + k there waits for k + 1 departures of a full crew.
    return float(found @ scipy.stats.poisson.cdf(np.arange(found.size), servers * queue.service_rate * LIMIT))


def _prove(load: int, plan: ServerPlan) -> dict[str, bool]:
    too_few = mmc(load * SERVICE_RATE, SERVICE_RATE, plan.servers - 1)
    late, before = _late_by_chain(plan.metrics), _late_by_chain(too_few)
    extra, residual = plan.servers - load, max(plan.metrics.residual, too_few.residual)
    return {
        f"NumPy solves the chain of {plan.servers}: {late:.2%} wait longer than 0.2 s": late <= 1.0 - SHARE
        and abs(late - plan.metrics.wait_tail(LIMIT)) < 1e-9,
        f"and the chain of {plan.servers - 1}, where it is {before:.2%}": before > 1.0 - SHARE
        and abs(before - too_few.wait_tail(LIMIT)) < 1e-9,
        f"Little's law: L is throughput times W, to {residual:.0e}": residual < 1e-12,
        f"{extra} workers beyond the load are {extra / math.sqrt(load):.1f} of its square roots": 0
        < extra**2
        < 9 * load,
    }


# Tables of Erlang's formula.


class Table(NamedTuple):
    """Loads down, numbers of servers across."""

    loads: Vector
    servers: NDArray[np.int64]


def _table(size: int) -> Table:
    """Return 100 loads, and as many servers for each as give the size, from the load on."""
    loads = np.linspace(10.0, size / 100.0, 100)[:, np.newaxis]
    return Table(loads, np.arange(size // 100)[np.newaxis])


def _near_full(servers: int) -> Table:
    """Return loads from a thousandth to three square roots below full."""
    return Table(servers - math.sqrt(servers) * np.linspace(1e-3, 3.0, 1000), np.full(1000, servers))


def _ours_b(table: Table) -> Any:
    return erlang_b(table.loads, table.servers)


def _ours_c(table: Table) -> Any:
    return erlang_c(table.loads, table.servers)


def _special_b(loads: Any, servers: Any) -> Any:
    """Return B, a Poisson probability over a cumulative one."""
    terms = np.exp(scipy.special.xlogy(servers, loads) - loads - scipy.special.gammaln(servers + 1.0))
    return terms / scipy.special.pdtr(servers, loads)


def _stats_b(loads: Any, servers: Any) -> Any:
    return scipy.stats.poisson.pmf(servers, loads) / scipy.stats.poisson.cdf(servers, loads)


def _as_c(loads: Any, servers: Any, blocked: Any) -> Any:
    return blocked * servers / (servers - loads * (1.0 - blocked))


def _table_of_b(formula: Callable[[Any, Any], Any]) -> Callable[[Table], Any]:
    def look_up(table: Table) -> Any:
        with np.errstate(invalid="ignore", divide="ignore"):
            return formula(*table)

    return look_up


def _table_of_c(formula: Callable[[Any, Any], Any]) -> Callable[[Table], Any]:
    look_up = _table_of_b(formula)
    return lambda table: _as_c(*table, look_up(table))


SPECIAL, STATS = "SciPy's special functions", "SciPy poisson.pmf / cdf"
FORMULAS = {SPECIAL: _special_b, STATS: _stats_b}
SCIPY_B = tuple(Peer(name, "scipy", _table_of_b(formula)) for name, formula in FORMULAS.items())
SCIPY_C = tuple(Peer(name, "scipy", _table_of_c(formula)) for name, formula in FORMULAS.items())


def _same_b(_: Table, ours: Any, theirs: Any) -> Agreement:
    """Compare what is a number in theirs, and not as small as their rounding of logarithms."""
    known = np.isfinite(theirs) & (ours > 1e-290)
    off = float(np.max(np.abs(ours[known] / theirs[known] - 1.0)))
    missing = np.mean(~np.isfinite(theirs))
    return Agreement(off < 1e-7, f"differ by {off:.0e} at most; {missing:.0%} of theirs are no numbers")


# A bounded queue.


def _ours_bounded(places: int) -> float:
    return mmck(0.95, 1.0, 1, places).response_quantile(0.99)


def _numpy_bounded(places: int) -> float:
    """Weigh the states by powers of the load, and bisect for the quantile with SciPy's Poisson distribution."""
    ahead = np.arange(float(places))
    seen = 0.95**ahead
    seen /= seen.sum()
    low, high = 0.0, 128.0
    while high - low > 1e-12:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if scipy.special.pdtr(ahead, middle) @ seen > 0.01 else (low, middle)
    return high


# Lindley.


class Customers(NamedTuple):
    """When they come, and how long they take."""

    interarrivals: Vector
    services: Vector


def _customers(number: int, utilization: float) -> Customers:
    rng = np.random.default_rng(1)
    return Customers(rng.exponential(1.0, number), rng.exponential(utilization, number))


def _lindley(customers: Customers) -> Vector:
    return lindley(customers.interarrivals, customers.services)


def _numpy_lindley(customers: Customers) -> Vector:
    """Sum up service less gap, and take off the least sum so far."""
    walk = np.zeros_like(customers.services)
    np.subtract(customers.services[:-1], customers.interarrivals[1:], out=walk[1:])
    np.cumsum(walk, out=walk)
    walk -= np.minimum.accumulate(walk)
    return walk


def _same_waits(_: Customers, ours: Vector, theirs: Vector) -> Agreement:
    off = float(np.abs(ours - theirs).max())
    return Agreement(off < 1e-6, f"differ by {off:.0e} at most, for sums of all customers lose digits")


# Networks.


class Network(NamedTuple):
    """Stations that send customers to a tenth of the others."""

    outside: Vector
    routing: Vector
    service_rates: Vector


def _network(n: int) -> Network:
    rng = np.random.default_rng(1)
    routing = rng.random((n, n)) * (rng.random((n, n)) < 0.1)
    routing /= np.maximum(1.1 * routing.sum(axis=1, keepdims=True), 1.0)
    outside = rng.random(n)
    flows = np.linalg.solve(np.eye(n) - routing.T, outside)
    return Network(outside, routing, flows / rng.uniform(0.5, 0.95, n))


def _ours_network(network: Network) -> Vector:
    stations = jackson_network(*network).stations
    return np.array([station.L for station in stations])


def _numpy_network(network: Network) -> Vector:
    outside, routing, service_rates = network
    flows = np.linalg.solve(np.eye(outside.size) - routing.T, outside)
    return np.asarray(flows / (service_rates - flows))


def _same_numbers(_: Any, ours: Any, theirs: Any) -> Agreement:
    off = float(np.max(np.abs(np.asarray(ours) / np.asarray(theirs) - 1.0)))
    return Agreement(off < 1e-8, f"differ by {off:.0e} at most")


CASES = (
    Case(
        "queueing",
        "how many servers for a load",
        "erlang",
        (100, 10_000, 1_000_000),
        lambda load: load,
        _plan,
        (
            Peer("SciPy's special functions, bisection", "scipy", _scipy_plan),
            Peer("SciPy's special functions, all numbers at once", "scipy", _numpy_plan),
        ),
        _same_plan,
        note="SciPy has an asymptotic expansion, whose time does not grow with the load. Ours is a sum that grows as "
        "the square root, three times over: to find the number, and for all metrics of that and of one fewer.",
        story=Story(
            "How many workers for this load, if 99 of 100 requests are to wait less than 200 ms?",
            40,
            "80 requests a second, half a second of work each on average, both without memory",
            _tell,
            _prove,
        ),
    ),
    Case(
        "queueing",
        "a table of Erlang's B",
        "entries",
        (10_000, 100_000, 1_000_000),
        _table,
        _ours_b,
        SCIPY_B,
        _same_b,
        note="Each entry goes on from the one with a server less. SciPy works out each anew, and where both of its "
        "probabilities are less than 1e-308 it divides 0 by 0.",
    ),
    Case(
        "queueing",
        "Erlang's C near full load, 1,000 loads",
        "servers",
        (100, 1_000, 10_000),
        _near_full,
        _ours_c,
        SCIPY_C,
        _same_b,
        note="A sum of 8.5 square roots of the servers, near full load. SciPy has an asymptotic expansion, whose time "
        "does not grow. It loses digits instead, for its terms are differences of large logarithms: of a million "
        "servers it knows nine, and the sum thirteen.",
    ),
    Case(
        "queueing",
        "the response of the unlucky, a server and a bounded queue",
        "places",
        (200, 2_000, 20_000),
        lambda places: places,
        _ours_bounded,
        (Peer("NumPy, and SciPy's Poisson distribution", "scipy", _numpy_bounded),),
        _same_numbers,
        note="Chances that are less than 1e-300 are nothing, and not added up: so the time hardly grows.",
    ),
    Case(
        "queueing",
        "Lindley's recursion",
        "customers",
        (10_000, 100_000, 1_000_000),
        lambda number: _customers(number, 0.9),
        _lindley,
        (Peer("NumPy, running sums and their minimum", "numpy", _numpy_lindley),),
        _same_waits,
        note="The checks and the walk take 0.9 ns a customer. Of a million customers most of our time goes into fresh "
        "memory for the answer, which the system has to clear first.",
    ),
    Case(
        "queueing",
        "Lindley's recursion, a server that is never idle",
        "customers",
        (10_000, 100_000, 1_000_000),
        lambda number: _customers(number, 1.1),
        _lindley,
        (Peer("NumPy, running sums and their minimum", "numpy", _numpy_lindley),),
        _same_waits,
        note="No queue empties, so that all but the first quarter are walked twice.",
    ),
    Case(
        "queueing",
        "a network of queues",
        "stations",
        (10, 100, 500),
        _network,
        _ours_network,
        (Peer("NumPy solve, and formulas on arrays", "numpy", _numpy_network),),
        _same_numbers,
        note="LAPACK eliminates with subtraction, at the speed of products of matrices, and a formula on arrays gives "
        "one number a station. Here nothing is subtracted, and all metrics of each station are worked out and checked.",
    ),
)
