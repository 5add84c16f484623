"""Stationary iterations: solve ``A x = b`` by sweeping over the unknowns (Jacobi, Gauss-Seidel, SOR, SSOR).

The problem. A metal plate is held at fixed temperatures along its edges. In the middle every point settles at the
mean of its four neighbours. Cut the plate into a grid of a million points and that is a million equations in a
million unknowns, but each equation names five of them. Elimination fills the empty places and runs out of memory; it
also ignores that a good guess is worth something.

The idea. Take the equations one at a time. Equation ``i`` would be met exactly if its own unknown moved by the
*residual* of that row over the diagonal entry::

    residual = b[i] - sum(A[i, j] * x[j])         how far row i is from being met
    x[i] += residual / A[i, i]                    now it is met (and its neighbours are a little less so)

One pass over all rows is a *sweep*. What differs is when a new value is used:

- **Jacobi** uses it in the next sweep: every row sees the same old ``x``.
- **Gauss-Seidel** uses it at once, so that row ``i`` sees new values before it and old values behind it.
- **SOR** (successive over-relaxation) goes ``omega`` times as far: the error that remains is mostly smooth, and a
  step that is too short everywhere is worth stretching. With the best ``omega`` a grid of n x n points needs O(n)
  sweeps, not O(n^2).
- **SSOR** sweeps forward, then backward, which treats a symmetric matrix symmetrically.

By hand. ``4x - y = 7, -x + 4y = 2`` has the solution (2, 1). From (0, 0), Jacobi gives (1.75, 0.5), (1.875, 0.9375),
... and Gauss-Seidel (1.75, 0.9375), (1.984375, 0.99609375), ...: in the long run a sweep of Jacobi divides the error
by 4, one of Gauss-Seidel by 16.

Why it converges. Split ``A = M - N`` with an ``M`` that is easy to solve (the diagonal, or the lower triangle). A
sweep is ``M x_new = N x + b``, the solution stays where it is, and so the error is multiplied by ``T = M^-1 N`` each
time. It goes to zero from every start exactly if the spectral radius of ``T`` is below 1, and then by that factor a
sweep in the long run. A strictly diagonally dominant matrix is safe for Jacobi and Gauss-Seidel; a symmetric positive
definite one is safe for Gauss-Seidel, SOR and SSOR with ``0 < omega < 2``.

Invariants, checked by the tests:
  1. The solution is a fixed point of every method: a sweep does not move it.
  2. SOR with ``omega = 1`` is Gauss-Seidel, and a backward sweep is a forward sweep of the reversed system.
  3. A sweep multiplies the error by the iteration matrix.
  4. The last entry of ``residual_norms`` is the norm of ``b - A x`` for the ``x`` that is returned.

Cost: a sweep is O(nonzeros) time, O(n) space besides the matrix, and reads the matrix once from front to back, which
is what bounds it; about ``log(1/rtol) / -log(spectral radius)`` sweeps.

Read on: `sweeps` is the algorithm, `solvers` the loop around it with its stopping test, `convergence` the theory:
iteration matrix, rate, best ``omega``, red-black order.

Burden & Faires, *Numerical Analysis*, sections 7.3 and 7.4; Saad, *Iterative Methods for Sparse Linear Systems*,
chapter 4.
"""
