"""The command line. Only argparse is imported here; what a command needs, the command imports: `--help` is quick."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from smlib.topics import Topic

# An output that is not a terminal (a pipe, a file) is laid out for this many characters.
PIPE_WIDTH = 120
# More lines about damage than this are counted and not printed.
MOST_LISTED = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        code: int = options.command(options)
    except BrokenPipeError:
        # Whoever read our output has gone (`smlib list | head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smlib", description="The algorithms behind data systems and their mathematics, from scratch."
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.set_defaults(command=_welcome)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    tour = commands.add_parser("tour", help="see algorithms at work on real input, with proof and speed")
    tour.add_argument("names", nargs="*", metavar="TOPIC", help="topics or areas; the headline stories if none")
    tour.add_argument("--all", action="store_true", help="every story")
    tour.add_argument("--json", action="store_true", help="print JSON")
    tour.set_defaults(command=_tour)

    listing = commands.add_parser("list", help="list the topics")
    listing.add_argument("names", nargs="*", metavar="AREA", help="areas or topics; all if none")
    listing.set_defaults(command=_list)

    show = commands.add_parser("show", help="read about a topic")
    show.add_argument("topic", metavar="TOPIC")
    show.add_argument("--source", action="store_true", help="print the source as well")
    show.set_defaults(command=_show)

    bench = commands.add_parser("bench", help="measure beside NumPy, SciPy and the best peers")
    bench.add_argument("names", nargs="*", metavar="TOPIC", help="topics or areas; all if none")
    bench.add_argument("--json", metavar="FILE", type=Path, help="write the measurements to a file as well")
    bench.set_defaults(command=_bench)

    viz = commands.add_parser("viz", help="write a page that plays an algorithm step by step")
    viz.add_argument("topic", metavar="TOPIC")
    viz.add_argument("-o", "--output", metavar="FILE", type=Path, help="where to (TOPIC.html in this folder)")
    viz.set_defaults(command=_viz)

    warmup = commands.add_parser("warmup", help="compile every kernel now, so that no first call has to wait")
    warmup.add_argument("names", nargs="*", metavar="AREA", help="areas or topics; all if none")
    warmup.add_argument("--jobs", type=int, default=1, metavar="N", help="processes at work side by side")
    warmup.set_defaults(command=_warmup)

    check = commands.add_parser("check", help="prove that a store is whole")
    check.add_argument("path", metavar="PATH", help="the file of a B+tree, or the folder of an LSM-tree or of LevelDB")
    check.set_defaults(command=_check)

    inspect = commands.add_parser("inspect", help="see what is in a store, whole or damaged")
    inspect.add_argument("path", metavar="PATH", help="as for check")
    inspect.add_argument("--page", type=int, metavar="N", help="one page of a file, drawn")
    inspect.add_argument("--file", metavar="NAME", help="one file of a folder, part by part")
    inspect.add_argument("--json", action="store_true", help="print JSON; bytes are written in hexadecimal")
    inspect.set_defaults(command=_inspect)

    simulation = commands.add_parser("simulate", help="run a Raft cluster in virtual time, under faults, and judge it")
    simulation.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed is the same run (1)")
    simulation.add_argument("--nodes", type=int, default=5, metavar="N", help="how many nodes (5)")
    simulation.add_argument("--seconds", type=float, default=60.0, metavar="S", help="of virtual time (60)")
    simulation.add_argument("--json", action="store_true", help="print JSON")
    simulation.set_defaults(command=_simulate)

    doctor = commands.add_parser("doctor", help="check this installation")
    doctor.set_defaults(command=_doctor)
    return parser


def _welcome(options: argparse.Namespace) -> int:
    from smlib import __version__
    from smlib.topics import AREAS, TOPICS

    if options.version:
        print(f"smlib {__version__}")
        return 0
    console = _console()
    console.print(f"smlib {__version__}", style="bold")
    console.print(
        "The algorithms behind data systems and their mathematics, from scratch: to read, to use, to measure.\n"
    )
    for area in AREAS:
        names = [topic.name for topic in TOPICS.values() if topic.area == area]
        console.print(f"  {area:<12}{', '.join(names)}", markup=False)
    console.print()
    _next(
        console,
        ("smlib tour", "an algorithm at work on real input"),
        ("smlib show stationary", "its idea, its cost, its source"),
        ("smlib viz stationary", "a page that plays it step by step"),
        ("smlib bench", "measured beside the best peers"),
    )
    return 0


def _tour(options: argparse.Namespace) -> int:
    _settle_libraries()
    from smlib.compare.cases import load_cases
    from smlib.compare.tour import HEADLINES, print_told, tell

    topics = _find_topics(options.names)
    if topics is None:
        return 2
    wanted = [topic.name for topic in topics] if options.names or options.all else HEADLINES
    cases = [case for case in load_cases() if case.story is not None and case.topic in wanted]
    console = _console()
    told = []
    for number, case in enumerate(cases, start=1):
        with _at_work(f"{number} of {len(cases)}: {case.topic}"):
            told.append(tell(case))
        if not options.json:
            print_told(console, told[-1], number)
    agreeing = sum(item.agrees for item in told)
    if options.json:
        print(json.dumps({"stories": [item.as_json() for item in told], "agree": agreeing, "of": len(told)}, indent=2))
    else:
        console.print(f"{agreeing} of {len(told)} agree", style="bold green" if agreeing == len(told) else "bold red")
        _next(console, ("smlib bench stationary", "the same at three sizes"), ("smlib list", "every topic"))
    return 0 if agreeing == len(told) else 1


def _list(options: argparse.Namespace) -> int:
    from rich.table import Table

    from smlib.topics import read_essay

    topics = _find_topics(options.names)
    if topics is None:
        return 2
    console = _console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in ("topic", "area", "curriculum rows", "what it is"):
        table.add_column(header, overflow="fold")
    for topic in topics:
        table.add_row(topic.name, topic.area, ", ".join(map(str, topic.rows)), read_essay(topic).title)
    console.print(table, markup=False)
    console.print()
    _next(console, (f"smlib show {topics[0].name}", "the idea, the cost, the source"))
    return 0


def _show(options: argparse.Namespace) -> int:
    from rich.syntax import Syntax

    from smlib.topics import read_essay

    topics = _find_topics([options.topic])
    if topics is None:
        return 2
    console = _console()
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
    _next(console, *source, (f"smlib tour {name}", "at work"), (f"smlib bench {name}", "measured"))
    return 0


def _bench(options: argparse.Namespace) -> int:
    _settle_libraries()
    from smlib.compare.cases import load_cases
    from smlib.compare.machine import describe_machine
    from smlib.compare.report import as_json, print_case, print_machine
    from smlib.compare.timer import measure

    topics = _find_topics(options.names)
    if topics is None:
        return 2
    console = _console()
    machine = describe_machine()
    print_machine(console, machine)
    cases = load_cases([topic.name for topic in topics])
    everything = []
    for number, case in enumerate(cases, start=1):
        measurements = []
        for size in case.sizes:
            with _at_work(f"{number} of {len(cases)}: {case.name}, {size:,} {case.unit}"):
                measurements.append(measure(case, case.setup(size), size))
        print_case(console, case, measurements)
        everything += measurements
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(machine, everything), indent=2) + "\n", encoding="utf-8")
        console.print(f"written to {options.json}", markup=False)
    disagreeing = [item for item in everything if not item.agrees]
    for item in disagreeing:
        console.print(f"NOT in agreement: {item.topic}, {item.case}, {item.size:,}", style="bold red", markup=False)
    _next(console, ("smlib doctor", "what this machine offers"), ("smlib tour", "the same as stories"))
    return 1 if disagreeing else 0


def _viz(options: argparse.Namespace) -> int:
    from smlib.errors import InputError
    from smlib.viz import record

    topics = _find_topics([options.topic])
    if topics is None:
        return 2
    console = _console()
    path: Path = options.output or Path(f"{options.topic}.html")
    try:
        with _at_work(f"recording {options.topic}"):
            path.write_text(record(options.topic).to_html(), encoding="utf-8")
    except (InputError, OSError) as error:
        print(f"smlib: {error}", file=sys.stderr)
        return 1
    console.print(f"{path}: {path.stat().st_size / 1000:.0f} kB, a page of its own that needs no network", markup=False)
    _next(console, (f"smlib show {options.topic}", "the idea in words"), (f"smlib tour {options.topic}", "at work"))
    return 0


def _warmup(options: argparse.Namespace) -> int:
    from smlib.compare.warmup import warm_up

    topics = _find_topics(options.names)
    if topics is None:
        return 2
    console = _console()
    for name, seconds, kernels in warm_up([topic.name for topic in topics], max(1, options.jobs)):
        console.print(f"{name:<28} {kernels:>3} kernels compiled in {seconds:5.1f} s", markup=False)
    _next(console, ("smlib tour", "no waiting now"))
    return 0


def _check(options: argparse.Namespace) -> int:
    from smlib.errors import CorruptDataError, SmlibError
    from smlib.storage.local_filesystem import LocalFileSystem

    try:
        kind = _kind_of_store(options.path)
        with _at_work(f"proving {options.path}"):
            if kind == "file":
                from smlib.storage.bplustree.drawing import draw_proof
                from smlib.storage.bplustree.inspection import check_file

                lines, purpose = draw_proof(*check_file(LocalFileSystem(), options.path)), "what its pages are for"
            else:
                from smlib.storage.lsm.drawing import draw_folder_proof
                from smlib.storage.lsm.inspection import check_folder

                lines, purpose = draw_folder_proof(check_folder(LocalFileSystem(), options.path)), "its files"
    except SmlibError as error:
        print(f"smlib: {error}", file=sys.stderr)
        return 1 if isinstance(error, CorruptDataError) else 2
    console = _console()
    for line in lines:
        style = "bold green" if line is lines[0] else "red" if line.startswith("but ") else None
        console.print(line, style=style, markup=False, soft_wrap=True)
    _next(console, (f"smlib inspect {shlex.quote(options.path)}", purpose))
    return 0


def _inspect(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from smlib.errors import SmlibError

    console = _console()
    try:
        look = _look_into_file if _kind_of_store(options.path) == "file" else _look_into_folder
        with _at_work(f"reading {options.path}"):
            facts, text, wrong, other, purpose = look(options)
    except SmlibError as error:
        print(f"smlib: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(asdict(facts), indent=2, default=bytes.hex))
        return 0
    console.print(text, markup=False, soft_wrap=True)
    for line in wrong[:MOST_LISTED]:
        console.print(f"damaged: {line}", style="bold red", markup=False, soft_wrap=True)
    if len(wrong) > MOST_LISTED:
        console.print(f"and {len(wrong) - MOST_LISTED:,} more; --json names them all", style="bold red")
    path = shlex.quote(options.path)
    _next(console, (f"smlib inspect {path}{other}", purpose), (f"smlib check {path}", "a proof that all is whole"))
    return 0


def _look_into_file(options: argparse.Namespace) -> tuple[Any, str, list[str], str, str]:
    """Return facts about a file or one of its pages, the same as text, what is wrong, and what to look at next."""
    from smlib.errors import InputError
    from smlib.storage.bplustree.drawing import draw_file, draw_page, list_damage
    from smlib.storage.bplustree.inspection import inspect_file, inspect_page
    from smlib.storage.local_filesystem import LocalFileSystem

    if options.file is not None:
        raise InputError(f"{options.path}: this is a file, which has no --file {options.file}; it has pages: --page N")
    if options.page is not None:
        page = inspect_page(LocalFileSystem(), options.path, options.page)
        return page, draw_page(page), [], "", "the whole file"
    file = inspect_file(LocalFileSystem(), options.path)
    number = next(iter(file.damaged), file.tree["root"] if file.tree else 0)
    return file, draw_file(file), list_damage(file), f" --page {number}", "one page, drawn"


def _look_into_folder(options: argparse.Namespace) -> tuple[Any, str, list[str], str, str]:
    """Return the same about a folder or one of its files."""
    from smlib.errors import InputError
    from smlib.storage.local_filesystem import LocalFileSystem
    from smlib.storage.lsm.drawing import draw_file, draw_folder, list_damage, most_interesting
    from smlib.storage.lsm.inspection import inspect_file, inspect_folder

    if options.page is not None:
        raise InputError(f"{options.path}: this is a folder, which has no --page {options.page}; it has --file NAME")
    if options.file is not None:
        file = inspect_file(LocalFileSystem(), options.path, options.file)
        return file, draw_file(file), file.damage, "", "the whole folder"
    folder = inspect_folder(LocalFileSystem(), options.path)
    name = most_interesting(folder)
    other, purpose = (" --json", "the same for a program") if name is None else (f" --file {name}", "one file of it")
    return folder, draw_folder(folder), list_damage(folder), other, purpose


def _kind_of_store(path: str) -> str:
    """Return whether a store is a "file" (a B+tree) or a "folder" (an LSM-tree); InputError if none lies there."""
    from smlib.errors import InputError

    if not os.path.exists(path):
        raise InputError(f"{path}: there is no such file or folder")
    if os.path.isfile(path):
        from smlib.storage.bplustree.inspection import is_tree
        from smlib.storage.local_filesystem import LocalFileSystem

        if is_tree(LocalFileSystem(), path):
            return "file"
    elif os.path.isfile(os.path.join(path, "CURRENT")):
        return "folder"
    raise InputError(
        f"{path}: this is no store of a kind that is known here; give the file of a BPlusTree, or the folder of an "
        f"LSMTree or of LevelDB, with a file CURRENT in it"
    )


def _simulate(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from smlib.consensus.invariants import NAMES
    from smlib.consensus.simulation.simulating import simulate
    from smlib.errors import InputError

    try:
        with _at_work(f"{options.seconds:g} virtual seconds of {options.nodes} nodes"):
            result = simulate(options.seed, nodes=options.nodes, seconds=options.seconds)
            verdict = result.verdict()
    except InputError as error:
        print(f"smlib: {error}", file=sys.stderr)
        return 2
    right = result.success and verdict.linearizable is True
    if options.json:
        facts = {"seed": result.seed, "nodes": result.nodes, "faults": asdict(result.faults), "right": right}
        facts |= {"violations": [broken._asdict() for broken in result.violations]}
        facts |= {"statistics": asdict(result.statistics), "verdict": verdict.message, "digest": result.digest()}
        print(json.dumps(facts, indent=2))
        return 0 if right else 1
    console = _console()
    console.print(
        f"{result.nodes} nodes, seed {result.seed}: {result.statistics.seconds:g} virtual seconds", style="bold"
    )
    console.print("\n".join(result.statistics.tell()), markup=False)
    broken = {violation.number: violation for violation in result.violations}
    for number, name in NAMES.items():
        console.print("NO   " if number in broken else "yes  ", style="red" if number in broken else "green", end="")
        detail = f": at {broken[number].time} ms {broken[number].detail}" if number in broken else ""
        console.print(f"{number}. {name}{detail}", markup=False, soft_wrap=True)
    console.print(
        "yes  " if verdict.linearizable else "NO   ", style="green" if verdict.linearizable else "red", end=""
    )
    console.print(f"what clients saw: {verdict}", markup=False, soft_wrap=True)
    console.print()
    _next(
        console,
        (f"smlib simulate --seed {result.seed + 1}", "another run"),
        ("smlib viz simulation", "an election, a partition and how it heals, drawn"),
    )
    return 0 if right else 1


def _doctor(options: argparse.Namespace) -> int:
    from smlib.compare.doctor import examine

    console = _console()
    findings = examine()
    for finding in findings:
        mark, style = ("ok", "green") if finding.ok else ("!!", "bold red")
        console.print(f"{mark:<4}", style=style, end="")
        console.print(f"{finding.what:<22}{finding.detail}", markup=False, soft_wrap=True)
    console.print()
    _next(console, ("smlib warmup", "compile everything now"), ("smlib tour", "see it at work"))
    return 0 if all(finding.ok for finding in findings) else 1


def _find_topics(names: Sequence[str]) -> list[Topic] | None:
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


def _settle_libraries() -> None:
    """Let BLAS choose its kernel for this very processor, and one thread: called before NumPy is loaded."""
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


class _at_work:  # noqa: N801  # reads as a verb: `with _at_work(...)`
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
        elif not _at_work.announced:
            _at_work.announced = True
            print(f"compiling {kernel} and others; most are kept for next time", file=sys.stderr)


def _next(console: Console, *commands: tuple[str, str]) -> None:
    """Name what to try next."""
    console.print("Next:", style="dim")
    for command, purpose in commands:
        console.print(f"  {command:<31} {purpose}", markup=False, soft_wrap=True)
