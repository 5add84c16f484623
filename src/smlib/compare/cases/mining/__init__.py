"""Cases of mining; a module a topic."""

from __future__ import annotations

from smlib.compare.cases.mining import locality_sensitive_hashing, min_hashing, page_rank

CASES = (*min_hashing.CASES, *locality_sensitive_hashing.CASES, *page_rank.CASES)
