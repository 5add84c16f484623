"""Commits, step by step: what is in memory, what is in the file, and what a crash would leave.

A commit is made as any other is, by a tree in a file on a simulated disk. The disk reports every call that reaches the
file, and at each one this is taken down: what readers of the file see, what is on the medium, and what is found after a
number of crashes, each of which is survived by other writes. What is told of memory follows from the tree before the
commit and the tree after it: which pages are new, and of which old one each is a copy. So a story has four parts::

    the pages on the way down are read          a crash leaves the old tree
    they are copied, changed, perhaps cut       the old tree: this is in memory only
    pages, list of free pages, sync             the old tree: nobody who opens the file can reach them
    meta page, sync                             the old tree or the new one; then the new one

Invariants, computed at every step from what the step shows:
  1. Whatever a crash leaves now, it is a tree that may be left now: the old one, the new one, or either.
  2. No page of the tree before the commit has been written.
  3. The newest meta page leads to pages that are whole, and on the medium.
  4. Its tree, the list of free pages, and the pages in that list are all pages there are, each once.

Cost: O(pages of the file) a step, and for each crash that leaves something new the opening of a tree.

Gray & Reuter, *Transaction Processing*, chapters 10 and 13; Rodeh, "B-trees, Shadowing, and Clones", *ACM Transactions
on Storage* 3 (2008).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from smlib._core.trace import Step
from smlib.errors import CorruptDataError
from smlib.storage.bplustree.descriptions import Tree, describe_tree
from smlib.storage.bplustree.telling import WAYS, Changes, Left, Moment, Telling, say_changes
from smlib.storage.bplustree.tree import BPlusTree
from smlib.storage.faults import SimulatedDisk
from smlib.storage.wording import contents_of

PATH = "tree"


def trace(
    commits: Iterable[Changes], *, items: Mapping[bytes, bytes] | None = None, page_size: int = 512
) -> Iterator[Step]:
    """Yield the file at the start, and for each commit what it reads, copies, changes, writes and syncs.

    Parameters
    ----------
    commits : iterable of mapping
        Of each commit, which keys it gives which values; None takes a key out. A commit that changes nothing is none.
    items : mapping, optional
        What is in the tree before, put in by one commit. The file is closed then, and opened anew: nothing of it is in
        memory.
    page_size : int
        Of the file, in bytes: a power of two from 512 to 32768.

    Yields
    ------
    Step
        Its state holds ``doing``, what the commit does in words, or nothing; ``commit``, its number; ``memory``, a dict
        from the number of a page to a dict with ``keys``, ``children``, ``level`` (0 for a leaf), ``low`` (from which
        key on it has all), ``trees`` ("old", "new"), and ``known``, whether it is in memory or only led to; ``file``, a
        tuple with a dict for each page: ``kind``, ``keys``, ``numbers`` (of a list of free pages), ``meta`` (of a meta
        page), ``whole``, ``synced`` (whether the medium has what is seen), ``touched`` (by this commit), ``trees``;
        ``lit_memory`` and ``lit_file``, the pages that the step is about; ``crashes``, what each of some crashes at
        this moment leaves, and ``allowed``, what they may leave; ``returned``, whether the commit has.

    Raises
    ------
    InputError
        A key or a value cannot be stored, or the page size is none.

    Notes
    -----
    Complexity: O(pages of the file) a step.

    References
    ----------
    Gray & Reuter, *Transaction Processing*, chapters 10 and 13.

    Examples
    --------
    >>> from textwrap import shorten
    >>> value = bytes(100)
    >>> for step in trace([{b"d": value}], items=dict.fromkeys([b"a", b"c", b"e", b"g"], value)):
    ...     print(shorten(step.caption, 100))
    A file of 5 pages of 512 bytes. Its newest meta page is that of commit 3: the root is page 3. [...]
    Commit 4: put d. Page 3, the root, is read, and proved to be whole. It has a c e g.
    Page 3 is of the tree that a crash leaves, and stays as it is. What changes is its copy, page 2.
    Put d, in the copy. That is too much for a page, which is cut in two. Page 2 has a c d. Page 5 [...]
    The root was cut in two, so there is a new one above: the tree grows by a level. Page 6 leads [...]
    Page 2 is written, free until now. No meta page leads there, and a crash may leave any part of it.
    Pages 5 and 6 are written. No meta page leads there, so nobody who opens the file sees a difference.
    Page 7 is written: the list of the free pages. It names pages 3 and 4.
    The first sync: what was written is on the disk. A crash still leaves the old tree, as no meta [...]
    Meta page 0 is written: commit 4, the root is page 6. It reaches the disk, or it does not: [...]
    The second sync: the meta page is on the disk, and the commit returns. It has given up page 3, [...]
    """
    recorder = Recorder({} if items is None else items, page_size)
    yield recorder.start()
    for changes in commits:
        yield from recorder.tell(changes)


class Recorder:
    """A tree on a simulated disk that is watched while it commits."""

    def __init__(self, items: Mapping[bytes, bytes], page_size: int) -> None:
        self._page_size = page_size
        # What was read or made since the file was opened; the cache has room for all of it.
        self._known: set[int] = set()
        self._disk = SimulatedDisk(seed=1)
        self._items = self._wanted = dict(items)
        self._outcomes: dict[bytes, Left] = {}
        self._transaction = 0
        with self._open() as tree:
            tree.put_many(self._items)
        self._tree = self._open()

    def start(self) -> Step:
        """Return the step before all commits."""
        tree = self._describe_tree()
        self._transaction = tree.meta.transaction
        return self._telling("", tree, tree, self._look("", 0, 0)).tell_start()

    def tell(self, changes: Changes) -> Iterator[Step]:
        """Make a commit, and yield its steps."""
        old = self._describe_tree()
        self._transaction = old.meta.transaction
        self._wanted = {key: value for key, value in {**self._items, **changes}.items() if value is not None}
        self._outcomes.clear()
        resting = self._look("", 0, 0)
        calls = self._commit(changes, resting)
        new = self._describe_tree()
        if new.meta != old.meta:
            yield from self._telling(say_changes(changes, self._items), old, new, resting).steps(calls)
        self._items = self._wanted

    def _telling(self, doing: str, old: Tree, new: Tree, resting: Moment) -> Telling:
        return Telling(doing, old, new, resting, self._page_size, self._known, self._has_in_memory)

    def _has_in_memory(self, page: int) -> bool:
        """Return whether a page is in memory after the commit."""
        return bool(self._tree._store.files.pages.frame_of[page] >= 0)

    def _open(self) -> BPlusTree:
        return BPlusTree.open(PATH, page_size=self._page_size, filesystem=self._disk)

    def _describe_tree(self) -> Tree:
        return describe_tree(self._disk.crash("all", 0), PATH)

    def _commit(self, changes: Changes, resting: Moment) -> list[Moment]:
        """Commit, and return the calls of it. Nothing changes while the file is read."""
        calls: list[Moment] = []
        done = len(self._disk.log)

        def look() -> None:
            nonlocal done
            lines = self._disk.log
            *reads, last = (parse_call(line) for line in lines[done:])
            done = len(lines)
            calls.extend(resting._replace(verb=verb, begin=begin, end=end) for verb, begin, end in reads)
            calls.append(self._look(*last))

        self._disk.watch(look)
        with self._tree.batch() as batch:
            for key, value in changes.items():
                if value is None:
                    del batch[key]
                else:
                    batch[key] = value
        self._disk.watch(None)
        return [*calls, self._look("returned", 0, 0)]

    def _look(self, verb: str, begin: int, end: int) -> Moment:
        """Take down how things stand, and what is found after crashes."""
        crashes = tuple(self._outcome(self._disk.crash(survivors, seed)) for survivors, seed in WAYS)
        seen, medium = (contents_of(self._disk.crash(survivors, 0), PATH) for survivors in ("all", "none"))
        return Moment(verb, begin, end, seen, medium, crashes)

    def _outcome(self, left: SimulatedDisk) -> Left:
        """Open what a crash has left, prove it, and compare it."""
        contents = contents_of(left, PATH)
        if contents not in self._outcomes:
            self._outcomes[contents] = self._open_left(left)
        return self._outcomes[contents]

    def _open_left(self, left: SimulatedDisk) -> Left:
        try:
            with BPlusTree.open(PATH, filesystem=left) as tree:
                tree.check()
                found, newer = dict(tree), tree.stats()["transaction"] > self._transaction
        except CorruptDataError:
            return "damaged"
        if found != (self._wanted if newer else self._items):
            return "neither"
        return "new" if newer else "old"


def parse_call(line: str) -> tuple[str, int, int]:
    """Return what a line of the disk's log says: the verb, and the bytes that it is about, if any.

    >>> parse_call("write tree 512..1024"), parse_call("datasync tree")
    (('write', 512, 1024), ('datasync', 0, 0))
    """
    verb, _, detail = f"{line} ".split(" ", 2)
    begin, dots, end = detail.strip().partition("..")
    return (verb, int(begin), int(end)) if dots else (verb, 0, 0)
