"""Scaling, refinement and perturbation: what keeps a tableau exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.optim import LinearProgram
from smlib.optim.linear_programming import RULES
from smlib.optim.tableau.accuracy import BLURRED, measure_leftover, rebuild, refresh, renew
from smlib.optim.tableau.pivoting import BEST, Tableau
from smlib.optim.tableau.pricing import (
    BLAND,
    DANTZIG,
    DEVEX,
    GREATEST,
    STEEPEST,
)
from smlib.optim.tableau.scaling import SPREAD, ScaledProgram
from smlib.optim.tableau.two_phases import (
    COUNTERS,
    LARGEST_PERTURBATION,
    PATIENCE,
    PERTURBED,
    STEPS,
    STOPPED,
    advance,
    begin,
    perturb,
    put_bounds_back,
)
from tests.optim import highs
from tests.optim.programs import random_program
from tests.optim.tableaus import TOLERANCE, dense, scaled, sorted_entries

SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.integers(1, 6))
def test_units_are_powers_of_two_and_make_the_entries_alike(seed: int, k: int) -> None:
    program, spread = rescaled(seed, k)
    ours = scaled(program)
    assert (np.frexp(ours.unit)[0] == 0.5).all()
    assert (np.frexp(ours.cost_unit)[0] == 0.5).all()
    n = program.c.size
    unit = ours.unit
    np.testing.assert_array_equal(dense(ours) * unit[n:, None] / unit[:n], program.A.toarray())
    np.testing.assert_array_equal(
        ours.cost[:n] * ours.cost_unit / unit[:n], -program.c if program.maximize else program.c
    )
    assert np.abs(ours.cost).max() <= np.sqrt(2)
    feasible = program.lower <= program.upper
    np.testing.assert_array_equal((ours.lower[:n] * unit[:n])[feasible], program.lower[feasible])
    np.testing.assert_array_equal(ours.upper[n:] * unit[n:], -program.row_lower)
    sizes = np.abs(dense(ours))[dense(ours) != 0]
    # Entries were 1, 2 or 3 times the factors of their row and column; small programs have 5 of each.
    assert sizes.size == 0 or (sizes.max() <= SPREAD and sizes.min() >= 1 / SPREAD), spread


def test_numbers_that_are_alike_are_left_alone_and_bounds_that_cross_meet() -> None:
    program = scaled(
        LinearProgram([64, 1], [[1 / SPREAD, SPREAD], [0, -3]], row_upper=[1, 2], lower=[3, 0], upper=[1, 5])
    )
    assert (program.unit == 1.0).all()
    np.testing.assert_array_equal(program.cost, [1, 1 / 64, 0, 0])
    assert program.lower[0] == program.upper[0] == 2.0
    assert not (scaled(LinearProgram([64, 1], [[0.99 / SPREAD, SPREAD], [0, -3]], row_upper=[1, 2])).unit == 1.0).all()


def rescaled(seed: int, k: int) -> tuple[LinearProgram, float]:
    """Return a random program, its rows and columns multiplied by powers of ten, and how far the entries lie apart."""
    program, rng = random_program(seed), np.random.default_rng(seed)
    m, n = program.A.shape
    row, column = 10.0 ** rng.integers(-k, k + 1, m), 10.0 ** rng.integers(-k, k + 1, n)
    A = row[:, None] * program.A.toarray() * column
    sides = row * program.row_lower, row * program.row_upper, program.lower / column, program.upper / column
    sizes = np.abs(A)[A != 0]
    scaled_program = LinearProgram(program.c * column, A, *sides, program.offset, program.maximize)
    return scaled_program, float(sizes.max() / sizes.min()) if sizes.size else 1.0


@given(SEEDS, st.integers(1, 4))
def test_the_answer_does_not_depend_on_the_units(seed: int, k: int) -> None:
    program, other = random_program(seed), rescaled(seed, k)[0]
    for rule in RULES:
        one, same = program.solve(pricing=rule), other.solve(pricing=rule)
        assert one.status == same.status
        assert (one.fun is None) == (same.fun is None)
        assert one.fun is None or same.fun == pytest.approx(one.fun, rel=1e-9, abs=1e-9)


def walked(seed: int, steps: int = 1000) -> tuple[ScaledProgram, Tableau]:
    """Return a program with many pivots, and its tableau after so many steps."""
    rng = np.random.default_rng(seed)
    A, x = rng.standard_normal((12, 15)), rng.random(15)
    program = LinearProgram(rng.random(15), A, A @ x - 0.1, A @ x + rng.random(12), upper=2.0)
    ours = scaled(program)
    tableau = begin(ours)
    advance(ours, tableau, np.zeros(COUNTERS, np.int64), DANTZIG, TOLERANCE, steps)
    return ours, tableau


def equations(program: ScaledProgram, tableau: Tableau) -> float:
    return measure_leftover(program, tableau.value, np.empty(tableau.basic.size))


@given(SEEDS)
def test_values_are_repaired_by_an_inverse_that_is_blurred_itself(seed: int) -> None:
    program, tableau = walked(seed)
    rng, entries, value = np.random.default_rng(seed), tableau.entries.copy(), tableau.value.copy()
    tableau.value[tableau.basic] += 1e-7 * rng.standard_normal(tableau.basic.size)
    tableau.entries[:] *= 1.0 + 1e-7 * rng.standard_normal(tableau.entries.shape)
    assert equations(program, tableau) > 1e-10
    assert refresh(program, tableau) < BLURRED
    assert equations(program, tableau) < 1e-15
    size = 1.0 + np.abs(entries).max()
    np.testing.assert_allclose(tableau.value, value, atol=1e-14 * size)
    np.testing.assert_allclose(tableau.entries[-1], entries[-1], atol=1e-14 * size)


@given(SEEDS)
def test_a_tableau_that_is_built_again_is_the_one_that_pivots_led_to(seed: int) -> None:
    program, tableau = walked(seed, 5 + seed % 25)
    expected = sorted_entries(tableau)
    size, basic = np.abs(expected).max(), sorted(tableau.basic)
    tableau.entries[:] = np.random.default_rng(seed).standard_normal(tableau.entries.shape)
    if seed % 2:
        rebuild(program, tableau)
    else:
        tableau.value[tableau.basic] += 1e-3
        assert renew(program, tableau, False)
        assert equations(program, tableau) < 1e-15
    assert sorted(tableau.basic) == basic
    np.testing.assert_allclose(sorted_entries(tableau), expected, atol=1e-12 * size)
    assert not renew(program, tableau, False)
    assert renew(program, tableau, True)


def test_a_variable_that_depends_on_the_others_stays_outside() -> None:
    for seed in range(20):
        A = np.random.default_rng(seed).random((3, 4)) + 0.1
        A[:, 1] = 0.3 * A[:, 0]  # but for rounding, which is no entry to pivot on
        program = scaled(LinearProgram([1, 1, 1, 1], A, row_upper=4))
        tableau = begin(program)
        tableau.basic[:], tableau.nonbasic[:] = [0, 1, 2], [3, 4, 5, 6]
        rebuild(program, tableau)
        assert sorted([*tableau.basic, *tableau.nonbasic]) == list(range(7))
        assert [k in tableau.basic for k in range(4)] == [True, False, True, False]
        x = np.array([1.5, -2.0, 0.25, 1.0])
        solution = np.append(x, -dense(program) @ x)
        left = solution[tableau.basic] + tableau.entries[:3] @ solution[tableau.nonbasic]
        np.testing.assert_allclose(left, 0.0, atol=1e-12)


@pytest.mark.interpreted
def test_bounds_move_outwards_and_back() -> None:
    program = scaled(LinearProgram([1, 1], [[1, 2], [3, -1], [1, 0]], [-5, -np.inf, 7], [9, 100, 7]))
    tableau = begin(program)
    perturb(tableau, 31)
    moves = []
    for side, moved, sign in ((program.lower, tableau.lower, -1), (program.upper, tableau.upper, 1)):
        np.testing.assert_array_equal(moved[:2], side[:2])
        np.testing.assert_array_equal(np.isinf(moved), np.isinf(side))
        basic = [k for k in (2, 3, 4) if np.isfinite(side[k])]
        moves += [sign * (moved[k] - side[k]) / (LARGEST_PERTURBATION * (1.0 + abs(side[k]))) for k in basic]
    assert len(moves) == 5
    assert 0.5 <= min(moves) <= max(moves) <= 1.0
    assert len({round(float(move), 6) for move in moves}) == 3, "one amount a variable"
    assert put_bounds_back(program, tableau)
    np.testing.assert_array_equal(tableau.lower, program.lower)
    np.testing.assert_array_equal(tableau.upper, program.upper)
    assert not put_bounds_back(program, tableau)


def test_where_steps_of_length_0_go_on_bounds_are_perturbed_and_put_back() -> None:
    """A cone: at its tip, where all rows but one meet, one basis follows another."""
    rng = np.random.default_rng(1)
    A, top = rng.standard_normal((50, 50)), np.zeros(50)
    A[0], top[0] = np.abs(A[0]), 1.0
    cone = LinearProgram(rng.random(50), A, row_upper=top, upper=1.0, maximize=True)
    program, optimum = scaled(cone), highs.optimum(highs.solve(cone))
    for rule in (DEVEX, DANTZIG, STEEPEST, GREATEST):
        tableau, counters = begin(program), np.zeros(COUNTERS, np.int64)
        while counters[PERTURBED] == 0:
            assert advance(program, tableau, counters, rule, TOLERANCE, counters[STEPS] + 1) == (STOPPED, -1)
        assert counters[STEPS] > PATIENCE
        assert (tableau.lower < program.lower).any()
        assert (tableau.lower <= program.lower).all()
        assert (tableau.upper >= program.upper).all()
        assert advance(program, tableau, counters, rule, TOLERANCE, 10**4) == (BEST, -1)
        np.testing.assert_array_equal(tableau.lower, program.lower)
        np.testing.assert_array_equal(tableau.upper, program.upper)
        assert equations(program, tableau) < 1e-14
        assert -program.cost @ tableau.value * program.cost_unit[0] == pytest.approx(optimum, rel=1e-12)
    counters[:] = 0
    assert advance(program, begin(program), counters, BLAND, TOLERANCE, 10**4)[0] == BEST
    assert counters[PERTURBED] == 0
