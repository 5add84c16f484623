"""Graphs to try, and the equations of PageRank in full matrices: slow, short, and by another way."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# Mining of Massive Datasets, figures 5.1, 5.6 and 5.15: pages A, B, C, D.
BOOK_WEB = [(0, 1), (0, 2), (0, 3), (1, 0), (1, 3), (2, 0), (3, 1), (3, 2)]
BOOK_TRAP = [(0, 1), (0, 2), (0, 3), (1, 0), (1, 3), (2, 2), (3, 1), (3, 2)]
# The same, figure 5.18: pages A to E, of which the last one is dangling.
BOOK_HUBS = [(0, 1), (0, 2), (0, 3), (1, 0), (1, 3), (2, 4), (3, 1), (3, 2)]


class Problem(NamedTuple):
    """A graph as a full matrix of weights, and what is asked of it."""

    weights: Matrix
    alpha: float
    personalization: Matrix | None
    dangling: Matrix | None

    @property
    def edges(self) -> NDArray[np.int64]:
        """Pairs, each as often as it weighs."""
        return np.repeat(np.argwhere(self.weights), self.weights[self.weights > 0].astype(int), axis=0)

    def options(self) -> dict[str, Any]:
        return {"personalization": self.personalization, "dangling": self.dangling}


@st.composite
def problems(draw: st.DrawFn, *, whole: bool = False, largest: int = 10) -> Problem:
    """Draw a graph of any structure: no links or all, loops, dangling vertices, parts without a link between them."""
    n = draw(st.integers(1, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = np.floor(rng.integers(1, 5, (n, n)) if whole else 1e3 ** rng.uniform(-1.0, 1.0, (n, n)) * 16) / 16
    weights *= rng.random((n, n)) < draw(st.floats(0.0, 1.0))
    weights[rng.random(n) < draw(st.sampled_from([0.0, 0.4]))] = 0.0
    if draw(st.booleans()):
        side = rng.random(n) < 0.5
        weights[np.not_equal.outer(side, side)] = 0.0
    return Problem(weights, draw(st.sampled_from([0.0, 0.5, 0.85, 0.97])), *(_jumps(draw, rng, n) for _ in range(2)))


def _jumps(draw: st.DrawFn, rng: np.random.Generator, n: int) -> Matrix | None:
    kind = draw(st.sampled_from(["none", "all", "few"]))
    if kind == "none":
        return None
    jumps = rng.random(n) * (rng.random(n) < (1.0 if kind == "all" else 0.3))
    jumps[rng.integers(n)] = 0.5
    return jumps


def google_matrix(problem: Problem) -> Matrix:
    """Return the transition matrix of the walk, jumps included: entry (u, v) is the chance to go from u to v."""
    n = len(problem.weights)
    jumps = np.ones(n) if problem.personalization is None else problem.personalization
    falls = jumps if problem.dangling is None else problem.dangling
    sums = problem.weights.sum(axis=1)
    P = np.where((sums > 0)[:, None], problem.weights / np.where(sums > 0, sums, 1.0)[:, None], falls / falls.sum())
    google: Matrix = problem.alpha * P + (1.0 - problem.alpha) * jumps / jumps.sum()
    return google


def true_ranks(problem: Problem) -> Matrix:
    """Return the fixed point of the walk, by elimination: ``x (I - G + 1 1^T) = 1^T``, as x adds up to 1."""
    n = len(problem.weights)
    ranks = np.linalg.solve((np.eye(n) - google_matrix(problem) + np.ones((n, n))).T, np.ones(n))
    return np.asarray(ranks, np.float64)
