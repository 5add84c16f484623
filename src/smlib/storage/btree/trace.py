"""Keys that go into a B-tree and come out again, step by step.

Each command is told in two parts, as the tree itself works. First the path: node by node, by comparing. Then the
change along it: the operations that split, lend and merge, each of which leaves a whole B-tree behind, and last the key
that goes in or comes out. The functions that are called are those of the tree; they report each operation to a
listener, which takes down how things stand.

Invariants, computed at every step:
  1. Every node but the root has t - 1 to 2 t - 1 keys, and a child in each gap if it is no leaf.
  2. The keys are in order.
  3. All leaves have the same depth, which is at most ``log_t((n + 1) / 2)``.
  4. The sizes add up.
  5. The keys are those that were put in and not taken out.

Cost: O(n) a step, for a description of the whole tree.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, sections 18.2 and 18.3.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from smlib._core.trace import Step
from smlib.errors import InputError
from smlib.storage.btree.deletion import delete_along
from smlib.storage.btree.insertion import insert_along
from smlib.storage.btree.nodes import Node, Watch, borrow_from_left, borrow_from_right, merge_children, split_child
from smlib.storage.btree.paths import Path, find_path, locate
from smlib.storage.btree.tree import as_min_degree

Operation: TypeAlias = Literal["insert", "delete"]
# A node, described: its number, its keys, how many keys are in it and below it, and its children likewise.
Tree: TypeAlias = dict[str, Any]
# What an operation has done, what to ask before, and which nodes it was about.
Told: TypeAlias = tuple[str, str, list[Node]]


def trace(
    commands: Iterable[tuple[Operation, Any]], *, keys: Iterable[Any] = (), min_degree: int = 2
) -> Iterator[Step]:
    """Yield the tree at the start, and for each command the nodes of the path, the operations, and the outcome.

    Parameters
    ----------
    commands : iterable of (str, key)
        "insert" or "delete" and a key. To insert a key that is there, or to delete one that is not, ends with the path.
    keys : iterable of keys
        Those that are in the tree before, inserted one after the other.
    min_degree : int
        t >= 2: a node has t - 1 to 2 t - 1 keys, the root may have fewer.

    Yields
    ------
    Step
        Its state holds ``operation``, ``key`` and ``min_degree``; ``tree``, a dict with the ``id`` of the root, its
        ``keys``, ``size`` and ``children``, which are told likewise; ``path``, the ids of the nodes that have been
        looked at or changed in this step; ``place``, the gap of the last one on the path to which the key leads, or
        None; ``found``, whether the key stands right behind that gap; ``change``, the name of the operation just done,
        or nothing. A node keeps its id as long as it lives.

    Raises
    ------
    InputError
        A command is neither "insert" nor "delete", a key cannot be compared with the others, or ``min_degree`` is
        less than 2.

    Notes
    -----
    Complexity: O(n) a step.

    References
    ----------
    Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, sections 18.2 and 18.3.

    Examples
    --------
    >>> for step in trace([("insert", 4), ("delete", 1)], keys=[1, 2, 3]):
    ...     print(step.caption)
    A tree of 3 keys. With t = 2, every node but the root has 1 to 3 keys.
    Insert 4: it is greater than 3, and this leaf is its place.
    The node 1 2 3 is full. It is cut in two, and 2 goes up from its middle into a new root: the tree grows by a level.
    4 goes into its leaf, which is now 3 4.
    Delete 1: it is less than 2, on to the first child.
    Delete 1: here it is, in the node 1.
    The node 1 has no key to spare, and its right neighbour has one: 3 goes up, and 2 comes down.
    1 is taken out of the leaf 1 2.
    """
    recorder = Recorder(as_min_degree(min_degree))
    for key in keys:
        recorder.insert(key)
    yield recorder.start()
    for operation, key in commands:
        if operation not in ("insert", "delete"):
            raise InputError(f"the command {operation!r} is unknown; it must be 'insert' or 'delete'")
        yield from recorder.tell(operation, key)


class Recorder:
    """A tree that is watched while keys go in and come out.

    Attributes
    ----------
    root : Node
    min_degree : int
    """

    def __init__(self, min_degree: int) -> None:
        self.root = Node([], [], [])
        self.min_degree = min_degree
        self._expected: list[Any] = []
        self._numbers: dict[int, tuple[int, Node]] = {}

    def insert(self, key: Any) -> None:
        """Insert a key, and tell nothing; one that is there stays."""
        path, found = locate(self.root, key)
        if not found:
            self._insert_along(path, key, None)

    def start(self) -> Step:
        """Return the step before all commands."""
        t = self.min_degree
        caption = (
            f"A tree of {self.root.size} keys. With t = {t}, every node but the root has {t - 1} to {2 * t - 1} keys."
        )
        return self._step(caption, find_path, self.root, [])

    def tell(self, operation: Operation, key: Any) -> Iterator[Step]:
        """Yield the path to a key, node by node, then the changes along it, and last the key that went in or out."""
        told = {"operation": operation, "key": key}
        inserts = operation == "insert"
        path, found = locate(self.root, key)
        nodes = [node for node, _ in path]
        for depth, (node, place) in enumerate(path):
            found_here = found and node is nodes[-1]
            caption = f"{operation.capitalize()} {key}: {tell_place(node, place, found_here, inserts)}."
            question = f"Which way leads from {row(node.keys)} to {key}?" if node.children else ""
            yield self._step(
                caption, find_path, self.root, nodes[: depth + 1], question, **told, place=place, found=found_here
            )
        if found == inserts:
            return

        changes: list[Step] = []
        end = path[-1]

        def watch(change: Callable[..., Any], root: Node, parent: Node, place: int) -> None:
            nonlocal end
            end = find_path(root, key)[0][-1]
            caption, question, nodes = TELLERS[change](parent, place, self.min_degree)
            if change is split_child and id(parent) not in self._numbers:
                caption = f"{caption[:-1]} into a new root: the tree grows by a level."
            changes.append(self._step(caption, change, root, nodes, question, **told, change=change.__name__))

        if inserts:
            self._insert_along(path, key, watch)
            yield from changes
            leaf, place = find_path(self.root, key)[0][-1]
            caption = f"{key} goes into its leaf, which is now {row(leaf.keys)}."
            yield self._step(caption, insert_along, self.root, [leaf], **told, place=place, found=True)
        else:
            self.root = delete_along(path, self.min_degree, watch)
            self._expected.remove(key)
            yield from changes
            caption, question = tell_removal(*end, key)
            yield self._step(caption, delete_along, self.root, [end[0]], question, **told)

    def _insert_along(self, path: Path, key: Any, watch: Watch | None) -> None:
        self.root = insert_along(path, key, None, self.min_degree, watch)
        insort(self._expected, key)

    def _step(
        self,
        caption: str,
        source: Callable[..., Any],
        root: Node,
        nodes: list[Node],
        question: str = "",
        *,
        operation: str = "",
        key: Any = None,
        place: int | None = None,
        found: bool = False,
        change: str = "",
    ) -> Step:
        tree = self._describe(root)
        state = {
            "operation": operation,
            "key": key,
            "min_degree": self.min_degree,
            "tree": tree,
            "path": tuple(self._number(node) for node in nodes),
            "place": place,
            "found": found,
            "change": change,
        }
        return Step(caption, state, source, prove_tree(tree, self.min_degree, self._expected), question)

    def _describe(self, node: Node) -> Tree:
        return {
            "id": self._number(node),
            "keys": tuple(node.keys),
            "size": node.size,
            "children": tuple(self._describe(child) for child in node.children),
        }

    def _number(self, node: Node) -> int:
        """Return a node's number. The node is kept, so that no other can have its address."""
        return self._numbers.setdefault(id(node), (len(self._numbers), node))[0]


