"""The two meta pages: which tree is the last one that was finished.

The first two pages of a file take turns. A commit writes its pages, syncs them, and then writes into the older of the
two meta pages where its root is. Until that page is whole on the disk the other one is valid, and the tree that it
names is untouched: nobody writes pages that it can reach. So a crash leaves the new tree or the old one.

A file that is closed names the same tree in both: damage to one of them loses nothing then.

Lampson & Sturgis, "Crash Recovery in a Distributed Data Storage System" (1979), for pages that take turns.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from smlib._core.hashing import xxh64
from smlib.errors import CorruptDataError, InputError
from smlib.storage.bplustree.pages import META
from smlib.storage.bplustree.working_pages import DEEPEST
from smlib.storage.filesystem import File

MAGIC = b"smlib B+"
FORMAT = 1
PAGE_SIZES = tuple(2**k for k in range(9, 16))
HEAD = struct.Struct("<QQQB7x")
BODY = struct.Struct("<8sIIQQQQQQ")
# The root of a tree that lives on in another file of the same name.
MOVED = 0


class Meta(NamedTuple):
    """What a meta page says.

    Attributes
    ----------
    page_size : int
    transaction : int
        The commit that it was written by.
    root : int
        The page at the top of the tree.
    depth : int
        How many pages lie on the way to a leaf, root and leaf included.
    items : int
    next_page : int
        The first page that was never used.
    free_list : int
        The first page of the list of free pages; 0 if there is none.
    edits : int
        How many commits have inserted or removed a key.
    """

    page_size: int
    transaction: int
    root: int
    depth: int
    items: int
    next_page: int
    free_list: int
    edits: int

    @property
    def place(self) -> int:
        """The meta page that this commit writes."""
        return self.transaction % 2


def encode_meta(meta: Meta) -> bytes:
    """Return a meta page, with its checksum."""
    body = BODY.pack(
        MAGIC,
        FORMAT,
        meta.page_size,
        meta.root,
        meta.depth,
        meta.items,
        meta.next_page,
        meta.free_list,
        meta.edits,
    )
    return seal_bytes(meta.page_size, meta.place, meta.transaction, META, body)


def seal_bytes(page_size: int, number: int, transaction: int, kind: int, body: bytes) -> bytes:
    """Return a page that is not of the tree: its head with a checksum, what follows, and zeros."""
    rest = (HEAD.pack(0, number, transaction, kind) + body)[8:].ljust(page_size - 8, b"\0")
    return xxh64(rest).to_bytes(8, "little") + rest


def decode_meta(page: bytes, place: int) -> Meta | None:
    """Return what a meta page says, or None if it is not whole."""
    if len(page) < HEAD.size + BODY.size or int.from_bytes(page[:8], "little") != xxh64(page[8:]):
        return None
    _, number, transaction, kind = HEAD.unpack_from(page)
    magic, version, page_size, root, depth, items, next_page, free_list, edits = BODY.unpack_from(page, HEAD.size)
    if (kind, number, magic, page_size, transaction % 2) != (META, place, MAGIC, len(page), place):
        return None
    if version != FORMAT:
        raise InputError(f"the file is of format {version}, and this version of smlib reads format {FORMAT}")
    return Meta(page_size, transaction, root, depth, items, next_page, free_list, edits)


def read_meta(file: File) -> Meta:
    """Return the newest meta page that is whole.

    Raises
    ------
    CorruptDataError
        There is none: this is no file of ours, or both are damaged; or it says what cannot be.
    """
    meta = newest_meta(file, PAGE_SIZES)
    if meta is None:
        raise CorruptDataError(
            f"{file.path}, byte 0: no meta page is whole; this is no B+tree, or it is empty or damaged (invariant 6)"
        )
    if meta.root == MOVED:
        raise CorruptDataError(f"{file.path}, byte 0: this is the old file of a tree that lives on in another one")
    prove_meta(file, meta)
    return meta


def newest_meta(file: File, page_sizes: tuple[int, ...]) -> Meta | None:
    """Return the newest meta page that is whole, or None."""
    found = []
    for page_size in page_sizes:
        for place in range(2):
            meta = decode_meta(file.read_at(place * page_size, page_size), place)
            if meta is not None:
                found.append(meta)
    return max(found, key=lambda meta: meta.transaction, default=None)


def prove_meta(file: File, meta: Meta) -> None:
    """Raise CorruptDataError if a meta page says what cannot be."""
    offset = meta.place * meta.page_size
    if meta.next_page * meta.page_size > file.size():
        raise CorruptDataError(
            f"{file.path}, byte {file.size()}: the file is cut off; it should have {meta.next_page} pages of "
            f"{meta.page_size} bytes (invariant 6)"
        )
    if (
        not (2 <= meta.root < meta.next_page or meta.root == MOVED)
        or not 1 <= meta.depth <= DEEPEST
        or meta.items > meta.next_page * meta.page_size
        or not (meta.free_list == 0 or 2 <= meta.free_list < meta.next_page)
        or meta.edits >= 2**63
        or meta.transaction >= 2**62
    ):
        raise CorruptDataError(f"{file.path}, byte {offset}: the meta page says what cannot be (invariant 6)")


def metas_agree(file: File, meta: Meta) -> bool:
    """Return whether both meta pages name the same tree as this one."""
    other = decode_meta(file.read_at((1 - meta.place) * meta.page_size, meta.page_size), 1 - meta.place)
    return other is not None and other._replace(transaction=meta.transaction) == meta
