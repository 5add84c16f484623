"""Snappy's raw format: its description byte by byte, the laws of the essay, and the same data through other hands."""

from __future__ import annotations

import lzma
import random
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import CorruptDataError, InputError
from smlib.infotheory import snappy_compress, snappy_decompress
from smlib.infotheory.snappy import compression
from smlib.infotheory.snappy.compression import BLOCK_SIZE, compress_block, new_table, room
from tests.conftest import require

TEXT = "".join(topics.values()).encode()
NOISE = random.Random(0).randbytes(200_000)


def varint(number: int) -> bytes:
    groups = []
    while number >= 128:
        groups.append(number % 128 + 128)
        number //= 128
    return bytes([*groups, number])


def read_snappy(blob: bytes) -> bytes | None:
    """Carry out a blob byte by byte, from the description of the format; None if it is none."""
    size = position = 0
    while True:
        if position == 5 or position == len(blob):
            return None
        size += (blob[position] & 127) << 7 * position
        position += 1
        if blob[position - 1] < 128:
            break
    made = bytearray()
    while position < len(blob):
        tag = blob[position]
        position += 1
        kind, upper = tag & 3, tag >> 2
        if kind == 0:
            length = upper + 1
            if upper >= 60:
                more = upper - 59
                if position + more > len(blob):
                    return None
                length = int.from_bytes(blob[position : position + more], "little") + 1
                position += more
            if position + length > len(blob):
                return None
            made += blob[position : position + length]
            position += length
        else:
            more = {1: 1, 2: 2, 3: 4}[kind]
            if position + more > len(blob):
                return None
            offset = int.from_bytes(blob[position : position + more], "little")
            length = upper + 1
            if kind == 1:
                offset += (upper >> 3) << 8
                length = (upper & 7) + 4
            position += more
            if not 1 <= offset <= len(made):
                return None
            for _ in range(length):
                made.append(made[-offset])
        if len(made) > size:
            return None
    return bytes(made) if len(made) == size else None


# The format, byte by byte.


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("blob", "data"),
    [
        # 1: the length, as a varint.
        (b"\x40" + b"\xf0\x3f" + TEXT[:64], TEXT[:64]),
        # 2.1: literals; the length in the tag, and in 1, 2, 3 and 4 bytes.
        (b"\x00", b""),
        (b"\x01\x00x", b"x"),
        (b"\x3c\xec" + TEXT[:60], TEXT[:60]),
        (b"\x3d\xf0\x3c" + TEXT[:61], TEXT[:61]),
        (b"\x80\x02\xf0\xff" + TEXT[:256], TEXT[:256]),
        (b"\x81\x02\xf4\x00\x01" + TEXT[:257], TEXT[:257]),
        (b"\x05\xf8\x04\x00\x00hello", b"hello"),
        (b"\x05\xfc\x04\x00\x00\x00hello", b"hello"),
        (b"\x05\x00h\x04el\x04lo", b"hello"),
        # 2.2: "xababab" as a literal of 3 and a copy of 4 from 2 back, in all three forms.
        (b"\x07\x08xab\x01\x02", b"xababab"),
        (b"\x07\x08xab\x0e\x02\x00", b"xababab"),
        (b"\x07\x08xab\x0f\x02\x00\x00\x00", b"xababab"),
        # The longest and the shortest copies.
        (b"\x0c\x00a\x1d\x01", b"a" * 12),
        (b"\x41\x00a\xfe\x01\x00", b"a" * 65),
        (b"\x02\x00a\x02\x01\x00", b"aa"),
        (b"\x02\x00a\x03\x01\x00\x00\x00", b"aa"),
        # The farthest: 2047, 65535, and beyond.
        (b"\x83\x10\xf4\xfe\x07" + TEXT[:2047] + b"\xe1\xff", TEXT[:2047] + TEXT[:4]),
        (b"\x83\x80\x04\xf4\xfe\xff" + TEXT[:65535] + b"\x0e\xff\xff", TEXT[:65535] + TEXT[:4]),
        (b"\x94\xf1\x04\xf8\x8f\x38\x01" + TEXT[:80016] + b"\x0f\x90\x38\x01\x00", TEXT[:80016] + TEXT[:4]),
    ],
    ids=range(20),
)
def test_the_description_by_its_examples(blob: bytes, data: bytes) -> None:
    assert read_snappy(blob) == data
    assert snappy_decompress(blob, max_size=len(data)) == data


def test_the_length_of_the_description_that_takes_three_bytes() -> None:
    blob = b"\xfe\xff\x7f" + b"\xf8\xfd\xff\x1f" + bytes(2097150)
    assert snappy_decompress(blob) == bytes(2097150)
    assert snappy_compress(bytes(2097150)).startswith(b"\xfe\xff\x7f")


