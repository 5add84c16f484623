"""Damage in a log: whether a record begins behind a fragment that is broken.

A fragment is not whole. If it belongs to the last record, this may be what a crash has left; if a record begins behind
it, it was whole once. But where to look? Its size, which would lead to what follows, may be what is broken. There are
four ways to find on, and they are tried in this order:

1. The checksum. It covers the kind and the bytes, but not the size. If it is that of the bytes up to some other end,
   then only the size is wrong, and the fragment ends there.
2. The size, if the header makes sense: the kind is known, and the end lies within the block. It may also lie behind the
   end of the file: then nothing follows. This is what a crash leaves that has cut the file off.
3. Every byte behind it: a record that is whole begins there, or not.
4. The next block, where a fragment begins in any case.

Bytes that are passed over by the first two ways are not looked at. They may hold anything, logs among them: somebody
keeps the files of one store as values in another. By the third, such a log within the last record is taken for
records that follow, if a crash has taken the header before it and left the bytes; then damage is reported that is none.

By hand. Two full records of 20 bytes, at 0 and at 27. If the size of the first is changed to 21, its checksum does
not fit; but it does for 20 bytes, so the fragment ends at 27, and there a record begins: damage. If one of its bytes is
changed instead, the size leads to 27: damage. If the file is cut off at 15, no checksum fits, and the size leads behind
the end: a crash.

Cost: O(n) for n bytes behind the broken fragment, as long as their headers are whole; where every byte is looked at,
one in a hundred of random ones may begin a record, and half a megabyte is summed for each block. Bytes that are made
for it cost 20 ms a block.
"""

from __future__ import annotations

import itertools

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.simd import CRC32C_OF_BYTE
from smlib._core.words import Bytes
from smlib.storage.filesystem import File
from smlib.storage.lsm.checksums import ALL_ONES, unmasked
from smlib.storage.lsm.fragments import (
    BLOCK,
    FIRST,
    FULL,
    HEADER,
    KIND,
    LAST,
    SIZE,
    fragment_end,
    size_of,
    stored_checksum,
)
from smlib.storage.packed_bytes import Integer

# What a disk writes wholly or not at all.
SECTOR = 512

u64 = np.uint64


def record_behind(file: File, place: int) -> int | None:
    """Return where a record begins behind a broken fragment, or None if none does."""
    size = file.size()
    base = place // BLOCK * BLOCK
    place -= base
    while base < size:
        found = int(find_record(np.frombuffer(file.read_at(base, BLOCK), np.uint8), place))
        if found >= 0:
            return base + found
        base, place = base + BLOCK, 0
    return None


def has_lost_sector(file: File, place: int) -> bool:
    """Return whether a sector's share of the fragment at a place, or of its header if that makes no sense, is zeros."""
    if place % BLOCK + HEADER > BLOCK:
        return False
    header = file.read_at(place, HEADER)
    size = int.from_bytes(header[SIZE:KIND], "little")
    makes_sense = FULL <= header[KIND] <= LAST and place % BLOCK + HEADER + size <= BLOCK
    data = file.read_at(place, HEADER + size if makes_sense else HEADER)
    begins = [0, *range(-place % SECTOR or SECTOR, len(data), SECTOR), len(data)]
    return any(not any(data[a:b]) for a, b in itertools.pairwise(begins))


@kernel(borrows=True)
def find_record(block: Bytes, place: Integer) -> Integer:
    """Return where a record begins in a block, at a place or behind it, or -1."""
    while place + HEADER <= block.size:
        end = fragment_end(block, place)
        if end < 0:
            place = next_place(block, place)
        elif begins_record(block, place):
            return place
        else:
            place = end
    return -1


@kernel(borrows=True)
def begins_record(block: Bytes, place: Integer) -> bool:
    """Return whether the fragment at a place, which is whole, is the first of its record."""
    return bool(block[place + KIND] in (FULL, FIRST))


@kernel(borrows=True)
def next_place(block: Bytes, place: Integer) -> Integer:
    """Return where to go on behind a broken fragment at a place: by its checksum, its size, or byte by byte."""
    if FULL <= block[place + KIND] <= LAST:
        end = end_by_checksum(block, place)
        if end >= 0:
            return end
        end = place + HEADER + size_of(block, place)
        if end <= BLOCK:
            return end
    for begin in range(place + 1, block.size - HEADER + 1):
        kind = block[begin + KIND]
        if kind in (FULL, FIRST) and fragment_end(block, begin) >= 0:
            return begin
    return BLOCK


@kernel(borrows=True)
def end_by_checksum(block: Bytes, place: Integer) -> Integer:
    """Return where a fragment ends if its checksum is right and its size is not, or -1."""
    wanted = unmasked(stored_checksum(block, place)) ^ ALL_ONES
    register = ALL_ONES
    for end in range(place + KIND, block.size):
        register = (register >> u64(8)) ^ u64(CRC32C_OF_BYTE[(register ^ u64(block[end])) & u64(255)])
        if register == wanted:
            return end + 1
    return -1
