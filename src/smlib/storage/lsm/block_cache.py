"""The block cache: the blocks that were wanted lately, in as many bytes as are allowed.

A block of a table costs a read of the file, and a proof that it is whole. Which blocks are wanted again soon nobody
knows, but what was wanted lately is a good guess. So the cache keeps its blocks in the order in which they were last
wanted; when a new one makes it too large, those go that were not wanted for longest (*least recently used*)::

    room for 3 blocks       A B C         get A ->  B C A         put D ->  C A D         (B is gone)

As long as half of the room is free, blocks stay in the order in which they came: to move one takes longer than to find
it. One cache serves all tables of a tree, so that the busy ones have more of it. A block is known by the number of its
file and its position there; file numbers are never used twice, so that what is in the cache can't be out of date.

Invariants:
  1. The sizes of the blocks, and 300 bytes each for their keeping, are not more than the capacity, unless there is one
     block only.
  2. A block that is given out was put in under the same file number and position.

Cost: O(1) to get and to put, on average.

Readers of several threads may use it at the same time.

Sleator & Tarjan, "Amortized efficiency of list update and paging rules", *Communications of the ACM* 28 (1985): it
misses at most k / (k - h + 1) times as often as the best choice with hindsight would in a cache of h blocks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress

from smlib._core.validate import as_count
from smlib.storage.lsm.stored_blocks import Block

# What the keeping of a block takes, besides its bytes.
KEEPING = 300

Place = tuple[int, int]


class BlockCache:
    """Blocks by file number and position, least recently used ones leaving first.

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
    >>> import numpy as np
    >>> cache, block = BlockCache(1500), (np.zeros(400, np.uint8), bytes(400))
    >>> cache.put((1, 0), block)
    >>> cache.put((1, 405), block)
    >>> cache.put((2, 0), block)
    >>> [cache.get(place) is not None for place in ((1, 0), (1, 405), (2, 0))]
    [False, True, True]
    """

    __slots__ = ("_blocks", "_crowded", "_mutex", "capacity", "size")

    def __init__(self, capacity: int) -> None:
        self.capacity = as_count(capacity, "capacity")
        self.size = 0
        # As long as half of the room is free, nobody asks who will leave first.
        self._crowded = self.capacity // 2
        self._blocks: OrderedDict[Place, Block] = OrderedDict()
        self._mutex = threading.Lock()

    def get(self, place: Place) -> Block | None:
        """Return a block, or None if it is not there."""
        block = self._blocks.get(place)
        if block is not None and self.size > self._crowded:
            # Another thread's block may just have taken its room.
            with suppress(KeyError):
                self._blocks.move_to_end(place)
        return block

    def put(self, place: Place, block: Block) -> None:
        """Keep a block, and give up others for it."""
        with self._mutex:
            old = self._blocks.pop(place, None)
            if old is not None:
                self.size -= len(old[1]) + KEEPING
            self._blocks[place] = block
            self.size += len(block[1]) + KEEPING
            while self.size > self.capacity and len(self._blocks) > 1:
                _, old = self._blocks.popitem(last=False)
                self.size -= len(old[1]) + KEEPING

    def discard(self, number: int) -> None:
        """Give up the blocks of a file, which is not there any more; O(blocks in the cache)."""
        with self._mutex:
            for place in [place for place in list(self._blocks) if place[0] == number]:
                self.size -= len(self._blocks.pop(place)[1]) + KEEPING

    def __len__(self) -> int:
        return len(self._blocks)
