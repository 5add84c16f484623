"""The trace shows the walk and the chances that the library's own kernels find."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from smlib.errors import InputError
from smlib.stochastic import MarkovChain
from smlib.stochastic.markov_chains import trace as module
from smlib.stochastic.markov_chains.mixing import advance_by
from smlib.stochastic.markov_chains.trace import trace
from smlib.stochastic.markov_chains.walking import walk_one
from smlib.viz.layouts.stochastic.markov_chains import CHANCES, MARKOV_CHAINS, NAMES
from smlib.viz.trace import Trace

OZ = MarkovChain([[1 / 2, 1 / 4, 1 / 4], [1 / 2, 0, 1 / 2], [1 / 4, 1 / 4, 1 / 2]], ["rain", "nice", "snow"])


@pytest.mark.interpreted
def test_the_chances_are_the_books() -> None:
    """The Land of Oz (Grinstead & Snell): after a rainy day."""
    steps = list(trace(OZ, [1, 2, 3], init="rain", rng=1))
    chances = [step.state["chances"] for step in steps]
    expected = [[1.0, 0.0, 0.0], [0.5, 0.25, 0.25], [0.4375, 0.1875, 0.375], [0.40625, 0.203125, 0.390625]]
    np.testing.assert_allclose(np.array(chances), expected, rtol=1e-14)
    assert all(all(step.invariants.values()) for step in steps)
    assert [step.state["time"] for step in steps] == [0, 1, 2, 3]
    assert not steps[0].question
    assert all(step.question for step in steps[1:])


def test_the_walk_goes_on_where_it_was() -> None:
    steps = [step.state for step in trace(OZ, [1, 2, 10, 1000], init="snow", rng=2)]
    for before, after in pairwise(steps):
        assert before["path"][-1] == after["path"][0]
        assert len(after["path"]) == after["time"] - before["time"] + 1
    walked = [steps[0]["path"][0], *(state for step in steps[1:] for state in step["path"][1:])]
    np.testing.assert_allclose(steps[-1]["shares"], np.bincount(walked) / 1001)
    assert walked[0] == 2


def test_shares_and_chances_come_to_the_same() -> None:
    *_, last = trace(OZ, [10, 100_000], init="rain", rng=3)
    np.testing.assert_allclose(last.state["shares"], [0.4, 0.2, 0.4], atol=0.01)
    np.testing.assert_allclose(last.state["chances"], [0.4, 0.2, 0.4], rtol=1e-14)


def test_chains_that_go_in_circles_keep_the_invariants() -> None:
    steps = list(trace([[0, 1], [1, 0]], [1, 2, 3, 101], rng=4))
    assert all(all(step.invariants.values()) for step in steps)
    assert steps[-1].state["curve"][-1][1] == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: list(trace(np.eye(2), [1])), "2 classes"),
        (lambda: list(trace(OZ, [2, 1], init="rain")), "times holds 1 after 2"),
        (lambda: list(trace(OZ, [0], init="rain")), "times holds 0 after 0"),
        (lambda: list(trace(OZ, [1], init="fog")), "'fog' is no state"),
        (lambda: list(trace([[1, 1], [1, 0]], [1])), "row 0 of P"),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_a_wrong_step_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "advance_by", lambda weights, mu, steps: advance_by(weights.T, mu, steps))
    assert not all(all(step.invariants.values()) for step in trace(OZ, [1, 2], init="rain"))


def test_a_wrong_walk_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(cells: Any, rows: Any, bits: Any, path: Any, stream: Any) -> Any:
        found = walk_one(cells, rows, bits, path, stream)
        path[1:] = 1
        return found

    monkeypatch.setattr(module, "walk_one", wrong)
    steps = list(trace(OZ, [1, 5], init="rain"))
    assert not steps[-1].invariants["the walk took only steps that have a chance"]


def test_the_story() -> None:
    told = Trace(MARKOV_CHAINS.title, MARKOV_CHAINS.steps(), MARKOV_CHAINS.draw, note=MARKOV_CHAINS.note)
    assert all(all(step.invariants.values()) for step in told.steps)
    assert {NAMES[step.state["path"][-1]] for step in told.steps[:13]} == set("ABCDE")
    _, chances, shares = told.steps[-1].state["curve"][-1]
    assert chances < 1e-12
    assert 1e-3 < shares < 1e-2
    keys = {mark.key for mark in told.scenes[0].marks}
    assert {f"band {i}>{j}" for i, j in np.argwhere(CHANCES > 0).tolist()} <= keys
