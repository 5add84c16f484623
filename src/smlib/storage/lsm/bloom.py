r"""Bloom filters: a few bits a key that say "surely not here" or "perhaps".

The problem. A key that is looked for may lie in any of a dozen files, and is in one of them at most. Each file that is
searched in vain costs a read of the disk. Ten bits a key in memory save 99 of 100 such reads.

The idea. Take a row of m bits, all 0. For every key that is there set k of them, at places that k hashes of the key
name. A key whose k bits are not all 1 is not there, for certain; if they are, it is there or other keys happen to have
set them. With n keys a bit is still 0 with probability (1 - 1/m)^(kn), which is about e^(-kn/m), so that a key that is
not there passes with probability (1 - e^(-kn/m))^k. That is least for k = (m/n) ln 2, when half of the bits are set:
for 10 bits a key 6.9, and 0.8 %.

Hashing k times is not needed: the places are h, h + d, h + 2d, ... modulo m, where h is a hash of 32 bits and d is h
rotated by 17 bits (*double hashing*). The hash takes 4 bytes at a time, adds them, multiplies by an odd number, and
mixes the high half into the low one.

By hand. The key "a" has the hash 0x286e9db0. Rotated by 17 bits it is 0x4ed81437, and a filter of one key has 64 bits
(never fewer)::

    0x286e9db0 mod 64 = 48      + 0x4ed81437 = 0x7746b1e7 mod 64 = 39      then 30, 21, 12, 3

so bits 48, 39, 30, 21, 12 and 3 are set. The filter ends with a byte that holds k, here 6: bytes
``08 10 20 40 80 00 01 00 06``.

A table has a filter for each 2 KB of its file: filter i holds the keys of the blocks that begin in the bytes from
2048 i on, and is empty if none does. The filters lie one behind the other; where each begins comes after them, four
bytes each, then where that list begins, and 11, for 2^11 = 2048::

    filters ..., begins ..., where the begins begin (4), 11

Invariants:
  1. A key that was put in passes.
  2. A filter of n keys has max(64, n * bits_per_key) bits, rounded up to bytes, and k = 0.69 * bits_per_key rounded
     down, from 1 to 30. One that is empty lets nothing pass; one whose k is above 30 everything.
  3. The begins increase, and the last one is not behind their list (`prove_filters`).

Cost: k places a key to build, 2 on average to reject a key, k to let it pass.

Bloom, "Space/time trade-offs in hash coding with allowable errors", *Communications of the ACM* 13 (1970); Kirsch &
Mitzenmacher, "Less hashing, same performance", *ESA* (2006); Leskovec, Rajaraman & Ullman, *Mining of Massive
Datasets*, section 4.3.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes
from smlib.storage.lsm.block_numbers import load_fixed, store_fixed
from smlib.storage.lsm.entries import Entries, key_at
from smlib.storage.packed_bytes import Integer, Numbers

at, u8, u64 = np.uint32, np.uint8, np.uint64

FILTER_NAME = b"filter.leveldb.BuiltinBloomFilter2"
BASE_BITS = 11
SEED, FACTOR = at(0xBC9F1D34), at(0xC6A4A793)
FEWEST_BITS, MOST_PROBES = 64, 30
# Behind the list of begins: where it begins, and the base.
TAIL = 5


def probes_for(bits_per_key: int) -> int:
    """Return how many bits are set for each key.

    >>> probes_for(10)
    6
    """
    return min(max(int(bits_per_key * 0.69), 1), MOST_PROBES)


def room_for_filters(keys: int, filters: int, bits_per_key: int) -> int:
    """Return how many bytes so many filters of so many keys take at most."""
    return keys * bits_per_key // 8 + filters * (FEWEST_BITS // 8 + 2 + 4) + TAIL


@kernel(borrows=True)
def hash_key(data: Bytes, begin: np.uint32, size: np.uint32) -> np.uint32:
    """Return LevelDB's hash of some bytes."""
    hashed = at(SEED ^ at(size * FACTOR))
    place, end = begin, at(begin + size)
    while place + at(4) <= end:
        hashed = at(at(hashed + load_fixed(data, place)) * FACTOR)
        hashed = at(hashed ^ (hashed >> at(16)))
        place = at(place + at(4))
    if place < end:
        rest, shift = at(0), at(0)
        while place < end:
            rest = at(rest | at(data[place]) << shift)
            shift = at(shift + at(8))
            place = at(place + at(1))
        hashed = at(at(hashed + rest) * FACTOR)
        hashed = at(hashed ^ (hashed >> at(24)))
    return hashed


