"""Printed tables of Erlang's loss formula against exact arithmetic: where they are right, and where a digit slipped."""

from __future__ import annotations

from fractions import Fraction

from smlib.datasets.erlang_tables import ErlangTable, printed_tables

# By the number of lines: what is printed for 2 %.
MISPRINTS = {33: 24.628, 41: 31.915, 45: 35.507, 55: 44.938, 61: 50.389, 63: 52.461, 69: 58.117}


def blocked(load: Fraction, lines: int) -> Fraction:
    """Return B as it is defined, a fraction of sums of powers over factorials."""
    term = total = Fraction(1)
    for n in range(1, lines + 1):
        term *= load / n
        total += term
    return term / total


def wrong_entries(table: ErlangTable) -> dict[tuple[int, float], float]:
    """Return what is printed and not the load at which the share is lost, rounded: B rises with the load."""
    half = Fraction(1, 2 * 10**table.decimals)
    wrong = {}
    for i, lines in enumerate(table.lines.tolist()):
        for j, share in enumerate(table.blocking.tolist()):
            load = Fraction(str(float(table.loads[i, j])))
            low, high = blocked(max(load - half, Fraction(0)), lines), blocked(load + half, lines)
            if not low <= Fraction(f"{share:.4f}") <= high:
                wrong[lines, share] = float(load)
    return wrong


def test_the_first_table_has_no_misprint() -> None:
    assert wrong_entries(printed_tables()[0]) == {}


def test_the_second_table_has_seven() -> None:
    assert wrong_entries(printed_tables()[1]) == {(lines, 0.02): load for lines, load in MISPRINTS.items()}
