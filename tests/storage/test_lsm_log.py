"""The log of an LSM-tree: LevelDB's bytes, both ways; what crashes leave is its end, and what they do not is damage."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smlib._core.hashing import crc32c
from smlib.errors import CorruptDataError, DiskFullError
from smlib.storage import LocalFileSystem, SimulatedDisk
from smlib.storage.lsm import log
from smlib.storage.lsm.batches import Change, decode_batch, encode_batch
from smlib.storage.lsm.log import CHUNK, LogRecord, LogWriter, read_log
from tests.conftest import require

PATH = "000003.log"
BLOCK, HEADER = 32768, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4

# Sizes at which something ends at a block's end, or near to it.
SIZES = st.one_of(
    st.integers(0, 300),
    st.builds(lambda blocks, more: blocks * (BLOCK - HEADER) + more, st.integers(1, 3), st.integers(-20, 8)),
    st.integers(0, 4 * BLOCK),
)


def written(payloads: Sequence[bytes]) -> bytes:
    """Return the file of a log, by the writer."""
    disk = SimulatedDisk()
    with disk.open(PATH, create=True) as file:
        writer = LogWriter(file)
        for payload in payloads:
            writer.add(payload)
        assert writer.offset == file.size()
        return file.read_at(0, file.size())


def fragment(kind: int, piece: bytes) -> bytes:
    """Return a fragment, as the document says."""
    checksum = crc32c(bytes([kind]) + piece)
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) % 2**32
    return masked.to_bytes(4, "little") + len(piece).to_bytes(2, "little") + bytes([kind]) + piece


def expected(payloads: Sequence[bytes]) -> tuple[bytes, list[LogRecord]]:
    """Return the file of a log, byte by byte as the document says, and its records."""
    file, records = b"", []
    for payload in payloads:
        begin = None
        rest = payload
        while True:
            left = BLOCK - len(file) % BLOCK
            if left < HEADER:
                file, left = file + bytes(left), BLOCK
            begin = len(file) if begin is None else begin
            piece, rest = rest[: left - HEADER], rest[left - HEADER :]
            kind = (MIDDLE if rest else LAST) if begin < len(file) else (FIRST if rest else FULL)
            file += fragment(kind, piece)
            if not rest:
                break
        records.append(LogRecord(begin, len(file), payload))
    return file, records


def records_of(content: bytes, synced: bool = True) -> tuple[list[LogRecord], CorruptDataError | None]:
    """Read a log: its records, and what was raised behind them."""
    disk = SimulatedDisk()
    found: list[LogRecord] = []
    with disk.open(PATH, create=True) as file:
        file.write_at(0, content)
        try:
            for record in read_log(file, synced=synced):
                found.append(record)  # noqa: PERF402  # what was yielded before it raises is wanted
        except CorruptDataError as error:
            return found, require_named(error)
    return found, None


def require_named(error: CorruptDataError) -> CorruptDataError:
    """The file and the byte are named."""
    assert f"{PATH}, byte " in str(error)
    return error


def payloads_of(sizes: Sequence[int], seed: int = 1) -> list[bytes]:
    dice = random.Random(seed)
    return [dice.randbytes(size) for size in sizes]


@pytest.mark.interpreted
def test_the_essay_by_hand() -> None:
    assert written([b"a"]).hex(" ") == "b5 cd 0b a2 01 00 01 61"
    assert records_of(bytes.fromhex("b5 cd 0b a2 01 00 01 61")) == ([LogRecord(0, 8, b"a")], None)
    assert records_of(b"") == ([], None)


def test_the_example_of_the_document() -> None:
    """Records of 1000, 97270 and 8000 bytes."""
    payloads = payloads_of([1000, 97270, 8000])
    content = written(payloads)
    heads = [(0, 1000, FULL), (1007, 31754, FIRST), (32768, 32761, MIDDLE), (65536, 32755, LAST), (98304, 8000, FULL)]
    for place, size, kind in heads:
        assert content[place + 4 : place + 7] == size.to_bytes(2, "little") + bytes([kind])
    assert content[98298:98304] == bytes(6)
    assert (content, records_of(content)[0]) == expected(payloads)


@pytest.mark.parametrize("left", range(9))
def test_the_end_of_a_block(left: int) -> None:
    """With seven bytes left, a first fragment without any bytes; with fewer, zeros."""
    payloads = [bytes(BLOCK - HEADER - left), b"next", b""]
    content, records = expected(payloads)
    assert written(payloads) == content
    assert records_of(content) == (records, None)
    # An empty record still fits into seven bytes.
    payloads = [bytes(BLOCK - HEADER - left), b"", b"next"]
    assert written(payloads) == expected(payloads)[0]


@settings(max_examples=30)
@given(st.lists(SIZES, max_size=6), st.integers(0, 9))
@example([CHUNK - HEADER - 1, 5 * CHUNK, 3], 0)
@example([1] * 9 + [2 * CHUNK], 0)
@example([2 * (BLOCK - HEADER), 2 * (BLOCK - HEADER) - 1], 0)
def test_what_was_added_is_read(sizes: list[int], seed: int) -> None:
    payloads = payloads_of(sizes, seed)
    content = written(payloads)
    assert (content, records_of(content)[0]) == expected(payloads)
    assert records_of(content)[1] is None


@pytest.mark.interpreted
@given(st.lists(st.binary(max_size=40), max_size=4))
def test_small_records_are_read(payloads: list[bytes]) -> None:
    content = written(payloads)
    assert (content, records_of(content)[0]) == expected(payloads)


@settings(max_examples=15)
@given(st.lists(SIZES, max_size=5), st.integers(0, 5))
def test_a_log_is_gone_on_with(sizes: list[int], cut: int) -> None:
    payloads = payloads_of(sizes)
    disk = SimulatedDisk()
    with disk.open(PATH, create=True) as file:
        for part in (payloads[:cut], payloads[cut:]):
            writer = LogWriter(file, file.size())
            for payload in part:
                writer.add(payload)
        assert file.read_at(0, file.size()) == expected(payloads)[0]


def test_bytes_of_other_kinds_are_added() -> None:
    disk = SimulatedDisk()
    with disk.open(PATH, create=True) as file:
        writer = LogWriter(file)
        writer.add(bytearray(b"one"))  # type: ignore[arg-type]  # not promised, and must not crash
        writer.add(memoryview(b"four").cast("H"))  # type: ignore[arg-type]
        assert [record.payload for record in read_log(file)] == [b"one", b"four"]


@pytest.mark.parametrize("room", [0, 1, 8, 100, BLOCK, BLOCK + 90])
def test_a_record_that_did_not_fit_is_not_in_the_log(room: int) -> None:
    """A write fails for want of room, and the next is shorter."""
    disk = SimulatedDisk()
    with disk.open(PATH, create=True) as file:
        writer = LogWriter(file)
        writer.add(b"before")
        disk.fill_up_after(room)
        with pytest.raises(DiskFullError):
            writer.add(written([b"a log in a log"]) * 5000)
        disk.fill_up_after(None)
        writer.add(b"after")
        assert file.size() == writer.offset
        assert [record.payload for record in read_log(file)] == [b"before", b"after"]


class Behind:
    """Where records begin in a file, and what may be said when a byte of it is changed."""

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self.content, self.records = expected(payloads)

    def require_told(self, damaged: bytes, places: Sequence[int], synced: bool = True) -> str:
        """A change is told, or lies in the last record or behind it; what was read is right."""
        found, error = records_of(damaged, synced)
        assert found == self.records[: len(found)], places
        # Of the records that were not read, all lie behind the change.
        assert len(found) == len(self.records) or self.records[len(found)].end > min(places), places
        if error is not None:
            return "told"
        assert len(found) >= len(self.records) - 1, f"records are lost: {places}"
        return "ended"

    def flipped(self, place: int, value: int) -> bytes:
        return self.content[:place] + bytes([self.content[place] ^ value]) + self.content[place + 1 :]


SMALL = Behind([b"first", b"", b"the second one", bytes(20), b"x" * 30])
# A record over three blocks, five zeros at the end of the third, and a last record over three blocks.
LARGE = Behind(payloads_of([900, 2 * BLOCK, BLOCK - 900 - 5 * HEADER - 5, 50, 60, 500, 2 * BLOCK + 400]))


def test_the_large_log_is_what_it_should_be() -> None:
    ends = [(record.offset // BLOCK, record.end // BLOCK, record.end % BLOCK) for record in LARGE.records]
    assert ends[1][:2] == (0, 2)
    assert ends[2] == (2, 2, BLOCK - 5)
    assert ends[-1][:2] == (3, 5)


@pytest.mark.untrusted
def test_every_byte_of_a_small_log_is_changed() -> None:
    """In every way."""
    for place in range(len(SMALL.content)):
        for value in range(1, 256):
            SMALL.require_told(SMALL.flipped(place, value), [place])


@pytest.mark.untrusted
def test_bytes_of_a_large_log_are_changed() -> None:
    """All near headers and the ends of blocks, and some others."""
    heads = {place for record in LARGE.records for place in (record.offset, record.end)}
    heads |= set(range(0, len(LARGE.content), BLOCK))
    places = {head + k for head in heads for k in range(-8, 9)} | set(range(0, len(LARGE.content), 1999))
    for place in sorted(place for place in places if 0 <= place < len(LARGE.content)):
        for value in (1 + place % 255, 128):
            LARGE.require_told(LARGE.flipped(place, value), [place])


@pytest.mark.untrusted
@pytest.mark.interpreted
def test_a_small_log_is_cut_off_anywhere() -> None:
    for size in range(len(SMALL.content)):
        for tail in (b"", bytes(1), bytes(90)):
            content = SMALL.content[:size] + tail
            # The zeros may be those that were there.
            whole = [record for record in SMALL.records if content.startswith(SMALL.content[: record.end])]
            assert records_of(content) == (whole, None), size


@pytest.mark.untrusted
def test_a_large_log_is_cut_off() -> None:
    ends = {record.end for record in LARGE.records} | set(range(0, len(LARGE.content), BLOCK))
    sizes = {end + k for end in ends for k in range(-9, 10)} | set(range(0, len(LARGE.content), 3001))
    for size in sorted(size for size in sizes if 0 <= size <= len(LARGE.content)):
        for content in (LARGE.content[:size], LARGE.content[:size].ljust(len(LARGE.content) + BLOCK, b"\0")):
            whole = [record for record in LARGE.records if content.startswith(LARGE.content[: record.end])]
            assert records_of(content) == (whole, None), size


@pytest.mark.untrusted
def test_what_follows_is_found() -> None:
    """In each of the four ways, and it is a record's first fragment or none."""
    one, two, last = fragment(FULL, b"one"), fragment(FULL, b"two"), fragment(LAST, b"last")
    first = fragment(FIRST, b"first")
    broken = one[:-1] + b"?"

    def told(content: bytes) -> bool:
        return records_of(content)[1] is not None

    def ended(content: bytes) -> bool:
        return records_of(content) == ([], None)

    assert ended(broken)
    assert told(broken + two)
    assert told(broken + first)
    assert told(broken + first + last)
    assert ended(broken + last)
    assert ended(broken + last[:-1])
    assert told(broken + last + two)
    # The size is wrong: the checksum tells where the fragment ends.
    assert ended(one[:4] + b"\4" + one[5:])
    assert told(one[:4] + b"\4" + one[5:] + two)
    assert told(one[:5] + b"\xff" + one[6:] + first)
    # The kind is, or the whole header: every byte is looked at, up to the last record that there is room for.
    assert told(one[:6] + b"\5" + one[7:] + fragment(FULL, b""))
    assert told(bytes(20) + two)
    assert told(bytes(BLOCK) + two)
    assert told(bytes(3 * BLOCK) + first)
    assert ended(bytes(3 * BLOCK) + last)


