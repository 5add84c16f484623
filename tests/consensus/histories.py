"""Histories for the tests of consistency: of objects that work, and of some that nearly do."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from smlib.consensus import Operation
from tests.consensus.orders import Answer, Recorded

VALUES = st.integers(0, 2)
REGISTER_INPUTS = st.one_of(
    st.just(("read",)), st.tuples(st.just("write"), VALUES), st.tuples(st.just("cas"), VALUES, VALUES)
)
KEYS = st.sampled_from("xy")
STORE_INPUTS = st.one_of(
    st.tuples(st.just("get"), KEYS),
    st.tuples(st.just("put"), KEYS, st.sampled_from("ab")),
    st.tuples(st.just("append"), KEYS, st.sampled_from("ab")),
)


QUEUE_INPUTS = st.one_of(st.tuples(st.just("add"), st.sampled_from("ab")), st.just(("take",)))
WRONG = {
    "read": VALUES,
    "get": st.sampled_from(["a", "ab"]),
    "cas": st.booleans(),
    "take": st.sampled_from(["a", "b", None]),
}


@st.composite
def histories(draw: st.DrawFn, inputs: Any, answer: Any, most: int) -> list[Recorded]:
    """Draw what clients see of an object that works or nearly does: times are few, so that many are equal."""
    clocks = [0, 0, 0]
    planned: list[tuple[int, int, int, int | None, Any]] = []
    for _ in range(draw(st.integers(1, most))):
        client = draw(st.integers(0, 2))
        call = clocks[client] + draw(st.integers(0, 3))
        end = call + draw(st.integers(0, 6))
        clocks[client] = end + 1
        moment = draw(st.integers(call, end))
        planned.append((moment, client, call, end if draw(st.integers(0, 4)) else None, draw(inputs)))
    states: dict[Any, Any] = {}
    history: list[Recorded] = []
    for _, client, call, response, asked in sorted(planned, key=lambda entry: entry[0]):
        key = asked[1] if asked[0] in ("get", "put", "append") else None
        told, states[key] = answer(states.get(key), asked)
        if draw(st.integers(0, 7)) == 0 and asked[0] in WRONG:
            told = draw(WRONG[asked[0]])
        history.append((client, call, response, asked, told))
    return history


def as_operations(history: list[Recorded]) -> list[Operation]:
    return [Operation(*recorded) for recorded in history]


def record(
    seed: int,
    count: int,
    clients: int,
    choose: Callable[[random.Random], tuple[Any, ...]],
    answer: Answer,
    *,
    lost: float = 0.0,
    initial: Any = None,
) -> list[Recorded]:
    """Return what clients see of objects that work: each operation takes effect at a moment between call and response.

    Some answers are lost; half of these operations take no effect.
    """
    dice = random.Random(seed)
    free = [(dice.random(), client) for client in range(clients)]
    planned = []
    for _ in range(count):
        free.sort()
        ready, client = free[0]
        call = ready + dice.random()
        response = call + dice.expovariate(0.4)
        gone = dice.random() < lost
        free[0] = (response, client) if not gone else (call + 1.0, client + clients)
        moment = dice.uniform(call, response if not gone else call + 20.0)
        planned.append((moment, client, call, None if gone else response, choose(dice)))
    states: dict[Any, Any] = {}
    history: list[Recorded] = []
    for _, client, call, end, asked in sorted(planned, key=lambda entry: entry[0]):
        if end is None and dice.random() < 0.5:
            history.append((client, call, None, asked, None))
            continue
        key = asked[1] if asked[0] in ("get", "put", "append") else None
        told, states[key] = answer(states.get(key, initial), asked)
        history.append((client, call, end, asked, told if end is not None else None))
    return sorted(history, key=lambda entry: entry[1])
