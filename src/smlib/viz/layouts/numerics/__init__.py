"""How the topics of numerical analysis look; a module a topic."""

from smlib.viz.layouts.numerics.quadrature import QUADRATURE
from smlib.viz.layouts.numerics.stationary import STATIONARY

LAYOUTS = {"stationary": STATIONARY, "quadrature": QUADRATURE}
