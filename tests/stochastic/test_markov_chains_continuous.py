"""Chains in continuous time: books' numbers, 50 digits of mpmath, SciPy, and what must hold of every chain."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse.linalg import expm_multiply

from smlib.errors import InputError
from smlib.stochastic import ContinuousTimeMarkovChain, birth_death_chain
from smlib.stochastic.markov_chains import continuous_time
from smlib.stochastic.markov_chains.uniformisation import needed_ticks, poisson_weights
from tests.conftest import require

Matrix = NDArray[np.float64]


def generator(rates: Matrix) -> Matrix:
    """Return the generator with these rates beside its diagonal."""
    Q = rates.copy()
    np.fill_diagonal(Q, 0.0)
    return Q - np.diag(Q.sum(axis=1))


@st.composite
def chains(draw: st.DrawFn) -> ContinuousTimeMarkovChain:
    """Draw chains of all structures: with rates of very different sizes, absorbing states, several classes."""
    n = draw(st.integers(1, 7))
    rate = st.one_of(st.just(0.0), st.floats(0.01, 3.0), st.builds(lambda k: 10.0**k, st.integers(-9, 3)))
    rates = np.array(draw(st.lists(st.lists(rate, min_size=n, max_size=n), min_size=n, max_size=n)))
    Q = generator(rates)
    return ContinuousTimeMarkovChain(scipy.sparse.csr_array(Q) if draw(st.booleans()) else Q)


def exponential(rates: Matrix, t: float, digits: int = 60) -> Any:
    """Return e^(Q t) with many digits, as a list of lists of mpmath's numbers."""
    mpmath = require("mpmath")
    n = len(rates)
    with mpmath.workdps(digits):
        Q = mpmath.matrix(rates.tolist())
        for i in range(n):
            Q[i, i] = -mpmath.fsum(mpmath.mpf(rates[i, j]) for j in range(n) if j != i)
        halvings = max(0, math.ceil(math.log2(t * rates.max() * n + 1.0)))
        P = mpmath.expm(Q * mpmath.mpf(t) / 2**halvings)
        for _ in range(halvings):
            P = P * P
        return [[P[i, j] for j in range(n)] for i in range(n)]


def largest_relative_error(P: Matrix, truth: Any) -> float:
    return max(float(abs(P[i, j] - truth[i][j]) / truth[i][j]) for i, j in np.ndindex(P.shape) if truth[i][j])


# Poisson weights.


