"""The site: its code runs, its commands exist, every topic has its page, and nothing in it calls another host.

The pages under ``docs/`` that are written by hand are tested here, and the scripts that write the others. What the
builder of the site checks by itself (links, anchors, names in the reference) is left to it.
"""

from __future__ import annotations

import csv
import doctest
import importlib
import re
import shlex
import textwrap
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from smlib.cli import make_parser
from smlib.errors import InputError
from smlib.topics import AREAS, TOPICS, read_essay
from smlib.viz.layouts import find_layout

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SCRIPTS = DOCS / "scripts"
SITE = ROOT / "site"

# Generated pages say so at their end.
MARK = "Written by docs/scripts/generate.py"
PAGES = [
    path
    for path in sorted(DOCS.rglob("*.md"))
    if not {"includes", "assets"} & set(path.relative_to(DOCS).parts) and MARK not in path.read_text(encoding="utf-8")
]
TOPIC_PAGES = {name: DOCS / "topics" / topic.area / f"{name}.md" for name, topic in TOPICS.items()}

SECTIONS = [
    "What it is for",
    "Try it",
    "Predict",
    "The idea in pictures",
    "Theory",
    "Invariants",
    "The algorithm",
    "Cost",
    "Beside the peers",
    "Pitfalls",
    "In real systems",
    "Exercises",
    "API",
]
OPTIONAL_SECTIONS = {"Exercises"}


class Block(NamedTuple):
    """A fenced block of a page: its language, its text, and the line on which the text begins, from 0."""

    language: str
    text: str
    line: int


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page; those within a folded answer are indented."""
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r"^( *)(`{3,})([\w-]*)[^\n]*\n(.*?)^\1\2 *$", text, re.MULTILINE | re.DOTALL):
        yield Block(match[3], textwrap.dedent(match[4]), text[: match.start(4)].count("\n"))


def name_of(page: Path) -> str:
    """Return the place of a page below docs/."""
    return page.relative_to(DOCS).as_posix()


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that imports one of the scripts that write pages."""
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module


def is_drawn(topic: str) -> bool:
    """Return whether there is a recording of a topic to show."""
    try:
        find_layout(topic)
    except InputError:
        return False
    return True


# What the pages say.


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_python_block_runs(page: Path) -> None:
    """The blocks of a page share one namespace, from the first to the last."""
    names: dict[str, Any] = {}
    for block in blocks_of(page):
        if block.language != "python" or block.text.startswith("--8<--"):
            continue
        if ">>>" in block.text:
            test = doctest.DocTestParser().get_doctest(block.text, names, name_of(page), str(page), block.line)
            report: list[str] = []
            runner = doctest.DocTestRunner()
            runner.run(test, out=report.append, clear_globs=False)
            assert not runner.summarize(verbose=False).failed, "".join(report)
            names = test.globs
        else:
            code = compile("\n" * block.line + block.text, str(page), "exec")
            exec(code, names)  # noqa: S102  # our own pages


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lines = [line for block in blocks_of(page) if block.language == "console" for line in block.text.splitlines()]
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    commands += re.findall(r"(?<!`)`((?:smlib|make)\b[^`]*)`(?!`)", text)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in commands:
        words = shlex.split(command, comments=True)
        if words[0] == "make":
            assert set(words[1:]) <= targets, f"{command}: no such target in the Makefile"
        elif words[0] == "smlib":
            parsed = make_parser().parse_args(words[1:])
            named = [*getattr(parsed, "names", []), *([parsed.topic] if "topic" in parsed else [])]
            assert set(named) <= {*TOPICS, *AREAS}, f"{command}: no such topic or area"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_function_shown_exists(page: Path, scripts: Any) -> None:
    """A page shows code by ``--8<-- "topic/source/module.function.txt"``, which generate.py cuts out of the source."""
    module_name = scripts("pages").module_name
    for topic, module, function in re.findall(r'--8<-- "(\w+)/source/(\w+)\.(\w+)\.txt"', page.read_text("utf-8")):
        (path,) = [path for path in TOPICS[topic].sources if module_name(path) == module]
        assert scripts("annotate").excerpt(path.read_text(encoding="utf-8"), function)


@pytest.mark.parametrize("name", TOPICS)
def test_every_topic_has_a_page_with_all_sections_in_order(name: str) -> None:
    page = TOPIC_PAGES[name]
    assert page.is_file(), f"{page.relative_to(ROOT)} is missing"
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^## (.+)$", prose, re.MULTILINE)
    assert found == [section for section in SECTIONS if section in found or section not in OPTIONAL_SECTIONS]
    title = re.match(r"# (.+)\n", text)
    assert title, "a topic's page begins with its title"
    assert title[1] == read_essay(TOPICS[name]).title.partition(":")[0]
    assert '??? success "Answer"' in text, "the questions under Predict have folded answers"
    for piece in ("facts", *(["player"] if is_drawn(name) else []), "exponents", "peers", "api"):
        assert f'--8<-- "{name}/{piece}.md"' in text


def test_the_navigation_names_every_page() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    wanted = [name_of(page) for page in (*PAGES, *TOPIC_PAGES.values())]
    wanted += [f"{wing}/{area}.md" for area in AREAS for wing in ("reference", "benchmarks")]
    for place in wanted:
        assert re.search(rf"[:-] {re.escape(place)}$", text, re.MULTILINE), f"mkdocs.yml does not name {place}"


