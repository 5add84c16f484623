"""Damaged and forged Snappy: refused where it shows, and harmless everywhere."""

from __future__ import annotations

import os
import random
import tracemalloc
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import CorruptDataError
from smlib.infotheory import snappy_compress, snappy_decompress
from smlib.infotheory.snappy.decompression import decompress_block, largest_output, read_size
from tests.conftest import require
from tests.infotheory.test_snappy import NOISE, TEXT, read_snappy, varint

SEARCH = int(os.environ.get("SMLIB_SEARCH", "50"))
SMALL = {
    "rose": snappy_compress(b"Rose is a rose is a rose is a rose, and a nose is a nose."),
    "run": snappy_compress(b"a" * 300),
    "text": snappy_compress(TEXT[:200]),
    "far": b"\x0b\x08abc\x0f\x03\x00\x00\x00\x0e\x01\x00",
}


def outcome(blob: bytes) -> bytes | None:
    try:
        return snappy_decompress(blob)
    except CorruptDataError:
        return None


def check_kernel(blob: bytes, size: int) -> None:
    """Carry a blob out into the middle of an array: what lies around must stay as it is."""
    around = np.full(size + 160, 0xA5, dtype=np.uint8)
    padded = np.frombuffer(b"\xff" * 80 + blob + b"\xff" * 80, dtype=np.uint8)
    position, place = decompress_block(padded[80 : 80 + len(blob)], 0, around[80 : 80 + size])
    assert 0 <= position <= len(blob)
    assert 0 <= place <= size
    assert (around[:80] == 0xA5).all()
    assert (around[80 + size :] == 0xA5).all()


@pytest.mark.untrusted
@pytest.mark.parametrize("name", SMALL)
def test_every_change_of_one_byte_is_refused_or_means_something(name: str) -> None:
    blob = bytearray(SMALL[name])
    for place in range(len(blob)):
        right = blob[place]
        for wrong in range(256):
            blob[place] = wrong
            assert outcome(bytes(blob)) == read_snappy(bytes(blob))
        blob[place] = right


@pytest.mark.untrusted
@pytest.mark.interpreted
@pytest.mark.parametrize("name", SMALL)
def test_every_truncation_is_refused(name: str) -> None:
    blob = SMALL[name]
    for size in range(len(blob)):
        with pytest.raises(CorruptDataError):
            snappy_decompress(blob[:size])
    for more in (b"\0", b"\0\0", blob):
        with pytest.raises(CorruptDataError):
            snappy_decompress(blob + more)


@pytest.mark.untrusted
@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (b"", "the blob ends at byte 0, within the size of the data: it was cut short"),
        (b"\x80\x80", "the blob ends at byte 2, within the size of the data: it was cut short"),
        (b"\xff\xff\xff\xff\xff\x00", "the size of the data, at byte 0, takes more than 32 bits"),
        (b"\x80\x80\x80\x80\x80\x00", "the size of the data, at byte 0, takes more than 32 bits"),
        (b"\xff\xff\xff\xff\x10", "the size of the data, at byte 0, takes more than 32 bits"),
        (b"\xff\xff\xff\xff\x0f\x00a", "4294967295 bytes are claimed, but the 2 from byte 5 on make 1 at most"),
        (b"\x04\x04ab\x00c", "the blob ends at byte 6, after 3 of 4 bytes of data: it was cut short"),
        (b"\x02\x00a\x01", "the blob ends at byte 4, within the element that begins at byte 3: it was cut short"),
        (b"\x05\x00a\x0e\x01", "the blob ends at byte 5, within the element that begins at byte 3: it was cut short"),
        (b"\x05\x04ab\xf0", "the blob ends at byte 5, within the element that begins at byte 4: it was cut short"),
        (b"\x02\x08ab", "the literal at byte 1 has 3 bytes, but 2 are left: the blob is damaged"),
        (b"\x04\xfc\xff\xff\xff\xffabcd", "the literal at byte 1 has 4294967296 bytes, but 4 are left"),
        (b"\x02\x08abc", "the literal at byte 1 makes more than 2 bytes of data: the blob is damaged"),
        (b"\x05\x00a\x01\x00", "the copy at byte 3 begins 0 back, but 1 bytes are there: the blob is damaged"),
        (b"\x05\x00a\x01\x02", "the copy at byte 3 begins 2 back, but 1 bytes are there: the blob is damaged"),
        (b"\x05\x00a\xe1\xff", "the copy at byte 3 begins 2047 back, but 1 bytes are there"),
        (b"\x05\x00a\x0f\xff\xff\xff\xff", "the copy at byte 3 begins 4294967295 back, but 1 bytes are there"),
        (b"\x05\x00a\x05\x01", "the copy at byte 3 makes more than 5 bytes of data: the blob is damaged"),
        (b"\x00\x00a", "the literal at byte 1 makes more than 0 bytes of data"),
    ],
)
def test_damage_is_named_with_its_place(blob: bytes, message: str) -> None:
    assert read_snappy(blob) is None
    with pytest.raises(CorruptDataError, match=message):
        snappy_decompress(blob)


