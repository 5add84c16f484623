r"""Shingling: a text as the set of its short passages, each of them a number.

The problem. How alike are two texts? To ask which *words* they share forgets the order: all texts of a language share
most of their words. To ask whether they are *equal* is undone by one changed letter.

The idea. Lay a window of ``width`` words over the text, at each word in turn. What it shows is a *shingle*, for they
overlap like those of a roof. Texts that share passages share shingles, and one changed word changes ``width`` of them
and no more::

    the dog bit the man                            width 3
    the dog bit
        dog bit the
            bit the man                            3 shingles

A shingle is kept as a number of 64 bits, so that a set of passages is a set of numbers. For texts without words, and
where spelling counts, the window shows characters.

In one pass. A word becomes a number ``u`` by multiplying and mixing, eight bytes at a time. The number of a window is a
polynomial in ``P``, which the next window takes over: one word enters, one leaves (Karp & Rabin)::

    s_1 = u_1 P^2 + u_2 P + u_3
    s_2 = u_2 P^2 + u_3 P + u_4  =  s_1 P + u_4 - u_1 P^3            all modulo 2^64

At the end the bits are stirred once more. So a window costs the same, however broad it is.

What a word is. Texts are taken as they stand, in UTF-8; `bytes.split` says where words end: at ASCII's white space.
Case and punctuation count. Whoever does not want that, lowers and strips before. A character is a code point.

Invariants, checked by the tests:
  1. Equal windows have equal numbers, wherever they stand; different ones differ, but for a chance of 2^-64 a pair.
  2. A text of n words has ``max(n - width + 1, 1)`` shingles, in order, and one without words has none.
  3. A text's shingles do not depend on the texts beside it; text and its UTF-8 have the same.

The numbers are no secret: who wants two passages with one number can make them.

Cost: O(n) time for n bytes, whatever the width; 8 bytes a shingle, and scratch for the longest text.

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.2; Karp & Rabin, "Efficient randomized
pattern-matching algorithms", *IBM Journal of Research and Development* 31 (1987).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smlib._core.hashing import PRIME1, PRIME2, PRIME3, avalanche
from smlib._core.kernel import kernel
from smlib._core.validate import as_bytes, as_count
from smlib._core.words import Bytes, load_word
from smlib.errors import InputError

Hashes: TypeAlias = NDArray[np.uint64]
Offsets: TypeAlias = NDArray[np.int64]
Places: TypeAlias = NDArray[np.uint32]
Text: TypeAlias = "str | bytes | bytearray | memoryview"
Unit: TypeAlias = Literal["words", "characters"]

u8, u32, u64 = np.uint8, np.uint32, np.uint64
ALL_ONES = u64(0xFFFFFFFFFFFFFFFF)
# Behind each text there are so many bytes that eight can be read from any byte of it.
PADDING = 7
# Places within a text are 32-bit integers.
LONGEST_TEXT = 2**32 - 16


class Shingles(NamedTuple):
    """The shingles of documents, one document's behind another's.

    Attributes
    ----------
    hashes : ndarray of uint64
        A number a shingle, in the order of the text; one that occurs twice is there twice.
    offsets : ndarray of int64, shape (documents + 1,)
        Those of document d are ``hashes[offsets[d]:offsets[d + 1]]``.
    """

    hashes: Hashes
    offsets: Offsets


def shingle_hashes(documents: Iterable[Text], width: SupportsIndex = 5, unit: Unit = "words") -> Shingles:
    """Return the shingles of texts, as 64-bit numbers.

    Parameters
    ----------
    documents : iterable of str or bytes-like
        Texts; bytes are taken as UTF-8, and nothing is lost where they are not.
    width : int
        How many words, or characters, a shingle has: at least 1. The more, the less do texts share by chance; 5 words
        suit texts of a page, 9 characters a letter or an article (MMDS).
    unit : {"words", "characters"}
        Words end at ASCII's white space; case and punctuation count. A text that is shorter than ``width`` is one
        shingle; an empty one has none.

    Returns
    -------
    Shingles
        ``hashes`` and ``offsets``.

    Raises
    ------
    InputError
        A document is not text, or has 4 GB; ``documents`` is one text instead of several; a ``width`` below 1.

    Notes
    -----
    Complexity: O(n) time and space for n bytes, whatever the width.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.2.

    Examples
    --------
    >>> shingles = shingle_hashes(["a rose is a rose is a rose", "a rose is a flower"], width=3)
    >>> shingles.offsets
    array([0, 6, 9])
    >>> hashes = shingles.hashes.tolist()
    >>> len(set(hashes[:6])), len(set(hashes[:6]) & set(hashes[6:]))
    (3, 2)
    """
    size = as_width(width, unit)
    text, ends = _join(documents)
    longest = int(np.diff(ends).max(initial=0))
    by_words = unit == "words"
    most = (longest + 1) // 2 if by_words else longest
    hashes = np.empty(text.size // 2 + ends.size if by_words else text.size, np.uint64)
    offsets = np.zeros(ends.size, np.int64)
    changes, places = np.empty(longest + 1, np.uint8), np.empty(longest + 2, np.uint32)
    scratch = changes, places, np.empty(most, np.uint64)
    shingle_all(text, ends, min(size, most), by_words, scratch, hashes, offsets)
    return Shingles(hashes[: offsets[-1]], offsets)


def as_width(width: SupportsIndex, unit: str) -> int:
    """Return a width that is at least 1, of a unit that there is."""
    size = as_count(width, "width")
    if size == 0:
        raise InputError("width is 0; a shingle has 1 word or character at least")
    if unit not in ("words", "characters"):
        raise InputError(f"unit is {unit!r}; it must be 'words' or 'characters'")
    return size


def as_shingles(documents: Iterable[Text] | Shingles, width: SupportsIndex, unit: Unit) -> Shingles:
    """Return the shingles of texts; what is `Shingles` already is checked instead."""
    if not isinstance(documents, Shingles):
        return shingle_hashes(documents, width, unit)
    hashes: NDArray[Any] = np.asarray(documents.hashes)
    offsets: NDArray[Any] = np.asarray(documents.offsets)
    for name, array in (("hashes", hashes), ("offsets", offsets)):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise InputError(f"{name} has shape {array.shape} and type {array.dtype}; it must be a row of integers")
    offsets = np.require(offsets.astype(np.int64, copy=False), requirements=["C", "W"])
    if offsets.size == 0 or offsets[0] != 0 or offsets[-1] != hashes.size or (np.diff(offsets) < 0).any():
        raise InputError(f"offsets must rise from 0 to the number of hashes, which is {hashes.size}")
    hashes = np.require(hashes.astype(np.uint64, copy=False), requirements=["C", "W"])
    return Shingles(hashes, offsets)


def _join(documents: Iterable[Text]) -> tuple[Bytes, Offsets]:
    """Return all texts as bytes, one behind another and padding behind the last, and where each ends."""
    if isinstance(documents, str | bytes | bytearray | memoryview):
        raise InputError(f"documents is one {type(documents).__name__}; it must be a list of texts")
    parts = [_encode(document, place) for place, document in enumerate(documents)]
    ends = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=ends[1:])
    parts.append(bytes(PADDING))
    return np.frombuffer(b"".join(parts), np.uint8), ends


def _encode(document: Any, place: int) -> bytes | memoryview:
    try:
        part = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else as_bytes(document)
    except InputError as error:
        raise InputError(f"documents[{place}] is no text: {error}") from error
    if len(part) > LONGEST_TEXT:
        raise InputError(f"documents[{place}] has {len(part)} bytes; a text may have {LONGEST_TEXT}: split it")
    return part


@kernel
def shingle_all(
    text: Bytes,
    ends: Offsets,
    width: int,
    by_words: bool,
    scratch: tuple[Bytes, Places, Hashes],
    hashes: Hashes,
    offsets: Offsets,
) -> None:
    """Write the shingles of all documents; ``scratch`` has room for the longest of them."""
    changes, places, units = scratch
    for d in range(ends.size - 1):
        size = ends[d + 1] - ends[d]
        part = text[ends[d] : ends[d + 1] + PADDING]
        if by_words:
            count = find_words(part, size, changes, places)
            for k in range(count):
                units[k] = hash_word(part, places[2 * k], places[2 * k + 1])
        else:
            count = find_characters(part, size, units)
        offsets[d + 1] = offsets[d] + roll(units[:count], width, hashes[offsets[d] :])


@kernel
def find_words(part: Bytes, size: int, changes: Bytes, places: Places) -> int:
    """Write where words begin and end, in turn; return how many there are.

    No branch depends on the text: a place is written at every byte, and stays if a word begins or ends there.
    """
    inside = False
    for i in range(size):
        word = not is_space(part[i])
        changes[i] = word != inside
        inside = word
    changes[size] = inside
    found = u32(0)
    for i in range(u32(size + 1)):
        places[found] = i
        found += u32(changes[i])
    return int(found) // 2


@kernel
def is_space(byte: np.uint8) -> bool:
    """Answer whether a byte is ASCII's white space: a blank, or one of 9 to 13."""
    return bool((byte == u8(32)) | (u8(byte - u8(9)) < u8(5)))


