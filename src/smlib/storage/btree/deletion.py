"""Deletion from a B-tree: a node with the fewest keys is given one more on the way down, before it is entered.

Taking a key out of a node with the fewest keys, t - 1, would leave too few. As with insertion it is seen to in
advance: no node is entered before it has a key to spare. If it has none, a neighbour may have one: it goes up into
the parent, and the key that stood there comes down. If both neighbours have the fewest too, the node and one of them
become one node, with the key from between them in its middle: 2 t - 1 keys, exactly full.

What the key itself needs (the numbers of the cases are those of the book):
  1. It is in a leaf: it is taken out.
  2. It is inside the tree, in a node:
     a. the child before it has a key to spare: the greatest key below that child is taken out of its leaf, and
        stands where the key stood;
     b. the child behind it has one: likewise, with the least key there;
     c. neither has: the two become one, with the key in its middle, which is entered.
  3. It is further down: the child is entered, after it (a) was given a key by a neighbour, or (b) became one with it.

Where the root's last two children became one, the root has no key left, and its only child takes its place: the tree
shrinks at the top, as it grew.

Invariant:
  1. After every operation the tree is a B-tree with the same items; only the last one takes the key out.

Cost: O(log n) comparisons, for the path; O(t) a level.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, section 18.3.
"""

from __future__ import annotations

from typing import Any

from smlib.storage.btree.nodes import Node, Watch, borrow_from_left, borrow_from_right, merge_children
from smlib.storage.btree.paths import Path


def delete_along(path: Path, min_degree: int, watch: Watch | None = None) -> Node:
    """Take the item at the end of the path to its key out of the tree; return the tree's root."""
    descent = Descent(path[0][0], min_degree, watch)
    moved = 0
    for _, place in path[:-1]:
        moved = descent.enter(place + moved)
    place = path[-1][1] + moved

    node = descent.nodes[-1]
    while node.children and not (descent.has_spare(place) or descent.has_spare(place + 1)):
        descent.enter_merged(place)
        node, place = descent.nodes[-1], min_degree - 1
    if not node.children:
        del node.keys[place], node.values[place]
    elif descent.has_spare(place):
        leaf = descent.enter_last_leaf(place)
        node.keys[place], node.values[place] = leaf.keys.pop(), leaf.values.pop()
    else:
        leaf = descent.enter_first_leaf(place + 1)
        node.keys[place], node.values[place] = leaf.keys.pop(0), leaf.values.pop(0)
    for node in descent.nodes:
        node.size -= 1
    return descent.nodes[0]


class Descent:
    """A way down on which every node but the root has a key to spare.

    Attributes
    ----------
    nodes : list of Node
        Those entered, from the root on.
    """

    __slots__ = ("_min_degree", "_watch", "nodes")

    def __init__(self, root: Node, min_degree: int, watch: Watch | None) -> None:
        self.nodes = [root]
        self._min_degree = min_degree
        self._watch = watch

    def has_spare(self, place: int) -> bool:
        """Return whether there is a child at a place that can give a key away."""
        children = self.nodes[-1].children
        return 0 <= place < len(children) and len(children[place].keys) >= self._min_degree

    def enter(self, place: int) -> int:
        """Enter the child at a place; return by how many places its keys have moved to let it have one to spare."""
        parent = self.nodes[-1]
        child = parent.children[place]
        moved = 0
        if len(child.keys) < self._min_degree:
            if self.has_spare(place - 1):
                borrow_from_left(parent, place)
                self._tell(borrow_from_left, parent, place)
                moved = 1
            elif self.has_spare(place + 1):
                borrow_from_right(parent, place)
                self._tell(borrow_from_right, parent, place)
            elif place < len(parent.keys):
                self.enter_merged(place)
                return 0
            else:
                self.enter_merged(place - 1)
                return self._min_degree
        self.nodes.append(child)
        return moved

    def enter_merged(self, place: int) -> None:
        """Make the children beside a key one, and enter it."""
        parent = self.nodes[-1]
        merge_children(parent, place)
        if not parent.keys:
            self.nodes.pop()
        self.nodes.append(parent.children[place])
        self._tell(merge_children, parent, place)

    def enter_last_leaf(self, place: int) -> Node:
        """Enter the child at a place, and from there on every last child; return the leaf."""
        self.enter(place)
        while self.nodes[-1].children:
            self.enter(len(self.nodes[-1].keys))
        return self.nodes[-1]

    def enter_first_leaf(self, place: int) -> Node:
        """Enter the child at a place, and from there on every first child; return the leaf."""
        self.enter(place)
        while self.nodes[-1].children:
            self.enter(0)
        return self.nodes[-1]

    def _tell(self, operation: Any, parent: Node, place: int) -> None:
        if self._watch:
            self._watch(operation, self.nodes[0], parent, place)
