"""Bad input is refused with its name, its place, and what would do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from smlib._core.validate import as_count, as_floats, as_nonnegative, as_vector
from smlib.errors import InputError


def test_what_fits_already_is_not_copied() -> None:
    x = np.arange(3.0)
    assert as_floats(x, "x") is x


@pytest.mark.parametrize(
    "x", [[1, 2], (1, 2), np.array([1, 2]), np.arange(4.0)[::2], np.array([1.0, 2.0], dtype=">f8")]
)
def test_what_does_not_is_made_to(x: Any) -> None:
    y = as_floats(x, "x")
    assert y.dtype == np.float64
    assert y.flags.c_contiguous
    assert y.flags.writeable


def test_read_only_memory_is_copied_for_a_kernel_knows_one_kind_of_array() -> None:
    x = np.arange(3.0)
    x.flags.writeable = False
    assert as_floats(x, "x").flags.writeable


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: as_vector([1, 2], "b", 3), r"b has shape \(2,\), but shape \(3,\) is needed"),
        (lambda: as_vector([[1], [2]], "b", 2), r"b has shape \(2, 1\)"),
        (lambda: as_vector([1, np.nan, np.inf], "b", 3), r"b\[1\] is nan; every entry must be a finite number"),
        (lambda: as_vector([1, 1j], "b", 2), "b is complex"),
        (lambda: as_nonnegative(-1.0, "rtol"), "rtol is -1.0; it must be at least 0"),
        (lambda: as_nonnegative(float("inf"), "atol"), "atol is inf; it must be finite"),
        (lambda: as_nonnegative("much", "rtol"), "rtol is 'much'; it must be a number"),  # type: ignore[arg-type]
        (lambda: as_count(2.5, "maxiter"), "maxiter is 2.5; it must be an integer"),  # type: ignore[arg-type]
        (lambda: as_count(-1, "maxiter"), "maxiter is -1; it must be at least 0"),
    ],
)
def test_messages_say_what_and_where(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
