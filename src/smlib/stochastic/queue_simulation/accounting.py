"""The books of a run: how many customers were there, waited and were served, added up over time.

The number in the system goes up by one at an arrival and down by one at a departure. The area below that curve is what
Little's law is about. Cut it into layers, and each customer is a layer as long as the response time; cut it into
slices, and it is the mean number times the length of the run::

    3 |          ######
    2 |     #################        area = sum of the response times = L * length of the run
    1 |##########################    and with n = rate * length:  L = rate * W
      +--------------------------

Both sides are computed here from different data: the left one from the order of arrivals and departures, as the clock
saw them, the right one from each customer's record. They agree in every run that ends with an empty system, to the last
digits. The same goes for what is above the line ``servers``: it is the area of the waits if, and only if, no server was
idle meanwhile. And what is below the line is the area of the services.

Cost: O(n).

Little, "A proof for the queuing formula L = lambda W", *Operations Research* 9 (1961); Harchol-Balter, *Performance
Modeling and Design of Computer Systems*, chapter 6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector

# Sums of n rounded numbers, of which some are differences of clock times.
TOLERANCE = 1e-9

NUMBER, WAITING, BUSY, DEPARTED = range(4)


class Books(NamedTuple):
    """What has been added up, and how far it is from what the records say.

    Attributes
    ----------
    areas : ndarray, shape (windows, 4)
        For each window of time: the customers in the system, those beyond the number of servers, and the busy servers,
        each integrated over the window; and how many left.
    little_gap, waiting_gap, busy_gap : float
        How far these areas are from the sums of the response times, of the waits and of the services: each over the
        larger of both.
    """

    areas: NDArray[np.float64]
    little_gap: float
    waiting_gap: float
    busy_gap: float

    @property
    def balanced(self) -> bool:
        """Whether all gaps are what rounding leaves."""
        return max(self.little_gap, self.waiting_gap, self.busy_gap) <= TOLERANCE


def keep_books(
    arrivals: Vector,
    services: Vector,
    starts: Vector,
    ends: Vector,
    departures: Vector,
    servers: int,
    edges: Vector,
    *,
    shared: bool = False,
) -> Books:
    """Add up a run of served customers, window by window, and compare the sums with the records.

    Parameters
    ----------
    arrivals, services, starts, ends : ndarray, shape (n,)
        Of those who were served, in the order in which they arrived.
    departures : ndarray, shape (n,)
        The ends in order of time, as the clock saw them.
    servers : int
        How many customers can be served at once.
    edges : ndarray, shape (windows + 1,)
        From 0 to the last departure.
    shared : bool
        Nobody waits: all who are there are served at once.
    """
    areas = np.zeros((edges.size - 1, 4))
    forward = integrate(arrivals, departures, servers, edges, areas)
    if shared:
        areas[:, WAITING] = 0.0
    number, waiting, busy, _ = areas.sum(axis=0)
    gaps = (
        _gap(number, float((ends - arrivals).sum()), edges[-1]) if forward else np.inf,
        _gap(waiting, float((starts - arrivals).sum()), edges[-1]),
        _gap(busy, float(services.sum()), edges[-1]),
    )
    return Books(areas, *gaps)


def _gap(area: float, total: float, length: float) -> float:
    """Return a difference over what it is a difference of; where that is next to nothing, over a customer all along."""
    scale = max(abs(area), abs(total), length)
    return float(abs(area - total) / scale) if scale > 0.0 else 0.0


@kernel
def integrate(arrivals: Vector, departures: Vector, servers: int, edges: Vector, areas: NDArray[np.float64]) -> bool:
    """Walk through arrivals and departures in order of time, and add what lies below the curve to each window.

    Returns whether time never went backwards.
    """
    customers = arrivals.size
    arrived, number, waiting, busy = 0, 0, 0, 0
    before, forward, window = edges[0], True, 0
    number_area, waiting_area, busy_area = 0.0, 0.0, 0.0
    last_departed, departed = 0, 0
    while departed < customers:
        arrival = arrivals[arrived] if arrived < customers else np.inf
        departure = departures[departed]
        arriving = arrival < departure
        now = arrival if arriving else departure
        forward &= now >= before
        while now > edges[window + 1] and window + 2 < edges.size:
            length = edges[window + 1] - before
            areas[window, NUMBER] = number_area + number * length
            areas[window, WAITING] = waiting_area + waiting * length
            areas[window, BUSY] = busy_area + busy * length
            areas[window, DEPARTED] = departed - last_departed
            number_area, waiting_area, busy_area = 0.0, 0.0, 0.0
            last_departed = departed
            window += 1
            before = edges[window]
        length = now - before
        number_area += number * length
        waiting_area += waiting * length
        busy_area += busy * length
        before = now
        arrived += arriving
        departed += 1 - arriving
        number = arrived - departed
        busy = min(number, servers)
        waiting = number - busy
    areas[window, NUMBER] = number_area
    areas[window, WAITING] = waiting_area
    areas[window, BUSY] = busy_area
    areas[window, DEPARTED] = departed - last_departed
    return forward
