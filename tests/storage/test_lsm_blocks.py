"""Blocks: the format by hand, laws of building, seeking and decoding, and blocks that are damaged."""

from __future__ import annotations

import bisect
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smlib.storage.lsm import blocks
from smlib.storage.lsm.block_building import separator_size
from smlib.storage.lsm.block_numbers import load_varint, prove_varint, store_varint, varint_size
from smlib.storage.lsm.blocks import decode_block, prove_block
from smlib.storage.lsm.entries import Entries, unpack
from smlib.storage.lsm.internal_keys import internal_key, short_successor, shortest_separator
from smlib.storage.lsm.table_building import NO_LIMIT, lay_unsealed
from tests.storage.lsm_table_tools import (
    Row,
    array_of,
    keys,
    order_of,
    packed,
    rows_in_order,
    sorted_rows,
    tags,
    varint,
)

# Keys are looked for as bytes.
seek: Callable[..., Any] = blocks.seek

WHOLE_ROOM = 1 << 20
EXAMPLE: list[Row] = [(b"ape", 7 << 8 | 1, b"1"), (b"apple", 8 << 8 | 1, b"2")]
BYTES = bytes.fromhex(
    "00 0b 01 61 70 65 01 07 00 00 00 00 00 00 3102 0b 01 70 6c 65 01 08 00 00 00 00 00 00 3200 00 00 00 01 00 00 00"
)


def blocks_of(rows: list[Row], block_size: int = WHOLE_ROOM) -> list[bytes]:
    """Return the blocks of entries."""
    laid = lay_unsealed(packed(rows), 0, NO_LIMIT, block_size)
    return [laid.data[begin : begin + size].tobytes() for begin, size in laid.places.tolist()]


def block_of(rows: list[Row]) -> bytes:
    """Return the block of all entries; LevelDB writes none without any but that of the names."""
    return blocks_of(rows)[0] if rows else bytes(4) + b"\1\0\0\0"


def model_block(rows: list[Row]) -> bytes:
    """Return a block, built one entry at a time as the essay says."""
    out, restarts, before = b"", [], b""
    for k, (key, tag, value) in enumerate(rows):
        whole = internal_key(key, tag >> 8, tag & 255)
        shared = 0
        if k % 16 == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(before), len(whole)) and before[shared] == whole[shared]:
                shared += 1
        out += varint(shared) + varint(len(whole) - shared) + varint(len(value)) + whole[shared:] + value
        before = whole
    return out + b"".join(place.to_bytes(4, "little") for place in [*restarts, len(restarts)])


def decoded(block: bytes) -> list[Row]:
    """Return the entries of a block that is whole."""
    fault, _, count, key_bytes, value_bytes = map(int, prove_block(array_of(block), 8))
    assert fault == 0
    room = np.empty(key_bytes + 8, np.uint8)
    ends = np.zeros(count + 1, np.int64)
    entries = Entries(room, ends, np.empty(count, np.uint64), np.empty(value_bytes, np.uint8), ends.copy())
    assert decode_block(array_of(block), entries, 0) == count
    assert entries.value_ends[-1] == value_bytes
    return unpack(entries)


def sought(block: bytes, key: bytes, tag: int) -> tuple[bytes, int, bool] | None:
    """Return what `seek` finds: the value, and the tag if the key is the same."""
    place, found, same = seek(array_of(block), key, np.uint64(tag))
    if place < 0:
        return None
    begin, size = int(place) >> 32, int(place) & 0xFFFFFFFF
    assert begin + size <= len(block)
    return block[begin : begin + size], int(found) if same else 0, bool(same)


def expected(rows: list[Row], key: bytes, tag: int) -> tuple[bytes, int, bool] | None:
    number = bisect.bisect_left(rows, order_of((key, tag, b"")), key=order_of)
    if number == len(rows):
        return None
    same = rows[number][0] == key
    return rows[number][2], rows[number][1] if same else 0, same


