"""Means with intervals: that they hold as often as they say, on queues of which the truth is known."""

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
    Deterministic,
    Estimate,
    Exponential,
    Hyperexponential,
    LogNormal,
    batch_means,
    erlang_b,
    mg1,
    mm1,
    mmc,
    mmck,
    mser5,
    replicate,
    simulate_queue,
)
from smlib.stochastic.queue_simulation.estimates import spawn_generators

# By hand.


@pytest.mark.interpreted
def test_batch_means_by_hand() -> None:
    """Batches that fall: 15, 14, ... 0 have the correlation 0.8118 with their neighbours, and 1/16 is added to it."""
    values = np.repeat(np.arange(16.0)[::-1], 2)
    estimate = batch_means(values)
    assert estimate.mean == 7.5
    centred = np.arange(16.0) - 7.5
    correlation = (centred[1:] @ centred[:-1]) / (centred @ centred) + 1 / 16
    inflation = (1 + correlation) / (1 - correlation)
    error = math.sqrt(centred.var(ddof=1) / 16 * inflation)
    reach = scipy.stats.t.ppf(0.975, max(15 / inflation, 1.0)) * error
    assert estimate.low == pytest.approx(7.5 - reach)
    assert estimate.half_width == pytest.approx(reach)
    assert estimate.effective_size == pytest.approx(values.var() / error**2)
    assert 7.5 in estimate
    assert np.float32(7.5) in estimate
    assert 1e9 not in estimate
    assert not estimate.__contains__("7.5")


def test_what_is_left_over_goes_from_the_front() -> None:
    assert batch_means([1e6, *[1.0] * 32]).mean == 1.0
    assert batch_means([1.0] * 32).half_width == 0.0


def test_too_few_values_have_no_interval() -> None:
    assert batch_means([1.0, 2.0]) == Estimate(1.5, -math.inf, math.inf, 0.0)
    assert "(-inf to inf)" in str(batch_means([3.0]))


@given(st.integers(32, 400), st.integers(0, 2**32), st.floats(-10, 10), st.floats(0.01, 100))
def test_an_interval_moves_with_its_values(n: int, seed: int, shift: float, scale: float) -> None:
    values = np.random.default_rng(seed).standard_normal(n)
    plain, moved = batch_means(values), batch_means(scale * values + shift)
    for ours, theirs in zip(plain[:3], moved[:3], strict=True):
        assert theirs == pytest.approx(scale * ours + shift, rel=1e-9, abs=1e-9)


@pytest.mark.interpreted
def test_mser5_finds_a_beginning() -> None:
    noise = np.random.default_rng(1).standard_normal(1000)
    assert mser5(noise + 20.0 * (np.arange(1000) < 100)) in range(100, 131, 5)
    assert mser5(np.ones(40)) == 0
    # What grows for ever has no beginning that could go.
    assert mser5(np.arange(1000.0) + noise) > 500


def test_mser5_does_not_fall_for_an_end_that_is_alike_by_chance() -> None:
    noise = np.random.default_rng(4).standard_normal(1000)
    noise[-10:] = 0.0
    assert mser5(noise) < 500


def test_mser5_is_what_it_says() -> None:
    values = np.random.default_rng(2).exponential(size=500).cumsum() % 7.0
    groups = values.reshape(-1, 5).mean(axis=1)
    errors = [groups[k:].var() / (groups.size - k) for k in range(groups.size - 4)]
    assert mser5(values) == 5 * int(np.argmin(errors))


def test_generators_do_not_depend_on_how_many_there_are() -> None:
    few, many = spawn_generators(5, 2), spawn_generators(5, 9)
    assert [one.random() for one in few] == [one.random() for one in many[:2]]
    assert len({one.random() for one in spawn_generators(5, 50)}) == 50


# Queues of which the truth is known. What is asserted are intervals of 99.9 %: of these, none is missed.

SURE = 0.999
CUSTOMERS = 200_000


@pytest.mark.parametrize("discipline", ["fifo", "lifo"])
def test_one_server(discipline: Any) -> None:
    run = simulate_queue(
        Exponential(0.7), Exponential(1.0), discipline=discipline, customers=CUSTOMERS, confidence=SURE, rng=3
    )
    truth = mm1(0.7, 1.0)
    assert run.settled
    for name in ("W", "Wq", "L", "Lq", "utilization", "throughput"):
        assert getattr(truth, name) in getattr(run, name), name


def test_five_servers_and_their_quantiles() -> None:
    run = simulate_queue(Exponential(4.0), Exponential(1.0), 5, customers=CUSTOMERS, confidence=SURE, rng=4)
    truth = mmc(4.0, 1.0, 5)
    for name in ("W", "Wq", "L", "Lq", "utilization", "throughput"):
        assert getattr(truth, name) in getattr(run, name), name
    for q in (0.5, 0.9, 0.99):
        assert truth.wait_quantile(q) in run.wait_quantile(q, confidence=SURE)
        assert truth.response_quantile(q) in run.response_quantile(q, confidence=SURE)


