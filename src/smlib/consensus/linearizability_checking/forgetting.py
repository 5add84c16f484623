"""To forget operations: the window before a dead end, and what is left when all is forgotten that can be.

An operation that is forgotten may have happened or not: it is *optional* in the search, and if it is put in order, it
keeps its time and its answer. `offending` says why that is right where deleting is wrong.

A window begins at the call of some operation. What was called earlier and answered by then is replaced by the states in
which it can have left the object; what was under way at that moment is forgotten::

    before the window        |  the window                       culprit
    |- write 1 -|            |     |- write 3 -|
        |- write 2 -|        |                    |- read: 1 -|       kept: write 3, read
                      |- write 4 -|                                   forgotten: write 4
    states: 0, 1, 2          |

Invariants:
  1. Each state that an order of the earlier operations can lead to is among ``states``, and so are older ones.
  2. What is kept was called and answered within the window, up to the answer of the culprit.

Cost: as in `offending`.

Zeller & Hildebrandt, "Simplifying and isolating failure-inducing input", *IEEE Transactions on Software Engineering* 28
(2002).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from smlib.consensus.linearizability_checking.models import Model
from smlib.consensus.linearizability_checking.operations import Operation
from smlib.consensus.linearizability_checking.search import Found, find_order
from smlib.consensus.linearizability_checking.timeline import Timeline, lay_out

# A search within a window gives up after so many configurations, and so many more for each state to begin in; and after
# so many searches no more is forgotten.
LIMIT, LIMIT_A_STATE, SEARCHES = 1000, 4, 100


class Window(NamedTuple):
    """The last operations before a dead end.

    Attributes
    ----------
    operations : sequence of Operation
        All of the object.
    observers : list of bool
        Which of them only observe.
    numbers : list of int
        Those of the window.
    kept : list of int
        Those that are not forgotten.
    states : list of hashable
        In which the object may be before them.
    """

    operations: Sequence[Operation]
    observers: list[bool]
    numbers: list[int]
    kept: list[int]
    states: list[Any]


def find_window(
    operations: Sequence[Operation],
    model: Model,
    timeline: Timeline,
    seen: Iterable[tuple[int, int, Any]],
    culprit: int,
) -> Window:
    """Return the smallest window that offends, up to a factor of two: at last the one that has everything."""
    end = timeline.ends[culprit]
    history = [number for number, operation in enumerate(operations) if operation.call <= end]
    answered = [number for number in history if timeline.ends[number] <= end]
    cuts = sorted({min(operations[number].call, operations[culprit].call) for number in answered}, reverse=True)
    arrivals = find_arrivals(model, timeline, seen)
    size = 1
    while size < len(cuts):
        cut = cuts[size - 1]
        numbers = [number for number in history if timeline.ends[number] >= cut]
        kept = [number for number in answered if operations[number].call >= cut]
        passed = bisect_left(timeline.returns, cut, key=timeline.ends.__getitem__)
        states = {model.initial: None} | {state: None for state, position in arrivals.items() if position < passed}
        window = Window(operations, timeline.observers, numbers, kept, list(states))
        if offends(window, kept, model):
            return window
        size *= 2
    return Window(operations, timeline.observers, history, answered, [model.initial])


def find_arrivals(model: Model, timeline: Timeline, seen: Iterable[tuple[int, int, Any]]) -> dict[Any, int]:
    """Return for each state the number of the first return at which the search has left it or come to it."""
    always_taken: dict[tuple[int, Any], int] = {}
    for position, taken, state in seen:
        always_taken[position, state] = taken & always_taken.get((position, state), taken)
    arrivals: dict[Any, int] = {}
    for position, state in sorted(always_taken, key=itemgetter(0)):
        arrivals.setdefault(state, position)
        for number in (*timeline.pending[position], *timeline.endless_by(position)):
            if not (timeline.observers[number] or always_taken[position, state] & timeline.bits[number]):
                allowed, after = model.step(state, timeline.inputs[number], timeline.outputs[number])
                if allowed or timeline.ends[number] == math.inf:
                    arrivals.setdefault(after, position)
    return arrivals


def search_window(window: Window, kept: Collection[int], model: Model) -> Found:
    """Look for an order of the operations that are kept, with any of the others, from any of the states."""
    # Who only observes makes nobody right: where it may be left out, it is.
    kept = set(kept)
    numbers = [number for number in window.numbers if number in kept or not window.observers[number]]
    optional = {place for place, number in enumerate(numbers) if number not in kept}
    timeline = lay_out([window.operations[number] for number in numbers], model, optional)
    found = find_order(timeline, model, LIMIT + LIMIT_A_STATE * len(window.states), window.states)
    if found.order is None:
        return found
    return found._replace(order=[numbers[place] for place in found.order])


def offends(window: Window, kept: Collection[int], model: Model) -> bool:
    """Return whether there is certainly no order of the operations that are kept."""
    found = search_window(window, kept, model)
    return found.order is None and not found.exhausted


def forget(window: Window, model: Model) -> list[int]:
    """Forget operations, half of them at once and ever fewer, as long as the rest offends; return the rest."""
    kept, searches = window.kept, 0
    size = (len(kept) + 1) // 2
    while size:
        begin = 0
        while begin < len(kept) and searches < SEARCHES:
            rest = kept[:begin] + kept[begin + size :]
            searches += 1
            if offends(window, rest, model):
                kept = rest
            else:
                begin += size
        size //= 2
    return kept
