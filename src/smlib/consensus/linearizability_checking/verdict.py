"""What a check says: yes, with an order; no, with the smallest part that offends; or that it does not know.

A yes is proved without the search: one goes through the order once, asks the model about each operation, and gives each
the earliest moment that its call and the operations before it leave. If no moment comes after a response, the order
respects time::

    order          write 2    write 1    read: 1
    call           1          0          5
    moment         1          1          5            the largest call so far
    response       4          3          6            never before the moment

The orders of several objects become one by their moments: Herlihy & Wing's theorem that linearizability is *local*.

Invariants:
  1. In an order each operation stands once, and only those without a response may be missing.
  2. Each answer is what the model allows there, and each moment lies between call and response.

Cost: O(n) for the proof, O(n log n) to make one order of several.

Herlihy & Wing, "Linearizability", *ACM TOPLAS* 12 (1990), theorem 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from smlib._core.results import Result
from smlib.consensus.linearizability_checking.drawing import describe_operation, draw_operations
from smlib.consensus.linearizability_checking.models import Model
from smlib.consensus.linearizability_checking.offending import OffendingPart
from smlib.consensus.linearizability_checking.operations import Operation, check_history, part_by_key

# Up to this many operations of an order are drawn.
DRAWN = 12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Verdict(Result):
    """Whether a history is linearizable; true as a condition only if it is.

    Attributes
    ----------
    linearizable : bool or None
        None if the budget was spent before the answer was known.
    success : bool
        Whether there is an answer; if it is yes, the order has been proved.
    message : str
        The same in words.
    examined : int
        How many configurations were examined.
    orders : mapping from hashable to tuple of Operation
        If the answer is yes: for each key an order of its operations.
    part : OffendingPart or None
        If the answer is no: the smallest part that offends.
    """

    linearizable: bool | None
    success: bool
    message: str
    examined: int
    orders: Mapping[Hashable, tuple[Operation, ...]] = field(default_factory=dict)
    part: OffendingPart | None = None

    def __bool__(self) -> bool:
        return self.linearizable is True

    def __str__(self) -> str:
        """Return the answer, and a drawing of the order (if it is short) or of the part that offends."""
        lines = [self.message]
        if self.part is not None:
            lines += self.part.draw()
        elif self.orders and sum(map(len, self.orders.values())) <= DRAWN:
            lines += draw_operations(self.order)
        return "\n".join(lines)

    @property
    def order(self) -> tuple[Operation, ...]:
        """One order of all operations that took effect, if the answer is yes; else nothing."""
        placed = [pair for order in self.orders.values() for pair in zip(place_in_time(order), order, strict=True)]
        return tuple(operation for _, operation in sorted(placed, key=lambda pair: pair[0]))

    def verify(self, history: Iterable[Operation], model: Model) -> bool:
        """Return whether `order` proves that a history is linearizable; the search has no part in that.

        Parameters
        ----------
        history : iterable of Operation
        model : Model

        Returns
        -------
        bool
            False also where the answer was not yes.
        """
        parts = part_by_key(check_history(history), model)
        return self.linearizable is True and all(
            proves(self.orders.get(key, ()), operations, model) for key, operations in parts.items()
        )

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("linearizable", str(self.linearizable)), ("message", self.message), ("examined", f"{self.examined:,}")]
        if self.part is not None:
            rows.append(("part", "; ".join(map(describe_operation, self.part.operations))))
        return rows


def place_in_time(order: Sequence[Operation]) -> list[float]:
    """Return the earliest moment at which each operation of an order may have taken effect."""
    moment, moments = -math.inf, []
    for operation in order:
        if operation.call > moment:
            moment = operation.call
        moments.append(moment)
    return moments


def proves(order: Sequence[Operation], operations: Sequence[Operation], model: Model) -> bool:
    """Return whether an order of the operations of one object respects time and the model, and leaves out none."""
    moment, state, step = -math.inf, model.initial, model.step
    for _, call, response, asked, answered in order:
        if call > moment:
            moment = call
        if response is None:
            state = step(state, asked, None)[1]
            continue
        allowed, state = step(state, asked, answered)
        if not (allowed and moment <= response) and response < math.inf:
            return False
    # Mostly these are the same objects; a history that was read once more has equal ones.
    present = set(map(id, order))
    missing = [operation for operation in operations if id(operation) not in present]
    if not len(present) == len(order) == len(operations) - len(missing):
        placed, all_of_them = Counter(order), Counter(operations)
        if not placed <= all_of_them:
            return False
        missing = list((all_of_them - placed).elements())
    return all(operation.response is None or operation.response == math.inf for operation in missing)
