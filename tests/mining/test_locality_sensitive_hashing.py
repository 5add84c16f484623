"""Bands and near-duplicates: the book's table, all pairs by brute force, binomial tests, and datasketch beside it."""

from __future__ import annotations

import json
import lzma
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.mining import LSHIndex, MinHasher, Shingles, near_duplicates, s_curve, shingle_hashes
from smlib.mining.locality_sensitive_hashing import duplicates
from smlib.mining.locality_sensitive_hashing.band_tables import candidate_pairs
from smlib.mining.locality_sensitive_hashing.banding import balance_bands, band_keys, bands_that_find
from tests.conftest import require
from tests.mining.near_texts import plant, similar_pairs


@pytest.mark.interpreted
def test_the_books_table_of_the_s_curve() -> None:
    """Figure 3.8: b = 20 and r = 5; and section 3.4.2's example of 80 %, of which 1 in 3000 is missed."""
    table = {0.2: 0.006, 0.3: 0.047, 0.4: 0.186, 0.5: 0.470, 0.6: 0.802, 0.7: 0.975, 0.8: 0.9996}
    for similarity, chance in table.items():
        assert s_curve(20, 5, similarity) == pytest.approx(chance, abs=6e-4 if similarity < 0.8 else 6e-5)
    assert 1 - float(s_curve(20, 5, 0.8)) == pytest.approx(0.00035, abs=1e-5)
    assert np.asarray(s_curve(20, 5)).shape == (101,)
    assert np.asarray(s_curve(20, 5))[[0, -1]].tolist() == [0.0, 1.0]
    # Exercise 3.4.1's three shapes at the similarity (1/b)^(1/r).
    for bands, rows in ((10, 3), (20, 6), (50, 5)):
        assert s_curve(bands, rows, (1 / bands) ** (1 / rows)) == pytest.approx(1 - np.exp(-1), abs=0.02)


def test_bands_for_a_threshold_are_those_of_datasketch() -> None:
    chosen = require("datasketch.lsh")._optimal_param
    for threshold in (0.1, 0.3, 0.5, 0.6, 0.75, 0.8, 0.9, 0.95):
        for num_hashes in (16, 64, 128):
            (bands, rows), theirs = balance_bands(num_hashes, threshold), chosen(threshold, num_hashes, 0.5, 0.5)
            assert area(bands, rows, threshold) <= area(theirs[0], theirs[1], threshold) + 1e-3, (threshold, num_hashes)
    assert balance_bands(128, 0.8) == chosen(0.8, 128, 0.5, 0.5) == (9, 13)


def area(bands: int, rows: int, threshold: float) -> float:
    """Return the area between the S-curve and a step, by SciPy."""
    below = scipy.integrate.quad(lambda s: 1 - (1 - s**rows) ** bands, 0, threshold)[0]
    return float(below + scipy.integrate.quad(lambda s: (1 - s**rows) ** bands, threshold, 1)[0])


def test_bands_that_find_are_as_high_as_they_can_be() -> None:
    for threshold in (0.05, 0.2, 0.5, 0.8, 0.9, 0.99, 1.0):
        bands, rows = bands_that_find(128, threshold)
        assert bands * rows <= 128
        if rows > 1:
            assert s_curve(bands, rows, threshold) >= 0.99
        if rows < 128:
            assert s_curve(128 // (rows + 1), rows + 1, threshold) < 0.99
    assert bands_that_find(128, 0.8) == (21, 6)
    assert bands_that_find(1, 0.3) == (1, 1)


# Who meets whom.


def meeting(signatures: np.ndarray, bands: int, rows: int) -> set[tuple[int, int]]:
    """Return the pairs that have a whole band in common, by comparing each with each."""
    cut = signatures[:, : bands * rows].reshape(len(signatures), bands, rows)
    return {(i, j) for i, j in combinations(range(len(cut)), 2) if (cut[i] == cut[j]).all(axis=1).any()}


small_signatures = st.integers(1, 12).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 2), min_size=width, max_size=width), max_size=14)
)


