"""Linear programs: an objective, rows with two sides, and columns with two bounds.

The problem. A dairy makes cheese and butter from 120 litres of milk and 60 hours of work. What should it make to earn
most? The unknowns are amounts, and everything that is said about them is a weighted sum: what a kilogram earns, how
much milk and work it takes. That is a linear program::

    minimise      c @ x + offset
    subject to    row_lower <= A x <= row_upper        one row a resource or a demand
                      lower <=  x  <= upper            one column an activity

This one form holds all others. An equation is a row whose two sides are equal, an inequality one with an infinite side,
a range one with two finite sides, and a free unknown has two infinite bounds. It is what solvers work on and what MPS
files say; SciPy's form (``A_ub x <= b_ub``, ``A_eq x = b_eq``) becomes it by putting the two matrices on top of each
other.

Maximisation is a word, not a sign: with ``maximize`` the numbers ``c`` and ``offset`` stay as they were stated, and the
objective is to become large. Prices of rows and reduced costs follow the same rule. They are derivatives of the
objective *as stated*: a row's price is what the optimal value changes by when its binding side rises by one.

A row or a column whose bounds cross (lower above upper) is no mistake of form: the program has no solution, and saying
so is the solver's work.

The dual. Every row that is added up with a weight gives a bound on the objective; looking for the best weights is
another linear program, with a column for every row and a row for every column. `LinearProgram.dual` writes it down, and
`smlib.optim.duality` tells what it is good for.

Invariants, checked by the tests:
  1. ``c``, ``A`` and ``offset`` are finite; no bound is NaN; no lower side is +infinity and no upper side -infinity.
  2. ``from_arrays`` means what SciPy's ``linprog`` means by the same arguments.
  3. The dual has the same optimum, and so has the dual of the dual.

Cost: O(entries) to prove a program and to write its dual.

Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, chapters 1 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from smlib._core.csr import CSRMatrix, MatrixLike, as_csr, stack_rows
from smlib._core.validate import Vector, as_floats, as_number, as_vector, require_finite
from smlib.errors import InputError
from smlib.optim.arrays import are_finite, as_flat, as_names, as_side, prove_numbers, split_bounds

if TYPE_CHECKING:
    from smlib.optim.duality.certificates import Certificate
    from smlib.optim.duality.sensitivity import Ranging
    from smlib.optim.linear_programming import LinearProgramResult


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class LinearProgram:
    """Minimise (or maximise) ``c @ x + offset`` subject to ``row_lower <= A x <= row_upper, lower <= x <= upper``.

    Parameters
    ----------
    c : array_like, shape (n,)
        What a unit of each unknown adds to the objective. Finite.
    A : array_like or any scipy.sparse matrix, shape (m, n)
        The rows. Real and finite.
    row_lower, row_upper : array_like, shape (m,), or float
        The sides of the rows; infinite where there is none. A number holds for all rows.
    lower, upper : array_like, shape (n,), or float
        The bounds of the unknowns, likewise; 0 and infinity if not given.
    offset : float
        The constant of the objective.
    maximize : bool
        Whether the objective is to become large. ``c`` and ``offset`` are as stated either way.
    name : str
    row_names, column_names : sequence of str, optional
        Names of the rows and of the unknowns, each used once.

    Attributes
    ----------
    rows : CSRMatrix
        The rows as kernels take them: ``indptr``, ``indices``, ``data`` and ``shape``. ``A`` is the same as a
        ``scipy.sparse.csr_array``; all other attributes are the parameters, as arrays.

    Raises
    ------
    InputError
        Shapes do not fit, NaN, an infinite cost, a lower side of +infinity, an upper side of -infinity, a name that is
        used twice. Bounds that cross are no error.

    Notes
    -----
    Arrays that are float64 already are shared, not copied: leave them alone.

    Complexity: O(n + m + entries).

    References
    ----------
    Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, section 1.1.

    Examples
    --------
    >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
    >>> dairy
    LinearProgram: maximise over 2 columns and 2 rows with 4 entries
    >>> dairy.objective([12, 12])
    108.0
    """

    c: Vector
    rows: CSRMatrix
    row_lower: Vector
    row_upper: Vector
    lower: Vector
    upper: Vector
    offset: float
    maximize: bool
    name: str
    row_names: tuple[str, ...] | None
    column_names: tuple[str, ...] | None
    _matrix: scipy.sparse.csr_array | None

    def __init__(
        self,
        c: ArrayLike,
        A: MatrixLike,
        row_lower: ArrayLike = -np.inf,
        row_upper: ArrayLike = np.inf,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        offset: float = 0.0,
        maximize: bool = False,
        name: str = "",
        row_names: Sequence[str] | None = None,
        column_names: Sequence[str] | None = None,
    ) -> None:
        rows = as_csr(A)
        m, n = rows.shape
        costs = as_floats(c, "c")
        if costs.shape != (n,):
            raise InputError(f"c has shape {costs.shape}, but shape ({n},) is needed to fit the matrix")
        sides = as_side(row_lower, "row_lower", m), as_side(row_upper, "row_upper", m)
        bounds = as_side(lower, "lower", n), as_side(upper, "upper", n)
        prove_numbers(costs, *sides, *bounds)
        values: dict[str, Any] = {
            "c": costs,
            "rows": rows,
            "row_lower": sides[0],
            "row_upper": sides[1],
            "lower": bounds[0],
            "upper": bounds[1],
            "offset": as_number(offset, "offset"),
            "maximize": bool(maximize),
            "name": str(name),
            "row_names": as_names(row_names, "row_names", m),
            "column_names": as_names(column_names, "column_names", n),
            "_matrix": None,
        }
        for field, value in values.items():
            object.__setattr__(self, field, value)

    @classmethod
    def from_arrays(
        cls,
        c: ArrayLike,
        A_ub: MatrixLike | None = None,
        b_ub: ArrayLike | None = None,
        A_eq: MatrixLike | None = None,
        b_eq: ArrayLike | None = None,
        bounds: Any = (0, None),
    ) -> LinearProgram:
        """Make the program that ``scipy.optimize.linprog`` understands by these arguments.

        Parameters
        ----------
        c : array_like, shape (n,)
            Costs; they are minimised.
        A_ub, b_ub : array_like or sparse matrix, shape (k, n), and array_like, shape (k,), optional
            ``A_ub x <= b_ub``: the first k rows of the program.
        A_eq, b_eq : array_like or sparse matrix, shape (l, n), and array_like, shape (l,), optional
            ``A_eq x = b_eq``: the other l rows.
        bounds : pair, or sequence of n pairs, or array of shape (n, 2)
            The least and the largest value of each unknown, or one pair for all. None and NaN mean that there is no
            bound. Without bounds, and for ``None`` as a whole, no unknown is negative.

        Returns
        -------
        LinearProgram

        Raises
        ------
        InputError
            As for the class; and for an infinite ``b_ub`` or ``b_eq``, or bounds of another shape.

        Notes
        -----
        ``c`` is shared where it is a float64 array already, and so is a sparse matrix that is the only one.

        Complexity: O(n + m + entries).

        References
        ----------
        SciPy, ``scipy.optimize.linprog``.

        Examples
        --------
        >>> program = LinearProgram.from_arrays([-1, 4], [[-3, 1], [1, 2]], [6, 4], bounds=[(None, None), (-3, None)])
        >>> program.row_upper, program.lower
        (array([6., 4.]), array([-inf,  -3.]))
        """
        costs = as_flat(c, "c")
        if costs.ndim != 1 or costs.size == 0:
            raise InputError(f"c has shape {costs.shape}; it must be a vector with at least one entry")
        above, most = _as_block(A_ub, b_ub, "A_ub", "b_ub", costs.size)
        rows, values = above, most[:0]
        if not (A_eq is None and b_eq is None):
            below, values = _as_block(A_eq, b_eq, "A_eq", "b_eq", costs.size)
            rows = stack_rows(above, below)
        row_lower, row_upper = np.empty(rows.shape[0]), np.empty(rows.shape[0])
        row_lower[: most.size] = -np.inf
        row_upper[: most.size] = most
        row_lower[most.size :] = row_upper[most.size :] = values
        return cls(costs, rows, row_lower, row_upper, *split_bounds(bounds, costs.size))

    @property
    def A(self) -> scipy.sparse.csr_array:  # noqa: N802  # the letter that everyone knows it by
        """The rows as SciPy's sparse array, on the same memory; made when it is first asked for."""
        if self._matrix is None:
            object.__setattr__(self, "_matrix", self.rows.to_scipy())
        return self._matrix

    def objective(self, x: ArrayLike) -> float:
        """Return ``c @ x + offset``, as stated."""
        return float(self.c @ as_vector(x, "x", self.c.size)) + self.offset

    def dual(self) -> LinearProgram:
        """Return the dual: a program with the same optimum, whose unknowns are the prices of this one's rows.

        Returns
        -------
        LinearProgram
            It maximises where this one minimises, and the other way round.

        Notes
        -----
        A bound of a column that is 0 is a rule of sign; any other finite bound is first written as a row of its own.
        With those rows added to ``A`` as ``M``, the dual of a minimisation is::

            maximise      b @ y + offset
            subject to    M' y <= c  where x >= 0,      M' y >= c  where x <= 0,      M' y = c  where x is free
                          y >= 0     for a lower side,  y <= 0     for an upper side, y free   for an equation

        with a column for each finite side, ``b`` being the sides; an equation has one, for both. Of a maximisation all
        inequalities are turned round. The columns come in this order: lower sides and equations, then upper sides,
        each in the order of the rows of ``M``.

        Complexity: O(entries).

        References
        ----------
        Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, section 4.2.

        Examples
        --------
        >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
        >>> prices = dairy.dual()
        >>> prices, prices.c, prices.row_lower
        (LinearProgram: minimise over 2 columns and 2 rows with 4 entries, array([120.,  60.]), array([5., 4.]))
        """
        not_negative = self.lower == 0.0
        not_positive = ~not_negative & (self.upper == 0.0)
        below = np.where(not_negative, -np.inf, self.lower)
        above = np.where(not_positive, np.inf, self.upper)
        bounded = np.flatnonzero(np.isfinite(below) | np.isfinite(above))
        rows = scipy.sparse.vstack([self.A, scipy.sparse.eye_array(self.c.size, format="csr")[bounded]], format="csr")
        low = np.concatenate([self.row_lower, below[bounded]])
        high = np.concatenate([self.row_upper, above[bounded]])

        equation = low == high
        first = np.flatnonzero(np.isfinite(low))
        second = np.flatnonzero(np.isfinite(high) & ~equation)
        least = np.concatenate([np.where(equation[first], -np.inf, 0.0), np.full(second.size, -np.inf)])
        most = np.concatenate([np.full(first.size, np.inf), np.zeros(second.size)])
        left = np.where(not_negative, -np.inf, self.c)
        right = np.where(not_positive, np.inf, self.c)
        if self.maximize:
            least, most = -most, -least
            left, right = np.where(not_positive, -np.inf, self.c), np.where(not_negative, np.inf, self.c)
        return LinearProgram(
            np.concatenate([low[first], high[second]]),
            rows[np.concatenate([first, second])].T.tocsr(),
            left,
            right,
            least,
            most,
            self.offset,
            not self.maximize,
            self.name,
            self.column_names,
        )

    def certify(self, result: Any) -> Certificate:
        """Check an answer against this program, whoever found it.

        Parameters
        ----------
        result : object
            With ``status`` as SciPy numbers it. For 0 (optimal) it has ``x``, and the prices of the rows as ``y`` or,
            as SciPy's, in ``ineqlin.marginals`` and ``eqlin.marginals``; for 2 (infeasible) a Farkas ``ray``; for 3
            (unbounded) ``x`` and ``ray``.

        Returns
        -------
        Certificate

        Raises
        ------
        InputError
            Another status, or shapes that do not fit.

        Notes
        -----
        Complexity: O(entries).

        References
        ----------
        Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, section 4.3.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> dairy = LinearProgram([5, 4], [[6, 4], [2, 3]], row_upper=[120, 60], maximize=True)
        >>> dairy.certify(SimpleNamespace(status=0, x=[12, 12], y=[0.7, 0.4])).holds()
        True
        """
        from smlib.optim.duality.certificates import certify_optimum
        from smlib.optim.duality.rays import certify_infeasible, certify_unbounded

        if result.status == 0:
            y = getattr(result, "y", None)
            if y is None:
                y = np.concatenate([result.ineqlin.marginals, result.eqlin.marginals])
            return certify_optimum(self, result.x, y)
        if result.status == 2:
            return certify_infeasible(self, result.ray)
        if result.status == 3:
            return certify_unbounded(self, result.x, result.ray)
        raise InputError(
            f"status is {result.status}: only 0 (optimal), 2 (infeasible) and 3 (unbounded) claim anything"
        )

    def solve(self, **options: Any) -> LinearProgramResult:
        """Solve the program; the options are those of `smlib.optim.linprog`, and everything is as stated here."""
        from smlib.optim.linear_programming import solve

        return solve(self, **options)

    def ranging(self, result: Any) -> Ranging:
        """Return `smlib.optim.ranging` of this program at ``result.x`` and ``result.basis``."""
        from smlib.optim.duality.sensitivity import ranging

        return ranging(self, result.x, result.basis)

    def __repr__(self) -> str:
        verb = "maximise" if self.maximize else "minimise"
        title = f"LinearProgram {self.name}".rstrip()
        m, n = self.rows.shape
        return f"{title}: {verb} over {n} columns and {m} rows with {self.rows.data.size} entries"


def _as_block(A: MatrixLike | None, b: ArrayLike | None, A_name: str, b_name: str, n: int) -> tuple[CSRMatrix, Vector]:
    """Return a matrix and its right-hand side, in one of the two pairs that SciPy takes."""
    block: Any = np.empty((0, n)) if A is None else A
    block = as_csr(block, A_name) if isinstance(A, CSRMatrix) or scipy.sparse.issparse(A) else as_floats(block, A_name)
    if len(block.shape) != 2 or block.shape[1] != n:
        raise InputError(f"{A_name} has shape {block.shape}, but c has {n} entries")
    side = as_flat([] if b is None else b, b_name)
    if side.shape != (block.shape[0],):
        raise InputError(f"{b_name} has shape {side.shape}, but {A_name} has {block.shape[0]} rows")
    if not are_finite(side):
        require_finite(side, b_name)
    return as_csr(block, A_name), side
