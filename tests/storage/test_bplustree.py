"""The B+tree in a file: what all ordered stores do, snapshots, long keys and values, and what it refuses."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smlib.errors import (
    ClosedError,
    ConflictError,
    CorruptDataError,
    InputError,
    LockedError,
    ReadOnlyError,
    StorageError,
)
from smlib.storage import SimulatedDisk
from tests.storage.bplustree_tools import (
    PATH,
    BPlusTree,
    Items,
    after,
    apply,
    at_random,
    growing,
    key_of,
    open_tree,
    shrinking,
)


@pytest.fixture
def tree() -> Iterator[BPlusTree]:
    with open_tree(SimulatedDisk(seed=1)) as opened:
        yield opened


@pytest.mark.parametrize("seed", range(4))
def test_pages_that_are_not_in_memory_when_a_neighbour_wants_them(seed: int) -> None:
    """Cells of very different sizes, and a tree that is opened again before each removal."""
    dice, disk = random.Random(seed), SimulatedDisk(seed)
    with open_tree(disk) as tree:
        items = {dice.randbytes(dice.choice((2, 8, 128))): b"v" * dice.choice((0, 10, 104)) for _ in range(60)}
        for key, value in items.items():
            tree[key] = value
    for key in sorted(items, reverse=seed % 2 == 1):
        with open_tree(disk) as tree:
            del tree[key]
            tree.check()
            del items[key]
            assert dict(tree) == items


def test_more_pages_than_frames() -> None:
    """A cache of 64 pages, and a tree of some hundred; a commit that owns more pages than the cache holds."""
    disk, dice = SimulatedDisk(seed=1), random.Random(5)
    model: dict[bytes, bytes] = {}
    with open_tree(disk) as tree:
        for step in range(6):
            numbers = dice.sample(range(2000), 300)
            batch = {b"%04d" % n * (1 + n % 9): bytes([step]) * (n % 104) for n in numbers}
            tree.put_many(batch)
            model |= batch
            for key in dice.sample(sorted(model), 60):
                assert tree.pop(key) == model.pop(key)
            assert tree.get_many(sorted(model)) == [model[key] for key in sorted(model)]
        view, then = tree.snapshot(), dict(model)
        for key in sorted(model)[::20]:
            del tree[key], model[key]
        assert view == then
        view.close()
        for key in sorted(model)[::3]:
            del tree[key], model[key]
        tree.check()
        assert tree == model
        assert tree.stats()["pages"] > 200


def test_free_pages_are_taken_again(tree: BPlusTree) -> None:
    commits = growing(6)
    sizes = []
    for _ in range(6):
        for commit in commits:
            tree.put_many({key: value for key, value in commit.items() if value is not None})
        for commit in shrinking(commits):
            del tree[next(iter(commit))]
        sizes.append(tree.stats()["pages"])
    assert len(tree) == 0
    assert sizes[-1] == sizes[1]
    assert tree.stats()["depth"] == 1


def test_a_snapshot_holds_its_pages_back_and_lets_them_go(tree: BPlusTree) -> None:
    tree[b"a"] = b"x" * 20_000
    with tree.snapshot() as view:
        for step in range(5):
            tree[b"a"] = bytes([step]) * 20_000
        assert view[b"a"] == b"x" * 20_000
        with tree.snapshot() as later:
            tree[b"a"] = b""
            assert (later[b"a"], view[b"a"]) == (b"\4" * 20_000, b"x" * 20_000)
        held = tree.stats()["pages"]
    for step in range(5):
        tree[b"a"] = bytes([step]) * 20_000
    assert tree.stats()["pages"] <= held
    tree.check()


def test_what_a_snapshot_holds_back_grows_by_the_commit(tree: BPlusTree) -> None:
    """As many pages each time as the path has, and no pages of the free list: a snapshot shows none of them."""
    tree.put_many({key_of(k): b"" for k in range(30)})
    with tree.snapshot():
        pages = []
        for step in range(300):
            tree[key_of(step % 30)] = b"%d" % step
            pages.append(tree.stats()["pages"])
    depth = tree.stats()["depth"]
    assert pages[-1] - pages[0] < 1.2 * (depth + 1) * len(pages) + 50


@pytest.mark.parametrize("page_size", [512, 4096, 32768])
def test_keys_and_values_of_any_size(page_size: int) -> None:
    """The longest key has 1024 bytes, and less where four of them would not fit into a page."""
    longest = min(1024, page_size // 4)
    sizes = [0, 1, 100, page_size // 4 - 25, page_size // 4 - 24, page_size // 4 - 23, page_size, 100_000]
    disk = SimulatedDisk(seed=1)
    with open_tree(disk, page_size) as tree:
        expected: dict[bytes, bytes] = {}
        for k, size in enumerate(sizes * 3):
            for length in (0, 1, longest - 1, longest):
                key, value = (bytes([k]) * longest)[:length], bytes([k]) * size
                tree[key] = expected[key] = value
        with pytest.raises(InputError, match=f"a key has {longest + 1} bytes, and at most {longest} "):
            tree[b"k" * (longest + 1)] = b""
        with pytest.raises(InputError, match=f"a key has {longest + 1} bytes"):
            tree.put_many([(b"fine", b""), (b"k" * (longest + 1), b"")])
        assert b"k" * (longest + 1) not in tree
        assert tree == expected
        tree.check()
    with open_tree(disk, page_size) as tree:
        assert tree == expected
        for key in sorted(expected):
            assert tree.pop(key) == expected.pop(key)
        tree.check()
        assert tree.stats()["items"] == len(tree) == 0


def test_values_of_any_kind_of_bytes(tree: BPlusTree) -> None:
    tree[b"a"] = bytearray(b"1")  # type: ignore[assignment]
    tree[b"b"] = memoryview(b"22")  # type: ignore[assignment]
    tree.put_many({b"c": memoryview(bytes(range(10)))[::2]})  # type: ignore[arg-type]
    assert dict(tree) == {b"a": b"1", b"b": b"22", b"c": b"\0\2\4\6\10"}
    assert all(type(value) is bytes for value in tree.values())


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (lambda tree: tree.__setitem__("a", b""), InputError, "a key is 'a'; it must be bytes"),
    (lambda tree: tree.__setitem__(1, b""), InputError, "a key is 1; it must be bytes"),
    (lambda tree: tree.__setitem__(bytearray(b"a"), b""), InputError, "a key is bytearray"),
    (lambda tree: tree.__setitem__(b"a", "b"), InputError, "a value is of type str; it must be bytes"),
    (lambda tree: tree.__setitem__(b"a", None), InputError, "a value is of type NoneType; it must be bytes"),
    (lambda tree: tree.__setitem__(b"k" * 1025, b""), InputError, "a key has 1025 bytes, and at most 128 are"),
    (lambda tree: tree.put_many(5), InputError, "items is 5; it must be a mapping, or pairs"),
    (lambda tree: tree.put_many([(b"n", b"new"), 7]), InputError, r"items\[1\] is 7; it must be a pair"),
    (lambda tree: tree.put_many([(b"n", b"new"), (b"m", 3)]), InputError, "a value is of type int"),
    (lambda tree: tree.__delitem__(b"none"), KeyError, "none"),
    (lambda tree: tree[b"none"], KeyError, "none"),
    (lambda tree: tree["key"], KeyError, "key"),
    (lambda tree: tree.__delitem__(3), KeyError, "3"),
    (lambda tree: tree.pop(b"none"), KeyError, "none"),
    (lambda tree: list(tree.range("a")), InputError, "start is 'a'; it must be bytes"),
    (lambda tree: list(tree.range(stop=3)), InputError, "stop is 3; it must be bytes"),
    (lambda tree: list(tree.range(prefix="a")), InputError, "prefix is 'a'; it must be bytes"),
    (lambda tree: tree.floor_item(5), InputError, "5; it must be bytes"),
    (lambda tree: tree.ceiling_item(5), InputError, "5; it must be bytes"),
]


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED)
def test_what_is_refused_changes_nothing(tree: BPlusTree, call: Any, kind: type[Exception], message: str) -> None:
    tree[b"key"] = b"value"
    with pytest.raises(kind, match=message):
        call(tree)
    assert dict(tree) == {b"key": b"value"}
    tree.check()
    assert tree.get("key") is None  # type: ignore[arg-type]
    assert tree.get_many([3, b"key", None]) == [None, b"value", None]  # type: ignore[list-item]


OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"page_size": 500}, "page_size is 500; it must be a power of two from 512 to 32768"),
    ({"page_size": 256}, "page_size is 256"),
    ({"page_size": 65536}, "page_size is 65536"),
    ({"durability": "perhaps"}, "durability is 'perhaps'"),
    ({"cache_size": -1}, "cache_size is -1"),
    ({"cache_size": 1.5}, "cache_size"),
]


@pytest.mark.parametrize(("options", "message"), OPTIONS)
def test_options_that_are_refused_leave_no_file_locked(options: dict[str, Any], message: str) -> None:
    disk = SimulatedDisk()
    with pytest.raises(InputError, match=message):
        BPlusTree.open(PATH, **({"filesystem": disk} | options))
    open_tree(disk).close()


def test_one_that_is_closed() -> None:
    disk = SimulatedDisk()
    tree = open_tree(disk)
    tree.put_many({key_of(k): b"" for k in range(20)})
    walk, view = iter(tree), tree.snapshot()
    next(walk)
    tree.close()
    tree.close()
    calls: list[Any] = [
        lambda: tree[b"a"],
        lambda: tree.__setitem__(b"a", b""),
        lambda: tree.__delitem__(key_of(1)),
        lambda: list(tree),
        lambda: list(walk),
        lambda: tree.get_many([b"a"]),
        lambda: tree.snapshot(),
        lambda: tree.check(),
        lambda: view[key_of(1)],
        lambda: list(view),
    ]
    for call in calls:
        with pytest.raises(ClosedError, match=r"tree\.db: the tree is closed; open it again"):
            call()
    view.close()
    open_tree(disk).close()


def test_a_snapshot_that_is_closed_and_one_that_is_written_to(tree: BPlusTree) -> None:
    tree[b"a"] = b"1"
    view = tree.snapshot()
    calls: list[Any] = [lambda: view.__setitem__(b"a", b""), lambda: view.__delitem__(b"a"), lambda: view.clear()]
    for call in calls:
        with pytest.raises(ReadOnlyError, match="snapshot"):
            call()
    assert dict(view) == {b"a": b"1"}
    view.close()
    view.close()
    calls = [lambda: view[b"a"], lambda: list(view), lambda: view.check(), lambda: view.get_many([b"a"])]
    for call in calls:
        with pytest.raises(ClosedError, match="the snapshot is closed"):
            call()


def test_reading_only() -> None:
    disk = SimulatedDisk()
    with pytest.raises(StorageError, match="no such file"):
        open_tree(disk, readonly=True)
    with open_tree(disk) as tree:
        tree.put_many({key_of(k): b"%d" % k for k in range(50)})
        items = dict(tree)
        # Beside one that writes.
        with open_tree(disk, readonly=True) as reader:
            assert dict(reader) == items
            reader.check()
            calls: list[Any] = [lambda: reader.__setitem__(b"a", b""), lambda: reader.__delitem__(key_of(3))]
            for call in calls:
                with pytest.raises(ReadOnlyError, match=r"tree\.db: the tree was opened for reading only"):
                    call()
    writes = [line for line in disk.log if line.startswith("write tree.db ")]
    with open_tree(disk, readonly=True) as reader, open_tree(disk, readonly=True) as other:
        assert dict(reader) == dict(other) == items
    assert [line for line in disk.log if line.startswith("write tree.db ")] == writes


@pytest.mark.parametrize("seed", range(2))
def test_reading_beside_one_that_writes(seed: int) -> None:
    """Each call sees the last commit, and a snapshot what it was taken of, whatever is committed, closed or moved."""
    disk, dice, model = SimulatedDisk(seed), random.Random(seed), Items()
    writer, readers = open_tree(disk), []
    views: list[tuple[Any, Items]] = []
    for step, commit in enumerate(at_random(seed, 60)):
        apply(writer, commit)
        model = after(model, commit)
        if dice.random() < 0.1:
            readers.append(open_tree(disk, readonly=True))
        if step % 20 == 19:
            writer.close()
            writer = open_tree(disk)
        if dice.random() < 0.2 and not views:  # with a view open, a reader stays with the old file
            writer.compact()
        for reader in readers:
            if dice.random() < 0.5:
                assert dict(reader) == model
                assert len(reader) == len(model)
                assert reader.get_many(sorted(model)) == [model[key] for key in sorted(model)]
            if dice.random() < 0.1:
                reader.check()
            if dice.random() < 0.1:
                views.append((reader.snapshot(), model))
        for view, items in views:
            assert dict(view) == items
        if dice.random() < 0.2:
            dice.shuffle(views)
            for view, _ in views[2:]:
                view.close()
            del views[2:]
        if len(readers) > 2 and not views:
            readers.pop().close()
    for view, _ in views:
        view.close()
    for reader in readers:
        assert dict(reader) == model
        reader.close()
    writer.check()
    writer.close()


def test_only_one_may_write(tmp_path: Path) -> None:
    for tree_path, disk in ((PATH, SimulatedDisk()), (tmp_path / "tree.db", None)):
        with BPlusTree.open(tree_path, filesystem=disk) as tree:
            with pytest.raises(LockedError, match="locked by process"):
                BPlusTree.open(tree_path, filesystem=disk)
            tree[b"a"] = b"1"
        with BPlusTree.open(tree_path, filesystem=disk) as tree:
            assert dict(tree) == {b"a": b"1"}


@pytest.mark.parametrize("path", ["tree.db", "a/tree.db", "/a/tree.db"])
def test_paths(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is one of the file system that is given: the same rules for the simulated one."""
    disk = SimulatedDisk()
    disk.make_directory("a")
    disk.sync_directory(".")
    with BPlusTree.open(path, filesystem=disk) as tree:
        tree[b"a"] = b"1"
    with BPlusTree.open(path, filesystem=disk.crash("none")) as tree:
        assert dict(tree) == {b"a": b"1"}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    with BPlusTree.open(path.lstrip("/")) as tree:
        tree[b"a"] = b"1"


