"""Reads without an entry in the log: up to where a state machine must be, to answer a read as of now.

Whoever reads wants to see all that was written before. The leader has all that is committed; so a read may be answered
once the state machine is where the leader's commit index was when the read was asked for, on two conditions.

1. The leader knows what is committed. At the beginning of its term it does not: its predecessor may have known of more.
   With the first entry of its own term all before it is committed. Reads wait for that.
2. It still is the leader. If not, a newer one may have committed what this one never hears of, and its answer would be
   out of date. By *quorum*: a round of heartbeats, begun after the read was asked for, is answered by a majority
   (`rounds`). By *lease*: a round that was begun less than `lease_ticks` ago was answered by a majority, and none of
   these elects anybody before `election_ticks` have passed since (`elections.protects_leader`), on its own clock. So
   nobody else can lead yet, if no clock is much faster than another.

Where a lease must not be trusted: a leader that hands over asks the others not to protect it, and from then to the end
of its term has no lease, for this request may be late. A node that restarts may have answered a heartbeat, and
forgotten it, so it elects nobody for `election_ticks`.

A follower asks its leader for the index, and answers the read itself. Reads that are lost with a message, or with a
leader that steps down, get no answer: whoever asked asks again.

Cost: by quorum a round of heartbeats, which all reads share that are asked for before it leaves; by lease nothing.

Ongaro, *Consensus* (2014), sections 6.4 and 6.4.1; Kleppmann, *Designing Data-Intensive Applications*, chapters 8
("Knowledge, truth, and lies") and 9 ("Linearizability").
"""

from __future__ import annotations

from collections.abc import Hashable

from smlib.consensus.raft.messages import ReadReply, ReadRequest, ReadState
from smlib.consensus.raft.node import LEADER, Node, PendingRead
from smlib.consensus.raft.rounds import begin_round


def ask(node: Node, reader: int, context: Hashable) -> None:
    """Take a read of a node, as the leader."""
    if not knows_commit(node):
        node.early_reads.append((reader, context))
    elif has_lease(node):
        answer(node, reader, node.log.commit, context)
    else:
        node.reads.append(PendingRead(begin_round(node), node.log.commit, reader, context))


def knows_commit(node: Node) -> bool:
    """Return whether an entry of the leader's own term is committed, and so all that was before."""
    return node.log.term(node.log.commit) == node.term


def has_lease(node: Node) -> bool:
    """Return whether nobody else can be elected yet."""
    return (
        node.options.reads == "lease"
        and node.transferee is None
        and not node.lease_ended
        and node.confirmed_round > 0
        and node.ticks - node.confirmed_at < node.options.lease_ticks
    )


def is_confirmed(node: Node, read: PendingRead) -> bool:
    """Return whether a round of heartbeats has proved that it led after the read was asked for."""
    return read.round <= node.confirmed_round


def answer_due(node: Node) -> None:
    """Take the reads that were asked for too early, and answer those that are confirmed."""
    if node.early_reads and knows_commit(node):
        early, node.early_reads = node.early_reads, []
        for reader, context in early:
            ask(node, reader, context)
    while node.reads and is_confirmed(node, node.reads[0]):
        read = node.reads.popleft()
        answer(node, read.reader, read.index, read.context)


def answer(node: Node, reader: int, index: int, context: Hashable) -> None:
    """Tell whoever reads that it may, once `index` is applied."""
    if reader == node.id:
        node.read_states.append(ReadState(index, context))
    else:
        node.outbox.append(ReadReply(node.id, reader, node.term, index, context))


def receive_read_request(node: Node, message: ReadRequest) -> None:
    """Take a follower's read."""
    if node.role is LEADER:
        ask(node, message.sender, message.context)


def receive_read_reply(node: Node, message: ReadReply) -> None:
    """Hand out the leader's answer."""
    node.read_states.append(ReadState(message.index, message.context))
