"""How commits, flushes, merges and gets are told: call by call, with what must hold at each.

Of a piece of work there are the calls that were watched, in order, and how things stood before it. What happens in
memory before a table is written is told from the table that comes out: which entries it has, in which blocks, and which
of those that went into a merge are not among them.

Invariants: those of `trace`, which `moments.prove` computes from each state.

Cost: O(bytes of the folder) a step.

Ghemawat & Dean, *LevelDB* (2011), "Implementation notes".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeAlias

from smlib._core.trace import Step
from smlib.storage.lsm.bloom import passes
from smlib.storage.lsm.commits import Writer
from smlib.storage.lsm.compaction import merge_tables
from smlib.storage.lsm.descriptions import Told
from smlib.storage.lsm.file_names import LOG, MANIFEST, TABLE
from smlib.storage.lsm.log import LogWriter
from smlib.storage.lsm.log_entries import read_entries
from smlib.storage.lsm.lookups import find_in_tables
from smlib.storage.lsm.manifest import encode_edit
from smlib.storage.lsm.memtable import Memtable
from smlib.storage.lsm.merging import merge_entries
from smlib.storage.lsm.moments import EITHER, NEW, OLD, Found, Left, Moment, Rows, changes_of, prove, settled
from smlib.storage.lsm.recovery import recover
from smlib.storage.lsm.table_building import build_table, lay_blocks, lay_filters, lay_index
from smlib.storage.wording import say, say_list

# What one commit does: it sets a key, or takes it out where there is None.
Changes: TypeAlias = Mapping[bytes, bytes | None]


class Telling:
    """What is told of one piece of work.

    Parameters
    ----------
    kind : str
        "start", "commit", "flush", "merge" or "get".
    doing : str
        The same in words; empty at the start.
    resting : Moment
        How things stand before it.
    """

    def __init__(self, kind: str, doing: str, resting: Moment) -> None:
        self._kind = kind
        self._doing = doing
        self._moment = self._resting = resting
        self._old = self._new = resting.crashes[1]
        self._allowed: tuple[str, ...] = NEW if kind in ("start", "get") else OLD
        self._memory = resting.memory
        self._dropped: frozenset[tuple[str, int]] = frozenset()
        self._merging = False
        self._built: tuple[dict[str, Any], ...] = ()
        self._opening = f"{doing[:1].upper()}{doing[1:]}. " if doing else ""

    def tell_start(self) -> Step:
        """Return the step before all work."""
        rows = {row["kind"]: row for row in self._moment.files}
        manifest = rows[MANIFEST]["name"]
        caption = (
            f"An empty store. CURRENT names {manifest} as the manifest that counts. It says that changes go to log "
            f"{rows[LOG]['number']}, and leads to no table yet."
        )
        return self._step(caption, recover, [("CURRENT", 0), (manifest, 0)])

    def tell_commit(self, calls: list[Moment]) -> Iterator[Step]:
        """Yield the steps of a commit: the record is written, and synced; then the memtable has it, too."""
        write, after = calls[0], calls[-1]
        self._begin(after)
        self._moment, self._allowed = write, EITHER
        log = self._row(write.name)
        place = (write.name, len(log["parts"]) - 1)
        count = len(log["parts"][-1]["changes"])
        many = f"One record for its {count} changes: a crash leaves all or none. " if count > 1 else ""
        caption = f"{many}The record is written at the end of the log, as bytes {write.begin} to {write.end}."
        yield self._step(caption, LogWriter.add, [place], f"{self._doing}: where is it written first?")
        if len(calls) > 2:
            self._finish(after)
            caption = f"The log is synced. Now the memtable has {'it' if count == 1 else 'them'}, too, and the commit "
            caption += "returns."
            lit = all_keys(log["parts"][-1]["changes"])
            question = "When does the commit return?"
            yield self._step(caption, Memtable.put_many, [place], question, lit)

    def tell_flush(self, calls: list[Moment], *, briefly: bool) -> Iterator[Step]:
        """Yield the steps of a flush: a table is made in memory, and then what is written, call by call."""
        self._begin(calls[-1])
        parts = self._parts_of_new(calls[-1])
        blocks = [part for part in parts if part["role"] == "block"]
        filtered = any(part["role"] == "filter" for part in parts)
        self._memory = tuple(sorted(self._memory, key=lambda change: change[0]))
        if briefly:
            self._built = parts
            caption = "What is in the memtable is sorted, and becomes a table, as before."
            yield self._step(caption, build_table, [], "What is made of the memtable?", all_keys(self._memory))
        else:
            caption = "The memtable has its keys as they came. Now its changes are sorted, all at once."
            yield self._step(caption, read_entries, [], "What is done to the memtable?", all_keys(self._memory))
            self._built = tuple(blocks)
            caption = f"They are cut into blocks: {say_list([part['text'] for part in blocks])}. Each has its checksum."
            yield self._step(caption, lay_blocks, [], "A table is read block by block. What is in each?")
            self._built = parts
            caption = "Behind the blocks comes"
            caption += " a filter, a few bits for each key, and then" if filtered else ""
            caption += " the index: it says of each block where it is, and which key ends it."
            source = lay_filters if filtered else lay_index
            yield self._step(caption, source, [], "How is a key found without reading all blocks?")
        yield from self._tell_calls(calls, briefly=briefly)

    def tell_merge(self, calls: list[Moment]) -> Iterator[Step]:
        """Yield the steps of a merge: what is read, what is left out, and then what is written, call by call."""
        self._begin(calls[-1])
        tables = [row for row in self._resting.files if row["kind"] == TABLE and row["named"]]
        everything = sorted(
            (change for row in tables for change in changes_of(row)),
            key=lambda change: (change[0], -change[1]),
        )
        self._memory, self._merging = tuple(everything), True
        lit = [(row["name"], k) for row in tables for k, part in enumerate(row["parts"]) if part["role"] == "block"]
        numbers = [row["number"] for row in tables]
        caption = f"{say_numbers(numbers, 'Table')} {'are' if len(numbers) > 1 else 'is'} read from front to back, "
        caption += "side by side: each is in order, so the least key is the first of one of them."
        yield self._step(caption, merge_tables, lit, "All tables become one. How are they read?", all_keys(everything))
        parts = self._parts_of_new(calls[-1])
        kept = {(key, number) for part in parts for key, number, _ in part["changes"]}
        self._dropped = frozenset((key, number) for key, number, _ in everything) - kept
        self._built = parts
        yield self._step(self._say_dropped(everything), merge_entries, [], "Which of these are needed no more?")
        yield from self._tell_calls(calls, briefly=True)

    def tell_get(self, key: str, reads: Mapping[str, int], value: bytes | None) -> Iterator[Step]:
        """Yield the steps of a look-up, given at which byte a block of each file was read: memtable, then tables."""
        here = [change for change in self._memory if change[0] == key]
        caption = "The memtable is asked first, for it has the newest: "
        caption += self._say_found(here) if here else "it does not know the key."
        yield self._step(caption, Memtable.find, [], f"{self._doing}: where is it looked for first?", all_keys(here))
        for row in self._moment.files:
            if row["kind"] == TABLE and row["named"] and not here:
                here = [change for change in changes_of(row) if change[0] == key and row["name"] in reads]
                yield self._tell_table_asked(key, row, reads.get(row["name"]), here)
        if not here:
            yield self._step(f"No table has it: {key} is not there.", find_in_tables, [], "What is the answer?")

    def _tell_table_asked(self, key: str, row: dict[str, Any], read: int | None, here: list[Told]) -> Step:
        """Tell what one table says."""
        name, question = f"Table {row['number']}", f"What does table {row['number']} say?"
        filters = [(row["name"], k) for k, part in enumerate(row["parts"]) if part["role"] == "filter"]
        keys = [change[0] for change in changes_of(row)]
        if not keys[0] <= key <= keys[-1]:
            caption = f"{name} has keys from {keys[0]} to {keys[-1]} only. It is not asked."
            return self._step(caption, find_in_tables, [], question)
        if read is None:
            caption = (
                f"{name}: its {'filter' if filters else 'index'} says that it surely has no {key}. Nothing is read."
            )
            return self._step(caption, passes, filters, question)
        places = [(row["name"], k) for k, part in enumerate(row["parts"]) if part["begin"] == read]
        caption = f"{name}: its filter lets the key pass. The" if filters else f"{name}: the"
        caption += f" index leads to the block at byte {read}, which is read: "
        if here:
            caption += self._say_found(here)
        else:
            caption += f"it has no {key}. So the filter was wrong, as it may be." if filters else f"it has no {key}."
        return self._step(caption, find_in_tables, places, question)

    def _say_found(self, here: list[Told]) -> str:
        """Return what an answer is."""
        key, _, value = here[0]
        if value is None:
            return f"{key} was deleted. That is an answer, and nothing older is asked."
        return f"{key} = {value}. Nothing older is asked."

    def _tell_calls(self, calls: list[Moment], *, briefly: bool) -> Iterator[Step]:
        """Tell the calls of a flush or a merge."""
        manifest = next(k for k, call in enumerate(calls) if call.kind == MANIFEST)
        for k, (call, following) in enumerate(pairwise([*calls, calls[-1]])):
            self._moment = call if call.verb in ("create", "write", "unlink") else settled(call, following)
            if call.verb == "write" and k < manifest:
                yield self._tell_table(call, briefly)
            elif call.verb == "datasync" and k < manifest and not briefly:
                yield self._tell_synced_table(call)
            elif call.verb == "sync_directory":
                yield self._tell_names(briefly)
            elif call.verb == "write":
                self._allowed = EITHER
                yield self._tell_edit(call)
            elif call.verb == "datasync" and k > manifest:
                self._allowed = NEW
                yield self._tell_synced_edit(call, following)
            elif call.verb == "unlink" and call is calls[-1]:
                yield self._tell_unlink([other.name for other in calls if other.verb == "unlink"], briefly)

    def _tell_table(self, call: Moment, briefly: bool) -> Step:
        """Tell that a table was written."""
        self._built = ()
        parts = range(len(self._row(call.name)["parts"]))
        caption = f"The table is written by one write of {call.end} bytes, into a file with a new number."
        if not briefly:
            caption += " Nothing leads there: after a crash it is waste, and who opens the folder to write deletes it."
        return self._step(
            caption, self._source(), [(call.name, k) for k in parts], "The table is made. Where does it go?"
        )

    def _tell_synced_table(self, call: Moment) -> Step:
        """Tell that the bytes of a table are on the disk."""
        row = self._row(call.name)
        caption = f"Table {row['number']} is synced: its bytes are on the disk. Its name may still be lost."
        lit = [(call.name, k) for k in range(len(row["parts"]))]
        return self._step(caption, self._source(), lit, "May the manifest lead there now?")

    def _tell_names(self, briefly: bool) -> Step:
        """Tell that the names in the folder are on the disk."""
        fresh = [row for row in self._described() if row["touched"] and row["kind"] in (TABLE, LOG)]
        logs = [row["number"] for row in fresh if row["kind"] == LOG]
        caption = "The table was synced. " if briefly else ""
        caption += f"A new log is made, number {logs[0]}, and is empty. " if logs else ""
        caption += "The folder is synced: the names in it are on the disk."
        lit = [(row["name"], None) for row in fresh]
        return self._step(caption, self._source(), lit, "Is all on the disk to which the manifest will lead?")

    def _tell_edit(self, call: Moment) -> Step:
        """Tell that an edit was added to the manifest."""
        row = self._row(call.name)
        caption = f"An edit is added to the manifest: {row['parts'][-1]['text']}. "
        caption += "It reaches the disk, or it does not: that is all that a crash decides."
        question = "All is on the disk. What makes it count?"
        return self._step(caption, encode_edit, [(call.name, len(row["parts"]) - 1)], question)

    def _tell_synced_edit(self, call: Moment, following: Moment) -> Step:
        """Tell that the manifest is on the disk, and what counts now."""
        row = self._row(call.name)
        self._built, self._merging, self._dropped = (), False, frozenset()
        self._memory = following.memory
        caption = "The manifest is synced: what it leads to is what counts."
        caption += " The memtable is empty, and changes go to the new log." if self._kind == "flush" else ""
        return self._step(caption, self._source(), [(call.name, len(row["parts"]) - 1)], "What is the new state?")

    def _tell_unlink(self, names: list[str], briefly: bool) -> Step:
        """Tell that files were deleted."""
        numbers = [int(name.partition(".")[0]) for name in names]
        what = say_numbers(numbers, "Table") if names[0].endswith(TABLE) else say_numbers(numbers, "Log")
        caption = f"{what} {'are' if len(names) > 1 else 'is'} deleted, for nothing leads there any more."
        caption += "" if briefly else " A crash may bring it back, and then it is deleted again."
        return self._step(caption, self._source(), [], "What is not needed any more?")

    def _source(self) -> Callable[..., Any]:
        """Return what does the work."""
        return Writer.compact if self._kind == "merge" else Writer.flush

    def _say_dropped(self, everything: Iterable[Told]) -> str:
        """Return which entries a merge leaves out, and why."""
        gone = [change for change in everything if (change[0], change[1]) in self._dropped]
        newest = {key: max(number for k, number, _ in everything if k == key) for key, _, _ in everything}
        older = [f"{key} of change {number}" for key, number, _ in gone if number < newest[key]]
        deletions = [key for key, number, value in gone if number == newest[key] and value is None]
        told = ["Of each key the newest stays."]
        told += [f"So {say_list(older)} {'go' if len(older) > 1 else 'goes'}."] if older else []
        if deletions:
            told.append(f"A deletion has nothing left to hide, and goes itself: {say_list(deletions)}.")
        return " ".join(told)

    def _begin(self, last: Moment) -> None:
        """Note what a crash leaves when the work is done."""
        self._new = last.crashes[1]

    def _finish(self, after: Moment) -> None:
        """Note that the work is done."""
        self._moment, self._memory, self._allowed = after, after.memory, NEW

    def _row(self, name: str) -> dict[str, Any]:
        return next(row for row in self._moment.files if row["name"] == name)

    def _parts_of_new(self, after: Moment) -> tuple[dict[str, Any], ...]:
        """Return the parts of the tables that the work has made."""
        before = {row["name"] for row in self._resting.files}
        return tuple(
            part for row in after.files if row["kind"] == TABLE and row["name"] not in before for part in row["parts"]
        )

    def _step(
        self,
        caption: str,
        source: Callable[..., Any],
        lit: Iterable[tuple[str, int | None]],
        question: str = "",
        lit_memory: Iterable[str] = (),
    ) -> Step:
        """Return a step, which is about some parts of files and some keys in memory: how things stand now."""
        files = self._described()
        crashes = tuple(self._classify(found) for found in self._moment.crashes)
        state = {
            "doing": self._doing,
            "kind": self._kind,
            "memory": tuple(
                {"key": key, "number": number, "value": value, "kept": (key, number) not in self._dropped}
                for key, number, value in self._memory
            ),
            "merging": self._merging,
            "built": self._built,
            "files": files,
            "lit": tuple(lit),
            "lit_memory": tuple(lit_memory),
            "crashes": crashes,
            "allowed": self._allowed,
        }
        opening, self._opening = self._opening, ""
        question = question[:1].upper() + question[1:]
        return Step(opening + caption, state, source, prove(state), question)

    def _described(self) -> Rows:
        """Describe the files, and what became of each since the work began."""
        before = {row["name"]: row["content"] for row in self._resting.files}
        rows = []
        for row in self._moment.files:
            content = before.get(row["name"])
            told = {name: value for name, value in row.items() if name != "content"}
            told["kept"] = content is None or row["content"].startswith(content)
            told["touched"] = content != row["content"]
            rows.append(told)
        return tuple(rows)

    def _classify(self, found: Found) -> Left:
        return "new" if found == self._new else "old" if found == self._old else "neither"


def all_keys(changes: Iterable[Told]) -> list[str]:
    """Return the keys of changes."""
    return [key for key, _, _ in changes]


def say_changes(changes: Changes) -> str:
    """Return what a commit does, in words.

    >>> say_changes({b"cow": b"1", b"bee": None})
    'put cow = 1, delete bee'
    """
    told = [
        f"delete {say(key)}" if value is None else f"put {say(key)} = {say(value)}" for key, value in changes.items()
    ]
    return ", ".join(told)


def say_numbers(numbers: list[int], what: str = "change") -> str:
    """Return what some numbers are those of, in words.

    >>> say_numbers([2]), say_numbers([2, 3])
    ('change 2', 'changes 2 and 3')
    """
    return f"{what}{'s' if len(numbers) > 1 else ''} {say_list(list(map(str, numbers)))}"
