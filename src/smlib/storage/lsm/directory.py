"""The directory: in which blocks a key may be, of all tables at once, asked by one kernel.

Who looks for a key asks one table after the other: the index which block it may be in, the filter whether it may be
there at all. Each question is answered in some nanoseconds; to go from table to table and to ask takes a hundred times
as long. So the indexes and the filters of all tables are laid into a few arrays, and one call asks them all.

The tables stand in *runs*: in a run they lie one behind the other, so that a key is in one of them at most. A run is a
row of *signposts* in order. A signpost has a key, and says: what is not behind this key, and behind the one of the
signpost before, is in that block, if anywhere::

    two tables of a run   5: blocks [ape bee] [cow dog]        6: blocks [hen]
    up to                 (ape)   bee       dog           (hen)    hen
    is in                 nothing 5, 0      5, 1          nothing  6, 0

Those in brackets lead nowhere: nothing is before the first key of a table, or between two. Such a signpost has the
first key of a table with a tag above all tags, so that it is before that key's every version.

Searching is bisection, by *heads* mostly, the first eight bytes of a key as a number, which lie closely packed. Then
the filter of the block is asked; if it lets the key pass, the answer is the block's code: the number of its table,
counted from the newest run on, and that of the block in it. Who finds nothing in that block asks again, from the next
run on.

Invariants:
  1. In each run signposts are in order, and there is one at least; the codes of tables increase from run to run.
  2. ``data`` has less than 4 GB; keys and filters lie in it.

Cost: O(runs * log(blocks)) to ask; some 60 bytes a block, its separator and its filter. To lay it is a copy of all
that.

Ghemawat & Dean, *LevelDB* (2011), "Implementation notes", for what is in memory; Petrov, *Database Internals*, chapter
7.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes
from smlib.errors import StorageError
from smlib.storage.lsm.bloom import hash_key, passes, place_of_filter
from smlib.storage.lsm.entries import NEWEST_TAG, Entries, Tags, key_at
from smlib.storage.lsm.internal_keys import TAG, user_key
from smlib.storage.packed_bytes import Integer, Numbers, compare, head_of

at, u64 = np.uint32, np.uint64

MOST_BYTES = (1 << 32) - 1
# What a row says of a signpost.
KEY_BEGIN, KEY_END, FILTER_BEGIN, FILTER_END, CODE = range(5)
NOWHERE = -1
# A code is the number of a table, shifted by so many bits, and that of a block.
BLOCK_BITS = 32


class Directory(NamedTuple):
    """Signposts, in runs.

    Attributes
    ----------
    heads : array of uint64
        The first 8 bytes of each signpost's key.
    tags : array of uint64
        Of each key the tag.
    rows : array of int64, shape (signposts, 5)
        Where each key begins and ends in the data, and the filter, or -1 if there is none; and the code of the block,
        or -1 if there is nothing.
    data : array of uint8
        Keys and filters.
    runs : array of int64, shape (runs + 1, 2)
        The first signpost and the number of the first table of each run, and how many there are of both.
    """

    heads: Tags
    tags: Tags
    rows: Numbers
    data: Bytes
    runs: Numbers


class Signposts(NamedTuple):
    """The directory of one table, and the first and the last of its keys, as the manifest has them."""

    directory: Directory
    smallest: bytes
    largest: bytes


def lay_directory(separators: Entries, offsets: Numbers, filters: Bytes) -> Directory:
    """Return the directory of a table, of the separators of its blocks, where these begin, and its filters, if any."""
    count = separators.size
    heads, rows = np.empty(count, np.uint64), np.empty((count, 5), np.int64)
    rows[:, KEY_BEGIN], rows[:, KEY_END] = separators.key_ends[:-1], separators.key_ends[1:]
    rows[:, CODE] = np.arange(count)
    list_signposts(separators, offsets, filters, heads, rows)
    data = np.concatenate((separators.keys, filters))
    return Directory(heads, separators.tags, rows, data, np.array([[0, 0], [count, 1]]))


@kernel(borrows=True)
def list_signposts(separators: Entries, offsets: Numbers, filters: Bytes, heads: Tags, rows: Numbers) -> None:
    """Write down the head of each separator, and where the filter of its block will lie, behind the separators."""
    keys = np.int64(separators.keys.size)
    for number in range(heads.size):
        begin, size = key_at(separators, number)
        heads[number] = head_of(separators.keys, begin, size)
        rows[number, FILTER_BEGIN] = rows[number, FILTER_END] = NOWHERE
        if filters.size > 0:
            begin_of_filter, end_of_filter = place_of_filter(filters, offsets[number])
            if begin_of_filter >= 0:
                rows[number, FILTER_BEGIN] = keys + begin_of_filter
                rows[number, FILTER_END] = keys + end_of_filter


def join_directories(runs: Sequence[Sequence[Signposts]]) -> Directory:
    """Return the directory of many tables, which are numbered as they come.

    Raises
    ------
    StorageError
        Keys and filters would have 4 GB or more.
    """
    tables = [signposts for run in runs for signposts in run]
    firsts, lasts = [user_key(table.smallest) for table in tables], [user_key(table.largest) for table in tables]
    # Of each table: its signposts, and one more before them; its keys and filters, and its first and last key before.
    counts = np.array([table.directory.heads.size + 1 for table in tables], np.int64)
    sizes = np.array([[len(first), len(last)] for first, last in zip(firsts, lasts, strict=True)], np.int64).reshape(
        -1, 2
    )
    own = np.array([table.directory.data.size for table in tables], np.int64)
    ends, places = np.cumsum(counts), np.cumsum(sizes.sum(axis=1) + own)
    if len(tables) and places[-1] > MOST_BYTES:
        raise StorageError(
            f"the indexes and filters of {len(tables)} tables have {places[-1]} bytes; they may have {MOST_BYTES}"
        )
    begins, begins_of_data = ends - counts, places - own
    gap = np.full((1, 5), NOWHERE)
    rows = np.concatenate([gap[:0], *(part for table in tables for part in (gap, table.directory.rows))])
    nowhere = rows == NOWHERE
    codes = np.arange(len(tables)) << BLOCK_BITS
    rows += np.repeat(np.column_stack([*[begins_of_data] * 4, codes]), counts, axis=0)
    rows[nowhere] = NOWHERE
    middles = begins_of_data - sizes[:, 1]
    rows[begins, :FILTER_BEGIN] = np.column_stack((middles - sizes[:, 0], middles))
    rows[ends - 1, :FILTER_BEGIN] = np.column_stack((middles, begins_of_data))
    one = np.array([NEWEST_TAG], np.uint64)
    heads = np.concatenate([one[:0], *(part for table in tables for part in (one, table.directory.heads))])
    tags = np.concatenate([one[:0], *(part for table in tables for part in (one, table.directory.tags))])
    heads[begins], heads[ends - 1] = list(map(head_of_bytes, firsts)), list(map(head_of_bytes, lasts))
    tags[ends - 1] = [tag_of(table.largest) for table in tables]
    pieces = zip(firsts, lasts, (table.directory.data.data for table in tables), strict=True)
    data = np.frombuffer(bytearray().join(chain.from_iterable(pieces)), np.uint8)
    tables_before = np.cumsum([0, *map(len, runs)])
    signposts_before = np.concatenate(([0], ends))[tables_before]
    return Directory(heads, tags, rows, data, np.column_stack((signposts_before, tables_before)))


def head_of_bytes(key: bytes) -> int:
    """Return what `head_of` does."""
    return int.from_bytes(key[:8].ljust(8, b"\0"), "big")


def tag_of(packed: bytes) -> int:
    """Return the tag of an internal key."""
    return int.from_bytes(packed[-TAG:], "little")


@kernel(borrows=True, brief=True)
def locate(directory: Directory, key: Bytes, tag: np.uint64, after: Integer) -> Integer:
    """Return the code of the next block that may have the newest entry of a key that is not before a tag, or -1.

    Only runs are asked whose tables all have numbers higher than ``after``.
    """
    size = at(len(key))
    head, hashed = head_of(key, at(0), size), hash_key(key, at(0), size)
    for run in range(directory.runs.shape[0] - 1):
        if directory.runs[run, 1] <= after:
            continue
        past = directory.runs[run + 1, 0]
        number = first_from_head(directory.heads, directory.runs[run, 0], past, head)
        if number < past and directory.heads[number] == head:
            number = first_from_key(directory, number, past, head, key, tag)
        if number < past:
            row = directory.rows[number]
            if row[CODE] >= 0 and (
                row[FILTER_BEGIN] < 0 or passes(directory.data, at(row[FILTER_BEGIN]), at(row[FILTER_END]), hashed)
            ):
                return np.int64(row[CODE])
    return np.int64(NOWHERE)


@kernel(borrows=True)
def first_from_head(heads: Tags, first: Integer, past: Integer, head: np.uint64) -> Integer:
    """Return the first of some signposts whose head is not less than one, or the one behind them; there is one."""
    low, count = first, past - first
    while count > 1:
        half = count >> 1
        # Which half is a matter of chance: the processor is given nothing to guess.
        low += half if heads[low + half - 1] < head else 0
        count -= half
    return low + 1 if heads[low] < head else low


@kernel(borrows=True)
def first_from_key(
    directory: Directory, first: Integer, past: Integer, head: np.uint64, key: Bytes, tag: np.uint64
) -> Integer:
    """Return the first of some signposts that is not before a key, whose head is known, and a tag; or `past`."""
    low, high = first, past
    while low < high:
        middle = (low + high) >> 1
        before = directory.heads[middle] < head
        if directory.heads[middle] == head:
            begin, end = directory.rows[middle, KEY_BEGIN], directory.rows[middle, KEY_END]
            order = compare(directory.data, at(begin), at(end - begin), key, at(0), at(len(key)))
            before = order < 0 or (order == 0 and directory.tags[middle] > tag)
        if before:
            low = middle + 1
        else:
            high = middle
    return low


@kernel(borrows=True)
def first_stopped(directory: Directory, block: Integer, entries: Entries) -> Integer:
    """Return the number of the first entry whose key the filter of a table's block stops, or -1."""
    begin, end = directory.rows[block, FILTER_BEGIN], directory.rows[block, FILTER_END]
    if begin >= 0:
        for number in range(entries.tags.size):
            key, size = key_at(entries, number)
            if not passes(directory.data, at(begin), at(end), hash_key(entries.keys, key, size)):
                return np.int64(number)
    return np.int64(NOWHERE)
