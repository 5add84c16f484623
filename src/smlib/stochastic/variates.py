"""Random times and sizes with the method names of SciPy's frozen distributions: ``rvs``, ``mean``, ``var``.

Wherever a distribution is asked for, anything with these three methods will do: one of these, one of ``scipy.stats``,
or your own. What matters to a queue is mostly the mean and how far the values scatter about it, the *squared
coefficient of variation* ``var / mean^2``::

    0                 1 / k              1                  more than 1
    Deterministic     Erlang of k        Exponential        Hyperexponential, LogNormal
    a clock           k steps in a row   no memory at all   mostly short, now and then long

and whatever was measured, as it came: Empirical.

Cost: O(1) a value, O(shape) for Erlang's.

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 11 and 21.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.kernel import kernel
from smlib._core.random_streams import (
    RandomLike,
    State,
    exponential,
    fill_exponential,
    fill_normal,
    fill_uniform,
    new_stream,
    uniform,
)
from smlib._core.validate import Vector, as_count, as_floats, as_nonnegative, as_positive, require_finite
from smlib.errors import InputError


class Exponential:
    """Times without memory: what is left of one does not depend on how long it has lasted.

    Parameters
    ----------
    rate : float
        Positive; the mean is ``1 / rate``. SciPy's ``scale`` is that mean.

    Raises
    ------
    InputError
        ``rate`` is not a positive number.

    Notes
    -----
    Complexity: O(1) a value, by a ziggurat.

    References
    ----------
    Blitzstein & Hwang, *Introduction to Probability*, section 5.5.

    Examples
    --------
    >>> service = Exponential(rate=5.0)
    >>> service.mean(), round(service.var(), 6)
    (0.2, 0.04)
    >>> service.rvs(3, random_state=1).round(3)
    array([0.319, 0.226, 0.049])
    """

    def __init__(self, rate: float) -> None:
        self.rate = as_positive(rate, "rate")

    def __repr__(self) -> str:
        return f"Exponential(rate={self.rate:g})"

    def rvs(self, size: int = 1, random_state: RandomLike = None) -> Vector:
        """Return ``size`` random values."""
        values = np.empty(as_count(size, "size"))
        fill_exponential(new_stream(random_state), values)
        values /= self.rate
        return values

    def mean(self) -> float:
        """Return the mean."""
        return 1.0 / self.rate

    def var(self) -> float:
        """Return the variance."""
        return 1.0 / self.rate**2


class Deterministic:
    """The same value each time.

    Parameters
    ----------
    value : float
        At least 0.

    Raises
    ------
    InputError
        ``value`` is not such a number.

    Notes
    -----
    Complexity: O(1) a value.

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 20.2.

    Examples
    --------
    >>> Deterministic(0.5).rvs(2)
    array([0.5, 0.5])
    """

    def __init__(self, value: float) -> None:
        self.value = as_nonnegative(value, "value")

    def __repr__(self) -> str:
        return f"Deterministic({self.value:g})"

    def rvs(self, size: int = 1, random_state: RandomLike = None) -> Vector:
        """Return ``size`` times the value; there is nothing random in it."""
        return np.full(as_count(size, "size"), self.value)

    def mean(self) -> float:
        """Return the value."""
        return self.value

    def var(self) -> float:
        """Return 0."""
        return 0.0


class Erlang:
    """The sum of exponential steps: a job of ``shape`` stages.

    Parameters
    ----------
    shape : int
        How many steps, at least 1.
    rate : float
        Of one step; positive. The mean is ``shape / rate``, and the squared coefficient of variation ``1 / shape``.

    Raises
    ------
    InputError
        ``shape`` is less than 1, or ``rate`` is not positive.

    Notes
    -----
    Complexity: O(shape) a value.

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 21.1.

    Examples
    --------
    >>> Erlang(4, rate=8.0).mean(), Erlang(4, rate=8.0).var()
    (0.5, 0.0625)
    """

    def __init__(self, shape: int, rate: float) -> None:
        self.shape = as_count(shape, "shape")
        if self.shape == 0:
            raise InputError("shape is 0; there must be at least one step")
        self.rate = as_positive(rate, "rate")

    def __repr__(self) -> str:
        return f"Erlang({self.shape}, rate={self.rate:g})"

    def rvs(self, size: int = 1, random_state: RandomLike = None) -> Vector:
        """Return ``size`` random values."""
        values = np.empty(as_count(size, "size"))
        add_steps(new_stream(random_state), self.shape, values)
        values /= self.rate
        return values

    def mean(self) -> float:
        """Return the mean."""
        return self.shape / self.rate

    def var(self) -> float:
        """Return the variance."""
        return self.shape / self.rate**2


class Hyperexponential:
    """One of several exponentials, drawn anew each time: most jobs are short, some are long.

    Parameters
    ----------
    probabilities : array_like, shape (n,)
        Of each of them; at least 0, with the sum 1.
    rates : array_like, shape (n,)
        Of each of them; positive.

    Raises
    ------
    InputError
        They do not fit together, or are no probabilities and rates.

    Notes
    -----
    Complexity: O(n) a value. The squared coefficient of variation is at least 1.

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 21.1.

    Examples
    --------
    >>> jobs = Hyperexponential([0.9, 0.1], [10.0, 0.5])
    >>> round(jobs.mean(), 6), round(jobs.var() / jobs.mean() ** 2, 3)
    (0.29, 8.727)
    """

    def __init__(self, probabilities: ArrayLike, rates: ArrayLike) -> None:
        self.probabilities = as_floats(probabilities, "probabilities").copy()
        self.rates = as_floats(rates, "rates").copy()
        if self.rates.ndim != 1 or self.rates.size == 0 or self.probabilities.shape != self.rates.shape:
            raise InputError(
                f"probabilities and rates have the shapes {self.probabilities.shape} and {self.rates.shape}; "
                "they must be lists of one length, at least 1"
            )
        for rate in self.rates:
            as_positive(rate, "each of the rates")
        if not (self.probabilities >= 0.0).all() or not math.isclose(self.probabilities.sum(), 1.0, abs_tol=1e-9):
            raise InputError(f"probabilities are {self.probabilities}; they must be at least 0, with the sum 1")

    def __repr__(self) -> str:
        return f"Hyperexponential({self.probabilities.tolist()}, {self.rates.tolist()})"

    def rvs(self, size: int = 1, random_state: RandomLike = None) -> Vector:
        """Return ``size`` random values."""
        values = np.empty(as_count(size, "size"))
        mix_exponentials(new_stream(random_state), np.cumsum(self.probabilities), self.rates, values)
        return values

    def mean(self) -> float:
        """Return the mean."""
        return float(np.sum(self.probabilities / self.rates))

    def var(self) -> float:
        """Return the variance."""
        return float(np.sum(2.0 * self.probabilities / self.rates**2)) - self.mean() ** 2


class LogNormal:
    """A value whose logarithm is normal: sizes of files, lengths of calls.

    Parameters
    ----------
    mean : float
        Of the value itself, not of its logarithm; positive.
    squared_variation : float
        The squared coefficient of variation ``var / mean^2``; positive.

    Raises
    ------
    InputError
        They are not positive.

    Notes
    -----
    Complexity: O(1) a value, by a ziggurat and an exponential.

    References
    ----------
    Brown et al., "Statistical analysis of a telephone call center", *Journal of the American Statistical Association*
    100 (2005), section 4.

    Examples
    --------
    >>> calls = LogNormal(mean=180.0, squared_variation=1.5)
    >>> calls.mean(), round(calls.var(), 6)
    (180.0, 48600.0)
    """

    def __init__(self, mean: float, squared_variation: float) -> None:
        self._mean = as_positive(mean, "mean")
        self.squared_variation = as_positive(squared_variation, "squared_variation")

    def __repr__(self) -> str:
        return f"LogNormal(mean={self._mean:g}, squared_variation={self.squared_variation:g})"

    def rvs(self, size: int = 1, random_state: RandomLike = None) -> Vector:
        """Return ``size`` random values."""
        values = np.empty(as_count(size, "size"))
        fill_normal(new_stream(random_state), values)
        variance = math.log1p(self.squared_variation)
        values *= math.sqrt(variance)
        values += math.log(self._mean) - 0.5 * variance
        return np.exp(values, out=values)

    def mean(self) -> float:
        """Return the mean."""
        return self._mean

    def var(self) -> float:
        """Return the variance."""
        return self.squared_variation * self._mean**2


class Empirical:
    """Values that were measured, each as likely as any other.

    Parameters
    ----------
    values : array_like, shape (n,)
        Finite; at least one.

    Raises
    ------
    InputError
        There is none, or one that is not finite.

    Notes
    -----
    Complexity: O(1) a value.

    References
    ----------
    Law, *Simulation Modeling and Analysis*, section 6.2.

    Examples
    --------
    >>> Empirical([1.0, 2.0, 6.0]).mean()
    3.0
    """

    def __init__(self, values: ArrayLike) -> None:
        self.values = as_floats(values, "values").copy()
        if self.values.ndim != 1 or self.values.size == 0:
            raise InputError(f"values have the shape {self.values.shape}; a list of at least one is needed")
        require_finite(self.values, "values")

    def __repr__(self) -> str:
        return f"Empirical of {self.values.size} values"

    def rvs(self, size: int = 1, random_state: RandomLike = None) -> Vector:
        """Return ``size`` random values."""
        places = np.empty(as_count(size, "size"))
        fill_uniform(new_stream(random_state), places)
        return self.values[(places * self.values.size).astype(np.intp)]

    def mean(self) -> float:
        """Return the mean."""
        return float(self.values.mean())

    def var(self) -> float:
        """Return the variance, of these values and not of what they may be a sample of."""
        return float(self.values.var())


@kernel
def add_steps(state: State, shape: int, values: Vector) -> None:
    """Set each value to the sum of ``shape`` exponential steps."""
    for i in range(values.shape[0]):
        total = 0.0
        for _ in range(shape):
            step, state = exponential(state)
            total += step
        values[i] = total


@kernel
def mix_exponentials(state: State, cumulative: Vector, rates: Vector, values: Vector) -> None:
    """Draw for each value which exponential it is of, and then the value."""
    for i in range(values.shape[0]):
        place, state = uniform(state)
        k = 0
        while k < rates.shape[0] - 1 and place >= cumulative[k]:
            k += 1
        value, state = exponential(state)
        values[i] = value / rates[k]
