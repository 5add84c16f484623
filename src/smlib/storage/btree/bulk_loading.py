"""Bulk loading: a B-tree from sorted items, built level by level from the leaves up, without a comparison.

Between, before and behind n keys there are n + 1 *gaps*. A node of k keys takes k + 1 of them, and the key between
two nodes goes up. So sharing a level out among nodes means to share out its gaps, and that goes without a remainder::

    keys         a   b   c   d   e   f   g   h         8 keys, 9 gaps
    gaps       .   .   .   .   .   .   .   .   .       among 3 nodes: 3 each

    nodes      [ a   b ]   [ d   e ]   [ g   h ]       go up: c and f
    next level             c           f               2 keys, 3 gaps: one for each of the nodes below

A node other than the root takes t to 2 t gaps. To share m gaps out evenly among N nodes gives each m / N of them,
rounded down or up, so that every N with ``t <= m / N <= 2 t`` will do, the last node included. N is what the wish
for how full the nodes should be says, but no more than ``m // t``.

Invariant:
  1. The result is a B-tree, whatever the number of items; the nodes of a level differ by one key at most.

Cost: O(n), and no key is compared here: whoever calls has proved that they are in order.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, problem 18-1 and section 18.1.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from smlib.storage.btree.nodes import Node


def build_nodes(keys: list[Any], values: list[Any], min_degree: int, fill: float) -> Node:
    """Return the root of a tree of sorted keys; a node takes ``fill`` of the most gaps that it can, if that goes."""
    wanted = max(min_degree, round(2 * min_degree * fill))
    nodes: list[Node] = []
    while True:
        gaps = len(keys) + 1
        count = max(1, min(-(-gaps // wanted), gaps // min_degree))
        ends = [gaps * k // count for k in range(count + 1)]
        nodes = [Node(keys[a : b - 1], values[a : b - 1], nodes[a:b]) for a, b in pairwise(ends)]
        if count == 1:
            return nodes[0]
        keys = [keys[end - 1] for end in ends[1:-1]]
        values = [values[end - 1] for end in ends[1:-1]]
