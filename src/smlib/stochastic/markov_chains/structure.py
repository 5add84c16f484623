r"""Which states lead to which: communication classes, where a chain ends, and its period.

Draw an arrow from state to state where a step is possible. Two states *communicate* if arrows lead from each to the
other; that makes *classes*. Arrows between classes never lead back, or the two would be one. A class that no arrow
leaves is *recurrent*: the chain stays, and visits each of its states again and again. All others are *transient*: one
day the chain leaves, and does not come back::

        .---> [ 1 <--> 2 ]             the classes {0}, {1, 2}, {3}
    [ 0 ]                              recurrent: {1, 2} and {3}
        '---> [ 3 ] (to itself)        transient: {0}

Tarjan's algorithm finds the classes in one walk in depth: go on to states that were not seen before, and back where
there are none. States are numbered as they are seen. For each one it keeps the lowest number that an arrow from it,
or from what was reached through it, leads back to. If that is its own number, then no arrow leads to before it, and
what was seen since, and is not yet in a class, is one class. Recursion is replaced by an explicit trail.

The *period* of a class is the largest number that divides the length of every way from a state back to itself. Number
the states by *levels*, the fewest steps from any first state. An arrow from level 5 to level 6 tells nothing, but one
from level 5 to level 3 closes two ways round whose lengths differ by 5 + 1 - 3 = 3. The greatest common divisor of
these differences is the period.

Invariants, checked by the tests:
  1. Every state is in one class, and classes are in the order of their smallest state.
  2. `order` has the states such that arrows between classes lead to an earlier one only.
  3. All arrows of a class of period d lead from level l to l + 1 modulo d, and no larger d has that.

Cost: O(states + arrows) time, O(states) space beside the arrows.

Tarjan, "Depth-first search and linear graph algorithms", *SIAM Journal on Computing* 1 (1972); Norris, *Markov Chains*,
sections 1.2 and 1.8; Denardo, "Periods of connected networks and powers of nonnegative matrices", *Mathematics of
Operations Research* 2 (1977).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.csr import CSRMatrix, Indices
from smlib._core.kernel import kernel

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

UNSEEN = -1


class Classes(NamedTuple):
    """The classes of states that lead to each other.

    Attributes
    ----------
    members : tuple of ndarray
        The states of each class in order; classes are in the order of their first state.
    labels : ndarray, shape (n,)
        The class of each state.
    recurrent : tuple of int
        The classes that no arrow leaves.
    order : ndarray, shape (n,)
        The states, class by class, such that a class comes after all that it leads to.
    """

    members: tuple[Places, ...]
    labels: Places
    recurrent: tuple[int, ...]
    order: Places


def find_classes(links: CSRMatrix, ends: Flags | None = None) -> Classes:
    """Find the classes of a graph; arrows from the states in ``ends`` are taken for none."""
    n = links.shape[0]
    if ends is None:
        ends = np.zeros(n, np.bool_)
    found, order, left = np.full(n, UNSEEN), np.empty(n, np.int64), np.zeros(n, np.bool_)
    count = find_components(links.indptr, links.indices, ends, found, order)
    mark_left(links.indptr, links.indices, ends, found, left)

    # Components are numbered as they were found; number them by their first state.
    _, firsts = np.unique(found, return_index=True)
    rank = np.empty(count, np.int64)
    by_first = np.argsort(firsts)
    rank[by_first] = np.arange(count)
    labels = rank[found]
    sizes = np.bincount(labels, minlength=count)
    members = np.split(np.argsort(labels, kind="stable"), np.cumsum(sizes)[:-1])
    recurrent = np.flatnonzero(~left[:count][by_first])
    return Classes(tuple(members), labels, tuple(recurrent.tolist()), order)


def find_levels(links: CSRMatrix, members: Places) -> tuple[Places, int]:
    """Return the level of each state from the first member of a recurrent class, and the period of the class."""
    levels, queue = np.full(links.shape[0], UNSEEN), np.empty(len(members), np.int64)
    period = measure_levels(links.indptr, links.indices, members[0], levels, queue)
    return levels, int(period)


def common_period(links: CSRMatrix, classes: Classes) -> int:
    """Return the least common multiple of the periods of the recurrent classes."""
    return math.lcm(*(find_levels(links, classes.members[k])[1] for k in classes.recurrent))


@kernel
def find_components(indptr: Indices, indices: Indices, ends: Flags, found: Places, order: Places) -> int:
    """Number the component of each state in ``found``, and list states as they get it; return how many there are."""
    n = found.size
    number = np.zeros(n, np.int64)
    lowest = np.empty(n, np.int64)
    entry = np.empty(n, np.int64)
    trail = np.empty(n, np.int64)
    waiting = np.empty(n, np.int64)
    seen = listed = top = count = 0
    for root in range(n):
        if number[root]:
            continue
        depth = 0
        trail[0] = root
        while depth >= 0:
            state = trail[depth]
            if not number[state]:
                seen += 1
                number[state] = lowest[state] = seen
                entry[state] = indptr[state]
                waiting[top] = state
                top += 1
            end = entry[state] if ends[state] else np.int64(indptr[state + 1])
            down = False
            while entry[state] < end and not down:
                target = np.int64(indices[entry[state]])
                if not number[target]:
                    depth += 1
                    trail[depth] = target
                    down = True
                else:
                    entry[state] += 1
                    if found[target] == UNSEEN and lowest[target] < lowest[state]:
                        lowest[state] = lowest[target]
            if down:
                continue
            depth -= 1
            if lowest[state] == number[state]:
                member = UNSEEN
                while member != state:
                    top -= 1
                    member = waiting[top]
                    found[member] = count
                    order[listed] = member
                    listed += 1
                count += 1
    return count


@kernel
def mark_left(indptr: Indices, indices: Indices, ends: Flags, found: Places, left: Flags) -> None:
    """Mark the components that an arrow leaves."""
    for state in range(found.size):
        if not ends[state]:
            for entry in range(indptr[state], indptr[state + 1]):
                if found[indices[entry]] != found[state]:
                    left[found[state]] = True


@kernel
def measure_levels(indptr: Indices, indices: Indices, start: np.int64, levels: Places, queue: Places) -> np.int64:
    """Set the levels in a class that no arrow leaves, breadth first; return the divisor of all differences round it."""
    divisor = np.int64(0)
    levels[start] = 0
    queue[0] = start
    known = 1
    for place in range(queue.size):
        state = queue[place]
        for entry in range(indptr[state], indptr[state + 1]):
            target = np.int64(indices[entry])
            if levels[target] == UNSEEN:
                levels[target] = levels[state] + 1
                queue[known] = target
                known += 1
            rest = abs(levels[state] + 1 - levels[target])
            while rest:
                divisor, rest = rest, divisor % rest
    return divisor


@kernel
def mark_reaching(indptr: Indices, indices: Indices, order: Places, labels: Places, marked: Flags) -> None:
    """Mark the classes that lead to a marked one; states are in an order in which classes follow those they lead to."""
    for state in order:
        for entry in range(indptr[state], indptr[state + 1]):
            if marked[labels[indices[entry]]]:
                marked[labels[state]] = True
