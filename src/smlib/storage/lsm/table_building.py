"""Building a table: the bytes of a file, from entries in order.

What the parts are and how they hang together is told in `tables`; here they are laid one behind the other into one
array: the blocks, the filters, the block that names the filters, the index, the footer. A file is full when its blocks
have a given size. What is left over is for the next one: a call says where it stopped.

Snappy makes blocks of text smaller by half, and others not at all; one that does not become smaller by an eighth is
left as it is, for it would have to be undone at every reading.

Invariants:
  1. Given the same entries and options, and without compression, the bytes are those that LevelDB writes.
  2. `tables.Table` reads what was built, and its ``verify`` finds nothing.

Cost: O(bytes), at about 1 GB/s uncompressed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from smlib._core.words import Bytes
from smlib.errors import InputError
from smlib.storage.lsm.block_building import OVERHEAD, build_blocks, build_index
from smlib.storage.lsm.bloom import BASE_BITS, FILTER_NAME, build_filters, probes_for, room_for_filters
from smlib.storage.lsm.entries import Entries, require_small
from smlib.storage.lsm.internal_keys import internal_key
from smlib.storage.lsm.stored_blocks import PLAIN, SNAPPY, TRAILER, seal_blocks
from smlib.storage.lsm.varints import encode_varint
from smlib.storage.packed_bytes import Numbers

HANDLES, FOOTER = 40, 48
MAGIC = 0xDB4775248B80FB57
COMPRESSIONS = ("none", "snappy")
# Larger than any file.
NO_LIMIT = 1 << 62
# Positions in a file that is built fit into 32 bits.
MOST_ROOM = (1 << 32) - 1


class Blocks(NamedTuple):
    """The blocks of a table, one behind the other.

    Attributes
    ----------
    data : array of uint8
        All bytes, those behind each block included.
    firsts : array of int64
        The numbers of their first entries, and of the entry behind the last.
    places : array of int64, shape (blocks, 2)
        Where each begins, and its size.
    """

    data: Bytes
    firsts: Numbers
    places: Numbers


class BuiltTable(NamedTuple):
    """The bytes of a table, and what is known of it.

    Attributes
    ----------
    data : bytes
        All of the file.
    next : int
        The number of the first entry that is not in it.
    entries : int
        How many entries it has.
    smallest, largest : bytes
        The first and the last key, each with its tag: internal keys.
    """

    data: bytes
    next: int
    entries: int
    smallest: bytes
    largest: bytes


def build_table(
    entries: Entries,
    first: int = 0,
    *,
    size_limit: int | None = None,
    block_size: int = 4096,
    bloom_bits_per_key: int = 10,
    compression: str = "none",
) -> BuiltTable:
    r"""Return the bytes of a table of the entries from one on.

    Parameters
    ----------
    entries : Entries
        In order, see `entries.first_disorder`; this is not asked.
    first : int
        The number of the first one, which must be there.
    size_limit : int, optional
        No block begins at this position of the file or behind it; the file is somewhat larger. None: all entries.
    block_size : int
        A block that has so many bytes is full.
    bloom_bits_per_key : int
        0: without filters.
    compression : {"none", "snappy"}

    Returns
    -------
    BuiltTable

    Raises
    ------
    InputError
        If there is no entry, or an option makes no sense, or the file would have about 4 GB.

    Notes
    -----
    Complexity: O(bytes of the file).

    References
    ----------
    The essay of `tables` says what each byte means.

    Examples
    --------
    >>> from smlib.storage.lsm.entries import pack
    >>> built = build_table(pack([b"ape", b"bee"], [1793, 2048], [b"1", b""]))
    >>> built.next, built.smallest, len(built.data)
    (2, b'ape\x01\x07\x00\x00\x00\x00\x00\x00', 192)
    """
    require_small(entries)
    if not 0 <= first < entries.size:
        raise InputError(f"a table cannot begin with entry {first} of {entries.size}; it needs one at least")
    if block_size < 1 or bloom_bits_per_key < 0 or (size_limit is not None and size_limit < 1):
        raise InputError(
            f"block_size is {block_size}, bloom_bits_per_key {bloom_bits_per_key} and size_limit {size_limit}; they "
            f"must be at least 1, 0 and 1"
        )
    if compression not in COMPRESSIONS:
        raise InputError(f"compression is {compression!r}; it must be one of {', '.join(COMPRESSIONS)}")
    limit = NO_LIMIT if size_limit is None else size_limit
    lay = lay_compressed if compression == "snappy" else lay_blocks
    blocks = lay(entries, first, limit, block_size)
    end = blocks.data.size
    parts: list[memoryview | bytes] = [blocks.data.data]
    names, handles = [], []
    if bloom_bits_per_key:
        filters = lay_filters(entries, blocks, bloom_bits_per_key)
        parts.append(seal(filters, PLAIN))
        names, handles = [FILTER_NAME], [handle(end, filters.size)]
        end += len(parts[-1])
    footer = b""
    for block in (pack_names(names, handles), lay_index(entries, blocks)):
        content, kind = compress(block) if compression == "snappy" else (block, PLAIN)
        parts.append(seal(content, kind))
        footer += handle(end, content.size)
        end += len(parts[-1])
    parts.append(footer.ljust(HANDLES, b"\0") + MAGIC.to_bytes(8, "little"))
    past = int(blocks.firsts[-1])
    return BuiltTable(
        b"".join(parts), past, past - first, internal_key_of(entries, first), internal_key_of(entries, past - 1)
    )


def lay_blocks(entries: Entries, first: int, limit: int, block_size: int) -> Blocks:
    """Return the blocks of the entries from one on, none of which begins at a limit or behind it."""
    blocks = lay_unsealed(entries, first, limit, block_size)
    seal_blocks(blocks.data, blocks.places, np.full(len(blocks.places), PLAIN, np.uint8))
    return blocks


def lay_unsealed(entries: Entries, first: int, limit: int, block_size: int) -> Blocks:
    """Return blocks as `lay_blocks` does, with room for what is behind each."""
    most = limit + block_size
    # What is behind the first value that the blocks cannot reach is not in them.
    past = int(np.searchsorted(entries.value_ends, entries.value_ends[first] + most, side="right")) + 1
    past = min(past, entries.size)
    room = OVERHEAD * (past - first) + int(entries.key_ends[past] + entries.value_ends[past])
    room -= int(entries.key_ends[first] + entries.value_ends[first])
    # Each entry may be a block of its own, with a restart, their number, and what is behind it; no restart is nearer
    # to the next than 3 bytes.
    number = min(past - first, min(most, room) // block_size + 2)
    room += 4 * (past - first) + (4 + TRAILER) * number
    if room > MOST_ROOM:
        raise InputError(
            f"a table of {past - first} entries may have {room} bytes; give a size_limit of less than 4 GB"
        )
    data = np.empty(room, np.uint8)
    firsts, places = np.empty(number + 1, np.int64), np.empty((number, 2), np.int64)
    restarts = np.empty(block_size // 3 + 2, np.uint32)
    count = int(build_blocks(entries, first, limit, block_size, restarts, data, firsts, places))
    end = int(places[count - 1].sum()) + TRAILER
    return Blocks(data[:end], firsts[: count + 1], places[:count])


def lay_compressed(entries: Entries, first: int, limit: int, block_size: int) -> Blocks:
    """Return blocks as `lay_blocks` does, compressed where it helps.

    How many there will be is not known before they are compressed, only that their bytes do not become more.
    """
    contents: list[Bytes] = []
    kinds: list[int] = []
    rows: list[Numbers] = []
    end = 0
    while first < entries.size and end < limit:
        blocks = lay_unsealed(entries, first, limit - end, block_size)
        for begin, size in blocks.places.tolist():
            content, kind = compress(blocks.data[begin : begin + size])
            contents.append(content)
            kinds.append(kind)
            end += content.size + TRAILER
        rows.append(blocks.firsts[:-1])
        first = int(blocks.firsts[-1])
    sizes = np.array([content.size for content in contents], np.int64)
    places = np.column_stack((np.cumsum(sizes + TRAILER) - sizes - TRAILER, sizes))
    data = np.empty(end, np.uint8)
    for (begin, size), content in zip(places.tolist(), contents, strict=True):
        data[begin : begin + size] = content
    seal_blocks(data, places, np.array(kinds, np.uint8))
    return Blocks(data, np.append(np.concatenate(rows), first), places)


def compress(block: Bytes) -> tuple[Bytes, int]:
    """Return a block as it is to be stored, and its kind."""
    from smlib.infotheory.snappy.compression import snappy_compress

    packed = snappy_compress(block.data)
    if len(packed) < block.size - block.size // 8:
        return np.frombuffer(bytearray(packed), np.uint8), SNAPPY
    return block, PLAIN


def seal(block: Bytes, kind: int) -> bytes:
    """Return a block with its kind and the checksum behind it."""
    data = np.append(block, np.empty(TRAILER, np.uint8))
    seal_blocks(data, np.array([[0, block.size]]), np.array([kind], np.uint8))
    return data.tobytes()


def lay_filters(entries: Entries, blocks: Blocks, bits_per_key: int) -> Bytes:
    """Return the filters of the blocks."""
    end = blocks.data.size
    begins = np.empty(max(end >> BASE_BITS, (int(blocks.places[-1, 0]) >> BASE_BITS) + 1), np.int64)
    room = room_for_filters(int(blocks.firsts[-1] - blocks.firsts[0]), begins.size, bits_per_key)
    out = np.empty(room, np.uint8)
    probes = probes_for(bits_per_key)
    return out[: int(build_filters(entries, blocks.firsts, blocks.places, bits_per_key, probes, begins, out))]


def lay_index(entries: Entries, blocks: Blocks) -> Bytes:
    """Return the block that lists the blocks."""
    lasts, count = blocks.firsts[1:] - 1, len(blocks.places)
    room = int((entries.key_ends[lasts + 1] - entries.key_ends[lasts]).sum()) + (OVERHEAD + 2 * 10 + 4) * count + 4
    out = np.empty(room, np.uint8)
    return out[: int(build_index(entries, blocks.firsts, blocks.places, np.empty(count, np.uint32), out))]


def pack_names(names: list[bytes], handles: list[bytes]) -> Bytes:
    """Return a block of one name and its handle, or of none."""
    content = b"".join(
        b"\0" + encode_varint(len(name)) + encode_varint(len(place)) + name + place
        for name, place in zip(names, handles, strict=True)
    )
    return np.frombuffer(bytearray(content + bytes(4) + (1).to_bytes(4, "little")), np.uint8)


def handle(begin: int, size: int) -> bytes:
    """Return where a block is: two varints."""
    return encode_varint(begin) + encode_varint(size)


def internal_key_of(entries: Entries, number: int) -> bytes:
    """Return the key of an entry with its tag."""
    begin, end = entries.key_ends[number : number + 2].tolist()
    tag = int(entries.tags[number])
    return internal_key(entries.keys[begin:end].tobytes(), tag >> 8, tag & 255)
