"""Mutants of the core: each has one rule of Raft broken, and must be found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from smlib.consensus.raft import elections, quorums, reads, replication
from smlib.consensus.raft.log import RaftLog
from smlib.consensus.raft.messages import HardState
from smlib.consensus.raft.node import Node


class Mutant(NamedTuple):
    """Where the core is changed, and to what."""

    place: Any
    name: str
    change: Callable[..., Any]


def grant_every_vote(node: Node, message: Any) -> bool:
    return True


def forget_vote(node: Node) -> HardState:
    return HardState(node.term, None, node.log.commit)


def forget_term(node: Node) -> HardState:
    return HardState(0, node.vote, node.log.commit)


def commit_by_counting(node: Node, index: int) -> bool:
    return True


def count_answer_again(node: Node, voter: int, granted: bool) -> None:
    node.votes[len(node.votes)] = granted


def half(size: int) -> int:
    return size // 2


def match_by_index(log: RaftLog, index: int, term: int) -> bool:
    return index <= log.last_index


def confirm_every_read(node: Node, read: Any) -> bool:
    return True


def know_every_commit(node: Node) -> bool:
    return True


def take_any_log_for_up_to_date(log: RaftLog, last_index: int, last_term: int) -> bool:
    return True


MUTANTS: dict[str, Mutant] = {
    "votes twice in a term": Mutant(elections, "has_vote_left", grant_every_vote),
    "vote not persisted": Mutant(Node, "hard_state", forget_vote),
    "term not persisted": Mutant(Node, "hard_state", forget_term),
    "commits an entry of an old term by counting": Mutant(replication, "may_be_committed", commit_by_counting),
    "counts a vote that comes twice": Mutant(elections, "record_answer", count_answer_again),
    "majority off by one": Mutant(quorums, "majority", half),
    "matches by index only": Mutant(RaftLog, "matches", match_by_index),
    "reads without a round of heartbeats": Mutant(reads, "is_confirmed", confirm_every_read),
    "reads before it knows what is committed": Mutant(reads, "knows_commit", know_every_commit),
    "elects a candidate whose log is behind": Mutant(elections, "is_up_to_date", take_any_log_for_up_to_date),
}
