"""File names: what each file of a store is called, and which manifest is the one that counts.

Every file has a number, and no number is used twice::

    000003.log          changes that are not in a table yet
    000005.ldb          a table; LevelDB's first versions called it 000005.sst
    MANIFEST-000002     which tables there are
    CURRENT             the name of the manifest that counts, and a line feed
    LOCK, LOG           whose store this is; what LevelDB has to tell
    000007.dbtmp        what was not finished

``CURRENT`` is replaced as a whole: `FileSystem.replace_contents` says how a crash leaves the old one or the new one.

Invariants:
  1. ``parse_file_name(file_name(number, kind)) == (kind, number)``.
  2. ``CURRENT`` names a manifest that is there: else CorruptDataError.

Cost: O(1).

Ghemawat & Dean, *LevelDB* (2011), file ``filename.cc``.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from smlib.errors import CorruptDataError
from smlib.storage.filesystem import FileSystem, PathLike

LOG, TABLE, OLD_TABLE, MANIFEST, TEMPORARY = "log", "ldb", "sst", "manifest", "dbtmp"
CURRENT, LOCK, INFO = "CURRENT", "LOCK", "LOG"
NUMBERED = re.compile(r"([0-9]{1,20})\.(log|ldb|sst|dbtmp)|MANIFEST-([0-9]{1,20})")
OTHERS = {CURRENT: CURRENT, LOCK: LOCK, INFO: INFO, "LOG.old": INFO}


class FileName(NamedTuple):
    """What the name of a file says.

    Attributes
    ----------
    kind : str
        ``LOG``, ``TABLE``, ``OLD_TABLE``, ``MANIFEST``, ``TEMPORARY``, ``CURRENT``, ``LOCK`` or ``INFO``.
    number : int
        0 for the last three.
    """

    kind: str
    number: int


def file_name(number: int, kind: str) -> str:
    """Return the name of a file that has a number.

    >>> file_name(5, TABLE), file_name(2, MANIFEST)
    ('000005.ldb', 'MANIFEST-000002')
    """
    return f"MANIFEST-{number:06}" if kind == MANIFEST else f"{number:06}.{kind}"


def parse_file_name(name: str) -> FileName | None:
    """Return what the name of a file says, or None if no file of a store is called so.

    >>> parse_file_name("000005.ldb")
    FileName(kind='ldb', number=5)
    """
    if name in OTHERS:
        return FileName(OTHERS[name], 0)
    match = NUMBERED.fullmatch(name)
    if match is None:
        return None
    number, kind, manifest = match.groups()
    found = FileName(MANIFEST, int(manifest)) if kind is None else FileName(kind, int(number))
    return found if found.number < 1 << 64 else None


def path_of(folder: PathLike, number: int, kind: str) -> str:
    """Return the path of a file that has a number."""
    return os.path.join(folder, file_name(number, kind))


def read_current(filesystem: FileSystem, folder: PathLike) -> int:
    """Return the number of the manifest that counts.

    Raises
    ------
    CorruptDataError
        ``CURRENT`` does not name one, or one that is not there.
    StorageError
        There is no ``CURRENT``, and so no store; or the disk refuses.
    """
    path = os.path.join(folder, CURRENT)
    with filesystem.open(path, readonly=True) as file:
        # No name is longer than this.
        text = file.read_at(0, 100)
    name = parse_file_name(text[:-1].decode("latin-1"))
    if name is None or name.kind != MANIFEST or text[-1:] != b"\n":
        raise CorruptDataError(f"{path}, byte 0: {text!r} is no manifest's name and a line feed (invariant 2)")
    # Digits may stand for the same number in other ways; the name is what counts.
    if not filesystem.exists(os.path.join(folder, text[:-1].decode("latin-1"))):
        raise CorruptDataError(f"{path}, byte 0: it names {text[:-1]!r}, which is not there (invariant 2)")
    return name.number


def write_current(filesystem: FileSystem, folder: PathLike, number: int) -> None:
    """Let the manifest with a number be the one that counts; it is so when this returns, whatever happens then."""
    filesystem.replace_contents(os.path.join(folder, CURRENT), file_name(number, MANIFEST).encode() + b"\n")
