r"""The manifest: which tables there are, told as what has changed.

The problem. A store is a set of files, and the set changes: a flush adds a table, a merge takes some tables away and
adds others. All of that must happen at once, whatever happens meanwhile, and a directory can only be changed name by
name. A file that is in the directory may be half written, or one that nobody has come round to delete.

The idea. The set is what the *manifest* says, and the manifest is a log (`log`): each record is an *edit*, which takes
tables away and adds others, and it is there as a whole or not at all. Read from the beginning, they make the set; what
is in the directory besides is waste. A new manifest begins with an edit that adds all there is, and is the one that
counts as soon as ``CURRENT`` names it.

An edit is a row of fields, each with a number before it that says which; numbers are varints, and keys have their size
before them::

    1  name of the order of keys              5  level, key             where the next merge of a level begins
    2  number of the log                      6  level, number          a table that is taken away
    3  next number of a file                  7  level, number, size, smallest key, largest key     one that is added
    4  sequence of the last change            9  number of the log before; 0 if there is none

By hand. A flush wrote table 5 (1024 bytes, keys "a" to "m", changes 1 to 12) into level 0, and changes go to log 6 from
now on::

    02 06 | 09 00 | 03 07 | 04 0c | 07 00 05 80 08 | 09 61 01 01 00 00 00 00 00 00 | 09 6d 01 0c 00 00 00 00 00 00
    log 6   none    next 7  last 12 level 0, table 5, 1024   "a", change 1, a value     "m", change 12, a value

Logs with smaller numbers than the one that is named hold nothing that is not in tables, but for the log before.

Invariants:
  1. ``decode_edit(encode_edit(edit)) == edit``, and the bytes are those that LevelDB would write.
  2. What an edit takes away is there, and what it adds is not, in its level; no key of a table comes before its
     smallest or after its largest, which are in order.
  3. The next number is larger than all that are used.
  4. A manifest that is damaged is told as CorruptDataError; where its last record is not whole, it ends before that.
  5. The order of keys is LevelDB's own, that of bytes: else InputError, for then this store is not ours to read.

Cost: O(bytes) to read; an edit of one table takes some 60 bytes and its two keys.

Ghemawat & Dean, *LevelDB* (2011), file ``version_edit.cc``; Petrov, *Database Internals*, chapter 7.
"""

from __future__ import annotations

from typing import NamedTuple

from smlib.errors import CorruptDataError, InputError
from smlib.storage.filesystem import FileSystem, PathLike
from smlib.storage.lsm.internal_keys import MAX_SEQUENCE, sort_key, unpack_internal_key
from smlib.storage.lsm.log import read_log
from smlib.storage.lsm.varints import decode_sized, decode_varint, encode_sized, encode_varint

COMPARATOR = b"leveldb.BytewiseComparator"
LEVELS = 7
(
    TAG_COMPARATOR,
    TAG_LOG,
    TAG_NEXT_FILE,
    TAG_LAST_SEQUENCE,
    TAG_COMPACT_POINTER,
    TAG_REMOVED,
    TAG_ADDED,
    TAG_PREVIOUS_LOG,
) = (1, 2, 3, 4, 5, 6, 7, 9)


class FileFacts(NamedTuple):
    """What the manifest says of a table.

    Attributes
    ----------
    number, size : int
        Of the file; the size in bytes.
    smallest, largest : bytes
        The first and the last internal key.
    """

    number: int
    size: int
    smallest: bytes
    largest: bytes


class VersionEdit(NamedTuple):
    """What has changed; None and empty: nothing.

    Attributes
    ----------
    comparator : bytes or None
        The name of the order of keys.
    log_number, previous_log_number : int or None
        The log that changes go to, and one before it that is not in a table yet; 0 if there is none.
    next_file : int or None
        A number that no file has, and none above it either.
    last_sequence : int or None
    compact_pointers : tuple of (level, internal key)
        Where the next merge of a level begins.
    removed : tuple of (level, number)
        In order.
    added : tuple of (level, FileFacts)
    """

    comparator: bytes | None = None
    log_number: int | None = None
    previous_log_number: int | None = None
    next_file: int | None = None
    last_sequence: int | None = None
    compact_pointers: tuple[tuple[int, bytes], ...] = ()
    removed: tuple[tuple[int, int], ...] = ()
    added: tuple[tuple[int, FileFacts], ...] = ()


