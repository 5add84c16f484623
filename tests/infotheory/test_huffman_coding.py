"""Huffman codes: the books' numbers, the laws of the essay, exhaustive search as the judge, and bad input."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import CorruptDataError, InputError
from smlib.infotheory import HuffmanCode, canonical_codes, entropy, huffman_code_lengths
from tests.conftest import require

CORMEN = [45, 13, 12, 16, 9, 5]


@pytest.mark.interpreted
def test_the_code_of_cormen() -> None:
    """Cormen et al., section 15.3: a to f take 1, 3, 3, 3, 4, 4 bits, 224 for 100 letters."""
    code = HuffmanCode.from_counts(CORMEN)
    assert code.lengths.tolist() == [1, 3, 3, 3, 4, 4]
    assert code.expected_length(CORMEN) == 2.24
    assert words_of(code.lengths) == ["0", "100", "101", "110", "1110", "1111"]
    assert code.tree() == (0, ((1, 2), (3, (4, 5))))


@pytest.mark.interpreted
def test_the_code_of_cover_and_thomas() -> None:
    """Section 5.6, example 5.6.1: probabilities .25, .25, .2, .15, .15 take 2.3 bits; section 1.1: the eight horses."""
    code = HuffmanCode.from_counts([0.25, 0.25, 0.2, 0.15, 0.15])
    assert sorted(code.lengths.tolist()) == [2, 2, 2, 3, 3]
    assert code.expected_length([0.25, 0.25, 0.2, 0.15, 0.15]) == pytest.approx(2.3, abs=1e-15)
    horses = [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 64, 1 / 64, 1 / 64, 1 / 64]
    code = HuffmanCode.from_counts(horses)
    assert code.lengths.tolist() == [1, 2, 3, 4, 6, 6, 6, 6]
    assert code.expected_length(horses) == entropy(horses) == 2.0


@pytest.mark.interpreted
def test_the_words_of_rfc_1951() -> None:
    """Section 3.2.2: lengths 3, 3, 3, 3, 3, 2, 4, 4 for A to H."""
    assert words_of([3, 3, 3, 3, 3, 2, 4, 4]) == ["010", "011", "100", "101", "110", "00", "1110", "1111"]


def words_of(lengths: Any) -> list[str]:
    return [
        f"{code:0{length}b}" if length else "" for code, length in zip(canonical_codes(lengths), lengths, strict=True)
    ]


positive_counts = st.lists(st.integers(1, 10**6) | st.integers(1, 4), min_size=2, max_size=60)


@pytest.mark.interpreted
@given(positive_counts, st.none() | st.integers(6, 20))
def test_the_words_fill_the_tree_and_none_begins_another(counts: list[int], max_length: int | None) -> None:
    lengths = huffman_code_lengths(counts, max_length)
    assert sum(Fraction(1, 2 ** int(length)) for length in lengths) == 1
    words = words_of(lengths)
    assert [len(word) for word in words] == lengths.tolist()
    ordered = sorted(words)
    # In sorted order a word that begins another would stand right before one that it begins.
    assert not any(second.startswith(first) for first, second in itertools.pairwise(ordered))
    if max_length is not None:
        assert lengths.max() <= max_length


@given(positive_counts)
def test_the_mean_lies_within_a_bit_of_the_entropy(counts: list[int]) -> None:
    mean = HuffmanCode.from_counts(counts).expected_length(counts)
    assert entropy(counts) - 1e-9 <= mean < entropy(counts) + 1


@given(positive_counts)
def test_the_more_frequent_symbol_has_no_longer_word(counts: list[int]) -> None:
    for lengths in (huffman_code_lengths(counts), huffman_code_lengths(counts, 7)):
        for (count, length), (other, other_length) in itertools.pairwise(sorted(zip(counts, lengths, strict=True))):
            assert count == other or length >= other_length


@cache
def all_lengths(n: int, longest: int) -> frozenset[tuple[int, ...]]:
    """Return the lengths, sorted, of all codes of n words that fill the tree: split a leaf of any smaller one."""
    if n == 1:
        return frozenset({(0,)})
    found = set()
    for lengths in all_lengths(n - 1, longest):
        for length in set(lengths):
            if length < longest:
                rest = list(lengths)
                rest.remove(length)
                found.add(tuple(sorted([*rest, length + 1, length + 1])))
    return frozenset(found)


def cheapest(counts: list[int], longest: int) -> int:
    falling = sorted(counts, reverse=True)
    return min(sum(map(int.__mul__, falling, lengths)) for lengths in all_lengths(len(counts), longest))


def cost(counts: list[int], lengths: Any) -> int:
    return sum(count * int(length) for count, length in zip(counts, lengths, strict=True))


@given(st.lists(st.integers(1, 40), min_size=2, max_size=9))
def test_no_code_is_cheaper(counts: list[int]) -> None:
    assert cost(counts, huffman_code_lengths(counts)) == cheapest(counts, len(counts))


@given(st.lists(st.integers(1, 400) | st.integers(1, 3), min_size=2, max_size=9), st.integers(1, 8))
def test_no_limited_code_is_cheaper(counts: list[int], max_length: int) -> None:
    if len(counts) > 2**max_length:
        with pytest.raises(InputError, match="do not all get words"):
            huffman_code_lengths(counts, max_length)
        return
    lengths = huffman_code_lengths(counts, max_length)
    assert lengths.max() <= max_length
    assert cost(counts, lengths) == cheapest(counts, max_length)


def test_all_counts_of_seven_values_and_up_to_seven_symbols() -> None:
    for n in range(2, 8):
        for counts in map(list, itertools.combinations_with_replacement((1, 2, 3, 5, 8, 13, 21), n)):
            assert cost(counts, huffman_code_lengths(counts)) == cheapest(counts, n)
            for longest in range(3, n):
                assert cost(counts, huffman_code_lengths(counts, longest)) == cheapest(counts, longest)


@given(positive_counts)
def test_a_generous_limit_changes_nothing(counts: list[int]) -> None:
    best = huffman_code_lengths(counts)
    assert cost(counts, huffman_code_lengths(counts, int(best.max()))) == cost(counts, best)
    assert cost(counts, huffman_code_lengths(counts, 57)) == cost(counts, best)


@given(positive_counts)
def test_bitarrays_code_costs_the_same(counts: list[int]) -> None:
    util = require("bitarray.util")
    theirs = util.huffman_code(dict(enumerate(counts)))
    assert cost(counts, huffman_code_lengths(counts)) == cost(counts, [len(theirs[k]) for k in range(len(counts))])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_what_does_not_occur_has_no_word(counts: list[int]) -> None:
    lengths = huffman_code_lengths(counts)
    assert [length > 0 for length in lengths] == [count > 0 for count in counts]


def test_fibonaccis_numbers_make_the_deepest_tree() -> None:
    counts = [1, 1]
    while len(counts) < 58:
        counts.append(counts[-1] + counts[-2])
    assert huffman_code_lengths(counts).tolist() == [57, 57, *range(56, 0, -1)]
    assert huffman_code_lengths(counts, 11).max() == 11
    code = HuffmanCode.from_counts(counts)
    message = list(range(58))
    assert code.decode(code.encode(message), 58).tolist() == message
    counts.append(counts[-1] + counts[-2])
    with pytest.raises(InputError, match="the longest word would have 58 bits: pass max_length, 57 or less"):
        huffman_code_lengths(counts)
    assert huffman_code_lengths(counts, 57).max() == 57


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1.0, 1e306])
def test_tiny_and_huge_counts_have_the_same_code(scale: float) -> None:
    counts = np.array(CORMEN) * scale
    with np.errstate(all="raise"):
        code = HuffmanCode.from_counts(counts)
        assert code.lengths.tolist() == [1, 3, 3, 3, 4, 4]
        assert code.expected_length(counts) == pytest.approx(2.24, rel=1e-15)


def test_few_symbols() -> None:
    assert huffman_code_lengths([]).tolist() == []
    assert huffman_code_lengths([0, 0]).tolist() == [0, 0]
    assert huffman_code_lengths([0, 7]).tolist() == huffman_code_lengths([0, 7], 1).tolist() == [0, 1]
    assert huffman_code_lengths([3, 7]).tolist() == [1, 1]
    alone = HuffmanCode.from_counts([0, 7])
    assert alone.tree() == (1, None)
    assert alone.decode(alone.encode([1, 1, 1]), 3).tolist() == [1, 1, 1]
    assert HuffmanCode([]).encode([]) == b""
    assert HuffmanCode.from_symbols([]).decode(b"", 0).tolist() == []


def leaves(tree: Any, word: str = "") -> dict[int, str]:
    if tree is None:
        return {}
    if isinstance(tree, int):
        return {tree: word}
    return leaves(tree[0], word + "0") | leaves(tree[1], word + "1")


@given(positive_counts)
def test_the_trees_paths_are_the_words(counts: list[int]) -> None:
    code = HuffmanCode.from_counts(counts)
    assert leaves(code.tree()) == dict(enumerate(words_of(code.lengths)))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_words_exist_exactly_if_kraft_allows_them(lengths: list[int]) -> None:
    room = 1 - sum(Fraction(1, 2**length) for length in lengths if length)
    if room < 0:
        with pytest.raises(InputError, match="no prefix code has these lengths"):
            canonical_codes(lengths)
    else:
        words = sorted(word for word in words_of(lengths) if word)
        assert not any(second.startswith(first) for first, second in itertools.pairwise(words))


@st.composite
def messages(draw: st.DrawFn) -> tuple[HuffmanCode, list[int]]:
    """Draw a code, and a message of symbols that it has words for."""
    counts = draw(st.lists(st.integers(0, 10**4), min_size=1, max_size=30).filter(any))
    code = HuffmanCode.from_counts(counts, draw(st.sampled_from([None, 6, 12])))
    used = np.flatnonzero(code.lengths).tolist()
    return code, draw(st.lists(st.sampled_from(used), max_size=50))


@pytest.mark.interpreted
@given(messages())
def test_what_is_coded_is_decoded(drawn: tuple[HuffmanCode, list[int]]) -> None:
    code, message = drawn
    data = code.encode(message)
    assert code.decode(data, len(message)).tolist() == message
    words = words_of(code.lengths)
    bits = "".join(words[symbol] for symbol in message)
    assert data == int(bits.ljust(-len(bits) // 8 * -8, "0") or "0", 2).to_bytes(-(-len(bits) // 8), "big")


@given(st.lists(st.integers(0, 300), min_size=2, max_size=80))
def test_bitarray_decodes_what_is_coded_here(message: list[int]) -> None:
    bitarray = require("bitarray")
    code = HuffmanCode.from_symbols(message)
    table = {k: bitarray.bitarray(word) for k, word in enumerate(words_of(code.lengths)) if word}
    bits = bitarray.bitarray()
    bits.frombytes(code.encode(message))
    used = sum(int(code.lengths[symbol]) for symbol in message)
    assert list(bits[:used].decode(table)) == message
    assert not bits[used:].any()


@pytest.mark.untrusted
@pytest.mark.interpreted
@given(messages(), st.binary(max_size=40), st.integers(0, 200))
def test_any_bytes_decode_to_what_would_be_coded_so_or_are_refused(
    drawn: tuple[HuffmanCode, list[int]], data: bytes, count: int
) -> None:
    code, _ = drawn
    try:
        message = code.decode(data, count)
    except CorruptDataError:
        return
    assert message.size == count
    assert code.encode(message) == data


@pytest.mark.untrusted
@given(st.lists(st.integers(0, 6), max_size=20), st.binary(max_size=20), st.integers(0, 100))
def test_codes_with_gaps_decode_safely(lengths: list[int], data: bytes, count: int) -> None:
    try:
        code = HuffmanCode(lengths)
        message = code.decode(data, count)
    except (InputError, CorruptDataError):
        return
    assert code.encode(message) == data


def test_damage_is_named() -> None:
    code = HuffmanCode([1, 3, 3, 3, 4])
    data = code.encode([0, 1, 2])
    assert data == b"\x4a"
    with pytest.raises(CorruptDataError, match="1 bytes are too few for 9 symbols"):
        code.decode(data, 9)
    with pytest.raises(CorruptDataError, match="the data ends early, or holds no code word, at bit 8"):
        code.decode(b"\x4a", 5)
    with pytest.raises(CorruptDataError, match="at bit 0"):
        code.decode(b"\xf0", 1)
    with pytest.raises(CorruptDataError, match="9 bits follow the last of 3 symbols"):
        code.decode(b"\x4a\x00", 3)
    with pytest.raises(CorruptDataError, match="1 bits follow the last of 3 symbols"):
        code.decode(b"\x4b", 3)


def test_any_bytes_like_is_decoded() -> None:
    code = HuffmanCode.from_counts(CORMEN)
    data = code.encode([0, 1, 2])
    likes: tuple[Any, ...] = (bytearray(data), memoryview(b"." + data)[1:], np.frombuffer(data, dtype=np.uint8))
    for same in likes:
        assert code.decode(same, 3).tolist() == [0, 1, 2]
    likes = (np.array([0, 1, 2], dtype=np.uint8), (0, 1, 2), np.array([0, 9, 1, 9, 2])[::2])
    for same in likes:
        assert code.encode(same) == data


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: huffman_code_lengths([1, -2]), r"counts\[1\] is -2.0; a count is not negative"),
        (lambda: huffman_code_lengths([1, math.nan]), r"counts\[1\] is nan"),
        (lambda: huffman_code_lengths([math.inf, 1]), r"counts\[0\] is inf"),
        (lambda: huffman_code_lengths([[1, 2]]), r"counts has shape \(1, 2\)"),
        (lambda: huffman_code_lengths(["a"]), "counts cannot be read"),
        (lambda: huffman_code_lengths([1, 1], 0), "max_length is 0; it must lie between 1 and 57"),
        (lambda: huffman_code_lengths([1, 1], 58), "max_length is 58"),
        (lambda: huffman_code_lengths([1, 1], 3.5), "max_length is 3.5; it must be an integer"),  # type: ignore[arg-type]
        (
            lambda: huffman_code_lengths([1] * 5, 2),
            "5 symbols do not all get words of at most 2 bits: raise max_length",
        ),
        (lambda: canonical_codes([1, 1, 1]), "no prefix code has these lengths: the words of up to 1 bits alone"),
        (lambda: canonical_codes([58]), "lengths run from 58 to 58"),
        (lambda: canonical_codes([-1]), "lengths run from -1 to -1"),
        (lambda: canonical_codes([1.0]), "lengths must be a vector of integers, not float64"),
        (lambda: HuffmanCode([[1]]), r"of shape \(1, 1\)"),
        (lambda: HuffmanCode([1, 2, 2]).encode([0, 3]), r"symbols\[1\] is 3, but the code ends at 2"),
        (lambda: HuffmanCode([1, 0, 1]).encode([0, 1]), r"symbols\[1\] is 1, which has no word in this code"),
        (lambda: HuffmanCode([1, 1]).encode([-1]), "symbols run from -1 to -1"),
        (lambda: HuffmanCode([1, 1]).encode([0.5]), "symbols must be a vector of integers"),
        (lambda: HuffmanCode.from_symbols([2**24]), "they must lie between 0 and 16777215"),
        (lambda: HuffmanCode([1, 1]).decode(b"", -1), "count is -1"),
        (lambda: HuffmanCode([1, 1]).decode("text", 1), "str is not bytes-like"),  # type: ignore[arg-type]
        (
            lambda: HuffmanCode([1, 1]).decode(memoryview(b"abcd")[::2], 1),
            "memoryview is not bytes-like, or not contig",
        ),
        (lambda: HuffmanCode([1, 1]).expected_length([1]), r"counts has shape \(1,\), but the code has 2 symbols"),
        (lambda: HuffmanCode([1, 1]).expected_length([1, -1]), "counts must not be negative, and not all 0"),
        (lambda: HuffmanCode([1, 1]).expected_length([0, 0]), "counts must not be negative, and not all 0"),
        (lambda: HuffmanCode([1, 1]).expected_length([1, math.inf]), r"counts\[1\] is inf"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
