r"""The log: records one behind the other, of which a crash takes none but the last.

The problem. What a store has promised to keep must be on the disk before it says so, and to put every change where it
belongs would mean writing all over the disk. So changes are first written one behind the other into a log, which is
the fastest thing that a disk can do, and after a crash the log is read again. But the crash may have come in the midst
of a record. Where does the log end? And if a record is broken, was that the crash, which has only taken what nobody
was promised, or has the disk lost what it had said it kept?

The idea. A record has a header: a checksum, its size, and what it is. The file is cut into *blocks* of 32,768 bytes,
and a record that does not fit into the rest of its block is written in *fragments*, of which the first fills the block
and the next one begins the next block. So a reader who has lost his way finds it again where a block begins::

    fragment    checksum | size | kind | bytes            the checksum is masked, and covers the kind and the bytes
                    4        2      1     size            kind: 1 full, 2 first, 3 middle, 4 last

    block 0     | full: A | first: B                    |
    block 1     | middle: B, all the block              |
    block 2     | last: B    | full: C  | 00 00 00      |     fewer than 7 bytes are left: no header fits, so zeros
    block 3     | full: D ...

By hand. Records of 1000, 97270 and 8000 bytes. The first takes 7 + 1000 bytes of block 0. Of the second, a first
fragment has the other 31761 bytes (7 of them the header), a middle one 32768 in block 1, and 32755 + 7 bytes remain
for a last one in block 2, which leaves 6 bytes there: zeros. The third begins block 3, at byte 98304.

Where the log ends. A crash may leave of a record whatever it likes: its beginning, zeros where it should be, some of
its sectors and zeros between them. But it leaves all of those that were synced. So where every record is synced before
the next is added, what is not whole is the last record or is damaged, and it is the last one if no other begins behind
it. Who asks whether one does has to find it, though the size in the broken header may be wrong: `log_damage`.

Where records were added without waiting for a sync, a crash may have left a later one and taken an earlier one. What
it takes, it leaves as zeros, at least a sector's share of the record. ``read_log(file, synced=False)`` takes it for the
end of the log if a record is broken in this way, whatever follows; the records before it are those that were promised.

Invariants:
  1. What is read is what was added, in order, up to some record; all up to the last one if the file is as it was.
  2. If the file is cut off, or zeros follow, or a crash took a part of the last record, the records that are whole are
     read, and nothing is raised (but where the last record lost its header and kept a log that is in it).
  3. If a byte is changed, it was in the last record or behind it, or CorruptDataError names the file and the byte. So
     it is if any number of bytes are changed in one field of one fragment (checksum; size; kind and bytes), or if its
     header makes no sense then. Where a checksum is wrong as well as the size, and that leads past all the records of
     the last block, the log ends there.
  4. With ``synced=False`` the same holds for records of which no sector's share is all zeros.
  5. A fragment of a kind that is unknown, or out of its order, is damage wherever it is, if its checksum fits: no crash
     leaves such.

LevelDB reads and writes such logs, and ends them at the same places but for these: it passes over damage, up to the
next block, if it was not told to be paranoid; and it takes a size that leads behind the end of the file for the crash,
even where records follow.

Cost: 7 bytes a record, and 7 more for each block that it continues in; one write a record.

Google, *LevelDB log format*; Gray & Reuter, *Transaction Processing*, chapter 9; Pillai et al., "All file systems are
not created equal", *OSDI* (2014), for what crashes leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

from smlib._core.kernel import bind_types
from smlib._core.validate import as_bytes
from smlib._core.words import Bytes
from smlib.errors import CorruptDataError
from smlib.storage.filesystem import File
from smlib.storage.lsm.batches import encode_batch
from smlib.storage.lsm.fragments import (
    BLOCK,
    BROKEN,
    ENDED,
    FIRST,
    FULL,
    HEADER,
    LAST,
    MIDDLE,
    MISPLACED,
    UNKNOWN,
    header_of,
    scan_fragments,
)
from smlib.storage.lsm.internal_keys import DELETION, VALUE
from smlib.storage.lsm.log_damage import has_lost_sector, record_behind
from smlib.storage.lsm.mapped_log import store_change
from smlib.storage.packed_bytes import Numbers

# How many bytes are read at once, at first: some blocks.
CHUNK = 8 * BLOCK
# In place of the room in a block, after a write that failed.
FAILED = -BLOCK
WHAT_IS_WRONG = {
    UNKNOWN: "there is a record of a kind that is not known",
    MISPLACED: "there is a part of a record without the others",
}


class LogRecord(NamedTuple):
    """A record of a log.

    Attributes
    ----------
    offset, end : int
        Where its first fragment begins in the file, and its last one ends.
    payload : bytes
        What was added.
    """

    offset: int
    end: int
    payload: bytes


class LogWriter:
    """What adds records to a log.

    Parameters
    ----------
    file : File
    offset : int
        Where to begin: 0, or the end of the last record of a log that is to be gone on with. If the file is longer, cut
        it off there before.
    mapped : int
        So many bytes of the file are mapped into memory, if the system can do that, and records are stored there: that
        takes a tenth of the time of a write. Until `finish` the file is so long, with zeros behind the last record.

    Attributes
    ----------
    file : File
    offset : int
        Where the log ends.

    Notes
    -----
    Nothing is synced.

    Examples
    --------
    >>> from smlib.storage import SimulatedDisk
    >>> with SimulatedDisk().open("000003.log", create=True) as file:
    ...     log = LogWriter(file)
    ...     log.add(b"one")
    ...     log.add(b"two")
    ...     [record.payload for record in read_log(file)]
    [b'one', b'two']
    """

    __slots__ = ("_array", "_header", "_mapped", "_memory", "_room", "_store", "file", "offset")

    def __init__(self, file: File, offset: int = 0, *, mapped: int = 0) -> None:
        self.file = file
        self.offset = offset
        self._memory = file.map(mapped) if mapped else None
        self._mapped = len(self._memory or b"")
        self._array = np.frombuffer(self._memory or b"", np.uint8)
        self._store = bound_store() if self._mapped else None
        self._header = bound_header()
        # How many bytes a fragment can carry in the rest of the block.
        self._room = room_at(offset)

    def add(self, payload: bytes) -> None:
        """Add a record, by one write. If that fails, nothing was added, and a record may be added again."""
        if type(payload) is bytes and len(payload) <= self._room:
            data = int(self._header(payload, FULL)).to_bytes(HEADER, "little") + payload
            room = self._room - len(data)
        else:
            data = self._fragments(payload if type(payload) is bytes else bytes(as_bytes(payload)))
            room = room_at(self.offset + len(data))
        end = self.offset + len(data)
        if end <= self._mapped and self._memory is not None:
            self._memory[self.offset : end] = data
        else:
            self._room = FAILED
            self.file.write_at(self.offset, data)
        self.offset = end
        self._room = room

    def add_change(self, sequence: int, key: bytes, value: bytes | None) -> None:
        """Add the batch of one change, see `batches`; None takes the key out."""
        if self._store is not None and self._mapped:
            kind = DELETION if value is None else VALUE
            end = int(self._store(self._array, self.offset, sequence, kind, key, value or b""))
            if end > 0:
                self.offset = end
                self._room = BLOCK - end % BLOCK - HEADER
                return
        self.add(encode_batch(sequence, ((key, value),)))

    def finish(self) -> None:
        """Cut off the zeros behind the last record, if the file was mapped; nothing is added any more."""
        if self._mapped:
            self._unmap()
            self.file.truncate(self.offset)

    def _unmap(self) -> None:
        self._memory, self._mapped, self._array = None, 0, np.empty(0, np.uint8)

    def _fragments(self, payload: bytes) -> bytes:
        """Return a record in fragments, with the zeros before them; cut off what a failed write may have left."""
        if self._room == FAILED:
            self._unmap()
            self.file.truncate(self.offset)
        room = room_at(self.offset)
        parts = []
        if room < 0:
            parts.append(bytes(room + HEADER))
            room = BLOCK - HEADER
        kind, begin = FIRST, 0
        while len(payload) - begin > room:
            parts += self._fragment(payload[begin : begin + room], kind)
            kind, begin, room = MIDDLE, begin + room, BLOCK - HEADER
        parts += self._fragment(payload[begin:], FULL if kind == FIRST else LAST)
        return b"".join(parts)

    def _fragment(self, piece: bytes, kind: int) -> tuple[bytes, bytes]:
        return int(self._header(piece, kind)).to_bytes(HEADER, "little"), piece


class Header(Protocol):
    """What returns the header of a fragment as a number; see `header_of`."""

    def __call__(self, payload: bytes, kind: int, /) -> int:
        """Return the header."""


@cache
def bound_header() -> Header:
    """Return what `header_of` is compiled to."""
    return bind_types(header_of, b"", FULL)


@cache
def bound_store() -> Callable[..., int]:
    """Return what `store_change` is compiled to."""
    return bind_types(store_change, np.empty(1, np.uint8), 1, 1, 1, b"", b"")  # type: ignore[return-value]  # a number of Python's when compiled


def room_at(offset: int) -> int:
    """Return how many bytes a fragment can carry that begins at an offset; less than 0 if its header does not fit."""
    return BLOCK - offset % BLOCK - HEADER


def read_log(file: File, *, synced: bool = True) -> Iterator[LogRecord]:
    """Yield the records of a log, up to its end or to what a crash has left of the last one.

    Parameters
    ----------
    file : File
    synced : bool
        Whether each record was synced before the next was added. If not, the log ends at a record that has lost a
        sector, though others may follow.

    Yields
    ------
    LogRecord
        In the order in which they were added.

    Raises
    ------
    CorruptDataError
        A record is damaged, and not by a crash; those before it have been yielded. The message names the byte.

    Notes
    -----
    Complexity: O(n) for n bytes, of which a quarter of a megabyte is in memory, or the longest record.

    References
    ----------
    Google, *LevelDB log format*.

    Examples
    --------
    A crash in the midst of the second record:

    >>> from smlib.storage import SimulatedDisk
    >>> with SimulatedDisk().open("000003.log", create=True) as file:
    ...     LogWriter(file).add(b"one")
    ...     LogWriter(file, file.size()).add(b"two")
    ...     file.truncate(file.size() - 1)
    ...     list(read_log(file))
    [LogRecord(offset=0, end=10, payload=b'one')]
    """
    base = place = 0
    size = CHUNK
    payloads, numbers = room_for(size)
    while True:
        data = np.frombuffer(file.read_at(base, size), np.uint8)
        found, resume, stopped, why = map(int, scan_fragments(data, place, payloads, *numbers))
        if found:
            offsets, ends, payload_ends = (column[:found] for column in numbers)
            text = payloads[: payload_ends[-1]].tobytes()
            cuts = payload_ends.tolist()
            pieces = map(text.__getitem__, map(slice, [0, *cuts], cuts))
            yield from map(LogRecord._make, zip((offsets + base).tolist(), (ends + base).tolist(), pieces, strict=True))
        if why != ENDED:
            prove_end(file, base + stopped, why, synced)
            return
        if data.size < size:
            return
        done = resume // BLOCK * BLOCK
        base, place = base + done, resume - done
        if not done:
            # A record that is longer than what was read.
            size *= 2
            payloads, numbers = room_for(size)


def read_payloads(file: File, size: int, *, synced: bool = True) -> tuple[Bytes, Numbers]:
    """Return the bytes of all records in the first bytes of a log, one behind the other, and where each ends.

    Raises as `read_log` does, and takes as much memory as the log.
    """
    data = np.frombuffer(file.read_at(0, size), np.uint8)
    payloads, numbers = room_for(data.size)
    found, _, stopped, why = map(int, scan_fragments(data, 0, payloads, *numbers))
    if why != ENDED:
        prove_end(file, stopped, why, synced)
    ends = numbers[2, :found].copy()
    return payloads[: ends[-1] if found else 0], ends


def room_for(size: int) -> tuple[Bytes, Numbers]:
    """Return where `scan_fragments` puts the records of so many bytes."""
    return np.empty(size, np.uint8), np.empty((3, size // HEADER + 1), np.int64)


def prove_end(file: File, place: int, why: int, synced: bool) -> None:
    """Raise CorruptDataError if what is at a place, where no whole record is, cannot be what a crash has left."""
    if why != BROKEN:
        raise CorruptDataError(f"{file.path}, byte {place}: {WHAT_IS_WRONG[why]} (invariant 5)")
    behind = record_behind(file, place)
    if behind is not None and (synced or not has_lost_sector(file, place)):
        raise CorruptDataError(
            f"{file.path}, byte {place}: the record there is damaged, and another one follows at byte {behind} "
            f"(invariant 3)"
        )
