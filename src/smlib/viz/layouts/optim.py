"""How the topics of optimisation look."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from smlib._core.trace import Step
from smlib.optim.linear_program import LinearProgram
from smlib.optim.tableau.textbook import TOLERANCE, say_number
from smlib.optim.tableau.trace import trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

# The simplex method: the polygon above, where there are two unknowns, and the tableau below.

WIDTH = 400.0
LEFT, RIGHT_MARGIN = 6.0, 6.0
PLOT_LEFT, PLOT_RIGHT, PLOT_TOP, PLOT_BOTTOM = 30.0, 392.0, 44.0, 236.0
TICKS = 5
# Along each line so many places are tried for its name.
PLACES = 32

ROW = 25.0
# The room that a letter takes, at most; the columns of names, of entries, of values and of ratios.
LETTER = 9.0
NAMES, NARROWEST, WIDEST, VALUES, RATIOS = 76.0, 54.0, 110.0, 66.0, 56.0
LONGEST_NAME = 11

PHASES = {1: "Phase 1: meet all limits", 2: "Phase 2: improve"}
TITLES = {
    "optimal": "Optimal",
    "infeasible": "Infeasible",
    "unbounded": "Unbounded",
    "cycling": "Round in circles",
    "limit": "Stopped",
}

# Demand: the dairy sells 10 kilograms by contract; and what is more than it can make.
CONTRACT, TOO_MUCH = 10.0, 25.0


def make_dairy(contract: float) -> LinearProgram:
    """Return the essay's dairy with an order of butter, and a contract on butter and cheese together."""
    return LinearProgram(
        [5, 4],
        [[6, 4], [2, 3], [0, 1], [1, 1]],
        row_lower=[-np.inf, -np.inf, 6, contract],
        row_upper=[120, 60, np.inf, np.inf],
        maximize=True,
        row_names=["milk", "work", "order", "contract"],
        column_names=["cheese", "butter"],
    )


def plan_dairy() -> Iterator[Step]:
    """Yield the way to the best plan of the dairy, then the proof that there is none for a greater contract."""
    yield from trace(make_dairy(CONTRACT))
    for step in trace(make_dairy(TOO_MUCH)):
        if step.state["moment"] == "start":
            yield replace(
                step,
                caption=f"The same dairy, with a contract on {TOO_MUCH:g} kilograms. {step.caption}",
                question=f"What will become of the polygon if the contract is on {TOO_MUCH:g} kilograms?",
            )
        else:
            yield step


def draw_tableau(state: Mapping[str, Any]) -> Scene:
    """Draw a step of the simplex method."""
    columns, rows = len(state["columns"]), len(state["rows"])
    has_picture = "window" in state
    names = max(NAMES, *(LETTER * len(_short(name)) + 10.0 for name in state["names"]))
    fixed = LEFT + names + VALUES + RATIOS + RIGHT_MARGIN
    column = min(max((WIDTH - fixed) / max(columns, 1), NARROWEST), WIDEST)
    width = max(WIDTH, fixed + columns * column)
    top = PLOT_BOTTOM + 34.0 if has_picture else 34.0
    height = top + (2 if _has_places(state) else 1) * ROW + (rows + 2) * ROW + 6.0
    marks = [*_draw_title(state, width)]
    if has_picture:
        marks += _draw_polygon(state)
    marks += _draw_table(state, top, names, column)
    return Scene(width, height, tuple(marks))


def _draw_title(state: Mapping[str, Any], width: float) -> Iterator[Mark]:
    title = TITLES.get(state["status"], PHASES[state["phase"]])
    yield text("title", LEFT, 16, title, "title")
    objective = f"objective {say_number(state['objective'])}"
    css = "label series-2" if state.get("level") is not None else "note"
    yield text("objective", width - RIGHT_MARGIN, 16, objective, css, anchor="end")


