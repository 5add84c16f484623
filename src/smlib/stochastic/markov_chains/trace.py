"""A walk on a small chain, and where it may be: chance settles soon, a walk takes its time.

What there is to see. At the start it is known where the walker is. After a step there are some places where it may be,
after two more of them, and soon the chances hardly change any more: they are those of the stationary distribution,
wherever the walk began. The walker never settles; it goes on and on. But the share of its time that it spends in each
state comes to the same numbers. That takes longer: the chances are off by a factor less each step, the shares by the
square root of the number of steps.

Invariants, computed at every step:
  1. The chances are what NumPy finds with a power of the matrix, and add up to 1.
  2. They never get farther from the stationary distribution, in total variation.
  3. The stationary distribution stays as it is.
  4. The walker takes steps that have a chance, and no others.
  5. Its visits to all states together are the steps that it took, and one.

Cost: O(n^3) for each shown step; a step of the walk is O(1).

Levin, Peres & Wilmer, *Markov Chains and Mixing Times*, sections 1.1 and 4.4; Lawler, *Introduction to Stochastic
Processes*, sections 1.1 to 1.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse

from smlib._core.csr import MatrixLike, as_csr
from smlib._core.random_streams import RandomLike, as_state, new_stream
from smlib._core.trace import Step
from smlib._core.validate import as_count
from smlib.errors import InputError
from smlib.stochastic.markov_chains.chain import MarkovChain
from smlib.stochastic.markov_chains.mixing import advance_by, distance
from smlib.stochastic.markov_chains.walking import build_tables, walk_one

ROUNDING = 1e-12


def trace(
    P: MatrixLike | MarkovChain, times: Sequence[int], *, init: Any = 0, rng: RandomLike = None
) -> Iterator[Step]:
    """Yield the start of a walk, and how things stand at some times after it.

    Parameters
    ----------
    P : array_like, sparse matrix or MarkovChain
        Irreducible; a dozen states at most, to be drawn.
    times : sequence of int
        After how many steps to show: rising, from 1.
    init : state
        Where the walk starts, by name.
    rng : Generator, int or None
        Draws the walk.

    Yields
    ------
    Step
        Its state holds ``P``, ``names``, ``stationary``, ``time``, ``path`` (the states since the step before, as
        numbers, the last of it first), ``chances`` and ``shares`` (of the time so far), and ``curve``: for each time
        shown so far, the time, and the distances of chances and shares from the stationary distribution.

    Raises
    ------
    InputError
        ``P`` is no transition matrix, or not irreducible; ``times`` do not rise; ``init`` is no state.

    Notes
    -----
    Complexity: O(n^3) a time shown.

    References
    ----------
    Levin, Peres & Wilmer, *Markov Chains and Mixing Times*, section 4.4.

    Examples
    --------
    >>> for step in trace([[0.5, 0.5], [0.25, 0.75]], [1, 2, 5], rng=1):
    ...     print(step.caption)
    The walk starts in 0: there is one place where it can be.
    Step 1: the walk is in 0. The chances are 0.17 from the stationary ones, the shares of its time 0.67.
    Step 2: the walk is in 0. The chances are 0.042 from the stationary ones, the shares of its time 0.67.
    Step 5: the walk is in 1. The chances are 0.00065 from the stationary ones, the shares of its time 0.17.
    """
    chain = P if isinstance(P, MarkovChain) else MarkovChain(P)
    if not chain.is_irreducible:
        raise InputError(f"the chain has {chain.num_communication_classes} classes; a walk does not come to all states")
    matrix, pi = scipy.sparse.csr_array(chain.P).toarray(), chain.stationary_distributions[0]
    tables, stream = build_tables(as_csr(matrix)), new_stream(rng)
    names = range(chain.n) if chain.state_values is None else chain.state_values.tolist()
    start = chain.get_index(init)

    time, last, path = 0, int(start), np.array([start])
    visits, chances = np.zeros(chain.n, np.int64), np.eye(chain.n)[start]
    visits[start] = 1
    origin = chances
    curve: list[tuple[int, float, float]] = []
    for until in (0, *(as_count(time, "times") for time in times)):
        if until < time or (curve and until == time):
            raise InputError(f"times holds {until} after {time}; they must rise, from 1 on")
        if until > time:
            path = np.empty(until - time + 1, np.int64)
            path[0] = last
            _, words = walk_one(*tables, path, stream)
            stream = as_state(words)
            visits += np.bincount(path[1:], minlength=chain.n)
            chances = advance_by(matrix, chances, until - time)
            time = until
        last = int(path[-1])
        shares = visits / visits.sum()
        curve.append((time, distance(chances[None], pi), distance(shares[None], pi)))
        exact = origin @ np.linalg.matrix_power(matrix, time)
        yield Step(
            caption=_caption(names[last], curve),
            state={
                "P": matrix.copy(),
                "names": tuple(names),
                "stationary": pi.copy(),
                "time": time,
                "path": tuple(path.tolist()),
                "chances": chances.copy(),
                "shares": shares,
                "curve": tuple(curve),
            },
            source=advance_by if len(path) <= 2 else walk_one,
            invariants={
                "the chances are those of the matrix power": bool(np.abs(chances - exact).max() <= ROUNDING),
                "they add up to 1": bool(abs(chances.sum() - 1.0) <= ROUNDING),
                "they are no farther from the stationary ones than before": len(curve) < 2
                or curve[-1][1] <= curve[-2][1] + ROUNDING,
                "the stationary ones stay as they are": bool(np.abs(pi @ matrix - pi).max() <= ROUNDING),
                "the walk took only steps that have a chance": bool((matrix[path[:-1], path[1:]] > 0.0).all()),
                "all visits together are the steps, and one": int(visits.sum()) == time + 1,
            },
            question=_question(names[last], curve),
        )


def _caption(name: Any, curve: Sequence[tuple[int, float, float]]) -> str:
    time, far, share = curve[-1]
    if time == 0:
        return f"The walk starts in {name}: there is one place where it can be."
    return (
        f"Step {time:,}: the walk is in {name}. The chances are {far:.2g} from the stationary ones, the shares of its "
        f"time {share:.2g}."
    )


def _question(name: Any, curve: Sequence[tuple[int, float, float]]) -> str:
    if len(curve) < 2:
        return ""
    before, now = curve[-2], curve[-1]
    if now[0] == before[0] + 1:
        return "Where will the chances grow in the next step, and where will they fall?"
    return (
        f"{now[0] - before[0]:,} steps follow. The shares of time are {before[2]:.2g} from the stationary ones now; "
        "what will be left of that?"
    )
