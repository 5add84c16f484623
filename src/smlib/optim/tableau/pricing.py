"""Pricing: which of the columns that improve should enter.

All rules give each column a score, and the highest enters. With ``d`` for the reduced cost of a column:

=========  ======================  ======================================================================
Dantzig    ``|d|``                 the gain a unit of the variable: depends on the units
greatest   ``|d| * length``        the gain of the step: a ratio test for every column
steepest   ``d^2 / |edge|^2``      the gain a unit of length along the edge, on which basic variables move too
devex      ``d^2 / weight``        the same with an estimate of the length, brought up to date by the pivot row alone
Bland      the lowest number       no gain at all, but it can't go round in circles
=========  ======================  ======================================================================

The edge of a column is what all variables move by when its own moves by one: 1, and minus the entries of the column.

Devex measures lengths in a *reference framework*: the variables that were nonbasic when it began, so that all weights
begin at 1. When the estimates have grown too large, it begins anew.

Forrest & Goldfarb, "Steepest-edge simplex algorithms for linear programming", *Mathematical Programming* 57 (1992).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector

DEVEX, DANTZIG, BLAND, STEEPEST, GREATEST = 0, 1, 2, 3, 4

# Devex begins anew when a weight passes this.
LARGEST_WEIGHT = 1e8


@kernel
def score(rule: int, reduced_cost: float, weight: float, variable: int) -> float:
    """Return how much a column is worth to a rule; for ``GREATEST``, a unit of its step."""
    if rule == BLAND:
        return -float(variable)
    if rule in (DANTZIG, GREATEST):
        return abs(reduced_cost)
    return reduced_cost * reduced_cost / weight


@kernel(fast=True)
def edge_lengths(entries: NDArray[np.float64], weights: Vector) -> None:
    """Compute the squared length of each column's edge."""
    weights[:] = 1.0
    for i in range(entries.shape[0] - 1):
        row = entries[i]
        for j in range(row.size):
            weights[j] += row[j] * row[j]


@kernel
def update_reference(row: Vector, column: int, weights: Vector) -> None:
    """Update devex weights for a pivot in this row of the tableau as it is before the pivot."""
    entering = weights[column] / (row[column] * row[column])
    largest = 0.0
    for j in range(row.size):
        estimate = row[j] * row[j] * entering
        weights[j] = estimate if estimate > weights[j] else weights[j]
        largest = weights[j] if weights[j] > largest else largest
    weights[column] = entering if entering > 1.0 else 1.0
    if largest > LARGEST_WEIGHT:
        weights[:] = 1.0
