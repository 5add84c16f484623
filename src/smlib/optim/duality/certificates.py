"""What a proof is made of, and the proof of an optimum: reduced costs, the dual objective, complementary slackness."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

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
        errors = [self.primal_infeasibility, self.dual_infeasibility, self.gap, self.complementarity]
        errors.append(self.ray_infeasibility)
        small = all(abs(error) <= tolerance for error in errors if error is not None)
        return small and (self.margin is None or self.margin > tolerance)

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
    weights = as_entries(y, "y", program.A.shape[0])
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
    price = sign * as_entries(y, "y", program.A.shape[0])
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
    m, n = program.A.shape
    point, weights = as_entries(x, "x", n), as_entries(y, "y", m)
    sign = -1.0 if program.maximize else 1.0
    with np.errstate(all="ignore"):
        price, cost = sign * weights, sign * program.c
        combined, size = add_rows(program, price)
        size = 1.0 + np.abs(cost) + size
        wrong_price = np.where(np.isinf(lean(price, program.row_lower, program.row_upper)), price, 0.0)
        shifted = np.zeros(n)
        if wrong_price.any():
            price = price - wrong_price
            combined, _ = add_rows(program, price)
            shifted = largest_terms(program.A, wrong_price)
        reduced = cost - combined
        wrong_cost = np.where(np.isinf(lean(reduced, program.lower, program.upper)), reduced, 0.0)
        reduced = reduced - wrong_cost

        sides = lean(price, program.row_lower, program.row_upper)
        bounds = lean(reduced, program.lower, program.upper)
        primal = float(cost @ point)
        dual = float(price @ sides + reduced @ bounds)
        scale = 1.0 + max(abs(primal), abs(dual))
        activity, terms = add_columns(program, point)
        products = np.concatenate([price * (activity - sides), reduced * (point - bounds)])
        return Certificate(
            "optimal",
            objective=sign * primal + program.offset,
            dual_objective=sign * dual + program.offset,
            primal_infeasibility=violation(program, point, activity, terms),
            dual_infeasibility=_largest(np.maximum(np.abs(wrong_cost), shifted) / size),
            gap=(primal - dual) / scale,
            complementarity=_largest(products) / scale,
        )


def as_entries(value: ArrayLike, name: str, size: int) -> Vector:
    """Return a vector of ``size`` entries, finite or not: what is not finite proves nothing, and is no misuse."""
    vector = as_floats(value, name)
    if vector.shape != (size,):
        raise InputError(f"{name} has shape {vector.shape}, but shape ({size},) is needed to fit the program")
    return vector


def lean(weights: Vector, lower: Vector, upper: Vector) -> Vector:
    """Return the side that each weight leans on: lower for a positive one, upper for a negative one, 0 for none."""
    return np.where(weights > 0.0, lower, np.where(weights < 0.0, upper, 0.0))


def add_columns(program: LinearProgram, x: Vector) -> tuple[Vector, Vector]:
    """Return ``A x``, and the same sum without the signs of its terms."""
    A = program.A
    rows, terms = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr)), A.data * x[A.indices]
    return _sums(rows, terms, A.shape[0]), _sums(rows, np.abs(terms), A.shape[0])


def add_rows(program: LinearProgram, y: Vector) -> tuple[Vector, Vector]:
    """Return ``A'y``, and the same sum without the signs of its terms."""
    A = program.A
    terms = A.data * np.repeat(y, np.diff(A.indptr))
    return _sums(A.indices, terms, A.shape[1]), _sums(A.indices, np.abs(terms), A.shape[1])


def _sums(places: Any, terms: Vector, size: int) -> Vector:
    return np.bincount(places, terms, size).astype(np.float64, copy=False)


def violation(program: LinearProgram, x: Vector, activity: Vector, terms: Vector) -> float:
    """Return the largest violation of a row or a bound, relative to one plus the terms that were added."""
    rows = np.maximum(program.row_lower - activity, activity - program.row_upper) / (1.0 + terms)
    bounds = np.maximum(program.lower - x, x - program.upper) / (1.0 + np.abs(x))
    return max(_largest(np.maximum(rows, 0.0)), _largest(np.maximum(bounds, 0.0)))


def largest_terms(A: Any, weights: Vector) -> Vector:
    """Return for each column the largest ``|A[i, j] weights[i]|``."""
    largest = np.zeros(A.shape[1])
    np.maximum.at(largest, A.indices, np.abs(A.data * np.repeat(weights, np.diff(A.indptr))))
    return largest


def _largest(values: Vector) -> float:
    """Return the largest modulus; NaN if there is a NaN."""
    return float(np.abs(values).max(initial=0.0))
