"""Facts as text: a file in a few lines, and a page with a picture of what lies where in it."""

from __future__ import annotations

from collections.abc import Iterator

from smlib.storage.bplustree.chains import LINK, body_size
from smlib.storage.bplustree.inspection import FileFacts
from smlib.storage.bplustree.meta import Meta
from smlib.storage.bplustree.page_facts import NAMES, PageFacts
from smlib.storage.bplustree.pages import HEAD

# A picture is one line of so many characters; cells are letters, in the order of their keys.
PICTURE, LETTERS = 64, "abcdefghijklmnopqrstuvwxyz"
PAGES_OF = {"leaf": "leaves", "branch": "branches", "overflow": "overflow", "free": "free", "list": "list of the free"}


def draw_proof(meta: Meta, both: bool) -> list[str]:
    """Return what `check_file` has proved as lines: that it is, figures, and what else is to be known."""
    figures = {"items": meta.items, "depth": meta.depth, "pages": meta.next_page, "transaction": meta.transaction}
    lines = [
        "whole: invariants 1 to 6 of a B+tree hold",
        ", ".join(f"{name} {value:,}" for name, value in figures.items()),
    ]
    if not both:
        what = "the last commit was cut short, or lost by damage"
        lines.append(f"but meta page {1 - meta.place} is not whole: {what}")
    return lines


def list_damage(file: FileFacts) -> list[str]:
    """Return what is wrong with a file as lines."""
    wrong = [file.trouble] if file.trouble else []
    return wrong + [f"page {number}, byte {number * file.page_size}: {what}" for number, what in file.damaged.items()]


def draw_file(file: FileFacts) -> str:
    """Return a file as text: its meta pages, its tree, what its pages are for, and a line a level."""
    tree = file.tree
    lines = [f"file         {file.size:,} bytes, pages of {file.page_size:,}"]
    for page in file.meta_pages:
        says = [f"{name} {page.meta[name]}" for name in ("transaction", "root")] if page.meta else []
        newer = ", the newer" if page.number == file.newer else ""
        lines.append(f"meta page {page.number}  {page.damage or ', '.join(says)}{newer}")
    if tree is not None:
        lines.append(f"tree         items {tree['items']:,}, depth {tree['depth']}, pages {tree['next_page']:,}")
    counts = [f"{PAGES_OF[use]} {count:,}" for use, count in file.pages.items()]
    lines.append(f"pages        {', '.join(counts)}, not reached {file.unreached:,}")
    lines.append(f"mean fill    leaves {percent(file.leaf_fill)}, branches {percent(file.branch_fill)}")
    if file.levels:
        lines += ["", "level  kind           pages         cells   fill"]
    for depth, level in enumerate(file.levels, start=1):
        lines.append(f"{depth:>5}  {level.kind:<8}{level.pages:>12,}{level.cells:>14,}{percent(level.fill):>7}")
    return "\n".join(lines)


def percent(share: float | None) -> str:
    """Return a share in hundredths."""
    return "-" if share is None else f"{share:.0%}"


def draw_page(page: PageFacts) -> str:
    """Return a page as text: its head, a picture of its bytes in proportion, and what it holds."""
    state = "whole" if page.damage is None else f"DAMAGED: {page.damage}"
    lines = [f"page {page.number}, byte {page.number * page.size}: {page.kind}, {state}"]
    lines += ["head: " + ", ".join(f"{name} {page.head[name]}" for name in NAMES[1:])] if page.head else []
    lines.append("")
    if page.damage is not None:
        lines += dump(page.beginning)
    elif page.meta is not None:
        lines += [f"{name:<12}{value}" for name, value in page.meta.items()]
    elif page.used is not None:
        rest = body_size(page.size) - page.used
        lines += [
            picture(page.size, [("=", 0, HEAD), (":", HEAD, LINK), ("#", HEAD + LINK, page.used)]),
            f"= head {HEAD}   : link {LINK}   # used {page.used}   . not used {rest}",
            "",
            f"goes on in page {page.next_page}" if page.next_page else "the end of its chain",
        ]
        lines += ["free pages: " + " ".join(map(str, page.free_pages))] if page.kind == "list" else []
    else:
        lines += draw_cells(page)
    return "\n".join(lines)


def draw_cells(page: PageFacts) -> Iterator[str]:
    """Yield the picture of a page of the tree, what the characters mean, and a line a cell."""
    slots, floor, holes = 2 * len(page.cells), page.head["floor"], page.head["holes"]
    letters = [LETTERS[place % len(LETTERS)] for place in range(len(page.cells))]
    parts = [("=", 0, HEAD), (":", HEAD, slots), ("-", floor, page.size - floor)]
    parts += [(letter, cell.begin, cell.size) for letter, cell in zip(letters, page.cells, strict=True)]
    yield picture(page.size, parts)
    yield (
        f"= head {HEAD}   : slots {slots}   . gap {floor - HEAD - slots}   - holes {holes}   "
        f"a, b, ... cells {page.size - floor - holes}   fill {percent(page.fill)}"
    )
    yield ""
    for letter, cell in zip(letters, page.cells, strict=True):
        if cell.value is not None:
            what = f"{cell.value_size} bytes, {shorten(cell.value)}"
        elif cell.value_size is not None:
            what = f"{cell.value_size} bytes, -> page {cell.page}"
        else:
            what = f"-> page {cell.page}"
        yield f"{letter}  {cell.begin:>5} +{cell.size:<5} {shorten(cell.key)}  {what}"


def picture(size: int, parts: list[tuple[str, int, int]]) -> str:
    """Return a line of characters: each is what lies in the midst of its share of a page."""
    ground = bytearray(b"." * size)
    for letter, begin, length in parts:
        ground[begin : begin + length] = letter.encode() * length
    step = size // PICTURE
    return ground[step // 2 :: step].decode()


def shorten(data: bytes) -> str:
    """Return bytes as Python writes them, without the middle of long ones."""
    return repr(data) if len(data) <= 24 else f"{data[:12]!r}...{data[-12:]!r}"


def dump(data: bytes) -> Iterator[str]:
    """Yield bytes as numbers and as characters, 16 a line."""
    for begin in range(0, len(data), 16):
        part = data[begin : begin + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"{begin:>5}  {part.hex(' '):<47}  {text}"
