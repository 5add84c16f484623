"""Putting processes together and taking them apart: superposing, splitting, thinning.

Poisson processes that know nothing of each other are one Poisson process when they are laid over each other, and the
rates add up. The other way round, give each arrival a colour by a toss of its own: then the arrivals of a colour are a
Poisson process, and what is hard to believe, *those of one colour say nothing about those of another*. If ten red cars
more than usual have passed, no fewer blue ones are to be expected.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.kernel import kernel
from smlib._core.random_streams import RandomLike, State, new_stream, uniform
from smlib._core.validate import Vector, as_floats, as_number, require_finite
from smlib.errors import InputError
from smlib.stochastic.poisson_processes.arguments import as_arrivals
from smlib.stochastic.poisson_processes.thinning import RateFunction, keep_below


def superpose(*times: ArrayLike) -> Vector:
    """Merge arrivals of several processes into one list in rising order.

    Parameters
    ----------
    *times : array_like
        Each in rising order, from 0.

    Returns
    -------
    ndarray
        All of them. If the processes were independent and Poisson, so is this one, with the sum of their rates.

    Raises
    ------
    InputError
        Times of a process do not rise, are negative or not finite.

    Notes
    -----
    Complexity: O(n log k) time for n arrivals of k processes, O(n) space.

    References
    ----------
    Blitzstein & Hwang, *Introduction to Probability*, section 13.2 (superposition).

    Examples
    --------
    >>> superpose([1.0, 4.0], [2.0, 3.0, 5.0], [])
    array([1., 2., 3., 4., 5.])
    """
    runs = [as_arrivals(run, f"times of process {k}") for k, run in enumerate(times)] or [np.empty(0)]
    if len(runs) == 1:
        return runs[0].copy()
    while len(runs) > 1:
        pairs = [_merged(first, second) for first, second in zip(runs[::2], runs[1::2], strict=False)]
        runs = [*pairs, *runs[2 * len(pairs) :]]
    return runs[0]


def _merged(first: Vector, second: Vector) -> Vector:
    out = np.empty(first.size + second.size)
    merge(first, second, out)
    return out


@kernel
def merge(first: Vector, second: Vector, out: Vector) -> None:
    """Merge two rising lists; which of both is taken is computed, for a branch is guessed wrong half of the time."""
    i = j = 0
    while i < first.shape[0] and j < second.shape[0]:
        later = first[i] > second[j]
        out[i + j] = second[j] if later else first[i]
        j += int(later)
        i += 1 - int(later)
    for rest in range(i, first.shape[0]):
        out[rest + j] = first[rest]
    for rest in range(j, second.shape[0]):
        out[first.shape[0] + rest] = second[rest]


def split(times: ArrayLike, probabilities: ArrayLike, rng: RandomLike = None) -> list[Vector]:
    """Give each arrival a colour by chance, and return the arrivals of each colour.

    Parameters
    ----------
    times : array_like, shape (n,)
        In rising order, from 0.
    probabilities : array_like, shape (k,)
        Of the colours: none is negative, and their sum is 1.
    rng : Generator, int or None
        Where chance comes from.

    Returns
    -------
    list of ndarray
        A list of times a colour, each in rising order. If the arrivals were Poisson, each is a Poisson process of its
        own, and they are independent of each other.

    Raises
    ------
    InputError
        ``times`` do not rise; a probability is negative, or they do not add up to 1.

    Notes
    -----
    Complexity: O(n k) time, O(n) space.

    References
    ----------
    Blitzstein & Hwang, *Introduction to Probability*, section 13.2 (thinning); Kingman, *Poisson Processes*, section
    5.1 (the colouring theorem).

    Examples
    --------
    >>> red, blue = split([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.5, 0.5], rng=5)
    >>> red, blue
    (array([1., 5., 6.]), array([2., 3., 4.]))
    """
    arrivals = as_arrivals(times)
    cumulative = as_cumulative(probabilities)
    colours = np.empty(arrivals.size, np.intp)
    counts = np.zeros(cumulative.size, np.intp)
    colour(new_stream(rng), cumulative, colours, counts)
    ends = np.cumsum(counts)
    out = np.empty(arrivals.size)
    place(arrivals, colours, ends - counts, out)
    return np.split(out, ends[:-1])


def as_cumulative(probabilities: ArrayLike) -> Vector:
    """Return running sums of probabilities, of which the last is 1 exactly: no toss reaches it."""
    chances = as_floats(probabilities, "probabilities")
    if chances.ndim != 1 or chances.size == 0:
        raise InputError(f"probabilities has the shape {chances.shape}; it must be a list of one or more")
    require_finite(chances, "probabilities")
    if chances.min() < 0.0:
        raise InputError(f"probabilities[{chances.argmin()}] is {chances.min()}; none may be negative")
    cumulative = np.cumsum(chances)
    if not abs(cumulative[-1] - 1.0) <= 1e-9:
        raise InputError(f"probabilities add up to {cumulative[-1]}, not to 1; append one for the arrivals that remain")
    # Divided by the sum, the last is 1 exactly, and so are those before it whose colours cannot come any more.
    return np.asarray(cumulative / cumulative[-1])


@kernel
def colour(state: State, cumulative: Vector, colours: NDArray[np.intp], counts: NDArray[np.intp]) -> None:
    """Draw a colour for each arrival, and count them."""
    for k in range(colours.shape[0]):
        toss, state = uniform(state)
        number = 0
        while toss >= cumulative[number]:
            number += 1
        colours[k] = number
        counts[number] += 1


@kernel
def place(times: Vector, colours: NDArray[np.intp], begins: NDArray[np.intp], out: Vector) -> None:
    """Put each arrival behind the last one of its colour."""
    for k in range(times.shape[0]):
        number = colours[k]
        out[begins[number]] = times[k]
        begins[number] += 1


def thin(times: ArrayLike, probability: float | RateFunction, rng: RandomLike = None) -> Vector:
    """Keep each arrival with a probability, and drop the others.

    Parameters
    ----------
    times : array_like, shape (n,)
        In rising order, from 0.
    probability : float or callable
        From 0 to 1; or a function from an array of times to the probability at each.
    rng : Generator, int or None
        Where chance comes from.

    Returns
    -------
    ndarray
        What is left. A Poisson process stays one, with its rate multiplied by the probability.

    Raises
    ------
    InputError
        ``times`` do not rise, or a probability is not between 0 and 1.

    Notes
    -----
    Complexity: O(n) time and space.

    References
    ----------
    Blitzstein & Hwang, *Introduction to Probability*, section 13.2 (thinning).

    Examples
    --------
    >>> thin([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.5, rng=5)
    array([1., 5., 6.])
    >>> thin([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], lambda t: t > 3, rng=5)
    array([4., 5., 6.])
    """
    arrivals = as_arrivals(times).copy()
    chance = (
        probability
        if callable(probability)
        else partial(np.full_like, fill_value=as_number(probability, "probability"))
    )
    return keep_below(chance, arrivals, 1.0, new_stream(rng), "probability")[0]
