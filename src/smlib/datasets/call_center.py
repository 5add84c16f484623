"""A call center's day: how many call in each hour, how long they talk, and how many agents there were.

It is the example with which Pierre L'Ecuyer's simulation library SSJ is taught, shaped like a real center: 13 hours, of
which the fifth is the busiest, and calls that last 100 seconds in the mean. Within an hour calls come as a Poisson
process. But days differ: all rates of a day are multiplied by that day's *busyness*, which nobody knows beforehand. It
has the gamma distribution with shape and rate 10, so that its mean is 1 and its variance 0.1.

L'Ecuyer, *SSJ User's Guide* (Université de Montréal, 2004), the telephone call center; Buist & L'Ecuyer, "A Java
library for simulating contact centers", *Proceedings of the Winter Simulation Conference* 2005.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class CallCenterDay(NamedTuple):
    """A day of calls.

    Attributes
    ----------
    opening_hour : int
        8 in the morning.
    calls : ndarray, shape (13,)
        How many are expected in each hour of an ordinary day.
    agents : ndarray of int64, shape (13,)
        How many there are in the example.
    mean_service : float
        In seconds; services are exponential.
    acceptable_wait : float
        In seconds.
    busyness_shape : float
        Of the gamma distribution with mean 1.
    """

    opening_hour: int
    calls: NDArray[np.float64]
    agents: NDArray[np.int64]
    mean_service: float
    acceptable_wait: float
    busyness_shape: float


def call_center_day() -> CallCenterDay:
    """Return the day of the example.

    Examples
    --------
    >>> day = call_center_day()
    >>> int(day.calls.sum()), float(day.calls.max()), int(day.agents.sum())
    (1660, 200.0, 81)
    """
    calls = np.array([100, 150, 150, 180, 200, 150, 150, 150, 120, 100, 80, 70, 60], np.float64)
    agents = np.array([4, 6, 8, 8, 8, 7, 8, 8, 6, 6, 4, 4, 4])
    return CallCenterDay(8, calls, agents, mean_service=100.0, acceptable_wait=20.0, busyness_shape=10.0)
