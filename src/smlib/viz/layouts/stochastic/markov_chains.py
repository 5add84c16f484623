"""Markov chains: a walker on five places, where it may be and where it was, and how both come to the same."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from smlib._core.trace import Step
from smlib.stochastic.markov_chains.chain import MarkovChain
from smlib.stochastic.markov_chains.trace import trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

# Two parts, A B C and D E, between which one goes seldom.
NAMES = "ABCDE"
CHANCES = np.array(
    [
        [0.2, 0.4, 0.4, 0.0, 0.0],
        [0.6, 0.0, 0.4, 0.0, 0.0],
        [0.3, 0.5, 0.0, 0.2, 0.0],
        [0.0, 0.0, 0.3, 0.0, 0.7],
        [0.0, 0.0, 0.0, 0.5, 0.5],
    ]
)
PLACES: list[tuple[float, float]] = [(70, 62), (70, 178), (188, 120), (300, 120), (398, 120)]
# Where the loop of a place is drawn: the direction from its middle.
LOOPS = {0: (-0.8, -0.6), 4: (0.0, -1.0)}
TIMES = (*range(1, 13), 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
SEED = 47

WIDTH, HEIGHT = 460, 498
RADIUS, LOOP = 19.0, 15.0
BROADEST = 12.0

BARS_TOP, BARS_BOTTOM, BARS_LEFT, BAR, BETWEEN = 240.0, 318.0, 52.0, 26.0, 78.0

CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 52.0, 366.0, 386.0, 468.0
LOWEST, LATEST = -4, 4


def walk() -> Iterator[Step]:
    """Yield the steps of the walk that is shown."""
    return trace(MarkovChain(CHANCES, NAMES), TIMES, init="A", rng=SEED)


def draw_walk(state: Mapping[str, Any]) -> Scene:
    """Draw a step: the chain above, bars below it, and how far both are from the stationary distribution."""
    return Scene(WIDTH, HEIGHT, (*_draw_arrows(state), *_draw_places(state), *_draw_bars(state), *_draw_chart(state)))


def _draw_arrows(state: Mapping[str, Any]) -> Iterator[Mark]:
    """Draw each step that has a chance from rim to rim, as broad as that; what the walker took is lit."""
    yield text("chain", 6, 16, "A chain, and who walks on it", "title")
    path = state["path"]
    taken = tuple(path[-2:]) if len(path) == 2 else None
    for i, j in np.argwhere(state["P"] > 0.0).tolist():
        css = "edge lit" if taken == (i, j) else "edge"
        chance = float(state["P"][i, j])
        if i == j:
            yield from _draw_loop(i, chance, css)
            continue
        (x, y), (to_x, to_y) = PLACES[i], PLACES[j]
        length = math.hypot(to_x - x, to_y - y)
        along = ((to_x - x) / length, (to_y - y) / length)
        # Arrows to and fro lie side by side.
        aside = 8.0 if state["P"][j, i] > 0.0 else 0.0
        near, far = RADIUS + 3.0, length - RADIUS - 4.0

        def place(distance: float, side: float, x: float = x, y: float = y, a: Any = along, off: float = aside) -> Any:
            side += off
            return x + distance * a[0] - side * a[1], y + distance * a[1] + side * a[0]

        breadth = 0.5 * BROADEST * chance
        band = [place(near, breadth), place(far - 5, breadth), place(far - 5, -breadth), place(near, -breadth)]
        yield polyline(f"band {i}>{j}", [*band, band[0]], css)
        yield polyline(f"head {i}>{j}", [place(far - 7, 4), place(far, 0), place(far - 7, -4)], css)
        x, y = place(0.5 * length, 13.0)
        yield text(f"chance {i}>{j}", x, y + 4, f"{chance:.1f}".lstrip("0"), "note", anchor="middle")


def _draw_loop(i: int, chance: float, css: str) -> Iterator[Mark]:
    """Draw a step from a place to itself as a circle that begins and ends at its rim."""
    x, y = PLACES[i]
    dx, dy = LOOPS[i]
    middle = x + (RADIUS + 0.6 * LOOP) * dx, y + (RADIUS + 0.6 * LOOP) * dy
    angle = math.atan2(-dy, -dx)
    turns = [angle + 0.95 + (2 * math.pi - 1.9) * k / 24 for k in range(25)]
    points = [(middle[0] + LOOP * math.cos(turn), middle[1] + LOOP * math.sin(turn)) for turn in turns]
    yield polyline(f"band {i}>{i}", points, css)
    tip, back = points[-1], turns[-1] - 0.5 * math.pi
    wings = [(tip[0] + 8 * math.cos(back + side), tip[1] + 8 * math.sin(back + side)) for side in (-0.9, 0.2)]
    yield polyline(f"head {i}>{i}", [wings[0], tip, wings[1]], css)
    beyond = RADIUS + 1.6 * LOOP + 8.0
    yield text(
        f"chance {i}>{i}", x + beyond * dx, y + beyond * dy + 4, f"{chance:.1f}".lstrip("0"), "note", anchor="middle"
    )


def _draw_places(state: Mapping[str, Any]) -> Iterator[Mark]:
    here = int(state["path"][-1])
    for k, (x, y) in enumerate(PLACES):
        yield circle(f"place {k}", x, y, RADIUS, "node done")
    yield circle("walker", *PLACES[here], RADIUS, "node lit")
    for k, (x, y) in enumerate(PLACES):
        yield text(f"name {k}", x, y + 4, NAMES[k], "on-lit" if k == here else "title", anchor="middle")


def _draw_bars(state: Mapping[str, Any]) -> Iterator[Mark]:
    """Draw for each place the chance to be there, the share of time spent there, and a line at what both come to."""
    yield text("bars", 6, BARS_TOP - 18, f"After {state['time']:,} steps", "title")
    yield text("key chances", 158, BARS_TOP - 18, "chance to be there", "label series-1")
    yield text("key shares", 318, BARS_TOP - 18, "share of its time", "label series-2")
    tall = BARS_BOTTOM - BARS_TOP
    for k in range(len(NAMES)):
        left = BARS_LEFT + k * BETWEEN
        for name, css, values, at in (
            ("chances", "node lit", state["chances"], left),
            ("shares", "cut", state["shares"], left + BAR),
        ):
            height = tall * float(values[k])
            yield rect(f"{name} {k}", at, BARS_BOTTOM - height, BAR, height, css)
        level = BARS_BOTTOM - tall * float(state["stationary"][k])
        yield polyline(f"stationary {k}", [(left - 6, level), (left + 2 * BAR + 6, level)], "")
        yield text(f"bar {k}", left + BAR, BARS_BOTTOM + 17, NAMES[k], "title", anchor="middle")
    yield polyline(
        "floor", [(BARS_LEFT - 10, BARS_BOTTOM), (BARS_LEFT + 4 * BETWEEN + 2 * BAR + 10, BARS_BOTTOM)], "axis"
    )


def _draw_chart(state: Mapping[str, Any]) -> Iterator[Mark]:
    yield text("chart", 6, CHART_TOP - 16, "How far both are from the lines (total variation)", "title")
    for exponent in range(LOWEST, 1):
        y = _height(10.0**exponent)
        yield polyline(f"line {exponent}", [(CHART_LEFT, y), (CHART_RIGHT, y)], "axis")
        label = f"1e{exponent}" if exponent else "1"
        yield text(f"power {exponent}", CHART_LEFT - 6, y + 4, label, "note", anchor="end")
    for exponent in range(LATEST + 1):
        x = _across(10**exponent)
        yield text(f"time {exponent}", x, CHART_BOTTOM + 18, f"{10**exponent:,}", "note", anchor="middle")
    yield text("steps", CHART_RIGHT + 34, CHART_BOTTOM + 18, "steps", "note")
    shown = [point for point in state["curve"] if point[0] > 0]
    if not shown:
        return
    chance, share = (_until_it_leaves([(_across(point[0]), _height(point[k])) for point in shown]) for k in (1, 2))
    # Names of curves that end at the same step stand one above the other.
    apart = share[-1][1] - chance[-1][1]
    push = max(0.0, 15.0 - abs(apart)) * math.copysign(0.5, apart) if chance[-1][0] == share[-1][0] else 0.0
    for name, css, points, shift in (("chance", "series-1", chance, -push), ("share", "series-2", share, push)):
        yield polyline(f"curve {name}", points, f"curve {css}")
        yield circle(f"end {name}", *points[-1], 3.5, f"dot {css}")
        yield text(f"label {name}", points[-1][0] + 8, points[-1][1] + 4 + shift, name, f"label {css}")


def _until_it_leaves(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a curve up to the first point on the floor of the chart."""
    below = [k for k, (_, y) in enumerate(points) if y >= CHART_BOTTOM]
    return list(points[: below[0] + 1] if below else points)


def _across(time: float) -> float:
    return CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * math.log10(time) / LATEST


def _height(distance: float) -> float:
    part = (math.log10(max(distance, 1e-300)) - LOWEST) / -LOWEST
    return CHART_BOTTOM - (CHART_BOTTOM - CHART_TOP) * min(max(part, 0.0), 1.0)


MARKOV_CHAINS = Layout(
    title="A walk on a Markov chain",
    note="Five places; an arrow is as broad as the chance to take it, which is written beside it. The filled bars are "
    "the chances to be in each place, for one who knows where the walk began and does not look; the pale ones are the "
    "share of its time that this walk has spent there. Lines are the stationary distribution. The chances come to the "
    "lines within some dozens of steps, by the same factor each. The walk needs thousands: its shares come nearer as "
    "the square root of the number of steps.",
    steps=walk,
    draw=draw_walk,
)
