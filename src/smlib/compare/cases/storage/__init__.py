"""Cases of storage; a module a topic."""

from smlib.compare.cases.storage import array_btree, bplustree, btree, durable_stores, leveldb, lsm

CASES = (*btree.CASES, *array_btree.CASES, *bplustree.CASES, *durable_stores.CASES, *lsm.CASES, *leveldb.CASES)
