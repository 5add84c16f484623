"""Golden scripts: commands and what they answer, to be read as stories.

A script is a text. Lines that begin with ``#`` tell the story; a line that begins with ``>`` is a command, and the
lines up to the next empty one are its answer. `run_script` gives the commands to a function and compares::

    # A key goes in.
    > insert B
    A B C D E
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "scripts"


class Command(NamedTuple):
    """A command of a script: its words, the answer that is expected, and its line."""

    words: list[str]
    answer: str
    line: int


def read_script(text: str) -> Iterator[Command]:
    """Yield the commands of a script."""
    words, answer, line = [""], "", 0
    for number, content in enumerate([*text.splitlines(), ""], start=1):
        if content.startswith(">"):
            if words[0]:
                yield Command(words, answer, line)
            words, answer, line = shlex.split(content[1:]), "", number
        elif not content.strip():
            if words[0]:
                yield Command(words, answer, line)
            words = [""]
        elif not content.startswith("#"):
            assert words[0], f"line {number} answers no command: {content}"
            answer += content.rstrip() + "\n"


def run_script(name: str, execute: Callable[[list[str]], str]) -> None:
    """Execute a script's commands one after the other, and compare what they answer."""
    commands = list(read_script((FOLDER / name).read_text(encoding="utf-8")))
    assert commands
    for words, answer, line in commands:
        found = execute(words).rstrip()
        assert found == answer.rstrip(), f"{name}, line {line}: {' '.join(words)} answered\n{found}"
