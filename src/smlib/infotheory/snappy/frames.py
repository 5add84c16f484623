"""Snappy's framing: a stream of chunks, each with a checksum of what comes out of it.

A chunk holds up to 64 KB of data, so that neither side needs more memory than that, however long the stream is. Its
first byte says what it is, three more how long the rest is::

    0xff        the identifier: "sNaPpY"; it begins a stream
    0x00        4 bytes of checksum, then the raw format
    0x01        4 bytes of checksum, then the data as they are: where compressing does not save an eighth
    0xfe        padding: nothing to look at
    0x02-0x7f   kept for later, and needed to understand the rest: a reader that does not know them must give up
    0x80-0xfd   kept for later, and may be left out

The checksum is the CRC-32C of the *data*, masked: rotated by 15 bits, with a constant added. Data may be a stream
themselves, and the plain checksum of what holds its own checksum has little to say.

Streams can be put one behind the other; the identifier in between is passed over. Nothing marks the end of a stream,
so none can be told from one that was cut short between two chunks. And no bytes at all are no streams.

Google, *Snappy framing format description* (2013).
"""

from __future__ import annotations

from smlib._core.hashing import crc32c
from smlib._core.validate import as_bytes, as_count
from smlib._core.words import Bytes
from smlib.errors import CorruptDataError
from smlib.infotheory.snappy.compression import BLOCK_SIZE, BytesLike, as_array, snappy_compress
from smlib.infotheory.snappy.decompression import decompress_elements, read_size

COMPRESSED, UNCOMPRESSED, FIRST_SKIPPABLE, PADDING, IDENTIFIER = 0x00, 0x01, 0x80, 0xFE, 0xFF
NAME = b"sNaPpY"
MASK = 0xA282EAD8
HEAD, CHECKSUM = 4, 4


def snappy_frame_compress(data: BytesLike) -> bytes:
    """Compress bytes as a Snappy stream: chunks of 64 KB with checksums, what a file ``.sz`` holds.

    Parameters
    ----------
    data : bytes-like
        Any object with contiguous bytes (bytes, bytearray, memoryview, a NumPy array ...), also empty, of any size.

    Returns
    -------
    bytes
        At most 8 bytes more a chunk than ``data``, and 10. `snappy_frame_decompress` reads it.

    Raises
    ------
    InputError
        ``data`` is not bytes-like.

    Notes
    -----
    Complexity: O(n) time.

    References
    ----------
    Google, *Snappy framing format description*.

    Examples
    --------
    >>> snappy_frame_compress(b"sea, sea, sea, sea!").hex(" ")
    'ff 06 00 00 73 4e 61 50 70 59 00 10 00 00 bf 19 1a 8f 13 10 73 65 61 2c 20 32 05 00 00 21'
    """
    view = as_bytes(data)
    parts = [_chunk(IDENTIFIER, NAME)]
    for begin in range(0, len(view), BLOCK_SIZE):
        block = view[begin : begin + BLOCK_SIZE]
        checksum = mask(crc32c(block)).to_bytes(CHECKSUM, "little")
        packed = snappy_compress(block)
        if len(packed) <= len(block) - len(block) // 8:
            parts.append(_chunk(COMPRESSED, checksum + packed))
        else:
            parts.append(_chunk(UNCOMPRESSED, checksum + block))
    return b"".join(parts)


def snappy_frame_decompress(blob: BytesLike, *, max_size: int | None = None) -> bytes:
    """Return the data of a Snappy stream, or of several one behind the other; every chunk is proved by its checksum.

    Parameters
    ----------
    blob : bytes-like
        What `snappy_frame_compress` or another program made; it is not trusted.
    max_size : int, optional
        The most that may come out. Three bytes can stand for 64; pass it for what comes from strangers.

    Returns
    -------
    bytes

    Raises
    ------
    CorruptDataError
        The stream is damaged, cut short within a chunk, of another kind, or has a chunk that this reader must know and
        does not; or it holds more than ``max_size`` bytes, which is found out before memory is taken for them. The
        message names the byte where it was noticed.
    InputError
        ``blob`` is not bytes-like, or ``max_size`` no size.

    Notes
    -----
    Chunks that are lost, doubled or moved go unnoticed, for each is proved for itself, and so does a stream that was
    cut short between two chunks: the format has no mark for its end.

    Complexity: O(n) time for n bytes that come out.

    References
    ----------
    Google, *Snappy framing format description*.

    Examples
    --------
    >>> stream = snappy_frame_compress(b"to be or ") + snappy_frame_compress(b"not to be")
    >>> snappy_frame_decompress(stream)
    b'to be or not to be'
    """
    source = as_array(blob)
    most = None if max_size is None else as_count(max_size, "max_size")
    parts: list[bytes] = []
    position = total = 0
    while position < source.size:
        kind, begin, end = _read_head(source, position)
        if kind <= UNCOMPRESSED:
            part = _read_data(source[:end], position, total, most)
            total += len(part)
            parts.append(part)
        elif kind < FIRST_SKIPPABLE:
            raise CorruptDataError(f"the chunk at byte {position} is of kind {kind:#04x}, which no reader may skip")
        elif kind == IDENTIFIER and source[begin:end].tobytes() != NAME:
            raise CorruptDataError(f"the chunk at byte {position} does not say {NAME!r}: this is no stream of Snappy")
        position = end
    return b"".join(parts)


def mask(checksum: int) -> int:
    """Return a checksum as a stream holds it: rotated by 15 bits, and a constant added.

    >>> hex(mask(0))
    '0xa282ead8'
    """
    return ((checksum >> 15 | checksum << 17) + MASK) & 0xFFFFFFFF


def _chunk(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + len(content).to_bytes(HEAD - 1, "little") + content


def _read_head(stream: Bytes, position: int) -> tuple[int, int, int]:
    """Return the kind of the chunk at a position, where its content begins, and where it ends."""
    head = stream[position : position + HEAD].tobytes()
    if position == 0 and head != _chunk(IDENTIFIER, NAME)[: len(head)]:
        raise CorruptDataError(f"the stream does not begin with {_chunk(IDENTIFIER, NAME)!r}: it is none of Snappy")
    begin = position + HEAD
    end = begin + int.from_bytes(head[1:], "little")
    if len(head) < HEAD or end > stream.size:
        raise CorruptDataError(
            f"the stream ends at byte {stream.size}, within the chunk at byte {position}: it was cut short"
        )
    return head[0], begin, end


def _read_data(stream: Bytes, position: int, total: int, most: int | None) -> bytes:
    """Return the data of the chunk at a position, with which the stream ends; its size and checksum are proved."""
    checksum, body = position + HEAD, position + HEAD + CHECKSUM
    if body > stream.size:
        raise CorruptDataError(f"the chunk at byte {position} is too short for its checksum: the stream is damaged")
    compressed = stream[position] == COMPRESSED
    size, elements = read_size(stream, body) if compressed else (stream.size - body, body)
    if size > BLOCK_SIZE:
        raise CorruptDataError(f"the chunk at byte {position} claims {size} bytes; {BLOCK_SIZE} is the most")
    if most is not None and total + size > most:
        raise CorruptDataError(f"the stream holds {total + size} bytes or more; max_size allows {most}")
    data = decompress_elements(stream, elements, size) if compressed else stream[body:].tobytes()
    if mask(crc32c(data)) != int.from_bytes(stream[checksum:body].tobytes(), "little"):
        raise CorruptDataError(f"the checksum of the chunk at byte {position} is wrong: the stream is damaged")
    return data
