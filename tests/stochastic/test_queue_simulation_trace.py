"""The trace of a queue: every step true, and the records at its end those of the simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.stochastic import simulate_queue
from smlib.stochastic.queue_simulation.trace import trace
from smlib.viz.layouts.stochastic.queue_simulation import QUEUE_SIMULATION

CUSTOMERS = [0, 1, 2, 2.5, 3], [3, 4, 2, 3, 1]


@pytest.mark.interpreted
def test_every_step_is_told_and_true() -> None:
    steps = list(trace(*CUSTOMERS, servers=2))
    assert [step.caption for step in steps[3:6]] == [
        "At 2 customer 2 comes and waits.",
        "At 2.5 customer 3 comes and waits.",
        "At 3 customer 0 leaves; customer 2 is next, after a wait of 1; customer 4 comes and waits.",
    ]
    assert steps[5].question == "At 3 a server will be free. Who is next, first in, first out?"
    assert steps[3].question == "Customer 2 comes at 2. Will there be a free server?"
    assert all(all(step.invariants.values()) for step in steps)
    assert [number for _, number, _ in steps[-1].state["curve"]] == [0, 1, 2, 3, 4, 4, 2, 1, 0]


@pytest.mark.interpreted
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), min_size=1, max_size=12),
    st.integers(1, 3),
    st.sampled_from(["fifo", "lifo", "priority"]),
    st.one_of(st.none(), st.integers(3, 5)),
)
def test_the_last_step_has_the_records(
    customers: list[tuple[int, int]], servers: int, discipline: Any, capacity: int | None
) -> None:
    gaps, services = np.array(customers, float).T
    arguments: dict[str, Any] = {"servers": servers, "capacity": capacity, "discipline": discipline}
    if discipline == "priority":
        arguments["priorities"] = services % 2
    run = simulate_queue(gaps.cumsum(), services, **arguments)
    steps = list(trace(gaps.cumsum(), services, **arguments))
    assert all(all(step.invariants.values()) for step in steps)
    last = steps[-1].state
    for name in ("arrivals", "starts", "ends", "server"):
        np.testing.assert_array_equal(last[name], getattr(run, name))
    assert last["curve"][-1][1:] == (0, 0)
    assert last["time"] == max(run.arrivals.max(), np.nanmax(run.ends))


def test_who_finds_no_room_is_told() -> None:
    captions = [step.caption for step in trace([0, 1, 1.5], [5, 1, 1], capacity=2)]
    assert captions[3] == "At 1.5 customer 2 comes, finds no room and is lost."
    assert captions[-1] == "At 6 customer 1 leaves."


def test_each_step_can_be_drawn() -> None:
    steps = list(QUEUE_SIMULATION.steps())
    waits = [
        (steps[k].state["starts"] - steps[k].state["arrivals"]).sum() for k in (len(steps) - 1, len(steps) // 2 - 1)
    ]
    # The essay of the layout asks it: with services of different lengths the waits are not the same in all.
    assert waits[0] != waits[1]
    for step in steps:
        scene = QUEUE_SIMULATION.draw(step.state)
        for mark in scene.marks:
            assert -1 <= float(mark.attributes["x"]) <= scene.width
            assert -1 <= float(mark.attributes["y"]) <= scene.height


def test_bad_input() -> None:
    with pytest.raises(InputError, match="discipline is 'processor-sharing'; what is drawn is"):
        list(trace([0], [1], discipline="processor-sharing"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="arrivals\\[0\\] is -1"):
        list(trace([-1], [1]))
