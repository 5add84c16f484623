"""Graphs that look like the web: few vertices have many links, and many have few or none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smlib._core.validate import as_count
from smlib.errors import InputError

# Where the upper right, the lower left and the lower right quarter begin, of 65,536.
RIGHT, LOWER, BOTH = (round(chance * (1 << 16)) for chance in (0.57, 0.76, 0.95))

# Links that are drawn at a time: their numbers stay in the cache.
PART = 1 << 16


def recursive_web(scale: int, links: int, *, seed: int = 1) -> NDArray[np.uint32]:
    """Draw the links of a graph with ``2^scale`` vertices by recursive quartering (R-MAT), with labels in random order.

    The adjacency matrix is cut into four quarters, one of them is drawn, and so on down to a single place. The quarters
    have the chances 0.57, 0.19, 0.19, 0.05: what is popular becomes more popular.

    Parameters
    ----------
    scale : int
        From 0 to 31.
    links : int
        How many are drawn; of equal ones only one is kept.
    seed : int
        The same seed gives the same graph.

    Returns
    -------
    ndarray of uint32, shape (m, 2)
        ``m <= links`` pairs (from, to), in random order.

    Raises
    ------
    InputError
        A number is out of its range.

    Notes
    -----
    Complexity: O(scale * links).

    References
    ----------
    Chakrabarti, Zhan & Faloutsos, "R-MAT: A recursive model for graph mining", *SDM* 2004.

    Examples
    --------
    >>> recursive_web(3, 4, seed=2).tolist()
    [[2, 4], [7, 2], [6, 2], [4, 2]]
    """
    levels = as_count(scale, "scale")
    if levels > 31:
        raise InputError(f"scale is {levels}; 31 is the most")
    rng = np.random.default_rng(seed)
    pairs = np.zeros(as_count(links, "links"), np.uint64)
    for part in np.split(pairs, range(PART, pairs.size, PART)):
        for _ in range(levels):
            chance = rng.integers(1 << 16, size=part.size, dtype=np.uint16)
            lower, right = chance >= LOWER, ((chance >= RIGHT) & (chance < LOWER)) | (chance >= BOTH)
            part <<= np.uint64(1)
            part |= lower.astype(np.uint64) << np.uint64(32) | right
    pairs.sort()
    pairs = rng.permutation(pairs[np.diff(pairs, prepend=~pairs[:1]) != 0])
    label = rng.permutation(1 << levels).astype(np.uint32)
    return np.column_stack([label[pairs >> np.uint64(32)], label[pairs & np.uint64(0xFFFFFFFF)]])
