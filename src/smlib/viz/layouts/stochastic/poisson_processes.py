"""Thinning: what falls below the bound, the curve of the rate, and what is kept on the line of time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from smlib._core.trace import Step
from smlib.stochastic.poisson_processes.trace import Candidate, trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

WIDTH, HEIGHT = 440, 316
LEFT, RIGHT = 40.0, 424.0
TOP, BOTTOM = 40.0, 210.0
LINE = 256.0
TICK = 9.0
# The picture's day: arrivals an hour, at most.
HOURS, BOUND, SEED = 24.0, 1.2, 1


def rush(t: Any) -> Any:
    """Return the rate at hours of a day: low by night, and high twice."""
    return 0.08 + 1.05 * np.exp(-((t - 9.0) ** 2) / 6.0) + 0.75 * np.exp(-((t - 17.5) ** 2) / 8.0)


def thin_a_day() -> Iterator[Step]:
    """Yield the candidates of a day."""
    return trace(rush, BOUND, HOURS, rng=SEED)


def draw_thinning(state: Mapping[str, Any]) -> Scene:
    """Draw a step: the curve with all candidates so far, and the arrivals below."""
    return Scene(WIDTH, HEIGHT, (*_draw_rate(state), *_draw_candidates(state), *_draw_arrivals(state)))


def _x(state: Mapping[str, Any], time: float) -> float:
    return LEFT + (RIGHT - LEFT) * time / float(state["end"])


def _y(state: Mapping[str, Any], height: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * height / float(state["bound"])


def _draw_rate(state: Mapping[str, Any]) -> Iterator[Mark]:
    yield text("title", LEFT, 16, "Candidates below the bound", "title")
    yield text("bound label", RIGHT, TOP - 7, "bound", "note", anchor="end")
    yield text("rate label", RIGHT, 16, "rate", "label series-1", anchor="end")
    for k in range(3):
        height = state["bound"] * k / 2
        yield text(f"height {k}", LEFT - 8, _y(state, height) + 4, f"{height:g}", "note", anchor="end")
    if state["counts"] is not None:
        width = (RIGHT - LEFT) / len(state["counts"])
        for k, count in enumerate(state["counts"]):
            y = _y(state, min(float(count), state["bound"]))
            yield rect(f"bar {k}", LEFT + k * width, y, width - 1, BOTTOM - y, "over-1")
    yield polyline("bound", [(LEFT, TOP), (RIGHT, TOP)], "faint")
    yield polyline("ground", [(LEFT, BOTTOM), (RIGHT, BOTTOM)], "axis")
    places, rates = state["curve"]
    points = [(_x(state, float(t)), _y(state, float(rate))) for t, rate in zip(places, rates, strict=True)]
    yield polyline("rate", points, "curve series-1")


def _draw_candidates(state: Mapping[str, Any]) -> Iterator[Mark]:
    """Draw those that are kept full, the others hollow, and a line through the one that has just fallen."""
    if state["counts"] is not None:
        return
    candidates: tuple[Candidate, ...] = state["candidates"]
    if candidates:
        last = candidates[-1]
        x = _x(state, last.time)
        yield polyline("last", [(x, TOP), (x, LINE if last.kept else BOTTOM)], "faint")
    for k, item in enumerate(candidates):
        css = "dot series-1" if item.kept else "node"
        yield circle(f"candidate {k}", _x(state, item.time), _y(state, item.height), 4.5 if item.kept else 3.5, css)


def _draw_arrivals(state: Mapping[str, Any]) -> Iterator[Mark]:
    yield polyline("time", [(LEFT, LINE), (RIGHT, LINE)], "axis")
    kept = [item for item in state["candidates"] if item.kept]
    for k, item in enumerate(kept):
        x = _x(state, item.time)
        yield polyline(f"arrival {k}", [(x, LINE - TICK), (x, LINE + TICK)], "curve series-1 solid")
    step = max(math.ceil(state["end"] / 8), 1)
    for k in range(0, math.floor(state["end"]) + 1, step):
        yield text(f"time {k}", _x(state, k), LINE + 28, str(k), "note", anchor="middle")
    told = f"{len(state['candidates'])} candidates, {len(kept)} kept"
    yield text("arrivals", LEFT, LINE - 16, "Arrivals", "title")
    yield text("numbers", RIGHT, LINE - 16, told, "note", anchor="end")
    yield text("legend", LEFT, HEIGHT - 8, "full: kept, for it fell below the rate; hollow: dropped", "note")


POISSON_PROCESSES = Layout(
    title="Thinning: what falls below the rate is kept",
    note="A day with two rushes. Candidates come at a constant rate, the bound, and each falls to a height of its own. "
    "Those below the curve are the arrivals: where the rate is twice as high, twice as many are kept. At the end the "
    "same is done two thousand times, and the bars tell how many came.",
    steps=thin_a_day,
    draw=draw_thinning,
)
