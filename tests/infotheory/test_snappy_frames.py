"""Snappy's framing: its description chunk by chunk, streams through other hands, and damage that the checksums see."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from itertools import compress, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.hashing import crc32c
from smlib.errors import CorruptDataError, InputError
from smlib.infotheory import snappy_compress, snappy_frame_compress, snappy_frame_decompress
from smlib.infotheory.snappy.compression import BLOCK_SIZE
from tests.conftest import require
from tests.infotheory.test_snappy import NOISE, TEXT, read_snappy, repetitive

IDENTIFIER = b"\xff\x06\x00\x00sNaPpY"


def masked(data: bytes) -> bytes:
    """Return the checksum of data as a stream holds it, from the description of the format."""
    crc = crc32c(data)
    return (((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32).to_bytes(4, "little")


def chunk(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + len(content).to_bytes(3, "little") + content


def stored(data: bytes) -> bytes:
    return chunk(1, masked(data) + data)


def packed(data: bytes, elements: bytes | None = None) -> bytes:
    return chunk(0, masked(data) + (snappy_compress(data) if elements is None else elements))


def chunks_of(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of each chunk."""
    begin = 0
    while begin < len(stream):
        end = begin + 4 + int.from_bytes(stream[begin + 1 : begin + 4], "little")
        yield stream[begin], stream[begin + 4 : end]
        begin = end


@pytest.mark.interpreted
def test_the_mask_of_known_checksums() -> None:
    """RFC 3720, section B.4: 32 zeros have the CRC-32C 8a9136aa, 32 ones the 62a8ab43."""
    assert masked(bytes(32)) == (((0x8A9136AA >> 15 | 0x8A9136AA << 17) + 0xA282EAD8) % 2**32).to_bytes(4, "little")
    for data in (bytes(32), b"\xff" * 32, NOISE[:32]):
        assert snappy_frame_decompress(IDENTIFIER + stored(data)) == data


@pytest.mark.interpreted
def test_the_format_is_what_its_description_says() -> None:
    assert snappy_frame_compress(b"") == IDENTIFIER
    text = TEXT[:2000]
    assert snappy_frame_compress(text) == IDENTIFIER + packed(text)
    assert snappy_frame_compress(NOISE[:2000]) == IDENTIFIER + stored(NOISE[:2000])


def test_chunks_hold_64_kilobytes() -> None:
    data = TEXT[:100_000] + NOISE[:150_000]
    parts = list(chunks_of(snappy_frame_compress(data)))
    assert [kind for kind, _ in parts] == [0xFF, 0, 0, 1, 1]
    back = [read_snappy(content[4:]) if kind == 0 else content[4:] for kind, content in parts[1:]]
    assert back == [data[begin : begin + BLOCK_SIZE] for begin in range(0, len(data), BLOCK_SIZE)]


@pytest.mark.interpreted
@given(repetitive() | st.binary(max_size=60))
def test_what_goes_in_comes_out(data: bytes) -> None:
    stream = snappy_frame_compress(data)
    assert snappy_frame_decompress(stream, max_size=len(data)) == data
    assert len(stream) <= len(data) + 8 * -(-len(data) // BLOCK_SIZE) + 10


@given(st.lists(repetitive() | st.binary(max_size=60), max_size=3))
def test_cramjam_reads_ours_and_we_read_its(pieces: list[bytes]) -> None:
    snappy = require("cramjam").snappy
    data = b"".join(pieces)
    assert bytes(snappy.decompress(snappy_frame_compress(data))) == data
    assert snappy_frame_decompress(bytes(snappy.compress(data))) == data
    streams = b"".join(bytes(snappy.compress(piece)) + snappy_frame_compress(piece) for piece in pieces)
    assert snappy_frame_decompress(streams) == b"".join(2 * piece for piece in pieces)


@pytest.mark.parametrize("size", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE])
def test_sizes_around_the_borders(size: int) -> None:
    snappy = require("cramjam").snappy
    for data in (TEXT[:size], bytes(size), NOISE[:size]):
        assert bytes(snappy.decompress(snappy_frame_compress(data))) == data
        assert snappy_frame_decompress(bytes(snappy.compress(data)), max_size=size) == data


