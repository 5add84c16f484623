"""CRC-32C: the vectors of its RFC, its definition by polynomial division, and what a change does to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core import hashing
from smlib._core.hashing import crc32c, extend_checksum

# RFC 3720, appendix B.4; its bytes stand there in the order in which they are sent, the lowest first.
READ_COMMAND = bytes.fromhex(
    "01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018 28000000 00000000 02000000 00000000"
)
VECTORS = (
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(range(31, -1, -1)), 0x113FDB5C),
    (READ_COMMAND, 0xD9963A56),
    (b"123456789", 0xE3069283),
    (b"", 0),
)


@pytest.mark.interpreted
@pytest.mark.parametrize(("data", "checksum"), VECTORS)
def test_the_published_vectors(data: bytes, checksum: int) -> None:
    assert crc32c(data) == checksum


def divide(data: bytes) -> int:
    """Do the division bit by bit, as it is defined."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.interpreted
@given(st.binary(max_size=70))
def test_it_is_the_remainder_of_the_division(data: bytes) -> None:
    assert crc32c(data) == crc32c(bytearray(data)) == crc32c(memoryview(data)) == divide(data)


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_it_extends_piece_by_piece(pieces: list[bytes]) -> None:
    checksum = 0
    for piece in pieces:
        checksum = crc32c(piece, checksum)
    assert checksum == crc32c(b"".join(pieces))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=70))
def test_a_record_is_its_head_and_its_payload(before: int, head: int, payload: bytes) -> None:
    expected = crc32c(head.to_bytes(8, "little") + payload, before)
    assert extend_checksum(before, head, np.frombuffer(payload, dtype=np.uint8)) == expected


@given(st.binary(min_size=1, max_size=70), st.integers(1, 2**32 - 1), st.integers(0, 10**6))
def test_no_burst_of_32_bits_goes_unnoticed(data: bytes, burst: int, place: int) -> None:
    number = int.from_bytes(data, "little")
    changed = number ^ (burst << place % (8 * len(data))) % (1 << 8 * len(data))
    if changed != number:
        assert crc32c(changed.to_bytes(len(data), "little")) != crc32c(data)


def test_data_of_any_size_is_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = crc32c(bytes(range(256)))
    monkeypatch.setattr(hashing, "PIECE", 7)
    assert crc32c(bytes(range(256))) == whole
