"""Sparse rows: products as SciPy's, and no index from outside is believed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.csr import as_csr, matvec, stack_rows
from smlib.errors import InputError

FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")


def random_rows(seed: int, shape: tuple[int, int] = (12, 9), density: float = 0.3) -> scipy.sparse.csr_array:
    return scipy.sparse.random_array(shape, density=density, rng=seed, format="csr")


@given(st.integers(0, 2**32), st.integers(0, 8), st.integers(0, 8), st.floats(0.0, 1.0), st.sampled_from(FORMATS))
def test_the_product_is_scipys_whatever_the_format(seed: int, m: int, n: int, density: float, form: str) -> None:
    A = random_rows(seed, (m, n), density).asformat(form)
    x = np.random.default_rng(seed).standard_normal(n)
    np.testing.assert_allclose(matvec(A, x), A @ x, rtol=1e-14, atol=1e-14)


@pytest.mark.interpreted
def test_the_essays_example() -> None:
    rows = as_csr([[4, -1, 0], [-1, 4, -1], [0, -1, 4]])
    assert rows.indptr.tolist() == [0, 2, 5, 7]
    assert rows.indices.tolist() == [0, 1, 0, 1, 2, 1, 2]
    assert rows.data.tolist() == [4, -1, -1, 4, -1, -1, 4]
    np.testing.assert_array_equal(matvec(rows, [1, 2, 3]), [2, 4, 10])


@pytest.mark.interpreted
@given(st.integers(0, 2**32), st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.floats(0.0, 1.0))
def test_dense_rows_and_stacked_rows_are_scipys(seed: int, m: int, more: int, n: int, density: float) -> None:
    dense = random_rows(seed, (m + more, n), density).toarray()
    dense[random_rows(seed + 1, dense.shape, 0.1).toarray() > 0] = -0.0
    expected = scipy.sparse.csr_array(dense)
    for rows in (as_csr(dense), as_csr(np.asfortranarray(dense)), stack_rows(as_csr(dense[:m]), as_csr(dense[m:]))):
        assert rows.shape == dense.shape
        np.testing.assert_array_equal(rows.indptr, expected.indptr)
        np.testing.assert_array_equal(rows.indices, expected.indices)
        np.testing.assert_array_equal(rows.data, expected.data)
        assert rows.indptr.dtype == rows.indices.dtype == np.uint32
        assert np.shares_memory(rows.to_scipy().indptr, rows.indptr)


def test_unsorted_and_repeated_entries_are_put_in_order_without_touching_the_input() -> None:
    A = scipy.sparse.csr_array((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 2]), np.array([0, 3, 3])), shape=(2, 3))
    rows = as_csr(A)
    assert rows.indices.tolist() == [0, 2]
    assert rows.data.tolist() == [2.0, 4.0]
    assert A.indices.tolist() == [2, 0, 2]


def test_a_flag_that_promises_order_is_not_believed() -> None:
    A = scipy.sparse.csr_array((np.array([1.0, 2.0]), np.array([1, 0]), np.array([0, 2])), shape=(1, 2))
    A.has_sorted_indices = True
    A.has_canonical_format = True
    assert as_csr(A).indices.tolist() == [0, 1]


def test_sound_input_shares_memory_and_wide_indices_are_narrowed() -> None:
    A = random_rows(1)
    assert np.shares_memory(as_csr(A).data, A.data)
    assert np.shares_memory(as_csr(A).indices, A.indices)
    A.indptr, A.indices = A.indptr.astype(np.int64), A.indices.astype(np.int64)
    assert as_csr(A).indices.dtype == np.uint32


def test_checked_rows_pass_unchecked() -> None:
    rows = as_csr(random_rows(1))
    assert as_csr(rows) is rows


def test_read_only_and_integer_and_spare_room_are_welcome() -> None:
    A = scipy.sparse.csr_array(np.array([[1, 0], [2, 3]]))
    A.data.flags.writeable = False
    np.testing.assert_array_equal(matvec(A, [1, 1]), [1, 5])
    B = scipy.sparse.csr_array(np.eye(2))
    B.indptr, B.indices, B.data = B.indptr, np.array([0, 1, 9], dtype=np.int32), np.array([1.0, 1.0, np.nan])
    np.testing.assert_array_equal(matvec(B, [1, 2]), [1, 2])


BROKEN: dict[str, tuple[str, int, int, str]] = {
    "column too large": ("indices", 3, 9, r"A\.indices\[3\] is 9, but column indices go from 0 to 8"),
    "column negative": ("indices", 0, -1, r"A\.indices\[0\] is -1"),
    "pointer falls": ("indptr", 4, 0, r"A\.indptr falls"),
    "pointer negative": ("indptr", 4, -5, r"A\.indptr falls"),
    "pointer beyond": ("indptr", 4, 10**6, r"A\.indptr falls, or passes the last entry"),
    "first pointer": ("indptr", 0, 1, r"A\.indptr must start at 0"),
    "last pointer": ("indptr", -1, 10**6, r"A\.indptr ends at 1000000, but"),
}


@pytest.mark.untrusted
@pytest.mark.interpreted
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_index_is_named(name: str) -> None:
    array, place, value, message = BROKEN[name]
    A = random_rows(2)
    getattr(A, array)[place] = value
    with pytest.raises(InputError, match=message):
        matvec(A, np.ones(9))


@pytest.mark.untrusted
def test_wide_indices_are_proved_before_they_are_narrowed() -> None:
    A = random_rows(2)
    A.indptr, A.indices = A.indptr.astype(np.int64), A.indices.astype(np.int64)
    A.indices[0] += 2**32
    with pytest.raises(InputError, match=r"A\.indices\[0\]"):
        as_csr(A)


@pytest.mark.untrusted
@given(
    seed=st.integers(0, 2**32),
    form=st.sampled_from(("csr", "csc", "bsr", "coo")),
    wide=st.booleans(),
    damage=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 10**6), st.integers(-(2**31), 2**31 - 1)), min_size=1, max_size=3
    ),
)
def test_no_damage_to_index_arrays_gets_past_the_proof(
    seed: int, form: str, wide: bool, damage: list[tuple[int, int, int]]
) -> None:
    """Whatever is written into the index arrays: an error, or a matrix that SciPy's own full check accepts."""
    A: Any = random_rows(seed).asformat(form, copy=True) if form != "bsr" else random_rows(seed).tobsr((3, 3))
    if form == "coo":
        arrays = [np.array(part, dtype=np.int64 if wide else np.int32) for part in A.coords]
        A.coords = tuple(arrays)
    else:
        arrays = [np.array(part, dtype=np.int64 if wide else np.int32) for part in (A.indptr, A.indices)]
        A.indptr, A.indices = arrays
    for which, place, value in damage:
        if arrays[which].size:
            arrays[which][place % arrays[which].size] = value
    try:
        rows = as_csr(A)
    except InputError:
        return
    checked = scipy.sparse.csr_array(
        (rows.data, rows.indices.astype(np.int64), rows.indptr.astype(np.int64)), shape=rows.shape
    )
    checked.check_format(full_check=True)
    assert checked.has_canonical_format
    matvec(rows, np.ones(rows.shape[1]))


@pytest.mark.parametrize(
    ("A", "message"),
    [
        ([1.0, 2.0], "A has 1 dimensions; a matrix has 2"),
        (np.zeros((2, 2, 2)), "A has 3 dimensions"),
        (scipy.sparse.coo_array(np.ones(3)), "A has 1 dimensions"),
        ([[1.0, np.nan]], r"A\[0, 1\] is nan"),
        ([[1.0, 0.0], [0.0, -np.inf]], r"A\[1, 1\] is -inf; every entry must be a finite number"),
        (scipy.sparse.csr_array(np.array([[0.0, 0.0], [0.0, np.inf]])), r"A\[1, 1\] is inf"),
        ([[1j, 0]], "complex"),
        (scipy.sparse.csr_array(np.array([[1j]])), "complex"),
        ([["a", "b"]], "cannot be read"),
        ([[1, 2], [3]], "cannot be read"),
    ],
)
def test_what_is_no_matrix_is_refused(A: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_csr(A)


def test_a_vector_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match=r"x has shape \(2,\), but A has 3 columns"):
        matvec(np.eye(3), [1.0, 2.0])
