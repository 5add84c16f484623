"""Results show themselves: the numbers that matter, never a dump."""

from __future__ import annotations

import numpy as np
import pytest

from smlib._core.results import LinearResult


@pytest.fixture
def result() -> LinearResult:
    return LinearResult(np.arange(1000.0), True, 0, "converged <soon>", 2, np.array([1.0, 0.5, 0.25]))


def test_a_long_array_is_shown_by_shape_and_range(result: LinearResult) -> None:
    text = repr(result)
    assert text.startswith("LinearResult\n")
    assert "1000 float64, from 0 to 999" in text
    assert "[1.  , 0.5 , 0.25]" in text
    assert len(text) < 500


def test_a_notebook_gets_an_escaped_table(result: LinearResult) -> None:
    page = result._repr_html_()
    assert page.startswith("<table>")
    assert "converged &lt;soon&gt;" in page


def test_results_are_frozen(result: LinearResult) -> None:
    with pytest.raises(AttributeError):
        result.nit = 3  # type: ignore[misc]  # that is the point
