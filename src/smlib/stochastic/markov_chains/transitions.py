"""A transition matrix from outside: proved once, copied, and used as given.

Invariants of what `as_transitions` returns:
  1. It is square, with a row and a column a state, and has one state at least.
  2. Every entry is finite and not negative.
  3. Every row adds up to 1, but for `ROW_TOLERANCE`.
  4. As sparse rows it has no entry that is 0: what is stored is what can happen.
  5. It is a copy, so that nobody else writes to it.

A row whose sum is off by rounding is not scaled. Elimination reads what stands beside the diagonal, and takes the
diagonal for what is missing to 1; a walk takes each step with its share of the row's sum.

Cost: O(n^2), or O(entries) for sparse matrices.

Norris, *Markov Chains*, section 1.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from smlib._core.csr import CSRMatrix, MatrixLike, as_csr
from smlib._core.validate import Vector, as_floats, as_vector, require_finite
from smlib.errors import InputError

# How far from 1 the sum of a row may be.
ROW_TOLERANCE = 1e-8


def as_transitions(P: MatrixLike) -> Vector | CSRMatrix:
    """Return a transition matrix: an array, or sparse rows if it came as a sparse matrix."""
    matrix = as_square(P, "P")
    entries = matrix if isinstance(matrix, np.ndarray) else matrix.data
    sums = (matrix if isinstance(matrix, np.ndarray) else matrix.to_scipy()).sum(axis=1)
    # NaN and infinity fail both tests, and are looked for only then.
    if not (entries.min(initial=0.0) >= 0.0 and np.abs(sums - 1.0).max() <= ROW_TOLERANCE):
        require_finite(entries, "P")
        require_nonnegative(matrix, "P")
        row = int(np.argmax(np.abs(sums - 1.0) > ROW_TOLERANCE))
        raise InputError(
            f"row {row} of P adds up to {sums[row]}, but where a chain goes from a state has to add up to 1; "
            "divide each row by its sum if the entries are weights"
        )
    return matrix


def as_square(matrix: MatrixLike, name: str) -> Vector | CSRMatrix:
    """Return a copy of a square matrix: an array, or sparse rows without zeros."""
    copy: Vector | CSRMatrix
    if isinstance(matrix, CSRMatrix) or scipy.sparse.issparse(matrix):
        rows = as_csr(matrix, name).to_scipy().copy()
        rows.eliminate_zeros()
        copy = as_csr(rows, name)
    else:
        array: Any = matrix
        copy = as_floats(array, name)
        copy = copy.copy() if copy is array or copy.base is not None else copy
        if copy.ndim != 2:
            raise InputError(f"{name} has {copy.ndim} dimensions; a matrix has 2")
    if copy.shape[0] != copy.shape[1] or not copy.shape[0]:
        raise InputError(f"{name} has shape {copy.shape}; it needs a row and a column for each state, and one at least")
    return copy


def as_chances(mu: ArrayLike, n: int) -> Vector:
    """Return a copy of the chances of n states, which add up to 1."""
    chances = as_vector(mu, "mu", n).copy()
    if chances.min() < 0.0:
        raise InputError(f"mu[{chances.argmin()}] is {chances.min()}; chances must not be negative")
    if abs(chances.sum() - 1.0) > ROW_TOLERANCE:
        raise InputError(f"mu adds up to {chances.sum()}, but the chances of all states have to add up to 1")
    return chances


def require_nonnegative(matrix: Vector | CSRMatrix, name: str) -> None:
    """Raise InputError naming the first entry that is negative."""
    if isinstance(matrix, np.ndarray):
        places: Any = np.argwhere(matrix < 0.0)
        values = matrix[matrix < 0.0]
    else:
        entries = matrix.to_scipy().tocoo()
        negative = entries.data < 0.0
        places, values = np.column_stack(entries.coords)[negative], entries.data[negative]
    if len(places):
        row, column = places[0].tolist()
        raise InputError(f"{name}[{row}, {column}] is {values[0]}; it must not be negative")
