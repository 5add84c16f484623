"""Every topic that is drawn: its story runs, its invariants hold, its page is small."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from smlib.datasets.plates import heated_plate
from smlib.errors import InputError
from smlib.numerics import gauss_seidel
from smlib.topics import AREAS
from smlib.viz import Trace, record
from smlib.viz.layouts import find_layout

DRAWN = [
    topic
    for area in AREAS
    if find_spec(f"smlib.viz.layouts.{area}")
    for topic in __import__(f"smlib.viz.layouts.{area}", fromlist=["LAYOUTS"]).LAYOUTS
]


@pytest.fixture(scope="module", params=DRAWN)
def trace(request: pytest.FixtureRequest) -> Trace:
    return record(request.param)


def test_invariants_hold_at_every_step(trace: Trace) -> None:
    for number, step in enumerate(trace.steps):
        assert step.invariants, f"step {number} shows none"
        assert all(step.invariants.values()), (number, step.invariants)


def test_page_is_small(trace: Trace) -> None:
    assert len(trace.to_html().encode()) < 200_000


def test_every_step_is_a_drawing(trace: Trace) -> None:
    for number in range(len(trace.steps)):
        root = ET.fromstring(trace.to_svg(number))  # noqa: S314
        assert len(root) == len(trace.scenes[number].marks) + 2


def test_marks_wear_classes_that_the_style_sheet_knows(trace: Trace) -> None:
    from smlib.viz.scene import stylesheet

    worn = {
        css for scene in trace.scenes for mark in scene.marks for css in str(mark.attributes.get("class", "")).split()
    }
    assert {css for css in worn if f".{css} " not in stylesheet()} == set()


def test_marks_stay_inside_the_scene(trace: Trace) -> None:
    for scene in trace.scenes:
        for mark in scene.marks:
            place = mark.attributes
            assert 0 <= float(place["x"]) + float(place.get("width", 0)) <= scene.width, mark
            assert 0 <= float(place["y"]) + float(place.get("height", 0)) <= scene.height, mark


def test_stationary_tells_its_story() -> None:
    trace = record("stationary")
    first = [step.state for step in trace.steps if step.state["method"] == "gauss_seidel"]
    second = [step.state for step in trace.steps if step.state["method"] == "sor"]
    assert len(first) + len(second) == len(trace.steps)
    assert first[3]["rough"][-1] < 0.05 * first[0]["rough"][-1], "three sweeps wipe out what is rough"
    assert first[3]["smooth"][-1] > 0.6 * first[0]["smooth"][-1], "and leave most of what is smooth"
    assert second[-1]["smooth"][-1] < 0.1 * first[-1]["smooth"][-1], "SOR is far ahead after as many sweeps"

    A, b = heated_plate(11)
    last = first[-1]
    solved = gauss_seidel(A, b, first[0]["temperatures"].ravel(), maxiter=last["sweep"])
    np.testing.assert_array_equal(last["temperatures"].ravel(), solved.x)


@pytest.mark.parametrize("name", ["no_such_topic", ""])
def test_unknown_topic(name: str) -> None:
    with pytest.raises(InputError, match="stationary"):
        record(name)


def test_topic_without_a_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    from smlib.topics import TOPICS, Topic

    monkeypatch.setitem(TOPICS, "plain", Topic("plain", "numerics", rows=()))
    monkeypatch.setitem(TOPICS, "far", Topic("far", "nowhere", rows=()))
    with pytest.raises(InputError, match="of its area there is: stationary"):
        find_layout("plain")
    with pytest.raises(InputError, match="of its area there is: none"):
        find_layout("far")


def test_import_loads_no_numbers() -> None:
    program = "import sys, smlib.viz; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "smlib.viz.player" in loaded
    assert not {"numpy", "numba", "scipy", "smlib.numerics"} & set(loaded)
