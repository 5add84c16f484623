"""The trace shows the solver's own iterates, and what it says of their error is so."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from smlib.datasets.plates import heated_plate
from smlib.errors import InputError
from smlib.numerics import gauss_seidel, jacobi, optimal_omega, sor, ssor
from smlib.numerics.stationary import trace as module
from smlib.numerics.stationary.sweeps import Method
from smlib.numerics.stationary.trace import split_error, trace

OMEGA = 1.3
SOLVERS = {
    "jacobi": lambda A, b, x0, k: jacobi(A, b, x0, maxiter=k),
    "gauss_seidel": lambda A, b, x0, k: gauss_seidel(A, b, x0, maxiter=k),
    "sor": lambda A, b, x0, k: sor(A, b, OMEGA, x0, maxiter=k),
    "ssor": lambda A, b, x0, k: ssor(A, b, OMEGA, x0, maxiter=k),
}
METHODS: list[Method] = ["jacobi", "gauss_seidel", "sor", "ssor"]


def omega_of(method: Method) -> float | None:
    return OMEGA if method in ("sor", "ssor") else None


@pytest.mark.interpreted
@pytest.mark.parametrize("method", METHODS)
def test_steps_are_the_solvers_own_iterates(method: Method) -> None:
    A, b = heated_plate(5, left=30.0, bottom=-20.0)
    steps = list(trace(A, b, method, 4, omega=omega_of(method)))
    assert [step.state["sweep"] for step in steps] == [0, 1, 2, 3, 4]
    solution = scipy.sparse.linalg.spsolve(A.tocsc(), b)
    for k, step in enumerate(steps):
        solved = SOLVERS[method](A, b, None, k)
        np.testing.assert_array_equal(step.state["temperatures"].ravel(), solved.x)
        np.testing.assert_allclose(step.state["error"].ravel(), solved.x - solution, atol=1e-9)
        assert step.state["residual_norm"] == pytest.approx(solved.residual_norms[-1], rel=1e-12)
        assert all(step.invariants.values()), step.invariants


@given(
    m=st.integers(3, 7),
    edges=st.lists(st.integers(-100, 100), min_size=4, max_size=4),
    method=st.sampled_from(METHODS),
    omega=st.floats(0.05, 1.95),
    seed=st.integers(0, 2**32 - 1),
)
def test_invariants_hold_from_any_start(m: int, edges: list[int], method: Method, omega: float, seed: int) -> None:
    top, right, bottom, left = edges
    A, b = heated_plate(m, top=top, right=right, bottom=bottom, left=left)
    start = np.random.default_rng(seed).uniform(-200.0, 200.0, b.size)
    relaxation = omega if method in ("sor", "ssor") else None
    for step in trace(A, b, method, 5, omega=relaxation, x0=start):
        assert all(step.invariants.values()), step.invariants


def test_invariants_hold_after_convergence() -> None:
    A, b = heated_plate(4)
    for step in trace(A, b, "sor", 60, omega=optimal_omega(A)):
        assert all(step.invariants.values()), (step.caption, step.invariants)


def test_invariants_hold_on_a_plate_of_one_temperature() -> None:
    A, b = heated_plate(4, top=0.0)
    for step in trace(A, b, "gauss_seidel", 3):
        assert all(step.invariants.values()), step.invariants
        assert step.state["residual_norm"] == 0.0


def test_a_wrong_sweep_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    A, b = heated_plate(4)
    monkeypatch.setattr(module, "bind_sweep", lambda *arguments: lambda x: x - 0.1 * b)
    broken = {name for step in trace(A, b, "gauss_seidel", 5) for name, holds in step.invariants.items() if not holds}
    assert broken == {"all temperatures lie within those of edges and start", "the energy of the error has not grown"}


def sine_mode(m: int, p: int, q: int) -> NDArray[np.float64]:
    at = np.arange(1, m + 1) * math.pi / (m + 1)
    return np.outer(np.sin(p * at), np.sin(q * at))


@pytest.mark.parametrize(
    ("p", "q", "smooth"), [(1, 1, True), (3, 3, True), (4, 1, False), (1, 5, False), (7, 7, False)]
)
def test_a_mode_is_smooth_or_rough(p: int, q: int, smooth: bool) -> None:
    mode = sine_mode(7, p, q)
    parts = split_error(mode)
    size = float(np.sqrt(np.mean(mode**2)))
    assert parts == pytest.approx((size, 0.0) if smooth else (0.0, size), abs=1e-14)


def test_jacobi_turns_the_roughest_mode_and_all_but_keeps_its_size() -> None:
    m = 9
    A, _ = heated_plate(m, top=0.0)
    start = 50.0 * sine_mode(m, m, m)
    steps = list(trace(A, np.zeros(m * m), "jacobi", 1, x0=start.ravel()))
    np.testing.assert_allclose(steps[1].state["temperatures"], -math.cos(math.pi / (m + 1)) * start, atol=1e-12)


def test_state_is_not_written_to_later() -> None:
    A, b = heated_plate(4)
    steps = trace(A, b, "gauss_seidel", 3)
    first = next(steps)
    kept = first.state["temperatures"].copy()
    list(steps)
    np.testing.assert_array_equal(first.state["temperatures"], kept)
    assert len(first.state["smooth"]) == 1


def test_edges_are_read_off_the_equations() -> None:
    A, b = heated_plate(4, top=100.0, right=50.0, bottom=-10.0, left=20.0)
    state = next(trace(A, b, "jacobi", 0)).state
    top, right, bottom, left = state["edges"]
    assert top.tolist() == [60.0, 100.0, 100.0, 75.0]
    assert right.tolist() == [75.0, 50.0, 50.0, 20.0]
    assert bottom.tolist() == [5.0, -10.0, -10.0, 20.0]
    assert left.tolist() == [60.0, 20.0, 20.0, 5.0]
    assert (state["coldest"], state["hottest"]) == (-10.0, 100.0)


def test_questions_do_not_give_the_answer_away() -> None:
    A, b = heated_plate(6)
    for step in trace(A, b, "gauss_seidel", 12):
        assert f"{step.state['smooth'][-1]:.3g}°" not in step.question


def test_only_plates_can_be_traced() -> None:
    A, b = heated_plate(3)
    with pytest.raises(InputError, match="5-point"):
        next(trace(2.0 * A, b, "jacobi", 1))
    with pytest.raises(InputError, match="5-point"):
        next(trace([[4.0, -1.0], [-1.0, 4.0]], [1.0, 1.0], "jacobi", 1))
    with pytest.raises(InputError, match=r"b\[4\] is 1"):
        next(trace(A, np.ones(9), "jacobi", 1))
    with pytest.raises(InputError, match="omega"):
        next(trace(A, b, "sor", 1))
    with pytest.raises(InputError, match="sweeps is -1"):
        next(trace(A, b, "jacobi", -1))
    with pytest.raises(InputError, match="x0 has shape"):
        next(trace(A, b, "jacobi", 1, x0=np.zeros(4)))
