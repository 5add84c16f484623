"""The block cache: the blocks that were wanted lately, in as many bytes as are allowed.

A block of a table costs a read of the file, and a proof that it is whole. Which blocks are wanted again soon nobody
knows, but what was wanted lately is a good guess. To keep all blocks in the order in which they were last wanted costs
more than to find one. It is enough to know which were wanted at all since one has last looked: the blocks stand in a
row, those that came first in front, and get a mark when they come and whenever they are wanted. When room is needed,
the first of the row goes; but if it is marked, it loses its mark and gets a *second chance* at the end of the row::

    row   A  B* C* D           E comes: A goes
          B* C* D  E*          F comes: B and C lose their marks, D goes
          E* F* B  C

One cache serves all tables of a tree, so that the busy ones have more of it. Each table has a *shelf* there, a list
with a place for each of its blocks: to look whether a block is there is to look at one place of a list.

Invariants:
  1. The sizes of the blocks, and 100 bytes each for their keeping, are not more than the capacity, unless there is one
     block only.
  2. A block that is on a shelf is in the row, once.

Cost: O(1) to get; O(1) to put, on average: each step of the row takes a mark away, or a block.

Readers of several threads may use it at the same time.

Corbató, "A paging experiment with the Multics system" (1968); Silberschatz, Galvin & Gagne, *Operating System
Concepts*, section 10.4.5.
"""

from __future__ import annotations

import threading
from collections import deque

from smlib._core.validate import as_count

# What the keeping of a block takes, besides its bytes.
KEEPING = 100


class Shelf:
    """The blocks of a table that are in the cache.

    Attributes
    ----------
    blocks : list of (bytes or None)
        Those that are there, by their number in the table.
    wanted : bytearray
        Of each the mark: 1 if it was wanted since the cache has last looked.
    """

    __slots__ = ("blocks", "wanted")

    def __init__(self, blocks: int) -> None:
        self.blocks: list[bytes | None] = [None] * blocks
        self.wanted = bytearray(blocks)


class BlockCache:
    """Shelves of blocks that have a size together.

    Parameters
    ----------
    capacity : int
        In bytes.

    Attributes
    ----------
    capacity : int
    size : int
        How many bytes the blocks take now.

    Examples
    --------
    >>> cache, shelf = BlockCache(1000), Shelf(3)
    >>> for number in range(3):
    ...     cache.put(shelf, number, bytes(400))
    >>> [block is not None for block in shelf.blocks]
    [False, True, True]
    """

    __slots__ = ("_mutex", "_row", "capacity", "size")

    def __init__(self, capacity: int) -> None:
        self.capacity = as_count(capacity, "capacity")
        self.size = 0
        self._row: deque[tuple[Shelf, int]] = deque()
        self._mutex = threading.Lock()

    def put(self, shelf: Shelf, number: int, block: bytes) -> None:
        """Put a block on a shelf, and take others away for it."""
        with self._mutex:
            if shelf.blocks[number] is not None:
                # Another thread has wanted it at the same time.
                return
            shelf.blocks[number], shelf.wanted[number] = block, 1
            self.size += len(block) + KEEPING
            self._row.append((shelf, number))
            while self.size > self.capacity and len(self._row) > 1:
                first, place = self._row.popleft()
                if first.wanted[place]:
                    first.wanted[place] = 0
                    self._row.append((first, place))
                else:
                    self._take(first, place)

    def discard(self, shelf: Shelf) -> None:
        """Take all blocks of a shelf away; O(blocks in the cache)."""
        with self._mutex:
            for number, block in enumerate(shelf.blocks):
                if block is not None:
                    self._take(shelf, number)
            self._row = deque(place for place in self._row if place[0] is not shelf)

    def _take(self, shelf: Shelf, number: int) -> None:
        block = shelf.blocks[number]
        shelf.blocks[number] = None
        self.size -= 0 if block is None else len(block) + KEEPING

    def __len__(self) -> int:
        return len(self._row)
