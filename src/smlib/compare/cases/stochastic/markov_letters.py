"""Cases of fitting chains: the letters of the Python manual, told beside those that Markov counted; and how fast."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.datasets.letters import onegin_letters
from smlib.stochastic import LikelihoodRatioTest, MarkovChainFit, fit_counts, fit_transitions, order_test

VOWELS = "aeiou"
# As many letters as Markov took.
TOLD = 20_000
# In so many letters at a time he counted vowels.
BLOCK = 100


class Letters:
    """The first letters of the Python manual, and which of them are consonants."""

    def __init__(self, size: int) -> None:
        self.text = re.sub("[^a-z]", "", "".join(topics.values()).lower())[:size]
        vowels = np.isin(np.frombuffer(self.text.encode(), np.uint8), list(VOWELS.encode()))
        # 0 is a vowel, 1 a consonant.
        self.kinds: NDArray[np.int64] = np.where(vowels, 0, 1)

    @cached_property
    def onegin(self) -> MarkovChainFit:
        """The same for what Markov counted."""
        counts = onegin_letters()
        return fit_counts(counts.pairs, counts.states)

    @cached_property
    def farther(self) -> LikelihoodRatioTest:
        """Whether the last letter but one matters too."""
        return order_test(self.kinds, 2)


def _numpy_letters(letters: Letters) -> tuple[NDArray[np.float64], float]:
    """Count pairs with NumPy, and test independence with SciPy."""
    kinds = letters.kinds
    counts = np.bincount(2 * kinds[:-1] + kinds[1:], minlength=4).reshape(2, 2)
    test = scipy.stats.chi2_contingency(counts, correction=False, lambda_="log-likelihood")
    return counts / counts.sum(axis=1, keepdims=True), float(test.statistic)


def _quantecon(sequence: NDArray[np.int64]) -> NDArray[np.float64]:
    matrix: NDArray[np.float64] = import_module("quantecon").markov.estimate_mc(sequence).P
    return matrix


def _same_letters(_: Letters, ours: MarkovChainFit, theirs: Any) -> Agreement:
    P, statistic = theirs if isinstance(theirs, tuple) else (theirs, ours.independence.statistic)
    difference = float(np.abs(ours.P - P).max())
    same = difference <= 1e-15 and abs(ours.independence.statistic / statistic - 1.0) <= 1e-9
    return Agreement(
        same, f"chances differ by {difference:.1e}, G by {abs(ours.independence.statistic - statistic):.1e}"
    )


def _tell_letters(letters: Letters, fit: MarkovChainFit) -> Sequence[str]:
    def row(name: str, of: MarkovChainFit) -> str:
        cells = [f"{of.P[k, 0]:.3f} ({of.lower[k, 0]:.3f} to {of.upper[k, 0]:.3f})" for k in range(2)]
        return f"{name:<21} {cells[0]}   {cells[1]}   {of.chain.stationary_distributions[0, 0]:.3f}"

    blocks = letters.kinds[: letters.kinds.size // BLOCK * BLOCK].reshape(-1, BLOCK)
    vowels, memory = 1.0 - letters.kinds.mean(), fit.P[0, 0] - fit.P[1, 0]
    scatter = blocks.sum(axis=1).var() / (BLOCK * vowels * (1.0 - vowels))
    return [
        f"Yes. How often a vowel comes (within 95 %), in {letters.kinds.size:,} letters:",
        f"{'':<21} after a vowel            after a consonant        at all",
        row("Python manual", fit),
        row("Onegin, Markov 1913", letters.onegin),
        f"Were letters independent, G would be about {fit.independence.dof}; it is {fit.independence.statistic:,.0f}, "
        f"and {letters.onegin.independence.statistic:,.0f} in Onegin.",
        f"The last letter but one matters too: G grows by {letters.farther.statistic:,.0f}, and chance would make it "
        f"grow by {letters.farther.dof}.",
        f"Vowels in {BLOCK} letters scatter {scatter:.2f} times as much as independent ones would; such a chain, "
        f"{(1.0 + memory) / (1.0 - memory):.2f} times.",
    ]


def _prove_letters(letters: Letters, fit: MarkovChainFit) -> Mapping[str, bool]:
    kinds = [int(letter not in VOWELS) for letter in letters.text]
    counted = Counter(pairwise(kinds))
    share = kinds.count(0) / len(kinds)
    off = abs(float(fit.chain.stationary_distributions[0, 0]) - share)
    published = letters.onegin.P[:, 0].round(3).tolist()
    return {
        f"counted once more by a dictionary: {fit.counts[0, 0]:,} vowels after a vowel, "
        f"{fit.counts[1, 0]:,} after a consonant": all(fit.counts[pair] == counted[pair] for pair in np.ndindex(2, 2)),
        f"all pairs together are the letters less one: {fit.counts.sum():,}": fit.counts.sum() == len(kinds) - 1,
        f"the chain's share of vowels is that of the text, but for {off:.1e}": off <= 2.0 / len(kinds),
        "the intervals of the two chances do not meet": bool(fit.upper[0, 0] < fit.lower[1, 0]),
        "from Markov's counts come the chances that he printed: .128 and .663": published == [0.128, 0.663],
    }


def _sequence(size: int) -> NDArray[np.int64]:
    """Draw letters of which each is near the one before, among 26."""
    steps = np.random.default_rng(size).integers(-3, 4, size)
    return np.cumsum(steps) % 26


def _numpy_counts(sequence: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = np.bincount(26 * sequence[:-1] + sequence[1:], minlength=26 * 26).reshape(26, 26)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _same_chances(_: NDArray[np.int64], ours: MarkovChainFit, P: NDArray[np.float64]) -> Agreement:
    difference = float(np.abs(ours.P - P).max())
    return Agreement(difference <= 1e-15, f"chances differ by {difference:.1e}")


CASES = (
    Case(
        "markov_chains",
        "vowels and consonants",
        "letters",
        (2_000, TOLD, 200_000),
        Letters,
        lambda letters: fit_transitions(letters.kinds),
        (
            Peer("NumPy counts, SciPy's test", "scipy", _numpy_letters),
            Peer("quantecon", "quantecon", lambda letters: _quantecon(letters.kinds)),
        ),
        _same_letters,
        note="Ours finds out which states there are, counts, and gives intervals and the test of independence as well. "
        "quantecon gives the chances alone.",
        story=Story(
            "Does a letter know the one before it?",
            TOLD,
            "the first letters of the manual that every Python carries (pydoc_data.topics); and what Markov counted in "
            "Pushkin's Eugene Onegin, by hand",
            _tell_letters,
            _prove_letters,
        ),
    ),
    Case(
        "markov_chains",
        "fit, 26 states",
        "letters",
        (100_000, 1_000_000, 10_000_000),
        _sequence,
        fit_transitions,
        (
            Peer("NumPy bincount", "numpy", _numpy_counts),
            Peer("quantecon", "quantecon", _quantecon),
        ),
        _same_chances,
        note="NumPy is told that the states are 0 to 25; ours finds out. quantecon sorts to do so.",
    ),
)
