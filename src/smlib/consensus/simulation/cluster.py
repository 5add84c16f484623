"""A whole cluster in one thread: nodes, network, disks and clocks are events in one heap.

The problem. A cluster runs on many machines at once, and goes wrong when two things happen in an order that nobody has
thought of. Such an order does not come again when one looks for it.

The idea. Let nothing run by itself. All that will happen, a message that arrives, a sync that ends, a tick, lies in one
heap, and the simulation takes out what is next. It is at that time then; nobody waits. Two events at the same time come
in the order in which they were put in::

    heap      (17, 204, deliver, AppendEntries(1 -> 3))      time, sequence, what to do, with what
              (17, 209, deliver, AppendEntries(1 -> 2))
              (18, 198, synced, node 4)
              (20, 150, tick)

Whatever is due at one millisecond is done, and then each node that was touched is asked once what it has to do. So a
leader that gets four replies at once answers all of them with one commit.

Invariants:
  1. Time never goes back, and what happens at one time happens in the order in which it was decided on.
  2. What a node does depends on its own state, on what it is handed, and on its own random stream.
  3. The invariants of Raft are looked at whenever a node may have changed; the first that is broken ends the run.

Cost: O(log n) for each event with n in the heap.

Ongaro & Ousterhout, "In search of an understandable consensus algorithm" (2014), section 5; Kleppmann, *Designing
Data-Intensive Applications*, chapter 8 (what networks, clocks and processes do).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from math import ceil
from typing import Any, TypeAlias

from smlib.consensus.invariants import Invariants, has_entry
from smlib.consensus.raft.core import Raft
from smlib.consensus.raft.messages import Message, Ready
from smlib.consensus.raft.node import LEADER
from smlib.consensus.raft.options import Options
from smlib.consensus.simulation.clients import Clients
from smlib.consensus.simulation.faults import Faults, draw_length
from smlib.consensus.simulation.random_streams import random_stream
from smlib.consensus.simulation.server import Server
from smlib.errors import SmlibError

# Milliseconds.
TICK = 10

Act: TypeAlias = Callable[[Any], object]
# Is told a time, what happened, and to what.
Record: TypeAlias = Callable[[int, str, Any], object]


class Cluster:
    """Nodes 1 to ``nodes``, at time 0.

    Parameters
    ----------
    seed : int
        Of all that is left to chance.
    nodes : int
        How many.
    faults : Faults
        What the network and the disks do; partitions and crashes are left to the caller.
    options : Options
        Of every node.
    core : callable
        Makes a node: `Raft`, or something like it.
    record : callable, optional
        Is told of everything: the time, what happened, and to what.
    """

    def __init__(
        self,
        seed: int,
        nodes: int,
        faults: Faults,
        options: Options,
        *,
        core: Callable[..., Raft] = Raft,
        record: Record | None = None,
    ) -> None:
        self.now = 0
        self.ids = range(1, nodes + 1)
        self.servers = {node: Server(node) for node in self.ids}
        self.invariants = Invariants(self.ids)
        self.clients = Clients(self.servers, random_stream(seed, "clients"))
        self.delivered = 0
        self.counts: Counter[str] = Counter()
        self.sent: Counter[type] = Counter()
        self._faults = faults
        self._seed = seed
        self._options = options
        self._core = core
        self._record = record
        self._heap: list[tuple[int, int, Act, Any]] = []
        self._sequence = 0
        self._touched: list[Server] = []
        # How many partitions cut the link from one node to another.
        self._cuts = {one: dict.fromkeys(self.ids, 0) for one in self.ids}
        self._loss, self._duplication = (random_stream(seed, name).random for name in ("loss", "duplication"))
        self._lateness, self._disk, self._crash = (random_stream(seed, name) for name in ("lateness", "disk", "crash"))
        self._late = self._lateness.random
        clocks = random_stream(seed, "clocks")
        for server in self.servers.values():
            if faults.drift:
                server.missed_tick = ceil(1 / (faults.drift * (1.0 - clocks.random())))
            self.restart(server.id)
        self.at(TICK, self._tick)

    def at(self, time: int, act: Act, argument: Any = None) -> None:
        """Let something happen at a time to come."""
        self._sequence += 1
        heappush(self._heap, (time, self._sequence, act, argument))

    def run(self, until: int) -> None:
        """Let happen what is due up to a time, or up to the first invariant that is broken."""
        heap, broken = self._heap, self.invariants.violations
        while heap[0][0] <= until and not broken:
            self.step()

    def step(self) -> None:
        """Let happen what is due at the next millisecond at which something is."""
        heap, touched = self._heap, self._touched
        self.now = self.invariants.time = now = heap[0][0]
        server = None
        try:
            while heap and heap[0][0] == now:
                _, _, act, argument = heappop(heap)
                act(argument)
            for server in touched:
                server.touched = False
                self._drain(server)
        except SmlibError as error:
            self.invariants.report(8, 0 if server is None else server.id, str(error))
        touched.clear()

    def restart(self, node: int) -> None:
        """Start a node with what is on its disk, if it is down."""
        server = self.servers[node]
        if server.raft is not None:
            return
        server.lives += 1
        dice = random_stream(self._seed, f"node {node}, life {server.lives}")
        server.raft = self._core(node, list(self.ids), server.disk, dice, self._options)
        self.invariants.restarted(server.raft)
        self._touch(server)
        if self._record is not None:
            self._record(self.now, "start", node)

    def crash(self, node: int) -> None:
        """Stop a node, with what its disk has not synced lost wholly or in part."""
        server = self.servers[node]
        for call in server.calls():
            self.clients.give_up(call)
        server.disk = server.disk.crash(self._crash)
        server.forget()
        self.counts["crashes"] += 1
        if self._record is not None:
            self._record(self.now, "crash", node)

    def cut(self, links: Iterable[tuple[int, int]]) -> None:
        """Cut links, each from a node to another: what is sent there from now on is lost."""
        for sender, receiver in links:
            self._cuts[sender][receiver] += 1

    def mend(self, links: Iterable[tuple[int, int]]) -> None:
        """Undo a `cut`."""
        for sender, receiver in links:
            self._cuts[sender][receiver] -= 1

    def heal(self) -> None:
        """Let nothing go wrong any more: links are mended, nodes restart, and network and disks do as they should."""
        self._faults = Faults.none()
        for receivers in self._cuts.values():
            receivers.update(dict.fromkeys(receivers, 0))
        for node in self.ids:
            self.restart(node)

    def leaders(self) -> list[Raft]:
        """Return the nodes that believe that they lead: none, one, or some in different terms."""
        rafts = [server.raft for server in self.servers.values()]
        return [raft for raft in rafts if raft is not None and raft.role is LEADER]

    def propose(self, leader: Raft, data: bytes) -> int:
        """Ask a leader for a command, and return its index."""
        self._touch(self.servers[leader.id])
        return leader.propose(data)

    def transfer(self, leader: Raft, to: int) -> None:
        """Ask a leader to hand over to another node."""
        self._touch(self.servers[leader.id])
        leader.transfer_leadership(to)

    @property
    def next_time(self) -> int:
        """When something happens next."""
        return self._heap[0][0]

    def all_have_applied(self, index: int, term: int) -> bool:
        """Return whether every node runs and has applied this entry."""
        return all(
            server.raft is not None and server.applied >= index and has_entry(server.raft, index, term)
            for server in self.servers.values()
        )

    def _tick(self, _: None) -> None:
        ticks = self.now // TICK
        for server in self.servers.values():
            if server.raft is not None and (server.missed_tick == 0 or ticks % server.missed_tick):
                server.raft.tick()
                self.invariants.saw(server.raft)
                self._touch(server)
        self.clients.tick(self.now)
        self.at(self.now + TICK, self._tick)

    def _touch(self, server: Server) -> None:
        if not server.touched:
            server.touched = True
            self._touched.append(server)

    def _deliver(self, messages: Sequence[Message]) -> None:
        """Hand over messages that arrive at one time."""
        servers, saw, touched, record = self.servers, self.invariants.saw, self._touched, self._record
        for message in messages:
            server = servers[message.receiver]
            raft = server.raft
            if raft is None:
                self.counts["to_the_dead"] += 1
                if record is not None:
                    record(self.now, "unheard", message)
                continue
            raft.step(message)
            saw(raft)
            self.delivered += 1
            if record is not None:
                record(self.now, "deliver", message)
            if not server.touched:
                server.touched = True
                touched.append(server)

    def _drain(self, server: Server) -> None:
        """Do what a node wants to be done, until it has to wait for its disk."""
        raft = server.raft
        if raft is None:
            return
        while server.syncing is None and raft.has_ready():
            ready = raft.ready()
            if ready.entries:
                self.invariants.wrote(server.id, ready.entries)
            if ready.entries or ready.hard_state is not None:
                server.disk.write(ready)
            if ready.must_sync:
                faults = self._faults
                length = faults.sync
                if faults.slow_syncs and self._disk.random() < faults.slow_syncs:
                    length += draw_length(self._disk, faults.longest_sync)
                server.syncing = ready
                if length:
                    self.at(self.now + length, self._synced, (server, server.lives))
                else:
                    self._synced((server, server.lives))
            else:
                self._finish(server, raft, ready)

    def _synced(self, which: tuple[Server, int]) -> None:
        """A sync has ended, unless the node has crashed in between."""
        server, life = which
        raft, ready = server.raft, server.syncing
        if raft is None or ready is None or server.lives != life:
            return
        server.disk.sync()
        server.syncing = None
        self._finish(server, raft, ready)
        self._touch(server)

    def _finish(self, server: Server, raft: Raft, ready: Ready) -> None:
        """Do what may be done when all is written."""
        if ready.messages:
            self._send(ready.messages)
        if ready.committed:
            self.invariants.applied(server.id, ready.committed)
            server.apply(ready.committed, self.clients)
        raft.advance(ready)
        if ready.must_sync:
            self.invariants.saw(raft)
        if ready.read_states or server.reads:
            server.answer_reads(ready.read_states, self.clients)

    def _send(self, messages: Sequence[Message]) -> None:
        """Put messages on their way, as the faults want it; those that are not late arrive together."""
        faults, cuts, sent, record = self._faults, self._cuts, self.sent, self._record
        loss, duplication, lateness = faults.loss, faults.duplication, faults.lateness
        punctual = self.now + faults.delay
        together = []
        for message in messages:
            sent[type(message)] += 1
            if cuts[message.sender][message.receiver]:
                self._lose(message, "cut")
            elif loss and self._loss() < loss:
                self._lose(message, "lost")
            else:
                if duplication and self._duplication() < duplication:
                    self.counts["duplicated"] += 1
                    late = punctual + draw_length(self._lateness, faults.longest_delay)
                    self.at(late, self._deliver, (message,))
                time = punctual
                if lateness and self._late() < lateness:
                    time += draw_length(self._lateness, faults.longest_delay)
                    self.at(time, self._deliver, (message,))
                else:
                    together.append(message)
                if record is not None:
                    record(self.now, "send", (time, message))
        if together:
            self.at(punctual, self._deliver, together)

    def _lose(self, message: Message, how: str) -> None:
        self.counts[how] += 1
        if self._record is not None:
            self._record(self.now, how, message)
