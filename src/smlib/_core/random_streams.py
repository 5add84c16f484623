r"""Random streams: uniform, exponential and normal numbers for kernels, a few nanoseconds each.

The stream. A *state* is four words of 64 bits, and xoshiro256+ makes the next one of it with six shifts and exclusive
ors. Each of these is linear over the bits, so one step is a multiplication by a matrix of 256 x 256 bits, and that
matrix was chosen so that it visits every state but zero before the first comes back: 2^256 - 1 steps. The number that
is handed out is the sum of two of the words. The carries of that sum are what is not linear; its lowest three bits
have hardly any, so nothing here uses them. For the same reason the stream can leap: the matrix to the power 2^128 is
known, and streams that start such a leap apart meet in no computation (``spawn_streams``).

A state is a plain tuple. A kernel takes it, draws, and has the next one::

    value, state = uniform(state)

so that it lives in registers while a loop runs, and nobody else can move it. A new state is drawn from NumPy's
generators (``new_stream``), which have had the trouble of making seeds good. Numba hands words back to Python as plain
integers: ``as_state`` makes a state of them again.

The ziggurat. To draw from a falling density f, throw a point at random under its curve and keep how far to the right it
is. Cover the curve with 256 layers of equal area::

    f |##.                      a layer i is as wide as the curve at its lower edge, width[i];
      |####.                    what is under width[i + 1], the width of the layer on top of it,
      |######..                 lies under the curve for certain (#): no need to look at f there;
      |#########...             . is where one must look;
      |##############.....tail  the lowest layer holds the endless tail as well.

Eight bits choose the layer, some fifty others how far to the right, and in 99 of 100 draws that is all: one
multiplication and one comparison. Else a height is drawn too and compared with f. A tail of the exponential is the
exponential again, begun at the edge; that of the normal is drawn by Marsaglia's rejection from two logarithms.

Invariants:
  1. The state is never all zeros, and two streams of ``spawn_streams`` are 2^128 steps apart at least.
  2. Each layer has the same area: ``width[i] (f(width[i + 1]) - f(width[i])) = area``, and the top closes at f(0).
  3. Layer, place and sign are taken from different bits of a word, and the height from another word.

Cost: O(1) a draw: 1 ns uniform, 3 exponential, 5 normal.

Blackman & Vigna, "Scrambled linear pseudorandom number generators", *ACM Transactions on Mathematical Software* 47
(2021); Marsaglia & Tsang, "The ziggurat method for generating random variables", *Journal of Statistical Software* 5
(2000); Knuth, *The Art of Computer Programming 2*, section 3.4.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from smlib._core.hashing import rotate
from smlib._core.kernel import kernel
from smlib._core.validate import Vector, as_count
from smlib.errors import InputError

State: TypeAlias = tuple[np.uint64, np.uint64, np.uint64, np.uint64]
RandomLike: TypeAlias = np.random.Generator | int | None

u64, i64 = np.uint64, np.int64

# The coefficients of the polynomial that is 2^128 steps, modulo that of one step.
LEAP = np.array([0x180EC6D33CFD0ABA, 0xD5A61266F0C9392C, 0xA9582618E03FC9AA, 0x39ABDC4529B1661C], np.uint64)

LAYERS = 256
# Where the tail begins: the one place from which 256 layers of the lowest one's area close at f(0).
EXPONENTIAL_EDGE = 7.69711747013105
NORMAL_EDGE = 3.654152885361009


def as_generator(rng: RandomLike) -> np.random.Generator:
    """Return NumPy's generator for what a user passes as ``rng``: one of them, a seed, or None."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"rng is {rng!r}; it must be a numpy.random.Generator, a seed that is not negative, or None"
        ) from error


def new_stream(rng: RandomLike = None) -> State:
    """Return the state of a new stream, drawn from a generator; the generator moves on by it.

    >>> new_stream(7) == new_stream(7)
    True
    >>> generator = np.random.default_rng(7)
    >>> new_stream(generator) == new_stream(generator)
    False
    """
    return as_state(as_generator(rng).integers(2**64, size=4, dtype=np.uint64))


def as_state(words: Iterable[int | np.uint64]) -> State:
    """Return four words as a state: such as a kernel has handed back to Python."""
    first, second, third, fourth = (u64(word) for word in words)
    return first, second, third, fourth


def spawn_streams(rng: RandomLike, count: int) -> list[State]:
    """Return streams that do not overlap: each starts 2^128 steps after the one before.

    >>> len(set(spawn_streams(7, 100)))
    100
    """
    state = new_stream(rng)
    states = []
    for _ in range(as_count(count, "count")):
        states.append(state)
        state = as_state(leap(state))
    return states


