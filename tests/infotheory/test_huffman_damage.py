"""Damaged and forged streams of Huffman-coded bytes: all are refused, and none does harm."""

from __future__ import annotations

import os
import random
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.hashing import crc32c, extend_checksum
from smlib.errors import CorruptDataError
from smlib.infotheory import (
    huffman_code_lengths,
    huffman_compress,
    huffman_compress_chunks,
    huffman_decompress,
    huffman_decompress_chunks,
)
from smlib.infotheory.huffman_coding.blocks import LONGEST_WORD, TABLE_SIZE, decode_block, encode_block, fill_table
from smlib.infotheory.huffman_coding.container import BLOCK_SIZE, END, HUFFMAN, MAGIC, REPEATED, STORED
from tests.infotheory.test_huffman_container import LONG, TEXT, long_blob, read_block, records, skewed

SEARCH = int(os.environ.get("SMLIB_SEARCH", "50"))
SMALL = {
    "empty": huffman_compress(b""),
    "stored": huffman_compress(b"stored as it is"),
    "repeated": huffman_compress(b"r" * 1000),
    "Huffman": huffman_compress(b"abracadabra" * 60),
    "several": b"".join(huffman_compress_chunks([b"a" * BLOCK_SIZE, b"b" * BLOCK_SIZE, b"stored"])),
}


@pytest.mark.untrusted
@pytest.mark.parametrize("name", SMALL)
def test_every_change_of_one_byte_is_noticed(name: str) -> None:
    blob = bytearray(SMALL[name])
    for place in range(len(blob)):
        right = blob[place]
        for wrong in range(256):
            if wrong != right:
                blob[place] = wrong
                with pytest.raises(CorruptDataError):
                    huffman_decompress(blob)
        blob[place] = right
    assert huffman_decompress(blob)[:1] == huffman_decompress(SMALL[name])[:1]


@pytest.mark.untrusted
@pytest.mark.interpreted
@pytest.mark.parametrize("name", SMALL)
def test_every_truncation_and_every_addition_is_noticed(name: str) -> None:
    blob = SMALL[name]
    for size in range(len(blob)):
        with pytest.raises(CorruptDataError, match="it was cut short"):
            huffman_decompress(blob[:size])
    for more in (b"\0", b"smH1", blob):
        with pytest.raises(
            CorruptDataError, match=f"something follows the end of the stream, from byte {len(blob)} on"
        ):
            huffman_decompress(blob + more)


@pytest.mark.untrusted
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_a_change_in_a_long_stream_is_noticed(place: int, change: int) -> None:
    blob = bytearray(long_blob())
    blob[place % len(blob)] ^= change
    with pytest.raises(CorruptDataError):
        huffman_decompress(blob)


@pytest.mark.untrusted
def test_blocks_that_are_lost_doubled_or_moved_are_noticed() -> None:
    blob = huffman_compress(b"a" * BLOCK_SIZE + b"b" * BLOCK_SIZE + TEXT[:BLOCK_SIZE] + TEXT[BLOCK_SIZE:][:BLOCK_SIZE])
    parts = [blob[begin:end] for begin, end in records(blob)]
    assert len(parts) == 5
    for order in ([0, 1, 2, 4], [1, 0, 2, 3, 4], [0, 1, 3, 2, 4], [0, 0, 1, 2, 3, 4], [4], [0, 1, 2, 3, 3, 4]):
        with pytest.raises(CorruptDataError):
            huffman_decompress(MAGIC + b"".join(parts[k] for k in order))
    with pytest.raises(CorruptDataError):
        huffman_decompress(blob[: -len(parts[4])] + huffman_compress(b"")[4:])


@pytest.mark.untrusted
def test_what_was_proved_is_handed_out_and_no_more() -> None:
    blob = bytearray(long_blob())
    blob[-30] ^= 1
    pieces: list[bytes] = []
    with pytest.raises(CorruptDataError, match=r"the checksum of the block at byte \d+ is wrong"):
        pieces.extend(huffman_decompress_chunks([blob]))
    assert [len(piece) for piece in pieces] == [BLOCK_SIZE] * 3
    assert LONG.startswith(b"".join(pieces))


def forge(*blocks: tuple[int, int, bytes], total: int | None = None) -> bytes:
    """Return a stream of blocks (kind, size, payload) with right checksums, whatever they hold."""
    stream, checksum, said = MAGIC, crc32c(MAGIC), 0
    for kind, size, payload in blocks:
        head = kind | size << 8 | len(payload) << 32
        checksum = extend_checksum(checksum, head, np.frombuffer(payload, dtype=np.uint8))
        stream += struct.pack("<QI", head, checksum) + payload
        said += size
    head = END | (said if total is None else total) << 8
    return stream + struct.pack("<QI", head, extend_checksum(checksum, head, np.empty(0, dtype=np.uint8)))


