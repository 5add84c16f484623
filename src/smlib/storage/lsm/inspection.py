"""A folder from outside: proved as a whole, or told file by file, with nobody's lock taken and nothing written.

So another process may write meanwhile. What the manifest and the logs say is believed if ``CURRENT`` and the manifest
are the same afterwards: then a table that counts cannot have been deleted in between, nor a log. And a commit may be on
its way into a log while that is read, which looks like damage. So whatever is wrong is looked at again, and counts if
the same is found twice.

Telling goes on where a file is damaged, without it and without what only it leads to.

Cost: O(bytes of all files), and to prove, to walk over all items.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from smlib.errors import CorruptDataError, InputError, StorageError
from smlib.storage.filesystem import FileSystem
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.file_names import CURRENT, LOG, MANIFEST, OLD_TABLE, TABLE, file_name, parse_file_name
from smlib.storage.lsm.folder_facts import FolderFacts, read_small_files, read_tables, size_of
from smlib.storage.lsm.log_facts import LogFacts, ManifestFacts, read_log_facts, read_manifest_facts
from smlib.storage.lsm.recovery import Recovered, recover
from smlib.storage.lsm.store import LSMState, LSMStore
from smlib.storage.lsm.table_facts import TableFacts, read_table

# How often a folder that others write is looked at.
TRIES = 8
# Of a log's records, how many are told one by one.
RECORDS_SHOWN = 20
# Names longer than this are no manifest's.
LONGEST_NAME = 100
# In bytes; what is proved is not looked at again.
SMALL_CACHE = 1 << 20

Found = TypeVar("Found")
AnyFacts: TypeAlias = ManifestFacts | LogFacts | TableFacts


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved.

    Attributes
    ----------
    items, entries : int
        How many items there are, and how many entries in the tables.
    tables, levels, logs : int
        How many there are; levels are counted if they have tables.
    last_sequence : int
    cut_off : tuple of str
        Logs and manifests that end in a record that is not whole.
    waste : tuple of str
        Files that nothing leads to.
    """

    items: int
    entries: int
    tables: int
    levels: int
    logs: int
    last_sequence: int
    cut_off: tuple[str, ...]
    waste: tuple[str, ...]


def is_store(folder: str) -> bool:
    """Return whether a folder is an LSM-tree's, whole or damaged."""
    return os.path.isfile(os.path.join(folder, CURRENT))


def check_folder(disk: FileSystem, folder: str) -> Proof:
    """Prove a store: its manifest, its logs, and its tables block by block, and that they fit together.

    Raises
    ------
    CorruptDataError
        Something is wrong; the message names the file and a byte.
    InputError
        The keys are in another order than that of bytes.
    StorageError
        There is no store, or the disk refuses, or others change it too fast.
    """

    def look() -> tuple[FolderFacts, Recovered]:
        facts = read_small_files(disk, folder)
        for name, wrong in facts.damaged.items():
            raise CorruptDataError(f"{os.path.join(folder, name)}, {wrong[0]}")
        return facts, recover(disk, folder, BlockCache(SMALL_CACHE))

    facts, found = certain(folder, lambda: (undisturbed(disk, folder, look), None))
    files = found.version.files
    try:
        for file in files:
            if not len(file.table.places):
                raise CorruptDataError(f"{file.table.file.path}, byte 0: the table has no block")
        entries = found.version.check(found.manifest.last_sequence)
        state = LSMState(found.sequence, found.memtable, found.version)
        items = LSMStore(disk, folder, BlockCache(SMALL_CACHE), state).count(state)
    finally:
        for file in files:
            file.table.file.close()
    levels = sum(map(bool, found.version.levels))
    ends = [log for log in (facts.manifest, *facts.logs) if log is not None and log.cut_off]
    return Proof(
        items,
        entries,
        len(files),
        levels,
        len(facts.logs),
        found.sequence,
        tuple(os.path.basename(log.path) for log in ends),
        tuple(file.name for file in facts.files if file.kind == "waste"),
    )


def inspect_folder(disk: FileSystem, folder: str) -> FolderFacts:
    """Return what can be known of a folder; raises as `check_folder` does, but for what is damaged."""

    def look() -> tuple[FolderFacts, object]:
        facts = undisturbed(disk, folder, lambda: read_small_files(disk, folder))
        read_tables(disk, facts)
        return facts, facts.damaged

    return certain(folder, look)


def inspect_file(disk: FileSystem, folder: str, name: str) -> AnyFacts:
    """Return what can be known of a file of a folder; InputError if there is none of that name, or nothing to know."""
    path = os.path.join(folder, name)
    if name not in disk.list_directory(folder):
        raise InputError(f"{path}: there is no such file; without --file you see which there are")
    parsed = parse_file_name(name)
    if parsed is None or parsed.kind not in (MANIFEST, LOG, TABLE, OLD_TABLE):
        raise InputError(f"{path}: this is no manifest, log or table; what is in others is not known here")

    def look() -> tuple[AnyFacts, object]:
        facts = read_any(disk, path, parsed.kind)
        return facts, facts.damage

    return certain(folder, look)


def read_any(disk: FileSystem, path: str, kind: str) -> AnyFacts:
    """Return what can be known of a file of some kind."""
    if kind == MANIFEST:
        return read_manifest_facts(disk, path)
    if kind == LOG:
        return read_log_facts(disk, path, RECORDS_SHOWN)
    with disk.open(path, readonly=True) as file:
        return read_table(file)


def certain(folder: str, look: Callable[[], tuple[Found, object]]) -> Found:
    """Return what a look finds, if nothing is wrong, or the same is wrong when it is taken again."""
    before: object = None
    for _ in range(TRIES):
        wrong: object
        try:
            found, wrong = look()
        except (CorruptDataError, StorageError) as error:
            wrong = str(error)
            if wrong == before:
                raise
        else:
            if not wrong or wrong == before:
                return found
        before = wrong
    raise restless(folder)


def undisturbed(disk: FileSystem, folder: str, look: Callable[[], Found]) -> Found:
    """Return what a look finds while ``CURRENT`` and the manifest stay as they are."""
    for _ in range(TRIES):
        before = stamp_of(disk, folder)
        found = look()
        if stamp_of(disk, folder) == before:
            return found
    raise restless(folder)


def stamp_of(disk: FileSystem, folder: str) -> tuple[bytes, int | None]:
    """Return what ``CURRENT`` says, and how long the manifest is that it names: every edit makes it longer."""
    with disk.open(os.path.join(folder, CURRENT), readonly=True) as file:
        text = file.read_at(0, LONGEST_NAME)
    name = parse_file_name(text[:-1].decode("latin-1"))
    if name is None or name.kind != MANIFEST:
        return text, None
    return text, size_of(disk, os.path.join(folder, file_name(name.number, MANIFEST)))


def restless(folder: str) -> StorageError:
    """Return the error of a folder that changes all the time."""
    return StorageError(f"{folder}: others change it faster than it can be read; try again when they rest")
