"""A cluster on a desk: nodes with stores in memory, and a network of which each message is moved by hand.

`Cluster` is the network, for tests of any kind; `Desk` executes the commands of golden scripts on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from smlib.consensus.raft import elections, messages, replication
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
    ReadReply,
    ReadRequest,
    Ready,
    RequestVote,
    TimeoutNow,
    VoteReply,
)
from smlib.consensus.raft.node import Role
from smlib.consensus.raft.options import Options
from smlib.errors import ConsensusError, InputError


class Cluster:
    """Nodes, their stores, and what is on the wire between them.

    Each node applies entries to a list; a read that is answered says what this list has.
    """

    def __init__(
        self, size: int, options: Options | None = None, stores: dict[int, MemoryLogStore] | None = None
    ) -> None:
        self.options = options or Options()
        self.ids = range(1, size + 1)
        self.stores = {peer: MemoryLogStore() for peer in self.ids} | (stores or {})
        self.starts = 0
        self.nodes: dict[int, Raft] = {}
        self.applied: dict[int, list[Entry]] = {}
        self.waiting: dict[int, list[messages.ReadState]] = {}
        self.wire: list[Message] = []
        self.said: list[Message] = []
        self.writing: dict[int, Ready] = {}
        self.cut: set[tuple[int, int]] = set()
        self.tell: Callable[[str], None] = lambda line: None
        for peer in self.ids:
            self.start(peer)

    def start(self, peer: int) -> None:
        """Start a node, or start it again with what its store has."""
        self.starts += 1
        self.nodes[peer] = Raft(peer, self.ids, self.stores[peer], 1000 * peer + self.starts, self.options)
        self.applied[peer] = []
        self.waiting[peer] = []
        self.work(peer)

    def crash(self, peer: int) -> None:
        """Stop a node: what it has not written is lost."""
        del self.nodes[peer]
        self.writing.pop(peer, None)

    def work(self, peer: int) -> None:
        """Do what a node wants done, unless its disk is busy."""
        if peer in self.nodes and peer not in self.writing:
            while self.nodes[peer].has_ready():
                self.begin(peer)
                self.end(peer)

    def begin(self, peer: int) -> None:
        """Begin to do what a node wants done; until it is, the node may hear more."""
        self.writing[peer] = self.nodes[peer].ready()

    def end(self, peer: int) -> None:
        """Do it, in the order of the contract."""
        ready = self.writing.pop(peer)
        self.write(peer, ready)
        for message in ready.messages:
            self.send(message)
        for entry in ready.committed:
            assert entry.index == len(self.applied[peer]) + 1
            self.applied[peer].append(entry)
        self.waiting[peer] += ready.read_states
        for read in [read for read in self.waiting[peer] if read.index <= len(self.applied[peer])]:
            self.waiting[peer].remove(read)
            seen = " ".join(entry.data.decode() for entry in self.applied[peer] if entry.data)
            self.tell(f"{peer}: read {read.context} sees {seen or 'nothing'}")
        self.nodes[peer].advance(ready)

    def write(self, peer: int, ready: Ready, *, entries: bool = True, hard_state: bool = True) -> None:
        """Write what a node wants written, or a part of it."""
        if entries:
            self.stores[peer].append(ready.entries)
        if hard_state and ready.hard_state is not None:
            self.stores[peer].set_hard_state(ready.hard_state)

    def send(self, message: Message) -> None:
        """Put a message on the wire, if there is one."""
        lost = (message.sender, message.receiver) in self.cut
        self.said.append(message)
        self.tell(f"{say(message)}{', lost' if lost else ''}")
        if not lost:
            self.wire.append(message)

    def deliver(self, message: Message) -> None:
        """Give a message to its receiver, if it runs."""
        if message.receiver in self.nodes:
            self.nodes[message.receiver].step(message)
            self.work(message.receiver)

    def stabilize(self, most: int = 10_000) -> None:
        """Deliver all messages, and those that they lead to, in the order in which they were sent."""
        for _ in range(most):
            if not self.wire:
                return
            self.deliver(self.wire.pop(0))
        raise AssertionError("messages lead to messages without end")

    def tick(self, ids: Iterable[int] | None = None) -> None:
        """Let a tick pass on nodes that run, all of them by default."""
        for peer in self.ids if ids is None else ids:
            if peer in self.nodes:
                self.nodes[peer].tick()
                self.work(peer)

    def leaders(self) -> list[int]:
        return [peer for peer, node in self.nodes.items() if node.role is Role.LEADER]

    def elect(self, peer: int) -> None:
        """Make a node of a cluster that is at rest its leader: only its own clock runs."""
        while self.nodes[peer].role is Role.FOLLOWER:
            self.tick([peer])
        self.stabilize()
        assert self.leaders() == [peer]


def store_with(terms: Iterable[int], term: int | None = None, vote: int | None = None) -> MemoryLogStore:
    """Return a store with entries of these terms, of a node whose term is that of the last one, or `term`."""
    store = MemoryLogStore()
    store.append([Entry(entry_term, index, b"%d" % entry_term) for index, entry_term in enumerate(terms, start=1)])
    last = store.last_index()
    store.set_hard_state(HardState(store.term(last) if term is None else term, vote, 0))
    return store


def say_entry(entry: Entry) -> str:
    return f"{entry.index}@{entry.term}{' ' + entry.data.decode() if entry.data else ''}"


def say(message: Message) -> str:
    """Return a message in a line: who to whom, what, and in which term. An entry is ``index@term data``."""
    match message:
        case RequestVote():
            kind = "would you vote for me" if message.pre_vote else "vote for me"
            detail = f"my log ends with {message.last_index}@{message.last_term}"
            detail += ", the leader asks for it" if message.transfer else ""
        case VoteReply():
            kind = ("I would" if message.pre_vote else "yes") if message.granted else "no"
            detail = ""
        case AppendEntries():
            kind = f"behind {message.previous_index}@{message.previous_term} append"
            entries = ", ".join(map(say_entry, message.entries)) or "nothing"
            detail = f"{entries}; commit {message.commit}"
        case AppendReply():
            kind = f"I have not {message.index}" if message.rejected else f"I have {message.index}"
            detail = f"perhaps {message.hint_index}@{message.hint_term}" if message.rejected else ""
        case Heartbeat():
            kind, detail = "heartbeat", f"round {message.round}, commit {message.commit}"
        case HeartbeatReply():
            kind, detail = "heard", f"round {message.round}"
        case ReadRequest():
            kind, detail = "read", str(message.context)
        case ReadReply():
            kind, detail = "read", f"{message.context} at {message.index}"
        case TimeoutNow():
            kind, detail = "stand now", ""
    return f"{message.sender}->{message.receiver} term {message.term}: {kind}{': ' if detail else ''}{detail}"


class Desk:
    """Executes the commands of a script on a cluster.

    What nodes say and what becomes of them is answered by each command, but by `stabilize` and `ticks`, which answer
    only how the nodes are that have changed.
    """

    def __init__(self, patch: Callable[[Any, str, Any], None]) -> None:
        self.patch = patch
        self.lines: list[str] = []
        self.options: dict[str, Any] = {}
        self.stores: dict[int, MemoryLogStore] = {}

    def __call__(self, words: list[str]) -> str:
        name, *rest = words
        self.lines = []
        before = self.states()
        try:
            getattr(self, name)(*rest)
        except (ConsensusError, InputError) as error:
            self.lines.append(f"{type(error).__name__}: {error}")
        self.lines += [line for peer, line in self.states().items() if before.get(peer) != line and name != "cluster"]
        return "\n".join(self.lines)

    def states(self) -> dict[int, str]:
        """Return how each node is."""
        if not hasattr(self, "cluster_"):
            return {}
        found = {}
        for peer in self.cluster_.ids:
            node = self.cluster_.nodes.get(peer)
            if node is None:
                found[peer] = f"{peer}: down"
                continue
            leads = "" if node.role is not Role.FOLLOWER else f" of {node.leader or 'nobody'}"
            found[peer] = f"{peer}: {node.role.value}{leads}, term {node.term}, commit {node.log.commit}"
        return found

    def given(self, peer: str, *words: str) -> None:
        """The terms of the entries that a node of the next cluster begins with; ``term=3``, ``vote=5``."""
        state = {name: int(value) for name, _, value in (word.partition("=") for word in words if "=" in word)}
        self.stores[int(peer)] = store_with([int(word) for word in words if "=" not in word], **state)

    def cluster(self, size: str, *options: str) -> None:
        values: dict[str, Any] = {"yes": True, "no": False}
        chosen = {}
        for option in options:
            name, _, value = option.partition("=")
            chosen[name] = values.get(value, int(value) if value.isdigit() else value)
        self.cluster_ = Cluster(int(size), Options(**chosen), self.stores)
        self.cluster_.tell = lambda line: self.lines.append(line)
        self.stores = {}

    def without(self, rule: str) -> None:
        """Take a rule out of the protocol."""
        module, answer = {"may_be_committed": (replication, True), "protects_leader": (elections, False)}[rule]
        self.patch(module, rule, lambda *arguments: answer)

    def tick(self, peer: str, times: str = "1") -> None:
        """Let time pass on one node."""
        for _ in range(int(times)):
            self.cluster_.tick([int(peer)])

    def ticks(self, times: str) -> None:
        """Let time pass on all nodes, and deliver what they say."""
        for _ in range(int(times)):
            self.cluster_.tick()
            self.cluster_.stabilize()
        self.lines = [line for line in self.lines if " sees " in line]

    def campaign(self, peer: str) -> None:
        """Let time pass on one node until it stands for election."""
        node = self.cluster_.nodes[int(peer)]
        starts = node.election_at
        while node.ticks < starts:
            self.cluster_.tick([int(peer)])

    def wire(self) -> None:
        self.lines += [say(message) for message in self.cluster_.wire] or ["nothing"]

    def take(self, link: str) -> list[Message]:
        """Take the messages of a link, ``1->2`` or ``*->2``, from the wire; or the first or last one (``1->2#-1``)."""
        sender, receiver, which = re.fullmatch(r"(\*|\d+)->(\*|\d+)(?:#(-?\d+))?", link).groups()  # type: ignore[union-attr]
        found = [
            message
            for message in self.cluster_.wire
            if sender in ("*", str(message.sender)) and receiver in ("*", str(message.receiver))
        ]
        if which is not None:
            found = [found[int(which) - (int(which) > 0)]]
        for message in found:
            places = [place for place, other in enumerate(self.cluster_.wire) if other is message]
            del self.cluster_.wire[places[0]]
        return found

    def deliver(self, link: str = "*->*", times: str = "1") -> None:
        """Deliver the messages of a link, perhaps several times each."""
        for message in self.take(link):
            for _ in range(int(times)):
                self.cluster_.deliver(message)

    def drop(self, link: str = "*->*") -> None:
        self.take(link)

    def again(self, link: str) -> None:
        """Deliver the messages of a link, and leave them on the wire: they will come once more."""
        found = self.take(link)
        for message in found:
            self.cluster_.deliver(message)
        self.cluster_.wire += found

    def stabilize(self) -> None:
        self.cluster_.stabilize()
        self.lines = [line for line in self.lines if " sees " in line]

    def cut(self, *links: str) -> None:
        """Lose what is sent over these links from now on."""
        self.cluster_.cut |= {(int(a), int(b)) for a, _, b in (link.partition("->") for link in links)}

    def partition(self, *groups: str) -> None:
        """Let nodes talk only within their group: ``partition 1,2 3,4,5``."""
        group = {int(peer): number for number, ids in enumerate(groups) for peer in ids.split(",")}
        self.cluster_.cut = {(a, b) for a in self.cluster_.ids for b in self.cluster_.ids if group[a] != group[b]}

    def heal(self) -> None:
        self.cluster_.cut = set()

    def propose(self, peer: str, *data: str) -> None:
        for item in data:
            self.cluster_.nodes[int(peer)].propose(item.encode())
        self.cluster_.work(int(peer))

    def read(self, peer: str, context: str) -> None:
        self.cluster_.nodes[int(peer)].read_index(context)
        self.cluster_.work(int(peer))

    def reads(self, peer: str, *contexts: str) -> None:
        """Ask for several reads at once."""
        for context in contexts:
            self.cluster_.nodes[int(peer)].read_index(context)
        self.cluster_.work(int(peer))

    def transfer(self, peer: str, to: str) -> None:
        self.cluster_.nodes[int(peer)].transfer_leadership(int(to))
        self.cluster_.work(int(peer))

    def unreachable(self, peer: str, other: str) -> None:
        self.cluster_.nodes[int(peer)].report_unreachable(int(other))
        self.cluster_.work(int(peer))

    def busy(self, peer: str) -> None:
        """End what a node's disk does, if it does anything, and begin with what the node wants done by now."""
        if int(peer) in self.cluster_.writing:
            self.cluster_.end(int(peer))
        self.cluster_.begin(int(peer))

    def written(self, peer: str) -> None:
        """End what a node's disk does; from now on it is fast."""
        self.cluster_.end(int(peer))
        self.cluster_.work(int(peer))

    def crash(self, peer: str) -> None:
        self.cluster_.crash(int(peer))

    def restart(self, peer: str) -> None:
        self.cluster_.start(int(peer))

    def forge(self, kind: str, *values: str) -> None:
        """Give a node a message that nobody sent, field by field."""
        words: dict[str, Any] = {"yes": True, "no": False, "none": ()}
        fields = [words[value] if value in words else int(value) for value in values]
        self.cluster_.deliver(getattr(messages, kind)(*fields))

    def forge_entries(self, sender: str, receiver: str, term: str, previous: str, *entries: str) -> None:
        """Give a node a message with entries that nobody sent: ``previous`` and entries are ``index@term``."""
        places = [tuple(map(int, place.split("@"))) for place in (previous, *entries)]
        made = tuple(Entry(entry_term, index, b"forged") for index, entry_term in places[1:])
        index, previous_term = places[0]
        self.cluster_.deliver(AppendEntries(int(sender), int(receiver), int(term), index, previous_term, made, 0))

    def log(self, *ids: str) -> None:
        """Show logs; a bar stands behind what is committed."""
        for peer in [int(peer) for peer in ids] or sorted(self.cluster_.nodes):
            log = self.cluster_.nodes[peer].log
            entries = [say_entry(entry) for entry in log.entries(1, log.last_index + 1)]
            entries.insert(log.commit, "|")
            self.lines.append(f"{peer}: {'  '.join(entries)}")

    def status(self) -> None:
        self.lines += self.states().values()

    def progress(self, peer: str) -> None:
        """Show what a leader knows of the others."""
        node = self.cluster_.nodes[int(peer)]
        for follower, progress in node.progress.items():
            self.lines.append(f"{follower}: {repr(progress)[9:-1]}")
