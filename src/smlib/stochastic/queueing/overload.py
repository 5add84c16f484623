"""What is said to whoever asks how long they wait in a queue that never ends."""

from __future__ import annotations

import math


def is_overloaded(arrival_rate: float, service_rate: float, servers: float) -> bool:
    """Say whether more come than can be served, or as many, which is too many where chance has a hand in it."""
    return arrival_rate >= servers * service_rate or arrival_rate / service_rate >= servers


def explain_overload(arrival_rate: float, service_rate: float, servers: int) -> str:
    """Return by how much a queue is overloaded, and how many servers it takes at least.

    >>> print(explain_overload(12.0, 5.0, 2))
    arrivals of 12 a second need more than 12 / 5 = 2.4 servers, but there are 2: each second 2 more come than can leave
    """
    excess = arrival_rate - servers * service_rate
    there = "is 1" if servers == 1 else f"are {servers}"
    growth = f"each second {excess:.6g} more come than can leave" if excess > 0.0 else "the queue grows without end"
    return (
        f"arrivals of {arrival_rate:.6g} a second need more than {arrival_rate:.6g} / {service_rate:.6g} = "
        f"{arrival_rate / service_rate:.6g} servers, but there {there}: {growth}"
    )


def least_servers(arrival_rate: float, service_rate: float) -> int:
    """Return how many servers keep up.

    >>> least_servers(12.0, 5.0), least_servers(10.0, 5.0)
    (3, 3)
    """
    servers = math.floor(arrival_rate / service_rate) + 1
    return servers + is_overloaded(arrival_rate, service_rate, servers)
