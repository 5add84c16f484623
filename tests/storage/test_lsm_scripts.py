"""Stories of an LSM-tree in a folder: commits, crashes, flushes, merges, snapshots, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

from smlib.errors import CorruptDataError, LockedError
from smlib.storage import LSMTree, SimulatedCrash, SimulatedDisk, Snapshot
from smlib.storage.lsm.descriptions import describe_folder
from tests.storage.script_runner import run_script

PATH = "tree"


def say_items(items: Iterable[tuple[bytes, bytes]]) -> str:
    return " ".join(f"{key.decode()}={value.decode()}" for key, value in items)


class Desk:
    """Executes the commands of a script on a tree; its disk may crash."""

    def __init__(self) -> None:
        self.disk = SimulatedDisk(seed=1)
        self.views: dict[str, Snapshot[Any]] = {}
        self.open()

    def open(self) -> None:
        """Open the folder; blocks are full after two short items."""
        self.tree = LSMTree.open(PATH, filesystem=self.disk, block_size=30)

    def __call__(self, words: list[str]) -> str:
        name, *rest = words
        try:
            return str(getattr(self, name)(*rest))
        except (CorruptDataError, LockedError) as error:
            return f"{type(error).__name__}: {error}".replace(f"process {os.getpid()}", "process 1")
        except SimulatedCrash:
            return f"{self.calls(-2)}, and the power went"

    def put(self, *items: str) -> str:
        """Set items, as ``key=value``, in one commit; return what it wrote, and when it synced."""
        begin = len(self.disk.log)
        self.tree.put_many(
            [(key.encode(), value.encode()) for key, _, value in (item.partition("=") for item in items)]
        )
        return self.calls(begin)

    def delete(self, *keys: str) -> str:
        begin = len(self.disk.log)
        with self.tree.batch() as batch:
            for key in keys:
                del batch[key.encode()]
        return self.calls(begin)

    def flush(self) -> str:
        begin = len(self.disk.log)
        self.tree.flush()
        return self.calls(begin)

    def compact(self) -> str:
        begin = len(self.disk.log)
        self.tree.compact()
        return self.calls(begin)

    def calls(self, begin: int) -> str:
        """Return what was written, synced, made and deleted since a place of the log."""
        verbs = {"datasync": "sync", "sync_directory": "sync", "unlink": "delete"}
        told = []
        for line in self.disk.log[begin:]:
            verb, _, detail = line.partition(" ")
            if verb not in ("read", "crash"):
                told.append(f"{verbs.get(verb, verb)} {detail.removeprefix(f'{PATH}/')}")
        return ", ".join(told)

    def get(self, key: str) -> str:
        """Return the value of a key, and which blocks of which tables were read for it."""
        begin = len(self.disk.log)
        value = self.tree.get(key.encode())
        reads = [line.rpartition("/")[2] for line in self.disk.log[begin:]]
        return f"{'none' if value is None else value.decode()}; read {', '.join(reads) or 'nothing'}"

    def items(self) -> str:
        return say_items(self.tree.items())

    def files(self) -> str:
        """Return what is in each file; in brackets what nothing leads to."""
        lines = []
        for row in describe_folder(self.disk, self.disk, PATH):
            parts = [
                f"{part['role']}: {part['text']}" for part in row["parts"] if part["role"] not in ("filter", "index")
            ]
            line = " | ".join([row["name"], *parts])
            line += f" | level {row['level']}" if row["level"] is not None else ""
            lines.append(line if row["named"] else f"({line})")
        return "\n".join(lines)

    def power(self, calls: str) -> str:
        """Cut the power within a call from now on; 1 is the next one."""
        self.disk.crash_after(int(calls))
        return ""

    def restart(self, survivors: str, seed: str = "0") -> str:
        """Open what the crash has left, if it is survived by such writes; prove it."""
        self.disk = self.disk.crash(survivors, int(seed))  # type: ignore[arg-type]
        self.open()
        self.tree.check()
        return self.items()

    def left(self, survivors: str, seed: str = "0") -> str:
        """Return the files that a crash would leave, as nobody has opened them yet."""
        desk = object.__new__(Desk)
        desk.disk = self.disk.crash(survivors, int(seed))  # type: ignore[arg-type]
        return desk.files()

    def reopen(self) -> str:
        self.tree.close()
        self.open()
        return self.items()

    def check(self) -> str:
        self.tree.check()
        return "every table is whole"

    def snapshot(self, name: str) -> str:
        self.views[name] = self.tree.snapshot()
        return ""

    def show(self, name: str) -> str:
        return say_items(self.views[name].items())

    def close(self, name: str) -> str:
        self.views.pop(name).close()
        return ""

    def second(self, word: str) -> str:
        """Open the tree again while it is open, to write or to read."""
        with LSMTree.open(PATH, filesystem=self.disk, readonly=word == "reader") as tree:
            return say_items(tree.items())

    def cut(self, name: str, size: str) -> str:
        """Cut bytes off the end of a file, after the tree was closed; then open it again."""
        self.tree.close()
        with self.disk.open(f"{PATH}/{name}") as file:
            file.truncate(file.size() - int(size))
        self.open()
        return self.items()

    def damage(self, name: str, begin: str, end: str) -> str:
        """Flip a bit of a file among some bytes, after the tree was closed; then open it again."""
        self.tree.close()
        self.disk.flip_bits(f"{PATH}/{name}", 1, int(begin), int(end))
        self.open()
        return ""

    def lose(self, name: str) -> str:
        """Delete a file, after the tree was closed; then open it again."""
        self.tree.close()
        self.disk.unlink(f"{PATH}/{name}")
        self.open()
        return ""

    def half(self, name: str, content: str) -> str:
        """Write a file anew without its line feed, after the tree was closed; then open it again."""
        self.tree.close()
        with self.disk.open(f"{PATH}/{name}") as file:
            file.truncate(0)
            file.write_at(0, content.encode())
        self.open()
        return ""

    def whole(self, name: str, content: str) -> str:
        """Write a file anew with a line feed, and open the tree again."""
        return self.half(name, f"{content}\n")


@pytest.mark.parametrize(
    "name", ["commits", "torn_logs", "flushes", "merges", "snapshots", "damage"], ids=lambda name: name
)
def test_the_script(name: str) -> None:
    run_script(f"lsm_{name}.txt", Desk())
