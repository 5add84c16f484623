"""What trees of bytes have in common for those who use them: one writer, its commits, and an end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from smlib.errors import ReadOnlyError
from smlib.storage.arguments import as_items, as_key, as_value
from smlib.storage.byte_store import ByteStore, Committer, S
from smlib.storage.filesystem import Lock
from smlib.storage.snapshots import Snapshot
from smlib.storage.transactions import Batch, Transaction
from smlib.storage.views import View

W = TypeVar("W", bound=Committer)


class ByteTree(View[S], Generic[S, W]):
    """A mapping from bytes to bytes that is open, to be written or to be read only."""

    __slots__ = ("_lock", "_store", "_writer")

    _store: ByteStore[S]
    _writer: W | None
    _lock: Lock | None

    @property
    def path(self) -> str:
        """Where it lies."""
        return self._store.path

    @property
    def readonly(self) -> bool:
        """Whether it was opened for reading only."""
        return self._writer is None

    def close(self) -> None:
        """Write what is not on its way yet, and close all files; a second time does nothing.

        All is on disk then, but for ``durability="none"``: ``sync`` before, if it must be.

        Raises
        ------
        StorageError
            The disk refuses; all is closed all the same.
        """
        store = self._store
        with store.mutex:
            if store.closed:
                return
            try:
                if self._writer is not None and store.refusal is None:
                    self._writer.finish()
            finally:
                store.close()
                if self._lock is not None:
                    self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _store_of(self) -> ByteStore[S]:
        return self._store

    def _look(self) -> tuple[ByteStore[S], S]:
        self._store.require_open()
        return self._store, self._store.current()

    def _writing(self) -> W:
        if self._writer is None:
            self._store.require_open()
            raise ReadOnlyError(f"{self.path}: the tree was opened for reading only; open it with readonly=False")
        return self._writer

    def __getitem__(self, key: bytes) -> bytes:
        value = self._store.find(None, key)
        if value is None:
            raise KeyError(key)
        return value

    def get(self, key: bytes, default: Any = None) -> Any:
        """Return the value of a key, or the default if it is not there."""
        value = self._store.find(None, key)
        return default if value is None else value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._writing().commit({as_key(key, self._store.longest_key): as_value(value)})

    def __delitem__(self, key: bytes) -> None:
        writer = self._writing()
        with self._store.mutex:
            if self._store.find(None, key) is None:
                raise KeyError(key)
            writer.commit({}, (key,))

    def put_many(self, items: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]]) -> None:
        """Set many items in one commit; of equal keys the last one stays.

        Parameters
        ----------
        items : mapping, or iterable of (key, value)
            In any order. In order of the keys, and behind all that are there, they leave full pages in a B+tree.

        Raises
        ------
        InputError
            An item is no pair of bytes, or a key is too long; nothing is set then.

        Notes
        -----
        Complexity: O(log n) an item in a B+tree, where neighbours share the pages that they change; O(1) in an
        LSM-tree, and later a part of a flush and of some merges.
        """
        self._writing().commit(as_items(items, self._store.longest_key))

    def snapshot(self) -> Snapshot[S]:
        """Return the tree as it is now, for good; close it when you are done with it."""
        return Snapshot(self._store)

    def batch(self) -> Batch:
        """Return a collector of changes for a ``with`` block, at whose end they are committed, all in one.

        Examples
        --------
        >>> import tempfile
        >>> from smlib.storage import LSMTree
        >>> with tempfile.TemporaryDirectory() as folder, LSMTree.open(f"{folder}/stock") as stock:
        ...     with stock.batch() as changes:
        ...         changes[b"apples"] = b"7"
        ...         del changes[b"pears"]
        ...     list(stock.items())
        [(b'apples', b'7')]
        """
        self._store.require_open()
        return Batch(self._writing())

    def transaction(self, readonly: bool = False) -> Transaction:
        """Return a view that can be changed, for a ``with`` block, at whose end the changes are committed, all in one.

        It reads a snapshot, and its own changes. If it raises, they are dropped.

        Parameters
        ----------
        readonly : bool
            Refuse changes.

        Raises
        ------
        ConflictError
            At the end: another commit has changed the tree in between. Begin again.

        Examples
        --------
        >>> import tempfile
        >>> from smlib.storage import BPlusTree
        >>> with tempfile.TemporaryDirectory() as folder, BPlusTree.open(f"{folder}/stock") as stock:
        ...     stock[b"apples"] = b"7"
        ...     with stock.transaction() as change:
        ...         change[b"pears"] = change[b"apples"]
        ...         del change[b"apples"]
        ...     list(stock.items())
        [(b'pears', b'7')]
        """
        writer = None if readonly else self._writing()
        return Transaction(self.snapshot(), writer)

    def sync(self) -> None:
        """Return when all commits are on disk, whatever the durability."""
        self._writing().sync()
