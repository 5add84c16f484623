"""Cases of the B-tree."""

from __future__ import annotations

import math
import re
import sqlite3
from bisect import bisect, bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pydoc_data.topics import topics
from typing import Any, NamedTuple

import numpy as np

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.storage.peers import SORTED_DICT, is_whole, sorted_dict
from smlib.storage import BTree

Items = list[tuple[int, int]]

COUNTS = (1_000, 10_000, 100_000)
# How many items are read from a key on.
RANGE = 100


# The words of a book.

# What begins with "comp" stands from there up to the first string that does not.
FROM, UP_TO = "comp", "comq"


class Book(NamedTuple):
    """A text, and its words with their places, as one reads."""

    text: str
    words: list[tuple[str, int]]


class Index(NamedTuple):
    """For each word its places; and a range of it."""

    places: Any
    found: list[tuple[str, list[int]]]


def _book(size: int) -> Book:
    text = "".join(topics.values())
    return Book(text, [(match[0], match.start()) for match in re.finditer("[a-z]+", text)][:size])


def _index(book: Book) -> Index:
    index: BTree[str, list[int]] = BTree()
    for word, place in book.words:
        index.setdefault(word, []).append(place)
    return Index(index, list(index.range(FROM, UP_TO)))


def _dict_index(book: Book) -> Index:
    places: dict[str, list[int]] = {}
    for word, place in book.words:
        places.setdefault(word, []).append(place)
    index = dict(sorted(places.items()))
    words = list(index)
    return Index(index, [(word, index[word]) for word in words[bisect_left(words, FROM) : bisect_left(words, UP_TO)]])


def _sorted_dict_index(book: Book) -> Index:
    index = sorted_dict()
    for word, place in book.words:
        index.setdefault(word, []).append(place)
    return Index(index, [(word, index[word]) for word in index.irange(FROM, UP_TO, (True, False))])


def _same_index(_: Book, ours: Index, theirs: Index) -> Agreement:
    same = list(ours.places.items()) == list(theirs.places.items()) and ours.found == theirs.found
    return Agreement(same, f"{len(ours.places):,} words and their places, the same")


def _tell_index(book: Book, index: Index) -> Sequence[str]:
    tree: BTree[str, list[int]] = index.places
    missing = "lambada"
    before, behind = tree.floor_item(missing), tree.ceiling_item(missing)
    lines = [f"{len(book.words):,} words, {len(tree):,} different ones, in {tree.height + 1} levels of nodes"]
    lines += [f"{FROM}...: {', '.join(f'{word} {len(places)}' for word, places in index.found[:6])}, ..."]
    if before and behind:
        lines += [
            f"{missing!r} is not there, and would stand between {before[0]!r} and {behind[0]!r}: it has "
            f"{tree.rank(missing):,} words before it"
        ]
    return [*lines, *_draw(tree)]


def _draw(tree: BTree[str, list[int]], word: str = FROM) -> Sequence[str]:
    """Draw the nodes on the way down to where a word would stand, which is none of theirs."""
    low, high, lines = "", "\uffff", []
    for depth, level in enumerate(tree.levels()):
        keys = next(keys for keys in level if low < keys[0] < high)
        lines.append(f"{'   ' * depth}| {'  '.join(_some(keys))} |")
        place = bisect(keys, word)
        low, high = ([low, *keys][place]), ([*keys, high][place])
    return lines


def _some(keys: list[str]) -> list[str]:
    return keys if len(keys) <= 6 else [*keys[:3], "...", *keys[-2:]]


def _prove_index(book: Book, index: Index) -> Mapping[str, bool]:
    tree: BTree[str, list[int]] = index.places
    words = sorted({word for word, _ in book.words})
    n, t, height = len(tree), tree.min_degree, tree.height
    return {
        "the keys are the words, each once and in order: sorted(set(...))": list(tree) == words,
        f"each of {len(book.words):,} places is there once, and its word stands at it": sorted(
            place for places in tree.values() for place in places
        )
        == [place for _, place in book.words]
        and all(book.text.startswith(word, place) for word, places in tree.items() for place in places),
        f"the range has the words that begin with {FROM!r}, all {len(index.found)} of them": [
            word for word, _ in index.found
        ]
        == [word for word in words if word.startswith(FROM)],
        "ranks and their inverse count as in the sorted list": all(
            tree.rank(word) == place and tree.select(place)[0] == word for place, word in enumerate(words)
        ),
        "the tree's own proof holds: keys a node, their order, one depth, sizes": is_whole(tree),
        f"h <= log_t (n + 1)/2: {height} <= {math.log((n + 1) / 2, t):.2f}": 2 * t**height <= n + 1,
    }


