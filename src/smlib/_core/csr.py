"""Compressed sparse rows: a matrix of mostly zeros, stored as the list of what is not zero.

Row ``i`` holds the entries number ``indptr[i]`` to ``indptr[i + 1] - 1``. Entry ``k`` stands in column ``indices[k]``
and has the value ``data[k]``::

        [ 4 -1  0 ]      indptr   0     2        5     7
    A = [-1  4 -1 ]      indices  0  1  0  1  2  1  2
        [ 0 -1  4 ]      data     4 -1 -1  4 -1 -1  4

A product with a vector walks through the three arrays once, from front to back: one multiplication and one look-up an
entry, and nothing for the zeros.

Invariants of a ``CSRMatrix``, proved by ``as_csr`` for every matrix that comes from outside:
  1. ``indptr`` has one entry a row and one more, starts at 0, never falls, and ends at the number of entries.
  2. every column index is less than the number of columns.
  3. within a row the columns rise strictly: sorted, none twice.
  4. every value is finite.

Kernels rely on 1 and 2 and check no index again. Sparse matrices are made of arrays that anyone can write to, and
SciPy does not check them all: without this proof a wrong index would read, or write, foreign memory.

Indices are unsigned 32-bit integers where they fit and unsigned 64-bit integers else: to a signed index a compiler
must add a test for counting from the end.

Cost: the proof O(entries), the product O(entries + rows). Both read memory from front to back and are bound by it.

Saad, *Iterative Methods for Sparse Linear Systems*, section 3.4.
"""

from __future__ import annotations

from typing import Any, NamedTuple, SupportsIndex, TypeAlias

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector, as_floats, require_finite
from smlib.errors import InputError

Indices = NDArray[np.unsignedinteger]


class CSRMatrix(NamedTuple):
    """A matrix in compressed sparse rows that keeps the invariants of this module.

    Only ``as_csr`` makes one, and ``stack_rows`` of two that are proved.

    Every function that takes a matrix takes it, and does not prove it again: whoever writes into its arrays breaks
    the proof.
    """

    indptr: Indices
    indices: Indices
    data: Vector
    shape: tuple[int, int]

    def to_scipy(self) -> scipy.sparse.csr_array:
        """Return the matrix as SciPy's, on the same memory where its indices, which have a sign, can count as far."""
        indices: Any = self.indices
        indptr: Any = self.indptr
        if max(self.data.size, *self.shape) < 2**31:
            indices, indptr = (part.view(f"i{part.itemsize}") for part in (indices, indptr))
        return scipy.sparse.csr_array((self.data, indices, indptr), shape=self.shape)


MatrixLike: TypeAlias = CSRMatrix | ArrayLike | scipy.sparse.sparray | scipy.sparse.spmatrix


def matvec(A: MatrixLike, x: ArrayLike) -> Vector:
    """Multiply a matrix by a vector.

    Parameters
    ----------
    A : array_like or any scipy.sparse matrix, shape (m, n)
        Real and finite. For many products pass ``as_csr(A)``: it is checked once.
    x : array_like, shape (n,)
        Real. NaN and infinity go through to the product.

    Returns
    -------
    ndarray, shape (m,)
        ``A x``.

    Raises
    ------
    InputError
        Shapes do not fit, NaN or infinity in ``A``, or a sparse matrix whose index arrays point outside it.

    Notes
    -----
    Complexity: O(m + entries); a dense ``A`` is first copied to sparse rows.

    References
    ----------
    Saad, *Iterative Methods for Sparse Linear Systems*, section 3.4.

    Examples
    --------
    >>> matvec([[4, -1, 0], [-1, 4, -1], [0, -1, 4]], [1, 2, 3])
    array([ 2.,  4., 10.])
    """
    matrix = as_csr(A)
    vector = as_floats(x, "x")
    if vector.shape != (matrix.shape[1],):
        raise InputError(f"x has shape {vector.shape}, but A has {matrix.shape[1]} columns")
    product = np.empty(matrix.shape[0])
    multiply(matrix.indptr, matrix.indices, matrix.data, vector, product)
    return product


