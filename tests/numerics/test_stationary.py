"""Stationary iterations: the book's numbers, the laws of the essay, SciPy and pyamg as references, and bad input."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given
from hypothesis import strategies as st

from smlib.datasets.plates import grid_laplacian, heated_plate
from smlib.errors import InputError
from smlib.numerics import (
    as_csr,
    gauss_seidel,
    iteration_matrix,
    jacobi,
    optimal_omega,
    red_black_permutation,
    sor,
    spectral_radius,
    ssor,
    sweep,
)
from smlib.numerics.stationary.sweeps import Method
from tests.conftest import require

METHODS: tuple[tuple[Method, float | None], ...] = (
    ("jacobi", None),
    ("gauss_seidel", None),
    ("sor", 0.7),
    ("sor", 1.4),
    ("ssor", 1.3),
)

# Burden & Faires, Numerical Analysis, section 7.3, examples 1 and 3: the same system of four equations.
BOOK_A = [[10.0, -1.0, 2.0, 0.0], [-1.0, 11.0, -1.0, 3.0], [2.0, -1.0, 10.0, -1.0], [0.0, 3.0, -1.0, 8.0]]
BOOK_B = [6.0, 25.0, -11.0, 15.0]
BOOK_JACOBI = {
    1: [0.6000, 2.2727, -1.1000, 1.8750],
    2: [1.0473, 1.7159, -0.8052, 0.8852],
    5: [0.9890, 2.0114, -1.0103, 1.0214],
    10: [1.0001, 1.9998, -0.9998, 0.9998],
}
BOOK_GAUSS_SEIDEL = {
    1: [0.6000, 2.3272, -0.9873, 0.8789],
    2: [1.0302, 2.0369, -1.0144, 0.9843],
    5: [1.0001, 2.0000, -1.0000, 1.0000],
}
# The same, section 7.4, example 1: SOR with omega = 1.25 on a symmetric system.
SOR_A = [[4.0, 3.0, 0.0], [3.0, 4.0, -1.0], [0.0, -1.0, 4.0]]
SOR_B = [24.0, 30.0, -24.0]
BOOK_SOR = {
    1: [6.312500, 3.5195313, -6.6501465],
    2: [2.6223145, 3.9585266, -4.6004238],
    7: [3.0000498, 4.0002586, -5.0003486],
}


def after(A: Any, b: Any, method: Method, k: int, omega: float | None = None, start: float = 0.0) -> np.ndarray:
    x = np.full(len(b), start)
    sweep(A, b, x, method, k, omega=omega)
    return x


@pytest.mark.interpreted
def test_the_books_iterates() -> None:
    for k, x in BOOK_JACOBI.items():
        np.testing.assert_allclose(after(BOOK_A, BOOK_B, "jacobi", k), x, atol=5e-5)
    for k, x in BOOK_GAUSS_SEIDEL.items():
        np.testing.assert_allclose(after(BOOK_A, BOOK_B, "gauss_seidel", k), x, atol=1e-4)
    for k, x in BOOK_SOR.items():
        np.testing.assert_allclose(after(SOR_A, SOR_B, "sor", k, 1.25, start=1.0), x, atol=5e-7)


@pytest.mark.interpreted
def test_the_books_best_omega() -> None:
    """Section 7.4, example 2: the spectral radius of Jacobi is sqrt(0.625), so the best omega is about 1.24."""
    assert spectral_radius(SOR_A, "jacobi") == pytest.approx(math.sqrt(0.625), abs=1e-12)
    assert optimal_omega(SOR_A) == pytest.approx(2.0 / (1.0 + math.sqrt(0.375)), abs=1e-7)


def test_the_essays_numbers() -> None:
    A, b = [[4, -1], [-1, 4]], [7, 2]
    np.testing.assert_array_equal(after(A, b, "jacobi", 2), [1.875, 0.9375])
    np.testing.assert_array_equal(after(A, b, "gauss_seidel", 2), [1.984375, 0.99609375])
    assert spectral_radius(A, "jacobi") == pytest.approx(1 / 4)
    assert spectral_radius(A, "gauss_seidel") == pytest.approx(1 / 16)


@st.composite
def systems(draw: st.DrawFn, *, definite: bool = False, largest: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Draw a system that is strictly diagonally dominant by rows or, if asked for, symmetric positive definite."""
    n = draw(st.integers(1, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    A = rng.standard_normal((n, n)) * (rng.random((n, n)) < draw(st.floats(0.1, 1.0)))
    if definite:
        A = A @ A.T + draw(st.floats(0.1, 2.0)) * np.eye(n)
    else:
        np.fill_diagonal(A, 0.0)
        np.fill_diagonal(A, (np.abs(A).sum(axis=1) * 1.2 + 0.1) * rng.choice([-1.0, 1.0], n))
    return A, rng.standard_normal(n)


@pytest.mark.interpreted
@given(systems())
def test_strict_dominance_makes_all_converge_to_scipys_solution(system: tuple[np.ndarray, np.ndarray]) -> None:
    A, b = system
    expected = np.linalg.solve(A, b)
    for result in (
        jacobi(A, b, rtol=1e-11),
        gauss_seidel(A, b, rtol=1e-11),
        gauss_seidel(A, b, rtol=1e-11, order="backward"),
        gauss_seidel(scipy.sparse.csc_array(A), b, rtol=1e-11, order="symmetric"),
        sor(A, b, 0.9, rtol=1e-11),
    ):
        assert result.success, result
        np.testing.assert_allclose(result.x, expected, rtol=1e-8, atol=1e-9)


@given(systems(definite=True, largest=6), st.floats(0.2, 1.8))
def test_definite_matrices_make_the_successive_methods_converge(
    system: tuple[np.ndarray, np.ndarray], omega: float
) -> None:
    A, _ = system
    for method in ("gauss_seidel", "sor", "ssor"):
        assert spectral_radius(A, method, None if method == "gauss_seidel" else omega) < 1.0


@given(systems(), st.sampled_from(METHODS))
def test_the_solution_is_a_fixed_point(system: tuple[np.ndarray, np.ndarray], method: tuple[Method, float]) -> None:
    A, _ = system
    x = np.arange(1.0, len(A) + 1.0)
    y = x.copy()
    sweep(A, A @ x, y, method[0], 3, omega=method[1])
    np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-12)


@given(systems(), st.integers(1, 4))
def test_sor_with_omega_one_is_gauss_seidel(system: tuple[np.ndarray, np.ndarray], k: int) -> None:
    A, b = system
    np.testing.assert_array_equal(after(A, b, "sor", k, 1.0), after(A, b, "gauss_seidel", k))
    both = gauss_seidel(A, b, order="symmetric", maxiter=k, rtol=0.0)
    np.testing.assert_array_equal(after(A, b, "ssor", k, 1.0), both.x)


@given(systems())
def test_backward_is_forward_on_the_reversed_system(system: tuple[np.ndarray, np.ndarray]) -> None:
    A, b = system
    backward = gauss_seidel(A, b, order="backward", maxiter=1, rtol=0.0).x
    forward = gauss_seidel(A[::-1, ::-1], b[::-1], maxiter=1, rtol=0.0).x
    np.testing.assert_allclose(backward, forward[::-1], rtol=1e-12, atol=1e-14)


@given(systems(), st.sampled_from(METHODS))
def test_the_iteration_matrix_is_the_textbooks(
    system: tuple[np.ndarray, np.ndarray], method: tuple[Method, float]
) -> None:
    """T = I - M^-1 A, with M as in Saad, section 4.1."""
    A, _ = system
    D, L, U = np.diag(np.diag(A)), np.tril(A, -1), np.triu(A, 1)
    name, relaxation = method
    omega = relaxation or 1.0
    M = {
        "jacobi": D,
        "gauss_seidel": D + L,
        "sor": D / omega + L,
        "ssor": omega / (2 - omega) * (D / omega + L) @ np.linalg.inv(D) @ (D / omega + U),
    }[name]
    expected = np.eye(len(A)) - np.linalg.solve(M, A)
    np.testing.assert_allclose(iteration_matrix(A, *method), expected, rtol=1e-9, atol=1e-9)


@given(systems(), st.sampled_from(METHODS))
def test_the_spectral_radius_is_numpys(system: tuple[np.ndarray, np.ndarray], method: tuple[Method, float]) -> None:
    A, _ = system
    T = iteration_matrix(A, *method)
    expected = np.abs(np.linalg.eigvals(T)).max()
    # Where an eigenvalue is ill conditioned (nearly zero, nearly defective) neither side knows it to 12 digits.
    assert spectral_radius(A, *method) == pytest.approx(expected, rel=1e-6, abs=1e-4)


def test_the_spectral_radius_of_a_nilpotent_matrix_is_zero() -> None:
    assert spectral_radius(np.triu(np.ones((4, 4))), "jacobi") == 0.0
    assert spectral_radius(np.triu(np.ones((4, 4))), "gauss_seidel") < 1e-3
    assert spectral_radius([[5.0]], "gauss_seidel") < 1e-15


@given(systems(), st.sampled_from(METHODS), st.integers(0, 5))
def test_sweeps_multiply_the_error_by_the_iteration_matrix(
    system: tuple[np.ndarray, np.ndarray], method: tuple[Method, float], k: int
) -> None:
    A, _ = system
    x = np.linspace(-1.0, 1.0, len(A))
    name, omega = method
    error = after(A, A @ x, name, k, omega) - x
    np.testing.assert_allclose(
        error, np.linalg.matrix_power(iteration_matrix(A, *method), k) @ -x, rtol=1e-8, atol=1e-10
    )


@pytest.mark.parametrize(("method", "omega"), METHODS)
def test_the_predicted_rate_is_met(method: Method, omega: float | None) -> None:
    A = grid_laplacian(8, 8)
    norms = []
    x = np.random.default_rng(3).standard_normal(64)
    for _ in range(12):
        sweep(A, np.zeros(64), x, method, 10, omega=omega)
        norms.append(np.linalg.norm(x))
    measured = (norms[-1] / norms[-7]) ** (1 / 60)
    assert measured == pytest.approx(spectral_radius(A, method, omega), rel=2e-3)


@given(systems(), st.sampled_from(["jacobi", "gauss_seidel", "sor", "ssor"]), st.integers(0, 30))
def test_the_residuals_are_true_ones(system: tuple[np.ndarray, np.ndarray], name: str, maxiter: int) -> None:
    A, b = system
    seen: list[np.ndarray] = []
    solvers: dict[str, Any] = {"jacobi": jacobi, "gauss_seidel": gauss_seidel, "sor": sor, "ssor": ssor}
    relaxation = (0.9,) if name in ("sor", "ssor") else ()
    result = solvers[name](A, b, *relaxation, maxiter=maxiter, callback=lambda x: seen.append(x.copy()))
    iterates = [np.zeros(len(b)), *seen]
    expected = [np.linalg.norm(b - A @ x) for x in iterates]
    np.testing.assert_allclose(result.residual_norms, expected, rtol=1e-9, atol=1e-13)
    np.testing.assert_array_equal(result.x, iterates[-1])
    assert result.nit == len(seen) <= maxiter
    assert result.success == (result.residual_norms[-1] <= 1e-8 * np.linalg.norm(b))
    assert result.status == (0 if result.success else 1)


def test_the_sparse_solution_is_spsolves() -> None:
    A, b = heated_plate(30, top=100.0, right=50.0, bottom=10.0, left=75.0)
    omega = optimal_omega(A)
    result = sor(A, b, omega, rtol=1e-12)
    np.testing.assert_allclose(result.x, scipy.sparse.linalg.spsolve(A.tocsc(), b), rtol=1e-9)
    assert result.nit < jacobi(A, b, rtol=1e-12).nit / 20


def test_sweeps_are_pyamgs() -> None:
    relaxation = require("pyamg.relaxation.relaxation")
    for A in (grid_laplacian(20, 20), grid_laplacian(7, 8, 9), grid_laplacian(20, 20, weights=(1.0, 1000.0))):
        b = np.random.default_rng(0).standard_normal(A.shape[0])
        pairs: list[tuple[Method, float | None, str, dict[str, Any]]] = [
            ("jacobi", None, "jacobi", {}),
            ("gauss_seidel", None, "gauss_seidel", {}),
            ("sor", 1.5, "sor", {"omega": 1.5}),
            ("ssor", 1.0, "gauss_seidel", {"sweep": "symmetric"}),
        ]
        for method, omega, theirs, options in pairs:
            x = np.zeros(A.shape[0])
            getattr(relaxation, theirs)(A, x, b, iterations=5, **options)
            np.testing.assert_allclose(after(A, b, method, 5, omega), x, rtol=1e-12, atol=1e-13)


def test_red_and_black_halves_are_diagonal_and_have_the_same_fixed_point() -> None:
    A, b = heated_plate(7)
    p = red_black_permutation(A)
    assert sorted(p) == list(range(49))
    B = A[p][:, p]
    red = 25
    for block in (B[:red, :red], B[red:, red:]):
        assert (block - scipy.sparse.diags_array(block.diagonal())).nnz == 0
    permuted = gauss_seidel(B, b[p], rtol=1e-12).x
    np.testing.assert_allclose(permuted, gauss_seidel(A, b, rtol=1e-12).x[p], rtol=1e-9)


@given(st.integers(0, 2**32), st.integers(1, 12), st.floats(0.0, 0.4))
def test_two_colours_are_found_exactly_where_they_exist(seed: int, n: int, density: float) -> None:
    networkx = require("networkx")
    A = scipy.sparse.random_array((n, n), density=density, rng=seed) + scipy.sparse.eye_array(n)
    graph = networkx.from_scipy_sparse_array(abs(A) + abs(A.T))
    graph.remove_edges_from(networkx.selfloop_edges(graph))
    if not networkx.is_bipartite(graph):
        with pytest.raises(InputError, match="two colours do not suffice"):
            red_black_permutation(A)
        return
    p = red_black_permutation(A)
    assert sorted(p) == list(range(n))
    halves = [block for red in range(n + 1) for block in [(p[:red], p[red:])] if _uncoupled(A, *block)]
    assert halves


def _uncoupled(A: Any, *parts: np.ndarray) -> bool:
    dense = A.toarray()
    return all(not (dense[np.ix_(part, part)] - np.diag(np.diag(dense[np.ix_(part, part)]))).any() for part in parts)


@pytest.mark.parametrize("A", [grid_laplacian(40), grid_laplacian(9, 12), grid_laplacian(4, 5, 6)])
def test_the_best_omega_is_best_and_the_rate_is_omega_minus_one(A: Any) -> None:
    best = optimal_omega(A)
    at_best = spectral_radius(A, "sor", best)
    assert at_best == pytest.approx(best - 1.0, abs=2e-3)
    for other in (best - 0.02, best + 0.02):
        assert spectral_radius(A, "sor", other) > at_best


def test_the_best_omega_of_a_plate_is_known_in_closed_form() -> None:
    for m in (1, 2, 10, 50):
        assert optimal_omega(grid_laplacian(m, m)) == pytest.approx(2.0 / (1.0 + math.sin(math.pi / (m + 1))), abs=1e-6)


def test_the_best_omega_without_symmetry() -> None:
    A = np.array([[4.0, 1.0, 0.0], [2.0, 4.0, 1.0], [0.0, 2.0, 4.0]])
    best = optimal_omega(A)
    assert best == pytest.approx(2.0 / (1.0 + math.sqrt(1.0 - 0.25)), abs=1e-9)


def test_what_is_not_consistently_ordered_is_refused() -> None:
    with pytest.raises(InputError, match="not consistently ordered"):
        optimal_omega([[4.0, 1.0, 1.0], [1.0, 4.0, 1.0], [1.0, 1.0, 4.0]])
    A = grid_laplacian(2, 2).toarray()
    p = [0, 3, 1, 2]
    assert optimal_omega(A[p][:, p]) > 1.0
    p = [0, 1, 3, 2]  # a circle of four, numbered round: levels 0, 1, 2, 3 and back to 0
    with pytest.raises(InputError, match="not consistently ordered"):
        optimal_omega(A[p][:, p])
    with pytest.raises(InputError, match="Jacobi's method does not converge"):
        optimal_omega([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize("scale", [1e-290, 1e-200, 1.0, 1e200])
def test_tiny_and_huge_systems_are_solved_as_well(scale: float) -> None:
    with np.errstate(all="raise"):
        result = gauss_seidel([[4.0, -1.0], [-1.0, 4.0]], [7.0 * scale, 2.0 * scale], [scale, 0.0])
    assert result.success
    np.testing.assert_allclose(result.x, [2.0 * scale, scale], rtol=1e-7)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_divergence_is_a_status_and_early(scale: float) -> None:
    with np.errstate(all="raise"):
        result = jacobi([[1.0, 2.0], [2.0, 1.0]], [scale, 2.0 * scale])
    assert (result.success, result.status) == (False, 3)
    assert result.nit < 40
    assert np.isfinite(result.x).all()
    assert "diverged" in result.message


def test_an_overflow_at_the_start_is_numerical_trouble() -> None:
    result = gauss_seidel([[2.0, 1.0], [1.0, 2.0]], [1.7e308, 1.7e308])
    assert (result.success, result.status, result.nit) == (False, 4, 0)
    assert "divide A and b" in result.message


def test_the_limit_is_a_status_and_the_start_is_left_alone() -> None:
    A, b = heated_plate(10)
    x0 = np.full(100, 3.0)
    result = jacobi(A, b, x0, maxiter=5)
    assert (result.success, result.status, result.nit, len(result.residual_norms)) == (False, 1, 5, 6)
    assert "raise maxiter" in result.message
    np.testing.assert_array_equal(x0, 3.0)
    assert gauss_seidel(A, b, result.x, maxiter=0).nit == 0


def test_a_solution_to_start_with_takes_no_sweep() -> None:
    assert gauss_seidel([[2.0]], [4.0], [2.0]).nit == 0
    result = gauss_seidel(np.eye(3), np.zeros(3))
    assert (result.success, result.nit) == (True, 0)


def test_a_start_far_from_a_tiny_or_zero_right_hand_side() -> None:
    A = [[4.0, -1.0], [-1.0, 4.0]]
    result = gauss_seidel(A, [0.0, 0.0], [1.0, 1.0], atol=1e-10)
    assert result.success
    assert np.abs(result.x).max() < 1e-10
    result = gauss_seidel(A, [1e-200, 0.0], [1e5, 1.0])
    assert result.success
    np.testing.assert_allclose(result.x, np.linalg.solve(A, [1.0, 0.0]) * 1e-200, rtol=1e-7)


def test_atol_counts_where_it_is_larger() -> None:
    A, b = heated_plate(10)
    result = gauss_seidel(A, b, rtol=0.0, atol=1e-3)
    assert result.success
    before, last = result.residual_norms[-2:]
    assert last <= 1e-3 < before


def test_input_is_not_changed() -> None:
    A, b = heated_plate(5)
    before = A.copy(), b.copy()
    for result in (jacobi(A, b), gauss_seidel(A, b), sor(A, b, 1.5), ssor(A, b, 1.5)):
        assert result.success
    assert (before[0] != A).nnz == 0
    np.testing.assert_array_equal(b, before[1])


GOOD: tuple[Any, Any] = ([[4.0, -1.0], [-1.0, 4.0]], [7.0, 2.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jacobi([[1.0, 2.0], [3.0, 0.0]], [1, 1]), r"A\[1, 1\] is 0, and a sweep divides by the diagonal"),
        (lambda: jacobi(scipy.sparse.csr_array(np.array([[0.0, 2.0], [3.0, 1.0]])), [1, 1]), r"A\[0, 0\] is 0"),
        (lambda: gauss_seidel([[1.0, np.nan], [3.0, 1.0]], [1, 1]), r"A\[0, 1\] is nan"),
        (lambda: gauss_seidel(GOOD[0], [1.0, np.inf]), r"b\[1\] is inf"),
        (lambda: gauss_seidel(GOOD[0], [1.0, 2.0], [np.nan, 0.0]), r"x0\[0\] is nan"),
        (lambda: gauss_seidel(GOOD[0], [1.0]), r"b has shape \(1,\), but shape \(2,\)"),
        (lambda: gauss_seidel([[1.0, 2.0]], [1.0]), r"A has shape \(1, 2\); it must be square"),
        (lambda: gauss_seidel(np.zeros((0, 0)), []), "with at least one row"),
        (lambda: sor(*GOOD, 2.0), r"omega is 2.0; it must lie between 0 and 2"),
        (lambda: ssor(*GOOD, 0.0), r"omega is 0.0; it must lie between 0 and 2"),
        (lambda: sor(*GOOD, float("nan")), "omega is nan"),
        (lambda: gauss_seidel(*GOOD, order="sideways"), "order is 'sideways'"),  # type: ignore[arg-type]
        (lambda: gauss_seidel(*GOOD, rtol=-1.0), "rtol is -1.0"),
        (lambda: gauss_seidel(*GOOD, maxiter=-1), "maxiter is -1"),
        (lambda: sweep(*GOOD, np.zeros(2), "gauss", 1), "method is 'gauss'"),  # type: ignore[arg-type]
        (lambda: sweep(*GOOD, np.zeros(2), "sor", 1), "sor needs omega"),
        (lambda: sweep(*GOOD, np.zeros(2), "jacobi", 1, omega=1.5), "jacobi has no omega"),
        (lambda: sweep(*GOOD, np.zeros(2, dtype=int), "jacobi", 1), "x is changed in place"),
        (lambda: sweep(*GOOD, [0.0, 0.0], "jacobi", 1), "x is changed in place"),  # type: ignore[arg-type]
        (lambda: sweep(*GOOD, np.zeros(3), "jacobi", 1), r"x has shape \(3,\)"),
        (lambda: sweep(*GOOD, np.zeros(2), "jacobi", -1), "k is -1"),
        (lambda: iteration_matrix(scipy.sparse.eye_array(20_000), "jacobi"), "A has 20000 unknowns"),
        (lambda: spectral_radius([[1.0, 2.0]], "jacobi"), "must be square"),
        (lambda: red_black_permutation([[1.0, 2.0]]), "must be square"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.untrusted
@given(st.integers(0, 2**32), st.integers(-3, 40), st.integers(-(2**31), 2**31 - 1))
def test_damaged_indices_never_reach_a_sweep(seed: int, place: int, value: int) -> None:
    A = grid_laplacian(4, 4)
    rng = np.random.default_rng(seed)
    array = A.indices if rng.random() < 0.5 else A.indptr
    array[place % array.size] = value
    x = np.zeros(16)
    try:
        sweep(A, np.ones(16), x, "gauss_seidel", 2)
        jacobi(A, np.ones(16), maxiter=2)
        red_black_permutation(A)
    except InputError:
        return
    assert np.isfinite(x).all()


@pytest.mark.real_data
def test_matrices_of_the_harwell_boeing_collection(real_data: Path) -> None:
    """LFAT5 is symmetric positive definite, of condition 1e8; the others mostly diverge, and say so."""
    folder = real_data / "matrices"
    known = json.loads((folder / "known_answers_matrices.json").read_text())
    for name in ("LFAT5.mtx", "jagmesh7.mtx.gz", "olm1000.mtx.gz", "cryg2500.mtx.gz", "bcsstk13.mtx.gz"):
        opened = gzip.open if name.endswith(".gz") else open
        with opened(folder / name, "rb") as file:
            A = scipy.sparse.csr_array(scipy.io.mmread(file))
        rows = as_csr(A)
        assert rows.shape == (known[name]["rows"], known[name]["cols"])
        assert math.sqrt(float(rows.data @ rows.data)) == pytest.approx(known[name]["fro"], rel=1e-12)
        b = A @ np.ones(A.shape[0])
        if (A.diagonal() == 0.0).any():
            with pytest.raises(InputError, match="divides by the diagonal"):
                gauss_seidel(A, b)
            continue
        result = gauss_seidel(A, b, maxiter=20_000)
        if not np.isfinite(result.x).all():
            assert result.status == 3
            continue
        true_residual = math.hypot(*(b - A @ result.x))
        assert result.residual_norms[-1] == pytest.approx(true_residual, rel=1e-6, abs=1e-9 * math.hypot(*b))
        assert result.success == (result.status == 0) == (true_residual <= 1e-8 * np.linalg.norm(b))
        if known[name].get("spd"):
            assert result.success
            assert np.linalg.norm(result.x - 1.0) <= 1.01 * true_residual / known[name]["sigma_min"]


@pytest.mark.slow
def test_a_million_unknowns() -> None:
    A = grid_laplacian(1000, 1000)
    x = np.random.default_rng(0).standard_normal(10**6)
    y = x.copy()
    sweep(A, A @ x, y, "gauss_seidel", 2)
    np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-12)


def test_nothing_is_wrong_with_one_unknown() -> None:
    for method, omega in METHODS:
        np.testing.assert_allclose(after([[2.0]], [4.0], method, 60, omega), [2.0])
