"""Deleting: a cell goes, and neighbours that fit into one page become one.

A page is left as it is until it is less than a quarter full. Then it becomes one with a neighbour below the same
parent, if both fit into one page, and the parent loses a cell, and may be too empty in turn. A page that has lost its
last cell goes, whatever its neighbours hold; a root with one child gives way to it.

(The book's tree is mended as soon as a page is less than half full, by moving cells over from a neighbour. Keys of any
size would have to be moved until both are about equal, every time; a quarter leaves room for the next changes.)

Invariants:
  1. No page but an empty tree's root is empty.
  2. A kernel that removes a key first sees to it that the neighbours are in memory that it might need.

Cost: O(log n) pages a key.

Graefe, "Modern B-Tree Techniques", *Foundations and Trends in Databases* 3 (2011), section 5.4; Jannink, "Implementing
deletion in B+-trees", *SIGMOD Record* 24 (1995).
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes, store_word
from smlib.storage.bplustree.insertion import drop_cell, empty_first_key, write_branch_cell
from smlib.storage.bplustree.pages import (
    BRANCH,
    BRANCH_CELL,
    KIND,
    LEAF,
    append_cells,
    at,
    cell_of,
    child_of,
    clear,
    count_of,
    key_of,
    open_cell,
    remove_cell,
    room,
    search,
    u64,
)
from smlib.storage.bplustree.working_pages import (
    DAMAGED,
    DEPTH,
    DONE,
    ITEMS,
    ROOT,
    SIZE,
    WANTED,
    WANTS_PAGE,
    WANTS_ROOM,
    Numbers,
    Pages,
    base_of,
    capacity,
    descend,
    give_up,
    has_room,
    own_page,
    own_path,
)
from smlib.storage.packed_bytes import Integer, copy_bytes


@kernel(borrows=True)
def remove_sorted(pages: Pages, keys: Bytes, key_ends: Numbers, done: Integer) -> tuple[Integer, Integer]:
    """Take keys out that are there or not, from number ``done`` on; return how many are done, and what is wanted."""
    while done < key_ends.size - 1:
        _, wanted = remove_key(pages, keys, at(key_ends[done]), at(key_ends[done + 1] - key_ends[done]))
        if wanted != DONE:
            return done, wanted
        done += 1
    return done, DONE


@kernel(borrows=True)
def remove_key(pages: Pages, keys: Bytes, begin: np.uint32, size: np.uint32) -> tuple[bool, Integer]:
    """Take a key out; return whether it was there, and what is wanted."""
    wanted = descend(pages, keys, begin, size, 0)
    if wanted != DONE:
        return False, wanted
    leaf = base_of(pages, pages.path[pages.state[DEPTH] - 1])
    place, exact = search(pages.memory, leaf, keys, begin, size)
    if not exact:
        return False, DONE
    wanted = find_neighbours(pages)
    if wanted == DONE and not has_room(pages):
        wanted = WANTS_ROOM
    if wanted != DONE:
        return False, wanted
    own_path(pages)
    drop_cell(pages, base_of(pages, pages.path[pages.state[DEPTH] - 1]), place)
    pages.state[ITEMS] -= 1
    merge_up(pages)
    return True, DONE


@kernel(borrows=True)
def neighbour_place(pages: Pages, level: Integer) -> Integer:
    """Return the place of the left one of two neighbours, of which a page of the way down is one; -1 if it is alone."""
    parent, place = base_of(pages, pages.path[level - 1]), pages.places[level - 1]
    if count_of(pages.memory, parent) < at(2):
        return np.int64(-1)
    return np.int64(place - 1 if place > 0 else place)


@kernel(borrows=True)
def find_neighbours(pages: Pages) -> Integer:
    """Look whether those pages are in memory that a removal might merge."""
    for level in range(pages.state[DEPTH] - 1, 0, -1):
        if 4 * room(pages.memory, base_of(pages, pages.path[level])) < capacity(pages):
            # Without its largest cell, which is half a page, it is still a quarter full.
            return DONE
        place = neighbour_place(pages, level)
        for k in range(2):
            if place >= 0:
                page = child_of(pages.memory, base_of(pages, pages.path[level - 1]), at(place + k))
                pages.state[WANTED] = page
                if pages.frame_of[page] < 0:
                    return WANTS_PAGE
                kind = pages.memory[base_of(pages, page) + KIND]
                if kind != pages.memory[base_of(pages, pages.path[level]) + KIND]:
                    return DAMAGED
    return DONE


@kernel(borrows=True)
def merge_up(pages: Pages) -> None:
    """Make pages of the way down that are less than a quarter full one with a neighbour, where both fit in one."""
    memory, state = pages.memory, pages.state
    for level in range(state[DEPTH] - 1, 0, -1):
        page = pages.path[level]
        base = base_of(pages, page)
        parent, place = base_of(pages, pages.path[level - 1]), neighbour_place(pages, level)
        if count_of(memory, base) == at(0):
            remove_cell(memory, parent, at(pages.places[level - 1]))
            if pages.places[level - 1] == 0 and count_of(memory, parent) > at(0):
                empty_first_key(pages, parent)
            give_up(pages, page)
            continue
        if 4 * room(memory, base) < 3 * capacity(pages) or place < 0:
            break
        left, right = child_of(memory, parent, at(place)), child_of(memory, parent, at(place + 1))
        if pages.frame_of[left] < 0 or pages.frame_of[right] < 0:
            break
        _, separator = key_of(memory, parent, cell_of(memory, parent, at(place + 1)))
        needed = capacity(pages) - room(memory, base_of(pages, right)) + np.int64(separator)
        if room(memory, base_of(pages, left)) < needed:
            break
        own = own_page(pages, left)
        store_word(memory, cell_of(memory, parent, at(place)), u64(own))
        join(pages, base_of(pages, own), base_of(pages, right), parent, at(place + 1))
        remove_cell(memory, parent, at(place + 1))
        give_up(pages, right)
    lower_root(pages)


@kernel(borrows=True)
def join(pages: Pages, left: np.uint32, right: np.uint32, parent: np.uint32, place: np.uint32) -> None:
    """Append the cells of a page to its left neighbour; between branches a key of the parent comes down."""
    memory, size = pages.memory, pages.state[SIZE]
    first = at(0)
    if memory[left + KIND] == BRANCH:
        key, key_size = key_of(memory, parent, cell_of(memory, parent, place))
        copy_bytes(memory, key, pages.separator, at(0), key_size)
        cell = open_cell(memory, left, count_of(memory, left), np.int64(BRANCH_CELL + key_size), size, pages.scratch)
        write_branch_cell(pages, cell, child_of(memory, right, at(0)), key_size)
        first = at(1)
    append_cells(memory, right, first, left, size, pages.scratch)


@kernel(borrows=True)
def lower_root(pages: Pages) -> None:
    """Let a root's only child be the root; one without children becomes an empty leaf."""
    memory, state = pages.memory, pages.state
    while state[DEPTH] > 1:
        root = state[ROOT]
        count = count_of(memory, base_of(pages, root))
        if count > at(1):
            return
        if count == at(0):
            clear(memory, base_of(pages, root), LEAF, state[SIZE])
            state[DEPTH] = 1
            return
        child = child_of(memory, base_of(pages, root), at(0))
        if pages.frame_of[child] < 0:
            return
        state[ROOT] = child
        state[DEPTH] -= 1
        give_up(pages, root)
