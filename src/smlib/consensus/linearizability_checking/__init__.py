r"""Linearizability checking: did a store that many used at once behave as if there were only one copy of the data?

The problem. A replicated store promises that nobody notices the replicas: each operation takes effect at one moment
between its call and its response, and from then on everybody sees it. All one has to judge it by is a *history*: who
called what and when, and what came back. The moments themselves nobody has seen. Is there any choice of moments that
explains all answers?

The idea. Look for one. A choice of moments is an order of the operations that respects time: if one was answered
before another was called, it stands before it. Carry the operations out in this order on a *model*, an object that does
one thing after another, and compare the answers::

    a   |--- write 1 ---|                       the moments:  read: 0   write 1   read: 1   read: 1
    b     |- read: 0 -|     |- read: 1 -|
    c            |- read: 1 -|                  order found: linearizable

    a   |---- write 1 ----|                     c has read 1, so the write has taken effect by then;
    c     |- read: 1 -|                         b is later, and reads 0:
    b                  |- read: 0 -|            no order: not linearizable

Trying all n! orders is hopeless, but little of it is needed. Go from return to return; what has not been called yet
cannot come first, and what has returned is in order already, so only the few operations that are *under way* can be
chosen from (Wing & Gong). Remember where one has been: the set of operations in order and the state, whatever way has
led there (Lowe). And take each key by itself: Herlihy & Wing have proved that if each object is linearizable by itself,
then all of them are together. The proof is short. Suppose that the orders of the objects and the order of time made a
circle. Two orders of objects never follow each other in it without time between, for an operation belongs to one
object. So the circle has the form x before y in time, then y before z in an object's order, then again time; and y
before z means that z did not return before y was called. So x returned before z did, and x is before the next one in
time as well. In this way each object's order can be taken out of the circle, and a circle of nothing but time is left,
which time does not have. *Sequential consistency*, where only the order of each client counts, has no such theorem.

By hand: figure 9-4 of Kleppmann's book. A register, 0 at first; C sets it from 2 to 4 by compare-and-set; while that is
under way, A reads 4, and after that B reads 2. C's operation is the only one that makes 4 of 2. It must take effect
before A's read returns. B is called later, so its read comes after A's, and nothing makes 2 again. There is no order.

>>> from smlib.consensus import CompareAndSetRegister, Operation, check_linearizable
>>> history = [
...     Operation("C", 21, 30, ("cas", 2, 4), True),
...     Operation("A", 23, 25, ("read",), 4),
...     Operation("B", 26, 29, ("read",), 2),
... ]
>>> check_linearizable(history, CompareAndSetRegister(2)).linearizable
False
>>> check_linearizable(history[:2], CompareAndSetRegister(2)).linearizable
True

A "no" is shown as the smallest part of the history that offends, whatever the other operations did; a "yes" comes with
an order, which is proved by going through it once.

Invariants, checked by the tests:
  1. The answer is that of a walk through all orders.
  2. An order that is returned respects time and the model, has each operation that was answered, and none twice.
  3. A part that is returned has no order, whatever the others did, and has one if any of its operations is forgotten.
  4. The answer depends on the history, the model and the budget; it does not depend on the order of the entries.
  5. What is linearizable is sequentially consistent; what works is accepted, and what was broken on purpose is refused.

Cost: O(n log n) if few operations overlap: 10,000 of 8 clients on 100 keys take 15 ms. In the worst case exponential in
the number that overlap, for the problem is NP-complete; a budget ends a search that takes too long, with "unknown".

What is not here: transactions over several keys (serializability), which need other methods; histories in which an
operation has an effect twice; and models that may choose what they answer.

Read on: `operations` is what a history is, `models` what objects do. `timeline` lays a history out, and `search` is the
algorithm. `checking` takes key after key, `verdict` is the answer with its proof, `offending` and `forgetting` find the
smallest part, and `drawing` draws it. `sequential` is the weaker promise. `jepsen_histories` reads what others have
written down, in `clojure_notation`. `trace` shows a search step by step: ``smlib viz linearizability_checking``.

Herlihy & Wing, "Linearizability: a correctness condition for concurrent objects", *ACM TOPLAS* 12 (1990); Wing & Gong,
"Testing and verifying concurrent objects", *Journal of Parallel and Distributed Computing* 17 (1993); Lowe, "Testing
for linearizability", *Concurrency and Computation: Practice and Experience* 29 (2017); Kleppmann, *Designing
Data-Intensive Applications*, chapter 9.
"""
