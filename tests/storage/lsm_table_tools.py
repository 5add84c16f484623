"""What the tests of tables share: entries in order, tables of the real LevelDB, and a folder that it opens."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from smlib.storage import SimulatedDisk
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.entries import Entries, pack, unpack
from smlib.storage.lsm.tables import Table
from tests.conftest import require

PATH = "/000005.ldb"

# Key, tag and value.
Row = tuple[bytes, int, bytes]


def order_of(row: Row) -> tuple[bytes, int]:
    return row[0], -row[1]


def packed(rows: list[Row]) -> Entries:
    """Pack entries that are in order."""
    return pack([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


# Keys of few bytes, so that they begin alike, one begins another, and bytes of tags are taken for bytes of keys.
keys = st.one_of(
    st.lists(st.sampled_from([0, 1, 2, 255]), max_size=5).map(bytes), st.binary(max_size=3), st.binary(max_size=40)
)
# Sequences of all sizes; 1 << 8 | 1 is 0x0101.
tags = st.builds(
    lambda sequence, kind: sequence << 8 | kind,
    st.one_of(st.integers(0, 6), st.sampled_from([256, 257, 65793, (1 << 56) - 1])),
    st.integers(0, 1),
)
values = st.one_of(st.binary(max_size=4), st.sampled_from([b"v" * 127, b"w" * 128, b"x" * 300]))


def sorted_rows(rows: list[Row]) -> list[Row]:
    """Return entries in order, and of those with the same key and number one."""
    return sorted({(row[0], row[1] >> 8): row for row in rows}.values(), key=order_of)


rows_in_order = st.lists(st.tuples(keys, tags, values), max_size=60).map(sorted_rows)


def open_table(data: bytes, capacity: int = 1 << 20, number: int = 5, cache: BlockCache | None = None) -> Table:
    """Open a table in a file system in memory."""
    file = SimulatedDisk(seed=1).open(PATH, create=True)
    file.write_at(0, data)
    return Table(file, number, len(data), BlockCache(capacity) if cache is None else cache)


def rows_of(table: Table) -> list[Row]:
    """Return all entries of a table."""
    return [row for piece in table.pieces() for row in unpack(piece)]


def write_log(folder: Path, changes: list[tuple[bytes, bytes | None]], **options: Any) -> None:
    """Have the real LevelDB write changes, of which None deletes; all stay in its log."""
    with require("plyvel").DB(str(folder), create_if_missing=True, **options) as store:
        for begin in range(0, len(changes), 1000):
            with store.write_batch() as batch:
                for key, value in changes[begin : begin + 1000]:
                    if value is None:
                        batch.delete(key)
                    else:
                        batch.put(key, value)


def real_tables(
    folder: Path, changes: list[tuple[bytes, bytes | None]], *, compact: bool = False, **options: Any
) -> list[bytes]:
    """Return the tables that the real LevelDB makes of changes, in the order of their numbers."""
    write_log(folder, changes, **options)
    with require("plyvel").DB(str(folder), **options) as store:
        if compact:
            store.compact_range(start=b"\0", stop=b"\xff" * 9)
    return [path.read_bytes() for path in sorted(folder.glob("*.ldb"))]


def rows_of_changes(changes: list[tuple[bytes, bytes | None]]) -> list[Row]:
    """Return the entries of changes that are numbered from 1 on."""
    rows = [
        (key, sequence << 8 | (value is not None), b"" if value is None else value)
        for sequence, (key, value) in enumerate(changes, 1)
    ]
    return sorted(rows, key=order_of)


def crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


CRC_OF_BYTE = [crc_of_byte(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of bytes, byte by byte."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_OF_BYTE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    """Return the masked checksum of bytes, as it is stored."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(number: int) -> bytes:
    """Return a varint."""
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def sized(content: bytes) -> bytes:
    return varint(len(content)) + content


def make_folder(folder: Path, tables: list[tuple[bytes, bytes, bytes]], last_sequence: int) -> None:
    """Make a folder of tables (bytes, smallest and largest key) that the real LevelDB opens, by hand."""
    edit = b"\x01" + sized(b"leveldb.BytewiseComparator")
    edit += b"\x02" + varint(3) + b"\x03" + varint(5 + len(tables)) + b"\x04" + varint(last_sequence)
    for number, (data, smallest, largest) in enumerate(tables, 5):
        (folder / f"{number:06}.ldb").write_bytes(data)
        edit += b"\x07" + varint(1) + varint(number) + varint(len(data)) + sized(smallest) + sized(largest)
    record = b"\x01" + edit
    head = masked(record) + struct.pack("<H", len(edit))
    (folder / "MANIFEST-000002").write_bytes(head + record)
    (folder / "CURRENT").write_text("MANIFEST-000002\n")


def array_of(data: bytes) -> Any:
    """Return bytes as kernels read them."""
    return np.frombuffer(data, np.uint8)