@pytest.mark.interpreted
def test_chunks_without_data_are_passed_over() -> None:
    one, two = packed(b"one " * 20), stored(b"two")
    padding, skippable = chunk(0xFE, b"any bytes, even these"), chunk(0x80, b"later") + chunk(0xFD, b"")
    stream = IDENTIFIER + padding + one + skippable + IDENTIFIER + chunk(0xFE, b"") + two + chunk(0xFE, bytes(70_000))
    assert snappy_frame_decompress(stream) == b"one " * 20 + b"two"
    assert snappy_frame_decompress(IDENTIFIER) == snappy_frame_decompress(b"") == b""
    assert snappy_frame_decompress(IDENTIFIER + packed(b"") + stored(b"")) == b""


@pytest.mark.untrusted
@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b"\xff\x06\x00\x00sNaPpX", "the chunk at byte 0 does not say b'sNaPpY'"),
        (stored(b"no identifier"), "the stream does not begin with"),
        (snappy_compress(b"raw, not framed"), "the stream does not begin with"),
        (b"\xff\x07\x00\x00sNaPpYY", "the stream does not begin with"),
        (IDENTIFIER[:7], "the stream ends at byte 7, within the chunk at byte 0: it was cut short"),
        (IDENTIFIER + b"\x00", "the stream ends at byte 11, within the chunk at byte 10: it was cut short"),
        (IDENTIFIER + stored(b"abc")[:-1], "the stream ends at byte 20, within the chunk at byte 10: it was cut short"),
        (IDENTIFIER + stored(b"a") + chunk(0xFF, b"sNaPpX"), r"the chunk at byte 19 does not say b'sNaPpY'"),
        (IDENTIFIER + stored(b"a") + chunk(0xFF, b""), "the chunk at byte 19 does not say"),
        (IDENTIFIER + chunk(2, b""), "the chunk at byte 10 is of kind 0x02, which no reader may skip"),
        (IDENTIFIER + stored(b"a") + chunk(0x7F, b"x"), "the chunk at byte 19 is of kind 0x7f"),
        (IDENTIFIER + chunk(0, b"abc"), "the chunk at byte 10 is too short for its checksum"),
        (IDENTIFIER + chunk(1, b""), "the chunk at byte 10 is too short for its checksum"),
        (IDENTIFIER + stored(bytes(65_537)), "the chunk at byte 10 claims 65537 bytes; 65536 is the most"),
        (IDENTIFIER + packed(bytes(65_537)), "the chunk at byte 10 claims 65537 bytes; 65536 is the most"),
        (IDENTIFIER + chunk(0, masked(b"")), "the blob ends at byte 18, within the size of the data"),
        (IDENTIFIER + packed(b"", b"\x05\x00a\x05\x01"), "the copy at byte 21 makes more than 5 bytes of data"),
        (IDENTIFIER + packed(b"", b"\x05\x00a\x05\x02"), "the copy at byte 21 begins 2 back, but 1 bytes are there"),
        (IDENTIFIER + packed(b"", b"\x64\x00a"), "100 bytes are claimed, but the 2 from byte 19 on make 1 at most"),
        (IDENTIFIER + chunk(1, masked(b"b") + b"a"), "the checksum of the chunk at byte 10 is wrong"),
        (IDENTIFIER + stored(b"a") + packed(b"b", b"\x01\x00a"), "the checksum of the chunk at byte 19 is wrong"),
        (IDENTIFIER + chunk(1, crc32c(b"a").to_bytes(4, "little") + b"a"), "the checksum of the chunk at byte 10"),
    ],
)
def test_damage_is_named_with_its_place(stream: bytes, message: str) -> None:
    with pytest.raises(CorruptDataError, match=message):
        snappy_frame_decompress(stream)


SMALL = IDENTIFIER + packed(TEXT[:200]) + chunk(0xFE, b"") + stored(b"as it is") + IDENTIFIER + packed(b"a" * 100)
PIECES = (TEXT[:200], b"as it is", b"a" * 100)
# A chunk that is changed into one that may be skipped, or swallowed by one, is lost without a trace.
WHOLE, *LEFT = (b"".join(compress(PIECES, kept)) for kept in product((True, False), repeat=3))


