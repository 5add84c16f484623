"""Linear programs that people have had: the answers are the published ones, and proved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from smlib.optim import LinearProgram, linprog, read_mps
from smlib.optim.linear_programming import RULES
from tests.optim import highs
from tests.optim.proofs import contradicts, prove

ROWS = 520


@pytest.mark.real_data
def test_the_netlib_problems_have_the_known_optimum(real_data: Path) -> None:
    known = json.loads((real_data / "lp" / "known_answers_lp.json").read_text())
    steps = []
    for path in sorted((real_data / "lp" / "netlib").glob("*.mps.gz")):
        facts = known[path.name.removesuffix(".mps.gz")]
        if facts["rows"] > ROWS:
            continue
        program = read_mps(path)
        result: Any = program.solve()
        assert result.status == 0, (path, result)
        assert result.fun == pytest.approx(facts["trusted_optimum"], rel=1e-8), path
        prove(program, result)
        assert program.certify(result).holds(1e-9), path
        steps.append(result.nit / facts["rows"])
    assert len(steps) >= 30
    assert np.mean([1.0 <= share <= 3.0 for share in steps]) > 0.5, "mostly between m and 3 m pivots"


@pytest.mark.real_data
@pytest.mark.parametrize("pricing", RULES)
def test_all_rules_solve_them(pricing: str, real_data: Path) -> None:
    known = json.loads((real_data / "lp" / "known_answers_lp.json").read_text())
    for name in ("afiro", "adlittle", "blend", "kb2", "recipe", "sc50a", "sc105", "share2b", "scagr7", "stocfor1"):
        program = read_mps(real_data / "lp" / "netlib" / f"{name}.mps.gz")
        result: Any = program.solve(pricing=pricing)
        assert result.status == 0, (name, result)
        assert result.fun == pytest.approx(known[name]["trusted_optimum"], rel=1e-8), name
        prove(program, result)
        np.testing.assert_allclose(program.ranging(result).prices, result.y, rtol=1e-9, atol=1e-9)
        dual = program.dual().solve(pricing=pricing)
        assert dual.fun == pytest.approx(known[name]["trusted_optimum"], rel=1e-8), name


@pytest.mark.real_data
def test_the_infeasible_problems_have_a_contradiction(real_data: Path) -> None:
    programs = {path.name: read_mps(path) for path in sorted((real_data / "lp" / "infeasible").glob("*.mps.gz"))}
    for path in sorted((real_data / "lp" / "infeasible_npz").glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            arguments = [arrays[name] for name in ("c", "A_ub", "b_ub", "A_eq", "b_eq", "bounds")]
        programs[path.name] = LinearProgram.from_arrays(*arguments)
        assert linprog(*arguments).status == 2
    assert len(programs) == 9
    for name, program in programs.items():
        result: Any = program.solve()
        assert result.status == 2, (name, result)
        assert result.ray is not None
        prove(program, result)
        assert not contradicts(program, -result.ray), name
        assert program.certify(result).holds(1e-9), name


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["avgas", "blending", "chip"])
def test_small_files_have_the_answer_of_highs(name: str, real_data: Path) -> None:
    program = read_mps(real_data / "lp" / f"{name}.mps")
    solver = highs.solve(program)
    for pricing in RULES:
        result: Any = program.solve(pricing=pricing)
        assert result.fun == pytest.approx(highs.optimum(solver), rel=1e-12)
        prove(program, result)


@pytest.mark.real_data
def test_a_problem_made_unbounded_has_a_ray(real_data: Path) -> None:
    """The negative of the first column, for a little less than it costs: both may grow without limit."""
    for name in ("afiro", "sc50a", "share2b", "adlittle", "blend"):
        program = read_mps(real_data / "lp" / "netlib" / f"{name}.mps.gz")
        A = scipy.sparse.hstack([program.A, -program.A[:, [0]]], format="csr")
        c, lower, upper = [*program.c, -program.c[0] - 1.0], [*program.lower, 0.0], [*program.upper, np.inf]
        unbounded = LinearProgram(c, A, program.row_lower, program.row_upper, lower, upper)
        result = unbounded.solve()
        assert result.status == 3, (name, result)
        prove(unbounded, result)
