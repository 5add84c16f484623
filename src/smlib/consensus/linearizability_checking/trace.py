"""A search, way by way: how far each one comes, where it ends, and what is left at the end.

Each step is one call of the search's own `follow`: it begins where another operation was put first, and goes from
return to return until the history ends, until nothing that is under way is allowed, or until it comes to where another
way has been before. At the end stands an order, with a moment for each operation, or the smallest part that offends.

Invariants, computed at every step:
  1. What is in order is what the model allows, one after another.
  2. It respects time: no operation stands behind one that was called after it had returned.
  3. All that has returned is in it, up to the return where the way has ended.
  4. At the end, yes: the order proves the history. No: what was answered before the culprit is linearizable.

Cost: a step copies the order, O(n).

Lowe, "Testing for linearizability", *Concurrency and Computation: Practice and Experience* 29 (2017).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any

from smlib._core.trace import Step
from smlib.consensus.linearizability_checking.checking import check_linearizable
from smlib.consensus.linearizability_checking.drawing import describe_operation
from smlib.consensus.linearizability_checking.models import Model
from smlib.consensus.linearizability_checking.offending import OffendingPart, find_offending_part
from smlib.consensus.linearizability_checking.operations import Operation, check_history
from smlib.consensus.linearizability_checking.search import (
    Configuration,
    Found,
    Reached,
    Seen,
    explore,
    follow,
    list_order,
)
from smlib.consensus.linearizability_checking.timeline import Timeline, lay_out
from smlib.consensus.linearizability_checking.verdict import place_in_time, proves


def trace(history: Sequence[Operation], model: Model) -> Iterator[Step]:
    """Yield the history, a step for each way that the search follows, and what it has found.

    Parameters
    ----------
    history : sequence of Operation
        Of one object; a dozen operations are seen well.
    model : Model

    Yields
    ------
    Step
        Its state holds ``operations``; ``order``, numbers of the operations in order; ``moments``, one for each of
        these; ``now``, the time of the return to which the way has come (None before and after); ``value``, the state
        of the object; and ``part``, numbers of the operations that offend, and ``helpers`` of those that may have
        happened or not.

    Raises
    ------
    InputError
        An entry is no operation, or the model cannot do what was asked.

    Notes
    -----
    Complexity: that of the search, and O(n) a step.

    References
    ----------
    Lowe, "Testing for linearizability" (2017).

    Examples
    --------
    >>> from smlib.consensus import Register
    >>> history = [
    ...     Operation("a", 0, 2, ("write", 1), None),
    ...     Operation("b", 1, 3, ("write", 2), None),
    ...     Operation("c", 4, 5, ("read",), 1),
    ... ]
    >>> for step in trace(history, Register()):  # doctest: +NORMALIZE_WHITESPACE
    ...     print(step.caption)
    3 operations of 3 clients. When each of them took effect, nobody has seen.
    Each is taken when it returns. That leads to c read: 1, in state 2: it cannot be taken here.
    Go back to where a write 1 returns, and put b write 2 in front. That leads to the end: all are in order, and
    the history is linearizable.
    """
    operations = list(check_history(history))
    timeline = lay_out(operations, model)
    begun = _state(operations, [], None, model.initial)
    yield Step(_tell_history(operations), begun, lay_out, _check(operations, timeline, model, [], 0))
    seen: Seen = set()
    furthest = Reached(-1, None, None, False)
    for number, (way, reached) in enumerate(explore(timeline, model, math.inf, [model.initial], seen)):
        order = list_order(reached.order)
        furthest = max(furthest, reached, key=lambda reached: reached.position)
        yield Step(
            _tell_way(operations, timeline, way, reached),
            _state(operations, order, _now(timeline, reached), reached.state),
            follow,
            _check(operations, timeline, model, order, reached.position),
            "Which must another operation go in front of?" if number else "In which order can they have taken effect?",
        )
    if furthest.position < len(timeline.returns):
        part = find_offending_part(operations, None, model, timeline, Found(None, False, furthest, seen))
        yield Step(
            "Every way has ended: not linearizable. Whatever the others did, there is no order of "
            f"{_list(part.operations)}.",
            {**begun, "part": _find(operations, part.operations), "helpers": _find(operations, part.helpers)},
            find_offending_part,
            _check_part(operations, model, part),
            "Which operations contradict each other?",
        )


def _state(operations: list[Operation], order: list[int], now: float | None, value: Any) -> dict[str, Any]:
    return {
        "operations": operations,
        "order": order,
        "moments": place_in_time([operations[number] for number in order]),
        "now": now,
        "value": value,
        "part": [],
        "helpers": [],
    }


def _now(timeline: Timeline, reached: Reached) -> float | None:
    complete = reached.position == len(timeline.returns)
    return None if complete else timeline.ends[timeline.returns[reached.position]]


def _find(operations: list[Operation], found: Sequence[Operation]) -> list[int]:
    return [number for number, operation in enumerate(operations) if any(operation is other for other in found)]


def _list(operations: Iterable[Operation]) -> str:
    return ", ".join(f"{operation.client} {describe_operation(operation)}" for operation in operations)


def _tell_history(operations: list[Operation]) -> str:
    clients = len({operation.client for operation in operations})
    return f"{len(operations)} operations of {clients} clients. When each of them took effect, nobody has seen."


def _tell_way(operations: list[Operation], timeline: Timeline, way: Configuration, reached: Reached) -> str:
    said = "Each is taken when it returns"
    if way[3] is not None:
        returning, first = operations[timeline.returns[way[0]]], operations[way[3][0]]
        said = f"Go back to where {_list([returning])} returns, and put {_list([first])} in front"
    if reached.position == len(timeline.returns):
        return f"{said}. That leads to the end: all are in order, and the history is linearizable."
    culprit = operations[timeline.returns[reached.position]]
    return f"{said}. That leads to {_list([culprit])}, in state {reached.state!r}: it cannot be taken here."


def _check(
    operations: list[Operation], timeline: Timeline, model: Model, order: list[int], position: int
) -> dict[str, bool]:
    placed = [operations[number] for number in order]
    returned = set(timeline.returns[:position])
    rest = [operation for number, operation in enumerate(operations) if number in returned or number in set(order)]
    return {
        "what is in order is right, one after another, and in time": proves(placed, rest, model),
        "all that has returned is in order": returned <= set(order),
    }


def _check_part(operations: list[Operation], model: Model, part: OffendingPart) -> dict[str, bool]:
    end = part.culprit.response or 0.0
    rest = [
        operation if operation.response is None or operation.response < end else operation._replace(response=None)
        for operation in operations
        if operation.call <= end and operation is not part.culprit
    ]
    return {
        "these alone, or with those that may have happened, have no order": not any(
            check_linearizable([*part.operations, *chosen], _From(model, state)).linearizable
            for state in part.states
            for count in range(len(part.helpers) + 1)
            for chosen in combinations(part.helpers, count)
        ),
        f"what was answered before {_list([part.culprit])} is linearizable": bool(check_linearizable(rest, model)),
    }


class _From(Model):
    """A model that begins in another state."""

    def __init__(self, model: Model, state: Any) -> None:
        self.initial, self.step, self.only_observes = state, model.step, model.only_observes  # type: ignore[method-assign]
