"""How the topics of stochastic processes look; a module a topic."""

from __future__ import annotations

from smlib.viz.layouts import Layout

LAYOUTS: dict[str, Layout] = {}
