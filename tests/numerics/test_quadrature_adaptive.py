"""Adaptive quadrature: known integrals, the laws of the essay, SciPy, plain and compiled functions, honest failures."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
import scipy.integrate
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.compilation import watch_compilation
from smlib._core.user_functions import bind
from smlib.errors import InputError
from smlib.numerics import quad
from smlib.numerics.quadrature.bisection import DEPTH, ERROR, INTEGRAL, LEFT, RIGHT, make_bisection, put, survey
from smlib.numerics.quadrature.extrapolation import BEYOND, ROWS, extrapolate
from smlib.numerics.quadrature.kronrod import SAMPLES

INF = math.inf


@numba.njit  # type: ignore[untyped-decorator]
def peak(x: float, width: float) -> float:
    return width / (width * width + (x - 0.3) ** 2)


def area_of_peak(a: float, b: float, width: float) -> float:
    return math.atan((b - 0.3) / width) - math.atan((a - 0.3) / width)


@numba.njit  # type: ignore[untyped-decorator]
def bell(x: float) -> float:
    return math.exp(-x * x)


@numba.njit  # type: ignore[untyped-decorator]
def decay(x: float, rate: float) -> float:
    return math.exp(-rate * x)


@numba.njit(error_model="python")  # type: ignore[untyped-decorator]
def over_x(x: float) -> float:
    return 1.0 / x


def plain(f: Callable[..., float]) -> Callable[..., float]:
    """Return the function behind a compiled one."""
    return getattr(f, "py_func", f)


# Integrands with their ranges and values; the last number is how many evaluations they may take.
KNOWN: list[tuple[str, Callable[[float], float], float, float, float, int]] = [
    ("constant", lambda x: 3.0, -1.0, 2.0, 9.0, 21),
    ("polynomial", lambda x: x**31, 0.0, 1.0, 1 / 32, 70),
    ("waves", lambda x: math.cos(100.0 * x), 0.0, 1.0, math.sin(100.0) / 100.0, 400),
    ("Runge", lambda x: 1.0 / (1.0 + 25.0 * x * x), -1.0, 1.0, 0.4 * math.atan(5.0), 200),
    ("narrow peak", lambda x: 1.0 / (1e-8 + (x - 0.3) ** 2), 0.0, 1.0, 1e4 * area_of_peak(0.0, 1.0, 1e-4), 800),
    ("corner", lambda x: math.exp(-50.0 * abs(x - 0.5)), 0.0, 1.0, (1.0 - math.exp(-25.0)) / 25.0, 200),
    ("1/sqrt", lambda x: 1.0 / math.sqrt(x), 0.0, 1.0, 2.0, 240),
    ("1/sqrt at the other end", lambda x: 1.0 / math.sqrt(1.0 - x), 0.0, 1.0, 2.0, 240),
    ("1/sqrt at both ends", lambda x: 1.0 / math.sqrt(x * (1.0 - x)), 0.0, 1.0, math.pi, 600),
    ("sqrt around zero", lambda x: math.sqrt(abs(x)), -1.0, 1.0, 4.0 / 3.0, 500),
    ("1/sqrt - 2", lambda x: 1.0 / math.sqrt(x) - 2.0, 0.0, 1.0, 0.0, 240),
    ("x^-0.9", lambda x: x**-0.9, 0.0, 1.0, 10.0, 240),
    ("log", math.log, 0.0, 1.0, -1.0, 240),
    ("log / sqrt", lambda x: math.log(x) / math.sqrt(x), 0.0, 1.0, -4.0, 400),
    ("x log x", lambda x: x * math.log(x), 0.0, 1.0, -0.25, 300),
    ("bell", lambda x: math.exp(-x * x), -INF, INF, math.sqrt(math.pi), 300),
    ("bell far off", lambda x: math.exp(-((x - 10.0) ** 2)), -INF, INF, math.sqrt(math.pi), 900),
    ("Cauchy", lambda x: 1.0 / (1.0 + x * x), -INF, INF, math.pi, 300),
    ("decay", lambda x: math.exp(-x), 0.0, INF, 1.0, 300),
    ("growth", math.exp, -INF, 0.0, 1.0, 300),
    ("tail", lambda x: x**-1.5, 1.0, INF, 2.0, 300),
    ("gamma of a half", lambda x: math.exp(-x) / math.sqrt(x), 0.0, INF, math.sqrt(math.pi), 500),
    (
        "log over a range",
        lambda x: math.log(x) / (1.0 + 100.0 * x * x),
        0.0,
        INF,
        -math.pi * math.log(10.0) / 20.0,
        700,
    ),
]


@pytest.mark.interpreted
@pytest.mark.parametrize(("f", "a", "b", "value", "most"), [row[1:] for row in KNOWN], ids=[row[0] for row in KNOWN])
def test_known_integrals(f: Callable[[float], float], a: float, b: float, value: float, most: int) -> None:
    calls: list[float] = []

    def counted(x: float) -> float:
        calls.append(x)
        return f(x)

    result = quad(counted, a, b)
    assert result.success, result
    assert abs(result.estimate - value) <= result.error + 1e-15 * abs(value)
    assert result.error <= 1.49e-8 * max(1.0, abs(value) + result.error)
    assert result.neval == len(calls) <= most
    assert min(calls) > a
    assert max(calls) < b
    assert quad(f, b, a).estimate == -result.estimate


@pytest.mark.interpreted
def test_the_books_adaptive_example() -> None:
    """Burden & Faires, section 4.6: 100 / x^2 sin(10 / x) over [1, 3], which has the antiderivative 10 cos(10 / x)."""
    result = quad(lambda x: 100.0 / x**2 * math.sin(10.0 / x), 1.0, 3.0)
    assert result.success
    assert result.estimate == pytest.approx(10.0 * (math.cos(10.0 / 3.0) - math.cos(10.0)), abs=2e-8)
    assert result.neval < 100


@pytest.mark.interpreted
@given(st.floats(0.01, 1.0), st.floats(-1.0, 2.0), st.floats(-1.0, 2.0), st.floats(-1.0, 2.0), st.floats(-5.0, 5.0))
def test_the_laws_of_integrals(width: float, a: float, b: float, c: float, factor: float) -> None:
    f = plain(peak)
    whole = quad(f, a, b, (width,))
    assert whole.success
    assert whole.estimate == pytest.approx(area_of_peak(a, b, width), abs=2e-8)
    assert quad(f, b, a, (width,)).estimate == -whole.estimate
    assert quad(f, a, a, (width,)).estimate == 0.0
    parts = quad(f, a, c, (width,)).estimate + quad(f, c, b, (width,)).estimate
    assert parts == pytest.approx(whole.estimate, abs=6e-8)
    mixed = quad(lambda x: factor * f(x, width) + math.sin(x), a, b)
    expected = factor * whole.estimate + math.cos(a) - math.cos(b)
    assert mixed.estimate == pytest.approx(expected, abs=3e-7)


@given(
    st.floats(-5.0, 5.0),
    st.floats(-5.0, 5.0),
    st.floats(0.1, 30.0),
    st.floats(-2.0, 2.0),
    st.sampled_from([1e-6, 1e-9, 1e-12]),
)
def test_scipy_agrees(a: float, b: float, frequency: float, rate: float, tolerance: float) -> None:
    def f(x: float) -> float:
        return math.cos(frequency * x) * math.exp(rate * x) + abs(x - 1.0)

    ours = quad(f, a, b, epsabs=tolerance, epsrel=tolerance, points=[1.0])
    theirs = scipy.integrate.quad(f, a, b, epsabs=tolerance, epsrel=tolerance, points=[1.0], full_output=1)
    assert ours.success == (ours.error <= max(tolerance, tolerance * abs(ours.estimate)))
    assert ours.estimate == pytest.approx(theirs[0], abs=2.0 * max(ours.error, theirs[1]) + 1e-12)


@pytest.mark.interpreted
@pytest.mark.parametrize("name", ["constant", "waves", "Runge", "corner", "1/sqrt", "log / sqrt", "x^-0.9"])
def test_it_goes_the_way_of_quadpack(name: str) -> None:
    f, a, b = next(row[1:4] for row in KNOWN if row[0] == name)
    ours = quad(f, a, b)
    theirs = scipy.integrate.quad(f, a, b, full_output=1)
    assert ours.neval == theirs[2]["neval"]
    if ours.error > 1e-11:  # below, it is made of rounding
        assert ours.error == pytest.approx(theirs[1], rel=1e-3)


def test_no_error_is_claimed_below_rounding() -> None:
    for value in (3.0, 1e-5, -1e100):
        assert quad(lambda x, value=value: value, 0.0, 1.0).error == pytest.approx(50.0 * 2.0**-52 * abs(value))


@given(st.floats(0.001, 1.0), st.floats(-1.0, 0.2), st.floats(0.4, 2.0), st.sampled_from([1e-4, 1e-8, 1e-13]))
def test_compiled_and_plain_functions_take_the_same_path(width: float, a: float, b: float, tolerance: float) -> None:
    compiled = quad(peak, a, b, (width,), epsabs=tolerance, epsrel=tolerance)
    interpreted = quad(plain(peak), a, b, (width,), epsabs=tolerance, epsrel=tolerance)
    if tolerance > 1e-12:  # else rounding decides about the last split
        assert (compiled.neval, compiled.nit, compiled.status) == (
            interpreted.neval,
            interpreted.nit,
            interpreted.status,
        )
    assert compiled.estimate == pytest.approx(interpreted.estimate, rel=1e-11)


def test_compiled_functions_over_infinite_ranges_and_with_arguments() -> None:
    assert quad(bell, -INF, INF).estimate == pytest.approx(math.sqrt(math.pi), abs=1e-10)
    assert quad(bell, 0.0, 1.0).estimate == pytest.approx(math.sqrt(math.pi) / 2 * math.erf(1.0), abs=1e-14)
    for f in (decay, plain(decay)):
        assert quad(f, 0.0, INF, (2.0,)).estimate == pytest.approx(0.5, abs=1e-10)
        assert quad(f, 0.0, -INF, -2.0).estimate == pytest.approx(-0.5, abs=1e-10)
        assert quad(f, INF, 1, (2,)).estimate == pytest.approx(-math.exp(-2.0) / 2.0, abs=1e-10)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_a_function_is_bound_once() -> None:
    quad(peak, 0.0, 1.0, (0.1,))
    with watch_compilation() as watch:
        for width in (0.2, 0.3):
            assert quad(peak, 0.0, 2.0, (width,), epsabs=1e-10, limit=99, points=[0.3]).success
    assert watch.kernels == []


class RefusalError(Exception):
    pass


@pytest.mark.interpreted
def test_what_the_integrand_raises_comes_through() -> None:
    def refuse_later(x: float) -> float:
        if 0.4 < x < 0.41:
            raise RefusalError(x)
        return abs(x - 0.4)

    with pytest.raises(RefusalError):
        quad(refuse_later, 0.0, 1.0)
    with pytest.raises(ZeroDivisionError):
        quad(plain(over_x), -1.0, 1.0)


def test_what_a_compiled_integrand_raises_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        quad(over_x, -1.0, 1.0)


def test_an_integrand_may_integrate() -> None:
    inner = quad(lambda y: quad(lambda x: x * y, 0.0, y).estimate, 0.0, 2.0)
    assert inner.estimate == pytest.approx(2.0)


DIVERGENT: list[tuple[str, Callable[[float], float], float, float]] = [
    ("1/x", lambda x: 1.0 / x, 0.0, 1.0),
    ("x^-1.01", lambda x: x**-1.01, 0.0, 1.0),
    ("x^-1.5", lambda x: x**-1.5, 0.0, 1.0),
    ("x^-1.5 beside something large", lambda x: 1000.0 + x**-1.5, 0.0, 1.0),
    ("1/x^2", lambda x: x**-2.0, 0.0, 1.0),
    ("1/x to infinity", lambda x: 1.0 / x, 1.0, INF),
    ("a pole within, which cancels", lambda x: 1.0 / (x - 0.3), 0.0, 1.0),
    ("the same beside something large", lambda x: 1000.0 + 1.0 / (x - 0.3), 0.0, 1.0),
    ("a constant for ever", lambda x: 1.0, 0.0, INF),
    ("waves for ever", math.cos, 0.0, INF),
]


@pytest.mark.interpreted
@pytest.mark.parametrize("case", DIVERGENT, ids=[name for name, *_ in DIVERGENT])
def test_a_divergent_integral_is_never_a_success(case: tuple[str, Callable[[float], float], float, float]) -> None:
    _, f, a, b = case
    for limit in (20, 50, 120):
        result = quad(f, a, b, limit=limit)
        assert not result.success, result
        assert result.status in (1, 4)
        assert "worst interval" in result.message


def test_the_message_says_where_the_trouble_is() -> None:
    used_up = quad(lambda x: 1.0 / x, 0.0, 1.0)
    assert (used_up.status, used_up.nit, used_up.neval) == (1, 49, 21 * 99)
    assert "the worst interval is x = 0 to" in used_up.message
    assert "raise limit, or name in points" in used_up.message
    once = quad(math.sqrt, 0.0, 1.0, limit=1)
    assert (once.status, once.neval, once.nit) == (1, 21, 0)
    assert once.estimate == pytest.approx(2.0 / 3.0, abs=1e-3)
    noisy = quad(lambda x: 1.0 + 1e-6 * math.sin(1e9 * x), 0.0, 1.0, epsabs=1e-12, epsrel=0.0, limit=500)
    assert (noisy.status, noisy.success) == (4, False)
    assert "rounding, or noise" in noisy.message
    pole = quad(lambda x: 1.0 / (x - 1.0) ** 2 if x != 1.0 else 1e40, 0.0, 3.0, limit=500)
    assert pole.status == 4
    assert "x = 1 to 1" in pole.message
    assert "too narrow to be split" in pole.message
    far = quad(lambda x: 1.0 / x, 1.0, INF)
    assert "to inf" in far.message
    left = quad(lambda x: -1.0 / x, -INF, -1.0)
    assert "x = -inf to" in left.message


def test_a_value_that_is_not_finite_is_named() -> None:
    hole = quad(lambda x: math.nan if x == 0.5 else x, 0.0, 1.0)
    assert (hole.success, hole.status, hole.error) == (False, 4, INF)
    assert math.isnan(hole.estimate)
    assert hole.message == "the integrand is nan at x = 0.5"
    assert hole.neval == 21
    for bad in (INF, -INF, math.nan):
        late = quad(lambda x, bad=bad: bad if abs(x - 0.1) < 1e-5 else math.sqrt(abs(x - 0.1)), 0.0, 1.0)
        assert (late.success, late.status) == (False, 4)
        assert late.nit > 3
        assert re.match(rf"the integrand is {bad} at x = 0\.(10000|09999)", late.message)
    assert "the integrand is inf at x = 2.0" in quad(lambda x: INF if x == 2.0 else 0.0, 1.0, INF).message
    assert "the integrand is nan at x = -1.0" in quad(lambda x: math.nan if x == -1.0 else 0.0, -INF, 0.0).message
    assert "the integrand is nan at x = 1.0" in quad(lambda x: math.nan if x == -1.0 else 0.0, -INF, INF).message
    assert "overflows between x = 0.0 and x = 10.0" in quad(lambda x: 1.5e308, 0.0, 10.0).message
    assert quad(lambda x: 1e300, -1e8, 1e8).message.endswith("overflows between x = -100000000.0 and x = 100000000.0")


def test_points_keep_jumps_out_of_the_intervals() -> None:
    def stairs(x: float) -> float:
        return float(x > 0.3) + float(x > 0.81)

    told = quad(stairs, 0.0, 1.0, points=[0.81, 0.3, 0.3, -5.0, 1.0])
    untold = quad(stairs, 0.0, 1.0)
    assert told.estimate == pytest.approx(0.89, abs=1e-14)
    assert (told.neval, told.nit) == (63, 0)
    assert untold.neval > 10 * told.neval
    inside = quad(lambda x: abs(x - 0.3) ** -0.5, 0.0, 1.0, points=[0.3])
    assert inside.success
    assert inside.estimate == pytest.approx(2.0 * (math.sqrt(0.3) + math.sqrt(0.7)), abs=1e-10)
    assert quad(stairs, 1.0, 0.0, points=[0.3, 0.81]).estimate == -told.estimate


def test_tiny_and_huge_values() -> None:
    for scale in (1e-300, 1e-160, 1.0, 1e160, 1e290):
        result = quad(lambda x, s=scale: s * math.exp(x), 0.0, 1.0, epsabs=0.0)
        assert result.success
        assert result.estimate == pytest.approx(scale * (math.e - 1.0), rel=1e-14)
    assert quad(lambda x: math.exp(-x / 1e-9), 0.0, 1e-6, epsabs=0.0).estimate == pytest.approx(1e-9, rel=1e-9)
    assert quad(lambda x: 1e-308, -1e308, 1e308).estimate == pytest.approx(2.0)


@given(st.floats(0.0, 1.0), st.floats(1e-3, 0.5), st.integers(1, 40))
def test_the_intervals_cover_the_range_and_add_up(place: float, width: float, splits: int) -> None:
    """The invariants of `bisection`, along a run of its own kernels."""

    def f(x: float) -> float:
        return 1.0 / (width**2 + (x - place) ** 2)

    algorithm = bind(make_bisection, f, ())
    intervals, values = np.empty((splits + 1, 5)), np.empty(SAMPLES)
    put(intervals, 0, 0.0, 1.0, *algorithm.measure(0.0, 1.0, (), values), 0.0)
    for n in range(1, splits + 1):
        total, error, worst, settled = survey(intervals, n, 2, 1e-9, 0.0)
        rows = intervals[:n]
        assert total == pytest.approx(rows[:, INTEGRAL].sum(), rel=1e-13)
        assert error == pytest.approx(rows[:, ERROR].sum(), rel=1e-13)
        above = rows[:, DEPTH] < 2
        assert settled == (rows[above, ERROR].sum() <= 1e-9)
        assert rows[worst, ERROR] == (rows[:, ERROR] if settled else rows[above, ERROR]).max()
        algorithm.split(intervals, worst, n, (), values)
        rows = intervals[: n + 1][np.argsort(intervals[: n + 1, LEFT])]
        assert (rows[0, LEFT], rows[-1, RIGHT]) == (0.0, 1.0)
        np.testing.assert_array_equal(rows[1:, LEFT], rows[:-1, RIGHT])
        np.testing.assert_array_equal(rows[:, RIGHT] - rows[:, LEFT], 0.5 ** rows[:, DEPTH])


def limit_of(terms: list[float], errors: list[float]) -> tuple[float, float]:
    table = np.empty((ROWS, len(terms)))
    found = (math.nan, math.nan)
    for n, (term, error) in enumerate(zip(terms, errors, strict=True)):
        found = extrapolate(table, n, term, error)
    return found


@pytest.mark.interpreted
def test_the_essays_limit() -> None:
    assert limit_of([1.0, 1.5, 1.75], [1.0, 0.5, 0.25]) == (2.0, BEYOND)
    assert limit_of([1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 127.0], [1.0] * 7) == (-1.0, BEYOND)
    assert limit_of([1.0] * 9, [0.5**n for n in range(9)]) == (1.0, 0.0)


@pytest.mark.interpreted
@given(st.floats(-0.7, 0.9), st.floats(-0.7, 0.6), st.floats(0.5, 2.0), st.floats(-2.0, 2.0), st.floats(-5.0, 5.0))
def test_two_geometric_sequences_are_seen_through(r: float, q: float, c: float, d: float, limit: float) -> None:
    terms = [limit + c * r**n + d * q**n for n in range(10)]
    estimate, error = limit_of(terms, [0.9**n for n in range(10)])
    assert estimate == pytest.approx(limit, abs=max(1e-6, 10.0 * error))


@pytest.mark.interpreted
def test_a_limit_is_believed_only_if_the_errors_fall_steadily() -> None:
    terms = [2.0 - 0.5**n for n in range(8)]
    for errors, believed in (
        ([0.5**n for n in range(8)], True),
        ([0.99**n for n in range(8)], True),
        ([1.0] * 8, False),
        ([1.01**n for n in range(8)], False),
        ([0.5**n * (1.4 if n % 2 else 1.0) for n in range(8)], False),
        ([0.5**n if n < 7 else 1.0 for n in range(8)], False),
    ):
        assert (limit_of(terms, errors)[1] < 1e-12) == believed


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quad(math.sin, math.nan, 1.0), "the limits are nan and 1.0"),
        (lambda: quad(math.sin, 0.0, None), "the limits are 0.0 and None"),  # type: ignore[arg-type]
        (lambda: quad(math.sin, 0.0, 1j), r"the limits are 0.0 and 1j"),  # type: ignore[arg-type]
        (lambda: quad(math.sin, 0.0, 1.0, limit=0), "limit is 0; there must be room for one interval"),
        (lambda: quad(math.sin, 0.0, 1.0, limit=-3), "limit is -3"),
        (lambda: quad(math.sin, 0.0, 1.0, limit=5.0), "limit is 5.0; it must be an integer"),  # type: ignore[arg-type]
        (lambda: quad(math.sin, 0.0, 1.0, epsabs=-1.0), "epsabs is -1.0"),
        (lambda: quad(math.sin, 0.0, 1.0, epsrel=math.nan), "epsrel is nan"),
        (lambda: quad(math.sin, 0.0, 1.0, epsabs=0.0, epsrel=1e-15), "epsabs is 0, and epsrel is 1e-15"),
        (lambda: quad(math.sin, 0.0, INF, points=[1.0]), "points need finite limits"),
        (lambda: quad(math.sin, 0.0, 1.0, points=[math.nan]), r"points\[0\] is nan"),
        (lambda: quad(math.sin, 0.0, 1.0, points=["here"]), "points cannot be read"),
        (
            lambda: quad(math.sin, 0.0, 1.0, points=[0.2, 0.4, 0.6], limit=3),
            "limit is 3, but 3 points make 4 intervals",
        ),
    ],
)
def test_bad_input(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
