"""Who meets whom in which band: a hash table a band, and in each of its slots a chain of documents.

A table of a band holds the *last* document that has a key, and each document knows the one before it with the same key.
So to add a document is to put it at the head of a chain, and to look one up is to follow a chain. Keys are looked for
from the slot that their low bits name, onwards until they are found or a slot is free (open addressing)::

    slots   . 5 . . 2 . .         documents 5, 3 and 0 have the same key in this band, 2 another one
              |
    links     5 -> 3 -> 0

A pair may meet in many bands. It is told in the first one only: before it is told, the bands before are compared. For
that nothing needs to be remembered.

Invariants:
  1. A table has a power of two of slots, and at least as many as there are documents again stay free: a search ends.
  2. Along a chain the numbers of documents fall.

Cost: O(1) expected time for a document and a band, if keys are well mixed, and O(bands) at most for a pair that meets.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib.mining.locality_sensitive_hashing.banding import BandKeys

Numbers: TypeAlias = NDArray[np.int32]
Pairs: TypeAlias = NDArray[np.int64]

u64 = np.uint64
NOBODY = -1


def slots_for(documents: int) -> int:
    """Return how many slots a table of so many documents has: a power of two, twice as many or more."""
    return 1 << (2 * max(documents, 4) - 1).bit_length()


def candidate_pairs(keys: BandKeys) -> Pairs:
    """Return all pairs of documents that agree in some band, each once: shape (pairs, 2), the smaller number first."""
    bands, documents = keys.shape
    slots, links = np.empty(slots_for(documents), np.int32), np.empty(documents, np.int32)
    pairs = np.empty((max(documents, 1), 2), np.int64)
    found = []
    for band in range(bands):
        slots.fill(NOBODY)
        link(keys[band], 0, documents, slots, links)
        count = tell_pairs(keys, band, links, pairs)
        if count > len(pairs):
            pairs = np.empty((count, 2), np.int64)
            tell_pairs(keys, band, links, pairs)
        found.append(pairs[:count].copy())
    return np.concatenate(found)


@kernel
def link(column: BandKeys, first: int, last: int, slots: Numbers, links: Numbers) -> None:
    """Put documents at the heads of their chains in a band: those from the first to before the last."""
    for d in range(first, last):
        slot = find_slot(slots, column, column[d])
        links[d] = slots[slot]
        slots[slot] = d


@kernel
def find_slot(slots: Numbers, column: BandKeys, key: np.uint64) -> np.uint64:
    """Return the slot that leads to the documents with a key, or the free one where it would be."""
    mask = u64(slots.size - 1)
    slot = key & mask
    while slots[slot] != NOBODY and column[slots[slot]] != key:
        slot = (slot + u64(1)) & mask
    return slot


@kernel
def tell_pairs(keys: BandKeys, band: int, links: Numbers, pairs: Pairs) -> int:
    """Write the pairs that meet in a band and in none before, as far as there is room; return how many there are."""
    count = 0
    for d in range(links.size):
        c = links[d]
        while c != NOBODY:
            if not met_before(keys, band, c, d):
                if count < len(pairs):
                    pairs[count, 0], pairs[count, 1] = c, d
                count += 1
            c = links[c]
    return count


@kernel
def met_before(keys: BandKeys, band: int, c: int, d: int) -> bool:
    """Answer whether two documents agree in a band before this one."""
    earlier = 0
    while earlier < band and keys[earlier, c] != keys[earlier, d]:
        earlier += 1
    return earlier < band


@kernel
def link_all(keys: BandKeys, first: int, last: int, slots: Numbers, links: Numbers) -> None:
    """Put documents into the tables of all bands."""
    for band in range(len(keys)):
        link(keys[band], first, last, slots[band], links[band])


@kernel
def look_up(keys: BandKeys, slots: Numbers, links: Numbers, sought: BandKeys, found: Numbers) -> int:
    """Write the documents that agree with the keys sought in some band, each once; return how many there are."""
    count = 0
    for band in range(len(keys)):
        d = slots[band, find_slot(slots[band], keys[band], sought[band])]
        while d != NOBODY:
            earlier = 0
            while keys[earlier, d] != sought[earlier]:
                earlier += 1
            if earlier == band:
                if count < found.size:
                    found[count] = d
                count += 1
            d = links[band, d]
    return count
