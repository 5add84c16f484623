"""Operations, and what a history of them must be like.

An operation is what a client saw: when it called, when the answer came, what it asked and what it was told. Nobody saw
when the operation *took effect*, and that is the whole question::

    client 1   |--- write 1 ---|            call 0, response 4
    client 2          |--- read: 1 ---|     call 2, response 6
               0      2        4      6     the write took effect before the read: possible

Of two operations the first is *before* the second if its response came strictly before the second's call; otherwise
they overlap, and either may have taken effect first. Some answers never come. Then the response is None: the operation
may have taken effect at any time after its call, or it may do so never.

Invariants:
  1. Each call is a number, and each response is None or a number that is not less than the call.
  2. Whether an operation is before another depends on nothing but the order of calls and responses.

Cost: O(n) to prove a history, and to part it by key.

Herlihy & Wing, "Linearizability: a correctness condition for concurrent objects", *ACM TOPLAS* 12 (1990), section 2.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from smlib.consensus.linearizability_checking.models import Model
from smlib.errors import InputError


class Operation(NamedTuple):
    """One operation as its client saw it.

    Attributes
    ----------
    client : hashable
        Who called. `check_sequential` needs to know, and pictures show it; for linearizability it does not count.
    call : float
        When the operation was called, in any unit.
    response : float or None
        When the answer came, not before the call; None (or infinity) if it is not known whether the operation took
        effect: a timeout, a lost connection, a client that crashed. It may then have done so at any time after its
        call, or it may never do so.
    input : hashable
        What was asked, as the model wants it: ``("write", 3)``.
    output : hashable
        What was answered. It does not count where the response is None.

    Examples
    --------
    >>> Operation("a", 0.0, 1.5, ("write", 3), None).input
    ('write', 3)
    """

    client: Hashable
    call: float
    response: float | None
    input: Any
    output: Any


def check_history(history: Iterable[Operation]) -> Sequence[Operation]:
    """Return a history as a sequence; raise InputError if an entry is no operation or its times cannot be."""
    operations = history if isinstance(history, list | tuple) else list(history)
    try:
        for number, (_, call, response, _, _) in enumerate(operations):
            if response is None:
                if not -math.inf < call < math.inf:
                    raise InputError(f"operation {number} was called at {call}; the call must be a finite number")
            elif not -math.inf < call <= response:
                raise InputError(
                    f"operation {number} was called at {call} and answered at {response}; the call must be a finite "
                    "number, and the response None or a number that is not less"
                )
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(_find_fault(operations)) from error
    return operations


def _find_fault(operations: Sequence[Any]) -> str:
    for number, operation in enumerate(operations):
        if not isinstance(operation, tuple) or len(operation) != len(Operation._fields):
            return f"entry {number} of the history is {operation!r}; it must be an {Operation.__name__}"
        times = [operation[1], *([] if operation[2] is None else [operation[2]])]
        if not all(isinstance(time, int | float) for time in times):
            return f"operation {number} has the times {operation[1]!r} and {operation[2]!r}; they must be numbers"
    return "the history must be a sequence of operations"


def part_by_key(operations: Sequence[Operation], model: Model) -> dict[Hashable, list[Operation]]:
    """Return the operations of each object, in the order of the history."""
    parts: defaultdict[Hashable, list[Operation]] = defaultdict(list)
    key = model.key
    for operation in operations:
        parts[key(operation[3])].append(operation)
    return dict(parts)


@contextmanager
def told_if_unhashable(operations: Sequence[Operation], model: Model) -> Iterator[None]:
    """Turn the TypeError of something that cannot be hashed into one that names it."""
    try:
        yield
    except TypeError as error:
        fault = find_unhashable(operations, model)
        if fault is None:
            raise
        raise fault from error


def find_unhashable(operations: Sequence[Operation], model: Model) -> InputError | None:
    """Return what to say of a history or a model of which something cannot be hashed; None if all can."""
    state: Any = model.initial
    for number, operation in enumerate(operations):
        for name in ("input", "output"):
            if not _is_hashable(getattr(operation, name)):
                wrong = f"the {name} of operation {number} is {getattr(operation, name)!r}"
                return InputError(f"{wrong}, which cannot be hashed; use tuples in place of lists")
        state = model.step(state, operation.input, operation.output)[1]
        if not _is_hashable(state):
            return InputError(
                f"{model!r} has the state {state!r}, which cannot be hashed; use tuples in place of lists"
            )
    return None


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
