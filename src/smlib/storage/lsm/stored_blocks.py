"""Blocks as they are stored: sealed by a checksum, compressed or not; and how they are read and proved.

Behind every block in a file stand five bytes: the *kind*, which says how the block is compressed (0 not, 1 by Snappy),
and the masked checksum of the block and that byte (see `checksums`). A block that is read goes through three gates: its
checksum fits, it can be decompressed, and it keeps the invariants of a block. Only then kernels work on it that ask
nothing any more.

Invariants:
  1. What `load_block` and `load_entries` return was proved; whatever is wrong is told with the file and a byte.

Cost: a read, and O(bytes); the checksum at some 8 GB/s, the proof at 1 GB/s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.words import Bytes
from smlib.errors import CorruptDataError
from smlib.storage.filesystem import File
from smlib.storage.lsm.block_numbers import load_fixed
from smlib.storage.lsm.blocks import MOST_BYTES, WHAT_IS_WRONG, decode_blocks, prove_block, prove_blocks
from smlib.storage.lsm.checksums import masked_checksum
from smlib.storage.lsm.entries import Entries
from smlib.storage.lsm.internal_keys import TAG as TAG_SIZE
from smlib.storage.packed_bytes import Integer, Numbers

u64 = np.uint64

TRAILER = 5
PLAIN, SNAPPY = 0, 1
# Behind the keys that `decode_block` writes.
SLACK = 8


@kernel(borrows=True)
def list_checksums(data: Bytes, places: Numbers, checksums: NDArray[np.uint32]) -> None:
    """Write down what the checksum of each block and its kind should be."""
    for k in range(checksums.size):
        begin = places[k, 0]
        checksums[k] = np.uint32(masked_checksum(data[begin : begin + places[k, 1] + 1]))


@kernel(borrows=True)
def prove_stored(data: Bytes, tag_size: Integer) -> bool:
    """Return whether a block, with what is behind it, is whole and not compressed."""
    size = data.size - TRAILER
    if data[size] != PLAIN or u64(load_fixed(data, np.uint32(size + 1))) != masked_checksum(data[: size + 1]):
        return False
    return bool(prove_block(data[:size], tag_size)[0] == 0)


def seal_blocks(data: Bytes, places: Numbers, kinds: Bytes) -> None:
    """Write the kind and the checksum behind each of some blocks."""
    ends = places.sum(axis=1)
    data[ends] = kinds
    checksums = np.empty(len(places), "<u4")
    list_checksums(frozen(data), places, checksums)
    data[ends[:, np.newaxis] + np.arange(1, TRAILER)] = checksums.view(np.uint8).reshape(-1, 4)


def frozen(data: Bytes) -> Bytes:
    """Return an array that can't be written to: what is read from a file is of that kind, and kernels know one kind."""
    view = data.view()
    view.flags.writeable = False
    return view


def read_sealed(file: File, places: Numbers) -> tuple[bytes, Numbers]:
    """Return some blocks, decompressed, their checksums proved, and where each begins in that and its size.

    Parameters
    ----------
    file : File
    places : array of int64, shape (blocks, 2)
        Where each begins, and its size; they follow each other.

    Raises
    ------
    CorruptDataError
        The file ends within them, or a checksum does not fit, or one cannot be decompressed.
    """
    first = int(places[0, 0])
    end = int(places[-1].sum()) + TRAILER
    data = file.read_at(first, end - first)
    if len(data) < end - first:
        raise CorruptDataError(f"{file.path}, byte {first + len(data)}: the file ends there, within a block")
    array = np.frombuffer(data, np.uint8)
    here = places - np.array([first, 0])
    ends = here.sum(axis=1)
    checksums = np.empty(len(places), "<u4")
    list_checksums(array, here, checksums)
    stored = array[ends[:, np.newaxis] + np.arange(1, TRAILER)].view("<u4").ravel()
    if (stored != checksums).any():
        broken = int(np.argmax(stored != checksums))
        raise damage(file, int(places[broken, 0]), "its checksum does not fit")
    kinds = array[ends]
    if not kinds.any():
        return data, here
    return decompress(file, data, here, kinds, first)


def decompress(file: File, data: bytes, here: Numbers, kinds: Bytes, first: int) -> tuple[bytes, Numbers]:
    """Return blocks as `read_sealed` does."""
    from smlib.infotheory.snappy.decompression import snappy_decompress

    parts = []
    for (begin, size), kind in zip(here.tolist(), kinds.tolist(), strict=True):
        part = data[begin : begin + size]
        if kind == SNAPPY:
            try:
                part = snappy_decompress(part, max_size=MOST_BYTES)
            except CorruptDataError as error:
                raise damage(file, first + begin, f"it cannot be decompressed: {error}") from error
        elif kind != PLAIN:
            raise damage(file, first + begin, f"it is compressed in a way ({kind}) that is not known here")
        parts.append(part)
    sizes = np.fromiter(map(len, parts), np.int64, len(parts))
    return b"".join(parts), np.column_stack((np.cumsum(sizes) - sizes, sizes))


def load_entries(file: File, places: Numbers) -> Entries:
    """Return the entries of some blocks, all proved; raises as `read_sealed` does."""
    data, here = read_sealed(file, places)
    return decode(file, np.frombuffer(data, np.uint8), here, places)


def load_block(file: File, offset: int, size: int, tag_size: int = TAG_SIZE) -> bytes:
    """Return a block, proved; raises as `read_sealed` does. Its keys have a tag of so many bytes."""
    data = file.read_at(offset, size + TRAILER)
    if len(data) == size + TRAILER and prove_stored(np.frombuffer(data, np.uint8), tag_size):
        return data[:size]
    # It is compressed, or damaged, or both.
    places = np.array([[offset, size]])
    data, here = read_sealed(file, places)
    block = data[: int(here[0, 1])]
    require_whole(file, prove_blocks(np.frombuffer(block, np.uint8), here, tag_size), places)
    return block


def decode_whole(file: File, block: bytes, offset: int) -> Entries:
    """Return the entries of a block that `load_block` has returned."""
    places = np.array([[0, len(block)]])
    return decode(file, np.frombuffer(block, np.uint8), places, np.array([[offset, len(block)]]))


def decode(file: File, data: Bytes, here: Numbers, places: Numbers) -> Entries:
    """Return the entries of some blocks, which are proved first."""
    proof = prove_blocks(data, here, TAG_SIZE)
    require_whole(file, proof, places)
    count, key_bytes, value_bytes = map(int, proof[3:])
    if max(key_bytes, value_bytes) > MOST_BYTES - SLACK:
        raise damage(file, int(places[0, 0]), f"its keys would have {key_bytes} bytes and its values {value_bytes}")
    entries = Entries(
        np.empty(key_bytes + SLACK, np.uint8),
        np.zeros(count + 1, np.int64),
        np.empty(count, np.uint64),
        np.empty(value_bytes, np.uint8),
        np.zeros(count + 1, np.int64),
    )
    decode_blocks(data, here, entries)
    return entries._replace(keys=entries.keys[:key_bytes])


def require_whole(file: File, proof: tuple[Integer, ...], places: Numbers) -> None:
    """Raise CorruptDataError if a proof says that a block is damaged."""
    fault, number, position = map(int, proof[:3])
    if fault:
        raise damage(file, int(places[number, 0]), f"{WHAT_IS_WRONG[fault]}, at its byte {position}")


def damage(file: File, offset: int, what: str) -> CorruptDataError:
    """Return the error of a block that is not as it should be."""
    return CorruptDataError(f"{file.path}, byte {offset}: the block that begins there is damaged: {what}")
