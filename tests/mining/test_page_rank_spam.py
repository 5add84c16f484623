"""Spam farms and trust, hubs and authorities: the book's formulas and figures, and NetworkX and igraph beside them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import assume, given
from hypothesis import strategies as st

from smlib.datasets.webs import recursive_web
from smlib.errors import InputError
from smlib.mining import hits, pagerank, spam_farm, spam_mass, trust_rank
from tests.conftest import require
from tests.mining.graphs import BOOK_HUBS, BOOK_WEB, Problem, problems


@pytest.mark.interpreted
@pytest.mark.parametrize("alpha", [0.5, 0.8, 0.85])
@pytest.mark.parametrize("supporting", [1, 10, 1000])
def test_what_a_farm_yields(alpha: float, supporting: int) -> None:
    """Section 5.4.2: ``y = x / (1 - beta^2) + beta / (1 + beta) * m / n``, but for the target's own share."""
    farm = spam_farm(BOOK_WEB, accessible=[1, 3], supporting=supporting)
    result = pagerank(farm.edges, alpha=alpha, tol=1e-14, max_iter=1000)
    n = len(result)
    degrees = np.bincount(farm.edges[:, 0])
    x = alpha * sum(result[page] / degrees[page] for page in (1, 3))
    y = x / (1.0 - alpha**2) + alpha / (1.0 + alpha) * supporting / n
    own = 1.0 / ((1.0 + alpha) * n)
    assert result[farm.target] == pytest.approx(y + own, rel=1e-10)
    for page in farm.supporting:
        assert result[page] == pytest.approx(alpha * result[farm.target] / supporting + (1.0 - alpha) / n, rel=1e-10)


@pytest.mark.interpreted
def test_the_books_spam_mass() -> None:
    """Section 5.4.5: pages B and D are trusted; the ranks are those without jumps."""
    rank = pagerank(BOOK_WEB, alpha=1.0 - 1e-9, max_iter=1000)
    mass = spam_mass(rank, trust_rank(BOOK_WEB, [1, 3], alpha=0.8))
    np.testing.assert_allclose(mass, [0.229, -0.264, 0.186, -0.264], atol=5e-4)


def test_trust_finds_a_farm() -> None:
    web = recursive_web(10, 10_000)
    farm = spam_farm(web, accessible=[5, 6], supporting=300)
    rank, trust = pagerank(farm.edges), trust_rank(farm.edges, range(0, 1000, 20))
    assert max(rank, key=rank.__getitem__) == farm.target
    mass = spam_mass(rank, trust)
    assert mass[farm.target] > 0.9
    assert (mass[list(farm.supporting)] > 0.9).all()
    trusted = np.zeros(len(rank))
    trusted[::20][:50] = 1.0
    np.testing.assert_allclose(trust.scores, pagerank(farm.edges, personalization=trusted).scores, atol=1e-12)


def test_a_web_that_is_nothing_but_a_farm() -> None:
    farm = spam_farm([], accessible=[], supporting=3)
    assert (farm.target, list(farm.supporting)) == (0, [1, 2, 3])
    assert pagerank(farm.edges)[0] == pytest.approx((1 / 4 + 0.85 * 3 / 4) / 1.85)


def test_pages_that_trust_cannot_reach_have_no_mass_of_their_own() -> None:
    rank = pagerank([(0, 1), (1, 0), (2, 2)], personalization={0})
    assert spam_mass(rank, trust_rank([(0, 1), (1, 0), (2, 2)], [0])).tolist() == pytest.approx([0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: spam_farm(BOOK_WEB, [1], 0), "supporting is 0"),
        (lambda: spam_farm(BOOK_WEB, [4], 2), "accessible has page 4, but .* from 0 to 3"),
        (lambda: spam_farm(BOOK_WEB, [-1], 2), "accessible has page -1"),
        (lambda: spam_farm([(0.5, 1)], [], 2), "pairs of integers"),
        (lambda: trust_rank(BOOK_WEB, []), "personalization is 0 at every vertex"),
        (lambda: trust_rank(BOOK_WEB, [9]), "personalization names 9"),
        (lambda: spam_mass(pagerank(BOOK_WEB), pagerank(BOOK_HUBS)), "rank has 4 vertices and trust 5"),
        (lambda: hits(BOOK_WEB, max_iter=-1), "max_iter is -1"),
        (lambda: hits(BOOK_WEB, tol=math.nan), "tol is nan"),
        (lambda: hits(BOOK_WEB, nstart={8: 1.0}), "nstart names 8"),
    ],
)
def test_bad_input(call: Any, what: str) -> None:
    with pytest.raises(InputError, match=what):
        call()


