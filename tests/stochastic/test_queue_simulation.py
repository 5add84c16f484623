"""Queue simulation: records that are right to the last digit, and books that balance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.stochastic import Deterministic, Exponential, QueueSimulation, simulate_queue
from smlib.stochastic.queue_simulation.accounting import keep_books
from tests.stochastic.queues import Vector, draw_queue

DISCIPLINES = ("fifo", "lifo", "priority")


def replay(
    arrivals: Vector, services: Vector, servers: int, capacity: float, discipline: str, priorities: Vector
) -> tuple[list[float], list[float]]:
    """Simulate event by event, in the plainest way: lists, and a search for whatever is next."""
    n = len(arrivals)
    starts, ends = [math.nan] * n, [math.nan] * n
    waiting: list[int] = []
    busy: list[int] = []
    order = {"fifo": lambda i: i, "lifo": lambda i: -i, "priority": lambda i: (priorities[i], i)}[discipline]
    come = 0
    while come < n or busy:
        leaves = min(busy, key=lambda i: ends[i], default=None)
        if leaves is not None and (come == n or ends[leaves] <= arrivals[come]):
            now = ends[leaves]
            busy.remove(leaves)
        else:
            now, leaves = arrivals[come], None
            if len(busy) + len(waiting) < capacity:
                waiting.append(come)
            come += 1
        while waiting and len(busy) < servers:
            first = min(waiting, key=order)
            waiting.remove(first)
            starts[first], ends[first] = now, now + services[first]
            busy.append(first)
    return starts, ends


def share_slowly(arrivals: Vector, services: Vector, servers: int, capacity: float) -> list[float]:
    """Serve all at once: at each event take what was served from what each needs."""
    n = len(arrivals)
    ends = [math.nan] * n
    needs: dict[int, float] = {}
    now, come = 0.0, 0
    while come < n or needs:
        speed = min(1.0, servers / len(needs)) if needs else 1.0
        first = min(needs, key=lambda i: needs[i], default=None)
        ready = now + needs[first] / speed if first is not None else math.inf
        coming = arrivals[come] if come < n else math.inf
        for i in needs:
            needs[i] -= (min(ready, coming) - now) * speed
        now = min(ready, coming)
        if ready <= coming and first is not None:
            ends[first] = now
            del needs[first]
        else:
            if len(needs) < capacity:
                needs[come] = services[come]
            come += 1
    return ends


# By hand.


@pytest.mark.interpreted
def test_two_servers_by_hand() -> None:
    run = simulate_queue([0, 1, 2, 3.5, 6], [3, 4, 5, 2.5, 1], servers=2)
    np.testing.assert_array_equal(run.starts, [0, 1, 3, 5, 7.5])
    np.testing.assert_array_equal(run.ends, [3, 5, 8, 7.5, 8.5])
    np.testing.assert_array_equal(run.waits, [0, 0, 1, 1.5, 1.5])
    np.testing.assert_array_equal(run.server, [0, 1, 0, 1, 1])
    assert run.success
    assert not run.settled
    assert (run.W.mean, run.Wq.mean) == (3.9, 0.8)


@pytest.mark.interpreted
def test_disciplines_by_hand() -> None:
    """One is served until 10; three wait meanwhile, each for 1."""
    arrivals, services = [0, 1, 2, 3], [10, 1, 1, 1]
    assert simulate_queue(arrivals, services).starts.tolist() == [0, 10, 11, 12]
    assert simulate_queue(arrivals, services, discipline="lifo").starts.tolist() == [0, 12, 11, 10]
    run = simulate_queue(arrivals, services, discipline="priority", priorities=[9, 1, 0, 1])
    assert run.starts.tolist() == [0, 11, 10, 12]


@pytest.mark.interpreted
def test_sharing_by_hand() -> None:
    """The example of `sharing`; and two that need as much and come together leave together."""
    assert simulate_queue([0, 2], [3, 2], discipline="processor-sharing").ends.tolist() == [4, 5]
    assert simulate_queue([1, 1], [2, 2], discipline="processor-sharing").ends.tolist() == [5, 5]
    assert simulate_queue([1, 1], [2, 2], 2, discipline="processor-sharing").ends.tolist() == [3, 3]
    run = simulate_queue([1, 1], [2, 2], discipline="processor-sharing")
    assert (run.starts.tolist(), run.server.tolist()) == ([1, 1], [-1, -1])


@pytest.mark.interpreted
def test_departures_come_before_arrivals() -> None:
    """Who leaves at 2 makes room for who comes at 2, and the one who waits goes first."""
    run = simulate_queue([0, 1, 2, 2], [2, 2, 2, 2], capacity=2)
    np.testing.assert_array_equal(run.starts, [0, 2, 4, np.nan])
    np.testing.assert_array_equal(run.lost, [False, False, False, True])
    np.testing.assert_array_equal(run.server, [0, 0, 0, -1])
    for discipline in ("fifo", "processor-sharing"):
        run = simulate_queue([0, 1, 2, 2], [2, 2, 2, 2], capacity=1, discipline=discipline)
        np.testing.assert_array_equal(run.ends, [2, np.nan, 4, np.nan])


@pytest.mark.interpreted
def test_services_of_no_time_and_all_at_once() -> None:
    for discipline in ("fifo", "lifo", "processor-sharing"):
        run = simulate_queue([1, 1, 1, 1], [0, 0, 0, 0], 2, discipline=discipline)
        assert run.ends.tolist() == [1, 1, 1, 1]
        assert run.success
    assert simulate_queue([0], [0]).success
    assert simulate_queue([0, 0, 0], [1, 1, 1]).ends.tolist() == [1, 2, 3]


def test_more_servers_than_customers() -> None:
    arrivals, services = draw_queue(10, 3)
    run = simulate_queue(arrivals, services, servers=50)
    np.testing.assert_array_equal(run.starts, arrivals)
    assert len(set(run.server.tolist())) == 10


# Laws.

TICKS = st.integers(0, 12)


@st.composite
def small_queues(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a small queue on a coarse clock, so that much happens at the same time."""
    n = draw(st.integers(1, 25))
    servers = draw(st.integers(1, 4))
    ticks = st.lists(TICKS, min_size=n, max_size=n)
    scale = draw(st.sampled_from([1.0, 0.25, 3.0]))
    return {
        "arrivals": np.cumsum(np.array(draw(ticks)) % 4) * scale,
        "services": np.array(draw(ticks)) * scale,
        "servers": servers,
        "capacity": draw(st.one_of(st.none(), st.integers(servers, servers + 5))),
        "priorities": np.array(draw(ticks), float) % 3,
    }


