"""The smallest part that offends: it does, it is smallest, and it says so in words."""

from __future__ import annotations

from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given

from smlib.consensus import CompareAndSetRegister, KeyValue, Operation, Register, check_linearizable
from smlib.consensus.linearizability_checking.drawing import describe_operation, draw_operations
from smlib.consensus.linearizability_checking.offending import OffendingPart
from tests.consensus.histories import REGISTER_INPUTS, as_operations, histories, record
from tests.consensus.orders import Recorded, answer_register, has_order


def can_be_ordered(needed: list[Operation], others: list[Operation], states: tuple[Any, ...]) -> bool:
    """Return whether the needed ones have an order, with some of the others or none, from one of the states."""
    subsets = chain.from_iterable(combinations(others, size) for size in range(len(others) + 1))
    return any(has_order([*needed, *chosen], answer_register, initial=state) for chosen in subsets for state in states)


@given(histories(REGISTER_INPUTS, answer_register, 6))
def test_the_part_offends_and_each_of_its_operations_is_needed(history: list[Recorded]) -> None:
    verdict = check_linearizable(as_operations(history), CompareAndSetRegister())
    if verdict.linearizable:
        assert verdict.part is None
        return
    part = verdict.part
    assert part is not None
    assert set(part.operations) <= set(as_operations(history))
    assert all(operation.response is not None for operation in part.operations)
    assert not can_be_ordered(list(part.operations), list(part.others), part.states)
    for place in range(len(part.operations)):
        rest = [*part.operations[:place], *part.operations[place + 1 :]]
        assert can_be_ordered(rest, [part.operations[place], *part.others], part.states)


@given(histories(REGISTER_INPUTS, answer_register, 6))
def test_no_state_is_missing_that_may_come_before_the_part(history: list[Recorded]) -> None:
    """Whatever order what came earlier is put in, it ends in one of the states."""
    verdict = check_linearizable(as_operations(history), CompareAndSetRegister())
    if verdict.part is None:
        return
    begun = min(operation.call for operation in verdict.part.operations)
    cut = min([begun, *(o.call for o in verdict.part.others if o.response is not None and o.call >= begun)])
    earlier = [recorded for recorded in history if recorded[2] is not None and recorded[2] < cut]
    for state in {None, 0, 1, 2} - set(verdict.part.states):
        # Who reads this state then, in the moment before the part, reads what cannot be.
        reader = ("reader", cut - 0.5, cut - 0.25, ("read",), state)
        assert not has_order([*earlier, reader], answer_register)


def test_a_stale_read_among_thousands() -> None:
    history = [Operation("w", 2 * k, 2 * k + 1, ("write", k), None) for k in range(3000)]
    history.append(Operation("r", 6000, 6001, ("read",), 17))
    part = check_linearizable(history, Register()).part
    assert part is not None
    assert part.operations == (history[2999], history[3000])
    assert part.origin == history[17]
    assert 17 in part.states


def test_twice_the_same_value_is_no_way_out() -> None:
    """A part that left out the second write of 1 would blame a read that was right until 3 was written."""
    values = [1, 2, 1, 3]
    history = [Operation("w", 2 * k, 2 * k + 1, ("write", value), None) for k, value in enumerate(values)]
    verdict = check_linearizable([*history, Operation("r", 8, 9, ("read",), 1)], Register())
    assert verdict.part is not None
    assert [operation.input for operation in verdict.part.operations] == [("write", 3), ("read",)]
    assert verdict.part.origin == history[2]


def test_a_value_that_nobody_wrote() -> None:
    history = [Operation("w", 0, 1, ("write", 1), None), Operation("r", 0, 9, ("read",), 7)]
    verdict = check_linearizable(history, Register())
    assert verdict.part is not None
    assert verdict.part.operations == (history[1],)
    assert verdict.part.origin is None
    assert "has no place in any order" in verdict.message


def test_a_value_that_is_written_later() -> None:
    history = [Operation("r", 0, 1, ("read",), 1), Operation("w", 2, 3, ("write", 1), None)]
    part = check_linearizable(history, Register()).part
    assert part is not None
    assert part.operations == (history[0],)
    assert part.others == ()


def test_what_was_not_answered_may_have_led_to_a_state() -> None:
    history = [
        Operation("a", 0, 1, ("write", 0), None),
        Operation("b", 2, None, ("cas", 0, 1), None),
        Operation("a", 3, 4, ("read",), 1),
        Operation("a", 5, 6, ("write", 5), None),
        Operation("a", 7, 8, ("read",), 1),
    ]
    part = check_linearizable(history, CompareAndSetRegister()).part
    assert part is not None
    assert part.operations == (history[3], history[4])
    assert part.culprit == history[4]
    assert 1 in part.states


def test_a_lost_append() -> None:
    texts = "abcdefgh"
    history = [Operation("w", 2 * k, 2 * k + 1, ("append", "x", text), None) for k, text in enumerate(texts)]
    history.append(Operation("r", 16, 17, ("get", "x"), "abcdfgh"))
    history.append(Operation("r", 0, 1, ("get", "y"), None))
    verdict = check_linearizable(history, KeyValue())
    assert verdict.part is not None
    assert verdict.part.key == "x"
    assert verdict.part.operations[-1] == history[8]
    assert "on key 'x'" in verdict.message


def test_two_reads_that_go_back() -> None:
    """Figure 9-2 and 9-3 of Kleppmann: once the new value has been read, nobody may read the old one."""
    history = [
        Operation("c", 0, 10, ("write", 1), None),
        Operation("a", 1, 4, ("read",), 1),
        Operation("b", 5, 8, ("read",), 0),
    ]
    verdict = check_linearizable(history, Register(0))
    assert str(verdict).splitlines() == [
        "not linearizable: 2 of 3 operations cannot be put in order, whatever the others did",
        "c  |-------------------|  write 1   (it may have happened or not)",
        "a      |---|              read: 1",
        "b              |---|      read: 0",
        "before them the state was 0",
    ]


def test_drawing() -> None:
    history = [
        Operation("one", 0, 2, ("write", 1), None),
        Operation("two", 1, None, ("cas", 1, 2), None),
        Operation("one", 2, 3, "anything", 4),
    ]
    assert draw_operations(history, ["first"]) == [
        "one  |-------|          write 1   (first)",
        "two      |------------  cas 1 2, never answered",
        "one          |---|      anything: 4",
    ]
    assert draw_operations([]) == []
    assert describe_operation(Operation("a", 0, 1, ("get", "x"), None)) == "get 'x': None"
    wide = draw_operations([Operation(0, k, k + 0.5, ("write", k), None) for k in range(500)])
    assert max(map(len, wide)) < 90


@pytest.mark.interpreted
def test_a_part_is_small_where_the_fault_is_small() -> None:
    for seed in range(20):
        history = record(
            seed, 200, 5, lambda dice: ("write", dice.random()) if dice.random() < 0.5 else ("read",), answer_register
        )
        reads = [k for k, recorded in enumerate(history) if recorded[3] == ("read",) and k > 100]
        old = next(recorded for recorded in history[20:] if recorded[3] == ("read",))
        place = reads[seed]
        history[place] = (*history[place][:4], old[4])
        verdict = check_linearizable(as_operations(history), Register())
        assert isinstance(verdict.part, OffendingPart)
        assert len(verdict.part.operations) <= 3
