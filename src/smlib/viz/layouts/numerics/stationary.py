"""Stationary iterations: the plate and its error side by side, and below them how both parts of the error fall."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from smlib._core.trace import Step
from smlib.datasets.plates import heated_plate
from smlib.numerics.stationary.convergence import optimal_omega
from smlib.numerics.stationary.trace import NAMES, trace
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, circle, polyline, rect, text

SIDE = 11
SWEEPS = 14

WIDTH, HEIGHT = 440, 486
PLATE = 203.0
PLATE_TOP = 26.0
TEMPERATURE_LEFT, ERROR_LEFT = 6.0, 231.0
EDGE = 8.0

CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 46.0, 350.0, 304.0, 452.0
# The chart's vertical axis: powers of ten.
LOWEST, HIGHEST = -2, 2

SERIES = {"smooth": "series-1", "rough": "series-2"}

HEAT_SHADES = 12
ERROR_SHADES = 6


def sweep_plate() -> Iterator[Step]:
    """Yield sweeps of Gauss-Seidel over a plate at arbitrary temperatures, then those of SOR from the same start."""
    A, b = heated_plate(SIDE)
    start = np.random.default_rng(0).uniform(0.0, 100.0, b.size)
    omega = optimal_omega(A)
    before: Mapping[str, Any] = {}
    for step in trace(A, b, "gauss_seidel", SWEEPS, x0=start):
        yield step
        before = step.state
    for step in trace(A, b, "sor", SWEEPS, omega=omega, x0=start):
        told = replace(step, state={**step.state, "before": before})
        if step.state["sweep"] == 0:
            told = replace(
                told,
                caption=f"The same start again, now SOR: each step goes omega = {omega:.2f} times as far.",
                question=f"{SWEEPS} sweeps left a smooth part of {before['smooth'][-1]:.3g}°. What could the same "
                "kernel do differently, at the same cost?",
            )
        yield told


def draw_plate(state: Mapping[str, Any]) -> Scene:
    """Draw a step of a stationary iteration on the heated plate."""
    return Scene(WIDTH, HEIGHT, (*_draw_temperatures(state), *_draw_error(state), *_draw_chart(state)))


def _draw_temperatures(state: Mapping[str, Any]) -> Iterator[Mark]:
    coldest, hottest = state["coldest"], state["hottest"]

    def shade(temperature: float) -> str:
        part = (temperature - coldest) / (hottest - coldest or 1.0)
        return f"heat-{min(max(int(HEAT_SHADES * part), 0), HEAT_SHADES - 1)}"

    yield text("temperature", TEMPERATURE_LEFT, 16, "Temperature", "title")
    inner = PLATE - 2 * EDGE
    top, right, bottom, left = (shade(float(np.median(edge))) for edge in state["edges"])
    x, y = TEMPERATURE_LEFT, PLATE_TOP
    yield rect("top", x, y, PLATE, EDGE - 2, top)
    yield rect("right", x + PLATE - EDGE + 2, y + EDGE, EDGE - 2, inner, right)
    yield rect("bottom", x, y + PLATE - EDGE + 2, PLATE, EDGE - 2, bottom)
    yield rect("left", x, y + EDGE, EDGE - 2, inner, left)
    yield from _draw_cells(
        "t", x + EDGE, y + EDGE, inner, [[shade(value) for value in row] for row in state["temperatures"]]
    )
    labels = [f"{value:.3g}°" for value in (coldest, (coldest + hottest) / 2, hottest)]
    yield from _draw_legend("t", x, [f"heat-{k}" for k in range(HEAT_SHADES)], labels)


def _draw_error(state: Mapping[str, Any]) -> Iterator[Mark]:
    """Draw the error in shades of its own largest value: it is the pattern that tells."""
    error = state["error"]
    largest = float(abs(error).max())

    def shade(value: float) -> str:
        k = round(ERROR_SHADES * value / (largest or 1.0))
        return "even" if k == 0 else f"over-{k}" if k > 0 else f"under-{-k}"

    yield text("error", ERROR_LEFT, 16, "Error", "title")
    yield text("scale", ERROR_LEFT + PLATE, 16, f"at most {largest:.3g}°", "note", anchor="end")
    yield from _draw_cells("e", ERROR_LEFT, PLATE_TOP, PLATE, [[shade(value) for value in row] for row in error])
    shades = [shade(k * (largest or 1.0) / ERROR_SHADES) for k in range(-ERROR_SHADES, ERROR_SHADES + 1)]
    yield from _draw_legend("e", ERROR_LEFT, shades, ["too cold", "exact", "too warm"])


def _draw_cells(name: str, left: float, top: float, size: float, shades: Sequence[Sequence[str]]) -> Iterator[Mark]:
    cell = size / len(shades)
    for r, row in enumerate(shades):
        for c, css in enumerate(row):
            yield rect(f"{name}{r},{c}", left + c * cell, top + r * cell, cell - 0.8, cell - 0.8, css)


def _draw_legend(name: str, left: float, shades: Sequence[str], labels: Sequence[str]) -> Iterator[Mark]:
    """Draw all shades in a row, with words below its two ends and its middle."""
    top = PLATE_TOP + PLATE + 10
    width = PLATE / len(shades)
    for k, css in enumerate(shades):
        yield rect(f"{name} shade {k}", left + k * width, top, width, 8, css)
    yield text(f"{name} low", left, top + 24, labels[0], "note")
    yield text(f"{name} middle", left + PLATE / 2, top + 24, labels[1], "note", anchor="middle")
    yield text(f"{name} high", left + PLATE, top + 24, labels[2], "note", anchor="end")


def _draw_chart(state: Mapping[str, Any]) -> Iterator[Mark]:
    """Draw the two parts of the error over the sweeps; a run that went before stays behind it, faint."""
    before = state.get("before")
    last: int = max(state["sweeps"], before["sweeps"] if before else 1, 1)

    def place(sweep: int) -> float:
        return CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * sweep / last

    def curve(amplitudes: Sequence[float]) -> list[tuple[float, float]]:
        return [(place(sweep), _height(amplitude)) for sweep, amplitude in enumerate(amplitudes)]

    yield text("chart", CHART_LEFT, CHART_TOP - 12, "Both parts of the error", "title")
    for exponent in range(LOWEST, HIGHEST + 1):
        y = _height(10.0**exponent)
        yield polyline(f"line {exponent}", [(CHART_LEFT, y), (CHART_RIGHT, y)], "axis")
        yield text(f"power {exponent}", CHART_LEFT - 6, y + 4, f"{10.0**exponent:g}°", "note", anchor="end")
    for sweep in range(0, last + 1, max(1, last // 7)):
        yield text(f"sweep {sweep}", place(sweep), CHART_BOTTOM + 18, str(sweep), "note", anchor="middle")
    yield text("sweeps", CHART_RIGHT + 14, CHART_BOTTOM + 18, "sweeps", "note")
    if before:
        for part, css in SERIES.items():
            yield polyline(f"{part} before", curve(before[part]), f"curve {css} faint")
        x, y = place(before["sweep"]), _height(before["smooth"][-1]) - 7
        yield text("name before", x, y, NAMES[before["method"]], "note", anchor="end")
    end = place(state["sweep"])
    labels = _spread_apart(*(_height(state[part][-1]) for part in SERIES))
    for (part, css), label in zip(SERIES.items(), labels, strict=True):
        yield polyline(part, curve(state[part]), f"curve {css}")
        yield circle(f"{part} end", end, _height(state[part][-1]), 3.5, f"dot {css}")
        yield text(f"{part} label", end + 8, label + 4, part, f"label {css}")


def _height(amplitude: float) -> float:
    part: float = (math.log10(max(amplitude, 1e-300)) - LOWEST) / (HIGHEST - LOWEST)
    return CHART_BOTTOM - (CHART_BOTTOM - CHART_TOP) * min(max(part, 0.0), 1.0)


def _spread_apart(first: float, second: float) -> tuple[float, float]:
    """Return two heights of labels, moved apart where they would overlap."""
    gap = 15.0 - abs(first - second)
    if gap <= 0.0:
        return first, second
    shift = gap / 2 if first > second else -gap / 2
    return first + shift, second - shift


STATIONARY = Layout(
    title="Heat in a plate, sweep by sweep",
    note="The top edge is held at 100°, the other edges at 0°, and inside all starts at random. A sweep of "
    "Gauss-Seidel sets one point after another to the mean of its neighbours. The error, which is the distance to "
    "the temperatures at rest, has a smooth part (waves longer than four points) and a rough one (all others).",
    steps=sweep_plate,
    draw=draw_plate,
)
