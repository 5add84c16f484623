"""Facts as text: what was proved; a folder, file by file; a table, a log or a manifest, part by part."""

from __future__ import annotations

import os
from collections.abc import Iterator

from smlib.storage.bplustree.drawing import shorten
from smlib.storage.lsm.folder_facts import FolderFacts, LevelTable, NamedFile
from smlib.storage.lsm.inspection import AnyFacts, Proof
from smlib.storage.lsm.log_facts import EditFacts, LogFacts, ManifestFacts
from smlib.storage.lsm.stored_blocks import TRAILER
from smlib.storage.lsm.table_building import FOOTER
from smlib.storage.lsm.table_facts import BlockFacts, FilterFacts, TableFacts

# More files than this are counted and not listed.
MOST_LISTED = 20


def draw_folder_proof(proof: Proof) -> list[str]:
    """Return what was proved as lines: that it is, figures, and what else is to be known."""
    figures = {
        "items": proof.items,
        "tables": proof.tables,
        "levels": proof.levels,
        "entries in tables": proof.entries,
        "logs": proof.logs,
        "last sequence": proof.last_sequence,
    }
    lines = [
        "whole: the manifest, the logs and the tables of an LSM-tree keep their invariants, and fit together",
        ", ".join(f"{name} {value:,}" for name, value in figures.items()),
    ]
    lines += [f"but {name} ends in a record that is not whole: the last commit was cut short" for name in proof.cut_off]
    if proof.waste:
        lines.append(f"nothing leads to {listed(proof.waste)}: waste, which takes room and does no harm")
    return lines


def draw_folder(folder: FolderFacts) -> str:
    """Return a folder as text: its files by kind, and a line a level and a table."""
    known = [file.size for file in folder.files if file.size is not None]
    lines = [f"folder    {sum(known):,} bytes, files {len(folder.files)}"]
    manifest = folder.manifest
    if manifest is None:
        lines.append("manifest  none can be read, so that nothing is known of logs and tables")
    else:
        lines.append(f"manifest  {describe_manifest(manifest)}")
        lines.append(f"          {describe_state(manifest)}")
    lines += [f"log       {describe_log(log)}" for log in folder.logs]
    for kind in ("current", "aside", "waste", "foreign"):
        files = [describe_file(file) for file in folder.files if file.kind == kind]
        lines += [f"{kind:<10}{listed(files)}"] if files else []
    if folder.tables:
        lines += ["", "level    tables          bytes       entries  keys"]
        for level in folder.levels:
            keys = f"{shorten(level.smallest)} .. {shorten(level.largest)}"
            lines.append(f"{level.level:>5}{level.tables:>10,}{level.size:>15,}{level.entries:>14,}  {keys}")
        lines += ["", "level     table          bytes       entries  blocks     compressed  filters              keys"]
        lines += map(draw_level_table, folder.tables)
    return "\n".join(lines)


def draw_level_table(table: LevelTable) -> str:
    """Return a table as a line."""
    bits = "" if table.bits_per_key is None else f"{table.bits_per_key:.1f} bits, "
    filters = "none" if table.probes is None else f"{bits}{table.probes} probes"
    return (
        f"{table.level:>5}{table.number:>10}{table.size:>15,}{table.entries:>14,}{table.blocks:>8,}"
        f"{describe_compression(table.compressed, table.blocks):>15}  {filters:<20} "
        f"{shorten(table.smallest)} .. {shorten(table.largest)}"
    )


def list_damage(folder: FolderFacts) -> list[str]:
    """Return what is wrong with a folder as lines."""
    return [f"{printable(name)}, {what}" for name, wrong in folder.damaged.items() for what in wrong]


def most_interesting(folder: FolderFacts) -> str | None:
    """Return which file to look into: one that is damaged, or else the largest table, log or manifest."""
    kinds = ("manifest", "log", "table")
    files = [file for file in folder.files if file.kind in kinds]
    if not files:
        return None
    return max(files, key=lambda file: (file.name in folder.damaged, kinds.index(file.kind), file.size or 0)).name


def draw_file(facts: AnyFacts) -> str:
    """Return a manifest, a log or a table as text."""
    if isinstance(facts, ManifestFacts):
        lines = draw_manifest(facts)
    elif isinstance(facts, LogFacts):
        lines = draw_log(facts)
    else:
        lines = draw_table(facts)
    return "\n".join(lines)


def draw_manifest(manifest: ManifestFacts) -> Iterator[str]:
    """Yield the edits of a manifest in words, and what they make."""
    yield f"manifest  {describe_manifest(manifest)}"
    yield f"          {describe_state(manifest)}"
    for edit in manifest.edits:
        yield ""
        yield f"byte {edit.offset} +{edit.size}"
        for line in draw_edit(edit):
            yield f"    {line}"


def draw_edit(edit: EditFacts) -> Iterator[str]:
    """Yield what an edit says."""
    if edit.comparator is not None:
        yield f"the order of keys is {edit.comparator!r}"
    numbers = {
        "log": edit.log_number,
        "log before": edit.previous_log_number or None,
        "next file": edit.next_file,
        "last sequence": edit.last_sequence,
    }
    said = [f"{name} {number}" for name, number in numbers.items() if number is not None]
    if said:
        yield ", ".join(said)
    for level, key in edit.merges_begin:
        yield f"the next merge of level {level} begins behind {shorten(key)}"
    for level, number in edit.removed:
        yield f"takes table {number} from level {level}"
    for table in edit.added:
        keys = f"{shorten(table.smallest)} .. {shorten(table.largest)}"
        yield f"adds table {table.number} to level {table.level}: {table.size:,} bytes, {keys}"