def run_of(queue: dict[str, Any], discipline: str) -> QueueSimulation:
    wanted = queue if discipline == "priority" else {name: queue[name] for name in queue if name != "priorities"}
    return simulate_queue(**wanted, discipline=discipline)  # type: ignore[arg-type]


@pytest.mark.interpreted
@given(small_queues(), st.sampled_from(DISCIPLINES))
def test_records_are_those_of_a_plain_simulation(queue: dict[str, Any], discipline: str) -> None:
    run = run_of(queue, discipline)
    capacity = math.inf if queue["capacity"] is None else queue["capacity"]
    starts, ends = replay(
        queue["arrivals"], queue["services"], queue["servers"], capacity, discipline, queue["priorities"]
    )
    np.testing.assert_array_equal(run.starts, starts)
    np.testing.assert_array_equal(run.ends, ends)


@given(small_queues())
def test_sharing_is_that_of_a_plain_simulation(queue: dict[str, Any]) -> None:
    run = run_of(queue, "processor-sharing")
    capacity = math.inf if queue["capacity"] is None else queue["capacity"]
    # Ties that rounding decides may give another customer the last place: so without a limit, or far from ties.
    if queue["capacity"] is None:
        ends = share_slowly(queue["arrivals"], queue["services"], queue["servers"], capacity)
        np.testing.assert_allclose(run.ends, ends, rtol=1e-12, atol=1e-12)
    assert run.success


def test_sharing_with_a_limit() -> None:
    arrivals, services = draw_queue(2000, 2, load=1.3)
    run = simulate_queue(arrivals, services, 2, 5, "processor-sharing")
    np.testing.assert_allclose(run.ends, share_slowly(arrivals, services, 2, 5), rtol=1e-12)
    assert 0.1 < run.lost.mean() < 0.5
    assert run.success


@pytest.mark.interpreted
@given(small_queues(), st.sampled_from([*DISCIPLINES, "processor-sharing"]))
def test_books_balance(queue: dict[str, Any], discipline: str) -> None:
    """Invariants 1, 2 and 3."""
    run = run_of(queue, discipline)
    assert run.success
    assert max(run.little_gap, run.waiting_gap, run.busy_gap) < 1e-12


