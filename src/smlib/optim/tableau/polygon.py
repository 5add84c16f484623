"""The polygon of a linear program with two unknowns: its limits as half-planes, its corners, and what a window shows.

The simplex method has no use for it: it is there to be drawn. A window is a rectangle; what is feasible in it comes of
cutting the rectangle along one limit after the other, and a line is what the four edges leave of it.

Sutherland & Hodgman, "Reentrant polygon clipping", *Communications of the ACM* 17 (1974).
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib._core.validate import Vector
from smlib.optim.linear_program import LinearProgram

Points = NDArray[np.float64]

# A point lies on a line, or two are the same, to this part of their numbers.
SAME = 1e-9
# How far a window reaches beyond the corners, as a share of their spread: a little, and where there is no end.
MARGIN, FAR = 0.12, 0.5


class Limit(NamedTuple):
    """A half-plane, ``sign * (normal @ x - side) <= 0``, and the variable whose bound it is."""

    variable: int
    normal: Vector
    side: float
    sign: float


def find_limits(program: LinearProgram) -> list[Limit]:
    """Return the half-planes of all finite bounds and sides; that of a row without entries is all or nothing."""
    normals = np.vstack([np.eye(2), program.A.toarray()])
    lower = np.concatenate([program.lower, program.row_lower])
    upper = np.concatenate([program.upper, program.row_upper])
    found = []
    for k, normal in enumerate(normals):
        for side, sign in ((lower[k], -1.0), (upper[k], 1.0)):
            if np.isfinite(side):
                found.append(Limit(k, normal, float(side), sign))
    return found


def find_corners(limits: list[Limit]) -> Points:
    """Return the points where two limits meet and none is violated."""
    corners = []
    for one, other in combinations(limits, 2):
        matrix = np.array([one.normal, other.normal])
        size = np.linalg.norm(one.normal) * np.linalg.norm(other.normal)
        if abs(np.linalg.det(matrix)) > SAME * size:
            point = np.linalg.solve(matrix, [one.side, other.side])
            if all(_excess(limit, point) <= SAME * _size(limit, point) for limit in limits):
                corners.append(point)
    return np.array(corners).reshape(-1, 2)


def choose_window(limits: list[Limit], path: Points) -> Points:
    """Return the lower left and the upper right corner of a window that shows all corners, and the path."""
    points = np.vstack([path, find_corners(limits)])
    low, high = points.min(axis=0), points.max(axis=0)
    apart = high - low > SAME * (1.0 + np.maximum(abs(low), abs(high)))
    spread = np.where(apart, high - low, max(float((high - low).max()), 1.0))
    window = np.array([low - MARGIN * spread, high + MARGIN * spread])
    polygon = clip_polygon(limits, window)
    if len(polygon):
        # Where what is feasible reaches the edge, it goes on beyond it.
        window[0] -= np.where(polygon.min(axis=0) <= window[0], FAR * spread, 0.0)
        window[1] += np.where(polygon.max(axis=0) >= window[1], FAR * spread, 0.0)
    return window


def clip_polygon(limits: list[Limit], window: Points) -> Points:
    """Return the corners, in order, of what is feasible in a window."""
    (left, bottom), (right, top) = window
    polygon = [np.array(corner) for corner in ((left, bottom), (right, bottom), (right, top), (left, top))]
    for limit in limits:
        kept = []
        for k, point in enumerate(polygon):
            before = polygon[k - 1]
            here, there = (_excess(limit, p) - SAME * _size(limit, p) for p in (point, before))
            if (here > 0.0) != (there > 0.0):
                part = _excess(limit, before) / (_excess(limit, before) - _excess(limit, point))
                kept.append(before + part * (point - before))
            if here <= 0.0:
                kept.append(point)
        polygon = kept
    return np.array(polygon).reshape(-1, 2)


def clip_line(normal: Vector, side: float, window: Points) -> Points | None:
    """Return the two ends of the line ``normal @ x = side`` in a window, from left to right; None if it is outside."""
    if not normal.any():
        return None
    along = np.array([normal[1], -normal[0]])
    along = -along if tuple(along) < (0.0, 0.0) else along
    return clip_ray(normal * side / (normal @ normal), along, window, -np.inf)


def clip_ray(start: Vector, along: Vector, window: Points, first: float = 0.0) -> Points | None:
    """Return the two ends, in a window, of what lies ahead of a point; None if there is nothing."""
    last = np.inf
    for axis in range(2):
        if along[axis] == 0.0:
            if not window[0, axis] <= start[axis] <= window[1, axis]:
                return None
        else:
            ends = sorted((window[:, axis] - start[axis]) / along[axis])
            first, last = max(first, ends[0]), min(last, ends[1])
    return np.array([start + first * along, start + last * along]) if first < last < np.inf else None


def _excess(limit: Limit, point: Vector) -> float:
    return float(limit.sign * (limit.normal @ point - limit.side))


def _size(limit: Limit, point: Vector) -> float:
    return float(1.0 + np.abs(limit.normal) @ np.abs(point) + abs(limit.side))
