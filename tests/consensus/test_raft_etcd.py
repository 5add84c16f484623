"""etcd's own tests of its core, replayed line by line, and its tables of majorities.

The files are those of github.com/etcd-io/raft: commands, and what its nodes say, write and apply after each of them.
Two things are translated. etcd's nodes begin with a snapshot of some entries, and ours with these entries, of term 0.
And ours sends entries when it is asked what is to be done, and not at once, so that several go out together; here it is
asked after each step.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest

from smlib.consensus.raft import elections
from smlib.consensus.raft.core import Raft
from smlib.consensus.raft.log_store import MemoryLogStore
from smlib.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    Entry,
    HardState,
    Heartbeat,
    HeartbeatReply,
    Message,
    RequestVote,
    VoteReply,
)
from smlib.consensus.raft.options import Options
from smlib.consensus.raft.quorums import VoteResult, majority_index, vote_result
from tests.consensus.raft_scripts import Cluster

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def texts(real_data: Path) -> dict[str, str]:
    """Return etcd's test files by name."""
    with tarfile.open(real_data / "systems" / "etcd_raft_testdata.tar.xz") as archive:
        return {
            Path(member.name).stem: content.read().decode()
            for member in archive
            if (content := archive.extractfile(member)) is not None
        }


def cases_of(text: str) -> list[tuple[str, str]]:
    """Return commands and their answers: a command, a line of four dashes, an answer up to an empty line."""
    found = []
    for block in re.split(r"\n\s*\n", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)):
        command, _, answer = block.strip().partition("\n----\n")
        if command.strip():
            found.append((command.strip(), answer))
    return found


def test_committed_indexes(texts: dict[str, str]) -> None:
    compared = 0
    for command, answer in cases_of(texts["quorum_testdata_majority_commit"]):
        if indexes := re.search(r"idx=\((.*)\)", command):
            values = [0 if word.strip() == "_" else int(word) for word in indexes.group(1).split(",")]
            assert majority_index(values) == int(answer.split("\n")[-1]), command
            compared += 1
    assert compared == 15


def test_votes(texts: dict[str, str]) -> None:
    results = {"VotePending": VoteResult.PENDING, "VoteWon": VoteResult.WON, "VoteLost": VoteResult.LOST}
    compared = 0
    for command, answer in cases_of(texts["quorum_testdata_majority_vote"]):
        if votes := re.search(r"votes=\((.*)\)", command):
            words = [word.strip() for word in votes.group(1).split(",")]
            answers = [word == "y" for word in words if word != "_"]
            assert vote_result(answers, len(words)) is results[answer.strip()], command
            compared += 1
    assert compared == 21


def say_entry(entry: Entry) -> str:
    return f'{entry.term}/{entry.index} EntryNormal "{entry.data.decode()}"'


def say_state(state: HardState) -> str:
    vote = "" if state.vote is None else f" Vote:{state.vote}"
    return f"HardState Term:{state.term}{vote} Commit:{state.commit}"


def say(message: Message) -> list[str]:
    """Return the lines in which etcd describes a message."""
    begin = f"{message.sender}->{message.receiver} Msg%s Term:{message.term} Log:%d/%d"
    match message:
        case RequestVote():
            return [begin % ("Vote", message.last_term, message.last_index)]
        case VoteReply():
            return [begin % ("VoteResp", 0, 0) + ("" if message.granted else " Rejected (Hint: 0)")]
        case Heartbeat():
            return [begin % ("Heartbeat", 0, 0) + f" Commit:{message.commit}"]
        case HeartbeatReply():
            return [begin % ("HeartbeatResp", 0, 0)]
        case AppendReply():
            rejected = f" Rejected (Hint: {message.hint_index})" if message.rejected else ""
            return [begin % ("AppResp", message.hint_term, message.index) + rejected]
        case AppendEntries():
            first = begin % ("App", message.previous_term, message.previous_index) + f" Commit:{message.commit}"
            if not message.entries:
                return [first]
            if len(message.entries) == 1:
                return [f"{first} Entries:[{say_entry(message.entries[0])}]"]
            return [f"{first} Entries:[", *map(say_entry, message.entries), "]"]
    raise AssertionError(message)


