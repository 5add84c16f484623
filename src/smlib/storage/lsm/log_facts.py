"""A log or a manifest, record by record: what each of them says, up to its end or to what is damaged.

A log's records are batches of changes, a manifest's are edits. A record that is whole and makes no sense does not hide
the others; behind one that is broken nothing is certain, and nothing is shown.

Cost: O(bytes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from smlib.errors import CorruptDataError
from smlib.storage.filesystem import File, FileSystem
from smlib.storage.lsm.batches import decode_batch
from smlib.storage.lsm.internal_keys import user_key
from smlib.storage.lsm.log import LogRecord, read_log
from smlib.storage.lsm.manifest import FileFacts, VersionEdit, change_files, decode_edit, state_of

# So many bytes are looked at at once.
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """A record of a log.

    Attributes
    ----------
    offset, size : int
        Where it begins in the file, and how many bytes it takes there.
    sequence : int or None
        Of its first change. This and what follows is None if it is no batch.
    changes, deletions : int or None
    first : bytes or None
        The key of its first change, if there is one.
    """

    offset: int
    size: int
    sequence: int | None = None
    changes: int | None = None
    deletions: int | None = None
    first: bytes | None = None


@dataclass(slots=True)
class LogFacts:
    """A log.

    Attributes
    ----------
    path : str
    size : int
        Of the file.
    records, changes, deletions : int
    first_sequence, last_sequence : int or None
        None if there are no changes.
    shown : list of RecordFacts
        The first records.
    end : int
        Where the last record ends.
    cut_off : bool
        Whether what is behind is not only zeros: a record that is not whole.
    damage : list of str
        What is wrong, each with its byte.
    """

    path: str
    size: int
    records: int = 0
    changes: int = 0
    deletions: int = 0
    first_sequence: int | None = None
    last_sequence: int | None = None
    shown: list[RecordFacts] = field(default_factory=list)
    end: int = 0
    cut_off: bool = False
    damage: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AddedFacts:
    """A table that an edit adds.

    Attributes
    ----------
    level, number, size : int
    smallest, largest : bytes
        The first and the last key.
    """

    level: int
    number: int
    size: int
    smallest: bytes
    largest: bytes


@dataclass(frozen=True, slots=True)
class EditFacts:
    """An edit.

    Attributes
    ----------
    offset, size : int
        Where its record begins in the file, and how many bytes it takes there.
    comparator : bytes or None
        The order of keys. Of this and the next ones: None if the edit does not say.
    log_number, previous_log_number, next_file, last_sequence : int or None
    removed : tuple of (level, number)
    added : tuple of AddedFacts
    merges_begin : tuple of (level, key)
        Where the next merge of a level begins.
    """

    offset: int
    size: int
    comparator: bytes | None
    log_number: int | None
    previous_log_number: int | None
    next_file: int | None
    last_sequence: int | None
    removed: tuple[tuple[int, int], ...]
    added: tuple[AddedFacts, ...]
    merges_begin: tuple[tuple[int, bytes], ...]


@dataclass(slots=True)
class ManifestFacts:
    """A manifest.

    Attributes
    ----------
    path : str
    size : int
        Of the file.
    edits : list of EditFacts
    comparator : bytes or None
        The order of keys. Of this and the next ones: what was said last; None if nothing was.
    log_number, previous_log_number, next_file, last_sequence : int or None
    tables : dict
        Of each level what is said of its tables, by their numbers.
    end : int
        Where the last edit ends.
    cut_off : bool
        Whether what is behind is not only zeros: an edit that is not whole.
    damage : list of str
        What is wrong, each with its byte.
    """

    path: str
    size: int
    edits: list[EditFacts] = field(default_factory=list)
    comparator: bytes | None = None
    log_number: int | None = None
    previous_log_number: int | None = 0
    next_file: int | None = None
    last_sequence: int | None = None
    tables: dict[int, dict[int, FileFacts]] = field(default_factory=dict)
    end: int = 0
    cut_off: bool = False
    damage: list[str] = field(default_factory=list)


def read_log_facts(disk: FileSystem, path: str, shown: int = 0) -> LogFacts:
    """Return what can be known of a log, with so many of its records one by one."""
    with disk.open(path, readonly=True) as file:
        facts = LogFacts(path, file.size())
        for record in records_of(file, facts, synced=False):
            told = RecordFacts(record.offset, record.end - record.offset)
            try:
                told = batch_in(record, path)
                count(facts, told)
            except CorruptDataError as error:
                facts.damage.append(str(error).removeprefix(f"{path}, "))
            facts.records += 1
            if facts.records <= shown:
                facts.shown.append(told)
    return facts


def batch_in(record: LogRecord, path: str) -> RecordFacts:
    """Return what a record says, which must be a batch."""
    sequence, changes = decode_batch(record.payload, path, record.offset)
    deletions = sum(value is None for _, value in changes)
    first = changes[0][0] if changes else None
    return RecordFacts(record.offset, record.end - record.offset, sequence, len(changes), deletions, first)


def count(facts: LogFacts, record: RecordFacts) -> None:
    """Take a batch into account, whose changes must be newer than those before."""
    if not record.changes or record.sequence is None or record.deletions is None:
        return
    facts.changes += record.changes
    facts.deletions += record.deletions
    if facts.last_sequence is not None and record.sequence <= facts.last_sequence:
        raise CorruptDataError(
            f"byte {record.offset}: the changes there begin with number {record.sequence}, and those before end with "
            f"{facts.last_sequence}"
        )
    facts.first_sequence = record.sequence if facts.first_sequence is None else facts.first_sequence
    facts.last_sequence = record.sequence + record.changes - 1


def read_manifest_facts(disk: FileSystem, path: str) -> ManifestFacts:
    """Return what can be known of a manifest."""
    merged = VersionEdit(previous_log_number=0)
    with disk.open(path, readonly=True) as file:
        facts = ManifestFacts(path, file.size())
        for record in records_of(file, facts, synced=True):
            try:
                edit = decode_edit(record.payload, path, record.offset)
                facts.edits.append(facts_of(edit, record))
                merged = merged._replace(**{name: value for name, value in edit._asdict().items() if value is not None})
                change_files(facts.tables, edit, path, record.offset)
            except CorruptDataError as error:
                facts.damage.append(str(error).removeprefix(f"{path}, "))
    facts.comparator, facts.log_number, facts.previous_log_number, facts.next_file, facts.last_sequence = merged[:5]
    try:
        if not facts.damage:
            state_of(merged, facts.tables, {}, path, facts.end)
    except CorruptDataError as error:
        facts.damage.append(str(error).removeprefix(f"{path}, "))
    return facts


def facts_of(edit: VersionEdit, record: LogRecord) -> EditFacts:
    """Return what an edit says."""
    return EditFacts(
        record.offset,
        record.end - record.offset,
        *edit[:5],
        edit.removed,
        tuple(
            AddedFacts(level, said.number, said.size, user_key(said.smallest), user_key(said.largest))
            for level, said in edit.added
        ),
        tuple((level, user_key(key)) for level, key in edit.compact_pointers),
    )


def records_of(file: File, facts: LogFacts | ManifestFacts, *, synced: bool) -> Iterator[LogRecord]:
    """Yield the records of a file, and write down where they end and what is wrong there."""
    try:
        for record in read_log(file, synced=synced):
            facts.end = record.end
            yield record
    except CorruptDataError as error:
        facts.damage.append(str(error).removeprefix(f"{file.path}, "))
        return
    facts.cut_off = any(
        any(file.read_at(begin, min(CHUNK, facts.size - begin))) for begin in range(facts.end, facts.size, CHUNK)
    )
