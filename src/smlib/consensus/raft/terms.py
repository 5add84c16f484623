"""Terms: what is done with a message that is not of the node's own term.

Terms are Raft's clock. A message of a newer term tells a node that the world has moved on: it moves on too, and follows
whoever leads there. A message of an older term comes from a node that has missed this; it is not handled, but where it
asks for something, the answer has the newer term, so that an old leader steps down and an old candidate gives up.
(It answers nothing else: the one who asked may meanwhile lead the newer term itself, with rounds counted anew.)

Three messages of newer terms do not move a node on: a question for a pre-vote, for that term has not begun; the consent
to it; and, while it hears a leader, any candidate's question (`elections.protects_leader`).

Ongaro & Ousterhout (2014), section 5.1; Ongaro, *Consensus* (2014), sections 4.2.3 and 9.6.
"""

from __future__ import annotations

from smlib.consensus.raft import elections
from smlib.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    Heartbeat,
    HeartbeatReply,
    Message,
    RequestVote,
    VoteReply,
)
from smlib.consensus.raft.node import Node


def settle(node: Node, message: Message) -> bool:
    """Bring a node and a message of another term together; return whether the message is to be handled."""
    if message.term < node.term:
        answer_old(node, message)
        return False
    if isinstance(message, RequestVote):
        if elections.protects_leader(node, message):
            return False
        if message.pre_vote:
            return True
    elif isinstance(message, VoteReply) and message.pre_vote and message.granted:
        return True
    node.become_follower(message.term)
    return True


def answer_old(node: Node, message: Message) -> None:
    """Tell a leader or a candidate of an older term that there is a newer one."""
    if isinstance(message, AppendEntries):
        node.outbox.append(AppendReply(node.id, message.sender, node.term, 0, True, 0, 0))
    elif isinstance(message, Heartbeat):
        node.outbox.append(HeartbeatReply(node.id, message.sender, node.term, 0))
    elif isinstance(message, RequestVote):
        node.outbox.append(VoteReply(node.id, message.sender, node.term, False, message.pre_vote))
