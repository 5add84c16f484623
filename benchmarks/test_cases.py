"""pytest-benchmark over the same cases as `smlib bench`: `pytest benchmarks`. It asserts nothing.

The figures that are quoted anywhere come from `smlib bench`, which pairs its runs; these are for those who follow one
function over time with pytest-benchmark's own tools.
"""

from __future__ import annotations

from typing import Any

import pytest

from smlib.compare.case import Case, Peer
from smlib.compare.cases import load_cases

CONTENDERS = [
    pytest.param(case, contender, size, id=f"{case.topic}: {case.name}, {size}, {name}")
    for case in load_cases()
    for size in case.sizes[:2]
    for name, contender in [("smlib", None), *((peer.name, peer) for peer in case.peers)]
]


@pytest.mark.parametrize(("case", "peer", "size"), CONTENDERS)
def test_case(benchmark: Any, case: Case, peer: Peer | None, size: int) -> None:
    if peer is not None and not peer.installed:
        pytest.skip(f"{peer.package} is not installed")
    benchmark.group = f"{case.topic}: {case.name}, {size} {case.unit}"
    run = case.ours if peer is None else peer.run
    problem = case.setup(size)
    run(problem)
    benchmark(run, problem)
