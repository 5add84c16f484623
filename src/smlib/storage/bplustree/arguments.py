"""What a user passes: keys, values and the ends of intervals."""

from __future__ import annotations

from typing import Any

from smlib.errors import InputError
from smlib.storage.bplustree.pages import LONGEST_KEY


def longest_key(page_size: int) -> int:
    """Return how many bytes a key may have, so that two cells fit into a page."""
    return min(LONGEST_KEY, page_size // 4)


def longest_value(page_size: int) -> int:
    """Return how many bytes a value may have that lies in a leaf."""
    return page_size // 4 - 24


def as_key(key: Any, longest: int) -> bytes:
    """Return a key; InputError if it is none."""
    if type(key) is not bytes:
        if not isinstance(key, bytes):
            raise InputError(f"a key is {key!r}; it must be bytes (see encode_key)")
        key = bytes(key)
    if len(key) > longest:
        raise InputError(
            f"a key has {len(key)} bytes, and at most {longest} are allowed: 1024, and a quarter of a page"
        )
    return bytes(key)


def as_value(value: Any) -> bytes:
    """Return a value; InputError if it is none."""
    if type(value) is bytes:
        return value
    try:
        return bytes(memoryview(value))
    except TypeError as error:
        raise InputError(f"a value is of type {type(value).__name__}; it must be bytes") from error


def as_interval(start: Any, stop: Any, prefix: Any) -> tuple[bytes, bytes | None]:
    """Return the ends of an interval, the lower one never open."""
    for name, end in (("start", start), ("stop", stop), ("prefix", prefix)):
        if end is not None and type(end) is not bytes:
            raise InputError(f"{name} is {end!r}; it must be bytes")
    low, high = start or b"", stop
    if prefix:
        low = max(low, prefix)
        stem = prefix.rstrip(b"\xff")
        if stem:
            behind = stem[:-1] + bytes([stem[-1] + 1])
            high = behind if high is None else min(high, behind)
    return low, high
