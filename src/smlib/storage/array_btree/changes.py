"""Changing: keys go in and come out, and rows that become too full or too empty are mended on the way back up.

Unlike the tree with nodes, this one goes down first and mends afterwards: a kernel remembers the way in a small array.
Keys that are put in come in order, a batch at a time. As long as the next one belongs to the same leaf, nobody goes
down again.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib.storage.array_btree.rows import (
    CAPACITY,
    COUNT,
    DEEPEST,
    HEIGHT,
    ITEMS,
    KEYS,
    LEAST,
    MERGED,
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
    give_row_back,
    has_room,
    keys_below,
    keys_up_to,
    move_words,
    pad,
    take_row,
)

# A last row that is full gives this many keys to its new neighbour: who adds in order leaves full rows behind.
HANDED_ON = at(4)


@kernel
def put_sorted(arena: Words, keys: Words, values: Words, done: int) -> int:
    """Set items in strictly increasing order of their keys, from number ``done`` on; return how many are done.

    It stops where the arena has no room for another split; a larger copy goes on from there.
    """
    path, places = np.empty(DEEPEST, np.uint64), np.empty(DEEPEST, np.uint64)
    while done < keys.size:
        levels = arena[HEIGHT] - 1
        if not has_room(arena, levels + 2):
            break
        leaf, limit, last = at(arena[ROOT]), PADDING, True
        for level in range(levels):
            place = keys_up_to(arena, leaf, keys[done])
            path[level], places[level] = leaf, place
            if place < at(arena[leaf + COUNT]):
                limit, last = arena[leaf + KEYS + place], False
            leaf = child(arena, leaf, place)
        while done < keys.size and (last or keys[done] < limit):
            put_in_leaf(arena, leaf, keys[done], values[done])
            done += 1
            if at(arena[leaf + COUNT]) == CAPACITY:
                split(arena, leaf, path, places)
                break
    return done


@kernel
def put_in_leaf(arena: Words, leaf: np.uint64, key: int, value: int) -> None:
    """Set an item in a leaf that has room."""
    count, place = at(arena[leaf + COUNT]), keys_below(arena, leaf, key)
    if place == count or arena[leaf + KEYS + place] != key:
        open_place(arena, leaf + KEYS, count, place)
        open_place(arena, leaf + VALUES, count, place)
        arena[leaf + KEYS + place] = key
        arena[leaf + COUNT] += 1
        arena[ITEMS] += 1
    arena[leaf + VALUES + place] = value


@kernel
def open_place(arena: Words, first: np.uint64, count: np.uint64, place: np.uint64) -> None:
    """Move the words from a place on by one."""
    move_words(arena, first + place, first + place + ONE, count - place)


@kernel
def close_place(arena: Words, first: np.uint64, count: np.uint64, place: np.uint64) -> None:
    """Move the words behind a place back by one."""
    move_words(arena, first + place + ONE, first + place, count - place - ONE)


@kernel
def split(arena: Words, row: np.uint64, path: Path, places: Path) -> None:
    """Cut a full leaf in two, and every row above that becomes full by it."""
    level = arena[HEIGHT] - 2
    leaf = True
    while True:
        count = at(arena[row + COUNT])
        is_last = is_last_of_level(arena, path, places, level)
        kept = count - HANDED_ON if is_last else count // TWO
        right = take_row(arena)
        separator = arena[row + KEYS + kept]
        skipped = NONE if leaf else ONE
        moved = count - kept - skipped
        move_words(arena, row + KEYS + kept + skipped, right + KEYS, moved)
        move_words(arena, row + VALUES + kept + skipped, right + VALUES, moved + skipped)
        arena[right + COUNT] = np.int64(moved)
        arena[row + COUNT] = np.int64(kept)
        pad(arena, row)
        if leaf:
            after = at(arena[row + NEXT])
            arena[right + NEXT], arena[right + PREVIOUS] = np.int64(after), np.int64(row)
            arena[row + NEXT] = np.int64(right)
            if after != NONE:
                arena[after + PREVIOUS] = np.int64(right)
            leaf = False
        if level < 0:
            root = take_row(arena)
            arena[root + COUNT] = 1
            arena[root + KEYS] = separator
            arena[root + VALUES] = np.int64(row)
            arena[root + VALUES + ONE] = np.int64(right)
            arena[ROOT] = np.int64(root)
            arena[HEIGHT] += 1
            return
        parent, place = path[level], places[level]
        count = at(arena[parent + COUNT])
        open_place(arena, parent + KEYS, count, place)
        open_place(arena, parent + VALUES, count + ONE, place + ONE)
        arena[parent + KEYS + place] = separator
        arena[parent + VALUES + place + ONE] = np.int64(right)
        arena[parent + COUNT] += 1
        if at(arena[parent + COUNT]) < CAPACITY - ONE:
            return
        row, level = parent, level - 1


@kernel
def is_last_of_level(arena: Words, path: Path, places: Path, level: int) -> bool:
    """Return whether the way down to a level always took the last child."""
    last = True
    for k in range(level + 1):
        last = last and places[k] == at(arena[path[k] + COUNT])
    return last


@kernel
def remove(arena: Words, key: int) -> bool:
    """Take a key out, if it is there; return whether it was."""
    path, places = np.empty(DEEPEST, np.uint64), np.empty(DEEPEST, np.uint64)
    row = at(arena[ROOT])
    for level in range(arena[HEIGHT] - 1):
        path[level], places[level] = row, keys_up_to(arena, row, key)
        row = child(arena, row, places[level])
    place, count = keys_below(arena, row, key), at(arena[row + COUNT])
    if place == count or arena[row + KEYS + place] != key:
        return False
    close_place(arena, row + KEYS, count, place)
    close_place(arena, row + VALUES, count, place)
    arena[row + KEYS + count - ONE] = PADDING
    arena[row + COUNT] -= 1
    arena[ITEMS] -= 1
    mend(arena, row, path, places)
    return True


@kernel
def mend(arena: Words, row: np.uint64, path: Path, places: Path) -> None:
    """Give a row that has too few keys some of a neighbour's, or make them one; then look at the row above."""
    leaf = True
    for level in range(arena[HEIGHT] - 2, -1, -1):
        if at(arena[row + COUNT]) >= LEAST:
            return
        parent, place = path[level], places[level]
        if place == at(arena[parent + COUNT]):
            place -= ONE
        left, right = child(arena, parent, place), child(arena, parent, place + ONE)
        if at(arena[left + COUNT] + arena[right + COUNT]) > MERGED:
            share(arena, left, right, parent + KEYS + place, leaf)
            return
        join(arena, left, right, arena[parent + KEYS + place], leaf)
        count = at(arena[parent + COUNT])
        close_place(arena, parent + KEYS, count, place)
        close_place(arena, parent + VALUES, count + ONE, place + ONE)
        arena[parent + KEYS + count - ONE] = PADDING
        arena[parent + COUNT] -= 1
        row, leaf = parent, False
    root = at(arena[ROOT])
    if arena[HEIGHT] > 1 and arena[root + COUNT] == 0:
        arena[ROOT] = arena[root + VALUES]
        arena[HEIGHT] -= 1
        give_row_back(arena, root)


