"""On what a measurement was made: a ratio without the machine and the versions beside it is half a figure."""

from __future__ import annotations

import os
import platform
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np

from smlib import __version__

PACKAGES = ("numpy", "scipy", "numba", "llvmlite")


def describe_machine() -> dict[str, Any]:
    """Return processor, operating system, versions, threads and what BLAS says of itself."""
    return {
        "date": date.today().isoformat(),
        "smlib": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "vector": vector_width(),
        "threads": os.environ.get("OPENBLAS_NUM_THREADS", "as the libraries choose"),
        "blas": _blas(),
    }


def processor_name() -> str:
    """Return what the processor calls itself."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip() + f" ({llvmlite.binding.get_host_cpu_name()})"
    return f"{platform.processor() or platform.machine()} ({llvmlite.binding.get_host_cpu_name()})"


def vector_width() -> str:
    """Return the width of the registers that compiled kernels can use."""
    features = llvmlite.binding.get_host_cpu_features()
    for feature, text in (("avx512f", "AVX-512, 8 doubles"), ("avx2", "AVX2, 4 doubles"), ("neon", "NEON, 2 doubles")):
        if features.get(feature):
            return text
    return "2 doubles"


def _blas() -> list[str]:
    """Return the BLAS libraries that are loaded, with the kernel that each chose for this processor."""
    try:
        version("threadpoolctl")
    except PackageNotFoundError:
        return ["threadpoolctl is not installed, so nothing is known of BLAS"]
    import threadpoolctl

    np.ones((8, 8)) @ np.ones((8, 8))  # a BLAS shows only once it has been loaded
    return [
        f"{pool['internal_api']} {pool.get('version')} {pool.get('architecture', '')} x {pool['num_threads']} threads"
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    ]
