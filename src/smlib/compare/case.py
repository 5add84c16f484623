"""A case: one piece of work, our way of doing it, the peers' ways, and the test that all did the same.

Both sides get their best interface and settings, and the same work: what one side prepares before the clock starts (an
index, a checked matrix) the other may prepare too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

# The input of a case, whatever its type: made by `setup`, read by all contenders, changed by none.
Problem = Any
Answer = Any


class Agreement(NamedTuple):
    """Whether two answers agree, and by how much they differ."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Peer:
    """Another library's way of doing the same work.

    Attributes
    ----------
    name : str
        What it is called in reports, such as "SciPy spsolve".
    package : str
        The package that must be installed for it; ``run`` imports it.
    run : callable
        From the problem to the answer.
    max_size : int, optional
        It is not run on larger problems.
    """

    name: str
    package: str
    run: Callable[[Problem], Answer]
    max_size: int | None = None

    @property
    def installed(self) -> bool:
        """Whether its package can be imported here."""
        return find_spec(self.package) is not None


@dataclass(frozen=True, slots=True)
class Story:
    """A case told to a reader: the question, the input, the answer, the proof.

    Attributes
    ----------
    question : str
        In plain words.
    size : int
        The size at which it is told.
    source : str
        What the input is and where it comes from.
    answer : callable
        From the problem and our answer to lines of text; a picture made of characters is welcome.
    proofs : callable
        From the problem and our answer to claims that can be checked, each with whether it holds.
    """

    question: str
    size: int
    source: str
    answer: Callable[[Problem, Answer], Sequence[str]]
    proofs: Callable[[Problem, Answer], Mapping[str, bool]]


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison of a topic.

    Attributes
    ----------
    topic : str
        A name of the catalogue.
    name : str
        What is compared, in a few words; unique within its topic.
    unit : str
        What ``sizes`` count.
    sizes : tuple of int
        Three sizes, rising.
    setup : callable
        From a size to the problem.
    ours : callable
        From the problem to our answer.
    peers : tuple of Peer
        The first one is the reference of the story.
    agree : callable
        From the problem, our answer and a peer's to an `Agreement`.
    note : str
        What a reader of the ratio should know: why it is below 1, say.
    story : Story, optional
        One case a topic has one.
    """

    topic: str
    name: str
    unit: str
    sizes: tuple[int, int, int]
    setup: Callable[[int], Problem]
    ours: Callable[[Problem], Answer]
    peers: tuple[Peer, ...]
    agree: Callable[[Problem, Answer, Answer], Agreement]
    note: str = ""
    story: Story | None = None
