"""Insertion into a B-tree: full nodes are split on the way down, before they are entered.

A new key goes into a leaf. A leaf that is full must be split, which puts a key into its parent; if that is full too,
it must be split as well, and so on up. The trick is to do all of this in advance. On the way down every full node is
split *before* it is entered; so wherever a split puts a key up, there is room, and nobody has to come back.

If the root is full, it becomes the only child of a new one, and is split like any other. This is the only way in
which the tree grows, at the top: so all leaves stay at the same depth.

Invariant:
  1. After every split the tree is a B-tree with the same items.

Cost: O(log n) comparisons, for the path; O(t) a split, and O(t) to make room in the leaf.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, section 18.2.
"""

from __future__ import annotations

from typing import Any

from smlib.storage.btree.nodes import Node, Watch, split_child
from smlib.storage.btree.paths import Path


def insert_along(path: Path, key: Any, value: Any, min_degree: int, watch: Watch | None = None) -> Node:
    """Put a new item in at the end of the path to where its key belongs; return the root of the tree.

    A split leaves min_degree - 1 keys on the left: a place before or behind them stays, one further on is on the right.
    """
    full = 2 * min_degree - 1
    root = path[0][0]
    if len(root.keys) == full:
        root = Node([], [], [root])
        path = [(root, 0), *path]
    entered = []
    parent, where = path[0]
    for node, place in path:
        if len(node.keys) == full:
            split_child(parent, where)
            if watch:
                watch(split_child, root, parent, where)
            if place >= min_degree:
                node, place = parent.children[where + 1], place - min_degree
        entered.append(node)
        parent, where = node, place
    parent.keys.insert(where, key)
    parent.values.insert(where, value)
    for node in entered:
        node.size += 1
    return root
