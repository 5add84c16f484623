"""The Poisson process of a constant rate: exponential gaps, one after the other.

The sum of the gaps is taken as they are drawn, so that times come in order and nothing is sorted. The gap that reaches
beyond the end is thrown away, and no harm is done: a process without memory does not care where one stopped looking.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlogy

from smlib._core.kernel import kernel
from smlib._core.random_streams import RandomLike, State, as_state, exponential, new_stream
from smlib._core.validate import Vector, as_floats, as_nonnegative, as_positive
from smlib.errors import InputError
from smlib.stochastic.poisson_processes.arguments import as_horizon


class PoissonProcess:
    """Arrivals at a constant rate, none of which knows of another.

    Parameters
    ----------
    rate : float
        How many are expected in a unit of time; above 0.

    Attributes
    ----------
    rate : float
        As it was passed.

    Raises
    ------
    InputError
        ``rate`` is not a finite number above 0.

    References
    ----------
    Blitzstein & Hwang, *Introduction to Probability*, section 13.1.

    Examples
    --------
    Ten calls an hour; two hours of them, and the chance that none comes in 15 minutes.

    >>> calls = PoissonProcess(rate=10.0)
    >>> times = calls.sample(2.0, rng=1)
    >>> len(times), times[:3].round(3)
    (22, array([0.16 , 0.273, 0.297]))
    >>> round(calls.pmf(0, 0.25), 4)
    0.0821
    """

    def __init__(self, rate: float) -> None:
        self.rate = as_positive(rate, "rate")

    def __repr__(self) -> str:
        return f"PoissonProcess(rate={self.rate:g})"

    def sample(self, t: float, rng: RandomLike = None) -> Vector:
        """Return the arrivals in [0, t), in rising order.

        Parameters
        ----------
        t : float
            Up to when: at least 0.
        rng : Generator, int or None
            Where chance comes from; a seed gives the same arrivals again.

        Returns
        -------
        ndarray, shape (n,)
            The number n is itself drawn.

        Raises
        ------
        InputError
            ``t`` is negative or no finite number, or more arrivals are to be expected than memory holds.

        Notes
        -----
        Complexity: O(rate t) time and space.

        References
        ----------
        Blitzstein & Hwang, *Introduction to Probability*, section 13.1.

        Examples
        --------
        >>> PoissonProcess(3.0).sample(1.0, rng=6).round(2)
        array([0.1 , 0.61, 0.75, 0.84])
        """
        end = as_horizon(t, self.rate)
        mean = self.rate * end
        # Six deviations more than the mean: one block is enough but once in a billion.
        first, *more = arrival_blocks(new_stream(rng), end, 1.0 / self.rate, int(mean + 6.0 * math.sqrt(mean)) + 20)
        return np.concatenate([first, *more]) if more else first

    def cumulative_rate(self, times: ArrayLike) -> Vector:
        """Return how many arrivals are expected from 0 to each time: ``rate * times``."""
        return self.rate * as_floats(times, "times")

    def pmf(self, n: ArrayLike, t: float) -> float | NDArray[np.float64]:
        """Return the chance of n arrivals in a range of length t.

        Parameters
        ----------
        n : int or array_like of int
            Numbers of arrivals; fractions and negative ones have the chance 0.
        t : float
            At least 0.

        Returns
        -------
        float or ndarray
            ``exp(-rate t) (rate t)^n / n!``.

        Raises
        ------
        InputError
            ``t`` is negative or no finite number, or ``n`` is no number.

        Notes
        -----
        Complexity: O(1) a number.

        References
        ----------
        Blitzstein & Hwang, *Introduction to Probability*, section 4.7.

        Examples
        --------
        >>> (200 * PoissonProcess(0.61).pmf([0, 1, 2, 3, 4], 1.0)).round(1)
        array([108.7,  66.3,  20.2,   4.1,   0.6])
        """
        mean = self.rate * as_nonnegative(t, "t")
        numbers = as_floats(n, "n")
        if np.isnan(numbers).any():
            raise InputError("n has an entry that is no number; the chance of that many arrivals is not defined")
        counts = np.where((numbers >= 0.0) & (numbers == np.floor(numbers)) & (numbers < math.inf), numbers, -1.0)
        logs = np.where(counts < 0.0, -math.inf, xlogy(counts, mean) - mean - gammaln(np.abs(counts) + 1.0))
        return float(np.exp(logs)) if numbers.ndim == 0 else np.exp(logs)


def arrival_blocks(state: State, end: float, gap: float, length: int) -> Iterator[Vector]:
    """Yield the arrivals in [0, end) in blocks, of which the last one is not full."""
    now, count = 0.0, length
    while count == length:
        block = np.empty(length)
        count, now, state = arrive(as_state(state), now, end, gap, block)
        yield block[:count]


@kernel
def arrive(state: State, now: float, end: float, gap: float, out: Vector) -> tuple[int, float, State]:
    """Fill an array with the arrivals after ``now``, and return how many there are before the end.

    Returned too is the time of the last one, and the next state. If the array is full there may be more.
    """
    for k in range(out.shape[0]):
        units, state = exponential(state)
        now += gap * units
        if not now < end:
            return k, now, state
        out[k] = now
    return out.shape[0], now, state
