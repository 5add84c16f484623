"""Tableaus to look at."""

from __future__ import annotations

import numpy as np

from smlib.optim import LinearProgram
from smlib.optim.tableau.pivoting import STEP, Tableau, choose, take
from smlib.optim.tableau.scaling import ScaledProgram, scale

TOLERANCE = 1e-9


def scaled(program: LinearProgram) -> ScaledProgram:
    indptr, indices, data, _ = program.rows
    sides = program.row_lower, program.row_upper, program.lower, program.upper
    return scale(indptr, indices, data, program.c, *sides, -1.0 if program.maximize else 1.0)


def unscaled(program: LinearProgram) -> ScaledProgram:
    """Return a program in its own units."""
    indptr, indices, data, (m, n) = program.rows
    lower = np.concatenate([program.lower, -program.row_upper])
    upper = np.concatenate([program.upper, -program.row_lower])
    cost = np.concatenate([-program.c if program.maximize else program.c, np.zeros(m)])
    return ScaledProgram(indptr, indices, data, lower, upper, cost, np.ones(n + m), np.ones(1))


def step(tableau: Tableau, rule: int, textbook: bool = False) -> tuple[int, int, int, float]:
    """Take a step, if there is one; return what there was to do."""
    chosen = choose(tableau, rule, TOLERANCE, textbook)
    if chosen[0] == STEP:
        take(tableau, rule, *chosen[1:])
    return chosen


def sorted_entries(tableau: Tableau) -> np.ndarray:
    """Return the entries in the order of the variables' numbers, and last the reduced costs."""
    rows = np.append(np.argsort(tableau.basic), tableau.basic.size)
    entries: np.ndarray = tableau.entries[rows][:, np.argsort(tableau.nonbasic)]
    return entries


def dense(program: ScaledProgram) -> np.ndarray:
    m = program.indptr.size - 1
    A = np.zeros((m, program.cost.size - m))
    for i in range(m):
        for k in range(program.indptr[i], program.indptr[i + 1]):
            A[i, program.indices[k]] = program.data[k]
    return A
