"""What a proof is made of, and the proof of an optimum: reduced costs, the dual objective, complementary slackness."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.csr import Indices
from smlib._core.kernel import kernel
from smlib._core.results import Result
from smlib._core.validate import Vector, as_floats
from smlib.errors import InputError

if TYPE_CHECKING:
    from smlib.optim.linear_program import LinearProgram


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Certificate(Result):
    """A proof, and by how much it fails to be exact. What does not apply to its kind is None.

    Attributes
    ----------
    kind : {"optimal", "infeasible", "unbounded"}
        What is to be proved.
    objective : float, optional
        The objective at ``x`` ("optimal", "unbounded"), as stated.
    dual_objective : float, optional
        The bound that the weights prove ("optimal"), as stated.
    primal_infeasibility : float, optional
        The largest violation of a row or a bound by ``x``, relative to one plus the terms that were added: the sum of
        ``|A[i, j] x[j]|`` for a row, ``|x[j]|`` for a bound ("optimal", "unbounded").
    dual_infeasibility : float, optional
        The largest reduced cost that leans on an infinite bound, or change of one by a weight that leans on an infinite
        side, relative to one plus ``|c[j]|`` and the sum of ``|A[i, j] y[i]|`` ("optimal").
    gap : float, optional
        Objective minus dual objective (turned round for a maximisation), relative to one plus the larger of the two
        without the offset. It may come out negative by as much as ``x`` or the weights are infeasible ("optimal").
    complementarity : float, optional
        The largest product of a weight and the distance to the side leaned on, relative like the gap ("optimal").
    ray : ndarray, optional
        The weights of the rows that contradict each other ("infeasible"), or the direction ("unbounded").
    ray_infeasibility : float, optional
        The largest part of ``A'ray`` that leans on an infinite bound, or of ``A ray`` that walks into a finite side,
        relative to the terms that were added.
    margin : float, optional
        By how much the demand of the weighted rows passes what the bounds allow, or how fast the objective improves
        along the ray; relative to the terms that were added. A proof has a positive one.
    """

    kind: Literal["optimal", "infeasible", "unbounded"]
    objective: float | None = None
    dual_objective: float | None = None
    primal_infeasibility: float | None = None
    dual_infeasibility: float | None = None
    gap: float | None = None
    complementarity: float | None = None
    ray: Vector | None = None
    ray_infeasibility: float | None = None
    margin: float | None = None

    def holds(self, tolerance: float = 1e-8) -> bool:
        """Return whether no error passes the tolerance and, for a ray, the margin does.

        Notes
        -----
        Complexity: O(1).

        Examples
        --------
        >>> Certificate("infeasible", ray_infeasibility=1e-16, margin=0.01).holds()
        True
        """
        return self.largest_error() <= tolerance and (self.margin is None or self.margin > tolerance)

    def largest_error(self) -> float:
        """Return the largest of the errors, whatever its sign; NaN if one is."""
        errors = self.primal_infeasibility, self.dual_infeasibility, self.gap, self.complementarity
        sizes = [abs(error) for error in (*errors, self.ray_infeasibility) if error is not None]
        return math.nan if any(math.isnan(size) for size in sizes) else max(sizes)

    def _rows(self) -> list[tuple[str, str]]:
        return [row for row in Result._rows(self) if row[1] != "None"]


def reduced_costs(program: LinearProgram, y: ArrayLike) -> Vector:
    """Return what the weighted rows leave of the costs, ``c - A'y``.

    Parameters
    ----------
    program : LinearProgram
    y : array_like, shape (m,)
        The weights, or prices, of the rows.

    Returns
    -------
    ndarray, shape (n,)
        By how much the objective as stated changes with one more of each unknown, everything else paid at its price.

    Raises
    ------
    InputError
        The shapes do not fit.

    Notes
    -----
    Complexity: O(entries).

    References
    ----------
    Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, section 3.1.

    Examples
    --------
    >>> from smlib.optim import LinearProgram
    >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
    >>> reduced_costs(dairy, [1, 0])
    array([-1.,  0.])
    """
    weights = as_entries(y, "y", program.rows.shape[0])
    return program.c - add_rows(program, weights)[0]


def dual_objective(program: LinearProgram, y: ArrayLike) -> float:
    """Return the bound on the objective that weights of the rows prove.

    Parameters
    ----------
    program : LinearProgram
    y : array_like, shape (m,)
        Of any sign. In a minimisation a positive weight leans on the lower side of its row, a negative one on the upper
        side; in a maximisation the other way round.

    Returns
    -------
    float
        No feasible point of a minimisation costs less, none of a maximisation earns more. Infinite, and no bound at
        all, if anything leans on an infinite side: computed multipliers mostly do by rounding, and `certify_optimum`
        says by how much.

    Raises
    ------
    InputError
        The shapes do not fit.

    Notes
    -----
    Complexity: O(entries).

    References
    ----------
    Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, theorem 4.3.

    Examples
    --------
    >>> from smlib.optim import LinearProgram
    >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
    >>> dual_objective(dairy, [1, 0]), dual_objective(dairy, [0.5, 0])
    (120.0, inf)
    """
    sign = -1.0 if program.maximize else 1.0
    price = sign * as_entries(y, "y", program.rows.shape[0])
    reduced = sign * program.c - add_rows(program, price)[0]
    sides = lean(price, program.row_lower, program.row_upper)
    bounds = lean(reduced, program.lower, program.upper)
    if np.isinf(sides).any() or np.isinf(bounds).any():
        return -sign * math.inf
    return sign * float(price @ sides + reduced @ bounds) + program.offset


def certify_optimum(program: LinearProgram, x: ArrayLike, y: ArrayLike) -> Certificate:
    """Check a point and prices that are said to be optimal.

    Parameters
    ----------
    program : LinearProgram
    x : array_like, shape (n,)
    y : array_like, shape (m,)
        The weights, or prices, of the rows: derivatives of the optimal objective, as stated, by the sides.

    Returns
    -------
    Certificate
        Of the kind "optimal". With NaN or infinity in ``x`` or ``y`` it does not hold.

    Raises
    ------
    InputError
        The shapes do not fit.

    Notes
    -----
    What leans on an infinite side is counted as dual infeasibility and then left out, of the reduced costs as well, so
    that the dual objective is what the rest of the weights proves.

    Complexity: O(entries).

    References
    ----------
    Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, theorem 4.5.

    Examples
    --------
    >>> from smlib.optim import LinearProgram
    >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
    >>> certify_optimum(dairy, [12, 12], [0.7, 0.4]).holds()
    True
    >>> certify_optimum(dairy, [20, 0], [0.7, 0.4]).gap.__round__(4)
    0.0734
    """
    rows = program.rows
    m, n = rows.shape
    point, weights = as_entries(x, "x", n), as_entries(y, "y", m)
    sign = -1.0 if program.maximize else 1.0
    sides = program.row_lower, program.row_upper, program.lower, program.upper
    primal, dual, primal_infeasibility, dual_infeasibility, gap, complementarity = weigh(
        rows.indptr, rows.indices, rows.data, program.c, *sides, point, weights, sign
    )
    return Certificate(
        "optimal",
        objective=sign * primal + program.offset,
        dual_objective=sign * dual + program.offset,
        primal_infeasibility=primal_infeasibility,
        dual_infeasibility=dual_infeasibility,
        gap=gap,
        complementarity=complementarity,
    )


@kernel
def weigh(
    indptr: Indices,
    indices: Indices,
    data: Vector,
    c: Vector,
    row_lower: Vector,
    row_upper: Vector,
    lower: Vector,
    upper: Vector,
    x: Vector,
    y: Vector,
    sign: float,
) -> tuple[float, float, float, float, float, float]:
    """Return what weak duality is about, for the minimisation of ``sign * c @ x``.

    In this order: the cost of ``x`` and the bound that the weights prove, by how much either is infeasible, the gap
    between them, and the largest product of complementary slackness.
    """
    m, n = row_lower.size, lower.size
    activity, activity_size = np.empty(m), np.empty(m)
    sum_columns(indptr, indices, data, x, activity, activity_size)
    primal_infeasibility = largest_violation(row_lower, row_upper, lower, upper, x, activity, activity_size)

    # A weight of a row: its price. One that leans on an infinite side is left out, and what that changes is kept.
    price = np.empty(m)
    for i in range(m):
        price[i] = sign * y[i]
    combined, combined_size = np.empty(n), np.empty(n)
    sum_rows(indptr, indices, data, price, combined, combined_size)
    change = np.zeros(n)
    any_wrong = False
    for i in range(m):
        if np.isinf(side_leaned_on(price[i], row_lower[i], row_upper[i])):
            any_wrong = True
            for entry in range(indptr[i], indptr[i + 1]):
                column = indices[entry]
                change[column] = larger(change[column], abs(data[entry] * price[i]))
            price[i] -= price[i]  # 0, or NaN if it was infinite: then nothing is proved
    if any_wrong:
        sum_rows(indptr, indices, data, price, combined, np.empty(n))

    dual, product = 0.0, 0.0
    for i in range(m):
        side = side_leaned_on(price[i], row_lower[i], row_upper[i])
        dual += price[i] * side
        product = larger(product, abs(price[i] * (activity[i] - side)))

    # A weight of a bound: the reduced cost of its column. What leans on an infinite bound is left out as well.
    primal, dual_infeasibility = 0.0, 0.0
    for j in range(n):
        cost = sign * c[j]
        reduced, wrong = cost - combined[j], 0.0
        bound = side_leaned_on(reduced, lower[j], upper[j])
        if np.isinf(bound):
            wrong = abs(reduced)
            reduced -= reduced
            bound = 0.0
        error = larger(wrong, change[j]) / (1.0 + abs(cost) + combined_size[j])
        dual_infeasibility = larger(dual_infeasibility, error)
        primal += cost * x[j]
        dual += reduced * bound
        product = larger(product, abs(reduced * (x[j] - bound)))
    scale = 1.0 + max(abs(primal), abs(dual))
    return primal, dual, primal_infeasibility, dual_infeasibility, (primal - dual) / scale, product / scale


def as_entries(value: ArrayLike, name: str, size: int) -> Vector:
    """Return a vector of ``size`` entries, finite or not: what is not finite proves nothing, and is no misuse."""
    vector = as_floats(value, name)
    if vector.shape != (size,):
        raise InputError(f"{name} has shape {vector.shape}, but shape ({size},) is needed to fit the program")
    return vector


@kernel
def side_leaned_on(weight: float, lower: float, upper: float) -> float:
    """Return the lower side for a positive weight, the upper one for a negative, and 0 for none."""
    if weight > 0.0:
        return lower
    if weight < 0.0:
        return upper
    return 0.0


@kernel
def larger(one: float, other: float) -> float:
    """Return the larger number, and NaN if one of them is NaN: a maximum that forgot it would prove what is false."""
    return other if other > one or np.isnan(other) else one


def lean(weights: Vector, lower: Vector, upper: Vector) -> Vector:
    """Return the side that each weight leans on: lower for a positive one, upper for a negative one, 0 for none."""
    sides = np.empty(weights.size)
    lean_all(weights, lower, upper, sides)
    return sides


@kernel
def lean_all(weights: Vector, lower: Vector, upper: Vector, sides: Vector) -> None:
    """Set sides to what each weight leans on."""
    for i in range(weights.size):
        sides[i] = side_leaned_on(weights[i], lower[i], upper[i])


def add_columns(program: LinearProgram, x: Vector) -> tuple[Vector, Vector]:
    """Return ``A x``, and the same sum without the signs of its terms."""
    rows = program.rows
    sums, sizes = np.empty(rows.shape[0]), np.empty(rows.shape[0])
    sum_columns(rows.indptr, rows.indices, rows.data, x, sums, sizes)
    return sums, sizes


@kernel
def sum_columns(indptr: Indices, indices: Indices, data: Vector, x: Vector, sums: Vector, sizes: Vector) -> None:
    """Set sums = A x, and sizes = the same without the signs of its terms."""
    for i in range(sums.size):
        total, size = 0.0, 0.0
        for entry in range(indptr[i], indptr[i + 1]):
            term = data[entry] * x[indices[entry]]
            total += term
            size += abs(term)
        sums[i], sizes[i] = total, size


def add_rows(program: LinearProgram, y: Vector) -> tuple[Vector, Vector]:
    """Return ``A'y``, and the same sum without the signs of its terms."""
    rows = program.rows
    sums, sizes = np.empty(rows.shape[1]), np.empty(rows.shape[1])
    sum_rows(rows.indptr, rows.indices, rows.data, y, sums, sizes)
    return sums, sizes


@kernel
def sum_rows(indptr: Indices, indices: Indices, data: Vector, y: Vector, sums: Vector, sizes: Vector) -> None:
    """Set sums = A'y, and sizes = the same without the signs of its terms."""
    sums[:] = 0.0
    sizes[:] = 0.0
    for i in range(y.size):
        weight = y[i]
        for entry in range(indptr[i], indptr[i + 1]):
            term = data[entry] * weight
            sums[indices[entry]] += term
            sizes[indices[entry]] += abs(term)


@kernel
def largest_violation(
    row_lower: Vector,
    row_upper: Vector,
    lower: Vector,
    upper: Vector,
    x: Vector,
    activity: Vector,
    activity_size: Vector,
) -> float:
    """Return the largest violation of a row or a bound, relative to one plus the terms that were added."""
    largest = 0.0
    for i in range(activity.size):
        error = larger(row_lower[i] - activity[i], activity[i] - row_upper[i])
        largest = larger(largest, error / (1.0 + activity_size[i]))
    for j in range(x.size):
        error = larger(lower[j] - x[j], x[j] - upper[j])
        largest = larger(largest, error / (1.0 + abs(x[j])))
    return largest
