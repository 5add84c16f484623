"""The pages that follow from the code: annotated source, the list of topics, the reference, the curriculum.

Each function returns Markdown; `generate` decides where it goes. Places are paths below ``docs/`` with slashes.
"""

from __future__ import annotations

import csv
import importlib
import inspect
import posixpath
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from types import ModuleType

from annotate import anchor, cut, definitions, render
from prose import Link, summary, to_markdown

import smlib
from smlib.topics import AREAS, TOPICS, Topic, read_essay

PACKAGE = Path(smlib.__file__).parent

AREA_NAMES = {
    "numerics": "Numerical analysis",
    "infotheory": "Information theory",
    "storage": "Storage",
    "consensus": "Consensus",
    "optim": "Optimization",
    "stochastic": "Stochastic processes",
    "mining": "Data mining",
}

# Wings beside the areas that have a page in the reference.
OTHER_REFERENCES = ("datasets", "viz", "errors")


def relative(place: str, origin: str) -> str:
    """Return the address of one place as seen from the page at another.

    >>> relative("source/numerics/a.md", "topics/numerics/a.md")
    '../../source/numerics/a.md'
    """
    return posixpath.relpath(place, posixpath.dirname(origin) or ".")


def topic_place(topic: Topic) -> str:
    """Return the place of a topic's page."""
    return f"topics/{topic.area}/{topic.name}.md"


def source_place(path: Path) -> str:
    """Return the place of the annotated page of a source file.

    >>> source_place(PACKAGE / "numerics" / "stationary" / "__init__.py")
    'source/numerics/stationary/index.md'
    """
    inner = path.relative_to(PACKAGE).with_suffix(".md").as_posix()
    return f"source/{inner.removeprefix('_').replace('__init__', 'index')}"


@cache
def shared_sources() -> tuple[Path, ...]:
    """Return what topics stand on: the core, and what lies in an area beside its topics."""
    of_topics = {path for topic in TOPICS.values() for path in topic.sources}
    folders = ["_core", *dict.fromkeys(topic.area for topic in TOPICS.values())]
    paths = [path for folder in folders for path in sorted((PACKAGE / folder).glob("*.py"))]
    return tuple(path for path in paths if path.name != "__init__.py" and path not in of_topics)


@cache
def annotated_sources() -> frozenset[Path]:
    """Return every file that has an annotated page."""
    return frozenset(shared_sources()).union(*(topic.sources for topic in TOPICS.values()))


# Annotated source.


def source_page(path: Path, topic: Topic | None) -> str:
    """Return the annotated page of a file of a topic, or of what topics share if there is none."""
    siblings = topic.sources if topic else tuple(other for other in shared_sources() if other.parent == path.parent)
    origin = source_place(path)
    link = source_link(path, siblings)
    essay, rows = cut(path.read_text(encoding="utf-8"))
    title, _, rest = to_markdown(essay, link, essay=True).partition("\n\n")
    here = path.relative_to(PACKAGE.parent).as_posix()
    files = " ".join(
        f"**`{other.name}`**" if other == path else f"[`{other.name}`]({relative(source_place(other), origin)})"
        for other in siblings
    )
    back = f"[&larr; {heading(topic)}]({relative(topic_place(topic), origin)})" if topic else ""
    names = dict.fromkeys(row.name for row in rows if row.name and row.depth == 0)
    contents = " ".join(f"[`{name}`](#{anchor(name)})" for name in names)
    return "\n".join(
        [
            f"---\ntitle: {module_name(path)}, annotated\nhide: [navigation, toc]\nsearch:\n  boost: 0.5\n---\n",
            f"# `{here}`\n",
            f"{back} {files}\n{{: .files }}\n",
            f'<div class="essay" markdown="1">\n\n{title}\n{{: .lead }}\n\n{rest}\n\n</div>\n',
            f"{contents}\n{{: .contents }}\n" if contents else "",
            render(rows, link),
        ]
    )


def source_link(path: Path, siblings: Sequence[Path]) -> Link:
    """Return how names in the prose of a file become links: its own first, then its neighbours', then public ones."""
    origin = source_place(path)
    known = {}
    for other in (*(other for other in siblings if other != path), path):
        known[module_name(other)] = f"({relative(source_place(other), origin)})"
        for name in definitions(other.read_text(encoding="utf-8")):
            known[name] = (
                f"(#{anchor(name)})" if other == path else f"({relative(source_place(other), origin)}#{anchor(name)})"
            )
    return lambda name: known.get(name) or (f"[{name}]" if name in public_names() else None)


def module_name(path: Path) -> str:
    """Return the last part of the name of a file's module."""
    return path.parent.name if path.name == "__init__.py" else path.stem


