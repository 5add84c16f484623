"""A queue: customers as bars, servers as lanes, and below how many there are, all on one axis of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from smlib._core.trace import Step
from smlib.stochastic.queue_simulation.trace import trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

ARRIVALS = (0.0, 1.0, 2.0, 2.5, 3.0, 4.5, 5.0, 9.0, 10.5, 11.0)
SERVICES = (3.0, 4.0, 2.0, 3.0, 1.0, 2.5, 1.0, 2.0, 2.5, 1.0)
SERVERS = 2

WIDTH, LEFT, RIGHT = 440, 62.0, 424.0
ROWS_TOP, ROW = 58.0, 17.0
LANE = 24.0
CURVE_HEIGHT, MOST = 90.0, 5
RULES = {"fifo": "First in, first out", "lifo": "Last in, first out", "priority": "By priority"}


def serve_in_two_ways() -> Iterator[Step]:
    """Yield the steps of the same customers, first in first out and then last in first out."""
    waits = 0.0
    for step in trace(ARRIVALS, SERVICES, SERVERS):
        yield step
        waits = float((step.state["starts"] - step.state["arrivals"]).sum())
    for step in trace(ARRIVALS, SERVICES, SERVERS, discipline="lifo"):
        if not step.state["arrivals"].size:
            step = replace(
                step,
                caption=f"The waits were {waits:g} in all. The same customers again: who came last is served first.",
                question="Who gains, who loses, and will the waits be longer in all, if who came last is served first?",
            )
        yield step


def draw_queue(state: Mapping[str, Any]) -> Scene:
    """Draw a step: customers, servers, and the curve of how many there are."""
    lanes_top = ROWS_TOP + ROW * state["customers"] + 32
    curve_top = lanes_top + LANE * state["servers"] + 36
    bottom = curve_top + CURVE_HEIGHT
    marks = (
        text("rule", 6, 16, RULES[state["discipline"]], "title"),
        *_draw_legend(),
        *_draw_axis(state, ((ROWS_TOP, lanes_top - 30), (lanes_top, curve_top - 36), (curve_top, bottom))),
        *_draw_customers(state),
        *_draw_lanes(state, lanes_top),
        *_draw_curve(state, curve_top, bottom),
    )
    return Scene(WIDTH, bottom + 26, marks)


def _x(state: Mapping[str, Any], time: float) -> float:
    return LEFT + (RIGHT - LEFT) * time / float(state["horizon"])


def _draw_legend() -> Iterator[Mark]:
    for x, name, css in ((166, "waits", "over-2"), (236, "is served", "node lit"), (332, "was served", "under-3")):
        yield rect(f"legend {name}", x, 7, 10, 10, css, radius=2)
        yield text(f"legend name {name}", x + 15, 16, name, "note")


def _draw_axis(state: Mapping[str, Any], parts: Sequence[tuple[float, float]]) -> Iterator[Mark]:
    """Draw times and the present, in each part of the picture: titles stand between them."""
    bottom = parts[-1][1]
    for time in range(0, int(state["horizon"]) + 1, 2):
        for number, (top, end) in enumerate(parts):
            yield polyline(f"tick {time} {number}", [(_x(state, time), top), (_x(state, time), end)], "axis")
        yield text(f"time {time}", _x(state, time), bottom + 18, str(time), "note", anchor="middle")
    now = _x(state, state["time"])
    for number, (top, end) in enumerate(parts):
        yield polyline(f"now {number}", [(now, top), (now, end)], "edge")


def _draw_customers(state: Mapping[str, Any]) -> Iterator[Mark]:
    yield text("customers", 6, ROWS_TOP - 12, "Customers, and how long each waits", "title")
    for i, (arrival, start, end) in enumerate(zip(state["arrivals"], state["starts"], state["ends"], strict=True)):
        y = ROWS_TOP + ROW * i
        yield text(f"customer {i}", LEFT - 12, y + 12, str(i), "note", anchor="end")
        begin, until = min(start, state["time"]), min(end, state["time"])
        if begin > arrival:
            width = _x(state, begin) - _x(state, arrival)
            yield rect(f"wait {i}", _x(state, arrival), y + 2, width, ROW - 4, "over-2", radius=2)
        if start <= state["time"]:
            css = "under-3" if end <= state["time"] else "node lit"
            width = max(_x(state, until) - _x(state, start), 1.5)
            yield rect(f"service {i}", _x(state, start), y + 2, width, ROW - 4, css, radius=2)
            if start > arrival:
                yield text(f"waited {i}", _x(state, until) + 6, y + 13, f"{start - arrival:g}", "note")


def _draw_lanes(state: Mapping[str, Any], top: float) -> Iterator[Mark]:
    yield text("servers", 6, top - 12, "Servers", "title")
    for name in range(state["servers"]):
        y = top + LANE * name
        yield text(f"server {name}", LEFT - 12, y + 15, str(name), "note", anchor="end")
        yield polyline(f"lane {name}", [(LEFT, y + LANE - 2), (RIGHT, y + LANE - 2)], "axis")
    for i, (start, end) in enumerate(zip(state["starts"], state["ends"], strict=True)):
        if start <= state["time"]:
            y = top + LANE * int(state["server"][i])
            css = "under-3" if end <= state["time"] else "node lit"
            left, right = _x(state, start), _x(state, min(end, state["time"]))
            yield rect(f"slot {i}", left + 0.5, y + 1, max(right - left - 1, 1.5), LANE - 5, css, radius=2)
            if right - left > 12:
                number = "on-lit" if css == "node lit" else ""
                yield text(f"slot name {i}", (left + right) / 2, y + 15.5, str(i), number, anchor="middle")


def _draw_curve(state: Mapping[str, Any], top: float, bottom: float) -> Iterator[Mark]:
    yield text("count", 6, top - 14, "How many there are", "title")
    for level in (0, MOST):
        y = bottom - (bottom - top) * level / MOST
        yield polyline(f"level {level}", [(LEFT, y), (RIGHT, y)], "axis")
        yield text(f"level name {level}", LEFT - 12, y + 4, str(level), "note", anchor="end")
    for label, column, css in (("in the system", 1, "series-1"), ("waiting", 2, "series-2")):
        points: list[tuple[float, float]] = []
        for moment in state["curve"]:
            height = bottom - (bottom - top) * moment[column] / MOST
            if points:
                points.append((_x(state, moment[0]), points[-1][1]))
            points.append((_x(state, moment[0]), height))
        yield polyline(f"curve {label}", points, f"curve {css}")
        yield circle(f"end {label}", *points[-1], 3.5, f"dot {css}")
    yield text("label in the system", RIGHT, top - 14, "in the system", "label series-1", anchor="end")
    yield text("label waiting", RIGHT - 118, top - 14, "waiting", "label series-2", anchor="end")


QUEUE_SIMULATION = Layout(
    title="Ten customers at two servers",
    note="Each customer is a bar in time: orange while waiting, blue while served; the number behind it is the wait. "
    "The same services stand on the lanes of the servers. The upper curve is the number in the system: the area below "
    "it is the time that all customers spend there together, which is Little's law. First who came first is served "
    "first; then the same customers come again, and who came last is served first.",
    steps=serve_in_two_ways,
    draw=draw_queue,
)
