"""How long keys and values in a leaf may be."""

from __future__ import annotations

from smlib.storage.bplustree.pages import LONGEST_KEY


def longest_key(page_size: int) -> int:
    """Return how many bytes a key may have, so that two cells fit into a page."""
    return min(LONGEST_KEY, page_size // 4)


def longest_value(page_size: int) -> int:
    """Return how many bytes a value may have that lies in a leaf."""
    return page_size // 4 - 24
