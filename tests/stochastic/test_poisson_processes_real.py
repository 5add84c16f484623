"""Real arrivals: coal mines, a web server's log, a bank's telephones, and what the tests say of them."""

from __future__ import annotations

import csv
import datetime as dt
import lzma
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from smlib.stochastic import dispersion_test, fit_log_linear_rate, fit_piecewise_rate, time_rescaling_test

pytestmark = pytest.mark.real_data

BEGIN, END = 1851.0, 1963.0


@pytest.fixture(scope="module")
def disasters(real_data: Path) -> NDArray[np.float64]:
    """Return when ten miners or more died in a British coal mine, in years since the beginning of 1851."""
    with (real_data / "stats/r/boot_coal.csv").open(encoding="utf-8", newline="") as file:
        return np.array([float(row["date"]) for row in csv.DictReader(file)]) - BEGIN


def test_mines_grew_safer(disasters: NDArray[np.float64]) -> None:
    """191 disasters, and not at one rate: Laplace's test, both questions of the clock, and the counts a year agree."""
    t = END - BEGIN
    assert disasters.size == 191
    constant = time_rescaling_test(disasters, t)
    assert constant.places.pvalue < 1e-12
    assert constant.gaps.pvalue < 1e-3
    yearly = dispersion_test(np.histogram(disasters, np.arange(t + 1))[0])
    assert yearly.index == pytest.approx(1.58, abs=0.01)
    assert yearly.pvalue < 1e-3
    trend = fit_log_linear_rate(disasters, t)
    assert trend.pvalue < 1e-12
    assert trend.slope == pytest.approx(-0.018, abs=1e-3)


def test_one_change_about_1890_is_enough(disasters: NDArray[np.float64]) -> None:
    """3.1 a year before, 0.9 after; on the clock of that rate nothing speaks against Poisson any more.

    The edge was chosen by looking, so the p-values are too large; they are nowhere near the small ones.
    """
    t = END - BEGIN
    fit = fit_piecewise_rate(disasters, [0.0, 40.0, t])
    assert fit.rates.tolist() == pytest.approx([3.125, 0.9167], abs=1e-4)
    assert fit.high[1] < fit.low[0]
    result = time_rescaling_test(disasters, t, fit.cumulative)
    assert result.places.pvalue > 0.3
    assert result.gaps.pvalue > 0.3

    def likelihood(edge: int) -> float:
        halves = fit_piecewise_rate(disasters, [0.0, edge, t])
        return float((halves.counts * np.log(halves.rates)).sum())

    assert max(range(5, 107), key=likelihood) == pytest.approx(1890 - BEGIN, abs=5)


@pytest.fixture(scope="module")
def requests(real_data: Path) -> NDArray[np.float64]:
    """Return the times of ten thousand requests, in seconds since the first hour began; whole ones, as in the log."""
    log = lzma.decompress((real_data / "stats/logs/apache_logs.xz").read_bytes()).decode()
    stamps = re.findall(r"\[(\d+/\w+/\d+:\d+:\d+:\d+ \+0000)\]", log)
    times = np.sort([dt.datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S %z").timestamp() for stamp in stamps])
    return np.asarray(times - times[0] // 3600 * 3600)


def spread(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return times with a fraction of a second, drawn by chance."""
    return np.sort(times + np.random.default_rng(1).random(times.size))


def test_the_log_is_refused(requests: NDArray[np.float64]) -> None:
    """All requests came in the sixth minute of an hour, which no server's clients do: the gaps give it away.

    The places would not: an hour is like another. Its numbers are even too much alike: 119 an hour, and a variance of
    66. Someone has made this log of another one.
    """
    assert requests.size == 10_000
    assert np.unique(requests % 3600 // 60).tolist() == [5.0]
    hours = int(requests[-1] // 3600) + 1
    result = time_rescaling_test(spread(requests), 3600.0 * hours)
    assert result.places.statistic < 0.02
    assert result.gaps.statistic > 0.9
    assert result.gaps.pvalue < 1e-100
    hourly = dispersion_test(np.bincount((requests // 3600).astype(int), minlength=hours)[:-1])
    assert hourly.index < 0.6
    assert hourly.pvalue < 1e-3


def test_within_its_minutes_the_log_is_chance(requests: NDArray[np.float64]) -> None:
    """On a clock that goes in those minutes only, nothing speaks against a constant rate, two requests a second."""
    minutes = requests // 3600 * 60 + requests % 60
    result = time_rescaling_test(spread(minutes), 60.0 * 84)
    assert result.places.pvalue > 0.1
    assert result.gaps.pvalue > 0.1


def test_calls_are_poisson_within_minutes_and_not_within_days(real_data: Path) -> None:
    """Calls in five minutes, 169 times a day from 7 to 21, on 164 days.

    At one rate a day the variance is 30 times the mean. At the same time of all days it is 3 times, of all Mondays (and
    so on) twice the mean: each day has a level of its own. In one hour of one day it is 1.7. In ten minutes, one count
    beside the next, it is 1.01: so near to each other calls are a Poisson process.
    """
    with lzma.open(real_data / "stats/r/fpp3_bank_calls.csv.xz", "rt", encoding="utf-8") as file:
        rows = [(row["DateTime"], int(row["Calls"])) for row in csv.DictReader(file)]
    dates = sorted({stamp[:10] for stamp, _ in rows})
    calls = np.array([count for _, count in sorted(rows)]).reshape(len(dates), -1)
    assert calls.shape == (164, 169)
    weekdays = np.array([dt.date.fromisoformat(date).weekday() for date in dates])

    def index(groups: list[NDArray[np.int64]]) -> float:
        results = [dispersion_test(group) for group in groups]
        return sum(result.statistic for result in results) / sum(result.degrees for result in results)

    assert 25 < index(list(calls)) < 35
    assert 3.0 < index(list(calls.T)) < 3.4
    assert 2.0 < index([calls[weekdays == day, k] for day in range(5) for k in range(169)]) < 2.4
    assert 1.6 < index(list(calls[:, :168].reshape(-1, 12))) < 1.8
    pairs = calls[:, :168].reshape(-1, 2)
    assert index(list(pairs)) == pytest.approx(1.0, abs=2 * np.sqrt(2 / len(pairs)))
