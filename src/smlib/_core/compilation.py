"""Watch Numba compile: how long it took, and a word to whoever waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

# A compilation that takes longer than this many seconds is worth a word.
PATIENCE = 0.5


class CompilationWatch(event.Listener):  # type: ignore[misc]  # Numba is untyped
    """Adds up the seconds that compiling took; kernels compiled on behalf of another count as part of it.

    Attributes
    ----------
    seconds : float
        Time spent compiling so far.
    kernels : list of str
        The kernels that were compiled, not taken from the cache.
    """

    def __init__(self, notify: Callable[[str], object] | None = None) -> None:
        self.seconds = 0.0
        self.kernels: list[str] = []
        self._notify = notify
        self._depth = 0
        self._begin = 0.0
        self._timer: threading.Timer | None = None

    def on_start(self, started: Any) -> None:
        name = started.data["dispatcher"].py_func.__name__
        self.kernels.append(name)
        self._depth += 1
        if self._depth == 1:
            self._begin = time.perf_counter()
            if self._notify is not None:
                self._timer = threading.Timer(PATIENCE, self._notify, [name])
                self._timer.daemon = True
                self._timer.start()

    def on_end(self, ended: Any) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.perf_counter() - self._begin
            if self._timer is not None:
                self._timer.cancel()


@contextmanager
def watch_compilation(notify: Callable[[str], object] | None = None) -> Iterator[CompilationWatch]:
    """Watch what Numba compiles in this block.

    Parameters
    ----------
    notify : callable, optional
        Called with a kernel's name once it has been compiling for half a second.

    Yields
    ------
    CompilationWatch
    """
    watch = CompilationWatch(notify)
    with event.install_listener("numba:compile", watch):
        yield watch
