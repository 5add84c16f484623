"""The nodes of a B-tree, and the four operations that move keys between neighbours.

A node holds keys in order, a value with each, and, unless it is a leaf, a child in each gap between and beside the
keys. Whatever has to be mended is mended by one of four operations. Each looks at a parent and at one or two of its
children, and at nothing else::

    split_child                    borrow_from_right               merge_children

      . p .         . m p .          . p .         . r .             . p .          . .
       |     -->    |   |            |   |   -->   |   |             |   |   -->     |
    a b m c d      a b  c d          a   r s      a p  s             a   b         a p b

(and `borrow_from_left`, the mirror image). In-order reading gives the same sequence before and after.

Invariants:
  1. An operation keeps the order of all keys, and the depth of every leaf below the parent.
  2. The sizes of all nodes are right after it, if they were right before; the parent's does not change.

Cost: O(t) a call: keys and children are copied within two nodes.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, sections 18.2 and 18.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias


class Node:
    """A node of a B-tree.

    Attributes
    ----------
    keys, values : list
        Of equal length; the keys strictly increasing.
    children : list of Node
        None in a leaf, else one more than there are keys: what stands before the first key, between the first and the
        second, and so on.
    size : int
        How many keys the node and all nodes below it hold.
    """

    __slots__ = ("children", "keys", "size", "values")

    def __init__(self, keys: list[Any], values: list[Any], children: list[Node]) -> None:
        self.keys = keys
        self.values = values
        self.children = children
        self.size: int = len(keys) + sum(child.size for child in children)


# Is told of every operation, after it: which one, the root of the tree, and the parent and the place that it had.
Watch: TypeAlias = Callable[[Callable[..., Any], Node, Node, int], None]


def split_child(parent: Node, place: int) -> None:
    """Cut the full child at a place in two halves; its middle key goes up and stands between them."""
    left = parent.children[place]
    middle = len(left.keys) // 2
    right = Node(left.keys[middle + 1 :], left.values[middle + 1 :], left.children[middle + 1 :])
    parent.keys.insert(place, left.keys[middle])
    parent.values.insert(place, left.values[middle])
    parent.children.insert(place + 1, right)
    del left.keys[middle:], left.values[middle:], left.children[middle + 1 :]
    left.size -= right.size + 1


def merge_children(parent: Node, place: int) -> None:
    """Undo a split: the children beside the key at a place become one, with that key in its middle."""
    left, right = parent.children[place], parent.children.pop(place + 1)
    left.keys.append(parent.keys.pop(place))
    left.values.append(parent.values.pop(place))
    left.keys += right.keys
    left.values += right.values
    left.children += right.children
    left.size += right.size + 1


def borrow_from_left(parent: Node, place: int) -> None:
    """Give the child at a place one key more: its left neighbour's last goes up, and what stood there comes down."""
    left, child = parent.children[place - 1], parent.children[place]
    child.keys.insert(0, parent.keys[place - 1])
    child.values.insert(0, parent.values[place - 1])
    parent.keys[place - 1] = left.keys.pop()
    parent.values[place - 1] = left.values.pop()
    moved = 1
    if left.children:
        child.children.insert(0, left.children.pop())
        moved += child.children[0].size
    left.size -= moved
    child.size += moved


def borrow_from_right(parent: Node, place: int) -> None:
    """Give the child at a place one key more: its right neighbour's first goes up, and what stood there comes down."""
    child, right = parent.children[place], parent.children[place + 1]
    child.keys.append(parent.keys[place])
    child.values.append(parent.values[place])
    parent.keys[place] = right.keys.pop(0)
    parent.values[place] = right.values.pop(0)
    moved = 1
    if right.children:
        child.children.append(right.children.pop(0))
        moved += child.children[-1].size
    right.size -= moved
    child.size += moved


def copy_nodes(node: Node) -> Node:
    """Return a copy of a node and of all nodes below it; keys and values are shared."""
    return Node(node.keys.copy(), node.values.copy(), [copy_nodes(child) for child in node.children])
