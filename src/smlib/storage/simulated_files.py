"""The files of a simulated disk, and the course of events on it: what was called, and what is to go wrong when.

Every call that changes something or syncs it goes through `Course.happen`, after its changes were made pending and
before anything is synced. That is the moment at which a crash is worth looking at: one between two calls would find
what the next call's own crash finds when its changes are lost.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from smlib.errors import DiskFullError, StorageError
from smlib.storage.filesystem import File, Lock
from smlib.storage.pending_changes import Content


class SimulatedCrash(BaseException):
    """The power went, within a call of a `SimulatedDisk`.

    It derives from BaseException as KeyboardInterrupt does, so that no ``except Exception`` of a store swallows it: a
    program whose machine has stopped does not go on. What its ``finally`` blocks ask of the disk raises it again.
    """


@dataclass(eq=False)
class Course:
    """What was called on a disk so far, and what is to go wrong."""

    log: list[tuple[str, str, str]] = field(default_factory=list)
    calls: int = 0
    watcher: Callable[[], object] | None = None
    crash_at: int | None = None
    crashed: bool = False
    syncs_to_failure: int = 0
    room: int | None = None

    def require_power(self) -> None:
        """Refuse a call after the crash."""
        if self.crashed:
            raise SimulatedCrash("the power is off; crash() returns the disk that a restart finds")

    def happen(self, verb: str, name: str, detail: str = "") -> None:
        """Count a call whose changes are pending, let it be watched, and let the power go within it."""
        self.calls += 1
        self.log.append((verb, name, detail))
        if self.watcher is not None:
            self.watcher()
        if self.calls == self.crash_at:
            self.crashed = True
            self.log.append(("crash", "", ""))
            raise SimulatedCrash(f"the power went within call {self.calls}, {verb} {name} {detail}".rstrip())

    def sync_fails(self, name: str) -> bool:
        """Count a sync, and say whether it is the one that is to fail."""
        if self.syncs_to_failure:
            self.syncs_to_failure -= 1
            if not self.syncs_to_failure:
                self.log.append(("fail", name, ""))
                return True
        return False

    def take_room(self, size: int) -> int:
        """Take some bytes of the disk's room, or give them back; return how many there were."""
        if self.room is None:
            return size
        taken = min(size, self.room)
        self.room -= taken
        return taken


class SimulatedFile(File):
    """A file of a simulated disk."""

    def __init__(self, path: str, readonly: bool, content: Content, course: Course, dice: random.Random) -> None:
        super().__init__(path, readonly)
        self._content = content
        self._course = course
        self._dice = dice

    def _read(self, offset: int, size: int) -> bytes:
        self._course.require_power()
        self._course.log.append(("read", self.path, f"{offset}..{offset + size}"))
        return self._content.seen.read(offset, size)

    def _write(self, offset: int, data: bytes | memoryview) -> None:
        course, content = self._course, self._content
        course.require_power()
        end = offset + len(data)
        if not data:
            return
        grown = max(0, end - content.seen.size)
        taken = course.take_room(grown)
        missing = min(len(data), grown - taken)
        if missing < len(data):
            content.change(offset, bytes(data[: len(data) - missing]))
        else:
            course.take_room(-taken)
        course.happen("write", self.path, f"{offset}..{end}" + (f" full at {end - missing}" if missing else ""))
        if missing:
            raise DiskFullError(
                f"{self.path}: writing {len(data)} bytes at {offset} failed, for the disk is full; make room and try "
                f"again"
            )

    def _size(self) -> int:
        self._course.require_power()
        return self._content.seen.size

    def _truncate(self, size: int) -> None:
        course, content = self._course, self._content
        course.require_power()
        grown = size - content.seen.size
        taken = course.take_room(grown)
        if taken == grown:
            content.change(size, None)
        else:
            course.take_room(-taken)
        course.happen("truncate", self.path, f"{size}" + (" full" if taken < grown else ""))
        if taken < grown:
            raise DiskFullError(
                f"{self.path}: setting its length to {size} failed, for the disk is full; make room and try again"
            )

    def _datasync(self) -> None:
        course, content = self._course, self._content
        course.require_power()
        course.happen("datasync", self.path)
        if course.sync_fails(self.path):
            content.lose(self._dice)
            raise StorageError(f"{self.path}: syncing it failed: an error of the disk (simulated)")
        content.sync()

    def _close(self) -> None:
        pass


class SimulatedLock(Lock):
    """A lock of a simulated disk."""

    def __init__(self, path: str, taken: dict[int, SimulatedLock], number: int) -> None:
        self.path = path
        self._taken = taken
        self._number = number
        self._owner: int | None = os.getpid()

    @property
    def held(self) -> bool:
        """Whether this process owns it."""
        return self._owner == os.getpid()

    def close(self) -> None:
        """Give the lock back."""
        if self._owner is not None:
            self._owner = None
            del self._taken[self._number]