def test_the_curriculum_has_150_rows_and_the_catalogue_names_no_other() -> None:
    with (DOCS / "curriculum.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    assert [int(row["row"]) for row in rows] == list(range(1, 151))
    assert all(set(row) == {"row", "section", "topic", "subtopic"} and all(row.values()) for row in rows)
    assert {row for topic in TOPICS.values() for row in topic.rows} <= set(range(1, 151))


# The scripts that write the other pages.

SOURCES = sorted({path for topic in TOPICS.values() for path in topic.sources})


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-2:]))
def test_annotated_source_leaves_nothing_out(path: Path, scripts: Any) -> None:
    """Essay, remarks and code of the rows, put in order again, are the file."""
    source = path.read_text(encoding="utf-8")
    essay, rows = scripts("annotate").cut(source)
    code = [line for row in rows for line in row.code.splitlines() if line.strip()]
    lines = iter(source.splitlines())
    assert all(any(line == other for other in lines) for line in code), "code is missing, or not in its order"
    words = set(re.findall(r"\w+", " ".join([essay, *code, *(remark for row in rows for remark in row.remarks)])))
    assert set(re.findall(r"\w+", source)) - words <= {"r"}  # the r of raw docstrings


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_the_examples_of_the_scripts_run(path: Path, scripts: Any) -> None:
    assert not doctest.testmod(scripts(path.stem)).failed


def test_docstrings_become_markdown(scripts: Any) -> None:
    text = """Sum, for ``a < b``.

    Parameters
    ----------
    a, b : int
        See `total`.
    c
    d : float
        Cost in $.

    Notes
    -----
    Three ways:
      1. one, which goes on
         here,
      2. two::

        a b
    """
    markdown = scripts("prose").to_markdown(text, lambda name: "(#total)" if name == "total" else None)
    assert markdown == textwrap.dedent(
        """\
        Sum, for `a < b`.

        Parameters
        {: .section }

        `a, b` <small>int</small>
        :   See [`total`](#total).

        `c`
        `d` <small>float</small>
        :   Cost in &#36;.

        Notes
        {: .section }

        Three ways:

        1. one, which goes on
           here,
        2. two::

          a b"""
    )


def test_plots_tell_lines_apart_without_colour(scripts: Any) -> None:
    plot = scripts("plot")
    x = plot.logarithmic_axis("n", [10.0, 1000.0], "{:g}".format)
    y = plot.logarithmic_axis("time", [0.1, 20.0], "{:g} s".format)
    lines = [plot.Series("ours", [(10, 0.1), (1000, 10)]), plot.Series("A & B <C>", [(10, 0.2), (1000, 10.1)])]
    drawing = plot.draw("Time against n", lines, x, y)
    assert drawing.count('class="line series-') == 2
    assert "A &amp; B &lt;C&gt;" in drawing
    assert "#" not in drawing, "colours come from the style sheet"
    heights = [float(y) for y in re.findall(r'class="label[^"]*" x="[\d.]+" y="([\d.]+)"', drawing)]
    assert abs(heights[0] - heights[1]) >= 15.9, "names do not overlap"


def test_measurements_become_a_page(scripts: Any) -> None:
    """Every ratio is shown, below 1 too; a peer that did not run is shown as absent."""
    measurements = scripts("measurements")
    peer = {"peer": "Peer", "version": "1.0", "seconds": 2.0, "ratio": 0.51, "quartiles": [0.5, 0.52], "rounds": 9}
    absent = {"peer": "Other", "version": None, "seconds": None, "ratio": None, "quartiles": None, "rounds": 0}
    comparisons = [
        {**peer, "agreement": [True, "to the bit"], "note": ""},
        {**absent, "agreement": None, "note": "not installed"},
    ]
    records = [
        {"size": size, "seconds": size / 10, "compile_seconds": 0.0, "comparisons": comparisons} for size in (10, 100)
    ]
    case = measurements.Measured("stationary", "some work", "rows", "Because.", True, records)
    machine = dict.fromkeys(
        ("smlib", "python", "numpy", "scipy", "numba", "system", "date", "processor", "vector"), "any"
    )
    results = measurements.Results("numerics", {**machine, "cores": 2, "threads": "1", "blas": []}, [case])
    page = measurements.area_page("numerics", results)
    assert "| 100 | 10 s | Peer 1.0 | 2 s | 0.51 | 0.50-0.52 | 9 | yes: to the bit |" in page
    assert "|  |  | Other | not installed | - |  |  |  |" in page
    assert "rows<sup>1.00</sup>" in page
    assert "Because." in page
    assert measurements.area_page("numerics", None).endswith(measurements.MISSING)


# The site, where it has been built.


class Loads(HTMLParser):
    """Collects the addresses that a browser fetches by itself on opening a page; links to follow are not among them."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster") or (name == "href" and tag in ("link", "use", "image")):
                self.addresses.append(value or "")
            elif name == "style":
                self.addresses += re.findall(r"url\(\s*['\"]?([^'\")]+)", value or "")


@pytest.mark.skipif(not SITE.is_dir(), reason="the site has not been built: make docs")
def test_the_site_loads_nothing_from_another_host() -> None:
    pages = sorted(SITE.rglob("*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        foreign = [address for address in loads.addresses if re.match(r"\s*(\w+:)?//", address)]
        assert not foreign, f"{page.relative_to(SITE)} loads {foreign}"
    for sheet in SITE.rglob("*.css"):
        foreign = re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^)]*", sheet.read_text(encoding="utf-8"))
        assert not foreign, f"{sheet.relative_to(SITE)} loads {foreign}"
    for script in (SITE / "js").rglob("*.js"):
        assert "//" not in re.sub(r"^\s*//.*$", "", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
