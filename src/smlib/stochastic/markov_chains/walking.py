r"""A walk on a chain: one random word, one look into a table and one comparison a step, whatever the number of states.

The alias method (Walker). A row of chances is put into ``m = 2^bits`` *cells* of equal size: cell c holds a share of
state c, its *own*, and what is left of the cell belongs to one other state, its *alias*. Choose a cell at random and a
height in it, and take the state that lies there::

    P = 1/2  1/3  1/6  0              +-----+-----+-----+-----+
                                      |  0  |##0##|##0##|##1##|      # the alias: 2/3 of cell 1 and 1/3 of cell 2
    four cells of 1/4 each            |     |#####|-----|#####|        are of state 0, and all of cell 3 is of 1
                                      |     |-----|     |#####|
                                      |  0  |  1  |  2  |##1##|
                                      +-----+-----+-----+-----+

Vose finds such cells in one pass: as long as a state is less than a cell, put it into its cell and fill up from a state
that is a cell or more, which has less then by that much. Here chances are whole numbers of units of 2^-61, so that this
is exact: rounded once, they add up to 2^61, and the last cell is as full as the others.

The first bits of a word choose the cell, and the rest of them is the height, down to units; the lowest three bits of
a word, which are the weakest, decide nothing. In a *square* table each row has a cell for each state. A cell is one
word: the share of its own in the upper bits, and the alias in the lower ones. Where rows have few entries, there is a
table *by rows*, each with as many cells as it needs. A cell is two words then: the share, and the numbers of both
states.

The processor. The next step looks where this one ended, and that is what takes the time, so what has to be done
between is kept short: read a cell, compare, choose. Both states are at hand, and the choice is a move, no jump: a
processor that guesses jumps would guess half of them wrong, and lose 20 cycles each time. The random words do not
depend on the walk, and are made meanwhile. And where a table is larger than the cache, the cell that the next word
chooses in the row of this cell's own state is read ahead: if the walk goes there, as it does about half of the time,
the cell has arrived already. Many walks side by side need no such trick, for they wait together.

Invariants, checked by the tests:
  1. The shares of the states in the cells of a row add up to 2^61 units, exactly.
  2. Those of one state are its chance, divided by the sum of the row, but for one rounding and half a unit; the most
     likely one makes up for what the others have too much or too little.
  3. A state of chance 0 is never chosen.
  4. Every cell and state that a table leads to exists.

Cost: O(cells) to build a table, fewer than twice as many as there are entries, or two for a row with one; 8 bytes a
cell in a square table and 16 by rows. A step is O(1): 4 ns where the table is in the nearest cache, and 10 where it
is not.

Walker, "An efficient method for generating discrete random variables with general distributions", *ACM Transactions
on Mathematical Software* 3 (1977); Vose, "A linear algorithm for generating random numbers with a given
distribution", *IEEE Transactions on Software Engineering* 17 (1991); Knuth, *The Art of Computer Programming 2*,
section 3.4.1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.csr import CSRMatrix, Indices
from smlib._core.kernel import kernel
from smlib._core.random_streams import State, advance
from smlib._core.validate import Vector

u64, i64 = np.uint64, np.int64
Words = NDArray[np.uint64]
Places = NDArray[np.int64]

# A row of chances is 2^61 units.
UNIT_BITS = 61
# A square table of no more cells is in the nearest cache anyway.
SMALL_TABLE = 1 << 11
# So many walks go side by side.
GROUP = 8


class AliasTables(NamedTuple):
    """What `step` needs to know of a chain.

    Attributes
    ----------
    cells : ndarray of uint64
        In a square table ``2^bits`` rows of ``2^bits`` cells, of one word each; by rows two words a cell.
    rows : ndarray of uint64
        By rows: where the cells of each row begin, times 64, plus its bits. Empty for a square table.
    bits : uint64
        Of a square table.
    """

    cells: Words
    rows: Words
    bits: np.uint64


def build_tables(links: CSRMatrix) -> AliasTables:
    """Return the alias tables of a chain, whose weights are the entries of sparse rows; no row may be empty."""
    n = links.shape[0]
    # The number of bits that tells the entries of a row apart, and one at least.
    row_bits = np.maximum(np.frexp(np.diff(links.indptr.astype(np.int64)) - 1)[1], 1).astype(np.int64)
    counts = np.left_shift(1, row_bits)
    bits = max((n - 1).bit_length(), 1)
    scratch = np.empty((3, 1 << bits), np.int64)
    if n << bits <= max(2 * int(counts.sum()), SMALL_TABLE):
        # Rows beyond the last are read ahead, but never visited.
        square = AliasTables(np.zeros(1 << 2 * bits, np.uint64), np.empty(0, np.uint64), u64(bits))
        fill_square(links.indptr, links.indices, links.data, square.bits, square.cells, *scratch)
        return square
    starts = np.cumsum(counts) - counts
    by_rows = AliasTables(
        np.zeros(2 * int(counts.sum()), np.uint64), (starts << 6 | row_bits).astype(np.uint64), u64(0)
    )
    fill_rows(links.indptr, links.indices, links.data, by_rows.rows, by_rows.cells, *scratch)
    return by_rows


@kernel
def step(cells: Words, rows: Words, bits: np.uint64, state: np.uint64, word: np.uint64) -> np.uint64:
    """Return the state after this one, as a random word decides."""
    if rows.size == 0:
        low = (u64(1) << bits) - u64(1)
        own = word >> (u64(64) - bits)
        cell = cells[(state << bits) | own]
        # The alias stands in the lower bits; to tip no scales it faces bits that are all ones.
        return own if ((word << bits) | low) < cell else cell & low
    row_bits = rows[state] & u64(63)
    place = ((rows[state] >> u64(6)) + (word >> (u64(64) - row_bits))) << u64(1)
    both = cells[place + u64(1)]
    chosen: np.uint64 = both if (word << row_bits) < cells[place] else both >> u64(32)
    return chosen & u64(0xFFFFFFFF)


@kernel
def walk_one(cells: Words, rows: Words, bits: np.uint64, path: Places, stream: State) -> tuple[np.uint64, State]:
    """Fill a path whose first state is given. Returns what was read ahead, mixed up and of no use, and the stream."""
    state = u64(path[0])
    own = state
    ahead = u64(0)
    for time in range(1, path.size):
        word = stream[0] + stream[3]
        stream = advance(stream)
        if rows.size == 0:
            previous, own = own, word >> (u64(64) - bits)
            ahead ^= cells[(previous << bits) | own]
        state = step(cells, rows, bits, state, word)
        path[time] = i64(state)
    return ahead, stream


@kernel
def walk_many(cells: Words, rows: Words, bits: np.uint64, paths: NDArray[np.int64], stream: State) -> State:
    """Fill paths whose first states are given, some of them side by side."""
    for start in range(0, paths.shape[0], GROUP):
        group = paths[start : start + GROUP]
        for time in range(1, group.shape[1]):
            for path in range(group.shape[0]):
                word = stream[0] + stream[3]
                stream = advance(stream)
                group[path, time] = i64(step(cells, rows, bits, u64(group[path, time - 1]), word))
    return stream


@kernel
def fill_square(
    indptr: Indices,
    indices: Indices,
    data: Vector,
    bits: np.uint64,
    cells: Words,
    units: Places,
    alias: Places,
    stack: Places,
) -> None:
    """Fill the cells of a square table."""
    size = units.size
    for row in range(indptr.size - 1):
        units[:] = 0
        start, end = i64(indptr[row]), i64(indptr[row + 1])
        count_units(data[start:end], alias)
        for entry in range(start, end):
            units[i64(indices[entry])] = alias[entry - start]
        share_out(units, alias, stack)
        for cell in range(size):
            cells[row * size + cell] = as_height(units[cell], bits) | u64(alias[cell])


@kernel
def fill_rows(
    indptr: Indices,
    indices: Indices,
    data: Vector,
    rows: Words,
    cells: Words,
    units: Places,
    alias: Places,
    stack: Places,
) -> None:
    """Fill the cells of a table by rows."""
    for row in range(indptr.size - 1):
        bits = rows[row] & u64(63)
        first, size = i64(rows[row] >> u64(6)), 1 << i64(bits)
        start, end = i64(indptr[row]), i64(indptr[row + 1])
        units[:size] = 0
        count_units(data[start:end], units)
        share_out(units[:size], alias[:size], stack[:size])
        for cell in range(size):
            # A cell that is no entry's has nothing of its own.
            own = u64(indices[min(start + cell, end - 1)])
            cells[2 * (first + cell)] = as_height(units[cell], bits)
            cells[2 * (first + cell) + 1] = own | u64(indices[start + alias[cell]]) << u64(32)


@kernel
def count_units(weights: Vector, units: Places) -> None:
    """Set the units of each weight: they add up to 2^61, and the heaviest has what rounding has left over."""
    total = 0.0
    heaviest = 0
    for k in range(weights.size):
        total += weights[k]
        if weights[k] > weights[heaviest]:
            heaviest = k
    rest = i64(1) << UNIT_BITS
    for k in range(weights.size):
        units[k] = i64(weights[k] / total * 2.0**UNIT_BITS + 0.5)
        rest -= units[k]
    units[heaviest] += rest


@kernel
def share_out(units: Places, alias: Places, stack: Places) -> None:
    """Turn the units of each state into those of its own that its cell holds, and set the aliases.

    The stack has cells that are not full from below, and those that are full or more from above.
    """
    size = units.size
    full = (i64(1) << UNIT_BITS) // size
    few, many = 0, size
    for cell in range(size):
        alias[cell] = cell
        if units[cell] < full:
            stack[few] = cell
            few += 1
        else:
            many -= 1
            stack[many] = cell
    while few:
        few -= 1
        poor, rich = stack[few], stack[many]
        alias[poor] = rich
        units[rich] -= full - units[poor]
        if units[rich] < full:
            many += 1
            stack[few] = rich
            few += 1


@kernel
def as_height(units: int, bits: np.uint64) -> np.uint64:
    """Return units as what the rest of a word is compared with; 0 for a full cell, which is its own alias."""
    return u64(units) << (bits + u64(64 - UNIT_BITS))
