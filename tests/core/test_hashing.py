"""CRC-32C: the vectors of its RFC, its definition by division, what a change does to it. XXH64: the author's code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core import hashing
from smlib._core.hashing import crc32c, extend_checksum, hash_range, xxh64
from smlib.errors import InputError
from tests.conftest import require

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


PRIME32 = 2654435761


def sanity_buffer(size: int) -> bytes:
    """Make the bytes that the self-test of the author's program hashes: the tops of a number, squared over and over."""
    number, content = PRIME32, []
    for _ in range(size):
        content.append(number >> 24)
        number = number * number % 2**32
    return bytes(content)


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("size", "seed", "hashed"),
    [
        (0, 0, 0xEF46DB3751D8E999),
        (0, PRIME32, 0xAC75FDA2929B17EF),
        (1, 0, 0x4FCE394CC88952D8),
        (1, PRIME32, 0x739840CB819FA723),
        (14, 0, 0xCFFA8DB881BC3A3D),
        (14, PRIME32, 0x5B9611585EFCC9CB),
        (101, 0, 0x0EAB543384F878AD),
        (101, PRIME32, 0xCAA65939306F1E21),
    ],
)
def test_xxh64_gives_the_numbers_of_its_self_test(size: int, seed: int, hashed: int) -> None:
    assert xxh64(sanity_buffer(size), seed) == hashed


@pytest.mark.interpreted
@given(st.binary(max_size=200), st.integers(0, 2**64 - 1))
def test_xxh64_is_that_of_its_author(data: bytes, seed: int) -> None:
    expected = require("xxhash").xxh64_intdigest(data, seed)
    assert xxh64(data, seed) == xxh64(bytearray(data), seed) == xxh64(memoryview(data), seed) == expected


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 4095, 4096, 100_000])
def test_xxh64_of_longer_data(size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    assert xxh64(data) == require("xxhash").xxh64_intdigest(data)


@pytest.mark.untrusted
@given(st.binary(max_size=100), st.integers(0, 110), st.integers(0, 110))
def test_a_range_is_hashed_as_if_it_were_alone(data: bytes, begin: int, end: int) -> None:
    array = np.frombuffer(bytearray(data), dtype=np.uint8)
    assert int(hash_range(array, begin, end, np.uint64(3))) == xxh64(data[begin:end], 3)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "1"])
def test_a_seed_has_64_bits(seed: int) -> None:
    with pytest.raises(InputError, match="seed is"):
        xxh64(b"", seed)
