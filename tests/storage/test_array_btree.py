"""Sorted maps of integers: one machine for all stores, all of the 64 bits, arrays, and a proof that finds damage."""

from __future__ import annotations

import copy
import enum
import math
import pickle
import random
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule
from numpy.typing import NDArray

from smlib.errors import CorruptDataError, InputError
from smlib.storage import SortedIntMap
from smlib.storage.array_btree import integer_map, rows
from tests.storage.sorted_mapping_machine import machine_of

SMALLEST, LARGEST = -(2**63), 2**63 - 1
ALL_BITS = st.integers(SMALLEST, LARGEST) | st.sampled_from(
    [SMALLEST, SMALLEST + 1, -1, 0, 1, LARGEST - 2, LARGEST - 1, LARGEST]
)

COUNT, NEXT, PREVIOUS, KEYS, VALUES, ROW = map(
    int, (rows.COUNT, rows.NEXT, rows.PREVIOUS, rows.KEYS, rows.VALUES, rows.ROW)
)
ROOT, UNUSED, HEIGHT, ITEMS, SPARE = map(int, (rows.ROOT, rows.UNUSED, rows.HEIGHT, rows.ITEMS, rows.SPARE))

Words = NDArray[np.int64]


# Laws. A machine calls everything in any order.


class Listed(SortedIntMap):
    """What the machine compares with a list is one."""

    __slots__ = ()

    def get_many(self, keys: Iterable[int], default: Any = None) -> Any:
        return super().get_many(keys, default).tolist()


