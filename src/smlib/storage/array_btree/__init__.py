r"""B-tree in one array: a sorted map of integers that a processor likes.

The problem. A tree of objects spends its time on waiting. A key is a reference to an object somewhere in memory, a node
is one too, so is each of its lists; and a processor that could add a thousand numbers waits for one reference. The
same tree with numbers for keys, in one array, waits once a row.

The idea. All rows lie in one *arena*, an array of 64-bit words. A row has room for 64 keys, in order, and as many
values; an inner row holds positions of other rows in place of values. What is in a row is found by counting: how many
keys are less than the one that is looked for? All 64 are compared, eight an instruction, with no branch to guess::

      row    3  7  9 12  |  empty: the largest integer
      < 9    1  1  0  0    0  0  0  0  0 ...           2 keys are less, so 9 can only stand at place 2

It is a *B+tree*: all items are in the leaves, the keys of inner rows only say where to go. Leaves know their
neighbours, so that a walk over the items, or a copy of a million of them into arrays, never goes up again.

Python calls are the other cost. One call of a kernel takes longer than an insertion, so that single items wait in a
dict until there are 32,768 of them, and are put in together, sorted. A lookup asks the dict first; everything that
needs the order puts in first what waits. Whole arrays of keys go in and come out in one call.

By hand, with rows of 4. Insert 1 to 4: one leaf ``1 2 3 4``, full. It is the last leaf, so it hands on only its last
key (4 of 64): ``1 2 3`` and ``4``, with a root that says "from 4 on, go right". Whoever inserts in order leaves full
rows behind. A full leaf in the middle is cut in half. A key is taken out of its leaf; if a leaf keeps less than a
quarter it takes some of its neighbour's, or becomes one with it.

Invariants, proved by `SortedIntMap.check`:
  1. Within a row the keys strictly increase, and all places behind them hold the padding.
  2. Keys below a child of an inner row are not less than the key before it, and less than the key behind it.
  3. All leaves have the same depth, and each knows the one before and the one behind.
  4. A row has 16 keys or more, if it is neither the root nor the last of its level, and one or more if the map is not
     empty; and 63 at most.
  5. The head counts the items. Each row is in the tree, or given back, or was never used.

Cost: O(log n) a call, with log n rows to wait for: a million keys lie four rows deep. O(k) for k items in a scan, O(n)
to load n sorted items. An item takes 17 bytes in full rows, 20 in those of a loaded tree, about 26 after random
insertions; the arena doubles when it is full, so that it may be twice as large as its rows.

Read on: `rows` is the layout of the arena, `lookups` finds, `changes` puts in and takes out, `bulk_loading` builds from
sorted arrays, `integer_map` is the mapping that people use, and `invariants` proves it.

Comer, "The Ubiquitous B-Tree", *ACM Computing Surveys* 11 (1979); Knuth, *The Art of Computer Programming*, volume 3,
section 6.2.4.
"""