def test_limited_room() -> None:
    run = simulate_queue(Exponential(4.0), Exponential(1.0), 3, 6, customers=CUSTOMERS, confidence=SURE, rng=5)
    truth = mmck(4.0, 1.0, 3, 6)
    for name in ("W", "Wq", "L", "Lq", "utilization", "throughput", "loss_probability"):
        assert getattr(truth, name) in getattr(run, name), name


@pytest.mark.parametrize("services", [Exponential(1.0), Deterministic(1.0), LogNormal(1.0, 4.0)])
def test_loss_does_not_ask_how_long_services_scatter(services: Any) -> None:
    """Erlang's formula holds for all services of the same mean; so does processor sharing, below."""
    run = simulate_queue(Exponential(8.0), services, 10, 10, customers=CUSTOMERS, confidence=SURE, rng=6)
    assert float(erlang_b(8.0, 10)) in run.loss_probability
    assert run.Wq.mean == 0.0


@pytest.mark.parametrize("services", [Deterministic(1.0), Hyperexponential([0.5, 0.5], [4.0, 4.0 / 7.0])])
def test_sharing_does_not_ask_either(services: Any) -> None:
    run = simulate_queue(
        Exponential(0.7), services, discipline="processor-sharing", customers=CUSTOMERS, confidence=SURE, rng=7
    )
    assert 1.0 / (1.0 - 0.7) in run.W
    assert 0.7 / (1.0 - 0.7) in run.L
    assert 0.7 in run.utilization
    assert run.Lq.mean == 0.0


@pytest.mark.parametrize("services", [Deterministic(0.7), LogNormal(0.7, 2.0)])
def test_general_services(services: Any) -> None:
    run = simulate_queue(Exponential(1.0), services, customers=CUSTOMERS, confidence=SURE, rng=8)
    assert mg1(1.0, services).Wq in run.Wq


def test_priorities_by_cobham() -> None:
    """Two classes at one server: Cobham's waits (Kleinrock, *Queueing Systems 2*, section 3.6)."""
    rng = np.random.default_rng(9)
    classes = rng.integers(2, size=CUSTOMERS)
    run = simulate_queue(
        Exponential(0.8),
        Exponential(1.0),
        discipline="priority",
        priorities=classes,
        customers=CUSTOMERS,
        rng=9,
    )
    residual, load = 0.8, 0.4
    waits = [residual / (1 - load), residual / (1 - load) / (1 - 2 * load)]
    for number, wait in enumerate(waits):
        mine = run.waits[run.warmup :][classes[run.warmup :] == number]
        assert wait in batch_means(mine, confidence=SURE)


def test_an_overloaded_queue_does_not_settle() -> None:
    run = simulate_queue(Exponential(1.3), Exponential(1.0), customers=50_000, rng=1)
    assert run.success
    assert not run.settled
    assert "has not settled within 50,000 customers: is it overloaded?" in run.message


def test_a_short_run_says_how_long_it_should_be() -> None:
    run = simulate_queue(Exponential(0.8), Exponential(1.0), customers=3_000, rng=1)
    assert not run.settled
    assert "independent ones, too few to trust the intervals: simulate some" in run.message


def test_a_day_is_taken_whole() -> None:
    run = simulate_queue([0, 1, 2], [5, 1, 1], warmup=0)
    assert run.W.mean == (5 + 5 + 5) / 3
    assert "too few customers for an interval" in run.message


def test_the_beginning_is_dropped() -> None:
    arrivals, services = np.arange(100.0), np.linspace(2.0, 0.1, 100)
    run = simulate_queue(arrivals, services, warmup=30)
    assert run.W.mean == pytest.approx(run.responses[100 - 64 :].mean())
    limited = simulate_queue(arrivals, services, capacity=1, warmup=36)
    kept = limited.responses[36:][~limited.lost[36:]]
    assert limited.W.mean == pytest.approx(kept[kept.size % 16 :].mean())
    assert limited.loss_probability.mean == limited.lost[36:].mean()
    assert simulate_queue(arrivals, services).warmup == 10


def test_a_wait_and_its_quantile() -> None:
    run = simulate_queue(Exponential(0.5), Exponential(1.0), customers=20_000, rng=2)
    middle = run.response_quantile(0.5)
    assert middle.low < middle.mean < middle.high
    kept = run.responses[run.warmup :]
    assert middle.mean == np.quantile(kept, 0.5)
    nobody = simulate_queue([0, 1], [9, 1], capacity=1, warmup=1)
    assert math.isnan(nobody.wait_quantile(0.5).mean)
    assert math.isnan(nobody.W.mean)
    few = simulate_queue([0, 1], [1, 1]).wait_quantile(0.5)
    assert (few.low, few.high) == (-math.inf, math.inf)


