"""Jackson's networks, against exact arithmetic, NumPy's solver, and the whole chain of a small network."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.stochastic import jackson_network, mmc


@pytest.mark.interpreted
def test_the_network_by_hand() -> None:
    network = jackson_network([1.0, 0.0], [[0.0, 1.0], [0.5, 0.0]], [4.0, 3.0])
    assert network.throughput.tolist() == [2.0, 2.0]
    assert network.visits.tolist() == [2.0, 2.0]
    assert pytest.approx((3.0, 3.0), rel=1e-14) == (network.L, network.W)
    assert [station.model for station in network.stations] == ["M/M/1", "M/M/1"]
    assert "stations: M/M/1, M/M/1" in repr(network)


def test_stations_in_a_row_are_queues_in_a_row() -> None:
    routing = np.diag(np.ones(3), 1)
    network = jackson_network([3.0, 0, 0, 0], routing, [4.0, 2.0, 5.0, 1.0], [1, 2, 1, 5])
    alone = [mmc(3.0, rate, servers) for rate, servers in ((4.0, 1), (2.0, 2), (5.0, 1), (1.0, 5))]
    assert [station.L for station in network.stations] == [queue.L for queue in alone]
    assert pytest.approx(sum(queue.W for queue in alone), rel=1e-14) == network.W


def test_a_small_network_is_its_chain() -> None:
    """Two stations that send customers to and fro, as one chain over pairs of numbers, cut off far away."""
    outside, routing, rates, servers, top = [0.6, 0.3], [[0.1, 0.5], [0.4, 0.0]], [2.0, 1.2], [1, 2], 36
    states = {state: k for k, state in enumerate(product(range(top), repeat=2))}
    generator = np.zeros((len(states), len(states)))

    def go(state: tuple[int, int], to: tuple[int, int], rate: float) -> None:
        if to in states:
            generator[states[state], states[to]] += rate

    for m, n in states:
        go((m, n), (m + 1, n), outside[0])
        go((m, n), (m, n + 1), outside[1])
        first, second = rates[0] * min(m, servers[0]), rates[1] * min(n, servers[1])
        go((m, n), (m - 1, n + 1), first * routing[0][1])
        go((m, n), (m - 1, n), first * (1 - sum(routing[0])))
        go((m, n), (m + 1, n - 1), second * routing[1][0])
        go((m, n), (m, n - 1), second * (1 - sum(routing[1])))
    generator -= np.diag(generator.sum(axis=1))
    generator[:, 0] = 1.0
    p = np.linalg.solve(generator.T, np.eye(len(states))[0])
    numbers = np.array(list(states)).T @ p
    network = jackson_network(outside, routing, rates, servers)
    np.testing.assert_allclose([station.L for station in network.stations], numbers, rtol=1e-5)
    joint = np.multiply.outer(*(station.state_probabilities(6) for station in network.stations))
    found = p.reshape(top, top)[:6, :6]
    np.testing.assert_allclose(joint, found, rtol=1e-4)


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.tuples(
            st.lists(st.integers(0, 9), min_size=n, max_size=n).filter(any),
            st.lists(st.lists(st.integers(0, 5), min_size=n, max_size=n), min_size=n, max_size=n),
            st.lists(st.integers(1, 9), min_size=n, max_size=n),
        )
    )
)
def test_throughputs_are_exact_to_their_last_digits(data: tuple[list[int], list[list[int]], list[int]]) -> None:
    """Rows in fractions of their sum and what leaves; Gauss's elimination with fractions."""
    outside, weights, out = data
    n = len(outside)
    totals = [sum(row) + leaves for row, leaves in zip(weights, out, strict=True)]
    # Powers of two, so that the chances are exact in floats as well.
    totals = [2 ** math.ceil(math.log2(total)) for total in totals]
    chances = [[Fraction(w, total) for w in row] for row, total in zip(weights, totals, strict=True)]
    system = [[Fraction(i == j) - chances[j][i] for j in range(n)] + [Fraction(outside[i])] for i in range(n)]
    for k in range(n):
        system[k] = [entry / system[k][k] for entry in system[k]]
        for i in range(n):
            if i != k:
                system[i] = [a - system[i][k] * b for a, b in zip(system[i], system[k], strict=True)]
    exact = np.array([float(row[-1]) for row in system])
    network = jackson_network(outside, np.array(chances, dtype=float), np.full(n, 1e4))
    np.testing.assert_allclose(network.throughput, exact, rtol=1e-14)
    assert network.residual < 1e-15 * n
    assert network.W * sum(outside) == pytest.approx(network.L)


