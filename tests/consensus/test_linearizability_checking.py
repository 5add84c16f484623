"""Whether a history is linearizable: the books' figures, published histories, objects that work, and misuse."""

from __future__ import annotations

import json
import random
import tarfile
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from smlib.consensus import (
    CompareAndSetRegister,
    KeyValue,
    Model,
    Operation,
    Register,
    Verdict,
    check_linearizable,
    check_sequential,
    read_jepsen_history,
)
from tests.consensus.histories import as_operations, record
from tests.consensus.orders import answer_key, answer_register, is_right


class Queue(Model):
    """First in, first out; to take from nothing gives None."""

    initial = ()

    def step(self, state: Any, input: Any, output: Any) -> tuple[bool, Any]:  # noqa: A002
        if input[0] == "put":
            return True, (*state, input[1])
        return (output == state[0], state[1:]) if state else (output is None, state)


def put(client: str, call: float, response: float, value: str) -> Operation:
    return Operation(client, call, response, ("put", value), None)


def take(client: str, call: float, response: float, value: str) -> Operation:
    return Operation(client, call, response, ("take",), value)


# Herlihy & Wing, figure 1: queues of which (a) and (c) are acceptable.
QUEUES = {
    "a": (
        [put("a", 0, 4, "x"), put("b", 1, 3, "y"), take("b", 5, 7, "y"), take("a", 6, 8, "x"), put("a", 9, 10, "z")],
        True,
    ),
    "b": ([put("a", 0, 1, "x"), put("b", 2, 3, "y"), take("a", 4, 5, "y")], False),
    "c": ([put("a", 0, 4, "x"), take("b", 1, 3, "x")], True),
    "d": ([put("a", 0, 3, "x"), put("b", 1, 2, "y"), take("a", 4, 6, "y"), take("c", 5, 7, "y")], False),
}


@pytest.mark.interpreted
@pytest.mark.parametrize("figure", QUEUES)
def test_queues_of_herlihy_and_wing(figure: str) -> None:
    history, expected = QUEUES[figure]
    verdict = check_linearizable(history, Queue())
    assert verdict.linearizable is expected
    assert verdict.verify(history, Queue()) is expected


def write(client: str, call: float, response: float | None, value: int) -> Operation:
    return Operation(client, call, response, ("write", value), None)


def read(client: str, call: float, response: float, value: int | None) -> Operation:
    return Operation(client, call, response, ("read",), value)


def cas(client: str, call: float, response: float, expected: int, new: int, done: bool) -> Operation:
    return Operation(client, call, response, ("cas", expected, new), done)


# Kleppmann, figure 9-4, from left to right; without the last read of B it is linearizable.
FIGURE_9_4 = [
    read("B", 0, 10, 1),
    write("D", 1, 6, 0),
    write("A", 2, 12, 1),
    read("C", 11, 14, 1),
    cas("B", 13, 18, 1, 2, True),
    read("C", 16, 20, 2),
    cas("D", 15, 22, 0, 3, False),
    cas("C", 21, 30, 2, 4, True),
    read("A", 23, 25, 4),
    read("B", 26, 29, 2),
]


@pytest.mark.interpreted
def test_figure_9_4_of_kleppmann() -> None:
    assert check_linearizable(FIGURE_9_4[:-1], CompareAndSetRegister(0))
    verdict = check_linearizable(FIGURE_9_4, CompareAndSetRegister(0))
    assert verdict.linearizable is False
    assert verdict.part is not None
    assert verdict.part.operations == (FIGURE_9_4[8], FIGURE_9_4[9])
    assert FIGURE_9_4[7] in verdict.part.helpers
    # B alone may read what is old; but A has read the new value before.
    assert check_linearizable([*FIGURE_9_4[:8], FIGURE_9_4[9]], CompareAndSetRegister(0))
    assert check_sequential(FIGURE_9_4, CompareAndSetRegister(0)).sequential is True


@pytest.mark.interpreted
def test_figures_9_2_and_9_3_of_kleppmann() -> None:
    """While a write is under way each read may see the old value or the new one, but nobody goes back."""
    slow = write("C", 0, 10, 1)
    for first in (0, 1):
        for second in (0, 1):
            history = [slow, read("A", 1, 3, first), read("B", 4, 6, second)]
            assert check_linearizable(history, Register(0)).linearizable is (first <= second)
    overlapping = [slow, read("A", 1, 5, 1), read("B", 4, 6, 0)]
    assert check_linearizable(overlapping, Register(0))


def test_the_order_of_several_objects_respects_time() -> None:
    history = as_operations(record(5, 300, 6, choose_for_store, answer_key))
    order = check_linearizable(history, KeyValue()).order
    assert len(order) == len(history)
    assert is_right(order, answer_key, None)
    latest = float("-inf")
    for operation in order:
        assert operation.response is not None
        latest = max(latest, operation.call)
        assert latest <= operation.response


def choose_for_store(dice: random.Random) -> tuple[Any, ...]:
    key = f"k{dice.randrange(4)}"
    return dice.choice(
        [("get", key), ("get", key), ("put", key, dice.choice("abc")), ("append", key, dice.choice("xy"))]
    )


