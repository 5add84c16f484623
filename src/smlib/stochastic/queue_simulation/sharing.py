"""Processor sharing: nobody waits, and all who are there are served at once, each the slower the more they are.

A processor gives each of its threads a short turn, again and again; a line gives each of its connections the same share
of its bits. With n customers and c servers each customer is served at the speed ``min(1, c / n)``. At every arrival and
departure all speeds change, and with them all times at which anybody will be ready.

The idea is a second clock, which shows how much has been served to *each* who is there. It runs at the speed
``min(1, c / n)``. A customer who comes when it shows v, and needs s, is ready when it shows ``v + s``, whatever happens
meanwhile. So a heap of these sums, which never change, tells who is next::

    time          0    1    2    3    4    5      one server; A needs 3 from 0 on, B needs 2 from 2 on
    speed         |    1    |   1/2   | 1  |      both are there from 2 to 4
    second clock  0    1    2   2.5   3    4      A is ready when it shows 3, B when it shows 2 + 2 = 4

When nobody is left the second clock is set back to 0, so that it does not lose digits in a long run.

Cost: O(log(present)) an arrival or departure.

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 22 and 30; Kleinrock, *Queueing Systems
2*, section 4.4.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.stochastic.queue_simulation.heaps import pop, push


@kernel
def share(arrivals: Vector, services: Vector, servers: int, capacity: int, ends: Vector, departures: Vector) -> int:
    """Serve all who are there at once; set ``ends`` (NaN where there was no room) and, in order, ``departures``.

    Returns
    -------
    int
        How many were served.
    """
    customers = arrivals.size
    ready = np.empty(customers + 2)
    present = np.empty(customers + 2, np.int64)
    count, served, arrived = 0, 0, 0
    now, shared = 0.0, 0.0
    while arrived < customers or count > 0:
        arrival = arrivals[arrived] if arrived < customers else np.inf
        speed = min(1.0, servers / count) if count > 0 else 1.0
        departure = now + (ready[0] - shared) / speed if count > 0 else np.inf
        if departure <= arrival:
            now, shared = max(now, departure), ready[0]
            ends[present[0]] = departures[served] = now
            served += 1
            pop(ready, present, count)
            count -= 1
            continue
        shared = min(shared + (arrival - now) * speed, ready[0]) if count > 0 else 0.0
        now = arrival
        if count < capacity:
            push(ready, present, count, shared + services[arrived], arrived)
            count += 1
        else:
            ends[arrived] = np.nan
        arrived += 1
    return served
