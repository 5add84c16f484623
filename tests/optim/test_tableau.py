"""The tableau: the essay's numbers and the books', the laws of pivots and steps, scaling, and accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.optim import LinearProgram
from smlib.optim.linear_programming import RULES
from smlib.optim.tableau.pivoting import BEST, STEP, UNLIMITED, choose, nearest_bound, pivot, ratio_test, take
from smlib.optim.tableau.pricing import (
    BLAND,
    DANTZIG,
    DEVEX,
    GREATEST,
    LARGEST_WEIGHT,
    STEEPEST,
    edge_lengths,
    score,
    update_reference,
)
from smlib.optim.tableau.two_phases import (
    begin,
)
from tests.optim.programs import random_program
from tests.optim.tableaus import TOLERANCE, dense, scaled, sorted_entries, step, unscaled

DAIRY = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
# Bertsimas & Tsitsiklis, examples 3.5 and 3.6; the second is Beale's.
CUBOID = LinearProgram([-10, -12, -12], [[1, 2, 2], [2, 1, 2], [2, 2, 1]], row_upper=20)
BEALE = LinearProgram(
    [-3 / 4, 20, -1 / 2, 6], [[1 / 4, -8, -1, 9], [1 / 2, -12, -1 / 2, 3], [0, 0, 1, 0]], -np.inf, [0, 0, 1]
)
SEEDS = st.integers(0, 2**32)


@pytest.mark.interpreted
def test_the_dairys_three_tableaus_are_the_essays() -> None:
    program = scaled(DAIRY)
    assert (program.unit == 1.0).all()
    tableau = begin(program)
    essays: list[tuple[Any, ...]] = [
        ([2, 3], [0, 1], [[6, 4], [2, 3], [-5, -4]], [120, 60, 0]),
        ([0, 3], [2, 1], [[1 / 6, 2 / 3], [-1 / 3, 5 / 3], [5 / 6, -2 / 3]], [20, 20, 100]),
        ([0, 1], [2, 3], [[0.3, -0.4], [-0.2, 0.6], [0.7, 0.4]], [12, 12, 108]),
    ]
    steps = [(STEP, 0, 0, 20.0), (STEP, 1, 1, 12.0), (BEST, -1, -1, 0.0)]
    for (basic, nonbasic, entries, last), expected in zip(essays, steps, strict=True):
        np.testing.assert_array_equal(tableau.basic, basic)
        np.testing.assert_array_equal(tableau.nonbasic, nonbasic)
        shown = tableau.entries.copy()
        shown[-1] *= program.cost_unit[0]
        np.testing.assert_allclose(shown, entries, rtol=1e-14)
        left = (tableau.value - tableau.lower)[tableau.basic]
        earned = -program.cost_unit[0] * program.cost @ tableau.value
        np.testing.assert_allclose([*left, earned], last, rtol=1e-14)
        assert step(tableau, DANTZIG, textbook=True) == pytest.approx(expected)


@pytest.mark.interpreted
def test_bertsimas_and_tsitsiklis_example_3_5() -> None:
    for rule in RULES:
        result: Any = CUBOID.solve(pricing=rule)
        np.testing.assert_allclose(result.x, [4, 4, 4], rtol=1e-14)
        np.testing.assert_allclose(result.y, [-3.6, -1.6, -1.6], rtol=1e-14)
        assert result.fun == pytest.approx(-136, rel=1e-14)


@pytest.mark.interpreted
def test_beales_example_goes_round_in_circles_and_is_solved() -> None:
    program = scaled(BEALE)
    tableau = begin(program)
    first, bases = sorted_entries(tableau), []
    for _ in range(6):
        what, _, _, length = step(tableau, DANTZIG, textbook=True)
        assert (what, length) == (STEP, 0.0)
        bases.append(tuple(sorted(tableau.basic.tolist())))
    assert bases == [(0, 5, 6), (0, 1, 6), (1, 2, 6), (2, 3, 6), (3, 4, 6), (4, 5, 6)]
    np.testing.assert_allclose(sorted_entries(tableau), first, atol=1e-13)

    tableau, steps = begin(program), 0
    while step(tableau, BLAND, textbook=True)[0] == STEP:
        steps += 1
    assert steps == 6
    for rule in RULES:
        result: Any = BEALE.solve(pricing=rule)
        np.testing.assert_allclose(result.x, [1, 0, 1, 0], atol=1e-14)
        assert result.fun == pytest.approx(-1.25, rel=1e-14)


def test_the_cube_of_klee_and_minty_is_walked_round_completely() -> None:
    for n in range(1, 11):
        A = np.array([[2.0 ** (i - j + 1) if j < i else float(i == j) for j in range(n)] for i in range(n)])
        cube = LinearProgram(2.0 ** np.arange(n)[::-1], A, row_upper=5.0 ** np.arange(1, n + 1), maximize=True)
        program = unscaled(cube)
        tableau, steps = begin(program), 0
        while step(tableau, DANTZIG)[0] == STEP:
            steps += 1
        assert steps == 2**n - 1
        assert -program.cost @ tableau.value == 5.0**n
        assert choose(tableau, DANTZIG, TOLERANCE, False)[0] == BEST
        assert cube.solve().fun == pytest.approx(5.0**n, rel=1e-14)


@given(SEEDS, st.sampled_from(sorted(RULES.values())), st.booleans())
def test_every_tableau_says_the_same_as_the_first(seed: int, rule: int, textbook: bool) -> None:
    """Invariants 1 and 2: its rows hold at every solution of the first; what a step improves never gets worse."""
    check_every_tableau(seed, rule, textbook)


@pytest.mark.interpreted
def test_every_tableau_says_the_same_as_the_first_for_a_few() -> None:
    for seed in range(20):
        check_every_tableau(seed, seed % 5, seed % 2 == 0)


def check_every_tableau(seed: int, rule: int, textbook: bool) -> None:
    program = scaled(random_program(seed, rows=8, columns=8))
    tableau = begin(program)
    A, rng = dense(program), np.random.default_rng(seed)
    m, n = A.shape
    solutions = rng.standard_normal((n, 4))
    solutions = np.vstack([solutions, -A @ solutions])
    before, inside = np.inf, False
    for _ in range(60):
        entries, basic, nonbasic, value = tableau.entries, tableau.basic, tableau.nonbasic, tableau.value
        assert sorted([*basic, *nonbasic]) == list(range(n + m))
        size = 1.0 + np.abs(entries).max(initial=0.0)
        np.testing.assert_allclose(solutions[basic] + entries[:m] @ solutions[nonbasic], 0.0, atol=1e-11 * size)
        np.testing.assert_allclose(entries[m] @ solutions[nonbasic], program.cost @ solutions, atol=1e-11 * size)
        np.testing.assert_allclose(A @ value[:n] + value[n:], 0.0, atol=1e-10)
        assert all(value[k] == nearest_bound(value[k], tableau.lower[k], tableau.upper[k]) for k in nonbasic)

        outside = np.maximum(tableau.lower - value, value - tableau.upper).max(initial=0.0) > TOLERANCE
        violation = np.maximum(tableau.lower - value, value - tableau.upper).clip(0.0).sum()
        objective = float(violation if outside else program.cost @ value)
        assert not (inside and outside), "once feasible, always feasible"
        if outside == (not inside):
            assert objective <= before + 1e-8 * (1.0 + abs(objective))
        before, inside = objective if inside == (not outside) else np.inf, not outside
        if step(tableau, rule, textbook)[0] != STEP:
            break


@given(SEEDS)
def test_pivoting_twice_gives_the_tableau_back(seed: int) -> None:
    """Invariant 3; and once is what the definition says."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 9, 2)
    first = rng.standard_normal((m + 1, n))
    row, column = int(rng.integers(m)), int(rng.integers(n))
    first[row, column] = rng.choice([-2.0, 0.5, 3.0])
    entries = first.copy()
    pivot(entries, row, column)
    expected = first - np.outer(first[:, column], first[row]) / first[row, column]
    expected[:, column] = -first[:, column] / first[row, column]
    expected[row] = first[row] / first[row, column]
    expected[row, column] = 1.0 / first[row, column]
    np.testing.assert_allclose(entries, expected, rtol=1e-12, atol=1e-13)
    pivot(entries, row, column)
    np.testing.assert_allclose(entries, first, rtol=1e-12, atol=1e-13)


