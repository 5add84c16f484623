"""The trace takes the solver's own steps, and its table, its picture and its proofs are those of the program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.spatial
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.trace import Step
from smlib.errors import InputError
from smlib.optim import LinearProgram, certify_infeasible, certify_unbounded
from smlib.optim.linear_programming import Pricing
from smlib.optim.tableau import trace as module
from smlib.optim.tableau.pivoting import take
from smlib.optim.tableau.polygon import find_corners, find_limits
from smlib.optim.tableau.scaling import scale
from smlib.optim.tableau.trace import trace
from smlib.viz import record
from smlib.viz.layouts.optim import make_dairy
from tests.optim.programs import random_program

PRICINGS: list[Pricing] = ["dantzig", "devex", "bland", "steepest", "greatest"]
NEW = "this basis was not here before"

DAIRY = LinearProgram(
    [5, 4],
    [[6, 4], [2, 3]],
    row_upper=[120, 60],
    maximize=True,
    row_names=["milk", "work"],
    column_names=["cheese", "butter"],
)
BEALE = LinearProgram([-0.75, 20, -0.5, 6], [[0.25, -8, -1, 9], [0.5, -12, -0.5, 3], [0, 0, 1, 0]], row_upper=[0, 0, 1])


def moments(steps: list[Step], moment: str) -> list[Any]:
    return [step.state for step in steps if step.state["moment"] == moment]


@pytest.mark.interpreted
def test_the_essays_tableaus() -> None:
    steps = list(trace(DAIRY))
    tables: list[Any] = [steps[0].state, *moments(steps, "step")]
    assert [(table["rows"], table["columns"]) for table in tables] == [
        ((2, 3), (0, 1)),
        ((0, 3), (2, 1)),
        ((0, 1), (2, 3)),
    ]
    np.testing.assert_allclose(tables[0]["entries"], [[6, 4], [2, 3]])
    np.testing.assert_allclose(tables[1]["entries"], [[1 / 6, 2 / 3], [-1 / 3, 5 / 3]])
    np.testing.assert_allclose(tables[2]["entries"], [[0.3, -0.4], [-0.2, 0.6]], rtol=1e-12)
    costs: list[Any] = [table["costs"] for table in tables]
    np.testing.assert_allclose(costs, [[-5.0, -4.0], [5 / 6, -2 / 3], [0.7, 0.4]])
    np.testing.assert_allclose([table["objective"] for table in tables], [0, 100, 108])
    values: list[Any] = [table["values"][list(table["rows"])] for table in tables]
    np.testing.assert_allclose(values, [[120, 60], [20, 20], [12, 12]])
    choices = moments(steps, "choice")
    assert [(choice["entering"], choice["leaving"]) for choice in choices] == [(0, 0), (1, 1)]
    np.testing.assert_allclose([choice["ratios"] for choice in choices], [[20, 30], [30, 12]])
    np.testing.assert_allclose(steps[-1].state["path"], [[0, 0], [20, 0], [12, 12]], atol=1e-12)
    assert steps[-1].state["status"] == "optimal"
    assert all(all(step.invariants.values()) for step in steps)


@pytest.mark.interpreted
def test_limits_are_met_before_anything_is_improved() -> None:
    steps = list(trace(make_dairy(10)))
    np.testing.assert_allclose(
        steps[-1].state["path"], [[0, 0], [0, 6], [4, 6], [16, 6], [12, 12]], rtol=1e-12, atol=1e-12
    )
    assert [state["phase"] for state in moments(steps, "choice")] == [1, 1, 2, 2]
    assert [state["violation"] for state in moments(steps, "choice")] == [16, 4, 0, 0]
    start = steps[0].state
    # A row with a lower side alone is shown as what lies beyond it.
    assert start["values"].tolist() == [0, 0, 120, 60, -6, -10]
    assert start["entries"].tolist() == [[6, 4], [2, 3], [0, -1], [-1, -1]]
    assert start["violations"].tolist() == [-1, -2]
    assert "Violated: order by 6, contract by 10." in steps[0].caption
    assert steps[1].caption == "Butter enters: each unit mends 2. Order is met after 6, and stops it."
    assert steps[4].caption.endswith("All is met: phase 2 begins.")


@pytest.mark.interpreted
def test_beales_example_goes_round_with_the_textbooks_rules() -> None:
    steps = list(trace(BEALE, ratio_test="textbook"))
    bases = [set(steps[0].state["rows"]), *(set(state["rows"]) for state in moments(steps, "step"))]
    assert len(bases) == 7
    assert bases[6] == bases[0] == {4, 5, 6}
    assert len({frozenset(basis) for basis in bases}) == 6
    assert steps[-1].state["status"] == "cycling"
    assert steps[-1].caption.endswith("This basis was here 6 steps ago: the method goes round in circles.")
    broken = [
        (number, name) for number, step in enumerate(steps) for name, holds in step.invariants.items() if not holds
    ]
    assert broken == [(len(steps) - 1, NEW)]
    assert not steps[-1].state["x"].any()
    # The very same table, but for the order of its columns.
    first, last = steps[0].state, steps[-1].state
    order = np.argsort(last["columns"])
    assert last["rows"] == first["rows"]
    np.testing.assert_allclose(last["entries"][:, order], first["entries"], atol=1e-12)
    np.testing.assert_allclose(last["costs"][order], first["costs"], atol=1e-12)
    page = record("tableau", steps).to_html()
    assert NEW in page


@pytest.mark.parametrize("pricing", PRICINGS)
def test_beales_example_ends_as_the_solver_goes(pricing: Pricing) -> None:
    steps = list(trace(BEALE, pricing=pricing))
    assert steps[-1].state["status"] == "optimal"
    assert all(all(step.invariants.values()) for step in steps)
    solved = BEALE.solve(pricing=pricing)
    assert solved.success
    assert steps[-1].state["objective"] == pytest.approx(-1.25)
    assert solved.fun == pytest.approx(-1.25)


def test_a_program_without_a_feasible_point_ends_with_the_contradiction() -> None:
    steps = list(trace(make_dairy(25)))
    last = steps[-1]
    assert last.state["status"] == "infeasible"
    assert last.invariants["the certificate proves it: infeasible"]
    assert last.state["violation"] == pytest.approx(1.0)
    assert "milk \u22120.1, work \u22120.2, contract 1" in last.caption
    assert certify_infeasible(make_dairy(25), [-0.1, -0.2, 0, 1]).holds()
    assert len(last.state["polygon"]) == 0


def test_an_unbounded_program_ends_with_the_ray() -> None:
    program = LinearProgram([-1, 1], [[1, -2]], row_upper=[4])
    steps = list(trace(program))
    state = steps[-1].state
    assert state["status"] == "unbounded"
    assert steps[-1].invariants["the certificate proves it: unbounded"]
    assert certify_unbounded(program, state["x"], state["ray"]).holds()
    np.testing.assert_allclose(state["ray"], [2, 1])
    np.testing.assert_allclose(state["far"][0], [4, 0])
    assert np.isclose(state["far"][1], state["window"][1]).any(), "it leaves the window"


def test_bounds_that_cross_are_told_at_once() -> None:
    steps = list(trace(LinearProgram([1], [[1]], lower=2, upper=1)))
    assert [step.state["moment"] for step in steps] == ["start", "end"]
    assert steps[-1].state["status"] == "infeasible"
    assert all(steps[-1].invariants.values())


@pytest.mark.interpreted
@pytest.mark.parametrize("seed", range(12))
def test_steps_are_the_solvers(seed: int) -> None:
    program = random_program(seed)
    for pricing in PRICINGS:
        bases: list[list[int]] = []
        points: list[Any] = []

        def keep(result: Any, bases: list[list[int]] = bases, points: list[Any] = points) -> None:
            bases.append(result.basis.tolist())
            points.append(result.x)

        solved = program.solve(pricing=pricing, maxiter=30, callback=keep)
        steps = list(trace(program, pricing=pricing))
        states = moments(steps, "step")
        assert [list(state["rows"]) for state in states] == bases
        for state, point in zip(states, points, strict=True):
            np.testing.assert_allclose(state["x"], point, atol=1e-8)
        expected = {0: "optimal", 1: "limit", 2: "infeasible", 3: "unbounded"}[solved.status]
        assert steps[-1].state["status"] == expected


@given(
    seed=st.integers(0, 2**32 - 1),
    pricing=st.sampled_from(PRICINGS),
    ratio_test=st.sampled_from(["harris", "textbook"]),
)
def test_invariants_hold_on_any_program(seed: int, pricing: Pricing, ratio_test: Any) -> None:
    steps = list(trace(random_program(seed), pricing=pricing, ratio_test=ratio_test))
    for number, step in enumerate(steps):
        broken = {name for name, holds in step.invariants.items() if not holds}
        may_break = {NEW} if number == len(steps) - 1 and step.state["status"] == "cycling" else set()
        assert broken <= may_break, (step.caption, broken)
        assert all(isinstance(holds, bool) for holds in step.invariants.values())
    assert steps[-1].state["status"]


@given(seed=st.integers(0, 2**32 - 1))
def test_every_row_of_the_table_is_true_at_every_point(seed: int) -> None:
    program = random_program(seed)
    m, n = program.rows.shape
    rng = np.random.default_rng(seed)
    x = rng.uniform(-9, 9, n)
    activity = program.A @ x
    above, below = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    left = np.where(above, program.row_upper - activity, np.where(below, activity - program.row_lower, activity))
    shown = np.concatenate([x, left])
    sign = -1.0 if program.maximize else 1.0
    for step in trace(program):
        state = step.state
        rows, columns = list(state["rows"]), list(state["columns"])
        moved = shown - state["values"]
        size = 1e-7 * (1.0 + np.abs(state["entries"]).max(initial=0.0)) * (1.0 + np.abs(moved).max())
        np.testing.assert_allclose(moved[rows], -state["entries"] @ moved[columns], atol=size * (1 + n))
        change = sign * (program.objective(x) - state["objective"])
        assert change == pytest.approx(float(state["costs"] @ moved[columns]), abs=size * (1 + n) * 10, rel=1e-7)
        assert len(rows) == m


def test_the_table_is_in_the_units_of_the_program() -> None:
    # Cheese in milligrams, milk in microlitres: the same tableau, in units that the solver changes.
    unit = np.array([1e6, 1.0, 1e6, 1.0])
    A = DAIRY.A.toarray() * np.outer(unit[2:], 1.0 / unit[:2])
    program = LinearProgram(DAIRY.c / unit[:2], A, row_upper=DAIRY.row_upper * unit[2:], maximize=True)
    sides = program.row_lower, program.row_upper, program.lower, program.upper
    used = scale(*program.rows[:3], program.c, *sides, -1.0).unit
    assert used[0] != 1.0 != used[2]
    # The gain of a whole step does not depend on units.
    steps, other = list(trace(program, pricing="greatest")), list(trace(DAIRY, pricing="greatest"))
    assert [step.state["rows"] for step in steps] == [step.state["rows"] for step in other]
    for step, same in zip(steps, other, strict=True):
        rows, columns = list(same.state["rows"]), list(same.state["columns"])
        np.testing.assert_allclose(step.state["values"], same.state["values"] * unit, atol=1e-6)
        expected = same.state["entries"] * np.outer(unit[rows], 1.0 / unit[columns])
        np.testing.assert_allclose(step.state["entries"], expected, rtol=1e-9)
        np.testing.assert_allclose(step.state["costs"], same.state["costs"] / unit[columns], rtol=1e-9)
        if same.state["moment"] == "choice":
            ratios = same.state["ratios"] * unit[columns[same.state["entering"]]]
            np.testing.assert_allclose(step.state["ratios"], ratios, rtol=1e-9)
        assert all(step.invariants.values())


def test_an_unknown_falls_from_its_upper_bound() -> None:
    steps = list(trace(LinearProgram([1], [[2], [-1]], row_lower=[-4, -9], lower=-np.inf, upper=3)))
    assert [step.caption for step in steps[:3]] == [
        "All unknowns stand at a bound: (3). The objective is 3.",
        "x0 enters: each unit less saves 1. row 0 stops it after 5.",
        "x0 and row 0 change places. We stand at (\u22122), and the objective falls to \u22122.",
    ]
    assert steps[1].state["ratios"].tolist() == [5, np.inf]


@pytest.mark.parametrize("program", [DAIRY, make_dairy(10)], ids=["essay", "with orders"])
def test_the_way_goes_along_the_corners_that_scipy_finds(program: LinearProgram) -> None:
    state = list(trace(program))[-1].state
    A, upper, lower = program.A.toarray(), np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    halfspaces = np.vstack(
        [
            np.column_stack([A[upper], -program.row_upper[upper]]),
            np.column_stack([-A[lower], program.row_lower[lower]]),
            [[-1, 0, 0], [0, -1, 0]],
        ]
    )
    corners = scipy.spatial.HalfspaceIntersection(halfspaces, np.array([6.0, 8.0])).intersections
    corners = np.unique(corners.round(9), axis=0)
    np.testing.assert_allclose(np.unique(state["polygon"].round(9) + 0.0, axis=0), corners, atol=1e-9)
    feasible = [x for x in state["path"] if (halfspaces[:, :2] @ x + halfspaces[:, 2] <= 1e-9).all()]
    assert len(feasible) == 3
    assert all(np.abs(corners - x).max(axis=1).min() < 1e-9 for x in feasible)
    area = scipy.spatial.ConvexHull(state["polygon"]).volume
    x, y = state["polygon"].T
    assert abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2 == pytest.approx(area), "the corners come in order"


@given(seed=st.integers(0, 2**32 - 1))
def test_the_polygon_is_what_is_feasible_in_the_window(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = random_program(seed, columns=2)
    if program.c.size == 1:
        return
    steps = list(trace(program))
    state = steps[-1].state
    low, high = state["window"]
    polygon = state["polygon"]
    A, spread = program.A.toarray(), float((high - low).max())
    tolerance = 1e-6 * (1.0 + spread)
    for point in polygon:
        assert (low - tolerance <= point).all()
        assert (point <= high + tolerance).all()
        assert (program.row_lower - tolerance <= A @ point).all()
        assert (A @ point <= program.row_upper + tolerance).all()
    for corner in find_corners(find_limits(program)):
        assert len(polygon)
        assert np.abs(polygon - corner).max(axis=1).min() <= tolerance
    for step in steps:
        assert (low < step.state["x"]).all()
        assert (step.state["x"] < high).all()
    if len(polygon) > 2:
        hull = scipy.spatial.ConvexHull(polygon, qhull_options="QJ")
        for point in rng.uniform(low, high, (20, 2)):
            inside = (hull.equations @ [*point, 1.0]).max()
            sides = (program.row_lower - A @ point, A @ point - program.row_upper)
            wrong = max(*(part.max(initial=-1.0) for part in sides), (program.lower - point).max())
            wrong = max(wrong, float((point - program.upper).max()))
            assert (inside <= tolerance) == (wrong <= 0.0) or min(abs(inside), abs(wrong)) < 1e-3 * (1.0 + spread)


def test_the_level_line_has_the_objective_of_the_point() -> None:
    for step in trace(make_dairy(10)):
        for end in step.state["level"]:
            assert DAIRY.objective(end) == pytest.approx(step.state["objective"], abs=1e-9)


@pytest.mark.parametrize("columns", [1, 3])
def test_only_two_unknowns_have_a_picture(columns: int) -> None:
    program = LinearProgram(np.ones(columns), np.ones((1, columns)), row_upper=[1], maximize=True)
    assert all("window" not in step.state for step in trace(program))


def test_an_unknown_jumps_to_its_other_bound() -> None:
    program = LinearProgram([1, 1], [[1, 1]], row_upper=[9], upper=[2, 3], maximize=True)
    steps = list(trace(program))
    assert [state["leaving"] for state in moments(steps, "choice")] == [None, None]
    assert steps[1].caption == "x0 enters: each unit earns 1. Nothing stops it before its own other bound, after 2."
    assert steps[2].caption == "x0 jumps to its other bound. We stand at (2, 0), and the objective rises to 2."
    assert steps[-1].state["x"].tolist() == [2, 3]
    assert all(all(step.invariants.values()) for step in steps)


def test_the_limit_on_steps() -> None:
    steps = list(trace(DAIRY, maxiter=1))
    assert steps[-1].state["status"] == "limit"
    assert [step.state["moment"] for step in steps] == ["start", "choice", "step", "end"]
    assert len(list(trace(DAIRY, maxiter=2))) == 6, "the last step is allowed to be proved the best"


def test_a_wrong_step_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    def slip(tableau: Any, rule: int, column: int, row: int, length: float) -> None:
        take(tableau, rule, column, row, length)
        tableau.entries[0, 0] += 0.01

    def fall_short(tableau: Any, rule: int, column: int, row: int, length: float) -> None:
        take(tableau, rule, column, row, 0.9 * length)

    for wrong, broken in ((slip, "rows and costs hold for every x"), (fall_short, "the values are those of A\u00a0x")):
        monkeypatch.setattr(module, "take", wrong)
        assert not next(step for step in trace(DAIRY) if step.state["moment"] == "step").invariants[broken]


def test_state_is_not_written_to_later() -> None:
    steps = trace(DAIRY)
    first = next(steps)
    kept = {name: np.array(first.state[name]) for name in ("entries", "costs", "values", "x", "rows")}
    list(steps)
    for name, value in kept.items():
        np.testing.assert_array_equal(first.state[name], value)


def test_the_question_is_the_same_whether_a_column_improves_or_none() -> None:
    asked = {step.question for step in trace(DAIRY) if step.state["moment"] in ("choice", "end")}
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pricing": "cheapest"}, "pricing is 'cheapest'"),
        ({"ratio_test": "best"}, "ratio_test is 'best'"),
        ({"maxiter": -1}, "maxiter is -1"),
    ],
)
def test_misuse(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        next(trace(DAIRY, **options))


def test_the_picture_tells_its_story() -> None:
    told = record("tableau")
    ends = moments(list(told.steps), "end")
    assert [state["status"] for state in ends] == ["optimal", "infeasible"]
    assert {state["phase"] for state in moments(list(told.steps), "choice")} == {1, 2}
    names = [{mark.key for mark in scene.marks if mark.key.startswith("name ")} for scene in told.scenes]
    assert all(shown == {f"name {k}" for k in range(6)} for shown in names), "a name keeps its mark"
    for scene, step in zip(told.scenes, told.steps, strict=True):
        keys = {mark.key for mark in scene.marks}
        assert {"polygon", "level", "path", "point"} - keys <= (
            {"polygon"} if not len(step.state["polygon"]) else set()
        )
        assert ({"entering", "leaving", "pivot"} <= keys) == (step.state["moment"] == "choice")


@given(seed=st.integers(0, 2**32 - 1))
def test_any_program_is_drawn_inside_its_scene(seed: int) -> None:
    for scene in record("tableau", trace(random_program(seed))).scenes:
        for mark in scene.marks:
            place = mark.attributes
            assert 0 <= float(place["x"]) <= float(place["x"]) + float(place.get("width", 0)) <= scene.width, mark
            assert 0 <= float(place["y"]) <= float(place["y"]) + float(place.get("height", 0)) <= scene.height, mark
