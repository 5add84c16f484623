r"""Stationary iterations: solve ``A x = b`` by sweeping over the unknowns until they agree (Jacobi, Gauss-Seidel, SOR, SSOR).

The problem. A metal plate is held at fixed temperatures along its edges. In the middle every point settles at the mean of
its four neighbours. Cut the plate into a grid of a million points and that is a million equations in a million unknowns, but
each equation names five of them. Elimination fills the empty places and runs out of memory; it also ignores that a good
guess is worth something.

The idea. Take the equations one at a time. Equation ``i`` would be met exactly if its own unknown moved by the *residual* of
that row over the diagonal entry::

    residual = b[i] - sum(A[i, j] * x[j])         how far row i is from being met
    x[i] += residual / A[i, i]                    now it is met (and its neighbours are a little less so)

One pass over all rows is a *sweep*. What differs is when a new value is used:

- **Jacobi** uses it in the next sweep: every row sees the same old ``x``.
- **Gauss-Seidel** uses it at once, so that row ``i`` sees new values before it and old values behind it.
- **SOR** (successive over-relaxation) goes ``omega`` times as far: the error that remains is mostly smooth, and a step that
  is too short everywhere is worth stretching. With the best ``omega`` a grid of n x n points needs O(n) sweeps, not O(n^2).
- **SSOR** sweeps forward, then backward, which treats a symmetric matrix symmetrically.

By hand. ``4x - y = 7, -x + 4y = 2`` has the solution (2, 1). From (0, 0), Jacobi gives (1.75, 0.5), (1.875, 0.9375), ... and
Gauss-Seidel (1.75, 0.9375), (1.984375, 0.99609375), ...: in the long run a sweep of Jacobi divides the error by 4, one of
Gauss-Seidel by 16.

Why it converges. Split ``A = M - N`` with an ``M`` that is easy to solve (the diagonal, or the lower triangle). A sweep is
``M x_new = N x + b``, the solution stays where it is, and so the error is multiplied by ``T = M^-1 N`` each time. It goes to
zero from every start exactly if the spectral radius of ``T`` is below 1, and then by that factor a sweep in the long run. A
strictly diagonally dominant matrix is safe for Jacobi and Gauss-Seidel; a symmetric positive definite one is safe for
Gauss-Seidel, SOR and SSOR with ``0 < omega < 2``.

Invariants, checked by the tests:
  1. The solution is a fixed point of every method: a sweep does not move it.
  2. SOR with ``omega = 1`` is Gauss-Seidel, and a backward sweep is a forward sweep of the reversed system.
  3. A sweep multiplies the error by the iteration matrix.
  4. The last entry of ``residual_norms`` is the norm of ``b - A x`` for the ``x`` that is returned.

Cost: a sweep is O(nonzeros) time, O(n) space besides the matrix, and reads the matrix once from front to back, which is what
bounds it; about ``log(1/rtol) / -log(spectral radius)`` sweeps.

Burden & Faires, *Numerical Analysis*, sections 7.3 and 7.4; Saad, *Iterative Methods for Sparse Linear Systems*, chapter 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.csr import CSRMatrix, Indices, MatrixLike, as_csr
from smlib._core.kernel import kernel
from smlib._core.results import CONVERGED, DIVERGED, ITERATION_LIMIT, NUMERICAL_TROUBLE, LinearResult
from smlib._core.validate import Vector, as_count, as_nonnegative, as_number, as_vector
from smlib.errors import InputError

Method = Literal["jacobi", "gauss_seidel", "sor", "ssor"]
Order = Literal["forward", "backward", "symmetric"]
Callback = Callable[[Vector], object]
Sweep = Callable[[Vector], Vector]

# A residual that has grown by this factor is taken for divergence.
DIVERGENCE = 1e8


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
    Complexity: O(nonzeros) a sweep, twice that of SOR. For a symmetric matrix the iteration matrix has real eigenvalues, so that
    the error falls without swinging.

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


def sweep(A: MatrixLike, b: ArrayLike, x: Vector, method: Method, k: int, *, omega: float | None = None) -> None:
    """Make ``k`` sweeps on ``x``, in place, without looking at residuals: the smoother of multigrid methods.

    Parameters
    ----------
    A, b
        As for `jacobi`. For many calls pass ``as_csr(A)``: it is checked once.
    x : ndarray of float64, shape (n,)
        C-contiguous and writable. It is changed.
    method : {"jacobi", "gauss_seidel", "sor", "ssor"}
        Gauss-Seidel and SOR sweep forward.
    k : int
        How many sweeps, at least 0.
    omega : float, optional
        For "sor" and "ssor", which need it: between 0 and 2, both excluded.

    Raises
    ------
    InputError
        As for `jacobi` and `sor`; ``x`` cannot be changed in place; unknown ``method``. ``x`` is then as it was.

    Notes
    -----
    Complexity: O(k nonzeros).

    References
    ----------
    Saad, *Iterative Methods for Sparse Linear Systems*, section 4.1.

    Examples
    --------
    >>> x = np.zeros(2)
    >>> sweep([[4, -1], [-1, 4]], [7, 2], x, "gauss_seidel", 2)
    >>> x
    array([1.984375  , 0.99609375])
    """
    matrix, right = _as_system(A, b)
    if not isinstance(x, np.ndarray) or x.dtype != np.float64 or not x.flags.c_contiguous or not x.flags.writeable:
        raise InputError("x is changed in place: pass a C-contiguous, writable NumPy array of float64")
    start = as_vector(x, "x", right.size)
    once = bind_sweep(matrix, right, method, omega)
    current = start
    for _ in range(as_count(k, "k")):
        current = once(current)
    if current is not start:
        start[:] = current


def bind_sweep(matrix: CSRMatrix, b: Vector, method: Method, omega: float | None, order: Order | None = None) -> Sweep:
    """Bind one sweep to a system: a function that takes ``x``, may overwrite it, and returns the next ``x``."""
    if method not in ("jacobi", "gauss_seidel", "sor", "ssor"):
        raise InputError(f"method is {method!r}; it must be 'jacobi', 'gauss_seidel', 'sor' or 'ssor'")
    if order is None:
        order = "symmetric" if method == "ssor" else "forward"
    if order not in ("forward", "backward", "symmetric"):
        raise InputError(f"order is {order!r}; it must be 'forward', 'backward' or 'symmetric'")
    if method in ("sor", "ssor"):
        if omega is None:
            raise InputError(f"{method} needs omega, a number between 0 and 2")
        relaxation = as_number(omega, "omega")
        if not 0.0 < relaxation < 2.0:
            raise InputError(f"omega is {relaxation}; it must lie between 0 and 2, both excluded, or no matrix converges")
    elif omega is None or omega == 1.0:
        relaxation = 1.0
    else:
        raise InputError(f"{method} has no omega; for relaxation use 'sor' or 'ssor'")

    indptr, indices, data, _ = matrix
    diagonal = _find_diagonal(matrix)
    if method == "jacobi":
        spare = np.empty_like(b)

        def simultaneous(x: Vector) -> Vector:
            nonlocal spare
            sweep_simultaneous(indptr, indices, data, diagonal, b, x, spare)
            x, spare = spare, x
            return x

        return simultaneous

    weights = relaxation / data[diagonal]

    def successive(x: Vector) -> Vector:
        if order != "backward":
            sweep_forward(indptr, indices, data, diagonal, weights, b, x)
        if order != "forward":
            sweep_backward(indptr, indices, data, diagonal, weights, b, x)
        return x

    return successive


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
    matrix, right = _as_system(A, b)
    n = right.size
    x = np.zeros(n) if x0 is None else as_vector(x0, "x0", n).copy()
    once = bind_sweep(matrix, right, method, omega, order)
    target = max(as_nonnegative(rtol, "rtol") * float(np.linalg.norm(right)), as_nonnegative(atol, "atol"))
    limit = max(1000, 10 * n) if maxiter is None else as_count(maxiter, "maxiter")

    norms = [residual_norm(matrix.indptr, matrix.indices, matrix.data, right, x)]
    too_large = min(DIVERGENCE * max(norms[0], target), np.finfo(np.float64).max)
    while target < norms[-1] <= too_large and len(norms) <= limit:
        x = once(x)
        norms.append(residual_norm(matrix.indptr, matrix.indices, matrix.data, right, x))
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


def _as_system(A: MatrixLike, b: ArrayLike) -> tuple[CSRMatrix, Vector]:
    matrix = as_csr(A)
    rows, columns = matrix.shape
    if rows != columns or rows == 0:
        raise InputError(f"A has shape {matrix.shape}; it must be square, with at least one row")
    return matrix, as_vector(b, "b", rows)


def _find_diagonal(matrix: CSRMatrix) -> Indices:
    """Return the place of each row's diagonal entry among all entries."""
    diagonal = np.empty(matrix.shape[0], dtype=matrix.indices.dtype)
    row = find_diagonal(matrix.indptr, matrix.indices, diagonal)
    if row == diagonal.size:
        zeros = np.flatnonzero(matrix.data[diagonal] == 0.0)
        if zeros.size == 0:
            return diagonal
        row = int(zeros[0])
    raise InputError(f"A[{row}, {row}] is 0, and a sweep divides by the diagonal: reorder the equations")


