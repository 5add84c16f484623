"""Networks of queues: routes drawn beforehand, visits in order of time, books of every station."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from smlib.errors import InputError
from smlib.stochastic import Deterministic, Empirical, Exponential, QueueNetwork, jackson_network, simulate_queue
from smlib.stochastic.queue_simulation.routes import Routes
from tests.conftest import require

THREE = QueueNetwork(
    [Exponential(1.0), Exponential(0.5), None],
    [Exponential(3.0), Exponential(1.0), Exponential(0.7)],
    [[0.0, 0.6, 0.2], [0.0, 0.1, 0.5], [0.3, 0.0, 0.0]],
    servers=[1, 3, 4],
)


@pytest.mark.interpreted
def test_a_tandem_by_hand() -> None:
    """Who comes at 1, 2, 3 leaves the first station (2 each) at 3, 5, 7, and the second (3 each) at 6, 9, 12."""
    network = QueueNetwork([Deterministic(1.0), None], [Deterministic(2.0), Deterministic(3.0)], [[0, 1], [0, 0]])
    run = network.simulate(3)
    first, second = run.stations
    np.testing.assert_array_equal(first.ends, [3, 5, 7])
    np.testing.assert_array_equal(second.arrivals, [3, 5, 7])
    np.testing.assert_array_equal(second.starts, [3, 6, 9])
    np.testing.assert_array_equal(run.ends, [6, 9, 12])
    np.testing.assert_array_equal(run.responses, [5, 7, 9])
    np.testing.assert_array_equal(second.customers, [0, 1, 2])
    assert run.success
    assert not run.settled


@pytest.mark.interpreted
def test_a_tandem_is_one_queue_behind_another() -> None:
    network = QueueNetwork([Exponential(1.0), None], [Exponential(1.2), Exponential(0.7)], [[0, 1], [0, 0]], [1, 2])
    first, second = network.simulate(500, rng=1).stations
    alone = simulate_queue(first.arrivals, first.services)
    np.testing.assert_array_equal(first.ends, alone.ends)
    # The second sees them as they leave the first, which is in the order in which they came.
    np.testing.assert_array_equal(second.arrivals, alone.ends)
    np.testing.assert_array_equal(second.ends, simulate_queue(second.arrivals, second.services, 2).ends)


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_each_station_is_a_queue_of_its_own(seed: int, customers: int) -> None:
    """Invariant 1, and that its servers work as those of `simulate_queue`."""
    run = THREE.simulate(customers, rng=seed)
    for station, servers in zip(run.stations, THREE.servers, strict=True):
        assert (np.diff(station.arrivals) >= 0).all()
        if station.arrivals.size:
            alone = simulate_queue(station.arrivals, station.services, servers)
            np.testing.assert_array_equal(station.starts, alone.starts)
            np.testing.assert_array_equal(station.server, alone.server)


@pytest.mark.interpreted
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_customers_go_from_station_to_station(seed: int, customers: int) -> None:
    """Invariants 2 and 3."""
    routes = THREE.draw_routes(customers, seed)
    run = THREE.simulate(customers, rng=seed)
    assert run.success
    assert run.little_gap < 1e-12
    for customer in range(customers):
        visits = sorted(
            (station.arrivals[k], station.ends[k], number)
            for number, station in enumerate(run.stations)
            for k in np.flatnonzero(station.customers == customer)
        )
        planned = routes.stations[routes.first_visit[customer] : routes.first_visit[customer + 1]]
        assert [number for _, _, number in visits] == planned.tolist()
        assert visits[0][0] == run.arrivals[customer]
        assert visits[-1][1] == run.ends[customer]
        assert all(one[1] == other[0] for one, other in pairwise(visits))


def test_routes_follow_the_chances() -> None:
    routes = THREE.draw_routes(50_000, 4)
    last = np.zeros(routes.stations.size, bool)
    last[routes.first_visit[1:] - 1] = True
    onward = np.append(routes.stations[1:], 0)
    for station, row in enumerate(THREE.routing):
        here = routes.stations == station
        for target, chance in enumerate([*row, 1.0 - row.sum()]):
            went = last[here] if target == 3 else ~last[here] & (onward[here] == target)
            error = math.sqrt(chance * (1 - chance) / here.sum())
            assert abs(went.mean() - chance) <= 4.5 * error


def test_jackson() -> None:
    """Intervals of 99.9 %, of which none is missed."""
    run = THREE.simulate(150_000, rng=5, confidence=0.999)
    truth = jackson_network([1.0, 0.5, 0.0], THREE.routing, [3.0, 1.0, 0.7], [1, 3, 4])
    assert run.settled
    assert truth.L in run.L
    assert truth.W in run.W
    for ours, theirs in zip(run.stations, truth.stations, strict=True):
        for name in ("W", "Wq", "L", "Lq", "utilization"):
            assert getattr(theirs, name) in getattr(ours, name), name


def ciw_visits(routes: Routes, servers: list[int]) -> list[NDArray[np.float64]]:
    """Return customer, arrival, start and end of the visits at each station, from ciw on the same routes."""
    ciw = require("ciw")
    n = len(servers)
    entries = routes.stations[routes.first_visit[:-1]]
    visits: dict[int, list[int]] = {}

    class Given(ciw.dists.Distribution):  # type: ignore[misc, name-defined]
        def sample(self, t: float | None = None, ind: Any = None) -> float:
            return float(routes.services[visits[ind.id_number - 1].pop(0)])

    def route(ind: Any, _: Any) -> list[int]:
        customer = ind.id_number - 1
        own = range(routes.first_visit[customer], routes.first_visit[customer + 1])
        visits[customer] = list(own)
        return [int(routes.stations[k]) + 1 for k in own[1:]]

    def sequence(station: int) -> Any:
        times = routes.arrivals[entries == station]
        return ciw.dists.Sequential([*np.diff(times, prepend=0.0).tolist(), math.inf])

    network = ciw.create_network(
        arrival_distributions=[sequence(k) if (entries == k).any() else None for k in range(n)],
        service_distributions=[Given()] * n,
        number_of_servers=servers,
        routing=ciw.routing.ProcessBased(route),
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(routes.arrivals[-1] + routes.services.sum() + 1.0)
    records: list[list[tuple[float, ...]]] = [[] for _ in range(n)]
    for one in simulation.get_all_records():
        times = one.arrival_date, one.service_start_date, one.service_end_date
        records[one.node - 1].append((one.id_number - 1, *times))
    return [np.array(sorted(rows)) for rows in records]


def test_ciw_follows_the_same_routes_alike() -> None:
    run = THREE.simulate(800, rng=6)
    for station, theirs in zip(run.stations, ciw_visits(THREE.draw_routes(800, 6), THREE.servers), strict=True):
        order = np.lexsort((station.arrivals, station.customers))
        ours = np.column_stack([station.customers, station.arrivals, station.starts, station.ends])[order]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8)


def test_the_seed_decides() -> None:
    one, same, other = (THREE.simulate(100, rng=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.ends, same.ends)
    assert not np.array_equal(one.ends, other.ends)


def test_a_station_where_nobody_comes() -> None:
    network = QueueNetwork([Exponential(1.0), None], [Exponential(2.0)] * 2, [[0, 0], [0, 0]])
    run = network.simulate(100, rng=1)
    assert run.success
    assert run.stations[1].arrivals.size == 0
    assert math.isnan(run.stations[1].W.mean)


LAW = Exponential(1.0)
BAD: list[tuple[dict[str, Any], str]] = [
    ({"arrivals": [LAW]}, "there are 1 arrivals and 2 services; give one of each"),
    ({"arrivals": [None, None]}, "all arrivals are None"),
    ({"arrivals": [LAW, 3.0]}, r"arrivals\[1\] is 3.0; it must be a distribution"),
    ({"services": [LAW, None]}, r"services\[1\] is None; it must be a distribution"),
    ({"services": [], "arrivals": []}, "there are 0 arrivals and 0 services"),
    ({"routing": [[0, 1]]}, r"routing has shape \(1, 2\), but 2 stations need"),
    ({"routing": [[0, 1], [-0.5, 0]]}, r"routing\[1, 0\] is -0.5; it must be"),
    ({"routing": [[0, 1], [0.7, 0.5]]}, "row 1 of routing has the sum 1.2"),
    ({"routing": [[0, 0.5], [0, 1]]}, "nobody leaves who comes to these stations: 1"),
    ({"servers": [1, 1, 1]}, "servers has 3 entries, but there are 2 stations"),
    ({"servers": [1, 0]}, "servers is 0"),
    ({"servers": np.int64(0)}, "servers is 0"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"arrivals": [LAW, None], "services": [LAW, LAW], "routing": [[0, 1], [0, 0]]}
    with pytest.raises(InputError, match=message):
        QueueNetwork(**{**arguments, **change})


def test_bad_runs() -> None:
    with pytest.raises(InputError, match="customers is 0"):
        THREE.simulate(0)
    with pytest.raises(InputError, match="warmup is 5, but there are only 5 customers"):
        THREE.simulate(5, warmup=5)
    with pytest.raises(InputError, match=r"confidence is 2\.0"):
        THREE.simulate(5, confidence=2.0)
    measured = QueueNetwork([Empirical([1.0, 2.0])], [LAW], [[0.0]])
    assert measured.simulate(50, rng=1).success
