"""Linear programs of every shape, by every rule, against HiGHS and against programs whose answer is built in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.optim import LinearProgram, certify_optimum, linprog
from smlib.optim.linear_programming import RULES
from tests.conftest import require
from tests.optim import highs
from tests.optim.programs import random_program
from tests.optim.proofs import is_feasible, prove

STATUS = {"Optimal": 0, "Infeasible": 2, "Unbounded": 3}
SEEDS = st.integers(0, 2**32)


def round_a_point(seed: int, largest: int) -> tuple[LinearProgram, np.ndarray]:
    """Return a program of small integers and a point in it, at which many sides meet."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, largest + 1, 2)
    A = rng.integers(-3, 4, (m, n)) * (rng.random((m, n)) < rng.choice([0.3, 0.7, 1.0]))
    x = rng.integers(-3, 4, n).astype(float)

    def room(size: int) -> np.ndarray:
        return np.where(rng.random(size) < 0.4, 0.0, np.where(rng.random(size) < 0.5, np.inf, rng.integers(1, 4, size)))

    sides = A @ x - room(m), A @ x + room(m), x - room(n), x + room(n)
    return LinearProgram(rng.integers(-4, 5, n), A, *sides, float(rng.integers(-3, 4)), bool(seed % 2)), x


def some_program(seed: int) -> LinearProgram:
    return random_program(seed) if seed % 3 else round_a_point(seed, 25)[0]


def true_status(program: LinearProgram, found: int) -> tuple[int, float]:
    """Return HiGHS's status and optimum; where it knows none, what a simpler program says about the one found."""
    solver = highs.solve(program)
    said = highs.status(solver)
    if said in STATUS:
        return STATUS[said], highs.optimum(solver)
    sides = program.row_lower, program.row_upper, program.lower, program.upper
    feasible = highs.status(highs.solve(LinearProgram(np.zeros(program.c.size), program.A, *sides)))
    if found == 2:
        # Then the sum of all violations has a minimum above 0.
        m, n = program.A.shape
        A = np.hstack([program.A.toarray(), np.eye(m), -np.eye(m)])
        lower, upper = np.r_[program.lower, np.zeros(2 * m)], np.r_[program.upper, np.full(2 * m, np.inf)]
        repair = LinearProgram(np.r_[np.zeros(n), np.ones(2 * m)], A, *sides[:2], lower, upper)
        assert highs.optimum(highs.solve(repair)) > 1e-6
    else:
        assert (found, feasible) == (3, "Optimal")
    return found, 0.0


@given(SEEDS)
def test_all_rules_agree_with_highs(seed: int) -> None:
    program = some_program(seed)
    status, optimum = true_status(program, program.solve().status)
    for pricing in RULES:
        result = program.solve(pricing=pricing)
        assert result.status == status, (pricing, result.message)
        if status == 0:
            assert result.fun == pytest.approx(optimum, rel=1e-8, abs=1e-8)
        prove(program, result)


@pytest.mark.slow
@given(SEEDS)
def test_all_rules_agree_with_highs_on_larger_ones(seed: int) -> None:
    program = round_a_point(seed, 150)[0]
    status, optimum = true_status(program, program.solve().status)
    for pricing in RULES:
        result = program.solve(pricing=pricing)
        assert result.status == status, (pricing, result.message)
        if status == 0:
            assert result.fun == pytest.approx(optimum, rel=1e-8, abs=1e-8)
        prove(program, result)


@given(SEEDS)
def test_any_point_costs_at_least_what_any_prices_prove(seed: int) -> None:
    """Weak duality; and at the optimum both are the same."""
    rng = np.random.default_rng(seed)
    program = some_program(seed)
    sides = program.row_lower, program.row_upper, program.lower, program.upper
    sign = -1.0 if program.maximize else 1.0
    # Other costs lead to other points; other sides, finite where these are, to other prices.
    other_costs = LinearProgram(rng.standard_normal(program.c.size), program.A, *sides, maximize=program.maximize)
    row_lower, row_upper, lower, upper = (side + rng.integers(-2, 3, side.size) for side in sides)
    other_sides = LinearProgram(program.c, program.A, row_lower, row_upper, lower, upper, maximize=program.maximize)
    best, point, prices = program.solve(), other_costs.solve(), other_sides.solve()
    found = [result.x for result in (best, point) if result.x is not None]
    proved = [result.y for result in (best, prices) if result.status == 0]
    for x in found:
        assert is_feasible(program, x)
        for y in proved:
            proof = certify_optimum(program, x, y)  # type: ignore[arg-type]
            assert max(proof.primal_infeasibility or 0.0, proof.dual_infeasibility or 0.0) < 1e-9
            assert proof.gap is not None
            assert proof.gap > -1e-9
            assert sign * program.objective(x) >= sign * (proof.dual_objective or 0.0) - 1e-7
    if found and proved:
        assert best.status == 0
        assert abs(best.certificate.gap or 0.0) < 1e-9


@given(SEEDS)
def test_the_dual_has_the_same_optimum(seed: int) -> None:
    program = some_program(seed)
    if (program.lower > program.upper).any() or (program.row_lower > program.row_upper).any():
        return
    result, dual = program.solve(), program.dual().solve()
    prove(program.dual(), dual)
    if result.status == 0:
        assert dual.status == 0
        assert dual.fun == pytest.approx(result.fun, rel=1e-9, abs=1e-9)
    elif result.status == 3:
        assert dual.status == 2
    else:
        assert dual.status in (2, 3)


