from . import consensus as consensus
from . import datasets as datasets
from . import errors as errors
from . import infotheory as infotheory
from . import mining as mining
from . import numerics as numerics
from . import optim as optim
from . import stochastic as stochastic
from . import storage as storage
from . import topics as topics
from . import viz as viz

__version__: str
