"""Snapshots: a tree as one commit left it.

Nothing has to be copied for one: a commit writes new pages and leaves those of older trees alone, so an older root
leads to all that it ever led to, as long as the pages given up since are not taken again. A snapshot is a root, and a
mark that says so.

Berenson et al., "A Critique of ANSI SQL Isolation Levels", *SIGMOD* (1995), for what a snapshot promises.
"""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn

from smlib.errors import ClosedError, ReadOnlyError
from smlib.storage.bplustree.invariants import check_tree
from smlib.storage.bplustree.meta import Meta
from smlib.storage.bplustree.store import Store
from smlib.storage.bplustree.views import View


class Snapshot(View):
    """A tree as one commit left it, to be read: it does not change, whatever is committed later.

    `BPlusTree.snapshot` makes them. Close it when you are done with it, or use it in a ``with`` block: pages that only
    it needs are not taken again before.

    Notes
    -----
    Complexity: O(1) to take one; then that of the tree. Threads may share it.

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

    __slots__ = ("_meta", "_store")

    def __init__(self, store: Store) -> None:
        with store.mutex:
            store.require_open()
            self._store: Store | None = store
            self._meta = store.current()
            store.hold(self._meta.transaction)

    def close(self) -> None:
        """Let the pages go that only this view still needs; a second time does nothing."""
        store, self._store = self._store, None
        if store is not None:
            with store.mutex:
                store.let_go(self._meta.transaction)

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_store", None) is not None:
            self.close()

    def _mutex_of(self) -> Store:
        if self._store is None:
            raise ClosedError("the snapshot is closed; take another one")
        return self._store

    def _look(self) -> tuple[Store, Meta]:
        store = self._mutex_of()
        store.require_open()
        return store, self._meta

    def __getitem__(self, key: bytes) -> bytes:
        with self._mutex_of().mutex:
            store, meta = self._look()
            return store.get(meta, key)

    def __setitem__(self, key: bytes, value: bytes) -> NoReturn:
        raise ReadOnlyError("a snapshot does not change; write to the tree")

    def __delitem__(self, key: bytes) -> NoReturn:
        raise ReadOnlyError("a snapshot does not change; write to the tree")

    def check(self) -> None:
        """Prove invariants 1 to 4 of the essay for this tree; see `BPlusTree.check`."""
        with self._mutex_of().mutex:
            store, meta = self._look()
            check_tree(store, meta, None, [])

    def stats(self) -> dict[str, float]:
        """Return ``items``, ``depth``, and ``pages``: how many the file has."""
        with self._mutex_of().mutex:
            meta = self._look()[1]
            return {"items": meta.items, "depth": meta.depth, "pages": meta.next_page}
