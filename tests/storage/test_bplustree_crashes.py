"""Crashes at every call of a run of commits: what is found is what some commit has left, none that was told is missing.

How many crashes are looked at is counted below. Bugs that are put in on purpose are found among the first of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smlib.errors import CorruptDataError
from smlib.storage import SimulatedDisk
from smlib.storage.bplustree import commits as commits_module
from smlib.storage.bplustree.chains import FreeList
from smlib.storage.bplustree.commits import Writer
from smlib.storage.bplustree.meta import encode_meta
from smlib.storage.bplustree.page_file import PageFile
from smlib.storage.bplustree.working_pages import DROPPED, FREED, ROOT, SPARE
from tests.storage.bplustree_tools import (
    at_random,
    growing,
    key_of,
    keys_of,
    long_values,
    much_to_and_fro,
    open_tree,
    shrinking,
)
from tests.storage.store_crashes import FoundWrong, Search

SEEDS = range(int(os.environ.get("SMLIB_SEARCH", "50")))


def grow_and_shrink(search: Search) -> None:
    """Three levels, and back to one; at the end a range goes in order."""
    commits = growing(6, 6)
    search.run(commits)
    assert search.tree.stats()["depth"] == 3
    search.run(shrinking(commits)[:18])
    search.run([{key: None} for key in search.tree.snapshot()])
    assert search.tree.stats()["depth"] == 1


def overflow(search: Search) -> None:
    """Values in pages of their own."""
    search.run(long_values())


def free_much(search: Search) -> None:
    """A free list of several pages."""
    search.run(much_to_and_fro())
    assert search.tree.stats()["free"] > 60


def reopen_and_view(search: Search) -> None:
    """Snapshots hold pages back, and a tree that is opened again finds its free pages in the file."""
    commits = growing(6, 6, seed=4)
    search.run(commits[:3])
    search.take_snapshot()
    search.run(shrinking(commits[:2]))
    search.take_snapshot()
    search.run(commits[3:5])
    search.close_snapshots()
    search.reopen()
    search.run(long_values(6))
    search.reopen()
    search.run(commits)


def die_often(search: Search) -> None:
    """The process ends in each call of a commit, and another one goes on with what it finds."""
    commits = growing(12, 5, seed=5)
    search.run(commits[:3])
    for calls, commit in enumerate([*commits[3:9], *long_values(4), *shrinking(commits[:1])]):
        search.die_within(commit, calls % 6)
        search.run([{key_of(calls): b"after %d" % calls}])


def take_much_out(search: Search) -> None:
    """Ranges that go in one commit, and all at once."""
    commits = growing(5, 8, seed=6)
    search.run(commits)
    keys = keys_of(commits)
    search.run([dict.fromkeys(keys[10:25]), {**dict.fromkeys(keys[:8]), key_of(7): b"new"}, commits[2]])
    search.clear()
    search.run([*commits[:2], *long_values(4)])
    search.clear()


def compact(search: Search) -> None:
    """A new file in the place of the old one."""
    commits = growing(4, 6, seed=8)
    search.run([*commits[:3], *long_values(4)])
    search.tree.compact()
    search.run([commits[3], *shrinking(commits[:1])])
    search.tree.compact()
    search.reopen()
    search.run(long_values(3, seed=9))


RUNS: list[Callable[[Search], None]] = [
    grow_and_shrink,
    overflow,
    free_much,
    reopen_and_view,
    die_often,
    take_much_out,
    compact,
]


@pytest.mark.parametrize("run", RUNS)
def test_every_crash_leaves_what_a_commit_has_left(run: Callable[[Search], None]) -> None:
    """Crashes at each call that lose everything and nothing, and once a subset and something torn."""
    search = Search([7])
    run(search)
    assert search.looks > 300


def test_pages_that_are_torn() -> None:
    """A disk writes 512 bytes at once, half of a page."""
    search = Search([1, 2, 3], page_size=1024)
    search.run([*growing(4, 12), *long_values(6)])
    assert search.looks > 300


@pytest.mark.parametrize("size", [1, 2000])
def test_commits_that_are_gathered_come_in_order(size: int) -> None:
    """Of those since the last sync some are there, the earlier ones; whatever the sync covered is there."""
    search = Search([5], durability="batch")
    commits = [*growing(5, 6), *long_values(6)]
    for commit in commits:
        search.run([{**commit, b"size": b"s" * size}], then_sync=len(commit) % 2 == 0)
    search.take_snapshot()
    search.run(shrinking(commits[:2])[:8])
    search.close_snapshots()
    search.reopen()
    search.run(commits[:3], then_sync=True)
    assert search.looks > 100


@pytest.mark.slow
@pytest.mark.parametrize("page_size", [512, 1024])
@pytest.mark.parametrize("run", RUNS)
def test_every_crash_in_many_ways(run: Callable[[Search], None], page_size: int) -> None:
    search = Search(SEEDS[::4], page_size=page_size)
    if page_size > 512 and run in (grow_and_shrink, free_much):
        search.run([*growing(20, 8), *long_values(10)])
    else:
        run(search)
    assert search.looks > 20 * len(SEEDS)


@pytest.mark.slow
def test_every_crash_of_runs_at_random() -> None:
    looks = 0
    for seed in SEEDS:
        search = Search([seed], page_size=512 << seed % 3)
        commits = at_random(seed)
        search.run(commits[:20])
        search.reopen()
        search.run(commits[20:])
        looks += search.looks
    assert looks > 500 * len(SEEDS)


def test_a_crash_while_the_file_is_made() -> None:
    """There is a tree afterwards, an empty one: nothing was told yet."""
    disk, looks = SimulatedDisk(seed=2), 0

    def look() -> None:
        nonlocal looks
        for mode, seed in [("none", 0), ("all", 0), *(("torn", seed) for seed in range(5))]:
            looks += 1
            left = disk.crash(mode, seed)  # type: ignore[arg-type]
            with open_tree(left, 1024) as tree:
                assert dict(tree) == {}
                tree[b"a"] = b"b"
            with open_tree(left.crash("none"), 1024) as tree:
                assert dict(tree) == {b"a": b"b"}

    disk.watch(look)
    open_tree(disk, 1024).close()
    assert looks > 40


# Bugs, put in on purpose.

Patch = pytest.MonkeyPatch


def reuse_what_this_commit_gave_up(patch: Patch) -> None:
    """Take pages for long values and for the free list from those that the tree of the last commit still needs."""
    take_number = PageFile.take_number

    def hasty(self: PageFile) -> int:
        state = self.pages.state
        if state[FREED]:
            state[FREED] -= 1
            self.push("spare", SPARE, self.pages.freed[state[FREED] : state[FREED] + 1])
        return take_number(self)

    patch.setattr(PageFile, "take_number", hasty)


def free_long_values_too_early(patch: Patch) -> None:
    """Let the pages of a long value be taken by the commit that takes its key out."""
    apply_changes = Writer._apply

    def hasty(self: Writer, *changes: Any) -> None:
        apply_changes(self, *changes)
        files = self.store.files
        state = files.pages.state
        if state[DROPPED]:
            state[FREED] -= 1
            files.push("spare", SPARE, files.pages.freed[state[FREED] : state[FREED] + 1])

    patch.setattr(Writer, "_apply", hasty)


def forget_the_snapshots(patch: Patch) -> None:
    """Let pages go that a snapshot shows."""
    release = Writer._release

    def hasty(self: Writer) -> None:
        readers, self.store.readers = self.store.readers, {}
        release(self)
        self.store.readers = readers

    patch.setattr(Writer, "_release", hasty)


def changed_list(patch: Patch, change: Callable[[PageFile, Any], Any]) -> None:
    """Write a free list that is not the right one."""
    write = FreeList.write

    def wrong(self: FreeList, store: PageFile, others: Any) -> Any:
        return write(self, store, change(store, others))

    patch.setattr(FreeList, "write", wrong)


def write_no_free_list(patch: Patch) -> None:
    """Leave out what a commit has given up."""
    changed_list(patch, lambda store, others: others[:0])


def list_what_is_used(patch: Patch) -> None:
    """Write a page of the new tree into the free list."""
    changed_list(patch, lambda store, others: np.append(others, store.pages.state[ROOT]))


def name_the_old_free_list(patch: Patch) -> None:
    """Let a meta page name the free list of the commit before."""
    last = [0]

    def stale(meta: Any) -> bytes:
        older, last[0] = last[0], meta.free_list
        return encode_meta(meta._replace(free_list=older))

    patch.setattr(commits_module, "encode_meta", stale)


def choose_the_older_meta_page(patch: Patch) -> None:
    """Open the older one of two trees."""
    patch.setattr("smlib.storage.bplustree.meta.max", min, raising=False)


def promise_too_much(patch: Patch) -> None:
    """Take a commit that is gathered for one that is synced."""
    patch.setattr(Writer, "_is_due", lambda self: False)


# The bug, the fault of the disk that stands for it, a run that shows it, and options.
BUGS: list[tuple[Callable[[Patch], None] | None, str, Callable[[Search], None], dict[str, Any]]] = [
    (None, "data sync", overflow, {}),
    (None, "meta sync", overflow, {}),
    (None, "order", overflow, {}),
    (None, "lost write", overflow, {}),
    (None, "one meta", overflow, {}),
    (None, "directory", compact, {}),
    (None, "recovery", die_often, {}),
    (None, "", overflow, {"durability": "none"}),
    (reuse_what_this_commit_gave_up, "", overflow, {}),
    (free_long_values_too_early, "", overflow, {}),
    (forget_the_snapshots, "", reopen_and_view, {}),
    (write_no_free_list, "", overflow, {}),
    (list_what_is_used, "", overflow, {}),
    (name_the_old_free_list, "", overflow, {}),
    (choose_the_older_meta_page, "", overflow, {}),
    (promise_too_much, "", overflow, {}),
]
# Crashes in which each of them is found.
ENOUGH = 600


@pytest.mark.parametrize(
    ("bug", "fault", "run", "options"),
    BUGS,
    ids=[f"{bug.__name__ if bug else fault or 'no sync at all'}, {run.__name__}" for bug, fault, run, _ in BUGS],
)
def test_a_bug_is_found(
    monkeypatch: Patch,
    bug: Callable[[Patch], None] | None,
    fault: str,
    run: Callable[[Search], None],
    options: dict[str, Any],
) -> None:
    """The search is worth something: what a careless programmer might do is seen."""
    if bug is not None:
        bug(monkeypatch)
    search = Search([1], fault=fault, at_most=ENOUGH, **options)
    with pytest.raises((FoundWrong, CorruptDataError)):
        run(search)
