"""The Poisson process of a rate that changes with time: sampled by thinning, integrated by quadrature."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike

from smlib._core.random_streams import RandomLike, spawn_streams
from smlib._core.user_functions import is_compiled
from smlib._core.validate import Vector, as_positive
from smlib.errors import InputError
from smlib.numerics.quadrature.adaptive import quad
from smlib.stochastic.poisson_processes.arguments import as_arrivals, as_horizon
from smlib.stochastic.poisson_processes.thinning import RateFunction, thin_blocks, thin_compiled

# Of a rate that jumps each jump takes some thirty.
INTERVALS = 1000


class InhomogeneousPoissonProcess:
    """Arrivals at a rate that changes with time, none of which knows of another.

    Parameters
    ----------
    rate_function : callable
        A plain function is called with an array of times, some thousand of them, and returns the rates there. One that
        ``numba.njit`` compiled is called with one time, from within the loop that is compiled around it at its first
        use: that takes a second or so in each process. Rates are at least 0, and at most ``bound``.
    bound : float
        Above 0. The nearer it is to the highest rate, the fewer candidates are thrown away.

    Attributes
    ----------
    rate_function, bound
        As they were passed.

    Raises
    ------
    InputError
        ``rate_function`` is no function, or ``bound`` is not a finite number above 0.

    References
    ----------
    Lewis & Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", *Naval Research Logistics Quarterly*
    26 (1979).

    Examples
    --------
    A server that is asked five times a minute by night and fifteen times by day; a day has 1440 minutes.

    >>> import numpy as np
    >>> day = InhomogeneousPoissonProcess(lambda t: 10 - 5 * np.cos(2 * np.pi * t / 1440), bound=15)
    >>> times = day.sample(1440, rng=1)
    >>> len(times), np.histogram(times, [0, 360, 720, 1080, 1440])[0]
    (14440, array([2489, 4809, 4657, 2485]))
    >>> day.cumulative_rate([360, 1440]).round(1)
    array([ 2454.1, 14400. ])
    """

    def __init__(self, rate_function: RateFunction, bound: float) -> None:
        if not callable(rate_function):
            raise InputError(f"rate_function is {rate_function!r}; it must be a function from times to rates")
        self.rate_function = rate_function
        self.bound = as_positive(bound, "bound")

    def __repr__(self) -> str:
        return f"InhomogeneousPoissonProcess({self.rate_function!r}, bound={self.bound:g})"

    def sample(self, t: float, rng: RandomLike = None) -> Vector:
        """Return the arrivals in [0, t), in rising order.

        Parameters
        ----------
        t : float
            Up to when: at least 0.
        rng : Generator, int or None
            Where chance comes from; a seed gives the same arrivals again.

        Returns
        -------
        ndarray, shape (n,)
            The number n is itself drawn.

        Raises
        ------
        InputError
            At a candidate the rate is above the bound, negative, or no number: the message says when. A rate that is
            too high only where no candidate fell is not seen. Or ``t`` is no finite number that is at least 0.

        Notes
        -----
        Complexity: O(bound t) time, and O(n) space.

        References
        ----------
        Lewis & Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", *Naval Research Logistics
        Quarterly* 26 (1979).

        Examples
        --------
        >>> rush = InhomogeneousPoissonProcess(lambda t: 20 * t, bound=20)
        >>> rush.sample(1, rng=1).round(2)
        array([0.31, 0.48, 0.55, 0.6 , 0.69, 0.85, 0.9 , 0.95])
        """
        end = as_horizon(t, self.bound)
        gaps, coins = spawn_streams(rng, 2)
        thinned = thin_compiled if is_compiled(self.rate_function) else thin_blocks
        return np.concatenate([np.empty(0), *thinned(self.rate_function, self.bound, end, gaps, coins)])

    def cumulative_rate(self, times: ArrayLike) -> Vector:
        """Return how many arrivals are expected from 0 to each time: the integral of the rate, by `quad`.

        Parameters
        ----------
        times : float or array_like
            In rising order, from 0. From each to the next there is an integral of its own.

        Returns
        -------
        ndarray
            One entry a time.

        Raises
        ------
        InputError
            The times do not rise, or the rate could not be integrated.

        Notes
        -----
        Complexity: 21 evaluations of the rate a time at least, in Python if the rate is not compiled.

        References
        ----------
        Blitzstein & Hwang, *Introduction to Probability*, section 13.2.

        Examples
        --------
        >>> InhomogeneousPoissonProcess(lambda t: 20 * t, bound=20).cumulative_rate([0.5, 1.0])
        array([ 2.5, 10. ])
        """
        arrivals = as_arrivals(np.atleast_1d(times))
        pieces = [self._integral(a, b) for a, b in itertools.pairwise([0.0, *arrivals.tolist()])]
        return np.cumsum(pieces)

    def _integral(self, start: float, end: float) -> float:
        result = quad(self.rate_function, start, end, limit=INTERVALS)
        if not result.success:
            raise InputError(
                f"the rate could not be integrated from {start} to {end} ({result.message}); if you know its integral, "
                "use that"
            )
        return result.estimate
