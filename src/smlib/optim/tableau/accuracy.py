"""Accuracy: what a thousand pivots have blurred is computed anew from the program itself.

Every pivot rounds, and the next one builds upon it. But the tableau carries the inverse of its basis along: in the
columns of those row variables that are not basic; the columns of the others are unit vectors. An inverse that is
roughly right is good enough to correct an answer that is roughly right: put the values into the equations of the
program, see what is left over, send that through the inverse, and subtract. Each round of this *iterative refinement*
gains as many digits as the inverse has. If the first gains too few, the tableau is built again, by pivoting the basic
variables into the rows of the program.

Golub & Van Loan, *Matrix Computations*, section 3.5.3.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.optim.tableau.pivoting import Tableau, nearest_bound, pivot
from smlib.optim.tableau.scaling import ScaledProgram

ROUNDS = 4
# What is left over of an equation, as a share of the sum of its terms without their signs: this much is rounding ...
ROUNDING = 1e-15
# ... and this much after the first round says that the inverse is bad.
BLURRED = 1e-11
# The least entry that a basic variable may be pivoted in on, as a share of the largest in its column.
LEAST_SHARE = 1e-9


@kernel
def start(program: ScaledProgram, tableau: Tableau) -> None:
    """Write the first tableau: the matrix itself. The row variables are basic, the unknowns stand at a bound."""
    entries, basic, nonbasic = tableau.entries, tableau.basic, tableau.nonbasic
    m, n = basic.size, nonbasic.size
    entries[:] = 0.0
    for i in range(m):
        basic[i] = n + i
        for k in range(program.indptr[i], program.indptr[i + 1]):
            entries[i, program.indices[k]] = program.data[k]
    for j in range(n):
        nonbasic[j] = j
        entries[m, j] = program.cost[j]
    tableau.weights[:] = 1.0


@kernel
def renew(program: ScaledProgram, tableau: Tableau, doubtful: bool) -> bool:
    """Compute values and reduced costs anew; from a new tableau if this one is doubtful, or turns out to be bad."""
    for turn in range(2):
        if turn == 1 or doubtful:
            rebuild(program, tableau)
        if refresh(program, tableau) <= BLURRED or turn == 1:
            return turn == 1 or doubtful
    return False


@kernel
def refresh(program: ScaledProgram, tableau: Tableau) -> float:
    """Put nonbasic variables exactly on their bounds, and compute values and reduced costs by refinement.

    Returns what the first correction of the values left over of an equation, as a share of its terms.
    """
    m, n = tableau.basic.size, tableau.nonbasic.size
    for j in range(n):
        k = tableau.nonbasic[j]
        tableau.value[k] = nearest_bound(tableau.value[k], tableau.lower[k], tableau.upper[k])
    left = refine_values(program, tableau)
    price, reduced = np.empty(m), np.empty(n + m)
    refine_prices(program, tableau, program.cost, price, reduced)
    for j in range(n):
        tableau.entries[m, j] = reduced[tableau.nonbasic[j]]
    return left


@kernel
def refine_values(program: ScaledProgram, tableau: Tableau) -> float:
    """Correct the values of the basic variables until the equations hold; return what the first correction left."""
    basic, nonbasic, value = tableau.basic, tableau.nonbasic, tableau.value
    m, n = basic.size, nonbasic.size
    leftover, correction = np.empty(m), np.empty(m)
    worst = measure_leftover(program, value, leftover)
    after_first = worst
    for turn in range(ROUNDS):
        if worst <= ROUNDING:
            break
        for i in range(m):
            row = tableau.entries[i]
            correction[i] = leftover[basic[i] - n] if basic[i] >= n else 0.0
            for j in range(n):
                if nonbasic[j] >= n:
                    correction[i] += row[j] * leftover[nonbasic[j] - n]
        for i in range(m):
            value[basic[i]] -= correction[i]
        worst = measure_leftover(program, value, leftover)
        if turn == 0:
            after_first = worst
    return after_first


@kernel
def measure_leftover(program: ScaledProgram, value: Vector, leftover: Vector) -> float:
    """Compute ``A x`` plus the row variables, which should be 0; return the largest, as a share of its terms."""
    n = value.size - leftover.size
    worst = 0.0
    for i in range(leftover.size):
        total, size = value[n + i], 1.0 + abs(value[n + i])
        for k in range(program.indptr[i], program.indptr[i + 1]):
            term = program.data[k] * value[program.indices[k]]
            total += term
            size += abs(term)
        leftover[i] = total
        share = abs(total) / size
        if not share <= worst:
            worst = share
    return worst


@kernel
def refine_prices(program: ScaledProgram, tableau: Tableau, cost: Vector, price: Vector, reduced: Vector) -> None:
    """Compute all reduced costs, and the weights of the equations for which those of the basic variables are 0.

    With ``price[i]`` of equation ``i`` added to the costs, unknown ``j`` has the reduced cost
    ``cost[j] + price @ A[:, j]``, and row variable ``n + i`` has ``cost[n + i] + price[i]``.
    """
    basic, nonbasic = tableau.basic, tableau.nonbasic
    m, n = basic.size, nonbasic.size
    correction = np.empty(n)
    price[:] = 0.0
    add_prices(program, cost, price, reduced)
    for _ in range(ROUNDS):
        correction[:] = 0.0
        exact = True
        for i in range(m):
            left, row = reduced[basic[i]], tableau.entries[i]
            if left != 0.0:
                exact = False
                if basic[i] >= n:
                    price[basic[i] - n] -= left
                for j in range(n):
                    correction[j] += left * row[j]
        if exact:
            break
        for j in range(n):
            if nonbasic[j] >= n:
                price[nonbasic[j] - n] -= correction[j]
        add_prices(program, cost, price, reduced)


@kernel
def add_prices(program: ScaledProgram, cost: Vector, price: Vector, reduced: Vector) -> None:
    """Compute the costs plus the weighted equations."""
    n = cost.size - price.size
    for k in range(cost.size):
        reduced[k] = cost[k]
    for i in range(price.size):
        if price[i] != 0.0:
            reduced[n + i] += price[i]
            for k in range(program.indptr[i], program.indptr[i + 1]):
                reduced[program.indices[k]] += price[i] * program.data[k]


@kernel
def rebuild(program: ScaledProgram, tableau: Tableau) -> None:
    """Build the tableau again: start as at the beginning, and pivot in the variables that are basic now.

    Each goes into the row, of those that are still to be left, where its entry is largest. One that has no entry there
    depends on the others: it stays outside, and a row variable inside.
    """
    entries, basic, nonbasic = tableau.entries, tableau.basic, tableau.nonbasic
    m, n = basic.size, nonbasic.size
    wanted = np.zeros(n + m, np.bool_)
    for i in range(m):
        wanted[basic[i]] = True
    start(program, tableau)
    for j in range(n):
        if wanted[j]:
            row, largest, whole = m, 0.0, 0.0
            for i in range(m):
                size = abs(entries[i, j])
                whole = max(whole, size)
                if size > largest and not wanted[basic[i]]:
                    row, largest = i, size
            if row < m and largest > LEAST_SHARE * whole:
                pivot(entries, row, j)
                basic[row], nonbasic[j] = nonbasic[j], basic[row]
