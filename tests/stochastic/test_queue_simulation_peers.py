"""Queue simulation beside ciw, SimPy and Lindley's recursion: customer by customer, on the same arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from smlib.stochastic import lindley, simulate_queue
from tests.conftest import require
from tests.stochastic.queues import Vector, draw_queue


def test_one_server_is_lindley() -> None:
    arrivals, services = draw_queue(20_000, 1, 0.9)
    run = simulate_queue(arrivals, services)
    np.testing.assert_allclose(run.waits, lindley(np.diff(arrivals, prepend=0.0), services), rtol=0, atol=1e-9)


def ciw_records(arrivals: Vector, services: Vector, priorities: NDArray[np.int64] | None = None, **node: Any) -> Vector:
    """Return arrival, start and end of each customer from ciw; NaN where there is no record of service."""
    ciw = require("ciw")

    class Given(ciw.dists.Distribution):  # type: ignore[misc, name-defined]
        def sample(self, t: float | None = None, ind: Any = None) -> float:
            return float(services[ind.id_number - 1])

    def sequence(times: Vector) -> Any:
        return ciw.dists.Sequential([*np.diff(times, prepend=0.0).tolist(), math.inf])

    kind = node.pop("node_class", None)
    if priorities is None:
        network = ciw.create_network(
            arrival_distributions=[sequence(arrivals)], service_distributions=[Given()], **node
        )
    else:
        ranks = np.unique(priorities)
        network = ciw.create_network(
            arrival_distributions={f"class {r}": [sequence(arrivals[priorities == r])] for r in ranks},
            service_distributions={f"class {r}": [Given()] for r in ranks},
            priority_classes={f"class {r}": k for k, r in enumerate(ranks)},
            **node,
        )
    simulation = ciw.Simulation(network, node_class=kind) if kind else ciw.Simulation(network)
    simulation.simulate_until_max_time(arrivals[-1] + services.sum() + 1.0)
    records = np.full((len(arrivals), 3), np.nan)
    for record in simulation.get_all_records(only=["service"]):
        records[record.id_number - 1] = record.arrival_date, record.service_start_date, record.service_end_date
    return records.T


@pytest.mark.parametrize(("servers", "capacity"), [(1, None), (3, None), (3, 5), (1, 1), (2, 2)])
def test_ciw_serves_first_in_first_out_alike(servers: int, capacity: int | None) -> None:
    arrivals, services = draw_queue(1500, servers, 0.95)
    limit = math.inf if capacity is None else capacity - servers
    _, starts, ends = ciw_records(arrivals, services, number_of_servers=[servers], queue_capacities=[limit])
    run = simulate_queue(arrivals, services, servers, capacity)
    np.testing.assert_allclose(run.starts, starts, rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.ends, ends, rtol=0, atol=1e-9)


def test_ciw_serves_last_in_first_out_alike() -> None:
    ciw = require("ciw")
    arrivals, services = draw_queue(1500, 2, 0.9)
    _, starts, _ = ciw_records(arrivals, services, number_of_servers=[2], service_disciplines=[ciw.disciplines.LIFO])
    np.testing.assert_allclose(simulate_queue(arrivals, services, 2, discipline="lifo").starts, starts, atol=1e-9)


def test_ciw_serves_by_priority_alike() -> None:
    """There customers have numbers in the order of their arrival, whatever their class."""
    arrivals, services = draw_queue(1500, 2, 0.9)
    priorities = np.random.default_rng(3).integers(3, size=1500)
    _, starts, _ = ciw_records(arrivals, services, priorities, number_of_servers=[2])
    run = simulate_queue(arrivals, services, 2, discipline="priority", priorities=priorities)
    np.testing.assert_allclose(run.starts, starts, rtol=0, atol=1e-9)


@pytest.mark.parametrize("servers", [1, 3])
def test_ciw_shares_alike(servers: int) -> None:
    ciw = require("ciw")
    arrivals, services = draw_queue(400, servers, 0.9)
    _, _, ends = ciw_records(
        arrivals, services, number_of_servers=[math.inf], ps_thresholds=[servers], node_class=ciw.PSNode
    )
    run = simulate_queue(arrivals, services, servers, discipline="processor-sharing")
    np.testing.assert_allclose(run.ends, ends, rtol=0, atol=1e-8)


def simpy_records(
    arrivals: Vector, services: Vector, servers: int, priorities: NDArray[np.int64] | None = None
) -> tuple[Vector, Vector]:
    simpy = require("simpy")
    environment = simpy.Environment()
    resource = simpy.Resource(environment, servers)
    if priorities is not None:
        resource = simpy.PriorityResource(environment, servers)
    starts, ends = np.full(arrivals.size, np.nan), np.full(arrivals.size, np.nan)

    def customer(i: int) -> Any:
        yield environment.timeout(arrivals[i])
        rank = {} if priorities is None else {"priority": priorities[i]}
        with resource.request(**rank) as request:
            yield request
            starts[i] = environment.now
            yield environment.timeout(services[i])
        ends[i] = environment.now

    for i in range(arrivals.size):
        environment.process(customer(i))
    environment.run()
    return starts, ends


@pytest.mark.parametrize("servers", [1, 5])
def test_simpy_serves_alike(servers: int) -> None:
    """To the last bit: both add the same numbers in the same order."""
    arrivals, services = draw_queue(3000, servers, 0.95)
    run = simulate_queue(arrivals, services, servers)
    for ours, theirs in zip((run.starts, run.ends), simpy_records(arrivals, services, servers), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_simpy_serves_by_priority_alike() -> None:
    arrivals, services = draw_queue(3000, 4, 0.95)
    priorities = np.random.default_rng(5).integers(4, size=3000)
    run = simulate_queue(arrivals, services, 4, discipline="priority", priorities=priorities)
    starts, ends = simpy_records(arrivals, services, 4, priorities)
    np.testing.assert_array_equal(run.starts, starts)
    np.testing.assert_array_equal(run.ends, ends)
