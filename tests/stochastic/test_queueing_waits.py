"""How long the unlucky wait, against exponentials of matrices; and Lindley's recursion, against the loop and theory."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from smlib.errors import InputError
from smlib.stochastic import QueueMetrics, lindley, mg1, mm1, mm_infinity, mmc, mmck
from smlib.stochastic.queueing.birth_death import poisson_probabilities

times = st.lists(st.tuples(st.floats(0.0, 4.0), st.floats(0.0, 4.0)), max_size=60)


def tails_by_matrix(queue: QueueMetrics, t: float, longest: int) -> tuple[float, float]:
    """Return P(wait > t) and P(response > t): one customer's way through the queue as a chain that ends.

    State k + 1 has k departures to go until service, state 1 none, state 0 is service itself.
    """
    servers, service_rate = int(queue.servers), queue.service_rate
    p = queue.state_probabilities(longest)
    accepted = p[: int(queue.capacity)] if math.isfinite(queue.capacity) else p
    accepted = accepted / accepted.sum()
    start = np.r_[accepted[:servers].sum(), accepted[servers:]]
    size = start.size
    rates = np.r_[service_rate, np.full(size - 1, servers * service_rate)]
    generator = np.diag(-rates) + np.diag(rates[1:], -1)
    left = start @ scipy.linalg.expm(generator * t)
    return float(left[1:].sum()), float(left.sum())


CASES = [
    mm1(0.8, 1.0),
    mmc(4.0, 1.0, 5),
    mmc(1.0, 1.0, 2),  # the spare rate is the service rate
    mmc(1.0, 1.0, 6),  # and here it is more
    mmck(0.8, 1.0, 1, 7),
    mmck(1.5, 1.0, 1, 7),
    mmck(4.0, 1.0, 4, 20),
    mmck(9.0, 1.0, 3, 12),
    mmck(2.0, 1.0, 3, 3),
]


@pytest.mark.parametrize("queue", CASES, ids=lambda queue: f"{queue.model} at {queue.arrival_rate}")
def test_waits_and_responses_are_those_of_the_chain(queue: QueueMetrics) -> None:
    longest = int(queue.capacity) + 1 if math.isfinite(queue.capacity) else 250
    for t in (0.0, 0.1, 1.0, 3.0, 9.0):
        wait, response = tails_by_matrix(queue, t, longest)
        assert queue.wait_tail(t) == pytest.approx(wait, rel=1e-9, abs=1e-13)
        assert queue.response_tail(t) == pytest.approx(response, rel=1e-9, abs=1e-13)
    assert queue.wait_tail(0.0) == pytest.approx(queue.probability_of_waiting, rel=1e-13, abs=1e-15)
    assert queue.response_tail(0.0) == pytest.approx(1.0, rel=1e-13)


@pytest.mark.parametrize("queue", CASES, ids=lambda queue: f"{queue.model} at {queue.arrival_rate}")
def test_means_are_the_areas_under_the_tails(queue: QueueMetrics) -> None:
    assert scipy.integrate.quad(queue.wait_tail, 0.0, 80.0, limit=200)[0] == pytest.approx(queue.Wq, rel=1e-6)
    assert scipy.integrate.quad(queue.response_tail, 0.0, 80.0, limit=200)[0] == pytest.approx(queue.W, rel=1e-6)


@pytest.mark.parametrize("queue", CASES, ids=lambda queue: f"{queue.model} at {queue.arrival_rate}")
def test_a_quantile_is_the_least_time_that_will_do(queue: QueueMetrics) -> None:
    quantiles = [queue.wait_quantile(q) for q in (0.0, 0.2, 0.5, 0.9, 0.99, 0.999999)]
    assert quantiles == sorted(quantiles)
    for q in (0.0, 0.2, 0.5, 0.9, 0.99, 0.999999):
        for quantile, tail in ((queue.wait_quantile, queue.wait_tail), (queue.response_quantile, queue.response_tail)):
            t = quantile(q)
            assert tail(t) <= (1.0 - q) * (1.0 + 1e-12)
            assert t == 0.0 or tail(t * (1.0 - 1e-9)) > 1.0 - q


def test_one_server_is_exponential() -> None:
    queue = mm1(8.0, 10.0)
    for q in (0.5, 0.99, 0.999999):
        assert queue.response_quantile(q) == pytest.approx(-math.log(1.0 - q) / 2.0, rel=1e-12)
    assert queue.wait_quantile(0.2) == 0.0
    assert queue.wait_quantile(0.21) > 0.0
    assert mm_infinity(5.0, 2.0).response_quantile(0.9) == pytest.approx(math.log(10.0) / 2.0, rel=1e-12)
    assert mm_infinity(5.0, 2.0).wait_quantile(0.9) == 0.0
    assert mm_infinity(5.0, 2.0).wait_tail(0.0) == mmc(0.0, 2.0, 3).wait_tail(0.0) == 0.0
    assert mmc(0.0, 2.0, 3).response_quantile(0.9) == pytest.approx(math.log(10.0) / 2.0, rel=1e-12)


def test_large_systems() -> None:
    """Ten thousand servers, a queue of a thousand, as many states as that takes."""
    unbounded, bounded = mmc(9900.0, 1.0, 10_000), mmck(9900.0, 1.0, 10_000, 13_000)
    assert bounded.loss_probability < 1e-12
    for q in (0.5, 0.99):
        assert bounded.wait_quantile(q) == pytest.approx(unbounded.wait_quantile(q), rel=1e-8, abs=1e-12)
        assert bounded.response_quantile(q) == pytest.approx(unbounded.response_quantile(q), rel=1e-8)
    jammed = mmck(30.0, 1.0, 2, 4000)
    # Nearly always full: an Erlang time of 3998 departures, or one or two fewer.
    assert jammed.wait_quantile(0.5) == pytest.approx(3998 / 2, rel=1e-3)
    assert jammed.response_quantile(0.5) == pytest.approx(3998 / 2 + 1, rel=1e-3)


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.3, 7.0, 1e3, 1e6])
def test_poissons_probabilities(mean: float) -> None:
    p = poisson_probabilities(mean)
    n = np.arange(p.size)
    assert p.sum() == pytest.approx(1.0, rel=1e-13)
    assert n @ p == pytest.approx(mean, rel=1e-12)
    assert ((n - mean) ** 2) @ p == pytest.approx(mean, rel=1e-10)
    assert p[-1] == 0.0


# Lindley.


def loop(interarrivals: Any, services: Any, initial: Any) -> list[Any]:
    waits, work = [], initial
    for gap, service in zip(interarrivals, services, strict=True):
        waits.append(max(work - gap, 0 * work))
        work = waits[-1] + service
    return waits


@pytest.mark.interpreted
def test_lindley_by_hand() -> None:
    assert lindley([1.0, 1.0, 2.0], [3.0, 2.0, 1.0]).tolist() == [0.0, 2.0, 2.0]
    assert lindley([1.0, 1.0, 2.0], [3.0, 2.0, 1.0], initial=5.0).tolist() == [4.0, 6.0, 6.0]
    assert lindley([], []).tolist() == []
    assert lindley([2.0], [1.0], 3.0).tolist() == [1.0]


def test_a_hair_over_a_seam_stays_a_hair() -> None:
    """Eight customers in four stretches; the wait at the first seam never becomes 0 again."""
    waits = lindley([0.0] + [1.0] * 7, [1.0 + 2.0**-30] + [1.0] * 7)
    assert waits.tolist() == [0.0] + [2.0**-30] * 7


@pytest.mark.interpreted
@given(customers=times, initial=st.floats(0.0, 10.0))
def test_lindley_is_the_loop_bit_for_bit(customers: list[tuple[float, float]], initial: float) -> None:
    """Invariant 7, with rounding and all."""
    gaps, services = [gap for gap, _ in customers], [service for _, service in customers]
    assert lindley(gaps, services, initial).tolist() == loop(gaps, services, initial)


@pytest.mark.parametrize("utilization", [0.2, 0.9, 0.999, 1.0, 1.2])
@pytest.mark.parametrize("customers", [5, 1001, 40_002])
def test_stretches_meet_or_are_walked_to_their_end(utilization: float, customers: int) -> None:
    rng = np.random.default_rng(customers)
    gaps, services = rng.exponential(1.0, customers), rng.exponential(utilization, customers)
    for initial in (0.0, 3.0, 1e6):
        assert lindley(gaps, services, initial).tolist() == loop(gaps.tolist(), services.tolist(), initial)


@given(
    customers=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40), cut=st.integers(0, 40)
)
def test_lindley_is_exact_on_whole_numbers_and_goes_on_from_a_cut(customers: list[tuple[int, int]], cut: int) -> None:
    gaps, services = [gap for gap, _ in customers], [service for _, service in customers]
    waits = lindley(gaps, services)
    assert waits.tolist() == loop([Fraction(gap) for gap in gaps], services, Fraction(0))
    # By running sums and their minimum, as one would in NumPy.
    walk = np.r_[0, np.cumsum(np.subtract(services[:-1], gaps[1:]))]
    assert waits.tolist() == (walk - np.minimum.accumulate(walk)).tolist()
    first, rest = slice(0, cut), slice(cut, None)
    begun = lindley(gaps[first], services[first])
    work = begun[-1] + services[begun.size - 1] if begun.size else 0.0
    assert np.r_[begun, lindley(gaps[rest], services[rest], work)].tolist() == waits.tolist()


@given(customers=times)
def test_services_begin_in_order_and_the_server_never_idles_while_somebody_waits(
    customers: list[tuple[float, float]],
) -> None:
    gaps, services = np.array([gap for gap, _ in customers]), np.array([service for _, service in customers])
    waits = lindley(gaps, services)
    arrivals = np.cumsum(gaps)
    ends = arrivals + waits + services
    for k, (before, after) in enumerate(pairwise(range(len(customers)))):
        begins = max(ends[before], arrivals[after])
        assert arrivals[after] + waits[after] == pytest.approx(begins, abs=1e-9), k


def batches(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and how far it may be off, five standard errors of 100 batches."""
    means = values.reshape(100, -1).mean(axis=1)
    return float(means.mean()), float(5.0 * means.std(ddof=1) / 10.0)


