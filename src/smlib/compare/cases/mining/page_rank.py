"""Cases of PageRank."""

from __future__ import annotations

import ast
import sys
import sysconfig
import warnings
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.datasets.webs import recursive_web
from smlib.mining import HitsResult, Links, PageRankResult, as_links, hits, pagerank

ALPHA = 0.85
TOLERANCE = 1e-10

WEBS = (100_000, 1_000_000, 10_000_000)
MODULES = tuple(sorted(sys.stdlib_module_names))


class Web:
    """A graph in the forms that the contenders want: made at the first call, which no clock times."""

    def __init__(self, edges: NDArray[np.int64], n: int) -> None:
        self.edges, self.n = edges, n

    @cached_property
    def links(self) -> Links:
        """What we prepare."""
        return as_links(self.matrix)

    @cached_property
    def matrix(self) -> scipy.sparse.csr_array:
        """The links as a matrix, from the row to the column."""
        ones = np.ones(len(self.edges))
        return scipy.sparse.csr_array((ones, tuple(self.edges.T.astype(np.int32))), shape=(self.n, self.n))

    @cached_property
    def transition(self) -> tuple[scipy.sparse.csr_array, Vector]:
        """What SciPy multiplies by, and which vertices are dangling."""
        return _transition(self)

    @cached_property
    def igraph(self) -> Any:
        """The graph of igraph."""
        return _igraph(self)

    @cached_property
    def networkx(self) -> Any:
        """The graph of NetworkX."""
        networkx = import_module("networkx")
        graph = networkx.DiGraph()
        graph.add_nodes_from(range(self.n))
        graph.add_edges_from(self.edges.tolist())
        return graph


def _web(size: int) -> Web:
    scale = round(np.log2(size / 10))
    edges = recursive_web(scale, size)
    return Web(edges.astype(np.int64), 1 << scale)


def _transition(web: Web) -> tuple[scipy.sparse.csr_array, Vector]:
    """Build the matrix with which the ranks are multiplied from the left side, each column with the sum 1."""
    degrees = np.bincount(web.edges[:, 0], minlength=web.n)
    shares = 1.0 / degrees[web.edges[:, 0]]
    matrix = scipy.sparse.csr_array((shares, (web.edges[:, 1], web.edges[:, 0])), shape=(web.n, web.n))
    return matrix, (degrees == 0).astype(np.float64)


def _power(transition: tuple[scipy.sparse.csr_array, Vector]) -> Vector:
    """Iterate as one does with SciPy: a product, and what dangling vertices and jumps add."""
    matrix, dangling = transition
    x: Vector = np.full(dangling.size, 1.0 / dangling.size)
    while True:
        fresh = ALPHA * (matrix @ x)
        fresh += (ALPHA * (dangling @ x) + 1.0 - ALPHA) / x.size
        change = np.abs(fresh - x).sum()
        x = fresh
        if change <= TOLERANCE:
            return x


def _igraph(web: Web) -> Any:
    return import_module("igraph").Graph(web.n, web.edges, directed=True)


def _networkx(web: Web) -> Vector:
    ranks = import_module("networkx").pagerank(web.networkx, alpha=ALPHA, tol=TOLERANCE / web.n, max_iter=200)
    return np.fromiter(ranks.values(), np.float64)


def _networkx_hits(web: Web) -> list[float]:
    return list(import_module("networkx").hits(web.networkx)[0].values())


def _igraph_hits(web: Web) -> list[float]:
    with warnings.catch_warnings():
        # It warns of many zeros, which say here only that many vertices have no links.
        warnings.simplefilter("ignore", RuntimeWarning)
        return list(web.igraph.hub_score())


def _same_ranks(_: Web, ours: PageRankResult, theirs: Sequence[float]) -> Agreement:
    ranks = np.zeros_like(theirs, np.float64)
    ranks[: len(ours)] = ours.scores
    difference = float(np.abs(ranks - theirs).sum())
    return Agreement(ours.success and difference <= 1e-8, f"distance {difference:.1e}, of all vertices together")


def _same_hubs(_: Web, ours: HitsResult, theirs: Sequence[float]) -> Agreement:
    difference = float(np.abs(ours.hubs - np.asarray(theirs) / np.sum(theirs)).sum())
    return Agreement(ours.success and difference <= 1e-6, f"distance {difference:.1e}, of all vertices together")


# The story: who is imported in the standard library.


@cache
def _imports() -> dict[str, set[str]]:
    """Return what each module of the standard library imports of it; those without a file of Python import nothing."""
    library = Path(sysconfig.get_path("stdlib"))
    found: dict[str, set[str]] = {}
    for module in MODULES:
        files = [library / f"{module}.py", *sorted((library / module).rglob("*.py"))]
        files = [path for path in files if path.is_file() and "test" not in path.parent.name]
        found[module] = {name for path in files for name in _imported(path)} - {module}
    return found


