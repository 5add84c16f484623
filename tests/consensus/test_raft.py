"""Raft by the sections of the paper, the contract of `ready` and `advance`, reads, leases and restarts."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from smlib.consensus import MemoryLogStore, Options, Raft, Role
from smlib.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    Entry,
    HardState,
    Heartbeat,
    HeartbeatReply,
    ReadState,
    RequestVote,
    TimeoutNow,
    VoteReply,
)
from tests.consensus.raft_nodes import leader_of, one_of, stand, work
from tests.consensus.raft_scripts import Cluster, store_with

# The essay.


@pytest.mark.interpreted
def test_the_example_by_hand() -> None:
    cluster = Cluster(3)
    said: list[str] = []
    cluster.tell = said.append
    cluster.elect(1)
    cluster.cut = {(1, 3)}
    said.clear()
    cluster.nodes[1].propose(b"x")
    cluster.work(1)
    cluster.stabilize()
    assert said == [
        "1->2 term 1: behind 1@1 append: 2@1 x; commit 1",
        "1->3 term 1: behind 1@1 append: 2@1 x; commit 1, lost",
        "2->1 term 1: I have 2",
        "1->2 term 1: behind 2@1 append: nothing; commit 2",
        "1->3 term 1: behind 2@1 append: nothing; commit 2, lost",
        "2->1 term 1: I have 2",
    ]
    # Machine 1 stops. Machine 3 has not got x, and is refused; machine 2 is elected, and x stays.
    cluster.cut = set()
    cluster.crash(1)
    for candidate in (3, 2):
        cluster.tick([2] * 20)
        cluster.stabilize()
        for _ in range(20):
            cluster.tick([candidate])
            cluster.stabilize()
    assert cluster.leaders() == [2]
    assert [entry.data for entry in cluster.applied[3]] == [b"", b"x", b""]


# Section 5.2: elections.


@pytest.mark.interpreted
def test_a_vote_is_written_before_the_answer_leaves() -> None:
    raft, _ = one_of(3)
    raft.step(RequestVote(2, 1, 5, 0, 0, False, False))
    ready = raft.ready()
    assert ready.hard_state == HardState(5, 2, 0)
    assert ready.must_sync
    assert ready.messages == (VoteReply(1, 2, 5, True, False),)


def test_one_vote_a_term() -> None:
    raft, store = one_of(3)
    for candidate, granted in ((2, True), (3, False), (2, True)):
        raft.step(RequestVote(candidate, 1, 1, 0, 0, False, False))
        assert work(raft, store) == [VoteReply(1, candidate, 1, granted, False)]
    raft.step(RequestVote(3, 1, 2, 0, 0, False, False))
    assert work(raft, store) == [VoteReply(1, 3, 2, True, False)]


@pytest.mark.parametrize(
    ("last_index", "last_term", "granted"),
    [(3, 2, True), (2, 2, False), (9, 1, False), (1, 3, True), (4, 2, True), (3, 1, False)],
)
def test_the_log_of_a_candidate_must_not_be_behind(last_index: int, last_term: int, granted: bool) -> None:
    raft, store = one_of(3, store_with([1, 1, 2]))
    raft.step(RequestVote(2, 1, 3, last_index, last_term, False, False))
    assert work(raft, store) == [VoteReply(1, 2, 3, granted, False)]


def test_timeouts_are_drawn_anew_from_their_range() -> None:
    raft, _ = one_of(3, election_ticks=7)
    drawn = set()
    for _ in range(200):
        raft.draw_timeout()
        drawn.add(raft.timeout)
    assert drawn == set(range(7, 14))


def test_a_pre_vote_changes_nothing_on_either_side() -> None:
    raft, store = one_of(3, store_with([1]))
    stand(raft)
    assert [message.term for message in work(raft, store)] == [2, 2]
    assert (raft.term, raft.vote, store.hard_state()) == (1, None, HardState(1, None, 0))
    raft.step(RequestVote(2, 1, 9, 1, 1, True, False))
    assert work(raft, store) == [VoteReply(1, 2, 9, True, True)]
    assert (raft.term, raft.vote, raft.role) == (1, None, Role.PRE_CANDIDATE)


def test_a_candidate_that_is_refused_learns_the_term() -> None:
    raft, store = one_of(3)
    stand(raft)
    work(raft, store)
    raft.step(VoteReply(2, 1, 8, False, True))
    assert (raft.term, raft.role, raft.vote) == (8, Role.FOLLOWER, None)


# Section 5.3: replication. Its own entries count when they are written.


def test_a_leader_counts_itself_when_it_has_written() -> None:
    raft, store = leader_of(3)
    index = raft.propose(b"x")
    ready = raft.ready()
    raft.step(AppendReply(2, 1, 1, index, False, 0, 0))
    assert raft.log.commit == index - 1  # one of three has x, node 2; the entry before is written here, too
    store.append(ready.entries)
    raft.advance(ready)
    assert raft.log.commit == index
    # And node 2 is told.
    assert raft.ready().messages == (AppendEntries(1, 2, 1, index, 1, (), index),)


def test_a_majority_of_others_is_enough() -> None:
    raft, _ = leader_of(3)
    index = raft.propose(b"x")
    raft.ready()
    for other in (2, 3):
        raft.step(AppendReply(other, 1, 1, index, False, 0, 0))
    assert raft.log.commit == index


def test_a_candidate_counts_its_own_vote_when_it_has_written() -> None:
    raft, store = one_of(1)
    stand(raft)
    assert (raft.role, raft.term) == (Role.CANDIDATE, 1)
    ready = raft.ready()
    assert ready.must_sync
    raft.advance(ready)
    assert raft.leader == 1
    # A vote of a term that is over does not count in the next one.
    raft, store = one_of(3, pre_vote=False)
    stand(raft)
    ready = raft.ready()
    while raft.term == 1:
        raft.tick()
    raft.advance(ready)
    assert (raft.role, raft.term, raft.votes) == (Role.CANDIDATE, 2, {})
    work(raft, store)
    assert raft.votes == {1: True}


def test_an_entry_that_was_replaced_while_it_was_written_does_not_count() -> None:
    raft, store = one_of(3)
    raft.step(AppendEntries(2, 1, 1, 0, 0, (Entry(1, 1, b"old"),), 0))
    ready = raft.ready()
    raft.step(AppendEntries(3, 1, 2, 0, 0, (Entry(2, 1, b"new"),), 0))
    store.append(ready.entries)
    raft.advance(ready)
    assert raft.log.persisted == 0
    ready = raft.ready()
    assert ready.entries == (Entry(2, 1, b"new"),)
    assert ready.messages == (AppendReply(1, 3, 2, 1, False, 0, 0),)


def test_what_comes_between_ready_and_advance_is_in_the_next_ready() -> None:
    raft, store = leader_of(3)
    first = raft.propose(b"x")
    ready = raft.ready()
    second = raft.propose(b"y")
    raft.step(AppendReply(2, 1, 1, first, False, 0, 0))
    store.append(ready.entries)
    raft.advance(ready)
    later = raft.ready()
    assert [entry.index for entry in later.entries] == [second]
    assert [entry.index for entry in later.committed] == [1, first]
    assert later.messages == (AppendEntries(1, 2, 1, first, 1, (Entry(1, second, b"y"),), first),)


def test_only_term_vote_and_entries_must_be_synced() -> None:
    raft, store = one_of(3)
    raft.step(AppendEntries(2, 1, 1, 0, 0, (Entry(1, 1, b"x"),), 0))
    work(raft, store)
    raft.step(Heartbeat(2, 1, 1, 1, 1))
    ready = raft.ready()
    assert (ready.hard_state, ready.must_sync) == (HardState(1, None, 1), False)
    raft.advance(ready)
    assert not raft.has_ready()
    raft.step(Heartbeat(2, 1, 1, 1, 2))
    assert raft.ready().hard_state is None


def test_a_batch_has_a_limit() -> None:
    raft, store = leader_of(3, max_entries=4, max_inflight=2)
    raft.step(AppendReply(2, 1, 1, 1, False, 0, 0))
    work(raft, store)
    for _ in range(10):
        raft.propose(b"x")
    sent = [len(message.entries) for message in work(raft, store) if isinstance(message, AppendEntries)]
    assert sent == [4, 4]


def test_a_lost_message_leads_to_no_storm() -> None:
    """Of 100 messages in flight one is lost. The 99 that do not fit lead to one message, not to 99."""
    cluster = Cluster(3)
    cluster.elect(1)
    for number in range(100):
        cluster.nodes[1].propose(b"%d" % number)
        cluster.work(1)
    lost = next(message for message in cluster.wire if message.receiver == 3)
    cluster.wire.remove(lost)
    said: list[str] = []
    cluster.tell = said.append
    cluster.stabilize()
    cluster.tick([1])
    cluster.stabilize()
    again = [line for line in said if line.startswith("1->3") and "append" in line and "nothing" not in line]
    assert len(again) == 2  # 100 entries, 64 in a message
    assert cluster.nodes[3].log.commit == 101


# Section 5.4.2, figure 8.


@pytest.mark.interpreted
def test_an_entry_of_an_earlier_term_is_committed_with_one_of_this_term() -> None:
    raft, store = one_of(3, store_with([1, 1]), pre_vote=False)
    stand(raft)
    work(raft, store)
    raft.step(VoteReply(2, 1, 2, True, False))
    work(raft, store)
    raft.step(AppendReply(2, 1, 2, 2, False, 0, 0))
    assert raft.log.commit == 0
    raft.step(AppendReply(2, 1, 2, 3, False, 0, 0))
    assert raft.log.commit == 3


# Reads and leases.


def test_a_round_that_was_confirmed_before_proves_nothing() -> None:
    raft, store = leader_of(3)
    raft.step(AppendReply(2, 1, 1, 1, False, 0, 0))
    raft.tick()
    work(raft, store)
    raft.step(HeartbeatReply(2, 1, 1, 1))
    raft.read_index("read")
    assert raft.ready().read_states == ()
    raft.step(HeartbeatReply(3, 1, 1, 1))
    raft.step(HeartbeatReply(2, 1, 1, 2))
    raft.step(HeartbeatReply(2, 1, 1, 2))
    raft.advance(raft._handed_out)  # type: ignore[arg-type]
    assert raft.ready().read_states == (ReadState(1, "read"),)


def test_an_answer_to_an_earlier_term_of_ours_confirms_nothing() -> None:
    """A leader was deposed, and leads again, when the answer to its old heartbeat comes: in the new term."""
    node, store = one_of(3)
    node.step(Heartbeat(3, 1, 4, 0, 1))
    work(node, store)
    node.step(Heartbeat(2, 1, 2, 0, 7))
    assert work(node, store) == [HeartbeatReply(1, 2, 4, 0)]
    node.step(AppendEntries(2, 1, 2, 5, 2, (), 5))
    assert work(node, store) == [AppendReply(1, 2, 4, 0, True, 0, 0)]


@pytest.mark.parametrize("election_ticks", [2, 3, 4, 5, 7, 10, 20, 33, 100])
def test_a_lease_ends_before_others_are_free(election_ticks: int) -> None:
    """On a clock that is a quarter faster, whose first tick comes at once."""
    lease = Options(election_ticks=election_ticks).lease_ticks
    assert lease * 1.25 <= election_ticks - 1
    assert (lease + 1) * 1.25 > election_ticks - 1


def lease_holder() -> tuple[Raft, MemoryLogStore]:
    """Return a leader whose last round of heartbeats, just begun, is confirmed."""
    raft, store = leader_of(3, reads="lease")
    raft.step(AppendReply(2, 1, 1, 1, False, 0, 0))
    raft.tick()
    work(raft, store)
    raft.step(HeartbeatReply(2, 1, 1, raft.round))
    work(raft, store)
    return raft, store


def answers(raft: Raft, store: MemoryLogStore) -> bool:
    """Return whether a read is answered at once."""
    raft.read_index("read")
    ready = raft.ready()
    raft.advance(ready)
    return bool(ready.read_states)


def test_a_lease_counts_from_when_the_round_began() -> None:
    raft, store = lease_holder()
    for _ in range(raft.options.lease_ticks - 1):
        raft.tick()
        work(raft, store)
        assert answers(raft, store)
    raft.tick()
    assert not answers(raft, store)


def test_a_lease_begins_with_a_round() -> None:
    raft, store = leader_of(3, reads="lease")
    raft.step(AppendReply(2, 1, 1, 1, False, 0, 0))
    work(raft, store)
    assert not answers(raft, store)


def test_a_transfer_ends_the_lease_for_the_term() -> None:
    raft, store = lease_holder()
    raft.transfer_leadership(3)
    assert not answers(raft, store)
    raft, store = lease_holder()
    raft.transfer_leadership(2)
    assert TimeoutNow(1, 2, 1) in work(raft, store)
    for _ in range(raft.options.election_ticks):
        raft.tick()
        work(raft, store)
        raft.step(HeartbeatReply(2, 1, 1, raft.round))
    assert raft.transferee is None
    raft.propose(b"x")
    work(raft, store)
    assert not answers(raft, store)


def test_a_promise_outlasts_a_term_that_came_by_another_way() -> None:
    """A node that hears a leader is told of a newer term, by a late answer, and is then asked for its vote in it."""
    raft, store = one_of(3, reads="lease")
    raft.tick()
    raft.step(Heartbeat(2, 1, 1, 0, 1))
    raft.step(VoteReply(3, 1, 2, False, False))
    work(raft, store)
    assert (raft.term, raft.leader) == (2, None)
    raft.step(RequestVote(3, 1, 2, 0, 0, False, False))
    assert work(raft, store) == [VoteReply(1, 3, 2, False, False)]
    raft.step(RequestVote(3, 1, 2, 0, 0, False, True))
    assert work(raft, store) == [VoteReply(1, 3, 2, True, False)]


@pytest.mark.parametrize(("reads", "votes"), [("quorum", True), ("lease", False)])
def test_a_node_that_was_just_started_may_have_promised(reads: str, votes: bool) -> None:
    raft, store = one_of(3, reads=reads)
    raft.step(RequestVote(2, 1, 1, 0, 0, False, False))
    assert bool(work(raft, store)) == votes
    raft.election_at = 100
    for _ in range(10):
        raft.tick()
    raft.step(RequestVote(2, 1, 1, 0, 0, False, False))
    assert work(raft, store) == [VoteReply(1, 2, 1, True, False)]


# Check-quorum.


def test_a_leader_steps_down_when_no_round_is_confirmed() -> None:
    raft, store = leader_of(3, election_ticks=5)
    for _ in range(4):
        raft.tick()
        work(raft, store)
    raft.step(HeartbeatReply(2, 1, 1, 2))  # the round that began at tick 2 of its term
    for _ in range(2):
        raft.tick()
        assert raft.role is Role.LEADER
        work(raft, store)
    raft.tick()
    assert raft.role is Role.FOLLOWER
    assert (raft.term, raft.vote, raft.leader, raft.progress) == (1, 1, None, {})
    assert raft.election_at >= raft.ticks + 5  # it waits like all others before it stands again


def test_what_a_leader_owed_is_owed_no_more_when_it_steps_down() -> None:
    raft, _ = leader_of(3)
    raft.propose(b"x")
    raft.read_index("read")
    raft.step(Heartbeat(2, 1, 2, 0, 1))
    ready = raft.ready()
    assert [type(message) for message in ready.messages] == [HeartbeatReply]
    assert ready.read_states == ()
    assert [entry.data for entry in ready.entries] == [b"x"]


# Restarts.


def test_a_restart_finds_what_was_written() -> None:
    cluster = Cluster(3)
    cluster.elect(1)
    for number in range(10):
        cluster.nodes[1].propose(b"%d" % number)
    cluster.work(1)
    cluster.stabilize()
    before = cluster.nodes[2]
    cluster.crash(2)
    cluster.start(2)
    after = cluster.nodes[2]
    assert (after.term, after.vote, after.log.commit) == (before.term, before.vote, before.log.commit)
    assert after.log.entries(1, 12) == before.log.entries(1, 12)
    assert cluster.applied[2] == cluster.applied[1]
    assert after.role is Role.FOLLOWER


def test_a_write_that_was_cut_in_two() -> None:
    """Only the hard state was written: the commit index is too high. Or only the entries: the term is too low."""
    store = store_with([1, 1])
    store.set_hard_state(HardState(1, 2, 5))
    raft = Raft(1, [1, 2, 3], store, 1)
    assert (raft.term, raft.vote, raft.log.commit) == (1, 2, 2)
    store = store_with([1, 3], term=2, vote=2)
    raft = Raft(1, [1, 2, 3], store, 1)
    assert (raft.term, raft.vote, raft.log.commit) == (3, None, 0)
    assert work(raft, store) == []
    assert store.hard_state() == HardState(3, None, 0)


@pytest.mark.interpreted
def test_the_same_calls_give_the_same_answers() -> None:
    def run(make_rng: Callable[[int], Any]) -> list[str]:
        said: list[str] = []
        cluster = Cluster(3)
        cluster.tell = said.append
        for peer, node in cluster.nodes.items():
            node.rng = make_rng(peer)
            node.draw_timeout()
        for number in range(60):
            cluster.tick()
            cluster.stabilize()
            for peer in cluster.leaders():
                cluster.nodes[peer].propose(b"%d" % number)
                cluster.work(peer)
        return said

    assert run(random.Random) == run(random.Random)
    assert len(run(random.Random)) > 500
