"""Quadrature with fixed rules: the book's numbers, exact degrees, measured orders, NumPy and SciPy, bad input."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numba
import numpy as np
import pytest
import scipy.integrate
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.numerics import composite_quad, fixed_quad, gauss_legendre, romb, romberg, simpson, trapezoid
from smlib.numerics.quadrature.kronrod import GAUSS_WEIGHTS, NODES, WEIGHTS

# Burden & Faires, Numerical Analysis, section 4.3, table 4.7: six functions over [0, 2], by one trapezoid, by one
# parabola, and exactly.
BOOK_RULES: list[tuple[Callable[[float], float], float, float, float]] = [
    (lambda x: x**2, 4.000, 2.667, 2.667),
    (lambda x: x**4, 16.000, 6.667, 6.400),
    (lambda x: 1.0 / (x + 1.0), 1.333, 1.111, 1.099),
    (lambda x: math.sqrt(1.0 + x * x), 3.236, 2.964, 2.958),
    (math.sin, 0.909, 1.425, 1.416),
    (math.exp, 8.389, 6.421, 6.389),
]
# The same, section 4.5, table 4.10: Romberg's tableau of sin over [0, pi].
BOOK_ROMBERG = [
    [0.0],
    [1.57079633, 2.09439511],
    [1.89611890, 2.00455976, 1.99857073],
    [1.97423160, 2.00026917, 1.99998313, 2.00000555],
    [1.99357034, 2.00001659, 1.99999975, 2.00000002, 1.99999999],
]


@pytest.mark.interpreted
def test_the_books_rules() -> None:
    for f, by_line, by_parabola, exact in BOOK_RULES:
        assert trapezoid([f(0.0), f(2.0)], dx=2.0) == pytest.approx(by_line, abs=6e-4)
        assert simpson([f(0.0), f(1.0), f(2.0)]) == pytest.approx(by_parabola, abs=6e-4)
        assert composite_quad(f, 0.0, 2.0, 2) == pytest.approx(by_parabola, abs=6e-4)
        assert fixed_quad(np.vectorize(f), 0.0, 2.0, n=8) == pytest.approx(exact, abs=6e-4)


@pytest.mark.interpreted
def test_the_books_composite_rules() -> None:
    """Section 4.4: exp over [0, 4], and sin over [0, pi] in 20 steps."""
    for n, value in ((2, 56.76958), (4, 53.86385), (8, 53.61622)):
        assert composite_quad(math.exp, 0.0, 4.0, n) == pytest.approx(value, abs=6e-6)
    assert composite_quad(math.sin, 0.0, math.pi, 20) == pytest.approx(2.000006, abs=1e-6)
    assert composite_quad(math.sin, 0.0, math.pi, 20, rule="trapezoid") == pytest.approx(1.9958860, abs=6e-8)


@pytest.mark.interpreted
def test_the_books_tableau() -> None:
    result = romberg(math.sin, 0.0, math.pi, max_levels=4, rtol=0.0, atol=0.0)
    assert (result.success, result.status, result.neval, result.nit) == (False, 1, 17, 4)
    for i, row in enumerate(BOOK_ROMBERG):
        np.testing.assert_allclose(result.tableau[i, : i + 1], row, atol=1.1e-8)
        assert not result.tableau[i, i + 1 :].any()
    samples = np.sin(np.linspace(0.0, math.pi, 17))
    assert romb(samples, dx=math.pi / 16) == pytest.approx(result.tableau[4, 4], abs=1e-14)


@pytest.mark.interpreted
def test_the_books_gaussian_rules() -> None:
    """Section 4.7, both examples; the book works with nodes of ten digits."""
    assert fixed_quad(lambda x: np.exp(x) * np.cos(x), -1.0, 1.0, n=3) == pytest.approx(1.9333904, abs=1e-7)
    f = lambda x: x**6 - x**2 * np.sin(2.0 * x)  # noqa: E731
    for n, value in ((2, 306.8199344), (3, 317.2641516), (20, 317.3442466)):
        assert fixed_quad(f, 1.0, 3.0, n=n) == pytest.approx(value, abs=2e-7)


def test_the_essays_numbers() -> None:
    assert composite_quad(math.sin, 0.0, math.pi, 2) == pytest.approx(2.0 * math.pi / 3.0)
    assert round(composite_quad(math.sin, 0.0, math.pi, 4), 4) == 2.0046
    assert [round(float(fixed_quad(np.sin, 0.0, math.pi, n=n)), 4) for n in (2, 3)] == [1.9358, 2.0014]
    assert abs(float(fixed_quad(np.sin, 0.0, math.pi, n=6)) - 2.0) < 1e-9
    assert abs(composite_quad(math.sin, 0.0, math.pi, 200) - 2.0) < 1e-9
    np.testing.assert_allclose(romberg(lambda x: 1.0 / x, 1.0, 2.0, max_levels=1).tableau[1], [17 / 24, 25 / 36])


def integral_of_power(power: int, a: Fraction, b: Fraction) -> Fraction:
    return (b ** (power + 1) - a ** (power + 1)) / (power + 1)


def through(rule: str, power: int) -> tuple[float, float]:
    """Return what a rule makes of a power over [-1, 3/2], and the exact value."""
    a, b = Fraction(-1), Fraction(3, 2)
    f = lambda x: x**power  # noqa: E731
    if rule == "samples":
        value = simpson([float((a + (b - a) * k / 4) ** power) for k in range(5)], dx=float(b - a) / 4)
    elif rule == "gauss":
        value = fixed_quad(f, float(a), float(b), n=5)
    else:
        value = composite_quad(f, float(a), float(b), 4, rule=rule)  # type: ignore[arg-type]
    return float(value), float(integral_of_power(power, a, b))


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("rule", "degree"), [("midpoint", 1), ("trapezoid", 1), ("simpson", 3), ("samples", 3), ("gauss", 9)]
)
def test_a_rule_is_exact_up_to_its_degree_and_no_further(rule: str, degree: int) -> None:
    for power in range(degree + 1):
        value, exact = through(rule, power)
        assert value == pytest.approx(exact, rel=1e-14, abs=1e-14)
    value, exact = through(rule, degree + 1)
    assert abs(value - exact) > 1e-6 * abs(exact)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 10, 16, 31])
def test_gauss_with_n_samples_is_exact_up_to_degree_2n_minus_1(n: int) -> None:
    """Legendre's polynomials have the integral 0; the square of P_n does not, but all its samples are 0."""
    nodes, weights = gauss_legendre(n)
    for degree in range(1, 2 * n):
        assert weights @ scipy.special.eval_legendre(degree, nodes) == pytest.approx(0.0, abs=2e-15 * n)
    assert weights @ scipy.special.eval_legendre(n, nodes) ** 2 < 1e-25
    assert weights.sum() == pytest.approx(2.0, abs=1e-14)


