"""From what a user passes to what a kernel may take: contiguous float64 arrays, finite, of the right shape.

Every message names the argument, the value or its place, and what to do.
"""

from __future__ import annotations

import math
import operator
from typing import Any, SupportsIndex

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


def as_bytes(data: Any) -> memoryview:
    """Return any object with contiguous bytes as a read-only view of single bytes; nothing is copied."""
    try:
        view = memoryview(data).toreadonly()
        return view.cast("B") if view.nbytes else memoryview(b"")
    except (TypeError, ValueError, BufferError) as error:
        raise InputError(f"{type(data).__name__} is not bytes-like, or not contiguous: {error}") from error


def as_axis(axis: SupportsIndex, dimensions: int, name: str) -> int:
    """Return the number of an axis, counted from 0."""
    try:
        return range(dimensions)[axis]
    except (TypeError, IndexError) as error:
        raise InputError(f"axis is {axis!r}, but {name} has {dimensions} axes") from error


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


def as_positive(value: float, name: str) -> float:
    """Return a finite number that is more than 0."""
    number = as_number(value, name)
    if number <= 0.0:
        raise InputError(f"{name} is {number}; it must be more than 0")
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


def as_confidence(value: float) -> float:
    """Return the confidence of an interval: a number between 0 and 1."""
    confidence = as_number(value, "confidence")
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence is {confidence}; it must lie between 0 and 1, such as 0.95")
    return confidence


def as_count(value: SupportsIndex, name: str) -> int:
    """Return an integer that is at least 0."""
    try:
        count = operator.index(value)
    except TypeError as error:
        raise InputError(f"{name} is {value!r}; it must be an integer") from error
    if count < 0:
        raise InputError(f"{name} is {count}; it must be at least 0")
    return count
