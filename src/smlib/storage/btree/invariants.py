"""What must hold in a B-tree, proved node by node.

The numbers are those of the topic's essay. They are proved in an order in which each proof can rely on the ones
before: first that the nodes make a tree, then that the keys are in order in it.

Cost: O(n).

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, section 18.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from smlib.errors import CorruptDataError
from smlib.storage.btree.nodes import Node


def check_nodes(root: Node, min_degree: int) -> None:
    """Prove invariants 1 to 4; CorruptDataError has the number of the one that is broken."""
    most = 2 * min_degree - 1
    leaf_depths = set()
    for node, depth in walk_nodes(root):
        count = len(node.keys)
        least = min_degree - 1 if node is not root else 1 if node.children else 0
        _prove(1, least <= count <= most, f"a node has {count} keys, where {least} to {most} are allowed")
        _prove(1, len(node.values) == count, f"a node has {count} keys and {len(node.values)} values")
        if node.children:
            _prove(1, len(node.children) == count + 1, f"a node has {count} keys and {len(node.children)} children")
        else:
            leaf_depths.add(depth)
    for first, second in pairwise(keys_in_order(root)):
        in_order = bool(first < second)
        _prove(2, in_order, f"{first!r} stands before {second!r}; a key must not change while it is in the tree")
    _prove(3, len(leaf_depths) == 1, f"there are leaves at the depths {sorted(leaf_depths)}")
    for node, _ in reversed(list(walk_nodes(root))):
        size = len(node.keys) + sum(child.size for child in node.children)
        _prove(4, node.size == size, f"a node says that it holds {node.size} keys with those below it; it holds {size}")


def walk_nodes(root: Node) -> Iterator[tuple[Node, int]]:
    """Yield all nodes with their depths, a level after the other."""
    level, depth = [root], 0
    while level:
        for node in level:
            yield node, depth
        level, depth = [child for node in level for child in node.children], depth + 1


def keys_in_order(node: Node) -> Iterator[Any]:
    """Yield the keys of a node and of all nodes below it in the order in which they stand."""
    for place, key in enumerate(node.keys):
        if node.children:
            yield from keys_in_order(node.children[place])
        yield key
    if node.children:
        yield from keys_in_order(node.children[-1])


def _prove(number: int, holds: bool, complaint: str) -> None:
    if not holds:
        raise CorruptDataError(f"invariant {number} is broken: {complaint}")
