"""Huffman-coded bytes: what goes in comes out, however it is cut, in the format that is described."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from functools import cache
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.hashing import crc32c
from smlib.errors import InputError
from smlib.infotheory import (
    HuffmanCode,
    huffman_code_lengths,
    huffman_compress,
    huffman_compress_chunks,
    huffman_decompress,
    huffman_decompress_chunks,
)
from smlib.infotheory.huffman_coding.blocks import LONGEST_WORD, count_bytes
from smlib.infotheory.huffman_coding.container import BLOCK_SIZE, END, HUFFMAN, MAGIC, REPEATED, STORED

TEXT = "".join(topics.values()).encode()
# What a stream may hold: text, noise, a byte repeated, few symbols, and seams between them.
PIECES = (TEXT[:3000], bytes(range(256)) * 3, b"a" * 400, b"ab" * 100 + b"c", b"", random.Random(0).randbytes(600))


def skewed(size: int, seed: int) -> bytes:
    """Return bytes with very uneven counts: words of all lengths."""
    return (np.random.default_rng(seed).geometric(0.3, size) % 256).astype(np.uint8).tobytes()


@pytest.mark.interpreted
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=40), max_size=3))
def test_what_goes_in_comes_out(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    blob = huffman_compress(data)
    assert huffman_decompress(blob) == data
    assert len(blob) <= len(data) + 12 * -(-len(data) // BLOCK_SIZE) + 16


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 31, 300, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 400_000])
def test_sizes_around_the_borders(size: int) -> None:
    for data in (TEXT[:size], b"x" * size, random.Random(size).randbytes(size), skewed(size, size)):
        blob = huffman_compress(data)
        assert huffman_decompress(blob, max_size=len(data)) == data
        assert len(blob) <= len(data) + 12 * -(-len(data) // BLOCK_SIZE) + 16


def test_small_sizes_one_by_one() -> None:
    for size in range(200):
        data = skewed(size, size)
        assert huffman_decompress(huffman_compress(data)) == data


def kinds(blob: bytes) -> list[int]:
    return [blob[begin] for begin, _ in records(blob)]


def records(blob: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each record begins and ends, read off the format alone."""
    begin = len(MAGIC)
    while begin < len(blob):
        kind, end = blob[begin], begin + 12
        if kind != END:
            end += int.from_bytes(blob[begin + 4 : begin + 8], "little")
        yield begin, end
        begin = end


@pytest.mark.interpreted
def test_the_format_is_what_its_description_says() -> None:
    assert kinds(huffman_compress(b"")) == [END]
    assert kinds(huffman_compress(b"aaaa")) == [REPEATED, END]
    assert kinds(huffman_compress(bytes(range(256)))) == [STORED, END]
    blob = huffman_compress(TEXT[:2000])
    assert kinds(blob) == [HUFFMAN, END]
    assert blob[:4] == b"smH1"
    assert int.from_bytes(blob[5:8], "little") == 2000
    size = int.from_bytes(blob[8:12], "little")
    assert int.from_bytes(blob[12:16], "little") == crc32c(blob[:12] + blob[16 : 16 + size])
    assert blob[16 + size :][:8] == bytes([END]) + (2000).to_bytes(7, "little")
    assert blob[-4:] == crc32c(blob[:12] + blob[16:-4]).to_bytes(4, "little")


