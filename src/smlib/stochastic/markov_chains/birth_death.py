r"""Birth-death chains: a number that rises and falls by one.

The problem. How many customers wait, how many lines are busy, how many molecules are on the left side? The number
changes by one at a time: up by a *birth*, down by a *death*, at rates that depend on the number itself.

The idea. Cut the line of states between k and k + 1. In the long run the chain crosses the cut upwards as often as
downwards, for it cannot go up twice without coming down between::

      b[0]    b[1]          b[k]
    0 ---> 1 ---> 2 ... k ---|---> k + 1 ...           pi[k] b[k] = pi[k + 1] d[k]
      <---   <---          <-|---
      d[0]    d[1]          d[k]

so each stationary chance follows from the one before, and ``pi[k]`` is in proportion to the product of all ``b / d`` up
to it. Nothing is left to solve, and the chain is reversible: run backwards, it looks the same.

By hand. A queue (M/M/1/K): births at rate 2, deaths at rate 3, room for K = 2. The chances are as 1 : 2/3 : 4/9, that
is (9, 6, 4) / 19: in 4 of 19 cases someone who comes finds no room. Ehrenfest's urns: N balls, each changes its urn at
rate 1, so b[k] = N - k and d[k] = k + 1. The products are binomial coefficients: in the long run each ball is on either
side with chance 1/2, and of 100 balls the left urn will be empty for one moment in 2^100.

Invariants, checked by the tests:
  1. Elimination, which knows nothing of cuts, finds the products.
  2. The chain is reversible.

Cost: O(n); the chain is stored as two diagonals.

Blitzstein & Hwang, *Introduction to Probability*, section 11.4 (the same in discrete time); Harchol-Balter,
*Performance Modeling and Design of Computer Systems*, section 12.1; Kleinrock, *Queueing Systems 1*, sections 2.5 and
3.1.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from smlib._core.validate import as_vector
from smlib.errors import InputError
from smlib.stochastic.markov_chains.continuous_time import ContinuousTimeMarkovChain


def birth_death_chain(
    births: ArrayLike, deaths: ArrayLike, state_values: Iterable[Hashable] | None = None
) -> ContinuousTimeMarkovChain:
    """Return the chain that rises from k to k + 1 at rate ``births[k]``, and falls from k + 1 to k at rate
    ``deaths[k]``.

    Parameters
    ----------
    births, deaths : array_like, shape (n - 1,)
        Rates, not negative; those of zero are doors that are shut.
    state_values : iterable, optional
        Names of the n states; 0 to n - 1 by default.

    Returns
    -------
    ContinuousTimeMarkovChain
        Sparse.

    Raises
    ------
    InputError
        The rates differ in number, there are none, or one is negative or not finite.

    Notes
    -----
    Complexity: O(n).

    References
    ----------
    Kleinrock, *Queueing Systems 1*, section 2.5.

    Examples
    --------
    >>> queue = birth_death_chain([2, 2], [3, 3])
    >>> (queue.stationary_distributions * 19).round(9)
    array([[9., 6., 4.]])
    >>> urns = birth_death_chain([4, 3, 2, 1], [1, 2, 3, 4])
    >>> (urns.stationary_distributions * 16).round(9)
    array([[1., 4., 6., 4., 1.]])
    """
    steps = np.size(births)
    up, down = as_vector(births, "births", steps), as_vector(deaths, "deaths", np.size(deaths))
    if not steps or up.size != down.size:
        raise InputError(f"there are {up.size} births and {down.size} deaths; n states need n - 1 of each, 1 at least")
    for rates, name in ((up, "births"), (down, "deaths")):
        if rates.min() < 0.0:
            raise InputError(f"{name}[{int(rates.argmin())}] is {rates.min()}; a rate cannot be negative")
    stay = -(np.append(up, 0.0) + np.append(0.0, down))
    Q = scipy.sparse.diags_array([down, stay, up], offsets=[-1, 0, 1], format="csr")
    return ContinuousTimeMarkovChain(Q, state_values)
