"""Plates: the matrices that a reference builds."""

from __future__ import annotations

import numpy as np
import pytest

from smlib.datasets.plates import grid_laplacian, heated_plate
from tests.conftest import require


@pytest.mark.parametrize("lengths", [(5,), (4, 6), (3, 4, 5)])
def test_the_stencils_are_pyamgs(lengths: tuple[int, ...]) -> None:
    poisson = require("pyamg.gallery").poisson
    np.testing.assert_array_equal(grid_laplacian(*lengths).toarray(), poisson(lengths).toarray())


def test_every_inner_point_is_the_mean_of_its_neighbours() -> None:
    A, b = heated_plate(5, top=1.0, right=2.0, bottom=3.0, left=4.0)
    grid = np.pad(np.linalg.solve(A.toarray(), b).reshape(5, 5), 1)
    grid[0], grid[:, -1], grid[-1], grid[:, 0] = 1.0, 2.0, 3.0, 4.0
    means = (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]) / 4
    np.testing.assert_allclose(grid[1:-1, 1:-1], means)
