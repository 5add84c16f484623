"""smlib: the algorithms behind data systems and their mathematics, written from scratch.

Every module is a worked example that reads from top to bottom, and a library function beside it::

    from smlib.numerics import gauss_seidel
    result = gauss_seidel([[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0])

Areas are loaded when they are first used, so that ``import smlib`` costs next to nothing. ``smlib`` on the command line
shows what there is.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
