"""Transactions and batches: many changes that are seen together or not at all.

A *batch* collects changes and reads nothing. A *transaction* is a snapshot with a dict of changes over it: what it
reads is its own change where there is one, and what the snapshot has elsewhere. Nobody else sees the changes before the
end; they are committed then, all in one, or dropped.

Two transactions may have read the same thing and each have changed it. Here the one that comes second is refused: it
commits only if nothing was committed since it began, and whoever is refused tries again. That is *optimistic*, for it
waits for nobody and no two can wait for each other, and it is strict, for it asks for less than would be safe. (One
that only reads is never refused.)

Invariants:
  1. A transaction reads what its snapshot and its own changes say, whatever others commit.
  2. Transactions that commit have happened one after the other, in the order of their commits.

Cost: O(log n) a change, and O(c) to put a new key among c changed ones in order; a commit for the whole.

Kung & Robinson, "On Optimistic Methods for Concurrency Control", *ACM Transactions on Database Systems* 6 (1981).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

from smlib.errors import ClosedError, ConflictError, ReadOnlyError
from smlib.storage.arguments import as_interval, as_key, as_value
from smlib.storage.byte_store import Committer
from smlib.storage.snapshots import Snapshot
from smlib.storage.sorted_mapping import SortedMapping, keys_changed, pairs_of


class Batch:
    """Changes that are applied in one commit at the end of a ``with`` block, and dropped if it raises.

    `BPlusTree.batch` and `LSMTree.batch` make them. Of changes of one key the last one counts; removing a key that is
    not there is none.

    Notes
    -----
    Complexity: O(1) a change, and a commit for the whole.
    """

    __slots__ = ("_changes", "_longest", "_writer")

    def __init__(self, writer: Committer) -> None:
        self._writer: Committer | None = writer
        self._longest = writer.store.longest_key
        self._changes: dict[bytes, bytes | None] = {}

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._require_open()
        self._changes[as_key(key, self._longest)] = as_value(value)

    def __delitem__(self, key: bytes) -> None:
        self._require_open()
        self._changes[as_key(key, self._longest)] = None

    def __len__(self) -> int:
        return len(self._changes)

    def put_many(self, items: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]]) -> None:
        """Set many items; of equal keys the last one stays."""
        for key, value in pairs_of(items):
            self[key] = value

    def clear(self) -> None:
        """Drop what has been collected."""
        self._changes.clear()

    def __enter__(self) -> Batch:
        self._require_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        writer = self._require_open()
        self._writer = None
        if kind is None:
            commit_changes(writer, self._changes)

    def _require_open(self) -> Committer:
        if self._writer is None:
            raise ClosedError("the batch is done; begin another one")
        return self._writer


class Transaction(SortedMapping[bytes, bytes]):
    """A snapshot and changes of one's own over it, committed at the end of a ``with`` block, and dropped if it raises.

    `BPlusTree.transaction` and `LSMTree.transaction` make them. It can do what a store can, and belongs to one thread.

    Notes
    -----
    Complexity: that of a snapshot; a change costs O(log n), and a new key O(c) more after c others, a copy of that many
    references.
    """

    __slots__ = ("_added", "_changes", "_edits", "_keys", "_longest", "_snapshot", "_writer")

    def __init__(self, snapshot: Snapshot[Any], writer: Committer | None) -> None:
        self._snapshot = snapshot
        self._writer = writer
        self._longest = snapshot._store_of().longest_key
        self._changes: dict[bytes, bytes | None] = {}
        self._keys: list[bytes] = []
        self._edits = 0
        self._added = 0

    def __getitem__(self, key: bytes) -> bytes:
        if type(key) is bytes and key in self._changes:
            self._snapshot._store_of()
            value = self._changes[key]
            if value is None:
                raise KeyError(key)
            return value
        return self._snapshot[key]

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._change(as_key(key, self._longest), as_value(value))

    def __delitem__(self, key: bytes) -> None:
        if key not in self:
            raise KeyError(key)
        self._change(key, None)

    def __len__(self) -> int:
        return len(self._snapshot) + self._added

    def range(
        self,
        start: bytes | None = None,
        stop: bytes | None = None,
        *,
        reverse: bool = False,
        prefix: bytes | None = None,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Walk the items of an interval in order, changes included; see `BPlusTree.range`."""
        low, high = as_interval(start, stop, prefix)
        return self._merge(self._snapshot.range(low, high, reverse=reverse), low, high, reverse, self._edits)

    def get_many(self, keys: Iterable[bytes], default: Any = None) -> list[Any]:
        """Return the values of many keys, in the order in which they are asked for."""
        asked = list(keys)
        values = self._snapshot.get_many(asked, default)
        if self._changes:
            for place, key in enumerate(asked):
                if type(key) is bytes and key in self._changes:
                    changed = self._changes[key]
                    values[place] = default if changed is None else changed
        return values

    def check(self) -> None:
        """Prove what the transaction began with; see `Snapshot.check`."""
        self._snapshot.check()

    def stats(self) -> dict[str, float]:
        """Return ``items``, and ``changes``: how many keys this transaction has set or removed."""
        return {"items": len(self), "changes": len(self._changes)}

    def commit(self) -> None:
        """Commit the changes now, and end the transaction.

        Raises
        ------
        ConflictError
            Another commit has changed the store since this transaction began; its changes are dropped.
        StorageError
            As any commit of the store.
        """
        self._snapshot._store_of()
        changes, self._changes = self._changes, {}
        snapshot, writer = self._snapshot, self._writer
        try:
            if writer is not None and changes:
                with writer.store.mutex:
                    writer.require_working()
                    if writer.store.current().transaction != snapshot._state.transaction:
                        raise ConflictError(
                            f"{writer.store.path}: the store was changed after this transaction began, and what it has "
                            f"read may be out of date; begin another one"
                        )
                    commit_changes(writer, changes)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Drop the changes, and end the transaction; a second time does nothing."""
        self._changes, self._keys, self._added = {}, [], 0
        self._snapshot.close()

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None or self._snapshot._store is None:
            self.abandon()
        else:
            self.commit()

    def _change(self, key: bytes, value: bytes | None) -> None:
        if self._writer is None:
            raise ReadOnlyError("the transaction is for reading only; leave readonly=True out")
        there = key in self
        if key not in self._changes:
            insort(self._keys, key)
        self._changes[key] = value
        if there != (value is not None):
            self._edits += 1
            self._added += -1 if value is None else 1

    def _merge(
        self, below: Iterator[tuple[bytes, bytes]], low: bytes, high: bytes | None, reverse: bool, edits: int
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield the items of the snapshot and those of the changes, in order."""
        comes_before: Callable[[bytes, bytes], bool] = bytes.__gt__ if reverse else bytes.__lt__
        item = next(below, None)
        last: bytes | None = None
        while True:
            if self._edits != edits:
                raise keys_changed("a list")
            key = self._next_change(last, low, high, reverse)
            if item is not None and (key is None or comes_before(item[0], key)):
                last = item[0]
                yield item
                item = next(below, None)
            elif key is not None:
                if item is not None and item[0] == key:
                    item = next(below, None)
                last = key
                value = self._changes[key]
                if value is not None:
                    yield key, value
            else:
                return

    def _next_change(self, last: bytes | None, low: bytes, high: bytes | None, reverse: bool) -> bytes | None:
        """Return the changed key of an interval that follows a key, or the first one."""
        keys = self._keys
        if reverse:
            end = high if last is None else last
            place = (len(keys) if end is None else bisect_left(keys, end)) - 1
            return keys[place] if place >= 0 and keys[place] >= low else None
        place = bisect_left(keys, low if last is None else last + b"\0")
        return keys[place] if place < len(keys) and (high is None or keys[place] < high) else None


def commit_changes(writer: Committer, changes: dict[bytes, bytes | None]) -> None:
    """Commit changes, None standing for a removal."""
    puts = {key: value for key, value in changes.items() if value is not None}
    writer.commit(puts, [key for key, value in changes.items() if value is None])
