"""Versions: the tables that there are at some time, and in which of them a key may be.

Tables lie in *levels*. Those of level 0 come from flushes, and each may have any key; where two have the same, the one
with the higher number is newer. In each of the other levels the tables lie one behind the other, so that a key is in
one of them at most. And what lies in a level is newer than what lies below it::

    level 0    [ ape ......... yak ]   [ bee ....... zebu ]          a flush each, the newest first
    level 1    [ ant .. cow ] [ doe .. hen ] [ ibis .. wolf ]        one behind the other
    level 2    ...

So a key is looked for in level 0, table by table, then in one table of each level, and the first answer is right.

A version never changes. A flush or a merge makes the next one, and who still reads the old one keeps its tables: their
files have lost their names by then, and are there as long as somebody has them open.

Invariants:
  1. In level 0 tables lie by their numbers, the newest first; below, by their keys, and no two have a key between the
     smallest and the largest one of both.
  2. Each table's file is as long as the manifest says, and its first and last key are those that the manifest says.
  3. All sequence numbers in tables are at most the one of the state.

Cost: O(tables of level 0 + levels * log(tables)) to find where a key may be.

O'Neil et al., "The Log-Structured Merge-Tree (LSM-Tree)", *Acta Informatica* 33 (1996); Ghemawat & Dean, *LevelDB*
(2011), "Implementation notes".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from smlib.errors import CorruptDataError
from smlib.storage.filesystem import FileSystem, PathLike
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.directory import Signposts, join_directories
from smlib.storage.lsm.entries import Entries
from smlib.storage.lsm.file_names import OLD_TABLE, TABLE, path_of
from smlib.storage.lsm.internal_keys import user_key
from smlib.storage.lsm.lookups import Find, find_in_tables
from smlib.storage.lsm.manifest import LEVELS, FileFacts
from smlib.storage.lsm.tables import MOST_AT_ONCE, Table


class TableFile(NamedTuple):
    """A table that is open, and what the manifest says of it.

    Attributes
    ----------
    table : Table
    facts : FileFacts
    smallest, largest : bytes
        The first and the last of its keys.
    """

    table: Table
    facts: FileFacts
    smallest: bytes
    largest: bytes


class Version:
    """The tables of a state.

    Attributes
    ----------
    levels : tuple of tuple of TableFile
        Level 0 newest first, the others in the order of their keys.
    find : callable or None
        What finds a key's newest version (see `lookups`), if somebody has looked for one.
    """

    __slots__ = ("find", "levels")

    def __init__(self, levels: Iterable[Iterable[TableFile]]) -> None:
        newest_first, *others = levels
        self.levels = (
            tuple(sorted(newest_first, key=lambda file: -file.facts.number)),
            *(tuple(sorted(files, key=lambda file: file.smallest)) for files in others),
        )
        self.find: Find | None = None

    @property
    def files(self) -> list[TableFile]:
        """All tables."""
        return [file for level in self.levels for file in level]

    @property
    def runs(self) -> list[tuple[TableFile, ...]]:
        """Tables that lie one behind the other, the newest first: those of level 0 alone, then each other level."""
        first, *others = self.levels
        return [*((file,) for file in first), *(files for files in others if files)]

    def lay_directory(self) -> Find:
        """Lay out how keys are found, when the first one is looked for."""
        runs = self.runs
        directory = join_directories(
            [[Signposts(file.table.directory, file.facts.smallest, file.facts.largest) for file in run] for run in runs]
        )
        self.find = find_in_tables(directory, [file.table for run in runs for file in run])
        return self.find

    def streams(self, start: bytes, stop: bytes | None, reverse: bool) -> list[Iterator[Entries]]:
        """Return of all tables what lies in an interval, the newest first; each level below 0 is one stream."""
        kept = [
            [file for file in run if start <= file.largest and (stop is None or file.smallest < stop)]
            for run in self.runs
        ]
        return [walk_run(run, start, stop, reverse) for run in kept if run]

    def check(self, last_sequence: int) -> int:
        """Prove all invariants, table by table and block by block; return how many entries there are."""
        for level in self.levels[1:]:
            for one, other in pairwise(level):
                if one.largest >= other.smallest:
                    raise CorruptDataError(
                        f"{other.table.file.path}, byte 0: its keys begin before those of table {one.facts.number} "
                        f"end, which lies before it (invariant 1)"
                    )
        return sum(check_table(file, last_sequence) for file in self.files)


def walk_run(run: list[TableFile], start: bytes, stop: bytes | None, reverse: bool) -> Iterator[Entries]:
    """Yield what lies in an interval in tables that lie one behind the other."""
    if reverse:
        for k, file in enumerate(reversed(run)):
            yield from file.table.backwards(stop, MOST_AT_ONCE if k else 1)
    else:
        for k, file in enumerate(run):
            yield from file.table.forwards(start, MOST_AT_ONCE if k else 1)


def check_table(file: TableFile, last_sequence: int) -> int:
    """Prove a table, and that it is the one that the manifest speaks of."""
    table, facts = file.table, file.facts
    proved = table.verify()
    if (proved.smallest, proved.largest) != (facts.smallest, facts.largest):
        raise CorruptDataError(
            f"{table.file.path}, byte 0: its keys are not those that the manifest says (invariant 2)"
        )
    if proved.newest > last_sequence:
        raise CorruptDataError(
            f"{table.file.path}, byte 0: it has change {proved.newest}, and the last one was {last_sequence} "
            f"(invariant 3)"
        )
    return proved.entries


def open_version(
    filesystem: FileSystem, folder: PathLike, files: dict[int, dict[int, FileFacts]], cache: BlockCache
) -> Version:
    """Open all tables of a manifest.

    Raises
    ------
    CorruptDataError
        One is not there, or damaged, or not as long as the manifest says.
    """
    return Version(
        [open_table(filesystem, folder, facts, cache) for facts in files.get(level, {}).values()]
        for level in range(LEVELS)
    )


def open_table(filesystem: FileSystem, folder: PathLike, facts: FileFacts, cache: BlockCache) -> TableFile:
    """Open a table, by its name of today or the one of LevelDB's first versions."""
    path = path_of(folder, facts.number, TABLE)
    if not filesystem.exists(path):
        old = path_of(folder, facts.number, OLD_TABLE)
        if not filesystem.exists(old):
            raise CorruptDataError(f"{path}, byte 0: the file is not there, and the manifest says that it is")
        path = old
    file = filesystem.open(path, readonly=True)
    try:
        if file.size() != facts.size:
            raise CorruptDataError(
                f"{path}, byte {min(file.size(), facts.size)}: the file has {file.size()} bytes, and the manifest says "
                f"{facts.size} (invariant 2)"
            )
        table = Table(file, facts.number, facts.size, cache)
    except BaseException:
        file.close()
        raise
    return TableFile(table, facts, user_key(facts.smallest), user_key(facts.largest))
