"""What a solver returns: the answer, how it ended, and the proof.

``success`` is set only after the answer has been checked against the original data. ``status`` says how the calculation
ended, in one numbering for the whole library:

  0  converged
  1  the limit on iterations was reached
  2  infeasible, or singular
  3  unbounded, or diverged
  4  numerical trouble
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from html import escape

import numpy as np
from numpy.typing import NDArray

CONVERGED = 0
ITERATION_LIMIT = 1
INFEASIBLE = 2
DIVERGED = 3
NUMERICAL_TROUBLE = 4

# An array of up to this many entries is shown whole.
SHOWN_ENTRIES = 6


class Result:
    """Shows a result as a list of its fields; a long array is shown by its shape, type and range."""

    __slots__ = ()

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(len(name) for name, _ in rows)
        return "\n".join([type(self).__name__, *(f"  {name:>{width}}: {text}" for name, text in rows)])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:right'>{name}</th><td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in self._rows()
        )
        return f"<table><caption>{type(self).__name__}</caption>{rows}</table>"

    def _rows(self) -> list[tuple[str, str]]:
        return [(field.name, _describe(getattr(self, field.name))) for field in fields(self)]  # type: ignore[arg-type]


def _describe(value: object) -> str:
    if isinstance(value, Result):
        return "; ".join(f"{name} {text}" for name, text in value._rows())
    if not isinstance(value, np.ndarray):
        return str(value)
    if value.size <= SHOWN_ENTRIES:
        return np.array2string(value, precision=6, separator=", ")
    shape = " x ".join(str(length) for length in value.shape)
    return f"{shape} {value.dtype}, from {value.min():.6g} to {value.max():.6g}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LinearResult(Result):
    """A solution of ``A x = b``, and how far it is from being one.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The last iterate.
    success : bool
        Whether the residual of ``x``, computed from ``A`` and ``b``, meets the tolerance.
    status : int
        0 converged, 1 limit on iterations reached, 3 diverged, 4 numerical trouble.
    message : str
        The same in words, with the numbers.
    nit : int
        Iterations done.
    residual_norms : ndarray, shape (nit + 1,)
        ``|b - A x|`` of the start vector and after every iteration; the last is that of ``x``.
    """

    x: NDArray[np.float64]
    success: bool
    status: int
    message: str
    nit: int
    residual_norms: NDArray[np.float64]
