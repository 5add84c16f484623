"""Cases of Snappy."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.infotheory.texts import MANUAL, manual
from smlib.errors import CorruptDataError
from smlib.infotheory import snappy_compress, snappy_decompress, snappy_frame_compress, snappy_frame_decompress
from smlib.infotheory.snappy.decompression import ELEMENTS, read_size

TEXTS = (1 << 12, 1 << 15, 1 << 18)


class Text:
    """Bytes to be compressed, and what each contender makes of them: done at the first call, which no clock times."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def blob(self) -> bytes:
        """Our blob in the raw format."""
        return snappy_compress(self.data)

    @cached_property
    def deflated(self) -> bytes:
        """A stream of zlib at its fastest."""
        return zlib.compress(self.data, 1)

    @cached_property
    def zstandard(self) -> bytes:
        """A frame of zstd -1."""
        return _zstd_compress(self)

    @cached_property
    def cramjam(self) -> bytes:
        """The blob of Snappy in Rust."""
        return bytes(_cramjam_compress(self))


def _manual(size: int) -> Text:
    return Text(manual(size))


def _cramjam_compress(text: Text) -> Any:
    return import_module("cramjam").snappy.compress_raw(text.data)


def _cramjam_decompress(text: Text) -> Any:
    return import_module("cramjam").snappy.decompress_raw(text.cramjam)


def _zstd_compress(text: Text) -> bytes:
    compressed: bytes = import_module("zstandard").ZstdCompressor(level=1).compress(text.data)
    return compressed


def _zstd_decompress(text: Text) -> bytes:
    data: bytes = import_module("zstandard").ZstdDecompressor().decompress(text.zstandard)
    return data


def _each_reads_the_other(text: Text, ours: bytes, theirs: Any) -> Agreement:
    """Whether our blob gives the data back; where both speak Snappy, whether each is read by the other's reader."""
    same = snappy_decompress(ours) == text.data
    if not isinstance(theirs, bytes):
        snappy = import_module("cramjam").snappy
        near = len(ours) <= 1.03 * len(theirs)
        same &= near and snappy_decompress(bytes(theirs)) == text.data == bytes(snappy.decompress_raw(ours))
    return Agreement(same, f"{len(ours):,} bytes, theirs {len(theirs):,}")


def _same_text(text: Text, ours: bytes, theirs: Any) -> Agreement:
    return Agreement(ours == bytes(theirs) == text.data, f"{len(ours):,} bytes, the same")


def _stream_there_and_back(text: Text) -> bytes:
    return snappy_frame_decompress(snappy_frame_compress(text.data))


def _cramjam_stream_there_and_back(text: Text) -> Any:
    snappy = import_module("cramjam").snappy
    return snappy.decompress(bytes(snappy.compress(text.data)))


# The story.


class Copy(NamedTuple):
    """A copy: where it begins in the data, how many bytes it makes, and from how far back."""

    begin: int
    length: int
    offset: int


def _copies(blob: bytes) -> Iterator[Copy]:
    """Yield the copies of a blob, read off the format alone."""
    array = np.frombuffer(blob, dtype=np.uint8)
    _, position = read_size(array, 0)
    made = 0
    while position < len(blob):
        entry = int(ELEMENTS[blob[position]])
        more = entry >> 11
        number = int.from_bytes(blob[position + 1 : position + 1 + more], "little")
        length = entry & 255
        if blob[position] & 3:
            yield Copy(made, length, (entry & 0x700) + number)
        else:
            length += number
            position += length
        position += 1 + more
        made += length


def _tell_repetitions(text: Text, blob: bytes) -> Sequence[str]:
    copies = list(_copies(blob))
    copied = sum(copy.length for copy in copies)
    longest = max(copies, key=lambda copy: copy.length)
    shown = text.data[longest.begin : longest.begin + 40].decode(errors="replace").replace("\n", " ")
    return [
        f"{copied / len(text.data):.0%} of it: {len(copies):,} copies make {copied / len(copies):.1f} bytes each",
        f"{len(text.data):,} bytes become {len(blob):,}; zlib, which also codes what is left bit by bit, needs "
        f"{len(text.deflated):,}",
        f"one of {longest.length} bytes repeats what stood {longest.offset:,} bytes before: {shown!r} ...",
    ]


def _prove_repetitions(text: Text, blob: bytes) -> Mapping[str, bool]:
    copies = list(_copies(blob))
    return {
        "all of the text comes back": snappy_decompress(blob, max_size=len(text.data)) == text.data,
        "every copy begins before itself and not before the text": all(
            0 < copy.offset <= copy.begin for copy in copies
        ),
        "every copy says what the text says": all(
            text.data[copy.begin + k] == text.data[copy.begin + k - copy.offset]
            for copy in copies
            for k in range(copy.length)
        ),
        "a claim of 4 GB is refused": _is_refused(b"\xff\xff\xff\xff\x0f" + blob),
        "so is the text without its last byte": _is_refused(blob[:-1]),
    }


def _is_refused(blob: bytes) -> bool:
    try:
        snappy_decompress(blob)
    except CorruptDataError:
        return True
    return False


CASES = (
    Case(
        "snappy",
        "compressing text",
        "bytes",
        TEXTS,
        _manual,
        lambda text: snappy_compress(text.data),
        (
            Peer("zlib -1", "zlib", lambda text: zlib.compress(text.data, 1)),
            Peer("cramjam snappy (Rust)", "cramjam", _cramjam_compress),
            Peer("zstd -1", "zstandard", _zstd_compress),
        ),
        _each_reads_the_other,
        note="zlib and zstd look for better copies and code them bit by bit: their output is smaller. cramjam hands "
        "out a buffer of its own, ours is copied into an object of Python.",
        story=Story(
            "How much of the Python manual has been said before?",
            TEXTS[-1],
            MANUAL,
            _tell_repetitions,
            _prove_repetitions,
        ),
    ),
    Case(
        "snappy",
        "decompressing text",
        "bytes",
        TEXTS,
        _manual,
        lambda text: snappy_decompress(text.blob),
        (
            Peer("zlib", "zlib", lambda text: zlib.decompress(text.deflated, bufsize=len(text.data))),
            Peer("cramjam snappy (Rust)", "cramjam", _cramjam_decompress),
            Peer("zstd", "zstandard", _zstd_decompress),
        ),
        _same_text,
        note="A block of 4 KB takes cramjam 2 microseconds; going from Python into a kernel and back takes us as long.",
    ),
    Case(
        "snappy",
        "a stream with checksums, there and back",
        "bytes",
        TEXTS,
        _manual,
        _stream_there_and_back,
        (Peer("cramjam snappy (Rust)", "cramjam", _cramjam_stream_there_and_back),),
        _same_text,
        note="Both sides compute the CRC-32C of every chunk twice: when it is written and when it is read.",
    ),
)
