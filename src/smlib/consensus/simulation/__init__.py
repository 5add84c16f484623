"""Simulation: a whole Raft cluster in one thread, with all that goes wrong, and all of it again by its seed.

The problem. A protocol for machines that fail is right only if it is right in every order in which messages, crashes
and timeouts may come. Tests on real machines see a few of these orders, the likely ones; and when one does go wrong, it
cannot be had again. What is needed is a cluster in which a year of bad luck takes an afternoon, and in which bad luck
can be repeated.

The idea. Raft's core does nothing by itself: no clock, no socket, no thread. So give it a clock, a network and disks
that are made up. All that will happen lies in one heap, by time; what is next is taken out, and at that time it is::

    heap of (time, sequence, what)      next: 20 ms, tick
         |                                   21 ms, AppendEntries arrives at node 2
         v                                   22 ms, node 2's disk has synced
    +---------+   messages   +---------+     ...
    |  node   | -----------> | network |     loss, duplication, delay: dice
    |  (core) |              +---------+
    |         |   writes     +---------+
    |         | -----------> |  disk   |     a crash loses what was not synced: dice
    +---------+              +---------+
         |  each change      +------------+
         +-----------------> | invariants |  the first that is broken ends the run
                             +------------+

Nobody waits, so five nodes live sixty seconds in one. And nothing comes from outside but a seed: the dice are numbers
drawn from it, one stream for each kind of chance (`random_streams`), so the same seed is the same run, to the byte, in
any process. A run that fails is a number that one can write into a test.

Three judges look on. The `invariants` of Raft are looked at whenever a node may have changed: two leaders in a term, a
committed entry that is lost, are seen the moment they are there, long before anybody suffers from them. *Progress* is
asked for at the end: when the weather has cleared, a new command must soon be applied everywhere (a cluster that does
nothing breaks no other rule). And what *clients* saw, each with its own view of what came before what, is judged by
`check_linearizable`: that one does not know what a log is, and finds what all other rules forgot, such as a read that
was answered by a leader who was none any more.

Does it find anything? To know, break the rules one by one: a node votes twice; it forgets its vote in a crash; it
counts a vote that came twice; it commits an old entry by counting (the paper's figure 8). The tests have such mutants,
each with the seed by which it is found. Some need two accidents within the few milliseconds of an election, which the
usual weather brings once in hours; in a storm (`Faults.storm`) they come up in seconds. And some rules can be broken
without harm as long as the other accidents hide them, so a search tries many mixes (`Faults.swarm`).

By hand. Three nodes, five seconds, the usual mix; then the same without a majority in any answer:

>>> from smlib.consensus import Faults, simulate
>>> result = simulate(1, nodes=3, seconds=5)
>>> result.success, result.verdict().linearizable
(True, True)
>>> from smlib.consensus.raft import quorums
>>> majority, quorums.majority = quorums.majority, lambda size: size // 2
>>> print(simulate(3, nodes=3, seconds=5, faults=Faults.storm()).violations[0])
1, election safety: node 1 leads in term 1, in which node 2 has led
>>> quorums.majority = majority

``smlib viz simulation`` draws an election, a partition with two leaders, and how it heals.

Invariants, of the simulation itself:
  1. A run depends on its arguments alone: the same ones give the same trace, history and digest in every process.
  2. No message leaves before what was written with it is synced, and a crash loses nothing that was synced.
  3. What is drawn for one kind of fault moves no fault of another kind.
  4. Each node is asked what it wants done when all that is due at a millisecond has happened, in the order in which it
     was touched.
  5. An operation without an answer is left open in the history, and never tried again.

Cost: O(log n) for each event with n in the heap; about 2,500 messages for a cluster-second of five nodes, 7
microseconds each, which includes the core, the invariants and the clients.

What is not here: clocks that jump, on which leases could not rely, and disks that return what was never written, for
which Raft is not made.

Read on: `faults` is what may go wrong, `cluster` the heap with the network, `server` a node around its core, `disk` and
`state_machine` what it stands on; `clients` ask and take down what they saw; `simulating` is a run with its weather,
and `results` what comes out. `trace` tells a short run moment by moment, in the words of `telling`.

Ongaro & Ousterhout, "In search of an understandable consensus algorithm" (2014), figure 3; Wilson, "Testing distributed
systems with deterministic simulation", *Strange Loop* (2014); Zhou et al., "FoundationDB: a distributed unbundled
transactional key value store", *SIGMOD* (2021), section 4; Kleppmann, *Designing Data-Intensive Applications*, chapters
8 and 9.
"""