@kernel(fast=True)
def sweep_simultaneous(
    indptr: Indices, indices: Indices, data: Vector, diagonal: Indices, b: Vector, x: Vector, x_new: Vector
) -> None:
    """One sweep of Jacobi: every row sees the old x, and the new one stands beside it."""
    for i in range(b.size):
        residual = b[i]
        for entry in range(indptr[i], indptr[i + 1]):
            residual -= data[entry] * x[indices[entry]]
        x_new[i] = x[i] + residual / data[diagonal[i]]


@kernel(fast=True)
def sweep_forward(
    indptr: Indices, indices: Indices, data: Vector, diagonal: Indices, weights: Vector, b: Vector, x: Vector
) -> None:
    """One forward sweep of Gauss-Seidel or SOR; ``weights`` is omega over the diagonal.

    The old values behind the diagonal come first: they can be summed while the row before is still being finished. Only the
    last terms wait for its new value. (In the order of storage a sweep of a 5-point grid takes 1.3 times as long.)
    """
    for i in range(b.size):
        residual = b[i]
        for entry in range(diagonal[i], indptr[i + 1]):
            residual -= data[entry] * x[indices[entry]]
        for entry in range(indptr[i], diagonal[i]):
            residual -= data[entry] * x[indices[entry]]
        x[i] += weights[i] * residual


