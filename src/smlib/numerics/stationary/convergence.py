r"""How fast a stationary iteration converges, and which relaxation and which order of the unknowns make it fast.

The iteration matrix. With ``b = 0`` the solution is 0 and ``x`` *is* the error. A sweep is then linear in ``x``, so
its matrix ``T`` has as column ``j`` what one sweep makes of the unit vector ``j``. That is how `iteration_matrix`
builds it: with the very sweep that the solver runs, no formula beside it. (The formula is ``T = I - M^-1 A``, and the
tests hold it against that.)

The rate. The error after k sweeps is ``T^k e``, and ``|T^k|^(1/k)`` goes to the spectral radius whatever the norm
(Gelfand). `spectral_radius` squares ``T`` again and again, so that the power doubles each time, and reads the rate
off the growth of the norm between one squaring and the next::

    T, T^2, T^4, T^8, ...        rho = lim (|T^(2m)| / |T^m|)^(1/m)

Eigenvalues that share the largest modulus (complex pairs, Jordan blocks) disturb this less and less: their share in the
exponent is O(1/m).

The best relaxation. In a *consistently ordered* matrix every row can be given a level such that an entry leads to the
level above if its column is larger, and to the level below if it is smaller. Grids with 3, 5 or 7-point stencils are
so, and so are trees. Then Young's formula ties the eigenvalues ``lambda`` of SOR to those ``mu`` of Jacobi::

    (lambda + omega - 1)^2 = lambda omega^2 mu^2        best omega = 2 / (1 + sqrt(1 - rho(Jacobi)^2))

and at the best ``omega`` the spectral radius is ``omega - 1``. For a grid of 100 x 100 points it takes over 100 times
fewer sweeps than Jacobi.

Red and black. If the unknowns can be coloured with two colours so that no equation couples two of one colour (a chess
board), number all red ones first. Within a colour the order of a sweep is then of no account: a sweep is two steps of
whole vectors.

Cost: `iteration_matrix` O(n nonzeros) time and O(n^2) space, `spectral_radius` O(n^3) a squaring and some 15 to 45 of
them, `optimal_omega` some hundreds of products with the matrix, `red_black_permutation` O(nonzeros).

Young, *Iterative Solution of Large Linear Systems*, chapters 5 and 6; Saad, *Iterative Methods for Sparse Linear
Systems*, sections 3.3 and 4.2; Burden & Faires, *Numerical Analysis*, section 7.4.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from smlib._core.csr import CSRMatrix, Indices, MatrixLike, as_csr, multiply
from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.errors import InputError
from smlib.numerics.stationary.sweeps import Method, as_square, bind_sweep

Matrix = NDArray[np.float64]

# Above this size the n x n iteration matrix would take over 800 MB.
LARGEST_DENSE = 10_000


def iteration_matrix(A: MatrixLike, method: Method, omega: float | None = None) -> Matrix:
    """Return the matrix by which one sweep multiplies the error.

    Parameters
    ----------
    A : array_like or any scipy.sparse matrix, shape (n, n)
        Real and finite, without a zero on the diagonal; ``n`` up to 10,000.
    method : {"jacobi", "gauss_seidel", "sor", "ssor"}
        Gauss-Seidel and SOR sweep forward.
    omega : float, optional
        For "sor" and "ssor", which need it: between 0 and 2, both excluded.

    Returns
    -------
    ndarray, shape (n, n)

    Raises
    ------
    InputError
        As for `smlib.numerics.sweep`, and for more than 10,000 unknowns.

    Notes
    -----
    Complexity: O(n nonzeros) time, O(n^2) space.

    References
    ----------
    Saad, *Iterative Methods for Sparse Linear Systems*, section 4.2.

    Examples
    --------
    >>> iteration_matrix([[4, -1], [-1, 4]], "gauss_seidel")
    array([[0.    , 0.25  ],
           [0.    , 0.0625]])
    """
    matrix = as_square(A)
    n = matrix.shape[0]
    if n > LARGEST_DENSE:
        raise InputError(
            f"A has {n} unknowns, more than {LARGEST_DENSE}: read the rate off residual_norms of a solve instead"
        )
    once = bind_sweep(matrix, np.zeros(n), method, omega)
    columns = np.empty((n, n))
    for j in range(n):
        unit = np.zeros(n)
        unit[j] = 1.0
        columns[j] = once(unit)
    return columns.T.copy()


def spectral_radius(A: MatrixLike, method: Method, omega: float | None = None) -> float:
    """Return the factor by which one sweep shrinks (or, above 1, stretches) the error in the long run.

    Parameters
    ----------
    A, method, omega
        As for `iteration_matrix`.

    Returns
    -------
    float
        The largest modulus of an eigenvalue of the iteration matrix, to about 12 digits where its eigenvalues are well
        conditioned.

    Raises
    ------
    InputError
        As for `iteration_matrix`.

    Notes
    -----
    Complexity: O(n^3 log(1/accuracy)).

    References
    ----------
    Gelfand's formula: Horn & Johnson, *Matrix Analysis*, corollary 5.6.14.

    Examples
    --------
    >>> round(spectral_radius([[4, -1], [-1, 4]], "gauss_seidel"), 12)
    0.0625
    """
    power = iteration_matrix(A, method, omega)
    norm = float(np.linalg.norm(power))
    if norm == 0.0:
        return 0.0
    power /= norm
    square = np.empty_like(power)
    exponent, log_norm, rates = 1.0, math.log(norm), [math.inf, math.inf]
    while exponent < 2.0**50:
        multiply_by_itself(power, square)
        norm = float(np.linalg.norm(square))
        if norm == 0.0:
            return 0.0
        # log |T^(2m)| = 2 log |T^m| + log(norm), for the powers are kept at norm 1.
        rates.append((log_norm + math.log(norm)) / exponent)
        if abs(rates[-1] - rates[-2]) <= 1e-13 and abs(rates[-2] - rates[-3]) <= 1e-13:
            break
        exponent, log_norm = 2.0 * exponent, 2.0 * log_norm + math.log(norm)
        power, square = square, power
        power /= norm
    return math.exp(rates[-1])


def optimal_omega(A: MatrixLike) -> float:
    """Return the relaxation with which SOR converges fastest, for a consistently ordered matrix.

    Parameters
    ----------
    A : array_like or any scipy.sparse matrix, shape (n, n)
        Consistently ordered (5-point grids in their natural order, tridiagonal matrices ...), with a non-zero
        diagonal, and such that Jacobi's method converges. Symmetric with a positive diagonal, or of at most 10,000
        unknowns.

    Returns
    -------
    float
        Between 1 and 2.

    Raises
    ------
    InputError
        The matrix is not consistently ordered (the message names a coupling that shows it), Jacobi does not converge,
        or the matrix is both large and not symmetric.

    Notes
    -----
    The formula holds where the eigenvalues of Jacobi's iteration matrix are real, as they are for a symmetric matrix.

    Complexity: O(nonzeros) for each of some hundreds of Lanczos steps; O(n^3) for a matrix that is not symmetric.

    References
    ----------
    Young, *Iterative Solution of Large Linear Systems*, section 6.2; Burden & Faires, *Numerical
    Analysis*, theorem 7.26.

    Examples
    --------
    >>> round(optimal_omega([[4, 3, 0], [3, 4, -1], [0, -1, 4]]), 4)
    1.2404
    """
    matrix = as_square(A)
    bind_sweep(matrix, np.zeros(matrix.shape[0]), "jacobi", None)  # a zero on the diagonal raises here
    coupling = _couplings(matrix)
    i, j = _first_conflict(coupling, ordered=True)[0]
    if i < matrix.shape[0]:
        raise InputError(
            f"A is not consistently ordered (see rows {i} and {j}); try red_black_permutation, or a search"
        )
    rows = matrix.to_scipy()
    diagonal = rows.diagonal()
    if abs(rows - rows.T).max() == 0.0 and diagonal.min() > 0.0:
        scale = scipy.sparse.diags_array(1.0 / np.sqrt(diagonal))
        radius = _lanczos_largest(as_csr(scipy.sparse.eye_array(matrix.shape[0]) - scale @ rows @ scale))
    else:
        radius = spectral_radius(matrix, "jacobi")
    if radius >= 1.0:
        raise InputError(
            f"Jacobi's method does not converge on A (spectral radius {radius:.6g}), so no best omega is known"
        )
    return 2.0 / (1.0 + math.sqrt(1.0 - radius * radius))


def red_black_permutation(A: MatrixLike) -> NDArray[np.intp]:
    """Number the unknowns so that two halves (red, black) are each free of couplings within themselves.

    Parameters
    ----------
    A : array_like or any scipy.sparse matrix, shape (n, n)
        Real and finite; two unknowns are coupled if either's equation names the other.

    Returns
    -------
    ndarray of int, shape (n,)
        All red unknowns in their old order, then all black ones. With ``p`` the result, ``A[p][:, p]`` has diagonal
        matrices as its two diagonal blocks. An unknown without couplings is red.

    Raises
    ------
    InputError
        Two colours do not suffice: the couplings close a circle of odd length. The message names two rows on it.

    Notes
    -----
    Complexity: O(n + nonzeros).

    References
    ----------
    Saad, *Iterative Methods for Sparse Linear Systems*, section 12.4.

    Examples
    --------
    >>> red_black_permutation([[2, -1, 0, 0], [-1, 2, -1, 0], [0, -1, 2, -1], [0, 0, -1, 2]])
    array([0, 2, 1, 3])
    """
    matrix = as_square(A)
    (i, j), colours = _first_conflict(_couplings(matrix), ordered=False)
    if i < matrix.shape[0]:
        raise InputError(f"two colours do not suffice: rows {i} and {j} are coupled and lie on a circle of odd length")
    return np.argsort(colours, kind="stable")


def _couplings(matrix: CSRMatrix) -> CSRMatrix:
    """Return the pattern of A and its transpose together, without the diagonal."""
    rows = abs(matrix.to_scipy())
    both = rows + rows.T
    both.setdiag(0.0)
    both.eliminate_zeros()
    return as_csr(both)


def _first_conflict(coupling: CSRMatrix, ordered: bool) -> tuple[tuple[int, int], NDArray[np.int64]]:
    n = coupling.shape[0]
    levels = np.full(n, UNSEEN)
    conflict = spread_levels(coupling.indptr, coupling.indices, ordered, levels, np.empty(n, dtype=np.int64))
    return conflict, levels


def _lanczos_largest(matrix: CSRMatrix) -> float:
    """Return the largest eigenvalue of a symmetric matrix with spectrum within [-1, 1].

    It is exact to some 1e-6 of its distance to 1, which is what the best omega hangs on.

    Lanczos' method: the matrix, seen from the space that v, A v, A^2 v, ... span, is tridiagonal, and the extreme
    eigenvalues of that small matrix are near those of the large one after far fewer steps than there are unknowns.
    """
    n = matrix.shape[0]
    v = np.random.default_rng(0).standard_normal(n)
    v /= np.linalg.norm(v)
    previous, product = np.zeros(n), np.empty(n)
    alphas: list[float] = []
    betas = [0.0]
    largest = -math.inf
    for step in range(1, 10 * n + 1):
        multiply(matrix.indptr, matrix.indices, matrix.data, v, product)
        alphas.append(float(v @ product))
        product -= alphas[-1] * v + betas[-1] * previous
        betas.append(float(np.linalg.norm(product)))
        exhausted = betas[-1] <= 1e-14
        if step % 20 == 0 or exhausted:
            before, largest = largest, largest_of_tridiagonal(np.array(alphas), np.array(betas))
            if exhausted or largest - before <= 1e-6 * (1.0 - largest):
                break
        previous, v, product = v, product / betas[-1], previous
    return largest


# The level of a row that has not been reached.
UNSEEN = np.int64(2**62)


@kernel
def spread_levels(
    indptr: Indices, indices: Indices, ordered: bool, levels: NDArray[np.int64], queue: NDArray[np.int64]
) -> tuple[int, int]:
    """Give levels to all rows, breadth first; return the first coupled pair that contradicts them, or (n, n).

    ``ordered``: the level rises to a larger row number and falls to a smaller one. Otherwise it alternates between 0
    and 1.
    """
    n = levels.size
    for root in range(n):
        if levels[root] != UNSEEN:
            continue
        levels[root] = 0
        queue[0] = root
        head, tail = 0, 1
        while head < tail:
            i = queue[head]
            head += 1
            for entry in range(indptr[i], indptr[i + 1]):
                j = np.int64(indices[entry])
                if ordered:
                    level = levels[i] + (1 if j > i else -1)
                else:
                    level = 1 - levels[i]
                if levels[j] == UNSEEN:
                    levels[j] = level
                    queue[tail] = j
                    tail += 1
                elif levels[j] != level:
                    return int(i), int(j)
    return n, n


@kernel(fast=True)
def multiply_by_itself(matrix: Matrix, square: Matrix) -> None:
    """Set square = matrix @ matrix."""
    for i in range(matrix.shape[0]):
        row, target = matrix[i], square[i]
        target[:] = 0.0
        for k in range(row.size):
            factor, source = row[k], matrix[k]
            for j in range(row.size):
                target[j] += factor * source[j]


@kernel
def largest_of_tridiagonal(alphas: Vector, betas: Vector) -> float:
    """Return the largest eigenvalue of the symmetric matrix with diagonal alphas and off-diagonal betas[1:-1].


    Bisection: a number lies above all eigenvalues exactly if all pivots of ``matrix - number I`` are negative
    (Sturm, Sylvester).
    """
    low: float = alphas[0]
    high: float = alphas[0]
    for i in range(alphas.size):
        right = betas[i + 1] if i + 1 < alphas.size else 0.0
        low = max(low, alphas[i])
        high = max(high, alphas[i] + betas[i] + right)
    while True:
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            return high
        pivot = alphas[0] - middle
        i = 1
        while pivot < 0.0 and i < alphas.size:
            pivot = alphas[i] - middle - betas[i] * betas[i] / pivot
            i += 1
        if pivot < 0.0:
            high = middle
        else:
            low = middle