@given(SEEDS)
def test_a_program_is_unbounded_once_a_ray_is_free(seed: int) -> None:
    program, x = round_a_point(seed, 12)
    rng = np.random.default_rng(seed)
    ray = rng.integers(-1, 2, x.size)
    ray[0] = 1
    along, sign = program.A @ ray, 1.0 if program.maximize else -1.0
    costs = program.c * (sign if program.c @ ray > 0 else -sign)
    costs[0] += sign
    unbounded = LinearProgram(
        costs,
        program.A,
        np.where(along < 0, -np.inf, program.row_lower),
        np.where(along > 0, np.inf, program.row_upper),
        np.where(ray < 0, -np.inf, program.lower),
        np.where(ray > 0, np.inf, program.upper),
        maximize=program.maximize,
    )
    for pricing in RULES:
        result = unbounded.solve(pricing=pricing)
        assert result.status == 3, result.message
        prove(unbounded, result)


@given(SEEDS)
def test_a_program_is_infeasible_once_rows_demand_too_much(seed: int) -> None:
    """The rows, weighted, want more by ``amount`` than the bounds allow: where that is less than nothing, they can."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 12, 2)
    A, weights = rng.integers(-3, 4, (m, n)), rng.integers(-2, 3, m)
    weights[0] = 1
    lower, combined = -rng.integers(0, 4, n).astype(float), weights @ A
    upper = lower + rng.integers(0, 5, n)
    best = np.where(combined > 0, upper, lower)
    for amount in (1.0, 1e-3, -1e-3):
        side = A @ best
        side[0] += amount
        rows = np.where(weights > 0, side, -np.inf), np.where(weights < 0, side, np.inf)
        program = LinearProgram(rng.integers(-4, 5, n), A, *rows, lower, upper)
        for pricing in RULES:
            result = program.solve(pricing=pricing)
            prove(program, result)
            assert result.status == (2 if amount > 0.0 else 0)


@pytest.mark.parametrize("pricing", RULES)
def test_assignments_are_scipys(pricing: Any) -> None:
    """A program of n^2 unknowns and 2 n equations; at every corner n - 1 basic unknowns are 0."""
    optimize = require("scipy.optimize")
    for n in (1, 2, 5, 12):
        costs = np.random.default_rng(n).integers(0, 50, (n, n))
        rows = np.repeat(np.eye(n), n, axis=1)
        columns = np.tile(np.eye(n), n)
        result = linprog(costs.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.ones(2 * n), pricing=pricing)
        row, column = optimize.linear_sum_assignment(costs)
        assert result.fun == pytest.approx(costs[row, column].sum(), rel=1e-12)
        assert result.x is not None
        np.testing.assert_allclose(result.x, result.x.round(), atol=1e-9)


@pytest.mark.parametrize("pricing", RULES)
def test_the_largest_flow_is_scipys(pricing: Any) -> None:
    sparse = require("scipy.sparse")
    rng = np.random.default_rng(5)
    n = 14
    capacity = rng.integers(0, 20, (n, n)) * (rng.random((n, n)) < 0.35)
    np.fill_diagonal(capacity, 0)
    tail, head = np.nonzero(capacity)
    A = np.zeros((n, tail.size))
    A[tail, range(tail.size)], A[head, range(tail.size)] = 1.0, -1.0
    out_of_the_source = A[0]
    bounds = np.column_stack([np.zeros(tail.size), capacity[tail, head]])
    result = linprog(-out_of_the_source, A_eq=A[1:-1], b_eq=np.zeros(n - 2), bounds=bounds, pricing=pricing)
    flow = sparse.csgraph.maximum_flow(sparse.csr_array(capacity.astype(np.int32)), 0, n - 1).flow_value
    assert flow > 0
    assert result.fun == pytest.approx(-flow, rel=1e-12)


@pytest.mark.parametrize("pricing", RULES)
def test_the_sum_of_distances_is_least_at_the_median(pricing: Any) -> None:
    values = np.random.default_rng(3).standard_normal(31)
    one, eye = np.ones((31, 1)), np.eye(31)
    A = np.block([[one, -eye], [-one, -eye]])
    bounds = [(None, None)] + [(0, None)] * 31
    result = linprog([0.0] + [1.0] * 31, A, np.r_[values, -values], bounds=bounds, pricing=pricing)
    assert result.x is not None
    assert result.x[0] == pytest.approx(np.median(values), abs=1e-12)
    assert result.fun == pytest.approx(np.abs(values - np.median(values)).sum(), rel=1e-12)


def magic_square(n: int) -> LinearProgram:
    """Return the program of magic squares: which number, 1 to n^2, stands on which square, with shares allowed."""
    number, row, column = np.indices((n * n, n, n)).reshape(3, -1)
    once = [number == k for k in range(n * n)] + [(row == i) & (column == j) for i in range(n) for j in range(n)]
    lines = [row == i for i in range(n)] + [column == j for j in range(n)] + [row == column, row + column == n - 1]
    A = np.vstack([np.array(once), np.array(lines) * (number + 1)]).astype(float)
    sides = np.r_[np.ones(2 * n * n), np.full(2 * n + 2, n * (n * n + 1) / 2)]
    return LinearProgram(np.random.default_rng(n).random(n**4), A, sides, sides)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_magic_squares(n: int) -> None:
    """Equations of which some say nothing new, and corners at which many basic unknowns are 0."""
    program = magic_square(n)
    status, optimum = true_status(program, 0)
    for pricing in RULES:
        result = program.solve(pricing=pricing)
        assert (result.status, status) == (0, 0), (pricing, result.message)
        assert result.fun == pytest.approx(optimum, rel=1e-9)
        prove(program, result)
