"""What a crash of a simulated disk may leave, held against a model; and a program that needs each of its syncs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.storage import SimulatedDisk
from tests.storage.disk_contents import contents


@dataclass
class Model:
    """One file by the essay's words: what was synced, and what is pending; a truncation has no data."""

    synced: bytes = b""
    seen: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def change(self, place: int, data: bytes | None) -> None:
        self.pending.append((place, data))
        padded = self.seen.ljust(place, b"\0")
        self.seen = padded[:place] if data is None else padded[:place] + data + padded[place + len(data) :]

    def sync(self) -> None:
        self.synced, self.pending = self.seen, []

    def lengths(self) -> set[int]:
        return {len(self.synced), *(place + len(data or b"") for place, data in self.pending)}

    def values(self, place: int) -> set[int]:
        """Return what the byte at a place may be after a crash that left the file as long as that."""
        cuts = [cut for cut, data in self.pending if data is None]
        values = {self.synced[place]} if place < len(self.synced) else {0}
        values |= {data[place - begin] for begin, data in self.pending if data and 0 <= place - begin < len(data)}
        return values | ({0} if any(cut <= place for cut in cuts) else set())


# Far apart and around the borders of sectors.
PLACES = st.one_of(st.integers(0, 1600), st.sampled_from((0, 511, 512, 513, 1024)))
DATA = st.builds(lambda size, value: bytes([value]) * size, st.integers(1, 1300), st.integers(1, 255))
CHANGES = st.one_of(
    st.tuples(st.just("write"), PLACES, DATA),
    st.tuples(st.just("truncate"), PLACES, st.none()),
    st.tuples(st.just("sync"), st.just(0), st.none()),
)


@given(st.lists(CHANGES, max_size=8), st.integers(0, 2**32))
def test_a_crash_leaves_what_it_may(changes: list[tuple[str, int, bytes | None]], seed: int) -> None:
    """Invariants 1 to 4, for one file."""
    disk, model = SimulatedDisk(seed), Model()
    file = disk.open("f", create=True)
    disk.sync_directory(".")
    for verb, place, data in changes:
        if verb == "sync":
            file.datasync()
            model.sync()
        elif data is None:
            file.truncate(place)
            model.change(place, None)
        else:
            file.write_at(place, data)
            model.change(place, data)
        assert file.read_at(0, 10**6) == model.seen
    assert contents(disk.crash("none"))["f"] == model.synced
    assert contents(disk.crash("all"))["f"] == model.seen
    for mode in ("subset", "torn") * 4:
        after = disk.crash(mode)
        left = contents(after)["f"]
        assert len(left) in model.lengths()
        for place in range(len(left)):
            assert left[place] in model.values(place)
        assert contents(after.crash("none"))["f"] == left
        assert contents(after.crash("torn"))["f"] == left
    assert file.read_at(0, 10**6) == model.seen


@pytest.mark.parametrize("mode", ["subset", "torn"])
def test_all_that_may_be_left_comes_up(mode: Any) -> None:
    """The essay's picture: writes of 0..600 and of 600..700."""
    disk = SimulatedDisk(seed=3)
    file = disk.open("log", create=True)
    disk.sync_directory(".")
    file.append(b"a" * 600)
    file.append(b"b" * 100)
    left = {contents(disk.crash(mode))["log"] for _ in range(500)}
    parts = (b"a" * 512, b"a" * 88, b"b" * 100)
    if mode == "subset":
        assert left == {b"", b"a" * 600, bytes(600) + b"b" * 100, b"a" * 600 + b"b" * 100}
    else:
        whole = {
            b"".join(part if kept >> i & 1 else bytes(len(part)) for i, part in enumerate(parts)) for kept in range(8)
        }
        assert left == {state[:size] for state in whole for size in (0, 600, 700)}


def test_a_write_is_torn_where_sectors_of_the_file_meet() -> None:
    disk = SimulatedDisk(seed=4)
    file = disk.open("f", create=True)
    disk.sync_directory(".")
    file.truncate(1300)
    file.datasync()
    file.write_at(300, b"x" * 1000)
    left = {contents(disk.crash("torn"))["f"] for _ in range(200)}
    parts = ((300, 512), (512, 1024), (1024, 1300))
    assert left == {
        bytes(300)
        + b"".join((b"x" if kept >> i & 1 else b"\0") * (end - begin) for i, (begin, end) in enumerate(parts))
        for kept in range(8)
    }


def test_a_file_is_renamed_in_one_step() -> None:
    disk = SimulatedDisk(seed=6)
    disk.replace_contents("a", b"A")
    disk.replace_contents("b", b"B")
    disk.rename("a", "b")
    left = [contents(disk.crash()) for _ in range(50)]
    assert {"a": b"A", "b": b"B"} in left
    assert {"b": b"A"} in left
    assert all(names in ({"a": b"A", "b": b"B"}, {"b": b"A"}) for names in left)


