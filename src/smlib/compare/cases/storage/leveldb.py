"""Cases of the LSM-tree beside LevelDB, whose files it writes."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from smlib.compare.case import Case, Peer
from smlib.compare.cases.storage.durable_stores import Folder, Item, Items, Written, same_list, same_store
from smlib.storage import LSMTree

COUNTS = (3_000, 30_000, 300_000)
CACHE_SIZE = 256 << 20
LEVELDB = ("LevelDB (plyvel)", "plyvel")


class Pairs(Items):
    """Random keys with values, and trees that have them in merged tables, made at the first call."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        rng = np.random.default_rng(2)
        data = rng.bytes(16 * size)
        self.missing = [data[k : k + 16] for k in range(0, len(data), 16)]

    @cached_property
    def lsm(self) -> LSMTree:
        """Our tree."""
        tree = _open(self._folder)
        for batch in self.batches:
            tree.put_many(batch)
        tree.compact()
        return tree

    @cached_property
    def leveldb(self) -> Any:
        """LevelDB's."""
        store = _open_leveldb(self._folder)
        _fill_in_batches(store, self)
        store.compact_range()
        return store


def _open(folder: Folder) -> LSMTree:
    return LSMTree.open(folder.path / "lsm", durability="none", block_cache_size=CACHE_SIZE)


def _open_leveldb(folder: Folder) -> Any:
    return import_module("plyvel").DB(
        str(folder.path / "leveldb"),
        create_if_missing=True,
        bloom_filter_bits=10,
        compression=None,
        lru_cache_size=CACHE_SIZE,
    )


def _fill_in_batches(store: Any, items: Items) -> None:
    for batch in items.batches:
        with store.write_batch() as writes:
            for key, value in batch:
                writes.put(key, value)


def _write(items: Items, *, one_by_one: bool) -> Written:
    def write(folder: Folder) -> None:
        with _open(folder) as tree:
            if one_by_one:
                for key, value in items.items:
                    tree[key] = value
            else:
                for batch in items.batches:
                    tree.put_many(batch)

    def read(folder: Folder) -> list[Item]:
        with _open(folder) as tree:
            tree.check()
            return list(tree.items())

    return Written(write, read)


def _write_leveldb(items: Items, *, one_by_one: bool) -> Written:
    def write(folder: Folder) -> None:
        with _open_leveldb(folder) as store:
            if one_by_one:
                put = store.put
                for key, value in items.items:
                    put(key, value)
            else:
                _fill_in_batches(store, items)

    def read(folder: Folder) -> list[Item]:
        with _open_leveldb(folder) as store:
            return list(store)

    return Written(write, read)


CASES = (
    Case(
        "lsm",
        "put random items, one at a time",
        "items",
        COUNTS,
        Items,
        lambda items: _write(items, one_by_one=True),
        (Peer(*LEVELDB, lambda items: _write_leveldb(items, one_by_one=True)),),
        same_store,
        note="Keys of 16 bytes, values of 100, into a new folder, which is closed at the end; logs are not synced. "
        "Ours maps the log into memory, where LevelDB calls the system for each item. LevelDB writes and merges tables "
        "in a thread of its own, beside the one that is measured; ours does all in one.",
    ),
    Case(
        "lsm",
        "put random items, 1,000 a batch",
        "items",
        COUNTS,
        Items,
        lambda items: _write(items, one_by_one=False),
        (Peer(*LEVELDB, lambda items: _write_leveldb(items, one_by_one=False)),),
        same_store,
        note="As before. What is left is the merging, for which LevelDB has its own thread.",
    ),
    Case(
        "lsm",
        "get a value",
        "items",
        COUNTS,
        Pairs,
        lambda pairs: [pairs.lsm[key] for key in pairs.asked],
        (Peer(*LEVELDB, lambda pairs: list(map(pairs.leveldb.get, pairs.asked))),),
        same_list,
        note="All keys, in random order, after a merge of all tables on both sides, from a cache that holds them.",
    ),
    Case(
        "lsm",
        "ask for keys that are not there",
        "items",
        COUNTS,
        Pairs,
        lambda pairs: list(map(pairs.lsm.get, pairs.missing)),
        (Peer(*LEVELDB, lambda pairs: list(map(pairs.leveldb.get, pairs.missing))),),
        same_list,
        note="Filters of ten bits a key on both sides. Here one kernel asks the indexes and filters of all tables.",
    ),
    Case(
        "lsm",
        "walk over all items in order",
        "items",
        COUNTS,
        Pairs,
        lambda pairs: list(pairs.lsm.items()),
        (Peer(*LEVELDB, lambda pairs: list(pairs.leveldb)),),
        same_list,
        note="A list of pairs of bytes on both sides. Ours proves each block anew; LevelDB does not look at checksums.",
    ),
)
