"""What is refused: histories that cannot be, models that cannot do what was asked, and models with mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from smlib.consensus import KeyValue, Model, Operation, Register, check_linearizable, check_sequential
from smlib.errors import InputError
from tests.consensus.test_linearizability_checking import Queue, put, read, write


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (write("a", 3, 2, 1), "operation 1 was called at 3 and answered at 2"),
        (write("a", float("nan"), 2, 1), "called at nan"),
        (write("a", 0, float("nan"), 1), "answered at nan"),
        (write("a", float("-inf"), None, 1), "called at -inf"),
        (write("a", "soon", 1, 1), "operation 1 has the times 'soon' and 1; they must be numbers"),  # type: ignore[arg-type]
        (("a", 0, 1), "entry 1 of the history is .*; it must be an Operation"),
        (7, "entry 1 of the history is 7; it must be an Operation"),
        (Operation("a", 0, 1, ("increment",), None), r"cannot do \('increment',\); it knows \(\"read\",\)"),
        (Operation("a", 0, 1, ("write",), None), r"cannot do \('write',\)"),
        (Operation("a", 0, 1, None, None), "cannot do None"),
        (Operation("a", 0, 1, (), None), r"cannot do \(\)"),
    ],
)
@pytest.mark.parametrize("check", [check_linearizable, check_sequential])
def test_misuse(check: Any, entry: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check([write("b", 0, 1, 1), entry], Register())


def test_misuse_of_stores_and_states() -> None:
    for asked in (("get",), ("add", "x", 1), "get", None):
        with pytest.raises(InputError, match="KeyValue cannot do"):
            check_linearizable([Operation("a", 0, 1, asked, None)], KeyValue())
    with pytest.raises(InputError, match="KeyValue cannot do"):
        check_linearizable(
            [Operation("a", 0, 1, ("put", "x", 3), None), Operation("a", 2, 3, ("append", "x", "y"), None)], KeyValue()
        )
    with pytest.raises(InputError, match=r"the input of operation 0 is .*, which cannot be hashed; use tuples"):
        check_linearizable([Operation("a", 0, 1, ("write", [1]), None), write("b", 2, 3, 4)], Register())
    with pytest.raises(InputError, match="budget is -1"):
        check_linearizable([], Register(), budget=-1)
    with pytest.raises(InputError, match="client 'a' called at 1, when"):
        check_sequential([write("a", 0, 2, 1), write("a", 1, 3, 2)], Register())
    with pytest.raises(NotImplementedError, match="Model has no step"):
        check_linearizable([write("a", 0, 2, 1)], Model())


class ListQueue(Queue):
    """Forgets that states are hashed."""

    def step(self, state: Any, input: Any, output: Any) -> tuple[bool, Any]:  # noqa: A002
        return True, [*state, input]


class Stumbling(Register):
    """Has a mistake of its own."""

    def step(self, state: Any, input: Any, output: Any) -> tuple[bool, Any]:  # noqa: A002
        return True, len(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("check", [check_linearizable, check_sequential])
def test_models_with_mistakes(check: Any) -> None:
    history = [put("a", 0, 1, "x"), put("a", 2, 3, "y")]
    with pytest.raises(InputError, match=r"has the state \[\('put', 'x'\)\], which cannot be hashed"):
        check(history, ListQueue())
    with pytest.raises(TypeError, match="has no len"):
        check(history, Stumbling())


class Liar(Register):
    """Says that writes only observe."""

    def only_observes(self, input: Any, output: Any) -> bool:  # noqa: A002
        return True


def test_a_model_that_lies_is_found_out() -> None:
    with pytest.raises(InputError, match="answers differently when it is asked again"):
        check_linearizable([write("a", 0, 1, 1), read("b", 2, 3, None)], Liar())
