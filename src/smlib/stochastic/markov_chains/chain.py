"""A Markov chain in discrete time: what comes next depends on the state it is in, and on nothing before."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
import scipy.special
from numpy.typing import ArrayLike

from smlib._core.csr import CSRMatrix, MatrixLike
from smlib._core.random_streams import RandomLike, as_generator, new_stream
from smlib._core.validate import Vector, as_count, as_number
from smlib.errors import InputError
from smlib.stochastic.markov_chains.mixing import advance_by, as_dense, first_time
from smlib.stochastic.markov_chains.states import FiniteChain, Indices, Names
from smlib.stochastic.markov_chains.structure import common_period, find_levels
from smlib.stochastic.markov_chains.transitions import as_chances, as_transitions
from smlib.stochastic.markov_chains.walking import AliasTables, build_tables, walk_many, walk_one

if TYPE_CHECKING:
    from smlib.stochastic.markov_chains.fitting import MarkovChainFit

# Rounding in powers of P may hide smaller distances.
LEAST_DISTANCE = 1e-10
# Flows there and back that differ by less than this share of the larger one are taken for equal.
FLOW_TOLERANCE = 1e-9


class MarkovChain(FiniteChain):
    """A Markov chain with finitely many states: its structure, its long run, the way to the end, and walks on it.

    Names and meanings are those of QuantEcon's class of this name where that has them.

    Parameters
    ----------
    P : array_like or any scipy.sparse matrix, shape (n, n)
        The chance to go from the state of the row to the state of the column. Not negative, and each row adds up to 1
        within 1e-8. It is copied, and used as it is: rows are not scaled.
    state_values : iterable of hashable, optional
        The name of each state, no two the same; without them states are called 0 to n - 1.

    Attributes
    ----------
    P : ndarray or csr_array, shape (n, n)
        The matrix, not to be written to.
    n : int
        The number of states.
    state_values : ndarray or None
        The names.

    Raises
    ------
    InputError
        ``P`` is not square, or has a row that does not add up to 1 (the message names it), or an entry that is
        negative, NaN or infinite; ``state_values`` are too many or too few, or one occurs twice.

    Notes
    -----
    Complexity: O(n^2) to make one, O(entries) if sparse; nothing else is computed before it is asked for.

    References
    ----------
    Norris, *Markov Chains*; Lawler, *Introduction to Stochastic Processes*, chapter 1.

    Examples
    --------
    The Land of Oz, where it never is nice two days in a row (Grinstead & Snell, example 11.1):

    >>> oz = MarkovChain([[1/2, 1/4, 1/4], [1/2, 0, 1/2], [1/4, 1/4, 1/2]], ["rain", "nice", "snow"])
    >>> oz.stationary_distributions
    array([[0.4, 0.2, 0.4]])
    >>> oz.hitting_times("nice")
    array([4., 0., 4.])
    >>> oz.distribution([1, 0, 0], 2)
    array([0.4375, 0.1875, 0.375 ])
    >>> oz.simulate(5, init="rain", rng=2).tolist()
    ['rain', 'rain', 'nice', 'snow', 'nice']
    """

    def __init__(self, P: MatrixLike, state_values: Iterable[Hashable] | None = None) -> None:
        weights = as_transitions(P)
        super().__init__(weights, state_values)
        self.P: Vector | scipy.sparse.csr_array
        if isinstance(weights, CSRMatrix):
            self.P = weights.to_scipy()
        else:
            self.P = weights.view()
            self.P.flags.writeable = False

    def __repr__(self) -> str:
        kind = "sparse" if isinstance(self._weights, CSRMatrix) else "dense"
        return f"MarkovChain: {self.n} states, {kind}, {self._links.data.size} steps possible"

    @property
    def period(self) -> int:
        """The largest number that divides the length of every way from a state back to itself.

        Of an irreducible chain that is the same for each state; of others it is the least common multiple of what the
        recurrent classes have.
        """
        return common_period(self._links, self._classes)

    @property
    def is_aperiodic(self) -> bool:
        """Whether the period is 1."""
        return self.period == 1

    @property
    def cyclic_classes_indices(self) -> list[Indices]:
        """The parts that an irreducible chain goes round: a step leads from each to the next, and then round again.

        State 0 is in the first. Other chains have none, and InputError is raised.
        """
        if not self.is_irreducible:
            raise InputError(
                f"the chain has {self.num_communication_classes} classes, and cyclic classes are those of an "
                "irreducible chain; make a chain of one class of `recurrent_classes_indices`"
            )
        levels, period = find_levels(self._links, np.arange(self.n))
        return [np.flatnonzero(levels % period == phase) for phase in range(period)]

    @property
    def cyclic_classes(self) -> list[Names]:
        """The same with the names of the states."""
        return [self._name(members) for members in self.cyclic_classes_indices]

    @cached_property
    def is_reversible(self) -> bool:
        """Whether the chain in its long run looks the same if time runs backwards.

        That is detailed balance, ``pi[i] P[i, j] == pi[j] P[j, i]``, in each recurrent class; flows that differ by less
        than 1e-9 of the larger one are taken for equal.
        """
        flows = self._flows()
        back = flows.T.tocsr()
        unequal = abs(flows - back) - FLOW_TOLERANCE * flows.maximum(back)
        return not (unequal.data > 0.0).any()

    def entropy_rate(self, base: float = 2.0) -> float:
        """Return how much each step tells on average, in the long run, if all steps before are known.

        Parameters
        ----------
        base : float
            The unit: 2 for bits, ``math.e`` for nats. Positive, not 1.

        Returns
        -------
        float
            ``- sum of pi[i] P[i, j] log P[i, j]``.

        Raises
        ------
        InputError
            The chain has more than one recurrent class, so that there is no one long run; or ``base`` is no base.

        Notes
        -----
        Complexity: that of the stationary distribution.

        References
        ----------
        Cover & Thomas, *Elements of Information Theory*, section 4.2.
        """
        unit = as_number(base, "base")
        if unit <= 0.0 or unit == 1.0:
            raise InputError(f"base is {base!r}; a base of logarithms is positive and not 1")
        self._require_one_class("an entropy rate")
        data, rows = self._links.data, self._rows_of_links()
        return float(self.stationary_distributions[0][rows] @ scipy.special.entr(data) / np.log(unit))

    def mixing_time(self, eps: float = 0.25) -> int:
        """Return the number of steps after which the chain is near its stationary distribution, wherever it began.

        Parameters
        ----------
        eps : float
            The largest total variation that is near enough, at least 1e-10.

        Returns
        -------
        int
            The first t such that ``P^t`` has no row farther than ``eps`` from the stationary distribution.

        Raises
        ------
        InputError
            The chain is not irreducible or has a period, so that it never gets there; or ``eps`` is so small that
            rounding hides it.

        Notes
        -----
        Complexity: O(n^3 log t) time and O(n^2 log t) space for the answer t; a sparse matrix is made dense. Where the
        distance is eps within rounding, t may be next to the true one.

        References
        ----------
        Levin, Peres & Wilmer, *Markov Chains and Mixing Times*, section 4.5.
        """
        if as_number(eps, "eps") < LEAST_DISTANCE:
            raise InputError(f"eps is {eps}; it must be at least {LEAST_DISTANCE}, for rounding hides what is smaller")
        if not self.is_irreducible:
            raise InputError(
                f"the chain has {self.num_communication_classes} classes, but only an irreducible chain mixes; "
                "make a chain of one class of `recurrent_classes_indices`"
            )
        if not self.is_aperiodic:
            raise InputError(
                f"the chain has period {self.period} and goes round forever; (P + I) / 2, the chain that rests every "
                "second step, has the same stationary distribution and mixes"
            )
        return first_time(as_dense(self._weights), self.stationary_distributions[0], float(eps))

    def distribution(self, mu: ArrayLike, n: int) -> Vector:
        """Return where the chain is after some steps.

        Parameters
        ----------
        mu : array_like, shape (n,)
            Where it is at the beginning: a chance for each state. Not negative, and they add up to 1 within 1e-8.
        n : int
            The number of steps, at least 0.

        Returns
        -------
        ndarray, shape (n,)
            ``mu P^n``. It adds up to 1 within rounding, whatever the number of steps.

        Raises
        ------
        InputError
            ``mu`` is no distribution on the states, or ``n`` is negative.

        Notes
        -----
        Complexity: as many products with P as steps, or the logarithm of that many squarings of P, what is less.

        References
        ----------
        Norris, *Markov Chains*, section 1.1.
        """
        return advance_by(self._weights, as_chances(mu, self.n), as_count(n, "n"))

    def simulate(self, ts_length: int, init: Any = None, num_reps: int | None = None, rng: RandomLike = None) -> Names:
        """Return a random path of the chain, or several.

        Parameters
        ----------
        ts_length : int
            The number of states on a path, at least 1; the first counts.
        init : state or list of states, optional
            The first state of the path, by name, or those of several paths. None: drawn, each with the same chance.
        num_reps : int, optional
            The number of paths, or how often each of ``init`` is repeated.
        rng : Generator, int or None
            Draws the first states, then a stream for the steps.

        Returns
        -------
        ndarray, shape (ts_length,), or (paths, ts_length)
            The names of the states. One path is one-dimensional if neither several ``init`` nor ``num_reps`` are given.

        Raises
        ------
        InputError
            ``init`` names no state, or there are no paths, or they have no states.

        Notes
        -----
        Complexity: O(entries) for tables at the first call, then O(1) a step.

        References
        ----------
        Walker (1977), in `walking`; Blitzstein & Hwang, *Introduction to Probability*, section 11.1.
        """
        start = None if init is None else self.get_index(init)
        return self._name(self.simulate_indices(ts_length, start, num_reps, rng))

    def simulate_indices(
        self, ts_length: int, init: Any = None, num_reps: int | None = None, rng: RandomLike = None
    ) -> Indices:
        """Do the same as `simulate`, but with numbers of states in ``init`` and in what is returned."""
        length = as_count(ts_length, "ts_length")
        repeats = 1 if num_reps is None else as_count(num_reps, "num_reps")
        generator = as_generator(rng)
        starts = np.asarray(generator.integers(self.n, size=repeats) if init is None else init)
        if starts.dtype.kind not in "iu" or starts.ndim > 1:
            raise InputError(f"init is {init!r}; it must be a state or a list of states")
        single = num_reps is None and (init is None or starts.ndim == 0)
        if init is not None:
            starts = np.tile(np.atleast_1d(starts), repeats)
        outside = (starts < 0) | (starts >= self.n)
        if outside.any():
            raise InputError(f"init holds {starts[outside][0]}, but states are numbers from 0 to {self.n - 1}")
        if not length * starts.size:
            raise InputError(f"ts_length is {length}, for {starts.size} paths; both must be at least 1")
        paths = np.empty((starts.size, length), np.int64)
        paths[:, 0] = starts
        if len(paths) == 1:
            walk_one(*self._tables, paths[0], new_stream(generator))
        else:
            walk_many(*self._tables, paths, new_stream(generator))
        return paths[0] if single else paths

    @classmethod
    def fit(
        cls, sequences: Any, states: Sequence[Hashable] | None = None, *, confidence: float = 0.95
    ) -> MarkovChainFit:
        """Estimate a chain from what was seen; see `fitting.fit_transitions`."""
        from smlib.stochastic.markov_chains.fitting import fit_transitions

        return fit_transitions(sequences, states, confidence=confidence)

    @cached_property
    def _tables(self) -> AliasTables:
        return build_tables(self._links)

    def _rows_of_links(self) -> Indices:
        indptr: Indices = self._links.indptr.astype(np.int64)
        return np.repeat(np.arange(self.n), indptr[1:] - indptr[:-1])

    def _flows(self) -> scipy.sparse.csr_array:
        """Return how often each step is taken in the long run, whatever the recurrent class."""
        links = self._links.to_scipy()
        visits = self.stationary_distributions.sum(axis=0)[self._rows_of_links()]
        return scipy.sparse.csr_array((links.data * visits, links.indices, links.indptr), shape=links.shape)

    def _require_one_class(self, what: str) -> None:
        if self.num_recurrent_classes > 1:
            raise InputError(
                f"the chain has {self.num_recurrent_classes} recurrent classes, each with {what} of its own; make a "
                "chain of one class of `recurrent_classes_indices`"
            )
