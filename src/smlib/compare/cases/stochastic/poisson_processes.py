"""Cases of Poisson processes, and of the random numbers that they are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.random_streams import fill_exponential, fill_normal, new_stream
from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.datasets.horse_kicks import horse_kicks
from smlib.stochastic import (
    DispersionResult,
    InhomogeneousPoissonProcess,
    PoissonProcess,
    RateFit,
    TimeRescalingResult,
    dispersion_test,
    fit_rate,
    superpose,
    time_rescaling_test,
)

SIZES = (10_000, 100_000, 1_000_000)
SEED = 1


# The story.


class Kicks(NamedTuple):
    """How often a corps loses a man, whether by chance, and in how many years it would lose 0, 1, ... men."""

    fit: RateFit
    dispersion: DispersionResult
    expected: Vector


def _kicks(size: int) -> NDArray[np.int64]:
    return horse_kicks().deaths.ravel()[:size]


def _judge(deaths: NDArray[np.int64]) -> Kicks:
    fit = fit_rate(deaths.sum(), deaths.size)
    chances = np.asarray(PoissonProcess(fit.rate).pmf(range(deaths.max() + 1), 1.0))
    return Kicks(fit, dispersion_test(deaths), deaths.size * chances)


def _judge_by_scipy(deaths: NDArray[np.int64]) -> tuple[float, ...]:
    count, exposure = int(deaths.sum()), deaths.size
    tail = scipy.stats.chisquare(deaths).pvalue
    return (
        count / exposure,
        scipy.stats.chi2.ppf(0.025, 2 * count) / 2 / exposure,
        scipy.stats.chi2.isf(0.025, 2 * count + 2) / 2 / exposure,
        2 * min(tail, 1 - tail),
        *(exposure * scipy.stats.poisson.pmf(range(deaths.max() + 1), count / exposure)),
    )


def _same_verdict(_: NDArray[np.int64], ours: Kicks, theirs: tuple[float, ...]) -> Agreement:
    mine = (ours.fit.rate, ours.fit.low, ours.fit.high, ours.dispersion.pvalue, *ours.expected)
    difference = max(abs(a - b) / b for a, b in zip(mine, theirs, strict=True))
    return Agreement(difference <= 1e-9, f"relative difference {difference:.1e}")


def _tell_kicks(deaths: NDArray[np.int64], kicks: Kicks) -> Sequence[str]:
    fit, dispersion = kicks.fit, kicks.dispersion
    seen = np.bincount(deaths)
    return [
        f"{fit.count} deaths in {deaths.size} corps-years: {fit.rate:.2f} each ({fit.low:.2f} to {fit.high:.2f}, 95 %)",
        "",
        "  deaths a year   corps-years   by pure chance",
        *(f"{k:>15}{seen[k]:>14}{expected:>17.1f}" for k, expected in enumerate(kicks.expected)),
        "",
        f"the variance is {dispersion.index:.2f} times the mean, where chance gives 1; so far off it is by chance in "
        f"{dispersion.pvalue:.0%} of all armies",
    ]


def _prove_kicks(deaths: NDArray[np.int64], kicks: Kicks) -> Mapping[str, bool]:
    fit, dispersion = kicks.fit, kicks.dispersion
    thrown = np.random.default_rng(SEED).multinomial(fit.count, np.full(deaths.size, 1 / deaths.size), 20_000)
    share = float((thrown.var(axis=1, ddof=1) >= dispersion.index * dispersion.mean).mean())
    few = float(np.sum(PoissonProcess(fit.high).pmf(range(fit.count + 1), fit.exposure)))
    many = 1.0 - float(np.sum(PoissonProcess(fit.low).pmf(range(fit.count), fit.exposure)))
    return {
        f"of 20,000 tables with {fit.count} deaths thrown in at random {share:.1%} scatter as much": (
            abs(2 * share - dispersion.pvalue) < 0.02
        ),
        f"at the higher rate so few would have a chance of {few:.4f}, at the lower one so many of {many:.4f}": (
            abs(few - 0.025) < 1e-9 and abs(many - 0.025) < 1e-9
        ),
        "what is expected is no farther from what was counted than chance allows": bool(
            scipy.stats.chisquare(np.bincount(deaths), kicks.expected * deaths.size / kicks.expected.sum()).pvalue
            > 0.05
        ),
    }


# Arrivals.


def _wave(t: Any) -> Any:
    return 0.5 * (1.0 + np.sin(t))


COMPILED_WAVE = kernel(_wave)


def _none(size: int) -> int:
    return size


def _thin(size: int) -> Vector:
    return InhomogeneousPoissonProcess(_wave, 1.0).sample(size, SEED)


def _thin_compiled(size: int) -> Vector:
    return InhomogeneousPoissonProcess(COMPILED_WAVE, 1.0).sample(size, SEED)


def _thin_sorted(size: int) -> Vector:
    """Draw the number, then the places, and sort them."""
    rng = np.random.default_rng(SEED)
    count = rng.poisson(size)
    times: Vector = size * np.sort(rng.random(count))
    return np.asarray(times[rng.random(count) < _wave(times)])


def _thin_summed(size: int) -> Vector:
    """Add up gaps, a few more than are needed."""
    times = _sum_gaps(size)
    return np.asarray(times[np.random.default_rng(SEED + 1).random(times.size) < _wave(times)])


def _sum_gaps(size: int) -> Vector:
    times = np.cumsum(np.random.default_rng(SEED).standard_exponential(size + round(6 * math.sqrt(size))))
    return times[: np.searchsorted(times, size)]


def _same_law(size: int, ours: Vector, theirs: Vector) -> Agreement:
    mean = 0.5 * (size + 1.0 - math.cos(size))
    numbers = [abs(times.size - mean) / math.sqrt(mean) for times in (ours, theirs)]
    places = scipy.stats.ks_2samp(ours % (2 * math.pi), theirs % (2 * math.pi)).pvalue
    return Agreement(
        max(numbers) < 5 and places > 1e-4,
        f"{ours.size:,} and {theirs.size:,} arrivals, off by {max(numbers):.1f} deviations; places p = {places:.2f}",
    )


def _same_gaps(size: int, ours: Vector, theirs: Vector) -> Agreement:
    return _alike([np.diff(times, prepend=0.0) for times in (ours, theirs)], scipy.stats.expon)


def _same_exponential(_: int, ours: Vector, theirs: Vector) -> Agreement:
    return _alike([ours, theirs], scipy.stats.expon)


def _same_normal(_: int, ours: Vector, theirs: Vector) -> Agreement:
    return _alike([ours, theirs], scipy.stats.norm)


def _alike(samples: Sequence[Vector], law: Any) -> Agreement:
    pvalues = [scipy.stats.kstest(sample, law.cdf).pvalue for sample in samples]
    return Agreement(min(pvalues) > 1e-4, f"of the law: p = {pvalues[0]:.2f} and {pvalues[1]:.2f}")


def _draw_exponential(size: int) -> Vector:
    out = np.empty(size)
    fill_exponential(new_stream(SEED), out)
    return out


def _draw_normal(size: int) -> Vector:
    out = np.empty(size)
    fill_normal(new_stream(SEED), out)
    return out


def _four_processes(size: int) -> list[Vector]:
    return [PoissonProcess(rate).sample(size / 10, seed) for seed, rate in enumerate((1.0, 2.0, 3.0, 4.0))]


def _same_times(_: object, ours: Vector, theirs: Vector) -> Agreement:
    return Agreement(bool((ours == theirs).all()), f"{ours.size:,} times, all equal")


# Tests.


def _arrivals(size: int) -> Vector:
    return PoissonProcess(1.0).sample(size, SEED)


def _horizon(times: Vector) -> float:
    return float(np.ceil(times[-1]))


def _test_by_scipy(times: Vector) -> tuple[float, float]:
    places = times / _horizon(times)
    n = places.size
    gaps = np.sort(np.diff(places, prepend=0.0, append=1.0))
    made = np.cumsum(np.arange(n + 1, 0, -1) * np.diff(gaps, prepend=0.0))[:n]
    return tuple(float(scipy.stats.kstest(values, "uniform").pvalue) for values in (places, made))  # type: ignore[return-value]  # two of them


def _same_pvalues(_: Vector, ours: TimeRescalingResult, theirs: tuple[float, float]) -> Agreement:
    difference = max(abs(ours.places.pvalue - theirs[0]), abs(ours.gaps.pvalue - theirs[1]))
    return Agreement(difference <= 1e-4, f"p-values differ by {difference:.1e}")


THINNING_PEERS = (
    Peer("NumPy, sorted places", "numpy", _thin_sorted),
    Peer("NumPy, summed gaps", "numpy", _thin_summed),
)

CASES = (
    Case(
        "poisson_processes",
        "thinning, a plain rate",
        "candidates",
        SIZES,
        _none,
        _thin,
        THINNING_PEERS,
        _same_law,
        note="The rate is (1 + sin t) / 2, half of its bound. NumPy's sine, which all three take, is most of our time.",
    ),
    Case(
        "poisson_processes",
        "thinning, a compiled rate",
        "candidates",
        SIZES,
        _none,
        _thin_compiled,
        THINNING_PEERS,
        _same_law,
        note="The same rate, compiled into the loop: one sine after the other, where NumPy's takes eight at a time.",
    ),
    Case(
        "poisson_processes",
        "a constant rate",
        "arrivals",
        SIZES,
        _none,
        lambda size: PoissonProcess(1.0).sample(size, SEED),
        (Peer("NumPy, summed gaps", "numpy", _sum_gaps),),
        _same_gaps,
    ),
    Case(
        "poisson_processes",
        "kicks of horses",
        "corps-years",
        (80, 140, 280),
        _kicks,
        _judge,
        (Peer("SciPy", "scipy", _judge_by_scipy),),
        _same_verdict,
        note="So little work that what calls cost is all there is: a rate with its interval, a test, five chances.",
        story=Story(
            "Do horses kick by pure chance?",
            280,
            "soldiers killed by a kick in 14 corps of the Prussian army, 1875 to 1894 (Bortkiewicz, 1898)",
            _tell_kicks,
            _prove_kicks,
        ),
    ),
    Case(
        "poisson_processes",
        "exponential numbers",
        "numbers",
        SIZES,
        _none,
        _draw_exponential,
        (
            Peer(
                "NumPy standard_exponential",
                "numpy",
                lambda size: np.random.default_rng(SEED).standard_exponential(size),
            ),
        ),
        _same_exponential,
        note="A ziggurat on either side; NumPy's is of 256 layers as well, over PCG64.",
    ),
    Case(
        "poisson_processes",
        "normal numbers",
        "numbers",
        SIZES,
        _none,
        _draw_normal,
        (Peer("NumPy standard_normal", "numpy", lambda size: np.random.default_rng(SEED).standard_normal(size)),),
        _same_normal,
    ),
    Case(
        "poisson_processes",
        "superposing four processes",
        "arrivals",
        SIZES,
        _four_processes,
        lambda processes: superpose(*processes),
        (
            Peer("NumPy sort", "numpy", lambda processes: np.sort(np.concatenate(processes))),
            Peer("NumPy stable sort", "numpy", lambda processes: np.sort(np.concatenate(processes), kind="stable")),
        ),
        _same_times,
        note="The sort of NumPy does not know that there are runs; the stable one looks for them and merges them. "
        "Where the same ten thousand are merged over and over, as here, the processor learns by heart how its branches "
        "go; of fresh ones it takes as long as ours.",
    ),
    Case(
        "poisson_processes",
        "is it Poisson",
        "arrivals",
        SIZES,
        _arrivals,
        lambda times: time_rescaling_test(times, _horizon(times)),
        (Peer("SciPy kstest", "scipy", _test_by_scipy),),
        _same_pvalues,
        note="Places and gaps; Durbin's sums are made by NumPy on either side.",
    ),
)
