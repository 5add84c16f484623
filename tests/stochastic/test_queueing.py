"""Queueing: numbers by hand, exact arithmetic, printed tables, birth-death chains solved by NumPy; and the laws."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from smlib.datasets.erlang_tables import printed_tables
from smlib.errors import InputError
from smlib.stochastic import (
    Deterministic,
    Erlang,
    Exponential,
    Hyperexponential,
    QueueMetrics,
    erlang_b,
    erlang_c,
    mg1,
    mm1,
    mm_infinity,
    mmc,
    mmck,
    plan_servers,
)
from tests.conftest import require
from tests.stochastic.exact_erlang import exact_b

rates = st.floats(0.01, 100.0)
shares = st.floats(0.01, 0.99)
few = st.integers(1, 40)


def exact_c(load: Fraction, servers: int) -> Fraction:
    """Return Erlang's C as it is defined: ``a^c / c! / (1 - a / c)`` over itself and all terms before."""
    term, before = Fraction(1), Fraction(0)
    for n in range(1, servers + 1):
        before += term
        term *= load / n
    last = term / (1 - load / servers)
    return last / (before + last)


def solve_chain(load: float, servers: float, states: int) -> NDArray[np.float64]:
    """Return the stationary distribution of the birth-death chain, by NumPy's linear algebra."""
    generator = np.zeros((states, states))
    for n in range(states - 1):
        generator[n, n + 1] = load
        generator[n + 1, n] = min(n + 1, servers)
    generator -= np.diag(generator.sum(axis=1))
    system = np.vstack([generator.T, np.ones(states)])
    return np.asarray(np.linalg.lstsq(system, np.r_[np.zeros(states), 1.0], rcond=None)[0])


# Numbers by hand, and those of the essays.


@pytest.mark.interpreted
def test_the_numbers_by_hand() -> None:
    assert erlang_b(2.0, 3) == pytest.approx(4 / 19, rel=1e-15)
    assert erlang_c(2.0, 3) == pytest.approx(4 / 9, rel=1e-15)
    np.testing.assert_allclose(1.0 / np.asarray(erlang_b(2.0, [0, 1, 2, 3])), [1, 3 / 2, 5 / 2, 19 / 4], rtol=1e-15)
    queue = mmc(1.0, 1.0, 2)
    np.testing.assert_allclose(queue.state_probabilities(4), [1 / 3, 1 / 3, 1 / 6, 1 / 12], rtol=1e-15)
    assert (queue.probability_of_waiting, queue.Wq) == pytest.approx((1 / 3, 1 / 3), rel=1e-15)
    bounded = mmck(1.0, 1.0, 2, 4)
    assert (bounded.loss_probability, bounded.L) == pytest.approx((1 / 23, (8 + 8 + 6 + 4) / 23), rel=1e-15)
    assert mmck(1.0, 1.0, 2, 2).loss_probability == pytest.approx(1 / 5, rel=1e-15)
    one = mm1(8.0, 10.0)
    assert (one.L, one.Lq, one.W, one.Wq) == pytest.approx((4.0, 3.2, 0.5, 0.4), rel=1e-14)
    assert one.wait_quantile(0.99) == pytest.approx(math.log(80.0) / 2.0, rel=1e-13)
    assert mg1(8.0, 0.1, 0.0).Wq == pytest.approx(0.2, rel=1e-14)


def test_the_essays_numbers() -> None:
    assert [1.0 / (1.0 - u) for u in (0.5, 0.9, 0.99)] == pytest.approx([mm1(u, 1.0).W for u in (0.5, 0.9, 0.99)])
    for load in (100.0, 1e4, 1e6):
        assert round(float(erlang_c(load, math.ceil(load + 2.0 * math.sqrt(load)))), 2) == 0.03
    assert (erlang_c(8.0, 9), erlang_c(8.0, 10)) == pytest.approx((0.653, 0.409), abs=5e-4)
    assert (mmc(80, 10, 9).wait_tail(0.2), mmc(80, 10, 10).wait_tail(0.2)) == pytest.approx((0.088, 0.0075), abs=5e-4)
    total = term = 1.0
    for k in range(1_000_000):
        term *= (1_000_000 - k) * 1e-6
        total += term
        if term < 2.0**-56 * total * (k / 1e6):
            break
    assert k + 1 == 8_527


