"""Simulated disks: the log, the power that goes within a call, syncs that fail, disks that fill up, bits that flip."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import DiskFullError, InputError, LockedError, SmlibError, StorageError
from smlib.storage import SimulatedCrash, SimulatedDisk
from tests.storage.disk_contents import contents


def program(disk: SimulatedDisk) -> None:
    """Make every kind of call that counts."""
    disk.make_directory("db")
    with disk.lock("db/LOCK"), disk.open("db/a", create=True) as file:
        try:
            file.append(b"x" * 1000)
            file.truncate(700)
            file.datasync()
            disk.rename("db/a", "db/b")
            disk.sync_directory("db")
            disk.unlink("db/b")
        finally:
            file.append(b"rolled back")


PROGRAM_LOG = [
    "make_directory db",
    "lock db/LOCK",
    "create db/a",
    "write db/a 0..1000",
    "truncate db/a 700",
    "datasync db/a",
    "rename db/a -> db/b",
    "sync_directory db",
    "unlink db/b",
    "write db/a 700..711",
]


def test_the_log_reads_well() -> None:
    disk = SimulatedDisk()
    program(disk)
    assert disk.log == PROGRAM_LOG
    assert disk.calls == len(PROGRAM_LOG)
    with disk.open("db/LOCK") as file:
        file.read_at(0, 512)
    assert disk.log[-1] == "read db/LOCK 0..512"
    assert disk.calls == len(PROGRAM_LOG)
    assert (disk.counts["read"], disk.counts["write"], disk.counts["datasync"]) == (1, 2, 1)


@pytest.mark.parametrize("number", range(1, len(PROGRAM_LOG) + 1))
def test_the_power_goes_within_a_call(number: int) -> None:
    """Invariant 5: and neither `except Exception` nor `finally` goes on."""
    disk = SimulatedDisk()
    disk.crash_after(number)
    with pytest.raises(SimulatedCrash, match="the power"), suppress(Exception):
        program(disk)
    assert disk.log == [*PROGRAM_LOG[:number], "crash"]
    before = contents(disk.crash("all"), "db")
    for call in (lambda: disk.open("f", create=True), lambda: disk.exists("db"), lambda: disk.unlink("db/a")):
        with pytest.raises(SimulatedCrash, match="the power is off"):
            call()
    assert disk.log == [*PROGRAM_LOG[:number], "crash"]
    assert contents(disk.crash("all"), "db") == before
    # The call's changes are pending; the lock is gone.
    after = disk.crash("all")
    after.lock("db/LOCK").close()
    if number == 4:
        assert before["a"] == b"x" * 1000
    assert contents(disk.crash("none")) == {}


def test_a_crash_is_no_exception() -> None:
    assert issubclass(SimulatedCrash, BaseException)
    assert not issubclass(SimulatedCrash, Exception)
    assert not issubclass(SimulatedCrash, SmlibError)


def test_a_failed_sync_loses_what_a_later_one_does_not_bring_back() -> None:
    """Invariant 7."""
    outcomes = set()
    for seed in range(60):
        disk = SimulatedDisk(seed)
        file = disk.open("f", create=True)
        disk.sync_directory(".")
        file.append(b"old")
        file.datasync()
        file.append(b"new")
        disk.fail_sync(2)
        disk.sync_directory(".")
        with pytest.raises(StorageError, match="simulated"):
            file.datasync()
        assert disk.log[-2:] == ["datasync f", "fail f"]
        file.close()
        # Whoever tries again is told that all is well, and sees all that was written.
        with disk.open("f") as again:
            again.datasync()
            assert again.read_at(0, 9) == b"oldnew"
        left = contents(disk.crash("none"))["f"]
        assert contents(disk.crash("all"))["f"] == left
        outcomes.add(left)
    assert outcomes == {b"old", b"oldnew", b"old\0\0\0"}


def test_a_failed_sync_of_a_directory_loses_names() -> None:
    outcomes = set()
    for seed in range(40):
        disk = SimulatedDisk(seed)
        disk.open("f", create=True).close()
        disk.fail_sync()
        with pytest.raises(StorageError, match=r"^\.: syncing the directory failed"):
            disk.sync_directory(".")
        assert disk.exists("f")
        disk.sync_directory(".")
        outcomes.add(disk.crash("none").exists("f"))
    assert outcomes == {True, False}


def test_a_disk_fills_up() -> None:
    disk = SimulatedDisk()
    with disk.open("f", create=True) as file, disk.open("g", create=True) as other:
        file.append(b"x" * 100)
        disk.fill_up_after(50)
        file.append(b"y" * 30)
        with pytest.raises(DiskFullError, match="f: writing 30 bytes at 130 failed"):
            file.append(b"z" * 30)
        assert disk.log[-1] == "write f 130..160 full at 150"
        assert file.read_at(100, 99) == b"y" * 30 + b"z" * 20
        # Writing over what is there needs no room; growing does, over a gap too.
        file.write_at(0, b"w" * 150)
        with pytest.raises(DiskFullError):
            file.write_at(149, b"vv")
        assert file.read_at(148, 9) == b"wv"
        for call in (lambda: other.append(b"x"), lambda: other.write_at(10, b"x"), lambda: other.truncate(1)):
            with pytest.raises(DiskFullError):
                call()
        assert other.size() == 0
        file.truncate(140)
        with pytest.raises(DiskFullError):
            other.write_at(10, b"x")
        other.append(b"x" * 10)
        disk.unlink("f")
        other.append(b"x" * 140)
        disk.fill_up_after(None)
        other.append(b"x" * 10**6)
    disk.fill_up_after(0)
    with pytest.raises(DiskFullError):
        disk.replace_contents("g", b"smaller")
    disk.fill_up_after(7)
    disk.replace_contents("g", b"smaller")
    assert contents(disk.crash("none"))["g"] == b"smaller"


def test_replacing_gives_room_back() -> None:
    disk = SimulatedDisk()
    disk.replace_contents("f", bytes(100))
    disk.fill_up_after(100)
    for _ in range(5):
        disk.replace_contents("f", bytes(100))
    disk.rename("f", "f")
    with pytest.raises(DiskFullError):
        disk.replace_contents("f", bytes(101))


@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(0, 60), st.integers(60, 100))
def test_bits_flip(seed: int, count: int, begin: int, end: int) -> None:
    disk = SimulatedDisk(seed)
    file = disk.open("f", create=True)
    disk.sync_directory(".")
    file.append(bytes(100))
    count = min(count, 8 * (end - begin))
    bits = disk.flip_bits("f", count, begin, end)
    damaged = int.from_bytes(file.read_at(0, 100), "little")
    assert [bit for bit in range(800) if damaged >> bit & 1] == bits
    assert len(bits) == count
    assert all(8 * begin <= bit < 8 * end for bit in bits)
    assert contents(disk.crash("none"))["f"] == damaged.to_bytes(100, "little")


def test_a_lock_does_not_outlive_the_power() -> None:
    disk = SimulatedDisk()
    lock = disk.lock("LOCK")
    with pytest.raises(LockedError):
        disk.lock("LOCK")
    disk.crash("all").lock("LOCK").close()
    disk.crash("none").lock("LOCK").close()
    assert lock.held


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda disk: disk.crash("some"), "survivors is 'some'"),
        (lambda disk: disk.crash_after(0), "calls is 0"),
        (lambda disk: disk.fail_sync(0), "syncs is 0"),
        (lambda disk: disk.fill_up_after(-1), "-1 bytes"),
        (lambda disk: disk.flip_bits("f", 25), "25 bits of the bytes 0..3 of 3"),
        (lambda disk: disk.flip_bits("f", 1, 2, 4), "cannot be flipped"),
        (lambda disk: disk.flip_bits("f", -1), "cannot be flipped"),
    ],
)
def test_a_disk_refuses(call: Callable[[SimulatedDisk], object], message: str) -> None:
    disk = SimulatedDisk()
    disk.replace_contents("f", b"abc")
    with pytest.raises(InputError, match=message):
        call(disk)