def draw_log(log: LogFacts) -> Iterator[str]:
    """Yield the first records of a log."""
    yield f"log       {describe_log(log)}"
    if log.shown:
        yield ""
        yield "      byte       size        sequence     changes   deletions  first key"
    for record in log.shown:
        if record.sequence is None:
            yield f"{record.offset:>10}{record.size:>11,}  no batch"
        else:
            first = "" if record.first is None else f"  {shorten(record.first)}"
            numbers = f"{record.sequence:>16,}{record.changes:>12,}{record.deletions:>12,}"
            yield f"{record.offset:>10}{record.size:>11,}{numbers}{first}"
    if log.records > len(log.shown):
        yield f"and {log.records - len(log.shown):,} more"


def draw_table(table: TableFacts) -> Iterator[str]:
    """Yield the parts of a table as they lie in its file."""
    yield f"table     {os.path.basename(table.path)}, {table.size:,} bytes: blocks {len(table.blocks):,}"
    yield f"          entries {table.entries:,}, of them deletions {table.deletions:,}{describe_sequences(table)}"
    if table.smallest is not None and table.largest is not None:
        yield f"          keys {shorten(table.smallest)} .. {shorten(table.largest)}"
    yield ""
    yield "      byte     stored       size  compressed   entries  what"
    for block in table.blocks:
        yield draw_block(block, f"{shorten(block.first or b'')} .. {shorten(block.last or b'')}")
    if table.filters is not None:
        yield draw_filters(table.filters, table.bits_per_key)
    if table.names is not None:
        yield draw_block(table.names, "the names of the filters")
    if table.index is not None:
        yield draw_block(table.index, "the index")
    yield f"{max(table.size - FOOTER, 0):>10}{min(table.size, FOOTER):>11,}{'':>11}{'':>12}{'':>10}  the footer"
    yield ""
    yield f"behind each part but the footer stand {TRAILER} bytes: how it is compressed, and its checksum"


def draw_block(block: BlockFacts, what: str) -> str:
    """Return a block as a line."""
    size = "-" if block.size is None else f"{block.size:,}"
    entries = "" if block.entries is None else f"{block.entries:,}"
    state = what if block.damage is None else f"DAMAGED: {block.damage}"
    return f"{block.offset:>10}{block.stored:>11,}{size:>11}{block.compression:>12}{entries:>10}  {state}"


def draw_filters(filters: FilterFacts, bits_per_key: float | None) -> str:
    """Return the filters as a line."""
    mean = "" if bits_per_key is None else f", {bits_per_key:.1f} bits a key"
    return (
        f"{filters.offset:>10}{filters.stored:>11,}{'':>11}{filters.compression:>12}{'':>10}  filters "
        f"{filters.filters:,}, each for {filters.covers:,} bytes{mean}, {filters.probes} probes"
    )


def describe_manifest(manifest: ManifestFacts) -> str:
    """Return which manifest it is, and how long."""
    size = f"{os.path.basename(manifest.path)}, {manifest.size:,} bytes: edits {len(manifest.edits):,}"
    return size + describe_end(manifest)


def describe_state(manifest: ManifestFacts) -> str:
    """Return what a manifest says besides its tables."""
    numbers = {
        "log": manifest.log_number,
        "log before": manifest.previous_log_number or None,
        "next file": manifest.next_file,
        "last sequence": manifest.last_sequence,
    }
    tables = sum(map(len, manifest.tables.values()))
    said = [f"{name} {number:,}" for name, number in numbers.items() if number is not None]
    return ", ".join([f"tables {tables:,}", *said])


def describe_log(log: LogFacts) -> str:
    """Return which log it is, how long, and what is in it."""
    counts = f"records {log.records:,}, changes {log.changes:,}, of them deletions {log.deletions:,}"
    return f"{os.path.basename(log.path)}, {log.size:,} bytes: {counts}{describe_sequences(log)}{describe_end(log)}"


def describe_sequences(facts: LogFacts | TableFacts) -> str:
    """Return which sequences there are."""
    if facts.first_sequence is None or facts.last_sequence is None:
        return ""
    return f", sequences {facts.first_sequence:,} to {facts.last_sequence:,}"


def describe_end(facts: LogFacts | ManifestFacts) -> str:
    """Return what is behind the last record."""
    rest = facts.size - facts.end
    if facts.damage or rest <= 0:
        return ""
    what = "a record that is not whole" if facts.cut_off else "zeros"
    return f"; {rest:,} bytes behind, from byte {facts.end} on, are {what}"


def describe_compression(compressed: int, blocks: int) -> str:
    """Return how many blocks are compressed."""
    if compressed in (0, blocks):
        return "snappy" if compressed else "none"
    return f"{compressed:,} by snappy"


def describe_file(file: NamedFile) -> str:
    """Return the name of a file and its size."""
    return printable(file.name) if file.size is None else f"{printable(file.name)} {file.size:,}"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Return names in a row; if there are many, the first ones and how many more there are."""
    rest = [f"{len(names) - MOST_LISTED:,} more"] if len(names) > MOST_LISTED else []
    return ", ".join([*map(printable, names[:MOST_LISTED]), *rest])


def printable(name: str) -> str:
    """Return a name, which may be made to mislead a terminal."""
    return name if name.isprintable() else repr(name)
