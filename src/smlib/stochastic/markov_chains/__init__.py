r"""Markov chains: what comes next depends on where one is now, and not on how one came there.

The problem. Weather, queues, games, letters of a text, a walker on the web: something is in one of some *states* and
moves from one to another by chance, again and again. Where will it be in a week, and where in the long run? How long
until it is somewhere? Where does it end, if it ends? How soon has it forgotten where it began?

The idea (Markov). Let the chance of the next state depend on the present state alone. Then all is said by one matrix:
row i has the chances to go from state i to each state. Distributions are rows, a step is a product, and t steps are a
power of the matrix::

    P =        rain nice snow             [1, 0, 0]                   today it rains
        rain  [1/2  1/4  1/4]             [1, 0, 0] P    = [.500 .250 .250]   tomorrow
        nice  [1/2   0   1/2]             [1, 0, 0] P^2  = [.438 .188 .375]   the day after
        snow  [1/4  1/4  1/2]             [1, 0, 0] P^7  = [.400 .200 .400]   in a week, whatever it is today

What can be asked follows from which states lead to which. A chain ends in one of its *recurrent* classes, which it
does not leave again, and there the share of time that it spends in each state settles: the *stationary* distribution,
``pi P = pi``. The other states are *transient*: they are visited for a while, and the sums of all visits, the times
and the chances of each end solve linear equations. A class may have a *period* d, and then the chain goes round d
parts of it; if not, the chain forgets where it began, and each row of ``P^t`` becomes pi.

By hand (the Land of Oz, above). Let rain, nice, snow have the shares (a, b, c). Into nice leads a/4 + c/4, so b = (a
+ c)/4, and b is 1/5. Rain and snow are alike, so both are 2/5. Nice days come back after 1/b = 5 days on average:
after a nice day comes rain or snow, and from each of them it takes 4 days.

How it is computed. Equations of this kind are solved here without a single subtraction, by taking states out of the
chain (`elimination`). So each number is right to some fourteen digits by itself, even where groups of states lead to
each other with chance 1e-12 only, and where ordinary elimination is left with four. Walks take a step with one random
word, one look and one comparison (`walking`).

Read on: `transitions` proves a matrix; `structure` finds classes and periods; `elimination` takes states out,
`stationary` and `absorption` read from it what is asked; `mixing` has powers and the time to forget; `walking`
simulates; `states` and `chain` are what people use. `counting` and `fitting` estimate a chain from what was seen.
`generators`, `uniformisation`, `continuous_time` and `birth_death` are chains that move at any time, and not in
steps. `trace` draws a walk, and its distribution as it settles.

Invariants, checked by the tests:
  1. Distributions have no negative entry, and add up to 1.
  2. A step does not change a stationary distribution; and each entry of it is within a few n roundings of the true one,
     relative to itself. The same is true of times, visits and chances to end somewhere.
  3. The names of the states and their order do not matter.
  4. The distance between where a chain is and its stationary distribution never grows.
  5. A walk takes each step with its chance, within 2^-61 and one rounding, and never a step of chance 0.

Cost: classes and periods O(n + steps that are possible); stationary distributions, absorption and hitting times 2/3
n^3, or n b^2 for sparse chains of band width b; mixing times n^3 for each doubling of the time; walks O(1) a step.

Norris, *Markov Chains*, chapters 1 to 3; Lawler, *Introduction to Stochastic Processes*, chapters 1 and 3; Blitzstein
& Hwang, *Introduction to Probability*, chapter 11; Bertsekas & Tsitsiklis, *Introduction to Probability*, chapter 7;
Grinstead & Snell, *Introduction to Probability*, chapter 11.
"""
