"""Entries, packed: the example by hand, packing and unpacking, order and bisection."""

from __future__ import annotations

import bisect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.storage.lsm import entries as module
from smlib.storage.lsm.entries import (
    NEWEST_TAG,
    concatenate,
    find_first,
    first_disorder,
    pack,
    part_of,
    require_sizes,
    unpack,
)
from tests.storage.lsm_table_tools import Row, keys, order_of, packed, rows_in_order, tags

EXAMPLE: list[Row] = [(b"ape", 7 << 8 | 1, b"1"), (b"bee", 8 << 8, b""), (b"cow", 9 << 8 | 1, b"23")]


@pytest.mark.interpreted
def test_the_example_by_hand() -> None:
    entries = packed(EXAMPLE)
    assert entries.keys.tobytes() == b"apebeecow"
    assert entries.key_ends.tolist() == [0, 3, 6, 9]
    assert entries.tags.tolist() == [1793, 2048, 2305]
    assert entries.values.tobytes() == b"123"
    assert entries.value_ends.tolist() == [0, 1, 1, 3]
    assert entries.size == 3
    assert unpack(entries) == EXAMPLE
    assert find_first(entries, b"bee", 8 << 8 | 1) == 1
    assert find_first(entries, b"bee", 7 << 8 | 1) == 2
    assert find_first(entries, b"dog", NEWEST_TAG) == 3
    assert first_disorder(entries) == -1


@given(rows_in_order, st.data())
def test_parts_and_wholes(rows: list[Row], data: st.DataObject) -> None:
    entries = packed(rows)
    assert unpack(entries) == rows
    first = data.draw(st.integers(0, len(rows)))
    last = data.draw(st.integers(first, len(rows)))
    parts = [part_of(entries, 0, first), part_of(entries, first, last), part_of(entries, last, len(rows))]
    assert unpack(parts[1]) == rows[first:last]
    assert parts[1].key_ends[0] == parts[1].value_ends[0] == 0
    rows_of_both: zip[tuple[Any, Any]] = zip(concatenate(parts), entries, strict=True)
    for row, whole in rows_of_both:
        assert row.dtype == whole.dtype
        assert row.tolist() == whole.tolist()


@given(rows_in_order, keys, tags)
def test_finding_is_bisection(rows: list[Row], key: bytes, tag: int) -> None:
    expected = bisect.bisect_left(rows, order_of((key, tag, b"")), key=order_of)
    assert find_first(packed(rows), key, tag) == expected


@given(st.lists(st.tuples(keys, tags, st.just(b"")), max_size=8))
def test_the_first_disorder(rows: list[Row]) -> None:
    wrong = [k for k in range(1, len(rows)) if order_of(rows[k - 1]) >= order_of(rows[k])]
    assert first_disorder(packed(rows)) == (wrong[0] if wrong else -1)


def test_nothing_is_packed_too() -> None:
    for entries in (pack([], [], []), concatenate([]), concatenate([pack([], [], [])] * 2)):
        assert entries.size == 0
        assert unpack(entries) == []
        assert entries.key_ends.tolist() == entries.value_ends.tolist() == [0]


def test_what_cannot_be_packed() -> None:
    with pytest.raises(InputError, match="2 keys, 1 tags and 2 values"):
        pack([b"a", b"b"], [1], [b"", b""])
    with pytest.raises(InputError, match="too many"):
        require_sizes(1 << 31, 0)


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="11 bytes of keys and 0 of values"):
        pack([b"a" * 11], [1], [b""])
    part = pack([b"a"], np.array([1], np.uint64), [b"b" * 6])
    with pytest.raises(InputError, match="2 bytes of keys and 12 of values"):
        concatenate([part, part])
