"""What stands in a folder, described for those who look on: its files, and what is in them, part by part.

A folder is read from a copy of the disk, by the functions that read it at any other time: the records of a log are
batches, those of a manifest are edits, and a table has its blocks, its filters and its index. Each part has its place
in the file, so that one can say whether the medium has it.

Invariants:
  1. The parts of a file lie one behind the other, none upon another.
  2. A part is synced if the medium has the file under its name, and the same bytes in its place.

Cost: O(bytes of the folder).

Ghemawat & Dean, *LevelDB* (2011), "Implementation notes".
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from smlib.storage.filesystem import File, FileSystem
from smlib.storage.lsm.batches import decode_batch
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.entries import Entries, unpack
from smlib.storage.lsm.file_names import CURRENT, LOG, MANIFEST, TABLE, parse_file_name, path_of, read_current
from smlib.storage.lsm.internal_keys import DELETION
from smlib.storage.lsm.log import read_log
from smlib.storage.lsm.manifest import ManifestState, VersionEdit, decode_edit, read_manifest
from smlib.storage.lsm.stored_blocks import TRAILER
from smlib.storage.lsm.table_building import FOOTER
from smlib.storage.lsm.tables import Table
from smlib.storage.lsm.varints import decode_varint
from smlib.storage.wording import contents_of, say

# A change, described: its key, its number, and its value, or None for a deletion.
Told = tuple[str, int, str | None]


def describe_folder(seen: FileSystem, medium: FileSystem, folder: str) -> tuple[dict[str, Any], ...]:
    """Describe the files of a store, those that lead to others first.

    Parameters
    ----------
    seen, medium : FileSystem
        The disk as programs see it, and as a crash leaves it that loses all that may be lost.
    folder : str

    Returns
    -------
    tuple of dict
        Of each file its ``name``, ``kind``, ``number``, ``size``; ``level`` of a table (or None); ``named``, whether
        the manifest that counts leads to it, or is it; ``synced``, whether the medium has its name; its ``content``;
        and ``parts``: of each its ``role``, what it says as ``text``, ``begin`` and ``end``, the ``changes`` in it, and
        ``synced``.
    """
    manifest_number = read_current(seen, folder)
    manifest = read_manifest(seen, path_of(folder, manifest_number, MANIFEST))
    rows = []
    for name in seen.list_directory(folder):
        found = parse_file_name(name)
        if found is None or found.kind not in (CURRENT, MANIFEST, LOG, TABLE):
            continue
        levels = [level for level, tables in manifest.files.items() if found.number in tables]
        level = levels[0] if found.kind == TABLE and levels else None
        path = os.path.join(folder, name)
        named = found.kind == CURRENT or level is not None
        named = named or (found.kind == MANIFEST and found.number == manifest_number)
        named = named or (found.kind == LOG and found.number >= manifest.log_number)
        with seen.open(path, readonly=True) as file:
            size = file.size()
            content = file.read_at(0, size)
            parts = describe_parts(file, found.kind, found.number)
        kept = contents_of(medium, path) if medium.exists(path) else None
        for part in parts:
            cut = slice(part["begin"], part["end"])
            part["synced"] = kept is not None and kept[cut] == content[cut]
        rows.append(
            {
                "name": name,
                "kind": found.kind,
                "number": found.number,
                "size": size,
                "level": level,
                "named": named,
                "synced": kept is not None,
                "content": content,
                "parts": tuple(parts),
            }
        )
    return tuple(sorted(rows, key=order_of))


def order_of(row: dict[str, Any]) -> tuple[int, int, int]:
    """Return what files are sorted by: their kinds, then tables by levels, the newest of a level first."""
    kinds = (CURRENT, MANIFEST, LOG, TABLE)
    return kinds.index(row["kind"]), row["level"] or 0, -row["number"]


def describe_parts(file: File, kind: str, number: int) -> list[dict[str, Any]]:
    """Describe what is in a file."""
    if kind == CURRENT:
        size = file.size()
        return [part_of_file("name", file.read_at(0, size).decode().strip(), 0, size)]
    if kind == MANIFEST:
        edits = [(record, decode_edit(record.payload)) for record in read_log(file)]
        return [part_of_file("edit", say_edit(edit), record.offset, record.end) for record, edit in edits]
    if kind == LOG:
        parts = []
        for record in read_log(file, synced=False):
            first, changes = decode_batch(record.payload, file.path, record.offset)
            told = [tell_change(key, sequence, value) for sequence, (key, value) in enumerate(changes, first)]
            text = " ".join(say_change(change) for change in told)
            parts.append(part_of_file("record", text, record.offset, record.end, told))
        return parts
    return describe_table(file, number) if file.size() else []


def describe_table(file: File, number: int) -> list[dict[str, Any]]:
    """Describe the blocks of a table, its filters if it has any, and its index with what is behind it."""
    size = file.size()
    table = Table(file, number, size, BlockCache(0))
    parts, end = [], 0
    for block, (begin, length) in enumerate(table.places.tolist()):
        told, end = tell_entries(table.block(block)), begin + length + TRAILER
        text = " ".join(say_key(change) for change in told)
        parts.append(part_of_file("block", text, begin, end, told))
    names, _ = decode_varint(file.read_at(size - FOOTER, FOOTER), 0, 64, file.path, size - FOOTER)
    if names > end:
        parts.append(part_of_file("filter", "filter", end, names))
    parts.append(part_of_file("index", "index", names, size))
    return parts


def part_of_file(role: str, text: str, begin: int, end: int, changes: Iterable[Told] = ()) -> dict[str, Any]:
    """Return the description of a part."""
    return {"role": role, "text": text, "begin": begin, "end": end, "changes": tuple(changes)}


def tell_entries(entries: Entries) -> list[Told]:
    """Describe entries, in their order."""
    return [tell_change(key, tag >> 8, None if tag & 255 == DELETION else value) for key, tag, value in unpack(entries)]


def tell_change(key: bytes, sequence: int, value: bytes | None) -> Told:
    """Describe a change."""
    return say(key), sequence, None if value is None else say(value)


def say_change(change: Told) -> str:
    """Return a change in few letters.

    >>> say_change(("ape", 7, "1")), say_change(("bee", 8, None))
    ('ape=1', 'bee\u00d7')
    """
    key, _, value = change
    return say_key(change) if value is None else f"{key}={value}"


def say_key(change: Told) -> str:
    """Return the key of a change, with a cross behind it if it is a deletion."""
    key, _, value = change
    return f"{key}\u00d7" if value is None else key


def say_edit(edit: VersionEdit) -> str:
    """Return an edit in few words: tables taken away, tables added, and the log that changes go to, but in a merge.

    >>> say_edit(VersionEdit(log_number=6)), say_edit(VersionEdit(log_number=6, removed=((0, 4), (0, 5))))
    ('log 6', '-4 -5')
    """
    words = [" ".join(f"-{number}" for _, number in edit.removed)]
    words += [" ".join(f"+{facts.number}" for _, facts in edit.added)]
    words += [] if edit.log_number is None or edit.removed else [f"log {edit.log_number}"]
    return ", ".join(filter(None, words))


def tables_of(manifest: ManifestState) -> tuple[int, ...]:
    """Return the numbers of the tables that a manifest leads to, in order."""
    return tuple(sorted(number for tables in manifest.files.values() for number in tables))
