"""The file system: the one door between a store and the disk, and what each call through it promises.

The problem. A store that says "committed" must still have the data after the power went. Between a call of ``write``
and the medium lie the pages of the operating system and the cache of the drive, and each of them answers before the
work is done, reorders it, and forgets what it holds when the power goes. A store therefore has to know exactly what
each call promises, and to ask for no more::

    call              what is certain when it returns                       what is not
    write_at          who reads from now on, in any process, sees the data  that any of it outlives a crash
    map               what is stored in this memory is as if written        that, either; nor could an error be told
    datasync          the bytes of this file, and its length, are on disk   that the file has a name there
    rename            who looks sees the old file or the new one            which of the two is there after a crash
    sync_directory    the names in this directory are on disk               that their contents are

What is written and not yet synced is *pending*. The system writes it back when it likes and in the order it likes, so a
crash leaves any part of it. Of a single write some sectors may be new and others old, for a disk promises at most that
a sector (512 bytes, or 4096) is written whole: that is a *torn* write, and why pages and records carry checksums. And a
file may have grown before its data came, so that its end is all zeros.

A datasync that fails is the last of its file. The system tries to write the pages, fails, tells so once, and then takes
them for clean: the next datasync finds nothing to do and reports success, though the data never arrived. So the state
of every page since the last good datasync is unknown, a second try proves nothing, and a `File` refuses all changes
from then on. What helps is what helps after a crash: close, open, and recover from what can be read. A write that
fails because the disk is full is different: it may have written a part, and it can be tried again.

By hand. To replace the contents of a small file so that a crash leaves the old or the new ones and no mixture::

    write_at("CURRENT.tmp")     the old file is untouched
    datasync("CURRENT.tmp")     else the rename may outlive the crash, and the contents not: an empty file
    rename("CURRENT.tmp", "CURRENT")
    sync_directory(".")         else the old file may come back after the caller was told that it was done

`FileSystem.replace_contents` does these four steps.

Stores know `FileSystem` and `File`, and nothing of the module ``os``. The machine's own file system is in
`smlib.storage.local_filesystem`; the one in `smlib.storage.faults` lives in memory, and can crash.

Invariants, of every file system:
  1. `File.read_at` gives what was written last, and zeros where the file grew over a gap; it is short only at the end.
  2. `File.write_at` writes all or raises; `File.append` returns where its data begins, which is where the file ended.
  3. After a datasync that failed a file changes no more.
  4. A lock has one owner at a time, among all processes and within each; it ends with its owner's process, however that
     ends, and a child of its owner does not own it.
  5. The disk's own errors are told as `StorageError`, with the name of the file.

Cost: a read or a write of a page is one system call, some 2 microseconds as long as the page is in memory. A datasync
waits for the medium: 0.05 to 5 ms on a solid-state disk, 10 ms on one that turns.

Kerrisk, *The Linux Programming Interface*, chapters 5, 13 and 55; Pillai et al., "All file systems are not created
equal", *OSDI* (2014); Rebello et al., "Can applications recover from fsync failures?", *USENIX ATC* (2020).
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from smlib._core.validate import as_bytes
from smlib.errors import ClosedError, InputError, ReadOnlyError, StorageError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

PathLike: TypeAlias = "str | os.PathLike[str]"
BytesLike: TypeAlias = bytes | bytearray | memoryview


class Closing(ABC):
    """What is closed at the end of a ``with`` block."""

    @abstractmethod
    def close(self) -> None:
        """Give it back; a second time does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class File(Closing):
    """An open file: bytes at positions, without a pointer that moves.

    Attributes
    ----------
    path : str
        The name that it was opened by.
    readonly : bool
        Whether it was opened for reading only.
    closed : bool
        Whether it has been closed.

    Notes
    -----
    A kind of file brings the methods with an underscore; what all kinds have in common is checked here. Different
    threads may read at the same time; writing is for one of them.
    """

    closed = True

    def __init__(self, path: str, readonly: bool) -> None:
        self.path = path
        self.readonly = readonly
        self.closed = False
        self._failure: str | None = None

    def read_at(self, offset: int, size: int) -> bytes:
        """Return the bytes of ``[offset, offset + size)``; fewer at the end of the file, none behind it.

        Parameters
        ----------
        offset, size : int
            In bytes, both at least 0.

        Raises
        ------
        InputError
            If a number is negative.
        ClosedError
            If the file is closed.
        StorageError
            If the disk refuses.
        """
        self._require_open()
        if offset < 0 or size < 0:
            raise InputError(f"{self.path}: {size} bytes at {offset} cannot be read; both must be at least 0")
        data = self._read(offset, size)
        # Closed meanwhile by another thread, its descriptor may have become that of another file.
        self._require_open()
        return data

    def write_at(self, offset: int, data: BytesLike) -> None:
        """Write all the bytes from a position on, or raise; a gap behind the old end is filled with zeros.

        Parameters
        ----------
        offset : int
            In bytes, at least 0.
        data : bytes-like
            Anything contiguous.

        Raises
        ------
        InputError
            If the position is negative, or the data are no bytes.
        ClosedError, ReadOnlyError
            If the file is closed, or was opened for reading only.
        DiskFullError
            If there is no room; some of the bytes may have been written.
        StorageError
            If the disk refuses, or has failed to sync this file before.
        """
        self._require_writable()
        if offset < 0:
            raise InputError(f"{self.path}: bytes at {offset} cannot be written; the position must be at least 0")
        self._write(offset, data if type(data) is bytes else as_bytes(data))

    def write_pieces(self, pieces: Iterable[tuple[int, memoryview]]) -> None:
        """Write several pieces, each at its position, one after the other; raises as `write_at` does."""
        self._require_writable()
        for offset, data in pieces:
            self._write(offset, data)

    def append(self, data: BytesLike) -> int:
        """Write all the bytes at the end, or raise as `write_at` does; return the position of the first."""
        offset = self.size()
        self.write_at(offset, data)
        return offset

    def size(self) -> int:
        """Return the length in bytes."""
        self._require_open()
        return self._size()

    def truncate(self, size: int) -> None:
        """Cut the file off at a length in bytes, or lengthen it by zeros; raises as `write_at` does."""
        self._require_writable()
        if size < 0:
            raise InputError(f"{self.path}: the length cannot be {size}; it must be at least 0")
        self._truncate(size)

    def map(self, size: int) -> memoryview | None:
        """Return the first bytes of the file as memory: what is stored there is written, without a call.

        Parameters
        ----------
        size : int
            In bytes, at least 1. The file is lengthened to it if it is shorter, and its room on the disk is taken.

        Returns
        -------
        memoryview or None
            It is good until the file is mapped again, cut off or closed. None where the system has no such thing.

        Raises
        ------
        InputError, ClosedError, ReadOnlyError, DiskFullError, StorageError
            As `write_at` does.

        Notes
        -----
        A store to memory cannot be refused. If the disk fails to give a page, or somebody has cut the file off, the
        system ends the process, with all that was stored before in the file. That is why the room is taken first.
        """
        self._require_writable()
        if size < 1:
            raise InputError(f"{self.path}: {size} bytes cannot be mapped; it must be at least 1")
        return self._map(size)

    def datasync(self) -> None:
        """Return when all that was written to this file, and its length, is on disk.

        Raises
        ------
        StorageError
            If that failed. What is on disk is unknown then: the file refuses every further change and sync. Close it,
            and recover as after a crash.
        ClosedError, ReadOnlyError
            If the file is closed, or was opened for reading only.
        """
        self._require_writable()
        try:
            self._datasync()
        except StorageError as error:
            self._failure = str(error)
            raise

    def close(self) -> None:
        """Close the file, without a sync; a second time does nothing."""
        if not self.closed:
            self.closed = True
            self._close()

    def _require_open(self) -> None:
        if self.closed:
            raise ClosedError(f"{self.path}: the file is closed; open it again")

    def _require_writable(self) -> None:
        self._require_open()
        if self.readonly:
            raise ReadOnlyError(f"{self.path}: the file was opened for reading only; open it with readonly=False")
        if self._failure is not None:
            raise StorageError(
                f"{self.path}: refused, for a sync of this file has failed, and what is on disk since the last good "
                f"one is unknown ({self._failure}); close the file, open it again and recover as after a crash"
            )

    @abstractmethod
    def _read(self, offset: int, size: int) -> bytes: ...

    @abstractmethod
    def _write(self, offset: int, data: bytes | memoryview) -> None: ...

    @abstractmethod
    def _size(self) -> int: ...

    @abstractmethod
    def _truncate(self, size: int) -> None: ...

    def _map(self, size: int) -> memoryview | None:
        return None

    @abstractmethod
    def _datasync(self) -> None: ...

    @abstractmethod
    def _close(self) -> None: ...


