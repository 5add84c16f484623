"""From texts to the pairs that are nearly equal: shingles, signatures, bands, and a look at the candidates' sets.

Texts with equal shingles in equal order count as one until the end: that many of them are equal is the usual thing in
the wild, and m equal ones must not be compared m^2 times. What has to be said of them is said at the end, pair by pair.

A candidate is verified on its sets. Those are sorted, and what two have in common is counted in one walk along both, as
two sorted piles are merged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from smlib._core.hashing import PRIME1, avalanche
from smlib._core.kernel import kernel
from smlib._core.results import Result
from smlib.mining.locality_sensitive_hashing.band_tables import Pairs, candidate_pairs
from smlib.mining.locality_sensitive_hashing.banding import as_threshold, band_keys, bands_that_find
from smlib.mining.min_hashing import MinHasher, estimate_jaccard
from smlib.mining.shingling import Hashes, Offsets, Shingles, Text, Unit, as_shingles

u64 = np.uint64
# Estimates are made of so many pairs at a time, for they take a signature each.
AT_A_TIME = 1 << 14


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NearDuplicates(Result):
    """Pairs of documents that are nearly equal.

    Attributes
    ----------
    pairs : ndarray of int64, shape (m, 2)
        The numbers of the documents, from 0; in each row the smaller one first, and the rows in order.
    similarities : ndarray of float64, shape (m,)
        Of each pair: the Jaccard similarity of its sets of shingles, or an estimate of it if it was not verified.
    """

    pairs: Pairs
    similarities: NDArray[np.float64]


def near_duplicates(
    documents: Iterable[Text] | Shingles,
    threshold: float = 0.8,
    *,
    verify: bool = True,
    num_hashes: SupportsIndex = 128,
    width: SupportsIndex = 5,
    unit: Unit = "words",
    rng: np.random.Generator | int | None = None,
) -> NearDuplicates:
    """Return the pairs of documents whose sets of shingles have at least some Jaccard similarity.

    Parameters
    ----------
    documents : iterable of str or bytes-like, or Shingles
        Texts, or sets of any elements as 64-bit hashes.
    threshold : float
        Above 0, and 1 at most. The lower, the more candidates there are.
    verify : bool
        Work out the similarity of each candidate on its sets, and return those at or above the threshold. If False,
        all candidates are returned, with an estimate each: quicker, and some of them below the threshold.
    num_hashes : int
        Values in a signature. The more, the steeper is the S-curve, and the fewer candidates are in vain.
    width, unit
        Of the shingles, see `shingle_hashes`.
    rng : Generator, int or None
        Where the hash functions are drawn from; a seed gives the same candidates again.

    Returns
    -------
    NearDuplicates
        ``pairs`` and ``similarities``. A pair at the threshold is found with a probability of 0.99 or more, one above
        it more surely, and one of equal documents for certain (also if both are empty).

    Raises
    ------
    InputError
        A document is not text; a threshold, width or number of hashes that is none.

    Notes
    -----
    Bands are as high as that probability allows: 21 of 6 values each for 0.8 and 128 hashes.

    Complexity: O(n num_hashes) time for n shingles, and O(k) a candidate for sets of k. Where m documents are alike
    there are ``m (m - 1) / 2`` pairs to return, and nothing can be less than that.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.4.3.

    Examples
    --------
    >>> texts = ["the dog bit the man on the leg", "a cat sat", "the dog bit the man on the arm", "a cat sat"]
    >>> found = near_duplicates(texts, 0.6, width=2, rng=1)
    >>> found.pairs.tolist(), found.similarities.round(2).tolist()
    ([[0, 2], [1, 3]], [0.75, 1.0])
    """
    least = as_threshold(threshold)
    hasher = MinHasher(num_hashes, rng, width=width, unit=unit)
    shingles = as_shingles(documents, width, unit)
    distinct, group = group_equal(shingles)
    signatures = hasher.signatures(shingles)[distinct]
    bands, rows = bands_that_find(hasher.num_hashes, least)
    pairs = candidate_pairs(band_keys(signatures, hasher.num_hashes, bands, rows))
    if verify:
        similarities = similarities_of(shingles, distinct[pairs])
        pairs, similarities = pairs[similarities >= least], similarities[similarities >= least]
    else:
        similarities = np.empty(len(pairs))
        for begin in range(0, len(pairs), AT_A_TIME):
            some = pairs[begin : begin + AT_A_TIME]
            similarities[begin : begin + AT_A_TIME] = estimate_jaccard(signatures[some[:, 0]], signatures[some[:, 1]])
    return _spread(pairs, similarities, group)


def group_equal(shingles: Shingles) -> tuple[Pairs, Pairs]:
    """Return one document of each group with equal shingles in equal order, and the group of each document."""
    folded = np.empty(shingles.offsets.size - 1, np.uint64)
    fold_all(shingles.hashes, shingles.offsets, folded)
    _, distinct, group = np.unique(folded, return_index=True, return_inverse=True)
    return distinct.astype(np.int64), group.astype(np.int64)


def similarities_of(shingles: Shingles, pairs: Pairs) -> NDArray[np.float64]:
    """Return the Jaccard similarity of each pair of documents, worked out on their sets."""
    needed, places = np.unique(pairs, return_inverse=True)
    rows = [shingles.hashes[shingles.offsets[d] : shingles.offsets[d + 1]] for d in needed]
    begins = np.zeros(needed.size + 1, np.int64)
    np.cumsum([row.size for row in rows], out=begins[1:])
    sets = np.concatenate([*rows, np.empty(0, np.uint64)])
    for begin, end in zip(begins.tolist(), begins[1:].tolist(), strict=False):
        sets[begin:end].sort()
    sizes = np.empty(needed.size, np.int64)
    drop_repeats(sets, begins, sizes)
    similarities = np.empty(len(pairs))
    compare_sets(sets, begins, sizes, places.reshape(pairs.shape), similarities)
    return similarities


def _spread(pairs: Pairs, similarities: NDArray[np.float64], group: Pairs) -> NearDuplicates:
    """Return pairs of groups as pairs of their documents, and those of documents of one group besides, in order."""
    members, sizes = np.argsort(group, kind="stable"), np.bincount(group)
    begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    count = int((sizes[pairs[:, 0]] * sizes[pairs[:, 1]]).sum() + (sizes * (sizes - 1) // 2).sum())
    found = NearDuplicates(np.empty((count, 2), np.int64), np.empty(count))
    spread_groups(pairs, similarities, members, begins, found.pairs, found.similarities)
    found.pairs.sort(axis=1)
    order = np.lexsort((found.pairs[:, 1], found.pairs[:, 0]))
    return NearDuplicates(found.pairs[order], found.similarities[order])


@kernel
def fold_all(hashes: Hashes, offsets: Offsets, folded: Hashes) -> None:
    """Write one number for the shingles of each document and their order."""
    for d in range(folded.size):
        value = u64(offsets[d + 1] - offsets[d])
        for i in range(offsets[d], offsets[d + 1]):
            value = u64((value ^ hashes[i]) * PRIME1)
            value ^= value >> u64(32)
        folded[d] = avalanche(value)


@kernel
def drop_repeats(sets: Hashes, begins: Offsets, sizes: Offsets) -> None:
    """Move the different elements of each sorted row to its beginning, and write how many they are."""
    for d in range(sizes.size):
        row = sets[begins[d] : begins[d + 1]]
        size = 0
        for i in range(row.size):
            if size == 0 or row[i] != row[size - 1]:
                row[size] = row[i]
                size += 1
        sizes[d] = size


@kernel
def compare_sets(
    sets: Hashes, begins: Offsets, sizes: Offsets, pairs: Pairs, similarities: NDArray[np.float64]
) -> None:
    """Write the Jaccard similarity of each pair of sets."""
    for k in range(len(pairs)):
        c, d = pairs[k, 0], pairs[k, 1]
        one, other = sets[begins[c] : begins[c] + sizes[c]], sets[begins[d] : begins[d] + sizes[d]]
        common = count_common(one, other)
        union = one.size + other.size - common
        similarities[k] = common / union if union > 0 else 1.0


@kernel
def count_common(one: Hashes, other: Hashes) -> int:
    """Return how many elements two sorted sets have in common; no branch depends on which one is ahead."""
    i = j = common = 0
    while i < one.size and j < other.size:
        x, y = one[i], other[j]
        common += x == y
        i += x <= y
        j += y <= x
    return common


@kernel
def spread_groups(
    pairs: Pairs,
    similarities: NDArray[np.float64],
    members: Pairs,
    begins: Offsets,
    out: Pairs,
    out_similarities: NDArray[np.float64],
) -> None:
    """Write the pairs of documents: each of one group with each of the other, and all of a group with each other."""
    count = 0
    for k in range(len(pairs)):
        g, h = pairs[k, 0], pairs[k, 1]
        for i in range(begins[g], begins[g + 1]):
            for j in range(begins[h], begins[h + 1]):
                out[count, 0], out[count, 1], out_similarities[count] = members[i], members[j], similarities[k]
                count += 1
    for g in range(begins.size - 1):
        for i in range(begins[g], begins[g + 1]):
            for j in range(i + 1, begins[g + 1]):
                out[count, 0], out[count, 1], out_similarities[count] = members[i], members[j], 1.0
                count += 1
