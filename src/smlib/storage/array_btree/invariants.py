"""Proving an arena: a walk over its rows, a level at a time.

Comer, "The Ubiquitous B-Tree", *ACM Computing Surveys* 11 (1979).
"""

from __future__ import annotations

import numpy as np

from smlib.errors import CorruptDataError
from smlib.storage.array_btree.rows import (
    CAPACITY,
    COUNT,
    HEIGHT,
    ITEMS,
    KEYS,
    LEAST,
    NEXT,
    PADDING,
    PREVIOUS,
    ROOT,
    ROW,
    SPARE,
    UNUSED,
    VALUES,
    Words,
)


def count_rows(arena: Words) -> int:
    """Return the number of leaves."""
    row, leaves = int(arena[ROOT]), 0
    for _ in range(int(arena[HEIGHT]) - 1):
        row = int(arena[row + int(VALUES)])
    while row:
        row, leaves = int(arena[row + int(NEXT)]), leaves + 1
    return leaves


def check_arena(arena: Words) -> None:
    """Raise CorruptDataError with the number of the first invariant that does not hold."""
    head, first_value, width = int(KEYS), int(VALUES), int(ROW)
    used = range(head, min(int(arena[UNUSED]), arena.size - width + 1), width)
    seen: set[int] = set()
    # A row, and the interval of its keys: the least that may be, and the least that may not.
    level: list[tuple[int, int, int]] = [(int(arena[ROOT]), -(2**63), 2**63)]
    for depth in range(int(arena[HEIGHT])):
        is_leaf = depth == int(arena[HEIGHT]) - 1
        below: list[tuple[int, int, int]] = []
        for place, (row, low, high) in enumerate(level):
            _require(row in used and row not in seen, 5, f"row {row} is used twice, or is none")
            seen.add(row)
            count = int(arena[row + int(COUNT)])
            _require(0 <= count < int(CAPACITY), 4, f"row {row} has {count} keys")
            may_be_small = depth == 0 or place == len(level) - 1
            _require(count >= int(LEAST) or may_be_small, 4, f"row {row} has {count} keys only")
            _require(count > 0 or (depth == 0 and is_leaf), 4, f"row {row} has no keys")
            keys = arena[row + head : row + first_value]
            _require(bool((keys[count:] == PADDING).all()), 1, f"row {row} has keys behind its {count}")
            _require(bool((np.diff(keys[:count].astype(object)) > 0).all()), 1, f"keys of row {row} do not increase")
            inside = count == 0 or (low <= int(keys[0]) and int(keys[count - 1]) < high)
            _require(inside, 2, f"row {row} has a key that belongs elsewhere")
            if not is_leaf:
                ends = [low, *keys[:count].tolist(), high]
                children = arena[row + first_value : row + first_value + count + 1].tolist()
                below += zip(children, ends, ends[1:], strict=False)
        if is_leaf:
            _check_neighbours(arena, [row for row, _, _ in level])
        else:
            level = below
    total = sum(int(arena[row + int(COUNT)]) for row, _, _ in level)
    _require(total == int(arena[ITEMS]), 5, f"the leaves hold {total} items, the head says {int(arena[ITEMS])}")
    spare = int(arena[SPARE])
    while spare:
        _require(spare in used and spare not in seen, 5, f"row {spare} is given back and used, or is none")
        seen.add(spare)
        spare = int(arena[spare + int(NEXT)])
    _require(len(seen) * width == int(arena[UNUSED]) - head, 5, "a row is lost")


def _check_neighbours(arena: Words, leaves: list[int]) -> None:
    for before, row, after in zip([0, *leaves], leaves, [*leaves[1:], 0], strict=False):
        linked = arena[row + int(NEXT)] == after and arena[row + int(PREVIOUS)] == before
        _require(bool(linked), 3, f"leaf {row} does not know its neighbours")


def _require(holds: bool, number: int, what: str) -> None:
    if not holds:
        raise CorruptDataError(f"invariant {number} of the B-tree in an array does not hold: {what}")
