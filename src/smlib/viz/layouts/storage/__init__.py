"""How the topics of storage look; a module a topic."""

from smlib.viz.layouts.storage.bplustree import BPLUSTREE
from smlib.viz.layouts.storage.btree import BTREE
from smlib.viz.layouts.storage.lsm import LSM

LAYOUTS = {"btree": BTREE, "bplustree": BPLUSTREE, "lsm": LSM}