def choose_for_register(dice: random.Random) -> tuple[Any, ...]:
    return dice.choice([("read",), ("write", dice.randrange(5)), ("cas", dice.randrange(5), dice.randrange(5))])


@pytest.mark.parametrize("seed", range(12))
def test_what_works_is_accepted(seed: int) -> None:
    history = as_operations(record(seed, 400, 5, choose_for_store, answer_key, lost=0.05))
    verdict = check_linearizable(history, KeyValue())
    assert verdict.linearizable
    assert verdict.verify(history, KeyValue())
    history = as_operations(record(seed, 120, 5, choose_for_register, answer_register, lost=0.1))
    verdict = check_linearizable(history, CompareAndSetRegister())
    assert verdict.linearizable
    assert verdict.verify(history, CompareAndSetRegister())


def write_a_number(dice: random.Random) -> tuple[Any, ...]:
    return ("write", dice.random()) if dice.random() < 0.5 else ("read",)


@pytest.mark.parametrize("seed", range(12))
def test_faults_are_found(seed: int) -> None:
    """A value that was overwritten long ago, one that comes later, one that nobody wrote, and two that were swapped."""
    history = as_operations(record(seed, 300, 5, write_a_number, answer_register))
    reads = [k for k, operation in enumerate(history) if operation.input == ("read",)]
    writes = [operation.input[1] for operation in history if operation.input[0] == "write"]
    middle = reads[len(reads) // 2]
    for wrong in (writes[0], writes[-1], 2.0):
        broken = list(history)
        broken[middle] = broken[middle]._replace(output=wrong)
        verdict = check_linearizable(broken, Register())
        assert verdict.linearizable is False
        assert verdict.part is not None
        assert broken[middle] in verdict.part.operations or len(verdict.part.operations) > 1
        assert not verdict.verify(broken, Register())
    before, after = (
        next(k for k in places if history[k].output != history[middle].output and apart(history[k], history[middle]))
        for places in (reads[len(reads) // 2 - 1 :: -1], reads[len(reads) // 2 + 1 :])
    )
    broken = list(history)
    broken[before] = broken[before]._replace(output=history[after].output)
    broken[after] = broken[after]._replace(output=history[before].output)
    assert check_linearizable(broken, Register()).linearizable is False


def apart(one: Operation, other: Operation) -> bool:
    assert one.response is not None
    assert other.response is not None
    return one.response + 5 < other.call or other.response + 5 < one.call


def test_what_was_not_answered_may_happen_late_or_never() -> None:
    lost = write("a", 0, None, 1)
    for values in ([None, None], [None, 1], [1, 1]):
        history = [lost, *(read("b", 2 * k + 1, 2 * k + 2, value) for k, value in enumerate(values))]
        assert check_linearizable(history, Register())
        assert check_linearizable([lost._replace(response=float("inf")), *history[1:]], Register())
    assert not check_linearizable([lost, read("b", 1, 2, 1), read("b", 3, 4, None)], Register())
    late = write("a", 5, None, 1)
    assert not check_linearizable([late, read("b", 1, 2, 1)], Register())
    # It may not happen twice.
    twice = [lost, read("b", 1, 2, 1), write("b", 3, 4, 2), read("b", 5, 6, 1)]
    assert not check_linearizable(twice, Register())
    assert check_linearizable([*twice, write("c", 0, None, 1)], Register())


def test_what_was_noted_of_an_answer_that_never_came_does_not_count() -> None:
    lost = [write("a", 0, None, 0), cas("b", 0, 1, 0, 1, False)._replace(response=None)]
    assert check_linearizable([*lost, read("c", 0, 1, 1)], CompareAndSetRegister())
    assert check_sequential([*lost, read("c", 0, 1, 1)], CompareAndSetRegister())


def test_equal_times_overlap() -> None:
    assert check_linearizable([write("a", 0, 1, 1), read("b", 1, 2, None)], Register())
    assert not check_linearizable([write("a", 0, 1, 1), read("b", 1.5, 2, None)], Register())


def test_many_lost_writes_do_no_harm() -> None:
    """Two hundred writes without an answer, of twenty values, would leave 2^200 choices."""
    lost = [write(f"lost {k}", k, None, k % 20) for k in range(200)]
    work = [
        write("a", 2 * k, 2 * k + 1, 100 + k) if k % 2 else read("a", 2 * k, 2 * k + 1, 99 + k) for k in range(1, 200)
    ]
    verdict = check_linearizable([*lost, *work], Register(), budget=20_000)
    assert verdict.linearizable
    broken = [*lost, *work[:150], read("a", 301.2, 301.4, 55), *work[150:]]
    verdict = check_linearizable(broken, Register(), budget=200_000)
    assert verdict.linearizable is False


@pytest.mark.real_data
def test_published_register_histories(real_data: Path, tmp_path: Path) -> None:
    verdicts = check_archive(real_data / "systems" / "jepsen_etcd_histories.tar.xz", CompareAndSetRegister(), tmp_path)
    assert len(verdicts) >= 60
    assert sum(verdict.linearizable is False for verdict in verdicts) == 47
    assert all(len(verdict.part.operations) <= 6 for verdict in verdicts if verdict.part is not None)


@pytest.mark.real_data
def test_published_stores(real_data: Path, tmp_path: Path) -> None:
    assert len(check_archive(real_data / "systems" / "porcupine_kv_histories.tar.xz", KeyValue(""), tmp_path)) >= 4


def check_archive(path: Path, model: Model, folder: Path) -> list[Verdict]:
    """Check every history of an archive, and compare with what was published."""
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    verdicts = []
    expected = json.loads((folder / "expected.json").read_text())
    for file in sorted(folder.glob("*.*")):
        name = file.name if file.name in expected else file.stem
        if file.name == "expected.json":
            continue
        history = read_jepsen_history(file)
        verdict = check_linearizable(history, model)
        assert verdict.linearizable is expected[name], file.name
        assert verdict.verify(history, model) is expected[name]
        verdicts.append(verdict)
    return verdicts


def test_the_budget_ends_a_search() -> None:
    # Appends that overlap: each order of them is a state of its own.
    history = [Operation(k, 0, 100, ("append", "x", f"{k} "), None) for k in range(12)]
    history.append(Operation("r", 101, 102, ("get", "x"), "no such text"))
    verdict = check_linearizable(history, KeyValue(), budget=5000)
    assert verdict.linearizable is None
    assert not verdict.success
    assert not verdict
    assert verdict.examined == 5000
    assert "5,000" in verdict.message
    assert verdict.order == ()
    assert not verdict.verify(history, KeyValue())
    assert check_linearizable(history, KeyValue(), budget=5000).examined == 5000
    unknown = check_sequential(history, KeyValue(), budget=3000)
    assert unknown.sequential is None
    assert unknown.examined == 3000
    # A key that is easily refuted decides, however hard the others are.
    easy = [Operation("e", 0, 1, ("get", "a"), "absent")]
    assert check_linearizable([*history, *easy], KeyValue(), budget=50_000).linearizable is False
    assert check_linearizable([*easy, *history], KeyValue(), budget=50).linearizable is False


def test_no_budget_at_all() -> None:
    assert check_linearizable([], Register(), budget=0)
    assert check_linearizable([read("a", 0, 1, None)], Register(), budget=0)
    assert check_linearizable([write("a", 0, 1, 1)], Register(), budget=0).linearizable is None


def test_a_verdict_shows_itself() -> None:
    good = check_linearizable([write("a", 0, 1, 1), read("b", 2, 3, 1)], Register())
    assert "linearizable: True" in repr(good)
    assert str(good).splitlines()[0] == "linearizable: 2 operations in one order"
    assert [operation.client for operation in good.order] == ["a", "b"]
    bad = check_linearizable([write("a", 0, 1, 1), read("b", 2, 3, 2)], Register())
    assert "read: 2" in repr(bad)
    with pytest.raises(FrozenInstanceError):
        bad.linearizable = True  # type: ignore[misc]
    many = check_linearizable([write("a", k, k + 0.5, k) for k in range(100)], Register())
    assert len(str(many).splitlines()) == 1
    assert not good.verify([*good.order, write("c", 4, 5, 9)], Register())
    assert not good.verify([write("a", 0, 1, 1), read("b", 2, 3, 1)], CompareAndSetRegister(7)) or good


def test_a_history_may_be_any_iterable_in_any_order() -> None:
    history = [write("a", 0, 1, 1), read("b", 2, 3, 1), write("a", 4, 5, 2)]
    assert check_linearizable(iter(reversed(history)), Register())
    assert check_sequential(iter(reversed(history)), Register())


def test_sequential_consistency_is_weaker_and_not_local() -> None:
    stale = [write("a", 0, 1, 1), read("b", 2, 3, None)]
    assert not check_linearizable(stale, Register())
    verdict = check_sequential(stale, Register())
    assert verdict.sequential is True
    assert [operation.client for operation in verdict.order] == ["b", "a"]
    assert "sequentially consistent: 2" in str(verdict)
    assert "sequential: True" in repr(verdict)
    one_client = [write("a", 0, 1, 1), read("a", 2, 3, None)]
    assert check_sequential(one_client, Register()).sequential is False
    # An operation that was not answered comes after what its client did before, but as late as it likes.
    lost = [write("a", 0, 1, 1), write("a", 2, None, 2), read("b", 3, 4, 2), read("b", 5, 6, 1)]
    assert check_sequential(lost, Register()).sequential is False
    assert check_sequential([*lost[:3], read("b", 5, 6, 2)], Register()).sequential is True
    assert check_sequential([*lost[:2], write("a", 5, 6, 3), read("b", 0, 1, 3), read("b", 2, 3, 2)], Register())


def test_models_have_short_names() -> None:
    assert repr(Register()) == "Register()"
    assert repr(KeyValue("")) == "KeyValue('')"
