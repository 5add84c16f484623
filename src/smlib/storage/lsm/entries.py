"""Entries: many keys with their values, packed one behind the other.

A tree that merges and writes files works on millions of keys of a few bytes each. As Python objects each of them is
three allocations and a pointer to chase. Packed, all keys lie in one array of bytes, all values in another, and two
arrays of numbers say where each begins and ends::

    put "ape" = "1", delete "bee", put "cow" = "23"; they have the sequence numbers 7, 8 and 9

    keys        a p e b e e c o w         key_ends     0  3  6  9
    tags        1793  2048  2305          (sequence << 8 | kind: 7 << 8 | 1, 8 << 8 | 0, 9 << 8 | 1)
    values      1 2 3                     value_ends   0  1  1  3

Entry k has the bytes from ``key_ends[k]`` to ``key_ends[k + 1]`` of the keys. A *tag* is a sequence number, which says
when the entry was written, above a byte that says what was written: 1 is a value, 0 a deletion.

The order of entries is that of their keys, byte by byte, and of the same key the newest comes first. So who looks for
what a key was at some time goes to the first entry that is not before (key, that time), and finds it there.

Invariants:
  1. Both rows of ends have one number more than there are entries, begin with 0 and never decrease.
  2. The last end is the size of its array; both are less than 2 GB, so that positions fit into 32 bits.
  3. Where entries are said to be in order, each is before the next, and no two are equal.

Cost: O(1) to get at an entry, O(log n) comparisons to find one, O(bytes) to pack and unpack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.words import Bytes
from smlib.errors import InputError
from smlib.storage.packed_bytes import Integer, Numbers, compare, join, split

Tags: TypeAlias = NDArray[np.uint64]

at, u64 = np.uint32, np.uint64

MOST_BYTES = (1 << 31) - 1
# Of all entries of a key this one would be the first.
NEWEST_TAG = (1 << 64) - 1


class Entries(NamedTuple):
    """Keys, tags and values, packed.

    Attributes
    ----------
    keys : array of uint8
        All keys, one behind the other.
    key_ends : array of int64
        0, and where each key ends.
    tags : array of uint64
        Of each entry its sequence number, shifted by 8, and its kind.
    values : array of uint8
        All values, one behind the other.
    value_ends : array of int64
        0, and where each value ends.
    """

    keys: Bytes
    key_ends: Numbers
    tags: Tags
    values: Bytes
    value_ends: Numbers

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self.tags.size


def pack(keys: Sequence[bytes], tags: Sequence[int] | Tags, values: Sequence[bytes]) -> Entries:
    """Return entries of their keys, tags and values.

    Raises
    ------
    InputError
        If there are not as many of each, or if they have 2 GB or more.

    Examples
    --------
    >>> pack([b"ape", b"bee"], [1793, 2048], [b"1", b""]).key_ends
    array([0, 3, 6])
    """
    if not len(keys) == len(tags) == len(values):
        raise InputError(f"there are {len(keys)} keys, {len(tags)} tags and {len(values)} values; each entry has one")
    key_bytes, key_ends = join(keys)
    value_bytes, value_ends = join(values)
    return require_small(Entries(key_bytes, key_ends, np.array(tags, np.uint64), value_bytes, value_ends))


def unpack(entries: Entries) -> list[tuple[bytes, int, bytes]]:
    """Return key, tag and value of each entry.

    >>> unpack(pack([b"ape", b"bee"], [1793, 2048], [b"1", b""]))
    [(b'ape', 1793, b'1'), (b'bee', 2048, b'')]
    """
    keys, values = split(entries.keys, entries.key_ends), split(entries.values, entries.value_ends)
    return list(zip(keys, entries.tags.tolist(), values, strict=True))


def part_of(entries: Entries, first: int, last: int) -> Entries:
    """Return the entries from one to before another; their bytes are not copied."""
    key_ends, value_ends = entries.key_ends[first : last + 1], entries.value_ends[first : last + 1]
    return Entries(
        entries.keys[key_ends[0] : key_ends[-1]],
        key_ends - key_ends[0],
        entries.tags[first:last],
        entries.values[value_ends[0] : value_ends[-1]],
        value_ends - value_ends[0],
    )


def concatenate(parts: Sequence[Entries]) -> Entries:
    """Return the entries of all parts, one part behind the other.

    Raises
    ------
    InputError
        If they have 2 GB or more.
    """
    if not parts:
        return pack([], [], [])
    require_sizes(sum(part.keys.size for part in parts), sum(part.values.size for part in parts))
    rows = []
    for ends in ([part.key_ends for part in parts], [part.value_ends for part in parts]):
        begins = np.cumsum([0, *(int(row[-1]) for row in ends[:-1])])
        rows.append(np.concatenate([begins[:1], *(row[1:] + begin for row, begin in zip(ends, begins, strict=True))]))
    return Entries(
        np.concatenate([part.keys for part in parts]),
        rows[0],
        np.concatenate([part.tags for part in parts]),
        np.concatenate([part.values for part in parts]),
        rows[1],
    )


def require_small(entries: Entries) -> Entries:
    """Raise InputError if positions in the keys or the values would not fit into 32 bits."""
    require_sizes(entries.keys.size, entries.values.size)
    return entries


def require_sizes(key_bytes: int, value_bytes: int) -> None:
    """Raise InputError if so many bytes of keys or values are too many."""
    if max(key_bytes, value_bytes) > MOST_BYTES:
        raise InputError(
            f"{key_bytes} bytes of keys and {value_bytes} of values are too many to be packed; each may have "
            f"{MOST_BYTES}: work on them in parts"
        )


def find_first(entries: Entries, key: bytes, tag: int) -> int:
    """Return the number of the first entry that is not before (key, tag), or how many there are; O(log n)."""
    return int(first_not_before(entries, np.frombuffer(bytearray(key), np.uint8), u64(tag)))


@kernel(borrows=True)
def first_not_before(entries: Entries, key: Bytes, tag: np.uint64) -> Integer:
    """Return the number of the first entry that is not before a key and a tag."""
    low, high = np.int64(0), np.int64(entries.tags.size)
    while low < high:
        middle = (low + high) >> 1
        begin, size = key_at(entries, middle)
        order = compare(entries.keys, begin, size, key, at(0), at(key.size))
        if order < 0 or (order == 0 and entries.tags[middle] > tag):
            low = middle + 1
        else:
            high = middle
    return low


@kernel(borrows=True)
def key_at(entries: Entries, number: Integer) -> tuple[np.uint32, np.uint32]:
    """Return where the key of an entry begins, and its size."""
    begin = entries.key_ends[number]
    return at(begin), at(entries.key_ends[number + 1] - begin)


@kernel(borrows=True)
def value_at(entries: Entries, number: Integer) -> tuple[np.uint32, np.uint32]:
    """Return where the value of an entry begins, and its size."""
    begin = entries.value_ends[number]
    return at(begin), at(entries.value_ends[number + 1] - begin)


@kernel(borrows=True)
def is_before(entries: Entries, one: Integer, other: Integer) -> bool:
    """Return whether an entry is before another: its key is less, or it is newer."""
    begin, size = key_at(entries, one)
    other_begin, other_size = key_at(entries, other)
    order = compare(entries.keys, begin, size, entries.keys, other_begin, other_size)
    return bool(order < 0 or (order == 0 and entries.tags[one] > entries.tags[other]))


@kernel(borrows=True)
def first_disorder(entries: Entries) -> Integer:
    """Return the number of the first entry that the one before it is not before, or -1 if all are in order."""
    for number in range(1, entries.tags.size):
        if not is_before(entries, number - 1, number):
            return np.int64(number)
    return np.int64(-1)
