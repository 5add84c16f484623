"""Invariants of Raft: what must hold of a whole cluster at every moment, and which of it is broken first.

The problem. Each node knows only what it was told, and what makes Raft right is said of all nodes together: at most one
leader a term, logs that agree, nothing committed that is lost again. Somebody has to look at all of them at once. To
compare every log with every other after every message would make a test a thousand times slower.

The idea. What was true of the cluster once, a leader of a term, an entry with what is before it, an entry that is
committed, stays true for ever. So put each of these facts down in a table when it comes up, and look at what is *new*
beside the table, never at what was looked at before::

    a node                          looks up                      and must find                         number
    leads in term 7                 the leader of term 7          nobody, or itself                       1
    writes an entry, and leads      where its own log ended       the place just before the entry         2
    writes entry 5 of term 7        entry 5 of term 7             nothing, or the same data,              3
                                                                  behind an entry of the same term
    leads in term 7                 the last entry that was       in its own log                          4
                                    committed before term 7
    applies entry 5                 what was applied as 5         nothing, or the same entry              5
    has a commit index, a term      those that it had before      no more than it has now                 6

Why number 3 is enough for logs of any length: if an entry of a term, at a place, always has the same data and stands
behind an entry of the same term, then so does that one, and so on to the beginning. This is the induction by which the
paper proves log matching. And number 4 need only look at one entry: if the last one is there, then by number 3 all that
are before it are.

By hand. Node 1 leads in term 2, and so, somehow, does node 3:

>>> from types import SimpleNamespace
>>> def node(id, term, role, terms=(), commit=0):
...     log = SimpleNamespace(last_index=len(terms), term=lambda index: terms[index - 1], commit=commit)
...     return SimpleNamespace(id=id, term=term, role=role, log=log)
>>> invariants = Invariants([1, 2, 3])
>>> invariants.saw(node(1, 2, LEADER))
>>> invariants.saw(node(3, 2, LEADER))
>>> print(invariants.violations[0])
1, election safety: node 3 leads in term 2, in which node 1 has led

Invariants, numbered as they are reported; the first five are those of figure 3 of the paper:
  1. Election safety: a term has at most one leader.
  2. Leader append-only: a leader puts entries at the end of its log, and neither overwrites nor deletes.
  3. Log matching: if two logs have an entry of the same index and term, they are the same up to this entry.
  4. Leader completeness: an entry that was committed in a term is in the logs of the leaders of all later terms.
  5. State machine safety: no two nodes apply different entries at the same index, and each applies them in order.
  6. Monotone: a node's term never falls, and its commit index not before it restarts; it has all that it says is
     committed.
Two more are for the harness to see, and are reported here too:
  7. Progress: when nothing goes wrong any more, a new entry is soon applied by every node.
  8. No node raises `smlib.errors.ConsensusError`: that is how it says that what it hears cannot be.

Cost: O(1) for each message and each entry that is written or applied, and O(log) when a node restarts. `compare_logs`
compares everything with everything: O(nodes^2 log).

Ongaro & Ousterhout, "In search of an understandable consensus algorithm" (2014), figure 3 and section 5.4.3; Ongaro,
*Consensus: Bridging Theory and Practice* (2014), section 3.6.3 and appendix B (the same, proved).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from smlib.consensus.raft.core import Raft
from smlib.consensus.raft.messages import Entry
from smlib.consensus.raft.node import LEADER

NAMES = {
    1: "election safety",
    2: "leader append-only",
    3: "log matching",
    4: "leader completeness",
    5: "state machine safety",
    6: "monotone",
    7: "progress",
    8: "a node's own proof",
}


class Violation(NamedTuple):
    """An invariant that was broken: which, when, at which node, and what was seen."""

    number: int
    name: str
    time: int
    node: int
    detail: str

    def __str__(self) -> str:
        return f"{self.number}, {self.name}: {self.detail}"


class Invariants:
    """Watches a cluster, and puts down what is broken.

    The harness calls `saw` when a node may have changed, `wrote` and `applied` with what the node has handed out to be
    written and applied, and `restarted` when a node begins anew with its log store. None of them raises.

    Parameters
    ----------
    nodes : iterable of int
        The ids of the cluster.

    Attributes
    ----------
    violations : list of Violation
        What was broken, in order; empty as long as all is well.
    leaders : dict from int to int
        Who has led in which term.
    committed : int
        Up to which index entries are known to be committed anywhere.
    time : int
        Put down with each violation; the harness sets it.
    """

    def __init__(self, nodes: Iterable[int]) -> None:
        self.violations: list[Violation] = []
        self.leaders: dict[int, int] = {}
        self.committed = 0
        self.time = 0
        self._seen = {node: _Seen() for node in nodes}
        # (index, term) of an entry -> the term of the entry before it, and its data.
        self._origins: dict[tuple[int, int], tuple[int, bytes]] = {}
        # The last commit of each term, rising.
        self._commits: list[_Commit] = []
        self._applied: list[Entry] = []
        # The newest term that has a leader.
        self._newest = 0

    def saw(self, raft: Raft) -> None:
        """Look at a node's role, term and commit index: numbers 1, 4 and 6."""
        seen, term = self._seen[raft.id], raft.term
        if term != seen.term:
            if term < seen.term:
                self.report(6, raft.id, f"node {raft.id} goes back from term {seen.term} to {term}")
            seen.term = term
        if raft.role is not LEADER:
            seen.leads = 0
        elif seen.leads != term:
            seen.leads, seen.raft = term, raft
            self._elected(raft)
        if raft.log.commit != seen.commit:
            self._committed(raft, seen)

    def wrote(self, node: int, entries: Sequence[Entry]) -> None:
        """Look at entries that a node writes into its log store: numbers 2 and 3."""
        seen, origins = self._seen[node], self._origins
        terms = seen.terms
        first = entries[0].index
        if first < len(terms):
            if seen.leads:
                self.report(2, node, f"node {node}, the leader of term {seen.leads}, writes over its entry {first}")
            del terms[first:]
        previous = terms[-1]
        for entry in entries:
            index, term = entry.index, entry.term
            if index != len(terms):
                self.report(3, node, f"node {node} writes entry {index} behind entry {len(terms) - 1}")
            origin = (previous, entry.data)
            known = origins.setdefault((index, term), origin)
            if known != origin:
                self.report(
                    3,
                    node,
                    f"node {node} writes entry {index} of term {term} with {entry.data!r} behind one of term "
                    f"{previous}, where another has {known[1]!r} behind one of term {known[0]}",
                )
            terms.append(term)
            previous = term

    def applied(self, node: int, entries: Iterable[Entry]) -> None:
        """Look at entries that a node applies to its state machine: number 5."""
        seen, applied = self._seen[node], self._applied
        for entry in entries:
            index = entry.index
            if index != seen.applied + 1 or index > len(applied) + 1:
                self.report(5, node, f"node {node} applies entry {index} after entry {seen.applied}")
            elif index == len(applied) + 1:
                applied.append(entry)
            elif applied[index - 1] != entry:
                self.report(5, node, f"node {node} applies {entry}, where another has applied {applied[index - 1]}")
            seen.applied = index

    def restarted(self, raft: Raft) -> None:
        """Begin anew with a node that has only its log store, and an empty state machine."""
        seen = self._seen[raft.id] = _Seen()
        seen.term = raft.term
        seen.terms += [entry.term for entry in raft.log.entries(1, raft.log.last_index + 1)]

    def report(self, number: int, node: int, detail: str) -> None:
        """Put a violation down; numbers 7 and 8 are seen by the harness."""
        self.violations.append(Violation(number, NAMES[number], self.time, node, detail))

    def _elected(self, raft: Raft) -> None:
        term = raft.term
        leader = self.leaders.setdefault(term, raft.id)
        self._newest = max(self._newest, term)
        if leader != raft.id:
            self.report(1, raft.id, f"node {raft.id} leads in term {term}, in which node {leader} has led")
        for fact in reversed(self._commits):
            if fact.term < term:
                self._require_complete(raft, fact)
                break

    def _committed(self, raft: Raft, seen: _Seen) -> None:
        commit, term = raft.log.commit, raft.term
        if commit < seen.commit:
            self.report(6, raft.id, f"the commit index of node {raft.id} falls from {seen.commit} to {commit}")
        elif commit > raft.log.last_index:
            self.report(6, raft.id, f"node {raft.id} has committed {commit} entries of {raft.log.last_index}")
        elif commit > self.committed:
            self.committed = commit
            fact = _Commit(term, commit, raft.log.term(commit))
            if self._commits and self._commits[-1].term == term:
                self._commits[-1] = fact
            else:
                self._commits.append(fact)
            if term < self._newest:
                for other in self._seen.values():
                    if other.raft is not None and other.leads > term:
                        self._require_complete(other.raft, fact)
        seen.commit = commit

    def _require_complete(self, leader: Raft, fact: _Commit) -> None:
        if not has_entry(leader, fact.last, fact.entry_term):
            self.report(
                4,
                leader.id,
                f"node {leader.id} leads in term {leader.term} without entry {fact.last} of term {fact.entry_term}, "
                f"which was committed in term {fact.term}",
            )


