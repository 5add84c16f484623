"""Cases of the simplex method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from importlib import import_module
from typing import Any, get_args

import numpy as np
import scipy.optimize
import scipy.sparse

from smlib._core.csr import MatrixLike
from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.datasets.diets import stigler_diet
from smlib.optim import LinearProgramResult, linprog
from smlib.optim.linear_programming import Pricing

DAYS = 365
# What Stigler came to by trial, in dollars a year, and the least that it can be.
BY_TRIAL, PUBLISHED = 39.93, 39.66
# The quickest rule on dense programs, by a little: fewer steps than devex, and each takes longer.
QUICKEST: Pricing = "steepest"


class Program:
    """Minimise ``c @ x`` over ``x >= 0``, with inequalities ``A x <= b``, or with equations."""

    def __init__(self, c: Vector, A: MatrixLike, b: Vector, *, equations: bool = False) -> None:
        self.c = c
        names = ("A_eq", "b_eq") if equations else ("A_ub", "b_ub")
        self.rows: dict[str, Any] = dict(zip(names, (A, b), strict=True))

    @cached_property
    def for_quantecon(self) -> dict[str, Vector]:
        """The same, dense and as a maximisation: made at the first call, which no clock times."""
        dense = {name: rows.toarray() if scipy.sparse.issparse(rows) else rows for name, rows in self.rows.items()}
        return {"c": -self.c, **dense}


def _ours(program: Program, pricing: Pricing = QUICKEST) -> LinearProgramResult:
    return linprog(program.c, **program.rows, pricing=pricing)


def _scipy(program: Program, method: str = "highs-ds") -> float:
    result = scipy.optimize.linprog(program.c, **program.rows, method=method)
    return float(result.fun) if result.success else np.nan


def _quantecon(program: Program) -> float:
    result = import_module("quantecon.optimize").linprog_simplex(**program.for_quantecon, max_iter=10**6)
    return -float(result.fun) if result.success else np.nan


HIGHS = Peer("SciPy HiGHS, dual simplex", "scipy", _scipy)
QUANTECON = Peer("quantecon linprog_simplex", "quantecon", _quantecon)


def _same_optimum(_: Program, ours: LinearProgramResult, theirs: float) -> Agreement:
    if ours.fun is None:
        return Agreement(False, ours.message)
    difference = abs(ours.fun - theirs) / abs(theirs)
    return Agreement(
        ours.certificate.holds() and difference <= 1e-8, f"objectives differ by {difference:.1e}, ours is proved"
    )


# Stigler's diet.


def _cheapest_diet(size: int) -> Program:
    diet = stigler_diet()
    contents = diet.contents[:size]
    return Program(np.ones(size), np.ascontiguousarray(-contents.T), -diet.requirements)


def _tell_diet(_: Program, result: LinearProgramResult) -> Sequence[str]:
    diet, dollars = stigler_diet(), DAYS * np.asarray(result.x)
    bought = [j for j in np.argsort(-dollars) if dollars[j] > 1e-9]
    return [
        f"{dollars.sum():.2f} dollars a year, {100.0 * dollars.sum() / DAYS:.2f} cents a day, for {len(bought)} foods; "
        f"Stigler came to {BY_TRIAL} by trial",
        *(
            f"{dollars[j]:5.2f} dollars of {diet.foods[j].lower()}: {100.0 * dollars[j] / diet.prices[j]:.1f} "
            f"times {diet.units[j]}"
            for j in bought
        ),
    ]


def _prove_diet(_: Program, result: LinearProgramResult) -> Mapping[str, bool]:
    diet, x = stigler_diet(), np.asarray(result.x)
    shares = x @ diet.contents / diet.requirements
    just = [name for name, share in zip(diet.nutrients, shares, strict=True) if share < 1.0 + 1e-9]
    year = DAYS * x.sum()
    return {
        f"{PUBLISHED} dollars a year, as published": round(year, 2) == PUBLISHED,
        f"the certificate holds to 1e-9: no diet costs less than {DAYS * result.certificate.dual_objective:.6f} dollars"
        if result.certificate.dual_objective is not None
        else "there is a certificate": result.certificate.holds(1e-9),
        f"every nutrient is met, {len(just)} of them just so: {', '.join(just)}": bool(
            shares.min() >= 1.0 - 1e-9 and x.min() >= 0.0
        ),
    }


# Dense programs.


def _normal(rows: int) -> Program:
    """Entries of both signs; a feasible point and feasible prices are known, so that there is an optimum."""
    n = 2 * rows
    rng = np.random.default_rng(0)
    A = rng.standard_normal((rows, n))
    point = rng.random(n)
    b = np.abs(A @ point + 2.0 * rng.random(rows)) + 0.1
    prices = rng.random(rows)
    return Program(rng.random(n) - A.T @ prices, A, b)


def _uniform(rows: int, seed: int = 0) -> Program:
    """Entries between 0.05 and 1.05: products made of resources."""
    n = 2 * rows
    rng = np.random.default_rng(seed)
    A = rng.random((rows, n)) + 0.05
    b = A.sum(axis=1) * rng.random(rows) + 1.0
    return Program(-(rng.random(n) + 0.5), A, b)


def _twenty(rows: int) -> list[Program]:
    return [_uniform(rows, seed) for seed in range(20)]


def _same_optima(programs: list[Program], ours: list[LinearProgramResult], theirs: list[float]) -> Agreement:
    agreements = [_same_optimum(*each) for each in zip(programs, ours, theirs, strict=True)]
    wrong = [agreement for agreement in agreements if not agreement.ok]
    return wrong[0] if wrong else Agreement(True, f"{len(agreements)} optima, the same to 1e-8, ours are proved")


# Programs with equations, where no feasible point is known to begin with.


def _transport(places: int, *, units: bool = False) -> Program:
    """As many sources as customers: all that the sources have goes to the customers, who want as much.

    With ``units``, each source has one unit, and each customer wants one: the assignment problem.
    """
    rng = np.random.default_rng(0)
    costs = rng.integers(1, 100, places * places).astype(np.float64)
    amounts = rng.integers(1, 20, places)
    cuts = np.sort(rng.choice(amounts.sum() - 1, places - 1, replace=False) + 1)
    wanted = np.diff(cuts, prepend=0, append=amounts.sum())
    one, each = np.ones((1, places)), scipy.sparse.eye_array(places)
    rows = scipy.sparse.vstack([scipy.sparse.kron(each, one), scipy.sparse.kron(one, each)], format="csr")
    sides = np.ones(2 * places) if units else np.concatenate([amounts, wanted]).astype(np.float64)
    return Program(costs, rows, sides, equations=True)


# Programs that have no optimum.


def _hopeless(rows: int) -> tuple[Program, Program]:
    """Return a program whose rows contradict each other, and one whose objective has no limit."""
    n = 2 * rows
    rng = np.random.default_rng(0)
    A, weights = rng.standard_normal((rows, n)), rng.random(rows) + 0.1
    A += np.outer(weights, rng.random(n) - weights @ A) / (weights @ weights)
    b = rng.standard_normal(rows)
    b -= weights * (weights @ b + 1.0) / (weights @ weights)
    contradiction = Program(rng.random(n), A, b)

    A, ray = rng.standard_normal((rows, n)), rng.random(n) + 0.1
    A -= np.outer(A @ ray + rng.random(rows), ray) / (ray @ ray)
    return contradiction, Program(-rng.random(n), A, rng.random(rows) + 0.1)


def _scipy_statuses(programs: tuple[Program, Program]) -> list[int]:
    return [int(scipy.optimize.linprog(program.c, **program.rows, method="highs-ds").status) for program in programs]


def _quantecon_statuses(programs: tuple[Program, Program]) -> list[int]:
    simplex = import_module("quantecon.optimize").linprog_simplex
    return [int(simplex(**program.for_quantecon, max_iter=10**6).status) for program in programs]


def _same_statuses(_: Any, ours: list[LinearProgramResult], theirs: list[int]) -> Agreement:
    proved = all(result.certificate.holds() for result in ours)
    statuses = [result.status for result in ours]
    return Agreement(proved and statuses == [2, 3] == theirs, f"status {statuses} and {theirs}, ours are proved")


DENSE = (100, 200, 500)

CASES = (
    Case(
        "tableau",
        "Stigler's diet",
        "foods",
        (20, 45, 77),
        _cheapest_diet,
        _ours,
        (HIGHS, QUANTECON),
        _same_optimum,
        note="quantecon solves, and says no more than that; ours also proves its answer, on numbers that it has proved "
        "to be finite. That takes most of the time of a program as small as this.",
        story=Story(
            "What is the cheapest diet that keeps a man alive and well?",
            77,
            "Stigler's table of 1945, prices of August 1939",
            _tell_diet,
            _prove_diet,
        ),
    ),
    Case(
        "tableau",
        "dense programs, entries of both signs",
        "rows",
        DENSE,
        _normal,
        _ours,
        (QUANTECON, HIGHS),
        _same_optimum,
        note="m rows, 2 m unknowns; ours prices by steepest edge. HiGHS is made for sparse programs, and goes the dual "
        "way.",
    ),
    Case(
        "tableau",
        "dense programs, positive entries",
        "rows",
        DENSE,
        _uniform,
        _ours,
        (QUANTECON, HIGHS),
        _same_optimum,
        note="m rows, 2 m unknowns. A handful of steps are enough, so that most of our time goes into reading the "
        "matrix, proving it finite, and the certificate.",
    ),
    Case(
        "tableau",
        "20 small programs",
        "rows",
        (2, 3, 5),
        _twenty,
        lambda programs: [_ours(program) for program in programs],
        (
            Peer("SciPy linprog", "scipy", lambda programs: [_scipy(program, "highs") for program in programs]),
            Peer("quantecon linprog_simplex", "quantecon", lambda programs: [_quantecon(each) for each in programs]),
        ),
        _same_optima,
        note="m rows, 2 m unknowns. quantecon is compiled code from the call to the return, without any check of its "
        "arguments or its answer.",
    ),
    Case(
        "tableau",
        "transport plans",
        "sources",
        (10, 20, 40),
        _transport,
        _ours,
        (HIGHS, QUANTECON),
        _same_optimum,
        note="As many customers as sources, an equation for each, an unknown for each pair; no point is known to begin "
        "with.",
    ),
    *(
        Case(
            "tableau",
            f"assignment by {rule}",
            "workers",
            (8, 16, 32),
            partial(_transport, units=True),
            partial(_ours, pricing=rule),
            (HIGHS, QUANTECON),
            _same_optimum,
            note="The same programs for every rule. Many steps have length 0, so that bounds are perturbed. Bland's "
            "rule takes many more steps than the others, and greatest tries every column at every step.",
        )
        for rule in get_args(Pricing)
    ),
    Case(
        "tableau",
        "programs without an optimum",
        "rows",
        (10, 40, 160),
        _hopeless,
        lambda programs: [_ours(program) for program in programs],
        (
            Peer("SciPy HiGHS, dual simplex", "scipy", _scipy_statuses),
            Peer("quantecon linprog_simplex", "quantecon", _quantecon_statuses),
        ),
        _same_statuses,
        note="One that is infeasible and one that is unbounded: ours returns a ray that proves it, the peers a status.",
    ),
)
