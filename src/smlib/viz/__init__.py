"""Pictures of algorithms at work: every step of a real run, as one page to play or as a drawing.

    from smlib.viz import record

    trace = record("stationary")
    Path("stationary.html").write_text(trace.to_html(), encoding="utf-8")

An area's function ``trace`` yields steps (caption, state, source, invariants), a topic's layout turns a state into a
scene of shapes, and a `Trace` holds both and renders them. `scene` is what can be drawn, `trace` what can be asked
of a recording, `player` the page, and `layouts` holds how each topic looks.
"""

from __future__ import annotations

from collections.abc import Iterable

from smlib._core.trace import Step
from smlib.viz.layouts import find_layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text
from smlib.viz.trace import Trace

__all__ = ["Mark", "Scene", "Trace", "circle", "polyline", "record", "rect", "text"]


def record(topic_name: str, steps: Iterable[Step] | None = None) -> Trace:
    """Run a topic's algorithm, and keep every step.

    Parameters
    ----------
    topic_name : str
        A topic of `smlib.topics.TOPICS` that has a layout.
    steps : iterable of Step, optional
        A run on input of your own, as the topic's function ``trace`` yields it; the input of its story if not given.

    Returns
    -------
    Trace

    Raises
    ------
    InputError
        There is no such topic, or nothing is drawn for it yet.

    Examples
    --------
    >>> trace = record("stationary")
    >>> print(trace.steps[0].caption)
    Gauss-Seidel, before the first sweep. Error: smooth part 39.3°, rough part 27.8°.

    >>> from smlib.datasets.plates import heated_plate
    >>> from smlib.numerics.stationary.trace import trace
    >>> record("stationary", trace(*heated_plate(7), "jacobi", 10))
    <Trace 'Heat in a plate, sweep by sweep' of 11 steps>
    """
    layout = find_layout(topic_name)
    if steps is None:
        return Trace(layout.title, layout.steps(), layout.draw, note=layout.note)
    return Trace(layout.title, steps, layout.draw)
