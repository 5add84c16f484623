"""The tableau and its step: price the columns, find who stops the entering variable, pivot.

A tableau says how the basic variables follow from the nonbasic ones. Row ``i`` is the equation::

    x[basic[i]]  +  sum over j of  entries[i, j] * x[nonbasic[j]]  =  0

and the last row says what the objective changes by when a nonbasic variable rises by one: its *reduced cost*. There is
no column of right-hand sides: they are bounds of variables, and every variable's value stands in ``value``.

Harris, "Pivot selection methods of the Devex LP code", *Mathematical Programming* 5 (1973).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.optim.tableau.pricing import DEVEX, GREATEST, STEEPEST, edge_lengths, score, update_reference

Matrix = NDArray[np.float64]
Numbers = NDArray[np.int64]

# What there is to do: a step; nothing, for no column improves; or walking for ever, for nobody stops the column.
STEP, BEST, UNLIMITED = 0, 1, 2

# In a scaled tableau, entries below this size are taken for rounding errors and never pivoted on.
SMALLEST_PIVOT = 1e-9


class Tableau(NamedTuple):
    """A tableau of ``m`` rows and ``n`` columns over ``n + m`` variables: the unknowns, then one a row of the program.

    Variable ``n + i`` is ``-(A x)[i]``, the slack of row ``i`` less its right-hand side: its bounds are the sides of
    the row, negated, and the first tableau is ``A`` itself.

    Attributes
    ----------
    entries : ndarray, shape (m + 1, n)
        The rows, and last the reduced costs.
    basic, nonbasic : ndarray of int, shapes (m,) and (n,)
        The variable of each row, and of each column.
    value, lower, upper : ndarray, shape (n + m,)
        Of each variable.
    weights : ndarray, shape (n,)
        Of each column, for pricing.
    violation : ndarray, shape (n,)
        What the sum of all violations changes by when a column's variable rises by one: the reduced costs of phase 1.
    """

    entries: Matrix
    basic: Numbers
    nonbasic: Numbers
    value: Vector
    lower: Vector
    upper: Vector
    weights: Vector
    violation: Vector


@kernel(fast=True)
def pivot(entries: Matrix, row: int, column: int) -> None:
    """Solve a row for its column's variable, and put that into all other rows: the two variables change places."""
    inverse = 1.0 / entries[row, column]
    solved = np.empty(entries.shape[1])
    for j in range(solved.size):
        solved[j] = entries[row, j] * inverse
    solved[column] = inverse
    for i in range(entries.shape[0]):
        target = entries[i]
        factor = target[column]
        if factor != 0.0:
            target[column] = 0.0
            for j in range(target.size):
                target[j] -= factor * solved[j]
    for j in range(solved.size):
        entries[row, j] = solved[j]


@kernel
def choose(tableau: Tableau, rule: int, tolerance: float, textbook: bool) -> tuple[int, int, int, float]:
    """Choose the next step.

    Returns
    -------
    what : int
        ``STEP``, ``BEST`` or ``UNLIMITED``.
    column : int
        Whose variable enters the basis; -1 for ``BEST``.
    row : int
        Whose variable leaves it; -1 where the entering one jumps to its own other bound.
    length : float
        How far the entering variable moves, with its sign.
    """
    m, n = tableau.basic.size, tableau.nonbasic.size
    reduced = tableau.violation if measure_violation(tableau, tolerance) else tableau.entries[m]
    if rule == STEEPEST:
        edge_lengths(tableau.entries, tableau.weights)
    best, highest = n, 0.0
    for j in range(n):
        k = tableau.nonbasic[j]
        rising = reduced[j] < -tolerance and tableau.value[k] < tableau.upper[k]
        falling = reduced[j] > tolerance and tableau.value[k] > tableau.lower[k]
        if rising or falling:
            gain = score(rule, reduced[j], tableau.weights[j], k)
            if rule == GREATEST:
                gain *= ratio_test(tableau, j, 1.0 if rising else -1.0, tolerance, textbook)[1]
            if best == n or gain > highest:
                best, highest = j, gain
    if best == n:
        return BEST, -1, -1, 0.0
    direction = 1.0 if reduced[best] < 0.0 else -1.0
    row, length = ratio_test(tableau, best, direction, tolerance, textbook)
    return (STEP if length < np.inf else UNLIMITED), best, row, direction * length