def test_scores_are_what_the_table_says() -> None:
    entries = np.random.default_rng(1).standard_normal((5, 7))
    weights = np.empty(7)
    edge_lengths(entries, weights)
    np.testing.assert_allclose(weights, 1.0 + (entries[:4] ** 2).sum(axis=0), rtol=1e-14)
    assert score(DANTZIG, -3.0, 4.0, 5) == score(GREATEST, -3.0, 4.0, 5) == 3.0
    assert score(STEEPEST, -3.0, 4.0, 5) == score(DEVEX, -3.0, 4.0, 5) == 9 / 4
    assert score(BLAND, -3.0, 4.0, 5) > score(BLAND, -9.0, 1.0, 6)


def test_devex_weights_grow_with_the_pivot_row_and_begin_anew() -> None:
    row, weights = np.array([2.0, -6.0, 1.0, 0.0]), np.array([3.0, 5.0, 7.0, 2.0])
    update_reference(row, 0, weights)
    np.testing.assert_array_equal(weights, [1.0, 27.0, 7.0, 2.0])
    update_reference(np.array([1.0, 0.5, 0.0, 0.0]), 1, weights)
    np.testing.assert_array_equal(weights, [108.0, 108.0, 7.0, 2.0])
    update_reference(np.array([LARGEST_WEIGHT, 1.0, 0.0, 0.0]), 1, weights)
    np.testing.assert_array_equal(weights, 1.0)


