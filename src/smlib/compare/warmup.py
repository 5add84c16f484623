"""Compile everything now: each case runs once at its smallest size, and the cache keeps the machine code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from smlib._core.compilation import watch_compilation
from smlib.compare.cases import load_cases


def warm_up(topics: Sequence[str], jobs: int = 1) -> Iterator[tuple[str, float, int]]:
    """Run the cases of the topics at their smallest size.

    Parameters
    ----------
    topics : sequence of str
    jobs : int
        Processes at work side by side, a topic at a time each.

    Yields
    ------
    tuple of str, float, int
        The topic, the seconds that compiling took, and how many kernels were compiled; none if the cache had them all.
    """
    if jobs == 1 or len(topics) == 1:
        yield from map(_warm_topic, topics)
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            yield from pool.map(_warm_topic, topics)


def _warm_topic(topic: str) -> tuple[str, float, int]:
    with watch_compilation() as watch:
        for case in load_cases([topic]):
            case.ours(case.setup(case.sizes[0]))
    return topic, watch.seconds, len(watch.kernels)
