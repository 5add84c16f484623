"""The stationary distribution: how often each state is visited in the long run, each entry accurate by itself.

A distribution is *stationary* if a step of the chain does not change it: ``pi P = pi``, what flows into a state flows
out of it. A recurrent class has exactly one. It is the share of time that the chain spends in each state, whatever
the first state was, and ``1 / pi[i]`` is the mean time from a visit of i to the next one.

`elimination` takes out all states but the first. Let that one be visited once. State k sees those visitors of the
states before it that go to k when k is next to last to be taken out, and each of them stays for ``1 / s[k]`` visits::

    x[0] = 1,    x[k] = sum of x[i] * P[i, k] / s[k] over i < k,    pi = x / sum of x

No subtraction here either. Visits may differ by more than a float can span; when they grow large, all of them are
scaled by a power of two, which is exact.

Invariants, checked by the tests:
  1. Each entry is within a few n roundings of the true one relative to itself, unless it is below 1e-300.
  2. ``pi P = pi``, and the sum is 1, within rounding.

Cost: that of `elimination`, and one walk through the cells.

Norris, *Markov Chains*, section 1.7; Grassmann, Taksar & Heyman (1985).
"""

from __future__ import annotations

import numpy as np

from smlib._core.csr import CSRMatrix
from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.errors import InputError
from smlib.stochastic.markov_chains.elimination import Places, censor

# Visits beyond this are scaled down by it.
MANY = 2.0**100


def stationary_in(weights: Vector | CSRMatrix, members: Places) -> Vector:
    """Return the stationary distribution of a recurrent class, in the order of its members."""
    part = censor(weights, members)
    visits = np.zeros(members.size)
    # Nothing leads back from the first state; from a later one, where the chance is below 1e-308, as good as nothing.
    first = int(np.flatnonzero(np.r_[0.0, part.going[1:]] == 0.0)[-1])
    sum_visits(part.cells, part.stride, part.reach, first, visits)
    total = visits.sum()
    if not 0.0 < total < np.inf:
        raise InputError("chances below 1e-300 stand beside others that are near 1; floats cannot hold their quotients")
    found = np.empty(members.size)
    found[part.order] = visits / total
    return found


@kernel
def sum_visits(cells: Vector, stride: int, reach: int, first: int, visits: Vector) -> None:
    """Set the visits of all states for one visit of the first, but for a common factor."""
    n = visits.size
    visits[first] = 1.0
    for i in range(first, n):
        while MANY < visits[i] < np.inf:
            for j in range(n):
                visits[j] /= MANY
        end = min(i + reach + 1, n)
        row = cells[i * stride : i * stride + end]
        for k in range(i + 1, end):
            visits[k] += visits[i] * row[k]
