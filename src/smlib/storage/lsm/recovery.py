"""Recovery: what a folder says, whoever left it, and however.

``CURRENT`` names the manifest, the manifest names the tables and the first log, and the logs have what is in no table
yet. A crash may have left more files than that: tables that were being written, a log whose changes are in a table by
now, a manifest that did not come to count. They are not looked at, and who writes next deletes them.

A log may end in a record that is not whole: the commit that was on its way. It is left out, as if it had not begun. And
where commits were not synced one by one, and the machine has crashed, a record may have lost a sector though others
follow: the log ends there, for the store goes on from what one commit has left, and from no later ones without it.

Invariants:
  1. What is found is the state of a commit, and every commit that was promised to be on disk is in it.
  2. Nothing is changed by looking.
  3. The log that the manifest names is there, and so are its tables. It names the log before that one, or tables that
     were merged, only if its last edit has been lost, and is then refused.

Cost: O(bytes of the manifest and the logs), and the index of each table.

Gray & Reuter, *Transaction Processing*, chapter 11; Ghemawat & Dean, *LevelDB* (2011), file ``db_impl.cc``.
"""

from __future__ import annotations

from typing import NamedTuple

from smlib.errors import CorruptDataError
from smlib.storage.filesystem import FileSystem
from smlib.storage.lsm.batches import decode_batch
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.file_names import (
    CURRENT,
    LOG,
    MANIFEST,
    OLD_TABLE,
    TABLE,
    TEMPORARY,
    parse_file_name,
    path_of,
    read_current,
)
from smlib.storage.lsm.log import read_log
from smlib.storage.lsm.manifest import ManifestState, read_manifest
from smlib.storage.lsm.memtable import Memtable
from smlib.storage.lsm.versions import Version, open_version


class Recovered(NamedTuple):
    """What was found.

    Attributes
    ----------
    manifest_number : int
    manifest : ManifestState
    sequence : int
        Of the last change.
    memtable : Memtable
        What the logs have.
    version : Version
    logs : list of int
        The numbers of the logs, the oldest first.
    next_file : int
        A number that no file has.
    """

    manifest_number: int
    manifest: ManifestState
    sequence: int
    memtable: Memtable
    version: Version
    logs: list[int]
    next_file: int


def recover(filesystem: FileSystem, folder: str, cache: BlockCache) -> Recovered:
    """Return what a folder says.

    Raises
    ------
    CorruptDataError
        A file is damaged or missing; the message names it, and a byte.
    InputError
        The keys are in another order than that of bytes.
    StorageError
        There is no store, or the disk refuses.
    """
    number = read_current(filesystem, folder)
    manifest = read_manifest(filesystem, path_of(folder, number, MANIFEST))
    version = open_version(filesystem, folder, manifest.files, cache)
    memtable, sequence = Memtable(), manifest.last_sequence
    logs = live_logs(filesystem, folder, manifest)
    if manifest.log_number and manifest.log_number not in logs:
        raise CorruptDataError(
            f"{path_of(folder, manifest.log_number, LOG)}, byte 0: the log is not there, and the manifest says that it "
            f"is; or the last edit of the manifest is lost"
        )
    for log in logs:
        sequence = max(sequence, replay(filesystem, path_of(folder, log, LOG), memtable))
    used = [name.number for name in map(parse_file_name, filesystem.list_directory(folder)) if name is not None]
    return Recovered(number, manifest, sequence, memtable, version, logs, max(manifest.next_file, *used, 0) + 1)


def live_logs(filesystem: FileSystem, folder: str, manifest: ManifestState) -> list[int]:
    """Return the numbers of the logs whose changes are in no table, the oldest first."""
    names = map(parse_file_name, filesystem.list_directory(folder))
    logs = [name.number for name in names if name is not None and name.kind == LOG]
    return sorted(log for log in logs if log >= manifest.log_number or log == manifest.previous_log_number)


def replay(filesystem: FileSystem, path: str, memtable: Memtable) -> int:
    """Put what a log has into a memtable; return the sequence number of the last change, or 0."""
    last = 0
    with filesystem.open(path, readonly=True) as file:
        for record in read_log(file, synced=False):
            first, changes = decode_batch(record.payload, path, record.offset)
            memtable.newest.update(changes)
            last = max(last, first + len(changes) - 1)
    return last


def list_waste(filesystem: FileSystem, folder: str, kept: set[int]) -> list[str]:
    """Return the names of files that nothing leads to: their numbers are not those of files that are kept."""
    numbered = (LOG, TABLE, OLD_TABLE, MANIFEST, TEMPORARY)
    names = filesystem.list_directory(folder)
    parsed = [(name, parse_file_name(name)) for name in names]
    waste = [name for name, found in parsed if found and found.kind in numbered and found.number not in kept]
    # A crash may have left what was to replace it.
    return [*waste, *(name for name in names if name == f"{CURRENT}.tmp")]