@pytest.mark.interpreted
def test_the_example_of_the_essay() -> None:
    data = b"Rose is a rose is a rose is a rose."
    blob = bytes.fromhex("23 28 52 6f 73 65 20 69 73 20 61 20 72 5a 0a 00 00 2e")
    assert snappy_compress(data) == blob
    assert read_snappy(blob) == data


@pytest.mark.interpreted
def test_all_elements_that_are_written() -> None:
    """A literal of each size of length; copies near and far, and long ones in parts of which none is below 4."""
    for size, head in ((60, b"\xec"), (61, b"\xf0\x3c"), (256, b"\xf0\xff"), (257, b"\xf4\x00\x01")):
        assert snappy_compress(NOISE[:size]) == varint(size) + head + NOISE[:size]
    for length, copies in (
        (11, b"\x1d\x01"),
        (12, b"\x2e\x01\x00"),
        (64, b"\xfe\x01\x00"),
        (65, b"\xee\x01\x00\x05\x01"),
    ):
        assert snappy_compress(b"a" * (length + 1)) == varint(length + 1) + b"\x00a" + copies
    for length, copies in ((67, b"\xee\x01\x00\x0d\x01"), (68, b"\xfe\x01\x00\x01\x01"), (128, b"\xfe\x01\x00" * 2)):
        assert snappy_compress(b"a" * (length + 1)) == varint(length + 1) + b"\x00a" + copies
    for distance, copy in ((2047, b"\xe1\xff"), (2048, b"\x0e\x00\x08")):
        data = NOISE[:4] + bytes(distance - 4) + NOISE[:4] + NOISE[2000:2008]
        assert snappy_compress(data).endswith(copy + b"\x1c" + NOISE[2000:2008])


# Laws.


@st.composite
def repetitive(draw: st.DrawFn) -> bytes:
    """Draw data of runs, of patterns, of pieces seen before at any distance, of text and of noise."""
    data = bytearray()
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.integers(0, 4))
        if kind == 0:
            data += bytes([draw(st.integers(0, 255))]) * draw(st.integers(1, 200))
        elif kind == 1:
            data += draw(st.binary(min_size=1, max_size=12)) * draw(st.integers(1, 20))
        elif kind == 2 and data:
            begin = draw(st.integers(0, len(data) - 1))
            data += data[begin : begin + draw(st.integers(1, 300))]
        elif kind == 3:
            begin = draw(st.integers(0, 10_000))
            data += TEXT[begin : begin + draw(st.integers(1, 400))]
        else:
            begin = draw(st.integers(0, 10_000))
            data += NOISE[begin : begin + draw(st.sampled_from([1, 3, 59, 60, 61, 255, 256, 257, 2048, 3000]))]
    return bytes(data)


@pytest.mark.interpreted
@given(repetitive() | st.binary(max_size=60) | st.text("ab", max_size=80).map(str.encode))
def test_what_goes_in_comes_out(data: bytes) -> None:
    blob = snappy_compress(data)
    assert read_snappy(blob) == data
    assert snappy_decompress(blob, max_size=len(data)) == data
    assert len(blob) <= len(data) + len(data) // 65 + 3 + len(varint(len(data)))


@given(repetitive() | st.binary(max_size=60) | st.text("ab", max_size=80).map(str.encode))
def test_cramjam_reads_ours_and_we_read_its(data: bytes) -> None:
    snappy = require("cramjam").snappy
    assert bytes(snappy.decompress_raw(snappy_compress(data))) == data
    assert snappy_decompress(bytes(snappy.compress_raw(data))) == data


BORDERS = [0, 1, 7, 8, 9, 10, 4000, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, BLOCK_SIZE + 8, 3 * BLOCK_SIZE + 5]


