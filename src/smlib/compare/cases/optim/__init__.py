"""Cases of optimisation; a module a topic."""

from smlib.compare.cases.optim import duality, tableau

CASES = (*tableau.CASES, *duality.CASES)
