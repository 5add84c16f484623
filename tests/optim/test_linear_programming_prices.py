"""Prices and residuals: SciPy's, what a finite difference says, and what `ranging` and MPS files make of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.optim import LinearProgram, linprog, read_mps, write_mps
from tests.conftest import require
from tests.optim.programs import random_program
from tests.optim.proofs import prove


@dataclass
class Generic:
    """The arguments of a program whose optimum is at one corner, where only as many sides meet as needed."""

    c: np.ndarray
    A_ub: np.ndarray
    b_ub: np.ndarray
    A_eq: np.ndarray
    b_eq: np.ndarray
    bounds: np.ndarray

    def arguments(self) -> tuple[np.ndarray, ...]:
        return self.c, self.A_ub, self.b_ub, self.A_eq, self.b_eq, self.bounds

    def optimum(self) -> float:
        result = linprog(*self.arguments())
        assert result.fun is not None
        return result.fun


def generic(seed: int) -> Generic:
    """Return a program with real numbers, made round a feasible point and from prices that are feasible too."""
    rng = np.random.default_rng(seed)
    n = rng.integers(3, 9)
    k, equations = rng.integers(n, n + 5), rng.integers(0, 3)
    A_ub, A_eq, x = rng.standard_normal((k, n)), rng.standard_normal((equations, n)), rng.standard_normal(n)
    lower, upper = x - rng.random(n), x + rng.random(n)
    kind = rng.integers(0, 5, n)
    lower[(kind == 0) | (kind == 1)] = -np.inf
    upper[(kind == 0) | (kind == 2)] = np.inf
    reduced = np.where(np.isfinite(lower), rng.random(n), 0.0) - np.where(np.isfinite(upper), rng.random(n), 0.0)
    c = reduced - rng.random(k) @ A_ub + rng.standard_normal(equations) @ A_eq
    return Generic(c, A_ub, A_ub @ x + rng.random(k), A_eq, A_eq @ x, np.column_stack([lower, upper]))


@given(st.integers(0, 2**32))
def test_prices_and_residuals_are_scipys(seed: int) -> None:
    program = generic(seed)
    ours = linprog(*program.arguments())
    theirs = require("scipy.optimize").linprog(*program.arguments(), method="highs-ds")
    assert (ours.status, theirs.status) == (0, 0)
    assert ours.fun == pytest.approx(theirs.fun, rel=1e-9, abs=1e-9)
    for name in ("x", "slack", "con"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-8)
    for name in ("ineqlin", "eqlin", "lower", "upper"):
        mine, yours = getattr(ours, name), getattr(theirs, name)
        np.testing.assert_allclose(mine.residual, yours.residual, atol=1e-8)
        np.testing.assert_allclose(mine.marginals, yours.marginals, atol=1e-8)
    assert ours.ineqlin is not None
    assert ours.eqlin is not None
    np.testing.assert_array_equal(ours.y, [*ours.ineqlin.marginals, *ours.eqlin.marginals])


@pytest.mark.parametrize("seed", range(12))
def test_prices_are_derivatives(seed: int) -> None:
    """Moving a limit by h moves the optimum by h times the limit's marginal."""
    program = generic(seed)
    result = linprog(*program.arguments())
    h = 1e-6

    def slope(values: np.ndarray, place: tuple[int, ...]) -> float:
        start, found = values[place], []
        for step in (h, -h):
            values[place] = start + step
            found.append(program.optimum())
        values[place] = start
        return (found[0] - found[1]) / (2.0 * h)

    cases: list[tuple[str, np.ndarray, list[tuple[int, ...]]]] = [
        ("ineqlin", program.b_ub, [(i,) for i in range(program.b_ub.size)]),
        ("eqlin", program.b_eq, [(i,) for i in range(program.b_eq.size)]),
        ("lower", program.bounds, [(j, 0) for j in range(program.c.size)]),
        ("upper", program.bounds, [(j, 1) for j in range(program.c.size)]),
    ]
    active = 0
    for name, values, places in cases:
        marginals = getattr(result, name).marginals
        assert marginals.shape == (len(places),)
        for place, marginal in zip(places, marginals, strict=True):
            if np.isfinite(values[place]):
                assert slope(values, place) == pytest.approx(marginal, abs=1e-7)
            else:
                assert marginal == pytest.approx(0.0, abs=1e-12)
            active += abs(marginal) > 1e-12
    assert active == program.c.size
    for j in range(program.c.size):
        assert result.x is not None
        assert slope(program.c, (j,)) == pytest.approx(result.x[j], abs=1e-7)