# Erlang's formulas.


@pytest.mark.parametrize("servers", [0, 1, 2, 5, 30, 200])
@pytest.mark.parametrize("load", ["1/1000", "1/2", "1", "19/10", "30", "150", "1000"])
def test_b_and_c_are_exact_to_their_last_digits(load: str, servers: int) -> None:
    a = Fraction(load)
    assert erlang_b(float(a), servers) == pytest.approx(float(exact_b(a, servers)), rel=1e-14)
    if servers > a:
        assert erlang_c(float(a), servers) == pytest.approx(float(exact_c(a, servers)), rel=1e-14)


@pytest.mark.parametrize(("load", "servers"), [(3000, 3000), (4900, 5000), (5100, 5000), (1e5, 100_500), (1e5, 90_000)])
def test_thousands_of_servers(load: float, servers: int) -> None:
    mpmath = require("mpmath")
    with mpmath.workdps(40):
        # The sum of a^k / k! up to n is exp(a) times the upper incomplete gamma function, regularised.
        log_term = servers * mpmath.log(load) - load - mpmath.loggamma(servers + 1)
        exact = mpmath.exp(log_term) / mpmath.gammainc(servers + 1, load, mpmath.inf, regularized=True)
        assert erlang_b(load, servers) == pytest.approx(float(exact), rel=3e-13)
        if servers > load:
            waiting = exact * servers / (servers - load * (1 - exact))
            assert erlang_c(load, servers) == pytest.approx(float(waiting), rel=3e-13)


def test_a_million_servers_are_scipys_to_its_digits() -> None:
    for load, servers in ((1e6, 1_000_000), (1e6, 1_002_000), (999_000.0, 1_000_000)):
        scipys = scipy.stats.poisson.pmf(servers, load) / scipy.stats.poisson.cdf(servers, load)
        assert erlang_b(load, servers) == pytest.approx(scipys, rel=1e-7)
    assert erlang_b(1.0, 1_000_000) == 0.0
    assert erlang_b(1e300, 3) == 1.0


def test_printed_tables() -> None:
    for table in printed_tables():
        lines, reach = table.lines[:, np.newaxis], 1.5 * table.units
        assert (np.asarray(erlang_b(np.maximum(table.loads - reach, 0.0), lines)) <= table.blocking).all()
        assert (np.asarray(erlang_b(table.loads + reach, lines)) >= table.blocking).all()


@given(load=st.floats(0.0, 300.0), servers=st.integers(0, 300))
def test_b_meets_its_recursion_and_rises_with_the_load(load: float, servers: int) -> None:
    """Invariant 5, and 3."""
    here, more, busier = (
        float(erlang_b(a, n)) for a, n in ((load, servers), (load, servers + 1), (load + 0.1, servers))
    )
    assert more == pytest.approx(load * here / (servers + 1 + load * here), rel=1e-13)
    assert more <= here <= busier <= 1.0


@given(loads=st.lists(st.floats(0.0, 50.0), min_size=1, max_size=4), servers=st.lists(st.integers(0, 80), max_size=6))
def test_a_table_is_its_entries(loads: list[float], servers: list[int]) -> None:
    table = np.asarray(erlang_b(np.array(loads)[:, np.newaxis], np.array(servers, dtype=int)))
    assert table.shape == (len(loads), len(servers))
    for i, load in enumerate(loads):
        for j, count in enumerate(servers):
            assert table[i, j] == pytest.approx(erlang_b(load, count), rel=1e-13)


# The models.


@pytest.mark.parametrize(("load", "servers", "capacity"), [(0.7, 1, 9), (1.3, 1, 9), (3, 4, 4), (4, 4, 30), (9, 5, 20)])
def test_a_bounded_queue_is_its_chain(load: float, servers: int, capacity: int) -> None:
    p = solve_chain(load, servers, capacity + 1)
    n = np.arange(capacity + 1)
    queue = mmck(load * 2.5, 2.5, servers, capacity)
    np.testing.assert_allclose(queue.state_probabilities(capacity + 4), np.r_[p, 0, 0, 0], atol=1e-13)
    assert pytest.approx(n @ p, rel=1e-12) == queue.L
    assert queue.Lq == pytest.approx(np.maximum(n - servers, 0) @ p, rel=1e-11, abs=1e-14)
    assert queue.loss_probability == pytest.approx(p[-1], rel=1e-11)
    assert queue.throughput == pytest.approx(2.5 * (np.minimum(n, servers) @ p), rel=1e-12)
    assert queue.utilization == pytest.approx(np.minimum(n, servers) @ p / servers, rel=1e-12)
    assert queue.probability_of_waiting == pytest.approx(p[servers:-1].sum() / (1.0 - p[-1]), rel=1e-11, abs=1e-14)