@given(small_queues(), st.sampled_from(DISCIPLINES))
def test_no_server_serves_two(queue: dict[str, Any], discipline: str) -> None:
    """Invariant 4."""
    run = run_of(queue, discipline)
    served = ~run.lost
    assert (run.starts[served] >= run.arrivals[served]).all()
    for name in range(queue["servers"]):
        mine = np.flatnonzero(run.server == name)
        mine = mine[np.lexsort((run.ends[mine], run.starts[mine]))]
        assert (run.starts[mine[1:]] >= run.ends[mine[:-1]]).all()
    assert (run.server[~served] == -1).all()


@given(small_queues())
def test_nobody_is_passed_over(queue: dict[str, Any]) -> None:
    """Invariant 5, for first in, first out: starts are in order. For the others `replay` knows whose turn it is."""
    run = run_of(queue, "fifo")
    assert (np.diff(run.starts[~run.lost]) >= 0).all()


@given(small_queues(), st.sampled_from([*DISCIPLINES, "processor-sharing"]))
def test_units_of_time_do_not_matter(queue: dict[str, Any], discipline: str) -> None:
    """Invariant 6; a factor of 8 is exact."""
    run = run_of(queue, discipline)
    other = run_of({**queue, "arrivals": 8 * queue["arrivals"], "services": 8 * queue["services"]}, discipline)
    np.testing.assert_array_equal(other.ends, 8 * run.ends)


@given(small_queues())
def test_equal_priorities_are_first_in_first_out(queue: dict[str, Any]) -> None:
    run = run_of({**queue, "priorities": np.full(len(queue["arrivals"]), 7.0)}, "priority")
    np.testing.assert_array_equal(run.ends, run_of(queue, "fifo").ends)


@given(small_queues())
def test_priorities_count_by_their_order(queue: dict[str, Any]) -> None:
    """Whether they are numbers of classes, or something else in the same order."""
    other = {**queue, "priorities": np.exp(queue["priorities"]) - 5.0}
    np.testing.assert_array_equal(run_of(other, "priority").ends, run_of(queue, "priority").ends)


@given(small_queues())
def test_more_servers_make_nobody_wait_longer(queue: dict[str, Any]) -> None:
    free = {**queue, "capacity": None}
    more = {**free, "servers": queue["servers"] + 1}
    assert (run_of(more, "fifo").starts <= run_of(free, "fifo").starts).all()


@given(small_queues())
def test_the_work_left_does_not_depend_on_who_is_next(queue: dict[str, Any]) -> None:
    """With one server that never idles, the whole is done at the same time under all disciplines."""
    one = {**queue, "servers": 1, "capacity": None}
    last = [run_of(one, discipline).ends.max() for discipline in (*DISCIPLINES, "processor-sharing")]
    np.testing.assert_allclose(last, last[0], rtol=1e-12)


def test_wrong_records_do_not_balance() -> None:
    arrivals, services = draw_queue(500, 2)
    run = simulate_queue(arrivals, services, 2)
    edges = np.array([0.0, run.ends.max()])
    departures = np.sort(run.ends)
    assert keep_books(arrivals, services, run.starts, run.ends, departures, 2, edges).balanced
    late, idle = run.ends.copy(), run.starts.copy()
    late[7] += 0.01
    idle[run.waits.argmax()] -= 0.01
    assert not keep_books(arrivals, services, run.starts, late, departures, 2, edges).balanced
    assert not keep_books(arrivals, services, idle, run.ends, departures, 2, edges).balanced
    assert not keep_books(arrivals, services * 1.001, run.starts, run.ends, departures, 2, edges).balanced
    assert not keep_books(arrivals, services, run.starts, run.ends, departures[::-1].copy(), 2, edges).balanced
    assert not keep_books(arrivals, services, run.starts, run.ends, departures, 3, edges).balanced
    # Sums do not see the order, if everybody is served at once: but time must not go backwards.
    ends = arrivals + services
    departures = np.sort(ends)
    assert keep_books(arrivals, services, arrivals, ends, departures, 500, edges).balanced
    departures[[7, 8]] = departures[[8, 7]]
    assert not keep_books(arrivals, services, arrivals, ends, departures, 500, edges).balanced


# Distributions.


