"""Huffman-coded bytes as a stream that proves its own integrity.

A stream is cut into blocks of 128 KB, each coded on its own: the code fits what the block holds, and neither side
needs more than a block of memory. A block that Huffman coding does not shrink is stored as it is::

    stream    4 bytes "smH1", blocks, the end

    block     1 byte     kind: 1 stored, 2 one byte repeated, 3 Huffman
              3 bytes    size of the data
              4 bytes    size of the payload
              4 bytes    checksum
              payload    the data; the byte that is repeated; a Huffman block, see `blocks`

    the end   1 byte     kind: 0
              7 bytes    size of all data
              4 bytes    checksum

Numbers have their low byte first. A checksum is the CRC-32C of everything from the first byte of the stream up to its
own place and the payload behind it, other checksums left out: a block that was changed, cut short, lost, doubled or
moved is noticed *before* a bit of it is decoded. It covers the coded bytes, not the data, for that is what a disk or
a wire can damage. (It is no signature. Whoever forges a block can forge its checksum; the decoder stays within its
bounds all the same.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np

from smlib._core.hashing import crc32c, extend_checksum
from smlib._core.validate import as_bytes, as_count
from smlib.errors import CorruptDataError
from smlib.infotheory.huffman_coding.blocks import (
    LARGEST_HEADER,
    LONGEST_WORD,
    TABLE_SIZE,
    Bytes,
    Table,
    count_bytes,
    decode_block,
    encode_block,
)
from smlib.infotheory.huffman_coding.code_lengths import huffman_code_lengths

BytesLike: TypeAlias = "bytes | bytearray | memoryview"

MAGIC = b"smH1"
BLOCK_SIZE = 1 << 17
CHECKSUM_OF_MAGIC = crc32c(MAGIC)
NOTHING: Bytes = np.frombuffer(b"", dtype=np.uint8)
END, STORED, REPEATED, HUFFMAN = range(4)
HEAD = struct.Struct("<QI")


def huffman_compress(data: BytesLike) -> bytes:
    """Compress bytes by Huffman coding alone: frequent bytes take fewer bits, repetitions are not looked for.

    Parameters
    ----------
    data : bytes-like
        Any object with contiguous bytes (bytes, bytearray, memoryview, a NumPy array ...), also empty.

    Returns
    -------
    bytes
        At most 12 bytes more a block of 128 KB than ``data``, and 16 more at the ends. `huffman_decompress` reads it.

    Raises
    ------
    InputError
        ``data`` is not bytes-like.

    Notes
    -----
    Complexity: O(n) time, O(1) space besides the result.

    References
    ----------
    Cover & Thomas, *Elements of Information Theory*, section 5.6.

    Examples
    --------
    >>> blob = huffman_compress(b"abracadabra" * 1000)
    >>> len(blob)
    2948
    >>> huffman_decompress(blob) == b"abracadabra" * 1000
    True
    """
    return b"".join(huffman_compress_chunks([data]))


def huffman_compress_chunks(chunks: Iterable[BytesLike]) -> Iterator[bytes]:
    """Compress data that comes in chunks, a block at a time: for files larger than memory.

    Parameters
    ----------
    chunks : iterable of bytes-like
        The data, cut anywhere.

    Yields
    ------
    bytes
        Put together they are what `huffman_compress` makes of the whole.

    Raises
    ------
    InputError
        A chunk is not bytes-like.

    Notes
    -----
    Complexity: O(n) time; space for a block and a chunk.

    References
    ----------
    As for `huffman_compress`.

    Examples
    --------
    >>> b"".join(huffman_compress_chunks([b"abra", b"cadabra"])) == huffman_compress(b"abracadabra")
    True
    """
    yield MAGIC
    checksum = CHECKSUM_OF_MAGIC
    source = _Source(chunks)
    out = np.empty(BLOCK_SIZE * LONGEST_WORD // 8 + LARGEST_HEADER + 16, dtype=np.uint8)
    total = 0
    while data := source.take_up_to(BLOCK_SIZE):
        kind, payload = _encode(np.frombuffer(data, dtype=np.uint8), out)
        head = kind | len(data) << 8 | payload.size << 32
        checksum = extend_checksum(checksum, head, payload)
        total += len(data)
        yield HEAD.pack(head, checksum) + payload.tobytes()
    head = END | total << 8
    yield HEAD.pack(head, extend_checksum(checksum, head, NOTHING))


def huffman_decompress(blob: BytesLike, *, max_size: int | None = None) -> bytes:
    """Return the data of a compressed stream, after its integrity has been proved.

    Parameters
    ----------
    blob : bytes-like
        What `huffman_compress` returned; it is not trusted.
    max_size : int, optional
        The most that may come out. A few bytes can stand for 128 KB; pass it for what comes from strangers.

    Returns
    -------
    bytes

    Raises
    ------
    CorruptDataError
        The stream is damaged, cut short, followed by something else, or of another kind; or it holds more than
        ``max_size`` bytes, which is found out before memory is taken for them. The message names the byte where it
        was noticed.
    InputError
        ``blob`` is not bytes-like, or ``max_size`` no size.

    Notes
    -----
    Complexity: O(n) time.

    References
    ----------
    As for `huffman_compress`.

    Examples
    --------
    >>> huffman_decompress(huffman_compress(b"to be or not to be"))
    b'to be or not to be'
    """
    return b"".join(huffman_decompress_chunks([blob], max_size=max_size))


def huffman_decompress_chunks(chunks: Iterable[BytesLike], *, max_size: int | None = None) -> Iterator[bytes]:
    """Decompress a stream that comes in chunks, a block at a time: for files larger than memory.

    Parameters
    ----------
    chunks : iterable of bytes-like
        The stream, cut anywhere.
    max_size : int, optional
        As for `huffman_decompress`.

    Yields
    ------
    bytes
        The data of a block, as soon as that block has been proved; that all blocks are there is known at the end.

    Raises
    ------
    CorruptDataError, InputError
        As for `huffman_decompress`, when the iteration comes to that place.

    Notes
    -----
    Complexity: O(n) time; space for a block and a chunk.

    References
    ----------
    As for `huffman_compress`.

    Examples
    --------
    >>> blob = huffman_compress(b"abracadabra")
    >>> b"".join(huffman_decompress_chunks([blob[:5], blob[5:]]))
    b'abracadabra'
    """
    most = None if max_size is None else as_count(max_size, "max_size")
    source = _Source(chunks)
    if source.take(len(MAGIC), "the first four") != MAGIC:
        raise CorruptDataError(f"the stream does not begin with {MAGIC!r}: it was not made by huffman_compress")
    checksum = CHECKSUM_OF_MAGIC
    table = np.empty(TABLE_SIZE, dtype=np.uint32)
    total = 0
    while True:
        begin = source.position
        head, expected = HEAD.unpack(source.take(HEAD.size, "the head of a block"))
        kind, size, length = head & 0xFF, head >> 8 & 0xFFFFFF, head >> 32
        if kind == END:
            if extend_checksum(checksum, head, NOTHING) != expected:
                raise CorruptDataError(f"the checksum of the end, at byte {begin}, is wrong: the stream is damaged")
            if head >> 8 != total:
                raise CorruptDataError(f"{total} bytes were decoded, but the end of the stream says {head >> 8}")
            if source.take_up_to(1):
                raise CorruptDataError(f"something follows the end of the stream, from byte {source.position - 1} on")
            return
        if most is not None and total + size > most:
            raise CorruptDataError(f"the stream holds {total + size} bytes or more; max_size allows {most}")
        if size > BLOCK_SIZE or length > BLOCK_SIZE:
            raise CorruptDataError(f"the block at byte {begin} claims more than a block's size: the stream is damaged")
        payload = np.frombuffer(source.take(length, "the payload of a block"), dtype=np.uint8)
        checksum = extend_checksum(checksum, head, payload)
        if checksum != expected:
            raise CorruptDataError(f"the checksum of the block at byte {begin} is wrong: the stream is damaged")
        data = _decode(kind, payload, size, table)
        if data is None:
            raise CorruptDataError(f"the block at byte {begin} has a right checksum and wrong contents: it was forged")
        total += size
        yield data


def _encode(data: Bytes, out: Bytes) -> tuple[int, Bytes]:
    counts = np.zeros((4, 256), dtype=np.uint32)
    count_bytes(data, counts)
    totals = counts.sum(axis=0)
    used = int(np.count_nonzero(totals))
    if used == 1:
        return REPEATED, data[:1]
    lengths = huffman_code_lengths(totals, LONGEST_WORD)
    # Every byte that occurs takes half a byte of the block's header.
    expected = int(totals @ lengths) // 8 + LARGEST_HEADER - 128 + used // 2
    if expected >= data.size:
        return STORED, data
    return HUFFMAN, out[: encode_block(data, lengths, out)]


def _decode(kind: int, payload: Bytes, size: int, table: Table) -> bytes | None:
    """Return a block's data, or None where its contents make no sense."""
    if size == 0:
        return None
    if kind == STORED:
        return payload.tobytes() if payload.size == size else None
    if kind == REPEATED:
        return payload.tobytes() * size if payload.size == 1 else None
    if kind == HUFFMAN:
        data = np.empty(size, dtype=np.uint8)
        return data.tobytes() if decode_block(payload, data, table) else None
    return None


class _Source:
    """Hands out data that comes in chunks in pieces of any size; a piece that lies within a chunk is not copied."""

    def __init__(self, chunks: Iterable[BytesLike]) -> None:
        self.chunks = iter(chunks)
        self.rest = memoryview(b"")
        self.position = 0

    def take_up_to(self, count: int) -> bytes | memoryview:
        """Return the next ``count`` bytes, or as many as there are."""
        pieces = []
        missing = count
        while missing:
            piece, self.rest = self.rest[:missing], self.rest[missing:]
            if len(piece):
                pieces.append(piece)
                missing -= len(piece)
            if missing:
                try:
                    self.rest = as_bytes(next(self.chunks))
                except StopIteration:
                    break
        self.position += count - missing
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def take(self, count: int, what: str) -> bytes | memoryview:
        """Return the next ``count`` bytes, or raise."""
        piece = self.take_up_to(count)
        if len(piece) < count:
            raise CorruptDataError(f"the stream ends at byte {self.position}, within {what}: it was cut short")
        return piece