class Replay:
    """Executes etcd's commands on our nodes; each method returns the lines that etcd prints."""

    def __init__(self) -> None:
        self.nodes: dict[int, Raft] = {}
        self.stores: dict[int, MemoryLogStore] = {}
        self.wire: list[Message] = []
        self.first = 0

    def __call__(self, command: str) -> list[str]:
        name, *words = command.split()
        lines: list[str] = getattr(self, name.replace("-", "_"))(*words)
        return lines

    def at_once(self, peer: int) -> None:
        """Let a node find out what it owes now."""
        if self.nodes[peer].due:
            self.nodes[peer]._find_due()

    def add_nodes(self, count: str, *words: str) -> list[str]:
        settings = dict(word.split("=") for word in words)
        self.first = int(settings["index"])
        options = Options(
            election_ticks=3, pre_vote=False, check_quorum=False, max_inflight=int(settings.get("inflight", "256"))
        )
        for peer in range(1, int(count) + 1):
            store = self.stores[peer] = MemoryLogStore()
            store.append([Entry(0, index, b"") for index in range(1, self.first + 1)])
            store.set_hard_state(HardState(0, None, self.first))
            self.nodes[peer] = Raft(peer, range(1, int(count) + 1), store, peer, options)
            self.process_ready(str(peer))
        return []

    def campaign(self, peer: str) -> list[str]:
        elections.start_election(self.nodes[int(peer)])
        return []

    def propose(self, peer: str, data: str) -> list[str]:
        self.nodes[int(peer)].propose(data.encode())
        self.at_once(int(peer))
        return []

    def tick_heartbeat(self, peer: str) -> list[str]:
        self.nodes[int(peer)].tick()
        return []

    def report_unreachable(self, peer: str, other: str) -> list[str]:
        self.nodes[int(peer)].report_unreachable(int(other))
        return []

    def process_ready(self, peer: str) -> list[str]:
        node, store = self.nodes[int(peer)], self.stores[int(peer)]
        ready = node.ready()
        store.append(ready.entries)
        lines = [f"Ready MustSync={str(ready.must_sync).lower()}:"]
        if ready.hard_state is not None:
            store.set_hard_state(ready.hard_state)
            lines.append(say_state(ready.hard_state))
        for title, entries in (("Entries:", ready.entries), ("CommittedEntries:", ready.committed)):
            if entries:
                lines += [title, *map(say_entry, entries)]
        if ready.messages:
            lines += ["Messages:", *(line for message in ready.messages for line in say(message))]
        self.wire += ready.messages
        node.advance(ready)
        self.at_once(int(peer))
        return lines

    def deliver_msgs(self, *words: str) -> list[str]:
        if words[0].startswith("drop="):
            wanted = set(map(int, re.findall(r"\d+", words[0])))
            dropped = [message for message in self.wire if message.receiver in wanted]
            self.wire = [message for message in self.wire if message.receiver not in wanted]
            return [f"dropped: {line}" for message in dropped for line in say(message)]
        return [line for peer in map(int, words) for line in self.receive(peer)]

    def receive(self, peer: int) -> list[str]:
        """Deliver what is on the wire to a node."""
        found = [message for message in self.wire if message.receiver == peer]
        self.wire = [message for message in self.wire if message.receiver != peer]
        for message in found:
            self.nodes[peer].step(message)
            self.at_once(peer)
        return [line for message in found for line in say(message)]

    def stabilize(self, *words: str) -> list[str]:
        peers = list(map(int, words)) or list(self.nodes)
        lines = list[str]()
        while True:
            before = len(lines)
            for peer in peers:
                if self.nodes[peer].has_ready():
                    lines += [f"> {peer} handling Ready", *self.process_ready(str(peer))]
            for peer in peers:
                if any(message.receiver == peer for message in self.wire):
                    lines += [f"> {peer} receiving messages", *self.receive(peer)]
            if len(lines) == before:
                return lines

    def status(self, peer: str) -> list[str]:
        node = self.nodes[int(peer)]
        lines = {node.id: f"{node.id}: StateReplicate match={node.log.persisted} next={node.log.persisted + 1}"}
        for other, progress in node.progress.items():
            limit = node.options.max_inflight
            state = "Probe" if progress.probing else "Replicate"
            lines[other] = f"{other}: State{state} match={progress.match} next={progress.next}"
            lines[other] += "" if progress.may_send(limit) else " paused"
            if progress.inflight:
                full = "[full]" if len(progress.inflight) == limit else ""
                lines[other] += f" inflight={len(progress.inflight)}{full}"
        return [lines[other] for other in sorted(lines)]

    def raft_log(self, peer: str) -> list[str]:
        log = self.nodes[int(peer)].log
        return [say_entry(entry) for entry in log.entries(self.first + 1, log.last_index + 1)]


