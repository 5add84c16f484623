"""Read MPS files: one line at a time, each to the handler of its section, and nothing is taken on trust."""

from __future__ import annotations

import decimal
import gzip
import math
import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

import numpy as np
import scipy.sparse

from smlib.errors import CorruptDataError, InputError
from smlib.optim.linear_program import LinearProgram
from smlib.optim.mps.fields import MARKER, WITHOUT_NUMBER, as_float, choose_fields

# From here on a bound is infinite.
INFINITE = 1e20
WITH_VALUE = {"UP", "LO", "FX"}
NOT_LINEAR = {"BV", "LI", "UI", "SC", "SI"}
SENSES = {"MAX": True, "MAXIMIZE": True, "MAXIMISE": True, "MIN": False, "MINIMIZE": False, "MINIMISE": False}
# Enough digits for the sum of any two finite numbers to be exact.
EXACT = decimal.Context(prec=1200, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)


def read_mps(path: str | os.PathLike[str]) -> LinearProgram:
    """Read a linear program from an MPS file, fixed or free, plain or gzipped.

    Parameters
    ----------
    path : str or path
        A gzipped file is known by its first bytes, whatever its name.

    Returns
    -------
    LinearProgram
        With the names of the file. The conventions are those of this module's page.

    Raises
    ------
    CorruptDataError
        The file is damaged, cut short, or says what a linear program can't (integers); the message holds the path, the
        number of the line, and what is wrong with it.
    OSError
        The file can't be opened.

    Notes
    -----
    Complexity: O(bytes).

    References
    ----------
    Murtagh, *Advanced Linear Programming*, chapter 9.

    Examples
    --------
    >>> import tempfile
    >>> from smlib.optim import write_mps
    >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], row_names=["milk", "hours"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_mps(dairy, folder + "/dairy.mps")
    ...     read_mps(folder + "/dairy.mps").row_names
    ('milk', 'hours')
    """
    content = Path(path).read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise CorruptDataError(f"{os.fspath(path)} is a damaged gzip file: {error}") from error
    return _Reader(os.fspath(path), content.decode("utf-8", "surrogateescape").split("\n")).read()


