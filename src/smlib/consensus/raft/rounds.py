"""Rounds of heartbeats: how a leader knows that it still leads.

A leader may be deposed without having heard of it: a majority behind a broken line has elected another one. No look at
its own state tells. But when a majority answers a message, none of them had moved on to a newer term *when it
answered*; so the leader led when it *sent* the message. Heartbeats are therefore sent in numbered rounds, and a round
is confirmed when a majority has answered this one or a later one::

    round 7 begins      a read is asked for here, so it needs round 8 or a later one: round 7 does not prove
        |               |                             that no other leader had begun by then
        v               v   round 8 begins
    ----+---------------+---+--------------------+--------------------> time
                                                 round 8 is confirmed: the leader led at the start of round 8

Three things rest on that: reads by quorum (`reads.is_confirmed`), reads by lease (`reads.has_lease`: who has answered a
heartbeat elects nobody for a while after it), and check-quorum: a leader that no round confirms for an election timeout
steps down, for it can do nothing any more, and its clients should look for another one.

The round that a majority has reached is found as the committed index is: `quorums.majority_index`.

Cost: a heartbeat to each of the others and back, and O(n log n) to count an answer.

Ongaro, *Consensus* (2014), sections 6.2 and 6.4.
"""

from __future__ import annotations

from smlib.consensus.raft.messages import Heartbeat, HeartbeatReply
from smlib.consensus.raft.node import LEADER, Node
from smlib.consensus.raft.quorums import majority_index
from smlib.errors import InputError


def begin_round(node: Node) -> int:
    """Begin a round of heartbeats and return its number; one of which no heartbeat has left yet is good enough."""
    node.heartbeat_at = node.ticks + node.options.heartbeat_ticks
    if node.round_unsent:
        return node.round
    node.round += 1
    node.round_unsent = True
    starts = node.round_starts
    while starts and starts[0][1] <= node.ticks - node.options.election_ticks:
        starts.popleft()  # too old to be of use
    starts.append((node.round, node.ticks))
    commit = node.log.commit
    for follower, progress in node.progress.items():
        node.outbox.append(Heartbeat(node.id, follower, node.term, min(progress.match, commit), node.round))
    if not node.others:
        confirm(node)
    return node.round


def receive_heartbeat(node: Node, message: Heartbeat) -> None:
    """Answer a heartbeat of this term's leader."""
    node.hear_leader(message.sender)
    node.log.commit_to(message.commit)
    node.outbox.append(HeartbeatReply(node.id, message.sender, node.term, message.round))


def receive_heartbeat_reply(node: Node, message: HeartbeatReply) -> None:
    """Note which round a follower has answered; and let a message to it go that waits for a lost answer."""
    if node.role is not LEADER:
        return
    if message.round > node.round:
        raise InputError(
            f"node {message.sender} answers round {message.round} of heartbeats, but there were {node.round}"
        )
    progress = node.progress[message.sender]
    if message.round > progress.round:
        progress.round = message.round
        confirm(node)
    if progress.resume(node.log.last_index):
        node.due = True


def confirm(node: Node) -> None:
    """Find the last round that a majority has answered, the leader itself included, and when it was begun."""
    confirmed = majority_index([node.round, *[progress.round for progress in node.progress.values()]])
    if confirmed > node.confirmed_round:
        node.confirmed_round = confirmed
        node.due = True
        starts = node.round_starts
        while starts and starts[0][0] <= confirmed:
            node.confirmed_at = starts.popleft()[1]


def is_cut_off(node: Node) -> bool:
    """Return whether no round that was begun in the last election timeout is confirmed."""
    return node.ticks - node.confirmed_at >= node.options.election_ticks
