"""The machine of all ordered stores for those in files: with commits, snapshots and reopening."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from smlib.storage import SimulatedDisk, SortedMapping
from tests.storage.sorted_mapping_machine import machine_of

# What stands for the numbers 0 to 10: none, short, as long as fits into a leaf, one more, and pages of their own.
VALUES = [bytes([65 + k]) * size for k, size in enumerate((0, 1, 7, 30, 60, 90, 104, 105, 468, 469, 1500))]
NUMBERS = {value: number for number, value in enumerate(VALUES)}
# Bytes that sort as Python sorts them, long ones, and beginnings of each other.
KEYS = st.one_of(
    st.lists(st.sampled_from((b"a", b"b", b"\0", b"\xff", b"a" * 20)), max_size=5).map(b"".join),
    st.integers(0, 60).map(lambda n: b"%02d" % n * 20),
    st.sampled_from((b"", b"\0" * 128, b"\xff" * 128, b"a" * 127)),
)


class Numbers(SortedMapping[bytes, int]):
    """A tree whose values stand for numbers: what the machine of all stores works on."""

    def __init__(self, open_store: Callable[[SimulatedDisk], Any]) -> None:
        self.disk = SimulatedDisk(seed=1)
        self.open_store = open_store
        self.tree = open_store(self.disk)

    def __getitem__(self, key: bytes) -> int:
        return NUMBERS[self.tree[key]]

    def __setitem__(self, key: bytes, number: int) -> None:
        self.tree[key] = VALUES[number]

    def __delitem__(self, key: bytes) -> None:
        del self.tree[key]

    def __len__(self) -> int:
        return len(self.tree)

    def range(
        self, start: bytes | None = None, stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, int]]:
        return ((key, NUMBERS[value]) for key, value in self.tree.range(start, stop, reverse=reverse))

    def put_many(self, items: Mapping[bytes, int] | Iterable[tuple[bytes, int]]) -> None:
        if isinstance(items, Mapping):
            self.tree.put_many({key: VALUES[number] for key, number in items.items()})
        else:
            self.tree.put_many((key, VALUES[number]) for key, number in items)

    def get_many(self, keys: Iterable[bytes], default: Any = None) -> list[Any]:
        return [NUMBERS.get(value, value) for value in self.tree.get_many(keys, default)]

    def floor_item(self, key: bytes) -> tuple[bytes, int] | None:
        item = self.tree.floor_item(key)
        return item and (item[0], NUMBERS[item[1]])

    def ceiling_item(self, key: bytes) -> tuple[bytes, int] | None:
        item = self.tree.ceiling_item(key)
        return item and (item[0], NUMBERS[item[1]])

    def popitem(self, last: bool = True) -> tuple[bytes, int]:
        key, value = self.tree.popitem(last)
        return key, NUMBERS[value]

    def clear(self) -> None:
        self.tree.clear()

    def check(self) -> None:
        self.tree.check()

    def stats(self) -> dict[str, float]:
        stats: dict[str, float] = self.tree.stats()
        return stats

    def reopen(self) -> None:
        """Close the tree and open it again: it has nothing in memory then."""
        self.tree.close()
        self.tree = self.open_store(self.disk)


def machine_of_store(open_store: Callable[[SimulatedDisk], Any], **options: Any) -> Any:
    """Return a machine for a store that is opened on a disk; options are those of `machine_of`."""
    shared: Any = machine_of(lambda: Numbers(open_store), keys=KEYS, **options)

    class Machine(shared):  # type: ignore[misc]
        """The machine of all stores, and what only those in files can do."""

        def __init__(self) -> None:
            super().__init__()
            self.views: list[tuple[Any, dict[bytes, int]]] = []

        @rule()
        def reopen(self) -> None:
            for view, _ in self.views:
                view.close()
            self.views = []
            self.store.reopen()

        @precondition(lambda self: len(self.views) < 3)
        @rule()
        def take_a_snapshot(self) -> None:
            self.views.append((self.store.tree.snapshot(), dict(self.model)))

        @precondition(lambda self: self.views)
        @rule(draw=st.data(), key=KEYS, close=st.booleans())
        def look_at_a_snapshot(self, draw: st.DataObject, key: bytes, close: bool) -> None:
            place = draw.draw(st.integers(0, len(self.views) - 1))
            view, model = self.views[place]
            items = [(key, VALUES[number]) for key, number in sorted(model.items())]
            assert list(view.items()) == items
            assert list(reversed(view.items())) == items[::-1]
            assert len(view) == len(items)
            assert view.get(key) == dict(items).get(key)
            assert view.get_many([key, b"a"]) == [dict(items).get(key), dict(items).get(b"a")]
            view.check()
            if close:
                view.close()
                del self.views[place]

        @rule(prefix=KEYS, start=st.none() | KEYS, stop=st.none() | KEYS)
        def walk_what_begins_alike(self, prefix: bytes, start: bytes | None, stop: bytes | None) -> None:
            items = [(key, VALUES[number]) for key, number in self.between(start, stop) if key.startswith(prefix)]
            assert list(self.store.tree.range(start, stop, prefix=prefix)) == items
            assert list(self.store.tree.range(start, stop, prefix=prefix, reverse=True)) == items[::-1]

        @rule(changes=st.lists(st.tuples(KEYS, st.none() | st.integers(0, 9)), max_size=12))
        def commit_a_batch(self, changes: list[tuple[bytes, int | None]]) -> None:
            with self.store.tree.batch() as batch:
                for key, number in changes:
                    if number is None:
                        del batch[key]
                    else:
                        batch[key] = VALUES[number]
            self.take_over(changes)

        def take_over(self, changes: list[tuple[bytes, int | None]]) -> None:
            """Change the model."""
            for key, number in changes:
                if number is None:
                    self.model.pop(key, None)
                else:
                    self.model[key] = number

        @rule(
            changes=st.lists(st.tuples(KEYS, st.none() | st.integers(0, 9)), max_size=12),
            start=st.none() | KEYS,
            stop=st.none() | KEYS,
            drop=st.booleans(),
        )
        def make_a_transaction(
            self, changes: list[tuple[bytes, int | None]], start: bytes | None, stop: bytes | None, drop: bool
        ) -> None:
            before, model = dict(self.model), dict(self.store.tree)
            transaction = self.store.tree.transaction()
            for key, number in changes:
                if number is None:
                    transaction.pop(key, None)
                    model.pop(key, None)
                else:
                    transaction[key] = model[key] = VALUES[number]
                assert transaction.get(key) == model.get(key)
            inside = [
                item
                for item in sorted(model.items())
                if (start is None or item[0] >= start) and (stop is None or item[0] < stop)
            ]
            assert list(transaction.range(start, stop)) == inside
            assert list(transaction.range(start, stop, reverse=True)) == inside[::-1]
            assert len(transaction) == len(model)
            assert dict(self.store) == before
            if drop:
                transaction.abandon()
            else:
                transaction.commit()
                self.take_over(changes)

        @precondition(lambda self: not self.views)
        @rule()
        def compact(self) -> None:
            self.store.tree.compact()

        def teardown(self) -> None:
            self.store.tree.close()

    return Machine
