"""Alias tables and walks: the shares of every cell added up, frequencies, and paths that are the same for a seed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from smlib._core.csr import as_csr
from smlib.errors import InputError
from smlib.stochastic import MarkovChain
from smlib.stochastic.markov_chains.walking import GROUP, UNIT_BITS, AliasTables, build_tables, step
from tests.conftest import require
from tests.stochastic.chains import OZ, Matrix, forms, matrices

WHOLE = 1 << UNIT_BITS


def cells_of(tables: AliasTables, row: int) -> list[tuple[int, int, int]]:
    """Read the cells of a row, in whole numbers of any size: the units of its own, its own state, and the alias."""
    if len(tables.rows):
        first, bits = divmod(int(tables.rows[row]), 64)
        words = [int(word) for word in tables.cells[2 * first : 2 * (first + (1 << bits))]]
        triples = [
            (height, both & 0xFFFFFFFF, both >> 32) for height, both in zip(words[::2], words[1::2], strict=True)
        ]
    else:
        bits = int(tables.bits)
        low = (1 << bits) - 1
        words = [int(word) for word in tables.cells[row << bits : (row + 1) << bits]]
        triples = [(word & ~low, own, word & low) for own, word in enumerate(words)]
    # What is left of a word has lost the bits that chose the cell.
    unit = 1 << (64 - UNIT_BITS + bits)
    assert all(height % unit == 0 for height, _, _ in triples)
    return [(height // unit, own, alias) for height, own, alias in triples]


def units_of(tables: AliasTables, row: int) -> dict[int, int]:
    """Add up the shares of each state in the cells of a row."""
    cells = cells_of(tables, row)
    units: dict[int, int] = {}
    for share, own, alias in cells:
        units[own] = units.get(own, 0) + share
        units[alias] = units.get(alias, 0) + WHOLE // len(cells) - share
    return {state: value for state, value in units.items() if value}


@pytest.mark.interpreted
@given(matrices(largest=12), st.booleans())
def test_the_shares_in_the_cells_are_the_chances(P: Matrix, by_rows: bool) -> None:
    n = len(P)
    if by_rows:
        # So many states beside them that a square table would be too large.
        P = np.block([[P, np.zeros((n, 40))], [np.zeros((40, n)), np.eye(40)]])
    tables = build_tables(as_csr(P))
    assert bool(len(tables.rows)) == by_rows
    for row in range(len(P)):
        units = units_of(tables, row)
        assert sum(units.values()) == WHOLE
        heaviest = int(np.argmax(P[row]))
        total = P[row].sum()
        for state in range(len(P)):
            chance = P[row, state] / total
            rounding = 2.0**-49 * chance + 1.0 / WHOLE
            assert abs(units.get(state, 0) / WHOLE - chance) <= rounding + (2.0**-50 if state == heaviest else 0.0)
            assert state in units or chance < 1.0 / WHOLE
        assert all(P[row, state] > 0.0 for state in units)
        if by_rows:
            assert all(P[row, own] > 0.0 and P[row, alias] > 0.0 for _, own, alias in cells_of(tables, row))


@given(st.integers(1, 20), st.booleans(), st.integers(0, 2**32))
def test_chances_that_units_can_hold_are_exact(n: int, by_rows: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    P = np.eye(80 if by_rows else n)
    P[:n, :n] = rng.multinomial(4096, rng.dirichlet(np.ones(n)), n) / 4096
    tables = build_tables(as_csr(P))
    for row in range(n):
        exact = {state: int(P[row, state] * 4096) * (WHOLE // 4096) for state in np.flatnonzero(P[row]).tolist()}
        assert units_of(tables, row) == exact


@given(st.integers(1, 20), st.booleans(), st.integers(0, 2**32))
def test_a_step_takes_the_state_that_lies_there(n: int, by_rows: bool, seed: int) -> None:
    """The first bits of a word choose the cell, the others the height; but for the last three, which do nothing."""
    rng = np.random.default_rng(seed)
    size = 80 if by_rows else n
    P = np.eye(size)
    P[:n, :n] = rng.dirichlet(np.full(n, 0.3), n)
    tables = build_tables(as_csr(P))
    assert bool(len(tables.rows)) == by_rows
    for row in range(n):
        cells = cells_of(tables, row)
        heights = WHOLE // len(cells)
        for number, (share, own, alias) in enumerate(cells):
            for height in {0, max(share - 1, 0), share, heights - 1, int(rng.integers(heights))} - {heights}:
                word = (number * heights + height) << 3 | int(rng.integers(8))
                assert int(step(*tables, np.uint64(row), np.uint64(word))) == (own if height < share else alias)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("paths", [None, 3, GROUP, 2 * GROUP + 1])
def test_steps_are_as_frequent_as_they_should_be(sparse: bool, paths: int | None) -> None:
    rng = np.random.default_rng(3)
    n = 40
    P = rng.random((n, n)) ** 3 * (rng.random((n, n)) < (0.08 if sparse else 1.0))
    P[np.arange(n), (np.arange(n) + 1) % n] += 0.2
    P /= P.sum(axis=1, keepdims=True)
    chain = MarkovChain(forms(P)[sparse])
    assert bool(len(chain._tables.rows)) == sparse
    found = np.atleast_2d(chain.simulate(400_000 // (paths or 1), num_reps=paths, rng=11))
    counts = np.zeros((n, n))
    np.add.at(counts, (found[:, :-1].ravel(), found[:, 1:].ravel()), 1)
    assert (counts[P == 0.0] == 0).all()
    often = counts.sum(axis=1, keepdims=True) * P > 10
    expected = (counts.sum(axis=1, keepdims=True) * P)[often]
    statistic = ((counts[often] - expected) ** 2 / expected).sum()
    # Not too far from the chances, and not too near to be true.
    assert 1e-3 < scipy.stats.chi2.sf(statistic, often.sum() - n) < 1.0 - 1e-3


@given(matrices(), st.booleans(), st.integers(0, 2**32), st.integers(1, 2 * GROUP + 1))
def test_walks_take_possible_steps_only(P: Matrix, sparse: bool, seed: int, paths: int) -> None:
    chain = MarkovChain(forms(P)[sparse])
    found = chain.simulate(50, num_reps=paths, rng=seed)
    assert (P[found[:, :-1], found[:, 1:]] > 0.0).all()
    np.testing.assert_array_equal(found, chain.simulate(50, num_reps=paths, rng=seed))


@pytest.mark.interpreted
def test_a_seed_and_a_generator() -> None:
    oz = MarkovChain(OZ, ["rain", "nice", "snow"])
    path = oz.simulate(200, "rain", rng=5)
    assert path[0] == "rain"
    assert set(path) == {"rain", "nice", "snow"}
    assert not any(a == b == "nice" for a, b in itertools.pairwise(path))
    np.testing.assert_array_equal(path, oz.simulate(200, "rain", rng=np.random.default_rng(5)))
    np.testing.assert_array_equal(path, oz.state_values[oz.simulate_indices(200, 0, rng=5)])  # type: ignore[index]
    generator = np.random.default_rng(5)
    assert (oz.simulate(200, "rain", rng=generator) != oz.simulate(200, "rain", rng=generator)).any()
    assert (oz.simulate(200, "rain") != oz.simulate(200, "rain")).any()


def test_shapes_are_those_of_quantecon() -> None:
    theirs: Any = require("quantecon").MarkovChain(OZ)
    ours = MarkovChain(OZ)
    for options in (
        {},
        {"init": 1},
        {"num_reps": 1},
        {"num_reps": 4},
        {"init": 2, "num_reps": 4},
        {"init": [0, 1, 1]},
        {"init": [0, 1], "num_reps": 3},
        {"init": np.array([2])},
    ):
        a, b = ours.simulate(7, rng=1, **options), theirs.simulate(7, random_state=1, **options)
        assert a.shape == b.shape, options
        assert a.dtype == b.dtype
        if "init" in options:
            np.testing.assert_array_equal(a[..., 0], b[..., 0])
    assert {int(ours.simulate(1, rng=seed)[0]) for seed in range(30)} == {0, 1, 2}


def test_names_of_any_kind() -> None:
    P = np.ones((3, 3)) / 3
    for names in (["a", "b", "c"], [(0, 0), (0, 1), (1, 0)], [None, 2, "x"], [1.5, 2.5, 4.0], np.array([7, 8, 9])):
        chain = MarkovChain(P, names)
        path: NDArray[Any] = chain.simulate(30, list(names)[1], rng=1)
        assert path.shape == (30,)
        assert path[0] == names[1]
        assert set(path.tolist()) == set(np.array(names).tolist() if isinstance(names, np.ndarray) else names)
        assert chain.get_index(names[2]) == 2
    assert MarkovChain(P, [(0, 0), (0, 1), (1, 0)]).get_index([(1, 0), (0, 0)]).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"init": "sun"}, r"'sun' is no state; states are 'rain', 'nice', 'snow'"),
        ({"init": ["rain", 3]}, r"3 is no state"),
        ({"ts_length": 0}, r"ts_length is 0, for 1 paths"),
        ({"ts_length": -1}, r"ts_length is -1"),
        ({"ts_length": 2.5}, r"ts_length is 2\.5; it must be an integer"),
        ({"num_reps": 0}, r"for 0 paths; both must be at least 1"),
        ({"init": []}, r"for 0 paths"),
        ({"rng": "seed"}, r"rng is 'seed'"),
    ],
)
def test_bad_walks(options: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what):
        MarkovChain(OZ, ["rain", "nice", "snow"]).simulate(**{"ts_length": 10, **options})


@pytest.mark.parametrize(
    ("init", "what"), [(3, "init holds 3, but states .* 0 to 2"), (-1, "init holds -1"), (0.0, "init is")]
)
def test_bad_indices(init: Any, what: str) -> None:
    with pytest.raises(InputError, match=what):
        MarkovChain(OZ).simulate_indices(10, init)


def test_rows_of_very_different_length() -> None:
    """A hub with 5000 ways and leaves with one: a table by rows, as large as the chain."""
    n = 5001
    P = scipy.sparse.lil_array((n, n))
    P[0, 1:] = np.full(n - 1, 1.0 / (n - 1))
    P[1:, 0] = 1.0
    chain = MarkovChain(scipy.sparse.csr_array(P))
    path = chain.simulate(100_000, 0, rng=1)
    assert (path[::2] == 0).all()
    assert chain._tables.cells.nbytes < 16 * (2 * n + 8192)
    counts = np.bincount(path[1::2], minlength=n)[1:]
    assert 1e-3 < scipy.stats.chisquare(counts).pvalue < 1.0 - 1e-3
