"""The command that runs a cluster in virtual time."""

from __future__ import annotations

import argparse
import json
import sys

from smlib.cli.terminal import at_work, name_next, open_console


def simulate_cluster(options: argparse.Namespace) -> int:
    """Run a cluster under faults, and print what came of it."""
    from dataclasses import asdict

    from smlib.consensus.invariants import NAMES
    from smlib.consensus.simulation.simulating import simulate
    from smlib.errors import InputError

    try:
        with at_work(f"{options.seconds:g} virtual seconds of {options.nodes} nodes"):
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
    console = open_console()
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
    name_next(
        console,
        (f"smlib simulate --seed {result.seed + 1}", "another run"),
        ("smlib viz simulation", "an election, a partition and how it heals, drawn"),
    )
    return 0 if right else 1
