"""Min-hashing: the book's numbers, the definition one by one, binomial tests, and datasketch beside it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.hashing import avalanche
from smlib.errors import InputError
from smlib.mining import MinHasher, Shingles, estimate_jaccard, jaccard, shingle_hashes
from tests.conftest import require

# Figure 3.4 of the book: rows 0 to 4, sets S1 to S4.
BOOK_SETS = [{0, 3}, {2}, {1, 3, 4}, {0, 2, 3}]


def as_rows(sets: list[Any]) -> Shingles:
    """Return sets of integers as shingles."""
    offsets = np.cumsum([0, *map(len, sets)])
    return Shingles(np.array([element for some in sets for element in some], np.uint64), offsets)


def by_definition(hasher: MinHasher, elements: Any) -> list[int]:
    """Return the minima over a set, by the formula of the essay, with Python's integers."""
    xs = [int(avalanche(np.uint64(int(e) % 2**64 ^ hasher.key))) >> 32 for e in elements]
    return [min((int(m) * x % 2**32 for x in xs), default=2**32 - 1) for m in hasher.multipliers]


@pytest.mark.interpreted
def test_the_books_similarities() -> None:
    """Figure 3.1: 3 of 8. Example 3.8: S1 and S4 are alike by 2/3, estimated as 1; S1 and S3 by 1/4, as 1/2."""
    assert jaccard("abcde", "cdefgh") == 3 / 8
    assert jaccard(BOOK_SETS[0], BOOK_SETS[3]) == 2 / 3
    assert jaccard(BOOK_SETS[0], BOOK_SETS[2]) == 1 / 4
    # Figure 3.4 and example 3.8: the signatures by h1 = x + 1 and h2 = 3 x + 1, modulo 5.
    signatures = np.array([[min(h(r) for r in some) for h in (h1, h2)] for some in BOOK_SETS])
    assert signatures.T.tolist() == [[1, 3, 0, 1], [0, 2, 0, 0]]
    assert estimate_jaccard(signatures[0], signatures[3]) == 1.0
    assert estimate_jaccard(signatures[0], signatures[2]) == 0.5
    assert estimate_jaccard(signatures[0], signatures[1]) == 0.0


def h1(row: int) -> int:
    return (row + 1) % 5


def h2(row: int) -> int:
    return (3 * row + 1) % 5


@pytest.mark.interpreted
def test_the_books_minima_by_a_permutation() -> None:
    """Example 3.6 and 3.7: in the order b e a d c the first rows of S1 to S4 are a, c, b, a."""
    columns = [{"a", "d"}, {"c"}, {"b", "d", "e"}, {"a", "c", "d"}]
    assert [next(row for row in "beadc" if row in column) for column in columns] == ["a", "c", "b", "a"]
    exact = [jaccard(columns[i], columns[j]) for i in range(4) for j in range(i)]
    orders = [random.Random(seed).sample("abcde", 5) for seed in range(4000)]
    minima = np.array([[order.index(min(column, key=order.index)) for column in columns] for order in orders])
    agreeing = [(minima[:, i] == minima[:, j]).mean() for i in range(4) for j in range(i)]
    assert np.abs(np.array(agreeing) - exact).max() < 4 * 0.5 / np.sqrt(4000)


element_sets = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 5), max_size=40)


@pytest.mark.interpreted
@given(st.lists(element_sets, max_size=4), st.integers(1, 20), st.integers(0, 2**32))
def test_signatures_are_those_of_the_definition(sets: list[list[int]], num_hashes: int, seed: int) -> None:
    hasher = MinHasher(num_hashes, seed)
    hashes = np.array([element % 2**64 for some in sets for element in some], np.uint64)
    signatures = hasher.signatures(Shingles(hashes, np.cumsum([0, *map(len, sets)])))
    assert signatures.shape == (len(sets), num_hashes)
    assert signatures.tolist() == [by_definition(hasher, some) for some in sets]


@given(element_sets, element_sets)
def test_order_repetition_and_unions(first: list[int], second: list[int]) -> None:
    hasher = MinHasher(64, 3)
    a, b, union, shuffled = hasher.signatures(
        as_rows([[e % 2**64 for e in some] for some in (first, second, first + second, (second + first)[::-1] * 2)])
    )
    assert np.minimum(a, b).tolist() == union.tolist() == shuffled.tolist()


@pytest.mark.parametrize("num_hashes", [1, 3, 15, 16, 17, 128, 200])
def test_lengths_of_sets_and_signatures_around_the_borders(num_hashes: int) -> None:
    hasher = MinHasher(num_hashes, 5)
    sets = [list(range(10 * k, 10 * k + k)) for k in range(34)]
    assert hasher.signatures(as_rows(sets)).tolist() == [by_definition(hasher, some) for some in sets]


def overlapping(common: int, apart: int) -> Shingles:
    """Return two sets that share elements; plain small integers, as bad as hashes can be."""
    return as_rows([range(common + apart), [*range(common), *range(10**6, 10**6 + apart)]])