def test_one_lost_of_many_and_one_kept_of_many_come_up() -> None:
    disk = SimulatedDisk(seed=5)
    file = disk.open("f", create=True)
    file.truncate(20 * 512)
    file.datasync()
    disk.sync_directory(".")
    for page in range(20):
        file.write_at(512 * page, b"x" * 512)
    counts = {contents(disk.crash("subset"))["f"].count(b"x" * 512) for _ in range(1000)}
    assert counts >= {0, 1, 2, 18, 19, 20}


NAMES = ("a", "b", "c")
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("unlink"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.tuples(st.just("sync"), st.just(""), st.just("")),
    ),
    max_size=12,
)


@given(CALLS, st.integers(0, 2**32))
def test_names_are_those_of_the_last_sync_or_of_a_later_call(calls: list[tuple[str, str, str]], seed: int) -> None:
    """Invariants 1, 2 and 4, for names; each file holds a number of its own, which is synced."""
    disk, number = SimulatedDisk(seed), 0
    disk.make_directory("db")
    disk.sync_directory(".")
    synced: dict[str, bytes] = {}
    seen: dict[str, bytes] = {}
    may_be: dict[str, set[bytes | None]] = {name: {None} for name in NAMES}
    for verb, name, other in calls:
        if verb == "create" and name not in seen:
            number += 1
            seen[name] = b"%d" % number
            with disk.open(f"db/{name}", create=True) as file:
                file.append(seen[name])
                file.datasync()
            may_be[name].add(seen[name])
        elif verb == "unlink" and name in seen:
            del seen[name]
            disk.unlink(f"db/{name}")
            may_be[name].add(None)
        elif verb == "rename" and name in seen:
            disk.rename(f"db/{name}", f"db/{other}")
            if name != other:
                seen[other] = seen.pop(name)
                may_be[name].add(None)
                may_be[other].add(seen[other])
        elif verb == "sync":
            disk.sync_directory("db")
            synced = dict(seen)
            may_be = {name: {synced.get(name)} for name in NAMES}
    assert contents(disk, "db") == seen == contents(disk.crash("all"), "db")
    assert contents(disk.crash("none"), "db") == synced
    for mode in ("subset", "torn") * 4:
        left = contents(disk.crash(mode), "db")
        for name in NAMES:
            assert left.get(name) in may_be[name]


def test_a_directory_that_was_not_synced_is_lost_with_all_in_it() -> None:
    disk = SimulatedDisk()
    disk.make_directory("db")
    with disk.open("db/f", create=True) as file:
        file.append(b"x")
        file.datasync()
    disk.sync_directory("db")
    assert disk.crash("none").list_directory(".") == []
    disk.sync_directory("/")
    assert contents(disk.crash("none"), "db") == {"f": b"x"}


def test_a_seed_repeats_everything() -> None:
    """Invariant 6."""

    def run(seed: int) -> list[dict[str, bytes]]:
        disk = SimulatedDisk(seed)
        states: list[dict[str, bytes]] = []
        disk.watch(lambda: states.append(contents(disk.crash())))
        file = disk.open("f", create=True)
        for step in range(20):
            file.append(bytes([step]) * 300)
        disk.sync_directory(".")
        disk.flip_bits("f", 3)
        return [*states, contents(disk), contents(disk.crash(seed=9)), contents(disk.crash(seed=9))]

    assert run(1) == run(1) != run(2)
    assert run(1)[-1] == run(1)[-2]


def replace_carelessly(disk: SimulatedDisk, path: str, data: bytes, without: str) -> None:
    """Do what `replace_contents` does, and leave one of its steps out."""
    with disk.open(path + ".tmp", create=True) as file:
        file.truncate(0)
        file.write_at(0, data)
        if without != "datasync":
            file.datasync()
    disk.rename(path + ".tmp", path)
    if without != "sync_directory":
        disk.sync_directory(".")


@pytest.mark.parametrize("without", ["", "datasync", "sync_directory"])
def test_contents_are_replaced_wholly_or_not_at_all(without: str) -> None:
    """Crash at every call, in many ways: the old contents or the new, and the new once the caller was told so."""
    found: set[str] = set()
    told = 0
    values = [bytes([65 + number]) * (700 + number) for number in range(4)]

    def look() -> None:
        for _ in range(30):
            left = contents(disk.crash()).get("CURRENT")
            if left == values[told]:
                found.add("old")
            elif told + 1 < len(values) and left == values[told + 1]:
                found.add("new")
            else:
                found.add("older" if left in values else "damaged")

    disk = SimulatedDisk(seed=11)
    disk.replace_contents("CURRENT", values[0])
    disk.watch(look)
    for number in range(1, len(values)):
        if without:
            replace_carelessly(disk, "CURRENT", values[number], without)
        else:
            disk.replace_contents("CURRENT", values[number])
        told = number
    look()
    assert found == {"old", "new"} | {"": set(), "datasync": {"damaged"}, "sync_directory": {"older"}}[without]
