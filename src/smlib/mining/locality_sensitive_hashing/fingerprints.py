"""SimHash: 64 bits of a text, of which two texts have the more in common the smaller the angle between them is.

Count how often each shingle occurs in a text, and take the counts for a vector, an axis a shingle. A random plane
through the origin has the vector on one side or the other, which makes a bit. To draw a plane is to draw a number for
each axis, and +1 or -1 will do: the 64 bits of a shingle's hash are its coordinates for 64 planes (Charikar)::

    shingle      count    hash           a bit adds its count if it is 1, and takes it away if it is 0
    the dog        2      1 0 1 1           2  -2   2   2
    dog bit        1      0 0 1 0          -1  -1   1  -1
    bit the        1      1 1 0 0           1   1  -1  -1
                                            2  -2   2   0     sums
                                            1   0   1   0     fingerprint: where the sum is above 0

Two fingerprints differ in a bit with the probability angle / pi. It is not exact, as the coordinates are no Gaussians;
the more shingles there are, the nearer it comes.

Cost: O(64) a shingle; 8 bytes a text.

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.7.2; Charikar, "Similarity estimation techniques
from rounding algorithms", *STOC* (2002); Manku, Jain & Das Sarma, "Detecting near-duplicates for web crawling", *WWW*
(2007).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.hashing import avalanche
from smlib._core.kernel import kernel
from smlib._core.validate import Vector, as_floats, require_finite
from smlib.errors import InputError
from smlib.mining.shingling import Hashes, Offsets, Shingles, Text, Unit, as_shingles, as_width

u64 = np.uint64
BITS = 64


class SimHasher:
    """Fingerprints of 64 bits for texts, of which near ones are near in Hamming distance.

    Parameters
    ----------
    rng : Generator, int or None
        Where the key is drawn from that stirs the hashes. Fingerprints can be compared if they have the same.
    width, unit
        Of the shingles, see `shingle_hashes`.

    Attributes
    ----------
    key : int
        The 64 bits with which hashes are stirred.

    Raises
    ------
    InputError
        ``width`` or ``unit`` are not as they must be.

    References
    ----------
    Charikar, "Similarity estimation techniques from rounding algorithms", *STOC* (2002).

    Examples
    --------
    >>> hasher = SimHasher(rng=1, width=1)
    >>> text = "the quick brown fox jumps over the lazy dog and runs into the dark wood"
    >>> one, near, far = hasher.fingerprints([text, text.replace("dark", "deep"), "to be or not to be that is here"])
    >>> int(hamming_distance(one, near)), int(hamming_distance(one, far))
    (5, 33)
    """

    def __init__(
        self, rng: np.random.Generator | int | None = None, *, width: SupportsIndex = 5, unit: Unit = "words"
    ) -> None:
        self.width, self.unit = as_width(width, unit), unit
        self.key = int(np.random.default_rng(rng).integers(0, 2**64, dtype=np.uint64))

    def fingerprints(
        self, documents: Iterable[Text] | Shingles, weights: ArrayLike | None = None
    ) -> NDArray[np.uint64]:
        """Return the fingerprint of each document.

        Parameters
        ----------
        documents : iterable of str or bytes-like, or Shingles
            Texts, or hashes of any elements.
        weights : array_like, optional
            How much each shingle counts, in their order; 1 if not given, so that one that comes twice counts 2.

        Returns
        -------
        ndarray of uint64, shape (documents,)
            That of a document without shingles is 0.

        Raises
        ------
        InputError
            A document is not text; weights that are not finite, or not one a shingle.

        Notes
        -----
        Complexity: O(64 n) for n shingles.
        """
        hashes, offsets = as_shingles(documents, self.width, self.unit)
        amounts = np.ones(hashes.size) if weights is None else as_floats(weights, "weights")
        if amounts.shape != hashes.shape:
            raise InputError(f"weights has shape {amounts.shape}, and there are {hashes.size} shingles: one each")
        require_finite(amounts, "weights")
        fingerprints = np.empty(offsets.size - 1, np.uint64)
        vote_all(hashes, offsets, amounts, u64(self.key), np.empty(BITS), fingerprints)
        return fingerprints


def hamming_distance(first: ArrayLike, second: ArrayLike) -> NDArray[np.uint8]:
    """Return in how many of 64 bits fingerprints differ; many on either side broadcast.

    Parameters
    ----------
    first, second : array_like of uint64
        Of one `SimHasher`.

    Returns
    -------
    ndarray of uint8
        From 0 to 64; 64 times the angle over pi is to be expected.

    Notes
    -----
    Complexity: O(1) a pair.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.5.6.

    Examples
    --------
    >>> hamming_distance([0b1011, 0b0000], 0b1110)
    array([2, 3], dtype=uint8)
    """
    differing: NDArray[np.uint8] = np.bitwise_count(np.asarray(first, np.uint64) ^ np.asarray(second, np.uint64))
    return differing


@kernel
def vote_all(
    hashes: Hashes, offsets: Offsets, weights: Vector, key: np.uint64, sums: Vector, fingerprints: Hashes
) -> None:
    """Let the shingles of each document vote on its bits; ``sums`` has room for 64 numbers."""
    for d in range(fingerprints.size):
        sums[:] = 0.0
        for i in range(offsets[d], offsets[d + 1]):
            vote(sums, avalanche(hashes[i] ^ key), weights[i])
        bits = u64(0)
        for bit in range(BITS):
            bits |= u64(sums[bit] > 0.0) << u64(bit)
        fingerprints[d] = bits


@kernel
def vote(sums: Vector, hashed: np.uint64, weight: float) -> None:
    """Add a weight to the sums of the bits that are 1, and take it from the others."""
    for bit in range(BITS):
        sums[bit] += weight * (2.0 * float((hashed >> u64(bit)) & u64(1)) - 1.0)
