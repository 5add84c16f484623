"""The trace of a cluster: a real run, told as it was, and the picture of it."""

from __future__ import annotations

import pytest

from smlib._core.trace import Step
from smlib.consensus.simulation.trace import STORY, STORY_END, STORY_SEED, Command, trace
from smlib.errors import InputError
from smlib.viz.layouts.consensus.simulation import draw_cluster


@pytest.fixture(scope="module")
def story() -> list[Step]:
    return list(trace(STORY, STORY_END, seed=STORY_SEED))


def test_the_story_is_told_in_order(story: list[Step]) -> None:
    captions = " ".join(step.caption for step in story)
    place = 0
    for words in (
        "begin, with empty logs",
        "Node 1 has heard of no leader for too long. It begins term 1",
        "Nodes 2 and 3 vote for node 1 in term 1",
        "Node 1 has 3 votes, its own included, and so a majority: it leads term 1",
        "A client asks node 1 for x=1",
        "Nodes 2 and 3 store x=1",
        "Node 1 hears that a majority has x=1: committed, for ever",
        "Nodes 2 and 3 hear that x=1 is committed",
        "Node 1 and the others cannot reach each other any more",
        "A client asks node 1 for x=2. What node 1 sends to nodes 2 and 3 is lost: x=2",
        "Node 3 has heard of no leader for too long. It begins term 2",
        "Node 3 has 2 votes, its own included, and so a majority: it leads term 2",
        "A client asks node 3 for x=3",
        "Node 3 hears that a majority has x=3: committed, for ever",
        "All can reach each other again",
        "Nodes 2 and 3 are in term 2, and tell node 1, which is not",
        "Node 1, which led term 1, hears of term 2, and steps down",
        "Node 1 replaces x=2, which was never committed, by the empty entry of term 2 and x=3",
    ):
        assert words in captions[place:], words
        place = captions.index(words, place)


def test_everything_holds_at_every_step(story: list[Step]) -> None:
    for step in story:
        assert len(step.invariants) == 6
        assert all(step.invariants.values())


def test_a_write_to_a_leader_that_is_alone_is_never_committed(story: list[Step]) -> None:
    leaders = [{node for node, lives in step.state["lives"].items() if lives[-1][0] == "leader"} for step in story]
    assert {1, 3} in leaders, "for a while there are two"
    for step in story:
        for log in step.state["logs"].values():
            assert not any(entry["text"] == "x=2" and entry["committed"] for entry in log)
    last = story[-1].state["logs"]
    assert [entry["text"] for entry in last[1]] == ["", "x=1", "", "x=3"]
    assert all(entry["committed"] for log in last.values() for entry in log)


def test_every_message_is_an_arrow(story: list[Step]) -> None:
    arrows = story[-1].state["arrows"]
    assert {arrow["kind"] for arrow in arrows} == {"vote", "entries", "heartbeat"}
    for arrow in arrows:
        assert arrow["begin"][0] < arrow["end"][0]
        cut = any(cut["begin"] <= arrow["begin"][0] < cut["end"] for cut in story[-1].state["cuts"])
        assert arrow["lost"] == (cut and 1 in (arrow["begin"][1], arrow["end"][1]))
    for number, step in enumerate(story):
        assert len(step.state["columns"]) == number + 1
        assert {mark.key for mark in draw_cluster(step.state).marks}


def test_a_crash_leaves_what_is_on_the_disk() -> None:
    commands = [Command(190, "propose", (1,), "put x 1"), Command(230, "crash", (1,)), Command(380, "restart", (1,))]
    steps = list(trace(commands, 520, seed=STORY_SEED))
    lives = steps[-1].state["lives"][1]
    assert [role for role, _ in lives].count("") > 3
    assert [entry["text"] for entry in steps[-1].state["logs"][1]][:2] == ["", "x=1"]
    assert any("switched on, with its term, its vote and its log" in step.caption for step in steps)
    for step in steps:
        draw_cluster(step.state)
    assert any(arrow["lost"] for arrow in steps[-1].state["arrows"]), "nobody takes what is sent to a node that is down"


def test_a_node_that_does_not_lead_refuses() -> None:
    captions = [step.caption for step in trace([Command(5, "propose", (2,), "put x 1")], 10)]
    assert captions[1] == "A client asks node 2 for x=1. Node 2 does not lead, and refuses."


@pytest.mark.parametrize("command", [Command(5, "explode", (1,)), Command(5, "crash", (9,))])
def test_commands_that_cannot_be(command: Command) -> None:
    with pytest.raises(InputError):
        list(trace([command], 50))
