"""What a store of bytes brings: states that can be looked at, and commits from one to the next.

Snapshots, transactions, batches and walks are the same for a B+tree and for an LSM-tree. They ask a store for its
newest *state*, hold it, and read from it; what a state is, is the store's own affair. It has the number of the commit
that made it.

A child of the process that opened a store shares its files and not its memory: both would write. So a store that was
open when the process was forked refuses everything in the child.
"""

from __future__ import annotations

import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from typing import Any, Generic, Protocol, TypeVar

from smlib.errors import ClosedError, StorageError

Item = tuple[bytes, bytes]


class State(Protocol):
    """What one commit has left."""

    @property
    def transaction(self) -> int:
        """The number of the commit."""


S = TypeVar("S", bound=State)


class ByteStore(ABC, Generic[S]):
    """A store that maps bytes to bytes.

    Attributes
    ----------
    path : str
    mutex : RLock
        Held for as long as a call looks at what a commit may change.
    newest : State
        As far as is known without asking the disk.
    longest_key : int
        In bytes.
    closed : bool
    refusal : str or None
        Why nothing is read or written any more.
    """

    __slots__ = ("__weakref__", "closed", "mutex", "newest", "path", "refusal")

    longest_key: int
    newest: S

    def __init__(self, path: str) -> None:
        self.path = path
        self.mutex = threading.RLock()
        self.closed = False
        self.refusal: str | None = None
        STORES.add(self)

    def require_open(self) -> None:
        """Raise ClosedError if the store is closed, and StorageError in a child of the process that opened it."""
        if self.refusal is not None:
            error = ClosedError if self.closed else StorageError
            raise error(f"{self.path}: {self.refusal}")

    def close(self) -> None:
        """Refuse everything from now on."""
        self.closed, self.refusal = True, "the tree is closed; open it again"

    def leave_to_parent(self) -> None:
        """Refuse everything from now on: this is a child of the process that opened the store."""
        self.mutex = threading.RLock()
        if self.refusal is None:
            self.refusal = (
                "the tree was opened by the process that this one was forked from; open it again in this process"
            )

    @abstractmethod
    def current(self) -> S:
        """Return the newest state; if others write to the store, the disk is asked."""

    @abstractmethod
    def hold(self, state: S) -> None:
        """Keep what a state needs until `let_go`; there may be several who hold it."""

    @abstractmethod
    def let_go(self, state: S) -> None:
        """Undo one `hold`."""

    @abstractmethod
    def find(self, state: S | None, key: bytes) -> bytes | None:
        """Return the value of a key in a state, the newest one if none is given; None if it is not there."""

    @abstractmethod
    def get_many(self, state: S | None, keys: list[Any], default: Any) -> list[Any]:
        """Return the values of many keys in a state."""

    @abstractmethod
    def walk(self, state: S, start: bytes, stop: bytes | None, *, reverse: bool) -> Iterator[list[Item]]:
        """Yield the items of an interval of a state in lists, none of them empty, a short one first."""

    @abstractmethod
    def count(self, state: S) -> int:
        """Return the number of items."""

    @abstractmethod
    def check(self, state: S) -> None:
        """Prove what a state leads to; CorruptDataError if an invariant does not hold."""

    @abstractmethod
    def describe(self, state: S) -> dict[str, float]:
        """Return figures of a state, ``items`` among them."""


# The stores of this process: its children leave them alone.
STORES: weakref.WeakSet[ByteStore[Any]] = weakref.WeakSet()


def leave_stores_to_parent() -> None:
    """In a child: refuse to use the parent's stores."""
    for store in list(STORES):
        store.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=leave_stores_to_parent)


class Committer(Protocol):
    """What makes commits to a store."""

    @property
    def store(self) -> ByteStore[Any]:
        """The store."""

    def require_working(self) -> None:
        """Raise if no commit is possible."""

    def commit(self, puts: dict[bytes, bytes], removals: Collection[bytes] = ()) -> None:
        """Set items and remove keys, which need not be there, in one commit."""

    def sync(self) -> None:
        """Return when all commits are on disk."""

    def finish(self) -> None:
        """Write what is due; no commit comes any more."""
