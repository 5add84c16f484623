"""Tables: the format by hand, the same bytes as LevelDB's, reading what it wrote and the other way round, and laws."""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smlib.errors import CorruptDataError, InputError
from smlib.storage import SimulatedDisk
from smlib.storage.lsm.block_cache import KEEPING, BlockCache, Shelf
from smlib.storage.lsm.entries import pack, unpack
from smlib.storage.lsm.internal_keys import internal_key
from smlib.storage.lsm.table_building import BuiltTable, build_table
from smlib.storage.lsm.tables import Table
from tests.conftest import require
from tests.storage.bplustree_file import require_named
from tests.storage.lsm_table_tools import (
    PATH,
    Row,
    keys,
    make_folder,
    masked,
    open_table,
    order_of,
    packed,
    real_tables,
    rows_in_order,
    rows_of,
    rows_of_changes,
    sorted_rows,
)

Changes = list[tuple[bytes, bytes | None]]

HAND = bytes.fromhex(
    "00 0b 01 61 70 65 01 07 00 00 00 00 00 00 31"
    "00 0b 00 62 65 65 00 08 00 00 00 00 00 00"
    "00 00 00 00 01 00 00 00"
    "00 d0 c2 45 76"
    "00 00 00 00 01 00 00 00"
    "00 c0 f2 a1 b0"
    "00 09 02 63 01 ff ff ff ff ff ff ff 00 25"
    "00 00 00 00 01 00 00 00"
    "00 18 98 3b 80"
    "2a 08 37 16" + "00" * 36 + "57 fb 80 8b 24 75 47 db"
)
HAND_ROWS: list[Row] = [(b"ape", 7 << 8 | 1, b"1"), (b"bee", 8 << 8, b"")]


@pytest.mark.interpreted
def test_the_example_by_hand() -> None:
    built = build_table(packed(HAND_ROWS), bloom_bits_per_key=0)
    assert built == (HAND, 2, 2, internal_key(b"ape", 7), internal_key(b"bee", 8, 0))
    assert HAND[38:42] == masked(HAND[:38])
    table = open_table(HAND)
    assert table.places.tolist() == [[0, 37]]
    assert table.find(b"ape") == (7 << 8 | 1, b"1")
    assert table.find(b"ape", 7) == (7 << 8 | 1, b"1")
    assert table.find(b"ape", 6) is None
    assert table.find(b"bee") == (8 << 8, b"")
    assert table.find(b"bat") is table.find(b"b") is table.find(b"zebra") is None
    assert rows_of(table) == HAND_ROWS
    assert table.verify().entries == 2


def changes_of(kind: str) -> Changes:
    dice = random.Random(kind)
    if kind == "one":
        return [(b"key", b"value")]
    if kind == "edges":
        parts = [b"", b"\0", b"\1", b"\xff", b"\xff\xff", b"a", b"ab", b"\1\2", b"\1\1\0\0\0\0\0\0"]
        made: Changes = [(a + b, dice.choice([b"", b"x", b"y" * 200])) for a in parts for b in parts]
        return made + [(key, dice.choice([None, b"again"])) for key, _ in dice.sample(made, 40)]
    if kind == "versions":
        return [(b"key%02d" % dice.randrange(30), dice.choice([None, b"v" * dice.randrange(90)])) for _ in range(3000)]
    if kind == "long":
        return [
            (dice.randbytes(dice.choice([1, 300])), dice.randbytes(dice.choice([0, 127, 128, 9000])))
            for _ in range(200)
        ]
    if kind == "text":
        return [(b"user/%06d/name" % k, b"name of user %d, and so on" % k * 3) for k in range(4000)]
    return [(dice.randbytes(16), dice.randbytes(100)) for _ in range(6000)]


KINDS = ["one", "edges", "versions", "long", "text", "random"]


