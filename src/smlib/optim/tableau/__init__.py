"""The simplex method: from corner to corner of a linear program, until no edge improves.

The problem. A dairy makes cheese (5 a kilogram) and butter (4) from 120 litres of milk and 60 hours of work. What earns
most? Every plan is a point, every limit a straight line, and all plans that keep the limits form a polygon; with more
products, a polytope::

      butter
        30 |  hours: 2x + 3y <= 60
           |`.  .
        20 *   `. .
           |######`*  (12, 12): both limits reached, earns 108
        10 |########`.  .
           |##########`.    .
         0 *------------*-----------> cheese
           0     10     20     milk: 6x + 4y <= 120

The idea. Among the best points there is a corner. From a corner one looks along its edges, and follows one that
improves to the next corner; where none improves, none better is left, for a polytope has no dents. With milk and hours
left over as unknowns of their own, a corner is where as many unknowns as there are columns stand at a bound, the
*nonbasic* ones; the *basic* ones follow from them. A step lets one nonbasic unknown leave its bound and walks until
some basic one arrives at a bound of its own: the two change places.

By hand. Each row of the *tableau* is an equation, the last one what is lost a unit (costs, for a minimum)::

              cheese  butter                      milk   butter                      milk   hours
      milk       6       4     120       cheese    1/6     2/3     20        cheese    0.3    -0.4    12
      hours      2       3      60       hours    -1/3     5/3     20        butter   -0.2     0.6    12
      cost      -5      -4       0       cost      5/6    -2/3    100        cost      0.7     0.4   108

1. *Price*: a kilogram of cheese earns 5, of butter 4. Cheese enters.
2. *Ratio test*: milk lasts for 120/6 = 20 kilograms, hours for 60/2 = 30. Milk stops us, and leaves.
3. *Pivot*: solve the row of milk for cheese, and put that into the other rows. We stand at (20, 0) and earn 100.
4. Now butter would still earn 2/3 a kilogram, what it displaces paid for. Hours stop it at 20 / (5/3) = 12 kilograms.
5. No entry of the cost row is negative any more: (12, 12) is best. The same row holds the proof: 0.7 a litre and 0.4 an
   hour are the prices of `smlib.optim.duality`, and 0.7 * 120 + 0.4 * 60 = 108.

This is a *condensed* tableau: the columns of basic unknowns are unit vectors, and left out. A pivot is all that there
is to the method. What else is here keeps it on its feet:

- **Bounds** of both kinds, and free unknowns. Nonbasic ones stand at either bound; if an entering one meets its own
  other bound before anything stops it, it jumps there, and there is no pivot.
- **Two phases.** While basic unknowns violate their bounds, the sum of violations is minimised in place of the cost.
  If it can't become zero, the prices of that sum are a Farkas ray: the program is infeasible, and here is the proof.
- **Pricing rules.** Dantzig's takes the largest gain a unit, *greatest* the largest gain a step, *steepest* the largest
  gain a unit of length along the edge, *devex* an estimate of that for a fraction of the work. *Bland's* takes the
  first that improves: slow, but it can't go round in circles.
- **Harris's ratio test.** Among all that stop the step at nearly the same point, pivot on the largest entry: dividing
  by small ones is what ruins a tableau.
- **Perturbation.** At a corner where more bounds meet than needed, steps of length 0 change the basis and nothing
  else, perhaps for ever (Beale's example comes back to its first tableau after six). After a number of such steps
  bounds are moved outwards by random amounts about 1e-6, which separates the corners. At the end they are moved back.
- **Scaling** by powers of two, and **iterative refinement** against the program as stated: see `scaling`, `accuracy`.

Invariants, checked by the tests:
  1. A pivot keeps the set of solutions: the rows of every tableau are combinations of the rows of the first.
  2. In phase 2 a step never makes the objective worse by more than the tolerance.
  3. Pivoting twice at the same place gives the tableau back.
  4. An answer is called optimal, infeasible or unbounded only with a certificate that was computed from the program
     as stated: point and prices, a Farkas ray, a ray.

Cost: O(m n) time a pivot for m rows and n columns, and mostly between m and 3 m pivots (Klee and Minty's cube takes
2^n - 1 on purpose); O(m n) space.

Read on: `pivoting` is the method itself, `pricing` its rules; `two_phases` drives it, `scaling` and `accuracy` keep it
exact, and `trace` shows it step by step, as a `textbook` would, and on the `polygon` where there are two unknowns.

Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, chapter 3; Chvatal, *Linear Programming*, chapters 2, 3
and 8.
"""
