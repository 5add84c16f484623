"""Queue simulation: what every customer of a queue went through, and what can be said of it with which certainty.

The problem. Formulas know queues in which chance has no memory. Let calls last as long as calls really last, let
customers be served by rank, or let the arrivals be those of a certain Monday, and there is no formula. Then one lets
the thing happen, in a computer, and looks.

The idea. All chance is spent before the clock starts: when each customer comes, and how long each is going to be
served, are two arrays. What is left is bookkeeping, and the same arrays always give the same records::

    customer  arrives  lasts            0    1    2    3    4    5    6    7    8    9
       0         0       3    server 0  |0000000000000|222222222222222222222222|
       1         1       4    server 1       |1111111111111111111|33333333333|4444|
       2         2       5    waiting             22222   33333333     44444444
       3        3.5     2.5
       4         6       1

By hand, for two servers and first in, first out: 0 and 1 find a free server. 2 comes at 2, and begins when server 0 is
free, at 3. 3 comes at 3.5 and begins at 5, 4 comes at 6 and begins when server 1 is free for the second time, at 7.5.
So they waited 0, 0, 1, 1.5 and 1.5.

It is enough to know of each server when it will be free, and to keep these times in a heap. When somebody arrives, all
servers that are free by then take their next customers from the waiting room, one after another, each at the very time
at which it became free. Is one still free after that, it takes the newcomer. No calendar of events is needed; and the
times that leave the heap are all departures, in order. The waiting room is a row, a pile or a heap: that is the whole
difference between first in first out, last in first out, and priorities.

What it is worth. The mean of a simulation is an estimate. Waits that follow upon each other are alike, so that a
thousand of them may tell no more than twenty that are independent, and the usual formula for the error is wrong by a
factor of seven. Therefore a mean is never given without its interval.

Invariants, which every run checks and the tests name:
  1. Little's law: the number of customers in the system, integrated over time, is the sum of their response times.
  2. No server is idle while a customer waits: the number in the system beyond the number of servers, integrated over
     time, is the sum of the waits.
  3. The number of busy servers, integrated over time, is the sum of the services.
  4. A server serves one customer at a time, and nobody begins before the arrival.
  5. Nobody in the waiting room is passed over: each who begins is the one whose turn it is.
  6. A run in other units of time gives the same records in these units.

Cost: O(n log(servers)) time for n customers, and O(n log(waiting)) with priorities; O(n) space.

Read on in `serving`, where the algorithm is; then `sharing` (all at once, each slower), `networks`, `accounting`
(the invariants), and `estimates` (the intervals).

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 2, 6 and 30; Kleinrock, *Queueing
Systems 1*, chapter 2; Law, *Simulation Modeling and Analysis*, chapters 1 and 9.
"""
