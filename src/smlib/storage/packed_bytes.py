"""Bytes one behind the other: joined and split, and compared and copied where they lie.

Keys and values that kernels work on lie in one array, and numbers say where each of them begins and ends. Positions are
unsigned 32-bit integers, see `smlib._core.words`.

Keys are in the order of their bytes, and a key comes before all that it begins. The first eight bytes of a key, read as
a number with the first byte highest, are in that order too: its *head*. Most keys differ there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.words import Bytes

# Interpreted code has Python's integers and compiled code those of 64 bits; arrays give out the latter in both.
Integer: TypeAlias = int | np.int64
Numbers: TypeAlias = NDArray[np.int64]

at, u64 = np.uint32, np.uint64


def join(parts: Sequence[bytes]) -> tuple[Bytes, Numbers]:
    """Return bytes one behind the other, and where each begins, and the last one ends.

    >>> join([b"ape", b"", b"bee"])[1]
    array([0, 3, 3, 6])
    """
    ends = np.zeros(len(parts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)), out=ends[1:])
    return np.frombuffer(bytearray(b"".join(parts)), np.uint8), ends


def split(data: Bytes, ends: Numbers) -> list[bytes]:
    """Return the parts that were joined.

    >>> split(*join([b"ape", b"", b"bee"]))
    [b'ape', b'', b'bee']
    """
    size = int(ends[1]) if ends.size > 1 else 0
    if size and (np.diff(ends) == size).all():
        # NumPy cuts pieces of one size in half the time.
        return data[: ends[-1]].view(f"V{size}").tolist()  # type: ignore[no-any-return]  # as bytes
    joined, numbers = data.tobytes(), ends.tolist()
    return [joined[begin:end] for begin, end in pairwise(numbers)]


@kernel(borrows=True)
def load_big_word(data: Bytes, position: np.uint32) -> np.uint64:
    """Return the 8 bytes from a position on, the first one highest: as a number they are in the order of bytes."""
    return (
        (u64(data[position]) << u64(56))
        | (u64(data[position + 1]) << u64(48))
        | (u64(data[position + 2]) << u64(40))
        | (u64(data[position + 3]) << u64(32))
        | (u64(data[position + 4]) << u64(24))
        | (u64(data[position + 5]) << u64(16))
        | (u64(data[position + 6]) << u64(8))
        | u64(data[position + 7])
    )


@kernel(borrows=True)
def head_of(data: Bytes, begin: np.uint32, size: np.uint32) -> np.uint64:
    """Return the first 8 bytes of a key as a number, with zeros behind a shorter one; equal heads say nothing."""
    if size >= at(8):
        return load_big_word(data, begin)
    head = u64(0)
    for k in range(size):
        head |= u64(data[begin + at(k)]) << u64(56 - 8 * k)
    return head


@kernel(borrows=True)
def compare(memory: Bytes, a: np.uint32, a_size: np.uint32, keys: Bytes, b: np.uint32, b_size: np.uint32) -> Integer:
    """Return -1, 0 or 1 as the key in a page is less than, equal to or greater than another one, byte by byte."""
    shorter = min(a_size, b_size)
    k = at(0)
    while k + at(8) <= shorter:
        mine, other = load_big_word(memory, at(a + k)), load_big_word(keys, at(b + k))
        if mine != other:
            return -1 if mine < other else 1
        k = at(k + at(8))
    while k < shorter:
        x, y = memory[a + k], keys[b + k]
        if x != y:
            return -1 if x < y else 1
        k = at(k + at(1))
    if a_size == b_size:
        return 0
    return -1 if a_size < b_size else 1


@kernel(borrows=True)
def copy_bytes(source: Bytes, begin: np.uint32, target: Bytes, place: np.uint32, size: np.uint32) -> None:
    """Copy bytes between places that do not overlap."""
    for k in range(size):
        target[place + at(k)] = source[begin + at(k)]
