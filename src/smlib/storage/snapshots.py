"""Snapshots: a store as one commit left it.

Nothing has to be copied for one. A B+tree writes new pages and leaves those of older trees alone, so an older root
leads to all that it ever led to, as long as the pages given up since are not taken again. An LSM-tree numbers all
changes and never changes a file, so what is older than a number can be told from what came later. A snapshot is a root,
or a number, and a mark that somebody still needs it.

Berenson et al., "A Critique of ANSI SQL Isolation Levels", *SIGMOD* (1995), for what a snapshot promises.
"""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn

from smlib.errors import ClosedError, ReadOnlyError
from smlib.storage.byte_store import ByteStore, S
from smlib.storage.views import View


class Snapshot(View[S]):
    """A store as one commit left it, to be read: it does not change, whatever is committed later.

    `BPlusTree.snapshot` and `LSMTree.snapshot` make them. Close it when you are done with it, or use it in a ``with``
    block: what only it needs is not given up before.

    Notes
    -----
    Complexity: O(1) to take one; then that of the store. Threads may share it.

    Examples
    --------
    >>> import tempfile
    >>> from smlib.storage import BPlusTree
    >>> with tempfile.TemporaryDirectory() as folder, BPlusTree.open(f"{folder}/stock") as stock:
    ...     stock[b"apples"] = b"7"
    ...     with stock.snapshot() as before:
    ...         stock[b"apples"] = b"6"
    ...         before[b"apples"], stock[b"apples"]
    (b'7', b'6')
    """

    __slots__ = ("_state", "_store")

    def __init__(self, store: ByteStore[S]) -> None:
        with store.mutex:
            store.require_open()
            self._store: ByteStore[S] | None = store
            self._state = store.current()
            store.hold(self._state)

    def close(self) -> None:
        """Let go what only this view still needs; a second time does nothing."""
        store, self._store = self._store, None
        if store is not None:
            with store.mutex:
                store.let_go(self._state)

    def __enter__(self) -> Snapshot[S]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_store", None) is not None:
            self.close()

    def _store_of(self) -> ByteStore[S]:
        if self._store is None:
            raise ClosedError("the snapshot is closed; take another one")
        return self._store

    def _look(self) -> tuple[ByteStore[S], S]:
        store = self._store_of()
        store.require_open()
        return store, self._state

    def __getitem__(self, key: bytes) -> bytes:
        with self._store_of().mutex:
            store, state = self._look()
            value = store.find(state, key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> NoReturn:
        raise ReadOnlyError("a snapshot does not change; write to the store")

    def __delitem__(self, key: bytes) -> NoReturn:
        raise ReadOnlyError("a snapshot does not change; write to the store")

    def check(self) -> None:
        """Prove what can be proved of this state alone; see the ``check`` of its store."""
        with self._store_of().mutex:
            store, state = self._look()
            store.check(state)

    def stats(self) -> dict[str, float]:
        """Return figures of this state, ``items`` among them."""
        with self._store_of().mutex:
            store, state = self._look()
            return store.describe(state)
