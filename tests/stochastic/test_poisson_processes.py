"""Poisson processes: the books' numbers, the law of counts and gaps by fixed seeds, and SciPy beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.random_streams import as_state, new_stream, spawn_streams, uniform
from smlib.errors import InputError
from smlib.stochastic import InhomogeneousPoissonProcess, PoissonProcess
from smlib.stochastic.poisson_processes import homogeneous, thinning
from smlib.stochastic.poisson_processes.homogeneous import arrival_blocks
from smlib.stochastic.poisson_processes.thinning import thin_blocks
from tests.stochastic.poisson_counts import assert_independent_poisson, wave, wave_integral


@pytest.mark.interpreted
def test_the_books_numbers() -> None:
    """Bortkiewicz' table of 200 corps-years; and Bertsekas & Tsitsiklis, example 6.8: emails at 0.2 an hour.

    No new message in an hour: exp(-0.2) = 0.819; one in the last of one: 0.2 exp(-0.2) = 0.164.
    """
    expected = 200 * np.asarray(PoissonProcess(0.61).pmf(range(5), 1.0))
    np.testing.assert_allclose(expected, [108.67, 66.29, 20.22, 4.11, 0.63], atol=0.005)
    emails = PoissonProcess(0.2)
    assert emails.pmf(0, 1.0) == pytest.approx(0.819, abs=5e-4)
    assert emails.pmf(1, 1.0) == pytest.approx(0.164, abs=5e-4)


@pytest.mark.parametrize("mean", [0.0, 1e-12, 0.61, 7.0, 150.0, 1e6])
def test_chances_are_scipys(mean: float) -> None:
    n = np.unique(np.r_[0:12, np.maximum(np.linspace(mean - 9 * math.sqrt(mean), mean + 9 * math.sqrt(mean), 50), 0)])
    ours = np.asarray(PoissonProcess(0.5).pmf(np.floor(n), 2.0 * mean))
    np.testing.assert_allclose(ours, scipy.stats.poisson(mean).pmf(np.floor(n)), rtol=1e-8, atol=1e-300)
    assert np.asarray(PoissonProcess(1.0).pmf([-1, 0.5, math.inf, -math.inf], mean)).tolist() == [0.0] * 4


@pytest.mark.interpreted
@given(st.floats(0.01, 300.0), st.floats(0.0, 1.0), st.integers(0, 2**64))
def test_times_rise_and_lie_in_the_range(mean: float, part: float, seed: int) -> None:
    t = 5.0 * part
    times = PoissonProcess(mean / 5.0).sample(t, seed)
    assert (np.diff(times) >= 0.0).all()
    assert ((times >= 0.0) & (times < max(t, 5e-324))).all()
    assert (times == PoissonProcess(mean / 5.0).sample(t, seed)).all()


def test_arrivals_up_to_an_earlier_time_are_the_first_ones() -> None:
    long = PoissonProcess(3.0).sample(100.0, 7)
    for t in (0.0, 0.1, 1.0, 33.3):
        assert (PoissonProcess(3.0).sample(t, 7) == long[long < t]).all()


def test_gaps_are_exponential_and_independent() -> None:
    times = PoissonProcess(2.5).sample(40_000.0, 11)
    gaps = np.diff(times, prepend=0.0)
    assert scipy.stats.kstest(gaps, scipy.stats.expon(scale=0.4).cdf).pvalue > 0.01
    # The products of neighbours have the mean of independent ones.
    ranks = scipy.stats.rankdata(gaps)
    assert abs(scipy.stats.pearsonr(ranks[:-1], ranks[1:]).statistic) < 3.0 / math.sqrt(gaps.size)


def test_counts_are_poisson_and_independent() -> None:
    times = PoissonProcess(3.0).sample(20_000.0, 12)
    counts = np.histogram(times, np.arange(20_001))[0]
    assert_independent_poisson(counts.reshape(-1, 2), np.array([3.0, 3.0]))


def test_places_are_uniform_given_their_number() -> None:
    samples = [PoissonProcess(5.0).sample(1.0, seed) for seed in range(2000)]
    assert scipy.stats.kstest(np.concatenate(samples), "uniform").pvalue > 0.01
    sixes = np.array([times for times in samples if times.size == 6])
    assert len(sixes) > 250
    for k in range(6):
        assert scipy.stats.kstest(sixes[:, k], scipy.stats.beta(k + 1, 6 - k).cdf).pvalue > 0.005


def test_blocks_of_any_length_make_the_same_arrivals() -> None:
    whole = PoissonProcess(40.0).sample(10.0, 3)
    for length in (1, 2, 7, whole.size, whole.size + 1, 5000):
        blocks = list(arrival_blocks(new_stream(3), 10.0, 1.0 / 40.0, length))
        assert all(block.size == length for block in blocks[:-1])
        assert (np.concatenate(blocks) == whole).all()


def test_more_arrivals_than_were_thought_of(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = PoissonProcess(40.0).sample(10.0, 3)
    monkeypatch.setattr(homogeneous.math, "sqrt", lambda x: -1.5 * x / 10)  # type: ignore[attr-defined]
    assert (PoissonProcess(40.0).sample(10.0, 3) == whole).all()


# Rates that change.


@pytest.mark.interpreted
def test_thinning_by_hand() -> None:
    """Candidates and tosses, drawn from the same two streams with nothing but a loop."""
    gaps, coins = spawn_streams(9, 2)
    candidates = next(arrival_blocks(gaps, 20.0, 1.0 / 3.0, 1000))
    tosses = np.empty(candidates.size)
    for k in range(candidates.size):
        tosses[k], coins = uniform(as_state(coins))
    expected = [t for t, toss in zip(candidates, tosses, strict=True) if 3.0 * toss < 1.5 * (1.0 + math.sin(t))]
    assert InhomogeneousPoissonProcess(wave, 3.0).sample(20.0, 9).tolist() == expected
    assert 0.3 < len(expected) / candidates.size < 0.7


@given(st.integers(0, 2**64), st.floats(0.0, 30.0), st.floats(3.0, 9.0))
@pytest.mark.interpreted
def test_thinned_times_rise_and_lie_in_the_range(seed: int, t: float, bound: float) -> None:
    times = InhomogeneousPoissonProcess(wave, bound).sample(t, seed)
    assert (np.diff(times) >= 0.0).all()
    assert ((times >= 0.0) & (times < t)).all()


def test_blocks_and_compilation_do_not_change_the_arrivals(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = numba.njit(wave)
    process = InhomogeneousPoissonProcess(wave, 3.0)
    whole = process.sample(9000.0, 5)
    assert whole.size > thinning.BLOCK
    assert (InhomogeneousPoissonProcess(compiled, 3.0).sample(9000.0, 5) == whole).all()
    for length in (1000, 4096, 1 << 20):
        monkeypatch.setattr(thinning, "BLOCK", length)
        assert (process.sample(9000.0, 5) == whole).all()
        assert (InhomogeneousPoissonProcess(compiled, 3.0).sample(9000.0, 5) == whole).all()
    monkeypatch.setattr(thinning, "BLOCK", 1)
    short = whole[whole < 10.0]
    assert (process.sample(10.0, 5) == short).all()
    assert (np.concatenate(list(thin_blocks(wave, 3.0, 10.0, *spawn_streams(5, 2)))) == short).all()


@pytest.mark.parametrize("bound", [3.0, 11.0])
def test_thinned_counts_are_poisson_with_the_integral_as_mean(bound: float) -> None:
    """Four quarters of a wave, 4000 waves; the bound does not matter."""
    wavelength = 2.0 * math.pi
    times = InhomogeneousPoissonProcess(wave, bound).sample(4000 * wavelength, 21)
    counts = np.histogram(times, np.arange(16_001) * wavelength / 4)[0]
    assert_independent_poisson(counts.reshape(-1, 4), np.diff(wave_integral(np.linspace(0.0, wavelength, 5))))


def test_a_constant_rate_is_the_bound_of_itself() -> None:
    """Every candidate is kept: what is left is the process of the bound."""
    gaps, _ = spawn_streams(2, 2)
    all_of_them = np.concatenate(list(arrival_blocks(gaps, 50.0, 1.0 / 2.0, 64)))
    assert (InhomogeneousPoissonProcess(lambda t: np.full_like(t, 2.0), 2.0).sample(50.0, 2) == all_of_them).all()
    assert InhomogeneousPoissonProcess(np.zeros_like, 2.0).sample(50.0, 2).size == 0


def test_rates_without_sense() -> None:
    assert InhomogeneousPoissonProcess(lambda t: t < 9.0, 1.0).sample(99.0, 3).max() < 9.0
    assert InhomogeneousPoissonProcess(lambda t: (t < 3).astype(int), 1).sample(0.0, 1).size == 0
    # A rate may be above its bound by rounding.
    assert InhomogeneousPoissonProcess(lambda t: np.full_like(t, 0.1 + 0.2), 0.3).sample(99.0, 1).size


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (lambda t: 1.0 + t, r"the rate at t = (\S+) is (\S+); it must lie between 0 and the bound 2.0"),
        (lambda t: 1.0 - t, r"the rate at t = (\S+) is (-\S+); it must lie between 0 and the bound 2.0"),
        (lambda t: t / (t > 1.0) * 0.2, r"the rate at t = (\S+) is (inf); it must lie"),
        (lambda t: 1.0 + 0.0 * np.log(0.5 - t), r"the rate at t = (\S+) is (nan); it must lie"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_rates_out_of_bounds_are_named(rate: Callable[[Any], Any], told: str, compiled: bool) -> None:
    """Plain and compiled say the same: the first candidate that is out of bounds, with its rate."""
    function = numba.njit(rate, error_model="numpy") if compiled else rate
    with pytest.raises(InputError, match=told) as raised:
        InhomogeneousPoissonProcess(function, 2.0).sample(500.0, 4)
    words = str(raised.value).split()
    time, value = float(words[5]), float(words[7].rstrip(";"))
    first = next(arrival_blocks(spawn_streams(4, 2)[0], 500.0, 0.5, 5000))
    assert time in first
    assert value == pytest.approx(float(rate(np.array([time]))[0]), nan_ok=True)
    before = np.asarray(rate(first[first < time]))
    assert ((before >= 0.0) & (before <= 2.0)).all()


def test_a_rate_function_cannot_change_the_times() -> None:
    def fold(t: Any) -> Any:
        t %= 1.0
        return t

    with pytest.raises(ValueError, match="read-only"):
        InhomogeneousPoissonProcess(fold, 1.0).sample(9.0, 1)
    # One that returns what it was given is harmless.
    assert (np.diff(InhomogeneousPoissonProcess(lambda t: t, 50.0).sample(50.0, 1)) >= 0).all()


def test_the_integral_is_scipys() -> None:
    process = InhomogeneousPoissonProcess(wave, 3.0)
    times = np.array([0.0, 0.5, 0.5, 3.0, 20.0])
    reference = [scipy.integrate.quad(wave, 0.0, t, limit=200)[0] for t in times]
    np.testing.assert_allclose(process.cumulative_rate(times), reference, atol=1e-8)
    np.testing.assert_allclose(process.cumulative_rate(3.0), reference[3], atol=1e-8)
    np.testing.assert_allclose(process.cumulative_rate(times), wave_integral(times), atol=1e-8)
    assert PoissonProcess(3.0).cumulative_rate([1, 2]).tolist() == [3.0, 6.0]
    assert process.cumulative_rate([]).size == 0


def test_repr() -> None:
    assert repr(PoissonProcess(2)) == "PoissonProcess(rate=2)"
    assert repr(InhomogeneousPoissonProcess(np.zeros_like, 2)).endswith(", bound=2)")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PoissonProcess(0.0), "rate is 0.0; it must be more than 0"),
        (lambda: PoissonProcess(-1.0), "rate is -1.0"),
        (lambda: PoissonProcess(math.nan), "rate is nan; it must be finite"),
        (lambda: PoissonProcess("fast"), "rate is 'fast'; it must be a number"),  # type: ignore[arg-type]
        (lambda: PoissonProcess(1.0).sample(-1.0), "t is -1.0; it must be at least 0"),
        (lambda: PoissonProcess(1.0).sample(math.inf), "t is inf; it must be finite"),
        (lambda: PoissonProcess(1.0).sample(1e12), r"1e\+12 arrivals are to be expected by t = 1000000000000.0"),
        (lambda: PoissonProcess(1e300).sample(1e300), "inf arrivals are to be expected"),
        (lambda: PoissonProcess(1.0).sample(1.0, "seed"), "rng is 'seed'"),  # type: ignore[arg-type]
        (lambda: PoissonProcess(1.0).pmf(1, -1.0), "t is -1.0"),
        (lambda: PoissonProcess(1.0).pmf(math.nan, 1.0), "n has an entry that is no number"),
        (lambda: InhomogeneousPoissonProcess(3.0, 1.0), "rate_function is 3.0; it must be a function"),  # type: ignore[arg-type]
        (lambda: InhomogeneousPoissonProcess(wave, 0.0), "bound is 0.0; it must be more than 0"),
        (lambda: InhomogeneousPoissonProcess(wave, 3.0).sample(1e12), "arrivals are to be expected"),
        (
            lambda: InhomogeneousPoissonProcess(lambda t: 1.0, 3.0).sample(9.0, 1),
            r"returned the shape \(\); it takes an",
        ),
        (lambda: InhomogeneousPoissonProcess(lambda t: None, 3.0).sample(9.0, 1), r"returned the shape \(\)"),
        (lambda: InhomogeneousPoissonProcess(wave, 3.0).cumulative_rate([2.0, 1.0]), r"times\[1\] is 1.0, before"),
        (lambda: InhomogeneousPoissonProcess(lambda t: 1 / t, 3.0).cumulative_rate(1.0), "could not be integrated"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
