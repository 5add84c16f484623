"""The disk of a simulated node: a log store that forgets in a crash what was not synced.

There are two stores: what the node *sees*, and what is *on the medium*. A write changes the first at once and is put
down as pending; a sync brings what is pending to the medium. A crash lets a part of it survive, in the order in which
it was written, for the log is a file that grows at its end: some of the writes, and of the next one perhaps some of
its entries::

    on the medium   1 2 3
    pending         [4 5]  [6 7 8]  vote
    after a crash   1 2 3   or  1 2 3 4   or  ...  or  1 2 3 4 5 6 7 8 without the vote, or with it

So what was synced is there after every crash, and what was never synced perhaps; a node must be right in both cases.

Invariants:
  1. What a sync has covered is there after every crash.
  2. What is there beyond that was written, in this order, without a gap.

Cost: O(entries written); a crash O(log).

Ongaro & Ousterhout, "In search of an understandable consensus algorithm" (2014), figure 2: "updated on stable storage
before responding to RPCs"; Alagappan et al., "Protocol-aware recovery for consensus-based storage", *FAST* (2018).
"""

from __future__ import annotations

from random import Random

from smlib.consensus.raft.log_store import MemoryLogStore
from smlib.consensus.raft.messages import Entry, HardState, Ready


class SimulatedLogStore(MemoryLogStore):
    """What a node sees of its log, with the medium behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.medium = MemoryLogStore()
        self.pending: list[tuple[tuple[Entry, ...], HardState | None]] = []

    def write(self, ready: Ready) -> None:
        """Write what a node wants to be persisted; it is pending until a sync."""
        entries, hard_state = ready.entries, ready.hard_state
        store(self, entries, hard_state)
        self.pending.append((entries, hard_state))

    def sync(self) -> None:
        """Bring what is pending to the medium."""
        for entries, hard_state in self.pending:
            store(self.medium, entries, hard_state)
        self.pending.clear()

    def crash(self, dice: Random) -> SimulatedLogStore:
        """Return what a restart finds; this one is not to be used any more."""
        survivors = dice.randrange(len(self.pending) + 1)
        for entries, hard_state in self.pending[:survivors]:
            store(self.medium, entries, hard_state)
        if survivors < len(self.pending):
            torn = self.pending[survivors][0]
            store(self.medium, torn[: dice.randrange(len(torn) + 1)], None)
        found = SimulatedLogStore()
        entries = tuple(self.medium.entries(self.medium.first_index(), self.medium.last_index() + 1))
        for disk in (found, found.medium):
            store(disk, entries, self.medium.hard_state())
        return found


def store(log_store: MemoryLogStore, entries: tuple[Entry, ...], hard_state: HardState | None) -> None:
    """Put entries and hard state into a store."""
    if entries:
        log_store.append(entries)
    if hard_state is not None:
        log_store.set_hard_state(hard_state)
