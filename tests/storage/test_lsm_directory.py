"""The directory of all tables: what it leads to, what it passes by, and readers who do not wait for commits."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smlib.errors import StorageError
from smlib.storage import LSMTree, SimulatedDisk
from smlib.storage.lsm import directory as directories
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.directory import NOWHERE, Signposts, join_directories
from smlib.storage.lsm.internal_keys import internal_key, user_key
from smlib.storage.lsm.manifest import LEVELS, FileFacts
from smlib.storage.lsm.table_building import build_table
from smlib.storage.lsm.versions import TableFile, Version
from tests.storage.lsm_table_tools import Row, array_of, keys, open_table, order_of, packed

NEWEST = (1 << 64) - 255
CACHE = BlockCache(1 << 20)


def table_of(rows: list[Row], number: int, block_size: int, bits: int) -> TableFile:
    """Build and open a table."""
    built = build_table(packed(rows), block_size=block_size, bloom_bits_per_key=bits)
    facts = FileFacts(number, len(built.data), built.smallest, built.largest)
    return TableFile(
        open_table(built.data, number=number, cache=CACHE), facts, user_key(built.smallest), user_key(built.largest)
    )


@st.composite
def versions(draw: st.DrawFn) -> tuple[Version, list[list[Row]]]:
    """Draw tables in three levels, and their entries, the newest run first."""
    block_size, bits = draw(st.sampled_from([1, 60, 4096])), draw(st.sampled_from([0, 1, 10]))
    levels: list[list[TableFile]] = [[] for _ in range(LEVELS)]
    runs: list[list[Row]] = []
    number, sequence = 100, 1000
    for level in (0, 0, 0, 1, 3):
        chosen = sorted(draw(st.sets(keys, max_size=12)))
        rows: list[Row] = [(key, sequence << 8 | draw(st.integers(0, 1)), b"%d" % sequence) for key in chosen]
        sequence -= 1
        cuts = sorted(draw(st.sets(st.integers(1, 11), max_size=3))) if level else []
        runs.append(rows)
        for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            if rows[low:high]:
                levels[level].append(table_of(rows[low:high], number, block_size, bits))
                number -= 1
    return Version(levels), runs


@pytest.mark.untrusted
@settings(max_examples=60)
@given(versions(), st.lists(keys, max_size=8))
def test_the_newest_version_of_each_key_is_found(drawn: tuple[Version, list[list[Row]]], others: list[bytes]) -> None:
    version, runs = drawn
    newest: dict[bytes, Row] = {}
    for rows in reversed(runs):
        newest.update({row[0]: row for row in rows})
    find = version.lay_directory()
    for key in {*newest, *others}:
        expected = newest[key][1:] if key in newest else None
        assert find(key, NEWEST) == expected


def test_no_block_is_wanted_outside_of_a_table() -> None:
    """Without filters, too: what is before a table, behind it, or between two of a level, is nowhere."""
    tables = [table_of([(key, 257, b"")], 9, 4096, 0) for key in (b"dog", b"hen")]
    joined = join_directories([[Signposts(t.table.directory, t.facts.smallest, t.facts.largest) for t in tables]])

    def locate(key: bytes) -> int:
        return int(directories.locate(joined, array_of(key), directories.u64(NEWEST), -1))

    assert [locate(key) for key in (b"", b"cow", b"dof", b"dog\0", b"hem", b"hen\0", b"z")] == [NOWHERE] * 7
    assert (locate(b"dog"), locate(b"hen")) == (0, 1 << 32)


@pytest.mark.interpreted
def test_equal_heads_are_told_apart() -> None:
    rows: list[Row] = sorted(((b"the same beginning %03d" % k, 257, b"%d" % k) for k in range(200)), key=order_of)
    table = table_of(rows, 9, 100, 10)
    assert len(table.table.places) > 30
    assert all(table.table.find(row[0]) == row[1:] for row in rows)


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "MOST_BYTES", 10)
    table = table_of([(b"dog", 257, b"")], 9, 4096, 10)
    with pytest.raises(StorageError, match="the indexes and filters of 1 tables have 25 bytes"):
        Version([[table], *([[]] * (LEVELS - 1))]).lay_directory()


def test_nobody_waits_for_the_sync_of_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    with LSMTree.open("/tree", filesystem=SimulatedDisk(seed=1)) as tree:
        tree[b"ape"] = b"in a table"
        tree.flush()
        tree[b"bee"] = b"in memory"
        syncing, go_on = threading.Event(), threading.Event()
        log = tree._writer._log.file  # type: ignore[union-attr]
        sync = log.datasync

        def sync_slowly() -> None:
            syncing.set()
            assert go_on.wait(30)
            sync()

        monkeypatch.setattr(log, "datasync", sync_slowly)
        writer = threading.Thread(target=tree.put_many, args=({b"bee": b"not there yet"},))
        writer.start()
        assert syncing.wait(30)
        assert (tree[b"ape"], tree[b"bee"], tree.get(b"cow")) == (b"in a table", b"in memory", None)
        go_on.set()
        writer.join()
        assert tree[b"bee"] == b"not there yet"


def test_internal_keys_part_what_is_nowhere() -> None:
    """The first key of a table is not before it, whatever its tag."""
    newest = (1 << 56) - 1
    table = table_of([(b"dog", newest << 8 | 1, b"last")], 9, 4096, 0)
    assert table.facts.smallest == internal_key(b"dog", newest, 1)
    version = Version([[], [table], *([[]] * (LEVELS - 2))])
    assert version.lay_directory()(b"dog", NEWEST) == (newest << 8 | 1, b"last")
