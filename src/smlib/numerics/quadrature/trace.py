"""Adaptive quadrature one bisection at a time: which interval goes next, and what is left of the error.

What there is to see. The samples of the first interval miss what is narrow, and its error says so. Each bisection
then takes the interval with the largest error, and nearly always one of the halves inherits all of it. So the
bisecting walks down to the place where the function is difficult, and leaves the rest in large pieces::

    |                                |
    |               |                |          the right half is settled at once
    |       |       |                |          the same again, one level deeper
    |       |   |   |                |          now it is the right one that inherits

The estimated error stays above the true one, mostly by far: it is that of the poorer of two rules.

At a singularity the walk has no end, and each step takes the same part of the error. But then the sums are a sequence
with a pattern, and where it is going is known long before it is there: see
`smlib.numerics.quadrature.extrapolation`.

Invariants, computed at every step:
  1. The intervals lie side by side, and cover the range.
  2. The integral is the sum of those of the intervals, its error the sum of theirs.
  3. The interval that was split had the largest error of all, or of all but the deepest.

Cost: that of `quad` with the same integrand, and one integral more for the true value.

Piessens, de Doncker-Kapenga, Überhuber & Kahaner, *QUADPACK*, section 2.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from smlib._core.trace import Step
from smlib._core.user_functions import UserFunction, bind
from smlib._core.validate import as_count, as_nonnegative
from smlib.errors import InputError
from smlib.numerics.quadrature.adaptive import quad
from smlib.numerics.quadrature.bisection import (
    DEPTH,
    ERROR,
    INTEGRAL,
    LEFT,
    RIGHT,
    Intervals,
    make_bisection,
    put,
    survey,
)
from smlib.numerics.quadrature.extrapolation import BEYOND, ROWS, extrapolate
from smlib.numerics.quadrature.integrands import as_finite_limits
from smlib.numerics.quadrature.kronrod import SAMPLES

# The curve is drawn through so many points.
DRAWN = 400


def trace(
    func: UserFunction,
    a: float,
    b: float,
    args: Any = (),
    *,
    tolerance: float = 1e-6,
    limit: int = 50,
    exact: float | None = None,
) -> Iterator[Step]:
    """Yield the first interval and one step a split. The steps are `quad`'s own, taken one at a time.

    Parameters
    ----------
    func, args
        As for `quad`; Python drives the function.
    a, b : float
        The limits, finite, ``a < b``.
    tolerance : float
        The error to be met, positive.
    limit : int
        How many intervals there may be, at least 1.
    exact : float, optional
        The true value; that of `quad` at its most accurate if not given.

    Yields
    ------
    Step
        Its state holds ``curve``, places and values; ``intervals``, in the order of their making, a row each: ends,
        integral, error, depth; ``total`` and ``error``; ``next``, the row that will be split, or None at the end;
        ``end`` and ``end_error``, the extrapolated value and its error, infinite as long as there is none;
        ``errors``, ``true_errors`` and ``end_errors`` from the start to this step; ``tolerance``; ``exact``.

    Raises
    ------
    InputError
        As for `quad`; ``a`` is not below ``b``; ``tolerance`` or ``limit`` is 0.

    Notes
    -----
    Complexity: as `quad`, and O(1) for the curve.

    References
    ----------
    Piessens, de Doncker-Kapenga, Überhuber & Kahaner, *QUADPACK*, section 2.1.

    Examples
    --------
    >>> for step in trace(lambda x: 1.0 / (0.01 + x * x), 0.0, 1.0, tolerance=1e-3):
    ...     print(len(step.state["intervals"]), step.state["error"] < 1e-3)
    1 False
    2 True
    """
    low, high = as_finite_limits(a, b)
    if not low < high:
        raise InputError(f"the limits are {low} and {high}; here the first must be below the second")
    epsabs, most = as_nonnegative(tolerance, "tolerance"), as_count(limit, "limit")
    if epsabs == 0.0 or most == 0:
        raise InputError(f"tolerance is {epsabs} and limit is {most}; both must be positive")
    args = args if isinstance(args, tuple) else (args,)
    plain = getattr(func, "py_func", func)
    truth = quad(plain, low, high, args, epsabs=0.0, epsrel=1e-13, limit=200).estimate if exact is None else exact
    places = low + (high - low) * (np.arange(DRAWN) + 0.5) / DRAWN
    curve = places, np.array([plain(x, *args) for x in places.tolist()], dtype=np.float64)

    algorithm = bind(make_bisection, plain, args)
    values = np.empty(SAMPLES)
    intervals = np.empty((most, 5))
    table = np.empty((ROWS, most + 1))
    put(intervals, 0, low, high, *algorithm.measure(low, high, args, values), 0.0)
    source: Any = algorithm.measure
    before: Intervals = intervals[:0]
    worst, depth = -1, 0
    errors: list[float] = []
    true_errors: list[float] = []
    end_errors: list[float] = []
    for n in range(1, most + 1):
        if n > 1:
            before = intervals[: n - 1].copy()
            algorithm.split(intervals, worst, n - 1, args, values)
            source = algorithm.split
        split = worst
        total, error, worst, settled = survey(intervals, n, depth, epsabs, 0.0)
        end, end_error = math.nan, BEYOND
        if settled:
            end, end_error = extrapolate(table, depth, total, error)
            depth += 1
        errors.append(error)
        true_errors.append(abs(total - truth))
        end_errors.append(end_error if end_error < BEYOND else math.inf)
        rows = intervals[:n].copy()
        last = n == most or min(error, end_error) <= epsabs
        yield Step(
            caption=_caption(before, rows, split, total, error, end, end_errors[-1], epsabs),
            state={
                "curve": curve,
                "intervals": rows,
                "total": total,
                "error": error,
                "next": None if last else worst,
                "end": end,
                "end_error": end_errors[-1],
                "errors": tuple(errors),
                "true_errors": tuple(true_errors),
                "end_errors": tuple(end_errors),
                "tolerance": epsabs,
                "exact": truth,
            },
            source=extrapolate if end_error <= epsabs < error else source,
            invariants=_invariants(before, rows, split, total, error, low, high),
            question=_question(before, split),
        )
        if last:
            return


def _invariants(
    before: Intervals, rows: Intervals, split: int, total: float, error: float, low: float, high: float
) -> dict[str, bool]:
    ordered = rows[np.argsort(rows[:, LEFT])]
    cuts = [low, *ordered[:-1, RIGHT]], [*ordered[1:, LEFT], high]
    side_by_side = bool((ordered[:, LEFT] == cuts[0]).all() and (ordered[:, RIGHT] == cuts[1]).all())
    size = float(np.abs(rows[:, INTEGRAL]).sum())
    found = {
        "the intervals lie side by side, and cover the range": side_by_side,
        "the integral is the sum of the intervals' integrals": math.isclose(
            total, math.fsum(rows[:, INTEGRAL]), rel_tol=1e-13, abs_tol=1e-15 * size
        ),
        "its error is the sum of their errors": math.isclose(error, math.fsum(rows[:, ERROR]), rel_tol=1e-12),
    }
    if len(before):
        rivals = before[before[:, DEPTH] < before[:, DEPTH].max(), ERROR]
        largest = before[split, ERROR] in (before[:, ERROR].max(), rivals.max(initial=-1.0))
        found["the interval that was split had the largest error of all, or of all but the deepest"] = bool(largest)
    return found


def _caption(
    before: Intervals,
    rows: Intervals,
    split: int,
    total: float,
    error: float,
    end: float,
    end_error: float,
    tolerance: float,
) -> str:
    if len(before) == 0:
        told = f"21 samples of the whole range give {total:.6g}, with an error of {error:.2g}."
    else:
        parent, near, far = before[split], rows[split], rows[-1]
        told = (
            f"Split {len(before)}: the interval from {parent[LEFT]:.4g} to {parent[RIGHT]:.4g} had the error "
            f"{parent[ERROR]:.2g}; its halves have {near[ERROR]:.2g} and {far[ERROR]:.2g}."
        )
        if parent[ERROR] < before[:, ERROR].max():
            told += " (Before the deepest one all others are settled.)"
    if error <= tolerance:
        return f"{told} All errors together, {error:.2g}, meet the tolerance. The integral is {total:.10g}."
    if end_error <= tolerance:
        return f"{told} The sums fall into a pattern: extrapolated, they go to {end:.10g}, within {end_error:.2g}."
    return told


def _question(before: Intervals, split: int) -> str:
    """Ask about the last split, knowing only what was to be seen before it."""
    if len(before) == 0:
        return ""
    left, right, _, error, _ = before[split]
    middle = 0.5 * left + 0.5 * right
    return (
        f"The interval from {left:.4g} to {right:.4g} is next, with an error of {error:.2g}. Which half inherits it: "
        f"the one to {middle:.4g}, or the one from there?"
    )
