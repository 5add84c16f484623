"""Where does a word stand? A concordance, whose keys are a word and a place in one integer."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, islice
from pydoc_data.topics import topics
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.storage.peers import SORTED_DICT, equal_arrays, is_whole, sorted_dict
from smlib.storage import SortedIntMap

Integers = NDArray[np.int64]
Arrays = tuple[Integers, Integers]


# A word's number and its place in the text are one key: all places of a word are neighbours, in the order of the text.
WORD_BITS = 32
TOLD = "yield"


class Concordance(NamedTuple):
    """A text, and for each word, as one reads, its number and place as one key, and the page on which it stands.

    What is asked: the places of each fifth word, and the last one of them in the first half of the text.
    """

    text: str
    pages: list[str]
    numbers: dict[str, int]
    keys: list[int]
    page_of: list[int]
    asked: list[int]
    middle: int


class Places(NamedTuple):
    """The keys of each word asked for and the pages on which it stands; and the last key before the middle."""

    index: Any
    lists: list[Arrays]
    last: list[int | None]


def _concordance(size: int) -> Concordance:
    text = "".join(topics.values())
    ends = list(accumulate(map(len, topics.values())))
    numbers: dict[str, int] = {}
    keys, page_of = [], []
    for match in islice(re.finditer("[a-z]+", text), size):
        keys.append(numbers.setdefault(match[0], len(numbers)) << WORD_BITS | match.start())
        page_of.append(bisect_right(ends, match.start()))
    middle = keys[len(keys) // 2] % (1 << WORD_BITS)
    return Concordance(text, list(topics), numbers, keys, page_of, list(range(0, len(numbers), 5)), middle)


def _look_up(concordance: Concordance) -> Places:
    index = SortedIntMap()
    for key, page in zip(concordance.keys, concordance.page_of, strict=True):
        index[key] = page
    lists = [index.to_arrays(word << WORD_BITS, (word + 1) << WORD_BITS) for word in concordance.asked]
    last: list[int | None] = []
    for word in concordance.asked:
        item = index.floor_item(word << WORD_BITS | concordance.middle)
        last.append(item[0] if item is not None and item[0] >> WORD_BITS == word else None)
    return Places(index, lists, last)


def _look_up_lists(concordance: Concordance) -> Places:
    index: dict[int, tuple[list[int], list[int]]] = {}
    for key, page in zip(concordance.keys, concordance.page_of, strict=True):
        places, pages = index.setdefault(key >> WORD_BITS, ([], []))
        places.append(key)
        pages.append(page)
    lists = [(np.array(index[word][0], np.int64), np.array(index[word][1], np.int64)) for word in concordance.asked]
    last: list[int | None] = []
    for word in concordance.asked:
        places = index[word][0]
        place = bisect_right(places, word << WORD_BITS | concordance.middle)
        last.append(places[place - 1] if place else None)
    return Places(index, lists, last)


def _look_up_sorted_dict(concordance: Concordance) -> Places:
    index = sorted_dict()
    for key, page in zip(concordance.keys, concordance.page_of, strict=True):
        index[key] = page
    lists = []
    for word in concordance.asked:
        keys = list(index.irange(word << WORD_BITS, (word + 1) << WORD_BITS, (True, False)))
        lists.append((np.array(keys, np.int64), np.array([index[key] for key in keys], np.int64)))
    last: list[int | None] = []
    for word in concordance.asked:
        place = index.bisect_right(word << WORD_BITS | concordance.middle)
        key = index.peekitem(place - 1)[0] if place else -1
        last.append(key if key >> WORD_BITS == word else None)
    return Places(index, lists, last)


def _same_places(_: Concordance, ours: Places, theirs: Places) -> Agreement:
    same = len(ours.lists) == len(theirs.lists) and ours.last == theirs.last
    same = same and all(equal_arrays(mine, other) for mine, other in zip(ours.lists, theirs.lists, strict=True))
    return Agreement(same, f"the places of {len(ours.lists):,} words, the same")


def _tell_places(concordance: Concordance, places: Places) -> Sequence[str]:
    index: SortedIntMap = places.index
    word = concordance.numbers[TOLD]
    keys, pages = index.to_arrays(word << WORD_BITS, (word + 1) << WORD_BITS)
    lines = [f"{len(index):,} words in an array of {index.stats()['bytes'] / len(index):.0f} bytes a word"]
    if keys.size:
        names = [concordance.pages[page] for page in dict.fromkeys(pages.tolist())]
        lines += [f"{TOLD!r} stands at {keys.size} places, on the pages {', '.join(names[:4])}, ..."]
        first = int(keys[0]) % (1 << WORD_BITS)
        lines += [f"the first time here: ...{concordance.text[first - 30 : first + 30]!r}..."]
    return lines


def _prove_places(concordance: Concordance, places: Places) -> Mapping[str, bool]:
    index: SortedIntMap = places.index
    keys, pages = index.to_arrays()
    words = list(concordance.numbers)
    text = concordance.text
    found = sum(keys.size for keys, _ in places.lists)
    return {
        "all keys come out in order, with their pages": keys.tolist() == sorted(concordance.keys)
        and dict(zip(keys.tolist(), pages.tolist(), strict=True))
        == dict(zip(concordance.keys, concordance.page_of, strict=True)),
        "at each place the text has the word": all(
            text.startswith(words[key >> WORD_BITS], key % (1 << WORD_BITS)) for key in keys.tolist()
        ),
        f"all {found:,} places of the {len(places.lists)} words asked for are theirs, and none is missing": [
            int(key) for keys, _ in places.lists for key in keys
        ]
        == [key for key in keys.tolist() if (key >> WORD_BITS) % 5 == 0],
        "the last place before the middle is the last one of the list that is not behind it": all(
            last == max((key for key in keys.tolist() if key % (1 << WORD_BITS) <= concordance.middle), default=None)
            for (keys, _), last in zip(places.lists, places.last, strict=True)
        ),
        "the map's own proof holds: order, depth, neighbours, fill, rows": is_whole(index),
    }


CONCORDANCE = Case(
    "array_btree",
    "a concordance: where does each word stand?",
    "words",
    (1_000, 10_000, 50_000),
    _concordance,
    _look_up,
    (
        Peer("dict of lists, and bisect", "bisect", _look_up_lists),
        Peer(*SORTED_DICT, _look_up_sorted_dict),
    ),
    _same_places,
    note="One integer is the number of a word and its place. The dict of lists has nothing to sort: who reads from "
    "front to back finds the places of a word in their order. One that was added later would have to be inserted.",
    story=Story(
        f"On which pages of the Python manual does the word {TOLD} stand?",
        50_000,
        "the text of the Python manual that every Python carries (pydoc_data.topics)",
        _tell_places,
        _prove_places,
    ),
)
