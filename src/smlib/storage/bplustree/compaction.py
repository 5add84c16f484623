"""Compaction: all items into a new file, one behind the other, in full pages.

Free pages are taken again, but they do not leave the file, and pages that were cut in two stay half full. A new file,
loaded in order of the keys, has neither. It is written beside the old one and takes its name when it is on disk; that
is one step for whoever opens it, and for a crash. Who has the old file open can go on reading it, and is told by its
meta pages that the tree lives on elsewhere.
"""

from __future__ import annotations

import os

from smlib.errors import StorageError
from smlib.storage.bplustree.commits import Writer
from smlib.storage.bplustree.creation import write_empty_tree
from smlib.storage.bplustree.meta import MOVED, encode_meta
from smlib.storage.bplustree.store import ITEMS_AT_ONCE, Store

# Bytes of items that one commit takes.
LOADED_AT_ONCE = 4 << 20


def compact_store(writer: Writer, cache_size: int) -> None:
    """Put a file of full pages in the place of a store's file."""
    store = writer.store
    with store.mutex:
        writer.require_working()
        if store.readers:
            raise StorageError(
                f"{store.path}: it cannot be compacted while a snapshot or a transaction looks at it; close them first"
            )
        writer.sync()
        name = f"{store.path}.compact"
        write_copy(store, name)
        store.filesystem.rename(name, store.path)
        try:
            store.filesystem.sync_directory(os.path.dirname(store.path) or ".")
            old, old_meta = store.file, store.newest
            store.load(store.filesystem.open(store.path), cache_size)
            writer.load()
            moved = old_meta._replace(transaction=old_meta.transaction + 1, root=MOVED)
            old.write_at(moved.place * moved.page_size, encode_meta(moved))
            old.close()
        except BaseException as error:
            # The name is the new file's now, and what is open may be the old one.
            writer.failure = str(error) or type(error).__name__
            raise


def write_copy(store: Store, name: str) -> None:
    """Write all items into a new file, and sync it; if that fails, there is none."""
    try:
        with store.filesystem.open(name, create=True) as file:
            write_empty_tree(file, store.newest.page_size, store.newest.transaction + 2)
            copy = Store(store.filesystem, file, name, 0)
            load_items(store, Writer(copy, "none", lambda: None))
            file.datasync()
    except StorageError:
        if store.filesystem.exists(name):
            store.filesystem.unlink(name)
        raise


def load_items(source: Store, target: Writer) -> None:
    """Copy all items, and the number of edits, so that nobody who walks over them takes this for a change."""
    target.counts_edits = False
    target.store.newest = target.store.newest._replace(edits=source.newest.edits)
    start, complete = b"", False
    puts: dict[bytes, bytes] = {}
    size = 0
    while not complete:
        items, complete = source.collect(source.newest, start, None, False, ITEMS_AT_ONCE)
        puts.update(items)
        size += sum(len(key) + len(value) for key, value in items)
        if items:
            start = items[-1][0] + b"\0"
        if size > LOADED_AT_ONCE or (complete and puts):
            target.commit(puts)
            puts, size = {}, 0
    target.finish()
