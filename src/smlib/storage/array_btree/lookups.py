"""Looking up: one key, or thousands side by side.

Going down a tree is waiting for memory: each row is somewhere else, and where the next one is stands in the one before.
A single lookup can't help that. Of a whole array of keys, 64 go down side by side, a step of the bisection at a time:
while the first waits for its row, the requests of the others are on their way. (That is why they bisect, where a single
one counts: a wait of one is filled by the steps of the others, and bisection reads half as much.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.simd import float_of_bits
from smlib.storage.array_btree.rows import (
    CAPACITY,
    COUNT,
    HEIGHT,
    KEYS,
    NEXT,
    NONE,
    ONE,
    PADDING,
    PREVIOUS,
    ROOT,
    TWO,
    VALUES,
    Path,
    Words,
    at,
    child,
    keys_below,
    keys_up_to,
    leaf_of,
)

SIDE_BY_SIDE = 64

# What `value_of` returns for a key that is not there; `number_of` returns NaN. Both may be values too: `find` knows.
MISSING = -(2**63)


@kernel(borrows=True, brief=True)
def value_of(arena: Words, key: int) -> np.int64:
    """Return the value of a key, or ``MISSING``."""
    position = find(arena, key)
    return arena[at(position)] if position >= 0 else np.int64(MISSING)


@kernel(borrows=True, brief=True)
def number_of(arena: Words, key: int) -> float:
    """Return the value of a key as a float, or NaN."""
    position = find(arena, key)
    return float_of_bits(arena[at(position)]) if position >= 0 else np.nan


@kernel(borrows=True)
def find(arena: Words, key: int) -> np.int64:
    """Return the position of a key's value, or -1."""
    position = place_of(arena, leaf_of(arena, key), key)
    there = position != NONE and arena[position] == key
    return np.int64(position + VALUES - KEYS) if there else np.int64(-1)


@kernel(borrows=True)
def place_of(arena: Words, row: np.uint64, key: int) -> np.uint64:
    """Return the position in a leaf at which a key stands if it is there; 0 if it is greater than all."""
    place = keys_below(arena, row, key)
    if place == CAPACITY or (key == PADDING and place == at(arena[row + COUNT])):
        return NONE
    return row + KEYS + place


@kernel
def find_many(arena: Words, keys: Words, words: Words, missing: NDArray[np.bool_]) -> int:
    """Copy the values of many keys; where one is not there, 0, and ``missing``. Return how many are not there.

    A key that is the padding is looked up alone, for no row says of it where its keys end.
    """
    asked = np.empty(SIDE_BY_SIDE, np.int64)
    rows, places = np.empty(SIDE_BY_SIDE, np.uint64), np.empty(SIDE_BY_SIDE, np.uint64)
    lost = 0
    for first in range(0, keys.size, SIDE_BY_SIDE):
        group = min(SIDE_BY_SIDE, keys.size - first)
        for k in range(group):
            asked[k] = keys[first + k] if keys[first + k] != PADDING else 0
            rows[k] = at(arena[ROOT])
        for _ in range(arena[HEIGHT] - 1):
            bisect_side_by_side(arena, asked[:group], rows, places, False)
            for k in range(group):
                rows[k] = child(arena, rows[k], places[k])
        bisect_side_by_side(arena, asked[:group], rows, places, True)
        for k in range(group):
            position = np.int64(rows[k] + VALUES + places[k])
            if keys[first + k] == PADDING:
                position = find(arena, keys[first + k])
            elif arena[rows[k] + KEYS + places[k]] != asked[k]:
                position = np.int64(-1)
            missing[first + k] = position < 0
            words[first + k] = arena[at(position)] if position >= 0 else 0
            lost += 1 if position < 0 else 0
    return lost


@kernel
def bisect_side_by_side(arena: Words, keys: Words, rows: Path, places: Path, less: bool) -> None:
    """Count for each key how many keys of its row are not greater (or less); 63 at most, which is what a row has.

    All of them take the first step of the bisection, then all the second: none waits for the step before.
    """
    for k in range(keys.size):
        places[k] = NONE
    step = CAPACITY // TWO
    while step > NONE:
        if less:
            for k in range(keys.size):
                places[k] += step if arena[rows[k] + KEYS + places[k] + step - ONE] < keys[k] else NONE
        else:
            for k in range(keys.size):
                places[k] += step if arena[rows[k] + KEYS + places[k] + step - ONE] <= keys[k] else NONE
        step //= TWO


@kernel(borrows=True)
def find_floor(arena: Words, key: int) -> np.int64:
    """Return the position of the value of the greatest key that is not greater, or -1."""
    row = leaf_of(arena, key)
    place = keys_up_to(arena, row, key)
    if place == NONE:
        row = at(arena[row + PREVIOUS])
        place = at(arena[row + COUNT]) if row != NONE else NONE
    return np.int64(row + VALUES + place - ONE) if place != NONE else np.int64(-1)


@kernel(borrows=True)
def find_ceiling(arena: Words, key: int) -> np.int64:
    """Return the position of the value of the least key that is not less, or -1."""
    row = leaf_of(arena, key)
    place = keys_below(arena, row, key)
    if place == at(arena[row + COUNT]):
        row, place = at(arena[row + NEXT]), NONE
        if row == NONE:
            return np.int64(-1)
    return np.int64(row + VALUES + place)


@kernel(borrows=True)
def scan(arena: Words, start: int, stop: int, closed: bool, keys: Words, values: Words) -> int:
    """Copy items in order, from ``start`` up to ``stop`` (itself only if ``closed``); return how many, or would be.

    Arrays of size 0 are not written to: so the items are counted first.
    """
    row = leaf_of(arena, start)
    place = keys_below(arena, row, start)
    total = 0
    while row != NONE:
        end = keys_up_to(arena, row, stop) if closed else keys_below(arena, row, stop)
        if keys.size:
            for k in range(place, end):
                if total == keys.size:
                    return total
                keys[total] = arena[row + KEYS + at(k)]
                values[total] = arena[row + VALUES + at(k)]
                total += 1
        elif end > place:
            total += int(end - place)
        if end < at(arena[row + COUNT]):
            break
        row, place = at(arena[row + NEXT]), NONE
    return total


@kernel(borrows=True)
def scan_back(arena: Words, start: int, stop: int, closed: bool, keys: Words, values: Words) -> int:
    """Copy items backwards, from below ``stop`` (itself only if ``closed``) down to ``start``; return how many."""
    row = leaf_of(arena, stop)
    place = keys_up_to(arena, row, stop) if closed else keys_below(arena, row, stop)
    total = 0
    while row != NONE:
        while place != NONE:
            place -= ONE
            key = arena[row + KEYS + place]
            if key < start or total == keys.size:
                return total
            keys[total] = key
            values[total] = arena[row + VALUES + place]
            total += 1
        row = at(arena[row + PREVIOUS])
        place = at(arena[row + COUNT]) if row != NONE else NONE
    return total