def test_kronrods_21_samples_are_exact_up_to_degree_31() -> None:
    x, w = np.array(NODES), np.array(WEIGHTS)
    for degree in range(1, 33):
        off = abs(float(w @ scipy.special.eval_legendre(degree, x)))
        assert off < 1e-15 if degree < 32 else off > 1e-7
    assert math.fsum(WEIGHTS) == pytest.approx(2.0, abs=1e-15)


def test_every_second_of_kronrods_samples_is_gausss() -> None:
    nodes, weights = gauss_legendre(10)
    np.testing.assert_allclose(NODES[1::2], nodes, atol=1e-16)
    np.testing.assert_allclose(GAUSS_WEIGHTS[1::2], weights, rtol=1e-15)
    assert not any(GAUSS_WEIGHTS[::2])


@pytest.mark.parametrize("n", [1, 2, 5, 20, 101, 300])
def test_the_rules_are_numpys_and_scipys(n: int) -> None:
    nodes, weights = gauss_legendre(n)
    for theirs in (np.polynomial.legendre.leggauss(n), scipy.special.roots_legendre(n)):
        np.testing.assert_allclose(nodes, theirs[0], atol=3e-16)
        np.testing.assert_allclose(weights, theirs[1], atol=2e-13)
    np.testing.assert_array_equal(nodes, -nodes[::-1])
    np.testing.assert_array_equal(weights, weights[::-1])


@pytest.mark.parametrize("n", [50, 999, 3000])
def test_the_outermost_node_and_weight_are_exact_to_14_digits(n: int) -> None:
    """Where it is hardest: beside 1. The reference is Newton's method in 50 decimal digits."""
    nodes, weights = gauss_legendre(n)
    with localcontext() as context:
        context.prec = 50
        x = Decimal(float(nodes[-1]))
        for _ in range(3):
            before, value = Decimal(1), x
            for k in range(1, n):
                before, value = value, ((2 * k + 1) * x * value - k * before) / (k + 1)
            slope = n * (before - x * value) / (1 - x * x)
            x -= value / slope
        weight = 2 / ((1 - x * x) * slope * slope)
    assert nodes[-1] == pytest.approx(float(x), abs=2e-16)
    assert weights[-1] == pytest.approx(float(weight), rel=2e-14)


