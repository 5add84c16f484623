"""A queue at work, moment by moment: who comes, who waits, who is served, and how many there are.

What there is to see. Each customer is a bar in time, first waiting, then served; each server is a lane on which
services follow each other. Below are the numbers in the system and of those waiting, over time. The area below
the upper curve is what all bars have in common, whichever way one adds it up: that is Little's law.

Invariants, computed at every step:
  1. Nobody waits while a server is idle.
  2. A server serves one customer at a time.
  3. The area below the curve is the time that customers have spent.
  4. What is past is not changed by who comes later.

Cost: O(n log(servers)) a step, for the run up to there is made anew.

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapter 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.trace import Step
from smlib._core.validate import as_floats
from smlib.errors import InputError
from smlib.stochastic.queue_simulation.serving import serve
from smlib.stochastic.queue_simulation.simulating import QueueSimulation, simulate_queue


def trace(
    arrivals: ArrayLike,
    services: ArrayLike,
    servers: int = 1,
    capacity: int | None = None,
    discipline: Literal["fifo", "lifo", "priority"] = "fifo",
    *,
    priorities: ArrayLike | None = None,
) -> Iterator[Step]:
    """Yield the empty system, and how things stand after each moment at which somebody comes or leaves.

    Parameters
    ----------
    arrivals, services, servers, capacity, discipline, priorities
        As for `simulate_queue`; some dozen customers at most, to be drawn.

    Yields
    ------
    Step
        Its state holds ``time``, ``servers``, ``discipline``, ``customers`` (how many there will be), ``horizon`` (when
        the last one leaves); of those who have come ``arrivals``, ``starts``, ``ends`` and ``server``, as they would be
        if nobody else came; and ``curve``: triples of a time, the number in the system and that of those waiting.

    Raises
    ------
    InputError
        As for `simulate_queue`; or the processor is shared.

    Notes
    -----
    Complexity: O(n log(servers)) a step.

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapter 6.

    Examples
    --------
    >>> for step in trace([0, 1], [3, 1]):
    ...     print(step.caption)
    Before anybody comes.
    At 0 customer 0 comes and is served at once.
    At 1 customer 1 comes and waits.
    At 3 customer 0 leaves; customer 1 is next, after a wait of 2.
    At 4 customer 1 leaves.
    """
    if discipline not in ("fifo", "lifo", "priority"):
        raise InputError(f"discipline is {discipline!r}; what is drawn is 'fifo', 'lifo' or 'priority'")
    ranks = None if priorities is None else as_floats(priorities, "priorities")
    whole = simulate_queue(arrivals, services, servers, capacity, discipline, priorities=ranks)

    def run_of(count: int) -> QueueSimulation:
        """Simulate the first customers alone."""
        mine = None if ranks is None else ranks[:count]
        return simulate_queue(
            whole.arrivals[:count], whole.services[:count], servers, capacity, discipline, priorities=mine
        )

    served = ~whole.lost
    curve = [(0.0, 0, 0)]
    state: dict[str, Any] = {
        "time": 0.0,
        "servers": servers,
        "discipline": discipline,
        "customers": whole.arrivals.size,
        "horizon": float(whole.ends[served].max()),
        "arrivals": whole.arrivals[:0],
        "starts": whole.starts[:0],
        "ends": whole.ends[:0],
        "server": whole.server[:0],
        "curve": tuple(curve),
    }
    proved = {"Little's law and the other books balance on the whole run": whole.success}
    yield Step(caption="Before anybody comes.", state=dict(state), source=serve, invariants=proved)
    for now in np.unique(np.concatenate([whole.arrivals, whole.ends[served]])).tolist():
        run = run_of(int(np.count_nonzero(whole.arrivals <= now)))
        begun, present = run.starts <= now, ~run.lost & ~(run.ends <= now)
        busy, waiting = np.flatnonzero(present & begun), int(np.count_nonzero(present & ~begun))
        question = _question(run, now, curve[-1][2], discipline)
        curve.append((now, busy.size + waiting, waiting))
        invariants = {
            "nobody waits while a server is idle": waiting == 0 or busy.size == servers,
            "a server serves one at a time": len(set(run.server[busy].tolist())) == busy.size,
            "the area is the time that customers have spent": _area_is_time(run, curve),
            "what is past is not changed by who comes later": bool(
                (run.starts[begun] == whole.starts[: begun.size][begun]).all()
            ),
        }
        state |= {"time": now, "curve": tuple(curve)}
        state |= {"arrivals": run.arrivals, "starts": run.starts, "ends": run.ends, "server": run.server}
        yield Step(
            caption=_caption(run, now), state=dict(state), source=serve, invariants=invariants, question=question
        )


def _area_is_time(run: QueueSimulation, curve: list[tuple[float, int, int]]) -> bool:
    """Compare the area below the curve with the times that customers have spent up to its end."""
    area = sum(before[1] * (after[0] - before[0]) for before, after in pairwise(curve))
    inside = ~run.lost
    spent = float((np.minimum(run.ends, curve[-1][0]) - run.arrivals)[inside].sum())
    return abs(area - spent) <= 1e-12 * max(spent, 1.0)


def _caption(run: QueueSimulation, now: float) -> str:
    """Say what happens at a time, in the order in which it happens."""
    parts = []
    leaving = np.flatnonzero(run.ends == now)
    if leaving.size:
        parts.append(f"customer{'' if leaving.size == 1 else 's'} {_names(leaving)} leave{'s' * (leaving.size == 1)}")
    following = np.flatnonzero((run.starts == now) & (run.arrivals < now))
    parts += [f"customer {i} is next, after a wait of {now - run.arrivals[i]:g}" for i in following]
    for i in np.flatnonzero(run.arrivals == now):
        if run.lost[i]:
            parts.append(f"customer {i} comes, finds no room and is lost")
        else:
            parts.append(f"customer {i} comes and {'is served at once' if run.starts[i] == now else 'waits'}")
    return f"At {now:g} {'; '.join(parts)}."


def _names(customers: NDArray[np.intp]) -> str:
    names = [str(i) for i in customers]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _question(run: QueueSimulation, now: float, waited: int, discipline: str) -> str:
    """Ask what can be known from the picture before."""
    leaving, coming = np.flatnonzero(run.ends == now), np.flatnonzero(run.arrivals == now)
    if leaving.size and waited > 1:
        rule = {"fifo": "first in, first out", "lifo": "last in, first out", "priority": "by priority"}[discipline]
        return f"At {now:g} a server will be free. Who is next, {rule}?"
    if coming.size:
        return f"Customer {coming[0]} comes at {now:g}. Will there be a free server?"
    return ""
