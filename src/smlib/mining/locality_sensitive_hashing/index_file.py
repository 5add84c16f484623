"""An index in a file: what is in it, with a checksum over every byte, and nothing that a reader would have to believe.

::

    head        4 bytes    "smL1"
                4 bytes    values in a signature
                4 bytes    rows
                4 bytes    bands
                8 bytes    documents
                8 bytes    size of the keys
    keys        a document: 1 byte kind (0 integer, 1 text, 2 bytes), 4 bytes size, and the integer in two's complement,
                the text in UTF-8, or the bytes
    band keys   8 bytes a document, band by band
    checksum    4 bytes    CRC-32C of all before it

Numbers have their low byte first. The checksum is looked at before anything else; it is no signature, so whoever forges
a file can forge it too, and all sizes are proved all the same before memory is taken. Tables and chains are not stored:
they follow from the band keys.

The file is written beside its place, synced and then renamed: a crash leaves the old one or the new one.
"""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from smlib._core.hashing import crc32c
from smlib.errors import CorruptDataError, InputError
from smlib.mining.locality_sensitive_hashing.banding import BandKeys

MAGIC = b"smL1"
HEAD = struct.Struct("<4sIIIQQ")
KEY = struct.Struct("<BI")
CHECKSUM = struct.Struct("<I")
INTEGER, TEXT, BYTES = range(3)
# No signature is longer: what a file claims of it costs memory even where there are no documents.
MOST_HASHES = 1 << 16


class StoredIndex(NamedTuple):
    """What a file holds of an index; ``band_keys`` has a row a band."""

    num_hashes: int
    rows: int
    keys: list[Hashable]
    band_keys: BandKeys


def write_index(path: str | os.PathLike[str], index: StoredIndex) -> None:
    """Write an index in place of a file."""
    keys = b"".join(map(_encode_key, index.keys))
    bands, documents = index.band_keys.shape
    head = HEAD.pack(MAGIC, index.num_hashes, index.rows, bands, documents, len(keys))
    content = b"".join([head, keys, index.band_keys.astype("<u8", copy=False).tobytes()])
    _replace(Path(path), [content, CHECKSUM.pack(crc32c(content))])


def decode_index(blob: bytes, path: str | os.PathLike[str]) -> StoredIndex:
    """Return the index that a file's bytes hold, after they have been proved."""
    content = memoryview(blob)[: -CHECKSUM.size]
    if len(content) < HEAD.size or not blob.startswith(MAGIC):
        raise CorruptDataError(f"{path} is no index, or has lost its beginning: {MAGIC!r} should be its first bytes")
    if crc32c(content) != CHECKSUM.unpack(blob[-CHECKSUM.size :])[0]:
        raise CorruptDataError(f"{path} is damaged: its checksum is wrong")
    _, num_hashes, rows, bands, documents, key_bytes = HEAD.unpack_from(content)
    if not (rows and bands and rows * bands <= num_hashes <= MOST_HASHES):
        raise CorruptDataError(f"{path} is forged: it claims {bands} bands of {rows} rows of {num_hashes} values")
    if HEAD.size + key_bytes + 8 * bands * documents != len(content):
        raise CorruptDataError(f"{path} is forged: its {len(blob)} bytes are not what its head claims")
    keys = _decode_keys(content[HEAD.size : HEAD.size + key_bytes], path)
    if len(keys) != documents or len(set(keys)) != documents:
        raise CorruptDataError(f"{path} is forged: it has no key of its own for each of {documents} documents")
    values = np.frombuffer(content, "<u8", bands * documents, HEAD.size + key_bytes)
    return StoredIndex(num_hashes, rows, keys, values.reshape(bands, documents).astype(np.uint64))


def _encode_key(key: Hashable) -> bytes:
    if type(key) is int:
        kind, content = INTEGER, key.to_bytes(key.bit_length() // 8 + 1, "little", signed=True)
    elif type(key) is str:
        kind, content = TEXT, key.encode("utf-8", "surrogatepass")
    elif type(key) is bytes:
        kind, content = BYTES, key
    else:
        raise InputError(f"the key {key!r} is of type {type(key).__name__}; a file holds int, str and bytes")
    return KEY.pack(kind, len(content)) + content


def _decode_keys(blob: memoryview, path: str | os.PathLike[str]) -> list[Hashable]:
    keys: list[Hashable] = []
    position = 0
    while position < len(blob):
        if position + KEY.size > len(blob):
            raise CorruptDataError(f"{path} is forged: a key ends behind the keys")
        kind, size = KEY.unpack_from(blob, position)
        position += KEY.size
        content = bytes(blob[position : position + size])
        position += size
        if len(content) < size or kind > BYTES:
            raise CorruptDataError(f"{path} is forged: a key ends behind the keys, or is of no kind")
        if kind == INTEGER:
            keys.append(int.from_bytes(content, "little", signed=True))
        elif kind == BYTES:
            keys.append(content)
        else:
            try:
                keys.append(content.decode("utf-8", "surrogatepass"))
            except UnicodeDecodeError as error:
                raise CorruptDataError(f"{path} is forged: a key is no UTF-8") from error
    return keys


def _replace(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file beside its place, sync it, and put it there."""
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
