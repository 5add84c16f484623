"""Fits and tests: SciPy's as references, exactness by enumeration, and p-values that are as uniform as they claim."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from smlib.datasets.horse_kicks import horse_kicks
from smlib.errors import InputError
from smlib.stochastic import (
    InhomogeneousPoissonProcess,
    PoissonProcess,
    dispersion_test,
    fit_log_linear_rate,
    fit_piecewise_rate,
    fit_rate,
    time_rescaling_test,
)
from smlib.stochastic.poisson_processes.goodness_of_fit import durbin, kolmogorov_smirnov
from smlib.stochastic.poisson_processes.rates import inverse_langevin, langevin
from tests.stochastic.poisson_counts import wave, wave_integral


@pytest.mark.interpreted
def test_horses_kick_by_chance() -> None:
    """0.61 a corps-year of the ten corps, 0.70 of all; the index of dispersion near 1 in both."""
    ten, everybody = horse_kicks(all_corps=False).deaths, horse_kicks().deaths
    assert fit_rate(ten.sum(), ten.size).rate == 0.61
    assert fit_rate(everybody.sum(), everybody.size).rate == pytest.approx(0.70)
    assert dispersion_test(ten).index == pytest.approx(1.0, abs=0.01)
    assert dispersion_test(ten).pvalue == pytest.approx(0.96, abs=0.01)
    result = dispersion_test(everybody)
    assert result.index == pytest.approx(everybody.var(ddof=1) / 0.7)
    assert 0.2 < result.pvalue < 0.4


# Garwood's table as it is printed in every handbook: 95 % limits for a count.
GARWOOD = {0: (0.0, 3.6889), 1: (0.0253, 5.5716), 2: (0.2422, 7.2247), 5: (1.6235, 11.6683), 10: (4.7954, 18.3904)}


@pytest.mark.interpreted
@pytest.mark.parametrize("count", GARWOOD)
def test_garwoods_table(count: int) -> None:
    fit = fit_rate(count, 2.0)
    assert (2 * fit.low, 2 * fit.high) == pytest.approx(GARWOOD[count], abs=5e-5)
    assert (fit.rate, fit.count, fit.exposure, fit.confidence) == (count / 2, count, 2.0, 0.95)


@given(st.integers(0, 3000), st.floats(1e-3, 1e3), st.floats(0.5, 0.999))
def test_intervals_are_the_quantiles_of_chi_square(count: int, exposure: float, confidence: float) -> None:
    fit = fit_rate(count, exposure, confidence=confidence)
    beyond = (1 - confidence) / 2
    low = scipy.stats.chi2(2 * count).ppf(beyond) / 2 / exposure if count else 0.0
    high = scipy.stats.chi2(2 * count + 2).isf(beyond) / 2 / exposure
    assert (fit.low, fit.high) == pytest.approx((low, high), rel=1e-9)
    # What they mean: at either end the count would just be surprising.
    if count:
        assert scipy.stats.poisson(fit.low * exposure).sf(count - 1) == pytest.approx(beyond, rel=1e-6)
    assert scipy.stats.poisson(fit.high * exposure).cdf(count) == pytest.approx(beyond, rel=1e-6)


@pytest.mark.parametrize("mean", [0.3, 1.0, 4.2, 17.0])
def test_intervals_hold_the_truth_as_often_as_they_say(mean: float) -> None:
    """The chance of all counts whose interval holds the mean, added up."""
    fits = [(n, fit_rate(n, 1.0)) for n in range(100)]
    coverage = sum(scipy.stats.poisson(mean).pmf(n) for n, fit in fits if fit.low <= mean <= fit.high)
    assert 0.95 <= coverage < 0.998


@given(st.lists(st.floats(0.0, 9.99), max_size=40).map(sorted), st.sets(st.integers(1, 9)))
def test_pieces_are_counts(times: list[float], cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), 10]
    fit = fit_piecewise_rate(times, edges, confidence=0.8)
    assert fit.counts.tolist() == np.histogram(times, edges)[0].tolist()
    assert fit.counts.sum() == len(times)
    for k in range(len(edges) - 1):
        alone = fit_rate(int(fit.counts[k]), edges[k + 1] - edges[k], confidence=0.8)
        assert (fit.rates[k], fit.low[k], fit.high[k]) == pytest.approx((alone.rate, alone.low, alone.high))
        assert fit(edges[k]) == fit(0.5 * (edges[k] + edges[k + 1])) == fit.rates[k]
    assert float(fit.cumulative(10.0)) == pytest.approx(len(times))
    np.testing.assert_allclose(np.diff(fit.cumulative(edges)), fit.counts, atol=1e-9)


def test_a_fitted_rate_is_a_rate() -> None:
    fit = fit_piecewise_rate(InhomogeneousPoissonProcess(wave, 3.0).sample(40.0, 1), np.arange(9) * 5)
    process = InhomogeneousPoissonProcess(fit, fit.rates.max())
    times = np.array([0.0, 2.5, 5.0, 17.0, 39.0])
    np.testing.assert_allclose(process.cumulative_rate(times), fit.cumulative(times), atol=1e-6)
    counts = np.array([np.histogram(process.sample(40.0, seed), fit.edges)[0] for seed in range(400)])
    deviations = (counts.mean(axis=0) - fit.counts) / np.sqrt(fit.counts / 400)
    assert np.abs(deviations).max() < 3.5


@pytest.mark.interpreted
@given(st.floats(-0.9999, 0.9999))
def test_the_inverse_of_langevins_function(mean: float) -> None:
    y = inverse_langevin(mean)
    assert langevin(y)[0] == pytest.approx(mean, abs=1e-11)
    h = 1e-4 * (1.0 + abs(y))
    slope = (langevin(y + h)[0] - langevin(y - h)[0]) / (2 * h)
    assert langevin(y)[1] == pytest.approx(slope, rel=1e-4)


@pytest.mark.parametrize(("level", "slope"), [(4.0, -0.02), (1.0, 0.0), (0.01, 0.08), (30.0, -0.5)])
def test_the_likelihood_is_highest(level: float, slope: float) -> None:
    """SciPy's search over both numbers of the likelihood finds no better place."""
    top = max(level, level * math.exp(100 * slope))
    times = InhomogeneousPoissonProcess(lambda t: level * np.exp(slope * t), top).sample(100.0, 3)

    def loss(x: Any) -> Any:
        return math.exp(x[0]) * (math.expm1(100 * x[1]) / x[1]) - times.size * x[0] - x[1] * times.sum()

    found = scipy.optimize.minimize(
        loss, [math.log(level), slope + 1e-3], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9}
    )
    fit = fit_log_linear_rate(times, 100.0)
    assert (fit.level, fit.slope) == pytest.approx((math.exp(found.x[0]), found.x[1]), rel=1e-4, abs=1e-6)
    assert float(fit.cumulative(100.0)) == pytest.approx(times.size)
    assert (fit.pvalue < 1e-3) == (slope != 0.0)
    grid = np.linspace(0.0, 100.0, 5)
    process = InhomogeneousPoissonProcess(fit, float(fit([0.0, 100.0]).max()))
    np.testing.assert_allclose(process.cumulative_rate(grid), fit.cumulative(grid), rtol=1e-6, atol=1e-6)
    assert process.sample(100.0, 1).size > 0


