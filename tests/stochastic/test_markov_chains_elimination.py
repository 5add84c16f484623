"""Elimination: exact fractions as the reference, each entry relative to itself; panels and bands that must agree."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.stochastic import MarkovChain
from smlib.stochastic.markov_chains import elimination
from smlib.stochastic.markov_chains.elimination import PANEL, SENT_ROWS, censor
from tests.conftest import require
from tests.stochastic.chains import (
    COURTOIS,
    OZ,
    Matrix,
    exact_stationary,
    exact_sums,
    forms,
    matrices,
    relative_error,
    walk_to_neighbours,
)

# A rounding; what a few n of them are for the largest chain that is tried.
ROUNDING = 2.0**-53
FEW = 60 * ROUNDING


@pytest.mark.interpreted
@pytest.mark.parametrize("sparse", [False, True])
def test_the_books_absorbing_chains(sparse: bool) -> None:
    """Grinstead & Snell, section 11.2 (the drunkard's walk) and section 11.5 (first passages in the Land of Oz)."""
    drunkard = MarkovChain(forms(walk_to_neighbours(4))[sparse])
    visits = np.array([[1.5, 1, 0.5], [1, 2, 1], [0.5, 1, 1.5]])
    np.testing.assert_allclose(drunkard.fundamental_matrix, visits, rtol=1e-15)
    np.testing.assert_allclose(drunkard.hitting_times([0, 4]), [0, 3, 4, 3, 0], rtol=1e-15)
    expected = np.array([[1, 0], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0, 1]])
    np.testing.assert_allclose(drunkard.absorption_probabilities, expected, rtol=1e-15)
    np.testing.assert_array_equal(drunkard.hitting_times(0), [0, *[np.inf] * 4])

    oz = MarkovChain(forms(OZ)[sparse], ["rain", "nice", "snow"])
    np.testing.assert_allclose(oz.stationary_distributions, [[0.4, 0.2, 0.4]], rtol=1e-15)
    passages = np.column_stack([oz.hitting_times(state) for state in ("rain", "nice", "snow")])
    np.testing.assert_allclose(passages, [[0, 4, 10 / 3], [8 / 3, 0, 8 / 3], [10 / 3, 4, 0]], rtol=1e-15)


@pytest.mark.interpreted
def test_gamblers_ruin() -> None:
    """With chance p to win a game, i of n is turned into n with (1 - (q/p)^i) / (1 - (q/p)^n)."""
    p, n = 0.45, 20
    gambler = MarkovChain(walk_to_neighbours(n, p))
    ratio = (1 - p) / p
    i = np.arange(n + 1)
    np.testing.assert_allclose(gambler.absorption_probabilities[:, 1], (1 - ratio**i) / (1 - ratio**n), rtol=1e-12)
    fair = MarkovChain(walk_to_neighbours(n))
    np.testing.assert_allclose(fair.hitting_times([0, n]), i * (n - i), rtol=1e-13)


def test_other_books_numbers() -> None:
    """Patterns of coins, a knight (Blitzstein & Hwang, chapters 9 and 11), two states (Lawler, section 1.2)."""
    # What was seen last: nothing of the pattern, one letter, both. HH takes 6 tosses on average, HT 4.
    for back, tosses in ((0, 6.0), (1, 4.0)):
        P = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 1.0]])
        P[1, back] = 0.5
        assert MarkovChain(P, ["", "H", "done"]).hitting_times("done")[0] == tosses
    squares = [(x, y) for x in range(8) for y in range(8)]
    jumps = np.array([[sorted((abs(x - u), abs(y - v))) == [1, 2] for u, v in squares] for x, y in squares], float)
    knight = MarkovChain(jumps / jumps.sum(axis=1, keepdims=True), squares)
    corner = knight.get_index((0, 0))
    assert 1.0 / knight.stationary_distributions[0, corner] == pytest.approx(168.0, rel=1e-13)
    assert 1.0 + knight.hitting_times([(0, 0)])[knight.get_index((1, 2))] == pytest.approx(168.0, rel=1e-13)
    assert knight.is_reversible
    p, q = 0.3, 1e-9
    two = MarkovChain([[1 - p, p], [q, 1 - q]])
    np.testing.assert_allclose(two.stationary_distributions, [[q / (p + q), p / (p + q)]], rtol=1e-15)


def test_courtois_matrix() -> None:
    """Its stationary distribution as Stewart prints it, and to the last digit by fractions."""
    printed = [0.08928, 0.09276, 0.04049, 0.15853, 0.11894, 0.12039, 0.27780, 0.10182]
    for P in forms(COURTOIS):
        found = MarkovChain(P).stationary_distributions[0]
        np.testing.assert_allclose(found, printed, atol=5e-6)
        assert relative_error(found, exact_stationary(COURTOIS)) <= FEW


