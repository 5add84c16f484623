"""Links by their targets: a graph's links, in any order, become sparse rows that are walked from front to back.

PageRank pulls: each vertex asks those that link to it. So the links must stand by their targets. The obvious way counts
how many go to each target, and then puts every link behind those of its target that are there already. Both passes
jump about in memory, to another place for each link, and a place that is not in the cache costs as much as a hundred
additions; sorting the links is then dearer than all that is done with them later.

The idea. Let no pass jump farther than a cache reaches. A first pass parts the links into *buckets* of 4,096 targets
each: it writes to as many places as there are buckets, each of them from front to back, which caches do well. A second
pass goes through the buckets one after the other, and jumps within one bucket only::

    links by number   7>9  1>2  8>1  3>8  2>9  4>0        buckets of 4 targets: 0-3, 4-7, 8-11
    parted            1>2  8>1  4>0 | | 7>9  3>8  2>9     by the high bits of the target
    placed            4>0  8>1  1>2 | | 3>8  7>9  2>9     by the low bits, within each bucket

That is a radix sort with two digits, the high one first.

Before that, vertices get new numbers: the one with the most links comes first, those without any come last. Whoever has
many links is asked often, so what is asked often now lies together, in the first lines of the cache; and the vertices
that have links are simply the first ones.

Cost: O(links + vertices) time, 16 bytes a link beside what comes out (32 with weights).

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, section 8.3; Zagha & Blelloch, "Radix sort for vector
multiprocessors", *Supercomputing* 1991.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.csr import Indices
from smlib._core.kernel import kernel
from smlib._core.validate import Vector

Numbers = NDArray[np.uint32]

# A bucket has 2^12 rows, of which each has a line of the cache open: 256 KB, which a core has for itself.
BUCKET_BITS = 12

u32, u64 = np.uint32, np.uint64


class Rows(NamedTuple):
    """Links by their targets, with vertices numbered by how many links they have; loops stand apart.

    Attributes
    ----------
    indptr : ndarray, shape (n + 1,)
        The links to vertex ``v`` are those from ``indptr[v]`` up to, but not including, ``indptr[v + 1]``.
    sources : ndarray of uint32
        Where each link comes from; less than ``linking``.
    weights : ndarray
        Of each link, or empty if all weigh 1.
    loops : ndarray, shape (linking,)
        What the links of a vertex to itself weigh.
    out_weights : ndarray, shape (linking,)
        What all links of a vertex weigh, loops included.
    order : ndarray of uint32, shape (n,)
        The old number of each vertex.
    linking : int
        How many vertices have links: these are the first ones.
    """

    indptr: Indices
    sources: Numbers
    weights: Vector
    loops: Vector
    out_weights: Vector
    order: Numbers
    linking: int


def sort_links(edges: Indices, weights: Vector, n: int) -> Rows:
    """Sort links by their targets.

    Parameters
    ----------
    edges : ndarray of uint32 or uint64, shape (m, 2)
        Pairs (from, to), all less than ``n``; equal ones count as often as they are there.
    weights : ndarray, shape (m,) or (0,)
        Positive; empty if all weigh 1.
    n : int
        How many vertices there are, less than 2^32.
    """
    links = len(edges)
    degrees = np.zeros(n, np.uint32)
    count_sources(edges, degrees)
    linking = int(np.count_nonzero(degrees))
    order, number = np.empty(n, np.uint32), np.empty(n, np.uint32)
    number_by_degree(degrees, np.zeros(int(degrees.max(initial=0)) + 1, np.int64), order, number)
    out_weights = np.bincount(edges[:, 0].astype(np.int64), weights, n)[order] if weights.size else degrees[order]

    arrivals = np.zeros(n, np.uint32)
    count_targets(edges, arrivals)
    indptr: Indices = np.zeros(n + 1, np.uint32 if links < 2**32 else np.uint64)
    np.cumsum(arrivals[order], out=indptr[1:])
    kept = int(indptr[-1])

    pairs, pair_weights, loops = np.empty(links, np.uint64), np.empty(weights.size), np.zeros(linking)
    renumber(edges, weights, number, pairs, pair_weights, loops)
    parted, parted_weights = np.empty(kept, np.uint64), np.empty(kept if weights.size else 0)
    part(pairs[:kept], pair_weights, indptr[: -1 : 1 << BUCKET_BITS].copy(), parted, parted_weights)
    sources, row_weights = np.empty(kept, np.uint32), np.empty(parted_weights.size)
    place(parted, parted_weights, indptr[:-1].copy(), sources, row_weights)
    return Rows(indptr, sources, row_weights, loops, out_weights[:linking].astype(np.float64), order, linking)


@kernel
def count_sources(edges: Indices, counts: Numbers) -> None:
    """Count the links that leave each vertex."""
    for e in range(edges.shape[0]):
        counts[edges[e, 0]] += u32(1)


@kernel
def count_targets(edges: Indices, counts: Numbers) -> None:
    """Count the links that come to each vertex from others. (To count both ends in one pass is slower than two.)"""
    for e in range(edges.shape[0]):
        counts[edges[e, 1]] += u32(edges[e, 0] != edges[e, 1])


@kernel
def number_by_degree(degrees: Numbers, starts: NDArray[np.int64], order: Numbers, number: Numbers) -> None:
    """Number the vertices from the highest degree to the lowest; ``starts`` has a zero for each possible degree."""
    for v in range(degrees.size):
        starts[degrees[v]] += 1
    place = 0
    for degree in range(starts.size - 1, -1, -1):
        count = starts[degree]
        starts[degree] = place
        place += count
    for v in range(degrees.size):
        place = starts[degrees[v]]
        starts[degrees[v]] += 1
        order[place] = v
        number[v] = place


@kernel
def renumber(
    edges: Indices, weights: Vector, number: Numbers, pairs: NDArray[np.uint64], pair_weights: Vector, loops: Vector
) -> None:
    """Write each link as one word, its target's new number in the high half; loops are added up apart."""
    count = u64(0)
    weight = 1.0
    for e in range(edges.shape[0]):
        source, target = number[edges[e, 0]], number[edges[e, 1]]
        if weights.size:
            weight = weights[e]
        if source == target:
            loops[source] += weight
            continue
        pairs[count] = (u64(target) << u64(32)) | u64(source)
        if weights.size:
            pair_weights[count] = weight
        count += u64(1)


@kernel
def part(
    pairs: NDArray[np.uint64], weights: Vector, ends: Indices, parted: NDArray[np.uint64], parted_weights: Vector
) -> None:
    """Move each link to the end of its bucket."""
    for e in range(pairs.size):
        bucket = pairs[e] >> u64(32 + BUCKET_BITS)
        end = ends[bucket]
        ends[bucket] = end + u32(1)
        parted[end] = pairs[e]
        if weights.size:
            parted_weights[end] = weights[e]


@kernel
def place(parted: NDArray[np.uint64], parted_weights: Vector, ends: Indices, sources: Numbers, weights: Vector) -> None:
    """Move each link to the end of its row."""
    for e in range(parted.size):
        target = parted[e] >> u64(32)
        end = ends[target]
        ends[target] = end + u32(1)
        sources[end] = u32(parted[e])
        if weights.size:
            weights[end] = parted_weights[e]
