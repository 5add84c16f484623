"""How a commit is told: its calls to the file, what happens in memory before them, and what must hold at each.

Of a commit there are the calls that were watched, in order, and the trees before and after it. Calls are told one by
one. Before the first page of the tree is written comes what has led to it: pages are copied from the root down, for a
page that moves is led to by its parent; then they change, and are cut or become one, from the leaves up.

Invariants: those of `trace`, which `prove` computes from the description of a file.

Cost: O(pages of the file) a step.

Gray & Reuter, *Transaction Processing*, chapters 10 and 13; Rodeh, "B-trees, Shadowing, and Clones", *ACM Transactions
on Storage* 3 (2008).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from smlib._core.trace import Step
from smlib.storage.bplustree.chains import FreeList, write_value
from smlib.storage.bplustree.commits import Writer
from smlib.storage.bplustree.deletion import remove_sorted
from smlib.storage.bplustree.descriptions import Node, Tree, describe_page, find_originals
from smlib.storage.bplustree.insertion import insert_cell, link_splits, put_sorted
from smlib.storage.bplustree.meta import encode_meta, read_meta
from smlib.storage.bplustree.page_file import PageFile
from smlib.storage.bplustree.working_pages import descend, own_page
from smlib.storage.pending_changes import Survivors
from smlib.storage.wording import say, say_list

# What one commit does: it sets a key, or takes it out where there is None.
Changes: TypeAlias = Mapping[bytes, bytes | None]
Left: TypeAlias = Literal["old", "new", "neither", "damaged"]

# The ways in which each call is survived: by nothing that was not synced, by all of it, by some of it.
WAYS: tuple[tuple[Survivors, int], ...] = (
    ("none", 0),
    ("all", 0),
    *((survivors, seed) for seed in range(8) for survivors in ("subset", "torn")),
)
# Letters of a key that are told.
LONGEST = 16
OLD, EITHER, NEW = ("old",), ("old", "new"), ("new",)
TREES = {OLD: "the old tree", EITHER: "the old tree or the new one", NEW: "the new tree"}


class Moment(NamedTuple):
    """What is taken down at a call: which it was, the file as it is seen and on the medium, and what crashes leave."""

    verb: str
    begin: int
    end: int
    seen: bytes
    medium: bytes
    crashes: tuple[Left, ...]


class Telling:
    """What is told of one commit.

    Parameters
    ----------
    doing : str
        What it does, in words; empty if there is none.
    old, new : Tree
        Those before and after it.
    resting : Moment
        How things stand before it.
    page_size : int
    known : set of int
        The pages of the tree that are in memory; told of a page that is read, it is added.
    has_in_memory : callable
        Returns whether a page is in memory after the commit.
    """

    def __init__(
        self,
        doing: str,
        old: Tree,
        new: Tree,
        resting: Moment,
        page_size: int,
        known: set[int],
        has_in_memory: Callable[[int], bool],
    ) -> None:
        self._doing = doing
        self._page_size = page_size
        self._known = known
        self._has_in_memory = has_in_memory
        self._old, self._new = old, new
        self._moment = self._resting = resting
        self._originals = find_originals(old, new)
        # The new pages that have been told of, as they look by then.
        self._shown: dict[int, Node] = {}
        self._allowed: tuple[str, ...] = OLD
        self._returned = False
        self._opening = f"Commit {new.meta.transaction}: {doing}. " if doing else ""

    def steps(self, calls: list[Moment]) -> Iterator[Step]:
        """Yield the steps of the commit: call by call, and before the first page of the tree is written, its making."""
        last_sync = max(k for k, call in enumerate(calls) if call.verb == "datasync")
        begun = told = False
        for call in calls[:last_sync]:
            page = call.begin // self._page_size
            if call.verb == "read":
                yield self._tell_read(page, begun)
                begun = True
                continue
            kind = self._page_of(call, page)["kind"] if call.verb == "write" else ""
            if not told and kind != "value":
                yield from self._tell_memory(begun)
                told = True
            self._moment = call
            if call.verb == "write":
                yield self._tell_write(call, kind)
            elif call.verb == "truncate":
                yield self._step("The file is made as long as it has to be.", Writer.commit, [])
            else:
                # What is seen is on the medium when the call returns; it is all that a crash can leave then.
                self._moment = call._replace(medium=call.seen, crashes=(call.crashes[1],) * len(WAYS))
                yield self._tell_sync()
        self._moment = calls[-1]
        yield self._tell_return()

    def tell_start(self) -> Step:
        """Return the step before all commits."""
        meta, size = self._old.meta, self._page_size
        caption = (
            f"A file of {len(self._moment.seen) // size} pages of {size} bytes. Its newest meta page is that of commit "
            f"{meta.transaction}: the root is page {meta.root}. No page of the tree is in memory."
        )
        return self._step(caption, read_meta, [meta.place])

    def _tell_read(self, page: int, begun: bool) -> Step:
        """Tell that a page was read from the file: one of the tree, or of a value."""
        self._known.add(page)
        question = "Which page is needed next?" if begun else f"{capital(self._doing)}: which page is needed first?"
        if page not in self._old.nodes:
            caption = f"Page {page} is read: it is a part of a value that goes."
            return self._step(caption, PageFile.base_of, [page], question)
        node = self._old.nodes[page]
        name = f"Page {page}, the root," if page == self._old.meta.root else f"Page {page}"
        caption = f"{name} is read, and proved to be whole. It {say_node(node)}."
        return self._step(caption, PageFile.base_of, [page], question)

    def _tell_memory(self, begun: bool) -> Iterator[Step]:
        """Tell which pages are copied, from the root down, and what becomes of the copies, from the leaves up."""
        copies = sorted(self._originals, key=lambda page: -self._new.nodes[page].level)
        if not begun:
            way = sorted(self._old.nodes.keys() - self._new.nodes, key=lambda page: -self._old.nodes[page].level)
            caption = f"What it needs is in memory: {say_pages(way)}."
            question = f"{capital(self._doing)}: which pages are needed?"
            yield self._step(caption, descend, way, question, memory_only=True)
        for page in copies:
            yield self._tell_copy(self._originals[page], page)
        for level in range(self._new.meta.depth):
            yield from self._tell_level(level)

    def _tell_copy(self, original: int, page: int) -> Step:
        """Tell that a page was copied, and what leads to the copy."""
        self._shown[page] = self._old.nodes[original]
        caption = f"Page {original} is of the tree that a crash leaves, and stays as it is. What changes is its copy, "
        caption += f"page {page}."
        for other, node in self._shown.items():
            if original in node.children:
                children = tuple(page if child == original else child for child in node.children)
                self._shown[other] = node._replace(children=children)
                caption = f"Page {original} is copied too. The copy is page {page}, and page {other} leads to it now."
        question = f"Page {original} has to change. May it?"
        return self._step(caption, own_page, [original, page], question, memory_only=True)

    def _tell_level(self, level: int) -> Iterator[Step]:
        """Tell what becomes of the pages of a level: they change, are cut in two, become one, or lead elsewhere."""
        made = [page for page in self._new.level(level) if page not in self._old.nodes]
        if all(self._shown.get(page) == self._new.nodes[page] for page in made) and (level or not made):
            return
        copies = [page for page in made if page in self._originals]
        lost = [page for page in self._old.level(level) if page not in {*self._new.nodes, *self._originals.values()}]
        self._shown |= {page: self._new.nodes[page] for page in made}
        stand = ". ".join(f"Page {page} {say_node(self._new.nodes[page])}" for page in made)
        doing = f"{capital(self._doing)}, in the cop{'ies' if len(copies) > 1 else 'y'}. " if level == 0 else ""
        source: Callable[..., Any] = put_sorted if level == 0 else link_splits
        question = "" if level == 0 else "What leads to these pages?"
        if level == self._new.meta.depth - 1 and level >= self._old.meta.depth:
            doing = "The root was cut in two, so there is a new one above: the tree grows by a level. "
            question = "The root was cut in two. What leads to both halves?"
        elif len(copies) < len(made):
            doing += "That is too much for a page, which is cut in two. "
            source = insert_cell
            question = f"{capital(self._doing)}: page {copies[0] if copies else made[0]} is full. What has to be done?"
        elif lost:
            together = [*(self._originals[page] for page in copies), *lost]
            doing += f"Too little is left, and {say_pages(together)} become one. "
            source = remove_sorted
            question = "Less than a quarter of a page is left. What has to be done?"
        if level == self._new.meta.depth - 1 < self._old.meta.depth - 1:
            stand += ". The root would lead to this page only, so it becomes the root: the tree shrinks by a level"
        yield self._step(f"{doing}{stand}.", source, made, question, memory_only=True)

    def _tell_write(self, call: Moment, kind: str) -> Step:
        """Tell that pages were written: of a value, of the tree, the list of free pages, or a meta page."""
        size = self._page_size
        pages = list(range(call.begin // size, call.end // size))
        written = f"{capital(say_pages(pages))} {'are' if len(pages) > 1 else 'is'} written"
        if kind == "meta":
            self._allowed = EITHER
            meta = self._new.meta
            caption = (
                f"Meta page {pages[0]} is written: commit {meta.transaction}, the root is page {meta.root}. It reaches "
                f"the disk, or it does not: that is all that a crash decides."
            )
            question = "All pages are on the disk. What makes them the tree?"
            return self._step(caption, encode_meta, pages, question)
        if kind == "list":
            numbers = self._page_of(call, pages[0])["numbers"]
            caption = f"{written}: the list of the free pages. It names {say_pages(numbers)}."
            return self._step(caption, FreeList.write, pages, "What else has to be there before the meta page is?")
        if kind == "value":
            caption = f"{written}: a value that is too large for a leaf."
            return self._step(caption, write_value, pages, "Where does a value go that is larger than a page?")
        again = [page for page in pages if page < self._old.meta.next_page]
        caption = f"{written}. No meta page leads there, so nobody who opens the file sees a difference."
        if again:
            before = "free until now" if again == pages else f"of which {say_pages(again)} had been free"
            caption = f"{written}, {before}. No meta page leads there, and a crash may leave any part of it."
        return self._step(caption, PageFile.write_taken, pages, "The new tree is whole, in memory. What comes next?")

    def _tell_sync(self) -> Step:
        """Tell that what was written is on the disk."""
        caption = "The first sync: what was written is on the disk. A crash still leaves the old tree, as no meta page "
        pages = [row["number"] for row in self._describe_file() if row["touched"]]
        return self._step(f"{caption}leads to the new one.", Writer.commit, pages, "May the meta page be written now?")

    def _tell_return(self) -> Step:
        """Tell that the commit is done, and what is free now."""
        self._allowed, self._returned = NEW, True
        free = sorted(self._old.pages - self._new.pages)
        caption = "The second sync: the meta page is on the disk, and the commit returns. "
        if free:
            caption += f"It has given up {say_pages(free)}, for later commits to take."
        self._known.update(self._shown)
        self._known.intersection_update(self._new.nodes)
        return self._step(caption, Writer.commit, [self._new.meta.place], "Is the commit done?")

    def _step(
        self,
        caption: str,
        source: Callable[..., Any],
        lit: Iterable[int],
        question: str = "",
        *,
        memory_only: bool = False,
    ) -> Step:
        """Return a step, which is about some pages: how things stand now."""
        file, pages = self._describe_file(), tuple(lit)
        state = {
            "doing": self._doing,
            "commit": self._new.meta.transaction,
            "memory": self._describe_memory(),
            "file": file,
            "lit_memory": pages,
            "lit_file": () if memory_only else pages,
            "crashes": self._moment.crashes,
            "allowed": self._allowed,
            "returned": self._returned,
        }
        opening, self._opening = self._opening, ""
        return Step(opening + caption, state, source, prove(file, self._moment.crashes, self._allowed), question)

    def _describe_memory(self) -> dict[int, dict[str, Any]]:
        """Describe the pages in memory, and those of the old tree that they lead to."""
        seen = {page: node for page, node in self._old.nodes.items() if page in self._known}
        near = set(seen).union(*(node.children for node in seen.values()))
        waiting = {original for page, original in self._originals.items() if page not in self._shown}
        # A page that is given up may have left its place in memory to its copy.
        stay = waiting | self._new.nodes.keys() if self._shown else seen.keys()
        known = {page for page in seen if page in stay or self._has_in_memory(page)}
        pages = {
            page: {**node._asdict(), "trees": ("old",), "known": page in known}
            for page, node in self._old.nodes.items()
            if page in near
        }
        return pages | {
            page: {**node._asdict(), "trees": ("new",), "known": True} for page, node in self._shown.items()
        }

    def _describe_file(self) -> tuple[dict[str, Any], ...]:
        """Describe the pages of the file, and of which tree each is: the old one, or the new one if it is written."""
        moment, size = self._moment, self._page_size
        rows = []
        for number in range(len(moment.seen) // size):
            cut = slice(number * size, number * size + size)
            synced, touched = moment.seen[cut] == moment.medium[cut], moment.seen[cut] != self._resting.seen[cut]
            rows.append(self._page_of(moment, number) | {"synced": synced, "touched": touched})
        begun = any(row["touched"] for row in rows)
        old = self._old.pages | chain_of(rows, self._old.meta.free_list)
        new = self._new.pages | chain_of(rows, self._new.meta.free_list) if begun else frozenset()
        for row in rows:
            of_old, of_new = row["number"] in old, row["number"] in new
            if row["meta"]:
                of_old = row["meta"]["root"] == self._old.meta.root
                of_new = row["meta"]["transaction"] > self._old.meta.transaction
                of_old = of_old and not of_new
            elif not of_old:
                of_new = of_new and row["touched"]
            row["trees"] = tuple(name for name, of in (("old", of_old), ("new", of_new)) if of)
        return tuple(rows)

    def _page_of(self, moment: Moment, number: int) -> dict[str, Any]:
        size = self._page_size
        return describe_page(moment.seen[number * size :][:size], number)


def chain_of(rows: list[dict[str, Any]], first: int) -> frozenset[int]:
    """Return the pages of a list of free pages, from the topmost down."""
    chain: set[int] = set()
    while 0 < first < len(rows) and first not in chain and rows[first]["kind"] == "list":
        chain.add(first)
        first = rows[first]["below"]
    return frozenset(chain)


def say_changes(changes: Changes, items: Mapping[bytes, bytes]) -> str:
    """Return what a commit does to items, in words.

    >>> say_changes({b"a": b"1", b"b": b"2", b"c": None, b"d": b"3"}, {b"a": b"0", b"c": b"0"})
    'put b and d, change a, take out c'
    """
    told: dict[str, list[str]] = {"put": [], "change": [], "take out": []}
    for key, value in changes.items():
        told["take out" if value is None else "change" if key in items else "put"].append(short(say(key)))
    return ", ".join(f"{verb} {say_list(keys)}" for verb, keys in told.items() if keys)


def say_node(node: Node) -> str:
    """Return what is in a page, in words."""
    if not node.children:
        return f"has {' '.join(map(short, node.keys))}" if node.keys else "is empty"
    ways = [f"page {node.children[0]}"]
    ways += [
        f"from {short(key)} on to page {child}" for key, child in zip(node.keys[1:], node.children[1:], strict=True)
    ]
    return f"leads to {', '.join(ways[:-1])}, and {ways[-1]}" if len(ways) > 1 else f"leads to {ways[0]}"


def say_pages(numbers: Iterable[int]) -> str:
    """Return the numbers of pages, in words.

    >>> say_pages([2]), say_pages([2, 3, 4])
    ('page 2', 'pages 2, 3 and 4')
    """
    listed = list(map(str, numbers))
    return f"{'page' if len(listed) == 1 else 'pages'} {say_list(listed)}" if listed else "no page"


def short(key: str) -> str:
    """Return a key, or the beginning of a long one."""
    return key if len(key) <= LONGEST else f"{key[: LONGEST - 1]}\u2026"


def capital(said: str) -> str:
    """Return words with a capital letter at the beginning."""
    return said[:1].upper() + said[1:]


def prove(file: Iterable[Mapping[str, Any]], crashes: tuple[Left, ...], allowed: tuple[str, ...]) -> dict[str, bool]:
    """Compute the invariants from the description of a file, and from what crashes leave."""
    rows = list(file)
    metas = [row for row in rows if row["meta"]]
    newest = max(metas, key=lambda row: row["meta"]["transaction"])
    name = "new" if "new" in newest["trees"] else "old"
    used = [row for row in rows if name in row["trees"] and row["kind"] != "meta"]
    numbers = [row["number"] for row in used] + [number for row in used for number in row["numbers"]]
    return {
        f"each of {len(crashes)} crashes at this moment leaves {TREES[allowed]}": set(crashes) <= set(allowed),
        "no page of the tree before this commit has been written": not any(
            row["touched"] for row in rows if "old" in row["trees"]
        ),
        "the newest meta page leads to pages that are whole and on the disk": all(
            row["whole"] and row["synced"] for row in used
        ),
        "the tree, the list of free pages and the pages in it are all pages, each once": sorted(numbers)
        == list(range(2, newest["meta"]["next_page"])),
    }