@pytest.mark.untrusted
def test_zeros_at_the_end_of_a_block_that_are_none() -> None:
    content, records = expected([bytes([1]) * (BLOCK - 2 * HEADER + 1), b"two"])
    follows = next(part for part in (fragment(FULL, b"%d" % k) for k in range(2000)) if part[0] == 0)
    for place in range(BLOCK - 6, BLOCK):
        damaged = content[:place] + b"\1" + content[place + 1 :]
        found, error = records_of(damaged)
        assert found == records[:1]
        assert f"byte {BLOCK - 6}: " in str(error)
        assert records_of(damaged[:BLOCK]) == (records[:1], None)
        # A crash leaves no such thing, though the checksum behind may begin with a zero.
        assert records_of(damaged[:BLOCK] + follows, synced=False)[1] is not None


@pytest.mark.untrusted
def test_a_fragment_that_leaves_its_block() -> None:
    """Its checksum fits, and it is damage all the same if a record follows."""
    content = fragment(FULL, b"one") + fragment(FULL, bytes(BLOCK))
    assert records_of(content) == ([LogRecord(0, 10, b"one")], None)
    found, error = records_of(content.ljust(2 * BLOCK, b"\0") + fragment(FULL, b"two"))
    assert (len(found), "byte 10: " in str(error)) == (1, True)


