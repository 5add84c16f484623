"""All files of a simulated disk, for the tests."""

from __future__ import annotations

from smlib.storage import SimulatedDisk


def contents(disk: SimulatedDisk, folder: str = ".") -> dict[str, bytes]:
    """Read all files of a directory."""
    found = {}
    for name in disk.list_directory(folder):
        with disk.open(f"{folder}/{name}", readonly=True) as file:
            found[name] = file.read_at(0, file.size())
    return found
