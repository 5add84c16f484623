r"""A table: a file of entries in order, written once and never changed.

    blocks of entries, about 4 KB each | filters | names | index | footer

The *index* is a block (see `blocks`) with an entry for each block of entries: a key that parts it from the next one,
and its *handle*, two varints that say where it begins and its size. The *filters* (see `bloom`) say of each block which
keys are surely not in it; the *names* are a block that says under which name they are found, so that who knows no such
filters leaves them alone. The *footer* has the handles of the names and of the index, padded with zeros to 40 bytes,
and 8 bytes by which such files are known. Behind every block stand five bytes: how it is compressed, and a checksum.

By hand, the table of "ape" = "1" and "bee" deleted, with numbers 7 and 8, and without filters::

      0  00 0b 01 61 70 65 01 07 00 00 00 00 00 00 31     "ape", its tag, "1"
     15  00 0b 00 62 65 65 00 08 00 00 00 00 00 00        "bee", its tag, nothing
     29  00 00 00 00 01 00 00 00                          one restart, at 0
     37  00 d0 c2 45 76                                   not compressed; checksum
     42  00 00 00 00 01 00 00 00                          the names: none
     50  00 c0 f2 a1 b0
     55  00 09 02 63 01 ff ff ff ff ff ff ff 00 25        "c" is behind all keys; the block: 37 (0x25) bytes at 0
     69  00 00 00 00 01 00 00 00
     77  00 18 98 3b 80
     82  2a 08 37 16 ...                                  the names: 8 bytes at 42; the index: 22 bytes at 55
    122  57 fb 80 8b 24 75 47 db

To find the newest version of a key as of some time: search the index for the first separator that is not before (key,
time); ask the filter of that block; get the block, from the cache or from the file; search it (see `directory` and
`lookups`). So a table costs one read of the disk at the most, and one that has not got the key mostly none.

What comes from the file is proved before it is used: footer, index and filters when the table is opened, each block
when it is read: its checksum, and that all its entries lie within it.

Invariants, which `Table.verify` proves:
  1. Every block's checksum fits, and the block keeps its own invariants.
  2. Keys increase, within blocks and from each to the next; their kinds are known.
  3. A block's separator is not before its last key, and before the first key of the next block.
  4. The filters let every key pass.
  5. Blocks lie one behind the other, before the names and the index, and none upon another.

Cost: a key in a block that is cached takes two calls of kernels, 1 microsecond in all; one that is not, a read of 4 KB
besides. The index and the filters stay in memory: some 100 bytes for each block, and 10 bits for each key, and both
once more in the directory of all tables.

Chang et al., "Bigtable: A Distributed Storage System for Structured Data", *OSDI* (2006), section 4; the LevelDB
documentation, "Table format"; Petrov, *Database Internals*, chapter 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes
from smlib.errors import CorruptDataError
from smlib.storage.filesystem import File
from smlib.storage.lsm.block_cache import BlockCache, Shelf
from smlib.storage.lsm.block_numbers import prove_varint
from smlib.storage.lsm.blocks import MOST_BYTES
from smlib.storage.lsm.bloom import FILTER_NAME, prove_filters
from smlib.storage.lsm.directory import first_stopped, lay_directory
from smlib.storage.lsm.entries import NEWEST_TAG, Entries, find_first, first_disorder, part_of, unpack
from smlib.storage.lsm.internal_keys import MAX_SEQUENCE, SEEK, VALUE
from smlib.storage.lsm.lookups import find_in_tables
from smlib.storage.lsm.stored_blocks import (
    TRAILER,
    damage,
    decode_whole,
    frozen,
    load_block,
    load_entries,
    read_sealed,
)
from smlib.storage.lsm.table_building import FOOTER, HANDLES, MAGIC, internal_key_of
from smlib.storage.lsm.varints import decode_varint
from smlib.storage.packed_bytes import Integer, Numbers

# Of a file.
MOST = (1 << 62) - 1
# How many bytes of blocks are read at once when all are.
READ_AT_ONCE = 1 << 20
# How many blocks a walk reads at once at the most.
MOST_AT_ONCE = 128


@kernel(borrows=True)
def list_handles(values: Bytes, value_ends: Numbers, end: Integer, places: Numbers) -> Integer:
    """Write down where each block begins and its size; return -1, or the first that does not lie where it may.

    They follow each other, and the last one ends before a position, with what is behind it.
    """
    free: Integer = np.int64(0)
    most = np.int64(MOST)
    for k in range(places.shape[0]):
        limit = value_ends[k + 1]
        begin, place = prove_varint(values, value_ends[k], limit, most)
        if place < 0:
            return k
        size, place = prove_varint(values, place, limit, most)
        if place != limit or begin < free or size > MOST_BYTES or begin + size + TRAILER > end:
            return k
        places[k, 0], places[k, 1] = begin, size
        free = begin + size + TRAILER
    return -1


class Proved(NamedTuple):
    """What a table has that was proved: how many entries, the first and the last key, the number of the last change."""

    entries: int
    smallest: bytes
    largest: bytes
    newest: int


class Table:
    """An open table.

    Parameters
    ----------
    file : File
        It stays open as long as the table is used.
    number : int
        Of the file.
    size : int
        Of the file, in bytes, as it was written.
    block_cache : BlockCache
        It may serve other tables, too.

    Attributes
    ----------
    file : File
    number, size : int
    directory : Directory
        What leads to its blocks.
    shelf : Shelf
        Those that are in the cache.
    places : array of int64, shape (blocks, 2)
        Where each block begins, and its size.

    Raises
    ------
    CorruptDataError
        If the footer, the index, the names or the filters are damaged; the message names the file and a byte.

    Notes
    -----
    Threads may use it at the same time.

    Examples
    --------
    >>> from smlib.storage import SimulatedDisk
    >>> from smlib.storage.lsm.entries import pack
    >>> from smlib.storage.lsm.table_building import build_table
    >>> data = build_table(pack([b"ape", b"bee"], [1793, 2048], [b"1", b""])).data
    >>> file = SimulatedDisk().open("000005.ldb", create=True)
    >>> file.write_at(0, data)
    >>> table = Table(file, 5, len(data), BlockCache(1 << 20))
    >>> table.find(b"ape"), table.find(b"bee"), table.find(b"cow")
    ((1793, b'1'), (2048, b''), None)
    """

    __slots__ = (
        "_block_cache",
        "_separators",
        "directory",
        "file",
        "number",
        "places",
        "shelf",
        "size",
    )

    def __init__(self, file: File, number: int, size: int, block_cache: BlockCache) -> None:
        self.file = file
        self.number = number
        self.size = size
        self._block_cache = block_cache
        names, index = self._read_footer()
        self._separators = decode_whole(file, load_block(file, *index), index[0])
        self.places = np.empty((self._separators.size, 2), np.int64)
        wrong = int(list_handles(frozen(self._separators.values), self._separators.value_ends, names[0], self.places))
        if wrong >= 0:
            raise damage(file, index[0], f"it leads to block {wrong}, which does not lie before the names")
        self.shelf = Shelf(len(self.places))
        offsets = np.ascontiguousarray(self.places[:, 0])
        self.directory = lay_directory(self._separators, offsets, self._read_filters(names))

    def _read_footer(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return where the names and the index begin, and their sizes."""
        begin = self.size - FOOTER
        footer = self.file.read_at(begin, FOOTER) if begin >= 0 else b""
        path = self.file.path
        if len(footer) < FOOTER:
            raise CorruptDataError(
                f"{path}, byte {max(begin, 0)}: the file is too short to be a table of {self.size} bytes"
            )
        if int.from_bytes(footer[HANDLES:], "little") != MAGIC:
            raise CorruptDataError(f"{path}, byte {begin + HANDLES}: the mark of a table is missing: this is none")
        place, handles = 0, []
        for _ in range(2):
            handle, place = self._handle(footer[:HANDLES], place, begin)
            handles.append(handle)
        return handles[0], handles[1]

    def _handle(self, data: bytes, place: int, offset: int) -> tuple[tuple[int, int], int]:
        """Return where a block begins and its size, as they stand at a place in some data, and the place behind."""
        begin, place = decode_varint(data, place, 64, self.file.path, offset)
        size, place = decode_varint(data, place, 64, self.file.path, offset)
        if begin + size + TRAILER > self.size - FOOTER or size > MOST_BYTES:
            raise CorruptDataError(
                f"{self.file.path}, byte {offset}: it leads to a block of {size} bytes at {begin}, which does not lie "
                f"before the footer"
            )
        return (begin, size), place

    def _read_filters(self, names: tuple[int, int]) -> Bytes:
        """Return the filters, or nothing if there are none that are known here."""
        path, offset = self.file.path, names[0]
        data = load_block(self.file, *names, tag_size=0)
        place, name = 0, b""
        limit = len(data) - 4 - 4 * int.from_bytes(data[-4:], "little")
        while place < limit:
            shared, place = decode_varint(data, place, 32, path, offset)
            rest, place = decode_varint(data, place, 32, path, offset)
            value, place = decode_varint(data, place, 32, path, offset)
            name = name[:shared] + data[place : place + rest]
            place += rest + value
            if name == FILTER_NAME:
                (begin, size), _ = self._handle(data[place - value : place], 0, offset)
                content, here = read_sealed(self.file, np.array([[begin, size]]))
                filters = np.frombuffer(content, np.uint8)[: int(here[0, 1])]
                wrong = int(prove_filters(filters))
                if wrong >= 0:
                    raise damage(self.file, begin, f"the filters' begins do not increase, at its byte {wrong}")
                return filters
        return np.frombuffer(b"", np.uint8)

    def find(self, key: bytes, sequence: int = MAX_SEQUENCE) -> tuple[int, bytes] | None:
        """Return the tag and the value of the newest entry of a key as of a sequence number, or None.

        Parameters
        ----------
        key : bytes
        sequence : int
            No newer entry counts.

        Raises
        ------
        CorruptDataError
            If the block is damaged.
        """
        return find_in_tables(self.directory, (self,))(key, sequence << 8 | SEEK)

    def load(self, number: int) -> bytes:
        """Return a block from the file, and leave it in the cache; raises as `find` does."""
        block = load_block(self.file, *self.places[number].tolist())
        self._block_cache.put(self.shelf, number, block)
        return block

    def block(self, number: int) -> Entries:
        """Return the entries of a block, from the cache if it is there."""
        self.shelf.wanted[number] = 1
        block = self.shelf.blocks[number] or self.load(number)
        return decode_whole(self.file, block, int(self.places[number, 0]))

    def forget(self) -> None:
        """Give up what is in the cache: the table is not there any more."""
        self._block_cache.discard(self.shelf)

    def forwards(self, start: bytes = b"", step: int = 1) -> Iterator[Entries]:
        """Yield the entries whose keys are not less than one, so many blocks at once at first, and then more and more.

        Only a block that is read alone is taken from the cache or left there. Raises as `find` does.
        """
        number = find_first(self._separators, start, NEWEST_TAG)
        while number < len(self.places):
            if step == 1:
                entries = self.block(number)
                entries = part_of(entries, find_first(entries, start, NEWEST_TAG), entries.size)
            else:
                entries = load_entries(self.file, self.places[number : number + step])
            if entries.size:
                yield entries
            number, step = number + step, min(2 * step, MOST_AT_ONCE)

    def backwards(self, stop: bytes | None = None, step: int = 1) -> Iterator[Entries]:
        """Yield the entries whose keys are less than one, or all, as `forwards` does, but the last ones first.

        What is yielded at once is in order all the same.
        """
        past = len(self.places)
        if stop is not None:
            past = min(find_first(self._separators, stop, NEWEST_TAG) + 1, past)
        while past > 0:
            if step == 1:
                entries = self.block(past - 1)
                last = entries.size if stop is None else find_first(entries, stop, NEWEST_TAG)
                entries = part_of(entries, 0, last)
            else:
                entries = load_entries(self.file, self.places[max(past - step, 0) : past])
            if entries.size:
                yield entries
            past, step = past - step, min(2 * step, MOST_AT_ONCE)

    def pieces(self, size: int = READ_AT_ONCE) -> Iterator[Entries]:
        """Yield all entries, some blocks of about ``size`` bytes at once, past the cache; raises as `find` does."""
        ends = self.places.sum(axis=1) + TRAILER
        first = 0
        while first < len(ends):
            last = int(np.searchsorted(ends, self.places[first, 0] + size, side="right"))
            last = max(last, first + 1)
            yield load_entries(self.file, self.places[first:last])
            first = last

    def verify(self) -> Proved:
        """Prove all invariants, and return what there is.

        Raises
        ------
        CorruptDataError
            If one does not hold; the message names the file, a byte and the number of the invariant.
        """
        count, newest, smallest, largest = 0, 0, b"", b""
        before: tuple[bytes, int] | None = None
        for number, (separator, tag, _) in enumerate(unpack(self._separators)):
            offset, size = self.places[number].tolist()
            entries = decode_whole(self.file, load_block(self.file, offset, size), offset)
            if entries.size == 0 or first_disorder(entries) >= 0:
                raise damage(self.file, offset, "its keys are missing or out of order (invariant 2)")
            if (entries.tags & np.uint64(255)).max() > VALUE:
                raise damage(self.file, offset, "an entry is of an unknown kind (invariant 2)")
            first, last = version_at(entries, 0), version_at(entries, entries.size - 1)
            if before is not None and not before < first:
                raise damage(self.file, offset, "its keys do not follow those before (invariant 3)")
            before = (separator, -tag)
            if before < last:
                raise damage(self.file, offset, "its separator is before its last key (invariant 3)")
            if first_stopped(self.directory, number, entries) >= 0:
                raise damage(self.file, offset, "its filter stops one of its keys (invariant 4)")
            smallest, largest = smallest or internal_key_of(entries, 0), internal_key_of(entries, entries.size - 1)
            count, newest = count + entries.size, max(newest, int(entries.tags.max()) >> 8)
        return Proved(count, smallest, largest, newest)


def version_at(entries: Entries, number: int) -> tuple[bytes, int]:
    """Return by what an entry is in order: its key, and its tag, the highest first."""
    begin, end = entries.key_ends[number : number + 2]
    return entries.keys[begin:end].tobytes(), -int(entries.tags[number])
