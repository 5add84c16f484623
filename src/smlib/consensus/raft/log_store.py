"""Where a node's log and its hard state are kept: what the core reads, and the caller writes.

The core never writes. It hands out a `Ready`, the caller writes it, and says so with `advance`. So whoever writes can
do so in its own way: into memory (here), into a file with one sync for many entries, into a simulated disk that fails.

Cost of `MemoryLogStore`: O(1) to look up a term, O(k) to read or append k entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from smlib.consensus.raft.messages import Entry, HardState
from smlib.errors import InputError


class LogStore(Protocol):
    """What a node reads of its past: after a restart all of it, later the entries that it has seen written."""

    def hard_state(self) -> HardState:
        """Return what was written last; ``HardState(0, None, 0)`` if nothing was."""

    def first_index(self) -> int:
        """Return the index of the first entry, 1."""

    def last_index(self) -> int:
        """Return the index of the last entry, 0 if there is none."""

    def term(self, index: int) -> int:
        """Return the term of an entry that is there."""

    def entries(self, start: int, stop: int) -> Sequence[Entry]:
        """Return the entries from `start` up to the one before `stop`, all of which are there."""


class MemoryLogStore:
    """A log store in memory: for tests, simulations, and to see what a store has to do.

    Examples
    --------
    >>> store = MemoryLogStore()
    >>> store.append([Entry(1, 1, b"x"), Entry(1, 2, b"y"), Entry(1, 3, b"z")])
    >>> store.append([Entry(2, 2, b"Y")])
    >>> [entry.data for entry in store.entries(1, 3)], store.last_index()
    ([b'x', b'Y'], 2)
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._hard_state = HardState(0, None, 0)

    def hard_state(self) -> HardState:
        """Return what was written last."""
        return self._hard_state

    def first_index(self) -> int:
        """Return the index of the first entry."""
        return 1

    def last_index(self) -> int:
        """Return the index of the last entry, 0 if there is none."""
        return len(self._entries)

    def term(self, index: int) -> int:
        """Return the term of an entry."""
        return self._entries[index - 1].term

    def entries(self, start: int, stop: int) -> list[Entry]:
        """Return the entries from `start` up to the one before `stop`."""
        return self._entries[start - 1 : stop - 1]

    def append(self, entries: Iterable[Entry]) -> None:
        """Write entries, in the place of what there is from the first of them on.

        Raises
        ------
        InputError
            If the first one leaves a gap behind the last one.
        """
        entries = list(entries)
        if entries:
            kept = entries[0].index - 1
            if not 0 <= kept <= len(self._entries):
                raise InputError(f"an entry has index {kept + 1}, but the log ends with {len(self._entries)}")
            self._entries[kept:] = entries

    def set_hard_state(self, hard_state: HardState) -> None:
        """Write the hard state."""
        self._hard_state = hard_state
