r"""Poisson processes: arrivals that know nothing of each other (sampling, splitting, fitting, and how to tell).

The problem. Calls reach an exchange, requests a server, claims an insurer. Nobody knows when the next one comes. How
many come in an hour, how long is the wait, how much room must there be? And given a list of times: is it chance alone,
or is something behind it?

The idea. Let there be so many who might call, each so rarely, that one call says nothing about the next. Cut time into
moments of length dt: in each of them, whatever happened before, there is an arrival with the chance ``rate dt``. That
one sentence is the process, and all the rest follows from it::

    0 --x------x-x------------x----x-> t     the gaps between arrivals are exponential, with the mean 1 / rate;
                                             the number in [0, t) is Poisson, with the mean rate t;
                                             given the number, the places are uniform: darts thrown at [0, t)

A rate that changes with time is *thinned* out of a constant one. Throw darts at the whole rectangle below a bound of
the rate, and keep those that fall below the curve::

    bound  +-----.--------.--------+         candidates arrive at the rate ``bound``; each is given a height at
           |   ___    .      ____  |         random; what is under the curve is kept (o): with the chance
           |  / o \       . /  o \ |         rate(t) / bound, so that arrivals come at the rate
           |_/  o  \_______/ o    \|         bound * rate(t) / bound = rate(t)
           +-------------o---------+ t

By hand. In 20 years, 122 soldiers of ten Prussian corps died of the kick of a horse: 0.61 a corps and year. If kicks
know nothing of each other, of 200 corps-years ``200 exp(-0.61) = 108.7`` have none, 66.3 have one, 20.2 two, 4.1 three
and 0.6 four. Bortkiewicz counted 109, 65, 22, 3 and 1.

How to tell. Two tests, neither of which needs a model of what else it might be. *Counts*: of a Poisson variable the
variance is the mean, so their ratio, the index of dispersion, is 1. *Times*: run a clock that goes as fast as arrivals
are expected, and on it they come at the rate 1, whatever the rate was. So ask of the times on that clock whether
their places are uniform, and whether their gaps are exponential.

Read on: `homogeneous` is the process; `thinning` its way to any rate, compiled or not, and `inhomogeneous` what is
around it; `colouring` puts processes together and takes them apart; `compound` has jumps of any size; `rates` fits,
`goodness_of_fit` tests; `trace` draws. The exponential numbers come from a ziggurat, in `smlib._core.random_streams`.

Invariants, checked by the tests:
  1. Times rise, and lie in [0, t).
  2. Numbers of arrivals in ranges that do not overlap are independent, and Poisson; the mean is the integral of the
     rate.
  3. The parts of a split are independent Poisson processes, and superposed they are the whole, time for time.
  4. On the clock of their own rate, arrivals have the rate 1.
  5. The same seed gives the same times, in blocks of any length, with a compiled rate and with a plain one.

Cost: O(bound t) to draw arrivals up to t, 7 nanoseconds a candidate and what the rate takes, 5 where it is constant;
O(n log k) to superpose k processes; O(n) to split and to fit sorted times, O(n log n) to test them.

Blitzstein & Hwang, *Introduction to Probability*, chapter 13; Bertsekas & Tsitsiklis, *Introduction to Probability*,
sections 6.2 and 6.3; Lawler, *Introduction to Stochastic Processes*, section 3.1; Lewis & Shedler, "Simulation of
nonhomogeneous Poisson processes by thinning", *Naval Research Logistics Quarterly* 26 (1979).
"""
