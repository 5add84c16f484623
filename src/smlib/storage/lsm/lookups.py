"""Looking a key up: which block may have it, the block from the cache or the file, the entry in the block.

The directory (see there) leads from block to block, newest tables first, and the first that has an entry of the key has
the answer. With filters of ten bits a key hardly a block is looked into in vain.

Cost: two calls of kernels, 1 microsecond in all, where the block is in the cache; else a read of it besides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from smlib._core.kernel import bind_types, kernel
from smlib._core.words import Bytes
from smlib.storage.lsm.blocks import seek
from smlib.storage.lsm.directory import BLOCK_BITS, Directory, locate
from smlib.storage.packed_bytes import Integer

if TYPE_CHECKING:
    from smlib.storage.lsm.tables import Table

BLOCK_MASK = (1 << BLOCK_BITS) - 1
SIZE_MASK = (1 << 32) - 1


@kernel(borrows=True)
def find_in_block(block: Bytes, key: Bytes, tag: np.uint64) -> tuple[Integer, np.uint64]:
    """Return the place of the value of a key's newest entry that is not before a tag, as `seek` does, and its tag."""
    place, found, same = seek(block, key, tag)
    return (place if same else np.int64(-1)), found


@cache
def bound() -> tuple[Callable[..., Any], ...]:
    """Return the kernels that look keys up, bound to their types."""
    words, numbers = np.empty(0, np.uint64), np.empty((0, 2), np.int64)
    directory = Directory(words, words, numbers, np.empty(0, np.uint8), numbers)
    return bind_types(locate, directory, b"", np.uint64(0), 1), bind_types(find_in_block, b"", b"", np.uint64(0))


class Lookup:
    """How keys are found in some tables.

    Parameters
    ----------
    directory : Directory
    tables : sequence of Table
        As they are numbered there.
    """

    __slots__ = ("_blocks", "_directory", "_find", "_locate", "_tables", "_wanted")

    def __init__(self, directory: Directory, tables: Sequence[Table]) -> None:
        self._directory = directory
        self._tables = tables
        self._blocks = [table.shelf.blocks for table in tables]
        self._wanted = [table.shelf.wanted for table in tables]
        self._locate, self._find = bound()

    def find(self, key: bytes, tag: int) -> tuple[int, bytes] | None:
        """Return the tag and the value of the newest entry of a key that is not before a tag, or None."""
        code = self._locate(self._directory, key, tag, -1)
        while code >= 0:
            table, number = code >> BLOCK_BITS, code & BLOCK_MASK
            block = self._blocks[table][number]
            if block is None:
                block = self._tables[table].load(number)
            self._wanted[table][number] = 1
            place, found = self._find(block, key, tag)
            if place >= 0:
                begin = place >> 32
                return found, block[begin : begin + (place & SIZE_MASK)]
            code = self._locate(self._directory, key, tag, table)
        return None
