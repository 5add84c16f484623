"""Random streams: the reference's numbers, algebra over the bits, and what the numbers are like."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from smlib._core import random_streams
from smlib._core.random_streams import (
    State,
    advance,
    as_state,
    exponential,
    fill_exponential,
    fill_normal,
    fill_uniform,
    leap,
    new_stream,
    normal,
    spawn_streams,
    uniform,
)
from smlib._core.validate import Vector
from smlib.errors import InputError

DRAWS = 1_000_000
Bits = NDArray[np.float32]


def fill(draw: Callable[[State, Vector], State], seed: int, size: int = DRAWS) -> Vector:
    values = np.empty(size)
    draw(new_stream(seed), values)
    return values


def bits_of(state: State) -> Bits:
    return np.array([int(word) >> bit & 1 for word in state for bit in range(64)], np.float32)


def state_of(bits: Bits) -> State:
    return as_state(sum(int(bit) << k for k, bit in enumerate(bits[64 * i : 64 * i + 64])) for i in range(4))


@pytest.mark.interpreted
def test_the_published_generator() -> None:
    """The first sums of xoshiro256+ from the state 1, 2, 3, 4, as its authors' program prints them."""
    state, sums = as_state((1, 2, 3, 4)), []
    for _ in range(10):
        sums.append((int(state[0]) + int(state[3])) % 2**64)
        state = as_state(advance(state))
    assert sums == [
        5,
        211106232532999,
        211106635186183,
        9223759065350669058,
        9250833439874351877,
        13862484359527728515,
        2346507365006083650,
        1168864526675804870,
        34095955243042024,
        3466914240207415127,
    ]


def test_a_leap_is_two_to_the_128_steps() -> None:
    """A step is a matrix over the bits: squared 128 times it is the leap, and 256 times a step again (its order)."""
    matrix = np.array([bits_of(advance(state_of(row))) for row in np.eye(256, dtype=np.float32)])
    power = matrix
    for _ in range(128):
        power = (power @ power) % 2
    for seed in range(5):
        state = new_stream(seed)
        assert state_of(bits_of(state) @ power % 2) == as_state(leap(state))
    for _ in range(128):
        power = (power @ power) % 2
    assert (power == matrix).all()


@pytest.mark.interpreted
def test_layers_close_and_have_one_area() -> None:
    for name, law in (("EXPONENTIAL", scipy.stats.expon), ("NORMAL", scipy.stats.halfnorm)):
        widths = getattr(random_streams, f"{name}_WIDTHS")
        heights = getattr(random_streams, f"{name}_HEIGHTS")
        assert widths[-1] == 0.0
        assert (np.diff(widths) < 0.0).all()
        np.testing.assert_allclose(heights, law.pdf(widths) / law.pdf(0.0), rtol=1e-13)
        lowest = widths[1] * heights[1] + law.sf(widths[1]) / law.pdf(0.0)
        np.testing.assert_allclose(widths[1:-1] * np.diff(heights[1:]), lowest, rtol=1e-11)
        assert math.isclose(widths[0] * heights[1], lowest, rel_tol=1e-13)


@pytest.mark.parametrize(
    ("draw", "law"),
    [(fill_uniform, "uniform"), (fill_exponential, "expon"), (fill_normal, "norm")],
)
def test_draws_follow_their_law(draw: Callable[[State, Vector], State], law: str) -> None:
    """Kolmogorov-Smirnov on all, a chi-square test on cells of equal chance, and one on the cells of the far tail."""
    values = fill(draw, 1)
    distribution = getattr(scipy.stats, law)
    assert scipy.stats.kstest(values, law).pvalue > 0.001
    cells = np.histogram(distribution.cdf(values), 4096, (0.0, 1.0))[0]
    assert scipy.stats.chisquare(cells).pvalue > 0.001
    edges = distribution.isf([2.0**-k for k in range(6, 18)])
    tail = -np.diff([(values > edge).sum() for edge in edges])
    expected = DRAWS * -np.diff(distribution.sf(edges))
    assert ((tail - expected) ** 2 / expected).sum() < scipy.stats.chi2.isf(0.001, tail.size)


