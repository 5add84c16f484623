"""Cases of Huffman coding."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.infotheory.texts import MANUAL, manual
from smlib.errors import CorruptDataError
from smlib.infotheory import HuffmanCode, entropy, huffman_code_lengths, huffman_compress, huffman_decompress

Symbols = NDArray[np.int64]

TEXTS = (1 << 10, 1 << 14, 1 << 17)
MESSAGES = (64, 256, 1024)
# In bytes: what pure Python does in some milliseconds.
SLOW = 1 << 14


class Text:
    """Bytes to be coded, and what each contender makes of them: done at the first call, which no clock times."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def blob(self) -> bytes:
        """Our stream."""
        return huffman_compress(self.data)

    @cached_property
    def deflated(self) -> bytes:
        """A raw deflate stream of Huffman blocks."""
        return _deflate(self)

    @cached_property
    def zstandard(self) -> bytes:
        """A frame of zstd -1."""
        return _zstd_compress(self)

    @cached_property
    def dahuffman(self) -> tuple[Any, bytes]:
        """The codec of dahuffman, and its stream."""
        codec = import_module("dahuffman").HuffmanCodec.from_data(self.data)
        return codec, codec.encode(self.data)

    @cached_property
    def bitarray(self) -> tuple[Any, list[int], list[int]]:
        """The bits of bitarray, and its code."""
        return _bitarray_encode(self)


def _manual(size: int) -> Text:
    return Text(manual(size))


def _shuffled(size: int) -> Text:
    """Return bytes of the same counts as text, but without repetitions that could be found."""
    data = np.frombuffer(manual(size), dtype=np.uint8)
    return Text(np.random.default_rng(1).permutation(data).tobytes())


