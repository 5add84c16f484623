"""The tableau as the textbook has it: in the units of the program, with what is left of each row.

The solver calculates in units of its own, and with row variables that are minus the activities. A reader wants the
slack of a row: its upper side less its activity, or what lies beyond its side where it has a lower one alone. Both are
the solver's variable plus a constant, or minus it, so that the tableau need not be calculated again: its entries change
their units and signs.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from smlib._core.validate import Vector
from smlib.optim.linear_program import LinearProgram
from smlib.optim.linear_programming import bounds_cross, scale_program
from smlib.optim.tableau.pivoting import SMALLEST_PIVOT, Tableau, measure_violation, room
from smlib.optim.tableau.scaling import ScaledProgram
from smlib.optim.tableau.two_phases import begin

TOLERANCE = 1e-9
# Two numbers are the same if they differ by this part of what was added up.
SAME = 1e-8


class Textbook:
    """The solver's tableau, and how it reads in the units of the program, with what is left in place of activities."""

    def __init__(self, program: LinearProgram) -> None:
        m, n = program.rows.shape
        self.program, self.m, self.n = program, m, n
        self.sign = -1.0 if program.maximize else 1.0
        self.scaled: ScaledProgram = scale_program(program)
        self.tableau: Tableau = begin(self.scaled)
        self.matrix = np.vstack([np.eye(n), -program.A.toarray()])  # all variables, by the unknowns
        columns = program.column_names or tuple(f"x{j}" for j in range(n))
        self.names = (*columns, *(program.row_names or tuple(f"row {i}" for i in range(m))))
        # What is shown of a variable is its value plus the upper side of its row; or minus it, less the lower side.
        below, above = np.isfinite(program.row_lower), np.isfinite(program.row_upper)
        self.turn = np.concatenate([np.ones(n), np.where(above, 1.0, -1.0)])
        side = np.where(above, program.row_upper, np.where(below, -program.row_lower, 0.0))
        self.shift = np.concatenate([np.zeros(n), side])
        self.crossing = bounds_cross(program)

    @property
    def raw_values(self) -> Vector:
        """The values of all variables: the unknowns, and minus the activities."""
        values: Vector = self.tableau.value * self.scaled.unit
        return values

    def show(self, values: Vector) -> Vector:
        """Return values of all variables as they are shown."""
        shown: Vector = self.turn * values + self.shift
        return shown

    def measure(self) -> float:
        """Bring the costs of phase 1 up to date; return the sum of all violations, 0 in phase 2."""
        if not measure_violation(self.tableau, TOLERANCE):
            return 0.0
        excess = np.maximum(self.tableau.lower - self.tableau.value, self.tableau.value - self.tableau.upper)
        return float(excess[excess > TOLERANCE].sum())

    def state(self) -> dict[str, Any]:
        """Return copies of all that a reader sees of the tableau."""
        tableau, unit, turn = self.tableau, self.scaled.unit, self.turn
        basic, nonbasic = tableau.basic, tableau.nonbasic
        rows, columns = unit[basic] * turn[basic], turn[nonbasic] / unit[nonbasic]
        violation = self.measure()
        ends = np.sort([self.show(self.scaled.lower * unit), self.show(self.scaled.upper * unit)], axis=0)
        x = self.raw_values[: self.n]
        return {
            "phase": 1 if violation else 2,
            "names": self.names,
            "rows": tuple(basic.tolist()),
            "columns": tuple(nonbasic.tolist()),
            "values": self.show(self.raw_values),
            "lower": ends[0],
            "upper": ends[1],
            "entries": tableau.entries[:-1] * np.outer(rows, columns),
            "costs": tableau.entries[-1] * columns * self.scaled.cost_unit[0],
            "violations": tableau.violation * columns if violation else None,
            "violation": violation,
            "objective": self.program.objective(x),
            "x": x,
            "entering": None,
            "leaving": None,
            "ratios": None,
            "status": "",
            "ray": None,
        }

    def basis(self) -> tuple[frozenset[int], tuple[float, ...]]:
        """Return which variables are basic, and where the others stand."""
        nonbasic = np.sort(self.tableau.nonbasic)
        return frozenset(self.tableau.basic.tolist()), tuple(self.tableau.value[nonbasic].tolist())

    def check(self) -> dict[str, bool]:
        """Compare the tableau with the program as stated."""
        tableau, unit, values = self.tableau, self.scaled.unit, self.raw_values
        basic, nonbasic = tableau.basic, tableau.nonbasic
        others, x = self.matrix[nonbasic], values[: self.n]
        entries = tableau.entries[:-1] * np.outer(unit[basic], 1.0 / unit[nonbasic])
        costs = tableau.entries[-1] * self.scaled.cost_unit[0] / unit[nonbasic]
        wrong, size = self.matrix[basic] + entries @ others, 1.0 + np.abs(entries) @ np.abs(others)
        loss = costs @ others - self.sign * self.program.c
        rows_hold = (np.abs(wrong) <= SAME * size).all()
        costs_hold = (np.abs(loss) <= SAME * (1.0 + np.abs(costs) @ np.abs(others))).all()
        fits = np.abs(self.matrix @ x - values) <= SAME * (1.0 + np.abs(self.matrix) @ np.abs(x))
        stands, lower, upper = tableau.value[nonbasic], tableau.lower[nonbasic], tableau.upper[nonbasic]
        free = np.isinf(lower) & np.isinf(upper) & (stands == 0.0)
        return {
            "rows and costs hold for every x": bool(rows_hold and costs_hold),
            "the values are those of A\u00a0x": bool(fits.all()),
            "nonbasic variables stand at a bound": bool(((stands == lower) | (stands == upper) | free).all()),
        }

    def ratios(self, column: int, direction: float) -> Vector:
        """Return how far each row lets a column's variable go."""
        tableau = self.tableau
        found = np.full(self.m, np.inf)
        for i in range(self.m):
            rate = -direction * tableau.entries[i, column]
            if abs(rate) > SMALLEST_PIVOT:
                found[i] = max(room(tableau, tableau.basic[i], rate, TOLERANCE) / abs(rate), 0.0)
        found *= self.scaled.unit[tableau.nonbasic[column]]
        return found


def say_number(value: float) -> str:
    """Return a number as the textbook has it: short decimals, else a fraction, else three digits.

    >>> say_number(0.3), say_number(2 / 3), say_number(108.0), say_number(np.pi)
    ('0.3', '2/3', '108', '3.14')
    """
    if not math.isfinite(value):
        return "\u2212\u221e" if value < 0.0 else "\u221e"
    text = f"{round(value, 2):.10g}"
    if abs(value - round(value, 2)) > 1e-7 * abs(value) + 1e-9:
        part = Fraction(value).limit_denominator(99)
        near = abs(value - float(part)) <= 1e-7 * abs(value) and abs(part.numerator) < 1000
        text = str(part) if near else f"{value:.3g}" if abs(value) < 1000.0 else f"{value:.6g}"
    return "0" if float(Fraction(text)) == 0.0 else text.replace("-", "\u2212")
