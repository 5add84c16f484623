"""The trace of an LSM-tree: real work, whose crashes leave what they may; what it tells is what is in the folder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smlib._core.trace import Step
from smlib.errors import InputError
from smlib.storage import LSMTree, SimulatedDisk
from smlib.storage.lsm.descriptions import describe_folder, say_edit
from smlib.storage.lsm.manifest import FileFacts, VersionEdit
from smlib.storage.lsm.moments import EITHER, NEW, OLD, prove
from smlib.storage.lsm.trace import Command, trace
from smlib.storage.simulated_files import SimulatedFile
from smlib.viz.layouts.storage.lsm import COMMANDS
from tests.storage.traces import require_all_holds

PATH = "tree"
LED_TO = "what the manifest leads to is on the disk: the name of the log, and the tables, wholly"


@pytest.fixture(scope="module")
def story() -> list[Step]:
    return list(trace(COMMANDS))


def steps_of(story: list[Step], kind: str) -> list[Step]:
    return [step for step in story if step.state["kind"] == kind]


def test_one_write_and_the_sync_behind_it_decide(story: list[Step]) -> None:
    require_all_holds("lsm", story)
    for kind, count in (("commit", 4), ("flush", 2), ("merge", 1)):
        allowed = [step.state["allowed"] for step in steps_of(story, kind)]
        assert allowed.count(EITHER) == count
        for step in steps_of(story, kind):
            left = set(step.state["crashes"])
            assert left == set(step.state["allowed"])
    first = steps_of(story, "flush")[:9]
    assert [step.state["allowed"] for step in first] == [OLD] * 6 + [EITHER, NEW, NEW]


def test_the_story_is_told_in_order(story: list[Step]) -> None:
    sources = [step.source.__name__ for step in story]
    assert sources == [
        *("recover", "add", "put_many", "add", "put_many"),
        *("read_entries", "lay_blocks", "lay_filters", "flush", "flush", "flush", "encode_edit", "flush", "flush"),
        *("add", "put_many", "add", "put_many"),
        *("build_table", "flush", "flush", "encode_edit", "flush", "flush"),
        *("find", "passes", "find_in_tables", "find", "find_in_tables"),
        *("merge_tables", "merge_entries", "compact", "compact", "encode_edit", "compact", "compact"),
        *("find", "passes", "find_in_tables"),
    ]
    captions = " ".join(step.caption for step in story)
    for words in (
        "One record for its 2 changes",
        "ape bee and cow",
        "+5, log 6",
        "its filter says that it surely has no cow",
        "cow = 1. Nothing older is asked",
        "bee was deleted",
        "ape of change 2 and bee of change 3 go",
        "nothing left to hide, and goes itself: bee",
        "Tables 7 and 5 are deleted",
        "No table has it: bee is not there",
    ):
        assert words in captions


def test_what_is_written_is_pending_until_the_sync(story: list[Step]) -> None:
    write, synced = steps_of(story, "commit")[:2]
    for step, expected in ((write, False), (synced, True)):
        log = next(row for row in step.state["files"] if row["kind"] == "log")
        assert [part["synced"] for part in log["parts"]] == [expected]
    written, synced, named = steps_of(story, "flush")[3:6]
    for step, expected in ((written, False), (synced, False), (named, True)):
        table = next(row for row in step.state["files"] if row["kind"] == "ldb")
        assert {part["synced"] for part in table["parts"]} == {expected}
        assert not table["named"]


def test_what_a_merge_leaves_out(story: list[Step]) -> None:
    merged = steps_of(story, "merge")[1].state
    assert [(row["key"], row["value"], row["kept"]) for row in merged["memory"]] == [
        ("ape", "5", True),
        ("ape", "2", False),
        ("bee", None, False),
        ("bee", "3", False),
        ("cow", "1", True),
        ("doe", "4", True),
    ]
    assert [part["text"] for part in merged["built"]] == ["ape cow", "doe", "filter", "index"]


def test_a_key_is_found_in_memory_first() -> None:
    steps = list(trace([{b"a": b"1"}, "flush", {b"a": b"2", b"b": None}, b"a", b"b", b"zebra"]))
    require_all_holds("lsm", steps)
    asked = [step.caption for step in steps_of(steps, "get")]
    assert asked[0].endswith("a = 2. Nothing older is asked.")
    assert asked[1].endswith("b was deleted. That is an answer, and nothing older is asked.")
    assert "has keys from a to a only" in asked[3]
    assert len(asked) == 5


def test_without_filters_a_block_is_read_in_vain() -> None:
    steps = list(trace([{b"a": b"1", b"c": b"1", b"e": b"1"}, "flush", b"b"], bloom_bits_per_key=0))
    require_all_holds("lsm", steps)
    assert steps[-2].caption == "Table 5: the index leads to the block at byte 0, which is read: it has no b."
    assert "filter" not in " ".join(step.caption for step in steps)


def test_what_does_nothing_is_not_told() -> None:
    assert len(list(trace([{}, "flush", "merge"]))) == 1
    steps = list(trace([{b"a": b"1"}, "flush", {b"a": None}, "merge", b"a"]))
    require_all_holds("lsm", steps)
    assert [row["kind"] for row in steps[-1].state["files"]] == ["CURRENT", "manifest", "log"]


def test_a_flush_that_asks_for_a_merge() -> None:
    commands: list[Command] = []
    for key in range(12):
        commands += [{b"%d" % key: b""}, "flush"]
    steps = list(trace(commands))
    require_all_holds("lsm", steps)
    assert steps_of(steps, "merge")


keys = st.sampled_from([b"ape", b"bee", b"cow", b"doe", b"elk", b"a" * 40])
values = st.sampled_from([b"", b"1", b"2", bytes(100)])
commits = st.dictionaries(keys, st.one_of(values, st.none()), max_size=4)


@settings(max_examples=15)
@given(
    st.lists(st.one_of(commits, commits, st.sampled_from(["flush", "flush", "merge"]), keys), max_size=10),
    st.booleans(),
)
def test_invariants_hold_whatever_is_done(commands: list[Command], filtered: bool) -> None:
    require_all_holds("lsm", list(trace(commands, bloom_bits_per_key=10 * filtered)))


@pytest.mark.interpreted
def test_invariants_hold_for_a_flush() -> None:
    require_all_holds("lsm", list(trace([{b"cow": b"1", b"ape": b"2"}, "flush", b"cow"])))


def test_a_disk_that_does_not_sync_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest may lead to a table that is not there, and a commit returns before its record is."""
    steps = trace([{b"d": b"1"}, "flush"])
    next(steps)
    monkeypatch.setattr(SimulatedFile, "_datasync", lambda self: self._course.happen("datasync", self.path))
    told = list(steps)
    commit = told[1]
    assert "old" in commit.state["crashes"]
    assert not commit.invariants["each of 18 crashes at this moment leaves the items with this change"]
    edit = next(step for step in told if step.source.__name__ == "encode_edit")
    assert not edit.invariants[LED_TO]
    assert "neither" in edit.state["crashes"]