def test_the_tail_is_drawn_where_layers_end() -> None:
    """Beyond the edge there are as many as there should be, on both sides, and none is missing at the edge itself."""
    values = fill(fill_exponential, 2, 4 * DRAWS)
    for beyond in (0.0, 0.5, 1.0, 2.0):
        edge = random_streams.EXPONENTIAL_EDGE + beyond
        assert scipy.stats.binomtest(int((values > edge).sum()), values.size, math.exp(-edge)).pvalue > 0.001
    values = fill(fill_normal, 2, 4 * DRAWS)
    for side in (values, -values):
        for edge in (random_streams.NORMAL_EDGE, 3.8):
            count = int((side > edge).sum())
            assert scipy.stats.binomtest(count, side.size, scipy.stats.norm.sf(edge)).pvalue > 0.001


def test_uniform_is_equidistributed_in_the_cube() -> None:
    """Successive triples fall into the cells of a cube alike, and every bit is a fair coin."""
    values = fill(fill_uniform, 3, 3 * DRAWS)
    assert 0.0 <= values.min() <= values.max() < 1.0
    cells = (values.reshape(-1, 3) * 16).astype(int) @ (256, 16, 1)
    assert scipy.stats.chisquare(np.bincount(cells, minlength=4096)).pvalue > 0.001
    words = (values * 2.0**53).astype(np.uint64)
    for bit in range(53):
        ones = int((words >> np.uint64(bit) & np.uint64(1)).sum())
        assert scipy.stats.binomtest(ones, words.size).pvalue > 1e-4, bit


@pytest.mark.parametrize("draw", [fill_uniform, fill_exponential, fill_normal])
def test_successive_draws_are_independent(draw: Callable[[State, Vector], State]) -> None:
    values = fill(draw, 4)
    values = (values - values.mean()) / values.std()
    for lag in (1, 2, 3, 5, 17, 256):
        correlation = float(np.mean(values[lag:] * values[:-lag])) * math.sqrt(DRAWS - lag)
        assert abs(correlation) < 4.0, lag
    runs = int((np.diff(np.sign(values - np.median(values))) != 0).sum()) + 1
    assert abs(runs - DRAWS / 2 - 1) < 4.0 * math.sqrt(DRAWS) / 2


def test_streams_differ_and_do_not_go_together() -> None:
    streams = [*spawn_streams(5, 4), *(new_stream(child) for child in np.random.default_rng(5).spawn(4))]
    values = np.empty((len(streams), 100_000))
    for row, stream in zip(values, streams, strict=True):
        fill_uniform(stream, row)
    assert np.unique(values).size > values.size - 10
    correlations = np.asarray(np.corrcoef(values))[np.triu_indices(len(streams), 1)] * math.sqrt(values.shape[1])
    assert np.abs(correlations).max() < 4.0


def test_a_generator_moves_on() -> None:
    generator = np.random.default_rng(6)
    assert new_stream(generator) != new_stream(generator)
    assert new_stream(6) == new_stream(np.random.default_rng(6))
    assert new_stream() != new_stream()


@pytest.mark.interpreted
def test_interpreted_and_compiled_draw_alike() -> None:
    """The values do not depend on whether kernels are compiled: these were drawn by compiled ones."""
    state = as_state((1, 2, 3, 4))
    for _ in range(10):
        state = as_state(advance(state))
    drawn = []
    for draw in (uniform, exponential, normal):
        value, words = draw(state)
        state = as_state(words)
        drawn.append(value)
    assert drawn == pytest.approx([0.6101555867699204, 0.5176097740521902, -0.5803466794465123], rel=1e-15)


@pytest.mark.parametrize("rng", ["seed", -1, 1.5, object()])
def test_no_generator(rng: object) -> None:
    with pytest.raises(InputError, match="rng is"):
        new_stream(rng)  # type: ignore[arg-type]


def test_no_count() -> None:
    assert spawn_streams(1, 0) == []
    with pytest.raises(InputError, match="count is -1"):
        spawn_streams(1, -1)
