"""The B+tree in a file as a mapping: the machine of all stores in files."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.storage.bplustree_tools import open_tree
from tests.storage.byte_store_machine import machine_of_store

Machine = machine_of_store(open_tree)
TestBPlusTree = Machine.TestCase
TestBPlusTree.settings = settings(max_examples=max(1, settings().max_examples // 2), stateful_step_count=30)


@pytest.mark.slow
class TestBPlusTreeForLong(Machine.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(max_examples=4 * settings().max_examples, stateful_step_count=60)
