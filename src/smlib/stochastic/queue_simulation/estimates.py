"""Means with their intervals: what a simulation says, and how sure it can be.

The waits of customers who follow upon each other are alike: who comes into a long queue leaves one behind. Divide the
spread of a thousand waits by the root of a thousand, as if they were independent, and the interval is far too short.
There are two honest ways.

*Batch means*, from one long run. Drop the beginning, when the system was still empty, and cut the rest into 16 batches,
each so long that its mean knows little of the mean of the batch before. Sixteen means and Student's t give an interval.
What the batches still know of each other is measured, by the correlation r of each with the next, and paid for: the
variance is multiplied by ``(1 + r) / (1 - r)``, and the degrees of freedom are divided by it.

*Replications*, from many runs on streams of their own (`replicate`). Nothing is alike there, and nothing need be
assumed, but each run has a beginning of its own. For a day of calls that begins and ends, this is what one wants.

How much to drop. White's MSER-5 asks which beginning should go so that what remains gives the smallest error. As a
*rule* it does harm: it drops what is large by chance as well, the mean that remains is too small, and of 100 intervals
for a queue at a load of 0.9 some four fewer are right. So what is dropped is chosen without looking at the values (the
first tenth), and MSER-5 is only asked whether that was a vain hope: if it wants to drop more than half, the run has not
settled.

How long a run. Of n values with the variance v, whose mean has the error e, as many would be needed if they were
independent as ``v / e^2``: the *effective size*. From about 400 on an interval is right as often as it says. A single
server at a load of 0.5 needs 10 customers for one that counts as independent, at 0.8 some 80, at 0.9 some 360.

Cost: O(n).

Law, *Simulation Modeling and Analysis*, chapter 9; White, "An effective truncation heuristic for bias reduction in
simulation output", *Simulation* 69 (1997).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from smlib._core.kernel import kernel
from smlib._core.random_streams import RandomLike, as_generator
from smlib._core.validate import Vector, as_confidence, as_count, as_floats, as_number, require_finite
from smlib.errors import InputError

BATCHES = 16
ENOUGH = 400.0
LARGEST_CORRELATION = 0.9
MSER_BATCH = 5


class Estimate(NamedTuple):
    """A mean, and the interval in which the true one lies with the confidence asked for.

    Attributes
    ----------
    mean : float
    low, high : float
        Infinite where there is too little to tell.
    effective_size : float
        How many independent values would give the same error.
    """

    mean: float
    low: float
    high: float
    effective_size: float

    @property
    def half_width(self) -> float:
        """How far the ends are from the mean."""
        return (self.high - self.low) / 2.0

    def __contains__(self, value: object) -> bool:
        """Whether a value lies in the interval."""
        return isinstance(value, Real) and self.low <= float(value) <= self.high

    def __str__(self) -> str:
        return f"{self.mean:.6g} ({self.low:.6g} to {self.high:.6g})"


def batch_means(values: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Estimate the mean of values that follow upon each other in time, and may be alike.

    Parameters
    ----------
    values : array_like, shape (n,)
        From a process that has settled. With fewer than 32 of them the interval is infinite.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    Estimate
        Trust its interval if ``effective_size`` is 400 or more.

    Raises
    ------
    InputError
        ``values`` is not an array of finite numbers, or is empty; ``confidence`` is not between 0 and 1.

    Notes
    -----
    Complexity: O(n).

    References
    ----------
    Law, *Simulation Modeling and Analysis*, section 9.5.3.

    Examples
    --------
    Of a walk that forgets a tenth of itself at every step, 10,000 values are worth 500:

    >>> walk, steps = np.zeros(10_000), np.random.default_rng(1).standard_normal(10_000)
    >>> for k in range(1, 10_000):
    ...     walk[k] = 0.9 * walk[k - 1] + steps[k]
    >>> estimate = batch_means(walk)
    >>> 0.0 in estimate, 300 < estimate.effective_size < 1000
    (True, True)
    """
    numbers = as_values(values)
    level = as_confidence(confidence)
    length = numbers.size // BATCHES
    if length < 2:
        return Estimate(float(numbers.mean()), -math.inf, math.inf, 0.0)
    # The few that are left over go from the front, where the beginning is still near.
    kept = numbers[numbers.size - BATCHES * length :]
    return combine_batches(kept.reshape(BATCHES, length).mean(axis=1), level, float(kept.var()))


def combine_batches(means: Vector, confidence: float, variance: float = math.nan) -> Estimate:
    """Return what the means of equal batches say; ``variance`` is that of a single value, for the effective size."""
    batches = means.size
    mean, square, product = compare_neighbours(means)
    # The correlation of few numbers about their own mean is too small by one over their number.
    correlation = product / square + 1.0 / batches if square > 0.0 else 0.0
    correlation = min(max(correlation, 0.0), LARGEST_CORRELATION)
    inflation = (1.0 + correlation) / (1.0 - correlation)
    error = math.sqrt(square / (batches * (batches - 1)) * inflation)
    reach = _student(max((batches - 1) / inflation, 1.0), confidence) * error
    return Estimate(mean, mean - reach, mean + reach, variance / error**2 if error > 0.0 else math.inf)


