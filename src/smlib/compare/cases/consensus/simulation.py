"""Cases of the simulated cluster: virtual seconds of five nodes, with faults and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from smlib.compare.case import Agreement, Case, Story
from smlib.consensus.raft.options import Options
from smlib.consensus.simulation.faults import Faults
from smlib.consensus.simulation.results import SimulationResult
from smlib.consensus.simulation.simulating import simulate
from smlib.consensus.simulation.trace import STORY, STORY_END, STORY_SEED, WORDS, trace

SEED = 1
# A moment is told if it has one of these words.
TOLD = ("it leads", "asks node", "reach each other", "majority has x", "steps down", "replaces")


class Trial(NamedTuple):
    """What a cluster is put through."""

    seconds: int
    faults: Faults


def trial_with_faults(seconds: int) -> Trial:
    """Return so many seconds with the usual faults."""
    return Trial(seconds, Faults())


def trial_in_peace(seconds: int) -> Trial:
    """Return so many seconds without any."""
    return Trial(seconds, Faults.none())


def run(trial: Trial) -> SimulationResult:
    """Let five nodes go through it."""
    return simulate(SEED, seconds=trial.seconds, faults=trial.faults, options=Options())


def _no_peer(_: Trial, ours: SimulationResult, theirs: object) -> Agreement:
    return Agreement(False, "there is none")


def _tell(trial: Trial, result: SimulationResult) -> Sequence[str]:
    lines = ["three nodes, and nothing left to chance; in milliseconds:"]
    for step in trace(STORY, STORY_END, seed=STORY_SEED):
        if any(word in step.caption for word in TOLD):
            sentences = [part.rstrip(".") for part in step.caption.split(". ") if any(word in part for word in TOLD)]
            lines.append(f"{step.state['columns'][-1]:>5}  {'. '.join(sentences)}")
    lines.append(f"then five nodes, {trial.seconds} seconds of bad weather, and peace:")
    lines += [f"  {line}" for line in result.statistics.tell()]
    return lines


def _prove(trial: Trial, result: SimulationResult) -> Mapping[str, bool]:
    broken = {violation.number for violation in result.violations}
    proofs = {f"{number}. {words}": number not in broken for number, words in WORDS.items()}
    proofs["7. in peace every node soon has a new command"] = 7 not in broken
    proofs["what clients saw could have come from one map, one operation after another"] = (
        result.verdict().linearizable is True
    )
    proofs["the same seed gives the same run"] = run(trial).digest() == result.digest()
    return proofs


NOTE = (
    "Shown alone: no other library for Python has a Raft that can be simulated. The time includes the state machines, "
    "the clients with their history, and looking at all invariants at every event. A node that restarts applies its "
    "whole log again, so that runs of 240 seconds go at three quarters of the pace."
)
CASES = (
    Case(
        "simulation",
        "five nodes under faults, ticks of 10 ms, two proposals a tick",
        "cluster-seconds",
        (15, 30, 60),
        trial_with_faults,
        run,
        (),
        _no_peer,
        note=NOTE,
        story=Story(
            "Five machines lose messages, links and power, again and again. Do they ever contradict each other?",
            60,
            "a simulated cluster that keeps a map for a dozen clients",
            _tell,
            _prove,
        ),
    ),
    Case(
        "simulation",
        "the same without faults",
        "cluster-seconds",
        (15, 30, 60),
        trial_in_peace,
        run,
        (),
        _no_peer,
        note=NOTE,
    ),
)
