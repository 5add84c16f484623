"""Links by their targets: the same links come out as went in, in rows, and the vertices with most links come first."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.csr import Indices
from smlib.mining import as_links, pagerank
from smlib.mining.page_rank.sorting import BUCKET_BITS, Rows, place, sort_links
from smlib.mining.page_rank.sweeps import pull, push
from tests.mining.graphs import Problem, problems


def links_of(rows: Rows) -> Counter[tuple[int, int, float]]:
    """Return all links by the old numbers, with their weights; loops are one link each."""
    weights = rows.weights if rows.weights.size else np.ones(rows.sources.size)
    targets = np.repeat(np.arange(rows.order.size), np.diff(rows.indptr))
    found = zip(rows.order[rows.sources].tolist(), rows.order[targets].tolist(), weights.tolist(), strict=True)
    loops = [(v, v, loop) for v, loop in zip(rows.order.tolist(), rows.loops.tolist(), strict=False) if loop]
    return Counter(found) + Counter(loops)


@pytest.mark.interpreted
def test_the_essays_links() -> None:
    """Buckets are of 4,096 targets there, not of 4: one bucket holds them all."""
    rows = sort_links(np.array([(7, 9), (1, 2), (8, 1), (3, 8), (2, 9), (4, 0)], np.uint32), np.empty(0), 10)
    assert rows.order.tolist() == [1, 2, 3, 4, 7, 8, 0, 5, 6, 9]
    assert rows.indptr.tolist() == [0, 1, 2, 2, 2, 2, 3, 4, 4, 4, 6]
    assert rows.order[rows.sources].tolist() == [8, 1, 3, 4, 7, 2]


@pytest.mark.interpreted
@given(st.integers(1, 30), st.integers(0, 2**32), st.booleans(), st.booleans())
def test_what_goes_in_comes_out(n: int, seed: int, weighted: bool, wide: bool) -> None:
    rng = np.random.default_rng(seed)
    edges: Indices = rng.integers(n, size=(int(rng.integers(60)), 2)).astype(np.uint64 if wide else np.uint32)
    loops = edges[:, 0] == edges[:, 1]
    _, first = np.unique(edges[loops], axis=0, return_index=True)
    edges = np.concatenate([edges[~loops], edges[loops][first]])
    weights = rng.integers(1, 100, len(edges)).astype(float) if weighted else np.empty(0)
    rows = sort_links(edges, weights, n)
    given_weights = weights if weighted else np.ones(len(edges))
    assert links_of(rows) == Counter(zip(*edges.T.tolist(), given_weights.tolist(), strict=True))
    degrees = np.bincount(edges[:, 0].astype(int), minlength=n)
    np.testing.assert_array_equal(degrees[rows.order], np.sort(degrees)[::-1])
    assert rows.linking == np.count_nonzero(degrees)
    sums = np.bincount(edges[:, 0].astype(int), given_weights, minlength=n)
    np.testing.assert_array_equal(rows.out_weights, sums[rows.order[: rows.linking]])


@given(st.integers(0, 2**32), st.booleans())
def test_more_than_one_bucket(seed: int, weighted: bool) -> None:
    """Compared with the rows that SciPy makes."""
    rng = np.random.default_rng(seed)
    n, m = 3 << BUCKET_BITS, 20_000
    edges = rng.integers(n, size=(m, 2)).astype(np.uint32)
    weights = rng.random(m) if weighted else np.empty(0)
    rows = sort_links(edges, weights, n)
    expected = scipy.sparse.csr_array((weights if weighted else np.ones(m), edges[:, ::-1].T.astype(int)), shape=(n, n))
    y = rng.random(n)[rows.order]
    pulled = np.empty(n)
    pull(rows.indptr, rows.sources, rows.weights, rows.loops, y[: rows.linking], pulled)
    full = np.empty(n)
    full[rows.order] = y
    np.testing.assert_allclose(pulled, (expected @ full)[rows.order], rtol=1e-12)


def test_places_are_counted_as_far_as_needed() -> None:
    """Beyond 2^32 links they are of 64 bits; here the kernels are only shown that type."""
    parted = np.array([(1 << 32) | 5, 7, (1 << 32) | 6], np.uint64)
    for kind in (np.uint32, np.uint64):
        sources = np.empty(3, np.uint32)
        place(parted, np.empty(0), np.array([0, 1], kind), sources, np.empty(0))
        assert sources.tolist() == [7, 5, 6]


@given(problems())
def test_to_push_is_to_pull_the_other_way(problem: Problem) -> None:
    links = as_links(scipy.sparse.csr_array(problem.weights))
    rows = links.rows
    x = np.cos(np.arange(links.size))
    pulled, pushed = np.empty(links.size), np.empty(rows.linking)
    pull(rows.indptr, rows.sources, rows.weights, rows.loops, x[: rows.linking], pulled)
    push(rows.indptr, rows.sources, rows.weights, rows.loops, x, pushed)
    moved = problem.weights[np.ix_(rows.order, rows.order)]
    expected = moved.T @ np.where(np.arange(links.size) < rows.linking, x, 0.0)
    np.testing.assert_allclose(pulled, expected, atol=1e-9)
    np.testing.assert_allclose(pushed, (moved @ x)[: rows.linking], atol=1e-9)


@given(problems())
def test_what_stays_among_linking_vertices(problem: Problem) -> None:
    links = as_links(scipy.sparse.csr_array(problem.weights))
    linking = links.rows.order[: links.rows.linking]
    np.testing.assert_allclose(links.kept, problem.weights[np.ix_(linking, linking)].sum(axis=1), rtol=1e-12)


def test_prepared_links_are_taken_as_they_are() -> None:
    links = as_links([(0, 1), (1, 0)])
    assert as_links(links) is links
    assert pagerank(links).scores.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("form", [list, tuple, np.array])
def test_links_of_weight_zero_are_none(form: Any) -> None:
    web = scipy.sparse.csr_array((form([0.0, 2.0, 0.0]), ([0, 1, 1], [1, 2, 0])), shape=(3, 3))
    rows = as_links(web).rows
    assert links_of(rows) == Counter({(1, 2, 2.0): 1})
    assert rows.linking == 1
