"""The search as it is shown: its steps, and that they are the search's own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given

from smlib.consensus import CompareAndSetRegister, check_linearizable
from smlib.consensus.linearizability_checking.search import find_order
from smlib.consensus.linearizability_checking.timeline import lay_out
from smlib.consensus.linearizability_checking.trace import trace
from smlib.errors import InputError
from smlib.viz.layouts.consensus.linearizability_checking import FIGURE, draw_history
from tests.consensus.histories import REGISTER_INPUTS, as_operations, histories
from tests.consensus.orders import Recorded, answer_register

MODEL = CompareAndSetRegister()


@pytest.mark.interpreted
def test_the_figure_ends_with_its_two_reads() -> None:
    steps = list(trace(FIGURE, CompareAndSetRegister(0)))
    assert len(steps) == 6
    assert [step.state["part"] for step in steps] == [[], [], [], [], [], [8, 9]]
    assert steps[-1].state["helpers"] == [7]
    assert steps[3].state["order"] == [1, 2, 0, 3, 6, 4, 5, 7, 8]
    assert steps[3].state["now"] == 29
    assert "C cas 2 4: True in front" in steps[3].caption


@given(histories(REGISTER_INPUTS, answer_register, 6))
def test_the_steps_are_those_of_the_search(history: list[Recorded]) -> None:
    operations = as_operations(history)
    steps = list(trace(operations, MODEL))
    for step in steps:
        assert all(step.invariants.values()), (step.caption, step.invariants)
        draw_history(step.state)
    found = find_order(lay_out(operations, MODEL), MODEL, math.inf, [None])
    verdict = check_linearizable(operations, MODEL)
    if found.order is None:
        assert verdict.part is not None
        assert {operations[number] for number in steps[-1].state["part"]} == set(verdict.part.operations)
    else:
        assert steps[-1].state["order"] == found.order
        assert steps[-1].state["now"] is None


def test_misuse() -> None:
    with pytest.raises(InputError, match="entry 0 of the history is 7"):
        list(trace([7], MODEL))  # type: ignore[list-item]
