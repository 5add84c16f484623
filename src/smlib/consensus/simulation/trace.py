r"""A cluster, moment by moment: who asks whom, what is lost, who leads, and what stays in the logs.

It is the simulated cluster itself, with nothing left to chance but the timeouts of elections, and with commands that
come at given times: something is proposed, the network is divided and heals, a node crashes. Each moment at which
something happens is a step; in a space-time diagram it is a column, and a message is an arrow from the column in which
it was sent to the one in which it arrives::

    node 1   --o-----------x------>        a node is a line
                \         ^
    node 2   ----v--------/------->        a message is an arrow, and one that is lost ends in a cross
                  \     /
    node 3   -------v---o--------->

Invariants, computed at every step by comparing all nodes (`compare_logs`), and by `Invariants`, which remembers:
  1-6. Those of Raft.

Cost: O(messages + moments * nodes^2 * log).

Lamport, "Time, clocks, and the ordering of events in a distributed system", *Communications of the ACM* 21 (1978),
figure 1 (the space-time diagram); Ongaro & Ousterhout, "In search of an understandable consensus algorithm" (2014).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

from smlib._core.trace import Step
from smlib.consensus.invariants import compare_logs
from smlib.consensus.raft.messages import Heartbeat, HeartbeatReply, Message, RequestVote, VoteReply
from smlib.consensus.raft.options import Options
from smlib.consensus.simulation.cluster import Cluster
from smlib.consensus.simulation.faults import Faults
from smlib.consensus.simulation.telling import Moment, View, look_at, nodes_of, tell, text_of
from smlib.errors import InputError

# A message is on its way for some time, so that one sees it; a sync takes none, so that an answer leaves at once.
QUIET = replace(Faults.none(), delay=8, sync=0)
# As in the paper. Heartbeats are rare, so that there is something else to see.
PLAIN = Options(election_ticks=12, heartbeat_ticks=10, pre_vote=False, check_quorum=False)
VERBS = ("propose", "divide", "heal", "crash", "restart")
WORDS = {
    1: "a term has one leader at most",
    2: "a leader adds to its own log, and changes nothing in it",
    3: "logs that agree in an entry agree in all before it",
    4: "what was committed is in the log of every later leader",
    5: "no two nodes have committed different entries in one place",
    6: "terms and commit indexes only grow",
}
# Of a node before it has begun.
VOID = View(0, None, 0, None, (), 0)


class Command(NamedTuple):
    """Something that is done from outside.

    Attributes
    ----------
    time : int
        When, in milliseconds.
    verb : str
        "propose" (to a node, a text), "divide" (some nodes from the others), "heal", "crash" or "restart" (a node).
    nodes : tuple of int
        Which.
    text : str
        What is proposed, as the state machine understands it: "put x 1".
    """

    time: int
    verb: str
    nodes: tuple[int, ...] = ()
    text: str = ""


# An election, a write, a partition with another election, and how all agree again. With the timeouts of this seed node
# 1 leads first, and node 3 when that one is cut off.
STORY = (
    Command(185, "propose", (1,), "put x 1"),
    Command(232, "divide", (1,)),
    Command(265, "propose", (1,), "put x 2"),
    Command(405, "propose", (3,), "put x 3"),
    Command(440, "heal"),
)
STORY_END, STORY_SEED = 505, 2


def trace(commands: Iterable[Command], until: int, *, nodes: int = 3, seed: int = 1) -> Iterator[Step]:
    """Yield the moments of a cluster at which something happens.

    Parameters
    ----------
    commands : iterable of Command
        What is done from outside.
    until : int
        When it ends, in milliseconds.
    nodes : int
        How many nodes there are.
    seed : int
        Of the timeouts of elections.

    Yields
    ------
    Step
        Its state holds ``columns``, the times of all moments so far; ``lives``, of each node its role ("" while it is
        down) and its term in each column; ``logs``, of each node its entries, as a dict with ``text``, ``term``,
        ``committed`` and ``new``; ``commits``, the columns in which a node learned that something is committed, with
        what; ``arrows``, all messages so far, as dicts with ``kind``, ``begin`` and ``end`` (a column and a node each),
        and ``fate`` ("arrived", "flying" or "lost"); and ``cuts``, from which column to which some nodes were divided
        from the others.

    Raises
    ------
    InputError
        A command is none of these.

    Notes
    -----
    Complexity: O(messages) a step.

    References
    ----------
    Lamport, "Time, clocks, and the ordering of events in a distributed system", *Communications of the ACM* 21 (1978).

    Examples
    --------
    >>> from textwrap import shorten
    >>> for step in trace([Command(205, "propose", (2,), "put x 1")], 225):
    ...     print(step.state["columns"][-1], shorten(step.caption, 100))
    0 Nodes 1, 2 and 3 begin, with empty logs. All follow, and nobody leads.
    160 Node 2 has heard of no leader for too long. It begins term 1, votes for itself, and asks the [...]
    168 Nodes 1 and 3 vote for node 2 in term 1, and will vote for nobody else in it.
    176 Node 2 has 3 votes, its own included, and so a majority: it leads term 1, and begins it with [...]
    180 Node 2 tells the others that it still leads.
    184 Nodes 1 and 3 store the empty entry of term 1, and say so.
    188 Nodes 1 and 3 answer: the leader is heard.
    192 Node 2 hears that a majority has the empty entry of term 1: committed, for ever.
    196 The answers arrive: a majority still follows.
    200 Nodes 1 and 3 hear that the empty entry of term 1 is committed.
    205 A client asks node 2 for x=1.
    208 The answers arrive. They say nothing new.
    213 Nodes 1 and 3 store x=1, and say so.
    221 Node 2 hears that a majority has x=1: committed, for ever.
    """
    recorder = Recorder(nodes, seed)
    recorder.run(sorted(commands), until)
    yield from recorder.steps()


class Recorder:
    """Runs a cluster, and takes each moment down."""

    def __init__(self, nodes: int, seed: int) -> None:
        self._events: list[tuple[str, Any]] = []
        self._cluster = Cluster(
            seed, nodes, QUIET, PLAIN, record=lambda _, kind, what: self._events.append((kind, what))
        )
        self._cluster.clients.stop()
        self._taken: list[Taken] = []
        self._cuts: list[Cut] = []
        self._links: list[tuple[int, int]] = []

    def _note(self, _: int, kind: str, what: Any) -> None:
        self._events.append((kind, what))

    def run(self, commands: Iterable[Command], until: int) -> None:
        """Let the commands be done, each at its time."""
        cluster = self._cluster
        for command in commands:
            if command.verb not in VERBS or not set(command.nodes) <= set(cluster.ids):
                raise InputError(
                    f"a command is {command}; its verb must be one of {', '.join(VERBS)}, and its nodes must be of "
                    f"{list(cluster.ids)}"
                )
            cluster.at(command.time, self._do, command)
        self._events.append(("told", f"{nodes_of(cluster.ids)} begin, with empty logs. All follow, and nobody leads."))
        self._take(dict.fromkeys(cluster.ids, VOID))
        while cluster.next_time <= until:
            before = look_at(cluster)
            cluster.step()
            if self._events:
                self._take(before)

    def steps(self) -> Iterator[Step]:
        """Yield what was taken down."""
        columns = {taken.time: column for column, taken in enumerate(self._taken)}
        unheard = {message for taken in self._taken for message in taken.unheard}
        arrows = [
            arrow for column, taken in enumerate(self._taken) for arrow in draw_arrows(taken, column, columns, unheard)
        ]
        commits: list[tuple[int, int, str]] = []
        for column, taken in enumerate(self._taken):
            told = tell(taken.moment)
            commits += [(column, node, said) for node, said in say_commits(taken.moment)]
            state = {
                "columns": [taken.time for taken in self._taken[: column + 1]],
                "lives": {
                    node: [
                        (view.role.value if view.role else "", view.term)
                        for view in (taken.moment.after[node] for taken in self._taken[: column + 1])
                    ]
                    for node in self._cluster.ids
                },
                "logs": {node: describe_log(taken.moment, node) for node in self._cluster.ids},
                "commits": tuple(commits),
                "arrows": [arrow for arrow in arrows if arrow["begin"][0] <= column],
                "cuts": [cut._asdict() for cut in self._cuts if cut.begin <= column],
            }
            yield Step(" ".join(one.sentence for one in told), state, told[0].source, taken.holds, told[0].question)

    def _do(self, command: Command) -> None:
        cluster, column = self._cluster, len(self._taken)
        others = [node for node in cluster.ids if node not in command.nodes]
        said = nodes_of(command.nodes) if command.nodes else ""
        if command.verb == "propose":
            data, leader = command.text.encode(), cluster.servers[command.nodes[0]].raft
            refused = "" if leader in cluster.leaders() else f" {said} does not lead, and refuses."
            self._events.append(("told", f"A client asks {said.lower()} for {text_of(data)}.{refused}"))
            if leader is not None and not refused:
                cluster.propose(leader, data)
        elif command.verb == "divide":
            self._events.append(("told", f"{said} and the others cannot reach each other any more."))
            links = [link for pair in product(command.nodes, others) for link in (pair, pair[::-1])]
            cluster.cut(links)
            self._cuts.append(Cut(column, None, command.nodes))
            self._links += links
        elif command.verb == "heal":
            self._events.append(("told", "All can reach each other again."))
            cluster.mend(self._links)
            self._links.clear()
            self._cuts = [cut if cut.end else cut._replace(end=column) for cut in self._cuts]
        elif command.verb == "crash":
            self._events.append(("told", f"{said} is switched off. What is on its disk stays there."))
            cluster.crash(command.nodes[0])
        else:
            self._events.append(("told", f"{said} is switched on, with its term, its vote and its log from the disk."))
            cluster.restart(command.nodes[0])

    def _take(self, before: dict[int, View]) -> None:
        """Take down what has happened, and prove that all holds."""
        cluster, events = self._cluster, self._events
        rafts = [server.raft for server in cluster.servers.values() if server.raft is not None]
        broken = {broken.number for broken in (*cluster.invariants.violations, *compare_logs(rafts))}
        moment = Moment(
            [what for kind, what in events if kind == "told"],
            [what[1] for kind, what in events if kind == "send"],
            [what for kind, what in events if kind == "cut"],
            [what for kind, what in events if kind == "deliver"],
            before,
            look_at(cluster),
        )
        arrivals = [what for kind, what in events if kind == "send"]
        unheard = [(cluster.now, what) for kind, what in events if kind == "unheard"]
        holds = {f"{number}. {WORDS[number]}": number not in broken for number in WORDS}
        self._taken.append(Taken(cluster.now, moment, arrivals, unheard, holds))
        events.clear()


class Taken(NamedTuple):
    """A moment, when it was, when the messages arrive that are sent in it, which came to nobody, and what holds."""

    time: int
    moment: Moment
    arrivals: Sequence[tuple[int, Message]]
    unheard: Sequence[tuple[int, Message]]
    holds: Mapping[str, bool]


class Cut(NamedTuple):
    """From which column to which some nodes were divided from the others."""

    begin: int
    end: int | None
    nodes: tuple[int, ...]


def draw_arrows(
    taken: Taken, column: int, columns: Mapping[int, int], unheard: Container[tuple[int, Message]]
) -> Iterator[dict[str, Any]]:
    """Yield the messages that were sent at a moment; one that comes to nobody is lost, too."""
    arrivals = [
        (columns.get(time, len(columns)), message, (time, message) in unheard) for time, message in taken.arrivals
    ]
    for end, message, lost in (*((column + 1, message, True) for message in taken.moment.lost), *arrivals):
        yield {
            "kind": kind_of(message),
            "begin": (column, message.sender),
            "end": (end, message.receiver),
            "lost": lost,
        }


def kind_of(message: Message) -> str:
    """Return what a message is for: "vote", "entries" or "heartbeat"; an answer is of the kind of its question."""
    if isinstance(message, RequestVote | VoteReply):
        return "vote"
    return "heartbeat" if isinstance(message, Heartbeat | HeartbeatReply) else "entries"


def describe_log(moment: Moment, node: int) -> list[dict[str, Any]]:
    """Return the entries of a node; ``new`` are those that it did not have before the moment, in this place."""
    before, after = moment.before[node], moment.after[node]
    return [
        {
            "text": text_of(entry.data),
            "term": entry.term,
            "committed": entry.index <= after.commit,
            "new": entry not in before.log,
        }
        for entry in after.log
    ]


def say_commits(moment: Moment) -> Iterator[tuple[int, str]]:
    """Yield which nodes learn that something is committed, and what it is."""
    for node, after in moment.after.items():
        entries = after.log[moment.before[node].commit : after.commit]
        if entries and moment.before[node].role is not None:
            yield node, " ".join(text_of(entry.data) for entry in entries if entry.data)
