"""The LSM-tree as a mapping: the machine of all stores in files."""

from __future__ import annotations

import pytest
from hypothesis import settings

from smlib.storage import SimulatedDisk
from smlib.storage.lsm.tree import LSMTree
from tests.storage.byte_store_machine import machine_of_store


def open_small(disk: SimulatedDisk) -> LSMTree:
    """Open a tree in which a few commits make a table."""
    return LSMTree.open("/tree", filesystem=disk, write_buffer_size=700, block_size=200, block_cache_size=2000)


Machine = machine_of_store(open_small, walks_over_snapshots=True)
TestLSMTree = Machine.TestCase
TestLSMTree.settings = settings(max_examples=max(1, settings().max_examples // 2), stateful_step_count=30)


@pytest.mark.slow
class TestLSMTreeForLong(Machine.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(max_examples=settings().max_examples, stateful_step_count=60)