def test_intervals_of_the_slope_hold_the_truth_as_often_as_they_say() -> None:
    process = InhomogeneousPoissonProcess(lambda t: 4.0 * np.exp(-0.02 * t), 4.0)
    fits = [fit_log_linear_rate(process.sample(100.0, seed), 100.0, confidence=0.8) for seed in range(500)]
    held = sum(fit.low < -0.02 < fit.high for fit in fits)
    assert scipy.stats.binomtest(held, 500, 0.8).pvalue > 0.01


def test_a_trend_that_is_none() -> None:
    fit = fit_log_linear_rate([1.0, 2.0, 3.0], 4.0)
    assert (fit.slope, fit.level, fit.pvalue) == (0.0, 0.75, 1.0)
    assert fit.cumulative([0.0, 4.0]).tolist() == [0.0, 3.0]


def test_pvalues_of_laplaces_test_are_uniform() -> None:
    pvalues = [fit_log_linear_rate(PoissonProcess(30.0).sample(1.0, seed), 1.0).pvalue for seed in range(500)]
    assert scipy.stats.kstest(pvalues, "uniform").pvalue > 0.01


# Tests of counts.


@given(st.lists(st.integers(0, 9), min_size=2, max_size=30).filter(any))
def test_dispersion_is_chi_square_of_equal_means(counts: list[int]) -> None:
    result = dispersion_test(counts)
    reference = scipy.stats.chisquare(counts)
    assert result.statistic == pytest.approx(reference.statistic)
    assert result.index == pytest.approx(np.var(counts, ddof=1) / np.mean(counts))
    upper = float(reference.pvalue)
    assert result.pvalue == pytest.approx(2 * min(upper, 1 - upper), abs=1e-12)


