"""A page: cells of any size, found by a table of slots.

Every page of a file has a head of 32 bytes, which says what the page is and proves that it is whole. A page of the
tree goes on with its *slots*, two bytes each, which say where its cells begin; they grow from the front, in the order
of the keys. The cells grow from the back, in the order in which they came::

    0          8       16             24    26     28     30     32              floor                     page size
    checksum   page    transaction    kind  count  floor  holes  slots -->  ...  <-- cells, as they came

A new key moves slots, which are small, and no cells. Taking a cell out leaves a hole, and when the gap between slots
and cells is too small for a new one, all cells are moved to the back and the holes are gone.

A cell of a *leaf* is a key and its value::

    size of the key (2), size of the value (4), key, value

A value that would fill more than a quarter of a page lies in pages of its own, a chain, and the cell holds where it
begins (8) and how long it is (8); the size then has its highest bit set. A cell of a *branch* is a key, and the page
with all keys from that one on; the key of a branch's first cell is empty, for it has no lower end::

    page (8), size of the key (2), key

All numbers are stored with the lowest byte first. Positions are unsigned 32-bit integers, see `smlib._core.words`.

What comes from a file is proved before it is used (`prove`): every slot leads to a cell that lies within the page, and
the keys are in order. Nothing here asks again.

Invariants of a page of the tree, as `prove` counts them:
  1. The cells lie between the floor and the end of the page, and none upon another; they and the holes are all that
     lies there.
  2. The keys strictly increase.
  3. It is a leaf or a branch, and the slots end before the floor.
  4. A branch leads to pages that there are.
  5. Two cells of any size fit into a page; a key has at most 1024 bytes and a quarter of the page.

Cost: O(log n) comparisons to find one of n cells, O(n) to move slots, O(page) to close holes.

Graefe, "Modern B-Tree Techniques", *Foundations and Trends in Databases* 3 (2011), section 3.3.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes, load_word
from smlib.storage.packed_bytes import Integer, compare, copy_bytes, head_of

at, u8, u64 = np.uint32, np.uint8, np.uint64

HEAD = 32
CHECKSUM, PAGE, TRANSACTION, KIND, COUNT, FLOOR, HOLES = 0, 8, 16, 24, 26, 28, 30
LEAF, BRANCH, OVERFLOW, FREE, META = 1, 2, 3, 4, 5

LEAF_CELL, BRANCH_CELL, REFERENCE = 6, 10, 16
ELSEWHERE = 1 << 31
LONGEST_KEY = 1024


@kernel(borrows=True)
def load_half(memory: Bytes, position: np.uint32) -> np.uint32:
    """Return a number of two bytes."""
    return at(memory[position]) | at(at(memory[position + 1]) << at(8))


@kernel(borrows=True)
def store_half(memory: Bytes, position: np.uint32, number: Integer) -> None:
    """Write a number of two bytes."""
    memory[position] = u8(number & 255)
    memory[position + 1] = u8((number >> 8) & 255)


@kernel(borrows=True)
def count_of(memory: Bytes, base: np.uint32) -> np.uint32:
    """Return the number of cells of the page that begins at a position."""
    return load_half(memory, at(base + COUNT))


@kernel(borrows=True)
def cell_of(memory: Bytes, base: np.uint32, place: np.uint32) -> np.uint32:
    """Return the position of a cell."""
    return at(base + load_half(memory, at(base + HEAD + at(2) * place)))


@kernel(borrows=True)
def key_of(memory: Bytes, base: np.uint32, cell: np.uint32) -> tuple[np.uint32, np.uint32]:
    """Return where the key of a cell begins, and its size."""
    if memory[base + KIND] == LEAF:
        return at(cell + LEAF_CELL), load_half(memory, cell)
    return at(cell + BRANCH_CELL), load_half(memory, at(cell + 8))


@kernel(borrows=True)
def value_size(memory: Bytes, cell: np.uint32) -> np.uint32:
    """Return the size of a leaf cell's value, with the highest bit set if it lies elsewhere."""
    return at(load_half(memory, at(cell + 2)) | at(load_half(memory, at(cell + 4)) << at(16)))


@kernel(borrows=True)
def stored_size(size: np.uint32) -> np.uint32:
    """Return how many bytes of a value lie in its cell."""
    return at(REFERENCE) if size & at(ELSEWHERE) else size


