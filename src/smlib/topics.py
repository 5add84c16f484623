"""The catalogue: every topic of the library, where it lives, and what it stands on.

A topic has one name in every wing of the house: its module, its tests, its comparisons. The title, the cost and the
chapters to read are not written down here a second time: they are read from the module's docstring, without importing
it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the catalogue.

    Attributes
    ----------
    name : str
        The name of its module.
    area : str
        The area in which the module stands.
    rows : tuple of int
        The rows of the curriculum that it covers.
    prerequisites : tuple of str
        Topics that are best read before.
    """

    name: str
    area: str
    rows: tuple[int, ...]
    prerequisites: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The full name of its module."""
        return f"smlib.{self.area}.{self.name}"

    @property
    def sources(self) -> tuple[Path, ...]:
        """Its source files, the one with the essay first."""
        place = Path(__file__).parent / self.area / self.name
        if place.is_dir():
            return place / "__init__.py", *sorted(path for path in place.glob("*.py") if path.name != "__init__.py")
        return (place.with_suffix(".py"),)


@dataclass(frozen=True, slots=True)
class Essay:
    """What a module's docstring says of its topic: the text, and three things that are found in it by their place."""

    title: str
    text: str
    cost: str
    chapters: str


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in [
        Topic("stationary", "numerics", rows=(90,)),
        Topic("quadrature", "numerics", rows=(91,)),
        Topic("measures", "infotheory", rows=(115,)),
        Topic("huffman_coding", "infotheory", rows=(116,), prerequisites=("measures",)),
        Topic("snappy", "infotheory", rows=(10, 116)),
        Topic("btree", "storage", rows=(10,)),
        Topic("array_btree", "storage", rows=(10,), prerequisites=("btree",)),
        Topic("bplustree", "storage", rows=(3, 10), prerequisites=("btree",)),
        Topic("lsm", "storage", rows=(3, 10), prerequisites=("btree", "snappy")),
        Topic("linearizability_checking", "consensus", rows=(7,)),
        Topic("raft", "consensus", rows=(2, 9)),
        Topic("simulation", "consensus", rows=(1, 9), prerequisites=("raft",)),
        Topic("tableau", "optim", rows=(117,)),
        Topic("duality", "optim", rows=(94, 117), prerequisites=("tableau",)),
        Topic("markov_chains", "stochastic", rows=(111, 146), prerequisites=("stationary",)),
        Topic("poisson_processes", "stochastic", rows=(147,)),
        Topic("queueing", "stochastic", rows=(4, 148), prerequisites=("markov_chains", "poisson_processes")),
        Topic("queue_simulation", "stochastic", rows=(148,), prerequisites=("queueing",)),
        Topic("min_hashing", "mining", rows=(137,)),
        Topic("locality_sensitive_hashing", "mining", rows=(137,), prerequisites=("min_hashing",)),
        Topic("page_rank", "mining", rows=(133,), prerequisites=("stationary",)),
    ]
}

AREAS: tuple[str, ...] = tuple(dict.fromkeys(topic.area for topic in TOPICS.values()))


def read_essay(topic: Topic) -> Essay:
    """Read a topic's essay from its source.

    Parameters
    ----------
    topic : Topic

    Returns
    -------
    Essay
        The title is the first paragraph, the cost the one that begins with "Cost:", the chapters the last one.

    Examples
    --------
    >>> read_essay(TOPICS["stationary"]).title
    'Stationary iterations: solve ``A x = b`` by sweeping over the unknowns (Jacobi, Gauss-Seidel, SOR, SSOR).'
    """
    text = ast.get_docstring(ast.parse(topic.sources[0].read_text(encoding="utf-8"))) or ""
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    cost = next((paragraph.removeprefix("Cost: ") for paragraph in paragraphs if paragraph.startswith("Cost: ")), "")
    return Essay(paragraphs[0], text, cost, paragraphs[-1])
