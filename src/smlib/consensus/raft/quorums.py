"""Majorities: how many nodes are enough, what they have reached, and how they have voted.

Any two majorities of the same nodes have a node in common. All of Raft's safety hangs on this: whoever is elected by a
majority has the vote of one that has each entry which a majority has stored.

By hand. Five nodes have stored 9, 4, 7, 7 and 2 entries. In order: 2 4 7 7 9. Three of them, a majority, have the entry
in the middle, 7, and all before it; not so 8. Of four nodes a majority is three, too: 2 4 7 9 gives 4.

Cost: O(n log n) for n nodes, which are few.

Ongaro & Ousterhout (2014), sections 5.2 and 5.3.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum


class VoteResult(Enum):
    """How a vote stands."""

    PENDING = "pending"
    WON = "won"
    LOST = "lost"


def majority(size: int) -> int:
    """Return how many of `size` nodes are a majority: more than half of them."""
    return size // 2 + 1


def majority_index(indexes: Collection[int]) -> int:
    """Return the greatest index that a majority has reached, of one index for each node.

    Examples
    --------
    >>> majority_index([9, 4, 7, 7, 2]), majority_index([9, 4, 7, 2])
    (7, 4)
    """
    return sorted(indexes)[len(indexes) - majority(len(indexes))]


def vote_result(answers: Collection[bool], size: int) -> VoteResult:
    """Return how a vote stands after some of `size` nodes have answered.

    Examples
    --------
    >>> vote_result([True, False], 3).value, vote_result([True, False, False], 4).value
    ('pending', 'lost')
    """
    granted = sum(answers)
    if granted >= majority(size):
        return VoteResult.WON
    if granted + size - len(answers) < majority(size):
        return VoteResult.LOST
    return VoteResult.PENDING
