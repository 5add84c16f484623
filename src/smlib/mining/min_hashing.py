r"""Min-hashing: a set of any size in a few hundred bytes, from which one reads how much two sets have in common.

The problem. How alike two sets are is said by their *Jaccard similarity*, what they share over what they have::

    J(A, B) = |A and B| / |A or B|         A = {1, 2, 3}, B = {2, 3, 4}:   2 / 4

To work it out one needs both sets at hand. Those of a million documents, some thousand numbers each, are not, and there
are half a trillion pairs.

The idea. Shuffle everything that there is, and note of each set only the element that comes first: its *minimum*. Of
all that is in A or B one element comes first, each with the same chance; both sets note it if it is in both. So::

    P(min A = min B) = J(A, B)

One shuffle is a toss of a coin with this chance. The minima under 128 shuffles are the *signature* of a set, and the
share of places at which two signatures agree is an estimate of J (Broder).

By hand, the example of the book. Rows are elements, columns are sets. Nobody shuffles: a hash function says at which
place a row would be, and a set keeps the smallest place of its rows so far::

    row   S1 S2 S3 S4    h1 = r + 1 mod 5    h2 = 3 r + 1 mod 5         signatures
     0     1  .  .  1           1                   1                       S1 S2 S3 S4
     1     .  .  1  .           2                   4                  h1    1  3  0  1
     2     .  1  .  1           3                   2                  h2    0  2  0  0
     3     1  .  1  1           4                   0
     4     .  .  1  .           0                   3             S1 and S4 agree in both; their J is 2/3

The hash functions here. Elements are hashes of 64 bits. They are stirred once more, with a key of the hasher's own, and
the upper half is kept: 32 bits, as good as random. To multiply by an odd number modulo 2^32 is then a shuffle, for it
has an inverse::

    signature[k] = min over x in A of  multiplier[k] * x  mod 2^32

That is one multiplication and one comparison for each element and shuffle; a processor does 16 of them at once. The
book's ``a x + b mod p`` would cost a third more, and adds nothing where x is random to begin with. Eight elements are
taken at a time, so that the signature is fetched and stored an eighth as often.

Invariants, checked by the tests:
  1. The share of places that agree has the mean J, and the variance ``J (1 - J) / num_hashes``: a binomial test holds.
  2. Order and repetition do not matter; equal sets have equal signatures.
  3. The signature of a union is the smaller of both signatures, at each place.
  4. The kernel's answer is that of the definition, taken one by one.

Cost: O(n h) time for n elements and h hash functions, 30 billion of these a second on a core with AVX-512; 4 h bytes a
set.

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.3; Broder, "On the resemblance and containment of
documents", *Compression and Complexity of Sequences* (1997).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.hashing import avalanche
from smlib._core.kernel import kernel
from smlib._core.validate import as_count
from smlib.errors import InputError
from smlib.mining.shingling import Hashes, Offsets, Shingles, Text, Unit, as_shingles, as_width

Signatures: TypeAlias = NDArray[np.uint32]

u32, u64 = np.uint32, np.uint64
# What is above every hash: the signature of the empty set.
NOTHING = 2**32 - 1


def jaccard(first: Iterable[Hashable], second: Iterable[Hashable]) -> float:
    """Return the Jaccard similarity of two sets: the share of what either has that both have.

    Parameters
    ----------
    first, second : iterable of hashable
        Repetitions do not count.

    Returns
    -------
    float
        From 0 to 1; that of two empty sets is 1, for they are equal.

    Notes
    -----
    Complexity: O(n) time and space.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.1.1.

    Examples
    --------
    >>> jaccard({1, 2, 3}, {2, 3, 4})
    0.5
    """
    one, other = set(first), set(second)
    common = len(one & other)
    return common / (len(one) + len(other) - common) if one or other else 1.0


def estimate_jaccard(first: ArrayLike, second: ArrayLike) -> float | NDArray[np.float64]:
    """Return the share of places at which signatures agree: an estimate of the Jaccard similarity of their sets.

    Parameters
    ----------
    first, second : array_like of uint32, shape (..., num_hashes)
        Signatures of one `MinHasher`; many on either side broadcast.

    Returns
    -------
    float or ndarray
        From 0 to 1. It is off by about ``sqrt(J (1 - J) / num_hashes)``, which is 0.044 at most for 128 hashes.

    Raises
    ------
    InputError
        The signatures do not have one length, or none.

    Notes
    -----
    Complexity: O(num_hashes) time a pair.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.3.3.

    Examples
    --------
    >>> estimate_jaccard([1, 0], [1, 0]), estimate_jaccard([1, 0], [3, 0])
    (1.0, 0.5)
    """
    one, other = np.asarray(first), np.asarray(second)
    if not one.shape or not other.shape or one.shape[-1] != other.shape[-1] or one.shape[-1] == 0:
        raise InputError(f"signatures of shapes {one.shape} and {other.shape} do not have one length of 1 or more")
    try:
        agree = one == other
    except ValueError as error:
        raise InputError(f"{one.shape} and {other.shape} signatures do not pair: {error}") from error
    shares = agree.mean(axis=-1)
    return float(shares) if shares.ndim == 0 else shares


class MinHasher:
    """Hash functions drawn once, and the signatures that they give to documents.

    Parameters
    ----------
    num_hashes : int
        The length of a signature: at least 1. The error of an estimate is ``1 / (2 sqrt(num_hashes))`` at most.
    rng : Generator, int or None
        Where the hash functions are drawn from. Signatures can be compared only if they come from equal functions: for
        some that are kept, or made in several processes, pass a seed and keep it.
    width : int
        Of the shingles, see `shingle_hashes`.
    unit : {"words", "characters"}
        Of the shingles.

    Attributes
    ----------
    num_hashes, width, unit
        As they were passed.
    multipliers : ndarray of uint32, shape (num_hashes,)
        An odd number a hash function.
    key : int
        The 64 bits with which elements are stirred.

    Raises
    ------
    InputError
        ``num_hashes`` is 0 or no integer, or ``width`` or ``unit`` are not as they must be.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.3.5.

    Examples
    --------
    >>> hasher = MinHasher(num_hashes=256, rng=1, width=2)
    >>> first, second = hasher.signatures(["the dog bit the man", "the dog bit the cat"])
    >>> estimate_jaccard(first, second)  # the shingles share 3 of 5
    0.66015625
    """

    def __init__(
        self,
        num_hashes: SupportsIndex = 128,
        rng: np.random.Generator | int | None = None,
        *,
        width: SupportsIndex = 5,
        unit: Unit = "words",
    ) -> None:
        self.num_hashes = as_count(num_hashes, "num_hashes")
        if self.num_hashes == 0:
            raise InputError("num_hashes is 0; a signature has 1 hash at least")
        self.width, self.unit = as_width(width, unit), unit
        generator = np.random.default_rng(rng)
        self.key = int(generator.integers(0, 2**64, dtype=np.uint64))
        self.multipliers = generator.integers(0, 2**32, self.num_hashes, dtype=np.uint32) | u32(1)

    def signatures(self, documents: Iterable[Text] | Shingles) -> Signatures:
        """Return the signature of each document.

        Parameters
        ----------
        documents : iterable of str or bytes-like, or Shingles
            Texts, or hashes of any elements at all: integers of up to 64 bits that need not be well mixed.

        Returns
        -------
        ndarray of uint32, shape (documents, num_hashes)
            That of a document without shingles has 2^32 - 1 at all places.

        Raises
        ------
        InputError
            A document is not text; offsets that do not fit the hashes.

        Notes
        -----
        Complexity: O(n num_hashes) time for n shingles.

        References
        ----------
        Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.3.5.

        Examples
        --------
        >>> MinHasher(3, rng=1).signatures(["", "a word"])[0].tolist()
        [4294967295, 4294967295, 4294967295]
        """
        hashes, offsets = as_shingles(documents, self.width, self.unit)
        signatures = np.full((offsets.size - 1, self.num_hashes), NOTHING, np.uint32)
        sign_all(hashes, offsets, u64(self.key), self.multipliers, signatures)
        return signatures


@kernel(borrows=True)
def sign_all(hashes: Hashes, offsets: Offsets, key: np.uint64, multipliers: Signatures, signatures: Signatures) -> None:
    """Lower each signature, which begins with the highest numbers, to the minima of its document.

    The last eight elements may have some that were taken already: taking one twice changes nothing.
    """
    for d in range(offsets.size - 1):
        signature, begin, end = signatures[d], offsets[d], offsets[d + 1]
        if end - begin < 8:
            for i in range(begin, end):
                lower(signature, multipliers, hashes[i], key)
        else:
            for i in range(begin, end - 7, 8):
                lower_by_eight(signature, multipliers, hashes[i : i + 8], key)
            if (end - begin) % 8 > 0:
                lower_by_eight(signature, multipliers, hashes[end - 8 : end], key)


@kernel(borrows=True)
def lower(signature: Signatures, multipliers: Signatures, hashed: np.uint64, key: np.uint64) -> None:
    """Lower a signature by one element."""
    x = element(hashed, key)
    for k in range(signature.size):
        signature[k] = min(signature[k], u32(multipliers[k] * x))


@kernel(borrows=True)
def lower_by_eight(signature: Signatures, multipliers: Signatures, eight: Hashes, key: np.uint64) -> None:
    """Lower a signature by eight elements: the same as one by one, with an eighth of the fetching and storing."""
    a, b, c, d = element(eight[0], key), element(eight[1], key), element(eight[2], key), element(eight[3], key)
    e, f, g, h = element(eight[4], key), element(eight[5], key), element(eight[6], key), element(eight[7], key)
    for k in range(signature.size):
        m = multipliers[k]
        left = min(min(u32(m * a), u32(m * b)), min(u32(m * c), u32(m * d)))
        right = min(min(u32(m * e), u32(m * f)), min(u32(m * g), u32(m * h)))
        signature[k] = min(signature[k], min(left, right))


@kernel
def element(hashed: np.uint64, key: np.uint64) -> np.uint32:
    """Return the 32 bits that stand for an element."""
    return u32(avalanche(hashed ^ key) >> u64(32))
