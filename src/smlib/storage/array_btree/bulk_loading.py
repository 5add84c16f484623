"""Bulk loading: a tree from sorted arrays, a level at a time, from the leaves up.

Items are spread evenly over as many leaves as are needed, leaves over as many rows above as are needed, and so on to
the root. No row is searched and none is split.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib.storage.array_btree.rows import (
    COUNT,
    HEIGHT,
    ITEMS,
    KEYS,
    NEXT,
    ONE,
    PREVIOUS,
    ROOT,
    ROW,
    VALUES,
    Words,
    at,
    empty_arena,
    take_row,
)

# Of 64; what is left free takes later keys.
FILL = 56


def load(keys: Words, values: Words) -> Words:
    """Return an arena that holds items with strictly increasing keys."""
    rows, level = 4, -(-keys.size // FILL)
    while level > 1:
        rows += level
        level = -(-level // FILL)
    arena = empty_arena(rows + rows // 8)
    if keys.size:
        build(arena, keys, values)
    return arena


@kernel
def build(arena: Words, keys: Words, values: Words) -> None:
    """Fill an empty arena."""
    width = (keys.size + FILL - 1) // FILL
    row = at(arena[ROOT])
    first_of_level = row
    for k in range(width):
        begin, end = keys.size * k // width, keys.size * (k + 1) // width
        if k > 0:
            before, row = row, take_row(arena)
            arena[before + NEXT], arena[row + PREVIOUS] = np.int64(row), np.int64(before)
        arena[row + COUNT] = end - begin
        for i in range(end - begin):
            arena[row + KEYS + at(i)] = keys[begin + i]
            arena[row + VALUES + at(i)] = values[begin + i]
    # The rows of a level stand side by side, and so do the least keys below each.
    least = np.empty(width, np.int64)
    for k in range(width):
        least[k] = keys[keys.size * k // width]
    while width > 1:
        parents = (width + FILL - 1) // FILL
        first_parent = at(0)
        for k in range(parents):
            begin, end = width * k // parents, width * (k + 1) // parents
            row = take_row(arena)
            if k == 0:
                first_parent = row
            arena[row + COUNT] = end - begin - 1
            for i in range(end - begin):
                arena[row + VALUES + at(i)] = np.int64(first_of_level + at(begin + i) * ROW)
                if i > 0:
                    arena[row + KEYS + at(i) - ONE] = least[begin + i]
            least[k] = least[begin]
        first_of_level, width = first_parent, parents
        arena[HEIGHT] += 1
    arena[ROOT] = np.int64(first_of_level)
    arena[ITEMS] = keys.size