@kernel(borrows=True)
def cell_size(memory: Bytes, base: np.uint32, cell: np.uint32) -> np.uint32:
    """Return the size of a cell."""
    if memory[base + KIND] == LEAF:
        return at(LEAF_CELL + load_half(memory, cell) + stored_size(value_size(memory, cell)))
    return at(BRANCH_CELL + load_half(memory, at(cell + 8)))


@kernel(borrows=True)
def count_heads(
    memory: Bytes, base: np.uint32, first: np.uint32, step: np.uint32, number: np.uint32, head: np.uint64
) -> tuple[np.uint32, np.uint32]:
    """Return how many of some cells, every ``step``-th one from ``first`` on, have a lower head, and a higher one."""
    lower, higher = at(0), at(0)
    place = first
    for _ in range(number):
        key, size = key_of(memory, base, cell_of(memory, base, place))
        mine = head_of(memory, key, size)
        lower = at(lower + at(mine < head))
        higher = at(higher + at(mine > head))
        place = at(place + step)
    return lower, higher


@kernel(borrows=True)
def search(memory: Bytes, base: np.uint32, keys: Bytes, begin: np.uint32, size: np.uint32) -> tuple[np.uint32, bool]:
    """Return the place of the first cell whose key is not less, and whether it is equal.

    Seven cells that are looked at side by side wait for memory once, and three one after the other three times.
    """
    low, high = at(0), count_of(memory, base)
    head = head_of(keys, begin, size)
    while high - low > at(8):
        step = at((high - low) >> at(3))
        lower, higher = count_heads(memory, base, at(low + step), step, at(7), head)
        if lower + higher == at(0):
            break
        high = at(low + (at(8) - higher) * step) if higher > at(0) else high
        low = at(low + lower * step + at(1)) if lower > at(0) else low
    if high - low <= at(8):
        lower, higher = count_heads(memory, base, low, at(1), at(high - low), head)
        low, high = at(low + lower), at(high - higher)
    while low < high:
        middle = at((low + high) >> at(1))
        key, key_size = key_of(memory, base, cell_of(memory, base, middle))
        order = compare(memory, key, key_size, keys, begin, size)
        if order == 0:
            return middle, True
        if order < 0:
            low = at(middle + at(1))
        else:
            high = middle
    return low, False


@kernel(borrows=True)
def child_of(memory: Bytes, base: np.uint32, place: np.uint32) -> Integer:
    """Return the page that a branch's cell leads to."""
    return np.int64(load_word(memory, cell_of(memory, base, place)))


@kernel(borrows=True)
def way_down(memory: Bytes, base: np.uint32, keys: Bytes, begin: np.uint32, size: np.uint32) -> np.uint32:
    """Return the place of the branch's cell below which a key belongs."""
    place, exact = search(memory, base, keys, begin, size)
    return place if exact or place == at(0) else at(place - at(1))


@kernel(borrows=True)
def room(memory: Bytes, base: np.uint32) -> Integer:
    """Return how many bytes are free, holes included."""
    gap = np.int64(load_half(memory, at(base + FLOOR))) - HEAD - 2 * np.int64(count_of(memory, base))
    return gap + np.int64(load_half(memory, at(base + HOLES)))


@kernel(borrows=True)
def clear(memory: Bytes, base: np.uint32, kind: Integer, page_size: Integer) -> None:
    """Make an empty page of the tree; its number and transaction stay."""
    memory[base + KIND] = u8(kind)
    memory[base + KIND + 1] = u8(0)
    store_half(memory, at(base + COUNT), 0)
    store_half(memory, at(base + FLOOR), page_size)
    store_half(memory, at(base + HOLES), 0)


@kernel(borrows=True)
def open_cell(
    memory: Bytes, base: np.uint32, place: np.uint32, size: Integer, page_size: Integer, scratch: Bytes
) -> np.uint32:
    """Make a slot at a place and room for its cell, which must be there; return the position of the cell."""
    count = count_of(memory, base)
    floor = np.int64(load_half(memory, at(base + FLOOR)))
    if floor - HEAD - 2 * np.int64(count) < size + 2:
        close_holes(memory, base, page_size, scratch)
        floor = np.int64(load_half(memory, at(base + FLOOR)))
    slots = at(base + HEAD)
    for k in range(2 * np.int64(count), 2 * np.int64(place), -1):
        memory[slots + at(k) + at(1)] = memory[slots + at(k) - at(1)]
    floor -= size
    store_half(memory, at(slots + at(2) * place), floor)
    store_half(memory, at(base + FLOOR), floor)
    store_half(memory, at(base + COUNT), np.int64(count) + 1)
    return at(base + at(floor))


