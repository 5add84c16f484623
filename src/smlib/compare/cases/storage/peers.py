"""What the Cases of storage share: the commonest peer, and two ways to see that a store is right."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smlib.errors import CorruptDataError
from smlib.storage import SortedMapping

SORTED_DICT = ("SortedDict", "sortedcontainers")


def sorted_dict(*items: Any) -> Any:
    """Return a SortedDict."""
    return import_module("sortedcontainers").SortedDict(*items)


def equal_arrays(ours: Iterable[NDArray[Any]], theirs: Iterable[NDArray[Any]]) -> bool:
    """Return whether arrays are equal, one by one."""
    return all(np.array_equal(mine, other) for mine, other in zip(ours, theirs, strict=True))


def is_whole(store: SortedMapping[Any, Any]) -> bool:
    """Return whether a store's own proof holds."""
    try:
        store.check()
    except CorruptDataError:
        return False
    return True
