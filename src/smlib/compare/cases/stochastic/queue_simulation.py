"""Cases of queue simulation."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np

from smlib.compare.case import Agreement, Case, Peer
from smlib.compare.cases.stochastic.call_center import DAY_OF_CALLS
from smlib.compare.cases.stochastic.queue_peers import (
    Customers,
    Records,
    same_records,
    simulate_by_ciw,
    simulate_by_simpy,
)
from smlib.stochastic import Exponential, NetworkSimulation, QueueNetwork, QueueSimulation, simulate_queue

SEED = 1
LOAD = 0.8


def _draw(customers: int, servers: int, classes: int = 0) -> Customers:
    rng = np.random.default_rng(SEED)
    arrivals = rng.exponential(1.0 / (LOAD * servers), customers).cumsum()
    services = rng.exponential(1.0, customers)
    return Customers(arrivals, services, servers, rng.integers(classes, size=customers) if classes else None)


def _simulate(queue: Customers) -> QueueSimulation:
    return simulate_queue(queue.arrivals, queue.services, queue.servers)


def _simulate_classes(queue: Customers) -> QueueSimulation:
    return simulate_queue(
        queue.arrivals, queue.services, queue.servers, discipline="priority", priorities=queue.priorities
    )


def _simulate_sharing(queue: Customers) -> QueueSimulation:
    return simulate_queue(queue.arrivals, queue.services, queue.servers, discipline="processor-sharing")


def _share_by_ciw(queue: Customers) -> Records:
    return simulate_by_ciw(
        queue,
        number_of_servers=[math.inf],
        ps_thresholds=[queue.servers],
        node_class=import_module("ciw").PSNode,
    )


# Networks: both sides draw.

ARRIVAL_RATES = (1.0, 0.5)
SERVICE_RATES = (3.0, 1.0, 0.7)
ROUTING = ((0.0, 0.6, 0.2), (0.0, 0.1, 0.5), (0.3, 0.0, 0.0))
CREWS = (1, 3, 4)


def _network(customers: int) -> tuple[QueueNetwork, int]:
    arrivals = [*map(Exponential, ARRIVAL_RATES), None]
    return QueueNetwork(arrivals, [*map(Exponential, SERVICE_RATES)], ROUTING, CREWS), customers


def _simulate_network(problem: tuple[QueueNetwork, int]) -> NetworkSimulation:
    network, customers = problem
    return network.simulate(customers, rng=SEED)


def _network_by_ciw(problem: tuple[QueueNetwork, int]) -> Any:
    ciw = import_module("ciw")
    ciw.seed(SEED)
    network = ciw.create_network(
        arrival_distributions=[*map(ciw.dists.Exponential, ARRIVAL_RATES), None],
        service_distributions=[*map(ciw.dists.Exponential, SERVICE_RATES)],
        routing=[list(row) for row in ROUTING],
        number_of_servers=list(CREWS),
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(problem[1], method="Finish")
    return simulation.get_all_records()


def _alike_in_the_mean(problem: tuple[QueueNetwork, int], ours: NetworkSimulation, theirs: Any) -> Agreement:
    """The mean service at each station, and how many visits a customer makes: both to a few deviations."""
    customers = problem[1]
    worst = 0.0
    for k, (station, rate) in enumerate(zip(ours.stations, SERVICE_RATES, strict=True)):
        services = np.array([record.service_time for record in theirs if record.node == k + 1])
        visits = station.services.size / ours.arrivals.size, services.size / customers
        worst = max(worst, abs(services.mean() * rate - 1.0) * math.sqrt(services.size) / 4.0)
        worst = max(worst, abs(station.services.mean() * rate - 1.0) * math.sqrt(station.services.size) / 4.0)
        worst = max(worst, abs(visits[0] - visits[1]) * math.sqrt(customers) / 6.0)
    return Agreement(ours.success and worst <= 1.0, f"{len(theirs):,} visits; means as like as chance lets them be")


CASES = (
    Case(
        "queue_simulation",
        "records of M/M/5",
        "customers",
        (10_000, 100_000, 1_000_000),
        lambda size: _draw(size, 5),
        _simulate,
        (
            Peer("ciw", "ciw", simulate_by_ciw, max_size=100_000),
            Peer("SimPy", "simpy", simulate_by_simpy, max_size=100_000),
        ),
        same_records,
        note="At a load of 0.8, on the same arrays: when each customer arrived, began and left. Half of our time goes "
        "into a heap whose comparisons no processor can guess, the rest into books and intervals. The peers can "
        "simulate anything, event by event, in Python.",
    ),
    Case(
        "queue_simulation",
        "records with more servers",
        "servers",
        (5, 50, 500),
        lambda size: _draw(20_000, size),
        _simulate,
        (Peer("ciw", "ciw", simulate_by_ciw, max_size=50), Peer("SimPy", "simpy", simulate_by_simpy)),
        same_records,
        note="20,000 customers at a load of 0.8. ciw looks at all servers for one that is free.",
    ),
    Case(
        "queue_simulation",
        "three classes at five servers",
        "customers",
        (10_000, 100_000, 1_000_000),
        lambda size: _draw(size, 5, classes=3),
        _simulate_classes,
        (Peer("SimPy PriorityResource", "simpy", simulate_by_simpy, max_size=100_000),),
        same_records,
        note="At a load of 0.8, not preemptive.",
    ),
    Case(
        "queue_simulation",
        "a shared processor",
        "customers",
        (1_000, 10_000, 100_000),
        lambda size: _draw(size, 1),
        _simulate_sharing,
        (Peer("ciw PSNode", "ciw", _share_by_ciw, max_size=10_000),),
        same_records,
        note="At a load of 0.8. ciw sets the ends of all who are there anew at each event.",
    ),
    Case(
        "queue_simulation",
        "a network of three stations",
        "customers",
        (2_500, 25_000, 250_000),
        _network,
        _simulate_network,
        (Peer("ciw", "ciw", _network_by_ciw, max_size=25_000),),
        _alike_in_the_mean,
        note="Routes and services are drawn within the time, on either side.",
    ),
    DAY_OF_CALLS,
)
