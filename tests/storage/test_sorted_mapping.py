"""What the interface derives from a store's few methods, tried on the smallest store there is: two lists."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import pytest

from smlib.errors import CorruptDataError, InputError
from smlib.storage import SortedMapping
from tests.storage.sorted_mapping_machine import machine_of


class Lists(SortedMapping[Any, Any]):
    """Two lists, and nothing but what a store must bring."""

    def __init__(self) -> None:
        self.sorted_keys: list[Any] = []
        self.their_values: list[Any] = []
        self.edits = 0

    def find(self, key: Any) -> int:
        place = bisect_left(self.sorted_keys, key)
        if self.sorted_keys[place : place + 1] != [key]:
            raise KeyError(key)
        return place

    def __getitem__(self, key: Any) -> Any:
        return self.their_values[self.find(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        try:
            self.their_values[self.find(key)] = value
        except KeyError:
            place = bisect_left(self.sorted_keys, key)
            self.sorted_keys.insert(place, key)
            self.their_values.insert(place, value)
            self.edits += 1

    def __delitem__(self, key: Any) -> None:
        place = self.find(key)
        del self.sorted_keys[place], self.their_values[place]
        self.edits += 1

    def __len__(self) -> int:
        return len(self.sorted_keys)

    def range(self, start: Any = None, stop: Any = None, *, reverse: bool = False) -> Iterator[tuple[Any, Any]]:
        first = 0 if start is None else bisect_left(self.sorted_keys, start)
        end = len(self) if stop is None else bisect_left(self.sorted_keys, stop)
        places = range(first, end)
        return self.walk(reversed(places) if reverse else iter(places), self.edits)

    def walk(self, places: Iterator[int], edits: int) -> Iterator[tuple[Any, Any]]:
        for place in places:
            if edits != self.edits:
                raise RuntimeError("a key was inserted or deleted during iteration")
            yield self.sorted_keys[place], self.their_values[place]
        if edits != self.edits:
            raise RuntimeError("a key was inserted or deleted during iteration")

    def check(self) -> None:
        if sorted(set(self.sorted_keys)) != self.sorted_keys:
            raise CorruptDataError("invariant 2 is broken")

    def stats(self) -> dict[str, float]:
        return {"items": len(self)}


TestLists = machine_of(Lists).TestCase


def test_items_may_come_from_the_store_itself() -> None:
    store = Lists()
    store.put_many({3: "c", 1: "a"})
    store.put_many(store.items())
    store.put_many((key, value * 2) for key, value in store.range())
    assert list(store.items()) == [(1, "aa"), (3, "cc")]


def test_a_pair_that_is_none_is_named() -> None:
    store = Lists()
    with pytest.raises(InputError, match=r"items\[1\] is 2; it must be a pair of a key and a value"):
        store.put_many([(1, "a"), 2])  # type: ignore[list-item]
    assert store == {1: "a"}
