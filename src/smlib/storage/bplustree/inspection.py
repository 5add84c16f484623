"""A file from outside: proved as a whole, or counted page by page, with nobody's lock taken and nothing written.

So another process may commit meanwhile, and after its second commit take pages that are being looked at. That looks
like damage, and is told from it by the meta pages: if they name a newer tree by then, the file is looked at again.

Counting goes on where a page is damaged, without that page and without what only that page leads to.

Cost: O(pages of the file).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from smlib.errors import CorruptDataError, InputError, StorageError
from smlib.storage.bplustree.chains import FreeList
from smlib.storage.bplustree.invariants import check_tree
from smlib.storage.bplustree.meta import MAGIC, MOVED, PAGE_SIZES, Meta, newest_meta, prove_meta
from smlib.storage.bplustree.page_facts import PageFacts, read_page, wrong_seal
from smlib.storage.bplustree.pages import HEAD
from smlib.storage.bplustree.store import Store
from smlib.storage.filesystem import File, FileSystem

# How often a file that others write is looked at.
TRIES = 8
# Of a file without meta pages: the bytes that tell how large a page is, and the pages that are looked at.
FIRST_BYTES, FIRST_PAGES = 1 << 17, 1 << 16
USES = ("leaf", "branch", "overflow", "free", "list")


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """The pages of one depth that could be read.

    Attributes
    ----------
    kind : str
        "leaf" or "branch".
    pages, cells : int
    fill : float or None
        How full they are in the mean; None if there is none.
    """

    kind: str
    pages: int
    cells: int
    fill: float | None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file.

    Attributes
    ----------
    path : str
    size, page_size : int
    meta_pages : tuple of PageFacts
    newer : int or None
        Which of the two meta pages counts; None if neither is whole.
    tree : dict or None
        What that one says.
    trouble : str or None
        What is wrong with the file and with no page of it.
    levels : tuple of LevelFacts
        From the root down.
    leaf_fill, branch_fill : float or None
        How full pages are in the mean.
    pages : dict
        How many pages are leaves, branches, overflow (parts of long values), free, and hold the list of the free ones.
    unreached : int
        How many more pages there are: nothing that could be read leads to them.
    damaged : dict
        What is wrong, by number of the page.
    """

    path: str
    size: int
    page_size: int
    meta_pages: tuple[PageFacts, ...]
    newer: int | None
    tree: dict[str, int] | None
    trouble: str | None
    levels: tuple[LevelFacts, ...]
    leaf_fill: float | None
    branch_fill: float | None
    pages: dict[str, int]
    unreached: int
    damaged: dict[int, str]


def is_tree(disk: FileSystem, path: str) -> bool:
    """Return whether a file is a B+tree, whole or damaged."""
    with disk.open(path, readonly=True) as file:
        return newest_meta(file, PAGE_SIZES) is not None or guess_page_size(file) is not None


def check_file(disk: FileSystem, path: str) -> tuple[Meta, bool]:
    """Prove invariants 1 to 6 of the tree in a file; CorruptDataError if one is broken.

    Returns what the newest meta page says, and whether the other one is whole too: else the last commit was cut short,
    or was lost since.
    """
    damage = CorruptDataError(path)
    for file in attempts(disk, path):
        try:
            store = Store(disk, file, path, 0)
            free = FreeList.read(store.files, store.newest.free_list)
            check_tree(store, store.newest, free.numbers, free.trunks)
            other = 1 - store.newest.place
            return store.newest, read_page(file, store.newest.page_size, other, store.newest.next_page).damage is None
        except CorruptDataError as error:
            damage = error
        except MemoryError as error:
            raise StorageError(f"{path}: it says that it has more pages than can be counted in memory") from error
    raise damage


def inspect_file(disk: FileSystem, path: str) -> FileFacts:
    """Return what can be known of a file; InputError if it is no B+tree."""
    for file in attempts(disk, path):
        facts = Survey(file).facts()
        if not facts.damaged and facts.trouble is None:
            break
    return facts


