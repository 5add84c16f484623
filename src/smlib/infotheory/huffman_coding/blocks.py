"""A block of bytes in Huffman code, at gigabytes a second.

One symbol after the other is slow to decode: where a word begins is known only when the one before has been looked
up. Three things make it fast.

- **A table.** No word has more than 11 bits. The next 11 bits of the stream, as a number, are the place in a table
  that says how long the word is and which symbol it means; if the next word ends within the 11 bits too, it says that
  at once.
- **Four streams.** The block is cut into quarters, coded one after the other. The four chains of look-ups have
  nothing to do with each other, so that a processor works on all four at a time.
- **A sentinel.** Each stream is read through 64 bits, whose first is set to 1 when they are loaded. Used bits are
  shifted out at the low end, and the zeros that come in above the sentinel count them: no counter is needed.

Words are written from the low bits of the bytes up, their first bit first, as in deflate: the next 11 bits are then
simply the low ones.

A Huffman block has this form::

    32 bytes     bit s is set if byte s occurs
    4 bits each  the length of its word, for every byte that occurs; zeros fill the last byte
    3 x 3 bytes  the sizes of the first three streams, the fourth takes the rest
    the streams  each ends with zeros that fill its last byte

Invariants of decoding, whatever the bytes are (they are not trusted, and no checksum is looked at here):
  1. No byte outside the block is read, and none outside the output written.
  2. It answers True only if every stream ends exactly where the next begins, with fewer than 8 bits to spare, all zero.

Positions are unsigned 32-bit integers: from ``out[o]`` and ``out[o + 1]`` the compiler then knows that they are
neighbours, and makes one store of two (one load of eight, in `load_word`).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.simd import leading_zeros
from smlib._core.words import load_word, store_word
from smlib.infotheory.huffman_coding.code_lengths import Lengths

Bytes: TypeAlias = NDArray[np.uint8]
Table: TypeAlias = NDArray[np.uint32]
Integers: TypeAlias = NDArray[np.int64]

LONGEST_WORD = 11
TABLE_SIZE = 1 << LONGEST_WORD
STREAMS = 4
# The bits, the sizes of three streams, and a length for each of 256 bytes.
LARGEST_HEADER = 32 + 128 + 9

u8, u32, u64 = np.uint8, np.uint32, np.uint64
SENTINEL = np.uint64(1 << 63)
LOW_6 = np.uint64(63)
TABLE_MASK = np.uint64(TABLE_SIZE - 1)


@kernel
def count_bytes(data: Bytes, counts: Table) -> None:
    """Add up how often each byte occurs, in four rows: equal neighbours need not wait for each other's count."""
    whole = data.size - data.size % 4
    for i in range(0, whole, 4):
        counts[0, data[i]] += u32(1)
        counts[1, data[i + 1]] += u32(1)
        counts[2, data[i + 2]] += u32(1)
        counts[3, data[i + 3]] += u32(1)
    for i in range(whole, data.size):
        counts[0, data[i]] += u32(1)


@kernel
def assign_words(lengths: Lengths, words: Table) -> None:
    """Set each byte's canonical word, its first bit lowest, above the 6 bits of its length."""
    code = 0
    for length in range(1, LONGEST_WORD + 1):
        for symbol in range(256):
            if lengths[symbol] == length:
                reversed_code = 0
                for bit in range(length):
                    reversed_code |= ((code >> bit) & 1) << (length - 1 - bit)
                words[symbol] = u32((reversed_code << 6) | length)
                code += 1
        code *= 2


@kernel
def encode_block(data: Bytes, lengths: Lengths, out: Bytes) -> int:
    """Write a Huffman block; return its size.

    ``lengths`` holds a complete code of at most 11 bits for the bytes that occur; ``out`` has room for 11 bits a
    byte, the header and 16 bytes more.
    """
    size = 32
    out[:32] = 0
    half = False
    for symbol in range(256):
        if lengths[symbol] > 0:
            out[symbol >> 3] |= u8(1 << (symbol & 7))
            if half:
                out[size] |= u8(lengths[symbol] << 4)
                size += 1
            else:
                out[size] = lengths[symbol]
            half = not half
    size += half
    sizes_at = size
    size += 3 * (STREAMS - 1)

    words = np.zeros(256, u32)
    assign_words(lengths, words)
    quarter = (data.size + STREAMS - 1) // STREAMS
    for stream in range(STREAMS):
        first = min(stream * quarter, data.size)
        begin = size
        size = encode_stream(data[first : min(first + quarter, data.size)], words, out, size)
        if stream < STREAMS - 1:
            for byte in range(3):
                out[sizes_at + 3 * stream + byte] = u8(((size - begin) >> (8 * byte)) & 255)
    return size


