"""Bloom filters: by hand, against a model and LevelDB's own numbers, how often they err, and damage."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.storage.lsm import bloom
from smlib.storage.lsm.bloom import build_filters, hash_key, probes_for, prove_filters, room_for_filters
from tests.storage.lsm_table_tools import array_of, packed


def may_contain(filters: Any, offset: int, key: bytes) -> bool:
    """Ask the filter of the block that begins at a position."""
    place_of_filter: Callable[..., Any] = bloom.place_of_filter
    begin, end = map(int, place_of_filter(filters, offset))
    hashed = hash_key(array_of(key), np.uint32(0), np.uint32(len(key)))
    return begin < 0 or bool(bloom.passes(filters, np.uint32(begin), np.uint32(end), hashed))


def hash_of(key: bytes) -> int:
    return int(hash_key(np.frombuffer(bytearray(key), np.uint8), np.uint32(0), np.uint32(len(key))))


def model_hash(key: bytes) -> int:
    """Return LevelDB's hash, as the essay says."""
    full, hashed = 0xFFFFFFFF, 0xBC9F1D34 ^ (len(key) * 0xC6A4A793 & 0xFFFFFFFF)
    whole = len(key) // 4 * 4
    for k in range(0, whole, 4):
        hashed = (hashed + int.from_bytes(key[k : k + 4], "little")) * 0xC6A4A793 & full
        hashed ^= hashed >> 16
    if whole < len(key):
        hashed = (hashed + int.from_bytes(key[whole:], "little")) * 0xC6A4A793 & full
        hashed ^= hashed >> 24
    return hashed


def model_filter(keys: list[bytes], bits_per_key: int) -> bytes:
    """Return a filter, built bit by bit."""
    size = (max(64, len(keys) * bits_per_key) + 7) // 8
    bits = 0
    for key in keys:
        place = model_hash(key)
        step = (place >> 17 | place << 15) & 0xFFFFFFFF
        for j in range(probes_for(bits_per_key)):
            bits |= 1 << ((place + j * step) % 2**32 % (8 * size))
    return bits.to_bytes(size, "little") + bytes([probes_for(bits_per_key)])


def filters_of(blocks: list[tuple[int, list[bytes]]], end: int, bits_per_key: int = 10) -> bytes:
    """Return the filters of blocks, each with its position and its keys."""
    entries = packed([(key, 1, b"") for _, keys in blocks for key in keys])
    firsts = np.cumsum([0, *(len(keys) for _, keys in blocks)])
    places = np.array([[begin, 0] for begin, _ in blocks])
    begins = np.empty(max(end >> 11, (blocks[-1][0] >> 11) + 1), np.int64)
    out = np.empty(room_for_filters(entries.size, begins.size, bits_per_key), np.uint8)
    return out[
        : int(build_filters(entries, firsts, places, bits_per_key, probes_for(bits_per_key), begins, out))
    ].tobytes()


@pytest.mark.interpreted
def test_the_example_by_hand() -> None:
    assert hash_of(b"a") == 0x286E9DB0
    one = bytes.fromhex("08 10 20 40 80 00 01 00 06")
    assert filters_of([(0, [b"a"])], 30) == one + bytes.fromhex("00 00 00 00  09 00 00 00  0b")


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        ("", 0xBC9F1D34),
        ("62", 0xEF1345C4),
        ("c3 97", 0x5B663814),
        ("e2 99 a5", 0x323C078F),
        ("e1 80 b9 32", 0xED21633A),
    ],
)
def test_hashes_are_leveldbs(key: str, hashed: int) -> None:
    assert hash_of(bytes.fromhex(key)) == model_hash(bytes.fromhex(key)) == hashed


@given(st.binary(max_size=40))
def test_hashing_is_the_model(key: bytes) -> None:
    assert hash_of(key) == model_hash(key)


def test_probes() -> None:
    assert [probes_for(bits) for bits in (1, 2, 3, 5, 10, 16, 44, 100)] == [1, 1, 2, 3, 6, 11, 30, 30]


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=40), st.integers(1, 20))
def test_a_filter_is_the_model(keys: list[bytes], bits_per_key: int) -> None:
    filters = filters_of([(0, keys)], 0, bits_per_key)
    expected = model_filter(keys, bits_per_key)
    assert filters == expected + bytes(4) + len(expected).to_bytes(4, "little") + b"\x0b"
    assert prove_filters(array_of(filters)) == -1
    assert all(may_contain(array_of(filters), 0, key) for key in keys)


