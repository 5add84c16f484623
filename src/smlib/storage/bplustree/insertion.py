"""Inserting: a cell goes into a leaf, and where that is too full, into one of two.

A page that is too full is cut in two where its bytes are halved, and the parent is told the key that separates the
halves, as short as can be; it may be too full in turn. Where keys come in order, at the right edge of the tree, the old
page keeps all that it has and the new one begins empty: what is loaded in order leaves full pages behind.

Invariants:
  1. All keys below a branch's cell are not less than its key, and less than the key of the next one.
  2. All leaves have the same depth.

Cost: O(log n) pages an item; a page is cut once for the items that fill half of it.

Graefe, "Modern B-Tree Techniques", *Foundations and Trends in Databases* 3 (2011), sections 3.4 and 5.1; Bayer &
Unterauer, "Prefix B-Trees", *ACM Transactions on Database Systems* 2 (1977), for short separators.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes, load_word, store_word
from smlib.storage.bplustree.pages import (
    BRANCH,
    BRANCH_CELL,
    ELSEWHERE,
    KIND,
    LEAF,
    LEAF_CELL,
    append_cells,
    at,
    cell_of,
    cell_size,
    child_of,
    clear,
    count_of,
    cut_off,
    key_of,
    open_cell,
    remove_cell,
    room,
    search,
    store_half,
    u64,
    value_size,
)
from smlib.storage.bplustree.working_pages import (
    DEPTH,
    DONE,
    DROPPED,
    ITEMS,
    RIGHT,
    ROOT,
    SIZE,
    WANTS_ROOM,
    Numbers,
    Pages,
    base_of,
    capacity,
    count_shared,
    descend,
    has_room,
    own_path,
    take_page,
)
from smlib.storage.packed_bytes import Integer, copy_bytes


@kernel(borrows=True)
def put_sorted(
    pages: Pages, keys: Bytes, key_ends: Numbers, values: Bytes, value_ends: Numbers, sizes: Numbers, done: Integer
) -> tuple[Integer, Integer]:
    """Set items, from number ``done`` on; return how many are done, and what is wanted.

    Key ``i`` lies from ``key_ends[i]`` to ``key_ends[i + 1]``, what its cell stores of the value likewise; ``sizes``
    are the sizes as cells have them.
    """
    shared: Integer = np.int64(0)
    while done < sizes.size:
        begin, size = at(key_ends[done]), at(key_ends[done + 1] - key_ends[done])
        wanted = descend(pages, keys, begin, size, shared)
        if wanted == DONE and not has_room(pages):
            wanted = WANTS_ROOM
        if wanted != DONE:
            return done, wanted
        own_path(pages)
        leaf = pages.path[pages.state[DEPTH] - 1]
        base = base_of(pages, leaf)
        place, exact = search(pages.memory, base, keys, begin, size)
        if exact:
            drop_cell(pages, base, place)
        else:
            pages.state[ITEMS] += 1
        stored = at(value_ends[done + 1] - value_ends[done])
        cell = insert_cell(pages, pages.state[DEPTH] - 1, place, np.int64(LEAF_CELL + size + stored))
        memory = pages.memory
        store_half(memory, cell, np.int64(size))
        store_half(memory, at(cell + 2), sizes[done] & 65535)
        store_half(memory, at(cell + 4), sizes[done] >> 16)
        copy_bytes(keys, begin, memory, at(cell + LEAF_CELL), size)
        copy_bytes(values, at(value_ends[done]), memory, at(cell + LEAF_CELL + size), stored)
        done += 1
        if pages.state[RIGHT] != 0:
            link_splits(pages)
            shared = np.int64(0)
        elif done < sizes.size:
            shared = count_shared(pages, keys, at(key_ends[done]), at(key_ends[done + 1] - key_ends[done]))
    return done, DONE


@kernel(borrows=True)
def drop_cell(pages: Pages, base: np.uint32, place: np.uint32) -> None:
    """Take a leaf's cell out, and remember the chain that its value leads to."""
    memory = pages.memory
    cell = cell_of(memory, base, place)
    if value_size(memory, cell) & at(ELSEWHERE):
        key, size = key_of(memory, base, cell)
        pages.dropped[pages.state[DROPPED]] = np.int64(load_word(memory, at(key + size)))
        pages.state[DROPPED] += 1
    remove_cell(memory, base, place)


