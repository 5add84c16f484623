"""Compaction: many tables become few, without what nobody can find any more.

Each flush adds a table to level 0, and a key that is not in the memtable may be in any of them. So when there are too
many, they are merged with all that lies below them, into tables of about 2 MB that lie one behind the other. Of each
key the newest version stays, and a deletion has nothing left to hide, and goes.

When is that worth it? To merge all n bytes costs n, whatever is new. If one waits until level 0 has as many bytes as
lie below it, each byte is merged O(log n) times in all. But a look-up goes through level 0 table by table, so not more
than a dozen are left there. (Levels of growing size, of which a merge takes a part, are the way to have both. It would
be another answer of `choose`.)

Snapshots do not keep anything here: who holds a state has its tables open.

Cost: O(bytes of all tables), at the speed of `merging`; O(log n) times for each byte as long as a dozen flushes are
more than what there is.

O'Neil et al., "The Log-Structured Merge-Tree (LSM-Tree)", *Acta Informatica* 33 (1996); Sarkar et al., "Constructing
and Analyzing the LSM Compaction Design Space", *VLDB* (2021).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from smlib.storage.lsm.entries import Entries, concatenate, part_of
from smlib.storage.lsm.table_building import BuiltTable, build_table
from smlib.storage.lsm.versions import TableFile, Version
from smlib.storage.lsm.walking import merge_forwards

# So many tables in level 0 are worth a merge if they are large enough, and so many in any case.
FEWEST, MOST = 6, 12
# No block of a table begins behind this byte.
TABLE_SIZE = 2 << 20
# Entries of so many bytes are built into tables at once.
BUILT_AT_ONCE = 4 << 20


def choose(version: Version) -> list[TableFile]:
    """Return the tables that are to be merged: none, or all."""
    first, below = version.levels[0], [file for level in version.levels[1:] for file in level]
    heavy = size_of(first) >= size_of(below)
    return version.files if len(first) >= MOST or (len(first) >= FEWEST and heavy) else []


def size_of(files: list[TableFile] | tuple[TableFile, ...]) -> int:
    """Return how many bytes tables have."""
    return sum(file.facts.size for file in files)


def target_level(version: Version) -> int:
    """Return where the tables that come out of a merge of all belong: below all others."""
    return max([1, *(level for level, files in enumerate(version.levels) if files)])


def merge_tables(version: Version, **options: Any) -> Iterator[BuiltTable]:
    """Yield the tables that all tables of a version become; options are those of `build_table`."""
    sources = [chain.from_iterable(file.table.pieces() for file in run) for run in version.runs]
    waiting, size = list[Entries](), 0
    for entries in merge_forwards(sources):
        waiting.append(entries)
        size += size_of_entries(entries)
        while size >= BUILT_AT_ONCE:
            rest = concatenate(waiting)
            built = build_table(rest, size_limit=TABLE_SIZE, **options)
            waiting = [part_of(rest, built.next, rest.size)]
            size = size_of_entries(waiting[0])
            yield built
    rest = concatenate(waiting)
    while rest.size:
        built = build_table(rest, size_limit=TABLE_SIZE, **options)
        rest = part_of(rest, built.next, rest.size)
        yield built


def size_of_entries(entries: Entries) -> int:
    """Return how many bytes the keys and values of entries have."""
    return entries.keys.size + entries.values.size