class ManifestState(NamedTuple):
    """What the edits of a manifest make.

    Attributes
    ----------
    comparator : bytes
    log_number, previous_log_number, next_file, last_sequence : int
    files : dict
        Of each level with tables: of each number the FileFacts.
    compact_pointers : dict
        Of some levels the internal key at which the next merge begins.
    end : int
        Where the last edit ends in the file.
    """

    comparator: bytes
    log_number: int
    previous_log_number: int
    next_file: int
    last_sequence: int
    files: dict[int, dict[int, FileFacts]]
    compact_pointers: dict[int, bytes]
    end: int


def encode_edit(edit: VersionEdit) -> bytes:
    """Return the record of an edit.

    >>> edit = VersionEdit(log_number=6, previous_log_number=0, next_file=7, last_sequence=12)
    >>> encode_edit(edit).hex(" ")
    '02 06 09 00 03 07 04 0c'
    """
    parts = []
    if edit.comparator is not None:
        parts += [encode_varint(TAG_COMPARATOR), encode_sized(edit.comparator)]
    for tag, number in (
        (TAG_LOG, edit.log_number),
        (TAG_PREVIOUS_LOG, edit.previous_log_number),
        (TAG_NEXT_FILE, edit.next_file),
        (TAG_LAST_SEQUENCE, edit.last_sequence),
    ):
        if number is not None:
            parts += [encode_varint(tag), encode_varint(number)]
    for level, key in edit.compact_pointers:
        parts += [encode_varint(TAG_COMPACT_POINTER), encode_varint(level), encode_sized(key)]
    for level, number in sorted(edit.removed):
        parts += [encode_varint(TAG_REMOVED), encode_varint(level), encode_varint(number)]
    for level, facts in edit.added:
        parts += [encode_varint(TAG_ADDED), encode_varint(level)]
        parts += [encode_varint(facts.number), encode_varint(facts.size)]
        parts += [encode_sized(facts.smallest), encode_sized(facts.largest)]
    return b"".join(parts)


class EditReader:
    """The fields of an edit, one after the other.

    Parameters
    ----------
    data : bytes
    path, offset : str, int
        The file that it is from, and where its record begins there; for messages only.
    """

    __slots__ = ("data", "offset", "path", "place")

    def __init__(self, data: bytes, path: str, offset: int) -> None:
        self.data = data
        self.path = path
        self.offset = offset
        self.place = 0

    @property
    def more(self) -> bool:
        """Whether a field is left."""
        return self.place < len(self.data)

    def number(self, bits: int = 64) -> int:
        """Return a number."""
        number, self.place = decode_varint(self.data, self.place, bits, self.path, self.offset)
        return number

    def level(self) -> int:
        """Return a level, of which there are seven."""
        level = self.number(32)
        if level >= LEVELS:
            raise self.error(f"there is no level {level}")
        return level

    def sized(self) -> bytes:
        """Return bytes that have their size before them."""
        content, self.place = decode_sized(self.data, self.place, self.path, self.offset)
        return content

    def key(self) -> bytes:
        """Return an internal key."""
        key = self.sized()
        unpack_internal_key(key, self.path, self.offset)
        return key

    def facts(self) -> FileFacts:
        """Return what is said of a table."""
        facts = FileFacts(self.number(), self.number(), self.key(), self.key())
        if sort_key(facts.smallest) > sort_key(facts.largest):
            raise self.error(f"the keys of table {facts.number} are out of order (invariant 2)")
        return facts

    def error(self, what: str) -> CorruptDataError:
        """Return the error that says what is wrong."""
        return CorruptDataError(f"{self.path}, byte {self.offset}: the edit makes no sense: {what}")


def decode_edit(data: bytes, path: str = "", offset: int = 0) -> VersionEdit:
    """Return the edit of a record.

    Parameters
    ----------
    data : bytes
    path, offset : str, int
        The file that it is from, and where its record begins there; for the message only.

    Raises
    ------
    CorruptDataError
        It is none.

    Examples
    --------
    >>> decode_edit(bytes.fromhex("02 06 09 00 03 07 04 0c"))[1:5]
    (6, 0, 7, 12)
    """
    reader = EditReader(data, path, offset)
    comparator = None
    numbers: dict[int, int] = {}
    pointers, removed, added = [], [], []
    while reader.more:
        tag = reader.number(32)
        if tag == TAG_COMPARATOR:
            comparator = reader.sized()
        elif tag in (TAG_LOG, TAG_PREVIOUS_LOG, TAG_NEXT_FILE, TAG_LAST_SEQUENCE):
            numbers[tag] = reader.number()
        elif tag == TAG_COMPACT_POINTER:
            pointers.append((reader.level(), reader.key()))
        elif tag == TAG_REMOVED:
            removed.append((reader.level(), reader.number()))
        elif tag == TAG_ADDED:
            added.append((reader.level(), reader.facts()))
        else:
            raise reader.error(f"no field has the number {tag}")
    return VersionEdit(
        comparator,
        numbers.get(TAG_LOG),
        numbers.get(TAG_PREVIOUS_LOG),
        numbers.get(TAG_NEXT_FILE),
        numbers.get(TAG_LAST_SEQUENCE),
        tuple(pointers),
        tuple(removed),
        tuple(added),
    )


