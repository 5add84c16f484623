"""The search: can the operations be put in an order that time and the model allow?

A *configuration* says how far one has come: which return is next, which of the operations under way have been put in
order already (*taken*), and the state that this order has led to. From a configuration the search goes on to the next
return. If the operation has been taken, nothing is to be done. If not, it must be taken now, and others that are under
way may be taken before it. An order of them that ends in a dead end is given up for the next one, and a configuration
that has been reached before is not tried again: what has led to it makes no difference for what can follow (Lowe).

By hand. ``write 1`` and ``write 2`` overlap and return in this order; then 1 is read::

    next return   taken   state           next return   taken   state
    write 1       -       0               write 1       -       0
    write 2       -       1               write 1       write 2 2       the other one goes first
    read: 1       -       2    dead end   write 2       write 2 1
                                          read: 1       -       1
                                          (end)         -       1       order: write 2, write 1, read

Four rules keep the number of configurations low, and lose no answer:
  1. *As late as possible.* An operation is taken when it returns, or in front of one that must be taken now.
  2. *What changes nothing goes at once.* If an operation that is under way is allowed and leaves the state as it is, it
     is taken: in any order that has it later it can be moved here, and nothing else notices.
  3. *Twins.* Of two operations that ask and answer the same, the one that returns first goes first: where they go the
     other way round, they can change places.
  4. *No effect in vain.* If an operation that may be left out has been taken, and the next one would be allowed without
     it and lead to the same state, this way is given up: the order without it is as good.

Invariants:
  1. What has been taken is an order that the model allows, from an initial state on.
  2. All operations that returned before the next return are in it, and none that was called after it.
  3. If there is an order, one is found; if None is returned and the limit is not reached, there is none.
  4. No configuration is examined twice.

Cost: if c operations are under way at a time and there are s states, at most ``n s 2^c`` configurations; about one for
each operation that changes something where the history is good and few overlap. The problem is NP-complete (Gibbons &
Korach 1997), so this cannot be mended, only bounded.

Wing & Gong, "Testing and verifying concurrent objects", *Journal of Parallel and Distributed Computing* 17 (1993);
Lowe, "Testing for linearizability", *Concurrency and Computation: Practice and Experience* 29 (2017); Gibbons & Korach,
"Testing shared memories", *SIAM Journal on Computing* 26 (1997).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from smlib.consensus.linearizability_checking.models import Model
from smlib.consensus.linearizability_checking.timeline import Timeline

# An order that grows at its end, and whose beginnings are shared: its last operation, and the order before that.
Order: TypeAlias = "tuple[int, Order] | None"


# Position, taken and state of all configurations that were examined.
Seen: TypeAlias = "set[tuple[int, int, Any]]"
# Position, taken and state; the order that has led there; and, if its last operation may be left out, the state before.
Configuration: TypeAlias = tuple[int, int, Any, Order, tuple[Any] | None]


class Reached(NamedTuple):
    """Where a way has ended: at the end of the history, at a dead end, where one has been before, or at the limit.

    Attributes
    ----------
    position : int
        The number of the next return.
    state : hashable
        What the order has led to.
    order : tuple or None
        All that is in order.
    exhausted : bool
        Whether the limit was reached.
    """

    position: int
    state: Any
    order: Order
    exhausted: bool


class Found(NamedTuple):
    """What a search has found.

    Attributes
    ----------
    order : list of int or None
        An order of all operations (those that may be left out perhaps without), None if none was found.
    exhausted : bool
        Whether the limit was reached; then the answer is not known.
    furthest : Reached
        Where one of the ways ended that came furthest.
    seen : set of tuple
        Position, taken and state of all that were examined.
    """

    order: list[int] | None
    exhausted: bool
    furthest: Reached
    seen: Seen


def find_order(timeline: Timeline, model: Model, limit: float, states: Iterable[Any]) -> Found:
    """Look for an order, from any of some states on.

    Parameters
    ----------
    timeline : Timeline
    model : Model
    limit : float
        The most configurations that may be examined.
    states : iterable of hashable
        In which the object may be at the beginning.

    Returns
    -------
    Found
    """
    seen: Seen = set()
    furthest = reached = Reached(-1, None, None, False)
    for _, reached in explore(timeline, model, limit, states, seen):
        if reached.position > furthest.position:
            furthest = reached
    complete = reached.position == len(timeline.returns)
    return Found(list_order(reached.order) if complete else None, reached.exhausted, furthest, seen)


def explore(
    timeline: Timeline, model: Model, limit: float, states: Iterable[Any], seen: Seen
) -> Iterator[tuple[Configuration, Reached]]:
    """Follow one way after another, the latest first, until one leads to the end; yield where each begins and ends."""
    ways: list[Iterator[Configuration]] = [iter([(0, 0, state, None, None) for state in states])]
    while ways:
        way = next(ways[-1], None)
        if way is None:
            ways.pop()
            continue
        reached = follow(timeline, model, limit, way, seen, ways)
        yield way, reached
        if reached.position == len(timeline.returns) or reached.exhausted:
            return


def follow(
    timeline: Timeline,
    model: Model,
    limit: float,
    way: Configuration,
    seen: Seen,
    ways: list[Iterator[Configuration]],
) -> Reached:
    """Go on from return to return, taking what returns, as far as it is allowed; leave the other ways for later."""
    inputs, outputs, _, observers, optional, bits, returns, pending, endless, _ = timeline
    step, end = model.step, len(returns)
    position, taken, state, order, before = way
    while position < end:
        number = returns[position]
        if taken & bits[number]:
            taken ^= bits[number]
            position += 1
            continue
        allowed, after = step(state, inputs[number], outputs[number])
        if allowed and observers[number]:
            order, before = (number, order), None
            position += 1
            continue
        # The state changes here, or the way ends; and others may go first.
        key = position, taken, state
        if key in seen:
            break
        if len(seen) >= limit:
            return Reached(position, state, order, True)
        seen.add(key)
        if len(pending[position]) > 1 or endless or number in optional:
            for other in pending[position]:
                if observers[other] and not taken & bits[other] and step(state, inputs[other], outputs[other])[0]:
                    taken |= bits[other]
                    order, before = (other, order), None
            ways.append(put_another_first(timeline, model, (position, taken, state, order, before), seen))
        if number not in optional:
            if not allowed or (before and step(before[0], inputs[number], outputs[number]) == (True, after)):
                break
            state, order, before = after, (number, order), None
        position += 1
    return Reached(position, state, order, False)


def put_another_first(
    timeline: Timeline, model: Model, configuration: Configuration, seen: Seen
) -> Iterator[Configuration]:
    """Yield where one comes if another operation that is under way is taken before the next one returns."""
    inputs, outputs, ends, observers, optional, bits, returns, pending, _, _ = timeline
    position, taken, state, order, before = configuration
    returning = returns[position]
    others = [number for number in pending[position] if not observers[number] and not taken & bits[number]]
    others.sort(key=ends.__getitem__)
    others += [n for n in timeline.endless_by(position) if not observers[n] and not taken & bits[n]]
    blocked = not model.step(state, inputs[returning], outputs[returning])[0]
    twins, ways = set(), []
    for number in others:
        known, needed = ends[number] < math.inf, ends[number] < math.inf and number not in optional
        twin = inputs[number], outputs[number] if known else None, needed
        if twin in twins:
            continue
        twins.add(twin)
        if number == returning and needed:
            continue
        allowed, after = model.step(state, inputs[number], outputs[number])
        if (known and not allowed) or (not needed and after == state):
            continue
        if (position, taken | bits[number], after) in seen:
            continue
        if before:
            allowed, without = model.step(before[0], inputs[number], outputs[number])
            if without == after and (allowed or not known):
                continue
        way = position, taken | bits[number], after, (number, order), None if needed else (state,)
        if blocked and model.step(after, inputs[returning], outputs[returning])[0]:
            yield way
        else:
            ways.append(way)
    yield from ways


def list_order(order: Order) -> list[int]:
    """Return the numbers of an order, the first operation first."""
    numbers = []
    while order:
        number, order = order
        numbers.append(number)
    return numbers[::-1]
