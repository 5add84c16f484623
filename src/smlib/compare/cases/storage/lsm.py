"""Cases of the LSM-tree: a folder is written, and its parts are shown."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.storage.bplustree import TOLD, Concordance, Items, concordance_of, dict_index, sqlite_index
from smlib.compare.cases.storage.peers import is_whole
from smlib.storage import LocalFileSystem, LSMTree
from smlib.storage.filesystem import File
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.blocks import load_sizes, restarts_of
from smlib.storage.lsm.descriptions import say_edit
from smlib.storage.lsm.file_names import MANIFEST, TABLE, path_of, read_current
from smlib.storage.lsm.log import read_log
from smlib.storage.lsm.manifest import decode_edit, read_manifest
from smlib.storage.lsm.stored_blocks import load_block
from smlib.storage.lsm.tables import Table

# So little that some flushes and a merge take place.
WRITE_BUFFER_SIZE = 64 << 10
# How many tables of a level are told.
TABLES_TOLD = 3
# What an edit begins with that takes tables away.
REMOVED = "-"
LEVELDB = "plyvel"


class TableTold(NamedTuple):
    """A table: its number, level and size, how many blocks it has, and the first and the last of its keys."""

    number: int
    level: int
    size: int
    blocks: int
    smallest: bytes
    largest: bytes


class BlockTold(NamedTuple):
    """A block: its table and size, how many entries and restarts it has, and how many bytes of keys it shares."""

    number: int
    size: int
    entries: int
    restarts: int
    key_bytes: int
    shared: int


class Opened(NamedTuple):
    """A folder that was closed: what stands in its files, and who has read what.

    ``leveldb`` is what LevelDB has read, None if it is not installed.
    """

    files: list[str]
    manifest: str
    edits: list[str]
    tables: list[TableTold]
    block: BlockTold | None
    whole: bool
    found: Items
    leveldb: Items | None


class Folder:
    """What a store in a folder had in it when all was written, in order."""

    def __init__(self, concordance: Concordance, items: Items) -> None:
        self.items = items
        self._concordance = concordance

    @cached_property
    def opened(self) -> Opened:
        """The same folder once more, closed and looked at; no clock times this."""
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "words")
            write(self._concordance, path)
            return look_at(path)


def write(concordance: Concordance, path: str) -> Items:
    """Write a concordance into a folder, commit by commit; return what is in it then, in order."""
    with LSMTree.open(path, write_buffer_size=WRITE_BUFFER_SIZE) as index:
        for commit in concordance.commits:
            index.put_many(commit)
        return dict(index.items())


def _index(concordance: Concordance) -> Folder:
    with tempfile.TemporaryDirectory() as folder:
        return Folder(concordance, write(concordance, str(Path(folder) / "words")))


def look_at(path: str) -> Opened:
    """Show what is in a folder, and let others read it; LevelDB last, for it writes when it opens one."""
    disk = LocalFileSystem()
    number = read_current(disk, path)
    manifest = read_manifest(disk, path_of(path, number, MANIFEST))
    with disk.open(path_of(path, number, MANIFEST), readonly=True) as file:
        edits = [say_edit(decode_edit(record.payload)) for record in read_log(file)]
    tables, block = [], None
    for level, facts_of in manifest.files.items():
        for facts in facts_of.values():
            with disk.open(path_of(path, facts.number, TABLE), readonly=True) as file:
                table = Table(file, facts.number, facts.size, BlockCache(0))
                blocks, keys = len(table.places), (facts.smallest[:-8], facts.largest[:-8])
                tables.append(TableTold(facts.number, level, facts.size, blocks, *keys))
                if block is None or level > 0:
                    block = count_shared(file, facts.number, *table.places[blocks // 2].tolist())
    files = sorted(name for name in disk.list_directory(path) if name not in ("LOCK", "LOG"))
    with LSMTree.open(path, readonly=True) as index:
        whole, found = is_whole(index), dict(index.items())
    tables.sort(key=lambda table: (table.level, -table.number))
    return Opened(files, f"MANIFEST-{number:06}", edits, tables, block, whole, found, read_by_leveldb(path))


def count_shared(file: File, number: int, offset: int, size: int) -> BlockTold:
    """Count which bytes of the keys of a block it shares with the key before, and does not write."""
    block = np.frombuffer(load_block(file, offset, size), np.uint8)
    limit, restarts = map(int, restarts_of(block))
    position = entries = key_bytes = shared_bytes = 0
    while position < limit:
        shared, rest, value, position = map(int, load_sizes(block, np.uint32(position)))
        entries, position = entries + 1, position + rest + value
        key_bytes, shared_bytes = key_bytes + shared + rest, shared_bytes + shared
    return BlockTold(number, size, entries, restarts, key_bytes, shared_bytes)


def read_by_leveldb(path: str) -> Items | None:
    """Return what LevelDB finds in a folder, or None if it is not installed."""
    if find_spec(LEVELDB) is None:
        return None
    with import_module(LEVELDB).DB(path) as store:
        return dict(store)


def _same_items(_: Concordance, ours: Folder, theirs: Items) -> Agreement:
    return Agreement(list(ours.items.items()) == list(theirs.items()), f"{len(theirs):,} items in order, the same")


def _say_table(table: TableTold) -> str:
    first, last = (key.partition(b" ")[0].decode() for key in (table.smallest, table.largest))
    return f"{table.number}: level {table.level}, {table.size >> 10:,} KB, {table.blocks} blocks, {first!r} to {last!r}"


def _say_edits(edits: Sequence[str]) -> str:
    """Return the first edits, the last merge, and the last edit, in words."""
    merges = [k for k, edit in enumerate(edits) if edit.startswith(REMOVED)]
    told, before = [], -1
    for k in sorted({0, 1, *merges[-1:], len(edits) - 1} & set(range(len(edits)))):
        what = "the beginning" if k == 0 else "a merge" if k in merges else "a flush"
        told.append(f"{'... ' if k > before + 1 else ''}{edits[k]} ({what})")
        before = k
    return "; ".join(told)


def _tell_folder(concordance: Concordance, folder: Folder) -> Sequence[str]:
    opened = folder.opened
    others = [name for name in opened.files if not name.endswith(".ldb")]
    first = [table for table in opened.tables if table.level == 0]
    below = [table for table in opened.tables if table.level > 0]
    lines = [
        f"the folder: {', '.join(others)}, and {len(opened.tables)} tables",
        f"CURRENT names {opened.manifest}, which has {len(opened.edits)} edits: {_say_edits(opened.edits)}",
        *(f"table {_say_table(table)}" for table in first[:TABLES_TOLD]),
        *([f"and {len(first) - TABLES_TOLD} more in level 0"] if len(first) > TABLES_TOLD else []),
        *(f"table {_say_table(table)}" for table in below[:TABLES_TOLD]),
    ]
    if opened.block is not None:
        block = opened.block
        lines.append(
            f"a block of table {block.number}: {block.entries} entries in {block.size:,} bytes; of {block.key_bytes:,} "
            f"bytes of keys {block.shared:,} are shared with the key before, and not written; {block.restarts} restarts"
        )
    prefix = TOLD.encode() + b" "
    named = [int.from_bytes(page, "big") for key, page in opened.found.items() if key.startswith(prefix)]
    if named:
        titles = [concordance.pages[page] for page in dict.fromkeys(named)]
        lines.append(f"{TOLD!r} stands at {len(named)} places, on the pages {', '.join(titles[:4])}, ...")
    if opened.leveldb is None:
        lines.append("LevelDB has not read the folder: plyvel, by which Python calls it, is not installed here")
    return lines


def _prove_folder(concordance: Concordance, folder: Folder) -> Mapping[str, bool]:
    opened = folder.opened
    expected = list(dict_index(concordance).items())
    proofs = {
        "a plain dict, sorted, has the same items": list(folder.items.items()) == expected,
        "the folder, closed and opened again, has the same items": list(opened.found.items()) == expected,
        "the tree's own proof holds: checksums, order, separators, filters, levels": opened.whole,
        "no table that the manifest leads to is missing, and no other file is there": {
            f"{table.number:06}.ldb" for table in opened.tables
        }
        == {name for name in opened.files if name.endswith(".ldb")},
    }
    if opened.leveldb is not None:
        proofs["LevelDB (by plyvel) opens the folder, and reads the same items in the same order"] = (
            list(opened.leveldb.items()) == expected
        )
    return proofs


CASES = (
    Case(
        "lsm",
        "an index in a LevelDB folder: write, commit by commit, then read all in order",
        "words",
        (1_000, 10_000, 50_000),
        concordance_of,
        _index,
        (
            Peer("SQLite, a file with a log (WAL)", "sqlite3", sqlite_index),
            Peer("dict, sorted at the end", "builtins", dict_index),
        ),
        _same_items,
        note="A commit for each 500 words, which is on the disk when it returns: one sync each here and in SQLite "
        "(synchronous = FULL). The write buffer is small, 64 KB, so that there are flushes and merges; each of them "
        "syncs a table, a folder and the manifest. The dict is in memory only, and promises nothing.",
        story=Story(
            "A folder as LevelDB writes it is opened. What is in it?",
            50_000,
            "the text of the Python manual that every Python carries (pydoc_data.topics)",
            _tell_folder,
            _prove_folder,
        ),
    ),
)
