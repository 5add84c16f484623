"""Where a sequence is going: Wynn's epsilon algorithm.

At a singularity every bisection leaves a part of the error: at the foot of ``1 / sqrt(x)`` a factor 0.71 remains,
however good the rule inside the intervals. The integrals ``S_0, S_1, S_2, ...`` after each bisection differ from
their limit by geometric sequences, and from three terms of *one* geometric sequence its limit can be solved for::

    S_n = S + c r**n          ->          S = S_2 - (S_2 - S_1)**2 / ((S_2 - S_1) - (S_1 - S_0))         (Aitken)

Wynn's table does that again and again, each second column taking out one more geometric part, by one simple rule:
around a lozenge, *east = west + 1 / (south - north)*::

    0
         S_0
    0         1 / (S_1 - S_0)
         S_1                      Aitken's value of S_0, S_1, S_2
    0         1 / (S_2 - S_1)                                            ...
         S_2                      Aitken's value of S_1, S_2, S_3
    0         1 / (S_3 - S_2)
         S_3

By hand. 1, 3/2, 7/4 are the partial sums of 1 + 1/2 + 1/4 + ...: the second column is 2, 4, and the third is
3/2 + 1 / (4 - 2) = 2, the sum of all.

Two warnings. For 1 + 2 + 4 + ... the same rule finds -1 as gladly: a divergent sequence has an *anti-limit*. And a
sequence without a pattern yields whatever chance makes of it. So a limit is believed only if the errors of the
terms fall, and steadily, as those of geometric sequences do.

Cost: O(n) for the n-th term, and the last diagonal is all that is kept of the table.

Wynn, *On a device for computing the e_m(S_n) transformation*, Mathematics of Computation 10 (1956); Burden & Faires,
*Numerical Analysis*, section 2.5 (Aitken).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector

Table = NDArray[np.float64]

# The rows of a table: the last diagonal of Wynn's, all estimates of the limit, the errors of all terms.
ROWS = 3

# Two entries nearer than this to each other have met: what lies east of them is as good as infinite.
NEAREST = 1e-290
BEYOND = 1e290

# The first term at which there are four estimates, and so three differences to judge the last one by.
FIRST_JUDGED = 5
# In a steady fall each ratio of neighbours is that of the pair before, give or take a quarter.
STEADY = 1.25


@kernel
def extrapolate(table: Table, n: int, term: float, error: float) -> tuple[float, float]:
    """Add term number n, from 0 on, and its error; return an estimate of the limit, and of the error of that."""
    diagonal = table[0]
    estimates = table[1]
    errors = table[2]
    diagonal[n] = term
    errors[n] = error
    north = 0.0
    for j in range(n, 0, -1):
        west = north
        north = diagonal[j - 1]
        difference = diagonal[j] - north
        diagonal[j - 1] = west + 1.0 / difference if abs(difference) > NEAREST else BEYOND
    column = n % 2
    while column < n and abs(diagonal[column]) >= BEYOND:
        column += 2
    estimates[n] = diagonal[column]
    if n < FIRST_JUDGED or not falls_steadily(errors, n):
        return estimates[n], BEYOND
    spread = 0.0
    for j in range(n - 3, n):
        spread += abs(estimates[n] - estimates[j])
    return estimates[n], spread


@kernel
def falls_steadily(errors: Vector, n: int) -> bool:
    """Say whether the last errors, up to number n, fall as a geometric sequence does, or nearly."""
    for j in range(n - FIRST_JUDGED + 2, n + 1):
        square = errors[j - 1] * errors[j - 1]
        across = errors[j - 2] * errors[j]
        if errors[j] >= errors[j - 1] or across > STEADY * square or square > STEADY * across:
            return False
    return True