@pytest.mark.untrusted
@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (b"smH2" + SMALL["empty"][4:], "does not begin with b'smH1'"),
        (b"sm", "ends at byte 2, within the first four"),
        (forge((STORED, 3, b"four")), "the block at byte 4 has a right checksum and wrong contents: it was forged"),
        (forge((STORED, 0, b"")), "it was forged"),
        (forge((REPEATED, 9, b"")), "it was forged"),
        (forge((REPEATED, 9, b"ab")), "it was forged"),
        (forge((HUFFMAN, 9, b"")), "it was forged"),
        (forge((HUFFMAN, 9, bytes(64))), "it was forged"),
        (forge((9, 1, b"a")), "it was forged"),
        (forge((STORED, 1, b"a"), total=2), "1 bytes were decoded, but the end of the stream says 2"),
        (forge((REPEATED, BLOCK_SIZE + 1, b"a")), "the block at byte 4 claims more than a block's size"),
    ],
)
def test_forgeries_are_named(blob: bytes, message: str) -> None:
    with pytest.raises(CorruptDataError, match=message):
        huffman_decompress(blob)


def huffman_block(data: bytes, max_length: int = LONGEST_WORD) -> bytes:
    lengths = huffman_code_lengths(np.bincount(np.frombuffer(data, dtype=np.uint8), minlength=256), max_length)
    out = np.empty(2 * len(data) + 400, dtype=np.uint8)
    return out[: encode_block(np.frombuffer(data, dtype=np.uint8), lengths, out)].tobytes()


BLOCKS = (
    huffman_block(b"ab"),
    huffman_block(b"abracadabra"),
    huffman_block(skewed(2000, 3)),
    huffman_block(TEXT[:900]),
    huffman_block(TEXT[:4000]),
    huffman_block(bytes(range(256))),
)
SIZES = (2, 11, 2000, 900, 4000, 256)


@pytest.mark.untrusted
@pytest.mark.interpreted
@given(
    which=st.integers(0, len(BLOCKS) - 1),
    changes=st.lists(st.tuples(st.integers(0, 60) | st.integers(0, 10**6), st.integers(0, 255)), max_size=4),
    shorter=st.integers(0, 12) | st.just(0),
    size=st.none() | st.integers(1, 3000),
)
def test_forged_blocks_do_no_harm(which: int, changes: list[tuple[int, int]], shorter: int, size: int | None) -> None:
    """With right checksums nothing but the decoder's own proofs stands between the bytes and memory."""
    block = bytearray(BLOCKS[which])
    for place, value in changes:
        block[place % len(block)] = value
    declared = SIZES[which] if size is None else size
    payload = bytes(block[: max(0, len(block) - shorter)])
    expected = read_block(payload, declared)
    try:
        data = huffman_decompress(forge((HUFFMAN, declared, payload)))
    except CorruptDataError:
        assert expected is None
        return
    assert data == expected


