"""Pages in memory and in a file: read and proved when they are wanted, written when a commit is finished.

Memory is a row of *frames*, each with room for a page. A page that is wanted and not there is read into an idle frame,
and proved: its checksum, that it is the page that was asked for, and that all its cells lie within it (`pages.prove`).
From then on kernels use it without looking again. When there are more pages than frames, those that are in the file as
they are in memory give their frames back, in turn.

A page that is written to the file is sealed first: its checksum is computed over everything else in it, its own number
and the transaction that wrote it included, so that neither a torn page nor one in the wrong place is taken for whole.

Cost: a page is read and written by one call each, neighbours are written together; memory is what the cache may take,
and the pages that a transaction has changed.

Gray & Reuter, *Transaction Processing*, chapter 13, for buffers; Graefe & Kuno, "Definition, Detection, and Recovery of
Single-Page Failures", *VLDB* (2012), for pages that prove themselves.
"""

from __future__ import annotations

import mmap

import numpy as np

from smlib._core.hashing import hash_range
from smlib._core.kernel import kernel
from smlib._core.words import Bytes, load_word, store_word
from smlib.errors import CorruptDataError, StorageError
from smlib.storage.bplustree.meta import Meta, seal_bytes
from smlib.storage.bplustree.pages import (
    BRANCH,
    CHECKSUM,
    KIND,
    LEAF,
    LONGEST_KEY,
    PAGE,
    at,
    prove,
    u64,
)
from smlib.storage.bplustree.working_pages import (
    DEEPEST,
    DEPTH,
    DROPPED,
    FREED,
    IDLE,
    ITEMS,
    NEXT,
    RIGHT,
    ROOT,
    SIZE,
    SPARE,
    STATES,
    TAKEN,
    TXN,
    WRITTEN,
    Numbers,
    Pages,
    base_of,
    forget_page,
    transaction_of,
)
from smlib.storage.filesystem import File
from smlib.storage.packed_bytes import Integer, copy_bytes

# The fewest frames.
FRAMES = 64
# Positions in memory are 32-bit integers, and share a word with a size.
MOST_MEMORY = 1 << 31
# How many bytes of pages one call writes at most.
GATHERED = 1 << 18
WHAT_IS_WRONG = {
    -1: "its checksum does not fit (invariant 4)",
    1: "a cell does not lie within the page (invariant 1 of a page)",
    2: "its keys are out of order (invariant 2 of a page)",
    3: "its head makes no sense (invariant 3 of a page)",
    4: "it leads to a page that there is not (invariant 4 of a page)",
    5: "a cell is too large (invariant 5 of a page)",
}


@kernel(borrows=True)
def seal(memory: Bytes, base: Integer, page_size: Integer) -> None:
    """Write a page's checksum."""
    store_word(memory, at(base + CHECKSUM), hash_range(memory, int(base + PAGE), int(base + page_size), u64(0)))


@kernel(borrows=True)
def is_sealed(memory: Bytes, base: Integer, page_size: Integer, page: Integer) -> bool:
    """Return whether a page is whole, and the one with this number."""
    right = load_word(memory, at(base + CHECKSUM)) == hash_range(
        memory, int(base + PAGE), int(base + page_size), u64(0)
    )
    return bool(right and load_word(memory, at(base + PAGE)) == u64(page))


@kernel(borrows=True)
def prove_page(memory: Bytes, base: Integer, page_size: Integer, page: Integer, pages: Integer) -> Integer:
    """Return 0 if a page of the tree is whole and keeps its invariants, the number of one that it does not, or -1."""
    if not is_sealed(memory, base, page_size, page) or memory[base + KIND] not in (LEAF, BRANCH):
        return -1
    return prove(memory, at(base), page_size, pages)


@kernel(borrows=True)
def is_new(pages: Pages, numbers: Numbers, place: Integer) -> bool:
    """Return whether a page is newer in memory than in the file, and neither given up since nor the one before."""
    page = numbers[place]
    return bool(
        pages.frame_of[page] >= 0
        and transaction_of(pages, page) > pages.state[WRITTEN]
        and (place == 0 or page != numbers[place - 1])
    )