@kernel
def encode_stream(data: Bytes, words: Table, out: Bytes, begin: int) -> int:
    """Write the words of the data from a byte on, four at a time; return the byte behind the last.

    Lengths stand in the low 6 bits of an entry. Four of them add up to 44 at most, so sums of entries have the sum of
    the lengths in their low 6 bits, which is all of a number that a processor looks at when it shifts by it.
    """
    position = u32(begin)
    pending = u64(0)
    used = u64(0)
    whole = u32(data.size - data.size % 4)
    i = u32(0)
    while i < whole:
        first, second = u64(words[data[i]]), u64(words[data[i + 1]])
        third, fourth = u64(words[data[i + 2]]), u64(words[data[i + 3]])
        front = (first >> u64(6)) | ((second >> u64(6)) << (first & LOW_6))
        back = (third >> u64(6)) | ((fourth >> u64(6)) << (third & LOW_6))
        pending |= (front | (back << ((first + second) & LOW_6))) << used
        used += (first + second + third + fourth) & LOW_6
        store_word(out, position, pending)
        position = u32(position + u32(used >> u64(3)))
        pending >>= used & u64(56)
        used &= u64(7)
        i = u32(i + 4)
    for rest in range(data.size - data.size % 4, data.size):
        word = u64(words[data[rest]])
        pending |= (word >> u64(6)) << used
        used += word & LOW_6
    store_word(out, position, pending)
    return int(np.int64(position) + np.int64((used + u64(7)) >> u64(3)))


@kernel
def decode_block(block: Bytes, out: Bytes, table: Table) -> bool:
    """Decode a Huffman block that should fill ``out``; answer whether it did. ``table`` is room for 2^11 entries."""
    lengths = np.zeros(256, u8)
    if block.size < 32:
        return False
    size = 32
    half = False
    for symbol in range(256):
        if block[symbol >> 3] & u8(1 << (symbol & 7)):
            if size >= block.size:
                return False
            lengths[symbol] = block[size] >> 4 if half else block[size] & 15
            size += half
            half = not half
            if lengths[symbol] == 0:
                return False
    if half:
        if block[size] >> 4:
            return False
        size += 1
    if size + 3 * (STREAMS - 1) > block.size or not fill_table(lengths, table):
        return False

    begins = np.empty(STREAMS + 1, np.int64)
    begins[0] = size + 3 * (STREAMS - 1)
    for stream in range(STREAMS - 1):
        place = size + 3 * stream
        length = block[place] | np.int64(block[place + 1]) << 8 | np.int64(block[place + 2]) << 16
        begins[stream + 1] = begins[stream] + length
    begins[STREAMS] = block.size
    if begins[STREAMS - 1] > block.size:
        return False
    return decode_streams(block, begins, out, table)


@kernel
def fill_table(lengths: Lengths, table: Table) -> bool:
    """Set, for each number of 11 bits, what the words at its low end mean; answer False if the code is not complete.

    An entry holds, from the low end: the bits used by all its symbols (6), by the first alone (4), the first symbol
    (8), the second (8), and how many there are, 1 or 2.
    """
    space = 0
    for symbol in range(256):
        length = np.int64(lengths[symbol])
        if length > LONGEST_WORD:
            return False
        if length > 0:
            space += int(TABLE_SIZE >> length)
    if space != TABLE_SIZE:
        return False
    words = np.zeros(256, u32)
    assign_words(lengths, words)
    single = np.empty(TABLE_SIZE, u32)
    for symbol in range(256):
        length = np.int64(lengths[symbol])
        if length > 0:
            for place in range(np.int64(words[symbol] >> u32(6)), TABLE_SIZE, 1 << length):
                single[place] = u32((symbol << 4) | length)
    for place in range(TABLE_SIZE):
        first = np.int64(single[place])
        second = np.int64(single[place >> (first & 15)])
        both = (first & 15) + (second & 15)
        if both <= LONGEST_WORD:
            table[place] = u32(2 << 26 | (second >> 4) << 18 | first << 6 | both)
        else:
            table[place] = u32(1 << 26 | first << 6 | (first & 15))
    return True


