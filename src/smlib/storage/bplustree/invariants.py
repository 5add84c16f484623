"""The invariants of a tree, proved page by page.

Every page that the tree leads to is read; whatever is in memory already was proved when it came, so what is looked at
here is how the pages hang together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from smlib.errors import CorruptDataError
from smlib.storage.bplustree import lookups
from smlib.storage.bplustree.chains import value_pages
from smlib.storage.bplustree.meta import Meta
from smlib.storage.bplustree.page_file import WHAT_IS_WRONG
from smlib.storage.bplustree.pages import BRANCH, COUNT, ELSEWHERE, KIND, LEAF, REFERENCE, TRANSACTION, at, prove
from smlib.storage.bplustree.working_pages import Numbers

if TYPE_CHECKING:
    from smlib.storage.bplustree.store import Store


def check_tree(store: Store, meta: Meta, free: Numbers | None, others: list[int]) -> None:
    """Prove invariants 1 to 5 of a tree; 5 if the free pages are known, and the others that are in use."""
    seen: set[int] = set()
    items = 0
    for page, leaf, cells, low, high in walk_tree(store, meta):
        add_page(store, seen, page)
        keys = [store.files.copy(begin, end - begin) for begin, end, _ in cells]
        if leaf:
            items += len(keys)
            if not keys and meta.depth > 1:
                fail(store, page, 3, "a leaf is empty")
            for (_, end, size), key in zip(cells, keys, strict=True):
                if (low is not None and key < low) or (high is not None and key >= high):
                    fail(store, page, 1, "a key does not lie where its branches lead to")
                if size >= ELSEWHERE:
                    for number, _ in value_pages(store.files, store.files.copy(end, REFERENCE)):
                        add_page(store, seen, number)
    if items != meta.items:
        raise CorruptDataError(
            f"{store.path}, byte {meta.place * meta.page_size}: the leaves hold {items} items and not {meta.items} "
            f"(invariant 3)"
        )
    if free is not None:
        for number in [*free.tolist(), *others]:
            add_page(store, seen, number)
        if len(seen) != meta.next_page - 2:
            lost = next(page for page in range(2, meta.next_page) if page not in seen)
            fail(store, lost, 5, "it is neither in use nor free")


def add_page(store: Store, seen: set[int], page: int) -> None:
    """Write down that a page is used or free."""
    if page in seen:
        fail(store, page, 5, "it is used twice, or used and free")
    seen.add(page)


def fail(store: Store, page: int, invariant: int, reason: str) -> NoReturn:
    """Raise CorruptDataError about a page."""
    raise CorruptDataError(
        f"{store.path}, byte {page * store.newest.page_size}: page {page} is damaged: {reason} (invariant {invariant})"
    )


def walk_tree(store: Store, meta: Meta) -> Iterator[tuple[int, bool, list[list[int]], bytes | None, bytes | None]]:
    """Yield the pages of a tree from left to right, a branch before those below it.

    With each come whether it is a leaf, its cells as `lookups.list_cells` has them, and the interval of its keys.
    """
    waiting: list[tuple[int, int, bytes | None, bytes | None]] = [(meta.root, 1, None, None)]
    visits = 0
    while waiting:
        page, level, low, high = waiting.pop()
        visits += 1
        if visits > meta.next_page:
            fail(store, page, 5, "it is used twice")
        base = store.files.base_of(page)
        memory = store.files.pages.memory
        leaf = level == meta.depth
        count = int.from_bytes(store.files.copy(base + COUNT, 2), "little")
        if memory[base + KIND] != (LEAF if leaf else BRANCH) or (count == 0 and not leaf):
            fail(store, page, 2, "it is not of the kind that belongs at its depth")
        if int.from_bytes(store.files.copy(base + TRANSACTION, 8), "little") > meta.transaction:
            fail(store, page, 6, "it is newer than the tree")
        broken = int(prove(memory, at(base), meta.page_size, meta.next_page))
        if broken:
            fail(store, page, 4, WHAT_IS_WRONG[broken])
        rows = np.empty((count, 3), np.int64)
        lookups.list_cells(memory, base, rows)
        cells = rows.tolist()
        yield page, leaf, cells, low, high
        if not leaf:
            keys = [store.files.copy(begin, end - begin) for begin, end, _ in cells]
            if not all((low is None or low < key) and (high is None or key < high) for key in keys[1:]):
                fail(store, page, 1, "a branch's key does not lie where the branches above lead to")
            ends = [low, *keys[1:], high]
            waiting += [(cells[k][2], level + 1, ends[k], ends[k + 1]) for k in range(count - 1, -1, -1)]


def walk_pages(store: Store, meta: Meta) -> Iterator[int]:
    """Yield the numbers of all pages of a tree, and of the values that lie in pages of their own."""
    for page, leaf, cells, _, _ in walk_tree(store, meta):
        yield page
        if leaf:
            for _, end, size in cells:
                if size >= ELSEWHERE:
                    for number, _ in value_pages(store.files, store.files.copy(end, REFERENCE)):
                        yield number