@kernel(borrows=True)
def seal_into(pages: Pages, page: Integer, target: Bytes) -> None:
    """Seal a page, and copy it."""
    size, base = pages.state[SIZE], base_of(pages, page)
    seal(pages.memory, np.int64(base), size)
    copy_bytes(pages.memory, base, target, at(0), at(size))


@kernel(borrows=True)
def store_pages(pages: Pages, numbers: Numbers, mapping: Bytes) -> None:
    """Seal the new ones of some pages, and copy them to where they belong in the file."""
    size = pages.state[SIZE]
    for place in range(numbers.size):
        page = numbers[place]
        if is_new(pages, numbers, place):
            seal_into(pages, page, mapping[page * size : (page + 1) * size])


@kernel(borrows=True)
def gather_pages(
    pages: Pages, numbers: Numbers, done: Integer, buffer: Bytes, runs: Numbers
) -> tuple[Integer, Integer]:
    """Seal the new ones of some pages, whose numbers are in order, and copy them one behind the other.

    From number ``done`` on, as many as the buffer takes. Of those that are neighbours in the file the first page, and
    how many there are, go into ``runs``. Returns how many numbers are done, and how many runs there are.
    """
    size = pages.state[SIZE]
    used, found = np.int64(0), np.int64(-1)
    while done < numbers.size and used + size <= buffer.size:
        page = numbers[done]
        if is_new(pages, numbers, done):
            seal_into(pages, page, buffer[used : used + size])
            used += size
            if found < 0 or page != runs[found, 0] + runs[found, 1]:
                found += 1
                runs[found, 0], runs[found, 1] = page, 0
            runs[found, 1] += 1
        done += 1
    return done, found + 1


@kernel(borrows=True)
def make_idle(pages: Pages, hand: Integer, wanted: Integer) -> tuple[Integer, Integer]:
    """Take frames from pages that are in the file as they are in memory, in turn; return the turn, and how many."""
    found = 0
    for _ in range(pages.page_of.size):
        hand = (hand + 1) % pages.page_of.size
        page = pages.page_of[hand]
        if page >= 0 and transaction_of(pages, page) <= pages.state[WRITTEN]:
            forget_page(pages, page)
            found += 1
            if found == wanted:
                break
    return hand, found


@kernel(borrows=True)
def discard_taken(pages: Pages, kept: Integer) -> None:
    """Forget the pages that this transaction has made; of those taken the first ones, made before it, stay."""
    for place in range(kept, pages.state[TAKEN]):
        page = pages.taken[place]
        if pages.frame_of[page] >= 0 and transaction_of(pages, page) == pages.state[TXN]:
            forget_page(pages, page)
    pages.state[TAKEN] = kept


@kernel(borrows=True)
def recycle_pages(pages: Pages, newest: Integer) -> None:
    """Make spare, of the pages that this transaction gave up, those that no file and no reader has seen."""
    state = pages.state
    kept = 0
    for place in range(state[FREED]):
        page = pages.freed[place]
        if pages.frame_of[page] >= 0 and transaction_of(pages, page) > newest:
            forget_page(pages, page)
            pages.spare[state[SPARE]] = page
            state[SPARE] += 1
        else:
            pages.freed[kept] = page
            kept += 1
    state[FREED] = kept


