"""What can be drawn: a scene is a list of marks, and a mark that stays from one step to the next keeps its key.

The key is the whole trick of a moving picture. A player that knows which rectangle of this step was which rectangle
of the last one needs no animation code: it changes the attributes that differ, and the style sheet moves them there.

A mark is one SVG element: a tag, its attributes, and a place ``(x, y)`` to which it is moved. Its looks are a class
of ``scene.css``, which knows light and dark; a layout names no colours. Later marks cover earlier ones. One unit is
about one pixel on a small screen and more on a large one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from smlib.errors import InputError

# What XML cannot hold, even escaped.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Mark:
    """One shape.

    Attributes
    ----------
    key : str
        Which thing it shows; the same in every step, and no other mark of the scene has it.
    tag : str
        The SVG element.
    attributes : mapping
        Its attributes. Three are not SVG's: ``x`` and ``y`` are where it is moved to, ``text`` is what it contains.
    """

    key: str
    tag: str
    attributes: Mapping[str, str | float]


@dataclass(frozen=True, slots=True)
class Scene:
    """The picture of one step.

    Attributes
    ----------
    width, height : float
        The part of the plane that is shown, from (0, 0).
    marks : tuple of Mark
        From the lowest to the topmost.
    """

    width: float
    height: float
    marks: tuple[Mark, ...]

    def __post_init__(self) -> None:
        keys: set[str] = set()
        for mark in self.marks:
            if mark.key in keys:
                raise InputError(f"two marks of a scene have the key {mark.key!r}; each needs its own")
            keys.add(mark.key)


def rect(key: str, x: float, y: float, width: float, height: float, css: str = "", *, radius: float = 0.0) -> Mark:
    """Return a rectangle; (x, y) is its top left corner."""
    rounded = {"rx": _number(radius)} if radius else {}
    return Mark(key, "rect", {**_placed(x, y, css), "width": _number(width), "height": _number(height), **rounded})


def circle(key: str, x: float, y: float, radius: float, css: str = "") -> Mark:
    """Return a circle around (x, y)."""
    return Mark(key, "circle", {**_placed(x, y, css), "r": _number(radius)})


def polyline(key: str, points: Iterable[tuple[float, float]], css: str = "") -> Mark:
    """Return a line through points, not filled."""
    path = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
    return Mark(key, "path", {**_placed(0.0, 0.0, css), "d": f"M{path}"})


def text(
    key: str, x: float, y: float, content: str, css: str = "", *, anchor: Literal["start", "middle", "end"] = "start"
) -> Mark:
    """Return a line of text; (x, y) is where its base line starts, has its middle, or ends."""
    anchored = {} if anchor == "start" else {"text-anchor": anchor}
    return Mark(key, "text", {**_placed(x, y, css), **anchored, "text": content})


def render(scene: Scene, label: str) -> str:
    """Return a scene as an SVG element without a style, to stand in a page that has one."""
    return _svg(scene, label, "")


def render_alone(scene: Scene, label: str) -> str:
    """Return a scene as an SVG document that needs nothing else, on a ground of its own."""
    ground = f'<style>{stylesheet()}</style><rect class="ground" width="100%" height="100%"/>'
    return _svg(scene, label, ground)


def escape(content: str) -> str:
    """Return a text that stands for itself in XML and HTML, in an attribute or between tags.

    >>> escape('</script> & "so"')
    '&lt;/script&gt; &amp; &quot;so&quot;'
    """
    return html.escape(FORBIDDEN.sub("\ufffd", content))


@cache
def stylesheet() -> str:
    """Return the looks of all marks, in light and in dark."""
    return files("smlib.viz").joinpath("scene.css").read_text(encoding="utf-8")


def _svg(scene: Scene, label: str, ground: str) -> str:
    size = f"{_number(scene.width)} {_number(scene.height)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="scene" viewBox="0 0 {size}" role="img" '
        f'aria-label="{escape(label)}">{ground}{"".join(map(_element, scene.marks))}</svg>'
    )


def _element(mark: Mark) -> str:
    attributes = dict(mark.attributes)
    place = f"{attributes.pop('x')} {attributes.pop('y')}"
    content = escape(str(attributes.pop("text", "")))
    listed = "".join(f' {name}="{escape(str(value))}"' for name, value in attributes.items())
    return f'<{mark.tag} transform="translate({place})"{listed}>{content}</{mark.tag}>'


def _placed(x: float, y: float, css: str) -> dict[str, str | float]:
    return {"x": _number(x), "y": _number(y), **({"class": css} if css else {})}


def _number(value: float) -> float:
    """Round to a hundredth of a pixel, for short pages; a whole number becomes an int."""
    rounded = round(float(value), 2)
    return int(rounded) if rounded.is_integer() else rounded
