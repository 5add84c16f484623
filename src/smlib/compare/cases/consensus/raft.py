"""Cases of Raft: three nodes in one process, and commands that all of them apply."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.consensus.raft.core import Raft
from smlib.consensus.raft.log_store import MemoryLogStore
from smlib.consensus.raft.messages import Message
from smlib.consensus.raft.node import LEADER

NODES = (1, 2, 3)
# So many commands are under way at a time.
WINDOW = 512
# How long PySyncObj gathers commands for a batch, in seconds: the best of 0.0001 to 0.1 for each window.
PERIODS = {1: 0.0001, WINDOW: 0.0005}
PYSYNCOBJ = "pysyncobj"


class Workload(NamedTuple):
    """Commands, and how many of them are under way at a time."""

    commands: list[bytes]
    window: int


class Applied(NamedTuple):
    """What each node has applied, in order, and who led in which term."""

    logs: list[list[bytes]]
    leader: int = 0
    term: int = 0


def workload_of(size: int, window: int = WINDOW) -> Workload:
    """Return commands of 16 bytes."""
    return Workload([b"%016d" % number for number in range(size)], window)


def workload_one_by_one(size: int) -> Workload:
    """Return the same, to be proposed when the one before has been applied everywhere."""
    return workload_of(size, window=1)


class Local:
    """Three nodes, with a queue for messages and stores in memory."""

    def __init__(self) -> None:
        self.stores = {node: MemoryLogStore() for node in NODES}
        self.rafts = {node: Raft(node, NODES, self.stores[node], rng=node) for node in NODES}
        self.applied: dict[int, list[bytes]] = {node: [] for node in NODES}
        while not any(raft.role is LEADER for raft in self.rafts.values()):
            for raft in self.rafts.values():
                raft.tick()
            self.settle()

    @property
    def leader(self) -> Raft:
        """Return the node that leads."""
        return next(raft for raft in self.rafts.values() if raft.role is LEADER)

    def settle(self) -> None:
        """Do what the nodes want to be done, and hand their messages over, until there are none."""
        queue: deque[Message] = deque()
        while True:
            for node, raft in self.rafts.items():
                while raft.has_ready():
                    queue += self._do(node, raft)
            if not queue:
                return
            while queue:
                message = queue.popleft()
                self.rafts[message.receiver].step(message)

    def _do(self, node: int, raft: Raft) -> Sequence[Message]:
        ready = raft.ready()
        if ready.entries:
            self.stores[node].append(ready.entries)
        if ready.hard_state is not None:
            self.stores[node].set_hard_state(ready.hard_state)
        if ready.committed:
            self.applied[node] += [entry.data for entry in ready.committed if entry.data]
        raft.advance(ready)
        return ready.messages


def commit_all(workload: Workload) -> Applied:
    """Elect a leader, propose all commands to it, and return what each node has applied."""
    local = Local()
    leader = local.leader
    for begin in range(0, len(workload.commands), workload.window):
        for command in workload.commands[begin : begin + workload.window]:
            leader.propose(command)
        local.settle()
    return Applied(list(local.applied.values()), leader.id, leader.term)


@cache
def make_replicas(period: float) -> tuple[list[Any], Any]:
    """Return three objects of PySyncObj that are replicas of each other, and a function that lets them work."""
    package: Any = import_module(PYSYNCOBJ)
    transport: Any = import_module(f"{PYSYNCOBJ}.transport")
    boxes: dict[str, tuple[Any, list[Any]]] = {}

    class Queue(transport.Transport):  # type: ignore[misc]  # PySyncObj is untyped
        """Hands messages over as they are, in memory."""

        def __init__(self, me: Any, others: list[Any]) -> None:
            super().__init__(None, me, others)
            self.me, self.others = me, others
            boxes[me.id] = self, []

        def send(self, node: Any, message: Any) -> bool:
            boxes[node.id][1].append((self.me, message))
            return True

    class Log(package.SyncObj):  # type: ignore[misc]  # PySyncObj is untyped
        """Keeps what is added."""

        def __init__(self, me: Any, others: list[Any]) -> None:
            self.data: list[bytes] = []
            settings = package.SyncObjConf(
                autoTick=False,
                appendEntriesPeriod=period,
                logCompactionMinEntries=10**9,
                logCompactionMinTime=10**6,
                commandsQueueSize=10**6,
            )
            super().__init__(me, others, settings, transport=Queue(me, others))

        @package.replicated  # type: ignore[untyped-decorator]  # PySyncObj is untyped
        def add(self, command: bytes) -> None:
            self.data.append(command)

    def work() -> None:
        for replica in replicas:
            replica.doTick(0)
        for queue, box in boxes.values():
            messages, box[:] = list(box), []
            for sender, message in messages:
                queue._onMessageReceived(sender, message)

    nodes = [import_module(f"{PYSYNCOBJ}.node").Node(str(number)) for number in NODES]
    replicas = [Log(node, [other for other in nodes if other is not node]) for node in nodes]
    for queue, _ in boxes.values():
        for other in queue.others:
            queue._onNodeConnected(other)
    while not all(replica.isReady() for replica in replicas):
        work()
    return replicas, work


def pysyncobj_commit_all(workload: Workload) -> Applied:
    """Let a cluster of PySyncObj that has a leader already apply all commands."""
    replicas, work = make_replicas(PERIODS[workload.window])
    leader = next(replica for replica in replicas if replica._isLeader())
    for replica in replicas:
        replica.data = []
    for begin in range(0, len(workload.commands), workload.window):
        commands = workload.commands[begin : begin + workload.window]
        for command in commands:
            leader.add(command)
        while any(len(replica.data) < begin + len(commands) for replica in replicas):
            work()
    return Applied([replica.data for replica in replicas])


def _same_logs(_: Workload, ours: Applied, theirs: Applied) -> Agreement:
    return Agreement(ours.logs == theirs.logs, f"{len(ours.logs)} nodes have applied the same {len(ours.logs[0]):,}")


def _tell_commits(workload: Workload, applied: Applied) -> Sequence[str]:
    local = Local()
    leader = local.leader
    lines = [f"node {applied.leader} is elected, and leads term {applied.term}"]
    index = leader.propose(workload.commands[0])
    lines.append(f"it is asked for {workload.commands[0]!r}: entry {index} of its log; committed: {leader.log.commit}")
    local.settle()
    lines.append(f"the others have stored it, and said so; committed: {leader.log.commit}")
    lines += [f"  {raft!r}" for raft in local.rafts.values()]
    others = [node for node in NODES if node != leader.id]
    leader.transfer_leadership(others[0])
    local.settle()
    new = local.leader
    lines.append(f"it hands over: node {new.id} leads term {new.term}")
    return lines


def _prove_commits(workload: Workload, applied: Applied) -> Mapping[str, bool]:
    return {
        "every node has applied every command": all(len(log) == len(workload.commands) for log in applied.logs),
        "in the order in which they were proposed": all(log == workload.commands for log in applied.logs),
    }


NOTE = (
    "Three nodes in one process, with logs in memory and a queue for messages, on both sides: no clock to wait for, no "
    "socket, no disk. PySyncObj is a library for replicated objects: it pickles each call, and looks at the clock; its "
    "period for gathering commands is the best that was found, and its cluster has its leader before the clock starts."
)
PEERS = (Peer("PySyncObj, messages handed over in memory", PYSYNCOBJ, pysyncobj_commit_all),)

CASES = (
    Case(
        "raft",
        f"commits through three nodes in memory, {WINDOW} commands at a time",
        "commands",
        (1_000, 10_000, 50_000),
        workload_of,
        commit_all,
        PEERS,
        _same_logs,
        note=NOTE,
        story=Story(
            "Three machines keep one log. What does it take until a command is in it for ever?",
            10_000,
            "commands of 16 bytes",
            _tell_commits,
            _prove_commits,
        ),
    ),
    Case(
        "raft",
        "commits through three nodes in memory, one at a time",
        "commands",
        (100, 1_000, 10_000),
        workload_one_by_one,
        commit_all,
        PEERS,
        _same_logs,
        note=NOTE,
    ),
)
