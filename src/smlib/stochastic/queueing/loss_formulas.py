"""Erlang's two formulas: who finds all servers busy and is sent away (B), or waits (C).

*B*: calls at a load of ``a`` erlang (arrivals a second times seconds a call) meet n lines, and a call that finds all of
them busy is lost. Erlang (1917)::

                     a^n / n!                                the chance that all n are busy, if calls in progress
    B(a, n) = ---------------------------------              are as likely as Poisson's distribution says, up to n
              1 + a + a^2 / 2! + ... + a^n / n!

Nobody can compute it as it stands: for 1000 lines both lines of the fraction are beyond all numbers of 64 bits. Turned
over and divided out it is harmless::

    1 / B = 1 + n/a + n/a (n-1)/a + n/a (n-1)/a (n-2)/a + ...

Each term is the one before times a factor that falls, and all are positive, so that nothing cancels. Near full load,
where the factors begin at 1, they have fallen so far after some ``8.5 sqrt(n)`` terms that the rest is nothing: a
million lines take 8,527 of them. Or, which is the same from the other end, line by line::

    1 / B(a, n) = 1 + n/a * 1 / B(a, n - 1)                   B(a, 0) = 1

which is the way for a table of all n, for each row goes on from the one above.

By hand. Two erlang, three lines: ``1 / B = 1 + 3/2 + 3/2 * 1 + 3/2 * 1 * 1/2 = 19/4``. Line by line: 1, 3/2, 5/2,
19/4. So 4 calls of 19 are lost.

*C*: nobody is lost, they wait. Up to n the states are as likely as before, compared to each other; beyond, each is a/n
of the one before. So "all busy", which was B, weighs ``B (1 + a/n + (a/n)^2 + ...) = B / (1 - a/n)`` now, and the
others still ``1 - B``. Its share is::

    C = B / (1 - (1 - B) a/n)                      two erlang, three lines: (4/19) / (1 - 15/19 * 2/3) = 4/9

Cost: O(sqrt(n)) time near full load, O(n) at most; in constant space. A table of all n costs O(1) a value.

Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone exchanges",
*Elektroteknikeren* 13 (1917); Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 14 and
15.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector, as_floats
from smlib.errors import InputError

Counts: TypeAlias = NDArray[np.int64]

# What is less than this part of a sum is lost in its rounding.
NEGLIGIBLE = 2.0**-56
MOST_SERVERS = 2**53


def erlang_b(load: ArrayLike, servers: ArrayLike) -> float | Vector:
    """Return the share of calls that are lost, for they find all servers busy and nobody may wait (M/M/c/c).

    Parameters
    ----------
    load : array_like of float
        Arrivals a second times seconds of service, in erlangs: at least 0. It may be more than the servers can do.
    servers : array_like of int
        At least 0. It broadcasts with ``load``: ``erlang_b(loads[:, np.newaxis], np.arange(100))`` is a table.

    Returns
    -------
    float or ndarray
        From 0 to 1. Only the mean of the services counts, not their distribution.

    Raises
    ------
    InputError
        A load or a number of servers is negative, or is none.

    Notes
    -----
    Complexity: O(min(servers, abs(servers - load) + sqrt(servers))) time a value; O(1) where a value follows that of
    fewer servers at the same load, as in a table.

    References
    ----------
    Erlang (1917); Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 14.2.

    Examples
    --------
    >>> round(erlang_b(2.0, 3), 4)  # 4 of 19
    0.2105
    >>> erlang_b(2.0, [1, 2, 3, 4]).round(4)
    array([0.6667, 0.4   , 0.2105, 0.0952])
    >>> round(erlang_b(1e6, 1_000_000), 8)
    0.00079746
    """
    loads, counts = _as_pairs(load, servers)
    blocked = np.empty(loads.shape)
    block_all(loads.ravel(), counts.ravel(), blocked.reshape(-1))
    return float(blocked[()]) if blocked.ndim == 0 else blocked


def erlang_c(load: ArrayLike, servers: ArrayLike) -> float | Vector:
    """Return the share of customers who wait, for they find all servers busy (M/M/c).

    Parameters
    ----------
    load : array_like of float
        Arrivals a second times seconds of service, in erlangs: at least 0, and less than ``servers``.
    servers : array_like of int
        At least 1. It broadcasts with ``load``.

    Returns
    -------
    float or ndarray
        From 0 to 1.

    Raises
    ------
    InputError
        A queue is overloaded, and would grow without end; a load or a number of servers is negative, or is none.

    Notes
    -----
    Complexity: that of `erlang_b`.

    References
    ----------
    Erlang (1917); Harchol-Balter, *Performance Modeling and Design of Computer Systems*, section 14.3.

    Examples
    --------
    >>> round(erlang_c(2.0, 3), 4)  # 4 of 9
    0.4444
    """
    loads, counts = _as_pairs(load, servers)
    if (counts <= loads).any():
        place = np.unravel_index(int(np.argmax(counts <= loads)), loads.shape)
        raise InputError(
            f"a load of {loads[place]:.6g} erlang needs more than {loads[place]:.6g} servers, but there are "
            f"{counts[place]}: the queue grows without end; use at least {math.floor(loads[place]) + 1}"
        )
    waiting = np.empty(loads.shape)
    delay_all(loads.ravel(), counts.ravel(), waiting.reshape(-1))
    return float(waiting[()]) if waiting.ndim == 0 else waiting


def _as_pairs(load: ArrayLike, servers: ArrayLike) -> tuple[Vector, Counts]:
    """Return loads and numbers of servers, checked and of one shape."""
    loads, counts = as_floats(load, "load"), np.asarray(servers)
    if not (np.isfinite(loads) & (loads >= 0.0)).all():
        wrong = loads[~(np.isfinite(loads) & (loads >= 0.0))].flat[0]
        raise InputError(f"load is {wrong}; it must be a finite number of erlangs, at least 0")
    if counts.dtype.kind not in "iu":
        raise InputError(f"servers is {servers!r}; it must be an integer, or an array of them")
    if counts.size and (counts.min() < 0 or counts.max() > MOST_SERVERS):
        wrong = counts.min() if counts.min() < 0 else counts.max()
        raise InputError(f"servers is {wrong}; it must be from 0 to 2^53")
    try:
        loads, counts = np.broadcast_arrays(loads, counts.astype(np.int64))
    except ValueError as error:
        raise InputError(f"load and servers of the shapes {loads.shape} and {counts.shape} do not pair") from error
    return loads, counts


@kernel
def sum_inverse(load: float, servers: int) -> float:
    """Return 1 / B: the sum of products of n/a, (n-1)/a, ..., up to where the rest is negligible."""
    if load == 0.0:
        return np.inf if servers else 1.0
    total, term, inverse = 1.0, 1.0, 1.0 / load
    left = float(servers)
    # Four terms at a time: of their products only the last has to wait for the term before.
    while left >= 4.0:
        first = left * inverse
        second = first * ((left - 1.0) * inverse)
        third = second * ((left - 2.0) * inverse)
        fourth = third * ((left - 3.0) * inverse)
        total += term * ((first + second) + (third + fourth))
        term *= fourth
        left -= 4.0
        # All that is to come is less than a geometric series with the ratio left / load.
        if term * load < NEGLIGIBLE * total * (load - left) or total == np.inf:
            return total
    while left > 0.0:
        term *= left * inverse
        total += term
        left -= 1.0
    return total


@kernel
def block_all(loads: Vector, servers: Counts, blocked: Vector) -> None:
    """Set each entry to B; a value that has the load of the one before and more servers goes on from there."""
    load = -1.0
    reached = 0
    inverse = 1.0
    for i in range(blocked.shape[0]):
        many = servers[i]
        if loads[i] != load or many < reached or (many - reached) ** 2 > 64 * many:
            load = loads[i]
            inverse = sum_inverse(load, many)
        else:
            for n in range(reached + 1, many + 1):
                inverse = 1.0 + inverse * (n / load) if load > 0.0 else np.inf
        reached = many
        blocked[i] = 1.0 / inverse


@kernel
def delay_all(loads: Vector, servers: Counts, delayed: Vector) -> None:
    """Set each entry to C."""
    block_all(loads, servers, delayed)
    for i in range(delayed.shape[0]):
        delayed[i] = c_from_b(delayed[i], loads[i], servers[i])


@kernel
def c_from_b(blocked: float, load: float, servers: int) -> float:
    """Return C, from B of the same load and servers: all its terms are positive."""
    return blocked * servers / (servers - load + blocked * load)


@kernel
def chance_of_waiting(load: float, servers: int) -> float:
    """Return C, for a load that is less than the servers."""
    return c_from_b(1.0 / sum_inverse(load, servers), load, servers)
