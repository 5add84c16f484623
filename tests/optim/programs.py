"""Random linear programs of every shape: free, fixed, boxed, redundant, degenerate, inconsistent, empty."""

from __future__ import annotations

import numpy as np

from smlib.optim import LinearProgram


def random_program(seed: int, *, rows: int = 5, columns: int = 5) -> LinearProgram:
    """Return a small program with small integers for numbers, so that ties are common."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(0, rows + 1), rng.integers(1, columns + 1)
    A = rng.integers(-3, 4, (m, n)) * (rng.random((m, n)) < rng.choice([0.3, 0.7, 1.0]))
    if m > 1 and rng.random() < 0.3:
        A[0] = A[1] * rng.integers(-2, 3)
    low, high = np.sort(rng.integers(-4, 9, (2, m)), axis=0).astype(float)
    kind = rng.integers(0, 5, m)
    low[kind == 0] = high[kind == 0]
    low[(kind == 1) | (kind == 4)] = -np.inf
    high[(kind == 2) | ((kind == 4) & (rng.random(m) < 0.3))] = np.inf
    lower, upper = np.sort(rng.integers(-4, 9, (2, n)), axis=0).astype(float)
    kind = rng.integers(0, 8, n)
    lower[kind <= 2], upper[kind <= 1] = 0.0, np.inf
    upper[kind == 2] = np.abs(upper[kind == 2])
    lower[kind == 3], upper[kind == 3] = -np.inf, rng.integers(0, 2)
    lower[kind == 4], upper[kind == 4] = -np.inf, np.inf
    lower[kind == 5] = upper[kind == 5]
    if rng.random() < 0.03:
        lower[0], upper[0] = 1.0, 0.0
    c = rng.integers(-4, 5, n) * (rng.random(n) < 0.8)
    return LinearProgram(c, A, low, high, lower, upper, float(rng.integers(-3, 4)), bool(rng.random() < 0.5), "random")
