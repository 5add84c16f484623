"""The trace shows the signatures that the hasher makes, and the pairs that the tables find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.mining import MinHasher, near_duplicates
from smlib.mining.locality_sensitive_hashing import trace as module
from smlib.mining.locality_sensitive_hashing.trace import trace
from smlib.viz import record
from smlib.viz.layouts.mining.locality_sensitive_hashing import TEXTS, meet_texts


@pytest.mark.interpreted
def test_the_story_of_six_texts() -> None:
    steps = list(meet_texts())
    assert len(steps) == 1 + 7 + 5 + 4 + 1
    assert [step.state["signed"] for step in steps] == [1] * 8 + [2, 3, 4, 5, 6] + [6] * 5
    signatures = MinHasher(12, 20, width=2).signatures(TEXTS)
    assert (steps[-1].state["signatures"] == signatures).all()
    assert steps[-1].caption.endswith("Of these 2 reach 0.50.")
    assert list(steps[-1].state["similarities"]) == [(1, 4), (0, 5), (0, 2)]
    found = near_duplicates(TEXTS, 0.5, width=2, rng=20).pairs.tolist()
    assert found == [[0, 2], [1, 4]]


@given(
    st.lists(st.text(st.sampled_from("ab "), max_size=12), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(0, 99),
)
def test_invariants_hold_on_any_texts(others: list[str], bands: int, rows: int, seed: int) -> None:
    steps = list(trace(["a b a", *others], bands, rows, 0.3, rng=seed))
    for step in steps:
        assert step.invariants
        assert all(value is True for value in step.invariants.values()), (step.caption, step.invariants)
    assert (
        steps[-1].state["signatures"] == MinHasher(bands * rows, seed, width=2).signatures(["a b a", *others])
    ).all()


def test_a_wrong_minimum_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "lower", lambda signature, *_: signature.fill(7))
    steps = trace(TEXTS, rng=1)
    assert all(next(steps).invariants.values())
    assert not any(next(steps).invariants.values())


def test_a_lost_or_doubled_pair_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "tell_pairs", lambda *_: 0)
    broken = [name for step in trace(TEXTS, rng=20) for name, holds in step.invariants.items() if not holds]
    assert set(broken) == {"candidates are the pairs that have a band in common"}

    def tell_always(keys: Any, band: int, links: Any, pairs: Any) -> int:
        pairs[0] = 1, 4
        return 1

    monkeypatch.setattr(module, "tell_pairs", tell_always)
    broken = [name for step in trace(TEXTS, rng=20) for name, holds in step.invariants.items() if not holds]
    assert "no pair is told twice" in broken


def test_state_is_not_written_to_later() -> None:
    steps = trace(TEXTS, rng=1)
    first = next(steps)
    list(steps)
    assert (first.state["signatures"] == 2**32 - 1).all()
    assert first.state["candidates"] == {}


def test_other_texts_can_be_drawn() -> None:
    drawn = record("locality_sensitive_hashing", trace(["a <b> & c", "a <b> & c", ""], 2, 2, 1.0, rng=1))
    assert len(drawn.scenes) == 1 + 3 + 2 + 2 + 1
    drawn.to_html()
    assert drawn.steps[-1].caption == "Of 3 pairs 1 was looked at: 0 and 1 are alike by 1.00. Of these 1 reaches 1.00."
    apart = list(trace(["a b", "c d"], 1, 2, 0.5, rng=1))
    assert apart[-1].caption == "Of 1 pairs 0 were looked at. Of these 0 reach 0.50."
    assert np.asarray(apart[-1].state["signatures"]).shape == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"],), "there are 1 texts; two or more can be alike"),
        ((["", "a"],), "the first text is empty; it must have a word"),
        ((["a", "b"], 0), "bands is 0"),
        ((["a", "b"], 1, 0), "rows is 0"),
        ((["a", "b"], 1, 1, 2.0), "threshold is 2.0"),
    ],
)
def test_bad_input_is_named(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(trace(*arguments))