@pytest.mark.untrusted
def test_damage_is_found_far_from_the_ends_too() -> None:
    """Where words are copied the same place is named."""
    start, end = b"\xf0\xff" + TEXT[:256], b"\xf0\xff" + TEXT[:256]
    for element, message in ((b"\x0e\x00\x00", "begins 0 back"), (b"\x0e\x01\x01", "begins 257 back, but 256 bytes")):
        with pytest.raises(CorruptDataError, match=f"the copy at byte 260 {message}"):
            snappy_decompress(varint(516) + start + element + end)
    with pytest.raises(CorruptDataError, match="the literal at byte 260 has 65536 bytes, but 258 are left"):
        snappy_decompress(varint(516) + start + b"\xf4\xff\xff" + end)


def forged_at_random(draw: random.Random) -> bytes:
    """Return a blob of elements of all kinds, of which most make sense, and now and then one does not."""
    made, parts = 0, []
    for _ in range(draw.randint(0, 30)):
        wild = draw.random() < 0.02
        if made == 0 or draw.random() < 0.4:
            length = draw.choice((1, 2, 7, 8, 9, 16, 59, 60, 61, 64, 200, 300))
            more = draw.choice((1, 2, 3, 4)) if length > 60 or draw.random() < 0.2 else 0
            more = 2 if more == 1 and length > 256 else more
            head = (
                bytes([(length - 1) << 2])
                if not more
                else bytes([(59 + more) << 2]) + (length - 1).to_bytes(more, "little")
            )
            parts.append(head + NOISE[made : made + length + (draw.choice((-1, 1)) if wild else 0)])
        else:
            offset = made + draw.randint(1, 9) if wild else draw.randint(1, min(made, draw.choice((3, 9, 40, made))))
            length = draw.choice((1, 3, 4, 7, 8, 11, 12, 30, 63, 64))
            kind = draw.choice((1, 2, 3)) if offset < 2048 and 4 <= length < 12 else draw.choice((2, 3))
            if kind == 1:
                parts.append(bytes([(offset >> 8) << 5 | (length - 4) << 2 | 1, offset & 255]))
            else:
                parts.append(bytes([(length - 1) << 2 | kind]) + offset.to_bytes(2 * kind - 2, "little"))
        made += length
    if draw.random() < 0.05:
        made += draw.choice((-1, 1, 8, 64))
    return varint(max(0, made)) + b"".join(parts)


@pytest.mark.untrusted
def test_forgeries_are_carried_out_or_refused_as_the_description_says() -> None:
    """SMLIB_SEARCH=2000 tries 40,000, of which a half make sense."""
    draw = random.Random(0)
    right = 0
    for _ in range(20 * SEARCH):
        blob = forged_at_random(draw)
        expected = read_snappy(blob)
        assert outcome(blob) == expected
        size, begin = read_size(np.frombuffer(blob, np.uint8), 0)
        check_kernel(blob[begin:], min(size, 5000))
        right += expected is not None
    assert right > 5 * SEARCH


