"""What is said of the file of a B+tree: facts that can be counted, pages drawn, and damage of every kind."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smlib.errors import CorruptDataError, InputError, SmlibError, StorageError
from smlib.storage import LocalFileSystem, SimulatedDisk
from smlib.storage.bplustree import inspection
from smlib.storage.bplustree.drawing import draw_file, draw_page
from smlib.storage.bplustree.inspection import check_file, inspect_file, inspect_page, is_tree
from smlib.storage.bplustree.invariants import check_tree
from smlib.storage.bplustree.page_facts import CellFacts, PageFacts, read_page
from smlib.storage.filesystem import File, PathLike
from tests.storage.bplustree_file import FILE, ITEMS, NEWER, PAGES, SIZE, contents_of, disk_with, require_named, sealed
from tests.storage.bplustree_tools import PATH, open_tree


def letters() -> SimulatedDisk:
    """Return a disk with a tree: sixteen items in three leaves, one of them with a hole, and a long value."""
    disk = SimulatedDisk(seed=1)
    with open_tree(disk) as tree:
        tree.put_many({b"key%02d" % k: b"%d" % (k % 10) * 70 for k in range(15)})
        tree[b"key03"] = b"short"
        tree[b"long"] = b"v" * 1000
        del tree[b"key05"]
    return disk


LETTERS = contents_of(letters())


def with_byte(place: int, content: bytes = FILE) -> bytes:
    """Return a file with one byte changed."""
    return content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :]


def with_page(number: int, page: bytes, content: bytes = FILE) -> bytes:
    """Return a file with a page replaced."""
    return content[: number * SIZE] + page + content[(number + 1) * SIZE :]


def with_field(number: int, place: int, value: int, size: int, content: bytes = LETTERS) -> bytes:
    """Return a file with a number in a page changed, and the page sealed again."""
    page = bytearray(content[number * SIZE : (number + 1) * SIZE])
    page[place : place + size] = value.to_bytes(size, "little")
    return with_page(number, sealed(bytes(page)), content)


def pages_of_kind(content: bytes, kind: int) -> set[int]:
    """Return the pages whose heads say that they are of a kind."""
    return {number for number in range(len(content) // SIZE) if content[number * SIZE + 24] == kind}


def test_the_facts_of_a_small_tree() -> None:
    """By hand: an item takes 2 + 6 + 5 + 70 bytes of the 480 in a page, a child 12 bytes and its key."""
    facts = inspect_file(disk_with(LETTERS), PATH)
    with open_tree(disk_with(LETTERS)) as tree:
        stats = tree.stats()
    assert facts.tree is not None
    assert (facts.size, facts.page_size, facts.newer) == (len(LETTERS), 512, 0)
    assert facts.tree["items"] == stats["items"] == 15
    assert facts.tree["transaction"] == stats["transaction"]
    assert facts.pages == {"leaf": 3, "branch": 1, "overflow": 3, "free": stats["free"], "list": 1}
    assert sum(facts.pages.values()) + 2 == stats["pages"] == facts.tree["next_page"]
    assert (facts.unreached, facts.damaged, facts.trouble) == (0, {}, None)
    branch, leaf = facts.levels
    assert (branch.kind, branch.pages, branch.cells) == ("branch", 1, 3)
    assert (leaf.kind, leaf.pages, leaf.cells) == ("leaf", 3, 15)
    assert branch.fill == facts.branch_fill == (3 * 12 + len("key05") + len("key1")) / 480
    assert leaf.fill == facts.leaf_fill == pytest.approx((13 * 83 + 18 + 8 + 4 + 16) / (3 * 480))


def test_the_facts_of_a_file_with_everything() -> None:
    """A page of a long value holds 44 bytes less than a page; one page lists the free ones."""
    facts = inspect_file(disk_with(FILE), PATH)
    overflow = -(-len(ITEMS[b"long"]) // (SIZE - 44))
    assert facts.levels[-1].cells == len(ITEMS)
    assert (facts.pages["overflow"], facts.pages["list"]) == (overflow, 1)
    used = facts.pages["leaf"] + facts.pages["branch"] + overflow + 1
    assert facts.pages["free"] == PAGES - 2 - used


def test_an_empty_tree_and_large_pages() -> None:
    disk = SimulatedDisk(seed=1)
    open_tree(disk, page_size=32768).close()
    facts = inspect_file(disk, PATH)
    assert (facts.page_size, facts.leaf_fill, facts.branch_fill) == (32768, 0.0, None)
    assert check_file(disk, PATH)[0].items == 0
    assert "-----" not in draw_page(inspect_page(disk, PATH, 2))


def test_a_file_in_words() -> None:
    assert (
        draw_file(inspect_file(disk_with(LETTERS), PATH))
        == """\
