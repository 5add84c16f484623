"""The LSM-tree as users see it, beside LevelDB: each opens what the other has written."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smlib.errors import (
    ClosedError,
    ConflictError,
    CorruptDataError,
    InputError,
    LockedError,
    ReadOnlyError,
    StorageError,
)
from smlib.storage import SimulatedDisk
from smlib.storage.lsm.tree import LSMTree
from tests.conftest import require

Items = dict[bytes, bytes]


def open_small(folder: Path | str, **options: Any) -> LSMTree:
    """Open a tree in which everything happens often."""
    return LSMTree.open(folder, **{"write_buffer_size": 5000, "block_size": 300, "durability": "none", **options})


def random_changes(seed: int, count: int) -> list[tuple[bytes, bytes | None]]:
    """Return changes: overwrites, deletions, empty values and large ones."""
    dice = random.Random(seed)
    sizes = (0, 1, 20, 20, 20, 200, 20_000)
    return [
        (b"key %d" % dice.randrange(300), None if dice.random() < 0.3 else dice.randbytes(dice.choice(sizes)))
        for _ in range(count)
    ]


def apply(items: Items, changes: list[tuple[bytes, bytes | None]]) -> None:
    for key, value in changes:
        if value is None:
            items.pop(key, None)
        else:
            items[key] = value


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 4))])
@pytest.mark.parametrize("compression", ["none", "snappy"])
def test_both_write_what_both_read(seed: int, compression: Any, tmp_path: Path) -> None:
    plyvel = require("plyvel")
    folder = str(tmp_path / "tree")
    items: Items = {}
    for turn in range(4):
        changes = random_changes(10 * seed + turn, 300)
        with open_small(folder, compression=compression, bloom_bits_per_key=10 * (turn % 2)) as tree:
            with tree.batch() as batch:
                for key, value in changes[:50]:
                    if value is None:
                        del batch[key]
                    else:
                        batch[key] = value
            for key, value in changes[50:]:
                if value is not None:
                    tree[key] = value
                elif key in tree:
                    del tree[key]
            apply(items, changes)
            assert dict(tree) == items
            tree.check()
            if turn == 2:
                tree.compact()
        changes = random_changes(1000 + 10 * seed + turn, 300)
        options = {"compression": None if compression == "none" else "snappy", "write_buffer_size": 5000}
        with plyvel.DB(folder, bloom_filter_bits=10, block_size=300, **options) as other:
            assert dict(other) == items
            assert list(other) == sorted(items.items())
            for key, value in changes:
                if value is None:
                    other.delete(key)
                else:
                    other.put(key, value)
            apply(items, changes)
            if turn == 1:
                other.compact_range()
    with open_small(folder, readonly=True) as tree:
        assert list(tree.items()) == sorted(items.items())
        assert list(reversed(tree.items())) == sorted(items.items(), reverse=True)
        assert tree.get_many([b"key 1", b"key 2", b"no key"]) == [items.get(b"key 1"), items.get(b"key 2"), None]
        tree.check()


OPEN = """
import sys, plyvel
try:
    other = plyvel.DB(sys.argv[1])
    print("open")
except plyvel.IOError as error:
    print("refused" if "lock" in str(error) else error)
    sys.exit()
