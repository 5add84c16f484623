"""What is known of a queue in the long run: means, shares, and how long the unlucky wait.

The means are not enough, for nobody is served "on average": what is promised is that 99 of 100 wait less than so long.

*Without bound on the queue* (M/M/c) the wait is zero, or exponential: with chance C all servers are busy, and then each
moment ``c * service_rate`` leave and ``arrival_rate`` come, so that the rest of it fades with the difference::

    P(wait > t) = C exp(-(c service_rate - arrival_rate) t)          1 |
                                                                       |.   <- C: the jump at 0 is who need not wait
                                                                       | ' .
                                                                       +-----'-.-.--- t

*With room for K* (M/M/c/K) who finds c + j there must see j + 1 leave before service begins. Departures of a full crew
are a clock that ticks without memory, at the rate ``c * service_rate``, so that there are two ways of chance: how many
ticks are needed, and how many the clock has made by t. Both have known probabilities (`birth_death`), and

    P(wait > t) = sum over j of P(j ticks by t) P(more than j are needed)

is a sum of positive terms. The service itself ends with one of the ticks after that: each of them is one's own with
chance 1/c. So the response (wait and service) needs a geometric number of ticks more, and the same sum gives it.

By hand. M/M/1 at 8 arrivals and 10 services a second: C = 0.8, and 99 of 100 wait less than ``ln(0.8 / 0.01) / 2 =
2.19`` seconds, though the mean wait is 0.4.

Cost: O(1) for a quantile of M/M/c; O(K + ticks) for each of some 60 steps of bisection for M/M/c/K.

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapters 13 and 14; Kleinrock,
*Queueing Systems 1*, section 3.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.results import Result
from smlib._core.validate import Vector, as_count, as_nonnegative, as_number
from smlib.errors import InputError
from smlib.stochastic.queueing.birth_death import poisson_probabilities, state_weights

GENERAL = "M/G/1"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class QueueMetrics(Result):
    """A queue in the long run.

    Attributes
    ----------
    model : str
        In Kendall's notation, such as "M/M/4".
    arrival_rate, service_rate : float
        A second; the service rate is that of one server.
    servers : int, or inf
    capacity : int, or inf
        Places for customers, those at the servers among them.
    L : float
        How many customers there are on average.
    Lq : float
        How many of them wait.
    W : float
        Seconds from arrival to departure on average (response time), of those who are not lost.
    Wq : float
        Seconds from arrival to the beginning of service on average, of those who are not lost.
    utilization : float
        The share of time in which a server is busy.
    throughput : float
        Customers served a second.
    loss_probability : float
        The share of arrivals that find all places taken.
    probability_of_waiting : float
        The share of those not lost that find all servers busy.
    residual : float
        By how much ``L`` and ``throughput * W`` differ, which are worked out apart and by Little's law are equal, as a
        part of ``L``: rounding.
    """

    model: str
    arrival_rate: float
    service_rate: float
    servers: float
    capacity: float
    L: float
    Lq: float
    W: float
    Wq: float
    utilization: float
    throughput: float
    loss_probability: float
    probability_of_waiting: float
    residual: float

    def wait_tail(self, t: float) -> float:
        """Return the share of customers who wait longer than t seconds for their service to begin."""
        return self._wait_tail()(as_nonnegative(t, "t"))

    def response_tail(self, t: float) -> float:
        """Return the share of customers who are there longer than t seconds, from arrival to departure."""
        return self._response_tail()(as_nonnegative(t, "t"))

    def wait_quantile(self, q: float) -> float:
        """Return how long the share q of customers wait at most for their service to begin.

        Parameters
        ----------
        q : float
            At least 0 and less than 1, such as 0.99.

        Returns
        -------
        float
            Seconds: the least t with ``P(wait <= t) >= q``, which is 0 if that share need not wait at all.

        Raises
        ------
        InputError
            ``q`` is no such share, or the model is M/G/1, whose waits are not determined by mean and variance.

        Examples
        --------
        >>> from smlib.stochastic import mm1
        >>> round(mm1(8.0, 10.0).wait_quantile(0.99), 3)
        2.191
        """
        late, tail = as_share_left(q), self._wait_tail()
        if self.probability_of_waiting <= late:
            return 0.0
        if math.isinf(self.capacity):
            return math.log(self.probability_of_waiting / late) / self._spare_rate
        return _least(lambda t: tail(t) <= late, 1.0 / self.service_rate)

    def response_quantile(self, q: float) -> float:
        """Return within how long the share q of customers leave, counted from their arrival.

        Parameters
        ----------
        q : float
            At least 0 and less than 1.

        Returns
        -------
        float
            Seconds.

        Raises
        ------
        InputError
            As `wait_quantile` does.

        Examples
        --------
        >>> from smlib.stochastic import mm1
        >>> round(mm1(8.0, 10.0).response_quantile(0.99), 3)  # exponential, too
        2.303
        """
        late, tail = as_share_left(q), self._response_tail()
        return _least(lambda t: tail(t) <= late, 1.0 / self.service_rate)

    def state_probabilities(self, count: SupportsIndex) -> Vector:
        """Return how likely it is that 0, 1, ..., ``count - 1`` customers are there.

        Parameters
        ----------
        count : int
            Where there is a capacity, states beyond it have the probability 0.

        Returns
        -------
        ndarray, shape (count,)

        Raises
        ------
        InputError
            The model is M/G/1, whose states are not determined by mean and variance.

        Examples
        --------
        >>> from smlib.stochastic import mmc
        >>> mmc(1.0, 1.0, servers=2).state_probabilities(4).round(4)
        array([0.3333, 0.3333, 0.1667, 0.0833])
        """
        self._require_law()
        wanted = as_count(count, "count")
        load = self.arrival_rate / self.service_rate
        if math.isinf(self.servers):
            found = poisson_probabilities(load)
        elif math.isinf(self.capacity):
            found = state_weights(max(wanted, int(self.servers) + 1), load, self.servers)
            beyond = found[int(self.servers)] / (1.0 - self.utilization)
            found /= found[: int(self.servers)].sum() + beyond
        else:
            found = state_weights(int(self.capacity) + 1, load, self.servers)
            found /= found.sum()
        return np.concatenate((found[:wanted], np.zeros(max(0, wanted - found.size))))

    @property
    def _spare_rate(self) -> float:
        return self.servers * self.service_rate - self.arrival_rate

    def _require_law(self) -> None:
        if self.model == GENERAL:
            raise InputError(
                "the mean and the variance of the services determine the mean wait of M/G/1, but not how waits are "
                "distributed: simulate it (simulate_queue, or lindley), or use mmc if services are exponential"
            )

    def _wait_tail(self) -> Callable[[float], float]:
        """Return the function P(wait > t)."""
        self._require_law()
        if not self.probability_of_waiting:
            return lambda _: 0.0
        if math.isinf(self.capacity):
            return lambda t: self.probability_of_waiting * math.exp(-self._spare_rate * t)
        more = _more_needed(self._ticks_needed())
        return lambda t: _mean(more, poisson_probabilities(self.servers * self.service_rate * t))

    def _response_tail(self) -> Callable[[float], float]:
        """Return the function P(response > t)."""
        self._require_law()
        if math.isinf(self.capacity):
            return self._unbounded_response_tail
        needed = self._ticks_needed()
        more, others = _more_needed(needed), 1.0 - 1.0 / self.servers

        def tail(t: float) -> float:
            ticks = poisson_probabilities(self.servers * self.service_rate * t)
            own = np.empty_like(ticks)
            count_down(needed, others, own)
            return _mean(more, ticks) + float(own @ ticks)

        return tail

    def _unbounded_response_tail(self, t: float) -> float:
        """Return P(response > t): whoever waits is there for the sum of two exponential times."""
        served = math.exp(-self.service_rate * t)
        if not self.probability_of_waiting:
            return served
        # Of rates x and y, the sum lasts longer than t with the chance exp(-x t) + x (exp(-x t) - exp(-y t)) / (y - x).
        slower, faster = sorted((self.service_rate, self._spare_rate))
        difference = faster - slower
        # Where the rates meet, the fraction tends to t exp(-x t).
        between = -math.expm1(-difference * t) / difference if difference * t else t
        return served + self.probability_of_waiting * self.service_rate * math.exp(-slower * t) * between

    def _ticks_needed(self) -> Vector:
        """Return how likely it is that 0, 1, 2, ... must leave before the service of one who is not lost begins."""
        servers = int(self.servers)
        seen = state_weights(int(self.capacity) + 1, self.arrival_rate / self.service_rate, self.servers)[:-1]
        needed: Vector = np.concatenate(([seen[:servers].sum()], seen[servers:]))
        return needed / float(seen.sum())


@kernel
def count_down(needed: Vector, others: float, own: Vector) -> None:
    """Set entry j to the chance that by tick j one's service has begun, and none of the ticks since was one's own."""
    chance = 0.0
    for j in range(own.shape[0]):
        chance *= others
        if j < needed.shape[0]:
            chance += needed[j]
        own[j] = chance


def _more_needed(needed: Vector) -> Vector:
    """Return how likely it is that more than 0, 1, 2, ... ticks are needed."""
    return np.cumsum(needed[:0:-1])[::-1]


def _mean(values: Vector, probabilities: Vector) -> float:
    """Return the mean of values, of which those beyond the last are 0."""
    size = min(values.size, probabilities.size)
    return float(values[:size] @ probabilities[:size])


def as_share_left(q: float, name: str = "q") -> float:
    """Return what a share, at least 0 and less than 1, leaves over."""
    share = as_number(q, name)
    if not 0.0 <= share < 1.0:
        raise InputError(
            f"{name} is {share}; it must be at least 0 and less than 1, such as 0.99: there is no longest wait"
        )
    return 1.0 - share


def _least(holds: Callable[[float], bool], scale: float) -> float:
    """Return the least t at which a condition holds that does not hold before and holds ever after, by bisection."""
    if holds(0.0):
        return 0.0
    low, high = 0.0, scale
    while not holds(high):
        low, high = high, 2.0 * high
    while high - low > 4e-16 * high:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
