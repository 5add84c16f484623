"""Hubs and authorities: whom to ask, and who knows where to ask (HITS).

PageRank knows one kind of good page. Kleinberg saw two: an *authority* is what good hubs link to, and a *hub* is what
links to good authorities. Each is defined by the other, and it need not go in circles: start with all pages alike, let
authorities be the sums of their hubs, hubs the sums of their authorities, make both add up to 1, and go on until
nothing changes. With ``L[u, v] = weight of the link from u to v`` that is ``a = L^T h, h = L a``, power iteration on
``L L^T``.

By hand. Of the links 0>1, 0>2, 1>2 the authorities are (0, 1, 2) / 3 after one round, the hubs (3, 2, 0) / 5; after two
rounds (0, 3, 5) / 8 and (8, 5, 0) / 13: Fibonacci's numbers. In the end neighbours of them are in the golden ratio.

The error falls by the ratio of the two largest eigenvalues of ``L L^T`` each time, which may be near 1; where they are
equal (two communities alike, without links between them) the answer depends on the start.

Cost: O(links + vertices) a round.

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from smlib._core.results import CONVERGED, ITERATION_LIMIT, Result
from smlib._core.validate import Vector, as_count, as_nonnegative
from smlib.mining.page_rank.links import GraphLike, as_distribution, as_links, in_users_order
from smlib.mining.page_rank.sweeps import pull, push


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HitsResult(Result):
    """How good each vertex is as a hub and as an authority.

    Attributes
    ----------
    hubs, authorities : ndarray, shape (n,)
        Each adds up to 1, or is 0 throughout if there are no links; of a NetworkX graph in the order of its nodes.
    success : bool
        Whether the last round, from authorities to hubs and back, changed the hubs by no more than the tolerance.
    status : int
        0 converged, 1 limit on iterations reached.
    message : str
        The same in words, with the numbers.
    nit : int
        Rounds done.
    residual_norms : ndarray, shape (nit,)
        How much each round changed the hubs, added up over all vertices.
    """

    hubs: Vector
    authorities: Vector
    success: bool
    status: int
    message: str
    nit: int
    residual_norms: Vector


def hits(
    G: GraphLike, max_iter: int = 100, tol: float = 1e-8, nstart: Any = None, *, weight: str | None = "weight"
) -> HitsResult:
    """Rate vertices as hubs, which link to good authorities, and as authorities, to which good hubs link.

    Parameters
    ----------
    G, weight
        As for `pagerank`.
    max_iter : int
        Rounds at most.
    tol : float
        Stop when a round changes the hubs by no more than this, added up over all vertices.
    nstart : mapping, array_like of shape (n,), or set, optional
        The hubs to start with, not negative; all alike if not given.

    Returns
    -------
    HitsResult
        A reached limit is reported in ``status``, not raised.

    Raises
    ------
    InputError
        As for `pagerank`.

    Notes
    -----
    Complexity: O(m + n) a round; their number depends on how far the two largest singular values are apart.

    References
    ----------
    Kleinberg, "Authoritative sources in a hyperlinked environment", *Journal of the ACM* 46 (1999); Leskovec, Rajaraman
    & Ullman, *Mining of Massive Datasets*, section 5.5.

    Examples
    --------
    >>> result = hits([(0, 1), (0, 2), (1, 2)])
    >>> result.hubs.round(4), result.authorities.round(4)
    (array([0.618, 0.382, 0.   ]), array([0.   , 0.382, 0.618]))
    """
    links = as_links(G, weight=weight)
    rows = links.rows
    hubs = as_distribution(nstart, links, "nstart")
    limit, tol = as_count(max_iter, "max_iter"), as_nonnegative(tol, "tol")
    authorities, fresh = np.zeros(links.size), np.zeros(links.size)
    changes: list[float] = []
    while len(changes) < limit and not (changes and changes[-1] <= tol):
        pull(rows.indptr, rows.sources, rows.weights, rows.loops, hubs[: rows.linking], authorities)
        _make_one(authorities)
        push(rows.indptr, rows.sources, rows.weights, rows.loops, authorities, fresh[: rows.linking])
        _make_one(fresh)
        changes.append(float(np.abs(fresh - hubs).sum()))
        hubs, fresh = fresh, hubs
        fresh[rows.linking :] = 0.0
    converged = bool(changes) and changes[-1] <= tol
    said = f"{len(changes)} rounds, of which the last changed {changes[-1] if changes else np.nan:.2e}"
    return HitsResult(
        in_users_order(links, hubs),
        in_users_order(links, authorities),
        converged,
        CONVERGED if converged else ITERATION_LIMIT,
        f"converged: {said}" if converged else f"{said}, which is more than {tol:.2e}: raise max_iter, or tol",
        len(changes),
        np.array(changes),
    )


def _make_one(values: Vector) -> None:
    """Divide values by their sum, where that is not 0."""
    total = float(values.sum())
    if total > 0.0:
        values /= total
