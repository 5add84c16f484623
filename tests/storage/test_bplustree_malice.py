"""Files that somebody has made to do harm: whatever they say, their checksums are right.

Such a file may hold anything that its pages can say. What is read from it may be wrong, then; but it is read and
written without a step beyond the pages, without end, and without any error but that it is damaged.
"""

from __future__ import annotations

import itertools
import os
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from smlib.errors import CorruptDataError, InputError, StorageError
from smlib.storage import SimulatedDisk
from tests.storage.bplustree_file import FILE, ITEMS, NEWER, PAGES, SIZE, contents_of, disk_with, require_named, sealed
from tests.storage.bplustree_tools import PATH, BPlusTree, open_tree

pytestmark = pytest.mark.untrusted

SEARCH = int(os.environ.get("SMLIB_SEARCH", "50"))


def with_field(page: int, offset: int, data: bytes, file: bytes = FILE, size: int = SIZE) -> bytes:
    """Return the file with a field of a page overwritten, and sealed."""
    start = page * size
    old = file[start : start + size]
    return file[:start] + sealed(old[:offset] + data + old[offset + len(data) :]) + file[start + size :]


# Whatever else comes is not told.
TOLD = (CorruptDataError, KeyError)


def use_in_every_way(disk: Any, path: str = PATH, size: int = SIZE) -> str:
    """Read from a file and write to it; nothing but `CorruptDataError` may come, and not from too far away."""
    try:
        tree = BPlusTree.open(path, page_size=size, cache_size=1, filesystem=disk)
    except CorruptDataError as error:
        require_named(error, path)
        return "told"
    except InputError as error:
        require_named(error, "format")
        return "told"
    told = 0
    with tree:
        keys = [*ITEMS, b"", b"\xff" * 100, b"a beginning"]
        view = tree.snapshot()
        calls: list[Callable[[], Any]] = [
            lambda: sum(1 for _ in itertools.islice(tree.items(), 1000)),
            lambda: sum(1 for _ in itertools.islice(reversed(tree.items()), 1000)),
            lambda: tree.get_many(keys),
            lambda: tree.check(),
            lambda: [tree.floor_item(key) for key in keys[::3]],
            lambda: [view.get(key) for key in keys],
        ]
        calls += [
            lambda: tree.put_many(dict.fromkeys(keys, b"new" * 20)),
            lambda: tree.put_many({b"%d" % k: b"n" * 60 for k in range(12)}),
            lambda: tree.put_many({b"long": b"l" * 700, b"longer": b"m" * 1500}),
        ]
        calls += [lambda key=key: tree.__delitem__(key) for key in keys]  # type: ignore[misc]
        calls += [lambda: sum(1 for _ in itertools.islice(tree.items(), 1000)), lambda: tree.check(), view.check]
        for call in calls:
            try:
                call()
            except TOLD:
                told += 1
            except StorageError as error:
                require_named(error, "refused")
    return "told" if told else "right"


def fields() -> Iterator[tuple[int, int, bytes]]:
    """Yield fields of pages and what is to stand in them: heads, slots, and what lies where cells begin."""
    halves = [struct.pack("<H", n) for n in (0, 1, 2, 31, 32, 33, 255, 256, 480, 504, 511, 512, 513, 32768, 65535)]
    words = [struct.pack("<Q", n) for n in (0, 1, 2, 3, PAGES - 1, PAGES, PAGES + 1, 300, 2**31, 2**32, 2**62)]
    words += [struct.pack("<Q", n) for n in (2**63 - 1, 2**63, 2**64 - 1, 2**64 - 2)]
    for page in range(PAGES):
        data = FILE[page * SIZE : (page + 1) * SIZE]
        for offset in (8, 16):
            yield from ((page, offset, word) for word in words)
        yield from ((page, 24, bytes([kind])) for kind in (0, 1, 2, 3, 4, 5, 6, 255))
        if data[24] in (1, 2):
            yield from ((page, offset, half) for offset in range(26, 32, 2) for half in halves)
            count = int.from_bytes(data[26:28], "little")
            for slot in range(32, 32 + 2 * count, 2):
                yield from ((page, slot, half) for half in halves)
                yield from ((page, slot, data[other : other + 2]) for other in range(32, 32 + 2 * count, 2))
                cell = int.from_bytes(data[slot : slot + 2], "little")
                yield from ((page, cell + d, half) for d in (0, 2, 4, 8) for half in halves if cell + d < SIZE - 2)
                if data[24] == 2:
                    yield from ((page, cell, word) for word in words)
                elif data[cell + 5] & 128:
                    key = int.from_bytes(data[cell : cell + 2], "little")
                    yield from ((page, cell + 6 + key + d, word) for d in (0, 8) for word in words)
        elif data[24] in (3, 4):
            yield from ((page, offset, word) for offset in (32, 44, 52) for word in words)
            yield from ((page, 40, struct.pack("<I", n)) for n in (0, 1, 7, 467, 468, 469, 2**31, 2**32 - 1))
        else:
            yield from ((page, offset, word) for offset in range(32, 104, 8) for word in words)
            yield from ((page, offset, half) for offset in (40, 42, 44, 46) for half in halves)


