"""Information theory: how much there is to say, and how to say it in as few bits."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
