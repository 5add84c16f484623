"""The trace of commits: real ones, whose crashes leave what they may; and what it tells follows from the trees."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smlib._core.trace import Step
from smlib.errors import InputError
from smlib.storage import SimulatedDisk
from smlib.storage.bplustree.descriptions import Tree, describe_page, describe_tree, find_originals
from smlib.storage.bplustree.telling import EITHER, NEW, OLD, prove
from smlib.storage.bplustree.trace import trace
from smlib.storage.simulated_files import SimulatedFile
from smlib.storage.wording import contents_of
from smlib.viz.layouts.storage.bplustree import COMMITS, ITEMS
from tests.storage.bplustree_tools import PATH, at_random, open_tree
from tests.storage.traces import require_all_holds

VALUE = bytes(100)
Commits = list[dict[bytes, bytes | None]]


@pytest.fixture(scope="module")
def story() -> list[Step]:
    return list(trace(COMMITS, items=ITEMS))


def test_a_crash_leaves_the_old_tree_until_the_meta_page_is_written(story: list[Step]) -> None:
    for commit in (4, 5, 6):
        steps = [step for step in story[1:] if step.state["commit"] == commit]
        *before, meta, after = steps
        assert {step.state["allowed"] for step in before} == {OLD}
        assert {left for step in before for left in step.state["crashes"]} == {"old"}
        assert meta.state["allowed"] == EITHER
        assert set(meta.state["crashes"]) == {"old", "new"}
        assert after.state["allowed"] == NEW
        assert set(after.state["crashes"]) == {"new"}
        assert after.state["returned"]
        assert not before[-1].state["returned"]
    require_all_holds("bplustree", story)


def test_the_story_is_told_in_order(story: list[Step]) -> None:
    sources = [step.source.__name__ for step in story]
    assert sources == [
        *("read_meta", "base_of", "own_page", "insert_cell", "link_splits", "write_taken", "write_taken", "write"),
        *("commit", "encode_meta", "commit"),
        *("descend", "own_page", "own_page", "put_sorted", "write_taken", "write", "commit", "encode_meta", "commit"),
        *("descend", "own_page", "remove_sorted", "write_taken", "write", "commit", "encode_meta", "commit"),
    ]
    captions = " ".join(step.caption for step in story)
    for words in ("Put d", "Change g", "Take out e", "grows by a level", "shrinks by a level", "is copied too"):
        assert words in captions


def test_what_was_read_or_made_is_in_memory_until_its_place_is_taken(story: list[Step]) -> None:
    """The copy of a page that the file has takes its place in memory."""
    known = [sorted(page for page, told in step.state["memory"].items() if told["known"]) for step in story]
    assert known[:5] == [[], [3], [2], [2, 5], [2, 5, 6]]
    assert known[11:14] == [[2, 5, 6], [2, 4, 5], [2, 3, 4]]
    assert known[20] == [2, 3, 4]
    led_to = [page for page, told in story[13].state["memory"].items() if not told["known"]]
    assert sorted(led_to) == [5, 6]


def test_what_is_written_is_pending_until_the_sync(story: list[Step]) -> None:
    steps = [step for step in story if step.state["commit"] == 4 and step.state["doing"]]
    pending = [sum(not row["synced"] for row in step.state["file"]) for step in steps]
    assert pending == [0, 0, 0, 0, 1, 3, 4, 0, 1, 0]


def test_three_levels_values_of_their_own_and_a_list_of_several_pages() -> None:
    items = {b"a" * 90 + bytes([97 + k]): VALUE for k in range(24)}
    steps = list(trace([{b"m": VALUE}, {b"n": bytes(1200)}, {b"n": None, b"m": None}], items=items))
    require_all_holds("bplustree", steps)
    assert max(page["level"] for page in steps[-1].state["memory"].values()) == 2
    captions = " ".join(step.caption for step in steps)
    assert "a value that is too large for a leaf" in captions
    assert "it is a part of a value that goes" in captions
    assert "and page" in captions
    require_all_holds("bplustree", list(trace([{b"a": bytes(40_000)}, {b"a": b""}, {b"b": bytes(900)}])))


def test_a_commit_that_changes_nothing() -> None:
    assert len(list(trace([{}]))) == 1
    steps = list(trace([{b"z": None}], items=dict.fromkeys([b"a", b"b"], VALUE)))
    require_all_holds("bplustree", steps)
    assert steps[-1].state["crashes"][0] == "new"


keys = st.sampled_from([bytes([97 + k]) * (1 + k % 3 * 30) for k in range(20)])
values = st.sampled_from([b"", VALUE, VALUE, bytes(50), bytes(600)])


@settings(max_examples=12)
@given(
    st.lists(st.dictionaries(keys, st.one_of(values, values, st.none()), min_size=1, max_size=6), max_size=4),
    st.dictionaries(keys, values, max_size=20),
)
def test_invariants_hold_whatever_is_committed(commits: Commits, items: dict[bytes, bytes]) -> None:
    require_all_holds("bplustree", list(trace(commits, items=items)))


@pytest.mark.interpreted
def test_invariants_hold_for_a_commit() -> None:
    require_all_holds("bplustree", list(trace([{b"d": VALUE}], items=dict.fromkeys([b"a", b"c", b"e", b"g"], VALUE))))


def trees_of(seed: int) -> list[Tree]:
    """Return the trees that commits at random leave one after the other."""
    disk, trees = SimulatedDisk(seed=1), []
    with open_tree(disk) as tree:
        for commit in at_random(seed):
            with tree.batch() as batch:
                for key, value in commit.items():
                    if value is None:
                        del batch[key]
                    else:
                        batch[key] = value
            trees.append(describe_tree(disk, PATH))
    return trees


@pytest.mark.parametrize("seed", range(4))
def test_a_page_is_the_copy_of_one_that_is_given_up_on_its_level(seed: int) -> None:
    trees = trees_of(seed)
    counted: Counter[str] = Counter()
    for old, new in pairwise(trees):
        originals = find_originals(old, new)
        assert len(set(originals.values())) == len(originals)
        for page, original in originals.items():
            assert page in new.nodes.keys() - old.nodes.keys()
            assert original in old.nodes.keys() - new.nodes.keys()
            assert new.nodes[page].level == old.nodes[original].level
        counted["copies"] += len(originals)
        counted["others"] += len(new.nodes.keys() - old.nodes.keys() - originals.keys())
    assert counted["copies"] > counted["others"] > 0


def test_a_disk_that_does_not_sync_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    """A meta page may be there before the pages that it leads to, and a commit returns before it is there."""
    steps = trace([{b"d": VALUE}], items=dict.fromkeys([b"a", b"c", b"e", b"g"], VALUE))
    next(steps)
    monkeypatch.setattr(SimulatedFile, "_datasync", lambda self: self._course.happen("datasync", self.path))
    *_, meta, after = steps
    assert "damaged" in meta.state["crashes"]
    broken = [name for name, holds in meta.invariants.items() if not holds]
    assert broken == [
        "each of 18 crashes at this moment leaves the old tree or the new one",
        "the newest meta page leads to pages that are whole and on the disk",
    ]
    assert "old" in after.state["crashes"]
    assert not after.invariants["each of 18 crashes at this moment leaves the new tree"]


def test_a_page_that_is_written_over_or_lost_breaks_the_invariants(story: list[Step]) -> None:
    rows = [dict(row) for row in story[9].state["file"]]
    assert all(prove(rows, ("old",), OLD).values())
    touched = [row | {"touched": "old" in row["trees"]} for row in rows]
    assert not prove(touched, ("old",), OLD)["no page of the tree before this commit has been written"]
    lost = [row | {"numbers": row["numbers"][1:]} for row in rows]
    assert not prove(lost, ("old",), OLD)[
        "the tree, the list of free pages and the pages in it are all pages, each once"
    ]


def test_what_is_in_a_page() -> None:
    disk = SimulatedDisk(seed=1)
    with open_tree(disk) as tree:
        tree.put_many({b"a": b"1", b"\xff": b"2"})
        content = contents_of(disk, PATH)
        pages = [describe_page(content[k * 512 : k * 512 + 512], k) for k in range(len(content) // 512)]
    assert [page["kind"] for page in pages] == ["meta", "meta", "leaf", "leaf", "list"]
    assert pages[3]["keys"] == ("a", "\\xff")
    assert pages[4]["numbers"] == (2,)
    assert describe_page(content[:512], 1) == pages[1] | {"whole": False, "meta": None}
    assert describe_page(content[1536:2048], 4)["kind"] == "damaged"
    assert describe_page(bytes(512), 9)["kind"] == "none"


def test_state_is_not_written_to_later() -> None:
    steps = trace(COMMITS, items=ITEMS)
    first = next(steps)
    before = repr(first.state)
    list(steps)
    assert repr(first.state) == before


@pytest.mark.parametrize(
    ("commits", "options", "complaint"),
    [
        ([{"a": b""}], {}, "a key is 'a'; it must be bytes"),
        ([{b"a" * 129: b""}], {}, "a key has 129 bytes"),
        ([{b"a": 1}], {}, "a value is of type int"),
        ([], {"page_size": 500}, "page_size is 500"),
    ],
)
def test_bad_input_is_named(commits: Any, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        list(trace(commits, **options))