@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (0.9, 1), (3.5, 5), (18.0, 20)])
def test_an_unbounded_queue_is_a_long_chain(load: float, servers: int) -> None:
    p = solve_chain(load, servers, 500)
    n = np.arange(500)
    queue = mmc(load * 4.0, 4.0, servers)
    np.testing.assert_allclose(queue.state_probabilities(60), p[:60], atol=1e-12)
    assert pytest.approx(n @ p, rel=1e-8) == queue.L
    assert queue.probability_of_waiting == pytest.approx(p[servers:].sum(), rel=1e-8)
    assert queue.state_probabilities(2).size == 2


def test_servers_for_everybody() -> None:
    queue = mm_infinity(30.0, 2.0)
    np.testing.assert_allclose(queue.state_probabilities(60), scipy.stats.poisson.pmf(range(60), 15.0), rtol=1e-12)
    assert (queue.L, queue.W, queue.Wq, queue.throughput, queue.residual) == (15.0, 0.5, 0.0, 30.0, 0.0)
    # Invariant 4: it is the limit.
    near = mmc(30.0, 2.0, 80)
    assert pytest.approx((queue.L, queue.W), rel=1e-12) == (near.L, near.W)


def test_pollaczek_and_khinchine() -> None:
    """Invariant 4, and the residual services of three distributions."""
    exponential, exact = mg1(8.0, Exponential(10.0)), mm1(8.0, 10.0)
    for name in ("L", "Lq", "W", "Wq", "utilization", "throughput", "probability_of_waiting"):
        assert getattr(exponential, name) == pytest.approx(getattr(exact, name), rel=1e-13)
    for service, factor in (
        (Deterministic(0.1), 0.5),
        (Erlang(4, 40.0), 0.625),
        (scipy.stats.uniform(0.0, 0.2), 2 / 3),
    ):
        assert mg1(8.0, service).Wq == pytest.approx(factor * exact.Wq, rel=1e-13)
        assert mg1(8.0, service.mean(), service.var()).Wq == mg1(8.0, service).Wq
    jobs = Hyperexponential([0.9, 0.1], [20.0, 2.0])
    assert mg1(5.0, jobs).Wq == pytest.approx(5.0 * (0.9 * 2 / 400 + 0.1 * 2 / 4) / (2.0 * (1.0 - 5.0 * jobs.mean())))


def agree(one: QueueMetrics, other: QueueMetrics, tolerance: float) -> None:
    for name in ("L", "Lq", "W", "Wq", "utilization", "throughput", "probability_of_waiting"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=tolerance, abs=1e-12), name


@pytest.mark.interpreted
@given(utilization=st.floats(0.01, 0.9), service_rate=rates, servers=few)
def test_room_without_bound_is_no_bound(utilization: float, service_rate: float, servers: int) -> None:
    """Invariant 4: M/M/c/K tends to M/M/c."""
    arrivals = utilization * servers * service_rate
    agree(mmck(arrivals, service_rate, servers, servers + 400), mmc(arrivals, service_rate, servers), 1e-11)


@given(arrival_rate=st.floats(0.0, 300.0), service_rate=rates, servers=few, room=st.integers(0, 60))
def test_what_comes_in_goes_out(arrival_rate: float, service_rate: float, servers: int, room: int) -> None:
    """Invariants 1 and 2, where the queue may be overloaded."""
    queue = mmck(arrival_rate, service_rate, servers, servers + room)
    assert queue.residual < 1e-12
    assert queue.throughput == pytest.approx(servers * queue.utilization * service_rate, rel=1e-12)
    assert queue.throughput == pytest.approx(arrival_rate * (1.0 - queue.loss_probability), rel=1e-12, abs=1e-12)
    assert queue.throughput * queue.Wq == pytest.approx(queue.Lq, rel=1e-12, abs=1e-15)
    assert queue.state_probabilities(servers + room + 1).sum() == pytest.approx(1.0, rel=1e-12)
    if room == 0:
        assert queue.loss_probability == pytest.approx(erlang_b(arrival_rate / service_rate, servers), rel=1e-12)


