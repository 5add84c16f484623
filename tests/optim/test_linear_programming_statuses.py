"""What an answer may say, and to whom: limits, callbacks, methods that err, and calls that are wrong."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import smlib.optim.linear_programming as linear_programming
from smlib.errors import InputError
from smlib.optim import LinearProgram, LinearProgramResult, linprog
from smlib.optim.tableau.pivoting import BEST, UNLIMITED
from tests.optim.programs import random_program
from tests.optim.proofs import prove

DAIRY = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)


def test_the_limit_on_iterations_and_the_callback() -> None:
    """Stopped after k steps, the answer is what the callback was told after k steps."""
    assert DAIRY.solve(maxiter=1, pricing="dantzig").certificate.objective == 100.0
    for seed in range(60):
        program = random_program(seed, rows=8, columns=8)
        told: list[Any] = []
        result: Any = program.solve(callback=told.append)
        assert result.nit == len(told)
        assert [step.nit for step in told] == list(range(1, len(told) + 1))
        assert all((step.status, step.success) == (1, False) for step in told)
        unwatched = program.solve()
        assert (unwatched.status, unwatched.nit, unwatched.fun) == (result.status, result.nit, result.fun)
        if told and result.status == 0:
            np.testing.assert_array_equal(told[-1].x, result.x)
            assert told[-1].certificate.holds(1e-9)
        for k, step in enumerate(told[:-1], 1):
            stopped: Any = program.solve(maxiter=k)
            if stopped.status == 1:  # else it was optimal, though nobody had looked yet
                assert stopped.nit == k
                assert "limit" in stopped.message
                np.testing.assert_allclose(stopped.x, step.x, atol=1e-9)
                assert stopped.fun == stopped.certificate.objective
                assert not stopped.certificate.holds(1e-9)
        assert program.solve(maxiter=result.nit).status == result.status
        sign = -1.0 if program.maximize else 1.0
        inside = [step for step in told if (step.certificate.primal_infeasibility or 0.0) <= 1e-9]
        values = [sign * (step.fun or 0.0) for step in inside]
        assert inside == told[len(told) - len(inside) :], "once feasible, always feasible"
        assert all(later <= earlier + 1e-9 * (1 + abs(earlier)) for earlier, later in pairwise(values))


def test_where_it_is_stopped_the_residuals_say_what_is_missing() -> None:
    """As SciPy's: what is left to the side; of an equation too, below 0 where the row has gone beyond its side."""
    result: Any = linprog([1, 1], [[-1, 0], [0, 2]], [-4, 5], [[1, 2], [0, -1]], [3, 1], maxiter=0)
    assert (result.status, result.nit) == (1, 0)
    np.testing.assert_array_equal(result.x, [0, 0])
    np.testing.assert_array_equal(result.slack, [-4, 5])
    np.testing.assert_array_equal(result.con, [3, 1])
    np.testing.assert_array_equal(result.ineqlin.residual, result.slack)
    np.testing.assert_array_equal(result.eqlin.residual, result.con)
    assert result.certificate.primal_infeasibility == 4.0


def test_a_callback_may_stop_it_by_an_exception() -> None:
    def stop(result: LinearProgramResult) -> None:
        if result.nit == 1:
            raise StopIteration("seen enough")

    with pytest.raises(StopIteration, match="seen enough"):
        DAIRY.solve(callback=stop)


