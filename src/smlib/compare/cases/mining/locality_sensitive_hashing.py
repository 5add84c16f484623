"""Cases of locality-sensitive hashing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from itertools import combinations

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.infotheory.texts import MANUAL
from smlib.compare.cases.mining.min_hashing import SEED, SIZES
from smlib.compare.cases.mining.texts import Texts, manual_texts, planted_texts, similarity_of, windows_of
from smlib.mining import NearDuplicates, near_duplicates, s_curve
from smlib.mining.locality_sensitive_hashing.banding import bands_that_find

NUM_HASHES = 128
THRESHOLD = 0.8
MANUAL_THRESHOLD, MANUAL_HASHES = 0.2, 256
# What rensa can cut 128 values into; datasketch gets the same. It finds a pair at the threshold with 0.9999.
BANDS, ROWS = 32, 4
TOLD = 8

Pairs = dict[tuple[int, int], float]


def _find(texts: Texts) -> NearDuplicates:
    return near_duplicates(texts.documents, THRESHOLD, rng=SEED)


def verify(windows: Sequence[Iterable[str]], candidates: Iterable[tuple[int, int]]) -> Pairs:
    """Return the candidates at or above the threshold, by Python's sets; a set is made when it is first needed."""
    sets: dict[int, set[str]] = {}
    found = {}
    for i, j in candidates:
        for number in (i, j):
            if number not in sets:
                sets[number] = set(windows[number])
        common = len(sets[i] & sets[j])
        similarity = common / max(len(sets[i]) + len(sets[j]) - common, 1)
        if similarity >= THRESHOLD:
            found[i, j] = similarity
    return found


def _rensa(texts: Texts) -> Pairs:
    rensa = import_module("rensa")
    windows = [windows_of(document) for document in texts.documents]
    sketches = rensa.RMinHash.from_token_sets(windows, NUM_HASHES, SEED)
    index = rensa.RMinHashLSH(THRESHOLD, NUM_HASHES, BANDS)
    index.insert_many(sketches)
    met = index.query_all(sketches)
    return verify(windows, ((i, j) for j, others in enumerate(met) for i in others if i < j))


def _datasketch(texts: Texts) -> Pairs:
    datasketch = import_module("datasketch")
    windows = [windows_of(document) for document in texts.documents]
    index = datasketch.MinHashLSH(num_perm=NUM_HASHES, params=(BANDS, ROWS))
    candidates = []
    for number, row in enumerate(windows):
        sketch = datasketch.MinHash(NUM_HASHES, seed=SEED, hashfunc=_hash)
        sketch.update_batch(row)
        candidates += [(other, number) for other in index.query(sketch)]
        index.insert(number, sketch, check_duplication=False)
    return verify(windows, candidates)


def _hash(window: str) -> int:
    return hash(window) & 0xFFFFFFFF


def _same_pairs(_: Texts, ours: NearDuplicates, theirs: Pairs) -> Agreement:
    """Verified pairs are right on both sides; neither finds all for certain."""
    found = as_dict(ours)
    both = found.keys() & theirs.keys()
    near = all(abs(found[pair] - theirs[pair]) < 1e-12 for pair in both)
    either = len(found.keys() | theirs.keys())
    return Agreement(near and len(both) >= 0.98 * either, f"{len(both):,} of {either:,} pairs by both")


def as_dict(found: NearDuplicates) -> Pairs:
    """Return near-duplicates as a dict from pairs to similarities."""
    return {(i, j): value for (i, j), value in zip(found.pairs.tolist(), found.similarities.tolist(), strict=True)}


# The story.


def _find_in_manual(texts: Texts) -> NearDuplicates:
    return near_duplicates(texts.documents, MANUAL_THRESHOLD, num_hashes=MANUAL_HASHES, rng=SEED)


def _compare_all(texts: Texts) -> Pairs:
    sets = [set(windows_of(document)) for document in texts.documents]
    found = {}
    for i, j in combinations(range(len(sets)), 2):
        similarity = len(sets[i] & sets[j]) / max(len(sets[i] | sets[j]), 1)
        if similarity >= MANUAL_THRESHOLD:
            found[i, j] = similarity
    return found


def _tell_pairs(texts: Texts, found: NearDuplicates) -> Sequence[str]:
    n = len(texts.documents)
    likest = sorted(as_dict(found).items(), key=lambda item: -item[1])
    lines = [
        f"of {n * (n - 1) // 2:,} pairs {len(likest)} share {MANUAL_THRESHOLD:.0%} or more of their passages of 5 words"
    ]
    for (i, j), similarity in likest[:TOLD]:
        common = set(windows_of(texts.documents[i])) & set(windows_of(texts.documents[j]))
        shown = next(window for window in windows_of(texts.documents[i]) if window in common)
        lines.append(f"{texts.names[i]!r} and {texts.names[j]!r}: {similarity:.1%}, among it {shown!r}")
    return lines


def _prove_pairs(texts: Texts, found: NearDuplicates) -> Mapping[str, bool]:
    bands, rows = bands_that_find(MANUAL_HASHES, MANUAL_THRESHOLD)
    copies = near_duplicates([*texts.documents, *texts.documents], 1.0, rng=SEED)
    n = len(texts.documents)
    return {
        "each similarity is that of Python's sets of strings": all(
            similarity == similarity_of(texts.documents[i], texts.documents[j])
            for (i, j), similarity in as_dict(found).items()
        ),
        f"a pair at the threshold is found with {s_curve(bands, rows, MANUAL_THRESHOLD):.3f}": bool(
            s_curve(bands, rows, MANUAL_THRESHOLD) >= 0.99
        ),
        "beside a second copy of the manual, each text finds its own": {(k, n + k) for k in range(n)}
        <= set(as_dict(copies)),
    }


CASES = (
    Case(
        "locality_sensitive_hashing",
        "from texts to the pairs that are alike by 0.8",
        "texts",
        SIZES,
        planted_texts,
        _find,
        (
            Peer("rensa, LSH (Rust), and sets", "rensa", _rensa),
            Peer("datasketch, LSH, and sets", "datasketch", _datasketch, max_size=6_000),
        ),
        _same_pairs,
        note="Texts of some 200 words, a quarter of them near-duplicates. The peers are given passages of 5 words as "
        "strings, which Python must make for them, and their candidates are looked at with Python's sets: that is most "
        "of their time.",
    ),
    Case(
        "locality_sensitive_hashing",
        "texts of the manual that share passages",
        "texts",
        (20, 40, 79),
        manual_texts,
        _find_in_manual,
        (Peer("Python sets, all pairs", "builtins", _compare_all),),
        lambda texts, ours, theirs: Agreement(
            as_dict(ours).items() <= theirs.items() and len(ours.pairs) >= 0.8 * len(theirs),
            f"{len(ours.pairs)} of {len(theirs)} pairs, with the same similarities",
        ),
        story=Story(
            "Which texts of the Python manual are near-duplicates, and of how much of them?",
            79,
            MANUAL,
            _tell_pairs,
            _prove_pairs,
        ),
    ),
)
