"""A generator from outside: proved once, copied, and taken apart into rates and holding rates.

Invariants of what `as_rates` returns:
  1. The rates are a square matrix with one state at least, finite and not negative, with nothing on the diagonal.
  2. A holding rate is the sum of its row of rates, by additions alone.
  3. The diagonal that was given was the negative of that, but for `ROW_TOLERANCE` times as much.
  4. As sparse rows, no entry is 0: what is stored is what can happen.

Cost: O(n^2), or O(entries) for sparse matrices.

Norris, *Markov Chains*, section 2.1.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse

from smlib._core.csr import CSRMatrix, MatrixLike, as_csr, matvec
from smlib._core.validate import Vector, require_finite
from smlib.errors import InputError
from smlib.stochastic.markov_chains.transitions import as_square, require_nonnegative

# How far from 0 the sum of a row may be, as a share of the rates in it.
ROW_TOLERANCE = 1e-8


def as_rates(Q: MatrixLike) -> tuple[Vector | CSRMatrix, Vector]:
    """Return the rates between different states (an array, or sparse rows if Q is sparse), and the sum of each row."""
    rates = as_square(Q, "Q")
    if isinstance(rates, CSRMatrix):
        entries = rates.to_scipy().tocoo()
        diagonal = entries.diagonal()
        (rows, columns), beside = entries.coords, entries.coords[0] != entries.coords[1]
        kept = entries.data[beside], (rows[beside], columns[beside])
        rates = as_csr(scipy.sparse.csr_array(kept, shape=entries.shape))
    else:
        require_finite(rates, "Q")
        diagonal = rates.diagonal().copy()
        np.fill_diagonal(rates, 0.0)
    require_nonnegative(rates, "Q")
    holding_rates = matvec(rates, np.ones(diagonal.size))
    wrong = ~(np.abs(holding_rates + diagonal) <= ROW_TOLERANCE * holding_rates)
    if wrong.any():
        i = int(wrong.argmax())
        raise InputError(
            f"row {i} of Q adds up to {holding_rates[i] + diagonal[i]:.6g}, but has to add up to 0: its diagonal is "
            f"{diagonal[i]:.6g}, and the rates beside it are {holding_rates[i]:.6g} together"
        )
    return rates, holding_rates
