"""The manifest: edits as LevelDB writes them, its own manifests read, ours read by it, and damage."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import CorruptDataError, InputError
from smlib.storage import LocalFileSystem, SimulatedDisk
from smlib.storage.lsm.batches import Change, encode_batch
from smlib.storage.lsm.file_names import LOG, MANIFEST, TABLE, parse_file_name, path_of, read_current, write_current
from smlib.storage.lsm.internal_keys import DELETION, MAX_SEQUENCE, VALUE, internal_key, sort_key, unpack_internal_key
from smlib.storage.lsm.log import LogWriter, read_log
from smlib.storage.lsm.manifest import (
    COMPARATOR,
    FileFacts,
    ManifestState,
    VersionEdit,
    decode_edit,
    edit_of_state,
    encode_edit,
    read_manifest,
)
from tests.conftest import require

PATH = "MANIFEST-000002"
NUMBERS = st.one_of(st.integers(0, 300), st.integers(0, 2**64 - 1))
LEVELS = st.integers(0, 6)
KEYS = st.builds(internal_key, st.binary(max_size=5), st.integers(0, MAX_SEQUENCE), st.sampled_from((DELETION, VALUE)))
FACTS = st.builds(
    lambda number, size, keys: FileFacts(number, size, *sorted(keys, key=sort_key)),
    NUMBERS,
    NUMBERS,
    st.lists(KEYS, min_size=2, max_size=2),
)
EDITS = st.builds(
    VersionEdit,
    st.none() | st.binary(max_size=200),
    st.none() | NUMBERS,
    st.none() | NUMBERS,
    st.none() | NUMBERS,
    st.none() | NUMBERS,
    st.lists(st.tuples(LEVELS, KEYS), max_size=3).map(tuple),
    st.lists(st.tuples(LEVELS, NUMBERS), max_size=3).map(sorted).map(tuple),
    st.lists(st.tuples(LEVELS, FACTS), max_size=3).map(tuple),
)

A_TO_M = FileFacts(5, 1024, internal_key(b"a", 1, VALUE), internal_key(b"m", 12, VALUE))
FLUSH = VersionEdit(log_number=6, previous_log_number=0, next_file=7, last_sequence=12, added=((0, A_TO_M),))
FLUSH_HEX = "02 06 09 00 03 07 04 0c 07 00 05 80 08 09 61 01 01 00 00 00 00 00 00 09 6d 01 0c 00 00 00 00 00 00"
BEGINNING = VersionEdit(COMPARATOR, 3, 0, 4, 0)
MERGE = VersionEdit(
    next_file=9,
    compact_pointers=((0, A_TO_M.largest),),
    removed=((0, 5),),
    added=((1, A_TO_M._replace(number=7)), (2, A_TO_M._replace(number=8))),
)


def manifest_of(edits: Sequence[VersionEdit | bytes]) -> bytes:
    """Return a manifest's file."""
    disk = SimulatedDisk()
    with disk.open(PATH, create=True) as file:
        log = LogWriter(file)
        for edit in edits:
            log.add(edit if isinstance(edit, bytes) else encode_edit(edit))
        return file.read_at(0, file.size())


def read(content: bytes) -> ManifestState:
    disk = SimulatedDisk()
    with disk.open(PATH, create=True) as file:
        file.write_at(0, content)
    return read_manifest(disk, PATH)


@pytest.mark.interpreted
def test_the_essay_by_hand() -> None:
    assert encode_edit(FLUSH).hex(" ") == FLUSH_HEX
    assert decode_edit(bytes.fromhex(FLUSH_HEX)) == FLUSH


@given(EDITS)
def test_an_edit_is_decoded(edit: VersionEdit) -> None:
    assert decode_edit(encode_edit(edit)) == edit


