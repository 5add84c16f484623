"""Graphs that look like the web."""

from __future__ import annotations

import numpy as np
import pytest

from smlib.datasets.webs import recursive_web
from smlib.errors import InputError


def test_links_are_distinct_and_within_the_graph() -> None:
    web = recursive_web(10, 20_000)
    assert web.dtype == np.uint32
    assert 14_000 < len(web) <= 20_000
    assert len(np.unique(web, axis=0)) == len(web)
    assert web.max() < 1024


def test_few_vertices_have_most_links() -> None:
    degrees = np.sort(np.bincount(recursive_web(14, 150_000)[:, 0], minlength=1 << 14))[::-1]
    assert degrees[: len(degrees) // 100].sum() > 0.15 * degrees.sum()
    assert 0.3 < np.mean(degrees == 0) < 0.7


def test_quarters_have_their_chances() -> None:
    """Of one level only, labels hide which is which: what is left are two vertices and four places."""
    counts = [len(recursive_web(1, 1, seed=seed)) for seed in range(5)]
    assert counts == [1] * 5
    loops = np.mean(
        [recursive_web(1, 1, seed=seed)[0, 0] == recursive_web(1, 1, seed=seed)[0, 1] for seed in range(999)]
    )
    assert loops == pytest.approx(0.57 + 0.05, abs=0.05)


def test_the_seed_decides() -> None:
    np.testing.assert_array_equal(recursive_web(8, 500, seed=3), recursive_web(8, 500, seed=3))
    assert not np.array_equal(recursive_web(8, 500, seed=3)[:100], recursive_web(8, 500, seed=4)[:100])


@pytest.mark.parametrize("scale", [0, 3])
def test_no_links(scale: int) -> None:
    assert recursive_web(scale, 0).shape == (0, 2)
    assert len(recursive_web(0, 7)) == 1


def test_bad_input() -> None:
    with pytest.raises(InputError, match="links is -1"):
        recursive_web(3, -1)
    with pytest.raises(InputError, match="scale is 32"):
        recursive_web(32, 5)
