"""How the topics of consensus look; a module a topic."""

from smlib.viz.layouts.consensus.linearizability_checking import LINEARIZABILITY_CHECKING
from smlib.viz.layouts.consensus.simulation import SIMULATION

LAYOUTS = {"linearizability_checking": LINEARIZABILITY_CHECKING, "simulation": SIMULATION}
