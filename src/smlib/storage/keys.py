r"""Keys as bytes: an encoding that keeps the order, so that comparing bytes compares keys.

The problem. A store on disk compares keys millions of times, and should not have to know what they mean: bytes are
compared by one instruction of the machine, and their common beginnings can be left out. But the bytes of an integer in
a processor's order, or of a text with its length before it, do not sort as the things do.

The idea. Write what decides first, first. A byte tells the type; then come

- *integers*: how many bytes the number has, then those, the highest first. More bytes are a greater number; for a
  negative one it is the other way round, so its bytes are turned over, and the count is counted downwards;
- *floats*: sign, exponent and fraction of IEEE 754 sort as they stand, as long as they are positive. Turn the sign
  over, so that positive ones come last, and in negative ones everything;
- *text* as UTF-8, which sorts as its code points do, and *bytes* as they are;
- *tuples*: their elements one after the other. The first that differ decide, provided that none is the beginning of
  another: so text and bytes in a tuple end with the byte 00, which comes before all others, and to keep it for that,
  00 in them becomes 01 01, and 01 becomes 01 02.

The outermost text, bytes or tuple has no end mark, for its end is the end of the key. So the encoding of ``("de",)`` is
the beginning of that of ``("de", "Bonn")``, as is "Bo" of "Bonn": all keys of one prefix are one range of bytes.

By hand. The type of an integer with n bytes is 20 + n for positive ones and 20 - n for negative ones, in hexadecimal::

    -256  1e fe ff           1  21 01             "a"        48 61
    -255  1f 00            255  21 ff             ("a",)     50 48 61 00
      -1  1f fe            256  22 01 00          ("a", 1)   50 48 61 00 21 01
       0  20             65536  23 01 00 00       ("a\0",)   50 48 61 01 01 00

What compares as equal is written alike: -0.0 is written as 0.0. NaN has no place in an order and is refused. Keys of
different types sort by type: None, False, True, integers, floats, bytes, text, tuples. So 1 and 1.0 are two keys, and
all integers come before all floats: keep to one of them in the same place.

Invariants:
  1. For keys whose places hold the same types, ``encode_key(a) < encode_key(b)`` exactly if ``a < b``.
  2. ``decode_key(encode_key(key)) == key``, and of the same types.
  3. What `decode_key` accepts is what `encode_key` wrote: each key has one encoding.
  4. ``encode_key(t)`` begins ``encode_key(t + u)`` for tuples, text and bytes, and of tuples no other key.

Cost: O(n) for n bytes; a microsecond or two for a short key. An integer takes 1 byte and those that it needs.

Petrov, *Database Internals*, chapter 3; the FoundationDB documentation, "Tuple layer" (its types differ, the idea is
the same).
"""

from __future__ import annotations

import operator
import struct
from typing import Any, TypeAlias

from smlib.errors import CorruptDataError, InputError

Key: TypeAlias = "bool | int | float | bytes | str | tuple[Key, ...] | None"

END, NONE, FALSE, TRUE, ZERO, FLOAT, BYTES, TEXT, TUPLE = 0x00, 0x01, 0x02, 0x03, 0x20, 0x30, 0x40, 0x48, 0x50
BYTES_MARK, TEXT_MARK, TUPLE_MARK = bytes([BYTES]), bytes([TEXT]), bytes([TUPLE])
# An integer of more bytes than this has their number, in 4 bytes, behind a type of its own.
SHORT = 8
LONG_POSITIVE, LONG_NEGATIVE = ZERO + SHORT + 1, ZERO - SHORT - 1
SIGN = 1 << 63
ALL_ONES = (1 << 64) - 1
MAX_DEPTH = 32
TYPES = [bytes((kind,)) for kind in range(LONG_POSITIVE + 1)]


