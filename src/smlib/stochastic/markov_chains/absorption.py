r"""Where a chain ends, how long that takes, and where it is meanwhile: sums over all ways, by elimination.

Among its transient states a chain moves by the part ``Q`` of its matrix, and from each of them it leaves for good with
some chance. All that one asks about is ``x = b + Q x``, a sum over the ways ``b + Q b + Q^2 b + ...`` from each state::

    b = chances to step into a class        x = chance to end in that class
    b = 1                                   x = mean number of steps until the end
    b = 1 for state j, 0 else               x = mean number of visits of j

For the mean time to a set of *targets* these are taken for the end, and all other states are transient, but for those
from which the chain may get into a class without a target: from there it may never come, and the mean is infinite.

By hand: a gambler has 1 and wins or loses 1 at a time, each with chance 1/2, until he has 0 or 3. From 1 he steps to
0 or 2, from 2 to 1 or 3. With x[1] = 1 + x[2]/2 and x[2] = 1 + x[1]/2 both take 2 steps on average; he is ruined with
the chance u[1] = 1/2 + u[2]/2, u[2] = u[1]/2, which are 2/3 and 1/3.

Invariants, checked by the tests:
  1. Each entry is within a few n roundings of the true one relative to itself.
  2. The chances of all classes add up to 1 in each row.
  3. Mean times are 0 at a target, infinite where the chain may miss all of them, and else finite and at least 1 step.

Cost: that of `elimination` for the transient states.

Kemeny & Snell, *Finite Markov Chains*, chapter 3; Grinstead & Snell, *Introduction to Probability*, section 11.2;
Norris, *Markov Chains*, section 1.3.
"""

from __future__ import annotations

import numpy as np

from smlib._core.csr import CSRMatrix
from smlib._core.validate import Vector
from smlib.stochastic.markov_chains.elimination import Places, censor, solve
from smlib.stochastic.markov_chains.structure import Classes, find_classes, mark_reaching

Weights = Vector | CSRMatrix


def visits_in(weights: Weights, transient: Places) -> Vector:
    """Return ``(I - Q)^-1`` for the transient states: mean visits of each from each."""
    part = censor(weights, transient, weights_between(weights, transient, _others(weights, transient)))
    return solve(part, np.eye(transient.size))


def absorption_in(weights: Weights, classes: Classes, transient: Places) -> Vector:
    """Return the chance to end in each recurrent class, from each state."""
    ends = [classes.members[k] for k in classes.recurrent]
    chances = np.zeros((weights.shape[0], len(ends)))
    for k, members in enumerate(ends):
        chances[members, k] = 1.0
    if transient.size:
        steps = np.column_stack([weights_between(weights, transient, members) for members in ends])
        chances[transient] = solve(censor(weights, transient, steps.sum(axis=1)), steps)
    return chances


def hitting_times_in(weights: Weights, links: CSRMatrix, targets: Places) -> Vector:
    """Return the mean time to the first of some targets, from each state."""
    n = weights.shape[0]
    ends = np.zeros(n, np.bool_)
    ends[targets] = True
    classes = find_classes(links, ends)
    missing = np.zeros(len(classes.members), np.bool_)
    missing[[k for k in classes.recurrent if not ends[classes.members[k][0]]]] = True
    mark_reaching(links.indptr, links.indices, classes.order[~ends[classes.order]], classes.labels, missing)

    times = np.where(missing[classes.labels], np.inf, 0.0)
    others = np.flatnonzero(~ends & (times == 0.0))
    if others.size:
        part = censor(weights, others, weights_between(weights, others, np.flatnonzero(ends)))
        times[others] = solve(part, np.ones((others.size, 1)))[:, 0]
    return times


def weights_between(weights: Weights, sources: Places, targets: Places) -> Vector:
    """Return the sum of the weights from each source to the targets."""
    if isinstance(weights, np.ndarray):
        sums: Vector = weights[np.ix_(sources, targets)].sum(axis=1)
    else:
        sums = weights.to_scipy()[sources][:, targets].sum(axis=1)
    return sums


def _others(weights: Weights, members: Places) -> Places:
    return np.setdiff1d(np.arange(weights.shape[0]), members, assume_unique=True)
