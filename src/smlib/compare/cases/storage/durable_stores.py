"""Cases of stores in a file: the B+tree beside LMDB, SQLite, bplustree and shelve."""

from __future__ import annotations

import shelve
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from smlib.compare.case import Agreement, Case, Peer
from smlib.storage import BPlusTree

Item = tuple[bytes, bytes]

COUNTS = (2_000, 20_000, 200_000)
KEY_SIZE, VALUE_SIZE = 16, 100
ITEMS_A_COMMIT = 1_000
# A page of ours. A change of one item writes a page, so that small ones are quicker; LMDB has those of the system.
PAGE_SIZE = 2_048
CACHE_SIZE = 256 << 20
# LMDB wants to know how large a file may become; it takes no room before it is needed.
MAP_SIZE = 1 << 34
# What is written in plain Python, an item at a time, is not run on more.
MOST_ITEMS_OF_OTHERS = 20_000


class Folder:
    """A folder that is gone when nobody refers to it any more."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="smlib-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class Items:
    """Random keys with values, in batches, and stores that have them: made at the first call, which no clock times."""

    def __init__(self, size: int) -> None:
        rng = np.random.default_rng(1)
        data, values = rng.bytes(size * KEY_SIZE), rng.bytes(VALUE_SIZE + size)
        self.keys = [data[k : k + KEY_SIZE] for k in range(0, len(data), KEY_SIZE)]
        self.items = [(key, values[k : k + VALUE_SIZE]) for k, key in enumerate(self.keys)]
        self.asked = [self.keys[k] for k in rng.permutation(size).tolist()]
        self._folder = Folder()

    def __del__(self) -> None:
        # Before the folder goes.
        for store in vars(self).values():
            if hasattr(store, "close"):
                store.close()

    @cached_property
    def batches(self) -> list[list[Item]]:
        """The items of each commit."""
        return [self.items[first : first + ITEMS_A_COMMIT] for first in range(0, len(self.items), ITEMS_A_COMMIT)]

    @cached_property
    def ours(self) -> BPlusTree:
        """A tree with all items, open."""
        return _fill(_open(self._folder, "none"), self)

    @cached_property
    def lmdb(self) -> Any:
        """A transaction of LMDB that reads all items."""
        environment = _open_lmdb(self._folder, sync=False, writemap=False)
        _fill_lmdb(environment, self)
        return environment.begin()

    @cached_property
    def sqlite(self) -> sqlite3.Connection:
        """A table of all items."""
        return _fill_sqlite(_open_sqlite(self._folder, "OFF"), self)

    @cached_property
    def bplustree(self) -> Any:
        """A tree of the package bplustree."""
        return _fill_bplustree(_open_bplustree(self._folder), self)

    @cached_property
    def shelf(self) -> shelve.Shelf[bytes]:
        """A shelf."""
        return _fill_shelf(shelve.open(str(self._folder.path / "shelf")), self)  # noqa: S301  # we have written it


class Written:
    """A store that was written and closed, and how to read it."""

    def __init__(self, write: Callable[[Folder], Any], read: Callable[[Folder], Iterable[Item]]) -> None:
        self._folder = Folder()
        self._read = read
        write(self._folder)

    def items(self) -> list[Item]:
        """Return all items, in order."""
        return sorted(self._read(self._folder))


# Ours.


def _open(folder: Folder, durability: Any) -> BPlusTree:
    return BPlusTree.open(folder.path / "tree", page_size=PAGE_SIZE, durability=durability, cache_size=CACHE_SIZE)


def _fill(tree: BPlusTree, items: Items) -> BPlusTree:
    for batch in items.batches:
        tree.put_many(batch)
    return tree


def _write(items: Items, durability: str) -> Written:
    def write(folder: Folder) -> None:
        with _open(folder, durability) as tree:
            _fill(tree, items)

    def read(folder: Folder) -> list[Item]:
        with _open(folder, "sync") as tree:
            tree.check()
            return list(tree.items())

    return Written(write, read)


# LMDB.


def _open_lmdb(folder: Folder, *, sync: bool, writemap: bool) -> Any:
    return import_module("lmdb").open(
        str(folder.path / "lmdb"), map_size=MAP_SIZE, sync=sync, metasync=sync, writemap=writemap
    )


def _fill_lmdb(environment: Any, items: Items) -> None:
    for batch in items.batches:
        with environment.begin(write=True) as transaction, transaction.cursor() as cursor:
            cursor.putmulti(batch)


def _write_lmdb(items: Items, *, sync: bool, writemap: bool) -> Written:
    def write(folder: Folder) -> None:
        with _open_lmdb(folder, sync=sync, writemap=writemap) as environment:
            _fill_lmdb(environment, items)

    def read(folder: Folder) -> list[Item]:
        with _open_lmdb(folder, sync=sync, writemap=False) as environment, environment.begin() as transaction:
            return list(transaction.cursor())

    return Written(write, read)


# SQLite.


def _open_sqlite(folder: Folder, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(folder.path / "sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA cache_size = -262144")
    connection.execute("CREATE TABLE IF NOT EXISTS items (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
    return connection


def _fill_sqlite(connection: sqlite3.Connection, items: Items) -> sqlite3.Connection:
    for batch in items.batches:
        connection.execute("BEGIN")
        connection.executemany("INSERT OR REPLACE INTO items VALUES (?, ?)", batch)
        connection.execute("COMMIT")
    return connection


def _write_sqlite(items: Items, synchronous: str) -> Written:
    def write(folder: Folder) -> None:
        _fill_sqlite(_open_sqlite(folder, synchronous), items).close()

    def read(folder: Folder) -> list[Item]:
        with closing(_open_sqlite(folder, "OFF")) as connection:
            return connection.execute("SELECT key, value FROM items").fetchall()

    return Written(write, read)


def _get_sqlite(items: Items) -> list[bytes]:
    ask = items.sqlite.execute
    return [ask("SELECT value FROM items WHERE key = ?", (key,)).fetchone()[0] for key in items.asked]


# The package bplustree. It syncs its log at each commit, whether one wants that or not.


class _Plain:
    """Keys as they are."""

    def serialize(self, obj: bytes, key_size: int) -> bytes:
        """Return a key as it is stored."""
        return obj

    def deserialize(self, data: bytes) -> bytes:
        """Return a key as it was."""
        return data


def _open_bplustree(folder: Folder) -> Any:
    return import_module("bplustree").BPlusTree(
        str(folder.path / "bplustree"), key_size=KEY_SIZE, value_size=VALUE_SIZE, order=30, serializer=_Plain()
    )


def _fill_bplustree(tree: Any, items: Items) -> Any:
    for key, value in items.items:
        tree.insert(key, value)
    return tree


def _write_bplustree(items: Items) -> Written:
    def write(folder: Folder) -> None:
        with _open_bplustree(folder) as tree:
            _fill_bplustree(tree, items)

    def read(folder: Folder) -> list[Item]:
        # Its walks end in an error (a generator that raises StopIteration).
        with _open_bplustree(folder) as tree:
            return [(key, tree.get(key)) for key in items.keys]

    return Written(write, read)


# The standard library's shelve.


def _fill_shelf(shelf: shelve.Shelf[bytes], items: Items) -> shelve.Shelf[bytes]:
    for key, value in items.items:
        shelf[key.decode("latin-1")] = value
    return shelf


def _write_shelf(items: Items) -> Written:
    def write(folder: Folder) -> None:
        with shelve.open(str(folder.path / "shelf")) as shelf:  # noqa: S301  # we write it ourselves
            _fill_shelf(shelf, items)

    def read(folder: Folder) -> list[Item]:
        with shelve.open(str(folder.path / "shelf")) as shelf:  # noqa: S301  # we have written it
            return [(key.encode("latin-1"), value) for key, value in shelf.items()]

    return Written(write, read)


def same_store(_: Items, ours: Written, theirs: Written) -> Agreement:
    """Agree if both stores have the same items."""
    mine = ours.items()
    return Agreement(mine == theirs.items(), f"{len(mine):,} items in two files, the same")


def same_list(_: Items, ours: list[Any], theirs: list[Any]) -> Agreement:
    """Agree if both lists are the same."""
    return Agreement(ours == theirs, f"{len(ours):,} answers, the same")


LMDB, LMDB_MAPPED = ("LMDB", "lmdb"), ("LMDB, writemap", "lmdb")
SQLITE, BPLUSTREE, SHELVE = ("SQLite (WAL)", "sqlite3"), ("bplustree", "bplustree"), ("shelve", "shelve")

CASES = (
    Case(
        "bplustree",
        "put random items, 1,000 a commit, not synced",
        "items",
        COUNTS,
        Items,
        lambda items: _write(items, "none"),
        (
            Peer(*LMDB, lambda items: _write_lmdb(items, sync=False, writemap=False)),
            Peer(*LMDB_MAPPED, lambda items: _write_lmdb(items, sync=False, writemap=True)),
            Peer(*SQLITE, lambda items: _write_sqlite(items, "OFF")),
            Peer(*BPLUSTREE, _write_bplustree, MOST_ITEMS_OF_OTHERS),
            Peer(*SHELVE, _write_shelf, MOST_ITEMS_OF_OTHERS),
        ),
        same_store,
        note="Keys of 16 bytes, values of 100, into a new file, which is closed at the end. Pages of 2,048 bytes: with "
        "4,096, as LMDB has them, ours takes a tenth longer. Every page of ours carries a checksum, no other store's "
        "does. With writemap LMDB changes the file's pages where they lie, mapped into memory, and copies none. "
        "bplustree and shelve make each item a commit of its own, and bplustree syncs it.",
    ),
    Case(
        "bplustree",
        "put random items, 1,000 a commit, synced",
        "items",
        COUNTS,
        Items,
        lambda items: _write(items, "sync"),
        (
            Peer(*LMDB, lambda items: _write_lmdb(items, sync=True, writemap=False)),
            Peer(*LMDB_MAPPED, lambda items: _write_lmdb(items, sync=True, writemap=True)),
            Peer(*SQLITE, lambda items: _write_sqlite(items, "FULL")),
        ),
        same_store,
        note="As before, and each commit is on the disk when it returns: two syncs here and in LMDB, one in SQLite, "
        "which writes all twice.",
    ),
    Case(
        "bplustree",
        "get a value",
        "items",
        COUNTS,
        Items,
        lambda items: [items.ours[key] for key in items.asked],
        (
            Peer(*LMDB, lambda items: list(map(items.lmdb.get, items.asked))),
            Peer(*SQLITE, _get_sqlite),
            Peer(*BPLUSTREE, lambda items: list(map(items.bplustree.get, items.asked)), MOST_ITEMS_OF_OTHERS),
            Peer(
                *SHELVE,
                lambda items: [items.shelf[key.decode("latin-1")] for key in items.asked],
                MOST_ITEMS_OF_OTHERS,
            ),
        ),
        same_list,
        note="All keys, in random order, from a file that is open and in memory. LMDB is written in C. Of a call of "
        "ours more than half is Python: the lock, the call of a kernel, the copy of the value.",
    ),
    Case(
        "bplustree",
        "get many values at once",
        "items",
        COUNTS,
        Items,
        lambda items: items.ours.get_many(items.asked),
        (Peer("LMDB, one at a time", "lmdb", lambda items: list(map(items.lmdb.get, items.asked))),),
        same_list,
        note="LMDB has getmulti, which is slower than so many calls of get.",
    ),
    Case(
        "bplustree",
        "scan all items in order",
        "items",
        (10_000, 100_000, 1_000_000),
        Items,
        lambda items: list(items.ours.items()),
        (
            Peer(*LMDB, lambda items: list(items.lmdb.cursor())),
            Peer(*SQLITE, lambda items: items.sqlite.execute("SELECT key, value FROM items ORDER BY key").fetchall()),
        ),
        same_list,
        note="A list of pairs of bytes, on all sides.",
    ),
)
