r"""Random hyperplanes: on which side of each does a vector lie? Two vectors are told apart by angle / pi of them.

::

                  \  plane                 the plane of two vectors x and y, seen from above: a random
              y    \                       hyperplane cuts it in a random line through the origin, and
               \ a \   x                   has x and y on different sides if the line falls into one of
                \   \ /                    the two angles a between them, 2 a of 2 pi
                 ----0

A plane is given by the vector that stands on it, drawn from Gaussians, which prefer no direction. Its bit says whether
the product with that vector is positive. As for sets, bits in bands make candidates of what lies close.

Cost: a product of matrices, O(n features num_hashes); of sparse ones, for the entries alone.

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.7.2; Goemans & Williamson, "Improved approximation
algorithms for maximum cut", *Journal of the ACM* 42 (1995).
"""

from __future__ import annotations

import math
from typing import Any, SupportsIndex

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from smlib._core.validate import as_floats, require_finite
from smlib.errors import InputError
from smlib.mining.locality_sensitive_hashing.banding import as_positive
from smlib.mining.min_hashing import estimate_jaccard


class RandomHyperplanes:
    """Bits for vectors, of which two differ with the probability angle / pi.

    Parameters
    ----------
    num_features : int
        The length of the vectors.
    num_hashes : int
        How many bits a signature has.
    rng : Generator, int or None
        Where the planes are drawn from; signatures can be compared if they come from the same.

    Attributes
    ----------
    num_features, num_hashes : int
        As they were passed.
    normals : ndarray, shape (num_features, num_hashes)
        A column a plane: the vector that stands on it.

    Raises
    ------
    InputError
        No feature, or no hash.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.7.2.

    Examples
    --------
    >>> planes = RandomHyperplanes(2, num_hashes=1024, rng=1)
    >>> east, north_east, north = planes.signatures([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> round(estimate_angle(east, north_east), 2), round(estimate_angle(east, north), 2)
    (0.84, 1.6)
    """

    def __init__(
        self,
        num_features: SupportsIndex,
        num_hashes: SupportsIndex = 128,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        self.num_features = as_positive(num_features, "num_features")
        self.num_hashes = as_positive(num_hashes, "num_hashes")
        self.normals = np.random.default_rng(rng).standard_normal((self.num_features, self.num_hashes))

    def signatures(self, vectors: Any) -> NDArray[np.bool_]:
        """Return the bits of each vector.

        Parameters
        ----------
        vectors : array_like or sparse matrix, shape (n, num_features)
            Finite numbers, a row a vector.

        Returns
        -------
        ndarray of bool, shape (n, num_hashes)
            As they are, they are signatures for an `LSHIndex`. Those of a vector of zeros are False.

        Raises
        ------
        InputError
            Another shape, NaN or infinity.

        Notes
        -----
        Complexity: O(n num_features num_hashes); O(entries num_hashes) for sparse rows.
        """
        if scipy.sparse.issparse(vectors):
            rows: Any = vectors.tocsr()
            require_finite(as_floats(rows.data, "vectors"), "vectors.data")
        else:
            rows = as_floats(vectors, "vectors")
            require_finite(rows, "vectors")
        if rows.ndim != 2 or rows.shape[1] != self.num_features:
            raise InputError(f"vectors has shape {rows.shape}; it must be (n, {self.num_features})")
        bits: NDArray[np.bool_] = rows @ self.normals > 0.0
        return bits


def estimate_angle(first: ArrayLike, second: ArrayLike) -> float | NDArray[np.float64]:
    """Return an estimate of the angle between vectors from their signatures: pi times the share of bits that differ.

    Parameters
    ----------
    first, second : array_like of bool, shape (..., num_hashes)
        Of one `RandomHyperplanes`; many on either side broadcast.

    Returns
    -------
    float or ndarray
        From 0 to pi. It is off by ``sqrt(a (pi - a) / num_hashes)`` or so for an angle a.

    Raises
    ------
    InputError
        The signatures do not have one length.

    Notes
    -----
    Complexity: O(num_hashes) a pair.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.7.2.

    Examples
    --------
    >>> estimate_angle([True, True, False, False], [True, False, False, False])
    0.7853981633974483
    """
    return math.pi * (1.0 - estimate_jaccard(first, second))
