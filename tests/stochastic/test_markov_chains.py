"""Markov chains: the books' numbers, powers and mixing, balance and entropy, QuantEcon's names, and bad input."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.stochastic import MarkovChain
from tests.conftest import require
from tests.stochastic.chains import COURTOIS, OZ, Matrix, forms, generator, matrices, walk_to_neighbours

TWO = np.array([[0.9, 0.1], [0.1, 0.9]])


@pytest.mark.interpreted
@pytest.mark.parametrize("sparse", [False, True])
def test_the_land_of_oz(sparse: bool) -> None:
    """Grinstead & Snell, examples 11.1 to 11.3: after two days, and after six."""
    oz = MarkovChain(forms(OZ)[sparse], ["rain", "nice", "snow"])
    np.testing.assert_allclose(oz.distribution([1, 0, 0], 2), [0.4375, 0.1875, 0.375], rtol=1e-15)
    np.testing.assert_allclose(oz.distribution([0, 0, 1], 6), [0.4, 0.2, 0.4], atol=5e-4)
    assert (oz.is_irreducible, oz.period, oz.is_reversible) == (True, 1, True)
    assert oz.entropy_rate() == pytest.approx(0.8 * 1.5 + 0.2 * 1.0, rel=1e-15)
    assert oz.mixing_time() == 1
    assert "3 states" in repr(oz)


@pytest.mark.interpreted
@pytest.mark.parametrize("sparse", [False, True])
def test_two_states_in_closed_form(sparse: bool) -> None:
    """Levin, Peres & Wilmer, chapter 4: the distance to the long run is |1 - a - b|^t max(a, b) / (a + b)."""
    for a, b in ((0.1, 0.1), (0.3, 0.01), (0.7, 0.9), (1e-9, 3e-9)):
        chain = MarkovChain(forms(np.array([[1 - a, a], [b, 1 - b]]))[sparse])
        for eps in (0.4, 0.25, 0.01):
            distance = [math.exp(t * math.log(abs(1 - a - b))) * max(a, b) / (a + b) for t in (0, 1)]
            steps = math.ceil(math.log(eps / distance[0]) / math.log(abs(1 - a - b)))
            assert abs(chain.mixing_time(eps) - steps) <= (1 if a < 1e-6 else 0)
    assert MarkovChain(TWO).mixing_time() == 4
    assert MarkovChain([[1.0]]).mixing_time() == 0


@given(matrices(kinds=["any", "full", "decomposable"]), st.booleans(), st.sampled_from([0.25, 0.05, 1e-6]))
def test_the_mixing_time_is_the_first_time(P: Matrix, sparse: bool, eps: float) -> None:
    chain = MarkovChain(forms(P)[sparse])
    if not (chain.is_irreducible and chain.is_aperiodic):
        with pytest.raises(InputError, match=r"only an irreducible chain mixes|goes round forever"):
            chain.mixing_time(eps)
        return
    t = chain.mixing_time(eps)
    if t > 100_000:
        return
    pi = chain.stationary_distributions[0]
    early, late = (np.abs(np.linalg.matrix_power(P, s) - pi).sum(axis=1).max() / 2 for s in (max(t - 1, 0), t))
    assert late <= eps * (1 + 1e-8)
    assert t == 0 or early > eps * (1 - 1e-8)


def test_a_chain_that_mixes_in_a_trillion_steps() -> None:
    """Two pairs of states, with chance 1e-12 from one to the other: as slow as two states that stand for them."""
    change = 1e-12
    P = np.array([[0.5, 0.5 - change, change, 0], [0.5, 0.5, 0, 0], [change, 0, 0.5, 0.5 - change], [0, 0, 0.5, 0.5]])
    # Half of the time a pair is in the state from which it can be left.
    steps = math.log(2.0) / change
    assert MarkovChain(P).mixing_time() == pytest.approx(steps, rel=1e-6)
    found = MarkovChain(P).distribution([1, 0, 0, 0], int(steps))
    np.testing.assert_allclose(found, [0.375, 0.375, 0.125, 0.125], rtol=1e-6)


@given(matrices(), st.booleans(), st.integers(0, 40), st.integers(0, 10**6), st.integers(0, 2**32))
def test_distributions_after_some_steps(P: Matrix, sparse: bool, few: int, many: int, seed: int) -> None:
    chain = MarkovChain(forms(P)[sparse])
    mu = np.random.default_rng(seed).dirichlet(np.ones(len(P)))
    before = mu.copy()
    found = chain.distribution(mu, few)
    np.testing.assert_array_equal(mu, before)
    np.testing.assert_allclose(found, mu @ np.linalg.matrix_power(P, few), rtol=1e-12, atol=1e-300)
    far = chain.distribution(mu, many)
    assert far.sum() == pytest.approx(1.0, abs=1e-15 * len(P))
    assert (far >= 0.0).all()
    np.testing.assert_allclose(chain.distribution(far, few), chain.distribution(found, many), atol=1e-12)


def test_a_sum_over_steps_in_fractions() -> None:
    chain = MarkovChain(COURTOIS)
    exact = [Fraction(0)] * 8
    exact[2] = Fraction(1)
    steps = generator(COURTOIS)
    for _ in range(20):
        exact = [exact[j] + sum(exact[i] * steps[i][j] for i in range(8)) for j in range(8)]
    found = chain.distribution(np.eye(8)[2], 20)
    np.testing.assert_allclose(found, [float(value) for value in exact], rtol=1e-14)


@given(st.integers(1, 9), st.booleans(), st.integers(0, 2**32))
def test_weights_both_ways_are_reversible(n: int, sparse: bool, seed: int) -> None:
    """A walk on a graph with weights; one flow more in one direction, and it is not."""
    rng = np.random.default_rng(seed)
    weights = 10.0 ** rng.uniform(-4, 0, (n, n))
    weights += weights.T
    chain = MarkovChain(forms(weights / weights.sum(axis=1, keepdims=True))[sparse])
    assert chain.is_reversible
    np.testing.assert_allclose(chain.stationary_distributions[0], weights.sum(axis=1) / weights.sum(), rtol=1e-12)
    if n > 2:
        weights[[0, 1, 2], [1, 2, 0]] += 0.1
        assert not MarkovChain(forms(weights / weights.sum(axis=1, keepdims=True))[sparse]).is_reversible


def test_reversible_in_each_class() -> None:
    turn = np.roll(np.eye(3), 1, axis=1)
    assert not MarkovChain(turn).is_reversible
    assert MarkovChain(walk_to_neighbours(4)).is_reversible
    P = np.zeros((6, 6))
    P[0] = 1 / 6
    P[1:3, 1:3], P[3:, 3:] = TWO, turn
    assert not MarkovChain(P).is_reversible
    P[3:, 3:] = OZ
    assert MarkovChain(P).is_reversible


def test_the_entropy_rate() -> None:
    """Two states (Cover & Thomas, section 4.2), a fair coin, and a state after which all is known."""
    a, b = 0.2, 0.7
    h_a, h_b = (-p * math.log2(p) - (1 - p) * math.log2(1 - p) for p in (a, b))
    chain = MarkovChain([[1 - a, a], [b, 1 - b]])
    assert chain.entropy_rate() == pytest.approx((b * h_a + a * h_b) / (a + b), rel=1e-14)
    assert chain.entropy_rate(math.e) == pytest.approx(chain.entropy_rate() * math.log(2.0), rel=1e-14)
    assert MarkovChain(np.full((2, 2), 0.5)).entropy_rate() == 1.0
    assert MarkovChain(np.roll(np.eye(5), 1, axis=1)).entropy_rate() == 0.0
    assert MarkovChain([[0.5, 0.5], [0.0, 1.0]]).entropy_rate() == 0.0


@given(matrices(), st.booleans())
def test_quantecon_has_the_same_distributions(P: Matrix, sparse: bool) -> None:
    ours, theirs = MarkovChain(forms(P)[sparse]), require("quantecon").MarkovChain(P)
    order = np.argsort([members[0] for members in theirs.recurrent_classes_indices])
    np.testing.assert_allclose(ours.stationary_distributions, theirs.stationary_distributions[order], rtol=1e-10)


def test_names_that_quantecon_has() -> None:
    theirs = require("quantecon").MarkovChain
    ours = set(dir(MarkovChain(OZ)))
    left_out = {"cdfs", "cdfs1d", "digraph", "is_sparse"}
    assert {name for name in dir(theirs(OZ)) if not name.startswith("_")} - left_out <= ours


@pytest.mark.interpreted
@given(matrices(), st.booleans(), st.randoms())
def test_names_and_order_do_not_matter(P: Matrix, sparse: bool, random: Any) -> None:
    n = len(P)
    order = random.sample(range(n), n)
    here = MarkovChain(forms(P)[sparse], list("abcdefghi")[:n])
    there = MarkovChain(forms(P[np.ix_(order, order)])[sparse], ["abcdefghi"[i] for i in order])
    assert set(map(frozenset, here.recurrent_classes)) == set(map(frozenset, there.recurrent_classes))
    assert (here.period, here.is_reversible) == (there.period, there.is_reversible)
    np.testing.assert_allclose(there.hitting_times("a"), here.hitting_times("a")[order], rtol=1e-12)
    ranked = sorted(map(tuple, np.abs(here.stationary_distributions[:, order]).tolist()))
    np.testing.assert_allclose(sorted(map(tuple, there.stationary_distributions.tolist())), ranked, rtol=1e-12)


@given(matrices(), st.integers(0, 2**32))
def test_the_distance_to_the_long_run_never_grows(P: Matrix, seed: int) -> None:
    chain = MarkovChain(P)
    for pi in chain.stationary_distributions:
        mu = np.random.default_rng(seed).dirichlet(np.ones(len(P)))
        distances = [np.abs(chain.distribution(mu, t) - pi).sum() for t in range(20)]
        assert (np.diff(distances) <= 1e-14).all()


def test_the_long_run_from_each_state() -> None:
    P = walk_to_neighbours(5, 0.4)
    P[0, 0], P[0, 1] = 1.0, 0.0
    chain = MarkovChain(P)
    limit = np.linalg.matrix_power(P, 4096)
    np.testing.assert_allclose(chain.absorption_probabilities @ chain.stationary_distributions, limit, atol=1e-14)


def test_the_matrix_is_a_copy_and_cannot_be_changed() -> None:
    for P in (OZ.copy(), scipy.sparse.csr_array(OZ)):
        chain = MarkovChain(P)
        data = P if isinstance(P, np.ndarray) else P.data
        data[:] = 0.0
        np.testing.assert_allclose(chain.stationary_distributions, [[0.4, 0.2, 0.4]])
        assert chain.distribution([1, 0, 0], 1).sum() == 1.0
    with pytest.raises(ValueError, match="read-only"):
        MarkovChain(OZ).P[0, 0] = 1.0
    assert MarkovChain(OZ.T.copy().T).P.flags.c_contiguous
    np.testing.assert_array_equal(MarkovChain(OZ.tolist()).P, OZ)
    sparse = MarkovChain(scipy.sparse.coo_matrix(OZ)).P
    assert not isinstance(sparse, np.ndarray)
    np.testing.assert_array_equal(sparse.toarray(), OZ)


def broken(i: int, j: int, value: float, *, sparse: bool = False) -> Any:
    P = OZ.copy()
    P[i, j] = value
    return scipy.sparse.csr_array(P) if sparse else P


@pytest.mark.parametrize(
    ("P", "names", "what"),
    [
        (broken(1, 1, 0.1), None, r"row 1 of P adds up to 1\.1, but .* divide each row by its sum"),
        (broken(2, 0, 0.2500001), None, r"row 2 of P adds up to 1\.0000001"),
        (broken(1, 1, 0.1, sparse=True), None, r"row 1 of P adds up to 1\.1"),
        (broken(0, 2, -0.25), None, r"P\[0, 2\] is -0\.25; it must not be negative"),
        (broken(0, 2, -0.25, sparse=True), None, r"P\[0, 2\] is -0\.25; it must not be negative"),
        (broken(0, 1, np.nan), None, r"P\[0, 1\] is nan; every entry must be a finite number"),
        (broken(0, 1, np.inf), None, r"P\[0, 1\] is inf"),
        (broken(0, 1, np.nan, sparse=True), None, r"P\[0, 1\] is nan"),
        (OZ[:2], None, r"P has shape \(2, 3\); it needs a row and a column for each state"),
        (OZ[0], None, r"P has 1 dimensions; a matrix has 2"),
        (np.empty((0, 0)), None, r"P has shape \(0, 0\); .* and one at least"),
        (scipy.sparse.csr_array((3, 3)), None, r"row 0 of P adds up to 0"),
        (OZ * 1j, None, "P is complex"),
        ("P", None, "P cannot be read as an array of numbers"),
        (OZ, ["a", "b"], "state_values has 2 values, but there are 3 states"),
        (OZ, ["a", "b", "a"], "state_values holds 'a' twice"),
        (OZ, [[0], [1], [2]], "state_values holds .* no name"),
    ],
)
def test_bad_chains(P: Any, names: Any, what: str) -> None:
    with pytest.raises(InputError, match=what):
        MarkovChain(P, names)


def test_bad_questions() -> None:
    oz, drunkard = MarkovChain(OZ, ["rain", "nice", "snow"]), MarkovChain(walk_to_neighbours(4))
    with pytest.raises(InputError, match="'sun' is no state; states are 'rain', 'nice', 'snow'"):
        oz.hitting_times("sun")
    with pytest.raises(InputError, match="5 is no state; states are 0 to 4"):
        drunkard.hitting_times([0, 5])
    with pytest.raises(InputError, match=r"0\.5 is no state"):
        drunkard.get_index(0.5)
    with pytest.raises(InputError, match="targets is empty"):
        drunkard.hitting_times([])
    with pytest.raises(InputError, match=r"mu has shape \(2,\)"):
        oz.distribution([0.5, 0.5], 1)
    with pytest.raises(InputError, match=r"mu\[1\] is -0\.5"):
        oz.distribution([1.5, -0.5, 0], 1)
    with pytest.raises(InputError, match=r"mu adds up to 0\.9"):
        oz.distribution([0.5, 0.4, 0], 1)
    with pytest.raises(InputError, match="n is -1; it must be at least 0"):
        oz.distribution([1, 0, 0], -1)
    with pytest.raises(InputError, match="the chain has 3 classes, but only an irreducible chain mixes"):
        drunkard.mixing_time()
    with pytest.raises(InputError, match="the chain has period 3 and goes round forever"):
        MarkovChain(np.roll(np.eye(3), 1, axis=1)).mixing_time()
    with pytest.raises(InputError, match=r"eps is 1e-11; it must be at least 1e-10"):
        oz.mixing_time(1e-11)
    with pytest.raises(InputError, match="the chain has 2 recurrent classes, each with an entropy rate of its own"):
        drunkard.entropy_rate()
    for base in (0, 1, -2, math.nan):
        with pytest.raises(InputError, match="base is"):
            oz.entropy_rate(base)
