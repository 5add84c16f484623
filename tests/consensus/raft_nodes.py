"""A node alone: the test is the network, and says what the others say."""

from __future__ import annotations

from typing import Any

from smlib.consensus import MemoryLogStore, Options, Raft, Role
from smlib.consensus.raft.messages import Message, VoteReply


def stand(raft: Raft) -> None:
    """Let time pass until a node stands for election."""
    while raft.role is Role.FOLLOWER:
        raft.tick()


def work(raft: Raft, store: MemoryLogStore) -> list[Message]:
    """Do what a node wants done; return what it says."""
    said: list[Message] = []
    while raft.has_ready():
        ready = raft.ready()
        store.append(ready.entries)
        if ready.hard_state is not None:
            store.set_hard_state(ready.hard_state)
        said += ready.messages
        raft.advance(ready)
    return said


def one_of(size: int, store: MemoryLogStore | None = None, **options: Any) -> tuple[Raft, MemoryLogStore]:
    """Return node 1 of a cluster, and its store."""
    store = store or MemoryLogStore()
    return Raft(1, range(1, size + 1), store, 1, Options(**options)), store


def leader_of(size: int, **options: Any) -> tuple[Raft, MemoryLogStore]:
    """Return node 1 of a cluster, elected by node 2 to term 1, and its store; it has said what there was to say."""
    raft, store = one_of(size, pre_vote=False, **options)
    stand(raft)
    work(raft, store)
    for other in range(2, size // 2 + 2):
        raft.step(VoteReply(other, 1, 1, True, False))
    assert raft.role is Role.LEADER
    work(raft, store)
    return raft, store
