"""Fitting chains: counts by hand and by dictionaries, intervals and tests as SciPy has them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from smlib.datasets.letters import onegin_letters
from smlib.errors import InputError
from smlib.stochastic import MarkovChain, fit_counts, fit_transitions, order_test
from smlib.stochastic.markov_chains.counting import SMALL_TABLE, WIDEST_RANGE, as_labels, count_transitions
from tests.conftest import require

texts = st.lists(st.lists(st.integers(0, 4), max_size=60), min_size=1, max_size=5)


def counted(parts: list[Any], order: int = 1) -> Counter[Any]:
    """Count histories and what follows, as one does in Python."""
    return Counter(tuple(part[k : k + order + 1]) for part in parts for k in range(len(part) - order))


@pytest.mark.interpreted
def test_by_hand() -> None:
    fit = fit_transitions("ssrrrssssr", states="sr")
    assert fit.states == ("s", "r")
    assert fit.counts.tolist() == [[4, 2], [1, 2]]
    np.testing.assert_allclose(fit.P, [[4 / 6, 2 / 6], [1 / 3, 2 / 3]])
    assert fit.log_likelihood == pytest.approx(
        4 * np.log(4 / 6) + 2 * np.log(2 / 6) + np.log(1 / 3) + 2 * np.log(2 / 3)
    )
    assert fit.independence.statistic == pytest.approx(0.908, abs=1e-3)
    assert fit.independence.dof == 1
    assert fit.independence.pvalue == pytest.approx(0.341, abs=1e-3)


def test_markov_counted_right() -> None:
    counts = onegin_letters()
    fit = fit_counts(counts.pairs, counts.states)
    assert fit.P[:, 0].round(3).tolist() == [0.128, 0.663]
    assert fit.lower[0, 0] < 0.128 < fit.upper[0, 0] < 0.136
    assert fit.independence.pvalue < 1e-300, "letters are not independent"
    share = fit.chain.stationary_distributions[0, 0]
    assert share == pytest.approx(8638 / 20_000, abs=1e-4)
    assert MarkovChain(fit.P, counts.states).is_irreducible


@given(texts)
def test_counts_are_those_of_a_dictionary(parts: list[list[int]]) -> None:
    if not any(len(part) > 1 for part in parts):
        return
    for given_parts in (
        [np.array(part, np.int64) for part in parts],
        [np.array(part, np.uint8) for part in parts],
        [np.array(part, np.int64) * 10**12 for part in parts],
        parts,
        [[(letter, "?") for letter in part] for part in parts],
    ):
        fit = fit_transitions(given_parts)
        n = len(fit.states)
        expected = counted([list(part) for part in given_parts])
        got = {(fit.states[i], fit.states[j]): fit.counts[i, j] for i in range(n) for j in range(n) if fit.counts[i, j]}
        assert got == expected
        assert list(fit.states) == sorted(fit.states)
        assert fit.counts.sum() == sum(max(len(part) - 1, 0) for part in parts)


@given(texts, st.integers(1, 3))
def test_longer_histories_are_those_of_a_dictionary(parts: list[list[int]], order: int) -> None:
    names, labels = as_labels(parts, range(5))
    counts = count_transitions(labels, 5, order)
    assert names == (0, 1, 2, 3, 4)
    for word, times in counted(parts, order).items():
        history = sum(letter * 5**place for place, letter in enumerate(reversed(word[:-1])))
        assert counts[history, word[-1]] == times
    assert counts.sum() == sum(max(len(part) - order, 0) for part in parts)


@pytest.mark.parametrize("n", [3, 40])
def test_tables_in_parts_and_large_ones(n: int) -> None:
    assert (n * n <= SMALL_TABLE) == (n == 3)
    x = np.random.default_rng(n).integers(n, size=10_007)
    fit = fit_transitions(x)
    np.testing.assert_array_equal(fit.counts.ravel(), np.bincount(x[:-1] * n + x[1:], minlength=n * n))


def test_the_ways_to_give_sequences() -> None:
    letters = fit_transitions("abba")
    for same in (["a", "b", "b", "a"], ("a", "b", "b", "a"), iter("abba"), [list("abba")], np.array(list("abba"))):
        fit = fit_transitions(same)
        assert fit.states == letters.states == ("a", "b")
        assert fit.counts.tolist() == letters.counts.tolist() == [[0, 1], [1, 1]]
    rows = fit_transitions(np.array([[0, 1], [1, 1]]))
    assert rows.counts.tolist() == [[0, 1], [0, 1]]
    assert fit_transitions(["ab", "ba", "ab"]).states == ("ab", "ba")
    assert fit_transitions([1, "a", 1]).states == (1, "a"), "what has no order stands as it came"
    assert fit_transitions("xyz\U0001f600xy").states == ("x", "y", "z", "\U0001f600")
    assert fit_transitions(np.array([2**63, 1, 2**63], np.uint64)).states == (1, 2**63)
    wide = np.array([-(2**60), 5, -(2**60), 2**60])
    assert wide.max() - 5 > WIDEST_RANGE
    assert fit_transitions(wide).states == (-(2**60), 5, 2**60)


def test_states_may_be_given() -> None:
    for sequence, states in (("abba", "xba"), ([1, 2, 2, 1], (9, 2, 1)), (np.array([1, 2, 2, 1]), [9, 2, 1])):
        fit = fit_transitions(sequence, states)
        assert fit.states == tuple(states)
        assert fit.counts.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 0]]
        assert np.isnan(fit.P[0]).all()
        assert (fit.lower[0] == 0).all()
        assert (fit.upper[0] == 1).all()


@given(st.lists(st.lists(st.integers(0, 1000), min_size=4, max_size=4), min_size=4, max_size=4), st.floats(0.5, 0.999))
def test_intervals_and_estimates(table: list[list[int]], confidence: float) -> None:
    counts = np.array(table)
    if not counts.any():
        return
    fit = fit_counts(counts, "abcd", confidence)
    for i, j in np.ndindex(4, 4):
        total = counts[i].sum()
        if total == 0:
            assert np.isnan(fit.P[i, j])
            continue
        expected = scipy.stats.binomtest(int(counts[i, j]), int(total)).proportion_ci(confidence, "wilson")
        assert (fit.lower[i, j], fit.upper[i, j]) == pytest.approx((expected.low, expected.high), abs=1e-12)
        assert 0 <= fit.lower[i, j] <= fit.P[i, j] <= fit.upper[i, j] <= 1
    known = ~np.isnan(fit.P[:, 0])
    np.testing.assert_allclose(fit.P[known].sum(axis=1), 1, rtol=1e-14)


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    P = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.05, 0.05, 0.9]])
    chain = MarkovChain(P)
    rng = np.random.default_rng(5)
    held = []
    for _ in range(300):
        fit = fit_transitions(chain.simulate_indices(400, init=0, rng=rng), states=range(3))
        held.append((fit.lower <= P) & (fit.upper >= P))
    share = np.mean(held, axis=0)
    assert (share > 0.91).all()
    assert abs(share[P > 0].mean() - 0.95) < 0.015


def test_no_other_chain_makes_the_counts_more_likely() -> None:
    rng = np.random.default_rng(2)
    fit = fit_transitions(rng.integers(3, size=200))
    for _ in range(100):
        other = 0.9 * fit.P + 0.1 * rng.dirichlet(np.ones(3), 3)
        assert (fit.counts * np.log(other)).sum() < fit.log_likelihood


def test_agreement_with_quantecon() -> None:
    quantecon = require("quantecon")
    x = np.random.default_rng(8).integers(3, 9, size=5000)
    theirs = quantecon.markov.estimate_mc(x)
    fit = fit_transitions(x)
    np.testing.assert_array_equal(fit.states, theirs.state_values)
    np.testing.assert_allclose(fit.P, theirs.P, rtol=1e-15)


@given(texts)
def test_independence_is_scipys_test(parts: list[list[int]]) -> None:
    if not any(len(part) > 1 for part in parts):
        return
    fit = fit_transitions(parts)
    seen = fit.counts[fit.counts.sum(axis=1) > 0][:, fit.counts.sum(axis=0) > 0]
    test = order_test(parts, 1)
    assert (test.statistic, test.dof, test.pvalue) == pytest.approx(
        (fit.independence.statistic, fit.independence.dof, fit.independence.pvalue)
    )
    expected = scipy.stats.chi2_contingency(seen, correction=False, lambda_="log-likelihood")
    assert test.statistic == pytest.approx(expected.statistic, abs=1e-10)
    assert test.dof == expected.dof
    if test.dof:
        assert test.pvalue == pytest.approx(expected.pvalue, abs=1e-10)


def test_order_two_is_a_sum_of_tests_for_each_middle() -> None:
    x = np.random.default_rng(3).integers(3, size=3000)
    test = order_test(x, 2)
    G, dof = 0.0, 0
    for middle in range(3):
        table = np.zeros((3, 3))
        for k in np.flatnonzero(x[1:-1] == middle):
            table[x[k], x[k + 2]] += 1
        part = scipy.stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
        G, dof = G + part.statistic, dof + part.dof
    assert (test.order, test.dof) == (2, dof) == (2, 12)
    assert test.statistic == pytest.approx(G)
    assert test.pvalue == pytest.approx(scipy.stats.chi2.sf(G, dof))


def test_memory_is_found_where_it_is() -> None:
    """A letter that repeats the one two places back, seven times of ten, knows nothing of the last one."""
    rng = np.random.default_rng(4)
    x = rng.integers(2, size=4000)
    for k in range(2, x.size):
        if rng.random() < 0.7:
            x[k] = x[k - 2]
    pvalues = [order_test(x, order).pvalue for order in (1, 2, 3)]
    assert pvalues[0] > 0.01
    assert pvalues[1] < 1e-100
    assert pvalues[2] > 0.01


def test_under_independence_pvalues_are_spread_evenly() -> None:
    rng = np.random.default_rng(6)
    pvalues = [order_test(rng.integers(3, size=500), 1).pvalue for _ in range(400)]
    assert scipy.stats.kstest(pvalues, "uniform").pvalue > 0.01


@given(texts, st.permutations(range(5)))
def test_names_and_order_do_not_matter(parts: list[list[int]], order: list[int]) -> None:
    if not any(len(part) > 1 for part in parts):
        return
    fit = fit_transitions(parts, range(5))
    renamed = fit_transitions(
        [["vwxyz"[letter] for letter in part] for part in reversed(parts)], ["vwxyz"[k] for k in order]
    )
    np.testing.assert_array_equal(renamed.counts, fit.counts[np.ix_(order, order)])
    assert renamed.log_likelihood == pytest.approx(fit.log_likelihood)


def test_a_state_that_was_never_left() -> None:
    fit = fit_transitions([list("abc"), list("abd"), list("bac")])
    assert np.isnan(fit.P).all(axis=1).tolist() == [False, False, True, True]
    with pytest.raises(InputError, match="'c' was never left"):
        fit.chain  # noqa: B018  # the property raises
    ends = [[*word, word[-1]] for word in ("abc", "abd", "bac")]
    chain = fit_transitions(ends).chain
    assert sorted(state for (state,) in chain.recurrent_classes) == ["c", "d"]


def test_the_chain_has_the_names() -> None:
    sequence = ["sun", "rain", "rain", "sun", "sun", "rain", "sun"]
    chain = fit_transitions(sequence).chain
    assert chain.state_values is not None
    assert chain.state_values.tolist() == ["rain", "sun"]
    assert Counter(pairwise(sequence))["sun", "rain"] == 2
    fit = MarkovChain.fit(sequence)
    assert fit.counts.tolist() == [[1, 2], [2, 1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_transitions(""), "no transition"),
        (lambda: fit_transitions([[1], [2], []]), "no transition"),
        (lambda: fit_transitions([]), "no transition"),
        (lambda: fit_transitions("ab", states="a"), "'b' occurs in a sequence"),
        (lambda: fit_transitions(np.array([1, 2]), states=[1]), "2 occurs in a sequence"),
        (lambda: fit_transitions([1, 2], states=[1]), "2 occurs in a sequence"),
        (lambda: fit_transitions("ab", states="aba"), "states holds 'a' twice"),
        (lambda: fit_transitions("ab", states=""), "states is empty"),
        (lambda: fit_transitions([[1, 2], 3]), "also 3"),
        (lambda: fit_transitions([{1}, {2}]), "hashable"),
        (lambda: fit_transitions(7), "sequences is 7"),  # type: ignore[arg-type]
        (lambda: fit_transitions(np.zeros((2, 2, 2), int)), "3 dimensions"),
        (lambda: fit_transitions(np.arange(9000)), "9000 states"),
        (lambda: fit_transitions("abab", confidence=1.0), "confidence is 1.0"),
        (lambda: fit_counts([[1, 2]], "ab"), r"shape \(1, 2\)"),
        (lambda: fit_counts([[1, -2], [1, 1]], "ab"), "integers that are not negative"),
        (lambda: fit_counts([[1.5, 2.0], [1.0, 1.0]], "ab"), "integers that are not negative"),
        (lambda: fit_counts([[0, 0], [0, 0]], "ab"), "no transition"),
        (lambda: order_test("abab", 0), "order is 0"),
        (lambda: order_test("abab", 4), "no sequence has more than 4"),
        (lambda: order_test(np.arange(100), 4), "1e\\+10 counts"),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