def read_block(block: bytes, size: int) -> bytes | None:
    """Decode a Huffman block bit by bit, from the description of the format; None if it is none."""
    used = [s for s in range(256) if s // 8 < len(block) and block[s >> 3] >> (s & 7) & 1]
    nibbles = [half for byte in block[32 : 32 + (len(used) + 1) // 2] for half in (byte & 15, byte >> 4)]
    lengths = np.zeros(256, dtype=np.uint8)
    place = 32 + (len(used) + 1) // 2
    if (
        place + 9 > len(block)
        or any(nibbles[len(used) :])
        or not all(0 < n <= LONGEST_WORD for n in nibbles[: len(used)])
    ):
        return None
    lengths[used] = nibbles[: len(used)]
    if sum(2.0**-length for length in nibbles[: len(used)]) != 1.0:
        return None
    code = HuffmanCode(lengths)
    symbols = {f"{code.codes[s]:0{lengths[s]}b}": s for s in used}
    borders = [place + 9]
    for k in range(3):
        borders.append(borders[-1] + int.from_bytes(block[place + 3 * k : place + 3 * k + 3], "little"))
    borders.append(len(block))
    out = bytearray()
    quarter = -(-size // 4)
    for stream in range(4):
        bits = "".join(f"{byte:08b}"[::-1] for byte in block[borders[stream] : borders[stream + 1]])
        at = end = 0
        while len(out) < min((stream + 1) * quarter, size):
            while bits[at:end] not in symbols:
                end += 1
                if end > len(bits):
                    return None
            out.append(symbols[bits[at:end]])
            at = end
        if borders[stream] > borders[stream + 1] or len(bits) - at >= 8 or "1" in bits[at:]:
            return None
    return bytes(out)


@pytest.mark.parametrize("data", [TEXT[:5001], skewed(3000, 1), b"ab" * 100 + b"c" * 30], ids=["text", "skewed", "abc"])
def test_a_block_can_be_read_from_the_description_alone(data: bytes) -> None:
    blob = huffman_compress(data)
    assert blob[4] == HUFFMAN
    size = int.from_bytes(blob[8:12], "little")
    assert read_block(blob[16 : 16 + size], len(data)) == data


def test_real_text_takes_the_bits_that_its_code_says_and_no_more_than_zlib() -> None:
    data = TEXT[:BLOCK_SIZE]
    counts = np.bincount(np.frombuffer(data, dtype=np.uint8), minlength=256)
    bits = int(counts @ huffman_code_lengths(counts, LONGEST_WORD))
    blob = huffman_compress(data)
    assert bits / 8 <= len(blob) <= bits / 8 + 4 + 12 + 32 + 128 + 9 + 4 + 12
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
    assert len(blob) <= 1.01 * len(deflate.compress(data) + deflate.flush())


@given(st.binary(max_size=300))
def test_bytes_are_counted(data: bytes) -> None:
    counts = np.zeros((4, 256), dtype=np.uint32)
    count_bytes(np.frombuffer(data, dtype=np.uint8), counts)
    assert counts.sum(axis=0).tolist() == [data.count(s) for s in range(256)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in zip(borders, [*borders[1:], len(data)], strict=True)]


LONG = TEXT[:50_000] + b"z" * 200_000 + random.Random(1).randbytes(150_000)


@cache
def long_blob() -> bytes:
    return huffman_compress(LONG)


@given(st.lists(st.integers(0, 10**7), max_size=8), st.booleans())
def test_chunks_are_as_good_as_the_whole(places: list[int], long: bool) -> None:
    data, blob = (LONG, long_blob()) if long else (TEXT[:700], huffman_compress(TEXT[:700]))
    assert b"".join(huffman_compress_chunks(cut(data, places))) == blob
    assert b"".join(huffman_decompress_chunks(cut(blob, places))) == data


def test_single_bytes_are_chunks_too() -> None:
    data = TEXT[:500]
    blob = huffman_compress(data)
    assert b"".join(huffman_compress_chunks(data[i : i + 1] for i in range(len(data)))) == blob
    assert b"".join(huffman_decompress_chunks(blob[i : i + 1] for i in range(len(blob)))) == data
    assert b"".join(huffman_compress_chunks([])) == huffman_compress(b"")
    assert b"".join(huffman_compress_chunks([b"", data, b"", b""])) == blob


def test_a_block_is_handed_out_before_the_next_is_asked_for() -> None:
    asked = []

    def source() -> Iterator[bytes]:
        for begin in range(0, len(long_blob()), 1000):
            asked.append(begin)
            yield long_blob()[begin : begin + 1000]

    first = next(huffman_decompress_chunks(source()))
    assert first == LONG[:BLOCK_SIZE]
    assert len(asked) < len(long_blob()) / 1000 / 2


def test_any_bytes_like_is_welcome() -> None:
    data = TEXT[:4000]
    blob = huffman_compress(data)
    array = np.frombuffer(data, dtype=np.uint8)
    likes: tuple[Any, ...] = (
        bytearray(data),
        memoryview(data),
        memoryview(b"." + data + b".")[1:-1],
        array,
        array.reshape(40, 100),
        array.view(np.float64),
    )
    for same in likes:
        assert huffman_compress(same) == blob
    blobs: list[Any] = [bytearray(blob), memoryview(b"." + blob)[1:], np.frombuffer(blob, dtype=np.uint8)]
    for same in blobs:
        assert huffman_decompress(same) == data
    empties: list[Any] = [np.zeros((0, 3)), bytearray(), memoryview(b"")]
    for empty in empties:
        assert huffman_compress(empty) == huffman_compress(b"")


@pytest.mark.parametrize(
    ("call", "argument", "message"),
    [
        (huffman_compress, "text", "str is not bytes-like"),
        (huffman_compress, 7, "int is not bytes-like"),
        (huffman_compress, None, "NoneType is not bytes-like"),
        (huffman_compress, memoryview(b"abcdef")[::2], "memoryview is not bytes-like, or not contiguous"),
        (huffman_compress, np.zeros((4, 4))[:, 1], "ndarray is not bytes-like, or not contiguous"),
        (huffman_compress, np.array(["2020"], dtype="M8[s]"), "ndarray is not bytes-like"),
        (lambda data: list(huffman_compress_chunks(data)), b"abc", "int is not bytes-like"),
        (huffman_decompress, "text", "str is not bytes-like"),
        (huffman_decompress, memoryview(bytes(64))[::2], "memoryview is not bytes-like, or not contiguous"),
        (lambda size: huffman_decompress(b"", max_size=size), -1, "max_size is -1; it must be at least 0"),
        (lambda size: huffman_decompress(b"", max_size=size), "3", "max_size is '3'; it must be an integer"),
    ],
)
def test_bad_input_is_named(call: Any, argument: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(argument)
