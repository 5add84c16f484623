"""The log of a node: what the store has of it, and behind that what is in memory alone.

::

    index        1  2  3  4  5  6  7  8  9
                 [   the store   ][ memory ]
                       |  |     |          |
                 applied  commit  persisted  last_index

What a node has been given goes to the tail in memory. The caller writes it to the store, and says so; then the tail
begins behind it. Up to `commit` entries are for ever; up to `applied` the state machine has them.

*Log matching*: if two logs have an entry of the same index and term, they have the same entries up to there. It holds
because a leader makes one entry for an index, and because a follower takes entries only behind one that it has, too. So
comparing two logs up to an index is comparing one number, and terms never decrease from entry to entry.

Where a follower refuses, both sides use this to skip many entries at once. By hand::

    index       1 2 3 4 5 6 7 8 9
    leader      1 1 1 3 3 3 5 5 5        asks for (9, term 5)
    follower    1 1 1 1 2 2 4 4          has nothing at 9; its last entry of a term up to 5 is (8, term 4)
    leader                               its last one up to index 8 of a term up to 4 is (6, term 3), and asks for that
    follower                             its last one up to index 6 of a term up to 3 is (6, term 2)
    leader                               its last one up to index 6 of a term up to 2 is (3, term 1): it matches

One question for each term in which the logs differ, not for each entry.

Invariants:
  1. ``applied <= commit <= last_index`` and ``persisted <= last_index``.
  2. Indexes are consecutive, and terms never decrease.
  3. No entry up to `commit` is ever replaced.

Cost: a term is looked up in O(1), a conflict is found in O(log n) by bisection, k entries are added in O(k).

Ongaro & Ousterhout (2014), sections 5.3 and 5.4.
"""

from __future__ import annotations

from bisect import bisect_right

from smlib.consensus.raft.log_store import LogStore
from smlib.consensus.raft.messages import Entry
from smlib.errors import ConsensusError


class RaftLog:
    """A log of which the beginning lies in a store, and the end in memory.

    Attributes
    ----------
    last_index : int
        The index of the last entry, 0 if there is none.
    persisted : int
        The index of the last entry that is in the store.
    commit : int
        The index of the last entry that is known to be committed.
    applied : int
        The index of the last entry that the caller has applied.
    """

    __slots__ = ("applied", "commit", "last_index", "persisted", "store", "tail")

    def __init__(self, store: LogStore, commit: int) -> None:
        self.store = store
        self.tail: list[Entry] = []
        self.last_index = self.persisted = store.last_index()
        self.commit = commit
        self.applied = 0

    def term(self, index: int) -> int:
        """Return the term of an entry; 0 where there is none."""
        if index > self.persisted:
            return self.tail[index - self.persisted - 1].term if index <= self.last_index else 0
        return self.store.term(index) if index > 0 else 0

    def last_term(self) -> int:
        """Return the term of the last entry; 0 if there is none."""
        return self.term(self.last_index)

    def entries(self, start: int, stop: int) -> tuple[Entry, ...]:
        """Return the entries from `start` up to the one before `stop`, all of which are there."""
        begin = self.persisted + 1
        if start >= begin:
            return tuple(self.tail[start - begin : stop - begin])
        if stop <= begin:
            return tuple(self.store.entries(start, stop))
        return (*self.store.entries(start, begin), *self.tail[: stop - begin])

    def matches(self, index: int, term: int) -> bool:
        """Return whether it has this entry: then it has all before it, too."""
        return index <= self.last_index and self.term(index) == term

    def last_of_terms_up_to(self, term: int, index: int) -> int:
        """Return the index of the last entry at or before `index` whose term is at most `term`; 0 if there is none."""
        return bisect_right(range(1, min(index, self.last_index) + 1), term, key=self.term)

    def append(self, entry: Entry) -> None:
        """Add an entry at the end."""
        self.tail.append(entry)
        self.last_index = entry.index

    def merge(self, entries: tuple[Entry, ...]) -> None:
        """Take over a leader's entries, which follow one that matches: what is there stays, what differs is replaced.

        An old message has entries that are all there, with more behind them. These are kept: it does not say that the
        leader has none there.
        """
        for place, entry in enumerate(entries):
            if not self.matches(entry.index, entry.term):
                if entry.index <= self.last_index:
                    self._truncate(entry)
                self.tail.extend(entries[place:])
                self.last_index = entries[-1].index
                return

    def _truncate(self, entry: Entry) -> None:
        """Drop all from where an entry is to stand; `merge` puts it there."""
        if entry.index <= self.commit:
            raise ConsensusError(
                f"entry {entry.index} is committed with term {self.term(entry.index)}, but a leader sends another one, "
                f"of term {entry.term}: a node has lost what it had written, or there were two leaders"
            )
        self.persisted, kept = min(self.persisted, entry.index - 1), entry.index - 1 - self.persisted
        del self.tail[max(kept, 0) :]

    def commit_to(self, index: int) -> None:
        """Note that entries up to `index` are committed; never back."""
        if index > self.commit:
            if index > self.last_index:
                raise ConsensusError(
                    f"the leader says that entry {index} is committed here, but the log ends with {self.last_index}: "
                    "this node has lost entries that it had written"
                )
            self.commit = index

    def persist_to(self, entry: Entry) -> None:
        """Note that the store has the log up to an entry, if it has not been replaced meanwhile."""
        if entry.index > self.persisted and self.matches(entry.index, entry.term):
            del self.tail[: entry.index - self.persisted]
            self.persisted = entry.index
