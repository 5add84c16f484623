"""Spam farms, and how to see them: pages that exist to be linked from, and trust that has to come from somewhere.

Every page gets a little rank for being there, ``(1 - alpha) / n``. Who makes a million pages owns the rank of a
million, and can send it all to one *target*: that is a *spam farm*. Its pages link to the target, and the target links
to them, so that no rank leaves; from outside come only the links that can be planted, in guest books, say::

       the web                        |   the farm
                                      |          .---> page 1 ---.
       accessible pages --------------|--> target ---> page 2 ---+--> target
       (they have guest books)        |          `---> page M ---'

By hand. Let x be the rank that comes from outside, already multiplied by alpha, and y the rank of the target. A page of
the farm has ``alpha y / M + (1 - alpha) / n``. All of them together send the target alpha times that, M times::

    y = x + alpha^2 y + alpha (1 - alpha) M / n       so       y = x / (1 - alpha^2) + alpha / (1 + alpha) * M / n

(leaving out the target's own ``(1 - alpha) / n``). At 0.85 a link from outside counts 3.6 times as much, and the farm
gives 0.46 of its share of the web for nothing.

What helps is to hand out nothing for nothing. *TrustRank* jumps to pages only that someone has looked at, and found
good; good pages seldom link to bad ones, so that a farm gets next to nothing. The part of a page's rank that trust does
not explain is its *spam mass*: ``(rank - trust) / rank``, near 1 for a farm, small or negative for what can be trusted.

Cost: that of `pagerank`.

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 5.4; Gyöngyi, Garcia-Molina & Pedersen, "Combating
web spam with TrustRank", *VLDB* 2004.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.csr import Indices
from smlib._core.validate import Vector, as_count
from smlib.errors import InputError
from smlib.mining.page_rank.links import GraphLike, read_pairs
from smlib.mining.page_rank.solving import PageRankResult, pagerank


class SpamFarm(NamedTuple):
    """A web with a farm in it.

    Attributes
    ----------
    edges : ndarray of int64, shape (m, 2)
        All links, from and to.
    target : int
        The page that the farm is for.
    supporting : range
        The pages of the farm.
    """

    edges: NDArray[np.int64]
    target: int
    supporting: range


def spam_farm(edges: ArrayLike, accessible: Iterable[int], supporting: int) -> SpamFarm:
    """Add a spam farm to a web.

    Parameters
    ----------
    edges : array_like of int, shape (m, 2)
        The web: pairs (from, to), with vertices numbered from 0.
    accessible : iterable of int
        The pages of the web in which a link to the target can be planted.
    supporting : int
        How many pages the farm has, at least 1.

    Returns
    -------
    SpamFarm
        The target has the first number that is free, its farm the next ones.

    Raises
    ------
    InputError
        ``edges`` are no pairs of numbers from 0, a page is not in the web, or the farm has no page.

    Notes
    -----
    Complexity: O(m + supporting).

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 5.4.1.

    Examples
    --------
    >>> farm = spam_farm([(0, 1), (1, 0)], accessible=[1], supporting=2)
    >>> farm.target, farm.edges.tolist()
    (2, [[0, 1], [1, 0], [1, 2], [2, 3], [3, 2], [2, 4], [4, 2]])
    """
    web: Indices = read_pairs(edges)
    target = int(web.max()) + 1 if web.size else 0
    pages = as_count(supporting, "supporting")
    if pages == 0:
        raise InputError("supporting is 0; a farm has at least 1 page")
    planted = sorted(set(accessible))
    if planted and not 0 <= planted[0] <= planted[-1] < target:
        wrong = planted[0] if planted[0] < 0 else planted[-1]
        raise InputError(f"accessible has page {wrong}, but the pages of the web are numbered from 0 to {target - 1}")
    farm = range(target + 1, target + 1 + pages)
    grown = [(page, target) for page in planted] + [pair for page in farm for pair in ((target, page), (page, target))]
    return SpamFarm(np.concatenate([web.astype(np.int64), np.array(grown, np.int64)]), target, farm)


def trust_rank(
    G: GraphLike,
    trusted: Iterable[Any],
    alpha: float = 0.85,
    max_iter: int = 100,
    tol: float = 1e-10,
    *,
    weight: str | None = "weight",
) -> PageRankResult:
    """Rank vertices by a walker who jumps to those only that are known to be good.

    Parameters
    ----------
    G, alpha, max_iter, tol, weight
        As for `pagerank`.
    trusted : iterable
        Vertices, at least one.

    Returns
    -------
    PageRankResult

    Raises
    ------
    InputError
        As for `pagerank`; no vertex is trusted.

    Notes
    -----
    Complexity: O(m + n) a sweep.

    References
    ----------
    Gyöngyi, Garcia-Molina & Pedersen, "Combating web spam with TrustRank", *VLDB* 2004; Leskovec, Rajaraman & Ullman,
    *Mining of Massive Datasets*, section 5.4.4.

    Examples
    --------
    >>> farm = spam_farm([(0, 1), (1, 2), (2, 0), (2, 1)], accessible=[], supporting=100)
    >>> trust_rank(farm.edges, [0])[farm.target]
    0.0
    """
    return pagerank(G, alpha, set(trusted), max_iter, tol, weight=weight)


def spam_mass(rank: PageRankResult, trust: PageRankResult) -> Vector:
    """Return the part of each vertex's rank that trust does not explain.

    Parameters
    ----------
    rank, trust : PageRankResult
        What `pagerank` and `trust_rank` return for one graph.

    Returns
    -------
    ndarray, shape (n,)
        ``(rank - trust) / rank``: near 1 for spam; 0 where there is no rank.

    Raises
    ------
    InputError
        The results are of different graphs.

    Notes
    -----
    Complexity: O(n).

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 5.4.5.

    Examples
    --------
    >>> farm = spam_farm([(0, 1), (1, 2), (2, 0), (2, 1)], accessible=[1], supporting=100)
    >>> mass = spam_mass(pagerank(farm.edges), trust_rank(farm.edges, [0]))
    >>> mass[[1, farm.target]].round(1)
    array([-32.5,   0.4])
    """
    if len(rank) != len(trust):
        raise InputError(f"rank has {len(rank)} vertices and trust {len(trust)}; both must be of one graph")
    ranked = rank.scores > 0.0
    return np.divide(rank.scores - trust.scores, rank.scores, out=np.zeros(len(rank)), where=ranked)
