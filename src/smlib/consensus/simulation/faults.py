"""Faults: what may go wrong in a simulated cluster, how often, and how badly.

Each kind has a number that says how often it comes, as a probability for each message or write, or as a rate a minute,
and most have one that says how long it lasts. A length is drawn so that short and long ones are equally likely *by
order of magnitude*: with 512 ms as the longest, a message that is late is so by 1-2, 2-4, ..., 256-512 ms with the same
probability. Such a long tail is what networks and disks have, and it does more harm than a bell curve: a message of an
old term comes in long after its leader has gone::

    what          how often                      what it does
    loss          probability of each message    it never arrives
    duplication   probability of each message    it arrives twice, the second time late
    lateness      probability of each message    it takes longer, and others overtake it
    partitions    number a minute                links are cut, in both directions or in one only
    crashes       number a minute                a node stops; what its disk had not synced is lost, wholly or in part;
                                                 it restarts later, with what is left
    transfers     number a minute                the leader is asked to hand over, which is no accident by itself
    drift         share of the ticks             a node's clock is slower than others
    slow syncs    probability of each sync       the disk takes its time, and the node goes on without it

Invariants:
  1. Probabilities are in [0, 1], and rates and lengths not negative.
  2. With `Faults.none` nothing goes wrong, and nothing is left to chance but elections and what clients ask for.

Cost: none.

Kingsbury, *Jepsen* (faults as they are, and what they find); Wilson, "Testing distributed systems with deterministic
simulation", *Strange Loop* (2014); Groce et al., "Swarm testing", *ISSTA* (2012).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random

from smlib.consensus.simulation.random_streams import random_stream
from smlib.errors import InputError

PROBABILITIES = ("loss", "duplication", "lateness", "one_way", "drift", "slow_syncs")
# What says how often something goes wrong; the rest says how.
KINDS = ("loss", "duplication", "lateness", "partitions", "crashes", "transfers", "slow_syncs")


@dataclass(frozen=True, slots=True)
class Faults:
    """What may go wrong; times are in milliseconds.

    Parameters
    ----------
    loss : float
        The probability that a message is lost.
    duplication : float
        The probability that it arrives twice.
    delay : int
        What every message takes, at least 1.
    lateness : float
        The probability that it takes longer.
    longest_delay : int
        How much longer, at the most.
    partitions : float
        How many a minute, on average.
    one_way : float
        The probability that a partition cuts links in one direction only.
    longest_partition : int
        After this time it has healed.
    crashes : float
        How many a minute, on average, in the whole cluster.
    longest_outage : int
        After this time a node has restarted.
    transfers : float
        How often a minute, on average, the leader is asked to hand over.
    drift : float
        By which share clocks may be slower than the fastest; each node's is another, and misses a tick now and then.
    sync : int
        What a sync takes; with 0 it is done at once.
    slow_syncs : float
        The probability that one takes longer.
    longest_sync : int
        How much longer, at the most.

    Examples
    --------
    >>> Faults().loss, Faults.none().loss, Faults(loss=0.5).loss
    (0.02, 0.0, 0.5)
    """

    loss: float = 0.02
    duplication: float = 0.01
    delay: int = 1
    lateness: float = 0.05
    longest_delay: int = 512
    partitions: float = 15.0
    one_way: float = 0.4
    longest_partition: int = 4096
    crashes: float = 15.0
    longest_outage: int = 4096
    transfers: float = 6.0
    drift: float = 0.1
    sync: int = 1
    slow_syncs: float = 0.01
    longest_sync: int = 256

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in PROBABILITIES and not 0.0 <= value <= 1.0:
                raise InputError(f"{field.name} is {value}; it must be from 0 to 1")
            if not 0 <= value < float("inf"):
                raise InputError(f"{field.name} is {value}; it must be a finite number, at least 0")
        if self.delay < 1:
            raise InputError(f"delay is {self.delay}; a message takes at least 1 ms")

    @classmethod
    def none(cls) -> Faults:
        """Return a world in which nothing goes wrong."""
        return cls(
            loss=0.0,
            duplication=0.0,
            lateness=0.0,
            partitions=0.0,
            crashes=0.0,
            transfers=0.0,
            drift=0.0,
            slow_syncs=0.0,
        )

    @classmethod
    def storm(cls) -> Faults:
        """Return a world in which so much goes wrong, and so briefly, that hardly anything gets done.

        What it brings to light are rules of elections that are broken: for that, two accidents must meet within the
        milliseconds of one election.
        """
        return cls(
            loss=0.1,
            delay=10,
            lateness=0.3,
            longest_delay=100,
            partitions=1000.0,
            longest_partition=100,
            crashes=1500.0,
            longest_outage=20,
            transfers=0.0,
            drift=0.0,
            sync=5,
        )

    @classmethod
    def swarm(cls, seed: int) -> Faults:
        """Return a mix in which each kind is missing, as usual, or four times as frequent.

        A rare fault may come to light only where others do not hide it: a cluster that crashes all the time never gets
        as far as a second term of office. So a search tries many mixes.

        Parameters
        ----------
        seed : int
            Of the choice.
        """
        dice = random_stream(seed, "swarm")
        usual = cls()
        return cls(**{kind: getattr(usual, kind) * dice.choice((0.0, 1.0, 4.0)) for kind in KINDS})


def draw_length(dice: Random, longest: int) -> int:
    """Return a length of 1 to ``longest``, all orders of magnitude equally likely.

    >>> dice = Random(1)
    >>> [draw_length(dice, 512) for _ in range(8)]
    [2, 197, 117, 4, 21, 16, 58, 137]
    """
    return int(max(1, longest) ** dice.random())