def test_customers_who_come_back_a_million_times() -> None:
    """Where elimination with subtraction loses ten digits, this loses none: the chance to leave is a power of two."""
    away = 2.0**-33
    routing = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0 - away, 0.0, 0.0]])
    with pytest.raises(InputError, match=r"nobody leaves who comes to these stations: 0, 1, 2"):
        jackson_network([1.0, 0.0, 0.0], np.where(routing == 1.0 - away, 1.0, routing), [1e11] * 3)
    network = jackson_network([1.0, 0.0, 0.0], routing, [1e11] * 3)
    assert network.throughput.tolist() == [2.0**33] * 3


def test_numpys_solver_agrees_on_a_large_network() -> None:
    rng = np.random.default_rng(3)
    n = 120
    routing = rng.random((n, n)) * (rng.random((n, n)) < 0.1)
    routing /= routing.sum(axis=1, keepdims=True) * 1.05
    outside = rng.random(n) * (rng.random(n) < 0.2)
    network = jackson_network(outside, routing, np.full(n, 1e3), rng.integers(1, 5, n))
    np.testing.assert_allclose(network.throughput, np.linalg.solve(np.eye(n) - routing.T, outside), rtol=1e-11)
    assert pytest.approx(sum(station.L for station in network.stations)) == network.L


def test_a_row_that_sums_to_1_but_for_rounding_lets_nobody_out() -> None:
    routing = np.full((4, 4), 0.25 - 2.0**-50)
    assert routing.sum(axis=1).max() < 1.0
    with pytest.raises(InputError, match="nobody leaves"):
        jackson_network(np.ones(4), routing, np.full(4, 1e30))


def test_stations_that_nobody_comes_to() -> None:
    network = jackson_network([1.0, 0.0], [[0.0, 0.0], [0.5, 0.0]], [2.0, 3.0])
    assert (network.throughput.tolist(), network.stations[1].L) == ([1.0, 0.0], 0.0)


TWO = [[0.0, 1.0], [0.5, 0.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: jackson_network([6.0, 0.0], TWO, [4.0, 5.0], [4, 2]),
            "overloaded stations: 1 of 2. Station 1: arrivals of 12 a second need more than 12 / 5 = 2.4 servers, but "
            "there are 2: each second 2 more come than can leave; use at least 3",
        ),
        (
            lambda: jackson_network([6.0, 0.0], TWO, [4.0, 5.0]),
            "overloaded stations: 2 of 2. Station 0: arrivals of 12",
        ),
        (
            lambda: jackson_network([1.0, 0.0], [[0.0, 1.0], [1.0, 0.0]], [4.0, 4.0]),
            "to these stations: 0, 1; let a row",
        ),
        (lambda: jackson_network([1.0, 0.0], [[0.0, 0.5], [0.0, 1.0]], [4.0, 4.0]), "to these stations: 1; let a row"),
        (lambda: jackson_network([1.0, 0.0], [[0.7, 0.5], [0.0, 0.0]], [4.0, 4.0]), "row 0 of routing has the sum 1.2"),
        (
            lambda: jackson_network([1.0, 0.0], [[0.0, -0.5], [0.0, 0.0]], [4.0, 4.0]),
            "routing[0, 1] is -0.5; it must be",
        ),
        (lambda: jackson_network([1.0, math.nan], TWO, [4.0, 4.0]), "arrival_rates[1] is nan"),
        (lambda: jackson_network([0.0, 0.0], TWO, [4.0, 4.0]), "arrival_rates are all 0; in an open network"),
        (lambda: jackson_network([1.0], TWO, [4.0, 4.0]), "have the shapes (1,), (2,), (); for n stations"),
        (lambda: jackson_network([], np.empty((0, 0)), []), "have the shapes (0,), (0,), ()"),
        (lambda: jackson_network([1.0, 0.0], TWO, [4.0, 0.0]), "service_rate is 0"),
        (lambda: jackson_network([1.0, 0.0], TWO, [4.0, 4.0], [1, 0]), "servers is 0; it must be from 1"),
        (lambda: jackson_network([1.0, 0.0], TWO, [4.0, 4.0], 1.5), "servers is 1.5; it must be an integer"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert message in str(caught.value)
