"""Stories of a cluster: elections, logs that differ, partitions, reads, transfers, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.consensus.raft_scripts import Desk
from tests.storage.script_runner import run_script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("raft_*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_story(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_script(str(path), Desk(monkeypatch.setattr))


# The parts of the protocol, in which no line and no branch is left out. The rest of `core` is what refuses misuse.
PARTS = ["elections", "log", "node", "progress", "quorums", "reads", "replication", "rounds", "terms", "transfers"]


@pytest.mark.slow
def test_the_stories_take_every_branch(tmp_path: Path) -> None:
    """Of all that a message, a tick or a wish can lead to."""
    environment = {**os.environ, "COVERAGE_FILE": str(tmp_path / "coverage")}
    stories = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::test_the_story"]
    for words in (
        ["run", "--branch", "--source=smlib.consensus.raft", *stories],
        ["json", "-q", "-o", str(tmp_path / "coverage.json")],
    ):
        subprocess.run([sys.executable, "-m", "coverage", *words], env=environment, check=True, capture_output=True)
    files = json.loads((tmp_path / "coverage.json").read_text(encoding="utf-8"))["files"]
    found = {Path(name).stem: report for name, report in files.items()}
    for part in PARTS:
        assert (found[part]["missing_lines"], found[part]["missing_branches"]) == ([], []), part
    step = found["core"]["functions"]["Raft.step"]
    assert len(step["missing_lines"]) == 1  # what is no message at all
