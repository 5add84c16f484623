"""What is passed to a simulation, as arrays that have been proved: times in order, services, places, turns.

Cost: O(n), and O(n log(n)) to put priorities in order.

Law, *Simulation Modeling and Analysis*, chapter 1.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.random_streams import RandomLike
from smlib._core.validate import Vector, as_count, as_floats, require_finite
from smlib.errors import InputError
from smlib.stochastic.drawing import Distribution, draw
from smlib.stochastic.poisson_processes.arguments import as_arrivals
from smlib.stochastic.queue_simulation.estimates import spawn_generators
from smlib.stochastic.queue_simulation.heaps import Numbers
from smlib.stochastic.queue_simulation.serving import DISCIPLINES

# Up to here every integer is a floating-point number.
LARGEST_EXACT = 2.0**53


def as_customers(
    arrivals: ArrayLike | Distribution, services: ArrayLike | Distribution, customers: int | None, rng: RandomLike
) -> tuple[Vector, Vector]:
    """Return when customers arrive, and how long each is served: as given and proved, or drawn."""
    drawn, served = _is_distribution(arrivals), _is_distribution(services)
    arrival_rng, service_rng = spawn_generators(rng, 2) if drawn or served else (None, None)
    if drawn:
        if customers is None:
            raise InputError("arrivals is a distribution; say with customers=... how many are to be drawn")
        count = as_count(customers, "customers")
        times = np.cumsum(draw(cast(Distribution, arrivals), count, arrival_rng, "arrivals"))
    else:
        times = as_arrivals(cast(ArrayLike, arrivals), "arrivals")
        if customers is not None and customers != times.size:
            raise InputError(f"customers is {customers}, but arrivals has {times.size} entries; leave customers out")
    if not times.size:
        raise InputError("there are no customers; simulate at least one")
    if served:
        return times, draw(cast(Distribution, services), times.size, service_rng, "services")
    works = as_floats(cast(ArrayLike, services), "services")
    if works.shape != times.shape:
        raise InputError(f"services has shape {works.shape}, but there are {times.size} arrivals; give one for each")
    require_finite(works, "services")
    if works.min() < 0.0:
        place = int(works.argmin())
        raise InputError(f"services[{place}] is {works[place]}; a service cannot be negative")
    return times, works


def _is_distribution(value: object) -> bool:
    """Whether something is drawn from; an array is recognised at once."""
    return not isinstance(value, np.ndarray) and isinstance(value, Distribution)


def as_servers(servers: int) -> int:
    """Return a number of servers, at least 1."""
    count = as_count(servers, "servers")
    if count < 1:
        raise InputError("servers is 0; at least 1 is needed")
    return count


def as_capacity(capacity: int | None, servers: int, customers: int) -> int:
    """Return how many find room; no limit is as good as room for all."""
    if capacity is None:
        return servers + customers
    places = as_count(capacity, "capacity")
    if places < servers:
        raise InputError(f"capacity is {places}, those in service included, but there are {servers} servers")
    return places


def as_turns(priorities: ArrayLike | None, discipline: str, customers: int) -> Numbers:
    """Return which turn each customer would have if all were waiting; nothing where that is not asked for."""
    if discipline not in (*DISCIPLINES, "processor-sharing"):
        raise InputError(
            f"discipline is {discipline!r}; it must be one of {', '.join(map(repr, DISCIPLINES))}, 'processor-sharing'"
        )
    if discipline != "priority":
        if priorities is not None:
            raise InputError(f"priorities are given, but discipline is {discipline!r}; say discipline='priority'")
        return np.empty(0, np.int64)
    if priorities is None:
        raise InputError("discipline is 'priority'; say with priorities=... which customer goes first")
    ranks = as_floats(priorities, "priorities")
    if ranks.shape != (customers,):
        raise InputError(f"priorities has shape {ranks.shape}, but there are {customers} customers; give one for each")
    require_finite(ranks, "priorities")
    # Where they are numbers of classes, nothing need be sorted.
    classes = ranks - ranks.min()
    if (classes == np.floor(classes)).all() and classes.max() * customers < LARGEST_EXACT:
        return np.asarray((classes * customers).astype(np.int64) + np.arange(customers))
    turns = np.empty(customers, np.int64)
    turns[np.argsort(ranks, kind="stable")] = np.arange(customers)
    return turns


def as_warmup(warmup: int | None, customers: int) -> int:
    """Return how many customers are dropped from the beginning: a tenth if nothing else is said."""
    dropped = customers // 10 if warmup is None else as_count(warmup, "warmup")
    if dropped >= customers:
        raise InputError(f"warmup is {dropped}, but there are only {customers} customers; some must be left")
    return dropped
