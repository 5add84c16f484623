"""From what a user passes to what a kernel may take: contiguous float64 arrays, finite, of the right shape.

Every message names the argument, the value or its place, and what to do.
"""

from __future__ import annotations

import math
import operator
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib.errors import InputError

Vector = NDArray[np.float64]


def as_floats(value: ArrayLike, name: str) -> Vector:
    """Return an array of any shape as C-contiguous, writable float64: itself where it is that already, else a copy.

    A kernel compiles anew for each kind of array that it meets, and a read-only array is a kind of its own.
    """
    if type(value) is np.ndarray and value.dtype == np.float64 and value.flags.carray:
        return value
    try:
        array = np.asarray(value)
        if not np.iscomplexobj(array):
            return np.require(array, dtype=np.float64, requirements=["C", "W"])
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} cannot be read as an array of numbers: {error}") from error
    raise InputError(f"{name} is complex; this works on real numbers")


def as_vector(value: ArrayLike, name: str, size: int) -> Vector:
    """Return a finite vector of ``size`` entries; it shares memory with ``value`` where it can."""
    vector = as_floats(value, name)
    if vector.shape != (size,):
        raise InputError(f"{name} has shape {vector.shape}, but shape ({size},) is needed to fit the matrix")
    require_finite(vector, name)
    return vector


def require_finite(array: Vector, name: str) -> None:
    """Raise InputError naming the first NaN or infinity."""
    finite = np.isfinite(array)
    if not finite.all():
        place = np.unravel_index(int(np.argmin(finite)), array.shape)
        where = ", ".join(str(index) for index in place)
        raise InputError(f"{name}[{where}] is {array[place]}; every entry must be a finite number")


def as_nonnegative(value: float, name: str) -> float:
    """Return a finite number that is at least 0."""
    number = as_number(value, name)
    if number < 0.0:
        raise InputError(f"{name} is {number}; it must be at least 0")
    return number


def as_number(value: float, name: str) -> float:
    """Return a finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is {value!r}; it must be a number") from error
    if not math.isfinite(number):
        raise InputError(f"{name} is {number}; it must be finite")
    return number


def as_count(value: SupportsIndex, name: str) -> int:
    """Return an integer that is at least 0."""
    try:
        count = operator.index(value)
    except TypeError as error:
        raise InputError(f"{name} is {value!r}; it must be an integer") from error
    if count < 0:
        raise InputError(f"{name} is {count}; it must be at least 0")
    return count
