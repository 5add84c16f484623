"""Views: what a tree and a snapshot of it have in common, all that reads.

A walk copies some items at a time, few at first and then many, and gives them out one by one. In a tree that changes in
between it goes on behind the item that it gave out last, unless a key was inserted or deleted.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from smlib.storage.bplustree.arguments import as_interval
from smlib.storage.bplustree.meta import Meta
from smlib.storage.bplustree.store import ITEMS_AT_ONCE, Item, Store
from smlib.storage.sorted_mapping import SortedMapping, keys_changed

# Of a walk, how many items are copied first.
ITEMS_FIRST = 16


class View(SortedMapping[bytes, bytes]):
    """A mapping that reads from a tree."""

    __slots__ = ()

    @abstractmethod
    def _look(self) -> tuple[Store, Meta]:
        """Return the store and the tree to look at; called under the store's mutex."""

    @abstractmethod
    def _mutex_of(self) -> Store:
        """Return the store; ClosedError if the view is closed."""

    def __len__(self) -> int:
        with self._mutex_of().mutex:
            return self._look()[1].items

    def range(
        self,
        start: bytes | None = None,
        stop: bytes | None = None,
        *,
        reverse: bool = False,
        prefix: bytes | None = None,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Walk the items with ``start <= key < stop`` that begin with a prefix, in order.

        Parameters
        ----------
        start, stop : bytes, optional
            The ends; open where they are None.
        reverse : bool
            Walk the same items backwards.
        prefix : bytes, optional
            Leave out the keys that do not begin so.

        Returns
        -------
        iterator of (key, value)

        Raises
        ------
        InputError
            An end or the prefix is not of type bytes.
        RuntimeError
            While walking: a key was inserted or deleted since the walk began. A snapshot has no such changes.

        Notes
        -----
        Complexity: O(log n + k) for k items; some hundred are copied at a time.
        """
        low, high = as_interval(start, stop, prefix)
        store = self._mutex_of()
        with store.mutex:
            edits = self._look()[1].edits
        return walk_items(store, self._look, edits, low, high, reverse)

    def get_many(self, keys: Iterable[bytes], default: Any = None) -> list[Any]:
        """Return the values of many keys, in the order in which they are asked for.

        Parameters
        ----------
        keys : iterable of bytes
            In any order, and more than once if you like.
        default : object
            Stands where a key is not there.

        Notes
        -----
        Complexity: O(log n) a key, without the cost of a call for each.
        """
        asked = list(keys)
        with self._mutex_of().mutex:
            store, meta = self._look()
            return store.get_many(meta, asked, default)


def walk_items(
    store: Store,
    look: Callable[[], tuple[Store, Meta]],
    edits: int,
    start: bytes,
    stop: bytes | None,
    reverse: bool,
) -> Iterator[Item]:
    """Yield the items of an interval of what ``look`` returns, as long as its keys are those that there were."""
    most = ITEMS_FIRST
    while True:
        with store.mutex:
            _, tree = look()
            if tree.edits != edits:
                raise keys_changed("a snapshot")
            items, complete = store.collect(tree, start, stop, reverse, most)
        live = store.meta is tree
        for item in items:
            yield item
            if live and store.meta is not tree:
                break
        else:
            if complete:
                return
        key = item[0]
        start, stop = (start, key) if reverse else (key + b"\0", stop)
        most = min(4 * most, ITEMS_AT_ONCE)
