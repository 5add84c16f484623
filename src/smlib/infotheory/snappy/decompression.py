"""Carrying out elements that may be forged, in a hurry.

Two kernels share the work. `hurry` carries out one element after the other while both ends are so far away that no
short one can reach them: then whole words are copied, and what they bring too many is overwritten by the next element.
It decides nothing. Whatever it does not like (a long literal, an end that is near, a distance that leads nowhere) it
leaves where it is. `take_element` then takes that one element with care, byte by byte where it must, or finds that it
cannot be carried out. So there is one place where an error is found, and a fast loop without one.

A copy from fewer than 8 bytes back repeats a pattern that is shorter than a word. A word read from there holds the
pattern once, and then nothing of use. But once it is written the pattern stands there twice, and twice the distance
leads to the same bytes: one, two, or three steps, and words can be copied whole.

Invariants, whatever the bytes are:
  1. No byte outside the blob is read and none outside the output written.
  2. A copy reads only what was written by an element before it, or by itself.
  3. Both kernels move on by an element or stop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import as_count
from smlib._core.words import Bytes, load_word, store_word
from smlib.errors import CorruptDataError, InputError
from smlib.infotheory.snappy.compression import (
    FAR_COPY,
    LARGEST_SIZE,
    LITERAL,
    LONGEST_COPY,
    LONGEST_VARINT,
    NEAR_COPY,
    SHORT_LITERAL,
    BytesLike,
    as_array,
)

u32, u64 = np.uint32, np.uint64

# What an element can touch in `hurry`: its tag, 64 bytes, and what is left of a word.
REACH = 1 + LONGEST_COPY + 7


def _elements() -> NDArray[np.uint16]:
    """Return what each tag says, from the low bit up: a length (8 bits), 256s of offset (3), how many bytes follow."""
    table = np.empty(256, dtype=np.uint16)
    for tag in range(256):
        kind, upper = tag & 3, tag >> 2
        if kind == LITERAL:
            # The number that follows a long literal's tag is its length - 1.
            length, high, more = (upper + 1, 0, 0) if upper < SHORT_LITERAL else (1, 0, upper - SHORT_LITERAL + 1)
        elif kind == NEAR_COPY:
            length, high, more = (upper & 7) + 4, upper >> 3, 1
        else:
            length, high, more = upper + 1, 0, 4 if kind == FAR_COPY else 2
        table[tag] = length | high << 8 | more << 11
    return table


ELEMENTS = _elements()


def snappy_decompress(blob: BytesLike, *, max_size: int | None = None) -> bytes:
    r"""Return the data of a blob in the raw format of Snappy; the blob is not trusted.

    Parameters
    ----------
    blob : bytes-like
        What `snappy_compress` or another program made; fewer than 4 GB.
    max_size : int, optional
        The most that may come out. Three bytes can stand for 64; pass it for what comes from strangers.

    Returns
    -------
    bytes

    Raises
    ------
    CorruptDataError
        The blob is damaged in a way that shows, cut short, or followed by something else; or it claims more than
        ``max_size`` bytes, or more than its elements could make, which is found out before memory is taken for them.
        The message names the byte of the blob where it was noticed.
    InputError
        ``blob`` is not bytes-like, or of 4 GB or more, or ``max_size`` no size.

    Notes
    -----
    There is no checksum: a change of a byte that is copied changes what comes out, and nobody notices. Use
    `snappy_frame_decompress`, or a checksum around the blob.

    Complexity: O(n) time for n bytes that come out.

    References
    ----------
    Google, *Snappy compressed format description*.

    Examples
    --------
    >>> snappy_decompress(b"\x07\x08xab\x01\x02")
    b'xababab'
    """
    source = as_array(blob)
    most = None if max_size is None else as_count(max_size, "max_size")
    if source.size > LARGEST_SIZE:
        raise InputError(f"blob has {source.size} bytes; up to {LARGEST_SIZE} can be decompressed at once")
    size, begin = read_size(source, 0)
    if most is not None and size > most:
        raise CorruptDataError(f"the blob claims {size} bytes; max_size allows {most}")
    return decompress_elements(source, begin, size)


def read_size(blob: Bytes, begin: int) -> tuple[int, int]:
    """Return the size of the data, which stands at a position as a varint, and where the elements begin."""
    size = 0
    for count in range(min(LONGEST_VARINT, blob.size - begin)):
        group = int(blob[begin + count])
        size |= (group & 127) << 7 * count
        if group < 128 and size <= LARGEST_SIZE:
            return size, begin + count + 1
    if blob.size < begin + LONGEST_VARINT:
        raise CorruptDataError(f"the blob ends at byte {blob.size}, within the size of the data: it was cut short")
    raise CorruptDataError(f"the size of the data, at byte {begin}, takes more than 32 bits: this is no Snappy")


def largest_output(size: int) -> int:
    """Return how many bytes elements of some size make at most.

    A literal comes first, of one byte or more. Then nothing makes more of 3 bytes than a copy of 64, nor of the 2 that
    may be left than one of 11.

    >>> [largest_output(size) for size in (0, 1, 2, 3, 4, 5, 8)]
    [0, 0, 1, 2, 12, 65, 129]
    """
    if size < 2:
        return 0
    copies, left = divmod(size - 2, 3)
    return 1 + LONGEST_COPY * copies + (0, 1, 11)[left]


def decompress_elements(blob: Bytes, begin: int, size: int) -> bytes:
    """Return the data of some size that the elements from a position to the end of a blob make, or raise."""
    left = blob.size - begin
    if size > largest_output(left):
        most = largest_output(left)
        raise CorruptDataError(f"{size} bytes are claimed, but the {left} from byte {begin} on make {most} at most")
    out = np.empty(size, dtype=np.uint8)
    position, place = decompress_block(blob, begin, out)
    if position < blob.size or place < size:
        raise CorruptDataError(_explain(blob, int(position), int(place), size))
    return out.tobytes()


def _explain(blob: Bytes, position: int, made: int, size: int) -> str:
    """Return why the element at a position cannot be carried out, after so many bytes were made."""
    if position == blob.size:
        return f"the blob ends at byte {position}, after {made} of {size} bytes of data: it was cut short"
    tag = int(blob[position])
    entry = int(ELEMENTS[tag])
    length, more = entry & 255, entry >> 11
    left = blob.size - position - 1 - more
    if left < 0:
        return f"the blob ends at byte {blob.size}, within the element that begins at byte {position}: it was cut short"
    number = int.from_bytes(blob[position + 1 : position + 1 + more].tobytes(), "little")
    if tag & 3 == LITERAL:
        length += number
        if length > left:
            return f"the literal at byte {position} has {length} bytes, but {left} are left: the blob is damaged"
        return f"the literal at byte {position} makes more than {size} bytes of data: the blob is damaged"
    offset = (entry & 0x700) + number
    if not 0 < offset <= made:
        return f"the copy at byte {position} begins {offset} back, but {made} bytes are there: the blob is damaged"
    return f"the copy at byte {position} makes more than {size} bytes of data: the blob is damaged"


@kernel(borrows=True)
def decompress_block(blob: Bytes, begin: int, out: Bytes) -> tuple[int, int]:
    """Carry out elements from a position to the end, or to the first that cannot be; return where, and what is made."""
    position, place = u32(begin), u32(0)
    while position < blob.size:
        position, place = hurry(blob, position, out, place)
        after, place = take_element(blob, position, out, place)
        if after == position:
            break
        position = after
    return int(position), int(place)


@kernel(borrows=True)
def hurry(blob: Bytes, position: np.uint32, out: Bytes, place: np.uint32) -> tuple[np.uint32, np.uint32]:
    """Carry out short elements while both ends are far; return the position and place behind the last."""
    while position + REACH <= blob.size and place + REACH <= out.size:
        tag = blob[position]
        entry = u64(ELEMENTS[tag])
        length = u32(entry & u64(255))
        if tag & 3 == LITERAL:
            if tag >= SHORT_LITERAL << 2:
                break
            source, target, stop = u32(position + 1), place, u32(place + length)
            while target < stop:
                store_word(out, target, load_word(blob, source))
                source, target = u32(source + 8), u32(target + 8)
            position, place = u32(position + 1 + length), stop
        else:
            more = entry >> u64(11)
            number = load_word(blob, u32(position + 1)) & ((u64(1) << (more << u64(3))) - u64(1))
            offset = u32((entry & u64(0x700)) + number)
            if offset == 0 or offset > place:
                break
            copy_words(out, place, offset, length)
            position, place = u32(position + 1 + u32(more)), u32(place + length)
    return position, place


@kernel(borrows=True)
def copy_words(out: Bytes, place: np.uint32, offset: np.uint32, length: np.uint32) -> None:
    """Repeat what stands an offset back, in words: up to 7 bytes too many are written, which must be there."""
    stop = u32(place + length)
    while offset < 8 and place < stop:
        store_word(out, place, load_word(out, u32(place - offset)))
        place = u32(place + offset)
        offset = u32(offset + offset)
    while place < stop:
        store_word(out, place, load_word(out, u32(place - offset)))
        place = u32(place + 8)


@kernel(borrows=True)
def take_element(blob: Bytes, position: np.uint32, out: Bytes, place: np.uint32) -> tuple[np.uint32, np.uint32]:
    """Carry out one element, every index proved; return the position and place behind it, or those before."""
    tag = blob[position]
    entry = np.int64(ELEMENTS[tag])
    length, more = entry & 255, entry >> 11
    source, target = np.int64(position) + 1 + more, np.int64(place)
    if source > blob.size:
        return position, place
    number = np.int64(0)
    for k in range(more):
        number |= np.int64(blob[position + 1 + k]) << (8 * k)
    if tag & 3 == LITERAL:
        length += number
        if length > blob.size - source or length > out.size - target:
            return position, place
        copy_literal(blob, u32(source), out, place, int(length))
        return u32(source + length), u32(target + length)
    offset = (entry & 0x700) + number
    if offset == 0 or offset > target or length > out.size - target:
        return position, place
    for k in range(length):
        out[target + k] = out[target - offset + k]
    return u32(source), u32(target + length)


@kernel(borrows=True)
def copy_literal(blob: Bytes, source: np.uint32, out: Bytes, place: np.uint32, length: int) -> None:
    """Copy bytes of which all are known to be there: by words, and the last ones singly."""
    done = 0
    while done + 8 <= length:
        store_word(out, u32(place + done), load_word(blob, u32(source + done)))
        done += 8
    while done < length:
        out[place + done] = blob[source + done]
        done += 1
