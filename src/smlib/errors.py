"""Every exception that smlib raises on purpose. The message says what was wrong, with which value, and what to do.

Misuse raises. A calculation that was asked for properly and did not get there (it did not converge, say) is no
exception: the result says so in ``success``, ``status`` and ``message``.
"""


class SmlibError(Exception):
    """The base of all of them: ``except SmlibError`` catches what this library raises and nothing else."""


class InputError(SmlibError, ValueError):
    """An argument that cannot be worked with: a shape that does not fit, NaN, a zero where one must divide."""


class CorruptDataError(SmlibError, ValueError):
    """Data from outside that is not what it claims to be: damaged, cut short, or never of this format."""


class StorageError(SmlibError):
    """A store or one of its files that cannot do what was asked: the disk refused, or the state does not allow it."""


class LockedError(StorageError):
    """What only one may hold at a time is held by another, whom the message names."""


class ClosedError(StorageError):
    """A file or a store that was used after it had been closed."""


class ReadOnlyError(StorageError):
    """A change to what was opened for reading only."""


class ConflictError(StorageError):
    """A change that another one has overtaken: read again, and try again."""


class DiskFullError(StorageError):
    """The disk, or the share of it that the user may fill, has no room left."""


class ConsensusError(SmlibError):
    """Nodes that must agree cannot: one has forgotten what it promised, or is used in another way than it must be."""


class NotLeaderError(ConsensusError):
    """A node was asked for what only the leader does; `leader` is who that is, or None if this node does not know."""

    def __init__(self, node: int, leader: int | None) -> None:
        where = "and it does not know who does: try another one, or later" if leader is None else f"ask node {leader}"
        super().__init__(f"node {node} does not lead; {where}")
        self.leader = leader


class ProposalDroppedError(ConsensusError):
    """A command that was not taken into the log; try again."""
