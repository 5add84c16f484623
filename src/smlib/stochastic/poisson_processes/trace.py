"""Thinning, candidate by candidate: each falls somewhere below the bound, and is kept if it falls below the rate.

At the end the same is done over and over, and the arrivals are counted range by range: as many as the rate is high.

Invariants, computed at every step:
  1. Candidates rise, and lie in [0, t).
  2. A candidate is kept if, and only if, its height is below the rate at its time.
  3. At the end: what was kept is what `InhomogeneousPoissonProcess.sample` returns for the same seed.

Cost: O(1) a step, and copies of what has been drawn so far.

Lewis & Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", *Naval Research Logistics Quarterly* 26
(1979).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from smlib._core.random_streams import as_state, spawn_streams, uniform
from smlib._core.trace import Step
from smlib._core.validate import as_positive
from smlib.stochastic.poisson_processes.arguments import as_horizon
from smlib.stochastic.poisson_processes.homogeneous import arrive
from smlib.stochastic.poisson_processes.inhomogeneous import InhomogeneousPoissonProcess
from smlib.stochastic.poisson_processes.thinning import RateFunction, keep, out_of_bounds, thin_blocks

SAMPLES = 121
BINS, RUNS = 24, 2000


class Candidate(NamedTuple):
    """One that fell below the bound."""

    time: float
    height: float
    rate: float
    kept: bool


def trace(rate_function: RateFunction, bound: float, t: float, *, rng: int = 0) -> Iterator[Step]:
    """Yield the candidates in [0, t), a step each, and at the end how many come of many runs.

    Parameters
    ----------
    rate_function : callable
        From an array of times to the rates there.
    bound : float
        Above 0, and at or above all rates.
    t : float
        Above 0; some thirty times ``1 / bound`` are pleasant to watch.
    rng : int
        A seed.

    Yields
    ------
    Step
        The state has ``candidates`` (of `Candidate`), the ``curve`` (times and rates), ``bound``, ``end``, and at the
        end ``counts``: arrivals a unit of time and run, in ranges of equal length.

    Raises
    ------
    InputError
        As `InhomogeneousPoissonProcess` does.
    """
    process = InhomogeneousPoissonProcess(rate_function, bound)
    end = as_horizon(as_positive(t, "t"), process.bound)
    places = np.linspace(0.0, end, SAMPLES)
    curve = places, np.asarray(rate_function(places), np.float64)
    fixed: dict[str, Any] = {"curve": curve, "bound": process.bound, "end": end, "counts": None}
    candidates: tuple[Candidate, ...] = ()
    caption = f"Candidates will come at the rate {process.bound:g}, the bound; the curve is the rate that is wanted."
    yield Step(caption, {**fixed, "candidates": candidates}, arrive, _check(candidates, end))

    gaps, coins = spawn_streams(rng, 2)
    now, one = 0.0, np.empty(1)
    while True:
        before = now
        fell, now, gaps = arrive(as_state(gaps), now, end, 1.0 / process.bound, one)
        if fell == 0:
            break
        height = float(uniform(as_state(coins))[0]) * process.bound
        rates = np.asarray(rate_function(one.copy()), np.float64)
        kept, coins = keep(as_state(coins), one.copy(), rates, process.bound)
        if kept < 0:
            raise out_of_bounds(now, float(rates[0]), process.bound)
        candidates = (*candidates, Candidate(now, height, float(rates[0]), bool(kept)))
        caption = (
            f"At {now:.2f}, {now - before:.2f} after the last, one falls to the height {height:.2f}. The rate there is "
            f"{rates[0]:.2f}: it is {'kept' if kept else 'dropped'}."
        )
        question = "Where will the next one fall, and will it be kept?"
        yield Step(caption, {**fixed, "candidates": candidates}, keep, _check(candidates, end), question)

    times = [candidate.time for candidate in candidates if candidate.kept]
    caption = f"The next would come at {now:.2f}, after the end. Of {len(candidates)} candidates {len(times)} are kept."
    invariants = {
        **_check(candidates, end),
        "what was kept is what the process samples": process.sample(end, rng).tolist() == times,
    }
    yield Step(caption, {**fixed, "candidates": candidates}, arrive, invariants)

    edges = np.linspace(0.0, end, BINS + 1)
    counts = sum(np.histogram(process.sample(end, rng + run), edges)[0] for run in range(RUNS))
    state = {**fixed, "candidates": candidates, "counts": counts / (RUNS * np.diff(edges))}
    caption = f"{RUNS:,} runs like this one: the arrivals a unit of time, as many as the curve is high."
    yield Step(caption, state, thin_blocks, invariants, "What will the numbers of many runs be?")


def _check(candidates: tuple[Candidate, ...], end: float) -> dict[str, bool]:
    times = [0.0, *(candidate.time for candidate in candidates)]
    return {
        "candidates rise, and lie before the end": all(a <= b < end for a, b in itertools.pairwise(times)),
        "kept is what fell below the rate": all(item.kept == (item.height < item.rate) for item in candidates),
    }
