"""Printed tables of Erlang's loss formula against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest

from smlib.datasets.erlang_tables import ErlangTable, printed_tables
from tests.stochastic.exact_erlang import exact_b


def wrong_entries(table: ErlangTable, units: Fraction) -> list[tuple[int, float, float]]:
    """Return what is farther than some units from the load at which that share is lost: B rises with the load."""
    wrong = []
    for i, lines in enumerate(table.lines.tolist()):
        for j, share in enumerate(table.blocking.tolist()):
            load, reach = Fraction(str(table.loads[i, j])), units * Fraction(str(table.units[i, j]))
            low, high = exact_b(max(load - reach, Fraction(0)), lines), exact_b(load + reach, lines)
            if not low <= Fraction(f"{share:.4f}") <= high:
                wrong.append((lines, round(100 * share, 4), float(load)))
    return wrong


@pytest.mark.parametrize("table", printed_tables(), ids=lambda table: table.source)
def test_tables_are_the_rounded_loads_but_for_one_in_the_last_digit(table: ErlangTable) -> None:
    assert wrong_entries(table, Fraction(3, 2)) == []


def test_four_numbers_are_not_rounded_as_they_should_be() -> None:
    first, second = printed_tables()
    assert wrong_entries(first, Fraction(1, 2)) == []
    assert wrong_entries(second, Fraction(1, 2)) == [
        (40, 0.5, 27.3),
        (40, 0.2, 25.7),
        (40, 0.1, 24.5),
        (100, 0.2, 77.4),
    ]
