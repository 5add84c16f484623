r"""Powers of a transition matrix, and how soon a chain forgets where it began.

Row i of ``P^t`` is where a chain is after t steps from i. Squaring ``P`` k times makes ``2^k`` steps of it, so that a
trillion steps are 40 products. Rounding makes the rows of a power add up to nearly 1, and squaring would double what is
missing each time, so each row is divided by its sum. As in `elimination` nothing is subtracted: the chances to go far
stay accurate relative to themselves, even where a step goes anywhere with chance 1e-12.

How far two distributions are apart is the *total variation*, the largest difference of the chances that they give to
any event: ``half the sum of |mu[i] - nu[i]|``. For an irreducible and aperiodic chain the distance

    d(t) = largest over i of the total variation between row i of P^t and pi

never grows and goes to 0. The *mixing time* is the first t with ``d(t) <= 1/4``: then the first state hardly matters,
and ``2^-k`` is reached within k times as long. It is found by squaring until d is small enough, and then, as one
reads a binary number from the front, by adding each power that does not get there yet.

By hand: two states that change with chance a and b. ``d(t) = |1 - a - b|^t max(a, b) / (a + b)``; with a = b = 1/10
that is 0.8^t / 2, and the mixing time is 4: 0.8^3 / 2 = 0.256, 0.8^4 / 2 = 0.205.

Invariants, checked by the tests:
  1. Every distribution adds up to 1 and has no negative entry.
  2. ``distribution(mu, s + t)`` is ``distribution(distribution(mu, s), t)``, within rounding.
  3. ``d(mixing_time - 1) > eps >= d(mixing_time)``, but for rounding of d.

Cost: a product of matrices is 2 n^3, and the mixing time takes 2 log2(t) of them, and as many matrices of memory.
A distribution takes either as many products with P as there are steps, or log2 of that many squarings, what is less.

Levin, Peres & Wilmer, *Markov Chains and Mixing Times*, chapter 4; Lawler, *Introduction to Stochastic Processes*,
section 1.3.
"""

from __future__ import annotations

import numpy as np

from smlib._core.csr import CSRMatrix
from smlib._core.validate import Vector


def advance_by(weights: Vector | CSRMatrix, mu: Vector, steps: int) -> Vector:
    """Return where a chain is some steps after it was as mu says."""
    n = weights.shape[0]
    entries = weights.size if isinstance(weights, np.ndarray) else weights.data.size
    if steps * entries <= 2 * steps.bit_length() * n**3:
        transposed = (weights if isinstance(weights, np.ndarray) else weights.to_scipy()).T
        for _ in range(steps):
            mu = transposed @ mu
            mu /= mu.sum()
        return mu
    power = as_dense(weights)
    while steps:
        if steps & 1:
            mu = mu @ power
            mu /= mu.sum()
        steps >>= 1
        if steps:
            power = square(power)
    return mu


def first_time(P: Vector, pi: Vector, eps: float) -> int:
    """Return the first t at which every row of P^t is within eps of pi."""
    if distance(np.eye(len(pi)), pi) <= eps:
        return 0
    powers = [P]
    while distance(powers[-1], pi) > eps:
        powers.append(square(powers[-1]))
    # Of the times that are too early, the last one: 0 and all powers but the last are.
    steps, reached = 0, None
    for k in range(len(powers) - 2, -1, -1):
        farther = powers[k] if reached is None else normalise(reached @ powers[k])
        if distance(farther, pi) > eps:
            steps, reached = steps + (1 << k), farther
    return steps + 1


def distance(rows: Vector, pi: Vector) -> float:
    """Return the largest total variation between a row and pi."""
    return 0.5 * float(np.abs(rows - pi).sum(axis=1).max())


def square(P: Vector) -> Vector:
    """Return the matrix of twice as many steps."""
    return normalise(P @ P)


def normalise(P: Vector) -> Vector:
    """Divide each row by its sum, in place."""
    P /= P.sum(axis=1, keepdims=True)
    return P


def as_dense(weights: Vector | CSRMatrix) -> Vector:
    """Return a matrix with all its zeros."""
    return weights if isinstance(weights, np.ndarray) else weights.to_scipy().toarray()
