"""Sensitivity: how far the numbers of a program may move before another basis is best.

At an optimum some of the unknowns and of the rows stand at a bound, the *nonbasic* ones; the others, the *basic* ones,
follow from them. With ``r`` for the values of the rows, ``A x - r = 0`` holds for all of them together, so that the
basic ones are a fixed linear function of the nonbasic ones::

    basic values  =  -T * nonbasic values        T = B^-1 N,  B and N the columns of [A, -I]

- **A cost moves.** No value changes, but reduced costs do: that of its own column by as much, and if the column is
  basic, all others by multiples from one row of T. The basis is best until the first of them changes its sign.
- **A side of a row moves**, at which the row stands. Reduced costs stay, and the basic values move by multiples from a
  column of T. The basis is best until the first of them meets a bound. Within that range the optimal value changes by
  the row's price for every unit: that is what the price is good for, and for how long.
- A side at which the row does not stand may move as far as the row's value.

Cost: O(m^2 (m + n)) time, O(m n) space, for T is computed as a dense matrix.

Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, section 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.results import Result
from smlib._core.validate import Vector
from smlib.errors import InputError
from smlib.optim.duality.certificates import as_entries, certify_optimum

if TYPE_CHECKING:
    from smlib.optim.linear_program import LinearProgram

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ranging(Result):
    """Ranges of the numbers of a program, each alone, in which its optimal basis stays optimal.

    Attributes
    ----------
    prices : ndarray, shape (m,)
        What the optimal objective changes by for a unit of each row's side.
    costs : ndarray, shape (n, 2)
        The least and the largest cost of each column.
    row_lower, row_upper : ndarray, shape (m, 2)
        The least and the largest lower and upper side of each row. The two sides of an equation move together.
    """

    prices: Vector
    costs: Matrix
    row_lower: Matrix
    row_upper: Matrix


def ranging(program: LinearProgram, x: ArrayLike, basis: ArrayLike, tolerance: float = 1e-8) -> Ranging:
    """Return how far each cost and each side of a row may move, alone, before the basis is no longer optimal.

    Parameters
    ----------
    program : LinearProgram
    x : array_like, shape (n,)
        An optimal point.
    basis : array_like of int, shape (m,)
        The basic unknowns (0 to n - 1) and the basic rows (n + i for row i) at that point; all others stand at a bound.
    tolerance : float
        For the certificate of the optimum, and for telling at which bound the others stand.

    Returns
    -------
    Ranging

    Raises
    ------
    InputError
        The basis is none (singular, or of the wrong size), or it is not optimal at ``x``: the certificate says by how
        much.

    Notes
    -----
    Where several bases are optimal at the same point (a degenerate one), another one has other ranges, and the optimum
    may stay where it is beyond those of this one.

    Complexity: O(m^2 (m + n)).

    References
    ----------
    Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, section 5.1.

    Examples
    --------
    >>> from smlib.optim import LinearProgram
    >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
    >>> ranges = ranging(dairy, [12, 12], [0, 1])
    >>> ranges.costs.round(9)
    array([[2.66666667, 6.        ],
           [3.33333333, 7.5       ]])
    >>> ranges.row_upper.round(9)
    array([[ 80., 180.],
           [ 40.,  90.]])
    """
    m, n = program.A.shape
    point = as_entries(x, "x", n)
    basic = np.asarray(basis)
    if basic.shape != (m,) or basic.dtype.kind not in "iu" or np.unique(basic).size != m:
        raise InputError(f"basis must hold {m} different integers, one a row of the program")
    if m and not 0 <= basic.min() <= basic.max() < n + m:
        raise InputError(f"basis goes from {basic.min()} to {basic.max()}; unknowns and rows have 0 to {n + m - 1}")
    nonbasic = np.setdiff1d(np.arange(n + m), basic)
    columns = np.hstack([program.A.toarray(), -np.eye(m)])
    try:
        table = np.linalg.solve(columns[:, basic], columns[:, nonbasic])
        cost = np.concatenate([program.c, np.zeros(m)])
        prices = np.linalg.solve(columns[:, basic].T, cost[basic])
    except np.linalg.LinAlgError as error:
        raise InputError("basis is singular: its columns depend on each other") from error
    proof = certify_optimum(program, point, prices)
    if not proof.holds(tolerance):
        raise InputError(f"basis is not optimal at x\n{proof}")

    value = np.concatenate([point, program.A @ point])
    lower = np.concatenate([program.lower, program.row_lower])
    upper = np.concatenate([program.upper, program.row_upper])
    at_lower, at_upper = (np.abs(value - side) <= tolerance * (1.0 + np.abs(value)) for side in (lower, upper))

    # In a minimisation reduced costs are not negative at a lower bound, not positive at an upper one, 0 at none.
    sign = -1.0 if program.maximize else 1.0
    least = np.where(at_upper, -np.inf, 0.0)[nonbasic]
    most = np.where(at_lower, np.inf, 0.0)[nonbasic]
    reduced = np.clip(sign * (cost - columns.T @ prices)[nonbasic], least, most)
    moves = np.zeros((n + m, n))
    moves[basic] = -table
    moves[nonbasic, np.arange(n)] = 1.0
    rooms = [_room(reduced, move, least, most) for move in moves[:n]]
    costs = np.sort(program.c[:, None] + sign * np.array(rooms).reshape(n, 2), axis=1)

    # The sides of a basic row may move as far as its value; a row that is not basic stands at a side, and
    # moves the basic values along with it.
    equation = program.row_lower == program.row_upper
    row_lower = np.column_stack([np.where(equation, value[n:], -np.inf), value[n:]])
    row_upper = np.column_stack([value[n:], np.where(equation, value[n:], np.inf)])
    inside = np.clip(value[basic], lower[basic], upper[basic])
    for place in np.flatnonzero(nonbasic >= n):
        k = nonbasic[place]
        low, high = value[k] + np.array(_room(inside, -table[:, place], lower[basic], upper[basic]))
        if at_lower[k]:
            row_lower[k - n] = low, high if at_upper[k] else min(high, upper[k])
        if at_upper[k]:
            row_upper[k - n] = low if at_lower[k] else max(low, lower[k]), high
    return Ranging(prices, costs, row_lower, row_upper)


def _room(values: Vector, speeds: Vector, low: Vector, high: Vector) -> tuple[float, float]:
    """Return how far one may go back and forth until a value meets its least or its largest."""
    speeds = np.where(np.abs(speeds) <= 1e-12 * np.abs(speeds).max(initial=0.0), 0.0, speeds)
    moving = speeds != 0.0
    to_low, to_high = ((side - values)[moving] / speeds[moving] for side in (low, high))
    return (
        float(np.minimum(to_low, to_high).max(initial=-np.inf)),
        float(np.maximum(to_low, to_high).min(initial=np.inf)),
    )
