"""Integrals of what is only known at some places: trapezoids and parabolas.

Between two samples all that can be drawn is a line: the *trapezoidal rule*. Through three goes a parabola, and its
area over two steps of length h is *Simpson's rule*::

    trapezoid   h (y0 + y1) / 2                         error -h**3 / 12 * y''
    Simpson     h (y0 + 4 y1 + y2) / 3                  error -h**5 / 90 * y''''

By hand. The samples 0, 1, 4 of x**2 at 0, 1, 2: trapezoids have 1/2 + 5/2 = 3, the parabola (0 + 4 + 4) / 3 = 8/3,
which is right: Simpson's rule is exact for parabolas, as it was made to be, and, for free, for cubic polynomials.

Steps of different lengths do not trouble either rule. An even number of samples leaves Simpson's rule one step over;
the parabola through the last three samples is integrated over that (Cartwright's correction). At equal steps there is
more to be had: see `smlib.numerics.quadrature.richardson`.

Cost: O(samples) time, one pass over them at the speed of memory; the samples of another axis than the last are
copied.

Burden & Faires, *Numerical Analysis*, sections 4.3 and 4.4; Cartwright, *Simpson's Rule Cumulative Integration with
MS Excel and Irregularly-spaced Data*, Journal of Mathematical Sciences and Mathematics Education 12 (2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector, as_axis, as_floats, as_number
from smlib.errors import InputError

Lines: TypeAlias = NDArray[np.float64]
Blocks: TypeAlias = NDArray[np.float64]
Integral: TypeAlias = float | NDArray[np.float64]


class Rule(NamedTuple):
    """What a rule makes of samples: of lines at equal steps, of lines at given places, of rows by their weights."""

    sum_equal: Callable[[Lines, float, Vector], None]
    sum_uneven: Callable[[Lines, Lines, Vector], None]
    weigh: Callable[[Vector, Vector], None]


def trapezoid(y: ArrayLike, x: ArrayLike | None = None, dx: float = 1.0, axis: SupportsIndex = -1) -> Integral:
    """Integrate samples by the trapezoidal rule.

    Parameters
    ----------
    y : array_like
        Samples of a function, real numbers. A NaN or an infinity goes into the integral.
    x : array_like, optional
        Where they were taken: as many places as ``axis`` is long, or a whole array that broadcasts to the shape of
        ``y``. Places that go down count negative.
    dx : float
        The distance of neighbours, if ``x`` is not given.
    axis : int
        The axis along which to integrate.

    Returns
    -------
    float or ndarray
        The integral; for samples of more than one dimension an array without ``axis``. One sample has the integral 0.

    Raises
    ------
    InputError
        There are no samples, ``axis`` does not exist, ``x`` does not fit.

    Notes
    -----
    Complexity: O(samples). The error is O(h**2) for steps of length h.

    References
    ----------
    Burden & Faires, *Numerical Analysis*, theorem 4.5.

    Examples
    --------
    >>> trapezoid([0, 1, 4])
    3.0
    >>> trapezoid([0, 1, 4], x=[0, 1, 2])
    3.0
    >>> trapezoid([[0, 1, 4], [1, 1, 1]], dx=0.5)
    array([1.5, 1. ])
    """
    return _integrate(y, x, dx, axis, TRAPEZOIDS)


def simpson(y: ArrayLike, x: ArrayLike | None = None, *, dx: float = 1.0, axis: SupportsIndex = -1) -> Integral:
    """Integrate samples by Simpson's rule: a parabola through each three.

    Parameters
    ----------
    y : array_like
        Samples of a function, real numbers. A NaN or an infinity goes into the integral.
    x : array_like, optional
        Where they were taken, rising or falling: as for `trapezoid`.
    dx : float
        The distance of neighbours, if ``x`` is not given.
    axis : int
        The axis along which to integrate.

    Returns
    -------
    float or ndarray
        The integral; for samples of more than one dimension an array without ``axis``. Two samples have the
        integral of their trapezoid, one has 0. The last step of an even number of samples takes the parabola
        through the last three.

    Raises
    ------
    InputError
        As for `trapezoid`.

    Notes
    -----
    Complexity: O(samples). For equal steps of length h and an odd number of samples the error is O(h**4).

    References
    ----------
    Burden & Faires, *Numerical Analysis*, theorem 4.4; Cartwright (2017) for the last step.

    Examples
    --------
    >>> simpson([0, 1, 8])
    4.0
    >>> simpson([0, 1, 9], x=[0, 1, 3])
    9.0
    """
    return _integrate(y, x, dx, axis, PARABOLAS)


def _integrate(y: ArrayLike, x: ArrayLike | None, dx: float, axis: SupportsIndex, rule: Rule) -> Integral:
    samples, position = as_samples(y, axis)
    step = as_number(dx, "dx")
    shape, count = samples.shape, samples.shape[position]
    left = (*shape[:position], *shape[position + 1 :])
    blocks = samples.reshape(math.prod(shape[:position]), count, -1)
    if x is None and blocks.shape[2] == 1:
        integrals = np.empty(len(blocks))
        rule.sum_equal(blocks[:, :, 0], step, integrals)
        return shaped(integrals, left)

    places: Lines = step * np.arange(count, dtype=np.float64) if x is None else as_floats(x, "x")
    if places.ndim == 1:
        if places.size != count:
            raise InputError(f"x has {places.size} places, but y has {count} samples along axis {axis}")
        if blocks.shape[2] > 1:
            weights = np.zeros(count)
            rule.weigh(places, weights)
            rows = np.zeros((len(blocks), blocks.shape[2]))
            sum_rows(blocks, weights, rows)
            return shaped(rows, left)
        places = places.reshape(1, count)
    else:
        try:
            spread = np.broadcast_to(places, shape)
        except ValueError as error:
            raise InputError(f"x has the shape {places.shape}; it does not fit that of y, {shape}") from error
        places = as_floats(np.moveaxis(spread, position, -1), "x").reshape(-1, count)
    lines = as_floats(np.moveaxis(samples, position, -1), "y").reshape(-1, count)
    integrals = np.empty(len(lines))
    rule.sum_uneven(lines, places, integrals)
    return shaped(integrals, left)


def as_samples(y: ArrayLike, axis: SupportsIndex) -> tuple[NDArray[np.float64], int]:
    """Return samples as an array, and the axis as a number from 0."""
    samples = as_floats(y, "y")
    position = as_axis(axis, samples.ndim, "y")
    if samples.size == 0:
        raise InputError(f"y has the shape {samples.shape}: there is nothing to integrate")
    return samples, position


def shaped(integrals: NDArray[np.float64], shape: tuple[int, ...]) -> Integral:
    """Return integrals in a shape, or the only one as a number."""
    return integrals.reshape(shape) if shape else float(integrals.reshape(()))


@kernel(fast=True)
def sum_trapezoids(lines: Lines, step: float, integrals: Vector) -> None:
    """Set the integral of each line of samples at equal steps by the trapezoidal rule."""
    for i in range(integrals.size):
        y = lines[i]
        inside = 0.0
        for k in range(1, y.size - 1):
            inside += y[k]
        integrals[i] = step * (0.5 * y[0] + inside + 0.5 * y[y.size - 1]) if y.size > 1 else 0.0


@kernel(fast=True)
def sum_parabolas(lines: Lines, step: float, integrals: Vector) -> None:
    """Set the integral of each line of samples at equal steps by Simpson's rule."""
    for i in range(integrals.size):
        y = lines[i]
        pairs = (y.size - 1) // 2
        if pairs == 0:
            integrals[i] = 0.5 * step * (y[0] + y[1]) if y.size > 1 else 0.0
            continue
        inside = 0.0
        for j in range(pairs - 1):
            inside += 4.0 * y[2 * j + 1] + 2.0 * y[2 * j + 2]
        total = (y[0] + inside + 4.0 * y[2 * pairs - 1] + y[2 * pairs]) / 3.0
        if y.size % 2 == 0:
            total += (5.0 * y[y.size - 1] + 8.0 * y[y.size - 2] - y[y.size - 3]) / 12.0
        integrals[i] = step * total


