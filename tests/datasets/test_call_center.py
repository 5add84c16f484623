"""A call center's day."""

from __future__ import annotations

import numpy as np
import scipy.stats

from smlib.datasets.call_center import call_center_day


def test_the_day() -> None:
    day = call_center_day()
    assert day.calls.shape == day.agents.shape == (13,)
    assert day.opening_hour + int(day.calls.argmax()) == 12
    # Nowhere are there fewer agents than calls at a time: the load of each hour is below them.
    assert (day.calls * day.mean_service / 3600 < day.agents).all()


def test_busyness_has_the_mean_1() -> None:
    law = scipy.stats.gamma(call_center_day().busyness_shape, scale=1 / call_center_day().busyness_shape)
    assert law.mean() == 1.0
    np.testing.assert_allclose(law.var(), 0.1)


def test_arrays_are_new_at_each_call() -> None:
    call_center_day().calls[:] = 0.0
    assert call_center_day().calls.sum() == 1660.0
