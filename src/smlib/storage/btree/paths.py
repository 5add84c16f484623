r"""Paths in a B-tree: from the root down to a key, or to the place where it would stand.

A path is a list of nodes with a place in each: all keys before the place are less than the key that is looked for.
It ends at the key, or in a leaf::

    tree              . 20  40 .             path to 40:   (root, 1)
                      /    |    \             path to 35:   (root, 1), (middle leaf, 1)
                 10 15   30 37   50           path to 99:   (root, 2), (last leaf, 1)

Everything begins with such a path, and *only here are keys compared*. Insertion and deletion walk down the path that
was found and count places. So a key that cannot be compared is refused before anything has changed, and a change
that has begun cannot fail.

How many keys are less? Those before the place in each node of the path, and all that the subtrees before the place
hold: a node knows its size.

In a node of up to 2 t - 1 keys the place is found by bisection. The standard library's is used, for it is a tool
here and not the topic: any search in a short sorted list would do (Cormen et al. go from left to right), and this
one asks nothing but ``keys[i] < key``. Going on to the child, `find_path` has also seen that ``key`` is less than the
next key. So the two neighbours of a new key have both been compared with it, whatever ``<`` may mean for the rest.

Invariants:
  1. All keys before a path are less than the key, and all behind it greater.
  2. ``rank_of(find_path(root, key))`` is the number of keys that are less.

Cost: a path has one node a level, with O(log t) comparisons in each: O(log n) together. Counting takes O(t) a level.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, sections 17.1 and 18.2.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, TypeAlias

from smlib.errors import InputError
from smlib.storage.btree.nodes import Node

Path: TypeAlias = list[tuple[Node, int]]


def find_path(root: Node, key: Any) -> tuple[Path, bool]:
    """Return the path to a key, and whether the key is there; TypeError if it has no place in the order."""
    path: Path = []
    node = root
    while True:
        keys = node.keys
        place = bisect_left(keys, key)
        path.append((node, place))
        if place < len(keys) and not key < keys[place]:
            if keys[place] == key:
                return path, True
            raise TypeError(f"it is neither less than {keys[place]!r}, nor equal, nor greater")
        if not node.children:
            if not keys:  # The tree is empty, and the key has not been compared with anything yet.
                require_order(key)
            return path, False
        node = node.children[place]


def locate(root: Node, key: Any) -> tuple[Path, bool]:
    """Return what `find_path` does; InputError for a key that has no place in the order."""
    try:
        return find_path(root, key)
    except (TypeError, ValueError) as error:
        raise InputError(f"the key {key!r} has no place here: {error}; keys must compare by <") from error


def require_order(key: Any) -> None:
    """Raise TypeError for a key that is not even in order with itself: one that has no ``<``, or NaN."""
    if key < key or not key == key:
        raise TypeError("it is not equal to itself")


def path_before(node: Node) -> Path:
    """Return the path that ends before all keys."""
    path = [(node, 0)]
    while node.children:
        node = node.children[0]
        path.append((node, 0))
    return path


def path_behind(node: Node) -> Path:
    """Return the path that ends behind all keys."""
    path = [(node, len(node.keys))]
    while node.children:
        node = node.children[-1]
        path.append((node, len(node.keys)))
    return path


def rank_of(path: Path) -> int:
    """Return how many keys stand before a path from `find_path`."""
    rank = 0
    for node, place in path:
        rank += place + sum(child.size for child in node.children[:place])
    node, place = path[-1]
    if node.children:  # It ends at a key inside the tree: what is in the child before it is less as well.
        rank += node.children[place].size
    return rank


def select_item(root: Node, rank: int) -> tuple[Any, Any]:
    """Return the item before which there are ``rank`` others, from 0 on: count off whole subtrees on the way down."""
    node = root
    while node.children:
        for place, child in enumerate(node.children):
            if rank < child.size:
                node = child
                break
            rank -= child.size
            if rank == 0:
                return node.keys[place], node.values[place]
            rank -= 1
    return node.keys[rank], node.values[rank]