def test_there_is_a_filter_for_each_2_kb() -> None:
    """Two blocks begin in the first 2 KB; none in the second; one in the third; the file goes on for 6 KB more."""
    blocks = [(0, [b"a"]), (2047, [b"b", b"c"]), (4096, [b"d"])]
    filters = array_of(filters_of(blocks, 10_500))
    first, third = model_filter([b"a", b"b", b"c"], 10), model_filter([b"d"], 10)
    begins = [0, 9, 9, 18, 18, 18]
    expected = first + third + b"".join(begin.to_bytes(4, "little") for begin in begins) + b"\x0b"
    assert filters.tobytes() == expected
    assert prove_filters(filters) == -1
    assert may_contain(filters, 2047, b"b")
    assert may_contain(filters, 4096, b"d")
    assert not may_contain(filters, 2048, b"b"), "nothing is in an empty filter"
    assert not may_contain(filters, 4096, b"a")
    assert may_contain(filters, 1 << 40, b"a"), "nobody knows what is where there is no filter"


def test_how_often_they_err() -> None:
    dice = random.Random(1)
    keys = [dice.randbytes(8) for _ in range(10_000)]
    for bits_per_key in (4, 10):
        filters = array_of(filters_of([(0, keys)], 0, bits_per_key))
        assert all(may_contain(filters, 0, key) for key in keys)
        errors = sum(bool(may_contain(filters, 0, dice.randbytes(9))) for _ in range(20_000)) / 20_000
        k = probes_for(bits_per_key)
        expected = (1 - math.exp(-k / bits_per_key)) ** k
        assert 0.6 * expected < errors < 1.6 * expected


def test_more_than_30_probes_let_everything_pass() -> None:
    filters = bytes(8) + b"\x1f" + bytes(4) + b"\x09\0\0\0\x0b"
    assert prove_filters(array_of(filters)) == -1
    assert may_contain(array_of(filters), 0, b"a")
    assert not may_contain(array_of(filters[:8] + b"\x1e" + filters[9:]), 0, b"a")


@pytest.mark.untrusted
def test_begins_must_increase_up_to_their_list() -> None:
    def filters(*begins: int, listed: int = 9, base: int = 11) -> bytes:
        numbers = [*begins, listed]
        return bytes(9) + b"".join(number.to_bytes(4, "little") for number in numbers) + bytes([base])

    assert prove_filters(array_of(filters(0, 9, 9))) == -1
    assert prove_filters(array_of(filters(0, 10))) == 13
    assert prove_filters(array_of(filters(5, 9, 8))) == 17
    assert prove_filters(array_of(filters(0, listed=10))) == 13
    assert prove_filters(array_of(filters(0, listed=17))) == 13
    assert prove_filters(array_of(filters(0, base=32))) == 17
    assert prove_filters(array_of(b"")) == 0
    assert prove_filters(array_of(bytes(4))) == 3
    assert prove_filters(array_of(bytes(4) + b"\x0b")) == -1


@pytest.mark.untrusted
def test_every_byte_is_changed() -> None:
    filters = filters_of([(0, [b"a", b"b"]), (2048, [b"c"]), (9000, [b"d"])], 9100)
    found = set()
    for place in range(len(filters)):
        for value in range(0, 256, 5):
            damaged = array_of(filters[:place] + bytes([value]) + filters[place + 1 :])
            whole = bool(prove_filters(damaged) == -1)
            found.add(whole)
            for offset in (0, 2048, 9000, 1 << 33) if whole else ():
                may_contain(damaged, offset, b"a")
    assert found == {True, False}


@pytest.mark.untrusted
@given(st.binary(max_size=30), st.integers(0, 31))
def test_anything_is_no_filter_or_can_be_used(data: bytes, listed: int) -> None:
    for filters in (data, data + listed.to_bytes(4, "little") + b"\x0b"):
        if prove_filters(array_of(filters)) == -1:
            for offset in (0, 2048, 9000, 1 << 40):
                may_contain(array_of(filters), offset, b"key")