@pytest.mark.untrusted
def test_sectors_that_are_lost() -> None:
    """A sector's share of a record, and not any 512 bytes; of its header only, if that makes no sense."""
    content, records = expected([b"x" * 93, b"y" * 1400, bytes(2000), b"z"])

    def zeroed(begin: int, end: int) -> tuple[list[LogRecord], bool]:
        found, error = records_of(content[:begin] + bytes(end - begin) + content[end:], synced=False)
        return found, error is not None

    assert zeroed(512, 1024) == (records[:1], False)
    assert zeroed(100, 512) == (records[:1], False)
    assert zeroed(1024, 1507) == (records[:1], False)
    assert zeroed(600, 1112) == (records[:1], True)
    assert zeroed(101, 512) == (records[:1], True)
    assert zeroed(1024, 1506) == (records[:1], True)
    # The third has such shares as it is; they count if its header makes sense.
    damaged = content[:1507] + b"?" + content[1508:]
    assert records_of(damaged, synced=False) == (records[:2], None)
    damaged = content[:1513] + b"\5" + content[1514:]
    assert records_of(damaged, synced=False)[1] is not None


@pytest.mark.untrusted
@pytest.mark.parametrize("fill", [0, 255, None])
def test_ranges_are_overwritten(fill: int | None) -> None:
    """Zeros, ones or noise, from anywhere to anywhere: told, unless all lies within the last record.

    A range that begins within one record and ends in another leaves headers in it that make no sense.
    """
    dice = random.Random(5)
    told = 0
    for _ in range(150):
        begin = dice.randrange(len(LARGE.content))
        size = dice.choice((3, 8, 64, 512, 4096, 40_000))
        noise = dice.randbytes(size) if fill is None else bytes([fill]) * size
        damaged = (LARGE.content[:begin] + noise + LARGE.content[begin + size :])[: len(LARGE.content)]
        last = [record for record in LARGE.records if record.offset >= min(begin + size, len(LARGE.content))]
        found, error = records_of(damaged)
        assert found == LARGE.records[: len(found)]
        # If a record that was not touched follows, and the damaged one is not read, this is told.
        if last and len(found) < len(LARGE.records):
            assert error is not None, (begin, size)
            told += 1
    assert told > 50