@kernel(fast=True)
def sweep_backward(
    indptr: Indices, indices: Indices, data: Vector, diagonal: Indices, weights: Vector, b: Vector, x: Vector
) -> None:
    """One backward sweep, from the last row to the first."""
    for i in range(b.size - 1, -1, -1):
        residual = b[i]
        for entry in range(indptr[i], diagonal[i]):
            residual -= data[entry] * x[indices[entry]]
        for entry in range(diagonal[i], indptr[i + 1]):
            residual -= data[entry] * x[indices[entry]]
        x[i] += weights[i] * residual


@kernel(fast=True)
def residual_norm(indptr: Indices, indices: Indices, data: Vector, b: Vector, x: Vector) -> float:
    """Return the Euclidean norm of b - A x."""
    square = 0.0
    for i in range(b.size):
        residual = b[i]
        for entry in range(indptr[i], indptr[i + 1]):
            residual -= data[entry] * x[indices[entry]]
        square += residual * residual
    return np.sqrt(square)


@kernel
def find_diagonal(indptr: Indices, indices: Indices, diagonal: Indices) -> int:
    """Set the place of each row's diagonal entry; return the first row without one, or the number of rows."""
    for row in range(diagonal.size):
        place = indptr[row + 1]
        for entry in range(indptr[row], indptr[row + 1]):
            if indices[entry] == row:
                place = entry
        if place == indptr[row + 1]:
            return row
        diagonal[row] = place
    return diagonal.size
