"""The search beside a walk through all orders, on histories that are small and nasty."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.consensus import (
    CompareAndSetRegister,
    KeyValue,
    Model,
    Operation,
    Register,
    check_linearizable,
    check_sequential,
)
from smlib.consensus.linearizability_checking.search import find_order
from smlib.consensus.linearizability_checking.timeline import lay_out
from smlib.consensus.linearizability_checking.verdict import proves
from tests.consensus.histories import QUEUE_INPUTS, REGISTER_INPUTS, STORE_INPUTS, as_operations, histories, record
from tests.consensus.orders import Recorded, answer_key, answer_queue, answer_register, has_order, is_right, keeps_time


@pytest.mark.interpreted
@given(histories(REGISTER_INPUTS, answer_register, 6))
def test_a_register_is_judged_as_all_orders_judge_it(history: list[Recorded]) -> None:
    verdict = check_linearizable(as_operations(history), CompareAndSetRegister())
    assert verdict.linearizable is has_order(history, answer_register)
    assert verdict.success
    if verdict:
        order = [as_operations(history).index(operation) for operation in verdict.order]
        assert keeps_time(history, order, False)
        assert is_right(verdict.order, answer_register, None)
        assert {k for k, recorded in enumerate(history) if recorded[2] is not None} <= set(order)


@given(histories(STORE_INPUTS, answer_key, 6))
def test_a_store_is_judged_as_all_orders_judge_it(history: list[Recorded]) -> None:
    verdict = check_linearizable(as_operations(history), KeyValue())
    assert verdict.linearizable is has_order(history, answer_key)


class Queue(Model):
    """First in, first out; to take from nothing gives None."""

    initial = ()

    def step(self, state: Any, input: Any, output: Any) -> tuple[bool, Any]:  # noqa: A002
        if input[0] == "add":
            return True, (*state, input[1])
        return (output == state[0], state[1:]) if state else (output is None, state)


@given(histories(QUEUE_INPUTS, answer_queue, 6))
def test_a_model_of_ones_own_is_judged_as_all_orders_judge_it(history: list[Recorded]) -> None:
    expected = has_order(history, answer_queue)
    assert check_linearizable(as_operations(history), Queue()).linearizable is expected
    expected = has_order(history, answer_queue, sequential=True)
    assert check_sequential(as_operations(history), Queue()).sequential is expected


@given(histories(REGISTER_INPUTS, answer_register, 6))
def test_sequential_consistency_of_a_register(history: list[Recorded]) -> None:
    verdict = check_sequential(as_operations(history), CompareAndSetRegister())
    assert verdict.sequential is has_order(history, answer_register, sequential=True)
    if verdict:
        assert is_right(verdict.order, answer_register, None)
    if check_linearizable(as_operations(history), CompareAndSetRegister()):
        assert verdict


@given(histories(STORE_INPUTS, answer_key, 6))
def test_sequential_consistency_of_a_store_is_that_of_the_whole(history: list[Recorded]) -> None:
    verdict = check_sequential(as_operations(history), KeyValue())
    assert verdict.sequential is has_order(history, answer_key, sequential=True)


@given(histories(REGISTER_INPUTS, answer_register, 5), st.sets(st.integers(0, 4)))
def test_what_is_optional_may_be_left_out_and_keeps_its_time(history: list[Recorded], optional: set[int]) -> None:
    """The search of `offending`: an order of those that are needed and of some of the others."""
    operations = as_operations(history)
    model = CompareAndSetRegister()
    found = find_order(lay_out(operations, model, optional), model, math.inf, [None, 1])
    answered = [k for k, operation in enumerate(operations) if operation.response is not None]
    free = [k for k in answered if k in optional]
    expected = any(
        has_order([history[k] for k in range(len(history)) if k not in left_out], answer_register, initial=initial)
        for initial in (None, 1)
        for size in range(len(free) + 1)
        for left_out in map(set, combinations(free, size))
    )
    assert (found.order is not None) is expected
    if found.order is not None:
        assert set(answered) - optional <= set(found.order)
        assert keeps_time(history, found.order, False)
        assert any(is_right([history[k] for k in found.order], answer_register, initial) for initial in (None, 1))


def test_few_bits_are_enough_for_a_long_history() -> None:
    history = as_operations(record(3, 500, 4, lambda _: ("read",), answer_register, lost=0.01))
    lost = sum(operation.response is None for operation in history)
    timeline = lay_out(history, Register())
    assert max(timeline.bits) < 1 << (4 + lost)
    for position, number in enumerate(timeline.returns):
        under_way = [*timeline.pending[position], *timeline.endless_by(position)]
        assert number in under_way
        assert len({timeline.bits[other] for other in under_way}) == len(under_way)


def test_the_proof_believes_nothing() -> None:
    first, second = Operation("a", 0, 1, ("write", 1), None), Operation("a", 2, 3, ("write", 2), None)
    third, lost = Operation("b", 2, 4, ("read",), 1), Operation("c", 0, None, ("write", 3), None)
    history = [first, second, third, lost]
    assert proves([first, third, second], history, Register())
    assert proves([lost, first, third, second], history, Register())
    again = [Operation(*operation) for operation in history]
    assert proves([first, third, second], again, Register())
    assert proves([lost, first, third, second], again, Register())
    assert not proves([first, third, second], [*again, again[0]], Register())  # one stands there twice
    assert not proves([third, first, second], history, Register())  # the answer is wrong
    assert not proves([second, first, third], history, Register())  # the second was called after the first returned
    assert not proves([first, third], history, Register())  # one is missing
    assert not proves([first, third, second, second], history, Register())  # one stands twice
    assert not proves([first, third, second, lost._replace(client="d")], history, Register())  # one is a stranger
