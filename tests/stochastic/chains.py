"""Chains to try, and what is asked of them by exact fractions: slow, short, and by another way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse
from hypothesis import strategies as st
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# Grinstead & Snell, example 11.1, the Land of Oz: rain, nice, snow.
OZ = np.array([[1 / 2, 1 / 4, 1 / 4], [1 / 2, 0, 1 / 2], [1 / 4, 1 / 4, 1 / 2]])
# Courtois, *Decomposability* (1977): three groups of states that seldom lead to each other.
COURTOIS = np.array(
    [
        [0.85, 0, 0.149, 0.0009, 0, 0.00005, 0, 0.00005],
        [0.1, 0.65, 0.249, 0, 0.0009, 0.00005, 0, 0.00005],
        [0.1, 0.8, 0.0996, 0.0003, 0, 0, 0.0001, 0],
        [0, 0.0004, 0, 0.7, 0.2995, 0, 0.0001, 0],
        [0.0005, 0, 0.0004, 0.399, 0.6, 0.0001, 0, 0],
        [0, 0.00005, 0, 0, 0.00005, 0.6, 0.2499, 0.15],
        [0.00003, 0, 0.00003, 0.00004, 0, 0.1, 0.8, 0.0999],
        [0, 0.00005, 0, 0, 0.00005, 0.1999, 0.25, 0.55],
    ]
)


def walk_to_neighbours(n: int, up: float = 0.5) -> Matrix:
    """Return a walk on 0 to n that ends at both."""
    P = np.diag(np.full(n, up), 1) + np.diag(np.full(n, 1.0 - up), -1)
    P[[0, n]] = 0.0
    P[0, 0] = P[n, n] = 1.0
    return P


@st.composite
def matrices(draw: st.DrawFn, *, largest: int = 9, kinds: Sequence[str] = ()) -> Matrix:
    """Draw a stochastic matrix of any structure."""
    n = draw(st.integers(1, largest))
    kind = draw(st.sampled_from(kinds or ["any", "full", "periodic", "reducible", "decomposable"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = rng.uniform(0.1, 1.0, (n, n))
    if kind != "full":
        weights *= rng.random((n, n)) < draw(st.floats(0.1, 1.0))
    group = rng.integers(0, draw(st.integers(1, 3)), n)
    if kind == "periodic":
        # From each group to the next one only.
        weights[np.not_equal.outer(group + 1, group + (group.max() + 1) * (group == 0))] = 0.0
    elif kind == "reducible":
        weights[np.greater.outer(group, group)] = 0.0
    elif kind == "decomposable":
        weights[np.not_equal.outer(group, group)] *= draw(st.sampled_from([1e-3, 1e-12]))
    stuck = np.flatnonzero(weights.sum(axis=1) == 0.0)
    weights[stuck, rng.permutation(n)[: len(stuck)]] = 1.0
    P: Matrix = weights / weights.sum(axis=1, keepdims=True)
    return P


def forms(P: Matrix) -> list[Any]:
    """Return a matrix in full and as sparse rows."""
    return [P, scipy.sparse.csr_array(P)]


def reaches(P: Matrix) -> NDArray[np.bool_]:
    """Say from which state which can be reached, in no step or more, by trying all."""
    n = len(P)
    reached: NDArray[np.bool_] = np.eye(n, dtype=bool)
    for _ in range(n):
        reached = reached | (reached.astype(int) @ (P > 0).astype(int) > 0)
    return reached


def classes_by_trying(P: Matrix) -> tuple[list[list[int]], list[list[int]]]:
    """Return the communication classes and the recurrent ones."""
    reached = reaches(P)
    both = reached & reached.T
    classes = sorted({tuple(np.flatnonzero(row).tolist()) for row in both})
    recurrent = [c for c in classes if not any(reached[c[0], j] for j in range(len(P)) if j not in c)]
    return [list(c) for c in classes], [list(c) for c in recurrent]


def period_by_trying(P: Matrix, state: int) -> int:
    """Return the greatest common divisor of the lengths of ways from a state to itself."""
    step, power, divisor = P > 0, np.eye(len(P), dtype=bool), 0
    for length in range(1, 2 * len(P) ** 2 + 2):
        power = power.astype(int) @ step.astype(int) > 0
        if power[state, state]:
            divisor = math.gcd(divisor, length)
    return divisor


def exact_solution(A: list[list[Fraction]], b: list[list[Fraction]]) -> list[list[Fraction]]:
    """Solve linear equations by Gauss and Jordan."""
    n = len(A)
    rows = [A[i] + b[i] for i in range(n)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                factor = rows[i][k]
                rows[i] = [value - factor * other for value, other in zip(rows[i], rows[k], strict=True)]
    return [row[n:] for row in rows]


def exact_stationary(P: Matrix) -> list[Fraction]:
    """Return the stationary distribution of an irreducible chain whose chances to go are exactly these floats."""
    n = len(P)
    A = generator(P)
    equations = [[A[j][i] for j in range(n)] for i in range(n - 1)] + [[Fraction(1)] * n]
    return [row[0] for row in exact_solution(equations, [[Fraction(int(i == n - 1))] for i in range(n)])]


def exact_sums(P: Matrix, inside: Sequence[int], right: Matrix) -> list[list[Fraction]]:
    """Solve ``x = right + Q x`` for the part Q of a chain; the chance to stay is what is missing to 1."""
    A = generator(P)
    part = [[-A[i][j] for j in inside] for i in inside]
    return exact_solution(part, [[Fraction(value) for value in row] for row in right.tolist()])


def generator(P: Matrix) -> list[list[Fraction]]:
    """Return P - I in fractions, with rows that add up to 0."""
    rows = [[Fraction(value) for value in row] for row in P.tolist()]
    for i, row in enumerate(rows):
        row[i] = -sum((value for j, value in enumerate(row) if j != i), Fraction(0))
    return rows


def relative_error(found: Matrix, exact: Any) -> float:
    """Return the largest error of an entry relative to itself."""
    pairs = zip(np.ravel(found).tolist(), np.ravel(np.array(exact, object)).tolist(), strict=True)
    return max((float(abs((Fraction(x) - y) / y)) if y else float(x != 0)) for x, y in pairs)
