"""The pages in memory, and a transaction at work on them: who may write which page.

A page that a reader may see is never written. A change copies the leaf, and as the leaf has moved to a new page its
parent must say so and is copied too, and so on to a new root: the *path copy* of a transaction's first change. A page
that this transaction has made before, its own, is written in place; its head says so, for it holds the number of the
transaction.

A copy is not always made. If the file has the old page, that one can be read again by whoever should want it, so its
place in memory goes to the new page, and only the numbers change.

Nothing is changed before all that is needed is there. A kernel that meets a page which is not in memory, or finds that
room might run out, returns and says so; the caller sees to it and calls again.

Invariants:
  1. A page of another transaction is never written: where it is changed in memory it is another page by then, and the
     file has it as it was.
  2. What a kernel that returns `WANTS_PAGE` or `WANTS_ROOM` has not finished, it has not begun.

Cost: O(log n) pages a change, O(log n) new pages for the first one of a transaction.

Rodeh, "B-trees, Shadowing, and Clones", *ACM Transactions on Storage* 3 (2008).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.words import Bytes, load_word, store_word
from smlib.storage.bplustree.pages import (
    BRANCH,
    HEAD,
    KIND,
    LEAF,
    PAGE,
    TRANSACTION,
    at,
    cell_of,
    child_of,
    count_of,
    key_of,
    u64,
    way_down,
)
from smlib.storage.packed_bytes import Integer, compare, copy_bytes

Numbers = NDArray[np.int64]

DONE, WANTS_PAGE, WANTS_ROOM, DAMAGED = 0, 1, 2, 3
# What stands where in the state.
ROOT, DEPTH, ITEMS, NEXT, TXN, SPARE, FREED, IDLE, DROPPED, WANTED, SIZE, RIGHT, TAKEN, WRITTEN = range(14)
STATES = 14
DEEPEST = 32


class Pages(NamedTuple):
    """The pages in memory, and a transaction that is at work on them.

    Attributes
    ----------
    memory : ndarray of uint8
        Frames, one behind the other; each holds a page.
    frame_of : ndarray of int64
        The frame of each page, -1 if it is not in memory.
    page_of : ndarray of int64
        The page of each frame, -1 if it is idle.
    idle : ndarray of int64
        A stack of frames without a page.
    spare, freed, dropped, taken : ndarray of int64
        Stacks of pages: those that may be taken, those given up by this transaction, the first ones of the chains
        of values that it gave up, and those made since pages were written last (some may have been given up again).
    state : ndarray of int64
        The root, the depth, the number of items, the first page never used, the transaction; how many lie on the
        stacks ``spare``, ``freed``, ``idle`` and ``dropped``; the page that a kernel wants, the size of a page, the
        page that a split has made and that no parent knows yet (or 0); how many lie on ``taken``, and the last
        transaction whose pages are in the file.
    path, places : ndarray of int64
        The way down: pages, and the places taken in them.
    scratch, separator : ndarray of uint8
        Room for a page, and for a key.
    """

    memory: Bytes
    frame_of: Numbers
    page_of: Numbers
    idle: Numbers
    spare: Numbers
    freed: Numbers
    dropped: Numbers
    taken: Numbers
    state: Numbers
    path: Numbers
    places: Numbers
    scratch: Bytes
    separator: Bytes


@kernel(borrows=True)
def base_of(pages: Pages, page: Integer) -> np.uint32:
    """Return where a page in memory begins."""
    return at(pages.frame_of[page] * pages.state[SIZE])


@kernel(borrows=True)
def descend(pages: Pages, keys: Bytes, begin: np.uint32, size: np.uint32, known: Integer) -> Integer:
    """Write down the way to the leaf of a key; ``WANTS_PAGE`` if a page is not there, ``DAMAGED`` if it is wrong.

    The first pages of it may be known, and where it goes on from each of them.
    """
    page = pages.path[known] if known > 0 else pages.state[ROOT]
    for level in range(known, pages.state[DEPTH]):
        pages.path[level] = page
        if pages.frame_of[page] < 0:
            pages.state[WANTED] = page
            return WANTS_PAGE
        base = base_of(pages, page)
        above = level < pages.state[DEPTH] - 1
        if pages.memory[base + KIND] != (BRANCH if above else LEAF) or (
            above and count_of(pages.memory, base) == at(0)
        ):
            pages.state[WANTED] = page
            return DAMAGED
        if above:
            place = way_down(pages.memory, base, keys, begin, size)
            pages.places[level] = np.int64(place)
            page = child_of(pages.memory, base, place)
    return DONE


@kernel(borrows=True)
def count_shared(pages: Pages, keys: Bytes, begin: np.uint32, size: np.uint32) -> Integer:
    """Return from how many pages of the way down to a key the next one in order goes the same way."""
    memory = pages.memory
    for level in range(pages.state[DEPTH] - 1):
        base = base_of(pages, pages.path[level])
        place = at(pages.places[level] + 1)
        if place < count_of(memory, base):
            key, key_size = key_of(memory, base, cell_of(memory, base, place))
            if compare(memory, key, key_size, keys, begin, size) <= 0:
                return np.int64(level)
    return np.int64(pages.state[DEPTH] - 1)


@kernel(borrows=True)
def has_room(pages: Pages) -> bool:
    """Return whether a change may take two pages a level, and give up as many."""
    most = 2 * (pages.state[DEPTH] + 2)
    state = pages.state
    return bool(
        state[IDLE] >= most
        and state[NEXT] + most <= pages.frame_of.size
        and state[FREED] + most <= pages.freed.size
        and state[SPARE] + most <= pages.spare.size
        and state[TAKEN] + most <= pages.taken.size
        and state[DROPPED] + 1 <= pages.dropped.size
    )


@kernel(borrows=True)
def take_number(pages: Pages) -> Integer:
    """Take a page for this transaction, without a frame."""
    state = pages.state
    if state[SPARE] > 0:
        state[SPARE] -= 1
        page = pages.spare[state[SPARE]]
    else:
        page = state[NEXT]
        state[NEXT] += 1
    forget_page(pages, page)
    pages.taken[state[TAKEN]] = page
    state[TAKEN] += 1
    return np.int64(page)


@kernel(borrows=True)
def take_page(pages: Pages) -> Integer:
    """Take a page for this transaction and a frame for it; what is in it is undefined but for its head."""
    page = take_number(pages)
    pages.state[IDLE] -= 1
    set_frame(pages, page, pages.idle[pages.state[IDLE]])
    return page


@kernel(borrows=True)
def set_frame(pages: Pages, page: Integer, frame: Integer) -> None:
    """Give a page of this transaction a frame, and write its head there."""
    pages.frame_of[page], pages.page_of[frame] = frame, page
    base = base_of(pages, page)
    store_word(pages.memory, at(base + PAGE), u64(page))
    store_word(pages.memory, at(base + TRANSACTION), u64(pages.state[TXN]))


@kernel(borrows=True)
def forget_page(pages: Pages, page: Integer) -> None:
    """Give the frame of a page back, if it has one."""
    frame = pages.frame_of[page]
    if frame >= 0:
        pages.frame_of[page] = -1
        pages.page_of[frame] = -1
        pages.idle[pages.state[IDLE]] = frame
        pages.state[IDLE] += 1


@kernel(borrows=True)
def transaction_of(pages: Pages, page: Integer) -> Integer:
    """Return the transaction that made a page in memory."""
    return np.int64(load_word(pages.memory, at(base_of(pages, page) + TRANSACTION)))


@kernel(borrows=True)
def give_up(pages: Pages, page: Integer) -> None:
    """Give a page up: one of this transaction may be taken again at once, another one when no reader sees it."""
    state = pages.state
    if transaction_of(pages, page) == state[TXN]:
        forget_page(pages, page)
        pages.spare[state[SPARE]] = page
        state[SPARE] += 1
    else:
        pages.freed[state[FREED]] = page
        state[FREED] += 1


@kernel(borrows=True)
def own_path(pages: Pages) -> None:
    """Copy the pages of the way down that are not this transaction's own, from the root on."""
    memory, state = pages.memory, pages.state
    for level in range(state[DEPTH]):
        page = pages.path[level]
        own = own_page(pages, page)
        if own != page:
            pages.path[level] = own
            if level == 0:
                state[ROOT] = own
            else:
                parent = base_of(pages, pages.path[level - 1])
                store_word(memory, cell_of(memory, parent, at(pages.places[level - 1])), u64(own))


@kernel(borrows=True)
def own_page(pages: Pages, page: Integer) -> Integer:
    """Return a page with the same content that is this transaction's own.

    If the file has the old page, its frame becomes the new one's; else it is copied.
    """
    memory, state, transaction = pages.memory, pages.state, transaction_of(pages, page)
    if transaction == state[TXN]:
        return np.int64(page)
    if transaction <= state[WRITTEN]:
        frame = pages.frame_of[page]
        pages.frame_of[page] = -1
        pages.freed[state[FREED]] = page
        state[FREED] += 1
        own = take_number(pages)
        set_frame(pages, own, frame)
        return own
    base = base_of(pages, page)
    own = take_page(pages)
    body = at(TRANSACTION + 8)
    copy_bytes(memory, at(base + body), memory, at(base_of(pages, own) + body), at(pages.state[SIZE]) - body)
    give_up(pages, page)
    return own


@kernel(borrows=True)
def capacity(pages: Pages) -> Integer:
    """Return how many bytes a page has for slots and cells."""
    return np.int64(pages.state[SIZE] - HEAD)
