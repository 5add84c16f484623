"""Certificates: HiGHS's answers hold, wrong ones do not, and the laws of duality."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import assume, given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.optim import (
    LinearProgram,
    certify_infeasible,
    certify_optimum,
    certify_unbounded,
    dual_objective,
    ranging,
    read_mps,
    reduced_costs,
)
from tests.conftest import require
from tests.optim import highs
from tests.optim.programs import random_program

DAIRY = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)


@pytest.mark.interpreted
def test_the_dairy_by_hand() -> None:
    proof = certify_optimum(DAIRY, [12, 12], [0.7, 0.4])
    assert proof.holds(1e-15)
    assert (proof.objective, proof.dual_objective) == (108.0, 108.0)
    np.testing.assert_allclose(reduced_costs(DAIRY, [0.7, 0.4]), 0.0, atol=1e-15)
    assert dual_objective(DAIRY, [1.0, 0.0]) == 120.0
    assert dual_objective(DAIRY, [0.5, 0.0]) == math.inf
    assert dual_objective(DAIRY, [1.0, -0.1]) == math.inf
    worse = certify_optimum(DAIRY, [20, 0], [0.7, 0.4])
    assert not worse.holds()
    assert worse.gap == pytest.approx(8 / 109)
    assert worse.complementarity == pytest.approx(0.4 * 20 / 109)
    outside = certify_optimum(DAIRY, [12, 12.1], [0.7, 0.4])
    assert outside.primal_infeasibility == pytest.approx(0.3 / (1 + 60.3))
    wrong = certify_optimum(DAIRY, [12, 12], [0.7, -0.4])
    assert wrong.dual_infeasibility == pytest.approx(1.2 / (1 + 4 + 2.8 + 1.2))
    assert "ray" not in repr(wrong)


@pytest.mark.interpreted
def test_a_contradiction_by_hand() -> None:
    program = LinearProgram([1, 1], [[1, 1], [2, 2]], row_lower=[-np.inf, 8], row_upper=[3, np.inf], lower=-np.inf)
    for ray in ([-2, 1], [2, -1], [-200, 100], [-2, 1 + 1e-12]):
        proof = certify_infeasible(program, ray)
        assert proof.holds()
        assert proof.margin == pytest.approx(2 / 14)
    for ray in ([-2, 1.001], [1, 1], [0, 1], [0, 0], [np.nan, 1]):
        assert not certify_infeasible(program, ray).holds()
    assert not certify_infeasible(program).holds()


@pytest.mark.interpreted
def test_a_ray_by_hand() -> None:
    program = LinearProgram([-1, 1], [[1, -2]], row_upper=[4])
    proof = certify_unbounded(program, [0, 0], [2, 1])
    assert proof.holds()
    assert proof.margin == pytest.approx(1 / 3)
    assert certify_unbounded(program, [0, 0], [2, 1.5]).holds()
    for x, ray in (([0, 0], [2, 0.9]), ([0, 0], [1, 1]), ([0, 0], [0, 0]), ([0, 0], [-2, -1]), ([9, 0], [2, 1])):
        assert not certify_unbounded(program, x, ray).holds()
    assert not certify_unbounded(LinearProgram([-1, 1], [[1, -2]], row_upper=[4], upper=99), [0, 0], [2, 1]).holds()


def test_bounds_that_cross_need_no_ray() -> None:
    for sides in ({"row_lower": 2, "row_upper": 1}, {"lower": [0, 2], "upper": [9, 1]}):
        program = LinearProgram([1, 1], [[1, 1]], **sides)
        proof = certify_infeasible(program)
        assert proof.holds()
        assert proof.margin == pytest.approx(1 / 3)


def test_what_is_not_finite_proves_nothing() -> None:
    for x, y in (
        ([np.nan, 12], [0.7, 0.4]),
        ([12, 12], [np.nan, 0.4]),
        ([np.inf, 1], [0.7, 0.4]),
        ([1, 1], [np.inf, 1]),
    ):
        assert not certify_optimum(DAIRY, x, y).holds()
    assert not certify_unbounded(DAIRY, [np.nan, 1], [1, 1]).holds()


def evaluate_densely(program: LinearProgram, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return the numbers of a certificate of an optimum, by its definition, from the matrix with its zeros."""
    A, sign = program.A.toarray(), -1.0 if program.maximize else 1.0
    price, cost = sign * y, sign * program.c
    size = 1.0 + np.abs(cost) + np.abs(A.T * price).sum(axis=1)
    wrong = ((price > 0) & np.isinf(program.row_lower)) | ((price < 0) & np.isinf(program.row_upper))
    shift = np.abs(A[wrong].T * price[wrong]).max(axis=1, initial=0.0)
    price = np.where(wrong, 0.0, price)
    reduced = cost - A.T @ price
    wrong = ((reduced > 0) & np.isinf(program.lower)) | ((reduced < 0) & np.isinf(program.upper))
    dual_error = np.maximum(np.where(wrong, np.abs(reduced), 0.0), shift) / size
    weight = np.concatenate([price, np.where(wrong, 0.0, reduced)])
    value = np.concatenate([A @ x, x])
    lower = np.concatenate([program.row_lower, program.lower])
    upper = np.concatenate([program.row_upper, program.upper])
    side = np.select([weight > 0, weight < 0], [lower, upper], 0.0)
    outside = np.maximum(lower - value, value - upper).clip(0.0)
    primal, dual = float(cost @ x), float(weight @ side)
    scale = 1.0 + max(abs(primal), abs(dual))
    return {
        "objective": sign * primal + program.offset,
        "dual_objective": sign * dual + program.offset,
        "primal_infeasibility": (outside / (1.0 + np.concatenate([np.abs(A * x).sum(axis=1), np.abs(x)]))).max(),
        "dual_infeasibility": dual_error.max(),
        "gap": (primal - dual) / scale,
        "complementarity": np.abs(weight * (value - side)).max() / scale,
    }