def _draw_polygon(state: Mapping[str, Any]) -> Iterator[Mark]:
    """Draw what is feasible, all limits, the line of equal objective, and the way to the present corner."""

    def place(point: Any) -> tuple[float, float]:
        part = (np.asarray(point) - low) / (high - low)
        x = PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * float(part[0])
        return x, PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * float(part[1])

    low, high = state["window"]
    if len(state["polygon"]):
        yield polyline("polygon", map(place, (*state["polygon"], state["polygon"][0])), "even")
    yield from _draw_frame(state, place)
    lines = [[place(end) for end in ends] for _, _, ends in state["lines"]]
    taken = [point for line in lines for point in _sample(line)]
    labels = []
    for number, ((k, value, _), line) in enumerate(zip(state["lines"], lines, strict=True)):
        lit = k in state["columns"] and abs(state["values"][k] - value) <= TOLERANCE * (1.0 + abs(value))
        yield polyline(f"limit {number}", line, "edge lit" if lit else "edge")
        name = _short(state["names"][k])
        label = f"{name} = {say_number(value)}" if k < 2 or value else name
        x, y = _find_room(label, line, taken)
        half = LETTER * len(label) / 2
        for rise in (-10.0, -5.0, 0.0):
            taken += _sample([(x - half, y + rise), (x + half, y + rise)])
        css = "label series-1" if lit else "note"
        labels.append(text(f"limit label {number}", x, y, label, css, anchor="middle"))
    yield from labels
    if state["level"] is not None:
        yield polyline("level", map(place, state["level"]), "curve series-2")
    if state["far"] is not None:
        yield polyline("ray", map(place, state["far"]), "curve")
    yield polyline("path", map(place, state["path"]), "curve")
    for number, point in enumerate(state["path"][:-1]):
        yield circle(f"corner {number}", *place(point), 3.5, "node")
    yield circle("point", *place(state["x"]), 6, "dot series-2")


def _draw_frame(state: Mapping[str, Any], place: Callable[[Any], tuple[float, float]]) -> Iterator[Mark]:
    """Draw the window's edge, its numbers, and which unknown goes to the right and which upwards."""
    low, high = state["window"]
    corners = [low, (high[0], low[1]), high, (low[0], high[1]), low]
    yield polyline("frame", map(place, corners), "axis")
    right, up = (_short(name) for name in state["names"][:2])
    yield text("to the right", PLOT_RIGHT, PLOT_BOTTOM + 16, right, "note", anchor="end")
    yield text("upwards", LEFT, PLOT_TOP - 8, up, "note")
    for axis in range(2):
        for value in _ticks(low[axis], high[axis]):
            x, y = place((value, low[1]) if axis == 0 else (low[0], value))
            if axis == 1:
                yield text(f"tick 1 {value:g}", x - 5, y + 4.5, say_number(value), "note", anchor="end")
            elif x < PLOT_RIGHT - LETTER * len(right) - 14:
                yield text(f"tick 0 {value:g}", x, y + 16, say_number(value), "note", anchor="middle")


def _find_room(label: str, line: list[tuple[float, float]], taken: list[tuple[float, float]]) -> tuple[float, float]:
    """Return a place beside a line, inside the plot, where a label covers as little as can be."""
    half = LETTER * len(label) / 2
    (x0, y0), (x1, y1) = line
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    across = (y0 - y1) / length, (x1 - x0) / length
    gap = abs(across[0]) * half + abs(across[1]) * 7.0 + 4.0
    spots = np.array(taken)
    least, best = len(taken) + 1, line[0]
    for part in range(1, PLACES):
        for side in (-gap, gap):
            x = x0 + (x1 - x0) * part / PLACES + side * across[0]
            y = y0 + (y1 - y0) * part / PLACES + side * across[1]
            if PLOT_LEFT + half < x < PLOT_RIGHT - half and PLOT_TOP + 8.0 < y < PLOT_BOTTOM - 8.0:
                covered = int(((np.abs(spots[:, 0] - x) < half + 2.0) & (np.abs(spots[:, 1] - y) < 8.0)).sum())
                if covered < least:
                    least, best = covered, (x, y + 5.0)
    return best


