"""The log beside a plain list, and what a leader knows of a follower beside the truth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.consensus.raft.log import RaftLog
from smlib.consensus.raft.log_store import MemoryLogStore
from smlib.consensus.raft.messages import Entry, HardState
from smlib.consensus.raft.progress import Progress
from smlib.errors import ConsensusError, InputError


def entries_of(terms: list[int], start: int = 1) -> tuple[Entry, ...]:
    return tuple(Entry(term, index, b"%d" % term) for index, term in enumerate(terms, start))


def log_of(stored: list[int], tail: list[int], commit: int = 0) -> RaftLog:
    """Return a log of entries with these terms, of which the first ones are in the store."""
    store = MemoryLogStore()
    store.append(entries_of(stored))
    log = RaftLog(store, commit)
    for entry in entries_of(tail, len(stored) + 1):
        log.append(entry)
    return log


TERMS = st.lists(st.integers(1, 4), max_size=8).map(sorted)


@given(TERMS, st.integers(0, 8), st.data())
def test_it_reads_like_a_list_wherever_the_store_ends(terms: list[int], stored: int, data: st.DataObject) -> None:
    log = log_of(terms[:stored], terms[stored:])
    entries = entries_of(terms)
    assert log.last_index == len(terms)
    assert log.last_term() == (terms[-1] if terms else 0)
    assert [log.term(index) for index in range(len(terms) + 3)] == [0, *terms, 0, 0]
    stop = data.draw(st.integers(1, len(terms) + 1))
    start = data.draw(st.integers(1, stop))
    assert log.entries(start, stop) == entries[start - 1 : stop - 1]
    index, term = data.draw(st.integers(0, 10)), data.draw(st.integers(0, 5))
    assert log.matches(index, term) == (
        (index == 0 and term == 0) or (0 < index <= len(terms) and terms[index - 1] == term)
    )
    up_to = [place for place, found in enumerate([0, *terms]) if found <= term and place <= index]
    assert log.last_of_terms_up_to(term, index) == max(up_to)


@given(TERMS, TERMS, st.integers(0, 8), st.integers(0, 8))
def test_merging_ends_with_the_leaders_log(ours: list[int], theirs: list[int], stored: int, count: int) -> None:
    """Two logs with log matching: what they share is a beginning, and entries of one term there are the same."""
    theirs = [term + 4 for term in theirs]
    shared = ours[: min(count, len(ours))]
    leader = shared + theirs
    log = log_of(ours[:stored], ours[stored:])
    log.merge(entries_of(leader))
    found = [log.term(index) for index in range(1, log.last_index + 1)]
    # Without anything that differs, a message that says less than we have takes nothing away.
    assert found == (ours if not theirs else leader)
    assert log.persisted <= log.last_index
    assert [entry.index for entry in log.entries(1, log.last_index + 1)] == list(range(1, len(found) + 1))


def test_what_is_committed_is_never_replaced() -> None:
    log = log_of([1, 1], [1], commit=2)
    with pytest.raises(ConsensusError, match="entry 2 is committed with term 1"):
        log.merge(entries_of([2], start=2))
    assert [log.term(index) for index in (1, 2, 3)] == [1, 1, 1]
    log.merge(entries_of([2], start=3))
    assert log.term(3) == 2
    with pytest.raises(ConsensusError, match="entry 9 is committed here, but the log ends with 3"):
        log.commit_to(9)
    log.commit_to(1)
    assert log.commit == 2


def test_what_was_written_counts_only_if_it_is_still_in_the_log() -> None:
    log = log_of([1], [1, 1])
    written = log.entries(2, 4)
    log.merge(entries_of([2], start=3))
    log.persist_to(written[-1])
    assert log.persisted == 1
    log.persist_to(log.entries(3, 4)[-1])
    assert (log.persisted, log.tail) == (3, [])
    log.persist_to(written[0])
    assert log.persisted == 3


def test_replacing_what_is_in_the_store_keeps_what_lies_before() -> None:
    log = log_of([1, 1, 2, 2], [2])
    log.merge(entries_of([1, 3], start=2))
    assert (log.persisted, log.last_index, log.term(2), log.term(3)) == (2, 3, 1, 3)
    assert log.tail == list(entries_of([3], start=3))


def test_a_store_takes_no_gap() -> None:
    store = MemoryLogStore()
    store.append([])
    assert (store.first_index(), store.last_index(), store.hard_state()) == (1, 0, HardState(0, None, 0))
    with pytest.raises(InputError, match="an entry has index 2, but the log ends with 0"):
        store.append(entries_of([1], start=2))
    with pytest.raises(InputError, match="an entry has index 0"):
        store.append(entries_of([1], start=0))


def test_progress_from_probing_to_replicating_and_back() -> None:
    progress = Progress(next_index=5)
    assert (progress.probing, progress.may_send(2)) == (True, True)
    progress.sent(1, commit=3)
    assert not progress.may_send(2)
    # An answer to something else is no news; the one to the probe moves next back to the hint, or by one at least.
    assert not progress.rejected(9, hint=1)
    assert progress.rejected(4, hint=7)
    assert (progress.next, progress.may_send(2)) == (4, True)
    assert progress.rejected(3, hint=1)
    assert progress.next == 2
    assert progress.accepted(1)
    assert (progress.match, progress.next, progress.probing) == (1, 2, False)
    # Two messages are in flight, and no more.
    progress.sent(3, commit=3)
    progress.sent(2, commit=3)
    assert (progress.next, list(progress.inflight), progress.may_send(2)) == (7, [4, 6], False)
    # An answer that comes late or twice never moves it back.
    assert progress.accepted(4)
    assert not progress.accepted(4)
    assert not progress.accepted(1)
    assert not progress.rejected(3, hint=0)
    assert (progress.match, list(progress.inflight), progress.may_send(2)) == (4, [6], True)
    assert repr(progress) == "Progress(replicate, match 4, next 7, 1 in flight)"
    # What was sent is lost: probe from what is certain. A late answer may still be for more than was sent since.
    assert progress.rejected(6, hint=5)
    assert (progress.probing, progress.next, list(progress.inflight)) == (True, 5, [])
    assert progress.accepted(5)
    assert progress.accepted(6)
    assert (progress.match, progress.next) == (6, 7)
    # A follower that has all is not bothered; one that is probed, or lacks something, is.
    assert not progress.resume(last_index=6)
    assert progress.resume(last_index=7)
    assert progress.overdue


@given(st.lists(st.tuples(st.sampled_from(["send", "accept", "reject", "probe"]), st.integers(0, 12)), max_size=40))
def test_match_never_goes_back(steps: list[tuple[str, int]]) -> None:
    progress, last = Progress(next_index=6), 12
    for step, number in steps:
        before = progress.match
        if step == "send" and progress.may_send(3):
            progress.sent(min(number, last + 1 - progress.next), commit=0)
        elif step == "accept":
            progress.accepted(number)
        elif step == "reject":
            progress.rejected(number, hint=number // 2)
        elif step == "probe":
            progress.probe()
        assert before <= progress.match < progress.next <= last + 1
        assert len(progress.inflight) <= 3
        assert not (progress.probing and progress.inflight)