def test_a_field_is_changed_and_the_page_is_sealed() -> None:
    """A sample of them; whichever is not told does no harm but to what is read."""
    sample = random.Random(1).sample(list(fields()), 180)
    for page, offset, data in sample:
        use_in_every_way(disk_with(with_field(page, offset, data)))


@pytest.mark.slow
def test_every_field_is_changed_and_the_page_is_sealed() -> None:
    for page, offset, data in fields():
        use_in_every_way(disk_with(with_field(page, offset, data)))


@pytest.mark.slow
def test_every_byte_is_changed_and_the_page_is_sealed() -> None:
    for place in range(len(FILE)):
        page, offset = divmod(place, SIZE)
        if offset >= 8:
            for value in (1, 128, 255):
                use_in_every_way(disk_with(with_field(page, offset, bytes([FILE[place] ^ value]))))


@pytest.mark.slow
def test_many_fields_are_changed_and_the_pages_are_sealed() -> None:
    dice, choice = random.Random(2), list(fields())
    for _ in range(40 * SEARCH):
        content = FILE
        for page, offset, data in dice.sample(choice, dice.randint(2, 5)):
            content = with_field(page, offset, data, content)
        use_in_every_way(disk_with(content))


@pytest.mark.parametrize(
    ("offset", "number"),
    [
        (48, 2**40),  # the root
        (48, PAGES),
        (48, 1),
        (48, 2**63 + 5),
        (56, 0),  # the depth
        (56, 33),
        (56, 2**40),
        (64, 2**63 + 1),  # the items
        (72, 2**50),  # the first page never used
        (72, 1),
        (72, 2**63),
        (80, 2**50),  # the free list
        (80, 1),
        (80, 2**64 - 1),
    ],
)
def test_a_meta_page_that_makes_no_sense(offset: int, number: int, tmp_path: Path) -> None:
    """It is told when it is opened, or when it is read; in a file of the machine's, too."""
    content = with_field(NEWER, offset, struct.pack("<Q", number))
    assert use_in_every_way(disk_with(content)) == "told"
    (tmp_path / "tree.db").write_bytes(content)
    assert use_in_every_way(None, str(tmp_path / "tree.db")) == "told"


def test_a_format_of_the_future() -> None:
    for page in (0, 1):
        content = with_field(NEWER, 40, struct.pack("<I", 2))
        content = with_field(1 - NEWER, 40, struct.pack("<I", 2), content)
        with pytest.raises(InputError, match="format 2, and this version of smlib reads format 1"):
            open_tree(disk_with(content), readonly=bool(page))


def leaf_page(number: int, transaction: int, cells: list[tuple[int, bytes]], floor: int, size: int) -> bytes:
    """Return a leaf without holes, with cells at places of one's own choice."""
    page = bytearray(size)
    page[8:32] = struct.pack("<QQBBHHH", number, transaction, 1, 0, len(cells), floor, 0)
    for k, (place, cell) in enumerate(cells):
        page[32 + 2 * k : 34 + 2 * k] = struct.pack("<H", place)
        page[place : place + len(cell)] = cell
    return sealed(bytes(page))


def leaf_cell(key: bytes, value: bytes) -> bytes:
    return struct.pack("<HI", len(key), len(value)) + key + value


def file_of_one_leaf(size: int) -> tuple[bytes, int, int]:
    """Return a file with a leaf, the number of that page, and its transaction."""
    disk = SimulatedDisk(seed=1)
    with open_tree(disk, size) as tree:
        tree.put_many({b"a": b"1", b"b": b"2", b"c": b"3"})
    content = contents_of(disk)
    newest = max((int.from_bytes(content[k * size + 16 : k * size + 24], "little"), k) for k in range(2))[1]
    root = int.from_bytes(content[newest * size + 48 : newest * size + 56], "little")
    return content, root, int.from_bytes(content[root * size + 16 : root * size + 24], "little")


def test_cells_that_overlap() -> None:
    """A cell in the value of another one: taking the outer one out must not let the inner one be overwritten."""
    content, root, transaction = file_of_one_leaf(SIZE)
    inner = leaf_cell(b"b", b"i" * 5)
    outer = leaf_cell(b"a", b"o" * 30 + inner + b"o" * 43)
    third = leaf_cell(b"c", b"3")
    at_outer, total = SIZE - len(outer) - len(third) - len(inner), len(outer) + len(third) + len(inner)
    cells = [(at_outer, outer), (at_outer + 7 + 30, inner), (at_outer + len(outer), third)]
    page = leaf_page(root, transaction, cells, SIZE - total, SIZE)
    damaged = content[: root * SIZE] + page + content[(root + 1) * SIZE :]
    for seed in range(20):
        dice, disk = random.Random(seed), disk_with(damaged)
        try:
            with open_tree(disk) as tree:
                del tree[b"a"]
                for _ in range(12):
                    tree[dice.randbytes(2)] = b"\xff" * dice.randint(0, 100)
                sum(1 for _ in itertools.islice(tree.items(), 100))
        except CorruptDataError:
            pass


