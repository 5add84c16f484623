"""How the topics of data mining look; a module a topic."""

from smlib.viz.layouts.mining.locality_sensitive_hashing import LOCALITY_SENSITIVE_HASHING
from smlib.viz.layouts.mining.page_rank import PAGE_RANK

LAYOUTS = {"locality_sensitive_hashing": LOCALITY_SENSITIVE_HASHING, "page_rank": PAGE_RANK}
