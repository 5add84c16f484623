"""Annotated source: a file as a page, with what it says about itself on the left and what it does on the right.

A file is cut into rows. A function or class begins a row, with its name as heading and its docstring as prose; within
it, a comment that stands on lines of its own begins the next one. No line of code is left out, and none is moved.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass, field

from prose import Link, fence, to_markdown

# Comments that speak to a tool and not to a reader stay in the code.
DIRECTIVE = re.compile(r"#\s*(type:|noqa|fmt:|pragma:|ruff:|mypy:)")


@dataclass(slots=True)
class Row:
    """A piece of code with what is said about it; ``name`` where a function or class begins."""

    name: str = ""
    depth: int = 0
    remarks: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The code without blank lines before and after it."""
        return "\n".join(self.lines).strip("\n").rstrip()


def cut(source: str) -> tuple[str, list[Row]]:
    r"""Return the docstring of a module, and the rest of it as rows.

    >>> essay, rows = cut("'Sums.'\ndef add(a, b):\n    'Add.'\n    return a + b")
    >>> essay, rows[0].name, rows[0].remarks, rows[0].code
    ('Sums.', 'add', ['Add.'], 'def add(a, b):\n    return a + b')
    """
    tree = ast.parse(source)
    begins, after = _find_definitions(tree)
    docstrings = _find_docstrings(tree)
    comments = _find_comments(source)
    lines = source.splitlines()

    essay = ""
    rows = [Row()]
    number = 1
    while number <= len(lines):
        if number in begins or number in after:
            if rows[-1].code:
                rows.append(Row())
            rows[-1].name, rows[-1].depth = begins.get(number, ("", 0))
        if number in docstrings:
            number, text = docstrings[number]
            if rows == [Row()]:
                essay = text
            else:
                rows[-1].remarks.append(text)
        elif number in comments:
            if rows[-1].code:
                rows.append(Row())
            begin = number
            while number in comments:
                number += 1
            rows[-1].remarks.append("\n".join(comments[line] for line in range(begin, number)))
        else:
            rows[-1].lines.append(lines[number - 1])
            number += 1
    return essay, [row for row in rows if row.code or row.remarks]


def render(rows: list[Row], link: Link) -> str:
    """Return rows as Markdown, with divisions for the style sheet to set side by side."""
    pieces = ['<div class="annotated" markdown="1">']
    seen: set[str] = set()
    for row in rows:
        # A name that is defined again, as overloads are, has its anchor where it comes first.
        place = "" if row.name in seen else f" {{ #{anchor(row.name)} }}"
        seen.add(row.name)
        prose = [f"{'#' * (row.depth + 2)} `{row.name}`{place}"] if row.name else []
        prose += [to_markdown(remark, link) for remark in row.remarks]
        pieces += [
            f'<div class="row{" begins" if row.name else ""}" markdown="1">',
            '<div class="prose" markdown="1">\n',
            "\n\n".join(prose),
            '\n</div>\n<div class="code" markdown="1">\n',
            fence(row.code, "python") if row.code else "",
            "\n</div>\n</div>",
        ]
    return "\n".join([*pieces, "</div>\n"])


def anchor(name: str) -> str:
    """Return the anchor of a function, class or method on its page; Markdown would take paired underscores for bold."""
    return name.replace(".", "-").rstrip("_")


def definitions(source: str) -> list[str]:
    r"""Return the names of functions, classes and methods (``Class.method``) in their order.

    >>> definitions("class A:\n    def b(self): ...\ndef c(): ...")
    ['A', 'A.b', 'c']
    """
    return [name for name, _ in _find_definitions(ast.parse(source))[0].values()]


def excerpt(source: str, name: str) -> str:
    r"""Return the code of one function or class with its decorators, without its docstring.

    >>> excerpt("x = 1\n@decorated\ndef f():\n    'F.'\n    return x\ny = 2\n", "f")
    '@decorated\ndef f():\n    return x'
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            lines = source.splitlines()
            begin, end = _first_line(node) - 1, node.end_lineno
            if ast.get_docstring(node) and len(node.body) > 1:
                docstring = node.body[0]
                return "\n".join([*lines[begin : docstring.lineno - 1], *lines[docstring.end_lineno : end]])
            return "\n".join(lines[begin:end])
    raise LookupError(f"no function or class named {name}")


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min(node.lineno, *(decorator.lineno for decorator in node.decorator_list), node.lineno)


def _find_definitions(tree: ast.Module) -> tuple[dict[int, tuple[str, int]], set[int]]:
    """Return where definitions begin (with name and depth), and where other code of the module follows one."""
    begins: dict[int, tuple[str, int]] = {}
    after: set[int] = set()

    def visit(body: list[ast.stmt], prefix: str, depth: int) -> None:
        following = False
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                begins[_first_line(node)] = (prefix + node.name, depth)
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{prefix}{node.name}.", depth + 1)
                following = True
            elif following:
                after.add(node.lineno)
                following = False

    visit(tree.body, "", 0)
    return begins, after


def _find_docstrings(tree: ast.Module) -> dict[int, tuple[int, str]]:
    """Return the docstrings by their first line, each with the line that follows it."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            # A function that is nothing but its docstring keeps it: without it the code would not be complete.
            if text and (len(node.body) > 1 or isinstance(node, ast.Module)):
                first = node.body[0]
                found[first.lineno] = ((first.end_lineno or first.lineno) + 1, text)
    return found


def _find_comments(source: str) -> dict[int, str]:
    """Return the text of each comment that has its line for itself."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#") and not DIRECTIVE.match(token.string):
            found[token.start[0]] = token.string.removeprefix("#").removeprefix(" ")
    return found