@kernel(fast=True)
def sum_uneven_trapezoids(lines: Lines, places: Lines, integrals: Vector) -> None:
    """Set the integral of each line by the trapezoidal rule; there is one line of places for all, or one each."""
    for i in range(integrals.size):
        y = lines[i]
        x = places[i if len(places) > 1 else 0]
        twice = 0.0
        for k in range(y.size - 1):
            twice += (x[k + 1] - x[k]) * (y[k] + y[k + 1])
        integrals[i] = 0.5 * twice


@kernel(fast=True)
def sum_uneven_parabolas(lines: Lines, places: Lines, integrals: Vector) -> None:
    """Set the integral of each line by Simpson's rule; there is one line of places for all, or one each."""
    for i in range(integrals.size):
        y = lines[i]
        x = places[i if len(places) > 1 else 0]
        total = 0.0
        for j in range((y.size - 1) // 2):
            k = 2 * j
            first, middle, last = weigh_parabola(x[k + 1] - x[k], x[k + 2] - x[k + 1])
            total += first * y[k] + middle * y[k + 1] + last * y[k + 2]
        end = y.size - 1
        if end == 1:
            total = 0.5 * (x[1] - x[0]) * (y[0] + y[1])
        elif end % 2:
            first, middle, last = weigh_last_step(x[end - 1] - x[end - 2], x[end] - x[end - 1])
            total += first * y[end - 2] + middle * y[end - 1] + last * y[end]
        integrals[i] = total


@kernel
def weigh_trapezoids(x: Vector, weights: Vector) -> None:
    """Add to the weights of the samples, 0 before, what each counts in the trapezoidal rule."""
    for k in range(x.size - 1):
        half = 0.5 * (x[k + 1] - x[k])
        weights[k] += half
        weights[k + 1] += half


@kernel
def weigh_parabolas(x: Vector, weights: Vector) -> None:
    """Add to the weights of the samples, 0 before, what each counts in Simpson's rule."""
    end = x.size - 1
    for k in range(0, end - 1, 2):
        first, middle, last = weigh_parabola(x[k + 1] - x[k], x[k + 2] - x[k + 1])
        weights[k] += first
        weights[k + 1] += middle
        weights[k + 2] += last
    if end == 1:
        weigh_trapezoids(x, weights)
    elif end % 2:
        first, middle, last = weigh_last_step(x[end - 1] - x[end - 2], x[end] - x[end - 1])
        weights[end - 2] += first
        weights[end - 1] += middle
        weights[end] += last


@kernel
def weigh_parabola(near: float, far: float) -> tuple[float, float, float]:
    """Return what three samples count in the area of their parabola over both steps."""
    sixth = (near + far) / 6.0
    middle = sixth * (near + far) * quotient(near + far, near * far)
    return sixth * (2.0 - quotient(far, near)), middle, sixth * (2.0 - quotient(near, far))


@kernel
def weigh_last_step(near: float, far: float) -> tuple[float, float, float]:
    """Return what three samples count in the area of their parabola over the second step alone."""
    first = -quotient(far * far * far, 6.0 * near * (near + far))
    middle = quotient(far * (far + 3.0 * near), 6.0 * near)
    return first, middle, quotient(far * (2.0 * far + 3.0 * near), 6.0 * (near + far))


@kernel
def quotient(numerator: float, denominator: float) -> float:
    """Return a quotient; 0 where the places of two samples are the same, as SciPy has it."""
    return numerator / denominator if denominator != 0.0 else 0.0


@kernel
def sum_rows(blocks: Blocks, weights: Vector, integrals: Lines) -> None:
    """Add to the integrals of each block, 0 before, its weighted rows."""
    for i in range(len(blocks)):
        total = integrals[i]
        for k in range(weights.size):
            row = blocks[i, k]
            for j in range(total.size):
                total[j] += weights[k] * row[j]


TRAPEZOIDS = Rule(sum_trapezoids, sum_uneven_trapezoids, weigh_trapezoids)
PARABOLAS = Rule(sum_parabolas, sum_uneven_parabolas, weigh_parabolas)