@given(utilization=shares, service_rate=rates, servers=few)
def test_more_servers_never_wait_longer(utilization: float, service_rate: float, servers: int) -> None:
    """Invariants 1 and 3."""
    arrivals = utilization * servers * service_rate
    queue, more, busier = (
        mmc(rate, service_rate, count)
        for rate, count in (
            (arrivals, servers),
            (arrivals, servers + 1),
            (min(1.01, 0.999 / utilization) * arrivals, servers),
        )
    )
    assert queue.residual < 1e-12
    assert queue.throughput * queue.Wq == pytest.approx(queue.Lq, rel=1e-12)
    assert more.Wq <= queue.Wq <= busier.Wq
    assert more.wait_quantile(0.9) <= queue.wait_quantile(0.9) <= busier.wait_quantile(0.9)


# How many servers.


@given(
    arrival_rate=st.floats(0.0, 2000.0),
    service_rate=rates,
    share=st.floats(0.0, 0.9999),
    limit=st.one_of(st.just(0.0), st.floats(1e-3, 10.0)),
)
def test_one_server_fewer_does_not_do(arrival_rate: float, service_rate: float, share: float, limit: float) -> None:
    """Invariant 6."""
    plan = plan_servers(arrival_rate, service_rate, wait_quantile=(share, limit))
    assert plan.success
    assert plan.metrics.wait_tail(limit) <= 1.0 - share
    assert plan.metrics.servers == plan.servers
    if plan.one_fewer is not None:
        assert plan.one_fewer.servers == plan.servers - 1
        assert plan.one_fewer.wait_tail(limit) > 1.0 - share
    elif plan.servers > 1:
        with pytest.raises(InputError, match="need more than"):
            mmc(arrival_rate, service_rate, plan.servers - 1)


def test_plans_are_found_one_by_one() -> None:
    for arrivals, share, limit in ((80.0, 0.99, 0.2), (3.0, 0.5, 0.0), (500.0, 0.999, 0.05), (9.99, 0.9, 1.0)):
        servers = math.floor(arrivals / 10.0) + 1
        while mmc(arrivals, 10.0, servers).wait_tail(limit) > 1.0 - share:
            servers += 1
        assert plan_servers(arrivals, 10.0, wait_quantile=(share, limit)).servers == servers


def test_full_load_is_seen_in_either_rounding() -> None:
    """As many arrivals as 155 servers do, though divided by the rate of one they are a hair less than 155."""
    service_rate = 0.026978671376387032
    arrival_rate = 155 * service_rate
    assert math.floor(arrival_rate / service_rate) == 154
    assert plan_servers(arrival_rate, service_rate, wait_quantile=(0.0, 0.0)).servers == 156
    with pytest.raises(InputError, match="the queue grows without end; use at least 156 servers"):
        mmc(arrival_rate, service_rate, 155)


def test_a_million_erlang_need_the_square_root_more() -> None:
    for load in (1e4, 1e6, 1e8):
        extra = plan_servers(load, 1.0, wait_quantile=(0.8, 0.0)).servers - load
        # Halfin and Whitt: C = 1 / (1 + b Phi(b) / phi(b)) is 0.2 at this b.
        assert extra / math.sqrt(load) == pytest.approx(1.0615, abs=0.01)
    b = 1.0615
    assert 1.0 / (1.0 + b * scipy.stats.norm.cdf(b) / scipy.stats.norm.pdf(b)) == pytest.approx(0.2, abs=1e-5)


