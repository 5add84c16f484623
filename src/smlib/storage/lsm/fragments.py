"""Fragments: what a log's records are written in, and the scan that puts the records together again.

A fragment lies within one block of 32,768 bytes: a header of 7 bytes, and the bytes that it carries. It is *whole* if
it lies within its block and the data, and the checksum is that of the kind and the bytes::

    .. .. .. .. | .. .. | .. | ...
    checksum      size    kind  bytes          of all numbers the lowest byte comes first

By hand: a full record of the byte "a" is ``b5 cd 0b a2 | 01 00 | 01 | 61``, for the CRC-32C of ``01 61`` is 716effc4;
rotated by 15 bits that is ff88e2dd, and with a282ead8 added, modulo 2^32, a20bcdb5.

The scan proves fragment after fragment and copies what they carry to one place, so that a record is a slice of that, in
however many fragments it was. It stops before a record of which not all is there.

Google, *LevelDB log format*.
"""

from __future__ import annotations

import numpy as np

from smlib._core.hashing import extend_crc32c
from smlib._core.kernel import kernel
from smlib._core.simd import CRC32C_OF_BYTE
from smlib._core.words import Bytes
from smlib.storage.lsm.checksums import ALL_ONES, masked, masked_checksum
from smlib.storage.packed_bytes import Integer, Numbers

BLOCK = 1 << 15
# The header, and where in it the size and the kind stand.
HEADER, SIZE, KIND = 7, 4, 6
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
# Why a scan stopped: the data end; or there is a fragment (or what should be zeros) that is not whole, or a whole one
# of an unknown kind, or one that cannot stand where it is.
ENDED, BROKEN, UNKNOWN, MISPLACED = 0, 1, 2, 3

u64 = np.uint64


@kernel(brief=True)
def header_of(payload: bytes, kind: int) -> int:
    """Return the header of a fragment, as the number that its 7 bytes make."""
    register = extend_crc32c(np.frombuffer(payload, np.uint8), register_after(u64(kind)))
    return masked(register ^ ALL_ONES) | u64(len(payload)) << u64(8 * SIZE) | u64(kind) << u64(8 * KIND)  # type: ignore[return-value]  # a number of Python's when compiled


@kernel(borrows=True)
def register_after(byte: np.uint64) -> np.uint64:
    """Return the register of a CRC-32C after one byte; see `extend_crc32c`."""
    return (ALL_ONES >> u64(8)) ^ u64(CRC32C_OF_BYTE[(ALL_ONES ^ byte) & u64(255)])


@kernel(borrows=True)
def size_of(data: Bytes, place: Integer) -> Integer:
    """Return how many bytes the fragment at a place claims to carry; its header must lie within the data."""
    return np.int64(data[place + SIZE]) | np.int64(data[place + SIZE + 1]) << 8


@kernel(borrows=True)
def stored_checksum(data: Bytes, place: Integer) -> np.uint64:
    """Return the checksum of the fragment at a place, masked; its header must lie within the data."""
    return (
        u64(data[place])
        | u64(data[place + 1]) << u64(8)
        | u64(data[place + 2]) << u64(16)
        | u64(data[place + 3]) << u64(24)
    )


@kernel(borrows=True)
def fragment_end(data: Bytes, place: Integer) -> Integer:
    """Return where the fragment at a place ends, or -1 if it is not whole. The data begin where a block does."""
    if place + HEADER > data.size:
        return -1
    end = place + HEADER + size_of(data, place)
    if end > data.size or place % BLOCK + (end - place) > BLOCK:
        return -1
    return end if masked_checksum(data[place + KIND : end]) == stored_checksum(data, place) else -1


@kernel(borrows=True)
def scan_fragments(
    data: Bytes, place: Integer, payloads: Bytes, offsets: Numbers, ends: Numbers, payload_ends: Numbers
) -> tuple[Integer, Integer, Integer, Integer]:
    """Put together the records from a place on, up to the end of the data or something that is not whole.

    Parameters
    ----------
    data : ndarray of uint8
        They begin where a block does, and end where one does or where the file does.
    place : int
        Where a record begins, or the zeros before it.
    payloads : ndarray of uint8
        As large as the data; here come the bytes of the records, one behind the other.
    offsets, ends, payload_ends : ndarray of int64
        With an entry for each 7 bytes of data: where records begin and end, and their bytes end in ``payloads``.

    Returns
    -------
    found, resume, stopped, why : int
        How many records there are; where the scan has to begin when there is more data; where it stopped, and why.
    """
    found, used, first_used = 0, 0, 0
    first: Integer = -1
    why = ENDED
    while place < data.size:
        left = BLOCK - place % BLOCK
        if left < HEADER:
            rest = min(left, data.size - place)
            for k in range(rest):
                if data[place + k]:
                    why = BROKEN
            if why != ENDED:
                break
            place += rest
            continue
        end = fragment_end(data, place)
        if end < 0:
            why = BROKEN
            break
        kind = data[place + KIND]
        if kind < FULL or kind > LAST:
            why = UNKNOWN
            break
        if kind <= FIRST:
            # LevelDB once left first fragments without bytes behind.
            if first >= 0 and used > first_used:
                why = MISPLACED
                break
            first, first_used = place, used
        elif first < 0:
            why = MISPLACED
            break
        source, target = data[place + HEADER : end], payloads[used:]
        for k in range(source.size):
            target[k] = source[k]
        used += source.size
        place = end
        if kind in (FULL, LAST):
            offsets[found], ends[found], payload_ends[found] = first, end, used
            found += 1
            first = -1
    return found, first if first >= 0 else place, place, why
