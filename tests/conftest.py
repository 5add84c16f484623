"""What all tests share: derandomised Hypothesis, the folder of real data, and a word on what a run compiled."""

from __future__ import annotations

import json
import os
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from numba.core import event
from packaging.requirements import Requirement

from smlib._core.compilation import CompilationWatch
from smlib._core.kernel import KERNELS

hypothesis.settings.register_profile(
    "smlib",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=int(os.environ.get("SMLIB_SEARCH", "50")),
)
hypothesis.settings.load_profile("smlib")

WATCH = CompilationWatch()
event.register("numba:compile", WATCH)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real data that SMLIB_REAL_DATA names; tests that want it are skipped where there is none."""
    folder = os.environ.get("SMLIB_REAL_DATA")
    if not folder:
        pytest.skip("SMLIB_REAL_DATA names no folder of real data")
    if not Path(folder).is_dir():
        pytest.fail(f"SMLIB_REAL_DATA is {folder}, which is no folder")
    return Path(folder)


def require(module: str) -> Any:
    """Import an oracle; where CI is set, one that is missing fails the test instead of skipping it.

    Unless the project's own requirements leave it out on this platform.
    """
    package = module.partition(".")[0]
    wanted = [line for line in map(Requirement, requires("smlib") or ()) if line.name == package]
    left_out = wanted and not any(line.marker is None or line.marker.evaluate({"extra": "test"}) for line in wanted)
    if os.environ.get("CI") and not left_out:
        return __import__(module, fromlist=["*"])
    return pytest.importorskip(module)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On a worker: hand what was compiled to the process that reports."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["compiled"] = json.dumps(_compiled())


def pytest_testnodedown(node: Any, error: object) -> None:
    """Collect what a worker compiled."""
    if "compiled" in getattr(node, "workeroutput", {}):
        WORKERS.append(json.loads(node.workeroutput["compiled"]))


WORKERS: list[dict[str, Any]] = []


def _compiled() -> dict[str, Any]:
    used = {name for name, compiled in KERNELS.items() if getattr(compiled, "signatures", None)}
    waiting = list(used)
    while waiting:
        # What a kernel calls is part of its machine code, and not compiled again where that came from the cache.
        function = KERNELS[waiting.pop()].py_func
        for name in function.__code__.co_names:
            callee = getattr(function.__globals__.get(name), "py_func", None)
            full_name = f"{callee.__module__}.{callee.__qualname__}" if callee else ""
            if full_name in KERNELS and full_name not in used:
                used.add(full_name)
                waiting.append(full_name)
    return {"seconds": WATCH.seconds, "compiled": len(WATCH.kernels), "used": sorted(used), "known": list(KERNELS)}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how long compiling took, and which kernels no test ran."""
    parts = WORKERS or [_compiled()]
    used = {name for part in parts for name in part["used"]}
    idle = sorted({name for part in parts for name in part["known"] if name.startswith("smlib.")} - used)
    seconds = " + ".join(f"{part['seconds']:.1f}" for part in parts)
    terminalreporter.write_line(f"compiled {sum(part['compiled'] for part in parts)} kernels in {seconds} s")
    if idle and terminalreporter.config.option.markexpr == "not slow":
        terminalreporter.write_line(f"kernels that this run never used: {', '.join(idle)}")
