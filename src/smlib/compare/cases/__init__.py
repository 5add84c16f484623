"""The cases of every area; a module an area."""

from __future__ import annotations

from importlib import import_module

from smlib.compare.case import Case
from smlib.topics import AREAS


def load_cases(names: tuple[str, ...] | list[str] = ()) -> list[Case]:
    """Return the cases of the named topics and areas, in the order of the catalogue; of all if none is named."""
    cases: list[Case] = []
    for area in AREAS:
        module = import_module(f"smlib.compare.cases.{area}")
        cases += [case for case in module.CASES if not names or area in names or case.topic in names]
    return cases