@cache
def public_names() -> dict[str, object]:
    """Return what the areas offer by its full public name."""
    return {
        f"smlib.{area}.{name}": getattr(importlib.import_module(f"smlib.{area}"), name)
        for area in AREAS
        for name in importlib.import_module(f"smlib.{area}").__all__
    }


# Topics.


def topic_list() -> str:
    """Return the list of all topics by area."""
    parts = ["# Topics\n", "Every topic has a page of its own, which says what is best read before it.\n"]
    for area in AREAS:
        parts += [f"## {AREA_NAMES[area]}\n", f"{_after_colon(_doc(f'smlib.{area}'))}\n"]
        for topic in TOPICS.values():
            if topic.area == area:
                parts.append(f"[{heading(topic)}]({relative(topic_place(topic), 'topics/index.md')})")
                parts.append(f":   {_after_colon(read_essay(topic).title)}\n")
    return "\n".join(parts)


def heading(topic: Topic) -> str:
    """Return the name of a topic in words: what its essay's title says before the colon."""
    return read_essay(topic).title.partition(":")[0].rstrip(".")


def _after_colon(title: str) -> str:
    """Return what a title says after the colon, as a sentence."""
    words = summary(title).partition(": ")[2] or summary(title)
    return words[:1].upper() + words[1:]


def facts(topic: Topic, *, played: bool) -> str:
    """Return the line of facts below the title of a topic's page."""
    origin = topic_place(topic)
    essay = read_essay(topic)
    rows = ", ".join(f"[{row}]({relative('curriculum.md', origin)}#row-{row})" for row in topic.rows)
    before = ", ".join(
        f"[{heading(TOPICS[name])}]({relative(topic_place(TOPICS[name]), origin)})" for name in topic.prerequisites
    )
    entries = {
        "Import": f"`smlib.{topic.area}`",
        "Source": f"[annotated]({relative(source_place(topic.sources[0]), origin)})",
        "Player": f"[step by step]({relative(f'players/{topic.name}.html', origin)})" if played else "",
        "Read before": before,
        "Books": summary(essay.chapters.rstrip(".")),
        "Curriculum": f"row {rows}" if len(topic.rows) == 1 else f"rows {rows}",
    }
    lines = [f"{name}\n:   {text}\n" for name, text in entries.items() if text]
    return "\n".join(['<div class="facts" markdown="1">\n', *lines, "</div>\n"])


def player(topic: Topic, title: str, caption: str) -> str:
    """Return what shows a topic's recording within its page: a picture of its last step, and the player."""
    origin = topic_place(topic)
    page = relative(f"players/{topic.name}.html", origin)
    picture = relative(f"players/{topic.name}.svg", origin)
    return (
        f'<figure class="player" markdown="1">\n'
        f'<iframe src="{page}" title="{escape(title)}, step by step" loading="lazy"></iframe>\n'
        f'<noscript><img src="{picture}" alt="{escape(f"{title}: {caption}")}"></noscript>\n'
        f'<figcaption markdown="1">{title}: a recording of the real code. '
        f"[Open alone]({page}), or as [a picture of its end]({picture}).</figcaption>\n</figure>\n"
    )


# Reference.


def reference_page(area: str) -> str:
    """Return the reference of an area: all that it offers, by topic."""
    package = importlib.import_module(f"smlib.{area}")
    groups: dict[str, list[str]] = {}
    for name in package.__all__:
        module = getattr(getattr(package, name), "__module__", "")
        topic = module.split(".")[2] if module.startswith(f"smlib.{area}.") else ""
        groups.setdefault(topic if topic in TOPICS else "", []).append(name)
    parts = [f"# smlib.{area}\n", f"{summary(package.__doc__ or '')}\n"]
    for topic in (*(name for name in TOPICS if name in groups), *([""] if "" in groups else [])):
        if topic:
            address = relative(topic_place(TOPICS[topic]), f"reference/{area}.md")
            parts.append(f"## {heading(TOPICS[topic])}\n\nThe topic: [{topic}]({address}).\n")
        else:
            parts.append("## Shared by the topics\n")
        parts += [_entry(package, name, f"reference/{area}.md") for name in sorted(groups[topic], key=str.lower)]
    return "\n".join(parts)


def other_reference_page(wing: str) -> str:
    """Return the reference of a wing that is no area: what it exports, or else what its modules define."""
    package = importlib.import_module(f"smlib.{wing}")
    place = f"reference/{wing}.md"
    parts = [f"# smlib.{wing}\n", f"{summary(package.__doc__ or '')}\n"]
    if hasattr(package, "__path__") and not hasattr(package, "__all__"):
        for path in sorted((PACKAGE / wing).glob("[!_]*.py")):
            module = importlib.import_module(f"smlib.{wing}.{path.stem}")
            parts += [f"## smlib.{wing}.{path.stem}\n", f"{summary(module.__doc__ or '')}\n"]
            parts += [_entry(module, name, place) for name in _defined_in(module)]
    else:
        parts += [_entry(package, name, place) for name in getattr(package, "__all__", None) or _defined_in(package)]
    return "\n".join(parts)