@pytest.mark.untrusted
@settings(max_examples=200)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_end_or_are_told(before: bytes, behind: bytes) -> None:
    """And what was whole before them was read."""
    found, _ = records_of(SMALL.content + before)
    assert found[: len(SMALL.records)] == SMALL.records
    records_of(before + SMALL.content + behind)
    records_of(before, synced=False)


@pytest.mark.untrusted
def test_bytes_that_look_like_many_records() -> None:
    """Each of them a header that may be one: they are looked at, and the search ends."""
    for pattern in (b"\1", b"\2", b"\1\0", b"\xff\3\1", b"\0\0\0\0\0\0\1"):
        assert records_of(bytes(BLOCK) + (pattern * BLOCK)[:BLOCK]) == ([], None)


def test_kinds_that_are_unknown() -> None:
    for kind in (0, 5, 255):
        found, error = records_of(fragment(FULL, b"one") + fragment(kind, b"two"))
        assert found == [LogRecord(0, 10, b"one")]
        assert "byte 10: there is a record of a kind that is not known" in str(error)


@pytest.mark.parametrize(
    "kinds", [[MIDDLE], [LAST], [FULL, LAST], [FIRST, FULL], [FIRST, FIRST, LAST], [FIRST, LAST, MIDDLE]]
)
def test_fragments_out_of_order(kinds: list[int]) -> None:
    found, error = records_of(b"".join(fragment(kind, b"abc") for kind in kinds))
    assert len(found) == sum(kind in (FULL, LAST) for kind in kinds[:-1])
    assert "a part of a record without the others" in str(error)


