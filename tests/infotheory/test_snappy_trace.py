"""The trace writes what the compressor writes, look by look and element by element."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.infotheory.snappy import trace as module
from smlib.infotheory.snappy.compression import compress_block, room
from smlib.infotheory.snappy.trace import show, trace
from smlib.viz import record
from smlib.viz.layouts.infotheory import ROSES
from tests.infotheory.test_snappy import repetitive


def block_of(data: bytes, slots: int) -> bytes:
    """Return what the compressor makes of a block with a table of this size."""
    out = np.empty(room(len(data)), np.uint8)
    return out[: compress_block(np.frombuffer(data, np.uint8), np.empty(slots, np.uint16), out)].tobytes()


@pytest.mark.interpreted
def test_the_roses_as_the_page_shows_them() -> None:
    steps = list(trace(ROSES))
    elements = steps[-1].state["elements"]
    assert [(element.begin, element.length, element.offset) for element in elements] == [
        (0, 11, 0),
        (11, 23, 10),
        (34, 11, 0),
        (45, 7, 42),
        (52, 5, 0),
    ]
    looks = [step.state["look"] for step in steps if step.state["look"]]
    assert [look.position for look in looks if look.found] == [11, 45]
    # Four bytes that are known, and forgotten: their slot was taken.
    for look in looks:
        if look.position in (43, 44):
            assert ROSES[look.position : look.position + 4] in ROSES[: look.position]
            assert not look.found


# A literal of more than 32 bytes makes the compressor stride, and the trace looks everywhere.
short_blocks = repetitive().map(lambda data: data[:33]) | st.binary(min_size=1, max_size=33)


@pytest.mark.interpreted
@given(short_blocks.filter(bool), st.sampled_from([2, 16, 256]))
def test_the_elements_are_those_of_the_compressor(data: bytes, slots: int) -> None:
    steps = list(trace(data, slots))
    for step in steps:
        assert step.invariants
        assert all(value is True for value in step.invariants.values()), (step.caption, step.invariants)
    last = steps[-1].state
    written = b"".join(element.written for element in last["elements"])
    assert written == block_of(data, slots)
    assert (last["size"], last["begin"]) == (len(written), len(data))


def test_state_is_not_written_to_later() -> None:
    steps = trace(ROSES)
    first = next(steps)
    list(steps)
    assert first.state["table"] == (0,) * 16
    assert first.state["elements"] == ()


def test_a_wrong_length_breaks_an_invariant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "match_length", lambda *arguments: 25)
    broken = [name for step in trace(ROSES[:45]) for name, holds in step.invariants.items() if not holds]
    assert set(broken) == {"the elements, carried out, make the data as far as they go"}


def test_a_wrong_slot_breaks_an_invariant(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_and_misplace(data: np.ndarray, position: np.uint32, table: np.ndarray) -> tuple[int, int]:
        table[7] = position
        return data.size, 0

    monkeypatch.setattr(module, "find_match", look_and_misplace)
    broken = {name for step in trace(ROSES) for name, holds in step.invariants.items() if not holds}
    assert broken == {"a slot holds a position whose four bytes lead to it"}


def test_a_copy_from_nowhere_breaks_an_invariant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "write_copies", lambda offset, length, out, size: size)
    monkeypatch.setattr(module, "_take_look", lambda block, position: module.Look(position, 0, -60, True))
    monkeypatch.setattr(module, "match_length", lambda *arguments: 4)
    monkeypatch.setattr(module, "_tell_look", lambda block, look: "")
    monkeypatch.setattr(module, "u32", lambda value: np.uint32(value % 2**32))
    broken = {name for step in trace(ROSES) for name, holds in step.invariants.items() if not holds}
    assert "no copy begins before the data" in broken


def test_questions_do_not_give_the_answer_away() -> None:
    for step in trace(ROSES):
        look = step.state["look"]
        assert "found" not in step.question
        assert look is None or "slot" not in step.question


def test_other_blocks_can_be_drawn() -> None:
    for data, slots in ((b"a", 2), (b"\0\xff\n" * 30, 16), (bytes(range(90, 150)), 64)):
        drawn = record("snappy", trace(data, slots))
        assert len(drawn.scenes) >= 2
        drawn.to_html()


def test_bytes_without_a_shape_are_dots() -> None:
    assert show(b"a\0\x7f\xe4~") == '"a···~"'


@pytest.mark.parametrize(
    ("data", "slots", "complaint"),
    [
        (b"", 16, "data has 0 bytes; a block has 1 to 65536"),
        (bytes(65537), 16, "data has 65537 bytes"),
        ("text", 16, "str is not bytes-like"),
        (b"data", 1, "slots is 1; it must be a power of two, from 2 on"),
        (b"data", 12, "slots is 12; it must be a power of two"),
        (b"data", 2.0, "slots is 2.0; it must be an integer"),
    ],
)
def test_bad_input_is_named(data: Any, slots: Any, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        next(trace(data, slots))
