"""Quadrature: the area under a curve, from samples of it (trapezoids, Simpson, Romberg, Gauss, adaptive Gauss-Kronrod).

The problem. How long is a degree of latitude? How likely is a value beyond three sigma? Both are integrals, and
neither has a formula: the ellipse and the bell curve have no antiderivative that could be written down. The curve
itself is all there is, to be looked at in as many places as one can afford.

The idea. Replace the curve between the samples by something that can be integrated, a polynomial. All else is the
question of which samples, and how many::

       f                                   trapezoid   a line through two samples
     ..|.                                  Simpson     a parabola through three
    .  | '.                                Romberg     trapezoids of h, h/2, h/4, ..., extrapolated to h = 0
   |   |   '|.                             Gauss       n places that make n samples do the work of 2 n
   |   |    | ''..                         adaptive    bisect where the error is, and only there
   a---+----+-----b

By hand. The integral of sin from 0 to pi is 2. One trapezoid of width pi gives 0, two give 1.571, four give 1.896,
and each further halving of h divides the error by 4. Simpson's rule on the first three samples gives 2.094, on five
2.0046, and halving divides its error by 16. Two samples in Gauss's places give 1.936, three give 2.0014.

How far to trust it. Samples say nothing about what lies between them, so no error can be *known*; it is estimated
by doing the work twice, with a good rule and a better one. `quad` takes 10 of Gauss's samples and 11 of Kronrod's
between them, and where the two answers differ it bisects. ``success`` means that this estimate met the tolerance. A
peak that is narrower than all gaps is seen by neither: if you know of one, say where it is (``points``).

Invariants, checked by the tests:
  1. The integral is linear in the function, adds up over neighbouring ranges, and turns its sign with the limits.
  2. A rule integrates the polynomials of its degree exactly, and no higher ones: trapezoids 1, Simpson 3, Gauss with
     n samples 2 n - 1, Gauss-Kronrod with 21 samples 31.
  3. Half the step divides the error by 4 (trapezoids), by 16 (Simpson), by 64 (Romberg's third column).
  4. `quad`: the intervals lie side by side and cover the range, and the estimate is the sum of their integrals, or
     the limit of such sums.
  5. ``success`` is set only if ``error <= max(epsabs, epsrel * abs(estimate))``.

Cost: the evaluations of the function, one a sample: for 9 digits of sin trapezoids take tens of thousands, Simpson
two hundred, Gauss six, and adaptive bisection 21 for every interval. Time and space beside them are O(samples) for
samples, O(intervals**2) and O(intervals) for `quad`, O(1) for the rest.

Read on: `samples` for what is only known at some places; `equal_steps` and `richardson` (Romberg) for functions at
equal steps; `gauss`; `adaptive` is `quad`, over `bisection` (the loop), `kronrod` (one interval), `extrapolation`
(into a singularity), and `integrands` (limits, and infinite ranges).

Burden & Faires, *Numerical Analysis*, sections 4.3 to 4.9; Davis & Rabinowitz, *Methods of Numerical Integration*.
"""
