"""Cases of stochastic processes; a module a topic."""

from __future__ import annotations

from smlib.compare.case import Case

CASES: tuple[Case, ...] = ()
