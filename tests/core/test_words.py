"""Eight bytes at a time, held against Python's own integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.words import load_word, store_word


@pytest.mark.interpreted
@given(st.binary(min_size=8, max_size=40), st.data())
def test_a_load_is_from_bytes(data: bytes, draw: st.DataObject) -> None:
    position = draw.draw(st.integers(0, len(data) - 8))
    loaded = load_word(np.frombuffer(data, dtype=np.uint8), np.uint32(position))
    assert int(loaded) == int.from_bytes(data[position : position + 8], "little")


@pytest.mark.interpreted
@given(st.binary(min_size=8, max_size=40), st.integers(0, 2**64 - 1), st.data())
def test_a_store_is_to_bytes_and_touches_nothing_else(data: bytes, word: int, draw: st.DataObject) -> None:
    position = draw.draw(st.integers(0, len(data) - 8))
    array = np.frombuffer(bytearray(data), dtype=np.uint8)
    store_word(array, np.uint32(position), np.uint64(word))
    assert array.tobytes() == data[:position] + word.to_bytes(8, "little") + data[position + 8 :]
    assert int(load_word(array, np.uint32(position))) == word