file         6,656 bytes, pages of 512
meta page 0  transaction 6, root 9, the newer
meta page 1  transaction 5, root 9
tree         items 15, depth 2, pages 13
pages        leaves 3, branches 1, overflow 3, free 3, list of the free 1, not reached 0
mean fill    leaves 78%, branches 9%

level  kind           pages         cells   fill
    1  branch             1             3     9%
    2  leaf               3            15    78%"""
    )


def test_a_leaf_drawn() -> None:
    """The value of "key03" was replaced by a shorter one: its cell is the newest, and where it was is a hole."""
    page = inspect_page(disk_with(LETTERS), PATH, 8)
    assert (
        draw_page(page)
        == """\
page 8, byte 4096: leaf, whole
head: page 8, transaction 3, kind 1, count 5, floor 91, holes 81

====:......ddeeeeeeeeee-----------ccccccccccbbbbbbbbbbaaaaaaaaaa
= head 32   : slots 10   . gap 49   - holes 81   a, b, ... cells 340   fill 73%

a    431 +81    b'key00'  70 bytes, b'000000000000'...b'000000000000'
b    350 +81    b'key01'  70 bytes, b'111111111111'...b'111111111111'
c    269 +81    b'key02'  70 bytes, b'222222222222'...b'222222222222'
d     91 +16    b'key03'  5 bytes, b'short'
e    107 +81    b'key04'  70 bytes, b'444444444444'...b'444444444444'"""
    )
    assert page.cells[3] == CellFacts(91, 16, b"key03", b"short", 5, None)
    assert inspect_page(disk_with(LETTERS), PATH, 11).cells[5] == CellFacts(81, 26, b"long", None, 1000, 7)


def test_a_branch_drawn() -> None:
    assert draw_page(inspect_page(disk_with(LETTERS), PATH, 9)).endswith(
        """\
====:......................................................ccbba
= head 32   : slots 6   . gap 435   - holes 0   a, b, ... cells 39   fill 9%

