"""Cases of linearizability checking: stores that work, and one that now and then answers from a replica that lags."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, permutations
from typing import Any

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.consensus import KeyValue, Operation, Verdict, check_linearizable
from smlib.consensus.linearizability_checking.drawing import describe_operation

CLIENTS = 8
# An operation takes up to so long, and a client rests up to so long before the next one.
LONGEST, REST = 40.0, 5.0


def record(size: int, keys: int) -> list[Operation]:
    """Return what clients of a store that works have seen: each operation takes effect at some moment of its time."""
    dice = random.Random(size)
    clocks = [0.0] * CLIENTS
    planned = []
    for number in range(size):
        client = clocks.index(min(clocks))
        call = clocks[client] + dice.uniform(0.0, REST)
        clocks[client] = response = call + dice.uniform(REST, LONGEST)
        key = f"key {dice.randrange(keys)}"
        asked = ("get", key) if dice.random() < 0.5 else ("put", key, number)
        planned.append((dice.uniform(call, response), Operation(client, call, response, asked, None)))
    values: dict[str, int] = {}
    history = []
    for _, operation in sorted(planned, key=lambda pair: pair[0]):
        asked = operation.input
        if len(asked) == 2:
            operation = operation._replace(output=values.get(asked[1]))
        else:
            values[asked[1]] = asked[2]
        history.append(operation)
    return sorted(history, key=lambda operation: operation.call)


def record_many(size: int) -> list[Operation]:
    """Return operations on a hundred keys."""
    return record(size, 100)


def record_one(size: int) -> list[Operation]:
    """Return operations on one key."""
    return record(size, 1)


def record_stale(size: int) -> list[Operation]:
    """Return operations on ten keys of which one, in the last third, reads what was overwritten long ago."""
    history = record(size, 10)
    puts = [operation for operation in history if len(operation.input) == 3]
    for place in range(2 * size // 3, size):
        call, asked = history[place].call, history[place].input
        older = [put for put in puts if put.input[1] == asked[1] and (put.response or 0.0) + 3 * LONGEST < call]
        if len(asked) == 2 and len(older) >= 2:
            history[place] = history[place]._replace(output=older[-2].input[2])
            break
    return history


def _check(history: Sequence[Operation]) -> Verdict:
    return check_linearizable(history, KeyValue())


# The peer: the algorithm of the papers, on a linked list of calls and returns.


def search_as_published(history: Sequence[Operation], remember: bool) -> bool:
    """Take key after key; search as Wing & Gong do, with Lowe's memory or without."""
    parts: dict[Any, list[Operation]] = {}
    for operation in history:
        parts.setdefault(operation.input[1], []).append(operation)
    return all(_search_key(part, remember) for part in parts.values())


def _search_key(part: Sequence[Operation], remember: bool) -> bool:
    step = KeyValue().step
    events = sorted(
        [(operation.call, 0, number) for number, operation in enumerate(part)]
        + [(operation.response or 0.0, 1, number) for number, operation in enumerate(part)]
    )
    # Events are numbered from 1; 0 is the head of the list.
    after, before = [*range(1, len(events) + 1), 0], [0, *range(len(events))]
    returns = {number: place for place, (_, kind, number) in enumerate(events, 1) if kind}
    state: Any = None
    taken, place = 0, after[0]
    seen: set[tuple[int, Any]] = set()
    chosen: list[tuple[int, Any]] = []
    while after[0]:
        _, kind, number = events[place - 1]
        if place and not kind:
            allowed, new = step(state, part[number].input, part[number].output)
            there = taken | 1 << number, new
            if allowed and not (remember and there in seen):
                if remember:
                    seen.add(there)
                chosen.append((place, state))
                taken, state = there
                for gone in (place, returns[number]):
                    after[before[gone]], before[after[gone]] = after[gone], before[gone]
                place = after[0]
            else:
                place = after[place]
        elif not chosen:
            return False
        else:
            place, state = chosen.pop()
            number = events[place - 1][2]
            taken ^= 1 << number
            for back in (returns[number], place):
                after[before[back]] = before[after[back]] = back
            place = after[place]
    return True


def _remembering(history: Sequence[Operation]) -> bool:
    return search_as_published(history, remember=True)


def _forgetting(history: Sequence[Operation]) -> bool:
    return search_as_published(history, remember=False)


PUBLISHED = Peer("Wing & Gong with Lowe's memory, as published", "builtins", _remembering)


def _same_answer(_: Sequence[Operation], ours: Verdict, theirs: bool) -> Agreement:
    said = {True: "linearizable", False: "not linearizable", None: "unknown"}
    return Agreement(ours.linearizable is theirs, f"both say: {said[theirs]}")


def _tell(_: Sequence[Operation], verdict: Verdict) -> Sequence[str]:
    return str(verdict).splitlines()


def _prove(history: Sequence[Operation], verdict: Verdict) -> Mapping[str, bool]:
    part = verdict.part
    if part is None:
        return {"the order respects time and the model": verdict.verify(history, KeyValue())}
    rest = [operation for operation in history if operation is not part.culprit]
    without = _check(rest)
    return {
        f"no order of the {len(part.operations)} operations is right from any state before them, with what may have "
        "happened or without": not any(
            _is_right(order, state)
            for count in range(len(part.helpers) + 1)
            for helpers in combinations(part.helpers, count)
            for order in permutations([*part.operations, *helpers])
            for state in part.states
        ),
        f"without the last one ({describe_operation(part.culprit)}) the {len(rest):,} others are linearizable, and "
        "their order, carried out once, gives every answer": without.verify(rest, KeyValue()),
    }


def _is_right(order: Sequence[Operation], state: Any) -> bool:
    latest, step = float("-inf"), KeyValue().step
    for operation in order:
        latest = max(latest, operation.call)
        allowed, state = step(state, operation.input, operation.output)
        if not allowed or latest > (operation.response or 0.0):
            return False
    return True


def _case(name: str, sizes: tuple[int, int, int], setup: Callable[[int], Any], *others: Peer, note: str = "") -> Case:
    return Case(
        "linearizability_checking", name, "operations", sizes, setup, _check, (PUBLISHED, *others), _same_answer, note
    )


NOTE = (
    "There is no checker to install with pip; the peer is the algorithm of the papers, written out in Python, on the "
    "same model and key by key. Where few operations of a key overlap there is little to search, and ours is slower by "
    "what it costs to prove the history's times before and the order after it."
)

CASES = (
    _case(
        "8 clients on 100 keys, linearizable",
        (100, 1_000, 10_000),
        record_many,
        Peer("Wing & Gong without memory, as published", "builtins", _forgetting),
        note=NOTE,
    ),
    _case(
        "8 clients on one key, linearizable",
        (100, 1_000, 10_000),
        record_one,
        note="With one key all that is under way competes. The published search keeps the set of all operations in "
        "order as one large number, ours only those that are under way.",
    ),
    Case(
        "linearizability_checking",
        "8 clients on 10 keys, with one stale read",
        "operations",
        (100, 1_000, 10_000),
        record_stale,
        _check,
        (PUBLISHED,),
        _same_answer,
        note="Ours also looks for the smallest part that offends; the peer stops at no.",
        story=Story(
            "Among a thousand operations on a store, one read was answered by a replica that lags. Which?",
            1_000,
            "operations of 8 clients on 10 keys, made by a generator with a seed",
            _tell,
            _prove,
        ),
    ),
)
