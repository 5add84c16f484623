"""Write every page that follows from the code, before the site is built: ``python docs/scripts/generate.py``.

What is written here is ignored by git. The builder of the site is handed plain Markdown, HTML and SVG, and needs no
plugin to make any of it.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable
from pathlib import Path

import measurements
import pages
import vendor
from annotate import definitions, excerpt
from figures import FIGURES

from smlib import cli
from smlib.cli import terminal
from smlib.errors import InputError
from smlib.topics import AREAS, TOPICS
from smlib.viz import record
from smlib.viz.layouts import find_layout

DOCS = Path(__file__).parents[1]

# What belongs to this script, as patterns below docs/: whatever matches and was not written just now is removed.
OWNED = (
    "source/**/*",
    "players/*",
    "reference/*",
    "includes/**/*",
    "curriculum.md",
    "topics/index.md",
    "benchmarks/*.md",
)

MARK = "<!-- Written by docs/scripts/generate.py. Edits are lost. -->"

# What the tour prints is laid out for this many characters: as many as a block of code shows.
PAGE_WIDTH = 90


class Writer:
    """Writes files below docs/, leaves alone what has not changed, and removes what is no longer written."""

    def __init__(self) -> None:
        self.written: set[Path] = set()

    def write(self, place: str, text: str) -> None:
        """Write a text to a place below docs/; a page gets a mark that says where it comes from."""
        path = DOCS / place
        if path.suffix == ".md" and not place.startswith("includes/"):
            text = f"{text.rstrip()}\n\n{MARK}\n"
        self.written.add(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")

    def remove_others(self) -> None:
        """Remove what an earlier run has written and this one has not."""
        for pattern in OWNED:
            for path in DOCS.glob(pattern):
                if path.is_file() and path not in self.written:
                    path.unlink()


def write_source(writer: Writer) -> None:
    """Write the annotated pages, and the text of every function for pages that show one."""
    for topic in TOPICS.values():
        for path in topic.sources:
            writer.write(pages.source_place(path), pages.source_page(path, topic))
            text = path.read_text(encoding="utf-8")
            for name in definitions(text):
                if "." not in name:
                    place = f"includes/{topic.name}/source/{pages.module_name(path)}.{name}.txt"
                    writer.write(place, excerpt(text, name) + "\n")
    for path in pages.shared_sources():
        writer.write(pages.source_place(path), pages.source_page(path, None))


def write_players(writer: Writer) -> None:
    """Write the recordings, and what shows each within its topic's page."""
    for topic in TOPICS.values():
        try:
            find_layout(topic.name)
        except InputError:
            writer.write(f"includes/{topic.name}/facts.md", pages.facts(topic, played=False))
            writer.write(f"includes/{topic.name}/player.md", "")
            continue
        trace = record(topic.name)
        writer.write(f"includes/{topic.name}/facts.md", pages.facts(topic, played=True))
        writer.write(f"players/{topic.name}.html", trace.to_html())
        writer.write(f"players/{topic.name}.svg", trace.to_svg(-1))
        writer.write(f"includes/{topic.name}/player.md", pages.player(topic, trace.title, trace.steps[-1].caption))


def write_reference(writer: Writer) -> None:
    """Write the reference, and the list of each topic's public names."""
    writer.write("reference/index.md", pages.reference_index())
    for area in AREAS:
        writer.write(f"reference/{area}.md", pages.reference_page(area))
    for wing in pages.OTHER_REFERENCES:
        writer.write(f"reference/{wing}.md", pages.other_reference_page(wing))
    for topic in TOPICS.values():
        writer.write(f"includes/{topic.name}/api.md", pages.public_list(topic))


def write_lists(writer: Writer) -> None:
    """Write the list of topics and the curriculum."""
    writer.write("topics/index.md", pages.topic_list())
    writer.write("curriculum.md", pages.curriculum_page(DOCS / "curriculum.tsv"))


def write_benchmarks(writer: Writer) -> None:
    """Write the measurements: a page an area, and pieces for the pages of topics and for the first page."""
    results = {area: measurements.read(DOCS / "benchmarks" / f"{area}.json") for area in AREAS}
    for area in AREAS:
        writer.write(f"benchmarks/{area}.md", measurements.area_page(area, results[area]))
    for topic in TOPICS.values():
        writer.write(f"includes/{topic.name}/exponents.md", measurements.exponents(results[topic.area], topic))
        writer.write(f"includes/{topic.name}/peers.md", measurements.peers(results[topic.area], topic))
    writer.write("includes/measured.md", measurements.area_list(results.items()))
    writer.write("includes/headlines.md", measurements.headlines(results.values()))


def write_figures(writer: Writer) -> None:
    """Write the pictures of the written pages."""
    for name, figure in FIGURES.items():
        writer.write(f"includes/{name}.svg", figure() + "\n")


def write_tour(writer: Writer) -> None:
    """Write what a story of the tour prints, as it comes out where the site is built."""
    terminal.PIPE_WIDTH = PAGE_WIDTH
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(io.StringIO()):
        code = cli.main(["tour", "stationary"])
    if code != 0:
        raise SystemExit(f"smlib tour stationary ended with {code}:\n{output.getvalue()}")
    lines = [line.rstrip() for line in output.getvalue().splitlines()]
    writer.write("includes/tour.txt", "\n".join(lines) + "\n")


STAGES: tuple[tuple[str, Callable[[Writer], None]], ...] = (
    ("annotated source", write_source),
    ("players", write_players),
    ("reference", write_reference),
    ("topics and curriculum", write_lists),
    ("benchmarks", write_benchmarks),
    ("figures", write_figures),
    ("a story of the tour", write_tour),
)


def main() -> None:
    """Fetch what is missing, then write everything."""
    for brought in vendor.fetch(DOCS / "assets" / "vendor"):
        print(f"fetched {brought}")
    writer = Writer()
    for name, stage in STAGES:
        begin, before = time.perf_counter(), len(writer.written)
        stage(writer)
        print(f"{name:<24}{len(writer.written) - before:>4} files  {time.perf_counter() - begin:6.2f} s")
    writer.remove_others()


if __name__ == "__main__":
    main()
