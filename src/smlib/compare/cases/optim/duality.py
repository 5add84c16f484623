"""Cases of duality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
import scipy.sparse

from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.datasets.diets import stigler_diet
from smlib.optim import (
    Certificate,
    LinearProgram,
    LinearProgramResult,
    Ranging,
    certify_infeasible,
    certify_optimum,
    certify_unbounded,
)

DAYS = 365
CALCIUM = 2


# What the nutrients of a diet are worth.


class Market(NamedTuple):
    """The program of the cheapest diet, and what its dual is made of."""

    program: LinearProgram
    requirements: Vector
    contents: Vector


def _market(size: int) -> Market:
    diet = stigler_diet()
    contents = diet.contents[:size]
    return Market(_diet(contents, diet.requirements), diet.requirements, contents)


def _diet(contents: Vector, requirements: Vector) -> LinearProgram:
    return LinearProgram(np.ones(len(contents)), contents.T, row_lower=requirements)


def _solve_dual(market: Market) -> LinearProgramResult:
    return market.program.dual().solve()


def _scipy_dual(market: Market) -> Vector:
    costs, dollars = -market.requirements, np.ones(len(market.contents))
    return np.asarray(scipy.optimize.linprog(costs, market.contents, dollars, method="highs-ds").x)


def _scipy_marginals(market: Market) -> Vector:
    dollars = np.ones(len(market.contents))
    result = scipy.optimize.linprog(dollars, -market.contents.T, -market.requirements, method="highs-ds")
    return -np.asarray(result.ineqlin.marginals)


def _same_prices(market: Market, ours: LinearProgramResult, theirs: Vector) -> Agreement:
    difference = float(
        np.abs(market.requirements * (np.asarray(ours.x) - theirs)).max() / (market.requirements @ theirs)
    )
    return Agreement(ours.success and difference <= 1e-8, f"largest difference {difference:.1e} of the bill")


def _tell_prices(_: Market, result: LinearProgramResult) -> Sequence[str]:
    diet, prices = stigler_diet(), np.asarray(result.x)
    bill = DAYS * diet.requirements * prices
    signs = [" x " if measure[0].isdigit() else " " for measure in diet.measures]
    paid = [i for i in np.argsort(-bill) if prices[i] > 1e-12]
    return [
        f"{100.0 * prices[CALCIUM]:.2f} cents; what is needed a day, the price of one more, and of a year's needs:",
        *(
            f"{diet.nutrients[i]:<13} {f'{diet.requirements[i]:g}{signs[i]}{diet.measures[i]}':<13} "
            f"{100.0 * prices[i]:7.4f} cents {bill[i]:6.2f} dollars"
            for i in paid
        ),
        f"{', '.join(name for i, name in enumerate(diet.nutrients) if i not in paid)}: nothing, for there is plenty",
    ]


def _prove_prices(market: Market, result: LinearProgramResult) -> Mapping[str, bool]:
    prices, requirements = np.asarray(result.x), market.requirements
    cheapest = market.program.solve()
    dollars = np.asarray(cheapest.x)
    bills = DAYS * float(requirements @ prices), DAYS * float(dollars.sum())
    worth, surplus = market.contents @ prices, dollars @ market.contents - requirements

    more = requirements.copy()
    more[CALCIUM] *= 1.01
    changed = DAYS * ((_diet(market.contents, more).solve().fun or 0.0) - dollars.sum())
    predicted = DAYS * prices[CALCIUM] * (more - requirements)[CALCIUM]
    least, most = market.program.ranging(cheapest).row_lower[CALCIUM]
    return {
        f"at these prices the needs cost what the cheapest diet costs, {bills[0]:.6f} and {bills[1]:.6f} dollars": (
            abs(bills[0] - bills[1]) <= 1e-9 * bills[1] and cheapest.success
        ),
        f"a dollar's worth of food is worth a dollar at most: {worth.max():.9f}": worth.max() <= 1.0 + 1e-9,
        "and exactly a dollar, if it is bought": bool(np.abs(dollars * (worth - 1.0)).max() <= 1e-9),
        "what there is too much of costs nothing": bool(np.abs(prices * surplus).max() <= 1e-9),
        f"1 % more calcium costs {100.0 * changed:.3f} cents a year more, as its price says": bool(
            abs(changed - predicted) <= 1e-9
        ),
        f"and that is in the price's range, from {least:.3f} to {most:.3f} g": bool(least <= more[CALCIUM] <= most),
    }


# Checking proofs. What a matrix is turned into for plain products is made at the first call, which no clock times.


class Claim:
    """A program in sparse rows, a point, and prices or a ray."""

    def __init__(self, program: LinearProgram, x: Vector, y: Vector) -> None:
        self.program, self.x, self.y = program, x, y

    @cached_property
    def sizes(self) -> scipy.sparse.csr_array:
        """The entries without their signs."""
        return abs(self.program.A)


def _sparse(rows: int, columns: int, rng: np.random.Generator) -> scipy.sparse.csr_array:
    """Return a matrix with about eight entries in a row."""
    indices = rng.integers(0, columns, 8 * rows)
    A = scipy.sparse.csr_array((rng.standard_normal(8 * rows), indices, np.arange(0, 8 * rows + 1, 8)), (rows, columns))
    A.sum_duplicates()
    return A


def _optimum(size: int) -> Claim:
    """Return a program that was made for its optimum: of each price and its slack one is 0."""
    rng = np.random.default_rng(0)
    m = size // 2
    A = _sparse(m, size, rng)
    x = rng.random(size) * (rng.random(size) < 0.4)
    y = rng.random(m) * (rng.random(m) < 0.5)
    c = A.T @ y + rng.random(size) * (x == 0.0)
    return Claim(LinearProgram(c, A, row_lower=A @ x - rng.random(m) * (y == 0.0)), x, y)


def _plain_optimum(claim: Claim) -> tuple[float, ...]:
    """Evaluate the certificate; that no weight of a row leans on an infinite side is known here."""
    program, x, y, A, sizes = claim.program, claim.x, claim.y, claim.program.A, claim.sizes
    activity, combined = A @ x, A.T @ y
    row_error = np.maximum(program.row_lower - activity, activity - program.row_upper) / (1.0 + sizes @ np.abs(x))
    bound_error = np.maximum(program.lower - x, x - program.upper) / (1.0 + np.abs(x))
    side = np.where(y > 0.0, program.row_lower, np.where(y < 0.0, program.row_upper, 0.0))
    z = program.c - combined
    bound = np.where(z > 0.0, program.lower, np.where(z < 0.0, program.upper, 0.0))
    wrong = np.where(np.isinf(bound), np.abs(z), 0.0) / (1.0 + np.abs(program.c) + sizes.T @ np.abs(y))
    z, bound = np.where(np.isinf(bound), 0.0, z), np.where(np.isinf(bound), 0.0, bound)
    primal, dual = program.c @ x, y @ side + z @ bound
    scale = 1.0 + max(abs(primal), abs(dual))
    product = max(np.abs(y * (activity - side)).max(), np.abs(z * (x - bound)).max())
    return (
        float(primal),
        float(dual),
        max(float(row_error.max()), float(bound_error.max()), 0.0),
        float(wrong.max()),
        float((primal - dual) / scale),
        float(product / scale),
    )


def _same_numbers(_: Claim, ours: Certificate, theirs: tuple[float, ...]) -> Agreement:
    values = ours.objective, ours.dual_objective, ours.primal_infeasibility, ours.dual_infeasibility, ours.gap
    mine = np.array([*values, ours.complementarity], dtype=np.float64)
    difference = float((np.abs(mine - theirs) / (1.0 + np.abs(theirs))).max())
    return Agreement(ours.holds() and difference <= 1e-12, f"largest difference {difference:.1e}")


class Rays(NamedTuple):
    """A program without a feasible point, and one without an optimum."""

    infeasible: Claim
    unbounded: Claim


def _rays(size: int) -> Rays:
    """Return rows that contradict each other in pairs, and columns that cancel in pairs."""
    rng = np.random.default_rng(0)
    m = size // 2
    A, b, weights = _sparse(m, size, rng), rng.standard_normal(m), rng.random(m)
    low, high = np.full(2 * m, -np.inf), np.full(2 * m, np.inf)
    high[:m], low[m:] = b, b + 1.0
    contradiction = LinearProgram(np.ones(size), scipy.sparse.vstack([A, A], format="csr"), low, high)
    A = _sparse(m, m, rng)
    endless = LinearProgram(-rng.random(2 * m), scipy.sparse.hstack([A, -A], format="csr"), row_upper=rng.random(m))
    return Rays(
        Claim(contradiction, np.zeros(size), np.concatenate([-weights, weights])),
        Claim(endless, np.zeros(2 * m), np.concatenate([weights, weights])),
    )


def _our_rays(rays: Rays) -> tuple[Certificate, Certificate]:
    nowhere, endless = rays
    return certify_infeasible(nowhere.program, nowhere.y), certify_unbounded(endless.program, endless.x, endless.y)


def _plain_rays(rays: Rays) -> tuple[float, ...]:
    """Evaluate error and margin of either ray, as it is."""
    claim, program, ray = rays.infeasible, rays.infeasible.program, rays.infeasible.y
    combined, terms = program.A.T @ ray, claim.sizes.T @ np.abs(ray)
    bound = np.where(combined > 0.0, program.upper, np.where(combined < 0.0, program.lower, 0.0))
    error = np.where(np.isinf(bound), np.abs(combined), 0.0) / np.where(terms > 0.0, terms, 1.0)
    demanded = ray * np.where(ray > 0.0, program.row_lower, program.row_upper)
    allowed = np.where(np.isinf(bound), 0.0, combined * np.where(np.isinf(bound), 0.0, bound))
    margin = (demanded.sum() - allowed.sum()) / (np.abs(demanded).sum() + np.abs(allowed).sum())

    claim, program, ray = rays.unbounded, rays.unbounded.program, rays.unbounded.y
    activity, change, terms = program.A @ claim.x, program.A @ ray, claim.sizes @ np.abs(ray)
    row_error = np.maximum(program.row_lower - activity, activity - program.row_upper)
    row_error /= 1.0 + claim.sizes @ np.abs(claim.x)
    into = (change > 0.0) & np.isfinite(program.row_upper) | (change < 0.0) & np.isfinite(program.row_lower)
    errors = np.where(into, np.abs(change), 0.0) / np.where(terms > 0.0, terms, 1.0), row_error
    return (
        float(margin),
        float(-(program.c @ ray) / (np.abs(program.c) @ np.abs(ray))),
        float(error.max()),
        float(errors[0].max()),
        float(errors[1].max()),
    )


def _same_rays(_: Rays, ours: tuple[Certificate, Certificate], theirs: tuple[float, ...]) -> Agreement:
    margins = [certificate.margin or 0.0 for certificate in ours]
    difference = max(abs(a - b) for a, b in zip(margins, theirs, strict=False))
    proved = all(certificate.holds(1e-12) for certificate in ours) and max(theirs[2:]) <= 1e-12
    return Agreement(proved and difference <= 1e-9, f"margins differ by {difference:.1e}, all errors below 1e-12")


# Ranges.


class Blend(NamedTuple):
    """A blend of materials at least cost, for us and for HiGHS."""

    program: LinearProgram
    highs: Any


def _blend(rows: int) -> Blend:
    rng = np.random.default_rng(0)
    A = rng.random((rows, 2 * rows)) + 0.05
    c = A.T @ rng.random(rows) + rng.random(2 * rows)
    program = LinearProgram(c, A, row_lower=A @ rng.random(2 * rows))
    return Blend(program, _for_highs(program) if RANGES.installed else None)


def _for_highs(program: LinearProgram) -> Any:
    highspy = import_module("highspy")
    lp, A = highspy.HighsLp(), program.A.tocsc()
    lp.num_row_, lp.num_col_ = A.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.c, program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = A.indptr, A.indices, A.data
    return lp


def _our_ranges(blend: Blend) -> tuple[LinearProgramResult, Ranging]:
    result = blend.program.solve()
    return result, blend.program.ranging(result)


def _highs_ranges(blend: Blend) -> tuple[Vector, Vector]:
    """Return the ranges of the costs, and those of the sides at which the rows stand."""
    solver = import_module("highspy").Highs()
    for option, value in {"output_flag": False, "solver": "simplex", "threads": 1}.items():
        solver.setOptionValue(option, value)
    solver.passModel(blend.highs)
    solver.run()
    _, ranges = solver.getRanging()
    n = blend.program.c.size
    return (
        np.column_stack([ranges.col_cost_dn.value_[:n], ranges.col_cost_up.value_[:n]]),
        np.column_stack([ranges.row_bound_dn.value_, ranges.row_bound_up.value_]),
    )


RANGES = Peer("HiGHS, with ranging", "highspy", _highs_ranges)


def _same_ranges(blend: Blend, ours: tuple[LinearProgramResult, Ranging], theirs: tuple[Vector, Vector]) -> Agreement:
    result, ranges = ours
    m, n = blend.program.rows.shape
    standing = np.setdiff1d(np.arange(m), result.basis - n)
    mine = np.concatenate([ranges.costs, ranges.row_lower[standing]]).ravel()
    other = np.concatenate([theirs[0], theirs[1][standing]]).ravel()
    finite = np.isfinite(mine)
    same = np.array_equal(mine[~finite], other[~finite])
    mine, other = mine[finite], other[finite]
    difference = float((np.abs(mine - other) / (1.0 + np.abs(other))).max())
    return Agreement(same and difference <= 1e-6, f"{mine.size} ends, largest difference {difference:.1e}")


SPARSE = (1_000, 10_000, 100_000)

CASES = (
    Case(
        "duality",
        "prices of nutrients",
        "foods",
        (20, 45, 77),
        _market,
        _solve_dual,
        (
            Peer("SciPy HiGHS, the dual", "scipy", _scipy_dual),
            Peer("SciPy HiGHS, marginals", "scipy", _scipy_marginals),
        ),
        _same_prices,
        note="Ours writes the dual down and solves it; SciPy has it written already, or solves the diet itself.",
        story=Story(
            "What is a gram of calcium worth to someone who is fed at least cost?",
            77,
            "Stigler's table of 1945, prices of August 1939",
            _tell_prices,
            _prove_prices,
        ),
    ),
    Case(
        "duality",
        "checking an optimum",
        "unknowns",
        SPARSE,
        _optimum,
        lambda claim: certify_optimum(claim.program, claim.x, claim.y),
        (Peer("SciPy sparse products", "scipy", _plain_optimum),),
        _same_numbers,
        note="Half as many rows as unknowns, eight entries in a row. SciPy has the entries without their signs ready.",
    ),
    Case(
        "duality",
        "checking two rays",
        "unknowns",
        SPARSE,
        _rays,
        _our_rays,
        (Peer("SciPy sparse products", "scipy", _plain_rays),),
        _same_rays,
        note="SciPy evaluates each ray once, as it is. Ours looks for the best proof in it, without its smallest "
        "weights and with the other sign: twelve evaluations in all.",
    ),
    Case(
        "duality",
        "solving, with ranges of all numbers",
        "rows",
        (10, 30, 90),
        _blend,
        _our_ranges,
        (RANGES,),
        _same_ranges,
        note="m rows, 2 m unknowns, dense. Ours computes the ranges with NumPy, one after the other, which takes most "
        "of the time of a small program. HiGHS reads the program anew each time.",
    ),
)