@pytest.mark.parametrize("size", BORDERS)
def test_sizes_around_the_borders(size: int) -> None:
    snappy = require("cramjam").snappy
    for data in (TEXT[:size], b"x" * size, NOISE[:size], b"abc" * (size // 3), (NOISE[:1000] * 200)[:size]):
        blob = snappy_compress(data)
        assert snappy_decompress(blob, max_size=len(data)) == bytes(snappy.decompress_raw(blob)) == data
        assert snappy_decompress(bytes(snappy.compress_raw(data))) == data


def test_small_sizes_one_by_one() -> None:
    for size in range(300):
        for data in (TEXT[:size], b"z" * size, NOISE[:size], (b"0123456789" * 30)[:size]):
            assert snappy_decompress(snappy_compress(data)) == data


@pytest.mark.interpreted
@given(st.integers(1, 80), st.integers(0, 80), st.integers(1, 64), st.integers(0, 100))
def test_every_distance_repeats_what_it_should(distance: int, before: int, length: int, after: int) -> None:
    """Near copies with bytes before and behind, near an end and far from it."""
    start = NOISE[: before + distance]
    blob = b"\xf0" + bytes([len(start) - 1]) + start + bytes([(length - 1) << 2 | 2, distance, 0])
    tail = NOISE[500 : 500 + after]
    if tail:
        blob += b"\xf0" + bytes([len(tail) - 1]) + tail
    repeated = (start[-distance:] * length)[:length]
    assert snappy_decompress(varint(len(start) + length + after) + blob) == start + repeated + tail


def test_sizes_are_near_those_of_cramjam() -> None:
    snappy = require("cramjam").snappy
    for data in (TEXT[:4096], TEXT[:40_000], TEXT, TEXT[::-1], b"".join(b"%d," % k for k in range(20_000))):
        assert len(snappy_compress(data)) <= 1.02 * len(snappy.compress_raw(data))


def test_blocks_stay_within_their_room_and_the_slack_behind() -> None:
    """The most that a block can grow: noise in pieces of 61 and 257 bytes, each followed by a copy of 4."""
    pieces = [NOISE[:4] + NOISE[k : k + size] for size in (61, 257) for k in range(100, 60_000, size + 4)]
    ending = NOISE[:8] + NOISE[100:133] + NOISE[:8]
    for data in (b"".join(pieces)[:BLOCK_SIZE], NOISE[:BLOCK_SIZE], NOISE[:1], TEXT[:BLOCK_SIZE], bytes(9000), ending):
        out = np.full(room(len(data)) + 64, 0xA5, dtype=np.uint8)
        size = compress_block(np.frombuffer(data, np.uint8), new_table(len(data)), out)
        assert size <= len(data) + len(data) // 65 + 3
        assert size + 7 <= room(len(data))
        assert (out[size + 7 :] == 0xA5).all()
    assert len(snappy_compress(NOISE)) <= len(NOISE) + 4 * 3 + 3


@pytest.mark.parametrize(
    ("size", "slots"), [(0, 256), (1, 256), (256, 256), (257, 512), (4096, 4096), (10**6, 1 << 14)]
)
def test_the_table_suits_the_data(size: int, slots: int) -> None:
    assert new_table(size).size == slots


@pytest.mark.real_data
def test_the_published_files(real_data: Path) -> None:
    """The test data of Google's Snappy: there and back through both hands, at its sizes."""
    snappy = require("cramjam").snappy
    folder = real_data / "corpora"
    files = [*folder.glob("*.xz"), *(folder / "canterbury").glob("*.xz"), folder / "fireworks.jpeg"]
    files += [folder / "paper-100k.pdf", folder / "inaugural.zip"]
    assert len(files) == 11
    for path in files:
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        ours, theirs = snappy_compress(data), bytes(snappy.compress_raw(data))
        assert bytes(snappy.decompress_raw(ours)) == data
        assert snappy_decompress(theirs) == snappy_decompress(ours) == data
        assert len(ours) <= 1.02 * len(theirs), path.name


# What may be passed.


def test_any_bytes_like_is_welcome() -> None:
    data = TEXT[:4000]
    blob = snappy_compress(data)
    array = np.frombuffer(data, dtype=np.uint8)
    likes: tuple[Any, ...] = (bytearray(data), memoryview(b"." + data + b".")[1:-1], array.reshape(40, 100))
    for same in likes:
        assert snappy_compress(same) == blob
    blobs: tuple[Any, ...] = (bytearray(blob), memoryview(b"." + blob)[1:], np.frombuffer(blob, dtype=np.uint8))
    for same in blobs:
        assert snappy_decompress(same) == data
    empties: list[Any] = [np.zeros((0, 3)), bytearray(), memoryview(b"")]
    for empty in empties:
        assert snappy_compress(empty) == b"\0"


@pytest.mark.parametrize(
    ("call", "argument", "message"),
    [
        (snappy_compress, "text", "str is not bytes-like"),
        (snappy_compress, None, "NoneType is not bytes-like"),
        (snappy_compress, memoryview(b"abcdef")[::2], "memoryview is not bytes-like, or not contiguous"),
        (snappy_decompress, "text", "str is not bytes-like"),
        (lambda size: snappy_decompress(b"\0", max_size=size), -1, "max_size is -1; it must be at least 0"),
        (lambda size: snappy_decompress(b"\0", max_size=size), "3", "max_size is '3'; it must be an integer"),
    ],
)
def test_bad_input_is_named(call: Any, argument: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(argument)


def test_what_the_format_cannot_say_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "LARGEST_SIZE", 99)
    with pytest.raises(
        InputError, match="data has 100 bytes, and Snappy's format holds up to 99: compress it in parts"
    ):
        snappy_compress(bytes(100))
    monkeypatch.setattr("smlib.infotheory.snappy.decompression.LARGEST_SIZE", 99)
    with pytest.raises(InputError, match="blob has 100 bytes; up to 99 can be decompressed at once"):
        snappy_decompress(bytes(100))
    with pytest.raises(CorruptDataError, match="takes more than 32 bits"):
        snappy_decompress(b"\x7f" + bytes(50))
