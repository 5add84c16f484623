"""A recorded run: its steps, the scene of each, and the forms in which both can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from smlib._core.trace import Step
from smlib.errors import InputError
from smlib.viz import player
from smlib.viz.scene import Scene, escape, render_alone

Draw: TypeAlias = Callable[[Mapping[str, Any]], Scene]


class Trace:
    """The steps of an algorithm with their pictures.

    Parameters
    ----------
    title : str
        What is shown.
    steps : iterable of Step
        Run to its end here, and kept.
    draw : callable
        Turns the state of a step into its scene.
    note : str
        A paragraph for the reader: what the picture is of, and what to look at.

    Attributes
    ----------
    title, note : str
    steps : tuple of Step
    scenes : tuple of Scene
        One a step.

    Raises
    ------
    InputError
        There is no step.

    Examples
    --------
    >>> from smlib.viz import rect
    >>> def double(n):
    ...     return 2 * n
    >>> steps = [Step(f"n is {n}", {"n": n}, double, {"n is even": n % 2 == 0}) for n in (2, 4, 8)]
    >>> trace = Trace("Doubling", steps, lambda state: Scene(100, 20, (rect("bar", 0, 0, 10 * state["n"], 20),)))
    >>> trace
    <Trace 'Doubling' of 3 steps>
    >>> trace.to_svg(2)[-69:]
    '<rect transform="translate(0 0)" width="80" height="20"></rect></svg>'
    """

    def __init__(self, title: str, steps: Iterable[Step], draw: Draw, *, note: str = "") -> None:
        self.title = title
        self.note = note
        self.steps = tuple(steps)
        if not self.steps:
            raise InputError(f"the trace {title!r} has no steps; it needs at least one")
        self.scenes = tuple(draw(step.state) for step in self.steps)

    def __repr__(self) -> str:
        return f"<Trace {self.title!r} of {len(self.steps)} steps>"

    def to_svg(self, step: int) -> str:
        """Return one step as an SVG document that needs no other file and reads in light and dark.

        Parameters
        ----------
        step : int
            From 0; negative from the end, as in a list.

        Raises
        ------
        InputError
            There is no such step.
        """
        try:
            return render_alone(self.scenes[step], f"{self.title}. {self.steps[step].caption}")
        except IndexError:
            raise InputError(f"there is no step {step}: {self.title!r} has {len(self.steps)} steps, from 0") from None

    def to_html(self) -> str:
        """Return the player: one page that needs no other file and asks no host for anything."""
        return player.render_page(self.title, self.note, self.steps, self.scenes)

    def _repr_html_(self) -> str:
        """Show the player in a notebook: in a frame of its own, so that neither reaches the other."""
        return (
            f'<iframe title="{escape(self.title)}" srcdoc="{escape(self.to_html())}" sandbox="allow-scripts" '
            'width="100%" height="860" style="border: 0"></iframe>'
        )