def inspect_page(disk: FileSystem, path: str, number: int) -> PageFacts:
    """Return what can be known of a page; InputError if there is none of that number, or the file is no B+tree."""
    for file in attempts(disk, path):
        page_size, meta = layout_of(file)
        pages = -(-file.size() // page_size)
        if not 0 <= number < pages:
            raise InputError(f"{path}: there is no page {number}; there are {pages}, from 0 to {pages - 1}")
        page = read_page(file, page_size, number, pages if meta is None else meta.next_page)
        if page.damage is None:
            break
    return page


def attempts(disk: FileSystem, path: str) -> Iterator[File]:
    """Yield a file to look for damage in, and again as long as others have committed meanwhile."""
    for _ in range(TRIES):
        with disk.open(path, readonly=True) as file:
            before = newest_meta(file, PAGE_SIZES)
            yield file
        with disk.open(path, readonly=True) as file:
            if newest_meta(file, PAGE_SIZES) == before:
                return
    raise StorageError(f"{path}: others change it faster than it can be read; try again when they rest")


def layout_of(file: File) -> tuple[int, Meta | None]:
    """Return the size of a file's pages, and its newest meta page if one is whole; InputError if it is no B+tree."""
    meta = newest_meta(file, PAGE_SIZES)
    page_size = guess_page_size(file) if meta is None else meta.page_size
    if page_size is None:
        raise InputError(f"{file.path}: this is no B+tree, for nothing at its beginning looks like a page of one")
    return page_size, meta


def guess_page_size(file: File) -> int | None:
    """Return the size by which most pages are whole, or else what a damaged meta page says; None if there is none."""
    data = file.read_at(0, FIRST_BYTES)
    whole = {
        size: sum(wrong_seal(data[k * size : (k + 1) * size], k) is None for k in range(len(data) // size))
        for size in PAGE_SIZES
    }
    best: int = max(PAGE_SIZES, key=whole.__getitem__)
    if whole[best]:
        return best
    claimed = int.from_bytes(data[HEAD + 12 : HEAD + 16], "little")
    if data[HEAD : HEAD + 8] == MAGIC:
        return claimed if claimed in PAGE_SIZES else 4096
    return next((size for size in PAGE_SIZES if data[size + HEAD : size + HEAD + 8] == MAGIC), None)


class Survey:
    """Finds out what each page of a file is for."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.page_size, self.newest = layout_of(file)
        self.pages = -(-file.size() // self.page_size) if self.newest is None else self.newest.next_page
        self.use: dict[int, str] = {}
        self.damaged: dict[int, str] = {}
        self.levels: list[LevelFacts] = []

    def facts(self) -> FileFacts:
        """Return what there is to say."""
        metas = tuple(read_page(self.file, self.page_size, place, self.pages) for place in range(2))
        self.damaged |= {page.number: page.damage for page in metas if page.damage}
        trouble = self._scan() if self.newest is None else self._walk(self.newest)
        counts = Counter(self.use.values())
        return FileFacts(
            path=self.file.path,
            size=self.file.size(),
            page_size=self.page_size,
            meta_pages=metas,
            newer=None if self.newest is None else self.newest.place,
            tree=None if self.newest is None else self.newest._asdict(),
            trouble=trouble,
            levels=tuple(self.levels),
            leaf_fill=mean_fill(level for level in self.levels if level.kind == "leaf"),
            branch_fill=mean_fill(level for level in self.levels if level.kind == "branch"),
            pages={use: counts[use] for use in USES},
            unreached=max(0, self.pages - 2 - len(self.use)),
            damaged=dict(sorted(self.damaged.items())),
        )

    def _scan(self) -> str:
        """Look at the pages in a row, for nothing says where the tree is."""
        for number in range(2, min(self.pages, FIRST_PAGES)):
            self._reach(number, None)
        return "no meta page is whole: pages are counted as what their heads say, in use or not (invariant 6)"

    def _walk(self, meta: Meta) -> str | None:
        """Go through a tree level by level, and through the list of free pages; return what is wrong with the file."""
        if meta.root == MOVED:
            return "this is the old file of a tree that lives on in another one"
        row = [meta.root]
        while row and len(self.levels) < meta.depth:
            row = self._walk_level(row, "leaf" if len(self.levels) + 1 == meta.depth else "branch")
        self._follow(meta.free_list, "list")
        try:
            prove_meta(self.file, meta)
        except CorruptDataError as error:
            return str(error)
        return None

    def _walk_level(self, row: list[int], kind: str) -> list[int]:
        """Read the pages of a level; return those of the next one."""
        pages, cells, fill = 0, 0, 0.0
        below: list[int] = []
        for number in row:
            page = self._reach(number, kind)
            if page is None:
                continue
            pages, cells, fill = pages + 1, cells + len(page.cells), fill + (page.fill or 0.0)
            for cell in page.cells:
                if cell.value_size is None and cell.page is not None:
                    below.append(cell.page)
                elif cell.page is not None and self._follow(cell.page, "overflow") not in (None, cell.value_size):
                    self.damaged[number] = f"a value is not as long as its cell says: {cell.value_size} (invariant 4)"
        self.levels.append(LevelFacts(kind, pages, cells, fill / pages if pages else None))
        return below

    def _follow(self, first: int, kind: str) -> int | None:
        """Go along a chain; return how many bytes it holds, or None if it cannot be read to its end."""
        number, size = first, 0
        while number:
            page = self._reach(number, kind)
            if page is None or page.next_page is None or page.used is None:
                return None
            for free in page.free_pages:
                self._claim(free, "free")
            number, size = page.next_page, size + page.used
        return size

    def _claim(self, number: int, use: str) -> bool:
        """Write down what a page is for, or that it cannot be that."""
        if not 2 <= number < self.pages:
            self.damaged[number] = "it is not in the file, and something leads to it (invariant 5)"
        elif number in self.use:
            self.damaged.setdefault(number, "it is used twice, or used and free (invariant 5)")
        else:
            self.use[number] = use
            return True
        return False

    def _reach(self, number: int, kind: str | None) -> PageFacts | None:
        """Return a page that something leads to, if it is whole and what it should be."""
        if not self._claim(number, "damaged"):
            return None
        page = read_page(self.file, self.page_size, number, self.pages)
        damage = page.damage
        if damage is None and kind not in (None, page.kind):
            damage = f"it is of kind {page.kind}, and should be {kind} (invariant 2)"
        if damage is None and self.newest is not None and page.head["transaction"] > self.newest.transaction:
            damage = "it is newer than the tree (invariant 6)"
        if damage is not None:
            self.damaged[number] = damage
            return None
        self.use[number] = page.kind
        return page


def mean_fill(levels: Iterator[LevelFacts]) -> float | None:
    """Return how full the pages of levels are in the mean."""
    found = [level for level in levels if level.fill is not None]
    pages = sum(level.pages for level in found)
    return sum((level.fill or 0.0) * level.pages for level in found) / pages if pages else None
