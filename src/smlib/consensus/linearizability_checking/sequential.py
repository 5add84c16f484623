"""Sequential consistency: an order that every client would agree with, whatever the clocks say.

Linearizability asks for an order that respects time. Sequential consistency, the older and weaker promise, asks for one
in which the operations of each client stand as that client has called them; between clients time does not count. A read
may be stale, if all that its client sees is stale alike::

    a   |- write 1 -|
    b                   |- read: nothing -|       not linearizable, but sequentially consistent: read, write 1

Only linearizability is *local*. Here each key may be in order by itself, and the whole not: two clients write to one
key each, and then read the other's key and find nothing. For each key alone the read goes before the write. Together
the first read would have to be before the second write, which is before the second read, which has to be before the
first write, which is before the first read.

So all keys are searched as one, and a configuration says how far each client has come, and the states of all objects.
What only observes and is allowed goes at once, as in `search`; otherwise the clients are tried in the order of their
calls. An operation without a response may happen at any time after what its client did before it, or never.

Invariants:
  1. The order found has each client's operations in the order of their calls, and the model allows each answer.
  2. What is linearizable is sequentially consistent.

Cost: n operations of c clients have up to ``(n / c)^c`` configurations with as many states; the problem is NP-complete.

Lamport, "How to make a multiprocessor computer that correctly executes multiprocess programs", *IEEE Transactions on
Computers* C-28 (1979); Attiya & Welch, "Sequential consistency versus linearizability", *ACM TOCS* 12 (1994).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, SupportsIndex

from smlib._core.results import Result
from smlib._core.validate import as_count
from smlib.consensus.linearizability_checking.models import Model
from smlib.consensus.linearizability_checking.operations import Operation, check_history, told_if_unhashable
from smlib.consensus.linearizability_checking.search import Order, list_order
from smlib.errors import InputError


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SequentialVerdict(Result):
    """Whether a history is sequentially consistent; true as a condition only if it is.

    Attributes
    ----------
    sequential : bool or None
        None if the budget was spent before the answer was known.
    success : bool
        Whether there is an answer.
    message : str
        The same in words.
    examined : int
        How many configurations were examined.
    order : tuple of Operation
        If the answer is yes: an order of all operations that took effect.
    """

    sequential: bool | None
    success: bool
    message: str
    examined: int
    order: tuple[Operation, ...] = ()

    def __bool__(self) -> bool:
        return self.sequential is True

    def __str__(self) -> str:
        return self.message

    def _rows(self) -> list[tuple[str, str]]:
        return [("sequential", str(self.sequential)), ("message", self.message), ("examined", f"{self.examined:,}")]


class Programs(NamedTuple):
    """What each client did, in order; operations are numbers, as they stand in the history.

    Attributes
    ----------
    operations : sequence of Operation
    objects : list of int
        For each operation the number of its object.
    chains : list of list of int
        For each client its operations that were answered.
    unanswered : list of tuple of int
        The others: their client, how many of its operations come before, and their own number.
    """

    operations: Sequence[Operation]
    objects: list[int]
    chains: list[list[int]]
    unanswered: list[tuple[int, int, int]]


class Progress(NamedTuple):
    """How far each client has come, which unanswered operations were taken, the states, and the order so far."""

    positions: tuple[int, ...]
    taken: frozenset[int]
    states: tuple[Any, ...]
    order: Order


def check_sequential(
    history: Iterable[Operation], model: Model, *, budget: SupportsIndex | None = None
) -> SequentialVerdict:
    """Say whether there is an order of all operations that agrees with the order in which each client called.

    Parameters
    ----------
    history : iterable of Operation
        In any order. A client calls when its last operation was answered, or has been given up; times of different
        clients are not compared.
    model : Model
        What the objects do when one operation comes after another.
    budget : int, optional
        The most configurations that may be examined.

    Returns
    -------
    SequentialVerdict
        Yes with an order, no, or unknown. It is true only if the answer is yes.

    Raises
    ------
    InputError
        A client has two operations under way at once, an entry is no operation, or the model cannot do what was asked.

    Notes
    -----
    Complexity: exponential in the number of clients in the worst case, and not helped by keys: the property is not
    local.

    References
    ----------
    Lamport, "How to make a multiprocessor computer that correctly executes multiprocess programs" (1979).

    Examples
    --------
    Each key by itself is in order, and both together are not:

    >>> from smlib.consensus import KeyValue
    >>> history = [
    ...     Operation("a", 0, 1, ("put", "x", 1), None), Operation("a", 2, 3, ("get", "y"), None),
    ...     Operation("b", 0, 1, ("put", "y", 1), None), Operation("b", 2, 3, ("get", "x"), None),
    ... ]
    >>> for key in "xy":
    ...     part = [operation for operation in history if operation.input[1] == key]
    ...     print(key, check_sequential(part, KeyValue()).sequential)
    x True
    y True
    >>> check_sequential(history, KeyValue()).sequential
    False
    """
    operations = check_history(history)
    limit = math.inf if budget is None else as_count(budget, "budget")
    with told_if_unhashable(operations, model):
        return _search(operations, model, limit)


def _search(operations: Sequence[Operation], model: Model, limit: float) -> SequentialVerdict:
    programs, count = _read_programs(operations, model)
    start = Progress((0,) * len(programs.chains), frozenset(), (model.initial,) * count, None)
    seen: set[tuple[Any, ...]] = set()
    ways: list[Iterator[Progress]] = [iter([start])]
    while ways:
        progress = next(ways[-1], None)
        if progress is None:
            ways.pop()
            continue
        progress = observe(programs, model, progress)
        if all(position == len(chain) for position, chain in zip(progress.positions, programs.chains, strict=True)):
            order = tuple(operations[number] for number in list_order(progress.order))
            message = f"sequentially consistent: {len(order):,} operations in one order"
            return SequentialVerdict(True, True, message, len(seen), order)
        if progress[:3] in seen:
            continue
        if len(seen) >= limit:
            message = f"unknown: {len(seen):,} configurations were examined, and that is the budget"
            return SequentialVerdict(None, False, message, len(seen))
        seen.add(progress[:3])
        ways.append(take_one(programs, model, progress))
    return SequentialVerdict(False, True, "not sequentially consistent: there is no order at all", len(seen))


def observe(programs: Programs, model: Model, progress: Progress) -> Progress:
    """Let each client go on as long as its next operation only observes, and is allowed."""
    positions, order = list(progress.positions), progress.order
    for client, chain in enumerate(programs.chains):
        while positions[client] < len(chain):
            number = chain[positions[client]]
            _, _, _, asked, answered = programs.operations[number]
            if not model.only_observes(asked, answered):
                break
            if not model.step(progress.states[programs.objects[number]], asked, answered)[0]:
                break
            order = number, order
            positions[client] += 1
    return Progress(tuple(positions), progress.taken, progress.states, order)


def take_one(programs: Programs, model: Model, progress: Progress) -> Iterator[Progress]:
    """Yield where one comes if one client takes one step: the earliest call first, the unanswered ones last."""
    positions, taken, states, order = progress
    nexts = [
        (chain[position], client)
        for client, (chain, position) in enumerate(zip(programs.chains, positions, strict=True))
        if position < len(chain)
    ]
    for number, client in sorted(nexts, key=lambda pair: programs.operations[pair[0]].call):
        operation, place = programs.operations[number], programs.objects[number]
        allowed, after = model.step(states[place], operation.input, operation.output)
        if allowed:
            further = (*positions[:client], positions[client] + 1, *positions[client + 1 :])
            yield Progress(further, taken, (*states[:place], after, *states[place + 1 :]), (number, order))
    for client, before, number in programs.unanswered:
        if number not in taken and positions[client] >= before:
            operation, place = programs.operations[number], programs.objects[number]
            after = model.step(states[place], operation.input, None)[1]
            if after != states[place]:
                changed = (*states[:place], after, *states[place + 1 :])
                yield Progress(positions, taken | {number}, changed, (number, order))


def _read_programs(operations: Sequence[Operation], model: Model) -> tuple[Programs, int]:
    objects: dict[Hashable, int] = {}
    numbers = [objects.setdefault(model.key(operation.input), len(objects)) for operation in operations]
    clients: defaultdict[Hashable, list[int]] = defaultdict(list)
    for number, operation in enumerate(operations):
        clients[operation.client].append(number)
    chains: list[list[int]] = []
    unanswered = []
    for client, called in clients.items():
        chain: list[int] = []
        for number in sorted(called, key=lambda number: operations[number].call):
            _, call, response, _, _ = operations[number]
            if response is None or response == math.inf:
                unanswered.append((len(chains), len(chain), number))
            elif chain and call < (operations[chain[-1]].response or 0.0):
                raise InputError(
                    f"client {client!r} called at {call}, when what it had called at {operations[chain[-1]].call} was "
                    "not answered yet; a client has one operation under way at a time: give others names of their own"
                )
            else:
                chain.append(number)
        chains.append(chain)
    return Programs(operations, numbers, chains, unanswered), len(objects)
