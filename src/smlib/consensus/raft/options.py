"""What can be chosen of a Raft node. Time is counted in ticks, whose length is the caller's choice.

A leader sends heartbeats every `heartbeat_ticks`; a follower that hears of none for `election_ticks`, and up to as many
more by chance, stands for election. The paper's section 5.6 asks for: time to send a message << election timeout <<
mean time between failures. With a network that answers in 5 ms, ticks of 10 ms and the defaults do.

All nodes of a cluster must have the same options.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from smlib.errors import InputError


@dataclass(frozen=True, slots=True)
class Options:
    """The choices, proved when they are made.

    Parameters
    ----------
    election_ticks : int
        Timeouts of elections are drawn from ``[election_ticks, 2 * election_ticks)``. At least 2, and more than
        `heartbeat_ticks`.
    heartbeat_ticks : int
        The leader sends heartbeats so often. At least 1.
    pre_vote : bool
        Whether a node asks if it would be elected before it begins a new term (dissertation, 9.6).
    check_quorum : bool
        Whether a leader that hears of no majority for `election_ticks` steps down, and nodes that hear a leader take no
        part in elections (dissertation, 6.2 and 4.2.3).
    reads : {"quorum", "lease"}
        How a leader proves that it still leads before a read is answered: by a round of heartbeats, or by the time that
        has passed since the last one (dissertation, 6.4). Leases trust that no clock is more than a quarter faster than
        another, and need `check_quorum`.
    max_entries : int
        So many entries go into one message. At least 1.
    max_inflight : int
        So many messages with entries are sent to a follower before the first of them is answered. At least 1.

    Raises
    ------
    InputError
        If a number is out of its range, or choices do not go together.

    Examples
    --------
    >>> Options(election_ticks=20).lease_ticks
    15
    >>> Options(heartbeat_ticks=10)
    Traceback (most recent call last):
    smlib.errors.InputError: election_ticks is 10; it must be more than heartbeat_ticks, which is 10
    """

    election_ticks: int = 10
    heartbeat_ticks: int = 1
    pre_vote: bool = True
    check_quorum: bool = True
    reads: Literal["quorum", "lease"] = "quorum"
    max_entries: int = 64
    max_inflight: int = 256

    def __post_init__(self) -> None:
        for name, least in (("election_ticks", 2), ("heartbeat_ticks", 1), ("max_entries", 1), ("max_inflight", 1)):
            number = getattr(self, name)
            if not isinstance(number, int) or number < least:
                raise InputError(f"{name} is {number!r}; it must be an integer of at least {least}")
        if self.election_ticks <= self.heartbeat_ticks:
            raise InputError(
                f"election_ticks is {self.election_ticks}; it must be more than heartbeat_ticks, which is "
                f"{self.heartbeat_ticks}"
            )
        if self.reads not in ("quorum", "lease"):
            raise InputError(f'reads is {self.reads!r}; it must be "quorum" or "lease"')
        if self.reads == "lease" and not self.check_quorum:
            raise InputError('reads is "lease", which needs check_quorum: else others may elect a leader meanwhile')

    @property
    def lease_ticks(self) -> int:
        """How long a round of heartbeats lets the leader answer reads, while others elect nobody.

        Less a tick, as two clocks do not tick at the same moment, and a fifth, as one may be a quarter faster.
        """
        return (self.election_ticks - 1) * 4 // 5