@pytest.mark.untrusted
@pytest.mark.interpreted
@given(st.binary(max_size=80), st.integers(0, 200))
def test_any_bytes_are_carried_out_or_refused_as_the_description_says(elements: bytes, size: int) -> None:
    assert outcome(varint(size) + elements) == read_snappy(varint(size) + elements)
    check_kernel(elements, size)


@pytest.mark.untrusted
@given(st.integers(0, 10**9), st.integers(0, 255), st.integers(0, 10**9))
def test_what_cramjam_refuses_is_refused(place: int, byte: int, cut: int) -> None:
    cramjam = require("cramjam")
    blob = bytearray(LONG)
    blob[place % len(blob)] = byte
    for damaged in (bytes(blob), bytes(blob[: cut % len(blob)])):
        try:
            expected = bytes(cramjam.snappy.decompress_raw(damaged))
        except cramjam.DecompressionError:
            expected = None
        assert outcome(damaged) == expected


LONG = snappy_compress(TEXT[:100_000])


@pytest.mark.untrusted
@pytest.mark.real_data
def test_the_published_corrupt_files_are_refused(real_data: Path) -> None:
    cramjam = require("cramjam")
    files = sorted((real_data / "corpora").glob("baddata*.snappy"))
    assert len(files) == 3
    for path in files:
        with pytest.raises(cramjam.DecompressionError):
            cramjam.snappy.decompress_raw(path.read_bytes())
        with pytest.raises(CorruptDataError, match=r"at byte \d+"):
            snappy_decompress(path.read_bytes())


# How much may come out of how little.


@cache
def most_of(size: int) -> int:
    """Return the most that elements of exactly this size make, by trying what the last one is."""
    best = max((length for length in range(1, 61) if length + 1 == size), default=0)
    for written, made in ((2, 11), (3, 64), (5, 64), *((length + 1, length) for length in range(1, 61))):
        if written < size and most_of(size - written):
            best = max(best, most_of(size - written) + made)
    return best


def test_the_bound_of_what_comes_out_is_the_true_one() -> None:
    for size in range(200):
        assert largest_output(size) == most_of(size)
        assert most_of(size) <= max(0, 64 * (size - 2) / 3 + 1)


@pytest.mark.untrusted
@pytest.mark.interpreted
def test_the_most_is_reached_and_one_more_refused() -> None:
    for copies in (0, 1, 50):
        for more, made in ((b"", 0), (b"\x1d\x01", 11)):
            elements = b"\0a" + b"\xfe\x01\x00" * copies + more
            size = 1 + 64 * copies + made
            assert snappy_decompress(varint(size) + elements, max_size=size) == b"a" * size
            with pytest.raises(
                CorruptDataError, match=f"{size + 1} bytes are claimed, but the {len(elements)} from byte"
            ):
                snappy_decompress(varint(size + 1) + elements)


@pytest.mark.untrusted
def test_claims_are_judged_before_memory_is_taken() -> None:
    bomb = snappy_compress(bytes(10**7))
    assert len(bomb) < 470_000
    for blob, most, message in (
        (bomb, 10**6, "the blob claims 10000000 bytes; max_size allows 1000000"),
        (b"\xff\xff\xff\xff\x0f" + bomb, None, "4294967295 bytes are claimed, but the"),
        (b"\xff\xff\xff\xff\x0f", None, "the 0 from byte 5 on make 0 at most"),
    ):
        tracemalloc.start()
        with pytest.raises(CorruptDataError, match=message):
            snappy_decompress(blob, max_size=most)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 30_000
    assert snappy_decompress(bomb, max_size=10**7) == bytes(10**7)
    with pytest.raises(CorruptDataError, match="max_size allows 0"):
        snappy_decompress(b"\x01\0a", max_size=0)
    assert snappy_decompress(b"\0", max_size=0) == b""