def _imported(path: Path) -> set[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names & sys.stdlib_module_names


def _standard_library(size: int) -> Web:
    number = {module: k for k, module in enumerate(MODULES[:size])}
    pairs = [(number[m], number[other]) for m in number for other in sorted(_imports()[m]) if other in number]
    return Web(np.array(pairs, np.int64).reshape(-1, 2), size)


def _tell_library(web: Web, result: PageRankResult) -> Sequence[str]:
    first = np.argsort(-result.scores, kind="stable")[:10]
    counts = np.bincount(web.edges[:, 1], minlength=web.n)
    shown = [f"{MODULES[v]} {result.scores[v]:.1%} (imported by {counts[v]})" for v in first]
    return [
        f"{MODULES[first[0]]}; of {len(web.edges):,} imports in {web.n} modules, after {result.nit} sweeps",
        *(", ".join(shown[k : k + 5]) for k in (0, 5)),
    ]


def _prove_library(web: Web, result: PageRankResult) -> Mapping[str, bool]:
    matrix, dangling = web.transition
    x = result.scores
    change = float(np.abs(ALPHA * (matrix @ x) + (ALPHA * (dangling @ x) + 1.0 - ALPHA) / web.n - x).sum())
    return {
        f"a step of the walk, made with SciPy, changes {change:.1e}": change <= TOLERANCE,
        f"so that the ranks are within {change / (1.0 - ALPHA):.1e} of the true ones": change <= 1e-9,
        f"they add up to 1, but for {abs(x.sum() - 1.0):.1e}": abs(float(x.sum()) - 1.0) <= 1e-14,
        "no module has less than what jumps alone would give": bool(x.min() >= (1.0 - ALPHA) / web.n),
    }


CASES = (
    Case(
        "page_rank",
        "imports of the standard library",
        "modules",
        (len(MODULES) // 4, len(MODULES) // 2, len(MODULES)),
        _standard_library,
        lambda web: pagerank(web.links, ALPHA, tol=TOLERANCE),
        (
            Peer("SciPy power iteration", "scipy", lambda web: _power(web.transition)),
            Peer("NetworkX", "networkx", _networkx),
            Peer("igraph", "igraph", lambda web: web.igraph.pagerank(damping=ALPHA)),
        ),
        _same_ranks,
        note="Three hundred vertices: what calls cost is what shows. igraph is C from end to end; ours goes from "
        "Python into a kernel and back for each sweep.",
        story=Story(
            "Which module of Python's standard library matters most?",
            len(MODULES),
            "who imports whom, read from the source of this Python, without running it",
            _tell_library,
            _prove_library,
        ),
    ),
    Case(
        "page_rank",
        "solve, prepared",
        "links",
        WEBS,
        _web,
        lambda web: pagerank(web.links, ALPHA, tol=TOLERANCE),
        (
            Peer("SciPy power iteration", "scipy", lambda web: _power(web.transition)),
            Peer("igraph", "igraph", lambda web: web.igraph.pagerank(damping=ALPHA)),
            Peer("NetworkX", "networkx", _networkx, max_size=WEBS[1]),
        ),
        _same_ranks,
        note="A recursive random graph (R-MAT) with ten links a vertex, labels in random order; half of its vertices "
        "are dangling. Everybody has the graph in the form that is best: we the links sorted, SciPy the matrix of the "
        "walk. NetworkX makes a matrix at each call. All stop at 1e-10, but igraph, which decides itself.",
    ),
    Case(
        "page_rank",
        "solve, from pairs",
        "links",
        WEBS,
        _web,
        lambda web: pagerank(web.edges, ALPHA, tol=TOLERANCE),
        (
            Peer("SciPy power iteration", "scipy", lambda web: _power(_transition(web))),
            Peer("igraph", "igraph", lambda web: _igraph(web).pagerank(damping=ALPHA)),
        ),
        _same_ranks,
        note="The same, from an array of pairs (from, to) to the ranks.",
    ),
    Case(
        "page_rank",
        "hubs and authorities",
        "links",
        WEBS,
        _web,
        lambda web: hits(web.links, tol=1e-9, max_iter=1000),
        (
            Peer("igraph", "igraph", _igraph_hits),
            Peer("NetworkX", "networkx", _networkx_hits, max_size=WEBS[0]),
        ),
        _same_hubs,
        note="igraph and NetworkX have the largest singular value found by ARPACK.",
    ),
)
