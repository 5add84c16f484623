"""What nodes say to each other, and what a node hands to the program around it.

All of it is immutable, compares by value, and prints as it is built. Every message names who sent it, who is to get it
and the sender's term, in this order. A node knows of the others only what their messages say; and since a network may
lose, delay, repeat and reorder messages, each of them must be understood on its own::

    candidate   RequestVote   ->   VoteReply       may I lead? (figure 2 of the paper; `pre_vote`: would I be let?)
    leader      AppendEntries ->   AppendReply     put these entries behind that one
    leader      Heartbeat     ->   HeartbeatReply  I still lead; the answer to round 7 proves it as of round 7
    follower    ReadRequest   ->   ReadReply       up to which entry must I have applied to answer this read?
    leader      TimeoutNow                         stand for election now, for I want to go

Ongaro & Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)" (2014), figure 2; Ongaro,
*Consensus: Bridging Theory and Practice* (2014), sections 3.10, 6.4 and 9.6.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple, TypeAlias


class Entry(NamedTuple):
    """An entry of the log; without data it is the one with which a leader begins its term.

    Attributes
    ----------
    term : int
        The term in which a leader made it, at least 1.
    index : int
        Its place in the log; the first one is 1.
    data : bytes
        A command for the state machine, which Raft does not look at.
    """

    term: int
    index: int  # type: ignore[assignment]  # hides tuple.index
    data: bytes


class HardState(NamedTuple):
    """What a node must still know after a crash, besides its log.

    Attributes
    ----------
    term : int
        The newest term that it has heard of.
    vote : int or None
        Whom it has voted for in this term.
    commit : int
        Up to which entry it knows the log to be committed. (This one may be lost: it is found out again.)
    """

    term: int
    vote: int | None
    commit: int


class RequestVote(NamedTuple):
    """A candidate asks for a vote; its log ends with an entry `last_index` of `last_term`.

    With `pre_vote` it asks whether it would get one, in the term that it would begin. With `transfer` the leader itself
    has asked it to stand, so that nobody need protect that leader.
    """

    sender: int
    receiver: int
    term: int
    last_index: int
    last_term: int
    pre_vote: bool
    transfer: bool


class VoteReply(NamedTuple):
    """The answer: a vote that is granted has the term of the question, one that is refused has the voter's term."""

    sender: int
    receiver: int
    term: int
    granted: bool
    pre_vote: bool


class AppendEntries(NamedTuple):
    """The leader sends entries, which follow the one at `previous_index`, of `previous_term`.

    Up to `commit` its log is committed.
    """

    sender: int
    receiver: int
    term: int
    previous_index: int
    previous_term: int
    entries: tuple[Entry, ...]
    commit: int


class AppendReply(NamedTuple):
    """The answer: the log is the leader's up to `index`; or there was no such entry at `index`.

    An answer that rejects says where to look next: in the follower's log the last entry that may be the leader's is at
    `hint_index`, and has `hint_term`.
    """

    sender: int
    receiver: int
    term: int
    index: int  # type: ignore[assignment]  # hides tuple.index
    rejected: bool
    hint_index: int
    hint_term: int


class Heartbeat(NamedTuple):
    """The leader says that it still leads, in its round `round`; up to `commit` the receiver's log is committed."""

    sender: int
    receiver: int
    term: int
    commit: int
    round: int


class HeartbeatReply(NamedTuple):
    """The answer to the heartbeat of a round."""

    sender: int
    receiver: int
    term: int
    round: int


class ReadRequest(NamedTuple):
    """A follower asks its leader for the index that a read has to wait for."""

    sender: int
    receiver: int
    term: int
    context: Hashable


class ReadReply(NamedTuple):
    """The answer: the read of this context may be answered where `index` is applied."""

    sender: int
    receiver: int
    term: int
    index: int  # type: ignore[assignment]  # hides tuple.index
    context: Hashable


class TimeoutNow(NamedTuple):
    """The leader asks the receiver, which has all of its log, to stand for election at once."""

    sender: int
    receiver: int
    term: int


Message: TypeAlias = (
    RequestVote
    | VoteReply
    | AppendEntries
    | AppendReply
    | Heartbeat
    | HeartbeatReply
    | ReadRequest
    | ReadReply
    | TimeoutNow
)


class ReadState(NamedTuple):
    """A read that may be answered as soon as the entry at `index` is applied."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    context: Hashable


class Ready(NamedTuple):
    """What the program around a node has to do next, in this order.

    Attributes
    ----------
    hard_state : HardState or None
        To be written to the log store; None if it is as before.
    entries : tuple of Entry
        To be written to the log store, in the place of what it has from the first of them on.
    messages : tuple
        To be sent, when both are written.
    committed : tuple of Entry
        To be applied to the state machine, in order, those without data as nothing.
    read_states : tuple of ReadState
        Reads that may be answered as soon as their index is applied.
    must_sync : bool
        Whether what is written must have reached the disk before messages are sent.
    """

    hard_state: HardState | None
    entries: tuple[Entry, ...]
    messages: tuple[Message, ...]
    committed: tuple[Entry, ...]
    read_states: tuple[ReadState, ...]
    must_sync: bool
