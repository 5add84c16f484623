"""What commands share: the console, the names of topics, a sign that something is being done."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from smlib.topics import Topic


# An output that is not a terminal (a pipe, a file) is laid out for this many characters.
PIPE_WIDTH = 120


def find_topics(names: Sequence[str]) -> list[Topic] | None:
    """Return the topics of the named topics and areas (all if none is named), or say what is not to be found."""
    from smlib.topics import AREAS, TOPICS

    for name in names:
        if name not in TOPICS and name not in AREAS:
            from difflib import get_close_matches

            close = get_close_matches(name, [*TOPICS, *AREAS], n=1)
            hint = f"did you mean {close[0]}?" if close else "`smlib list` shows all"
            print(f"smlib: there is no topic or area named {name!r}; {hint}", file=sys.stderr)
            return None
    return [topic for topic in TOPICS.values() if not names or topic.name in names or topic.area in names]


def settle_libraries() -> None:
    """Let BLAS choose its kernel for this very processor, and one thread: called before NumPy is loaded."""
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def open_console() -> Console:
    """Return the console on which a command prints."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


class at_work:  # noqa: N801  # reads as a verb: `with at_work(...)`
    """Shows on stderr what is being done; where nobody watches a terminal, only that a kernel compiles for long."""

    announced = False

    def __init__(self, what: str) -> None:
        from rich.console import Console

        from smlib._core.compilation import watch_compilation

        self.status = Console(stderr=True).status(what)
        self.what = what
        self.watch = watch_compilation(self._compiling)

    def __enter__(self) -> None:
        self.watch.__enter__()
        self.status.__enter__()

    def __exit__(self, *exception: object) -> None:
        self.status.__exit__(None, None, None)
        self.watch.__exit__(None, None, None)

    def _compiling(self, kernel: str) -> None:
        if sys.stderr.isatty():
            self.status.update(f"{self.what}: compiling {kernel}")
        elif not at_work.announced:
            at_work.announced = True
            print(f"compiling {kernel} and others; most are kept for next time", file=sys.stderr)


def name_next(console: Console, *commands: tuple[str, str]) -> None:
    """Name what to try next."""
    console.print("Next:", style="dim")
    for command, purpose in commands:
        console.print(f"  {command:<31} {purpose}", markup=False, soft_wrap=True)
