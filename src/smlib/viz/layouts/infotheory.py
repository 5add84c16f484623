"""How the topics of information theory look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from smlib._core.trace import Step
from smlib.infotheory.huffman_coding.trace import trace
from smlib.infotheory.snappy.trace import Element, Look
from smlib.infotheory.snappy.trace import trace as trace_block
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

# Huffman coding: the trees above; below them the two queues, and later the stream of bits.

COUNTS = {"a": 45, "b": 13, "c": 12, "d": 16, "e": 9, "f": 5}
MESSAGE = "facade"

WIDTH, HEIGHT = 440, 424
LEFT, RIGHT = 6.0, 434.0
TOP, FLOOR = 52.0, 246.0
LEAF, PAIR, FORK = 30.0, 16.0, 5.0

PANEL = 314.0
ROW = 62.0
LETTER_BOX, PAIR_BOX, BOX_HEIGHT, GAP = 66.0, 96.0, 28.0, 5.0
BIT = 26.5


class Node(NamedTuple):
    """A node of a tree that is drawn: where, below which other one, and what is written on, below and beside it."""

    x: float
    y: float
    parent: str
    label: str
    below: str
    branch: str


def code_message() -> Iterator[Step]:
    """Yield the steps of the essay's example: six letters, counted in a text of a hundred, and a word made of them."""
    return trace(COUNTS, MESSAGE)


def draw_huffman(state: Mapping[str, Any]) -> Scene:
    """Draw a step of the growing tree, or of the stream that is decoded."""
    marks = _draw_growth(state) if state["phase"] == "tree" else _draw_stream(state)
    return Scene(WIDTH, HEIGHT, tuple(marks))


def _draw_growth(state: Mapping[str, Any]) -> Iterator[Mark]:
    children, weights, waiting = state["children"], state["weights"], state["waiting"]
    letters = [state["letters"][symbol] for symbol in state["order"]]
    keys = {node: letters[node] if node < len(letters) else f"pair {node}" for node in range(weights.size)}
    parents = {child: node for node, pair in children.items() for child in pair}
    roots = sorted((node for queue in waiting for node in queue), key=lambda node: (weights[node], node))

    below = {node: _leaves(node, children) for node in range(weights.size)}
    columns = _columns([leaf for root in roots for leaf in below[root]])
    heights = dict.fromkeys(range(len(letters)), 0)
    for node, pair in sorted(children.items()):
        columns[node] = (columns[pair[0]] + columns[pair[1]]) / 2
        heights[node] = 1 + max(heights[child] for child in pair)
    rise = (FLOOR - TOP) / max(4, *heights.values())
    nodes = {
        keys[node]: Node(
            columns[node],
            FLOOR - rise * heights[node],
            keys[parents[node]] if node in parents else "",
            letters[node] if node < len(letters) else f"{weights[node]:g}",
            f"{weights[node]:g}" if node < len(letters) else "",
            "",
        )
        for node in range(weights.size)
    }
    tied = state["tied"]
    lit = {keys[node] for node in (*tied, parents[tied[0]])} if tied else set()
    title = "The trees, the lightest one first" if len(roots) > 1 else "The tree is finished"
    yield from _draw_trees(title, nodes, lit)

    for row, (title, queue) in enumerate(zip(("Letters that wait", "Pairs that wait"), waiting, strict=True)):
        top = PANEL + ROW * row
        yield text(f"queue {row}", LEFT, top - 9, title if queue else f"{title}: none", "title")
        width = min((LETTER_BOX, PAIR_BOX)[row], (RIGHT - LEFT + GAP) / max(len(queue), 1) - GAP)
        for place, node in enumerate(queue):
            x = LEFT + place * (width + GAP)
            name = "".join(letters[leaf] for leaf in below[node])
            yield rect(f"box {node}", x, top, width, BOX_HEIGHT, "node lit" if keys[node] in lit else "node", radius=4)
            css = "on-lit" if keys[node] in lit else ""
            yield text(f"boxed {node}", x + width / 2, top + 18.5, f"{name} {weights[node]:g}", css, anchor="middle")


