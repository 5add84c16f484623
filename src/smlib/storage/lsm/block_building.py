"""Writing blocks: entry after entry until a block is full, block after block until a file is.

A block is full when its entries, its restarts and their number have ``block_size`` bytes or more, which is asked after
each entry; so a block is a little longer than that, and one with a long value much longer. Where blocks end decides
what the bytes of a file are, so it is done as LevelDB does it.

The entries of a table's blocks are listed in its *index*, a block with one entry a block: a key that none of the
block's is behind and all of the next one's are, and a *handle*, where the block begins and its size. Any such key will
do, and a short one is best::

    last key of a block   "the quick brown fox"      in the index   "the r"
    first of the next     "the who"

It is the common beginning and one byte more, which is raised by one, provided that it stays below the next key's.
Behind the last block nothing follows: there the first byte that can be raised is, and the rest left out.

Cost: O(bytes).

The LevelDB documentation, "Table format"; Bayer & Unterauer, "Prefix B-trees", *ACM TODS* 2 (1977), for separators.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.words import Bytes, load_word, store_word
from smlib.storage.lsm.block_numbers import store_fixed, store_varint, varint_size
from smlib.storage.lsm.blocks import RESTART_INTERVAL
from smlib.storage.lsm.entries import Entries, key_at, value_at
from smlib.storage.lsm.internal_keys import MAX_SEQUENCE, SEEK
from smlib.storage.lsm.internal_keys import TAG as TAG_SIZE
from smlib.storage.lsm.stored_blocks import TRAILER
from smlib.storage.packed_bytes import Integer, Numbers, copy_bytes

at, u8, u64 = np.uint32, np.uint8, np.uint64

# The tag of a separator that is no key of the table.
SEPARATOR_TAG = u64(MAX_SEQUENCE << 8 | SEEK)
# What an entry has besides key and value, at the most: three sizes, and its tag.
OVERHEAD = 3 * 5 + TAG_SIZE

Positions = NDArray[np.uint32]


@kernel(borrows=True)
def count_common(keys: Bytes, one: np.uint32, other: np.uint32, most: np.uint32) -> np.uint32:
    """Return how many bytes are the same from two positions on, up to ``most``."""
    common = at(0)
    while common + at(8) <= most and load_word(keys, at(one + common)) == load_word(keys, at(other + common)):
        common = at(common + at(8))
    while common < most and keys[one + common] == keys[other + common]:
        common = at(common + at(1))
    return common


@kernel(borrows=True)
def byte_of(keys: Bytes, begin: np.uint32, size: np.uint32, tag: np.uint64, place: np.uint32) -> np.uint64:
    """Return a byte of a key with its tag behind it."""
    return u64(keys[begin + place]) if place < size else (tag >> (u64(8) * u64(place - size))) & u64(255)


@kernel(borrows=True)
def count_shared(entries: Entries, number: Integer) -> np.uint32:
    """Return how many bytes the key of an entry, with its tag, shares with the one before."""
    before, before_size = key_at(entries, number - 1)
    begin, size = key_at(entries, number)
    shorter = min(before_size, size)
    shared = count_common(entries.keys, before, begin, shorter)
    if shared == shorter:
        before_tag, tag = entries.tags[number - 1], entries.tags[number]
        while shared < shorter + at(TAG_SIZE) and byte_of(
            entries.keys, before, before_size, before_tag, shared
        ) == byte_of(entries.keys, begin, size, tag, shared):
            shared = at(shared + at(1))
    return shared


@kernel(borrows=True)
def store_entry(entries: Entries, number: Integer, shared: np.uint32, out: Bytes, position: np.uint32) -> np.uint32:
    """Write an entry, without the bytes of its key that it shares; return the position behind it."""
    begin, size = key_at(entries, number)
    value, value_size = value_at(entries, number)
    position = store_varint(out, position, np.int64(shared))
    position = store_varint(out, position, np.int64(at(size + at(TAG_SIZE) - shared)))
    position = store_varint(out, position, np.int64(value_size))
    tag = entries.tags[number]
    if shared <= size:
        copy_bytes(entries.keys, at(begin + shared), out, position, at(size - shared))
        position = at(position + (size - shared))
        store_word(out, position, tag)
        position = at(position + at(TAG_SIZE))
    else:
        for place in range(np.int64(shared), np.int64(size) + TAG_SIZE):
            out[position] = u8(byte_of(entries.keys, begin, size, tag, at(place)))
            position = at(position + at(1))
    copy_bytes(entries.values, value, out, position, value_size)
    return at(position + value_size)


@kernel(borrows=True)
def store_restarts(restarts: Positions, count: Integer, out: Bytes, position: np.uint32) -> np.uint32:
    """Write the restarts of a block and their number; return the position behind them."""
    for k in range(count):
        position = store_fixed(out, position, restarts[k])
    return store_fixed(out, position, at(count))


@kernel(borrows=True)
def build_block(
    entries: Entries,
    first: Integer,
    block_size: Integer,
    restarts: Positions,
    out: Bytes,
    begin: np.uint32,
) -> tuple[Integer, np.uint32]:
    """Write a block of the entries from one on, until it is full; return the next entry, and the position behind."""
    number, count, since = first, np.int64(0), RESTART_INTERVAL
    position = begin
    while number < entries.tags.size:
        shared = at(0)
        if since == RESTART_INTERVAL:
            restarts[count] = at(position - begin)
            count += 1
            since = 0
        else:
            shared = count_shared(entries, number)
        position = store_entry(entries, number, shared, out, position)
        number += 1
        since += 1
        if np.int64(at(position - begin)) + 4 * count + 4 >= block_size:
            break
    return number, store_restarts(restarts, count, out, position)


@kernel(borrows=True)
def build_blocks(
    entries: Entries,
    first: Integer,
    limit: Integer,
    block_size: Integer,
    restarts: Positions,
    out: Bytes,
    firsts: Numbers,
    places: Numbers,
) -> Integer:
    """Write blocks, with room for what is behind each, until they have ``limit`` bytes or no entry is left.

    ``firsts`` are the numbers of their first entries and, behind these, of the next one; ``places`` are where each
    begins and its size. Returns how many there are.
    """
    count, position, number = 0, at(0), first
    firsts[0] = number
    while number < entries.tags.size and np.int64(position) < limit:
        number, end = build_block(entries, number, block_size, restarts, out, position)
        places[count, 0], places[count, 1] = np.int64(position), np.int64(at(end - position))
        count += 1
        firsts[count] = number
        position = at(end + at(TRAILER))
    return count


@kernel(borrows=True)
def separator_size(entries: Entries, last: Integer, following: bool) -> np.uint32:
    """Return how many bytes of an entry's key, the last one raised by one, part it from the next; 0 if none do."""
    begin, size = key_at(entries, last)
    place = at(0)
    if following:
        after, after_size = key_at(entries, last + 1)
        shorter = min(size, after_size)
        place = count_common(entries.keys, begin, after, shorter)
        if place == shorter or np.int64(entries.keys[begin + place]) + 1 >= np.int64(entries.keys[after + place]):
            return at(0)
    else:
        while place < size and entries.keys[begin + place] == 255:
            place = at(place + at(1))
    return at(place + at(1)) if place + at(1) < size else at(0)


@kernel(borrows=True)
def build_index(entries: Entries, firsts: Numbers, places: Numbers, restarts: Positions, out: Bytes) -> np.uint32:
    """Write the block that lists the blocks of a table; return its size."""
    count = firsts.size - 1
    position = at(0)
    for k in range(count):
        restarts[k] = position
        last = firsts[k + 1] - 1
        key, size = key_at(entries, last)
        short = separator_size(entries, last, k + 1 < count)
        tag = SEPARATOR_TAG if short > at(0) else entries.tags[last]
        size = short if short > at(0) else size
        position = store_varint(out, position, 0)
        position = store_varint(out, position, np.int64(at(size + at(TAG_SIZE))))
        position = store_varint(out, position, varint_size(places[k, 0]) + varint_size(places[k, 1]))
        copy_bytes(entries.keys, key, out, position, size)
        position = at(position + size)
        if short > at(0):
            out[position - at(1)] += u8(1)
        store_word(out, position, tag)
        position = at(position + at(TAG_SIZE))
        position = store_varint(out, position, places[k, 0])
        position = store_varint(out, position, places[k, 1])
    return store_restarts(restarts, count, out, position)
