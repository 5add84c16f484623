"""The door to Numba: a cache that notices every change that matters, and never stops an import."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numba
import numpy as np
import pytest

from smlib._core.compilation import watch_compilation
from smlib._core.kernel import KERNELS, kernel, source_digest
from smlib._core.validate import Vector

needs_compiler = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="there is no cache without the compiler")

CALLER = """
    from smlib._core.kernel import kernel
    from tower.{callee} import add

    @kernel
    def times_ten(value: float) -> float:
        return 10.0 * add(value)
"""
CALLEE = """
    from smlib._core.kernel import kernel

    @kernel
    def add(value: float) -> float:
        return value + {amount}
"""
RUN = """
    from tower.caller import times_ten
    print(times_ten(1.0), sum(times_ten.stats.cache_hits.values()))
"""


def write_project(folder: Path, version: str, amount: float) -> None:
    """Write a small package in which `caller` uses a kernel of `callee`, through a module between them."""
    package = folder / "tower"
    package.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(
        textwrap.dedent(f"""
            [build-system]
            requires = ["hatchling"]
            build-backend = "hatchling.build"
            [project]
            name = "tower"
            version = "{version}"
            [tool.hatch.build.targets.wheel]
            packages = ["tower"]
        """)
    )
    (package / "__init__.py").write_text("")
    (package / "between.py").write_text("from tower.callee import (\n    add,  # handed on\n)\n")
    (package / "caller.py").write_text(textwrap.dedent(CALLER.format(callee="between")))
    (package / "callee.py").write_text(textwrap.dedent(CALLEE.format(amount=amount)))


def run(code: str, *, paths: tuple[Path, ...] = (), cache: Path | None = None, **environment: str) -> list[str]:
    """Run code in a new process, and return the words that it prints."""
    merged = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    merged.pop("NUMBA_CACHE_DIR", None)
    merged.pop("NUMBA_DISABLE_JIT", None)
    if cache is not None:
        merged["NUMBA_CACHE_DIR"] = str(cache)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=merged, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
def test_an_upgrade_that_changes_only_a_callee_is_noticed(tmp_path: Path) -> None:
    """Two versions, built and installed one after the other by pip; only callee.py differs between them."""
    site, cache = tmp_path / "site", tmp_path / "cache"
    answers = []
    for version, amount in (("1.0", 1.0), ("2.0", 2.0)):
        project = tmp_path / f"project{version}"
        write_project(project, version, amount)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-build-isolation", "--upgrade"]
        subprocess.run([*pip, "--target", site, project], check=True)
        answers.append([run(RUN, paths=(site,), cache=cache) for _ in range(2)])
    assert answers == [[["20.0", "0"], ["20.0", "1"]], [["30.0", "0"], ["30.0", "1"]]]


@needs_compiler
def test_a_changed_callee_is_noticed_and_an_unchanged_one_is_taken_from_the_cache(tmp_path: Path) -> None:
    write_project(tmp_path, "1.0", 1.0)
    outcomes = [run(RUN, paths=(tmp_path,)) for _ in range(2)]
    write_project(tmp_path, "1.0", 2.0)
    outcomes += [run(RUN, paths=(tmp_path,)) for _ in range(2)]
    assert outcomes == [["20.0", "0"], ["20.0", "1"], ["30.0", "0"], ["30.0", "1"]]


@needs_compiler
def test_checked_and_unchecked_code_do_not_share_a_cache(tmp_path: Path) -> None:
    write_project(tmp_path, "1.0", 1.0)
    cache = tmp_path / "cache"
    outcomes = [run(RUN, paths=(tmp_path,), cache=cache, NUMBA_BOUNDSCHECK=flag)[1] for flag in ("0", "1", "1", "0")]
    assert outcomes == ["0", "0", "1", "0"]


@needs_compiler
def test_the_cache_can_be_turned_off(tmp_path: Path) -> None:
    write_project(tmp_path, "1.0", 1.0)
    assert [run(RUN, paths=(tmp_path,), SMLIB_CACHE="0")[1] for _ in range(2)] == ["0", "0"]


@needs_compiler
def test_without_a_folder_to_write_to_kernels_still_run(tmp_path: Path) -> None:
    write_project(tmp_path, "1.0", 1.0)
    hook = "import numba.core.caching as c\nc.FunctionCache._impl_class._locator_classes = []\n"
    assert run(hook + textwrap.dedent(RUN), paths=(tmp_path,)) == ["20.0", "0"]


@needs_compiler
def test_a_numba_without_the_private_hook_still_works(tmp_path: Path) -> None:
    write_project(tmp_path, "1.0", 1.0)
    hook = "import numba.core.caching as c\nc.IndexDataCacheFile.__init__ = lambda self, **_: None\n"
    assert run(hook + textwrap.dedent(RUN), paths=(tmp_path,)) == ["20.0", "0"]


def test_the_digest_follows_imports() -> None:
    assert source_digest("smlib.numerics.stationary.solvers") != source_digest("smlib.numerics.stationary.sweeps")


def test_the_registry_knows_every_kernel() -> None:
    import smlib._core.csr  # noqa: F401  # imported for its kernels

    assert {"smlib._core.csr.multiply", "smlib._core.csr.inspect_indices"} <= set(KERNELS)


@kernel
def sum_of_reciprocals(values: Vector) -> float:
    total = 0.0
    for value in values:
        total += 1.0 / value
    return total


@pytest.mark.interpreted
def test_interpreted_arithmetic_is_as_silent_as_compiled() -> None:
    assert sum_of_reciprocals(np.array([1.0, 0.0])) == np.inf


@needs_compiler
def test_compiling_is_watched(tmp_path: Path) -> None:
    write_project(tmp_path, "1.0", 1.0)
    sys.path.insert(0, str(tmp_path))
    try:
        from tower.caller import times_ten  # type: ignore[import-not-found]  # written by this test

        with watch_compilation() as watch:
            assert times_ten(1.0) == 20.0
    finally:
        sys.path.remove(str(tmp_path))
        for name in [name for name in sys.modules if name.partition(".")[0] == "tower"]:
            del sys.modules[name]
        for name in [name for name in KERNELS if name.startswith("tower.")]:
            del KERNELS[name]
    assert watch.kernels == ["times_ten", "add"]
    assert watch.seconds > 0.0
