"""The trace shows the book's figures, from the functions that the tree itself uses."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.trace import Step
from smlib.errors import InputError
from smlib.storage import BTree
from smlib.storage.btree import trace as module
from smlib.storage.btree.nodes import Node
from smlib.storage.btree.trace import Operation, keys_of, trace
from smlib.viz.layouts.storage import LAYOUTS
from smlib.viz.layouts.storage.btree import COMMANDS, KEYS
from smlib.viz.trace import Trace

FIGURE: dict[str, Any] = {"keys": KEYS, "min_degree": 3}


def shape_of(tree: dict[str, Any]) -> str:
    """Return a told tree in a line: levels are separated by /, nodes by |."""
    level, told = [tree], []
    while level:
        told.append(" | ".join(" ".join(map(str, node["keys"])) for node in level))
        level = [child for node in level for child in node["children"]]
    return " / ".join(told)


def operations(steps: list[Step]) -> list[str]:
    return [step.state["change"] for step in steps if step.state["change"]]


@pytest.mark.interpreted
def test_the_figures_of_the_book() -> None:
    """Cormen et al., Figures 18.7 and 18.8: which operations each key takes, and the trees after them."""
    expected = {
        "B": ([], "G M P X / A B C D E | J K | N O | R S T U V | Y Z"),
        "Q": (["split_child"], "G M P T X / A B C D E | J K | N O | Q R S | U V | Y Z"),
        "L": (["split_child"], "P / G M | T X / A B C D E | J K L | N O | Q R S | U V | Y Z"),
        "F": (["split_child"], "P / C G M | T X / A B | D E F | J K L | N O | Q R S | U V | Y Z"),
        "-F": ([], "P / C G M | T X / A B | D E | J K L | N O | Q R S | U V | Y Z"),
        "-M": ([], "P / C G L | T X / A B | D E | J K | N O | Q R S | U V | Y Z"),
        "-G": (["merge_children"], "P / C L | T X / A B | D E J K | N O | Q R S | U V | Y Z"),
        "-D": (["merge_children"], "C L P T X / A B | E J K | N O | Q R S | U V | Y Z"),
        "-B": (["borrow_from_right"], "E L P T X / A C | J K | N O | Q R S | U V | Y Z"),
    }
    steps = list(trace(COMMANDS, **FIGURE))
    for operation, key in COMMANDS:
        told = [step for step in steps if (step.state["operation"], step.state["key"]) == (operation, key)]
        changes, shape = expected[key if operation == "insert" else f"-{key}"]
        assert operations(told) == changes
        assert shape_of(told[-1].state["tree"]) == shape
    assert len(steps) == 37


def test_the_path_is_told_node_by_node() -> None:
    steps = list(trace([("insert", "F")], keys=KEYS + "BQL", min_degree=3))
    path = [step for step in steps[1:] if not step.state["change"]][:-1]
    assert [step.state["place"] for step in path] == [0, 0, 5]
    assert [len(step.state["path"]) for step in path] == [1, 2, 3]
    assert [step.caption for step in path] == [
        "Insert F: it is less than P, on to the first child.",
        "Insert F: it is less than G, on to the first child.",
        "Insert F: it is greater than E, and this leaf is its place.",
    ]


commands = st.lists(st.tuples(st.sampled_from(["insert", "insert", "delete"]), st.integers(0, 25)), max_size=40)


@pytest.mark.interpreted
@given(commands, st.lists(st.integers(0, 25), max_size=26), st.integers(2, 4))
def test_invariants_hold_and_the_tree_is_that_of_the_library(
    commands: list[tuple[Operation, int]], keys: list[int], min_degree: int
) -> None:
    tree = BTree(dict.fromkeys(keys), min_degree=min_degree)
    steps = list(trace(commands, keys=keys, min_degree=min_degree))
    draw = LAYOUTS["btree"].draw
    for step in steps:
        assert step.invariants
        assert all(value is True for value in step.invariants.values()), (step.caption, step.invariants)
        draw(step.state)
    for operation, key in commands:
        if operation == "insert":
            tree[key] = None
        else:
            tree.pop(key, None)
    assert shape_of(steps[-1].state["tree"]) == " / ".join(
        " | ".join(" ".join(map(str, node)) for node in level) for level in tree.levels()
    )


def test_every_operation_is_told() -> None:
    rng = random.Random(3)
    commands: list[tuple[Operation, int]] = []
    for turn in range(300):
        key = rng.randrange(60)
        commands.append(("insert", key) if rng.random() < (0.7 if turn < 150 else 0.3) else ("delete", key))
    steps = list(trace(commands))
    told = Counter(operations(steps))
    assert set(told) == {"split_child", "merge_children", "borrow_from_left", "borrow_from_right"}
    captions = " ".join(step.caption for step in steps)
    for words in (
        "the tree grows by a level",
        "the tree shrinks by a level",
        "its left neighbour has one",
        "its right neighbour has one",
        "the greatest key before it",
        "the least key behind it",
        "here it is",
        "it is here already, and nothing changes",
        "there is no such key",
        "the tree is empty",
    ):
        assert words in captions


def test_nodes_keep_their_numbers_and_no_two_share_one() -> None:
    before: dict[int, tuple[Any, ...]] = {}
    for step in trace(COMMANDS, **FIGURE):
        level = [step.state["tree"]]
        now: dict[int, tuple[Any, ...]] = {}
        while level:
            now |= {node["id"]: node["keys"] for node in level}
            level = [child for node in level for child in node["children"]]
        assert sum(len(keys) for keys in now.values()) == step.state["tree"]["size"] == len(keys_of(step.state["tree"]))
        assert sum(before[number] != now[number] for number in before.keys() & now.keys()) <= 3
        assert set(step.state["path"]) <= set(now)
        before = now


def test_a_wrong_split_breaks_the_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_the_middle(parent: Node, place: int) -> None:
        left = parent.children[place]
        right = Node(left.keys[3:], left.values[3:], [])
        parent.keys.insert(place, left.keys[1])
        parent.values.insert(place, None)
        parent.children.insert(place + 1, right)
        del left.keys[1:], left.values[1:]

    steps = trace([("insert", "Q")], **FIGURE)
    next(steps)
    monkeypatch.setattr("smlib.storage.btree.insertion.split_child", lose_the_middle)
    monkeypatch.setitem(module.TELLERS, lose_the_middle, module.tell_split)
    step = next(step for step in steps if step.state["change"])
    assert [name for name, holds in step.invariants.items() if not holds] == [
        "every node but the root has 2 to 5 keys, and a child in each gap if it is no leaf",
        "the sizes add up",
        "the keys are those put in and not taken out",
    ]


def test_a_tree_out_of_shape_breaks_the_invariants() -> None:
    leaf = {"id": 1, "keys": ("b",), "size": 1, "children": ()}
    far = {"id": 3, "keys": ("d",), "size": 1, "children": ()}
    inner = {"id": 2, "keys": ("e",), "size": 3, "children": (far, {**far, "id": 4, "keys": ("f",)})}
    tree = {"id": 0, "keys": ("c",), "size": 5, "children": (leaf, inner)}
    broken = [name for name, holds in module.prove_tree(tree, 2, ["b", "c", "d", "e", "f"]).items() if not holds]
    assert broken == ["all leaves have the same depth", "h ≤ log_t (n + 1)/2: 2 ≤ 1.58"]
    leaf["keys"] = ("z",)
    assert not module.prove_tree(tree, 2, ["c", "d", "e", "f", "z"])["the keys are in order"]


def test_state_is_not_written_to_later() -> None:
    steps = trace([("insert", 4), ("delete", 1)], keys=[1, 2, 3])
    first = next(steps)
    list(steps)
    assert first.state["tree"]["keys"] == (1, 2, 3)
    assert first.state["tree"]["children"] == ()


def test_questions_do_not_give_the_answer_away() -> None:
    for step in trace(COMMANDS, **FIGURE):
        assert "goes up" not in step.question
        assert "comes down" not in step.question
        assert step.question == "" or step.question.endswith("?")


def test_the_story_is_drawn_and_keys_keep_their_marks() -> None:
    layout = LAYOUTS["btree"]
    drawn = Trace(layout.title, layout.steps(), layout.draw, note=layout.note)
    assert len(drawn.to_html().encode()) < 200_000
    for step, scene in zip(drawn.steps, drawn.scenes, strict=True):
        marks = {mark.key: mark.attributes for mark in scene.marks}
        for key in keys_of(step.state["tree"]):
            assert marks[f"key {key!r}"]["text"] == key
        for attributes in marks.values():
            assert 0 <= float(attributes["x"]) <= scene.width
            assert 0 <= float(attributes["y"]) + float(attributes.get("height", 0)) <= scene.height
    waiting = [
        step.state["key"] for step, scene in zip(drawn.steps, drawn.scenes, strict=True) if "waits" in str(scene)
    ]
    assert list(dict.fromkeys(waiting)) == list("BQLF")


def test_wide_trees_and_long_keys_stay_inside() -> None:
    draw = LAYOUTS["btree"].draw
    for step in trace([("insert", 10**6), ("delete", 77)], keys=range(100, 200)):
        for mark in draw(step.state).marks:
            assert 0 <= float(mark.attributes["x"]) + float(mark.attributes.get("width", 0)) <= 400.01


@pytest.mark.parametrize(
    ("commands", "options", "complaint"),
    [
        ([("upsert", 1)], {}, "the command 'upsert' is unknown; it must be 'insert' or 'delete'"),
        ([("insert", "a")], {"keys": [1]}, "the key 'a' has no place here: '<' not"),
        ([("delete", "a")], {"keys": [1]}, "the key 'a' has no place"),
        ([], {"keys": [1, math.nan]}, "the key nan has no place"),
        ([], {"min_degree": 1}, "min_degree is 1; it must be at least 2"),
    ],
)
def test_bad_input_is_named(commands: Any, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        list(trace(commands, **options))
