"""Huffman's tree as it grows, and a message read back bit by bit.

First the tree. Letters and pairs wait in two queues, both sorted; each step ties the two lightest trees together, and
the new pair goes to the end of the second queue. What the code will cost can be read off on the way: a letter takes as
many bits as there are pairs above it, so the counts of all pairs, added up, are the bits of all letters.

Then only the lengths are kept, and the words are given out in order. The tree of these words has other branches, but
no leaf is deeper or less deep than before.

Last the stream. From the root each bit leads left or right, and a leaf ends a word: no mark stands between two words,
and none is needed.

Invariants, computed at every step:
  1. The counts of the trees add up to the number of all letters; both queues are sorted.
  2. The counts of the pairs add up to the bits of all letters.
  3. The words fill the tree, none begins another, and they spend at least the entropy, and less than a bit more.
  4. What has been decoded begins the message, and has used as many bits as its words have.

Cost: O(n) a step, for copies.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, section 15.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from smlib._core.trace import Step
from smlib._core.validate import as_count
from smlib.errors import InputError
from smlib.infotheory.huffman_coding.code import HuffmanCode, read_word
from smlib.infotheory.huffman_coding.code_lengths import (
    LONGEST,
    canonical_codes,
    huffman_code_lengths,
    in_canonical_order,
    merge_lightest,
)
from smlib.infotheory.measures import entropy

Forest = dict[int, tuple[int, int]]


def trace(counts: Mapping[str, int], message: str) -> Iterator[Step]:
    """Yield the letters, a step a pair that is made, the finished code, and a step a letter that is decoded.

    Parameters
    ----------
    counts : mapping from str to int
        How often each letter occurs: two letters or more, each at least once.
    message : str
        To be coded and decoded; only letters that are counted.

    Yields
    ------
    Step
        Its state holds ``phase`` ("tree" or "stream"), ``letters``, ``counts``, and

        - while the tree grows: ``weights`` of the letters by count and the pairs behind them, ``order`` (which letter
          each of the first ones is), ``children`` of each pair, ``waiting`` (letters and pairs in their queues), and
          ``tied``, the two that were tied together in this step, or nothing;
        - then: ``words``, a letter each; ``bits`` of the coded message, how many are ``read``, what is ``decoded``, and
          ``word``, the one read in this step.

    Raises
    ------
    InputError
        There are fewer than two letters, a count that is not positive, or the message has other letters.

    Notes
    -----
    Complexity: O(n) a step.

    References
    ----------
    Cormen et al., *Introduction to Algorithms*, section 15.3.

    Examples
    --------
    >>> for step in trace({"a": 45, "b": 13, "c": 12}, "cab"):
    ...     print(step.caption)
    Each letter is a tree of its own, and they wait in the order of their counts: c 12, b 13, a 45.
    The two lightest, c 12 and b 13, are tied together: a pair of 25. 2 trees are left.
    The two lightest, cb 25 and a 45, are tied together: a pair of 70. The tree is finished.
    Only the lengths are kept, and words are given out in order: a 0, b 10, c 11. The message takes 5 bits.
    11 is a word: c. 2 of 5 bits are read.
    0 is a word: a. 3 of 5 bits are read.
    10 is a word: b. 5 of 5 bits are read.
    """
    _check(counts, message)
    yield from _grow(counts)
    yield from _read(counts, message)


def _check(counts: Mapping[str, int], message: str) -> None:
    if len(counts) < 2:
        raise InputError(f"counts has {len(counts)} letters; a tree needs two or more")
    for letter, count in counts.items():
        if len(letter) != 1:
            raise InputError(f"counts has the letter {letter!r}; a letter is one character")
        if as_count(count, f"counts[{letter!r}]") == 0:
            raise InputError(f"counts[{letter!r}] is 0; leave out letters that do not occur")
    for place, letter in enumerate(message):
        if letter not in counts:
            raise InputError(f"message[{place}] is {letter!r}, which is not counted")


def _grow(counts: Mapping[str, int]) -> Iterator[Step]:
    letters, values = tuple(counts), np.array(list(counts.values()), dtype=np.float64)
    n = len(letters)
    order = np.argsort(values, kind="stable")
    weights = np.zeros(2 * n - 1)
    weights[:n] = values[order]
    parents = np.zeros(2 * n - 1, dtype=np.int64)
    heads = np.array([0, n, n])
    children: Forest = {}
    names = {k: letters[order[k]] for k in range(n)}
    for merges in range(n):
        tied: tuple[int, ...] = ()
        if merges:
            before = set(_roots(heads, n))
            merge_lightest(weights, parents, heads)
            # Of two that weigh the same the letter goes first.
            tied = tuple(sorted(before - set(_roots(heads, n)), key=lambda node: (weights[node], node)))
            new = int(heads[2]) - 1
            children[new] = (tied[0], tied[1])
            names[new] = names[tied[0]] + names[tied[1]]
        waiting = list(range(heads[0], n)), list(range(heads[1], heads[2]))
        yield Step(
            caption=_tell_merge(weights, names, tied, waiting),
            state={
                "phase": "tree",
                "letters": letters,
                "counts": tuple(counts.values()),
                "weights": weights[: heads[2]].copy(),
                "order": tuple(order.tolist()),
                "children": dict(children),
                "waiting": waiting,
                "tied": tied,
            },
            source=merge_lightest,
            invariants=_check_forest(weights, children, waiting, tied),
            question="Which two trees are tied together next?" if merges else "",
        )


def _roots(heads: np.ndarray, n: int) -> list[int]:
    return [*range(heads[0], n), *range(heads[1], heads[2])]


def _tell_merge(
    weights: np.ndarray, names: Mapping[int, str], tied: tuple[int, ...], waiting: tuple[list[int], list[int]]
) -> str:
    if not tied:
        queue = ", ".join(f"{names[node]} {weights[node]:g}" for node in waiting[0])
        return f"Each letter is a tree of its own, and they wait in the order of their counts: {queue}."
    left = len(waiting[0]) + len(waiting[1])
    one, other = (f"{names[node]} {weights[node]:g}" for node in tied)
    rest = f"{left} trees are left" if left > 1 else "The tree is finished"
    return f"The two lightest, {one} and {other}, are tied together: a pair of {weights[list(tied)].sum():g}. {rest}."


def _check_forest(
    weights: np.ndarray, children: Forest, waiting: tuple[list[int], list[int]], tied: tuple[int, ...]
) -> dict[str, bool]:
    n = (weights.size + 1) // 2
    depths = dict.fromkeys(waiting[0] + waiting[1], 0)
    for node in sorted(children, reverse=True):
        for child in children[node]:
            depths[child] = depths[node] + 1
    roots = waiting[0] + waiting[1]
    invariants = {
        "the trees' counts add up to that of all letters": weights[roots].sum() == weights[:n].sum(),
        "both queues are sorted": all(weights[a] <= weights[b] for queue in waiting for a, b in pairwise(queue)),
        "the pairs' counts add up to the bits of all letters": sum(weights[node] for node in children)
        == sum(weights[node] * depths.get(node, -1) for node in range(n)),
    }
    if tied:
        heaviest = weights[list(tied)].max()
        invariants["no tree that waits is lighter than the two that were tied"] = all(
            weights[node] >= heaviest for node in roots
        )
    return {name: bool(holds) for name, holds in invariants.items()}


def _read(counts: Mapping[str, int], message: str) -> Iterator[Step]:
    letters, values = tuple(counts), list(counts.values())
    code = HuffmanCode(huffman_code_lengths(values))
    words = {s: f"{code.codes[k]:0{code.lengths[k]}b}" for k, s in enumerate(letters)}
    symbols = in_canonical_order(code.lengths)
    per_length = np.bincount(code.lengths, minlength=LONGEST + 1)
    source = np.frombuffer(code.encode([letters.index(s) for s in message]), dtype=np.uint8)
    total = sum(len(words[s]) for s in message)
    bits = "".join(f"{byte:08b}" for byte in source)[:total]
    mean, least = code.expected_length(values), float(entropy(values))

    read, decoded, word = 0, "", ""
    for done in range(len(message) + 1):
        if done:
            symbol, length = read_word(source, read, per_length, symbols)
            word = bits[read : read + length]
            read += int(length)
            decoded += letters[symbol]
            caption = f"{word} is a word: {letters[symbol]}. {read} of {total} bits are read."
        else:
            listed = ", ".join(f"{letters[k]} {words[letters[k]]}" for k in symbols)
            caption = f"Only the lengths are kept, and words are given out in order: {listed}. "
            caption += f"The message takes {total} bits."
        invariants: dict[str, bool] = {
            "what is decoded begins the message": message.startswith(decoded) and len(decoded) == done,
            "it has used the bits of its words": "".join(words[s] for s in decoded) == bits[:read],
        }
        if not done:
            invariants = _check_code(list(words.values()), mean, least)
        yield Step(
            caption=caption,
            state={
                "phase": "stream",
                "letters": letters,
                "counts": tuple(values),
                "words": dict(words),
                "bits": bits,
                "read": read,
                "decoded": decoded,
                "word": word,
            },
            source=read_word if done else canonical_codes,
            invariants=invariants,
            question=_ask(bits[read - len(word) :]) if done else "Which words will the letters get?",
        )


def _check_code(words: list[str], mean: float, least: float) -> dict[str, bool]:
    deepest = max(map(len, words))
    rounding = 1e-12 * least
    return {
        "the words fill the tree (Kraft)": sum(2 ** (deepest - len(word)) for word in words) == 2**deepest,
        "no word begins another": not any(b.startswith(a) for a, b in pairwise(sorted(words))),
        f"H ≤ L < H + 1: {least:.4f} ≤ {mean:.4f} < {least + 1:.4f}": least - rounding <= mean < least + 1.0,
    }


def _ask(rest: str) -> str:
    shown = rest[:8] + (" ..." if len(rest) > 8 else "")
    return f"The next bits are {shown}. Where does the first word end, and which letter is it?"
