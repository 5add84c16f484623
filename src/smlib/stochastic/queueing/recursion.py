"""Lindley's recursion: the waits of everybody at one server, from nothing but gaps and services.

First come, first served, one server. Whoever arrives waits for what the one before found, and brought, less the time
that went by between them; and never less than nothing::

    waits[k] = max(0, waits[k - 1] + services[k - 1] - interarrivals[k])

           0        a[0]       a[1]        a[2]          a[k] = interarrivals[k] is the time
    time --|---------|----------|-----------|--->        from the arrival of k - 1 to that of k;
                     0          1           2            that of 0 counts from time 0
                     [ service 0    ][ service 1 ][ service 2 ]
                                |---|       |-----|
                               waits[1]    waits[2]

No distribution is in it: it holds for arrivals as they came, from a log, in bursts, with a pattern over the day.

By hand. Arrivals at 1, 2 and 4, services of 3, 2 and 1: the gaps are 1, 1 and 2, the waits 0, ``0 + 3 - 1 = 2`` and
``2 + 2 - 2 = 2``.

Speed. Each wait needs the one before: an addition, a subtraction and a comparison, one after the other, while most of
the processor looks on. But *a queue forgets*: as soon as it is empty, nothing of the past matters. So the customers
are split into four stretches, which are walked at the same time, each as if it began with an empty queue. Then the
true wait at each seam is followed into the stretch, until it meets what stands there. From then on both are the same
for ever, in the last bit, and mostly that is soon: at the end of the first busy period. A queue that never empties is
walked twice.

Cost: O(n) time, in no space beside the answer.

Lindley, "The theory of queues with a single server", *Mathematical Proceedings of the Cambridge Philosophical
Society* 48 (1952); Kleinrock, *Queueing Systems 1*, section 8.1.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector, as_floats, as_nonnegative, require_finite
from smlib.errors import InputError

Bits: TypeAlias = NDArray[np.uint64]

# The bits of infinity. As unsigned integers, those of all other numbers that are not negative are below.
INFINITY = np.uint64(0x7FF0000000000000)


def lindley(interarrivals: ArrayLike, services: ArrayLike, initial: float = 0.0) -> Vector:
    """Return how long each customer waits at one server, first come, first served.

    Parameters
    ----------
    interarrivals : array_like, shape (n,)
        ``interarrivals[k]`` is the time from the arrival of customer ``k - 1`` to that of customer k, at least 0; that
        of customer 0 counts from time 0. For times of arrival: ``np.diff(arrivals, prepend=0.0)``.
    services : array_like, shape (n,)
        ``services[k]`` is how long customer k is served, at least 0.
    initial : float
        How much work there is for the server at time 0, at least 0.

    Returns
    -------
    ndarray, shape (n,)
        From arrival to the beginning of service:
        ``waits[k] = max(0, waits[k - 1] + services[k - 1] - interarrivals[k])``, in this order and bit for bit.

    Raises
    ------
    InputError
        The arrays are not of one length, or hold a number that is negative or not finite.

    Notes
    -----
    Complexity: O(n) time.

    References
    ----------
    Lindley (1952); Kleinrock, *Queueing Systems 1*, section 8.1.

    Examples
    --------
    >>> lindley([1.0, 1.0, 2.0], [3.0, 2.0, 1.0])
    array([0., 2., 2.])
    >>> lindley([1.0, 1.0, 2.0], [3.0, 2.0, 1.0], initial=5.0)
    array([4., 6., 6.])
    """
    gaps, works = as_floats(interarrivals, "interarrivals"), as_floats(services, "services")
    if gaps.ndim != 1 or gaps.shape != works.shape:
        raise InputError(
            f"interarrivals and services have the shapes {gaps.shape} and {works.shape}; they are lists of one length"
        )
    work = as_nonnegative(initial, "initial")
    if any_suspect(gaps.view(np.uint64), works.view(np.uint64)):
        for array, name in ((gaps, "interarrivals"), (works, "services")):
            require_finite(array, name)
            if array.min() < 0.0:
                place = int(np.argmin(array))
                raise InputError(f"{name}[{place}] is {array[place]}; a time is at least 0")
    waits = np.empty_like(gaps)
    walk_queue(gaps, works, work, waits)
    return waits


@kernel
def any_suspect(first: Bits, second: Bits) -> bool:
    """Say whether any number is negative, infinite or NaN: as an unsigned integer it is not below infinity then."""
    suspects = np.uint64(0)
    for i in range(first.shape[0]):
        suspects += np.uint64(first[i] >= INFINITY) + np.uint64(second[i] >= INFINITY)
    return bool(suspects > np.uint64(0))


@kernel
def walk_queue(gaps: Vector, works: Vector, work: float, waits: Vector) -> None:
    """Set all waits; ``work`` is what the server has to do at time 0."""
    quarter = waits.shape[0] // 4
    walked = 4 * quarter
    if quarter:
        walk_quarters(gaps, works, work, waits, quarter)
        for seam in range(quarter, walked, quarter):
            follow(gaps, works, waits, seam, walked)
        work = waits[walked - 1] + works[walked - 1]
    for k in range(walked, waits.shape[0]):
        work -= gaps[k]
        work = work if work > 0.0 else 0.0
        waits[k] = work
        work += works[k]


@kernel
def walk_quarters(gaps: Vector, works: Vector, work: float, waits: Vector, quarter: int) -> None:
    """Walk four stretches side by side, the last three as if nobody had been there before."""
    half, last = 2 * quarter, 3 * quarter
    gaps0, gaps1, gaps2, gaps3 = gaps[:quarter], gaps[quarter:], gaps[half:], gaps[last:]
    works0, works1, works2, works3 = works[:quarter], works[quarter:], works[half:], works[last:]
    waits0, waits1, waits2, waits3 = waits[:quarter], waits[quarter:], waits[half:], waits[last:]
    work0, work1, work2, work3 = work, 0.0, 0.0, 0.0
    for k in range(quarter):
        work0 -= gaps0[k]
        work1 -= gaps1[k]
        work2 -= gaps2[k]
        work3 -= gaps3[k]
        work0 = work0 if work0 > 0.0 else 0.0
        work1 = work1 if work1 > 0.0 else 0.0
        work2 = work2 if work2 > 0.0 else 0.0
        work3 = work3 if work3 > 0.0 else 0.0
        waits0[k] = work0
        waits1[k] = work1
        waits2[k] = work2
        waits3[k] = work3
        work0 += works0[k]
        work1 += works1[k]
        work2 += works2[k]
        work3 += works3[k]


@kernel
def follow(gaps: Vector, works: Vector, waits: Vector, seam: int, end: int) -> None:
    """Go on over a seam with the true wait, until it is what stands there."""
    work = waits[seam - 1] + works[seam - 1]
    for k in range(seam, end):
        work -= gaps[k]
        work = work if work > 0.0 else 0.0
        if work == waits[k]:
            break
        waits[k] = work
        work += works[k]
