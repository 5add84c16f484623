"""A cluster in a space-time diagram: a line is a node, time goes to the right, an arrow is a message.

Only moments at which something happens have a column, so that the picture does not show how long nothing happened. On
the right are the logs as they stand at the last moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from smlib._core.trace import Step
from smlib.consensus.simulation.trace import STORY, STORY_END, STORY_SEED, trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

# So many columns are shown, the last ones.
SHOWN = 12
COLUMN, LANE = 29.0, 84.0
LEFT, TOP = 74.0, 56.0
LINE = 8.0
# What the label of a term takes.
LABEL = 40.0
# Where an arrow leaves a line and ends, from the middle of the line.
OFF = 6.0
# Logs: where they begin, and how large the box of an entry is.
LOGS = LEFT + SHOWN * COLUMN + 18.0
BOX, GAP, BOX_HEIGHT = 38.0, 4.0, 24.0
FEWEST = 4
ROLES = {"leader": "node lit", "candidate": "over-3", "pre-candidate": "over-3", "follower": "node done"}
KINDS = {"vote": "series-2", "entries": "series-1", "heartbeat": "edge"}


def elect_divide_and_heal() -> Iterator[Step]:
    """Yield an election, a command, a partition with another election, and how all agree again."""
    return trace(STORY, STORY_END, seed=STORY_SEED)


def draw_cluster(state: Mapping[str, Any]) -> Scene:
    """Draw the last moments of all nodes, their messages, and their logs."""
    last = len(state["columns"]) - 1
    first = max(0, last - SHOWN + 1)
    entries = max(FEWEST, *map(len, state["logs"].values()))
    width = LOGS + entries * (BOX + GAP) + 4.0
    height = TOP + len(state["lives"]) * LANE + 6.0
    lanes = {node: TOP + LANE * place + 22.0 for place, node in enumerate(state["lives"])}
    marks = [
        *_draw_time(state, first, height),
        *_draw_cuts(state, first, last, lanes),
        *_draw_lives(state, first, lanes),
        *_draw_arrows(state, first, last, lanes),
        *_draw_commits(state, first, lanes),
        *_draw_logs(state, lanes),
        *_draw_legend(),
    ]
    return Scene(width, height, tuple(marks))


def _x(column: float, first: int) -> float:
    return LEFT + (column - first + 0.5) * COLUMN


def _draw_time(state: Mapping[str, Any], first: int, height: float) -> Iterator[Mark]:
    yield text("ms", LEFT - 8, height - 6, "ms", "note", anchor="end")
    for column, time in enumerate(state["columns"]):
        if column >= first:
            yield text(f"time {column}", _x(column, first), height - 6, str(time), "note", anchor="middle")


def _draw_cuts(state: Mapping[str, Any], first: int, last: int, lanes: Mapping[int, float]) -> Iterator[Mark]:
    """Draw how some nodes are divided from the others: a broken line on both sides of them."""
    for number, cut in enumerate(state["cuts"]):
        begin, end = cut["begin"], last if cut["end"] is None else min(cut["end"], last)
        if end < first:
            continue
        left, right = _x(max(begin - 0.5, first - 0.5), first), _x(end + (0.5 if end == last else 0.0), first)
        for node in cut["nodes"]:
            for side, y in (("above", lanes[node] - LANE / 2 + 4), ("below", lanes[node] + LANE / 2 + 4)):
                if min(lanes.values()) < y < max(lanes.values()):
                    yield rect(f"cut {number} {node} {side}", left, y - 4, right - left, 8, "cut")


def _draw_lives(state: Mapping[str, Any], first: int, lanes: Mapping[int, float]) -> Iterator[Mark]:
    for node, lives in state["lives"].items():
        y = lanes[node]
        role, term = lives[-1]
        yield text(f"name {node}", 4, y + 2, f"node {node}", "title")
        yield text(f"role {node}", 4, y + 18, role or "down", "note")
        for begin, end, (role, term) in _stretches(lives, first):
            left, right = _x(begin - 0.5, first), _x(end + 0.5, first)
            if role:
                yield rect(f"life {node} {begin}", left, y - LINE / 2, right - left, LINE, ROLES[role])
            begins_here = begin == 0 or lives[begin - 1][1] != term
            if role and (begins_here or (begin == first and right - left >= LABEL)):
                yield text(f"term {node} {begin}", left + 2, y - 11, f"term {term}", "note")


def _stretches(lives: Sequence[tuple[str, int]], first: int) -> Iterator[tuple[int, int, tuple[str, int]]]:
    """Yield from which column to which a node is the same, with its role and term."""
    begin = first
    for column in range(first, len(lives)):
        if column + 1 == len(lives) or lives[column + 1] != lives[column]:
            yield begin, column, lives[column]
            begin = column + 1


def _draw_arrows(state: Mapping[str, Any], first: int, last: int, lanes: Mapping[int, float]) -> Iterator[Mark]:
    for number, arrow in enumerate(state["arrows"]):
        (begin, sender), (end, receiver) = arrow["begin"], arrow["end"]
        if begin < first or begin >= last + 1:
            continue
        down = 1.0 if lanes[receiver] > lanes[sender] else -1.0
        x0, y0 = _x(begin, first), lanes[sender] + OFF * down
        x1, y1 = _x(end, first), lanes[receiver] - OFF * down
        # A message that is on its way is drawn as far as it has come; one that is lost, to where the nodes are divided.
        part = min(1.0, (last + 0.45 - begin) / (end - begin))
        if arrow["lost"]:
            part = (LANE / 2 - OFF) / abs(y1 - y0)
            if not any(cut["begin"] <= begin and sender in cut["nodes"] for cut in state["cuts"]):
                part = 1.0 - part
        x1, y1 = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
        now = begin == last or (end == last and not arrow["lost"])
        css = f"{KINDS[arrow['kind']]}{' curve' if now else ' faint'}"
        yield polyline(f"way {number}", [(x0, y0), (x1, y1)], css)
        if arrow["lost"]:
            yield polyline(f"cross {number}", _cross(x1, y1), f"{css} solid")
        elif part == 1.0:
            yield polyline(f"head {number}", _head(x0, y0, x1, y1), f"{css} solid")


def _cross(x: float, y: float) -> list[tuple[float, float]]:
    return [(x - 4, y - 4), (x + 4, y + 4), (x, y), (x + 4, y - 4), (x - 4, y + 4)]


def _head(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    """Return the two strokes at the end of an arrow."""
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    along, across = ((x1 - x0) / length, (y1 - y0) / length), (-(y1 - y0) / length, (x1 - x0) / length)
    back = (x1 - 7 * along[0], y1 - 7 * along[1])
    return [
        (back[0] + 3.5 * across[0], back[1] + 3.5 * across[1]),
        (x1, y1),
        (back[0] - 3.5 * across[0], back[1] - 3.5 * across[1]),
    ]


def _draw_commits(state: Mapping[str, Any], first: int, lanes: Mapping[int, float]) -> Iterator[Mark]:
    for column, node, _ in state["commits"]:
        if column >= first:
            yield circle(f"commit {column} {node}", _x(column, first), lanes[node], 5.0, "dot series-2")


def _draw_logs(state: Mapping[str, Any], lanes: Mapping[int, float]) -> Iterator[Mark]:
    yield text("logs", LOGS, TOP - 14, "Logs", "note")
    for node, entries in state["logs"].items():
        top = lanes[node] - BOX_HEIGHT / 2
        if not entries:
            yield text(f"empty {node}", LOGS, lanes[node] + 4, "empty", "note")
        for place, entry in enumerate(entries):
            x = LOGS + place * (BOX + GAP)
            css = "node lit" if entry["new"] else "node"
            yield rect(
                f"box {node} {place}",
                x,
                top,
                BOX,
                BOX_HEIGHT,
                css + ("" if entry["committed"] else " pending"),
                radius=4,
            )
            css = "on-lit" if entry["new"] else ""
            yield text(
                f"entry {node} {place}", x + BOX / 2, top + 16.5, entry["text"] or "\u2013", css, anchor="middle"
            )
            yield text(
                f"of {node} {place}", x + BOX / 2, top + BOX_HEIGHT + 14, str(entry["term"]), "note", anchor="middle"
            )


def _draw_legend() -> Iterator[Mark]:
    x = LEFT
    for name, css, broad in (("votes", "series-2", 88.0), ("entries", "series-1", 98.0), ("heartbeats", "edge", 120.0)):
        yield polyline(f"legend {name}", [(x, 16), (x + 26, 16)], f"{css} curve")
        yield text(f"name of {name}", x + 32, 20, name)
        x += broad
    yield circle("legend commit", x + 6, 16, 5.0, "dot series-2")
    yield text("name of commit", x + 17, 20, "learns what is committed")


SIMULATION = Layout(
    title="A Raft cluster elects, is divided, and heals",
    note="Three nodes; time goes to the right, and only moments at which something happens have a column, with the "
    "time below. A line is a node: grey as a follower, orange as a candidate, blue as a leader. An arrow is a "
    "message, and one that ends in a cross is lost. On the right are the logs: an entry has a broken edge as long "
    "as its node does not know that it is committed, the number below it is its term, and a dash is the empty "
    "entry with which a leader begins. An election takes one round trip. Then a client writes, and the leader is "
    "cut off from the others. It goes on to lead, and takes a write that it can commit nowhere; the others elect "
    "a leader of a newer term. For a while there are two leaders, and no harm is done. When the network heals, "
    "the first message is enough for the old one to step down, and what it had alone is replaced.",
    steps=elect_divide_and_heal,
    draw=draw_cluster,
)