def _draw_stream(state: Mapping[str, Any]) -> Iterator[Mark]:
    words, bits, read, word = state["words"], state["bits"], state["read"], state["word"]
    named = {code: letter for letter, code in words.items()}
    columns = _columns([named[code] for code in sorted(named)])
    forks = sorted({code[:k] for code in named for k in range(len(code))}, key=lambda code: (len(code), code))
    # The pairs of the grown tree go on as the forks of this one, the root as the root.
    keys = named | {code: f"pair {2 * len(named) - 2 - k}" for k, code in enumerate(forks)}
    for code in reversed(forks):
        columns[keys[code]] = (columns[keys[code + "0"]] + columns[keys[code + "1"]]) / 2
    step = (FLOOR - TOP) / max(map(len, named))
    nodes = {
        key: Node(
            columns[key],
            TOP - 14 + step * len(code),
            keys[code[:-1]] if code else "",
            named.get(code, ""),
            code if code in named else "",
            code[-1:],
        )
        for code, key in keys.items()
    }
    path = {keys[word[:k]] for k in range(len(word) + 1)} if word else set()
    yield from _draw_trees("The tree of the words", nodes, path)

    yield text("stream", LEFT, PANEL - 9, f"Bits: {len(bits)}, of which {read} are read", "title")
    width = min(BIT, (RIGHT - LEFT) / max(len(bits), 1))
    for place, bit in enumerate(bits):
        x = LEFT + place * width
        css = "lit" if read - len(word) <= place < read else "done" if place < read else ""
        yield rect(f"bit {place}", x, PANEL, width - 2.5, BOX_HEIGHT, f"node {css}".rstrip(), radius=3)
        css = "on-lit" if css == "lit" else ""
        yield text(f"value {place}", x + width / 2 - 1.25, PANEL + 18.5, bit, css, anchor="middle")
    begin = 0
    yield text("message", LEFT, PANEL + ROW - 9 + BOX_HEIGHT, f"Decoded: {state['decoded'] or 'nothing yet'}", "title")
    for place, letter in enumerate(state["decoded"]):
        x = LEFT + (begin + len(words[letter]) / 2) * width - 1.25
        yield text(f"decoded {place}", x, PANEL + BOX_HEIGHT + 18, letter, "title", anchor="middle")
        begin += len(words[letter])


def _leaves(node: int, children: Mapping[int, tuple[int, int]]) -> list[int]:
    if node not in children:
        return [node]
    return [leaf for child in children[node] for leaf in _leaves(child, children)]


def _columns(leaves: list[Any]) -> dict[Any, float]:
    """Return a place from left to right for each leaf."""
    width = (RIGHT - LEFT) / len(leaves)
    return {leaf: LEFT + (place + 0.5) * width for place, leaf in enumerate(leaves)}


def _draw_trees(title: str, nodes: Mapping[str, Node], lit: set[str]) -> Iterator[Mark]:
    yield text("title", LEFT, 16, title, "title")
    for key, node in nodes.items():
        if node.parent:
            parent = nodes[node.parent]
            css = "edge lit" if key in lit and node.parent in lit else "edge"
            yield polyline(f"edge {key}", [(parent.x, parent.y), (node.x, node.y)], css)
            if node.branch:
                x, y = (parent.x + node.x) / 2, (parent.y + node.y) / 2
                side = -11 if node.x < parent.x else 11
                yield text(f"branch {key}", x + side, y - 2, node.branch, "note", anchor="middle")
    size = min(LEAF, 0.9 * (RIGHT - LEFT) / (len(nodes) + 1) * 2)
    for key, node in nodes.items():
        css, on = ("node lit", "on-lit") if key in lit else ("node", "")
        if node.below:
            yield rect(f"leaf {key}", node.x - size / 2, node.y - size / 2, size, size, css, radius=5)
            yield text(f"below {key}", node.x, node.y + size / 2 + 15, node.below, "note", anchor="middle")
        else:
            yield circle(key, node.x, node.y, PAIR if node.label else FORK, css)
        if node.label:
            yield text(f"on {key}", node.x, node.y + 4.5, node.label, on, anchor="middle")


# Snappy: the data above, the table in the middle, what was written below.

ROSES = b"Rose is a rose is a rose is a rose, and a nose is a nose."

COLUMNS, CELL_HEIGHT, MARGIN = 19, 26.0, 28.0
CELL = (RIGHT - LEFT - MARGIN) / COLUMNS
SLOTS_A_ROW, SLOT_HEIGHT, SLOT_ROW = 8, 26.0, 50.0
LINE, LINES, BYTES_AT, BYTES_SHOWN = 20.0, 5, 160.0, 12


def compress_roses() -> Iterator[Step]:
    """Yield the steps of a block that begins with the example of the essay, with a table of 16 slots."""
    return trace_block(ROSES)


