"""What happens at a moment of a trace, in words: what the nodes were handed, and what has become of them.

Invariants:
  1. What is told of a node is the difference between what it was and what it is, never what it should be.

Cost: O(messages + entries) a moment.

Ongaro & Ousterhout, "In search of an understandable consensus algorithm" (2014), sections 5.2 to 5.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from smlib.consensus.raft import elections, replication, rounds, terms
from smlib.consensus.raft.core import Raft
from smlib.consensus.raft.log import RaftLog
from smlib.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    Entry,
    Heartbeat,
    HeartbeatReply,
    Message,
    RequestVote,
    VoteReply,
)
from smlib.consensus.raft.node import CANDIDATE, LEADER, Node, Role
from smlib.consensus.simulation.cluster import Cluster


class View(NamedTuple):
    """A node at a moment; one that is down has no role."""

    id: int
    role: Role | None
    term: int
    vote: int | None
    log: tuple[Entry, ...]
    commit: int


class Told(NamedTuple):
    """A sentence, the function that did it, and what to ask before."""

    sentence: str
    source: Callable[..., Any]
    question: str = ""


class Moment(NamedTuple):
    """What happened at one time: in words, what was commanded; and the nodes before and after."""

    commands: Sequence[str]
    sent: Sequence[Message]
    lost: Sequence[Message]
    delivered: Sequence[Message]
    before: Mapping[int, View]
    after: Mapping[int, View]


def look_at(cluster: Cluster) -> dict[int, View]:
    """Return how all nodes stand."""
    views = {}
    for node, server in cluster.servers.items():
        raft = server.raft
        if raft is None:
            views[node] = View(node, None, 0, None, (), 0)
        else:
            log = raft.log.entries(1, raft.log.last_index + 1)
            views[node] = View(node, raft.role, raft.term, raft.vote, log, raft.log.commit)
    return views


def tell(moment: Moment) -> list[Told]:
    """Return what is worth telling of a moment, the most important first."""
    told = [*_tell_commands(moment), *_tell_roles(moment), *_tell_votes(moment), *_tell_logs(moment)]
    told += [*_tell_commits(moment), *_tell_lost(moment)]
    told = told or list(_tell_messages(moment))
    return told or [Told("What arrives comes to nobody, for the node is down.", Cluster._deliver)]


def _tell_commands(moment: Moment) -> Iterator[Told]:
    for command in moment.commands:
        yield Told(command, Raft.propose if "asks" in command else Cluster.step)


def _tell_roles(moment: Moment) -> Iterator[Told]:
    for before, after in _pairs(moment):
        if before.role is None or after.role is None:
            continue
        name, term = f"Node {after.id}", after.term
        if after.role is CANDIDATE and term > before.term:
            yield Told(
                f"{name} has heard of no leader for too long. It begins term {term}, votes for itself, and asks the "
                "others for their votes.",
                elections.start_election,
                "Nobody has heard of a leader for a while. Who does something about it?",
            )
        elif after.role is LEADER and before.role is not LEADER:
            votes = 1 + sum(isinstance(message, VoteReply) and message.granted for message in moment.delivered)
            yield Told(
                f"{name} has {votes} votes, its own included, and so a majority: it leads term {term}, and begins it "
                "with an empty entry.",
                Node.become_leader,
                f"Who leads in term {term}, and from when on?",
            )
        elif before.role is LEADER and after.role is not LEADER:
            yield Told(
                f"{name}, which led term {before.term}, hears of term {term}, and steps down.",
                terms.settle,
                f"Node {after.id} still leads term {before.term}. What does it do when it hears of a newer one?",
            )
        elif before.role is CANDIDATE and after.role is not CANDIDATE:
            yield Told(f"{name} gives up as a candidate, and follows in term {term}.", terms.settle)


def _tell_votes(moment: Moment) -> Iterator[Told]:
    voters: dict[tuple[int, int], list[int]] = {}
    for before, after in _pairs(moment):
        asked = any(isinstance(m, RequestVote) and m.receiver == after.id for m in moment.delivered)
        if asked and after.vote is not None and (before.term, before.vote) != (after.term, after.vote):
            voters.setdefault((after.vote, after.term), []).append(after.id)
    for (candidate, term), ids in voters.items():
        yield Told(
            f"{nodes_of(ids)} {_verb(ids, 'votes', 'vote')} for node {candidate} in term {term}, and will vote for "
            "nobody else in it.",
            elections.receive_request_vote,
            "Do they give it their votes?",
        )


def _tell_logs(moment: Moment) -> Iterator[Told]:
    stored: dict[tuple[str, ...], list[int]] = {}
    for before, after in _pairs(moment):
        if after.role is LEADER or before.role is None or after.role is None:
            continue
        kept = next((k for k, (a, b) in enumerate(zip(before.log, after.log, strict=False)) if a != b), len(before.log))
        if kept < len(before.log) and len(after.log) > kept:
            yield Told(
                f"Node {after.id} replaces {_entries(before.log[kept:])}, which was never committed, by "
                f"{_entries(after.log[kept:])}.",
                RaftLog.merge,
                f"Node {after.id} has an entry that its leader does not have. What becomes of it?",
            )
        elif len(after.log) > len(before.log):
            stored.setdefault(tuple(map(_entry, after.log[len(before.log) :])), []).append(after.id)
        elif any(isinstance(m, AppendReply) and m.rejected and m.sender == after.id for m in moment.sent):
            yield Told(
                f"Node {after.id} refuses the leader's entries: what comes before them is not what it has.",
                replication.receive_append,
                f"Do these entries fit behind what node {after.id} has?",
            )
    for texts, ids in stored.items():
        yield Told(
            f"{nodes_of(ids)} {_verb(ids, 'stores', 'store')} {' and '.join(texts)}, and {_verb(ids, 'says', 'say')} "
            "so.",
            replication.receive_append,
        )


def _tell_commits(moment: Moment) -> Iterator[Told]:
    learned: dict[tuple[str, ...], list[int]] = {}
    for before, after in _pairs(moment):
        if after.commit <= before.commit or before.role is None:
            continue
        entries = after.log[before.commit : after.commit]
        if after.role is LEADER:
            yield Told(
                f"Node {after.id} hears that a majority has {_entries(entries)}: committed, for ever.",
                replication.advance_commit,
                f"From when on is {_entries(entries[-1:])} committed?",
            )
        else:
            learned.setdefault(tuple(map(_entry, entries)), []).append(after.id)
    for texts, ids in learned.items():
        yield Told(
            f"{nodes_of(ids)} {_verb(ids, 'hears', 'hear')} that {' and '.join(texts)} "
            f"{'is' if len(texts) == 1 else 'are'} committed.",
            RaftLog.commit_to,
        )


def _tell_lost(moment: Moment) -> Iterator[Told]:
    senders = sorted({message.sender for message in moment.lost})
    for sender in senders:
        lost = [message for message in moment.lost if message.sender == sender]
        what = ", ".join(dict.fromkeys(_kind(message) for message in lost))
        receivers = nodes_of(sorted({message.receiver for message in lost})).lower()
        yield Told(f"What node {sender} sends to {receivers} is lost: {what}.", Cluster._send)


def _tell_messages(moment: Moment) -> Iterator[Told]:
    for messages, verb in ((moment.delivered, "hears from"), (moment.sent, "writes to")):
        heartbeats = [message for message in messages if isinstance(message, Heartbeat)]
        if heartbeats and messages is moment.sent:
            yield Told(f"Node {heartbeats[0].sender} tells the others that it still leads.", rounds.begin_round)
        elif heartbeats:
            ids = sorted({message.receiver for message in heartbeats})
            if heartbeats[0].term < (term := moment.after[ids[0]].term):
                old = heartbeats[0].sender
                yield Told(
                    f"{nodes_of(ids)} {_verb(ids, 'is', 'are')} in term {term}, and {_verb(ids, 'tells', 'tell')} node "
                    f"{old}, which is not.",
                    terms.answer_old,
                    f"Node {old} leads an old term. Do the others follow it?",
                )
                return
            yield Told(
                f"{nodes_of(ids)} {_verb(ids, 'answers', 'answer')}: the leader is heard.", rounds.receive_heartbeat
            )
        elif any(isinstance(message, HeartbeatReply) for message in messages):
            yield Told("The answers arrive: a majority still follows.", rounds.receive_heartbeat_reply)
        elif any(isinstance(message, AppendReply) for message in messages):
            yield Told("The answers arrive. They say nothing new.", replication.receive_append_reply)
        elif messages:
            one = messages[0]
            about = (one.receiver, one.sender) if messages is moment.delivered else (one.sender, one.receiver)
            yield Told(f"Node {about[0]} {verb} node {about[1]}: {_kind(one)}.", Raft.step)
        if messages:
            return


def _pairs(moment: Moment) -> Iterator[tuple[View, View]]:
    for node, after in moment.after.items():
        yield moment.before[node], after


def nodes_of(ids: Sequence[int]) -> str:
    """Return the names of nodes, to begin a sentence.

    >>> nodes_of([2]), nodes_of([1, 3])
    ('Node 2', 'Nodes 1 and 3')
    """
    if len(ids) == 1:
        return f"Node {ids[0]}"
    return f"Nodes {', '.join(map(str, ids[:-1]))} and {ids[-1]}"


def text_of(data: bytes) -> str:
    """Return a command as it is shown.

    >>> text_of(b"put x 1"), text_of(b"")
    ('x=1', '')
    """
    words = data.decode().split(" ")
    return f"{words[1]}={words[2]}" if words[0] == "put" else " ".join(words)


def _verb(ids: Sequence[int], one: str, many: str) -> str:
    return one if len(ids) == 1 else many


def _entry(entry: Entry) -> str:
    return text_of(entry.data) or f"the empty entry of term {entry.term}"


def _entries(entries: Sequence[Entry]) -> str:
    return " and ".join(map(_entry, entries))


def _kind(message: Message) -> str:
    """Return what a message is, in words."""
    if isinstance(message, AppendEntries):
        return _entries(message.entries) if message.entries else "what is committed"
    if isinstance(message, AppendReply):
        return "a refusal" if message.rejected else "an answer"
    if isinstance(message, RequestVote):
        return "a question for its vote"
    if isinstance(message, VoteReply):
        return "a vote" if message.granted else "a vote refused"
    return {Heartbeat: "a heartbeat", HeartbeatReply: "an answer to a heartbeat"}.get(type(message), "a message")