@pytest.mark.interpreted
def test_a_transaction_that_was_overtaken(tree: BPlusTree) -> None:
    tree[b"a"] = b"1"
    first, second = tree.transaction(), tree.transaction()
    first[b"a"], second[b"b"] = b"2", b"3"
    assert (first[b"a"], second[b"a"], tree[b"a"]) == (b"2", b"1", b"1")
    first.commit()
    with pytest.raises(ConflictError, match="was changed after this transaction began"):
        second.commit()
    assert dict(tree) == {b"a": b"2"}
    batch = tree.batch()
    for block in (tree.transaction(), batch):
        with pytest.raises(ZeroDivisionError), block as changes:  # noqa: PT012  # it is the block that is tested
            changes[b"c"] = b"4"
            raise ZeroDivisionError
    with tree.transaction(readonly=True) as reader, pytest.raises(ReadOnlyError, match="reading only"):
        reader[b"c"] = b"5"
    assert dict(tree) == {b"a": b"2"}
    for done in (lambda: second[b"a"], lambda: second.__setitem__(b"a", b""), lambda: batch.__setitem__(b"a", b"")):
        with pytest.raises(ClosedError):
            done()
    assert tree.stats()["snapshots"] == 0


def test_a_file_gets_smaller() -> None:
    disk = SimulatedDisk()
    with open_tree(disk) as tree:
        tree.put_many({key_of(k): b"x" * 300 for k in range(100)})
        for k in range(0, 100, 3):
            tree[key_of(k)] = b""
        with tree.snapshot(), pytest.raises(StorageError, match="cannot be compacted while a snapshot"):
            tree.compact()
        items, pages, walk = dict(tree), tree.stats()["pages"], iter(tree.items())
        next(walk)
        tree.compact()
        assert dict(tree) == items
        assert dict([next(iter(items.items())), *walk]) == items, "who walks over it walks on"
        assert tree.stats()["pages"] < 0.75 * pages
        tree.check()
        tree[b"a"] = b"1"
    with open_tree(disk.crash("none")) as tree:
        assert dict(tree) == items | {b"a": b"1"}
        tree.check()


