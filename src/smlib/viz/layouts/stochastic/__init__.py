"""How the topics of stochastic processes look; a module a topic."""

from __future__ import annotations

from smlib.viz.layouts import Layout
from smlib.viz.layouts.stochastic.markov_chains import MARKOV_CHAINS
from smlib.viz.layouts.stochastic.poisson_processes import POISSON_PROCESSES
from smlib.viz.layouts.stochastic.queue_simulation import QUEUE_SIMULATION

LAYOUTS: dict[str, Layout] = {
    "markov_chains": MARKOV_CHAINS,
    "poisson_processes": POISSON_PROCESSES,
    "queue_simulation": QUEUE_SIMULATION,
}
