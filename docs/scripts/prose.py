"""Docstrings and comments as Markdown: what reads well in a terminal shall read well on a page.

The house writes docstrings as plain text with a little of reStructuredText: ``double backticks`` and `single` ones,
paragraphs that end in ``::`` before an indented block, lists that are indented below their sentence, doctests, and
numpydoc's sections (a title with a line of dashes below). Each has one counterpart in Markdown.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator

# From a name in single backticks to the address of what explains it, or None.
Link = Callable[[str], str | None]

# Sections that list names, each with an indented description; the text of all others runs.
LISTS = {"Parameters", "Other Parameters", "Attributes", "Returns", "Yields", "Raises", "Methods"}

# Stands for the description that the last name of a list does not have.
NOTHING = '<i class="none"></i>'

ITEM = re.compile(r"( *)(?:[-*]|\d+\.) +(?=\S)")
# A few words that say what a paragraph of an essay is about: "The idea. ...", "Cost: ...".
LEAD = re.compile(r"[A-Z][\w-]*(?: [\w-]+){0,3}(?:\.(?= [A-Z`\d])|(?:, [\w ]+)?:(?=\s|$))")
CODE = re.compile(r"``(.+?)``|`([^`]+)`", re.DOTALL)


def to_markdown(text: str, link: Link = lambda name: None, *, essay: bool = False) -> str:
    r"""Return a docstring, or the text of a comment, as Markdown.

    In an ``essay``, the docstring of a module, the few words that say what a paragraph is about are set in bold.

    >>> print(to_markdown("The mean. This is ``x``::\n\n    sum / n\n\nIt:\n  1. is central,\n  2. moves.", essay=True))
    **The mean.** This is `x`:
    <BLANKLINE>
    ```text
    sum / n
    ```
    <BLANKLINE>
    **It:**
    <BLANKLINE>
    1. is central,
    2. moves.
    """
    parts = []
    for title, body in _sections(inspect.cleandoc(text).splitlines()):
        if title:
            parts.append(f"{title}\n{{: .section }}")
        parts += _definitions(body, link) if title in LISTS else _blocks(body, link, essay)
    return "\n\n".join(parts)


def summary(text: str, link: Link = lambda name: None) -> str:
    """Return the first paragraph of a docstring as one line of Markdown."""
    return " ".join(_inline(inspect.cleandoc(text).split("\n\n")[0], link).split())


def _sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the text before the first section under the title "", then each section."""
    title, begin = "", 0
    for number in range(1, len(lines)):
        if re.fullmatch(r"---+", lines[number]) and lines[number - 1].strip():
            yield title, lines[begin : number - 1]
            title, begin = lines[number - 1].strip(), number + 1
    yield title, lines[begin:]


def _definitions(lines: list[str], link: Link) -> list[str]:
    """Return a definition list: ``name : type`` with a description that is indented below it."""
    items: list[tuple[str, list[str]]] = []
    for line in lines:
        if line and not line.startswith(" "):
            items.append((line, []))
        elif items:
            items[-1][1].append(line)
    result = []
    terms = ""  # those that have no description stand above the next one that has
    for number, (term, description) in enumerate(items, start=1):
        names, colon, kind = term.partition(" : ")
        head = f"`{names}` <small>{_inline(kind, link)}</small>" if colon else f"`{names}`"
        body = "\n\n".join(_blocks(textwrap.dedent("\n".join(description)).splitlines(), link))
        if body or number == len(items):
            result.append(f"{terms}{head}\n:   {textwrap.indent(body, '    ')[4:] or NOTHING}")
            terms = ""
        else:
            terms += f"{head}\n"
    return result


def _blocks(lines: list[str], link: Link, essay: bool = False) -> list[str]:
    """Return paragraphs, lists, doctests and literal blocks, each as one piece of Markdown."""
    result: list[str] = []
    literal = False
    number = 0
    while number < len(lines):
        begin = number
        if not lines[number].strip():
            number += 1
        elif lines[number].startswith(" ") and (literal or not ITEM.match(lines[number])):
            while number < len(lines) and (lines[number].startswith(" ") or not lines[number].strip()):
                number += 1
            code = textwrap.dedent("\n".join(lines[begin:number])).strip("\n")
            result.append(fence(code, "python" if _is_python(code) else "text"))
            literal = False
        elif lines[number].startswith(">>>"):
            while number < len(lines) and (lines[number].strip() or lines[number + 1 : number + 2] == [">>>"]):
                number += 1
            result.append(fence("\n".join(lines[begin:number]), "pycon"))
        elif item := ITEM.match(lines[number]):
            indent = len(item[1])
            while number < len(lines) and (lines[number].strip() or _goes_on(lines, number, indent)):
                number += 1
            result.append(_inline(textwrap.dedent("\n".join(lines[begin:number])), link))
        else:
            while number < len(lines) and lines[number].strip() and not _begins_list(lines[number], number > begin):
                number += 1
            paragraph = "\n".join(lines[begin:number]).strip()
            literal = paragraph.endswith("::")
            if literal:
                paragraph = paragraph[:-2].rstrip() + ":" if paragraph != "::" else ""
            if paragraph:
                lead = LEAD.match(paragraph) if essay else None
                bold = f"**{lead[0]}**" if lead else ""
                result.append(bold + _inline(paragraph[lead.end() if lead else 0 :], link))
    return result


def _begins_list(line: str, within: bool) -> bool:
    """Say whether a list begins here, indented below the sentence that announces it."""
    item = ITEM.match(line)
    return within and item is not None and len(item[1]) > 0


def _goes_on(lines: list[str], number: int, indent: int) -> bool:
    """Say whether a list goes on after the blank line at ``number``."""
    following = lines[number + 1] if number + 1 < len(lines) else ""
    item = ITEM.match(following)
    return (item is not None and len(item[1]) == indent) or following.startswith(" " * (indent + 2))


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return bool(re.search(r"[=(]", code))


def fence(code: str, language: str) -> str:
    r"""Return a fenced block; the fence is longer than any within.

    >>> fence("x = 1", "python")
    '```python\nx = 1\n```'
    """
    ticks = max((len(run) for run in re.findall(r"`{3,}", code)), default=2) + 1
    return f"{'`' * ticks}{language}\n{code}\n{'`' * ticks}"


def _inline(text: str, link: Link) -> str:
    """Return running text as Markdown: code in single backticks, names that are explained somewhere as links."""
    pieces, done = [], 0
    for span in CODE.finditer(text):
        pieces.append(_escape(text[done : span.start()]))
        code = " ".join((span[1] or span[2]).split())
        target = link(code) if span[2] else None
        pieces.append(f"[`{code}`]{target}" if target else f"`{code}`")
        done = span.end()
    return "".join([*pieces, _escape(text[done:])])


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("$", "&#36;")