a    502 +10    b''  -> page 8
b    487 +15    b'key05'  -> page 2
c    473 +14    b'key1'  -> page 11"""
    )


def test_chains_drawn() -> None:
    disk = disk_with(LETTERS)
    assert "b'long'  1000 bytes, -> page 7" in draw_page(inspect_page(disk, PATH, 11))
    assert "goes on in page 3" in draw_page(inspect_page(disk, PATH, 7))
    last = draw_page(inspect_page(disk, PATH, 5))
    assert "====:########......" in last
    assert "# used 64   . not used 404" in last
    assert "the end of its chain" in last
    assert draw_page(inspect_page(disk, PATH, 6)).endswith("free pages: 10 4 12")
    assert "next_page   13" in draw_page(inspect_page(disk, PATH, 0))


def test_a_damaged_page_drawn() -> None:
    text = draw_page(inspect_page(disk_with(with_byte(8 * SIZE + 300, LETTERS)), PATH, 8))
    assert text.startswith("page 8, byte 4096: leaf, DAMAGED: its checksum does not fit (invariant 4)\nhead: page 8, ")
    assert "   16  03 00 00 00 00 00 00 00 01 00 05 00 5b 00 51 00  ............[.Q." in text


@pytest.mark.parametrize("number", [-1, PAGES, 2**70])
def test_a_page_that_there_is_not(number: int) -> None:
    with pytest.raises(InputError, match=f"there is no page {number}; there are {PAGES}, from 0 to {PAGES - 1}"):
        inspect_page(disk_with(FILE), PATH, number)


@pytest.mark.parametrize("content", [b"", b"not a tree", bytes(100_000), b"smlib b+" * 1000])
def test_what_is_no_tree(content: bytes) -> None:
    disk = disk_with(content)
    assert not is_tree(disk, PATH)
    for look in (inspect_file, lambda disk, path: inspect_page(disk, path, 0)):
        with pytest.raises(InputError, match="this is no B"):
            look(disk, PATH)


@pytest.mark.untrusted
def test_a_damaged_page_is_named_and_the_others_are_counted() -> None:
    whole = inspect_file(disk_with(FILE), PATH)
    for number in range(2, PAGES):
        facts = inspect_file(disk_with(with_byte(number * SIZE + 40)), PATH)
        lost = sum(whole.pages.values()) - sum(facts.pages.values())
        assert set(facts.damaged) <= {number}
        assert lost == len(facts.damaged) + facts.unreached
    root = whole.tree["root"] if whole.tree else 0
    facts = inspect_file(disk_with(with_byte(root * SIZE + 40)), PATH)
    assert facts.damaged == {root: "its checksum does not fit (invariant 4)"}
    assert facts.pages["leaf"] == 0
    assert facts.levels[0].fill is None


@pytest.mark.untrusted
def test_meta_pages_that_are_damaged() -> None:
    older = inspect_file(disk_with(with_byte(NEWER * SIZE + 60)), PATH)
    assert older.newer == 1 - NEWER
    assert set(older.damaged) >= {NEWER}
    leaf = inspect_file(disk_with(with_field(1, 24, 1, 1)), PATH)
    assert leaf.damaged == {1: "it is no meta page of this file (invariant 6)"}
    neither = with_byte(60, with_byte(SIZE + 60))
    facts = inspect_file(disk_with(neither), PATH)
    assert (facts.newer, facts.tree, facts.levels, facts.page_size) == (None, None, (), SIZE)
    assert facts.pages["leaf"] == len(pages_of_kind(FILE, 1))
    assert facts.trouble is not None
    with pytest.raises(CorruptDataError, match="no meta page is whole"):
        check_file(disk_with(neither), PATH)
    assert inspect_file(disk_with(bytes(2 * SIZE) + FILE[2 * SIZE :]), PATH).page_size == SIZE
    second_only = bytes(SIZE) + neither[SIZE : 2 * SIZE]
    for content in (neither[:SIZE], second_only):
        assert inspect_file(disk_with(content), PATH).page_size == SIZE
    assert not is_tree(disk_with(second_only[: SIZE + 32]), PATH)


@pytest.mark.untrusted
def test_a_lost_commit_is_told_by_check() -> None:
    disk = SimulatedDisk(seed=1)
    with open_tree(disk) as tree:
        tree[b"a"] = b"1"
    meta, both = check_file(disk, PATH)
    assert both
    content = contents_of(disk)
    assert check_file(disk_with(with_byte((1 - meta.place) * SIZE + 60, content)), PATH) == (meta, False)


@pytest.mark.untrusted
@pytest.mark.parametrize(
    ("number", "place", "value", "size", "damaged", "what"),
    [
        (8, 8, 7, 8, 8, "it says that it is page 7 (invariant 4)"),
        (8, 16, 7, 8, 8, "it is newer than the tree (invariant 6)"),
        (8, 24, 77, 1, 8, "there is no kind 77 (invariant 4)"),
        (8, 32, 90, 2, 8, "a cell does not lie within the page (invariant 1 of a page)"),
        (9, 502, 0, 8, 9, "it leads to a page that there is not (invariant 4 of a page)"),
        (9, 502, 13, 8, 9, "it leads to a page that there is not (invariant 4 of a page)"),
        (9, 502, 2, 8, 2, "it is used twice, or used and free (invariant 5)"),
        (9, 502, 9, 8, 9, "it is used twice, or used and free (invariant 5)"),
        (9, 502, 4, 8, 4, "it is used twice, or used and free (invariant 5)"),
        (9, 502, 7, 8, 7, "it is of kind overflow, and should be leaf (invariant 2)"),
        (7, 32, 7, 8, 7, "it is used twice, or used and free (invariant 5)"),
        (7, 32, 999, 8, 999, "it is not in the file, and something leads to it (invariant 5)"),
        (7, 40, 469, 4, 7, "it cannot hold 469 bytes (invariant 4)"),
        (5, 40, 63, 4, 11, "a value is not as long as its cell says: 1000 (invariant 4)"),
        (6, 40, 23, 4, 6, "it cannot hold 23 bytes (invariant 4)"),
        (6, 44, 999, 8, 999, "it is not in the file, and something leads to it (invariant 5)"),
        (6, 44, 9, 8, 9, "it is used twice, or used and free (invariant 5)"),
    ],
)
def test_what_is_wrong_with_a_page(number: int, place: int, value: int, size: int, damaged: int, what: str) -> None:
    """All checksums fit: what the page says is all that is wrong."""
    disk = disk_with(with_field(number, place, value, size))
    facts = inspect_file(disk, PATH)
    assert facts.damaged[damaged].startswith(what)
    with pytest.raises(CorruptDataError):
        check_file(disk, PATH)


def look_in_every_way(content: bytes) -> bool:
    """Return whether something is said to be damaged; nothing but our own errors may come."""
    disk = disk_with(content)
    told = False
    try:
        facts = inspect_file(disk, PATH)
        told = bool(facts.damaged) or facts.trouble is not None or facts.unreached > 0
        assert draw_file(facts)
    except InputError:
        told = True
    for number in range(-(-len(content) // SIZE)):
        try:
            assert draw_page(inspect_page(disk, PATH, number))
        except InputError:
            told = True
    try:
        check_file(disk, PATH)
    except CorruptDataError as error:
        require_named(error, PATH)
    except InputError:
        pass
    return told


@pytest.mark.untrusted
def test_bytes_are_changed_at_random() -> None:
    dice = random.Random(7)
    for _ in range(60):
        content = FILE
        for _ in range(dice.choice((1, 3, 300))):
            content = with_byte(dice.randrange(len(FILE)), content)
        look_in_every_way(content)


@pytest.mark.untrusted
def test_bytes_are_changed_at_random_and_pages_are_sealed() -> None:
    """Whoever wants to do harm knows the checksum."""
    dice = random.Random(8)
    for _ in range(120):
        content = FILE
        for _ in range(dice.choice((1, 2, 8))):
            number = dice.randrange(PAGES)
            page = bytearray(content[number * SIZE : (number + 1) * SIZE])
            place = dice.choice((dice.randrange(8, 48), dice.randrange(8, 112), dice.randrange(8, SIZE)))
            page[place] = dice.choice((0, 1, 2, 7, 127, 128, 255, dice.randrange(256)))
            content = with_page(number, sealed(bytes(page)), content)
        look_in_every_way(content)


@pytest.mark.untrusted
def test_a_file_is_cut_off() -> None:
    for length in range(1, len(FILE), 397):
        assert look_in_every_way(FILE[:length]), length
    last = inspect_page(disk_with(LETTERS[: 11 * SIZE + 100]), PATH, 11)
    assert last.damage == "the file ends before it does (invariant 6)"
    assert draw_page(last).count("\n") == 6


@pytest.mark.untrusted
def test_bytes_that_mean_nothing() -> None:
    dice = random.Random(9)
    for length in (1, 31, 32, 100, 512, 1024, 5000):
        assert look_in_every_way(dice.randbytes(length))


@pytest.mark.untrusted
def test_a_meta_page_that_promises_much(tmp_path: Path) -> None:
    """A file of a few pages says that it has as many as a number can say."""
    path = tmp_path / "tree"
    for value in (2**32, 2**62, 2**63, 2**64 - 1):
        path.write_bytes(with_field(0, 80, value - 1, 8, with_field(0, 72, value, 8)))
        facts = inspect_file(LocalFileSystem(), str(path))
        assert facts.damaged == {value - 1: "the file ends before it does (invariant 6)"}
        assert facts.trouble is not None
        assert "cut off" in facts.trouble


def test_more_pages_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(inspection, "Store", refuse)
    with pytest.raises(StorageError, match="more pages than can be counted"):
        check_file(disk_with(FILE), PATH)


@pytest.mark.untrusted
def test_a_tree_that_lives_on_elsewhere() -> None:
    disk = disk_with(with_field(0, 48, 0, 8))
    assert inspect_file(disk, PATH).trouble == "this is the old file of a tree that lives on in another one"
    with pytest.raises(CorruptDataError, match="lives on in another"):
        check_file(disk, PATH)


class RestlessDisk(SimulatedDisk):
    """Somebody commits whenever a file is opened."""

    commits = 0

    def open(self, path: PathLike, *, create: bool = False, readonly: bool = False) -> File:
        if readonly and self.commits > 0:
            self.commits -= 1
            with open_tree(self) as tree:
                for k in range(4):
                    tree[b"counter"] = b"%d" % (self.commits + k)
        return super().open(path, create=create, readonly=readonly)


def test_what_others_change_meanwhile_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read first seems to be damaged; then the file names a newer tree, and is looked at again."""
    calls = []

    def seem_damaged(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise CorruptDataError("a page was taken again")
        check_tree(*arguments)

    monkeypatch.setattr(inspection, "check_tree", seem_damaged)
    disk = RestlessDisk(seed=1)
    with open_tree(disk) as tree:
        tree[b"counter"] = b"0"
    disk.commits = 2
    assert check_file(disk, PATH)[0].items == 1
    assert len(calls) == 2
    disk.commits = 0
    calls.clear()
    with pytest.raises(CorruptDataError, match="was taken again"):
        check_file(disk, PATH)


def test_a_file_that_is_never_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = RestlessDisk(seed=1)
    with open_tree(disk) as tree:
        tree[b"counter"] = b"0"
    look = inspection.Survey.facts
    monkeypatch.setattr(inspection.Survey, "facts", lambda self: replace(look(self), trouble="it seems so"))
    disk.commits = 1000
    with pytest.raises(StorageError, match="try again when they rest"):
        inspect_file(disk, PATH)


def test_a_page_that_is_written_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = RestlessDisk(seed=1)
    with open_tree(disk) as tree:
        tree[b"counter"] = b"0"
    calls = []

    def seem_damaged(*arguments: Any) -> PageFacts:
        calls.append(arguments)
        return replace(read_page(*arguments), damage="it seems so" if len(calls) == 1 else None)

    monkeypatch.setattr(inspection, "read_page", seem_damaged)
    disk.commits = 2
    assert inspect_page(disk, PATH, 2).damage is None
    assert len(calls) == 2


def test_nothing_is_written() -> None:
    disk = disk_with(FILE)
    check_file(disk, PATH)
    inspect_file(disk, PATH)
    inspect_page(disk, PATH, 2)
    assert contents_of(disk) == FILE
    assert disk.list_directory("/") == [PATH.lstrip("/")]


def test_a_format_of_another_version() -> None:
    with pytest.raises(SmlibError, match="format 9"):
        inspect_file(disk_with(with_field(0, 40, 9, 4)), PATH)
