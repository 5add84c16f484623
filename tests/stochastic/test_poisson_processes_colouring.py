"""Superposing, splitting and thinning, and processes with jumps: wholes and parts, the colouring theorem by tests."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.stochastic import (
    CompoundPoissonProcess,
    Deterministic,
    Exponential,
    InhomogeneousPoissonProcess,
    PoissonProcess,
    split,
    superpose,
    thin,
)
from smlib.stochastic.poisson_processes.colouring import as_cumulative
from tests.stochastic.poisson_counts import assert_independent_poisson, wave

rising = st.lists(st.floats(0.0, 50.0) | st.integers(0, 5).map(float), max_size=30).map(sorted)


@pytest.mark.interpreted
@given(st.lists(rising, max_size=6))
def test_superposing_is_sorting(runs: list[list[float]]) -> None:
    merged = superpose(*runs)
    assert merged.tolist() == sorted(time for run in runs for time in run)
    assert not any(np.shares_memory(merged, np.asarray(run)) for run in runs)


@pytest.mark.interpreted
@given(
    rising,
    st.lists(st.integers(0, 4), min_size=1, max_size=5).filter(any),
    st.integers(0, 2**32),
)
def test_superposed_parts_are_the_whole(times: list[float], weights: list[int], seed: int) -> None:
    parts = split(times, np.array(weights) / sum(weights), seed)
    assert len(parts) == len(weights)
    assert superpose(*parts).tolist() == times
    assert all(part.size == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@given(rising, st.floats(0.0, 1.0), st.integers(0, 2**32))
def test_what_is_left_was_there(times: list[float], probability: float, seed: int) -> None:
    left = thin(times, probability, seed)
    assert (np.diff(left) >= 0).all()
    assert not set(left.tolist()) - set(times)
    assert thin(times, 1.0, seed).tolist() == times
    assert thin(times, 0, seed).size == 0
    assert thin(times, lambda t: t < 3.0, seed).tolist() == [time for time in times if time < 3.0]
    # One toss an arrival: thinning by p keeps the arrivals of the first of two colours.
    assert left.tolist() == split(times, [probability, 1.0 - probability], seed)[0].tolist()


def test_no_toss_is_above_all_colours() -> None:
    """Sums of fractions are not 1 but for rounding; the colour after the last one would lie beyond the array."""
    for chances in ([0.1] * 10, [0.1] * 10 + [0.0], [0.3, 0.3, 0.4 - 5e-10, 0.0, 0.0]):
        cumulative = as_cumulative(chances)
        assert cumulative[-1] == 1.0
        assert (cumulative == 1.0).sum() == 1 + chances.count(0.0)


def test_what_is_given_is_not_written_to() -> None:
    times = PoissonProcess(9.0).sample(10.0, 1)
    before = times.copy()
    thin(times, 0.5, 1), thin(times, lambda t: t * 0.1, 1), split(times, [0.5, 0.5], 1), superpose(times, times)
    assert (times == before).all()


def test_the_colours_are_independent_poisson_processes() -> None:
    """Thirty days of 500 hours; the three colours in each hour. In one process the sum would be what is fixed."""
    times = PoissonProcess(6.0).sample(15_000.0, 31)
    chances = np.array([0.5, 0.2, 0.3])
    parts = split(times, chances, 32)
    counts = np.array([np.histogram(part, np.arange(15_001))[0] for part in parts]).T
    assert_independent_poisson(counts, 6.0 * chances)


def test_colours_of_a_number_that_is_fixed_are_not_independent() -> None:
    """The same test does fail where the theorem does not hold: six arrivals an hour, no more and no less."""
    times = np.sort(np.repeat(np.arange(15_000.0), 6) + np.random.default_rng(1).random(90_000))
    parts = split(times, [0.5, 0.5], 32)
    counts = np.array([np.histogram(part, np.arange(15_001))[0] for part in parts]).T
    assert counts.sum(axis=1).tolist() == [6] * 15_000
    with pytest.raises(AssertionError):
        assert_independent_poisson(counts, np.array([3.0, 3.0]))


def test_superposed_processes_are_poisson_with_the_sum_of_rates() -> None:
    parts = [PoissonProcess(rate).sample(10_000.0, seed) for seed, rate in enumerate((0.5, 1.0, 2.5))]
    whole = superpose(*parts)
    counts = np.histogram(whole, np.arange(10_001))[0]
    assert_independent_poisson(counts.reshape(-1, 2), np.array([4.0, 4.0]))


def test_thinning_by_a_function_is_the_inhomogeneous_process() -> None:
    times = thin(PoissonProcess(3.0).sample(2 * math.pi * 4000, 7), lambda t: wave(t) / 3.0, 8)
    counts = np.histogram(times, np.arange(8001) * math.pi)[0]
    assert_independent_poisson(counts.reshape(-1, 2), np.array([1.5 * math.pi + 3.0, 1.5 * math.pi - 3.0]))
    # And the law is that of the class.
    other = InhomogeneousPoissonProcess(wave, 3.0).sample(2 * math.pi * 4000, 9)
    assert scipy.stats.ks_2samp(times % (2 * math.pi), other % (2 * math.pi)).pvalue > 0.01


# Jumps.


@pytest.mark.parametrize("jumps", [Exponential(0.5), scipy.stats.norm(-1.0, 2.0), Deterministic(3.0)])
def test_mean_and_variance_of_the_sum(jumps: Any) -> None:
    process = CompoundPoissonProcess(2.0, jumps)
    sums = np.array([process.sample(5.0, seed).sizes.sum() for seed in range(4000)])
    mean, var = 10.0 * float(jumps.mean()), 10.0 * float(jumps.var() + jumps.mean() ** 2)
    assert (process.mean(5.0), process.var(5.0)) == pytest.approx((mean, var))
    deviation = math.sqrt(var / sums.size)
    assert abs(sums.mean() - mean) < 3.0 * deviation
    assert sums.var() == pytest.approx(var, rel=0.08)


def test_the_whole_law_of_a_sum_of_exponential_jumps() -> None:
    """A mixture: nothing with the chance exp(-m), and of n jumps the gamma distribution."""
    process = CompoundPoissonProcess(3.0, Exponential(1.0))
    sums = np.array([process.sample(1.0, seed).sizes.sum() for seed in range(3000)])
    n = np.arange(1, 40)

    def law(x: Any) -> Any:
        return math.exp(-3.0) + (scipy.stats.gamma(n).cdf(np.reshape(x, (-1, 1))) * scipy.stats.poisson(3).pmf(n)).sum(
            1
        )

    some = sums[sums > 0]
    assert abs((sums == 0).mean() - math.exp(-3.0)) < 3 * math.sqrt(math.exp(-3) / 3000)
    assert scipy.stats.kstest(some, lambda x: (law(x) - math.exp(-3.0)) / (1 - math.exp(-3.0))).pvalue > 0.01


def test_jumps_and_arrivals() -> None:
    process = CompoundPoissonProcess(2.0, scipy.stats.norm(0.0, 1.0))
    times, sizes = process.sample(1000.0, 3)
    assert times.shape == sizes.shape
    assert (times == PoissonProcess(2.0).sample(1000.0, 3)).all()
    assert all((a == b).all() for a, b in zip(process.sample(1000.0, 3), (times, sizes), strict=True))
    # Nobody says anything of the other.
    assert abs(scipy.stats.spearmanr(np.diff(times, prepend=0.0), sizes).statistic) < 3 / math.sqrt(times.size)
    assert process.sample(0.0).sizes.size == 0
    assert (
        repr(CompoundPoissonProcess(2, Exponential(3))) == "CompoundPoissonProcess(rate=2, jumps=Exponential(rate=3))"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: superpose([1.0], [2.0, 1.0]), r"times of process 1\[1\] is 1.0, before times of process 1\[0\]"),
        (lambda: superpose([-1.0]), r"times of process 0\[0\] is -1.0; times count from 0"),
        (lambda: superpose([math.nan]), r"times of process 0\[0\] is nan"),
        (lambda: superpose([[1.0]]), "has 2 axes"),
        (lambda: split([1.0], []), r"probabilities has the shape \(0,\)"),
        (lambda: split([1.0], 0.5), r"probabilities has the shape \(\)"),
        (lambda: split([1.0], [0.5, 0.4]), "probabilities add up to 0.9, not to 1; append one"),
        (lambda: split([1.0], [1.5, -0.5]), r"probabilities\[1\] is -0.5"),
        (lambda: split([1.0], [math.nan, 1.0]), r"probabilities\[0\] is nan"),
        (lambda: split([2.0, 1.0], [1.0]), r"times\[1\] is 1.0"),
        (lambda: thin([1.0], 1.5), "the probability at t = 1.0 is 1.5; it must lie between 0 and the bound 1.0"),
        (lambda: thin([1.0], -0.5), "the probability at t = 1.0 is -0.5"),
        (lambda: thin([1.0], math.nan), "probability is nan"),
        (lambda: thin([0.5, 1.0], lambda t: 2 * t), "the probability at t = 1.0 is 2.0"),
        (lambda: thin([0.5, 1.0], lambda t: 0.5), r"given 2 times and returned the shape \(\)"),
        (lambda: CompoundPoissonProcess(0.0, Exponential(1.0)), "rate is 0.0"),
        (lambda: CompoundPoissonProcess(1.0, 3.0), "jumps is 3.0; it must be a distribution"),  # type: ignore[arg-type]
        (lambda: CompoundPoissonProcess(1.0, Exponential(1.0)).mean(-1.0), "t is -1.0"),
        (lambda: CompoundPoissonProcess(1.0, Exponential(1.0)).var(math.inf), "t is inf"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