sys.stdout.flush()
sys.stdin.read()
"""


def leveldb_says(folder: Path) -> str:
    """Let another process open a folder with LevelDB, and return what comes of it."""
    program = [sys.executable, "-c", OPEN, str(folder)]
    return subprocess.run(program, input="", capture_output=True, text=True, check=True).stdout.strip()


def test_leveldb_and_we_lock_each_other_out(tmp_path: Path) -> None:
    require("plyvel")
    folder = tmp_path / "tree"
    with LSMTree.open(folder) as tree:
        tree[b"a"] = b"1"
        assert leveldb_says(folder) == "refused"
        with pytest.raises(LockedError):
            LSMTree.open(folder)
        # Whoever was refused has closed a descriptor of the lock.
        assert leveldb_says(folder) == "refused"
    assert leveldb_says(folder) == "open"
    with subprocess.Popen([sys.executable, "-c", OPEN, str(folder)], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(LockedError):
            LSMTree.open(folder)
        other.stdin.close()
    LSMTree.open(folder).close()


def test_walks_begin_and_end_where_they_should(tmp_path: Path) -> None:
    """In tables of some levels and the memtable at once."""
    items: Items = {}
    with open_small(tmp_path / "tree", write_buffer_size=2000) as tree:
        for key, value in random_changes(1, 600):
            if value is None:
                with tree.batch() as batch:
                    del batch[key]
            else:
                tree[key] = value[:100]
            apply(items, [(key, None if value is None else value[:100])])
        keys = sorted(items)
        for low, high in ((None, None), (b"key 1", b"key 2"), (keys[5], keys[6]), (b"key 2", b"key 1"), (b"", b"a")):
            expected = [
                (key, items[key]) for key in keys if (low is None or key >= low) and (high is None or key < high)
            ]
            assert list(tree.range(low, high)) == expected
            assert list(tree.range(low, high, reverse=True)) == expected[::-1]
        assert list(tree.range(prefix=b"key 11")) == [(key, items[key]) for key in keys if key.startswith(b"key 11")]
        assert len(tree) == len(items)


def test_a_walk_is_over_what_there_was_when_it_began(tmp_path: Path) -> None:
    with open_small(tmp_path / "tree") as tree:
        tree.put_many({b"%03d" % k: b"old" for k in range(100)})
        walk = iter(tree.items())
        assert next(walk) == (b"000", b"old")
        for k in range(100):
            tree[b"%03d" % k] = b"new" * 100
            tree[b"%03d+" % k] = b"more"
        tree.compact()
        assert list(walk) == [(b"%03d" % k, b"old") for k in range(1, 100)]
        assert tree.stats()["snapshots"] == 0


def test_a_snapshot_stays_as_it_was_over_flushes_and_merges(tmp_path: Path) -> None:
    with open_small(tmp_path / "tree") as tree:
        states: list[tuple[Any, Items]] = []
        items: Items = {}
        for turn in range(6):
            for key, value in random_changes(turn, 60):
                if value is None:
                    if key in tree:
                        del tree[key]
                else:
                    tree[key] = value
                apply(items, [(key, value)])
            states.append((tree.snapshot(), dict(items)))
        tree.compact()
        tree.clear()
        assert dict(tree) == {}
        for view, expected in states:
            assert dict(view) == expected
            assert all(view[key] == value for key, value in expected.items())
            view.check()
            view.close()


def test_transactions(tmp_path: Path) -> None:
    with open_small(tmp_path / "tree") as tree:
        tree.put_many({b"a": b"1", b"b": b"2"})
        with tree.transaction() as change:
            change[b"c"] = change[b"a"] + change[b"b"]
            del change[b"a"]
            assert list(change) == [b"b", b"c"]
            assert list(tree) == [b"a", b"b"]
        assert dict(tree) == {b"b": b"2", b"c": b"12"}
        change = tree.transaction()
        change[b"d"] = b"3"
        tree[b"e"] = b"4"
        with pytest.raises(ConflictError):
            change.commit()
        assert b"d" not in tree


def test_what_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    with pytest.raises(StorageError):
        LSMTree.open(folder, readonly=True)
    for options in ({"durability": "perhaps"}, {"compression": "zip"}, {"block_size": -1}, {"bloom_bits_per_key": "1"}):
        with pytest.raises(InputError):
            LSMTree.open(folder, **options)
    with LSMTree.open(folder) as tree:
        tree[b"a"] = b"1"
        with pytest.raises(LockedError, match=f"locked by process {os.getpid()}, which is this one"):
            LSMTree.open(folder)
        with LSMTree.open(folder, readonly=True) as reader:
            assert dict(reader) == {b"a": b"1"}
            with pytest.raises(ReadOnlyError, match="readonly=False"):
                reader[b"b"] = b""
        wrong: Any = "a"
        with pytest.raises(InputError):
            tree[wrong] = b""
        with pytest.raises(InputError):
            tree.put_many([(b"a", wrong)])
        with pytest.raises(InputError):
            tree.range(wrong)
        with pytest.raises(KeyError):
            del tree[b"none"]
        with pytest.raises(KeyError):
            tree[wrong]
    with pytest.raises(ClosedError, match="open it again"):
        tree[b"a"]
    with pytest.raises(ClosedError):
        tree[b"a"] = b""
    tree.close()


def test_a_sync_that_fails_ends_the_writing() -> None:
    disk = SimulatedDisk(seed=1)
    tree = LSMTree.open("/tree", filesystem=disk)
    tree[b"a"] = b"1"
    disk.fail_sync()
    with pytest.raises(StorageError, match="syncing it failed"):
        tree[b"a"] = b"2"
    changes: list[Callable[[], None]] = [
        lambda: tree.__setitem__(b"a", b"3"),
        lambda: tree.put_many({b"b": b""}),
        tree.compact,
        tree.clear,
    ]
    for change in changes:
        with pytest.raises(StorageError, match=r"refused, for an earlier commit has failed .*open it again"):
            change()
    assert dict(tree) == {b"a": b"1"}
    tree.close()
    with LSMTree.open("/tree", filesystem=disk.crash("none")) as tree:
        assert dict(tree) == {b"a": b"1"}


def test_a_full_disk_takes_the_commit_back_and_goes_on() -> None:
    """At each byte at which it may be full: what is there stays, and when there is room again, it goes on."""
    for room in range(0, 4000, 90):
        disk = SimulatedDisk(seed=room)
        items: Items = {}
        with LSMTree.open("/tree", filesystem=disk, write_buffer_size=700, block_size=200) as tree:
            disk.fill_up_after(room)
            refused = 0
            for key, value in random_changes(3, 40):
                if value is not None and refused < 3:
                    try:
                        tree[key] = value[:150]
                        items[key] = value[:150]
                    except StorageError:
                        refused += 1
                        assert dict(tree) == items
            assert refused or room > 2000
            disk.fill_up_after(None)
            for key, value in random_changes(4, 40):
                if value is not None:
                    tree[key] = items[key] = value[:150]
            assert dict(tree) == items
            tree.check()
        with LSMTree.open("/tree", filesystem=disk.crash("none")) as tree:
            assert dict(tree) == items


def test_a_table_that_is_missing_is_told() -> None:
    disk = SimulatedDisk(seed=1)
    with LSMTree.open("/tree", filesystem=disk) as tree:
        tree.put_many({b"%d" % k: b"" for k in range(100)})
        tree.flush()
    (name,) = [name for name in disk.list_directory("/tree") if name.endswith(".ldb")]
    disk.unlink(f"/tree/{name}")
    with pytest.raises(CorruptDataError, match=f"{name}, byte 0: the file is not there"):
        LSMTree.open("/tree", filesystem=disk)
