"""The families for angles, SimHash and random hyperplanes: the book's numbers, the definition, and their chances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.hashing import avalanche
from smlib.errors import InputError
from smlib.mining import (
    LSHIndex,
    RandomHyperplanes,
    Shingles,
    SimHasher,
    estimate_angle,
    hamming_distance,
    shingle_hashes,
)
from tests.mining.near_texts import plant


@pytest.mark.interpreted
def test_the_books_sketches() -> None:
    """Example 3.22: three sketches of four dimensions by vectors of +1 and -1, and what they say of the angles."""
    planes = RandomHyperplanes(4, 3, rng=1)
    planes.normals = np.array([[1, -1, 1, 1], [-1, 1, -1, 1], [1, 1, -1, -1]], float).T
    x, y, z = planes.signatures([[3, 4, 5, 6], [4, 3, 2, 1], [1, 2, 3, 4]])
    assert np.where(x, 1, -1).tolist() == [1, 1, -1]
    assert np.where(y, 1, -1).tolist() == [1, -1, 1]
    assert estimate_angle(x, y) == pytest.approx(2 * math.pi / 3)
    assert estimate_angle(x, x) == 0.0
    assert z.dtype == np.bool_


def fingerprint_by_definition(hasher: SimHasher, hashes: list[int], weights: list[float]) -> int:
    stirred = [int(avalanche(np.uint64(h ^ hasher.key))) for h in hashes]
    sums = [sum(w if s >> bit & 1 else -w for s, w in zip(stirred, weights, strict=True)) for bit in range(64)]
    return sum(1 << bit for bit in range(64) if sums[bit] > 0)


@pytest.mark.interpreted
@given(st.lists(st.tuples(st.integers(0, 2**64 - 1) | st.integers(0, 3), st.integers(-3, 9)), max_size=20))
def test_fingerprints_are_those_of_the_definition(items: list[tuple[int, int]]) -> None:
    hasher = SimHasher(rng=1)
    hashes, weights = [item[0] for item in items], [float(item[1]) for item in items]
    rows = Shingles(np.array(hashes * 2, np.uint64), np.array([0, len(items), 2 * len(items)]))
    weighed = hasher.fingerprints(rows, weights * 2).tolist()
    assert weighed == [fingerprint_by_definition(hasher, hashes, weights)] * 2
    ones = [1.0] * len(items)
    assert hasher.fingerprints(rows).tolist() == [fingerprint_by_definition(hasher, hashes, ones)] * 2


def angle_between(one: np.ndarray, other: np.ndarray) -> float:
    return math.acos(min(1.0, float(one @ other / math.sqrt((one @ one) * (other @ other)))))


@pytest.mark.parametrize("apart", [5, 40, 150, 400])
def test_bits_of_simhash_differ_with_the_chance_of_the_angle(apart: int) -> None:
    """Sets of 400 of which some elements differ, under 200 keys; elements far more than planes, as the theory wants."""
    first, second = np.arange(400), np.arange(400) + apart
    rows = Shingles(np.concatenate([first, second]).astype(np.uint64), np.array([0, 400, 800]))
    angle = math.acos((400 - apart) / 400)
    differing = sum(int(hamming_distance(*SimHasher(key).fingerprints(rows))) for key in range(200))
    assert scipy.stats.binomtest(differing, 64 * 200, angle / math.pi).pvalue > 1e-4


def test_simhash_of_near_texts_is_near() -> None:
    texts = plant(200, seed=5)
    prints = SimHasher(rng=1, width=1).fingerprints(texts)
    near = hamming_distance(prints[::2], prints[1::2])
    far = hamming_distance(prints[:-2:2], prints[2::2])
    assert near.max() < 20 <= far.min() < 32
    assert SimHasher(rng=1, width=1).fingerprints(shingle_hashes(texts, 1)).tolist() == prints.tolist()
    assert SimHasher(rng=2).fingerprints(["", "a"]).tolist()[0] == 0
    assert SimHasher(width=2, unit="characters").unit == "characters"


@pytest.mark.parametrize("angle", [0.05, 0.5, 1.2, math.pi / 2, 2.5])
def test_bits_of_planes_differ_with_the_chance_of_the_angle(angle: float) -> None:
    generator = np.random.default_rng(3)
    frame = np.linalg.qr(generator.standard_normal((20, 2)))[0]
    pair = np.stack([frame[:, 0], math.cos(angle) * frame[:, 0] + math.sin(angle) * frame[:, 1]]) * [[3.0], [0.01]]
    bits = RandomHyperplanes(20, 20_000, rng=4).signatures(pair)
    assert scipy.stats.binomtest(int((bits[0] != bits[1]).sum()), 20_000, angle / math.pi).pvalue > 1e-4
    assert float(estimate_angle(*bits)) == pytest.approx(angle, abs=5 * math.sqrt(angle * (math.pi - angle) / 20_000))


def test_sparse_and_dense_vectors_have_the_same_bits() -> None:
    generator = np.random.default_rng(5)
    dense = generator.standard_normal((40, 30)) * (generator.random((40, 30)) < 0.2)
    planes = RandomHyperplanes(30, 50, rng=6)
    expected = planes.signatures(dense)
    for form in (scipy.sparse.csr_matrix, scipy.sparse.csc_array, scipy.sparse.coo_array):
        assert (planes.signatures(form(dense)) == expected).all()
    assert (planes.signatures(2.5 * dense) == expected).all()
    assert not planes.signatures(np.zeros((1, 30))).any()
    assert planes.signatures(np.zeros((0, 30))).shape == (0, 50)
    table = np.asarray(estimate_angle(expected[:, np.newaxis], expected))
    exact = np.array([[angle_between(a, b) for b in dense] for a in dense])
    assert np.abs(table - exact).max() < 5 * math.pi / 2 / math.sqrt(50)


def test_an_index_takes_the_bits_of_planes() -> None:
    generator = np.random.default_rng(7)
    base = generator.standard_normal((50, 16))
    planes = RandomHyperplanes(16, 120, rng=8)
    index = LSHIndex(120, bands=10, rows=12)
    index.insert_many(range(50), planes.signatures(base))
    near = planes.signatures(base + 0.05 * generator.standard_normal(base.shape))
    found = [index.query(bits) for bits in near]
    assert sum(number in some for number, some in enumerate(found)) >= 48
    assert np.mean([len(some) for some in found]) < 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SimHasher(width=0), "width is 0"),
        (lambda: SimHasher().fingerprints("text"), "documents is one str"),
        (lambda: SimHasher(width=1).fingerprints(["a b"], [1.0]), "weights has shape .1,., and there are 2 shingles"),
        (lambda: SimHasher(width=1).fingerprints(["a"], [np.nan]), r"weights\[0\] is nan"),
        (lambda: RandomHyperplanes(0), "num_features is 0"),
        (lambda: RandomHyperplanes(3, 0), "num_hashes is 0"),
        (lambda: RandomHyperplanes(3).signatures([1.0, 2.0, 3.0]), r"shape \(3,\); it must be \(n, 3\)"),
        (lambda: RandomHyperplanes(3).signatures([[1.0, 2.0]]), r"shape \(1, 2\); it must be \(n, 3\)"),
        (lambda: RandomHyperplanes(2).signatures([[1.0, np.inf]]), r"vectors\[0, 1\] is inf"),
        (lambda: RandomHyperplanes(2).signatures(scipy.sparse.csr_array([[1.0, np.nan]])), r"vectors.data\[1\] is nan"),
        (lambda: estimate_angle([True], [True, False]), "do not have one length"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
