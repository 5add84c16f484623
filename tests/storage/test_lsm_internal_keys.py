"""Internal keys, varints and the names of files: the essays' examples, order, what LevelDB would choose, and damage."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from smlib.errors import CorruptDataError
from smlib.storage import LocalFileSystem, SimulatedDisk
from smlib.storage.lsm.file_names import (
    LOG,
    MANIFEST,
    OLD_TABLE,
    TABLE,
    TEMPORARY,
    FileName,
    file_name,
    parse_file_name,
    path_of,
    read_current,
    write_current,
)
from smlib.storage.lsm.internal_keys import (
    DELETION,
    MAX_SEQUENCE,
    VALUE,
    internal_key,
    short_successor,
    shortest_separator,
    sort_key,
    unpack_internal_key,
    user_key,
)
from smlib.storage.lsm.varints import decode_sized, decode_varint, encode_sized, encode_varint

# The largest byte, the one below, and long beginnings in common are where separators go wrong.
USER_KEYS = st.one_of(st.binary(max_size=4), st.lists(st.sampled_from(b"\0\1a\xfe\xff"), max_size=6).map(bytes))
KEYS = st.builds(internal_key, USER_KEYS, st.integers(0, MAX_SEQUENCE), st.sampled_from((DELETION, VALUE)))
LIKELY = st.one_of(KEYS, st.builds(internal_key, USER_KEYS, st.integers(0, 2), st.sampled_from((DELETION, VALUE))))


@pytest.mark.interpreted
def test_the_essay_by_hand() -> None:
    assert internal_key(b"cat", 258, VALUE).hex(" ") == "63 61 74 01 02 01 00 00 00 00 00"
    versions = [(b"cab", 9), (b"cat", 412), (b"cat", 258), (b"cat", 17), (b"dog", 3)]
    keys = [internal_key(key, sequence, DELETION) for key, sequence in versions]
    assert sorted(keys[2:] + keys[:2], key=sort_key) == keys
    assert sorted(keys) != keys, "bytes do not sort as the keys do"
    assert sum(sort_key(key) < sort_key(internal_key(b"cat", 300)) for key in keys) == 2
    assert sum(sort_key(key) < sort_key(internal_key(b"cat", 258)) for key in keys) == 2, "not before its own version"


def compare(a: bytes, b: bytes) -> int:
    """Compare as LevelDB does: the user's keys, then the eight bytes as a number, the larger first."""
    if a[:-8] != b[:-8]:
        return -1 if a[:-8] < b[:-8] else 1
    one, other = (int.from_bytes(key[-8:], "little") for key in (a, b))
    return (one < other) - (one > other)


def separate(a: bytes, b: bytes) -> bytes:
    """Choose a separator as LevelDB does, in its own steps."""
    start, limit = bytearray(a[:-8]), b[:-8]
    differs = next((k for k, (one, other) in enumerate(zip(start, limit, strict=False)) if one != other), None)
    if differs is not None and start[differs] < 0xFF and start[differs] + 1 < limit[differs]:
        start[differs] += 1
        del start[differs + 1 :]
    return bytes(start) + b"\1" + b"\xff" * 7 if len(start) < len(a) - 8 and a[:-8] < start else a


def succeed(a: bytes) -> bytes:
    """Choose a successor as LevelDB does."""
    key = bytearray(a[:-8])
    for k, byte in enumerate(key):
        if byte != 0xFF:
            key[k] += 1
            del key[k + 1 :]
            break
    return bytes(key) + b"\1" + b"\xff" * 7 if len(key) < len(a) - 8 and a[:-8] < key else a


@given(LIKELY, LIKELY)
@example(internal_key(b"the quick brown fox", 7), internal_key(b"the who", 3))
@example(internal_key(b"aa", 7), internal_key(b"ab", 3))
@example(internal_key(b"a\xff\xff", 7), internal_key(b"c", 3))
@example(internal_key(b"\xff\xffa", 7), internal_key(b"\xff\xffab", 3))
def test_separators_and_successors(a: bytes, b: bytes) -> None:
    if compare(a, b) > 0:
        a, b = b, a
    assume(a != b)
    separator, successor = shortest_separator(a, b), short_successor(a)
    assert (separator, successor) == (separate(a, b), succeed(a))
    assert sort_key(a) <= sort_key(separator) < sort_key(b)
    assert sort_key(a) <= sort_key(successor)
    assert len(separator) <= len(a) >= len(successor)


@given(st.lists(LIKELY, max_size=12))
def test_the_order_is_that_of_leveldb(keys: list[bytes]) -> None:
    assert sorted(keys, key=sort_key) == sorted(keys, key=functools.cmp_to_key(compare))


@given(USER_KEYS, st.integers(0, MAX_SEQUENCE), st.sampled_from((DELETION, VALUE)))
def test_internal_keys_are_unpacked(key: bytes, sequence: int, kind: int) -> None:
    packed = internal_key(key, sequence, kind)
    assert unpack_internal_key(packed, "", 0) == (key, sequence, kind)
    assert user_key(packed) == key


