"""Thinning: candidates at the rate of a bound, each of them kept with the chance ``rate / bound``.

Two streams are used. One makes the gaps between candidates; the other tosses, once for each. So the k-th candidate has
the k-th toss, whoever takes them and however many at a time, and the arrivals are the same for all ways to get there:

    plain rate        blocks of candidates; the rate is called with a block as an array; another pass tosses
    compiled rate     one loop with the rate compiled into it, a candidate at a time

A block is small enough that candidates, rates and what NumPy makes on the way stay in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from smlib._core.kernel import kernel
from smlib._core.random_streams import State, as_state, exponential, uniform
from smlib._core.user_functions import Decorator, UserFunction, bind
from smlib._core.validate import Vector, as_floats
from smlib.errors import InputError
from smlib.stochastic.poisson_processes.homogeneous import arrival_blocks

# A function from an array of times to the rates there, or one that Numba compiled, from one time to the rate there.
RateFunction: TypeAlias = UserFunction

BLOCK = 8192
# A rate may be above its bound by the rounding of the function that computes it.
ROUNDING = 1.0 + 1e-12


def thin_blocks(rate_function: RateFunction, bound: float, end: float, gaps: State, coins: State) -> Iterator[Vector]:
    """Yield the arrivals in [0, end) in blocks; the rate is called with all candidates of a block at once."""
    for block in arrival_blocks(gaps, end, 1.0 / bound, BLOCK):
        kept, coins = keep_below(rate_function, block, bound, as_state(coins))
        yield kept.copy()


def keep_below(
    rate_function: RateFunction, times: Vector, bound: float, coins: State, name: str = "rate"
) -> tuple[Vector, State]:
    """Return those of the times that fall below the rate, and the next state; ``times`` is used up."""
    shown = times.view()
    shown.flags.writeable = False
    rates = as_floats(rate_function(shown), f"the {name} that the function returned")
    if rates.shape != times.shape:
        raise InputError(
            f"a function was given {times.shape[0]} times and returned the shape {rates.shape}; it takes an array of "
            f"times and returns the {name} at each: numpy.full_like(t, {name}) for a constant one"
        )
    kept, coins = keep(coins, times, rates, bound)
    if kept < 0:
        raise out_of_bounds(times[-1 - kept], rates[-1 - kept], bound, name)
    return times[:kept], coins


@kernel
def keep(coins: State, times: Vector, rates: Vector, bound: float) -> tuple[int, State]:
    """Move the times that are kept to the front, and return how many there are, and the next state.

    If the rate of the k-th is not within the bound, -1 - k is returned.
    """
    kept = 0
    for k in range(times.shape[0]):
        height, coins = uniform(coins)
        if not 0.0 <= rates[k] <= bound * ROUNDING:
            return -1 - k, coins
        times[kept] = times[k]
        kept += int(height * bound < rates[k])
    return kept, coins


def thin_compiled(rate_function: RateFunction, bound: float, end: float, gaps: State, coins: State) -> Iterator[Vector]:
    """Yield the arrivals in [0, end) in blocks; the rate is compiled into the loop."""
    take = bind(make_thinning, rate_function, ())
    now = 0.0
    while now < end:
        block = np.empty(BLOCK)
        kept, now, rate, gaps, coins = take(as_state(gaps), as_state(coins), now, end, bound, block)
        if kept < 0:
            raise out_of_bounds(now, rate, bound)
        yield block[:kept]


def make_thinning(rate_function: RateFunction, takes_args: bool, decorate: Decorator) -> Any:
    """Return the loop around a rate: it fills an array with arrivals after ``now``, until it is full or the end comes.

    Returned are how many there are, the time and the rate of the last candidate, and both next states; -1 for the
    number if that rate is not within the bound.
    """

    @decorate
    def take(
        gaps: State, coins: State, now: float, end: float, bound: float, out: Vector
    ) -> tuple[int, float, float, State, State]:
        kept, rate, gap = 0, 0.0, 1.0 / bound
        while kept < out.shape[0]:
            units, gaps = exponential(gaps)
            height, coins = uniform(coins)
            now += gap * units
            if not now < end:
                return kept, math.inf, rate, gaps, coins
            rate = float(rate_function(now))
            if not 0.0 <= rate <= bound * ROUNDING:
                return -1, now, rate, gaps, coins
            out[kept] = now
            kept += int(height * bound < rate)
        return kept, now, rate, gaps, coins

    return take


def out_of_bounds(time: float, rate: float, bound: float, name: str = "rate") -> InputError:
    """Return the error of a rate that is negative, no number, or above its bound."""
    return InputError(f"the {name} at t = {time} is {rate}; it must lie between 0 and the bound {bound}, everywhere")
