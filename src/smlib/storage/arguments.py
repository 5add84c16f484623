"""What a user passes to a store of bytes: keys, values, and the ends of intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from smlib.errors import InputError
from smlib.storage.sorted_mapping import pairs_of


def as_key(key: Any, longest: int) -> bytes:
    """Return a key; InputError if it is none."""
    if type(key) is not bytes:
        if not isinstance(key, bytes):
            raise InputError(f"a key is {key!r}; it must be bytes (see encode_key)")
        key = bytes(key)
    if len(key) > longest:
        raise InputError(f"a key has {len(key)} bytes, and at most {longest} are allowed here")
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


def as_items(items: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]], longest: int) -> dict[bytes, bytes]:
    """Return items as a dict; InputError if one cannot be set."""
    if isinstance(items, Iterator):
        items = list(items)
    if isinstance(items, (dict, list, tuple)):
        try:
            found: dict[bytes, bytes] = dict(items)
        except (TypeError, ValueError):
            found = {}
        plain = found and set(map(type, found)) == {bytes} == set(map(type, found.values()))
        if plain and max(map(len, found)) <= longest:
            return found
    return {as_key(key, longest): as_value(value) for key, value in pairs_of(items)}