def _build_layers(
    density: Callable[[float], float], inverse: Callable[[float], float], edge: float, tail: float
) -> tuple[Vector, Vector]:
    """Return the widths of the layers from the lowest to nothing, and the density there; ``tail``: beyond the edge."""
    area = edge * density(edge) + tail
    widths = np.zeros(LAYERS + 1)
    widths[0], widths[1] = area / density(edge), edge
    for i in range(1, LAYERS - 1):
        widths[i + 1] = inverse(density(widths[i]) + area / widths[i])
    return widths, np.array([density(width) for width in widths])


EXPONENTIAL_WIDTHS, EXPONENTIAL_HEIGHTS = _build_layers(
    lambda x: math.exp(-x), lambda y: -math.log(y), EXPONENTIAL_EDGE, math.exp(-EXPONENTIAL_EDGE)
)
NORMAL_WIDTHS, NORMAL_HEIGHTS = _build_layers(
    lambda x: math.exp(-0.5 * x * x),
    lambda y: math.sqrt(-2.0 * math.log(y)),
    NORMAL_EDGE,
    math.sqrt(0.5 * math.pi) * math.erfc(NORMAL_EDGE / math.sqrt(2.0)),
)


@kernel
def advance(state: State) -> State:
    """Return the next state."""
    s0, s1, s2, s3 = state
    s2 ^= s0
    s3 ^= s1
    return s0 ^ s3, s1 ^ s2, s2 ^ (s1 << u64(17)), rotate(s3, 45)


@kernel
def uniform(state: State) -> tuple[float, State]:
    """Return a number of [0, 1), a multiple of 2^-53, and the next state."""
    return float((state[0] + state[3]) >> u64(11)) * 2.0**-53, advance(state)


@kernel
def exponential(state: State) -> tuple[float, State]:
    """Return an exponential number of mean 1, and the next state."""
    beyond = 0.0
    while True:
        word = state[0] + state[3]
        state = advance(state)
        layer = i64(word >> u64(56))
        x = float((word << u64(8)) >> u64(11)) * 2.0**-53 * EXPONENTIAL_WIDTHS[layer]
        if x < EXPONENTIAL_WIDTHS[layer + 1]:
            return beyond + x, state
        if layer == 0:
            beyond += EXPONENTIAL_EDGE
            continue
        height, state = uniform(state)
        low, high = EXPONENTIAL_HEIGHTS[layer], EXPONENTIAL_HEIGHTS[layer + 1]
        if low + height * (high - low) < math.exp(-x):
            return beyond + x, state


@kernel
def normal(state: State) -> tuple[float, State]:
    """Return a normal number of mean 0 and variance 1, and the next state."""
    while True:
        word = state[0] + state[3]
        state = advance(state)
        layer = i64(word >> u64(56))
        x = float((word << u64(8)) >> u64(12)) * 2.0**-52 * NORMAL_WIDTHS[layer]
        signed = x if word & u64(8) else -x
        if x < NORMAL_WIDTHS[layer + 1]:
            return signed, state
        if layer == 0:
            x, state = normal_tail(state)
            return math.copysign(x, signed), state
        height, state = uniform(state)
        low, high = NORMAL_HEIGHTS[layer], NORMAL_HEIGHTS[layer + 1]
        if low + height * (high - low) < math.exp(-0.5 * x * x):
            return signed, state


@kernel
def normal_tail(state: State) -> tuple[float, State]:
    """Return a normal number among those beyond the edge, and the next state."""
    while True:
        first, state = uniform(state)
        second, state = uniform(state)
        beyond = -math.log(1.0 - first) / NORMAL_EDGE
        if -2.0 * math.log(1.0 - second) > beyond * beyond:
            return NORMAL_EDGE + beyond, state


@kernel
def leap(state: State) -> State:
    """Return the state 2^128 steps later: the sum of the states at the powers of the polynomial."""
    s0 = s1 = s2 = s3 = u64(0)
    for word in LEAP:
        for bit in range(64):
            if (word >> u64(bit)) & u64(1):
                s0 ^= state[0]
                s1 ^= state[1]
                s2 ^= state[2]
                s3 ^= state[3]
            state = advance(state)
    return s0, s1, s2, s3


@kernel
def fill_uniform(state: State, out: Vector) -> State:
    """Fill an array with numbers of [0, 1), and return the next state."""
    for i in range(out.shape[0]):
        out[i], state = uniform(state)
    return state


@kernel
def fill_exponential(state: State, out: Vector) -> State:
    """Fill an array with exponential numbers of mean 1, and return the next state."""
    for i in range(out.shape[0]):
        out[i], state = exponential(state)
    return state


@kernel
def fill_normal(state: State, out: Vector) -> State:
    """Fill an array with normal numbers of mean 0 and variance 1, and return the next state."""
    for i in range(out.shape[0]):
        out[i], state = normal(state)
    return state