def tell_place(node: Node, place: int, found: bool, inserts: bool) -> str:
    """Say where in a node a key stands, or belongs."""
    if found:
        return "it is here already, and nothing changes" if inserts else f"here it is, in the node {row(node.keys)}"
    if not node.keys:
        where, child = "the tree is empty", ""
    elif place == 0:
        where, child = f"it is less than {node.keys[0]}", "first child"
    elif place == len(node.keys):
        where, child = f"it is greater than {node.keys[-1]}", "last child"
    else:
        where, child = f"it lies between {node.keys[place - 1]} and {node.keys[place]}", "child between them"
    if node.children:
        return f"{where}, on to the {child}"
    return f"{where}, and this leaf is its place" if inserts else f"{where}, and nothing is below: there is no such key"


def tell_split(parent: Node, place: int, min_degree: int) -> Told:
    """Say what `split_child` has done."""
    left, right, up = parent.children[place], parent.children[place + 1], parent.keys[place]
    full = row([*left.keys, up, *right.keys])
    caption = f"The node {full} is full. It is cut in two, and {up} goes up from its middle."
    return caption, f"The way leads into the node {full}, which is full. What has to be done?", [parent, left, right]


def tell_merger(parent: Node, place: int, min_degree: int) -> Told:
    """Say what `merge_children` has done."""
    node = parent.children[place]
    left, key, right = node.keys[: min_degree - 1], node.keys[min_degree - 1], node.keys[min_degree:]
    both = f"Neither {row(left)} nor {row(right)} has a key to spare"
    caption = f"{both}: they become one node, and {key} comes down into its middle."
    if not parent.keys:
        return f"{caption} The root is empty: the tree shrinks by a level.", f"{both}. What has to be done?", [node]
    return caption, f"{both}. What has to be done?", [parent, node]


