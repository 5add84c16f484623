"""Bisecting where the error is: the list of intervals, the choice of the next one, the loop.

Each interval is kept with its integral by 21 samples and the error of that. While the errors add up to too much,
one is bisected. Which? The one with the largest error, with one exception. At a singularity, such as 0 is for
``1 / sqrt(x)``, bisection goes on and on into one point: the half on the far side is settled at once, the half at
the point never::

    |--------------------------------|        depth 0
    |----------------|                        depth 1
    |--------|                                depth 2
    |----|

The sums of all integrals at depth 1, 2, 3, ... then go to their limit as geometric sequences do, and
`smlib.numerics.quadrature.extrapolation` finds where to, provided that nothing else disturbs them. Hence the
exception: before a deepest interval is bisected all others are, the worst first, until their errors together meet
the tolerance. Then the sum is a term of the sequence, and bisection may go one level deeper. (QUADPACK's QAGS does
much the same.)

Invariants, checked by the tests and at every step of the trace:
  1. The intervals lie side by side, and cover the range.
  2. The estimate is the sum of their integrals, its error the sum of their errors.
  3. The one that is bisected has the largest error of all, or of all but the deepest.

Cost: 21 evaluations an interval, and O(intervals) each time one is bisected; some ten intervals for a peak, or for a
singularity at an end.

Piessens, de Doncker-Kapenga, Überhuber & Kahaner, *QUADPACK*, sections 2.1 and 3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.user_functions import Decorator, UserFunction
from smlib._core.validate import Vector
from smlib.numerics.quadrature.extrapolation import BEYOND, ROWS, extrapolate
from smlib.numerics.quadrature.kronrod import NODES, SAMPLES, judge

Intervals: TypeAlias = NDArray[np.float64]

# An interval is a row: its ends, its integral and the error of that, and how often it was halved.
LEFT, RIGHT, INTEGRAL, ERROR, DEPTH = range(5)

# How the bisecting ended.
DONE, LIMIT, STALLED, NARROW, NOT_FINITE = range(5)

# Integral, error, how it ended, the ends of the interval that is worst, how many intervals there are.
Outcome: TypeAlias = tuple[float, float, int, float, float, int]

# A split that changes the integral by less than this part of it, and leaves so much of its error, has won nothing;
# after so many of them rounding is all that is left.
UNCHANGED = 1e-5
KEPT = 0.99
STALLS = 10

# An interval narrower than this part of its place is not split again.
NARROWEST = 100.0 * 2.0**-52

LARGEST = float(np.finfo(np.float64).max)


class Bisection(NamedTuple):
    """The algorithm for one integrand: the measure of an interval, one split, and all of it."""

    measure: Callable[[float, float, tuple[Any, ...], Vector], tuple[float, float]]
    split: Callable[[Intervals, int, int, tuple[Any, ...], Vector], int]
    integrate: Callable[[float, float, Vector, tuple[Any, ...], float, float, int], Outcome]


def make_bisection(f: UserFunction, takes_args: bool, decorate: Decorator) -> Bisection:
    """Return the algorithm for one integrand: see `smlib._core.user_functions.bind`."""

    @decorate
    def measure(left: float, right: float, args: tuple[Any, ...], values: Vector) -> tuple[float, float]:
        """Return the integral over an interval, and its error. The samples go to ``values``."""
        middle = 0.5 * left + 0.5 * right
        half = 0.5 * right - 0.5 * left
        for k in range(SAMPLES):
            x = middle + half * NODES[k]
            values[k] = f(x, *args) if takes_args else f(x)
        return judge(values, half)

    @decorate
    def split(intervals: Intervals, k: int, n: int, args: tuple[Any, ...], values: Vector) -> int:
        """Bisect interval k: its left half takes its place, its right half becomes interval n. Say what came of it."""
        left = float(intervals[k, LEFT])
        right = float(intervals[k, RIGHT])
        middle = 0.5 * left + 0.5 * right
        near = measure(left, middle, args, values)
        far = measure(middle, right, args, values)
        return replace(intervals, k, n, middle, near[0], near[1], far[0], far[1])

    @decorate
    def integrate(
        a: float, b: float, breaks: Vector, args: tuple[Any, ...], epsabs: float, epsrel: float, limit: int
    ) -> Outcome:
        """Bisect until the error meets the tolerance, or nothing more can be won."""
        values = np.empty(SAMPLES)
        intervals = np.empty((limit, 5))
        table = np.empty((ROWS, limit + 1))
        n = breaks.size + 1
        left = a
        for k in range(n):
            right = b if k == breaks.size else float(breaks[k])
            integral, error = measure(left, right, args, values)
            put(intervals, k, left, right, integral, error, 0.0)
            left = right

        best = 0.0
        best_error = BEYOND
        depth = 0
        stalls = 0
        reason = DONE
        while True:
            total, error, worst, settled = survey(intervals, n, depth, epsabs, epsrel)
            if not abs(total) <= LARGEST:
                reason = NOT_FINITE
                for k in range(n):
                    if not abs(intervals[k, INTEGRAL]) <= LARGEST:
                        worst = k
                break
            if error <= max(epsabs, epsrel * abs(total)):
                return float(total), float(error), DONE, a, b, n
            if error < best_error:
                best = total
                best_error = error
            if settled:
                end, end_error = extrapolate(table, depth, total, error)
                depth += 1
                if end_error < best_error:
                    best = end
                    best_error = end_error
                    if end_error <= max(epsabs, epsrel * abs(end)):
                        return float(end), float(end_error), DONE, a, b, n
            if reason == DONE and n == limit:
                reason = LIMIT
            if reason != DONE:
                break
            gain = split(intervals, worst, n, args, values)
            n += 1
            if gain == NARROW:
                reason = NARROW
            elif gain == STALLED:
                stalls += 1
                if stalls == STALLS:
                    reason = STALLED
        left = float(intervals[worst, LEFT])
        right = float(intervals[worst, RIGHT])
        return float(best), float(best_error), reason, left, right, n

    return Bisection(measure, split, integrate)


@kernel
def put(intervals: Intervals, k: int, left: float, right: float, integral: float, error: float, depth: float) -> None:
    """Write interval k."""
    row = intervals[k]
    row[LEFT] = left
    row[RIGHT] = right
    row[INTEGRAL] = integral
    row[ERROR] = error
    row[DEPTH] = depth


@kernel
def replace(
    intervals: Intervals, k: int, n: int, middle: float, near: float, near_error: float, far: float, far_error: float
) -> int:
    """Write the left half of interval k in its place and the right half as interval n; say what the split has won."""
    row = intervals[k]
    left = row[LEFT]
    right = row[RIGHT]
    depth = row[DEPTH] + 1.0
    unchanged = abs(near + far - row[INTEGRAL]) <= UNCHANGED * abs(near + far)
    kept = near_error + far_error >= KEPT * row[ERROR]
    put(intervals, k, left, middle, near, near_error, depth)
    put(intervals, n, middle, right, far, far_error, depth)
    if right - left <= NARROWEST * abs(middle):
        return NARROW
    return STALLED if unchanged and kept else DONE


@kernel
def survey(intervals: Intervals, n: int, depth: int, epsabs: float, epsrel: float) -> tuple[float, float, int, bool]:
    """Return the sum of the integrals, that of the errors, which interval to split next, and whether the sum is a term.

    It is one if the intervals above ``depth`` are settled: their errors together meet the tolerance. The interval
    to be split is then the worst of all, else the worst of those above.
    """
    total = 0.0
    error = 0.0
    worst = 0
    above = 0
    above_error = 0.0
    for k in range(n):
        row = intervals[k]
        total += row[INTEGRAL]
        error += row[ERROR]
        if row[ERROR] > intervals[worst, ERROR]:
            worst = k
        if row[DEPTH] < depth:
            above_error += row[ERROR]
            if intervals[above, DEPTH] >= depth or row[ERROR] > intervals[above, ERROR]:
                above = k
    settled = above_error <= max(epsabs, epsrel * abs(total))
    return total, error, worst if settled else above, settled
