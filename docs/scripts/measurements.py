"""Measurements as pages: what ``smlib bench --json`` wrote, with plots, and pieces of it for the pages of topics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pages import AREA_NAMES, heading, relative, topic_place
from plot import Series, draw, logarithmic_axis

from smlib.compare.case import Case
from smlib.compare.cases import load_cases
from smlib.compare.report import ALONE, format_seconds
from smlib.compare.timer import fitted_exponent
from smlib.compare.tour import HEADLINES
from smlib.topics import TOPICS, Topic

Record = dict[str, Any]

MISSING = "Not measured yet: `make bench` measures, and writes what this page shows.\n"


class Measured(NamedTuple):
    """A case with its measurements, one a size, the sizes rising."""

    topic: str
    name: str
    unit: str
    note: str
    told: bool
    records: list[Record]

    @property
    def exponent(self) -> float | None:
        """The exponent with which our time grows with the size."""
        if len(self.records) < 2:
            return None
        return fitted_exponent([item["size"] for item in self.records], [item["seconds"] for item in self.records])


class Results(NamedTuple):
    """All measurements of an area, and on what they were made."""

    area: str
    machine: Record
    cases: list[Measured]

    def of(self, topic: str) -> list[Measured]:
        """Return the cases of a topic."""
        return [case for case in self.cases if case.topic == topic]


def read(path: Path) -> Results | None:
    """Read the measurements of an area; None if there are none."""
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    known: dict[tuple[str, str], Case] = {(case.topic, case.name): case for case in load_cases([path.stem])}
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in content["measurements"]:
        groups.setdefault((record["topic"], record["case"]), []).append(record)
    cases = []
    for (topic, name), records in groups.items():
        case = known.get((topic, name))
        records.sort(key=lambda record: record["size"])
        unit, note, told = (case.unit, case.note, case.story is not None) if case else ("size", "", False)
        cases.append(Measured(topic, name, unit, note, told, records))
    return Results(path.stem, content["machine"], cases)


def area_list(everything: Iterable[tuple[str, Results | None]]) -> str:
    """Return the list of the areas' pages, for a page in the root."""
    lines = []
    for area, results in everything:
        counted = f"{len(results.cases)} comparisons" if results else "not measured yet"
        lines.append(f"- [{AREA_NAMES[area]}](benchmarks/{area}.md): {counted}")
    return "\n".join(lines) + "\n"


def area_page(area: str, results: Results | None) -> str:
    """Return all measurements of an area as a page."""
    parts = [f"# {AREA_NAMES[area]}, measured\n"]
    if results is None:
        return "\n".join([*parts, MISSING])
    parts += [
        "A ratio is the peer's time over ours in the same minute: above 1, smlib is faster. "
        "[How it is measured](../measuring.md).\n",
        _machine(results.machine),
        f"Measured by `smlib bench {area}`. The figures as a file: [{area}.json]({area}.json).\n",
    ]
    for topic in dict.fromkeys(case.topic for case in results.cases):
        parts.append(f"## {heading(TOPICS[topic]) if topic in TOPICS else topic}\n")
        if topic in TOPICS:
            parts.append(f"The topic: [{topic}]({relative(topic_place(TOPICS[topic]), f'benchmarks/{area}.md')}).\n")
        for case in results.of(topic):
            parts += [f"### {case.name[:1].upper()}{case.name[1:]}\n", _growth(case), picture(case), _table(case)]
            parts += [f"{case.note}\n{{: .note }}\n"] if case.note else []
    return "\n".join(parts)


def exponents(results: Results | None, topic: Topic) -> str:
    """Return how our time grows with the size, for each case of a topic."""
    if results is None or not results.of(topic.name):
        return MISSING
    lines = ["| measured | sizes | time grows like |", "|---|--:|--:|"]
    for case in results.of(topic.name):
        if case.exponent is not None:
            low, high = case.records[0]["size"], case.records[-1]["size"]
            lines.append(
                f"| {case.name} | {low:,} to {high:,} {case.unit} | {case.unit}<sup>{case.exponent:.2f}</sup> |"
            )
    return "\n".join(lines) + "\n"


def peers(results: Results | None, topic: Topic) -> str:
    """Return the comparisons of a topic at the largest size that all contenders finish, with a plot of its story."""
    if results is None or not results.of(topic.name):
        return MISSING
    address = relative(f"benchmarks/{topic.area}.md", topic_place(topic))
    told = [case for case in results.of(topic.name) if case.told]
    lines = [*(f"{picture(case)}\n{case.note}\n{{: .note }}\n" for case in told)]
    lines += ["| work | size | peer | ratio | quartiles |", "|---|--:|---|--:|--:|"]
    for case in results.of(topic.name):
        record = _largest(case.records)
        for number, item in enumerate(record["comparisons"]):
            first = (case.name, f"{record['size']:,}") if number == 0 else ("", "")
            lines.append(f"| {first[0]} | {first[1]} | {_peer(item)} | {_ratio(item)} | {_quartiles(item)} |")
        if not record["comparisons"]:
            lines.append(f"| {case.name} | {record['size']:,} | {ALONE}, {_seconds(record['seconds'])} here | | |")
    return "\n".join(
        [
            *lines,
            "",
            f"{_one_line(results.machine)}. All sizes, plots and agreements: [the whole comparison]({address}).\n",
        ]
    )