def test_first_fragments_without_bytes_are_passed_over() -> None:
    """LevelDB's first versions left them at the end of a block."""
    content = fragment(FIRST, b"") + fragment(FULL, b"one") + fragment(FIRST, b"") + fragment(FIRST, b"tw")
    found, error = records_of(content + fragment(LAST, b"o"))
    assert ([record.payload for record in found], error) == ([b"one", b"two"], None)


def test_a_log_as_the_value_of_a_record_that_was_cut_off() -> None:
    """The records in it are none of this log."""
    inner = written([b"inner record"] * 20)
    content = written([b"one", inner])
    for size in range(10, len(content)):
        assert records_of(content[:size]) == ([LogRecord(0, 10, b"one")], None)
    # Nor if its own bytes are damaged, but its header leads over them.
    assert records_of(content[:20] + b"?" + content[21:]) == ([LogRecord(0, 10, b"one")], None)


def crash_at_random(seed: int, sync: bool) -> tuple[list[bytes], bytes, int]:
    """Add records to a log, and let the power go: what was added, what is found, and how much of it was synced."""
    dice = random.Random(seed)
    disk = SimulatedDisk(seed)
    added: list[bytes] = []
    safe = 0
    with disk.open(PATH, create=True) as file:
        disk.sync_directory(".")
        writer = LogWriter(file)
        for _ in range(dice.randint(1, 12)):
            size = dice.choice((3, 20, 400, 511, 700, 3000, 40_000))
            payload = dice.choice((bytes(size), dice.randbytes(size), written([b"inner"] * 3)))
            if sync or dice.random() < 0.2:
                file.datasync()
                safe = len(added)
            writer.add(payload)
            added.append(payload)
        after = disk.crash("torn")
    with after.open(PATH) as file:
        return added, file.read_at(0, file.size()), safe


@pytest.mark.untrusted
def test_a_crash_takes_none_but_the_last_record() -> None:
    for seed in range(150):
        added, content, safe = crash_at_random(seed, sync=True)
        found, error = records_of(content)
        assert error is None, seed
        assert [record.payload for record in found] in (added[:safe], added[: safe + 1]), seed


@pytest.mark.untrusted
def test_a_crash_between_syncs_takes_the_records_behind_some_other() -> None:
    """What is damage where every record was synced, is the end where it was not."""
    told = 0
    for seed in range(150):
        added, content, safe = crash_at_random(seed, sync=False)
        found, error = records_of(content, synced=False)
        assert error is None, seed
        assert [record.payload for record in found] == added[: len(found)], seed
        assert len(found) >= safe, seed
        told += records_of(content)[1] is not None
    assert told > 10


@pytest.mark.untrusted
def test_bytes_are_changed_where_nothing_was_synced() -> None:
    """No sector's share of a record is all zeros."""
    payloads = payloads_of([40, 900, 2000, 30, 700])
    damaged = Behind(payloads)
    for place in range(0, len(damaged.content), 3):
        found = damaged.require_told(damaged.flipped(place, 0x55), [place], synced=False)
        assert (found == "told") == (place < damaged.records[-1].offset)


