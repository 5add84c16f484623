"""Real text for the cases."""

from __future__ import annotations

from pydoc_data.topics import topics

MANUAL = "the text of the Python manual that every Python carries (pydoc_data.topics)"


def manual(size: int) -> bytes:
    """Return the first bytes of the Python manual."""
    return "".join(topics.values()).encode()[:size]
