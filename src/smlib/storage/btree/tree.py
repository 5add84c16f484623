"""The B-tree as a mapping: a dict whose keys are in order.

Every method is one walk down from the root, or two. Changes go in two parts: a path is found, which takes all the
comparisons, and then the tree is changed along it, which takes none.

A walk over the items is a pile of paths' ends. It holds, for each node from the root to where it stands, the place
of the next key; having given out a key it goes down to the leaf that follows, and where a node is used up it goes
back to the one on top of the pile. How far to go is known before: the ranks of the two ends say how many items lie
between them.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, chapter 18; section 17.1 for ranks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, SupportsIndex

from smlib._core.validate import as_count, as_number
from smlib.errors import InputError
from smlib.storage.btree.bulk_loading import build_nodes
from smlib.storage.btree.deletion import delete_along
from smlib.storage.btree.insertion import insert_along
from smlib.storage.btree.invariants import check_nodes, walk_nodes
from smlib.storage.btree.nodes import Node, copy_nodes
from smlib.storage.btree.paths import (
    Path,
    find_path,
    locate,
    path_before,
    path_behind,
    rank_of,
    require_order,
    select_item,
)
from smlib.storage.sorted_mapping import K, SortedMapping, V, keys_changed, pairs_of


class BTree(SortedMapping[K, V]):
    """A mapping in the order of its keys.

    Parameters
    ----------
    items : mapping, or iterable of (key, value)
        What it holds to begin with; of equal keys the last one counts. Items in order load faster by `from_sorted`.
    min_degree : int
        t >= 2: each node has t - 1 to 2 t - 1 keys, the root may have fewer. Large ones make flat trees, small ones
        can be drawn.

    Raises
    ------
    InputError
        ``min_degree`` is less than 2, an item is no pair, or a key has no place in the order of the others: NaN, None,
        a string among numbers, a set. The same holds for ``tree[key] = value``; the tree is as it was then.

    See Also
    --------
    SortedMapping : what is here and not explained: items at the ends and next to a key, views, ``get_many``,
        ``put_many``.

    Notes
    -----
    Complexity: O(log n) comparisons a call and O(t log n / log t) time; to build from n items, n times that.

    Looking up what cannot be compared is no error, as in a dict: it is not there. Keys must not change while they are
    in the tree. Threads must not share a tree without a lock.

    References
    ----------
    Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, chapter 18.

    Examples
    --------
    >>> tree = BTree({40: "d", 10: "a", 30: "c", 20: "b"}, min_degree=2)
    >>> tree[15] = "between"
    >>> list(tree.items())
    [(10, 'a'), (15, 'between'), (20, 'b'), (30, 'c'), (40, 'd')]
    >>> list(tree.range(15, 30))
    [(15, 'between'), (20, 'b')]
    >>> tree.floor_item(25), tree.rank(30), tree.select(-1)
    ((20, 'b'), 3, (40, 'd'))
    >>> tree.levels()
    [[[30]], [[10, 15, 20], [40]]]
    """

    __slots__ = ("_edits", "_min_degree", "_root")

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = (), *, min_degree: SupportsIndex = 16) -> None:
        self._min_degree = as_min_degree(min_degree)
        self._root = Node([], [], [])
        self._edits = 0
        self.put_many(items)

    @classmethod
    def from_sorted(
        cls,
        items: Mapping[K, V] | Iterable[tuple[K, V]],
        *,
        min_degree: SupportsIndex = 16,
        fill: float = 1.0,
    ) -> BTree[K, V]:
        """Build a tree from items whose keys strictly increase.

        Parameters
        ----------
        items : mapping, or iterable of (key, value)
        min_degree : int
            As in the constructor.
        fill : float
            How full the nodes are to be, from 0.5 to 1. A full tree is the smallest, and one that will grow is better
            off with room: a full node is split by the first key that comes.

        Returns
        -------
        BTree
            The nodes of a level differ by one key at most.

        Raises
        ------
        InputError
            Two keys that follow each other do not increase, an item is no pair, or a number is out of its range.

        Notes
        -----
        Complexity: O(n), with one comparison a key.

        Examples
        --------
        >>> BTree.from_sorted(zip("abcdefgh", range(8)), min_degree=2, fill=0.75).levels()
        [[['c', 'f']], [['a', 'b'], ['d', 'e'], ['g', 'h']]]
        """
        tree = cls(min_degree=min_degree)
        share = as_number(fill, "fill")
        if not 0.5 <= share <= 1.0:
            raise InputError(f"fill is {fill}; it must be from 0.5 to 1")
        keys: list[Any] = []
        values: list[V] = []
        for place, (key, value) in enumerate(pairs_of(items)):
            try:
                if not keys:
                    require_order(key)
                elif not keys[-1] < key:
                    raise TypeError(f"the key before it, {keys[-1]!r}, is not less; sort the items, each key once")
            except (TypeError, ValueError) as error:
                raise InputError(f"items[{place}] has the key {key!r}, which cannot follow: {error}") from error
            keys.append(key)
            values.append(value)
        tree._root = build_nodes(keys, values, tree._min_degree, share)
        return tree

    def __getitem__(self, key: K) -> V:
        node = self._root
        try:
            while True:
                keys = node.keys
                place = bisect_left(keys, key)
                if place < len(keys) and keys[place] == key:
                    value: V = node.values[place]
                    return value
                if not node.children:
                    raise KeyError(key)
                node = node.children[place]
        except (TypeError, ValueError):
            raise KeyError(key) from None

    def __setitem__(self, key: K, value: V) -> None:
        path, found = locate(self._root, key)
        node, place = path[-1]
        if found:
            node.values[place] = value
            return
        self._root = insert_along(path, key, value, self._min_degree)
        self._edits += 1

    def __delitem__(self, key: K) -> None:
        try:
            path, found = find_path(self._root, key)
        except (TypeError, ValueError):
            raise KeyError(key) from None
        if not found:
            raise KeyError(key)
        self._root = delete_along(path, self._min_degree)
        self._edits += 1

    def __len__(self) -> int:
        return self._root.size

    def __repr__(self) -> str:
        return f"<BTree of {len(self)} items, min_degree {self._min_degree}, height {self.height}>"

    @property
    def min_degree(self) -> int:
        """The minimum degree t."""
        return self._min_degree

    @property
    def height(self) -> int:
        """The number of steps from the root to a leaf."""
        height, node = 0, self._root
        while node.children:
            height, node = height + 1, node.children[0]
        return height

    def range(self, start: K | None = None, stop: K | None = None, *, reverse: bool = False) -> Iterator[tuple[K, V]]:
        """Walk the items with ``start <= key < stop`` in order; see `SortedMapping.range`.

        Notes
        -----
        Complexity: O(t log n / log t) to begin, and O(1) for each item in the mean.
        """
        first = path_before(self._root) if start is None else locate(self._root, start)[0]
        last = path_behind(self._root) if stop is None else locate(self._root, stop)[0]
        count = rank_of(last) - rank_of(first)
        if reverse:
            return self._walk_back(last, count, self._edits)
        return self._walk(first, count, self._edits)

    def rank(self, key: K) -> int:
        """Return how many keys are less than a key, which need not be here.

        Raises
        ------
        InputError
            The key cannot be put in order with those that are here.

        Notes
        -----
        Complexity: O(t log n / log t).

        Examples
        --------
        >>> BTree({"a": 1, "c": 3}).rank("b")
        1
        """
        return rank_of(locate(self._root, key)[0])

    def select(self, index: SupportsIndex) -> tuple[K, V]:
        """Return the item before which there are ``index`` others.

        Parameters
        ----------
        index : int
            From 0; negative from the end, as in a list.

        Raises
        ------
        InputError
            There is no such item.

        Notes
        -----
        Complexity: O(t log n / log t).

        Examples
        --------
        >>> BTree({"a": 1, "c": 3}).select(1)
        ('c', 3)
        """
        try:
            return select_item(self._root, range(len(self))[index])
        except (TypeError, IndexError) as error:
            raise InputError(f"index is {index!r}, but the tree has {len(self)} items, counted from 0") from error

    def first_item(self) -> tuple[K, V]:
        """Return the item with the least key; KeyError if the tree is empty."""
        node = self._root
        if not node.keys:
            raise KeyError("first_item: the tree is empty")
        while node.children:
            node = node.children[0]
        return node.keys[0], node.values[0]

    def last_item(self) -> tuple[K, V]:
        """Return the item with the greatest key; KeyError if the tree is empty."""
        node = self._root
        if not node.keys:
            raise KeyError("last_item: the tree is empty")
        while node.children:
            node = node.children[-1]
        return node.keys[-1], node.values[-1]

    def ceiling_item(self, key: K) -> tuple[K, V] | None:
        """Return the item with the least key that is not less than ``key``, or None if there is none.

        Where the path leaves a leaf at its end, the next key is the nearest one above that has one.
        """
        for node, place in reversed(locate(self._root, key)[0]):
            if place < len(node.keys):
                return node.keys[place], node.values[place]
        return None

    def floor_item(self, key: K) -> tuple[K, V] | None:
        """Return the item with the greatest key that is not greater than ``key``, or None if there is none."""
        path, found = locate(self._root, key)
        for node, place in reversed(path):
            before = place if found else place - 1
            if before >= 0:
                return node.keys[before], node.values[before]
        return None

    def clear(self) -> None:
        """Remove all items."""
        self._root = Node([], [], [])
        self._edits += 1

    def copy(self) -> BTree[K, V]:
        """Return a tree of the same shape with the same keys and values, in O(n)."""
        other = type(self)(min_degree=self._min_degree)
        other._root = copy_nodes(self._root)
        return other

    __copy__ = copy

    def levels(self) -> list[list[list[K]]]:
        """Return the shape: for each level from the root down, the keys of each node from left to right."""
        levels: list[list[list[K]]] = [[] for _ in range(self.height + 1)]
        for node, depth in walk_nodes(self._root):
            levels[depth].append(node.keys.copy())
        return levels

    def check(self) -> None:
        """Prove invariants 1 to 4 of the essay, in O(n).

        Raises
        ------
        CorruptDataError
            One does not hold; the message has its number. A key that was changed after it was put in is what does it.
        """
        check_nodes(self._root, self._min_degree)

    def stats(self) -> dict[str, float]:
        """Return ``items``, ``height``, ``nodes``, ``leaves``, and ``fill``: the share of the room for keys in use."""
        nodes = [node for node, _ in walk_nodes(self._root)]
        return {
            "items": len(self),
            "height": self.height,
            "nodes": len(nodes),
            "leaves": sum(not node.children for node in nodes),
            "fill": len(self) / (len(nodes) * (2 * self._min_degree - 1)),
        }

    def _walk(self, pile: Path, count: int, edits: int) -> Iterator[tuple[K, V]]:
        """Yield so many items from a path on. In the nodes on the pile all is done that stands before the place."""
        node, place = pile.pop()
        while True:
            if self._edits != edits:
                raise keys_changed("a list of the items")
            if count <= 0:
                return
            while place == len(node.keys):
                node, place = pile.pop()
            yield node.keys[place], node.values[place]
            count -= 1
            place += 1
            # Whoever was given the item may have changed the tree. Then there may be no such child any more.
            while node.children and self._edits == edits:
                pile.append((node, place))
                node, place = node.children[place], 0

    def _walk_back(self, pile: Path, count: int, edits: int) -> Iterator[tuple[K, V]]:
        """Yield so many items from a path backwards. In the nodes on the pile all is done from the place on."""
        node, place = pile.pop()
        while True:
            if self._edits != edits:
                raise keys_changed("a list of the items")
            if count <= 0:
                return
            while node.children:
                pile.append((node, place))
                node = node.children[place]
                place = len(node.keys)
            while place == 0:
                node, place = pile.pop()
            place -= 1
            yield node.keys[place], node.values[place]
            count -= 1


def as_min_degree(value: SupportsIndex) -> int:
    """Return a minimum degree, at least 2."""
    min_degree = as_count(value, "min_degree")
    if min_degree < 2:
        raise InputError(f"min_degree is {min_degree}; it must be at least 2, so that a full node can be cut in two")
    return min_degree
