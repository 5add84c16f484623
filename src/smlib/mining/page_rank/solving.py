"""PageRank by sweeps or by steps of the walk, for one way to jump or for several.

The equations. Let ``w(u, v)`` be what the link from u to v weighs, ``s(u)`` the sum over the links of u, and ``y(u) =
x(u) / s(u)`` the rank that u has for each unit of weight. Vertices without links, the *dangling* ones, hold the rank
``m`` together, and it goes to all vertices as ``dangling`` says. In equilibrium::

    x(v) = alpha * sum(w(u, v) * y(u)) + alpha * m * dangling(v) + (1 - alpha) * personalization(v)

*Power iteration* puts any x on the right and takes what comes out, again and again. Each time the error falls by the
factor alpha at least.

*Gauss-Seidel* does three things better.

1. It leaves the dangling vertices out, for nobody asks for their ranks. What is left are the *linking* ones, and the
   equations for one way q to jump, ``s(v) z(v) - alpha * sum(w(u, v) z(u)) = q(v)``. Where dangling vertices jump as
   all others do, x is z times s, divided by its sum: m only makes x longer. Else x is a sum of two solutions, one for
   each way to jump, and m follows from them. The dangling vertices are ranked once, at the end.
2. It uses each new value at once, and so needs half as many passes.
3. After each sweep it makes the whole right. All equations together say what z must weigh: add them up, and every
   link appears twice, once as what leaves its source and once as what comes to its target. So the sum of ``z(u) * (s(u)
   - alpha * what u's links to linking vertices weigh)`` is the sum of q. A sweep leaves that balance wrong, and what is
   wrong with it is just what later sweeps mend most slowly; one multiplication mends it now.

The proof. Let r be the residual: what one step of the walk would change, added up over all vertices. No step makes a
difference longer than alpha times what it was, so that x is no farther than ``r / (1 - alpha)`` from the true ranks.
The residual is computed at the end, from the links; sweeps alone decide nothing.

Cost: O(links + vertices) a sweep or a step; about ``log(1/tol) / log(1/alpha)`` steps of power iteration, 142 at the
worst for the defaults, and a half to a tenth as many sweeps.

Langville & Meyer, *Google's PageRank and Beyond*, chapters 4, 8 and 9; Gleich, Gray, Greif & Lau, "An inner-outer
iteration for computing PageRank", *SIAM Journal on Scientific Computing* 32 (2010).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from smlib._core.results import CONVERGED, ITERATION_LIMIT, Result
from smlib._core.validate import Vector, as_count, as_nonnegative, as_number
from smlib.errors import InputError
from smlib.mining.page_rank.links import GraphLike, Links, as_distribution, as_links, in_users_order
from smlib.mining.page_rank.sweeps import pull, sweep_links


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PageRankResult(Result, Mapping[Any, float]):
    """The rank of each vertex, and how far it may be from the true one.

    It is a mapping from vertices to ranks as well: ``result[node]``, ``dict(result)``, ``max(result, key=result.get)``.

    Attributes
    ----------
    scores : ndarray, shape (n,)
        The ranks, which add up to 1; of a NetworkX graph in the order of its nodes.
    success : bool
        Whether the residual of ``scores``, computed from the links, meets the tolerance.
    status : int
        0 converged, 1 limit on iterations reached.
    message : str
        The same in words, with the numbers.
    nit : int
        Sweeps or steps done.
    residual_norms : ndarray, shape (nit + 1,)
        What a step of the walk would change, added up over all vertices: before each iteration, and at last for
        ``scores``. Sweeps measure it in passing, at each vertex just before it moves; the last one is computed anew.
    error_bound : float
        ``scores`` are no farther than this from the true ranks, the distances of all vertices added up.
    """

    scores: Vector
    success: bool
    status: int
    message: str
    nit: int
    residual_norms: Vector
    error_bound: float
    places: Mapping[Any, int] | range

    def __getitem__(self, node: Any) -> float:
        if node not in self.places:
            raise KeyError(node)
        return float(self.scores[self.places[node]])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def _rows(self) -> list[tuple[str, str]]:
        return [row for row in Result._rows(self) if row[0] != "places"]


def pagerank(
    G: GraphLike,
    alpha: float = 0.85,
    personalization: Any = None,
    max_iter: int = 100,
    tol: float = 1e-10,
    nstart: Any = None,
    dangling: Any = None,
    *,
    weight: str | None = "weight",
    method: Literal["gauss-seidel", "power"] = "gauss-seidel",
) -> PageRankResult:
    """Rank vertices by how often a walker comes by who follows a link with chance alpha, and jumps else.

    Parameters
    ----------
    G : array_like of int, shape (m, 2); or any scipy.sparse matrix, shape (n, n); or a NetworkX graph; or Links
        As for `as_links`, which prepares a graph that is asked several times.
    alpha : float
        The chance to follow a link: at least 0, less than 1.
    personalization : mapping, array_like of shape (n,), or set, optional
        Where the walker jumps to: numbers, not negative, of which the sum is made 1; of a mapping 0 where none is
        given; of a set all members alike. To all vertices alike if not given.
    max_iter : int
        Sweeps or steps at most.
    tol : float
        Stop when a step would change the ranks by no more than this, added up over all vertices (NetworkX multiplies
        its ``tol`` by n). The error is then at most ``tol / (1 - alpha)``.
    nstart : mapping, array_like or set, optional
        Where to start, in the form of ``personalization``, which it is if not given.
    dangling : mapping, array_like or set, optional
        Where the walker goes from a vertex without links, in the same form; as ``personalization`` says if not given.
    weight : str or None
        For NetworkX graphs: the attribute of edges that holds their weight; 1 where it is missing, or if None.
    method : {"gauss-seidel", "power"}
        Sweeps that use each new rank at once, or the walk itself, step by step.

    Returns
    -------
    PageRankResult
        A reached limit is reported in ``status``, not raised.

    Raises
    ------
    InputError
        What `as_links` refuses; a number out of its range; a vertex that is not there.

    Notes
    -----
    Complexity: O(m + n) a sweep or step; mostly ten to twenty sweeps, or two to four times as many steps.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, sections 5.1 and 5.2.

    Examples
    --------
    >>> result = pagerank([(0, 1), (0, 2), (0, 3), (1, 0), (1, 3), (2, 2), (3, 1), (3, 2)], alpha=0.8)
    >>> (result.scores * 148).round(6)
    array([15., 19., 95., 19.])
    >>> max(result, key=result.get), result.success
    (2, True)
    """
    links = as_links(G, weight=weight)
    alpha = as_chance(alpha)
    teleport = as_distribution(personalization, links, "personalization")
    landing = teleport if dangling is None else as_distribution(dangling, links, "dangling")
    start = teleport if nstart is None else as_distribution(nstart, links, "nstart")
    limit, tol = as_count(max_iter, "max_iter"), as_nonnegative(tol, "tol")
    if method not in METHODS:
        raise InputError(f"method is {method!r}; the methods are {', '.join(map(repr, METHODS))}")
    if links.size == 0:
        return _result(links, start, [0.0], alpha, tol)
    x, norms = METHODS[method](links, alpha, teleport, landing, start, tol, limit)
    return _result(links, x, norms, alpha, tol)


def topic_sensitive_pagerank(
    G: GraphLike,
    topics: Mapping[Any, Any],
    alpha: float = 0.85,
    max_iter: int = 100,
    tol: float = 1e-10,
    *,
    weight: str | None = "weight",
) -> dict[Any, PageRankResult]:
    """Rank vertices once for each topic, by a walker who jumps to the pages of that topic only.

    Parameters
    ----------
    G, alpha, max_iter, tol, weight
        As for `pagerank`. The graph is prepared once.
    topics : mapping
        For each topic the ``personalization`` of `pagerank`: mostly the set of its vertices.

    Returns
    -------
    dict
        A `PageRankResult` for each topic. The ranks for a mixture of topics are the same mixture of their ranks.

    Raises
    ------
    InputError
        As for `pagerank`.

    Notes
    -----
    Complexity: O(m + n) a sweep and topic.

    References
    ----------
    Haveliwala, "Topic-sensitive PageRank", *WWW* 2002; Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*,
    section 5.3.

    Examples
    --------
    >>> pages = [(0, 1), (1, 0), (1, 2), (2, 3), (3, 2)]
    >>> by_topic = topic_sensitive_pagerank(pages, {"sport": {0, 1}, "chess": {3}})
    >>> {topic: result.scores.round(3).tolist() for topic, result in by_topic.items()}
    {'sport': [0.167, 0.217, 0.333, 0.283], 'chess': [0.0, 0.0, 0.459, 0.541]}
    """
    if not isinstance(topics, Mapping):
        raise InputError(f"topics is a {type(topics).__name__}; give a mapping from topics to sets of vertices")
    links = as_links(G, weight=weight)
    return {topic: pagerank(links, alpha, pages, max_iter, tol) for topic, pages in topics.items()}


def as_chance(alpha: float) -> float:
    """Return alpha if it is at least 0 and less than 1."""
    chance = as_number(alpha, "alpha")
    if not 0.0 <= chance < 1.0:
        raise InputError(
            f"alpha is {chance}; it must be at least 0 and less than 1, for a walker who never jumps may end anywhere"
        )
    return chance


def _result(links: Links, x: Vector, norms: list[float], alpha: float, tol: float) -> PageRankResult:
    last, nit = norms[-1], len(norms) - 1
    converged = last <= tol
    said = f"residual {last:.2e} {'<=' if converged else '>'} {tol:.2e} after {nit} iterations"
    message = f"converged: {said}" if converged else f"{said}: raise max_iter, or tol"
    status = CONVERGED if converged else ITERATION_LIMIT
    scores = in_users_order(links, x)
    return PageRankResult(scores, converged, status, message, nit, np.array(norms), last / (1.0 - alpha), links.places)


def walk(links: Links, alpha: float, x: Vector, mass: float, teleport: Vector, landing: Vector) -> Vector:
    """Return the ranks after one step of the walk; of the dangling vertices only their mass is asked for."""
    rows = links.rows
    fresh = np.empty(links.size)
    pull(rows.indptr, rows.sources, rows.weights, rows.loops, x[: rows.linking] / rows.out_weights, fresh)
    fresh *= alpha
    fresh += (
        (1.0 - alpha) * teleport + (alpha * mass) * landing
        if landing is not teleport
        else (1.0 - alpha + alpha * mass) * teleport
    )
    return fresh


def iterate_power(
    links: Links, alpha: float, teleport: Vector, landing: Vector, x: Vector, tol: float, limit: int
) -> tuple[Vector, list[float]]:
    """Step until a step changes little."""
    norms: list[float] = []
    while True:
        fresh = walk(links, alpha, x, float(x[links.rows.linking :].sum()), teleport, landing)
        norms.append(float(np.abs(fresh - x).sum()))
        if norms[-1] <= tol or len(norms) > limit:
            return x, norms
        x = fresh


class LinkingSystem:
    """The equations of the linking vertices for one way to jump, and how far they are solved.

    Attributes
    ----------
    y : ndarray, shape (linking,)
        The solution so far, for each unit of weight.
    rank : float
        What the linking vertices have together: the sum of ``out_weights * y``.
    """

    def __init__(self, links: Links, alpha: float, teleport: Vector, start: Vector) -> None:
        rows = links.rows
        self.rows, self.alpha, self.teleport = rows, alpha, teleport
        self.diagonal = rows.out_weights - alpha * rows.loops
        self.column_sums = rows.out_weights - alpha * links.kept
        self.right = float(teleport[: rows.linking].sum())
        self.met = 0.0
        self.y = start[: rows.linking] / rows.out_weights
        self._balance(float(rows.out_weights @ self.y), float(self.column_sums @ self.y))

    @property
    def total(self) -> float:
        """What all vertices have together, dangling ones included, if these equations hold."""
        return 1.0 + self.alpha * self.rank

    def sweep(self) -> float:
        """Sweep once, mend the balance, and return what residuals were met, as a part of the whole."""
        rows = self.rows
        met, rank, balance = sweep_links(
            rows.indptr, rows.sources, rows.weights, self.teleport, self.alpha,
            self.diagonal, rows.out_weights, self.column_sums, self.y,
        )  # fmt: skip
        self._balance(rank, balance)
        return met / self.total

    def solve(self, goal: float, limit: int, norms: list[float]) -> None:
        """Sweep until the residual can be expected to be small."""
        while len(norms) < limit:
            before, self.met = self.met, self.sweep()
            norms.append(self.met)
            # What is left was measured by no one yet: at most alpha times what was met, and likely as much less than
            # that was less than what was met before.
            if self.met * min(self.alpha, self.met / before if before > 0.0 else 1.0) <= goal:
                return

    def _balance(self, rank: float, balance: float) -> None:
        scale = self.right / balance if balance > 0.0 else 1.0
        self.y *= scale
        self.rank = scale * rank


def sweep_gauss_seidel(
    links: Links, alpha: float, teleport: Vector, landing: Vector, start: Vector, tol: float, limit: int
) -> tuple[Vector, list[float]]:
    """Sweep over the linking vertices until the residual, which is computed from all links, is small."""
    norms: list[float] = []
    systems = [LinkingSystem(links, alpha, teleport, start)]
    if landing is not teleport and links.rows.linking < links.size:
        systems.append(LinkingSystem(links, alpha, landing, landing))
    goal = tol
    while True:
        for system in systems:
            system.solve(goal, limit, norms)
        x, residual = complete(links, alpha, systems, teleport, landing)
        if residual <= tol or len(norms) >= limit:
            return x, [*norms, residual]
        goal *= 0.1


def complete(
    links: Links, alpha: float, systems: list[LinkingSystem], teleport: Vector, landing: Vector
) -> tuple[Vector, float]:
    """Return the ranks of all vertices, and the residual: one step of the walk finds both."""
    rows = links.rows
    jumping, *falling = systems
    y = jumping.y / jumping.total
    if falling:
        mass = (1.0 - (1.0 - alpha) * jumping.rank) / falling[0].total
        y = (1.0 - alpha) * jumping.y + (alpha * mass) * falling[0].y
    linking = rows.out_weights * y
    mass = 1.0 - float(linking.sum()) if rows.linking < links.size else 0.0
    x = walk(links, alpha, linking, mass, teleport, landing)
    residual = float(np.abs(x[: rows.linking] - linking).sum()) + abs(float(x[rows.linking :].sum()) - mass)
    x[: rows.linking] = linking
    return x / x.sum(), residual


METHODS = {"gauss-seidel": sweep_gauss_seidel, "power": iterate_power}
