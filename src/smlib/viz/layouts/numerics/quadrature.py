"""Adaptive quadrature: the curve, the intervals below it by their depth, and how the errors fall."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from smlib._core.trace import Step
from smlib.numerics.quadrature.bisection import DEPTH, ERROR, LEFT, RIGHT
from smlib.numerics.quadrature.trace import trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

WIDTH, HEIGHT = 440, 486
MARGIN_LEFT, MARGIN_RIGHT = 52.0, 424.0

CURVE_TOP, CURVE_BOTTOM = 26.0, 146.0
# The curve is cut off above this many times its median.
CUT = 6.0

# The intervals stand by their depth; what is deeper than all levels stands at the last.
TREE_TOP, LEVEL, LEVELS = 178.0, 13.0, 8

CHART_TOP, CHART_BOTTOM = 330.0, 452.0
LABELS = 350.0
LINE = 15.0
SERIES = (("errors", "estimate", "series-1"), ("true_errors", "truth", "series-2"))
# The chart's vertical axis: powers of ten.
LOWEST, HIGHEST = -15, 0

SHADES = 12
# The shades reach from this error, and below, to 1.
SETTLED = 1e-9

PEAKS = ((0.3, 0.006, 1.5), (0.78, 0.05, 0.8))
GROUND = 0.5
TOLERANCE = 1e-6


def peaks(x: float) -> float:
    """Return the height of two peaks on level ground, a narrow and a wide one."""
    return GROUND + sum(height / (1.0 + ((x - place) / width) ** 2) for place, width, height in PEAKS)


def pole(x: float) -> float:
    """Return 1 over the root."""
    return 1.0 / math.sqrt(x)


def bisect_two_functions() -> Iterator[Step]:
    """Yield the bisections for two peaks, then those for a singularity."""
    exact = GROUND + sum(
        height * width * (math.atan((1.0 - place) / width) + math.atan(place / width)) for place, width, height in PEAKS
    )
    yield from trace(peaks, 0.0, 1.0, tolerance=TOLERANCE, exact=exact)
    for step in trace(pole, 0.0, 1.0, tolerance=TOLERANCE, exact=2.0):
        if step.state["next"] == 0 and len(step.state["intervals"]) == 1:
            yield replace(
                step,
                caption=f"Another curve, 1 / sqrt(x), with no end at 0. {step.caption}",
                question="Two peaks took some ten intervals. How many will a curve take that has no end at 0?",
            )
        else:
            yield step


def draw_bisection(state: Mapping[str, Any]) -> Scene:
    """Draw a step of adaptive quadrature."""
    return Scene(WIDTH, HEIGHT, (*_draw_curve(state), *_draw_intervals(state), *_draw_errors(state)))


def _place(state: Mapping[str, Any], x: float) -> float:
    low, high = state["intervals"][:, LEFT].min(), state["intervals"][:, RIGHT].max()
    return MARGIN_LEFT + (MARGIN_RIGHT - MARGIN_LEFT) * float((x - low) / (high - low))


def _draw_curve(state: Mapping[str, Any]) -> Iterator[Mark]:
    places, values = state["curve"]
    top = min(float(values.max()), CUT * sorted(values)[len(values) // 2])
    bottom = min(float(values.min()), 0.0)

    def height(value: float) -> float:
        part = (value - bottom) / (top - bottom or 1.0)
        return CURVE_BOTTOM - (CURVE_BOTTOM - CURVE_TOP) * part

    yield text("curve title", MARGIN_LEFT, 16, "The curve", "title")
    known = state["end_error"] < state["error"]
    area = f"{'extrapolated area' if known else 'area'} {state['end'] if known else state['total']:.8f}"
    yield text("integral", MARGIN_RIGHT, 16, area, "note", anchor="end")
    if state["next"] is not None:
        left, right = state["intervals"][state["next"], [LEFT, RIGHT]]
        x = _place(state, left)
        yield rect("next", x, CURVE_TOP, _place(state, right) - x, CURVE_BOTTOM - CURVE_TOP, "over-1")
    for k, row in enumerate(state["intervals"]):
        x = _place(state, row[RIGHT])
        yield polyline(f"end {k}", [(x, CURVE_TOP), (x, CURVE_BOTTOM)], "axis")
    yield polyline("ground", [(MARGIN_LEFT, height(0.0)), (MARGIN_RIGHT, height(0.0))], "axis")
    points = [(_place(state, x), height(value)) for x, value in zip(places, values, strict=True) if value <= top]
    yield polyline("curve", points, "curve series-1")


def _draw_intervals(state: Mapping[str, Any]) -> Iterator[Mark]:
    """Draw each interval at its depth, in a shade that tells its error."""
    yield text("interval title", MARGIN_LEFT, TREE_TOP - 10, _count(len(state["intervals"])), "title")
    yield text("shades", MARGIN_RIGHT - 100, TREE_TOP - 10, "error", "note", anchor="end")
    for k in range(SHADES):
        yield rect(f"shade {k}", MARGIN_RIGHT - 8 * (SHADES - k), TREE_TOP - 18, 8, 8, f"heat-{k}")
    for depth in range(0, LEVELS, 2):
        yield text(f"depth {depth}", MARGIN_LEFT - 8, TREE_TOP + depth * LEVEL + 10, str(depth), "note", anchor="end")
    for k, row in enumerate(state["intervals"]):
        x, level = _place(state, row[LEFT]), min(int(row[DEPTH]), LEVELS - 1)
        part = math.log(max(row[ERROR], SETTLED) / SETTLED) / -math.log(SETTLED)
        css = f"heat-{min(int(SHADES * part), SHADES - 1)}"
        yield rect(f"interval {k}", x, TREE_TOP + level * LEVEL, _place(state, row[RIGHT]) - x - 1, LEVEL - 1, css)


def _count(intervals: int) -> str:
    return f"{intervals} intervals" if intervals > 1 else "1 interval"


def _draw_errors(state: Mapping[str, Any]) -> Iterator[Mark]:
    splits = max(len(state["errors"]) - 1, 10)

    def curve(errors: Sequence[float]) -> list[tuple[float, float]]:
        return [
            (MARGIN_LEFT + (LABELS - MARGIN_LEFT) * k / splits, _height(error))
            for k, error in enumerate(errors)
            if error < math.inf
        ]

    yield text("chart", MARGIN_LEFT, CHART_TOP - 12, "The error", "title")
    for exponent in range(LOWEST, HIGHEST + 1, 5):
        y = _height(10.0**exponent)
        yield polyline(f"line {exponent}", [(MARGIN_LEFT, y), (LABELS, y)], "axis")
        yield text(
            f"power {exponent}", MARGIN_LEFT - 6, y + 4, f"1e{exponent}" if exponent else "1", "note", anchor="end"
        )
    for split in range(0, splits + 1, 2):
        x = MARGIN_LEFT + (LABELS - MARGIN_LEFT) * split / splits
        yield text(f"split {split}", x, CHART_BOTTOM + 18, str(split), "note", anchor="middle")
    yield text("splits", LABELS + 14, CHART_BOTTOM + 18, "splits", "note")
    wanted = _height(state["tolerance"])
    yield polyline("tolerance", [(MARGIN_LEFT, wanted), (LABELS, wanted)], "faint")
    yield text("tolerance label", LABELS + 6, wanted + 4, "tolerance", "note")
    ends = [_height(state[name][-1]) for name in ("errors", "true_errors")]
    gap = max(LINE - abs(ends[0] - ends[1]), 0.0) / 2
    gaps = (-gap, gap) if ends[0] <= ends[1] else (gap, -gap)
    for (name, label, css), shift in zip(SERIES, gaps, strict=True):
        points = curve(state[name])
        yield polyline(name, points, f"curve {css}")
        yield circle(f"{name} end", *points[-1], 3.5, f"dot {css}")
        yield text(f"{name} label", points[-1][0] + 8, points[-1][1] + shift + 4, label, f"label {css}")
    if state["end_error"] < state["error"]:
        x, y = curve(state["errors"])[-1][0], _height(state["end_error"])
        yield circle("extrapolated", x, y, 4, "dot series-1")
        yield text("extrapolated label", x + 8, y + 4, "extrapolated", "label series-1")


def _height(error: float) -> float:
    part: float = (math.log10(max(error, 1e-300)) - LOWEST) / (HIGHEST - LOWEST)
    return CHART_BOTTOM - (CHART_BOTTOM - CHART_TOP) * min(max(part, 0.0), 1.0)


QUADRATURE = Layout(
    title="Bisecting where the error is",
    note="Two peaks on level ground: a wide one, which 21 samples do not miss, and a narrow one, which they do. Shaded "
    "is the interval that is bisected next; its halves stand one level deeper in the rows below, which tell how often "
    "each interval was halved. Then a curve with no end at 0, where each bisection leaves the same part of the error.",
    steps=bisect_two_functions,
    draw=draw_bisection,
)