def test_distributions_are_drawn_from_streams_of_their_own() -> None:
    one = simulate_queue(Exponential(1.0), Exponential(2.0), customers=1000, rng=7)
    same = simulate_queue(Exponential(1.0), Exponential(2.0), customers=1000, rng=7)
    other = simulate_queue(Exponential(1.0), Deterministic(0.5), customers=1000, rng=7)
    np.testing.assert_array_equal(one.ends, same.ends)
    np.testing.assert_array_equal(one.arrivals, other.arrivals)
    assert (other.services == 0.5).all()
    assert abs(np.corrcoef(one.services, np.diff(one.arrivals, prepend=0.0))[0, 1]) < 0.1


def test_arrays_and_distributions_mix() -> None:
    arrivals, services = draw_queue(500, 1)
    assert simulate_queue(arrivals, scipy.stats.gamma(2.0, scale=0.4), rng=1).success
    run = simulate_queue(scipy.stats.expon(scale=1.25), services, customers=500, rng=1)
    np.testing.assert_array_equal(run.services, services)


def test_a_generator_moves_on() -> None:
    generator = np.random.default_rng(1)
    first, second = (simulate_queue(Exponential(1.0), Exponential(2.0), customers=50, rng=generator) for _ in range(2))
    assert not np.array_equal(first.arrivals, second.arrivals)


# Bad input.

BAD: list[tuple[dict[str, Any], str]] = [
    ({"arrivals": [0, 2, 1]}, r"arrivals\[2\] is 1.0, before arrivals\[1\], which is 2.0; times must rise: sort"),
    ({"arrivals": [-1, 2, 3]}, r"arrivals\[0\] is -1.0; times count from 0"),
    ({"arrivals": [0, math.nan, 3]}, r"arrivals\[1\] is nan"),
    ({"arrivals": [[0, 1, 2]]}, r"arrivals has 2 axes"),
    ({"arrivals": []}, "there are no customers"),
    ({"arrivals": "abc"}, "arrivals cannot be read"),
    ({"services": [1, 1]}, r"services has shape \(2,\), but there are 3 arrivals"),
    ({"services": [1, -2, 1]}, r"services\[1\] is -2.0; a service cannot be negative"),
    ({"services": [1, math.inf, 1]}, r"services\[1\] is inf"),
    ({"servers": 0}, "servers is 0; at least 1"),
    ({"servers": 1.5}, "servers is 1.5; it must be an integer"),
    ({"servers": 2, "capacity": 1}, "capacity is 1, those in service included, but there are 2 servers"),
    ({"discipline": "random"}, "discipline is 'random'; it must be one of 'fifo', 'lifo', 'priority', 'proc"),
    ({"discipline": "priority"}, "say with priorities=... which"),
    ({"priorities": [1, 2, 3]}, "priorities are given, but discipline is 'fifo'"),
    ({"discipline": "priority", "priorities": [1, 2]}, r"priorities has shape \(2,\), but there are 3"),
    ({"customers": 4}, "customers is 4, but arrivals has 3 entries"),
    ({"arrivals": Exponential(1.0)}, "say with customers=... how many"),
    ({"arrivals": Exponential(1.0), "customers": 0}, "there are no customers"),
    ({"services": scipy.stats.norm()}, "services drew -"),
    ({"warmup": 3}, "warmup is 3, but there are only 3 customers"),
    ({"warmup": -1}, "warmup is -1"),
    ({"confidence": 1.0}, "confidence is 1.0; it must lie between 0 and 1"),
    ({"rng": -1, "services": Exponential(1.0)}, "rng is -1"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"arrivals": [0, 1, 2], "services": [1, 1, 1], "rng": 1, **change}
    with pytest.raises(InputError, match=message):
        simulate_queue(**arguments)


def test_a_clock_that_started_long_ago() -> None:
    """Seconds since 1970, of which a number keeps seven digits behind the point."""
    arrivals, services = draw_queue(50_000, 3)
    early, late = simulate_queue(arrivals, services, 3), simulate_queue(arrivals + 1.7e9, services, 3)
    assert late.success
    np.testing.assert_allclose(late.waits, early.waits, rtol=0, atol=1e-3)
    assert late.W.mean == pytest.approx(early.W.mean, abs=1e-4)


def test_input_is_left_alone() -> None:
    arrivals, services = draw_queue(100, 2)
    copies = arrivals.copy(), services.copy()
    run = simulate_queue(arrivals, services, 2)
    run.starts[:] = -1.0
    np.testing.assert_array_equal((arrivals, services), copies)