@pytest.mark.interpreted
@given(matrices(largest=7), st.booleans())
def test_stationary_distributions_are_exact_entry_by_entry(P: Matrix, sparse: bool) -> None:
    chain = MarkovChain(forms(P)[sparse])
    found = chain.stationary_distributions
    assert found.shape == (chain.num_recurrent_classes, len(P))
    for row, members in zip(found, chain.recurrent_classes_indices, strict=True):
        exact = np.full(len(P), Fraction(0))
        exact[members] = exact_stationary(P[np.ix_(members, members)])
        assert relative_error(row, exact) <= FEW
        np.testing.assert_allclose(row @ P, row, rtol=1e-6, atol=1e-15)


def test_where_subtraction_fails() -> None:
    """Three groups that lead to each other with chance 1e-12: solving loses all but a few digits, and this none."""
    rng = np.random.default_rng(7)
    P = rng.random((12, 12))
    group = np.arange(12) // 4
    P[np.not_equal.outer(group, group)] *= 1e-12
    P /= P.sum(axis=1, keepdims=True)
    exact = exact_stationary(P)
    A = np.vstack([(P.T - np.eye(12))[:-1], np.ones(12)])
    assert relative_error(np.linalg.solve(A, np.eye(12)[-1]), exact) > 1e-6
    for form in forms(P):
        assert relative_error(MarkovChain(form).stationary_distributions, exact) <= FEW
    chain = MarkovChain(P)
    targets = [0, 5]
    others = [i for i in range(12) if i not in targets]
    times = exact_sums(P, others, np.ones((10, 1)))
    assert relative_error(chain.hitting_times(targets)[others], times) <= FEW


@pytest.mark.interpreted
@given(matrices(largest=7), st.booleans())
def test_absorption_is_exact_entry_by_entry(P: Matrix, sparse: bool) -> None:
    chain = MarkovChain(forms(P)[sparse])
    transient = chain.transient_states_indices.tolist()
    found = chain.absorption_probabilities
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-14)
    for column, members in enumerate(chain.recurrent_classes_indices):
        np.testing.assert_array_equal(found[members], np.eye(found.shape[1])[[column] * len(members)])
    if not transient:
        with pytest.raises(InputError, match=r"no transient states, .* ask hitting_times"):
            _ = chain.fundamental_matrix
        return
    # Sums of several chances are rounded once before the elimination begins.
    steps = np.array([[P[i, m].sum() for m in chain.recurrent_classes_indices] for i in transient])
    assert relative_error(found[transient], exact_sums(P, transient, steps)) <= FEW
    assert relative_error(chain.fundamental_matrix, exact_sums(P, transient, np.eye(len(transient)))) <= FEW


@given(matrices(largest=7), st.booleans(), st.data())
def test_hitting_times_are_exact_or_infinite(P: Matrix, sparse: bool, data: st.DataObject) -> None:
    n = len(P)
    targets = sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1)))
    found = MarkovChain(forms(P)[sparse]).hitting_times(targets)
    assert (found[targets] == 0.0).all()
    # The chance to come there at all, from a walk that stops there: many squarings of its matrix.
    stopped = P.copy()
    stopped[targets] = np.eye(n)[targets]
    alive: Any = stopped > 0
    for _ in range(n):
        alive = alive | (alive.astype(int) @ (stopped > 0).astype(int) > 0)
    hopeless = ~alive[:, targets].any(axis=1)
    misses = (alive & hopeless).any(axis=1)
    np.testing.assert_array_equal(np.isinf(found), misses)
    rest = [i for i in range(n) if not misses[i] and i not in targets]
    if rest:
        assert relative_error(found[rest], exact_sums(P, rest, np.ones((len(rest), 1)))) <= FEW
        assert (found[rest] >= 1.0).all()


@pytest.mark.parametrize("n", [1, 2, PANEL - 1, PANEL, PANEL + 1, 2 * PANEL + 3, SENT_ROWS + PANEL + 5, 400])
def test_panels_change_nothing(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    quantecon = require("quantecon")
    rng = np.random.default_rng(n)
    P = rng.random((n, n)) * (rng.random((n, n)) < 0.7) + 0.01 / n
    P /= P.sum(axis=1, keepdims=True)
    chain = MarkovChain(P)
    found = chain.stationary_distributions[0]
    np.testing.assert_allclose(found, quantecon.markov.gth_solve(P), rtol=1e-12)
    times = chain.hitting_times(0)
    np.testing.assert_allclose(times[1:], np.linalg.solve(np.eye(n - 1) - P[1:, 1:], np.ones(n - 1)), rtol=1e-10)
    monkeypatch.setattr(elimination, "PANEL", 1)
    np.testing.assert_allclose(found, MarkovChain(P).stationary_distributions[0], rtol=1e-12)
    np.testing.assert_allclose(times, MarkovChain(P).hitting_times(0), rtol=1e-12)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("n", "reach"), [(2, 1), (3, 2), (10, 1), (150, 1), (150, 20), (500, PANEL + 6)])
