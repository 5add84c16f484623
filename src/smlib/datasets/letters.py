"""Letters: what Markov counted in Pushkin's verse, by hand.

In 1906 Andrei Markov had shown that the law of large numbers does not need independent trials: it is enough if each
trial depends on the one before. What he lacked was an example from life. On 23 January 1913, two hundred years after
Bernoulli's book, he gave one to the Academy of Sciences in St Petersburg. He had taken the first 20,000 letters of
"Eugene Onegin" (the whole first chapter, and sixteen stanzas of the second), without the hard and the soft sign, which
have no sound of their own, and had written down of each whether it is a vowel or a consonant.

A vowel follows a vowel with the chance .128, and a consonant with .663: letters are not independent at all. And yet the
numbers of vowels in a hundred letters are close to 43, as the law of large numbers has it; even closer than if letters
were independent, for a vowel makes up for a consonant.

Markov, "An example of statistical investigation of the text Eugene Onegin concerning the connection of samples in
chains" (1913), translated in *Science in Context* 19 (2006), pages 591 to 600.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class LetterCounts(NamedTuple):
    """How often letters of two kinds occur in a text, and how often they follow each other.

    Attributes
    ----------
    states : tuple of str
        The kinds: "vowel" and "consonant".
    letters : ndarray of int64, shape (2,)
        How many letters of each kind there are.
    pairs : ndarray of int64, shape (2, 2)
        How often the second kind (column) followed the first one (row).
    triples : ndarray of int64, shape (2,)
        How often three letters of a kind stood in a row.
    """

    states: tuple[str, str]
    letters: NDArray[np.int64]
    pairs: NDArray[np.int64]
    triples: NDArray[np.int64]


def onegin_letters() -> LetterCounts:
    """Return Markov's counts of the first 20,000 letters of Pushkin's "Eugene Onegin".

    Returns
    -------
    LetterCounts
        New arrays at each call.

    Notes
    -----
    Markov gives 8,638 vowels, 1,104 pairs of vowels and 3,827 pairs of consonants, 115 and 505 triples. The pairs of a
    vowel and a consonant follow: the text begins with a consonant, so that all vowels follow something, and 8,638 -
    1,104 = 7,534 of them follow a consonant. As many consonants follow a vowel, for 7,534 + 3,827 is all consonants but
    the first.

    Examples
    --------
    >>> counts = onegin_letters()
    >>> (counts.pairs / counts.letters[:, None]).round(3)
    array([[0.128, 0.872],
           [0.663, 0.337]])
    """
    return LetterCounts(
        ("vowel", "consonant"),
        np.array([8638, 11362]),
        np.array([[1104, 7534], [7534, 3827]]),
        np.array([115, 505]),
    )
