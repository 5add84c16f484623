"""Cases of Markov chains in discrete time, and the others of the topic."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer
from smlib.compare.cases.stochastic import markov_letters, markov_uniformisation
from smlib.stochastic import MarkovChain

Paths = NDArray[np.int64]

STEPS = (100_000, 1_000_000, 10_000_000)
REPEATS = 1_000


def _quantecon() -> Any:
    return import_module("quantecon").markov


# Stationary distributions.


def _full(size: int) -> Vector:
    """Return a matrix in which every step is possible."""
    weights = np.random.default_rng(size).random((size, size))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _solve(P: Vector) -> Vector:
    """Solve the equations of the stationary distribution, one of which is put aside for the sum."""
    equations = P.T - np.eye(len(P))
    equations[-1] = 1.0
    return np.asarray(np.linalg.solve(equations, np.eye(len(P))[-1]))


def _buffer(size: int) -> scipy.sparse.csr_array:
    """Return the chain of a buffer into which bursts of up to 5 come, and which is emptied one by one."""
    bursts = [0.3 / 2**k for k in range(1, 6)]
    diagonals = [np.full(size - 1, 0.6), *(np.full(size - k, burst) for k, burst in enumerate(bursts, 1))]
    moves = scipy.sparse.diags_array(diagonals, offsets=[-1, 1, 2, 3, 4, 5])
    return (moves + scipy.sparse.diags_array(1.0 - moves.sum(axis=1))).tocsr()


def _sparse_solve(P: scipy.sparse.csr_array) -> Vector:
    """Solve the equations of all states but the first, which is visited once."""
    n = P.shape[0]
    equations = (scipy.sparse.eye_array(n) - P).T.tocsc()
    visits = scipy.sparse.linalg.spsolve(equations[1:, 1:], -equations[1:, [0]].toarray()[:, 0])
    return np.asarray(np.r_[1.0, visits] / (1.0 + visits.sum()))


def _same_distribution(_: Any, ours: Vector, theirs: Vector) -> Agreement:
    distance = float(0.5 * np.abs(ours - theirs).sum())
    return Agreement(distance <= 1e-10, f"total variation {distance:.1e}")


# Walks.


class Walk:
    """A chain as each of the contenders has it, with its tables made, and the number of steps to go."""

    def __init__(self, states: int, steps: int) -> None:
        self.steps = steps
        self.ours = MarkovChain(_full(states))
        self.ours.simulate(2, rng=0)

    @cached_property
    def theirs(self) -> Any:
        """The chain of quantecon."""
        chain = _quantecon().MarkovChain(self.ours.P)
        chain.simulate(2)
        return chain


def _walk_of(states: int) -> Callable[[int], Walk]:
    return lambda steps: Walk(states, steps)


def _as_frequent(walk: Walk, ours: Paths, theirs: Paths) -> Agreement:
    """Say whether both are in each state about as often as they should be."""
    pi = walk.ours.stationary_distributions[0]
    worst = 0.0
    for path in (ours, theirs):
        shares = np.bincount(path.ravel(), minlength=pi.size) / path.size
        worst = max(worst, float((np.abs(shares - pi) / np.sqrt(pi / path.size)).max()))
    return Agreement(
        ours.shape == theirs.shape and worst <= 8.0, f"shares of time at most {worst:.1f} standard errors from pi"
    )


# Elimination and structure.


def _leaking(size: int) -> Vector:
    """Return chances among states, from each of which a step in a hundred leads out."""
    return 0.99 * _full(size)


def _absorbing(Q: Vector) -> Vector:
    """Return what the fundamental matrix is asked of: all, and a state in which the chain ends."""
    n = len(Q)
    P = np.zeros((n + 1, n + 1))
    P[:n, :n], P[:n, n], P[n, n] = Q, 1.0 - Q.sum(axis=1), 1.0
    return MarkovChain(P).fundamental_matrix


def _same_matrix(_: Any, ours: Vector, theirs: Vector) -> Agreement:
    difference = float(np.abs(ours / theirs - 1.0).max())
    return Agreement(difference <= 1e-8, f"entries differ by {difference:.1e} of themselves")


def _web(size: int) -> scipy.sparse.csr_array:
    """Return a walk on a random graph with two links a state: one large class, and many small ones."""
    rng = np.random.default_rng(size)
    ones = np.ones(2 * size)
    links = scipy.sparse.csr_array((ones, (np.repeat(np.arange(size), 2), rng.integers(0, size, 2 * size))))
    return scipy.sparse.diags_array(1.0 / links.sum(axis=1)) @ scipy.sparse.csr_array(links, shape=(size, size))


def _count(chain: Any) -> tuple[int, int]:
    return chain.num_communication_classes, chain.num_recurrent_classes


def _same_count(_: Any, ours: tuple[int, int], theirs: tuple[int, int]) -> Agreement:
    return Agreement(ours == theirs, f"{ours[0]} classes, {ours[1]} of them recurrent")


CASES = (
    *markov_letters.CASES,
    Case(
        "markov_chains",
        "stationary distribution, dense",
        "states",
        (125, 250, 500),
        _full,
        lambda P: MarkovChain(P).stationary_distributions[0],
        (
            Peer("quantecon gth_solve", "quantecon", lambda P: _quantecon().gth_solve(P)),
            Peer(
                "quantecon MarkovChain",
                "quantecon",
                lambda P: _quantecon().MarkovChain(P).stationary_distributions[0],
            ),
            Peer("NumPy solve", "numpy", _solve),
        ),
        _same_distribution,
        note="quantecon's elimination is the same, a state at a time; ours takes out 48 states together, so that most "
        "of the work is a product of matrices. NumPy (LAPACK) subtracts: where groups of states lead to each other "
        "with chance 1e-12 it has four digits, and the others all.",
    ),
    Case(
        "markov_chains",
        "stationary distribution, sparse",
        "states",
        (1_000, 10_000, 100_000),
        _buffer,
        lambda P: MarkovChain(P).stationary_distributions[0],
        (
            Peer("SciPy spsolve", "scipy", _sparse_solve),
            Peer(
                "quantecon MarkovChain",
                "quantecon",
                lambda P: _quantecon().MarkovChain(P).stationary_distributions[0],
                max_size=1_000,
            ),
        ),
        _same_distribution,
        note="A buffer: each state leads to a few near it. quantecon makes the matrix dense.",
    ),
    Case(
        "markov_chains",
        "a path, 10 states",
        "steps",
        STEPS,
        _walk_of(10),
        lambda walk: walk.ours.simulate(walk.steps, rng=7),
        (Peer("quantecon", "quantecon", lambda walk: walk.theirs.simulate(walk.steps, random_state=7)),),
        _as_frequent,
        note="Both have their tables. quantecon draws all numbers, then searches a row of sums for each.",
    ),
    Case(
        "markov_chains",
        "a path, 1000 states",
        "steps",
        STEPS,
        _walk_of(1_000),
        lambda walk: walk.ours.simulate(walk.steps, rng=7),
        (Peer("quantecon", "quantecon", lambda walk: walk.theirs.simulate(walk.steps, random_state=7)),),
        _as_frequent,
        note="A table of 8 MB: what takes the time is to wait for the memory.",
    ),
    Case(
        "markov_chains",
        f"{REPEATS} paths, 1000 states",
        "steps",
        STEPS,
        _walk_of(1_000),
        lambda walk: walk.ours.simulate(walk.steps // REPEATS, num_reps=REPEATS, rng=7),
        (
            Peer(
                "quantecon",
                "quantecon",
                lambda walk: walk.theirs.simulate(walk.steps // REPEATS, num_reps=REPEATS, random_state=7),
            ),
        ),
        _as_frequent,
        note="Eight walks side by side wait for the memory together.",
    ),
    Case(
        "markov_chains",
        "fundamental matrix",
        "states",
        (125, 250, 500),
        _leaking,
        _absorbing,
        (Peer("NumPy inv", "numpy", lambda Q: np.linalg.inv(np.eye(len(Q)) - Q)),),
        _same_matrix,
        note="Ours subtracts nothing, and looks at the classes first.",
    ),
    Case(
        "markov_chains",
        "classes",
        "states",
        (10_000, 100_000, 1_000_000),
        _web,
        lambda P: _count(MarkovChain(P)),
        (Peer("quantecon", "quantecon", lambda P: _count(_quantecon().MarkovChain(P))),),
        _same_count,
        note="quantecon has the components found by SciPy, which is C.",
    ),
    *markov_uniformisation.CASES,
)
