r"""Elimination without subtraction: states are taken out of a chain one by one, and what is left is a chain again.

The problem. What one asks of a chain leads to linear equations with ``I - P``: singular for the stationary
distribution, and nearly so where a chain seldom leaves some of its states. Gauss elimination subtracts. If the chance
to leave is 1e-12, then ``1 - P[i, i]`` has four digits left of sixteen, and no later care brings them back.

The idea (Grassmann, Taksar & Heyman). Watch the chain only while it is in other states than k: *censor* k. From i it
goes to j as before, or by way of k, where it may stay for some steps, and then goes to j. Whoever leaves k leaves it
to j in proportion of ``P[k, j]``, so that the visitors of k are sent on in these shares::

        i ---P[i,k]---> k ---P[k,j]---> j          P[i, j] += P[i, k] * P[k, j] / s[k]
        i ------------P[i,j]----------> j          s[k] = sum of P[k, j] over the j that are left, j != k

That is a step of Gauss elimination, but ``s[k]``, which is ``1 - P[k, k]``, is found as a sum of what is known.
Numbers that are not negative are added, multiplied and divided; nothing is subtracted. Such a computation loses next
to nothing: each result has a relative error of a few roundings for each state taken out, however small it is and
however near to falling apart the chain. What must be known well are the chances to *go*; the diagonal, the chance to
stay, is never read.

Some chances may lead out of the states for good. Their sum from state i is ``leave[i]``, a part of ``s[i]``, and what
is sent on from k is sent there, too. Then all states can be taken out, and ``(I - Q) x = b`` is solved for b without
negative entries: forward ``b[i] += P[i, k] / s[k] * b[k]`` as states are taken out, and back ``x[k] = (b[k] + sum of
P[k, j] x[j]) / s[k]``.

Panels. To take out one state touches all of the matrix for one multiplication an entry, and memory cannot follow. So
a panel of states is taken out together. It is a small chain, and what goes from it to any other state is its
``leave``: that is enough to take out its states one by one. The sums over all ways through the panel, two small
matrices, then bring its own rows and columns up to date, and what it sends on between all the others is a product of
these: matrices without negative entries again, multiplied and added.

Bands. If states are numbered such that none leads farther than `reach` places (as in a queue), taking one out changes
what is near to it only, and the rest of the matrix is never needed. Its rows overlap in memory here: a row begins ``2
h`` numbers after the one before, and not n, where h is the reach and a panel. Then ``cells[i * stride + j]`` is entry
(i, j) for a full matrix and for a band.

By hand. From 0 to 1 with chance 1/2, from 1 to 0 or 2 with 1/4 each, from 2 to 1 with 1/2 (else stay). Take out 2: s
= 1/2, and who was sent there from 1 comes back, which changes nothing but the diagonal. Take out 1: s = 1/4. What is
left is 0, visited once, say. Then 1 is visited 1 * (1/2) / (1/4) = 2 times in between, 2 is visited 2 * (1/4) / (1/2)
= 1 time, and the stationary distribution is (1, 2, 1) / 4.

Invariants, checked by the tests:
  1. No number is ever subtracted, so none becomes negative.
  2. What is left is a chain: the chances to go, to leave and to stay add up to 1.
  3. Every entry of a result is within a few n roundings of its true value, relative to itself.

Cost: full matrices 2/3 n^3 additions and multiplications and n^2 space, bands O(n b^2) and O(n b); solving O(n^2) and
O(n b) for each right side.

Grassmann, Taksar & Heyman, "Regenerative analysis and steady state distributions for Markov chains", *Operations
Research* 33 (1985); O'Cinneide, "Entrywise perturbation theory and error analysis for Markov chains", *Numerische
Mathematik* 65 (1993); Stewart, *Probability, Markov Chains, Queues, and Simulation*, section 10.2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse.csgraph
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from smlib._core.csr import CSRMatrix
from smlib._core.kernel import kernel
from smlib._core.validate import Vector
from smlib.errors import InputError

Places = NDArray[np.int64]

# So many states are taken out together.
PANEL = 48
# So many rows of what a panel sends on are computed before they are added, so that they are still in the cache.
SENT_ROWS = 128
# Bytes that a matrix may take.
MOST_BYTES = 1 << 31


class Censored(NamedTuple):
    """A part of a chain whose states have been taken out one by one, the last first.

    Attributes
    ----------
    order : ndarray, shape (n,)
        Which member stands at which place.
    cells : ndarray
        Entry (i, j) stands at ``i * stride + j``: for i < j the chance to go to j divided by ``s[j]``, for i > j the
        chance to go to j, each at the time when the later of the two was taken out.
    stride : int
        n, or twice the width of the band.
    reach : int
        States that are farther apart do not lead to each other.
    leaving : ndarray, shape (n,)
        The chance to leave for good.
    going : ndarray, shape (n,)
        ``s``: the chance to leave, or to go to a state that was not taken out yet.
    """

    order: Places
    cells: Vector
    stride: int
    reach: int
    leaving: Vector
    going: Vector

    @property
    def matrix(self) -> Vector:
        """The cells as a matrix; its rows overlap where it is a band."""
        n, size = self.order.size, self.cells.itemsize
        return as_strided(self.cells, (n, n), (self.stride * size, size))

    def corner(self, place: int) -> Vector:
        """Return the cells of the states from a place on."""
        return self.cells[place * (self.stride + 1) :]

    @property
    def panel(self) -> int:
        """How many states are taken out together: all of them if their links are so short that products do not pay."""
        return PANEL if self.reach >= PANEL else max(self.order.size, 1)


def censor(weights: Vector | CSRMatrix, members: Places, leaving: Vector | None = None) -> Censored:
    """Take the members out of a chain one by one; without ``leaving`` the first one stays in the end."""
    n = members.size
    if isinstance(weights, np.ndarray):
        cells = weights.copy() if n == len(weights) else weights[np.ix_(members, members)]
        part = Censored(np.arange(n), cells.ravel(), n, n, np.zeros(n), np.zeros(n))
    else:
        part = _fill_band(weights.to_scipy()[members][:, members])
    if leaving is not None:
        part.leaving[:] = leaving[part.order]
    # Where all chances to go are products below 1e-308, and so 0, numbers of the states before mean nothing.
    with np.errstate(all="ignore"):
        _take_out(part)
    return part


def solve(part: Censored, right: Vector) -> Vector:
    """Return the x of ``x = right + Q x``, for a right side of shape (n, k) without negative entries."""
    x = np.ascontiguousarray(right[part.order])
    with np.errstate(all="ignore"):
        _substitute(part, x)
    if not np.isfinite(x).all():
        raise InputError(
            "the chance ever to leave some state is below 1e-308, so that no float can hold the time spent there"
        )
    found = np.empty_like(x)
    found[part.order] = x
    return found


def _take_out(part: Censored) -> None:
    """Take out all states, panel by panel, the last first."""
    matrix, n = part.matrix, part.order.size
    space = np.empty(SENT_ROWS * min(part.reach, n))
    for high in range(n, 0, -part.panel):
        low = max(high - part.panel, 0)
        first = max(low - part.reach, 0)
        before, panel = slice(first, low), slice(low, high)

        # A panel is a chain of its own, which whoever goes to the states before it leaves.
        corner = part.corner(low), part.stride, part.reach
        leaving = part.leaving[panel] + matrix[panel, before].sum(axis=1)
        take_out_all(*corner, leaving, part.going[panel])
        if first == low:
            continue

        # Where it is left to, from each of its states, and how often each is seen from the states before.
        sums = np.eye(high - low)
        send_on(*corner, sums)
        matrix[panel, before] = sums @ matrix[panel, before]
        part.leaving[panel] = sums @ part.leaving[panel]
        sums = np.eye(high - low)
        put_back(*corner, part.going[panel], sums)
        matrix[before, panel] = matrix[before, panel] @ sums
        part.leaving[before] += matrix[before, panel] @ part.leaving[panel]
        for start in range(first, low, SENT_ROWS):
            end = min(start + SENT_ROWS, low)
            sent = space[: (end - start) * (low - first)].reshape(end - start, low - first)
            np.matmul(matrix[start:end, panel], matrix[panel, before], out=sent)
            matrix[start:end, before] += sent


def _substitute(part: Censored, x: Vector) -> None:
    """Turn the right side into the solution, both in the order of the part, panel by panel: forward, then back."""
    matrix, n = part.matrix, part.order.size
    for high in range(n, 0, -part.panel):
        low = max(high - part.panel, 0)
        first = max(low - part.reach, 0)
        send_on(part.corner(low), part.stride, part.reach, x[low:high])
        x[first:low] += matrix[first:low, low:high] @ x[low:high]
    for low in range(0, n, part.panel):
        high = min(low + part.panel, n)
        first = max(low - part.reach, 0)
        x[low:high] += matrix[low:high, first:low] @ x[first:low]
        put_back(part.corner(low), part.stride, part.reach, part.going[low:high], x[low:high])


def _fill_band(rows: scipy.sparse.csr_array) -> Censored:
    """Order states such that links are short, and lay the matrix out as a band, or in full if that is smaller."""
    n = rows.shape[0]
    order = scipy.sparse.csgraph.reverse_cuthill_mckee(rows).astype(np.int64)
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    entries = rows.tocoo()
    i, j = (place[coordinate] for coordinate in entries.coords)
    reach = int(np.abs(i - j).max(initial=0))
    stride = min(2 * (reach + (PANEL if reach >= PANEL else 1)), n)
    if 8 * n * (stride + 1) > MOST_BYTES:
        raise InputError(
            f"{n} states that lead up to {reach} places away, in the best order found, need "
            f"{8 * n * stride >> 20:,} MB for elimination, and {MOST_BYTES >> 20:,} MB are the most"
        )
    cells = np.zeros((n - 1) * stride + n)
    cells[i * stride + j] = entries.data
    return Censored(order, cells, stride, min(reach, n), np.zeros(n), np.zeros(n))


@kernel(fast=True)
def take_out_all(cells: Vector, stride: int, reach: int, leaving: Vector, going: Vector) -> None:
    """Take out all states, the last first: each row is brought up to date when the states after it are out."""
    for i in range(going.size - 1, -1, -1):
        for k in range(min(going.size - 1, i + reach), i, -1):
            # Who went from i to k goes where k leads.
            share = cells[i * stride + k] / going[k]
            cells[i * stride + k] = share
            leaving[i] += share * leaving[k]
            start = max(k - reach, 0)
            row = cells[k * stride + start : k * stride + k]
            target = cells[i * stride + start : i * stride + k]
            for j in range(row.size):
                target[j] += share * row[j]
        going[i] = leaving[i]
        row = cells[i * stride + max(i - reach, 0) : i * stride + i]
        for j in range(row.size):
            going[i] += row[j]


@kernel(fast=True)
def send_on(cells: Vector, stride: int, reach: int, right: Vector) -> None:
    """Solve ``x = right + S x`` in place, for the shares S that states send to later ones: the last is known first."""
    for k in range(right.shape[0] - 1, -1, -1):
        row = right[k]
        for i in range(max(k - reach, 0), k):
            share = cells[i * stride + k]
            target = right[i]
            for j in range(row.size):
                target[j] += share * row[j]


@kernel(fast=True)
def put_back(cells: Vector, stride: int, reach: int, going: Vector, x: Vector) -> None:
    """Solve ``going x = right + R x`` in place, for the chances R to go to states before: the first is known first."""
    for k in range(going.size):
        target = x[k]
        for i in range(max(k - reach, 0), k):
            weight = cells[k * stride + i]
            row = x[i]
            for j in range(row.size):
                target[j] += weight * row[j]
        for j in range(target.size):
            target[j] /= going[k]
