"""Commits of a B+tree in a file: what is in memory on the left, the pages of the file on the right.

In memory the tree lies on its side, leaves below each other: the branches of the old tree stand left of them, those of
the new one right. Leaves that both lead to have lines from both sides, and that is the whole secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smlib._core.trace import Step
from smlib.storage.bplustree.telling import EITHER, TREES
from smlib.storage.bplustree.trace import trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

# Values so large that four items fill a leaf of 512 bytes.
VALUE, ANOTHER = b"1" * 100, b"2" * 100
ITEMS = dict.fromkeys([b"a", b"c", b"e", b"g"], VALUE)
COMMITS: list[dict[bytes, bytes | None]] = [{b"d": VALUE}, {b"g": ANOTHER}, {b"e": None}]

MARGIN, TOP, ROW, BOX_HEIGHT = 6.0, 52.0, 28.0, 22.0
# A box has a number and keys. In memory, lines need room between the boxes.
NUMBER, BOX, BETWEEN = 18.0, 76.0, 20.0
# In the file, a row tells more, and has two dots behind it.
GAP, FILE_BOX, DOTS = 18.0, 152.0, (19.0, 51.0)
RADIUS = 4.5
# The fewest columns and rows that room is left for, so that a picture keeps its size while the tree grows.
COLUMNS, ROWS = 3, 9
# How many letters fit into a box in memory, and into one in the file.
LETTERS, FILE_LETTERS = 8, 16


def commit_three_times() -> Iterator[Step]:
    """Yield a commit that cuts the root in two, one that changes a value, and one after which two pages become one."""
    return trace(COMMITS, items=ITEMS)


def draw_bplustree(state: Mapping[str, Any]) -> Scene:
    """Draw what is in memory, what is in the file, and what a crash would leave."""
    memory, file = state["memory"], state["file"]
    places = _place(memory)
    columns = max(COLUMNS, *(1 + round((x - MARGIN) / (BOX + BETWEEN)) for x, _ in places.values()), 0)
    right = MARGIN + columns * (BOX + BETWEEN) - BETWEEN + GAP
    width = right + FILE_BOX + DOTS[1] + 18.0
    rows = max(ROWS, len(file), *(1 + round((y - TOP) / ROW) for _, y in places.values()), 0)
    height = TOP + rows * ROW + 50.0
    marks = [
        *_draw_titles(state, right, width),
        *_draw_memory(state, places),
        *_draw_file(state, right),
        *_draw_crash(state, height),
    ]
    return Scene(width, height, tuple(marks))


def _draw_titles(state: Mapping[str, Any], right: float, width: float) -> Iterator[Mark]:
    said = state["doing"][:1].upper() + state["doing"][1:] if state["doing"] else "At the start"
    yield text("title", MARGIN, 16, _short(said, 30), "title")
    yield text("commit", width - MARGIN, 16, f"commit {state['commit']}", "note", anchor="end")
    yield text("memory", MARGIN, TOP - 10, "In memory", "note")
    yield text("file", right, TOP - 10, "In the file", "note")
    for name, css, x in (("old", "label series-1", DOTS[0]), ("new", "label series-2", DOTS[1])):
        yield text(name, right + FILE_BOX + x, TOP - 10, name, css, anchor="middle")


def _place(memory: Mapping[int, Mapping[str, Any]]) -> dict[int, tuple[float, float]]:
    """Return where pages in memory stand: leaves in the middle, the old branches left of them, the new ones right."""
    above = max((page["level"] for page in memory.values() if "old" in page["trees"]), default=1) or 1
    leaves = [number for number, page in memory.items() if page["level"] == 0]
    leaves.sort(key=lambda number: (memory[number]["low"], "new" in memory[number]["trees"]))
    heights = {number: TOP + ROW * place for place, number in enumerate(leaves)}
    for level in range(1, 1 + max((page["level"] for page in memory.values()), default=0)):
        for tree in ("old", "new"):
            least = TOP
            for number, page in memory.items():
                if page["level"] == level and tree in page["trees"]:
                    below = [heights[child] for child in page["children"] if child in heights] or [least]
                    heights[number] = max(least, sum(below) / len(below))
                    least = heights[number] + ROW
    places = {}
    for number, height in heights.items():
        page = memory[number]
        column = above + (page["level"] if "new" in page["trees"] else -page["level"])
        places[number] = (MARGIN + (BOX + BETWEEN) * column, height)
    return places


def _draw_memory(state: Mapping[str, Any], places: Mapping[int, tuple[float, float]]) -> Iterator[Mark]:
    memory = state["memory"]
    if not memory:
        yield text("nothing", MARGIN, TOP + 15, "no page of the tree yet", "note")
    for tree, css in (("old", "series-1"), ("new", "series-2")):
        for number, page in memory.items():
            for child in page["children"] if tree in page["trees"] else ():
                if child in places:
                    yield polyline(f"line {number} {child}", _line(places[number], places[child]), css)
    for number, (x, y) in places.items():
        page = memory[number]
        lit = page["known"] and number in state["lit_memory"]
        css = "node lit" if lit else "node" if page["known"] else "node done"
        yield rect(f"page {number}", x, y, BOX, BOX_HEIGHT, css, radius=4)
        on = "on-lit" if lit else "note"
        yield text(f"number {number}", x + 5, y + 15.5, str(number), on)
        said = _short(_say_keys(page["keys"], page["level"] > 0), LETTERS) if page["known"] else "in file"
        css = "on-lit" if lit else "" if page["known"] else "note"
        yield text(f"keys {number}", x + (NUMBER + BOX) / 2, y + 15.5, said, css, anchor="middle")


def _line(parent: tuple[float, float], child: tuple[float, float]) -> list[tuple[float, float]]:
    """Return the line between two boxes, at the sides on which they face each other."""
    rightwards = child[0] > parent[0]
    ends = ((parent, rightwards), (child, not rightwards))
    return [(x + (BOX if right else 0.0), y + BOX_HEIGHT / 2) for (x, y), right in ends]


def _draw_file(state: Mapping[str, Any], right: float) -> Iterator[Mark]:
    for row in state["file"]:
        number, lit = row["number"], row["number"] in state["lit_file"]
        trees = [tree for tree in row["trees"] if tree == "new" or not state["returned"]]
        y = TOP + ROW * number
        used = trees or row["kind"] == "meta"
        css = "node lit" if lit else "node" if used else "node done"
        if not row["synced"]:
            css += " pending"
        yield rect(f"row {number}", right, y, FILE_BOX, BOX_HEIGHT, css, radius=4)
        yield text(f"row number {number}", right + 5, y + 15.5, str(number), "on-lit" if lit else "note")
        said = _short(_say_row(row, bool(used)), FILE_LETTERS)
        yield text(
            f"row text {number}", right + NUMBER + 5, y + 15.5, said, "on-lit" if lit else "" if used else "note"
        )
        for tree, series, x in (("old", "series-1", DOTS[0]), ("new", "series-2", DOTS[1])):
            if tree in trees:
                yield circle(f"{tree} {number}", right + FILE_BOX + x, y + BOX_HEIGHT / 2, RADIUS, f"dot {series}")


def _draw_crash(state: Mapping[str, Any], height: float) -> Iterator[Mark]:
    crashes, allowed = state["crashes"], state["allowed"]
    css = "title" if allowed == EITHER else f"label series-{1 if allowed[0] == 'old' else 2}"
    yield text("crash", MARGIN, height - 28, f"A crash now leaves {TREES[allowed]}.", css)
    counted = [f"{crashes.count(left)} times the {left} one" for left in ("old", "new") if left in crashes]
    wrong = sum(left not in ("old", "new") for left in crashes)
    counted += [f"{wrong} times none of them"] if wrong else []
    yield text("tried", MARGIN, height - 9, f"Tried {len(crashes)} times: {', '.join(counted)}.", "note")


def _say_row(row: Mapping[str, Any], used: bool) -> str:
    """Return what is in a page of the file, in few words."""
    if row["kind"] == "meta":
        meta = row["meta"]
        return f"commit {meta['transaction']}, root {meta['root']}" if meta else "damaged"
    if row["kind"] in ("leaf", "branch"):
        keys = _say_keys(row["keys"], row["kind"] == "branch")
        return keys if used else f"free ({keys})"
    if row["kind"] == "list":
        return f"free: {' '.join(map(str, row['numbers']))}" if used else "free (a list)"
    return {"value": "a part of a value", "none": "zeros"}.get(row["kind"], "damaged")


def _say_keys(keys: tuple[str, ...], branch: bool) -> str:
    return " · ".join(keys).strip() + " ·" if branch else " ".join(keys) or "empty"


def _short(said: str, letters: int) -> str:
    return said if len(said) <= letters else f"{said[: letters - 1]}\u2026"


BPLUSTREE = Layout(
    title="A B+tree in a file commits, and may crash",
    note="A tree with pages of 512 bytes, of which four items fill one, makes three commits. On the left is what is in "
    "memory: a page that changes is copied, and so is all above it; where the file has the old page, the copy takes "
    "its place. On the right is the file, page by page. A dot says which tree a page belongs to; a broken edge, that "
    "it was written and that no sync has covered it yet, so that a crash may lose it. At each moment the power was cut "
    "18 times, each time with other writes surviving, and what was left was opened and proved. Watch the last two "
    "lines: they change with a single write, that of the meta page.",
    steps=commit_three_times,
    draw=draw_bplustree,
)
