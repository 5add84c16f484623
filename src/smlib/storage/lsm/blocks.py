"""A block: entries in order, of whose keys only what is new is written.

Neighbours in the order of keys begin alike. So of each key a block holds how many bytes it *shares* with the one
before, and the rest. Before these come three sizes, each as a varint, and after them the value::

    shared size, rest size, value size, rest of the key, value

To read one key all before it would have to be read, so every 16th entry is a *restart*: it shares nothing. At the end
of the block stand the positions of all restarts, four bytes each, and how many there are. Who looks for a key finds by
bisection the last restart before it, and reads on from there, 16 entries at the most.

The keys in a block are *internal*: the user's key, and the 8 bytes of its tag (see `entries`), the lowest first. Here
are "ape" and "apple", written as numbers 7 and 8, with the values "1" and "2"::

    position   0  1  2  3  4  5  6  7  8  9 10 11 12 13 14
               00 0b 01 61 70 65 01 07 00 00 00 00 00 00 31        shares 0; "ape" and its tag are 11 bytes; "1"
              15 16 17 18 19 20 21 22 23 24 25 26 27 28 29
               02 0b 01 70 6c 65 01 08 00 00 00 00 00 00 32        shares "ap"; "ple" and its tag are 11 bytes; "2"
              30 31 32 33 34 35 36 37
               00 00 00 00 01 00 00 00                             the only restart is at 0

To find out how an entry's key compares with the one looked for, it need not be put together. It is enough to know in
how many bytes the two agree: if the next key shares more bytes than that with this one, it differs in the same place
and in the same way; otherwise its new bytes tell. So `seek` reads a block and writes nothing, and many threads may
read the same one.

What comes from a file is proved before it is used (`prove_block`), and nothing after it asks again.

Invariants, as `prove_block` counts what is wrong:
  1. There is a restart, and the restarts and their number fit into the block.
  2. Every entry ends before the restarts; its sizes are varints of at most 32 bits.
  3. An entry shares no more bytes than the key before it has, and its key has the 8 bytes of a tag.
  4. The first restart is the first entry; the restarts increase, and each is at an entry that shares nothing.

That keys increase is not asked here (a block that does not keep it leads to wrong answers, but nowhere else); who
decodes a block asks `entries.first_disorder`.

Cost: O(log n) to find the restart, O(16) to find the entry; O(bytes) to prove and to decode.

Graefe, "Modern B-Tree Techniques", *Foundations and Trends in Databases* 3 (2011), section 3.5, on leaving out what
keys share; the LevelDB documentation, "Table format".
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes, load_word
from smlib.storage.lsm.block_numbers import load_fixed, load_varint, prove_varint
from smlib.storage.lsm.entries import Entries
from smlib.storage.lsm.internal_keys import TAG as TAG_SIZE
from smlib.storage.packed_bytes import Integer, Numbers, compare, copy_bytes

at, u64 = np.uint32, np.uint64

RESTART_INTERVAL = 16
# Of a block and of a size in it.
MOST_BYTES = (1 << 31) - 1

WHAT_IS_WRONG = {
    1: "its restarts make no sense (invariant 1 of a block)",
    2: "an entry does not lie within it (invariant 2 of a block)",
    3: "an entry's key is not one (invariant 3 of a block)",
    4: "a restart is not at an entry that shares nothing (invariant 4 of a block)",
}


@kernel(borrows=True)
def restarts_of(block: Bytes) -> tuple[np.uint32, np.uint32]:
    """Return where the restarts begin, and how many there are."""
    count = load_fixed(block, at(len(block) - 4))
    return at(at(len(block) - 4) - at(4) * count), count


@kernel(borrows=True)
def load_sizes(block: Bytes, position: np.uint32) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Return the three sizes of an entry, and the position behind them."""
    shared, position = load_varint(block, position)
    rest, position = load_varint(block, position)
    value, position = load_varint(block, position)
    return at(shared), at(rest), at(value), position