@pytest.mark.interpreted
@given(st.integers(0, 2**32))
def test_a_certificate_is_what_its_definition_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = random_program(seed) if rng.random() < 0.7 else feasible_pair(seed)[0]
    m, n = program.A.shape
    x, y = rng.standard_normal(n), rng.standard_normal(m)
    if rng.random() < 0.5:
        x, y = np.round(2.0 * x), np.round(y)
    proof = certify_optimum(program, x, y)
    for name, value in evaluate_densely(program, x, y).items():
        assert getattr(proof, name) == pytest.approx(value, rel=1e-11, abs=1e-11), name

    spoilt = rng.choice([np.nan, np.inf, -np.inf])
    x[rng.integers(n)] = spoilt
    proof = certify_optimum(program, x, y)
    assert not proof.holds(math.inf)
    assert math.isnan(proof.primal_infeasibility or 0.0) or not math.isnan(spoilt)
    if m:
        y[rng.integers(m)] = spoilt
        assert not certify_optimum(program, np.zeros(n), y).holds(math.inf)


@given(st.integers(0, 2**32))
def test_every_answer_of_highs_can_be_proved_and_no_other(seed: int) -> None:
    program = random_program(seed)
    m, n = program.A.shape
    solver = highs.solve(program)
    status = highs.status(solver)
    solution = solver.getSolution()
    x = np.array(solution.col_value) if len(solution.col_value) == n else np.zeros(n)
    y = np.array(solution.row_dual) if len(solution.row_dual) == m else np.zeros(m)
    dual_ray, ray = solver.getDualRay(), solver.getPrimalRay()
    weights = dual_ray[2] if dual_ray[1] else np.random.default_rng(seed).integers(-2, 3, m)
    direction = ray[2] if ray[1] else np.random.default_rng(seed).integers(-2, 3, n)
    optimal = certify_optimum(program, x, y)
    infeasible = certify_infeasible(program, weights)
    unbounded = certify_unbounded(program, x, direction)
    assert optimal.holds() == (status == "Optimal"), (optimal, status)
    crossed = (program.lower > program.upper).any() or (program.row_lower > program.row_upper).any()
    assert infeasible.holds() <= (status == "Infeasible")
    if dual_ray[1] or crossed:
        assert infeasible.holds(), infeasible
    assert unbounded.holds() <= (status == "Unbounded")
    if ray[1] and optimal.primal_infeasibility == 0.0:
        assert unbounded.holds(), unbounded
    if status == "Optimal":
        assert optimal.objective == pytest.approx(highs.optimum(solver), abs=1e-9)
        np.testing.assert_allclose(reduced_costs(program, y), solution.col_dual, atol=1e-9)


