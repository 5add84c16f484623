"""From sequences of anything to counts: states get numbers, and what follows what is counted.

A state may be anything that can be a key: a letter, a word, a tuple. Inside it is a number from 0 on, and the history
of ``order`` states is one number too, read as digits to the base n::

    a b b a c  ->  0 1 1 0 2        order 2, n = 3:   (0 1) then 1:  history 1, next 1
                                                      (1 1) then 0:  history 4, next 0
                                                      (1 0) then 2:  history 3, next 2

Counting is one pass: read two numbers, add one to a place of the table. If the same place comes twice in a row, the
second addition must wait for the first one, some five cycles. So a sequence over few states is counted in four parts at
once, each with a table of its own that the others do not touch, and these are added up.

Integers are numbered by a table over their range, by two passes without a single comparison; other states by a dict.

Invariants, checked by the tests:
  1. The counts add up to what the lengths of the sequences say: each sequence has ``order`` fewer than states.
  2. Nothing is counted across the gap between two sequences.
  3. The order of states is that of ``states``, else ascending, else that of the first occurrence.

Cost: O(letters), about 2 ns a letter for integers, 50 ns for objects.

Anderson & Goodman, "Statistical inference about Markov chains", *Annals of Mathematical Statistics* 28 (1957).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib.errors import InputError

Sequences: TypeAlias = str | NDArray[Any] | Iterable[Any]
Counts = NDArray[np.int64]
Labels = NDArray[np.uint32]
Names: TypeAlias = tuple[Any, ...]

# So many counts are kept at most: 128 MB of them, and as much again for each of some results.
MOST_COUNTS = 1 << 24
# A table is counted in parts if it is as small as this, so that all parts fit into the nearest cache.
SMALL_TABLE = 1 << 10
PARTS = 4
# Integers over a range of up to this many are numbered by a table.
WIDEST_RANGE = 1 << 22


def as_labels(sequences: Sequences, states: Iterable[Hashable] | None) -> tuple[Names, list[Labels]]:
    """Return the states, and each sequence as an array of their numbers."""
    parts = _as_list(sequences)
    known = None if states is None else _as_states(states)
    if parts and all(isinstance(part, str) for part in parts):
        # Letters are integers, and are treated as such.
        codes = [np.frombuffer(part.encode("utf-32-le", "surrogatepass"), np.uint32) for part in parts]
        wanted = None
        if known is not None:
            wanted = tuple(ord(name) if isinstance(name, str) and len(name) == 1 else -1 for name in known)
        found, labels = _number_integers(codes, wanted, chr)
        return known or tuple(map(chr, found)), labels
    if parts and all(isinstance(part, np.ndarray) and np.can_cast(part.dtype, np.int64) for part in parts):
        numbers, labels = _number_integers([part.astype(np.int64, copy=False) for part in parts], known, int)
        return known or numbers, labels
    return _number_objects([part.tolist() if isinstance(part, np.ndarray) else list(part) for part in parts], known)


def count_transitions(parts: Sequence[Labels], n: int, order: int) -> Counts:
    """Return how often each state followed each history of ``order`` states, shape (n ** order, n)."""
    if n ** (order + 1) > MOST_COUNTS:
        raise InputError(
            f"{n} states after {order} of them make {float(n) ** (order + 1):.2g} counts; {MOST_COUNTS} at most"
        )
    counts = np.zeros((n**order, n), np.int64)
    tables = np.zeros((PARTS, n**order, n), np.int64) if counts.size <= SMALL_TABLE else counts[None]
    for labels in parts:
        if labels.size > order:
            history = labels[: labels.size - order]
            for place in range(1, order):
                history = history * np.uint32(n) + labels[place : labels.size - order + place]
            count_pairs(history, labels[order:], tables)
    return tables.sum(axis=0) if len(tables) > 1 else counts


def _as_list(sequences: Sequences) -> list[Any]:
    """Return the sequences one by one, whichever way they are given."""
    if isinstance(sequences, str):
        return [sequences]
    if isinstance(sequences, np.ndarray):
        if sequences.ndim not in (1, 2):
            raise InputError(f"sequences has {sequences.ndim} dimensions; a sequence has 1, a row each makes 2")
        return [sequences] if sequences.ndim == 1 else list(sequences)
    try:
        items = list(sequences)
    except TypeError as error:
        raise InputError(
            f"sequences is {sequences!r}; it must be a sequence of states, or a list of sequences"
        ) from error
    nested = [isinstance(item, list) or (isinstance(item, np.ndarray) and item.ndim == 1) for item in items]
    if any(nested) and not all(nested):
        odd = items[nested.index(False)]
        raise InputError(f"sequences holds lists or arrays, but also {odd!r}; either all are sequences, or none is")
    return items if any(nested) else [items]


def _as_states(states: Iterable[Hashable]) -> Names:
    names = tuple(states)
    if not names:
        raise InputError("states is empty; leave it out to take the states that occur")
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise InputError(f"states holds {twice!r} twice")
    return names


def _unknown(name: Any) -> InputError:
    return InputError(f"{name!r} occurs in a sequence, but is not among states")


def _number_objects(parts: list[list[Any]], known: Names | None) -> tuple[Names, list[Labels]]:
    try:
        names = list(dict.fromkeys(item for part in parts for item in part)) if known is None else list(known)
        if known is None:
            with suppress(TypeError):
                names.sort()
        number = {name: k for k, name in enumerate(names)}
        return tuple(names), [np.fromiter(map(number.__getitem__, part), np.uint32, len(part)) for part in parts]
    except KeyError as error:
        raise _unknown(error.args[0]) from error
    except TypeError as error:
        raise InputError(f"states must be hashable: {error}") from error


def _number_integers(parts: list[NDArray[Any]], known: Names | None, name: Any) -> tuple[Names, list[Labels]]:
    """Number integers in ascending order, or as ``known`` says; ``name`` makes of an integer what a user calls it."""
    filled = [part for part in parts if part.size]
    if not filled:
        return known or (), [np.empty(0, np.uint32) for _ in parts]
    low, high = min(int(part.min()) for part in filled), max(int(part.max()) for part in filled)
    if high - low >= WIDEST_RANGE:
        values, inverse = np.unique(np.concatenate(parts), return_inverse=True)
        ends = np.cumsum([part.size for part in parts])[:-1]
        parts = np.split(inverse.astype(np.uint32), ends)
    else:
        seen = np.zeros(high - low + 1, np.uint32)
        for part in filled:
            mark(part, low, seen)
        values = np.flatnonzero(seen) + low
    found = tuple(values.tolist())
    numbers = np.arange(len(found), dtype=np.uint32)
    if known is not None:
        place = {value: k for k, value in enumerate(known)}
        missing = [value for value in found if value not in place]
        if missing:
            raise _unknown(name(missing[0]))
        numbers = np.array([place[value] for value in found], np.uint32)
    if high - low >= WIDEST_RANGE:
        return found, [numbers[part] for part in parts]
    seen[values - low] = numbers
    labels = [np.empty(part.size, np.uint32) for part in parts]
    for part, label in zip(parts, labels, strict=True):
        relabel(part, low, seen, label)
    return found, labels


@kernel
def mark(values: NDArray[Any], low: int, seen: Labels) -> None:
    """Note which integers occur."""
    for value in values:
        seen[value - low] = 1


@kernel
def relabel(values: NDArray[Any], low: int, numbers: Labels, labels: Labels) -> None:
    """Replace each integer by its number."""
    for k in range(values.size):
        labels[k] = numbers[values[k] - low]


@kernel
def count_pairs(history: Labels, following: Labels, tables: Counts) -> None:
    """Count which number follows which history, in as many parts as there are tables."""
    parts = tables.shape[0]
    length = history.size // parts
    if parts == PARTS:
        a, b, c, d = tables[0], tables[1], tables[2], tables[3]
        for k in range(length):
            a[history[k], following[k]] += 1
            b[history[k + length], following[k + length]] += 1
            c[history[k + 2 * length], following[k + 2 * length]] += 1
            d[history[k + 3 * length], following[k + 3 * length]] += 1
    else:
        length = 0
    for k in range(parts * length, history.size):
        tables[0, history[k], following[k]] += 1
