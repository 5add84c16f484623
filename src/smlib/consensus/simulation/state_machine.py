"""The state machine of the simulated cluster: a map from keys to values, changed by the commands of a log.

Every node applies the same commands in the same order, and so has the same map. It is in memory only: a node that
restarts begins with an empty one, and is handed the log once more.

By hand:

>>> machine = KeyValueMachine()
>>> machine.apply(encode("put", "x", "1"))
>>> machine.apply(encode("cas", "x", "1", "2")), machine.apply(encode("cas", "x", "1", "3"))
(True, False)
>>> machine.apply(encode("get", "x"))
'2'

Invariants:
  1. Its state depends on the commands and their order alone.

Cost: O(1) a command.

Schneider, "Implementing fault-tolerant services using the state machine approach", *ACM Computing Surveys* 22 (1990).
"""

from __future__ import annotations


class KeyValueMachine:
    """A map from keys to values; a key that was never put has the value ""."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def apply(self, data: bytes) -> str | bool | None:
        """Execute a command, and return what it answers: a get the value, a cas whether it has set one."""
        kind, key, *arguments = data.decode().split(" ")
        if kind == "get":
            return self.get(key)
        if kind == "cas" and self.get(key) != arguments[0]:
            return False
        self.values[key] = arguments[-1]
        return True if kind == "cas" else None

    def get(self, key: str) -> str:
        """Return the value of a key, without a command."""
        return self.values.get(key, "")


def encode(kind: str, *arguments: str) -> bytes:
    """Return a command as bytes for the log: "put" key value, "get" key, or "cas" key old new."""
    return " ".join((kind, *arguments)).encode()
