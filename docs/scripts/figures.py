"""Pictures for the written pages, each drawn from a run of the library."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from plot import Series, draw, linear_axis, logarithmic_axis

from smlib.datasets.plates import heated_plate
from smlib.infotheory import entropy
from smlib.mining import s_curve
from smlib.numerics import gauss_seidel, jacobi, optimal_omega, sor, spectral_radius, ssor
from smlib.stochastic import mmc, plan_servers


def _power_of_ten(value: float) -> str:
    exponent = round(math.log10(value))
    return "1" if exponent == 0 else "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def stationary_omega() -> str:
    """Draw the spectral radius of SOR against omega, for a plate of 11 x 11 points."""
    A, _ = heated_plate(11)
    best = optimal_omega(A)
    omegas = np.unique(np.concatenate([np.linspace(1.0, 1.98, 36), np.linspace(best - 0.06, best + 0.02, 15), [best]]))
    radii = [(float(omega), spectral_radius(A, "sor", float(omega))) for omega in omegas]
    return draw(
        "The spectral radius of SOR against omega on a plate of 11 x 11 points: it falls ever more steeply to its "
        "smallest value, and rises in a straight line from there",
        [Series("SOR", radii)],
        linear_axis("ω", 1.0, 2.0),
        linear_axis("spectral radius", 0.5, 1.0),
    )


def stationary_residuals() -> str:
    """Draw the residual norms of the four methods against the sweeps, for a plate of 31 x 31 points."""
    A, b = heated_plate(31)
    omega = optimal_omega(A)
    results = {
        "Jacobi": jacobi(A, b, maxiter=1600),
        "Gauss-Seidel": gauss_seidel(A, b),
        "SSOR": ssor(A, b, omega),
        "SOR": sor(A, b, omega),
    }
    series = [
        Series(name, list(enumerate((result.residual_norms / result.residual_norms[0]).tolist())))
        for name, result in results.items()
    ]
    return draw(
        "The norms of the residuals against the sweeps, on a plate of 31 x 31 points: SOR and SSOR reach 1e-8 in some "
        "hundred sweeps, Gauss-Seidel in 1500, Jacobi in 3000",
        series,
        linear_axis("sweeps", 0.0, 1600.0),
        logarithmic_axis("residual, of that at the start", [3e-9, 1.0], _power_of_ten, [1.0, 1e-2, 1e-4, 1e-6, 1e-8]),
    )


def entropy_of_a_coin() -> str:
    """Draw what a toss tells against how likely heads are, beside what it costs to believe in a fair coin."""
    shares = np.linspace(0.0, 1.0, 101)
    coins = np.array([shares, 1.0 - shares])
    return draw(
        "The entropy of a coin against the probability of heads: 0 at both ends, 1 bit in the middle. The relative "
        "entropy to a fair coin: 1 at both ends, 0 in the middle",
        [
            Series(
                "H, what a toss tells", list(zip(shares.tolist(), np.asarray(entropy(coins)).tolist(), strict=True))
            ),
            Series(
                "D to a fair coin",
                list(zip(shares.tolist(), np.asarray(entropy(coins, np.full((2, 1), 0.5))).tolist(), strict=True)),
            ),
        ],
        linear_axis("probability of heads", 0.0, 1.0),
        linear_axis("bits", 0.0, 1.0),
    )


def s_curves() -> str:
    """Draw the probability of becoming a candidate against the similarity, for three shapes of 128 values."""
    similarities = np.linspace(0.0, 1.0, 101)
    return draw(
        "The probability that a pair becomes a candidate against its similarity: curves like an S, which rise steeply "
        "near 0.4, 0.7 and 0.9",
        [
            Series(
                f"{bands} bands of {rows}",
                list(zip(similarities.tolist(), np.asarray(s_curve(bands, rows, similarities)).tolist(), strict=True)),
            )
            for bands, rows in ((32, 4), (16, 8), (8, 16))
        ],
        linear_axis("similarity", 0.0, 1.0),
        linear_axis("probability of becoming a candidate", 0.0, 1.0),
    )


def queueing_response() -> str:
    """Draw the mean response against the utilization, for three numbers of servers."""
    series = []
    # Each line ends lower than the one before, so that no name stands across another line.
    for servers, highest in ((1, 10.0), (4, 8.5), (16, 7.0)):
        utilizations = 1.0 - np.geomspace(1.0, 0.005, 300)
        responses = [mmc(servers * utilization, 1.0, servers).W for utilization in utilizations.tolist()]
        points = [point for point in zip(utilizations.tolist(), responses, strict=True) if point[1] <= highest]
        series.append(Series("1 server" if servers == 1 else f"{servers} servers", points))
    return draw(
        "The mean response against the utilization: with one server it rises from 1 service to 2 at a half and 10 at "
        "nine tenths; with 4 servers it stays below 2 up to 0.85, with 16 up to 0.95; all rise without bound towards 1",
        series,
        linear_axis("utilization", 0.0, 1.0),
        linear_axis("response, in services", 0.0, 10.0),
    )


def queueing_staffing() -> str:
    """Draw how many servers beyond the load it takes for 80 % not to wait, beside the square root of the load."""
    loads = [float(f"{load:.0f}") for load in np.geomspace(4.0, 1e6, 37)]
    extra = [(load, plan_servers(load, 1.0, wait_quantile=(0.8, 0.0)).servers - load) for load in loads]
    return draw(
        "Servers beyond the load against the load, on logarithmic axes: a straight line along the square root, 3 for "
        "a load of 4, 11 for 100, 1062 for a million",
        [
            Series("needed", extra),
            Series("square root", [(load, math.sqrt(load)) for load in loads]),
            Series("tenth of the load", [(load, load / 10.0) for load in loads if load <= 1e5]),
        ],
        logarithmic_axis("load, in erlang", loads, _power_of_ten, [1e1, 1e2, 1e3, 1e4, 1e5, 1e6]),
        logarithmic_axis("servers beyond it", [0.5, 5e3], _power_of_ten, [1.0, 1e1, 1e2, 1e3]),
    )


# By the name under which a page includes them.
FIGURES: dict[str, Callable[[], str]] = {
    "locality_sensitive_hashing/s_curve": s_curves,
    "measures/coin": entropy_of_a_coin,
    "queueing/response": queueing_response,
    "queueing/staffing": queueing_staffing,
    "stationary/omega": stationary_omega,
    "stationary/residuals": stationary_residuals,
}
