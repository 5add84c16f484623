"""Are these arrivals a Poisson process? Two tests: of counts, and of times.

Counts. Of n Poisson counts with one mean, ``sum (count - mean)^2 / mean`` is chi-square with n - 1 degrees of freedom.
Their *index of dispersion*, variance over mean, is 1, give or take ``sqrt(2 / (n - 1))``. It is above 1 if arrivals
come in crowds or if the rate is not always the same; below 1 if they avoid each other, as trains do.

Times. Let a clock go as fast as arrivals are expected: at the time t it shows the cumulative rate. On that clock
arrivals have the rate 1, and so, given how many there are,

  1. their *places* are uniform: this test sees a rate that is not the one that was claimed;
  2. their *gaps* are as the gaps of uniform places are: this one sees crowds, and arrivals that avoid each other.

Both are asked by Kolmogorov and Smirnov's statistic, the largest distance between the places and the line of uniform
ones. For the second question gaps must become places. Sort the gaps; the smallest is one that all n + 1 have at least,
the next smallest is more by something that n of them have, and so on::

    gaps, sorted    c1 <= c2 <= c3         (n + 1) c1,  n (c2 - c1),  (n - 1) (c3 - c2), ...

These shares of the whole are again distributed as gaps of uniform places (Durbin), and now crowds of small gaps stand
in front of large ones, and pull the places to one side. Nothing is estimated, so that for a given clock both tests are
as exact as the distribution of the statistic.

Cost: O(n) for counts; O(n log n) for times, to sort the gaps.

Brown, Barbieri, Ventura, Kass & Frank, "The time-rescaling theorem", *Neural Computation* 14 (2002); Durbin, "Some
methods of constructing exact tests", *Biometrika* 48 (1961); Lewis, "Some results on tests for Poisson processes",
*Biometrika* 52 (1965); Kim & Whitt, "Are call center and hospital arrivals well modeled by nonhomogeneous Poisson
processes?", *Manufacturing & Service Operations Management* 16 (2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc, gammaincc, kolmogorov, smirnov

from smlib._core.results import Result
from smlib._core.validate import Vector, as_floats, as_positive, require_finite
from smlib.errors import InputError
from smlib.stochastic.poisson_processes.arguments import as_arrivals

# For more places than this a limit with a correction is as good as the exact chance: off by 2e-5.
MANY = 1000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DispersionResult(Result):
    """How much counts scatter, beside Poisson counts of one mean.

    Attributes
    ----------
    index : float
        The variance of the counts over their mean; 1 is expected.
    pvalue : float
        The chance of an index as far from 1, on either side, if the counts were Poisson with one mean.
    statistic : float
        ``index * degrees``.
    degrees : int
        One less than there are counts.
    mean : float
        Of the counts.
    """

    index: float
    pvalue: float
    statistic: float
    degrees: int
    mean: float


def dispersion_test(counts: ArrayLike) -> DispersionResult:
    """Test whether counts are Poisson with one mean.

    Parameters
    ----------
    counts : array_like of int
        Numbers of arrivals in windows of equal length; two at least. Of any shape.

    Returns
    -------
    DispersionResult
        The index of dispersion, and a p-value for both sides.

    Raises
    ------
    InputError
        Fewer than two counts, none above 0, or one that is negative or no whole number.

    Notes
    -----
    Complexity: O(n).

    The p-value is that of the chi-square distribution: good if there are a dozen arrivals or more in all.

    References
    ----------
    Cox & Lewis, *The Statistical Analysis of Series of Events*, section 6.3; Fisher, *Statistical Methods for Research
    Workers*, section 16.

    Examples
    --------
    >>> result = dispersion_test([0] * 109 + [1] * 65 + [2] * 22 + [3] * 3 + [4])
    >>> round(result.index, 3), round(result.pvalue, 3)
    (1.002, 0.961)
    >>> dispersion_test([5, 5, 5, 5, 5, 5, 5, 5]).pvalue < 1e-9
    True
    """
    values = as_floats(counts, "counts").ravel()
    require_finite(values, "counts")
    if (wrong := np.flatnonzero((values < 0.0) | (values != np.floor(values)))).size:
        raise InputError(f"counts has {values[wrong[0]]}; counts are whole numbers, and not negative")
    if values.size < 2 or not values.any():
        raise InputError(
            f"{values.size} counts with the sum {values.sum():g} cannot scatter; pass two or more, not all 0"
        )
    mean, degrees = float(values.mean()), values.size - 1
    statistic = float(((values - mean) ** 2).sum()) / mean
    tails = (gammaincc(degrees / 2, statistic / 2), gammainc(degrees / 2, statistic / 2))
    return DispersionResult(statistic / degrees, min(1.0, 2.0 * float(min(tails))), statistic, degrees, mean)


class KolmogorovSmirnov(NamedTuple):
    """How far from uniform, and how likely as far by chance.

    Attributes
    ----------
    statistic : float
        The largest distance between the share of the places below x, and x.
    pvalue : float
        The chance of one as large.
    """

    statistic: float
    pvalue: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TimeRescalingResult(Result):
    """Whether arrivals are Poisson on the clock of a rate.

    Attributes
    ----------
    pvalue : float
        Twice the smaller of both: the chance that one of them would be so small.
    places : KolmogorovSmirnov
        Of the rescaled times: small if the rate is another one than the clock's.
    gaps : KolmogorovSmirnov
        Of what Durbin makes of the gaps: small if arrivals come in crowds, or avoid each other.
    rescaled : ndarray, shape (n,)
        What the clock showed at each arrival, as a share of what it shows at the end; ``places`` is about these.
    """

    pvalue: float
    places: KolmogorovSmirnov
    gaps: KolmogorovSmirnov
    rescaled: Vector


def time_rescaling_test(
    times: ArrayLike, t: float, cumulative_rate: Callable[[Vector], ArrayLike] | None = None
) -> TimeRescalingResult:
    """Test whether arrivals are a Poisson process with a rate of a given shape.

    Parameters
    ----------
    times : array_like
        Arrivals in rising order, from 0 to below ``t``; one at least.
    t : float
        Up to when one looked, whether or not something came; above 0.
    cumulative_rate : callable, optional
        From an array of rising times to the numbers of arrivals expected from 0 to each: the method of that name of a
        process, or ``cumulative`` of a fitted rate. Only its shape counts, for the number of arrivals is taken as it
        is. A constant rate is asked about if it is not given.

    Returns
    -------
    TimeRescalingResult
        ``pvalue`` for the whole, and which of both questions is answered with no.

    Raises
    ------
    InputError
        No arrivals; times that do not rise or lie beyond t; a cumulative rate that falls, or is 0 at t.

    Notes
    -----
    Complexity: O(n log n) time, O(n) space.

    The p-values are within 1 % of the exact ones where they are small, and within 0.0025 for ten arrivals or more. That
    is so if the shape was known beforehand: one that was fitted to the same arrivals lies nearer to them than the truth
    does, and p-values come out too large. Arrivals noted in whole seconds fall on each other, and are refused for it:
    spread them over their second, by chance, beforehand.

    References
    ----------
    Brown, Barbieri, Ventura, Kass & Frank, "The time-rescaling theorem", *Neural Computation* 14 (2002); Durbin, "Some
    methods of constructing exact tests", *Biometrika* 48 (1961).

    Examples
    --------
    >>> from smlib.stochastic import InhomogeneousPoissonProcess
    >>> rush = InhomogeneousPoissonProcess(lambda t: 2 * t, bound=40)
    >>> times = rush.sample(20, rng=1)
    >>> time_rescaling_test(times, 20).pvalue < 1e-9  # no constant rate
    True
    >>> round(time_rescaling_test(times, 20, lambda t: t**2).pvalue, 2)
    0.51
    """
    end = as_positive(t, "t")
    arrivals = as_arrivals(times, end=end)
    if not arrivals.size:
        raise InputError(f"there are no arrivals in [0, {end}); the test needs one at least")
    shown = np.append(arrivals, end)
    clock = shown if cumulative_rate is None else _as_clock(cumulative_rate(shown), shown)
    rescaled = clock[:-1] / clock[-1]
    places, gaps = kolmogorov_smirnov(rescaled), kolmogorov_smirnov(durbin(rescaled))
    return TimeRescalingResult(min(1.0, 2.0 * min(places.pvalue, gaps.pvalue)), places, gaps, rescaled)


def _as_clock(values: ArrayLike, times: Vector) -> Vector:
    clock = as_floats(values, "the cumulative rate")
    if clock.shape != times.shape:
        raise InputError(
            f"cumulative_rate was given {times.size} times and returned the shape {clock.shape}; it must return an "
            "expected number for each"
        )
    require_finite(clock, "the cumulative rate")
    if clock[0] < 0.0 or clock[-1] <= 0.0 or (np.diff(clock) < 0.0).any():
        raise InputError(f"the cumulative rate goes from {clock[0]} to {clock[-1]}; it must rise, from 0 or more")
    return clock


def durbin(places: Vector) -> Vector:
    """Return places that are uniform if the given ones are, and to one side if their gaps are uneven, or too even."""
    n = places.size
    gaps = np.sort(np.diff(places, prepend=0.0, append=1.0))
    return np.minimum(np.cumsum(np.arange(n + 1, 0, -1) * np.diff(gaps, prepend=0.0))[:n], 1.0)


def kolmogorov_smirnov(places: Vector) -> KolmogorovSmirnov:
    """Return how far rising places of [0, 1] are from uniform, with the p-value.

    Each of the two sides has a chance that is known exactly (`smirnov`, in time O(n)). Where the sum of both is small
    it is the answer, for hardly ever do both happen. Else, and for many places, it is Kolmogorov's limit with Vrbik's
    correction for n.
    """
    n = places.size
    below = np.arange(n) / n
    distance = float(max((places - below).max(), (below + 1.0 / n - places).max()))
    if n <= MANY:
        tail = 2.0 * float(smirnov(n, distance))
        if tail < 0.1 or distance >= 0.5:
            return KolmogorovSmirnov(distance, tail)
    scaled = math.sqrt(n) * distance
    corrected = scaled + 1.0 / (6.0 * math.sqrt(n)) + (scaled - 1.0) / (4.0 * n)
    return KolmogorovSmirnov(distance, float(kolmogorov(corrected)))
