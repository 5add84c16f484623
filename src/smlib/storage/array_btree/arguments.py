"""What may be a key, and what a value.

A key is an integer of 64 bits, also one of NumPy's; a value is a number of the map's type. What is stored has to be
right, so anything else is an InputError; what is looked up is just not there.
"""

from __future__ import annotations

import operator
from typing import Any, SupportsFloat, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from smlib.errors import InputError

SMALLEST, LARGEST = -(2**63), 2**63 - 1


def as_value_type(dtype: DTypeLike) -> type[np.int64] | type[np.float64]:
    """Return int64 or float64."""
    try:
        kind = np.dtype(dtype)
    except TypeError as error:
        raise InputError(f"dtype is {dtype!r}; it must be int64 or float64") from error
    if kind == np.int64:
        return np.int64
    if kind == np.float64:
        return np.float64
    raise InputError(f"dtype is {kind}; it must be int64 or float64")


def as_integer(value: Any, name: str) -> int:
    """Return an integer of any size."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise InputError(f"{name} is {value!r}; it must be an integer") from error


def as_key(value: Any, name: str) -> int:
    """Return an integer of 64 bits."""
    key = as_integer(value, name)
    if not SMALLEST <= key <= LARGEST:
        raise InputError(f"{name} is {key}; it must lie between -2**63 and 2**63 - 1")
    return key


def as_value(value: Any, dtype: type[np.int64] | type[np.float64]) -> Any:
    """Return a number of the map's type."""
    if dtype is np.int64:
        return value if type(value) is int and SMALLEST <= value <= LARGEST else as_key(value, "a value")
    if type(value) is float:
        return value
    try:
        if isinstance(value, SupportsFloat | SupportsIndex):
            return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"a value is {value!r}; it must be a number that a float can hold") from error
    raise InputError(f"a value is {value!r}; it must be a number")


def as_lookup(key: Any) -> int:
    """Return the integer of 64 bits that is looked up; KeyError for what is none."""
    try:
        return as_key(key, "a key")
    except InputError:
        raise KeyError(key) from None


def as_array(value: ArrayLike, name: str) -> NDArray[Any]:
    """Return an array of any type."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(f"{name} cannot be an array: {error}") from error


def as_keys(value: ArrayLike, name: str) -> NDArray[np.int64]:
    """Return integers as a contiguous vector of int64."""
    array = as_array(value, name)
    if array.size == 0 and array.ndim == 1:
        return np.empty(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(f"{name} is of shape {array.shape} and type {array.dtype}; it must be a vector of integers")
    if array.dtype.kind == "u" and array.max() > LARGEST:
        raise InputError(f"{name} holds {array.max()}; they must lie between -2**63 and 2**63 - 1")
    return np.require(array, dtype=np.int64, requirements=["C", "W"])


def as_values(value: ArrayLike, dtype: type[np.int64] | type[np.float64]) -> NDArray[Any]:
    """Return numbers as a contiguous vector of the map's type."""
    if dtype is np.int64:
        return as_keys(value, "values")
    array = as_array(value, "values")
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iuf"):
        raise InputError(f"values is of shape {array.shape} and type {array.dtype}; it must be a vector of numbers")
    return np.require(array, dtype=np.float64, requirements=["C", "W"])
