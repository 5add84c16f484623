"""Simulated disks: a file system in memory that forgets, tears, fills up and fails when it is told to.

The problem. A store promises to live through a crash at any moment, and no test of a real disk shows that it does: the
power would have to fail thousands of times, at every call, with every outcome that the disk is free to choose.

The idea. Keep beside what a reader sees what is *on the medium*, and the list of changes between the two that no sync
has covered. A crash at any moment is then a choice: which of the pending changes reached the medium? Nothing else is
random, and a seed makes the choice again::

    on the medium        pending              a reader sees
    name "log"           write 0..600         name "log"
    0 bytes              write 600..700       700 bytes
    after a crash:
      none      0 bytes
      all       700 bytes
      subset    0, 600 or 700 bytes, and of 700 the first 600 perhaps zeros
      torn      0, 600 or 700 bytes, and any of 0..512, 512..600 and 600..700 perhaps zeros

Names are kept in the same way: a file that was made, renamed or unlinked is so on the medium once its directory was
synced, and before that perhaps. The model is harsher than most disks, for a later write of a sector may survive an
earlier one of the same sector, and a later rename an earlier one: a store that lives here lives there.

`SimulatedDisk.crash` only looks, and changes nothing, so that one moment can be survived in thousands of ways; and
`SimulatedDisk.watch` calls a function at every moment at which a crash would find something new. One run of a program
with a crash taken at each call explores all of them. `SimulatedDisk.crash_after` cuts the power within a call instead:
what the call changes is then pending, and it raises `SimulatedCrash`.

By hand. A file, and when it outlives the power:

>>> disk = SimulatedDisk(seed=1)
>>> file = disk.open("log", create=True)
>>> file.append(b"one")
0
>>> disk.crash("all").exists("log"), disk.crash("none").exists("log")
(True, False)
>>> file.datasync()
>>> disk.crash("none").exists("log")
False
>>> disk.sync_directory(".")
>>> with disk.crash("none").open("log") as found:
...     found.read_at(0, 100)
b'one'
>>> disk.log
['create log', 'write log 0..3', 'datasync log', 'sync_directory .']

Invariants:
  1. What was synced is there after every crash: the names of a directory, and every byte of a file that no later,
     pending write or truncation covers.
  2. What was never written never appears: each byte after a crash is the one on the medium, or that of a pending write
     to this place, or zero behind the medium's end or that of a pending truncation; and the length is that on the
     medium, or where a pending write ended, or that of a pending truncation.
  3. What a file shows does not depend on what is pending: it is what was written last, until the crash.
  4. "none" leaves what was on the medium, and "all" what readers saw (unless a sync has failed). What is left is on the
     medium of the new disk: a second crash leaves it as it is.
  5. The n-th call from `crash_after` raises, and so does every call after it, changing nothing; closing is allowed.
  6. The same seed and the same calls give the same crashes.
  7. After a sync that failed, what was pending is on the medium or lost, readers see it still, and a later sync that
     succeeds does not bring it back. That is what systems do, and why a failed sync is never tried again.

Cost: a write copies its data, a sync and a crash what is pending; of the rest, a crash copies 8 bytes for each 4096.

Pillai et al., "All file systems are not created equal", *OSDI* (2014); Rebello et al., "Can applications recover from
fsync failures?", *USENIX ATC* (2020).
"""

from __future__ import annotations

import os
import posixpath
import random
from collections import Counter
from collections.abc import Callable

from smlib.errors import InputError, LockedError, StorageError
from smlib.storage.filesystem import File, FileSystem, Lock, PathLike
from smlib.storage.pending_changes import Content, Directory, Survivors, copy_survivors
from smlib.storage.simulated_files import Course, SimulatedFile, SimulatedLock
from smlib.storage.simulated_files import SimulatedCrash as SimulatedCrash


