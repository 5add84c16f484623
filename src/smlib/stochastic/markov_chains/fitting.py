r"""Fitting a chain to what was seen: transition counts, how sure they are, and whether there is a chain at all.

The problem. Someone has watched: a text letter by letter, the weather day by day, visitors page by page. With which
chances does one thing follow another? And does it matter at all what came before?

The idea. Count. If n[i] transitions out of state i were seen, and n[i, j] of them went to j, then ``n[i, j] / n[i]`` is
the estimate that makes what was seen most likely. By the Markov property each exit from i is a fresh draw from the same
row, whatever happened before: so a row of counts is as good as a sample of n[i] independent draws, and what is known of
samples holds for it.

How sure. Seen 3 times of 10, the chance is .3, give or take. The *score interval* (Wilson 1927) holds every p under
which ``n[i, j]`` would be within z standard deviations of its mean; a quadratic equation in p, with the roots ::

    (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)        z = 1.96 for 95 %

It stays within 0 and 1, and says something even if a transition was never seen: at most z^2 / (n + z^2), a share of
about 4 in n + 4. The simple ``p +- z sqrt(p (1-p) / n)`` would then be an interval of no length.

Does it matter what came before? Under independence the chance of a pair is the product of its parts' chances, so one
expects ``e[i, j] = (row sum) (column sum) / all`` of it. The likelihood ratio of the two models says how far off that
is,

    G = 2 sum n[i, j] log(n[i, j] / e[i, j])

and if there is independence, G has about the chi-square distribution with (rows - 1) (columns - 1) degrees of freedom.
To ask whether the letter two places back matters *given the last one*, do so for each last letter and add up.

By hand. The weather of ten days, s(un) or r(ain): s s r r r s s s s r. The pairs: ss 4, sr 2, rs 1, rr 2. So sun
follows sun with chance 4/6, and rain with 1/3. One expects 6 * 5 / 9 = 3.33 ss, 2.67 sr, 1.67 rs, 1.33 rr, and G = 2 (4
log 1.2 + 2 log .75 + log .6 + 2 log 1.5) = .91 with one degree of freedom, which chance exceeds in 34 % of cases:
nothing proved.

A state that was never left, such as the last one of a sequence, tells nothing of its row: its estimates are NaN, their
intervals go from 0 to 1, and no chain can be made. Where it is known that the chain ends there, say so by seeing it
once more: ``[*sequence, sequence[-1]]``.

Invariants, checked by the tests:
  1. All counts together are the letters less one for each sequence: no pair crosses the gap between two of them.
  2. Rows of the estimate add up to 1, and lie within their intervals, which lie within 0 and 1.
  3. No other chain makes what was seen more likely.
  4. Names of states do not matter, nor does the order of sequences.

Cost: O(letters) to count, O(n^(order + 1)) for n states.

Anderson & Goodman, "Statistical inference about Markov chains", *Annals of Mathematical Statistics* 28 (1957); Wilson,
"Probable inference, the law of succession, and statistical inference", *JASA* 22 (1927); Markov, "An example of
statistical investigation of the text Eugene Onegin" (1913), in English in *Science in Context* 19 (2006); Norris,
*Markov Chains*, section 1.10.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincc, ndtri, xlogy

from smlib._core.results import Result
from smlib._core.validate import Vector, as_confidence, as_count
from smlib.errors import InputError
from smlib.stochastic.markov_chains.chain import MarkovChain
from smlib.stochastic.markov_chains.counting import Counts, Sequences, as_labels, count_transitions


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LikelihoodRatioTest(Result):
    """Whether a longer memory explains more than chance would.

    Attributes
    ----------
    order : int
        How many letters back the longer memory reaches; the shorter one reaches one letter less.
    statistic : float
        ``G``: twice the logarithm of how much more likely the longer memory makes what was seen.
    dof : int
        Degrees of freedom: how many free numbers the longer memory has more, for what was seen.
    pvalue : float
        The chance of a G at least as large if the shorter memory is the truth, by the chi-square distribution. That is
        an approximation for many counts: fine where some five are expected in most places.
    """

    order: int
    statistic: float
    dof: int
    pvalue: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MarkovChainFit(Result):
    """A chain estimated from sequences, and how sure each of its chances is.

    Attributes
    ----------
    states : tuple
        The states, in the order of rows and columns.
    counts : ndarray of int64, shape (n, n)
        How often the column's state followed the row's.
    P : ndarray, shape (n, n)
        The chances that make the counts most likely. A row of NaN: the state was never left.
    lower, upper : ndarray, shape (n, n)
        Wilson's score intervals of each chance alone; 0 and 1 in a row of NaN.
    confidence : float
        The share of intervals that hold the true chance.
    log_likelihood : float
        The logarithm (natural) of the chance of what was seen under ``P``, given where each sequence starts.
    independence : LikelihoodRatioTest
        Whether a state depends on the one before at all.
    """

    states: tuple[Any, ...]
    counts: Counts
    P: Vector
    lower: Vector
    upper: Vector
    confidence: float
    log_likelihood: float
    independence: LikelihoodRatioTest

    @property
    def chain(self) -> MarkovChain:
        """The estimate as a chain. InputError if a state was never left, so that nothing is known of its row."""
        unknown = np.isnan(self.P).any(axis=1)
        if unknown.any():
            state = self.states[int(unknown.argmax())]
            raise InputError(
                f"the state {state!r} was never left, so that nothing is known of its row; give it a transition (of "
                "its own to itself, if the chain ends there), or leave it out"
            )
        return MarkovChain(self.P, state_values=self.states)


def fit_transitions(
    sequences: Sequences, states: Iterable[Hashable] | None = None, confidence: float = 0.95
) -> MarkovChainFit:
    """Estimate a chain from one or more sequences of states, with a confidence interval for each transition.

    Parameters
    ----------
    sequences : str, array or iterable
        One sequence: a string, an array of one dimension, or an iterable of hashable states. Several: an array of two
        dimensions, a row each, or a list of lists or arrays. (A list of strings is one sequence, the strings being its
        states; so is a list of tuples.) Arrays of integers are counted fastest.
    states : iterable, optional
        All states there are, in the order that is wanted. By default those that occur: in ascending order if they have
        one, else as they first occur.
    confidence : float
        Of each interval, between 0 and 1.

    Returns
    -------
    MarkovChainFit

    Raises
    ------
    InputError
        No sequence has two states; a state that is not among ``states``, or twice in it; more than 4096 states;
        ``confidence`` out of its range.

    Notes
    -----
    Complexity: O(letters + n^2) time and space for n states.

    References
    ----------
    Anderson & Goodman, "Statistical inference about Markov chains" (1957); Norris, *Markov Chains*, section 1.10.

    Examples
    --------
    >>> fit = fit_transitions("ssrrrssssr")
    >>> fit.states, fit.counts.tolist()
    (('r', 's'), [[2, 1], [2, 4]])
    >>> fit.P.round(3).tolist()
    [[0.667, 0.333], [0.333, 0.667]]
    >>> fit.lower.round(2).tolist()
    [[0.21, 0.06], [0.1, 0.3]]
    >>> print(f"{fit.independence.pvalue:.2f}")
    0.34
    >>> fit.chain.stationary_distributions
    array([[0.5, 0.5]])
    """
    names, parts = as_labels(sequences, states)
    return fit_counts(count_transitions(parts, len(names), 1), names, confidence)


def fit_counts(counts: ArrayLike, states: Iterable[Hashable], confidence: float = 0.95) -> MarkovChainFit:
    """Estimate a chain from a table of counts: how often each state (column) followed each other one (row).

    Parameters
    ----------
    counts : array_like of int, shape (n, n)
        Not negative, not all 0.
    states : iterable
        The n states.
    confidence : float
        Of each interval, between 0 and 1.

    Returns
    -------
    MarkovChainFit

    Raises
    ------
    InputError
        ``counts`` is no such table, or does not fit the states.

    Notes
    -----
    Complexity: O(n^2).

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    Examples
    --------
    >>> fit_counts([[1104, 7534], [7534, 3827]], ["vowel", "consonant"]).P.round(3).tolist()
    [[0.128, 0.872], [0.663, 0.337]]
    """
    names = tuple(states)
    table = np.asarray(counts)
    if table.shape != (len(names), len(names)):
        raise InputError(f"counts has shape {table.shape}, but {len(names)} states need a row and a column each")
    if table.dtype.kind not in "iu" or (table < 0).any():
        raise InputError("counts must be integers that are not negative")
    if not table.any():
        raise InputError("there is no transition: no sequence has two states or more")
    table = table.astype(np.int64)
    level = as_confidence(confidence)

    totals = table.sum(axis=1, keepdims=True)
    seen = totals > 0
    P = np.where(seen, table / np.maximum(totals, 1), np.nan)
    lower, upper = score_interval(table, totals, level)
    return MarkovChainFit(
        names,
        table,
        P,
        lower,
        upper,
        level,
        float(xlogy(table, np.where(seen, P, 1.0)).sum()),
        likelihood_ratio(table[:, None, :], 1),
    )


def order_test(sequences: Sequences, order: int = 1, states: Iterable[Hashable] | None = None) -> LikelihoodRatioTest:
    """Ask whether a state depends on the one ``order`` places before, given those between.

    With ``order=1``: is there a chain at all, or are states drawn independently of each other? With ``order=2``: does
    the last state but one say anything that the last one does not?

    Parameters
    ----------
    sequences, states
        As for `fit_transitions`.
    order : int
        At least 1.

    Returns
    -------
    LikelihoodRatioTest
        A small ``pvalue`` says that memory reaches so far.

    Raises
    ------
    InputError
        No sequence is longer than ``order``; ``n^(order + 1)`` counts would be too many.

    Notes
    -----
    Complexity: O(letters + n^(order + 1)).

    References
    ----------
    Anderson & Goodman, "Statistical inference about Markov chains" (1957), sections 3 and 4.

    Examples
    --------
    >>> test = order_test("abcabdabcabd" * 20, 2)
    >>> test.dof, test.pvalue > 0.99  # after b comes c or d; the a before it says nothing more
    (0, True)
    >>> test = order_test("abcabd" * 40, 3)
    >>> test.dof, test.pvalue < 1e-9  # three places back, it does
    (1, True)
    """
    length = as_count(order, "order")
    if length < 1:
        raise InputError("order is 0; it is the number of places back that memory reaches, 1 at least")
    names, parts = as_labels(sequences, states)
    counts = count_transitions(parts, len(names), length)
    if not counts.any():
        raise InputError(f"order is {length}, but no sequence has more than {length} states")
    return likelihood_ratio(counts.reshape(len(names), -1, len(names)), length)


def likelihood_ratio(counts: Counts, order: int) -> LikelihoodRatioTest:
    """Test whether first and last letters are independent given what is between them; counts[first, between, last]."""
    first, last, between = counts.sum(axis=2), counts.sum(axis=0), counts.sum(axis=(0, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = first[:, :, None] * (last / between[:, None])
        ratio = np.where(counts > 0, counts / expected, 1.0)
    G = max(0.0, 2.0 * float((counts * np.log(ratio)).sum()))
    free = ((first > 0).sum(axis=0) - 1) * ((last > 0).sum(axis=1) - 1)
    dof = int(free[between > 0].sum())
    return LikelihoodRatioTest(order, G, dof, float(gammaincc(dof / 2.0, G / 2.0)) if dof else 1.0)


def score_interval(counts: Counts, totals: Counts, confidence: float) -> tuple[Vector, Vector]:
    """Return Wilson's interval for the chance behind each count of a total; from 0 to 1 where the total is 0."""
    n = np.maximum(totals, 1)
    z = float(ndtri(0.5 + confidence / 2.0))
    p = counts / n
    middle, scale = p + z * z / (2.0 * n), 1.0 + z * z / n
    half = z * np.sqrt(p * (1.0 - p) / n + (z / (2.0 * n)) ** 2)
    lower, upper = (middle - half) / scale, (middle + half) / scale
    return np.clip(lower, 0.0, p), np.where(totals == 0, 1.0, np.clip(upper, p, 1.0))
