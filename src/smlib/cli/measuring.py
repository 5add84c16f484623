"""Commands about speed, and about the installation it depends on."""

from __future__ import annotations

import argparse
import json

from smlib.cli.terminal import at_work, find_topics, name_next, open_console, settle_libraries


def bench(options: argparse.Namespace) -> int:
    """Measure cases at their sizes, beside their peers."""
    settle_libraries()
    from smlib.compare.cases import load_cases
    from smlib.compare.machine import describe_machine
    from smlib.compare.report import as_json, print_case, print_machine
    from smlib.compare.timer import measure

    topics = find_topics(options.names)
    if topics is None:
        return 2
    console = open_console()
    machine = describe_machine()
    print_machine(console, machine)
    cases = load_cases([topic.name for topic in topics])
    everything = []
    for number, case in enumerate(cases, start=1):
        measurements = []
        for size in case.sizes:
            with at_work(f"{number} of {len(cases)}: {case.name}, {size:,} {case.unit}"):
                measurements.append(measure(case, case.setup(size), size))
        print_case(console, case, measurements)
        everything += measurements
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(machine, everything), indent=2) + "\n", encoding="utf-8")
        console.print(f"written to {options.json}", markup=False)
    disagreeing = [item for item in everything if not item.agrees]
    for item in disagreeing:
        console.print(f"NOT in agreement: {item.topic}, {item.case}, {item.size:,}", style="bold red", markup=False)
    name_next(console, ("smlib doctor", "what this machine offers"), ("smlib tour", "the same as stories"))
    return 1 if disagreeing else 0


def warmup(options: argparse.Namespace) -> int:
    """Compile the kernels of topics."""
    from smlib.compare.warmup import warm_up

    topics = find_topics(options.names)
    if topics is None:
        return 2
    console = open_console()
    for name, seconds, kernels in warm_up([topic.name for topic in topics], max(1, options.jobs)):
        console.print(f"{name:<28} {kernels:>3} kernels compiled in {seconds:5.1f} s", markup=False)
    name_next(console, ("smlib tour", "no waiting now"))
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Say what is well with this installation, and what is not."""
    from smlib.compare.doctor import examine

    console = open_console()
    findings = examine()
    for finding in findings:
        mark, style = ("ok", "green") if finding.ok else ("!!", "bold red")
        console.print(f"{mark:<4}", style=style, end="")
        console.print(f"{finding.what:<22}{finding.detail}", markup=False, soft_wrap=True)
    console.print()
    name_next(console, ("smlib warmup", "compile everything now"), ("smlib tour", "see it at work"))
    return 0 if all(finding.ok for finding in findings) else 1
