"""File systems, the machine's and the simulated: one interface, its errors, and locks among processes."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import ClosedError, DiskFullError, InputError, LockedError, ReadOnlyError, StorageError
from smlib.storage import File, FileSystem, LocalFileSystem, Lock, SimulatedDisk
from smlib.storage.local_filesystem import LocalFile

FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
MAPPED = pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system maps no file")
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked and killed")

# What a file refuses that may not be changed.
CHANGES: list[tuple[str, tuple[Any, ...]]] = [
    ("write_at", (0, b"x")),
    ("append", (b"x",)),
    ("truncate", (0,)),
    ("map", (1,)),
    ("datasync", ()),
]


@pytest.fixture(params=["local", "simulated"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileSystem:
    monkeypatch.chdir(tmp_path)
    return LocalFileSystem() if request.param == "local" else SimulatedDisk(seed=1)


def test_reads_and_writes_at_positions(disk: FileSystem) -> None:
    with disk.open("f", create=True) as file:
        assert file.size() == 0
        assert file.append(b"hello ") == 0
        assert file.append(bytearray(b"world")) == 6
        file.write_at(0, memoryview(b"H"))
        assert file.read_at(0, 100) == b"Hello world"
        assert file.read_at(4, 3) == b"o w"
        assert file.read_at(11, 5) == file.read_at(50, 5) == file.read_at(2, 0) == b""
        file.write_at(13, b"!")
        assert file.read_at(9, 9) == b"ld\0\0!"
        file.truncate(3)
        file.truncate(5)
        assert (file.read_at(0, 9), file.size()) == (b"Hel\0\0", 5)
        file.write_at(99, b"")
        assert file.size() == 5
        file.datasync()
    with disk.open("f", readonly=True) as file:
        assert file.read_at(0, 9) == b"Hel\0\0"


WRITES = st.tuples(st.just("write"), st.integers(0, 2000), st.binary(max_size=1200))
TRUNCATIONS = st.tuples(st.just("truncate"), st.integers(0, 2000), st.just(b""))
READS = st.tuples(st.just("read"), st.integers(0, 2500), st.integers(0, 1200).map(bytes))
APPENDS = st.tuples(st.just("append"), st.just(0), st.binary(max_size=700))


@given(st.lists(st.one_of(WRITES, TRUNCATIONS, READS, APPENDS), max_size=20))
def test_a_file_is_an_array_of_bytes(steps: list[tuple[str, int, bytes]]) -> None:
    """Invariants 1 and 2, against an array in which everything behind the end is zero."""
    model, size = bytearray(5000), 0
    name = "model.tmp"
    with scratch_folder() as folder:
        files = [LocalFileSystem().open(folder / name, create=True), SimulatedDisk().open(name, create=True)]
        for verb, place, data in steps:
            if verb == "append":
                assert [file.append(data) for file in files] == [size, size]
                model = model[:size] + data + bytes(5000)
                size += len(data)
            elif verb == "write":
                for file in files:
                    file.write_at(place, data)
                model[place : place + len(data)] = data
                size = max(size, place + len(data)) if data else size
            elif verb == "truncate":
                for file in files:
                    file.truncate(place)
                model = model[: min(place, size)] + bytes(5000)
                size = place
            else:
                expected = bytes(model[place : min(size, place + len(data))]) if place < size else b""
                assert [file.read_at(place, len(data)) for file in files] == [expected, expected]
            assert [file.size() for file in files] == [size, size]
        for file in files:
            file.datasync()
            assert file.read_at(0, 10**6) == model[:size]
            file.close()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_names(disk: FileSystem) -> None:
    disk.make_directory("db")
    disk.make_directory("db")
    for name in ("b", "a"):
        disk.open(f"db/{name}", create=True).close()
    with disk.open("db/a") as file:
        file.write_at(0, b"of a")
    assert disk.list_directory("db") == ["a", "b"]
    disk.rename("db/a", "db/b")
    assert disk.list_directory(Path("db")) == ["b"]
    assert not disk.exists("db/a")
    assert disk.exists("db/b")
    assert disk.exists("db")
    with disk.open("db/b") as file:
        disk.unlink("db/b")
        assert file.read_at(0, 9) == b"of a"
    assert disk.list_directory("db") == []
    disk.sync_directory("db")
    disk.sync_directory(".")


def test_an_open_file_follows_its_new_name(disk: FileSystem) -> None:
    with disk.open("old", create=True) as file:
        disk.rename("old", "new")
        disk.rename("new", "new")
        file.append(b"x")
        with disk.open("new") as same:
            assert same.read_at(0, 2) == b"x"


def test_creating_keeps_what_is_there(disk: FileSystem) -> None:
    disk.replace_contents("f", b"old")
    with disk.open("f", create=True) as file:
        assert file.read_at(0, 9) == b"old"


def test_contents_are_replaced(disk: FileSystem) -> None:
    disk.make_directory("db")
    with disk.open("db/CURRENT.tmp", create=True) as left:
        left.append(b"left by a crash, and longer")
    for contents in (b"one", b"two"):
        disk.replace_contents(Path("db") / "CURRENT", contents)
        with disk.open("db/CURRENT") as file:
            assert file.read_at(0, 99) == contents
    assert disk.list_directory("db") == ["CURRENT"]


def test_a_file_refuses(disk: FileSystem) -> None:
    file = disk.open("f", create=True)
    for call in (lambda: file.read_at(-1, 1), lambda: file.read_at(0, -1), lambda: file.write_at(-1, b"x")):
        with pytest.raises(InputError, match=r"f: .*at least 0"):
            call()
    with pytest.raises(InputError, match="at least 0"):
        file.truncate(-1)
    with pytest.raises(InputError, match="bytes-like"):
        file.write_at(0, "text")  # type: ignore[arg-type]
    file.close()
    file.close()
    assert file.closed
    for name, arguments in (*CHANGES, ("read_at", (0, 1)), ("size", ())):
        with pytest.raises(ClosedError, match="f: the file is closed"):
            getattr(file, name)(*arguments)
    with disk.open("f", readonly=True) as file:
        for name, arguments in CHANGES:
            with pytest.raises(ReadOnlyError, match="f: the file was opened for reading only"):
                getattr(file, name)(*arguments)


def test_a_file_system_refuses(disk: FileSystem) -> None:
    disk.make_directory("db")
    disk.open("f", create=True).close()
    with pytest.raises(StorageError, match=r"g: opening it failed: .*create=True"):
        disk.open("g")
    with pytest.raises(InputError, match="leave create or readonly out"):
        disk.open("g", create=True, readonly=True)
    for call in (
        lambda: disk.open("db", create=True),
        lambda: disk.open("nowhere/f", create=True),
        lambda: disk.open("f/f", create=True),
        lambda: disk.list_directory("nowhere"),
        lambda: disk.list_directory("f"),
        lambda: disk.sync_directory("nowhere"),
        lambda: disk.sync_directory("f"),
        lambda: disk.make_directory("f"),
        lambda: disk.make_directory("nowhere/db"),
        lambda: disk.rename("g", "h"),
        lambda: disk.rename("f", "db"),
        lambda: disk.unlink("g"),
        lambda: disk.unlink("db"),
        lambda: disk.lock("db"),
        lambda: disk.lock("nowhere/LOCK"),
    ):
        with pytest.raises(StorageError, match=r"(nowhere|[fgh]|db)\b.*"):
            call()
    with pytest.raises(InputError, match="another directory"):
        disk.rename("f", "db/f")
    assert not disk.exists("nowhere/f")
    assert disk.list_directory(".") == ["db", "f"]


def owns(lock: Lock) -> bool:
    return lock.held


def test_a_lock_has_one_owner(disk: FileSystem) -> None:
    with disk.open("LOCK", create=True) as file:
        file.append(b"what an owner of old has left")
    with disk.lock("LOCK") as lock:
        assert owns(lock)
        with disk.open("LOCK", readonly=True) as file:
            assert file.read_at(0, 20) == b"%d\n" % os.getpid()
        # Reading and closing the file has not given the lock back.
        for _ in range(2):
            with pytest.raises(LockedError, match=f"LOCK: locked by process {os.getpid()}, which is this one"):
                disk.lock("LOCK")
    assert not owns(lock)
    lock.close()
    with disk.lock("LOCK") as again:
        lock.close()
        assert owns(again)
        with pytest.raises(LockedError):
            disk.lock("LOCK")


def failing(number: int) -> object:
    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize(("number", "kind"), [(errno.EIO, StorageError), (errno.ENOSPC, DiskFullError)])
def test_a_failed_sync_is_the_last(
    disk: FileSystem, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StorageError]
) -> None:
    """Invariant 3."""
    file = disk.open("f", create=True)
    file.append(b"before")
    if isinstance(disk, SimulatedDisk):
        disk.fail_sync()
        kind = StorageError
    else:
        monkeypatch.setattr(os, "fdatasync" if sys.platform == "linux" else "fsync", failing(number))
    with pytest.raises(kind, match="f: syncing it failed"):
        file.datasync()
    monkeypatch.undo()
    for name, arguments in CHANGES:
        with pytest.raises(StorageError, match=r"unknown .*syncing it failed.*recover as after a crash"):
            getattr(file, name)(*arguments)
    assert file.read_at(0, 9) == b"before"
    file.close()


def test_a_disk_says_that_it_is_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with LocalFileSystem().open(tmp_path / "f", create=True) as file:
        for number in (errno.ENOSPC, errno.EDQUOT):
            monkeypatch.setattr(LocalFile, "_write_some", failing(number))
            with pytest.raises(DiskFullError, match=r"f: writing 3 bytes at 0 failed, for the disk is full"):
                file.append(b"abc")
        monkeypatch.undo()
        # It can be tried again.
        file.append(b"abc")
        file.datasync()


@MAPPED
def test_what_is_stored_in_a_mapping_is_written(tmp_path: Path) -> None:
    with LocalFileSystem().open(tmp_path / "f", create=True) as file:
        file.append(b"hello")
        memory = file.map(4096)
        assert memory is not None
        assert (file.size(), len(memory), bytes(memory[:6])) == (4096, 4096, b"hello\0")
        memory[:1] = b"J"
        file.write_at(5, b"!")
        assert file.read_at(0, 6) == bytes(memory[:6]) == b"Jello!"
        # A mapping that is looked at is not moved: both show the file.
        longer = file.map(3 * 4096)
        assert longer is not None
        longer[8000:8001] = b"x"
        memory[:1] = b"C"
        assert file.read_at(0, 6) == bytes(longer[:6]) == b"Cello!"
        del memory, longer
        # One that nobody looks at becomes longer.
        longest = file.map(5 * 4096)
        assert longest is not None
        assert (len(longest), longest[8000]) == (5 * 4096, ord("x"))
        file.datasync()
    assert bytes(longest[:5]) == b"Cello"
    assert (tmp_path / "f").stat().st_size == 5 * 4096


@MAPPED
def test_a_file_that_cannot_be_mapped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with LocalFileSystem().open(tmp_path / "f", create=True) as file:
        with pytest.raises(InputError, match="f: 0 bytes cannot be mapped"):
            file.map(0)
        for number, kind in ((errno.ENOSPC, DiskFullError), (errno.EIO, StorageError)):
            monkeypatch.setattr(os, "posix_fallocate", failing(number))
            with pytest.raises(kind, match="f: mapping 10 bytes of it failed"):
                file.map(10)
        monkeypatch.setattr(os, "posix_fallocate", failing(errno.EOPNOTSUPP))
        assert file.map(10) is None
        monkeypatch.delattr(os, "posix_fallocate")
        assert file.map(10) is None
    assert SimulatedDisk().open("f", create=True).map(10) is None


@FULL
def test_a_device_that_is_full() -> None:
    with LocalFileSystem().open("/dev/full") as file:
        with pytest.raises(DiskFullError, match="/dev/full: writing 3 bytes at 0"):
            file.write_at(0, b"abc")
        # And cannot be synced.
        with pytest.raises(StorageError, match="syncing it failed"):
            file.datasync()
        with pytest.raises(StorageError, match="unknown"):
            file.write_at(0, b"abc")


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_a_system_that_reads_and_writes_little_at_a_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at_once: int
) -> None:
    read_some, write_some = LocalFile._read_some, LocalFile._write_some
    monkeypatch.setattr(LocalFile, "_read_some", lambda f, offset, size: read_some(f, offset, min(size, at_once)))
    monkeypatch.setattr(LocalFile, "_write_some", lambda f, offset, data: write_some(f, offset, data[:at_once]))
    with LocalFileSystem().open(tmp_path / "f", create=True) as file:
        file.write_at(3, bytes(range(50)))
        assert file.read_at(0, 99) == bytes(3) + bytes(range(50))
        assert file.read_at(10, 20) == bytes(range(7, 27))


def test_a_position_beyond_all_files(tmp_path: Path) -> None:
    with LocalFileSystem().open(tmp_path / "f", create=True) as file:
        for call in (lambda: file.write_at(2**70, b"x"), lambda: file.truncate(2**70), lambda: file.read_at(2**70, 1)):
            with pytest.raises(StorageError, match="f: "):
                call()


HOLD = """
import sys, time
from smlib.storage.local_filesystem import LocalFileSystem
lock = LocalFileSystem().lock(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


@UNIX
def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    """Invariant 4: among processes, and when the owner is killed."""
    path = tmp_path / "LOCK"
    disk = LocalFileSystem()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == "held\n"
            with pytest.raises(LockedError, match=f"locked by process {owner.pid}; .*wait until that process ends"):
                disk.lock(path)
        finally:
            owner.send_signal(signal.SIGKILL)
    # What the dead left in the file does not matter.
    assert path.read_text() == f"{owner.pid}\n"
    with disk.lock(path) as lock:
        assert lock.held
        assert path.read_text() == f"{os.getpid()}\n"
    assert path.read_text() == ""


FORK = """
import os, sys, time
from smlib.errors import LockedError
from smlib.storage.local_filesystem import LocalFileSystem
disk, path = LocalFileSystem(), sys.argv[1]

def free():
    try:
        disk.lock(path).close()
    except LockedError:
        return False
    return True

lock = disk.lock(path)
ready, go, gone, told = os.pipe(), os.pipe(), os.pipe(), os.pipe()
if os.fork() == 0:
    print("child holds it:", lock.held, "finds it free:", free(), flush=True)
    os.write(ready[1], b"x")
    os.close(gone[1])
    os.read(gone[0], 1)  # until the parent has died
    deadline = time.monotonic() + 10
    while not (found := free()) and time.monotonic() < deadline:
        time.sleep(0.01)
    lock.close()
    print("after the parent's death, finds it free:", found, flush=True)
    os._exit(0)
os.close(gone[0])
os.read(ready[0], 1)
print("parent holds it:", lock.held, "finds it free:", free(), flush=True)
os._exit(0)
"""


@UNIX
def test_what_nobody_refers_to_is_closed(tmp_path: Path) -> None:
    disk = LocalFileSystem()
    lock, file = disk.lock(tmp_path / "LOCK"), disk.open(tmp_path / "f", create=True)
    descriptor = os.open(tmp_path / "f", os.O_RDONLY)
    os.close(descriptor)
    del lock, file
    gc.collect()
    assert os.open(tmp_path / "f", os.O_RDONLY) < descriptor
    disk.lock(tmp_path / "LOCK").close()


def test_a_child_does_not_own_its_parents_lock(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(tmp_path / "LOCK")], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "child holds it: False finds it free: False",
        "parent holds it: True finds it free: False",
        "after the parent's death, finds it free: True",
    ]


@UNIX
def test_a_lock_given_back_is_free_while_a_copy_is_open(tmp_path: Path) -> None:
    """As when a program is being started just then, which closes its copies a moment later."""
    disk = LocalFileSystem()
    lock = disk.lock(tmp_path / "LOCK")
    copy = os.dup(lock._descriptor)  # type: ignore[attr-defined]
    lock.close()
    disk.lock(tmp_path / "LOCK").close()
    os.close(copy)


def test_the_same_calls_fit_both(tmp_path: Path) -> None:
    assert issubclass(LocalFileSystem, FileSystem)
    assert isinstance(SimulatedDisk().open("f", create=True), File)
    with LocalFileSystem().open(tmp_path / "f", create=True) as file:
        assert (file.path, file.readonly, file.closed) == (str(tmp_path / "f"), False, False)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("readonly", [False, True])
def test_a_pipe_is_not_waited_for(tmp_path: Path, readonly: bool) -> None:
    os.mkfifo(tmp_path / "000005.ldb")
    with pytest.raises(StorageError, match=r"000005\.ldb: this is a pipe, and no file"):
        LocalFileSystem().open(tmp_path / "000005.ldb", readonly=readonly)
