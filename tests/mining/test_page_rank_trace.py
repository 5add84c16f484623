"""The trace shows what the solvers do, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.mining import pagerank
from smlib.mining.page_rank import trace as module
from smlib.mining.page_rank.solving import walk
from smlib.mining.page_rank.trace import trace
from smlib.viz.layouts.mining import LAYOUTS
from smlib.viz.trace import Trace
from tests.conftest import require
from tests.mining.graphs import BOOK_TRAP, Problem, problems


@pytest.mark.interpreted
def test_the_steps_are_the_books() -> None:
    states = [step.state for step in trace(BOOK_TRAP, 3, alpha=0.8)]
    for state, x in zip(states, ([15, 15, 15, 15], [9, 13, 25, 13]), strict=False):
        np.testing.assert_allclose(state["ranks"], np.array(x) / 60, rtol=1e-14)
    np.testing.assert_allclose(states[3]["ranks"], np.array([543, 707, 2543, 707]) / 4500, rtol=1e-14)
    assert states[0]["flows"] is None
    assert sum(states[1]["flows"]) == pytest.approx(0.8)


@given(problems(), st.sampled_from(["power", "gauss-seidel"]))
def test_every_step_is_the_solvers_and_all_invariants_hold(problem: Problem, method: Any) -> None:
    networkx = require("networkx")
    G = networkx.from_numpy_array(problem.weights, create_using=networkx.DiGraph)
    steps = list(trace(G, 4, method=method, alpha=problem.alpha))
    for number, step in enumerate(steps):
        assert all(step.invariants.values()), (number, step.invariants)
        if number > 0:
            solved = pagerank(G, problem.alpha, method=method, max_iter=number, tol=0.0)
            np.testing.assert_allclose(step.state["ranks"], solved.scores, atol=1e-14)
    assert len(steps) == 5
    assert not steps[0].question
    assert all(step.question for step in steps[1:])


def test_bad_input() -> None:
    with pytest.raises(InputError, match="alpha is 1"):
        list(trace(BOOK_TRAP, 2, alpha=1.0))
    with pytest.raises(InputError, match="steps is -1"):
        list(trace(BOOK_TRAP, -1))


def test_a_wrong_step_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = walk
    monkeypatch.setattr(module, "walk", lambda *arguments: right(*arguments) * 1.01)
    assert not all(all(step.invariants.values()) for step in trace(BOOK_TRAP, 2))


def test_the_story() -> None:
    layout = LAYOUTS["page_rank"]
    told = Trace(layout.title, layout.steps(), layout.draw, note=layout.note)
    steps, sweeps = (
        [step for step in told.steps if step.state["method"] == name] for name in ("power", "gauss-seidel")
    )
    assert len(steps) == len(sweeps) == 13
    assert sweeps[-1].state["residuals"][-1] < 0.1 * steps[-1].state["residuals"][-1]
    ranks = steps[-1].state["ranks"]
    assert {int(v) for v in np.argsort(-ranks)[:2]} == {3, 4}, "the trap gathers most"
    assert "D gains" in steps[-1].caption