# Coverage: of many intervals, as many hold as they say.


def share_of_hits(load: float, servers: int, customers: int, runs: int, warmup: int | None = None) -> dict[str, float]:
    truth = mmc(load * servers, 1.0, servers)
    hits = {"W": 0, "Wq": 0, "L": 0, "utilization": 0, "quantile": 0}
    for rng in spawn_generators(2024, runs):
        run = simulate_queue(
            Exponential(load * servers), Exponential(1.0), servers, customers=customers, rng=rng, warmup=warmup
        )
        for name in ("W", "Wq", "L", "utilization"):
            hits[name] += getattr(truth, name) in getattr(run, name)
        hits["quantile"] += truth.response_quantile(0.9) in run.response_quantile(0.9)
    return {name: count / runs for name, count in hits.items()}


def binomial_limits(share: float, runs: int) -> tuple[float, float]:
    """Return between which shares of hits all but one in a thousand such experiments are."""
    low, high = scipy.stats.binom.ppf([0.0005, 0.9995], runs, share) / runs
    return float(low), float(high)


def test_intervals_hold_as_often_as_they_say() -> None:
    shares = share_of_hits(0.5, 1, 20_000, 150)
    low, high = binomial_limits(0.95, 150)
    assert all(low <= share <= high for share in shares.values()), shares


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "servers", "customers"), [(0.5, 1, 20_000), (0.8, 5, 50_000), (0.8, 1, 100_000), (0.9, 1, 200_000)]
)
def test_intervals_hold_as_often_as_they_say_in_many_runs(load: float, servers: int, customers: int) -> None:
    shares = share_of_hits(load, servers, customers, 600)
    low, high = binomial_limits(0.95, 600)
    assert all(low <= share <= high for share in shares.values()), shares


@pytest.mark.slow
def test_what_the_essay_says_of_mser5() -> None:
    """At a load of 0.9, dropping what MSER-5 wants makes the mean too small, and intervals miss more often."""
    truth, hits, errors = mm1(0.9, 1.0).Wq, np.zeros(2), np.zeros(2)
    runs = 500
    for rng in spawn_generators(11, runs):
        run = simulate_queue(Exponential(0.9), Exponential(1.0), customers=50_000, rng=rng)
        for k, dropped in enumerate((run.warmup, min(mser5(run.waits), 25_000))):
            estimate = batch_means(run.waits[dropped:])
            hits[k] += truth in estimate
            errors[k] += estimate.mean - truth
    assert errors[1] / runs < -0.1 < errors[0] / runs
    assert 0.02 < (hits[0] - hits[1]) / runs < 0.08


@pytest.mark.parametrize(("load", "customers"), [(0.5, 10), (0.8, 80), (0.9, 360)])
def test_what_the_essay_says_of_effective_sizes(load: float, customers: int) -> None:
    """Of waits at one server: the variance of a mean (Whitt 1989) over that of a single wait."""
    single = load * (2 - load) / (1 - load) ** 2
    of_mean = load * (2 + 5 * load - 4 * load**2 + load**3) / (1 - load) ** 4
    assert of_mean / single == pytest.approx(customers, rel=0.05)


def test_replications() -> None:
    values = iter([1.0, 2.0, 3.0, 6.0])
    estimate = replicate(lambda _: next(values), 4)
    expected = scipy.stats.t.interval(0.95, 3, loc=3.0, scale=scipy.stats.sem([1.0, 2.0, 3.0, 6.0]))
    np.testing.assert_allclose(estimate[:3], (3.0, *expected))
    assert estimate.effective_size == 4


def test_replications_hold_as_often_as_they_say() -> None:
    hits = sum(
        0.5 in replicate(lambda generator: float(generator.random()), 10, rng=rng) for rng in spawn_generators(3, 1000)
    )
    low, high = binomial_limits(0.95, 1000)
    assert low <= hits / 1000 <= high


# Bad input.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: batch_means([]), r"values has shape \(0,\); it must have one dimension, and at least one"),
        (lambda: batch_means([[1.0]]), r"values has shape \(1, 1\)"),
        (lambda: batch_means([1.0, math.nan]), r"values\[1\] is nan"),
        (lambda: batch_means([1.0], confidence=95), "confidence is 95.0; it must lie between 0 and 1"),
        (lambda: mser5([]), "values has shape"),
        (lambda: replicate(lambda _: 1.0, 1), "replications is 1; an interval needs at least 2"),
        (lambda: replicate(lambda _: math.nan, 2), "what run 0 returned is nan"),
        (lambda: simulate_queue([0], [1]).wait_quantile(1.0), "q is 1.0; it must lie between 0 and 1"),
        (lambda: simulate_queue([0], [1]).wait_quantile("x"), "q is 'x'"),  # type: ignore[arg-type]
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