@pytest.mark.interpreted
def test_edits_are_merged() -> None:
    content = manifest_of([BEGINNING, FLUSH, MERGE])
    merged = {1: {7: A_TO_M._replace(number=7)}, 2: {8: A_TO_M._replace(number=8)}}
    state = read(content)
    assert state == ManifestState(COMPARATOR, 6, 0, 9, 12, merged, {0: A_TO_M.largest}, len(content))
    assert read(manifest_of([BEGINNING, FLUSH])).files == {0: {5: A_TO_M}}
    # The next manifest begins with one edit that says it all.
    again = manifest_of([edit_of_state(state)])
    assert read(again) == state._replace(end=len(again))
    # A log that is newer than the edit that names it has used its number.
    assert read(manifest_of([BEGINNING, VersionEdit(log_number=12, previous_log_number=14)])).next_file == 15


@pytest.mark.untrusted
@pytest.mark.parametrize(
    ("blob", "message"),
    [
        ("08 00", "no field has the number 8"),
        ("0a 00", "no field has the number 10"),
        ("02", "ends after 1 bytes, within a number"),
        ("02 ff ff ff ff ff ff ff ff ff 02", "more than 64 bits"),
        ("82 80 80 80 80 00 06", "more than 32 bits"),
        ("06 07 05", "there is no level 7"),
        ("05 00 03 61 62 63", "b'abc' is no internal key"),
        ("05 00 08 02 00 00 00 00 00 00 00", "is no internal key"),
        ("01 1a 6c", "has 3 bytes, and should have 28"),
        (FLUSH_HEX[:-1], "within"),
        (FLUSH_HEX.replace("61", "7a"), "the keys of table 5 are out of order"),
    ],
)
def test_edits_that_make_no_sense(blob: str, message: str) -> None:
    data = bytes.fromhex(blob if len(blob.replace(" ", "")) % 2 == 0 else blob[:-1])
    if message == "within":
        data, message = bytes.fromhex(FLUSH_HEX)[:-1], "should have 33"
    for content, place in ((manifest_of([BEGINNING, data]), len(manifest_of([BEGINNING]))), (manifest_of([data]), 0)):
        with pytest.raises(CorruptDataError) as caught:
            read(content)
        assert message in str(caught.value)
        assert f"{PATH}, byte {place}: " in str(caught.value)


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([], "byte 0: the manifest ends there, and does not say"),
        ([FLUSH], "does not say the order of keys"),
        ([VersionEdit(COMPARATOR, 3, 0, 4)], "does not say"),
        ([VersionEdit(COMPARATOR, 3, 0, None, 4)], "does not say"),
        ([VersionEdit(COMPARATOR, None, 0, 4, 4)], "does not say"),
        ([BEGINNING, MERGE], "byte 43: the edit takes table 5 from level 0, which is not there"),
        ([BEGINNING, FLUSH, FLUSH], "the edit adds table 5 to level 0, where it is already"),
        (
            [BEGINNING, FLUSH._replace(next_file=5)],
            "with table 5, the next number 5, and the sequence 12",
        ),
        ([BEGINNING._replace(last_sequence=2**56)], "which cannot be"),
    ],
)
def test_manifests_that_make_no_sense(edits: list[VersionEdit], message: str) -> None:
    with pytest.raises(CorruptDataError) as caught:
        read(manifest_of(edits))
    assert message in str(caught.value)
    assert f"{PATH}, byte " in str(caught.value)


def test_another_order_of_keys() -> None:
    with pytest.raises(InputError, match="in the order b'reverse'; only stores of "):
        read(manifest_of([BEGINNING._replace(comparator=b"reverse"), FLUSH]))


EDITED = [BEGINNING, FLUSH, MERGE, VersionEdit(log_number=10, next_file=12, last_sequence=90)]
CONTENT = manifest_of(EDITED)
# What the manifest says before its last edit.
EARLIER = read(manifest_of(EDITED[:-1]))


@pytest.mark.untrusted
def test_every_byte_is_changed() -> None:
    """It is told, or lies in the last edit, and that is left out."""
    for place in range(len(CONTENT)):
        for value in (1, 2, 7, 64, 255):
            damaged = CONTENT[:place] + bytes([CONTENT[place] ^ value]) + CONTENT[place + 1 :]
            if place >= EARLIER.end:
                assert read(damaged) == EARLIER, place
            else:
                with pytest.raises(CorruptDataError, match=f"{PATH}, byte "):
                    read(damaged)