def changes_at_random(seed: int, count: int) -> list[list[Change]]:
    dice = random.Random(seed)
    batches: list[list[Change]] = []
    for _ in range(count):
        batch: list[Change] = []
        for _ in range(dice.choice((1, 1, 1, 2, 5, 40))):
            key = dice.randbytes(dice.choice((0, 1, 3, 20, 200)))
            size = dice.choice((0, 1, 100, 127, 128, 1000, 20_000)) if dice.random() < 0.98 else 150_000
            batch.append((key, None if dice.random() < 0.2 else dice.randbytes(size)))
        batches.append(batch)
    return batches


def write_by_plyvel(folder: Path, batches: list[list[Change]], **options: Any) -> None:
    """Let LevelDB write batches."""
    db = require("plyvel").DB(str(folder), create_if_missing=True, **options)
    for batch in batches:
        with db.write_batch() as target:
            for key, value in batch:
                if value is None:
                    target.delete(key)
                else:
                    target.put(key, value)
    db.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_log_of_leveldb_is_read(seed: int, tmp_path: Path) -> None:
    """And what was read, written again, gives the same file."""
    batches = changes_at_random(seed, 60)
    write_by_plyvel(tmp_path, batches, write_buffer_size=1 << 26)
    (path,) = tmp_path.glob("*.log")
    with LocalFileSystem().open(path, readonly=True) as file:
        records = list(read_log(file))
    sequence = 1
    for record, batch in zip(records, batches, strict=True):
        assert decode_batch(record.payload) == (sequence, batch)
        assert encode_batch(sequence, batch) == record.payload
        sequence += len(batch)
    assert written([record.payload for record in records]) == path.read_bytes()
    assert path.stat().st_size > 4 * BLOCK


def test_a_log_of_leveldb_is_gone_on_with(tmp_path: Path) -> None:
    """We add records to a log that it began, and it reads them."""
    plyvel = require("plyvel")
    write_by_plyvel(tmp_path, [[(b"theirs", b"1"), (b"both", b"1")]])
    (path,) = tmp_path.glob("*.log")
    ours: list[list[Change]] = [[(b"ours", bytes(100_000)), (b"both", b"2")], [(b"theirs", None)]]
    with LocalFileSystem().open(path) as file:
        writer = LogWriter(file, file.size())
        for sequence, batch in zip((3, 5), ours, strict=True):
            writer.add(encode_batch(sequence, batch))
    db = plyvel.DB(str(tmp_path), paranoid_checks=True)
    assert dict(db.iterator()) == {b"both": b"2", b"ours": bytes(100_000)}
    db.close()


def believe_that_nothing_follows(patch: pytest.MonkeyPatch) -> None:
    """Take everything that is not whole for the end of the log."""
    patch.setattr(log, "record_behind", lambda *_: None)


def believe_the_size(patch: pytest.MonkeyPatch) -> None:
    """Look for what follows only where the size leads, as LevelDB does."""

    def record_behind(file: Any, place: int) -> int | None:
        place += HEADER + int.from_bytes(file.read_at(place + 4, 2), "little")
        return place if file.read_at(place, HEADER)[-1:] in (b"\1", b"\2") else None

    patch.setattr(log, "record_behind", record_behind)


def believe_in_lost_sectors(patch: pytest.MonkeyPatch) -> None:
    """Take every damage for a crash where not everything was synced."""
    patch.setattr(log, "has_lost_sector", lambda *_: True)


@pytest.mark.parametrize(
    ("bug", "test"),
    [
        (believe_that_nothing_follows, test_every_byte_of_a_small_log_is_changed),
        (believe_that_nothing_follows, test_bytes_of_a_large_log_are_changed),
        (believe_the_size, test_every_byte_of_a_small_log_is_changed),
        (believe_in_lost_sectors, test_bytes_are_changed_where_nothing_was_synced),
    ],
)
def test_bugs_are_found(
    monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None], test: Callable[[], None]
) -> None:
    """Put in on purpose: the searches above see what they let pass."""
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        test()
