"""Entropy: the book's numbers, the laws of the essay, SciPy and mpmath as references, and bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smlib._core.kernel import kernel
from smlib.errors import InputError
from smlib.infotheory import entropy
from smlib.infotheory.measures import log2
from tests.conftest import require

HORSES = [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 64, 1 / 64, 1 / 64, 1 / 64]


@pytest.mark.interpreted
def test_the_books_entropies() -> None:
    """Cover & Thomas: section 1.1 (32 equal outcomes, and a race of eight horses), examples 2.1.1 and 2.1.2."""
    assert entropy(np.ones(32)) == 5.0
    assert entropy(HORSES) == 2.0
    assert entropy([1, 1]) == 1.0
    assert entropy([1 / 2, 1 / 4, 1 / 8, 1 / 8]) == 7 / 4


@pytest.mark.interpreted
def test_the_books_joint_distribution() -> None:
    """Cover & Thomas, example 2.2.1: two variables of four values each; H(X) = 7/4, H(Y) = 2, H(X, Y) = 27/8."""
    joint = np.array([[4, 2, 1, 1], [2, 4, 1, 1], [2, 2, 2, 2], [8, 0, 0, 0]]) / 32
    assert entropy(joint.sum(axis=0)) == 7 / 4
    assert entropy(joint.sum(axis=1)) == 2.0
    assert entropy(joint.ravel()) == 27 / 8
    # H(X|Y) = 11/8, the mean of the rows' entropies, and I(X; Y) = 3/8.
    assert joint.sum(axis=1) @ entropy(joint, axis=1) == 11 / 8
    independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    assert entropy(joint.ravel(), independent.ravel()) == pytest.approx(3 / 8, abs=1e-15)


@pytest.mark.interpreted
def test_the_books_relative_entropies() -> None:
    """Cover & Thomas, example 2.3.1: with r = 1/2, s = 1/4 they are 0.2075 and 0.1887 bits: not symmetric."""
    fair, biased = [1 / 2, 1 / 2], [3 / 4, 1 / 4]
    assert entropy(fair, biased) == pytest.approx(1 - math.log2(3) / 2, abs=1e-15)
    assert entropy(biased, fair) == pytest.approx(3 / 4 * math.log2(3) - 1, abs=1e-15)


weights = hnp.arrays(
    np.float64, st.integers(1, 40), elements=st.floats(0.0, 1e6) | st.sampled_from([0.0, 1.0, 1e-12])
).filter(lambda array: array.sum() > 1e-6)


@pytest.mark.interpreted
@given(weights)
def test_it_lies_between_nothing_and_the_logarithm_of_the_number(pk: np.ndarray) -> None:
    bits = entropy(pk)
    assert 0.0 <= bits <= math.log2(pk.size) + 1e-12
    assert entropy(np.ones(pk.size)) == pytest.approx(math.log2(pk.size), abs=1e-12)
    if np.count_nonzero(pk) == 1:
        assert bits == 0.0
    if bits == 0.0:
        assert pk.max() > (1 - 1e-12) * pk.sum()


@given(weights, weights)
def test_independent_entropies_add_up(p: np.ndarray, q: np.ndarray) -> None:
    assert entropy(np.outer(p, q).ravel()) == pytest.approx(entropy(p) + entropy(q), abs=1e-10)


@given(weights, st.randoms(use_true_random=False))
def test_gibbs(p: np.ndarray, random: Any) -> None:
    q = p.copy()
    random.shuffle(q)
    q += 1e-3
    assert entropy(p, q) >= 0.0
    assert entropy(p, p) == 0.0
    assert entropy(p, p * 3.7) == pytest.approx(0.0, abs=1e-13)
    difference = np.abs(p / p.sum() - q / q.sum()).sum()
    # Pinsker: what differs by d in sum costs at least d^2 / (2 ln 2) bits.
    assert entropy(p, q) >= difference**2 / (2 * math.log(2)) - 1e-12


@given(weights, st.sampled_from([math.e, 10.0, 256.0, 1.5, 0.5]))
def test_the_base_is_a_unit(p: np.ndarray, base: float) -> None:
    bits = entropy(p)
    assert entropy(p, base=base) * math.log2(base) == pytest.approx(bits, rel=1e-14, abs=0.0)
    assert entropy(p, base=None) == entropy(p, base=math.e)


@given(weights, st.integers(-60, 60))
def test_counts_are_as_good_as_probabilities(p: np.ndarray, exponent: int) -> None:
    assert entropy(p * 2.0**exponent) == entropy(p)


@given(
    hnp.array_shapes(min_dims=1, max_dims=3, max_side=9),
    st.integers(0, 2**32),
    st.integers(-3, 2),
    st.sampled_from([2.0, None, 10.0]),
    st.sampled_from(["none", "same", "line"]),
)
def test_it_is_scipys(shape: tuple[int, ...], seed: int, axis: int, base: float | None, other: str) -> None:
    rng = np.random.default_rng(seed)
    pk = rng.random(shape) * (rng.random(shape) < 0.7)
    axis = axis % len(shape)
    pk += pk.sum(axis=axis, keepdims=True) == 0.0
    qk = None
    if other == "same":
        qk = rng.random(shape)
    elif other == "line":
        qk = rng.random([n if k == axis else 1 for k, n in enumerate(shape)])
    ours = entropy(pk, qk, base=base, axis=axis)
    theirs = scipy.stats.entropy(pk, qk, base=base, axis=axis)
    assert np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    assert entropy(pk.astype(np.float32), axis=axis) == pytest.approx(
        scipy.stats.entropy(pk.astype(np.float32).astype(float), base=2, axis=axis), rel=1e-12, abs=1e-13
    )


def test_any_layout_of_memory_gives_the_same() -> None:
    pk = np.random.default_rng(1).random((6, 7))
    expected = entropy(pk, axis=1)
    np.testing.assert_array_equal(entropy(np.asfortranarray(pk), axis=1), expected)
    np.testing.assert_allclose(entropy(pk.T), expected, rtol=1e-15)
    np.testing.assert_array_equal(entropy(np.repeat(pk, 2, axis=1)[:, ::2], axis=-1), expected)
    frozen = pk.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(entropy(frozen, axis=1), expected)
    assert entropy([3, 1]) == entropy(np.array([3, 1], dtype=np.uint8)) == entropy((3.0, 1.0))


def test_what_is_expected_is_spread_over_all() -> None:
    pk = np.random.default_rng(2).random((3, 4))
    each: Any = [entropy(row, [1, 2, 3, 4]) for row in pk]
    np.testing.assert_allclose(entropy(pk, [1, 2, 3, 4], axis=1), each, rtol=1e-15)
    np.testing.assert_allclose(entropy(pk.T, [[1], [2], [3], [4]]), each, rtol=1e-15)
    np.testing.assert_array_equal(entropy([[1.0]], [2.0]), [0.0])
    np.testing.assert_array_equal(entropy([1.0], [[2.0]]), [0.0])
    np.testing.assert_array_equal(entropy(np.ones((1, 4)), np.ones(4), axis=1), [0.0])
    assert entropy([1, 2, 3], [1]) == entropy([1, 2, 3], [1, 1, 1])


def test_axes_without_distributions_are_empty() -> None:
    assert entropy(np.zeros((3, 0))).shape == (0,)  # type: ignore[union-attr]


@kernel
def logarithm(x: float) -> float:
    return log2(x)


def test_the_logarithm_is_right_to_the_last_bits() -> None:
    mp = require("mpmath").mp
    mp.prec = 120
    rng = np.random.default_rng(5)
    numbers = [*2.0 ** rng.uniform(-960, 1000, 500), *rng.uniform(0.5, 2.0, 500), *(1.0 + rng.normal(0.0, 1e-6, 200))]
    numbers += [math.sqrt(0.5), math.nextafter(1.0, 0.0), math.nextafter(1.0, 2.0), *(2.0 ** np.arange(-9.0, 9.0))]
    for x in map(float, numbers):
        exact = mp.log(mp.mpf(x), 2)
        assert abs(logarithm(x) - exact) <= 3 * 2.0**-53 * abs(exact), x
    assert [logarithm(2.0**k) for k in range(-960, 1000, 40)] == list(range(-960, 1000, 40))


@pytest.mark.parametrize("exponent", [-300, -100, 0, 100, 300])
def test_tiny_and_huge_weights_are_as_accurate(exponent: int) -> None:
    mp = require("mpmath").mp
    mp.prec = 200
    rng = np.random.default_rng(7)
    pk, qk = (rng.random(50) ** 8 * 10.0**exponent for _ in range(2))
    pk[0] *= 1e-18
    exact_p, exact_q = [mp.mpf(float(x)) for x in pk], [mp.mpf(float(x)) for x in qk]
    p, q = [x / mp.fsum(exact_p) for x in exact_p], [x / mp.fsum(exact_q) for x in exact_q]
    with np.errstate(all="raise"):
        assert entropy(pk) == pytest.approx(float(-mp.fsum(x * mp.log(x, 2) for x in p)), rel=1e-14)
        assert entropy(pk, qk) == pytest.approx(
            float(mp.fsum(x * mp.log(x / y, 2) for x, y in zip(p, q, strict=True))), rel=1e-13
        )


def test_zeros_cost_nothing_and_the_impossible_costs_all() -> None:
    assert entropy([1, 0, 1, 0]) == 1.0
    assert entropy([1, 0], [1, 1]) == 1.0
    assert entropy([1, 1], [1, 0]) == math.inf
    assert entropy([1, 0], [1, 0]) == 0.0
    assert entropy([7]) == 0.0
    np.testing.assert_array_equal(entropy([[1, 1], [1, 0]], [[1, 0], [1, 0]], axis=1), [math.inf, 0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: entropy([1, -1, 3]), "pk holds -1.0; weights must be finite and not negative"),
        (lambda: entropy([1, math.nan]), "pk holds nan"),
        (lambda: entropy([1, math.inf]), "pk holds inf"),
        (lambda: entropy([0, 0]), "pk adds up to 0.0; no distribution"),
        (lambda: entropy([]), "pk adds up to 0.0"),
        (lambda: entropy(np.zeros((0, 3))), "pk adds up to 0.0"),
        (lambda: entropy([[1, 1], [1, 0]], [[1, 0], [1, 0]]), "qk adds up to 0.0"),
        (lambda: entropy([1, 1], [1, -2]), "qk holds -2.0"),
        (lambda: entropy([1, 1], [1, 1, 1]), "pk and qk do not fit each other"),
        (lambda: entropy(5.0), "axis is 0, but pk has 0 axes"),
        (lambda: entropy([1, 1], axis=1), "axis is 1, but pk has 1 axes"),
        (lambda: entropy([1, 1], axis=-2), "axis is -2"),
        (lambda: entropy([1, 1], base=1.0), "base is 1.0; it must be positive, and not 1"),
        (lambda: entropy([1, 1], base=0.0), "base is 0.0"),
        (lambda: entropy([1, 1], base=-2.0), "base is -2.0"),
        (lambda: entropy([1, 1], base=math.inf), "base is inf; it must be finite"),
        (lambda: entropy([1, 1], base="two"), "base is 'two'; it must be a number"),  # type: ignore[arg-type]
        (lambda: entropy([1j, 1]), "pk is complex"),
        (lambda: entropy(["heads", "tails"]), "pk cannot be read"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
