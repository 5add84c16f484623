"""Cases of stationary iterations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.datasets.plates import grid_laplacian, heated_plate
from smlib.numerics import CSRMatrix, LinearResult, as_csr, matvec, optimal_omega, sor, spectral_radius, sweep
from smlib.numerics.stationary.sweeps import Method

SWEEPS = 10
TOLERANCE = 1e-8
OMEGA = 1.5


class Plate(NamedTuple):
    """A plate with its top edge at 100 degrees, the others at 0; the best omega is known in closed form."""

    A: scipy.sparse.csr_array
    rows: CSRMatrix
    b: Vector
    m: int
    omega: float


def _plate(size: int) -> Plate:
    m = math.isqrt(size)
    A, b = heated_plate(m)
    return Plate(A, as_csr(A), b, m, 2.0 / (1.0 + math.sin(math.pi / (m + 1))))


def _solve_plate(plate: Plate) -> LinearResult:
    return sor(plate.rows, plate.b, plate.omega, rtol=TOLERANCE)


def _direct_plate(plate: Plate) -> Vector:
    return np.asarray(scipy.sparse.linalg.spsolve(plate.A.tocsc(), plate.b))


def _pyamg_plate(plate: Plate) -> Vector:
    from pyamg.relaxation.relaxation import sor as pyamg_sor

    x = np.zeros_like(plate.b)
    target = TOLERANCE * np.linalg.norm(plate.b)
    while np.linalg.norm(plate.b - plate.A @ x) > target:
        pyamg_sor(plate.A, x, plate.b, plate.omega)
    return x


def _same_temperatures(plate: Plate, ours: LinearResult, theirs: Vector) -> Agreement:
    difference = float(np.abs(ours.x - theirs).max())
    return Agreement(ours.success and difference <= 1e-4, f"largest difference {difference:.1e} degrees")


def _tell_plate(plate: Plate, result: LinearResult) -> Sequence[str]:
    grid = result.x.reshape(plate.m, plate.m)
    return [
        f"{grid[plate.m // 2, plate.m // 2]:.4f} degrees, after {result.nit} sweeps of SOR, omega = {plate.omega:.4f}",
        *_shade(grid),
    ]


def _shade(grid: np.ndarray) -> list[str]:
    """Draw temperatures from 0 to 100 degrees with characters from light to dark."""
    scale = ".,:;=+*#%@"
    rows, columns = (np.linspace(0, len(grid) - 1, count).round().astype(int) for count in (11, 36))
    return ["".join(scale[min(int(grid[r, c] / 10.0), 9)] for c in columns) for r in rows]


def _prove_plate(plate: Plate, result: LinearResult) -> dict[str, bool]:
    grid = result.x.reshape(plate.m, plate.m)
    middle = float(grid[plate.m // 2, plate.m // 2])
    residual = float(np.linalg.norm(plate.b - plate.A @ result.x) / np.linalg.norm(plate.b))
    return {
        f"residual, recomputed with SciPy: {residual:.1e} of |b|": residual <= 1.01 * TOLERANCE,
        "the middle has 25 degrees: four such plates, turned, add up to 100 everywhere": abs(middle - 25.0) < 1e-4,
        "no point is colder than the coldest edge or warmer than the warmest": 0.0 <= grid.min() <= grid.max() <= 100.0,
        "left and right mirror each other": bool(np.abs(grid - grid[:, ::-1]).max() < 1e-4),
    }


class Grid(NamedTuple):
    """A grid problem with a right-hand side and a start vector drawn from a seed."""

    A: scipy.sparse.csr_array
    rows: CSRMatrix
    b: Vector
    x: Vector


def _grid(A: scipy.sparse.csr_array) -> Grid:
    rng = np.random.default_rng(1)
    return Grid(A, as_csr(A), rng.standard_normal(A.shape[0]), rng.standard_normal(A.shape[0]))


def _square_grid(size: int) -> Grid:
    return _grid(grid_laplacian(math.isqrt(size), math.isqrt(size)))


def _stretched_grid(size: int) -> Grid:
    return _grid(grid_laplacian(math.isqrt(size), math.isqrt(size), weights=(1.0, 1000.0)))


def _cube_grid(size: int) -> Grid:
    m = round(size ** (1 / 3))
    return _grid(grid_laplacian(m, m, m))


def _our_sweeps(grid: Grid, method: Method, omega: float | None = None) -> Vector:
    x = grid.x.copy()
    sweep(grid.rows, grid.b, x, method, SWEEPS, omega=omega)
    return x


def _pyamg_sweeps(grid: Grid, name: str, **options: Any) -> Vector:
    from pyamg.relaxation import relaxation

    x = grid.x.copy()
    getattr(relaxation, name)(grid.A, x, grid.b, iterations=SWEEPS, **options)
    return x


def _peer_omega(plate: Plate) -> float:
    scale = scipy.sparse.diags_array(1.0 / np.sqrt(plate.A.diagonal()))
    iteration = scipy.sparse.eye_array(plate.b.size) - scale @ plate.A @ scale
    radius = scipy.sparse.linalg.eigsh(iteration, 1, which="LA", return_eigenvectors=False, tol=1e-8)[0]
    return float(2.0 / (1.0 + math.sqrt(1.0 - radius * radius)))


def _same_omega(plate: Plate, ours: float, theirs: float) -> Agreement:
    difference = max(abs(ours - theirs), abs(ours - plate.omega))
    return Agreement(difference <= 1e-5, f"difference to it and to the closed form {difference:.1e}")


def _peer_radius(plate: Plate) -> float:
    lower = np.tril(plate.A.toarray())
    return float(np.abs(np.linalg.eigvals(np.eye(plate.b.size) - np.linalg.solve(lower, plate.A.toarray()))).max())


def _same_radius(_: Plate, ours: float, theirs: float) -> Agreement:
    return Agreement(abs(ours - theirs) <= 1e-10, f"difference {abs(ours - theirs):.1e}")


def _same_vector(_: Grid, ours: Vector, theirs: Vector) -> Agreement:
    difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    return Agreement(difference <= 1e-12, f"largest difference {difference:.1e} of the largest entry")


SQUARES = (10_000, 99_856, 1_000_000)
CUBES = (9_261, 97_336, 1_000_000)

GAUSS_SEIDEL: tuple[dict[str, Any], dict[str, Any]] = {"method": "gauss_seidel"}, {"name": "gauss_seidel"}

SWEEP_CASES: tuple[tuple[str, Callable[[int], Grid], dict[str, Any], dict[str, Any]], ...] = (
    ("Jacobi, 2-D Poisson", _square_grid, {"method": "jacobi"}, {"name": "jacobi"}),
    ("Gauss-Seidel, 2-D Poisson", _square_grid, *GAUSS_SEIDEL),
    ("SOR, 2-D Poisson", _square_grid, {"method": "sor", "omega": OMEGA}, {"name": "sor", "omega": OMEGA}),
    (
        "symmetric Gauss-Seidel, 2-D Poisson",
        _square_grid,
        {"method": "ssor", "omega": 1.0},
        {"name": "gauss_seidel", "sweep": "symmetric"},
    ),
    ("Gauss-Seidel, 2-D, stretched 1:1000", _stretched_grid, *GAUSS_SEIDEL),
    ("Gauss-Seidel, 3-D Poisson", _cube_grid, *GAUSS_SEIDEL),
    ("Jacobi, 3-D Poisson", _cube_grid, {"method": "jacobi"}, {"name": "jacobi"}),
)

CASES = (
    Case(
        "stationary",
        "whole solve of a plate",
        "unknowns",
        (961, 9_801, 99_225),
        _plate,
        _solve_plate,
        (
            Peer("SciPy spsolve", "scipy", _direct_plate),
            Peer("pyamg sor, with a residual a sweep", "pyamg", _pyamg_plate),
        ),
        _same_temperatures,
        note="SOR needs O(m) sweeps on an m x m grid, O(n^1.5) work; on a plane grid sparse elimination is as good, "
        "and from some 10^4 unknowns on SuperLU's blocks are faster. In space it is the other way round.",
        story=Story(
            "How warm is the middle of a plate with one hot edge?",
            9_801,
            "a square plate, its top edge at 100 degrees and the others at 0, on 99 x 99 inner points",
            _tell_plate,
            _prove_plate,
        ),
    ),
    *(
        Case(
            "stationary",
            f"{SWEEPS} sweeps of {name}",
            "unknowns",
            CUBES if setup is _cube_grid else SQUARES,
            setup,
            partial(_our_sweeps, **ours),
            (Peer("pyamg", "pyamg", partial(_pyamg_sweeps, **theirs)),),
            _same_vector,
        )
        for name, setup, ours, theirs in SWEEP_CASES
    ),
    Case(
        "stationary",
        "sparse product, 2-D Poisson",
        "unknowns",
        SQUARES,
        _square_grid,
        lambda grid: matvec(grid.rows, grid.b),
        (Peer("SciPy", "scipy", lambda grid: grid.A @ grid.b),),
        _same_vector,
    ),
    Case(
        "stationary",
        "best omega of a plate",
        "unknowns",
        (961, 9_801, 99_225),
        _plate,
        lambda plate: optimal_omega(plate.rows),
        (Peer("SciPy eigsh", "scipy", _peer_omega),),
        _same_omega,
        note="Ours also proves that the matrix is consistently ordered.",
    ),
    Case(
        "stationary",
        "spectral radius of Gauss-Seidel",
        "unknowns",
        (36, 100, 400),
        _plate,
        lambda plate: spectral_radius(plate.rows, "gauss_seidel"),
        (Peer("NumPy eigvals", "numpy", _peer_radius),),
        _same_radius,
    ),
)
