"""One queue from arrays or distributions to records, and from records to estimates.

`simulate_queue` draws what is to be drawn, lets `serve` or `share` make the records, has the books checked, drops the
beginning, and estimates the rest. Given arrays it draws nothing: the same arrays give the same records, so that two
ways of running a queue can be compared on the same customers, whose luck is then the same.

Cost: O(n log(servers)) time, and with priorities or sharing O(n log(n)) at worst; O(n) space.

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 2, 6 and 30; Law, *Simulation Modeling
and Analysis*, chapters 1 and 9.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.random_streams import RandomLike
from smlib._core.results import Result
from smlib._core.validate import Vector, as_confidence, as_number
from smlib.errors import InputError
from smlib.stochastic.drawing import Distribution
from smlib.stochastic.queue_simulation.arguments import as_capacity, as_customers, as_servers, as_turns, as_warmup
from smlib.stochastic.queue_simulation.estimates import Estimate, batch_means
from smlib.stochastic.queue_simulation.heaps import Numbers
from smlib.stochastic.queue_simulation.serving import DISCIPLINES, idle_servers, serve
from smlib.stochastic.queue_simulation.sharing import share
from smlib.stochastic.queue_simulation.summaries import judge, summarize

Discipline: TypeAlias = Literal["fifo", "lifo", "priority", "processor-sharing"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class QueueSimulation(Result):
    """The records of a run, and what they say of the queue.

    Attributes
    ----------
    arrivals, services, starts, ends : ndarray, shape (n,)
        Of each customer, in the order in which they arrived; the last two are NaN for those who found no room. When the
        processor is shared, everybody starts at once. Arrays that were given are here as they are, not copied.
    server : ndarray of int64, shape (n,)
        Which one served; -1 for those who found no room, and when the processor is shared.
    warmup : int
        So many customers have been dropped from the beginning before anything was estimated.
    W, Wq : Estimate
        The mean response time (waiting and service), and the mean wait, of those who were served.
    L, Lq : Estimate
        The mean number in the system, and of those waiting, over time.
    utilization : Estimate
        The mean share of servers that are busy.
    throughput : Estimate
        Customers served per unit of time.
    loss_probability : Estimate
        The share of those who found no room.
    settled : bool
        Whether the intervals can be trusted: the run is long enough, and its beginning is over.
    success : bool
        Whether the books balance: the gaps below are what rounding leaves.
    message : str
        Both in words.
    little_gap, waiting_gap, busy_gap : float
        How far Little's law, the law that no server is idle while somebody waits, and the law that all work is done are
        from holding exactly on this run; relative.
    """

    arrivals: Vector
    services: Vector
    starts: Vector
    ends: Vector
    server: Numbers
    warmup: int
    W: Estimate
    Wq: Estimate
    L: Estimate
    Lq: Estimate
    utilization: Estimate
    throughput: Estimate
    loss_probability: Estimate
    settled: bool
    success: bool
    message: str
    little_gap: float
    waiting_gap: float
    busy_gap: float

    @property
    def waits(self) -> Vector:
        """How long each customer waited; NaN for those who found no room."""
        return self.starts - self.arrivals

    @property
    def responses(self) -> Vector:
        """How long each customer was in the system; NaN for those who found no room."""
        return self.ends - self.arrivals

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Who found no room."""
        return np.isnan(self.ends)

    def wait_quantile(self, q: float, *, confidence: float = 0.95) -> Estimate:
        """Return the wait that a share of the customers does not exceed.

        Parameters
        ----------
        q : float
            The share, between 0 and 1.
        confidence : float
            Of the interval.

        Returns
        -------
        Estimate
            Its ends are infinite where the run is too short to tell.
        """
        return quantile_of(self._settled_values(self.waits), q, confidence)

    def response_quantile(self, q: float, *, confidence: float = 0.95) -> Estimate:
        """Return the response time that a share of the customers does not exceed; see `wait_quantile`."""
        return quantile_of(self._settled_values(self.responses), q, confidence)

    def _settled_values(self, values: Vector) -> Vector:
        kept = values[self.warmup :]
        return kept[~np.isnan(kept)]


def quantile_of(values: Vector, q: float, confidence: float) -> Estimate:
    """Return a quantile with an interval: that of the share below it, read off at the quantiles of its two ends."""
    part = as_number(q, "q")
    if not 0.0 < part < 1.0:
        raise InputError(f"q is {part}; it must lie between 0 and 1, such as 0.99")
    if not values.size:
        return Estimate(math.nan, -math.inf, math.inf, 0.0)
    value = float(np.quantile(values, part))
    below = batch_means((values <= value).astype(np.float64), confidence=confidence)
    reach = below.half_width if math.isfinite(below.half_width) else 1.0
    ends = [part - reach, part + reach]
    low = float(np.quantile(values, ends[0])) if ends[0] > 0.0 else -math.inf
    high = float(np.quantile(values, ends[1])) if ends[1] < 1.0 else math.inf
    return Estimate(value, low, high, below.effective_size)


