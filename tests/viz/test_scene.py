"""Marks become SVG that any reader of XML takes, and the style sheets keep their texts legible."""

from __future__ import annotations

import re
from importlib.resources import files
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import InputError
from smlib.viz import Scene, circle, polyline, rect, text
from smlib.viz.scene import escape, render, render_alone

SVG = "{http://www.w3.org/2000/svg}"


def test_each_kind_of_mark_becomes_its_element() -> None:
    marks = (
        rect("r", 1, 2, 30, 4.126, "cell", radius=2),
        circle("c", 5, 6, 7),
        polyline("p", [(0, 0), (10.5, 1 / 3), (20, -0.001)], "curve"),
        text("t", 8, 9, "words", anchor="middle"),
    )
    root = ET.fromstring(render(Scene(100, 50, marks), "label"))  # noqa: S314
    assert root.get("viewBox") == "0 0 100 50"
    assert root.get("aria-label") == "label"
    found = [(element.tag.removeprefix(SVG), element.attrib, element.text) for element in root]
    assert found == [
        ("rect", {"transform": "translate(1 2)", "class": "cell", "width": "30", "height": "4.13", "rx": "2"}, None),
        ("circle", {"transform": "translate(5 6)", "r": "7"}, None),
        ("path", {"transform": "translate(0 0)", "class": "curve", "d": "M0 0L10.5 0.33L20 0"}, None),
        ("text", {"transform": "translate(8 9)", "text-anchor": "middle"}, "words"),
    ]


@given(st.text(st.characters(codec=None)))
def test_any_text_stays_text(content: str) -> None:
    scene = Scene(10, 10, (text("t", 0, 0, content, css=content),))
    root = ET.fromstring(render_alone(scene, content))  # noqa: S314
    style, ground, mark = root
    assert [style.tag, ground.tag, mark.tag] == [f"{SVG}style", f"{SVG}rect", f"{SVG}text"]
    assert len(mark) == 0
    legible = "".join(c for c in content if c.isprintable() and c not in "\ufffd")
    assert "".join(c for c in mark.text or "" if c.isprintable() and c not in "\ufffd") == legible


def test_what_xml_forbids_is_replaced() -> None:
    assert escape("a\x00b\ud800c\uffffd\n") == "a\ufffdb\ufffdc\ufffdd\n"


def test_a_drawing_of_its_own_knows_light_and_dark() -> None:
    drawing = render_alone(Scene(10, 10, ()), "")
    assert "prefers-color-scheme: dark" in drawing
    assert 'class="ground"' in drawing


def test_two_marks_cannot_have_one_key() -> None:
    with pytest.raises(InputError, match="'a'"):
        Scene(1, 1, (circle("a", 0, 0, 1), rect("a", 0, 0, 1, 1)))


@pytest.mark.parametrize("sheet", ["scene.css", "player.css"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(sheet: str, scheme: str) -> None:
    css = files("smlib.viz").joinpath(sheet).read_text(encoding="utf-8")
    colours = re.findall(r"--([\w-]+): (#\w{6})", css)
    names = [name for name, _ in colours]
    assert len(names) == 2 * len(set(names)), "each colour has a light and a dark value"
    half = len(names) // 2
    palette = dict(colours[:half] if scheme == "light" else colours[half:])
    grounds = [palette[name] for name in ("ground", "panel") if name in palette]
    for name in palette.keys() & {"ink", "quiet", "first", "second", "accent", "good", "bad"}:
        assert min(contrast(palette[name], ground) for ground in grounds) >= 4.5, name
    if "accent" in palette:
        assert contrast(palette["accent"], palette["on-accent"]) >= 4.5
        assert contrast(palette["edge"], palette["ground"]) >= 3.0


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours as the Web Content Accessibility Guidelines define it."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