def feasible_pair(seed: int) -> tuple[LinearProgram, np.ndarray, np.ndarray]:
    """Return a program, a point that is feasible because the sides were put round it, and any weights."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 6), rng.integers(1, 6)
    A, x, y = rng.standard_normal((m, n)), rng.standard_normal(n), rng.standard_normal(m)
    room = rng.random((2, m + n)) * rng.choice([0.0, 1.0], (2, m + n))
    a = A @ x
    rows = (
        np.where(rng.random(m) < 0.2, -np.inf, a - room[0, :m]),
        np.where(rng.random(m) < 0.2, np.inf, a + room[1, :m]),
    )
    sides = x - room[0, m:], x + room[1, m:]
    return LinearProgram(rng.standard_normal(n), A, *rows, *sides, maximize=bool(seed % 2)), x, y


@given(st.integers(0, 2**32))
def test_weak_duality_and_the_sum_of_the_products(seed: int) -> None:
    program, x, y = feasible_pair(seed)
    sign = -1.0 if program.maximize else 1.0
    assert sign * dual_objective(program, y) <= sign * program.objective(x) + 1e-12
    proof = certify_optimum(program, x, y)
    assert proof.primal_infeasibility is not None
    assert proof.primal_infeasibility < 1e-15
    assert proof.gap is not None
    assert proof.gap > -1e-13
    if proof.dual_infeasibility == 0.0:
        assert proof.dual_objective == pytest.approx(dual_objective(program, y), abs=1e-12)
        z = sign * reduced_costs(program, y)
        price, a = sign * y, program.A @ x
        products = [p * (a[i] - (program.row_lower if p > 0 else program.row_upper)[i]) for i, p in enumerate(price)]
        products += [p * (x[j] - (program.lower if p > 0 else program.upper)[j]) for j, p in enumerate(z)]
        assert min(products) > -1e-13
        scale = 1.0 + max(abs(program.c @ x), abs(dual_objective(program, y)))
        assert proof.gap * scale == pytest.approx(sum(products), abs=1e-12)
        assert proof.complementarity == pytest.approx(max(products) / scale, abs=1e-13)


@given(st.integers(0, 2**32))
def test_no_ray_at_all_proves_a_feasible_program_infeasible(seed: int) -> None:
    program, x, y = feasible_pair(seed)
    proof = certify_infeasible(program, y)
    assert not proof.holds()
    assert not certify_unbounded(program, x, x).holds()


@pytest.mark.interpreted
def test_the_dairys_ranges_by_hand() -> None:
    ranges = DAIRY.ranging(SimpleNamespace(x=[12, 12], basis=[0, 1]))
    np.testing.assert_allclose(ranges.prices, [0.7, 0.4])
    np.testing.assert_allclose(ranges.costs, [[8 / 3, 6], [10 / 3, 7.5]])
    np.testing.assert_allclose(ranges.row_upper, [[80, 180], [40, 90]])
    np.testing.assert_allclose(ranges.row_lower, [[-np.inf, 120], [-np.inf, 60]])


@given(st.integers(0, 2**32))
def test_ranges_end_where_another_basis_becomes_optimal(seed: int) -> None:
    """Within a range the optimum moves in a straight line; a little beyond, it leaves it."""
    program, _, _ = feasible_pair(seed)
    solver = highs.solve(program)
    assume(highs.status(solver) == "Optimal")
    basic = require("highspy").HighsBasisStatus.kBasic
    chosen = solver.getBasis()
    basis = np.flatnonzero([status == basic for status in [*chosen.col_status, *chosen.row_status]])
    x, start = np.array(solver.getSolution().col_value), highs.optimum(solver)
    ranges = ranging(program, x, basis)
    np.testing.assert_allclose(ranges.prices, solver.getSolution().row_dual, atol=1e-9)
    activity = program.A @ x
    cases: list[tuple[str, Any, Any]] = [("c", ranges.costs, x)]
    for side in ("row_lower", "row_upper"):
        standing = np.abs(getattr(program, side) - activity) < 1e-9
        cases.append((side, getattr(ranges, side), np.where(standing, ranges.prices, 0.0)))
    degenerate = is_degenerate(program, x, basis)
    for name, room, slope in cases:
        values = getattr(program, name)
        for k, (low, high) in enumerate(room):
            both = name != "c" and program.row_lower[k] == program.row_upper[k]
            assert low - 1e-9 <= values[k] <= high + 1e-9
            for end, step in ((low, 1e-3), (high, -1e-3)):
                if not np.isfinite(values[k]) or abs(end - values[k]) < 1e-2:
                    continue
                inside = end + step if np.isfinite(end) else values[k] - 1e3 * step
                line = start + slope[k] * (inside - values[k])
                assert moved_optimum(program, name, k, inside, both) == pytest.approx(line, abs=1e-7)
                if np.isfinite(end) and not degenerate and not meets_other_side(program, name, k, end):
                    line = start + slope[k] * (end - 10 * step - values[k])
                    beyond = moved_optimum(program, name, k, end - 10 * step, both)
                    assert beyond is None or beyond != pytest.approx(line, abs=1e-9)


def is_degenerate(program: LinearProgram, x: Any, basis: Any) -> bool:
    """Return whether a basic value stands at a bound, or a reduced cost that might move is 0."""
    value = np.concatenate([x, program.A @ x])[basis]
    lower = np.concatenate([program.lower, program.row_lower])[basis]
    upper = np.concatenate([program.upper, program.row_upper])[basis]
    return bool((np.minimum(value - lower, upper - value) < 1e-6).any())


def meets_other_side(program: LinearProgram, name: str, k: int, end: float) -> bool:
    if name == "c":
        return False
    other = program.row_upper[k] if name == "row_lower" else program.row_lower[k]
    return bool(other != getattr(program, name)[k] and abs(other - end) < 1e-6)


def moved_optimum(program: LinearProgram, name: str, k: int, number: float, both: bool) -> float | None:
    """Return the optimum after one number has been changed, if there still is one."""
    fields = {field: getattr(program, field) for field in ("c", "row_lower", "row_upper")}
    for field in ("row_lower", "row_upper") if both else (name,):
        fields[field] = fields[field].copy()
        fields[field][k] = number
    solver = highs.solve(
        LinearProgram(A=program.A, lower=program.lower, upper=program.upper, maximize=program.maximize, **fields)
    )
    return highs.optimum(solver) if highs.status(solver) == "Optimal" else None


@pytest.mark.real_data
def test_the_netlib_problems_have_proofs_and_perturbed_answers_have_none(real_data: Path) -> None:
    folder = real_data / "lp"
    known = json.loads((folder / "known_answers_lp.json").read_text())
    for name in ("afiro", "agg", "capri", "degen2", "e226", "forplan", "recipe", "scsd6", "share1b", "boeing1"):
        program = read_mps(folder / "netlib" / f"{name}.mps.gz")
        solution = highs.solve(program).getSolution()
        x, y = np.array(solution.col_value), np.array(solution.row_dual)
        proof = certify_optimum(program, x, y)
        assert proof.holds(), proof
        assert proof.objective == pytest.approx(known[name]["trusted_optimum"], rel=1e-9)
        assert proof.dual_objective == pytest.approx(known[name]["trusted_optimum"], rel=1e-9)
        largest = int(np.argmax(np.abs(program.c * x)))
        moved = x.copy()
        moved[largest] *= 1.001
        assert not certify_optimum(program, moved, y).holds()
        assert not certify_optimum(program, -x, y).holds()
        assert not certify_optimum(program, x, -y).holds()
        assert not certify_optimum(program, x, 1.001 * y).holds()
        assert not certify_infeasible(program, y).holds()
        assert not certify_unbounded(program, x, x).holds()


@pytest.mark.real_data
def test_the_infeasible_problems_have_farkas_rays(real_data: Path) -> None:
    for path in sorted((real_data / "lp" / "infeasible").glob("*.mps.gz")):
        program = read_mps(path)
        solver = highs.solve(program)
        ray = np.array(solver.getDualRay()[2])
        proof = certify_infeasible(program, ray)
        assert proof.holds(1e-12), (path, proof)
        used = int(np.argmax(np.abs(ray)))
        ray[used] = 0.0
        assert not certify_infeasible(program, ray).holds(), path
        assert not certify_infeasible(program, np.ones(ray.size)).holds(), path


@pytest.mark.real_data
def test_a_problem_made_unbounded_has_a_ray(real_data: Path) -> None:
    """The negative of the first column, for a little less than it costs: both may grow without limit."""
    for name in ("afiro", "sc50a", "share2b", "adlittle"):
        program = read_mps(real_data / "lp" / "netlib" / f"{name}.mps.gz")
        A = scipy.sparse.hstack([program.A, -program.A[:, [0]]], format="csr")
        c, lower, upper = [*program.c, -program.c[0] - 1.0], [*program.lower, 0.0], [*program.upper, np.inf]
        unbounded = LinearProgram(c, A, program.row_lower, program.row_upper, lower, upper)
        solver = highs.solve(unbounded)
        x = np.array(solver.getSolution().col_value)
        ray = np.zeros(len(c))
        ray[[0, -1]] = 1.0
        proof = certify_unbounded(unbounded, [*highs.solve(program).getSolution().col_value, 0.0], ray)
        assert proof.holds(), (name, proof)
        assert certify_unbounded(unbounded, x, solver.getPrimalRay()[2]).holds(), name
        assert highs.status(solver) == "Unbounded"
        assert not certify_unbounded(unbounded, x, -ray).holds()
        ray[0] = 0.999
        assert not certify_unbounded(unbounded, x, ray).holds()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: certify_optimum(DAIRY, [1], [1, 1]), r"x has shape \(1,\)"),
        (lambda: certify_optimum(DAIRY, [1, 1], [[1, 1]]), r"y has shape \(1, 2\)"),
        (lambda: certify_infeasible(DAIRY, [1, 1, 1]), r"ray has shape \(3,\)"),
        (lambda: certify_unbounded(DAIRY, [1, 1], np.array(["a", "b"])), "ray cannot be read"),
        (lambda: reduced_costs(DAIRY, [1]), r"y has shape \(1,\)"),
        (lambda: ranging(DAIRY, [12, 12], [0]), "basis must hold 2 different integers"),
        (lambda: ranging(DAIRY, [12, 12], [0, 0]), "basis must hold 2 different integers"),
        (lambda: ranging(DAIRY, [12, 12], [0.0, 1.0]), "basis must hold 2 different integers"),
        (lambda: ranging(DAIRY, [12, 12], [0, 4]), "basis goes from 0 to 4"),
        (lambda: ranging(DAIRY, [12, 12], [0, 2]), "basis is not optimal at x"),
        (lambda: ranging(LinearProgram([1, 1], [[1, 1], [2, 2]]), [0, 0], [0, 1]), "basis is singular"),
        (lambda: dual_objective(DAIRY, [1]), r"y has shape \(1,\)"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
