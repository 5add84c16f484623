"""Where customers of a network go: all that chance decides, drawn before the clock starts.

A route is a walk that ends when the customer leaves. All walks are made a step at a time, together: those who are still
on their way draw where they go next, and the others are done. Then the visits of each customer are put one behind
another.

Invariants:
  1. Every customer has at least one visit, and the first is where the customer comes from outside.
  2. The arrivals from outside are in order.

Cost: O(stations) a visit, and O(n log(n)) to put n customers in order.

Jackson, "Networks of waiting lines", *Operations Research* 5 (1957).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.random_streams import RandomLike
from smlib._core.validate import Vector
from smlib.errors import InputError
from smlib.stochastic.drawing import Distribution, draw
from smlib.stochastic.queue_simulation.estimates import spawn_generators
from smlib.stochastic.queue_simulation.heaps import Numbers

Matrix = NDArray[np.float64]

# A route of so many visits is taken for one that never ends.
LONGEST_ROUTE = 1_000_000


class Routes(NamedTuple):
    """All that chance decides: when customers come, where they go, and how long each visit is served.

    Attributes
    ----------
    arrivals : ndarray, shape (customers,)
        In order.
    first_visit : ndarray of int64, shape (customers + 1,)
        Where each customer's visits begin; the last entry is the number of visits.
    stations : ndarray of int64, shape (visits,)
    services : ndarray, shape (visits,)
    """

    arrivals: Vector
    first_visit: Numbers
    stations: Numbers
    services: Vector


def draw_routes(
    arrivals: Sequence[Distribution | None],
    services: Sequence[Distribution],
    routing: Matrix,
    customers: int,
    rng: RandomLike,
) -> Routes:
    """Draw all that chance decides for the first so many customers from outside."""
    n = len(services)
    generators = spawn_generators(rng, 2 * n + 1)
    times, entries = _draw_arrivals(arrivals, customers, generators[:n])
    first_visit, stations = _walk(routing, entries, generators[n])
    works = np.empty(stations.size)
    for k, law in enumerate(services):
        here = stations == k
        works[here] = draw(law, int(np.count_nonzero(here)), generators[n + 1 + k], f"services[{k}]")
    return Routes(times, first_visit, stations, works)


def _draw_arrivals(
    arrivals: Sequence[Distribution | None], customers: int, generators: list[np.random.Generator]
) -> tuple[Vector, Numbers]:
    """Return the first arrivals from outside, in order, and at which station each is."""
    times, entries = [], []
    for k, law in enumerate(arrivals):
        if law is not None:
            times.append(np.cumsum(draw(law, customers, generators[k], f"arrivals[{k}]")))
            entries.append(np.full(customers, k))
    together = np.concatenate(times)
    first = np.argsort(together, kind="stable")[:customers]
    return together[first], np.concatenate(entries)[first]


def _walk(routing: Matrix, entries: Numbers, generator: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Return where each customer's visits begin, and the stations of all visits."""
    steps = routing.cumsum(axis=1)
    customers, stations = [np.arange(entries.size)], [entries]
    for _ in range(LONGEST_ROUTE):
        chance = generator.random(stations[-1].size)
        onward = (chance[:, np.newaxis] >= steps[stations[-1]]).sum(axis=1)
        stays = onward < routing.shape[0]
        if not stays.any():
            break
        customers.append(customers[-1][stays])
        stations.append(onward[stays])
    else:
        raise InputError(f"a route has more than {LONGEST_ROUTE:,} visits; let customers leave more often")
    owners = np.concatenate(customers)
    first_visit = np.concatenate([[0], np.cumsum(np.bincount(owners))])
    return first_visit, np.concatenate(stations)[np.argsort(owners, kind="stable")]