@pytest.mark.parametrize("size", [4096, 32768])
def test_keys_that_are_longer_than_keys_may_be(size: int) -> None:
    content, root, transaction = file_of_one_leaf(size)
    long = leaf_cell(b"b" * (size // 3), b"1")
    longer = leaf_cell(b"b" * (size // 3) + b"c", b"2")
    cells = [(size - len(long), long), (size - len(long) - len(longer), longer)]
    page = leaf_page(root, transaction, cells, size - len(long) - len(longer), size)
    damaged = content[: root * size] + page + content[(root + 1) * size :]
    disk = disk_with(damaged)
    try:
        with open_tree(disk, size) as tree:
            for k in range(40):
                tree[b"b" * 20 + b"%d" % k] = b"v" * (size // 5)
            tree.check()
    except CorruptDataError:
        pass


def test_a_page_of_a_commit_that_has_not_been_made_yet() -> None:
    """Its number is that of the next commit: it is not to be written in place for that."""
    content, root, transaction = file_of_one_leaf(SIZE)
    start = root * SIZE
    page = bytearray(content[start : start + SIZE])
    page[16:24] = struct.pack("<Q", transaction + 1)
    disk = disk_with(content[:start] + sealed(bytes(page)) + content[start + SIZE :])
    try:
        with open_tree(disk) as tree, tree.snapshot() as view:
            tree[b"d"] = b"4"
            assert dict(view) == {b"a": b"1", b"b": b"2", b"c": b"3"}
    except CorruptDataError:
        pass


def test_a_cell_that_is_larger_than_cells_may_be() -> None:
    """Taken out, it leaves a page that wants its neighbour, which nobody has read yet."""
    leaves = [page for page in range(PAGES) if FILE[page * SIZE + 24] == 1]
    tried = 0
    for page in leaves:
        head = FILE[page * SIZE : page * SIZE + 32]
        keys = [key for key in sorted(ITEMS) if key in FILE[page * SIZE : (page + 1) * SIZE]]
        if len(keys) < 2:
            continue
        small = leaf_cell(keys[0], b"")
        large = leaf_cell(keys[1], b"v" * (SIZE - 32 - 4 - len(small) - 6 - len(keys[1]) - 10))
        cells = [(SIZE - len(small), small), (SIZE - len(small) - len(large), large)]
        transaction = int.from_bytes(head[16:24], "little")
        made = leaf_page(page, transaction, cells, SIZE - len(small) - len(large), SIZE)
        disk = disk_with(FILE[: page * SIZE] + made + FILE[(page + 1) * SIZE :])
        tried += 1
        try:
            with open_tree(disk) as tree:
                del tree[keys[1]]
                sum(1 for _ in itertools.islice(tree.items(), 100))
        except (CorruptDataError, KeyError):
            pass
    assert tried


@pytest.mark.parametrize("seed", range(8))
def test_pages_whose_keys_belong_elsewhere(seed: int) -> None:
    """A branch leads to its children in another order; pages are joined and split, and keys are nowhere in order."""
    dice, disk = random.Random(seed), SimulatedDisk(seed)
    with open_tree(disk) as tree:
        tree.put_many({b"prefix" * (k % 5) + b"%03d" % k: b"v" * (k % 70) for k in range(120)})
    content = contents_of(disk)
    for page in range(2, len(content) // SIZE):
        data = content[page * SIZE : (page + 1) * SIZE]
        if data[24] == 2:
            count = int.from_bytes(data[26:28], "little")
            places = [int.from_bytes(data[32 + 2 * k : 34 + 2 * k], "little") for k in range(count)]
            children = [data[place : place + 8] for place in places]
            dice.shuffle(children)
            for place, child in zip(places, children, strict=True):
                content = with_field(page, place, child, content)
    disk = disk_with(content)
    told = 0
    with open_tree(disk) as tree:
        for step in range(300):
            key = b"prefix" * dice.randrange(5) + b"%03d" % dice.randrange(150)
            try:
                if dice.random() < 0.6:
                    tree.pop(key, None)
                else:
                    tree[key] = bytes(dice.choice((0, 60, 104)))
                if step % 50 == 0:
                    sum(1 for _ in itertools.islice(tree.items(), 500))
                    sum(1 for _ in itertools.islice(reversed(tree.items()), 500))
            except CorruptDataError:
                told += 1
        with pytest.raises(CorruptDataError, match="invariant"):
            tree.check()