@given(st.integers(0, 2**32))
def test_marginals_add_up_to_the_costs_and_belong_to_limits_that_are_reached(seed: int) -> None:
    program = random_program(seed, rows=8, columns=8)
    result: Any = program.solve()
    if result.status != 0:
        return
    np.testing.assert_allclose(
        program.A.T @ result.y + result.lower.marginals + result.upper.marginals, program.c, atol=1e-12
    )
    sign = -1.0 if program.maximize else 1.0
    assert (sign * result.lower.marginals >= 0.0).all()
    assert (sign * result.upper.marginals <= 0.0).all()
    for marginals in (result.ineqlin, result.lower, result.upper):
        assert np.abs(np.minimum(np.abs(marginals.residual), 1e3) * marginals.marginals).max(initial=0.0) < 1e-9
        assert marginals.residual.min(initial=0.0) > -1e-9
    equation = program.row_lower == program.row_upper
    activity = program.A @ result.x
    np.testing.assert_allclose(result.con, (program.row_lower - activity)[equation], atol=1e-12)
    nearer = np.minimum(program.row_upper - activity, activity - program.row_lower)[~equation]
    np.testing.assert_allclose(result.slack, nearer, atol=1e-12)


MENU = """NAME menu
ROWS
 N cost
 G protein
 L fat
 E weight
COLUMNS
 beans cost 2 protein 8
 beans fat 1 weight 1
 cheese cost 6 protein 20
 cheese fat 30 weight 1
 bread cost 1 protein 3
 bread fat 1 weight 1
RHS
 RHS protein 50 fat 40
 RHS weight 8
RANGES
 RNG fat 35
BOUNDS
 UP BND beans 5
ENDATA
"""


def test_a_file_is_read_solved_ranged_and_certified(tmp_path: Path) -> None:
    path = tmp_path / "menu.mps"
    path.write_text(MENU)
    program = read_mps(path)
    result: Any = program.solve()
    prove(program, result)
    # Bread is cheapest, but short of 26 grams of protein: 5 a dollar from beans, 17 for 5 dollars from cheese.
    np.testing.assert_allclose(result.x, [5, 1 / 17, 8 - 5 - 1 / 17], rtol=1e-13)
    assert result.fun == pytest.approx(13 + 5 / 17)
    assert program.certify(result).holds(1e-15)
    ranges = program.ranging(result)
    np.testing.assert_allclose(ranges.prices, result.y, atol=1e-14)
    np.testing.assert_allclose(result.y, [5 / 17, 0, 2 / 17], atol=1e-14)
    np.testing.assert_allclose(ranges.row_lower[0], [49, 49 + 17 * 32 / 29])


def test_ranges_hold_at_every_answer(tmp_path: Path) -> None:
    """Inside the range of a side the optimum moves as the price says."""
    ranged = 0
    for seed in range(200):
        program = random_program(seed)
        if (program.lower > program.upper).any() or (program.row_lower > program.row_upper).any():
            continue
        write_mps(program, tmp_path / "program.mps")
        again = read_mps(tmp_path / "program.mps")
        result: Any = again.solve()
        assert (result.status, result.fun) == (program.solve().status, program.solve().fun)
        if result.status != 0:
            continue
        ranges = again.ranging(result)
        np.testing.assert_allclose(ranges.prices, result.y, atol=1e-12)
        for k, (low, high) in enumerate(ranges.costs):
            for cost in {max(low, again.c[k] - 1.0), min(high, again.c[k] + 1.0)}:
                ranged += moves_by(again, result, k, cost - again.c[k])
    assert ranged > 100


def moves_by(program: LinearProgram, result: Any, k: int, step: float) -> bool:
    """Check the optimum after a cost has changed within its range."""
    costs = program.c.copy()
    costs[k] += step
    sides = program.row_lower, program.row_upper, program.lower, program.upper
    moved: Any = LinearProgram(costs, program.A, *sides, program.offset, program.maximize).solve()
    assert moved.status == 0
    assert moved.fun == pytest.approx(result.fun + step * result.x[k], abs=1e-8)
    return bool(step != 0.0)
