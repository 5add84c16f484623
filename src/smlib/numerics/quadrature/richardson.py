"""Romberg's method: the trapezoidal rule again and again, and what its errors have in common.

The error of the trapezoidal rule with steps of length h is a series in h**2 (Euler and Maclaurin)::

    T(h) = integral + c1 h**2 + c2 h**4 + c3 h**6 + ...

with numbers c that do not depend on h. Half the step has a quarter of the first part, so that
``(4 T(h/2) - T(h)) / 3`` has none of it (it is Simpson's rule). The same again with 16 for the next part, 64, and so
on: *Richardson extrapolation*. Row i of the tableau begins with the trapezoidal rule of ``2**i`` steps, entry j is
extrapolated j times, and each costs one line::

    R[0, 0]
    R[1, 0]   R[1, 1]
    R[2, 0]   R[2, 1]   R[2, 2]         R[i, j] = R[i, j-1] + (R[i, j-1] - R[i-1, j-1]) / (4**j - 1)

By hand. ``1 / x`` from 1 to 2, which is log 2 = 0.69315: the trapezoidal rule gives 3/4 and 17/24, and then
17/24 + (17/24 - 3/4) / 3 = 25/36 = 0.69444.

The series needs derivatives. Where one is missing (``sqrt(x)`` at 0) the columns converge no faster than the first,
and the method is the wrong one.

Cost: row i evaluates the integrand ``2**(i - 1)`` times, at the places between those that are known.

Burden & Faires, *Numerical Analysis*, section 4.5; Romberg, *Vereinfachte numerische Integration* (1955).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.kernel import kernel
from smlib._core.results import CONVERGED, ITERATION_LIMIT, NUMERICAL_TROUBLE
from smlib._core.user_functions import UserFunction, bind
from smlib._core.validate import Vector, as_count, as_floats, as_nonnegative, as_number
from smlib.errors import InputError
from smlib.numerics.quadrature.equal_steps import make_sum
from smlib.numerics.quadrature.integrands import as_finite_limits
from smlib.numerics.quadrature.results import RombergResult
from smlib.numerics.quadrature.samples import Integral, Lines, as_samples, shaped

Tableau = NDArray[np.float64]

# 2**30 samples take seconds.
MOST_LEVELS = 30


def romberg(
    func: UserFunction,
    a: float,
    b: float,
    args: Any = (),
    *,
    rtol: float = 1.49e-8,
    atol: float = 1.49e-8,
    max_levels: int = 20,
) -> RombergResult:
    """Integrate a smooth function from ``a`` to ``b`` by Romberg's method.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` is a real number, at ``a`` and ``b`` too. If it was compiled by ``numba.njit``, the sums
        over it are compiled around it at its first use.
    a, b : float
        The limits, finite. If ``b < a``, the sign turns.
    args : tuple
        Further arguments of ``func``.
    rtol, atol : float
        Stop when the error is at most ``max(atol, rtol * abs(estimate))``.
    max_levels : int
        How often to halve the steps at most, at least 1 and at most 30.

    Returns
    -------
    RombergResult
        The estimate is the last entry of the diagonal. The error is the larger of the last two differences along the
        diagonal: one alone may be small by accident. ``success`` is True only if it meets the tolerance.

    Raises
    ------
    InputError
        A limit is not finite, a tolerance is negative, ``max_levels`` is out of range. What ``func`` raises comes
        through as it is.

    Notes
    -----
    Complexity: ``2**nit + 1`` evaluations.

    References
    ----------
    Burden & Faires, *Numerical Analysis*, algorithm 4.2.

    Examples
    --------
    >>> import math
    >>> result = romberg(math.sin, 0.0, math.pi)
    >>> result.success, result.neval
    (True, 65)
    >>> result.tableau[:3, :3].round(8)
    array([[0.        , 0.        , 0.        ],
           [1.57079633, 2.0943951 , 0.        ],
           [1.8961189 , 2.00455975, 1.99857073]])
    """
    start, end = as_finite_limits(a, b)
    rtol, atol = as_nonnegative(rtol, "rtol"), as_nonnegative(atol, "atol")
    levels = as_count(max_levels, "max_levels")
    if not 1 <= levels <= MOST_LEVELS:
        raise InputError(f"max_levels is {levels}; it must be from 1 to {MOST_LEVELS}: the steps are 2**max_levels")
    if not isinstance(args, tuple):
        args = (args,)
    if start == end:
        same = "nothing lies between the limits"
        return RombergResult(0.0, 0.0, True, CONVERGED, same, 0, 0, np.zeros((1, 1)))

    sum_over = bind(make_sum, func, args)
    tableau = np.zeros((levels + 1, levels + 1))
    step = end - start
    tableau[0, 0] = 0.5 * step * (sum_over(start, 0.0, 1, args) + sum_over(end, 0.0, 1, args))
    estimate = float(tableau[0, 0])
    error = change = math.inf
    tolerance = 0.0
    level = 0
    while level < levels and math.isfinite(estimate) and error > tolerance:
        level += 1
        step *= 0.5
        between = sum_over(start + step, 2.0 * step, 2 ** (level - 1), args)
        tableau[level, 0] = 0.5 * tableau[level - 1, 0] + step * between
        extrapolate_row(tableau, level)
        before, estimate = estimate, float(tableau[level, level])
        last, change = change, abs(estimate - before)
        error = max(last, change)
        tolerance = max(atol, rtol * abs(estimate))

    finite = math.isfinite(estimate)
    success = finite and error <= tolerance
    if success:
        status, message = CONVERGED, "converged"
    elif not finite:
        status, message = NUMERICAL_TROUBLE, _first_bad_value(func, args, start, step, 2**level)
        estimate, error = math.nan, math.inf
    else:
        status = ITERATION_LIMIT
        message = f"error {error:.1e} > {tolerance:.1e} with 2**{level} steps: raise max_levels, or try quad"
    rows = tableau[: level + 1, : level + 1].copy()
    return RombergResult(estimate, error, success, status, message, 2**level + 1, level, rows)


def romb(y: ArrayLike, dx: float = 1.0, axis: int = -1) -> Integral:
    """Integrate equally spaced samples by Romberg's method.

    Parameters
    ----------
    y : array_like
        ``2**k + 1`` samples of a function along ``axis``, real numbers.
    dx : float
        The distance of neighbours.
    axis : int
        The axis along which to integrate.

    Returns
    -------
    float or ndarray
        The integral; for samples of more than one dimension an array without ``axis``.

    Raises
    ------
    InputError
        As for `trapezoid`, and for a number of samples that is not one more than a power of two.

    Notes
    -----
    Complexity: O(samples). The error is O(h**(2 k + 2)) for a function that is smooth enough.

    References
    ----------
    Burden & Faires, *Numerical Analysis*, section 4.5.

    Examples
    --------
    >>> romb([0, 1, 16, 81, 256])
    204.8
    """
    samples, position = as_samples(y, axis)
    step = as_number(dx, "dx")
    moved = np.moveaxis(samples, position, -1)
    intervals = moved.shape[-1] - 1
    if intervals < 1 or intervals & (intervals - 1):
        raise InputError(f"y has {intervals + 1} samples along axis {axis}; it must be 2**k + 1: 2, 3, 5, 9, 17, ...")
    lines = as_floats(moved, "y").reshape(-1, intervals + 1)
    integrals = np.empty(len(lines))
    romberg_of_samples(lines, step, integrals)
    return shaped(integrals, moved.shape[:-1])


def _first_bad_value(func: UserFunction, args: tuple[Any, ...], start: float, step: float, steps: int) -> str:
    for k in range(steps + 1):
        x = start + k * step
        value = func(x, *args)
        if not math.isfinite(value):
            return f"the integrand is {value} at x = {x}: quad does not sample the ends"
    return "the sum of the samples overflows"


@kernel
def extrapolate_row(tableau: Tableau, i: int) -> None:
    """Fill row i of a tableau of which the rows above, and the first entry of this one, are known."""
    above = tableau[i - 1]
    row = tableau[i]
    power = 1.0
    for j in range(1, i + 1):
        power *= 4.0
        row[j] = row[j - 1] + (row[j - 1] - above[j - 1]) / (power - 1.0)


@kernel
def romberg_of_samples(lines: Lines, step: float, integrals: Vector) -> None:
    """Set the integral of each line of 2**levels + 1 samples, from the finest steps to the coarsest and back."""
    intervals = lines.shape[1] - 1
    levels = 0
    while 1 << levels < intervals:
        levels += 1
    tableau = np.zeros((levels + 1, levels + 1))
    between = np.empty(levels + 1)
    spare = np.empty((2, intervals // 2 + 1))
    for i in range(integrals.size):
        y = lines[i]
        for level in range(levels, 0, -1):
            others = spare[level % 2][: (1 << (level - 1)) + 1]
            between[level] = fold(y, others)
            y = others
        width = step * intervals
        tableau[0, 0] = 0.5 * width * (y[0] + y[1])
        for level in range(1, levels + 1):
            width *= 0.5
            tableau[level, 0] = 0.5 * tableau[level - 1, 0] + width * between[level]
            extrapolate_row(tableau, level)
        integrals[i] = tableau[levels, levels]


@kernel(fast=True)
def fold(y: Vector, others: Vector) -> float:
    """Return the sum of every second sample, from the second on, and copy the others."""
    total = 0.0
    last = others.size - 1
    for j in range(last):
        others[j] = y[2 * j]
        total += y[2 * j + 1]
    others[last] = y[2 * last]
    return total
