"""Commits: changes are applied to copies of pages, and then the file names the new tree instead of the old one.

A commit applies its changes in order of the keys and ends with a new root in memory. Pages that it has given up may be
taken again when two things are true: no view needs them, and the tree in the file that is named by its newest meta page
does without them. Until then they wait, each with the number of the commit that gave it up.

What is in memory is written when it is due: at once, or for ``durability="batch"`` when a tenth of a second or a
megabyte has come together. Writing has four steps, and only the order of the first three matters::

    pages, and the list of free pages      nobody who opens the file now can reach them
    datasync                               now they are there
    the older meta page                    whoever opens the file now sees the new tree, or the old one
    datasync                               now it is the new one

An error before the third step undoes the commit: its pages are forgotten. One in the third or the fourth step leaves
open which tree is on the disk, and nothing that is done later can tell; so the store refuses further commits.

Invariants:
  1. What is written while a tree is in the file, or looked at, is no page of that tree.
  2. A commit that raises has changed nothing that is seen.
  3. The meta page is written after all pages that it leads to have been synced.

Cost: what the changes cost, and two syncs.

Gray & Reuter, *Transaction Processing*, chapters 10 and 13; Chu, "MDB: A Memory-Mapped Database" (2011); Hagmann,
"Reimplementing the Cedar File System Using Logging and Group Commit", *SOSP* (1987).
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from smlib.errors import StorageError
from smlib.storage.bplustree.arguments import longest_value
from smlib.storage.bplustree.chains import FreeList, read_chain, write_value
from smlib.storage.bplustree.deletion import remove_sorted
from smlib.storage.bplustree.insertion import put_sorted
from smlib.storage.bplustree.invariants import walk_pages
from smlib.storage.bplustree.meta import Meta, encode_meta, metas_agree
from smlib.storage.bplustree.page_file import discard_taken, recycle_pages
from smlib.storage.bplustree.pages import ELSEWHERE, LEAF, OVERFLOW, REFERENCE, clear
from smlib.storage.bplustree.store import Store
from smlib.storage.bplustree.working_pages import (
    DAMAGED,
    DEPTH,
    DONE,
    DROPPED,
    FREED,
    ITEMS,
    NEXT,
    ROOT,
    SPARE,
    TAKEN,
    WANTED,
    WANTS_PAGE,
    WRITTEN,
    Numbers,
    base_of,
    take_page,
)
from smlib.storage.deadlines import Deadline
from smlib.storage.packed_bytes import Integer, join

# Seconds and bytes of changed pages after which commits that were gathered are written.
LATEST, LARGEST = 0.1, 1 << 20
# Items that a kernel takes at once.
ITEMS_AT_ONCE = 8192


class Writer:
    """What commits to a store.

    Parameters
    ----------
    store : Store
    durability : str
        "sync", "batch" or "none".
    oldest_outside : callable
        Returns the oldest transaction that another process looks at, or None.

    Attributes
    ----------
    failure : str or None
        Why no further commit is possible.
    """

    __slots__ = (
        "_changed",
        "_deadline",
        "_extent",
        "_free_list",
        "_large",
        "_waiting",
        "counts_edits",
        "durability",
        "failure",
        "oldest_outside",
        "store",
    )

    def __init__(self, store: Store, durability: str, oldest_outside: Callable[[], int | None]) -> None:
        self.store = store
        self.durability = durability
        self.oldest_outside = oldest_outside
        self.failure: str | None = None
        self.counts_edits = True
        self._deadline = Deadline(LATEST, self._write_in_time)
        self.load()

    def load(self) -> None:
        """Begin with the free pages of the store's file. Who looks at an older tree may still need them."""
        store = self.store
        self._extent = store.file.size()
        store.files.mapped = self.durability == "none"
        self._changed = False
        self._large = 0
        self._free_list = FreeList.read(store.files, store.newest.free_list)
        self._waiting: dict[int, Numbers] = {store.newest.transaction: self._free_list.numbers}

    def free_pages(self) -> Numbers:
        """Return all pages that are free, now or when nobody looks at older trees any more."""
        pages = self.store.files.pages
        return np.concatenate([pages.spare[: pages.state[SPARE]], *self._waiting.values()])

    def list_pages(self) -> list[int]:
        """Return the pages that the list of free pages is in."""
        return self._free_list.trunks

    def require_working(self) -> None:
        """Raise StorageError if an earlier commit has left open what is on the disk."""
        self.store.require_open()
        if self.failure is not None:
            raise StorageError(
                f"{self.store.path}: refused, for an earlier commit has failed and left open what is on the disk "
                f"({self.failure}); what was read can still be read; close the tree and open it again"
            )

    def commit(self, puts: dict[bytes, bytes], removals: Collection[bytes] = (), *, everything: bool = False) -> None:
        """Set items and remove keys, which need not be there, in one commit; with ``everything``, all others too."""
        store = self.store
        with store.mutex:
            self.require_working()
            if not puts and not removals and not everything:
                return
            self._release()
            old, state = store.newest, store.files.pages.state
            store.files.set_state(old)
            spare, taken = store.files.pages.spare[: state[SPARE]].copy(), int(state[TAKEN])
            try:
                if everything:
                    self._clear(old)
                self._apply(puts, removals)
                edits = old.edits + (self.counts_edits and int(state[ITEMS]) != old.items)
                meta = old._replace(
                    transaction=old.transaction + 1,
                    root=int(state[ROOT]),
                    depth=int(state[DEPTH]),
                    items=int(state[ITEMS]),
                    next_page=int(state[NEXT]),
                    edits=edits,
                )
                if self._is_due():
                    meta, freed = self._write(meta, self._freed())
            except BaseException:
                self._undo(old, spare, taken)
                raise
            store.newest = meta
            if int(state[WRITTEN]) < meta.transaction:
                self._recycle()
                freed = self._freed()
            self._waiting[meta.transaction] = freed
            if int(state[WRITTEN]) < meta.transaction:
                self._deadline.set()

    def flush(self) -> None:
        """Write and sync what has been gathered."""
        store = self.store
        with store.mutex:
            self._deadline.cancel()
            self.require_working()
            if int(store.files.pages.state[WRITTEN]) < store.newest.transaction:
                self._write_again(store.newest)

    def sync(self) -> None:
        """Return when all commits are on disk."""
        with self.store.mutex:
            self.flush()
            if self.durability == "none":
                self._guard(self.store.file.datasync)

    def finish(self) -> None:
        """Write what has been gathered, the newest tree into the other meta page too, and cut off what is unused."""
        store = self.store
        self._deadline.cancel()
        if self.failure is None:
            self.flush()
            if self._changed or not metas_agree(store.file, store.newest):
                meta = store.newest._replace(transaction=store.newest.transaction + 1, free_list=self._free_list.first)
                self._guard(lambda: store.file.write_at(meta.place * meta.page_size, encode_meta(meta)))
                if self.durability != "none":
                    self._guard(store.file.datasync)
                store.newest = meta
            end = store.newest.next_page * store.newest.page_size
            if store.file.size() > end:
                store.file.truncate(end)

    def _write_again(self, meta: Meta) -> None:
        """Write a tree that was committed in memory; its list of free pages is made now."""
        store = self.store
        state = store.files.pages.state
        spare, taken, following = store.files.pages.spare[: state[SPARE]].copy(), int(state[TAKEN]), int(state[NEXT])
        try:
            written, given_up = self._write(meta, np.empty(0, np.int64))
        except BaseException:
            self._set_spare(spare)
            state[TAKEN], state[NEXT] = taken, following
            raise
        store.newest = written
        self._waiting[meta.transaction] = np.concatenate([self._waiting[meta.transaction], given_up])

    def _write_in_time(self) -> None:
        """Write what has been gathered; what fails is told at the next commit, or tried again there."""
        store = self.store
        with store.mutex:
            if store.refusal is None and self.failure is None:
                try:
                    self.flush()
                except StorageError:
                    return

    def _is_due(self) -> bool:
        changed = int(self.store.files.pages.state[TAKEN]) * self.store.files.page_size + self._large
        return self.durability != "batch" or changed >= LARGEST

    def _undo(self, old: Meta, spare: Numbers, taken: int) -> None:
        store = self.store
        discard_taken(store.files.pages, taken)
        store.files.set_state(old)
        self._set_spare(spare)

    def _apply(self, puts: dict[bytes, bytes], removals: Collection[bytes]) -> None:
        keys = sorted(puts)
        for first in range(0, len(keys), ITEMS_AT_ONCE):
            part = keys[first : first + ITEMS_AT_ONCE]
            self._put(part, list(map(puts.__getitem__, part)))
        removed = sorted(removals)
        if removed:
            joined, ends = join(removed)
            done, wanted = remove_sorted(self.store.files.pages, joined, ends, 0)
            while wanted != DONE:
                self._serve(wanted)
                done, wanted = remove_sorted(self.store.files.pages, joined, ends, done)
        files = self.store.files
        dropped = files.pages.dropped[: files.pages.state[DROPPED]].tolist()
        if dropped:
            numbers = [number for first in dropped for number, _ in read_chain(files, OVERFLOW, first)]
            files.push("freed", FREED, np.array(numbers, np.int64))

    def _put(self, keys: list[bytes], values: list[bytes]) -> None:
        files = self.store.files
        joined, key_ends = join(keys)
        stored, value_ends = join(values)
        sizes = np.diff(value_ends)
        large = np.flatnonzero(sizes > longest_value(files.page_size)).tolist()
        if large:
            for k in large:
                self._large += len(values[k])
                values[k] = write_value(files, values[k])
            stored, value_ends = join(values)
            sizes[large] = REFERENCE | ELSEWHERE
        done, wanted = put_sorted(files.pages, joined, key_ends, stored, value_ends, sizes, 0)
        while wanted != DONE:
            self._serve(wanted)
            done, wanted = put_sorted(files.pages, joined, key_ends, stored, value_ends, sizes, done)

    def _serve(self, wanted: Integer) -> None:
        files = self.store.files
        page = int(files.pages.state[WANTED])
        if wanted == DAMAGED:
            raise self.store.misplaced(page)
        if wanted == WANTS_PAGE:
            files.base_of(page)
        else:
            files.make_room()

    def _freed(self) -> Numbers:
        """Return the pages given up by a commit, the highest first: they are taken from the end."""
        files = self.store.files
        return np.sort(files.pages.freed[: files.pages.state[FREED]])[::-1]

    def _recycle(self) -> None:
        """Make spare at once what a commit that is in memory only has given up, and neither file nor view has seen."""
        files, state = self.store.files, self.store.files.pages.state
        files.enlarge("spare", int(state[SPARE] + state[FREED]))
        recycle_pages(files.pages, max(int(state[WRITTEN]), max(self.store.readers, default=0)))

    def _clear(self, old: Meta) -> None:
        """Give up all pages, and begin with an empty leaf."""
        files, state = self.store.files, self.store.files.pages.state
        files.push("freed", FREED, np.array(list(walk_pages(self.store, old)), np.int64))
        files.make_room()
        state[ROOT], state[DEPTH], state[ITEMS] = take_page(files.pages), 1, 0
        clear(files.pages.memory, base_of(files.pages, state[ROOT]), LEAF, files.page_size)

    def _write(self, meta: Meta, freed: Numbers) -> tuple[Meta, Numbers]:
        """Write a tree; return what its meta page says, and the pages that it has given up."""
        files, file = self.store.files, self.store.file
        files.write_taken()
        waiting = np.concatenate([*self._waiting.values(), freed])
        free_list, given_up = self._free_list.write(files, waiting)
        meta = meta._replace(next_page=int(files.pages.state[NEXT]), free_list=free_list.first)
        end = meta.next_page * meta.page_size
        if self._extent < end:
            if file.size() < end:
                file.truncate(end)
            self._extent = end
        if self.durability != "none":
            self._guard(file.datasync)
        self._changed = True
        self._guard(lambda: file.write_at(meta.place * meta.page_size, encode_meta(meta)))
        if self.durability != "none":
            self._guard(file.datasync)
        self._free_list = free_list
        self._large = 0
        files.pages.state[WRITTEN], files.pages.state[TAKEN] = meta.transaction, 0
        return meta, np.concatenate([freed, given_up])

    def _guard(self, step: Callable[[], object]) -> None:
        """Take a step after which nobody knows what is on the disk, if it fails."""
        try:
            step()
        except BaseException as error:
            self.failure = str(error) or type(error).__name__
            raise

    def _release(self) -> None:
        """Make pages spare that nobody needs: those given up by a commit that is in the file and that all have seen."""
        files = self.store.files
        oldest = min(self.store.readers, default=self.store.newest.transaction)
        oldest = min(oldest, int(files.pages.state[WRITTEN]))
        if self._waiting:
            outside = self.oldest_outside()
            oldest = oldest if outside is None else min(oldest, outside)
        for transaction in [t for t in self._waiting if t <= oldest]:
            files.push("spare", SPARE, self._waiting.pop(transaction))

    def _set_spare(self, numbers: Numbers) -> None:
        self.store.files.pages.state[SPARE] = 0
        self.store.files.push("spare", SPARE, numbers)