@pytest.mark.untrusted
def test_it_is_cut_off_anywhere() -> None:
    ends = [len(manifest_of(EDITED[:count])) for count in range(5)]
    for size in range(len(CONTENT)):
        for content in (CONTENT[:size], CONTENT[:size] + bytes(70_000)):
            # The zeros may be those that were there.
            count = max(k for k, end in enumerate(ends) if content.startswith(CONTENT[:end]))
            if count:
                assert read(content) == read(manifest_of(EDITED[:count])), size
            else:
                with pytest.raises(CorruptDataError, match="byte 0: the manifest ends there"):
                    read(content)


@pytest.mark.untrusted
@given(EDITS, st.data())
def test_whatever_the_bytes_of_an_edit_are(edit: VersionEdit, data: st.DataObject) -> None:
    """An edit that was changed is told, or is another edit."""
    blob = bytearray(encode_edit(edit))
    for _ in range(data.draw(st.integers(1, 3)) if blob else 0):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode_edit(bytes(blob))
    except CorruptDataError:
        return
    assert decode_edit(encode_edit(found)) == found._replace(removed=tuple(sorted(found.removed)))


def fill(db: Any, seed: int, count: int) -> dict[bytes, bytes]:
    """Let LevelDB write items, over and over, take some out, and merge now and then; return what is in it."""
    dice = random.Random(seed)
    items: dict[bytes, bytes] = {}
    for _ in range(count):
        batch: dict[bytes, bytes | None] = {}
        for _ in range(dice.randint(1, 30)):
            key = b"%d" % dice.randrange(2000)
            batch[key] = None if dice.random() < 0.1 else dice.randbytes(dice.randint(0, 700))
        with db.write_batch() as target:
            for key, value in batch.items():
                if value is None:
                    target.delete(key)
                else:
                    target.put(key, value)
        items = {key: value for key, value in {**items, **batch}.items() if value is not None}
        if dice.random() < 0.002:
            db.compact_range()
    return items


def tables_of(db: Any) -> dict[int, dict[int, FileFacts]]:
    """Return what LevelDB says of its tables: ``--- level 0 ---``, and ``5:1024['a' @ 1 : 1 .. 'm' @ 12 : 1]``."""
    found: dict[int, dict[int, FileFacts]] = {}
    level = 0
    for line in db.get_property(b"leveldb.sstables").decode().splitlines():
        if line.startswith("---"):
            level = int(line.split()[2])
            continue
        match = re.fullmatch(r" (\d+):(\d+)\['(\w+)' @ (\d+) : (\d) \.\. '(\w+)' @ (\d+) : (\d)\]", line)
        assert match is not None, line
        number, size, first, a, kind_a, last, b, kind_b = match.groups()
        keys = [
            internal_key(key.encode(), int(sequence), int(kind))
            for key, sequence, kind in ((first, a, kind_a), (last, b, kind_b))
        ]
        found.setdefault(level, {})[int(number)] = FileFacts(int(number), int(size), *keys)
    return found


