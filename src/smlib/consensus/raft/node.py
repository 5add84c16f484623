"""The state of a node: what it knows, in one place, and the few steps that every part of the protocol takes.

The parts (`elections`, `replication`, `rounds`, `reads`, `transfers`) are functions that take a node, look at its
state, change it, and put messages into its outbox. None of them calls another one to draw conclusions: a handler notes
a fact, as that a follower has an entry, and where a leader may now owe something to somebody, sets `due`. What it owes
is found out when the caller asks for it (`core`).

Roles::

                      times out           a majority would            a majority does
        FOLLOWER  ---------------> PRE_CANDIDATE ----------> CANDIDATE ---------------> LEADER
            ^                         |                         |                         |
            +-------------------------+-------------------------+-------------------------+
                 a newer term, a leader of this term, a lost vote, no majority in reach

Ongaro & Ousterhout (2014), sections 5.1 and 5.2, figures 2 and 4.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Hashable
from enum import Enum
from typing import NamedTuple

from smlib.consensus.raft.log import RaftLog
from smlib.consensus.raft.log_store import LogStore
from smlib.consensus.raft.messages import Entry, HardState, Message, ReadState
from smlib.consensus.raft.options import Options
from smlib.consensus.raft.progress import Progress
from smlib.errors import ConsensusError


class Role(Enum):
    """What a node is at the moment."""

    FOLLOWER = "follower"
    PRE_CANDIDATE = "pre-candidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER = Role


class PendingRead(NamedTuple):
    """A read that waits until a round of heartbeats proves that the leader led when it was asked for."""

    round: int
    index: int  # type: ignore[assignment]  # hides tuple.index
    reader: int
    context: Hashable


class Node:
    """The state of one node of a cluster.

    Attributes
    ----------
    id : int
    peers : tuple of int
        All nodes of the cluster, this one included.
    others : tuple of int
        All but this one.
    options : Options
    log : RaftLog
    term, vote : int, int or None
        The newest term that it has heard of, and whom it has voted for in it.
    role : Role
    leader : int or None
        The leader of this term, where it is known.
    votes : dict
        Who has answered when it last asked for votes, and whether it granted its own.
    progress : dict
        As a leader: what it knows of each of the others.
    outbox, read_states : list
        What the next `Ready` hands out.
    due : bool
        Whether the leader may owe something to somebody.
    ticks : int
        How many ticks have passed since it was started; all times are such numbers.
    election_at : int
        When it stands for election.
    heard_at : int
        When it has heard of a leader.
    round, confirmed_round, confirmed_at : int
        As a leader: the number of the last round of heartbeats; of the last one that a majority has answered, and when
        that one was begun.
    """

    __slots__ = (
        "confirmed_at",
        "confirmed_round",
        "due",
        "early_reads",
        "election_at",
        "handed_over",
        "heard_at",
        "heartbeat_at",
        "id",
        "leader",
        "lease_ended",
        "log",
        "options",
        "others",
        "outbox",
        "peers",
        "progress",
        "read_states",
        "reads",
        "rng",
        "role",
        "round",
        "round_starts",
        "round_unsent",
        "term",
        "ticks",
        "timeout",
        "transfer_ends",
        "transferee",
        "vote",
        "votes",
    )

    def __init__(
        self,
        id: int,  # noqa: A002  # the word of the paper
        peers: tuple[int, ...],
        log_store: LogStore,
        rng: random.Random,
        options: Options,
    ) -> None:
        self.id = id
        self.peers = peers
        self.others = tuple(peer for peer in peers if peer != id)
        self.options = options
        self.rng = rng
        written = log_store.hard_state()
        # A crash may have cut a write in two. How far the log is committed is found out again; a term that the log
        # speaks of was heard of, and no vote in it was promised.
        self.log = RaftLog(log_store, min(written.commit, log_store.last_index()))
        self.term, self.vote = written.term, written.vote
        if self.log.last_term() > self.term:
            self.term, self.vote = self.log.last_term(), None
        self.role = FOLLOWER
        self.leader: int | None = None
        self.votes: dict[int, bool] = {}
        self.outbox: list[Message] = []
        self.read_states: list[ReadState] = []
        self.due = False
        self.ticks = 0
        # Before the crash it may have answered a leader that holds a lease on this answer.
        self.heard_at = 0 if options.reads == "lease" else -options.election_ticks
        self._set_leadership({})
        self.draw_timeout()

    def _set_leadership(self, progress: dict[int, Progress]) -> None:
        """Begin or end to lead: what a leader keeps in mind is as at the beginning."""
        self.progress = progress
        self.round = self.confirmed_round = 0
        self.round_starts: deque[tuple[int, int]] = deque()
        self.round_unsent = False
        self.confirmed_at = self.heartbeat_at = self.ticks
        self.reads: deque[PendingRead] = deque()
        self.early_reads: list[tuple[int, Hashable]] = []
        self.transferee: int | None = None
        self.transfer_ends = 0
        self.handed_over = self.lease_ended = False

    def draw_timeout(self) -> None:
        """Draw how long it waits for a leader from now on, and begin to wait."""
        ticks = self.options.election_ticks
        self.timeout = self.rng.randrange(ticks, 2 * ticks)
        self.election_at = self.ticks + self.timeout

    def hard_state(self) -> HardState:
        """Return what must survive a crash."""
        return HardState(self.term, self.vote, self.log.commit)

    def become_follower(self, term: int) -> None:
        """Follow whoever leads in a term, this one or a newer one, in which it has not voted."""
        if term > self.term:
            self.term, self.vote = term, None
        self.leader = None
        if self.role is not FOLLOWER:
            self.role = FOLLOWER
            self._set_leadership({})
            self.draw_timeout()

    def become_leader(self) -> None:
        """Begin to lead, with an entry of the new term: only together with it older ones are committed (5.4.2)."""
        self.role, self.leader = LEADER, self.id
        self._set_leadership({other: Progress(self.log.last_index + 1) for other in self.others})
        self.log.append(Entry(self.term, self.log.last_index + 1, b""))
        self.due = True

    def hear_leader(self, leader: int) -> None:
        """Note that the leader of this term is there."""
        if leader != self.leader:
            if self.leader is not None:
                raise ConsensusError(
                    f"node {leader} sends as the leader of term {self.term}, which node {self.leader} leads: a node "
                    "has voted twice in this term, or has lost what it had written"
                )
            self.become_follower(self.term)
            self.leader = leader
        self.heard_at = self.ticks
        self.election_at = self.ticks + self.timeout
