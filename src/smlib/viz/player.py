r"""The player: a recording as one HTML page with everything in it, and no word to any host.

What the page holds. The picture of the first step stands in the page as plain SVG. The steps follow as JSON, each as
its *difference* from the one before, for most of a picture stays as it is::

    step 0   every mark, with all its attributes         mark 7: {"tag": "rect", "x": 10, "class": "heat-3", ...}
    step 1   what changed, by the marks' numbers         marks 7, 8: {"class": "heat-4"}       mark 9: gone

``player.js`` adds the differences up again when the page opens, and then moves from scene to scene by number: the
element of a mark stays, its attributes change, and the style sheet makes the change a movement.

Why it is safe to open. Captions, source text and marks come from whoever wrote the trace. As HTML they are escaped;
in the JSON every ``<`` is written ``\u003c``, so that no text can close the script element. And the page's own
policy has the browser run one script and apply one style sheet, known by their digests, and load nothing from
anywhere.

Invariants, checked by the tests:
  1. Adding up the differences gives the scene of each step, mark for mark and in order.
  2. No text that goes in comes out as markup.

Cost: O(marks) time a step; the page grows by the changes, not by the marks.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import io
import json
import keyword
import textwrap
import tokenize
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from smlib._core.trace import Step
from smlib.viz.scene import Scene, escape, render, stylesheet

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div class="stage">
<section class="told" id="told">
<p class="count" id="count">Step 0 of {last}</p>
<p class="caption" id="caption" role="status" aria-live="polite">{caption}</p>
</section>
<figure class="picture">{picture}</figure>
<div class="controls" role="group" aria-label="Steps">
<input type="range" id="slider" min="0" max="{last}" value="0" aria-label="Step">
<button type="button" id="back">← Back</button>
<button type="button" id="play">Play</button>
<button type="button" id="next">Next →</button>
<button type="button" id="predict" aria-pressed="false">Predict</button>
</div>
<p class="hint"><span><kbd>←</kbd> <kbd>→</kbd> step</span> <span><kbd>Home</kbd> <kbd>End</kbd> to the ends</span>
<span><kbd>Space</kbd> play</span> <span><kbd>P</kbd> predict</span></p>
</div>
<div class="proof">
{note}<section>
<h2>What must hold</h2>
<ul id="invariants">{invariants}</ul>
</section>
<section>
<h2>The code that ran</h2>
{sources}
</section>
</div>
</main>
<script type="application/json" id="recording">{recording}</script>
<script>{script}</script>
</body>
</html>
"""


class Source(NamedTuple):
    """Where a function stands, and its text."""

    name: str
    place: str
    first_line: int
    text: str


def render_page(title: str, note: str, steps: Sequence[Step], scenes: Sequence[Scene]) -> str:
    """Return the page that plays a recording; ``note`` is a paragraph to stand above it, or empty."""
    functions = list(dict.fromkeys(step.source for step in steps))
    widest = Scene(max(scene.width for scene in scenes), max(scene.height for scene in scenes), scenes[0].marks)
    css = stylesheet() + _asset("player.css")
    script = _asset("player.js")
    recording = [
        {
            "caption": step.caption,
            "question": step.question,
            "invariants": list(step.invariants.items()),
            "source": functions.index(step.source),
            **difference,
        }
        for step, difference in zip(steps, encode(scenes), strict=True)
    ]
    return PAGE.format(
        title=escape(title),
        note=f"<section><h2>What is shown</h2><p>{escape(note)}</p></section>\n" if note else "",
        policy=f"default-src 'none'; img-src data:; style-src {_digest(css)}; script-src {_digest(script)}",
        css=css,
        script=script,
        last=len(steps) - 1,
        caption=escape(steps[0].caption),
        picture=render(widest, title),
        invariants="".join(_invariant(name, holds) for name, holds in steps[0].invariants.items()),
        sources="\n".join(
            _source_figure(find_source(function), hidden=function is not steps[0].source) for function in functions
        ),
        recording=to_script_json(recording),
    )


