"""Chains of pages: a value that is too large for a leaf, and the list of free pages.

A page of a chain begins, after its head, with the number of the next one (8 bytes, 0 at the end) and how many bytes of
it are used (4).

The list of free pages is a stack of numbers, 8 bytes each. It is written from the bottom: each page of it is full but
the topmost, and leads to the one below. At the bottom are those that may be taken, above them those that still wait. A
commit takes pages from the top of the first and puts those that it gives up on top of the others, so it writes the
upper pages of the list anew and leaves the lower ones as they are.

Invariants:
  1. A chain ends, after as many bytes as were promised.
  2. A free page is a page of the file, but none of the two meta pages, and is listed once.

Cost: O(bytes) for a value; for the list O(pages that the commit takes and gives up).

Gray & Reuter, *Transaction Processing*, section 14.3, for chains of pages.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from smlib.errors import CorruptDataError
from smlib.storage.bplustree.page_file import PageFile
from smlib.storage.bplustree.pages import FREE, HEAD, OVERFLOW
from smlib.storage.bplustree.working_pages import NEXT, SPARE, Numbers

LINK = 12


def body_size(page_size: int) -> int:
    """Return how many bytes of a chain fit in a page."""
    return page_size - HEAD - LINK


def read_chain(store: PageFile, kind: int, first: int, size: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield the pages of a chain and what is in them; CorruptDataError if it leaves the file, or does not end."""
    number, seen, total = first, 0, 0
    pages = int(store.pages.state[NEXT])
    while number:
        if not 2 <= number < pages or seen > pages:
            raise broken_chain(store, first)
        page = store.read_raw(number, kind)
        used = int.from_bytes(page[HEAD + 8 : HEAD + LINK], "little")
        seen, total = seen + 1, total + used
        if used > body_size(store.page_size) or (size is not None and total > size):
            raise broken_chain(store, first)
        yield number, page[HEAD + LINK : HEAD + LINK + used]
        number = int.from_bytes(page[HEAD : HEAD + 8], "little")
    if size is not None and total != size:
        raise broken_chain(store, first)


def broken_chain(store: PageFile, first: int) -> CorruptDataError:
    """Return the error that tells of a chain which does not end as it should."""
    return CorruptDataError(
        f"{store.file.path}, byte {first * store.page_size}: the chain that begins with page {first} does not end as "
        f"it should (invariant 4)"
    )


def write_value(store: PageFile, value: bytes) -> bytes:
    """Write a value into pages of its own; return what a cell holds instead: the first page, and the size."""
    size = body_size(store.page_size)
    numbers = [store.take_number() for _ in range(-(-len(value) // size))]
    for k, number in enumerate(numbers):
        write_link(store, OVERFLOW, number, numbers[k + 1] if k + 1 < len(numbers) else 0, value[k * size :][:size])
    return numbers[0].to_bytes(8, "little") + len(value).to_bytes(8, "little")


def write_link(store: PageFile, kind: int, number: int, following: int, part: bytes) -> None:
    """Write a page of a chain."""
    store.write_raw(number, kind, following.to_bytes(8, "little") + len(part).to_bytes(4, "little") + part)


def read_value(store: PageFile, reference: bytes) -> bytes:
    """Return a value that lies in pages of its own."""
    return b"".join(part for _, part in value_pages(store, reference))


def value_pages(store: PageFile, reference: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the pages of such a value, and what is in them."""
    first, size = int.from_bytes(reference[:8], "little"), int.from_bytes(reference[8:], "little")
    return read_chain(store, OVERFLOW, first, size)


class FreeList:
    """The list of free pages as it is in the file.

    Attributes
    ----------
    numbers : ndarray of int64
        The free pages.
    trunks : list of int
        The pages that hold the list, from the bottom up.
    """

    __slots__ = ("numbers", "trunks")

    def __init__(self, numbers: Numbers, trunks: list[int]) -> None:
        self.numbers = numbers
        self.trunks = trunks

    @property
    def first(self) -> int:
        """The topmost page, at which the chain begins; 0 if the list is empty."""
        return self.trunks[-1] if self.trunks else 0

    @classmethod
    def read(cls, store: PageFile, first: int) -> FreeList:
        """Read the list that begins at a page; CorruptDataError if it cannot be one."""
        chain = list(read_chain(store, FREE, first))
        parts, trunks = [part for _, part in reversed(chain)], [number for number, _ in reversed(chain)]
        room = body_size(store.page_size) // 8
        if any(len(part) % 8 or (k + 1 < len(parts) and len(part) != 8 * room) for k, part in enumerate(parts)):
            raise broken_chain(store, first)
        numbers = np.frombuffer(b"".join(parts), "<u8")
        every = np.concatenate([numbers, np.array(trunks, np.uint64)])
        if every.size and (every.min() < 2 or every.max() >= store.pages.state[NEXT].astype(np.uint64)):
            raise CorruptDataError(
                f"{store.file.path}, byte {first * store.page_size}: a free page is not in the file (invariant 5)"
            )
        if np.unique(every).size != every.size:
            raise CorruptDataError(
                f"{store.file.path}, byte {first * store.page_size}: a page is free twice (invariant 5)"
            )
        return cls(numbers.astype(np.int64), trunks)

    def write(self, store: PageFile, others: Numbers) -> tuple[FreeList, Numbers]:
        """Write a new list: the spare pages, others above them, and the pages of this list that it does without.

        Returns the new list, and the pages of this one that it does without.
        """
        room = body_size(store.page_size) // 8
        state = store.pages.state
        taken: list[int] = []
        while True:
            free = np.concatenate([store.pages.spare[: state[SPARE]], others])
            kept = equal_beginning(self.numbers, free) // room
            given_up = np.array(self.trunks[kept:], np.int64)
            needed = -(-(free.size + given_up.size - kept * room) // room)
            if needed <= len(taken):
                break
            taken += [store.take_number() for _ in range(needed - len(taken))]
        # Those that are taken need not be listed: fewer may be enough, and then what is too much is listed again.
        rest, unused = free.size + given_up.size - kept * room, list[int]()
        while -(-(rest + len(unused) + 1) // room) < len(taken):
            unused.append(taken.pop())
        given_up = np.concatenate([given_up, np.array(unused, np.int64)])
        numbers = np.concatenate([free, given_up])
        trunks = self.trunks[:kept] + taken
        for k in range(kept, len(trunks)):
            below = trunks[k - 1] if k else 0
            write_link(store, FREE, trunks[k], below, numbers[k * room : (k + 1) * room].astype("<u8").tobytes())
        return FreeList(numbers, trunks), given_up


def equal_beginning(a: Numbers, b: Numbers) -> int:
    """Return how many numbers two arrays have in common from the beginning."""
    size = min(a.size, b.size)
    differs = a[:size] != b[:size]
    return int(differs.argmax()) if differs.any() else size
