"""Duality: how a linear program proves its own answer, and how to check the proof.

The problem. A solver says that 108 is the most that can be earned. Why should anyone believe it? Trying other points
finds better ones or fails to; it never shows that there are none.

The idea. Add up the rows. With 6x + 4y <= 120 (milk) and 2x + 3y <= 60 (hours), what can 5x + 4y be at most? Take 0.7
of the first row and 0.4 of the second::

    0.7 (6x + 4y) + 0.4 (2x + 3y)  =  5x + 4y  <=  0.7 * 120 + 0.4 * 60  =  108

Nobody can earn more than 108, and (12, 12) earns 108: both are proved. The weights 0.7 and 0.4 are the *dual* answer.
They are prices too: another litre of milk is worth 0.70, for the proof then ends at 108.70.

In general a row may have two sides and a column two bounds. Weights ``y`` of any sign are allowed, a positive one
leaning on the lower side and a negative one on the upper. What the weighted rows leave of the costs, the *reduced
costs* ``z = c - A'y``, leans on the bounds of the columns in the same way. For a minimisation and every feasible
``x``::

    c @ x  =  y @ (A x) + z @ x  >=  sum of weight * side leaned on  =:  D(y)

- **Weak duality**: D(y) is never above the cost of a feasible point. So a *feasible x and weights with D(y) = c @ x are
  a complete proof* that x is best. A weight that leans on an infinite side proves nothing: it is *dual infeasible*.
- **Strong duality**: where there is an optimum, there are weights without a gap.
- **Complementary slackness**: the gap is a sum of products, weight times distance to the side leaned on, and none of
  them is negative. Without a gap every one is 0: a resource that is not used up has the price 0.
- **Farkas**: where there is no feasible point, weights show it without any costs: of ``z = A'y`` the bounds of the
  columns allow less than the sides of the rows demand (x + y <= 3 against 2x + 2y >= 8: weights -2 and 1 give 0 >= 2).
- **A ray** shows that there is no optimum because the objective has no limit: from a feasible point one may walk along
  ``d`` for ever, and every step is cheaper than the last.

A certificate holds such a proof against the numbers as stated, never against what a solver made of them by scaling or
by leaving rows out. Every error is *relative to what was added up*: a row is violated by so much, beside one plus the
sum of its terms without their signs. An error of 1e-9 then says that the point is exactly right for a program whose
numbers differ by a part in 1e9, which is also all that the numbers in a file can claim.

A maximisation is checked as the minimisation of its negative. Prices are derivatives of the objective as stated.

Invariants, checked by the tests:
  1. Weak duality: for a feasible point and any weights without dual infeasibility the gap is not negative.
  2. The gap is the sum of the products of complementary slackness.
  3. A certificate of one kind never holds for a program of another kind.

Cost: two products with the matrix a certificate; a proof is found slowly and checked at once.

Read on: `certificates` checks an optimum, `rays` that there is none, and `sensitivity` asks how
far the numbers may move.

Bertsimas & Tsitsiklis, *Introduction to Linear Optimization*, chapter 4; Schrijver, *Theory of Linear and Integer
Programming*, section 7.
"""
