"""Small linear programs with known answers, in SciPy's words, and each with its proof."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse

from smlib.optim import LinearProgram, linprog
from smlib.optim.linear_programming import RULES
from tests.conftest import require
from tests.optim.programs import random_program
from tests.optim.proofs import contradicts, improves_for_ever, prove

DAIRY = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
FREE = (None, None)
CIRCLE = 2 * np.pi * np.arange(1, 21) / 21

# Adapted from SciPy's tests of `linprog`: the arguments, the optimum, and the point where there is but one.
SOLVED: dict[str, tuple[tuple[Any, ...], float, list[float] | None]] = {
    "two rows and a free unknown": (
        ([-1, 4], [[-3, 1], [1, 2]], [6, 4], None, None, [FREE, (-3, None)]),
        -22,
        [10, -3],
    ),
    "the other way": (
        ([1, -4], [[-3, 1], [1, 2]], [6, 4], None, None, [(-np.inf, np.inf), (-3, np.inf)]),
        -80 / 7,
        [-8 / 7, 18 / 7],
    ),
    "inequalities": (([-3, -2], [[2, 1], [1, 1], [1, 0]], [10, 8, 4]), -18, [2, 6]),
    "sides below zero": (([6, 3], [[0, 3], [-1, -1], [-2, 1]], [2, -1, -1]), 5, [2 / 3, 1 / 3]),
    "one pair of bounds for all": (([1, 2], None, None, None, None, (1, 2)), 3, [1, 1]),
    "a pair of bounds each": (([1, -2], None, None, None, None, [(1, 2), (1, 2)]), -3, [1, 2]),
    "bounds as an array": (([1, -2], None, None, None, None, np.array([[1, 2], [-np.inf, 5]])), -9, [1, 5]),
    "a bound below only": (([1], None, None, [[1]], [3], (1, None)), 3, [3]),
    "a bound above only": (([1, 1, 1], None, None, np.eye(3), [1, 2, 3], (None, 4)), 6, [1, 2, 3]),
    "no bounds": (([1, 1, 1], None, None, np.eye(3), [1, 2, 3], FREE), 6, [1, 2, 3]),
    "no rows": (
        ([1, -1, 1, -1], None, None, None, None, [(0, np.inf), (-np.inf, 0), (-1, 1), (-1, 1)]),
        -2,
        [0, 0, -1, 1],
    ),
    "all fixed": (([1, 2, 3], None, None, None, None, [(5, 5), (-1, -1), (3, 3)]), 12, [5, -1, 3]),
    "fixed, and equations": (
        ([1, 1, 2], None, None, [[1, 0, 0], [0, 1, 0]], [1, 7], [(-5, 5), (0, 10), (3.5, 3.5)]),
        15,
        [1, 7, 3.5],
    ),
    "nothing to gain": (([0], [[1]], [-2], None, None, FREE), 0, None),
    "a column of zeros": (([1, 1, -1], [[1, 0, 0]], [3], [[1, 2, 0]], [4], (0, 10)), -8, [0, 2, 10]),
    "equations of zeros": (([1, 2, 3], None, None, [[0, 0, 0], [1, 1, 1], [0, 0, 0]], [0, 3, 0]), 3, [3, 0, 0]),
    "inequalities of zeros": (([1, 2, 3], [[0, 0, 0], [1, 1, 1], [0, 0, 0]], [0, 3, 0]), 0, [0, 0, 0]),
    "rows with one entry": (
        ([1, 1, 1, 2], None, None, [[1, 0, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]], [1, 2, 1, 4]),
        4,
        [1, 1, 2, 0],
    ),
    "inequalities with one entry": (
        ([1, 1, 1, 2], [[1, 0, 0, 0], [0, 2, 0, 0], [-1, 0, 0, 0], [1, 1, 1, 1]], [1, 2, -0.5, 4]),
        0.5,
        [0.5, 0, 0, 0],
    ),
    "all kinds of rows": (
        (
            [-1, 8, 4, -6],
            [[-7, -7, 6, 9], [1, -1, -3, 0], [10, -10, -7, 7], [6, -1, 3, 4]],
            [-3, 6, -6, 6],
            [[-10, 1, 1, -8]],
            [-4],
        ),
        7083 / 1391,
        [101 / 1391, 1462 / 1391, 0, 752 / 1391],
    ),
    "equations that say nothing new": (
        (
            [0, 1, 0, 0, 0, 0],
            None,
            None,
            [
                [1, 1, 0, 0, 0, 0],
                [0, 0, 1, 1, 0, 0],
                [0, 0, 0, 0, 1, 1],
                [1, 0, 1, 0, 0, 0],
                [0, 0, 0, 1, 1, 0],
                [0, 1, 0, 0, 0, 1],
            ],
            [221, 210, 10, 141, 198, 102],
        ),
        92,
        [129, 92, 12, 198, 0, 10],
    ),
    "artificial unknowns stay": (
        (
            [-0.1, -0.07, 0.004, 0.004, 0.004, 0.004],
            [[1, 0, 0, 0, 0, 0], [-1, 0, 0, 0, 0, 0], [0, -1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]],
            [3, 3, 3, 3, 20],
            [[1, 0, -1, 1, -1, 1], [0, -1, -1, 1, -1, 1]],
            [0, 0],
        ),
        0,
        [0, 0, 0, 0, 0, 0],
    ),
    "a mixture": (
        (
            [4, 8, 3, 0, 0, 0],
            None,
            None,
            [[2, 5, 3, -1, 0, 0], [3, 2.5, 8, 0, -1, 0], [8, 10, 4, 0, 0, -1]],
            [185, 155, 600],
        ),
        317.5,
        [66.25, 0, 17.5, 0, 183.75, 0],
    ),
    "one point is left": ((-np.ones(20), None, None, [np.cos(CIRCLE) - 1, np.sin(CIRCLE)], [0, 0]), 0, [0.0] * 20),
    "flow in a network": (
        (
            [2, 4, 9, 11, 4, 3, 8, 7, 0, 15, 16, 18],
            None,
            None,
            [
                [-1, -1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0],
                [1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0],
                [0, 0, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0],
                [0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0],
                [0, 0, 0, 0, -1, -1, -1, 0, 1, 0, 0, 0],
                [0, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, 1],
                [0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1],
            ],
            [0, 19, -16, 33, 0, 0, -36],
        ),
        755,
        None,
    ),
    "flow through narrow pipes": (
        (
            [2, 2, 1, 3, 1],
            None,
            None,
            [[-1, -1, 0, 0, 0], [1, 0, -1, -1, 0], [0, 1, 1, 0, -1], [0, 0, 0, 1, 1]],
            [-4, 0, 0, 4],
            [(0, 4), (0, 2), (0, 2), (0, 3), (0, 5)],
        ),
        14,
        None,
    ),
    "numbers far apart": (
        ([1, 1, 1], [[0, -1e6, -1.01e6]], [-1e7], [[1, 0, 0], [-1000, 0, -1000]], [5, -1e4], FREE),
        14.95,
        [5, 4.95, 5],
    ),
    "a cycle": (([-10, 57, 9, 24], [[0.5, -5.5, -2.5, 9], [0.5, -1.5, -0.5, 1], [1, 0, 0, 0]], [0, 0, 1]), -1, None),
    "a cube by Klee and Minty": (
        ([-100, -10, -1], [[1, 0, 0], [20, 1, 0], [200, 20, 1]], [1, 100, 10000]),
        -10000,
        [0, 0, 10000],
    ),
    "a row and its negative": (
        ([-10, 10, 6, 3], [[8, -8, -4, 6], [-8, 8, 4, -6], [-4, 4, 8, -4], [3, -3, -3, -10]], [9, -9, -9, -4]),
        36,
        None,
    ),
}

INFEASIBLE: dict[str, tuple[Any, ...]] = {
    "bounds cross": ([1, 2, 3], None, None, None, None, [(5, 0), (1, 2), (3, 4)]),
    "the one pair crosses": ([1], None, None, None, None, (1, -2)),
    "the rows want more": ([-1, -1], [[1, 0], [0, 1], [-1, -1]], [2, 2, -5]),
    "a row and a bound": ([1], [[2]], 4, None, None, (5, 6)),
    "fixed too high": ([-4, 1], [[7, -2], [0, 1], [2, -2]], [14, 0, 3], None, None, [(2, 2), (0, None)]),
    "fixed, and equations": ([-4, 1], None, None, [[7, -2], [0, 1], [2, -2]], [14, 0, 3], [(2, 2), (0, None)]),
    "an equation of zeros": ([1, 1], None, None, [[0, 0], [1, 2]], [0.5, 1]),
    "an inequality of zeros": ([1, 1], [[0, 0], [1, 2]], [-0.5, 1]),
    "two equations for one": ([1, 1, 1], None, None, [[1, 2, 3], [2, 4, 6]], [1, 3], FREE),
    "rows with one entry": ([1, 1], [[1, 0], [-1, 0]], [1, -2], None, None, [FREE, (0, None)]),
    "all kinds at once": ([4], [[2], [5]], [4, 4], [[0], [-8], [9]], [3, 2, 10]),
}

UNBOUNDED: dict[str, tuple[Any, ...]] = {
    "nothing but costs": ([-1, -2],),
    "downwards": ([1], None, None, None, None, [(None, 1)]),
    "some have bounds": ([-1, 1, -1, 1], None, None, None, None, [(0, np.inf), (-np.inf, 0), (-1, 1), (-1, 1)]),
    "inequalities": ([-1, -1], [[-1, 1], [-1, -1]], [-1, -2]),
    "no row has it": ([1, -1, 2], [[1, 0, 2]], [3], [[1, 0, 1]], [0], FREE),
    "two free ones that cancel": ([1, 2], None, None, [[1, 1]], [3], FREE),
    "rows of the others": (
        [0, 0, 0, 1, -1, -1],
        [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, -1]],
        [2, -2, 0],
        None,
        None,
        [FREE, FREE, FREE, (-1, 1), (-1, 1), (0, None)],
    ),
}


@pytest.mark.parametrize("name", SOLVED)
def test_small_programs_have_the_known_optimum(name: str) -> None:
    arguments, optimum, point = SOLVED[name]
    theirs = require("scipy.optimize").linprog(*arguments, method="highs-ds")
    program = LinearProgram.from_arrays(*arguments)
    pricing: Any
    for pricing in RULES:
        result: Any = linprog(*arguments, pricing=pricing)
        assert (result.status, result.success) == (0, True), result.message
        assert result.fun == pytest.approx(optimum, rel=1e-12, abs=1e-12)
        assert result.fun == pytest.approx(theirs.fun, rel=1e-9, abs=1e-9)
        if point is not None:
            np.testing.assert_allclose(result.x, point, rtol=1e-11, atol=1e-11)
        prove(program, result)
        assert program.certify(theirs).holds()


@pytest.mark.parametrize("name", INFEASIBLE)
def test_small_infeasible_programs_have_a_contradiction(name: str) -> None:
    program = LinearProgram.from_arrays(*INFEASIBLE[name])
    pricing: Any
    for pricing in RULES:
        result: Any = linprog(*INFEASIBLE[name], pricing=pricing)
        assert (result.status, result.success, result.x, result.fun) == (2, False, None, None), result.message
        assert (result.slack, result.con, result.y, result.lower) == (None, None, None, None)
        prove(program, result)
        assert program.certify(result).holds(1e-9)
        if result.ray is not None:
            assert not contradicts(program, -result.ray)


@pytest.mark.parametrize("name", UNBOUNDED)
def test_small_unbounded_programs_have_a_ray(name: str) -> None:
    program = LinearProgram.from_arrays(*UNBOUNDED[name])
    pricing: Any
    for pricing in RULES:
        result: Any = linprog(*UNBOUNDED[name], pricing=pricing)
        assert (result.status, result.success, result.fun) == (3, False, None), result.message
        prove(program, result)
        assert program.certify(result).holds(1e-9)
        assert result.ray is not None
        assert not improves_for_ever(program, -result.ray)


def test_arguments_of_every_form_say_the_same_and_are_left_alone() -> None:
    c, A, b = np.array([-1.0, 4.0]), np.array([[-3.0, 1.0], [1.0, 2.0]]), np.array([6.0, 4.0])
    bounds = [(None, None), (-3, None)]
    kept = c.copy(), A.copy(), b.copy(), list(bounds)
    forms: list[tuple[Any, Any, Any, Any]] = [
        (c, A, b, bounds),
        ([-1, 4], ((-3, 1), (1, 2)), (6, 4), ((None, None), (-3, None))),
        (c.astype(np.float32), A.astype(np.int8), b.astype(np.int64), np.array([[np.nan, np.nan], [-3, np.inf]])),
        (c[None], scipy.sparse.csc_array(A), b[:, None], bounds),
        (c, scipy.sparse.coo_matrix(A), b, bounds),
        (c[::-1][::-1], np.asfortranarray(A), b[::-1][::-1], bounds),
    ]
    for form in forms:
        result: Any = linprog(*form[:3], bounds=form[3])
        np.testing.assert_allclose(result.x, [10, -3], rtol=1e-14)
    np.testing.assert_array_equal(c, kept[0])
    np.testing.assert_array_equal(A, kept[1])
    np.testing.assert_array_equal(b, kept[2])
    assert bounds == kept[3]


@pytest.mark.interpreted
def test_the_dairy_has_the_essays_answer() -> None:
    result: Any = DAIRY.solve(pricing="dantzig")
    np.testing.assert_allclose(result.x, [12, 12], rtol=1e-14)
    np.testing.assert_allclose(result.y, [0.7, 0.4], rtol=1e-14)
    assert result.fun == pytest.approx(108, rel=1e-14)
    assert result.nit == 2
    assert sorted(result.basis) == [0, 1]
    assert "optimal" in repr(result)
    prove(DAIRY, result, 1e-15)


def test_a_maximum_is_the_negative_of_a_minimum() -> None:
    for seed in range(100):
        program = random_program(seed)
        sides = program.row_lower, program.row_upper, program.lower, program.upper
        turned = LinearProgram(-program.c, program.A, *sides, -program.offset, not program.maximize)
        one: Any = program.solve()
        other: Any = turned.solve()
        assert (one.status, one.nit) == (other.status, other.nit)
        if one.status == 0:
            assert one.fun == -other.fun
            np.testing.assert_array_equal(one.x, other.x)
            for name in ("ineqlin", "eqlin", "lower", "upper"):
                ours, theirs = getattr(one, name), getattr(other, name)
                np.testing.assert_array_equal(ours.residual, theirs.residual)
                np.testing.assert_array_equal(ours.marginals, -theirs.marginals)
