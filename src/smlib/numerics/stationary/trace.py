r"""The sweeps one at a time, with the error taken apart: why a few sweeps go far, and many more are still needed.

The error of an iterate is its distance to the solution, one number for each point of the grid. Like a sound it is a
sum of pure tones, and on a square of ``m x m`` points with held edges the tones are the *sine modes*::

    mode (p, q) at row r, column c  =  sin(pi p r / (m + 1)) * sin(pi q c / (m + 1))        p, q, r, c = 1 ... m

    p = 1    .------.         p = 3   .-.       .-.          p = m   up, down, up, down:
           /          \              /   \     /   \                 the shortest wave that the grid can show
          '            '            '     `._.'     '

They are orthogonal, so that the error's square sum is that of its amplitudes: one product with the sine matrix from
either side finds them all. Call a mode *smooth* if both p and q lie below (m + 1) / 2, and *rough* otherwise.

What there is to see. A sweep of Gauss-Seidel makes every point the mean of its neighbours, and a mean over
neighbours cancels what is rough and hardly changes what is smooth. After three sweeps next to nothing is left of the
rough part, and all later ones are spent on the smooth part, which loses the same few percent each time: the finer the
grid, the fewer. (Multigrid methods begin here: what is smooth on a fine grid is rough on a coarse one.) SOR at its
best omega treats both parts alike, and needs O(m) sweeps where Gauss-Seidel needs O(m^2). Jacobi turns the sign of
the roughest mode and all but keeps its size: as a smoother it has to be damped.

Invariants, computed at every step:
  1. The norm of ``b - A x`` that the solver reports is the one that SciPy's product gives.
  2. The smooth and the rough part together make up the whole error.
  3. Jacobi, Gauss-Seidel: no temperature lies above the hottest, or below the coldest, of edges and start.
  4. A sweep does not raise the error's energy ``e^T A e``.

Cost: O(m^3) a step for the two products with the sine matrix; the sweep itself is O(m^2).

Briggs, Henson & McCormick, *A Multigrid Tutorial*, chapter 2; Burden & Faires, *Numerical Analysis*, section 12.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from smlib._core.csr import MatrixLike
from smlib._core.trace import Step
from smlib._core.validate import Vector, as_count, as_vector
from smlib.errors import InputError
from smlib.numerics.stationary.convergence import optimal_omega
from smlib.numerics.stationary.solvers import gauss_seidel, sor
from smlib.numerics.stationary.sweeps import Method, as_system, bind_sweep, sweep_forward, sweep_simultaneous

Grid = NDArray[np.float64]

NAMES: dict[Method, str] = {"jacobi": "Jacobi", "gauss_seidel": "Gauss-Seidel", "sor": "SOR", "ssor": "SSOR"}

# The solution is known to about this part of the start's error; below it nothing is said about growing or shrinking.
ACCURACY = 1e-10


def trace(
    A: MatrixLike, b: ArrayLike, method: Method, sweeps: int, *, omega: float | None = None, x0: ArrayLike | None = None
) -> Iterator[Step]:
    """Yield the start and one step a sweep. The steps are the solver's own kernels, called one at a time.

    Parameters
    ----------
    A, b
        The equations of a heated plate of ``m x m`` inner points, m >= 3, as `smlib.datasets.plates.heated_plate`
        builds them.
    method : {"jacobi", "gauss_seidel", "sor", "ssor"}
        Gauss-Seidel and SOR sweep forward.
    sweeps : int
        How many.
    omega : float, optional
        For "sor" and "ssor", which need it: between 0 and 2, both excluded.
    x0 : array_like, shape (m * m,), optional
        Where to start; zeros if not given.

    Yields
    ------
    Step
        Its state holds ``method``, ``omega``, ``sweep`` (how many are done) and ``sweeps``; ``temperatures`` and
        ``error`` as ``m x m`` arrays; ``smooth`` and ``rough``, the two parts of the error in degrees (root mean square
        over the grid) from the start to this sweep; ``edges``, a line of temperatures for each of top, right, bottom,
        left; ``coldest`` and ``hottest`` of edges and start; ``residual_norm``.

    Raises
    ------
    InputError
        ``A`` is not the matrix of such a plate, or what `smlib.numerics.sweep` raises.

    Notes
    -----
    Complexity: O(m^3) a step.

    References
    ----------
    Briggs, Henson & McCormick, *A Multigrid Tutorial*, chapter 2.

    Examples
    --------
    >>> from smlib.datasets.plates import heated_plate
    >>> for step in trace(*heated_plate(5), "gauss_seidel", 2):
    ...     print(step.caption)
    Gauss-Seidel, before the first sweep. Error: smooth part 28.8°, rough part 13.6°.
    Gauss-Seidel, sweep 1: the smooth part falls by 37% to 18.2°, the rough part falls by 68% to 4.36°.
    Gauss-Seidel, sweep 2: the smooth part falls by 31% to 12.5°, the rough part falls by 61% to 1.7°.
    """
    matrix, right = as_system(A, b)
    rows = matrix.to_scipy()
    m = _side_of_plate(rows)
    x = np.zeros(m * m) if x0 is None else as_vector(x0, "x0", m * m).copy()
    once = bind_sweep(matrix, right, method, omega)
    solution = sor(matrix, right, optimal_omega(matrix), rtol=1e-12).x
    edges = _edge_temperatures(rows, right)
    coldest, hottest = float(min(edges.min(), x.min())), float(max(edges.max(), x.max()))
    slack = ACCURACY * (hottest - coldest)

    smooth: list[float] = []
    rough: list[float] = []
    energies: list[float] = []
    total = as_count(sweeps, "sweeps")
    for sweep in range(total + 1):
        if sweep > 0:
            x = once(x)
        error = x - solution
        parts = split_error(error.reshape(m, m))
        smooth.append(parts[0])
        rough.append(parts[1])
        energies.append(float(error @ (rows @ error)))
        norm = float(gauss_seidel(matrix, right, x, maxiter=0).residual_norms[0])

        invariants = {
            "the residual norm is that of b\u00a0\u2212\u00a0A\u00a0x": math.isclose(
                norm, float(np.linalg.norm(right - rows @ x)), rel_tol=1e-9, abs_tol=slack
            ),
            "smooth and rough part make up the error": math.isclose(
                math.hypot(*parts), float(np.linalg.norm(error)) / m, rel_tol=1e-9, abs_tol=slack
            ),
        }
        if method in ("jacobi", "gauss_seidel"):
            inside = bool(coldest - slack <= x.min() and x.max() <= hottest + slack)
            invariants["all temperatures lie within those of edges and start"] = inside
        if sweep > 0:
            energy_fell = energies[-1] <= max(energies[-2], ACCURACY**2 * energies[0])
            invariants["the energy of the error has not grown"] = energy_fell
        yield Step(
            caption=_caption(NAMES[method], smooth, rough),
            state={
                "method": method,
                "omega": omega,
                "sweep": sweep,
                "sweeps": total,
                "temperatures": x.reshape(m, m).copy(),
                "error": error.reshape(m, m),
                "smooth": tuple(smooth),
                "rough": tuple(rough),
                "edges": edges,
                "coldest": coldest,
                "hottest": hottest,
                "residual_norm": norm,
            },
            source=sweep_simultaneous if method == "jacobi" else sweep_forward,
            invariants=invariants,
            question=_question(smooth, rough),
        )


def split_error(error: Grid) -> tuple[float, float]:
    """Return the root mean squares of the smooth and the rough part of a grid function that is 0 along the edges.

    >>> r = c = np.arange(1, 8) * np.pi / 8
    >>> smooth, rough = split_error(np.outer(np.sin(2 * r), np.sin(3 * c)) + 0.1 * np.outer(np.sin(6 * r), np.sin(c)))
    >>> round(rough / smooth, 12)
    0.1
    """
    m = error.shape[0]
    frequency = np.arange(1, m + 1)
    sines = math.sqrt(2.0 / (m + 1)) * np.sin(math.pi / (m + 1) * np.outer(frequency, frequency))
    amplitudes = sines @ error @ sines
    low = 2 * frequency < m + 1
    is_smooth = np.logical_and.outer(low, low)
    return float(np.linalg.norm(amplitudes[is_smooth])) / m, float(np.linalg.norm(amplitudes[~is_smooth])) / m


def _side_of_plate(rows: scipy.sparse.csr_array) -> int:
    """Return m, and prove that this is the 5-point matrix of an m x m grid: the invariants hold for no other."""
    m = math.isqrt(rows.shape[0])
    if m >= 3 and m * m == rows.shape[0]:
        line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
        grid = scipy.sparse.kronsum(line, line, format="csr")
        if abs(rows - grid).max() == 0.0:
            return m
    raise InputError(f"A, of shape {rows.shape}, is not the 5-point matrix of a square grid: see heated_plate")


def _edge_temperatures(rows: scipy.sparse.csr_array, b: Vector) -> Grid:
    """Return the edges' temperatures (top, right, bottom, left; one line each), as the points beside them feel them.

    A corner feels the mean of its two edges.
    """
    m = math.isqrt(b.size)
    missing = rows.sum(axis=1)
    inside = np.flatnonzero((missing == 0.0) & (b != 0.0))
    if inside.size:
        raise InputError(f"b[{inside[0]}] is {b[inside[0]]}, but no edge lies beside that point: it must be 0")
    felt = np.divide(b, missing, out=np.zeros_like(b), where=missing > 0.0).reshape(m, m)
    return np.array([felt[0], felt[:, -1], felt[-1], felt[:, 0]])


def _caption(name: str, smooth: list[float], rough: list[float]) -> str:
    if len(smooth) == 1:
        return f"{name}, before the first sweep. Error: smooth part {smooth[0]:.3g}°, rough part {rough[0]:.3g}°."
    return f"{name}, sweep {len(smooth) - 1}: the smooth part {_change(smooth)}, the rough part {_change(rough)}."


def _change(part: list[float]) -> str:
    before, after = part[-2:]
    verb = "falls" if after <= before else "grows"
    share = abs(after - before) / before if before > 0.0 else 0.0
    return f"{verb} by {share:.0%} to {after:.3g}°"


def _question(smooth: list[float], rough: list[float]) -> str:
    """Ask about the last sweep, knowing only what was to be seen before it."""
    if len(smooth) == 1:
        return ""
    if len(smooth) == 2:
        return "Which part of the error falls faster in the first sweep: the smooth one or the rough one?"
    if rough[-2] < 0.05 * smooth[-2]:
        return (
            f"Next to nothing is left of the rough part. The smooth one is at {smooth[-2]:.3g}°: where after a sweep?"
        )
    return f"The smooth part is at {smooth[-2]:.3g}°, the rough one at {rough[-2]:.3g}°. Where after the next sweep?"
