"""Walks over a tree that may change meanwhile.

A walk copies some items at a time. Whoever changes a value in between wants to meet it: the walk goes on behind the
item that it gave out last, in the newest tree. When a key was inserted or deleted, nobody can say what it should give
out; it is refused, as a dict does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from smlib.storage.bplustree.meta import Meta
from smlib.storage.byte_store import ByteStore, Item
from smlib.storage.sorted_mapping import keys_changed


def walk_items(
    store: ByteStore[Meta],
    look: Callable[[], tuple[ByteStore[Meta], Meta]],
    edits: int,
    start: bytes,
    stop: bytes | None,
    reverse: bool,
) -> Iterator[Item]:
    """Yield the items of an interval of what ``look`` returns, as long as its keys are those that there were."""
    walked: Meta | None = None
    lists: Iterator[list[Item]] = iter(())
    while True:
        with store.mutex:
            _, state = look()
            if state.edits != edits:
                raise keys_changed("a snapshot")
            if state is not walked:
                lists, walked = store.walk(state, start, stop, reverse=reverse), state
            items = next(lists, None)
        if items is None:
            return
        live = store.newest is state
        for item in items:
            yield item
            if live and store.newest is not state:
                break
        key = item[0]
        start, stop = (start, key) if reverse else (key + b"\0", stop)
