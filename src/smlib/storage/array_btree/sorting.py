"""Sorting a batch: by the digits of its keys, from the last to the first.

Items are dealt out into 2,048 piles by the lowest 11 bits of their keys, and the piles put on top of each other; then
the same by the next 11 bits, and so on. A pile keeps the order in which items come to it, so that what earlier rounds
have sorted stays sorted (*stable*), and of items with equal keys the later one stays behind the earlier one. Rounds in
which all keys have the same digit are left out: keys from a small range take two or three.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, section 8.3; Knuth, *The Art of Computer Programming*,
volume 3, section 5.2.5.
"""

from __future__ import annotations

import numpy as np

from smlib._core.kernel import kernel
from smlib.storage.array_btree.rows import Words

DIGIT = 11
PILES = 1 << DIGIT
ROUNDS = 6
# Below this many items the piles cost more than they save.
FEW = 1000
# Turns the order of signed numbers into that of unsigned ones.
SIGN = -(2**63)


def in_order(keys: Words, words: Words) -> tuple[Words, Words]:
    """Return items in the order of their keys; the arrays are used up."""
    if keys.size < FEW:
        order = np.argsort(keys, kind="stable")
        return keys[order], words[order]
    more_keys, more_words = np.empty_like(keys), np.empty_like(words)
    if sort_items(keys, words, more_keys, more_words):
        return more_keys, more_words
    return keys, words


def without_repeats(keys: Words, words: Words) -> tuple[Words, Words]:
    """Return sorted items without those that are followed by another one with the same key."""
    last = np.append(keys[1:] != keys[:-1], True)[: keys.size]
    return (keys, words) if last.all() else (keys[last], words[last])


@kernel
def sort_items(keys: Words, values: Words, more_keys: Words, more_values: Words) -> bool:
    """Sort items by their keys, with two more arrays for the rounds; return whether the result is in these."""
    counts = np.zeros((ROUNDS, PILES), np.int64)
    for k in range(keys.size):
        key = keys[k] ^ SIGN
        for turn in range(ROUNDS):
            counts[turn, digit(key, turn)] += 1
    moved = False
    for turn in range(ROUNDS):
        piles = counts[turn]
        if keys.size and piles[digit(keys[0] ^ SIGN, turn)] < keys.size:
            if moved:
                deal_out(more_keys, more_values, keys, values, piles, turn)
            else:
                deal_out(keys, values, more_keys, more_values, piles, turn)
            moved = not moved
    return moved


@kernel
def digit(key: int, turn: int) -> np.uint64:
    """Return one of the six digits of a key, the last one first."""
    return (np.uint64(key) >> np.uint64(turn * DIGIT)) & np.uint64(PILES - 1)


@kernel
def deal_out(keys: Words, values: Words, to_keys: Words, to_values: Words, piles: Words, turn: int) -> None:
    """Deal items out by a digit; ``piles`` has the size of each pile, and is used up."""
    begin = 0
    for k in range(PILES):
        size = piles[k]
        piles[k] = begin
        begin += size
    for k in range(keys.size):
        pile = digit(keys[k] ^ SIGN, turn)
        place = piles[pile]
        piles[pile] = place + 1
        to_keys[place] = keys[k]
        to_values[place] = values[k]
