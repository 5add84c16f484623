"""Clusters to which anything happens, in any order: what Raft promises holds after each step.

`Promises` holds the properties of the paper's figure 3 against what can be seen of all nodes at once; it knows nothing
of the code. Hypothesis finds short stories that break them, also with disks that are slow and crashes between two
writes; long walks at random try many steps, and see whether a cluster recovers in the end.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smlib.consensus import Entry, Options, Raft, Role
from smlib.consensus.raft import elections, log, quorums, reads
from smlib.consensus.raft.messages import RequestVote, VoteReply
from smlib.errors import ConsensusError, InputError, NotLeaderError, ProposalDroppedError
from tests.consensus.raft_scripts import Cluster

SEEDS = range(int(os.environ.get("SMLIB_SEARCH", "50")))


class Promises:
    """What has been seen of a cluster, and what must hold of it."""

    def __init__(self) -> None:
        self.leader_of: dict[int, int] = {}
        self.leads: dict[int, tuple[int, list[Entry]]] = {}
        self.committed: list[Entry] = []
        self.seen: dict[int, tuple[Raft, int, int]] = {}
        self.votes: dict[tuple[int, int], int] = {}
        self.heard = 0

    def check(self, cluster: Cluster) -> None:
        """Check figure 3 of the paper after a step, and that nobody has said to vote for two candidates of a term."""
        for message in cluster.said[self.heard :]:
            if isinstance(message, RequestVote | VoteReply) and not message.pre_vote:
                candidate = message.sender if isinstance(message, RequestVote) else message.receiver
                if isinstance(message, RequestVote) or message.granted:
                    voted = self.votes.setdefault((message.sender, message.term), candidate)
                    assert voted == candidate, "one vote a term"
        self.heard = len(cluster.said)
        logs = {peer: list(node.log.entries(1, node.log.last_index + 1)) for peer, node in cluster.nodes.items()}
        for peer, node in cluster.nodes.items():
            assert [entry.index for entry in logs[peer]] == list(range(1, len(logs[peer]) + 1))
            if node.role is Role.LEADER:
                assert self.leader_of.setdefault(node.term, peer) == peer, "election safety"
                term, before = self.leads.get(peer, (0, []))
                assert term != node.term or logs[peer][: len(before)] == before, "a leader only appends"
                assert logs[peer][: len(self.committed)] == self.committed or node.term < max(self.leader_of), (
                    "leader completeness"
                )
                self.leads[peer] = node.term, logs[peer]
            known, term, commit = self.seen.get(peer, (node, 0, 0))
            assert term <= node.term, "a term goes back"
            assert known is not node or commit <= node.log.commit, "what is committed goes back"
            self.seen[peer] = node, node.term, node.log.commit
        for first in logs.values():
            for second in logs.values():
                same = [a.index for a, b in zip(first, second, strict=False) if a[:2] == b[:2]]
                assert first[: max(same, default=0)] == second[: max(same, default=0)], "log matching"
        for applied in cluster.applied.values():
            both = min(len(applied), len(self.committed))
            assert applied[:both] == self.committed[:both], "state machine safety"
            self.committed += applied[both:]


class Reads:
    """Hears what the cluster tells of reads, and checks that each has seen all that was applied before it began."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.before: dict[str, list[str]] = {}
        self.answered = 0
        cluster.tell = self.tell

    def ask(self, peer: int) -> None:
        """Ask a node for a read."""
        name = f"r{len(self.before)}"
        longest = max(self.cluster.applied.values(), key=len)
        self.before[name] = [entry.data.decode() for entry in longest if entry.data]
        try:
            self.cluster.nodes[peer].read_index(name)
        except NotLeaderError:
            return

    def tell(self, line: str) -> None:
        begin, found, seen = line.partition(" sees ")
        if found:
            self.answered += 1
            before = self.before[begin.split()[-1]]
            assert seen.split()[: len(before)] == before, f"{begin} is out of date"


