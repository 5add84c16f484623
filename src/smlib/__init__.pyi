from . import errors as errors
from . import numerics as numerics
from . import topics as topics

__version__: str
