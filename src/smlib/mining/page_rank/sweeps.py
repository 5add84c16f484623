"""Rank that flows along links: the product that PageRank iterates, and the sweep that solves for its fixed point.

Both kernels walk through the links once, from front to back, and ask for one number at the far end of each.
"""

from __future__ import annotations

from smlib._core.csr import Indices
from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.mining.page_rank.sorting import Numbers


@kernel(fast=True)
def pull(indptr: Indices, sources: Numbers, weights: Vector, loops: Vector, y: Vector, pulled: Vector) -> None:
    """Set ``pulled[v]`` to the sum of ``weight * y[source]`` over the links to v; ``y`` is that of the linking ones."""
    start = indptr[0]
    for v in range(pulled.size):
        end = indptr[v + 1]
        total = loops[v] * y[v] if v < y.size else 0.0
        if weights.size:
            for link in range(start, end):
                total += weights[link] * y[sources[link]]
        else:
            for link in range(start, end):
                total += y[sources[link]]
        pulled[v] = total
        start = end


@kernel(fast=True)
def push(indptr: Indices, sources: Numbers, weights: Vector, loops: Vector, x: Vector, pushed: Vector) -> None:
    """Set ``pushed[u]`` to the sum of ``weight * x[target]`` over the links of u: what `pull` does, the other way."""
    for u in range(pushed.size):
        pushed[u] = loops[u] * x[u]
    start = indptr[0]
    for v in range(x.size):
        end = indptr[v + 1]
        for link in range(start, end):
            weight = weights[link] if weights.size else 1.0
            pushed[sources[link]] += weight * x[v]
        start = end


@kernel(fast=True)
def sweep_links(
    indptr: Indices,
    sources: Numbers,
    weights: Vector,
    teleport: Vector,
    alpha: float,
    diagonal: Vector,
    out_weights: Vector,
    column_sums: Vector,
    y: Vector,
) -> tuple[float, float, float]:
    """Meet the equation of each linking vertex in turn, ``diagonal[v] * y[v] = teleport[v] + alpha * pulled``.

    Every new value is used at once. Returned are the sum of the residuals that the sweep met, the rank that the
    vertices have after it, and the sum of the left sides less what the right sides pull.
    """
    met, rank, balance = 0.0, 0.0, 0.0
    start = indptr[0]
    for v in range(y.size):
        end = indptr[v + 1]
        pulled = 0.0
        if weights.size:
            for link in range(start, end):
                pulled += weights[link] * y[sources[link]]
        else:
            for link in range(start, end):
                pulled += y[sources[link]]
        fresh = (teleport[v] + alpha * pulled) / diagonal[v]
        met += diagonal[v] * abs(fresh - y[v])
        rank += out_weights[v] * fresh
        balance += column_sums[v] * fresh
        y[v] = fresh
        start = end
    return met, rank, balance
