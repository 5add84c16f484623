"""Views: what a store and a snapshot of it have in common, all that reads.

A walk copies some items at a time, few at first and then many, and gives them out one by one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Generic

from smlib.storage.arguments import as_interval
from smlib.storage.byte_store import ByteStore, Item, S
from smlib.storage.sorted_mapping import SortedMapping


class View(SortedMapping[bytes, bytes], Generic[S]):
    """A mapping that reads from a store."""

    __slots__ = ()

    @abstractmethod
    def _look(self) -> tuple[ByteStore[S], S]:
        """Return the store and the state to look at; called under the store's mutex."""

    @abstractmethod
    def _store_of(self) -> ByteStore[S]:
        """Return the store; ClosedError if the view is closed."""

    def __len__(self) -> int:
        with self._store_of().mutex:
            store, state = self._look()
            return store.count(state)

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
            While walking over a B+tree: a key was inserted or deleted since the walk began. A snapshot has no such
            changes, and a walk over an LSM-tree does not see them.

        Notes
        -----
        Complexity: O(log n + k) for k items; some hundred are copied at a time.
        """
        low, high = as_interval(start, stop, prefix)
        return self._walk(low, high, reverse)

    def _walk(self, low: bytes, high: bytes | None, reverse: bool) -> Iterator[Item]:
        """Walk an interval of what stays as it is."""
        store = self._store_of()
        with store.mutex:
            self._look()
        return chain.from_iterable(walk_lists(store, self._look, low, high, reverse))

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
        with self._store_of().mutex:
            store, state = self._look()
            return store.get_many(state, asked, default)


def walk_lists(
    store: ByteStore[S], look: Callable[[], tuple[ByteStore[S], S]], start: bytes, stop: bytes | None, reverse: bool
) -> Iterator[list[Item]]:
    """Yield the items of an interval of what ``look`` returns, which is the same each time, in lists."""
    with store.mutex:
        lists = store.walk(look()[1], start, stop, reverse=reverse)
    while True:
        with store.mutex:
            look()
            items = next(lists, None)
        if items is None:
            return
        yield items
