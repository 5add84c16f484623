"""PageRank: the book's numbers, laws, elimination, NetworkX and igraph as references, real graphs, and bad input."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from smlib.datasets.webs import recursive_web
from smlib.errors import InputError
from smlib.mining import PageRankResult, as_links, pagerank, topic_sensitive_pagerank
from tests.conftest import require
from tests.mining.graphs import BOOK_TRAP, BOOK_WEB, Problem, google_matrix, problems, true_ranks

METHODS: tuple[Any, ...] = ("gauss-seidel", "power")


def ranks(problem: Problem, **options: Any) -> PageRankResult:
    """Solve a problem from its matrix, with room for slow cases."""
    G = scipy.sparse.csr_array(problem.weights)
    return pagerank(G, problem.alpha, **{"max_iter": 5000, **problem.options(), **options})


@pytest.mark.interpreted
@pytest.mark.parametrize("method", METHODS)
def test_the_books_ranks(method: Any) -> None:
    """Examples 5.2 (without jumps), 5.6, and 5.10."""
    nearly_one = pagerank(BOOK_WEB, alpha=1.0 - 1e-9, tol=1e-12, method=method, max_iter=1000)
    np.testing.assert_allclose(nearly_one.scores, np.array([3, 2, 2, 2]) / 9, atol=1e-8)
    trap = pagerank(BOOK_TRAP, alpha=0.8, tol=1e-12, method=method)
    np.testing.assert_allclose(trap.scores, np.array([15, 19, 95, 19]) / 148, atol=1e-11)
    topic = topic_sensitive_pagerank(BOOK_WEB, {"b and d": {1, 3}}, alpha=0.8, tol=1e-12)["b and d"]
    np.testing.assert_allclose(topic.scores, np.array([54, 59, 38, 59]) / 210, atol=1e-11)


@pytest.mark.interpreted
def test_the_books_iterates() -> None:
    """Example 5.6: what power iteration has after each step, from all pages alike."""
    book: dict[int, Any] = {0: [0.25] * 4, 1: np.array([9, 13, 25, 13]) / 60, 2: np.array([41, 53, 153, 53]) / 300}
    book[3] = np.array([543, 707, 2543, 707]) / 4500
    for steps, x in book.items():
        result = pagerank(BOOK_TRAP, alpha=0.8, method="power", max_iter=steps)
        np.testing.assert_allclose(result.scores, x, rtol=1e-14)
        assert (result.nit, result.status, result.success) == (steps, 1, False)


@pytest.mark.interpreted
@given(problems(), st.sampled_from(METHODS))
def test_ranks_are_those_of_elimination_and_within_the_bound(problem: Problem, method: Any) -> None:
    expected = true_ranks(problem)
    result = ranks(problem, method=method)
    assert result.success, result
    distance = np.abs(result.scores - expected).sum()
    assert distance <= result.error_bound + 1e-12
    assert result.error_bound <= 1e-10 / (1.0 - problem.alpha)
    assert result.scores.sum() == pytest.approx(1.0, abs=1e-14)
    assert (result.scores >= 0.0).all()
    if problem.personalization is None and problem.alpha < 1.0:
        assert (result.scores > 0.0).all()


@given(problems(), st.sampled_from(METHODS), st.integers(0, 6))
def test_the_last_residual_is_what_a_step_would_change(problem: Problem, method: Any, sweeps: int) -> None:
    """Also where sweeps were too few: nothing is said of the ranks that is not true of them."""
    result = ranks(problem, method=method, max_iter=sweeps, tol=1e-13)
    change = np.abs(result.scores @ google_matrix(problem) - result.scores).sum()
    assert change == pytest.approx(result.residual_norms[-1], rel=1e-9, abs=1e-14)
    if result.nit < sweeps:
        assert result.success
    assert result.success == (result.residual_norms[-1] <= 1e-13)
    assert len(result.residual_norms) == result.nit + 1
    assert result.nit <= sweeps


@given(problems(), st.booleans())
def test_networkx_agrees(problem: Problem, multiple: bool) -> None:
    networkx = require("networkx")
    n = len(problem.weights)
    G = networkx.MultiDiGraph() if multiple else networkx.DiGraph()
    names = [f"page {v}" for v in range(n)]
    G.add_nodes_from(names)
    for u, v in np.argwhere(problem.weights):
        for part in (0.25, 0.75) if multiple else (1.0,):
            G.add_edge(names[u], names[v], weight=part * problem.weights[u, v])
    options: dict[str, Any] = {
        name: None if value is None else {names[v]: value[v] for v in np.flatnonzero(value)}
        for name, value in problem.options().items()
    }
    theirs = networkx.pagerank(G, alpha=problem.alpha, max_iter=10_000, tol=1e-13, **options)
    ours = pagerank(G, alpha=problem.alpha, max_iter=5000, **options)
    assert list(ours) == list(theirs) == names
    assert sum(abs(ours[name] - theirs[name]) for name in names) <= 1e-9


@given(problems(), st.booleans())
def test_igraph_agrees(problem: Problem, weighted: bool) -> None:
    """Its PRPACK wants an alpha above 0, and cannot tell no weights from none given."""
    igraph = require("igraph")
    n = len(problem.weights)
    pattern = problem.weights if weighted else (problem.weights > 0.0).astype(float)
    edges = np.argwhere(pattern)
    G = igraph.Graph(n, edges, directed=True)
    weights = pattern[tuple(edges.T)].tolist() if weighted and len(edges) else None
    alpha = max(problem.alpha, 0.3)
    theirs = G.pagerank(damping=alpha, weights=weights)
    ours = pagerank(scipy.sparse.csr_array(pattern), alpha, max_iter=5000)
    np.testing.assert_allclose(ours.scores, theirs, atol=1e-9)


def test_undirected_graphs_have_links_both_ways() -> None:
    networkx = require("networkx")
    G = networkx.karate_club_graph()
    for weight in ("weight", None):
        theirs = networkx.pagerank(G, tol=1e-14, weight=weight, max_iter=1000)
        ours = pagerank(G, weight=weight)
        assert max(abs(ours[v] - theirs[v]) for v in G) <= 1e-10
        assert dict(ours) == {v: ours[v] for v in G}


@given(problems(), st.randoms())
def test_names_and_order_do_not_matter(problem: Problem, random: Any) -> None:
    n = len(problem.weights)
    order = np.array(random.sample(range(n), n))
    moved = Problem(
        problem.weights[np.ix_(order, order)] * np.exp2(order % 5)[:, None],
        problem.alpha,
        *(None if jumps is None else jumps[order] * 8.0 for jumps in problem[2:]),
    )
    here, there = ranks(problem, tol=1e-13), ranks(moved, tol=1e-13)
    np.testing.assert_allclose(there.scores, here.scores[order], atol=1e-11)


@given(problems(), st.sampled_from(METHODS))
def test_weights_of_a_vertex_count_in_proportion(problem: Problem, method: Any) -> None:
    """Powers of two change no rounding, so that every iterate is the same to the last bit."""
    n = len(problem.weights)
    scaled = problem._replace(weights=problem.weights * np.exp2(np.arange(n) % 7 - 3)[:, None])
    here, there = ranks(problem, method=method), ranks(scaled, method=method)
    np.testing.assert_array_equal(here.scores, there.scores)
    np.testing.assert_array_equal(here.residual_norms, there.residual_norms)


@given(problems(whole=True))
def test_equal_pairs_add_up(problem: Problem) -> None:
    edges = problem.edges
    np.random.default_rng(len(edges)).shuffle(edges)
    n = int(edges.max()) + 1 if edges.size else 0
    expected = pagerank(scipy.sparse.csr_array(problem.weights[:n, :n]), problem.alpha, max_iter=5000)
    np.testing.assert_allclose(pagerank(edges, problem.alpha, max_iter=5000).scores, expected.scores, atol=1e-9)


@given(problems(), st.floats(0.0, 1.0))
def test_ranks_for_a_mixture_of_jumps_are_the_mixture_of_the_ranks(problem: Problem, share: float) -> None:
    n = len(problem.weights)
    falls = np.ones(n) if problem.dangling is None else problem.dangling
    one, other = np.arange(1.0, n + 1.0), np.arange(n) % 3 + 1.0
    one, other = one / one.sum(), other / other.sum()
    parts = [ranks(problem, personalization=jumps, dangling=falls).scores for jumps in (one, other)]
    mixed = ranks(problem, personalization=share * one + (1.0 - share) * other, dangling=falls).scores
    np.testing.assert_allclose(mixed, share * parts[0] + (1.0 - share) * parts[1], atol=1e-8)


def test_weights_that_are_alike_are_no_weights() -> None:
    web = scipy.sparse.csr_array((np.ones(8), np.transpose(BOOK_WEB)), shape=(4, 4))
    assert as_links(web).rows.weights.size == 0
    assert as_links(3.0 * web).rows.weights.size == 8
    np.testing.assert_allclose(pagerank(web).scores, pagerank(3.0 * web).scores, atol=1e-12)


def test_a_start_at_the_solution_needs_no_second_look() -> None:
    web = recursive_web(10, 8_000)
    first = pagerank(web, tol=1e-13)
    again = pagerank(web, nstart=first.scores)
    assert again.success
    assert again.nit <= 1
    assert pagerank(web, nstart=first.scores, method="power").nit == 0


def test_sweeps_are_few_on_what_looks_like_a_web() -> None:
    """Without the balance they would be some sixty."""
    links = as_links(recursive_web(14, 150_000))
    sweeps, steps = (pagerank(links, method=method) for method in METHODS)
    assert 1.5 * sweeps.nit < steps.nit
    assert np.abs(sweeps.scores - steps.scores).sum() <= sweeps.error_bound + steps.error_bound


def test_traps_and_islands_do_not_slow_sweeps_down() -> None:
    """A power iteration needs log(1e-10) / log(0.85) = 142 steps for each of these."""
    loops = np.repeat(np.arange(30), 2).reshape(-1, 2)
    islands = np.array([(2 * k + i, 2 * k + 1 - i) for k in range(15) for i in range(2)])
    start = np.arange(1.0, 31.0)
    for edges, most in ((loops, 3), (islands, 75)):
        assert pagerank(edges, nstart=start, method="power", max_iter=1000).nit > 120
        assert pagerank(edges, nstart=start).nit <= most


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_all_kinds_of_integers(kind: type[np.integer[Any]]) -> None:
    edges = np.array(BOOK_WEB, kind)
    for form in (edges, np.asfortranarray(edges), edges[::1], edges[::-1], edges.tolist()):
        np.testing.assert_allclose(pagerank(form).scores, pagerank(BOOK_WEB).scores, rtol=1e-9)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
def test_all_kinds_of_matrices(form: str) -> None:
    web = scipy.sparse.csr_array((np.ones(8), np.transpose(BOOK_TRAP)), shape=(5, 5))
    expected = true_ranks(Problem(web.toarray(), 0.85, None, None))
    np.testing.assert_allclose(pagerank(web.asformat(form)).scores, expected, atol=1e-9)


def test_graphs_without_vertices_or_links() -> None:
    networkx = require("networkx")
    nothing: tuple[Any, ...] = ([], np.empty((0, 2), int), scipy.sparse.csr_array((0, 0)), networkx.DiGraph())
    for empty in nothing:
        result = pagerank(empty)
        assert (len(result), result.success, result.nit) == (0, True, 0)
        assert dict(result) == {}
    lonely = pagerank(scipy.sparse.csr_array((3, 3)), personalization=[1, 2, 1], dangling=[0, 0, 5], method="power")
    np.testing.assert_allclose(lonely.scores, 0.15 * np.array([0.25, 0.5, 0.25]) + 0.85 * np.array([0, 0, 1.0]))
    np.testing.assert_allclose(
        pagerank(scipy.sparse.csr_array((3, 3)), personalization=[1, 2, 1], dangling=[0, 0, 5]).scores, lonely.scores
    )


def test_a_result_is_a_mapping() -> None:
    result = pagerank(BOOK_WEB)
    assert list(result) == [0, 1, 2, 3]
    assert result[np.int64(0)] == result.scores[0] == max(result.values())
    assert result.get(4) is None
    assert -1 not in result
    with pytest.raises(KeyError):
        result[-1]
    assert "places" not in repr(result)


def bad(what: str, **options: Any) -> Any:
    return pytest.param(options, what, id=what)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        bad(r"alpha is 1\.0; it must be .* less than 1", alpha=1.0),
        bad(r"alpha is nan", alpha=float("nan")),
        bad(r"tol is -1", tol=-1.0),
        bad(r"max_iter is 2\.5", max_iter=2.5),
        bad(r"method is 'jacobi'", method="jacobi"),
        bad(r"personalization names 7", personalization={7: 1.0}),
        bad(r"personalization names -1", personalization={-1}),
        bad(r"personalization is -0\.5 at vertex 2", personalization=[0, 1, -0.5, 0]),
        bad(r"personalization is 0 at every vertex", personalization={1: 0.0}),
        bad(r"dangling is nan at vertex 0", dangling=[np.nan, 0, 0, 1]),
        bad(r"dangling has shape \(3,\), but G has 4", dangling=[1, 1, 1]),
        bad(r"nstart is inf at vertex 3", nstart=[1, 1, 1, np.inf]),
        bad(r"G has the shape \(2, 3\)", G=scipy.sparse.csr_array((2, 3))),
        bad(r"the link from 1 to 0 weighs -2", G=scipy.sparse.csr_array([[0, 1], [-2, 0]])),
        bad(r"G\[0, 1\] is nan", G=scipy.sparse.csr_array([[0, np.nan], [2, 0]])),
        bad(r"links of vertex 0 weigh 2e\+300", G=scipy.sparse.csr_array([[1e300, 1e300], [2, 0]])),
        bad(r"G\[1\] is \[0, -3\]; vertices are numbered from 0", G=[(0, 1), (0, -3)]),
        bad(r"G\[1\] is \[0, 4294967295\], but .* numpy\.unique", G=[(0, 1), (0, 2**32 - 1)]),
        bad(r"give pairs of integers", G=np.eye(3)),
        bad(r"give pairs of integers", G=np.eye(2)),
        bad(r"give pairs of integers", G="links"),
        bad(r"cannot be read as an array of pairs", G=[(0, 1), (2,)]),
    ],
)
def test_bad_input(options: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what):
        pagerank(**{"G": BOOK_WEB, **options})


def test_bad_networkx_weights() -> None:
    networkx = require("networkx")
    G = networkx.DiGraph([("a", "b", {"weight": "heavy"})])
    with pytest.raises(InputError, match="a weight of G is no number"):
        pagerank(G)
    with pytest.raises(InputError, match="personalization names 'c'"):
        pagerank(networkx.DiGraph([("a", "b")]), personalization={"c"})
    with pytest.raises(InputError, match="mapping from topics"):
        topic_sensitive_pagerank(BOOK_WEB, [{1}])  # type: ignore[arg-type]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("graphs/ldbc-directed-example-bool.mtx", "ldbc_directed_example_rank"),
        ("matrices/karate.mtx", "karate_rank"),
        ("matrices/west0067.mtx", "west0067_rank"),
    ],
)
def test_known_vectors(real_data: Path, file: str, name: str) -> None:
    """Computed with MATLAB by the authors of LAGraph, who accept a difference of 1e-4."""
    known = json.loads((real_data / "graphs" / "pagerank_reference_lagraph.json").read_text())[name]
    pattern = scipy.sparse.csr_array(scipy.io.mmread(real_data / file)) != 0
    np.testing.assert_allclose(pagerank(pattern.astype(float)).scores, known, atol=1e-4)


@pytest.mark.slow
@pytest.mark.real_data
def test_packages_of_debian(real_data: Path) -> None:
    """63,666 packages and what each depends on: the ten first, and all of them beside NetworkX and igraph."""
    folder = real_data / "graphs"
    known = json.loads((folder / "known_answers_graphs.json").read_text())["debian_depends.tsv.xz"]
    names = lzma.decompress((folder / "debian_packages.txt.xz").read_bytes()).decode().split()
    lines = lzma.decompress((folder / "debian_depends.tsv.xz").read_bytes()).decode().splitlines()
    edges = np.array([line.split() for line in lines if not line.startswith("#")], dtype=np.int64)
    n = len(names)
    assert (n, len(edges)) == (known["nodes"], known["unique_edges"])
    web = scipy.sparse.csr_array((np.ones(len(edges)), edges.T), shape=(n, n))
    result = pagerank(web)
    first = np.argsort(-result.scores)[:10]
    assert [names[v] for v in first] == [name for name, _ in known["top10"]]
    np.testing.assert_allclose(result.scores[first], [score for _, score in known["top10"]], atol=1e-9)
    networkx, igraph = require("networkx"), require("igraph")
    G = networkx.from_scipy_sparse_array(web, create_using=networkx.DiGraph)
    theirs = networkx.pagerank(G, tol=1e-10 / n, max_iter=1000)
    np.testing.assert_allclose(result.scores, [theirs[v] for v in range(n)], atol=1e-9)
    np.testing.assert_allclose(result.scores, igraph.Graph(n, edges, directed=True).pagerank(damping=0.85), atol=1e-9)
