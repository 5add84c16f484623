"""What a node refuses: options, messages, commands and calls that cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from smlib.consensus import MemoryLogStore, Options, Raft
from smlib.consensus.raft.messages import AppendEntries, Entry, HardState, Heartbeat
from smlib.errors import ConsensusError, InputError, NotLeaderError, ProposalDroppedError
from tests.consensus.raft_nodes import leader_of, one_of


@pytest.mark.parametrize(
    ("peers", "message"),
    [([2, 3], "peers is \\[2, 3\\]; it must name every node once, and node 1"), ([1, 2, 2], "peers is \\[1, 2, 2\\]")],
)
def test_peers_that_cannot_be(peers: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Raft(1, peers, MemoryLogStore(), 1)


def test_a_log_without_its_beginning() -> None:
    class CutStore(MemoryLogStore):
        def first_index(self) -> int:
            return 5

    with pytest.raises(InputError, match="begins with entry 5; it must have all from 1"):
        Raft(1, [1], CutStore(), 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"election_ticks": 1}, "election_ticks is 1; it must be an integer of at least 2"),
        ({"election_ticks": 2.5}, "election_ticks is 2.5"),
        ({"heartbeat_ticks": 0}, "heartbeat_ticks is 0"),
        ({"heartbeat_ticks": 10}, "must be more than heartbeat_ticks, which is 10"),
        ({"max_entries": 0}, "max_entries is 0"),
        ({"max_inflight": -1}, "max_inflight is -1"),
        ({"reads": "stale"}, "reads is 'stale'"),
        ({"reads": "lease", "check_quorum": False}, "needs check_quorum"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Options(**options)


@pytest.mark.parametrize("message", [None, (1, 2, 3), HardState(1, None, 0)])
def test_what_is_no_message(message: Any) -> None:
    raft, _ = one_of(3)
    with pytest.raises(InputError, match=r"it must be one of those in raft\.messages"):
        raft.step(message)


@pytest.mark.parametrize(("sender", "receiver"), [(2, 3), (4, 1), (1, 1), (0, 1)])
def test_messages_from_strangers_or_to_others(sender: int, receiver: int) -> None:
    raft, _ = one_of(3)
    with pytest.raises(InputError, match=f"goes from node {sender} to node {receiver}; this is node 1"):
        raft.step(Heartbeat(sender, receiver, 99, 0, 1))
    assert raft.term == 0
    assert not raft.has_ready()


@pytest.mark.parametrize(
    "entries",
    [
        (Entry(1, 3, b"x"),),
        (Entry(1, 1, b"x"), Entry(1, 3, b"x")),
        (Entry(1, 1, b"x"), Entry(1, 1, b"x")),
        (Entry(2, 1, b"x"), Entry(1, 2, b"x")),
        (Entry(4, 1, b"x"),),
    ],
)
def test_entries_that_no_leader_sends_change_nothing(entries: tuple[Entry, ...]) -> None:
    raft, _ = one_of(3)
    with pytest.raises(InputError, match="must stand"):
        raft.step(AppendEntries(2, 1, 3, 0, 0, entries, 0))
    assert (raft.term, raft.log.last_index) == (0, 0)
    assert not raft.has_ready()


@pytest.mark.parametrize("data", ["x", b"", None, bytearray(b"x")])
def test_commands_are_bytes(data: Any) -> None:
    raft, _ = leader_of(3)
    with pytest.raises(InputError, match="it must be bytes, and not empty"):
        raft.propose(data)


def test_who_does_not_lead_says_who_does() -> None:
    raft, _ = one_of(3)
    for call in (lambda: raft.propose(b"x"), lambda: raft.read_index("x"), lambda: raft.transfer_leadership(2)):
        with pytest.raises(NotLeaderError, match="does not know who does") as caught:
            call()
        assert caught.value.leader is None
    raft.step(Heartbeat(2, 1, 1, 0, 1))
    with pytest.raises(NotLeaderError, match="ask node 2") as caught:
        raft.propose(b"x")
    assert caught.value.leader == 2
    assert isinstance(caught.value, ConsensusError)


def test_proposals_wait_for_a_transfer() -> None:
    raft, _ = leader_of(3)
    raft.transfer_leadership(2)
    with pytest.raises(ProposalDroppedError, match="hands over to node 2"):
        raft.propose(b"x")


def test_ready_and_advance_take_turns() -> None:
    raft, _ = one_of(1)
    ready = raft.ready()
    with pytest.raises(ConsensusError, match="call advance"):
        raft.ready()
    with pytest.raises(ConsensusError, match="something else"):
        raft.advance(ready._replace(must_sync=True))
    raft.advance(ready)
    with pytest.raises(ConsensusError, match="something else"):
        raft.advance(ready)


def test_it_shows_itself() -> None:
    raft, _ = leader_of(3)
    assert repr(raft) == "Raft(1, leader of term 1, leader 1, last 1, commit 0, applied 0)"
