"""The tree as a mapping: open a folder, read it, change it, each change a commit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Literal, NoReturn, SupportsIndex

from smlib._core.validate import as_count
from smlib.errors import CorruptDataError, InputError, StorageError
from smlib.storage.arguments import as_key, as_value
from smlib.storage.byte_store import Item
from smlib.storage.byte_tree import ByteTree
from smlib.storage.filesystem import FileSystem, PathLike
from smlib.storage.local_filesystem import LocalFileSystem
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.commits import Options, Writer
from smlib.storage.lsm.creation import create_store
from smlib.storage.lsm.file_names import CURRENT, LOCK
from smlib.storage.lsm.recovery import Recovered, recover
from smlib.storage.lsm.store import LSMState, LSMStore
from smlib.storage.lsm.table_building import COMPRESSIONS

Durability = Literal["sync", "batch", "none"]
Compression = Literal["none", "snappy"]
# How often a folder is looked at that another process writes.
TRIES = 8


class LSMTree(ByteTree[LSMState, Writer]):
    """A mapping from bytes to bytes in a folder that LevelDB opens, in the order of its keys.

    `LSMTree.open` makes one; every change of it is a commit, and `LSMTree.put_many`, `LSMTree.batch` and
    `LSMTree.transaction` make one commit of many changes. Keys and values may be of any size.

    Notes
    -----
    Complexity: O(1) to set an item, and later a part of a flush and of some merges; to get one, a search of a table in
    each level, and of each table in level 0. ``len`` walks over all items, for nobody counts them.

    One process may have a folder open to write it. Who opens it for reading sees it as it is then. Threads may share a
    tree: calls take turns, and a walk goes over a snapshot of its own. After a fork the child has to open it anew.

    See Also
    --------
    SortedMapping : what is here and not explained: items at the ends and next to a key, and views.

    References
    ----------
    O'Neil et al., "The Log-Structured Merge-Tree (LSM-Tree)", *Acta Informatica* 33 (1996).

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with LSMTree.open(f"{folder.name}/cities") as cities:
    ...     cities.put_many({b"Oslo": b"59.9", b"Bergen": b"60.4", b"Bodo": b"67.3"})
    >>> with LSMTree.open(f"{folder.name}/cities") as cities:
    ...     cities[b"Oslo"], list(cities.range(prefix=b"B"))
    (b'59.9', [(b'Bergen', b'60.4'), (b'Bodo', b'67.3')])
    >>> folder.cleanup()
    """

    __slots__ = ()

    _store: LSMStore

    def __init__(self) -> None:
        raise InputError("a tree lies in a folder: LSMTree.open(path)")

    @classmethod
    def open(
        cls,
        path: PathLike,
        *,
        durability: Durability = "sync",
        write_buffer_size: SupportsIndex = 4 << 20,
        block_size: SupportsIndex = 4096,
        bloom_bits_per_key: SupportsIndex = 10,
        compression: Compression = "none",
        block_cache_size: SupportsIndex = 8 << 20,
        readonly: bool = False,
        filesystem: FileSystem | None = None,
    ) -> LSMTree:
        """Open a folder, or make it.

        Parameters
        ----------
        path : str or path-like
            The folder; it may be one that LevelDB has written.
        durability : str
            What a commit promises when it returns. "sync": it is on disk. "batch": it will be on disk within a tenth of
            a second, together with others. "none": the system has it. In the last two a crash of the machine loses the
            last commits only, in order, and one of the program loses none.
        write_buffer_size : int
            When the log has so many bytes, what is in memory becomes a table.
        block_size : int
            Entries of so many bytes are read at once.
        bloom_bits_per_key : int
            Of the filters in new tables; 0 for none. With 10, one in a hundred keys that are not in a table is looked
            for all the same.
        compression : str
            Of the blocks of new tables: "none" or "snappy".
        block_cache_size : int
            How many bytes of blocks to keep in memory.
        readonly : bool
            Open a folder that is there for reading, as it is now; nothing is written, not even a lock.
        filesystem : FileSystem, optional
            Where the folder is; the machine's own if not given.

        Raises
        ------
        InputError
            An argument is out of its range, or the keys in the folder are in another order than that of bytes.
        LockedError
            Another process, or another tree in this one, has it open to write it.
        CorruptDataError
            A file is damaged, or missing.
        StorageError
            The folder is not there and was to be read only, or the disk refuses.
        """
        if durability not in ("sync", "batch", "none"):
            raise InputError(f"durability is {durability!r}; it must be 'sync', 'batch' or 'none'")
        if compression not in COMPRESSIONS:
            raise InputError(f"compression is {compression!r}; it must be 'none' or 'snappy'")
        options = Options(
            durability,
            as_count(write_buffer_size, "write_buffer_size"),
            as_count(block_size, "block_size"),
            as_count(bloom_bits_per_key, "bloom_bits_per_key"),
            compression,
        )
        cache = BlockCache(as_count(block_cache_size, "block_cache_size"))
        disk = LocalFileSystem() if filesystem is None else filesystem
        folder = os.fspath(path)
        tree = object.__new__(cls)
        if readonly:
            found = recover_beside_a_writer(disk, folder, cache)
            tree._store, tree._lock, tree._writer = store_of(disk, folder, cache, found), None, None
            return tree
        if not disk.exists(folder):
            disk.make_directory(folder)
            disk.sync_directory(os.path.dirname(folder) or ".")
        tree._lock = disk.lock(os.path.join(folder, LOCK))
        try:
            if not disk.exists(os.path.join(folder, CURRENT)):
                create_store(disk, folder)
            found = recover(disk, folder, cache)
            tree._store = store_of(disk, folder, cache, found)
            tree._writer = Writer(tree._store, options, found)
        except BaseException:
            tree._lock.close()
            raise
        return tree

    def __repr__(self) -> str:
        state = "closed" if self._store.closed else f"{len(self._store.version.files)} tables"
        return f"<LSMTree {self.path!r}, {state}>"

    def __setitem__(self, key: bytes, value: bytes) -> None:
        if type(key) is not bytes or type(value) is not bytes or len(key) > LSMStore.longest_key:
            key, value = as_key(key, LSMStore.longest_key), as_value(value)
        (self._writer or self._writing()).put(key, value)

    def _walk(self, low: bytes, high: bytes | None, reverse: bool) -> Iterator[Item]:
        """Walk an interval of the tree as it is now; what is changed while one walks is not seen."""
        return self.snapshot()._walk(low, high, reverse)

    def clear(self) -> None:
        """Remove all items in one commit, in O(tables)."""
        self._writing().clear()

    def flush(self) -> None:
        """Let what is in memory become a table now, and merge tables if there are too many."""
        self._writing().flush()

    def compact(self) -> None:
        """Merge all tables, so that each key is in one table at most, and what was deleted takes no room.

        Notes
        -----
        Complexity: O(bytes of all tables), and room for them a second time.
        """
        self._writing().compact()

    def check(self) -> None:
        """Prove the invariants of `versions` for all tables, block by block.

        Raises
        ------
        CorruptDataError
            One does not hold; the message names the file, and a byte.

        Notes
        -----
        Complexity: O(bytes of all tables).
        """
        with self._store.mutex:
            store, state = self._store, self._look()[1]
            store.check(state)

    def stats(self) -> dict[str, float]:
        """Return figures about the folder.

        Returns
        -------
        dict
            ``items``, which are counted: O(n); ``tables``, and ``bytes`` in them; ``cached``, the bytes of blocks in
            memory; ``transaction``, the number of the last change; and ``snapshots``.
        """
        with self._store.mutex:
            store, state = self._store, self._look()[1]
            return {
                **store.describe(state),
                "cached": store.block_cache.size,
                "snapshots": sum(store.held.values()),
            }

    def __reduce__(self) -> NoReturn:
        raise InputError("a tree that is open cannot be pickled; open the folder where it is needed")


def store_of(disk: FileSystem, folder: str, cache: BlockCache, found: Recovered) -> LSMStore:
    """Return a store of what was found."""
    return LSMStore(disk, folder, cache, LSMState(found.sequence, found.memtable, found.version))


def recover_beside_a_writer(disk: FileSystem, folder: str, cache: BlockCache) -> Recovered:
    """Recover a folder that another process may be writing: a file that is not there any more is no damage."""
    failure: Any = None
    for _ in range(TRIES):
        try:
            return recover(disk, folder, cache)
        except (CorruptDataError, StorageError) as error:
            failure = error
    raise failure
