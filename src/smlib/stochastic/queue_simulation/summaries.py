"""From the records of a queue to estimates: the same for one queue, for each station of a network, and for the whole.

Means over customers (response times, waits) come from batches of customers. Means over time (how many are there, how
many servers are busy) come from windows of equal length between the first customer who is kept and the last one who
comes: after that the system only runs empty.

Cost: O(n).

Law, *Simulation Modeling and Analysis*, section 9.5.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from smlib._core.validate import Vector
from smlib.stochastic.queue_simulation.accounting import BUSY, DEPARTED, NUMBER, WAITING, Books, keep_books
from smlib.stochastic.queue_simulation.estimates import (
    BATCHES,
    ENOUGH,
    Estimate,
    batch_means,
    combine_batches,
    mser5,
)


class Summary(NamedTuple):
    """What the records of a queue say, and whether its books balance."""

    W: Estimate
    Wq: Estimate
    L: Estimate
    Lq: Estimate
    utilization: Estimate
    throughput: Estimate
    books: Books


def summarize(
    arrivals: Vector,
    services: Vector,
    starts: Vector,
    ends: Vector,
    departures: Vector,
    servers: int,
    span: tuple[float, float],
    confidence: float,
    *,
    shared: bool = False,
) -> Summary:
    """Check the books of those who were served, and estimate from all who came within a span of time.

    Parameters
    ----------
    arrivals, services, starts, ends : ndarray, shape (n,)
        In the order of the arrivals.
    departures : ndarray, shape (n,)
        The ends in order of time.
    servers : int
    span : (float, float)
        From the arrival of the first customer that is kept to the last arrival.
    confidence : float
    shared : bool
        Nobody waits: all who are there are served at once.
    """
    begin, last = span
    over = max(last, float(departures[-1])) if departures.size else last
    edges = np.array([0.0, *np.linspace(begin, last, BATCHES + 1), over])
    books = keep_books(arrivals, services, starts, ends, departures, servers, edges, shared=shared)
    first = int(np.searchsorted(arrivals, begin))
    W = mean_of((ends - arrivals)[first:], confidence)
    Wq = mean_of((starts - arrivals)[first:], confidence)
    length = (last - begin) / BATCHES if W.effective_size > 0.0 else 0.0
    number, waiting, busy, departed = (
        _over_time(books.areas[1:-1, column], length, confidence) for column in (NUMBER, WAITING, BUSY, DEPARTED)
    )
    utilization = Estimate(busy.mean / servers, busy.low / servers, busy.high / servers, busy.effective_size)
    return Summary(W, Wq, number, waiting, utilization, departed, books)


def mean_of(values: Vector, confidence: float) -> Estimate:
    """Return the mean of values that follow upon each other; of none there is no mean."""
    if not values.size:
        return Estimate(math.nan, -math.inf, math.inf, 0.0)
    return batch_means(values, confidence=confidence)


def _over_time(areas: Vector, length: float, confidence: float) -> Estimate:
    """Return the mean over windows of equal length in which something has these areas."""
    if length <= 0.0:
        return Estimate(math.nan, -math.inf, math.inf, 0.0)
    return combine_batches(areas / length, confidence)


def judge(balanced: bool, W: Estimate, responses: Vector) -> tuple[bool, str]:
    """Return whether the intervals can be trusted, and in words how the run ended."""
    customers = responses.size
    books = "the books balance" if balanced else "the books do not balance: this is an error of the simulation"
    if math.isinf(W.low):
        return False, f"{books}; too few customers for an interval"
    if mser5(responses) > customers // 2:
        return False, (
            f"{books}; the queue has not settled within {customers:,} customers: is it overloaded? Else simulate more"
        )
    if W.effective_size < ENOUGH:
        wanted = math.ceil(customers * ENOUGH / W.effective_size)
        return False, (
            f"{books}; the {customers:,} customers count as {W.effective_size:.0f} independent ones, too few to trust "
            f"the intervals: simulate some {wanted:,}"
        )
    return (
        balanced,
        f"{books}; the {customers:,} customers count as {min(W.effective_size, customers):,.0f} independent",
    )
