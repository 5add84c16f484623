"""Keys as bytes: the essay's table, order and round trip for all kinds of keys, prefixes, and damage."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smlib.errors import CorruptDataError, InputError
from smlib.storage import decode_key, encode_key
from smlib.storage.keys import MAX_DEPTH

INTEGERS = st.one_of(
    st.integers(),
    st.builds(
        lambda sign, bits, step: sign * ((1 << bits) + step),
        st.sampled_from((-1, 1)),
        st.integers(0, 600),
        st.integers(-1, 1),
    ),
)
FLOATS = st.floats(allow_nan=False)
# Zeros, ones and the largest byte are where an encoding with end marks goes wrong.
BYTES = st.one_of(st.binary(max_size=8), st.lists(st.sampled_from((0, 1, 2, 254, 255)), max_size=5).map(bytes))
TEXTS = st.one_of(
    st.text(max_size=8), st.text(st.sampled_from("\0\1\2a\x7f\x80\u07ff\ud800\udfff\uffff\U00010000"), max_size=4)
)
PARTS: dict[str, st.SearchStrategy[Any]] = {"i": INTEGERS, "f": FLOATS, "b": BYTES, "s": TEXTS, "o": st.booleans()}


def of_shape(shape: Any) -> st.SearchStrategy[Any]:
    """Make keys of a shape: a letter is a type, a list a tuple of some of its first places."""
    if isinstance(shape, str):
        return PARTS[shape]
    return st.integers(0, len(shape)).flatmap(lambda size: st.tuples(*[of_shape(part) for part in shape[:size]]))


SHAPES = st.recursive(st.sampled_from("ifbso"), lambda inner: st.lists(inner, max_size=3), max_leaves=6)
KEYS = SHAPES.flatmap(of_shape)
PAIRS = SHAPES.flatmap(lambda shape: st.tuples(of_shape(shape), of_shape(shape)))
TUPLES = st.lists(KEYS, max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("key", "blob"),
    [
        (-256, "1e fe ff"),
        (-255, "1f 00"),
        (-1, "1f fe"),
        (0, "20"),
        (1, "21 01"),
        (255, "21 ff"),
        (256, "22 01 00"),
        (65536, "23 01 00 00"),
        ("a", "48 61"),
        (("a",), "50 48 61 00"),
        (("a", 1), "50 48 61 00 21 01"),
        (("a\0",), "50 48 61 01 01 00"),
        ((("a",), None), "50 50 48 61 00 00 01"),
        (2**64, "29 00 00 00 09 01 00 00 00 00 00 00 00 00"),
        (-(2**64), "17 ff ff ff f6 fe ff ff ff ff ff ff ff ff"),
        (0.0, "30 80 00 00 00 00 00 00 00"),
        (1.0, "30 bf f0 00 00 00 00 00 00"),
        (-1.0, "30 40 0f ff ff ff ff ff ff"),
    ],
)
def test_the_table(key: Any, blob: str) -> None:
    assert encode_key(key).hex(" ") == blob
    assert decode_key(bytes.fromhex(blob)) == key


@given(PAIRS)
@example(((), ("",)))
@example((("a",), ("a\0",)))
@example((("a", 255), ("a\0", 0)))
@example(((b"\1", b""), (b"\1\2", b"")))
@example((-0.0, 0.0))
def test_order_is_kept(pair: tuple[Any, Any]) -> None:
    """Invariant 1, and that what is equal is written alike."""
    a, b = pair
    assert (encode_key(a) < encode_key(b)) == (a < b)
    assert (encode_key(a) == encode_key(b)) == (a == b)


@given(st.lists(INTEGERS, max_size=30))
def test_integers_sort(numbers: list[int]) -> None:
    assert sorted(numbers) == sorted(numbers, key=encode_key)


def test_all_magnitudes_of_floats_sort() -> None:
    bits = [int.from_bytes(struct.pack("<d", x), "little") for x in (0.0, 5e-324, 2.3e-308, 1.0, 1.5, 1e308, math.inf)]
    numbers = [-struct.unpack("<d", b.to_bytes(8, "little"))[0] for b in reversed(bits[1:])]
    numbers += [-number for number in reversed(numbers)]
    assert numbers == sorted(numbers, key=encode_key)


def types_of(key: Any) -> Any:
    return [types_of(part) for part in key] if isinstance(key, tuple) else type(key)


@given(KEYS)
def test_a_key_comes_back(key: Any) -> None:
    """Invariant 2."""
    back = decode_key(encode_key(key))
    assert back == key
    assert types_of(back) == types_of(key)


def test_types_come_back() -> None:
    key = (None, False, True, 0, 1, 0.0, 1.0, b"", "", (), ((),))
    back = decode_key(encode_key(key))
    assert isinstance(back, tuple)
    assert back == key
    assert types_of(back) == types_of(key)
    assert list(key) == sorted(key, key=encode_key)


@given(TUPLES, TUPLES)
def test_a_tuple_begins_the_longer_ones_and_no_others(a: tuple[Any, ...], b: tuple[Any, ...]) -> None:
    """Invariant 4."""
    assert encode_key(a + b).startswith(encode_key(a))
    if b[: len(a)] != a:
        assert not encode_key(b).startswith(encode_key(a))


@given(BYTES, BYTES, TEXTS, TEXTS)
def test_text_and_bytes_begin_the_longer_ones(a: bytes, b: bytes, s: str, t: str) -> None:
    assert encode_key(a + b).startswith(encode_key(a))
    assert encode_key(s + t).startswith(encode_key(s))


def test_a_tuple_does_not_begin_where_only_a_zero_follows() -> None:
    assert not encode_key(("a\0",)).startswith(encode_key(("a",)))
    assert not encode_key(("a\1",)).startswith(encode_key(("a",)))


def test_numpy_numbers_are_numbers() -> None:
    numbers: list[Any] = [np.int16(-300), np.uint8(7), np.float64(2.5)]
    for number in numbers:
        assert encode_key(number) == encode_key(number.item())
        assert encode_key((number,)) == encode_key((number.item(),))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (math.nan, "NaN"),
        (("a", math.nan), "NaN"),
        ([1], "list"),
        ({1}, "set"),
        ((1, 2j), "complex"),
        (bytearray(b"x"), "bytearray"),
    ],
)
def test_what_is_no_key_is_refused(key: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        encode_key(key)


def nested(depth: int) -> Any:
    key: Any = ()
    for _ in range(depth - 1):
        key = (key,)
    return key


def test_depth_has_an_end() -> None:
    assert decode_key(encode_key(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(InputError, match="nested more than 32"):
        encode_key(nested(MAX_DEPTH + 1))
    with pytest.raises(CorruptDataError, match="nested more than 32"):
        decode_key(b"\x50" * 100_000)


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        ("", "missing"),
        ("00", "begins no key"),
        ("ff", "begins no key"),
        ("01 00", "too many"),
        ("21", "ends at byte 1"),
        ("21 00", "fewer"),
        ("1f ff", "fewer"),
        ("22 00 01", "fewer"),
        ("29 00 00 00 08 01 00 00 00 00 00 00 00", "fewer"),
        ("29 ff ff ff ff", "ends at byte"),
        ("17 00 00 00 00", "ends at byte"),
        ("30 00", "ends at byte"),
        ("30 7f ff ff ff ff ff ff ff", "-0.0"),
        ("30 ff f8 00 00 00 00 00 01", "NaN"),
        ("48 ff", "UTF-8"),
        ("50 48 61", "no end"),
        ("50 50", "no end"),
        ("50 40 01 03 00", "01 with neither"),
        ("50 40 01 00", "01 with neither"),
        ("50 00", "begins no key"),
    ],
)
def test_damage_is_named(blob: str, message: str) -> None:
    with pytest.raises(CorruptDataError, match=message):
        decode_key(bytes.fromhex(blob))


@given(
    st.one_of(
        st.binary(max_size=20),
        st.lists(st.sampled_from(bytes.fromhex("00 01 02 03 17 1e 1f 20 21 22 29 30 40 48 50 61 ff")), max_size=12).map(
            bytes
        ),
    )
)
def test_each_key_has_one_encoding(blob: bytes) -> None:
    """Invariant 3: any bytes are refused, or are those of the key that they stand for."""
    try:
        key = decode_key(blob)
    except CorruptDataError:
        return
    assert encode_key(key) == blob


@given(KEYS, st.data())
def test_damage_of_a_key_is_refused_or_another_key(key: Any, draw: st.DataObject) -> None:
    blob = bytearray(encode_key(key))
    place = draw.draw(st.integers(0, len(blob) - 1))
    blob[place] ^= draw.draw(st.integers(1, 255))
    try:
        damaged = decode_key(bytes(blob))
    except CorruptDataError:
        return
    assert encode_key(damaged) == bytes(blob) != encode_key(key)
