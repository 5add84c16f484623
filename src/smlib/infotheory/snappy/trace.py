"""A block as it is compressed: one look into the table after the other, and the elements that come of it.

The kernels are those that compress. `find_match` would run to the next match; given no more of the data than it needs
for one position it takes one look and returns, so that each can be watched. Once it finds the same four bytes, they are
followed as far as they go, and two elements go out: what was passed over, as a literal, and the copy.

Invariants, computed at every step:
  1. The elements so far, carried out, make the data up to where the last one ends.
  2. What a slot says is a position that was passed, whose four bytes lead to this slot.
  3. No copy begins before the data.

Cost: O(n) a step, for copies.

Google, *Snappy compressed format description* (2011).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from smlib._core.trace import Step
from smlib._core.validate import as_count
from smlib._core.words import Bytes, load_word
from smlib.errors import InputError
from smlib.infotheory.snappy.compression import (
    BLOCK_SIZE,
    BytesLike,
    Places,
    as_array,
    exchange,
    find_match,
    match_length,
    room,
    slot_of,
    write_copies,
    write_literal,
)
from smlib.infotheory.snappy.decompression import decompress_block

u32, u64 = np.uint32, np.uint64


class Element(NamedTuple):
    """What went out: where it begins in the data, how many bytes it makes, from how far back (0: a literal)."""

    begin: int
    length: int
    offset: int
    written: bytes


class Look(NamedTuple):
    """A look into the table: from which position, into which slot, what it said, and whether the bytes are the same."""

    position: int
    slot: int
    earlier: int
    found: bool


@dataclass(slots=True)
class _Block:
    """A block that is being compressed, and how far it is."""

    data: Bytes
    table: Places
    out: Bytes
    size: int = 0
    begin: int = 0
    elements: list[Element] = field(default_factory=list)


def trace(data: BytesLike, slots: int = 16) -> Iterator[Step]:
    """Yield the empty table, a step a look into it, and a step an element that goes out.

    Parameters
    ----------
    data : bytes-like
        A block: 1 byte to 64 KB.
    slots : int
        The size of the table, a power of two from 2 on; with few of them many four bytes contend for a slot.

    Yields
    ------
    Step
        Its state holds ``data``; ``table``, a position a slot; ``elements``, those that went out, their ``size`` in
        bytes, and ``begin``, where the next one will begin; ``look``, the look into the table that this step took, or
        None; and ``wrote``, whether it wrote the last of the elements.

    Raises
    ------
    InputError
        There are no data or too many, or ``slots`` is no power of two.

    Notes
    -----
    Complexity: O(n) a step.

    References
    ----------
    Google, *Snappy compressed format description*.

    Examples
    --------
    >>> for step in trace(b"ho ho ho ho ho!", slots=64):
    ...     print(step.caption)
    Every slot says 0: only the four bytes there were seen. The search begins at 1.
    At 1 stands "o ho", whose slot is 57. It says 0, where "ho h" stands: not the same. From now on it says 1.
    At 2 stands " ho ", whose slot is 59. It says 0, where "ho h" stands: not the same. From now on it says 2.
    At 3 stands "ho h", whose slot is 18. It says 0, where the same four bytes stand: found. From now on it says 3.
    What was passed over goes out as it is. A literal of 3 takes 4 bytes.
    From 3 and from 0 on 11 bytes are the same. A copy of 11 from 3 back takes 2 bytes.
    Fewer than 8 bytes are left to look at: they go out as they are. A literal of 1 takes 2 bytes.
    """
    source = as_array(data)
    if not 0 < source.size <= BLOCK_SIZE:
        raise InputError(f"data has {source.size} bytes; a block has 1 to {BLOCK_SIZE}")
    if as_count(slots, "slots") < 2 or slots & (slots - 1):
        raise InputError(f"slots is {slots}; it must be a power of two, from 2 on")
    block = _Block(source, np.zeros(slots, np.uint16), np.zeros(room(source.size), np.uint8))
    yield _step(
        block,
        "Every slot says 0: only the four bytes there were seen. The search begins at 1.",
        find_match,
    )
    position = 1
    while position + 8 <= source.size:
        look = _take_look(block, position)
        question = (
            f"The next four bytes are {show(source[position : position + 4].tobytes())}. Does the table know them?"
        )
        yield _step(block, _tell_look(block, look), find_match, question, look=look)
        if not look.found:
            position += 1
            continue
        if _write_literal(block, position):
            told = f"What was passed over goes out as it is. {_tell_element(block)}"
            yield _step(block, told, write_literal, "What goes out before the copy, and how many bytes does it take?")
        length = int(match_length(source, u32(look.earlier), u32(position)))
        _write_copy(block, position - look.earlier, length)
        told = f"From {position} and from {look.earlier} on {length} bytes are the same. {_tell_element(block)}"
        position += length
        if position + 8 <= source.size:
            exchange(_word_at(block, position - 1), u32(position - 1), block.table)
        yield _step(block, told, write_copies, f"How far do both go on alike, from {look.position} and {look.earlier}?")
    if _write_literal(block, source.size):
        told = f"Fewer than 8 bytes are left to look at: they go out as they are. {_tell_element(block)}"
        yield _step(block, told, write_literal, "How does the block end?")


def _word_at(block: _Block, position: int) -> np.uint64:
    return u64(load_word(block.data, u32(position)))


def _take_look(block: _Block, position: int) -> Look:
    slot = int(slot_of(_word_at(block, position), block.table))
    earlier = int(block.table[slot])
    met, _ = find_match(block.data[: position + 8], u32(position), block.table)
    return Look(position, slot, earlier, int(met) == position)


def _write_literal(block: _Block, end: int) -> bool:
    begin, before = block.begin, block.size
    block.size = int(write_literal(block.data, u32(begin), u32(end), block.out, u32(before)))
    _note_element(block, Element(begin, end - begin, 0, block.out[before : block.size].tobytes()))
    return begin < end


def _write_copy(block: _Block, offset: int, length: int) -> None:
    begin, before = block.begin, block.size
    block.size = int(write_copies(u32(offset), u32(length), block.out, u32(before)))
    _note_element(block, Element(begin, length, offset, block.out[before : block.size].tobytes()))


def _note_element(block: _Block, element: Element) -> None:
    if element.length:
        block.elements.append(element)
        block.begin += element.length


def show(data: bytes) -> str:
    r"""Return bytes as text between quotation marks, with a dot for what has no shape.

    >>> show(b"a rose\n")
    '"a rose·"'
    """
    return '"' + "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data) + '"'


def _tell_look(block: _Block, look: Look) -> str:
    here, there = (show(block.data[begin : begin + 4].tobytes()) for begin in (look.position, look.earlier))
    told = f"At {look.position} stands {here}, whose slot is {look.slot}. It says {look.earlier}, where "
    told += "the same four bytes stand: found." if look.found else f"{there} stands: not the same."
    return f"{told} From now on it says {look.position}."


def _tell_element(block: _Block) -> str:
    element = block.elements[-1]
    cost = "1 byte" if len(element.written) == 1 else f"{len(element.written)} bytes"
    if element.offset:
        return f"A copy of {element.length} from {element.offset} back takes {cost}."
    return f"A literal of {element.length} takes {cost}."


def _step(
    block: _Block, caption: str, source: Callable[..., Any], question: str = "", *, look: Look | None = None
) -> Step:
    return Step(
        caption=caption,
        state={
            "data": block.data.tobytes(),
            "table": tuple(block.table.tolist()),
            "elements": tuple(block.elements),
            "size": block.size,
            "begin": block.begin,
            "look": look,
            "wrote": source is not find_match,
        },
        source=source,
        invariants=_check(block),
        question=question,
    )


def _check(block: _Block) -> dict[str, bool]:
    made = np.zeros(block.begin, np.uint8)
    position, place = decompress_block(block.out[: block.size], 0, made)
    taken = [(slot, place) for slot, place in enumerate(block.table.tolist()) if place]
    return {
        "the elements, carried out, make the data as far as they go": (
            (int(position), int(place)) == (block.size, block.begin)
            and made.tobytes() == block.data[: block.begin].tobytes()
        ),
        "a slot holds a position whose four bytes lead to it": all(
            int(slot_of(_word_at(block, place), block.table)) == slot for slot, place in taken
        ),
        "no copy begins before the data": all(element.offset <= element.begin for element in block.elements),
    }
