"""Stories of a B+tree in a file: commits, crashes, snapshots, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

from smlib.errors import CorruptDataError, LockedError
from smlib.storage import BPlusTree, SimulatedCrash, SimulatedDisk, Snapshot
from smlib.storage.bplustree.descriptions import describe_page
from smlib.storage.wording import contents_of
from tests.storage.script_runner import run_script

PATH, SIZE = "tree", 512


def as_value(word: str) -> bytes:
    """Return a value; ``x*300`` stands for 300 times x."""
    letter, star, count = word.partition("*")
    return letter.encode() * int(count) if star else word.encode()


def say_value(value: bytes) -> str:
    return value.decode() if len(value) < 10 else f"{value[:1].decode()}*{len(value)}"


def say_items(items: Iterable[tuple[bytes, bytes]]) -> str:
    return " ".join(f"{key.decode()}={say_value(value)}" for key, value in items)


class Desk:
    """Executes the commands of a script on a tree; its disk may crash."""

    def __init__(self) -> None:
        self.disk = SimulatedDisk(seed=1)
        self.tree = BPlusTree.open(PATH, page_size=SIZE, filesystem=self.disk)
        self.views: dict[str, Snapshot[Any]] = {}

    def __call__(self, words: list[str]) -> str:
        name, *rest = words
        try:
            return str(getattr(self, name)(*rest))
        except (CorruptDataError, LockedError) as error:
            return f"{type(error).__name__}: {error}".replace(f"process {os.getpid()}", "process 1")
        except SimulatedCrash:
            return f"{self.calls(-2)}, and the power went"

    def put(self, *items: str) -> str:
        """Set items, as ``key=value``, in one commit; return which pages it wrote, and when it synced."""
        begin = len(self.disk.log)
        self.tree.put_many(
            [(key.encode(), as_value(value)) for key, _, value in (item.partition("=") for item in items)]
        )
        return self.calls(begin)

    def delete(self, *keys: str) -> str:
        begin = len(self.disk.log)
        with self.tree.batch() as batch:
            for key in keys:
                del batch[key.encode()]
        return self.calls(begin)

    def calls(self, begin: int) -> str:
        """Return which pages were written, and what was synced, since a place of the log."""
        told = []
        for line in self.disk.log[begin:]:
            verb, _, detail = f"{line}  ".split(" ", 2)
            first, _, end = detail.strip().partition("..")
            if verb == "write":
                told.append(f"write {' '.join(str(page) for page in range(int(first) // SIZE, int(end) // SIZE))}")
            elif verb == "datasync":
                told.append("sync")
        return ", ".join(told)

    def items(self) -> str:
        return say_items(self.tree.items())

    def pages(self) -> str:
        """Return what is in each page of the file."""
        content = contents_of(self.disk, PATH)
        lines = []
        for number in range(len(content) // SIZE):
            page = describe_page(content[number * SIZE :][:SIZE], number)
            told = page["kind"]
            if page["meta"]:
                told += f": commit {page['meta']['transaction']}, root {page['meta']['root']}"
            elif page["keys"]:
                told += f": {' '.join(key or '-' for key in page['keys'])}"
            elif page["numbers"]:
                told += f": {' '.join(map(str, page['numbers']))}"
            lines.append(f"{number} {told}")
        return "\n".join(lines)

    def power(self, calls: str) -> str:
        """Cut the power within a call from now on; 1 is the next one."""
        self.disk.crash_after(int(calls))
        return ""

    def restart(self, survivors: str, seed: str = "0") -> str:
        """Open what the crash has left, if it is survived by such writes; prove it."""
        self.disk = self.disk.crash(survivors, int(seed))  # type: ignore[arg-type]
        self.tree = BPlusTree.open(PATH, filesystem=self.disk)
        self.tree.check()
        return self.items()

    def reopen(self) -> str:
        self.tree.close()
        self.tree = BPlusTree.open(PATH, filesystem=self.disk)
        return self.items()

    def stats(self, name: str) -> str:
        return str(self.tree.stats()[name])

    def check(self) -> str:
        self.tree.check()
        return "every page is whole, and in use once, or free"

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
        with BPlusTree.open(PATH, filesystem=self.disk, readonly=word == "reader") as tree:
            return say_items(tree.items())

    def damage(self, page: str) -> str:
        """Flip a bit of a page, after the tree was closed; then open it again."""
        self.tree.close()
        begin = int(page) * SIZE
        self.disk.flip_bits(PATH, 1, begin, begin + SIZE)
        self.tree = BPlusTree.open(PATH, filesystem=self.disk)
        return ""

    def lose(self, *pages: str) -> str:
        """Let pages be as if they had never been written, after the tree was closed; then open it again."""
        self.tree.close()
        with self.disk.open(PATH) as file:
            for page in pages:
                file.write_at(int(page) * SIZE, bytes(SIZE))
        self.tree = BPlusTree.open(PATH, filesystem=self.disk)
        return ""

    def get(self, key: str) -> str:
        return say_value(self.tree[key.encode()])


@pytest.mark.parametrize(
    "name", ["commits", "crashes", "snapshots", "large_values", "writers", "damage"], ids=lambda name: name
)
def test_the_script(name: str) -> None:
    run_script(f"bplustree_{name}.txt", Desk())
