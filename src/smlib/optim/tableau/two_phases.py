"""The two phases, and what keeps them going: step until nothing improves, then look whether the answer is fresh.

There is no switch between the phases. As long as a basic variable violates a bound the steps minimise the sum of all
violations, and when none is left they minimise the cost. (The tableau carries both: its last row holds the reduced
costs of phase 2, and those of phase 1 are the sum of the rows that are out of bounds.)

When nothing improves any more, that is believed only of fresh numbers and of the program itself: values and reduced
costs that have been through pivots are computed anew, and perturbed bounds put back, and the steps go on if that
changes the matter.

Chvatal, *Linear Programming*, chapters 3 and 8; Maros, *Computational Techniques of the Simplex Method*, chapter 9.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.optim.tableau.accuracy import refine_prices, refresh, renew, start
from smlib.optim.tableau.pivoting import (
    STEP,
    Numbers,
    Tableau,
    choose,
    measure_violation,
    nearest_bound,
    side_violated,
    take,
)
from smlib.optim.tableau.pricing import BLAND
from smlib.optim.tableau.scaling import ScaledProgram

# Besides `BEST` and `UNLIMITED`: stopped by the limit on steps.
STOPPED = 3

# Pivots until the values are computed anew.
FRESHNESS = 100
# A pivot below this size in a tableau that is not fresh may be an error, so that the tableau is built again first.
DOUBTFUL_PIVOT = 1e-6
# Steps without progress until bounds are perturbed, and how often that is done.
PATIENCE = 30
PERTURBATIONS = 20
# The largest perturbation, relative to one plus the bound.
LARGEST_PERTURBATION = 1e-6

# What is counted: steps; pivots since the numbers were fresh; steps without progress; perturbations; rebuilt tableaus.
STEPS, PIVOTS, STALLED, PERTURBED, REBUILT = 0, 1, 2, 3, 4
COUNTERS = 5


@kernel
def begin(program: ScaledProgram) -> Tableau:
    """Return the first tableau: all unknowns stand at the bound nearest to 0."""
    total, m = program.lower.size, program.indptr.size - 1
    n = total - m
    value = np.zeros(total)
    for k in range(n):
        value[k] = nearest_bound(0.0, program.lower[k], program.upper[k])
    tableau = Tableau(
        np.empty((m + 1, n)),
        np.empty(m, np.int64),
        np.empty(n, np.int64),
        value,
        program.lower.copy(),
        program.upper.copy(),
        np.empty(n),
        np.empty(n),
    )
    start(program, tableau)
    refresh(program, tableau)
    return tableau


@kernel
def advance(
    program: ScaledProgram, tableau: Tableau, counters: Numbers, rule: int, tolerance: float, limit: int
) -> tuple[int, int]:
    """Step until nothing improves, or until so many steps have been taken in all.

    Returns
    -------
    what : int
        ``BEST`` (of violations, if there are any, else of the cost), ``UNLIMITED``, or ``STOPPED`` by the limit.
    column : int
        For ``UNLIMITED``, whose variable may move for ever.
    """
    while True:
        what, column, row, length = choose(tableau, rule, tolerance, rule == BLAND)
        fresh = counters[PIVOTS] == 0
        doubtful = not fresh and row >= 0 and abs(tableau.entries[row, column]) < DOUBTFUL_PIVOT
        if what == STEP and not doubtful:
            if counters[STEPS] >= limit:
                return STOPPED, -1
            take(tableau, rule, column, row, length)
            counters[STEPS] += 1
            counters[PIVOTS] += 1
            counters[STALLED] = 0 if abs(length) > tolerance else counters[STALLED] + 1
            if counters[STALLED] > PATIENCE and counters[PERTURBED] < PERTURBATIONS and rule != BLAND:
                perturb(tableau, counters[STEPS])
                counters[STALLED] = 0
                counters[PERTURBED] += 1
            if counters[PIVOTS] < FRESHNESS:
                continue
        elif fresh and not (counters[PERTURBED] > 0 and put_bounds_back(program, tableau)):
            return what, column
        counters[REBUILT] += renew(program, tableau, doubtful)
        counters[PIVOTS] = 0


@kernel
def perturb(tableau: Tableau, seed: int) -> None:
    """Move the bounds of the basic variables outwards, each by a random amount of its own."""
    state = np.uint64(seed)
    for i in range(tableau.basic.size):
        k = tableau.basic[i]
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        share = 0.5 + 0.5 * float(state >> np.uint64(11)) * 2.0**-53
        lower, upper = tableau.lower[k], tableau.upper[k]
        if lower > -np.inf:
            tableau.lower[k] = lower - LARGEST_PERTURBATION * share * (1.0 + abs(lower))
        if upper < np.inf:
            tableau.upper[k] = upper + LARGEST_PERTURBATION * share * (1.0 + abs(upper))


@kernel
def put_bounds_back(program: ScaledProgram, tableau: Tableau) -> bool:
    """Take all perturbations away; return whether there was one."""
    changed = False
    for k in range(program.lower.size):
        if tableau.lower[k] != program.lower[k] or tableau.upper[k] != program.upper[k]:
            tableau.lower[k], tableau.upper[k] = program.lower[k], program.upper[k]
            changed = True
    return changed


class Answer(NamedTuple):
    """Where the steps ended, in the units of the program as stated (of a minimisation).

    Attributes
    ----------
    x : ndarray, shape (n,)
        The unknowns. One that lies outside its bounds by no more than the tolerance is put on the bound.
    activity : ndarray, shape (m,)
        ``A x``.
    prices : ndarray, shape (m,)
        Of the rows: by the cost or, where a bound is violated, by the sum of all violations.
    reduced : ndarray, shape (n,)
        The reduced costs of the unknowns, likewise.
    direction : ndarray, shape (n,)
        Along the edge of the column that may move for ever; 0 if there is none.
    feasible : bool
        Whether no bound is violated by more than the tolerance.
    """

    x: Vector
    activity: Vector
    prices: Vector
    reduced: Vector
    direction: Vector
    feasible: bool


@kernel
def answer(program: ScaledProgram, tableau: Tableau, column: int, tolerance: float) -> Answer:
    """Write down what the tableau says; ``column`` may move for ever, or is -1."""
    m, n = tableau.basic.size, tableau.nonbasic.size
    feasible = not measure_violation(tableau, tolerance)
    unit, cost_unit = program.unit, program.cost_unit[0]
    x, activity, direction = np.empty(n), np.empty(m), np.zeros(n)
    for j in range(n):
        value, lower, upper = tableau.value[j], program.lower[j], program.upper[j]
        if lower - tolerance <= value < lower:
            value = lower
        elif upper < value <= upper + tolerance:
            value = upper
        x[j] = value * unit[j]
    for i in range(m):
        activity[i] = 0.0
        for k in range(program.indptr[i], program.indptr[i + 1]):
            j = program.indices[k]
            activity[i] += program.data[k] * unit[n + i] * (x[j] / unit[j])

    cost, prices, reduced = program.cost.copy(), np.empty(m), np.empty(n + m)
    if not feasible:
        cost[:] = 0.0
        cost_unit = 1.0
        for i in range(m):
            cost[tableau.basic[i]] = side_violated(tableau, tableau.basic[i], tolerance)
    refine_prices(program, tableau, cost, prices, reduced)
    for i in range(m):
        prices[i] = 0.0 - prices[i] * cost_unit / unit[n + i]
    for i in range(m):
        reduced[tableau.basic[i]] = 0.0
    for j in range(n):
        reduced[j] *= cost_unit / unit[j]

    if column >= 0:
        slope = tableau.entries[m, column] if feasible else tableau.violation[column]
        sign = 1.0 if slope < 0.0 else -1.0
        if tableau.nonbasic[column] < n:
            direction[tableau.nonbasic[column]] = sign * unit[tableau.nonbasic[column]]
        for i in range(m):
            k = tableau.basic[i]
            if k < n:
                direction[k] = -sign * tableau.entries[i, column] * unit[k]
    return Answer(x, activity, prices, reduced[:n], direction, feasible)
