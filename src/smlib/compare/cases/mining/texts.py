"""Texts for the cases: generated ones with near-duplicates planted among them, and those of the Python manual."""

from __future__ import annotations

from functools import cached_property
from pydoc_data.topics import topics
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib.mining import Shingles, shingle_hashes

# Every fourth text is the one before it with a share of its words exchanged.
PLANTED = 4
SHARES = (0.002, 0.01, 0.02, 0.04)
FEWEST_WORDS, MOST_WORDS = 150, 250
WIDTH = 5


class Planted(NamedTuple):
    """A text and a copy of it with changes, by their numbers, and the Jaccard similarity of their shingles."""

    first: int
    second: int
    similarity: float


class Texts:
    """Texts, and what contenders may prepare of them: made at the first call, which no clock times."""

    def __init__(self, names: list[str], documents: list[str]) -> None:
        self.names, self.documents = names, documents

    @cached_property
    def shingles(self) -> Shingles:
        """The shingles of all texts, as hashes."""
        return shingle_hashes(self.documents, WIDTH)

    @cached_property
    def offsets(self) -> NDArray[np.uint64]:
        """Where each text's shingles begin, as rensa likes it."""
        return self.shingles.offsets.astype(np.uint64)

    @cached_property
    def planted(self) -> list[Planted]:
        """The pairs that were planted, and how alike they are by Python's own sets."""
        return [
            Planted(number - 1, number, similarity_of(self.documents[number - 1], self.documents[number]))
            for number in range(PLANTED - 1, len(self.documents), PLANTED)
        ]


def planted_texts(size: int) -> Texts:
    """Return so many texts, of words of the Python manual with frequencies as in a language (Zipf's law)."""
    rng = np.random.default_rng(size)
    vocabulary = np.array(sorted({word for text in topics.values() for word in text.split() if word.isascii()}), object)
    documents: list[str] = []
    for number in range(size):
        if number % PLANTED == PLANTED - 1:
            words = documents[-1].split()
            for place in rng.integers(len(words), size=max(1, int(len(words) * rng.choice(SHARES)))):
                words[place] = vocabulary[rng.integers(vocabulary.size)]
        else:
            words = vocabulary[(rng.zipf(1.2, rng.integers(FEWEST_WORDS, MOST_WORDS)) - 1) % vocabulary.size].tolist()
        documents.append(" ".join(words))
    return Texts([str(number) for number in range(size)], documents)


def manual_texts(size: int) -> Texts:
    """Return the first texts of the Python manual, each under its name."""
    chosen = dict(list(topics.items())[:size])
    return Texts(list(chosen), list(chosen.values()))


def windows_of(document: str) -> list[str]:
    """Return the shingles of a text as strings, as one makes them in Python."""
    words = document.split()
    return [" ".join(words[i : i + WIDTH]) for i in range(max(len(words) - WIDTH + 1, min(len(words), 1)))]


def similarity_of(first: str, second: str) -> float:
    """Return the Jaccard similarity of two texts, by Python's sets of strings."""
    one, other = set(windows_of(first)), set(windows_of(second))
    return len(one & other) / max(len(one | other), 1)
