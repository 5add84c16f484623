"""Cases of the B-tree in one array."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from functools import cached_property
from importlib import import_module
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from smlib.compare.case import Agreement, Case, Peer
from smlib.compare.cases.storage.concordance import CONCORDANCE, Arrays, Integers
from smlib.compare.cases.storage.peers import SORTED_DICT, equal_arrays, sorted_dict
from smlib.storage import SortedIntMap

Items = list[tuple[int, int]]

COUNTS = (10_000, 100_000, 1_000_000)
# How many items are read before a key.
BEFORE = 100
# Many items come in so many batches.
BATCHES = 10


def _llbtree(*items: Any) -> Any:
    return import_module("BTrees.LLBTree").LLBTree(*items)


# Random integers.


class Numbers:
    """Random keys with values, and what each contender holds of them: built at the first call, which no clock times."""

    def __init__(self, size: int) -> None:
        rng = np.random.default_rng(1)
        self.keys = rng.integers(-(2**62), 2**62, size)
        self.values = rng.integers(-(2**62), 2**62, size)
        self.asked_array = rng.permutation(self.keys)

    @cached_property
    def asked(self) -> list[int]:
        """All keys in another random order."""
        asked: list[int] = self.asked_array.tolist()
        return asked

    @cached_property
    def deleted(self) -> list[int]:
        """Nine of ten keys."""
        return self.asked[: self.keys.size - self.keys.size // 10]

    @cached_property
    def items(self) -> Items:
        """The keys with their values."""
        return list(zip(self.keys.tolist(), self.values.tolist(), strict=True))

    @cached_property
    def ours(self) -> SortedIntMap:
        """A map into which the keys came one at a time. It has been asked for the first: none of them waits."""
        store = _fill(self)
        store.first_item()
        return store

    @cached_property
    def in_order(self) -> Arrays:
        """The items in order."""
        return self.ours.to_arrays()

    @cached_property
    def plain(self) -> dict[int, int]:
        """A dict that has the keys in order: what the peers are loaded from."""
        keys, values = self.in_order
        return dict(zip(keys.tolist(), values.tolist(), strict=True))

    @cached_property
    def sorted_dict(self) -> Any:
        """A SortedDict into which the keys came one at a time."""
        return _fill_other(self, sorted_dict())

    @cached_property
    def llbtree(self) -> Any:
        """A tree of BTrees into which the keys came one at a time."""
        return _fill_other(self, _llbtree())

    @cached_property
    def batches(self) -> list[Arrays]:
        """The items in batches."""
        parts = zip(np.array_split(self.keys, BATCHES), np.array_split(self.values, BATCHES), strict=True)
        return [(keys.copy(), values.copy()) for keys, values in parts]

    @cached_property
    def batches_of_pairs(self) -> list[Items]:
        """The same, as lists of pairs."""
        return [list(zip(keys.tolist(), values.tolist(), strict=True)) for keys, values in self.batches]

    @cached_property
    def batches_in_dicts(self) -> list[dict[int, int]]:
        """The same, as dicts."""
        return [dict(pairs) for pairs in self.batches_of_pairs]


def _fill(numbers: Numbers) -> SortedIntMap:
    store = SortedIntMap()
    for key, value in numbers.items:
        store[key] = value
    return store


def _fill_other(numbers: Numbers, store: Any) -> Any:
    for key, value in numbers.items:
        store[key] = value
    return store


def _arrays_of_sorted_dict(store: Any) -> Arrays:
    """Read all in order. The values by their keys: twice as fast as its values()."""
    size = len(store)
    return np.fromiter(store, np.int64, size), np.fromiter(map(store.__getitem__, store), np.int64, size)


def _arrays_of_llbtree(store: Any) -> Arrays:
    size = len(store)
    return np.fromiter(store, np.int64, size), np.fromiter(store.values(), np.int64, size)


def _get(store: Any, keys: list[int]) -> list[int]:
    return [store[key] for key in keys]


def _search_sorted(numbers: Numbers) -> Integers:
    keys, values = numbers.in_order
    return values[np.searchsorted(keys, numbers.asked_array)]


def _sorted_dict_of_sorted(numbers: Numbers) -> Any:
    order = np.argsort(numbers.keys)
    return sorted_dict(zip(numbers.keys[order].tolist(), numbers.values[order].tolist(), strict=True))


def _delete(store: Any, keys: list[int]) -> Any:
    for key in keys:
        del store[key]
    return store


def _put_batches(numbers: Numbers) -> SortedIntMap:
    store = SortedIntMap()
    for keys, values in numbers.batches:
        store.put_arrays(keys, values)
    return store


def _update(store: Any, batches: Iterable[Any]) -> Any:
    for batch in batches:
        store.update(batch)
    return store


def _walks_back(numbers: Numbers) -> list[Items]:
    store = numbers.ours
    return [list(islice(store.range(stop=key, reverse=True), BEFORE)) for key in numbers.asked[::BEFORE]]


def _sorted_dict_walks_back(numbers: Numbers) -> list[Items]:
    store = numbers.sorted_dict
    walks = (store.irange(None, key, (True, False), reverse=True) for key in numbers.asked[::BEFORE])
    return [[(key, store[key]) for key in islice(walk, BEFORE)] for walk in walks]


# A queue: the earliest is taken out, and something later goes in.


class Queue(NamedTuple):
    """Times in nanoseconds, with how much is due: those at the start, and one that comes whenever one has gone."""

    start: list[tuple[int, float]]
    delays: list[tuple[int, float]]


def _queue(size: int) -> Queue:
    rng = np.random.default_rng(1)
    start = zip(rng.integers(10**12, size=size).tolist(), rng.random(size).tolist(), strict=True)
    delays = zip(rng.integers(1, 10**12, size=size).tolist(), rng.random(size).tolist(), strict=True)
    return Queue(list(start), list(delays))


def _serve(queue: Queue) -> list[tuple[int, float]]:
    waiting = SortedIntMap(queue.start, dtype=np.float64)
    served = []
    for delay, amount in queue.delays:
        time, due = waiting.popitem(last=False)
        served.append((time, due))
        waiting[time + delay] = amount
    return served


def _serve_sorted_dict(queue: Queue) -> list[tuple[int, float]]:
    waiting = sorted_dict(queue.start)
    served = []
    for delay, amount in queue.delays:
        time, due = waiting.popitem(0)
        served.append((time, due))
        waiting[time + delay] = amount
    return served


def _serve_lobtree(queue: Queue) -> list[tuple[int, float]]:
    waiting = import_module("BTrees.LOBTree").LOBTree(queue.start)
    served = []
    for delay, amount in queue.delays:
        time = waiting.minKey()
        served.append((time, waiting.pop(time)))
        waiting[time + delay] = amount
    return served


def _serve_heap(queue: Queue) -> list[tuple[int, float]]:
    waiting = queue.start.copy()
    heapq.heapify(waiting)
    served = []
    for delay, amount in queue.delays:
        time, due = waiting[0]
        served.append((time, due))
        heapq.heapreplace(waiting, (time + delay, amount))
    return served


def _same_arrays(_: Numbers, ours: Arrays, theirs: Arrays) -> Agreement:
    return Agreement(equal_arrays(ours, theirs), f"{ours[0].size:,} items, the same")


def _same_maps(_: Numbers, ours: SortedIntMap, theirs: Any) -> Agreement:
    read = _arrays_of_llbtree if type(theirs).__name__ == "LLBTree" else _arrays_of_sorted_dict
    return Agreement(equal_arrays(ours.to_arrays(), read(theirs)), f"{len(ours):,} items, the same")


def _same_array(_: Numbers, ours: Integers, theirs: Integers) -> Agreement:
    return Agreement(np.array_equal(ours, theirs), f"{ours.size:,} values, the same")


def _same_answers(_: Any, ours: list[Any], theirs: list[Any]) -> Agreement:
    return Agreement(ours == theirs, f"{len(ours):,} answers, the same")


LLBTREE = ("LLBTree", "BTrees")

CASES = (
    CONCORDANCE,
    Case(
        "array_btree",
        "insert random keys one at a time, then read all in order",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: _fill(numbers).to_arrays(),
        (
            Peer(*SORTED_DICT, lambda numbers: _arrays_of_sorted_dict(_fill_other(numbers, sorted_dict()))),
            Peer(*LLBTREE, lambda numbers: _arrays_of_llbtree(_fill_other(numbers, _llbtree()))),
        ),
        _same_arrays,
        note="What is read is an array of keys and one of values, on all sides.",
    ),
    Case(
        "array_btree",
        "look up a key",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: _get(numbers.ours, numbers.asked),
        (
            Peer(*SORTED_DICT, lambda numbers: _get(numbers.sorted_dict, numbers.asked)),
            Peer(*LLBTREE, lambda numbers: _get(numbers.llbtree, numbers.asked)),
        ),
        _same_answers,
        note="All keys, in random order. A SortedDict asks its dict, in C. Here each lookup is a method in Python that "
        "calls a kernel, which takes half a microsecond whatever the size: that is why small maps lose.",
    ),
    Case(
        "array_btree",
        "build from arrays that are not sorted",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: SortedIntMap.from_arrays(numbers.keys, numbers.values),
        (
            Peer(*LLBTREE, lambda numbers: _llbtree(numbers.items)),
            Peer(*SORTED_DICT, _sorted_dict_of_sorted),
        ),
        _same_maps,
        note="LLBTree gets a list of pairs, made before the clock starts; to sort it first takes longer. SortedDict is "
        "quickest if NumPy sorts the arrays for it.",
    ),
    Case(
        "array_btree",
        "look up many keys at once",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: numbers.ours.get_many(numbers.asked_array),
        (Peer("NumPy searchsorted on the sorted array", "numpy", _search_sorted),),
        _same_array,
        note="All keys, in random order. Ours also says which keys are not there; NumPy is not asked to, and its "
        "arrays cannot be added to.",
    ),
    Case(
        "array_btree",
        "all items to arrays",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: numbers.ours.to_arrays(),
        (
            Peer(*LLBTREE, lambda numbers: _arrays_of_llbtree(numbers.llbtree)),
            Peer(*SORTED_DICT, lambda numbers: _arrays_of_sorted_dict(numbers.sorted_dict)),
        ),
        _same_arrays,
    ),
    Case(
        "array_btree",
        "delete a key",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: _delete(SortedIntMap.from_arrays(*numbers.in_order), numbers.deleted),
        (
            Peer(*SORTED_DICT, lambda numbers: _delete(sorted_dict(numbers.plain), numbers.deleted)),
            Peer(*LLBTREE, lambda numbers: _delete(_llbtree(numbers.plain), numbers.deleted)),
        ),
        _same_maps,
        note="Nine of ten keys, in random order, from a map loaded in order just before, which is part of the time "
        "on all sides.",
    ),
    Case(
        "array_btree",
        "put in ten batches",
        "keys",
        COUNTS,
        Numbers,
        _put_batches,
        (
            Peer(*LLBTREE, lambda numbers: _update(_llbtree(), numbers.batches_of_pairs)),
            Peer(*SORTED_DICT, lambda numbers: _update(sorted_dict(), numbers.batches_in_dicts)),
        ),
        _same_maps,
        note="Random keys, a tenth of them a batch: arrays here, lists of pairs and dicts there, made before the clock "
        "starts.",
    ),
    Case(
        "array_btree",
        "walk over the 100 items before a key",
        "keys",
        COUNTS,
        Numbers,
        _walks_back,
        (Peer(*SORTED_DICT, _sorted_dict_walks_back),),
        _same_answers,
        note="A hundredth as many walks as there are keys. Ours reads 1,024 items at a time, whether they are wanted "
        "or not. LLBTree does not walk backwards.",
    ),
    Case(
        "array_btree",
        "a queue: take out the first, put in another",
        "keys",
        (1_000, 10_000, 100_000),
        _queue,
        _serve,
        (
            Peer("heapq", "heapq", _serve_heap),
            Peer(*SORTED_DICT, _serve_sorted_dict),
            Peer("LOBTree", "BTrees", _serve_lobtree),
        ),
        _same_answers,
        note="Here we lose: each time the single key that waits is put in before the first one is looked for, which is "
        "four calls of kernels and some of NumPy for one item. A heap knows the first item and no other.",
    ),
)
