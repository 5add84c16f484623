"""Rays: that no point is feasible, or that the objective has no limit.

A ray is a proof wherever it came from, so that it may be improved before it is checked: weights that lean on an
infinite side and steps into a bound are left out, and dust (what rounding left of weights that should be 0) is swept
away on trial.

The errors of a ray can be compared with nothing but its own terms. If ``A'ray`` leans on an infinite bound by no more
than a part in 1e9 of the terms that were added up, then changing the entries of ``A`` by so much makes the ray exact:
the program is as good as infeasible, unless its numbers are known better than that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.csr import Indices
from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.optim.duality.certificates import (
    Certificate,
    add_columns,
    add_rows,
    as_entries,
    largest_violation,
    lean,
)

if TYPE_CHECKING:
    from smlib.optim.linear_program import LinearProgram

# Weights below these shares of the largest are left out of a ray on trial: any weights may prove something.
DUST = (0.0, 1e-13, 1e-11, 1e-9)


def certify_infeasible(program: LinearProgram, ray: ArrayLike | None = None) -> Certificate:
    """Check weights of the rows that are said to show that no point is feasible.

    Parameters
    ----------
    program : LinearProgram
    ray : array_like, shape (m,), optional
        The weights. Solvers differ in their sign: the negative is tried too. Not needed where bounds cross.

    Returns
    -------
    Certificate
        Of the kind "infeasible". Its ``ray`` has the sign by which the sides of the rows demand more than the bounds of
        the columns allow. It may lack the smallest of the weights, if the rest proves more; and it is None where a
        pair of bounds that cross is the better proof.

    Raises
    ------
    InputError
        The shapes do not fit.

    Notes
    -----
    Weights of the wrong sign for a row with one side are left out before anything is computed: whatever the rest
    proves is proved.

    Complexity: O(entries).

    References
    ----------
    Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, theorem 4.6 (Farkas' lemma).

    Examples
    --------
    >>> from smlib.optim import LinearProgram
    >>> program = LinearProgram([1, 1], [[1, 1], [2, 2]], row_lower=[-np.inf, 8], row_upper=[3, np.inf])
    >>> proof = certify_infeasible(program, [-2, 1])
    >>> proof.holds(), round(proof.margin, 4)
    (True, 0.1429)
    """
    best = Certificate("infeasible", ray_infeasibility=0.0, margin=_crossing(program))
    if ray is not None:
        given = as_entries(ray, "ray", program.rows.shape[0])
        sizes, _ = _largest_entries(program)
        for signed in (given, -given):
            for weights in _without_dust(signed, sizes):
                best = max(best, _contradiction(program, weights), key=_strength)
    return best


def certify_unbounded(program: LinearProgram, x: ArrayLike, ray: ArrayLike) -> Certificate:
    """Check a point and a direction that are said to show that the objective has no limit.

    Parameters
    ----------
    program : LinearProgram
    x : array_like, shape (n,)
        A feasible point.
    ray : array_like, shape (n,)
        From it one may walk for ever in this direction, and the objective improves.

    Returns
    -------
    Certificate
        Of the kind "unbounded". Its ``ray`` is what is left of the direction without steps into a bound, and perhaps
        without the smallest ones, if the rest proves more.

    Raises
    ------
    InputError
        The shapes do not fit.

    Notes
    -----
    Complexity: O(entries).

    References
    ----------
    Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, theorem 4.14.

    Examples
    --------
    >>> from smlib.optim import LinearProgram
    >>> program = LinearProgram([-1, 1], [[1, -2]], row_upper=[4])
    >>> certify_unbounded(program, [0, 0], [2, 1]).holds()
    True
    """
    n = program.rows.shape[1]
    point, given = as_entries(x, "x", n), as_entries(ray, "ray", n)
    with np.errstate(all="ignore"):
        objective = float(program.c @ point) + program.offset
    sides = program.row_lower, program.row_upper, program.lower, program.upper
    infeasibility = largest_violation(*sides, point, *add_columns(program, point))
    _, sizes = _largest_entries(program)
    trials = [_descent(program, direction) for direction in _without_dust(given, sizes + np.abs(program.c))]
    best = max(trials, key=_strength)
    return Certificate(
        "unbounded",
        objective=objective,
        primal_infeasibility=infeasibility,
        ray=best.ray,
        ray_infeasibility=best.ray_infeasibility,
        margin=best.margin,
    )


def _contradiction(program: LinearProgram, weights: Vector) -> Certificate:
    """Set what the weighted rows demand against what the bounds allow."""
    with np.errstate(all="ignore"):
        weights = np.where(np.isinf(lean(weights, program.row_lower, program.row_upper)), 0.0, weights)
        combined, terms = add_rows(program, weights)
        bounds = lean(-combined, program.lower, program.upper)
        unlimited = np.where(np.isinf(bounds), combined, 0.0)
        demanded = weights * lean(weights, program.row_lower, program.row_upper)
        allowed = (combined - unlimited) * np.where(np.isinf(bounds), 0.0, bounds)
        return Certificate(
            "infeasible",
            ray=weights,
            ray_infeasibility=_share(unlimited, terms),
            margin=_ratio(float(demanded.sum() - allowed.sum()), float(np.abs(demanded).sum() + np.abs(allowed).sum())),
        )


def _descent(program: LinearProgram, direction: Vector) -> Certificate:
    """Walk along the direction: what is run into, and how fast the objective improves."""
    cost = -program.c if program.maximize else program.c
    with np.errstate(all="ignore"):
        blocked = ((direction > 0.0) & np.isfinite(program.upper)) | ((direction < 0.0) & np.isfinite(program.lower))
        direction = np.where(blocked, 0.0, direction)
        change, terms = add_columns(program, direction)
        into = ((change > 0.0) & np.isfinite(program.row_upper)) | ((change < 0.0) & np.isfinite(program.row_lower))
        return Certificate(
            "unbounded",
            ray=direction,
            ray_infeasibility=_share(np.where(into, change, 0.0), terms),
            margin=_ratio(-float(cost @ direction), float(np.abs(cost) @ np.abs(direction))),
        )


def _largest_entries(program: LinearProgram) -> tuple[Vector, Vector]:
    """Return the largest modulus of an entry in each row, and in each column."""
    rows = program.rows
    of_row, of_column = np.zeros(rows.shape[0]), np.zeros(rows.shape[1])
    raise_to_largest(rows.indptr, rows.indices, rows.data, of_row, of_column)
    return of_row, of_column


@kernel
def raise_to_largest(indptr: Indices, indices: Indices, data: Vector, of_row: Vector, of_column: Vector) -> None:
    """Raise numbers of the rows and of the columns to the largest modulus of their entries."""
    for i in range(of_row.size):
        for entry in range(indptr[i], indptr[i + 1]):
            size, column = abs(data[entry]), indices[entry]
            of_row[i] = max(of_row[i], size)
            of_column[column] = max(of_column[column], size)


def _without_dust(weights: Vector, sizes: Vector) -> Iterator[Vector]:
    """Yield the weights, and what is left of them when small ones are left out; sizes make them comparable."""
    influence = np.abs(weights) * sizes
    for share in DUST:
        yield np.where(influence < share * influence.max(initial=0.0), 0.0, weights)


def _crossing(program: LinearProgram) -> float:
    """Return the largest relative crossing of two bounds."""
    low = np.concatenate([program.row_lower, program.lower])
    high = np.concatenate([program.row_upper, program.upper])
    crossed = low > high
    low, high = low[crossed], high[crossed]
    return float(((low - high) / (np.abs(low) + np.abs(high))).max(initial=0.0))


def _share(parts: Vector, sizes: Vector) -> float:
    """Return the largest part of its size; a part of 0 counts 0."""
    return float((np.abs(parts) / np.where(parts == 0.0, 1.0, sizes)).max(initial=0.0))


def _ratio(part: float, size: float) -> float:
    return part / size if size > 0.0 else 0.0


def _strength(proof: Certificate) -> float:
    """Return how far the margin stands above the error: any tolerance between the two lets the proof hold."""
    strength = (proof.margin or 0.0) / ((proof.ray_infeasibility or 0.0) + 1e-15)
    return -math.inf if math.isnan(strength) else strength
