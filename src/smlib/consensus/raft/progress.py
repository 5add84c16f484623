"""Progress: what a leader knows of one follower's log, and how much it sends ahead of the answers.

The leader knows for certain only `match`: up to there the follower's log is its own. What it sends next is a guess::

    the leader's log     1  2  3  4  5  6  7  8  9
                               |        |     |
                             match    sent   next      5, 6 and 7 are in flight, 8 has not been sent

*Probing*, it does not know where the follower's log parts from its own. It sends one message, waits for the answer, and
moves `next` back to where the answer hints. *Replicating*, it has seen a message accepted. It takes for granted that
all the next ones will be, moves `next` on when it sends, and has up to `limit` messages in flight. One that is
rejected, or a connection that breaks, shows that it was wrong, and it probes again from `match`. Of ten messages in
flight behind one that was lost, all ten are rejected; the first rejection ends the guessing, and the other nine are of
no interest.

An answer may be lost, too. So the answer to a heartbeat lets one more message go, be it another probe, or one without
entries where as many as may be are in flight: whatever was lost, its answer brings both to terms.

Invariants:
  1. `match` never goes back, and ``match < next``.
  2. A probe is not sent while another one waits; replicating, at most `limit` messages with entries are in flight.

Cost: O(1) for each message.

Ongaro & Ousterhout (2014), section 5.3; Ongaro, *Consensus* (2014), section 10.2.1; the two states and the window are
those of etcd's raft.
"""

from __future__ import annotations

from collections import deque


class Progress:
    """What a leader knows of a follower.

    Attributes
    ----------
    match : int
        Up to this index the follower's log is the leader's, and persisted.
    next : int
        The index of the entry that is sent next.
    probing : bool
        Whether one message at a time is sent, for it is unknown where the logs part.
    waiting : bool
        Whether a probe has been sent that is not answered.
    inflight : deque of int
        Of each message with entries that is not answered, the last index.
    told_commit : int
        Up to where the follower was told that entries are committed.
    overdue : bool
        Whether a message is to be sent in any case, to see what the follower has.
    round : int
        The last round of heartbeats that it has answered.
    """

    __slots__ = ("inflight", "match", "next", "overdue", "probing", "round", "told_commit", "waiting")

    def __init__(self, next_index: int) -> None:
        self.match = 0
        self.next = next_index
        self.probing = True
        self.waiting = False
        self.inflight: deque[int] = deque()
        self.told_commit = -1
        self.overdue = False
        self.round = 0

    def __repr__(self) -> str:
        state = "probe" if self.probing else "replicate"
        return f"Progress({state}, match {self.match}, next {self.next}, {len(self.inflight)} in flight)"

    def may_send(self, limit: int) -> bool:
        """Return whether a message may be sent before another answer has come."""
        return not self.waiting if self.probing else len(self.inflight) < limit

    def sent(self, count: int, commit: int) -> None:
        """Note that a message with `count` entries was sent."""
        self.told_commit = commit
        self.overdue = False
        if self.probing:
            self.waiting = True
        elif count:
            self.next += count
            self.inflight.append(self.next - 1)

    def accepted(self, index: int) -> bool:
        """Note that the logs match up to `index`; return whether that is news. An old answer changes nothing."""
        if index < self.match or (index == self.match and not self.probing):
            return False
        self.match = index
        if self.probing:
            self.probing = self.waiting = False
            self.next = index + 1
            return True
        inflight = self.inflight
        while inflight and inflight[0] <= index:
            inflight.popleft()
        if index >= self.next:
            self.next = index + 1
        return True

    def rejected(self, index: int, hint: int) -> bool:
        """Note that the follower has not the entry at `index`, and that the logs part behind `hint` at the latest.

        Returns whether that is news: an answer to what was sent before the last change of mind changes nothing.
        """
        if self.probing:
            if index != self.next - 1:
                return False
            self.next = max(min(index, hint + 1), self.match + 1)
            self.waiting = False
            return True
        if index <= self.match:
            return False
        self.probe()
        return True

    def probe(self) -> None:
        """Give up guessing: what is known for certain is `match`."""
        self.probing, self.waiting = True, False
        self.inflight.clear()
        self.next = self.match + 1

    def resume(self, last_index: int) -> bool:
        """Let one more message go, as an answer to the last one may have been lost; return whether one is to go."""
        if self.match == last_index and not self.probing:
            return False
        self.waiting, self.overdue = False, True
        return True
