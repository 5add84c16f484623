"""Random streams by name: one for each kind of chance, so that more of one kind leaves the others as they are.

If all chance of a simulation came from one stream, a message more would shift every crash behind it, and a seed would
mean another run as soon as a kind of fault is added. So each kind draws from a stream of its own, which depends on the
seed and on its name alone. The name is digested by SHA-256, for Python's ``hash`` of a text differs between processes.

>>> loss, crashes = random_stream(7, "loss"), random_stream(7, "crashes")
>>> loss.random() == random_stream(7, "loss").random(), loss.random() == crashes.random()
(True, False)

Invariants:
  1. The same seed and name give the same stream in every process.
  2. What is drawn from one stream changes no other.

Cost: O(1).

L'Ecuyer, "Random number generation", *Handbook of Computational Statistics* (2012), section 2.3 (multiple streams).
"""

from __future__ import annotations

import hashlib
import random


def random_stream(seed: int, name: str) -> random.Random:
    """Return the stream of this name."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return random.Random(int.from_bytes(digest, "big"))
