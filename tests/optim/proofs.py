"""Answers to linear programs, checked once more: with NumPy, on the matrix with its zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from smlib.optim import LinearProgram

TOLERANCE = 1e-9


def prove(program: LinearProgram, result: Any, tolerance: float = TOLERANCE) -> None:
    """Check what an answer claims, by the certificate and without it."""
    assert result.success == (result.status == 0)
    if result.status == 0:
        assert result.certificate.holds(tolerance), result.certificate
        assert is_feasible(program, result.x, tolerance)
        room = 1e-14 * float(1.0 + np.abs(program.c) @ np.abs(result.x))
        assert result.fun == pytest.approx(program.objective(np.asarray(result.x)), rel=1e-14, abs=room)
        assert has_right_signs(program, result.y, tolerance)
    elif result.status == 2:
        assert result.x is None
        assert result.fun is None
        assert result.certificate.holds(tolerance), result.certificate
        if result.ray is None:
            assert (program.lower > program.upper).any() or (program.row_lower > program.row_upper).any()
        else:
            assert contradicts(program, result.ray, tolerance)
    elif result.status == 3:
        assert result.fun is None
        assert result.certificate.holds(tolerance), result.certificate
        assert is_feasible(program, result.x, tolerance)
        assert improves_for_ever(program, result.ray, tolerance)
    else:
        assert not result.certificate.holds(tolerance), result.certificate


def is_feasible(program: LinearProgram, x: Any, tolerance: float = TOLERANCE) -> bool:
    """Return whether all rows and bounds are kept, but for a share of the terms that were added up."""
    A = program.A.toarray()
    rows, row_room = A @ x, tolerance * (1.0 + np.abs(A) @ np.abs(x))
    room = tolerance * (1.0 + np.abs(x))
    return bool(
        (rows >= program.row_lower - row_room).all()
        and (rows <= program.row_upper + row_room).all()
        and (x >= program.lower - room).all()
        and (x <= program.upper + room).all()
    )


def has_right_signs(program: LinearProgram, y: Any, tolerance: float = TOLERANCE) -> bool:
    """Return whether no price and no reduced cost leans on a side that is not there."""
    A, sign = program.A.toarray(), -1.0 if program.maximize else 1.0
    price, cost = sign * np.asarray(y), sign * program.c
    reduced = cost - price @ A
    price_room = tolerance * (1.0 + np.abs(price))
    room = tolerance * (1.0 + np.abs(cost) + np.abs(price) @ np.abs(A))
    return bool(
        (price[np.isinf(program.row_lower)] <= price_room[np.isinf(program.row_lower)]).all()
        and (price[np.isinf(program.row_upper)] >= -price_room[np.isinf(program.row_upper)]).all()
        and (reduced[np.isinf(program.lower)] <= room[np.isinf(program.lower)]).all()
        and (reduced[np.isinf(program.upper)] >= -room[np.isinf(program.upper)]).all()
    )


def contradicts(program: LinearProgram, ray: Any, tolerance: float = TOLERANCE) -> bool:
    """Return whether the weighted rows demand more than the bounds of the columns allow."""
    A = program.A.toarray()
    combined, terms = ray @ A, np.abs(ray) @ np.abs(A)
    most = np.where(combined > 0.0, program.upper, program.lower)
    combined = np.where(np.isinf(most) & (np.abs(combined) <= tolerance * terms), 0.0, combined)
    sides = np.where(ray > 0.0, program.row_lower, program.row_upper)
    demanded = ray[ray != 0.0] * sides[ray != 0.0]
    allowed = combined[combined != 0.0] * most[combined != 0.0]
    if not (np.isfinite(demanded).all() and np.isfinite(allowed).all()):
        return False
    return bool(demanded.sum() - allowed.sum() > 1e-12 * (np.abs(demanded).sum() + np.abs(allowed).sum()))


def improves_for_ever(program: LinearProgram, ray: Any, tolerance: float = TOLERANCE) -> bool:
    """Return whether a direction meets no side that is there, and the objective improves along it."""
    A, sign = program.A.toarray(), -1.0 if program.maximize else 1.0
    rows, room = A @ ray, tolerance * (np.abs(A) @ np.abs(ray))
    return bool(
        (rows[np.isfinite(program.row_lower)] >= -room[np.isfinite(program.row_lower)]).all()
        and (rows[np.isfinite(program.row_upper)] <= room[np.isfinite(program.row_upper)]).all()
        and (ray[np.isfinite(program.lower)] >= 0.0).all()
        and (ray[np.isfinite(program.upper)] <= 0.0).all()
        and sign * program.c @ ray < -1e-12 * (np.abs(program.c) @ np.abs(ray))
    )
