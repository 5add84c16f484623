"""The kernels of the B-tree in an array: awkward orders, a sorted dict as the judge, rows that come back, sorting."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from smlib.storage import SortedIntMap
from smlib.storage.array_btree import rows
from smlib.storage.array_btree.bulk_loading import FILL, load
from smlib.storage.array_btree.changes import HANDED_ON, put_sorted, remove
from smlib.storage.array_btree.invariants import check_arena, count_rows
from smlib.storage.array_btree.lookups import find, find_ceiling, find_floor, find_many, scan, scan_back
from smlib.storage.array_btree.sorting import FEW, in_order, sort_items

COUNT, NEXT, PREVIOUS, KEYS, VALUES, ROW = map(
    int, (rows.COUNT, rows.NEXT, rows.PREVIOUS, rows.KEYS, rows.VALUES, rows.ROW)
)
ROOT, UNUSED, HEIGHT, ITEMS, SPARE = map(int, (rows.ROOT, rows.UNUSED, rows.HEIGHT, rows.ITEMS, rows.SPARE))
SMALLEST, LARGEST = -(2**63), 2**63 - 1

Words = NDArray[np.int64]


def words_of(numbers: Any) -> Words:
    return np.array(numbers, np.int64)


class Pair:
    """An arena, and the dict that says what it should hold."""

    def __init__(self) -> None:
        self.arena = rows.empty_arena(8)
        self.model: dict[int, int] = {}
        self.larger = 0

    def put(self, items: list[tuple[int, int]]) -> None:
        self.model.update(items)
        batch = sorted(dict(items).items())
        keys, values = words_of([key for key, _ in batch]), words_of([value for _, value in batch])
        done = put_sorted(self.arena, keys, values, 0)
        while done < keys.size:
            larger = rows.allocate(2 * self.arena.size)
            larger[: self.arena.size] = self.arena
            self.arena, self.larger = larger, self.larger + 1
            done = put_sorted(self.arena, keys, values, done)

    def put_in_batches(self, keys: list[int], size: int) -> None:
        for begin in range(0, len(keys), size):
            self.put([(key, begin + k) for k, key in enumerate(keys[begin : begin + size])])

    def take_out(self, key: int) -> None:
        assert remove(self.arena, key) == (self.model.pop(key, None) is not None)

    def prove(self, probes: int = 60) -> None:
        """Assert that the arena is whole, holds what the dict holds, and answers as it does."""
        check_arena(self.arena)
        items = sorted(self.model.items())
        n, h, inside = len(items), self.arena[HEIGHT], words_of([key for key, _ in items])
        assert self.arena[ITEMS] == n
        # The last of a level may have one key: the sparsest tree of h levels has 17^(h - 1) keys.
        assert h == 1 if n == 0 else 17 ** (h - 1) <= n <= 64**h
        assert list(zip(*self.scanned(scan, SMALLEST, LARGEST, True, n), strict=True)) == items
        assert list(zip(*self.scanned(scan_back, SMALLEST, LARGEST, True, n), strict=True)) == items[::-1]
        some = random.Random(n).choices([key for key, _ in items] or [0], k=probes)
        asked = [SMALLEST, -1, 0, LARGEST - 1, LARGEST, *some, *(min(key + 1, LARGEST) for key in some)]
        words, missing = np.empty(len(asked), np.int64), np.empty(len(asked), np.bool_)
        lost = find_many(self.arena, words_of(asked), words, missing)
        assert lost == missing.sum()
        for key, word, is_missing in zip(asked, words.tolist(), missing.tolist(), strict=True):
            assert (None if is_missing else word) == self.model.get(key)
            assert (self.item(int(find(self.arena, key))) or (key, None)) == (key, self.model.get(key))
            below, above = bisect_right(inside, key), bisect_left(inside, key)
            assert self.item(find_floor(self.arena, key)) == (items[below - 1] if below else None)
            assert self.item(find_ceiling(self.arena, key)) == (items[above] if above < n else None)
        for start, stop in pairwise(asked[:20]):
            if start < stop:
                between = items[bisect_left(inside, start) : bisect_left(inside, stop)]
                size = scan(self.arena, start, stop, False, words_of([]), words_of([]))
                assert size == len(between)
                assert list(zip(*self.scanned(scan, start, stop, False, size), strict=True)) == between
                assert list(zip(*self.scanned(scan_back, start, stop, False, size), strict=True)) == between[::-1]

    def item(self, position: int | np.int64) -> tuple[int, int] | None:
        if position < 0:
            return None
        return int(self.arena[position - VALUES + KEYS]), int(self.arena[position])

    def scanned(self, read: Any, start: int, stop: int, closed: bool, size: int) -> tuple[list[int], list[int]]:
        """Read with room for more than there is, and with room for less: then as much as there is room for."""
        keys, values = words_of([0] * (size + 3)), words_of([0] * (size + 3))
        assert read(self.arena, start, stop, closed, keys, values) == size
        if size > 1:
            fewer_keys, fewer_values = np.empty(size // 2, np.int64), np.empty(size // 2, np.int64)
            assert read(self.arena, start, stop, closed, fewer_keys, fewer_values) == size // 2
            assert (fewer_keys == keys[: size // 2]).all()
            assert (fewer_values == values[: size // 2]).all()
        return keys[:size].tolist(), values[:size].tolist()


ORDERS: dict[str, Callable[[int], list[int]]] = {
    "rising": lambda n: list(range(n)),
    "falling": lambda n: list(range(n))[::-1],
    "organ pipe": lambda n: [*range(0, n, 2), *range(n - 1 - n % 2, 0, -2)],
    "from both ends": lambda n: [k // 2 if k % 2 == 0 else n - 1 - k // 2 for k in range(n)],
    "from the middle": lambda n: [n // 2 + (k // 2 if k % 2 == 0 else -k // 2) for k in range(n)],
    "shuffled": lambda n: random.Random(n).sample(range(n), n),
    "few distinct": lambda n: [k * k % 97 for k in range(n)],
}


@pytest.mark.parametrize("size", [1, 40, 2000])
@pytest.mark.parametrize("order", ORDERS)
def test_no_order_spoils_the_tree(order: str, size: int) -> None:
    """In one at a time or in batches, over three levels; and out again, each time in another order, down to one."""
    n = 6000
    keys = ORDERS[order](n)
    pair = Pair()
    for begin in range(0, n, 2000):
        pair.put_in_batches(keys[begin : begin + 2000], size)
        pair.prove()
    assert (pair.arena[HEIGHT] == 3) == (order != "few distinct")
    out = ORDERS[list(ORDERS)[(list(ORDERS).index(order) + size) % len(ORDERS)]](n)
    for count, key in enumerate(out):
        pair.take_out(key)
        if count % 1500 == 0 or len(pair.model) in (1, 2, 65):
            pair.prove(10)
    for key in sorted(pair.model):
        pair.take_out(key)
    pair.prove()


@pytest.mark.parametrize("order", ORDERS)
def test_everything_goes_but_a_few(order: str) -> None:
    """A loaded tree is emptied in an awkward order, but for every 500th key, and grows again."""
    n = 10_000
    pair = Pair()
    pair.model = {key: -key for key in range(n)}
    pair.arena = load(words_of(range(n)), -words_of(range(n)))
    for count, key in enumerate(ORDERS[order](n)):
        if key % 500 != 7:
            pair.take_out(key)
        if count % 2500 == 0:
            pair.prove(10)
    pair.prove()
    assert order == "few distinct" or (len(pair.model), pair.arena[HEIGHT]) == (20, 1)
    pair.put_in_batches(ORDERS[order](n), 500)
    pair.prove()
    assert pair.arena[HEIGHT] == 3


@pytest.mark.interpreted
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.integers(-70, 70) | st.sampled_from([SMALLEST, SMALLEST + 1, LARGEST - 1, LARGEST])
        ),
        max_size=20,
    ),
    st.integers(0, 200),
)
def test_kernels_do_what_a_dict_does(calls: list[tuple[bool, int]], n: int) -> None:
    pair = Pair()
    pair.put([(3 * k - 70, k) for k in range(n)])
    for is_new, key in calls:
        if is_new:
            pair.put([(key, -key - 1), (key // 2, 0)])
        else:
            pair.take_out(key)
    pair.prove(3)


def test_all_integers_are_keys() -> None:
    """The padding is a key like others, in a leaf that is full, in one that is not, and as the only one."""
    edges = [SMALLEST, SMALLEST + 1, -1, 0, 1, LARGEST - 1, LARGEST]
    for n in (0, 1, 40, 62, 63, 64, 65, 300):
        pair = Pair()
        pair.put([(LARGEST - k, k) for k in range(n // 2)] + [(SMALLEST + k, -k) for k in range(n - n // 2)])
        pair.prove()
        for key in [*edges, *edges[::-1]]:
            pair.put([(key, SMALLEST)])
            pair.prove()
            pair.take_out(key)
            pair.take_out(key)
            pair.prove()
            pair.put([(key, LARGEST)])
        pair.prove()


# Rows that are given back.


def test_rows_are_taken_again() -> None:
    pair = Pair()
    keys = ORDERS["shuffled"](4000)
    used = []
    for _ in range(6):
        pair.put_in_batches(keys, 100)
        used.append(int(pair.arena[UNUSED]))
        for key in keys[::-1]:
            pair.take_out(key)
        pair.prove()
        assert (pair.arena[HEIGHT], count_rows(pair.arena)) == (1, 1)
    assert len(set(used)) == 1, "what the first round took is enough for all others"


def test_a_queue_needs_no_more_rows_than_it_has() -> None:
    pair = Pair()
    for begin in range(0, 40_000, 500):
        pair.put([(key, 0) for key in range(begin, begin + 500)])
        for key in range(begin - 2000, begin - 1500):
            pair.take_out(key)
    pair.prove()
    assert pair.arena[UNUSED] <= KEYS + 60 * ROW, "2,500 keys lie in 42 rows, and some above them"
    assert pair.larger <= 4


def test_nothing_is_put_in_without_room_for_a_split_of_every_level() -> None:
    keys = words_of(range(64))
    assert put_sorted(rows.empty_arena(2), keys, keys, 0) == 0, "a leaf and a new root may be needed"
    whole = rows.empty_arena(3)
    assert put_sorted(whole, keys, keys, 0) == 64
    assert whole[UNUSED] == whole.size
    check_arena(whole)
    assert put_sorted(whole, keys, keys, 0) == 0


def test_an_arena_begins_where_a_line_of_the_cache_does() -> None:
    for size in (*range(1, 40), 10_000):
        assert rows.allocate(size).size == size
        assert rows.allocate(size).ctypes.data % 64 == 0
    arena = load(words_of(range(5000)), words_of(range(5000)))
    assert arena.ctypes.data % 64 == 0
    assert all((arena.ctypes.data + 8 * (row + KEYS)) % 64 == 0 for row in range(KEYS, arena[UNUSED], ROW))


# Bulk loading.


@pytest.mark.parametrize("n", [0, 1, 2, 55, 56, 57, 63, 64, 65, 112, 113, 3135, 3136, 3137, 3200, 20_000, 175_617])
def test_a_loaded_tree_is_even_and_as_low_as_can_be(n: int) -> None:
    keys = words_of(range(n)) * 3 - n
    arena = load(keys, keys + 1)
    check_arena(arena)
    leaves = max(1, -(-n // FILL))
    assert arena[ITEMS] == n
    assert count_rows(arena) == leaves
    assert n <= FILL ** arena[HEIGHT]
    assert n > FILL ** (arena[HEIGHT] - 1) or arena[HEIGHT] == 1
    row, counts = int(arena[ROOT]), []
    for _ in range(arena[HEIGHT] - 1):
        row = int(arena[row + VALUES])
    while row:
        counts.append(int(arena[row + COUNT]))
        row = int(arena[row + NEXT])
    assert max(counts) - min(counts) <= 1
    assert max(counts) <= FILL


# Sorting.

KINDS: dict[str, Callable[[Any, int], Words]] = {
    "all integers": lambda rng, n: rng.integers(SMALLEST, LARGEST, n, endpoint=True),
    "a small range": lambda rng, n: rng.integers(-2000, 2000, n),
    "negative": lambda rng, n: rng.integers(SMALLEST, 0, n),
    "few distinct": lambda rng, n: rng.choice(words_of([SMALLEST, -1, 0, 1, 2048, LARGEST]), n),
    "sorted": lambda rng, n: np.arange(n) - n // 2,
    "falling": lambda rng, n: (n // 2 - np.arange(n)) << 40,
    "all equal": lambda rng, n: np.full(n, -5),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [0, 1, 2, 3, FEW - 1, FEW, FEW + 1, 30_000])
def test_sorting_agrees_with_a_stable_argsort(kind: str, n: int) -> None:
    keys = KINDS[kind](np.random.default_rng(n), n).astype(np.int64)
    values = np.arange(n)
    order = np.argsort(keys, kind="stable")
    buffers = (keys.copy(), values.copy(), np.empty_like(keys), np.empty_like(values))
    moved = sort_items(*buffers)
    for ours, ours_too in (buffers[2:] if moved else buffers[:2], in_order(keys.copy(), values.copy())):
        assert (ours == keys[order]).all()
        assert (ours_too == order).all()


# The essay.


@pytest.mark.interpreted
def test_the_numbers_of_the_essay() -> None:
    """Who inserts in order leaves full rows behind: of 64 keys the last leaf hands on 4."""
    pair = Pair()
    pair.put([(key, 0) for key in range(1, 64)])
    assert (pair.arena[HEIGHT], count_rows(pair.arena)) == (1, 1)
    pair.put([(64, 0)])
    root = int(pair.arena[ROOT])
    left, right = pair.arena[root + VALUES : root + VALUES + 2].tolist()
    assert pair.arena[[left, right]].tolist() == [64 - int(HANDED_ON), int(HANDED_ON)] == [60, 4]
    assert pair.arena[root + KEYS] == pair.arena[right + KEYS] == 61, "from 61 on, go right"
    # A full leaf in the middle is cut in half.
    pair.put([(-k, 0) for k in range(4)])
    assert [int(pair.arena[row]) for row in (left, int(pair.arena[left + NEXT]), right)] == [32, 32, 4]
    # A quarter: with 16 keys all is well, with 15 a leaf becomes one with its neighbour.
    for key in range(-3, 13):
        pair.take_out(key)
    assert count_rows(pair.arena) == 3
    pair.take_out(13)
    assert (count_rows(pair.arena), int(pair.arena[left])) == (2, 47)
    pair.prove(5)
    assert 64**3 < 10**6 <= FILL**4, "a million keys lie four rows deep"
    assert (ROW * 8 / 64, round(ROW * 8 / FILL)) == (17, 19)


def bytes_in_rows(arena: Words) -> float:
    return float(arena[UNUSED]) * 8 / float(arena[ITEMS])


def test_bytes_an_item() -> None:
    n = 100_000
    keys = np.random.default_rng(3).permutation(n)
    loaded = SortedIntMap.from_arrays(keys, keys)
    assert bytes_in_rows(loaded._arena) < 20
    assert loaded.stats()["bytes"] / n < 22.5
    filled = SortedIntMap()
    for count, key in enumerate(keys.tolist()):
        filled[key] = key
        if count > 10_000 and count % 9973 == 0:
            figures = filled.stats()
            assert bytes_in_rows(filled._arena) < 28
            assert figures["bytes"] <= 2.05 * bytes_in_rows(filled._arena) * figures["items"]
    filled.check()
    undisturbed = SortedIntMap(zip(keys.tolist(), keys.tolist(), strict=True))
    assert undisturbed.stats()["bytes"] / n < 32
    in_turn = SortedIntMap()
    for part in np.split(np.arange(n), 100):
        in_turn.put_arrays(part, part)
    assert bytes_in_rows(in_turn._arena) < 19
    assert in_turn.stats()["fill"] > 0.9


@pytest.mark.slow
def test_a_million_keys() -> None:
    rng = np.random.default_rng(5)
    keys = rng.integers(SMALLEST, LARGEST, 10**6, endpoint=True)
    loaded, filled = SortedIntMap.from_arrays(keys, -keys), SortedIntMap()
    for key in keys.tolist():
        filled[key] = key
    filled.put_arrays(keys, -keys)
    for each in (loaded, filled):
        each.check()
        assert each.stats()["height"] == 4
    assert all((ours == theirs).all() for ours, theirs in zip(loaded.to_arrays(), filled.to_arrays(), strict=True))
    assert (filled.get_many(keys) == -keys).all()
    model = dict(zip(keys.tolist(), (-keys).tolist(), strict=True))
    for key in keys[: 9 * 10**5].tolist():
        del filled[key], model[key]
    filled.check()
    assert list(filled.items()) == sorted(model.items())
    assert filled.stats()["height"] in (3, 4)


@pytest.mark.slow
@pytest.mark.parametrize(("into", "out"), list(product(ORDERS, ORDERS)))
def test_all_orders_in_and_out(into: str, out: str) -> None:
    n = 40_000
    pair = Pair()
    pair.put_in_batches(ORDERS[into](n), 700)
    pair.prove()
    for count, key in enumerate(ORDERS[out](n)):
        pair.take_out(key)
        if count % 10_000 == 0:
            pair.prove(10)
    pair.prove()
