"""Fitting a rate to arrivals: a constant, a constant a piece, or one that grows by the same factor in equal times.

How often is seen by how many, and of nothing else. Where in the window they fell says nothing of a constant rate, so
`fit_rate` takes a count. The interval that goes with it is exact, not one of the bell curve: it holds the rates that
would not have been surprised by what was seen, at either end (Garwood). Three arrivals in an hour may be of a rate of
0.62, or of 8.77; none at all of 3.69.

Rates that change are fitted to the places. Piece by piece it is the same count again. For ``level exp(slope t)`` the
arrivals are, given their number, independent draws from a density that is proportional to the rate, so the slope is the
one that has their mean: with x from -1 to 1 over the window, that mean is Langevin's function ``coth y - 1 / y`` of
``y = slope t / 2``, whose inverse Newton's method finds in three steps.

Cost: O(1) beside counting.

Garwood, "Fiducial limits for the Poisson distribution", *Biometrika* 28 (1936); Cox & Lewis, *The Statistical Analysis
of Series of Events*, chapter 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainccinv, gammaincinv, ndtr, ndtri

from smlib._core.results import Result
from smlib._core.validate import Vector, as_confidence, as_count, as_floats, as_positive, require_finite
from smlib.errors import InputError
from smlib.stochastic.poisson_processes.arguments import as_arrivals


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RateFit(Result):
    """A constant rate, and how sure it is.

    Attributes
    ----------
    rate : float
        The count over the exposure.
    low, high : float
        The exact interval.
    count : int
        How many arrivals there were.
    exposure : float
        In how much time.
    confidence : float
        The chance with which such an interval holds the true rate, at least.
    """

    rate: float
    low: float
    high: float
    count: int
    exposure: float
    confidence: float


def fit_rate(count: SupportsIndex, exposure: float, *, confidence: float = 0.95) -> RateFit:
    """Estimate a constant rate from how many arrivals there were in how much time.

    Parameters
    ----------
    count : int
        At least 0: ``len(times)``, or the sum of counts.
    exposure : float
        The time in which they were counted, all windows together; above 0.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    RateFit
        With Garwood's exact interval: its true confidence is at least the one that was asked for, whatever the rate.

    Raises
    ------
    InputError
        An argument out of its range.

    Notes
    -----
    Complexity: O(1).

    References
    ----------
    Garwood, "Fiducial limits for the Poisson distribution", *Biometrika* 28 (1936).

    Examples
    --------
    The kicks of horses: 122 in 200 corps-years.

    >>> kicks = fit_rate(122, 200)
    >>> kicks.rate, round(kicks.low, 3), round(kicks.high, 3)
    (0.61, 0.507, 0.728)
    """
    n, total, level = as_count(count, "count"), as_positive(exposure, "exposure"), as_confidence(confidence)
    low, high = exact_interval(np.array([float(n)]), np.array([total]), level)
    return RateFit(n / total, float(low[0]), float(high[0]), n, total, level)


def exact_interval(counts: Vector, exposures: Vector, confidence: float) -> tuple[Vector, Vector]:
    """Return the rates that counts would just not have surprised, below and above.

    A count of n or more has the chance ``P(n, mean)`` that a sum of n exponential gaps is less than the mean; n or
    fewer have ``Q(n + 1, mean)``: the incomplete gamma functions, of which the inverses are wanted.
    """
    beyond = 0.5 * (1.0 - confidence)
    low = np.where(counts > 0.0, gammaincinv(np.maximum(counts, 1.0), beyond), 0.0)
    return low / exposures, gammainccinv(counts + 1.0, beyond) / exposures


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PiecewiseRate(Result):
    """A rate that is constant between edges: a function of time, for `InhomogeneousPoissonProcess`.

    Attributes
    ----------
    edges : ndarray, shape (k + 1,)
        From 0.
    rates : ndarray, shape (k,)
        Of the pieces; a piece begins with its edge.
    low, high : ndarray, shape (k,)
        The exact interval of each, by itself.
    counts : ndarray, shape (k,)
        How many arrivals were in each.
    confidence : float
        Of each interval by itself.
    """

    edges: Vector
    rates: Vector
    low: Vector
    high: Vector
    counts: NDArray[np.intp]
    confidence: float

    def __call__(self, times: ArrayLike) -> Vector:
        """Return the rate at times in [0, t); beyond the last edge it is that of the last piece."""
        pieces = np.searchsorted(self.edges[1:-1], as_floats(times, "times"), side="right")
        return np.asarray(self.rates[pieces])

    def cumulative(self, times: ArrayLike) -> Vector:
        """Return how many arrivals are expected from 0 to each time."""
        totals = np.append(0.0, np.cumsum(self.rates * np.diff(self.edges)))
        return np.asarray(np.interp(as_floats(times, "times"), self.edges, totals))


def fit_piecewise_rate(times: ArrayLike, edges: ArrayLike, *, confidence: float = 0.95) -> PiecewiseRate:
    """Estimate a rate that is constant between given edges.

    Parameters
    ----------
    times : array_like
        Arrivals in rising order, from ``edges[0]`` to below ``edges[-1]``.
    edges : array_like, shape (k + 1,)
        Rising, from 0. They must not be chosen by looking for where the arrivals lie densest: chance has dense places
        too, and intervals and tests would take no notice of the search.
    confidence : float
        Of the interval of each piece, between 0 and 1.

    Returns
    -------
    PiecewiseRate
        A function of time, with its integral as ``cumulative``.

    Raises
    ------
    InputError
        Edges that do not rise from 0, times that do not rise or lie beyond the edges.

    Notes
    -----
    Complexity: O(n + k) time, O(k) space.

    References
    ----------
    Garwood, "Fiducial limits for the Poisson distribution", *Biometrika* 28 (1936); Lewis & Shedler (1979).

    Examples
    --------
    >>> fit = fit_piecewise_rate([0.5, 1.0, 1.5, 1.9, 3.0], [0, 2, 4])
    >>> fit.rates, fit.counts, fit([1.0, 2.0, 3.0])
    (array([2. , 0.5]), array([4, 1]), array([2. , 0.5, 0.5]))
    >>> fit.cumulative([1.0, 4.0])
    array([2., 5.])
    """
    bounds = as_floats(edges, "edges").copy()
    if bounds.ndim != 1 or bounds.size < 2:
        raise InputError(f"edges has the shape {bounds.shape}; it must be a list of two or more")
    require_finite(bounds, "edges")
    if bounds[0] != 0.0 or (np.diff(bounds) <= 0.0).any():
        raise InputError(f"edges begin at {bounds[0]} and must begin at 0, and each must be above the one before")
    arrivals = as_arrivals(times, end=float(bounds[-1]))
    counts = np.diff(np.searchsorted(arrivals, bounds))
    level = as_confidence(confidence)
    widths = np.diff(bounds)
    low, high = exact_interval(counts.astype(np.float64), widths, level)
    return PiecewiseRate(bounds, counts / widths, low, high, counts, level)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LogLinearRate(Result):
    """The rate ``level exp(slope t)``: a function of time, for `InhomogeneousPoissonProcess`.

    Attributes
    ----------
    level : float
        The rate at time 0.
    slope : float
        In a unit of time the rate is multiplied by ``exp(slope)``.
    low, high : float
        The interval of the slope, by the curvature of the likelihood: for many arrivals.
    pvalue : float
        The chance of a trend like this, in either direction, if the rate were constant (Laplace's test).
    count : int
        How many arrivals there were.
    confidence : float
        Of the interval.
    """

    level: float
    slope: float
    low: float
    high: float
    pvalue: float
    count: int
    confidence: float

    def __call__(self, times: ArrayLike) -> Vector:
        """Return the rate at each time."""
        return np.asarray(self.level * np.exp(self.slope * as_floats(times, "times")))

    def cumulative(self, times: ArrayLike) -> Vector:
        """Return how many arrivals are expected from 0 to each time."""
        passed = as_floats(times, "times")
        if self.slope == 0.0:
            return self.level * passed
        return np.asarray(self.level / self.slope * np.expm1(self.slope * passed))


def fit_log_linear_rate(times: ArrayLike, t: float, *, confidence: float = 0.95) -> LogLinearRate:
    """Estimate a rate that grows or falls by the same factor in equal times, by maximum likelihood.

    Parameters
    ----------
    times : array_like
        Arrivals in rising order, from 0 to below ``t``; one at least.
    t : float
        Up to when one looked, whether or not something came; above 0.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    LogLinearRate
        A function of time, with its integral as ``cumulative``, and Laplace's test of whether there is a trend.

    Raises
    ------
    InputError
        No arrivals, or all of them at 0: any fall would be too slow for them. Times that do not rise or lie beyond t.

    Notes
    -----
    Complexity: O(n) time, O(1) space.

    References
    ----------
    Cox & Lewis, *The Statistical Analysis of Series of Events*, section 3.3.

    Examples
    --------
    >>> fit = fit_log_linear_rate([1.0, 4.0, 6.0, 7.0, 8.0, 9.0, 9.5], 10.0)
    >>> round(fit.level, 3), round(fit.slope, 3), round(fit.pvalue, 3)
    (0.265, 0.171, 0.214)
    >>> round(float(fit.cumulative(10.0)), 9)
    7.0
    """
    end, wanted = as_positive(t, "t"), as_confidence(confidence)
    arrivals = as_arrivals(times, end=end)
    n = arrivals.size
    mean = 2.0 * float(arrivals.mean()) / end - 1.0 if n else -1.0
    if not -1.0 < mean < 1.0:
        raise InputError(f"of {n} arrivals in [0, {end}) none is after 0; a trend needs one that is")
    y = inverse_langevin(mean)
    slope = 2.0 * y / end
    level = n / end if slope == 0.0 else n * slope / math.expm1(slope * end)
    error = 2.0 / (end * math.sqrt(n * langevin(y)[1]))
    width = -float(ndtri(0.5 * (1.0 - wanted))) * error
    pvalue = 2.0 * float(ndtr(-abs(mean) * math.sqrt(3.0 * n)))
    return LogLinearRate(level, slope, slope - width, slope + width, pvalue, n, wanted)


def langevin(y: float) -> tuple[float, float]:
    """Return ``coth y - 1 / y`` and its derivative: mean and variance of a density like exp(x y) on [-1, 1]."""
    if abs(y) < 0.02:
        return y / 3.0 - y**3 / 45.0, 1.0 / 3.0 - y * y / 15.0
    if abs(y) > 300.0:
        return math.copysign(1.0, y) - 1.0 / y, 1.0 / y**2
    return 1.0 / math.tanh(y) - 1.0 / y, 1.0 / y**2 - 1.0 / math.sinh(y) ** 2


def inverse_langevin(mean: float) -> float:
    """Return the y with a mean between -1 and 1: Cohen's approximation, and Newton's method from there."""
    y = mean * (3.0 - mean * mean) / (1.0 - mean * mean)
    for _ in range(6):
        value, derivative = langevin(y)
        y -= (value - mean) / derivative
    return y
