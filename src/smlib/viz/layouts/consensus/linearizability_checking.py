"""A history as bars on an axis of time, a lane for each client, and the moments at which the operations took effect.

Time is by rank: each call and each response is one step further to the right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from smlib._core.trace import Step
from smlib.consensus import CompareAndSetRegister, Operation
from smlib.consensus.linearizability_checking.drawing import describe_operation
from smlib.consensus.linearizability_checking.trace import trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

LEFT, RIGHT, TOP = 40.0, 640.0, 44.0
LANE, BAR, DOT = 62.0, 22.0, 9.0

FOUND = "Filled: these contradict each other. Broken: it may have happened or not."

# Figure 9-4 of Kleppmann's book, from left to right.
FIGURE = [
    Operation("B", 0, 10, ("read",), 1),
    Operation("D", 1, 6, ("write", 0), None),
    Operation("A", 2, 12, ("write", 1), None),
    Operation("C", 11, 14, ("read",), 1),
    Operation("B", 13, 18, ("cas", 1, 2), True),
    Operation("C", 16, 20, ("read",), 2),
    Operation("D", 15, 22, ("cas", 0, 3), False),
    Operation("C", 21, 30, ("cas", 2, 4), True),
    Operation("A", 23, 25, ("read",), 4),
    Operation("B", 26, 29, ("read",), 2),
]


def search_figure() -> Iterator[Step]:
    """Yield the search for an order of a register's operations, of which the last one reads what is old."""
    return trace(FIGURE, CompareAndSetRegister(0))


def draw_history(state: Mapping[str, Any]) -> Scene:
    """Draw the operations, those that are in order with their moments, and how far the search has come."""
    operations: list[Operation] = state["operations"]
    clients = sorted({str(operation.client) for operation in operations})
    lanes = {client: TOP + LANE * place for place, client in enumerate(clients)}
    times = sorted({time for operation in operations for time in operation[1:3] if time is not None} - {math.inf})
    width = (RIGHT - LEFT) / len(times)
    columns = {time: LEFT + width * rank for rank, time in enumerate(times)}
    floor = TOP + LANE * len(clients)
    marks = [
        text("value", 6, 18, FOUND if state["part"] else f"State: {state['value']}", "title"),
        *_draw_bars(state, columns, lanes),
        *_draw_moments(state, columns, lanes, width),
    ]
    if state["now"] is not None:
        x = columns[state["now"]]
        marks.append(polyline("now", [(x, TOP - 12), (x, floor - 18)], "series-2"))
        marks.append(text("until", x, TOP - 16, "this far", "note", anchor="middle"))
    return Scene(RIGHT + 16, floor + 6, tuple(marks))


def _draw_bars(state: Mapping[str, Any], columns: Mapping[float, float], lanes: Mapping[str, float]) -> Iterator[Mark]:
    for client, y in lanes.items():
        yield text(f"client {client}", 6, y + 16, client, "title")
        yield polyline(f"lane {client}", [(LEFT, y + BAR / 2), (RIGHT, y + BAR / 2)], "axis")
    for number, operation in enumerate(state["operations"]):
        y = lanes[str(operation.client)]
        begin, end = columns[operation.call], columns.get(operation.response, RIGHT)
        css = "node done" if number in state["order"] else "node"
        if state["part"]:
            css = (
                "node lit"
                if number in state["part"]
                else "node pending"
                if number in state["helpers"]
                else "node faint"
            )
        yield rect(f"bar {number}", begin, y, end - begin, BAR, css, radius=4)
        faint = "note faint" if css == "node faint" else "title" if number in state["part"] else ""
        yield text(f"label {number}", begin, y + BAR + 14, describe_operation(operation), faint)


def _draw_moments(
    state: Mapping[str, Any], columns: Mapping[float, float], lanes: Mapping[str, float], width: float
) -> Iterator[Mark]:
    """Draw the moments with their ranks; of several in one column each stands further to the right."""
    same, before = 0, None
    for rank, (number, moment) in enumerate(zip(state["order"], state["moments"], strict=True), 1):
        same = same + 1 if moment == before else 0
        before = moment
        x = columns[moment] + width / 2 + same * width * 0.8
        y = lanes[str(state["operations"][number].client)] + BAR / 2
        yield circle(f"moment {number}", x, y, DOT, "node lit")
        yield text(f"rank {number}", x, y + 4.5, str(rank), "on-lit", anchor="middle")


LINEARIZABILITY_CHECKING = Layout(
    title="A search for an order",
    note="A figure of Kleppmann's book: four clients, and one register, which is 0 at first. Each bar is an operation, "
    "from its call to its response. The circles are the moments at which the operations may have taken effect, in the "
    "order that the search has found so far; the broken line is the return to which it has come. All looks well until "
    "B reads 2 at the end.",
    steps=search_figure,
    draw=draw_history,
)