def tell_loan_from_left(parent: Node, place: int, min_degree: int) -> Told:
    """Say what `borrow_from_left` has done."""
    node, left = parent.children[place], parent.children[place - 1]
    poor = f"The node {row(node.keys[1:])} has no key to spare, and its left neighbour has one"
    caption = f"{poor}: {parent.keys[place - 1]} goes up, and {node.keys[0]} comes down."
    return caption, f"{poor}. What has to be done?", [parent, left, node]


def tell_loan_from_right(parent: Node, place: int, min_degree: int) -> Told:
    """Say what `borrow_from_right` has done."""
    node, right = parent.children[place], parent.children[place + 1]
    poor = f"The node {row(node.keys[:-1])} has no key to spare, and its right neighbour has one"
    caption = f"{poor}: {parent.keys[place]} goes up, and {node.keys[-1]} comes down."
    return caption, f"{poor}. What has to be done?", [parent, node, right]


TELLERS: dict[Callable[..., Any], Callable[[Node, int, int], Told]] = {
    split_child: tell_split,
    merge_children: tell_merger,
    borrow_from_left: tell_loan_from_left,
    borrow_from_right: tell_loan_from_right,
}


def tell_removal(node: Node, place: int, key: Any) -> tuple[str, str]:
    """Say how a key went out of the node and the place where it stood last, and what to ask before."""
    if not node.children:
        stood = row([*node.keys[:place], key, *node.keys[place:]])
        return f"{key} is taken out of the leaf {stood}.", f"{key} stands in the leaf {stood}. What is left to do?"
    heir = node.keys[place]
    which = "greatest key before it" if heir < key else "least key behind it"
    caption = f"{heir}, the {which}, is taken out of its leaf and stands where {key} stood."
    return caption, f"{key} stands inside the tree. Which key can take its place?"


def row(keys: list[Any]) -> str:
    """Return keys as they are told."""
    return " ".join(map(str, keys))


def prove_tree(tree: Tree, min_degree: int, expected: list[Any]) -> dict[str, bool]:
    """Compute the invariants of a tree from its description."""
    most = 2 * min_degree - 1
    levels = [[tree]]
    while below := [child for node in levels[-1] for child in node["children"]]:
        levels.append(below)
    nodes = [node for level in levels for node in level]
    height, n = len(levels) - 1, len(expected)
    keys = keys_of(tree)
    invariants = {
        f"every node but the root has {min_degree - 1} to {most} keys, and a child in each gap if it is no leaf": all(
            (min_degree - 1 if node is not tree else 0) <= len(node["keys"]) <= most
            and len(node["children"]) in (0, len(node["keys"]) + 1)
            for node in nodes
        )
        and len(tree["children"]) != 1,
        "the keys are in order": all(bool(a < b) for a, b in pairwise(keys)),
        "all leaves have the same depth": not any(node["children"] == () for level in levels[:-1] for node in level),
        "the sizes add up": all(
            node["size"] == len(node["keys"]) + sum(child["size"] for child in node["children"]) for node in nodes
        ),
        "the keys are those put in and not taken out": keys == expected,
    }
    if n:
        bound = f"h \u2264 log_t (n + 1)/2: {height} \u2264 {math.log((n + 1) / 2, min_degree):.2f}"
        invariants[bound] = 2 * min_degree**height <= n + 1
    return invariants


def keys_of(tree: Tree) -> list[Any]:
    """Return all keys of a described tree in the order in which they stand."""
    keys: list[Any] = []
    for place in range(max(len(tree["keys"]), len(tree["children"]))):
        if place < len(tree["children"]):
            keys += keys_of(tree["children"][place])
        keys += tree["keys"][place : place + 1]
    return keys
