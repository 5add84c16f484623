"""Servers that take customers out of a waiting room: a heap of servers, and a row, a pile or a heap of customers.

Customers are looked at in the order in which they arrive. Before one is let in, everything that happens until then is
made up for::

    free   3   7.5      2 is waiting since 2, and 3 arrives at 3.5
           |            the server that is free at 3 takes 2, at 3, and will be free at 8
    free   7.5   8      nobody is free at 3.5: 3 waits

A server that was busy and takes its next customer does so at the very time at which it was free, whenever we come to
look at it. So a run is one replacement of a heap's top for each customer.

Where several things happen at once, departures come before arrivals, and arrivals in the order of their numbers. That
is how a customer who leaves at 5 makes room for one who comes at 5. Service once begun is not interrupted, not even for
priorities. Among idle servers, the one that is idle for the longest time takes the next customer.

Invariants:
  1. The top of the heap never falls: the times that leave it are the departures, in order.
  2. While somebody waits, all servers are busy.

Cost: O(log(servers)) a customer, and O(log(waiting)) more with priorities.

Kiefer & Wolfowitz, "On the theory of queues with many servers", *Transactions of the American Mathematical Society* 78
(1955); Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 29 to 31.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.stochastic.queue_simulation.heaps import Numbers, pop, push, replace_top

FIFO, LIFO, PRIORITY = 0, 1, 2
DISCIPLINES = {"fifo": FIFO, "lifo": LIFO, "priority": PRIORITY}


def idle_servers(count: int) -> tuple[Vector, Numbers]:
    """Return a heap of servers that have been free since ever."""
    free = np.full(count + 1, -np.inf)
    free[count] = np.inf
    return free, np.arange(count + 1)


@kernel
def serve(
    arrivals: Vector,
    services: Vector,
    discipline: int,
    turns: Numbers,
    room: int,
    free: Vector,
    names: Numbers,
    starts: Vector,
    ends: Vector,
    server: Numbers,
    departures: Vector,
) -> int:
    """Let customers arrive one by one, and record what happens to each.

    Parameters
    ----------
    arrivals, services : ndarray, shape (n,)
        The arrivals are in order.
    discipline : int
        FIFO, LIFO or PRIORITY.
    turns : ndarray of int64, shape (n,) or (0,)
        With priorities: whoever has the smallest of those waiting is next. Not looked at else.
    room : int
        How many can wait.
    free, names : ndarray, shape (servers + 1,)
        The heap of servers: all free since ever (minus infinity), and behind them infinity.
    starts, ends, server : ndarray, shape (n,)
        Are set; to NaN and -1 for a customer who finds no room.
    departures : ndarray, shape (n + servers,)
        All that leaves the heap: minus infinity for each server, and then the ends, in order.

    Returns
    -------
    int
        How many were served.
    """
    servers, customers = free.size - 1, arrivals.size
    # The waiting room: customers from head to tail, or a heap of turns.
    waiting = np.empty(customers + 2, np.int64)
    keys = np.empty(customers + 2 if discipline == PRIORITY else 0)
    head, tail, served = 0, 0, 0
    for newcomer in range(customers + 1):
        now = arrivals[newcomer] if newcomer < customers else np.inf
        while tail > head and free[0] <= now:
            if discipline == FIFO:
                customer = waiting[head]
                head += 1
            elif discipline == LIFO:
                tail -= 1
                customer = waiting[tail]
            else:
                customer = waiting[0]
                pop(keys, waiting, tail)
                tail -= 1
            begin(customer, free[0], services, free, names, starts, ends, server, departures, served)
            served += 1
        if newcomer == customers:
            break
        if free[0] <= now:
            begin(newcomer, now, services, free, names, starts, ends, server, departures, served)
            served += 1
        elif tail - head < room:
            if discipline == PRIORITY:
                push(keys, waiting, tail, float(turns[newcomer]), newcomer)
            else:
                waiting[tail] = newcomer
            tail += 1
        else:
            starts[newcomer], ends[newcomer], server[newcomer] = np.nan, np.nan, -1
    for k in range(served, served + servers):
        departures[k] = free[0]
        replace_top(free, names, servers, np.inf, -1)
    return served


@kernel
def begin(
    customer: int,
    start: float,
    services: Vector,
    free: Vector,
    names: Numbers,
    starts: Vector,
    ends: Vector,
    server: Numbers,
    departures: Vector,
    served: int,
) -> None:
    """Let the server on top of the heap begin with a customer; what it was free from was the end of its last one."""
    departures[served] = free[0]
    end = start + services[customer]
    starts[customer], ends[customer], server[customer] = start, end, names[0]
    replace_top(free, names, free.size - 1, end, names[0])