class Lock(Closing):
    """A lock that is held until it is closed, or until the process that took it ends.

    Attributes
    ----------
    path : str
        The file that stands for it.
    """

    path: str

    @property
    @abstractmethod
    def held(self) -> bool:
        """Whether this process owns it: False once it is closed, and in a child of the process that took it."""


class FileSystem(ABC):
    """Names and what they stand for; every store is opened on one of these."""

    @abstractmethod
    def open(self, path: PathLike, *, create: bool = False, readonly: bool = False) -> File:
        """Open a file.

        Parameters
        ----------
        path : str or path-like
            Its name; its directory must be there.
        create : bool
            Make an empty file where there is none. Its name is on disk after `sync_directory` of its directory.
        readonly : bool
            Refuse to change it.

        Raises
        ------
        InputError
            If it is to be created and not to be changed.
        StorageError
            If it is not there, or the disk refuses.
        """

    @abstractmethod
    def exists(self, path: PathLike) -> bool:
        """Return whether a file or a directory has this name."""

    @abstractmethod
    def list_directory(self, path: PathLike) -> list[str]:
        """Return the names in a directory, without the directory's own, in order."""

    @abstractmethod
    def make_directory(self, path: PathLike) -> None:
        """Make a directory in one that is there, or do nothing if it is there; its name is pending like a file's."""

    @abstractmethod
    def rename(self, source: PathLike, target: PathLike) -> None:
        """Give a file another name in the same directory; a file of that name is replaced in one step.

        Raises
        ------
        InputError
            If the names are in different directories: no call makes both of them durable in one step.
        StorageError
            If there is no such file, or the disk refuses.
        """

    @abstractmethod
    def unlink(self, path: PathLike) -> None:
        """Take the name away from a file; it is gone when no one has it open any more."""

    @abstractmethod
    def sync_directory(self, path: PathLike) -> None:
        """Return when the names in a directory are on disk as they are now: made, changed and taken away."""

    @abstractmethod
    def lock(self, path: PathLike) -> Lock:
        """Take the lock that a file stands for, and write the number of this process into the file.

        Parameters
        ----------
        path : str or path-like
            The file; it is created if it is not there, and stays when the lock is given back. Never unlink it: who has
            it open and who creates it anew would both hold "the" lock.

        Returns
        -------
        Lock
            Close it to give the lock back.

        Raises
        ------
        LockedError
            If another holds it, in this process or in another one; the message names the process.
        StorageError
            If the disk refuses.
        """

    def replace_contents(self, path: PathLike, data: BytesLike) -> None:
        """Give a file new contents, so that a crash at any time leaves the old ones or the new ones.

        Parameters
        ----------
        path : str or path-like
            The file, which need not be there. Beside it ``path.tmp`` is written first, and may be left by a crash.
        data : bytes-like
            All of the new contents, which are on disk when this returns.
        """
        target = os.fspath(path)
        with self.open(target + ".tmp", create=True) as file:
            file.truncate(0)
            file.write_at(0, data)
            file.datasync()
        self.rename(target + ".tmp", target)
        self.sync_directory(os.path.dirname(target) or ".")


def require_one_directory(source: str, target: str) -> None:
    """Refuse to rename across directories."""
    if os.path.dirname(os.path.abspath(source)) != os.path.dirname(os.path.abspath(target)):
        raise InputError(
            f"{source} cannot be renamed to {target}, which is in another directory; write it there, sync and unlink"
        )