class _Commit(NamedTuple):
    """In which term, up to which index, an entry of which term was committed."""

    term: int
    last: int
    entry_term: int


class _Seen:
    """What was seen of a node: its term, the term in which it leads (or 0), its indices, the terms of its log."""

    __slots__ = ("applied", "commit", "leads", "raft", "term", "terms")

    def __init__(self) -> None:
        self.raft: Raft | None = None
        self.term = self.leads = self.commit = self.applied = 0
        # That of index 0, which no entry has, is 0.
        self.terms = [0]


def has_entry(raft: Raft, index: int, term: int) -> bool:
    """Return whether a node's log has the entry of this index and term."""
    return index <= raft.log.last_index and raft.log.term(index) == term


def compare_logs(nodes: Sequence[Raft]) -> list[Violation]:
    """Compare nodes pair by pair, by the definitions: what is broken of 1, 3 and 5 at this moment.

    It looks at nothing but how the nodes stand now, and at all of that; `Invariants` sees more, for it remembers.
    """
    broken = []
    for k, one in enumerate(nodes):
        for other in nodes[:k]:
            if one.term == other.term and one.role is other.role is LEADER:
                broken.append((1, one.id, f"nodes {other.id} and {one.id} both lead in term {one.term}"))
            shared = range(1, min(one.log.last_index, other.log.last_index) + 1)
            entries = [node.log.entries(1, len(shared) + 1) for node in (one, other)]
            same = [mine == theirs for mine, theirs in zip(*entries, strict=True)]
            agreed = max((k for k in shared if one.log.term(k) == other.log.term(k)), default=0)
            if not all(same[:agreed]):
                broken.append((3, one.id, f"nodes {other.id} and {one.id} agree on entry {agreed}, not on all before"))
            if not all(same[: min(one.log.commit, other.log.commit)]):
                broken.append((5, one.id, f"nodes {other.id} and {one.id} have committed different entries"))
    return [Violation(number, NAMES[number], 0, node, detail) for number, node, detail in broken]
