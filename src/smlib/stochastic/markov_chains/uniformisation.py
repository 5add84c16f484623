r"""Uniformisation: where a chain in continuous time is at time t, as a sum of steps of a chain with a clock.

The problem. A chain with the generator Q is at time t distributed as ``mu e^(Q t)``. The exponential of a matrix is
known to be hard: the series ``I + Q t + (Q t)^2 / 2 + ...`` adds up huge numbers of both signs, and what is left of
them may be nothing but rounding.

The idea. Let L be at least as large as every rate at which a state is left. Have a clock tick at random times with that
rate, and let the chain move at the ticks alone, by the steps of ``U = I + Q / L``. A state that should be left at the
lower rate q stays at a tick with chance ``1 - q / L``; nobody who watches the chain can tell the difference::

    rate 2 out of A, 3 out of B;  L = 3

         2             ticks       |    |  |      |      |    |
     A ----> B         A at a tick:  1/3 stay, 2/3 to B           U = | 1/3  2/3 |
       <----           B at a tick:  to A                             |  1    0  |
         3

The clock has ticked k times by t with the Poisson chance ``e^(-L t) (L t)^k / k!``, and so

    e^(Q t) = sum over k of  Poisson(k; L t) U^k

where nothing is negative: no digit is ever lost, and every partial sum is a lower bound.

How many terms. With ``m = L t`` ticks expected, Chernoff says that less than m - x come with a chance of at most
``e^(-x^2 / (2 m))``, and more than m + x with one of at most ``e^(-x^2 / (2 m + 2 x / 3))``. So all but a share of
``tol`` lies within some ``sqrt(2 m log(2 / tol))`` of m. The weights there are found from each other, beginning with 1
at the largest, as ``w[k+1] = w[k] m / (k+1)``; then they are divided by their sum: no factorial, and no ``e^(-m)``,
which is 0 for a computer from m = 746 on.

Large t. The terms are about m, too many if t is long and n small. But ``P(t) = P(t/2)^2``: find P for a t that is so
short that m is about 1, and square it.

By hand. The two states above at t = 1/2: m = 3/2, and the weights e^(-m) m^k / k! are .223, .335, .251, .126, .047 ...
From A, the chances to be at A after 0, 1, 2, 3, 4 ticks are 1, 1/3, 7/9, 13/27, 55/81. Together: .223 + .112 + .195 +
.060 + .032 = .622. The other weights have .019 together, so that the truth is between .622 and .641; and it is 3/5 +
2/5 e^(-5/2) = .633.

Invariants, checked by the tests:
  1. The weights are not negative, add up to 1, and leave out less than ``tol`` of the Poisson distribution.
  2. A distribution stays one: no entry is negative, and they add up to 1.
  3. In total variation the error is at most ``tol``, and what rounding adds.
  4. An entry that is larger than ``tol`` by a factor of 1e15 is right in nearly all of its digits, however small it is.

Cost: ``L t + sqrt(2 L t log(2 / tol))`` products with the sparse matrix; or ``log2(L t) + 7`` products of full ones.

Jensen, "Markoff chains as an aid in the study of Markoff processes", *Skandinavisk Aktuarietidskrift* 36 (1953); Fox &
Glynn, "Computing Poisson probabilities", *Communications of the ACM* 31 (1988); Stewart, *Probability, Markov Chains,
Queues, and Simulation*, section 10.7.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.csr import CSRMatrix, Indices, multiply
from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.stochastic.markov_chains.mixing import square

Matrix = NDArray[np.float64]


class PoissonWeights(NamedTuple):
    """Poisson chances of ``first, first + 1, ...``"""

    first: int
    weights: Vector


def needed_ticks(mean: float, tol: float) -> tuple[int, int]:
    """Return the least and the largest number of ticks that must be looked at, by Chernoff's bound.

    >>> needed_ticks(1e6, 1e-12)
    (992474, 1007536)
    """
    digits = math.log(2.0 / tol)
    first = math.ceil(mean - math.sqrt(2.0 * mean * digits))
    return max(0, first), math.ceil(mean + digits / 3.0 + math.sqrt(digits * digits / 9.0 + 2.0 * mean * digits))


def poisson_weights(mean: float, tol: float) -> PoissonWeights:
    """Return the chances of all numbers but those that have less than ``tol`` together, divided by their sum.

    >>> first, weights = poisson_weights(1.5, 1e-3)
    >>> first, weights[:4].round(3)
    (0, array([0.223, 0.335, 0.251, 0.126]))
    """
    first, last = needed_ticks(mean, tol)
    mode = int(mean)
    falling = np.cumprod(np.arange(mode, first, -1.0) / mean) if mode > first else np.empty(0)
    rising = np.cumprod(mean / np.arange(mode + 1.0, last + 1.0))
    weights = np.concatenate([falling[::-1], [1.0], rising])
    return PoissonWeights(first, weights / weights.sum())


def mixed_row(steps: CSRMatrix, start: Vector, clock: PoissonWeights) -> Vector:
    """Return the mixture of all ``start U^k``. In ``steps`` the columns of U stand as rows; ``start`` is lost."""
    mixture = np.zeros_like(start)
    add_powers(steps.indptr, steps.indices, steps.data, start, clock.first, clock.weights, mixture)
    return np.asarray(mixture / mixture.sum())


def mixed_matrix(U: Matrix, ticks: float, tol: float) -> Matrix:
    """Return the mixture of all powers of U by their Poisson chances, ``ticks`` being expected."""
    doublings = max(0, math.ceil(math.log2(ticks)))
    clock = poisson_weights(ticks / 2.0**doublings, tol / 2.0**doublings)
    P = power_series(U, np.concatenate([np.zeros(clock.first), clock.weights]))
    for _ in range(doublings):
        P = square(P)
    return P


def power_series(U: Matrix, weights: Vector) -> Matrix:
    """Return ``sum of weights[k] U^k`` by two times as many products as the square root of their number.

    Cut into pieces of q terms: each piece is a mixture of ``I, U, ..., U^(q-1)``, and Horner's rule in ``U^q`` joins
    them (Paterson & Stockmeyer 1973).
    """
    q = math.ceil(math.sqrt(weights.size))
    powers = [np.eye(len(U)), U]
    while len(powers) <= q:
        powers.append(powers[-1] @ U)
    total = np.zeros_like(U)
    for begin in reversed(range(0, weights.size, q)):
        if begin + q < weights.size:
            total = total @ powers[q]
        for weight, power in zip(weights[begin : begin + q].tolist(), powers[:q], strict=False):
            total += weight * power
    return total


@kernel
def add_powers(
    indptr: Indices, indices: Indices, data: Vector, x: Vector, first: int, weights: Vector, mixture: Vector
) -> None:
    """Add ``weights[k] x U^(first + k)`` to a mixture, for all k; U is given by its columns, and x is overwritten."""
    y = np.empty_like(x)
    for _ in range(first):
        multiply(indptr, indices, data, x, y)
        x, y = y, x
    for weight in weights:
        for i in range(x.size):
            mixture[i] += weight * x[i]
        multiply(indptr, indices, data, x, y)
        x, y = y, x
