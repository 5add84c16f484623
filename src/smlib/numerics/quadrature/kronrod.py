"""One interval: its integral by 21 samples, and how far that is to be trusted.

Gauss found that 10 well placed samples integrate every polynomial up to degree 19. Two such rules side by side
would tell an error by their difference, but rules of different sizes share no sample. Kronrod kept the 10 and added
11 between them, so that all 21 together integrate every polynomial up to degree 31::

    Gauss      o       o          o          o    ...           10 samples
    Kronrod  + o   +   o    +     o     +    o    ...           the same, and 11 more

The difference of the two is the error of *Gauss*, and a great overestimate of that of Kronrod, which is what is
returned. `judge` scales it down as QUADPACK does, by experience: to ``(200 difference / spread)**1.5`` of the
*spread*, the mean distance of the integrand to its mean value; and it never claims less than what rounding costs.

The constants were computed with 60 digits, as roots of Legendre's and of Stieltjes' polynomial; the tests hold them
against what they are for.

Cost: 21 samples, and O(1) beside them.

Kronrod, *Nodes and Weights of Quadrature Formulas* (1965); Piessens, de Doncker-Kapenga, Überhuber & Kahaner,
*QUADPACK*, section 2.2.
"""

from __future__ import annotations

import math

from smlib._core.kernel import kernel
from smlib._core.validate import Vector

SAMPLES = 21

# From the middle of [-1, 1] outwards; the other half mirrors it. Every second sample is Gauss's.
HALF_NODES = (
    0.0,
    0.14887433898163121088,
    0.29439286270146019813,
    0.43339539412924719080,
    0.56275713466860468334,
    0.67940956829902440623,
    0.78081772658641689706,
    0.86506336668898451073,
    0.93015749135570822600,
    0.97390652851717172008,
    0.99565716302580808074,
)
HALF_WEIGHTS = (
    0.14944555400291690566,
    0.14773910490133849137,
    0.14277593857706008080,
    0.13470921731147332593,
    0.12349197626206585108,
    0.10938715880229764190,
    0.09312545458369760554,
    0.07503967481091995277,
    0.05475589657435199603,
    0.03255816230796472748,
    0.01169463886737187428,
)
HALF_GAUSS_WEIGHTS = (
    0.0,
    0.29552422471475287017,
    0.0,
    0.26926671930999635509,
    0.0,
    0.21908636251598204400,
    0.0,
    0.14945134915058059315,
    0.0,
    0.06667134430868813759,
    0.0,
)

NODES = (*(-node for node in HALF_NODES[:0:-1]), *HALF_NODES)
WEIGHTS = (*HALF_WEIGHTS[:0:-1], *HALF_WEIGHTS)
GAUSS_WEIGHTS = (*HALF_GAUSS_WEIGHTS[:0:-1], *HALF_GAUSS_WEIGHTS)

# What 21 products and sums may lose, as a part of the integral of the modulus.
ROUNDING = 50.0 * 2.0**-52


@kernel(fast=True)
def judge(values: Vector, half: float) -> tuple[float, float]:
    """Return the integral over an interval of length ``2 half`` from its 21 samples, and an estimate of its error."""
    kronrod = 0.0
    gauss = 0.0
    size = 0.0
    for k in range(SAMPLES):
        kronrod += WEIGHTS[k] * values[k]
        gauss += GAUSS_WEIGHTS[k] * values[k]
        size += WEIGHTS[k] * abs(values[k])
    mean = 0.5 * kronrod
    spread = 0.0
    for k in range(SAMPLES):
        spread += WEIGHTS[k] * abs(values[k] - mean)
    error = abs(kronrod - gauss)
    if error > 0.0 and spread > 0.0:
        ratio = 200.0 * error / spread
        error = spread if ratio > 1.0 else spread * ratio * math.sqrt(ratio)
    rounding = ROUNDING * size
    return half * kronrod, half * (error if error > rounding else rounding)
