"""MPS files: the conventions beside HiGHS's, what is written is read, and damage is named with its line."""

from __future__ import annotations

import gzip
import json
import math
import string
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import CorruptDataError, InputError
from smlib.optim import LinearProgram, read_mps, write_mps
from tests.optim import highs
from tests.optim.programs import random_program

FREE = """* every kind of row, range and bound
NAME everything
ROWS
 N cost
 N second
 L less
 L rless
 G more
 G rmore
 E same
 E up
 E down
COLUMNS
 a cost 1 less 1
 a second 7 rless -2.5
 a more 3
 b cost -2.0e1 same .5
 b up 1. rmore 4
 c down 1d2 less 1
 d less 1 more 1
 e cost 0 less 0
 f less 1 more 1
 g less 1 more 1
 h less 1 more 1
RHS
 RHS less 4 rless 5
 RHS more -6 rmore 1
 RHS same 2 up 3
 RHS down 4 cost 12.5
 RHS second 1
RANGES
 RNG rless 2 rmore 3
 RNG up 2 down -2.5
BOUNDS
 UP BND a 4
 LO BND b -3
 UP BND b 5.5
 FR BND c
 MI BND d
 FX BND e 2
 PL BND f
 MI BND g
 UP BND g -1
 UP BND h 1e30
ENDATA
"""

FIXED = """NAME          TWO WORDS
ROWS
 N  CO ST
 L  LIM 1
 G  MYEQN
COLUMNS
    X ONE     CO ST              1.0   LIM 1              1.0
    X ONE     MYEQN              1.0
    Y TWO     CO ST              2.0   LIM 1              1.0
RHS
    RHS 1     LIM 1              4.0   MYEQN              1.0
BOUNDS
 UP BND 1     X ONE              4.0
 FR BND 1     Y TWO
ENDATA
"""


def read(text: str, folder: Path) -> LinearProgram:
    path = folder / "program.mps"
    path.write_text(text)
    return read_mps(path)


@pytest.mark.interpreted
def test_everything_that_the_format_has(tmp_path: Path) -> None:
    program = read(FREE, tmp_path)
    assert (program.name, program.offset, program.maximize) == ("everything", -12.5, False)
    assert program.row_names == ("less", "rless", "more", "rmore", "same", "up", "down")
    np.testing.assert_array_equal(program.row_lower, [-np.inf, 3, -6, 1, 2, 3, 1.5])
    np.testing.assert_array_equal(program.row_upper, [4, 5, np.inf, 4, 2, 5, 4])
    np.testing.assert_array_equal(program.c, [1, -20, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(program.lower, [0, -3, -np.inf, -np.inf, 2, 0, -np.inf, 0])
    np.testing.assert_array_equal(program.upper, [4, 5.5, np.inf, np.inf, 2, np.inf, -1, np.inf])
    assert program.A[6, 2] == 100.0
    assert program.A.nnz == 16


@pytest.mark.interpreted
def test_names_with_blanks_stand_in_columns(tmp_path: Path) -> None:
    program = read(FIXED, tmp_path)
    assert program.name == "TWO WORDS"
    assert program.row_names == ("LIM 1", "MYEQN")
    assert program.column_names == ("X ONE", "Y TWO")
    np.testing.assert_array_equal(program.A.toarray(), [[1, 1], [1, 0]])
    np.testing.assert_array_equal(program.upper, [4, np.inf])
    np.testing.assert_array_equal(program.lower, [0, -np.inf])
    with pytest.raises(InputError, match="'LIM 1' can't stand in a free MPS file"):
        write_mps(program, tmp_path / "again.mps")
    assert read(FIXED.replace("\n", "\r\n"), tmp_path).row_names == ("LIM 1", "MYEQN")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("1d2", "1e2"),
        ("RNG up 2 down -2.5", "RNG up -2 down 0"),
        ("RNG rless 2 rmore 3", "RNG rless -2 rmore -3"),
        ("UP BND a 4", "UP BND a -4"),
        ("UP BND a 4", "UP BND a 0"),
        ("UP BND a 4", "UP a 4"),
        ("UP BND a 4", "LO BND a 5\n UP BND a 4"),
        ("FR BND c", "FR c"),
        ("LO BND b -3", "LO BND b -1e20"),
        ("LO BND b -3", "LO BND b -Infinity"),
        ("RHS less 4 rless 5", "less 4 rless 5"),
        ("RHS less 4 rless 5", "RHS less 1e20 rless 5"),
        ("ROWS\n", "OBJSENSE\n    MAX\nROWS\n"),
        ("ROWS\n", "OBJSENSE MAX\nROWS\n"),
        ("ROWS\n", "OBJSENSE\n    MAXIMIZE\nROWS\n"),
        ("ROWS\n", "OBJSENSE\n    MIN\nROWS\n"),
        ("NAME everything\n", "NAME\n"),
        ("NAME everything\n", ""),
        (" a cost 1 less 1", "\ta\tcost\t1\tless\t1"),
        ("ENDATA\n", "\n* a remark\nENDATA\nwhat follows is not read"),
    ],
)
def test_conventions_are_those_of_highs(old: str, new: str, tmp_path: Path) -> None:
    # HiGHS knows no FORTRAN exponents.
    program = read(FREE.replace(old, new), tmp_path)
    (tmp_path / "program.mps").write_text(FREE.replace(old, new).replace("1d2", "1e2"))
    highs.same(program, highs.read(tmp_path / "program.mps"), rtol=1e-15)