# Random integers.


class Table:
    """A table of SQLite in memory: its key is the rowid, by which SQLite keeps tables in a B-tree."""

    def __init__(self, items: Iterable[tuple[int, int]] = ()) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.execute("PRAGMA journal_mode = OFF")
        self.execute("CREATE TABLE numbers (key INTEGER PRIMARY KEY, value INTEGER)")
        self.change("INSERT INTO numbers VALUES (?, ?)", items)

    def __del__(self) -> None:
        self.connection.close()

    def execute(self, statement: str, values: Sequence[int] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, values)

    def change(self, statement: str, rows: Iterable[Sequence[int]]) -> None:
        """Run a statement for many rows, as one transaction."""
        self.execute("BEGIN")
        self.connection.executemany(statement, rows)
        self.execute("COMMIT")

    def copy(self) -> Table:
        """Return a copy, page by page."""
        other = Table()
        self.connection.backup(other.connection)
        return other

    def items(self) -> Items:
        """Return all items in order."""
        return self.execute("SELECT key, value FROM numbers ORDER BY key").fetchall()


class Numbers:
    """Random keys with values, and what each contender holds of them: built at the first call, which no clock times."""

    def __init__(self, size: int) -> None:
        rng = np.random.default_rng(1)
        self.items: Items = list(zip(rng.integers(-(2**62), 2**62, size).tolist(), range(size), strict=True))
        self.asked: list[int] = rng.permutation([key for key, _ in self.items]).tolist()
        self.deleted = self.asked[: size - size // 10]
        self.in_order: Items = sorted(self.items)

    @cached_property
    def ours(self) -> BTree[int, int]:
        """A tree that has grown key by key."""
        return BTree(self.items)

    @cached_property
    def plain(self) -> dict[int, int]:
        """A dict that has the keys in order: what a SortedDict is built from in the shortest time."""
        return dict(self.in_order)

    @cached_property
    def sorted_dict(self) -> Any:
        """A SortedDict."""
        return sorted_dict(self.items)

    @cached_property
    def table(self) -> Table:
        """A table."""
        return Table(self.items)

    @cached_property
    def intervals(self) -> list[tuple[int, int]]:
        """Neighbouring intervals with 100 keys each, in random order."""
        ends = [key for key, _ in self.in_order[::RANGE]]
        intervals = list(pairwise(ends))
        return [intervals[k] for k in np.random.default_rng(2).permutation(len(intervals))]


def _fill(empty: Callable[[], Any]) -> Callable[[Numbers], Any]:
    def fill(numbers: Numbers) -> Any:
        store = empty()
        for key, value in numbers.items:
            store[key] = value
        return store

    return fill


def _get(numbers: Numbers, store: Any) -> list[int]:
    return [store[key] for key in numbers.asked]


def _select(numbers: Numbers) -> list[int]:
    execute = numbers.table.connection.execute
    statement = "SELECT value FROM numbers WHERE key = ?"
    return [execute(statement, (key,)).fetchone()[0] for key in numbers.asked]


def _delete(numbers: Numbers, store: Any) -> Any:
    for key in numbers.deleted:
        del store[key]
    return store


def _delete_rows(numbers: Numbers) -> Table:
    table = numbers.table.copy()
    table.change("DELETE FROM numbers WHERE key = ?", ((key,) for key in numbers.deleted))
    return table


def _ranges(numbers: Numbers) -> list[Items]:
    tree = numbers.ours
    return [list(tree.range(start, stop)) for start, stop in numbers.intervals]


def _sorted_dict_ranges(numbers: Numbers) -> list[Items]:
    store = numbers.sorted_dict
    irange, half_open = store.irange, (True, False)
    return [[(key, store[key]) for key in irange(start, stop, half_open)] for start, stop in numbers.intervals]


def _select_ranges(numbers: Numbers) -> list[Items]:
    execute = numbers.table.connection.execute
    statement = "SELECT key, value FROM numbers WHERE key >= ? AND key < ? ORDER BY key"
    return [execute(statement, interval).fetchall() for interval in numbers.intervals]


def _ranks(numbers: Numbers) -> list[tuple[int, int]]:
    tree, size = numbers.ours, len(numbers.items)
    ranks = [tree.rank(key) for key in numbers.asked]
    return [(rank, tree.select(size - 1 - rank)[0]) for rank in ranks]


def _sorted_dict_ranks(numbers: Numbers) -> list[tuple[int, int]]:
    store, size = numbers.sorted_dict, len(numbers.items)
    ranks = [store.bisect_left(key) for key in numbers.asked]
    return [(rank, store.peekitem(size - 1 - rank)[0]) for rank in ranks]


def _same_items(_: Numbers, ours: BTree[int, int], theirs: Any) -> Agreement:
    return Agreement(list(ours.items()) == list(theirs.items()), f"{len(ours):,} items, the same")


def _same_answers(_: Numbers, ours: list[Any], theirs: list[Any]) -> Agreement:
    return Agreement(ours == theirs, f"{len(ours):,} answers, the same")


def _peers(sorted_dict: Callable[[Numbers], Any], table: Callable[[Numbers], Any] | None = None) -> tuple[Peer, ...]:
    peers = (Peer(*SORTED_DICT, sorted_dict),)
    return peers if table is None else (*peers, Peer("SQLite in memory", "sqlite3", table))


CASES = (
    Case(
        "btree",
        "an index of words, kept in order while one reads",
        "words",
        (1_000, 10_000, 50_000),
        _book,
        _index,
        (
            Peer("dict, sorted at the end", "builtins", _dict_index),
            Peer(*SORTED_DICT, _sorted_dict_index),
        ),
        _same_index,
        note="Most words have been there before, and are only looked up. Here we lose: this tree is Python from the "
        "root to the leaf, and a dict is one step in C; a SortedDict is a dict, with a sorted list of its keys. The "
        "dict has no order before the end.",
        story=Story(
            "Which words of the Python manual begin with comp, and how often does each occur?",
            50_000,
            "the text of the Python manual that every Python carries (pydoc_data.topics)",
            _tell_index,
            _prove_index,
        ),
    ),
    Case(
        "btree",
        "insert random integers",
        "keys",
        COUNTS,
        Numbers,
        _fill(BTree),
        _peers(_fill(sorted_dict), lambda numbers: Table(numbers.items)),
        _same_items,
        note="SQLite gets all rows by one executemany in one transaction, the others a key at a time.",
    ),
    Case(
        "btree",
        "look up a key",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: _get(numbers, numbers.ours),
        _peers(lambda numbers: _get(numbers, numbers.sorted_dict), _select),
        _same_answers,
        note="All keys, in random order. A SortedDict asks its dict, in C. SQLite is asked by a SELECT a key, which it "
        "has compiled once. Time grows faster than the number of steps: beyond some thousand keys their objects are no "
        "longer in the caches, on any side.",
    ),
    Case(
        "btree",
        "delete a key",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: _delete(numbers, numbers.ours.copy()),
        _peers(lambda numbers: _delete(numbers, sorted_dict(numbers.plain)), _delete_rows),
        _same_items,
        note="Nine of ten keys, in random order, out of a copy. The copy is part of the time on all sides, and a small "
        "one; each makes it in the quickest way it has. SQLite deletes by one executemany.",
    ),
    Case(
        "btree",
        "read the 100 items of a range",
        "keys",
        COUNTS,
        Numbers,
        _ranges,
        _peers(_sorted_dict_ranges, _select_ranges),
        _same_answers,
        note="A hundredth as many ranges as there are keys, so that all items are read.",
    ),
    Case(
        "btree",
        "the rank of a key, and the key of a rank",
        "keys",
        COUNTS,
        Numbers,
        _ranks,
        _peers(_sorted_dict_ranks),
        _same_answers,
        note="SQLite's B-tree does not know ranks.",
    ),
    Case(
        "btree",
        "load sorted items",
        "keys",
        COUNTS,
        Numbers,
        lambda numbers: BTree.from_sorted(numbers.in_order),
        _peers(lambda numbers: sorted_dict(numbers.plain), lambda numbers: Table(numbers.in_order)),
        _same_items,
        note="A SortedDict is built from a dict whose keys are in order, which is its quickest way.",
    ),
)