@kernel
def join(arena: Words, left: np.uint64, right: np.uint64, separator: int, leaf: bool) -> None:
    """Move all of a row to its left neighbour; between inner rows the separator comes down."""
    kept, moved = at(arena[left + COUNT]), at(arena[right + COUNT])
    if not leaf:
        arena[left + KEYS + kept] = separator
        kept += ONE
    move_words(arena, right + KEYS, left + KEYS + kept, moved)
    move_words(arena, right + VALUES, left + VALUES + kept, moved if leaf else moved + ONE)
    arena[left + COUNT] = np.int64(kept + moved)
    if leaf:
        after = at(arena[right + NEXT])
        arena[left + NEXT] = np.int64(after)
        if after != NONE:
            arena[after + PREVIOUS] = np.int64(left)
    give_row_back(arena, right)


@kernel
def share(arena: Words, left: np.uint64, right: np.uint64, separator: np.uint64, leaf: bool) -> None:
    """Move keys between neighbours until both have half; ``separator`` is where the key between them stands."""
    here, there = at(arena[left + COUNT]), at(arena[right + COUNT])
    half = (here + there) // TWO
    if here > half:
        moved = here - half
        move_words(arena, right + KEYS, right + KEYS + moved, there)
        move_words(arena, right + VALUES, right + VALUES + moved, there if leaf else there + ONE)
        if leaf:
            move_words(arena, left + KEYS + half, right + KEYS, moved)
            move_words(arena, left + VALUES + half, right + VALUES, moved)
            arena[separator] = arena[right + KEYS]
        else:
            arena[right + KEYS + moved - ONE] = arena[separator]
            move_words(arena, left + KEYS + half + ONE, right + KEYS, moved - ONE)
            move_words(arena, left + VALUES + half + ONE, right + VALUES, moved)
            arena[separator] = arena[left + KEYS + half]
    else:
        moved = half - here
        if leaf:
            move_words(arena, right + KEYS, left + KEYS + here, moved)
            move_words(arena, right + VALUES, left + VALUES + here, moved)
            arena[separator] = arena[right + KEYS + moved]
        else:
            arena[left + KEYS + here] = arena[separator]
            move_words(arena, right + KEYS, left + KEYS + here + ONE, moved - ONE)
            move_words(arena, right + VALUES, left + VALUES + here + ONE, moved)
            arena[separator] = arena[right + KEYS + moved - ONE]
        move_words(arena, right + KEYS + moved, right + KEYS, there - moved)
        move_words(arena, right + VALUES + moved, right + VALUES, there - moved if leaf else there - moved + ONE)
    arena[left + COUNT] = np.int64(half)
    arena[right + COUNT] = np.int64(here + there - half)
    pad(arena, left)
    pad(arena, right)
