"""One step of an algorithm, told so that it can be drawn: what happened, the data after it, and what must hold.

An algorithm that can be watched has a function ``trace`` beside its solver. It calls the solver's own kernels one at
a time and yields a `Step` after each, so that the picture shows the code that runs and no second version of it. How
a step looks is not decided here: `smlib.viz` turns the state into shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What an algorithm did, and how things stand after it.

    Attributes
    ----------
    caption : str
        What happened, in a sentence.
    state : mapping
        The data after the step. Copies: the algorithm goes on writing into its own arrays.
    source : callable
        The function that did the work.
    invariants : mapping from str to bool
        What must hold after every step, and whether it does. Each is computed from the state, never taken for granted.
    question : str
        What to ask a reader who is about to see this step.
    """

    caption: str
    state: Mapping[str, Any]
    source: Callable[..., Any]
    invariants: Mapping[str, bool]
    question: str = ""
