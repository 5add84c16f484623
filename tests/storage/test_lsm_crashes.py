"""Every crash of an LSM-tree: in each call that writes, syncs, renames or deletes, and many ways of surviving it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from smlib.storage.filesystem import FileSystem
from smlib.storage.lsm.tree import LSMTree
from tests.storage.bplustree_tools import at_random, growing, long_values, shrinking
from tests.storage.store_crashes import Search

SEEDS = range(int(os.environ.get("SMLIB_SEARCH", "50")))
PATH = "/tree"
# So little that a few commits make a table, and a few tables are merged.
SMALL = 600


def open_lsm(disk: FileSystem, **options: Any) -> LSMTree:
    """Open the tree on a disk, so that everything happens often."""
    return LSMTree.open(
        PATH, write_buffer_size=SMALL, block_size=200, block_cache_size=1000, filesystem=disk, **options
    )


def search_of(seeds: Any, **options: Any) -> Search:
    return Search(seeds, open_store=open_lsm, **options)


def grow_and_shrink(search: Search) -> None:
    commits = growing(8, 6)
    search.run(commits)
    search.run(shrinking(commits)[:12])
    search.tree.compact()
    search.run(long_values(5))


def overflow(search: Search) -> None:
    search.run(long_values(14))


def reopen_and_view(search: Search) -> None:
    commits = growing(6, 4)
    search.run(commits[:2])
    search.take_snapshot()
    search.run(long_values(4))
    search.take_snapshot()
    search.run(commits[2:4])
    search.close_snapshots()
    search.reopen()
    search.run(commits[4:])
    search.clear()
    search.run(commits[:2])


def die_often(search: Search) -> None:
    for calls, commit in enumerate(growing(12, 5)):
        search.die_within(commit, calls % 5)


RUNS: list[Callable[[Search], None]] = [grow_and_shrink, overflow, reopen_and_view, die_often]


@pytest.mark.parametrize("run", RUNS)
def test_every_crash_leaves_what_a_commit_has_left(run: Callable[[Search], None]) -> None:
    search = search_of([7])
    run(search)
    assert search.looks > 100


@pytest.mark.parametrize("size", [1, 2000])
def test_commits_that_are_gathered_come_in_order(size: int) -> None:
    """Of those since the last sync some are there, the earlier ones; whatever the sync covered is there."""
    search = search_of([5], durability="batch")
    commits = [*growing(5, 6), *long_values(6)]
    for commit in commits:
        search.run([{**commit, b"size": b"s" * size}], then_sync=len(commit) % 2 == 0)
    search.reopen()
    search.run(commits[:3], then_sync=True)
    assert search.looks > 50


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_every_crash_in_many_ways(run: Callable[[Search], None]) -> None:
    search = search_of(SEEDS[::10])
    run(search)
    assert search.looks > 5 * len(SEEDS)


@pytest.mark.slow
def test_every_crash_of_runs_at_random() -> None:
    looks = 0
    for seed in SEEDS[::8]:
        search = search_of([seed])
        commits = at_random(seed, 20)
        search.run(commits[:12])
        search.reopen()
        search.run(commits[12:])
        looks += search.looks
    assert looks > 20 * len(SEEDS)
