"""Where customers of an open network go from each station, and with which chance: for the formula and the simulation.

Invariants of what `as_routing` returns:
  1. No chance is negative, and none of the rows adds up to more than 1; what a row lacks to 1 is the chance to leave.
  2. From every station one can get to one that can be left: nobody stays for ever.

Cost: O(n^2) for n stations, and O(n^3) at worst.

Jackson, "Networks of waiting lines", *Operations Research* 5 (1957).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.validate import Vector, as_floats, require_finite
from smlib.errors import InputError

# A row whose sum is 1 to within rounding sends everybody on.
ROUNDING = 1e-12


def as_routing(routing: ArrayLike, n: int) -> tuple[Vector, Vector]:
    """Return the chances to go from station to station, as a copy, and those to leave from each."""
    chances = as_floats(routing, "routing").copy()
    if chances.shape != (n, n):
        raise InputError(f"routing has shape {chances.shape}, but {n} stations need shape ({n}, {n})")
    require_finite(chances, "routing")
    if chances.min() < 0.0:
        i, j = np.unravel_index(int(chances.argmin()), chances.shape)
        raise InputError(f"routing[{i}, {j}] is {chances[i, j]}; it must be at least 0")
    sums = chances.sum(axis=1)
    if sums.max() > 1.0 + ROUNDING:
        worst = int(sums.argmax())
        raise InputError(f"row {worst} of routing has the sum {sums[worst]:.12g}; chances add up to 1 at most")
    leaving: Vector = np.where(sums < 1.0 - ROUNDING, 1.0 - sums, 0.0)
    gets_out = leaving > 0.0
    while not gets_out.all():
        more = gets_out | (chances[:, gets_out] > 0.0).any(axis=1)
        if (more == gets_out).all():
            trapped = ", ".join(str(number) for number in np.flatnonzero(~gets_out))
            raise InputError(f"nobody leaves who comes to these stations: {trapped}; let a row of routing sum to less")
        gets_out = more
    return chances, leaving
