r"""Internal keys: a key, and which of its versions this is.

The problem. An LSM-tree never changes what it has written: a new value of a key, and the word that a key is gone, are
written beside the old ones, and found first. So a stored key says more than the user's key: when it was written, and
what it means.

The idea. Every change has a number, its *sequence*, one more than that of the change before. Behind the user's key
stand eight bytes: the sequence in the upper seven, and below it what *kind* of change it was, 1 for a value and 0 for a
deletion; the lowest byte first::

    "cat", sequence 258, a value     63 61 74 | 01 02 01 00 00 00 00 00
                                     c  a  t    kind, then 258 = 0x102

Internal keys are in order of the user's keys, as bytes, and those of one key in order of their sequences, *the newest
first*. Who looks for "cat" as of sequence 300 then looks for the first internal key that is not before ("cat", 300, 1),
and finds the newest version that is no newer::

    ("cab", 9)   ("cat", 412)   ("cat", 258)   ("cat", 17)   ("dog", 3)
                             ^ ("cat", 300) would stand here

Mind that the bytes of internal keys do not sort as the keys do: `sort_key` returns what does.

Keys that lead the way in an index need not be keys that there are. Between "the quick brown fox" and "the who" any
key will do that is not less than the first and less than the second, and the shortest is "the r": the first byte that
differs, plus one. `shortest_separator` and `short_successor` choose exactly those that LevelDB would, with the largest
sequence there is behind them, so that they stand before all versions of such a key.

Invariants:
  1. ``sort_key(a) < sort_key(b)`` exactly if a comes before b.
  2. For a < b: ``a <= shortest_separator(a, b) < b``; and ``a <= short_successor(a)``; neither is longer than a.
  3. `unpack_internal_key` gives back what `internal_key` was given, and refuses what it never returns.

Cost: O(n) for keys of n bytes.

Ghemawat & Dean, *LevelDB* (2011), file ``dbformat.h``; Petrov, *Database Internals*, chapter 7; Bayer & Unterauer,
"Prefix B-trees", *ACM Transactions on Database Systems* 2 (1977), for keys that only separate.
"""

from __future__ import annotations

from typing import NamedTuple

from smlib.errors import CorruptDataError

DELETION, VALUE = 0, 1
# What is looked for has the largest kind, to stand before all others of its sequence.
SEEK = VALUE
# How many bytes stand behind the user's key.
TAG = 8
MAX_SEQUENCE = (1 << 56) - 1
FIRST_TAG = (MAX_SEQUENCE << 8 | SEEK).to_bytes(TAG, "little")


class Version(NamedTuple):
    """What an internal key says.

    Attributes
    ----------
    key : bytes
        The user's.
    sequence : int
    kind : int
        ``VALUE`` or ``DELETION``.
    """

    key: bytes
    sequence: int
    kind: int


def internal_key(key: bytes, sequence: int, kind: int = SEEK) -> bytes:
    """Return an internal key; without a kind, the one to look for.

    >>> internal_key(b"cat", 258).hex(" ")
    '63 61 74 01 02 01 00 00 00 00 00'
    """
    return key + (sequence << 8 | kind).to_bytes(TAG, "little")


def unpack_internal_key(packed: bytes, path: str, offset: int) -> Version:
    """Return what an internal key says.

    Parameters
    ----------
    packed : bytes
    path, offset : str, int
        The file that it is from, and where it or what it is part of begins there; for the message only.

    Raises
    ------
    CorruptDataError
        It has fewer than 8 bytes, or is of an unknown kind.

    Examples
    --------
    >>> unpack_internal_key(internal_key(b"cat", 258), "000005.ldb", 0)
    Version(key=b'cat', sequence=258, kind=1)
    """
    tag = int.from_bytes(packed[-TAG:], "little")
    if len(packed) < TAG or tag & 255 > VALUE:
        raise CorruptDataError(f"{path}, byte {offset}: {packed[:40]!r} is no internal key")
    return Version(packed[:-TAG], tag >> 8, tag & 255)


def user_key(packed: bytes) -> bytes:
    """Return the user's key of an internal key."""
    return packed[:-TAG]


def sort_key(packed: bytes) -> tuple[bytes, int]:
    """Return what internal keys are sorted by.

    >>> keys = [internal_key(b"a", 1), internal_key(b"b", 5), internal_key(b"a", 300)]
    >>> [unpack_internal_key(key, "", 0)[:2] for key in sorted(keys, key=sort_key)]
    [(b'a', 300), (b'a', 1), (b'b', 5)]
    """
    return packed[:-TAG], -int.from_bytes(packed[-TAG:], "little")


def shortest_separator(a: bytes, b: bytes) -> bytes:
    """Return an internal key that is not less than ``a``, and less than ``b``, as short as LevelDB would have it.

    >>> shortest_separator(internal_key(b"the quick brown fox", 7), internal_key(b"the who", 3))[:-8]
    b'the r'
    """
    first, second = a[:-TAG], b[:-TAG]
    size = min(len(first), len(second))
    place = 0
    while place < size and first[place] == second[place]:
        place += 1
    # A key that begins the other is left alone, and so is one that is as short already.
    if place < size and first[place] + 1 < second[place] and place + 1 < len(first):
        return first[:place] + bytes((first[place] + 1,)) + FIRST_TAG
    return a


def short_successor(a: bytes) -> bytes:
    """Return an internal key that is not less than ``a``, as short as LevelDB would have it.

    >>> short_successor(internal_key(b"the who", 3))[:-8]
    b'u'
    """
    first = a[:-TAG]
    rest = first.lstrip(b"\xff")
    place = len(first) - len(rest)
    if len(rest) > 1:
        return first[:place] + bytes((rest[0] + 1,)) + FIRST_TAG
    return a