def replay(text: str) -> int:
    """Replay a file, and compare all but what etcd logs, and the soft state; return how many lines were compared."""
    nodes, quiet, compared = Replay(), False, 0
    for command, answer in cases_of(text):
        if command.startswith("log-level"):
            quiet = command == "log-level none"
            continue
        found = nodes(command)
        # What etcd says of the snapshot that its nodes begin with, we say of an entry of term 0.
        expected = [
            re.sub(rf"Log:1/{nodes.first}\b", f"Log:0/{nodes.first}", line.strip())
            for line in answer.split("\n")
            if line.strip() and not re.match(r"\s*(INFO|DEBUG|WARN|Lead:|ok$)", line)
        ]
        if not quiet:
            assert found == expected, command
            compared += len(found)
    return compared


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("campaign", 60),
        ("single_node", 10),
        ("heartbeat_resp_recovers_from_probing", 30),
        ("lagging_commit", 70),
        ("replicate_pause", 40),
        ("probe_and_replicate", 350),
    ],
)
def test_what_nodes_say_write_and_apply(texts: dict[str, str], name: str, lines: int) -> None:
    assert replay(texts[f"testdata_{name}"]) > lines


def test_check_quorum(texts: dict[str, str]) -> None:
    """Retold from "checkquorum", for there the leader steps down after two timeouts, and here after one."""
    assert "1 stepped down to follower since quorum is not active" in texts["testdata_checkquorum"]
    cluster = Cluster(3, Options(election_ticks=3, pre_vote=False))
    cluster.elect(1)
    cluster.tick([1])
    cluster.stabilize()
    # Nobody listens to node 2, which stands; its term is 2.
    elections.start_election(cluster.nodes[2])
    cluster.work(2)
    cluster.stabilize()
    assert [node.term for node in cluster.nodes.values()] == [1, 2, 1]
    # No answer comes in time, so node 1 steps down. Its heartbeats arrive late, and node 2 tells it of its term.
    for _ in range(3):
        cluster.tick([1])
    assert cluster.leaders() == []
    cluster.stabilize()
    assert [node.term for node in cluster.nodes.values()] == [2, 2, 1]
    # Node 2 wins by the vote of node 1; node 3 has just heard a leader, and does not vote.
    elections.start_election(cluster.nodes[2])
    cluster.work(2)
    cluster.stabilize()
    assert cluster.leaders() == [2]
    assert [node.term for node in cluster.nodes.values()] == [3, 3, 3]
    assert [node.vote for node in cluster.nodes.values()] == [2, 2, None]
    assert [node.log.commit for node in cluster.nodes.values()] == [2, 2, 2]