def encode_key(key: Key) -> bytes:
    """Return the bytes of a key, which compare as the key does.

    Parameters
    ----------
    key : None, bool, int, float, bytes, str or tuple of these
        Integers of any size, NumPy's too; floats but NaN; tuples in tuples up to a depth of 32.

    Returns
    -------
    bytes
        At least one.

    Raises
    ------
    InputError
        If it is NaN, of another type, or nested too deeply.

    Notes
    -----
    Complexity: O(n) for n bytes.

    References
    ----------
    The essay of this module says what each byte means.

    Examples
    --------
    >>> encode_key(("de", 255)).hex(" ")
    '50 48 64 65 00 21 ff'
    >>> sorted([-1, 300, 2, -70000], key=encode_key)
    [-70000, -1, 2, 300]
    >>> encode_key(("de", "Bonn")).startswith(encode_key(("de",)))
    True
    """
    if isinstance(key, str):
        return TEXT_MARK + key.encode("utf-8", "surrogatepass")
    if isinstance(key, bytes):
        return BYTES_MARK + key
    if isinstance(key, tuple):
        return TUPLE_MARK + b"".join([encode_part(part, 1) for part in key])
    return encode_part(key, 0)


def encode_part(key: Any, depth: int) -> bytes:
    """Return the bytes of a part of a tuple: none of them is the beginning of another's."""
    if type(key) is int:
        return encode_integer(key)
    if isinstance(key, str):
        return TEXT_MARK + escape(key.encode("utf-8", "surrogatepass")) + b"\0"
    if isinstance(key, bytes):
        return BYTES_MARK + escape(key) + b"\0"
    if isinstance(key, float):
        return encode_float(key)
    if isinstance(key, tuple):
        if depth >= MAX_DEPTH:
            raise InputError(f"a key has tuples nested more than {MAX_DEPTH} deep; use a flatter one")
        return TUPLE_MARK + b"".join([encode_part(part, depth + 1) for part in key]) + b"\0"
    if key is None:
        return b"\x01"
    if isinstance(key, bool):
        return b"\x03" if key else b"\x02"
    try:
        return encode_integer(operator.index(key))
    except TypeError as error:
        raise InputError(
            f"a key holds {key!r:.50} of type {type(key).__name__}; None, bool, int, float, bytes, str and tuples of "
            f"these can be keys"
        ) from error


def escape(content: bytes) -> bytes:
    """Return text or bytes without 00, sorted as before."""
    return content.replace(b"\1", b"\1\2").replace(b"\0", b"\1\1")


def encode_integer(number: int) -> bytes:
    """Return the type and the bytes of an integer."""
    size = (number.bit_length() + 7) // 8
    if number >= 0:
        head = TYPES[ZERO + size] if size <= SHORT else TYPES[LONG_POSITIVE] + size.to_bytes(4)
        return head + number.to_bytes(size)
    head = TYPES[ZERO - size] if size <= SHORT else TYPES[LONG_NEGATIVE] + (0xFFFFFFFF - size).to_bytes(4)
    return head + (number - 1 + (1 << 8 * size)).to_bytes(size)


def encode_float(number: float) -> bytes:
    """Return the type and the 8 bytes of a float."""
    if number != number:
        raise InputError("a key is NaN, which is neither less nor greater than anything; use None or leave it out")
    # Adding 0.0 makes 0.0 of -0.0, and leaves everything else alone.
    bits = int.from_bytes(struct.pack(">d", number + 0.0))
    return b"\x30" + (bits ^ (ALL_ONES if bits & SIGN else SIGN)).to_bytes(8)


def decode_key(blob: bytes) -> Key:
    """Return the key of its bytes.

    Parameters
    ----------
    blob : bytes
        What `encode_key` returned.

    Returns
    -------
    None, bool, int, float, bytes, str or tuple of these
        The key.

    Raises
    ------
    CorruptDataError
        If `encode_key` never returns these bytes.

    Notes
    -----
    Complexity: O(n) for n bytes.

    References
    ----------
    The essay of this module says what each byte means.

    Examples
    --------
    >>> decode_key(encode_key(("de", -7, 2.5, b"x")))
    ('de', -7, 2.5, b'x')
    """
    kind = blob[0] if blob else END
    if kind == TEXT:
        return decode_text(blob[1:])
    if kind == BYTES:
        return bytes(blob[1:])
    if kind == TUPLE:
        parts, place = [], 1
        while place < len(blob):
            part, place = decode_part(blob, place, 1)
            parts.append(part)
        return tuple(parts)
    key, place = decode_part(blob, 0, 0)
    if place != len(blob):
        raise CorruptDataError(f"a key has {len(blob) - place} bytes too many at its end")
    return key


