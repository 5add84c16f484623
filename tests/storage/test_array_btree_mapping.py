"""Sorted maps of integers as mappings: walks that notice changes, views, copies; and bad input."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smlib.errors import InputError
from smlib.storage import BTree, SortedIntMap, SortedMapping

LARGEST = 2**63 - 1

# Walks.


def walks() -> list[Callable[[SortedIntMap], Any]]:
    return [iter, reversed, lambda m: iter(m.keys()), lambda m: reversed(m.items()), lambda m: m.range(-5, 10**9)]


@pytest.mark.parametrize("walk", walks())
@pytest.mark.parametrize("steps", [0, 1, 1023, 1024, 1500])
def test_a_walk_notices_every_change_of_the_keys(walk: Callable[[SortedIntMap], Any], steps: int) -> None:
    changes: list[Callable[[SortedIntMap], Any]] = [
        lambda m: m.update({-1: 0}),
        lambda m: m.update({3001: 0}),
        lambda m: m.pop(77),
        lambda m: (m.pop(4), m.update({4: 0})),
        lambda m: m.put_arrays([-7], [0]),
        lambda m: m.clear(),
    ]
    for change in changes:
        ours = SortedIntMap.from_arrays(np.arange(1500), np.arange(1500))
        walked = walk(ours)
        for _ in range(steps):
            next(walked)
        change(ours)
        with pytest.raises(RuntimeError, match="inserted or deleted during iteration; iterate over a copy"):
            next(walked)


def test_a_walk_over_nothing_notices_too() -> None:
    ours = SortedIntMap()
    walked = ours.range()
    ours[1] = 1
    with pytest.raises(RuntimeError, match="during iteration"):
        next(walked)
    late = SortedIntMap({1: 1}).items()
    assert list(late) == [(1, 1)]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_walk_shows_new_values(reverse: bool) -> None:
    n = 3000
    ours = SortedIntMap.from_arrays([*range(n - 1), LARGEST], np.zeros(n, int))
    seen = []
    for count, (key, value) in enumerate(ours.range(reverse=reverse)):
        seen.append(value)
        if count % 100 == 50:
            ours.put_many({min(key + 1, n - 2): -count, max(key - 1, 0): -count, LARGEST: 1, 0: 1})
    expected = [-count + 1 if count % 100 == 51 else 0 for count in range(n)]
    assert seen == [*expected[:-1], 1]
    assert len(list(ours)) == n


def test_views_show_what_is_there_now() -> None:
    ours = SortedIntMap({3: 30, 1: 10})
    keys, values, items = ours.keys(), ours.values(), ours.items()
    ours[2] = 20
    assert (list(keys), list(values), list(items)) == ([1, 2, 3], [10, 20, 30], [(1, 10), (2, 20), (3, 30)])
    assert (list(reversed(keys)), list(reversed(values))) == ([3, 2, 1], [30, 20, 10])
    assert keys & {1, 9} == {1}
    assert (2, 20) in items
    assert (2, 21) not in items
    assert ours == {1: 10, 2: 20, 3: 30} == BTree(ours)
    assert ours != {1: 10}
    assert isinstance(ours, SortedMapping)


def pickled(ours: Any) -> Any:
    return pickle.loads(pickle.dumps(ours))  # noqa: S301  # our own bytes


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, SortedIntMap.copy, SortedIntMap, pickled])
@pytest.mark.parametrize("dtype", [int, float])
def test_copies_are_independent(make: Callable[..., SortedIntMap], dtype: Any) -> None:
    for n in (0, 1, 700):
        items = [(k * k, dtype(k)) for k in range(n)]
        ours = SortedIntMap(items, dtype=dtype)
        twin = make(ours, dtype=dtype) if make is SortedIntMap else make(ours)
        assert (twin == ours, twin.dtype, type(twin)) == (True, ours.dtype, SortedIntMap)
        for k in range(0, n, 3):
            del twin[k * k]
            twin[-k] = 5
        ours[LARGEST] = 1
        twin.check()
        ours.check()
        assert list(ours.items()) == [*items, (LARGEST, 1)]
        assert LARGEST not in twin
        ours.clear()
        assert len(ours) == 0
        assert len(twin) >= n - n // 3 - 1


def test_figures_and_text() -> None:
    ours = SortedIntMap.from_arrays(range(5600), range(5600))
    assert repr(ours) == "SortedIntMap: 5,600 items of int64"
    figures = ours.stats()
    assert {name: figures[name] for name in ("items", "height", "leaves", "fill")} == {
        "items": 5600, "height": 3, "leaves": 100, "fill": 56 / 64
    }  # fmt: skip
    assert figures["bytes"] == ours._arena.nbytes
    assert SortedIntMap(dtype=float).stats()["leaves"] == 1
    assert repr(SortedIntMap(dtype=float)) == "SortedIntMap: 0 items of float64"


# Bad input.

Untyped: Any = SortedIntMap


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: Untyped(dtype="i4"), "dtype is int32; it must be int64 or float64"),
        (lambda: Untyped(dtype="number"), "dtype is 'number'; it must be int64 or float64"),
        (lambda: Untyped(5), "items is 5; it must be a mapping, or pairs of a key and a value"),
        (lambda: Untyped([(1, 2), 3]), r"items\[1\] is 3; it must be a pair of a key and a value"),
        (lambda: Untyped({"a": 1}), "a key is 'a'; it must be an integer"),
        (lambda: Untyped({1.0: 1}), "a key is 1.0; it must be an integer"),
        (lambda: Untyped({2**63: 1}), r"a key is 9223372036854775808; it must lie between -2\*\*63 and 2\*\*63 - 1"),
        (lambda: Untyped({1: 1.5}), "a value is 1.5; it must be an integer"),
        (lambda: Untyped({1: None}), "a value is None; it must be an integer"),
        (lambda: Untyped({1: -(2**63) - 1}), r"a value is -9223372036854775809; it must lie between -2\*\*63"),
        (lambda: Untyped({1: "1.5"}, dtype=float), "a value is '1.5'; it must be a number"),
        (lambda: Untyped({1: None}, dtype=float), "a value is None; it must be a number"),
        (lambda: Untyped({1: 1j}, dtype=float), "a value is 1j; it must be a number"),
        (lambda: Untyped({1: 10**400}, dtype=float), "a value is 1000.*; it must be a number that a float can hold"),
        (lambda: Untyped.from_arrays([1, 2], [3]), r"keys has shape \(2,\), values \(1,\); they must be equal"),
        (lambda: Untyped.from_arrays(1, 2), r"keys is of shape \(\) and type int64; it must be a vector of integers"),
        (lambda: Untyped.from_arrays([[1]], [[2]]), r"keys is of shape \(1, 1\) and type int64; it must be a vector"),
        (lambda: Untyped.from_arrays([1.0], [2]), r"keys is of shape \(1,\) and type float64; it must be a vector"),
        (lambda: Untyped.from_arrays([2**63], [2]), "keys holds 9223372036854775808; they must lie between"),
        (lambda: Untyped.from_arrays([1], [2**63]), "values holds 9223372036854775808; they must lie between"),
        (
            lambda: Untyped.from_arrays([1], [2.5], dtype=int),
            r"values is of shape \(1,\) and type float64; .* integers",
        ),
        (lambda: Untyped.from_arrays([1], ["a"]), r"values is of shape \(1,\) and type <U1; it must be a vector of in"),
        (lambda: Untyped.from_arrays([1], ["a"], dtype=float), r"values is of shape .* <U1; .* a vector of numbers"),
        (lambda: Untyped.from_arrays([[1], [2, 3]], [1, 2]), "keys cannot be an array: setting an array element"),
        (lambda: Untyped.from_arrays([1, 2], [[1], [2, 3]]), "values cannot be an array: setting an array element"),
        (lambda: Untyped({1: 2}).get_many(5), r"keys is of shape \(\) and type int64; it must be a vector"),
        (lambda: Untyped({1: 2}).get_many(["a"]), r"keys is of shape \(1,\) and type <U1; it must be a vector"),
        (lambda: Untyped({1: 2}).get_many([3], "a"), "a value is 'a'; it must be an integer"),
        (lambda: Untyped({1: 2}).get_many([3], 1.5), "a value is 1.5; it must be an integer"),
        (lambda: Untyped({1: 2}).range("a"), "start is 'a'; it must be an integer"),
        (lambda: Untyped({1: 2}).range(0, 1.5), "stop is 1.5; it must be an integer"),
        (lambda: Untyped({1: 2}).to_arrays(1.5), "start is 1.5; it must be an integer"),
        (lambda: Untyped({1: 2}).floor_item("a"), "key is 'a'; it must be an integer"),
        (lambda: Untyped({1: 2}).ceiling_item(None), "key is None; it must be an integer"),
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], complaint: str) -> None:
    with pytest.raises(InputError, match=f"^{complaint}"):
        call()


def test_a_refused_call_changes_nothing() -> None:
    ours: Any = SortedIntMap({1: 10, 2: 20})
    walked = ours.range()
    refused: list[Callable[[], Any]] = [
        lambda: ours.update({1: "x"}),
        lambda: ours.put_arrays([1, 3], [5, None]),
        lambda: ours.put_arrays([1, 3], [5]),
        lambda: ours.put_arrays([1, 3.5], [5, 6]),
        lambda: ours.setdefault(3, 0.5),
    ]
    for call in refused:
        with pytest.raises(InputError):
            call()
    with pytest.raises(KeyError):
        del ours[3]
    for empty in (SortedIntMap().first_item, SortedIntMap().last_item, SortedIntMap().popitem):
        with pytest.raises(KeyError, match="the map is empty"):
            empty()
    assert list(walked) == [(1, 10), (2, 20)]
    with pytest.raises(InputError, match="a key is 'x'"):
        ours.put_many([(5, 50), ("x", 0), (6, 60)])
    assert list(ours) == [1, 2, 5], "the items before the refused one stay"
