"""A folder's files: what each is for, and what the manifest, the logs and the tables say, whole or damaged.

``CURRENT`` leads to the manifest, and that to the tables and the logs; what nothing leads to is waste. Where
``CURRENT`` is damaged, the newest manifest is taken; where an edit of the manifest makes no sense, the others count.

Cost: O(bytes of all files that are led to).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from smlib.errors import CorruptDataError, InputError, StorageError
from smlib.storage.filesystem import FileSystem
from smlib.storage.lsm.file_names import (
    CURRENT,
    INFO,
    LOCK,
    LOG,
    MANIFEST,
    OLD_TABLE,
    TABLE,
    file_name,
    parse_file_name,
    read_current,
)
from smlib.storage.lsm.internal_keys import MAX_SEQUENCE, sort_key, user_key
from smlib.storage.lsm.log_facts import LogFacts, ManifestFacts, read_log_facts, read_manifest_facts
from smlib.storage.lsm.manifest import COMPARATOR, FileFacts
from smlib.storage.lsm.table_facts import TableFacts, read_table

ASIDE = (LOCK, INFO, "LOG.old")
# What is left of `FileSystem.replace_contents`, if a crash came in between.
UNFINISHED = f"{CURRENT}.tmp"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file.

    Attributes
    ----------
    name, kind : str
        Kinds are "current", "manifest", "log", "table"; "aside" (whose store it is, and what LevelDB has to tell);
        "waste", to which nothing leads; and "foreign", which is no file of a store.
    size : int or None
        None if it was not asked, or is gone.
    """

    name: str
    kind: str
    size: int | None


@dataclass(frozen=True, slots=True)
class LevelTable:
    """A table that the manifest names.

    Attributes
    ----------
    level, number, size : int
        The size in bytes, as the manifest says.
    name : str
        Of the file.
    smallest, largest : bytes
        The first and the last key, as the manifest says.
    entries, deletions, blocks, compressed : int
        How many of them could be read, and of the blocks, how many are compressed.
    bits_per_key : float or None
        Of the filters; None if there are none, or not all keys are known.
    probes : int or None
        How many of these bits are looked at for a key.
    """

    level: int
    number: int
    size: int
    name: str
    smallest: bytes
    largest: bytes
    entries: int
    deletions: int
    blocks: int
    compressed: int
    bits_per_key: float | None
    probes: int | None


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """A level that has tables.

    Attributes
    ----------
    level, tables, size, entries : int
        The size in bytes.
    smallest, largest : bytes
        The first and the last key.
    """

    level: int
    tables: int
    size: int
    entries: int
    smallest: bytes
    largest: bytes


@dataclass(slots=True)
class FolderFacts:
    """A folder.

    Attributes
    ----------
    path : str
    files : list of NamedFile
    manifest : ManifestFacts or None
        None if there is none.
    logs : list of LogFacts
        Those whose changes are in no table, the oldest first.
    levels : list of LevelFacts
    tables : list of LevelTable
        Level by level, the newest first in level 0, and by their keys in the others.
    damaged : dict
        What is wrong, each with its byte, by name of the file.
    """

    path: str
    files: list[NamedFile] = field(default_factory=list)
    manifest: ManifestFacts | None = None
    logs: list[LogFacts] = field(default_factory=list)
    levels: list[LevelFacts] = field(default_factory=list)
    tables: list[LevelTable] = field(default_factory=list)
    damaged: dict[str, list[str]] = field(default_factory=dict)

    def note(self, name: str, *wrong: str) -> None:
        """Write down what is wrong with a file."""
        if wrong:
            self.damaged.setdefault(name, []).extend(wrong)


def read_small_files(disk: FileSystem, folder: str) -> FolderFacts:
    """Return what the manifest and the logs of a folder say, and what each file is for.

    Raises
    ------
    InputError
        The keys are in another order than that of bytes.
    StorageError
        There is no ``CURRENT``, or the disk refuses.
    """
    facts = FolderFacts(folder)
    manifest = find_manifest(disk, facts)
    names = disk.list_directory(folder)
    if manifest in names:
        facts.manifest = read_manifest_facts(disk, os.path.join(folder, manifest))
        facts.note(manifest, *facts.manifest.damage)
        if facts.manifest.comparator not in (None, COMPARATOR):
            raise InputError(
                f"{facts.manifest.path}: the keys of this store are in the order {facts.manifest.comparator!r}; only "
                f"stores of {COMPARATOR!r} can be read"
            )
        read_logs(disk, facts, facts.manifest, names)
    kinds = kinds_of(facts, manifest, names)
    for name in names:
        kind = kinds.get(name) or ("waste" if parse_file_name(name) or name == UNFINISHED else "foreign")
        size = None if kind == "foreign" else size_of(disk, os.path.join(folder, name))
        facts.files.append(NamedFile(name, kind, size))
    return facts