class Anything(RuleBasedStateMachine):
    """Three nodes, whose disks may be slow: between `ready` and `advance` anything may happen, also a crash."""

    @initialize(pre_vote=st.booleans(), check_quorum=st.booleans(), few=st.booleans())
    def start(self, pre_vote: bool, check_quorum: bool, few: bool) -> None:
        options = Options(
            election_ticks=2,
            pre_vote=pre_vote,
            check_quorum=check_quorum,
            max_entries=1 if few else 64,
            max_inflight=2 if few else 256,
        )
        self.cluster = Cluster(3, options)
        self.reads = Reads(self.cluster)
        self.promises = Promises()
        self.proposed = 0
        self.cluster.elect(1)

    @rule(peer=st.integers(1, 3), times=st.integers(1, 4))
    def tick(self, peer: int, times: int) -> None:
        for _ in range(times):
            if peer in self.cluster.nodes:
                self.cluster.nodes[peer].tick()
                self.cluster.work(peer)

    @rule(peer=st.integers(1, 3))
    def stand(self, peer: int) -> None:
        """Let all forget the leader, and this node be the first to ask for votes."""
        for other, node in self.cluster.nodes.items():
            node.heard_at = -10
            if other == peer and node.role is not Role.LEADER:
                elections.start_election(node)
                self.cluster.work(peer)

    @rule(place=st.integers(0, 20), keep=st.booleans(), lose=st.booleans())
    def message(self, place: int, keep: bool, lose: bool) -> None:
        """Deliver a message of those on the wire, or lose it; it may come once more."""
        if self.cluster.wire:
            place %= len(self.cluster.wire)
            message = self.cluster.wire[place]
            if lose or not keep:
                del self.cluster.wire[place]
            if keep or not lose:
                self.cluster.deliver(message)

    @rule(times=st.integers(1, 4), without=st.integers(0, 3))
    def deliver_all(self, times: int, without: int) -> None:
        """Deliver what is on the wire, and what that leads to, but not from or to one of them."""
        for _ in range(times):
            for message in self.cluster.wire[:]:
                if without not in message[:2]:
                    self.cluster.wire.remove(message)
                    self.cluster.deliver(message)

    @rule(peer=st.integers(1, 3))
    def propose(self, peer: int) -> None:
        if peer in self.cluster.nodes:
            try:
                self.cluster.nodes[peer].propose(b"v%d" % self.proposed)
                self.proposed += 1
            except (NotLeaderError, ProposalDroppedError):
                return
            self.cluster.work(peer)

    @rule(peer=st.integers(1, 3))
    def read(self, peer: int) -> None:
        if peer in self.cluster.nodes:
            self.reads.ask(peer)
            self.cluster.work(peer)

    @rule(peer=st.integers(1, 3), step=st.integers(1, 2))
    def transfer(self, peer: int, step: int) -> None:
        if peer in self.cluster.nodes and self.cluster.nodes[peer].role is Role.LEADER:
            self.cluster.nodes[peer].transfer_leadership((peer + step - 1) % 3 + 1)
            self.cluster.work(peer)

    @rule(peer=st.integers(1, 3))
    def begin_to_write(self, peer: int) -> None:
        """From now on this node's disk is busy."""
        if peer in self.cluster.nodes and peer not in self.cluster.writing:
            self.cluster.begin(peer)

    @precondition(lambda self: self.cluster.writing)
    @rule()
    def end_to_write(self) -> None:
        peer = next(iter(self.cluster.writing))
        self.cluster.end(peer)
        self.cluster.work(peer)

    @rule(peer=st.integers(1, 3), entries=st.booleans(), hard_state=st.booleans())
    def crash(self, peer: int, entries: bool, hard_state: bool) -> None:
        """Stop a node; of what it was about to write any part may be on its disk."""
        if peer in self.cluster.nodes:
            if peer in self.cluster.writing:
                self.cluster.write(peer, self.cluster.writing[peer], entries=entries, hard_state=hard_state)
            self.cluster.crash(peer)
            self.promises.seen.pop(peer, None)
            self.promises.leads.pop(peer, None)

    @rule(peer=st.integers(1, 3))
    def restart(self, peer: int) -> None:
        if peer not in self.cluster.nodes:
            self.cluster.start(peer)

    @invariant()
    def promises_hold(self) -> None:
        self.promises.check(self.cluster)


TestAnything = Anything.TestCase
TestAnything.settings = settings(stateful_step_count=50)


