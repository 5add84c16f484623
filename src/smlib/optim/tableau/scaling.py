"""Scaling: rows and columns in units that make the entries of a matrix alike.

A program in tonnes says the same as one in grams, but a tolerance of 1e-9 does not mean the same in it. So each row and
each column is multiplied by a factor such that its entries lie around 1: one over the square root of its smallest times
its largest entry, rows and columns in turns. The factors are rounded to powers of two, so that nothing else is rounded.
Entries that lie around 1 to begin with are left alone.

Tomlin, "On scaling linear programming problems", *Mathematical Programming Study* 4 (1975).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from smlib._core.csr import Indices
from smlib._core.kernel import kernel
from smlib._core.validate import Vector

ROUNDS = 4
# Entries between one over this and this lie around 1.
SPREAD = 32.0


class ScaledProgram(NamedTuple):
    """A minimisation over variables that are unknowns, then ``-(A x)[i]`` for each row ``i``; in units of its own.

    Attributes
    ----------
    indptr, indices, data : ndarray
        The scaled ``A`` in compressed rows.
    lower, upper, cost : ndarray, shape (n + m,)
        Of each variable.
    unit : ndarray, shape (n + m,)
        A value here times its unit is the value as stated.
    cost_unit : ndarray, shape (1,)
        The same for the objective.
    """

    indptr: Indices
    indices: Indices
    data: Vector
    lower: Vector
    upper: Vector
    cost: Vector
    unit: Vector
    cost_unit: Vector


@kernel
def scale(
    indptr: Indices,
    indices: Indices,
    data: Vector,
    c: Vector,
    row_lower: Vector,
    row_upper: Vector,
    lower: Vector,
    upper: Vector,
    sign: float,
) -> ScaledProgram:
    """Return a program in its own units; ``sign`` is -1 for a maximisation. Bounds that cross become their mean."""
    m, n = row_lower.size, lower.size
    unit = np.ones(n + m)
    choose_units(indptr, indices, data, unit, n)
    low, high, cost = np.empty(n + m), np.empty(n + m), np.zeros(n + m)
    largest = 0.0
    for j in range(n):
        low[j], high[j], cost[j] = lower[j] / unit[j], upper[j] / unit[j], sign * c[j] * unit[j]
        largest = max(largest, abs(cost[j]))
    for i in range(m):
        low[n + i], high[n + i] = -row_upper[i] / unit[n + i], -row_lower[i] / unit[n + i]
    for k in range(n + m):
        if low[k] > high[k]:
            low[k] = 0.5 * (low[k] + high[k])
            high[k] = low[k]
    cost_unit = np.ones(1)
    if largest > 0.0:
        cost_unit[0] = power_of_two(largest)
        for j in range(n):
            cost[j] /= cost_unit[0]
    scaled = np.empty(data.size)
    for i in range(m):
        for k in range(indptr[i], indptr[i + 1]):
            scaled[k] = data[k] / unit[n + i] * unit[indices[k]]
    return ScaledProgram(indptr, indices, scaled, low, high, cost, unit, cost_unit)


@kernel
def choose_units(indptr: Indices, indices: Indices, data: Vector, unit: Vector, n: int) -> None:
    """Choose the units of ``n`` unknowns and of the rows: powers of two."""
    alike = True
    for k in range(data.size):
        size = abs(data[k])
        alike = alike and (size == 0.0 or 1.0 / SPREAD <= size <= SPREAD)
    if alike:
        return
    smallest, largest = np.empty(n), np.empty(n)
    for _ in range(ROUNDS):
        smallest[:] = np.inf
        largest[:] = 0.0
        for i in range(unit.size - n):
            low, high = np.inf, 0.0
            for k in range(indptr[i], indptr[i + 1]):
                size = abs(data[k]) * unit[indices[k]]
                if size > 0.0:
                    low, high = min(low, size), max(high, size)
            unit[n + i] = math.sqrt(low) * math.sqrt(high) if high > 0.0 else 1.0
            for k in range(indptr[i], indptr[i + 1]):
                j, size = indices[k], abs(data[k]) / unit[n + i]
                if size > 0.0:
                    smallest[j], largest[j] = min(smallest[j], size), max(largest[j], size)
        for j in range(n):
            unit[j] = 1.0 / math.sqrt(smallest[j]) / math.sqrt(largest[j]) if largest[j] > 0.0 else 1.0
    for k in range(unit.size):
        unit[k] = power_of_two(unit[k])


@kernel
def power_of_two(size: float) -> float:
    """Return the power of two that is nearest to a positive number, on a scale of logarithms."""
    return 2.0 ** round(math.log2(size))
