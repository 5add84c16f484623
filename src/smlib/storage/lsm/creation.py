"""A new store: a manifest that says that there is nothing, and the file that names it."""

from __future__ import annotations

from smlib.storage.filesystem import FileSystem
from smlib.storage.lsm.file_names import MANIFEST, path_of, write_current
from smlib.storage.lsm.log import LogWriter
from smlib.storage.lsm.manifest import COMPARATOR, VersionEdit, encode_edit

FIRST_MANIFEST = 1


def create_store(filesystem: FileSystem, folder: str) -> None:
    """Make a folder a store without items; until ``CURRENT`` is there it is none."""
    edit = VersionEdit(COMPARATOR, log_number=0, previous_log_number=0, next_file=FIRST_MANIFEST + 1, last_sequence=0)
    with filesystem.open(path_of(folder, FIRST_MANIFEST, MANIFEST), create=True) as file:
        file.truncate(0)
        LogWriter(file).add(encode_edit(edit))
        file.datasync()
    filesystem.sync_directory(folder)
    write_current(filesystem, folder, FIRST_MANIFEST)
