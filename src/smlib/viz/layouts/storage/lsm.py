"""An LSM-tree at work: what is in memory on the left, the files of its folder on the right, part by part.

A file is a row of boxes, one for each of its parts, in the order in which they lie there: names, edits, records, or
blocks with a filter and an index behind them. So one sees that files only ever grow at their end, or come, or go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smlib._core.trace import Step
from smlib.storage.lsm.moments import COUNTED, EITHER, LEFT, NEW, OLD
from smlib.storage.lsm.trace import Command, trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, rect, text

COMMANDS: list[Command] = [
    {b"cow": b"1"},
    {b"ape": b"2", b"bee": b"3"},
    "flush",
    {b"bee": None, b"doe": b"4"},
    {b"ape": b"5"},
    "flush",
    b"cow",
    b"bee",
    "merge",
    b"bee",
]

MARGIN, TOP, ROW, BOX_HEIGHT = 6.0, 52.0, 28.0, 22.0
# What is in memory, and how much room is left behind it.
BOX, GAP = 96.0, 22.0
# The name of a file, and the room of its parts.
NAME, PARTS = 128.0, 310.0
# A part is as broad as its text: so much a letter, at both ends, and between two.
LETTER, PAD, BETWEEN = 8.4, 4.5, 4.0
# And so much more for each capital letter.
CAPITAL = 1.2
# The fewest rows that room is left for, so that a picture keeps its size.
ROWS = 8
# How many letters of a part are shown.
LETTERS = 18


def put_flush_get_and_merge() -> Iterator[Step]:
    """Yield some commits, two flushes, look-ups, and a merge."""
    return trace(COMMANDS)


def draw_lsm(state: Mapping[str, Any]) -> Scene:
    """Draw what is in memory, what is in the folder, and what a crash would leave."""
    right = MARGIN + BOX + GAP
    ends = [right + NAME + sum(map(_width, row["parts"])) for row in state["files"]]
    width = max(right + NAME + PARTS, *ends) + MARGIN
    rows = max(ROWS, len(state["files"]), len(state["memory"]) + len(state["built"]) + bool(state["built"]))
    height = TOP + rows * ROW + 46.0
    marks = [
        *_draw_titles(state, right, width),
        *_draw_memory(state),
        *_draw_files(state, right),
        *_draw_crash(state, height),
    ]
    return Scene(width, height, tuple(marks))


def _draw_titles(state: Mapping[str, Any], right: float, width: float) -> Iterator[Mark]:
    said = state["doing"][:1].upper() + state["doing"][1:] if state["doing"] else "At the start"
    yield text("title", MARGIN, 16, _short(said, 50), "title")
    yield text("memory", MARGIN, TOP - 10, "All entries" if state["merging"] else "Memtable", "note")
    yield text("files", right, TOP - 10, "Files", "note")


def _draw_memory(state: Mapping[str, Any]) -> Iterator[Mark]:
    memory, built = state["memory"], state["built"]
    if not memory:
        yield text("nothing", MARGIN, TOP + 15.5, "empty", "note")
    for place, row in enumerate(memory):
        y = TOP + ROW * place
        lit = row["key"] in state["lit_memory"]
        css = "node lit" if lit else "node" if row["kept"] else "node done"
        name = f"{row['key']} {row['number']}"
        yield rect(f"entry {name}", MARGIN, y, BOX, BOX_HEIGHT, css, radius=4)
        said = f"{row['key']} deleted" if row["value"] is None else f"{row['key']} = {row['value']}"
        css = "on-lit" if lit else "" if row["kept"] else "note"
        yield text(f"said {name}", MARGIN + BOX / 2, y + 15.5, _short(said, 12), css, anchor="middle")
    if built:
        y = TOP + ROW * max(len(memory), 1)
        yield text("building", MARGIN, y + 15.5, "New table", "note")
        for place, part in enumerate(built):
            y += ROW
            yield rect(f"built {place}", MARGIN, y, BOX, BOX_HEIGHT, "node lit", radius=4)
            said = _short(part["text"], 12)
            yield text(f"built text {place}", MARGIN + BOX / 2, y + 15.5, said, "on-lit", anchor="middle")


def _draw_files(state: Mapping[str, Any], right: float) -> Iterator[Mark]:
    for place, row in enumerate(state["files"]):
        name, y = row["name"], TOP + ROW * place
        lit = (name, None) in state["lit"]
        css = "label series-1" if lit else "" if row["named"] else "note"
        yield text(f"file {name}", right, y + 15.5, name, css)
        x = right + NAME
        for number, part in enumerate(row["parts"]):
            on = (name, number) in state["lit"]
            css = "node lit" if on else "node" if row["named"] else "node done"
            css += "" if part["synced"] else " pending"
            broad = _width(part) - BETWEEN
            yield rect(f"part {name} {number}", x, y, broad, BOX_HEIGHT, css, radius=4)
            css = "on-lit" if on else "note" if not row["named"] or part["role"] in ("filter", "index") else ""
            said = _short(part["text"], LETTERS)
            yield text(f"text {name} {number}", x + broad / 2, y + 15.5, said, css, anchor="middle")
            x += broad + BETWEEN
        if not row["parts"]:
            yield text(f"empty {name}", x, y + 15.5, "empty", "note")


def _width(part: Mapping[str, Any]) -> float:
    said = _short(part["text"], LETTERS)
    return LETTER * len(said) + CAPITAL * sum(map(str.isupper, said)) + 2 * PAD + BETWEEN


def _draw_crash(state: Mapping[str, Any], height: float) -> Iterator[Mark]:
    crashes, allowed = state["crashes"], state["allowed"]
    css = {EITHER: "title", OLD: "label series-1", NEW: "label series-2"}[allowed]
    css = "title" if state["kind"] in ("start", "get") else css
    yield text("crash", MARGIN, height - 28, f"A crash now leaves {LEFT[state['kind']][allowed]}.", css)
    names = dict(zip(("old", "new"), COUNTED[state["kind"]], strict=True))
    counted = [f"{crashes.count(left)} times {name}" for left, name in names.items() if left in crashes]
    wrong = crashes.count("neither")
    counted += [f"{wrong} times neither"] if wrong else []
    yield text("tried", MARGIN, height - 9, f"Tried {len(crashes)} times: {', '.join(counted)}.", "note")


def _short(said: str, letters: int) -> str:
    return said if len(said) <= letters else f"{said[: letters - 1]}\u2026"


LSM = Layout(
    title="An LSM-tree puts, flushes, looks up and merges",
    note="Two commits, a flush, two commits more and another flush; two keys are looked up, all tables are merged, and "
    "one of the keys is looked up again. On the left is what is in memory. On the right is the folder: a file is a row "
    "of boxes, one for each part, in the order in which they lie there. A cross behind a key stands for a deletion. A "
    "broken edge says that a crash may lose the part, for no sync has covered it yet, or the name of its file; what is "
    "grey, that nothing leads there. At each moment the power was cut 18 times, each time with other writes surviving, "
    "and what was left was opened and proved. Watch the last two lines: of a commit the record in the log decides, and "
    "of a flush or a merge the edit in the manifest.",
    steps=put_flush_get_and_merge,
    draw=draw_lsm,
)
