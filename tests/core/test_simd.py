"""Every instruction does what its Python twin does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core import simd
from smlib._core.kernel import kernel


@kernel
def bits(x: float) -> np.int64:
    return simd.bits_of_float(x)


@kernel
def value(word: int) -> float:
    return simd.float_of_bits(word)


@kernel
def zeros(word: np.uint64) -> np.uint64:
    return simd.leading_zeros(word)


@given(st.floats())
def test_bits_of_floats(x: float) -> None:
    assert bits(x) == simd.bits_of_float_twin(x)
    back = value(int(bits(x)))
    assert back == x or (math.isnan(back) and math.isnan(x))


@given(st.integers(-(2**63), 2**63 - 1))
def test_floats_of_bits(word: int) -> None:
    compiled, twin = value(word), simd.float_of_bits_twin(word)
    assert compiled == twin or (math.isnan(compiled) and math.isnan(twin))


@pytest.mark.interpreted
@given(st.integers(1, 2**64 - 1))
def test_leading_zeros(word: int) -> None:
    assert zeros(np.uint64(word)) == simd.leading_zeros_twin(word) == 64 - word.bit_length()


@kernel
def checksum(crc: np.uint64, word: np.uint64) -> np.uint64:
    return simd.crc32c_of_word(crc, word)


@pytest.mark.interpreted
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_steps_of_a_checksum(crc: int, word: int) -> None:
    expected = crc ^ word
    for _ in range(64):
        expected = expected >> 1 ^ (simd.CRC32C_POLYNOMIAL if expected & 1 else 0)
    assert checksum(np.uint64(crc), np.uint64(word)) == simd.crc32c_of_word_twin(crc, word) == expected
