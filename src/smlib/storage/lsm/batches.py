r"""Batches: changes that are made together, as a record of the log holds them.

A batch is one record, so a crash leaves all of its changes or none. It begins with the sequence of its first change (8
bytes) and how many there are (4); each further change has a sequence one more than that of the one before::

    kind 1, a value       01 | size of key | key | size of value | value
    kind 0, a deletion    00 | size of key | key                          sizes are varints

By hand. Change 7 sets "cat" to "meow", and change 8 takes "dog" out, which need not be there::

    07 00 00 00 00 00 00 00 | 02 00 00 00 | 01 | 03 63 61 74 | 04 6d 65 6f 77 | 00 | 03 64 6f 67
    first sequence            changes       kind  c  a  t       m  e  o  w      kind  d  o  g

Invariants:
  1. `decode_batch` gives back what `encode_batch` or `encode_packed` was given.
  2. What is read lies within the record, is as many changes as it says, and leaves nothing over: else CorruptDataError.
  3. All sequences are less than 2^56, for an internal key has no room for more.

Cost: O(bytes). Python puts a change together in 0.2 microseconds, and gives it back in as much; a kernel that finds
its changes packed already takes a tenth of that.

Ghemawat & Dean, *LevelDB* (2011), file ``write_batch.cc``; Gray & Reuter, *Transaction Processing*, chapter 9.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from functools import cache
from typing import Protocol, TypeAlias

import numpy as np

from smlib._core.kernel import bind_types, kernel
from smlib._core.words import Bytes
from smlib.errors import CorruptDataError, InputError
from smlib.storage.lsm.block_numbers import prove_varint, store_varint
from smlib.storage.lsm.entries import Entries, key_at, value_at
from smlib.storage.lsm.internal_keys import DELETION, MAX_SEQUENCE, VALUE
from smlib.storage.lsm.varints import SHORT, encode_varint
from smlib.storage.packed_bytes import Integer, Numbers, copy_bytes, join

# A change: a key, and its value, or None if it is taken out.
Change: TypeAlias = tuple[bytes, bytes | None]

HEAD = struct.Struct("<QI")
# The kind, and the size of a short key.
PUTS = [bytes((VALUE,)) + size for size in SHORT]
# What a change may take besides its key and value: the kind, and two sizes of 32 bits.
BESIDES = 1 + 2 * 5
LARGEST = (1 << 32) - 1
# What `find_changes` returns instead of an end.
BAD_SIZE, BAD_KIND, TOO_FEW = -1, -2, -3
WHAT_IS_WRONG = {
    BAD_SIZE: "a key or a value does not lie within it",
    BAD_KIND: "one of them is neither a value nor a deletion",
    TOO_FEW: "it holds fewer",
}

# From so many items on a kernel puts a batch together.
MANY = 64

at = np.uint32


def encode_batch(sequence: int, changes: Sequence[Change]) -> bytes:
    """Return a batch.

    Parameters
    ----------
    sequence : int
        That of the first change.
    changes : sequence of (key, value)
        Both of them bytes of less than 4 GB; None as the value takes the key out.

    Returns
    -------
    bytes

    Notes
    -----
    Complexity: O(bytes).

    References
    ----------
    The essay of this module says what each byte means.

    Examples
    --------
    >>> encode_batch(7, [(b"cat", b"meow"), (b"dog", None)]).hex(" ")
    '07 00 00 00 00 00 00 00 02 00 00 00 01 03 63 61 74 04 6d 65 6f 77 00 03 64 6f 67'
    """
    parts = [HEAD.pack(sequence, len(changes))]
    for key, value in changes:
        if value is None:
            parts += (b"\0", encode_varint(len(key)), key)
        elif len(key) < 128 > len(value):
            parts += (PUTS[len(key)], key, SHORT[len(value)], value)
        else:
            parts += (b"\1", encode_varint(len(key)), key, encode_varint(len(value)), value)
    return b"".join(parts)


def encode_changes(sequence: int, puts: dict[bytes, bytes], removals: Collection[bytes]) -> bytes:
    """Return the batch that sets items and takes keys out, in this order.

    >>> encode_changes(7, {b"cat": b"meow"}, [b"dog"]) == encode_batch(7, [(b"cat", b"meow"), (b"dog", None)])
    True
    """
    if removals or len(puts) < MANY:
        return encode_batch(sequence, [*puts.items(), *((key, None) for key in removals)])
    tags = np.arange(sequence, sequence + len(puts)).astype(np.uint64) << np.uint64(8) | np.uint64(VALUE)
    keys, key_ends = join(list(puts))
    values, value_ends = join(list(puts.values()))
    return encode_packed(Entries(keys, key_ends, tags, values, value_ends))


def encode_packed(entries: Entries) -> bytes:
    """Return the batch of changes that are packed, and whose sequences follow one another.

    Parameters
    ----------
    entries : Entries
        At least one, in the order of their sequences.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        It would have 4 GB or more.

    Examples
    --------
    >>> from smlib.storage.lsm.entries import pack
    >>> changes = pack([b"cat", b"dog"], [7 << 8 | 1, 8 << 8 | 0], [b"meow", b""])
    >>> encode_packed(changes) == encode_batch(7, [(b"cat", b"meow"), (b"dog", None)])
    True
    """
    size = HEAD.size + entries.keys.size + entries.values.size + BESIDES * entries.size
    if size > LARGEST:
        raise InputError(f"a batch of {entries.size} changes may have {size} bytes; make several of it")
    out = np.empty(size, np.uint8)
    out[: HEAD.size] = np.frombuffer(HEAD.pack(int(entries.tags[0]) >> 8, entries.size), np.uint8)
    return out[: int(store_changes(entries, out, at(HEAD.size)))].tobytes()


def decode_batch(payload: bytes, path: str = "", offset: int = 0) -> tuple[int, list[Change]]:
    """Return the sequence of a batch's first change, and its changes.

    Parameters
    ----------
    payload : bytes
        A record of a log.
    path, offset : str, int
        The file that it is from, and where the record begins there; for the message only.

    Returns
    -------
    sequence : int
    changes : list of (key, value)
        The value is None where the key is taken out.

    Raises
    ------
    CorruptDataError
        It is no batch.

    Notes
    -----
    Complexity: O(bytes).

    References
    ----------
    The essay of this module says what each byte means.

    Examples
    --------
    >>> decode_batch(encode_batch(7, [(b"cat", b"meow"), (b"dog", None)]))
    (7, [(b'cat', b'meow'), (b'dog', None)])
    """
    size = len(payload)
    if not HEAD.size <= size <= LARGEST:
        raise CorruptDataError(f"{path}, byte {offset}: a record of {size} bytes is too short or too long for a batch")
    sequence, count = HEAD.unpack_from(payload)
    # A change takes two bytes at least; who claims more gets no memory for it.
    if count > (size - HEAD.size) // 2 or sequence + count > MAX_SEQUENCE + 1:
        raise CorruptDataError(
            f"{path}, byte {offset}: a batch of {size} bytes cannot hold {count} changes, from {sequence} on"
        )
    cuts = np.empty((4, count), np.int64)
    end = int(bound_search()(payload, HEAD.size, cuts))
    if end != size:
        wrong = WHAT_IS_WRONG[end] if end < 0 else f"{size - end} bytes are left over"
        raise CorruptDataError(f"{path}, byte {offset}: a batch should hold {count} changes, but {wrong}")
    return sequence, [
        (payload[key:key_end], None if value < 0 else payload[value:value_end])
        for key, key_end, value, value_end in zip(*cuts.tolist(), strict=True)
    ]


class Search(Protocol):
    """What finds the changes of a batch; see `find_changes`."""

    def __call__(self, payload: bytes, place: int, cuts: Numbers, /) -> Integer:
        """Return where the last change ends."""


@cache
def bound_search() -> Search:
    """Return what `find_changes` is compiled to."""
    return bind_types(find_changes, b"", 0, np.empty((4, 0), np.int64))


@kernel(borrows=True)
def store_changes(entries: Entries, out: Bytes, position: np.uint32) -> np.uint32:
    """Write the changes of a batch from a position on, and return where they end."""
    for number in range(entries.tags.size):
        kind = entries.tags[number] & np.uint64(255)
        out[position] = kind
        begin, size = key_at(entries, number)
        position = store_varint(out, at(position + at(1)), np.int64(size))
        copy_bytes(entries.keys, begin, out, position, size)
        position = at(position + size)
        if kind == VALUE:
            begin, size = value_at(entries, number)
            position = store_varint(out, position, np.int64(size))
            copy_bytes(entries.values, begin, out, position, size)
            position = at(position + size)
    return position


@kernel(borrows=True)
def find_changes(payload: bytes, place: Integer, cuts: Numbers) -> Integer:
    """Find where the keys and values of a batch begin and end, and return where the last change does.

    The rows of ``cuts`` are the beginnings and ends of the keys, and those of the values, -1 for a deletion; there is a
    column a change. Returns ``BAD_SIZE``, ``BAD_KIND`` or ``TOO_FEW`` if it is no batch.
    """
    limit = len(payload)
    for change in range(cuts.shape[1]):
        if place >= limit:
            return TOO_FEW
        kind = payload[place]
        if kind != VALUE and kind != DELETION:
            return BAD_KIND
        begin, end = sized_at(payload, place + 1)
        if end < 0:
            return BAD_SIZE
        cuts[0, change], cuts[1, change] = begin, end
        place, begin = end, np.int64(-1)
        if kind == VALUE:
            begin, end = sized_at(payload, place)
            if end < 0:
                return BAD_SIZE
            place = end
        cuts[2, change], cuts[3, change] = begin, end
    return place


@kernel(borrows=True)
def sized_at(payload: bytes, place: Integer) -> tuple[Integer, Integer]:
    """Return where the bytes begin and end whose length stands at a place; an end of -1 if they are not all there."""
    size, begin = prove_varint(payload, place, len(payload), LARGEST)  # type: ignore[arg-type]  # only its items are read
    if begin < 0 or size > len(payload) - begin:
        return np.int64(0), np.int64(-1)
    return begin, begin + size
