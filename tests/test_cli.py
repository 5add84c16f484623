"""The command line, as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smlib.cli import main
from smlib.compare.tour import HEADLINES


def smlib(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    code = "import sys; from smlib.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_welcome_names_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    text = capsys.readouterr().out
    assert "numerics    stationary" in text
    assert "smlib tour" in text


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "smlib 0.1.0\n"


@pytest.mark.parametrize("command", ["tour", "list", "show", "bench", "viz", "warmup"])
def test_an_unknown_topic_gets_a_hint_and_code_2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "stationry"]) == 2
    assert "did you mean stationary?" in capsys.readouterr().err


def test_every_command_ends_with_what_to_try_next(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["list"], ["show", "stationary"], ["warmup"], ["doctor"]):
        assert main(arguments) == 0
        assert "Next:" in capsys.readouterr().out


def test_show_prints_essay_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "stationary", "--source"]) == 0
    text = capsys.readouterr().out
    assert "Stationary iterations" in text
    assert "def sweep_forward(" in text


def test_the_tour_agrees_and_says_so() -> None:
    done = smlib("tour")
    assert done.returncode == 0, done.stderr
    assert f"{len(HEADLINES)} of {len(HEADLINES)} agree" in done.stdout
    assert "25.0000 degrees" in done.stdout
    assert "0.128 (0.121 to 0.135)" in done.stdout
    assert "\x1b[" not in done.stdout


def test_the_tour_as_json() -> None:
    done = smlib("tour", "numerics", "--json")
    told = json.loads(done.stdout)
    assert told["agree"] == told["of"] == 2
    assert [story["topic"] for story in told["stories"]] == ["stationary", "quadrature"]
    for story in told["stories"]:
        assert all(story["proofs"].values())
        assert story["peers"][0]["ratio"] > 0.0


def test_a_story_that_does_not_agree_fails_the_tour(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from smlib.compare import cases
    from smlib.compare.case import Agreement
    from smlib.compare.cases import numerics

    wrong = replace(numerics.CASES[0], agree=lambda *_: Agreement(False, "far off"))
    monkeypatch.setattr(cases, "load_cases", lambda names=(): [wrong])
    assert main(["tour"]) == 1
    text = capsys.readouterr().out
    assert "NO   agrees with SciPy spsolve: far off" in text
    assert "0 of 1 agree" in text


def test_bench_writes_what_it_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from dataclasses import replace

    from smlib.compare import cases
    from smlib.compare.case import Peer
    from smlib.compare.cases import numerics

    small = replace(
        numerics.CASES[0],
        sizes=(9, 16, 25),
        peers=(
            *numerics.CASES[0].peers[:1],
            Peer("nowhere", "no_such_package", lambda problem: problem),
            Peer("small only", "scipy", numerics.CASES[0].peers[0].run, max_size=9),
        ),
    )
    monkeypatch.setattr(cases, "load_cases", lambda names=(): [small])
    file = tmp_path / "figures.json"
    assert main(["bench", "stationary", "--json", str(file)]) == 0
    record = json.loads(file.read_text())
    assert [item["size"] for item in record["measurements"]] == [9, 16, 25]
    assert record["machine"]["cores"]
    text = capsys.readouterr().out
    assert "not installed" in text
    assert "not run above 9" in text


def test_viz_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["viz", "stationary", "-o", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "Next:" in capsys.readouterr().out
    assert main(["viz", "stationary", "-o", str(tmp_path / "no" / "such" / "folder.html")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_viz_of_an_area_asks_for_a_topic(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["viz", "numerics"]) == 1
    assert "there is no topic 'numerics'" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error() -> None:
    code = "import sys; from smlib.cli import main; sys.exit(main(['show', 'stationary', '--source']))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
    assert b"Traceback" not in errors


def test_colour_only_where_it_is_wanted() -> None:
    assert "\x1b[" not in smlib("list", NO_COLOR="1").stdout
