"""Leader transfer: a leader that is to go brings another one up to date, and asks it to stand for election at once.

Without it one would stop the leader, and all would wait for a timeout. Meanwhile it takes no proposals, so that there
is an end to what the other one lacks; when that one has the whole log, `TimeoutNow` makes it a candidate, and since its
log is as long as any, it is likely to win. If it does not within an election timeout, the leader goes on as before; but
it has told somebody to depose it, and does not know whether this will still be done, so it no longer trusts leases.

Ongaro, *Consensus* (2014), section 3.10.
"""

from __future__ import annotations

from smlib.consensus.raft.elections import start_election
from smlib.consensus.raft.messages import TimeoutNow
from smlib.consensus.raft.node import FOLLOWER, Node


def begin_transfer(node: Node, to: int) -> None:
    """Begin to hand over, as the leader; a transfer to another one is given up for it."""
    if node.transferee != to:
        node.transferee, node.handed_over = to, False
        node.transfer_ends = node.ticks + node.options.election_ticks
        node.due = True


def hand_over_due(node: Node) -> None:
    """Ask the other one to stand, once it has the whole log."""
    to = node.transferee
    if to is not None and not node.handed_over and node.progress[to].match == node.log.last_index:
        node.outbox.append(TimeoutNow(node.id, to, node.term))
        node.handed_over = node.lease_ended = True


def give_up(node: Node) -> None:
    """Go on to lead if nobody else does by now."""
    if node.transferee is not None and node.ticks >= node.transfer_ends:
        node.transferee = None


def receive_timeout_now(node: Node, message: TimeoutNow) -> None:
    """Stand for election, as the leader asks for it."""
    if node.role is FOLLOWER:
        start_election(node, transfer=True)
