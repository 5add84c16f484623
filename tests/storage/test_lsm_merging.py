"""Merging: the example by hand, a plain model, and what readers see before and after."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.storage.lsm.entries import first_disorder, pack, unpack
from smlib.storage.lsm.merging import merge_entries
from tests.storage.lsm_table_tools import Row, order_of, packed, rows_in_order, sorted_rows

NEWER: list[Row] = [(b"ape", 7 << 8 | 1, b"new"), (b"cow", 2 << 8 | 1, b"x")]
OLDER: list[Row] = [(b"ape", 5 << 8 | 1, b"old"), (b"ape", 3 << 8 | 1, b"older"), (b"bee", 4 << 8, b"")]

runs_of_rows = st.lists(rows_in_order, max_size=6)
oldest_snapshots = st.one_of(st.integers(0, 7), st.just((1 << 56) - 1))


def merged(runs: list[list[Row]], oldest: int, drop_deletions: bool) -> list[Row]:
    return unpack(merge_entries([packed(run) for run in runs], oldest, drop_deletions=drop_deletions))


def model(runs: list[list[Row]], oldest: int, drop_deletions: bool) -> list[Row]:
    """Merge by sorting, and leave out what the essay says."""
    kept: list[Row] = []
    last: Row | None = None
    # The sort is stable: of equal entries that of the newer run comes first.
    for row in sorted((row for run in runs for row in run), key=order_of):
        hidden = last is not None and last[0] == row[0] and (last[1] >> 8 <= oldest or last[1] == row[1])
        gone = drop_deletions and row[1] & 255 == 0 and row[1] >> 8 <= oldest
        if not hidden and not gone:
            kept.append(row)
        last = row
    return kept


def seen(rows: list[Row], key: bytes, sequence: int) -> bytes | None:
    """Return what a reader as of a sequence number finds for a key."""
    for row in sorted(rows, key=order_of):
        if row[0] == key and row[1] >> 8 <= sequence:
            return row[2] if row[1] & 255 else None
    return None


@pytest.mark.interpreted
def test_the_example_by_hand() -> None:
    assert merged([NEWER, OLDER], 6, False) == [NEWER[0], OLDER[0], OLDER[2], NEWER[1]]
    assert merged([NEWER, OLDER], 6, True) == [NEWER[0], OLDER[0], NEWER[1]]
    assert merged([NEWER, OLDER], 7, True) == NEWER
    assert merged([NEWER, OLDER], 2, True) == sorted(NEWER + OLDER, key=order_of)


@pytest.mark.interpreted
@given(runs_of_rows, oldest_snapshots, st.booleans())
def test_merging_is_the_model(runs: list[list[Row]], oldest: int, drop_deletions: bool) -> None:
    assert merged(runs, oldest, drop_deletions) == model(runs, oldest, drop_deletions)


@given(runs_of_rows, oldest_snapshots, st.booleans(), oldest_snapshots)
def test_readers_see_what_they_saw(runs: list[list[Row]], oldest: int, drop_deletions: bool, later: int) -> None:
    # Numbers are given once, so that no two entries have the same.
    rows = sorted_rows([row for run in runs for row in run])
    parts = [rows[k :: len(runs)] for k in range(len(runs))]
    after = merged(parts, oldest, drop_deletions)
    for key in {row[0] for row in rows}:
        for sequence in (oldest, max(oldest, later), (1 << 56) - 1):
            assert seen(after, key, sequence) == seen(rows, key, sequence)
    if oldest == (1 << 56) - 1:
        assert len({row[0] for row in after}) == len(after), "one version of each is left"


def test_of_equal_entries_the_newer_run_has_its_way() -> None:
    runs = [[(b"key", 9 << 8 | 1, b"%d" % k)] for k in range(5)]
    for oldest in (0, 8, 9):
        assert merged(runs, oldest, False) == [(b"key", 9 << 8 | 1, b"0")]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 13])
def test_any_number_of_runs(count: int) -> None:
    dice = random.Random(count)
    runs = [
        sorted_rows(
            [
                (dice.randbytes(dice.choice([2, 8, 12])), dice.randrange(1 << 20) << 8 | 1, dice.randbytes(30))
                for _ in range(500)
            ]
        )
        for _ in range(count)
    ]
    if count > 2:
        runs[1] = []
    entries = merge_entries([packed(run) for run in runs])
    assert unpack(entries) == model(runs, (1 << 56) - 1, False)
    assert first_disorder(entries) == -1
    assert entries.key_ends[-1] == entries.keys.size
    assert entries.value_ends[-1] == entries.values.size


def test_nothing_is_merged_too() -> None:
    for runs in ([], [pack([], [], [])], [pack([], [], [])] * 3):
        assert merge_entries(runs).size == 0
