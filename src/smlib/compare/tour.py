"""The tour: a story a topic. A question, real input, the answer, the proof, and the speed beside a peer in that run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from smlib.compare.case import Case, Story
from smlib.compare.report import format_seconds
from smlib.compare.timer import Measurement, measure
from smlib.topics import TOPICS, read_essay

# The stories that `smlib tour` tells when none is named.
HEADLINES = (
    "stationary",
    "huffman_coding",
    "bplustree",
    "lsm",
    "simulation",
    "tableau",
    "markov_chains",
    "queue_simulation",
    "locality_sensitive_hashing",
    "page_rank",
)


@dataclass(frozen=True, slots=True)
class Told:
    """A story that has been run."""

    case: Case
    measurement: Measurement
    answer: tuple[str, ...]
    proofs: dict[str, bool]

    @property
    def agrees(self) -> bool:
        """Whether the reference agrees and every claim holds."""
        return self.measurement.agrees and all(self.proofs.values())

    def as_json(self) -> dict[str, Any]:
        """Return the story as JSON-ready data."""
        story = _story_of(self.case)
        return {
            "topic": self.case.topic,
            "question": story.question,
            "input": story.source,
            "answer": list(self.answer),
            "proofs": self.proofs,
            "seconds": self.measurement.seconds,
            "compile_seconds": self.measurement.compile_seconds,
            "peers": [
                {
                    "name": item.peer,
                    "ratio": item.ratio,
                    "agrees": None if item.agreement is None else item.agreement.ok,
                    "detail": None if item.agreement is None else item.agreement.detail,
                    "note": item.note,
                }
                for item in self.measurement.comparisons
            ],
            "agrees": self.agrees,
        }


def tell(case: Case) -> Told:
    """Run the story of a case: solve, prove, and time it beside the peers."""
    story = _story_of(case)
    problem = case.setup(story.size)
    measurement = measure(case, problem, story.size, seconds=1.0)
    answer = measurement.answer
    proofs = {claim: bool(holds) for claim, holds in story.proofs(problem, answer).items()}
    return Told(case, measurement, tuple(story.answer(problem, answer)), proofs)


def print_told(console: Console, told: Told, number: int) -> None:
    """Print a story as a block."""
    story, topic = _story_of(told.case), TOPICS[told.case.topic]
    console.print(Text.assemble((f"{number}. {story.question}", "bold"), (f"   {topic.area}, {topic.name}", "dim")))
    claims = [
        _claim(f"agrees with {item.peer}: {item.agreement.detail}", item.agreement.ok)
        for item in told.measurement.comparisons
        if item.agreement is not None
    ]
    claims += [_claim(claim, holds) for claim, holds in told.proofs.items()]
    rows: list[tuple[str, Sequence[str | Text]]] = [
        ("input", [f"{story.source}: {story.size:,} {told.case.unit}"]),
        ("answer", told.answer),
        ("proof", claims),
        ("speed", _speed(told.measurement)),
        ("read on", [f"smlib show {topic.name} --source", read_essay(topic).chapters.replace("*", "")]),
    ]
    block = Table.grid(padding=(0, 2, 0, 0))
    for label, lines in rows:
        for position, line in enumerate(lines):
            block.add_row(Text(label if position == 0 else "", "dim"), line)
    console.print(Padding(block, (0, 0, 1, 3), expand=False))


def _story_of(case: Case) -> Story:
    if case.story is None:
        raise ValueError(f"the case {case.topic}: {case.name} has no story")
    return case.story


def _speed(measurement: Measurement) -> list[str]:
    lines = [f"{format_seconds(measurement.seconds)} here"]
    if measurement.compile_seconds > 0.0:
        lines[0] += f", after {measurement.compile_seconds:.1f} s of compiling"
    for item in measurement.comparisons:
        if item.ratio is None or item.seconds is None:
            lines.append(f"{item.peer}: {item.note}")
        else:
            lines.append(f"{item.peer} {format_seconds(item.seconds)}: {item.ratio:.2f} times our time")
    return lines


def _claim(claim: str, holds: bool) -> Text:
    return Text.assemble(("yes  ", "green") if holds else ("NO   ", "bold red"), claim)
