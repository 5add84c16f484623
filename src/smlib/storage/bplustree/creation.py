"""Making a file: it has its name when it is whole, and not before.

A new file is written beside the place where it belongs, synced, and then given its name. So a crash leaves no file of
that name or one that can be opened.
"""

from __future__ import annotations

import os

from smlib.storage.bplustree.meta import Meta, encode_meta
from smlib.storage.bplustree.page_file import PageFile
from smlib.storage.bplustree.pages import LEAF, clear
from smlib.storage.bplustree.working_pages import base_of, take_page
from smlib.storage.filesystem import File, FileSystem


def create_file(filesystem: FileSystem, path: str, page_size: int) -> None:
    """Make a file with an empty tree."""
    with filesystem.open(f"{path}.new", create=True) as file:
        write_empty_tree(file, page_size, 0)
        file.datasync()
    filesystem.rename(f"{path}.new", path)
    filesystem.sync_directory(os.path.dirname(path) or ".")


def write_empty_tree(file: File, page_size: int, transaction: int) -> None:
    """Write a tree that is one empty leaf, and both meta pages, the last one of a transaction's number and the next."""
    file.truncate(0)
    store = PageFile(file, page_size, 0)
    store.set_state(Meta(page_size, transaction, 0, 1, 0, 2, 0, 0))
    store.make_room()
    root = int(take_page(store.pages))
    clear(store.pages.memory, base_of(store.pages, root), LEAF, page_size)
    store.write_taken()
    for number in (transaction, transaction + 1):
        meta = Meta(page_size, number, root, 1, 0, 3, 0, 0)
        file.write_at(meta.place * page_size, encode_meta(meta))
