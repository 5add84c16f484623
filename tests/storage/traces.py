"""What the traces of stores in files have in common."""

from __future__ import annotations

from smlib._core.trace import Step
from smlib.viz.layouts.storage import LAYOUTS


def require_all_holds(topic: str, steps: list[Step]) -> None:
    """Require that all invariants hold at every step, and that its picture fits."""
    draw = LAYOUTS[topic].draw
    for step in steps:
        assert len(step.invariants) == 4
        assert all(value is True for value in step.invariants.values()), (step.caption, step.invariants)
        assert step.question == "" or step.question.endswith("?")
        scene = draw(step.state)
        for mark in scene.marks:
            if mark.tag == "rect":
                assert 0 <= float(mark.attributes["x"]) + float(mark.attributes["width"]) <= scene.width
                assert 0 <= float(mark.attributes["y"]) + float(mark.attributes["height"]) <= scene.height
