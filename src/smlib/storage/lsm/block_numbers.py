"""The numbers in a block, for kernels: four bytes, the lowest first, or as few as are needed.

A *varint* has seven bits of a number in each byte, the lowest first; the highest bit of a byte says that more follow::

    5 -> 05      127 -> 7f      128 -> 80 01      300 = 2 * 128 + 44 -> ac 02

Sizes in a block are nearly always less than 128, and take one byte.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes
from smlib.storage.packed_bytes import Integer

at, u8, u64 = np.uint32, np.uint8, np.uint64


@kernel(borrows=True)
def load_fixed(data: Bytes, position: np.uint32) -> np.uint32:
    """Return a number of four bytes."""
    return at(
        u64(data[position])
        | u64(data[position + 1]) << u64(8)
        | u64(data[position + 2]) << u64(16)
        | u64(data[position + 3]) << u64(24)
    )


@kernel(borrows=True)
def store_fixed(data: Bytes, position: np.uint32, number: np.uint32) -> np.uint32:
    """Write a number of four bytes; return the position behind it."""
    word = u64(number)
    data[position] = u8(word & u64(255))
    data[position + 1] = u8((word >> u64(8)) & u64(255))
    data[position + 2] = u8((word >> u64(16)) & u64(255))
    data[position + 3] = u8((word >> u64(24)) & u64(255))
    return at(position + at(4))


@kernel(borrows=True)
def store_varint(data: Bytes, position: np.uint32, number: Integer) -> np.uint32:
    """Write a number of at most 63 bits in as few bytes as it takes; return the position behind it."""
    left = np.int64(number)
    while left >= 128:
        data[position] = u8(left & 127 | 128)
        left >>= 7
        position = at(position + at(1))
    data[position] = u8(left)
    return at(position + at(1))


@kernel(borrows=True)
def varint_size(number: Integer) -> Integer:
    """Return how many bytes a number takes."""
    size, left = np.int64(1), np.int64(number)
    while left >= 128:
        left >>= 7
        size += 1
    return size


@kernel(borrows=True)
def load_varint(data: Bytes, position: np.uint32) -> tuple[np.uint64, np.uint32]:
    """Return a number that was proved, and the position behind it."""
    number, shift = u64(data[position]), u64(0)
    position = at(position + at(1))
    if number < u64(128):
        return number, position
    number &= u64(127)
    while True:
        shift += u64(7)
        group = u64(data[position])
        position = at(position + at(1))
        number |= (group & u64(127)) << shift
        if group < u64(128):
            return number, position


@kernel(borrows=True)
def prove_varint(data: Bytes, position: Integer, limit: Integer, most: Integer) -> tuple[Integer, Integer]:
    """Return a number that is not trusted, and the position behind it.

    The position is -1 if the number does not end before a limit, which must lie within the data, or is greater than
    ``most``, or has more than 63 bits.
    """
    number, shift, place = np.int64(0), np.int64(0), np.int64(position)
    while place < limit and shift < 63:
        group = np.int64(data[at(place)])
        place += 1
        number |= (group & 127) << shift
        if group < 128:
            return number, (place if number <= most else np.int64(-1))
        shift += 7
    return np.int64(0), np.int64(-1)
