"""Cut a line of an MPS file into its fields: by columns (fixed) or at the blanks (free).

Both cuts give the same list, whatever was left out, so that the reader need not know which it was::

    ROWS           kind, row
    COLUMNS        column, row, number[, row, number]
    RHS, RANGES    set, row, number[, row, number]         the set may be ""
    BOUNDS         kind, set, column[, number]             the set may be ""
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

Cut: TypeAlias = Callable[[str, str], list[str] | None]

SLICES = ((4, 12), (14, 22), (24, 36), (39, 47), (49, 61))
GAPS = ((0, 1), (3, 4), (12, 14), (22, 24), (36, 39), (47, 49))
# The kinds of bounds that have no number; one that is there all the same is not looked at.
WITHOUT_NUMBER = {"FR", "MI", "PL", "BV"}
MARKER = "'MARKER'"


def choose_fields(lines: Iterable[str]) -> Cut:
    """Return the cut that fits: fixed if more lines can only be read so than can only be read when cut at blanks."""
    rows: set[str] = set()
    doubtful: list[tuple[str, str]] = []
    plain: list[tuple[str, str]] = []
    for section, line in _data(lines):
        words = free_fields(line, section)
        if words is not None and section == "ROWS":
            rows.add(words[1])
        (plain if _makes_sense(words, section, rows) else doubtful).append((section, line))
    only_fixed = sum(_makes_sense(fixed_fields(line, section), section) for section, line in doubtful)
    if only_fixed == 0:
        return free_fields
    only_free = sum(not _makes_sense(fixed_fields(line, section), section) for section, line in plain)
    return fixed_fields if only_fixed > only_free else free_fields


def _data(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the lines of data, each with its section."""
    section = ""
    for line in lines:
        if line.startswith("*") or not line.strip():
            continue
        if line[0] not in " \t":
            section = line.split()[0]
        elif section in ("ROWS", "COLUMNS", "RHS", "RANGES", "BOUNDS"):
            yield section, line


def _makes_sense(words: list[str] | None, section: str, rows: set[str] | None = None) -> bool:
    """Return whether there are numbers where numbers should be, and known rows where it can be told."""
    if words is None:
        return False
    if section == "ROWS" or words[1] == MARKER:
        return True
    if section == "BOUNDS":
        return words[0] in WITHOUT_NUMBER or as_float(words[3]) is not None
    if rows is not None and section != "COLUMNS" and not rows.issuperset(words[1::2]):
        return False
    return all(as_float(text) is not None for text in words[2::2])


def free_fields(line: str, section: str) -> list[str] | None:
    """Cut at the blanks; None if there are too few or too many fields."""
    words = line.split()
    if section in ("RHS", "RANGES") and len(words) in (2, 4):
        words.insert(0, "")
    elif section == "BOUNDS" and len(words) == (2 if words[0] in WITHOUT_NUMBER else 3):
        words.insert(1, "")
    return words if _complete(words, section) else None


def fixed_fields(line: str, section: str) -> list[str] | None:
    """Cut by columns; None if there is anything between the fields, or too few or too many of them."""
    line = line.rstrip()
    if "\t" in line or any(line[start:end].strip() for start, end in GAPS):
        return None
    kind, words = line[1:3].strip(), [line[start:end].strip() for start, end in SLICES]
    while words and not words[-1]:
        words.pop()
    if section in ("ROWS", "BOUNDS"):
        words.insert(0, kind)
    elif kind:
        return None
    return words if _complete(words, section) else None


def _complete(words: list[str], section: str) -> bool:
    """Return whether there are as many fields as the section has, and none is empty but for the name of a set."""
    if section in ("OBJSENSE", "OBJNAME"):
        return len(words) == 1
    if section == "ROWS":
        return len(words) == 2 and all(words)
    if section == "BOUNDS":
        return len(words) in ((3, 4) if words[0] in WITHOUT_NUMBER else (4,)) and all(words[2:])
    if section == "COLUMNS" and len(words) > 1 and words[1] == MARKER:
        return True
    return len(words) in (3, 5) and all(words[1:]) and (section != "COLUMNS" or words[0] != "")


def as_float(text: str) -> float | None:
    """Return a number as MPS files write it (FORTRAN's D for E as well), or None."""
    try:
        number = float(text)
    except ValueError:
        try:
            number = float(text.upper().replace("D", "E"))
        except ValueError:
            return None
    return None if "_" in text or number != number else number
