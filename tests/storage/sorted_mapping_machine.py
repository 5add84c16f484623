"""One machine for all ordered stores: it calls what `SortedMapping` promises, and compares with a dict that is sorted.

A store's tests make a class of it, and Hypothesis does the rest::

    TestTree = machine_of(BTree, load=BTree.from_sorted).TestCase

A key stands in the model as in the store; values are numbers. Where a store proves its own invariants, they are proved
after every call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smlib.storage import SortedMapping

VALUES = st.integers(0, 9)
# Few enough to meet again, and enough for a tree of three levels.
SMALL_INTEGERS = st.integers(-30, 30)


def machine_of(
    create: Callable[[], SortedMapping[Any, Any]],
    *,
    load: Callable[[list[tuple[Any, Any]]], SortedMapping[Any, Any]] | None = None,
    copy: Callable[[SortedMapping[Any, Any]], SortedMapping[Any, Any]] | None = None,
    keys: st.SearchStrategy[Any] = SMALL_INTEGERS,
    walks_over_snapshots: bool = False,
) -> type[RuleBasedStateMachine]:
    """Return a machine for a kind of store.

    Parameters
    ----------
    create : callable
        Makes an empty store.
    load : callable, optional
        Makes a store of sorted items.
    copy : callable, optional
        Makes a store of the same items that is independent of the first.
    keys : strategy
        Keys of one order.
    walks_over_snapshots : bool
        Whether a walk goes over what there was when it began, instead of refusing to go on when keys change.
    """
    ends = st.none() | keys

    class SortedMappingMachine(RuleBasedStateMachine):
        @initialize(items=st.lists(st.tuples(keys, VALUES), max_size=40))
        def begin(self, items: list[tuple[Any, int]]) -> None:
            self.store = create()
            self.model: dict[Any, int] = {}
            self.put_many(items)

        def between(self, start: Any, stop: Any) -> list[tuple[Any, int]]:
            """Return the items of the model with start <= key < stop."""
            return [
                (key, value)
                for key, value in sorted(self.model.items())
                if (start is None or not key < start) and (stop is None or key < stop)
            ]

        # Changes.

        @rule(key=keys, value=VALUES)
        def insert(self, key: Any, value: int) -> None:
            self.store[key] = value
            self.model[key] = value

        @precondition(lambda self: self.model)
        @rule(draw=st.data(), value=VALUES)
        def overwrite(self, draw: st.DataObject, value: int) -> None:
            self.insert(draw.draw(st.sampled_from(sorted(self.model))), value)

        @precondition(lambda self: self.model)
        @rule(draw=st.data())
        def delete(self, draw: st.DataObject) -> None:
            key = draw.draw(st.sampled_from(sorted(self.model)))
            del self.store[key]
            del self.model[key]

        @rule(key=keys)
        def delete_what_may_be_missing(self, key: Any) -> None:
            if key in self.model:
                del self.store[key]
                del self.model[key]
            else:
                with pytest.raises(KeyError):
                    del self.store[key]

        @rule(key=keys)
        def pop(self, key: Any) -> None:
            assert self.store.pop(key, None) == self.model.pop(key, None)

        @rule(key=keys, value=VALUES)
        def set_default(self, key: Any, value: int) -> None:
            assert self.store.setdefault(key, value) == self.model.setdefault(key, value)

        @rule(last=st.booleans())
        def pop_item(self, last: bool) -> None:
            if self.model:
                item = self.between(None, None)[-1 if last else 0]
                assert self.store.popitem(last) == item
                del self.model[item[0]]
            else:
                with pytest.raises(KeyError):
                    self.store.popitem(last)

        @rule(start=ends, stop=ends)
        def delete_range(self, start: Any, stop: Any) -> None:
            for key, _ in list(self.store.range(start, stop)):
                del self.store[key]
            for key, _ in self.between(start, stop):
                del self.model[key]

        @rule(items=st.lists(st.tuples(keys, VALUES), max_size=40), as_mapping=st.booleans())
        def put_many(self, items: list[tuple[Any, int]], as_mapping: bool = False) -> None:
            self.store.put_many(dict(items) if as_mapping else items)
            self.model.update(items)

        @rule()
        def clear(self) -> None:
            self.store.clear()
            self.model.clear()

        if load is not None:

            @rule()
            def load_anew(self) -> None:
                assert load is not None
                self.store = load(self.between(None, None))

        if copy is not None:

            @rule(key=keys)
            def go_on_with_a_copy(self, key: Any) -> None:
                assert copy is not None
                left, self.store = self.store, copy(self.store)
                assert left == self.store
                left[key] = 10
                left.popitem()

        # Questions.

        @rule(start=ends, stop=ends)
        def walk_a_range(self, start: Any, stop: Any) -> None:
            items = self.between(start, stop)
            assert list(self.store.range(start, stop)) == items
            assert list(self.store.range(start, stop, reverse=True)) == items[::-1]

        @rule(key=keys)
        def look_for_neighbours(self, key: Any) -> None:
            below = [item for item in self.between(None, None) if not key < item[0]]
            above = self.between(key, None)
            assert self.store.floor_item(key) == (below[-1] if below else None)
            assert self.store.ceiling_item(key) == (above[0] if above else None)

        @rule()
        def look_at_the_ends(self) -> None:
            items = self.between(None, None)
            if items:
                assert (self.store.first_item(), self.store.last_item()) == (items[0], items[-1])
            else:
                for end in (self.store.first_item, self.store.last_item):
                    with pytest.raises(KeyError, match="empty"):
                        end()

        @rule(wanted=st.lists(keys, max_size=10), default=st.none() | st.just(-1))
        def get_many(self, wanted: list[Any], default: Any) -> None:
            assert self.store.get_many(wanted, default) == [self.model.get(key, default) for key in wanted]

        @rule(key=keys)
        def get(self, key: Any) -> None:
            assert (key in self.store) == (key in self.model)
            assert self.store.get(key) == self.model.get(key)
            if key not in self.model:
                with pytest.raises(KeyError):
                    self.store[key]

        @rule(value=VALUES)
        def look_through_the_views(self, value: int) -> None:
            keys, values = zip(*self.between(None, None), strict=True) if self.model else ((), ())
            assert (tuple(self.store.keys()), tuple(reversed(self.store.keys()))) == (keys, keys[::-1])
            assert (tuple(self.store.values()), tuple(reversed(self.store.values()))) == (values, values[::-1])
            assert tuple(reversed(self.store.items())) == tuple(zip(keys, values, strict=True))[::-1]
            assert tuple(reversed(self.store)) == keys[::-1]
            assert len(self.store.keys()) == len(self.store.items()) == len(keys)
            assert (value in self.store.values()) == (value in values)

        @rule(start=ends, reverse=st.booleans(), steps=st.integers(0, 5), key=keys, value=VALUES)
        def change_while_walking(self, start: Any, reverse: bool, steps: int, key: Any, value: int) -> None:
            walk = self.store.range(start, reverse=reverse)
            for _ in range(steps):
                next(walk, None)
            finished = steps > len(self.between(start, None))
            is_new, before = key not in self.model, self.between(start, None)
            self.insert(key, value)
            if walks_over_snapshots:
                assert list(walk) == (before[::-1] if reverse else before)[steps:]
            elif is_new and not finished:
                with pytest.raises(RuntimeError, match="during iteration"):
                    next(walk)
            else:
                assert len(list(walk)) == max(0, len(self.between(start, None)) - steps) or finished

        # What always holds.

        @invariant()
        def the_store_holds_what_the_model_holds(self) -> None:
            self.store.check()
            assert len(self.store) == len(self.model) == self.store.stats()["items"]
            assert list(self.store.items()) == self.between(None, None)
            assert self.store == self.model

    SortedMappingMachine.__qualname__ = f"SortedMappingMachine of {getattr(create, '__name__', 'a store')}"
    return SortedMappingMachine
