"""Diets: the published optimum, found by a reference."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.optimize

from smlib.datasets.diets import stigler_diet

# What Stigler himself spent, in dollars a year.
BY_TRIAL = {
    "Wheat flour (enriched)": 13.33,
    "Evaporated milk (can)": 3.84,
    "Cabbage": 4.11,
    "Spinach": 1.85,
    "Navy beans, dried": 16.80,
}
# In grams.
WEIGHTS = {"lb.": 453.592, "oz.": 28.3495}


def test_the_cheapest_diet_is_the_published_one() -> None:
    diet = stigler_diet()
    found = scipy.optimize.linprog(np.ones(77), -diet.contents.T, -diet.requirements, method="highs-ds")
    assert found.fun == pytest.approx(0.108662, abs=5e-7)
    assert 365 * found.fun == pytest.approx(39.66, abs=5e-3)
    assert 365.25 * found.fun == pytest.approx(39.69, abs=5e-3)
    eaten = {diet.foods[j]: 365 * found.x[j] for j in np.flatnonzero(found.x > 1e-12)}
    assert eaten == pytest.approx(
        {
            "Wheat flour (enriched)": 10.7745,
            "Liver (beef)": 0.6908,
            "Cabbage": 4.0933,
            "Spinach": 1.8278,
            "Navy beans, dried": 22.2755,
        },
        abs=5e-4,
    )


def test_stiglers_own_diet_costs_27_cents_more() -> None:
    diet = stigler_diet()
    assert sum(BY_TRIAL.values()) == pytest.approx(39.93)
    spent = np.array([BY_TRIAL.get(food, 0.0) for food in diet.foods]) / 365
    assert (spent @ diet.contents >= 0.99 * diet.requirements).all()


def test_the_table_is_whole() -> None:
    diet = stigler_diet()
    assert diet.contents.shape == (len(diet.foods), len(diet.nutrients)) == (77, 9)
    assert len(diet.units) == diet.prices.size == len(set(diet.foods)) == 77
    assert len(diet.measures) == diet.requirements.size == 9
    assert (diet.contents >= 0.0).all()
    assert (diet.contents.max(axis=0) > 0.0).all()
    assert (diet.prices > 0.0).all()
    assert diet.contents.flags.c_contiguous
    assert diet.contents.flags.writeable


def test_what_a_gram_holds_is_possible() -> None:
    """A gram of food has 9.3 kilocalories at most, and less than a gram of protein."""
    diet = stigler_diet()
    weighed = [re.fullmatch(r"(\d+) (lb\.|oz\.)", unit) for unit in diet.units]
    for j, weight in enumerate(weighed):
        if weight is not None:
            grams = 100 / diet.prices[j] * float(weight[1]) * WEIGHTS[weight[2]]
            assert 1000 * diet.contents[j, 0] <= 9.3 * grams, diet.foods[j]
            assert diet.contents[j, 1] < grams, diet.foods[j]


def test_every_call_makes_its_own_arrays() -> None:
    first = stigler_diet()
    first.contents[:] = 0.0
    assert stigler_diet().contents.any()
