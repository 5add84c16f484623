"""What is asked of a distribution, and how values are drawn from one: any with SciPy's names will do.

A distribution may come from here (`variates`), from ``scipy.stats``, or from whoever calls. What it draws comes from
outside then, and is checked.

Cost: that of ``rvs``, and O(n) for the checks.

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapter 4.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from smlib._core.random_streams import RandomLike, as_generator
from smlib._core.validate import Vector, as_floats, require_finite
from smlib.errors import InputError


@runtime_checkable
class Distribution(Protocol):
    """What is asked of a distribution: values, their mean and their variance."""

    def rvs(self, size: Any = ..., random_state: Any = ...) -> Any:
        """Return random values."""

    def mean(self) -> Any:
        """Return the mean."""

    def var(self) -> Any:
        """Return the variance."""


def as_distribution(distribution: Distribution, name: str) -> Distribution:
    """Return what is a distribution, or say what it lacks."""
    if not isinstance(distribution, Distribution) or isinstance(distribution, type | np.ndarray):
        raise InputError(
            f"{name} is {distribution!r}; it must be a distribution with the methods rvs, mean and var: such as "
            "Exponential(rate), or a frozen one of scipy.stats"
        )
    return distribution


def draw(distribution: Distribution, size: int, rng: RandomLike, name: str, *, signed: bool = False) -> Vector:
    """Draw values of any distribution and check them: finite, and not negative if not ``signed``."""
    values = as_distribution(distribution, name).rvs(size=size, random_state=as_generator(rng))
    values = as_floats(values, f"the values of {name}")
    if values.shape != (size,):
        raise InputError(f"rvs of {name} returned the shape {values.shape}, but ({size},) was asked for")
    require_finite(values, f"the values of {name}")
    if not signed and size and values.min() < 0.0:
        raise InputError(f"{name} drew {values.min()}; times and sizes cannot be negative")
    return values
