"""Puts, flushes, merges and gets, step by step: what is in memory, what is in the folder, and what a crash would leave.

All of it is done by a tree in a folder on a simulated disk, as it is done anywhere. The disk reports every call that
reaches it, and at each one this is taken down: the files as programs see them, what of them is on the medium, and what
is found when the folder is opened after a number of crashes, each of which is survived by other writes. So each part of
the story has one moment that counts, a write and the sync behind it::

    a commit    the record in the log             before it a crash leaves the items without the change, then with it
    a flush     the edit in the manifest          a crash leaves all items: first from the log, then from the table
    a merge     the edit in the manifest          a crash leaves all items: from the old tables, then from the new ones
    a get       nothing is written

Invariants, computed at every step from what the step shows:
  1. Whatever a crash leaves now, it is what may be left now: the old state, the new one, or either.
  2. No byte that was written is written over: files are new, grow, or go.
  3. All that the manifest leads to is there, and the tables among it are on the medium.
  4. Whatever the memtable has, a log has.

Cost: O(bytes of the folder) a step, and for each crash that leaves something new the opening of a tree.

O'Neil et al., "The Log-Structured Merge-Tree (LSM-Tree)", *Acta Informatica* 33 (1996); Ghemawat & Dean, *LevelDB*
(2011), "Implementation notes".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from smlib._core.trace import Step
from smlib.errors import CorruptDataError, InputError
from smlib.storage.faults import SimulatedDisk
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.descriptions import describe_folder, tables_of, tell_change
from smlib.storage.lsm.moments import WAYS, Found, Moment
from smlib.storage.lsm.recovery import recover
from smlib.storage.lsm.telling import Changes, Telling, say_changes
from smlib.storage.lsm.tree import LSMTree
from smlib.storage.wording import contents_of, say

PATH = "tree"

# A commit, "flush", "merge", or a key that is looked for.
Command: TypeAlias = Changes | str | bytes


def trace(commands: Iterable[Command], *, block_size: int = 30, bloom_bits_per_key: int = 10) -> Iterator[Step]:
    """Yield an empty folder, and for each command what it reads, writes, syncs and deletes.

    Parameters
    ----------
    commands : iterable of mapping, str or bytes
        A mapping is a commit: which keys it gives which values; None takes a key out. "flush" makes a table of what is
        in memory, "merge" one of all tables, and a key is looked for.
    block_size : int
        Of tables, in bytes.
    bloom_bits_per_key : int
        Of their filters; 0 for none.

    Yields
    ------
    Step
        Its state holds ``doing``, the command in words, or nothing, and its ``kind``; ``memory``, what is in the
        memtable, or what is being merged, each a dict with ``key``, ``value`` (None for a deletion), ``number`` (of the
        change, 0 in the memtable) and ``kept``; ``merging``, whether it is the latter; ``built``, the parts of a table
        that is in memory only; ``files``, as `describe_folder` describes them, each with ``kept`` (what was in it is in
        it) and ``touched``; ``lit``, the names of the files that the step is about, with the numbers of their parts;
        ``lit_memory``, the keys; ``crashes``, whether each of some crashes at this moment leaves the old state, the new
        one, or neither, and ``allowed``, what they may leave.

    Raises
    ------
    InputError
        A command is none of these, or a key or a value cannot be stored.

    Notes
    -----
    Complexity: O(bytes of the folder) a step.

    References
    ----------
    O'Neil et al., "The Log-Structured Merge-Tree (LSM-Tree)", *Acta Informatica* 33 (1996).

    Examples
    --------
    >>> from textwrap import shorten
    >>> for step in trace([{b"cow": b"1"}, "flush", b"cow"]):
    ...     print(shorten(step.caption, 100))
    An empty store. CURRENT names MANIFEST-000004 as the manifest that counts. It says that [...]
    Put cow = 1. The record is written at the end of the log, as bytes 0 to 26.
    The log is synced. Now the memtable has it, too, and the commit returns.
    Flush. The memtable has its keys as they came. Now its changes are sorted, all at once.
    They are cut into blocks: cow. Each has its checksum.
    Behind the blocks comes a filter, a few bits for each key, and then the index: it says of each [...]
    The table is written by one write of 178 bytes, into a file with a new number. Nothing leads [...]
    Table 5 is synced: its bytes are on the disk. Its name may still be lost.
    A new log is made, number 6, and is empty. The folder is synced: the names in it are on the disk.
    An edit is added to the manifest: +5, log 6. It reaches the disk, or it does not: that is all [...]
    The manifest is synced: what it leads to is what counts. The memtable is empty, and changes go [...]
    Log 3 is deleted, for nothing leads there any more. A crash may bring it back, and then it is [...]
    Get cow. The memtable is asked first, for it has the newest: it does not know the key.
    Table 5: its filter lets the key pass. The index leads to the block at byte 0, which is read: [...]
    """
    recorder = Recorder(block_size, bloom_bits_per_key)
    yield recorder.start()
    for command in commands:
        yield from recorder.tell(command)


class Recorder:
    """A tree on a simulated disk that is watched while it works."""

    def __init__(self, block_size: int, bloom_bits_per_key: int) -> None:
        self._disk = SimulatedDisk(seed=1)
        self._found: dict[tuple[tuple[str, bytes | None], ...], Found] = {}
        self._tree = LSMTree.open(
            PATH, filesystem=self._disk, block_size=block_size, bloom_bits_per_key=bloom_bits_per_key
        )
        # The folder of the disk is synced as the last thing that an opening does: what it deletes stays deleted.
        self._disk.sync_directory(PATH)
        self._flushed = False

    def start(self) -> Step:
        """Return the step before all commands."""
        return Telling("start", "", self._look("", "", 0, 0)).tell_start()

    def tell(self, command: Command) -> Iterator[Step]:
        """Execute a command, and yield its steps."""
        if isinstance(command, Mapping):
            yield from self._tell_commit(command)
        elif isinstance(command, bytes):
            yield from self._tell_get(command)
        elif command in ("flush", "merge"):
            yield from self._tell_flush(merge=command == "merge")
        else:
            raise InputError(f"a command is {command!r}; it must be a mapping, a key, 'flush' or 'merge'")

    def _tell_commit(self, changes: Changes) -> Iterator[Step]:
        resting = self._look("", "", 0, 0)
        calls = self._watch(lambda: self._commit(changes))
        if calls:
            calls.append(self._look("", "", 0, 0))
            yield from Telling("commit", say_changes(changes), resting).tell_commit(calls)

    def _commit(self, changes: Changes) -> None:
        with self._tree.batch() as batch:
            for key, value in changes.items():
                if value is None:
                    del batch[key]
                else:
                    batch[key] = value

    def _tell_flush(self, *, merge: bool) -> Iterator[Step]:
        """Tell a flush, and the merge that it asks for; or flush and merge all tables."""
        resting = self._look("", "", 0, 0)
        calls = self._watch(self._tree.flush)
        # A flush ends when the old log is gone.
        end = next((k + 1 for k, call in enumerate(calls) if call.verb == "unlink"), 0)
        flushing, merging = calls[:end], calls[end:]
        if flushing:
            yield from Telling("flush", "flush", resting).tell_flush(flushing, briefly=self._flushed)
            self._flushed, resting = True, flushing[-1]
        if merge and not merging:
            merging = self._watch(self._tree.compact)
        if merging:
            yield from Telling("merge", "merge all tables", resting).tell_merge(merging)

    def _tell_get(self, key: bytes) -> Iterator[Step]:
        """Look a key up in a tree that has nothing of the tables in its memory, and tell what it reads."""
        resting = self._look("", "", 0, 0)
        copy = self._disk.crash("all", 0)
        with LSMTree.open(PATH, readonly=True, filesystem=copy) as tree:
            begin = len(copy.log)
            value = tree.get(key)
            reads = [parse_call(line) for line in copy.log[begin:]]
        asked = {name: place for _, name, place, _ in reads}
        yield from Telling("get", f"get {say(key)}", resting).tell_get(say(key), asked, value)

    def _watch(self, work: Callable[[], object]) -> list[Moment]:
        """Do some work, and return its calls that write, sync, create or delete."""
        calls: list[Moment] = []
        self._disk.watch(lambda: calls.append(self._look(*parse_call(self._disk.log[-1]))))
        try:
            work()
        finally:
            self._disk.watch(None)
        return calls

    def _look(self, verb: str, name: str, begin: int, end: int) -> Moment:
        """Take down how things stand, and what is found after crashes."""
        seen, medium = self._disk.crash("all", 0), self._disk.crash("none", 0)
        memory = [tell_change(key, 0, value) for key, value in self._tree._store.memtable.newest.items()]
        crashes = tuple(self._find(self._disk.crash(survivors, seed)) for survivors, seed in WAYS)
        return Moment(verb, name, begin, end, tuple(memory), describe_folder(seen, medium, PATH), crashes)

    def _find(self, left: SimulatedDisk) -> Found:
        """Open what a crash has left, and prove it."""
        contents = tuple((name, contents_of(left, f"{PATH}/{name}")) for name in left.list_directory(PATH))
        if contents not in self._found:
            self._found[contents] = open_left(left)
        return self._found[contents]


def open_left(left: SimulatedDisk) -> Found:
    """Return the items that a tree on a disk has, and the tables that they were found in; None if it is damaged."""
    try:
        tables = tables_of(recover(left, PATH, BlockCache(0)).manifest)
        with LSMTree.open(PATH, filesystem=left) as tree:
            tree.check()
            return Found(tuple(tree.items()), tables)
    except CorruptDataError:
        return Found(None, ())


def parse_call(line: str) -> tuple[str, str, int, int]:
    """Return what a line of the disk's log says: the verb, the file, and the bytes that it is about, if any.

    >>> parse_call("write tree/000003.log 26..59"), parse_call("sync_directory tree")
    (('write', '000003.log', 26, 59), ('sync_directory', 'tree', 0, 0))
    """
    verb, path, detail = [*line.split(" ", 2), ""][:3]
    begin, dots, end = detail.partition("..")
    name = path.rpartition("/")[2]
    return (verb, name, int(begin), int(end)) if dots else (verb, name, 0, 0)
