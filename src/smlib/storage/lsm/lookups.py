"""Looking a key up: which block may have it, the block from the cache or the file, the entry in the block.

The directory (see there) leads from block to block, newest tables first, and the first that has an entry of the key has
the answer. With filters of ten bits a key hardly a block is looked into in vain.

Cost: two calls of kernels, 1 microsecond in all, where the block is in the cache; else a read of it besides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from smlib._core.kernel import bind_types, kernel
from smlib._core.words import Bytes
from smlib.storage.lsm.blocks import seek
from smlib.storage.lsm.directory import BLOCK_BITS, Directory, locate
from smlib.storage.packed_bytes import Integer

if TYPE_CHECKING:
    from smlib.storage.lsm.tables import Table

# Of a key and a tag: the tag and the value of an entry, or None.
Find: TypeAlias = Callable[[bytes, int], tuple[int, bytes] | None]

BLOCK_MASK = (1 << BLOCK_BITS) - 1
SIZE_MASK = (1 << 32) - 1


@kernel(borrows=True, brief=True)
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


def find_in_tables(directory: Directory, tables: Sequence[Table]) -> Find:
    """Return a function that finds keys in some tables, which have their numbers in the directory.

    It takes a key and a tag, and returns the tag and the value of the newest entry of the key that is not before that
    tag, or None. (A function and not an object with a method: what it needs is at hand, and a key that is not there is
    found out in half a microsecond.)
    """
    ask, find_entry = bound()
    blocks, wanted = [table.shelf.blocks for table in tables], [table.shelf.wanted for table in tables]

    def find(key: bytes, tag: int) -> tuple[int, bytes] | None:
        code = ask(directory, key, tag, -1)
        while code >= 0:
            table, number = code >> BLOCK_BITS, code & BLOCK_MASK
            wanted[table][number] = 1
            block = blocks[table][number] or tables[table].load(number)
            place, found = find_entry(block, key, tag)
            if place >= 0:
                begin = place >> 32
                return found, block[begin : begin + (place & SIZE_MASK)]
            code = ask(directory, key, tag, table)
        return None

    return find