def test_pvalues_of_dispersion_are_uniform_for_poisson_counts_only() -> None:
    pvalues, crowds = [], []
    for seed in range(400):
        counts = np.histogram(PoissonProcess(4.0).sample(100.0, seed), np.arange(101))[0]
        pvalues.append(dispersion_test(counts).pvalue)
        rates = 4.0 * np.random.default_rng(seed).gamma(4.0, 0.25, 100)
        crowds.append(dispersion_test(np.random.default_rng(seed).poisson(rates)).pvalue)
    assert scipy.stats.kstest(pvalues, "uniform").pvalue > 0.01
    assert np.mean(np.array(crowds) < 0.05) > 0.9


# Tests of times.


@pytest.mark.interpreted
def test_durbins_places_by_hand() -> None:
    """Gaps .1 .4 .2 .3, sorted .1 .2 .3 .4: each step of .1 counts 4, 3, 2, 1 times. Equal gaps go to one end."""
    np.testing.assert_allclose(durbin(np.array([0.1, 0.5, 0.7])), [0.4, 0.7, 0.9])
    np.testing.assert_allclose(durbin(np.array([0.25, 0.5, 0.75])), [1.0, 1.0, 1.0])
    np.testing.assert_allclose(durbin(np.array([0.5, 0.5, 0.5])), [0.0, 0.0, 1.0])


@given(st.lists(st.floats(0.0, 1.0, exclude_max=True), min_size=1, max_size=50).map(sorted))
def test_the_distance_is_scipys(places: list[float]) -> None:
    ours = kolmogorov_smirnov(np.array(places))
    reference = scipy.stats.kstest(places, "uniform")
    assert ours.statistic == pytest.approx(reference.statistic, abs=1e-15)


@pytest.mark.parametrize(
    ("n", "error"), [(1, 0.07), (2, 0.07), (5, 0.008), (10, 0.0025), (30, 5e-4), (1000, 5e-5), (1001, 5e-5)]
)
def test_the_chance_of_a_distance_is_scipys(n: int, error: float) -> None:
    for distance in np.linspace(0.5 / n, 0.999, 300):
        places = (np.arange(n) + 0.5) / n
        places = np.minimum(places * (1 - distance + 0.5 / n), places)
        ours = kolmogorov_smirnov(places)
        exact = scipy.stats.kstwo(n).sf(ours.statistic)
        assert ours.pvalue == pytest.approx(exact, abs=error)
        if exact < 0.05:
            assert ours.pvalue == pytest.approx(exact, rel=0.01 if n <= 1000 else 0.05, abs=0.0 if n <= 1000 else 1e-10)


def test_pvalues_are_uniform_on_the_clock_of_the_rate() -> None:
    """Few arrivals, so that nothing but exactness helps; gaps and places both."""
    results = []
    for seed in range(600):
        times = InhomogeneousPoissonProcess(wave, 3.0).sample(7.0, seed)
        results.append(time_rescaling_test(times, 7.0, wave_integral))
    for values in ([r.places.pvalue for r in results], [r.gaps.pvalue for r in results]):
        assert scipy.stats.kstest(values, "uniform").pvalue > 0.01
    both = [2 * min(r.places.pvalue, r.gaps.pvalue) for r in results]
    assert [r.pvalue for r in results] == [min(1.0, p) for p in both]


