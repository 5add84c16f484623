"""Cases of entropy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats

from smlib._core.validate import Vector
from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.infotheory.texts import MANUAL, manual
from smlib.infotheory import entropy


class Bins(NamedTuple):
    """Weights of the outcomes, and weights expected instead."""

    p: Vector
    q: Vector


def _bins(size: int) -> Bins:
    rng = np.random.default_rng(1)
    return Bins(rng.gamma(0.5, size=size), rng.gamma(2.0, size=size))


def _same_bits(_: Bins, ours: float, theirs: float) -> Agreement:
    difference = abs(ours - theirs) / abs(theirs)
    return Agreement(difference <= 1e-12, f"difference {difference:.1e}")


class Letters(NamedTuple):
    """How often each byte follows each other one; row a, column b: a, then b."""

    pairs: Vector
    first: Vector
    second: Vector


class Surprises(NamedTuple):
    """Bits of surprise: in a letter, in the one after it, in both, and what one tells about the other."""

    letter: float
    second: float
    both: float
    told: float


def _letters(size: int) -> Letters:
    text = np.frombuffer(manual(size), dtype=np.uint8).astype(np.int64)
    pairs = np.bincount(256 * text[:-1] + text[1:], minlength=256 * 256).reshape(256, 256).astype(np.float64)
    return Letters(pairs, pairs.sum(axis=1), pairs.sum(axis=0))


def _surprises(letters: Letters) -> Surprises:
    together = np.outer(letters.first, letters.second)
    return Surprises(
        float(entropy(letters.first)),
        float(entropy(letters.second)),
        float(entropy(letters.pairs.ravel())),
        float(entropy(letters.pairs.ravel(), together.ravel())),
    )


def _scipy_surprises(letters: Letters) -> Surprises:
    together = np.outer(letters.first, letters.second)
    return Surprises(
        scipy.stats.entropy(letters.first, base=2),
        scipy.stats.entropy(letters.second, base=2),
        scipy.stats.entropy(letters.pairs.ravel(), base=2),
        scipy.stats.entropy(letters.pairs.ravel(), together.ravel(), base=2),
    )


def _same_surprises(_: Letters, ours: Surprises, theirs: Surprises) -> Agreement:
    difference = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    return Agreement(difference <= 1e-12, f"largest difference {difference:.1e} bits")


def _tell_surprises(letters: Letters, bits: Surprises) -> Sequence[str]:
    follows = letters.pairs[ord("q")]
    return [
        f"{bits.letter:.3f} bits of surprise in a letter; {bits.both - bits.letter:.3f} if one knows the letter before",
        f"so a letter tells {bits.told:.3f} bits about the next: after q comes u in {follows[ord('u')]:.0f} "
        f"of {follows.sum():.0f} cases",
    ]


def _prove_surprises(letters: Letters, bits: Surprises) -> Mapping[str, bool]:
    seen = letters.first > 0
    after_each = entropy(letters.pairs[seen], axis=1)
    mean = float(letters.first[seen] @ after_each / letters.first.sum())
    n = np.count_nonzero(seen)
    return {
        f"0 <= H <= log2 {n} = {math.log2(n):.3f}": 0.0 <= bits.letter <= math.log2(n),
        "the surprise of a pair is that of the first, and the mean of what is left in the second": math.isclose(
            bits.both, bits.letter + mean, abs_tol=1e-9
        ),
        "what is told is what both letters share: H(X) + H(Y) - H(X, Y)": math.isclose(
            bits.told, bits.letter + bits.second - bits.both, abs_tol=1e-9
        ),
        "to know more never surprises more": bits.both - bits.letter <= bits.second,
    }


CASES = (
    Case(
        "measures",
        "surprise of a letter, given the one before",
        "letters",
        (1_000, 10_000, 100_000),
        _letters,
        _surprises,
        (Peer("SciPy", "scipy", _scipy_surprises),),
        _same_surprises,
        story=Story(
            "How much does a letter of the Python manual tell about the next one?",
            100_000,
            MANUAL,
            _tell_surprises,
            _prove_surprises,
        ),
    ),
    Case(
        "measures",
        "entropy",
        "bins",
        (1_000, 100_000, 1_000_000),
        _bins,
        lambda bins: entropy(bins.p),
        (Peer("SciPy", "scipy", lambda bins: scipy.stats.entropy(bins.p, base=2)),),
        _same_bits,
    ),
    Case(
        "measures",
        "relative entropy",
        "bins",
        (1_000, 100_000, 1_000_000),
        _bins,
        lambda bins: entropy(bins.p, bins.q),
        (Peer("SciPy", "scipy", lambda bins: scipy.stats.entropy(bins.p, bins.q, base=2)),),
        _same_bits,
    ),
)
