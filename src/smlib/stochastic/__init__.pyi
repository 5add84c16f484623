from .variates import Deterministic as Deterministic
from .variates import Empirical as Empirical
from .variates import Erlang as Erlang
from .variates import Exponential as Exponential
from .variates import Hyperexponential as Hyperexponential
from .variates import LogNormal as LogNormal
