"""Rank that flows on a small web, a step of the walk or a sweep at a time.

What there is to see. All pages begin with the same rank. At each step it flows along the links, in equal shares, and a
page is as large as what it has then. Where pages link to each other in a circle it gathers; from a dangling page it
comes back to all. What flows soon changes little: the residual falls by the factor alpha or better each time. A sweep
does the same page by page, each with what the pages before it have already got, and then makes the whole right.

Invariants, computed at every step:
  1. The ranks add up to 1.
  2. The residual is what NumPy finds with the full matrix.
  3. The error, as elimination knows it, is within the residual over ``1 - alpha``.
  4. A step makes the residual smaller by the factor alpha at least.

Cost: O(n^3) once for the true ranks; a step is O(links).

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 5.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from smlib._core.trace import Step
from smlib._core.validate import as_count
from smlib.mining.page_rank.links import GraphLike, Links, as_distribution, as_links, in_users_order
from smlib.mining.page_rank.solving import LinkingSystem, as_chance, complete, walk
from smlib.mining.page_rank.sweeps import pull, sweep_links

Matrix = NDArray[np.float64]

ROUNDING = 1e-14


def trace(
    G: GraphLike, steps: int, *, method: Literal["gauss-seidel", "power"] = "power", alpha: float = 0.85
) -> Iterator[Step]:
    """Yield the start, where all vertices have the same rank, and what each step or sweep leaves.

    Parameters
    ----------
    G : graph
        As for `pagerank`; some dozen vertices at most, to be drawn.
    steps : int
        How many.
    method : {"power", "gauss-seidel"}
        Steps of the walk, or sweeps.
    alpha : float
        The chance to follow a link: at least 0, less than 1.

    Yields
    ------
    Step
        Its state holds ``method``, ``steps``, ``ranks`` in the order of the graph, ``links`` (pairs of vertices),
        ``flows`` (what each link carried to make these ranks, or None at the start), and ``residuals`` from the start
        to this step.

    Raises
    ------
    InputError
        As for `pagerank`.

    Notes
    -----
    Complexity: O(m + n^2) a step.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 5.1.

    Examples
    --------
    >>> for step in trace([(0, 1), (1, 0), (1, 2), (2, 0)], 2):
    ...     print(step.caption)
    All pages have the same rank.
    Step 1: 0 gains most. The residual falls by 15% to 0.241.
    Step 2: 1 gains most. The residual falls by 15% to 0.205.
    """
    links, chance = as_links(G), as_chance(alpha)
    rows, n = links.rows, links.size
    names = list(links.places)
    jumps = as_distribution(None, links, "personalization")
    chances = _chances(links)
    google = chance * np.where(chances.sum(axis=1)[:, None] > 0.5, chances, 1.0 / n) + (1.0 - chance) / n
    truth = np.linalg.solve((np.eye(n) - google + 1.0).T, np.ones(n))
    arrows = [(int(u), int(v)) for u, v in np.argwhere(chances)]

    system = LinkingSystem(links, chance, jumps, jumps)
    ranks = jumps
    flows: tuple[float, ...] | None = None
    residuals: list[float] = []
    previous = np.full(n, 1.0 / n)
    total = as_count(steps, "steps")
    for number in range(total + 1):
        if number > 0 and method == "power":
            ranks = walk(links, chance, ranks, float(ranks[rows.linking :].sum()), jumps, jumps)
        elif number > 0:
            system.sweep()
            ranks, _ = complete(links, chance, [system], jumps, jumps)
        shown = in_users_order(links, ranks)
        after = walk(links, chance, ranks, float(ranks[rows.linking :].sum()), jumps, jumps)
        residuals.append(float(np.abs(after - ranks).sum()))
        invariants = {
            "the ranks add up to 1": abs(float(shown.sum()) - 1.0) <= ROUNDING,
            "the residual is that of the full matrix": abs(float(np.abs(shown @ google - shown).sum()) - residuals[-1])
            <= ROUNDING,
            "the error is within the residual / (1 - alpha)": float(np.abs(shown - truth).sum())
            <= residuals[-1] / (1.0 - chance) + n * ROUNDING,
        }
        if number > 0 and method == "power":
            fell = residuals[-1] <= chance * residuals[-2] + ROUNDING
            invariants["the residual fell by the factor alpha at least"] = fell
        if number > 0:
            source_of_flow = previous if method == "power" else shown
            flows = tuple(float(chance * source_of_flow[u] * chances[u, v]) for u, v in arrows)
        yield Step(
            caption=_caption(method, names, shown - previous, residuals),
            state={
                "method": method,
                "steps": total,
                "ranks": shown,
                "links": arrows,
                "flows": flows,
                "residuals": tuple(residuals),
            },
            source=pull if method == "power" else sweep_links,
            invariants=invariants,
            question=_question(residuals, chance),
        )
        previous = shown


def _chances(links: Links) -> Matrix:
    """Return the chance to take each link, as a full matrix in the user's order."""
    rows = links.rows
    weights = rows.weights if rows.weights.size else np.ones(rows.sources.size)
    matrix = np.zeros((links.size, links.size))
    targets = np.repeat(rows.order, np.diff(rows.indptr))
    np.add.at(matrix, (rows.order[rows.sources], targets), weights)
    linking = rows.order[: rows.linking]
    matrix[linking, linking] += rows.loops
    matrix[linking] /= rows.out_weights[:, None]
    return matrix


def _caption(method: str, names: Sequence[Any], gains: Matrix, residuals: list[float]) -> str:
    if len(residuals) == 1:
        return "All pages have the same rank."
    what = "Step" if method == "power" else "Sweep"
    fall = 1.0 - residuals[-1] / residuals[-2] if residuals[-2] > 0.0 else 0.0
    change = f"falls by {fall:.0%} to" if fall >= 0.0 else f"grows by {-fall:.0%} to"
    who = names[int(gains.argmax())]
    return f"{what} {len(residuals) - 1}: {who} gains most. The residual {change} {residuals[-1]:.3g}."


def _question(residuals: list[float], alpha: float) -> str:
    if len(residuals) == 1:
        return ""
    if len(residuals) == 2:
        return "Which page will gain most, when each shares what it has among those to which it links?"
    return f"The residual is {residuals[-2]:.3g}. What is it after the next one, {alpha:g} times as much or less?"
