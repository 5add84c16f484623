r"""A heap of times: what comes first is on top, and everything else is in no hurry to be sorted.

A heap is a full binary tree in an array. Below place ``k`` are ``2k + 1`` and ``2k + 2``, and nothing below is
earlier than what is above::

              2                  keys   2  5  3  9  6  7  inf
            /   \                 place  0  1  2  3  4  5   6
          5       3
         / \     /
        9   6   7

To take the top away, put something else there and let it sink: the earlier one of the two below rises, again and again.
Which of the two is earlier is a coin toss, and a processor that guesses wrong half of the time loses more time than all
else takes. So the comparison is added to the place instead: ``child += keys[child + 1] < keys[child]``. For this there
must be a key behind the last one, and it must be infinite.

Invariants:
  1. ``keys[k] <= keys[2k + 1]`` and ``keys[k] <= keys[2k + 2]``, as far as they are.
  2. ``keys[count]`` is infinite.

Cost: O(log(count)) a call.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, chapter 6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector

Numbers = NDArray[np.int64]


@kernel
def replace_top(keys: Vector, items: Numbers, count: int, key: float, item: int) -> None:
    """Put another key on top, in place of the first one, and let it sink."""
    place, child = 0, 1
    while child < count:
        child += keys[child + 1] < keys[child]
        if keys[child] >= key:
            break
        keys[place] = keys[child]
        items[place] = items[child]
        place, child = child, 2 * child + 1
    keys[place] = key
    items[place] = item


@kernel
def push(keys: Vector, items: Numbers, count: int, key: float, item: int) -> None:
    """Add a key to ``count`` others: it rises from the end. The arrays need ``count + 2`` places."""
    keys[count + 1] = np.inf
    place = count
    while place > 0:
        above = (place - 1) >> 1
        if keys[above] <= key:
            break
        keys[place] = keys[above]
        items[place] = items[above]
        place = above
    keys[place] = key
    items[place] = item


@kernel
def pop(keys: Vector, items: Numbers, count: int) -> None:
    """Take the top away from ``count`` keys: the last one takes its place, and sinks."""
    key, item = keys[count - 1], items[count - 1]
    keys[count - 1] = np.inf
    if count > 1:
        replace_top(keys, items, count - 1, key, item)