def case_of(waiting: int, chunk: int, patient: bool, **how: Any) -> Any:
    """Return a machine's test case, in which few items wait; a patient one leaves them waiting between two calls."""

    class ArrayMachine(machine_of(**how)):  # type: ignore[misc]  # a class that is made by a call
        @rule(start=st.integers(-300, 300), step=st.sampled_from([1, 3, -2]), size=st.integers(0, 200))
        def put_arrays(self, start: int, step: int, size: int) -> None:
            keys = [start + step * k for k in range(size)]
            self.store.put_arrays(keys, [k % 10 for k in range(size)])
            self.model.update((key, k % 10) for k, key in enumerate(keys))

        @rule(seed=st.integers(0, 3), all_but=st.integers(0, 9))
        def delete_many(self, seed: int, all_but: int) -> None:
            keys = sorted(self.model)
            random.Random(seed).shuffle(keys)
            for key in keys[all_but:]:
                del self.store[key]
                del self.model[key]

        @rule(start=st.none() | st.integers(-300, 300), stop=st.none() | st.integers(-300, 300))
        def copy_to_arrays(self, start: int | None, stop: int | None) -> None:
            keys, values = self.store.to_arrays(start, stop)
            assert list(zip(keys.tolist(), values.tolist(), strict=True)) == self.between(start, stop)

        if patient:

            def the_store_holds_what_the_model_holds(self) -> None:
                """Is asked at the end."""

            def teardown(self) -> None:
                super().the_store_holds_what_the_model_holds()

    case: Any = ArrayMachine.TestCase
    case.sizes = (waiting, chunk)
    case.settings = settings(max_examples=max(1, settings().max_examples // 4))
    return case


@pytest.fixture(autouse=True)
def few_items_wait_where_a_machine_says_so(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, chunk = getattr(request.cls, "sizes", (integer_map.WAITING, integer_map.CHUNK))
    monkeypatch.setattr(integer_map, "WAITING", waiting)
    monkeypatch.setattr(integer_map, "CHUNK", chunk)


def load(items: list[tuple[int, int]]) -> SortedIntMap:
    return Listed.from_arrays([key for key, _ in items], [value for _, value in items])


def load_numbers(items: list[tuple[int, int]]) -> SortedIntMap:
    return Listed.from_arrays([key for key, _ in items], np.array([value for _, value in items], float))


TestIntegers = case_of(1, 7, False, create=Listed, load=load, copy=copy.copy)
TestIntegersThatWait = case_of(17, 1, True, create=Listed, load=load, copy=copy.deepcopy)
TestNumbers = case_of(3, 64, False, create=lambda: Listed(dtype=float), load=load_numbers, copy=Listed.copy)
TestAllBits = case_of(
    3,
    2,
    False,
    create=Listed,
    load=load,
    copy=lambda m: pickle.loads(pickle.dumps(m)),  # noqa: S301  # our own bytes
    keys=ALL_BITS,
)
TestAllBitsThatWait = case_of(100, 1, True, create=lambda: Listed(dtype="f8"), load=load_numbers, keys=ALL_BITS)


@pytest.mark.interpreted
@given(st.lists(st.tuples(ALL_BITS | st.integers(-9, 9), ALL_BITS), max_size=90), st.lists(ALL_BITS, max_size=20))
def test_a_map_holds_what_a_dict_holds(items: list[tuple[int, int]], gone: list[int]) -> None:
    ours, theirs = SortedIntMap(items), dict(items)
    for key in [*gone, *[key for key, _ in items[::2]]]:
        assert ours.pop(key, None) == theirs.pop(key, None)
        ours[key] = theirs[key] = 1
        if key % 3:
            del ours[key], theirs[key]
    ours.check()
    assert list(ours.items()) == sorted(theirs.items())
    assert list(reversed(ours)) == sorted(theirs)[::-1]
    assert all(ours[key] == value for key, value in theirs.items())


# Keys and values of all 64 bits.


@pytest.mark.interpreted
def test_a_value_that_looks_like_none_is_one() -> None:
    """The value -2**63 and NaN are what a kernel says for "not there"."""
    ours = SortedIntMap({5: SMALLEST, LARGEST: SMALLEST, SMALLEST: LARGEST})
    numbers = SortedIntMap({5: math.nan, LARGEST: math.inf, SMALLEST: -0.0}, dtype=float)
    for _ in range(2):  # While they wait, and after.
        assert (ours[5], ours[LARGEST], ours[SMALLEST]) == (SMALLEST, SMALLEST, LARGEST)
        assert math.isnan(numbers[5])
        assert (numbers[LARGEST], math.copysign(1, numbers[SMALLEST])) == (math.inf, -1)
        for each, key in product((ours, numbers), (4, 6, LARGEST - 1, SMALLEST + 1)):
            assert key not in each
            with pytest.raises(KeyError, match=str(key)):
                each[key]
        ours.check()
        numbers.check()
    assert ours.get_many([5, 4, LARGEST], 7).tolist() == [SMALLEST, 7, SMALLEST]
    assert ours.get_many([5, 4]).tolist() == [SMALLEST, None]
    assert repr(numbers.get_many([5, 4])) == "array([nan, None], dtype=object)"
    assert ours.get_many([]).dtype == np.int64
    assert numbers.get_many(np.array([LARGEST], np.uint64)).dtype == np.float64


class Rank(enum.IntEnum):
    ACE = 14


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("key", "plain"),
    [(np.int8(-3), -3), (np.uint64(LARGEST), LARGEST), (True, 1), (Rank.ACE, 14), (np.array(6), 6), (np.int64(9), 9)],
)
def test_whatever_is_an_integer_is_a_key(key: Any, plain: int, there: bool) -> None:
    ours = SortedIntMap({-10: 0})
    ours[key] = key
    if there:
        ours.check()
    assert [type(item) for item in ours.popitem()] == [int, int]
    ours[key] = key
    if there:
        ours.check()
    assert ours[key] == ours[plain] == ours.get(key) == ours.get_many([plain])[0] == plain
    assert type(ours[plain]) is int
    assert key in ours
    assert ours.floor_item(key) == ours.ceiling_item(key) == (plain, plain)
    assert list(ours.range(key)) == [(plain, plain)]
    del ours[key]
    assert plain not in ours
    assert list(ours) == [-10]


STRANGE = [2**63, -(2**63) - 1, 2**64, 10**40, 1.0, math.nan, "1", None, 1j, (1,), [1], {1}, b"1", np.float64(1)]


@pytest.mark.parametrize("key", STRANGE, ids=repr)
@pytest.mark.parametrize("dtype", [int, float])
def test_what_is_no_key_is_not_there_and_cannot_be_put_in(key: Any, dtype: Any) -> None:
    ours = SortedIntMap({1: 1, LARGEST: 2, SMALLEST: 3}, dtype=dtype)
    for _ in range(2):
        assert key not in ours
        assert ours.get(key, "nothing") == ours.pop(key, "nothing") == "nothing"
        with pytest.raises(KeyError):
            ours[key]
        with pytest.raises(KeyError):
            del ours[key]
        with pytest.raises(InputError):
            ours[key] = 5
        with pytest.raises(InputError):
            ours.put_arrays([7, key], [5, 5])
        ours.check()
        assert ours.to_arrays()[0].tolist() == [SMALLEST, 1, LARGEST]
        assert ours.to_arrays()[1].tolist() == [3, 1, 2]


def test_an_end_may_lie_beyond_all_keys() -> None:
    ours = SortedIntMap({SMALLEST: 1, 0: 2, LARGEST: 3})
    far = 10**30
    assert list(ours.range(-far, far)) == list(ours.items()) == [(SMALLEST, 1), (0, 2), (LARGEST, 3)]
    assert list(ours.range(0, LARGEST)) == list(ours.range(0, LARGEST, reverse=True)) == [(0, 2)]
    assert list(ours.range(LARGEST)) == list(ours.range(LARGEST, LARGEST + 1, reverse=True)) == [(LARGEST, 3)]
    assert list(ours.range(LARGEST + 1)) == list(ours.range(far, -far)) == list(ours.range(5, 5)) == []
    assert (ours.floor_item(far), ours.ceiling_item(-far)) == ((LARGEST, 3), (SMALLEST, 1))
    assert (ours.floor_item(-far), ours.ceiling_item(far)) == (None, None)
    assert (ours.floor_item(SMALLEST), ours.ceiling_item(LARGEST)) == ((SMALLEST, 1), (LARGEST, 3))
    assert [each.tolist() for each in ours.to_arrays(-far, far)] == [[SMALLEST, 0, LARGEST], [1, 2, 3]]
    assert [each.tolist() for each in ours.to_arrays(1, far)] == [[LARGEST], [3]]
    assert [each.size for each in ours.to_arrays(far, -far)] == [each.size for each in ours.to_arrays(3, 3)] == [0, 0]


# Arrays.


@pytest.mark.parametrize("n", [0, 1, 2, 50, 64, 999, 1000, 5000])
@pytest.mark.parametrize("into", [0, 3, 4000])
def test_of_equal_keys_the_last_one_counts(n: int, into: int) -> None:
    rng = np.random.default_rng(n)
    keys, values = rng.integers(-n, n + 1, n), np.arange(n)
    theirs = dict.fromkeys(range(0, 2 * into, 2), -1)
    ours = SortedIntMap(theirs)
    given_keys, given_values = keys.copy(), values.copy()
    ours.put_arrays(given_keys, given_values)
    theirs.update(zip(keys.tolist(), values.tolist(), strict=True))
    ours.check()
    assert list(ours.items()) == sorted(theirs.items())
    assert (given_keys == keys).all()
    assert (given_values == values).all()
    if into == 0:
        sorted_keys, sorted_values = ours.to_arrays()
        again = SortedIntMap.from_arrays(sorted_keys, sorted_values)
        assert again == ours == SortedIntMap.from_arrays(keys.astype(np.int32), values.tolist())


def test_arrays_are_copies() -> None:
    keys, values = np.arange(300), np.arange(300.0)
    ours = SortedIntMap.from_arrays(keys, values)
    keys[:], values[:] = 0, 0
    for start, stop in ((None, None), (10, 20), (None, 20), (280, None)):
        copied = ours.to_arrays(start, stop)
        expected = list(range(start or 0, stop or 300))
        assert (copied[0].tolist(), copied[1].tolist()) == (expected, expected)
        copied[0][:], copied[1][:] = 0, 0
        found = ours.get_many(expected)
        found[:] = 0
    ours.check()
    assert list(ours.items()) == [(k, float(k)) for k in range(300)]
    frozen = np.arange(300)
    frozen.flags.writeable = False
    assert SortedIntMap.from_arrays(frozen, frozen[::-1]).get_many(frozen).tolist() == frozen[::-1].tolist()


def test_the_type_of_the_values() -> None:
    assert SortedIntMap.from_arrays([1], [2]).dtype is np.int64
    assert SortedIntMap.from_arrays([1], np.array([2], np.float32)).dtype is np.float64
    assert SortedIntMap.from_arrays([1], [2], dtype="float64")[1] == 2.0
    assert SortedIntMap.from_arrays([], []).to_arrays()[1].dtype == np.float64
    numbers = SortedIntMap({1: Fraction(1, 2), 2: Decimal("0.25"), 3: True, 4: np.float32(2)}, dtype=np.float64)
    assert list(numbers.values()) == [0.5, 0.25, 1.0, 2.0]
    assert {type(value) for value in numbers.values()} == {float}
    assert numbers.get_many([0, 1], Fraction(1, 4)).tolist() == [0.25, 0.5]


# The proof finds what is wrong.


def damaged(change: Callable[[Words, list[int]], Any]) -> SortedIntMap:
    """Return a map of 1,000 keys (0, 2, 4, ...) in 18 leaves, and some rows that were given back, with one change."""
    whole = SortedIntMap.from_arrays(np.arange(0, 2000, 2), np.arange(1000))
    for key in range(1, 200, 2):
        whole[key] = 0
    whole.check()
    for key in range(1, 200, 2):
        del whole[key]
    for key in range(0, 200, 2):
        del whole[key]
        whole[key] = 0
    whole.check()
    arena = whole._arena
    root = int(arena[ROOT])
    leaves = arena[root + VALUES : root + VALUES + int(arena[root]) + 1].tolist()
    assert arena[HEIGHT] == 2
    assert arena[SPARE] != 0
    change(arena, leaves)
    return whole


def put(arena: Words, place: int, value: int) -> None:
    arena[place] = value


def swap(arena: Words, first: int, second: int) -> None:
    arena[[first, second]] = arena[[second, first]]


def keep(arena: Words, row: int, count: int) -> None:
    arena[ITEMS] -= arena[row + COUNT] - count
    arena[row + COUNT] = count
    arena[row + KEYS + count : row + VALUES] = LARGEST


DAMAGE: list[tuple[Callable[[Words, list[int]], Any], int, str]] = [
    (lambda a, leaf: swap(a, leaf[2] + KEYS + 3, leaf[2] + KEYS + 4), 1, "keys of row .* do not increase"),
    (lambda a, leaf: put(a, leaf[2] + KEYS + 3, a[leaf[2] + KEYS + 4]), 1, "keys of row .* do not increase"),
    (lambda a, leaf: put(a, leaf[2] + VALUES - 1, 5), 1, "row .* has keys behind its"),
    (lambda a, leaf: put(a, a[ROOT] + VALUES - 1, 5), 1, "row .* has keys behind its"),
    (lambda a, leaf: swap(a, a[ROOT] + KEYS + 3, a[ROOT] + KEYS + 4), 1, "keys of row .* do not increase"),
    (lambda a, leaf: put(a, leaf[5] + KEYS, a[leaf[5] + KEYS] - 1), 2, "row .* has a key that belongs elsewhere"),
    (lambda a, leaf: put(a, leaf[5] + KEYS + a[leaf[5]] - 1, a[leaf[6] + KEYS]), 2, "row .* has a key that belongs"),
    (lambda a, leaf: put(a, a[ROOT] + KEYS + 4, a[a[ROOT] + KEYS + 4] + 1), 2, "row .* has a key that belongs"),
    (lambda a, leaf: put(a, leaf[0] + NEXT, leaf[2]), 3, "leaf .* does not know its neighbours"),
    (lambda a, leaf: put(a, leaf[3] + PREVIOUS, leaf[3]), 3, "leaf .* does not know its neighbours"),
    (lambda a, leaf: put(a, leaf[0] + PREVIOUS, leaf[-1]), 3, "leaf .* does not know its neighbours"),
    (lambda a, leaf: put(a, leaf[-1] + NEXT, leaf[0]), 3, "leaf .* does not know its neighbours"),
    (lambda a, leaf: keep(a, leaf[4], 15), 4, "row .* has 15 keys only"),
    (lambda a, leaf: put(a, leaf[4] + COUNT, 65), 4, "row .* has 65 keys"),
    (lambda a, leaf: put(a, leaf[4] + COUNT, -1), 4, "row .* has -1 keys"),
    (lambda a, leaf: put(a, a[ROOT] + COUNT, 64), 4, "row .* has 64 keys"),
    (lambda a, leaf: keep(a, leaf[-1], 0), 4, "row .* has no keys"),
    (lambda a, leaf: keep(a, a[ROOT], 0), 4, "row .* has no keys"),
    (lambda a, leaf: put(a, ITEMS, a[ITEMS] + 1), 5, "the leaves hold 1000 items, the head says 1001"),
    (lambda a, leaf: put(a, ROOT, 0), 5, "row 0 is used twice, or is none"),
    (lambda a, leaf: put(a, HEIGHT, 0), 5, "the leaves hold"),
    (lambda a, leaf: put(a, HEIGHT, 3), 5, "row .* is used twice, or is none"),
    (lambda a, leaf: put(a, a[ROOT] + VALUES, a[ROOT]), 5, "row .* is used twice, or is none"),
    (lambda a, leaf: put(a, a[ROOT] + VALUES, leaf[0] + 1), 5, "row .* is used twice, or is none"),
    (lambda a, leaf: put(a, a[ROOT] + VALUES, -ROW), 5, "row -136 is used twice, or is none"),
    (lambda a, leaf: put(a, SPARE, leaf[0]), 5, "row .* is given back and used, or is none"),
    (lambda a, leaf: put(a, SPARE, 10**9), 5, "row 1000000000 is given back and used, or is none"),
    (lambda a, leaf: put(a, a[SPARE] + NEXT, a[SPARE]), 5, "row .* is given back and used, or is none"),
    (lambda a, leaf: put(a, SPARE, 0), 5, "a row is lost"),
    (lambda a, leaf: put(a, UNUSED, a[UNUSED] + ROW), 5, "a row is lost"),
    (lambda a, leaf: put(a, UNUSED, 2**40), 5, "a row is lost"),
]


@pytest.mark.parametrize(("change", "number", "complaint"), DAMAGE)
def test_check_names_the_broken_invariant(
    change: Callable[[Words, list[int]], Any], number: int, complaint: str
) -> None:
    damaged(lambda arena, leaves: None).check()
    broken = damaged(change)
    with pytest.raises(CorruptDataError, match=f"^invariant {number} of .* does not hold: {complaint}"):
        broken.check()