class _Reader:
    """What has been read of a file so far."""

    def __init__(self, path: str, lines: list[str]) -> None:
        self.path, self.lines, self.number = path, lines, 0
        self.section = ""
        self.past: set[str] = set()
        self.name, self.objective, self.maximize = "", "", False
        self.sides: dict[str, str] = {}  # the letter of each row; N for those that are dropped
        self.numbers: dict[str, int] = {}  # the place of each row that is kept
        self.columns: dict[str, int] = {}
        self.rows: list[int] = []  # the entries of the matrix: row, column, value
        self.places: list[int] = []
        self.values: list[float] = []
        self.costs: dict[int, float] = {}
        self.column = ""
        self.seen: set[str] = set()
        self.sets: dict[str, str] = {}
        self.right: dict[str, str] = {}
        self.ranges: dict[str, str] = {}
        self.lower: dict[str, float] = {}
        self.upper: dict[str, float] = {}

    def read(self) -> LinearProgram:
        """Take the lines one by one, each to the handler of its section."""
        fields = choose_fields(self.lines)
        handlers: dict[str, Callable[[list[str]], None]] = {
            "OBJSENSE": lambda words: self.set_sense(words[0]),
            "OBJNAME": lambda words: self.set_objective(words[0]),
            "ROWS": self.add_row,
            "COLUMNS": self.add_entries,
            "RHS": self.add_sides,
            "RANGES": self.add_sides,
            "BOUNDS": self.add_bound,
        }
        for line in self.lines:
            self.number += 1
            if line.startswith("*") or not line.strip():
                continue
            if line[0] not in " \t":
                if self.open_section(line, handlers):
                    return self.finish()
            elif self.section not in handlers:
                self.fail(f"{line.strip()[:40]!r} stands before any section that could hold it")
            else:
                words = fields(line, self.section)
                if words is None:
                    self.fail(f"{line.strip()[:60]!r} has not the fields of the section {self.section}")
                handlers[self.section](words)
        return self.fail("the file ends without ENDATA: it was cut short")

    def fail(self, what: str) -> NoReturn:
        """Refuse the file, naming the line."""
        raise CorruptDataError(f"{self.path}, line {self.number}: {what}")

    def open_section(self, line: str, known: Iterable[str]) -> bool:
        """Begin a section; return whether it is the end."""
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if self.section == "OBJSENSE" and word in SENSES:
            self.set_sense(word)
            return False
        if word not in {"NAME", "ENDATA", *known}:
            self.fail(f"{word[:40]!r} is no section of a linear program")
        if word in self.past:
            self.fail(f"the section {word} comes twice")
        needed = {"COLUMNS": "ROWS", "RHS": "COLUMNS", "RANGES": "COLUMNS", "BOUNDS": "COLUMNS", "ENDATA": "COLUMNS"}
        if needed.get(word, word) not in self.past | {word}:
            self.fail(f"the section {word} comes before {needed[word]}")
        self.past.add(word)
        self.section = word
        if word == "NAME":
            self.name = rest
        elif rest and word == "OBJSENSE":
            self.set_sense(rest)
        elif rest and word == "OBJNAME":
            self.set_objective(rest)
        elif rest:
            self.fail(f"{rest[:40]!r} stands behind the name of the section {word}; lines of data begin with a blank")
        return word == "ENDATA"

    def set_sense(self, word: str) -> None:
        """Read MAX or MIN."""
        if word.upper() not in SENSES:
            self.fail(f"{word[:40]!r} is no sense of an objective; MAX and MIN are")
        self.maximize = SENSES[word.upper()]

    def set_objective(self, name: str) -> None:
        """Read which row is the objective."""
        if "ROWS" in self.past:
            self.fail("OBJNAME comes after ROWS; it must come before")
        self.objective = name

    def add_row(self, words: list[str]) -> None:
        """Declare a row."""
        letter, name = words
        if letter not in ("N", "E", "L", "G"):
            self.fail(f"{letter[:40]!r} is no kind of row; N, E, L and G are")
        if name in self.sides:
            self.fail(f"the row {name!r} is declared twice")
        self.sides[name] = letter
        if letter != "N":
            self.numbers[name] = len(self.numbers)
        elif not self.objective:
            self.objective = name

    def add_entries(self, words: list[str]) -> None:
        """Read one or two entries of a column."""
        column = words[0]
        if words[1] == MARKER:
            self.fail("a marker makes columns integer, and this reads linear programs only")
        if column != self.column:
            if column in self.columns:
                self.fail(f"the column {column!r} comes again; its entries must stand together")
            self.columns[column] = len(self.columns)
            self.column, self.seen = column, set()
        place = self.columns[column]
        for name, text in zip(words[1::2], words[2::2], strict=True):
            value = self.value(text)
            if math.isinf(value):
                self.fail(f"{text!r} is infinite; an entry must be finite")
            self.once(name, self.seen, "an entry in this column")
            self.seen.add(name)
            if name in self.numbers:
                if value != 0.0:
                    self.rows.append(self.numbers[name])
                    self.places.append(place)
                    self.values.append(value)
            elif name == self.objective:
                self.costs[place] = value

    def add_sides(self, words: list[str]) -> None:
        """Read one or two right-hand sides or ranges."""
        self.same_set(words[0])
        known, what = (self.right, "a right-hand side") if self.section == "RHS" else (self.ranges, "a range")
        for name, text in zip(words[1::2], words[2::2], strict=True):
            value, letter = self.value(text), self.sides.get(name, "")
            self.once(name, known, what)
            empty = {"E": abs(value), "L": -value, "G": value, "N": abs(value)}.get(letter, 0.0) >= INFINITE
            if self.section == "RHS" and empty:
                self.fail(f"{text!r} is infinite, which the row {name!r} of kind {letter} can't have for a side")
            known[name] = text

    def add_bound(self, words: list[str]) -> None:
        """Read a bound of a column."""
        kind, column = words[0], words[2]
        if kind not in WITH_VALUE | NOT_LINEAR | WITHOUT_NUMBER:
            self.fail(
                f"{kind[:40]!r} is no kind of bound; {', '.join(sorted(WITH_VALUE | WITHOUT_NUMBER - NOT_LINEAR))} are"
            )
        if kind in NOT_LINEAR:
            self.fail(f"{kind} makes {column!r} integer or semi-continuous, and this reads linear programs only")
        self.same_set(words[1])
        if column not in self.columns:
            self.fail(f"the column {column!r} is not declared")
        value = self.value(words[3]) if kind in WITH_VALUE else 0.0
        if abs(value) >= INFINITE:
            value = math.copysign(math.inf, value)
        if math.isinf(value) and (kind == "FX" or (kind == "UP") == (value < 0.0)):
            self.fail(f"{words[3]!r} leaves the column {column!r} no value at all")
        if kind in ("LO", "FX", "FR", "MI"):
            if column in self.lower:
                self.fail(f"the column {column!r} has a lower bound already")
            self.lower[column] = value if kind in WITH_VALUE else -math.inf
        if kind in ("UP", "FX", "FR", "PL"):
            if column in self.upper:
                self.fail(f"the column {column!r} has an upper bound already")
            self.upper[column] = value if kind in WITH_VALUE else math.inf

    def value(self, text: str) -> float:
        """Read a number."""
        number = as_float(text)
        if number is None:
            self.fail(f"{text[:40]!r} is no number")
        return number

    def once(self, row: str, known: Iterable[str], what: str) -> None:
        """Refuse a row that is not declared, or has what it is given already."""
        if row not in self.sides:
            self.fail(f"the row {row!r} is not declared")
        if row in known:
            self.fail(f"the row {row!r} has {what} already")

    def same_set(self, name: str) -> None:
        """Refuse a second set: it would be another program."""
        if name and name != self.sets.setdefault(self.section, name):
            self.fail(f"{name!r} begins a second set beside {self.sets[self.section]!r}; leave one in the file")

    def finish(self) -> LinearProgram:
        """Put the parts together."""
        if self.objective and self.objective not in self.sides:
            self.fail(f"OBJNAME names the row {self.objective!r}, which is not declared")
        if self.sides.get(self.objective, "N") != "N":
            self.fail(f"OBJNAME names the row {self.objective!r}, which is of kind {self.sides[self.objective]}, not N")
        c = np.zeros(len(self.columns))
        c[list(self.costs)] = list(self.costs.values())
        where = np.array(self.rows, dtype=np.int64), np.array(self.places, dtype=np.int64)
        shape = (len(self.numbers), len(self.columns))
        A = scipy.sparse.coo_array((np.array(self.values, dtype=np.float64), where), shape=shape).tocsr()
        sides = [self.side(row) for row in self.numbers]
        row_lower, row_upper = np.array(sides).reshape(-1, 2).T
        row_lower[row_lower <= -INFINITE] = -np.inf
        row_upper[row_upper >= INFINITE] = np.inf
        lower, upper = np.zeros(c.size), np.full(c.size, np.inf)
        lower[[self.columns[name] for name in self.lower]] = list(self.lower.values())
        upper[[self.columns[name] for name in self.upper]] = list(self.upper.values())
        offset = 0.0 - (as_float(self.right.get(self.objective, "0")) or 0.0)
        names = list(self.numbers), list(self.columns)
        try:
            return LinearProgram(c, A, row_lower, row_upper, lower, upper, offset, self.maximize, self.name, *names)
        except InputError as error:
            raise CorruptDataError(f"{self.path} is no linear program: {error}") from error

    def side(self, row: str) -> tuple[float, float]:
        """Return the two sides of a row."""
        letter, right = self.sides[row], self.right.get(row, "0")
        ends = [as_float(right) or 0.0] * 2
        span = as_float(self.ranges.get(row, ""))
        if span is not None:
            down = letter == "L" or (letter == "E" and span < 0.0)
            ends[0 if down else 1] = _sum(right, self.ranges[row], -1 if down else 1)
        elif letter != "E":
            ends[0 if letter == "L" else 1] = -math.inf if letter == "L" else math.inf
        return ends[0], ends[1]


def _sum(number: str, span: str, sign: int) -> float:
    """Return a number plus or minus the modulus of another, both as written, rounded once."""
    first, second = (decimal.Decimal(text.upper().replace("D", "E")) for text in (number, span))
    return float((EXACT.add if sign > 0 else EXACT.subtract)(first, second.copy_abs()))