def test_bands_are_like_full_matrices(n: int, reach: int, seed: int) -> None:
    """States in any order, of which each leads to a few near ones: the band is found, and gives the same."""
    rng = np.random.default_rng(seed)
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    P = rng.random((n, n)) * (distance <= reach) * ((rng.random((n, n)) < 0.5) | (distance == 1))
    shuffled = rng.permutation(n)
    P = (P / P.sum(axis=1, keepdims=True))[np.ix_(shuffled, shuffled)]
    full, band = (MarkovChain(form) for form in forms(P))
    assert censor(band._weights, np.arange(n)).stride < n or reach * n < 10_000
    np.testing.assert_allclose(band.stationary_distributions, full.stationary_distributions, rtol=1e-12)
    np.testing.assert_allclose(band.hitting_times([0, 1]), full.hitting_times([0, 1]), rtol=1e-12)
    leaky = 0.75 * P
    ended = np.block([[leaky, np.full((n, 1), 0.25)], [np.zeros((1, n)), np.ones((1, 1))]])
    full, band = (MarkovChain(form) for form in forms(ended))
    np.testing.assert_allclose(band.fundamental_matrix, full.fundamental_matrix, rtol=1e-12)
    np.testing.assert_allclose(full.fundamental_matrix @ (np.eye(n) - leaky), np.eye(n), atol=1e-12)


def test_long_queues_need_a_band_only() -> None:
    """Up with 0.3, down with 0.4: a geometric law over 30,000 states, of which few can be told from 0."""
    n = 30_000
    P = scipy.sparse.diags_array(
        [np.full(n - 1, 0.4), np.r_[0.7, np.full(n - 2, 0.3), 0.6], np.full(n - 1, 0.3)], offsets=[-1, 0, 1]
    ).tocsr()
    found = MarkovChain(P).stationary_distributions[0]
    expected = 0.25 * 0.75 ** np.arange(2000)
    np.testing.assert_allclose(found[:2000], expected, rtol=1e-12)
    part = censor(MarkovChain(P)._weights, np.arange(n))
    assert part.cells.nbytes < n * 8 * (2 * PANEL + 10)


def test_chances_that_no_float_can_hold() -> None:
    n = 1000
    steep = np.diag(np.full(n - 1, 0.5), 1) + np.diag(np.full(n - 1, 0.001), -1)
    P = steep + np.diag(1.0 - steep.sum(axis=1))
    found = MarkovChain(P).stationary_distributions[0]
    np.testing.assert_allclose(found[::-1][:100], 0.998 * 0.002 ** np.arange(100), rtol=1e-12)
    assert found[0] == 0.0
    tiny = [[1.0, 1e-200, 0.0], [0.0, 1.0, 1e-200], [1e-200, 0.0, 1.0]]
    np.testing.assert_allclose(MarkovChain(tiny).stationary_distributions, [[1 / 3, 1 / 3, 1 / 3]])
    # Back to 0 it takes 199 steps of chance 0.001 in a row, else the walk begins anew at 1.
    n = 200
    retry = np.diag(np.full(n - 1, 0.001), 1)
    retry[1:, 1] += 0.999
    retry[0], retry[n - 1] = np.eye(n)[1], np.r_[0.001, 0.999, np.zeros(n - 2)]
    for P in forms(retry):
        chain = MarkovChain(P)
        found = chain.stationary_distributions[0]
        assert found[0] == 0.0
        np.testing.assert_allclose(found[1:90], 0.999 * 0.001 ** np.arange(89), rtol=1e-12)
        with pytest.raises(InputError, match=r"the chance ever to leave some state is below 1e-308"):
            chain.hitting_times(0)
    with pytest.raises(InputError, match="chances below 1e-300 stand beside others"):
        _ = MarkovChain([[0.5, 0.5], [1e-310, 1.0]]).stationary_distributions


def test_a_band_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 3000
    rng = np.random.default_rng(1)
    links = scipy.sparse.csr_array((np.ones(3 * n), (np.repeat(np.arange(n), 3), rng.integers(0, n, 3 * n))))
    P = scipy.sparse.diags_array(1.0 / links.sum(axis=1)) @ links
    monkeypatch.setattr(elimination, "MOST_BYTES", 1 << 20)
    with pytest.raises(
        InputError, match=r"states that lead up to \d+ places away, .* need \d+ MB .* 1 MB are the most"
    ):
        _ = MarkovChain(P).stationary_distributions