@pytest.mark.interpreted
@given(small_signatures, st.integers(1, 4), st.integers(1, 4))
def test_candidates_are_the_pairs_that_meet_each_once(rows_of: list[list[int]], bands: int, rows: int) -> None:
    width = len(rows_of[0]) if rows_of else 12
    bands = max(1, min(bands, width // rows))
    rows = min(rows, width)
    signatures = np.array(rows_of, np.uint32).reshape(-1, width)
    pairs = candidate_pairs(band_keys(signatures, width, bands, rows)).tolist()
    assert {tuple(pair) for pair in pairs} == meeting(signatures, bands, rows)
    assert len({tuple(pair) for pair in pairs}) == len(pairs)
    assert all(c < d for c, d in pairs)
    index = LSHIndex(width, bands=bands, rows=rows)
    for number, signature in enumerate(signatures):
        expected = [c for c, d in sorted(meeting(signatures[: number + 1], bands, rows)) if d == number]
        assert index.query(signature) == expected
        index.insert(number, signature)


def test_many_signatures_and_long_chains() -> None:
    generator = np.random.default_rng(2)
    signatures = generator.integers(0, 8, (300, 12), dtype=np.uint32)
    signatures[100:150] = signatures[0]
    for bands, rows in ((4, 3), (3, 4), (12, 1)):
        pairs = candidate_pairs(band_keys(signatures, 12, bands, rows))
        assert set(map(tuple, pairs.tolist())) == meeting(signatures, bands, rows)
        assert len(np.unique(pairs, axis=0)) == len(pairs)


@pytest.mark.parametrize(("bands", "rows"), [(20, 5), (32, 4), (9, 13), (128, 1)])
def test_pairs_are_found_with_the_chance_of_the_s_curve(bands: int, rows: int) -> None:
    """300 pairs of each of some similarities, under hash functions of their own."""
    for common in (20, 50, 80, 95):
        exact = common / (200 - common)
        found = 0
        for seed in range(30):
            sets = [
                some
                for k in range(10)
                for some in (k * 10**4 + np.arange(100), k * 10**4 + 100 - common + np.arange(100))
            ]
            shingles = Shingles(np.array(sets, np.uint64).ravel(), np.arange(21) * 100)
            signatures = MinHasher(128, seed).signatures(shingles)
            pairs = candidate_pairs(band_keys(signatures, 128, bands, rows))
            found += int(((pairs[:, 0] % 2 == 0) & (pairs[:, 1] == pairs[:, 0] + 1)).sum())
        chance = float(s_curve(bands, rows, exact))
        assert scipy.stats.binomtest(found, 300, min(chance, 1.0)).pvalue > 1e-4, (exact, found, chance)


# From texts to pairs.


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
def test_verified_pairs_are_the_candidates_above_the_threshold(threshold: float) -> None:
    texts = plant(200, seed=1)
    for width in (1, 3):
        truth = similar_pairs(texts, width, 0.0)
        candidates = near_duplicates(texts, threshold, width=width, verify=False, rng=1)
        verified = near_duplicates(texts, threshold, width=width, rng=1)
        pairs = list(map(tuple, candidates.pairs.tolist()))
        above = {pair: truth[pair] for pair in pairs if truth[pair] >= threshold}
        assert dict(zip(map(tuple, verified.pairs.tolist()), verified.similarities.tolist(), strict=True)) == above
        assert [*map(tuple, verified.pairs.tolist())] == sorted(above)
        assert pairs == sorted(pairs)
        errors = candidates.similarities - [truth[pair] for pair in pairs]
        assert np.abs(errors).max() < 5 * 0.5 / np.sqrt(128)
        wanted = {pair for pair, similarity in truth.items() if similarity >= threshold}
        assert len(set(above)) >= 0.97 * len(wanted)


@pytest.mark.interpreted
@given(st.lists(st.text(st.sampled_from("ab ")), max_size=10), st.sampled_from([0.2, 0.5, 1.0]), st.integers(0, 9))
def test_short_texts_of_which_many_are_equal(texts: list[str], threshold: float, seed: int) -> None:
    found = near_duplicates(texts, threshold, width=2, rng=seed)
    truth = similar_pairs(texts, 2, threshold)
    pairs = dict(zip(map(tuple, found.pairs.tolist()), found.similarities.tolist(), strict=True))
    assert pairs.items() <= truth.items()
    assert list(pairs) == sorted(pairs)
    assert {pair for pair, similarity in truth.items() if similarity == 1.0} <= set(pairs)


def test_equal_texts_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand copies of four texts: the tables see four documents, and one candidate is compared."""
    sizes = []

    def count(keys: Any) -> Any:
        sizes.append(keys.shape[1])
        return candidate_pairs(keys)

    monkeypatch.setattr(duplicates, "candidate_pairs", count)
    base = " ".join(f"w{k}" for k in range(100))
    texts = [base, base + " end", "something quite different from the others here", ""] * 250
    found = near_duplicates(texts, 0.8, rng=1)
    assert sizes == [4]
    equal = 4 * 250 * 249 // 2
    assert len(found.pairs) == equal + 250 * 250
    assert (found.similarities == 1.0).sum() == equal
    assert np.unique(found.similarities).tolist() == [96 / 97, 1.0]
    assert len(np.unique(found.pairs, axis=0)) == len(found.pairs)
    assert (np.diff(found.pairs, axis=1) > 0).all()
    # Equal as sets, and not as texts: not one document, but similar all the same.
    assert near_duplicates(["a b a b", "b a b a b"], 1.0, width=2, rng=1).pairs.tolist() == [[0, 1]]


def test_few_documents() -> None:
    for texts in ([], ["one"], [""], ["one", "other"]):
        found = near_duplicates(texts, rng=1)
        assert found.pairs.shape == (0, 2)
        assert found.similarities.shape == (0,)
        assert "NearDuplicates" in repr(found)
        assert near_duplicates(texts, verify=False, rng=1).pairs.shape == (0, 2)
    assert near_duplicates(["", " "], rng=1).similarities.tolist() == [1.0]
    given_sets = Shingles(np.array([1, 2, 3, 3, 2, 1, 1, 9], np.uint64), np.array([0, 3, 7, 8]))
    assert near_duplicates(given_sets, 0.9, rng=1).pairs.tolist() == [[0, 1]]


def test_texts_by_characters() -> None:
    texts = ["Grüße aus Köln am Rhein", "Grüsse aus Köln am Rhein", "x"]
    found = near_duplicates(texts, 0.5, width=3, unit="characters")
    assert found.pairs.tolist() == [[0, 1]]
    assert found.similarities.tolist() == [18 / 25]


def test_datasketch_finds_the_same_pairs_as_often() -> None:
    """Both with bands that find a pair at 0.8 with 0.998: verified by brute force, neither misses much."""
    datasketch = require("datasketch")
    texts = plant(300, seed=3)
    truth = set(similar_pairs(texts, 3, 0.8))
    ours = {tuple(pair) for pair in near_duplicates(texts, 0.8, width=3, rng=1).pairs.tolist()}
    shingles = shingle_hashes(texts, 3)
    index, theirs = datasketch.MinHashLSH(num_perm=128, params=(21, 6)), set()
    for number in range(len(texts)):
        sketch = datasketch.MinHash(128, seed=1)
        row = shingles.hashes[shingles.offsets[number] : shingles.offsets[number + 1]]
        sketch.update_batch([int(hashed).to_bytes(8, "little") for hashed in row])
        theirs |= {(other, number) for other in index.query(sketch)}
        index.insert(number, sketch)
    assert len(truth) > 50
    assert ours <= truth
    assert len(ours) >= 0.98 * len(truth)
    assert len(theirs & truth) >= 0.98 * len(truth)


@pytest.mark.real_data
def test_licences_that_are_nearly_equal(real_data: Path) -> None:
    """The licences of SPDX: all pairs of at least 0.5 by 3-word shingles, worked out on all pairs by other code."""
    with lzma.open(real_data / "text" / "spdx_licenses.jsonl.xz", "rt", encoding="utf-8") as lines:
        licences = [json.loads(line) for line in lines]
    known = json.loads((real_data / "text" / "known_answers_text.json").read_text(encoding="utf-8"))["spdx"]
    names = [licence["id"] for licence in licences]
    texts = [" ".join(re.findall(r"\w+", licence["text"].lower())) for licence in licences]
    exact = {tuple(sorted((one, other))): value for one, other, value in known["pairs_jaccard_ge_0_5"]}
    assert len(texts) == known["docs"]
    for threshold in (0.5, 0.8):
        found = near_duplicates(texts, threshold, width=3, rng=1)
        ours = {
            tuple(sorted((names[i], names[j]))): value
            for (i, j), value in zip(found.pairs.tolist(), found.similarities.tolist(), strict=True)
        }
        truth = {pair: value for pair, value in exact.items() if value >= threshold}
        assert ours.keys() <= truth.keys()
        assert all(ours[pair] == pytest.approx(truth[pair], abs=1e-4) for pair in ours)
        assert len(ours) >= 0.99 * len(truth)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: near_duplicates(["a"], 0.0), "threshold is 0.0; it must be above 0, and 1 at most"),
        (lambda: near_duplicates(["a"], 1.1), "threshold is 1.1"),
        (lambda: near_duplicates(["a"], float("nan")), "threshold is nan; it must be finite"),
        (lambda: near_duplicates("text"), "documents is one str"),
        (lambda: near_duplicates(["a"], num_hashes=0), "num_hashes is 0"),
        (lambda: s_curve(0, 5), "bands is 0; it must be at least 1"),
        (lambda: s_curve(20, -1), "rows is -1"),
        (lambda: s_curve(20, 5, [0.5, 1.5]), "a similarity lies outside 0 to 1"),
        (lambda: s_curve(20, 5, float("nan")), "a similarity lies outside 0 to 1"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
