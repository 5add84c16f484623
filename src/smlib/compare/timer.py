"""The timer: all contenders in turn, again and again, and the ratio of what ran side by side.

A machine's speed changes while one measures: other programs, heat, the frequency of the clock. Two medians from
different minutes say little about two programs. So the contenders run interleaved, A B C A B C ..., each round yields
one ratio a peer, and what is reported is the median of these ratios with its quartiles. Before the clock starts every
contender has run once (what that cost in compiling is reported apart), and its answer has been compared with ours.
"""

from __future__ import annotations

import math
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from smlib._core.compilation import watch_compilation
from smlib.compare.case import Agreement, Case, Peer

# A sample takes at least this many seconds: shorter work is repeated within the sample.
SAMPLE = 2e-3
# A run of more seconds than this is not repeated.
LONG_RUN = 10.0
FEWEST_ROUNDS, MOST_ROUNDS = 3, 100


@dataclass(frozen=True, slots=True)
class Comparison:
    """One peer beside ours at one size; ``ratio`` is its time over ours, above 1 where ours is faster.

    ``note`` says why there is no figure, or that it comes from one run only.
    """

    peer: str
    version: str | None = None
    seconds: float | None = None
    ratio: float | None = None
    quartiles: tuple[float, float] | None = None
    rounds: int = 0
    agreement: Agreement | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A case at one size."""

    topic: str
    case: str
    size: int
    seconds: float
    compile_seconds: float
    comparisons: tuple[Comparison, ...]
    answer: Any = None

    @property
    def agrees(self) -> bool:
        """Whether every peer that ran agrees."""
        return all(item.agreement.ok for item in self.comparisons if item.agreement is not None)


def measure(case: Case, problem: Any, size: int, *, seconds: float = 2.0) -> Measurement:
    """Time a case on a problem.

    Parameters
    ----------
    case : Case
    problem : object
        What ``case.setup(size)`` returned.
    size : int
        The size of the problem.
    seconds : float
        When this much time has passed, no further round is begun; at least three are run.

    Returns
    -------
    Measurement
    """
    with watch_compilation() as watch:
        answer = case.ours(problem)
    ours = _Contender(case.ours, _seconds_of(case.ours, problem))
    running: dict[Peer, _Contender] = {}
    agreements: dict[Peer, Agreement] = {}
    notes: dict[Peer, str] = {}
    for peer in case.peers:
        if not peer.installed:
            notes[peer] = "not installed"
        elif peer.max_size is not None and size > peer.max_size:
            notes[peer] = f"not run above {peer.max_size:,}"
        else:
            agreement = case.agree(problem, answer, peer.run(problem))
            agreements[peer] = Agreement(bool(agreement.ok), agreement.detail)
            running[peer] = _Contender(peer.run, _seconds_of(peer.run, problem))

    begin = time.perf_counter()
    rounds = 0
    while rounds < FEWEST_ROUNDS or (rounds < MOST_ROUNDS and time.perf_counter() - begin < seconds):
        for contender in (ours, *running.values()):
            contender.take_sample(problem)
        rounds += 1

    comparisons = tuple(
        _compare(peer, ours, running[peer], agreements[peer])
        if peer in running
        else Comparison(peer.name, note=notes[peer])
        for peer in case.peers
    )
    return Measurement(case.topic, case.name, size, float(np.median(ours.samples)), watch.seconds, comparisons, answer)


def fitted_exponent(sizes: list[int], seconds: list[float]) -> float:
    """Return the slope of time against size on logarithmic axes: 1 for linear work, 2 for quadratic.

    >>> round(fitted_exponent([10, 100, 1000], [0.2, 20.0, 2000.0]), 6)
    2.0
    """
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


class _Contender:
    """Collects samples of one function; work too short for the clock is repeated, work too long is not."""

    def __init__(self, run: Callable[[Any], Any], first: float) -> None:
        self.run = run
        self.long = first > LONG_RUN
        self.repeats = max(1, math.ceil(SAMPLE / first))
        self.samples: list[float] = [first] if self.long else []

    def take_sample(self, problem: Any) -> None:
        if self.long:
            return
        begin = time.perf_counter()
        for _ in range(self.repeats):
            self.run(problem)
        self.samples.append((time.perf_counter() - begin) / self.repeats)


def _version(package: str) -> str:
    return f"of Python {platform.python_version()}" if package in sys.stdlib_module_names else version(package)


def _seconds_of(run: Callable[[Any], Any], problem: Any) -> float:
    begin = time.perf_counter()
    run(problem)
    return max(time.perf_counter() - begin, 1e-9)


def _compare(peer: Peer, ours: _Contender, theirs: _Contender, agreement: Agreement) -> Comparison:
    ratios = np.array(
        [their_time / our_time for our_time, their_time in zip(ours.samples, theirs.samples, strict=False)]
    )
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    note = "one run" if ours.long or theirs.long else ""
    return Comparison(
        peer.name,
        _version(peer.package),
        float(np.median(theirs.samples)),
        float(middle),
        (float(low), float(high)),
        ratios.size,
        agreement,
        note,
    )
