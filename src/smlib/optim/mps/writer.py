"""Write MPS files: in the free format, every number to the last bit."""

from __future__ import annotations

import decimal
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from smlib.errors import InputError
from smlib.optim.linear_program import LinearProgram
from smlib.optim.mps.fields import MARKER
from smlib.optim.mps.reader import EXACT, INFINITE


def write_mps(program: LinearProgram, path: str | os.PathLike[str]) -> None:
    """Write a linear program as a free MPS file, gzipped if the name ends in ``.gz``.

    Parameters
    ----------
    program : LinearProgram
        Rows and columns without names are called R1, R2, ... and C1, C2, ...
    path : str or path

    Raises
    ------
    InputError
        A name is empty or has blanks in it, which the free format can't hold; a bound is finite and 1e20 or more, which
        readers take for infinite; the two sides of a row cross.

    Notes
    -----
    Numbers are written so that they are read back to the last bit. A row without a finite side is written as one of
    kind G with the right-hand side -1e30, for readers drop additional rows of kind N.

    Complexity: O(bytes).

    References
    ----------
    Murtagh, *Advanced Linear Programming*, chapter 9.

    Examples
    --------
    >>> import tempfile
    >>> from smlib.optim import read_mps
    >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_mps(dairy, folder + "/dairy.mps.gz")
    ...     read_mps(folder + "/dairy.mps.gz").column_names
    ('C1', 'C2')
    """
    for side in ("row_lower", "row_upper", "lower", "upper"):
        values = getattr(program, side)
        large = np.isfinite(values) & (np.abs(values) >= INFINITE)
        if large.any():
            place = int(np.argmax(large))
            raise InputError(f"{side}[{place}] is {values[place]}, which readers take for infinite; make it infinite")
    crossed = program.row_lower > program.row_upper
    if crossed.any():
        place = int(np.argmax(crossed))
        low, high = program.row_lower[place], program.row_upper[place]
        raise InputError(f"row_lower[{place}] is {low}, above row_upper[{place}], {high}: no MPS file can say that")
    content = ("\n".join(_lines(program)) + "\n").encode("utf-8", "surrogateescape")
    Path(path).write_bytes(gzip.compress(content, mtime=0) if os.fspath(path).endswith(".gz") else content)


def _lines(program: LinearProgram) -> Iterator[str]:
    m, n = program.A.shape
    rows = _proved(program.row_names, "R", m)
    columns = _proved(program.column_names, "C", n)
    objective = "OBJ"
    while objective in rows:
        objective += "_"
    sides = [_side(*pair) for pair in zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True)]

    yield f"NAME {' '.join(program.name.splitlines())}".rstrip()
    if program.maximize:
        yield from ("OBJSENSE", "    MAX")
    yield "ROWS"
    yield f" N  {objective}"
    for row, (letter, _, _) in zip(rows, sides, strict=True):
        yield f" {letter}  {row}"
    yield "COLUMNS"
    A = program.A.tocsc()
    starts, places, values = A.indptr.tolist(), A.indices.tolist(), A.data.tolist()
    for j, (column, cost) in enumerate(zip(columns, program.c.tolist(), strict=True)):
        entries = [(rows[places[k]], values[k]) for k in range(starts[j], starts[j + 1]) if values[k] != 0.0]
        if cost != 0.0 or not entries:
            entries.insert(0, (objective, cost))
        for row, value in entries:
            yield f"    {column}  {row}  {value!r}"
    yield "RHS"
    if program.offset != 0.0:
        yield f"    RHS  {objective}  {-program.offset!r}"
    for row, (_, right, _) in zip(rows, sides, strict=True):
        if right != 0.0:
            yield f"    RHS  {row}  {right!r}"
    yield "RANGES"
    for row, (_, _, span) in zip(rows, sides, strict=True):
        if span:
            yield f"    RNG  {row}  {span}"
    yield "BOUNDS"
    for column, lower, upper in zip(columns, program.lower.tolist(), program.upper.tolist(), strict=True):
        for kind, value in _bounds(lower, upper):
            yield f" {kind} BND  {column}  {value!r}" if value is not None else f" {kind} BND  {column}"
    yield "ENDATA"


def _proved(names: tuple[str, ...] | None, letter: str, size: int) -> list[str]:
    if names is None:
        return [f"{letter}{place}" for place in range(1, size + 1)]
    for name in names:
        if name.split() != [name] or name == MARKER:
            raise InputError(f"the name {name!r} can't stand in a free MPS file: it must be one word without blanks")
    return list(names)


def _side(lower: float, upper: float) -> tuple[str, float, str]:
    """Return the kind of a row, its right-hand side, and its range or an empty text."""
    if lower == upper:
        return "E", lower, ""
    if np.isinf(lower):
        return ("L", upper, "") if np.isfinite(upper) else ("G", -1e30, "")
    if np.isinf(upper):
        return "G", lower, ""
    # The difference of the decimals as written: what the reader adds again gives the same decimal.
    span = EXACT.subtract(decimal.Decimal(repr(upper)), decimal.Decimal(repr(lower)))
    return "L", upper, str(span)


def _bounds(lower: float, upper: float) -> Iterator[tuple[str, float | None]]:
    if lower == upper:
        yield "FX", lower
    elif np.isinf(lower) and np.isinf(upper):
        yield "FR", None
    else:
        if np.isinf(lower):
            yield "MI", None
        elif lower != 0.0 or upper < 0.0:
            yield "LO", lower
        if np.isfinite(upper):
            yield "UP", upper
