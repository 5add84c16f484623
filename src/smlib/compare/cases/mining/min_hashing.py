"""Cases of min-hashing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import combinations
from typing import Any

import numpy as np

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.infotheory.texts import MANUAL
from smlib.compare.cases.mining.texts import Texts, manual_texts, planted_texts, windows_of
from smlib.mining import MinHasher, estimate_jaccard, jaccard
from smlib.mining.min_hashing import Signatures

NUM_HASHES, SEED = 128, 1
SIZES = (2_000, 6_000, 20_000)
TOLD = 8


def _sign(texts: Texts) -> Signatures:
    return MinHasher(NUM_HASHES, SEED).signatures(texts.shingles)


def _rensa(texts: Texts) -> Any:
    sketch = import_module("rensa").RMinHash
    return sketch.digest_matrix_from_flat_token_hashes(texts.shingles.hashes, texts.offsets, NUM_HASHES, SEED)


def _datasketch(texts: Texts) -> Signatures:
    """Hashes are numbers already, so that its hash function need not do anything but take 32 bits."""
    sketch = import_module("datasketch").MinHash
    hashes = texts.shingles.hashes >> np.uint64(32)
    rows = [hashes[a:b].tolist() for a, b in zip(texts.offsets[:-1], texts.offsets[1:], strict=True)]
    made = [sketch(NUM_HASHES, seed=SEED, hashfunc=_itself) for _ in rows]
    for one, row in zip(made, rows, strict=True):
        one.update_batch(row)
    return np.array([one.hashvalues for one in made])


def _itself(number: int) -> int:
    return number


def error_of(texts: Texts, signatures: Any) -> float:
    """Return the root of the mean square of what estimates of the planted pairs are off, over what theory says."""
    rows = np.asarray(signatures.to_rows() if hasattr(signatures, "to_rows") else signatures)
    pairs = texts.planted
    exact = np.array([pair.similarity for pair in pairs])
    estimates = estimate_jaccard(rows[[pair.first for pair in pairs]], rows[[pair.second for pair in pairs]])
    return math.sqrt(((estimates - exact) ** 2).mean() / ((exact * (1 - exact)).mean() / NUM_HASHES))


def _err_alike(texts: Texts, ours: Signatures, theirs: Any) -> Agreement:
    our_error, their_error = error_of(texts, ours), error_of(texts, theirs)
    return Agreement(
        our_error < 1.2 and their_error < 1.2,
        f"errors of the estimates are {our_error:.2f} of the theory's, theirs {their_error:.2f}",
    )


# The story.


def _sign_manual(texts: Texts) -> Signatures:
    return MinHasher(NUM_HASHES, SEED).signatures(texts.documents)


def _compare_all(texts: Texts) -> dict[tuple[int, int], float]:
    """Return the similarity of each pair that has something in common, by Python's sets."""
    sets = [set(windows_of(document)) for document in texts.documents]
    pairs = combinations(range(len(sets)), 2)
    return {(i, j): jaccard(sets[i], sets[j]) for i, j in pairs if not sets[i].isdisjoint(sets[j])}


def _err_within_theory(texts: Texts, ours: Signatures, theirs: dict[tuple[int, int], float]) -> Agreement:
    """Where sets have nothing in common, signatures have not either: whoever meets there has met by chance."""
    worst = max(
        (abs(estimate - exact) / math.sqrt(max(exact * (1 - exact), 1 / NUM_HASHES) / NUM_HASHES), i, j)
        for i, j, estimate, exact in _estimates(ours, theirs)
    )
    return Agreement(worst[0] < 5.0, f"of {len(theirs):,} pairs none is off by more than {worst[0]:.1f} deviations")


def _estimates(signatures: Signatures, exact: Mapping[tuple[int, int], float]) -> list[tuple[int, int, float, float]]:
    return [(i, j, float(estimate_jaccard(signatures[i], signatures[j])), value) for (i, j), value in exact.items()]


def _tell_likest(texts: Texts, signatures: Signatures) -> Sequence[str]:
    table = np.asarray(estimate_jaccard(signatures[:, np.newaxis], signatures))
    pairs = [(i, j) for i, j in zip(*np.triu_indices(len(table), 1), strict=True)]
    likest = sorted(pairs, key=lambda pair: -table[pair])[:TOLD]
    total = sum(map(len, texts.documents))
    lines = [f"{total:,} letters become {signatures.nbytes:,} bytes: {NUM_HASHES} numbers a text"]
    for i, j in likest:
        exact = jaccard(windows_of(texts.documents[i]), windows_of(texts.documents[j]))
        lines.append(f"{texts.names[i]!r} and {texts.names[j]!r}: {table[i, j]:.0%} by signatures, {exact:.1%} exactly")
    return lines


def _prove_signatures(texts: Texts, signatures: Signatures) -> Mapping[str, bool]:
    hasher = MinHasher(NUM_HASHES, SEED)
    both = hasher.signatures([f"{texts.documents[0]} {texts.documents[1]}"])[0]
    backwards = hasher.signatures(texts.documents[::-1])[::-1]
    shared = np.minimum(signatures[0], signatures[1])
    return {
        "the order of the texts does not matter": bool((backwards == signatures).all()),
        "where two texts are joined the minima are the smaller ones, or of a shingle over the seam": bool(
            (both <= shared).all()
        ),
        "a text is like itself by 1": estimate_jaccard(signatures[0], signatures[0]) == 1.0,
    }


CASES = (
    Case(
        "min_hashing",
        "signatures of 128 values, from the same hashes",
        "texts",
        SIZES,
        planted_texts,
        _sign,
        (
            Peer("rensa, digest matrix (Rust)", "rensa", _rensa),
            Peer("datasketch, batches", "datasketch", _datasketch, max_size=2_000),
        ),
        _err_alike,
        note="All three are given hashes of 64 bits, some 200 a text; datasketch takes 32 of them.",
    ),
    Case(
        "min_hashing",
        "texts of the manual, pair by pair",
        "texts",
        (20, 40, 79),
        manual_texts,
        _sign_manual,
        (Peer("Python sets, all pairs", "builtins", _compare_all),),
        _err_within_theory,
        note="Not the same work: signatures are made on our side, and exact similarities of all pairs on the other.",
        story=Story(
            "Which texts of the Python manual are most alike, by 512 bytes of each?",
            79,
            MANUAL,
            _tell_likest,
            _prove_signatures,
        ),
    ),
)
