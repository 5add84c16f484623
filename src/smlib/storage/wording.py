"""How files are told of in traces: all of their bytes, and keys, values and lists in words."""

from __future__ import annotations

from smlib.storage.filesystem import FileSystem


def contents_of(disk: FileSystem, path: str) -> bytes:
    """Return all bytes of a file."""
    with disk.open(path, readonly=True) as file:
        return file.read_at(0, file.size())


def say(content: bytes) -> str:
    """Return a key or a value as it is told."""
    return content.decode("ascii", "backslashreplace")


def say_list(words: list[str]) -> str:
    """Return words, one behind the other.

    >>> say_list(["ape", "bee", "cow"]), say_list(["ape"]), say_list([])
    ('ape, bee and cow', 'ape', 'none')
    """
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part) if words else "none"
