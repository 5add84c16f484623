"""Erlang's loss formula in exact arithmetic: the reference of formulas and of printed tables."""

from __future__ import annotations

from fractions import Fraction


def exact_b(load: Fraction, servers: int) -> Fraction:
    """Return Erlang's B as it is defined: a fraction of sums of powers over factorials."""
    term = total = Fraction(1)
    for n in range(1, servers + 1):
        term *= load / n
        total += term
    return term / total
