"""One change, straight into a log that is mapped into memory.

Most batches are one change, and to put together its record, in Python, takes longer than all that the disk has to do
with it. This kernel writes the header of the fragment, the batch and the change to where they belong, and then the
checksum over them. What does not fit into the rest of a block, or of the mapping, is left to `log.LogWriter.add`.

Invariants:
  1. What is written is what ``add(encode_batch(sequence, [(key, value)]))`` would write, or nothing.

Cost: O(bytes of the change).
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.words import Bytes
from smlib.storage.lsm.block_numbers import store_varint
from smlib.storage.lsm.checksums import masked_checksum
from smlib.storage.lsm.entries import at
from smlib.storage.lsm.fragments import BLOCK, FULL, HEADER, KIND, SIZE
from smlib.storage.lsm.internal_keys import VALUE
from smlib.storage.packed_bytes import Integer

# The sequence of a batch, and how many changes it has.
BATCH_HEAD = 12
# The kind of a change, and two sizes.
BESIDES = 11


@kernel(borrows=True, brief=True)
def store_change(memory: Bytes, offset: Integer, sequence: Integer, kind: Integer, key: bytes, value: bytes) -> Integer:
    """Write the record of a change at an offset; return where it ends, or -1 if it does not surely fit."""
    most = HEADER + BATCH_HEAD + BESIDES + len(key) + len(value)
    if offset % BLOCK + most > BLOCK or offset + most > memory.size:
        return np.int64(-1)
    begin = offset + HEADER
    for k in range(8):
        memory[begin + k] = (sequence >> (8 * k)) & 255
    memory[begin + 8] = 1
    memory[begin + 9] = memory[begin + 10] = memory[begin + 11] = 0
    memory[begin + 12] = kind
    place = store_varint(memory, at(begin + 13), len(key))
    place = store_bytes(memory, place, key)
    if kind == VALUE:
        place = store_varint(memory, place, len(value))
        place = store_bytes(memory, place, value)
    end = np.int64(place)
    memory[offset + SIZE] = (end - begin) & 255
    memory[offset + SIZE + 1] = (end - begin) >> 8
    memory[offset + KIND] = FULL
    checksum = np.int64(masked_checksum(memory[offset + KIND : end]))
    for k in range(4):
        memory[offset + k] = (checksum >> (8 * k)) & 255
    return end


@kernel(borrows=True)
def store_bytes(memory: Bytes, place: np.uint32, content: bytes) -> np.uint32:
    """Write bytes; return where they end."""
    for k in range(len(content)):
        memory[place + at(k)] = content[k]
    return at(place + at(len(content)))
