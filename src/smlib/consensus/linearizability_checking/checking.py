"""Is a history linearizable? Each object by itself, and those that are soon settled first.

Herlihy & Wing have proved that a history is linearizable if, and only if, the part of it that belongs to each object
is. So a thousand operations on a hundred keys are a hundred small questions and not a large one, and one "no" is
enough. If a key is hard, another one may be easy: each is searched a little, then those that are not settled yet are
searched eight times as long, and so on::

    limit      a      b      c      d
    10,000     yes    ?      yes    ?
    80,000            ?             no      the history is not linearizable, whatever b is

Invariants:
  1. Yes: every key has an order, and each order has been proved.
  2. No: some key was searched to the end and has none.
  3. The answer and ``examined`` depend on the history, the model and the budget only.

Cost: O(n log n) and the searches; what is searched in vain before the last limit is at most a seventh of it, for a key.

Herlihy & Wing, "Linearizability", *ACM TOPLAS* 12 (1990), section 3.1; Horn & Kroening, "Faster linearizability
checking via P-compositionality", *FORTE* (2015).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from typing import SupportsIndex

from smlib._core.validate import as_count
from smlib.consensus.linearizability_checking.models import Model
from smlib.consensus.linearizability_checking.offending import OffendingPart, find_offending_part
from smlib.consensus.linearizability_checking.operations import (
    Operation,
    check_history,
    part_by_key,
    told_if_unhashable,
)
from smlib.consensus.linearizability_checking.search import find_order
from smlib.consensus.linearizability_checking.timeline import Timeline, lay_out
from smlib.consensus.linearizability_checking.verdict import Verdict, proves
from smlib.errors import InputError

# Each key is searched so far at first, and so many times as far each time after.
FIRST_LIMIT, GROWTH = 10_000, 8


def check_linearizable(history: Iterable[Operation], model: Model, *, budget: SupportsIndex | None = None) -> Verdict:
    """Say whether the operations of a history can each have taken effect at one moment between call and response.

    Parameters
    ----------
    history : iterable of Operation
        In any order. Operations of one client may overlap.
    model : Model
        What the objects do when one operation comes after another: `Register`, `CompareAndSetRegister`, `KeyValue`, or
        a class of your own that derives from `Model`.
    budget : int, optional
        The most configurations that may be examined, all keys together; each takes some hundred bytes and a
        microsecond or ten. Without it the search ends when it ends, which may be never.

    Returns
    -------
    Verdict
        Yes with an order, no with the smallest part that offends, or unknown. It is true only if the answer is yes.

    Raises
    ------
    InputError
        An entry is no operation, its times cannot be, or the model cannot do what was asked.

    Notes
    -----
    Complexity: O(n log n) where few operations overlap; exponential in how many do in the worst case, as for any
    algorithm that is known (the problem is NP-complete).

    References
    ----------
    Herlihy & Wing, "Linearizability: a correctness condition for concurrent objects", *ACM TOPLAS* 12 (1990); Lowe,
    "Testing for linearizability", *Concurrency and Computation: Practice and Experience* 29 (2017).

    Examples
    --------
    >>> history = [
    ...     Operation("a", 0, 1, ("write", 1), None),
    ...     Operation("b", 2, 4, ("write", 2), None),
    ...     Operation("c", 3, 5, ("read",), 1),
    ... ]
    >>> from smlib.consensus import Register
    >>> print(check_linearizable(history, Register()))
    linearizable: 3 operations in one order
    a  |---|                  write 1
    c              |-------|  read: 1
    b          |-------|      write 2

    The read goes before the second write. Had it been called after that write returned, it could not:

    >>> history[2] = Operation("c", 5, 6, ("read",), 1)
    >>> print(check_linearizable(history, Register()))
    not linearizable: 2 of 3 operations cannot be put in order, whatever the others did
    a  |---|                  write 1   (earlier)
    b          |---|          write 2
    c                  |---|  read: 1
    before them the state was one of None, 1
    """
    operations = check_history(history)
    limit = math.inf if budget is None else as_count(budget, "budget")
    parts = part_by_key(operations, model)
    with told_if_unhashable(operations, model):
        return _check_parts(parts, model, limit)


def _check_parts(parts: dict[Hashable, list[Operation]], model: Model, budget: float) -> Verdict:
    open_parts = dict(parts)
    timelines: dict[Hashable, Timeline] = {}
    orders: dict[Hashable, tuple[Operation, ...]] = {}
    examined, limit = 0, FIRST_LIMIT if len(parts) > 1 else math.inf
    while open_parts:
        for key, part in list(open_parts.items()):
            timeline = timelines[key] = timelines.get(key) or lay_out(part, model)
            found = find_order(timeline, model, min(limit, budget - examined), [model.initial])
            examined += len(found.seen)
            if found.order is not None:
                orders[key] = tuple(part[number] for number in found.order)
                if not proves(orders[key], part, model):
                    raise InputError(f"{model!r} answers differently when it is asked again; a model must not")
                del open_parts[key], timelines[key]
            elif not found.exhausted:
                offending = find_offending_part(part, key, model, timeline, found)
                return Verdict(False, True, _say_no(offending, part), examined, part=offending)
            elif examined >= budget:
                message = f"unknown: {examined:,} configurations were examined, and that is the budget"
                return Verdict(None, False, f"{message}; {len(orders)} of {len(parts)} keys are settled", examined)
        limit *= GROWTH
    count = sum(map(len, orders.values()))
    return Verdict(True, True, f"linearizable: {count:,} operations in one order", examined, orders)


def _say_no(offending: OffendingPart, part: Sequence[Operation]) -> str:
    count, where = len(offending.operations), "" if offending.key is None else f" on key {offending.key!r}"
    said = "has no place in any order" if count == 1 else "cannot be put in order"
    return f"not linearizable: {count} of {len(part):,} operations{where} {said}, whatever the others did"
