"""Classes and periods: trying all ways, SciPy and QuantEcon as references, and chains too long for recursion."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.csgraph
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.csr import as_csr
from smlib.errors import InputError
from smlib.stochastic import MarkovChain
from smlib.stochastic.markov_chains.structure import find_classes
from tests.conftest import require
from tests.stochastic.chains import Matrix, classes_by_trying, forms, matrices, period_by_trying, walk_to_neighbours


@pytest.mark.interpreted
@given(matrices(), st.booleans())
def test_classes_and_period_are_those_of_trying(P: Matrix, sparse: bool) -> None:
    chain = MarkovChain(forms(P)[sparse])
    classes, recurrent = classes_by_trying(P)
    assert [members.tolist() for members in chain.communication_classes_indices] == classes
    assert [members.tolist() for members in chain.recurrent_classes_indices] == recurrent
    assert chain.transient_states_indices.tolist() == sorted(set(range(len(P))).difference(*recurrent))
    assert (chain.num_communication_classes, chain.num_recurrent_classes) == (len(classes), len(recurrent))
    assert chain.is_irreducible == (len(classes) == 1)
    assert chain.period == math.lcm(*(period_by_trying(P, members[0]) for members in recurrent))
    assert chain.is_aperiodic == (chain.period == 1)


@given(matrices())
def test_quantecon_agrees(P: Matrix) -> None:
    ours, theirs = MarkovChain(P), require("quantecon").MarkovChain(P)
    for name in ("communication_classes", "recurrent_classes", "communication_classes_indices"):
        assert sorted(map(list, getattr(ours, name))) == sorted(map(list, getattr(theirs, name)))
    for name in ("is_irreducible", "is_aperiodic", "period", "num_recurrent_classes", "num_communication_classes"):
        assert getattr(ours, name) == getattr(theirs, name), name
    if ours.is_irreducible:
        assert [part.tolist() for part in ours.cyclic_classes] == [sorted(part) for part in theirs.cyclic_classes]


@given(matrices(kinds=["periodic"]), st.booleans())
def test_a_step_leads_from_each_cyclic_class_to_the_next(P: Matrix, sparse: bool) -> None:
    chain = MarkovChain(forms(P)[sparse])
    if not chain.is_irreducible:
        with pytest.raises(
            InputError, match=r"the chain has \d classes, and cyclic classes are those of an irreducible"
        ):
            _ = chain.cyclic_classes
        return
    parts = chain.cyclic_classes_indices
    assert len(parts) == chain.period
    assert parts[0][0] == 0
    for here, there in zip(parts, parts[1:] + parts[:1], strict=True):
        np.testing.assert_allclose(P[np.ix_(here, there)].sum(axis=1), 1.0)


@given(st.integers(1, 200), st.floats(0.0, 3.0), st.integers(0, 2**32))
def test_scipy_finds_the_same_components_of_larger_graphs(n: int, degree: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = scipy.sparse.csr_array(rng.random((n, n)) < degree / n, dtype=float)
    classes = find_classes(as_csr(graph))
    count, labels = scipy.sparse.csgraph.connected_components(graph, connection="strong")
    assert len(classes.members) == count
    assert len(set(zip(classes.labels.tolist(), labels.tolist(), strict=True))) == count
    assert [members[0] for members in classes.members] == sorted(members[0] for members in classes.members)

    # Links between classes lead to an earlier state of the order only, and classes stand together in it.
    place = np.empty(n, int)
    place[classes.order] = np.arange(n)
    i, j = graph.nonzero()
    between = classes.labels[i] != classes.labels[j]
    assert (place[j] < place[i])[between].all()
    assert np.count_nonzero(np.diff(classes.labels[classes.order])) == count - 1
    left = set(classes.labels[i[between]].tolist())
    assert list(classes.recurrent) == sorted(set(range(count)) - left)


@given(matrices(), st.data())
def test_arrows_from_ends_are_none(P: Matrix, data: st.DataObject) -> None:
    ends = np.array(data.draw(st.lists(st.booleans(), min_size=len(P), max_size=len(P))))
    stopped = np.where(ends[:, None], 0.0, P)
    found, expected = find_classes(as_csr(P), ends), find_classes(as_csr(stopped))
    assert found.recurrent == expected.recurrent
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.order, expected.order)


def test_long_chains_need_no_recursion() -> None:
    n = 200_000
    ones = np.ones(n)
    round_trip = MarkovChain(scipy.sparse.csr_array((ones, (np.arange(n), (np.arange(n) + 1) % n))))
    assert round_trip.is_irreducible
    assert round_trip.period == n
    P = scipy.sparse.csr_array((ones, (np.arange(n), np.minimum(np.arange(n) + 1, n - 1))))
    line = MarkovChain(P)
    assert line.num_communication_classes == n
    assert [members.tolist() for members in line.recurrent_classes] == [[n - 1]]
    assert line.hitting_times(n - 1)[0] == n - 1


@pytest.mark.interpreted
def test_the_books_chains() -> None:
    """The drunkard's walk (Grinstead & Snell, example 11.13), Ehrenfest's urn, and Norris' example 1.2.2."""
    drunkard = MarkovChain(walk_to_neighbours(4))
    assert [members.tolist() for members in drunkard.communication_classes] == [[0], [1, 2, 3], [4]]
    assert [members.tolist() for members in drunkard.recurrent_classes] == [[0], [4]]
    urn = MarkovChain(np.diag(np.arange(4, 0, -1) / 4, 1) + np.diag(np.arange(1, 5) / 4, -1))
    assert (urn.is_irreducible, urn.period) == (True, 2)
    assert [part.tolist() for part in urn.cyclic_classes] == [[0, 2, 4], [1, 3]]
    norris = np.zeros((6, 6))
    norris[0, :2], norris[1, 2], norris[2, [0, 3, 4]], norris[3, 3:5] = 1 / 2, 1.0, 1 / 3, 1 / 2
    norris[4, 5], norris[5, 4] = 1.0, 1.0
    chain = MarkovChain(norris, "123456")
    assert [list(map(int, members)) for members in chain.communication_classes] == [[1, 2, 3], [4], [5, 6]]
    assert [list(map(int, members)) for members in chain.recurrent_classes] == [[5, 6]]
    assert [int(state) for state in chain.transient_states] == [1, 2, 3, 4]


def test_entries_that_are_stored_zeros_are_no_steps() -> None:
    stored = scipy.sparse.csr_array((np.array([1.0, 0.0, 1.0]), (np.array([0, 0, 1]), np.array([0, 1, 1]))))
    assert stored.nnz == 3
    assert MarkovChain(stored).num_recurrent_classes == 2
