"""What is not up to the store: processes that are killed, syncs that fail, disks that are full, and other writers."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smlib.errors import ClosedError, DiskFullError, LockedError, StorageError
from smlib.storage import SimulatedDisk
from smlib.storage.simulated_files import SimulatedCrash
from tests.storage.bplustree_tools import BPlusTree, Items, after, apply, growing, key_of, long_values, open_tree

UNIX = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed")

# Commit number n puts item n, changes the last one, and is told.
COMMITS = """
import itertools, sys
from tests.storage.bplustree_tools import BPlusTree
tree = BPlusTree.open(sys.argv[1], page_size=512, durability=sys.argv[2])
for n in itertools.count(max(0, len(tree) - 1)):
    tree.put_many({b"%06d" % n: b"%d" % n * (n % 90), b"last": b"%d" % n})
    print(n, flush=True)
"""


def start(program: str, path: Path, durability: str) -> subprocess.Popen[str]:
    """Start a Python process."""
    folder = Path(__file__).parents[2]
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path), durability],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )


def kill_within_commits(path: Path, commits: int, durability: str) -> int:
    """Let a process make commits and kill it after so many; return the last one that was told."""
    with start(COMMITS, path, durability) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline() for _ in range(commits)]
            with pytest.raises(LockedError, match=f"locked by process {process.pid}"):
                BPlusTree.open(path)
            with BPlusTree.open(path, readonly=True) as tree:
                for _ in range(5):
                    read_beside_it(tree)
        finally:
            process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines()
    return max(int(line) for line in lines if line.strip())


def read_beside_it(tree: BPlusTree) -> None:
    """Read what another process is writing: a snapshot shows what some commit has left, all the time."""
    with tree.snapshot() as view:
        last = int(view[b"last"])
        expected = {b"%06d" % n: b"%d" % n * (n % 90) for n in range(last + 1)} | {b"last": b"%d" % last}
        for _ in range(3):
            assert dict(view) == expected
            assert int(tree[b"last"]) >= last
            last = int(tree[b"last"])


@UNIX
@pytest.mark.parametrize("durability", ["sync", "none"])
@pytest.mark.parametrize("rounds", [2, pytest.param(12, marks=pytest.mark.slow)])
def test_a_process_that_is_killed_has_lost_nothing(rounds: int, durability: str, tmp_path: Path) -> None:
    """All commits that were told are there, in order, and perhaps the one that was just being made."""
    path, dice, first = tmp_path / "tree.db", random.Random(rounds), 0
    for _ in range(rounds):
        told = kill_within_commits(path, dice.randint(5, 300), durability)
        with BPlusTree.open(path) as tree:
            tree.check()
            items = dict(tree)
        last = int(items[b"last"])
        assert told in (last, last - 1)
        assert told > first
        expected = {b"%06d" % n: b"%d" % n * (n % 90) for n in range(last + 1)}
        assert items == expected | {b"last": b"%d" % last}
        first = last


def puts(tree: BPlusTree, items: Items, count: int) -> None:
    """Make commits and keep a model."""
    for commit in growing(count):
        apply(tree, commit)
        items.update(after({}, commit))


@pytest.mark.parametrize("sync", [1, 2])
def test_a_sync_that_fails_ends_the_writing(sync: int) -> None:
    """The first sync of a commit, of its pages, or the second, of its meta page."""
    disk, items = SimulatedDisk(seed=sync), {b"a": b"1"}
    tree = open_tree(disk)
    tree.put_many(items)
    puts(tree, items, 3)
    view = tree.snapshot()
    disk.fail_sync(sync)
    with pytest.raises(StorageError, match=r"tree\.db: syncing it failed"):
        tree[b"a"] = b"2"
    changes: list[Any] = [
        lambda: tree.__setitem__(b"a", b"3"),
        lambda: tree.__delitem__(b"a"),
        lambda: tree.put_many({b"b": b""}),
    ]
    for change in changes:
        with pytest.raises(StorageError, match=r"tree\.db: refused, for an earlier commit has failed .*open it again"):
            change()
    # What was committed before can be read.
    assert dict(tree) == items == dict(view)
    tree.check()
    view.check()
    view.close()
    tree.close()
    with pytest.raises(ClosedError):
        tree[b"a"]
    for left in (disk.crash("none"), disk.crash("all"), *(disk.crash("torn", seed) for seed in range(20)), disk):
        with open_tree(left) as again:
            again.check()
            found = dict(again)
            assert found in (items, items | {b"a": b"2"})
            again[b"a"] = b"4"
            assert dict(again) == items | {b"a": b"4"}


def test_the_power_goes_and_nothing_more_is_written() -> None:
    disk, items = SimulatedDisk(seed=1), {b"a": b"1"}
    tree = open_tree(disk)
    tree.put_many(items)
    for calls in range(1, 5):
        disk.crash_after(calls)
        with pytest.raises(SimulatedCrash):
            tree.update({b"%d" % k: b"2" * 200 for k in range(9)})
        disk = disk.crash("torn")
        tree = open_tree(disk)
        tree.check()
        assert tree[b"a"] == b"1"


def test_a_full_disk_takes_the_commit_back_and_goes_on() -> None:
    """At each byte at which it may be full: what is there stays, and when there is room again, it goes on."""
    commits = [*growing(5), *long_values(12)]
    looks = 0
    for room in range(0, 6000, 370):
        disk, items = SimulatedDisk(seed=1), {b"a": b"1"}
        with open_tree(disk) as tree:
            tree.put_many(items)
            view = tree.snapshot()
            disk.fill_up_after(room)
            for commit in commits:
                try:
                    apply(tree, {key: value for key, value in commit.items() if value or key in items} or {b"a": b"1"})
                    items = after(items, {key: value for key, value in commit.items() if value or key in items})
                except DiskFullError:
                    looks += 1
                    assert dict(tree) == items
                    tree.check()
            disk.fill_up_after(None)
            puts(tree, items, 4)
            assert dict(tree) == items
            assert dict(view) == {b"a": b"1"}
            tree.check()
            view.close()
            tree[b"long"] = items[b"long"] = b"x" * 5000
        with open_tree(disk.crash("none")) as tree:
            assert dict(tree) == items
            tree.check()
    assert looks > 50


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system maps no file")
def test_a_mapped_file_takes_its_room_before_it_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A store to memory cannot say that the disk is full; taking the room can."""
    items = {b"%05d" % k: bytes(80) for k in range(20)}
    more = {b"%05d" % k: b"more" * 20 for k in range(10, 9000)}
    with BPlusTree.open(tmp_path / "tree", durability="none") as tree:
        tree.put_many(items)
        with monkeypatch.context() as patch:
            patch.setattr(os, "posix_fallocate", failing)
            with pytest.raises(DiskFullError, match=r"tree: mapping .* failed, for the disk is full"):
                tree.put_many(more)
        assert dict(tree) == items
        tree.check()
        tree.put_many(more)
        assert (tmp_path / "tree").stat().st_size > tree.stats()["pages"] * 4096
    with BPlusTree.open(tmp_path / "tree") as tree:
        tree.check()
        assert dict(tree) == items | more
        assert (tmp_path / "tree").stat().st_size == tree.stats()["pages"] * 4096


def failing(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_that_cannot_be_made_because_the_disk_is_full() -> None:
    disk = SimulatedDisk(seed=1)
    disk.fill_up_after(100)
    with pytest.raises(DiskFullError):
        open_tree(disk)
    disk.fill_up_after(None)
    with open_tree(disk) as tree:
        tree[key_of(1)] = b"1"
        assert dict(tree) == {key_of(1): b"1"}
