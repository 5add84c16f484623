"""Moments: what is taken down at a call to the disk, and what must hold at each.

A moment has the files as they are seen, and what was found after a number of crashes within the call. A sync takes
effect when it returns; that is told by what is seen at the call that follows.

Invariants: those of `trace`, which `prove` computes from the state of a step.

Cost: O(parts of files) a moment.

Gray & Reuter, *Transaction Processing*, chapter 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from smlib.storage.lsm.descriptions import Told
from smlib.storage.lsm.file_names import LOG, TABLE
from smlib.storage.pending_changes import Survivors

Left: TypeAlias = Literal["old", "new", "neither"]
Rows: TypeAlias = tuple[dict[str, Any], ...]

# The ways in which each call is survived: by nothing that was not synced, by all of it, by some of it.
WAYS: tuple[tuple[Survivors, int], ...] = (
    ("none", 0),
    ("all", 0),
    *((survivors, seed) for seed in range(8) for survivors in ("subset", "torn")),
)
OLD, EITHER, NEW = ("old",), ("old", "new"), ("new",)
# What a crash leaves, by what is being done and what is allowed.
LEFT: dict[str, dict[tuple[str, ...], str]] = {
    "start": {NEW: "all items"},
    "get": {NEW: "all items"},
    "commit": {
        OLD: "the items without this change",
        EITHER: "the items without this change, or with it",
        NEW: "the items with this change",
    },
    "flush": {
        OLD: "all items, from the log",
        EITHER: "all items, from the log or the new table",
        NEW: "all items, from the new table",
    },
    "merge": {
        OLD: "all items, from the old tables",
        EITHER: "all items, from the old tables or the new one",
        NEW: "all items, from the new table",
    },
}
# How the ways out of a crash are called where they are counted.
COUNTED = {
    "start": ("", "all items"),
    "get": ("", "all items"),
    "commit": ("without it", "with it"),
    "flush": ("from the log", "from the new table"),
    "merge": ("from the old tables", "from the new one"),
}


class Found(NamedTuple):
    """What is found after a crash: the items (None if something is damaged), and the tables of the manifest."""

    items: tuple[tuple[bytes, bytes], ...] | None
    tables: tuple[int, ...]


class Moment(NamedTuple):
    """What is taken down at a call: which it was, the memtable, the files, and what crashes leave."""

    verb: str
    name: str
    begin: int
    end: int
    memory: tuple[Told, ...]
    files: Rows
    crashes: tuple[Found, ...]

    @property
    def kind(self) -> str:
        """Which kind of file the call is about."""
        return next((row["kind"] for row in self.files if row["name"] == self.name), "")


def settled(call: Moment, following: Moment) -> Moment:
    """Return how things stand when a sync returns: what is on the medium then is seen at the call that follows.

    So are the crashes, if that call does not write what counts.
    """
    later = {row["name"]: row for row in following.files}
    rows = []
    for row in call.files:
        after = later.get(row["name"], row)
        parts = tuple(
            {**part, "synced": other["synced"]} for part, other in zip(row["parts"], after["parts"], strict=False)
        )
        rows.append({**row, "synced": after["synced"], "parts": parts})
    crashes = call.crashes if following.verb == "write" else following.crashes
    return call._replace(files=tuple(rows), crashes=crashes)


def changes_of(row: Mapping[str, Any]) -> list[Told]:
    """Return the changes in a file."""
    return [change for part in row["parts"] for change in part["changes"]]


def prove(state: Mapping[str, Any]) -> dict[str, bool]:
    """Compute the invariants from the state of a step."""
    rows, crashes, allowed = state["files"], state["crashes"], state["allowed"]
    tables = [row for row in rows if row["kind"] == TABLE and row["named"]]
    logged = {(key, value) for row in rows if row["kind"] == LOG for key, _, value in changes_of(row)}
    memory = () if state["merging"] else state["memory"]
    return {
        f"each of {len(crashes)} crashes at this moment leaves {LEFT[state['kind']][allowed]}": set(crashes)
        <= set(allowed),
        "no byte that was written is written over": all(row["kept"] for row in rows),
        "what the manifest leads to is on the disk: the name of the log, and the tables, wholly": all(
            row["synced"] for row in rows if row["named"]
        )
        and all(part["synced"] for row in tables for part in row["parts"]),
        "whatever the memtable has, a log has": all((row["key"], row["value"]) in logged for row in memory),
    }
