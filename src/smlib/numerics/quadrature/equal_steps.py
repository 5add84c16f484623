"""Composite rules: a function at equal steps, with the weights of a trapezoid, a parabola or a rectangle.

Cut the range into n steps of length h, and let every sample stand for its neighbourhood::

    midpoint    h (f(a + h/2) + f(a + 3h/2) + ...)                          error  (b - a) h**2 / 24  * f''
    trapezoid   h (f0 / 2 + f1 + f2 + ... + fn / 2)                         error -(b - a) h**2 / 12  * f''
    Simpson     h (f0 + 4 f1 + 2 f2 + 4 f3 + ... + fn) / 3    (n even)      error -(b - a) h**4 / 180 * f''''

Half the step divides the first two errors by 4 and the third by 16. One exception is worth knowing: for a *periodic*
function over its period the trapezoidal rule converges faster than any power of h, and nothing beats it.

Cost: n, n + 1 and n + 1 evaluations.

Burden & Faires, *Numerical Analysis*, section 4.4; Trefethen & Weideman, *The Exponentially Convergent Trapezoidal
Rule*, SIAM Review 56 (2014).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from smlib._core.user_functions import Decorator, UserFunction, bind
from smlib._core.validate import as_count
from smlib.errors import InputError
from smlib.numerics.quadrature.integrands import as_finite_limits

Rule: TypeAlias = Literal["midpoint", "trapezoid", "simpson"]
SumOver: TypeAlias = Callable[[float, float, int, tuple[Any, ...]], float]


def composite_quad(func: UserFunction, a: float, b: float, n: int, args: Any = (), *, rule: Rule = "simpson") -> float:
    """Integrate a function from ``a`` to ``b`` in ``n`` equal steps.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` is a real number. If it was compiled by ``numba.njit``, the sum over it is compiled
        around it at its first use.
    a, b : float
        The limits, finite. If ``b < a``, the sign turns.
    n : int
        How many steps, at least 1; even for Simpson's rule.
    args : tuple
        Further arguments of ``func``.
    rule : {"simpson", "trapezoid", "midpoint"}
        The midpoint rule does not evaluate the ends.

    Returns
    -------
    float
        The integral, without an estimate of its error: `romberg` and `quad` have one.

    Raises
    ------
    InputError
        A limit is not finite, ``n`` does not fit, unknown ``rule``. What ``func`` raises comes through as it is.

    Notes
    -----
    Complexity: n + 1 evaluations. The error is O(1 / n**2), and O(1 / n**4) for Simpson's rule.

    References
    ----------
    Burden & Faires, *Numerical Analysis*, theorems 4.4 to 4.6.

    Examples
    --------
    >>> import math
    >>> round(composite_quad(math.sin, 0.0, math.pi, 20), 6)
    2.000007
    >>> round(composite_quad(math.sin, 0.0, math.pi, 20, rule="trapezoid"), 6)
    1.995886
    """
    start, end = as_finite_limits(a, b)
    steps = as_count(n, "n")
    if steps < 1:
        raise InputError("n is 0; there must be a step")
    if not isinstance(args, tuple):
        args = (args,)
    sum_over = bind(make_sum, func, args)
    h = (end - start) / steps
    if rule == "midpoint":
        return h * sum_over(start + 0.5 * h, h, steps, args)
    ends = sum_over(start, 0.0, 1, args) + sum_over(end, 0.0, 1, args)
    if rule == "trapezoid":
        return h * (0.5 * ends + sum_over(start + h, h, steps - 1, args))
    if rule != "simpson":
        raise InputError(f"rule is {rule!r}; it must be 'simpson', 'trapezoid' or 'midpoint'")
    if steps % 2:
        raise InputError(f"n is {steps}; a parabola reaches over two steps, so that n must be even for Simpson's rule")
    odd = sum_over(start + h, 2.0 * h, steps // 2, args)
    even = sum_over(start + 2.0 * h, 2.0 * h, steps // 2 - 1, args)
    return h / 3.0 * (ends + 4.0 * odd + 2.0 * even)


def make_sum(f: UserFunction, takes_args: bool, decorate: Decorator) -> SumOver:
    """Return the sum over equally spaced samples of one integrand."""

    @decorate
    def sum_over(start: float, step: float, count: int, args: tuple[Any, ...]) -> float:
        """Return the sum of f at start, start + step, ...: count samples."""
        total = 0.0
        for k in range(count):
            x = start + k * step
            total += f(x, *args) if takes_args else f(x)
        return total

    return sum_over  # type: ignore[no-any-return]  # untyped: Numba may have made it
