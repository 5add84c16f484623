"""Cases of the B-tree in one array."""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from itertools import accumulate, islice
from pydoc_data.topics import topics
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.errors import CorruptDataError
from smlib.storage import SortedIntMap

Integers = NDArray[np.int64]
Arrays = tuple[Integers, Integers]
Items = list[tuple[int, int]]

COUNTS = (10_000, 100_000, 1_000_000)
# How many items are read before a key.
BEFORE = 100
# Many items come in so many batches.
BATCHES = 10


def _sorted_dict(*items: Any) -> Any:
    return import_module("sortedcontainers").SortedDict(*items)


def _llbtree(*items: Any) -> Any:
    return import_module("BTrees.LLBTree").LLBTree(*items)


# Where does a word stand? A concordance.

# A word's number and its place in the text are one key: all places of a word are neighbours, in the order of the text.
WORD_BITS = 32
TOLD = "yield"


class Concordance(NamedTuple):
    """A text, and for each word, as one reads, its number and place as one key, and the page on which it stands.

    What is asked: the places of each fifth word, and the last one of them in the first half of the text.
    """

    text: str
    pages: list[str]
    numbers: dict[str, int]
    keys: list[int]
    page_of: list[int]
    asked: list[int]
    middle: int


class Places(NamedTuple):
    """The keys of each word asked for and the pages on which it stands; and the last key before the middle."""

    index: Any
    lists: list[Arrays]
    last: list[int | None]