@pytest.mark.parametrize(("rule", "order"), [("midpoint", 2), ("trapezoid", 2), ("simpson", 4)])
def test_half_the_step_divides_the_error_by_4_or_16(rule: Any, order: int) -> None:
    exact = math.e - 1.0
    errors = [abs(composite_quad(math.exp, 0.0, 1.0, n, rule=rule) - exact) for n in (4, 8, 16, 32, 64)]
    ratios = np.array(errors[:-1]) / errors[1:]
    np.testing.assert_allclose(np.log2(ratios), order, atol=0.02)


def test_each_column_of_the_tableau_is_two_orders_better() -> None:
    tableau = romberg(math.exp, 0.0, 2.0, max_levels=6, rtol=0.0, atol=0.0).tableau
    errors = np.abs(tableau - (math.exp(2.0) - 1.0))
    for column in range(4):
        assert math.log2(errors[4, column] / errors[5, column]) == pytest.approx(2 * column + 2, abs=0.1)
    assert np.log2(errors[4:6, 0] / errors[4:6, 1]).min() > 5.0


def test_without_derivatives_the_columns_are_no_better() -> None:
    tableau = romberg(math.sqrt, 0.0, 1.0, max_levels=10, rtol=0.0, atol=0.0).tableau
    errors = np.abs(tableau - 2.0 / 3.0)
    for column in range(5):
        assert math.log2(errors[9, column] / errors[10, column]) == pytest.approx(1.5, abs=0.05)


def test_trapezoids_of_a_periodic_function_converge_faster_than_any_power() -> None:
    exact = 2.0 * math.pi * scipy.special.iv(0, 1.0)
    for n, accuracy in ((4, 0.04), (8, 2e-6), (16, 1e-14)):
        off = composite_quad(lambda t: math.exp(math.cos(t)), 0.0, 2.0 * math.pi, n, rule="trapezoid") - exact
        assert abs(off) <= accuracy


@st.composite
def samples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray | None, int]:
    """Draw samples of up to three dimensions, an axis, and places along it: none, one line, or one for each sample."""
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    length = draw(st.integers(1, 12))
    shape = tuple(length if k == axis % len(shape) else size for k, size in enumerate(shape))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["equal", "line", "all", "falling", "double"]))
    x = np.cumsum(rng.uniform(0.1, 1.0, shape if kind == "all" else length), axis=axis if kind == "all" else 0)
    if kind == "falling":
        x = x[::-1]
    if kind == "double" and length > 1:
        x[1] = x[0]
    return rng.standard_normal(shape), None if kind == "equal" else x, axis


@pytest.mark.interpreted
@given(samples(), st.floats(-2.0, 2.0))
def test_samples_of_any_shape_give_scipys_integrals(sampled: tuple[np.ndarray, Any, int], dx: float) -> None:
    y, x, axis = sampled
    for ours, theirs in ((trapezoid, scipy.integrate.trapezoid), (simpson, scipy.integrate.simpson)):
        with np.errstate(all="ignore"):
            expected = theirs(y, x=x, dx=dx, axis=axis)
        result = ours(y, x=x, dx=dx, axis=axis)
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12)
        assert np.shape(result) == np.shape(expected)
        assert isinstance(result, float if y.ndim == 1 else np.ndarray)


@given(st.integers(0, 6), st.sampled_from([(), (3,), (2, 4)]), st.integers(0, 2), st.integers(0, 2**32))
def test_romb_gives_scipys_integrals(level: int, others: tuple[int, ...], axis: int, seed: int) -> None:
    axis = min(axis, len(others))
    shape = (*others[:axis], 2**level + 1, *others[axis:])
    y = np.random.default_rng(seed).standard_normal(shape)
    np.testing.assert_allclose(
        romb(y, dx=0.3, axis=axis), scipy.integrate.romb(y, dx=0.3, axis=axis), rtol=1e-12, atol=1e-13
    )


