"""The tree as a mapping: open a file, read it, change it, each change a commit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal, NoReturn, SupportsIndex

from smlib._core.validate import as_count
from smlib.errors import InputError
from smlib.storage.bplustree.commits import Writer
from smlib.storage.bplustree.compaction import compact_store
from smlib.storage.bplustree.creation import create_file
from smlib.storage.bplustree.invariants import check_tree
from smlib.storage.bplustree.meta import PAGE_SIZES, Meta
from smlib.storage.bplustree.readers import WatchingStore, oldest_reader
from smlib.storage.bplustree.store import Store
from smlib.storage.bplustree.walking import walk_items
from smlib.storage.byte_store import Item
from smlib.storage.byte_tree import ByteTree
from smlib.storage.filesystem import FileSystem, PathLike
from smlib.storage.local_filesystem import LocalFileSystem

Durability = Literal["sync", "batch", "none"]
CACHE_SIZE = 64 << 20


class BPlusTree(ByteTree[Meta, Writer]):
    """A mapping from bytes to bytes in a file, in the order of its keys.

    `BPlusTree.open` makes one; every change of it is a commit, and `BPlusTree.put_many`, `BPlusTree.batch` and
    `BPlusTree.transaction` make one commit of many changes. A key has at most 1024 bytes, and at most a quarter of a
    page; values may be of any size.

    Notes
    -----
    Complexity: O(log n) pages a call. A commit writes the pages that it has changed, and waits for two syncs.

    One process may have a file open to write it, and any number to read it. Threads may share a tree: calls take
    turns, and a walk stands still for nobody but is refused when a key is inserted or deleted (take a snapshot then).
    After a fork the child has to open the file anew.

    See Also
    --------
    SortedMapping : what is here and not explained: items at the ends and next to a key, and views.

    References
    ----------
    Graefe, "Modern B-Tree Techniques", *Foundations and Trends in Databases* 3 (2011).

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with BPlusTree.open(f"{folder.name}/cities") as cities:
    ...     cities.put_many({b"Oslo": b"59.9", b"Bergen": b"60.4", b"Bodo": b"67.3"})
    >>> with BPlusTree.open(f"{folder.name}/cities") as cities:
    ...     cities[b"Oslo"], list(cities.range(prefix=b"B"))
    (b'59.9', [(b'Bergen', b'60.4'), (b'Bodo', b'67.3')])
    >>> folder.cleanup()
    """

    __slots__ = ("_cache_size",)

    _cache_size: int
    _store: Store

    def __init__(self) -> None:
        raise InputError("a tree lies in a file: BPlusTree.open(path)")

    @classmethod
    def open(
        cls,
        path: PathLike,
        *,
        page_size: SupportsIndex = 4096,
        durability: Durability = "sync",
        readonly: bool = False,
        cache_size: SupportsIndex = CACHE_SIZE,
        filesystem: FileSystem | None = None,
    ) -> BPlusTree:
        """Open a file, or make it.

        Parameters
        ----------
        path : str or path-like
            The file. Beside it lie ``path.lock``, which says who writes, and ``path.readers``, who reads.
        page_size : int
            Of a new file, in bytes: a power of two from 512 to 32768. A file that is there keeps its own.
        durability : str
            What a commit promises when it returns. "sync": it is on disk. "batch": it will be on disk within a tenth of
            a second, together with others, and a crash loses the last ones only, in order. "none": the system has it;
            if the power goes the file may be damaged, and if only this program ends it is not. The file is mapped
            then, where the system can do that: it is up to a half longer while it is open, and a disk that fails to
            take a page ends the program (see `smlib.storage.filesystem.File.map`).
        readonly : bool
            Open a file that is there for reading. Commits of another process are seen at the next call.
        cache_size : int
            How many bytes of pages to keep in memory, from 0 to 2 GB; a commit takes what it needs besides.
        filesystem : FileSystem, optional
            Where the file is; the machine's own if not given.

        Raises
        ------
        InputError
            An argument is out of its range, or the file has a format of another version.
        LockedError
            Another process, or another tree in this one, has it open to write it.
        CorruptDataError
            It is no file of a tree, or it is damaged or cut off.
        StorageError
            The file is not there and was to be read only, or the disk refuses.
        """
        size, cache = as_count(page_size, "page_size"), as_count(cache_size, "cache_size")
        if size not in PAGE_SIZES:
            raise InputError(f"page_size is {size}; it must be a power of two from 512 to 32768")
        if durability not in ("sync", "batch", "none"):
            raise InputError(f"durability is {durability!r}; it must be 'sync', 'batch' or 'none'")
        disk = LocalFileSystem() if filesystem is None else filesystem
        tree = object.__new__(cls)
        name = os.fspath(path)
        tree._cache_size = cache
        if readonly:
            tree._lock, tree._writer = None, None
            tree._store = WatchingStore(disk, name, cache)
            return tree
        lock = disk.lock(f"{name}.lock")
        try:
            if not disk.exists(name):
                create_file(disk, name, size)
            file = disk.open(name)
            try:
                if durability != "none":
                    file.datasync()
                tree._store = Store(disk, file, name, cache)
                tree._writer = Writer(tree._store, durability, lambda: oldest_reader(disk, name))
            except BaseException:
                file.close()
                raise
        except BaseException:
            lock.close()
            raise
        tree._lock = lock
        return tree

    def __repr__(self) -> str:
        state = "closed" if self._store.file.closed else f"{self._store.newest.items} items"
        return f"<BPlusTree {self.path!r}, {state}>"

    def _walk(self, low: bytes, high: bytes | None, reverse: bool) -> Iterator[Item]:
        """Walk an interval of the tree as it is at each moment."""
        store = self._store_of()
        with store.mutex:
            edits = self._look()[1].edits
        return walk_items(store, self._look, edits, low, high, reverse)

    def clear(self) -> None:
        """Remove all items in one commit, in O(pages)."""
        self._writing().commit({}, everything=True)

    def compact(self) -> None:
        """Write all items into a new file of full pages, and put it in the place of the old one.

        A crash leaves the old file or the new one. Readers in other processes go on with the old one until their next
        call.

        Raises
        ------
        StorageError
            A snapshot or a transaction of this tree is open, for it needs the old file; or the disk refuses, and the
            old file stays.

        Notes
        -----
        Complexity: O(n), and room for a second file.
        """
        compact_store(self._writing(), self._cache_size)

    def check(self) -> None:
        """Prove invariants 1 to 6 of the essay: every page, and that each is in use once, or free.

        Raises
        ------
        CorruptDataError
            One does not hold; the message has its number, the file, and the byte where the page begins.

        Notes
        -----
        Complexity: O(pages), all of which are read.
        """
        with self._store.mutex:
            store, meta = self._store, self._look()[1]
            writer = self._writer
            if writer is None:
                check_tree(store, meta, None, [])
            else:
                check_tree(store, meta, writer.free_pages(), writer.list_pages())

    def stats(self) -> dict[str, float]:
        """Return figures about the file.

        Returns
        -------
        dict
            ``items``; ``depth``, how many pages lie on the way to an item; ``pages``, how many the file has; ``free``,
            how many of them are free (0 if it is open for reading only); ``page_size``; ``cached``, the pages in
            memory; ``transaction``, the number of the last commit; and ``snapshots``.
        """
        with self._store.mutex:
            store, meta = self._store, self._look()[1]
            return {
                "items": meta.items,
                "depth": meta.depth,
                "pages": meta.next_page,
                "free": 0 if self._writer is None else self._writer.free_pages().size,
                "page_size": meta.page_size,
                "cached": int((store.files.pages.page_of >= 0).sum()),
                "transaction": meta.transaction,
                "snapshots": sum(store.readers.values()),
            }

    def __reduce__(self) -> NoReturn:
        raise InputError("a tree that is open cannot be pickled; open the file where it is needed")