@pytest.mark.parametrize("mean", [1e-3, 0.7, 1.5, 30.0, 750.0, 1e5, 3.3e6])
@pytest.mark.parametrize("tol", [0.1, 1e-8, 1e-15])
def test_weights_are_poissons(mean: float, tol: float) -> None:
    """Each against 40 digits, for SciPy itself is off by 1e-10 where the mean is 1e5."""
    mpmath = require("mpmath")
    first, weights = poisson_weights(mean, tol)
    assert abs(weights.sum() - 1.0) < 1e-14
    with mpmath.workdps(40):
        m = mpmath.mpf(mean)
        for k in {0, weights.size // 4, weights.size // 2, weights.size - 1}:
            truth = mpmath.exp(-m + (first + k) * mpmath.log(m) - mpmath.loggamma(first + k + 1))
            assert abs(weights[k] - truth) / truth <= 1.01 * tol + 1e-13 * math.sqrt(mean + 1.0), (first, k)
    missing = scipy.stats.poisson.cdf(first - 1, mean) + scipy.stats.poisson.sf(first + weights.size - 1, mean)
    assert missing <= tol


def test_the_bound_is_not_wasteful() -> None:
    """Three quarters of the ticks that are looked at are needed, for what is left out to be as small."""
    for mean in (10.0, 1e3, 1e5):
        first, last = needed_ticks(mean, 1e-12)
        least = scipy.stats.poisson.isf(5e-13, mean) - scipy.stats.poisson.ppf(5e-13, mean)
        assert least > 0.75 * (last - first)


# Distributions at a time.


@pytest.mark.interpreted
def test_by_hand() -> None:
    """A machine that works for ten days, and is mended in half a day."""
    machine = ContinuousTimeMarkovChain([[-0.1, 0.1], [2.0, -2.0]], ["works", "broken"])
    for t in (0.0, 0.5, 2.0, 30.0):
        left = math.exp(-2.1 * t)
        expected = np.array([[20 + left, 1 - left], [20 - 20 * left, 1 + 20 * left]]) / 21
        np.testing.assert_allclose(machine.transition_matrix(t), expected, rtol=1e-12)
        np.testing.assert_allclose(machine.distribution([0.25, 0.75], t), [0.25, 0.75] @ expected, rtol=1e-12)
    np.testing.assert_allclose(machine.stationary_distributions, [[20 / 21, 1 / 21]], rtol=1e-15)
    np.testing.assert_allclose(machine.hitting_times("broken"), [10, 0])
    assert machine.embedded_chain.P.tolist() == [[0, 1], [1, 0]]
    assert machine.holding_rates.tolist() == [0.1, 2.0]


def test_a_pure_birth_process_counts_like_poisson() -> None:
    chain = birth_death_chain(np.full(40, 1.5), np.zeros(40))
    found = chain.distribution(np.eye(41)[0], 2.0, tol=1e-100)
    np.testing.assert_allclose(found[:40], scipy.stats.poisson.pmf(np.arange(40), 3.0), rtol=1e-12)


@pytest.mark.parametrize(("scale", "tol"), [(1e-3, 1e-15), (1.0, 1e-30), (1e3, 1e-20), (1e6, 1e-20), (1e10, 1e-20)])
def test_every_entry_is_right_by_itself(scale: float, tol: float) -> None:
    """Rates from 1e-6 to 1, times from short to very long: SciPy's expm loses all but seven digits at the last."""
    rng = np.random.default_rng(11)
    rates = rng.exponential(size=(5, 5)) * 10.0 ** rng.integers(-6, 1, (5, 5))
    np.fill_diagonal(rates, 0.0)
    P = ContinuousTimeMarkovChain(generator(rates)).transition_matrix(scale, tol=tol)
    assert largest_relative_error(P, exponential(rates, scale)) < 1e-13


def test_sums_of_ticks_and_squarings_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(12)
    rates = rng.exponential(size=(5, 5))
    np.fill_diagonal(rates, 0.0)
    chain = ContinuousTimeMarkovChain(generator(rates))
    for t, choice in ((3e3, 0.0), (3e3, math.inf)):
        monkeypatch.setattr(continuous_time, "FULL_SPEED", 1.0 if choice else 1e-300)
        found = np.array([chain.distribution(row, t, tol=1e-20) for row in np.eye(5)])
        assert largest_relative_error(found, exponential(rates, t)) < 1e-11


def test_the_chance_of_what_hardly_ever_happens() -> None:
    chain = birth_death_chain(np.full(24, 0.5), np.ones(24))
    truth = exponential(chain.Q.toarray().clip(min=0.0), 0.5, 80)
    found = chain.distribution(np.eye(25)[0], 0.5, tol=1e-200)
    assert 0.0 < found[24] < 1e-35
    assert largest_relative_error(found[None], truth[:1]) < 1e-13
    assert largest_relative_error(chain.transition_matrix(0.5, tol=1e-200), truth) < 1e-12


@given(chains(), st.floats(0.0, 3.0))
def test_agreement_with_scipy(chain: ContinuousTimeMarkovChain, t: float) -> None:
    assume(chain.holding_rates.max() * t < 1e3)
    Q = chain.Q.toarray() if scipy.sparse.issparse(chain.Q) else chain.Q
    expected = scipy.linalg.expm(Q * t)
    np.testing.assert_allclose(chain.transition_matrix(t), expected, atol=1e-11)
    mu = np.arange(1.0, chain.n + 1.0) / np.arange(1.0, chain.n + 1.0).sum()
    np.testing.assert_allclose(chain.distribution(mu, t), mu @ expected, atol=1e-11)


@pytest.mark.parametrize("t", [0.1, 10.0, 300.0])
def test_agreement_with_expm_multiply(t: float) -> None:
    chain = birth_death_chain(np.full(2000, 1.0), np.full(2000, 1.2))
    mu = np.full(2001, 1 / 2001)
    np.testing.assert_allclose(chain.distribution(mu, t), expm_multiply(chain.Q.T * t, mu), atol=1e-13)


@given(chains(), st.floats(0.0, 1e4), st.floats(0.0, 10.0), st.sampled_from([1e-3, 1e-12, 1e-200]))
def test_laws(chain: ContinuousTimeMarkovChain, s: float, t: float, tol: float) -> None:
    Ps, Pt, both = (chain.transition_matrix(time, tol=tol) for time in (s, t, s + t))
    for P in (Ps, Pt, both):
        assert P.min() >= 0.0
        np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=1e-13)
    # Each is wrong by tol at most, in total variation; their product by twice that.
    assert (0.5 * np.abs(Ps @ Pt - both).sum(axis=1) <= 3.0 * tol + 1e-11).all()
    for pi in chain.stationary_distributions:
        np.testing.assert_allclose(pi @ Ps, pi, atol=2.0 * tol + 1e-11)
        np.testing.assert_allclose(chain.distribution(pi, s, tol=tol), pi, atol=2.0 * tol + 1e-11)
    first, last = np.eye(chain.n)[[0, -1]]
    distances = [
        0.5 * np.abs(chain.distribution(first, time) - chain.distribution(last, time)).sum()
        for time in (0.0, 0.1 * t, t, s + t)
    ]
    assert (np.diff(distances) <= 1e-11).all()