@kernel
def decode_streams(block: Bytes, begins: Integers, out: Bytes, table: Table) -> bool:
    """Decode the four streams at a time while none can run out of bytes or of room, then each to its end."""
    quarter = (out.size + STREAMS - 1) // STREAMS
    ends = np.empty(STREAMS + 1, np.int64)
    for stream in range(STREAMS + 1):
        ends[stream] = min(stream * quarter, out.size)
    p0, p1, p2, p3 = u32(begins[0]), u32(begins[1]), u32(begins[2]), u32(begins[3])
    o0, o1, o2, o3 = u32(ends[0]), u32(ends[1]), u32(ends[2]), u32(ends[3])
    b0 = b1 = b2 = b3 = SENTINEL
    while True:
        rounds = min(
            min(rounds_left(p0, begins[1], o0, ends[1]), rounds_left(p1, begins[2], o1, ends[2])),
            min(rounds_left(p2, begins[3], o2, ends[3]), rounds_left(p3, begins[4], o3, ends[4])),
        )
        if rounds <= 0:
            break
        for _ in range(rounds):
            p0, b0 = refill(block, p0, b0)
            p1, b1 = refill(block, p1, b1)
            p2, b2 = refill(block, p2, b2)
            p3, b3 = refill(block, p3, b3)
            for _ in range(5):
                o0, b0 = decode_next(table, b0, out, o0)
                o1, b1 = decode_next(table, b1, out, o1)
                o2, b2 = decode_next(table, b2, out, o2)
                o3, b3 = decode_next(table, b3, out, o3)
    return (
        finish_stream(block, p0, begins[1], b0, out, o0, ends[1], table)
        and finish_stream(block, p1, begins[2], b1, out, o1, ends[2], table)
        and finish_stream(block, p2, begins[3], b2, out, o2, ends[3], table)
        and finish_stream(block, p3, begins[4], b3, out, o3, ends[4], table)
    )


@kernel
def rounds_left(position: np.uint32, end: int, place: np.uint32, stop: int) -> int:
    """Return how many refills are safe: each moves on by up to 7 bytes, reads 8, and is good for up to 10 symbols."""
    return int(min((end - np.int64(position) - 8) // 7, (stop - np.int64(place)) // 10))


@kernel
def refill(block: Bytes, position: np.uint32, bits: np.uint64) -> tuple[np.uint32, np.uint64]:
    """Load 64 bits from the first unread byte on, set the sentinel, and drop what was read of that byte.

    ``position`` is where ``bits`` were loaded from; it moves by at most 7. At least 56 unread bits are left.
    """
    used = u64(leading_zeros(bits))
    position = u32(position + u32(used >> u64(3)))
    return position, (load_word(block, position) | SENTINEL) >> (used & u64(7))


@kernel
def decode_next(table: Table, bits: np.uint64, out: Bytes, place: np.uint32) -> tuple[np.uint32, np.uint64]:
    """Write the one or two symbols that the next 11 bits hold (a second byte is written in any case)."""
    entry = table[bits & TABLE_MASK]
    out[place] = u8(entry >> u32(10))
    out[place + 1] = u8(entry >> u32(18))
    return u32(place + (entry >> u32(26))), bits >> (u64(entry) & LOW_6)


@kernel
def finish_stream(
    block: Bytes, position: np.uint32, end: int, bits: np.uint64, out: Bytes, place: np.uint32, stop: int, table: Table
) -> bool:
    """Decode what is left of one stream with every step checked; answer whether it ends exactly at its end."""
    bit = int(8 * np.int64(position) + np.int64(leading_zeros(bits)))
    symbol = np.int64(place)
    while symbol < stop:
        first = bit >> 3
        window = 0
        for k in range(3):
            if first + k < end:
                window |= int(np.int64(block[first + k]) << (8 * k))
        entry = int(np.int64(table[(window >> (bit & 7)) & (TABLE_SIZE - 1)]))
        out[symbol] = u8((entry >> 10) & 255)
        symbol += 1
        bit += (entry >> 6) & 15
        if bit > 8 * end:
            return False
    return end == (bit + 7) >> 3 and (bit & 7 == 0 or block[end - 1] >> (bit & 7) == 0)
