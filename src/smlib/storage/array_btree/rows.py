"""The arena: rows of 64 keys in one array of 64-bit words.

A reference to an object is a word that leads to a header that leads to the number. Here there are no objects: a row is
136 words of one long array, and refers to another by the number of its first word::

    word   0        1      2          3..7     8 ... 71             72 ... 135
           keys n   next   previous   -        keys, in order       a leaf: their values; an inner row: n + 1 children

Words 0 to 7 of the arena are its head: the root, the first word never used, the height, the number of items, the
first row given back. Word 0 is no row, so 0 stands for none. Keys beyond the n-th are the *padding*, the largest
integer.

The padding is what makes a row fast: how many of its keys are less than a given one is counted over all 64 of them,
without looking where they end and without a branch. The compiler makes eight comparisons an instruction of it where the
processor has them. Six branches of a binary search, three of which are guessed wrong, cost more.

A key may be equal to the padding. Counting keys that are *less* never counts the padding; counting those that are *not
greater* does if the key is the padding, and no key is greater then.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel

Words = NDArray[np.int64]
# The rows on the way down, and the places taken in them.
Path = NDArray[np.uint64]

# Positions are unsigned, so that no compiler looks for negative ones.
at = np.uint64

CAPACITY = at(64)
KEYS, VALUES, ROW = at(8), at(72), at(136)
COUNT, NEXT, PREVIOUS = at(0), at(1), at(2)
ROOT, UNUSED, HEIGHT, ITEMS, SPARE = at(0), at(1), at(2), at(3), at(4)
NONE, ONE, TWO = at(0), at(1), at(2)

PADDING = np.int64(2**63 - 1)
# Every row but the root and the last of its level has at least this many keys.
LEAST = at(16)
# Two neighbours become one if that has at most this many, which leaves room.
MERGED = at(48)
# The deepest tree: 64-bit keys in rows of 16.
DEEPEST = 16


def empty_arena(rows: int = 16) -> Words:
    """Return an arena with room for some rows, of which one is used: a leaf without keys."""
    arena = allocate(int(KEYS) + rows * int(ROW))
    arena[: int(KEYS)] = 0
    arena[UNUSED] = KEYS
    arena[HEIGHT] = 1
    arena[ROOT] = take_row(arena)
    return arena


def allocate(size: int) -> Words:
    """Return words that begin where a line of the cache does: the keys of a row are eight lines then, not nine."""
    line = 8
    words = np.empty(size + line, np.int64)
    skipped = -(words.ctypes.data // words.itemsize) % line
    return words[skipped : skipped + size]


@kernel(borrows=True)
def take_row(arena: Words) -> np.uint64:
    """Return a row without keys: one that was given back, or the next unused one. There must be room."""
    row = at(arena[SPARE])
    if row != NONE:
        arena[SPARE] = arena[row + NEXT]
    else:
        row = at(arena[UNUSED])
        arena[UNUSED] += np.int64(ROW)
    arena[row + COUNT] = 0
    arena[row + NEXT] = 0
    arena[row + PREVIOUS] = 0
    for k in range(KEYS, VALUES):
        arena[row + at(k)] = PADDING
    return row


@kernel(borrows=True)
def give_row_back(arena: Words, row: np.uint64) -> None:
    """Keep a row for later use."""
    arena[row + NEXT] = arena[SPARE]
    arena[SPARE] = np.int64(row)


@kernel(borrows=True)
def has_room(arena: Words, rows: int) -> bool:
    """Return whether so many rows can be taken."""
    return bool(arena[UNUSED] + np.int64(rows) * np.int64(ROW) <= arena.size)


@kernel(borrows=True)
def keys_below(arena: Words, row: np.uint64, key: int) -> np.uint64:
    """Count the keys of a row that are less than a key."""
    first = row + KEYS
    count = NONE
    for k in range(CAPACITY):
        count += at(arena[first + at(k)] < key)
    return count


@kernel(borrows=True)
def keys_up_to(arena: Words, row: np.uint64, key: int) -> np.uint64:
    """Count the keys of a row that are not greater than a key."""
    first = row + KEYS
    count = NONE
    for k in range(CAPACITY):
        count += at(arena[first + at(k)] <= key)
    return count if key != PADDING else at(arena[row + COUNT])


@kernel(borrows=True)
def child(arena: Words, row: np.uint64, place: np.uint64) -> np.uint64:
    """Return the child of an inner row at a place."""
    return at(arena[row + VALUES + place])


@kernel(borrows=True)
def leaf_of(arena: Words, key: int) -> np.uint64:
    """Return the leaf in which a key is, or would be."""
    row = at(arena[ROOT])
    for _ in range(arena[HEIGHT] - 1):
        row = child(arena, row, keys_up_to(arena, row, key))
    return row


@kernel(borrows=True)
def move_words(arena: Words, source: np.uint64, target: np.uint64, size: np.uint64) -> None:
    """Copy words to another place, in the order that keeps them whole where the places overlap."""
    if target < source:
        for k in range(size):
            arena[target + at(k)] = arena[source + at(k)]
    else:
        for k in range(size):
            arena[target + size - ONE - at(k)] = arena[source + size - ONE - at(k)]


@kernel(borrows=True)
def pad(arena: Words, row: np.uint64) -> None:
    """Fill the places beyond the keys of a row with the padding."""
    for k in range(at(arena[row + COUNT]), CAPACITY):
        arena[row + KEYS + at(k)] = PADDING
