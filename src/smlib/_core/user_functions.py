"""A user's function inside an algorithm: driven by Python if it is plain, compiled into it if Numba compiled it.

An algorithm that calls a user's function is written inside a *factory*: a function of the user's function that defines
the algorithm, and returns it. One source serves two ways to run it::

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
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from smlib._core.kernel import kernel

UserFunction: TypeAlias = Callable[..., Any]
Function = TypeVar("Function", bound=Callable[..., Any])
Algorithm = TypeVar("Algorithm")
Decorator: TypeAlias = Callable[[Any], Any]
Factory: TypeAlias = Callable[[UserFunction, bool, Decorator], Algorithm]


def bind(factory: Factory[Algorithm], func: UserFunction, args: tuple[Any, ...]) -> Algorithm:
    """Return the factory's algorithm for a function; compiled if the function is."""
    takes_args = args != ()
    return _bind_compiled(factory, func, takes_args) if is_compiled(func) else factory(func, takes_args, _leave_plain)


def is_compiled(func: UserFunction) -> bool:
    """Say whether Numba compiled a function (or will, at its first call)."""
    return hasattr(func, "py_func")


@lru_cache(maxsize=256)
def _bind_compiled(factory: Factory[Algorithm], func: UserFunction, takes_args: bool) -> Algorithm:
    return factory(func, takes_args, kernel(bound=True))


def _leave_plain(function: Function) -> Function:
    return function
