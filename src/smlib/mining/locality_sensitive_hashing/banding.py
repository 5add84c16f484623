"""Bands: with what probability a pair meets in one, how many there should be, and the number that stands for each.

A band is compared by a 64-bit hash of its rows: two bands that differ have the same once in 2^64, which makes a
candidate that is none, and does no harm.
"""

from __future__ import annotations

from typing import Any, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.hashing import PRIME1, avalanche
from smlib._core.kernel import kernel
from smlib._core.validate import as_count, as_floats, as_number
from smlib.errors import InputError
from smlib.mining.min_hashing import Signatures

BandKeys: TypeAlias = NDArray[np.uint64]

u64 = np.uint64
# The integrals under the S-curve are sums over so many strips.
STRIPS = 1000
# `near_duplicates` takes as many rows as find a pair at the threshold with this probability.
RECALL = 0.99


def s_curve(
    bands: SupportsIndex, rows: SupportsIndex, similarity: ArrayLike | None = None
) -> float | NDArray[np.float64]:
    """Return the probability that a pair becomes a candidate, ``1 - (1 - s^rows)^bands``.

    Parameters
    ----------
    bands, rows : int
        A signature has ``bands`` bands of ``rows`` values each; at least 1.
    similarity : array_like, optional
        Probabilities from 0 to 1 with which two values agree; 0, 0.01, ... 1 if not given.

    Returns
    -------
    float or ndarray

    Raises
    ------
    InputError
        No band or no row; a similarity below 0 or above 1.

    Notes
    -----
    Complexity: O(1) a similarity.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.4.2.

    Examples
    --------
    >>> s_curve(20, 5, [0.2, 0.4, 0.6, 0.8]).round(4)
    array([0.0064, 0.186 , 0.8019, 0.9996])
    """
    number, height = as_positive(bands, "bands"), as_positive(rows, "rows")
    s = np.linspace(0.0, 1.0, 101) if similarity is None else as_floats(similarity, "similarity")
    if not ((s >= 0.0) & (s <= 1.0)).all():
        raise InputError("a similarity lies outside 0 to 1")
    chance = 1.0 - (1.0 - s**height) ** number
    return float(chance) if chance.ndim == 0 else chance


def as_positive(value: SupportsIndex, name: str) -> int:
    """Return an integer that is at least 1."""
    count = as_count(value, name)
    if count == 0:
        raise InputError(f"{name} is 0; it must be at least 1")
    return count


def as_threshold(value: float) -> float:
    """Return a similarity above 0, and 1 at most."""
    threshold = as_number(value, "threshold")
    if not 0.0 < threshold <= 1.0:
        raise InputError(f"threshold is {threshold}; it must be above 0, and 1 at most")
    return threshold


def balance_bands(num_hashes: int, threshold: float) -> tuple[int, int]:
    """Return the bands and rows that miss and find in vain least, if all similarities are equally frequent.

    What is minimised is the area under the S-curve below the threshold and the area above it from there on, as
    datasketch does.
    """
    s = (np.arange(STRIPS) + 0.5) / STRIPS
    below = s < threshold
    best = (np.inf, 1, 1)
    for rows in range(1, num_hashes + 1):
        missed = np.ones(STRIPS)
        factor = 1.0 - s**rows
        for bands in range(1, num_hashes // rows + 1):
            missed *= factor
            error = float(np.where(below, 1.0 - missed, missed).sum())
            best = min(best, (error, bands, rows))
    return best[1:]


def bands_that_find(num_hashes: int, threshold: float) -> tuple[int, int]:
    """Return the bands of most rows that find a pair at the threshold with a probability of 0.99 or more."""
    rows = np.arange(1, num_hashes + 1)
    found = np.flatnonzero(1.0 - (1.0 - threshold**rows) ** (num_hashes // rows) >= RECALL)
    best = int(rows[found[-1]]) if found.size else 1
    return num_hashes // best, best


def band_keys(signatures: Any, num_hashes: int, bands: int, rows: int) -> BandKeys:
    """Return a row a band: the 64-bit number of each signature's part; they are whole numbers of up to 32 bits."""
    array = np.asarray(signatures)
    if array.ndim != 2 or array.shape[1] != num_hashes or array.dtype.kind not in "biu":
        raise InputError(
            f"signatures has shape {array.shape} and type {array.dtype}; it must be rows of {num_hashes} whole numbers"
        )
    keys = np.empty((bands, len(array)), np.uint64)
    hash_bands(np.require(array.astype(np.uint32, copy=False), requirements=["C", "W"]), rows, keys)
    return keys


@kernel
def hash_bands(signatures: Signatures, rows: int, keys: BandKeys) -> None:
    """Write the number of each band of each signature."""
    for d in range(keys.shape[1]):
        signature = signatures[d]
        for band in range(keys.shape[0]):
            value = u64(band)
            for row in range(band * rows, (band + 1) * rows):
                value = u64((value ^ u64(signature[row])) * PRIME1)
                value ^= value >> u64(32)
            keys[band, d] = avalanche(value)