@pytest.mark.interpreted
def test_the_example_by_hand() -> None:
    assert block_of(EXAMPLE) == BYTES
    assert decoded(BYTES) == EXAMPLE
    assert sought(BYTES, b"ape", 7 << 8 | 1) == (b"1", 7 << 8 | 1, True)
    assert sought(BYTES, b"ape", 6 << 8 | 1) == (b"2", 0, False)
    assert sought(BYTES, b"apple", 9 << 8 | 1) == (b"2", 8 << 8 | 1, True)
    assert sought(BYTES, b"apple", 7 << 8 | 1) is None


@pytest.mark.interpreted
@given(rows_in_order.filter(bool))
def test_building_is_the_model(rows: list[Row]) -> None:
    assert block_of(rows) == model_block(rows)


@given(rows_in_order.filter(bool), st.integers(1, 400), st.integers(-1, 1))
def test_blocks_end_when_they_are_full(rows: list[Row], wanted: int, change: int) -> None:
    # As large as some entries, a byte less or more.
    block_size = len(model_block(rows[: wanted % len(rows) + 1])) + change
    expected_blocks, begin = [], 0
    for end in range(1, len(rows) + 1):
        block = model_block(rows[begin:end])
        if len(block) >= block_size or end == len(rows):
            expected_blocks.append(block)
            begin = end
    assert blocks_of(rows, block_size) == expected_blocks


@given(rows_in_order)
def test_decoding_gives_back_what_was_built(rows: list[Row]) -> None:
    assert decoded(block_of(rows)) == rows


@pytest.mark.interpreted
@given(rows_in_order, keys, tags)
def test_seeking_is_bisection(rows: list[Row], key: bytes, tag: int) -> None:
    block = block_of(rows)
    assert sought(block, key, tag) == expected(rows, key, tag)
    for own, own_tag, _ in rows[::7]:
        for asked in (own_tag - 1, own_tag, own_tag + 1):
            if 0 <= asked < 1 << 64:
                assert sought(block, own, asked) == expected(rows, own, asked)


