"""Damage: every byte of a folder changed, every file cut off, everywhere. It is told, or it does not matter."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smlib.errors import CorruptDataError, InputError, StorageError
from smlib.storage import SimulatedDisk
from smlib.storage.lsm.log import read_log
from smlib.storage.lsm.tree import LSMTree
from tests.conftest import require

SEARCH = int(os.environ.get("SMLIB_SEARCH", "50"))
PATH = "/tree"
Items = dict[bytes, bytes]


def open_tree(disk: SimulatedDisk) -> LSMTree:
    return LSMTree.open(PATH, filesystem=disk, readonly=True)


def make_folder(seed: int) -> tuple[SimulatedDisk, list[Items]]:
    """Return a disk with a folder of tables in two levels and a log, and its items after each commit of the log."""
    disk, dice, items = SimulatedDisk(seed=seed), random.Random(seed), Items()
    with LSMTree.open(PATH, filesystem=disk, block_size=200, compression=dice.choice(("none", "snappy"))) as tree:
        for turn in range(3):
            # The log has the last commit of these, and what comes then.
            states = [dict(items)]
            commit = {b"key %d" % dice.randrange(40): dice.randbytes(dice.choice((0, 3, 30))) * 2 for _ in range(12)}
            tree.put_many(commit)
            items |= commit
            if turn == 0:
                tree.compact()
            elif turn == 1:
                tree.flush()
        for key in (b"last but two", b"last but one", b"last"):
            states.append(dict(items))
            tree[key] = items[key] = b"1"
    return disk.crash("all"), [*states, items]


def contents(disk: SimulatedDisk) -> dict[str, bytes]:
    found = {}
    for name in disk.list_directory(PATH):
        with disk.open(f"{PATH}/{name}", readonly=True) as file:
            found[name] = file.read_at(0, file.size())
    return found


def write(disk: SimulatedDisk, name: str, data: bytes) -> None:
    with disk.open(f"{PATH}/{name}") as file:
        file.truncate(0)
        file.write_at(0, data)


def last_record(disk: SimulatedDisk, name: str) -> int:
    """Return where the last record of a log begins."""
    with disk.open(f"{PATH}/{name}", readonly=True) as file:
        return [record.offset for record in read_log(file)][-1]


def look(disk: SimulatedDisk) -> Items | None:
    """Return what is found, or None if something is told to be wrong."""
    try:
        with open_tree(disk) as tree:
            tree.check()
            by_key = {key: tree[key] for key in tree}
            assert by_key == dict(tree.items()) == dict(reversed(tree.items()))
            return by_key
    except (CorruptDataError, InputError, StorageError):
        return None


@pytest.mark.untrusted
@pytest.mark.parametrize("seed", range(2))
def test_every_byte_that_is_changed_is_told_or_does_not_matter(seed: int) -> None:
    disk, states = make_folder(seed)
    items = states[-1]
    assert look(disk) == items
    dice, told, all_told = random.Random(seed), 0, 0
    for name, data in contents(disk).items():
        if name == "LOCK":
            continue
        last = last_record(disk, name) if name.endswith(".log") else len(data)
        for place in range(0, len(data), 1 if len(data) < 200 else 3):
            changed = bytearray(data)
            changed[place] ^= dice.randint(1, 255)
            write(disk, name, bytes(changed))
            found = look(disk)
            all_told += 1
            told += found is None
            assert found is None or found == items or (place >= last and found == states[-2]), (name, place)
        write(disk, name, data)
    assert told > 0.8 * all_told
    assert look(disk) == items


@pytest.mark.untrusted
def test_files_that_are_cut_off_or_followed_by_zeros() -> None:
    disk, states = make_folder(3)
    items = states[-1]
    for name, data in contents(disk).items():
        if name == "LOCK":
            continue
        last = last_record(disk, name) if name.endswith(".log") else 0
        for size in range(0, len(data), 1 if len(data) < 300 else 7):
            for zeros in (0, 100):
                write(disk, name, data[:size] + bytes(zeros))
                found = look(disk)
                if zeros and not any(data[size:]):
                    # What was cut off was zeros.
                    assert found == items
                elif name.endswith(".log"):
                    assert found in (states[-2:-1] if size > last else states[:-1])
                else:
                    assert found is None, (name, size)
        write(disk, name, data)
        if name.endswith(".log"):
            write(disk, name, data + bytes(100_000))
            assert look(disk) == items
            write(disk, name, data)
    assert look(disk) == items


@pytest.mark.untrusted
def test_bytes_at_random(tmp_path: Path) -> None:
    """Many bytes of many files at once: nothing but our errors, and never an item that was not there."""
    for seed in range(SEARCH // 5):
        disk, states = make_folder(seed % 5)
        items = states[-1]
        dice = random.Random(seed)
        for name, data in contents(disk).items():
            if name != "LOCK" and dice.random() < 0.5:
                changed = bytearray(data)
                for _ in range(dice.randint(1, 5)):
                    changed[dice.randrange(len(changed))] = dice.randrange(256)
                write(disk, name, bytes(changed))
        found = look(disk)
        assert found is None or found.items() <= items.items()


WRITER = """
import sys
from smlib.storage.lsm.tree import LSMTree
tree = LSMTree.open(sys.argv[1], durability=sys.argv[2], write_buffer_size=20000)
number = int(tree.get(b"last", b"0"))
while True:
    number += 1
    tree.put_many({b"%06d" % number: b"%d" % number * (number % 50), b"last": b"%d" % number})
    print(number, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed")
@pytest.mark.parametrize("durability", ["sync", "none"])
@pytest.mark.parametrize("rounds", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_a_process_that_is_killed_has_lost_nothing(rounds: int, durability: str, tmp_path: Path) -> None:
    """All commits that were told are there, and perhaps the one on its way; LevelDB finds the same."""
    folder, dice = tmp_path / "tree", random.Random(rounds)
    for turn in range(rounds):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(folder), durability], stdout=-1, text=True) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(dice.randint(5, 400))]
            with LSMTree.open(folder, readonly=True) as beside:
                seen = int(beside[b"last"])
                assert dict(beside) == expected(seen)
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.read().splitlines()
        told = max(int(line) for line in lines if line.strip())
        if turn % 2:
            with require("plyvel").DB(str(folder)) as other:
                last = int(other.get(b"last"))
                assert dict(other) == expected(last)
        else:
            with LSMTree.open(folder) as tree:
                tree.check()
                last = int(tree[b"last"])
                assert dict(tree) == expected(last)
        assert told in (last, last - 1)


def expected(last: int) -> Items:
    return {b"%06d" % n: b"%d" % n * (n % 50) for n in range(1, last + 1)} | {b"last": b"%d" % last}
