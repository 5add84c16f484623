"""Crashes of a store: a run of commits on a simulated disk, and what is found after each crash of it.

`Search` looks at every call of the run that changes something or syncs it, and survives it in several ways. `Careless`
is a disk that forgets what it was told, in one way of several: a store above it is as good as a store with that bug.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from smlib.errors import CorruptDataError
from smlib.storage import SimulatedDisk
from smlib.storage.filesystem import File, FileSystem, Lock, PathLike
from tests.storage.bplustree_tools import Commit, Items, after, apply, open_tree


class FoundWrong(AssertionError):  # noqa: N818  # it is what a search looks for
    """A crash has left what it must not leave."""


class ProcessDied(BaseException):
    """The process has ended within a call, and the machine went on."""


class Careless(FileSystem):
    """A simulated disk that does what it is told, but for one thing.

    Attributes
    ----------
    fault : str
        "": none; "data sync": what is no meta page is not synced; "meta sync": meta pages are not; "order": the meta
        page is written before the others, and all is synced once; "lost write": the last write before a meta page is
        lost; "one meta": the old meta page is gone when the new one is written; "directory": that is not synced;
        "recovery": nothing is synced before the first write.
    dies_after : int or None
        How many calls the process lives on.
    """

    def __init__(self, disk: SimulatedDisk, fault: str, page_size: int) -> None:
        self.disk = disk
        self.fault = fault
        self.page_size = page_size
        self.dies_after: int | None = None

    def live(self) -> None:
        """Count a call, and die in it if it is the one."""
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise ProcessDied

    def open(self, path: PathLike, *, create: bool = False, readonly: bool = False) -> File:
        return CarelessFile(self, self.disk.open(path, create=create, readonly=readonly))

    def exists(self, path: PathLike) -> bool:
        return self.disk.exists(path)

    def list_directory(self, path: PathLike) -> list[str]:
        return self.disk.list_directory(path)

    def make_directory(self, path: PathLike) -> None:
        self.disk.make_directory(path)

    def rename(self, source: PathLike, target: PathLike) -> None:
        self.disk.rename(source, target)

    def unlink(self, path: PathLike) -> None:
        self.disk.unlink(path)

    def sync_directory(self, path: PathLike) -> None:
        if self.fault != "directory":
            self.disk.sync_directory(path)

    def lock(self, path: PathLike) -> Lock:
        return self.disk.lock(path)


class CarelessFile(File):
    """A file of a careless disk; the first two pages are meta pages."""

    def __init__(self, system: Careless, file: File) -> None:
        super().__init__(file.path, file.readonly)
        self._system = system
        self._file = file
        self._held: list[tuple[int, bytes]] = []
        self._written = ""

    def _read(self, offset: int, size: int) -> bytes:
        return self._file.read_at(offset, size)

    def _write(self, offset: int, data: bytes | memoryview) -> None:
        self._system.live()
        fault, page_size = self._system.fault, self._system.page_size
        self._written = "meta" if offset < 2 * page_size else "data"
        if self._written == "data":
            if fault in ("order", "lost write"):
                self._held.append((offset, bytes(data)))
            else:
                self._file.write_at(offset, data)
            return
        if fault == "one meta":
            self._file.write_at(page_size - offset, bytes(page_size))
        if fault == "order":
            self._file.write_at(offset, data)
        for place, held in self._held[: -1 if fault == "lost write" else None]:
            self._file.write_at(place, held)
        self._held = []
        if fault != "order":
            self._file.write_at(offset, data)

    def _size(self) -> int:
        return max([self._file.size(), *(place + len(held) for place, held in self._held)])

    def _truncate(self, size: int) -> None:
        self._file.truncate(size)

    def _datasync(self) -> None:
        self._system.live()
        forgotten = {"data sync": "data", "meta sync": "meta", "recovery": ""}.get(self._system.fault)
        if self._written != forgotten and not self._held:
            self._file.datasync()

    def _close(self) -> None:
        self._file.close()


class Search:
    """A run of commits, and a look at the crashes in it.

    Parameters
    ----------
    seeds : iterable of int
        Each call is survived by nothing, by everything, and once a seed by a subset or, at every second call, by what
        is torn.
    fault : str
        Of `Careless`.
    at_most : int
        How many crashes are looked at.
    open_store : callable, optional
        Opens a store on a disk; a B+tree if not given.
    **options
        More for the store whose crashes are looked at, and not for those that look at what is left.

    Attributes
    ----------
    looks : int
        How many have been looked at.
    """

    def __init__(
        self,
        seeds: Iterable[int] = (),
        *,
        fault: str = "",
        page_size: int = 512,
        at_most: int = 10**9,
        open_store: Callable[..., Any] | None = None,
        **options: Any,
    ) -> None:
        self.looks = 0
        self._ways: list[tuple[Any, int]] = [("none", 0), ("all", 0)]
        self._ways += [(mode, seed) for seed in seeds for mode in ("subset", "torn")]
        self._at_most = at_most
        self._thread = threading.current_thread()
        self._disk = SimulatedDisk(seed=1)
        self._system = Careless(self._disk, "", page_size)
        self._open = open_store or partial(open_tree, page_size=page_size)
        self._options = options
        # The state that is promised to be on disk, and those of later commits; the last may be on its way.
        self._promised: Items = {}
        self._later: list[Items] = []
        self._views: list[tuple[Any, Items]] = []
        self.tree: Any = self._open(self._system, **options)
        self._system.fault = fault
        self._disk.watch(self.look)

    def look(self) -> None:
        """Crash here in every way, and look at what is left; what other threads do now and then, is not looked at."""
        if threading.current_thread() is not self._thread:
            return
        alternate = 2 + self._disk.calls % 2
        for mode, seed in self._ways[:2] + self._ways[alternate::2]:
            if self.looks < self._at_most:
                self.looks += 1
                try:
                    self._look_at(self._disk.crash(mode, seed))
                except (CorruptDataError, FoundWrong) as error:
                    raise FoundWrong(f"crash {self.looks}, {mode} {seed}, call {self._disk.calls}: {error}") from error

    def _look_at(self, left: SimulatedDisk) -> None:
        """Open what a crash has left, prove it, and go on working with it."""
        with self._open(left) as tree:
            found = dict(tree.items())
            tree.check()
            if found not in (self._promised, *self._later):
                raise FoundWrong(f"{len(found)} items, which is neither the state that was promised nor a later one")
            if self.looks % 4:
                return
            # At every fourth one: a commit that takes free pages, and a crash that loses what was not synced.
            more = {b"%d" % k: bytes([65 + k]) * (40 * k) for k in range(5)}
            tree.put_many(more)
            tree.check()
        with self._open(left.crash("none")) as tree:
            tree.check()
            if dict(tree.items()) != found | more:
                raise FoundWrong("a commit after the crash is lost, or has changed something else")

    @property
    def newest(self) -> Items:
        """The items as the last commit has left them."""
        return self._later[-1] if self._later else self._promised

    def run(self, commits: Iterable[Commit], *, then_sync: bool = False) -> None:
        """Make commits, and look at what snapshots show."""
        for commit in commits:
            self._later.append(after(self.newest, commit))
            apply(self.tree, commit)
            if self._options.get("durability") != "batch":
                self._settle()
            for view, items in self._views:
                try:
                    right = dict(view.items()) == items
                except CorruptDataError as error:
                    raise FoundWrong(f"a snapshot is damaged: {error}") from error
                if not right:
                    raise FoundWrong("a snapshot has changed")
        if then_sync:
            self.tree.sync()
            self._settle()

    def clear(self) -> None:
        """Take all items out in one commit."""
        self._later.append({})
        self.tree.clear()
        self._settle()

    def _settle(self) -> None:
        """Write down that the newest state is promised."""
        self._promised, self._later = self.newest, []

    def take_snapshot(self) -> None:
        """Take a snapshot, which `run` looks at from now on."""
        self._views.append((self.tree.snapshot(), self.newest))

    def close_snapshots(self) -> None:
        """Close all snapshots."""
        for view, _ in self._views:
            view.close()
        self._views = []

    def reopen(self) -> None:
        """Close the tree and open it again."""
        self.tree.close()
        self._settle()
        self.tree = self._open(self._system, **self._options)

    def die_within(self, commit: Commit, calls: int) -> None:
        """Let the process end within a commit, after so many calls of it; another one opens the tree."""
        self._later.append(after(self.newest, commit))
        self._system.dies_after = calls
        try:
            apply(self.tree, commit)
            self._settle()
        except ProcessDied:
            pass
        self._system.dies_after = None
        self.tree.close()
        self.tree = self._open(self._system, **self._options)
        # Which of the two states it is, is settled now.
        found = dict(self.tree.items())
        if found not in (self._promised, *self._later):
            raise FoundWrong("a process that has died left neither the state before its commit nor that after it")
        self._promised, self._later = found, []