@pytest.mark.untrusted
def test_every_change_of_one_byte_is_noticed_or_loses_a_chunk() -> None:
    snappy = require("cramjam").snappy
    assert snappy_frame_decompress(SMALL) == WHOLE
    stream = bytearray(SMALL)
    for place in range(len(stream)):
        right = stream[place]
        for wrong in range(256):
            stream[place] = wrong
            try:
                data = snappy_frame_decompress(stream)
            except CorruptDataError:
                assert wrong != right
                continue
            assert data == bytes(snappy.decompress(bytes(stream)))
            assert data in (WHOLE, *LEFT)
        stream[place] = right


@pytest.mark.untrusted
@pytest.mark.interpreted
def test_truncations_within_a_chunk_are_noticed() -> None:
    borders, begin = {0}, 0
    for _, content in chunks_of(SMALL):
        begin += 4 + len(content)
        borders.add(begin)
    for size in range(len(SMALL)):
        if size in borders:
            assert (TEXT[:200] + b"as it is").startswith(snappy_frame_decompress(SMALL[:size]))
        else:
            with pytest.raises(CorruptDataError, match=f"the stream ends at byte {size}, within the chunk at byte"):
                snappy_frame_decompress(SMALL[:size])


@pytest.mark.untrusted
def test_what_cramjam_refuses_is_refused() -> None:
    cramjam = require("cramjam")
    draw = random.Random(0)
    stream = snappy_frame_compress(TEXT[:90_000] + NOISE[:5000])
    for _ in range(300):
        damaged = bytearray(stream)
        for _ in range(draw.randint(1, 3)):
            damaged[draw.choice((draw.randrange(len(stream)), draw.randrange(30)))] = draw.randrange(256)
        try:
            expected = bytes(cramjam.snappy.decompress(bytes(damaged)))
        except cramjam.DecompressionError:
            with pytest.raises(CorruptDataError):
                snappy_frame_decompress(damaged)
            continue
        assert snappy_frame_decompress(damaged) == expected


@pytest.mark.untrusted
def test_max_size_acts_before_memory_is_taken() -> None:
    stream = snappy_frame_compress(bytes(40 * BLOCK_SIZE))
    tracemalloc.start()
    with pytest.raises(CorruptDataError, match="the stream holds 131072 bytes or more; max_size allows 100000"):
        snappy_frame_decompress(stream, max_size=100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * BLOCK_SIZE
    assert len(snappy_frame_decompress(stream, max_size=40 * BLOCK_SIZE)) == 40 * BLOCK_SIZE
    with pytest.raises(CorruptDataError, match="max_size allows 2"):
        snappy_frame_decompress(IDENTIFIER + stored(b"abc"), max_size=2)


@pytest.mark.real_data
def test_a_published_text(real_data: Path) -> None:
    snappy = require("cramjam").snappy
    data = (real_data / "corpora" / "fireworks.jpeg").read_bytes() + TEXT
    assert bytes(snappy.decompress(snappy_frame_compress(data))) == data
    assert snappy_frame_decompress(bytes(snappy.compress(data))) == data


def test_any_bytes_like_is_welcome() -> None:
    stream = snappy_frame_compress(TEXT[:4000])
    rows = np.frombuffer(TEXT[:4000], dtype=np.uint8).reshape(40, 100)
    likes: tuple[Any, ...] = (bytearray(TEXT[:4000]), memoryview(b"." + TEXT[:4000])[1:], rows)
    for same in likes:
        assert snappy_frame_compress(same) == stream
    blobs: tuple[Any, ...] = (bytearray(stream), memoryview(b"." + stream)[1:], np.frombuffer(stream, dtype=np.uint8))
    for same in blobs:
        assert snappy_frame_decompress(same) == TEXT[:4000]


@pytest.mark.parametrize(
    ("call", "argument", "message"),
    [
        (snappy_frame_compress, "text", "str is not bytes-like"),
        (snappy_frame_compress, memoryview(b"abcdef")[::2], "memoryview is not bytes-like, or not contiguous"),
        (snappy_frame_decompress, "text", "str is not bytes-like"),
        (lambda size: snappy_frame_decompress(b"", max_size=size), -1, "max_size is -1; it must be at least 0"),
    ],
)
def test_bad_input_is_named(call: Any, argument: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(argument)