@pytest.mark.parametrize("what", [BEST, UNLIMITED])
def test_a_method_that_errs_is_never_believed(what: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the steps claim of a tableau that is not there yet: status 4, and by how much it fails."""
    wrong = (lambda *_: (BEST, -1)) if what == BEST else (lambda *_: (UNLIMITED, 0))
    monkeypatch.setattr(linear_programming, "advance", wrong)
    troubles = 0
    for seed in range(300):
        program = random_program(seed)
        result = program.solve()
        if result.status == 4:
            assert "numerical trouble" in result.message
            troubles += 1
        prove(program, result)
    assert troubles > 100
    assert DAIRY.solve().certificate.dual_infeasibility == pytest.approx(5 / 6)


def test_values_that_are_blurred_are_never_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest: Any = linear_programming.answer  # type: ignore[attr-defined]
    assert DAIRY.solve().status == 0
    for blurred in ("x", "prices"):

        def answer(*arguments: Any, blurred: str = blurred) -> Any:
            found = honest(*arguments)
            return found._replace(**{blurred: getattr(found, blurred) * (1.0 + 1e-6)})

        monkeypatch.setattr(linear_programming, "answer", answer)
        result = DAIRY.solve()
        assert (result.status, result.success) == (4, False)
        assert not result.certificate.holds(1e-9)
        assert result.certificate.holds(1e-5)
        assert DAIRY.solve(rtol=1e-5).status == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linprog([1], method="simplex"), "method is 'simplex'; it must be 'tableau'"),  # type: ignore[arg-type]
        (lambda: linprog([1], pricing="best"), "pricing is 'best'; it must be one of devex, "),  # type: ignore[arg-type]
        (lambda: linprog([1], maxiter=-1), "maxiter"),
        (lambda: linprog([1], maxiter=1.5), "maxiter"),  # type: ignore[arg-type]
        (lambda: linprog([1], rtol=1e-13), "rtol is 1e-13; it must lie between 1e-12 and 1e-3"),
        (lambda: linprog([1], rtol=0.1), "rtol is 0.1; it must lie"),
        (lambda: linprog([1], rtol=math.nan), "rtol"),
        (lambda: linprog([1], rtol="small"), "rtol"),  # type: ignore[arg-type]
        (lambda: linprog([]), "c has shape"),
        (lambda: linprog([[1, 2], [3, 4]]), "c has shape"),
        (lambda: linprog([math.nan, 1]), "c"),
        (lambda: linprog([math.inf, 1]), "c"),
        (lambda: linprog(["a", "b"]), "c cannot be read"),
        (lambda: linprog([1j]), "c is complex"),
        (lambda: linprog([1, 2], [[1]], [1]), r"A_ub has shape \(1, 1\), but c has 2 entries"),
        (lambda: linprog([1, 2], [[1, 2]], [1, 2]), r"b_ub has shape \(2,\), but A_ub has 1 rows"),
        (lambda: linprog([1, 2], [[1, 2]]), r"b_ub has shape \(0,\), but A_ub has 1 rows"),
        (lambda: linprog([1, 2], b_ub=[1]), r"b_ub has shape \(1,\), but A_ub has 0 rows"),
        (lambda: linprog([1, 2], A_eq=[1], b_eq=1), r"A_eq has shape \(1,\), but c has 2 entries"),
        (lambda: linprog([1, 2], A_eq=np.zeros((1, 1, 2)), b_eq=[1]), r"A_eq has shape \(1, 1, 2\)"),
        (lambda: linprog([1, 2], [[1, math.nan]], [1]), "A_ub"),
        (lambda: linprog([1, 2], [[1, 2]], [math.inf]), "b_ub"),
        (lambda: linprog([1, 2], A_eq=[[1, 2]], b_eq=[math.nan]), "b_eq"),
        (lambda: linprog([1, 2, 3], bounds=[(1, 2), (3, 4)]), "bounds"),
        (lambda: linprog([1, 2, 3], bounds=[(1, 2), (3, 4), (3, 4, 5)]), "bounds"),
        (lambda: linprog([1, 2], bounds=[(1, 2), (math.inf, math.inf)]), r"\[1\] is inf"),
        (lambda: linprog([1, 2], bounds=[(-math.inf, -math.inf), (1, 2)]), r"\[0\] is -inf"),
        (lambda: DAIRY.solve(method="interior-point"), "method is 'interior-point'"),
        (lambda: DAIRY.solve(pricing=3), "pricing is 3"),
        (lambda: DAIRY.certify(DAIRY.solve(maxiter=0)), "status is 1: only 0 "),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_an_unknown_option_is_no_option() -> None:
    with pytest.raises(TypeError, match="ftol"):
        DAIRY.solve(ftol=1e-6)
