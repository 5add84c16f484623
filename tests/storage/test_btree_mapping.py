"""The B-tree as a mapping: views, copies, walks that notice changes; and keys that have no order."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from smlib.errors import InputError
from smlib.storage import BTree, SortedMapping


def test_it_is_a_mapping() -> None:
    tree = BTree(zip("bca", (2, 3, 1), strict=True))
    assert isinstance(tree, SortedMapping)
    assert tree == {"a": 1, "b": 2, "c": 3} == tree
    assert tree == BTree({"a": 1, "b": 2, "c": 3}, min_degree=2)
    assert tree != {"a": 1, "b": 2}
    assert tree != {"a": 1, "b": 2, "d": 3}
    assert tree != {"a": 1, "b": 2, "c": 4}
    assert tree != {"a": 1, "b": 2, "c": 3, "d": 4}
    assert tree != BTree({"a": 1, "b": 2, "c": 4})
    assert tree != BTree({"a": 1, "b": 2})
    assert tree != [("a", 1), ("b", 2), ("c", 3)]
    assert BTree([([1], 2)]) != {1: 2}, "a list has an order and no hash"
    assert repr(tree) == "<BTree of 3 items, min_degree 16, height 0>"
    assert tree.keys() & {"a", "z"} == {"a"}
    assert ("a", 1) in tree.items()
    assert ("a", 2) not in tree.items()
    with pytest.raises(TypeError, match="unhashable"):
        hash(tree)
    with pytest.raises(TypeError, match="abstract"):
        SortedMapping()  # type: ignore[abstract]


def pickled(tree: Any) -> Any:
    return pickle.loads(pickle.dumps(tree))  # noqa: S301  # our own bytes


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, BTree.copy, pickled])
def test_copies_are_independent(make: Callable[[BTree[int, list[int]]], BTree[int, list[int]]]) -> None:
    tree = BTree(((k, [k]) for k in range(100)), min_degree=2)
    twin = make(tree)
    assert twin == tree
    assert (twin.levels(), twin.min_degree) == (tree.levels(), 2)
    for k in range(0, 100, 3):
        del twin[k]
        twin[k + 1000] = []
    twin.check()
    tree.check()
    assert list(tree.items()) == [(k, [k]) for k in range(100)]
    shares = twin[1] is tree[1]
    assert shares == (make in (copy.copy, BTree.copy)), "a copy shares its values, a deep one does not"


@pytest.mark.parametrize(
    "walk",
    [
        iter,
        reversed,
        lambda tree: iter(tree.keys()),
        lambda tree: reversed(tree.values()),
        lambda tree: iter(tree.items()),
        lambda tree: tree.range(2),
        lambda tree: tree.range(None, 9),
        lambda tree: tree.range(reverse=True),
    ],
)
def test_a_walk_notices_every_change_of_the_keys(walk: Callable[[Any], Any]) -> None:
    changes: list[Callable[[BTree[float, int]], Any]] = [
        lambda tree: tree.update({3.5: 0}),
        lambda tree: tree.pop(4),
        lambda tree: (tree.pop(4), tree.update({4: 0})),
        lambda tree: tree.clear(),
    ]
    tree: BTree[float, int]
    for change, steps in product(changes, (0, 3, 7)):
        tree = BTree(((k, k) for k in range(10)), min_degree=2)
        walked = walk(tree)
        for _ in range(steps):
            next(walked)
        change(tree)
        with pytest.raises(RuntimeError, match="a key was inserted or deleted during iteration"):
            next(walked)
    tree = BTree(((k, k) for k in range(7)), min_degree=2)
    for _ in walk(tree):
        tree.update(dict.fromkeys(range(7), 0))
        tree.pop(99, None)


def test_new_values_are_seen_by_a_walk_and_by_views() -> None:
    tree = BTree(((k, k) for k in range(50)), min_degree=2)
    seen = []
    for key, value in tree.items():
        seen.append(value)
        tree[min(key + 1, 49)] = -1
    assert seen == [0, *[-1] * 49]
    values = tree.values()
    tree[100] = 7
    assert list(values)[-1] == 7


# Bad keys, bad calls.


class Shy:
    """Has no order."""

    def __repr__(self) -> str:
        return "Shy()"


STRANGE = [math.nan, None, Shy(), 1j]
OF_ANOTHER_ORDER = ["word", (1, 2), {1}]


@pytest.mark.parametrize(
    ("key", "n"),
    [*product(STRANGE, (0, 1, 3, 100)), *product(OF_ANOTHER_ORDER, (1, 3, 100))],
    ids=lambda value: repr(value),
)
def test_what_has_no_order_is_refused_and_the_tree_is_as_it_was(key: Any, n: int) -> None:
    tree: BTree[Any, int] = BTree(((float(k), k) for k in range(n)), min_degree=2)
    shape, walk = tree.levels(), tree.items()
    asked: list[Callable[[Any], Any]] = [
        tree.rank,
        tree.floor_item,
        tree.ceiling_item,
        lambda key: tree.setdefault(key, 0),
        lambda key: tree.update([(key, 0)]),
    ]
    if key is not None:
        asked += [tree.range, lambda key: tree.range(0.0, key)]
    for ask in asked:
        with pytest.raises(InputError, match="has no place here: "):
            ask(key)
    assert key not in tree
    assert tree.get(key, "nothing") == tree.pop(key, "nothing") == "nothing"
    with pytest.raises(KeyError):
        tree[key]
    with pytest.raises(KeyError):
        del tree[key]
    assert tree.levels() == shape
    assert list(walk) == [(float(k), k) for k in range(n)]
    tree.check()
    with pytest.raises(InputError, match="has no place here"):
        tree.put_many([(0.5, 1), (key, 2), (0.75, 3)])
    assert list(tree) == sorted([*map(float, range(n)), 0.5]), "the items before the refused one stay"


def test_a_refused_key_changes_nothing_at_all() -> None:
    """A full root and full leaves on the way are not split for a key that is refused at the last comparison."""
    tree: BTree[Any, int] = BTree((((k, 0), k) for k in range(3)), min_degree=2)
    before, walk = tree.levels(), iter(tree)
    with pytest.raises(InputError):
        tree[(2, "two")] = 0
    with pytest.raises(KeyError):
        del tree[(2, "two")]
    assert tree.levels() == before == [[[(0, 0), (1, 0), (2, 0)]]]
    assert list(walk) == [(0, 0), (1, 0), (2, 0)]


def test_half_ordered_keys_are_found_out_where_they_meet() -> None:
    """``<`` on sets means inclusion, and a NaN can hide in a tuple: neither less, nor equal, nor greater."""
    tree: BTree[Any, int] = BTree([(frozenset({1}), 1)])
    tree[frozenset({1, 2})] = 2
    with pytest.raises(
        InputError, match=r"frozenset\(\{2\}\) has no place .* neither less than frozenset\(\{1\}\), nor"
    ):
        tree[frozenset({2})] = 3
    pairs: BTree[Any, int] = BTree({(0.0, 1): 1, (1.0, 1): 2})
    with pytest.raises(InputError, match="neither less"):
        pairs[(math.nan, 1)] = 3
    assert list(pairs) == [(0.0, 1), (1.0, 1)]


def test_equal_keys_of_different_types_are_one_key() -> None:
    tree: BTree[Any, str] = BTree({1: "one"})
    tree[1.0] = "uno"
    tree[True] = "true"
    assert list(tree.items()) == [(1, "true")]
    assert isinstance(tree.first_item()[0], int)


Untyped: Any = BTree


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (
            lambda: Untyped(min_degree=1),
            "min_degree is 1; it must be at least 2, so that a full node can be cut in two",
        ),
        (lambda: Untyped(min_degree=2.5), "min_degree is 2.5; it must be an integer"),
        (lambda: Untyped([(1, 2), 3]), r"items\[1\] is 3; it must be a pair of a key and a value"),
        (lambda: Untyped([(1, 2, 3)]), r"items\[0\] is \(1, 2, 3\); it must be a pair"),
        (lambda: Untyped(5), "items is 5; it must be a mapping, or pairs of a key and a value"),
        (lambda: Untyped([(1, 2), ("a", 3)]), "the key 'a' has no place here: '<' not"),
        (lambda: Untyped().put_many(7), "items is 7; it must be a mapping"),
        (lambda: Untyped.from_sorted([(1, 2), 3]), r"items\[1\] is 3; it must be a pair"),
        (
            lambda: Untyped.from_sorted([(2, 0), (1, 0)]),
            r"items\[1\] has the key 1, .* the key before it, 2, is not less",
        ),
        (
            lambda: Untyped.from_sorted([(1, 0), (1, 0)]),
            "the key before it, 1, is not less; sort the items, each key once",
        ),
        (lambda: Untyped.from_sorted([(math.nan, 0)]), r"items\[0\] has the key nan, .* it is not equal to itself"),
        (lambda: Untyped.from_sorted([(1.0, 0), (math.nan, 0)]), r"items\[1\] has the key nan"),
        (lambda: Untyped.from_sorted([(1, 0), ("a", 0)]), r"items\[1\] has the key 'a', which cannot follow: '<' not"),
        (lambda: Untyped.from_sorted([], fill=0.4), "fill is 0.4; it must be from 0.5 to 1"),
        (lambda: Untyped.from_sorted([], fill=1.5), "fill is 1.5; it must be from 0.5 to 1"),
        (lambda: Untyped.from_sorted([], fill=math.nan), "fill is nan; it must be finite"),
        (lambda: Untyped.from_sorted([], min_degree=0), "min_degree is 0; it must be at least 2"),
        (lambda: Untyped({1: 2}).select(0.5), "index is 0.5, but the tree has 1 items"),
        (lambda: Untyped({1: 2}).range("a"), "the key 'a' has no place here"),
        (lambda: Untyped({1: 2}).range(0, "a"), "the key 'a' has no place here"),
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        call()
