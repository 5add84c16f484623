"""Stochastic processes: chance that goes on in time, and what can be said of it for certain."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
