r"""Gauss-Legendre: choose the places as well as the weights.

A rule with n samples has n weights, and these can be chosen to integrate every polynomial up to degree n - 1. Gauss
let the places move too: 2 n numbers, and a rule that is exact up to degree 2 n - 1. The places are the roots of
Legendre's polynomial ``P_n``, which is orthogonal to all polynomials of lower degree: divide a polynomial of degree
2 n - 1 by it, and the quotient's part has the integral 0, and is 0 at every sample.

By hand. ``P_2(x) = (3 x**2 - 1) / 2`` has the roots -1/sqrt(3) and 1/sqrt(3), both weights are 1, and x**2 gets
1/3 + 1/3 = 2/3, as it should.

Finding the roots. Start near them (zeros of a Bessel function, spread over the circle: off by some thousandths of
their distance to 1 at most), and let Newton's method do the rest. ``P_n`` comes from its recurrence, which adds one
degree a step. Near 1 the roots crowd together, and what matters there is the distance ``y = 1 - x``: a root that is
known to 16 digits as x has lost half of them as y, and the weights hang on y. So the recurrence runs on y, and on
the *difference* ``D_k = P_k - P_(k-1)``, which is small where y is::

    D_(k+1) = (k D_k - (2 k + 1) y P_k) / (k + 1)          P_(k+1) = P_k + D_(k+1)

That way all weights come out to 14 digits, for thousands of samples.

Cost: O(n**2) time for the roots of ``P_n``, all of them together in one pass over the degrees; O(n) for an integral.

Burden & Faires, *Numerical Analysis*, section 4.7; Swarztrauber, *On Computing the Points and Weights for
Gauss-Legendre Quadrature*, SIAM Journal on Scientific Computing 24 (2003).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector, as_count
from smlib.errors import InputError
from smlib.numerics.quadrature.integrands import as_finite_limits


class GaussRule(NamedTuple):
    """Where to sample in [-1, 1], and what each sample counts."""

    nodes: Vector
    weights: Vector


# Newton's method needs three steps; a fourth would find nothing to do.
MOST_STEPS = 10
ROUNDING = 4.0 * 2.0**-52


def gauss_legendre(n: int) -> GaussRule:
    """Return the nodes and weights of Gauss-Legendre quadrature over [-1, 1].

    Parameters
    ----------
    n : int
        How many samples, at least 1.

    Returns
    -------
    GaussRule
        ``nodes`` in rising order and ``weights``, arrays of shape (n,). They are mirrored exactly, and the weights
        add up to 2.

    Raises
    ------
    InputError
        ``n`` is below 1 or no integer.

    Notes
    -----
    Complexity: O(n**2).

    References
    ----------
    Burden & Faires, *Numerical Analysis*, section 4.7.

    Examples
    --------
    >>> nodes, weights = gauss_legendre(3)
    >>> nodes.round(10), weights.round(10)
    (array([-0.77459667,  0.        ,  0.77459667]), array([0.55555556, 0.88888889, 0.55555556]))
    """
    count = as_count(n, "n")
    if count < 1:
        raise InputError("n is 0; a rule needs at least one sample")
    y = np.empty((count + 1) // 2)
    half_weights = np.empty_like(y)
    guess_roots(count, y)
    value, difference = np.empty_like(y), np.empty_like(y)
    for _ in range(MOST_STEPS):
        evaluate_legendre(count, y, value, difference)
        if improve_roots(count, y, value, difference, half_weights) <= ROUNDING:
            break
    positive = 1.0 - y
    if count % 2:
        positive[-1] = 0.0
    others = slice(None, None, -1) if count % 2 == 0 else slice(-2, None, -1)
    return GaussRule(
        np.concatenate((0.0 - positive, positive[others])), np.concatenate((half_weights, half_weights[others]))
    )


def fixed_quad(func: Callable[..., Any], a: float, b: float, args: Any = (), n: int = 5) -> float | NDArray[np.float64]:
    """Integrate a function from ``a`` to ``b`` by Gauss-Legendre quadrature with ``n`` samples.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` takes all places at once, an array of shape (n,), and returns a value each, or several
        rows of them: shape (..., n).
    a, b : float
        The limits, finite. If ``b < a``, the sign turns.
    args : tuple
        Further arguments of ``func``.
    n : int
        How many samples, at least 1.

    Returns
    -------
    float or ndarray
        The integral, of each row if there are several. There is no estimate of its error: `quad` has one.

    Raises
    ------
    InputError
        A limit is not finite, ``n`` is below 1, ``func`` returns something of another shape. What ``func`` raises
        comes through as it is.

    Notes
    -----
    Complexity: n evaluations in one call; the nodes are kept for the next one. Exact for polynomials up to degree
    ``2 n - 1``.

    References
    ----------
    Burden & Faires, *Numerical Analysis*, section 4.7.

    Examples
    --------
    >>> fixed_quad(np.cos, 0.0, np.pi / 2, n=5)
    1.00000000...
    """
    start, end = as_finite_limits(a, b)
    count = as_count(n, "n")
    nodes, weights = _kept_rule(count)
    half = 0.5 * end - 0.5 * start
    if not isinstance(args, tuple):
        args = (args,)
    values = np.asarray(func(half * nodes + (0.5 * start + 0.5 * end), *args))
    if values.ndim and values.shape[-1] not in (1, count):
        raise InputError(f"func returned the shape {values.shape} for {count} places; the last axis must be as long")
    integral = half * np.sum(weights * values, axis=-1)
    return integral if np.ndim(integral) else float(integral)


@lru_cache(maxsize=64)
def _kept_rule(n: int) -> GaussRule:
    return gauss_legendre(n)


@kernel
def guess_roots(n: int, y: Vector) -> None:
    """Set the distances of the largest roots of P_n to 1, approximately."""
    scale = n + 0.5
    for k in range(y.size):
        beta = (k + 0.75) * math.pi
        zero = beta + 1.0 / (8.0 * beta) - 124.0 / (3.0 * (8.0 * beta) ** 3)
        angle = zero / scale
        angle += (angle / math.tan(angle) - 1.0) / (8.0 * angle * scale * scale)
        y[k] = 2.0 * math.sin(0.5 * angle) ** 2


@kernel
def evaluate_legendre(n: int, y: Vector, value: Vector, difference: Vector) -> None:
    """Set P_n(1 - y), and by how much it differs from P_(n-1)(1 - y)."""
    for i in range(y.size):
        value[i] = 1.0 - y[i]
        difference[i] = -y[i]
    for k in range(1, n):
        kept = k / (k + 1.0)
        pull = (2.0 * k + 1.0) / (k + 1.0)
        for i in range(y.size):
            difference[i] = kept * difference[i] - pull * y[i] * value[i]
            value[i] += difference[i]


@kernel
def improve_roots(n: int, y: Vector, value: Vector, difference: Vector, weights: Vector) -> float:
    """Make a step of Newton's method for each root; set the weights, and return the largest relative change."""
    largest = 0.0
    for i in range(y.size):
        slope = n * (y[i] * value[i] - difference[i])
        across = y[i] * (2.0 - y[i])
        weights[i] = 2.0 * across / (slope * slope)
        change = value[i] * across / slope
        largest = max(largest, abs(change) / y[i])
        y[i] += change
    return largest
