"""What the tests of Poisson processes share: a rate, and a look at whether counts are independent and Poisson."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

# Seeds are fixed, so that a test holds or it does not; of right code one in a thousand seeds would fall below this.
CHANCE = 1e-3


def wave(t: Any) -> Any:
    """Return a rate between 0 and 3."""
    return 1.5 * (1.0 + np.sin(t))


def wave_integral(t: Any) -> Any:
    """Return the integral of the wave from 0."""
    return 1.5 * (t + 1.0 - np.cos(t))


def assert_independent_poisson(counts: NDArray[np.int64], means: NDArray[np.float64]) -> None:
    """Look at counts, a column a kind: each is Poisson with its mean, and no two columns say anything of each other."""
    for column, mean in zip(counts.T, means, strict=True):
        assert fit_of_poisson(column, float(mean)) > CHANCE
    for i in range(counts.shape[1]):
        for j in range(i):
            assert independence(counts[:, i], counts[:, j]) > CHANCE


def fit_of_poisson(counts: NDArray[np.int64], mean: float) -> float:
    """Return the p-value of the chi-square test: the values from 0 up, those that are rare together at either end."""
    law = scipy.stats.poisson(mean)
    low, high = int(law.ppf(10 / len(counts))), int(law.isf(10 / len(counts)))
    seen = np.bincount(np.clip(counts, low, high) - low, minlength=high - low + 1)
    chances = law.pmf(np.arange(low, high + 1))
    chances[0] += law.cdf(low - 1)
    chances[-1] += law.sf(high)
    return float(scipy.stats.chisquare(seen, chances * len(counts)).pvalue)


def independence(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Return the p-value of the chi-square test on four classes of each."""
    classes = [np.searchsorted(np.unique(np.quantile(c, [0.25, 0.5, 0.75])), c) for c in (first, second)]
    table = np.zeros((4, 4))
    np.add.at(table, (classes[0], classes[1]), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    return float(scipy.stats.chi2_contingency(table).pvalue)
