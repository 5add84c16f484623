"""Majorities: the table of the essay, and all small cases by counting."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from smlib.consensus.raft.quorums import VoteResult, majority, majority_index, vote_result


@pytest.mark.interpreted
@pytest.mark.parametrize(("size", "expected"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4)])
def test_how_many_are_a_majority(size: int, expected: int) -> None:
    assert majority(size) == expected


@pytest.mark.parametrize("size", range(1, 8))
def test_two_majorities_have_a_node_in_common_and_fewer_have_not(size: int) -> None:
    nodes = range(size)
    majorities = [set(chosen) for chosen in combinations(nodes, majority(size))]
    assert all(first & second for first in majorities for second in majorities)
    less = majority(size) - 1
    assert any(not set(first) & set(second) for first, second in product(combinations(nodes, less), repeat=2))


@pytest.mark.parametrize("size", range(1, 6))
def test_a_majority_has_reached_the_index_and_not_the_next(size: int) -> None:
    for indexes in product(range(4), repeat=size):
        found = majority_index(indexes)
        assert 2 * sum(index >= found for index in indexes) > size
        assert 2 * sum(index > found for index in indexes) <= size


@pytest.mark.parametrize("size", range(1, 6))
def test_a_vote_is_decided_when_no_answer_can_change_it(size: int) -> None:
    for answers in product([True, False, None], repeat=size):
        given = [answer for answer in answers if answer is not None]
        missing = size - len(given)
        ends = {2 * (sum(given) + yes) > size for yes in range(missing + 1)}
        expected = VoteResult.PENDING if len(ends) == 2 else VoteResult.WON if True in ends else VoteResult.LOST
        assert vote_result(given, size) is expected