def test_only_the_objective_has_a_constant(tmp_path: Path) -> None:
    """HiGHS takes the right-hand side of any N row for it."""
    program = read(FREE.replace(" N cost\n", " N first\n N cost\n"), tmp_path)
    assert not program.c.any()
    assert program.offset == 0.0


def test_what_highs_does_not_know(tmp_path: Path) -> None:
    assert read(FREE.replace("ROWS\n", "OBJSENSE\nMAX\nROWS\n"), tmp_path).maximize
    for form in ("OBJNAME\n    second\nROWS\n", "OBJNAME second\nROWS\n"):
        program = read(FREE.replace("ROWS\n", form), tmp_path)
        assert program.c[0] == 7.0
        assert program.offset == -1.0
    assert read(FREE.replace("FR BND c", "FR BND c 0"), tmp_path).lower[2] == -np.inf
    thirds = FREE.replace("RHS less 4 rless 5", "RHS less 4 rless .3").replace("RNG rless 2", "RNG rless .1")
    assert read(thirds, tmp_path).row_lower[1] == 0.2 != 0.3 - 0.1


@pytest.mark.real_data
def test_every_file_is_read_as_highs_reads_it(real_data: Path) -> None:
    known = json.loads((real_data / "lp" / "known_answers_lp.json").read_text())
    paths = sorted((real_data / "lp").rglob("*.mps*"))
    assert len(paths) > 40
    for path in paths:
        program = read_mps(path)
        highs.same(program, highs.read(path), rtol=1e-15)
        facts = known.get(path.name.partition(".")[0])
        if facts and "rows" in facts:
            assert program.A.shape == (facts["rows"], facts["cols"])


@pytest.mark.real_data
def test_e226_has_a_constant(real_data: Path) -> None:
    program = read_mps(real_data / "lp" / "netlib" / "e226.mps.gz")
    assert program.offset == 7.113
    optimum = highs.optimum(highs.solve(program))
    assert optimum == pytest.approx(-11.638929066370553, rel=1e-12)


@pytest.mark.real_data
def test_files_are_written_again(real_data: Path, tmp_path: Path) -> None:
    for name in ("boeing1", "capri", "e226", "recipe", "seba", "degen2"):
        program = read_mps(real_data / "lp" / "netlib" / f"{name}.mps.gz")
        write_mps(program, tmp_path / "again.mps.gz")
        equal(program, read_mps(tmp_path / "again.mps.gz"))


def equal(one: LinearProgram, other: LinearProgram) -> None:
    for field in ("c", "row_lower", "row_upper", "lower", "upper"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)
    assert one.A.shape == other.A.shape
    assert (one.A != other.A).nnz == 0
    for field in ("offset", "maximize", "name", "row_names", "column_names"):
        assert getattr(one, field) == getattr(other, field)


NUMBERS = st.floats(-1e19, 1e19) | st.integers(-5, 5).map(float)
NAMES = st.text(string.ascii_letters + string.digits + "*$-'\u00e9._", min_size=1, max_size=12)


