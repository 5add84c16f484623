r"""Chains in continuous time: how long the chain stays in a state is random too, and has no memory.

The problem. Machines break and are mended, customers come and are served, molecules meet. Nothing happens at the ticks
of a clock. What happens next depends on the state alone, and so does when.

The idea. To each pair of states belongs a *rate* q[i, j]: how often a chain that is in i would go to j, per unit of
time. The chain in i waits for the first of these, a time that is exponential with the rate ``q[i] = sum of q[i, j]``,
and it is j with chance ``q[i, j] / q[i]``::

        a machine:   works --- 1/10 --->  broken          Q = | -1/10   1/10 |      rates beside the diagonal,
                           <-- 2 -------                      |   2      -2  |      rows add up to 0

    that is, a *jump chain* in discrete time, which says where to, and holding times, which say when. An exponential
    time has no memory: however long it has lasted, what is left of it is as long as it was at the start. So the state
    is all that there is to know.

The distribution obeys ``d mu / dt = mu Q``: what flows in less what flows out. So ``mu(t) = mu e^(Q t)``, which
`uniformisation` finds without a subtraction, and a distribution with ``pi Q = 0`` stays. In detail: the flow out of
each state, ``pi[i] q[i]``, is what flows in.

By hand. The machine works for 10 days on average, and is mended in half a day. ``pi[works] / 10 = 2 pi[broken]`` gives
pi = (20, 1) / 21: it works 95 % of the time. New machines begin at 1 and come down to that: P(works at t) = 20/21 +
e^(-2.1 t) / 21, and after two days little is left of the difference.

The diagonal of Q is what the other entries make it. It is checked, and not used: whatever is asked is found from the
rates between different states, which are not negative, so that no digit is lost where a rate of 1e-9 stands beside one
of 1e9.

Invariants, checked by the tests:
  1. ``P(s + t) = P(s) P(t)``, rows of P(t) add up to 1, and nothing is negative (Chapman-Kolmogorov).
  2. ``pi P(t) = pi`` for each stationary distribution, at all t.
  3. The distance between two distributions never grows as time goes on.
  4. Holding times have the mean ``1 / q[i]``, and the jumps between them are those of the `embedded_chain`.
  5. In other units of time nothing changes: Q / c at the time c t is Q at t.

Cost: a distribution at t as `uniformisation` says; a jump of a path some 15 ns; the rest as for discrete time.

Norris, *Markov Chains*, chapters 2 and 3; Lawler, *Introduction to Stochastic Processes*, chapter 3; Blitzstein &
Hwang, *Introduction to Probability*, section 13.1 (what has no memory); Bertsekas & Tsitsiklis, *Introduction to
Probability*, section 7.5.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from smlib._core.csr import CSRMatrix, MatrixLike, as_csr
from smlib._core.kernel import kernel
from smlib._core.random_streams import RandomLike, State, advance, as_generator, as_state, exponential, new_stream
from smlib._core.validate import Vector, as_nonnegative, as_number
from smlib.errors import InputError
from smlib.stochastic.markov_chains.chain import MarkovChain
from smlib.stochastic.markov_chains.generators import as_rates
from smlib.stochastic.markov_chains.states import FiniteChain, Indices, Names
from smlib.stochastic.markov_chains.transitions import as_chances
from smlib.stochastic.markov_chains.uniformisation import (
    Matrix,
    mixed_matrix,
    mixed_row,
    needed_ticks,
    poisson_weights,
)
from smlib.stochastic.markov_chains.walking import AliasTables, Words, build_tables, step

# P(t) is a full matrix; with more states than these it would take gigabytes.
MOST_STATES = 10_000
# So many jumps have room at first; each further part has twice as much.
FIRST_JUMPS = 1 << 10
# Less would be lost among the smallest floats.
LEAST_TOLERANCE = 1e-300
# Entries of a full product that take as long as one of a sparse one.
FULL_SPEED = 20


class JumpPath(NamedTuple):
    """What a chain did: at ``times[k]`` it got into ``states[k]``, and it stayed there until ``times[k + 1]``."""

    times: Vector
    states: Names


class ContinuousTimeMarkovChain(FiniteChain):
    """A chain in continuous time with finitely many states, given by its rates.

    Parameters
    ----------
    Q : array_like or any scipy.sparse matrix, shape (n, n)
        The generator: rates beside the diagonal, not negative; rows add up to 0, within 1e-8 of the rates in them. A
        row of zeros is a state that is never left.
    state_values : iterable, optional
        Names of the states, all different; 0 to n - 1 by default.

    Attributes
    ----------
    n : int
        The number of states.
    state_values : ndarray or None
        Their names.
    holding_rates : ndarray, shape (n,)
        The rate at which each state is left; its holding time has the mean 1 over that.

    Notes
    -----
    Classes, `stationary_distributions`, `absorption_probabilities`, `hitting_times` and `fundamental_matrix` are those
    of `MarkovChain`, with time instead of steps.

    References
    ----------
    Norris, *Markov Chains*, chapters 2 and 3.

    Examples
    --------
    >>> machine = ContinuousTimeMarkovChain([[-0.1, 0.1], [2, -2]], ["works", "broken"])
    >>> (machine.stationary_distributions * 21).round(9)
    array([[20.,  1.]])
    >>> machine.transition_matrix(1.0).round(6)
    array([[0.958212, 0.041788],
           [0.835756, 0.164244]])
    >>> machine.hitting_times("broken")
    array([10.,  0.])
    """

    def __init__(self, Q: MatrixLike, state_values: Iterable[Hashable] | None = None) -> None:
        rates, holding_rates = as_rates(Q)
        super().__init__(rates, state_values)
        self.holding_rates: Vector = holding_rates

    def __repr__(self) -> str:
        kind = "sparse" if isinstance(self._weights, CSRMatrix) else "dense"
        return f"ContinuousTimeMarkovChain: {self.n} states, {kind}, {self._links.data.size} jumps possible"

    @property
    def Q(self) -> Any:  # noqa: N802  # the books' name
        """The generator: a new array, or a sparse one if it was given so."""
        if isinstance(self._weights, CSRMatrix):
            return scipy.sparse.csr_array(self._weights.to_scipy() - scipy.sparse.diags_array(self.holding_rates))
        return np.asarray(self._weights - np.diag(self.holding_rates))

    @cached_property
    def embedded_chain(self) -> MarkovChain:
        """The jump chain: where the chain goes when it leaves a state. A state that is never left leads to itself."""
        jumps = self._jumps.to_scipy()
        chances = scipy.sparse.csr_array(scipy.sparse.diags_array(1.0 / jumps.sum(axis=1)) @ jumps)
        return MarkovChain(
            chances if isinstance(self._weights, CSRMatrix) else chances.toarray(), state_values=self.state_values
        )

    @property
    def is_reversible(self) -> bool:
        """Whether the chain looks the same run backwards: ``pi[i] q[i, j] = pi[j] q[j, i]``, within rounding."""
        return self.embedded_chain.is_reversible

    def distribution(self, mu: ArrayLike, t: float, *, tol: float = 1e-12) -> Vector:
        """Return how the chain is distributed at a time, by uniformisation.

        Parameters
        ----------
        mu : array_like, shape (n,)
            How it is distributed at time 0: not negative, with the sum 1.
        t : float
            At least 0.
        tol : float
            At least 1e-300, less than 1: what the sum may leave out. The distance in total variation from ``mu e^(Q
            t)`` is no more, up to rounding. Each entry has nearly all its digits if it is larger than ``tol`` by far.

        Returns
        -------
        ndarray, shape (n,)
            Not negative, with the sum 1.

        Raises
        ------
        InputError
            ``mu`` is no distribution over the states; ``t`` is negative; ``tol`` is out of its range.

        Notes
        -----
        Complexity: O(entries (L t + sqrt(L t log(1 / tol)))), where L is the largest holding rate; or O(n^3 log(L t))
        if that is less.

        References
        ----------
        Stewart, *Probability, Markov Chains, Queues, and Simulation*, section 10.7.

        Examples
        --------
        >>> chain = ContinuousTimeMarkovChain([[-1, 1], [1, -1]])
        >>> chain.distribution([1, 0], 0.5)  # 1/2 + e^(-1) / 2
        array([0.68393972, 0.31606028])
        """
        start = as_chances(mu, self.n)
        ticks, share = self._expected_ticks(t), _as_tolerance(tol)
        if ticks == 0.0:
            return start
        _, products = needed_ticks(ticks, share)
        squarings = 8.0 + max(0.0, math.log2(ticks))
        if self.n <= MOST_STATES and products * (self._ticks.data.size + self.n) > squarings * self.n**3 / FULL_SPEED:
            found = start @ self.transition_matrix(t, tol=tol)
            return np.asarray(found / found.sum())
        return mixed_row(self._ticks, start, poisson_weights(ticks, share))

    def transition_matrix(self, t: float, *, tol: float = 1e-12) -> Matrix:
        """Return ``P(t) = e^(Q t)``: the chance to be in each state (column) at time t, from each one (row).

        Parameters
        ----------
        t : float
            At least 0.
        tol : float
            As for `distribution`, for each row.

        Returns
        -------
        ndarray, shape (n, n)
            Not negative; rows have the sum 1.

        Raises
        ------
        InputError
            ``t`` is negative, ``tol`` is out of its range, or there are more than 10,000 states.

        Notes
        -----
        Complexity: O(n^3 (log(L t) + sqrt(log(1 / tol)))).

        References
        ----------
        Stewart, *Probability, Markov Chains, Queues, and Simulation*, section 10.7.

        Examples
        --------
        >>> ContinuousTimeMarkovChain([[-1, 1], [0, 0]]).transition_matrix(1.0)  # e^(-1) is left of the first
        array([[0.36787944, 0.63212056],
               [0.        , 1.        ]])
        """
        ticks, share = self._expected_ticks(t), _as_tolerance(tol)
        if self.n > MOST_STATES:
            raise InputError(f"P(t) of {self.n} states is too large; ask distribution for the rows that are wanted")
        if ticks == 0.0:
            return np.eye(self.n)
        return mixed_matrix(np.ascontiguousarray(self._ticks.to_scipy().toarray().T), ticks, share)

    def _expected_ticks(self, t: float) -> float:
        return as_nonnegative(as_nonnegative(t, "t") * float(self.holding_rates.max()), "t times the largest rate")

    @cached_property
    def _ticks(self) -> CSRMatrix:
        """The columns of ``U = I + Q / L`` as rows."""
        rates = self._links.to_scipy() / self.holding_rates.max()
        stay = scipy.sparse.diags_array(1.0 - self.holding_rates / self.holding_rates.max())
        return as_csr(scipy.sparse.csr_array((rates + stay).T))

    def simulate(self, t_end: float, init: Any = None, rng: RandomLike = None) -> JumpPath:
        """Draw a path of the chain from time 0 to ``t_end``.

        Parameters
        ----------
        t_end : float
            At least 0.
        init : state, optional
            Where it starts, by name; None draws a state, all with the same chance.
        rng : Generator, int or None
            Where chance comes from.

        Returns
        -------
        JumpPath
            ``times`` and ``states``: the state in which the chain is from each time on. The first time is 0. At a time
            t it is in ``states[np.searchsorted(times, t, side="right") - 1]``.

        Raises
        ------
        InputError
            ``t_end`` is negative or infinite; there is no such state.

        Notes
        -----
        Complexity: O(jumps), and O(entries) for the alias tables at the first call.

        References
        ----------
        Norris, *Markov Chains*, section 2.6.

        Examples
        --------
        >>> machine = ContinuousTimeMarkovChain([[-0.1, 0.1], [2, -2]], ["works", "broken"])
        >>> times, states = machine.simulate(20, init="works", rng=1)
        >>> times.round(1)
        array([ 0. , 16. , 16.1])
        >>> states.tolist()
        ['works', 'broken', 'works']
        """
        times, indices = self.simulate_indices(t_end, None if init is None else self.get_index(init), rng)
        return JumpPath(times, self._name(indices))

    def simulate_indices(self, t_end: float, init: int | None = None, rng: RandomLike = None) -> JumpPath:
        """Draw a path as `simulate` does, with states as indices: as ``init``, and in what is returned."""
        end, generator = as_nonnegative(t_end, "t_end"), as_generator(rng)
        state = int(generator.integers(self.n)) if init is None else init
        if not 0 <= state < self.n:
            raise InputError(f"init is {init}; states are 0 to {self.n - 1}")
        stream, time, size = new_stream(generator), 0.0, FIRST_JUMPS
        parts: list[tuple[Vector, Indices]] = []
        while time < end or not parts:
            times, states = np.empty(size), np.empty(size, np.int64)
            filled, time, last, words = jump_until(
                *self._tables, self._mean_times, end, time, state, stream, times, states
            )
            parts.append((times[:filled], states[:filled]))
            state, stream, size = int(last), as_state(words), 2 * size
        return JumpPath(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    @cached_property
    def _jumps(self) -> CSRMatrix:
        """The rates, with a 1 on the diagonal for states that are never left."""
        loops = scipy.sparse.diags_array((self.holding_rates == 0.0).astype(np.float64))
        return as_csr(scipy.sparse.csr_array(self._links.to_scipy() + loops))

    @cached_property
    def _tables(self) -> AliasTables:
        return build_tables(self._jumps)

    @cached_property
    def _mean_times(self) -> Vector:
        """The means of the holding times; infinite for states that are never left."""
        rates = self.holding_rates
        return np.divide(1.0, rates, out=np.full_like(rates, np.inf), where=rates > 0.0)


def _as_tolerance(tol: float) -> float:
    share = as_number(tol, "tol")
    if not LEAST_TOLERANCE <= share < 1.0:
        raise InputError(f"tol is {share}; it must be at least {LEAST_TOLERANCE} and less than 1")
    return share


@kernel
def jump_until(
    cells: Words,
    rows: Words,
    bits: np.uint64,
    mean_times: Vector,
    end: float,
    time: float,
    state: int,
    stream: State,
    times: Vector,
    states: Indices,
) -> tuple[int, float, np.int64, State]:
    """Fill a path until a time or until there is no more room. Returns how much of it is filled, and how to go on."""
    here = np.uint64(state)
    for place in range(times.size):
        times[place] = time
        states[place] = np.int64(here)
        wait, stream = exponential(stream)
        time += wait * mean_times[here]
        # What is not a number is 0 times infinity: no time passed, and yet the state is never left.
        if not time < end:
            return place + 1, end, np.int64(here), stream
        word = stream[0] + stream[3]
        stream = advance(stream)
        here = step(cells, rows, bits, here, word)
    return times.size, time, np.int64(here), stream