@pytest.mark.parametrize("seed", range(2))
def test_a_manifest_of_leveldb_is_read(seed: int, tmp_path: Path) -> None:
    """And every edit in it, encoded again, gives the same bytes."""
    plyvel = require("plyvel")
    local = LocalFileSystem()
    options = {"create_if_missing": True, "write_buffer_size": 1 << 16, "max_file_size": 1 << 20}
    for opened in range(2):
        db = plyvel.DB(str(tmp_path), **options)
        fill(db, seed + 10 * opened, 400)
        db.compact_range(start=b"3", stop=b"6")
        tables = tables_of(db)
        db.close()
        path = path_of(tmp_path, read_current(local, tmp_path), MANIFEST)
        state = read_manifest(local, path)
        assert state.files == tables
        assert state.end == Path(path).stat().st_size
        assert state.previous_log_number == 0
        names = [name for name in map(parse_file_name, local.list_directory(tmp_path)) if name is not None]
        assert {name.number for name in names if name.kind == TABLE} == {n for level in tables.values() for n in level}
        assert [name.number for name in names if name.kind == LOG] == [state.log_number]
        assert max(name.number for name in names) < state.next_file
        highest = max(
            unpack_internal_key(f.largest, "", 0).sequence for level in tables.values() for f in level.values()
        )
        assert highest <= state.last_sequence
        with local.open(path, readonly=True) as file:
            records = list(read_log(file))
        assert [encode_edit(decode_edit(record.payload)) for record in records] == [r.payload for r in records]
        assert len(records) > 10
        assert manifest_of([record.payload for record in records]) == Path(path).read_bytes()


def test_a_manifest_of_ours_is_read_by_leveldb(tmp_path: Path) -> None:
    """A folder of its own gets a new manifest, which is the one that counts, and a log with more changes."""
    plyvel = require("plyvel")
    local = LocalFileSystem()
    db = plyvel.DB(str(tmp_path), create_if_missing=True, write_buffer_size=1 << 16)
    items = fill(db, 7, 300)
    db.compact_range()
    tables = tables_of(db)
    db.close()
    state = read_manifest(local, path_of(tmp_path, read_current(local, tmp_path), MANIFEST))
    number, log_number = state.next_file, state.next_file + 1
    with local.open(path_of(tmp_path, log_number, LOG), create=True) as file:
        LogWriter(file).add(encode_batch(10**6, [(b"ours", b"x" * 100_000), (b"1000", None)]))
    # The log that it left still counts.
    with local.open(path_of(tmp_path, number, MANIFEST), create=True) as file:
        LogWriter(file).add(encode_edit(edit_of_state(state._replace(next_file=log_number + 1))))
    write_current(local, tmp_path, number)
    db = plyvel.DB(str(tmp_path), paranoid_checks=True)
    assert dict(db.iterator()) == {**{k: v for k, v in items.items() if k != b"1000"}, b"ours": b"x" * 100_000}
    # What it found in the logs it has put into a table of its own.
    found = tables_of(db)
    assert all(found[level].items() >= tables[level].items() for level in tables)
    db.close()


def test_a_folder_of_ours_is_read_by_leveldb(tmp_path: Path) -> None:
    """CURRENT, a manifest and a log, and nothing else."""
    plyvel = require("plyvel")
    local = LocalFileSystem()
    dice = random.Random(2)
    batches: list[list[Change]] = [
        [
            (b"%d" % dice.randrange(50), dice.choice((None, dice.randbytes(dice.choice((3, 200, 70_000))))))
            for _ in range(9)
        ]
        for _ in range(40)
    ]
    items: dict[bytes, bytes] = {}
    sequence = 1
    with local.open(path_of(tmp_path, 3, LOG), create=True) as file:
        log = LogWriter(file)
        for batch in batches:
            log.add(encode_batch(sequence, batch))
            sequence += len(batch)
            items = {key: value for key, value in {**items, **dict(batch)}.items() if value is not None}
    with local.open(path_of(tmp_path, 2, MANIFEST), create=True) as file:
        LogWriter(file).add(encode_edit(BEGINNING))
    write_current(local, tmp_path, 2)
    copy = shutil.copytree(tmp_path, tmp_path / "copy")
    db = plyvel.DB(str(copy), paranoid_checks=True)
    assert dict(db.iterator()) == items
    db.close()
    # A log that is cut off ends for it where it ends for us.
    with local.open(path_of(tmp_path, 3, LOG)) as file:
        file.truncate(file.size() - 1)
        assert len(list(read_log(file))) == len(batches) - 1
    db = plyvel.DB(str(tmp_path), paranoid_checks=True)
    found = {k: v for batch in batches[:-1] for k, v in batch}
    assert dict(db.iterator()) == {key: value for key, value in found.items() if value is not None}
    db.close()
