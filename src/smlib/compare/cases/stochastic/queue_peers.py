"""The same customers at the same servers, by ciw and by SimPy: the records that queue simulation is compared with."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib.compare.case import Agreement
from smlib.stochastic import QueueSimulation

Vector = NDArray[np.float64]

# What sums of the same numbers in another order may differ by.
ROUNDING = 1e-9


class Customers(NamedTuple):
    """Everything that chance decides about a queue."""

    arrivals: Vector
    services: Vector
    servers: int
    priorities: NDArray[np.int64] | None = None


class Records(NamedTuple):
    """When each customer arrived, began and left."""

    arrivals: Vector
    starts: Vector
    ends: Vector


def simulate_by_simpy(queue: Customers) -> Records:
    """Each customer is a process, which writes down three times."""
    simpy = import_module("simpy")
    arrivals, services = queue.arrivals.tolist(), queue.services.tolist()
    n = len(arrivals)
    came, starts, ends = [0.0] * n, [0.0] * n, [0.0] * n
    environment = simpy.Environment()
    timeout, process = environment.timeout, environment.process
    if queue.priorities is None:
        resource = simpy.Resource(environment, queue.servers)
        requests = (resource.request() for _ in range(n))
    else:
        resource = simpy.PriorityResource(environment, queue.servers)
        requests = (resource.request(priority) for priority in queue.priorities.tolist())
    release = resource.release

    def serve(customer: int) -> Any:
        came[customer] = environment.now
        request = next(requests)
        yield request
        starts[customer] = environment.now
        yield timeout(services[customer])
        release(request)
        ends[customer] = environment.now

    def let_in() -> Any:
        before = 0.0
        for customer, arrival in enumerate(arrivals):
            yield timeout(arrival - before)
            before = arrival
            process(serve(customer))

    process(let_in())
    environment.run()
    return Records(np.array(came), np.array(starts), np.array(ends))


def simulate_by_ciw(queue: Customers, **node: Any) -> Records:
    """Let ciw have the arrivals one after another, and the service of each customer by number."""
    ciw = import_module("ciw")
    services = queue.services.tolist()

    class Given(ciw.dists.Distribution):  # type: ignore[misc, name-defined]  # ciw is untyped
        def sample(self, t: float | None = None, ind: Any = None) -> float:
            return float(services[ind.id_number - 1])

    node_class = node.pop("node_class", None)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([*np.diff(queue.arrivals, prepend=0.0).tolist(), math.inf])],
        service_distributions=[Given()],
        **(node or {"number_of_servers": [queue.servers]}),
    )
    simulation = ciw.Simulation(network, node_class=node_class)
    simulation.simulate_until_max_customers(len(services), method="Finish")
    columns = zip(
        *sorted(
            (record.id_number, record.arrival_date, record.service_start_date, record.service_end_date)
            for record in simulation.get_all_records()
        ),
        strict=True,
    )
    _, arrivals, starts, ends = map(np.array, columns)
    return Records(arrivals, starts, ends)


def same_records(_: Customers, ours: QueueSimulation, theirs: Records) -> Agreement:
    """Compare all times, over the length of the run."""
    gaps = [
        float(np.abs(mine - other).max()) / ours.ends.max()
        for mine, other in zip((ours.arrivals, ours.starts, ours.ends), theirs, strict=True)
    ]
    return Agreement(
        ours.success and max(gaps) <= ROUNDING, f"{ours.ends.size:,} customers, times differ by {max(gaps):.0e}"
    )
