"""The compound Poisson process: arrivals that bring something with them.

Claims reach an insurer, and each has its amount; customers come to a shop, and each spends something; trades move a
price, up or down. What has been added up by the time t is a sum of a random number of random terms, and its mean and
variance are (with N arrivals, by Wald and by Campbell)::

    mean   E[N] E[J]   = rate t E[J]
    var    E[N] E[J^2] = rate t (var J + (E[J])^2)

A jump counts in the variance even if all jumps are alike: then it is the number that varies.
"""

from __future__ import annotations

from typing import NamedTuple

from smlib._core.random_streams import RandomLike, as_generator
from smlib._core.validate import Vector, as_nonnegative
from smlib.stochastic.drawing import Distribution, as_distribution, draw
from smlib.stochastic.poisson_processes.homogeneous import PoissonProcess


class Jumps(NamedTuple):
    """Arrivals with what each of them brings.

    Attributes
    ----------
    times : ndarray, shape (n,)
        In rising order.
    sizes : ndarray, shape (n,)
        Their running sum, ``sizes.cumsum()``, is the path of the process.
    """

    times: Vector
    sizes: Vector


class CompoundPoissonProcess:
    """Arrivals at a constant rate, each with a jump of a size of its own.

    Parameters
    ----------
    rate : float
        Of arrivals; above 0.
    jumps : Distribution
        Of the sizes, which may be negative: anything with ``rvs``, ``mean`` and ``var``, such as `Exponential`, or a
        frozen distribution of ``scipy.stats``.

    Attributes
    ----------
    rate, jumps
        As they were passed.

    Raises
    ------
    InputError
        ``rate`` is not a finite number above 0, or ``jumps`` is no distribution.

    References
    ----------
    Lawler, *Introduction to Stochastic Processes*, section 3.1; Kingman, *Poisson Processes*, section 3.2.

    Examples
    --------
    Five claims a week, of 2000 on average; a year of them.

    >>> from smlib.stochastic import Exponential
    >>> claims = CompoundPoissonProcess(5.0, Exponential(1 / 2000))
    >>> times, sizes = claims.sample(52.0, rng=1)
    >>> len(times), round(sizes.sum())
    (254, 471434)
    >>> claims.mean(52.0), round(claims.var(52.0) ** 0.5)
    (520000.0, 45607)
    """

    def __init__(self, rate: float, jumps: Distribution) -> None:
        self._arrivals = PoissonProcess(rate)
        self.rate = self._arrivals.rate
        self.jumps = as_distribution(jumps, "jumps")

    def __repr__(self) -> str:
        return f"CompoundPoissonProcess(rate={self.rate:g}, jumps={self.jumps!r})"

    def sample(self, t: float, rng: RandomLike = None) -> Jumps:
        """Return the arrivals in [0, t), and the size of each jump.

        Parameters
        ----------
        t : float
            Up to when: at least 0.
        rng : Generator, int or None
            Where chance comes from; a seed gives the same again.

        Returns
        -------
        Jumps
            Times and sizes.

        Raises
        ------
        InputError
            ``t`` is negative or no finite number, or the distribution drew something that is no finite number.

        Notes
        -----
        Complexity: O(rate t) time and space.

        References
        ----------
        Lawler, *Introduction to Stochastic Processes*, section 3.1.
        """
        generator = as_generator(rng)
        times = self._arrivals.sample(t, generator)
        return Jumps(times, draw(self.jumps, times.size, generator, "jumps", signed=True))

    def mean(self, t: float) -> float:
        """Return the mean of the sum of all jumps in [0, t)."""
        return self.rate * as_nonnegative(t, "t") * float(self.jumps.mean())

    def var(self, t: float) -> float:
        """Return the variance of the sum of all jumps in [0, t)."""
        return self.rate * as_nonnegative(t, "t") * (float(self.jumps.var()) + float(self.jumps.mean()) ** 2)
