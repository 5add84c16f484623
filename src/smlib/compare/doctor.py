"""Is this installation in good health: what the library stands on, and what a first call will have to wait for."""

from __future__ import annotations

import os
import platform
import time
from typing import NamedTuple

import numba
import numpy as np

from smlib._core.kernel import KERNELS, kernel
from smlib._core.validate import Vector
from smlib.compare.cases import load_cases
from smlib.compare.machine import PACKAGES, describe_machine


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str


def examine() -> list[Finding]:
    """Look at interpreter, libraries, processor, compiler, cache, BLAS and peers."""
    machine = describe_machine()
    supported = tuple(map(int, platform.python_version_tuple()[:2])) >= (3, 11)
    findings = [
        Finding("Python", supported, machine["python"] + ("" if supported else ": 3.11 or newer is needed")),
        *(Finding(name, True, machine[name]) for name in PACKAGES),
        Finding("processor", True, f"{machine['processor']}, {machine['cores']} cores, {machine['vector']}"),
        _compiler(),
        _cache(),
    ]
    forced = os.environ.get("OPENBLAS_CORETYPE")
    detail = (
        f"OPENBLAS_CORETYPE={forced} may slow NumPy down; `smlib bench` unsets it"
        if forced
        else "; ".join(machine["blas"])
    )
    findings.append(Finding("BLAS", True, detail))
    peers = {peer.package: peer.installed for case in load_cases() for peer in case.peers}
    for package, installed in sorted(peers.items()):
        findings.append(
            Finding(f"peer {package}", True, "installed" if installed else "absent: its columns stay empty")
        )
    return findings


@kernel
def total_of_squares(values: Vector) -> float:
    """Return the sum of the squares of the values."""
    total = 0.0
    for value in values:
        total += value * value
    return total


def _compiler() -> Finding:
    if numba.config.DISABLE_JIT:
        return Finding("compiler", True, "off (NUMBA_DISABLE_JIT): kernels run as plain Python")
    begin = time.perf_counter()
    right = total_of_squares(np.arange(4.0)) == 14.0
    return Finding(
        "compiler", right, f"a first kernel took {time.perf_counter() - begin:.2f} s, compiled or from the cache"
    )


def _cache() -> Finding:
    if numba.config.DISABLE_JIT:
        return Finding("cache", True, "not used without the compiler")
    if os.environ.get("SMLIB_CACHE") == "0":
        return Finding("cache", True, "off (SMLIB_CACHE=0): every process compiles anew")
    path = KERNELS[f"{__name__}.total_of_squares"].stats.cache_path
    if path is None:
        return Finding("cache", False, "no folder can be written: set NUMBA_CACHE_DIR, or each process compiles anew")
    return Finding("cache", True, str(path))
