"""PageRank: pages as large as their rank, links as broad as what flows along them, and how the residual falls."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from smlib._core.trace import Step
from smlib.mining.page_rank.trace import trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, text

# A to H. D and E link to none but each other; H is dangling.
LINKS = [(0, 1), (0, 2), (1, 2), (1, 7), (2, 0), (2, 3), (3, 4), (4, 3), (5, 2), (5, 6), (6, 0)]
PLACES = [(94, 134), (94, 244), (220, 172), (336, 106), (336, 230), (220, 60), (30, 60), (200, 272)]
# Where each rank is written: left of its page, right of it, above or below.
SIDES = "LLRABRAR"
STEPS = 12

WIDTH, HEIGHT = 440, 486
LARGEST_RADIUS, LARGEST_FLOW = 60.0, 0.3

CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 52.0, 330.0, 336.0, 452.0
LOWEST = -6

SERIES = {"power": ("steps", "series-1"), "gauss-seidel": ("sweeps", "series-2")}


def walk_and_sweep() -> Iterator[Step]:
    """Yield steps of the walk on a small web, then sweeps from the same start."""
    before: Mapping[str, Any] = {}
    for step in trace(LINKS, STEPS, method="power"):
        yield _named(step)
        before = step.state
    for step in trace(LINKS, STEPS, method="gauss-seidel"):
        told = replace(_named(step), state={**step.state, "before": before})
        if len(step.state["residuals"]) == 1:
            told = replace(
                told,
                caption="The same start again, now by sweeps: each page sees what those before it have just got.",
                question=f"{STEPS} steps left a residual of {before['residuals'][-1]:.2g}. How much will be left by as "
                "many sweeps, in which each page sees new ranks at once?",
            )
        yield told


def draw_web(state: Mapping[str, Any]) -> Scene:
    """Draw a step: the web above, the residuals below."""
    return Scene(WIDTH, HEIGHT, (*_draw_links(state), *_draw_pages(state), *_draw_chart(state)))


def _named(step: Step) -> Step:
    """Call pages by letters."""
    words = step.caption.split(" ")
    return replace(step, caption=" ".join("ABCDEFGH"[int(word)] if word.isdecimal() else word for word in words))


def _radius(rank: float) -> float:
    return LARGEST_RADIUS * math.sqrt(rank)


def _draw_links(state: Mapping[str, Any]) -> Iterator[Mark]:
    """Draw each link from rim to rim, with a head; a second line inside is as broad as what flows."""
    yield text("web", 6, 16, "Rank on a small web", "title")
    flows = state["flows"] or [0.0] * len(state["links"])
    for (u, v), flow in zip(state["links"], flows, strict=True):
        (x, y), (to_x, to_y) = PLACES[u], PLACES[v]
        length = math.hypot(to_x - x, to_y - y)
        along = ((to_x - x) / length, (to_y - y) / length)
        across = (-along[1], along[0])
        # Links to and fro lie side by side.
        aside = 8.0 if (v, u) in state["links"] else 0.0
        near, far = _radius(state["ranks"][u]) + 3.0, length - _radius(state["ranks"][v]) - 5.0

        def place(
            distance: float,
            side: float,
            x: float = x + aside * across[0],
            y: float = y + aside * across[1],
            along: tuple[float, float] = along,
            across: tuple[float, float] = across,
        ) -> tuple[float, float]:
            return x + distance * along[0] + side * across[0], y + distance * along[1] + side * across[1]

        breadth = 6.0 * math.sqrt(min(flow / LARGEST_FLOW, 1.0))
        body = [place(near, breadth), place(far - 6, breadth), place(far - 6, -breadth), place(near, -breadth)]
        if flow > 0.0:
            yield polyline(f"flow {u}>{v}", [*body, body[0]], "edge")
        yield polyline(f"link {u}>{v}", [place(near, 0), place(far, 0)], "edge faint")
        yield polyline(f"head {u}>{v}", [place(far - 7, 4), place(far, 0), place(far - 7, -4)], "edge")


def _draw_pages(state: Mapping[str, Any]) -> Iterator[Mark]:
    for k, ((x, y), rank) in enumerate(zip(PLACES, state["ranks"], strict=True)):
        first = rank == max(state["ranks"]) > min(state["ranks"])
        yield circle(f"page {k}", x, y, _radius(rank), "node lit" if first else "node done")
        yield text(f"name {k}", x, y + 4, "ABCDEFGH"[k], "on-lit" if first else "title", anchor="middle")
        beyond = _radius(rank) + 4.0
        percent = f"{rank:.1%}"
        if SIDES[k] == "L":
            yield text(f"rank {k}", x - beyond, y + 4, percent, "note", anchor="end")
        elif SIDES[k] == "R":
            yield text(f"rank {k}", x + beyond, y + 4, percent, "note")
        else:
            below = beyond + 11.0 if SIDES[k] == "B" else -beyond
            yield text(f"rank {k}", x, y + below, percent, "note", anchor="middle")


def _draw_chart(state: Mapping[str, Any]) -> Iterator[Mark]:
    def curve(residuals: Sequence[float]) -> list[tuple[float, float]]:
        return [
            (CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * k / STEPS, _height(value)) for k, value in enumerate(residuals)
        ]

    yield text("chart", CHART_LEFT, CHART_TOP - 14, "What a step would still change", "title")
    for exponent in range(LOWEST, 1, 2):
        y = _height(10.0**exponent)
        yield polyline(f"line {exponent}", [(CHART_LEFT, y), (CHART_RIGHT, y)], "axis")
        label = f"1e{exponent}" if exponent else "1"
        yield text(f"power {exponent}", CHART_LEFT - 6, y + 4, label, "note", anchor="end")
    for k in range(0, STEPS + 1, 2):
        x = CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * k / STEPS
        yield text(f"step {k}", x, CHART_BOTTOM + 18, str(k), "note", anchor="middle")
    runs = [state["before"], state] if "before" in state else [state]
    for run in runs:
        label, css = SERIES[run["method"]]
        points = curve(run["residuals"])
        yield polyline(f"curve {label}", points, f"curve {css}")
        yield circle(f"end {label}", *points[-1], 3.5, f"dot {css}")
        yield text(f"label {label}", points[-1][0] + 8, points[-1][1] + 4, label, f"label {css}")


def _height(residual: float) -> float:
    part = (math.log10(max(residual, 1e-300)) - LOWEST) / -LOWEST
    return CHART_BOTTOM - (CHART_BOTTOM - CHART_TOP) * min(max(part, 0.0), 1.0)


PAGE_RANK = Layout(
    title="Rank flowing on a small web",
    note="Eight pages; the area of each is its rank, and the breadth of a link what it carries. D and E link to none "
    "but each other, and gather rank until jumps take out as much as links bring in. H links to nobody: what it has "
    "comes back to all. First the walk, step by step; then sweeps, in which each page sees the new ranks of those "
    "before it.",
    steps=walk_and_sweep,
    draw=draw_web,
)