def test_rules_choose_different_columns() -> None:
    """Dantzig's the steepest price, greatest the largest gain, steepest the shortest edge, Bland's the first."""
    A = np.array([[9.0, 100.0, 0.0, 0.5], [0.0, 0.0, 1.0, 0.0]])
    program = LinearProgram([-1.0, -5.0, -2.0, -2.1], A, row_upper=[100.0, 60.0], upper=[99.0, 99.0, 99.0, 50.0])
    chosen = {}
    for name, rule in RULES.items():
        tableau = begin(unscaled(program))
        what, column, row, length = choose(tableau, rule, TOLERANCE, False)
        chosen[name] = column
        assert what == STEP
        if column == 3:
            assert (row, length) == (-1, 50.0), "its own other bound stops it"
            take(tableau, rule, column, row, length)
            assert (tableau.value[3], tableau.value[4]) == (50.0, -25.0)
    assert chosen == {"bland": 0, "dantzig": 1, "devex": 1, "greatest": 2, "steepest": 3}


def test_of_rows_that_stop_a_step_together_the_largest_pivot_or_the_lowest_number_leaves() -> None:
    A = np.array([[1.0], [4.0], [8.0], [0.0], [-3.0], [1e-10]])
    program = LinearProgram([-1.0], A, row_upper=[1.0, 4.0, 8.0 + 1e-9, 0.0, 0.0, 0.0], row_lower=-20.0)
    tableau = begin(unscaled(program))
    assert ratio_test(tableau, 0, 1.0, TOLERANCE, True) == (0, 1.0)
    row, length = ratio_test(tableau, 0, 1.0, TOLERANCE, False)
    assert row == 2
    assert length == pytest.approx(1.0 + 1e-9 / 8, abs=1e-15)
    assert ratio_test(tableau, 0, -1.0, TOLERANCE, True) == (4, 0.0)
    free = LinearProgram([-1.0], A[3:4], row_upper=1.0, upper=np.inf)
    assert choose(begin(unscaled(free)), DANTZIG, TOLERANCE, False)[::2] == (UNLIMITED, -1)
    # A row that is out of bounds stops its variable on the bound that it comes to first.
    outside = LinearProgram([1.0], [[2.0], [1.0]], row_lower=[6.0, 1.0], row_upper=[8.0, 9.0])
    assert choose(begin(unscaled(outside)), DANTZIG, TOLERANCE, False) == (STEP, 0, 1, 1.0)
    assert ratio_test(begin(unscaled(outside)), 0, -1.0, TOLERANCE, False) == (-1, np.inf)
    inside = LinearProgram([1.0], [[2.0], [1.0]], row_lower=[6.0, -1.0], row_upper=[8.0, 9.0])
    assert choose(begin(unscaled(inside)), DANTZIG, TOLERANCE, False) == (STEP, 0, 0, 3.0)


def test_an_unknown_begins_and_returns_to_its_nearest_bound() -> None:
    inf = np.inf
    cases = [(3, 0, inf, 0), (3, -inf, 9, 9), (3, -inf, inf, 0), (3, 1, 9, 1), (7, 1, 9, 9), (5, 1, 9, 1), (2, 4, 4, 4)]
    for value, lower, upper, expected in cases:
        assert nearest_bound(float(value), float(lower), float(upper)) == expected