def _sample(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points along a line, a few units apart."""
    (x0, y0), (x1, y1) = line
    count = int(math.hypot(x1 - x0, y1 - y0) / 4.0) + 1
    return [(x0 + (x1 - x0) * k / count, y0 + (y1 - y0) * k / count) for k in range(count + 1)]


def _draw_table(state: Mapping[str, Any], top: float, names: float, column: float) -> Iterator[Mark]:
    """Draw the tableau: who stops whom stands at the right, what a column is worth at the bottom."""
    rows, columns, entering, leaving = state["rows"], state["columns"], state["entering"], state["leaving"]
    head = top + (ROW if _has_places(state) else 0.0)
    first = LEFT + names
    values = first + len(columns) * column + VALUES
    ratios = values + RATIOS
    counts = "costs" if state["phase"] == 2 else "violations"
    bottom = head + ROW * (len(rows) + (3 if state["phase"] == 1 else 2))
    # Numbers end here in their column.
    ends = [first + (j + 1) * column - 12.0 for j in range(len(columns))]

    def base(row: int) -> float:
        return head + ROW * (row + 1) + 17.0

    if entering is not None:
        yield rect("entering", first + entering * column + 3, top, column - 6, bottom - top, "over-1", radius=4)
    if leaving is not None:
        yield rect("leaving", LEFT - 4, base(leaving) - 17, ratios - LEFT + 8, ROW, "under-1", radius=4)
        if entering is not None:
            x, y = first + entering * column + 3, base(leaving) - 17
            corners = [(x, y), (x + column - 6, y), (x + column - 6, y + ROW), (x, y + ROW), (x, y)]
            yield polyline("pivot", corners, "edge lit")
    for number, line in enumerate((head + ROW, head + ROW * (len(rows) + 1))):
        yield polyline(f"rule {number}", [(LEFT, line), (ratios, line)], "axis")
    yield text("values", values - 6, head + 17, "value", "note", anchor="end")
    yield text("ratios", ratios - 2, head + 17, "ratio", "note", anchor="end")

    for j, k in enumerate(columns):
        yield text(f"name {k}", ends[j], top + 17, _short(state["names"][k]), _bold(j == entering), anchor="end")
        if _has_places(state):
            yield text(f"place {k}", ends[j], head + 17, f"at {say_number(state['values'][k])}", "note", anchor="end")
    for i, k in enumerate(rows):
        yield text(f"name {k}", LEFT, base(i), _short(state["names"][k]), _bold(i == leaving))
        for j, entry in enumerate(state["entries"][i]):
            css = _bold(i == leaving and j == entering)
            yield text(f"entry {i},{j}", ends[j], base(i), say_number(entry), css, anchor="end")
        value = state["values"][k]
        fits = state["lower"][k] - TOLERANCE <= value <= state["upper"][k] + TOLERANCE
        css = "" if fits else "label series-2"
        yield text(f"value {i}", values - 6, base(i), say_number(value), css, anchor="end")
        if state["ratios"] is not None and np.isfinite(state["ratios"][i]):
            css = _bold(i == leaving)
            yield text(f"ratio {i}", ratios - 2, base(i), say_number(state["ratios"][i]), css, anchor="end")

    totals = {"costs": ("cost", state["objective"]), "violations": ("violation", state["violation"])}
    for row, (name, (label, total)) in enumerate(totals.items(), start=len(rows)):
        if state[name] is not None:
            css = "" if name == counts else "note"
            yield text(name, LEFT, base(row), label, css)
            for j, cost in enumerate(state[name]):
                strong = "title" if name == counts and j == entering else css
                yield text(f"{name} {j}", ends[j], base(row), say_number(cost), strong, anchor="end")
            yield text(f"{name} total", values - 6, base(row), say_number(total), css, anchor="end")


def _bold(is_chosen: bool) -> str:
    return "title" if is_chosen else ""


def _has_places(state: Mapping[str, Any]) -> bool:
    """Return whether a nonbasic variable may stand at anything but 0: then it is said where each stands."""
    lower, upper = state["lower"], state["upper"]
    return bool((np.isfinite(upper) & (upper != 0.0)).any() or (np.isfinite(lower) & (lower != 0.0)).any())


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _ticks(low: float, high: float) -> list[float]:
    """Return a few round numbers between two."""
    rough = (high - low) / TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(float(power * factor) for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= rough)
    return [step * k for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


LAYOUTS = {
    "tableau": Layout(
        title="From corner to corner of a linear program",
        note="A dairy makes cheese, which earns 5 a kilogram, and butter, which earns 4. A kilogram takes 6 or 4 "
        "litres of milk, of which there are 120, and 2 or 3 hours of work, of which there are 60. There is an "
        "order of 6 kilograms of butter, and a contract on 10 of both together; plans that fall short of them "
        "are not allowed. The table says how the names at the left depend on those above it, which are 0: in the "
        "picture two thick lines, which meet at the present corner. On the dashed line all points earn the same. "
        "Then the same with a contract that is too large.",
        steps=plan_dairy,
        draw=draw_tableau,
    )
}
