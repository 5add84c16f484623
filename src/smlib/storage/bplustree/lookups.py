"""Looking up: the way from the root to a leaf, and what is found there.

Kernels find the page of a key, or say which page they want; the caller reads it and calls again. Values are copied
before any page is given up.

A walk gives out many items at a time: it goes down to the first one, along the leaf, up to the nearest branch that
leads further, and down again, and copies keys and values one behind the other into a buffer. That every leaf has keys
and that they follow those of the leaf before is looked at on the way, so that a tree whose branches lead in circles is
noticed and not walked for ever.

Cost: O(log n) to find; O(log n + k) to walk k items.

Graefe, "Modern B-Tree Techniques", *Foundations and Trends in Databases* 3 (2011), section 2.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes
from smlib.storage.bplustree.pages import (
    BRANCH,
    KIND,
    LEAF,
    at,
    cell_of,
    child_of,
    count_of,
    key_of,
    search,
    stored_size,
    value_size,
    way_down,
)
from smlib.storage.bplustree.working_pages import DEEPEST, Numbers
from smlib.storage.packed_bytes import Integer, compare, copy_bytes

# `find_value` returns this for a key that is not there; below it, -2 - page says which page is wanted, or, if that is
# in memory, which one is damaged.
ABSENT = -1
# What a walk may return instead of a page: there is nothing more, or the buffer is full.
FINISHED, FULL = 0, 1


@kernel(borrows=True)
def find_leaf(
    memory: Bytes,
    frame_of: Numbers,
    root: Integer,
    depth: Integer,
    page_size: Integer,
    keys: Bytes,
    begin: Integer,
    end: Integer,
) -> Integer:
    """Return where the leaf of a key begins in memory, or -2 - page."""
    page = root
    for level in range(depth):
        frame = frame_of[page]
        if frame < 0:
            return np.int64(-2 - page)
        base = at(frame * page_size)
        above = level < depth - 1
        if memory[base + KIND] != (BRANCH if above else LEAF) or (above and count_of(memory, base) == at(0)):
            return np.int64(-2 - page)
        if not above:
            return np.int64(base)
        page = child_of(memory, base, way_down(memory, base, keys, at(begin), at(end - begin)))
    return np.int64(-2 - page)


@kernel(borrows=True)
def find_in_leaf(memory: Bytes, base: np.uint32, keys: Bytes, begin: Integer, end: Integer) -> Integer:
    """Return the place of a key's value: its position times 2^32, plus its size as the cell has it; or ``ABSENT``."""
    place, exact = search(memory, base, keys, at(begin), at(end - begin))
    if not exact:
        return np.int64(ABSENT)
    cell = cell_of(memory, base, place)
    first, key_size = key_of(memory, base, cell)
    return np.int64(first + key_size) << 32 | np.int64(value_size(memory, cell))


@kernel(borrows=True, brief=True)
def find_key(
    memory: Bytes, frame_of: Numbers, root: Integer, depth: Integer, page_size: Integer, key: Bytes
) -> Integer:
    """Return the place of a key's value as `find_in_leaf` does, or -2 - page."""
    leaf = find_leaf(memory, frame_of, root, depth, page_size, key, 0, len(key))
    return leaf if leaf < 0 else find_in_leaf(memory, at(leaf), key, 0, len(key))


@kernel(borrows=True)
def find_values(
    memory: Bytes,
    frame_of: Numbers,
    root: Integer,
    depth: Integer,
    page_size: Integer,
    keys: Bytes,
    key_ends: Numbers,
    done: Integer,
    data: Bytes,
    ends: Numbers,
    sizes: Numbers,
) -> tuple[Integer, Integer]:
    """Copy the values of many keys, from number ``done`` on, one behind the other.

    First all leaves are found: while memory is waited for, the next key is on its way. ``ends`` are the ends of the
    values in ``data``, ``sizes`` are as cells have them, or ``ABSENT``. Returns how many keys are done since the call
    began, and ``FINISHED``, ``FULL`` or -2 - page.
    """
    most = min(key_ends.size - 1 - done, ends.size)
    wanted = np.int64(FINISHED if most == key_ends.size - 1 - done else FULL)
    leaves = sizes
    for key in range(most):
        leaves[key] = find_leaf(
            memory, frame_of, root, depth, page_size, keys, key_ends[done + key], key_ends[done + key + 1]
        )
        if leaves[key] < 0:
            most, wanted = key, leaves[key]
            break
    used = np.int64(0)
    for key in range(most):
        found = find_in_leaf(memory, at(leaves[key]), keys, key_ends[done + key], key_ends[done + key + 1])
        size = at(0) if found == ABSENT else at(found & 0xFFFFFFFF)
        stored = stored_size(size)
        if used + np.int64(stored) > data.size:
            return key, FULL
        copy_bytes(memory, at(found >> 32), data, at(used), stored)
        used += np.int64(stored)
        sizes[key] = np.int64(ABSENT) if found == ABSENT else np.int64(size)
        ends[key] = used
    return most, wanted