@st.composite
def programs(draw: st.DrawFn) -> LinearProgram:
    m, n = draw(st.integers(0, 4)), draw(st.integers(0, 4))

    def numbers(size: int) -> np.ndarray:
        return np.array(draw(st.lists(NUMBERS, min_size=size, max_size=size)), dtype=float)

    def sides(size: int, infinite: float) -> np.ndarray:
        return np.where(
            np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool), infinite, numbers(size)
        )

    A = scipy.sparse.csr_array(numbers(m * n).reshape(m, n))
    row_lower, row_upper = sides(m, -np.inf), sides(m, np.inf)
    crossed = row_lower > row_upper  # MPS files can't say it of rows
    row_lower, row_upper = np.where(crossed, row_upper, row_lower), np.where(crossed, row_lower, row_upper)
    names = [draw(st.lists(NAMES, min_size=size, max_size=size, unique=True)) for size in (m, n)]
    return LinearProgram(
        numbers(n),
        A,
        row_lower,
        row_upper,
        sides(n, -np.inf),
        sides(n, np.inf),
        draw(NUMBERS),
        draw(st.booleans()),
        "p",
        *names,
    )


@given(programs())
def test_what_is_written_is_read(program: LinearProgram) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.mps"
        write_mps(program, path)
        equal(program, read_mps(path))


@given(st.integers(0, 2**32))
def test_highs_reads_what_is_written(seed: int) -> None:
    program = random_program(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.mps"
        write_mps(program, path)
        again = read_mps(path)
        highs.same(again, highs.read(path))
    assert (again.A != program.A).nnz == 0
    for field in ("c", "row_lower", "row_upper", "lower", "upper", "offset", "maximize"):
        np.testing.assert_array_equal(getattr(again, field), getattr(program, field))


def test_what_a_file_cannot_say_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "program.mps"
    for names in (["a b"], [""], ["a\n"], ["'MARKER'"]):
        with pytest.raises(InputError, match="can't stand in a free MPS file"):
            write_mps(LinearProgram([1], [[1]], row_names=names), path)
    with pytest.raises(InputError, match=r"upper\[0\] is 1e\+25, which readers take for infinite"):
        write_mps(LinearProgram([1], [[1]], upper=1e25), path)
    with pytest.raises(InputError, match=r"row_lower\[0\] is 2.0, above row_upper"):
        write_mps(LinearProgram([1], [[1]], 2, 1), path)
    assert not path.exists()


@pytest.mark.untrusted
@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("NAME everything", "NAMES everything", 2, "'NAMES' is no section"),
        (" N cost", " X cost", 4, "'X' is no kind of row"),
        (" L rless", " L less", 7, "the row 'less' is declared twice"),
        (" L rless", " L", 7, "'L' has not the fields of the section ROWS"),
        (" a cost 1 less 1", " a cost 1 lost 1", 14, "the row 'lost' is not declared"),
        (" a cost 1 less 1", "    a a       cost               1.", 14, "has not the fields of the section COLUMNS"),
        (" a cost 1 less 1", " a cost 1 less", 14, "has not the fields of the section COLUMNS"),
        (" a cost 1 less 1", " a cost 1 less 1 more 3", 14, "has not the fields of the section COLUMNS"),
        (" a cost 1 less 1", " a cost 1x less 1", 14, "'1x' is no number"),
        (" a cost 1 less 1", " a cost nan less 1", 14, "'nan' is no number"),
        (" a cost 1 less 1", " a cost 1_0 less 1", 14, "'1_0' is no number"),
        (" a cost 1 less 1", " a cost 1e999 less 1", 14, "'1e999' is infinite"),
        (" a more 3", " a less 3", 16, "the row 'less' has an entry in this column already"),
        (" d less 1 more 1", " a same 1", 20, "the column 'a' comes again"),
        (" d less 1", " M1 'MARKER' 'INTORG'\n d less 1", 20, "a marker makes columns integer"),
        (" RHS more -6", " RHS less -6", 27, "the row 'less' has a right-hand side already"),
        (" RHS more -6", " RHS2 more -6", 27, "'RHS2' begins a second set beside 'RHS'"),
        (" RHS same 2", " RHS same 1e30", 28, "'1e30' is infinite, which the row 'same' of kind E"),
        (" RHS more -6", " RHS more inf", 27, "'inf' is infinite, which the row 'more' of kind G"),
        ("RNG up 2 down", "RNG up 2 up", 33, "the row 'up' has a range already"),
        (" UP BND a 4", " UP BND z 4", 35, "the column 'z' is not declared"),
        (" UP BND a 4", " XX BND a 4", 35, "'XX' is no kind of bound"),
        (" UP BND a 4", " UI BND a 4", 35, "UI makes 'a' integer or semi-continuous"),
        (" UP BND a 4", " BV BND a", 35, "BV makes 'a' integer or semi-continuous"),
        (" UP BND a 4", " SC BND a 4", 35, "SC makes 'a' integer or semi-continuous"),
        (" UP BND a 4", " UP BND a", 35, "'BND' is not declared|'a' is no number"),
        (" UP BND a 4", " UP BND a -inf", 35, "'-inf' leaves the column 'a' no value"),
        (" UP BND a 4", " FX BND a inf", 35, "'inf' leaves the column 'a' no value"),
        (" UP BND a 4", " LO BND a 1e20", 35, "'1e20' leaves the column 'a' no value"),
        (" FX BND e 2", " UP BND a 2", 40, "the column 'a' has an upper bound already"),
        (" FX BND e 2", " MI BND c", 40, "the column 'c' has a lower bound already"),
        ("BOUNDS", "BOUNDS now", 34, "'now' stands behind the name of the section BOUNDS"),
        ("BOUNDS", "RHS", 34, "the section RHS comes twice"),
        ("BOUNDS", "SOS", 34, "'SOS' is no section"),
        ("ROWS\n", "COLUMNS\n", 3, "the section COLUMNS comes before ROWS"),
        ("ROWS\n", " x\nROWS\n", 3, "'x' stands before any section"),
        ("ROWS\n", "OBJSENSE\n DOWN\nROWS\n", 4, "'DOWN' is no sense"),
        ("ROWS\n", "OBJNAME\n less\nROWS\n", 47, "OBJNAME names the row 'less', which is of kind L"),
        ("ROWS\n", "OBJNAME\n none\nROWS\n", 47, "OBJNAME names the row 'none', which is not declared"),
        ("COLUMNS\n", "OBJNAME second\nCOLUMNS\n", 13, "OBJNAME comes after ROWS"),
        ("ENDATA", "", 46, "the file ends without ENDATA"),
    ],
)
def test_damage_is_named_with_its_line(old: str, new: str, line: int, message: str, tmp_path: Path) -> None:
    assert old in FREE
    with pytest.raises(CorruptDataError, match=rf"program\.mps, line {line}: .*({message})"):
        read(FREE.replace(old, new, 1), tmp_path)


