"""Letters: what Markov published of his counts follows from them."""

from __future__ import annotations

import numpy as np
import pytest

from smlib.datasets.letters import onegin_letters


def test_the_counts_are_those_of_one_text() -> None:
    counts = onegin_letters()
    assert counts.letters.sum() == 20_000
    assert counts.pairs.sum() == 19_999
    # The text begins and ends with a consonant: of these, one follows nothing, and one is followed by nothing.
    np.testing.assert_array_equal(counts.pairs.sum(axis=1), counts.letters - [0, 1])
    np.testing.assert_array_equal(counts.pairs.sum(axis=0), counts.letters - [0, 1])
    assert (counts.triples <= counts.pairs.diagonal()).all()


def test_the_chances_are_the_published_ones() -> None:
    letters, pairs, triples = onegin_letters()[1:]
    assert letters[0] / letters.sum() == pytest.approx(0.432, abs=5e-4)
    after_vowel, after_consonant = pairs[:, 0] / letters
    assert after_vowel == pytest.approx(0.128, abs=5e-4)
    assert after_consonant == pytest.approx(0.663, abs=5e-4)
    # The third letter, given that the two before are of its kind.
    np.testing.assert_allclose(triples / pairs.diagonal(), [0.104, 0.132], atol=5e-4)
    # The dispersion that a chain of this memory has, beside that of independent letters: Markov gives 0.300.
    memory = after_vowel - after_consonant
    assert memory == pytest.approx(-0.535, abs=5e-4)
    assert (1 + memory) / (1 - memory) == pytest.approx(0.3, abs=5e-3)


def test_every_call_makes_its_own_arrays() -> None:
    onegin_letters().pairs[:] = 0
    assert onegin_letters().pairs.any()
