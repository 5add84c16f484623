"""The function that is integrated: driven by Python if it is plain, compiled into the algorithm if Numba compiled it.

An algorithm that calls a user's function is written inside a *factory*: a function of the integrand that defines the
algorithm, and returns it. One source serves two ways to run it::

    def make_mean(f, takes_args, decorate):
        @decorate
        def mean(a, b, args):
            return 0.5 * (f(a, *args) + f(b, *args)) if takes_args else 0.5 * (f(a) + f(b))

        return mean

    bind(make_mean, f, args)(a, b, args)

    f a plain function:         `mean` stays plain Python, which is the quickest way to call f
    f compiled by numba.njit:   `mean` is compiled around it, once, and calling f costs nothing

``takes_args`` is known when the algorithm is made. It spares plain Python the unpacking of nothing, which takes as
long as a call, and the compiler leaves out the branch that is not taken.

A compiled algorithm is kept as long as the process runs (the last 256 of them), so that the next call with the same
function finds it; no other process can use it.

An infinite range is a change of variable, ``x = bound + (1 - t) / t`` with t in (0, 1], so another integrand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from smlib._core.kernel import kernel
from smlib.errors import InputError

Integrand: TypeAlias = Callable[..., Any]
Function = TypeVar("Function", bound=Callable[..., Any])
Algorithm = TypeVar("Algorithm")
Decorator: TypeAlias = Callable[[Any], Any]
Factory: TypeAlias = Callable[[Integrand, bool, Decorator], Algorithm]


def bind(factory: Factory[Algorithm], func: Integrand, args: tuple[Any, ...]) -> Algorithm:
    """Return the factory's algorithm for a function; compiled if the function is."""
    takes_args = args != ()
    return _bind_compiled(factory, func, takes_args) if is_compiled(func) else factory(func, takes_args, _leave_plain)


def is_compiled(func: Integrand) -> bool:
    """Say whether Numba compiled a function (or will, at its first call)."""
    return hasattr(func, "py_func")


@lru_cache(maxsize=256)
def _bind_compiled(factory: Factory[Algorithm], func: Integrand, takes_args: bool) -> Algorithm:
    return factory(func, takes_args, kernel(bound=True))


def _leave_plain(function: Function) -> Function:
    return function


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


def over_half_line(f: Integrand, takes_args: bool, decorate: Decorator) -> Integrand:
    """Return the function of t in (0, 1] with the integral of f from ``bound`` to infinity, or to minus infinity."""

    @decorate
    def mapped(t: float, bound: float, direction: float, *args: Any) -> float:
        return f(bound + direction * (1.0 - t) / t, *args) / t / t  # type: ignore[no-any-return]  # untyped: a user's function

    return mapped  # type: ignore[no-any-return]  # untyped: Numba may have made it


def over_whole_line(f: Integrand, takes_args: bool, decorate: Decorator) -> Integrand:
    """Return the function of t in (0, 1] with the integral of f over all numbers, both halves on top of each other."""

    @decorate
    def folded(t: float, *args: Any) -> float:
        x = (1.0 - t) / t
        return (f(x, *args) + f(-x, *args)) / t / t  # type: ignore[no-any-return]  # untyped: a user's function

    return folded  # type: ignore[no-any-return]  # untyped: Numba may have made it
