"""The memtable: what was written since the last flush, in memory, and in no order until somebody asks for it.

Most keys are written and not walked over before they are flushed, so keeping them in order all the time would be work
for nothing. A dict takes a key in a tenth of the time that a tree or a skip list takes. Who walks over a part of it
pays for the sort, and the next one only for the keys that came since::

    put "cow", put "ape", put "bee"       newest   {cow: 1, ape: 2, bee: 3}       sorted when wanted:  ape bee cow
    put "ape" again                       newest   {cow: 1, ape: 4, bee: 3}       the same keys, still sorted

A key that was taken out stands there too, with None, for it hides what tables say about it.

Of a key that is written again only the newest value is kept, unless a snapshot looks at the time before. Then it is
written down what there was *before* which change, and a reader as of some time takes what there was before the first
change that is newer::

    change 7 puts "ape" = 1; a snapshot is taken; changes 8 and 9 put 2 and 3
    newest   {ape: 3}      before   {ape: [(8, 1), (9, 2)]}          as of 7: what was there before change 8, which is 1

Invariants:
  1. ``newest`` has of each key the value of the last change.
  2. What a key had as of a sequence number that somebody has held since then, can be found.
  3. Keys only become more.

Cost: O(1) to put and to find; O(n log n) to sort n keys, O(n) when few have come since.

O'Neil et al., "The Log-Structured Merge-Tree (LSM-Tree)", *Acta Informatica* 33 (1996), for the tree in memory; Petrov,
*Database Internals*, chapter 7.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from itertools import islice
from typing import Literal, TypeAlias

import numpy as np

from smlib.storage.lsm.entries import Entries, pack
from smlib.storage.lsm.internal_keys import VALUE

# What there is of a key: a value, None if it was taken out, and False if nobody has said anything about it.
Content: TypeAlias = "bytes | Literal[False] | None"


class Memtable:
    """Keys with their values, and what some of them were before.

    Attributes
    ----------
    newest : dict
        Of each key its value, or None if it was taken out.
    before : dict
        Of some keys a list of the changes since somebody holds an older state: the number of each, and what there was
        before it.

    Examples
    --------
    >>> table = Memtable()
    >>> table.put(b"ape", 7, b"one", held=-1)
    >>> table.put(b"ape", 8, b"two", held=7)
    >>> table.find(b"ape", 8), table.find(b"ape", 7), table.find(b"bee", 8)
    (b'two', b'one', False)
    """

    __slots__ = ("_sorted", "before", "newest")

    def __init__(self) -> None:
        self.newest: dict[bytes, bytes | None] = {}
        self.before: dict[bytes, list[tuple[int, Content]]] = {}
        self._sorted: list[bytes] = []

    def put(self, key: bytes, sequence: int, value: bytes | None, held: int) -> None:
        """Put a value, or None, by a change; somebody holds the state of ``held``, or nobody does if it is -1."""
        if held >= 0:
            self._keep(key, sequence, held)
        self.newest[key] = value

    def put_many(self, puts: dict[bytes, bytes], removals: Collection[bytes], first: int, held: int) -> None:
        """Put values and take keys out by changes that are numbered from one on."""
        if held >= 0:
            for sequence, key in enumerate([*puts, *removals], first):
                self._keep(key, sequence, held)
        # In one step: others may be reading.
        self.newest.update({**puts, **dict.fromkeys(removals)} if removals else puts)

    def _keep(self, key: bytes, sequence: int, held: int) -> None:
        """Write down what there is before a change, if somebody may ask for it."""
        changes = self.before.setdefault(key, [])
        if not changes or changes[-1][0] <= held:
            changes.append((sequence, self.newest.get(key, False)))

    def find(self, key: bytes, sequence: int) -> Content:
        """Return what there is of a key as of a sequence number."""
        for changed, content in self.before.get(key, ()):
            if changed > sequence:
                return content
        return self.newest.get(key, False)

    def keys(self) -> list[bytes]:
        """Return all keys in order."""
        if len(self._sorted) < len(self.newest):
            # A dict gives out its keys as they came.
            self._sorted += islice(self.newest, len(self._sorted), None)
            self._sorted.sort()
        return self._sorted

    def entries(
        self, sequence: int, start: bytes, stop: bytes | None, *, reverse: bool, most: int | None
    ) -> tuple[Entries, bytes | None]:
        """Return the first entries of an interval as of a sequence number, in order, and where the others begin.

        If one walks backwards: where they end. None if there are no others. All are tagged with the sequence number,
        for they are newer than what is in tables.
        """
        keys = self.keys()
        low, high = bisect_left(keys, start), len(keys) if stop is None else bisect_left(keys, stop)
        rest = None
        if most is not None and high - low > most:
            if reverse:
                low = high - most
                rest = keys[low]
            else:
                high = low + most
                rest = keys[high]
        part = keys[low:high]
        if self.before:
            found = [(key, content) for key in part if (content := self.find(key, sequence)) is not False]
            part, values = [key for key, _ in found], [value for _, value in found]
        else:
            values = list(map(self.newest.__getitem__, part))
        kinds = np.full(len(part), sequence << 8 | VALUE, np.uint64)
        if None in values:
            kinds -= np.fromiter((value is None for value in values), np.uint64, len(values))
            values = [value or b"" for value in values]
        return pack(part, kinds, values), rest  # type: ignore[arg-type]  # None is none of them any more
