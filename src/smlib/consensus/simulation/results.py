"""What a simulation returns: what was broken, if anything, what clients saw, and how much of everything there was.

Invariants:
  1. Two runs with the same arguments have the same digest, in whatever process.

Cost: a digest O(events), a verdict that of `check_linearizable`.

Kingsbury & Alvaro, "Elle", *VLDB* (2020), section 1 (why a history is judged, and not the code).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

from smlib._core.results import Result
from smlib.consensus.invariants import Violation
from smlib.consensus.linearizability_checking.checking import check_linearizable
from smlib.consensus.linearizability_checking.models import KeyValue
from smlib.consensus.linearizability_checking.operations import Operation
from smlib.consensus.linearizability_checking.verdict import Verdict
from smlib.consensus.simulation.faults import Faults


class Event(NamedTuple):
    """Something that happened: when, what kind, and to what."""

    time: int
    kind: str
    what: Any


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Statistics(Result):
    """How much of everything there was.

    Attributes
    ----------
    seconds : float
        Virtual time, with that of healing.
    messages : dict from str to int
        How many of each kind were sent.
    delivered, lost, cut, to_the_dead, duplicated : int
        What became of them: at random, by a partition, for want of a receiver.
    crashes, partitions : int
    elections : int
        How many terms had a leader.
    term : int
        The highest.
    committed : int
        How many entries.
    answered, failed, open : int
        Operations of clients: with an answer, without effect, and without a known outcome.
    """

    seconds: float
    messages: dict[str, int]
    delivered: int
    lost: int
    cut: int
    to_the_dead: int
    duplicated: int
    crashes: int
    partitions: int
    elections: int
    term: int
    committed: int
    answered: int
    failed: int
    open: int

    def tell(self) -> list[str]:
        """Return the same in words."""
        return [
            f"{sum(self.messages.values()):,} messages, of which {self.lost:,} were lost and {self.duplicated:,} came "
            f"twice; {self.cut:,} met a cut link, {self.to_the_dead:,} a node that was down",
            f"{self.partitions} partitions, {self.crashes} crashes, {self.elections} leaders in {self.term} terms",
            f"{self.committed:,} entries committed; of what clients asked for, {self.answered:,} were answered, "
            f"{self.failed} certainly in vain, and {self.open} left open",
        ]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SimulationResult(Result):
    """A run of a cluster.

    Attributes
    ----------
    seed, nodes : int
    faults : Faults
    success : bool
        Whether no invariant was broken; the history is judged apart, by `verdict`.
    violations : tuple of Violation
        What was broken first, at the end of the run; empty if nothing was.
    statistics : Statistics
    history : tuple of Operation
        What clients asked for and were answered.
    trace : tuple of Event
        All that happened, if that was asked for.
    """

    seed: int
    nodes: int
    faults: Faults
    success: bool
    violations: tuple[Violation, ...]
    statistics: Statistics
    history: tuple[Operation, ...]
    trace: tuple[Event, ...]

    def verdict(self, *, budget: int | None = None) -> Verdict:
        """Judge the history: could one map, used by one client at a time, have given these answers?

        Parameters
        ----------
        budget : int, optional
            As in `check_linearizable`.
        """
        return check_linearizable(self.history, KeyValue(""), budget=budget)

    def digest(self) -> str:
        """Return a digest of all that happened, the same for every run with the same arguments."""
        told = (self.violations, self.statistics, self.history, self.trace)
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def _rows(self) -> list[tuple[str, str]]:
        long = {"history": f"{len(self.history):,} operations", "trace": f"{len(self.trace):,} events"}
        return [(name, long.get(name, text)) for name, text in Result._rows(self)]