def _entry(module: ModuleType, name: str, place: str) -> str:
    """Return the entry of a class or function: mkdocstrings gives name and signature, its docstring the text."""
    item = getattr(module, name)

    def link(code: str) -> str | None:
        targets = [known for known in (code, f"{module.__name__}.{code}") if known in public_names()]
        return f"[{targets[0]}]" if targets and code != name else None

    parts = [f"::: {module.__name__}.{name}\n", to_markdown(item.__doc__ or "", link) + "\n"]
    plain = inspect.unwrap(item)
    if inspect.isclass(plain) or inspect.isfunction(plain):
        path = Path(inspect.getsourcefile(plain) or "")
        if path in annotated_sources():
            address = f"{relative(source_place(path), place)}#{anchor(plain.__qualname__)}"
            parts.append(f"[Source, annotated]({address})\n{{: .source }}\n")
    if inspect.isclass(item):
        for method, member in _members(item).items():
            text = inspect.getdoc(member)
            if not method.startswith("_") and text and (callable(member) or isinstance(member, _DESCRIPTORS)):
                parts.append(f"::: {module.__name__}.{name}.{method}\n    options:\n      heading_level: 4\n")
                parts.append(to_markdown(text, link) + "\n")
    return "\n".join(parts)


def _members(item: type) -> dict[str, object]:
    """Return what a class defines, and then what it has from classes of ours that have no entry of their own."""
    public = set(map(id, public_names().values()))
    members = dict(vars(item))
    for base in item.__mro__[1:]:
        if base.__module__.startswith("smlib.") and id(base) not in public:
            members |= {name: member for name, member in vars(base).items() if name not in members}
    return members


_DESCRIPTORS = (property, classmethod, staticmethod)


def _defined_in(module: ModuleType) -> list[str]:
    """Return the public classes and functions that a module defines itself, in their order."""
    return [
        name
        for name, item in vars(module).items()
        if not name.startswith("_") and getattr(item, "__module__", None) == module.__name__
    ]


def reference_index() -> str:
    """Return the list of all reference pages."""
    parts = ["# Reference\n", "Everything that is public, with parameters, results, costs and an example each.\n"]
    for area in AREAS:
        parts += [f"[smlib.{area}]({area}.md)", f":   {summary(_doc(f'smlib.{area}'))}\n"]
    for wing in OTHER_REFERENCES:
        parts += [f"[smlib.{wing}]({wing}.md)", f":   {summary(_doc(f'smlib.{wing}'))}\n"]
    return "\n".join(parts)


def public_list(topic: Topic) -> str:
    """Return the public names of a topic as links into the reference, each with its first sentence."""
    lines = []
    for full_name, item in public_names().items():
        if f"{getattr(item, '__module__', '')}.".startswith(f"{topic.module}."):
            lines.append(f"[`{full_name.rpartition('.')[2]}`][{full_name}]\n:   {summary(item.__doc__ or '')}\n")
    return "\n".join(lines)


def _doc(module: str) -> str:
    return importlib.import_module(module).__doc__ or ""


# Curriculum.


def curriculum_page(table: Path) -> str:
    """Return the rows of the curriculum with the topics that cover them."""
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    covering: dict[int, list[Topic]] = {}
    for topic in TOPICS.values():
        for number in topic.rows:
            covering.setdefault(number, []).append(topic)
    covered = sum(int(row["row"]) in covering for row in rows)
    parts = [
        "---\nhide: [toc]\n---\n",
        "# Curriculum\n",
        f"smlib accompanies a course of self-study with {len(rows)} entries, from storage engines to stochastic "
        f"processes. **{covered} of {len(rows)}** are covered so far. The list as a file: "
        "[curriculum.tsv](curriculum.tsv).\n",
    ]
    for part in dict.fromkeys(row["section"].split(".")[0] for row in rows):
        chosen = [row for row in rows if row["section"].split(".")[0] == part]
        done = sum(int(row["row"]) in covering for row in chosen)
        parts += [f"## Part {part}\n", f"{done} of {len(chosen)} covered.\n"]
        parts += ["| | section | topic | subtopic | in smlib |", "|--:|---|---|---|---|"]
        before = None
        for row in chosen:
            number = int(row["row"])
            links = ", ".join(f"[{heading(topic)}]({topic_place(topic)})" for topic in covering.get(number, []))
            section, name = (row["section"], row["topic"]) if row["section"] != before else ("", "")
            before = row["section"]
            parts.append(f'| <a id="row-{number}"></a>{number} | {section} | {name} | {row["subtopic"]} | {links} |')
        parts.append("")
    return "\n".join(parts)