@pytest.mark.interpreted
def test_the_books_hubs_and_authorities() -> None:
    """Example 5.14, where the largest is made 1."""
    result = hits(BOOK_HUBS, tol=1e-12, max_iter=1000)
    assert result.success
    np.testing.assert_allclose(result.hubs / result.hubs.max(), [1, 0.3583, 0, 0.7165, 0], atol=1e-4)
    np.testing.assert_allclose(result.authorities / result.authorities.max(), [0.2087, 1, 1, 0.7913, 0], atol=1e-4)


def test_the_essays_rounds() -> None:
    for rounds, hubs, authorities in ((1, [3, 2, 0], [0, 1, 2]), (2, [8, 5, 0], [0, 3, 5])):
        result = hits([(0, 1), (0, 2), (1, 2)], max_iter=rounds)
        np.testing.assert_allclose(result.hubs, np.array(hubs) / sum(hubs), rtol=1e-14)
        np.testing.assert_allclose(result.authorities, np.array(authorities) / sum(authorities), rtol=1e-14)
        assert (result.status, result.nit, result.success) == (1, rounds, False)
    golden = (1.0 + math.sqrt(5.0)) / 2.0
    result = hits([(0, 1), (0, 2), (1, 2)], tol=1e-13)
    assert result.hubs[0] / result.hubs[1] == pytest.approx(golden, rel=1e-12)


@given(problems(whole=True))
def test_networkx_and_numpy_agree(problem: Problem) -> None:
    """Where the largest singular value stands out, so that there is one answer."""
    networkx = require("networkx")
    u, values, vt = np.linalg.svd(problem.weights)
    assume(len(values) > 2 and values[1] < 0.9 * values[0])
    result = hits(scipy.sparse.csr_array(problem.weights), tol=1e-12, max_iter=1000)
    assert result.success
    for ours, vector in ((result.hubs, u[:, 0]), (result.authorities, vt[0])):
        np.testing.assert_allclose(ours, vector / vector.sum(), atol=1e-9)
    G = networkx.from_numpy_array(problem.weights, create_using=networkx.DiGraph)
    hubs, authorities = networkx.hits(G, tol=1e-13)
    np.testing.assert_allclose(result.hubs, list(hubs.values()), atol=1e-7)
    np.testing.assert_allclose(result.authorities, list(authorities.values()), atol=1e-7)
    named = hits(G, tol=1e-12, max_iter=1000)
    np.testing.assert_allclose(named.hubs, result.hubs, atol=1e-12)


@given(problems(), st.integers(0, 5))
def test_a_round_changes_what_is_said(problem: Problem, rounds: int) -> None:
    result = hits(scipy.sparse.csr_array(problem.weights), max_iter=rounds)
    assert len(result.residual_norms) == result.nit <= rounds
    if rounds and problem.weights.any():
        assert result.hubs.sum() == pytest.approx(1.0)
        assert result.authorities.sum() == pytest.approx(1.0)
        before = hits(scipy.sparse.csr_array(problem.weights), max_iter=result.nit - 1).hubs
        assert np.abs(result.hubs - before).sum() == pytest.approx(result.residual_norms[-1], abs=1e-14)


def test_no_links_no_hubs() -> None:
    for size in (0, 3):
        result = hits(scipy.sparse.csr_array((size, size)))
        assert not result.hubs.any()
        assert not result.authorities.any()
        assert result.success