@kernel(borrows=True)
def prove_block(block: Bytes, tag_size: Integer) -> tuple[Integer, Integer, Integer, Integer, Integer]:
    """Return 0 if a block keeps its invariants, else the number of one that it does not, and where.

    After these two: how many entries there are, how many bytes their keys have, without their last ``tag_size``, and
    how many their values.
    """
    size, count, key_bytes, value_bytes = np.int64(len(block)), np.int64(0), np.int64(0), np.int64(0)
    most = np.int64(MOST_BYTES)
    if size < 8 or size > most:
        return 1, 0, count, key_bytes, value_bytes
    number = np.int64(load_fixed(block, at(size - 4)))
    limit = size - 4 - 4 * number
    if number < 1 or limit < 0:
        return 1, size - 4, count, key_bytes, value_bytes
    position: Integer = np.int64(0)
    before, met = position, np.int64(0)
    while position < limit:
        begin = position
        shared, position = prove_varint(block, begin, limit, most)
        if position < 0:
            return 2, begin, count, key_bytes, value_bytes
        rest, position = prove_varint(block, position, limit, most)
        if position < 0:
            return 2, begin, count, key_bytes, value_bytes
        value, position = prove_varint(block, position, limit, most)
        if position < 0 or rest + value > limit - position:
            return 2, begin, count, key_bytes, value_bytes
        if shared > before or shared + rest < tag_size:
            return 3, begin, count, key_bytes, value_bytes
        if met < number and np.int64(load_fixed(block, at(limit + 4 * met))) == begin:
            met += 1
            if shared > 0:
                return 4, begin, count, key_bytes, value_bytes
        elif count == 0:
            return 4, limit, count, key_bytes, value_bytes
        before = shared + rest
        position += rest + value
        count, key_bytes, value_bytes = count + 1, key_bytes + before - tag_size, value_bytes + value
    if count == 0 and number == 1 and np.int64(load_fixed(block, at(limit))) == 0:
        met = number
    if met < number:
        return 4, limit + 4 * met, count, key_bytes, value_bytes
    return 0, 0, count, key_bytes, value_bytes


@kernel(borrows=True)
def restart_before(block: Bytes, key: Bytes, tag: np.uint64) -> np.uint32:
    """Return the position of the last restart whose entry is before a key and a tag, or that of the first one."""
    begin, count = restarts_of(block)
    low, high = at(0), at(count - at(1))
    while low < high:
        middle = at((low + high + at(1)) >> at(1))
        _, rest, _, position = load_sizes(block, load_fixed(block, at(begin + at(4) * middle)))
        size = at(rest - at(TAG_SIZE))
        order = compare(block, position, size, key, at(0), at(len(key)))
        if order < 0 or (order == 0 and load_word(block, at(position + size)) > tag):
            low = middle
        else:
            high = at(middle - at(1))
    return load_fixed(block, at(begin + at(4) * low))


@kernel(borrows=True)
def load_tag(
    block: Bytes, origin: np.uint32, begin: np.uint32, end: np.uint32, from_byte: np.uint32, before: np.uint64
) -> np.uint64:
    """Return the 8 bytes of a key from byte ``begin`` on.

    The first ``from_byte`` of them are those of the word ``before``, the others lie in the block, byte i of the key at
    ``origin`` + i; those behind the key's end are left out.
    """
    if from_byte == at(0) and begin + at(8) <= end:
        return load_word(block, at(origin + begin))
    word = before
    for k in range(np.int64(from_byte), np.int64(min(at(end - begin), at(8)))):
        shift = u64(8 * k)
        word = word & ~(u64(255) << shift) | u64(block[at(origin + begin + at(k))]) << shift
    return word


