"""The command line. Only argparse is imported here; what a command needs, the command imports: `--help` is quick.

A command is a function of the options that returns the exit code: `learning` has those that show topics, `measuring`
those about speed and the installation, `stores` those that look into files, `clusters` the simulation.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from smlib.cli.clusters import simulate_cluster
from smlib.cli.learning import list_topics, show, tour, viz, welcome
from smlib.cli.measuring import bench, doctor, warmup
from smlib.cli.stores import check, inspect


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = make_parser()
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


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line: what commands there are, and what each takes."""
    parser = argparse.ArgumentParser(
        prog="smlib", description="The algorithms behind data systems and their mathematics, from scratch."
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.set_defaults(command=welcome)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    tour_command = commands.add_parser("tour", help="see algorithms at work on real input, with proof and speed")
    tour_command.add_argument("names", nargs="*", metavar="TOPIC", help="topics or areas; the headline stories if none")
    tour_command.add_argument("--all", action="store_true", help="every story")
    tour_command.add_argument("--json", action="store_true", help="print JSON")
    tour_command.set_defaults(command=tour)

    listing_command = commands.add_parser("list", help="list the topics")
    listing_command.add_argument("names", nargs="*", metavar="AREA", help="areas or topics; all if none")
    listing_command.set_defaults(command=list_topics)

    show_command = commands.add_parser("show", help="read about a topic")
    show_command.add_argument("topic", metavar="TOPIC")
    show_command.add_argument("--source", action="store_true", help="print the source as well")
    show_command.set_defaults(command=show)

    bench_command = commands.add_parser("bench", help="measure beside NumPy, SciPy and the best peers")
    bench_command.add_argument("names", nargs="*", metavar="TOPIC", help="topics or areas; all if none")
    bench_command.add_argument("--json", metavar="FILE", type=Path, help="write the measurements to a file as well")
    bench_command.set_defaults(command=bench)

    viz_command = commands.add_parser("viz", help="write a page that plays an algorithm step by step")
    viz_command.add_argument("topic", metavar="TOPIC")
    viz_command.add_argument("-o", "--output", metavar="FILE", type=Path, help="where to (TOPIC.html in this folder)")
    viz_command.set_defaults(command=viz)

    warmup_command = commands.add_parser("warmup", help="compile every kernel now, so that no first call has to wait")
    warmup_command.add_argument("names", nargs="*", metavar="AREA", help="areas or topics; all if none")
    warmup_command.add_argument("--jobs", type=int, default=1, metavar="N", help="processes at work side by side")
    warmup_command.set_defaults(command=warmup)

    check_command = commands.add_parser("check", help="prove that a store is whole")
    check_command.add_argument(
        "path", metavar="PATH", help="the file of a B+tree, or the folder of an LSM-tree or of LevelDB"
    )
    check_command.set_defaults(command=check)

    inspect_command = commands.add_parser("inspect", help="see what is in a store, whole or damaged")
    inspect_command.add_argument("path", metavar="PATH", help="as for check")
    inspect_command.add_argument("--page", type=int, metavar="N", help="one page of a file, drawn")
    inspect_command.add_argument("--file", metavar="NAME", help="one file of a folder, part by part")
    inspect_command.add_argument("--json", action="store_true", help="print JSON; bytes are written in hexadecimal")
    inspect_command.set_defaults(command=inspect)

    simulate_command = commands.add_parser(
        "simulate", help="run a Raft cluster in virtual time, under faults, and judge it"
    )
    simulate_command.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed is the same run (1)")
    simulate_command.add_argument("--nodes", type=int, default=5, metavar="N", help="how many nodes (5)")
    simulate_command.add_argument("--seconds", type=float, default=60.0, metavar="S", help="of virtual time (60)")
    simulate_command.add_argument("--json", action="store_true", help="print JSON")
    simulate_command.set_defaults(command=simulate_cluster)

    doctor_command = commands.add_parser("doctor", help="check this installation")
    doctor_command.set_defaults(command=doctor)
    return parser
