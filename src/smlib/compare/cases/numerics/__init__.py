"""Cases of numerical analysis; a module a topic."""

from smlib.compare.cases.numerics import quadrature, stationary

CASES = (*stationary.CASES, *quadrature.CASES)
