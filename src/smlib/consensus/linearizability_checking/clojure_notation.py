"""Values in Clojure's notation, as far as histories have them: nil, true, 42, "text", :name, [1 2], {:a 1}.

Commas are blanks. A vector becomes a tuple, a map a dict, and a keyword the text that it is, with its colon::

    {:process 3, :value [1 nil]}        {":process": 3, ":value": (1, None)}

Invariants:
  1. Whatever the text is, reading ends with a value or ValueError; nothing is evaluated.

Cost: O(n).

The Clojure authors, *Extensible Data Notation* (2014).
"""

from __future__ import annotations

import re
from typing import Any

BLANK = re.compile(r"[\s,]*")
TOKEN = re.compile(
    r'"(?P<text>(?:[^"\\]|\\.)*)"|(?P<keyword>:[^\s,\[\]{}"]+)|(?P<number>-?\d+)(?![\w.])|(?P<constant>nil|true|false)(?!\w)'
)
CONSTANTS = {"nil": None, "true": True, "false": False}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
CLOSING = {"[": "]", "{": "}"}
DEEPEST = 50


def read_value(text: str, place: int, depth: int = 0) -> tuple[Any, int]:
    """Read the value at a place of a text; return it, and where it ends. ValueError says what is wrong.

    >>> read_value('{:value [1 nil "a"]} and more', 0)
    ({':value': (1, None, 'a')}, 20)
    """
    place = _skip(text, place)
    opening = text[place : place + 1]
    if opening in CLOSING and opening:
        if depth == DEEPEST:
            raise ValueError("brackets are nested too deeply")
        items = []
        place = _skip(text, place + 1)
        while text[place : place + 1] != CLOSING[opening]:
            item, place = read_value(text, place, depth + 1)
            items.append(item)
            place = _skip(text, place)
        if opening == "[":
            return tuple(items), place + 1
        if len(items) % 2 or not all(isinstance(name, str) for name in items[::2]):
            raise ValueError("a map must have a name and a value in turn")
        return dict(zip(items[::2], items[1::2], strict=True)), place + 1
    match = TOKEN.match(text, place)
    if match is None:
        raise ValueError(f"no value begins at column {place + 1}")
    return _convert(match), match.end()


def _skip(text: str, place: int) -> int:
    match = BLANK.match(text, place)
    return match.end() if match else place


def _convert(match: re.Match[str]) -> Any:
    if match["number"] is not None:
        return int(match["number"])
    if match["text"] is not None:
        return re.sub(r"\\(.)", _unescape, match["text"])
    return match["keyword"] or CONSTANTS[match["constant"]]


def _unescape(match: re.Match[str]) -> str:
    if match[1] not in ESCAPES:
        raise ValueError(f"there is no escape \\{match[1]}")
    return ESCAPES[match[1]]