def test_seeking_among_many() -> None:
    dice = random.Random(4)
    rows = sorted_rows(
        [
            (dice.choice([b"", b"a" * 7, b"a" * 200]) + dice.randbytes(dice.randrange(3)), dice.randrange(1 << 12), b"")
            for _ in range(800)
        ]
    )
    block = block_of(rows)
    assert int.from_bytes(block[-4:], "little") == -(-len(rows) // 16)
    for _ in range(2000):
        key, tag, _ = dice.choice(rows)
        key = dice.choice([key, key + b"\0", key[:-1]])
        tag = dice.choice([tag, dice.randrange(1 << 12)])
        assert sought(block, key, tag) == expected(rows, key, tag)


@example(b"abc", 1, b"abd1", 1)
@example(b"abcd", 1, b"abd", 1)
@example(b"abcd", 1, b"abe", 1)
@example(b"ab\xff", 1, b"ac", 1)
@example(b"ab\xffc", 1, b"b", 1)
@example(b"\xff\xff", 1, b"\xff\xfe\xff", 1)
@example(b"ab", 1, b"abc", 1)
@given(keys, tags, keys, tags)
def test_separators_are_those_of_the_model(key: bytes, tag: int, other: bytes, other_tag: int) -> None:
    rows = sorted_rows([(key, tag, b""), (other, other_tag, b"")])
    entries = packed(rows)
    wholes = [internal_key(row[0], row[1] >> 8, row[1] & 255) for row in rows]
    for size, right in (
        (int(separator_size(entries, len(rows) - 1, False)), short_successor(wholes[-1])),
        *([(int(separator_size(entries, 0, True)), shortest_separator(*wholes))] if len(rows) > 1 else []),
    ):
        assert size == (len(right) - 8 if right not in wholes else 0)


@given(st.one_of(st.integers(0, 300), st.integers(0, (1 << 62) - 1)))
def test_varints(number: int) -> None:
    data = np.zeros(12, np.uint8)
    end = int(store_varint(data, np.uint32(1), number))
    assert data[1:end].tobytes() == varint(number)
    assert varint_size(number) == end - 1
    most = (1 << 62) - 1
    loaded, behind = load_varint(data, np.uint32(1))
    assert (int(loaded), int(behind)) == (number, end)
    assert prove_varint(data, 1, 12, most) == (number, end)
    assert prove_varint(data, 1, end - 1, most)[1] == -1
    assert number == 0 or prove_varint(data, 1, 12, number - 1)[1] == -1
    assert prove_varint(np.full(12, 255, np.uint8), 0, 12, most)[1] == -1


# What is done to the example, the invariant that is broken then, and where that is noticed.
DAMAGES = [
    (b"", 1, 0),
    (BYTES[:7], 1, 0),
    (BYTES[:-4] + b"\0\0\0\0", 1, 34),
    (BYTES[:-4] + b"\x09\0\0\0", 1, 34),
    (BYTES[:-4] + b"\xff\xff\xff\xff", 1, 34),
    (b"\x80" * 30 + BYTES[30:], 2, 0),
    (BYTES[:1] + b"\x1c" + BYTES[2:], 2, 0),
    (BYTES[:17] + b"\x02" + BYTES[18:], 2, 15),
    (BYTES[:15] + b"\x02\xff" + BYTES[17:], 2, 15),
    (b"\x01" + BYTES[1:], 3, 0),
    (BYTES[:15] + b"\x0c" + BYTES[16:], 3, 15),
    (BYTES[:15] + b"\x00\x07\x05" + BYTES[18:], 3, 15),
    (BYTES[:30] + b"\x0f" + BYTES[31:], 4, 30),
    (BYTES[:30] + b"\0\0\0\0\x0f\0\0\0\2\0\0\0", 4, 15),
    (BYTES[:30] + b"\0\0\0\0\x10\0\0\0\2\0\0\0", 4, 34),
    (BYTES[:30] + b"\0\0\0\0\0\0\0\0\2\0\0\0", 4, 34),
]


@pytest.mark.untrusted
@pytest.mark.parametrize(("block", "fault", "position"), DAMAGES)
def test_each_invariant_is_proved(block: bytes, fault: int, position: int) -> None:
    assert prove_block(array_of(block), 8)[:2] == (fault, position)


def use_damaged(block: bytes) -> bool:
    """Return whether a block is taken for whole; then everything is done with it that can be."""
    if prove_block(array_of(block), 8)[0]:
        return False
    rows = decoded(block)
    for key, tag, _ in [*rows, (b"ape", 7 << 8 | 1, b""), (b"", 0, b""), (b"b" * 30, 0, b"")]:
        sought(block, key, tag)
    return True


@pytest.mark.untrusted
def test_every_byte_is_changed() -> None:
    rows = [(b"key%d" % (k // 3), (k % 3 * 70000) << 8 | 1, b"v" * (k % 3 * 70)) for k in range(30)]
    block = block_of(sorted_rows(rows))
    found = set()
    for place in range(len(block)):
        for change in (1, 128):
            found.add(use_damaged(block[:place] + bytes([block[place] ^ change]) + block[place + 1 :]))
    assert found == {True, False}


@pytest.mark.untrusted
def test_a_block_is_cut_off() -> None:
    block = block_of([(b"key%d" % k, k << 8 | 1, b"v") for k in range(10, 60)])
    for size in range(len(block)):
        use_damaged(block[:size])
        use_damaged(block[:size] + block[-20:])


@pytest.mark.untrusted
@given(st.binary(max_size=60), st.integers(1, 3))
def test_anything_is_no_block_or_can_be_used(data: bytes, restarts: int) -> None:
    use_damaged(data + bytes(4 * restarts) + restarts.to_bytes(4, "little"))
    use_damaged(data)
