"""What stands in a file, described for those who look on: its tree, its pages, and what a commit makes of a tree.

A tree is read from a copy of the disk, so that nothing is brought into anybody's memory. Which page is a copy of which
is not written down anywhere; it follows from two trees. On each level, from left to right, a new page is the copy of
the first page given up that begins with the same key or has something in common with it, and that no other page is the
copy of. What is left over on the one side was new, and on the other has become one with a neighbour, or is empty.
(Where one commit makes many pages into few, it may be a neighbour of the right one.)

Invariants:
  1. A new page is the copy of one page at most, of its own level, and that page is given up.
  2. Copies stand in the order of what they are copies of.

Cost: O(pages of the file).

Rodeh, "B-trees, Shadowing, and Clones", *ACM Transactions on Storage* 3 (2008).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from smlib.storage.bplustree.chains import LINK
from smlib.storage.bplustree.invariants import walk_pages, walk_tree
from smlib.storage.bplustree.lookups import list_cells
from smlib.storage.bplustree.meta import Meta, decode_meta
from smlib.storage.bplustree.page_file import is_sealed
from smlib.storage.bplustree.pages import BRANCH, FREE, HEAD, KIND, LEAF, OVERFLOW, at, count_of
from smlib.storage.bplustree.store import Store
from smlib.storage.filesystem import FileSystem
from smlib.storage.wording import say

KINDS = {LEAF: "leaf", BRANCH: "branch", OVERFLOW: "value", FREE: "list"}


class Node(NamedTuple):
    """A page of a tree, described.

    Attributes
    ----------
    keys : tuple of str
        Those of its cells; the first one of a branch is empty.
    children : tuple of int
        The pages below it.
    level : int
        Its height above the leaves.
    low : str
        From which key on it has all.
    """

    keys: tuple[str, ...]
    children: tuple[int, ...]
    level: int
    low: str


class Tree(NamedTuple):
    """A tree, described.

    Attributes
    ----------
    meta : Meta
    nodes : dict
        Its pages by their numbers, from left to right, a branch before those below it.
    pages : frozenset of int
        The same, and those with values of their own.
    """

    meta: Meta
    nodes: dict[int, Node]
    pages: frozenset[int]

    def level(self, level: int) -> list[int]:
        """Return the pages of a level from left to right."""
        return [page for page, node in self.nodes.items() if node.level == level]


def describe_tree(disk: FileSystem, path: str) -> Tree:
    """Describe the newest tree of a file."""
    with disk.open(path, readonly=True) as file:
        store = Store(disk, file, path, 0)
        found = []
        for page, leaf, cells, low, _ in walk_tree(store, store.newest):
            keys = tuple(say(store.files.copy(begin, end - begin)) for begin, end, _ in cells)
            children = () if leaf else tuple(child for _, _, child in cells)
            found.append((page, Node(keys, children, 0, say(low or b""))))
        levels: dict[int, int] = {}
        for page, node in reversed(found):
            levels[page] = levels[node.children[0]] + 1 if node.children else 0
        nodes = {page: node._replace(level=levels[page]) for page, node in found}
        return Tree(store.newest, nodes, frozenset(walk_pages(store, store.newest)))


def find_originals(old: Tree, new: Tree) -> dict[int, int]:
    """Return which page each copy of a commit is a copy of; what the commit has made anew is not among them."""
    originals: dict[int, int] = {}
    for level in range(min(old.meta.depth, new.meta.depth)):
        given_up = [page for page in old.level(level) if page not in new.nodes]
        for page in new.level(level):
            if page in old.nodes:
                continue
            for other in given_up:
                if are_related(old.nodes[other], new.nodes[page], originals):
                    originals[page] = other
                    given_up = given_up[given_up.index(other) + 1 :]
                    break
    return originals


def are_related(old: Node, new: Node, originals: dict[int, int]) -> bool:
    """Return whether two pages of a level begin alike, or have a key in common, or a page below them."""
    below = {originals.get(child, child) for child in new.children}
    shared = below & set(old.children) if new.level else set(new.keys) & set(old.keys)
    return old.low == new.low or bool(shared)


def describe_page(data: bytes, number: int) -> dict[str, Any]:
    """Describe a page of a file: its kind, whether it is whole, and what is in it."""
    page: dict[str, Any] = {"number": number, "kind": "none", "whole": True, "keys": (), "numbers": (), "meta": None}
    if number < 2:
        meta = decode_meta(data, number)
        return page | {"kind": "meta", "whole": meta is not None, "meta": None if meta is None else meta._asdict()}
    if not any(data):
        return page
    memory = np.frombuffer(data, np.uint8)
    if data[KIND] not in KINDS or not is_sealed(memory, 0, len(data), number):
        return page | {"kind": "damaged", "whole": False}
    kind = KINDS[data[KIND]]
    if kind in ("leaf", "branch"):
        cells = np.empty((int(count_of(memory, at(0))), 3), np.int64)
        list_cells(memory, 0, cells)
        return page | {"kind": kind, "keys": tuple(say(data[begin:end]) for begin, end, _ in cells.tolist())}
    used = int.from_bytes(data[HEAD + 8 : HEAD + LINK], "little")
    body = data[HEAD + LINK : HEAD + LINK + used]
    below = int.from_bytes(data[HEAD : HEAD + 8], "little")
    numbers = tuple(np.frombuffer(body, "<u8").tolist()) if kind == "list" else ()
    return page | {"kind": kind, "numbers": numbers, "below": below}
