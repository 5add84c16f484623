"""The core: a node of a Raft cluster as a machine without clock, disk or network.

Everything that happens to a node is one of a few calls: a message has come (`step`), some time has passed (`tick`),
somebody wants something (`propose`, `read_index`, `transfer_leadership`). What the node wants done about it is asked
for with `ready`, and that it was done is told with `advance`::

        messages from others        ticks       clients
                 |                    |            |
                 v step               v tick       v propose, read_index, transfer_leadership
        +--------------------------------------------------+
        |                    Raft: a node                  |  the same calls in the same order give the same answers
        +--------------------------------------------------+
                 | ready                           ^ advance: it was done
                 v                                 |
          1. write hard state and entries, sync    |
          2. send messages                         |
          3. apply committed entries, answer reads +

So it can be run by a simulator which has all time in its hands, by a test that delivers messages in any order, and by a
server with sockets and threads; and it is the same code. Order is all that the caller has to keep, above all that
nothing is sent before what was to be written is on the disk: what a node says, it must still know after a crash.

A message that no node of this cluster could have sent raises InputError, and changes nothing. One that is late,
repeated or out of order is no error, and is handled or dropped as the protocol has it. ConsensusError is raised where
what comes in contradicts what was promised: a node has forgotten what it had written, so the cluster can no longer be
trusted.

Ongaro & Ousterhout (2014), figure 2; the division of labour is that of etcd's raft.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from smlib.consensus.raft import elections, reads, replication, rounds, terms, transfers
from smlib.consensus.raft.log_store import LogStore
from smlib.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    Entry,
    Heartbeat,
    HeartbeatReply,
    Message,
    ReadReply,
    ReadRequest,
    Ready,
    RequestVote,
    TimeoutNow,
    VoteReply,
)
from smlib.consensus.raft.node import CANDIDATE, LEADER, Node
from smlib.consensus.raft.options import Options
from smlib.errors import ConsensusError, InputError, NotLeaderError, ProposalDroppedError

# What each message of the node's own term leads to.
HANDLERS: dict[type, Callable[[Node, Any], None]] = {
    RequestVote: elections.receive_request_vote,
    VoteReply: elections.receive_vote_reply,
    AppendEntries: replication.receive_append,
    AppendReply: replication.receive_append_reply,
    Heartbeat: rounds.receive_heartbeat,
    HeartbeatReply: rounds.receive_heartbeat_reply,
    ReadRequest: reads.receive_read_request,
    ReadReply: reads.receive_read_reply,
    TimeoutNow: transfers.receive_timeout_now,
}


class Raft(Node):
    """A node of a Raft cluster: it decides; the caller keeps time, writes, sends and applies.

    Parameters
    ----------
    id : int
        Its number.
    peers : iterable of int
        The numbers of all nodes of the cluster, its own included, the same for all of them.
    log_store : LogStore
        What it had written before it was stopped, or an empty store. The core reads it, the caller writes it.
    rng : random.Random, int or None
        Where election timeouts come from; a seed makes a run repeatable. Seeds of the nodes should differ.
    options : Options
        The same for all nodes.

    Raises
    ------
    InputError
        If `id` is not among the peers, a number comes twice, or the store does not begin with entry 1.

    Notes
    -----
    What is to be looked at: `id`, `term`, `vote`, `role`, `leader`, and `log` with `last_index`, `commit`, `applied`
    and ``term(index)``. See `Node` for the rest. After a restart `committed` begins with entry 1 again; a state machine
    that has kept its state skips what it has.

    Not for several threads at a time.

    References
    ----------
    Ongaro & Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)" (2014).

    Examples
    --------
    A cluster of one node, which has a majority by itself:

    >>> from smlib.consensus.raft.log_store import MemoryLogStore
    >>> store = MemoryLogStore()
    >>> raft = Raft(1, [1], store, rng=1)
    >>> def work():
    ...     while raft.has_ready():
    ...         ready = raft.ready()
    ...         store.append(ready.entries)
    ...         if ready.hard_state:
    ...             store.set_hard_state(ready.hard_state)
    ...         for entry in ready.committed:
    ...             print("apply", entry)
    ...         raft.advance(ready)
    >>> while raft.leader is None:
    ...     raft.tick()
    ...     work()
    apply Entry(term=1, index=1, data=b'')
    >>> raft.propose(b"x = 1")
    2
    >>> work()
    apply Entry(term=1, index=2, data=b'x = 1')
    """

    __slots__ = ("_handed_out", "_handed_out_state")

    def __init__(
        self,
        id: int,  # noqa: A002  # the word of the paper
        peers: Iterable[int],
        log_store: LogStore,
        rng: random.Random | int | None,
        options: Options | None = None,
    ) -> None:
        numbers = tuple(sorted(peers))
        if id not in numbers or len(set(numbers)) < len(numbers):
            raise InputError(f"peers is {list(numbers)}; it must name every node once, and node {id} among them")
        if log_store.first_index() != 1:
            raise InputError(f"the log store begins with entry {log_store.first_index()}; it must have all from 1")
        generator = rng if isinstance(rng, random.Random) else random.Random(rng)
        super().__init__(id, numbers, log_store, generator, options or Options())
        self._handed_out: Ready | None = None
        self._handed_out_state: tuple[int, int | None, int] = log_store.hard_state()

    def __repr__(self) -> str:
        log = self.log
        return (
            f"Raft({self.id}, {self.role.value} of term {self.term}, leader {self.leader}, "
            f"last {log.last_index}, commit {log.commit}, applied {log.applied})"
        )

    def step(self, message: Message) -> None:
        """Take a message that has come from another node.

        Parameters
        ----------
        message : Message
            Any of the messages that are handed out by `ready` of the other nodes, as often and as late as it comes.

        Raises
        ------
        InputError
            If no node of this cluster could have sent it to this one; nothing has changed.
        ConsensusError
            If it contradicts what this node knows to be committed, or comes from a second leader of a term.
        """
        handler = HANDLERS.get(type(message))
        if handler is None:
            raise InputError(f"a message is a {type(message).__name__}; it must be one of those in raft.messages")
        if message.receiver != self.id or message.sender not in self.others:
            raise InputError(
                f"a message goes from node {message.sender} to node {message.receiver}; this is node {self.id}, "
                f"and the others are {list(self.others)}"
            )
        if type(message) is AppendEntries and message.entries:
            replication.check_entries(message)
        if message.term == self.term or terms.settle(self, message):
            handler(self, message)

    def tick(self) -> None:
        """Note that time has passed, as much as the caller has chosen a tick to be."""
        self.ticks += 1
        if self.role is LEADER:
            self._tick_leader()
        elif self.ticks >= self.election_at:
            elections.start_election(self)

    def _tick_leader(self) -> None:
        if self.options.check_quorum and rounds.is_cut_off(self):
            self.become_follower(self.term)
            return
        transfers.give_up(self)
        if self.ticks >= self.heartbeat_at:
            rounds.begin_round(self)

    def propose(self, data: bytes) -> int:
        """Ask for a command to be added to the log.

        Parameters
        ----------
        data : bytes
            The command, not empty.

        Returns
        -------
        int
            The index that the entry will have if it is committed; another leader may put another entry there. It is
            this one that is committed if it has the term in which it was proposed.

        Raises
        ------
        InputError
            If data is not bytes, or empty.
        NotLeaderError
            If this node does not lead; its attribute `leader` says who does, where that is known.
        ProposalDroppedError
            If the leader is about to hand over.
        """
        if self.role is not LEADER:
            raise NotLeaderError(self.id, self.leader)
        if self.transferee is not None:
            raise ProposalDroppedError(f"node {self.id} hands over to node {self.transferee}: try again in a moment")
        if not isinstance(data, bytes) or not data:
            raise InputError(f"data is {data!r}; it must be bytes, and not empty, as the first entry of a term is")
        index = self.log.last_index + 1
        self.log.append(Entry(self.term, index, data))
        self.due = True
        return index

    def read_index(self, context: Hashable) -> None:
        """Ask up to where the state machine must be to answer a read as of now; a `ReadState` will tell.

        Parameters
        ----------
        context : hashable
            What the answer is to be known by, best a number that is used once. There may be no answer, if messages are
            lost or the leader steps down; then ask again.

        Raises
        ------
        NotLeaderError
            If this node does not know who leads.
        """
        if self.role is LEADER:
            reads.ask(self, self.id, context)
        elif self.leader is not None:
            self.outbox.append(ReadRequest(self.id, self.leader, self.term, context))
        else:
            raise NotLeaderError(self.id, None)

    def transfer_leadership(self, to: int) -> None:
        """Hand over to another node, if it can be done within an election timeout; meanwhile proposals are refused.

        Parameters
        ----------
        to : int
            One of the other nodes.

        Raises
        ------
        InputError
            If it is not one of the others.
        NotLeaderError
            If this node does not lead.
        """
        if to not in self.others:
            raise InputError(f"to is {to}; it must be one of the other nodes, {list(self.others)}")
        if self.role is not LEADER:
            raise NotLeaderError(self.id, self.leader)
        transfers.begin_transfer(self, to)

    def report_unreachable(self, peer: int) -> None:
        """Tell that messages to a node seem to be lost: the leader sends it one at a time until one is answered.

        Parameters
        ----------
        peer : int
            One of the other nodes.

        Raises
        ------
        InputError
            If it is not one of the others.
        """
        if peer not in self.others:
            raise InputError(f"peer is {peer}; it must be one of the other nodes, {list(self.others)}")
        replication.report_unreachable(self, peer)

    def has_ready(self) -> bool:
        """Return whether there is something to do; now and then `ready` finds that there is nothing after all."""
        log = self.log
        return (
            self.due
            or bool(self.outbox)
            or bool(log.tail)
            or log.commit > log.applied
            or bool(self.read_states)
            or (self.term, self.vote, log.commit) != self._handed_out_state
        )

    def ready(self) -> Ready:
        """Return what is to be done now; tell with `advance` that it was done, before it is called again.

        Returns
        -------
        Ready
            To be done in this order: write `entries` and `hard_state`, synced if `must_sync`; send `messages`; apply
            `committed`, answer those of `read_states` whose index is applied, and keep the others.

        Raises
        ------
        ConsensusError
            If the last one was not advanced.
        """
        if self._handed_out is not None:
            raise ConsensusError("ready() was called twice; call advance() when what it returned has been done")
        if self.due:
            self._find_due()
        log, known = self.log, self._handed_out_state
        state = (self.term, self.vote, log.commit)
        entries, messages, read_states = tuple(log.tail), tuple(self.outbox), tuple(self.read_states)
        hard_state = None if state == known else self.hard_state()
        committed = log.entries(log.applied + 1, log.commit + 1) if log.commit > log.applied else ()
        must_sync = bool(entries) or state[:2] != known[:2]
        self.outbox, self.read_states, self.round_unsent = [], [], False
        self._handed_out = Ready(hard_state, entries, messages, committed, read_states, must_sync)
        self._handed_out_state = state
        return self._handed_out

    def _find_due(self) -> None:
        """Find out what a leader owes: answers to reads, its office to another one, entries."""
        self.due = False
        if self.role is LEADER:
            reads.answer_due(self)
            transfers.hand_over_due(self)
            replication.send_due(self)

    def advance(self, ready: Ready) -> None:
        """Note that all was done: what was written counts from now on, and what was committed is applied.

        Parameters
        ----------
        ready : Ready
            What `ready` has returned.

        Raises
        ------
        ConsensusError
            If it is not the last one that was returned, or was advanced before.
        """
        if ready is not self._handed_out:
            raise ConsensusError("advance() was called with something else than ready() has returned last")
        self._handed_out = None
        if ready.committed:
            self.log.applied = ready.committed[-1].index
        if ready.entries:
            self.log.persist_to(ready.entries[-1])
            if self.role is LEADER:
                replication.advance_commit(self)
        if self.role is CANDIDATE and self._handed_out_state[0] == self.term:
            elections.count_own_vote(self)
