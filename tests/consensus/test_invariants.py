"""Invariants: each violation is seen, with its number, at the first moment; what is allowed is no violation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from smlib.consensus.invariants import NAMES, Invariants, compare_logs
from smlib.consensus.raft.messages import Entry
from smlib.consensus.raft.node import CANDIDATE, FOLLOWER, LEADER

pytestmark = pytest.mark.interpreted


def node(number: int, term: int, role: Any = FOLLOWER, log: tuple[Entry, ...] = (), commit: int = 0) -> Any:
    """Return what is looked at of a node."""
    looks = SimpleNamespace(
        last_index=len(log),
        commit=commit,
        term=lambda index: log[index - 1].term,
        entries=lambda start, stop: log[start - 1 : stop - 1],
    )
    return SimpleNamespace(id=number, term=term, role=role, log=looks)


def entries(*terms: int, first: int = 1, data: bytes = b"x") -> tuple[Entry, ...]:
    """Return entries of these terms."""
    return tuple(Entry(term, first + place, data) for place, term in enumerate(terms))


def numbers(invariants: Invariants) -> list[int]:
    for broken in invariants.violations:
        assert broken.name == NAMES[broken.number]
        assert str(broken).startswith(f"{broken.number}, {broken.name}: ")
    return [broken.number for broken in invariants.violations]


@pytest.fixture
def watched() -> Invariants:
    return Invariants([1, 2, 3])


def test_1_a_term_has_one_leader(watched: Invariants) -> None:
    watched.saw(node(1, 1, LEADER))
    watched.saw(node(1, 1, LEADER))
    watched.saw(node(1, 2))
    watched.saw(node(2, 2, LEADER))
    watched.saw(node(1, 2, CANDIDATE))
    assert numbers(watched) == []
    watched.time = 70
    watched.saw(node(1, 2, LEADER))
    assert numbers(watched) == [1]
    assert (watched.violations[0].time, watched.violations[0].node) == (70, 1)


def test_1_is_remembered_when_the_first_leader_is_gone(watched: Invariants) -> None:
    watched.saw(node(1, 5, LEADER))
    watched.restarted(node(1, 5))
    watched.saw(node(3, 5, LEADER))
    assert numbers(watched) == [1]
    assert watched.leaders == {5: 1}


def test_2_a_leader_only_adds(watched: Invariants) -> None:
    watched.wrote(1, entries(1, 1, 1))
    watched.wrote(1, entries(2, first=3))  # as a follower
    watched.saw(node(1, 3, LEADER, entries(1, 1, 2)))
    watched.wrote(1, entries(3, first=4))
    assert numbers(watched) == []
    watched.wrote(1, entries(3, first=3))
    assert numbers(watched) == [2]


def test_3_an_entry_has_one_past(watched: Invariants) -> None:
    watched.wrote(1, entries(1, 1, 2))
    watched.wrote(2, entries(1, 1, 2))
    watched.wrote(3, entries(1))
    assert numbers(watched) == []
    watched.wrote(3, entries(2, 2, first=2))  # (3, term 2) stands behind an entry of term 1 elsewhere
    assert numbers(watched) == [3]


@pytest.mark.parametrize("wrong", [entries(1, data=b"y"), entries(1, first=3), entries(1, 1, 1)[::2]])
def test_3_other_data_and_gaps(watched: Invariants, wrong: tuple[Entry, ...]) -> None:
    watched.wrote(1, entries(1, 1))
    watched.wrote(2, wrong)
    assert 3 in numbers(watched)


def test_4_a_leader_has_what_was_committed(watched: Invariants) -> None:
    log = entries(1, 1)
    watched.saw(node(1, 1, LEADER, log, commit=2))
    watched.saw(node(2, 2, LEADER, log))
    assert numbers(watched) == []
    watched.saw(node(3, 3, LEADER, entries(1)))
    assert numbers(watched) == [4]


def test_4_the_term_of_the_entry_counts(watched: Invariants) -> None:
    watched.saw(node(1, 2, LEADER, entries(1, 2), commit=2))
    watched.saw(node(3, 3, LEADER, entries(1, 1, 1)))
    assert numbers(watched) == [4]


def test_4_holds_for_leaders_that_are_there_already(watched: Invariants) -> None:
    watched.saw(node(3, 3, LEADER, entries(1)))
    watched.saw(node(1, 1, LEADER, entries(1, 1), commit=1))
    assert numbers(watched) == []
    watched.saw(node(1, 1, LEADER, entries(1, 1), commit=2))
    assert numbers(watched) == [4]


def test_4_asks_nothing_of_leaders_of_older_terms(watched: Invariants) -> None:
    watched.saw(node(1, 5, LEADER, entries(5, 5), commit=2))
    watched.saw(node(2, 4, LEADER, entries(1)))
    assert numbers(watched) == []


def test_5_all_apply_the_same_in_order(watched: Invariants) -> None:
    watched.applied(1, entries(1, 1, 2))
    watched.applied(2, entries(1, 1))
    watched.restarted(node(1, 2))
    watched.applied(1, entries(1))
    assert numbers(watched) == []
    watched.applied(2, entries(3, first=3))
    assert numbers(watched) == [5]


@pytest.mark.parametrize("first", [1, 3, 9])
def test_5_nothing_is_left_out_or_applied_twice(watched: Invariants, first: int) -> None:
    watched.applied(1, entries(1))
    watched.applied(1, entries(1, first=first))
    assert numbers(watched) == [5]


def test_6_terms_and_commits_grow(watched: Invariants) -> None:
    log = entries(1, 1)
    watched.saw(node(1, 3, FOLLOWER, log, commit=2))
    watched.restarted(node(1, 2, FOLLOWER, log))
    watched.saw(node(1, 2, FOLLOWER, log, commit=1))
    assert numbers(watched) == []
    watched.saw(node(1, 2, FOLLOWER, log, commit=0))
    watched.saw(node(1, 1, FOLLOWER, log, commit=0))
    watched.saw(node(1, 1, FOLLOWER, log, commit=3))
    assert numbers(watched) == [6, 6, 6]


def test_the_harness_reports_what_only_it_can_see(watched: Invariants) -> None:
    watched.report(7, 0, "nothing goes on")
    assert str(watched.violations[0]) == "7, progress: nothing goes on"


def test_comparing_all_finds_what_stands_side_by_side() -> None:
    one, other = node(1, 2, LEADER, entries(1, 2, 2), 2), node(2, 2, LEADER, entries(1, 1, 2), 2)
    assert [broken.number for broken in compare_logs([one, other])] == [1, 3, 5]
    assert compare_logs([one, node(2, 2, FOLLOWER, entries(1, 1), 1), node(3, 1, LEADER, entries(1, 2), 1)]) == []
