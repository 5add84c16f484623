"""Shingles against texts cut up by Python itself."""

from __future__ import annotations

import random
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.mining import Shingles, shingle_hashes, shingling
from smlib.mining.shingling import PADDING, as_shingles, find_characters, find_words, hash_word

MANUAL = list(topics.values())


def windows(document: str | bytes, width: int, unit: str) -> list[tuple[Any, ...]]:
    """Return the windows of a text, cut by `bytes.split` or by characters."""
    if unit == "words":
        encoded = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
        parts: list[Any] = list(encoded.split())
    else:
        parts = list(document if isinstance(document, str) else document.decode())
    if not parts:
        return []
    return [tuple(parts[i : i + width]) for i in range(max(len(parts) - width + 1, 1))]


def check(documents: list[Any], width: int, unit: Any) -> None:
    """Prove that hashes are as many as windows, and equal exactly where those are."""
    hashes, offsets = shingle_hashes(documents, width, unit)
    cut = [windows(document, width, unit) for document in documents]
    assert np.diff(offsets).tolist() == [len(row) for row in cut]
    flat = [window for row in cut for window in row]
    assert hashes.dtype == np.uint64
    assert hashes.size == len(flat)
    number: dict[tuple[Any, ...], int] = {}
    for window, hashed in zip(flat, hashes.tolist(), strict=True):
        assert number.setdefault(window, hashed) == hashed
    assert len(set(number.values())) == len(number)


@pytest.mark.interpreted
def test_the_book_shingles_a_string_of_letters() -> None:
    """Example 3.3: the 2-shingles of "abcdabd" are ab, bc, cd, da, bd; ab comes twice."""
    hashes, offsets = shingle_hashes(["abcdabd", "ab", "bc", "cd", "da", "bd"], 2, "characters")
    assert offsets.tolist() == [0, 6, 7, 8, 9, 10, 11]
    ab, bc, cd, da, bd = hashes[6:].tolist()
    assert hashes[:6].tolist() == [ab, bc, cd, da, ab, bd]


@pytest.mark.interpreted
def test_the_example_of_the_essay() -> None:
    first, second = (shingle_hashes([text], 3).hashes for text in ("the dog bit the man", "a dog bit the man"))
    assert first.size == 3
    assert len(set(first.tolist()) & set(second.tolist())) == 2


texts = st.lists(
    st.text(st.sampled_from("ab \n\t\x0b\x00\x1f\x7f.é漢😀\u00a0\ud800")) | st.text(max_size=40), max_size=6
)


@pytest.mark.interpreted
@given(texts, st.integers(1, 6), st.sampled_from(["words", "characters"]))
def test_equal_windows_and_no_others_have_equal_hashes(documents: list[str], width: int, unit: str) -> None:
    check(documents, width, unit)


@given(st.lists(st.binary(max_size=60), max_size=5), st.integers(1, 4))
def test_any_bytes_are_cut_at_white_space(documents: list[bytes], width: int) -> None:
    check(documents, width, "words")


@pytest.mark.parametrize("width", [1, 2, 5, 40, 10_000])
def test_the_manual(width: int) -> None:
    check(MANUAL, width, "words")
    check([text[:3000] for text in MANUAL[:40]], width, "characters")


def test_words_of_every_length_and_place() -> None:
    """Words that differ only in their length, in a zero at the end, or in one byte are told apart."""
    noise = random.Random(1).randbytes
    words = {bytes([byte]) * length for byte in (0, 97, 255) for length in range(1, 40)}
    for length in range(1, 40):
        word = bytes(33 + byte % 200 for byte in noise(length))
        words |= {word, *(word[:k] + bytes([word[k] ^ 128]) + word[k + 1 :] for k in range(length))}
    words = {word for word in words if word.split() == [word]}
    assert len(words) > 600
    assert len(set(shingle_hashes(sorted(words), 1).hashes.tolist())) == len(words)
    for word in sorted(words)[::50]:
        joined = shingle_hashes([b" " * 3 + word + b"\n" + word, word], 1)
        assert len(set(joined.hashes.tolist())) == 1


def test_every_byte_is_white_space_or_not_as_for_python() -> None:
    for byte in range(256):
        text = b"a" + bytes([byte]) + b"c"
        assert shingle_hashes([text], 1).hashes.size == len(text.split()), byte