def test_the_page_size_of_a_file_stays() -> None:
    disk = SimulatedDisk()
    with open_tree(disk, 1024) as tree:
        tree[b"a"] = b"1"
    with open_tree(disk, 4096) as tree:
        tree[b"b"] = b"2"
        assert dict(tree) == {b"a": b"1", b"b": b"2"}


@pytest.mark.parametrize("content", [b"x", b"hello, world" * 1000, bytes(5000)])
@pytest.mark.parametrize("readonly", [False, True])
def test_a_file_of_something_else_is_left_alone(content: bytes, readonly: bool) -> None:
    disk = SimulatedDisk()
    with disk.open(PATH, create=True) as file:
        file.write_at(0, content)
    with pytest.raises(CorruptDataError, match=r"tree\.db"):
        open_tree(disk, readonly=readonly)
    with disk.open(PATH) as file:
        assert file.read_at(0, 10**6) == content


def test_without_syncs_the_system_has_it_and_sync_puts_it_on_disk() -> None:
    disk = SimulatedDisk()
    with open_tree(disk, durability="none") as tree:
        before = disk.counts["datasync"]
        for commit in growing(4):
            tree.put_many({key: value for key, value in commit.items() if value is not None})
        items = dict(tree)
        assert disk.counts["datasync"] == before
        with open_tree(disk.crash("all")) as found:
            assert dict(found) == items
        tree.sync()
        with open_tree(disk.crash("none")) as found:
            assert dict(found) == items
        tree[b"more"] = b""
        synced = disk.counts["datasync"]
    assert disk.counts["datasync"] == synced
    with open_tree(disk.crash("all")) as found:
        assert dict(found) == items | {b"more": b""}
        found.check()


def test_a_commit_that_changes_nothing_writes_nothing(tree: BPlusTree) -> None:
    before = tree.stats()
    tree.put_many([])
    tree.put_many({})
    assert tree.stats() == before


@pytest.mark.interpreted
def test_equality(tree: BPlusTree) -> None:
    tree.put_many({b"a": b"1", b"b": b"2"})
    with open_tree(SimulatedDisk()) as other:
        other.put_many([(b"b", b"2"), (b"a", b"0"), (b"a", b"1")])
        assert tree == other == {b"a": b"1", b"b": b"2"}
        with tree.snapshot() as view:
            assert view == other
        del other[b"a"]
        assert tree != other