class PageFile:
    """The pages of a file, and the state of the transaction that is at work on them.

    Attributes
    ----------
    file : File
    page_size : int
    pages : Pages
        What kernels work on.
    view : memoryview
        The memory that the pages are in.
    mapped : bool
        Whether pages are written into a mapping of the file, if the system has such a thing.
    """

    __slots__ = ("_hand", "_limit", "_mapping", "_reached", "file", "mapped", "page_size", "pages", "view")

    def __init__(self, file: File, page_size: int, cache_size: int) -> None:
        self.file = file
        self.page_size = page_size
        self._limit = max(min(cache_size, MOST_MEMORY) // page_size, FRAMES)
        self._hand: Integer = 0
        self.mapped = False
        self._mapping: Bytes = np.empty(0, np.uint8)
        # The first page that the file has never had.
        self._reached = 0
        state = np.zeros(STATES, np.int64)
        state[SIZE] = page_size
        empty = np.empty(0, np.int64)
        self.pages = Pages(
            np.empty(0, np.uint8),
            empty,
            empty,
            empty,
            empty,
            empty,
            empty,
            empty,
            state,
            np.zeros(DEEPEST + 1, np.int64),
            np.zeros(DEEPEST + 1, np.int64),
            np.zeros(page_size, np.uint8),
            np.zeros(LONGEST_KEY + 8, np.uint8),
        )
        self.view = memoryview(b"")
        self._add_frames(self._limit)
        self._add_numbers(4 * FRAMES)

    def base_of(self, page: int) -> int:
        """Return where a page begins in memory; it is read if it is not there."""
        if page >= self.pages.frame_of.size:
            self._add_numbers(page + 1)
        frame = int(self.pages.frame_of[page])
        if frame < 0:
            frame = self._read(page)
        return frame * self.page_size

    def copy(self, position: int, size: int) -> bytes:
        """Return bytes of memory."""
        return self.view[position : position + size].tobytes()

    def make_room(self) -> None:
        """See to it that a change finds idle frames, and places for the pages that it takes and gives up."""
        pages, state = self.pages, self.pages.state
        needed = 2 * (int(state[DEPTH]) + 2)
        if state[IDLE] < needed:
            self._find_idle(needed)
        if state[NEXT] + needed > pages.frame_of.size:
            self._add_numbers(int(state[NEXT]) + needed)
        for name, count in (("spare", SPARE), ("freed", FREED), ("taken", TAKEN), ("dropped", DROPPED)):
            if int(state[count]) + needed > getattr(pages, name).size:
                self.enlarge(name, int(state[count]) + needed)

    def enlarge(self, name: str, count: int) -> None:
        """Make a stack large enough for so many numbers."""
        old: Numbers = getattr(self.pages, name)
        if count > old.size:
            new = np.zeros(max(count, 2 * old.size), np.int64)
            new[: old.size] = old
            self.pages = self.pages._replace(**{name: new})  # type: ignore[arg-type]  # all stacks are of one type

    def push(self, name: str, count: int, numbers: Numbers) -> None:
        """Put pages on a stack, whose size is the entry ``count`` of the state."""
        size = int(self.pages.state[count])
        self.enlarge(name, size + numbers.size)
        getattr(self.pages, name)[size : size + numbers.size] = numbers
        self.pages.state[count] = size + numbers.size

    def take_number(self) -> int:
        """Take a page without a frame for this transaction, for what is written at once."""
        state = self.pages.state
        if state[SPARE] > 0:
            state[SPARE] -= 1
            page = int(self.pages.spare[state[SPARE]])
            forget_page(self.pages, page)
            return page
        if state[NEXT] + 1 > self.pages.frame_of.size:
            self._add_numbers(int(state[NEXT]) + 1)
        state[NEXT] += 1
        return int(state[NEXT]) - 1

    def read_raw(self, page: int, kind: int) -> bytes:
        """Return a page that is not of the tree, proved."""
        data = self.file.read_at(page * self.page_size, self.page_size)
        memory = np.frombuffer(bytearray(data), np.uint8)
        if len(data) < self.page_size or not is_sealed(memory, 0, self.page_size, page) or data[KIND] != kind:
            raise CorruptDataError(
                f"{self.file.path}, byte {page * self.page_size}: page {page} is damaged: its checksum does not fit "
                f"(invariant 4)"
            )
        return data

    def write_raw(self, page: int, kind: int, body: bytes) -> None:
        """Write a page that is not of the tree; what follows the head is ``body``, padded with zeros."""
        data = seal_bytes(self.page_size, page, int(self.pages.state[TXN]), kind, body)
        self.file.write_at(page * self.page_size, data)

    def write_taken(self) -> None:
        """Seal and write the pages that are newer in memory than in the file, neighbours together."""
        numbers = np.sort(self.pages.taken[: self.pages.state[TAKEN]])
        if self.mapped:
            self._map(int(self.pages.state[NEXT]) * self.page_size)
        if self._mapping.size:
            # New ones lie one behind the other, and one write takes less time than to bring each into the mapping.
            new = int(np.searchsorted(numbers, self._reached))
            store_pages(self.pages, numbers[:new], self._mapping)
            numbers, self._reached = numbers[new:], int(self.pages.state[NEXT])
        size = self.page_size
        done: Integer = 0
        buffer = np.empty(min(numbers.size * size, GATHERED), np.uint8)
        runs = np.empty((buffer.size // size, 2), np.int64)
        while done < numbers.size:
            done, found = gather_pages(self.pages, numbers, int(done), buffer, runs)
            first, lengths = (runs[: int(found)] * size).T
            ends = [0, *np.cumsum(lengths).tolist()]
            pieces = map(buffer.data.__getitem__, map(slice, ends, ends[1:]))
            self.file.write_pieces(zip(first.tolist(), pieces, strict=False))

    def _map(self, end: int) -> None:
        """Have the file mapped, up to an end at least, if the system can."""
        if self._mapping.size < end:
            if not self._mapping.size:
                self._reached = self.file.size() // self.page_size
            self._mapping = np.empty(0, np.uint8)
            mapping = self.file.map(max(end + end // 2, GATHERED))
            if mapping is None:
                self.mapped = False
            else:
                self._mapping = np.frombuffer(mapping, np.uint8)

    def _read(self, page: int) -> int:
        """Read a page of the tree into an idle frame, and prove it."""
        size, offset = self.page_size, page * self.page_size
        data = self.file.read_at(offset, size)
        if self.pages.state[IDLE] == 0:
            self._find_idle(1)
        frame = int(self.pages.idle[self.pages.state[IDLE] - 1])
        memory, base = self.pages.memory, frame * size
        broken: Integer = -1
        if len(data) == size:
            memory[base : base + size] = np.frombuffer(data, np.uint8)
            broken = prove_page(memory, base, size, page, int(self.pages.state[NEXT]))
        if broken:
            raise CorruptDataError(
                f"{self.file.path}, byte {offset}: page {page} is damaged: {WHAT_IS_WRONG[int(broken)]}"
            )
        self.pages.state[IDLE] -= 1
        self.pages.frame_of[page] = frame
        self.pages.page_of[frame] = page
        return frame

    def forget_all(self) -> None:
        """Forget all pages that are in the file as they are in memory."""
        make_idle(self.pages, 0, self.pages.page_of.size)

    def _find_idle(self, needed: int) -> None:
        """Make frames idle: those of pages that have not changed, then new ones."""
        frames = self.pages.page_of.size
        self._hand, found = make_idle(self.pages, self._hand, max(needed, frames // 8))
        if found < needed:
            self._add_frames(frames)

    def _add_frames(self, count: int) -> None:
        old = self.pages.page_of.size
        if (old + count) * self.page_size > MOST_MEMORY:
            raise StorageError(
                f"{self.file.path}: a commit changes more than {MOST_MEMORY >> 20} MB of pages; make several of it"
            )
        # Memory in small pieces, as it is used: NumPy would ask for huge ones, and a commit wait until they are found.
        memory = np.frombuffer(mmap.mmap(-1, (old + count) * self.page_size), np.uint8)
        memory[: self.pages.memory.size] = self.pages.memory
        page_of, idle = np.full(old + count, -1), np.full(old + count, -1)
        page_of[:old], idle[:old] = self.pages.page_of, self.pages.idle
        state = self.pages.state
        idle[state[IDLE] : state[IDLE] + count] = np.arange(old + count - 1, old - 1, -1)
        state[IDLE] += count
        self.pages = self.pages._replace(memory=memory, page_of=page_of, idle=idle)
        self.view = memory.data

    def _add_numbers(self, count: int) -> None:
        """Make room for pages with numbers up to a count."""
        old = self.pages.frame_of.size
        frame_of = np.full(max(count, 2 * old), -1)
        frame_of[:old] = self.pages.frame_of
        self.pages = self.pages._replace(frame_of=frame_of)

    def set_state(self, meta: Meta) -> None:
        """Begin a transaction on a tree."""
        state = self.pages.state
        state[ROOT], state[DEPTH], state[ITEMS], state[NEXT] = meta.root, meta.depth, meta.items, meta.next_page
        state[TXN], state[FREED], state[DROPPED], state[RIGHT] = meta.transaction + 1, 0, 0, 0
        if meta.next_page > self.pages.frame_of.size:
            self._add_numbers(meta.next_page)