def walk(seed: int, steps: int = 500) -> int:
    """Let anything happen to a cluster, and then let it recover; return how many commands and reads came through."""
    rng = random.Random(seed)
    check_quorum = rng.random() < 0.6
    options = Options(
        election_ticks=rng.choice([3, 5, 10]),
        pre_vote=rng.random() < 0.6,
        check_quorum=check_quorum,
        reads=rng.choice(["quorum", "lease"]) if check_quorum else "quorum",
        max_entries=rng.choice([1, 2, 64]),
        max_inflight=rng.choice([1, 2, 256]),
    )
    cluster = Cluster(rng.choice([1, 2, 3, 3, 4, 5, 5]), options)
    reads, promises = Reads(cluster), Promises()
    loss, repetition, crashes = rng.uniform(0.0, 0.3), rng.uniform(0.0, 0.2), rng.choice([0.0, 0.01, 0.03])
    for step in range(steps):
        chosen, peer = rng.random(), rng.choice(cluster.ids)
        if chosen < 0.25:
            # Leases need clocks that go alike; for all else they may go as they like.
            cluster.tick(None if options.reads == "lease" else [peer])
        elif chosen < 0.32:
            for leader in cluster.leaders():
                propose(cluster, leader, b"v%d" % step)
        elif chosen < 0.40:
            if peer in cluster.nodes:
                reads.ask(peer)
                cluster.work(peer)
        elif chosen < 0.40 + crashes:
            if peer in cluster.nodes:
                cluster.crash(peer)
        elif chosen < 0.40 + 3 * crashes:
            if peer not in cluster.nodes:
                cluster.start(peer)
        elif chosen < 0.5:
            disturb(cluster, rng)
        else:
            for _ in range(min(rng.randrange(1, 15), len(cluster.wire))):
                place = rng.randrange(len(cluster.wire)) if rng.random() < 0.3 else 0
                message = cluster.wire[place]
                if rng.random() > repetition:
                    del cluster.wire[place]
                if rng.random() > loss:
                    cluster.deliver(message)
        promises.check(cluster)
    recover(cluster)
    promises.check(cluster)
    return len(promises.committed) + reads.answered


def propose(cluster: Cluster, leader: int, data: bytes) -> None:
    try:
        cluster.nodes[leader].propose(data)
    except ProposalDroppedError:
        return
    cluster.work(leader)


def disturb(cluster: Cluster, rng: random.Random) -> None:
    """Cut lines, heal them, or transfer the leadership."""
    chosen, leaders = rng.random(), cluster.leaders()
    if chosen < 0.3:
        cluster.cut = set()
    elif chosen < 0.37:
        lonely = rng.choice(leaders or list(cluster.ids))
        cluster.cut = {(lonely, other) for other in cluster.ids}
        if rng.random() < 0.6:
            cluster.cut |= {(other, lonely) for other in cluster.ids}
    elif chosen < 0.4:
        cluster.cut = {(a, b) for a in cluster.ids for b in cluster.ids if rng.random() < 0.3}
    elif chosen < 0.6 and leaders and len(cluster.ids) > 1:
        leader = rng.choice(leaders)
        cluster.nodes[leader].transfer_leadership(rng.choice(cluster.nodes[leader].others))
        cluster.work(leader)


def recover(cluster: Cluster) -> None:
    """Let all nodes run and all messages arrive: there must be one leader, and one log, all of it committed."""
    cluster.cut = set()
    for peer in cluster.ids:
        if peer not in cluster.nodes:
            cluster.start(peer)
    for _ in range(20 * cluster.options.election_ticks):
        cluster.tick()
        cluster.stabilize()
    (leader,) = cluster.leaders()
    propose(cluster, leader, b"end")
    cluster.stabilize()
    cluster.tick()
    cluster.stabilize()
    applied = list(cluster.applied.values())
    assert applied[0][-1].data == b"end"
    assert all(entries == applied[0] for entries in applied)


def test_long_walks() -> None:
    """SMLIB_SEARCH=5000 takes some minutes."""
    assert sum(walk(seed) for seed in SEEDS) > 20 * len(SEEDS)


# Walks find what is broken. (The simulator finds the more subtle ones.)

BROKEN: list[tuple[Any, str, Any]] = [
    (elections, "has_vote_left", lambda node, message: True),
    (elections, "is_up_to_date", lambda log, last_index, last_term: True),
    (elections, "record_answer", lambda node, voter, granted: node.votes.update({100 + len(node.votes): granted})),
    (quorums, "majority", lambda size: max(1, size // 2)),
    (log.RaftLog, "matches", lambda self, index, term: index <= self.last_index),
    (reads, "knows_commit", lambda node: True),
]


@pytest.mark.parametrize(("module", "name", "instead"), BROKEN, ids=[name for _, name, _ in BROKEN])
def test_walks_find_what_is_broken(module: Any, name: str, instead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, name, instead)
    with pytest.raises((AssertionError, ConsensusError, InputError)):
        sum(walk(seed) for seed in range(200))
