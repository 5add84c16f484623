"""Operations as bars on an axis of time, in text.

Time is not to scale: each call and each response gets a column of its own, in their order. What overlaps is seen, and
that is all that counts::

    a  |----------|           write 1
    b      |----------|       read: 1
    c                   |---  write 2, never answered

Invariants:
  1. Of two moments the earlier one is further to the left; equal ones share a column.

Cost: O(n log n).

Herlihy & Wing, "Linearizability", *ACM TOPLAS* 12 (1990), figures 1 and 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from smlib.consensus.linearizability_checking.operations import Operation

# A moment takes this many columns if there are few of them, and the bars this many at most.
COLUMNS, WIDTH = 4, 64
# What is longer is cut.
LONGEST = 50


def describe_operation(operation: Operation) -> str:
    """Return an operation in words.

    >>> describe_operation(Operation("a", 0, 1, ("get", "x"), "text"))
    "get 'x': 'text'"
    >>> describe_operation(Operation("a", 0, None, ("cas", 1, 2), None))
    'cas 1 2, never answered'
    """
    asked, answered = operation.input, operation.output
    function, *arguments = asked if isinstance(asked, tuple) and asked else (asked,)
    words = " ".join([str(function), *map(repr, arguments)])
    if operation.response is None or operation.response == math.inf:
        return f"{words}, never answered"
    return words if answered is None and function not in ("read", "get") else f"{words}: {answered!r}"


def draw_operations(operations: Sequence[Operation], notes: Sequence[str] = ()) -> list[str]:
    """Return a line for each operation, in order: its client, its bar, and what it did, with a note if there is one."""
    times = {time for operation in operations for time in operation[1:3] if time is not None and time < math.inf}
    moments = {time: rank for rank, time in enumerate(sorted(times))}
    scale = min(COLUMNS, WIDTH / max(len(moments), 1))
    unanswered = any(operation.response not in moments for operation in operations)
    width = int(scale * (len(moments) - (not unanswered))) + 1
    longest = max((len(str(operation.client)) for operation in operations), default=0)
    lines = []
    for number, operation in enumerate(operations):
        begin, end = int(scale * moments[operation.call]), width
        closed = ""
        if operation.response in moments:
            end, closed = max(int(scale * moments[operation.response]), begin + 1), "|"
        bar = " " * begin + "|" + "-" * (end - begin - 1) + closed
        note = f"   ({notes[number]})" if number < len(notes) and notes[number] else ""
        told = shorten(describe_operation(operation))
        lines.append(f"{operation.client!s:<{longest}}  {bar:<{width}}  {told}{note}")
    return lines


def shorten(text: str) -> str:
    """Return a text of at most so many characters as fit into a line."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
