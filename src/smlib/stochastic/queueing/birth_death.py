"""How likely it is that n are there: each probability from its neighbour, beginning at the likeliest.

A queue that goes up and down by one (see the essay of the topic) has ``p[n + 1] = p[n] * load / min(n + 1,
servers)``. To begin with ``p[0]`` would not do: for a load of 1000 it is ``e^-1000``, which is no number of 64 bits.
So one begins in the middle, at the likeliest state, gives that the weight 1, walks down and up, and divides by the
sum of all::

    weights       0 ... 0.37  0.74   1   0.74  0.37 ... 0            no weight is more than 1: nothing overflows,
                  <---- times n / load   |   times load / n ---->    and what vanishes does not matter

With as many servers as customers these are the numbers of Poisson's distribution.

By hand. Load 1, two servers, four places: 1, 1, 1/2, 1/4, 1/8, with the sum 23/8. The last one is lost: 1/23.

Cost: O(states) time.

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapter 14.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.validate import Vector

# A weight below this counts as none: it is nothing beside the 1 of the likeliest state.
NOTHING = 1e-300


@kernel
def weigh_states(weights: Vector, load: float, servers: float) -> None:
    """Set each weight to how likely that many customers are, over how likely the likeliest number is."""
    top = weights.shape[0] - 1
    likeliest = top if load >= servers or load >= top else int(load)
    weight = 1.0
    weights[likeliest] = 1.0
    for n in range(likeliest, 0, -1):
        weight *= (n if n < servers else servers) / load
        weight = weight if weight > NOTHING else 0.0
        weights[n - 1] = weight
    weight = 1.0
    for n in range(likeliest + 1, top + 1):
        weight *= load / (n if n < servers else servers)
        weight = weight if weight > NOTHING else 0.0
        weights[n] = weight


def state_weights(count: int, load: float, servers: float) -> Vector:
    """Return the weights of the states 0 to ``count - 1``."""
    weights = np.empty(count)
    weigh_states(weights, load, servers)
    return weights


def poisson_probabilities(mean: float) -> Vector:
    """Return Poisson's probabilities of 0, 1, 2, ..., up to where nothing is left.

    >>> poisson_probabilities(2.0)[:4].round(3)
    array([0.135, 0.271, 0.271, 0.18 ])
    """
    # Farther from the mean than this, no weight is as much as 1e-300.
    weights = state_weights(int(mean + 38.0 * mean**0.5) + 500, mean, np.inf)
    weights /= weights.sum()
    return weights
