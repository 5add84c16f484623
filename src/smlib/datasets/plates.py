"""Heat in a plate, and its relatives: the linear systems on which iterative solvers are tried.

At rest, the temperature of every inner point of a grid is the mean of its neighbours. One equation a point::

             -1
        -1    4   -1        times the temperatures  =  the temperatures of those neighbours that lie on an edge
             -1

which is also the 5-point discretisation of Poisson's equation. A grid of ``m x m`` points has ``m^2`` unknowns;
unknown number ``r m + c`` is the point in row ``r`` from the top and column ``c`` from the left.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
from numpy.typing import NDArray


def heated_plate(
    m: int, *, top: float = 100.0, right: float = 0.0, bottom: float = 0.0, left: float = 0.0
) -> tuple[scipy.sparse.csr_array, NDArray[np.float64]]:
    """Return the system ``A, b`` for the temperatures inside a square plate with edges held at fixed temperatures.

    Parameters
    ----------
    m : int
        Inner points along one edge.
    top, right, bottom, left : float
        Temperatures of the edges.

    Returns
    -------
    A : csr_array, shape (m * m, m * m)
    b : ndarray, shape (m * m,)

    Examples
    --------
    >>> A, b = heated_plate(2)
    >>> A.toarray()
    array([[ 4., -1., -1.,  0.],
           [-1.,  4.,  0., -1.],
           [-1.,  0.,  4., -1.],
           [ 0., -1., -1.,  4.]])
    >>> b
    array([100., 100.,   0.,   0.])
    """
    b = np.zeros((m, m))
    b[0] += top
    b[:, -1] += right
    b[-1] += bottom
    b[:, 0] += left
    return grid_laplacian(m, m), b.ravel()


def grid_laplacian(*lengths: int, weights: tuple[float, ...] | None = None) -> scipy.sparse.csr_array:
    """Return the matrix of the 3, 5 or 7-point stencil on a grid of any number of dimensions.

    Parameters
    ----------
    *lengths : int
        Points along each axis.
    weights : tuple of float, optional
        How strongly neighbours along each axis are coupled; 1 for each if not given.

    Returns
    -------
    csr_array
        Symmetric positive definite, of order ``prod(lengths)``; the last axis is numbered fastest.

    Examples
    --------
    >>> grid_laplacian(3, weights=(2.0,)).toarray()
    array([[ 4., -2.,  0.],
           [-2.,  4., -2.],
           [ 0., -2.,  4.]])
    """
    total = scipy.sparse.csr_array((1, 1))
    for length, weight in zip(lengths, weights or (1.0,) * len(lengths), strict=True):
        second = weight * scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(length, length))
        before, identity = scipy.sparse.eye_array(total.shape[0]), scipy.sparse.eye_array(length)
        total = scipy.sparse.csr_array(scipy.sparse.kron(total, identity) + scipy.sparse.kron(before, second))
    total.eliminate_zeros()
    total.sort_indices()
    return total
