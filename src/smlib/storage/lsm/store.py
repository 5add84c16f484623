"""The store: what is looked at, in memory and in tables, as of some sequence number.

A *state* is a sequence number, the memtable and the version that went with it. The next commit has a higher number, and
mostly the same memtable, which then says more, but nothing else about earlier numbers (as long as somebody holds the
state: see `memtable`). A flush gives the next state another memtable and another version, and leaves those of older
states as they are. So whoever has a state can go on reading it.

All that a state's tables have is older than its number: only the memtable has to be asked for a certain time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from smlib.storage.byte_store import ByteStore, Item
from smlib.storage.filesystem import FileSystem
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.entries import NEWEST_TAG, Entries, find_first, part_of
from smlib.storage.lsm.internal_keys import DELETION, MAX_SEQUENCE, SEEK
from smlib.storage.lsm.memtable import Memtable
from smlib.storage.lsm.versions import Version
from smlib.storage.lsm.walking import merge_backwards, merge_forwards
from smlib.storage.packed_bytes import split

# The tag of what is newest.
NEWEST = MAX_SEQUENCE << 8 | SEEK
# Of a memtable, how many entries a walk asks for first.
ENTRIES_FIRST = 16


class LSMState(NamedTuple):
    """What one commit has left.

    Attributes
    ----------
    sequence : int
        The number of its last change.
    memtable : Memtable
    version : Version
    """

    sequence: int
    memtable: Memtable
    version: Version

    @property
    def transaction(self) -> int:
        """The number of the commit."""
        return self.sequence


class LSMStore(ByteStore[LSMState]):
    """An open folder.

    Attributes
    ----------
    filesystem : FileSystem
    block_cache : BlockCache
    sequence : int
        Of the last change.
    sources : tuple of Memtable and Version
        Where the newest values are; replaced in one step, so that a thread that reads has both or neither.
    held : dict
        How many look at the state of each sequence number.
    """

    __slots__ = ("block_cache", "filesystem", "held", "sequence", "sources")

    longest_key = (1 << 31) - 16

    def __init__(self, filesystem: FileSystem, path: str, block_cache: BlockCache, newest: LSMState) -> None:
        super().__init__(path)
        self.filesystem = filesystem
        self.block_cache = block_cache
        self.sequence = newest.sequence
        self.sources = newest.memtable, newest.version
        self.held: dict[int, int] = {}

    @property
    def memtable(self) -> Memtable:
        """What is in memory."""
        return self.sources[0]

    @property
    def version(self) -> Version:
        """What is in tables."""
        return self.sources[1]

    @property
    def newest(self) -> LSMState:  # type: ignore[override]  # an attribute elsewhere
        """The newest state."""
        return LSMState(self.sequence, self.memtable, self.version)

    @property
    def newest_held(self) -> int:
        """The highest sequence number that somebody looks at; -1 if there is none."""
        return max(self.held, default=-1)

    def close(self) -> None:
        """Close all tables."""
        super().close()
        for file in self.version.files:
            file.table.file.close()

    def current(self) -> LSMState:
        """Return the newest state."""
        return self.newest

    def hold(self, state: LSMState) -> None:
        """Keep the versions of keys that a state shows."""
        self.held[state.sequence] = self.held.get(state.sequence, 0) + 1

    def let_go(self, state: LSMState) -> None:
        """Undo one `hold`."""
        self.held[state.sequence] -= 1
        if not self.held[state.sequence]:
            del self.held[state.sequence]

    def find(self, state: LSMState | None, key: bytes) -> bytes | None:
        """Return the value of a key in a state, the newest one if none is given; None if it is not there."""
        if type(key) is not bytes:
            return None
        if self.refusal is not None:
            self.require_open()
        if state is None:
            # The newest value of a key is there without waiting: who commits may be waiting for the disk.
            memtable, version = self.sources
            newest = memtable.newest
            if key in newest:
                return newest[key]
        else:
            version = state.version
            with self.mutex:
                content = state.memtable.find(key, state.sequence)
            if content is not False:
                return content
        found = (version.find or version.lay_directory())(key, NEWEST)
        return None if found is None or found[0] & 255 == DELETION else found[1]

    def get_many(self, state: LSMState | None, keys: list[Any], default: Any) -> list[Any]:
        """Return the values of many keys in a state."""
        with self.mutex:
            found = [self.find(state, key) for key in keys]
        return [default if value is None else value for value in found]

    def chunks(
        self,
        state: LSMState,
        start: bytes = b"",
        stop: bytes | None = None,
        *,
        reverse: bool = False,
        most: int | None = None,
    ) -> Iterator[Entries]:
        """Yield the items of an interval, some at a time; ``most`` is how many are asked of the memtable at first."""
        sources = [walk_memtable(state, start, stop, reverse, most), *state.version.streams(start, stop, reverse)]
        for chunk in (merge_backwards if reverse else merge_forwards)(sources):
            # Streams begin where they should, and go on behind the other end.
            low = find_first(chunk, start, NEWEST_TAG) if reverse and start else 0
            high = find_first(chunk, stop, NEWEST_TAG) if stop is not None and not reverse else chunk.size
            if low < high:
                yield chunk if high - low == chunk.size else part_of(chunk, low, high)
            if low > 0 or high < chunk.size:
                return

    def walk(self, state: LSMState, start: bytes, stop: bytes | None, *, reverse: bool) -> Iterator[list[Item]]:
        """Yield the items of an interval of a state in lists, a block first and then more."""
        if stop is not None and stop <= start:
            return
        for chunk in self.chunks(state, start, stop, reverse=reverse, most=ENTRIES_FIRST):
            items = list(zip(split(chunk.keys, chunk.key_ends), split(chunk.values, chunk.value_ends), strict=True))
            if reverse:
                items.reverse()
            yield items

    def count(self, state: LSMState) -> int:
        """Return the number of items: nobody has counted them, so all are walked over."""
        with self.mutex:
            self.require_open()
            return sum(chunk.size for chunk in self.chunks(state))

    def check(self, state: LSMState) -> None:
        """Prove the tables of a state."""
        state.version.check(state.sequence)

    def describe(self, state: LSMState) -> dict[str, float]:
        """Return ``items``, which are counted, ``tables``, ``bytes`` in tables, and ``transaction``."""
        files = state.version.files
        return {
            "items": self.count(state),
            "tables": len(files),
            "bytes": sum(file.facts.size for file in files),
            "transaction": state.sequence,
        }


def walk_memtable(
    state: LSMState, start: bytes, stop: bytes | None, reverse: bool, most: int | None
) -> Iterator[Entries]:
    """Yield what a memtable has in an interval, some entries at a time, and more each time."""
    rest: bytes | None = b""
    while rest is not None:
        entries, rest = state.memtable.entries(state.sequence, start, stop, reverse=reverse, most=most)
        if rest is not None:
            start, stop = (start, rest) if reverse else (rest, stop)
        most = None if most is None else 4 * most
        if entries.size:
            yield entries