def as_csr(A: MatrixLike, name: str = "A") -> CSRMatrix:
    """Return a matrix from outside as sparse rows with proven invariants; memory is shared where it can be.

    Parameters
    ----------
    A : array_like or any scipy.sparse matrix, shape (m, n)
        Real and finite; neither changed nor trusted.
    name : str
        What to call it in messages.

    Returns
    -------
    CSRMatrix

    Raises
    ------
    InputError
        ``A`` is not a real matrix of finite numbers, or its index arrays are broken; the message names the place.

    Notes
    -----
    Complexity: O(entries); nothing is copied of a sound CSR matrix of float64 and 32-bit indices.

    References
    ----------
    Saad, *Iterative Methods for Sparse Linear Systems*, section 3.4.

    Examples
    --------
    >>> as_csr([[4, -1, 0], [-1, 4, -1], [0, -1, 4]]).indices
    array([0, 1, 0, 1, 2, 1, 2], dtype=uint32)
    """
    if isinstance(A, CSRMatrix):
        return A
    if not scipy.sparse.issparse(A):
        return _compress(as_floats(A, name), name)
    _prove_before_conversion(A, name)
    rows = scipy.sparse.csr_array(A)
    if np.iscomplexobj(rows.data):
        raise InputError(f"{name} is complex; this works on real numbers")

    if not _prove_indices(rows, "column", name):
        rows = scipy.sparse.csr_array((rows.data, rows.indices, rows.indptr), shape=rows.shape, copy=True)
        rows.sum_duplicates()
    narrow = _index_type(rows.nnz, *rows.shape)
    indptr, indices = (part.astype(narrow, copy=False) for part in _as_unsigned(rows))
    data = as_floats(rows.data[: rows.nnz], name)
    finite = np.isfinite(data)
    if not finite.all():
        entry = int(np.argmin(finite))
        row = int(np.searchsorted(indptr, entry, side="right")) - 1
        raise InputError(f"{name}[{row}, {indices[entry]}] is {data[entry]}; every entry must be a finite number")
    return CSRMatrix(indptr, indices[: rows.nnz], data, rows.shape)


def stack_rows(above: CSRMatrix, below: CSRMatrix) -> CSRMatrix:
    """Return the rows of a matrix, followed by those of another one with as many columns."""
    if not (above.shape[0] and below.shape[0]):
        return above if above.shape[0] else below
    rows = above.shape[0] + below.shape[0]
    wide = _index_type(above.data.size + below.data.size, rows, above.shape[1])
    indptr = np.empty(rows + 1, wide)
    indptr[: above.shape[0]] = above.indptr[:-1]
    np.add(below.indptr, wide(above.data.size), out=indptr[above.shape[0] :], casting="same_kind")
    indices = np.concatenate([above.indices, below.indices], dtype=wide)
    return CSRMatrix(indptr, indices, np.concatenate([above.data, below.data]), (rows, above.shape[1]))


def _index_type(*numbers: int) -> type[np.unsignedinteger]:
    """Return the narrower of the two index types that holds the numbers."""
    return np.uint32 if max(numbers) < 2**32 else np.uint64


def _compress(dense: Vector, name: str) -> CSRMatrix:
    """Leave out the zeros of an array; its indices need no proof, for they are made here."""
    if dense.ndim != 2:
        raise InputError(f"{name} has {dense.ndim} dimensions; a matrix has 2")
    entries, wrong = count_entries(dense)
    if wrong:
        require_finite(dense, name)
    m, n = dense.shape
    narrow = _index_type(entries, m, n)
    matrix = CSRMatrix(np.empty(m + 1, narrow), np.empty(entries, narrow), np.empty(entries), (m, n))
    fill_rows(dense, matrix.indptr, matrix.indices, matrix.data)
    return matrix


def _prove_before_conversion(A: Any, name: str) -> None:
    """Check the index arrays of the formats that SciPy would turn into rows without looking at them."""
    if A.ndim != 2:
        raise InputError(f"{name} has {A.ndim} dimensions; a matrix has 2")
    if A.format == "csc":
        _prove_indices(A, "row", name)
    elif A.format in ("csr", "bsr"):
        _prove_indices(A, "column", name)
    elif A.format == "coo":
        for what, coordinates, length in zip(("row", "column"), A.coords, A.shape, strict=True):
            if len(coordinates) != len(A.data):
                raise InputError(f"{name} has {len(A.data)} values, but {len(coordinates)} {what} indices")
            for extreme in (coordinates.min(initial=0), coordinates.max(initial=0)):
                if not 0 <= extreme <= max(length - 1, 0):
                    raise InputError(f"{name} has an entry in {what} {extreme}, but only {length} {what}s")