@kernel(borrows=True)
def remove_cell(memory: Bytes, base: np.uint32, place: np.uint32) -> None:
    """Take a cell out: its slot goes, its bytes become a hole."""
    count = count_of(memory, base)
    cell = cell_of(memory, base, place)
    size = np.int64(cell_size(memory, base, cell))
    floor = np.int64(load_half(memory, at(base + FLOOR)))
    if np.int64(cell - base) == floor:
        store_half(memory, at(base + FLOOR), floor + size)
    else:
        store_half(memory, at(base + HOLES), np.int64(load_half(memory, at(base + HOLES))) + size)
    slots = at(base + HEAD)
    for k in range(2 * np.int64(place), 2 * np.int64(count) - 2):
        memory[slots + at(k)] = memory[slots + at(k) + at(2)]
    store_half(memory, at(base + COUNT), np.int64(count) - 1)


@kernel(borrows=True)
def close_holes(memory: Bytes, base: np.uint32, page_size: Integer, scratch: Bytes) -> None:
    """Move all cells to the back of the page, in the order of their keys."""
    copy_bytes(memory, base, scratch, at(0), at(page_size))
    floor = page_size
    for place in range(count_of(memory, base)):
        cell = cell_of(scratch, at(0), at(place))
        size = cell_size(scratch, at(0), cell)
        floor -= np.int64(size)
        copy_bytes(scratch, cell, memory, at(base + at(floor)), size)
        store_half(memory, at(base + HEAD + 2 * place), floor)
    store_half(memory, at(base + FLOOR), floor)
    store_half(memory, at(base + HOLES), 0)


@kernel(borrows=True)
def append_cells(
    memory: Bytes, source: np.uint32, first: np.uint32, target: np.uint32, page_size: Integer, scratch: Bytes
) -> None:
    """Copy the cells from a place on to the end of another page of the same kind, which must have room."""
    for place in range(first, count_of(memory, source)):
        cell = cell_of(memory, source, at(place))
        size = cell_size(memory, source, cell)
        new = open_cell(memory, target, count_of(memory, target), np.int64(size), page_size, scratch)
        copy_bytes(memory, cell, memory, new, size)


@kernel(borrows=True)
def cut_off(memory: Bytes, base: np.uint32, first: np.uint32) -> None:
    """Take all cells from a place on out."""
    for _ in range(first, count_of(memory, base)):
        remove_cell(memory, base, at(count_of(memory, base) - at(1)))


@kernel
def prove(memory: Bytes, base: np.uint32, page_size: Integer, pages: Integer) -> Integer:
    """Return 0 if a page of the tree keeps its invariants, and else the number of one that it does not.

    A branch leads to pages with numbers from 2 to less than ``pages``: 4 if it does not.
    """
    kind, count = memory[base + KIND], np.int64(count_of(memory, base))
    floor = np.int64(load_half(memory, at(base + FLOOR)))
    if kind not in (LEAF, BRANCH) or HEAD + 2 * count > floor or floor > page_size:
        return 3
    least = LEAF_CELL if kind == LEAF else BRANCH_CELL
    used = np.zeros(page_size, np.uint8)
    total = np.int64(load_half(memory, at(base + HOLES)))
    for place in range(count):
        offset = np.int64(load_half(memory, at(base + HEAD + 2 * place)))
        if offset < floor or offset + least > page_size:
            return 1
        cell = at(base + at(offset))
        size = np.int64(cell_size(memory, base, cell))
        if offset + size > page_size:
            return 1
        if 2 * (size + 2) > page_size - HEAD:
            return 5
        value = value_size(memory, cell) if kind == LEAF else at(0)
        if value & at(ELSEWHERE) and value != at(ELSEWHERE | REFERENCE):
            return 5
        total += size
        for k in range(offset, offset + size):
            used[k] = 1
        key, key_size = key_of(memory, base, cell)
        if np.int64(key_size) > min(LONGEST_KEY, page_size // 4):
            return 5
        if kind == BRANCH and not 2 <= load_word(memory, cell) < u64(pages):
            return 4
        if place > 0:
            before, before_size = key_of(memory, base, cell_of(memory, base, at(place - 1)))
            if compare(memory, before, before_size, memory, key, key_size) >= 0:
                return 2
    holes = page_size - floor
    for k in range(floor, page_size):
        holes -= np.int64(used[k])
    return 0 if total == page_size - floor and holes == np.int64(load_half(memory, at(base + HOLES))) else 1
