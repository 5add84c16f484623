"""Finding what was said before, a block of 64 KB at a time.

A block is compressed as if nothing had come before it: positions fit into 16 bits then, and the table of them into the
innermost cache. The table has a slot for each value of a hash of four bytes, and holds where such bytes were last
seen. An empty slot says 0, and 0 is a position like any other: every candidate is compared with the bytes at hand, so
a slot may hold what it likes.

Where nothing is found for long, nothing will be found soon: after 32 positions in vain every second one is tried, and
the strides grow from there. A photograph is so passed over at some gigabytes a second.

Invariants of a block, whatever its bytes are:
  1. The elements, carried out, make the block.
  2. A copy has at least 4 bytes and takes at most 3, so that only literals can make a block grow: by a byte where 61
     bytes or more come before the copy, and by another where 257 do. n bytes take at most n + n / 65 + 3.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.simd import leading_zeros
from smlib._core.validate import as_bytes
from smlib._core.words import Bytes, load_word, store_word
from smlib.errors import InputError

BytesLike: TypeAlias = "bytes | bytearray | memoryview"
# Where the four bytes of each hash were last seen.
Places: TypeAlias = NDArray[np.uint16]

BLOCK_SIZE = 1 << 16
LARGEST_SIZE = (1 << 32) - 1
# The size of the data, 7 bits a byte.
LONGEST_VARINT = 5
SMALLEST_TABLE, LARGEST_TABLE = 1 << 8, 1 << 14
# Words are stored whole: so many bytes behind the last element may be written to.
SLACK = 7

LITERAL, NEAR_COPY, COPY, FAR_COPY = range(4)
# The longest literal whose length fits into its tag, and the longest copy.
SHORT_LITERAL, LONGEST_COPY = 60, 64

u8, u16, u32, u64 = np.uint8, np.uint16, np.uint32, np.uint64
# Snappy's own: it spreads text and numbers written in digits well.
MULTIPLIER = u64(0x1E35A7BD)
LOW_32 = u64(0xFFFFFFFF)


def snappy_compress(data: BytesLike) -> bytes:
    r"""Compress bytes in the raw format of Snappy: fast, and with no checksum.

    Parameters
    ----------
    data : bytes-like
        Any object with contiguous bytes (bytes, bytearray, memoryview, a NumPy array ...), also empty; fewer than 4 GB.

    Returns
    -------
    bytes
        At most n / 65 bytes more than ``data``, 3 a block of 64 KB, and 5. `snappy_decompress` reads it, and so does
        every other program that knows Snappy.

    Raises
    ------
    InputError
        ``data`` is not bytes-like, or of 4 GB or more, which the format cannot say.

    Notes
    -----
    Complexity: O(n) time, O(1) space besides the result.

    References
    ----------
    Google, *Snappy compressed format description*.

    Examples
    --------
    >>> snappy_compress(b"Rose is a rose is a rose is a rose.")
    b'#(Rose is a rZ\n\x00\x00.'
    """
    source = as_array(data)
    size = source.size
    if size > LARGEST_SIZE:
        raise InputError(f"data has {size} bytes, and Snappy's format holds up to {LARGEST_SIZE}: compress it in parts")
    out = np.empty(LONGEST_VARINT + room(size), dtype=np.uint8)
    end = compress_blocks(source, new_table(size), out)
    return out[:end].tobytes()


def as_array(data: BytesLike) -> Bytes:
    """Return bytes as an array that shares their memory and cannot be written to."""
    return np.frombuffer(data if type(data) is bytes else as_bytes(data), np.uint8)


def room(size: int) -> int:
    """Return how many bytes the elements of data of some size may take and touch."""
    return size + size // 65 + 3 * -(-size // BLOCK_SIZE) + SLACK


def new_table(size: int) -> Places:
    """Return a table that suits data of some size: it is cleared for every block, which must not take long."""
    slots = 1 << (size - 1).bit_length() if size else 1
    return np.empty(min(max(slots, SMALLEST_TABLE), LARGEST_TABLE), dtype=np.uint16)


@kernel(borrows=True)
def compress_blocks(data: Bytes, table: Places, out: Bytes) -> int:
    """Write the size of the data, and the elements of one block after the other; return the size of all."""
    size, left = 0, data.size
    while left >= 128:
        out[size] = u8(128 | (left & 127))
        left >>= 7
        size += 1
    out[size] = u8(left)
    size += 1
    for begin in range(0, data.size, BLOCK_SIZE):
        size += compress_block(data[begin : begin + BLOCK_SIZE], table, out[size:])
    return size


@kernel(borrows=True)
def compress_block(data: Bytes, table: Places, out: Bytes) -> int:
    """Write the elements of a block of up to 64 KB; return their size. ``out`` has `room` for them."""
    table[:] = 0
    begin, position, size = u32(0), u32(1), u32(0)
    while True:
        found, earlier = find_match(data, position, table)
        size = write_literal(data, begin, found, out, size)
        if found >= data.size:
            return int(size)
        length = match_length(data, earlier, found)
        size = write_copies(u32(found - earlier), length, out, size)
        begin = position = u32(found + length)
        if position + 8 <= data.size:
            exchange(load_word(data, u32(position - 1)), u32(position - 1), table)


@kernel(borrows=True)
def find_match(data: Bytes, position: np.uint32, table: Places) -> tuple[np.uint32, np.uint32]:
    """Return the next position whose four bytes are known from before, and where they were; else the end, and 0."""
    tries = u32(32)
    while position + 8 <= data.size:
        word = load_word(data, position)
        earlier = exchange(word, position, table)
        if (word ^ load_word(data, earlier)) & LOW_32 == u64(0):
            return position, earlier
        stride = u32(tries >> u32(5))
        position = u32(position + stride)
        tries = u32(tries + stride)
    return u32(data.size), u32(0)


@kernel(borrows=True)
def exchange(word: np.uint64, position: np.uint32, table: Places) -> np.uint32:
    """Put a position into the slot of the four low bytes of a word; return the position that was there."""
    slot = slot_of(word, table)
    earlier = u32(table[slot])
    table[slot] = u16(position)
    return earlier


@kernel(borrows=True)
def slot_of(word: np.uint64, table: Places) -> np.uint64:
    """Return the slot of the four low bytes of a word: the high bits of a product with an odd number."""
    return ((word << u64(32)) * MULTIPLIER) >> leading_zeros(u64(table.size - 1))


@kernel(borrows=True)
def match_length(data: Bytes, earlier: np.uint32, position: np.uint32) -> np.uint32:
    """Count the bytes that are the same from two positions on, of which the first four are known to be."""
    behind, ahead = u32(earlier + 4), u32(position + 4)
    while ahead + 8 <= data.size:
        difference = load_word(data, behind) ^ load_word(data, ahead)
        if difference != u64(0):
            # The lowest bit that is set says how many bytes below it are equal.
            lowest = u64(63) - leading_zeros(difference & (u64(0) - difference))
            return u32(ahead + u32(lowest >> u64(3)) - position)
        behind, ahead = u32(behind + 8), u32(ahead + 8)
    while ahead < data.size and data[ahead] == data[behind]:
        behind, ahead = u32(behind + 1), u32(ahead + 1)
    return u32(ahead - position)


@kernel(borrows=True)
def write_literal(data: Bytes, begin: np.uint32, end: np.uint32, out: Bytes, size: np.uint32) -> np.uint32:
    """Write the bytes from one position to another as they are; return the size of all elements so far."""
    length = u32(end - begin)
    if length == 0:
        return size
    if length <= SHORT_LITERAL:
        out[size] = u8((length - 1) << 2)
        size = u32(size + 1)
    elif length <= 256:
        out[size] = u8(60 << 2)
        out[size + 1] = u8(length - 1)
        size = u32(size + 2)
    else:
        out[size] = u8(61 << 2)
        out[size + 1] = u8((length - 1) & 255)
        out[size + 2] = u8((length - 1) >> 8)
        size = u32(size + 3)
    after = u32(size + length)
    # Words, as long as the data reaches; what a word brings too many is overwritten by the next element.
    while begin < end and begin + 8 <= data.size:
        store_word(out, size, load_word(data, begin))
        begin, size = u32(begin + 8), u32(size + 8)
    while begin < end:
        out[size] = data[begin]
        begin, size = u32(begin + 1), u32(size + 1)
    return after


@kernel(borrows=True)
def write_copies(offset: np.uint32, length: np.uint32, out: Bytes, size: np.uint32) -> np.uint32:
    """Write a copy as elements of up to 64 bytes, none of fewer than 4; return the size of all elements so far."""
    while length > LONGEST_COPY:
        part = u32(LONGEST_COPY if length >= LONGEST_COPY + 4 else LONGEST_COPY - 4)
        size = write_copy(offset, part, out, size)
        length = u32(length - part)
    return write_copy(offset, length, out, size)


@kernel(borrows=True)
def write_copy(offset: np.uint32, length: np.uint32, out: Bytes, size: np.uint32) -> np.uint32:
    """Write one element of 4 to 64 bytes from up to 65,535 back; return the size of all elements so far."""
    if length < 12 and offset < 2048:
        out[size] = u8(((offset >> u32(8)) << u32(5)) | ((length - 4) << 2) | NEAR_COPY)
        out[size + 1] = u8(offset & u32(255))
        return u32(size + 2)
    out[size] = u8((length - 1) << 2 | COPY)
    out[size + 1] = u8(offset & u32(255))
    out[size + 2] = u8(offset >> u32(8))
    return u32(size + 3)
