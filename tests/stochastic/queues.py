"""Queues for tests: exponential, at a load."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


def draw_queue(customers: int, servers: int, load: float = 0.8, seed: int = 1) -> tuple[Vector, Vector]:
    """Return arrivals and services of the mean 1."""
    rng = np.random.default_rng(seed)
    arrivals = rng.exponential(1.0 / (load * servers), customers).cumsum()
    return arrivals, rng.exponential(1.0, customers)