def test_each_question_sees_what_it_is_for() -> None:
    """A rate that is another one moves the places; crowds, and clocks that tick, change the gaps."""
    times = InhomogeneousPoissonProcess(wave, 3.0).sample(7.0 * math.pi, 3)
    assert time_rescaling_test(times, 7.0 * math.pi, wave_integral).pvalue > 0.1
    rush = InhomogeneousPoissonProcess(lambda t: 2.0 * t, 40.0).sample(20.0, 1)
    assert time_rescaling_test(rush, 20.0).places.pvalue < 1e-9
    crowds = np.sort((PoissonProcess(1.0).sample(90.0, 4)[:, np.newaxis] + [0.0, 0.01, 0.02]).ravel())
    result = time_rescaling_test(crowds, 100.0)
    assert result.gaps.pvalue < 1e-9
    ticks = np.arange(100) + 0.1 * np.random.default_rng(1).random(100)
    result = time_rescaling_test(ticks, 100.0)
    assert result.gaps.pvalue < 1e-9
    assert result.places.pvalue > 0.5


@pytest.mark.interpreted
def test_a_clock_may_be_a_method_and_only_its_shape_counts() -> None:
    process = InhomogeneousPoissonProcess(wave, 3.0)
    times = process.sample(20.0, 2)
    by_quadrature = time_rescaling_test(times, 20.0, process.cumulative_rate)
    by_formula = time_rescaling_test(times, 20.0, lambda t: 7.0 * wave_integral(t))
    assert by_quadrature.pvalue == pytest.approx(by_formula.pvalue, rel=1e-6)
    np.testing.assert_allclose(by_formula.rescaled, wave_integral(times) / wave_integral(20.0))
    constant = time_rescaling_test(times, 20.0)
    assert constant.pvalue == time_rescaling_test(times, 20.0, PoissonProcess(3.0).cumulative_rate).pvalue
    assert "places" in repr(constant)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_rate(-1, 1.0), "count is -1"),
        (lambda: fit_rate(0.5, 1.0), "count is 0.5; it must be an integer"),  # type: ignore[arg-type]
        (lambda: fit_rate(1, 0.0), "exposure is 0.0; it must be more than 0"),
        (lambda: fit_rate(1, 1.0, confidence=1.0), "confidence is 1.0; it must lie between 0 and 1"),
        (lambda: fit_rate(1, 1.0, confidence=95), "confidence is 95.0"),
        (lambda: fit_piecewise_rate([1.0], [0.0]), r"edges has the shape \(1,\)"),
        (lambda: fit_piecewise_rate([1.0], [1.0, 2.0]), "edges begin at 1.0 and must begin at 0"),
        (lambda: fit_piecewise_rate([1.0], [0.0, 2.0, 2.0]), "each must be above the one before"),
        (lambda: fit_piecewise_rate([1.0], [0.0, math.inf]), r"edges\[1\] is inf"),
        (
            lambda: fit_piecewise_rate([2.0], [0.0, 2.0]),
            "times reaches 2.0, but arrivals were looked for up to t = 2.0",
        ),
        (lambda: fit_log_linear_rate([], 1.0), "of 0 arrivals"),
        (lambda: fit_log_linear_rate([0.0, 0.0], 1.0), "of 2 arrivals"),
        (lambda: fit_log_linear_rate([0.5], 0.0), "t is 0.0"),
        (lambda: dispersion_test([3]), "1 counts with the sum 3 cannot scatter"),
        (lambda: dispersion_test([0, 0]), "2 counts with the sum 0 cannot scatter"),
        (lambda: dispersion_test([1, 0.5]), "counts has 0.5; counts are whole numbers"),
        (lambda: dispersion_test([1, -1]), "counts has -1.0"),
        (lambda: dispersion_test([1, math.nan]), r"counts\[1\] is nan"),
        (lambda: time_rescaling_test([], 1.0), r"there are no arrivals in \[0, 1.0\)"),
        (lambda: time_rescaling_test([2.0], 1.0), "times reaches 2.0"),
        (lambda: time_rescaling_test([0.5], 1.0, lambda t: 1.0), r"given 2 times and returned the shape \(\)"),
        (lambda: time_rescaling_test([0.5], 1.0, lambda t: -t), "cumulative rate goes from -0.5 to -1.0; it must rise"),
        (lambda: time_rescaling_test([0.5], 1.0, np.zeros_like), "cumulative rate goes from 0.0 to 0.0"),
        (lambda: time_rescaling_test([0.5], 1.0, lambda t: t * math.nan), "the cumulative rate"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