@pytest.mark.parametrize(
    ("common", "apart"), [(1, 1), (1, 9), (5, 5), (20, 10), (100, 10), (300, 10), (300, 300), (4000, 2000)]
)
def test_agreement_is_a_toss_with_the_chance_of_the_similarity(common: int, apart: int) -> None:
    """Over 200 seeds: the number of places that agree, and how much it varies from one seed to the next."""
    exact = common / (common + 2 * apart)
    sets = overlapping(common, apart)
    seeds = 200
    agree = np.array([(np.subtract(*MinHasher(128, seed).signatures(sets)) == 0).sum() for seed in range(seeds)])
    assert scipy.stats.binomtest(int(agree.sum()), 128 * seeds, exact).pvalue > 1e-4
    # The sum of squares is chi-square where the tosses of a hasher are independent of each other.
    squares = (((agree - 128 * exact) ** 2) / (128 * exact * (1 - exact))).sum()
    assert 1e-4 < scipy.stats.chi2(seeds).cdf(squares) < 1 - 1e-4


def test_the_error_is_that_of_the_theory() -> None:
    """Root of the mean square of the errors over pairs of all similarities, against sqrt(J (1 - J) / n)."""
    generator = np.random.default_rng(7)
    common = generator.integers(1, 200, 500)
    sets = [some for k, c in enumerate(common) for some in (range(k * 1000, k * 1000 + 200), pick(k, int(c)))]
    exact = common / (400 - common)
    for num_hashes in (64, 128, 512):
        signatures = MinHasher(num_hashes, 1).signatures(as_rows(sets))
        errors = estimate_jaccard(signatures[::2], signatures[1::2]) - exact
        expected = np.sqrt((exact * (1 - exact)).mean() / num_hashes)
        assert 0.9 * expected < np.sqrt((errors**2).mean()) < 1.1 * expected


def pick(k: int, common: int) -> list[int]:
    return [*range(k * 1000, k * 1000 + common), *range(k * 1000 + 500, k * 1000 + 700 - common)]


def test_datasketch_errs_as_much_on_the_same_sets() -> None:
    datasketch = require("datasketch")
    sets = [overlapping(c, 60 - c // 2) for c in range(4, 120, 2)]
    ours, theirs = [], []
    for shingles in sets:
        rows = [shingles.hashes[a:b] for a, b in zip(shingles.offsets, shingles.offsets[1:], strict=False)]
        exact = jaccard(rows[0].tolist(), rows[1].tolist())
        ours.append(float(estimate_jaccard(*MinHasher(256, 1).signatures(shingles))) - exact)
        made = [datasketch.MinHash(256, seed=1) for _ in rows]
        for sketch, row in zip(made, rows, strict=True):
            sketch.update_batch([int(element).to_bytes(8, "little") for element in row])
        theirs.append(made[0].jaccard(made[1]) - exact)
    assert np.sqrt(np.square(ours).mean()) < 1.25 * np.sqrt(np.square(theirs).mean())


def test_texts_are_shingled_as_told() -> None:
    documents = ["to be or not to be", "not to be or to be", ""]
    for width, unit in ((2, "words"), (3, "characters")):
        hasher = MinHasher(32, 1, width=width, unit=unit)  # type: ignore[arg-type]
        shingles = shingle_hashes(documents, width, unit)  # type: ignore[arg-type]
        assert hasher.signatures(documents).tolist() == hasher.signatures(shingles).tolist()
    assert (hasher.width, hasher.unit, hasher.num_hashes) == (3, "characters", 32)


def test_seeds_and_generators() -> None:
    document = ["to be or not to be"]
    same = [MinHasher(8, rng).signatures(document).tolist() for rng in (3, np.random.default_rng(3))]
    assert same[0] == same[1]
    assert MinHasher(8, 4).signatures(document).tolist() != same[0]
    assert MinHasher(8).signatures(document).tolist() != MinHasher(8).signatures(document).tolist()
    assert (MinHasher(1000, 1).multipliers % 2 == 1).all()


def test_many_estimates_at_once() -> None:
    signatures = MinHasher(64, 1, width=1).signatures(["a b c", "a b d", "x y z"])
    table = np.asarray(estimate_jaccard(signatures[:, np.newaxis], signatures))
    assert table.shape == (3, 3)
    assert table.diagonal().tolist() == [1.0, 1.0, 1.0]
    assert type(estimate_jaccard(signatures[0], signatures[1])) is float
    assert jaccard([], []) == 1.0
    assert jaccard([], [1]) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MinHasher(0), "num_hashes is 0; a signature has 1 hash at least"),
        (lambda: MinHasher(-1), "num_hashes is -1"),
        (lambda: MinHasher(1.5), "num_hashes is 1.5; it must be an integer"),  # type: ignore[arg-type]
        (lambda: MinHasher(width=0), "width is 0"),
        (lambda: MinHasher(unit="bytes"), "unit is 'bytes'"),  # type: ignore[arg-type]
        (lambda: MinHasher().signatures("text"), "documents is one str"),
        (lambda: estimate_jaccard([1, 2], [1, 2, 3]), "do not have one length of 1 or more"),
        (lambda: estimate_jaccard([], []), "do not have one length of 1 or more"),
        (lambda: estimate_jaccard(1, 1), "do not have one length of 1 or more"),
        (lambda: estimate_jaccard(np.ones((2, 4)), np.ones((3, 4))), "signatures do not pair"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
