r"""Checksums: a few bytes that notice when others have changed.

CRC. Take a message for a polynomial whose coefficients are its bits, and keep the remainder of dividing it by a fixed
polynomial of degree 32, with coefficients modulo 2. Where a message changes by a burst of up to 32 bits the remainder
changes for certain, for no such difference is a multiple of the divisor; other changes go unnoticed once in 2^32. The
division works bit by bit like the one taught at school, where subtracting is exclusive or::

    register = register ^ next bit;   shifted by one;   if a one fell out, register ^= polynomial

CRC-32C has Castagnoli's polynomial, for which processors have an instruction that takes 8 bytes at a time.

XXH64. A CRC promises something about small changes, and takes 32 bits. Where whatever may have changed must be told
apart, and where 2^32 is too few, the sum is better spread over 64 bits by multiplying with large odd numbers, which
loses nothing (they have inverses modulo 2^64), and rotating, which brings the well-mixed high bits down. One
multiplication must wait for the one before, so four lanes take turns, and the processor works on all of them at once::

    bytes   0..8   8..16  16..24  24..32 | 32..40 ...
    lane     a       b       c       d   |   a    ...      a = rotate(a + word * P2, 31) * P1

At the end the lanes are mixed into one number, the length and the last bytes after it, and an avalanche lets every bit
of it depend on every other. It is no secret and no proof: who wants two inputs of the same hash can make them.

Cost: O(n), some 9 GB/s of CRC-32C where the processor knows the instruction, and as much of XXH64.

Peterson & Brown, "Cyclic codes for error detection", *Proceedings of the IRE* 49 (1961); RFC 3720, appendix B.4;
Collet, *xxHash fast digest algorithm* (specification, version 0.1.1).
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.simd import CRC32C_OF_BYTE, crc32c_of_word
from smlib._core.validate import as_bytes
from smlib._core.words import Bytes, load_word
from smlib.errors import InputError

u32, u64 = np.uint32, np.uint64
ALL_ONES = 0xFFFFFFFF
# Positions in a piece are 32-bit integers.
PIECE = 2**31

# The odd numbers of XXH64.
PRIME1, PRIME2, PRIME3, PRIME4, PRIME5 = (
    u64(0x9E3779B185EBCA87),
    u64(0xC2B2AE3D27D4EB4F),
    u64(0x165667B19E3779F9),
    u64(0x85EBCA77C2B2AE63),
    u64(0x27D4EB2F165667C5),
)


def crc32c(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """Return the CRC-32C of bytes, or go on from the one of those before.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    >>> crc32c(b"6789", crc32c(b"12345")) == crc32c(b"123456789")
    True
    """
    array = np.frombuffer(as_bytes(data), dtype=np.uint8)
    register = u64(crc ^ ALL_ONES)
    for begin in range(0, array.size, PIECE):
        register = u64(extend_crc32c(array[begin : begin + PIECE], register))
    return int(register) ^ ALL_ONES


def extend_checksum(crc: int, head: int, payload: Bytes) -> int:
    """Return the CRC-32C that follows from one so far, the 8 bytes of a number (the lowest first) and more bytes."""
    return int(extend_crc32c_by_record(payload, u64(head), u64(crc ^ ALL_ONES))) ^ ALL_ONES


@kernel
def extend_crc32c_by_record(payload: Bytes, head: np.uint64, register: np.uint64) -> np.uint64:
    """Return the register after the 8 bytes of a number, and more bytes."""
    return extend_crc32c(payload, crc32c_of_word(register, head))


@kernel
def extend_crc32c(data: Bytes, register: np.uint64) -> np.uint64:
    """Return the register after more bytes; a checksum is a register with all its bits inverted."""
    crc = register
    whole = u32(data.size - data.size % 8)
    i = u32(0)
    while i < whole:
        crc = crc32c_of_word(crc, load_word(data, i))
        i = u32(i + 8)
    for rest in range(data.size - data.size % 8, data.size):
        crc = (crc >> u64(8)) ^ u64(CRC32C_OF_BYTE[(crc ^ u64(data[rest])) & u64(255)])
    return crc


def xxh64(data: bytes | bytearray | memoryview, seed: int = 0) -> int:
    """Return the XXH64 of bytes; another seed of 64 bits gives another hash.

    >>> hex(xxh64(b""))
    '0xef46db3751d8e999'
    >>> xxh64(b"page", seed=1) == xxh64(b"page", seed=2)
    False
    """
    array = np.frombuffer(data if type(data) is bytes else as_bytes(data), np.uint8)
    if type(seed) is not int or not 0 <= seed < 2**64:
        raise InputError(f"seed is {seed!r}; it must be an integer of 64 bits, at least 0")
    return int(hash_range(array, 0, array.size, u64(seed)))


@kernel
def hash_range(data: Bytes, begin: int, end: int, seed: np.uint64) -> np.uint64:
    """Return the XXH64 of the bytes from one position to another; what lies outside the data is left out."""
    part = data[begin:end]
    size = part.size
    hashed = u64(seed + PRIME5)
    if size >= 32:
        a, b, c, d = u64(seed + PRIME1 + PRIME2), u64(seed + PRIME2), seed, u64(seed - PRIME1)
        for start in range(0, size - 31, PIECE):
            piece = part[start : start + PIECE]
            whole = u32(piece.size - piece.size % 32)
            i = u32(0)
            while i < whole:
                a = stir(a, load_word(piece, i))
                b = stir(b, load_word(piece, u32(i + 8)))
                c = stir(c, load_word(piece, u32(i + 16)))
                d = stir(d, load_word(piece, u32(i + 24)))
                i = u32(i + 32)
        hashed = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)
        hashed = merge_lane(merge_lane(merge_lane(merge_lane(hashed, a), b), c), d)
    return avalanche(absorb_tail(u64(hashed + u64(size)), part[size - size % 32 :]))


@kernel
def absorb_tail(hashed: np.uint64, tail: Bytes) -> np.uint64:
    """Mix in the last bytes, fewer than 32: by 8, by 4, and one by one."""
    i = u32(0)
    while i + 8 <= tail.size:
        hashed = u64(rotate(hashed ^ stir(u64(0), load_word(tail, i)), 27) * PRIME1 + PRIME4)
        i = u32(i + 8)
    if i + 4 <= tail.size:
        half = u64(tail[i]) | u64(tail[i + 1]) << u64(8) | u64(tail[i + 2]) << u64(16) | u64(tail[i + 3]) << u64(24)
        hashed = u64(rotate(hashed ^ u64(half * PRIME1), 23) * PRIME2 + PRIME3)
        i = u32(i + 4)
    while i < tail.size:
        hashed = u64(rotate(hashed ^ u64(u64(tail[i]) * PRIME5), 11) * PRIME1)
        i = u32(i + 1)
    return hashed


@kernel
def rotate(word: np.uint64, bits: int) -> np.uint64:
    """Return a word with its bits moved up, and those that fall out put in below."""
    return word << u64(bits) | word >> u64(64 - bits)


@kernel
def stir(lane: np.uint64, word: np.uint64) -> np.uint64:
    """Return a lane after 8 more bytes."""
    return rotate(lane + word * PRIME2, 31) * PRIME1


@kernel
def merge_lane(hashed: np.uint64, lane: np.uint64) -> np.uint64:
    """Mix a lane into the hash."""
    return (hashed ^ stir(u64(0), lane)) * PRIME1 + PRIME4


@kernel
def avalanche(hashed: np.uint64) -> np.uint64:
    """Let every bit depend on every other."""
    hashed = (hashed ^ hashed >> u64(33)) * PRIME2
    hashed = (hashed ^ hashed >> u64(29)) * PRIME3
    return hashed ^ hashed >> u64(32)