def replicate(
    run: Callable[[np.random.Generator], float], replications: int, *, confidence: float = 0.95, rng: RandomLike = None
) -> Estimate:
    """Estimate the mean of what a simulation returns, from independent runs.

    Parameters
    ----------
    run : callable
        Takes a generator, simulates, and returns one finite number.
    replications : int
        How many runs, at least 2.
    confidence : float
        Between 0 and 1.
    rng : Generator, int or None
        Every run gets a generator of its own, made from this one: the runs do not depend on each other, and run
        number 7 is the same however many there are.

    Returns
    -------
    Estimate
        Its ``effective_size`` is the number of runs.

    Raises
    ------
    InputError
        A number is out of its range, or a run returned something else than a finite number.

    Notes
    -----
    Complexity: that of the runs.

    References
    ----------
    Law, *Simulation Modeling and Analysis*, section 9.4.

    Examples
    --------
    >>> from smlib.stochastic import Exponential, simulate_queue
    >>> def mean_wait(rng):
    ...     return simulate_queue(Exponential(0.5), Exponential(1.0), customers=2000, rng=rng).Wq.mean
    >>> 1.0 in replicate(mean_wait, 20, rng=1)
    True
    """
    runs = as_count(replications, "replications")
    if runs < 2:
        raise InputError(f"replications is {runs}; an interval needs at least 2")
    level = as_confidence(confidence)
    results = np.empty(runs)
    for number, generator in enumerate(spawn_generators(rng, runs)):
        results[number] = as_number(run(generator), f"what run {number} returned")
    return independent_mean(results, level)


def independent_mean(values: Vector, confidence: float) -> Estimate:
    """Return what independent values say of their mean, by Student's t; there are two at least."""
    mean = float(values.mean())
    reach = _student(values.size - 1.0, confidence) * float(values.std(ddof=1)) / math.sqrt(values.size)
    return Estimate(mean, mean - reach, mean + reach, float(values.size))


def mser5(values: ArrayLike) -> int:
    """Return how many values MSER-5 would drop from the beginning, so that what remains has the smallest error.

    Parameters
    ----------
    values : array_like, shape (n,)

    Returns
    -------
    int
        A multiple of 5. More than half of the values: they have not settled.

    Raises
    ------
    InputError
        ``values`` is not an array of finite numbers, or is empty.

    Notes
    -----
    Complexity: O(n).

    References
    ----------
    White, "An effective truncation heuristic for bias reduction in simulation output", *Simulation* 69 (1997).

    Examples
    --------
    >>> mser5([9.0] * 5 + [7.0] * 5 + [1.0, 2.0, 1.0, 2.0, 1.5] * 8)
    10
    """
    numbers = as_values(values)
    return MSER_BATCH * _shortest_beginning(numbers, float(numbers.mean()))


def spawn_generators(rng: RandomLike, count: int) -> list[np.random.Generator]:
    """Return generators that are independent of each other; number k is the same however many there are."""
    words = as_generator(rng).integers(2**32, size=8)
    return [np.random.default_rng([*words, number]) for number in range(count)]


def as_values(values: ArrayLike) -> Vector:
    """Return an array of finite numbers that is not empty."""
    numbers = as_floats(values, "values")
    if numbers.ndim != 1 or not numbers.size:
        raise InputError(f"values has shape {numbers.shape}; it must have one dimension, and at least one entry")
    require_finite(numbers, "values")
    return numbers


def _student(freedom: float, confidence: float) -> float:
    return float(stdtrit(freedom, 0.5 + confidence / 2.0))


@kernel
def compare_neighbours(means: Vector) -> tuple[float, float, float]:
    """Return the mean, the sum of squares about it, and that of the products of neighbours about it."""
    mean = 0.0
    for value in means:
        mean += value
    mean /= means.size
    square, product, before = 0.0, 0.0, 0.0
    for value in means:
        square += (value - mean) ** 2
        product += (value - mean) * before
        before = value - mean
    return mean, square, product


@kernel
def _shortest_beginning(values: Vector, centre: float) -> int:
    """Return after how many groups of five the variance of the rest, over its size squared, is smallest."""
    groups = values.size // MSER_BATCH
    total, square = 0.0, 0.0
    best, smallest = 0, np.inf
    for group in range(groups - 1, -1, -1):
        mean = 0.0
        for k in range(MSER_BATCH * group, MSER_BATCH * (group + 1)):
            mean += values[k]
        mean = mean / MSER_BATCH - centre
        total += mean
        square += mean * mean
        size = groups - group
        # The last few groups may be alike by chance.
        if size >= MSER_BATCH:
            error = (square - total * total / size) / size / size
            if error <= smallest:
                best, smallest = group, error
    return best
