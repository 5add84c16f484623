"""The page holds every step, lets no text out as markup, and asks no host for anything."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib._core.kernel import kernel
from smlib._core.trace import Step
from smlib.errors import InputError
from smlib.viz import Mark, Scene, Trace, rect, text
from smlib.viz.player import encode, find_source, highlight

ESCAPE = """</script></SCRIPT ><script>alert(1)</script><img src=x onerror="alert(1)"> <!-- ]]> & ' " &lt; {title}"""


def count(n: int) -> int:
    """Return one more; say </script><script>alert(1)</script><!-- on the way."""
    return n + 1


@kernel
def count_compiled(n: int) -> int:
    """Return one more."""
    return n + 1


def decode(encoded: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Add up the differences: `decode` of player.js, statement for statement."""
    marks: dict[int, dict[str, Any]] = {}
    scenes = []
    for step in encoded:
        marks = dict(marks)
        for numbers, changed in step["changes"]:
            for number in numbers:
                if changed is None:
                    del marks[number]
                else:
                    merged = {**marks.get(number, {}), **changed}
                    marks[number] = {name: value for name, value in merged.items() if value is not None}
        if "order" in step:
            marks = {number: marks[number] for number in step["order"]}
        scenes.append(list(marks.values()))
    return scenes


def plain(scene: Scene) -> list[dict[str, Any]]:
    return [{"tag": mark.tag, **mark.attributes} for mark in scene.marks]


values = st.one_of(st.integers(0, 2), st.sampled_from([0.5, "a", ""]))
marks = st.builds(
    Mark,
    key=st.sampled_from("abcdef"),
    tag=st.sampled_from(["rect", "text"]),
    attributes=st.dictionaries(st.sampled_from(["x", "y", "class", "width", "text"]), values),
)
scenes = st.builds(
    lambda unique: Scene(10, 10, tuple(unique)), st.lists(marks, max_size=6, unique_by=lambda mark: mark.key)
)


@given(st.lists(scenes, min_size=1, max_size=6))
def test_differences_add_up_to_each_scene(sequence: list[Scene]) -> None:
    encoded = json.loads(json.dumps(encode(sequence)))
    assert decode(encoded) == [plain(scene) for scene in sequence]


def test_only_what_changed_is_written() -> None:
    before = Scene(9, 9, (rect("a", 0, 0, 1, 1, "old"), rect("b", 0, 0, 1, 1, "old"), rect("c", 0, 0, 1, 1, "old")))
    after = Scene(9, 9, (rect("a", 0, 0, 1, 1, "new"), rect("c", 0, 0, 1, 1, "new"), rect("d", 2, 0, 1, 1)))
    start, repeat, step = encode([before, before, after])
    assert len(start["changes"]) == 3
    assert repeat == {"changes": []}
    new = {"tag": "rect", "x": 2, "y": 0, "width": 1, "height": 1}
    assert step == {"changes": [([1], None), ([0, 2], {"class": "new"}), ([3], new)]}


def test_order_is_written_where_it_changes() -> None:
    a, b = rect("a", 0, 0, 1, 1), rect("b", 0, 0, 1, 1)
    assert encode([Scene(1, 1, (a, b)), Scene(1, 1, (b, a))])[1] == {"changes": [], "order": [1, 0]}


class Elements(HTMLParser):
    """The elements of a page with their attributes, and what the scripts and styles contain."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.contents: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.contents.append((self.cdata_elem, data))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def hostile_trace(source: Callable[..., Any] = count) -> Trace:
    steps = [Step(f"{ESCAPE} {n}", {"n": n}, source, {ESCAPE: n % 2 == 0}, question=ESCAPE) for n in range(3)]
    return Trace(ESCAPE, steps, lambda state: Scene(9, 9, (text("t", state["n"], 0, ESCAPE, ESCAPE),)), note=ESCAPE)


def test_no_text_gets_out_as_markup() -> None:
    page = hostile_trace().to_html()
    elements = Elements(page)
    assert len(elements.named("script")) == 2
    assert elements.named("img") == []
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    assert page.count("<!--") == 0
    recording = next(json.loads(data) for tag, data in elements.contents if tag == "script")
    assert [step["caption"] for step in recording] == [f"{ESCAPE} {n}" for n in range(3)]
    assert [step["invariants"] for step in recording] == [[[ESCAPE, True]], [[ESCAPE, False]], [[ESCAPE, True]]]
    assert {step["question"] for step in recording} == {ESCAPE}
    assert html.escape("</script><script>alert(1)</script><!-- on the way") in page


def test_page_asks_no_host_for_anything() -> None:
    page = hostile_trace().to_html()
    assert set(re.findall(r"\w+://[^\s\"'<]*", page)) == {"http://www.w3.org/2000/svg"}
    loads = ("src", "href", "srcset", "action", "style")
    for tag, attributes in Elements(page).found:
        assert all(attributes.get(name) in (None, "data:,") for name in loads), tag
    for word in ("@import", "url(", "fetch(", "XMLHttpRequest", "WebSocket", "eval(", "new Function", "innerHTML"):
        assert word not in page, word


def test_policy_allows_the_pages_own_script_and_style_and_nothing_else() -> None:
    elements = Elements(hostile_trace().to_html())
    policy = next(item["content"] for item in elements.named("meta") if "http-equiv" in item) or ""
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed.keys() == {"default-src", "img-src", "style-src", "script-src"}
    assert allowed["default-src"] == "'none'"
    style = "".join(data for tag, data in elements.contents if tag == "style")
    scripts = [data for tag, data in elements.contents if tag == "script"]
    assert allowed["style-src"] == digest(style)
    assert allowed["script-src"] == digest("".join(scripts[1:]))


def digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def test_first_step_stands_in_the_page_without_the_script() -> None:
    page = hostile_trace().to_html()
    elements = Elements(page)
    assert len(elements.named("svg")) == 1
    assert elements.named("svg")[0]["aria-label"] == ESCAPE
    caption = next(item for item in elements.named("p") if item.get("id") == "caption")
    assert caption["aria-live"] == "polite"
    assert "✓" in page
    slider = elements.named("input")[0]
    assert (slider["min"], slider["max"]) == ("0", "2")


def test_notebook_shows_the_same_page_in_a_frame() -> None:
    trace = hostile_trace()
    (frame,) = Elements(trace._repr_html_()).named("iframe")
    assert frame["srcdoc"] == trace.to_html()
    assert frame["sandbox"] == "allow-scripts"


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        return function(*arguments)

    return call


@pytest.mark.interpreted
@pytest.mark.parametrize("function", [count_compiled, wrapped(count_compiled), functools.cache(count_compiled)])
def test_source_is_that_of_the_plain_function(function: Callable[..., Any]) -> None:
    source = find_source(function)
    assert source.name == "count_compiled"
    assert source.place == "test_player.py" or source.place.endswith("/test_player.py")
    assert source.text.splitlines()[:2] == ["@kernel", "def count_compiled(n: int) -> int:"]
    with open(__file__, encoding="utf-8") as file:
        assert file.read().splitlines()[source.first_line - 1] == "@kernel"


def test_source_of_the_library_is_named_from_its_package() -> None:
    from smlib.viz import record

    assert find_source(record).place == "smlib/viz/__init__.py"
    assert find_source(Scene.__post_init__).place == "smlib/viz/scene.py"


def test_source_that_is_not_at_hand_is_no_failure() -> None:
    assert find_source(len).text == "# Its source is not at hand."


def test_each_function_is_shown_once_and_only_the_steps_own() -> None:
    steps = [Step("", {}, source, {}) for source in (count, count_compiled, count)]
    page = Trace("Two", steps, lambda state: Scene(1, 1, ())).to_html()
    shown = [item for item in Elements(page).named("figure") if item.get("class") == "source"]
    assert ["hidden" in item for item in shown] == [False, True]
    recording = next(json.loads(data) for tag, data in Elements(page).contents if tag == "script")
    assert [step["source"] for step in recording] == [0, 1, 0]


@pytest.mark.parametrize(
    "source", ["def f(x):\n    '''</i>\n    <b>'''\n    return x < 1  # & <i>\n", "x = (1,", "  '''"]
)
def test_highlighting_changes_no_character(source: str) -> None:
    assert html.unescape(re.sub("</?[bi]>", "", highlight(source))) == source


def test_svg_of_a_step() -> None:
    trace = hostile_trace()
    assert trace.to_svg(-1) == trace.to_svg(2)
    assert 'transform="translate(2 0)"' in trace.to_svg(2)
    with pytest.raises(InputError, match="no step 3"):
        trace.to_svg(3)


def test_a_trace_needs_a_step() -> None:
    with pytest.raises(InputError, match="'Empty'"):
        Trace("Empty", [], lambda state: Scene(1, 1, ()))
