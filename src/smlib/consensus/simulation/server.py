"""A node of the simulated cluster: the core, its disk, its state machine, and who waits for what.

The core does nothing by itself. It says what is to be done, as a `Ready`, and a server does it, in the order that Raft
demands: write, sync, only then send, apply, and answer. A sync takes time. Meanwhile messages come in and the clock
ticks, which the core allows; what they bring is in the next Ready::

    time      1          2          3          4
    core      ready -------------------------> advance, ready ...
    disk      [ write, sync          ]
    network                          send
    inputs         step   tick   step

Invariants:
  1. No message leaves before what was written with it is on the medium.
  2. A read is answered when the entry at its index has been applied, and not before.
  3. After a crash nothing is left but what the disk has kept.

Cost: O(1) for each message and entry.

Ongaro & Ousterhout, "In search of an understandable consensus algorithm" (2014), section 5 and figure 2.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from smlib.consensus.raft.core import Raft
from smlib.consensus.raft.messages import Entry, ReadState, Ready
from smlib.consensus.simulation.clients import Call, Clients
from smlib.consensus.simulation.disk import SimulatedLogStore
from smlib.consensus.simulation.state_machine import KeyValueMachine


class Server:
    """A node.

    ``raft`` is None while it is down; ``lives`` counts how often it has started; and of ``missed_tick`` ticks of the
    fastest clock its own misses one, or none if this is 0.
    """

    __slots__ = (
        "applied",
        "disk",
        "id",
        "lives",
        "machine",
        "missed_tick",
        "raft",
        "reading",
        "reads",
        "syncing",
        "touched",
        "waiting",
    )

    def __init__(self, node: int) -> None:
        self.id = node
        self.disk = SimulatedLogStore()
        self.lives = self.missed_tick = 0
        self.touched = False
        self.forget()

    def forget(self) -> None:
        """Lose all that is in memory."""
        self.raft: Raft | None = None
        self.machine = KeyValueMachine()
        self.applied = 0
        self.syncing: Ready | None = None
        # Index of a proposal -> its term, and who waits; context of a read -> who; reads with the index they wait for.
        self.waiting: dict[int, tuple[int, Call]] = {}
        self.reading: dict[Hashable, Call] = {}
        self.reads: list[tuple[int, Call]] = []

    def apply(self, entries: Sequence[Entry], clients: Clients) -> None:
        """Apply entries to the state machine, and answer who has proposed them."""
        machine, waiting = self.machine, self.waiting
        for entry in entries:
            output = machine.apply(entry.data) if entry.data else None
            if waiting and entry.index in waiting:
                term, call = waiting.pop(entry.index)
                if term == entry.term:
                    clients.answer(call, output)
                else:
                    clients.fail(call)
        self.applied = entries[-1].index

    def answer_reads(self, states: Sequence[ReadState], clients: Clients) -> None:
        """Answer the reads whose index has been applied, and keep the others."""
        for state in states:
            call = self.reading.pop(state.context, None)
            if call is not None:
                self.reads.append((state.index, call))
        later = []
        for index, call in self.reads:
            if index <= self.applied:
                clients.answer(call, self.machine.get(call.asked[1]))
            else:
                later.append((index, call))
        self.reads = later

    def calls(self) -> list[Call]:
        """Return whatever clients wait for here."""
        proposals = [call for _, call in self.waiting.values()]
        return [*proposals, *self.reading.values(), *(call for _, call in self.reads)]