@pytest.mark.parametrize(("squared_variation", "shape"), [(1.0, 1), (0.25, 4), (0.0, 0)])
def test_simulated_waits_are_those_of_the_formula(squared_variation: float, shape: int) -> None:
    rng, customers = np.random.default_rng(7), 1_000_000
    services = rng.gamma(shape, 0.1 / shape, customers) if shape else np.full(customers, 0.1)
    waits = lindley(rng.exponential(1.0 / 7.0, customers), services)
    theory = mg1(7.0, 0.1, squared_variation * 0.01)
    mean, off = batches(waits)
    assert abs(mean - theory.Wq) < off < 0.1 * theory.Wq
    mean, off = batches((waits > 0.0).astype(float))
    assert abs(mean - theory.probability_of_waiting) < off
    if shape == 1:
        queue = mm1(7.0, 10.0)
        mean, off = batches((waits <= queue.wait_quantile(0.99)).astype(float))
        assert abs(mean - 0.99) < off < 0.005


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lindley([1.0, 2.0], [1.0]), "interarrivals and services have the shapes (2,) and (1,)"),
        (lambda: lindley([[1.0]], [[1.0]]), "have the shapes (1, 1) and (1, 1)"),
        (lambda: lindley([1.0, -2.0], [1.0, 1.0]), "interarrivals[1] is -2.0; a time is at least 0"),
        (lambda: lindley([1.0, 2.0], [-1.0, 1.0]), "services[0] is -1.0; a time is at least 0"),
        (lambda: lindley([1.0, math.nan], [1.0, 1.0]), "interarrivals[1] is nan; every entry must be a finite number"),
        (lambda: lindley([1.0, 1.0], [1.0, math.inf]), "services[1] is inf; every entry must be a finite number"),
        (lambda: lindley([1.0], [1.0], -1.0), "initial is -1.0; it must be at least 0"),
        (lambda: lindley(["soon"], [1.0]), "interarrivals cannot be read as an array of numbers"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert message in str(caught.value)


def test_zero_with_a_sign_is_zero() -> None:
    assert lindley([-0.0, 1.0], [2.0, -0.0]).tolist() == [0.0, 1.0]
