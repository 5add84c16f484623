"""Arrays of a linear program: from what a user passes to vectors of the right length, proved.

A side or a bound may come as one number for all, as a list, or as an array; a pair of bounds may lack one or both. Most
programs are small, and there are many of them, so that what costs a microsecond is a large part of the whole. Arrays
that are fit already are therefore taken as they are, and all of them are looked at by one kernel that only says yes or
no. Where it says no, the fault is looked for at leisure, for a message that names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.kernel import kernel
from smlib._core.validate import Vector, as_floats, require_finite
from smlib.errors import InputError


def as_flat(value: ArrayLike, name: str) -> Vector:
    """Return numbers as an array without axes of length 1; a number alone is a vector of one entry."""
    vector = as_floats(value, name)
    return vector if vector.ndim == 1 else np.atleast_1d(np.squeeze(vector))


def as_side(value: ArrayLike | float, name: str, size: int) -> Vector:
    """Return the sides of rows, or the bounds of columns; a number holds for all."""
    if isinstance(value, float):
        return constant(value, size)
    side = as_floats(value, name)
    if side.ndim == 0:
        return constant(float(side), size)
    if side.shape != (size,):
        raise InputError(f"{name} has shape {side.shape}, but shape ({size},) is needed to fit the matrix")
    return side


def as_names(names: Sequence[str] | None, what: str, size: int) -> tuple[str, ...] | None:
    """Return names, each of which is used once."""
    if names is None:
        return None
    entries = tuple(str(name) for name in names)
    if len(entries) != size:
        raise InputError(f"{what} has {len(entries)} names, but {size} are needed to fit the matrix")
    seen: set[str] = set()
    for name in entries:
        if name in seen:
            raise InputError(f"{what} has the name {name!r} twice; every name must be used once")
        seen.add(name)
    return entries


def split_bounds(bounds: Any, n: int) -> tuple[Vector, Vector]:
    """Read bounds in all the forms that SciPy reads."""
    if bounds is None:
        bounds = (0.0, None)
    if isinstance(bounds, tuple) and len(bounds) == 2:
        low, high = (-np.inf if bounds[0] is None else bounds[0]), (np.inf if bounds[1] is None else bounds[1])
        if isinstance(low, int | float) and isinstance(high, int | float) and low == low and high == high:
            return constant(low, n), constant(high, n)
    try:
        pairs = np.atleast_2d(np.array(bounds, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(f"bounds cannot be read as pairs of numbers: {error}") from error
    if pairs.size == 0:
        pairs = np.array([[0.0, np.inf]])
    if pairs.shape in ((1, 2), (2, 1)) and pairs.shape != (n, 2):
        pairs = np.tile(pairs.reshape(2), (n, 1))
    if pairs.shape != (n, 2):
        raise InputError(f"bounds have shape {pairs.shape}; give one pair, or {n} pairs")
    lower = np.where(np.isnan(pairs[:, 0]), -np.inf, pairs[:, 0])
    upper = np.where(np.isnan(pairs[:, 1]), np.inf, pairs[:, 1])
    return lower, upper


def constant(number: float, size: int) -> Vector:
    """Return an array with the same number everywhere."""
    vector = np.empty(size)
    vector.fill(number)
    return vector


def prove_numbers(c: Vector, row_lower: Vector, row_upper: Vector, lower: Vector, upper: Vector) -> None:
    """Raise InputError for the first number that no program can have."""
    if are_finite(c) and are_sides(row_lower, row_upper) and are_sides(lower, upper):
        return
    require_finite(c, "c")
    sides = {"row_lower": row_lower, "row_upper": row_upper, "lower": lower, "upper": upper}
    for name, side in sides.items():
        forbidden = np.inf if name.endswith("lower") else -np.inf
        wrong = np.isnan(side) | (side == forbidden)
        if wrong.any():
            place = int(np.argmax(wrong))
            raise InputError(f"{name}[{place}] is {side[place]}; it must be a number, or {-forbidden} for no bound")


@kernel
def are_finite(values: Vector) -> bool:
    """Return whether no entry is NaN or infinite."""
    wrong = 0
    for value in values:
        wrong += not abs(value) < np.inf
    return wrong == 0


@kernel
def are_sides(lower: Vector, upper: Vector) -> bool:
    """Return whether every lower side is less than +infinity and every upper side more than -infinity, and none NaN."""
    wrong = 0
    for i in range(lower.size):
        wrong += not lower[i] < np.inf
        wrong += not upper[i] > -np.inf
    return wrong == 0
