"""Queueing: how long they wait, and how many servers it takes (Erlang, Pollaczek and Khinchine, Jackson, Lindley).

The problem. Requests come at 80 a second, and a worker serves 10 a second. Eight workers would be busy without a break,
and the queue would never end; a hundred would stand about. How many let 99 of 100 requests begin within 200 ms? Waiting
is not a matter of the mean load: it comes of chance, which brings now several at once, and now nobody.

The idea. Let arrivals come without memory (Poisson), and let services end without memory. Then all that counts is *how
many there are*, and that goes up and down by one::

          a           a           a           a                  a  arrivals a second, over services a second (the load)
    0 ---------> 1 ---------> 2 ---------> 3 ---------> ...
      <---------   <---------   <---------   <---------          two servers: the way down is never wider than 2
          1            2            2            2

Over a long time each arrow is gone up as often as down: ``p[n + 1] * min(n + 1, c) = p[n] * a``. So each probability
follows from its neighbour, and everything else from these. `mmc` takes the sum to infinity, `mmck` up to a capacity.

By hand. ``a = 1`` and two servers: the probabilities are as 1 : 1 : 1/2 : 1/4 : ..., with the sum 3. So nobody is there
a third of the time, and an arrival waits if it finds two or more, with chance ``(1/2 + 1/4 + ...) / 3 = 1/3``. Whoever
waits, waits for one service on average, and everybody together a third of that.

Two laws hold for every queue whatever chance brings. *Little*: how many are there on average is how many come a
second times how long they stay, ``L = throughput * W``. And *utilization* makes queues steep: with one server the
mean response is ``1 / (1 - utilization)`` services, 2 at a half, 10 at nine tenths, 100 at ninety-nine hundredths.
But large groups are calm. What counts is how many *square roots* of the load one has in servers beyond it: of
``a + 2 sqrt(a)`` servers 3 in 100 customers find none free, for any large a (square-root staffing).

Kendall's names: M/M/c/K is memoryless arrivals, memoryless services, c servers, K places; G is any distribution.

Invariants, checked by the tests:
  1. Little's law: ``L = throughput * W`` and ``Lq = throughput * Wq``. Every result compares two ways of working it
     out (``residual``).
  2. What comes in goes out: ``throughput = servers * utilization * service_rate``, and it is ``arrival_rate`` less what
     is lost.
  3. More servers never wait longer, more load never shorter.
  4. M/M/c is M/M/c/K with K without bound, M/M/1 is M/M/c of one, M/M/inf is M/M/c of ever more, and M/G/1 with
     exponential services is M/M/1.
  5. `erlang_b` meets the recursion ``1 / B(a, n) = 1 + n / a / B(a, n - 1)`` and ``B(a, 0) = 1``.
  6. `plan_servers` is least: one fewer does not do.
  7. `lindley` is the loop ``wait = max(0, wait + service - interarrival)``, bit for bit.

Cost: O(sqrt(c)) time for `erlang_b` and `mmc` near full load, and O(c) at most, in constant space; O(c) for a table of
all numbers of servers up to c; O(sqrt(c)) for `plan_servers`; O(K) time and space for `mmck`; O(n^3) for
`jackson_network` of n stations; O(n) for `lindley` on n customers.

Read on: `loss_formulas` (Erlang's two), `birth_death` (the probabilities), `metrics` (what is known of a queue, and the
distribution of waits), `markovian` and `general_service` (the models), `staffing`, `networks`, `recursion` (Lindley).

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 6, 13 to 17 and 23; Kleinrock, *Queueing
Systems 1*, chapters 3 and 5.
"""
