"""A step carries what it was given, and costs nothing to import."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from smlib._core.trace import Step


def square(n: int) -> int:
    return n * n


@pytest.mark.interpreted
def test_step_carries_what_it_was_given() -> None:
    step = Step(
        caption="2 squared", state={"n": square(2)}, source=square, invariants={"a square is not negative": True}
    )
    assert step.state["n"] == 4
    assert step.source is square
    assert step.question == ""
    assert Step("next", {}, square, {}, question="What now?").question == "What now?"


def test_step_does_not_change() -> None:
    step = Step("", {}, square, {})
    with pytest.raises(FrozenInstanceError):
        step.caption = "other"  # type: ignore[misc]


def test_steps_need_neither_numpy_nor_pictures() -> None:
    program = "import sys, smlib._core.trace; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "numba", "scipy", "smlib.viz"} & set(loaded)
