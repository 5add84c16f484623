"""Commands that show topics."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from smlib.cli.terminal import at_work, find_topics, name_next, open_console, settle_libraries


def welcome(options: argparse.Namespace) -> int:
    """Say what there is, and three things to try."""
    from smlib import __version__
    from smlib.topics import AREAS, TOPICS

    if options.version:
        print(f"smlib {__version__}")
        return 0
    console = open_console()
    console.print(f"smlib {__version__}", style="bold")
    console.print(
        "The algorithms behind data systems and their mathematics, from scratch: to read, to use, to measure.\n"
    )
    for area in AREAS:
        names = [topic.name for topic in TOPICS.values() if topic.area == area]
        console.print(f"  {area:<12}{', '.join(names)}", markup=False)
    console.print()
    name_next(
        console,
        ("smlib tour", "an algorithm at work on real input"),
        ("smlib show stationary", "its idea, its cost, its source"),
        ("smlib viz stationary", "a page that plays it step by step"),
        ("smlib bench", "measured beside the best peers"),
    )
    return 0


def tour(options: argparse.Namespace) -> int:
    """Tell stories: question, input, answer, proof and speed."""
    settle_libraries()
    from smlib.compare.cases import load_cases
    from smlib.compare.tour import HEADLINES, print_told, tell

    topics = find_topics(options.names)
    if topics is None:
        return 2
    wanted = [topic.name for topic in topics] if options.names or options.all else HEADLINES
    cases = [case for case in load_cases() if case.story is not None and case.topic in wanted]
    console = open_console()
    told = []
    for number, case in enumerate(cases, start=1):
        with at_work(f"{number} of {len(cases)}: {case.topic}"):
            told.append(tell(case))
        if not options.json:
            print_told(console, told[-1], number)
    agreeing = sum(item.agrees for item in told)
    if options.json:
        print(json.dumps({"stories": [item.as_json() for item in told], "agree": agreeing, "of": len(told)}, indent=2))
    else:
        console.print(f"{agreeing} of {len(told)} agree", style="bold green" if agreeing == len(told) else "bold red")
        name_next(console, ("smlib bench stationary", "the same at three sizes"), ("smlib list", "every topic"))
    return 0 if agreeing == len(told) else 1


def list_topics(options: argparse.Namespace) -> int:
    """List topics with their rows of the curriculum."""
    from rich.table import Table

    from smlib.topics import read_essay

    topics = find_topics(options.names)
    if topics is None:
        return 2
    console = open_console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in ("topic", "area", "curriculum rows", "what it is"):
        table.add_column(header, overflow="fold")
    for topic in topics:
        table.add_row(topic.name, topic.area, ", ".join(map(str, topic.rows)), read_essay(topic).title)
    console.print(table, markup=False)
    console.print()
    name_next(console, (f"smlib show {topics[0].name}", "the idea, the cost, the source"))
    return 0


def show(options: argparse.Namespace) -> int:
    """Print the essay of topics, and where their source lies."""
    from rich.syntax import Syntax

    from smlib.topics import read_essay

    topics = find_topics([options.topic])
    if topics is None:
        return 2
    console = open_console()
    for topic in topics:
        console.print(read_essay(topic).text, markup=False, soft_wrap=True)
        console.print()
        for path in topic.sources:
            console.print(str(path), style="dim", markup=False, soft_wrap=True)
            if options.source:
                text = path.read_text(encoding="utf-8")
                if console.is_terminal:
                    console.print(Syntax(text, "python", background_color="default"))
                else:
                    print(text)
        console.print()
    name = topics[0].name
    source = () if options.source else ((f"smlib show {name} --source", "the code"),)
    name_next(console, *source, (f"smlib tour {name}", "at work"), (f"smlib bench {name}", "measured"))
    return 0


def viz(options: argparse.Namespace) -> int:
    """Write a page that plays an algorithm."""
    from smlib.errors import InputError
    from smlib.viz import record

    topics = find_topics([options.topic])
    if topics is None:
        return 2
    console = open_console()
    path: Path = options.output or Path(f"{options.topic}.html")
    try:
        with at_work(f"recording {options.topic}"):
            path.write_text(record(options.topic).to_html(), encoding="utf-8")
    except (InputError, OSError) as error:
        print(f"smlib: {error}", file=sys.stderr)
        return 1
    console.print(f"{path}: {path.stat().st_size / 1000:.0f} kB, a page of its own that needs no network", markup=False)
    name_next(console, (f"smlib show {options.topic}", "the idea in words"), (f"smlib tour {options.topic}", "at work"))
    return 0
