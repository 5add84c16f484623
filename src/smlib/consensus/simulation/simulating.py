"""A run: a cluster under faults, and then in peace, when it has to go on.

Weather. Partitions and crashes come at random, with exponential times in between, one independently of another: two
may overlap, and all nodes may be down at once. Each passes, after a time of any order of magnitude. And now and then a
leader is asked to hand over, which is no accident, but may meet with one.

Peace. At the end of the given time nothing goes wrong any more. Links are mended, nodes restart. Raft promises nothing
about *when* something is committed as long as anything may be lost, but now it must go on: within `PATIENCE` election
timeouts all nodes must have applied a new command. What arrives late from the weather before is part of the trial.

Invariants:
  1. The run depends on its arguments alone.
  7. Progress: where nothing goes wrong, a new command is soon applied by every node. (The first six are those of
     `smlib.consensus.invariants`.)

Cost: O(seconds * nodes) events.

Fischer, Lynch & Paterson, "Impossibility of distributed consensus with one faulty process", *Journal of the ACM* 32
(1985) (why no such promise can be made while anything may be late).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from random import Random

from smlib.consensus.raft.core import Raft
from smlib.consensus.raft.options import Options
from smlib.consensus.simulation.cluster import TICK, Cluster
from smlib.consensus.simulation.faults import Faults, draw_length
from smlib.consensus.simulation.random_streams import random_stream
from smlib.consensus.simulation.results import Event, SimulationResult, Statistics
from smlib.consensus.simulation.state_machine import encode
from smlib.errors import InputError, ProposalDroppedError

# In peace, so many of the longest election timeouts may pass until all nodes have applied something new.
PATIENCE = 30
# Milliseconds between one attempt and the next.
PAUSE = 50


def simulate(
    seed: int,
    nodes: int = 5,
    seconds: float = 60.0,
    faults: Faults | None = None,
    *,
    options: Options | None = None,
    trace: bool = False,
    core: Callable[..., Raft] = Raft,
) -> SimulationResult:
    """Run a cluster that keeps a map for its clients, under faults, with all invariants looked at.

    Parameters
    ----------
    seed : int
        Of all that is left to chance; the same one replays the run.
    nodes : int
        How many nodes there are, at least 1.
    seconds : float
        How long there are faults, in virtual time.
    faults : Faults, optional
        What goes wrong; the usual mix if not given.
    options : Options, optional
        Of the nodes.
    trace : bool
        Whether all events are kept.
    core : callable
        Makes a node as `Raft` does; a wrong one is to be found out.

    Returns
    -------
    SimulationResult
        It ends with the first violation.

    Raises
    ------
    InputError
        There are no nodes, or no time.

    Notes
    -----
    Complexity: O(seconds * nodes) events; 5 nodes under faults take a sixtieth of the virtual time.

    References
    ----------
    Ongaro & Ousterhout, "In search of an understandable consensus algorithm" (2014), figure 3.

    Examples
    --------
    >>> result = simulate(1, nodes=3, seconds=5)
    >>> result.success, result.verdict().linearizable
    (True, True)
    >>> result.digest() == simulate(1, nodes=3, seconds=5).digest()
    True
    """
    if nodes < 1 or not seconds > 0:
        raise InputError(f"there are {nodes} nodes for {seconds} seconds; give at least one node, and some time")
    faults, options = faults or Faults(), options or Options()
    events: list[Event] = []
    record = (lambda time, kind, what: events.append(Event(time, kind, what))) if trace else None
    cluster = Cluster(seed, nodes, faults, options, core=core, record=record)
    weather = Weather(cluster, seed, faults)
    cluster.run(round(1000 * seconds))
    weather.over = True
    cluster.heal()
    cluster.clients.stop()
    if not cluster.invariants.violations:
        wait_for_progress(cluster, PATIENCE * 2 * options.election_ticks * TICK)
    return SimulationResult(
        seed,
        nodes,
        faults,
        not cluster.invariants.violations,
        tuple(cluster.invariants.violations),
        count(cluster),
        tuple(cluster.clients.history),
        tuple(events),
    )


class Weather:
    """Lets partitions and crashes come and go, and leaders hand over, until it is over."""

    def __init__(self, cluster: Cluster, seed: int, faults: Faults) -> None:
        self.over = False
        self._cluster = cluster
        self._faults = faults
        self._partitions = random_stream(seed, "partitions")
        self._crashes = random_stream(seed, "crashes")
        self._transfers = random_stream(seed, "transfers")
        if len(cluster.ids) > 1:
            self._await(faults.partitions, self._partitions, self._divide)
            self._await(faults.transfers, self._transfers, self._transfer)
        self._await(faults.crashes, self._crashes, self._crash)

    def _await(self, rate: float, dice: Random, act: Callable[[None], object]) -> None:
        if rate:
            self._cluster.at(self._cluster.now + 1 + round(dice.expovariate(rate / 60_000)), act)

    def _crash(self, _: None) -> None:
        if self.over:
            return
        cluster, dice = self._cluster, self._crashes
        node, outage = dice.choice(cluster.ids), draw_length(dice, self._faults.longest_outage)
        if cluster.servers[node].raft is not None:
            cluster.crash(node)
            cluster.at(cluster.now + outage, cluster.restart, node)
        self._await(self._faults.crashes, dice, self._crash)

    def _divide(self, _: None) -> None:
        """Cut the links from some nodes to the others, and mostly those back."""
        if self.over:
            return
        cluster, dice = self._cluster, self._partitions
        side = set(dice.sample(cluster.ids, dice.randrange(1, len(cluster.ids))))
        links = [(one, other) for one in cluster.ids for other in cluster.ids if one in side and other not in side]
        if dice.random() >= self._faults.one_way:
            links += [(other, one) for one, other in links]
        cluster.counts["partitions"] += 1
        cluster.cut(links)
        cluster.at(cluster.now + draw_length(dice, self._faults.longest_partition), self._mend, links)
        self._await(self._faults.partitions, dice, self._divide)

    def _transfer(self, _: None) -> None:
        if self.over:
            return
        cluster, dice = self._cluster, self._transfers
        to = dice.choice(cluster.ids)
        for leader in cluster.leaders():
            if leader.id != to:
                cluster.transfer(leader, to)
        self._await(self._faults.transfers, dice, self._transfer)

    def _mend(self, links: list[tuple[int, int]]) -> None:
        if not self.over:
            self._cluster.mend(links)


def wait_for_progress(cluster: Cluster, patience: int) -> None:
    """Let the cluster run until all nodes have applied a new command, or report that they have not."""
    begin = time = cluster.now
    proposed: list[tuple[int, int]] = []
    while not cluster.invariants.violations and not any(cluster.all_have_applied(*entry) for entry in proposed):
        if time >= begin + patience:
            cluster.invariants.report(7, 0, f"in {patience} ms of peace no new command was applied by every node")
            return
        for leader in cluster.leaders():
            with contextlib.suppress(ProposalDroppedError):
                proposed.append((cluster.propose(leader, encode("put", "peace", str(time))), leader.term))
        time += PAUSE
        cluster.run(time)


def count(cluster: Cluster) -> Statistics:
    """Return how much of everything there was."""
    counts, clients = cluster.counts, cluster.clients
    return Statistics(
        seconds=cluster.now / 1000,
        messages={
            kind.__name__: number for kind, number in sorted(cluster.sent.items(), key=lambda kind: kind[0].__name__)
        },
        delivered=cluster.delivered,
        **{name: counts[name] for name in ("lost", "cut", "to_the_dead", "duplicated")},
        **{name: counts[name] for name in ("crashes", "partitions")},
        elections=len(cluster.invariants.leaders),
        term=max((server.raft.term for server in cluster.servers.values() if server.raft is not None), default=0),
        committed=cluster.invariants.committed,
        answered=len(clients.history) - clients.open,
        failed=clients.failed,
        open=clients.open,
    )
