"""Masked checksums: the CRC-32C of bytes, changed so that it may lie among bytes that are themselves checked.

A CRC over data that ends with their own CRC is the same whatever the data are, and so proves nothing. Who puts
checksums into what others take checksums of (a log kept as a value in a store, say) must store something else: here the
sum is rotated by 15 bits, and a constant is added. By hand: the checksum 00000000 is stored as a282ead8.

Google, *Snappy framing format description* (2013), section 3, and LevelDB's *Log format* and *Table format*.
"""

from __future__ import annotations

import numpy as np

from smlib._core.hashing import extend_crc32c
from smlib._core.kernel import kernel
from smlib._core.words import Bytes

u64 = np.uint64
ALL_ONES = u64(0xFFFFFFFF)
MASK = u64(0xA282EAD8)


@kernel(borrows=True)
def masked_checksum(data: Bytes) -> np.uint64:
    """Return the CRC-32C of bytes as it is stored."""
    return masked(extend_crc32c(data, ALL_ONES) ^ ALL_ONES)


@kernel(borrows=True)
def masked(checksum: np.uint64) -> np.uint64:
    """Return a checksum as it is stored."""
    return u64((checksum >> u64(15) | checksum << u64(17)) + MASK) & ALL_ONES


@kernel(borrows=True)
def unmasked(stored: np.uint64) -> np.uint64:
    """Return the checksum that is stored as this."""
    rotated = u64(stored - MASK) & ALL_ONES
    return (rotated >> u64(17) | rotated << u64(15)) & ALL_ONES