def decode_part(blob: bytes, place: int, depth: int) -> tuple[Key, int]:
    """Return the part of a tuple that begins at a place, and the place behind it."""
    kind = blob[place] if place < len(blob) else END
    begin = place + 1
    if kind in (TEXT, BYTES):
        end = blob.find(b"\0", begin)
        if end < 0:
            raise CorruptDataError(f"text or bytes that begin at byte {place} of a key have no end")
        content = blob[begin:end]
        if b"\1" in content:
            content = unescape(content)
        return (decode_text(content) if kind == TEXT else content), end + 1
    if kind == TUPLE:
        if depth >= MAX_DEPTH:
            raise CorruptDataError(f"a key has tuples nested more than {MAX_DEPTH} deep")
        parts = []
        while begin < len(blob) and blob[begin] != END:
            part, begin = decode_part(blob, begin, depth + 1)
            parts.append(part)
        if begin >= len(blob):
            raise CorruptDataError(f"a tuple that begins at byte {place} of a key has no end")
        return tuple(parts), begin + 1
    if kind == FLOAT:
        return decode_float(cut(blob, begin, 8)), begin + 8
    if LONG_NEGATIVE <= kind <= LONG_POSITIVE:
        return decode_integer(blob, kind, begin)
    if kind in (NONE, FALSE, TRUE):
        return (None, False, True)[kind - NONE], begin
    raise CorruptDataError(f"byte {place} of a key is {kind:#04x} or missing, which begins no key")


def unescape(content: bytes) -> bytes:
    """Return text or bytes as they were before 00 and 01 were replaced in them."""
    plain = content.replace(b"\1\1", b"\0").replace(b"\1\2", b"\1")
    if escape(plain) != content:
        raise CorruptDataError("text or bytes in a key hold 01 with neither 01 nor 02 behind it")
    return plain


def decode_text(content: bytes) -> str:
    """Return text of its UTF-8."""
    try:
        return content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise CorruptDataError(f"a key's text is not UTF-8: {error}") from error


def decode_float(content: bytes) -> float:
    """Return a float of its 8 bytes."""
    bits = int.from_bytes(content)
    number = struct.unpack(">d", (bits ^ (SIGN if bits & SIGN else ALL_ONES)).to_bytes(8))[0]
    if number != number or bits == SIGN - 1:
        raise CorruptDataError("a key holds the bytes of NaN or of -0.0, which are never written")
    return float(number)


def decode_integer(blob: bytes, kind: int, begin: int) -> tuple[int, int]:
    """Return an integer whose bytes, or the number of whose bytes, begin at a place; and the place behind it."""
    size = abs(kind - ZERO)
    if size > SHORT:
        size = int.from_bytes(cut(blob, begin, 4))
        size = size if kind > ZERO else 0xFFFFFFFF - size
        begin += 4
    number = int.from_bytes(cut(blob, begin, size))
    if kind < ZERO:
        number += 1 - (1 << 8 * size)
    if (number.bit_length() + 7) // 8 != size or (size <= SHORT and kind in (LONG_POSITIVE, LONG_NEGATIVE)):
        raise CorruptDataError(f"an integer in a key has {size} bytes at byte {begin}, and would need fewer")
    return number, begin + size


def cut(blob: bytes, begin: int, size: int) -> bytes:
    """Return some bytes of a key, which must have them."""
    if begin + size > len(blob):
        raise CorruptDataError(f"a key ends at byte {len(blob)}, within {size} bytes that begin at {begin}")
    return blob[begin : begin + size]
