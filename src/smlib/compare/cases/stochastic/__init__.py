"""Cases of stochastic processes; a module a topic."""

from __future__ import annotations

from smlib.compare.case import Case
from smlib.compare.cases.stochastic import markov_chains, poisson_processes, queue_simulation, queueing

CASES: tuple[Case, ...] = (
    *markov_chains.CASES,
    *poisson_processes.CASES,
    *queueing.CASES,
    *queue_simulation.CASES,
)
