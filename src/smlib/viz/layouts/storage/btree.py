"""The B-tree: its levels below each other, and the key that is on its way.

It grows from the tree of Figure 18.7 of Cormen et al., which these keys make in this order, and shrinks as in Figure
18.8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

from smlib._core.trace import Step
from smlib.storage.btree.trace import Operation, trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

KEYS = "ACGJKMNOPRSXYZTUVDE"
COMMANDS: list[tuple[Operation, str]] = [*(("insert", key) for key in "BQLF"), *(("delete", key) for key in "FMGDB")]

WIDTH, HEIGHT = 400, 290
LEFT, RIGHT = 6.0, 394.0
TOP, FLOOR, BOX_HEIGHT = 60.0, 250.0, 28.0
# The room for a key of one letter, for each further one, at both ends of a node, and between two nodes.
CELL, LETTER, MARGIN, GAP = 17.5, 8.0, 3.0, 8.0
RADIUS = 11.0


class Box(NamedTuple):
    """A node of the tree as it is drawn: its top left corner, and where its gaps are, from left to right."""

    x: float
    y: float
    gaps: tuple[float, ...]

    @property
    def width(self) -> float:
        """How broad it is: as much is left on the right as on the left."""
        return self.gaps[0] + self.gaps[-1] - 2 * self.x

    @property
    def middle(self) -> float:
        """Its middle, from left to right."""
        return (self.gaps[0] + self.gaps[-1]) / 2


def grow_and_shrink() -> Iterator[Step]:
    """Yield the steps of the books' figures: four keys go into a tree of 19, and five come out."""
    return trace(COMMANDS, keys=KEYS, min_degree=3)


def draw_btree(state: Mapping[str, Any]) -> Scene:
    """Draw the tree, the nodes that a step is about, and the key that it is about."""
    return Scene(WIDTH, HEIGHT, tuple(_draw_tree(state)))


def _draw_tree(state: Mapping[str, Any]) -> Iterator[Mark]:
    levels = [[state["tree"]]]
    while below := [child for node in levels[-1] for child in node["children"]]:
        levels.append(below)
    boxes = _place(levels)
    nodes = [node for level in levels for node in level]
    lit = set(state["path"])

    said = f"{state['operation'].capitalize()} {state['key']}" if state["operation"] else "At the start"
    yield text("title", LEFT, 16, said, "title")
    figures = f"{state['tree']['size']} keys, height {len(levels) - 1}"
    yield text("figures", RIGHT, 16, figures, "note", anchor="end")
    for node in nodes:
        box = boxes[node["id"]]
        for gap, child in zip(box.gaps, node["children"], strict=False):
            end = boxes[child["id"]]
            css = "edge lit" if {node["id"], child["id"]} <= lit else "edge"
            yield polyline(f"edge {child['id']}", [(gap, box.y + BOX_HEIGHT), (end.middle, end.y)], css)
    for node in nodes:
        box, on = boxes[node["id"]], node["id"] in lit
        yield rect(f"box {node['id']}", box.x, box.y, box.width, BOX_HEIGHT, "node lit" if on else "node", radius=5)
    where = boxes[state["path"][-1]] if lit else None
    if where and state["found"]:
        left, right = where.gaps[state["place"] : state["place"] + 2]
        yield rect("cell", left, where.y + 3, right - left, BOX_HEIGHT - 6, "ground", radius=3)
    for node in nodes:
        box = boxes[node["id"]]
        for place, key in enumerate(node["keys"]):
            x = (box.gaps[place] + box.gaps[place + 1]) / 2
            found = state["found"] and node["id"] == state["path"][-1] and place == state["place"]
            css = "on-lit" if node["id"] in lit and not found else ""
            yield text(f"key {key!r}", x, box.y + 18.5, str(key), css, anchor="middle")
    if state["operation"] == "insert" and not state["found"] and where:
        # It waits above the gap that it is bound for, or above the node whose child is split.
        where = boxes[state["path"][0]] if state["change"] else where
        x = where.middle if state["change"] else where.gaps[state["place"]]
        yield circle("waits", x, where.y - RADIUS - 3, RADIUS, "node lit")
        # One that is in the tree already has its mark there.
        there = any(state["key"] in node["keys"] for node in nodes)
        mark = f"{'again' if there else 'key'} {state['key']!r}"
        yield text(mark, x, where.y - RADIUS + 1.5, str(state["key"]), "on-lit", anchor="middle")


def _place(levels: list[list[Mapping[str, Any]]]) -> dict[int, Box]:
    """Return a box for each node: leaves side by side, every other node above the middle of its children."""
    needed = sum(sum(map(_room, leaf["keys"])) + 2 * MARGIN + GAP for leaf in levels[-1]) - GAP
    scale = min(1.0, (RIGHT - LEFT) / needed)
    margin = scale * MARGIN
    boxes: dict[int, Box] = {}
    x = (LEFT + RIGHT - scale * needed) / 2
    drop = (FLOOR - TOP) / max(2, len(levels) - 1)
    for depth in range(len(levels) - 1, -1, -1):
        for node in levels[depth]:
            rooms = [scale * _room(key) for key in node["keys"]]
            if node["children"]:
                ends = [boxes[child["id"]].middle for child in (node["children"][0], node["children"][-1])]
                x = sum(ends) / 2 - sum(rooms) / 2 - margin
            gaps = list(accumulate(rooms, initial=x + margin))
            boxes[node["id"]] = Box(x, TOP + drop * depth, tuple(gaps))
            x = gaps[-1] + margin + scale * GAP
    return boxes


def _room(key: Any) -> float:
    return CELL + LETTER * (len(str(key)) - 1)


BTREE = Layout(
    title="Keys go into a B-tree, and come out again",
    note="A tree of 19 letters with 2 to 5 keys a node, as in the book of Cormen and others. Four letters are put "
    "in, then five are taken out. Watch the nodes on the way: a full one is cut in two before anything goes into "
    "it, and one with the fewest keys is given another before anything is taken out, so that nobody has to come "
    "back. All leaves stay on one level, for the tree grows and shrinks at the root alone.",
    steps=grow_and_shrink,
    draw=draw_btree,
)
