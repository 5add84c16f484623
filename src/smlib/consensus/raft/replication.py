"""Replication: the leader's log becomes everybody's log.

A message has entries, and says behind which entry they belong, by index and term. A follower takes them only if it has
that entry; so, step by step, its log is the leader's up to there (*log matching*, see `log`). If not, it refuses with a
hint, and the leader tries further back (`progress`). What the follower has beyond, and the leader has not, is replaced
when an entry of the leader's comes to stand there. A leader never changes its own log but at the end.

An entry is *committed* when a majority has persisted it in the term of its leader: from then on every leader has it.
Entries of earlier terms are not committed by counting, however many have them, but together with the first entry of the
leader's own term. Figure 8 of the paper shows why. S1 to S5 have these terms at index 2 and 3::

        a        b        c        d            e
    S1  1 2      1 2      1 2 4    1 3          1 2 4      a: S1 leads term 2, and 2 gets as far as S2
    S2  1 2      1 2      1 2      1 3          1 2 4      b: S5 leads term 3 (S3, S4 voted), and has an entry of it
    S3  1        1        1 2      1 3          1 2 4      c: S1 leads term 4, and goes on with 2: S1, S2, S3 have it
    S4  1        1        1        1 3          1          d: S5 may be elected by S2, S3, S4, and replaces 2 by 3
    S5  1        1 3      1 3      1 3          1 3        e: had 4 got as far as S3, S5 could not have been elected

In c a majority has 2, and in d it is gone. With 4 on top of it, in e, it is safe.

Cost: a message to each of the others and back for a batch of up to `max_entries` entries, several batches at a time.

Ongaro & Ousterhout (2014), sections 5.3, 5.4.2 and figures 7 and 8.
"""

from __future__ import annotations

from smlib.consensus.raft.messages import AppendEntries, AppendReply
from smlib.consensus.raft.node import LEADER, Node
from smlib.consensus.raft.progress import Progress
from smlib.consensus.raft.quorums import majority_index
from smlib.errors import InputError


def send_due(node: Node) -> None:
    """Send each follower what it lacks: entries, or the news that they are committed."""
    last_index, commit, limit = node.log.last_index, node.log.commit, node.options.max_inflight
    for follower, progress in node.progress.items():
        while progress.overdue or (
            (progress.next <= last_index or progress.told_commit < commit) and progress.may_send(limit)
        ):
            send_append(node, follower, progress)


def send_append(node: Node, follower: int, progress: Progress) -> None:
    """Send a follower the next entries, as many as one message may have; or none, if there are none, or no room."""
    log, start = node.log, progress.next
    count = node.options.max_entries if progress.may_send(node.options.max_inflight) else 0
    entries = log.entries(start, min(start + count, log.last_index + 1))
    node.outbox.append(AppendEntries(node.id, follower, node.term, start - 1, log.term(start - 1), entries, log.commit))
    progress.sent(len(entries), log.commit)


def check_entries(message: AppendEntries) -> None:
    """Raise InputError if entries are not consecutive, or of terms that no leader could send."""
    index, term = message.previous_index, message.previous_term
    for entry in message.entries:
        index += 1
        if entry.index != index or not term <= entry.term <= message.term:
            raise InputError(
                f"node {message.sender} sends {entry}, where an entry with index {index} and a term from {term} to "
                f"{message.term} must stand"
            )
        term = entry.term


def receive_append(node: Node, message: AppendEntries) -> None:
    """Take over a leader's entries if they fit; say so, or where they might."""
    node.hear_leader(message.sender)
    log, previous = node.log, message.previous_index
    if log.matches(previous, message.previous_term):
        last = previous + len(message.entries)
        log.merge(message.entries)
        log.commit_to(min(message.commit, last))
        node.outbox.append(AppendReply(node.id, message.sender, node.term, last, False, 0, 0))
    else:
        hint = log.last_of_terms_up_to(message.previous_term, previous)
        node.outbox.append(AppendReply(node.id, message.sender, node.term, previous, True, hint, log.term(hint)))


def receive_append_reply(node: Node, message: AppendReply) -> None:
    """Note what a follower has, or has not."""
    if node.role is not LEADER:
        return
    log, progress = node.log, node.progress[message.sender]
    if message.index > log.last_index:
        raise InputError(
            f"node {message.sender} answers for entry {message.index}, but the leader has {log.last_index} entries"
        )
    if message.rejected:
        hint = log.last_of_terms_up_to(message.hint_term, message.hint_index)
        if progress.rejected(message.index, hint):
            node.due = True
    elif progress.accepted(message.index):
        node.due = True
        if message.index > log.commit:
            advance_commit(node)


def advance_commit(node: Node) -> None:
    """Commit what a majority has persisted, the leader's own log being no further than it is persisted."""
    index = majority_index([node.log.persisted, *[progress.match for progress in node.progress.values()]])
    if index > node.log.commit and may_be_committed(node, index):
        node.log.commit_to(index)
        node.due = True


def may_be_committed(node: Node, index: int) -> bool:
    """Return whether an entry that a majority has is committed by that: only one of the leader's own term (5.4.2)."""
    return node.log.term(index) == node.term


def report_unreachable(node: Node, follower: int) -> None:
    """Give up guessing what a follower has, as messages to it seem to be lost."""
    if node.role is LEADER and not node.progress[follower].probing:
        node.progress[follower].probe()