def draw_snappy(state: Mapping[str, Any]) -> Scene:
    """Draw a step of a block that is being compressed."""
    data_rows = -(-len(state["data"]) // COLUMNS)
    table_rows = -(-len(state["table"]) // SLOTS_A_ROW)
    table_top = 26.0 + CELL_HEIGHT * data_rows + 34
    written_top = table_top + SLOT_ROW * table_rows + 22
    marks = [
        *_draw_data(state),
        *_draw_table(state, table_top),
        *_draw_written(state["elements"], state["size"], state["begin"], state["wrote"], written_top),
    ]
    height = written_top + LINE * max(LINES, len(state["elements"])) + 8
    return Scene(WIDTH, height, tuple(marks))


def _draw_data(state: Mapping[str, Any]) -> Iterator[Mark]:
    data, begin = state["data"], state["begin"]
    here, there = _pointed_at(state["look"], state["elements"][-1] if state["wrote"] else None)
    yield text("data", LEFT, 16, f"The data: {len(data)} bytes, of which {begin} are written", "title")
    for row in range(-(-len(data) // COLUMNS)):
        y = 26 + CELL_HEIGHT * row + 18
        yield text(f"row {row}", LEFT + MARGIN - 8, y, str(row * COLUMNS), "note", anchor="end")
    for place, byte in enumerate(data):
        x, y = LEFT + MARGIN + CELL * (place % COLUMNS), 26 + CELL_HEIGHT * (place // COLUMNS)
        css = "lit" if place in here else "over-2" if place in there else "done" if place < begin else ""
        yield rect(f"cell {place}", x, y, CELL - 2, CELL_HEIGHT - 2, f"node {css}".rstrip(), radius=3)
        css = "on-lit" if place in here else ""
        yield text(f"byte {place}", x + CELL / 2 - 1, y + 16.5, _letter(byte), css, anchor="middle")


def _pointed_at(look: Look | None, element: Element | None) -> tuple[range, range]:
    """Return the bytes that are looked at or written, and those that they are compared with or copied from."""
    if look is not None:
        return range(look.position, look.position + 4), range(look.earlier, look.earlier + 4)
    if element is None:
        return range(0), range(0)
    here = range(element.begin, element.begin + element.length)
    source = element.begin - element.offset
    return here, range(source, source + element.length) if element.offset else range(0)


def _draw_table(state: Mapping[str, Any], top: float) -> Iterator[Mark]:
    table, look, data = state["table"], state["look"], state["data"]
    yield text(
        "table", LEFT, top - 11, f"The table: slots 0 to {len(table) - 1}, and the position that each says", "title"
    )
    width = (RIGHT - LEFT + 6) / SLOTS_A_ROW - 6
    for slot, place in enumerate(table):
        x, y = LEFT + (width + 6) * (slot % SLOTS_A_ROW), top + SLOT_ROW * (slot // SLOTS_A_ROW)
        lit = look is not None and look.slot == slot
        yield rect(f"slot {slot}", x, y, width, SLOT_HEIGHT, "node lit" if lit else "node", radius=4)
        yield text(f"says {slot}", x + width / 2, y + 17.5, str(place), "on-lit" if lit else "", anchor="middle")
        four = "".join(_letter(byte) for byte in data[place : place + 4]).replace(" ", "␣") if place else ""
        yield text(f"four {slot}", x + width / 2, y + SLOT_HEIGHT + 14, four, "note", anchor="middle")


def _draw_written(elements: tuple[Element, ...], size: int, begin: int, wrote: bool, top: float) -> Iterator[Mark]:
    told = f"Written: {size} bytes for {begin}" if elements else "Written: nothing yet"
    yield text("written", LEFT, top, told, "title")
    for number, element in enumerate(elements):
        y = top + LINE * (number + 1)
        css = "title" if wrote and number == len(elements) - 1 else ""
        name = f"copy of {element.length}, {element.offset} back" if element.offset else f"literal of {element.length}"
        shown = element.written[:BYTES_SHOWN].hex(" ") + (" ..." if len(element.written) > BYTES_SHOWN else "")
        yield text(f"element {number}", LEFT, y, name, css)
        yield text(f"bytes {number}", LEFT + BYTES_AT, y, shown, css or "note")


def _letter(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 else "·"


LAYOUTS = {
    "huffman_coding": Layout(
        title="A code grows, and a message is read back",
        note="Six letters and how often each occurs in a text of a hundred. Each step ties the two lightest trees "
        "together: they stand at the heads of the two queues. Of the finished tree only the depths of the leaves "
        "matter: a second tree has the same ones, and its words in order. It then decodes a word of 16 bits, in which "
        "nothing marks where a letter ends.",
        steps=code_message,
        draw=draw_huffman,
    ),
    "snappy": Layout(
        title="A block is compressed",
        note="A line of Gertrude Stein's, and more than she wrote. At each position the four bytes that stand there "
        "lead to a slot of the table, which says where such bytes may have been seen last (orange). If they are the "
        "same, what was passed over goes out as a literal, and then a copy, for as long as both go on alike. The table "
        "is small here, and its slots are contended for: at 43 and 44 stand four bytes that were seen before, but "
        "others have taken their slots since. That costs two bytes and breaks nothing.",
        steps=compress_roses,
        draw=draw_snappy,
    ),
}
