"""The trace makes the tree that the code lengths come from, and reads the stream that the coder writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.infotheory import HuffmanCode, huffman_code_lengths
from smlib.infotheory.huffman_coding import trace as module
from smlib.infotheory.huffman_coding.trace import trace
from smlib.viz import record

ESSAY = {"a": 45, "b": 13, "c": 12, "d": 16, "e": 9, "f": 5}


def split(counts: dict[str, int], message: str) -> tuple[list[Any], list[Any]]:
    steps = list(trace(counts, message))
    return steps[: len(counts)], steps[len(counts) :]


@pytest.mark.interpreted
def test_the_essays_tree_grows() -> None:
    growth, _ = split(ESSAY, "facade")
    tied = [step.state["weights"][list(step.state["tied"])].tolist() for step in growth[1:]]
    assert tied == [[5, 9], [12, 13], [14, 16], [25, 30], [45, 55]]
    assert growth[0].state["waiting"] == ([0, 1, 2, 3, 4, 5], [])
    assert growth[-1].state["waiting"] == ([], [10])


@pytest.mark.interpreted
def test_the_essays_words_decode_a_message() -> None:
    _, stream = split(ESSAY, "facade")
    assert stream[0].state["words"] == {"a": "0", "b": "100", "c": "101", "d": "110", "e": "1110", "f": "1111"}
    assert stream[0].state["bits"] == "1111010101101110"
    assert [step.state["decoded"] for step in stream] == ["", "f", "fa", "fac", "faca", "facad", "facade"]
    assert [step.state["read"] for step in stream] == [0, 4, 5, 8, 9, 12, 16]


counted = st.dictionaries(st.characters(), st.integers(1, 30), min_size=2, max_size=12)


@given(counted, st.data())
def test_invariants_hold_on_any_letters(counts: dict[str, int], draw: st.DataObject) -> None:
    message = draw.draw(st.text(st.sampled_from(sorted(counts)), max_size=12))
    growth, stream = split(counts, message)
    assert len(stream) == len(message) + 1
    for step in (*growth, *stream):
        assert step.invariants
        assert all(value is True for value in step.invariants.values()), (step.caption, step.invariants)
    assert stream[-1].state["decoded"] == message
    assert stream[-1].state["read"] == len(stream[-1].state["bits"])


@given(counted)
def test_the_leaves_of_the_tree_are_as_deep_as_the_words_are_long(counts: dict[str, int]) -> None:
    state = split(counts, "")[0][-1].state
    depths = {max(state["children"]): 0}
    for node in sorted(state["children"], reverse=True):
        depths.update(dict.fromkeys(state["children"][node], depths[node] + 1))
    lengths = huffman_code_lengths(list(counts.values()))
    assert [lengths[symbol] for symbol in state["order"]] == [depths[node] for node in range(len(counts))]


def test_a_wrong_merge_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    def tie_the_last(weights: np.ndarray, parents: np.ndarray, heads: np.ndarray) -> None:
        heads[1] = heads[2] - 1 if heads[2] > 3 else heads[1]
        weights[heads[2]] = weights[heads[0]] + weights[heads[0] + 1] - 1
        heads[0] += 2
        heads[2] += 1

    monkeypatch.setattr(module, "merge_lightest", tie_the_last)
    steps = [next_step for _, next_step in zip(range(2), trace({"a": 3, "b": 4, "c": 5, "d": 6}, ""), strict=False)]
    broken = {name for name, holds in steps[1].invariants.items() if not holds}
    assert broken == {
        "the trees' counts add up to that of all letters",
        "the pairs' counts add up to the bits of all letters",
    }


def test_a_wrong_reader_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "read_word", lambda *arguments: (0, 2))
    last = list(trace(ESSAY, "facade"))[-1]
    assert last.invariants == {"what is decoded begins the message": False, "it has used the bits of its words": False}


def test_a_wrong_code_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "huffman_code_lengths", lambda counts: np.full(len(counts), 4, dtype=np.uint8))
    step = split(ESSAY, "")[1][0]
    broken = [name for name, holds in step.invariants.items() if not holds]
    assert broken[0] == "the words fill the tree (Kraft)"
    assert broken[1].startswith("H ≤ L < H + 1")


def test_state_is_not_written_to_later() -> None:
    steps = trace(ESSAY, "f")
    first = next(steps)
    list(steps)
    assert first.state["weights"].tolist() == [5, 9, 12, 13, 16, 45]
    assert first.state["children"] == {}
    assert first.state["waiting"] == ([0, 1, 2, 3, 4, 5], [])


def test_questions_do_not_give_the_answer_away() -> None:
    for step in trace(ESSAY, "facade"):
        assert f"{step.state.get('word') or '?'} is a word" not in step.question
        assert step.question.count(" 1") <= 1


def test_other_letters_can_be_drawn() -> None:
    for counts, message in (({"x": 1, "y": 1}, "xy"), ({chr(97 + k): 2**k for k in range(12)}, "abcdefghijkl" * 3)):
        drawn = record("huffman_coding", trace(counts, message))
        assert len(drawn.scenes) == len(counts) + len(message) + 1
        drawn.to_html()
    assert HuffmanCode.from_counts([2**k for k in range(12)]).lengths.max() == 11


@pytest.mark.parametrize(
    ("counts", "message", "complaint"),
    [
        ({"a": 1}, "", "counts has 1 letters; a tree needs two or more"),
        ({"a": 1, "b": 0}, "", r"counts\['b'\] is 0; leave out letters that do not occur"),
        ({"a": 1, "b": -1}, "", r"counts\['b'\] is -1"),
        ({"a": 1, "b": 0.5}, "", r"counts\['b'\] is 0.5; it must be an integer"),
        ({"a": 1, "bc": 1}, "", "counts has the letter 'bc'; a letter is one character"),
        ({"a": 1, "b": 1}, "abc", r"message\[2\] is 'c', which is not counted"),
    ],
)
def test_bad_input_is_named(counts: dict[str, Any], message: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        next(trace(counts, message))