# Bad input.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: mmc(12.0, 5.0, 2),
            "arrivals of 12 a second need more than 12 / 5 = 2.4 servers, but there are 2: each second 2 more come "
            "than can leave; use at least 3 servers, or a capacity (mmck)",
        ),
        (lambda: mm1(10.0, 10.0), "but there is 1: the queue grows without end; use at least 2 servers"),
        (lambda: mg1(12.0, 0.1, 0.0), "but there is 1: each second 2 more come than can leave; serve faster, or with"),
        (
            lambda: erlang_c([1.0, 7.5], 7),
            "a load of 7.5 erlang needs more than 7.5 servers, but there are 7: the queue",
        ),
        (lambda: erlang_c(0.0, 0), "a load of 0 erlang needs more than 0 servers, but there are 0"),
        (lambda: mm1(-1.0, 1.0), "arrival_rate is -1.0; it must be at least 0"),
        (lambda: mm1(1.0, 0.0), "service_rate is 0; a server must get through some customers a second"),
        (lambda: mm1(math.nan, 1.0), "arrival_rate is nan; it must be finite"),
        (lambda: mmc(1.0, 1.0, 0), "servers is 0; it must be from 1 to 2^53"),
        (lambda: mmc(1.0, 1.0, 2.5), "servers is 2.5; it must be an integer"),  # type: ignore[arg-type]
        (
            lambda: mmck(1.0, 1.0, 4, 3),
            "capacity is 3, but there are 4 servers; it counts the places at the servers too",
        ),
        (lambda: mmck(1.0, 1.0, 1, 2**40), "capacity is 1099511627776; up to 10,000,000 places are worked out one by"),
        (lambda: mmc(1e300, 1e-300, 2), "arrival_rate is 1e+300, more than 2^53 servers with 1e-300 a second can do"),
        (lambda: mg1(1.0, 0.5), "variance is missing: give that of the services"),
        (lambda: mg1(1.0, Exponential(2.0), 1.0), "variance is 1.0, but the distribution of services has one"),
        (lambda: mg1(1.0, 0.0, 0.0), "the mean of service is 0; a service takes some time"),
        (lambda: mg1(1.0, 0.5, -1.0), "variance is -1.0; it must be at least 0"),
        (lambda: mg1(1.0, scipy.stats.pareto(1.5)), "variance is inf; it must be finite"),
        (lambda: erlang_b(-1.0, 2), "load is -1.0; it must be a finite number of erlangs, at least 0"),
        (lambda: erlang_b([1.0, math.inf], 2), "load is inf"),
        (lambda: erlang_b(1.0, -2), "servers is -2; it must be from 0 to 2^53"),
        (lambda: erlang_b(1.0, 2**60), "servers is 1152921504606846976; it must be from 0 to 2^53"),
        (lambda: erlang_b(1.0, [1.0, 2.0]), "servers is [1.0, 2.0]; it must be an integer, or an array of them"),
        (lambda: erlang_b([1.0, 2.0], [1, 2, 3]), "load and servers of the shapes (2,) and (3,) do not pair"),
        (
            lambda: plan_servers(1.0, 1.0, wait_quantile=(99.0, 0.2)),
            "the share of wait_quantile is 99.0; it must be at",
        ),
        (lambda: plan_servers(1.0, 1.0, wait_quantile=(0.99, -1.0)), "the time of wait_quantile is -1.0"),
        (lambda: plan_servers(1.0, 1.0, wait_quantile=0.99), "wait_quantile is 0.99; it must be a share and seconds"),  # type: ignore[arg-type]
        (lambda: plan_servers(1e30, 1.0), "arrival_rate is 1e+30, more than 2^53 servers with 1 a second can do"),
        (lambda: mm1(1.0, 2.0).wait_quantile(1.0), "q is 1.0; it must be at least 0 and less than 1, such as 0.99"),
        (lambda: mm1(1.0, 2.0).wait_quantile("much"), "q is 'much'; it must be a number"),  # type: ignore[arg-type]
        (lambda: mm1(1.0, 2.0).wait_tail(-1.0), "t is -1.0; it must be at least 0"),
        (lambda: mm1(1.0, 2.0).state_probabilities(-1), "count is -1"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert message in str(caught.value)


def test_what_mean_and_variance_do_not_say() -> None:
    queue = mg1(8.0, 0.1, 0.01)
    for ask in (
        lambda: queue.wait_quantile(0.99),
        lambda: queue.wait_quantile(0.1),
        lambda: queue.response_quantile(0.5),
        lambda: queue.wait_tail(1.0),
        lambda: queue.response_tail(1.0),
        lambda: queue.state_probabilities(3),
    ):
        with pytest.raises(InputError, match="determine the mean wait of M/G/1, but not how waits are distributed"):
            ask()
