"""A deadline: something is done some time after it was first put off, by a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Deadline:
    """Calls a function once, so many seconds after it was set, unless it is cancelled before.

    Parameters
    ----------
    seconds : float
    function : callable
        Called by another thread; it takes the lock that it needs.
    """

    __slots__ = ("_function", "_seconds", "_timer")

    def __init__(self, seconds: float, function: Callable[[], object]) -> None:
        self._seconds = seconds
        self._function = function
        self._timer: threading.Timer | None = None

    def set(self) -> None:
        """Begin to count, if that has not begun."""
        if self._timer is None:
            self._timer = threading.Timer(self._seconds, self._call)
            self._timer.daemon = True
            self._timer.start()

    def cancel(self) -> None:
        """Stop counting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _call(self) -> None:
        self._timer = None
        self._function()
