"""``@kernel``: the one door to Numba, and a cache of compiled code that can be trusted.

A kernel is a plain Python function over arrays and numbers. The decorator has Numba compile it at its first call, for
the types of that call, and keep the machine code on disk for the next process::

    @kernel
    def total(values: Vector) -> float:
        ...

With ``NUMBA_DISABLE_JIT=1`` the function stays plain Python, so that a debugger steps through the very code that runs
compiled. Interpreted arithmetic is then told to be silent about overflow and NaN, as compiled arithmetic is.

The cache. Numba stores machine code beside a *stamp* of the file in which the kernel stands, and takes the code back
as long as the stamp is the same. A kernel's machine code also holds the kernels that it calls, and those may stand in
other files, so a stamp of one file is not enough: after an upgrade the old code of a changed callee would go on
running. The stamp of a kernel here is therefore a digest of

  1. what Numba stamps by itself,
  2. the version of smlib,
  3. whether array indices are checked (``NUMBA_BOUNDSCHECK``),
  4. the bytes of every module of its own package that its module imports, directly or through others.

``SMLIB_CACHE=0`` turns the cache off. Where it cannot be used (a folder that cannot be written, a Numba whose internals
have moved) kernels are compiled anew in each process: slower to start, never wrong.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, overload

import numba
import numpy as np

from smlib import __version__

Function = TypeVar("Function", bound=Callable[..., Any])

# Floating-point licences of `fast=True`: sums may be reordered and fused; NaN and infinity keep their meaning.
FAST = {"reassoc", "contract", "nsz", "arcp"}

# Every kernel that has been imported, by its full name.
KERNELS: dict[str, Any] = {}


@overload
def kernel(function: Function, /) -> Function: ...


@overload
def kernel(
    *, fast: bool = False, bound: bool = False, borrows: bool = False, brief: bool = False
) -> Callable[[Function], Function]: ...


def kernel(
    function: Function | None = None,
    /,
    *,
    fast: bool = False,
    bound: bool = False,
    borrows: bool = False,
    brief: bool = False,
) -> Function | Callable[[Function], Function]:
    """Compile a function with Numba at its first call, and cache the machine code on disk.

    Parameters
    ----------
    function : callable
        Plain Python over arrays and numbers. It guards its divisions: ``1.0 / 0.0`` is infinity compiled, and an
        exception interpreted.
    fast : bool
        Let the compiler reorder and fuse floating-point operations (never assume that NaN or infinity do not occur).
    bound : bool
        The function is made by a factory, and closes over a compiled function of the user's: calling that costs nothing
        then, while handing it over as an argument costs microseconds a call. No other process could use the machine
        code, so it is not cached.
    borrows : bool
        The function makes no array and returns none: it borrows those of its caller, and nobody counts who refers to
        them. Counting costs 5 nanoseconds an array and a call, and a kernel that hands a dozen of them from function to
        function spends half of its time so.
    brief : bool
        The function is done within a microsecond. So it keeps the interpreter's lock: to give it away and to take it
        back, so that other threads go on meanwhile, costs a quarter of what a call costs.

    Returns
    -------
    callable
        The compiled function; with ``NUMBA_DISABLE_JIT=1`` the function itself.
    """
    if function is None:
        return lambda function: _decorate(function, fast, bound, borrows, brief)
    return _decorate(function, fast, bound, borrows, brief)


def _decorate(function: Function, fast: bool, bound: bool, borrows: bool, brief: bool) -> Function:
    compiled: Any
    if numba.config.DISABLE_JIT:
        compiled = np.errstate(all="ignore")(function)
    else:
        compiled = numba.njit(
            function, error_model="numpy", nogil=not brief, fastmath=FAST if fast else False, _nrt=not borrows
        )
        if not bound:
            _enable_cache(compiled, function.__module__)
    if not bound:
        KERNELS[f"{function.__module__}.{function.__qualname__}"] = compiled
    return compiled  # type: ignore[no-any-return]  # Numba is untyped: a dispatcher is called like its function


def bind_types(function: Function, *arguments: Any) -> Function:
    """Return a kernel's machine code for the types of these arguments, which are not used otherwise.

    A call of it does not look at the types again, and takes 150 nanoseconds instead of 290. It is meant for kernels
    that are called a million times with next to nothing to do; whoever calls it answers for the types.
    """
    compile_types: Any = getattr(function, "compile", None)
    if compile_types is None:
        return function
    return compile_types(tuple(numba.typeof(argument) for argument in arguments))  # type: ignore[no-any-return]  # Numba is untyped


def _enable_cache(dispatcher: Any, module: str) -> None:
    if os.environ.get("SMLIB_CACHE") == "0":
        return
    uncached = getattr(dispatcher, "_cache", None)
    try:
        dispatcher.enable_caching()
        cache_file = dispatcher._cache._cache_file
        parts = (cache_file._source_stamp, __version__, bool(numba.config.BOUNDSCHECK), source_digest(module))
        cache_file._source_stamp = hashlib.sha256(repr(parts).encode()).hexdigest()
    except (AttributeError, OSError, RuntimeError):
        # No such hook, or no folder to write to: compile in each process rather than trust a stamp of one file.
        dispatcher._cache = uncached


@cache
def source_digest(module: str) -> str:
    """Return a digest of a module's source and of all modules of its package that it imports, however indirectly.

    >>> source_digest("smlib._core.csr") == source_digest("smlib._core.kernel")
    False
    """
    package = module.partition(".")[0]
    root = Path(str(sys.modules[package].__file__)).parent
    seen: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            path = _module_path(root, name)
            if path is not None:
                seen[name] = path.read_bytes()
                waiting.extend(_imports(path, package))
    return hashlib.sha256(b"\0".join(name.encode() + b"\0" + seen[name] for name in sorted(seen))).hexdigest()


def _module_path(root: Path, module: str) -> Path | None:
    """Return the file of a module of the package under ``root``, or None if the name is no module (a function, say)."""
    place = root.joinpath(*module.split(".")[1:])
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(path: Path, package: str) -> Iterator[str]:
    """Yield what a file imports of the package; a name imported from a package may itself be a module."""
    pattern = rf"^\s*(?:from ({package}[\w.]*) import (\([^)]*\)|[^\n]*)|import ({package}[\w.]*))"
    for origin, names, module in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE):
        yield origin or module
        yield from (f"{origin}.{name}" for name in re.findall(r"\w+", names))