def test_a_state_that_is_wrong_breaks_the_invariants(story: list[Step]) -> None:
    state = steps_of(story, "commit")[3].state
    assert all(prove(state).values())
    files = tuple({**row, "parts": ()} if row["kind"] == "log" else row for row in state["files"])
    assert not prove({**state, "files": files})["whatever the memtable has, a log has"]
    files = tuple({**row, "kept": row["kind"] != "log"} for row in state["files"])
    assert not prove({**state, "files": files})["no byte that was written is written over"]


def test_what_is_in_a_folder() -> None:
    disk = SimulatedDisk(seed=1)
    with LSMTree.open(PATH, filesystem=disk, block_size=30) as tree:
        tree.put_many({b"a": b"1", b"\xff": b"2"})
        tree.flush()
        tree[b"b"] = b"3"
        rows = describe_folder(disk, disk.crash("none"), PATH)
    assert [row["name"] for row in rows] == ["CURRENT", "MANIFEST-000004", "000006.log", "000005.ldb"]
    assert [part["role"] for part in rows[3]["parts"]] == ["block", "filter", "index"]
    assert rows[3]["parts"][0]["changes"] == (("a", 1, "1"), ("\\xff", 2, "2"))
    assert rows[2]["parts"][0]["text"] == "b=3"
    for row in rows[1:]:
        ends = [0, *(part["end"] for part in row["parts"])]
        assert [part["begin"] for part in row["parts"]] == ends[:-1]
        assert ends[-1] == row["size"]


def test_edits_in_few_words() -> None:
    facts = FileFacts(9, 100, b"", b"")
    assert say_edit(VersionEdit(log_number=6, added=((0, facts),))) == "+9, log 6"
    assert say_edit(VersionEdit(log_number=6, removed=((0, 7), (1, 5)), added=((1, facts),))) == "-7 -5, +9"


def test_state_is_not_written_to_later() -> None:
    steps = trace(COMMANDS)
    first = next(steps)
    before = repr(first.state)
    list(steps)
    assert repr(first.state) == before


@pytest.mark.parametrize(
    ("commands", "complaint"),
    [
        ([{"a": b""}], "a key is 'a'; it must be bytes"),
        ([{b"a": 1}], "a value is of type int"),
        (["melt"], "a command is 'melt'"),
        ([7], "a command is 7"),
    ],
)
def test_bad_input_is_named(commands: Any, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        list(trace(commands))