def test_many_samples() -> None:
    y = np.random.default_rng(0).standard_normal(2**16 + 1)
    x = np.sort(np.random.default_rng(1).random(2**16 + 1))
    assert trapezoid(y, dx=0.1) == pytest.approx(scipy.integrate.trapezoid(y, dx=0.1), rel=1e-12)
    assert trapezoid(y, x) == pytest.approx(scipy.integrate.trapezoid(y, x), rel=1e-11)
    assert simpson(y, dx=0.1) == pytest.approx(scipy.integrate.simpson(y, dx=0.1), rel=1e-12)
    assert simpson(y, x) == pytest.approx(scipy.integrate.simpson(y, x), rel=1e-9)
    assert romb(y, dx=0.1) == pytest.approx(scipy.integrate.romb(y, dx=0.1), rel=1e-12)


def test_other_kinds_of_samples() -> None:
    assert trapezoid(np.arange(5, dtype=np.int32)) == 8.0
    assert trapezoid(np.arange(10.0)[::2]) == 16.0
    np.testing.assert_allclose(simpson(np.asfortranarray(np.ones((3, 5))), axis=0), [2.0] * 5)
    assert math.isnan(float(trapezoid([1.0, math.nan, 1.0])))
    assert trapezoid([1.0, math.inf]) == math.inf
    assert simpson([5.0]) == trapezoid([5.0]) == 0.0
    frozen = np.ones(4)
    frozen.flags.writeable = False
    assert simpson(frozen) == 3.0


