r"""Raft: a cluster of machines that keeps one log, and so one state, though machines fail and messages are lost.

The problem. One machine is down now and then. So let there be three or five, each with a copy; while one is away the
others go on. But what is a copy? If clients write to any of them, two may write different things to the same place, and
no copy is right. If they write to one, and this one is down, who may take its place? The others can't tell a machine
that is down from one whose messages are slow; if two of them believe that they have taken over, there are two truths.
Messages are lost, late, repeated, out of order; machines stop, and come back with what is on their disks. (They don't
lie: that would be another problem.) All the same it must look from outside as if there were one machine that never
fails.

The idea: do not copy the state, copy the *log* (section 2 of the paper). A state machine that starts empty and is given
the same commands in the same order comes to the same state. So it is enough to agree on a sequence, entry by entry; and
it is enough that a *majority* agrees, for any two majorities have a machine in common, which keeps what one has agreed
on from being forgotten by the other::

    client --x=3--> [ Raft ] log  x=1 | y=9 | x=3 ---> [ state machine ]  x = 3, y = 9     machine 1
                       |  ^
                       v  |
                    [ Raft ] log  x=1 | y=9 | x=3 ---> [ state machine ]  x = 3, y = 9     machine 2

With five machines two may fail, with three one. Of four a majority is three, so that a fourth one helps nothing.

*A leader, and terms* (5.1). Agreeing is simple if one decides. So one machine leads: it alone takes commands, and what
is in its log is what the others' logs are to be. Leaders may fail, so time is cut into *terms*, numbered 1, 2, 3, each
with at most one leader. Every message has its sender's term. Who sees a newer term moves on to it; who sees an older
one knows that the sender is behind, and tells it so. Terms are all the clock that the machines share::

    term 1                 term 2      term 3                       term 4
    [vote|leader 1       ] [vote      ][vote|leader 3             ] [vote|leader 1 ...
                           (split: nobody won)

*Elections* (5.2; `elections`). A leader sends heartbeats. Who hears none for long enough begins a term, votes for
itself, and asks all for their votes. A machine has one vote in a term, and writes it to its disk before it answers. So
only one can get a majority: two majorities would have a voter in common, who has voted once. If the vote is split,
nobody wins, and somebody tries again; as all wait for times drawn at random, one is mostly first, and wins before the
others wake.

*Replication* (5.3; `replication`, `progress`, `log`). The leader sends entries with the place behind which they belong:
the index and the term of the entry before. A machine takes them only if it has that entry. By induction, if two logs
have an entry of the same index and term, they are the same up to there: *log matching*. If a machine does not have it,
the leader goes back until they meet, and from there on the leader's entries replace what is different. When a majority
has an entry on its disks, the leader takes it for *committed*: it tells the others, and everybody's state machine
applies it.

By hand. Machine 1 leads term 1. It is given x, and writes it at index 2 (at index 1 stands the entry with which its
term began)::

    1 -> 2, 3    AppendEntries: behind entry 1 of term 1 comes [2: x, term 1]
    2 -> 1       AppendReply: up to 2 our logs match       1 and 2 are two of three: x is committed, 1 applies it
    1 -> 2, 3    AppendEntries: behind entry 2 of term 1 comes nothing; 2 is committed           2 and 3 apply it

Now machine 1 stops. Machine 3 has not got x. It asks for a vote in term 2; machine 2 compares: its own log ends with
(term 1, index 2), that of machine 3 with (term 1, index 1). It refuses. Machine 2 asks, machine 3 votes for it, and x
stays.

*Why nothing that is committed is lost* (5.4). A vote is refused to a candidate whose log is behind, where the log with
the later last term is ahead, and of two with the same the longer one. Let e be committed in term T, and U be the first
later term whose leader lacks e. A majority had e in term T, a majority voted for U's leader, and somebody is in both.
It had e when it voted (between T and U all leaders had e, so nobody replaced it). So the log of U's leader was not
behind that of this voter. If both ended with the same term, it was as long, and by log matching it had e. If it ended
with a later term, then that one's leader, which comes before U, had e, and by log matching so had U's. Either way it
has e, and there is no U.

There is a step in it that is easily missed: e was committed *in the term of its own leader*. Figure 8 shows an entry of
an earlier term which a majority has, and which is replaced all the same (`replication` tells it). So a leader counts
only for entries of its own term, and older ones are committed together with them. That is why a leader begins its term
with an entry of its own, which has no data.

Then state machines agree: they apply committed entries only, in order, and no two of them a different one at the same
index.

*Time* is needed for progress, never for safety: if the timeouts are chosen badly, nobody leads, but nothing wrong is
committed. (The exception is the lease, below, which is why it is not the default.) No algorithm could do without: in a
network that may be as slow as it likes, none is sure to come to an end.

What the paper leaves open, or the dissertation adds, is here too:

- *Pre-vote* (dissertation, 9.6; `elections`). Who is cut off times out over and over, and would come back with a term
  that deposes a good leader. So it first asks whether it would be elected, and nobody says yes who hears a leader.
- *Check-quorum* (6.2, 4.2.3; `rounds`, `elections`). A leader that hears of no majority steps down, so that its clients
  look elsewhere; and who hears a leader does not help to depose it.
- *Reads* (6.4; `reads`). A leader may be deposed without having heard of it, so even a read must ask. By quorum: one
  round of heartbeats, begun after the read was asked for, proves that it led then. By lease: who has answered a
  heartbeat elects nobody for a while, and as long the leader need not ask. Followers answer reads as well, when they
  have been told up to where they must have applied.
- *Transfer* (3.10; `transfers`). A leader that has to go brings another one up to date and has it elected at once.
- *Conflict hints* (5.3, end; `log`): where two logs part is found by one question for each term, not for each entry.
- *Flow control* (10.2.1; `progress`): one message at a time as long as the leader does not know what a machine has, and
  many ahead of their answers once it knows.

Invariants:
  1. Election safety: in a term at most one node leads.
  2. A leader only appends: it changes or deletes no entry of its own log.
  3. Log matching: if two logs have an entry of the same index and term, they are the same up to there.
  4. Leader completeness: what is committed in a term is in the logs of the leaders of all later terms.
  5. State machine safety: no two nodes apply different entries at an index.
  6. A node's term, its commit index and what it has applied never go back while it runs; its term and its vote in this
     term survive a crash.
  7. A read sees all that was applied anywhere when it was asked for. (By lease: if no clock is a quarter faster.)
  8. A message that no node of the cluster could have sent changes nothing.

Cost: to commit a command a message to each of the others, its answer, and one more to tell; one sync of the leader's
disk and one of a follower's, the slowest of a majority counting, so two message times and two syncs. Many commands
share them: what is proposed together goes out together. A read is a round of heartbeats, or nothing. Memory: what has
not been written, and a few numbers for each node. In this code a message costs a node about 4 microseconds, all in all.

What is not here. *Snapshots* (section 7): a log grows for ever, and a node that starts reads all of it. They belong
into `log_store` (a first index beyond 1, and the term before it), into `log` (which must refuse what lies before), and
into `replication` (a message InstallSnapshot where a follower needs what is gone: `send_append` is the place).
*Membership changes* (section 6): the nodes are the same for ever. They would be entries of the log that take effect
when they are written, and the places that ask for a majority, `quorums` with `elections.count_answer`,
`replication.advance_commit` and `rounds.confirm`, would ask two majorities while two memberships overlap. *Sessions* of
clients (8): whoever sends a command again, for the answer was lost, has it done twice, unless the state machine knows
the command by a number.

Read on: `messages` is what nodes say, and `core` the class that one uses, with its contract: write, then send, then
apply. `quorums` and `log` are the two ideas, without any network; `node` is the state, and on it work `terms`,
`elections`, `replication` with `progress`, `rounds`, `reads` and `transfers`. How is a vote granted?
`elections.receive_request_vote`. How is an entry committed? `replication.advance_commit`. `log_store` is what has to be
written, and `options` what can be chosen.

Ongaro & Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)" (2014); Ongaro, *Consensus:
Bridging Theory and Practice*, dissertation (2014); Fischer, Lynch & Paterson, "Impossibility of Distributed Consensus
with One Faulty Process", *Journal of the ACM* 32 (1985); Kleppmann, *Designing Data-Intensive Applications*, chapters 8
and 9.
"""
