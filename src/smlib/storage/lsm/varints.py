"""Varints: whole numbers that take as many bytes as they need, and bytes with their length before them.

A varint has seven bits of the number in each byte, the lowest first; the eighth bit says that more follow. What is
less than 128 is a byte, and a number of 64 bits takes ten at most. By hand::

    1      01              127    7f
    300    ac 02           128    80 01         300 = 2 * 128 + 44: the 44 first, with the high bit set

Bytes of any number are written behind a varint that says how many they are: ``b"abc"`` as ``03 61 62 63``.

Invariants:
  1. `decode_varint` gives back what `encode_varint` was given, and where it ended.
  2. No byte behind the end of the data is looked at, and no number is larger than the bits that it may have: else
     CorruptDataError names the file and the byte at which the data begin there.

Cost: O(bytes). Kernels have their own ways to read and write varints, in `block_numbers`.

LevelDB, *Table format*; Google, *Protocol Buffers: Encoding*.
"""

from __future__ import annotations

from smlib.errors import CorruptDataError

# The varints of one byte.
SHORT = [bytes((number,)) for number in range(128)]


def encode_varint(number: int) -> bytes:
    """Return the varint of a number that is at least 0.

    >>> encode_varint(300).hex(" ")
    'ac 02'
    """
    if number < 128:
        return SHORT[number]
    digits = bytearray()
    while number >= 128:
        digits.append(number & 127 | 128)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def encode_sized(content: bytes) -> bytes:
    """Return bytes with their length before them.

    >>> encode_sized(b"abc").hex(" ")
    '03 61 62 63'
    """
    return encode_varint(len(content)) + content


def decode_varint(data: bytes, place: int, bits: int, path: str, offset: int) -> tuple[int, int]:
    """Return the varint that begins at a place in some data, and the place behind it.

    Parameters
    ----------
    data : bytes
    place : int
        At least 0.
    bits : int
        How many the number may have: 32 or 64.
    path, offset : str, int
        The file that the data are from, and where they begin there; for the message only.

    Raises
    ------
    CorruptDataError
        The data end within it, or it has more bits than it may have.

    Examples
    --------
    >>> decode_varint(bytes.fromhex("07 ac 02"), 1, 32, "table", 0)
    (300, 3)
    """
    number = shift = 0
    while shift < bits:
        if place >= len(data):
            raise CorruptDataError(
                f"{path}, byte {offset}: what begins there ends after {len(data)} bytes, within a number"
            )
        digit = data[place]
        place += 1
        number |= (digit & 127) << shift
        if digit < 128:
            if number >> bits:
                break
            return number, place
        shift += 7
    raise CorruptDataError(
        f"{path}, byte {offset}: a number that ends {place} bytes behind it has more than {bits} bits"
    )


def decode_sized(data: bytes, place: int, path: str, offset: int) -> tuple[bytes, int]:
    """Return the bytes whose length stands at a place in some data, and the place behind them.

    As `decode_varint` for parameters and errors.

    >>> decode_sized(bytes.fromhex("03 61 62 63 00"), 0, "table", 0)
    (b'abc', 4)
    """
    size, begin = decode_varint(data, place, 32, path, offset)
    if size > len(data) - begin:
        raise CorruptDataError(
            f"{path}, byte {offset}: what begins there has {len(data)} bytes, and should have {begin + size} at least"
        )
    return data[begin : begin + size], begin + size
