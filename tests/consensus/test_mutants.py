"""Mutants: a core with one rule broken is found out by a recorded seed, and the right one lives through that run.

A seed was recorded for being quick: the first that finds a mutant may need more seconds. With SMLIB_SEARCH=200 all
seeds below 200 are tried, and the right core must live through all of them.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest

from smlib.consensus import Faults, Options, SimulationResult, simulate
from tests.consensus.mutants import MUTANTS

SEARCH = int(os.environ.get("SMLIB_SEARCH", "50"))
# As in the paper, with short elections, and entries that go out one by one.
PLAIN = Options(election_ticks=4, pre_vote=False, check_quorum=False, max_entries=1)
DIVIDED = Faults(partitions=60.0, longest_partition=2000, crashes=0.0)


class Find(NamedTuple):
    """The seed by which a mutant is found, in how many seconds, and the number of the invariant that it breaks.

    The number is 0 if no invariant is broken, and what clients saw shows it.
    """

    seed: int
    seconds: float
    number: int
    faults: Faults = Faults.storm()
    options: Options = PLAIN

    def run(self) -> SimulationResult:
        return simulate(self.seed, nodes=3, seconds=self.seconds, faults=self.faults, options=self.options)


FINDS = {
    "votes twice in a term": Find(100, 1, 1),
    "vote not persisted": Find(117, 1, 1),
    "term not persisted": Find(26, 1, 1),
    "commits an entry of an old term by counting": Find(28, 2, 4),
    "counts a vote that comes twice": Find(10, 1, 1),
    "majority off by one": Find(2, 1, 1),
    "matches by index only": Find(92, 1, 3),
    "reads without a round of heartbeats": Find(8, 4, 0, DIVIDED, Options(pre_vote=False, check_quorum=False)),
    "reads before it knows what is committed": Find(4, 6, 0),
    "elects a candidate whose log is behind": Find(14, 1, 4),
}


def test_every_mutant_has_its_find() -> None:
    assert FINDS.keys() == MUTANTS.keys()
    assert all(find.seed < 200 for find in FINDS.values())


@pytest.mark.parametrize("name", FINDS)
def test_a_mutant_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find, mutant = FINDS[name], MUTANTS[name]
    right = find.run()
    assert right.success, right.violations
    assert right.verdict().linearizable is True
    monkeypatch.setattr(mutant.place, mutant.name, mutant.change)
    wrong = find.run()
    assert [broken.number for broken in wrong.violations[:1]] == [find.number] * bool(find.number)
    if not find.number:
        verdict = wrong.verdict()
        assert verdict.linearizable is False
        assert "get" in str(verdict), "the read is shown"


@pytest.mark.slow
def test_the_right_core_lives_through_all_seeds() -> None:
    worlds = {(find.faults, find.options): find for find in FINDS.values()}
    for seed in range(SEARCH):
        for find in worlds.values():
            result = find._replace(seed=seed, seconds=6).run()
            assert result.success, (seed, result.violations)
            assert result.verdict().linearizable is True, seed
