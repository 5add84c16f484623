"""A small file of a B+tree that has everything, for the tests that damage it."""

from __future__ import annotations

from smlib._core.hashing import xxh64
from smlib.storage import SimulatedDisk
from tests.storage.bplustree_tools import PATH, Items, key_of, open_tree

SIZE = 512
LONG = bytes(range(256)) * 3


def contents_of(disk: SimulatedDisk) -> bytes:
    with disk.open(PATH, readonly=True) as file:
        return file.read_at(0, file.size())


def disk_with(content: bytes) -> SimulatedDisk:
    disk = SimulatedDisk(seed=1)
    with disk.open(PATH, create=True) as file:
        file.write_at(0, content)
    return disk


def require_named(error: Exception, name: str) -> None:
    """Require that a message names something, a file above all."""
    assert name.lstrip("/") in str(error), error


def make_file() -> tuple[bytes, Items, Items]:
    """Return a small file with a branch, leaves, a long value and free pages; its items, and those a commit earlier."""
    disk = SimulatedDisk(seed=1)
    with open_tree(disk) as tree:
        tree.put_many({key_of(k): bytes([k]) * 20 for k in range(0, 40, 5)})
        tree[b"long"] = LONG
        tree[b"gone"] = LONG
        earlier = dict(tree)
        del tree[b"gone"]
        assert tree.stats()["depth"] == 2
        assert tree.stats()["free"] > 0
        return contents_of(disk), dict(tree), earlier


FILE, ITEMS, EARLIER = make_file()
PAGES = len(FILE) // SIZE


def meta_pages() -> tuple[int, int]:
    """Return the newer and the older of the two."""
    transactions = [int.from_bytes(FILE[k * SIZE + 16 : k * SIZE + 24], "little") for k in range(2)]
    return (0, 1) if transactions[0] > transactions[1] else (1, 0)


NEWER = meta_pages()[0]


def sealed(page: bytes) -> bytes:
    """Return a page with the checksum that fits."""
    return xxh64(page[8:]).to_bytes(8, "little") + page[8:]