def simulate_queue(
    arrivals: ArrayLike | Distribution,
    services: ArrayLike | Distribution,
    servers: int = 1,
    capacity: int | None = None,
    discipline: Discipline = "fifo",
    *,
    customers: int | None = None,
    priorities: ArrayLike | None = None,
    warmup: int | None = None,
    confidence: float = 0.95,
    rng: RandomLike = None,
) -> QueueSimulation:
    """Simulate a queue: the record of every customer, and the means with their intervals.

    Parameters
    ----------
    arrivals : array_like of shape (n,), or Distribution
        When customers arrive: from 0 on, in order, in any unit of time. Or the distribution of the times between
        arrivals, of which the first is counted from 0.
    services : array_like of shape (n,), or Distribution
        How long each is served, in the same unit.
    servers : int
        At least 1, all of the same speed.
    capacity : int, optional
        How many customers find room, those in service included: at least ``servers``. Who finds the system full is
        lost. No limit if not given.
    discipline : {"fifo", "lifo", "priority", "processor-sharing"}
        Who is next: who came first, who came last, or who has the smallest priority (and among those, who came first).
        Service that has begun is not interrupted. When the processor is shared, all n customers are served at once,
        each at the speed ``min(1, servers / n)``.
    customers : int, optional
        How many are drawn, if ``arrivals`` is a distribution.
    priorities : array_like of shape (n,), optional
        Of each customer, for ``discipline="priority"``: any finite numbers.
    warmup : int, optional
        Drop so many customers from the beginning before anything is estimated; a tenth of all if not given.
    confidence : float
        Of the intervals, between 0 and 1.
    rng : Generator, int or None
        For distributions. Arrivals and services come from streams of their own: the same seed with other services gives
        the same arrivals.

    Returns
    -------
    QueueSimulation
        ``success`` is True if Little's law and the other books balance; ``settled`` if the intervals can be trusted.

    Raises
    ------
    InputError
        Arrivals are not in order or negative, a service is negative, lengths differ, a number is out of its range.

    Notes
    -----
    Complexity: O(n log(servers)) time and O(n) space; with priorities O(n log(waiting)), sharing O(n log(present)).

    What happens at the same time happens in this order: departures, then arrivals by their numbers. Intervals are from
    batch means (`batch_means`); they hold as often as they say where ``settled`` is True.

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 2, 6 and 30; Law, *Simulation
    Modeling and Analysis*, section 9.5.3.

    Examples
    --------
    Two servers:

    >>> run = simulate_queue([0, 1, 2, 3.5, 6], [3, 4, 5, 2.5, 1], servers=2)
    >>> run.starts
    array([0. , 1. , 3. , 5. , 7.5])
    >>> run.waits
    array([0. , 0. , 1. , 1.5, 1.5])
    >>> run.server
    array([0, 1, 0, 1, 1])
    >>> run.success
    True

    A queue of which a formula knows that the mean wait is 4:

    >>> from smlib.stochastic import Exponential
    >>> run = simulate_queue(Exponential(0.8), Exponential(1.0), customers=200_000, rng=1)
    >>> 4.0 in run.Wq, run.settled
    (True, True)
    """
    times, works = as_customers(arrivals, services, customers, rng)
    count = as_servers(servers)
    places = as_capacity(capacity, count, times.size)
    level = as_confidence(confidence)
    turns = as_turns(priorities, discipline, times.size)
    dropped = as_warmup(warmup, times.size)

    n = times.size
    ends, server = np.empty(n), np.full(n, -1)
    departures = np.empty(n + count)
    if discipline == "processor-sharing":
        starts = times.copy()
        served = share(times, works, count, places, ends, departures)
        starts[np.isnan(ends)] = np.nan
        departures = departures[:served]
    else:
        starts = np.empty(n)
        free, names = idle_servers(count)
        kind = DISCIPLINES[discipline]
        served = serve(times, works, kind, turns, places - count, free, names, starts, ends, server, departures)
        departures = departures[count : count + served]

    records, losses = (times, works, starts, ends), Estimate(0.0, 0.0, 0.0, math.inf)
    if served < n:
        lost = np.isnan(ends)
        losses = batch_means(lost[dropped:].astype(np.float64), confidence=level)
        records = (times[~lost], works[~lost], starts[~lost], ends[~lost])
    span = float(times[dropped]), float(times[-1])
    summary = summarize(*records, departures, count, span, level, shared=discipline == "processor-sharing")
    W, Wq, L, Lq, utilization, throughput, books = summary
    settled, message = judge(books.balanced, W, records[3] - records[0])
    return QueueSimulation(
        times,
        works,
        starts,
        ends,
        server,
        dropped,
        W,
        Wq,
        L,
        Lq,
        utilization,
        throughput,
        losses,
        settled,
        books.balanced,
        message,
        books.little_gap,
        books.waiting_gap,
        books.busy_gap,
    )
