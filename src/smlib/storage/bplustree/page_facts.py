"""One page of a file: read from outside, proved, and taken apart.

Nothing is believed. Of a page that is not whole there is its head as it is stored, and its first bytes; cells are
looked at only after `pages.prove`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from smlib._core.hashing import xxh64
from smlib.storage.bplustree.chains import LINK, body_size
from smlib.storage.bplustree.meta import decode_meta
from smlib.storage.bplustree.page_file import WHAT_IS_WRONG
from smlib.storage.bplustree.pages import (
    BRANCH,
    BRANCH_CELL,
    ELSEWHERE,
    FREE,
    HEAD,
    LEAF,
    LEAF_CELL,
    META,
    OVERFLOW,
    REFERENCE,
    at,
    prove,
)
from smlib.storage.filesystem import File

FIELDS = struct.Struct("<QQQBxHHH")
NAMES = ("checksum", "page", "transaction", "kind", "count", "floor", "holes")
KINDS = {LEAF: "leaf", BRANCH: "branch", OVERFLOW: "overflow", FREE: "list", META: "meta"}
# Bytes of a page that are shown whatever is in it.
BEGINNING = 64


@dataclass(frozen=True, slots=True)
class CellFacts:
    """A cell.

    Attributes
    ----------
    begin, size : int
        Where it lies in its page.
    key : bytes
    value : bytes or None
        None in a branch, and where the value lies in pages of its own.
    value_size : int or None
        None in a branch.
    page : int or None
        The page that a branch's cell leads to, or the first one of the value.
    """

    begin: int
    size: int
    key: bytes
    value: bytes | None
    value_size: int | None
    page: int | None


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page.

    Attributes
    ----------
    number, size : int
    kind : str
        "leaf", "branch", "overflow", "list", "meta" or "unknown"; as the head says, if the page is damaged.
    damage : str or None
        What is wrong with it. What follows ``beginning`` is known of a page only if this is None.
    head : dict
        The fields of its head as they are stored.
    beginning : bytes
        The first bytes.
    fill : float or None
        How much of the room for cells, or for what a chain holds, is used.
    cells : tuple of CellFacts
        In the order of their keys.
    next_page, used : int or None
        Of a chain: where it goes on (0 at the end), and how many bytes lie in this page.
    free_pages : tuple of int
        What a page of the list of free pages names.
    meta : dict or None
        What a meta page says.
    """

    number: int
    size: int
    kind: str
    damage: str | None
    head: dict[str, int]
    beginning: bytes
    fill: float | None = None
    cells: tuple[CellFacts, ...] = ()
    next_page: int | None = None
    used: int | None = None
    free_pages: tuple[int, ...] = ()
    meta: dict[str, int] | None = None


def read_page(file: File, size: int, number: int, pages: int) -> PageFacts:
    """Read a page and prove it; a branch leads to pages less than ``pages``."""
    data = file.read_at(number * size, size) if number * size < file.size() else b""
    head = dict(zip(NAMES, FIELDS.unpack_from(data), strict=True)) if len(data) >= HEAD else {}
    code = head.get("kind", 0)
    page = PageFacts(number, size, KINDS.get(code, "unknown"), None, head, data[:BEGINNING])
    if len(data) < size:
        return replace(page, damage="the file ends before it does (invariant 6)")
    damage = wrong_seal(data, number) or wrong_content(data, number, code, pages)
    if damage is not None:
        return replace(page, damage=damage)
    if code == META:
        meta = decode_meta(data, number)
        return replace(page, meta=None if meta is None else meta._asdict())
    if code in (LEAF, BRANCH):
        room = head["floor"] - HEAD - 2 * head["count"] + head["holes"]
        return replace(page, fill=1 - room / (size - HEAD), cells=tuple(cells_of(data, code, head["count"])))
    following, used = struct.unpack_from("<QI", data, HEAD)
    free = struct.unpack_from(f"<{used // 8}Q", data, HEAD + LINK) if code == FREE else ()
    return replace(page, fill=used / body_size(size), next_page=following, used=used, free_pages=free)


def wrong_seal(data: bytes, number: int) -> str | None:
    """Return what is wrong with the checksum or the number of a page."""
    if int.from_bytes(data[:8], "little") != xxh64(data[8:]):
        return "its checksum does not fit (invariant 4)"
    stored = int.from_bytes(data[8:16], "little")
    return None if stored == number else f"it says that it is page {stored} (invariant 4)"


def wrong_content(data: bytes, number: int, kind: int, pages: int) -> str | None:
    """Return what is wrong with what a page holds."""
    if kind == META or number < 2:
        return "it is no meta page of this file (invariant 6)" if decode_meta(data, number) is None else None
    if kind in (LEAF, BRANCH):
        broken = int(prove(np.frombuffer(bytearray(data), np.uint8), at(0), len(data), min(pages, 2**62)))
        return WHAT_IS_WRONG[broken] if broken else None
    if kind not in (OVERFLOW, FREE):
        return f"there is no kind {kind} (invariant 4)"
    used = int.from_bytes(data[HEAD + 8 : HEAD + LINK], "little")
    fits = used <= body_size(len(data)) and (kind == OVERFLOW or used % 8 == 0)
    return None if fits else f"it cannot hold {used} bytes (invariant 4)"


def cells_of(data: bytes, kind: int, count: int) -> Iterator[CellFacts]:
    """Yield the cells of a page that has been proved, in the order of their keys."""
    for (begin,) in struct.iter_unpack("<H", data[HEAD : HEAD + 2 * count]):
        if kind == BRANCH:
            child, key_size = struct.unpack_from("<QH", data, begin)
            key = begin + BRANCH_CELL
            yield CellFacts(begin, BRANCH_CELL + key_size, data[key : key + key_size], None, None, child)
            continue
        key_size, size = struct.unpack_from("<HI", data, begin)
        key, value = begin + LEAF_CELL, begin + LEAF_CELL + key_size
        if size < ELSEWHERE:
            end = value + size
            yield CellFacts(begin, end - begin, data[key:value], data[value:end], size, None)
        else:
            first, value_size = struct.unpack_from("<QQ", data, value)
            yield CellFacts(begin, value + REFERENCE - begin, data[key:value], None, value_size, first)
