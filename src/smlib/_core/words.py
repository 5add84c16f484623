"""Eight bytes at a time, by plain indices: bounds checks see every one of them.

Positions are unsigned 32-bit integers. The compiler then knows that ``position + 1`` is the next byte and no
wrapped-around index, and makes one load (or one store) of the eight.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel

Bytes: TypeAlias = NDArray[np.uint8]

u8, u64 = np.uint8, np.uint64


@kernel
def load_word(data: Bytes, position: np.uint32) -> np.uint64:
    """Return the 8 bytes from a position on, the first one lowest"""
    return (
        u64(data[position])
        | (u64(data[position + 1]) << u64(8))
        | (u64(data[position + 2]) << u64(16))
        | (u64(data[position + 3]) << u64(24))
        | (u64(data[position + 4]) << u64(32))
        | (u64(data[position + 5]) << u64(40))
        | (u64(data[position + 6]) << u64(48))
        | (u64(data[position + 7]) << u64(56))
    )


@kernel
def store_word(data: Bytes, position: np.uint32, word: np.uint64) -> None:
    """Write 8 bytes from a position on, the lowest first"""
    data[position] = u8(word)
    data[position + 1] = u8(word >> u64(8))
    data[position + 2] = u8(word >> u64(16))
    data[position + 3] = u8(word >> u64(24))
    data[position + 4] = u8(word >> u64(32))
    data[position + 5] = u8(word >> u64(40))
    data[position + 6] = u8(word >> u64(48))
    data[position + 7] = u8(word >> u64(56))
