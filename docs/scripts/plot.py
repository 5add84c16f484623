"""Lines on a pair of axes, as SVG that stands in a page and takes its colours from there, in light and in dark.

Lines are told apart by a name at their end, by their marks and by their dashes, and only then by colour. The classes
are those of ``docs/css/site.css``; the drawing itself names no colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 600.0, 320.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, 448.0, 30.0, 276.0

# Labels of lines whose ends are not farther apart than the width keep the distance of a line.
LABEL_WIDTH, LINE_HEIGHT = 110.0, 16.0
# A line with more points than this is drawn without marks.
MOST_MARKS = 12
MOST_POINTS = 400


class Series(NamedTuple):
    """A line: its name, which is written where it ends, and its points."""

    name: str
    points: Sequence[tuple[float, float]]


class Axis(NamedTuple):
    """What an axis shows: its label, its ends, where it is marked and how, and whether it is logarithmic."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a value stands between the ends: 0 is the low one, 1 the high one."""
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = (math.log(max(number, 1e-300)) for number in (value, low, high))
        return (value - low) / (high - low)


def logarithmic_axis(
    label: str, values: Sequence[float], write: Callable[[float], str], ticks: Sequence[float] = ()
) -> Axis:
    """Return an axis for positive values, with a tick at every power of ten unless at least three others are given.

    >>> [text for _, text in logarithmic_axis("n", [20, 3000], "{:g}".format).ticks]
    ['30', '100', '300', '1000', '3000']
    """
    low, high = math.log10(min(values)), math.log10(max(values))
    margin = 0.06 * (high - low) or 0.5
    low, high = low - margin, high + margin
    # Powers of ten; where there would be fewer than three, some multiples of them as well.
    for factors in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
        if len(ticks) < 3:
            powers = range(math.floor(low), math.ceil(high) + 1)
            ticks = [factor * 10.0**power for power in powers for factor in factors]
            ticks = [tick for tick in ticks if 10.0**low <= tick <= 10.0**high]
    return Axis(label, 10.0**low, 10.0**high, [(tick, write(tick)) for tick in ticks], logarithmic=True)


def linear_axis(label: str, low: float, high: float, write: Callable[[float], str] = "{:g}".format) -> Axis:
    """Return an axis with about five ticks at round values.

    >>> [text for _, text in linear_axis("omega", 1.0, 2.0).ticks]
    ['1', '1.2', '1.4', '1.6', '1.8', '2']
    """
    rough = (high - low) / 5.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= 0.999 * rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Axis(
        label, low, high, [(number * step, write(round(number * step, 12))) for number in range(first, last + 1)]
    )


def draw(title: str, series: Sequence[Series], x: Axis, y: Axis) -> str:
    """Return a plot as an SVG element; ``title`` is what is read out where it cannot be seen."""

    def across(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * x.place(value)

    def up(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * y.place(value)

    marks = [f'<svg class="plot" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{escape(title)}">']
    for value, text in y.ticks:
        marks.append(f'<path class="grid" d="M{LEFT:g} {up(value):.1f}H{RIGHT:g}"/>')
        marks.append(_text(LEFT - 8, up(value) + 4, text, "tick", "end"))
    for value, text in x.ticks:
        marks.append(f'<path class="grid" d="M{across(value):.1f} {BOTTOM:g}v5"/>')
        marks.append(_text(across(value), BOTTOM + 20, text, "tick", "middle"))
    marks.append(f'<path class="axis" d="M{LEFT:g} {BOTTOM:g}H{RIGHT:g}"/>')
    marks.append(_text(LEFT - 8, TOP - 14, y.label, "axis-label", "start" if len(y.label) > 8 else "end"))
    marks.append(_text(RIGHT, BOTTOM + 38, x.label, "axis-label", "end"))

    for number, line in enumerate(series, start=1):
        points = [(across(at), up(value)) for at, value in _thin_out(line.points)]
        path = "L".join(f"{at:.1f} {height:.1f}" for at, height in points)
        marks.append(f'<path class="line series-{number}" d="M{path}"/>')
        if len(points) <= MOST_MARKS:
            marks += [_mark(at, height, number) for at, height in points]
    ends = [(across(line.points[-1][0]), up(line.points[-1][1]) + 4) for line in series]
    for number, line in enumerate(series):
        at = ends[number][0]
        near = [other for other in range(len(series)) if abs(ends[other][0] - at) < LABEL_WIDTH]
        height = spread([ends[other][1] for other in near])[near.index(number)]
        marks.append(_text(at + 10, height, line.name, f"label series-{number + 1}"))
    return "\n".join([*marks, "</svg>"])


def spread(heights: Sequence[float], distance: float = LINE_HEIGHT) -> list[float]:
    """Return heights of labels, moved apart as little as it takes for none to overlap another.

    >>> spread([100.0, 104.0, 200.0])
    [94.0, 110.0, 200.0]
    """
    order = sorted(range(len(heights)), key=lambda number: heights[number])
    # Groups of labels that touch: the middle of each, and how many it holds.
    groups: list[tuple[float, int]] = []
    for number in order:
        middle, count = heights[number], 1
        while groups and middle - groups[-1][0] < distance * (count + groups[-1][1]) / 2:
            below, others = groups.pop()
            middle, count = (middle * count + below * others) / (count + others), count + others
        groups.append((middle, count))
    placed = [middle + distance * (k - (count - 1) / 2) for middle, count in groups for k in range(count)]
    result = list(heights)
    for number, height in zip(order, placed, strict=True):
        result[number] = height
    return result


def _thin_out(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most some hundreds of the points, the last one among them."""
    step = max(1, len(points) // MOST_POINTS)
    return [*points[:-1:step], points[-1]]


def _mark(x: float, y: float, number: int) -> str:
    shapes = (
        "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        "m-3.6 -3.6h7.2v7.2h-7.2z",
        "m0 -4.8l4.6 8h-9.2z",
        "m0 -5l5 5l-5 5l-5 -5z",
    )
    return f'<path class="mark series-{number}" d="M{x:.1f} {y:.1f}{shapes[(number - 1) % len(shapes)]}"/>'


def _text(x: float, y: float, content: str, css: str, align: str = "start") -> str:
    anchor = "" if align == "start" else f' text-anchor="{align}"'
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}"{anchor}>{escape(content)}</text>'