def encode(scenes: Sequence[Scene]) -> list[dict[str, Any]]:
    """Return what each scene changes in the one before; the first changes an empty one.

    A mark is known by a number, given out as marks appear. ``changes`` lists ``[numbers, attributes]``: what is new or
    different in those marks, where an attribute that is no longer there is None, and instead of all attributes None
    for marks that are gone. ``order`` lists the numbers from the lowest to the topmost mark; it is left out where those
    that stay keep their order and those that come lie on top of them, as they come.
    """
    numbers: dict[tuple[str, str], int] = {}
    shown: dict[int, dict[str, Any]] = {}
    encoded = []
    for scene in scenes:
        after: dict[int, dict[str, Any]] = {}
        for mark in scene.marks:
            after[numbers.setdefault((mark.key, mark.tag), len(numbers))] = {"tag": mark.tag, **mark.attributes}
        stay = [number for number in shown if number in after]
        come = [number for number in after if number not in shown]
        alike: dict[str, tuple[list[int], dict[str, Any]]] = {}
        for number in stay:
            changed = _changed(shown[number], after[number])
            if changed:
                alike.setdefault(repr(changed), ([], changed))[0].append(number)
        gone = [number for number in shown if number not in after]
        changes: list[tuple[list[int], dict[str, Any] | None]] = [(gone, None)] if gone else []
        changes += [*alike.values(), *(([number], after[number]) for number in come)]
        step: dict[str, Any] = {"changes": changes}
        if list(after) != stay + come:
            step["order"] = list(after)
        encoded.append(step)
        shown = after
    return encoded


def find_source(function: Callable[..., Any]) -> Source:
    """Return the text of the plain Python function behind a compiled or wrapped one, and where it stands.

    >>> source = find_source(find_source)
    >>> source.name, source.place
    ('find_source', 'smlib/viz/player.py')
    """
    plain = inspect.unwrap(function)
    name = getattr(plain, "__qualname__", repr(plain))
    module = getattr(plain, "__module__", None) or ""
    try:
        lines, first_line = inspect.getsourcelines(plain)
        path = Path(inspect.getsourcefile(plain) or "")
    except (OSError, TypeError):
        return Source(name, module, 1, "# Its source is not at hand.")
    depth = module.count(".") + (2 if path.name == "__init__.py" else 1)
    return Source(name, "/".join(path.parts[-depth:]), first_line, textwrap.dedent("".join(lines)).rstrip())


def to_script_json(value: Any) -> str:
    r"""Return JSON that can stand in a script element: ASCII, and without a ``<``.

    >>> to_script_json("</script>")
    '"\\u003c/script>"'
    """
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    gone = {name: None for name in before if name not in after}
    return {name: value for name, value in after.items() if before.get(name) != value} | gone


def _invariant(name: str, holds: bool) -> str:
    mark, word = ("✓", "holds") if holds else ("✗", "broken")
    return f'<li class="{word}"><span aria-hidden="true">{mark}</span><b>{word}: </b>{escape(name)}</li>'


def _source_figure(source: Source, *, hidden: bool) -> str:
    lines = source.text.count("\n") + 1
    gutter = "\n".join(str(line) for line in range(source.first_line, source.first_line + lines))
    name, place = escape(source.name), escape(source.place)
    return (
        f'<figure class="source"{" hidden" if hidden else ""}>'
        f"<figcaption><b>{name}</b> in {place}, line {source.first_line}</figcaption>"
        f'<div class="listing" tabindex="0" role="region" aria-label="Source of {name}">'
        f'<pre class="gutter" aria-hidden="true">{gutter}</pre><pre><code>{highlight(source.text)}</code></pre>'
        "</div></figure>"
    )


def highlight(source: str) -> str:
    """Return Python source as HTML: keywords are ``<b>``, comments and strings ``<i>``.

    >>> highlight("return 1  # <one>")
    '<b>return</b> 1  <i># &lt;one&gt;</i>'
    """
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    pieces, done = [], 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            tag = "i" if token.type in (tokenize.COMMENT, tokenize.STRING) else "b"
            if tag == "i" or (token.type == tokenize.NAME and keyword.iskeyword(token.string)):
                begin = starts[token.start[0] - 1] + token.start[1]
                end = starts[token.end[0] - 1] + token.end[1]
                pieces.append(f"{escape(source[done:begin])}<{tag}>{escape(source[begin:end])}</{tag}>")
                done = end
    except (SyntaxError, tokenize.TokenError):
        pass  # A lambda's line may not stand on its own; what is left of it goes without marks.
    return "".join(pieces) + escape(source[done:])


@cache
def _asset(name: str) -> str:
    return files("smlib.viz").joinpath(name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    """Return the digest by which a content security policy allows one script or style element."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