@kernel(borrows=True)
def insert_cell(pages: Pages, level: Integer, place: np.uint32, size: Integer) -> np.uint32:
    """Open a cell in the page of the way down at a level; split the page if it is too full."""
    memory, state = pages.memory, pages.state
    base = base_of(pages, pages.path[level])
    state[RIGHT] = 0
    if room(memory, base) >= size + 2:
        return open_cell(memory, base, place, size, state[SIZE], pages.scratch)
    cut = where_to_split(pages, level, place, size)
    first = cut if place >= cut else at(cut - at(1))
    state[RIGHT] = take_page(pages)
    right = base_of(pages, state[RIGHT])
    clear(memory, right, np.int64(memory[base + KIND]), state[SIZE])
    append_cells(memory, base, first, right, state[SIZE], pages.scratch)
    cut_off(memory, base, first)
    if place < cut:
        return open_cell(memory, base, place, size, state[SIZE], pages.scratch)
    return open_cell(memory, right, at(place - cut), size, state[SIZE], pages.scratch)


@kernel(borrows=True)
def where_to_split(pages: Pages, level: Integer, place: np.uint32, size: Integer) -> np.uint32:
    """Return how many cells stay on the left, counting the new one: half of the bytes, or all that come in order."""
    memory, base = pages.memory, base_of(pages, pages.path[level])
    count = count_of(memory, base)
    in_order = place == count
    for above in range(level):
        parent = base_of(pages, pages.path[above])
        in_order = in_order and pages.places[above] == np.int64(count_of(memory, parent)) - 1
    if in_order:
        return count
    total = capacity(pages) - room(memory, base) + size + 2
    left, cut = np.int64(0), at(0)
    while 2 * left < total:
        if cut == place:
            step = size + 2
        else:
            existing = cut if cut < place else at(cut - at(1))
            step = np.int64(cell_size(memory, base, cell_of(memory, base, existing))) + 2
        if left + step > capacity(pages):
            break
        left += step
        cut = at(cut + at(1))
    return cut


@kernel(borrows=True)
def link_splits(pages: Pages) -> None:
    """Tell the parents of a page that was split, and theirs if they are split by it, up to a new root if need be."""
    memory, state = pages.memory, pages.state
    level = state[DEPTH] - 1
    while state[RIGHT] != 0:
        left, right = pages.path[level], state[RIGHT]
        size = separate(pages, base_of(pages, left), base_of(pages, right))
        if level == 0:
            root = take_page(pages)
            base = base_of(pages, root)
            clear(memory, base, BRANCH, state[SIZE])
            write_branch_cell(
                pages, open_cell(memory, base, at(0), BRANCH_CELL, state[SIZE], pages.scratch), left, at(0)
            )
            cell = open_cell(memory, base, at(1), np.int64(BRANCH_CELL + size), state[SIZE], pages.scratch)
            write_branch_cell(pages, cell, right, size)
            state[ROOT] = root
            state[DEPTH] += 1
            state[RIGHT] = 0
            return
        level -= 1
        cell = insert_cell(pages, level, at(pages.places[level] + 1), np.int64(BRANCH_CELL + size))
        write_branch_cell(pages, cell, right, size)


@kernel(borrows=True)
def write_branch_cell(pages: Pages, cell: np.uint32, page: Integer, size: np.uint32) -> None:
    """Fill a branch's cell; its key is the separator."""
    store_word(pages.memory, cell, u64(page))
    store_half(pages.memory, at(cell + 8), np.int64(size))
    copy_bytes(pages.separator, at(0), pages.memory, at(cell + BRANCH_CELL), size)


@kernel(borrows=True)
def separate(pages: Pages, left: np.uint32, right: np.uint32) -> np.uint32:
    """Write down a key that separates two neighbours, as short as can be; return its size.

    Between leaves it is the beginning of the right one's first key, up to where that differs from the left one's last.
    Between branches it is the first key of the right one, which is empty from then on.
    """
    memory = pages.memory
    key, size = key_of(memory, right, cell_of(memory, right, at(0)))
    if memory[left + KIND] == LEAF:
        before, before_size = key_of(memory, left, cell_of(memory, left, at(count_of(memory, left) - at(1))))
        shared = at(0)
        while shared < before_size and memory[before + shared] == memory[key + shared]:
            shared = at(shared + at(1))
        size = at(shared + at(1))
        copy_bytes(memory, key, pages.separator, at(0), size)
        return size
    copy_bytes(memory, key, pages.separator, at(0), size)
    empty_first_key(pages, right)
    return size


@kernel(borrows=True)
def empty_first_key(pages: Pages, base: np.uint32) -> None:
    """Make the key of a branch's first cell empty."""
    memory = pages.memory
    child = child_of(memory, base, at(0))
    remove_cell(memory, base, at(0))
    cell = open_cell(memory, base, at(0), BRANCH_CELL, pages.state[SIZE], pages.scratch)
    write_branch_cell(pages, cell, child, at(0))
