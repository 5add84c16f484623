"""M/G/1: services of any distribution. The formula of Pollaczek and Khinchine, which says that variance waits.

Who arrives waits for those in the queue, each a whole service, and for what is *left* of the one in progress. By
Little's law there are ``arrival_rate * Wq`` in the queue, so that ``Wq = utilization * Wq + left``. And what is left
is more than half a service, for one arrives more likely during a long one than during a short one::

    |----|--|---------------------------|-|-----|       an arrival falls into the long one, mostly:
                        ^                                left = arrival_rate * mean of service^2 / 2

    Wq = arrival_rate * (variance + mean^2) / (2 (1 - utilization))

Services that vary not at all wait half as long as exponential ones; and where most are short and some are long, the
long ones make everybody wait.

By hand. Eight arrivals a second, services of 0.1 s: exactly, ``8 * 0.01 / 0.4 = 0.2``; exponential (variance 0.01) 0.4.

How long the unlucky wait is not determined by mean and variance; for that there is simulation.

Cost: O(1).

Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapter 23; Kleinrock, *Queueing Systems 1*,
section 5.6.
"""

from __future__ import annotations

import math

from smlib._core.validate import as_nonnegative
from smlib.errors import InputError
from smlib.stochastic.drawing import Distribution
from smlib.stochastic.queueing.markovian import as_rates, summarize
from smlib.stochastic.queueing.metrics import GENERAL, QueueMetrics
from smlib.stochastic.queueing.overload import explain_overload, is_overloaded


def mg1(arrival_rate: float, service: float | Distribution, variance: float | None = None) -> QueueMetrics:
    """Return the metrics of one server with services of any distribution (M/G/1, Pollaczek and Khinchine).

    Parameters
    ----------
    arrival_rate : float
        Customers a second, at least 0; they come without memory.
    service : float or Distribution
        The mean of a service in seconds, positive; or a distribution, such as `Erlang` or one of ``scipy.stats``.
    variance : float, optional
        The variance of a service in seconds squared, at least 0; needed if ``service`` is a number.

    Returns
    -------
    QueueMetrics
        Its means are exact. Quantiles and probabilities of states are not determined by mean and variance: asking for
        them raises InputError.

    Raises
    ------
    InputError
        The queue is overloaded; the variance is missing, or given twice; a number is negative or no number.

    Notes
    -----
    Complexity: O(1).

    References
    ----------
    Harchol-Balter, *Performance Modeling and Design of Computer Systems*, chapter 23.

    Examples
    --------
    >>> from smlib.stochastic import Deterministic, Exponential
    >>> round(mg1(8.0, Exponential(10.0)).Wq, 6), round(mg1(8.0, Deterministic(0.1)).Wq, 6)
    (0.4, 0.2)
    >>> round(mg1(8.0, 0.1, variance=0.05).Wq, 6)  # some are long
    1.2
    """
    if isinstance(service, Distribution):
        if variance is not None:
            raise InputError(f"variance is {variance}, but the distribution of services has one; leave it out")
        mean, spread = float(service.mean()), float(service.var())
    elif variance is None:
        raise InputError("variance is missing: give that of the services, or a distribution instead of their mean")
    else:
        mean, spread = service, variance
    mean, spread = as_nonnegative(mean, "the mean of service"), as_nonnegative(spread, "variance")
    if mean == 0.0:
        raise InputError("the mean of service is 0; a service takes some time")
    arrivals, services, _ = as_rates(arrival_rate, 1.0 / mean, 1)
    if is_overloaded(arrivals, services, 1):
        raise InputError(f"{explain_overload(arrivals, services, 1)}; serve faster, or with more servers (mmc)")
    utilization = arrivals * mean
    wait = arrivals * (spread + mean**2) / (2.0 * (1.0 - utilization))
    queued = utilization**2 * (1.0 + spread / mean**2) / (2.0 * (1.0 - utilization))
    return summarize(
        GENERAL, arrivals, services, 1, math.inf, utilization + queued, queued, wait, utilization, utilization
    )
