"""What a quadrature returns: the integral, and how far it is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smlib._core.results import Result


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IntegralResult(Result):
    """An integral, and an estimate of its error.

    Attributes
    ----------
    estimate : float
        The integral.
    error : float
        How far off it may be. An estimate from samples, no bound: a peak between all samples is seen by none.
    success : bool
        Whether ``error`` meets the tolerance.
    status : int
        0 converged, 1 limit reached, 4 numerical trouble (rounding, a value that is not finite).
    message : str
        The same in words; what went wrong, and where.
    neval : int
        How often the integrand was evaluated.
    nit : int
        How often an interval was split.
    """

    estimate: float
    error: float
    success: bool
    status: int
    message: str
    neval: int
    nit: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RombergResult(IntegralResult):
    """An integral by Romberg's method, with the table that led to it.

    Attributes
    ----------
    tableau : ndarray, shape (nit + 1, nit + 1)
        Row i begins with the trapezoidal rule of ``2**i`` steps; entry j is extrapolated j times. Zeros stand above
        the diagonal.
    """

    tableau: NDArray[np.float64]