def _prove_indices(compressed: Any, what: str, name: str) -> bool:
    """Prove that the entries of a compressed matrix lie inside it; say whether they are sorted and distinct as well.

    ``compressed`` is a CSR, CSC or BSR matrix: lists (of rows, columns or block rows) of places along the other axis.
    """
    major, minor = compressed.shape if what == "column" else compressed.shape[::-1]
    if compressed.format == "bsr":
        major, minor = major // compressed.blocksize[0], minor // compressed.blocksize[1]
    indptr, indices = _as_unsigned(compressed)
    if indptr.shape != (major + 1,) or indptr[0] != 0:
        raise InputError(
            f"{name}.indptr must start at 0 and have {major + 1} entries to fit the shape {compressed.shape}"
        )
    if indices.ndim != 1 or indptr[-1] > min(indices.size, len(compressed.data)):
        raise InputError(
            f"{name}.indptr ends at {indptr[-1]}, but {indices.size} indices and {len(compressed.data)} values exist"
        )
    verdict, place = inspect_indices(indptr, indices, indices.dtype.type(minor))
    if verdict == FALLING:
        raise InputError(f"{name}.indptr falls, or passes the last entry, after position {place}")
    if verdict == OUTSIDE:
        raise InputError(
            f"{name}.indices[{place}] is {compressed.indices[place]}, but {what} indices go from 0 to {minor - 1}"
        )
    return bool(verdict == SORTED)


def _as_unsigned(compressed: Any) -> tuple[Indices, Indices]:
    """View the index arrays as unsigned: what was negative is then huge, and fails the test for being too large."""
    pair = [np.require(part, requirements=["C", "W"]) for part in (compressed.indptr, compressed.indices)]
    for part in pair:
        if part.dtype.kind not in "iu":
            raise InputError(f"index arrays must hold integers, not {part.dtype}")
    if not all(part.dtype == np.int32 for part in pair):
        pair = [part.astype(np.int64, copy=False) for part in pair]
    unsigned = np.uint32 if pair[0].dtype == np.int32 else np.uint64
    return pair[0].view(unsigned), pair[1].view(unsigned)


# Verdicts of inspect_indices.
SORTED, UNSORTED, FALLING, OUTSIDE = range(4)


@kernel
def inspect_indices(indptr: Indices, indices: Indices, columns: np.unsignedinteger) -> tuple[int, SupportsIndex]:
    """Prove every row's bounds and every column index, and say whether the columns rise. The second number: where.

    Needs at least one entry in ``indptr``, and trusts nothing else.
    """
    verdict = SORTED
    previous = columns
    for row in range(indptr.size - 1):
        start, end = indptr[row], indptr[row + 1]
        if start > end or end > indices.size:
            return FALLING, row
        for entry in range(start, end):
            column = indices[entry]
            if column >= columns:
                return OUTSIDE, np.int64(entry)
            if entry > start and column <= previous:
                verdict = UNSORTED
            previous = column
    return verdict, 0


@kernel
def count_entries(dense: Vector) -> tuple[int, int]:
    """Return how many entries of a dense matrix are not zero, and how many are NaN or infinite."""
    entries, wrong = 0, 0
    for i in range(dense.shape[0]):
        row = dense[i]
        for j in range(row.size):
            entries += row[j] != 0.0
            wrong += not abs(row[j]) < np.inf
    return entries, wrong


@kernel
def fill_rows(dense: Vector, indptr: Indices, indices: Indices, data: Vector) -> None:
    """Copy the entries of a dense matrix that are not zero; the arrays have room for exactly these."""
    entry = 0
    for i in range(dense.shape[0]):
        indptr[i] = entry
        row = dense[i]
        for j in range(row.size):
            if row[j] != 0.0:
                indices[entry] = j
                data[entry] = row[j]
                entry += 1
    indptr[dense.shape[0]] = entry


@kernel(fast=True)
def multiply(indptr: Indices, indices: Indices, data: Vector, x: Vector, product: Vector) -> None:
    """Set product = A x."""
    start = indptr[0]
    for row in range(product.size):
        end = indptr[row + 1]
        total = 0.0
        for entry in range(start, end):
            total += data[entry] * x[indices[entry]]
        product[row] = total
        start = end
