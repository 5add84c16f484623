"""Horse kicks: the sums that Bortkiewicz and everybody since has printed, and another copy of the table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from smlib.datasets.horse_kicks import horse_kicks


def test_the_published_sums() -> None:
    """280 corps-years and 196 deaths; of the ten corps that were kept 200, and 122."""
    kicks = horse_kicks()
    assert kicks.deaths.shape == (len(kicks.corps), len(kicks.years)) == (14, 20)
    assert (kicks.years[0], kicks.years[-1]) == (1875, 1894)
    assert np.bincount(kicks.deaths.ravel()).tolist() == [144, 91, 32, 11, 2]
    by_corps = dict(zip(kicks.corps, kicks.deaths.sum(axis=1).tolist(), strict=True))
    assert (by_corps["G"], by_corps["XI"], by_corps["XIV"], by_corps["VIII"]) == (16, 25, 24, 7)
    ten = horse_kicks(all_corps=False)
    assert not set(ten.corps) & {"G", "I", "VI", "XI"}
    assert np.bincount(ten.deaths.ravel()).tolist() == [109, 65, 22, 3, 1]
    assert ten.deaths.sum() == 122


def test_writing_into_a_table_does_not_change_the_next_one() -> None:
    horse_kicks().deaths[:] = 7
    assert horse_kicks().deaths.max() == 4


@pytest.mark.real_data
def test_the_table_is_that_of_another_copy(real_data: Path) -> None:
    with (real_data / "stats/r/pscl_prussian.csv").open(encoding="utf-8", newline="") as file:
        copy = {(row["corp"], 1800 + int(row["year"])): int(row["y"]) for row in csv.DictReader(file)}
    kicks = horse_kicks()
    assert copy == {(c, y): kicks.deaths[i, j] for i, c in enumerate(kicks.corps) for j, y in enumerate(kicks.years)}
