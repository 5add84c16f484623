"""The smallest part of a history that offends: a few operations which no order can hold, whatever the others did.

The problem. "No" is no help where there are a thousand operations. Which of them contradict each other? To delete
operations until it would no longer be "no" is not the way: delete the write, and the read of its value becomes absurd
for a reason that was never there.

The idea. Do not delete an operation, *forget* it: leave open whether it happened at all. If it did, then at a moment
between its call and its response. That makes more orders possible and none impossible. So if the operations that are
not forgotten still offend, they do so in the whole history, and what is smallest is well defined: forget any one more,
and there is an order.

Begin with the return that no configuration got past; what was called later has no part in it. Look at the last
operations before it only, and let the object begin in any of the states that the search has met until then; where these
offend not, take twice as many. Then forget half of them, a quarter, ..., one after another, as long as the rest
offends::

    write 1   |---|                                write 1 is earlier: the state may be 0 or 1 then
    write 2           |---|                        kept: if it may not have happened, there is an order
    write 3                  |-----------|         forgotten: it may have happened or not
    read: 1                         |---|          kept

Invariants:
  1. From none of ``states`` there is an order of ``operations``, whichever of ``others`` are put between them.
  2. If any one of ``operations`` is forgotten too, there is one (or it was not found within the limits).
  3. The time of each of ``others`` is kept: it stands between its call and its response, or nowhere.

Cost: O(log n) searches to find the window, O(k log n) to forget all but k, up to ``SEARCHES``; each of a bounded number
of configurations.

Zeller & Hildebrandt, "Simplifying and isolating failure-inducing input", *IEEE Transactions on Software Engineering* 28
(2002); Lowe, "Testing for linearizability" (2017), section 2.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from smlib.consensus.linearizability_checking.drawing import draw_operations, shorten
from smlib.consensus.linearizability_checking.forgetting import Window, find_window, forget, search_window
from smlib.consensus.linearizability_checking.models import Model
from smlib.consensus.linearizability_checking.operations import Operation
from smlib.consensus.linearizability_checking.search import Found, list_order
from smlib.consensus.linearizability_checking.timeline import Timeline

# So many states are named; and a part of up to so many operations is drawn with those that would help it.
NAMED, HELPED = 6, 12


class OffendingPart(NamedTuple):
    """A part of a history for which there is no order.

    Attributes
    ----------
    key : hashable
        Of the object.
    operations : tuple of Operation
        Those that contradict each other, in the order of their calls.
    states : tuple of hashable
        In which the object may have been before them.
    others : tuple of Operation
        Operations that overlap with these, or lie between them, and may have happened or not.
    helpers : tuple of Operation
        Those of the others that would take part in an order if one of ``operations`` were forgotten.
    origin : Operation or None
        An earlier operation that would explain the culprit.
    prefix : tuple of Operation
        An order in which one comes as far as one can.
    """

    key: Hashable
    operations: tuple[Operation, ...]
    states: tuple[Any, ...]
    others: tuple[Operation, ...]
    helpers: tuple[Operation, ...]
    origin: Operation | None
    prefix: tuple[Operation, ...]

    @property
    def culprit(self) -> Operation:
        """The one of ``operations`` that was answered last: what was answered before is linearizable."""
        return max(self.operations, key=lambda operation: operation.response or 0.0)

    def draw(self) -> list[str]:
        """Return the part as bars on an axis of time."""
        notes = dict.fromkeys(self.helpers, "it may have happened or not")
        if self.origin:
            notes[self.origin] = "earlier"
        drawn = sorted({*self.operations, *notes}, key=lambda operation: operation.call)
        lines = draw_operations(drawn, [notes.get(operation, "") for operation in drawn])
        named = ", ".join(shorten(repr(state)) for state in self.states[:NAMED])
        named += ", ..." if len(self.states) > NAMED else ""
        return [*lines, f"before them the state was {'one of ' if len(self.states) > 1 else ''}{named}"]


def find_offending_part(
    operations: Sequence[Operation], key: Hashable, model: Model, timeline: Timeline, found: Found
) -> OffendingPart:
    """Find the smallest part of an object's history that offends.

    Parameters
    ----------
    operations : sequence of Operation
        For which there is no order.
    key : hashable
        Of the object.
    model : Model
    timeline : Timeline
        The operations laid out.
    found : Found
        What the search has left, which ended without an order.
    """
    culprit = timeline.returns[found.furthest.position]
    window = find_window(operations, model, timeline, found.seen, culprit)
    kept = forget(window, model)
    helpers: set[int] = set()
    for number in kept if len(kept) <= HELPED else ():
        helpers.update(search_window(window, [other for other in kept if other != number], model).order or ())
    earlier = tuple(operations[number] for number in list_order(found.furthest.order))
    origin = find_origin(earlier, operations[culprit], model)
    remaining = pick(window, kept)
    return OffendingPart(
        key,
        remaining,
        tuple(window.states),
        pick(window, set(window.numbers) - set(kept)),
        pick(window, helpers - set(kept)),
        None if origin in remaining else origin,
        earlier,
    )


def pick(window: Window, numbers: Iterable[int]) -> tuple[Operation, ...]:
    """Return some of the operations, in the order of their calls."""
    return tuple(sorted((window.operations[number] for number in numbers), key=lambda operation: operation.call))


def find_origin(order: Sequence[Operation], culprit: Operation, model: Model) -> Operation | None:
    """Return the last operation of an order that made the culprit's answer right, if it is not so at the end."""
    state, origin = model.initial, None
    right = model.step(state, culprit.input, culprit.output)[0]
    for operation in order:
        state = model.step(state, operation.input, operation.output)[1]
        before, right = right, model.step(state, culprit.input, culprit.output)[0]
        if right and not before:
            origin = operation
    return None if right else origin
