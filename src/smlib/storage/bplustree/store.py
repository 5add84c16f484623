"""A file that is open, and what all who look at it share: pages, the newest tree, and who still reads older ones.

One lock, the *mutex*, is held for as long as a call looks at pages in memory or changes them; a walk holds it while it
copies some hundred items, and not while the caller looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from smlib._core.kernel import bind_types
from smlib.errors import CorruptDataError
from smlib.storage.bplustree import lookups
from smlib.storage.bplustree.arguments import longest_key
from smlib.storage.bplustree.chains import read_value
from smlib.storage.bplustree.invariants import check_tree
from smlib.storage.bplustree.meta import Meta, read_meta
from smlib.storage.bplustree.page_file import PageFile
from smlib.storage.bplustree.pages import ELSEWHERE, REFERENCE
from smlib.storage.bplustree.working_pages import WRITTEN
from smlib.storage.byte_store import ByteStore, Item
from smlib.storage.filesystem import File, FileSystem

# Of a walk or a look-up of many, how many bytes are copied at once, and of the latter, how many items.
BYTES_AT_ONCE, ITEMS_AT_ONCE = 1 << 17, 1024
# Of a walk, how many items are copied first.
ITEMS_FIRST = 16


class Store(ByteStore[Meta]):
    """An open file; its states are the meta pages that it had.

    Attributes
    ----------
    path : str
    file : File
    files : PageFile
    newest : Meta
        The newest tree; it may be newer than what is in the file.
    readers : dict
        How many views there are of the tree of each transaction.
    """

    __slots__ = ("_find", "file", "files", "filesystem", "readers")

    def __init__(self, filesystem: FileSystem, file: File, path: str, cache_size: int) -> None:
        super().__init__(path)
        self.filesystem = filesystem
        self.readers: dict[int, int] = {}
        self.load(file, cache_size)
        pages = self.files.pages
        self._find: Callable[..., Any] = bind_types(lookups.find_key, pages.memory, pages.frame_of, 1, 1, 1, b"")

    def load(self, file: File, cache_size: int) -> None:
        """Begin with the newest tree of a file."""
        meta = read_meta(file)
        files = PageFile(file, meta.page_size, cache_size)
        files.set_state(meta)
        files.pages.state[WRITTEN] = meta.transaction
        self.file, self.files, self.newest = file, files, meta

    def close(self) -> None:
        """Close the file."""
        super().close()
        self.file.close()

    def current(self) -> Meta:
        """Return the newest tree."""
        return self.newest

    @property
    def longest_key(self) -> int:  # type: ignore[override]  # an attribute elsewhere
        """How many bytes a key may have."""
        return longest_key(self.newest.page_size)

    def hold(self, state: Meta) -> None:
        """Keep the pages of a tree from being taken again."""
        self.readers[state.transaction] = self.readers.get(state.transaction, 0) + 1

    def let_go(self, state: Meta) -> None:
        """Undo one `hold`."""
        self.readers[state.transaction] -= 1
        if not self.readers[state.transaction]:
            del self.readers[state.transaction]

    def count(self, state: Meta) -> int:
        """Return the number of items."""
        return state.items

    def check(self, state: Meta) -> None:
        """Prove invariants 1 to 4 of a tree."""
        check_tree(self, state, None, [])

    def describe(self, state: Meta) -> dict[str, float]:
        """Return ``items``, ``depth``, and ``pages``: how many the file has."""
        return {"items": state.items, "depth": state.depth, "pages": state.next_page}

    def find(self, state: Meta | None, key: bytes) -> bytes | None:
        """Return the value of a key in a tree, the newest one if none is given; None if it is not there."""
        if type(key) is not bytes:
            return None
        with self.mutex:
            if self.refusal is not None:
                self.require_open()
            tree = self.current() if state is None else state
            files = self.files
            while True:
                pages = files.pages
                place = self._find(pages.memory, pages.frame_of, tree.root, tree.depth, tree.page_size, key)
                if place >= 0:
                    begin, size = place >> 32, place & 0xFFFFFFFF
                    if size < ELSEWHERE:
                        return files.view[begin : begin + size].tobytes()
                    return read_value(files, files.view[begin : begin + REFERENCE].tobytes())
                if place == lookups.ABSENT:
                    return None
                self.want(-2 - int(place))

    def get_many(self, state: Meta | None, keys: list[Any], default: Any) -> list[Any]:
        """Return the values of many keys in a tree."""
        if not set(map(type, keys)) <= {bytes}:
            asked = [key if type(key) is bytes else None for key in keys]
            found = iter(self.get_many(state, [key for key in asked if key is not None], default))
            return [default if key is None else next(found) for key in asked]
        key_ends = np.zeros(len(keys) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, keys), np.int64, len(keys)), out=key_ends[1:])
        joined = np.frombuffer(bytearray(b"".join(keys)), np.uint8)
        room = min(len(keys), ITEMS_AT_ONCE)
        data = np.empty(BYTES_AT_ONCE, np.uint8)
        ends, sizes = np.empty(room, np.int64), np.empty(room, np.int64)
        values: list[Any] = []
        with self.mutex:
            self.require_open()
            tree = self.current() if state is None else state
            while len(values) < len(keys):
                pages = self.files.pages
                count, wanted = lookups.find_values(
                    pages.memory,
                    pages.frame_of,
                    tree.root,
                    tree.depth,
                    tree.page_size,
                    joined,
                    key_ends,
                    len(values),
                    data,
                    ends,
                    sizes,
                )
                if count:
                    stops = ends[:count].tolist()
                    copied = data[: stops[-1]].tobytes()
                    begins = [0, *stops]
                    part: list[Any] = [copied[begin:end] for begin, end in zip(begins, stops, strict=False)]
                    if sizes[:count].min() < 0 or sizes[:count].max() >= ELSEWHERE:
                        for k, size in enumerate(sizes[:count].tolist()):
                            if size == lookups.ABSENT:
                                part[k] = default
                            elif size >= ELSEWHERE:
                                part[k] = read_value(self.files, part[k])
                    values += part
                if wanted < 0:
                    self.want(-2 - int(wanted))
        return values

    def collect(
        self, state: Meta, start: bytes, stop: bytes | None, reverse: bool, most: int
    ) -> tuple[list[Item], bool]:
        """Return the first items of an interval, and whether these are all."""
        interval = np.frombuffer(bytearray(start + (stop or b"")), np.uint8)
        data = np.empty(min(most * 256 + state.page_size, BYTES_AT_ONCE), np.uint8)
        key_ends, value_ends = np.empty(most, np.int64), np.empty(most, np.int64)
        stop_size = -1 if stop is None else len(stop)
        with self.mutex:
            self.require_open()
            while True:
                pages = self.files.pages
                count, wanted = lookups.collect_items(
                    pages.memory,
                    pages.frame_of,
                    state.root,
                    state.depth,
                    state.page_size,
                    interval,
                    len(start),
                    stop_size,
                    reverse,
                    data,
                    key_ends,
                    value_ends,
                )
                if count or wanted >= 0:
                    break
                self.want(-2 - int(wanted))
            stops = value_ends[:count].tolist()
            elsewhere = count > 0 and int(value_ends[:count].min()) < 0
            if elsewhere:
                stops = list(map(abs, stops))
            copied = data[: stops[-1]].tobytes() if count else b""
            items = [
                (copied[begin:middle], copied[middle:end])
                for begin, middle, end in zip([0, *stops], key_ends[:count].tolist(), stops, strict=False)
            ]
            if elsewhere:
                for k in np.flatnonzero(value_ends[:count] < 0).tolist():
                    items[k] = (items[k][0], read_value(self.files, items[k][1]))
        return items, bool(wanted == lookups.FINISHED)

    def walk(self, state: Meta, start: bytes, stop: bytes | None, *, reverse: bool) -> Iterator[list[Item]]:
        """Yield the items of an interval of a state in lists, few first and then many."""
        most, complete = ITEMS_FIRST, False
        while not complete:
            items, complete = self.collect(state, start, stop, reverse, most)
            if items:
                yield items
                key = items[-1][0]
                start, stop = (start, key) if reverse else (key + b"\0", stop)
            most = min(4 * most, ITEMS_AT_ONCE)

    def want(self, page: int) -> None:
        """Bring a page into memory; if it is there, it does not belong where it was found."""
        if page < self.files.pages.frame_of.size and self.files.pages.frame_of[page] >= 0:
            raise self.misplaced(page)
        self.files.base_of(page)

    def misplaced(self, page: int) -> CorruptDataError:
        """Return the error of a page that is whole, and of the wrong kind for its level."""
        return CorruptDataError(
            f"{self.path}, byte {page * self.newest.page_size}: page {page} is damaged: it does not belong where a "
            f"branch leads to it (invariant 2)"
        )