@pytest.mark.untrusted
def test_a_damaged_line_of_a_fixed_file_is_named(tmp_path: Path) -> None:
    for old, new, line in (("    X ONE     MYEQN", "    X ONE   x MYEQN", 8), ("  CO ST\n", "  CO ST  AND MORE\n", 3)):
        with pytest.raises(CorruptDataError, match=rf"line {line}: "):
            read(FIXED.replace(old, new), tmp_path)


@pytest.mark.untrusted
@given(
    st.sampled_from([FREE, FIXED]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4),
    st.data(),
)
def test_damage_of_every_kind_gives_a_program_or_an_error(text: str, changes: list[Any], data: st.DataObject) -> None:
    content = bytearray(text.encode())
    for place, byte in changes:
        content[place % len(content)] = byte
    kind = data.draw(st.sampled_from(["bytes", "cut", "gzip", "lines"]))
    if kind == "cut":
        content = content[: data.draw(st.integers(0, len(content)))]
    elif kind == "gzip":
        content = bytearray(gzip.compress(text.encode(), mtime=0))
        for place, byte in changes:
            content[2 + place % (len(content) - 2)] = byte
    elif kind == "lines":
        lines = bytes(content).split(b"\n")
        place = data.draw(st.integers(0, len(lines) - 1))
        lines.insert(data.draw(st.integers(0, len(lines))), lines.pop(place))
        content = bytearray(b"\n".join(lines))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.mps"
        path.write_bytes(content)
        try:
            program = read_mps(path)
        except CorruptDataError:
            return
        assert math.isfinite(program.offset)


@pytest.mark.untrusted
def test_a_damaged_gzip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "program.mps.gz"
    packed = gzip.compress(FREE.encode())
    for content in (packed[:-9], packed[:40], packed[:60] + b"x" + packed[61:], packed[:2]):
        path.write_bytes(content)
        with pytest.raises(CorruptDataError, match=r"program\.mps\.gz is a damaged gzip file"):
            read_mps(path)
    with pytest.raises(FileNotFoundError):
        read_mps(tmp_path / "none.mps")
