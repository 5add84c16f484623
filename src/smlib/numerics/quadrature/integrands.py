"""The function that is integrated, and the limits; an infinite range as a change of variable.

How an algorithm is made around a user's function, plain or compiled, stands in `smlib._core.user_functions`.

An infinite range is another integrand: ``x = bound + (1 - t) / t`` with t in (0, 1].
"""

from __future__ import annotations

import math
from typing import Any

from smlib._core.user_functions import Decorator, UserFunction
from smlib.errors import InputError


def as_limits(a: float, b: float) -> tuple[float, float]:
    """Return the limits of integration as numbers, finite or not."""
    try:
        start, end = float(a), float(b)
    except (TypeError, ValueError) as error:
        raise InputError(f"the limits are {a!r} and {b!r}; they must be real numbers, or infinite") from error
    if start != start or end != end:
        raise InputError(f"the limits are {start} and {end}; they must be numbers, or infinite")
    return start, end


def as_finite_limits(a: float, b: float) -> tuple[float, float]:
    """Return the limits of integration as finite numbers."""
    start, end = as_limits(a, b)
    if not (math.isfinite(start) and math.isfinite(end)):
        raise InputError(f"the limits are {start} and {end}; they must be finite here: quad takes infinite ones")
    return start, end


def over_half_line(f: UserFunction, takes_args: bool, decorate: Decorator) -> UserFunction:
    """Return the function of t in (0, 1] with the integral of f from ``bound`` to infinity, or to minus infinity."""

    @decorate
    def mapped(t: float, bound: float, direction: float, *args: Any) -> float:
        return f(bound + direction * (1.0 - t) / t, *args) / t / t  # type: ignore[no-any-return]  # untyped: a user's function

    return mapped  # type: ignore[no-any-return]  # untyped: Numba may have made it


def over_whole_line(f: UserFunction, takes_args: bool, decorate: Decorator) -> UserFunction:
    """Return the function of t in (0, 1] with the integral of f over all numbers, both halves on top of each other."""

    @decorate
    def folded(t: float, *args: Any) -> float:
        x = (1.0 - t) / t
        return (f(x, *args) + f(-x, *args)) / t / t  # type: ignore[no-any-return]  # untyped: a user's function

    return folded  # type: ignore[no-any-return]  # untyped: Numba may have made it