@kernel
def hash_word(part: Bytes, begin: np.uint32, end: np.uint32) -> np.uint64:
    """Return the hash of the bytes from one place to another, eight at a time; the length begins it."""
    hashed = u64(u64(end - begin) * PRIME2)
    while begin < end:
        word = load_word(part, begin)
        rest = u64(end - begin)
        if rest < u64(8):
            word &= ALL_ONES >> (u64(64) - u64(8) * rest)
        hashed = u64((hashed ^ word) * PRIME1)
        hashed ^= hashed >> u64(32)
        begin = u32(begin + u32(8))
    return u64(hashed * PRIME3)


@kernel
def find_characters(part: Bytes, size: int, units: Hashes) -> int:
    """Write the code units of each character as one number; return how many there are.

    A byte of the form 10xxxxxx goes on with a character; one that has none before it is taken for a character.
    """
    count = 0
    for i in range(size):
        if count > 0 and part[i] & u8(0xC0) == u8(0x80):
            units[count - 1] = units[count - 1] << u64(8) | u64(part[i])
        else:
            units[count] = u64(part[i])
            count += 1
    return count


@kernel
def roll(units: Hashes, width: int, hashes: Hashes) -> int:
    """Write the hash of every window; return how many there are. One that is broader than all is one all the same."""
    if units.size == 0:
        return 0
    first = min(width, units.size)
    power, value = u64(1), u64(0)
    for i in range(first):
        power = u64(power * PRIME1)
        value = u64(value * PRIME1 + units[i])
    hashes[0] = avalanche(value)
    for i in range(first, units.size):
        value = u64(value * PRIME1 + units[i] - units[i - first] * power)
        hashes[i - first + 1] = avalanche(value)
    return int(units.size - first + 1)
