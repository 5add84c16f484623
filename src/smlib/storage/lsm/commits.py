"""Commits: a change goes to the log and the memtable, and when the log is long enough, the memtable becomes a table.

A commit writes one record, at the end of a file, and waits for one sync. That is all that a disk does fastest. The rest
is done later, for thousands of commits at once, and in an order in which each step may be the last one::

    1   a table of what the memtable has, synced           nothing leads to it yet
    2   a new log, empty; the names in the folder synced   nothing leads to it yet
    3   an edit in the manifest, synced                    "table 5 is there, changes go to log 6": now both count
    4   the old log is deleted                             what it had is in table 5

After 1 or 2 a crash leaves files that the next one to write deletes. An error before the third step leaves all as it
was; one in it leaves open what the disk has, and then no further commit is made.

Tables and manifests are synced whatever the durability is, for what was safe yesterday must not be lost with a log that
is deleted today. The durability says when the log is synced.

Invariants:
  1. A change is in the log, or in a table that the manifest names, from the moment when its commit returns.
  2. What a commit promises to be on disk was synced before it returned.
  3. A commit that raises has changed nothing that is seen.

Cost: a write of the changes and a sync; later each change is written again when its table is, and with every merge.

Gray & Reuter, *Transaction Processing*, chapter 9; Ghemawat & Dean, *LevelDB* (2011), "Implementation notes".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from smlib.errors import StorageError
from smlib.storage.deadlines import Deadline
from smlib.storage.filesystem import File
from smlib.storage.lsm.batches import encode_changes
from smlib.storage.lsm.compaction import choose, merge_tables, target_level
from smlib.storage.lsm.file_names import LOG, MANIFEST, TABLE, file_name, path_of, write_current
from smlib.storage.lsm.fragments import BLOCK
from smlib.storage.lsm.log import LogWriter
from smlib.storage.lsm.log_entries import read_entries
from smlib.storage.lsm.manifest import LEVELS, FileFacts, VersionEdit, edit_of_state, encode_edit
from smlib.storage.lsm.memtable import Memtable
from smlib.storage.lsm.merging import merge_entries
from smlib.storage.lsm.recovery import Recovered, list_waste
from smlib.storage.lsm.store import LSMStore
from smlib.storage.lsm.table_building import BuiltTable, build_table
from smlib.storage.lsm.versions import TableFile, Version, open_table

# Seconds and bytes after which a log is synced whose commits were gathered.
LATEST, LARGEST = 0.1, 1 << 20
# Of a log that is not synced so many bytes are mapped into memory.
MOST_MAPPED = 1 << 26


class Options(NamedTuple):
    """How a store is written; see `LSMTree.open`."""

    durability: str
    write_buffer_size: int
    block_size: int
    bloom_bits_per_key: int
    compression: str


class Writer:
    """What commits to a store.

    Parameters
    ----------
    store : LSMStore
    options : Options
    found : Recovered
        What the store was made of. It is written anew: into a manifest of its own, and what was in logs into a table.

    Attributes
    ----------
    failure : str or None
        Why no further commit is possible.
    """

    __slots__ = (
        "_deadline",
        "_durability",
        "_log",
        "_log_number",
        "_manifest",
        "_manifest_number",
        "_next_file",
        "_shape",
        "_unsynced",
        "_write_buffer_size",
        "failure",
        "options",
        "store",
    )

    def __init__(self, store: LSMStore, options: Options, found: Recovered) -> None:
        self.store = store
        self.options = options
        self._durability, self._write_buffer_size = options.durability, options.write_buffer_size
        self._shape: dict[str, Any] = {
            "block_size": options.block_size,
            "bloom_bits_per_key": options.bloom_bits_per_key,
            "compression": options.compression,
        }
        self.failure: str | None = None
        self._deadline = Deadline(LATEST, self._sync_in_time)
        self._next_file = found.next_file
        self._unsynced = 0
        self._begin(found)

    def require_working(self) -> None:
        """Raise StorageError if an earlier commit has left open what is on the disk."""
        self.store.require_open()
        if self.failure is not None:
            raise StorageError(
                f"{self.store.path}: refused, for an earlier commit has failed and left open what is on the disk "
                f"({self.failure}); what was read can still be read; close the tree and open it again"
            )

    def put(self, key: bytes, value: bytes | None) -> None:
        """Set one item, or take a key out, which need not be there."""
        store = self.store
        with store.mutex:
            self._prepare()
            before, sequence = self._log.offset, store.sequence + 1
            self._log.add_change(sequence, key, value)
            if self._durability != "none":
                self._keep_promise(before)
            store.sequence = sequence
            if store.held:
                store.memtable.put(key, sequence, value, store.newest_held)
            else:
                store.sources[0].newest[key] = value

    def commit(self, puts: dict[bytes, bytes], removals: Collection[bytes] = ()) -> None:
        """Set items and remove keys, which need not be there, in one commit."""
        store = self.store
        with store.mutex:
            self.require_working()
            if not puts and not removals:
                return
            self._prepare()
            before, first = self._log.offset, store.sequence + 1
            self._log.add(encode_changes(first, puts, removals))
            if self._durability != "none":
                self._keep_promise(before)
            store.memtable.put_many(puts, removals, first, store.newest_held)
            store.sequence = first + len(puts) + len(removals) - 1

    def clear(self) -> None:
        """Take all items out: one edit takes all tables away, and a new log begins."""
        store = self.store
        with store.mutex:
            self.require_working()
            store.sequence += 1
            self._change_tables(store.version.files, [], 0, Memtable())

    def flush(self) -> None:
        """Let the memtable become a table, and merge tables if there are too many."""
        store = self.store
        with store.mutex:
            self.require_working()
            if store.memtable.newest:
                self._change_tables([], self._tables_of_log(), 0, Memtable())
            merged = choose(store.version)
            if merged:
                self._merge(merged)

    def compact(self) -> None:
        """Flush, and merge all tables."""
        store = self.store
        with store.mutex:
            self.flush()
            if store.version.files:
                self._merge(store.version.files)

    def sync(self) -> None:
        """Return when all commits are on disk."""
        with self.store.mutex:
            self._deadline.cancel()
            self.require_working()
            self._guard(self._log.file.datasync)
            self._unsynced = 0

    def finish(self) -> None:
        """Sync what is due, and close the log and the manifest."""
        self._deadline.cancel()
        try:
            if self.failure is None:
                if self._unsynced:
                    self.sync()
                self._log.finish()
        finally:
            self._log.file.close()
            self._manifest.file.close()

    def _prepare(self) -> None:
        """See to it that the log takes another record."""
        if self.failure is not None or self.store.refusal is not None:
            self.require_working()
        if self._log.offset >= self._write_buffer_size:
            self.flush()

    def _keep_promise(self, before: int) -> None:
        """Sync the log, which was so long before, or see to it that it will be synced soon."""
        if self._durability == "sync":
            self._guard(self._log.file.datasync)
            return
        self._unsynced += self._log.offset - before
        if self._unsynced >= LARGEST:
            self.sync()
        else:
            self._deadline.set()

    def _sync_in_time(self) -> None:
        """Sync what has been gathered; what fails is told at the next commit."""
        with self.store.mutex:
            if self.store.refusal is None and self.failure is None and self._unsynced:
                with suppress(StorageError):
                    self.sync()

    def _guard(self, step: Callable[[], object]) -> None:
        """Take a step after which nobody knows what is on the disk, if it fails."""
        try:
            step()
        except BaseException as error:
            self.failure = str(error) or type(error).__name__
            raise

    # Files.

    def _begin(self, found: Recovered) -> None:
        """Write what was found into a new manifest, with a new log; from then on it counts, and the rest is waste."""
        store = self.store
        added = self._tables_of_logs(found.logs) if found.memtable.newest else []
        self._log_number, log = self._create(LOG)
        self._manifest_number, manifest = self._create(MANIFEST)
        self._log, self._manifest = self._log_in(log), LogWriter(manifest)
        try:
            edit = edit_of_state(found.manifest)
            self._manifest.add(encode_edit(self._complete(edit, [(0, file) for file in added])))
            manifest.datasync()
            store.filesystem.sync_directory(store.path)
            write_current(store.filesystem, store.path, self._manifest_number)
        except BaseException:
            log.close()
            manifest.close()
            raise
        store.sources = Memtable(), change_version(store.version, [], added, 0)
        self._delete_waste()

    def _complete(self, edit: VersionEdit, added: Iterable[tuple[int, TableFile]]) -> VersionEdit:
        """Return an edit with the numbers as they are now, and tables more."""
        return edit._replace(
            log_number=self._log_number,
            previous_log_number=0,
            next_file=self._next_file,
            last_sequence=self.store.sequence,
            added=(*edit.added, *((level, file.facts) for level, file in added)),
        )

    def _change_tables(
        self, removed: list[TableFile], added: list[TableFile], level: int, memtable: Memtable | None
    ) -> None:
        """Let other tables count from now on; with a memtable, that one and a new log, too."""
        store = self.store
        old_log, old_number = self._log, self._log_number
        try:
            if memtable is not None:
                self._log_number, file = self._create(LOG)
                self._log = self._log_in(file)
            store.filesystem.sync_directory(store.path)
            levels = {file.facts.number: place for place, files in enumerate(store.version.levels) for file in files}
            edit = VersionEdit(removed=tuple((levels[file.facts.number], file.facts.number) for file in removed))
            self._manifest.add(encode_edit(self._complete(edit, [(level, file) for file in added])))
        except BaseException:
            if self._log is not old_log:
                self._log.file.close()
            self._log, self._log_number = old_log, old_number
            raise
        self._guard(self._manifest.file.datasync)
        store.sources = memtable or store.memtable, change_version(store.version, removed, added, level)
        if memtable is not None:
            self._unsynced = 0
            old_log.file.close()
            self._delete(file_name(old_number, LOG))
        for old in removed:
            old.table.forget()
            self._delete(os.path.basename(old.table.file.path))

    def _merge(self, files: list[TableFile]) -> None:
        """Merge all tables."""
        version = self.store.version
        self._change_tables(
            files, self._write_tables(merge_tables(version, **self._shape)), target_level(version), None
        )

    def _tables_of_log(self) -> list[TableFile]:
        """Write the newest change of each key in the log into a table."""
        return self._write_tables([build_table(read_entries(self._log.file, self._log.offset), **self._shape)])

    def _tables_of_logs(self, numbers: list[int]) -> list[TableFile]:
        """Write what older logs have into a table."""
        runs = []
        for number in reversed(numbers):
            with self.store.filesystem.open(path_of(self.store.path, number, LOG), readonly=True) as file:
                runs.append(read_entries(file, file.size(), synced=False))
        return self._write_tables([build_table(merge_entries(runs), **self._shape)])

    def _write_tables(self, built: Iterable[BuiltTable]) -> list[TableFile]:
        """Write tables, and sync them; if one cannot be written, there is none."""
        store, files, numbers = self.store, [], []
        try:
            for table in built:
                number, file = self._create(TABLE)
                numbers.append(number)
                with file:
                    file.write_at(0, table.data)
                    file.datasync()
                facts = FileFacts(number, len(table.data), table.smallest, table.largest)
                files.append(open_table(store.filesystem, store.path, facts, store.block_cache))
        except BaseException:
            for number in numbers:
                self._delete(file_name(number, TABLE))
            raise
        return files

    def _log_in(self, file: File) -> LogWriter:
        """Return what writes a new log."""
        mapped = min(self._write_buffer_size + BLOCK, MOST_MAPPED) if self._durability == "none" else 0
        return LogWriter(file, mapped=mapped)

    def _create(self, kind: str) -> tuple[int, File]:
        """Create a file with a number of its own."""
        number, self._next_file = self._next_file, self._next_file + 1
        return number, self.store.filesystem.open(path_of(self.store.path, number, kind), create=True)

    def _delete_waste(self) -> None:
        kept = {self._log_number, self._manifest_number, *(file.facts.number for file in self.store.version.files)}
        for name in list_waste(self.store.filesystem, self.store.path, kept):
            self._delete(name)

    def _delete(self, name: str) -> None:
        """Delete a file that is not needed; if that fails, the next one to write tries again."""
        with suppress(StorageError):
            self.store.filesystem.unlink(os.path.join(self.store.path, name))


def change_version(version: Version, removed: list[TableFile], added: list[TableFile], level: int) -> Version:
    """Return a version without some tables, and with others in a level."""
    gone = {file.facts.number for file in removed}
    levels = [[file for file in version.levels[k] if file.facts.number not in gone] for k in range(LEVELS)]
    levels[level] += added
    return Version(levels)
