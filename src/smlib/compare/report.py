"""What came out, as a person reads it and as a program does. Ratios below 1 are shown like any other."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from smlib.compare.case import Case
from smlib.compare.timer import Comparison, Measurement, fitted_exponent

# Stands where a Case has no peer.
ALONE = "(none)"


def print_machine(console: Console, machine: dict[str, Any]) -> None:
    """Print on what, and with which versions, the measurement is made."""
    versions = "  ".join(f"{name} {machine[name]}" for name in ("smlib", "python", "numpy", "scipy", "numba"))
    console.print(versions, style="dim", markup=False)
    console.print(
        f"{machine['processor']}, {machine['cores']} cores, {machine['vector']}; {machine['system']}; "
        f"BLAS threads: {machine['threads']}; {machine['date']}",
        style="dim",
        markup=False,
    )
    for line in machine["blas"]:
        console.print(line, style="dim", markup=False)
    console.print("A ratio is the peer's time over ours: above 1, ours is faster.\n", style="dim", markup=False)


def print_case(console: Console, case: Case, measurements: list[Measurement]) -> None:
    """Print a case at all its sizes."""
    title = Text.assemble((f"{case.topic}: {case.name}", "bold"))
    if len(measurements) > 1:
        exponent = fitted_exponent([item.size for item in measurements], [item.seconds for item in measurements])
        title.append(f"   time ~ {case.unit}^{exponent:.2f}")
    compiled = sum(item.compile_seconds for item in measurements)
    if compiled > 0.0:
        title.append(f"   compiled in {compiled:.1f} s", "dim")
    console.print(title)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in (case.unit, "ours", "peer", "its time", "ratio", "quartiles", "pairs", "agrees"):
        is_text = header in ("peer", "agrees")
        table.add_column(header, justify="left" if is_text else "right", no_wrap=not is_text)
    for item in measurements:
        for number, comparison in enumerate(item.comparisons):
            first = (f"{item.size:,}", format_seconds(item.seconds)) if number == 0 else ("", "")
            table.add_row(*first, *_cells(comparison))
        if not item.comparisons:
            table.add_row(f"{item.size:,}", format_seconds(item.seconds), ALONE)
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    if case.note:
        console.print(Padding(Text(case.note, "dim"), (0, 0, 0, 2)))
    console.print()


def format_seconds(seconds: float) -> str:
    """Return a time with three digits and a unit.

    >>> [format_seconds(value) for value in (2.5e-7, 0.0123, 4.0)]
    ['0.25 us', '12.3 ms', '4 s']
    """
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1.0 or unit == "us":
            return f"{seconds * factor:.3g} {unit}"
    raise AssertionError


def as_json(machine: dict[str, Any], measurements: list[Measurement]) -> dict[str, Any]:
    """Return machine and measurements as JSON-ready data."""
    return {"machine": machine, "measurements": [_without_answer(item) for item in measurements]}


def _without_answer(measurement: Measurement) -> dict[str, Any]:
    record = asdict(measurement)
    del record["answer"]
    record["agrees"] = measurement.agrees
    return record


def _cells(comparison: Comparison) -> tuple[str | Text, ...]:
    if comparison.ratio is None or comparison.seconds is None or comparison.quartiles is None:
        return comparison.peer, comparison.note, "", "", "", ""
    low, high = comparison.quartiles
    agreement = comparison.agreement
    return (
        f"{comparison.peer} {comparison.version}",
        format_seconds(comparison.seconds),
        f"{comparison.ratio:.2f}",
        f"{low:.2f}-{high:.2f}",
        str(comparison.rounds) if not comparison.note else comparison.note,
        "" if agreement is None else f"{'yes' if agreement.ok else 'NO'}: {agreement.detail}",
    )
