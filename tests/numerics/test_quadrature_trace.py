"""The trace shows quad's own bisections, and what it says of their errors is so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.numerics import quad
from smlib.numerics.quadrature import trace as module
from smlib.numerics.quadrature.bisection import DEPTH, ERROR, INTEGRAL, LEFT, RIGHT
from smlib.numerics.quadrature.trace import trace
from smlib.viz import record


def peak(x: float, width: float) -> float:
    return width / (width * width + (x - 0.3) ** 2)


@pytest.mark.interpreted
@pytest.mark.parametrize("f", [math.exp, lambda x: peak(x, 0.01), math.sqrt, lambda x: 1.0 / math.sqrt(x), math.log])
def test_the_last_step_is_what_quad_returns(f: Any) -> None:
    steps = list(trace(f, 0.0, 1.0, tolerance=1e-7))
    result = quad(f, 0.0, 1.0, epsabs=1e-7, epsrel=0.0)
    assert result.success
    last = steps[-1].state
    assert len(steps) == result.nit + 1
    assert last["next"] is None
    extrapolated = last["end_error"] < last["error"]
    assert (last["end"] if extrapolated else last["total"]) == pytest.approx(result.estimate, rel=1e-14)
    assert min(last["error"], last["end_error"]) == pytest.approx(result.error, rel=1e-6)
    assert all(all(step.invariants.values()) for step in steps)


@given(st.floats(0.003, 1.0), st.floats(-2.0, 0.2), st.floats(0.4, 2.0), st.floats(1e-9, 1e-2))
def test_invariants_hold_and_errors_are_true(width: float, a: float, b: float, tolerance: float) -> None:
    exact = math.atan((b - 0.3) / width) - math.atan((a - 0.3) / width)
    for step in trace(peak, a, b, (width,), tolerance=tolerance, exact=exact):
        state = step.state
        assert all(step.invariants.values()), step.invariants
        assert state["true_errors"][-1] == abs(state["total"] - exact)
        assert state["errors"][-1] == state["error"]
        assert len(state["intervals"]) == len(state["errors"]) == len(state["end_errors"])
    assert min(state["error"], state["end_error"]) <= tolerance


def test_the_limit_ends_the_trace() -> None:
    steps = list(trace(lambda x: 1.0 / x, 0.0, 1.0, limit=7, exact=0.0))
    assert len(steps) == 7
    assert steps[-1].state["next"] is None
    assert steps[-1].state["end_error"] == math.inf
    assert len(list(trace(math.sin, 0.0, 1.0, limit=1))) == 1


def test_the_true_value_is_found_if_not_given() -> None:
    (step,) = trace(math.exp, 0.0, 1.0)
    assert step.state["exact"] == pytest.approx(math.e - 1.0, rel=1e-15)


def test_state_is_not_written_to_later() -> None:
    steps = trace(peak, 0.0, 1.0, 0.01)
    kept = [(step, step.state["intervals"].copy()) for step in steps]
    for step, intervals in kept:
        np.testing.assert_array_equal(step.state["intervals"], intervals)
    assert [len(intervals) for _, intervals in kept] == list(range(1, len(kept) + 1))


def broken_invariants() -> set[str]:
    steps = trace(lambda x: peak(1.0 - x, 0.01), 0.0, 1.0, limit=12)
    return {name for step in steps for name, holds in step.invariants.items() if not holds}


def test_a_gap_between_intervals_breaks_an_invariant(monkeypatch: pytest.MonkeyPatch) -> None:
    bind: Any = vars(module)["bind"]

    def bind_with_gap(*arguments: Any) -> Any:
        found = bind(*arguments)

        def split(intervals: Any, k: int, n: int, args: Any, values: Any) -> Any:
            outcome = found.split(intervals, k, n, args, values)
            intervals[n, LEFT] += 1e-3
            return outcome

        return found._replace(split=split)

    monkeypatch.setattr(module, "bind", bind_with_gap)
    assert broken_invariants() == {"the intervals lie side by side, and cover the range"}


def test_a_wrong_choice_breaks_an_invariant(monkeypatch: pytest.MonkeyPatch) -> None:
    survey: Any = vars(module)["survey"]
    monkeypatch.setattr(module, "survey", lambda *arguments: (*survey(*arguments)[:2], 0, True))
    assert broken_invariants() == {
        "the interval that was split had the largest error of all, or of all but the deepest"
    }


def test_questions_do_not_give_the_answer_away() -> None:
    for step in trace(peak, 0.0, 1.0, 0.01):
        rows = step.state["intervals"]
        if len(rows) > 1:
            assert f"{rows[-1, ERROR]:.2g}" not in step.question


def test_the_story_of_the_picture() -> None:
    steps = record("quadrature").steps
    starts = [k for k, step in enumerate(steps) if len(step.state["intervals"]) == 1]
    assert len(starts) == 2
    first, second = steps[starts[1] - 1].state, steps[-1].state
    assert first["error"] <= first["tolerance"]
    assert first["true_errors"][-1] < 1e-3 * first["error"], "the estimate is far above the truth"
    narrow = first["intervals"][first["intervals"][:, DEPTH] == first["intervals"][:, DEPTH].max()]
    assert narrow[:, LEFT].min() <= 0.3 <= narrow[:, RIGHT].max(), "the deepest intervals are at the narrow peak"
    assert second["end_error"] <= second["tolerance"] < second["error"], "the pole needs extrapolation"
    assert second["end"] == pytest.approx(2.0, abs=1e-12)
    assert abs(second["intervals"][:, INTEGRAL].sum() - 2.0) > 1e-3


def test_bad_input() -> None:
    calls: list[tuple[Any, str]] = [
        (lambda: trace(math.sin, 1.0, 0.0), "the limits are 1.0 and 0.0; here the first must be below"),
        (lambda: trace(math.sin, 0.0, math.inf), "they must be finite here"),
        (lambda: trace(math.sin, 0.0, 1.0, tolerance=0.0), "tolerance is 0.0"),
        (lambda: trace(math.sin, 0.0, 1.0, limit=0), "limit is 0"),
    ]
    for call, message in calls:
        with pytest.raises(InputError, match=message):
            next(call())