def forged_at_random(draw: random.Random) -> tuple[bytes, int]:
    """Return a block with a complete code of any lengths, sizes of streams near the truth, and noise for words."""
    if draw.random() < 0.2:
        return draw.randbytes(draw.choice((0, 31, 32, 33, 50, 200))), draw.randint(1, 400)
    used = sorted(draw.sample(range(256), draw.choice((2, 3, 5, 17, 100, 256))))
    lengths = [0] * len(used)
    leaves = [0]
    while len(leaves) < len(used):
        short = [k for k, depth in enumerate(leaves) if depth < LONGEST_WORD]
        leaf = leaves.pop(draw.choice(short))
        leaves += [leaf + 1, leaf + 1]
    lengths = leaves
    present = bytearray(32)
    for symbol in used:
        present[symbol >> 3] |= 1 << (symbol & 7)
    nibbles = bytearray((len(used) + 1) // 2)
    for k, length in enumerate(lengths):
        nibbles[k // 2] |= length << 4 * (k % 2)
    body = draw.randbytes(draw.choice((0, 1, 7, 40, 300))) if draw.random() < 0.7 else bytes(300)
    quarter = len(body) // 4
    sizes = b"".join(max(0, quarter + draw.choice((-1, 0, 0, 1))).to_bytes(3, "little") for _ in range(3))
    mean = sum(length / 2**length for length in lengths)
    return bytes(present + nibbles) + sizes + body, max(1, int(8 * len(body) / mean) + draw.randint(-3, 3))


@pytest.mark.untrusted
def test_random_forgeries_do_no_harm() -> None:
    """Output of the wrong size, a read or a write outside, a hang: none of them; SMLIB_SEARCH=2000 tries 1e5."""
    draw = random.Random(0)
    for _ in range(50 * SEARCH):
        payload, size = forged_at_random(draw)
        out = np.full(size + 8, 0xA5, dtype=np.uint8)
        table = np.full(TABLE_SIZE, 0xFFFFFFFF, dtype=np.uint32)
        decoded = decode_block(np.frombuffer(payload, dtype=np.uint8), out[:size], table)
        assert (out[size:] == 0xA5).all()
        if len(payload) < 120:
            assert (out[:size].tobytes() if decoded else None) == read_block(payload, size)


@pytest.mark.untrusted
@pytest.mark.interpreted
def test_streams_end_exactly_where_the_next_begins() -> None:
    data = b"abracadabra"
    block = huffman_block(data)
    assert decodes(block, data)
    begin = 32 + 3 + 9
    sizes = [block[begin - 9 + 3 * k] for k in range(3)]
    for stream, end in enumerate([*np.cumsum(sizes) + begin, len(block)]):
        # A bit of the fill that is set.
        assert not decodes(block[: end - 1] + bytes([block[end - 1] | 128]) + block[end:], data)
        # A byte too many, and a byte too few.
        for change, moved in ((1, block[:end] + b"\0" + block[end:]), (-1, block[: end - 1] + block[end:])):
            resized = bytearray(moved)
            if stream < 3:
                resized[begin - 9 + 3 * stream] += change
            assert not decodes(bytes(resized), data)
    # A border moved to and fro.
    shifted = bytearray(block)
    shifted[begin - 9] -= 1
    shifted[begin - 6] += 1
    assert not decodes(bytes(shifted), data)


def decodes(block: bytes, data: bytes) -> bool:
    out, table = np.empty(len(data), dtype=np.uint8), np.empty(TABLE_SIZE, dtype=np.uint32)
    done = bool(decode_block(np.frombuffer(block, dtype=np.uint8), out, table))
    assert not done or out.tobytes() == data
    return done


@pytest.mark.untrusted
def test_random_blobs_are_refused() -> None:
    draw = random.Random(1)
    for _ in range(50 * SEARCH):
        blob = draw.randbytes(draw.randint(0, 60))
        if draw.random() < 0.8:
            blob = MAGIC + blob
        with pytest.raises(CorruptDataError):
            huffman_decompress(blob)


@pytest.mark.untrusted
@given(st.lists(st.integers(0, 13), min_size=1, max_size=256))
def test_a_table_is_refused_or_every_entry_moves_on(lengths: list[int]) -> None:
    """An entry of no bits would be read for ever."""
    check_table(np.array(lengths + [0] * (256 - len(lengths)), dtype=np.uint8))


@pytest.mark.untrusted
@pytest.mark.interpreted
@given(st.lists(st.integers(1, 10**5), min_size=2, max_size=256))
def test_a_complete_code_fills_the_table(counts: list[int]) -> None:
    lengths = np.zeros(256, dtype=np.uint8)
    lengths[: len(counts)] = huffman_code_lengths(counts, LONGEST_WORD)
    assert check_table(lengths)


def check_table(lengths: np.ndarray) -> bool:
    table = np.zeros(TABLE_SIZE, dtype=np.uint32)
    complete = bool(fill_table(lengths, table))
    words = [int(length) for length in lengths if length]
    assert complete == (max(words, default=99) <= LONGEST_WORD and sum(2**-length for length in words) == 1)
    if complete:
        used, first, count = table & 63, table >> 6 & 15, table >> 26
        assert first.min() >= 1
        assert used.max() <= LONGEST_WORD
        assert ((used == first) & (count == 1) | (used > first) & (count == 2)).all()
        assert (lengths[table >> 10 & 255] == first).all()
        assert (lengths[table >> 18 & 255][count == 2] == (used - first)[count == 2]).all()
    return complete


@pytest.mark.untrusted
def test_max_size_acts_before_memory_is_taken() -> None:
    blob = huffman_compress(b"a" * BLOCK_SIZE * 400)
    assert len(blob) < 6000
    tracemalloc.start()
    with pytest.raises(CorruptDataError, match="the stream holds 131072 bytes or more; max_size allows 100000"):
        huffman_decompress(blob, max_size=100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000
    with pytest.raises(CorruptDataError, match=f"max_size allows {len(LONG) - 1}"):
        huffman_decompress(long_blob(), max_size=len(LONG) - 1)
    assert huffman_decompress(long_blob(), max_size=len(LONG)) == LONG
    assert huffman_decompress(SMALL["empty"], max_size=0) == b""
