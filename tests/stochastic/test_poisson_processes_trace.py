"""The trace shows the candidates of the process itself, and says so if one is judged wrongly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.random_streams import spawn_streams
from smlib.errors import InputError
from smlib.stochastic import InhomogeneousPoissonProcess
from smlib.stochastic.poisson_processes import trace as module
from smlib.stochastic.poisson_processes.homogeneous import arrival_blocks
from smlib.stochastic.poisson_processes.thinning import keep
from smlib.stochastic.poisson_processes.trace import trace
from smlib.viz import Trace
from smlib.viz.layouts.stochastic.poisson_processes import BOUND, HOURS, SEED, draw_thinning, rush, thin_a_day
from tests.stochastic.poisson_counts import wave


@pytest.mark.interpreted
def test_the_story_of_a_day() -> None:
    steps = list(thin_a_day())
    times = InhomogeneousPoissonProcess(rush, BOUND).sample(HOURS, SEED)
    candidates = next(arrival_blocks(spawn_streams(SEED, 2)[0], HOURS, 1.0 / BOUND, 1000))
    assert len(steps) == 1 + candidates.size + 2
    shown = steps[-1].state["candidates"]
    assert [item.time for item in shown] == candidates.tolist()
    assert [item.time for item in shown if item.kept] == times.tolist()
    assert all(all(step.invariants.values()) for step in steps)
    assert steps[0].state["candidates"] == ()
    # Of 2000 runs the bars are as high as the curve, on average over each bin.
    edges = np.linspace(0.0, HOURS, module.BINS + 1)
    expected = np.diff(InhomogeneousPoissonProcess(rush, BOUND).cumulative_rate(edges))
    deviations = (steps[-1].state["counts"] - expected) / np.sqrt(expected / module.RUNS)
    assert np.abs(deviations).max() < 4.0


@given(st.integers(0, 2**32), st.floats(0.01, 8.0), st.floats(3.0, 9.0))
def test_invariants_hold_on_any_run(seed: int, t: float, bound: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RUNS", 2)
        for step in trace(wave, bound, t, rng=seed):
            assert step.invariants
            assert all(value is True for value in step.invariants.values()), (step.caption, step.invariants)


def test_a_wrong_judgement_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep_the_others(coins: Any, times: Any, rates: Any, bound: float) -> Any:
        kept, coins = keep(coins, times, rates, bound)
        return 1 - kept, coins

    monkeypatch.setattr(module, "keep", keep_the_others)
    steps = list(thin_a_day())
    assert all(steps[0].invariants.values())
    broken = {name for step in steps for name, holds in step.invariants.items() if not holds}
    assert broken == {"kept is what fell below the rate", "what was kept is what the process samples"}


def test_other_rates_can_be_drawn() -> None:
    drawn = Trace("waves", trace(wave, 3.0, 5.0, rng=1), draw_thinning)
    assert len(drawn.scenes) > 5
    assert "<svg" in drawn.to_svg(-1)
    Trace("nothing", trace(wave, 3.0, 0.01, rng=1), draw_thinning).to_html()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((wave, 0.0, 5.0), "bound is 0.0"),
        ((wave, 3.0, 0.0), "t is 0.0; it must be more than 0"),
        ((wave, 1.0, 50.0), "the rate at t = .* must lie between 0 and the bound 1.0"),
    ],
)
def test_bad_input_is_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(trace(*arguments))
