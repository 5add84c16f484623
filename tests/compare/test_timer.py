"""The timer interleaves, compares before it measures, and says what it could not do. (No test here asserts a time.)"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smlib.compare.case import Agreement, Case, Peer
from smlib.compare.cases import load_cases
from smlib.compare.report import as_json
from smlib.compare.timer import FEWEST_ROUNDS, Measurement, measure


def make_case(*peers: Peer, **changes: Any) -> Case:
    arguments: dict[str, Any] = {
        "topic": "stationary",
        "name": "nothing",
        "unit": "things",
        "sizes": (1, 2, 3),
        "setup": lambda size: size,
        "ours": lambda problem: problem,
        "peers": peers,
        "agree": lambda problem, ours, theirs: Agreement(ours == theirs, "compared"),
    }
    return Case(**{**arguments, **changes})


def run(case: Case, size: int = 1) -> Measurement:
    return measure(case, case.setup(size), size, seconds=0.0)


def sleeping(seconds: float) -> Callable[[int], int]:
    def work(problem: int) -> int:
        time.sleep(seconds)
        return problem

    return work


def test_contenders_take_turns() -> None:
    calls: list[str] = []

    def contender(name: str) -> Any:
        def work(problem: int) -> int:
            calls.append(name)
            time.sleep(0.003)
            return problem

        return work

    measurement = run(
        make_case(Peer("B", "numpy", contender("B")), Peer("C", "numpy", contender("C")), ours=contender("A"))
    )
    assert "".join(calls[-3 * FEWEST_ROUNDS :]) == "ABC" * FEWEST_ROUNDS
    assert [item.rounds for item in measurement.comparisons] == [FEWEST_ROUNDS] * 2


def test_ratios_are_of_what_ran_side_by_side() -> None:
    measurement = run(make_case(Peer("slow", "numpy", sleeping(0.02))))
    comparison = measurement.comparisons[0]
    assert comparison.ratio is not None
    assert comparison.quartiles is not None
    assert comparison.quartiles[0] <= comparison.ratio <= comparison.quartiles[1]
    assert comparison.ratio > 1.0


def test_what_disagrees_is_reported() -> None:
    measurement = run(make_case(Peer("liar", "json", lambda problem: problem + 1)))
    assert not measurement.agrees
    assert measurement.comparisons[0].agreement == Agreement(False, "compared")


def test_a_truth_value_of_numpy_is_a_truth_value() -> None:
    measurement = run(make_case(Peer("same", "numpy", lambda problem: problem), agree=_as_numpy_says))
    assert json.loads(json.dumps(as_json({}, [measurement])))["measurements"][0]["agrees"] is True


def _as_numpy_says(problem: int, ours: int, theirs: int) -> Agreement:
    return Agreement(np.int64(ours) == theirs, "compared by NumPy")


def test_absent_and_too_small_peers_are_shown_as_such() -> None:
    measurement = run(
        make_case(
            Peer("away", "no_such_package", lambda problem: problem), Peer("small", "numpy", lambda p: p, max_size=1)
        ),
        size=2,
    )
    assert [item.note for item in measurement.comparisons] == ["not installed", "not run above 1"]
    assert measurement.agrees


def test_a_long_run_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    from smlib.compare import timer

    monkeypatch.setattr(timer, "LONG_RUN", 0.001)
    measurement = run(make_case(Peer("long", "numpy", sleeping(0.01))))
    assert measurement.comparisons[0].note == "one run"
    assert measurement.comparisons[0].rounds == 1


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: f"{case.topic}: {case.name}")
def test_every_case_agrees_at_its_smallest_size(case: Case) -> None:
    measurement = run(case, case.sizes[0])
    assert measurement.agrees, measurement.comparisons
    assert len(case.sizes) == 3
    assert sorted(case.sizes) == list(case.sizes)
