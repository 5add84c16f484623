"""What all chains with finitely many states share: names of states, classes, and what elimination tells of them.

In discrete time a *weight* is the chance to go from one state to another in a step, in continuous time the rate at
which it happens. Which states lead to which, where the chain ends, how often it visits a state and how long that
takes: all this is read from the weights between different states alone, in the same way. What stands on the diagonal
says how long the chain stays; no method here looks at it.

Cost: the classes O(n + entries); the rest as `elimination` says.

Norris, *Markov Chains*, chapters 1 and 3.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smlib._core.csr import CSRMatrix, as_csr
from smlib._core.validate import Vector
from smlib.errors import InputError
from smlib.stochastic.markov_chains.absorption import absorption_in, hitting_times_in, visits_in
from smlib.stochastic.markov_chains.stationary import stationary_in
from smlib.stochastic.markov_chains.structure import Classes, find_classes

Indices = NDArray[np.int64]
Names = NDArray[Any]
# Types whose values make an array of a plain type; states of any other are kept as objects.
PLAIN = (bool, int, float, str)


class FiniteChain:
    """States with names, and the weights that lead from one to another; `MarkovChain` and others derive from it.

    Attributes
    ----------
    n : int
        The number of states.
    state_values : ndarray or None
        The names of the states, in order; None if they are called 0 to n - 1.
    """

    def __init__(self, weights: Vector | CSRMatrix, state_values: Iterable[Hashable] | None = None) -> None:
        self._weights = weights
        self.n: int = weights.shape[0]
        self.state_values: Names | None = None
        self._places: dict[Any, int] | None = None
        if state_values is not None:
            values = list(state_values)
            if len(values) != self.n:
                raise InputError(f"state_values has {len(values)} values, but there are {self.n} states")
            self.state_values = _as_names(values)
            try:
                self._places = {value: place for place, value in enumerate(values)}
            except TypeError as error:
                raise InputError(f"state_values holds what can be no name: {error}") from error
            if len(self._places) < self.n:
                twice = next(value for place, value in enumerate(values) if self._places[value] != place)
                raise InputError(f"state_values holds {twice!r} twice; states need names that differ")

    def get_index(self, value: Any) -> Any:
        """Return the index of the state of this name; of a list of names, an array of their indices."""
        if isinstance(value, list | np.ndarray) and np.ndim(value):
            return np.array([self.get_index(name) for name in value], np.int64)
        try:
            if self._places is None:
                place = int(value)
                if place == value and 0 <= place < self.n:
                    return place
            else:
                return self._places[value]
        except (TypeError, ValueError, KeyError):
            pass
        known = f"0 to {self.n - 1}" if self._places is None else ", ".join(map(repr, list(self._places)[:5]))
        raise InputError(f"{value!r} is no state; states are {known}{', ...' if self._places and self.n > 5 else ''}")

    def _name(self, indices: Indices) -> Names:
        return indices if self.state_values is None else self.state_values[indices]

    @cached_property
    def _links(self) -> CSRMatrix:
        """The weights that are not 0, as sparse rows."""
        return self._weights if isinstance(self._weights, CSRMatrix) else as_csr(self._weights)

    @cached_property
    def _classes(self) -> Classes:
        if isinstance(self._weights, np.ndarray) and self._weights.min() > 0.0:
            # Every state leads to every other one: no need to look at the links.
            states = np.arange(self.n)
            return Classes((states,), np.zeros_like(states), (0,), states)
        return find_classes(self._links)

    @property
    def communication_classes_indices(self) -> list[Indices]:
        """The classes of states that lead to each other, by their smallest state; each in order."""
        return list(self._classes.members)

    @property
    def communication_classes(self) -> list[Names]:
        """The same with the names of the states."""
        return [self._name(members) for members in self._classes.members]

    @property
    def num_communication_classes(self) -> int:
        """How many classes there are."""
        return len(self._classes.members)

    @property
    def recurrent_classes_indices(self) -> list[Indices]:
        """The classes that no state leaves: from where a chain gets into one, it stays."""
        return [self._classes.members[k] for k in self._classes.recurrent]

    @property
    def recurrent_classes(self) -> list[Names]:
        """The same with the names of the states."""
        return [self._name(members) for members in self.recurrent_classes_indices]

    @property
    def num_recurrent_classes(self) -> int:
        """How many of the classes are recurrent; at least one is."""
        return len(self._classes.recurrent)

    @cached_property
    def transient_states_indices(self) -> Indices:
        """The states of all other classes, in order: the chain visits them for some time only."""
        return np.flatnonzero(~np.isin(self._classes.labels, self._classes.recurrent))

    @property
    def transient_states(self) -> Names:
        """The same with the names of the states."""
        return self._name(self.transient_states_indices)

    @property
    def is_irreducible(self) -> bool:
        """Whether every state leads to every other one."""
        return len(self._classes.members) == 1

    @cached_property
    def stationary_distributions(self) -> Vector:
        """The distributions that do not change as the chain goes on, shape (recurrent classes, n).

        One row for each recurrent class, which is 0 outside of the class. Mixtures of the rows are stationary too, and
        no other distribution is. Each entry is accurate by itself, however small it is beside the others.
        """
        found = np.zeros((self.num_recurrent_classes, self.n))
        for row, members in zip(found, self.recurrent_classes_indices, strict=True):
            row[members] = stationary_in(self._weights, members)
        return found

    @cached_property
    def fundamental_matrix(self) -> Vector:
        """How long the chain is in one transient state (column) if it starts in another (row), all visits together.

        In steps for a `MarkovChain`, where it is ``(I - Q)^-1`` for the part ``Q`` of the matrix among transient states
        (in the order of `transient_states`), and in time for chains in continuous time. Sums of rows are the mean time
        until the chain is in a recurrent class.

        An irreducible chain has no transient states, and InputError is raised; `hitting_times` and
        `stationary_distributions` say how long it takes there, and how often it comes.
        """
        if not self.transient_states_indices.size:
            raise InputError(
                "the chain has no transient states, so that it is absorbed nowhere; ask hitting_times for the mean "
                "time to a state, and stationary_distributions for the share of visits"
            )
        return visits_in(self._weights, self.transient_states_indices)

    @cached_property
    def absorption_probabilities(self) -> Vector:
        """The chance to end in each recurrent class (column) from each state (row), shape (n, recurrent classes).

        The row of a recurrent state has a 1 for its own class. ``absorption_probabilities @ stationary_distributions``
        is then the share of time in each state in the long run, from each state.
        """
        return absorption_in(self._weights, self._classes, self.transient_states_indices)

    def hitting_times(self, targets: Any) -> Vector:
        """Return the mean time until the chain is in one of some states for the first time, from each state.

        Parameters
        ----------
        targets : state or list of states
            By name.

        Returns
        -------
        ndarray, shape (n,)
            Steps for a `MarkovChain`, time for chains in continuous time: 0 from the targets themselves, and infinity
            where the chain may miss them forever. Each entry is accurate by itself.

        Raises
        ------
        InputError
            One of the targets is no state, or there is none.

        Notes
        -----
        Complexity: O(m^3) time for m other states; sparse chains O(m b^2), where b is the width of a band.

        References
        ----------
        Norris, *Markov Chains*, section 1.3; Grassmann, Taksar & Heyman (1985).
        """
        indices = np.atleast_1d(self.get_index(targets)).astype(np.int64)
        if not indices.size:
            raise InputError("targets is empty; name one state at least")
        return hitting_times_in(self._weights, self._links, indices)


def _as_names(values: Sequence[Any]) -> Names:
    """Return names as an array: of a plain type if all are of one, else of objects."""
    kind = type(values[0])
    if all(type(value) is kind for value in values) and (kind in PLAIN or issubclass(kind, np.generic)):
        return np.array(values)
    return np.fromiter(values, object, len(values))