def _concordance(size: int) -> Concordance:
    text = "".join(topics.values())
    ends = list(accumulate(map(len, topics.values())))
    numbers: dict[str, int] = {}
    keys, page_of = [], []
    for match in islice(re.finditer("[a-z]+", text), size):
        keys.append(numbers.setdefault(match[0], len(numbers)) << WORD_BITS | match.start())
        page_of.append(bisect_right(ends, match.start()))
    middle = keys[len(keys) // 2] % (1 << WORD_BITS)
    return Concordance(text, list(topics), numbers, keys, page_of, list(range(0, len(numbers), 5)), middle)


def _look_up(concordance: Concordance) -> Places:
    index = SortedIntMap()
    for key, page in zip(concordance.keys, concordance.page_of, strict=True):
        index[key] = page
    lists = [index.to_arrays(word << WORD_BITS, (word + 1) << WORD_BITS) for word in concordance.asked]
    last: list[int | None] = []
    for word in concordance.asked:
        item = index.floor_item(word << WORD_BITS | concordance.middle)
        last.append(item[0] if item is not None and item[0] >> WORD_BITS == word else None)
    return Places(index, lists, last)


def _look_up_lists(concordance: Concordance) -> Places:
    index: dict[int, tuple[list[int], list[int]]] = {}
    for key, page in zip(concordance.keys, concordance.page_of, strict=True):
        places, pages = index.setdefault(key >> WORD_BITS, ([], []))
        places.append(key)
        pages.append(page)
    lists = [(np.array(index[word][0], np.int64), np.array(index[word][1], np.int64)) for word in concordance.asked]
    last: list[int | None] = []
    for word in concordance.asked:
        places = index[word][0]
        place = bisect_right(places, word << WORD_BITS | concordance.middle)
        last.append(places[place - 1] if place else None)
    return Places(index, lists, last)


def _look_up_sorted_dict(concordance: Concordance) -> Places:
    index = _sorted_dict()
    for key, page in zip(concordance.keys, concordance.page_of, strict=True):
        index[key] = page
    lists = []
    for word in concordance.asked:
        keys = list(index.irange(word << WORD_BITS, (word + 1) << WORD_BITS, (True, False)))
        lists.append((np.array(keys, np.int64), np.array([index[key] for key in keys], np.int64)))
    last: list[int | None] = []
    for word in concordance.asked:
        place = index.bisect_right(word << WORD_BITS | concordance.middle)
        key = index.peekitem(place - 1)[0] if place else -1
        last.append(key if key >> WORD_BITS == word else None)
    return Places(index, lists, last)


def _same_places(_: Concordance, ours: Places, theirs: Places) -> Agreement:
    same = len(ours.lists) == len(theirs.lists) and ours.last == theirs.last
    same = same and all(_equal(mine, other) for mine, other in zip(ours.lists, theirs.lists, strict=True))
    return Agreement(same, f"the places of {len(ours.lists):,} words, the same")


def _equal(ours: Iterable[Integers], theirs: Iterable[Integers]) -> bool:
    return all(np.array_equal(mine, other) for mine, other in zip(ours, theirs, strict=True))


def _tell_places(concordance: Concordance, places: Places) -> Sequence[str]:
    index: SortedIntMap = places.index
    word = concordance.numbers[TOLD]
    keys, pages = index.to_arrays(word << WORD_BITS, (word + 1) << WORD_BITS)
    lines = [f"{len(index):,} words in an array of {index.stats()['bytes'] / len(index):.0f} bytes a word"]
    if keys.size:
        names = [concordance.pages[page] for page in dict.fromkeys(pages.tolist())]
        lines += [f"{TOLD!r} stands at {keys.size} places, on the pages {', '.join(names[:4])}, ..."]
        first = int(keys[0]) % (1 << WORD_BITS)
        lines += [f"the first time here: ...{concordance.text[first - 30 : first + 30]!r}..."]
    return lines


def _prove_places(concordance: Concordance, places: Places) -> Mapping[str, bool]:
    index: SortedIntMap = places.index
    keys, pages = index.to_arrays()
    words = list(concordance.numbers)
    text = concordance.text
    found = sum(keys.size for keys, _ in places.lists)
    return {
        "all keys come out in order, with their pages": keys.tolist() == sorted(concordance.keys)
        and dict(zip(keys.tolist(), pages.tolist(), strict=True))
        == dict(zip(concordance.keys, concordance.page_of, strict=True)),
        "at each place the text has the word": all(
            text.startswith(words[key >> WORD_BITS], key % (1 << WORD_BITS)) for key in keys.tolist()
        ),
        f"all {found:,} places of the {len(places.lists)} words asked for are theirs, and none is missing": [
            int(key) for keys, _ in places.lists for key in keys
        ]
        == [key for key in keys.tolist() if (key >> WORD_BITS) % 5 == 0],
        "the last place before the middle is the last one of the list that is not behind it": all(
            last == max((key for key in keys.tolist() if key % (1 << WORD_BITS) <= concordance.middle), default=None)
            for (keys, _), last in zip(places.lists, places.last, strict=True)
        ),
        "the map's own proof holds: order, depth, neighbours, fill, rows": _is_whole(index),
    }


def _is_whole(index: SortedIntMap) -> bool:
    try:
        index.check()
    except CorruptDataError:
        return False
    return True


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
        return _fill_other(self, _sorted_dict())

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
    return _sorted_dict(zip(numbers.keys[order].tolist(), numbers.values[order].tolist(), strict=True))


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
    waiting = _sorted_dict(queue.start)
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
    return Agreement(_equal(ours, theirs), f"{ours[0].size:,} items, the same")


def _same_maps(_: Numbers, ours: SortedIntMap, theirs: Any) -> Agreement:
    read = _arrays_of_llbtree if type(theirs).__name__ == "LLBTree" else _arrays_of_sorted_dict
    return Agreement(_equal(ours.to_arrays(), read(theirs)), f"{len(ours):,} items, the same")


def _same_array(_: Numbers, ours: Integers, theirs: Integers) -> Agreement:
    return Agreement(np.array_equal(ours, theirs), f"{ours.size:,} values, the same")


def _same_answers(_: Any, ours: list[Any], theirs: list[Any]) -> Agreement:
    return Agreement(ours == theirs, f"{len(ours):,} answers, the same")


SORTED_DICT, LLBTREE = ("SortedDict", "sortedcontainers"), ("LLBTree", "BTrees")

CASES = (
    Case(
        "array_btree",
        "a concordance: where does each word stand?",
        "words",
        (1_000, 10_000, 50_000),
        _concordance,
        _look_up,
        (
            Peer("dict of lists, and bisect", "bisect", _look_up_lists),
            Peer(*SORTED_DICT, _look_up_sorted_dict),
        ),
        _same_places,
        note="One integer is the number of a word and its place. The dict of lists has nothing to sort: who reads from "
        "front to back finds the places of a word in their order. One that was added later would have to be inserted.",
        story=Story(
            f"On which pages of the Python manual does the word {TOLD} stand?",
            50_000,
            "the text of the Python manual that every Python carries (pydoc_data.topics)",
            _tell_places,
            _prove_places,
        ),
    ),
    Case(
        "array_btree",
        "insert random keys one at a time, then read all in order",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: _fill(numbers).to_arrays(),
        (
            Peer(*SORTED_DICT, lambda numbers: _arrays_of_sorted_dict(_fill_other(numbers, _sorted_dict()))),
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
            Peer(*SORTED_DICT, lambda numbers: _delete(_sorted_dict(numbers.plain), numbers.deleted)),
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
            Peer(*SORTED_DICT, lambda numbers: _update(_sorted_dict(), numbers.batches_in_dicts)),
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