@kernel(borrows=True)
def seek(block: Bytes, key: Bytes, tag: np.uint64) -> tuple[Integer, np.uint64, bool]:
    """Find the first entry that is not before a key and a tag.

    Returns where its value lies, as its position times 2^32 plus its size, or -1 if there is no such entry; its tag, if
    it is of this key; and whether it is.
    """
    limit, _ = restarts_of(block)
    size = at(len(key))
    position = restart_before(block, key, tag)
    # Of the key before: in how many bytes it agrees with the one looked for, the byte after those, and the 8 bytes
    # that begin where the one looked for ends.
    common, byte, word = at(0), at(0), u64(0)
    while position < limit:
        shared, rest, value, position = load_sizes(block, position)
        total = at(shared + rest)
        origin = at(position - shared)
        if shared <= common:
            common = shared
            while common < total and common < size and block[at(origin + common)] == key[common]:
                common = at(common + at(1))
            if common < total:
                byte = at(block[at(origin + common)])
            if common == size:
                word = load_tag(block, origin, size, total, at(0), word)
        elif common == size and shared < size + at(8):
            word = load_tag(block, origin, size, total, at(shared - size), word)
        own = at(total - at(TAG_SIZE))
        position = at(position + rest)
        if common == size and own >= size:
            if own > size or word <= tag:
                return np.int64(position) << 32 | np.int64(value), word, own == size
        elif common < own and byte > at(key[common]):
            return np.int64(position) << 32 | np.int64(value), u64(0), False
        position = at(position + value)
    return np.int64(-1), u64(0), False


@kernel(borrows=True)
def decode_block(block: Bytes, entries: Entries, first: Integer) -> Integer:
    """Write the entries of a block that was proved into arrays, from entry number ``first`` on; return the next number.

    The keys' array has 8 bytes more than the keys take: each is written with its tag, and the next one over that.
    """
    keys, number = entries.keys, first
    limit, _ = restarts_of(block)
    position = at(0)
    begin, size, tag = at(0), at(0), u64(0)
    while position < limit:
        shared, rest, value, position = load_sizes(block, position)
        own = at(entries.key_ends[number])
        copy_bytes(keys, begin, keys, own, min(shared, size))
        for k in range(np.int64(size), np.int64(shared)):
            keys[own + at(k)] = np.uint8((tag >> u64(8 * (k - np.int64(size)))) & u64(255))
        copy_bytes(block, position, keys, at(own + shared), rest)
        begin, size = own, at(shared + rest - at(TAG_SIZE))
        tag = load_word(keys, at(begin + size))
        entries.tags[number] = tag
        entries.key_ends[number + 1] = np.int64(at(begin + size))
        place = at(entries.value_ends[number])
        copy_bytes(block, at(position + rest), entries.values, place, value)
        entries.value_ends[number + 1] = np.int64(at(place + value))
        position = at(position + rest + value)
        number += 1
    return number


@kernel(borrows=True)
def prove_blocks(data: Bytes, places: Numbers, tag_size: Integer) -> tuple[Integer, ...]:
    """Return 0 if all of some blocks keep their invariants, else as `prove_block` does, after the block's number.

    The last three are the sums over all blocks.
    """
    count: Integer = np.int64(0)
    key_bytes, value_bytes = count, count
    for number in range(places.shape[0]):
        begin = places[number, 0]
        fault, position, entries, keys, values = prove_block(data[begin : begin + places[number, 1]], tag_size)
        if fault > 0:
            return fault, number, position, count, key_bytes, value_bytes
        count, key_bytes, value_bytes = count + entries, key_bytes + keys, value_bytes + values
    return 0, 0, 0, count, key_bytes, value_bytes


@kernel(borrows=True)
def decode_blocks(data: Bytes, places: Numbers, entries: Entries) -> None:
    """Write the entries of blocks that were proved into arrays."""
    number: Integer = np.int64(0)
    for k in range(places.shape[0]):
        begin = places[k, 0]
        number = decode_block(data[begin : begin + places[k, 1]], entries, number)
