"""Entries of a log: what a flush writes, straight from the record of all changes.

The memtable has the newest value of each key, but as Python's objects, one by one. The log has the same as bytes, and
more: the number of each change. So a flush reads the log back, which is in the system's memory still, proves it once
more, and puts its changes in order by kernels; no key is touched by Python.

To sort, two runs that are in order are merged to one, again and again, from runs of one change on. What is compared
are the first 8 bytes of keys, as numbers, and whole keys only where these are equal. Of changes of the same key the
newest comes first, and the others are left out.

Invariants:
  1. What comes out is in order, has each key once, and of each key the change with the highest number.
  2. A record that is not whole, or no batch, is told as `recovery` would tell it.

Cost: O(n log n) comparisons for n changes; a third of a microsecond each.

Knuth, *The Art of Computer Programming* 3, section 5.2.4 (natural merge sort).
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes
from smlib.storage.filesystem import File
from smlib.storage.lsm.batches import HEAD, LARGEST, decode_batch
from smlib.storage.lsm.block_numbers import prove_varint
from smlib.storage.lsm.entries import Entries, Tags, at, u64
from smlib.storage.lsm.internal_keys import DELETION, VALUE
from smlib.storage.lsm.log import read_payloads
from smlib.storage.packed_bytes import Integer, Numbers, compare, copy_bytes, head_of

HEAD_SIZE = HEAD.size


def read_entries(file: File, size: int, *, synced: bool = True) -> Entries:
    """Return the newest change of each key in a log of some size, in order; ``synced`` is that of `read_log`.

    Raises
    ------
    CorruptDataError
        A record is damaged, or no batch.
    """
    payloads, ends = read_payloads(file, size, synced=synced)
    # A change takes three bytes at least.
    places = np.empty((4, payloads.size // 3 + 1), np.int64)
    tags = np.empty(places.shape[1], np.uint64)
    count, wrong = find_entries(payloads, ends, places, tags)
    if wrong >= 0:
        begin = int(ends[wrong - 1]) if wrong else 0
        decode_batch(payloads[begin : int(ends[wrong])].tobytes(), file.path, 0)
    places, tags = places[:, : int(count)], tags[: int(count)]
    order = sort_entries(payloads, places, tags)
    kept = np.empty(order.size, np.int64)
    kept = kept[: int(keep_newest(payloads, places, order, kept))]
    sizes = places[1::2, kept] - places[::2, kept]
    key_ends, value_ends = (np.concatenate([[0], np.cumsum(row)]) for row in sizes)
    entries = Entries(
        np.empty(key_ends[-1], np.uint8), key_ends, tags[kept], np.empty(value_ends[-1], np.uint8), value_ends
    )
    copy_entries(payloads, places, kept, entries)
    return entries


@kernel(borrows=True)
def find_entries(payloads: Bytes, ends: Numbers, places: Numbers, tags: Tags) -> tuple[Integer, Integer]:
    """Find where keys and values of batches begin and end; return how many there are, and which is none, or -1."""
    count, begin = np.int64(0), np.int64(0)
    for batch in range(ends.size):
        end = ends[batch]
        if end - begin < HEAD_SIZE:
            return count, np.int64(batch)
        sequence, number = u64(0), np.int64(0)
        for k in range(8):
            sequence |= u64(payloads[begin + k]) << u64(8 * k)
        for k in range(4):
            number |= np.int64(payloads[begin + 8 + k]) << (8 * k)
        place: Integer = begin + HEAD_SIZE
        for k in range(number):
            if place >= end or count == tags.size:
                return count, np.int64(batch)
            kind = payloads[place]
            if kind != VALUE and kind != DELETION:
                return count, np.int64(batch)
            key_begin, key_end = part_at(payloads, place + 1, end)
            value_begin, value_end = key_end, key_end
            if kind == VALUE and key_end >= 0:
                value_begin, value_end = part_at(payloads, key_end, end)
            if key_end < 0 or value_end < 0:
                return count, np.int64(batch)
            places[0, count], places[1, count] = key_begin, key_end
            places[2, count], places[3, count] = value_begin, value_end
            tags[count] = (sequence + u64(k)) << u64(8) | u64(kind)
            count += 1
            place = value_end
        if place != end:
            return count, np.int64(batch)
        begin = end
    return count, np.int64(-1)


@kernel(borrows=True)
def part_at(payloads: Bytes, place: Integer, end: Integer) -> tuple[Integer, Integer]:
    """Return where the bytes begin and end whose size stands at a place; an end of -1 if they are not all there."""
    size, begin = prove_varint(payloads, place, end, LARGEST)
    if begin < 0 or size > end - begin:
        return np.int64(0), np.int64(-1)
    return np.int64(begin), np.int64(begin + size)


@kernel
def sort_entries(payloads: Bytes, places: Numbers, tags: Tags) -> Numbers:
    """Return the numbers of entries in their order."""
    count = tags.size
    heads = np.empty(count, np.uint64)
    order, other = np.empty(count, np.int64), np.empty(count, np.int64)
    for number in range(count):
        begin = places[0, number]
        heads[number] = head_of(payloads, at(begin), at(places[1, number] - begin))
        order[number] = number
    size = 1
    while size < count:
        for begin in range(0, count, 2 * size):
            middle, end = min(begin + size, count), min(begin + 2 * size, count)
            left, right = begin, middle
            for place in range(begin, end):
                if right == end or (
                    left < middle and comes_first(payloads, places, tags, heads, order[left], order[right])
                ):
                    other[place] = order[left]
                    left += 1
                else:
                    other[place] = order[right]
                    right += 1
        order, other = other, order
        size *= 2
    return order


@kernel(borrows=True)
def comes_first(payloads: Bytes, places: Numbers, tags: Tags, heads: Tags, one: Integer, other: Integer) -> bool:
    """Return whether an entry comes before another."""
    if heads[one] != heads[other]:
        return bool(heads[one] < heads[other])
    order = compare_keys(payloads, places, one, other)
    return bool(order < 0 or (order == 0 and tags[one] > tags[other]))


@kernel(borrows=True)
def compare_keys(payloads: Bytes, places: Numbers, one: Integer, other: Integer) -> Integer:
    """Return -1, 0 or 1 as a key is less than, equal to or greater than another."""
    begin, other_begin = places[0, one], places[0, other]
    return compare(
        payloads, at(begin), at(places[1, one] - begin), payloads, at(other_begin), at(places[1, other] - other_begin)
    )


@kernel(borrows=True)
def keep_newest(payloads: Bytes, places: Numbers, order: Numbers, kept: Numbers) -> Integer:
    """Write down the entries that are the first of their keys; return how many there are."""
    count = np.int64(0)
    for place in range(order.size):
        if count == 0 or compare_keys(payloads, places, kept[count - 1], order[place]) != 0:
            kept[count] = order[place]
            count += 1
    return count


@kernel(borrows=True)
def copy_entries(payloads: Bytes, places: Numbers, kept: Numbers, entries: Entries) -> None:
    """Copy keys and values to where they belong."""
    for k in range(kept.size):
        number = kept[k]
        begin, end = places[0, number], places[1, number]
        copy_bytes(payloads, at(begin), entries.keys, at(entries.key_ends[k]), at(end - begin))
        begin, end = places[2, number], places[3, number]
        copy_bytes(payloads, at(begin), entries.values, at(entries.value_ends[k]), at(end - begin))
