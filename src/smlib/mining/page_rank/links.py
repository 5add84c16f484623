"""A graph as its links: read from what users have, proved, and sorted once for all that is asked of it.

Three kinds of graphs come in, and a fourth, prepared, goes round:

- pairs (from, to), an array of integers with two columns: vertices are numbers from 0, and equal pairs count twice;
- a sparse matrix of SciPy, whose entry in row i and column j is what the link from i to j weighs;
- a graph of NetworkX, directed or not, whose nodes can be anything;
- `Links`, which `as_links` makes of these: whoever asks a graph many things prepares it once.

Invariants of ``Links``, on which kernels rely:
  1. ``indptr`` has one entry a vertex and one more, starts at 0, never falls, and ends at the number of links.
  2. Every source has links, and vertices that have links have the lowest numbers.
  3. Every weight is positive and finite, and so is the sum of those that leave a vertex.

Cost: O(links + vertices).

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 5.2.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Set
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from smlib._core.csr import Indices, as_csr
from smlib._core.validate import Vector, as_floats
from smlib.errors import InputError
from smlib.mining.page_rank.sorting import Rows, sort_links
from smlib.mining.page_rank.sweeps import push

# The sum of the weights that leave a vertex; beyond these a quotient of two may overflow.
LEAST_WEIGHT, MOST_WEIGHT = 1e-150, 1e150

# The weights of links that all weigh 1.
UNWEIGHTED = np.empty(0)


class Links(NamedTuple):
    """The links of a graph, ready for `pagerank`, `hits` and the others, which do not prove them again.

    Only `as_links` makes one.

    Attributes
    ----------
    rows : Rows
        The links by their targets.
    kept : ndarray, shape (linking,)
        What the links of a vertex to vertices that have links weigh.
    places : mapping or range
        The number of each vertex, by what the user calls it.
    """

    rows: Rows
    kept: Vector
    places: Mapping[Any, int] | range

    @property
    def size(self) -> int:
        """How many vertices there are."""
        return len(self.places)


GraphLike: TypeAlias = Links | ArrayLike | scipy.sparse.sparray | scipy.sparse.spmatrix | Any


def as_links(G: GraphLike, *, weight: str | None = "weight") -> Links:
    """Prove a graph and sort its links by their targets, once for many calls.

    Parameters
    ----------
    G : array_like of int, shape (m, 2); or any scipy.sparse matrix, shape (n, n); or a NetworkX graph; or Links
        Pairs (from, to), where vertices are numbers from 0 to the largest one named, and equal pairs add up; or weights
        that are finite and not negative, from the vertex of the row to that of the column. A link of weight 0 is none.
    weight : str or None
        For NetworkX graphs: the attribute of edges that holds their weight; 1 where it is missing, or if None.

    Returns
    -------
    Links

    Raises
    ------
    InputError
        ``G`` is none of these, or it has a vertex below 0, or a weight that is negative, NaN or infinite.

    Notes
    -----
    Complexity: O(m + n) time; some 24 bytes a link while it works, and 4 of them stay (12 with weights).

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 5.2.

    Examples
    --------
    >>> as_links([(0, 1), (1, 2), (2, 0), (2, 1)]).size
    3
    """
    if isinstance(G, Links):
        return G
    # Whoever has a graph of NetworkX has imported it.
    networkx = sys.modules.get("networkx")
    if networkx is not None and isinstance(G, networkx.Graph):
        places = {node: place for place, node in enumerate(G)}
        try:
            matrix = networkx.to_scipy_sparse_array(G, weight=weight, dtype=float) if places else None
        except (TypeError, ValueError) as error:
            raise InputError(f"a weight of G is no number: {error}") from error
        return _sort(*_read_matrix(matrix)[:2], places) if places else _sort(read_pairs(()), UNWEIGHTED, places)
    if scipy.sparse.issparse(G):
        edges, weights, n = _read_matrix(G)
        return _sort(edges, weights, range(n))
    edges = read_pairs(G)
    n = int(edges.max(initial=0)) + 1 if edges.size else 0
    if n >= 2**32:
        row = int(np.argmax(edges.max(axis=1)))
        raise InputError(
            f"G[{row}] is {np.asarray(G)[row].tolist()}, but vertices are numbers from 0 to {2**32 - 2}: "
            "number them with numpy.unique(G, return_inverse=True)"
        )
    return _sort(edges, UNWEIGHTED, range(n))


def as_distribution(value: Any, links: Links, name: str) -> Vector:
    """Return what is said of vertices as numbers that add up to 1, in the order of the rows.

    ``value`` is a mapping from vertices to numbers (0 where none is given), an array with a number for each vertex, a
    set of vertices that are alike, or None for all alike.
    """
    n = links.size
    if value is None:
        return np.full(n, 1.0 / max(n, 1))
    if isinstance(value, Set):
        value = dict.fromkeys(value, 1.0)
    if isinstance(value, Mapping):
        numbers = np.zeros(n)
        for node, number in value.items():
            if node not in links.places:
                raise InputError(f"{name} names {node!r}, which is no vertex of G")
            numbers[links.places[node]] = as_floats(number, f"{name}[{node!r}]")
    else:
        numbers = as_floats(value, name)
    if numbers.shape != (n,):
        raise InputError(f"{name} has shape {numbers.shape}, but G has {n} vertices: shape ({n},) is needed")
    wrong = ~((numbers >= 0.0) & (numbers < np.inf))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise InputError(
            f"{name} is {numbers[place]} at vertex {_node(links, place)!r}; it must be 0 or more, and finite"
        )
    largest = numbers.max(initial=0.0)
    if n and largest == 0.0:
        raise InputError(f"{name} is 0 at every vertex; one at least must be positive")
    shares = numbers[links.rows.order] / (largest or 1.0)
    return np.asarray(shares / shares.sum())


def in_users_order(links: Links, values: Vector) -> Vector:
    """Return values of the vertices in the order in which the user has them."""
    result = np.empty(links.size)
    result[links.rows.order] = values
    return result


def _node(links: Links, place: int) -> Any:
    return list(links.places)[place]


def _sort(edges: Indices, weights: Vector, places: Mapping[Any, int] | range) -> Links:
    rows = sort_links(edges, weights, len(places))
    total = rows.out_weights
    wrong = ~((total >= LEAST_WEIGHT) & (total <= MOST_WEIGHT))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise InputError(
            f"the links of vertex {list(places)[rows.order[place]]!r} weigh {total[place]:.3g} together; divide all "
            f"weights by their largest, so that each such sum lies between {LEAST_WEIGHT} and {MOST_WEIGHT}"
        )
    kept = np.empty(rows.linking)
    push(rows.indptr, rows.sources, rows.weights, rows.loops, np.ones(rows.linking), kept)
    return Links(rows, kept, places)


def read_pairs(G: Any) -> Indices:
    """Return pairs as unsigned integers: what was negative is then huge."""
    try:
        pairs = np.asarray(G)
    except ValueError as error:
        raise InputError(f"G cannot be read as an array of pairs: {error}") from error
    if pairs.size == 0:
        pairs = np.empty((0, 2), np.uint32)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise InputError(
            f"G is a {type(G).__name__} of shape {pairs.shape} and type {pairs.dtype}; give pairs of integers, shape "
            "(m, 2), or a sparse matrix (scipy.sparse.csr_array(G) makes one), or a NetworkX graph"
        )
    wide = np.int32 if pairs.dtype.itemsize < 4 else pairs.dtype
    pairs = np.require(pairs, wide, ["C", "W"])
    if pairs.dtype.kind == "i" and pairs.min(initial=0) < 0:
        row = int(np.argmax(pairs.min(axis=1) < 0))
        raise InputError(f"G[{row}] is {pairs[row].tolist()}; vertices are numbered from 0")
    return pairs.view(f"u{pairs.dtype.itemsize}")


def _read_matrix(G: Any) -> tuple[Indices, Vector, int]:
    """Return the places of the entries that are not 0, their values (or none where all are 1), and the size."""
    matrix = as_csr(G, "G")
    n = matrix.shape[0]
    if matrix.shape != (n, n):
        raise InputError(f"G has the shape {matrix.shape}; a matrix of links is square")
    if n >= 2**32:
        raise InputError(f"G has {n} vertices; {2**32 - 1} are the most")
    edges = np.empty((matrix.data.size, 2), np.uint32)
    edges[:, 0] = np.repeat(np.arange(n, dtype=np.uint32), np.diff(matrix.indptr))
    edges[:, 1] = matrix.indices
    weights = matrix.data
    least = weights.min(initial=1.0)
    if least < 0.0:
        place = int(np.argmax(weights < 0.0))
        raise InputError(
            f"the link from {edges[place, 0]} to {edges[place, 1]} weighs {weights[place]}; "
            "no link may weigh less than 0"
        )
    if least == 0.0:
        edges, weights = edges[weights > 0.0], weights[weights > 0.0]
    return edges, UNWEIGHTED if (weights == 1.0).all() else weights, n
