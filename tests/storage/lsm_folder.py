"""A small folder of an LSM-tree that has everything, made by hand, for the tests that look at it and damage it."""

from __future__ import annotations

from collections.abc import Sequence

from smlib.storage import SimulatedDisk
from smlib.storage.filesystem import FileSystem
from smlib.storage.lsm.batches import Change, encode_batch
from smlib.storage.lsm.log import LogWriter
from smlib.storage.lsm.manifest import COMPARATOR, FileFacts, VersionEdit, encode_edit
from smlib.storage.lsm.table_building import BuiltTable, build_table
from tests.storage.lsm_table_tools import Row, packed

FOLDER = "/store"
# What each file is, by its name.
Files = dict[str, bytes]

PUT, DELETE = 1, 0
OLDEST: list[Row] = [(b"ant", 1 << 8 | PUT, b"1"), (b"ape", 2 << 8 | PUT, b"2"), (b"cow", 3 << 8 | PUT, b"3")]
LONG: list[Row] = [(b"doe %03d" % k, 4 << 8 | PUT, b"word " * 20) for k in range(12)]
NEWEST: list[Row] = [(b"ape", 7 << 8 | PUT, b"new"), (b"bee", 8 << 8 | DELETE, b"")]
BATCHES: list[tuple[int, list[Change]]] = [
    (9, [(b"cat", b"meow"), (b"dog", None)]),
    (11, [(b"a key that is longer than what is shown of it", b"x" * 300)]),
    (12, []),
    (12, [(b"ant", None)]),
]


def log_of(records: Sequence[bytes]) -> bytes:
    """Return the file of a log."""
    with SimulatedDisk().open("log", create=True) as file:
        log = LogWriter(file)
        for record in records:
            log.add(record)
        return file.read_at(0, file.size())


def batches_of(batches: Sequence[tuple[int, list[Change]]]) -> bytes:
    """Return the file of a log of batches."""
    return log_of([encode_batch(sequence, changes) for sequence, changes in batches])


def edits_of(edits: Sequence[VersionEdit]) -> bytes:
    """Return the file of a manifest."""
    return log_of([encode_edit(edit) for edit in edits])


def said_of(number: int, built: BuiltTable) -> FileFacts:
    """Return what a manifest says of a table."""
    return FileFacts(number, len(built.data), built.smallest, built.largest)


TABLES = {
    4: build_table(packed(OLDEST), bloom_bits_per_key=0),
    5: build_table(packed(LONG), block_size=400, compression="snappy"),
    6: build_table(packed(NEWEST)),
}
SAID = {number: said_of(number, built) for number, built in TABLES.items()}
EDITS = [
    VersionEdit(COMPARATOR, 2, 0, 3, 0),
    VersionEdit(log_number=7, next_file=8, last_sequence=3, added=((0, SAID[4]), (1, SAID[5]))),
    VersionEdit(
        log_number=9,
        next_file=10,
        last_sequence=8,
        compact_pointers=((0, SAID[4].largest),),
        removed=((0, 4),),
        added=((1, SAID[4]), (0, SAID[6])),
    ),
]
# The manifest's name, and that of the log that counts.
MANIFEST, LOG = "MANIFEST-000003", "000009.log"
FILES: Files = {
    **{f"{number:06}.ldb": built.data for number, built in TABLES.items()},
    LOG: batches_of(BATCHES),
    "000007.log": batches_of([(5, [(b"old", b"")])]),
    "000008.dbtmp": b"unfinished",
    "CURRENT": f"{MANIFEST}\n".encode(),
    "CURRENT.tmp": b"MANIF",
    "LOCK": b"",
    MANIFEST: edits_of(EDITS),
    "notes.txt": b"of somebody",
}
ITEMS = {
    b"ape": b"new",
    b"cat": b"meow",
    b"cow": b"3",
    BATCHES[1][1][0][0]: b"x" * 300,
    **{key: value for key, _, value in LONG},
}
# What something leads to.
COUNTING = (MANIFEST, LOG, "000004.ldb", "000005.ldb", "000006.ldb")


def disk_with(files: Files) -> SimulatedDisk:
    """Return a disk with a folder of files."""
    disk = SimulatedDisk(seed=1)
    disk.make_directory(FOLDER)
    for name, content in files.items():
        write(disk, name, content)
    return disk


def write(disk: FileSystem, name: str, content: bytes) -> None:
    """Give a file of the folder other contents."""
    with disk.open(f"{FOLDER}/{name}", create=True) as file:
        file.truncate(0)
        file.write_at(0, content)


def with_byte(name: str, place: int, files: Files = FILES) -> Files:
    """Return a folder with one byte of a file changed."""
    content = files[name]
    return {**files, name: content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :]}
