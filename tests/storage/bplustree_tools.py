"""What the tests of the B+tree in a file share: how it is opened, and commits: it grows, shrinks and overflows."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from smlib.storage import BPlusTree as BPlusTree
from smlib.storage.filesystem import FileSystem

PATH = "/tree.db"

# What a commit changes; None takes a key out, which need not be there.
Commit = dict[bytes, bytes | None]
Items = dict[bytes, bytes]

BEGINNING = b"a long beginning that all keys have, and so all separators, too/"


def open_tree(disk: FileSystem, page_size: int = 512, **options: Any) -> BPlusTree:
    """Open the tree on a disk, with as small a cache as there is."""
    return BPlusTree.open(PATH, page_size=page_size, cache_size=1, filesystem=disk, **options)


def apply(tree: BPlusTree, commit: Commit) -> None:
    """Make one commit, in the simplest way that there is for it."""
    puts = puts_of(commit)
    if len(puts) == len(commit):
        tree.put_many(puts)
    elif len(commit) == 1:
        del tree[next(iter(commit))]
    else:
        with tree.batch() as batch:
            batch.put_many(puts)
            for key, value in commit.items():
                if value is None:
                    del batch[key]


def puts_of(commit: Commit) -> Items:
    """Return the items that a commit sets."""
    return {key: value for key, value in commit.items() if value is not None}


def after(state: Items, commit: Commit) -> Items:
    """Return what a commit leaves of a state."""
    return puts_of({**state, **commit})


def key_of(number: int) -> bytes:
    """Return a key: with a long beginning that all have, so that branches hold few of them, and of some length."""
    return BEGINNING + b"%03d" % number + b"k" * (number % 7)


def growing(count: int = 10, size: int = 8, seed: int = 1) -> list[Commit]:
    """Return commits that put new items among the old ones: leaves split, and branches, and the root."""
    dice = random.Random(seed)
    numbers = dice.sample(range(1000), count * size)
    return [{key_of(n): bytes([n % 256]) * (n % 40) for n in numbers[size * k : size * k + size]} for k in range(count)]


def keys_of(commits: Iterable[Commit]) -> list[bytes]:
    """Return the keys of commits in order."""
    return sorted(key for commit in commits for key in commit)


def shrinking(commits: Iterable[Commit], seed: int | None = 2) -> list[Commit]:
    """Return commits that take out what others have put in, in order if no seed is given: pages become one."""
    keys = keys_of(commits)
    if seed is not None:
        random.Random(seed).shuffle(keys)
    return [{key: None} for key in keys]


def long_values(count: int = 16, seed: int = 3) -> list[Commit]:
    """Return commits of values that fill pages of their own, are replaced by longer and shorter ones, and taken out."""
    dice = random.Random(seed)
    commits: list[Commit] = []
    held: set[int] = set()
    for step in range(count):
        number = dice.randrange(6)
        if number in held and dice.random() < 0.3:
            commits.append({key_of(number): None})
            held.discard(number)
        else:
            commits.append({key_of(number): bytes([step + 1]) * dice.choice((3, 105, 468, 469, 1500, 3000))})
            held.add(number)
    return commits


def much_to_and_fro() -> list[Commit]:
    """Return commits that give up more pages than one page of the free list can name, and take them again."""
    return [
        {key_of(0): b"A" * 40_000, key_of(1): b"B" * 10_000},
        {key_of(0): b"C"},
        {key_of(2): b"D" * 25_000},
        {key_of(1): None},
        {key_of(3): b"E" * 20_000, key_of(2): b""},
        {key_of(3): b"F"},
    ]


def at_random(seed: int, count: int = 30) -> list[Commit]:
    """Return commits of all kinds: single items and many, ranges taken out, long values."""
    dice = random.Random(seed)
    commits: list[Commit] = []
    state: Items = {}
    sizes = dice.choice(((0, 3, 60), (0, 10, 90, 300), (90, 500, 2000)))
    for step in range(count):
        kind = dice.random()
        commit: Commit = {}
        if kind < 0.3 and state:
            commit = {dice.choice(sorted(state)): None}
        elif kind < 0.5 and state:
            begin = dice.randrange(len(state))
            commit = dict.fromkeys(sorted(state)[begin : begin + dice.randint(1, 20)])
        if not commit or dice.random() < 0.3:
            commit |= {
                key_of(dice.randrange(150)): bytes([step]) * dice.choice(sizes) for _ in range(dice.randint(1, 12))
            }
        commits.append(commit)
        state = after(state, commit)
    return commits