@kernel(borrows=True)
def rotated(hashed: np.uint32) -> np.uint32:
    """Return the step from one place of a key to the next."""
    return at((hashed >> at(17)) | at(hashed << at(15)))


@kernel(borrows=True)
def build_filter(
    entries: Entries,
    first: Integer,
    last: Integer,
    bits_per_key: Integer,
    probes: Integer,
    out: Bytes,
    begin: np.uint32,
) -> np.uint32:
    """Write the filter of the keys from one to before another; return the position behind it."""
    size = at((max((last - first) * bits_per_key, FEWEST_BITS) + 7) // 8)
    bits = at(size * at(8))
    for k in range(size):
        out[begin + at(k)] = u8(0)
    for number in range(first, last):
        key, key_size = key_at(entries, number)
        hashed = hash_key(entries.keys, key, key_size)
        step = rotated(hashed)
        for _ in range(probes):
            place = at(hashed % bits)
            out[begin + (place >> at(3))] |= u8(at(1) << (place & at(7)))
            hashed = at(hashed + step)
    out[begin + size] = u8(probes)
    return at(begin + size + at(1))


@kernel(borrows=True)
def build_filters(
    entries: Entries,
    firsts: Numbers,
    places: Numbers,
    bits_per_key: Integer,
    probes: Integer,
    begins: Numbers,
    out: Bytes,
) -> np.uint32:
    """Write the filters of a table's blocks; return their size.

    ``firsts`` are the first entries of the blocks, and the one behind the last. There are as many filters as there
    are ``begins``.
    """
    position, block, blocks = at(0), 0, firsts.size - 1
    for k in range(begins.size):
        begins[k] = np.int64(position)
        first = firsts[block]
        while block < blocks and places[block, 0] >> BASE_BITS == k:
            block += 1
        if firsts[block] > first:
            position = build_filter(entries, first, firsts[block], bits_per_key, probes, out, position)
    listed = position
    for k in range(begins.size):
        position = store_fixed(out, position, at(begins[k]))
    position = store_fixed(out, position, listed)
    out[position] = u8(BASE_BITS)
    return at(position + at(1))


@kernel(borrows=True)
def prove_filters(filters: Bytes) -> Integer:
    """Return -1 if the filters of a table are whole, else the position of what is not."""
    size = np.int64(len(filters))
    if size < TAIL or size > 1 << 31 or filters[at(size - 1)] > 31:
        return size - 1 if size > 0 else size
    listed = np.int64(load_fixed(filters, at(size - TAIL)))
    if listed > size - TAIL or (size - TAIL - listed) % 4 != 0:
        return size - TAIL
    before = np.int64(0)
    for place in range(listed, size - TAIL, 4):
        begin = np.int64(load_fixed(filters, at(place)))
        if begin < before or begin > listed:
            return np.int64(place)
        before = begin
    return np.int64(-1)


@kernel(borrows=True)
def place_of_filter(filters: Bytes, offset: Integer) -> tuple[Integer, Integer]:
    """Return where the filter of the block that begins at a position of the file begins and ends; -1 if there is none.

    Without a filter nobody knows which keys the block has.
    """
    tail = at(len(filters) - TAIL)
    listed = load_fixed(filters, tail)
    number = np.int64(offset) >> np.int64(filters[tail + at(4)])
    if number >= np.int64(at(tail - listed) >> at(2)):
        return np.int64(-1), np.int64(-1)
    place = at(listed + at(4) * at(number))
    return np.int64(load_fixed(filters, place)), np.int64(load_fixed(filters, at(place + at(4))))


@kernel(borrows=True)
def passes(filters: Bytes, begin: np.uint32, end: np.uint32, hashed: np.uint32) -> bool:
    """Return False if a key of a hash is surely not among those of the filter from one position to another."""
    if end < begin + at(2):
        return False
    probes = np.int64(filters[end - at(1)])
    if probes > MOST_PROBES:
        return True
    bits = at(at(end - begin - at(1)) * at(8))
    step = rotated(hashed)
    for _ in range(probes):
        bit = at(hashed % bits)
        if not at(filters[begin + (bit >> at(3))]) & at(at(1) << (bit & at(7))):
            return False
        hashed = at(hashed + step)
    return True