@kernel
def collect_items(
    memory: Bytes,
    frame_of: Numbers,
    root: Integer,
    depth: Integer,
    page_size: Integer,
    interval: Bytes,
    start_size: Integer,
    stop_size: Integer,
    reverse: bool,
    data: Bytes,
    key_ends: Numbers,
    value_ends: Numbers,
) -> tuple[Integer, Integer]:
    """Copy the items of an interval in order, key and value one behind the other, as many as fit.

    ``interval`` holds both ends, one behind the other; ``stop_size`` is -1 if there is no upper one. An end in
    ``value_ends`` is negative if the cell says where the value lies. Returns how many items were copied, and
    ``FINISHED``, ``FULL`` or -2 - page.
    """
    bases, places = np.empty(DEEPEST, np.uint32), np.empty(DEEPEST, np.int64)
    begin_of_stop = at(start_size)
    level, page, count, used = 0, root, 0, np.int64(0)
    by_key, before = True, at(0)
    while True:
        while True:
            frame = frame_of[page]
            if frame < 0:
                return count, -2 - page
            base = at(frame * page_size)
            cells = np.int64(count_of(memory, base))
            inner = level < depth - 1
            if memory[base + KIND] != (BRANCH if inner else LEAF) or (cells == 0 and depth > 1):
                return count, -2 - page
            if not inner:
                break
            if not by_key or (reverse and stop_size < 0):
                place = cells - 1 if reverse else 0
            elif reverse:
                place = np.int64(way_down(memory, base, interval, begin_of_stop, at(stop_size)))
            else:
                place = np.int64(way_down(memory, base, interval, at(0), at(start_size)))
            bases[level], places[level] = base, place
            page = child_of(memory, base, at(place))
            level += 1
        if not by_key and not in_order(memory, base, before, reverse):
            return count, -2 - page
        low, high = np.int64(0), cells
        if by_key or reverse:
            low = np.int64(search(memory, base, interval, at(0), at(start_size))[0])
        if stop_size >= 0:
            high = np.int64(search(memory, base, interval, begin_of_stop, at(stop_size))[0])
        for k in range(high - low):
            cell = cell_of(memory, base, at(high - 1 - k if reverse else low + k))
            key, size = key_of(memory, base, cell)
            whole = value_size(memory, cell)
            stored = stored_size(whole)
            if count == key_ends.size or used + np.int64(size + stored) > data.size:
                return count, FULL
            copy_bytes(memory, key, data, at(used), at(size + stored))
            key_ends[count] = used + np.int64(size)
            used += np.int64(size + stored)
            value_ends[count] = used if whole == stored else -used
            count += 1
        if low > 0 if reverse else high < cells:
            return count, FINISHED
        by_key, before = False, base
        while level > 0:
            level -= 1
            place = places[level] + (-1 if reverse else 1)
            if 0 <= place < np.int64(count_of(memory, bases[level])):
                places[level] = place
                page = child_of(memory, bases[level], at(place))
                level += 1
                break
        else:
            return count, FINISHED


@kernel(borrows=True)
def in_order(memory: Bytes, base: np.uint32, before: np.uint32, reverse: bool) -> bool:
    """Return whether the keys of a leaf lie behind those of the leaf that a walk has left, or before them."""
    left, right = (base, before) if reverse else (before, base)
    if count_of(memory, left) == at(0) or count_of(memory, right) == at(0):
        return False
    last, last_size = key_of(memory, left, cell_of(memory, left, at(count_of(memory, left) - at(1))))
    first, first_size = key_of(memory, right, cell_of(memory, right, at(0)))
    return bool(compare(memory, last, last_size, memory, first, first_size) < 0)


@kernel(borrows=True)
def list_cells(memory: Bytes, base: Integer, cells: Numbers) -> None:
    """Write down of each cell of a page where its key begins and ends; of a leaf's, the size of the value too."""
    for place in range(cells.shape[0]):
        cell = cell_of(memory, at(base), at(place))
        key, size = key_of(memory, at(base), cell)
        row = cells[place]
        row[0], row[1], row[2] = np.int64(key), np.int64(key + size), 0
        if memory[base + KIND] == LEAF:
            row[2] = np.int64(value_size(memory, cell))
        else:
            row[2] = child_of(memory, at(base), at(place))
