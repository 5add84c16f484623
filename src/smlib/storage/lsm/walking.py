"""Walking: several streams of entries become one, in order, with the newest version of each key.

A walk over an LSM-tree looks into the memtable and into a number of files at once. Each of them is a *stream*: it gives
out its entries in order, some at a time, which is a *chunk*. Of each stream one chunk is looked at. What can be given
out are the keys up to the least of the chunks' last ones: no chunk that comes later has any of them::

    memtable   [ ape  cow  fox ]  ...
    a file     [ bee  cow  cow  dog ]  ...        least last key: dog        ape bee cow dog are merged and given out
    another    [ ape  eel  hen ]  ...                                        left: [ fox ]  [ ]  [ eel hen ]

The stream that has nothing left is asked for its next chunk. Backwards it is the other way round, with one difference:
the versions of a key come newest first, so a chunk may begin in their midst, and the newest ones lie in the chunk that
is not there yet. So the first key of a chunk is left where it is until that one has come.

Newer streams come first, and hide what older ones say about the same key; a deletion hides it and is not given out.

Invariants:
  1. What is given out is in order, and has each key once at most.
  2. Of each key it is the version of the first stream that has it, and in that the first one.

Cost: that of merging, see `merging`; a round for each chunk.

Knuth, *The Art of Computer Programming* 3, section 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from smlib._core.kernel import kernel
from smlib.storage.lsm.entries import NEWEST_TAG, Entries, concatenate, find_first, key_at, part_of, u64
from smlib.storage.lsm.internal_keys import VALUE
from smlib.storage.lsm.merging import merge_entries
from smlib.storage.packed_bytes import compare


class Stream:
    """Chunks of entries, none of them empty, and what is left of the one that has come last.

    Attributes
    ----------
    chunk : Entries
        What is left.
    ended : bool
        Whether no other chunk will come.
    """

    __slots__ = ("_chunks", "chunk", "ended")

    def __init__(self, chunks: Iterator[Entries], chunk: Entries) -> None:
        self._chunks = chunks
        self.chunk = chunk
        self.ended = False

    def next(self) -> Entries | None:
        """Return the next chunk, or None at the end."""
        chunk = next(self._chunks, None)
        self.ended = chunk is None
        return chunk


def open_streams(sources: Iterable[Iterator[Entries]]) -> list[Stream]:
    """Return streams that have their first chunk; those without any are left out."""
    firsts = ((chunks, next(chunks, None)) for chunks in sources)
    return [Stream(chunks, chunk) for chunks, chunk in firsts if chunk is not None]


def merge_forwards(sources: Sequence[Iterator[Entries]]) -> Iterator[Entries]:
    """Yield what sources have, in order; newer sources first, deletions hide and are not given out."""
    streams = open_streams(sources)
    while streams:
        if len(streams) == 1:
            yield from walk_alone(streams[0])
            return
        bound = min(last_key(stream.chunk) for stream in streams) + b"\0"
        parts = []
        for stream in streams:
            cut = find_first(stream.chunk, bound, NEWEST_TAG)
            parts.append(part_of(stream.chunk, 0, cut))
            stream.chunk = part_of(stream.chunk, cut, stream.chunk.size)
            while not stream.chunk.size and not stream.ended:
                chunk = stream.next()
                if chunk is not None:
                    # It may go on with older versions of the last key.
                    stream.chunk = part_of(chunk, find_first(chunk, bound, NEWEST_TAG), chunk.size)
        streams = [stream for stream in streams if stream.chunk.size]
        merged = merge_entries(parts, drop_deletions=True)
        if merged.size:
            yield merged


def walk_alone(stream: Stream) -> Iterator[Entries]:
    """Yield what one stream has left, in order; where each key is there once and no key is deleted, as it is."""
    chunk: Entries | None = stream.chunk
    while chunk is not None:
        visible = chunk if is_plain(chunk) else merge_entries([chunk], drop_deletions=True)
        if visible.size:
            yield visible
        last = last_key(chunk)
        chunk = stream.next()
        while chunk is not None and first_key(chunk) == last:
            chunk = part_of(chunk, find_first(chunk, last + b"\0", NEWEST_TAG), chunk.size)
            if not chunk.size:
                chunk = stream.next()


@kernel(borrows=True)
def is_plain(entries: Entries) -> bool:
    """Return whether entries are all values, each of another key."""
    for number in range(entries.tags.size):
        if entries.tags[number] & u64(255) != VALUE:
            return False
        if number > 0:
            begin, size = key_at(entries, number - 1)
            other_begin, other_size = key_at(entries, number)
            if compare(entries.keys, begin, size, entries.keys, other_begin, other_size) == 0:
                return False
    return True


def merge_backwards(sources: Sequence[Iterator[Entries]]) -> Iterator[Entries]:
    """Yield the same from the end on; what is in a chunk is in order all the same."""
    streams = open_streams(sources)
    while streams:
        bound = max((first_key(stream.chunk) for stream in streams if not stream.ended), default=None)
        parts = []
        for stream in streams:
            cut = 0 if bound is None else find_first(stream.chunk, bound + b"\0", NEWEST_TAG)
            parts.append(part_of(stream.chunk, cut, stream.chunk.size))
            stream.chunk = part_of(stream.chunk, 0, cut)
            if not stream.ended and first_key(stream.chunk) == bound:
                chunk = stream.next()
                if chunk is not None:
                    stream.chunk = concatenate([chunk, stream.chunk])
        streams = [stream for stream in streams if stream.chunk.size]
        merged = merge_entries(parts, drop_deletions=True)
        if merged.size:
            yield merged


def first_key(entries: Entries) -> bytes:
    """Return the first key of entries, of which there is one at least."""
    return entries.keys[: entries.key_ends[1]].tobytes()


def last_key(entries: Entries) -> bytes:
    """Return the last key of entries, of which there is one at least."""
    return entries.keys[entries.key_ends[-2] :].tobytes()
