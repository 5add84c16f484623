"""The oracle of linear programs: HiGHS, and what is asked of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from smlib.optim import LinearProgram
from tests.conftest import require


def quiet() -> Any:
    """Return a solver that prints nothing and simplifies nothing away, so that it has rays."""
    solver = require("highspy").Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("presolve", "off")
    solver.setOptionValue("solver", "simplex")
    solver.setOptionValue("threads", 1)
    return solver


def read(path: Path) -> Any:
    """Return the program that HiGHS reads."""
    solver = quiet()
    assert solver.readModel(str(path)) != require("highspy").HighsStatus.kError
    return solver.getLp()


def same(program: LinearProgram, theirs: Any, rtol: float = 0.0) -> None:
    """Compare everything, row sides to ``rtol``: HiGHS takes the sum of a range in binary, which rounds twice."""
    m, n = program.A.shape
    assert (theirs.num_row_, theirs.num_col_) == (m, n)
    assert theirs.offset_ == program.offset
    assert (theirs.sense_ == require("highspy").ObjSense.kMaximize) == program.maximize
    np.testing.assert_array_equal(theirs.col_cost_, program.c)
    np.testing.assert_array_equal(theirs.col_lower_, program.lower)
    np.testing.assert_array_equal(theirs.col_upper_, program.upper)
    np.testing.assert_allclose(theirs.row_lower_, program.row_lower, rtol=rtol, atol=0.0)
    np.testing.assert_allclose(theirs.row_upper_, program.row_upper, rtol=rtol, atol=0.0)
    matrix = theirs.a_matrix_
    A = scipy.sparse.csc_array((matrix.value_, matrix.index_, matrix.start_), shape=(m, n))
    assert abs(A - program.A).nnz == 0
    assert tuple(theirs.row_names_) == (program.row_names or ())
    assert tuple(theirs.col_names_) == (program.column_names or ())


def solve(program: LinearProgram) -> Any:
    """Return HiGHS's solver after it has solved a program."""
    highspy = require("highspy")
    lp = highspy.HighsLp()
    A = program.A.tocsc()
    lp.num_row_, lp.num_col_ = A.shape
    lp.sense_ = highspy.ObjSense.kMaximize if program.maximize else highspy.ObjSense.kMinimize
    lp.offset_ = program.offset
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.c, program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = A.indptr, A.indices, A.data
    solver = quiet()
    solver.passModel(lp)
    solver.run()
    return solver


def optimum(solver: Any) -> float:
    """Return the optimal value; of a program without columns HiGHS forgets the offset."""
    empty = solver.getLp().num_col_ == 0
    return float(solver.getLp().offset_ if empty else solver.getInfo().objective_function_value)


def status(solver: Any) -> str:
    """Return "Optimal", "Infeasible", "Unbounded" ..."""
    said = str(solver.modelStatusToString(solver.getModelStatus()))
    if said == "Empty":  # without columns, whatever the rows are
        lp = solver.getLp()
        feasible = all(low <= 0.0 <= high for low, high in zip(lp.row_lower_, lp.row_upper_, strict=True))
        return "Optimal" if feasible else "Infeasible"
    return said