@pytest.mark.parametrize("bits", [0, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_the_bytes_are_leveldbs(tmp_path: Path, kind: str, bits: int) -> None:
    changes = changes_of(kind)
    (real,) = real_tables(tmp_path, changes, compression=None, bloom_filter_bits=bits)
    built = build_table(packed(rows_of_changes(changes)), bloom_bits_per_key=bits)
    assert built.data == real
    assert built.entries == len(changes)


@pytest.mark.parametrize(("bits", "block_size"), [(1, 1024), (50, 1025), (3, 7000), (10, 1 << 20)])
def test_the_bytes_are_leveldbs_with_other_options(tmp_path: Path, bits: int, block_size: int) -> None:
    changes = changes_of("edges") + changes_of("versions")
    (real,) = real_tables(tmp_path, changes, compression=None, bloom_filter_bits=bits, block_size=block_size)
    assert build_table(packed(rows_of_changes(changes)), bloom_bits_per_key=bits, block_size=block_size).data == real


def all_tables(rows: list[Row], **options: Any) -> list[BuiltTable]:
    """Build tables until no entry is left."""
    entries, first, tables = packed(rows), 0, []
    while first < entries.size:
        tables.append(build_table(entries, first, **options))
        first = tables[-1].next
    return tables


def test_files_end_where_leveldbs_do(tmp_path: Path) -> None:
    """What LevelDB's compaction writes is cut into files of 2 MB."""
    dice = random.Random(9)
    changes: Changes = [(dice.randbytes(8), dice.randbytes(dice.choice([20, 400]))) for _ in range(25_000)]
    real = real_tables(tmp_path, changes, compact=True, compression=None, bloom_filter_bits=10)
    tables = all_tables(rows_of_changes(changes), size_limit=2 << 20)
    assert len(real) == 3
    assert [table.data for table in tables] == real


@pytest.mark.parametrize("compression", [None, "snappy"])
@pytest.mark.parametrize("bits", [0, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_reading_what_leveldb_wrote(tmp_path: Path, kind: str, bits: int, compression: str | None) -> None:
    changes = changes_of(kind)
    (real,) = real_tables(tmp_path, changes, compression=compression, bloom_filter_bits=bits)
    rows = rows_of_changes(changes)
    table = open_table(real)
    assert table.verify().entries == len(rows)
    assert rows_of(table) == rows
    for key, tag, value in rows[:: max(len(rows) // 500, 1)]:
        assert table.find(key, tag >> 8) == (tag, value)
    newest = dict(changes)
    for key in itertools.islice(newest, 300):
        found = table.find(key)
        assert found is not None
        assert (found[1] if found[0] & 1 else None) == newest[key]


@pytest.mark.parametrize("compression", ["none", "snappy"])
@pytest.mark.parametrize("bits", [0, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_leveldb_reads_what_was_built(tmp_path: Path, kind: str, bits: int, compression: str) -> None:
    # Files of one level: the versions of a key must not be in two of them.
    newest = dict(changes_of(kind))
    rows = rows_of_changes(list(newest.items()))
    tables = all_tables(rows, size_limit=100_000, bloom_bits_per_key=bits, compression=compression)
    make_folder(tmp_path, [(table.data, table.smallest, table.largest) for table in tables], len(rows))
    options = {"paranoid_checks": True, "bloom_filter_bits": bits}
    with require("plyvel").DB(str(tmp_path), **options) as store:
        items = {key: value for key, value in newest.items() if value is not None}
        assert list(store.iterator(verify_checksums=True)) == sorted(items.items())
        assert list(store.iterator(reverse=True)) == sorted(items.items(), reverse=True)
        for key in itertools.islice(newest, 500):
            assert store.get(key) == newest[key]
            assert store.get(key + b"?") == newest.get(key + b"?")


def test_compression_is_left_out_where_it_saves_little() -> None:
    dice = random.Random(2)
    rows: list[Row] = [(b"%04d" % k, 256 | 1, dice.randbytes(1000) if k > 31 else b"v" * 1000) for k in range(64)]
    built = build_table(packed(rows), compression="snappy", bloom_bits_per_key=0)
    table = open_table(built.data)
    kinds = [built.data[begin + size] for begin, size in table.places.tolist()]
    assert set(kinds) == {0, 1}
    assert rows_of(table) == rows
    assert table.verify().entries == 64
    assert open_table(built.data).find(b"0007", 1) == (257, b"v" * 1000)


@pytest.mark.parametrize("compression", ["none", "snappy"])
def test_a_size_limit_is_kept(compression: str) -> None:
    dice = random.Random(3)
    rows: list[Row] = [(b"%06d" % k, 1, (dice.randbytes(9) + b"v" * 91) * dice.choice([1, 1, 30])) for k in range(3000)]
    tables = all_tables(rows, size_limit=50_000, compression=compression)
    assert len(tables) > 3
    assert [row for table in tables for row in rows_of(open_table(table.data))] == rows
    for table in tables:
        last = open_table(table.data).places[-1, 0]
        assert last < 50_000
        assert table.next == len(rows) or len(table.data) > 50_000


newest_of = st.one_of(st.integers(0, 7), st.just((1 << 56) - 1))


@pytest.mark.interpreted
@settings(max_examples=40)
@given(rows_in_order.filter(bool), keys, st.sampled_from([1, 60, 300, 4096]), st.sampled_from([0, 10]), st.data())
def test_build_and_read(rows: list[Row], key: bytes, block_size: int, bits: int, data: st.DataObject) -> None:
    built = build_table(packed(rows), block_size=block_size, bloom_bits_per_key=bits)
    assert (built.next, built.entries) == (len(rows), len(rows))
    table = open_table(built.data, data.draw(st.sampled_from([0, 1 << 20])))
    assert table.verify().entries == len(rows)
    assert rows_of(table) == rows
    assert [row for piece in table.pieces(1) for row in unpack(piece)] == rows
    for asked in {key, *(row[0] for row in rows[::5])}:
        sequence = data.draw(newest_of)
        number = bisect.bisect_left(rows, order_of((asked, sequence << 8 | 1, b"")), key=order_of)
        expected = rows[number][1:] if number < len(rows) and rows[number][0] == asked else None
        assert table.find(asked, sequence) == expected
        forwards = [row for part in table.forwards(asked) for row in unpack(part)]
        assert forwards == [row for row in rows if row[0] >= asked]
        backwards = [row for part in table.backwards(asked) for row in reversed(unpack(part))]
        assert backwards == [row for row in reversed(rows) if row[0] < asked]
    assert [row for part in table.backwards() for row in reversed(unpack(part))] == rows[::-1]
    assert [row for part in table.forwards() for row in unpack(part)] == rows


def test_the_filter_saves_reads() -> None:
    rows: list[Row] = [(b"%06d" % k, 1 << 8 | 1, b"v" * 50) for k in range(2000)]
    reads = {}
    for bits in (0, 10):
        disk = SimulatedDisk(seed=1)
        file = disk.open(PATH, create=True)
        data = build_table(packed(rows), bloom_bits_per_key=bits).data
        file.write_at(0, data)
        table = Table(file, 5, len(data), BlockCache(0))
        before = disk.counts["read"]
        assert all(table.find(b"%06d?" % (997 * k % 2000)) is None for k in range(1000))
        reads[bits] = disk.counts["read"] - before
    # 0.8 % of a thousand are 8.
    assert reads[0] > 900
    assert reads[10] < 30


def test_the_cache_keeps_what_was_wanted_lately() -> None:
    cache, shelf, other = BlockCache(3 * (400 + KEEPING)), Shelf(4), Shelf(2)
    for number in range(3):
        cache.put(shelf, number, bytes(400))
    assert shelf.wanted == b"\1\1\1\0"
    cache.put(other, 0, bytes(400))
    assert [block is not None for block in shelf.blocks] == [False, True, True, False], "all lose their marks"
    assert (len(cache), cache.size) == (3, 3 * (400 + KEEPING))
    cache.put(other, 0, bytes(10))
    assert cache.size == 3 * (400 + KEEPING), "another thread has put it there already"
    shelf.wanted[1] = 1
    cache.put(shelf, 3, bytes(400))
    assert [block is not None for block in shelf.blocks] == [False, True, False, True], "number 1 was wanted"
    cache.discard(other)
    assert (len(cache), cache.size) == (2, 2 * (400 + KEEPING))
    cache.put(other, 1, bytes(5000))
    assert (len(cache), cache.size) == (1, 5000 + KEEPING), "one that is too large stays alone"


def test_one_cache_serves_many_tables() -> None:
    cache = BlockCache(1 << 20)
    tables = [
        open_table(build_table(packed([(b"key", 257, b"%d" % number)])).data, number=number, cache=cache)
        for number in range(4)
    ]
    for _ in range(2):
        assert [table.find(b"key") for table in tables] == [(257, b"%d" % number) for number in range(4)]
    assert len(cache) == 4


def test_threads_share_tables_and_a_cache() -> None:
    rows: list[Row] = [(b"%04d" % k, 257, b"value of %d" % k) for k in range(600)]
    table = open_table(build_table(packed(rows), block_size=300).data, capacity=3000)

    def find_all(seed: int) -> bool:
        dice = random.Random(seed)
        return all(table.find(row[0]) == row[1:] for row in dice.choices(rows, k=1500))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(find_all, range(4)))


@pytest.mark.parametrize(
    ("first", "options", "message"),
    [
        (2, {}, "entry 2 of 2"),
        (-1, {}, "entry -1 of 2"),
        (0, {"block_size": 0}, "block_size is 0"),
        (0, {"bloom_bits_per_key": -1}, "bloom_bits_per_key -1"),
        (0, {"size_limit": 0}, "size_limit 0"),
        (0, {"compression": "zip"}, "'zip'; it must be one of none, snappy"),
    ],
)
def test_what_cannot_be_built(first: int, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_table(packed(HAND_ROWS), first, **options)
    with pytest.raises(InputError, match="entry 0 of 0"):
        build_table(pack([], [], []))


def sealed(data: bytes, begin: int, size: int) -> bytes:
    """Return a file with the checksum that fits to a block."""
    return data[: begin + size + 1] + masked(data[begin : begin + size + 1]) + data[begin + size + 5 :]


def replaced(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


# What is done to the hand-made table, and what is said; the checksums of its three blocks are made to fit.
DAMAGES = [
    ("a block has a wrong checksum", lambda data: replaced(data, 14, b"2"), "byte 0: .* its checksum does not fit"),
    ("a key is changed", lambda data: sealed(replaced(data, 3, b"z"), 0, 37), "byte 0: .*out of order"),
    ("a kind is unknown", lambda data: sealed(replaced(data, 6, b"\2"), 0, 37), "byte 0: .*of an unknown kind"),
    (
        "a size is too large",
        lambda data: sealed(replaced(data, 2, b"\x7f"), 0, 37),
        r"byte 0: .*invariant 2 of a block",
    ),
    (
        "a restart is moved",
        lambda data: sealed(replaced(data, 29, b"\1"), 0, 37),
        r"byte 0: .*\(invariant 4 of a block\), at its byte 29",
    ),
    (
        "a compression is unknown",
        lambda data: sealed(replaced(data, 37, b"\7"), 0, 37),
        r"byte 0: .*\(7\) that is not known",
    ),
    (
        "what is compressed is not",
        lambda data: sealed(replaced(data, 37, b"\1"), 0, 37),
        "byte 0: .*cannot be decompressed",
    ),
    ("names are none", lambda data: sealed(replaced(data, 42, b"\1"), 42, 8), "byte 42: .*invariant 4"),
    (
        "a separator is too small",
        lambda data: sealed(replaced(data, 58, b"a"), 55, 22),
        "byte 0: .*separator is before",
    ),
    ("a handle leads too far", lambda data: sealed(replaced(data, 68, b"\x26"), 55, 22), "byte 55: .*leads to block 0"),
    ("a handle is no handle", lambda data: sealed(replaced(data, 68, b"\x80"), 55, 22), "byte 55: .*leads to block 0"),
    ("the mark is missing", lambda data: data[:-1] + b"x", "byte 122: the mark of a table"),
    ("the index is elsewhere", lambda data: replaced(data, 85, b"\x7f"), "byte 82: it leads to a block of 127 bytes"),
    ("a handle of the footer has no end", lambda data: replaced(data, 82, b"\xff" * 40), "byte 82: .* 64 bits"),
]


@pytest.mark.untrusted
@pytest.mark.parametrize(("damage", "message"), [row[1:] for row in DAMAGES], ids=[row[0] for row in DAMAGES])
def test_damage_is_told(damage: Callable[[bytes], bytes], message: str) -> None:
    damaged = damage(HAND)
    assert damaged != HAND
    with pytest.raises(CorruptDataError, match="000005.ldb, " + message):
        open_table(damaged).verify()


@pytest.mark.untrusted
def test_keys_must_increase_from_block_to_block() -> None:
    rows: list[Row] = [(b"a", 257, b""), (b"b", 257, b"")]
    data = build_table(packed(rows), bloom_bits_per_key=0, block_size=1).data
    (_, size), (begin, _) = open_table(data).places.tolist()
    swapped = data[begin : begin + size + 5] + data[: size + 5] + data[2 * size + 10 :]
    with pytest.raises(CorruptDataError, match=r"byte 0: .*separator is before"):
        open_table(swapped).verify()
    twice = data[: size + 5] * 2 + data[2 * size + 10 :]
    with pytest.raises(CorruptDataError, match=f"byte {begin}: .*do not follow"):
        open_table(twice).verify()


@pytest.mark.untrusted
def test_a_filter_must_let_every_key_pass() -> None:
    data = build_table(packed([(b"a", 257, b"")])).data
    begin = data.index(bytes.fromhex("08 10 20 40 80 00 01 00 06"))
    damaged = sealed(replaced(data, begin, b"\0"), begin, 18)
    with pytest.raises(CorruptDataError, match=r"byte 0: .*invariant 4"):
        open_table(damaged).verify()
    damaged = sealed(replaced(data, begin + 9, b"\x70"), begin, 18)
    with pytest.raises(CorruptDataError, match=f"byte {begin}: .*begins do not increase, at its byte 9"):
        open_table(damaged)


def small_table() -> tuple[bytes, list[Row]]:
    """Return a table of a few blocks, one of them compressed, with filters."""
    dice = random.Random(6)
    rows = sorted_rows(
        [
            (b"key%d" % (k // 2), dice.randrange(100) << 8 | 1, b"value" * 12 if k > 11 else dice.randbytes(50))
            for k in range(20)
        ]
    )
    return build_table(packed(rows), block_size=150, compression="snappy").data, rows


SMALL, SMALL_ROWS = small_table()


def outcome(data: bytes) -> str:
    """Read a table in every way: "told" if it says that it is damaged, "right" if all that was read is right."""
    told, found = False, []
    try:
        table = open_table(data)
    except CorruptDataError as error:
        require_named(error, PATH)
        return "told"
    ways: list[Callable[[], Any]] = [
        lambda: rows_of(table),
        lambda: [row for part in table.forwards() for row in unpack(part)],
        lambda: [row for part in table.backwards() for row in reversed(unpack(part))][::-1],
        lambda: [(row[0], *(table.find(row[0], row[1] >> 8) or ())) for row in SMALL_ROWS],
    ]
    for way in ways:
        try:
            found.append(way())
        except CorruptDataError as error:
            require_named(error, PATH)
            told = True
    try:
        table.verify()
    except CorruptDataError as error:
        require_named(error, PATH)
        return "told"
    assert not told, "what is told when it is read is told by verify, too"
    return "right" if all(way == SMALL_ROWS for way in found) else "wrong"


@pytest.mark.untrusted
def test_every_byte_is_changed() -> None:
    assert outcome(SMALL) == "right"
    assert {SMALL[begin + size] for begin, size in open_table(SMALL).places.tolist()} == {0, 1}
    for place in range(len(SMALL)):
        footer = place >= len(SMALL) - 48
        for change in (1, 2, 128) if footer else (1 + place % 255,):
            damaged = replaced(SMALL, place, bytes([SMALL[place] ^ change]))
            # In the footer zeros follow the handles, and a number may be written in more bytes than it takes.
            assert outcome(damaged) in (("told", "right") if footer else ("told",)), place


@pytest.mark.untrusted
def test_a_table_is_cut_off() -> None:
    for size in range(len(SMALL)):
        assert outcome(SMALL[:size]) == "told"
    file = SimulatedDisk(seed=1).open(PATH, create=True)
    file.write_at(0, SMALL[:-100])
    with pytest.raises(CorruptDataError, match=r"000005.ldb, byte \d+: the file"):
        Table(file, 5, len(SMALL), BlockCache(0))


@pytest.mark.untrusted
def test_a_table_is_cut_off_while_it_is_open() -> None:
    for left in range(7):
        table = open_table(HAND)
        table.file.truncate(left)
        for read in (partial(table.find, b"ape"), partial(rows_of, table), table.verify):
            with pytest.raises(CorruptDataError, match=f"000005.ldb, byte {left}: the file ends there"):
                read()


@pytest.mark.untrusted
def test_blocks_are_changed_and_sealed_again() -> None:
    """Where checksums say that all is well nothing is promised but that it ends, and ends well."""
    plain = build_table(packed(SMALL_ROWS), block_size=150).data
    found = set()
    for data in (SMALL, plain):
        table = open_table(data)
        last, size = table.places[-1].tolist()
        names, index = table._read_footer()
        filters = (last + size + 5, names[0] - last - size - 10)
        blocks: list[tuple[int, int]] = [(begin, size) for begin, size in table.places.tolist()]
        compressed = [(begin, size) for begin, size in blocks if data[begin + size]]
        for begin, size in compressed[:5] or [*blocks[:2], filters, names, index]:
            for place in range(begin, begin + size + 1):
                change = (1, 0x80, 0xFF, 2)[place % 4]
                damaged = replaced(data, place, bytes([data[place] ^ change]))
                found.add(outcome(sealed(damaged, begin, size)))
    assert found == {"told", "right", "wrong"}