@given(texts, st.sampled_from(["words", "characters"]))
def test_neighbours_do_not_matter_and_text_is_its_utf8(documents: list[str], unit: Any) -> None:
    together = shingle_hashes(documents, 2, unit)
    for d, document in enumerate(documents):
        alone = shingle_hashes([document.encode("utf-8", "surrogatepass")], 2, unit)
        assert together.hashes[together.offsets[d] : together.offsets[d + 1]].tolist() == alone.hashes.tolist()


def test_hashes_are_spread_over_all_bits() -> None:
    hashes = shingle_hashes(MANUAL, 5).hashes
    ones = (hashes[:, np.newaxis] >> np.arange(64, dtype=np.uint64) & np.uint64(1)).mean(axis=0)
    assert np.abs(ones - 0.5).max() < 5 * 0.5 / np.sqrt(len(set(hashes.tolist())))


@pytest.mark.untrusted
@given(st.binary(max_size=300), st.integers(1, 9))
def test_kernels_read_and_write_within_their_arrays(data: bytes, width: int) -> None:
    """Whatever surrounds a text does not change what is found in it, and nothing behind the scratch is written."""
    found = []
    for around in (b"\xff", b" "):
        part = np.frombuffer(data + around * PADDING, np.uint8)
        changes, places = np.full(len(data) + 9, 0xA5, np.uint8), np.full(len(data) + 10, 0xA5, np.uint32)
        count = find_words(part, len(data), changes, places)
        assert count == len(data.split())
        assert (changes[len(data) + 1 :] == 0xA5).all()
        assert (places[len(data) + 2 :] == 0xA5).all()
        edges = places[: 2 * count].reshape(-1, 2)
        assert [data[begin:end] for begin, end in edges.tolist()] == data.split()
        units = np.empty(len(data), np.uint64)
        characters = units[: find_characters(part, len(data), units)].tolist()
        found.append(([int(hash_word(part, *edge)) for edge in edges], characters))
    assert found[0] == found[1]
    for unit in ("words", "characters"):
        assert shingle_hashes([data, data], width, unit).offsets[2] % 2 == 0


def test_what_may_be_passed() -> None:
    expected = shingle_hashes(["to be or", "not to be"], 2)
    likes: list[Any] = [b"to be or", bytearray(b"to be or"), memoryview(b".to be or.")[1:-1]]
    for like in likes:
        same = shingle_hashes((item for item in (like, "not to be")), np.int64(2))
        assert same.hashes.tolist() == expected.hashes.tolist()
    empty = shingle_hashes([])
    assert (empty.hashes.size, empty.offsets.tolist()) == (0, [0])
    assert shingle_hashes(["", " \n"], 2).offsets.tolist() == [0, 0, 0]
    signed = as_shingles(Shingles(np.array([-1, 2], np.int32), [0, 2]), 5, "words")  # type: ignore[arg-type]
    assert signed.hashes.tolist() == [2**64 - 1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a text",), "documents is one str; it must be a list of texts"),
        ((b"a text",), "documents is one bytes"),
        ((["a", 3],), r"documents\[1\] is no text: int is not bytes-like"),
        ((["a"], 0), "width is 0; a shingle has 1 word or character at least"),
        ((["a"], -1), "width is -1"),
        ((["a"], 2.5), "width is 2.5; it must be an integer"),
        ((["a"], 2, "letters"), "unit is 'letters'; it must be 'words' or 'characters'"),
    ],
)
def test_bad_input_is_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        shingle_hashes(*arguments)


def test_texts_that_are_too_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shingling, "LONGEST_TEXT", 3)
    with pytest.raises(InputError, match=r"documents\[1\] has 4 bytes; a text may have 3: split it"):
        shingle_hashes(["abc", "abcd"])


@pytest.mark.parametrize(
    ("hashes", "offsets", "message"),
    [
        ([1, 2], [0, 1], "offsets must rise from 0 to the number of hashes, which is 2"),
        ([1, 2], [1, 2], "offsets must rise"),
        ([1, 2], [0, 2, 1, 2], "offsets must rise"),
        ([1, 2], [0, -1, 2], "offsets must rise"),
        ([1, 2], np.zeros(0, int), "offsets must rise"),
        ([1.5, 2], [0, 2], "hashes has shape .2,. and type float64; it must be a row of integers"),
        ([[1, 2]], [0, 2], r"hashes has shape \(1, 2\)"),
        ([1, 2], [0.0, 2.0], "offsets has shape .2,. and type float64"),
    ],
)
def test_bad_shingles_are_named(hashes: Any, offsets: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_shingles(Shingles(hashes, offsets), 5, "words")
