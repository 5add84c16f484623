"""Pending changes: what a file or a directory is between two syncs, and what a crash leaves of it.

The model of `smlib.storage.faults`, without its calls. A node holds two states, the one that readers see and the one on
the medium, and the list of changes that lead from the second to the first. A sync applies the list to the medium. A
crash applies a part of it to a copy of the medium: each change survives or does not, and those that do are applied in
the order in which they were made, for a system writes back what a place holds last.

The states are kept in blocks that copies share, so that a crash of a large file costs no more than its pending changes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

# A disk writes so many bytes at once, all or none of them.
SECTOR = 512
BLOCK = 4096
Survivors: TypeAlias = Literal["none", "all", "subset", "torn"]


class Image:
    """The bytes of a file, in blocks that are shared with copies of it; behind the end of the last one all is zero."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.size = 0

    def copy(self) -> Image:
        """Return another one, which changes on its own."""
        image = Image()
        image.blocks, image.size = self.blocks.copy(), self.size
        return image

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes of a range, as far as there are any."""
        end = min(offset + size, self.size)
        first, last = offset // BLOCK, (end - 1) // BLOCK
        blocks = self.blocks[first] if first == last else b"".join(self.blocks[first : last + 1])
        return blocks[offset - first * BLOCK : end - first * BLOCK] if offset < end else b""

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes at a position; a gap before them is all zeros."""
        end = offset + len(data)
        if end > self.size:
            self.resize(end)
        if data:
            first, last = offset // BLOCK, (end - 1) // BLOCK
            blocks = self.blocks[first][: offset - first * BLOCK] + data + self.blocks[last][end - last * BLOCK :]
            for number in range(first, last + 1):
                self.blocks[number] = blocks[(number - first) * BLOCK : (number - first + 1) * BLOCK]

    def resize(self, size: int) -> None:
        """Cut off at a length, or lengthen by zeros."""
        needed = -(-size // BLOCK)
        del self.blocks[needed:]
        self.blocks.extend([bytes(BLOCK)] * (needed - len(self.blocks)))
        if size < self.size and size % BLOCK:
            self.blocks[-1] = self.blocks[-1][: size % BLOCK].ljust(BLOCK, b"\0")
        self.size = size

    def apply(self, offset: int, data: bytes | None) -> None:
        """Make a change: write data, or resize where there are none."""
        if data is None:
            self.resize(offset)
        else:
            self.write(offset, data)


@dataclass(eq=False)
class Content:
    """What a file holds: as readers see it, on the medium, and the writes and truncations between the two.

    A truncation stands among the writes as a length with None for its data.
    """

    seen: Image = field(default_factory=Image)
    medium: Image = field(default_factory=Image)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def change(self, offset: int, data: bytes | None) -> None:
        """Make a change that is pending."""
        self.pending.append((offset, data))
        self.seen.apply(offset, data)

    def sync(self) -> None:
        """Bring all that is pending to the medium."""
        for offset, data in self.pending:
            self.medium.apply(offset, data)
        self.pending.clear()

    def lose(self, dice: random.Random) -> None:
        """Fail to sync: some of what is pending is on the medium then, and the rest is forgotten, though it is seen."""
        self.medium = self.survive("torn", dice.random(), dice)
        self.pending.clear()

    def survive(self, survivors: Survivors, rate: float, dice: random.Random) -> Image:
        """Return what a crash leaves on the medium."""
        image = self.medium.copy()
        if survivors == "none" or not self.pending:
            return image
        length = image.size
        lengths = [length]
        for offset, data in self.pending:
            length = offset if data is None else max(length, offset + len(data))
            lengths.append(length)
            if survivors == "all" or dice.random() < rate:
                if data is None or survivors != "torn":
                    image.apply(offset, data)
                else:
                    for begin, end in choose_sectors(offset, len(data), dice):
                        image.write(offset + begin, data[begin:end])
        if survivors == "torn":
            image.resize(dice.choice(lengths))
        return image


@dataclass(eq=False)
class Directory:
    """What names stand for: as readers see it, on the medium, and the changes between the two.

    A change gives some names something else to stand for, or nothing, in one step.
    """

    seen: dict[str, Content | Directory] = field(default_factory=dict)
    medium: dict[str, Content | Directory] = field(default_factory=dict)
    pending: list[dict[str, Content | Directory | None]] = field(default_factory=list)

    def change(self, names: dict[str, Content | Directory | None]) -> None:
        """Make a change that is pending."""
        self.pending.append(names)
        apply_names(self.seen, names)

    def sync(self) -> None:
        """Bring all that is pending to the medium."""
        for change in self.pending:
            apply_names(self.medium, change)
        self.pending.clear()

    def lose(self, dice: random.Random) -> None:
        """Fail to sync: some of what is pending is on the medium then, and the rest is forgotten, though it is seen."""
        self.medium = self.survive("subset", dice.random(), dice)
        self.pending.clear()

    def survive(self, survivors: Survivors, rate: float, dice: random.Random) -> dict[str, Content | Directory]:
        """Return what a crash leaves on the medium."""
        names = dict(self.medium)
        if survivors != "none":
            for change in self.pending:
                if survivors == "all" or dice.random() < rate:
                    apply_names(names, change)
        return names


def apply_names(names: dict[str, Content | Directory], change: dict[str, Content | Directory | None]) -> None:
    """Let names stand for something else, or for nothing."""
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def choose_sectors(offset: int, size: int, dice: random.Random) -> Iterator[tuple[int, int]]:
    """Yield the parts of a write that reach the medium: for each sector of the file that it touches, a coin."""
    coins = dice.getrandbits((offset + size - 1) // SECTOR - offset // SECTOR + 1) if size else 0
    begin = 0
    while begin < size:
        end = min(size, begin + SECTOR - (offset + begin) % SECTOR)
        if coins & 1:
            yield begin, end
        coins >>= 1
        begin = end


def copy_survivors(source: Directory, survivors: Survivors, rate: float, dice: random.Random) -> Directory:
    """Return the directory that a restart finds, with all that is in it on the medium."""
    names: dict[str, Content | Directory] = {}
    for name, node in source.survive(survivors, rate, dice).items():
        if isinstance(node, Directory):
            names[name] = copy_survivors(node, survivors, rate, dice)
        else:
            image = node.survive(survivors, rate, dice)
            names[name] = Content(image, image.copy())
    return Directory(names, dict(names))
