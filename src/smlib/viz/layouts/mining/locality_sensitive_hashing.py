"""Signatures and bands: a row a text, cut into bands; who meets in the band that is looked at; the candidates below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smlib._core.trace import Step
from smlib.mining.locality_sensitive_hashing.trace import trace
from smlib.mining.min_hashing import NOTHING
from smlib.viz.layouts import Layout
from smlib.viz.scene import Mark, Scene, rect, text

TEXTS = (
    "the dog bit the man on the leg",
    "a cat sat on the mat all day",
    "the dog bit the man on the arm",
    "to be or not to be in the rain",
    "the cat sat on the mat all day",
    "on the leg of the man the dog sat",
)
BANDS, ROWS, SEED = 4, 3, 20

WIDTH, LEFT, TOP = 440, 8.0, 46.0
TEXT_HEIGHT, CELL_HEIGHT, BAND_GAP = 46.0, 22.0, 10.0
LINE, MOST_CANDIDATES = 18.0, 5
# Values are shown as thousandths of the largest one.
SCALE = 1000


def meet_texts() -> Iterator[Step]:
    """Yield the steps of six short texts."""
    return trace(TEXTS, BANDS, ROWS, 0.5, rng=SEED)


def draw_bands(state: Mapping[str, Any]) -> Scene:
    """Draw a step: the texts with their signatures, and the candidates so far."""
    below = TOP + TEXT_HEIGHT * len(state["texts"]) + 12
    height = below + LINE * (MOST_CANDIDATES + 1)
    return Scene(WIDTH, height, (*_draw_signatures(state), *_draw_candidates(state, below)))


def _draw_signatures(state: Mapping[str, Any]) -> Iterator[Mark]:
    signatures, rows, band = state["signatures"], state["rows"], state["band"]
    places = signatures.shape[1]
    bands = places // rows
    cell = (WIDTH - 2 * LEFT - BAND_GAP * (bands - 1)) / places
    met = {d: number for number, group in enumerate(state["met"]) for d in group}
    yield text("title", LEFT, 16, "Texts and their signatures, in thousandths of 2³²", "title")
    for k in range(bands):
        x = LEFT + k * (rows * cell + BAND_GAP)
        css = "title" if k == band else "note"
        yield text(f"band {k}", x + rows * cell / 2 - 1, 36, f"band {k}", css, anchor="middle")
    for d, content in enumerate(state["texts"]):
        y = TOP + TEXT_HEIGHT * d
        yield text(f"text {d}", LEFT, y + 11, f"{d}   {content}", "" if d < state["signed"] else "note")
        for place in range(places):
            k = place // rows
            lit = (d in met and k == band) or (band is None and d == state["signed"] - 1 and place in state["lowered"])
            done = band is not None and k < band
            css = "node lit" if lit and met.get(d, 0) == 0 else "over-2" if lit else "node done" if done else "node"
            x = LEFT + place * cell + k * BAND_GAP
            value = int(signatures[d, place])
            shown = "·" if value == NOTHING else str(SCALE * value >> 32)
            yield rect(f"cell {d} {place}", x, y + 16, cell - 2, CELL_HEIGHT, css, radius=3)
            css = "on-lit" if lit and met.get(d, 0) == 0 else ""
            yield text(f"value {d} {place}", x + cell / 2 - 1, y + 31.5, shown, css, anchor="middle")


def _draw_candidates(state: Mapping[str, Any], top: float) -> Iterator[Mark]:
    candidates, similarities = state["candidates"], state["similarities"]
    yield text("candidates", LEFT, top, f"Candidates: {len(candidates) or 'none yet'}", "title")
    for number, ((c, d), estimate) in enumerate(list(candidates.items())[:MOST_CANDIDATES]):
        told = f"{c} and {d}: signatures agree at {estimate:.0%} of places"
        if (c, d) in similarities:
            told += f"; sets share {similarities[c, d]:.0%}"
        yield text(f"candidate {c} {d}", LEFT, top + LINE * (number + 1), told)


LOCALITY_SENSITIVE_HASHING = Layout(
    title="Signatures sink, and texts meet in bands",
    note="Six short texts as sets of pairs of words. Each shingle of the first text lowers its signature where its "
    "hash is smaller than all before. Then the signatures are cut into bands. Texts that agree at all three places of "
    "a band are candidates: of 15 pairs only these are looked at. Two of them are alike; the third met by chance, and "
    "is dropped at the end.",
    steps=meet_texts,
    draw=draw_bands,
)