def _deflate(text: Text) -> bytes:
    coder = zlib.compressobj(6, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
    return coder.compress(text.data) + coder.flush()


def _zstd_compress(text: Text) -> bytes:
    compressed: bytes = import_module("zstandard").ZstdCompressor(level=1).compress(text.data)
    return compressed


def _zstd_decompress(text: Text) -> bytes:
    data: bytes = import_module("zstandard").ZstdDecompressor().decompress(text.zstandard)
    return data


def _dahuffman_encode(text: Text) -> bytes:
    blob: bytes = import_module("dahuffman").HuffmanCodec.from_data(text.data).encode(text.data)
    return blob


def _dahuffman_decode(text: Text) -> bytes:
    codec, blob = text.dahuffman
    return bytes(codec.decode(blob))


def _bitarray_encode(text: Text) -> tuple[Any, list[int], list[int]]:
    """Return the bits, how many words there are of each length, and the bytes in canonical order."""
    code, counts, order = import_module("bitarray.util").canonical_huffman(Counter(text.data))
    bits = import_module("bitarray").bitarray()
    bits.encode(code, text.data)
    return bits, counts, order


def _bitarray_decode(text: Text) -> bytes:
    return bytes(import_module("bitarray.util").canonical_decode(*text.bitarray))


def _same_text(text: Text, ours: bytes, theirs: bytes) -> Agreement:
    return Agreement(ours == theirs == text.data, f"{len(ours):,} bytes, the same")


def _both_come_back(text: Text, ours: bytes, theirs: Any) -> Agreement:
    """Whether our stream gives the data back, and is no more than 1 % larger than deflate's where it is long."""
    size = len(theirs) if isinstance(theirs, bytes) else len(theirs[0].tobytes())
    small = len(text.data) < TEXTS[-1] or len(ours) <= 1.01 * len(text.deflated)
    return Agreement(huffman_decompress(ours) == text.data and small, f"{len(ours):,} bytes, theirs {size:,}")


def _counts(data: bytes) -> NDArray[np.int64]:
    return np.bincount(np.frombuffer(data, dtype=np.uint8), minlength=256)


def _tell_code(text: Text, blob: bytes) -> Sequence[str]:
    counts = _counts(text.data)
    code = HuffmanCode.from_counts(counts, 11)
    shown = [*np.argsort(-counts)[:6].tolist(), ord("z")]
    words = [f"{chr(symbol)!r} {code.codes[symbol]:0{code.lengths[symbol]}b}" for symbol in shown if counts[symbol]]
    return [
        f"{code.expected_length(counts):.4f} bits, by a Huffman code; {entropy(counts):.4f} is the entropy, 8 is ASCII",
        f"{len(text.data):,} bytes become {len(blob):,}, code and checksums included; zlib's Huffman coding takes "
        f"{len(text.deflated):,}",
        f"the words: {'  '.join(words)}",
    ]


def _prove_code(text: Text, blob: bytes) -> Mapping[str, bool]:
    counts = _counts(text.data)
    bits, least = HuffmanCode.from_counts(counts, 11).expected_length(counts), float(entropy(counts))
    damaged = bytearray(blob)
    damaged[len(blob) // 2] ^= 1
    return {
        "all of the text comes back": huffman_decompress(blob) == text.data,
        f"H <= L < H + 1: {least:.4f} <= {bits:.4f} < {least + 1:.4f}": least <= bits < least + 1.0,
        f"the size is within 1 % of zlib's: {len(blob) / len(text.deflated):.4f}": len(blob)
        <= 1.01 * len(text.deflated),
        "one bit changed in the middle is noticed": _is_refused(damaged),
    }


def _is_refused(blob: bytearray) -> bool:
    try:
        huffman_decompress(blob)
    except CorruptDataError:
        return True
    return False


def _there_and_back(text: Text) -> bytes:
    return huffman_decompress(huffman_compress(text.data))


def _deflate_and_inflate(text: Text) -> bytes:
    return zlib.decompress(_deflate(text), -15, len(text.data))


def _zstd_there_and_back(text: Text) -> bytes:
    zstandard = import_module("zstandard")
    data: bytes = zstandard.ZstdDecompressor().decompress(zstandard.ZstdCompressor(level=1).compress(text.data))
    return data


# Codes of any alphabet.


class Message(NamedTuple):
    """Symbols, their counts, and a code for them, for us and for bitarray."""

    symbols: Symbols
    counts: NDArray[np.int64]
    code: HuffmanCode


def _message(size: int) -> Message:
    symbols = np.minimum(np.random.default_rng(1).geometric(0.05, size) - 1, 299).astype(np.int64)
    counts = np.bincount(symbols)
    return Message(symbols, counts, HuffmanCode.from_counts(counts))


def _our_message(message: Message) -> tuple[bytes, Symbols]:
    data = message.code.encode(message.symbols)
    return data, message.code.decode(data, message.symbols.size)


def _bitarray_message(message: Message) -> tuple[bytes, Symbols]:
    bitarray = import_module("bitarray")
    code, lengths = message.code.codes.tolist(), message.code.lengths.tolist()
    words = {s: bitarray.bitarray(f"{code[s]:0{lengths[s]}b}") for s in range(len(code)) if lengths[s]}
    bits = bitarray.bitarray()
    bits.encode(words, message.symbols.tolist())
    return bits.tobytes(), np.fromiter(bits.decode(bitarray.decodetree(words)), np.int64)


def _same_message(message: Message, ours: tuple[bytes, Symbols], theirs: tuple[bytes, Symbols]) -> Agreement:
    same = ours[0] == theirs[0] and all(np.array_equal(part, message.symbols) for part in (ours[1], theirs[1]))
    return Agreement(same, f"{len(ours[0]):,} bytes, the same, and back")


def _alphabet(size: int) -> NDArray[np.int64]:
    return np.random.default_rng(1).zipf(1.2, size).clip(1, 10**9)


def _bitarray_lengths(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    code = import_module("bitarray.util").huffman_code(dict(enumerate(counts.tolist())))
    return np.array([len(code[s]) for s in range(counts.size)])


def _same_cost(counts: NDArray[np.int64], ours: NDArray[Any], theirs: NDArray[Any]) -> Agreement:
    costs = [int(counts @ lengths.astype(np.int64)) for lengths in (ours, theirs)]
    return Agreement(costs[0] == costs[1], f"{costs[0]:,} bits, theirs {costs[1]:,}")


CASES = (
    Case(
        "huffman_coding",
        "coding text",
        "bytes",
        TEXTS,
        _manual,
        lambda text: huffman_compress(text.data),
        (
            Peer("zlib Z_HUFFMAN_ONLY", "zlib", _deflate),
            Peer("bitarray", "bitarray", _bitarray_encode),
            Peer("dahuffman", "dahuffman", _dahuffman_encode, max_size=SLOW),
        ),
        _both_come_back,
        note="Ours includes a checksum of what is written, which the peers' streams do not have. A call costs some 40 "
        "microseconds before the first byte: finding the code, and going from Python into kernels and back.",
        story=Story(
            "How many bits does a letter of the Python manual need?", TEXTS[-1], MANUAL, _tell_code, _prove_code
        ),
    ),
    Case(
        "huffman_coding",
        "decoding text",
        "bytes",
        TEXTS,
        _manual,
        lambda text: huffman_decompress(text.blob),
        (
            Peer("zlib Z_HUFFMAN_ONLY", "zlib", lambda text: zlib.decompress(text.deflated, -15, len(text.data))),
            Peer("bitarray", "bitarray", _bitarray_decode),
            Peer("dahuffman", "dahuffman", _dahuffman_decode, max_size=SLOW),
        ),
        _same_text,
        note="Ours proves a checksum before it decodes; the peers' streams have none.",
    ),
    Case(
        "huffman_coding",
        "decoding bytes without repetitions",
        "bytes",
        TEXTS,
        _shuffled,
        lambda text: huffman_decompress(text.blob),
        (
            Peer("zstd -1", "zstandard", _zstd_decompress),
            Peer("zlib Z_HUFFMAN_ONLY", "zlib", lambda text: zlib.decompress(text.deflated, -15, len(text.data))),
        ),
        _same_text,
        note="The letters of the text, shuffled: nothing but Huffman coding helps. zstd has the same four streams "
        "and hand-tuned loops; ours proves a checksum besides.",
    ),
    Case(
        "huffman_coding",
        "small messages, there and back",
        "bytes",
        MESSAGES,
        _manual,
        _there_and_back,
        (
            Peer("zlib Z_HUFFMAN_ONLY", "zlib", _deflate_and_inflate),
            Peer("zstd -1", "zstandard", _zstd_there_and_back),
        ),
        _same_text,
        note="Here we lose: a call takes the same time for one byte as for a thousand, most of it spent in Python and "
        "on the tables, and zlib has a code ready made for messages as short as these.",
    ),
    Case(
        "huffman_coding",
        "any symbols, a bit at a time, there and back",
        "symbols",
        (1_000, 10_000, 100_000),
        _message,
        _our_message,
        (Peer("bitarray", "bitarray", _bitarray_message),),
        _same_message,
    ),
    Case(
        "huffman_coding",
        "code of a large alphabet",
        "symbols",
        (256, 4_096, 65_536),
        _alphabet,
        huffman_code_lengths,
        (Peer("bitarray huffman_code", "bitarray", _bitarray_lengths, max_size=4_096),),
        _same_cost,
        note="bitarray also makes the words, as objects of Python.",
    ),
)
