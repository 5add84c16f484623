"""Cases of chains in continuous time: uniformisation beside exponentials of matrices."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.stats
from scipy.sparse.linalg import expm_multiply

from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer
from smlib.stochastic import ContinuousTimeMarkovChain, birth_death_chain

TIME = 100.0


class Queue:
    """A queue that is half full at the start, in the forms that the contenders want."""

    def __init__(self, size: int) -> None:
        self.chain = birth_death_chain(np.full(size - 1, 0.9), np.ones(size - 1))
        self.start: Vector = np.zeros(size)
        self.start[size // 2] = 1.0

    @cached_property
    def flows(self) -> scipy.sparse.csr_array:
        """What SciPy takes the exponential of: columns are where the chain comes from."""
        return scipy.sparse.csr_array(TIME * self.chain.Q.T)

    @cached_property
    def dense_flows(self) -> Vector:
        """The same as a full matrix."""
        return np.asarray(self.flows.toarray())


class Network(NamedTuple):
    """A chain in which each state leads to each other one, at rates of very different sizes."""

    chain: ContinuousTimeMarkovChain
    scaled: Vector


def _network(size: int) -> Network:
    rng = np.random.default_rng(size)
    rates = rng.exponential(size=(size, size)) * 10.0 ** rng.uniform(-3, 1, (size, 1)) / size
    np.fill_diagonal(rates, 0.0)
    Q = rates - np.diag(rates.sum(axis=1))
    return Network(ContinuousTimeMarkovChain(Q), TIME * Q)


def _near(_: Any, ours: Vector, theirs: Vector) -> Agreement:
    distance = float(0.5 * np.abs(ours - theirs).sum(axis=-1).max())
    return Agreement(distance <= 1e-9, f"total variation {distance:.1e}")


CASES = (
    Case(
        "markov_chains",
        "a queue at a time, sparse",
        "states",
        (1_000, 10_000, 100_000),
        Queue,
        lambda queue: queue.chain.distribution(queue.start, TIME),
        (
            Peer("SciPy expm_multiply", "scipy", lambda queue: expm_multiply(queue.flows, queue.start)),
            Peer(
                "SciPy expm", "scipy", lambda queue: scipy.linalg.expm(queue.dense_flows) @ queue.start, max_size=1_000
            ),
        ),
        _near,
        note="A birth-death chain; at that time some 190 jumps are expected. Ours leaves out 1e-12 and has no negative "
        "entry; expm_multiply works for any matrix, and needs norms of powers of it to choose its steps.",
    ),
    Case(
        "markov_chains",
        "transition matrix at a time, dense",
        "states",
        (50, 200, 800),
        _network,
        lambda network: network.chain.transition_matrix(TIME),
        (Peer("SciPy expm", "scipy", lambda network: scipy.linalg.expm(network.scaled)),),
        _near,
        note="Both square a matrix many times; SciPy begins with a Padé approximation. Ours has every entry right to "
        "14 digits or so, for nothing is subtracted, and divides each row by its sum at each squaring, which shows at "
        "small sizes.",
    ),
)