def test_after_many_ticks_the_sum_is_still_1(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    chain = birth_death_chain(*rng.exponential(size=(2, 199)))
    monkeypatch.setattr(continuous_time, "FULL_SPEED", 1e-300)
    found = chain.distribution(np.eye(200)[0], 1e4)
    assert abs(found.sum() - 1.0) < 3e-15
    np.testing.assert_allclose(found, chain.transition_matrix(1e4)[0], atol=1e-13)


@given(chains(), st.floats(1e-4, 1e4), st.floats(0.01, 10.0))
def test_units_of_time_do_not_matter(chain: ContinuousTimeMarkovChain, unit: float, t: float) -> None:
    other = ContinuousTimeMarkovChain(chain.Q / unit)
    np.testing.assert_allclose(other.transition_matrix(t * unit), chain.transition_matrix(t), atol=1e-12)
    np.testing.assert_allclose(other.stationary_distributions, chain.stationary_distributions, rtol=1e-12)


@pytest.mark.parametrize("tol", [1e-1, 1e-3, 1e-6, 1e-9])
def test_no_more_is_left_out_than_is_said(tol: float) -> None:
    chain = birth_death_chain(np.full(200, 1.0), np.full(200, 1.0))
    mu = np.eye(201)[100]
    exact = chain.distribution(mu, 40.0, tol=1e-16)
    assert 0.5 * np.abs(chain.distribution(mu, 40.0, tol=tol) - exact).sum() <= tol + 1e-15
    assert 0.5 * np.abs(mu @ chain.transition_matrix(40.0, tol=tol) - exact).sum() <= tol + 1e-14


# Structure and the long run.


@given(chains())
def test_the_long_run(chain: ContinuousTimeMarkovChain) -> None:
    jumps = chain.embedded_chain
    assert [c.tolist() for c in chain.recurrent_classes] == [c.tolist() for c in jumps.recurrent_classes]
    Q = chain.Q.toarray() if scipy.sparse.issparse(chain.Q) else chain.Q
    for pi in chain.stationary_distributions:
        flows = pi * chain.holding_rates
        np.testing.assert_allclose(pi @ (Q + np.diag(chain.holding_rates)), flows, rtol=1e-12, atol=1e-300)
        if flows.sum() > 0.0:
            psi = flows / flows.sum()
            np.testing.assert_allclose(psi @ jumps.P, psi, atol=1e-14)


def test_stationary_laws_in_closed_form() -> None:
    """Products of birth over death rates, as fractions; from 1e-12 to 1e12."""
    rng = np.random.default_rng(3)
    births, deaths = 10.0 ** rng.uniform(-6, 6, (2, 12))
    weights = [Fraction(1)]
    for birth, death in zip(births, deaths, strict=True):
        weights.append(weights[-1] * Fraction(birth) / Fraction(death))
    expected = np.array([float(weight / sum(weights)) for weight in weights])
    chain = birth_death_chain(births, deaths)
    np.testing.assert_allclose(chain.stationary_distributions[0], expected, rtol=1e-13)
    np.testing.assert_allclose(chain.hitting_times(1)[0], 1 / births[0], rtol=1e-14)
    assert chain.is_reversible


@pytest.mark.interpreted
def test_a_queue_with_little_room() -> None:
    chain = birth_death_chain([2, 2], [3, 3])
    np.testing.assert_allclose(chain.stationary_distributions * 19, [[9, 6, 4]], rtol=1e-14)


def test_ehrenfests_urns() -> None:
    """Of 20 balls each is on either side with chance (1 + e^(-2 t)) / 2, if it began there."""
    balls = 20
    chain = birth_death_chain(np.arange(balls, 0, -1), np.arange(1, balls + 1))
    np.testing.assert_allclose(
        chain.stationary_distributions[0], scipy.stats.binom.pmf(np.arange(balls + 1), balls, 0.5), rtol=1e-12
    )
    found = chain.distribution(np.eye(balls + 1)[0], 0.3)
    side = 0.5 - 0.5 * math.exp(-0.6)
    np.testing.assert_allclose(found, scipy.stats.binom.pmf(np.arange(balls + 1), balls, side), atol=1e-13)


def test_hitting_times_and_absorption_are_elimination() -> None:
    Q = generator(np.array([[0, 1, 0.5, 0], [2, 0, 1, 0.1], [0, 0, 0, 0], [0, 0, 0, 0.0]]))
    chain = ContinuousTimeMarkovChain(Q)
    inner = Q[:2, :2]
    np.testing.assert_allclose(chain.hitting_times([2, 3])[:2], np.linalg.solve(-inner, [1, 1]), rtol=1e-14)
    np.testing.assert_allclose(chain.absorption_probabilities[:2], np.linalg.solve(-inner, Q[:2, 2:]), rtol=1e-14)
    np.testing.assert_allclose(chain.fundamental_matrix, np.linalg.inv(-inner), rtol=1e-14)


def test_a_cycle_is_not_reversible() -> None:
    assert not ContinuousTimeMarkovChain([[-1, 1, 0], [0, -1, 1], [1, 0, -1]]).is_reversible


# Paths.


def test_paths_have_the_holding_times_and_jumps_of_the_chain() -> None:
    rng = np.random.default_rng(5)
    rates = rng.exponential(size=(4, 4)) * [[1], [10], [0.1], [3]]
    chain = ContinuousTimeMarkovChain(generator(rates), "abcd")
    end = 20_000.0
    times, states = chain.simulate(end, init="c", rng=7)
    assert times[0] == 0.0
    assert states[0] == "c"
    assert (np.diff(times) > 0.0).all()
    assert times[-1] < end
    indices = chain.get_index(states)
    stays = np.diff(times)
    for state in range(4):
        of_state = stays[indices[:-1] == state] * chain.holding_rates[state]
        assert scipy.stats.kstest(of_state[:5000], "expon").pvalue > 1e-3
    counts = np.zeros((4, 4))
    np.add.at(counts, (indices[:-1], indices[1:]), 1)
    expected = counts.sum(axis=1, keepdims=True) * chain.embedded_chain.P
    possible = expected > 0
    assert not counts[~possible].any()
    G = ((counts - expected)[possible] ** 2 / expected[possible]).sum()
    assert scipy.stats.chi2.sf(G, 4 * 2) > 1e-3
    share = np.bincount(indices, np.append(stays, end - times[-1])) / end
    np.testing.assert_allclose(share, chain.stationary_distributions[0], atol=0.01)


def test_where_a_path_is_at_a_time() -> None:
    chain = birth_death_chain([1, 1], [1, 2])
    rng = np.random.default_rng(8)
    found = np.zeros(3)
    for _ in range(4000):
        times, states = chain.simulate_indices(1.3, 0, rng=rng)
        found[states[np.searchsorted(times, 1.3, side="right") - 1]] += 1
    expected = 4000 * chain.distribution([1, 0, 0], 1.3)
    assert scipy.stats.chisquare(found, expected).pvalue > 1e-3


@pytest.mark.interpreted
def test_a_path_ends_where_the_chain_ends() -> None:
    chain = ContinuousTimeMarkovChain([[-1, 1], [0, 0]], ["alive", "dead"])
    path = chain.simulate(1e9, init="alive", rng=1)
    assert path.states.tolist() == ["alive", "dead"]
    assert len(chain.simulate(1e9, init="dead", rng=1).times) == 1
    assert chain.simulate(0.0, init="alive", rng=1).times.tolist() == [0.0]


def test_long_paths_are_made_in_parts() -> None:
    chain = ContinuousTimeMarkovChain([[-1, 1], [1, -1]])
    long = chain.simulate_indices(1e4, 0, rng=3)
    assert len(long.times) > 2 * continuous_time.FIRST_JUMPS
    short = chain.simulate_indices(100.0, 0, rng=3)
    np.testing.assert_array_equal(long.times[: len(short.times)], short.times)
    np.testing.assert_array_equal(long.states, np.arange(len(long.states)) % 2)


def test_seeds_and_starts() -> None:
    chain = birth_death_chain(np.ones(5), np.ones(5))
    assert chain.simulate(50.0, rng=4).times.tolist() == chain.simulate(50.0, rng=4).times.tolist()
    assert {int(chain.simulate_indices(0.0, rng=seed).states[0]) for seed in range(60)} == set(range(6))


# Bad input.


def test_a_generator_comes_back() -> None:
    Q = np.array([[-1.0, 1.0, 0.0], [0.25, -0.5, 0.25], [0.0, 0.0, 0.0]])
    dense, sparse = ContinuousTimeMarkovChain(Q), ContinuousTimeMarkovChain(scipy.sparse.coo_array(Q))
    np.testing.assert_array_equal(dense.Q, Q)
    np.testing.assert_array_equal(sparse.Q.toarray(), Q)
    np.testing.assert_array_equal(scipy.sparse.csr_array(sparse.embedded_chain.P).toarray(), dense.embedded_chain.P)
    Q[0, 0] = 7.0
    assert dense.Q[0, 0] == -1.0
    assert "3 states" in repr(dense)


CHAIN = ContinuousTimeMarkovChain([[-1, 1], [1, -1]], ["a", "b"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ContinuousTimeMarkovChain([[-1, 1]]), r"Q has shape \(1, 2\)"),
        (lambda: ContinuousTimeMarkovChain(np.empty((0, 0))), "shape"),
        (lambda: ContinuousTimeMarkovChain([[1, -1], [1, -1]]), r"Q\[0, 1\] is -1"),
        (lambda: ContinuousTimeMarkovChain([[-1, 1], [1, -2]]), "row 1 of Q adds up to -1"),
        (lambda: ContinuousTimeMarkovChain([[0.5, 0.5], [0.5, 0.5]]), "row 0 of Q adds up to 1"),
        (lambda: ContinuousTimeMarkovChain([[0, 0], [0, -1e-3]]), "row 1 of Q"),
        (lambda: ContinuousTimeMarkovChain([[-np.inf, np.inf], [1, -1]]), r"Q\[0, 0\] is -inf"),
        (lambda: ContinuousTimeMarkovChain(scipy.sparse.csr_array([[1.0, -1.0], [1, -1]])), r"Q\[0, 1\] is -1"),
        (lambda: ContinuousTimeMarkovChain(scipy.sparse.csr_array([[-1.0, 1.0], [1, -3]])), "row 1 of Q adds up to -2"),
        (lambda: ContinuousTimeMarkovChain([[-1, 1], [1, -1]], "aa"), "twice"),
        (lambda: CHAIN.distribution([0.5, 0.6], 1.0), "mu"),
        (lambda: CHAIN.distribution([1.5, -0.5], 1.0), "mu"),
        (lambda: CHAIN.distribution([1, 0, 0], 1.0), "mu has shape"),
        (lambda: CHAIN.distribution([1, 0], -1.0), "t is -1"),
        (lambda: CHAIN.distribution([1, 0], 1.0, tol=0.0), "tol is 0.0"),
        (lambda: CHAIN.transition_matrix(math.nan), "t is nan"),
        (lambda: CHAIN.transition_matrix(1.0, tol=1.0), "tol is 1.0"),
        (lambda: birth_death_chain(np.ones(10_001), np.ones(10_001)).transition_matrix(1.0), "10002 states"),
        (lambda: CHAIN.simulate(math.inf, "a"), "t_end is inf"),
        (lambda: CHAIN.simulate(1.0, "c"), "'c' is no state"),
        (lambda: CHAIN.simulate_indices(1.0, 2), "init is 2"),
        (lambda: CHAIN.hitting_times([]), "targets is empty"),
        (lambda: birth_death_chain([1], [1, 2]), "1 births and 2 deaths"),
        (lambda: birth_death_chain([], []), "0 births"),
        (lambda: birth_death_chain([1, -1], [1, 1]), r"births\[1\] is -1"),
        (lambda: birth_death_chain([1, 1], [np.nan, 1]), "deaths"),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
