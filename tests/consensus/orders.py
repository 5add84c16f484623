"""What the tests of consistency compare with: objects of their own, and all orders, one after another."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain, combinations, permutations
from typing import Any

Recorded = tuple[Any, float, float | None, tuple[Any, ...], Any]
Answer = Callable[[Any, tuple[Any, ...]], tuple[Any, Any]]


def answer_register(state: Any, asked: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return what a register answers, and its state then."""
    if asked[0] == "read":
        return state, state
    if asked[0] == "write":
        return None, asked[1]
    return state == asked[1], asked[2] if state == asked[1] else state


def answer_key(state: Any, asked: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return what one key of a store answers, and its state then."""
    function, _, *arguments = asked
    if function == "append":
        return None, (state or "") + arguments[0]
    return answer_register(state, ({"get": "read", "put": "write", "cas": "cas"}[function], *arguments))


def answer_queue(state: Any, asked: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return what a queue answers, and its state then."""
    queue = state or ()
    if asked[0] == "add":
        return None, (*queue, asked[1])
    return (queue[0], queue[1:]) if queue else (None, queue)


def has_order(history: Sequence[Recorded], answer: Answer, *, sequential: bool = False, initial: Any = None) -> bool:
    """Return whether any order of all that was answered, and of some of the rest, is right."""
    return any(True for _ in find_orders(history, answer, sequential, initial))


def find_orders(history: Sequence[Recorded], answer: Answer, sequential: bool, initial: Any) -> Iterator[list[int]]:
    """Yield all right orders, as numbers of operations."""
    answered = [number for number, operation in enumerate(history) if operation[2] is not None]
    others = [number for number, operation in enumerate(history) if operation[2] is None]
    for chosen in chain.from_iterable(combinations(others, size) for size in range(len(others) + 1)):
        for order in permutations([*answered, *chosen]):
            if keeps_time(history, order, sequential) and is_right([history[k] for k in order], answer, initial):
                yield list(order)


def keeps_time(history: Sequence[Recorded], order: Sequence[int], sequential: bool) -> bool:
    """Return whether no operation stands before one that must come before it."""
    for place, number in enumerate(order):
        client, call, response, _, _ = history[number]
        for other in order[:place]:
            before, begun = history[other][0], history[other][1]
            if response is None:
                continue
            if (client == before and (call, number) < (begun, other)) if sequential else response < begun:
                return False
    return True


def is_right(operations: Iterable[Recorded], answer: Answer, initial: Any) -> bool:
    """Return whether each answer is the right one."""
    states: dict[Hashable, Any] = {}
    for _, _, response, asked, told in operations:
        key = asked[1] if asked[0] in ("get", "put", "append") else None
        wanted, states[key] = answer(states.get(key, initial), asked)
        if response is not None and wanted != told and asked[0] in ("read", "get", "cas", "take"):
            return False
    return True