@given(st.integers(1, 40), st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
def test_fixed_quad_gives_scipys_integral(n: int, a: float, b: float) -> None:
    f = lambda x: np.exp(-x) * np.cos(5.0 * x)  # noqa: E731
    assert fixed_quad(f, a, b, n=n) == pytest.approx(scipy.integrate.fixed_quad(f, a, b, n=n)[0], rel=1e-12, abs=1e-12)


def test_fixed_quad_of_several_functions_of_constants_and_with_arguments() -> None:
    powers = fixed_quad(lambda x: np.array([np.ones_like(x), x, x**2]), 0.0, 3.0)
    np.testing.assert_allclose(powers, [3.0, 4.5, 9.0])
    assert fixed_quad(lambda x: 2.0, 0.0, 3.0) == pytest.approx(6.0)
    assert fixed_quad(lambda x, k: x**k, 0.0, 1.0, (3,)) == pytest.approx(0.25)
    assert fixed_quad(lambda x, k: x**k, 0.0, 1.0, 3) == pytest.approx(0.25)


@numba.njit  # type: ignore[untyped-decorator]
def wave(x: float, frequency: float) -> float:
    return math.cos(frequency * x)


@given(st.floats(0.1, 20.0), st.floats(-2.0, 2.0), st.floats(-2.0, 2.0), st.floats(-2.0, 2.0))
def test_the_laws_of_integrals(frequency: float, a: float, b: float, c: float) -> None:
    """Neighbouring ranges add up, the limits turn the sign; over a compiled function and over the plain one."""
    plain = getattr(wave, "py_func", wave)
    for f in (wave, plain):
        result = romberg(f, a, b, (frequency,), atol=1e-10)
        assert result.estimate == pytest.approx(
            (math.sin(frequency * b) - math.sin(frequency * a)) / frequency, abs=1e-9
        )
        assert romberg(f, b, a, (frequency,), atol=1e-10).estimate == pytest.approx(-result.estimate, abs=1e-12)
        parts = romberg(f, a, c, frequency, atol=1e-10).estimate + romberg(f, c, b, frequency, atol=1e-10).estimate
        assert parts == pytest.approx(result.estimate, abs=2e-9)
        for rule in ("simpson", "trapezoid", "midpoint"):
            once = composite_quad(f, a, b, 8, (frequency,), rule=rule)
            assert composite_quad(f, b, a, 8, frequency, rule=rule) == pytest.approx(-once, abs=1e-13)
        assert romberg(f, a, a, (frequency,)).estimate == composite_quad(f, a, a, 2, (frequency,)) == 0.0


def test_romberg_says_how_it_ended() -> None:
    good = romberg(math.exp, 0.0, 1.0)
    assert (good.success, good.status, good.message) == (True, 0, "converged")
    assert good.error <= 1.49e-8 * max(1.0, good.estimate)
    assert good.neval == 2**good.nit + 1
    assert good.tableau.shape == (good.nit + 1, good.nit + 1)
    assert good.estimate == good.tableau[-1, -1]
    poor = romberg(math.sqrt, 0.0, 1.0, max_levels=8)
    assert (poor.success, poor.status, poor.nit) == (False, 1, 8)
    assert "raise max_levels, or try quad" in poor.message
    pole = romberg(lambda x: math.inf if x == 0.0 else 1.0 / x, 0.0, 1.0)
    assert (pole.success, pole.status) == (False, 4)
    assert math.isnan(pole.estimate)
    assert "inf at x = 0.0" in pole.message
    hole = romberg(lambda x: math.nan if x == 0.25 else x, 0.0, 1.0)
    assert (hole.status, hole.nit) == (4, 2)
    assert "nan at x = 0.25" in hole.message
    assert "overflows" in romberg(lambda x: 1e308, 0.0, 10.0).message


class RefusalError(Exception):
    pass


def refuse(x: Any) -> float:
    raise RefusalError("at once")


@pytest.mark.parametrize(
    "integrate", [lambda f: romberg(f, 0, 1), lambda f: composite_quad(f, 0, 1, 4), lambda f: fixed_quad(f, 0, 1)]
)
def test_what_the_integrand_raises_comes_through(integrate: Callable[[Any], object]) -> None:
    with pytest.raises(RefusalError, match="at once"):
        integrate(refuse)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: trapezoid([]), r"y has the shape \(0,\): there is nothing to integrate"),
        (lambda: simpson(np.zeros((3, 0))), r"y has the shape \(3, 0\)"),
        (lambda: trapezoid(5.0), "axis is -1, but y has 0 axes"),
        (lambda: trapezoid([1.0, 2.0], axis=1), "axis is 1, but y has 1 axes"),
        (lambda: simpson([1.0, 2.0], axis=0.5), "axis is 0.5"),  # type: ignore[arg-type]
        (lambda: trapezoid([1.0, 2.0], x=[0.0, 1.0, 2.0]), "x has 3 places, but y has 2 samples along axis -1"),
        (lambda: simpson(np.ones((2, 3)), x=np.ones((3, 2))), r"x has the shape \(3, 2\); it does not fit"),
        (lambda: trapezoid([1.0, 2.0], dx=math.nan), "dx is nan"),
        (lambda: trapezoid([1.0, 2.0j]), "y is complex"),
        (lambda: simpson(["a", "b"]), "y cannot be read as an array of numbers"),
        (lambda: romb([1.0, 2.0, 3.0, 4.0]), r"y has 4 samples along axis -1; it must be 2\*\*k \+ 1"),
        (lambda: romb([1.0]), "y has 1 samples"),
        (lambda: composite_quad(math.sin, 0.0, 1.0, 0), "n is 0"),
        (lambda: composite_quad(math.sin, 0.0, 1.0, 3), "n is 3; .* even for Simpson's rule"),
        (lambda: composite_quad(math.sin, 0.0, 1.0, 2.0), "n is 2.0; it must be an integer"),  # type: ignore[arg-type]
        (lambda: composite_quad(math.sin, 0.0, 1.0, 2, rule="boole"), "rule is 'boole'"),  # type: ignore[arg-type]
        (lambda: composite_quad(math.sin, 0.0, math.inf, 2), "they must be finite here: quad takes infinite ones"),
        (lambda: romberg(math.sin, math.nan, 1.0), "the limits are nan and 1.0"),
        (lambda: romberg(math.sin, "a", 1.0), "the limits are 'a' and 1.0"),  # type: ignore[arg-type]
        (lambda: romberg(math.sin, 0.0, 1.0, rtol=-1.0), "rtol is -1.0"),
        (lambda: romberg(math.sin, 0.0, 1.0, max_levels=0), "max_levels is 0; it must be from 1 to 30"),
        (lambda: romberg(math.sin, 0.0, 1.0, max_levels=31), "max_levels is 31"),
        (lambda: gauss_legendre(0), "n is 0; a rule needs at least one sample"),
        (lambda: gauss_legendre(-1), "n is -1"),
        (lambda: fixed_quad(np.sin, 0.0, 1.0, n=0), "n is 0"),
        (lambda: fixed_quad(np.sin, 0.0, -math.inf), "they must be finite here"),
        (lambda: fixed_quad(lambda x: x[:-1], 0.0, 1.0), r"func returned the shape \(4,\) for 5 places"),
    ],
)
def test_bad_input(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
