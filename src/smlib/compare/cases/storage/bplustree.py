"""Cases of the B+tree in a file."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import accumulate, islice
from pathlib import Path
from pydoc_data.topics import topics
from typing import NamedTuple

from smlib.compare.case import Agreement, Case, Peer, Story
from smlib.compare.cases.storage.peers import is_whole
from smlib.storage import BPlusTree

Items = dict[bytes, bytes]

# One commit for each so many words, as one reads.
WORDS_AT_ONCE = 500
TOLD = "yield"
# Of how many commits the process tells before it is killed, if there are twice as many.
COMMITS_TOLD = 40
# Over how many commits of the next one a snapshot is held.
COMMITS_SEEN = 5
# Where the number of the last commit stands: before all words.
COMMIT = b""


# A concordance on disk: a key is a word and a place in the text, a value is the page on which that is.


class Concordance(NamedTuple):
    """A text of some words, the titles of its pages, and the commits of an index of it, with the items of each."""

    size: int
    pages: list[str]
    commits: list[Items]


class Killed(NamedTuple):
    """A process that was killed while it wrote: how it ended, of how many commits it had told, and what it left.

    Then what there was when the other commits had been made, and whether a snapshot still showed what it had left.
    """

    code: int
    told: int
    left: Items
    whole: bool
    finished: Items
    whole_at_last: bool
    unchanged: bool
    pages: int
    depth: int


class Index:
    """What an index on disk had in it when all was written, in order."""

    def __init__(self, concordance: Concordance, items: Items) -> None:
        self.items = items
        self._concordance = concordance

    @cached_property
    def killed(self) -> Killed:
        """The same index once more, by a process that is killed half-way; no clock times this."""
        with tempfile.TemporaryDirectory() as folder:
            return _kill_and_go_on(self._concordance, str(Path(folder) / "words"))


def concordance_of(size: int) -> Concordance:
    """Return the concordance of the first words of the Python manual."""
    ends = list(accumulate(map(len, topics.values())))
    items = [
        (b"%s %s" % (match[0].encode(), match.start().to_bytes(4, "big")), _bytes(bisect_right(ends, match.start())))
        for match in islice(re.finditer("[a-z]+", "".join(topics.values())), size)
    ]
    parts = [items[first : first + WORDS_AT_ONCE] for first in range(0, len(items), WORDS_AT_ONCE)]
    return Concordance(size, list(topics), [{COMMIT: _bytes(k), **dict(part)} for k, part in enumerate(parts, 1)])


def _bytes(number: int) -> bytes:
    return number.to_bytes(2, "big")


def dict_index(concordance: Concordance, count: int | None = None) -> Items:
    """Return what is in the index after so many commits, or after all, in order."""
    items: Items = {}
    for commit in concordance.commits[:count]:
        items |= commit
    return dict(sorted(items.items()))


def _index(concordance: Concordance) -> Index:
    with tempfile.TemporaryDirectory() as folder, BPlusTree.open(Path(folder) / "words") as index:
        for commit in concordance.commits:
            index.put_many(commit)
        return Index(concordance, dict(index.items()))


def sqlite_index(concordance: Concordance) -> Items:
    """Write the commits into a file of SQLite, and return what is in it, in order."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "words", isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("CREATE TABLE words (key BLOB PRIMARY KEY, page BLOB) WITHOUT ROWID")
            for commit in concordance.commits:
                connection.execute("BEGIN")
                connection.executemany("INSERT OR REPLACE INTO words VALUES (?, ?)", commit.items())
                connection.execute("COMMIT")
            return dict(connection.execute("SELECT key, page FROM words ORDER BY key"))
        finally:
            connection.close()


def _same_index(_: Concordance, ours: Index, theirs: Items) -> Agreement:
    return Agreement(list(ours.items.items()) == list(theirs.items()), f"{len(theirs):,} items in order, the same")


# A process that tells of each commit when that has returned, and not before. It does not end: it is killed.
WRITER = """
import sys
from smlib.compare.cases.storage.bplustree import concordance_of
from smlib.storage import BPlusTree
with BPlusTree.open(sys.argv[1]) as index:
    for number, commit in enumerate(concordance_of(int(sys.argv[2])).commits, 1):
        index.put_many(commit)
        print(number, flush=True)
    sys.stdin.read()
"""


