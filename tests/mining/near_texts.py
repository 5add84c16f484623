"""Texts with planted near-duplicates, and the pairs that are alike, found by comparing all sets with all."""

from __future__ import annotations

import random
from itertools import combinations


def plant(documents: int, seed: int, words: int = 60) -> list[str]:
    """Return texts of which every second one is the one before it with a few words changed."""
    draw = random.Random(seed)
    texts: list[str] = []
    for place in range(documents):
        if place % 2 and texts:
            parts = texts[-1].split()
            for _ in range(draw.choice([0, 1, 1, 2, 3, 5])):
                parts[draw.randrange(len(parts))] = f"x{draw.randrange(10**6)}"
        else:
            parts = [f"w{draw.randrange(5000)}" for _ in range(words + draw.randrange(words))]
        texts.append(" ".join(parts))
    return texts


def shingle_set(text: str, width: int) -> frozenset[tuple[str, ...]]:
    """Return the windows of the words of a text."""
    words = text.split()
    count = max(len(words) - width + 1, 1) if words else 0
    return frozenset(tuple(words[i : i + width]) for i in range(count))


def similar_pairs(texts: list[str], width: int, threshold: float) -> dict[tuple[int, int], float]:
    """Return all pairs of at least some similarity, by comparing each with each."""
    sets = [shingle_set(text, width) for text in texts]
    found = {}
    for i, j in combinations(range(len(texts)), 2):
        union = len(sets[i] | sets[j])
        similarity = len(sets[i] & sets[j]) / union if union else 1.0
        if similarity >= threshold:
            found[i, j] = similarity
    return found
