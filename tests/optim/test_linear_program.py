"""The model: SciPy's meaning of its arguments, the dual, and bad input."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.optim import LinearProgram, certify_infeasible
from tests.optim import highs
from tests.optim.programs import random_program

DAIRY: dict[str, Any] = {"c": [5, 4], "A": [[6, 4], [2, 3]], "row_upper": [120, 60], "maximize": True}


@pytest.mark.interpreted
def test_the_dairy_and_its_dual_by_hand() -> None:
    dairy = LinearProgram(**DAIRY, offset=1.0, row_names=["milk", "hours"], column_names=["cheese", "butter"])
    assert dairy.objective([12, 12]) == 109.0
    dual = dairy.dual()
    assert not dual.maximize
    np.testing.assert_array_equal(dual.A.toarray(), [[6, 2], [4, 3]])
    np.testing.assert_array_equal(dual.c, [120, 60])
    np.testing.assert_array_equal(dual.row_lower, [5, 4])
    np.testing.assert_array_equal(dual.row_upper, np.inf)
    np.testing.assert_array_equal(dual.lower, 0.0)
    assert dual.row_names == ("cheese", "butter")
    assert dual.objective([0.7, 0.4]) == pytest.approx(109.0, abs=1e-12)
    again = dual.dual()
    assert again.maximize
    np.testing.assert_array_equal(again.A.toarray(), dairy.A.toarray())
    np.testing.assert_array_equal(again.c, dairy.c)
    np.testing.assert_array_equal(again.row_upper, dairy.row_upper)
    assert dairy.certify(SimpleNamespace(status=0, x=[12, 12], y=[0.7, 0.4])).holds()


@given(st.integers(0, 2**32))
def test_the_dual_and_the_dual_of_the_dual_have_the_same_optimum(seed: int) -> None:
    program = random_program(seed)
    dual = program.dual()
    solved, dually, twice = (highs.solve(one) for one in (program, dual, dual.dual()))
    assert dual.maximize != program.maximize
    if highs.status(solved) == "Optimal":
        value = highs.optimum(solved)
        for other in (dually, twice):
            assert highs.status(other) == "Optimal"
            assert highs.optimum(other) == pytest.approx(value, abs=1e-8)
    else:
        assert highs.status(dually) != "Optimal"
        assert highs.status(twice) == highs.status(solved)


PAIRS: list[Any] = [
    (0, None),
    [0, None],
    None,
    [],
    (None, None),
    (-3, 4),
    [(-1, 5)],
    [[-1.0], [5.0]],
    [(None, 3), (0, None), (-2, 2)],
    np.array([[0.0, 4.0], [-np.inf, np.nan], [1.0, 1.0]]),
    ((0, 1), (None, 8), (-np.inf, np.inf)),
    [(4, 1), (0, 1), (0, 1)],
]


@pytest.mark.parametrize("bounds", PAIRS, ids=str)
@pytest.mark.parametrize("sparse", [False, True])
def test_bounds_mean_what_they_mean_to_scipy(bounds: Any, sparse: bool) -> None:
    c, A_ub, b_ub = [1.0, -2.0, 3.0], np.array([[1.0, 1.0, 1.0], [-1.0, 2.0, 0.0]]), [[7.0], [5.0]]
    A_eq, b_eq = [[1.0, 0.0, -1.0]], 0.0
    A: Any = scipy.sparse.csc_array(A_ub) if sparse else A_ub
    theirs = scipy.optimize.linprog(c, A, b_ub, A_eq, b_eq, bounds)
    program = LinearProgram.from_arrays(c, A, b_ub, A_eq, b_eq, bounds)
    solver = highs.solve(program)
    statuses = {"Optimal": 0, "Infeasible": 2, "Unbounded": 3, "Primal infeasible or unbounded": 4}
    assert statuses[highs.status(solver)] == theirs.status
    if theirs.status == 0:
        assert program.objective(theirs.x) == pytest.approx(highs.optimum(solver), abs=1e-9)
        assert program.certify(theirs).holds()


EITHER = {2: ["Infeasible"], 3: ["Unbounded"], 4: ["Infeasible", "Unbounded"]}


@given(st.integers(0, 2**32))
def test_arrays_mean_what_they_mean_to_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, k, m = rng.integers(1, 6), rng.integers(0, 4), rng.integers(0, 3)
    c, A_ub, A_eq = (rng.integers(-3, 4, shape).astype(float) for shape in (n, (k, n), (m, n)))
    b_ub, b_eq = rng.integers(-2, 9, k), A_eq @ rng.integers(0, 3, n)
    bounds = [(0, None) if rng.random() < 0.5 else (None, int(rng.integers(0, 5))) for _ in range(n)]
    arguments: list[Any] = [
        c,
        A_ub if k else None,
        b_ub if k else None,
        A_eq if m else None,
        b_eq if m else None,
        bounds,
    ]
    # Its presolve calls some unbounded programs infeasible: see the test below.
    theirs = scipy.optimize.linprog(*arguments, options={"presolve": False})
    program = LinearProgram.from_arrays(*arguments)
    np.testing.assert_array_equal(program.row_upper, [*b_ub, *b_eq])
    np.testing.assert_array_equal(program.row_lower, [*np.full(k, -np.inf), *b_eq])
    if theirs.status == 0:
        certificate = program.certify(theirs)
        assert certificate.holds(), certificate
        assert certificate.objective == pytest.approx(theirs.fun, abs=1e-9)
    else:
        assert highs.status(highs.solve(program)) in EITHER[theirs.status]


def test_an_unbounded_program_that_presolve_has_called_infeasible() -> None:
    """By hand: the point meets all rows, and along the ray every row falls or stays while the objective falls."""
    A_ub = [[3, -2, 0, 0], [3, 3, -3, 1], [-2, -2, -3, -3]]
    bounds = [(None, 0), (None, 1), (None, 2), (0, None)]
    program = LinearProgram.from_arrays([0, -1, 3, -3], A_ub, [-1, 6, 1], bounds=bounds)
    answer = SimpleNamespace(status=3, x=[-1, 0, 0, 0.5], ray=[-24, -36, -35, 75])
    assert program.certify(answer).holds()


@pytest.mark.real_data
def test_infeasible_arrays_of_the_netlib_collection(real_data: Path) -> None:
    for path in sorted((real_data / "lp" / "infeasible_npz").glob("*.npz")):
        with np.load(path) as arrays:
            given_arrays = {name: arrays[name] for name in ("c", "A_ub", "b_ub", "A_eq", "b_eq", "bounds")}
        given_arrays = {name: value if value.size else None for name, value in given_arrays.items()}
        program = LinearProgram.from_arrays(**given_arrays)
        solver = highs.solve(program)
        assert highs.status(solver) == "Infeasible", path
        assert certify_infeasible(program, solver.getDualRay()[2]).holds(), path


def test_numbers_hold_for_all_rows_and_columns() -> None:
    program = LinearProgram([1, 2, 3], np.ones((2, 3)), 1, 4, lower=-1, upper=[1, 2, 3])
    np.testing.assert_array_equal(program.row_lower, [1, 1])
    np.testing.assert_array_equal(program.lower, [-1, -1, -1])
    assert isinstance(program.A, scipy.sparse.csr_array)
    with pytest.raises(AttributeError):
        program.offset = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("form", ["dense", "csr", "coo"])
def test_the_rows_are_the_matrix_on_the_same_memory(form: str) -> None:
    A_ub, A_eq = np.array([[1.0, 0.0, -2.0], [0.0, 0.0, 0.0]]), np.array([[0.0, 3.0, 0.0]])
    above: Any = A_ub if form == "dense" else scipy.sparse.csr_array(A_ub).asformat(form)
    for below in (A_eq, scipy.sparse.csr_array(A_eq)):
        program = LinearProgram.from_arrays([1, 2, 3], above, [1, 2], below, [3])
        np.testing.assert_array_equal(program.A.toarray(), [*A_ub, *A_eq])
        assert program.rows.indptr.tolist() == [0, 2, 2, 3]
        assert program.A is program.A
        for mine, theirs in zip(program.rows[:3], (program.A.indptr, program.A.indices, program.A.data), strict=True):
            assert np.shares_memory(mine, theirs)
    np.testing.assert_array_equal(LinearProgram.from_arrays([1, 2, 3], above, [1, 2]).A.toarray(), A_ub)
    np.testing.assert_array_equal(LinearProgram.from_arrays([1, 2, 3], None, None, above, [1, 2]).A.toarray(), A_ub)


def test_nothing_at_all_is_a_program() -> None:
    for shape in ((0, 0), (0, 2), (3, 0)):
        program = LinearProgram(np.ones(shape[1]), np.zeros(shape), -1.0, 1.0)
        assert program.dual().A.shape == (shape[1], 2 * shape[0])
        result = SimpleNamespace(status=0, x=np.zeros(shape[1]), y=np.zeros(shape[0]))
        assert program.certify(result).holds()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LinearProgram([1, np.nan], [[1, 1]]), r"c\[1\] is nan"),
        (lambda: LinearProgram([1, np.inf], [[1, 1]]), r"c\[1\] is inf"),
        (lambda: LinearProgram([1], [[1, 1]]), r"c has shape \(1,\)"),
        (lambda: LinearProgram([1, 1], [[1, np.inf]]), r"A\[0, 1\] is inf"),
        (lambda: LinearProgram([1, 1], [1, 1]), "A has 1 dimensions"),
        (lambda: LinearProgram([1, 1], [[1, 1]], row_lower=[np.nan]), r"row_lower\[0\] is nan"),
        (lambda: LinearProgram([1, 1], [[1, 1]], row_lower=np.inf), r"row_lower\[0\] is inf"),
        (lambda: LinearProgram([1, 1], [[1, 1]], row_upper=[-np.inf]), r"row_upper\[0\] is -inf.*or inf for no bound"),
        (lambda: LinearProgram([1, 1], [[1, 1]], lower=[0, np.inf]), r"lower\[1\] is inf"),
        (lambda: LinearProgram([1, 1], [[1, 1]], upper=[0, -np.inf]), r"upper\[1\] is -inf"),
        (lambda: LinearProgram([1, 1], [[1, 1]], upper=[0]), r"upper has shape \(1,\)"),
        (lambda: LinearProgram([1, 1], [[1, 1]], offset=np.inf), "offset is inf"),
        (lambda: LinearProgram([1, 1], [[1, 1]], column_names=["a"]), "column_names has 1 names, but 2"),
        (lambda: LinearProgram([1, 1], [[1, 1]], column_names=["a", "a"]), "name 'a' twice"),
        (lambda: LinearProgram(**DAIRY).objective([1]), r"x has shape \(1,\)"),
        (lambda: LinearProgram(**DAIRY).certify(SimpleNamespace(status=1)), "status is 1"),
        (lambda: LinearProgram.from_arrays([]), r"c has shape \(0,\)"),
        (lambda: LinearProgram.from_arrays([[1, 2], [3, 4]]), r"c has shape \(2, 2\)"),
        (lambda: LinearProgram.from_arrays([1, 2], [[1, 2, 3]], [1]), r"A_ub has shape \(1, 3\), but c has 2 entries"),
        (lambda: LinearProgram.from_arrays([1, 2], [[1, 2]], [1, 2]), r"b_ub has shape \(2,\), but A_ub has 1 rows"),
        (lambda: LinearProgram.from_arrays([1, 2], [[1, 2]]), r"b_ub has shape \(0,\), but A_ub has 1 rows"),
        (lambda: LinearProgram.from_arrays([1, 2], None, [1]), r"b_ub has shape \(1,\), but A_ub has 0 rows"),
        (lambda: LinearProgram.from_arrays([1, 2], [[1, 2]], [np.inf]), r"b_ub\[0\] is inf"),
        (lambda: LinearProgram.from_arrays([1, 2], None, None, [[1, np.nan]], [1]), r"A_eq\[0, 1\] is nan"),
        (lambda: LinearProgram.from_arrays([1, 2], bounds=[(0, 1), (0,)]), "bounds cannot be read"),
        (lambda: LinearProgram.from_arrays([1, 2], bounds="ab"), "bounds cannot be read"),
        (lambda: LinearProgram.from_arrays([1, 2, 3], bounds=np.zeros((2, 3))), r"bounds have shape \(2, 3\)"),
        (lambda: LinearProgram.from_arrays([1, 2], bounds=[(0, 1)] * 3), r"bounds have shape \(3, 2\)"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
