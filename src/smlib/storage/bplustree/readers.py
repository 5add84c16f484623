"""Readers in other processes: they look at the file alone, and say which tree they look at.

A reader sees the newest tree that a meta page leads to, and looks for a newer one at each call: the meta page that will
be written next is the one that it does not use, so the number in there tells. Pages that it has in memory may have been
taken again since, and it forgets them.

A writer must not take pages that a reader still needs, and they share nothing but the disk. So each reader takes the
lock of a file of its own in a folder beside the tree, and writes into another one the number of the oldest transaction
that it looks at, its *pin*::

    orders.readers/0        locked: there is a reader
    orders.readers/0.pin    the transaction it looks at
    orders.readers/1        not locked: there was one; the next reader takes it

A process that ends, however it ends, loses its lock, and its pin counts no more. The order makes it safe. A reader pins
transaction 0, which is everything, before it looks for the newest tree, and then that tree; when it goes on to a newer
one, its old pin holds until it has read the meta page. A writer looks at the pins after its last commit, and takes what
was given up by commits that all pins have seen.

Invariants:
  1. A page is not written while a tree that leads to it is pinned.
  2. A pin is never newer than the tree that is looked at.

Cost: one small read a call; a writer looks at each file of the folder once a commit.

Chu, "MDB: A Memory-Mapped Database" (2011), whose readers have a table in shared memory.
"""

from __future__ import annotations

from smlib.errors import CorruptDataError, LockedError
from smlib.storage.bplustree.meta import MOVED, Meta, newest_meta, prove_meta, read_meta
from smlib.storage.bplustree.pages import HEAD, TRANSACTION
from smlib.storage.bplustree.store import Store
from smlib.storage.bplustree.working_pages import WRITTEN
from smlib.storage.filesystem import File, FileSystem, Lock

PIN_SIZE = 8
# More readers than this are no readers but a mistake.
MOST_READERS = 4096


class Pin:
    """What tells writers which tree a reader looks at; it pins everything to begin with."""

    __slots__ = ("_file", "_lock", "_transaction")

    def __init__(self, filesystem: FileSystem, path: str) -> None:
        filesystem.make_directory(f"{path}.readers")
        self._lock = take_slot(filesystem, f"{path}.readers")
        self._transaction = 0
        try:
            self._file: File = filesystem.open(f"{self._lock.path}.pin", create=True)
            self._file.write_at(0, bytes(PIN_SIZE))
        except BaseException:
            self._lock.close()
            raise

    def move(self, transaction: int) -> None:
        """Pin a transaction instead of the one before."""
        if transaction != self._transaction:
            self._file.write_at(0, transaction.to_bytes(PIN_SIZE, "little"))
            self._transaction = transaction

    def close(self) -> None:
        """Pin nothing any more."""
        self._file.close()
        self._lock.close()


def take_slot(filesystem: FileSystem, folder: str) -> Lock:
    """Take the first lock of a folder that is free."""
    for slot in range(MOST_READERS):
        try:
            return filesystem.lock(f"{folder}/{slot}")
        except LockedError:
            continue
    raise LockedError(f"{folder}: there are {MOST_READERS} readers; close some")


def oldest_reader(filesystem: FileSystem, path: str) -> int | None:
    """Return the oldest transaction that is pinned, or None."""
    folder = f"{path}.readers"
    if not filesystem.exists(folder):
        return None
    oldest: int | None = None
    for name in filesystem.list_directory(folder):
        if name.isdecimal():
            try:
                filesystem.lock(f"{folder}/{name}").close()
            except LockedError:
                pin = read_pin(filesystem, f"{folder}/{name}.pin")
                oldest = pin if oldest is None else min(oldest, pin)
    return oldest


def read_pin(filesystem: FileSystem, path: str) -> int:
    """Return the transaction that a file pins; a reader that has not said so yet pins all."""
    if not filesystem.exists(path):
        return 0
    with filesystem.open(path, readonly=True) as file:
        return int.from_bytes(file.read_at(0, PIN_SIZE), "little")


class WatchingStore(Store):
    """A file that is open for reading, and that another process may be writing."""

    __slots__ = ("_cache_size", "_pin")

    def __init__(self, filesystem: FileSystem, path: str, cache_size: int) -> None:
        with filesystem.open(path, readonly=True) as file:
            read_meta(file)
        self._cache_size = cache_size
        self._pin = Pin(filesystem, path)
        try:
            file = filesystem.open(path, readonly=True)
            try:
                super().__init__(filesystem, file, path, cache_size)
            except BaseException:
                file.close()
                raise
        except BaseException:
            self._pin.close()
            raise

    def load(self, file: File, cache_size: int) -> None:
        """Begin with the newest tree of a file, and pin it."""
        super().load(file, cache_size)
        self._move_pin()

    def current(self) -> Meta:
        """Return the newest tree in the file."""
        meta = self.newest
        other = (1 - meta.place) * meta.page_size
        head = self.file.read_at(other, HEAD)
        if int.from_bytes(head[TRANSACTION : TRANSACTION + 8], "little") > meta.transaction:
            self._follow()
        return self.newest

    def hold(self, state: Meta) -> None:
        """Keep the pages of a tree from being taken again."""
        super().hold(state)
        self._move_pin()

    def let_go(self, state: Meta) -> None:
        """Undo one `hold`."""
        super().let_go(state)
        if self.refusal is None:
            self._move_pin()

    def close(self) -> None:
        """Close the file, and pin nothing any more."""
        super().close()
        self._pin.close()

    def _follow(self) -> None:
        """Go on to the newest tree, if its meta page is whole by now."""
        meta = newest_meta(self.file, (self.newest.page_size,))
        if meta is None:
            raise CorruptDataError(f"{self.path}, byte 0: no meta page is whole any more (invariant 6)")
        if meta.transaction <= self.newest.transaction:
            return
        prove_meta(self.file, meta)
        if meta.root != MOVED:
            self.files.set_state(meta)
            self.files.pages.state[WRITTEN] = meta.transaction
            self.files.forget_all()
            self.newest = meta
        elif not self.readers:
            # Views of the old file keep it, and the tree with it, until they are closed.
            old = self.file
            self.load(self.filesystem.open(self.path, readonly=True), self._cache_size)
            old.close()
        self._move_pin()

    def _move_pin(self) -> None:
        self._pin.move(min(self.readers, default=self.newest.transaction))
