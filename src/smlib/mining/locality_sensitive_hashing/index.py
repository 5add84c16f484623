"""An index of signatures that grows and shrinks, and answers which documents may be like one that is shown.

The tables are those of `band_tables`, a row of arrays a band. A document has a number, its place in these arrays; its
key is the user's. One that is removed keeps its place, and is left out of answers; when half of the places are of such
documents, all is written anew. So an insertion costs O(bands) on the average, whatever came before.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from smlib.errors import InputError
from smlib.mining.locality_sensitive_hashing.band_tables import NOBODY, link_all, look_up, slots_for
from smlib.mining.locality_sensitive_hashing.banding import (
    BandKeys,
    as_positive,
    as_threshold,
    balance_bands,
    band_keys,
)
from smlib.mining.locality_sensitive_hashing.index_file import MOST_HASHES, StoredIndex, decode_index, write_index

FEWEST = 16
REMOVED = object()


class LSHIndex:
    """An index of signatures: it tells the documents that agree with a signature in some whole band.

    Parameters
    ----------
    num_hashes : int
        The length of the signatures.
    threshold : float, optional
        From which similarity on documents shall be found: above 0, and 1 at most. Bands and rows are chosen so that the
        two areas between the S-curve and a step at the threshold are smallest (0.8 and 128 hashes: 9 bands of 13 rows,
        which find a pair of similarity 0.8 with probability 0.4, and of 0.9 with 0.93). Give this or the next two.
    bands, rows : int, optional
        How a signature is cut; ``bands * rows`` is ``num_hashes`` or less, and what is left over is not used.

    Attributes
    ----------
    num_hashes, bands, rows : int
        As they are used.

    Raises
    ------
    InputError
        Neither a threshold nor bands and rows, or both; more values in bands than there are.

    Notes
    -----
    Signatures are rows of whole numbers of up to 32 bits: of a `MinHasher`, or the bits of `RandomHyperplanes`. Answers
    are candidates: some of them are less alike than the threshold, and of those above it some are missing (`s_curve`).

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.4.

    Examples
    --------
    >>> from smlib.mining import MinHasher
    >>> hasher = MinHasher(rng=1, width=2)
    >>> dog, cat, other = hasher.signatures(["the dog bit the man", "the cat sat", "the dog bit the man today"])
    >>> index = LSHIndex(128, bands=32, rows=4)
    >>> index.insert("dog", dog)
    >>> index.insert("cat", cat)
    >>> index.query(other)
    ['dog']
    """

    def __init__(
        self,
        num_hashes: SupportsIndex = 128,
        threshold: float | None = None,
        *,
        bands: SupportsIndex | None = None,
        rows: SupportsIndex | None = None,
    ) -> None:
        self.num_hashes = as_positive(num_hashes, "num_hashes")
        if self.num_hashes > MOST_HASHES:
            raise InputError(f"num_hashes is {self.num_hashes}; an index takes signatures of up to {MOST_HASHES}")
        if threshold is not None and bands is None and rows is None:
            self.bands, self.rows = balance_bands(self.num_hashes, as_threshold(threshold))
        elif threshold is None and bands is not None and rows is not None:
            self.bands, self.rows = as_positive(bands, "bands"), as_positive(rows, "rows")
        else:
            raise InputError("pass threshold, or bands and rows: one of the two")
        if self.bands * self.rows > self.num_hashes:
            raise InputError(f"{self.bands} bands of {self.rows} rows need more than {self.num_hashes} values")
        self._start(FEWEST)

    def _start(self, room: int) -> None:
        self._keys: list[Hashable] = []
        self._numbers: dict[Hashable, int] = {}
        self._band_keys = np.empty((self.bands, room), np.uint64)
        self._links = np.empty((self.bands, room), np.int32)
        self._slots = np.full((self.bands, slots_for(room)), NOBODY, np.int32)
        self._found = np.empty(FEWEST, np.int32)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._numbers

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._numbers)

    def __repr__(self) -> str:
        return f"<LSHIndex of {len(self)} signatures, {self.bands} bands of {self.rows} rows>"

    def insert(self, key: Hashable, signature: ArrayLike) -> None:
        """Add a document.

        Parameters
        ----------
        key : hashable
            What `query` shall answer. To `save` an index all keys must be int, str or bytes.
        signature : array_like, shape (num_hashes,)

        Raises
        ------
        InputError
            The key is there already, or the signature has another length.

        Notes
        -----
        Complexity: O(num_hashes) on the average.
        """
        self.insert_many([key], np.asarray(signature)[np.newaxis])

    def insert_many(self, keys: Iterable[Hashable], signatures: ArrayLike) -> None:
        """Add documents, all of them or none.

        Parameters
        ----------
        keys : iterable of hashable
            One a signature.
        signatures : array_like, shape (n, num_hashes)

        Raises
        ------
        InputError
            A key is there already, or twice; there are more keys than signatures, or fewer.

        Notes
        -----
        Complexity: O(n num_hashes) on the average.
        """
        new, rows = list(keys), band_keys(signatures, self.num_hashes, self.bands, self.rows)
        if len(new) != rows.shape[1]:
            raise InputError(f"there are {len(new)} keys and {rows.shape[1]} signatures; each needs the other")
        numbers: dict[Hashable, int] = {}
        for number, key in enumerate(new, len(self._keys)):
            if key in self._numbers or key in numbers:
                where = "is in the index already" if key in self._numbers else "comes twice"
                raise InputError(f"the key {key!r} {where}; each document needs its own")
            numbers[key] = number
        self._append(new, numbers, rows)

    def _append(self, keys: list[Hashable], numbers: dict[Hashable, int], rows: BandKeys) -> None:
        first, last = len(self._keys), len(self._keys) + len(keys)
        if last > self._band_keys.shape[1]:
            room = max(2 * self._band_keys.shape[1], last)
            more = np.empty((self.bands, room), np.uint64)
            more[:, :first] = self._band_keys[:, :first]
            self._band_keys, self._links = more, np.empty((self.bands, room), np.int32)
            self._slots = np.full((self.bands, slots_for(room)), NOBODY, np.int32)
            link_all(self._band_keys, 0, first, self._slots, self._links)
        self._band_keys[:, first:last] = rows
        link_all(self._band_keys, first, last, self._slots, self._links)
        self._keys += keys
        self._numbers |= numbers

    def query(self, signature: ArrayLike) -> list[Hashable]:
        """Return the keys of the documents that agree with a signature in some band, in the order of their insertion.

        Parameters
        ----------
        signature : array_like, shape (num_hashes,)

        Raises
        ------
        InputError
            The signature has another length.

        Notes
        -----
        Complexity: O(num_hashes), and O(bands) a document found.
        """
        row = np.asarray(signature)[np.newaxis]
        sought = np.ascontiguousarray(band_keys(row, self.num_hashes, self.bands, self.rows)[:, 0])
        while True:
            count = look_up(self._band_keys, self._slots, self._links, sought, self._found)
            if count <= self._found.size:
                break
            self._found = np.empty(2 * count, np.int32)
        keys = (self._keys[number] for number in np.sort(self._found[:count]).tolist())
        return [key for key in keys if key is not REMOVED]

    def remove(self, key: Hashable) -> None:
        """Take a document out.

        Raises
        ------
        KeyError
            It is not there.

        Notes
        -----
        Complexity: O(bands) on the average.
        """
        self._keys[self._numbers.pop(key)] = REMOVED
        if len(self._keys) > max(2 * len(self._numbers), FEWEST):
            stored = self._stored()
            self._start(max(len(stored.keys), FEWEST))
            self._append(stored.keys, {key: number for number, key in enumerate(stored.keys)}, stored.band_keys)

    def _stored(self) -> StoredIndex:
        alive = np.fromiter(self._numbers.values(), np.int64, len(self._numbers))
        keys = np.ascontiguousarray(self._band_keys[:, alive])
        return StoredIndex(self.num_hashes, self.rows, list(self._numbers), keys)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index into a file, which takes the place of one that is there when all is written.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        InputError
            A key is no int, str or bytes.
        OSError
            The file cannot be written; what was there before is there still.

        Notes
        -----
        Complexity: O(n bands).
        """
        write_index(path, self._stored())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LSHIndex:
        """Return the index that is in a file.

        Parameters
        ----------
        path : str or path-like
            What `save` wrote; it is not trusted.

        Raises
        ------
        CorruptDataError
            The file is damaged, cut short, or of another kind.
        OSError
            It cannot be read.

        Notes
        -----
        Complexity: O(n bands).
        """
        stored = decode_index(Path(path).read_bytes(), path)
        index = cls(stored.num_hashes, bands=len(stored.band_keys), rows=stored.rows)
        index._start(max(len(stored.keys), FEWEST))
        index._append(stored.keys, {key: number for number, key in enumerate(stored.keys)}, stored.band_keys)
        return index
