"""The disk of a simulated node: what a crash leaves is what was synced, and then some of what was written, in order."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from smlib.consensus.raft.log_store import MemoryLogStore
from smlib.consensus.raft.messages import Entry, HardState, Ready
from smlib.consensus.simulation.disk import SimulatedLogStore


def contents(store: MemoryLogStore) -> tuple[HardState, tuple[Entry, ...]]:
    return store.hard_state(), tuple(store.entries(1, store.last_index() + 1))


@st.composite
def writes(draw: st.DrawFn) -> list[tuple[tuple[Entry, ...], HardState | None] | None]:
    """Return what is written, in order, and where it is synced (None)."""
    done: list[tuple[tuple[Entry, ...], HardState | None] | None] = []
    last = 0
    for number in range(1, draw(st.integers(1, 8)) + 1):
        if draw(st.booleans()):
            done.append(None)
        first = draw(st.integers(max(1, last - 2), last + 1))
        entries = tuple(Entry(number, first + k, b"%d" % number) for k in range(draw(st.integers(0, 3))))
        last = entries[-1].index if entries else last
        done.append((entries, draw(st.sampled_from([None, HardState(number, number % 3 + 1, 0)]))))
    return done


@given(writes(), st.integers(0, 2**32))
def test_a_crash_leaves_what_was_synced_and_a_beginning_of_the_rest(
    done: list[tuple[tuple[Entry, ...], HardState | None] | None], seed: int
) -> None:
    disk, plain = SimulatedLogStore(), MemoryLogStore()
    allowed = [contents(plain)]
    for step in done:
        if step is None:
            disk.sync()
            allowed = [contents(plain)]
            continue
        entries, hard_state = step
        for length in range(1, len(entries) + 1):
            torn = MemoryLogStore()
            torn.append(contents(plain)[1])
            torn.append(entries[:length])
            torn.set_hard_state(plain.hard_state())
            allowed.append(contents(torn))
        plain.append(entries)
        if hard_state is not None:
            plain.set_hard_state(hard_state)
        allowed.append(contents(plain))
        disk.write(Ready(hard_state, entries, (), (), (), True))
        assert contents(disk) == contents(plain), "a node sees what it has written"
    found = disk.crash(Random(seed))
    assert contents(found) in allowed
    assert contents(found) == contents(found.medium)
    assert contents(found.crash(Random(seed + 1))) == contents(found), "what is left is on the medium"


def test_all_that_may_be_left_is_left_sometimes() -> None:
    left = set()
    for seed in range(200):
        disk = SimulatedLogStore()
        disk.write(Ready(HardState(1, 2, 0), (Entry(1, 1, b"a"),), (), (), (), True))
        disk.sync()
        disk.write(Ready(HardState(2, 3, 0), (Entry(2, 2, b"b"), Entry(2, 3, b"c")), (), (), (), True))
        found = disk.crash(Random(seed))
        left.add((found.last_index(), found.hard_state().term))
    assert left == {(1, 1), (2, 1), (3, 1), (3, 2)}
