"""How each topic looks: one module an area, loaded when one of its topics is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module

from smlib._core.trace import Step
from smlib.errors import InputError
from smlib.topics import TOPICS
from smlib.viz.trace import Draw


@dataclass(frozen=True, slots=True)
class Layout:
    """A topic's story in pictures.

    Attributes
    ----------
    title : str
        What is shown.
    note : str
        A paragraph for the reader: what the picture is of, and what to look at.
    steps : callable
        Runs the algorithm on the input of the story, and yields its steps.
    draw : callable
        Turns a step's state into a scene.
    """

    title: str
    note: str
    steps: Callable[[], Iterable[Step]]
    draw: Draw


def find_layout(topic_name: str) -> Layout:
    """Return a topic's layout; this loads its area, and NumPy with it.

    Raises
    ------
    InputError
        There is no such topic, or nothing is drawn for it yet.
    """
    if topic_name not in TOPICS:
        raise InputError(f"there is no topic {topic_name!r}; the topics are {', '.join(TOPICS)}")
    area = TOPICS[topic_name].area
    try:
        layouts: dict[str, Layout] = import_module(f"smlib.viz.layouts.{area}").LAYOUTS
    except ModuleNotFoundError as error:
        if error.name != f"smlib.viz.layouts.{area}":
            raise
        layouts = {}
    if topic_name not in layouts:
        raise InputError(f"nothing is drawn for {topic_name} yet; of its area there is: {', '.join(layouts) or 'none'}")
    return layouts[topic_name]
