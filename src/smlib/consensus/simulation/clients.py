"""Clients: they ask for things, wait, give up, and take down what they have seen.

A client has one operation under way at a time. It asks a node of which it believes that it leads; one that does not
says who does, if it knows, and has done nothing. A proposal is answered when the node has applied it, by what the state
machine says to it. A read is put to any node, and answered from the node's own map, as soon as the core says that this
is safe; only some reads go through the log as well.

What a client does not know. It waits for `PATIENCE` at most. An operation without an answer may take effect later, or
never, and it is *not* tried again, for then it might take effect twice. In the history it stays open for ever; so does
one whose node has crashed. If another entry is committed where the client's would have been, though, the client learns
that its own never will be, and the operation has failed: it is no part of the history.

Why keys change. Each open operation must be considered by whoever judges the history at every later moment, for it may
have taken effect just then. So every `EPOCH` the clients turn to new keys, and what was left open burdens nobody.

Invariants:
  1. Each value is put once only, so that a read says which operation it has seen.
  2. No operation is proposed twice.
  3. An operation that was answered has its answer in the history; one that is open there may have taken effect; one
     that is not there has not.

Cost: O(1) an operation.

Herlihy & Wing, "Linearizability", *ACM Transactions on Programming Languages and Systems* 12 (1990), section 2; Ongaro,
*Consensus: Bridging Theory and Practice* (2014), chapter 6.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from smlib.consensus.linearizability_checking.operations import Operation
from smlib.consensus.simulation.state_machine import encode
from smlib.errors import NotLeaderError, ProposalDroppedError

if TYPE_CHECKING:
    from smlib.consensus.simulation.server import Server

CLIENTS = 12
# So many operations go through the log each tick, and every so many ticks there is a read besides, where clients have
# nothing under way.
PROPOSALS, READ_TICKS = 2, 4
# Times in milliseconds.
PATIENCE = 400
EPOCH = 2000
KEYS = 4


class Call:
    """An operation under way."""

    __slots__ = ("asked", "begin", "client", "deadline")

    def __init__(self, client: Client, begin: int, deadline: int, asked: tuple[str, ...]) -> None:
        self.client = client
        self.begin = begin
        self.deadline = deadline
        self.asked = asked


class Client:
    """Someone who asks; ``number`` is another one after an operation that was left open."""

    __slots__ = ("call", "number", "target")

    def __init__(self, number: int, target: int) -> None:
        self.number = number
        self.target = target
        self.call: Call | None = None


class Clients:
    """All clients of a cluster, and their history.

    Parameters
    ----------
    servers : dict from int to Server
        The nodes by id.
    dice : random.Random
        Decides who asks whom for what.
    """

    def __init__(self, servers: dict[int, Server], dice: Random) -> None:
        self._servers = servers
        self._ids = list(servers)
        self._dice = dice
        self._clients = [Client(number, self._ids[number % len(servers)]) for number in range(CLIENTS)]
        self._resting = False
        self._turn = 0
        self._ticks = 0
        self._moment = 0
        self._values = 0
        self._latest = ["" for _ in range(KEYS)]
        self.history: list[Operation] = []
        self.failed = self.open = 0

    def tick(self, now: int) -> None:
        """Give up what has taken too long, and begin new operations."""
        if self._resting:
            return
        for waiting in self._clients:
            if waiting.call is not None and waiting.call.deadline <= now:
                self.give_up(waiting.call)
        self._ticks += 1
        for _ in range(PROPOSALS):
            if (client := self._next_idle()) is not None:
                self._propose(client, now)
        if self._ticks % READ_TICKS == 0 and (client := self._next_idle()) is not None:
            self._read(client, now)

    def answer(self, call: Call, output: str | bool | None) -> None:
        """Take an answer down, if the client still waits for it."""
        if self._end(call):
            self._moment += 1
            self.history.append(Operation(call.client.number, call.begin, self._moment, call.asked, output))

    def fail(self, call: Call) -> None:
        """Tell a client that its operation will never take effect."""
        if self._end(call):
            self.failed += 1

    def give_up(self, call: Call) -> None:
        """Leave an operation open: it may take effect, or not. An open read says nothing."""
        client = call.client
        if self._end(call):
            client.target = self._dice.choice(self._ids)
            if call.asked[0] != "get":
                self.open += 1
                self.history.append(Operation(client.number, call.begin, None, call.asked, None))
                client.number += CLIENTS

    def stop(self) -> None:
        """Give up all that is under way, and ask for nothing any more."""
        self._resting = True
        for client in self._clients:
            if client.call is not None:
                self.give_up(client.call)

    def _end(self, call: Call) -> bool:
        if call.client.call is not call:
            return False
        call.client.call = None
        return True

    def _next_idle(self) -> Client | None:
        for _ in range(CLIENTS):
            self._turn = (self._turn + 1) % CLIENTS
            client = self._clients[self._turn]
            if client.call is None:
                return client
        return None

    def _begin(self, client: Client, now: int, asked: tuple[str, ...]) -> Call:
        self._moment += 1
        client.call = Call(client, self._moment, now + PATIENCE, asked)
        return client.call

    def _propose(self, client: Client, now: int) -> None:
        server = self._servers[client.target]
        raft = server.raft
        if raft is None:
            client.target = self._dice.choice(self._ids)
            return
        asked = self._choose(now)
        try:
            index = raft.propose(encode(*asked))
        except NotLeaderError as error:
            leader = error.leader
            client.target = self._dice.choice(self._ids) if leader in (None, client.target) else leader
            return
        except ProposalDroppedError:
            return
        server.waiting[index] = raft.term, self._begin(client, now, asked)

    def _read(self, client: Client, now: int) -> None:
        server = self._servers[self._dice.choice(self._ids)]
        if server.raft is None:
            return
        call = self._begin(client, now, ("get", self._key(now, self._dice.randrange(KEYS))))
        try:
            server.raft.read_index(call.begin)
        except NotLeaderError:
            client.call = None
            return
        server.reading[call.begin] = call

    def _choose(self, now: int) -> tuple[str, ...]:
        """Return what to ask for: half of it puts, the rest compare-and-sets and reads through the log."""
        dice = self._dice.random()
        slot = int(dice * 1000) % KEYS
        key = self._key(now, slot)
        if dice < 0.2:
            return "get", key
        self._values += 1
        latest, self._latest[slot] = self._latest[slot], str(self._values)
        if dice < 0.5:
            return "cas", key, latest, str(self._values)
        return "put", key, str(self._values)

    def _key(self, now: int, slot: int) -> str:
        return f"{now // EPOCH}.{slot}"
