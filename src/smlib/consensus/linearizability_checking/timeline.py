"""A history laid out for the search: who returns when, and who else is under way then.

The search goes from one return to the next. All that it asks about time is answered here once: which operation returns
next, and which others have been called by then and have not returned. Those are few, however long the history is. So a
set of them is a small number: each operation gets a bit that is its own from its call to its return, and is given to
another one afterwards. Operations that never return are listed apart, and keep their bit::

    operation     a a a a         c c c c c           returns      a   b   c
                      b b b b b b                     pending      a b   b   c   (at the return of a: a and b)
    bit           1   2           1

Invariants:
  1. No two operations that are under way at one time have the same bit.
  2. At each return ``pending`` has the operation that returns, and all that were called by then and return later.

Cost: O(n log n) for the order, O(n c) for the rest if c are under way at a time.

Lowe, "Testing for linearizability", *Concurrency and Computation: Practice and Experience* 29 (2017), section 4.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Container, Sequence
from typing import Any, NamedTuple

from smlib.consensus.linearizability_checking.models import Model
from smlib.consensus.linearizability_checking.operations import Operation


class Timeline(NamedTuple):
    """A history for the search; operations are numbers, as they stand in it.

    Attributes
    ----------
    inputs, outputs, ends : sequence
        Of each operation what was asked, what was answered, and when (None and infinity if it was not).
    observers : list of bool
        Which operations leave the state as it is wherever they are allowed.
    optional : container of int
        Which operations may be left out; the endless ones may be as well.
    bits : list of int
        The bit of each operation in a set of such as are under way.
    returns : list of int
        The operations that return, in the order of their responses.
    pending : list of tuple of int
        At each return: all that return, were called by then, and have not returned before.
    endless : list of int
        The operations that never return, in the order of their calls.
    beginnings : list of float
        When these were called.
    """

    inputs: Sequence[Any]
    outputs: Sequence[Any]
    ends: list[float]
    observers: list[bool]
    optional: Container[int]
    bits: list[int]
    returns: list[int]
    pending: list[tuple[int, ...]]
    endless: list[int]
    beginnings: list[float]

    def endless_by(self, position: int) -> list[int]:
        """Return the operations without a return that were called by a return."""
        if not self.endless:
            return self.endless
        return self.endless[: bisect_right(self.beginnings, self.ends[self.returns[position]])]


def lay_out(operations: Sequence[Operation], model: Model, optional: Container[int] = ()) -> Timeline:
    """Lay a history out; where times are equal, a call counts as earlier than a return: the two overlap."""
    _, calls, responses, inputs, outputs = zip(*operations, strict=True) if operations else ((),) * 5
    ends = [math.inf if response is None else response for response in responses]
    by_call = sorted(range(len(ends)), key=calls.__getitem__)
    endless = []
    if math.inf in ends:
        outputs = tuple(output if end < math.inf else None for output, end in zip(outputs, ends, strict=True))
        endless = [number for number in by_call if ends[number] == math.inf]
        by_call = [number for number in by_call if ends[number] < math.inf]
    returns = sorted(by_call, key=ends.__getitem__)
    bits = [0] * len(ends)
    for place, number in enumerate(endless):
        bits[number] = 1 << place
    free = [1 << len(endless)]
    under_way: dict[int, None] = {}
    pending = []
    call_times = [*map(calls.__getitem__, by_call), math.inf]
    called = 0
    for returning in returns:
        end = ends[returning]
        while call_times[called] <= end:
            number = by_call[called]
            called += 1
            under_way[number] = None
            bits[number] = bit = free.pop()
            if not free:
                free.append(bit << 1)
        pending.append(tuple(under_way))
        del under_way[returning]
        free.append(bits[returning])
    observers = list(map(model.only_observes, inputs, outputs))
    beginnings = [calls[number] for number in endless]
    return Timeline(inputs, outputs, ends, observers, optional, bits, returns, pending, endless, beginnings)
