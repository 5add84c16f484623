"""What is asked of the arguments of Poisson processes: lengths of time, and arrivals in order."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.validate import Vector, as_floats, as_nonnegative, require_finite
from smlib.errors import InputError

# More arrivals than this fill any memory; and their gaps would be lost in the rounding of their times.
MOST_ARRIVALS = 2.0**36


def as_horizon(t: float, rate: float) -> float:
    """Return how far to go, if the number of arrivals by then can be held."""
    end = as_nonnegative(t, "t")
    if not rate * end <= MOST_ARRIVALS:
        raise InputError(
            f"{rate * end:.3g} arrivals are to be expected by t = {end}; at most {MOST_ARRIVALS:.3g} will do"
        )
    return end


def as_arrivals(times: ArrayLike, name: str = "times", end: float = math.inf) -> Vector:
    """Return times in rising order, from 0 to below ``end``."""
    arrivals = as_floats(times, name)
    if arrivals.ndim != 1:
        raise InputError(f"{name} has {arrivals.ndim} axes; times are a list with one")
    require_finite(arrivals, name)
    if arrivals.size and (falls := np.flatnonzero(arrivals[1:] < arrivals[:-1])).size:
        k = int(falls[0])
        raise InputError(
            f"{name}[{k + 1}] is {arrivals[k + 1]}, before {name}[{k}], which is {arrivals[k]}; times must rise: sort "
            "them, and what belongs to them"
        )
    if arrivals.size and arrivals[0] < 0.0:
        raise InputError(f"{name}[0] is {arrivals[0]}; times count from 0, where one began to look: subtract that time")
    if arrivals.size and arrivals[-1] >= end:
        raise InputError(f"{name} reaches {arrivals[-1]}, but arrivals were looked for up to t = {end} only")
    return arrivals