@pytest.mark.parametrize("packed", [b"", b"short", b"key\2\0\0\0\0\0\0\0"])
def test_what_is_no_internal_key(packed: bytes) -> None:
    with pytest.raises(CorruptDataError, match=r"000005.ldb, byte 40: .* is no internal key"):
        unpack_internal_key(packed, "000005.ldb", 40)


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("number", "blob"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "80 01"), (300, "ac 02"), (2**64 - 1, "ff " * 9 + "01")],
)
def test_varints(number: int, blob: str) -> None:
    assert encode_varint(number) == bytes.fromhex(blob)
    assert decode_varint(b"?" + bytes.fromhex(blob) + b"?", 1, 64, "", 0) == (number, 1 + len(bytes.fromhex(blob)))


@given(st.integers(0, 2**64 - 1), st.binary(max_size=300))
def test_varints_and_sized_bytes_are_read(number: int, content: bytes) -> None:
    data = encode_varint(number) + encode_sized(content)
    found, place = decode_varint(data, 0, 64, "", 0)
    assert (found, decode_sized(data, place, "", 0)) == (number, (content, len(data)))
    for size in range(place):
        with pytest.raises(CorruptDataError, match=r"table, byte 7: .* within a number"):
            decode_varint(data[:size], 0, 64, "table", 7)
    for size in range(place, len(data)):
        with pytest.raises(CorruptDataError, match="table, byte 7: "):
            decode_sized(data[:size], place, "table", 7)


@pytest.mark.parametrize(
    ("blob", "bits"), [("ff ff ff ff 1f", 32), ("80 80 80 80 80 00", 32), ("ff " * 9 + "03", 64), ("ff " * 10, 64)]
)
def test_numbers_that_are_too_large(blob: str, bits: int) -> None:
    with pytest.raises(CorruptDataError, match=f"table, byte 7: .* more than {bits} bits"):
        decode_varint(bytes.fromhex(blob), 0, bits, "table", 7)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("000005.ldb", (TABLE, 5)),
        ("000005.sst", (OLD_TABLE, 5)),
        ("1234567.log", (LOG, 1234567)),
        ("000007.dbtmp", (TEMPORARY, 7)),
        ("MANIFEST-000002", (MANIFEST, 2)),
        ("18446744073709551615.log", (LOG, 2**64 - 1)),
        ("18446744073709551616.log", None),
        ("CURRENT", ("CURRENT", 0)),
        ("LOCK", ("LOCK", 0)),
        ("LOG", ("LOG", 0)),
        ("LOG.old", ("LOG", 0)),
        ("CURRENT.tmp", None),
        ("MANIFEST-", None),
        ("MANIFEST-000002\n", None),
        ("MANIFEST-00000x", None),
        ("000005.ldb2", None),
        ("-00005.ldb", None),
        ("\u0665.ldb", None),
        ("", None),
    ],
)
def test_names_of_files(name: str, found: tuple[str, int] | None) -> None:
    assert parse_file_name(name) == found


@given(st.integers(1, 2**64 - 1), st.sampled_from((LOG, TABLE, OLD_TABLE, MANIFEST, TEMPORARY)))
def test_names_are_parsed(number: int, kind: str) -> None:
    assert parse_file_name(file_name(number, kind)) == FileName(kind, number)


def test_the_manifest_that_counts(tmp_path: Path) -> None:
    local = LocalFileSystem()
    for number in (2, 1234567):
        Path(path_of(tmp_path, number, MANIFEST)).touch()
        write_current(local, tmp_path, number)
        assert read_current(local, tmp_path) == number
    assert (tmp_path / "CURRENT").read_bytes() == b"MANIFEST-1234567\n"


@pytest.mark.untrusted
def test_every_byte_of_current_is_changed() -> None:
    """And it is cut off anywhere: told, for there is no such manifest."""
    right = b"MANIFEST-000002\n"
    damaged = [right[:k] + bytes([value]) + right[k + 1 :] for k in range(16) for value in range(256)]
    damaged += [right[:size] for size in range(16)] + [right + b"\n", right * 20, b"MANIFEST-2\n", b"000002.log\n"]
    disk = SimulatedDisk()
    disk.open("MANIFEST-000002", create=True).close()
    disk.open("000002.log", create=True).close()
    with disk.open("CURRENT", create=True) as file:
        for content in damaged:
            file.truncate(0)
            file.write_at(0, content)
            if content == right:
                assert read_current(disk, ".") == 2
            else:
                with pytest.raises(CorruptDataError, match="CURRENT, byte 0: "):
                    read_current(disk, ".")


def test_a_crash_leaves_the_old_manifest_or_the_new_one() -> None:
    disk = SimulatedDisk(seed=1)
    for number in (2, 3):
        with disk.open(file_name(number, MANIFEST), create=True) as file:
            file.write_at(0, b"edits")
            file.datasync()
    disk.sync_directory(".")
    write_current(disk, ".", 2)
    found: set[int] = set()
    disk.watch(lambda: found.update(read_current(disk.crash("torn"), ".") for _ in range(20)))
    write_current(disk, ".", 3)
    assert found == {2, 3}
    assert read_current(disk.crash("none"), ".") == 3
