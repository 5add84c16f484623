"""Random times and sizes: their moments, their laws beside SciPy's, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats

from smlib.errors import InputError
from smlib.stochastic import Deterministic, Empirical, Erlang, Exponential, Hyperexponential, LogNormal
from smlib.stochastic.drawing import Distribution, draw

LAWS = [
    (Exponential(4.0), scipy.stats.expon(scale=0.25)),
    (Erlang(3, 2.0), scipy.stats.gamma(3, scale=0.5)),
    (LogNormal(2.0, 0.5), scipy.stats.lognorm(math.sqrt(math.log(1.5)), scale=2.0 / math.sqrt(1.5))),
]


@pytest.mark.parametrize(("ours", "theirs"), LAWS, ids=lambda law: repr(law) if "frozen" not in repr(law) else "")
def test_scipy_has_the_same_law(ours: Distribution, theirs: Any) -> None:
    assert ours.mean() == pytest.approx(theirs.mean())
    assert ours.var() == pytest.approx(theirs.var())
    assert scipy.stats.kstest(ours.rvs(200_000, random_state=1), theirs.cdf).pvalue > 0.001


def test_hyperexponential_is_a_mixture() -> None:
    jobs = Hyperexponential([0.2, 0.5, 0.3], [0.1, 5.0, 2.0])
    assert jobs.mean() == pytest.approx(2.0 + 0.1 + 0.15)
    assert jobs.var() == pytest.approx(2 * (0.2 / 0.01 + 0.5 / 25 + 0.3 / 4) - 2.25**2)

    def cdf(x: Any) -> Any:
        return 1.0 - 0.2 * np.exp(-0.1 * x) - 0.5 * np.exp(-5.0 * x) - 0.3 * np.exp(-2.0 * x)

    assert scipy.stats.kstest(jobs.rvs(200_000, random_state=2), cdf).pvalue > 0.001


def test_empirical_draws_every_value_alike() -> None:
    values = Empirical([3.0, 1.0, 4.0, 1.5])
    drawn = values.rvs(100_000, random_state=3)
    found, counts = np.unique(drawn, return_counts=True)
    assert found.tolist() == [1.0, 1.5, 3.0, 4.0]
    assert scipy.stats.chisquare(counts).pvalue > 0.001
    assert values.mean() == pytest.approx(9.5 / 4)
    assert values.var() == pytest.approx(np.var([3, 1, 4, 1.5]))


def test_deterministic() -> None:
    assert Deterministic(2.0).rvs(3).tolist() == [2.0, 2.0, 2.0]
    assert (Deterministic(2.0).mean(), Deterministic(2.0).var()) == (2.0, 0.0)


@pytest.mark.interpreted
@pytest.mark.parametrize(
    "distribution",
    [
        Exponential(2.0),
        Erlang(2, 1.0),
        Hyperexponential([0.5, 0.5], [1.0, 2.0]),
        LogNormal(1.0, 1.0),
        Empirical([1.0, 2.0]),
    ],
    ids=repr,
)
def test_a_seed_repeats_and_a_generator_moves_on(distribution: Distribution) -> None:
    first = draw(distribution, 50, 7, "service")
    assert first.tolist() == draw(distribution, 50, 7, "service").tolist()
    generator = np.random.default_rng(7)
    assert first.tolist() == draw(distribution, 50, generator, "service").tolist()
    assert first.tolist() != draw(distribution, 50, generator, "service").tolist()
    assert distribution.rvs(0).shape == (0,)


def test_values_are_kept_apart_from_the_users() -> None:
    values = np.array([1.0, 2.0])
    measured = Empirical(values)
    values[0] = np.nan
    assert measured.mean() == 1.5


def test_scipy_s_distributions_will_do() -> None:
    values = draw(scipy.stats.uniform(1.0, 2.0), 1000, 1, "service")
    assert 1.0 <= values.min() <= values.max() <= 3.0
    with pytest.raises(InputError, match="service drew -"):
        draw(scipy.stats.norm(), 1000, 1, "service")
    assert draw(scipy.stats.norm(), 1000, 1, "jumps", signed=True).min() < 0.0
    assert draw(scipy.stats.poisson(3.0), 10, 1, "batches").dtype == np.float64


class Broken:
    """Does what no distribution does."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def rvs(self, size: int = 1, random_state: Any = None) -> Any:
        return self.values

    def mean(self) -> float:
        return 1.0

    def var(self) -> float:
        return 1.0


def test_what_is_no_distribution() -> None:
    for wrong in (1.0, [1.0, 2.0], Exponential, np.ones(3)):
        with pytest.raises(InputError, match="it must be a distribution with the methods rvs"):
            draw(wrong, 3, 1, "service")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"rvs of service returned the shape \(2,\), but \(3,\)"):
        draw(Broken([1.0, 2.0]), 3, 1, "service")
    with pytest.raises(InputError, match=r"values of service\[1\] is nan"):
        draw(Broken([1.0, np.nan, 2.0]), 3, 1, "service")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Exponential(0.0), "rate is 0.0; it must be more than 0"),
        (lambda: Exponential(np.inf), "rate is inf; it must be finite"),
        (lambda: Exponential("fast"), "rate is 'fast'"),  # type: ignore[arg-type]
        (lambda: Deterministic(-1.0), "value is -1.0"),
        (lambda: Erlang(0, 1.0), "shape is 0"),
        (lambda: Erlang(1.5, 1.0), "shape is 1.5; it must be an integer"),  # type: ignore[arg-type]
        (lambda: LogNormal(1.0, 0.0), "squared_variation is 0.0"),
        (lambda: Hyperexponential([0.5, 0.5], [1.0]), "lists of one length"),
        (lambda: Hyperexponential([], []), "at least 1"),
        (lambda: Hyperexponential([0.5, 0.6], [1.0, 2.0]), "with the sum 1"),
        (lambda: Hyperexponential([1.5, -0.5], [1.0, 2.0]), "at least 0"),
        (lambda: Hyperexponential([0.5, 0.5], [1.0, 0.0]), "each of the rates is 0.0"),
        (lambda: Empirical([]), "at least one"),
        (lambda: Empirical([1.0, np.inf]), r"values\[1\] is inf"),
        (lambda: Exponential(1.0).rvs(-1), "size is -1"),
        (lambda: Exponential(1.0).rvs(3, random_state="x"), "rng is 'x'"),  # type: ignore[arg-type]
    ],
)
def test_what_is_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