class SimulatedDisk(FileSystem):
    """A file system in memory that can crash, and be made to fail.

    Parameters
    ----------
    seed : int
        Of all that is left to chance.

    Notes
    -----
    Names are relative to one root: "a/b", "/a/b" and "./a/b" are the same. It belongs to one thread.

    Examples
    --------
    A program that forgets the datasync may find its file empty:

    >>> disk = SimulatedDisk(seed=7)
    >>> with disk.open("CURRENT.tmp", create=True) as file:
    ...     file.write_at(0, b"MANIFEST-000002")
    >>> disk.rename("CURRENT.tmp", "CURRENT")
    >>> disk.sync_directory(".")
    >>> disk.crash("none").open("CURRENT").size()
    0
    """

    def __init__(self, seed: int = 0) -> None:
        self.root = Directory()
        self._dice = random.Random(seed)
        self._course = Course()
        self._locks: dict[int, SimulatedLock] = {}

    @property
    def calls(self) -> int:
        """How many calls there were that change something or sync it: those at which `crash_after` counts."""
        return self._course.calls

    @property
    def counts(self) -> Counter[str]:
        """How many calls of each kind there were, "read" among them."""
        return Counter(verb for verb, _, _ in self._course.log)

    @property
    def log(self) -> list[str]:
        """All calls in order, a line each, as "write index.db 4096..8192"."""
        return [" ".join(part for part in entry if part) for entry in self._course.log]

    def crash(self, survivors: Survivors = "torn", seed: int | None = None) -> SimulatedDisk:
        """Return the disk as a restart finds it, if the power goes now; this one stays as it is.

        Parameters
        ----------
        survivors : str
            Which pending changes reached the medium: "none"; "all"; "subset", each one wholly or not at all; or "torn",
            where of each write that did, each sector did or did not, and the length of a file is any that it had since
            it was synced. How likely a change is to survive is itself drawn, so that crashes which lose one change of
            many come up, and those which keep one.
        seed : int, optional
            Of the choice, and of the new disk; else this disk's own dice are rolled.

        Returns
        -------
        SimulatedDisk
            With everything that is left on its medium, no locks, and an empty log.

        Notes
        -----
        A change of names survives wholly or not at all in every mode.
        """
        if survivors not in ("none", "all", "subset", "torn"):
            raise InputError(f'survivors is {survivors!r}; it must be "none", "all", "subset" or "torn"')
        dice = random.Random(self._dice.getrandbits(64) if seed is None else seed)
        found = SimulatedDisk(dice.getrandbits(64))
        found.root = copy_survivors(self.root, survivors, dice.random(), dice)
        return found

    def watch(self, watcher: Callable[[], object] | None) -> None:
        """Call a function within each call that changes or syncs something: what it changes is pending, nothing synced.

        It sees what a crash within this call would find, and may take any number of them; None ends it.
        """
        self._course.watcher = watcher

    def crash_after(self, calls: int) -> None:
        """Cut the power within the call of this number from now on; 1 is the next that changes or syncs something."""
        self._course.crash_at = self.calls + require_positive(calls, "calls")

    def fail_sync(self, syncs: int = 1) -> None:
        """Let the sync of this number from now on fail, of a file or of a directory: 1 is the next one."""
        self._course.syncs_to_failure = require_positive(syncs, "syncs")

    def fill_up_after(self, size: int | None) -> None:
        """Let files grow by so many bytes more in all, then be full: of a write, as much as fits is written.

        What is cut off and unlinked makes room again; None makes room for everything.
        """
        if size is not None and size < 0:
            raise InputError(f"the disk cannot be full after {size} bytes; the number must be at least 0")
        self._course.room = size

    def flip_bits(self, path: PathLike, count: int = 1, begin: int = 0, end: int | None = None) -> list[int]:
        """Flip some bits of a file on the medium, each another one; what is pending is written back before.

        Parameters
        ----------
        path : str or path-like
            The file.
        count : int
            How many.
        begin, end : int
            The bytes among which they are chosen, ``[begin, end)``; without an end, to that of the file.

        Returns
        -------
        list of int
            The positions of the bits in order; bit b is in byte ``b // 8``.
        """
        name, content = self._find_file(path)
        content.sync()
        end = content.seen.size if end is None else end
        if not (0 <= begin <= end <= content.seen.size and 0 <= count <= 8 * (end - begin)):
            raise InputError(
                f"{name}: {count} bits of the bytes {begin}..{end} of {content.seen.size} cannot be flipped"
            )
        bits = sorted(self._dice.sample(range(8 * begin, 8 * end), count))
        for bit in bits:
            for image in (content.seen, content.medium):
                if bit // 8 < image.size:
                    image.write(bit // 8, bytes((image.read(bit // 8, 1)[0] ^ 1 << bit % 8,)))
        self._course.log.append(("flip", name, f"{count} bits"))
        return bits

    def open(self, path: PathLike, *, create: bool = False, readonly: bool = False) -> File:
        """Open a file; see `FileSystem.open`."""
        self._course.require_power()
        name, directory, entry = self._place(path)
        if create and readonly:
            raise InputError(f"{name}: a file that is created must be writable; leave create or readonly out")
        node = directory.seen.get(entry)
        if isinstance(node, Directory) or entry == "":
            raise StorageError(f"{name}: opening it failed: it is a directory")
        if node is None:
            if not create:
                raise StorageError(f"{name}: opening it failed: no such file; is create=True missing?")
            node = Content()
            directory.change({entry: node})
            self._course.happen("create", name)
        return SimulatedFile(name, readonly, node, self._course, self._dice)

    def exists(self, path: PathLike) -> bool:
        """Return whether a file or a directory has this name."""
        self._course.require_power()
        try:
            _, directory, entry = self._place(path)
        except StorageError:
            return False
        return entry == "" or entry in directory.seen

    def list_directory(self, path: PathLike) -> list[str]:
        """Return the names in a directory, in order."""
        self._course.require_power()
        return sorted(self._find_directory(path)[1].seen)

    def make_directory(self, path: PathLike) -> None:
        """Make a directory, or do nothing if it is there."""
        self._course.require_power()
        name, directory, entry = self._place(path)
        node = directory.seen.get(entry)
        if isinstance(node, Content):
            raise StorageError(f"{name}: making the directory failed: a file has this name")
        if node is None and entry:
            directory.change({entry: Directory()})
            self._course.happen("make_directory", name)

    def rename(self, source: PathLike, target: PathLike) -> None:
        """Give a file another name in its directory; a file of that name is replaced in one step."""
        self._course.require_power()
        old, directory, old_entry = self._place(source)
        new, other, new_entry = self._place(target)
        if other is not directory:
            raise InputError(
                f"{old} cannot be renamed to {new}, which is in another directory; write it there, sync and unlink"
            )
        _, content = self._find_file(source)
        replaced = directory.seen.get(new_entry)
        if isinstance(replaced, Directory) or new_entry == "":
            raise StorageError(f"{old}: renaming it to {new} failed: that is a directory")
        if replaced is not content:
            directory.change({old_entry: None, new_entry: content})
            if replaced is not None:
                self._course.take_room(-replaced.seen.size)
        self._course.happen("rename", old, f"-> {new}")

    def unlink(self, path: PathLike) -> None:
        """Take the name away from a file."""
        self._course.require_power()
        name, content = self._find_file(path)
        _, directory, entry = self._place(path)
        directory.change({entry: None})
        self._course.take_room(-content.seen.size)
        self._course.happen("unlink", name)

    def sync_directory(self, path: PathLike) -> None:
        """Bring the names in a directory to the medium."""
        self._course.require_power()
        name, directory = self._find_directory(path)
        self._course.happen("sync_directory", name)
        if self._course.sync_fails(name):
            directory.lose(self._dice)
            raise StorageError(f"{name}: syncing the directory failed: an error of the disk (simulated)")
        directory.sync()

    def lock(self, path: PathLike) -> Lock:
        """Take the lock that a file stands for; see `FileSystem.lock`."""
        self._course.require_power()
        name, directory, entry = self._place(path)
        content = directory.seen.get(entry)
        if isinstance(content, Directory) or entry == "":
            raise StorageError(f"{name}: opening the lock failed: it is a directory")
        if content is None:
            content = Content()
            directory.change({entry: content})
        if id(content) in self._locks:
            raise LockedError(
                f"{name}: locked by process {os.getpid()}, which is this one; only one may write at a time: close what "
                f"holds it"
            )
        content.change(0, None)
        content.change(0, b"%d\n" % os.getpid())
        self._course.happen("lock", name)
        self._locks[id(content)] = SimulatedLock(name, self._locks, id(content))
        return self._locks[id(content)]

    def _place(self, path: PathLike) -> tuple[str, Directory, str]:
        """Return a name in its plain form, the directory that it is in, and its last part (none of the root)."""
        name = posixpath.normpath("/" + os.fspath(path).replace(os.sep, "/")).lstrip("/")
        directory = self.root
        *parents, entry = name.split("/")
        for parent in parents:
            below = directory.seen.get(parent)
            if not isinstance(below, Directory):
                raise StorageError(f"{name}: there is no directory {parent}; make it first")
            directory = below
        return name or ".", directory, entry

    def _find_file(self, path: PathLike) -> tuple[str, Content]:
        name, directory, entry = self._place(path)
        node = directory.seen.get(entry)
        if not isinstance(node, Content):
            raise StorageError(f"{name}: there is no such file")
        return name, node

    def _find_directory(self, path: PathLike) -> tuple[str, Directory]:
        name, directory, entry = self._place(path)
        node = directory.seen.get(entry) if entry else directory
        if not isinstance(node, Directory):
            raise StorageError(f"{name}: there is no such directory")
        return name, node


def require_positive(count: int, name: str) -> int:
    """Return a number that is at least 1."""
    if count < 1:
        raise InputError(f"{name} is {count}; it must be at least 1, the next one")
    return count
