"""Signatures and bands, step by step: a signature sinks to its minima, and documents meet in bands.

First the shingles of one document lower its signature one by one; the others get theirs in a step each. Then the tables
are filled, a band in a step: who has the same key as another one is at the same place, and a pair that has not met
before is a candidate. At the end the candidates are looked at.

Invariants, computed at every step:
  1. Each value of a signature is the smallest hash of the document's shingles so far.
  2. The candidates are the pairs that have a band in common, of those that have been looked at; each is told once.
  3. What is left at the end are the candidates of at least the threshold.

Cost: O(n^2) a step, for the proofs.

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, sections 3.3 and 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from smlib._core.hashing import avalanche
from smlib._core.trace import Step
from smlib.errors import InputError
from smlib.mining.locality_sensitive_hashing.band_tables import NOBODY, link, slots_for, tell_pairs
from smlib.mining.locality_sensitive_hashing.banding import as_positive, as_threshold, band_keys
from smlib.mining.locality_sensitive_hashing.duplicates import compare_sets, similarities_of
from smlib.mining.min_hashing import NOTHING, MinHasher, Signatures, estimate_jaccard, jaccard, lower, sign_all
from smlib.mining.shingling import Shingles, shingle_hashes

Pair = tuple[int, int]


def trace(
    texts: Sequence[str],
    bands: int = 4,
    rows: int = 3,
    threshold: float = 0.5,
    *,
    width: int = 2,
    rng: np.random.Generator | int | None = None,
) -> Iterator[Step]:
    """Yield the first text's signature, a step a shingle, the other signatures, the bands, and what is left.

    Parameters
    ----------
    texts : sequence of str
        Two or more, of which the first has a word at least.
    bands, rows : int
        A signature has ``bands * rows`` values.
    threshold : float
        Candidates of less are dropped at the end.
    width : int
        Of a shingle, in words.
    rng : Generator, int or None
        Where the hash functions are drawn from.

    Yields
    ------
    Step
        Its state holds ``texts``, ``signatures``, how many of them are ``signed``, the ``lowered`` places of the last
        one, the ``band`` that is looked at (or None), the documents that ``met`` in it, the ``candidates`` with
        their estimates, and in the end their ``similarities``.

    Raises
    ------
    InputError
        There are fewer than two texts, or the first is empty; bands, rows, threshold or width that are none.

    Notes
    -----
    Complexity: O(n^2) a step.

    References
    ----------
    Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, section 3.4.

    Examples
    --------
    >>> for step in trace(["a dog ran", "a dog ran", "a cat"], bands=2, rows=2, rng=1):
    ...     print(step.caption)
    The first text has 2 shingles, and its signature 4 places, at which nothing is yet.
    "a dog" lowers the signature at 4 of 4 places.
    "dog ran" lowers the signature at 2 of 4 places.
    Text 1 gets its signature at once: the smallest of 2 hashes at each place.
    Text 2 gets its signature at once: the smallest of 1 hash at each place.
    Band 0: texts 0 and 1 agree in all of it. 1 pair is new.
    Band 1: texts 0 and 1 agree in all of it. No pair is new.
    Of 3 pairs 1 was looked at: 0 and 1 are alike by 1.00. Of these 1 reaches 0.50.
    """
    if len(texts) < 2:
        raise InputError(f"there are {len(texts)} texts; two or more can be alike")
    hasher = MinHasher(as_positive(bands, "bands") * as_positive(rows, "rows"), rng, width=width)
    least = as_threshold(threshold)
    shingles = shingle_hashes(texts, width)
    signatures = np.full((len(texts), hasher.num_hashes), NOTHING, np.uint32)
    state = {
        "texts": tuple(texts),
        "rows": rows,
        "signed": 0,
        "lowered": (),
        "band": None,
        "met": (),
        "candidates": {},
        "similarities": {},
    }
    yield from _sign(texts, shingles, hasher, signatures, state)
    yield from _meet(shingles, signatures, (bands, rows), least, state)


def _sign(
    texts: Sequence[str], shingles: Shingles, hasher: MinHasher, signatures: Signatures, state: dict[str, Any]
) -> Iterator[Step]:
    hashes, offsets = shingles
    key, words = np.uint64(hasher.key), texts[0].encode().split()
    count = int(offsets[1])
    if count == 0:
        raise InputError("the first text is empty; it must have a word")
    for done in range(count + 1):
        before = signatures[0].copy()
        if done:
            lower(signatures[0], hasher.multipliers, hashes[done - 1], key)
            window = b" ".join(words[done - 1 : done - 1 + int(hasher.width)]).decode()
            lowered = tuple(np.flatnonzero(signatures[0] < before).tolist())
            caption = f'"{window}" lowers the signature at {len(lowered)} of {before.size} places.'
        else:
            lowered = ()
            caption = f"The first text has {count} shingles, and its signature {before.size} places, at which nothing "
            caption += "is yet."
        yield Step(
            caption,
            state | {"signatures": signatures.copy(), "signed": 1, "lowered": lowered},
            lower,
            _prove_minima(hasher, signatures[:1], [hashes[:done]]),
            "At how many places does the next shingle have a smaller hash?" if done else "",
        )
    for d in range(1, len(texts)):
        begin, end = int(offsets[d]), int(offsets[d + 1])
        sign_all(hashes, offsets[d : d + 2], key, hasher.multipliers, signatures[d : d + 1])
        yield Step(
            f"Text {d} gets its signature at once: the smallest of {_count(end - begin, 'hash')} at each place.",
            state | {"signatures": signatures.copy(), "signed": d + 1, "lowered": tuple(range(signatures.shape[1]))},
            sign_all,
            _prove_minima(hasher, signatures[: d + 1], [hashes[offsets[c] : offsets[c + 1]] for c in range(d + 1)]),
        )


def _meet(
    shingles: Shingles, signatures: Signatures, shape: tuple[int, int], least: float, state: dict[str, Any]
) -> Iterator[Step]:
    bands, rows = shape
    documents, num_hashes = signatures.shape
    keys = band_keys(signatures, num_hashes, bands, rows)
    candidates: dict[Pair, float] = {}
    state = state | {"signatures": signatures.copy(), "signed": documents}
    for band in range(bands):
        slots, links = np.full(slots_for(documents), NOBODY, np.int32), np.empty(documents, np.int32)
        link(keys[band], 0, documents, slots, links)
        pairs = np.empty((documents * documents, 2), np.int64)
        new = pairs[: tell_pairs(keys, band, links, pairs)]
        told_before = set(candidates) & {(c, d) for c, d in new.tolist()}
        for c, d in new.tolist():
            candidates[c, d] = float(estimate_jaccard(signatures[c], signatures[d]))
        met = _groups(keys[band])
        yield Step(
            f"Band {band}: {_tell_groups(met)} {_tell_new(len(new))}",
            state | {"band": band, "met": met, "candidates": dict(candidates)},
            link,
            {
                "candidates are the pairs that have a band in common": set(candidates)
                == _meeting(signatures[:, : (band + 1) * rows], rows),
                "no pair is told twice": not told_before,
            },
            "Which texts agree at all places of the next band?",
        )
    found = np.array(list(candidates), np.int64).reshape(-1, 2)
    similarities = dict(zip(candidates, similarities_of(shingles, found).tolist(), strict=True))
    kept = [pair for pair, similarity in similarities.items() if similarity >= least]
    sets = [shingles.hashes[a:b].tolist() for a, b in zip(shingles.offsets, shingles.offsets[1:], strict=False)]
    yield Step(
        _tell_end(documents, similarities, len(kept), least),
        state | {"candidates": dict(candidates), "similarities": similarities},
        compare_sets,
        {
            "each similarity is that of the sets": all(
                similarity == jaccard(sets[c], sets[d]) for (c, d), similarity in similarities.items()
            )
        },
        "Which of the candidates are as alike as they look?",
    )


def _prove_minima(hasher: MinHasher, signatures: Signatures, rows: Sequence[np.ndarray]) -> dict[str, bool]:
    right = True
    for signature, hashes in zip(signatures.tolist(), rows, strict=True):
        xs = [int(avalanche(np.uint64(int(hashed) ^ hasher.key))) >> 32 for hashed in hashes]
        minima = [min((int(m) * x % 2**32 for x in xs), default=NOTHING) for m in hasher.multipliers]
        right &= signature == minima
    return {"each value is the smallest hash of its text's shingles so far": right}


def _groups(column: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """Return the documents that have a key in common, group by group."""
    groups: dict[int, list[int]] = {}
    for d, key in enumerate(column.tolist()):
        groups.setdefault(key, []).append(d)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _meeting(signatures: Signatures, rows: int) -> set[Pair]:
    cut = signatures.reshape(len(signatures), -1, rows)
    return {(c, d) for c, d in combinations(range(len(cut)), 2) if (cut[c] == cut[d]).all(axis=1).any()}


def _tell_groups(groups: tuple[tuple[int, ...], ...]) -> str:
    told = [f"texts {', '.join(map(str, group[:-1]))} and {group[-1]} agree in all of it" for group in groups]
    return f"{'; '.join(told) or 'no two texts agree in all of it'}."


def _tell_new(new: int) -> str:
    return "No pair is new." if new == 0 else f"{_count(new, 'pair')} {'is' if new == 1 else 'are'} new."


def _tell_end(documents: int, similarities: dict[Pair, float], kept: int, least: float) -> str:
    of_all = f"Of {documents * (documents - 1) // 2} pairs {len(similarities)}"
    listed = "; ".join(f"{c} and {d} are alike by {value:.2f}" for (c, d), value in similarities.items())
    was, reach = "was" if len(similarities) == 1 else "were", "reaches" if kept == 1 else "reach"
    return f"{of_all} {was} looked at{': ' if listed else ''}{listed}. Of these {kept} {reach} {least:.2f}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 'es' if noun.endswith('h') else 's'}"