def read_manifest(filesystem: FileSystem, path: PathLike) -> ManifestState:
    """Return what the edits of a manifest make, up to what a crash has left of the last one.

    Parameters
    ----------
    filesystem : FileSystem
    path : str or path-like
        The manifest; it is not changed.

    Returns
    -------
    ManifestState

    Raises
    ------
    CorruptDataError
        It is damaged, or says what cannot be. The message names the byte at which the edit begins.
    InputError
        The store's keys are in another order than that of bytes.
    StorageError
        It is not there, or the disk refuses.

    Notes
    -----
    Complexity: O(n) for n bytes.
    """
    merged = VersionEdit(previous_log_number=0)
    files: dict[int, dict[int, FileFacts]] = {}
    pointers: dict[int, bytes] = {}
    end = 0
    with filesystem.open(path, readonly=True) as file:
        for record in read_log(file):
            edit = decode_edit(record.payload, file.path, record.offset)
            if edit.comparator not in (None, COMPARATOR):
                raise InputError(
                    f"{file.path}: the keys of this store are in the order {edit.comparator!r}; only stores of "
                    f"{COMPARATOR!r} can be read"
                )
            merged = merged._replace(**{name: value for name, value in edit._asdict().items() if value is not None})
            pointers.update(edit.compact_pointers)
            change_files(files, edit, file.path, record.offset)
            end = record.end
        return state_of(merged, files, pointers, file.path, end)


def change_files(files: dict[int, dict[int, FileFacts]], edit: VersionEdit, path: str, offset: int) -> None:
    """Take away the tables that an edit takes away, and add those that it adds."""
    for level, number in edit.removed:
        if files.get(level, {}).pop(number, None) is None:
            raise CorruptDataError(
                f"{path}, byte {offset}: the edit takes table {number} from level {level}, which is not there "
                f"(invariant 2)"
            )
    for level, facts in edit.added:
        tables = files.setdefault(level, {})
        if facts.number in tables:
            raise CorruptDataError(
                f"{path}, byte {offset}: the edit adds table {facts.number} to level {level}, where it is already "
                f"(invariant 2)"
            )
        tables[facts.number] = facts


def state_of(
    merged: VersionEdit, files: dict[int, dict[int, FileFacts]], pointers: dict[int, bytes], path: str, end: int
) -> ManifestState:
    """Return the state of a manifest, of the last value of each field, if it says what it must."""
    comparator, log, previous, next_file, sequence = merged[:5]
    if comparator is None or log is None or previous is None or next_file is None or sequence is None:
        raise CorruptDataError(
            f"{path}, byte {end}: the manifest ends there, and does not say the order of keys, the number of the log, "
            f"the next number of a file and the last sequence"
        )
    highest = max((number for tables in files.values() for number in tables), default=0)
    if highest >= next_file or sequence > MAX_SEQUENCE:
        raise CorruptDataError(
            f"{path}, byte {end}: the manifest ends there, with table {highest}, the next number {next_file}, and the "
            f"sequence {sequence}, which cannot be (invariant 3)"
        )
    # A log may be newer than the edit that names it.
    next_file = max(next_file, log + 1, previous + 1)
    tables_of = {level: tables for level, tables in sorted(files.items()) if tables}
    return ManifestState(comparator, log, previous, next_file, sequence, tables_of, pointers, end)


def edit_of_state(state: ManifestState) -> VersionEdit:
    """Return the edit with which a new manifest begins: it adds all there is."""
    return VersionEdit(
        state.comparator,
        state.log_number,
        state.previous_log_number,
        state.next_file,
        state.last_sequence,
        tuple(sorted(state.compact_pointers.items())),
        (),
        tuple((level, facts) for level, tables in sorted(state.files.items()) for facts in tables.values()),
    )