def find_manifest(disk: FileSystem, facts: FolderFacts) -> str:
    """Return the name of the manifest that counts, or the newest one if that cannot be known."""
    try:
        return file_name(read_current(disk, facts.path), MANIFEST)
    except CorruptDataError as error:
        facts.note(CURRENT, str(error).removeprefix(f"{os.path.join(facts.path, CURRENT)}, "))
    names = map(parse_file_name, disk.list_directory(facts.path))
    return file_name(max((name.number for name in names if name and name.kind == MANIFEST), default=0), MANIFEST)


def kinds_of(facts: FolderFacts, manifest: str, names: list[str]) -> dict[str, str]:
    """Return what the files are for that something leads to."""
    levels = facts.manifest.tables.values() if facts.manifest else ()
    return {
        CURRENT: "current",
        **dict.fromkeys(ASIDE, "aside"),
        manifest: "manifest",
        **{os.path.basename(log.path): "log" for log in facts.logs},
        **{name_of(number, names): "table" for tables in levels for number in tables},
    }


def name_of(number: int, names: Collection[str]) -> str:
    """Return the name of a table: the one of LevelDB's first versions if the file is called so."""
    name, old = file_name(number, TABLE), file_name(number, OLD_TABLE)
    return old if old in names and name not in names else name


def size_of(disk: FileSystem, path: str) -> int | None:
    """Return the size of a file, or None if it is not there."""
    try:
        with disk.open(path, readonly=True) as file:
            return file.size()
    except StorageError:
        return None


def read_logs(disk: FileSystem, facts: FolderFacts, manifest: ManifestFacts, names: list[str]) -> None:
    """Read the logs whose changes are in no table; each must go on where the one before ended."""
    last = -1
    parsed = [(found.number, name) for name in names if (found := parse_file_name(name)) and found.kind == LOG]
    if manifest.log_number and manifest.log_number not in dict(parsed):
        facts.note(
            file_name(manifest.log_number, LOG),
            "byte 0: the log is not there, and the manifest says that it is; or the last edit of the manifest is lost",
        )
    for number, name in sorted(parsed):
        if number < (manifest.log_number or 0) and number != manifest.previous_log_number:
            continue
        log = read_log_facts(disk, os.path.join(facts.path, name))
        facts.logs.append(log)
        facts.note(name, *log.damage)
        if log.first_sequence is None or log.last_sequence is None:
            continue
        if log.first_sequence <= last:
            facts.note(
                name, f"byte 0: its changes begin with number {log.first_sequence}, and the log before ends with {last}"
            )
        last = log.last_sequence


def read_tables(disk: FileSystem, facts: FolderFacts) -> None:
    """Read the tables that the manifest names."""
    if facts.manifest is None:
        return
    names = {file.name for file in facts.files}
    for level, tables in sorted(facts.manifest.tables.items()):
        rows: list[LevelTable] = []
        for said in sorted(tables.values(), key=order_in(level)):
            rows.append(read_level_table(disk, facts, level, said, names))
            if level and len(rows) > 1 and rows[-2].largest >= rows[-1].smallest:
                facts.note(
                    rows[-1].name,
                    f"byte 0: its keys begin before those of table {rows[-2].number} end, which lies before it "
                    f"(invariant 1)",
                )
        if rows:
            facts.tables += rows
            facts.levels.append(
                LevelFacts(
                    level,
                    len(rows),
                    sum(row.size for row in rows),
                    sum(row.entries for row in rows),
                    min(row.smallest for row in rows),
                    max(row.largest for row in rows),
                )
            )


def order_in(level: int) -> Callable[[FileFacts], tuple[bytes, int]]:
    """Return the order of tables: level 0 begins with the newest."""
    return (lambda said: sort_key(said.smallest)) if level else (lambda said: (b"", -said.number))


def read_level_table(disk: FileSystem, facts: FolderFacts, level: int, said: FileFacts, names: set[str]) -> LevelTable:
    """Return what the manifest and its file say of a table."""
    name, last = name_of(said.number, names), MAX_SEQUENCE
    if facts.manifest is not None and facts.manifest.last_sequence is not None:
        last = facts.manifest.last_sequence
    if name in names:
        with disk.open(os.path.join(facts.path, name), readonly=True) as file:
            found = read_table(file, said, last)
    else:
        found = TableFacts(name, 0, damage=["byte 0: the file is not there, and the manifest says that it is"])
    facts.note(name, *found.damage)
    return LevelTable(
        level,
        said.number,
        said.size,
        name,
        user_key(said.smallest),
        user_key(said.largest),
        found.entries,
        found.deletions,
        len(found.blocks),
        found.compressed,
        found.bits_per_key,
        found.filters.probes if found.filters else None,
    )
