"""Cases of quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import numba
import numpy as np
import scipy.integrate
import scipy.special
from scipy import LowLevelCallable

from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.numerics import composite_quad, fixed_quad, gauss_legendre, quad, romb, romberg, simpson, trapezoid

# The ellipsoid of the Global Positioning System, WGS-84: half its equator's diameter in metres, its flattening, and
# the published length of a quarter of a meridian.
EQUATOR = 6_378_137.0
FLATTENING = 1.0 / 298.257223563
PUBLISHED_QUARTER = 10_001_965.729
SQUARED_ECCENTRICITY = FLATTENING * (2.0 - FLATTENING)


@kernel
def _metres_per_radian(latitude: float) -> float:
    sine = math.sin(latitude)
    narrowing = 1.0 - SQUARED_ECCENTRICITY * sine * sine
    return EQUATOR * (1.0 - SQUARED_ECCENTRICITY) / (narrowing * math.sqrt(narrowing))


@kernel
def _peak(x: float, width: float) -> float:
    return math.exp(-x * x) * math.cos(10.0 * x) + 1.0 / (width * width + (x - 0.3) ** 2)


@kernel
def _wave(angle: float, amplitude: float) -> float:
    return math.cos(2.0 * angle - amplitude * math.sin(angle)) / math.pi


@kernel
def _euler(x: float, exponent: float) -> float:
    return math.exp(-x) * math.pow(x, exponent - 1.0)


@kernel
def _ripple(x: float) -> float:
    return 1.0 + math.exp(-x * x) * math.cos(10.0 * x)


def _ripples(x: Vector) -> Vector:
    return np.asarray(1.0 + np.exp(-x * x) * np.cos(10.0 * x))


def _plain(f: Callable[..., float]) -> Callable[..., float]:
    """Return the Python function behind a kernel."""
    return getattr(f, "py_func", f)


@cache
def _as_c(f: Callable[..., float]) -> LowLevelCallable:
    """Return a kernel as a C function, ``double f(int n, double *x)``: SciPy calls it without a detour by Python."""
    arguments = _plain(f).__code__.co_argcount

    def c_function(_: int, x: Any) -> float:
        return f(x[0]) if arguments == 1 else f(x[0], x[1])

    signature = numba.float64(numba.intc, numba.types.CPointer(numba.float64))
    return LowLevelCallable(numba.cfunc(signature)(c_function).ctypes)


class Task(NamedTuple):
    """A function to be integrated over neighbouring ranges; SciPy gets it as Python has it, and as C does."""

    f: Callable[..., float]
    python: Callable[..., float]
    c: LowLevelCallable
    edges: tuple[float, ...]
    args: tuple[float, ...]


def _task(f: Callable[..., float], edges: Sequence[float], *args: float) -> Task:
    return Task(f, _plain(f), _as_c(f), tuple(edges), args)


def _plain_task(size: int) -> Task:
    width = 1.0 / size

    def peak(x: float) -> float:
        return math.exp(-x * x) * math.cos(10.0 * x) + 1.0 / (width * width + (x - 0.3) ** 2)

    return Task(peak, peak, None, (0.0, 1.0), ())


def _ours(task: Task) -> list[float]:
    return [quad(task.f, a, b, task.args).estimate for a, b in zip(task.edges, task.edges[1:], strict=False)]


def _scipy(task: Task, f: Any = None) -> list[float]:
    f = f or task.python
    return [scipy.integrate.quad(f, a, b, task.args)[0] for a, b in zip(task.edges, task.edges[1:], strict=False)]


SCIPY_QUAD = (
    Peer("SciPy quad, a Python function", "scipy", _scipy),
    Peer("SciPy quad, a C function", "scipy", lambda task: _scipy(task, task.c)),
)


def _same_integrals(_: Any, ours: Any, theirs: Any) -> Agreement:
    difference = float(np.max(np.abs(np.subtract(ours, theirs)) / np.maximum(np.abs(theirs), 1.0)))
    return Agreement(difference <= 3e-8, f"largest difference {difference:.1e}")


def _same_sums(_: Any, ours: Any, theirs: Any) -> Agreement:
    difference = float(np.max(np.abs(np.subtract(ours, theirs))) / np.max(np.abs(theirs)))
    return Agreement(difference <= 1e-9, f"largest difference {difference:.1e} of the largest")


def _tell_degrees(_: Task, metres: list[float]) -> list[str]:
    rows = [f"{where} {metres[k] / 1000.0:8.3f} km" for where, k in DEGREES]
    return [*rows, f"all 90 of them {sum(metres):,.3f} m"]


DEGREES = (
    ("from the equator to 1 degree   ", 0),
    ("from 45 to 46 degrees          ", 45),
    ("from 89 degrees to the pole    ", 89),
)


def _prove_degrees(_: Task, metres: list[float]) -> dict[str, bool]:
    quarter = math.fsum(metres)
    elliptic = EQUATOR * float(scipy.special.ellipe(SQUARED_ECCENTRICITY))
    n = FLATTENING / (2.0 - FLATTENING)
    series = 0.5 * math.pi * EQUATOR / (1.0 + n) * (1.0 + n**2 / 4.0 + n**4 / 64.0 + n**6 / 256.0)
    return {
        f"the published quarter of a meridian, 10,001,965.729 m, to {abs(quarter - PUBLISHED_QUARTER):.4f} m": abs(
            quarter - PUBLISHED_QUARTER
        )
        < 1e-3,
        f"SciPy's elliptic integral, to {abs(quarter - elliptic):.1e} m": abs(quarter - elliptic) < 1e-6,
        f"Bessel's series of 1825, to {abs(quarter - series):.1e} m": abs(quarter - series) < 1e-6,
        "every degree is longer than the one before: the Earth is flattened at its poles": metres == sorted(metres),
    }


class Samples(NamedTuple):
    """Samples, the places where they were taken, and the axis along which to integrate."""

    y: Any
    x: Any = None
    axis: int = -1


def _samples(size: int, *, uneven: bool = False, rows: int = 0) -> Samples:
    x = np.linspace(0.0, 3.0, size // rows if rows else size)
    if uneven:
        x = x**1.5
    if rows:
        return Samples(np.outer(_ripples(x), np.linspace(1.0, 2.0, rows)), None, 0)
    return Samples(_ripples(x), x if uneven else None)


def _integrate(rule: Callable[..., Any], samples: Samples) -> Any:
    return rule(samples.y, samples.x, axis=samples.axis)


def _numpy_trapezoid(samples: Samples) -> Any:
    return np.trapezoid(samples.y, samples.x, axis=samples.axis)


def _scipy_simpson(samples: Samples) -> Any:
    return scipy.integrate.simpson(samples.y, samples.x, axis=samples.axis)


def _same_rule(_: int, ours: Any, theirs: Any) -> Agreement:
    off = max(float(np.abs(ours[part] - theirs[part]).max()) for part in (0, 1))
    return Agreement(off <= 1e-11, f"nodes and weights differ by {off:.1e} at most")


def _compose(steps: int) -> float:
    return composite_quad(_ripple, 0.0, 3.0, steps)


def _scipy_compose(steps: int) -> float:
    x = np.linspace(0.0, 3.0, steps + 1)
    return float(scipy.integrate.simpson(_ripples(x), dx=3.0 / steps))


def _romberg(steps: int) -> float:
    return romberg(_ripple, 0.0, 3.0, rtol=0.0, atol=0.0, max_levels=steps.bit_length() - 1).estimate


def _scipy_romb(steps: int) -> float:
    return float(scipy.integrate.romb(_ripples(np.linspace(0.0, 3.0, steps + 1)), dx=3.0 / steps))


LINES = (10_001, 100_001, 1_000_001)
ROWS = (10_000, 100_000, 1_000_000)

# What is summed, at which sizes, from which samples, by which rule, beside whom.
SAMPLE_CASES: tuple[tuple[str, tuple[int, int, int], Callable[[int], Samples], Callable[..., Any], Peer], ...] = tuple(
    (f"{name} of samples{what}", sizes, partial(_samples, **options), rule, peer)
    for name, rule, peer in (
        ("trapezoids", trapezoid, Peer("NumPy trapezoid", "numpy", _numpy_trapezoid)),
        ("Simpson's rule", simpson, Peer("SciPy simpson", "scipy", _scipy_simpson)),
    )
    for what, sizes, options in (
        ("", LINES, {}),
        (" at uneven places", LINES, {"uneven": True}),
        (" along the first axis", ROWS, {"rows": 100}),
    )
)

CASES = (
    Case(
        "quadrature",
        "degrees of latitude",
        "arcs",
        (1, 9, 90),
        lambda arcs: _task(_metres_per_radian, [math.radians(90.0 * k / arcs) for k in range(arcs + 1)]),
        _ours,
        SCIPY_QUAD,
        _same_integrals,
        note="21 evaluations an arc, the least there is: mostly the call is measured. Ours checks its input and "
        "returns the reasons with the answer, in Python, which takes two microseconds; SciPy returns two numbers.",
        story=Story(
            "How long is a degree of latitude, and is it the same everywhere?",
            90,
            "the meridian of the ellipsoid WGS-84, a degree at a time",
            _tell_degrees,
            _prove_degrees,
        ),
    ),
    Case(
        "quadrature",
        "quad, a peak on waves",
        "widths in the range",
        (10, 100, 10_000),
        lambda size: _task(_peak, (0.0, 1.0), 1.0 / size),
        _ours,
        SCIPY_QUAD,
        _same_integrals,
    ),
    Case(
        "quadrature",
        "quad, a smooth wave (Bessel's integral)",
        "radians",
        (1, 10, 100),
        lambda size: _task(_wave, (0.0, math.pi), float(size)),
        _ours,
        SCIPY_QUAD,
        _same_integrals,
        note="One radian takes 21 evaluations, and Python's share in the call is most of it.",
    ),
    Case(
        "quadrature",
        "quad, singular at one end, infinite at the other (gamma of 1/n)",
        "n",
        (2, 4, 8),
        lambda size: _task(_euler, (0.0, 1.0, math.inf), 1.0 / size),
        _ours,
        SCIPY_QUAD,
        _same_integrals,
    ),
    Case(
        "quadrature",
        "quad of a plain Python function, a peak on waves",
        "widths in the range",
        (10, 100, 10_000),
        _plain_task,
        _ours,
        SCIPY_QUAD[:1],
        _same_integrals,
        note="SciPy drives the function from C; here Python does, and its loop around 21 calls takes as long as the "
        "calls. Compile the function (numba.njit), and it is the other way round.",
    ),
    *(
        Case("quadrature", name, "samples", sizes, setup, partial(_integrate, rule), (peer,), _same_sums)
        for name, sizes, setup, rule, peer in SAMPLE_CASES
    ),
    Case(
        "quadrature",
        "Romberg's method on samples",
        "samples",
        (1_025, 32_769, 1_048_577),
        _samples,
        lambda samples: romb(samples.y),
        (Peer("SciPy romb", "scipy", lambda samples: scipy.integrate.romb(samples.y)),),
        _same_sums,
    ),
    Case(
        "quadrature",
        "Romberg's method on a function",
        "steps",
        (256, 4_096, 65_536),
        lambda steps: steps,
        _romberg,
        (Peer("SciPy romb of NumPy's samples", "scipy", _scipy_romb),),
        _same_sums,
        note="NumPy evaluates exp and cos for eight places at a time, a compiled loop for one.",
    ),
    Case(
        "quadrature",
        "composite Simpson's rule on a function",
        "steps",
        (1_000, 30_000, 1_000_000),
        lambda steps: steps,
        _compose,
        (Peer("SciPy simpson of NumPy's samples", "scipy", _scipy_compose),),
        _same_sums,
        note="NumPy evaluates exp and cos for eight places at a time, a compiled loop for one; but NumPy's samples go "
        "to memory and back.",
    ),
    Case(
        "quadrature",
        "nodes and weights of Gauss-Legendre",
        "nodes",
        (10, 100, 1_000),
        lambda n: n,
        gauss_legendre,
        (
            Peer("NumPy leggauss", "numpy", np.polynomial.legendre.leggauss),
            Peer("SciPy roots_legendre", "scipy", scipy.special.roots_legendre),
        ),
        _same_rule,
        note="Both peers solve for eigenvalues. The weights beside the ends, which are the smallest, come out to 14 "
        "digits here; of 1,000 nodes the peers know them to 9.",
    ),
    Case(
        "quadrature",
        "Gauss-Legendre with n samples",
        "samples",
        (5, 50, 500),
        lambda n: n,
        lambda n: fixed_quad(_ripples, 0.0, 1.0, n=n),
        (Peer("SciPy fixed_quad", "scipy", lambda n: scipy.integrate.fixed_quad(_ripples, 0.0, 1.0, n=n)[0]),),
        _same_sums,
    ),
)
