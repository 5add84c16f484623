"""Sweep until the residual is small: Jacobi, Gauss-Seidel, SOR and SSOR as solvers with a stopping test.

All four are one loop around a sweep. After each sweep the residual ``b - A x`` is computed anew from the matrix, so
that the norms of the history are true ones: a loop that updates its residual along the way drifts from it by
rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.csr import Indices, MatrixLike, matvec
from smlib._core.kernel import kernel
from smlib._core.results import CONVERGED, DIVERGED, ITERATION_LIMIT, NUMERICAL_TROUBLE, LinearResult
from smlib._core.validate import Vector, as_count, as_nonnegative, as_vector
from smlib.numerics.stationary.sweeps import Method, Order, as_system, bind_sweep

Callback: TypeAlias = Callable[[Vector], object]

# A residual that has grown by this factor is taken for divergence.
DIVERGENCE = 1e8

# The reciprocal of a smaller number may overflow.
SMALLEST_UNIT = 1e-300


def jacobi(
    A: MatrixLike,
    b: ArrayLike,
    x0: ArrayLike | None = None,
    *,
    rtol: float = 1e-8,
    atol: float = 0.0,
    maxiter: int | None = None,
    callback: Callback | None = None,
) -> LinearResult:
    """Solve ``A x = b`` by Jacobi's method: all unknowns move at once, each by its row's residual over the diagonal.

    Parameters
    ----------
    A : array_like or any scipy.sparse matrix, shape (n, n)
        Real and finite, without a zero on the diagonal. Strict diagonal dominance is enough for convergence.
    b : array_like, shape (n,)
        Real and finite.
    x0 : array_like, shape (n,), optional
        Where to start; zeros if not given. It is not changed.
    rtol, atol : float
        Stop when ``|b - A x| <= max(rtol * |b|, atol)`` in the Euclidean norm.
    maxiter : int, optional
        Sweeps at most; ``max(1000, 10 n)`` if not given.
    callback : callable, optional
        Called with the iterate after each sweep. The array is used again: copy what you keep.

    Returns
    -------
    LinearResult
        Divergence and a reached limit are reported in ``status``, not raised.

    Raises
    ------
    InputError
        Shapes do not fit, NaN or infinity, a zero on the diagonal (the message names the row).

    Notes
    -----
    Complexity: O(nonzeros) a sweep.

    References
    ----------
    Burden & Faires, *Numerical Analysis*, algorithm 7.1.

    Examples
    --------
    >>> result = jacobi([[4, -1], [-1, 4]], [7, 2])
    >>> result.x.round(6), result.success
    (array([2., 1.]), True)
    """
    return _solve(A, b, x0, "jacobi", 1.0, "forward", rtol, atol, maxiter, callback)


def gauss_seidel(
    A: MatrixLike,
    b: ArrayLike,
    x0: ArrayLike | None = None,
    *,
    order: Order = "forward",
    rtol: float = 1e-8,
    atol: float = 0.0,
    maxiter: int | None = None,
    callback: Callback | None = None,
) -> LinearResult:
    """Solve ``A x = b`` by the Gauss-Seidel method: row after row, every new value used at once.

    Parameters
    ----------
    A, b, x0, rtol, atol, maxiter, callback
        As for `jacobi`. ``A`` strictly diagonally dominant, or symmetric positive definite, is enough for convergence.
    order : {"forward", "backward", "symmetric"}
        From the first row to the last, from the last to the first, or both in turn (counted as one sweep).

    Returns
    -------
    LinearResult
        Divergence and a reached limit are reported in ``status``, not raised.

    Raises
    ------
    InputError
        As for `jacobi`, and for an unknown ``order``.

    Notes
    -----
    Complexity: O(nonzeros) a sweep; twice that for "symmetric".

    References
    ----------
    Burden & Faires, *Numerical Analysis*, algorithm 7.2.

    Examples
    --------
    >>> result = gauss_seidel([[4, -1], [-1, 4]], [7, 2])
    >>> result.x.round(6), result.nit
    (array([2., 1.]), 7)
    """
    return _solve(A, b, x0, "gauss_seidel", 1.0, order, rtol, atol, maxiter, callback)


def sor(
    A: MatrixLike,
    b: ArrayLike,
    omega: float,
    x0: ArrayLike | None = None,
    *,
    rtol: float = 1e-8,
    atol: float = 0.0,
    maxiter: int | None = None,
    callback: Callback | None = None,
) -> LinearResult:
    """Solve ``A x = b`` by successive over-relaxation: Gauss-Seidel with every step ``omega`` times as long.

    Parameters
    ----------
    A, b, x0, rtol, atol, maxiter, callback
        As for `jacobi`. ``A`` symmetric positive definite is enough for convergence.
    omega : float
        Between 0 and 2, both excluded; 1 is Gauss-Seidel. See `smlib.numerics.optimal_omega`.

    Returns
    -------
    LinearResult
        Divergence and a reached limit are reported in ``status``, not raised.

    Raises
    ------
    InputError
        As for `jacobi`, and for ``omega`` outside (0, 2), where no matrix converges.

    Notes
    -----
    Complexity: O(nonzeros) a sweep.

    References
    ----------
    Burden & Faires, *Numerical Analysis*, algorithm 7.3.

    Examples
    --------
    >>> result = sor([[4, 3, 0], [3, 4, -1], [0, -1, 4]], [24, 30, -24], 1.25)
    >>> result.x.round(6)
    array([ 3.,  4., -5.])
    """
    return _solve(A, b, x0, "sor", omega, "forward", rtol, atol, maxiter, callback)


def ssor(
    A: MatrixLike,
    b: ArrayLike,
    omega: float,
    x0: ArrayLike | None = None,
    *,
    rtol: float = 1e-8,
    atol: float = 0.0,
    maxiter: int | None = None,
    callback: Callback | None = None,
) -> LinearResult:
    """Solve ``A x = b`` by symmetric successive over-relaxation: a forward sweep of SOR, then a backward one.

    Parameters
    ----------
    A, b, x0, omega, rtol, atol, maxiter, callback
        As for `sor`. Both directions together count as one sweep.

    Returns
    -------
    LinearResult
        Divergence and a reached limit are reported in ``status``, not raised.

    Raises
    ------
    InputError
        As for `sor`.

    Notes
    -----
    Complexity: O(nonzeros) a sweep, twice that of SOR. For a symmetric matrix the iteration matrix has real
    eigenvalues, so that the error falls without swinging.

    References
    ----------
    Saad, *Iterative Methods for Sparse Linear Systems*, section 4.1.

    Examples
    --------
    >>> result = ssor([[4, 3, 0], [3, 4, -1], [0, -1, 4]], [24, 30, -24], 1.25)
    >>> result.x.round(6)
    array([ 3.,  4., -5.])
    """
    return _solve(A, b, x0, "ssor", omega, "symmetric", rtol, atol, maxiter, callback)


def _solve(
    A: MatrixLike,
    b: ArrayLike,
    x0: ArrayLike | None,
    method: Method,
    omega: float,
    order: Order,
    rtol: float,
    atol: float,
    maxiter: int | None,
    callback: Callback | None,
) -> LinearResult:
    matrix, right = as_system(A, b)
    n = right.size
    x = np.zeros(n) if x0 is None else as_vector(x0, "x0", n).copy()
    once = bind_sweep(matrix, right, method, omega, order)
    rtol, atol = as_nonnegative(rtol, "rtol"), as_nonnegative(atol, "atol")
    limit = max(1000, 10 * n) if maxiter is None else as_count(maxiter, "maxiter")

    def norm_of_residual(x: Vector, unit: float) -> float:
        return residual_norm(matrix.indptr, matrix.indices, matrix.data, right, x, max(unit, SMALLEST_UNIT))

    norms = [norm_of_residual(x, float(np.abs(right - matvec(matrix, x)).max()))]
    norm_of_b = norm_of_residual(np.zeros(n), float(np.abs(right).max()))
    target = max(rtol * norm_of_b, atol)
    too_large = min(DIVERGENCE * max(norms[0], target), np.finfo(np.float64).max)
    while target < norms[-1] <= too_large and len(norms) <= limit:
        x = once(x)
        norms.append(norm_of_residual(x, norms[-1]))
        if callback is not None:
            callback(x)

    status, message = _verdict(norms, target, too_large)
    return LinearResult(x, status == CONVERGED, status, message, len(norms) - 1, np.array(norms))


def _verdict(norms: list[float], target: float, too_large: float) -> tuple[int, str]:
    last, sweeps = norms[-1], len(norms) - 1
    if last <= target < np.inf:
        return CONVERGED, f"converged: residual {last:.2e} <= {target:.2e} after {sweeps} sweeps"
    if not np.isfinite(norms[0]) or not np.isfinite(target):
        return NUMERICAL_TROUBLE, "the residual overflows at the start: divide A and b by their largest entries"
    if not last <= too_large:
        return DIVERGED, f"diverged: residual {last:.2e} after {sweeps} sweeps, {norms[0]:.2e} at the start"
    return ITERATION_LIMIT, f"residual {last:.2e} > {target:.2e} after {sweeps} sweeps: raise maxiter, or try sor"


@kernel(fast=True)
def residual_norm(indptr: Indices, indices: Indices, data: Vector, b: Vector, x: Vector, unit: float) -> float:
    """Return the Euclidean norm of b - A x, taken in a unit of its own, lest squares of tiny or huge numbers be lost.

    ``unit`` is positive, and of the size of what comes out: the norm before the last sweep will do.
    """
    scale = 1.0 / unit
    square = 0.0
    start = indptr[0]
    for i in range(b.size):
        end = indptr[i + 1]
        residual = b[i]
        for entry in range(start, end):
            residual -= data[entry] * x[indices[entry]]
        scaled = scale * residual
        square += scaled * scaled
        start = end
    return unit * math.sqrt(square)
