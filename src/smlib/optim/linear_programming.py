"""Solving linear programs: a method, its answer, and the proof that comes with it.

A solver calculates in units of its own, with tolerances of its own, and may be wrong. So it is not asked whether its
answer is right. Whatever it returns, a certificate is computed from the program as stated, and only what that proves is
said:

========  ============================  =============================================================================
status    means                         and is said only if
========  ============================  =============================================================================
0         optimal                       point and prices violate nothing, and there is no gap between them
1         limit on iterations reached
2         infeasible                    a Farkas ray contradicts the rows, or two bounds cross
3         unbounded                     a feasible point, and a ray along which the objective improves without end
4         numerical trouble             none of these could be proved: the best point, and by how much it fails
========  ============================  =============================================================================

If the certificate fails, the method goes on from where it stands with a tolerance a hundred times smaller,
twice at most.

Cost: that of the method, see `smlib.optim.tableau`; the certificate takes O(entries).

Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, chapters 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.csr import MatrixLike
from smlib._core.results import CONVERGED, DIVERGED, INFEASIBLE, ITERATION_LIMIT, NUMERICAL_TROUBLE, Result
from smlib._core.validate import Vector, as_count, as_number
from smlib.errors import InputError
from smlib.optim.duality.certificates import Certificate, certify_optimum
from smlib.optim.duality.rays import certify_infeasible, certify_unbounded
from smlib.optim.linear_program import LinearProgram
from smlib.optim.tableau.pivoting import BEST, UNLIMITED, Tableau
from smlib.optim.tableau.pricing import BLAND, DANTZIG, DEVEX, GREATEST, STEEPEST
from smlib.optim.tableau.scaling import ScaledProgram, scale
from smlib.optim.tableau.two_phases import COUNTERS, STEPS, STOPPED, Answer, advance, answer, begin

Pricing = Literal["devex", "dantzig", "bland", "steepest", "greatest"]

RULES: dict[str, int] = {
    "devex": DEVEX,
    "dantzig": DANTZIG,
    "bland": BLAND,
    "steepest": STEEPEST,
    "greatest": GREATEST,
}

# The tolerances that are tried, as shares of `rtol`, and the smallest one: below lies what values are rounded by.
TIGHTER = (1.0, 1e-2, 1e-4)
TIGHTEST = 1e-12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Marginals(Result):
    """How far limits are from being reached, and what the optimal objective changes by when they are moved.

    Attributes
    ----------
    residual : ndarray
        The distance to each limit: negative where it is violated, infinite where there is none.
    marginals : ndarray
        The derivative of the optimal objective, as stated, by each limit.
    """

    residual: Vector
    marginals: Vector


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LinearProgramResult(Result):
    """The answer to a linear program, and the proof. The names are those of ``scipy.optimize.linprog``.

    Attributes
    ----------
    x : ndarray, shape (n,), or None
        The optimal point; for status 1 and 4 the last one, for 3 a feasible one. None where the program is infeasible.
    fun : float or None
        The objective at ``x``, as stated. None where there is no optimum.
    success : bool
        Whether the certificate proves that ``x`` is optimal, to ``rtol``.
    status : int
        0 optimal, 1 limit on iterations reached, 2 infeasible, 3 unbounded, 4 numerical trouble.
    message : str
        The same in words.
    nit : int
        Steps of the simplex method.
    certificate : Certificate
        The proof, computed from the program as stated, or by how much it fails.
    basis : ndarray of int, shape (m,)
        The basic unknowns (0 to n - 1) and the basic rows (n + i for row i).
    y : ndarray, shape (m,), or None
        The prices of all rows, in the order of the program.
    ray : ndarray or None
        The Farkas ray of an infeasible program, shape (m,), None if two bounds cross; the direction of an unbounded
        one, shape (n,).
    slack : ndarray or None
        By how much each row that is no equation is away from its nearer side.
    con : ndarray or None
        By how much each row that is an equation falls short of its side.
    ineqlin, eqlin : Marginals or None
        The same two, with the prices of these rows.
    lower, upper : Marginals or None
        The same of the bounds of the unknowns. Positive reduced costs belong to the lower bounds, negative ones to the
        upper bounds (of a maximisation the other way round).
    """

    x: Vector | None
    fun: float | None
    success: bool
    status: int
    message: str
    nit: int
    certificate: Certificate
    basis: NDArray[np.int64]
    y: Vector | None = None
    ray: Vector | None = None
    slack: Vector | None = None
    con: Vector | None = None
    ineqlin: Marginals | None = None
    eqlin: Marginals | None = None
    lower: Marginals | None = None
    upper: Marginals | None = None


def linprog(
    c: ArrayLike,
    A_ub: MatrixLike | None = None,
    b_ub: ArrayLike | None = None,
    A_eq: MatrixLike | None = None,
    b_eq: ArrayLike | None = None,
    bounds: Any = (0, None),
    *,
    method: Literal["tableau"] = "tableau",
    pricing: Pricing = "devex",
    maxiter: int | None = None,
    rtol: float = 1e-9,
    callback: Callable[[LinearProgramResult], Any] | None = None,
) -> LinearProgramResult:
    """Minimise ``c @ x`` subject to ``A_ub x <= b_ub``, ``A_eq x = b_eq`` and bounds of ``x``.

    Parameters
    ----------
    c : array_like, shape (n,)
        Costs.
    A_ub, b_ub : array_like or sparse matrix, shape (k, n), and array_like, shape (k,), optional
        The inequalities.
    A_eq, b_eq : array_like or sparse matrix, shape (l, n), and array_like, shape (l,), optional
        The equations.
    bounds : pair, or sequence of n pairs, or array of shape (n, 2)
        The least and the largest value of each unknown, or one pair for all. None means that there is no bound. Without
        bounds, no unknown is negative.
    method : {"tableau"}
        The simplex method on a dense tableau, see `smlib.optim.tableau`.
    pricing : {"devex", "dantzig", "bland", "steepest", "greatest"}
        How the next column is chosen, see `smlib.optim.tableau.pricing`.
    maxiter : int, optional
        The limit on steps; 50 for each row and unknown, and 1000 more, if not given.
    rtol : float
        What any error of the certificate may be, relative to what was added up. Between 1e-12 and 1e-3.
    callback : callable, optional
        Called after every step with a `LinearProgramResult` of status 1, whose certificate says how far from optimal
        the point is.

    Returns
    -------
    LinearProgramResult

    Raises
    ------
    InputError
        Shapes do not fit, NaN, infinite costs or sides, an unknown ``method`` or ``pricing``.

    Notes
    -----
    Complexity: O(m n) a step for m rows and n unknowns; mostly m to 3 m steps.

    References
    ----------
    SciPy, ``scipy.optimize.linprog``; Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, chapter 3.

    Examples
    --------
    >>> result = linprog([-5, -4], A_ub=[[6, 4], [2, 3]], b_ub=[120, 60])
    >>> result.x.round(9), round(result.fun, 9)
    (array([12., 12.]), -108.0)
    >>> result.ineqlin.marginals.round(9)
    array([-0.7, -0.4])
    >>> result.certificate.holds()
    True
    """
    program = LinearProgram.from_arrays(c, A_ub, b_ub, A_eq, b_eq, bounds)
    return solve(program, method=method, pricing=pricing, maxiter=maxiter, rtol=rtol, callback=callback)


def solve(
    program: LinearProgram,
    *,
    method: str = "tableau",
    pricing: str = "devex",
    maxiter: int | None = None,
    rtol: float = 1e-9,
    callback: Callable[[LinearProgramResult], Any] | None = None,
) -> LinearProgramResult:
    """Solve a program; the arguments are those of `linprog`."""
    m, n = program.rows.shape
    if method != "tableau":
        raise InputError(f"method is {method!r}; it must be 'tableau'")
    rule = rule_of(pricing)
    limit = 50 * (m + n) + 1000 if maxiter is None else as_count(maxiter, "maxiter")
    rtol = as_number(rtol, "rtol")
    if not 1e-12 <= rtol <= 1e-3:
        raise InputError(f"rtol is {rtol}; it must lie between 1e-12 and 1e-3")

    scaled = scale_program(program)
    tableau = begin(scaled)
    counters = np.zeros(COUNTERS, np.int64)
    if bounds_cross(program):
        certificate = certify_infeasible(program)
        if certificate.holds(rtol):
            return _result(program, tableau, counters, INFEASIBLE, certificate, None)
    tried: list[tuple[int, Certificate, Answer]] = []
    for share in TIGHTER:
        tolerance = max(rtol * share, TIGHTEST)
        what, column = _walk(program, scaled, tableau, counters, rule, tolerance, limit, callback)
        found = answer(scaled, tableau, column, tolerance)
        status, certificate = _prove(program, found, what, rtol)
        if status != NUMERICAL_TROUBLE:
            return _result(program, tableau, counters, status, certificate, found)
        tried.append((status, certificate, found))
    best = min(tried, key=lambda a_try: float(np.nan_to_num(a_try[1].largest_error(), nan=np.inf)))
    return _result(program, tableau, counters, *best)


def rule_of(pricing: str) -> int:
    """Return the number of a pricing rule; InputError if there is none of that name."""
    if pricing not in RULES:
        raise InputError(f"pricing is {pricing!r}; it must be one of {', '.join(RULES)}")
    return RULES[pricing]


def scale_program(program: LinearProgram) -> ScaledProgram:
    """Return a program as the method takes it: a minimisation in units of its own."""
    indptr, indices, data, _ = program.rows
    sides = program.row_lower, program.row_upper, program.lower, program.upper
    return scale(indptr, indices, data, program.c, *sides, -1.0 if program.maximize else 1.0)


def bounds_cross(program: LinearProgram) -> bool:
    """Return whether a lower bound lies above its upper one."""
    return bool((program.lower > program.upper).any() or (program.row_lower > program.row_upper).any())


def _walk(
    program: LinearProgram,
    scaled: ScaledProgram,
    tableau: Tableau,
    counters: NDArray[np.int64],
    rule: int,
    tolerance: float,
    limit: int,
    callback: Callable[[LinearProgramResult], Any] | None,
) -> tuple[int, int]:
    """Take steps to the end, or one at a time if somebody watches."""
    if callback is None:
        return advance(scaled, tableau, counters, rule, tolerance, limit)
    while True:
        before = counters[STEPS]
        what, column = advance(scaled, tableau, counters, rule, tolerance, min(limit, int(before) + 1))
        if counters[STEPS] > before:
            found = answer(scaled, tableau, -1, tolerance)
            certificate = certify_optimum(program, found.x, _as_stated(program, found.prices))
            callback(_result(program, tableau, counters, ITERATION_LIMIT, certificate, found))
        if what != STOPPED or counters[STEPS] >= limit:
            return what, column


def _prove(program: LinearProgram, found: Answer, what: int, rtol: float) -> tuple[int, Certificate]:
    """Return what can be said, and its certificate."""
    if what == BEST and not found.feasible:
        certificate = certify_infeasible(program, found.prices)
        if certificate.holds(rtol):
            return INFEASIBLE, certificate
    if what == UNLIMITED and found.feasible:
        certificate = certify_unbounded(program, found.x, found.direction)
        if certificate.holds(rtol):
            return DIVERGED, certificate
    certificate = certify_optimum(program, found.x, _as_stated(program, found.prices))
    if certificate.holds(rtol):
        return CONVERGED, certificate
    return ITERATION_LIMIT if what == STOPPED else NUMERICAL_TROUBLE, certificate


def _as_stated(program: LinearProgram, values: Vector) -> Vector:
    """Return derivatives of the objective as stated, given those of the minimisation."""
    return -values if program.maximize else values


MESSAGES = {
    CONVERGED: "optimal: the certificate proves it",
    ITERATION_LIMIT: "the limit on iterations was reached: the certificate says how far x is from optimal",
    INFEASIBLE: "infeasible: the certificate proves that no point meets all rows and bounds",
    DIVERGED: "unbounded: the certificate's ray improves the objective without end",
    NUMERICAL_TROUBLE: "numerical trouble: nothing could be proved, the certificate says how far x is from optimal",
}


def _result(
    program: LinearProgram,
    tableau: Tableau,
    counters: NDArray[np.int64],
    status: int,
    certificate: Certificate,
    found: Answer | None,
) -> LinearProgramResult:
    said = status, MESSAGES[status], int(counters[STEPS]), certificate, tableau.basic.copy()
    if found is None or status == INFEASIBLE:
        return LinearProgramResult(None, None, False, *said, ray=certificate.ray)
    x, y, z = found.x, _as_stated(program, found.prices), _as_stated(program, found.reduced)
    slack = np.minimum(program.row_upper - found.activity, found.activity - program.row_lower)
    equation = program.row_lower == program.row_upper
    con, ineqlin, eqlin = slack[:0], y, y[:0]
    if equation.any():
        con, eqlin = (program.row_lower - found.activity)[equation], y[equation]
        slack, ineqlin = slack[~equation], y[~equation]
    if status == DIVERGED:
        return LinearProgramResult(x, None, False, *said, ray=certificate.ray, slack=slack, con=con)
    gains, losses = np.maximum(z, 0.0), np.minimum(z, 0.0)
    return LinearProgramResult(
        x,
        certificate.objective,
        status == CONVERGED,
        *said,
        y=y,
        slack=slack,
        con=con,
        ineqlin=Marginals(slack, ineqlin),
        eqlin=Marginals(con, eqlin),
        lower=Marginals(x - program.lower, losses if program.maximize else gains),
        upper=Marginals(program.upper - x, gains if program.maximize else losses),
    )