@kernel
def measure_violation(tableau: Tableau, tolerance: float) -> bool:
    """Compute the reduced costs of the sum of all violations; return whether there is a violation."""
    violation = tableau.violation
    found = False
    for i in range(tableau.basic.size):
        side = side_violated(tableau, tableau.basic[i], tolerance)
        if side != 0.0:
            if not found:
                violation[:] = 0.0
            found = True
            row = tableau.entries[i]
            for j in range(violation.size):
                violation[j] -= side * row[j]
    return found


@kernel
def side_violated(tableau: Tableau, k: int, tolerance: float) -> float:
    """Return 1 if variable ``k`` lies above its bounds by more than the tolerance, -1 if below them, and else 0."""
    if tableau.value[k] > tableau.upper[k] + tolerance:
        return 1.0
    return -1.0 if tableau.value[k] < tableau.lower[k] - tolerance else 0.0


@kernel
def ratio_test(tableau: Tableau, column: int, direction: float, tolerance: float, textbook: bool) -> tuple[int, float]:
    """Return the row that stops a column's variable, and how far it gets; row -1 if its own other bound stops it.

    Harris's two passes: how far could one go if every bound gave way by half the tolerance? Of all rows that would have
    stopped us on the way there, take the one with the largest pivot. The textbook's rule instead: the first to stop us,
    and of several the one whose variable has the lowest number.
    """
    entries, basic = tableau.entries, tableau.basic
    k = tableau.nonbasic[column]
    slack = 0.0 if textbook else 0.5 * tolerance
    farthest = np.inf
    for i in range(basic.size):
        rate = -direction * entries[i, column]
        if abs(rate) > SMALLEST_PIVOT:
            farthest = min(farthest, (room(tableau, basic[i], rate, tolerance) + slack) / abs(rate))
    row, length, largest = -1, tableau.upper[k] - tableau.lower[k], 0.0
    if farthest >= length:
        return row, length
    for i in range(basic.size):
        rate = -direction * entries[i, column]
        size = abs(rate)
        if size > SMALLEST_PIVOT:
            reach = room(tableau, basic[i], rate, tolerance) / size
            if reach <= farthest:
                better = basic[i] < basic[row] if textbook else size > largest
                if row < 0 or better:
                    row, length, largest = i, reach, size
    return row, length if length > 0.0 else 0.0


@kernel
def room(tableau: Tableau, k: int, rate: float, tolerance: float) -> float:
    """Return how far variable ``k`` may move until it stops the step; one that is out of bounds stops on its way in."""
    value, lower, upper = float(tableau.value[k]), float(tableau.lower[k]), float(tableau.upper[k])
    if rate > 0.0:
        if value > upper + tolerance:
            return np.inf
        return lower - value if value < lower - tolerance else upper - value
    if value < lower - tolerance:
        return np.inf
    return value - upper if value > upper + tolerance else value - lower


@kernel
def take(tableau: Tableau, rule: int, column: int, row: int, length: float) -> None:
    """Take a step that `choose` has chosen."""
    entries, basic, nonbasic, value = tableau.entries, tableau.basic, tableau.nonbasic, tableau.value
    entering = nonbasic[column]
    value[entering] += length
    for i in range(basic.size):
        value[basic[i]] -= length * entries[i, column]
    if row < 0:
        value[entering] = nearest_bound(value[entering], tableau.lower[entering], tableau.upper[entering])
        return
    leaving = basic[row]
    value[leaving] = nearest_bound(value[leaving], tableau.lower[leaving], tableau.upper[leaving])
    if rule == DEVEX:
        update_reference(entries[row], column, tableau.weights)
    pivot(entries, row, column)
    basic[row], nonbasic[column] = entering, leaving


@kernel
def nearest_bound(value: float, lower: float, upper: float) -> float:
    """Return the bound that lies nearest to a value; 0 where there is none."""
    if lower == -np.inf and upper == np.inf:
        return 0.0
    return lower if value - lower <= upper - value else upper
