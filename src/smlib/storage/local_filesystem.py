"""The file system of this machine: what `smlib.storage.filesystem` promises, in calls of the operating system.

Linux is what this is written for, and three systems differ in three places, which end in this file:

- a sync is ``fdatasync`` on Linux, which writes the data and the length and leaves the time of the last change alone.
  On macOS ``fsync`` goes no further than the cache of the drive, and only ``F_FULLFSYNC`` to the medium;
- Windows cannot read and write at a position without moving a pointer, which threads then have to share in turn, nor
  can it sync a directory: there the system keeps a journal of the names, and what it promises is not known to us;
- a lock is a lock upon an open file (``flock``), and on Windows one upon a byte of it.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import sys
import threading
import weakref
from typing import NoReturn

from smlib.errors import DiskFullError, InputError, LockedError, StorageError
from smlib.storage.filesystem import File, FileSystem, Lock, PathLike, require_one_directory

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Where Windows locks a byte, which nobody can read then: far behind the number of the owner's process.
LOCKED_BYTE = 2**30


class LocalFileSystem(FileSystem):
    """The file system of this machine.

    Examples
    --------
    >>> import tempfile
    >>> disk = LocalFileSystem()
    >>> with tempfile.TemporaryDirectory() as folder, disk.open(f"{folder}/log", create=True) as file:
    ...     file.append(b"hello ")
    ...     file.append(b"world")
    ...     file.datasync()
    ...     disk.sync_directory(folder)
    ...     file.read_at(3, 100)
    ...     disk.list_directory(folder)
    0
    6
    b'lo world'
    ['log']
    """

    def open(self, path: PathLike, *, create: bool = False, readonly: bool = False) -> File:
        """Open a file; see `FileSystem.open`."""
        return LocalFile(os.fspath(path), create, readonly)

    def exists(self, path: PathLike) -> bool:
        """Return whether a file or a directory has this name."""
        return os.path.exists(path)

    def list_directory(self, path: PathLike) -> list[str]:
        """Return the names in a directory, in order."""
        try:
            return sorted(os.listdir(path))
        except OSError as error:
            tell(error, os.fspath(path), "listing the directory")

    def make_directory(self, path: PathLike) -> None:
        """Make a directory, or do nothing if it is there."""
        try:
            os.mkdir(path)
        except OSError as error:
            if not os.path.isdir(path):
                tell(error, os.fspath(path), "making the directory")

    def rename(self, source: PathLike, target: PathLike) -> None:
        """Give a file another name in its directory; a file of that name is replaced in one step."""
        require_one_directory(os.fspath(source), os.fspath(target))
        try:
            os.replace(source, target)
        except OSError as error:
            tell(error, os.fspath(source), f"renaming it to {os.fspath(target)}")

    def unlink(self, path: PathLike) -> None:
        """Take the name away from a file."""
        try:
            os.unlink(path)
        except OSError as error:
            tell(error, os.fspath(path), "unlinking it")

    def sync_directory(self, path: PathLike) -> None:
        """Return when the names in a directory are on disk."""
        if sys.platform != "win32":
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                tell(error, os.fspath(path), "syncing the directory")

    def lock(self, path: PathLike) -> Lock:
        """Take the lock that a file stands for; see `FileSystem.lock`."""
        return LocalLock(os.fspath(path))


class LocalFile(File):
    """A file of this machine, by its descriptor; it is closed when nobody refers to it any more, at the latest."""

    def __init__(self, path: str, create: bool, readonly: bool) -> None:
        if create and readonly:
            raise InputError(f"{path}: a file that is created must be writable; leave create or readonly out")
        super().__init__(path, readonly)
        flags = (os.O_RDONLY if readonly else os.O_RDWR) | (os.O_CREAT if create else 0) | getattr(os, "O_BINARY", 0)
        try:
            # Who opens a pipe waits for someone at its other end, if not told otherwise.
            self._descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o644)
        except OSError as error:
            self.closed = True
            tell(error, path, "opening it")
        if stat.S_ISFIFO(os.fstat(self._descriptor).st_mode):
            self.close()
            raise StorageError(f"{path}: this is a pipe, and no file; take it away")
        self._mapping: mmap.mmap | None = None
        if sys.platform == "win32":
            self._pointer = threading.Lock()

    def __del__(self) -> None:
        self.close()

    def _read(self, offset: int, size: int) -> bytes:
        parts: list[bytes] = []
        try:
            while size:
                part = self._read_some(offset, size)
                if len(part) == size and not parts:
                    return part
                if not part:
                    break
                parts.append(part)
                offset += len(part)
                size -= len(part)
        except (OSError, OverflowError) as error:
            tell(error, self.path, f"reading {size} bytes at {offset}")
        return b"".join(parts)

    def _write(self, offset: int, data: bytes | memoryview) -> None:
        try:
            while data:
                written = self._write_some(offset, data)
                if written == len(data):
                    break
                offset += written
                data = data[written:]
        except (OSError, OverflowError) as error:
            tell(error, self.path, f"writing {len(data)} bytes at {offset}")

    if sys.platform == "win32":

        def _read_some(self, offset: int, size: int) -> bytes:
            with self._pointer:
                os.lseek(self._descriptor, offset, os.SEEK_SET)
                return os.read(self._descriptor, size)

        def _write_some(self, offset: int, data: bytes | memoryview) -> int:
            with self._pointer:
                os.lseek(self._descriptor, offset, os.SEEK_SET)
                return os.write(self._descriptor, data)

    else:

        def _read_some(self, offset: int, size: int) -> bytes:
            return os.pread(self._descriptor, size, offset)

        def _write_some(self, offset: int, data: bytes | memoryview) -> int:
            return os.pwrite(self._descriptor, data, offset)

    def _size(self) -> int:
        try:
            if sys.platform == "win32":
                size = os.fstat(self._descriptor).st_size
            else:
                # It moves the pointer, which nobody uses here, and takes a quarter of the time.
                size = os.lseek(self._descriptor, 0, os.SEEK_END)
        except OSError as error:
            tell(error, self.path, "asking for its length")
        return size

    def _truncate(self, size: int) -> None:
        try:
            os.ftruncate(self._descriptor, size)
        except (OSError, OverflowError) as error:
            tell(error, self.path, f"setting its length to {size}")

    def _map(self, size: int) -> memoryview | None:
        if not hasattr(os, "posix_fallocate"):
            return None
        try:
            os.posix_fallocate(self._descriptor, 0, size)
            self._mapping = resize(self._mapping, size) or mmap.mmap(self._descriptor, size)
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENODEV):
                return None
            tell(error, self.path, f"mapping {size} bytes of it")
        return memoryview(self._mapping)

    def _datasync(self) -> None:
        try:
            if sys.platform == "darwin":
                try:
                    fcntl.fcntl(self._descriptor, fcntl.F_FULLFSYNC)
                except OSError as error:
                    # Not every file system there knows it, a network's for one; a failed sync is no such answer.
                    if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                        raise
                    os.fsync(self._descriptor)
            elif sys.platform == "win32":
                os.fsync(self._descriptor)
            else:
                os.fdatasync(self._descriptor)
        except OSError as error:
            tell(error, self.path, "syncing it")

    def _close(self) -> None:
        # Whoever still looks at the mapping keeps it.
        self._mapping = None
        try:
            os.close(self._descriptor)
        except OSError as error:
            tell(error, self.path, "closing it")


def resize(mapping: mmap.mmap | None, size: int) -> mmap.mmap | None:
    """Return a mapping made longer, which keeps the pages that it has; None if it is in use or the system cannot."""
    try:
        if mapping is not None:
            mapping.resize(size)
    except (BufferError, OSError, SystemError, ValueError):
        return None
    return mapping


class LocalLock(Lock):
    """A lock of the operating system upon an open file: the system gives it back when the process ends.

    It belongs to the open file and not to the name, so a second taker in the same process opens the file anew and is
    refused like any other. A child shares its parent's open files, and thus the lock, until it closes its own
    descriptor of it; it does so at once, and the parent's lock is left as it is. When nobody refers to it any more, it
    is given back at the latest.

    The other kind of lock, of ``fcntl``, is taken too, for LevelDB knows no other. It is lost as soon as anybody in the
    process closes any descriptor of the file, so that it keeps out other programs and is not relied upon for our own.
    """

    _owner: int | None = None

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        except OSError as error:
            tell(error, path, "opening the lock")
        self._descriptor = descriptor
        try:
            if not lock_descriptor(descriptor):
                owner = os.read(descriptor, 20).decode("ascii", "replace").strip() or "of unknown number"
                raise LockedError(
                    f"{path}: locked by process {owner}"
                    f"{', which is this one' if owner == str(os.getpid()) else ''}; only one may write at a time: "
                    f"close what holds it, or wait until that process ends (deleting the file would not help)"
                )
            self._owner = os.getpid()
            os.ftruncate(descriptor, 0)
            os.write(descriptor, b"%d\n" % self._owner)
        except OSError as error:
            tell(error, path, "taking the lock")
        finally:
            if self._owner is None:
                os.close(descriptor)
                renew_locks(path)
        HELD.add(self)

    def __del__(self) -> None:
        self.close()

    @property
    def held(self) -> bool:
        """Whether this process owns it."""
        return self._owner == os.getpid()

    def close(self) -> None:
        """Give the lock back; in a child only the descriptor."""
        if self._owner is None:
            return
        mine = self.held
        self._owner = None
        HELD.discard(self)
        try:
            if mine:
                # Said aloud, for a child that has yet to close its descriptor would keep it a moment longer.
                os.ftruncate(self._descriptor, 0)
                unlock_descriptor(self._descriptor)
        except OSError as error:
            tell(error, self.path, "giving the lock back")
        finally:
            os.close(self._descriptor)


# The locks of this process: its children close them.
HELD: weakref.WeakSet[LocalLock] = weakref.WeakSet()


def renew_locks(path: str) -> None:
    """Take the locks upon a file again that this process has, for closing a descriptor of it has undone one kind."""
    for lock in list(HELD):
        if lock.path == path and lock.held:
            lock_descriptor(lock._descriptor)


def leave_to_parent() -> None:
    """In a child: close the descriptors of the parent's locks, which stay the parent's."""
    for lock in list(HELD):
        lock.close()


if sys.platform == "win32":

    def lock_descriptor(descriptor: int) -> bool:
        """Take the system's lock upon an open file; return whether it was free."""
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK):
                raise
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

    def unlock_descriptor(descriptor: int) -> None:
        """Give the system's lock back."""
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    os.register_at_fork(after_in_child=leave_to_parent)

    def lock_descriptor(descriptor: int) -> bool:
        """Take the system's locks upon an open file; return whether they were free."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def unlock_descriptor(descriptor: int) -> None:
        """Give the system's lock back."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def tell(error: OSError | OverflowError, path: str, action: str) -> NoReturn:
    """Raise what the system said as an error of this library, with the name of the file."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        raise DiskFullError(f"{path}: {action} failed, for the disk is full; make room and try again") from error
    if isinstance(error, FileNotFoundError):
        raise StorageError(
            f"{path}: {action} failed: {reason}; is the name right, or is create=True missing?"
        ) from error
    raise StorageError(f"{path}: {action} failed: {reason}") from error
