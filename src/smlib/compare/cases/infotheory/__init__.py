"""Cases of information theory."""

from __future__ import annotations

from smlib.compare.cases.infotheory import huffman_coding, measures, snappy

CASES = (*measures.CASES, *huffman_coding.CASES, *snappy.CASES)
