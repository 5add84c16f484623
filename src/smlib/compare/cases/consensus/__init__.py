"""Cases of consensus; a module a topic."""

from smlib.compare.cases.consensus import linearizability_checking, raft, simulation

CASES = (*linearizability_checking.CASES, *raft.CASES, *simulation.CASES)