def _kill_and_go_on(concordance: Concordance, path: str) -> Killed:
    code, told = _write_and_kill(concordance, path)
    with BPlusTree.open(path) as index:
        left, whole = dict(index.items()), is_whole(index)
        others = concordance.commits[_commits_in(left) :]
        with index.snapshot() as view:
            for commit in others[:COMMITS_SEEN]:
                index.put_many(commit)
            unchanged = dict(view.items()) == left
        for commit in others[COMMITS_SEEN:]:
            index.put_many(commit)
        figures = index.stats()
        return Killed(
            code,
            told,
            left,
            whole,
            dict(index.items()),
            is_whole(index),
            unchanged,
            int(figures["pages"]),
            int(figures["depth"]),
        )


def _write_and_kill(concordance: Concordance, path: str) -> tuple[int, int]:
    """Let a process write, and kill it within a commit; return how it ended, and the last commit that it told of."""
    program = [sys.executable, "-c", WRITER, path, str(concordance.size)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(  # noqa: S603  # our own program
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        output = iter(process.stdout or ())
        try:
            lines = list(islice(output, min(COMMITS_TOLD, len(concordance.commits) // 2)))
        finally:
            process.kill()
        lines += output
    return process.returncode, max((int(line) for line in lines if line.endswith("\n")), default=0)


def _commits_in(items: Items) -> int:
    return int.from_bytes(items.get(COMMIT, b""), "big")


def _tell_index(concordance: Concordance, index: Index) -> Sequence[str]:
    killed = index.killed
    found = _commits_in(killed.left)
    more = "and nothing of the one on its way" if found == killed.told else "the one on its way among them"
    prefix = TOLD.encode() + b" "
    named = [int.from_bytes(page, "big") for key, page in index.items.items() if key.startswith(prefix)]
    lines = [
        f"a process wrote the index, told of {killed.told} commits of {WORDS_AT_ONCE} words, and was killed "
        f"({'signal 9' if killed.code == -9 else f'code {killed.code}'})",
        f"opened again: {found} commits are there, {more}; nothing had to be repaired",
        f"then the other {len(concordance.commits) - found}: {len(killed.finished) - 1:,} words in a file of "
        f"{killed.pages:,} pages, {killed.depth} of which lead to any word",
    ]
    if named:
        titles = [concordance.pages[page] for page in dict.fromkeys(named)]
        lines += [f"{TOLD!r} stands at {len(named)} places, on the pages {', '.join(titles[:4])}, ..."]
    return lines


def _prove_index(concordance: Concordance, index: Index) -> Mapping[str, bool]:
    killed = index.killed
    found = _commits_in(killed.left)
    return {
        f"the process was killed, and all {killed.told} commits that it told of are there": killed.code != 0
        and 0 < killed.told <= found,
        f"what it left is what the first {found} commits say, word for word, and nothing else": found <= killed.told + 1
        and list(killed.left.items()) == list(dict_index(concordance, found).items()),
        "the tree's own proof holds: order, depth, count, checksums, each page in use once or free": killed.whole
        and killed.whole_at_last,
        "a snapshot of what it left shows the same while others are made": killed.unchanged,
        "when all are made, nothing is missing": killed.finished == index.items,
    }


CASES = (
    Case(
        "bplustree",
        "an index on disk: write, commit by commit, then read all in order",
        "words",
        (1_000, 10_000, 50_000),
        concordance_of,
        _index,
        (
            Peer("SQLite, a file with a log (WAL)", "sqlite3", sqlite_index),
            Peer("dict, sorted at the end", "builtins", dict_index),
        ),
        _same_index,
        note="A commit for each 500 words, which is on the disk when it returns. SQLite is told to promise the same "
        "(synchronous = FULL), and needs one sync a commit where we need two. The dict is in memory only, and promises "
        "nothing.",
        story=Story(
            f"A program is killed while it writes an index to disk. What is left, and where does {TOLD} stand?",
            50_000,
            "the text of the Python manual that every Python carries (pydoc_data.topics)",
            _tell_index,
            _prove_index,
        ),
    ),
)