def headlines(everything: Iterable[Results | None]) -> str:
    """Return the stories' comparisons at all their sizes: the table of the first page."""
    lines = []
    for results in everything:
        for case in results.cases if results else []:
            if not case.told or case.topic not in HEADLINES:
                continue
            topic = TOPICS[case.topic]
            sizes = " / ".join(f"{record['size']:,}" for record in case.records)
            name = f"[{heading(topic)}]({topic_place(topic)}): {case.name}, {sizes} {case.unit}"
            for number, item in enumerate(case.records[0]["comparisons"]):
                ratios = [_ratio(record["comparisons"][number]) for record in case.records]
                lines.append(f"| {name if number == 0 else ''} | {_peer(item)} | {' | '.join(ratios)} |")
    if not lines:
        return MISSING
    return "\n".join(["| work | beside | small | medium | large |", "|---|---|--:|--:|--:|", *lines]) + "\n"


def picture(case: Measured) -> str:
    """Return a plot of time against size, ours and the peers', on logarithmic axes."""
    series = [Series("smlib", [(record["size"], record["seconds"]) for record in case.records])]
    for number, item in enumerate(case.records[0]["comparisons"]):
        points = [
            (record["size"], record["comparisons"][number]["seconds"])
            for record in case.records
            if record["comparisons"][number]["seconds"] is not None
        ]
        if points:
            series.append(Series(item["peer"].partition(",")[0], points))
    sizes = [float(record["size"]) for record in case.records]
    seconds = [value for line in series for _, value in line.points]
    x = logarithmic_axis(case.unit, sizes, "{:,.0f}".format, sizes)
    y = logarithmic_axis("time", seconds, _seconds)
    drawing = draw(f"Time against size: {case.name}", series, x, y)
    return f'<figure class="plot" data-search-exclude>\n{drawing}\n</figure>\n'


def _growth(case: Measured) -> str:
    compiled = sum(record["compile_seconds"] for record in case.records)
    parts = [f"Our time grows like {case.unit}<sup>{case.exponent:.2f}</sup>."] if case.exponent is not None else []
    parts += [f"Compiled in {compiled:.1f} s, once."] if compiled >= 0.05 else []
    return " ".join(parts) + "\n"


def _table(case: Measured) -> str:
    lines = [
        f"| {case.unit} | ours | peer | its time | ratio | quartiles | pairs | agrees |",
        "|--:|--:|---|--:|--:|--:|--:|---|",
    ]
    for record in case.records:
        for number, item in enumerate(record["comparisons"]):
            first = (f"{record['size']:,}", _seconds(record["seconds"])) if number == 0 else ("", "")
            time = _seconds(item["seconds"]) if item["seconds"] is not None else item["note"]
            pairs = item["note"] if item["ratio"] is not None and item["note"] else str(item["rounds"] or "")
            cells = (*first, _peer(item), time, _ratio(item), _quartiles(item), pairs, _agreement(item))
            lines.append(f"| {' | '.join(cells)} |")
        if not record["comparisons"]:
            lines.append(f"| {record['size']:,} | {_seconds(record['seconds'])} | {ALONE} | | | | | |")
    return "\n".join(lines) + "\n"


def _largest(records: Sequence[Record]) -> Record:
    """Return the record of the largest size at which most of the peers ran."""
    return max(
        records, key=lambda record: (sum(item["ratio"] is not None for item in record["comparisons"]), record["size"])
    )


def _peer(item: Record) -> str:
    return f"{item['peer']} {item['version'] or ''}".strip()


def _ratio(item: Record) -> str:
    return f"{item['ratio']:.2f}" if item["ratio"] is not None else "-"


def _quartiles(item: Record) -> str:
    return "{:.2f}-{:.2f}".format(*item["quartiles"]) if item["quartiles"] is not None else ""


def _agreement(item: Record) -> str:
    if item["agreement"] is None:
        return ""
    ok, detail = item["agreement"]
    return f"{'yes' if ok else '**no**'}: {detail}".replace("|", "\\|")


def _seconds(seconds: float) -> str:
    return format_seconds(seconds).replace(" us", " µs")


def _one_line(machine: Record) -> str:
    return f"Measured on {machine['processor']}, {machine['vector']}, one thread, NumPy {machine['numpy']}"


def _machine(machine: Record) -> str:
    versions = ", ".join(f"{name} {machine[name]}" for name in ("smlib", "python", "numpy", "scipy", "numba"))
    entries = {
        "Processor": f"{machine['processor']}, {machine['cores']} cores; vectors: {machine['vector']}",
        "System": f"{machine['system']}, on {machine['date']}",
        "Versions": versions,
        "BLAS": f"{'; '.join(machine['blas'])} (threads: {machine['threads']})",
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in entries.items())]) + "\n"
